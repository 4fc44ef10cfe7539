//! What is still to be delivered, what could not be, and how far each stream was read: the tables of the triggers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::base::{Call, Caller, Cause, Era, Meter, Time, TraceId};
use crate::store::{Error, Schema, Tx, lease};

/// The triggers' tables.
pub static SCHEMA: Schema = Schema {
    part: "triggers",
    steps: &[
        "CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            target TEXT NOT NULL,
            due INTEGER NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,
            receipt TEXT,
            failures INTEGER NOT NULL DEFAULT 0,
            payload BLOB NOT NULL,
            envelope TEXT,
            source TEXT NOT NULL,
            request TEXT NOT NULL,
            created INTEGER NOT NULL,
            expires INTEGER NOT NULL,
            trace TEXT NOT NULL,
            cause TEXT NOT NULL,
            depth INTEGER NOT NULL
        );
        CREATE INDEX deliveries_by_due ON deliveries (target, due);
        CREATE TABLE dead_letters (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            at INTEGER NOT NULL,
            reason TEXT NOT NULL,
            detail TEXT NOT NULL,
            target TEXT NOT NULL,
            attempts INTEGER NOT NULL,
            payload BLOB NOT NULL,
            envelope TEXT,
            source TEXT NOT NULL,
            request TEXT NOT NULL,
            trace TEXT NOT NULL,
            cause TEXT NOT NULL,
            depth INTEGER NOT NULL
        );
        CREATE TABLE stream_cursors (
            source TEXT NOT NULL,
            function TEXT NOT NULL,
            position INTEGER NOT NULL,
            failures INTEGER NOT NULL DEFAULT 0,
            ends TEXT NOT NULL DEFAULT '[]',
            due INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (source, function)
        ) WITHOUT ROWID;",
        "CREATE INDEX deliveries_by_source ON deliveries (source)",
    ],
};

/// The key to give to [`crate::store::Db::woken`] to learn of new deliveries.
pub const WAKE: &str = "deliveries";

/// Dead letters that are kept; older ones make room.
const DEAD_LETTERS_KEPT: i64 = 10_000;

const DELIVERIES: &str = "deliveries";

/// Who gets a delivery.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A function, by its key in the project.
    Function(Arc<str>),
    Queue(Arc<str>),
    Topic(Arc<str>),
}

impl Target {
    pub(super) fn parse(text: &str) -> Option<Target> {
        let (kind, name) = text.split_once(':')?;
        match kind {
            "function" => Some(Target::Function(name.into())),
            "queue" => Some(Target::Queue(name.into())),
            "topic" => Some(Target::Topic(name.into())),
            _ => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Function(name) => write!(f, "function:{name}"),
            Target::Queue(name) => write!(f, "queue:{name}"),
            Target::Topic(name) => write!(f, "topic:{name}"),
        }
    }
}

/// What a message has beside its body, where a delivery goes to a queue or topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Name → (type, text), as SQS and SNS have them; binary values in base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, (String, String)>,
    /// Of what is published to a topic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deduplication: Option<String>,
    /// A queue that takes what cannot be delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dead_letters: Option<String>,
}

/// What led to a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    pub trace: TraceId,
    pub cause: Cause,
    /// The depth of the call that the delivery makes.
    pub depth: u16,
}

impl Origin {
    /// What follows from something that was done for `call`.
    pub fn after(call: &Call) -> Origin {
        Origin { trace: call.trace.clone(), cause: call.cause.clone(), depth: call.depth.saturating_add(1) }
    }

    /// The call that a delivery makes, on a bill of its own.
    pub fn call(&self) -> Call {
        Call {
            caller: Caller::Operator,
            cause: self.cause.clone(),
            depth: self.depth,
            trace: self.trace.clone(),
            meter: Meter::default(),
            era: None,
        }
    }
}

/// A delivery to be arranged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    pub target: Target,
    /// The event, or the message's body.
    pub payload: Bytes,
    pub envelope: Option<Envelope>,
    /// Where it comes from, for the one who reads the list: `objects/BUCKET`, `topics/TOPIC`, `schedule/NAME`, `invoke`, `destination`.
    pub source: String,
    /// Not delivered any more after so many milliseconds.
    pub age_max_ms: i64,
    pub origin: Origin,
}

/// A delivery that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: i64,
    pub receipt: String,
    /// How often it was handed out, this time included.
    pub attempts: u32,
    /// How often the function failed on it.
    pub failures: u32,
    pub target: Target,
    pub payload: Bytes,
    pub envelope: Option<Envelope>,
    pub source: String,
    /// A UUID that stays the same over all attempts.
    pub request_id: String,
    pub created: Time,
    pub expires: Time,
    pub origin: Origin,
    /// The state that it was handed out of.
    pub era: Option<Era>,
}

/// Something that could not be delivered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    pub id: i64,
    pub at: Time,
    /// One plain sentence.
    pub reason: String,
    /// What the function answered last, where it did.
    pub detail: String,
    pub target: String,
    pub attempts: u32,
    pub payload: Bytes,
    pub source: String,
    pub request_id: String,
    pub trace: TraceId,
}

/// Writes a delivery, due at once. Answers its request identifier.
pub fn insert_in(tx: &mut Tx<'_>, draft: &Draft) -> Result<String, Error> {
    let now = tx.now();
    insert_at(tx, draft, now)
}

/// Writes a delivery that is due at a time. Answers its request identifier.
pub fn insert_at(tx: &mut Tx<'_>, draft: &Draft, due: Time) -> Result<String, Error> {
    let (request, now) = (tx.ids().uuid(), tx.now());
    let cause = serde_json::to_string(&draft.origin.cause).expect("a cause is plain data");
    tx.execute(
        "INSERT INTO deliveries (target, due, payload, envelope, source, request, created, expires, trace, cause, depth)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?11, ?7, ?8, ?9, ?10)",
        (
            draft.target.to_string(),
            due.millis(),
            draft.payload.as_ref(),
            envelope_text(draft.envelope.as_ref()),
            &draft.source,
            &request,
            due.plus_ms(draft.age_max_ms).millis(),
            draft.origin.trace.as_str(),
            cause,
            draft.origin.depth,
            now.millis(),
        ),
    )?;
    tx.wake(WAKE);
    Ok(request)
}

/// Whether a delivery of this source is there, waiting or under way.
pub fn is_there(tx: &Tx<'_>, source: &str) -> Result<bool, Error> {
    Ok(tx.row("SELECT 1 FROM deliveries WHERE source = ?1 LIMIT 1", [source], |_| Ok(()))?.is_some())
}

/// Forgets deliveries of this source that wait; answers how many there were.
pub fn forget_in(tx: &mut Tx<'_>, source: &str) -> Result<usize, Error> {
    tx.execute("DELETE FROM deliveries WHERE source = ?1 AND due < ?2", (source, HELD.millis()))
}

/// The first time from `due` on that is at least `gap_ms` from all deliveries of a target that wait.
pub fn free_slot(tx: &Tx<'_>, target: &str, due: Time, gap_ms: i64) -> Result<Time, Error> {
    let sql = "SELECT due FROM deliveries WHERE target = ?1 AND due > ?2 AND due < ?3 ORDER BY due";
    let taken = tx.rows(sql, (target, due.plus_ms(-gap_ms).millis(), HELD.millis()), |row| Ok(Time(row.get(0)?)))?;
    Ok(taken
        .into_iter()
        .fold(due, |slot, taken| if taken < slot.plus_ms(gap_ms) && slot < taken.plus_ms(gap_ms) { taken.plus_ms(gap_ms) } else { slot }))
}

fn envelope_text(envelope: Option<&Envelope>) -> Option<String> {
    envelope.map(|envelope| serde_json::to_string(envelope).expect("an envelope is plain data"))
}

/// Each target that has deliveries, with when its earliest is due ([`HELD`] where all are handed out).
pub fn targets(tx: &Tx<'_>) -> Result<Vec<(String, Time)>, Error> {
    tx.rows(
        "WITH RECURSIVE t (x) AS (
            SELECT min(target) FROM deliveries
            UNION ALL SELECT (SELECT min(target) FROM deliveries WHERE target > x) FROM t WHERE x IS NOT NULL)
         SELECT x, (SELECT min(due) FROM deliveries WHERE target = x) FROM t WHERE x IS NOT NULL",
        [],
        |row| Ok((row.get(0)?, Time(row.get(1)?))),
    )
}

/// When a delivery is due that somebody holds: never, for this process's leases end with it.
pub const HELD: Time = Time(i64::MAX);

/// Hands out up to `limit` due deliveries of one target, those due longest first.
pub fn claim_in(tx: &mut Tx<'_>, target: &str, limit: usize) -> Result<Vec<Delivery>, Error> {
    let found = tx.rows(
        "SELECT id, attempts, failures, payload, envelope, source, request, created, expires, trace, cause, depth
         FROM deliveries WHERE target = ?1 AND due <= ?2 ORDER BY due, id LIMIT ?3",
        (target, tx.now().millis(), limit as i64),
        |row| delivery(row, target),
    )?;
    let mut claimed = Vec::with_capacity(found.len());
    for found in found {
        let mut delivery = found.ok_or(Error::Corrupt("deliveries"))?;
        let lease = lease::take(tx, DELIVERIES, delivery.id, delivery.attempts, HELD)?;
        (delivery.receipt, delivery.attempts, delivery.era) = (lease.receipt, lease.attempts, Some(tx.era()));
        claimed.push(delivery);
    }
    Ok(claimed)
}

fn delivery(row: &Row<'_>, target: &str) -> rusqlite::Result<Option<Delivery>> {
    let Some(target) = Target::parse(target) else { return Ok(None) };
    Ok(Some(Delivery {
        id: row.get(0)?,
        receipt: String::new(),
        attempts: row.get(1)?,
        failures: row.get(2)?,
        target,
        payload: row.get::<_, Vec<u8>>(3)?.into(),
        envelope: row.get::<_, Option<String>>(4)?.and_then(|text| serde_json::from_str(&text).ok()),
        source: row.get(5)?,
        request_id: row.get(6)?,
        created: Time(row.get(7)?),
        expires: Time(row.get(8)?),
        origin: Origin {
            trace: TraceId(row.get::<_, String>(9)?.into()),
            cause: serde_json::from_str(&row.get::<_, String>(10)?).unwrap_or(Cause::Operator),
            depth: row.get(11)?,
        },
        era: None,
    }))
}

/// Forgets a delivery that was made. False where somebody else has it by now.
pub fn done_in(tx: &mut Tx<'_>, delivery: &Delivery) -> Result<bool, Error> {
    lease::acknowledge(tx, DELIVERIES, delivery.id, &delivery.receipt)
}

/// Puts a delivery off until `due`.
pub fn again_in(tx: &mut Tx<'_>, delivery: &Delivery, failures: u32, due: Time) -> Result<bool, Error> {
    let kept = lease::release(tx, DELIVERIES, delivery.id, &delivery.receipt, due)?;
    if kept {
        tx.execute("UPDATE deliveries SET failures = ?1 WHERE id = ?2", (failures, delivery.id))?;
        tx.wake(WAKE);
    }
    Ok(kept)
}

/// Takes back what a process that is gone was delivering.
pub fn void_in(tx: &mut Tx<'_>) -> Result<usize, Error> {
    lease::void(tx, DELIVERIES)
}

/// Something to be kept as a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who should have got it: a [`Target`] as text.
    pub target: String,
    pub payload: Bytes,
    pub envelope: Option<Envelope>,
    pub source: String,
    pub origin: Origin,
    /// One plain sentence.
    pub reason: String,
    /// What the function answered last, where it did.
    pub detail: String,
    pub attempts: u32,
    pub request_id: String,
}

impl Draft {
    /// This delivery as one that is not even tried.
    pub fn letter(self, reason: String) -> Letter {
        Letter {
            target: self.target.to_string(),
            payload: self.payload,
            envelope: self.envelope,
            source: self.source,
            origin: self.origin,
            reason,
            detail: String::new(),
            attempts: 0,
            request_id: String::new(),
        }
    }
}

impl Delivery {
    /// This delivery as one that was given up.
    pub fn letter(&self, reason: String, detail: String) -> Letter {
        Letter {
            target: self.target.to_string(),
            payload: self.payload.clone(),
            envelope: self.envelope.clone(),
            source: self.source.clone(),
            origin: self.origin.clone(),
            reason,
            detail,
            attempts: self.attempts,
            request_id: self.request_id.clone(),
        }
    }
}

/// Keeps what cannot be delivered where the developer finds it.
pub fn bury_in(tx: &mut Tx<'_>, letter: &Letter) -> Result<(), Error> {
    let cause = serde_json::to_string(&letter.origin.cause).expect("a cause is plain data");
    tracing::warn!(target = letter.target, detail = letter.detail, "given up: {}", letter.reason);
    tx.execute(
        "INSERT INTO dead_letters (at, reason, detail, target, attempts, payload, envelope, source, request, trace, cause, depth)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        (
            tx.now().millis(),
            &letter.reason,
            &letter.detail,
            &letter.target,
            letter.attempts,
            letter.payload.as_ref(),
            envelope_text(letter.envelope.as_ref()),
            &letter.source,
            &letter.request_id,
            letter.origin.trace.as_str(),
            cause,
            letter.origin.depth,
        ),
    )?;
    tx.execute("DELETE FROM dead_letters WHERE id <= ?1 - ?2", (tx.last_id(), DEAD_LETTERS_KEPT)).map(|_| ())
}

/// The newest `limit` dead letters, newest first.
pub fn dead_letters(tx: &Tx<'_>, limit: usize) -> Result<Vec<DeadLetter>, Error> {
    tx.rows(
        "SELECT id, at, reason, detail, target, attempts, payload, source, request, trace FROM dead_letters ORDER BY id DESC LIMIT ?1",
        [limit as i64],
        |row| {
            Ok(DeadLetter {
                id: row.get(0)?,
                at: Time(row.get(1)?),
                reason: row.get(2)?,
                detail: row.get(3)?,
                target: row.get(4)?,
                attempts: row.get(5)?,
                payload: row.get::<_, Vec<u8>>(6)?.into(),
                source: row.get(7)?,
                request_id: row.get(8)?,
                trace: TraceId(row.get::<_, String>(9)?.into()),
            })
        },
    )
}

/// Makes a dead letter a delivery again, due at once and with all its retries. False where there is none of that number,
/// or it was never meant for anybody.
pub fn redrive_in(tx: &mut Tx<'_>, id: i64, age_max_ms: i64) -> Result<bool, Error> {
    let now = tx.now();
    let target: Option<String> = tx.row("SELECT target FROM dead_letters WHERE id = ?1", [id], |row| row.get(0))?;
    if target.is_none_or(|target| Target::parse(&target).is_none()) {
        return Ok(false);
    }
    let moved = tx.execute(
        "INSERT INTO deliveries (target, due, payload, envelope, source, request, created, expires, trace, cause, depth)
         SELECT target, ?2, payload, envelope, source, request, ?2, ?3, trace, cause, 0 FROM dead_letters WHERE id = ?1",
        (id, now.millis(), now.plus_ms(age_max_ms).millis()),
    )?;
    tx.execute("DELETE FROM dead_letters WHERE id = ?1", [id])?;
    tx.wake(WAKE);
    Ok(moved == 1)
}

/// Forgets all dead letters; answers how many there were.
pub fn clear_dead_letters_in(tx: &mut Tx<'_>) -> Result<usize, Error> {
    tx.execute("DELETE FROM dead_letters", [])
}

/// How many rows there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events whose deliveries are not arranged yet.
    pub events: u64,
    /// Deliveries that nobody holds, due or not.
    pub waiting: u64,
    /// Deliveries under way.
    pub held: u64,
    pub dead_letters: u64,
    /// Events and deliveries that should be under way: due, or held.
    pub pressing: u64,
}

/// Counts what is there.
pub fn counts(tx: &Tx<'_>) -> Result<Counts, Error> {
    let count = |sql: &str| -> Result<u64, Error> { Ok(tx.row(sql, [], |row| row.get::<_, i64>(0))?.unwrap_or(0).max(0) as u64) };
    let held = count("SELECT count(*) FROM deliveries WHERE receipt IS NOT NULL")?;
    let all = count("SELECT count(*) FROM deliveries")?;
    let events = count("SELECT count(*) FROM outbox")?;
    let due = tx.row("SELECT count(*) FROM deliveries WHERE due <= ?1", [tx.now().millis()], |row| row.get::<_, i64>(0))?;
    let pressing = events + held + due.unwrap_or(0).max(0) as u64;
    Ok(Counts { events, waiting: all.saturating_sub(held), held, dead_letters: count("SELECT count(*) FROM dead_letters")?, pressing })
}

/// The earliest time to come at which a delivery is due that nobody holds.
pub fn next_due(tx: &Tx<'_>) -> Result<Option<Time>, Error> {
    let due: Option<Option<i64>> =
        tx.row("SELECT min(due) FROM deliveries WHERE receipt IS NULL AND due > ?1", [tx.now().millis()], |row| row.get(0))?;
    Ok(due.flatten().map(Time))
}

/// The targets that deliveries are due or under way to, and how many of each are due and under way; at most `limit` targets.
pub fn pressing(tx: &Tx<'_>, limit: usize) -> Result<Vec<(String, u64, u64)>, Error> {
    let sql = "SELECT target, sum(receipt IS NULL), sum(receipt IS NOT NULL) FROM deliveries WHERE receipt IS NOT NULL OR due <= ?1
        GROUP BY target ORDER BY target LIMIT ?2";
    let count = |row: &Row<'_>, at: usize| row.get::<_, i64>(at).map(i64::unsigned_abs);
    tx.rows(sql, (tx.now().millis(), limit as i64), |row| Ok((row.get(0)?, count(row, 1)?, count(row, 2)?)))
}

/// How far a function has read a stream, and how it fares with what comes next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// All records up to this one are dealt with.
    pub position: i64,
    /// How often the function failed on the records that come next.
    pub failures: u32,
    /// Where the batches end that the records after `position` were cut into, nearest first; empty: read anew.
    pub ends: Vec<i64>,
    /// Not tried again before this.
    pub due: Time,
}

/// Where a function is in a stream; `None` where it has not begun.
pub fn cursor(tx: &Tx<'_>, source: &str, function: &str) -> Result<Option<Cursor>, Error> {
    tx.row("SELECT position, failures, ends, due FROM stream_cursors WHERE source = ?1 AND function = ?2", (source, function), |row| {
        Ok(Cursor {
            position: row.get(0)?,
            failures: row.get(1)?,
            ends: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
            due: Time(row.get(3)?),
        })
    })
}

/// Remembers where a function is in a stream.
pub fn set_cursor_in(tx: &mut Tx<'_>, source: &str, function: &str, cursor: &Cursor) -> Result<(), Error> {
    let ends = serde_json::to_string(&cursor.ends).expect("numbers are plain data");
    tx.execute(
        "INSERT OR REPLACE INTO stream_cursors (source, function, position, failures, ends, due) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (source, function, cursor.position, cursor.failures, ends, cursor.due.millis()),
    )
    .map(|_| ())
}
