//! Events that were committed with the change they tell of, until their deliveries are arranged.

use super::db::Schema;
use super::portable::{Collection, Column, json_of};
use super::{Error, Tx};
use crate::base::{Cause, Time, TraceId};

/// Events whose deliveries are not arranged yet, as text.
pub static COLLECTION: Collection = Collection {
    file: "deliveries/events.jsonl",
    table: "outbox",
    order: "id",
    key: &[],
    columns: &[
        Column::text("source"),
        Column::text("resource"),
        Column::json("event", json_of::<serde_json::Value>).read("body").write("body", "?"),
        Column::int("at"),
        Column::text("trace"),
        Column::json("cause", json_of::<Cause>),
        Column::count("depth", u16::MAX as i64),
    ],
};

pub(super) static SCHEMA: Schema = Schema {
    part: "outbox",
    steps: &["CREATE TABLE outbox (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        resource TEXT NOT NULL,
        body TEXT NOT NULL,
        at INTEGER NOT NULL,
        trace TEXT NOT NULL,
        cause TEXT NOT NULL,
        depth INTEGER NOT NULL
    )"],
};

/// The key to give to [`super::Db::woken`] to learn of new rows.
pub const WAKE: &str = "outbox";

/// Something that happened, in the words of the service where it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The service: `objects`, `tables`, …
    pub source: &'static str,
    /// The bucket, table, topic … it happened to.
    pub resource: String,
    /// The service's own event type as JSON; its wires know how to say it in their dialects.
    pub body: String,
}

/// An event as stored, with what led to it.
#[derive(Clone, Debug)]
pub struct Row {
    /// Rises with the order of the commits.
    pub id: i64,
    pub source: String,
    pub resource: String,
    pub body: String,
    pub at: Time,
    pub trace: TraceId,
    pub cause: Cause,
    /// The depth of a call that this event leads to: one more than of the call that emitted it.
    pub depth: u16,
}

/// The oldest `limit` events.
pub fn oldest(tx: &Tx<'_>, limit: usize) -> Result<Vec<Row>, Error> {
    tx.rows("SELECT id, source, resource, body, at, trace, cause, depth FROM outbox ORDER BY id LIMIT ?1", [limit as i64], |row| {
        Ok(Row {
            id: row.get(0)?,
            source: row.get(1)?,
            resource: row.get(2)?,
            body: row.get(3)?,
            at: Time(row.get(4)?),
            trace: TraceId(row.get::<_, String>(5)?.into()),
            cause: serde_json::from_str(&row.get::<_, String>(6)?).unwrap_or(Cause::Operator),
            depth: row.get::<_, i64>(7)?.clamp(0, i64::from(u16::MAX)) as u16,
        })
    })
}

/// What the events that there are tell of, as `SOURCE/RESOURCE`, and how many of each there are; at most `limit` of them.
pub fn sources(tx: &Tx<'_>, limit: usize) -> Result<Vec<(String, u64)>, Error> {
    let sql = "SELECT source || '/' || resource AS of, count(*) FROM outbox GROUP BY of ORDER BY of LIMIT ?1";
    tx.rows(sql, [limit as i64], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))
}

/// Forgets an event whose deliveries are arranged (in the same transaction).
pub fn remove(tx: &mut Tx<'_>, id: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM outbox WHERE id = ?1", [id]).map(|_| ())
}

pub(super) fn insert(tx: &mut Tx<'_>, event: &Event) -> Result<(), Error> {
    let call = tx.call();
    let (trace, depth) = (call.trace.clone(), call.depth);
    let cause = serde_json::to_string(&call.cause).expect("a cause is plain data");
    let at = tx.now().millis();
    tx.execute(
        "INSERT INTO outbox (source, resource, body, at, trace, cause, depth) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (event.source, &event.resource, &event.body, at, trace.as_str(), cause, i64::from(depth) + 1),
    )?;
    tx.wake(WAKE);
    Ok(())
}
