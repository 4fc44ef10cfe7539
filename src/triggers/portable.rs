//! What is still to be delivered, and what could not be, as text files.

use super::store::{Envelope, Target};
use crate::base::Cause;
use crate::store::Tx;
use crate::store::portable::{Collection, Column, Error, Reader, json_of};

/// Deliveries. One that somebody holds is due at once, as it is after a kill.
static DELIVERIES: Collection = Collection {
    file: "deliveries/deliveries.jsonl",
    table: "deliveries",
    order: "id",
    key: &["request"],
    columns: &[
        Column::word("target", target),
        Column::int("due").read("CASE WHEN receipt IS NULL THEN due ELSE 0 END").write("due", "?"),
        Column::count("attempts", u32::MAX as i64),
        Column::count("failures", u32::MAX as i64),
        Column::bytes("payload"),
        Column::json("envelope", json_of::<Envelope>).or_null(),
        Column::text("source"),
        Column::text("request"),
        Column::int("created"),
        Column::int("expires"),
        Column::text("trace"),
        Column::json("cause", json_of::<Cause>),
        Column::count("depth", u16::MAX as i64),
    ],
};

static DEAD_LETTERS: Collection = Collection {
    file: "deliveries/dead-letters.jsonl",
    table: "dead_letters",
    order: "id",
    key: &[],
    columns: &[
        Column::int("at"),
        Column::text("reason"),
        Column::text("detail"),
        Column::text("target"),
        Column::count("attempts", u32::MAX as i64),
        Column::bytes("payload"),
        Column::json("envelope", json_of::<Envelope>).or_null(),
        Column::text("source"),
        Column::text("request"),
        Column::text("trace"),
        Column::json("cause", json_of::<Cause>),
        Column::count("depth", u16::MAX as i64),
    ],
};

static CURSORS: Collection = Collection {
    file: "deliveries/cursors.jsonl",
    table: "stream_cursors",
    order: "source, function",
    key: &["source", "function"],
    columns: &[
        Column::text("source"),
        Column::text("function"),
        Column::int("position"),
        Column::count("failures", u32::MAX as i64),
        Column::json("ends", json_of::<Vec<i64>>),
        Column::int("due"),
    ],
};

/// What the triggers have.
pub static COLLECTIONS: [&Collection; 3] = [&DELIVERIES, &DEAD_LETTERS, &CURSORS];

/// Reads what the triggers had. Where it is `pending` that is unwanted, only dead letters are taken.
pub fn import_in(tx: &Tx<'_>, from: &Reader, pending: bool) -> Result<(), Error> {
    DEAD_LETTERS.import(tx, from)?;
    for collection in [&DELIVERIES, &CURSORS] {
        if pending {
            collection.import(tx, from)?;
        } else {
            // Looked at, so that a mistake in it is told all the same.
            from.open(collection.file)?;
        }
    }
    Ok(())
}

fn target(text: &str) -> Result<(), String> {
    Target::parse(text).map(|_| ()).ok_or_else(|| "it is no function:NAME, queue:NAME or topic:NAME".to_owned())
}
