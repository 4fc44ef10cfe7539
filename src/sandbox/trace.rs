//! From places in a bundle to places in its sources.

use std::collections::HashMap;
use std::sync::OnceLock;

use oxc_sourcemap::SourceMap;

use super::outcome::Module;

/// The source maps of a bundle, read when first needed.
#[derive(Default)]
pub struct Traces(HashMap<String, Map>);

struct Map {
    json: String,
    parsed: OnceLock<Option<SourceMap<'static>>>,
}

/// Lines of a stack that are kept.
const LINES_MAX: usize = 100;

impl Traces {
    pub fn new(modules: &[Module]) -> Traces {
        let maps = modules.iter().filter_map(|module| {
            let json = module.map.clone()?;
            Some((module.path.clone(), Map { json, parsed: OnceLock::new() }))
        });
        Traces(maps.collect())
    }

    /// Every `file:line:column` of a bundle's module in these lines, replaced by where it comes from.
    pub fn map(&self, lines: impl IntoIterator<Item = impl AsRef<str>>) -> Vec<String> {
        let lines = lines.into_iter().filter(|line| !line.as_ref().trim().is_empty()).take(LINES_MAX);
        lines.map(|line| self.line(line.as_ref())).collect()
    }

    fn line(&self, line: &str) -> String {
        self.mapped(line).unwrap_or_else(|| line.to_owned())
    }

    fn mapped(&self, line: &str) -> Option<String> {
        let (body, closing) = match line.strip_suffix(')') {
            Some(body) => (body, ")"),
            None => (line, ""),
        };
        let (rest, column) = body.rsplit_once(':')?;
        let (rest, row) = rest.rsplit_once(':')?;
        let (row, column): (u32, u32) = (row.parse().ok()?, column.parse().ok()?);
        let start = rest.rfind(['(', ' ']).map_or(0, |at| at + 1);
        let (before, path) = rest.split_at_checked(start)?;
        let bare = path.strip_prefix("file:///var/task/").or_else(|| path.strip_prefix("/var/task/")).unwrap_or(path);
        let (source, row, column) = self.source(bare, row, column)?;
        Some(format!("{before}{source}:{row}:{column}{closing}"))
    }

    /// The source's path, line and column (both from 1) of a place in a module (likewise).
    fn source(&self, path: &str, row: u32, column: u32) -> Option<(String, u32, u32)> {
        let map = self.0.get(path)?;
        let parsed = map.parsed.get_or_init(|| SourceMap::from_json_string(&map.json).ok().map(SourceMap::into_owned)).as_ref()?;
        let table = parsed.generate_lookup_table();
        let token = parsed.lookup_source_view_token(&table, row.checked_sub(1)?, column.saturating_sub(1))?;
        let source = token.get_source()?;
        Some((clean(source), token.get_src_line() + 1, token.get_src_col() + 1))
    }
}

/// Bundlers write sources relative to where the bundle would lie.
fn clean(source: &str) -> String {
    let mut path = source;
    while let Some(rest) = path.strip_prefix("../").or_else(|| path.strip_prefix("./")) {
        path = rest;
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traces() -> Traces {
        // Line 1, column 1 ↔ a.ts:1:1; line 2, column 5 ↔ a.ts:4:3.
        let map = r#"{"version":3,"sources":["../src/a.ts"],"names":[],"mappings":"AAAA;IAGE"}"#;
        let module = Module::own("index.mjs", "", Some(map.into()));
        Traces::new(&[module])
    }

    #[test]
    fn places_in_a_stack_become_places_in_the_sources() {
        let check = |line: &str, expected: &str| assert_eq!(traces().map([line]), [expected]);
        check("    at handler (index.mjs:2:5)", "    at handler (src/a.ts:4:3)");
        check("    at index.mjs:2:9", "    at src/a.ts:4:3");
        check("    at f (file:///var/task/index.mjs:1:1)", "    at f (src/a.ts:1:1)");
        check("    at f (other.mjs:2:5)", "    at f (other.mjs:2:5)");
        check("    at f (native)", "    at f (native)");
        check("TypeError: a:b:c", "TypeError: a:b:c");
        check("    at ü (index.mjs:99:1)", "    at ü (index.mjs:99:1)");
    }
}
