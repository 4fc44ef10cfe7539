//! The queues' tables.

use rusqlite::Row;

use super::message::{Message, Origin, Receipt, Send};
use super::settings::Settings;
use super::{Error, Queue};
use crate::base::{Caller, Cause, Time, TraceId};
use crate::store::{self, Schema, Tx, lease};

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    part: "queues",
    steps: &["
    CREATE TABLE queues (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        settings TEXT NOT NULL,
        tags TEXT NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        purged INTEGER NOT NULL DEFAULT 0
    );
    CREATE TABLE queue_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue INTEGER NOT NULL,
        due INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        sent INTEGER NOT NULL,
        received INTEGER,
        first_received INTEGER,
        message_id TEXT NOT NULL,
        grouping TEXT,
        deduplication TEXT,
        dead_from TEXT,
        sender TEXT,
        trace TEXT NOT NULL,
        cause TEXT NOT NULL,
        depth INTEGER NOT NULL,
        trace_header TEXT,
        attributes TEXT,
        body TEXT NOT NULL
    );
    CREATE INDEX queue_messages_due ON queue_messages (queue, due);
    CREATE INDEX queue_messages_sent ON queue_messages (queue, sent);
    CREATE INDEX queue_messages_group ON queue_messages (queue, grouping, due) WHERE grouping IS NOT NULL;
    CREATE TABLE queue_deduplications (
        queue INTEGER NOT NULL,
        key TEXT NOT NULL,
        at INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        message INTEGER NOT NULL,
        PRIMARY KEY (queue, key)
    ) WITHOUT ROWID;
    CREATE INDEX queue_deduplications_at ON queue_deduplications (queue, at);
    CREATE TABLE queue_receives (
        queue INTEGER NOT NULL,
        attempt TEXT NOT NULL,
        at INTEGER NOT NULL,
        receipts TEXT NOT NULL,
        PRIMARY KEY (queue, attempt)
    ) WITHOUT ROWID;
    CREATE TABLE queue_moves (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        source TEXT NOT NULL,
        destination TEXT,
        rate INTEGER,
        moved INTEGER NOT NULL,
        at INTEGER NOT NULL
    )"],
};

const MESSAGES: &str = "queue_messages";

/// A queue as stored.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) queue: Queue,
    /// When it was last purged.
    pub(super) purged: Time,
}

impl Stored {
    /// Messages sent at this time or before are too old.
    pub(super) fn expired(&self, now: Time) -> i64 {
        now.plus_ms(-self.queue.settings.retention_s * 1000).millis()
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<(i64, String, String, String, i64, i64, i64)> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
}

pub(super) fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Stored>, Error> {
    let sql = "SELECT id, name, settings, tags, created, changed, purged FROM queues WHERE name = ?1";
    let Some((id, name, settings, tags, created, changed, purged)) = tx.row(sql, [name], stored)? else { return Ok(None) };
    let corrupt = |_| store::Error::Corrupt("a queue");
    let settings: Settings = serde_json::from_str(&settings).map_err(corrupt)?;
    let tags = serde_json::from_str(&tags).map_err(corrupt)?;
    Ok(Some(Stored { id, queue: Queue { name, settings, tags, created: Time(created), changed: Time(changed) }, purged: Time(purged) }))
}

/// The queue, or the error that there is none.
pub(super) fn get(tx: &Tx<'_>, name: &str) -> Result<Stored, Error> {
    find(tx, name)?.ok_or_else(|| Error::NoSuchQueue(name.to_owned()))
}

pub(super) fn insert(tx: &Tx<'_>, queue: &Queue) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO queues (name, settings, tags, created, changed) VALUES (?1, ?2, ?3, ?4, ?4)",
        (&queue.name, text(&queue.settings), text(&queue.tags), queue.created.millis()),
    )?;
    Ok(())
}

pub(super) fn update(tx: &Tx<'_>, queue: &Queue) -> Result<(), Error> {
    tx.execute(
        "UPDATE queues SET settings = ?1, tags = ?2, changed = ?3 WHERE name = ?4",
        (text(&queue.settings), text(&queue.tags), tx.now().millis(), &queue.name),
    )?;
    Ok(())
}

pub(super) fn remove(tx: &Tx<'_>, queue: &Stored) -> Result<(), Error> {
    clear(tx, queue)?;
    tx.execute("DELETE FROM queues WHERE id = ?1", [queue.id])?;
    Ok(())
}

/// Forgets all messages of a queue, and what was remembered of them.
pub(super) fn clear(tx: &Tx<'_>, queue: &Stored) -> Result<(), Error> {
    tx.execute("DELETE FROM queue_messages WHERE queue = ?1", [queue.id])?;
    tx.execute("DELETE FROM queue_deduplications WHERE queue = ?1", [queue.id])?;
    tx.execute("DELETE FROM queue_receives WHERE queue = ?1", [queue.id])?;
    tx.execute("UPDATE queues SET purged = ?1 WHERE id = ?2", (tx.now().millis(), queue.id))?;
    Ok(())
}

pub(super) fn names(tx: &Tx<'_>, prefix: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    let sql = "SELECT name FROM queues WHERE name > ?1 AND substr(name, 1, length(?2)) = ?2 ORDER BY name LIMIT ?3";
    Ok(tx.rows(sql, (after, prefix, limit as i64), |row| row.get(0))?)
}

/// Queues whose messages go to `target` after too many receives.
pub(super) fn sources(tx: &Tx<'_>, target: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    let sql = "SELECT name FROM queues WHERE name > ?1 AND settings ->> '$.redrive.target' = ?2 ORDER BY name LIMIT ?3";
    Ok(tx.rows(sql, (after, target, limit as i64), |row| row.get(0))?)
}

/// How many messages are visible, in flight, delayed.
pub(super) fn counts(tx: &Tx<'_>, queue: &Stored) -> Result<(u64, u64, u64), Error> {
    let now = tx.now();
    let sql = "SELECT count(*) FILTER (WHERE due <= ?2), count(*) FILTER (WHERE due > ?2 AND attempts > 0),
        count(*) FILTER (WHERE due > ?2 AND attempts = 0) FROM queue_messages WHERE queue = ?1 AND sent > ?3";
    let read = |row: &Row<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64, row.get::<_, i64>(2)? as u64));
    Ok(tx.row(sql, (queue.id, now.millis(), queue.expired(now)), read)?.unwrap_or_default())
}

/// Whether `count` messages are in flight already.
pub(super) fn in_flight_reaches(tx: &Tx<'_>, queue: &Stored, count: usize) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM queue_messages WHERE queue = ?1 AND due > ?2 AND attempts > 0 LIMIT 1 OFFSET ?3";
    Ok(tx.row(sql, (queue.id, tx.now().millis(), count as i64 - 1), |_| Ok(()))?.is_some())
}

pub(super) fn put(
    tx: &Tx<'_>,
    queue: &Stored,
    message_id: &str,
    send: &Send,
    deduplication: Option<&str>,
    due: Time,
) -> Result<i64, Error> {
    let call = tx.call();
    let sender = match &call.caller {
        Caller::Function(name) => Some(name.as_ref()),
        Caller::Anonymous | Caller::User { .. } | Caller::Admin | Caller::Operator => None,
    };
    let attributes = (!send.attributes.is_empty()).then(|| text(&send.attributes));
    tx.execute(
        "INSERT INTO queue_messages (queue, due, sent, message_id, grouping, deduplication, sender, trace, cause, depth, trace_header, attributes, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        rusqlite::params![
            queue.id,
            due.millis(),
            tx.now().millis(),
            message_id,
            send.group,
            deduplication,
            sender,
            call.trace.as_str(),
            text(&call.cause),
            i64::from(call.depth) + 1,
            send.trace_header.as_ref().map(text),
            attributes,
            send.body,
        ],
    )?;
    Ok(tx.last_id())
}

/// Moves a message to the end of another queue (or, in the same form, back). Source: "Using dead-letter queues in Amazon SQS":
/// a standard queue's message keeps the time it was first sent, a FIFO queue's starts anew.
pub(super) fn transfer(tx: &Tx<'_>, id: i64, to: &Stored, dead_from: Option<&str>) -> Result<(), Error> {
    let now = tx.now().millis();
    tx.execute(
        "INSERT INTO queue_messages (queue, due, sent, message_id, grouping, deduplication, dead_from, sender, trace, cause, depth, trace_header, attributes, body)
         SELECT ?2, ?3, CASE WHEN ?4 THEN ?3 ELSE sent END, message_id, grouping, deduplication, ?5, sender, trace, cause, depth, trace_header, attributes, body
         FROM queue_messages WHERE id = ?1",
        (id, to.id, now, to.queue.settings.fifo, dead_from),
    )?;
    tx.execute("DELETE FROM queue_messages WHERE id = ?1", [id])?;
    Ok(())
}

/// The send within the last five minutes that has this key: its message identifier and row.
pub(super) fn duplicate(tx: &Tx<'_>, queue: &Stored, key: &str, since: Time) -> Result<Option<(String, i64)>, Error> {
    tx.execute("DELETE FROM queue_deduplications WHERE queue = ?1 AND at <= ?2", (queue.id, since.millis()))?;
    let sql = "SELECT message_id, message FROM queue_deduplications WHERE queue = ?1 AND key = ?2";
    Ok(tx.row(sql, (queue.id, key), |row| Ok((row.get(0)?, row.get(1)?)))?)
}

pub(super) fn remember(tx: &Tx<'_>, queue: &Stored, key: &str, message_id: &str, row: i64) -> Result<(), Error> {
    let sql = "INSERT INTO queue_deduplications (queue, key, at, message_id, message) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, (queue.id, key, tx.now().millis(), message_id, row))?;
    Ok(())
}

/// Removes messages that were kept for longer than the queue says.
pub(super) fn expire(tx: &Tx<'_>, queue: &Stored) -> Result<(), Error> {
    tx.execute("DELETE FROM queue_messages WHERE queue = ?1 AND sent <= ?2", (queue.id, queue.expired(tx.now())))?;
    Ok(())
}

const COLUMNS: &str =
    "id, attempts, message_id, grouping, deduplication, dead_from, sender, trace, cause, depth, trace_header, attributes, body,
    sent, first_received, receipt, due";

/// In FIFO order, a message may go out when none of its group is in flight and none before it waits.
const FREE: &str = "NOT EXISTS (SELECT 1 FROM queue_messages b WHERE b.queue = m.queue AND b.grouping = m.grouping
    AND b.due > ?2 AND (b.attempts > 0 OR b.id < m.id))";

/// Messages that may be handed out now, in order; stops before `bytes_max` bytes, but not before the first.
pub(super) fn free(tx: &Tx<'_>, queue: &Stored, limit: usize, bytes_max: usize) -> Result<Vec<Message>, Error> {
    let now = tx.now();
    let order = if queue.queue.settings.fifo { format!("AND {FREE} ORDER BY id") } else { "ORDER BY due, id".to_owned() };
    let sql = format!("SELECT {COLUMNS} FROM queue_messages m WHERE queue = ?1 AND due <= ?2 AND sent > ?3 {order} LIMIT ?4");
    let mut statement = tx.statement(&sql)?;
    let mut rows = statement.query((queue.id, now.millis(), queue.expired(now), limit as i64)).map_err(store::Error::from)?;
    let (mut messages, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(store::Error::from)? {
        let message = message(row, queue, now)?;
        bytes += message.bytes();
        if bytes > bytes_max && !messages.is_empty() {
            break;
        }
        messages.push(message);
    }
    Ok(messages)
}

/// All messages of a queue in the order of their arrival, hidden ones too.
pub(super) fn all(tx: &Tx<'_>, queue: &Stored, limit: usize) -> Result<Vec<Message>, Error> {
    let now = tx.now();
    let sql = format!("SELECT {COLUMNS} FROM queue_messages WHERE queue = ?1 AND sent > ?2 ORDER BY id LIMIT ?3");
    let mut statement = tx.statement(&sql)?;
    let mut rows = statement.query((queue.id, queue.expired(now), limit as i64)).map_err(store::Error::from)?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next().map_err(store::Error::from)? {
        messages.push(message(row, queue, now)?);
    }
    Ok(messages)
}

/// Forgets a message, whoever holds it; whether it was there.
pub(super) fn forget(tx: &Tx<'_>, queue: &Stored, message_id: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM queue_messages WHERE queue = ?1 AND message_id = ?2", (queue.id, message_id))? > 0)
}

/// The number that a FIFO queue tells of a row: twenty digits, rising with the order of arrival.
pub(super) fn sequence(row: i64) -> u64 {
    10_885_000_000_000_000_000 + (row as u64).saturating_mul(256) % 8_000_000_000_000_000_000
}

/// The row that a message's receipt names.
pub(super) fn row_of(message: &Message) -> Result<i64, Error> {
    Ok(Receipt::decode(&message.receipt)?.id)
}

fn message(row: &Row<'_>, queue: &Stored, now: Time) -> Result<Message, Error> {
    let sql = |e: rusqlite::Error| Error::from(store::Error::from(e));
    let id: i64 = row.get(0).map_err(sql)?;
    let corrupt = |_| Error::from(store::Error::Corrupt("a message of a queue"));
    let text = |column: usize| row.get::<_, Option<String>>(column).map_err(sql);
    let cause: Cause = text(8)?.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or(Cause::Operator);
    let token = text(15)?.unwrap_or_else(|| "0".repeat(32));
    Ok(Message {
        message_id: row.get(2).map_err(sql)?,
        receipt: Receipt { queue: queue.id, id, token }.encode(),
        body: row.get(12).map_err(sql)?,
        attributes: text(11)?.map(|text| serde_json::from_str(&text).map_err(corrupt)).transpose()?.unwrap_or_default(),
        trace_header: text(10)?.map(|text| serde_json::from_str(&text).map_err(corrupt)).transpose()?,
        sender: text(6)?,
        sent: Time(row.get(13).map_err(sql)?),
        first_received: row.get::<_, Option<i64>>(14).map_err(sql)?.map_or(now, Time),
        receives: row.get(1).map_err(sql)?,
        group: text(3)?,
        deduplication: text(4)?,
        sequence: queue.queue.settings.fifo.then(|| sequence(id)),
        dead_letter_source: text(5)?,
        hidden_until: Some(Time(row.get(16).map_err(sql)?)).filter(|due| *due > now),
        origin: Origin {
            trace: TraceId(text(7)?.unwrap_or_default().into()),
            cause,
            depth: row.get::<_, i64>(9).map_err(sql)?.clamp(0, i64::from(u16::MAX)) as u16,
        },
    })
}

/// Hands a message out until `until`.
pub(super) fn take(tx: &mut Tx<'_>, queue: &Stored, message: &mut Message, until: Time) -> Result<(), Error> {
    let id = row_of(message)?;
    let lease = lease::take(tx, MESSAGES, id, message.receives, until)?;
    let sql = "UPDATE queue_messages SET received = ?1, first_received = coalesce(first_received, ?1) WHERE id = ?2";
    tx.execute(sql, (tx.now().millis(), id))?;
    message.receipt = Receipt { queue: queue.id, id, token: lease.receipt }.encode();
    message.receives = lease.attempts;
    Ok(())
}

/// How a lease stands.
pub(super) struct Held {
    pub(super) due: Time,
    /// When it was handed out.
    pub(super) received: Time,
    /// Whether the receipt is of the latest time it was handed out.
    pub(super) latest: bool,
}

pub(super) fn held(tx: &Tx<'_>, receipt: &Receipt) -> Result<Option<Held>, Error> {
    let sql = "SELECT due, coalesce(received, 0), receipt IS ?3 FROM queue_messages WHERE id = ?1 AND queue = ?2";
    let read = |row: &Row<'_>| Ok(Held { due: Time(row.get(0)?), received: Time(row.get(1)?), latest: row.get(2)? });
    Ok(tx.row(sql, (receipt.id, receipt.queue, &receipt.token), read)?)
}

pub(super) fn acknowledge(tx: &mut Tx<'_>, receipt: &Receipt) -> Result<bool, Error> {
    Ok(lease::acknowledge(tx, MESSAGES, receipt.id, &receipt.token)?)
}

pub(super) fn defer(tx: &mut Tx<'_>, receipt: &Receipt, due: Time) -> Result<bool, Error> {
    Ok(lease::defer(tx, MESSAGES, receipt.id, &receipt.token, due)?)
}

/// When the next message that is hidden now comes to light.
pub(super) fn next_due(tx: &Tx<'_>, queue: &Stored) -> Result<Option<Time>, Error> {
    let sql = "SELECT min(due) FROM queue_messages WHERE queue = ?1 AND due > ?2";
    Ok(tx.row(sql, (queue.id, tx.now().millis()), |row| row.get::<_, Option<i64>>(0))?.flatten().map(Time))
}

/// Whether a message is due, in flight of its group or not.
pub(super) fn any_due(tx: &Tx<'_>, queue: &Stored) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM queue_messages WHERE queue = ?1 AND due <= ?2 LIMIT 1";
    Ok(tx.row(sql, (queue.id, tx.now().millis()), |_| Ok(()))?.is_some())
}

/// The receipts that an earlier receive with the same attempt identifier handed out.
pub(super) fn earlier(tx: &Tx<'_>, queue: &Stored, attempt: &str, since: Time) -> Result<Option<Vec<String>>, Error> {
    tx.execute("DELETE FROM queue_receives WHERE queue = ?1 AND at <= ?2", (queue.id, since.millis()))?;
    let sql = "SELECT receipts FROM queue_receives WHERE queue = ?1 AND attempt = ?2";
    let found: Option<String> = tx.row(sql, (queue.id, attempt), |row| row.get(0))?;
    found.map(|text| serde_json::from_str(&text).map_err(|_| store::Error::Corrupt("a receive of a queue").into())).transpose()
}

pub(super) fn remember_receive(tx: &Tx<'_>, queue: &Stored, attempt: &str, receipts: &[&str]) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO queue_receives (queue, attempt, at, receipts) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, (queue.id, attempt, tx.now().millis(), text(&receipts)))?;
    Ok(())
}

/// The message that is held under a receipt.
pub(super) fn by_receipt(tx: &Tx<'_>, queue: &Stored, receipt: &Receipt) -> Result<Option<Message>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM queue_messages WHERE id = ?1 AND queue = ?2 AND receipt = ?3 AND due > ?4");
    let mut statement = tx.statement(&sql)?;
    let mut rows = statement.query((receipt.id, queue.id, &receipt.token, tx.now().millis())).map_err(store::Error::from)?;
    match rows.next().map_err(store::Error::from)? {
        Some(row) => message(row, queue, tx.now()).map(Some),
        None => Ok(None),
    }
}

/// Messages that can be moved out of a dead-letter queue, with where they came from.
pub(super) fn movable(tx: &Tx<'_>, queue: &Stored) -> Result<Vec<(i64, Option<String>)>, Error> {
    let sql = "SELECT id, dead_from FROM queue_messages WHERE queue = ?1 AND due <= ?2 AND sent > ?3 ORDER BY id";
    let now = tx.now();
    Ok(tx.rows(sql, (queue.id, now.millis(), queue.expired(now)), |row| Ok((row.get(0)?, row.get(1)?)))?)
}

pub(super) fn insert_move(tx: &Tx<'_>, m: &super::Move) -> Result<i64, Error> {
    let sql = "INSERT INTO queue_moves (source, destination, rate, moved, at) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, (&m.source, &m.destination, m.rate_max, m.moved as i64, m.at.millis()))?;
    Ok(tx.last_id())
}

pub(super) fn moves(tx: &Tx<'_>, source: &str, limit: usize) -> Result<Vec<super::Move>, Error> {
    let sql = "SELECT id, source, destination, rate, moved, at FROM queue_moves WHERE source = ?1 ORDER BY id DESC LIMIT ?2";
    Ok(tx.rows(sql, (source, limit as i64), |row| {
        Ok(super::Move {
            id: row.get(0)?,
            source: row.get(1)?,
            destination: row.get(2)?,
            rate_max: row.get(3)?,
            moved: row.get::<_, i64>(4)? as u64,
            at: Time(row.get(5)?),
        })
    })?)
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("what is stored is plain data")
}
