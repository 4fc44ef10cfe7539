//! Documents: the Firestore model. Documents with typed fields in collections, found by queries over indexes of every field; transactions,
//! and queries that tell what changes. Knows nothing of its wire; see `wire/firebase/firestore`.

mod advice;
mod aggregate;
mod blob;
mod document;
mod event;
mod filter;
mod index;
mod key;
pub mod listen;
mod name;
mod nearest;
pub mod pipeline;
mod plan;
pub mod portable;
mod query;
mod read;
mod run;
mod store;
mod transaction;
mod transform;
mod value;
mod write;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use advice::{Declared, Index, Mode, Needed, needed, used};
pub use aggregate::{Aggregated, Aggregation};
pub use document::Document;
pub use event::SOURCE;
pub use filter::{Condition, Filter, Op};
pub use name::{Database, FieldPath, Name, Parent};
pub use nearest::{Measure, Nearest};
pub use query::{Cursor, Order, Query, Scope};
pub use read::{Got, List, Listed};
pub use run::Found;
pub use store::SCHEMA;
pub use transaction::{Begin, View};
pub use transform::{Transform, TransformKind};
pub use value::{Fields, Timestamp, Value};
pub use write::{Change, Committed, Precondition, Write, Written};

use crate::store::{self as base_store, Db, Tx};

/// Bytes of a document at most, with its name. Source: "Quotas and limits".
pub const DOCUMENT_BYTES_MAX: usize = 1_048_576;
/// Maps and arrays within each other at most. Source: "Quotas and limits".
pub const NESTING_MAX: usize = 20;
/// Index entries of a document at most. Source: "Quotas and limits".
pub const INDEX_ENTRIES_MAX: usize = 40_000;
/// Transforms of a document in one commit at most. Source: "Quotas and limits".
pub const TRANSFORMS_MAX: usize = 500;

/// Why a request was refused. The texts are the service's own, where it has some.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something in the request cannot be.
    #[error("{0}")]
    Invalid(String),
    /// There is no such document to read.
    #[error("Document \"{0}\" not found.")]
    NotFound(Name),
    /// There is no such document to change.
    #[error("No document to update: {0}")]
    Missing(Name),
    /// The document to create is there.
    #[error("Document already exists: {0}")]
    Exists(Name),
    /// The document was changed at another time than the write asks for.
    #[error("the stored version ({}) does not match the required base version ({})", .found.micros(), .wanted.micros())]
    Changed { found: Timestamp, wanted: Timestamp },
    /// What a transaction has read is no longer so.
    #[error(
        "Aborted due to cross-transaction contention. This occurs when multiple transactions attempt to access the same data, requiring Firestore to abort at least one in order to enforce serializability."
    )]
    Contention,
    /// There is no such transaction any more.
    #[error("The referenced transaction has expired or is no longer valid.")]
    TransactionOver,
    /// A time in the past, of which nothing is kept.
    #[error("The requested read_time is too old: emu keeps no versions of documents from before the last change.")]
    TooOld,
    /// Production makes no index for this query by itself, and the project declares none.
    #[error("The query requires an index. You can create it here: https://console.firebase.google.com/{}/firestore/indexes, or in firestore.indexes.json: {index}", .database.project())]
    NoIndex { database: Database, index: Box<Index> },
    /// More transactions are open than can be.
    #[error("Too many transactions are open; commit or roll back some of them, or wait until they expire.")]
    TooManyTransactions,
    /// A pipeline keeps more than it may.
    #[error("{0}")]
    Exhausted(String),
    /// A pipeline takes longer than it may, in seconds.
    #[error("The pipeline took longer than {0} seconds.")]
    TooSlow(u64),
    /// The service knows it, and emu does not do it.
    #[error("{0}")]
    Unsupported(String),
    /// Another state has taken the place of the one that was asked.
    #[error("the state was reset, restored or imported meanwhile; ask again")]
    Superseded,
    #[error(transparent)]
    Store(base_store::Error),
}

impl From<base_store::Error> for Error {
    fn from(error: base_store::Error) -> Error {
        match error {
            base_store::Error::Superseded => Error::Superseded,
            other => Error::Store(other),
        }
    }
}

/// The documents of a World. Clones share them.
#[derive(Clone)]
pub struct Documents {
    db: Db,
    shared: Arc<Shared>,
    transactions: Arc<transaction::Transactions>,
    hub: Arc<listen::Hub>,
    adviser: Arc<advice::Adviser>,
}

/// What the transactions of the database leave for those who listen.
#[derive(Default)]
pub(crate) struct Shared {
    recent: listen::Recent,
}

impl Shared {
    /// A document will have changed at this time, if the transaction commits.
    fn changed(&self, name: &Name, at: Timestamp) {
        self.recent.add(at.micros(), name.clone());
    }

    /// Those who listen are to look once this is committed.
    fn wake(&self, tx: &mut Tx<'_>) {
        tx.wake(listen::WAKE);
    }
}

impl Documents {
    /// The documents in a database opened with this service's [`SCHEMA`].
    pub fn new(db: Db) -> Documents {
        let shared: Arc<Shared> = Arc::default();
        let hub = Arc::new(listen::Hub::new(db.clone(), shared.clone()));
        Documents { hub, db, shared, transactions: Arc::default(), adviser: Arc::default() }
    }

    /// Says which indexes there are beside those of single fields: whoever asks for more is told what production would say.
    pub fn declare(&self, indexes: Declared) {
        self.adviser.declare(indexes);
    }

    /// The indexes that queries wanted and production would not have, as far as they are remembered: a thousand.
    pub fn missing_indexes(&self) -> Vec<Index> {
        self.adviser.missing()
    }

    /// The database they are in.
    pub fn db(&self) -> &Db {
        &self.db
    }
}
