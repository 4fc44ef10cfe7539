//! A state as text files: JSON, a row a line, in an order that depends on nothing but the rows.
//!
//! Each service says which collections it has ([`Collection`]); what is more than rows it writes and reads itself. What is read is
//! hostile: every line is bounded and checked, and an error names its file and line.

mod collection;
mod reader;
mod writer;

pub use collection::{Collection, Column, Kind, json_of};
pub use reader::{Line, Reader};
pub use writer::{Writer, line_of};

use std::path::PathBuf;

/// Bytes of one line at most: an item or a message, and what JSON makes of it.
pub const LINE_BYTES_MAX: usize = 16 << 20;

/// Why a state could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something that was read cannot be; with its place.
    #[error("{}:{line}: {why}", .file.display())]
    Line { file: PathBuf, line: usize, why: String },
    #[error("{}: {why}", .file.display())]
    File { file: PathBuf, why: String },
    #[error("{}: {source}", .file.display())]
    Io { file: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] super::Error),
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Error {
        Error::Store(error.into())
    }
}

/// JSON with the names of all objects in order, so that equal values are equal texts.
pub fn canonical(value: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match value {
        Value::Object(map) => {
            let mut sorted: Vec<(String, Value)> = map.into_iter().map(|(name, value)| (name, canonical(value))).collect();
            sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(sorted.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.into_iter().map(canonical).collect()),
        other => other,
    }
}
