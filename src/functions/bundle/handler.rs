//! Which file and export a `handler:` means.

use std::path::{Path, PathBuf};

use super::BuildError;
use crate::project::Function;

/// What Node, TypeScript and the bundlers of the ecosystem accept, in the order they are looked for.
const EXTENSIONS: [&str; 8] = ["ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "jsx"];

/// The part of the runtime that runs codebases.
const CODEBASE_MODULE: &str = "emu:firebase";

/// A handler that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handler {
    pub file: PathBuf,
    /// The export, and the properties inside it: `index.api.get` has two parts.
    pub path: Vec<String>,
}

/// Finds the file. `a/b.c.d` means the export `d` of the file `a/b.c` or, as Lambda reads it, `d` in the export `c` of the file `a/b`.
pub(super) fn find(root: &Path, function: &Function) -> Result<Handler, BuildError> {
    let handler = function.handler.trim();
    let (folder, name) = handler.rsplit_once('/').map_or(("", handler), |(folder, name)| (folder, name));
    let readings: Vec<(&str, &str)> = [name.rsplit_once('.'), name.split_once('.')].into_iter().flatten().collect();
    if readings.is_empty() || readings.iter().any(|(file, export)| file.is_empty() || export.is_empty()) {
        return Err(BuildError::new(
            format!("function `{}`: handler `{handler}` names no export", function.name),
            Some("write it as `path/to/file.export`, without the file's extension".to_string()),
            &function.at,
        ));
    }
    let mut tried = Vec::new();
    for (file, export) in readings {
        let stem = root.join(folder).join(file);
        for candidate in candidates(&stem) {
            if candidate.is_file() {
                let file = std::fs::canonicalize(&candidate).unwrap_or(candidate);
                return Ok(Handler { file, path: export.split('.').map(String::from).collect() });
            }
        }
        tried.push(Path::new(folder).join(file).display().to_string());
    }
    tried.dedup();
    let mut error = BuildError::new(
        format!("function `{}`: there is no file for handler `{handler}`", function.name),
        Some(format!("looked for {} with the extensions .{}", tried.join(" and "), EXTENSIONS.join(", ."))),
        &function.at,
    );
    error.inputs = candidates(&root.join(folder).join(name.rsplit_once('.').map_or(name, |(file, _)| file))).collect();
    Err(error)
}

/// A module whose `handler` runs whichever function of a codebase is meant, and says what the codebase exports.
pub(super) fn codebase_shim(entry: &str) -> String {
    format!(
        "import * as exported from \"./{entry}\";\nimport {{ open }} from \"{CODEBASE_MODULE}\";\nexport const handler = open(exported);\n"
    )
}

fn candidates(stem: &Path) -> impl Iterator<Item = PathBuf> {
    let stem = stem.as_os_str().to_os_string();
    EXTENSIONS.iter().map(move |extension| {
        let mut file = stem.clone();
        file.push(".");
        file.push(extension);
        PathBuf::from(file)
    })
}

impl Handler {
    /// A module that exports as `handler` what is not an export of its own: a property of `module.exports`, or one inside an export.
    pub fn shim(&self, entry: &str, has_default: bool) -> String {
        let path = serde_json::to_string(&self.path).expect("strings are JSON");
        let shown = serde_json::to_string(&self.path.join(".")).expect("a string is JSON");
        let roots = if has_default { "[ns, ns.default]" } else { "[ns]" };
        format!(
            "import * as ns from \"./{entry}\";\n\
             const found = {roots}.map((root) => {path}.reduce((value, key) => value?.[key], root)).find((value) => typeof value === \"function\");\n\
             if (!found) {{\n  const error = new Error({shown} + \" is undefined or not exported\");\n  error.name = \"Runtime.HandlerNotFound\";\n  throw error;\n}}\n\
             export const handler = found;\n"
        )
    }
}
