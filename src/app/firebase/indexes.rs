//! The indexes that a project declares: what Firestore is told of them, at the start and as the file changes.

use crate::project::Firebase;
use crate::services::documents::{Declared, Documents};

/// Bytes of the file at most.
const BYTES_MAX: u64 = 4 << 20;

/// Tells Firestore which indexes the project declares. Where the file cannot be read, it is told why, and of none. `strict` refuses queries
/// that need another, as production does.
pub fn declare(documents: &Documents, firebase: &Firebase, root: &std::path::Path, strict: bool) {
    let mut all = Declared { strict, ..Declared::default() };
    for path in firebase.databases.iter().filter_map(|database| database.indexes.as_ref()) {
        let path = root.join(path);
        let text = match std::fs::metadata(&path) {
            Ok(file) if file.len() > BYTES_MAX => Err(format!("it is larger than {BYTES_MAX} bytes")),
            Ok(_) => std::fs::read_to_string(&path).map_err(|error| error.to_string()),
            // `firebase init` names the file before there is one.
            Err(_) => continue,
        };
        match text.and_then(|text| Declared::parse(&text, strict)) {
            Ok(declared) => all.indexes.extend(declared.indexes),
            Err(why) => tracing::warn!("{}: the indexes of Firestore cannot be read: {why}", path.display()),
        }
    }
    documents.declare(all);
}
