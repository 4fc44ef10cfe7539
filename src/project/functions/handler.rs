//! Handlers: that the file is there. Whether it exports what it should is seen when it is bundled.

use std::path::Path;

use super::Scene;
use crate::project::model::{Position, Runtime};
use crate::project::problem::did_you_mean;
use crate::project::yaml::Node;

/// Endings that are tried after a JavaScript handler's path, in this order.
pub const ENDINGS: &[&str] = &["ts", "mts", "cts", "js", "mjs", "cjs", "tsx", "jsx"];
/// Most files of a folder that are looked at for a near name.
const LISTED_MAX: usize = 2_000;

impl Scene<'_> {
    pub(super) fn handler(&mut self, name: &str, at: &Position, node: &Node, runtime: Runtime) -> Option<String> {
        let Some(found) = node.get("handler") else {
            // A container image has no handler; that it is not emulated is said elsewhere.
            if node.get("image").is_none() {
                let example = if runtime == Runtime::Wasm { "target/component.wasm" } else { "src/hello.handler" };
                self.error(at, format!("the function `{name}` has no `handler`"), format!("such as `handler: {example}`"));
            }
            return None;
        };
        let handler = found.scalar()?;
        if handler.is_empty() || handler.contains('\0') {
            self.error(&found.at, format!("the `handler` of `{name}` is empty"), "such as `handler: src/hello.handler`");
            return None;
        }
        if runtime == Runtime::Wasm {
            if node.get("build").is_none() && !self.root.join(&handler).is_file() {
                let message = format!("the handler of `{name}` is not there: looked for {handler}");
                self.error(&found.at, message, "the path of a component; `build:` may name the command that makes it");
            }
            return Some(handler);
        }
        let (folder, file) = handler.rsplit_once('/').map_or(("", handler.as_str()), |(folder, file)| (folder, file));
        // Lambda takes the export from the first dot on; bundlers take the last.
        let cuts = [file.rsplit_once('.'), file.split_once('.')];
        let stems: Vec<&str> =
            cuts.iter().flatten().filter(|(stem, export)| !stem.is_empty() && !export.is_empty()).map(|(stem, _)| *stem).collect();
        let Some(stem) = stems.first() else {
            self.error(
                &found.at,
                format!("the handler `{handler}` names no export"),
                format!("`{handler}.handler`: the file without its ending, a dot, the export"),
            );
            return None;
        };
        let base = self.root.join(folder);
        let exists = |stem: &&str| ENDINGS.iter().any(|e| base.join(format!("{stem}.{e}")).is_file());
        if stems.iter().any(exists) {
            return Some(handler);
        }
        let shown = if folder.is_empty() { stem.to_string() } else { format!("{folder}/{stem}") };
        let message = format!("the handler of `{name}` has no file: looked for {shown}.{{{}}}", ENDINGS.join(","));
        let export = &file[stem.len() + 1..];
        let help = if ENDINGS.contains(&export) {
            format!("after the file stands the export, not the file's ending: `{shown}.handler`")
        } else {
            near_file(&base, stem, folder)
                .map_or_else(|| "paths are relative to the project's folder".to_string(), |near| format!("did you mean `{near}.{export}`?"))
        };
        self.error(&found.at, message, help);
        None
    }
}

/// A file in `base` with nearly that name, as a handler would name it.
fn near_file(base: &Path, stem: &str, folder: &str) -> Option<String> {
    let entries = std::fs::read_dir(base).ok()?;
    let names = entries.take(LISTED_MAX).filter_map(|e| e.ok()?.file_name().into_string().ok());
    let stems: Vec<String> =
        names.filter_map(|n| n.rsplit_once('.').filter(|(_, e)| ENDINGS.contains(e)).map(|(s, _)| s.to_string())).collect();
    let near = did_you_mean(stem, stems.iter().map(String::as_str))?;
    Some(if folder.is_empty() { near.to_string() } else { format!("{folder}/{near}") })
}
