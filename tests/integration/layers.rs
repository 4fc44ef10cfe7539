//! The layer table of ARCHITECTURE.md, compared with the imports in `src/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Which layers each layer may import, as ARCHITECTURE.md says it: rows of `| layer | what it is | imports |`.
fn table() -> BTreeMap<String, BTreeSet<String>> {
    let text = std::fs::read_to_string("ARCHITECTURE.md").expect("ARCHITECTURE.md is there");
    let rows = text.lines().skip_while(|line| !line.starts_with("| layer")).skip(2).take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(|name| name.trim_end_matches('/').to_owned()).collect::<Vec<_>>();
        (names(cells[0]).remove(0), names(cells[2]).into_iter().collect())
    })
    .collect()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The path of a file's module: `src/wire/aws/s3/mod.rs` → `wire aws s3`.
fn module(path: &Path) -> Vec<String> {
    let path = path.strip_prefix("src").expect("below src").with_extension("");
    let mut parts: Vec<String> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// The code of a file without its tests: those may use what is above them, to set the scene.
fn without_tests<'a>(text: &'a str, module: &[String]) -> &'a str {
    if module.iter().any(|part| part == "tests" || part == "testing") {
        return "";
    }
    text.find("#[cfg(test)]\nmod tests {").map_or(text, |at| &text[..at])
}

/// Every `crate::a::b…` and `super::…` path that a file names, from the root, with braces taken apart.
fn imports(text: &str, module: &[String]) -> BTreeSet<Vec<String>> {
    let mut found = BTreeSet::new();
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    for (start, word) in code.match_indices("crate::").chain(code.match_indices("super::")) {
        if code[..start].ends_with("super::") || code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let mut base = if word == "crate::" { Vec::new() } else { module[..module.len().saturating_sub(1)].to_vec() };
        let mut rest = &code[start + word.len()..];
        while let Some(more) = rest.strip_prefix("super::") {
            base.pop();
            rest = more;
        }
        expand(&base, rest, &mut found);
    }
    found
}

/// Reads `a::{b, c::d}` behind a prefix.
fn expand(base: &[String], rest: &str, into: &mut BTreeSet<Vec<String>>) {
    if let Some(group) = rest.strip_prefix('{') {
        let mut depth = 0usize;
        let mut item = String::new();
        for c in group.chars() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(base, item.trim(), into);
                    item.clear();
                    continue;
                }
                _ => {}
            }
            item.push(c);
        }
        if !item.trim().is_empty() {
            expand(base, item.trim(), into);
        }
        return;
    }
    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut path = base.to_vec();
    path.push(name.clone());
    match rest[name.len()..].strip_prefix("::") {
        Some(more) if path.len() < 4 => expand(&path, more, into),
        _ => {
            into.insert(path);
        }
    }
}

fn problems(files: &[(Vec<String>, String)], table: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut problems = Vec::new();
    for (module, text) in files {
        let Some(layer) = module.first().filter(|name| !["lib", "main"].contains(&name.as_str())) else { continue };
        let Some(allowed) = table.get(layer) else {
            problems.push(format!("src/{layer} is not in the table of ARCHITECTURE.md"));
            continue;
        };
        for import in imports(without_tests(text, module), module) {
            let Some(target) = import.first() else { continue };
            let here = module.join("::");
            if target == layer {
                // Services are siblings, and so are protocol families: neither imports another.
                let siblings = match layer.as_str() {
                    "services" => true,
                    "wire" => import.get(1).is_some_and(|name| name != "http"),
                    _ => false,
                };
                let (own, other) = (module.get(1), import.get(1));
                if siblings && own.is_some() && other.is_some() && own != other && own.is_some_and(|name| name != "http") {
                    problems.push(format!("{here} imports its sibling {}", import.join("::")));
                }
            } else if table.contains_key(target) && !allowed.contains(target) {
                problems.push(format!("{here} imports {}, which the table of ARCHITECTURE.md does not allow", import.join("::")));
            }
        }
    }
    problems
}

#[test]
fn layers_import_downwards_only() {
    let mut paths = Vec::new();
    sources(Path::new("src"), &mut paths);
    let files: Vec<_> = paths.iter().map(|path| (module(path), std::fs::read_to_string(path).expect("a source"))).collect();
    assert!(files.len() > 50, "only {} sources were found", files.len());
    let problems = problems(&files, &table());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn an_upward_or_sideways_import_is_found() {
    let table = table();
    for (module, text, wanted) in [
        ("store db", "use crate::gateway::Face;", "does not allow"),
        ("services tables", "use crate::{base::Call, wire::aws::arn};", "does not allow"),
        ("services tables store", "use super::super::queues::Queues;", "sibling"),
        ("wire aws s3", "use crate::wire::firebase::auth;", "sibling"),
        ("triggers rules", "fn f(_: &crate::app::App) {}", "does not allow"),
        ("nowhere", "", "is not in the table"),
    ] {
        let module: Vec<String> = module.split(' ').map(str::to_owned).collect();
        let found = problems(&[(module, text.to_owned())], &table);
        assert!(found.len() == 1 && found[0].contains(wanted), "{text}: {found:?}");
    }
    for (module, text) in [
        ("wire aws s3", "use crate::wire::http::Body; use super::arn; use crate::services::objects::Objects;"),
        ("services tables", "// use crate::app::App"),
    ] {
        let module: Vec<String> = module.split(' ').map(str::to_owned).collect();
        assert_eq!(problems(&[(module, text.to_owned())], &table), Vec::<String>::new());
    }
}
