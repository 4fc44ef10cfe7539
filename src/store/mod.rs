//! The store: one SQLite database and one folder of blobs. The only way to change stored data is [`Db::write`].
//! Knows nothing of what the services keep in it.

pub mod blobs;
mod clock;
mod copy;
pub mod db;
pub mod lease;
pub mod outbox;
pub mod portable;
mod replace;
mod stock;
mod writer;

pub use db::{Db, Options, Schema, bring_up_to_date, is_older};
pub use outbox::Event;
pub use replace::{Replacing, tables_of};
pub use stock::kept_in;
pub use writer::Tx;

/// What can go wrong in the store itself. Services wrap this in their own errors.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the database: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("the blob folder: {0}")]
    Io(#[from] std::io::Error),
    /// A group of writes could not be committed; none of them took effect.
    #[error("the database could not commit: {0}")]
    Commit(String),
    /// The closure given to `write` panicked; its changes were rolled back.
    #[error("a write failed inside emu and was rolled back; this is a bug in emu, please report it")]
    Panicked,
    /// An event was emitted, or a row changed, by a read.
    #[error("a read tried to change data; this is a bug in emu, please report it")]
    ReadOnly,
    /// The database was written by a newer emu.
    #[error(
        "the state was written by a newer emu ({part} is at version {found}, this emu knows {known}); use that emu, or another `--state` folder"
    )]
    Newer { part: String, found: i64, known: i64 },
    /// Another database was written by an older emu and has to be brought up to date first.
    #[error("the other state was written by an older emu ({part}); it has to be opened once by this one")]
    Older { part: String },
    /// Another state has taken the place of the one that the call belongs to. Nothing was read or changed.
    #[error(
        "the state was reset, restored or imported while this was under way; it belonged to the state before and did nothing to the new one"
    )]
    Superseded,
    /// A stored value cannot be read back.
    #[error("stored data of {0} cannot be read; the state may be damaged")]
    Corrupt(&'static str),
}

#[cfg(test)]
mod tests;
