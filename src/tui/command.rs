//! What the dashboard asks of a running emu, and what it is told.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::{Time, Usage};

/// Something to do. What comes of it arrives as a [`Message`], or shows in the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Calls a function with an event, as JSON.
    Invoke { function: Arc<str>, event: Bytes },
    /// Calls a schedule's function now, with the schedule's event.
    Fire { schedule: String },
    /// Asks for [`Message::Counts`].
    Count,
    /// Asks for [`Message::Shelves`].
    Shelves,
    /// Asks for [`Message::Source`] of a place in the project, `file:line:column`.
    Source { place: Arc<str> },
    /// Asks for [`Message::Rows`]: of a shelf, what holds `search` (in lower case; empty: everything).
    Rows { shelf: ShelfId, search: String },
    /// Asks for [`Message::Document`].
    View { shelf: ShelfId, key: String },
    /// Stores what was edited: `text` in the form of [`Document::edit`].
    Put { shelf: ShelfId, key: String, text: String },
    /// Removes one thing.
    Delete { shelf: ShelfId, key: String },
    /// Removes everything on a shelf.
    Purge { shelf: ShelfId },
    /// Delivers a dead letter again, or moves a queue's dead letters back where they came from.
    Redrive { shelf: ShelfId, key: Option<String> },
}

/// What emu tells the dashboard, beside records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// What holds data.
    Shelves(Vec<Shelf>),
    Rows(Rows),
    Document(Document),
    /// The lines around a place, with a caret; empty where there are none.
    Source {
        place: Arc<str>,
        frame: String,
    },
    /// Something was done.
    Done(String),
    /// Something could not be done, and why.
    Failed(String),
    /// How much there is to do.
    Counts(Counts),
}

/// How much waits for triggers, and how much is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events and deliveries that wait.
    pub pending: u64,
    /// Deliveries under way.
    pub in_flight: u64,
    pub dead_letters: u64,
    /// The units that are stocks.
    pub kept: Usage,
}

/// Which shelf: its kind for people (`table`, `bucket`, …), and its name, which may be empty where there is one of its kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ShelfId {
    pub kind: Arc<str>,
    pub name: Arc<str>,
}

impl ShelfId {
    /// The shelf of this kind and name.
    pub fn new(kind: &str, name: &str) -> ShelfId {
        ShelfId { kind: kind.into(), name: name.into() }
    }
}

/// Something that holds data: a table, a bucket, a queue, …
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    pub id: ShelfId,
    /// How much it holds, in a word: `12`, `3 + 1 hidden`.
    pub holds: String,
    pub uses: Uses,
}

/// What can be done with what is on a shelf.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Uses {
    pub edit: bool,
    pub delete: bool,
    pub purge: bool,
    pub fire: bool,
    pub redrive: bool,
}

/// What is on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub shelf: ShelfId,
    /// What was searched for.
    pub search: String,
    pub columns: Vec<String>,
    pub rows: Vec<Row>,
    /// What should be said of them: that there are more, where the search ended.
    pub note: Option<String>,
}

/// One thing on a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Names it in commands; means nothing to the dashboard.
    pub key: String,
    /// One for each column.
    pub cells: Vec<String>,
}

/// One thing, to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    pub shelf: ShelfId,
    pub key: String,
    pub title: String,
    pub text: String,
    /// What an editor is given, where it can be changed.
    pub edit: Option<String>,
    /// When it was read.
    pub at: Time,
}
