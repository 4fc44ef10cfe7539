//! Tables: the DynamoDB model. Items with typed attributes, found by key; indexes, streams, expressions, transactions.
//! Knows nothing of its wire; see `wire/aws/dynamodb`.

mod batch;
mod blob;
mod capacity;
mod definition;
mod expiry;
mod expression;
mod item;
mod kept;
mod key;
mod lifecycle;
mod number;
mod path;
pub mod portable;
mod query;
mod store;
mod stream;
mod transact;
mod value;

#[cfg(test)]
mod tests;

use std::sync::Arc;

pub use batch::{BatchGet, BatchGot, BatchWrite, GetMany};
pub use capacity::{Consumed, Units};
pub use definition::{Create, Definition, Index, Keys, NewIndex, Projection, Stream, Table, View};
pub use expression::Substitutes;
pub use item::{Deleted, Get, Got, Guard, Put, Remove, Returns, Update, Written};
pub use key::KeyKind;
pub use lifecycle::{Described, IndexChange, TableChange};
pub use number::{Number, NumberError};
pub use path::{Path, Step};
pub use query::{Page, Query, Scan, Segment, Select};
pub use store::SCHEMA;
pub use stream::{ChangeKind, ReadFrom, StreamInfo, StreamRecord};
pub use transact::{Action, Reason, TransactGet, TransactWrite};
pub use value::{Item, Kind, Value};

use crate::store::{self as base_store, Db, Tx};

/// The key to give to [`Db::woken`] to learn of items that will expire: see [`Tables::next_expiry`].
pub const EXPIRY_WAKE: &str = "tables/expiry";

/// The key to give to [`Db::woken`] to learn that items which had expired are gone.
pub const EXPIRED_WAKE: &str = "tables/expired";

/// The key to give to [`Db::woken`] to learn of stream records that will be forgotten: see [`Tables::next_trim`].
pub const TRIM_WAKE: &str = "tables/trim";

/// Bytes of an item at most, names included.
pub const ITEM_BYTES_MAX: usize = 409_600;
/// Lists and maps within each other at most.
pub const NESTING_MAX: usize = 32;

/// Why a request was refused. The texts are the service's own, where it has some.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something in the request cannot be.
    #[error("{0}")]
    Invalid(String),
    /// A request for items names a table that does not exist.
    #[error("Requested resource not found")]
    NoSuchTable(String),
    /// A request about a table names one that does not exist.
    #[error("Requested resource not found: Table: {0} not found")]
    NoSuchTableToManage(String),
    /// There is no such index to change.
    #[error("Requested resource not found")]
    NoSuchIndex(String),
    /// The name is taken.
    #[error("Table already exists: {0}")]
    TableExists(String),
    /// What is there is in the way of what is asked.
    #[error("{0}")]
    InUse(String),
    /// The condition of a write does not hold. Carries the item, where that was asked for.
    #[error("The conditional request failed")]
    ConditionFailed(Option<Item>),
    /// A transaction did not happen: why, action by action.
    #[error("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", .0.iter().map(Reason::code).collect::<Vec<_>>().join(", "))]
    Cancelled(Vec<Reason>),
    /// A token was used for another transaction.
    #[error("An error occurred (IdempotentParameterMismatchException): the client token was used with different parameters")]
    TokenMismatch,
    /// There is no such stream.
    #[error("Requested resource not found: Stream: {0} not found")]
    NoSuchStream(String),
    /// A position in a stream is older than 15 minutes.
    #[error("Iterator expired. The iterator was created more than 15 minutes ago")]
    IteratorExpired,
    /// A position in a stream points before its oldest record.
    #[error("The requested sequence number is older than the oldest record of the stream")]
    Trimmed,
    #[error(transparent)]
    Store(#[from] base_store::Error),
}

impl From<String> for Error {
    fn from(text: String) -> Error {
        Error::Invalid(text)
    }
}

/// The tables of a World. Clones share them.
#[derive(Clone)]
pub struct Tables {
    db: Db,
    cache: Arc<store::Cache>,
}

impl Tables {
    /// The tables in a database opened with this service's [`SCHEMA`].
    pub fn new(db: Db) -> Tables {
        Tables { db, cache: Arc::default() }
    }

    /// The database they are in.
    pub fn db(&self) -> &Db {
        &self.db
    }
}

/// The table of this name, for requests about its items.
fn table(cache: &store::Cache, tx: &Tx<'_>, name: &str) -> Result<Arc<Table>, Error> {
    store::catalog(cache, tx)?.tables.get(name).cloned().ok_or_else(|| Error::NoSuchTable(name.to_owned()))
}

/// The table of this name, for requests about itself.
fn table_to_manage(cache: &store::Cache, tx: &Tx<'_>, name: &str) -> Result<Arc<Table>, Error> {
    store::catalog(cache, tx)?.tables.get(name).cloned().ok_or_else(|| Error::NoSuchTableToManage(name.to_owned()))
}
