//! Where in a project's sources an operation is asked for.
//!
//! What reaches the network does not say who asked for it: the SDKs wait before they send, so no stack leads back to the project's own
//! code. But where a function's sources have one place only that makes such a command, it is that place.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::app::App;

/// Largest file that is looked through, in bytes, and how many of them.
const FILE_BYTES_MAX: u64 = 1 << 20;
const FILES_MAX: usize = 1_000;

/// The files that a function is made of.
type Sources = dyn Fn(&str) -> BTreeSet<PathBuf> + Send + Sync;

/// A running project's functions, and what they are made of.
pub struct Places {
    root: PathBuf,
    sources: Box<Sources>,
}

impl Places {
    pub fn new(app: &App) -> Places {
        let root = app.project().root.clone();
        // As the bundler names files.
        let root = std::fs::canonicalize(&root).unwrap_or(root);
        Places { root, sources: Box::new(app.sources()) }
    }

    /// Where a function asks for an action, if that can be told.
    pub fn of(&self, function: &str, action: &str) -> Option<String> {
        find(&(self.sources)(function), &self.root, action)
    }
}

/// `functions/feed.ts:14`: the one place in these files (relative to `root`) that asks for the action; `None` where there is none, or more
/// than one. Packages are not looked through.
pub fn find(files: &BTreeSet<PathBuf>, root: &Path, action: &str) -> Option<String> {
    let needles = needles(action);
    let own = files.iter().filter(|file| !file.iter().any(|part| part == "node_modules"));
    let mut found = None;
    for file in own.take(FILES_MAX) {
        let fits = std::fs::metadata(file).is_ok_and(|about| about.is_file() && about.len() <= FILE_BYTES_MAX);
        let Some(text) = fits.then(|| std::fs::read(file).ok()).flatten() else { continue };
        for (at, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            let asked = needles.iter().map(|needle| line.matches(needle.as_str()).count()).sum::<usize>();
            if asked == 0 || line.trim_start().starts_with(['/', '*']) {
                continue;
            }
            if asked > 1 || found.is_some() {
                return None;
            }
            found = Some(format!("{}:{}", file.strip_prefix(root).unwrap_or(file).display(), at + 1));
        }
    }
    found
}

/// What a line has that asks for an action: a command of the SDK (`new QueryCommand(`, `new ScanCommand(`; the document client leaves
/// `Item` out of the names), or a paginator.
fn needles(action: &str) -> Vec<String> {
    let plain = match action {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "BatchGetItem" | "BatchWriteItem" => action.strip_suffix("Item"),
        "TransactGetItems" | "TransactWriteItems" => action.strip_suffix("Items"),
        _ => None,
    };
    let commands = std::iter::once(action).chain(plain).map(|name| format!(" {name}Command("));
    commands.chain([format!(".{action}Command("), format!("paginate{action}(")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_only_place_that_asks_is_found_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path();
        let file = |name: &str, text: &str| {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(&path, text).expect("a file");
            path
        };
        let feed = "import { QueryCommand, ScanCommand } from 'x';\n// new ScanCommand(\nconst a = await db.send(new QueryCommand({}));\n";
        let files: BTreeSet<PathBuf> = [
            file("functions/feed.ts", feed),
            file(
                "lib/store.ts",
                "await db.send(new PutCommand({}));\nawait db.send(new ScanCommand(1));\nfor await (x of paginateScan({})) {}\n",
            ),
            file("node_modules/x/index.js", "new QueryCommand(); new GetItemCommand()"),
            root.join("gone.ts"),
        ]
        .into();
        for (action, wanted) in [
            ("Query", Some("functions/feed.ts:3")),
            ("PutItem", Some("lib/store.ts:1")),
            ("Scan", None),
            ("GetItem", None),
            ("GetObject", None),
        ] {
            assert_eq!(find(&files, root, action).as_deref(), wanted, "{action}");
        }
    }
}
