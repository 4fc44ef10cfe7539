//! Streams: what happened to a table's items, in order, for a day. Source: "Change data capture for DynamoDB Streams".

use super::definition::{Definition, Stream, Table, View};
use super::value::Item;
use super::{Error, TRIM_WAKE, Tables, blob, table_to_manage};
use crate::base::{Call, Cause, Time, TraceId, Unit};
use crate::store::{Error as StoreError, Tx};

/// How long records, and streams that were disabled, can be read: a day.
const KEPT_MS: i64 = 24 * 3600 * 1000;
/// How long a position in a stream can be used: 15 minutes.
const ITERATOR_MS: i64 = 15 * 60 * 1000;

/// What happened to an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeKind {
    Insert,
    Modify,
    Remove,
}

impl ChangeKind {
    /// `INSERT`, `MODIFY`, `REMOVE`.
    pub fn label(self) -> &'static str {
        match self {
            ChangeKind::Insert => "INSERT",
            ChangeKind::Modify => "MODIFY",
            ChangeKind::Remove => "REMOVE",
        }
    }

    fn named(label: &str) -> Option<ChangeKind> {
        [ChangeKind::Insert, ChangeKind::Modify, ChangeKind::Remove].into_iter().find(|kind| kind.label() == label)
    }
}

/// A record of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRecord {
    /// Grows from record to record, over all tables.
    pub sequence: i64,
    pub table: String,
    /// Which of the table's streams it is in.
    pub label: String,
    pub kind: ChangeKind,
    pub keys: Item,
    pub old: Option<Item>,
    pub new: Option<Item>,
    pub view: View,
    /// Bytes of keys and images.
    pub bytes: usize,
    pub at: Time,
    /// The item expired; nobody deleted it.
    pub expired: bool,
    pub trace: TraceId,
    pub cause: Cause,
    pub depth: u16,
}

/// A stream, enabled or disabled less than a day ago.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamInfo {
    pub table: String,
    pub stream: Stream,
    pub keys: super::definition::Keys,
    pub kinds: Vec<(String, super::key::KeyKind)>,
    /// The first and last sequence numbers there are.
    pub first: Option<i64>,
    pub last: Option<i64>,
}

/// Where to begin to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    /// `TRIM_HORIZON`.
    Oldest,
    /// `LATEST`.
    Newest,
    /// `AT_SEQUENCE_NUMBER`.
    At(i64),
    /// `AFTER_SEQUENCE_NUMBER`.
    After(i64),
}

/// One version of an item in the place of another.
pub(super) struct Change<'a> {
    pub old: Option<&'a Item>,
    pub new: Option<&'a Item>,
    pub expired: bool,
}

/// Stores the record of a change, where the table has a stream.
pub(super) fn record(tx: &mut Tx<'_>, table: &Table, change: &Change<'_>) -> Result<(), Error> {
    let definition = &table.definition;
    let Some(stream) = definition.stream.as_ref().filter(|stream| stream.enabled) else { return Ok(()) };
    let kind = match (change.old, change.new) {
        (None, Some(_)) => ChangeKind::Insert,
        (Some(_), Some(_)) => ChangeKind::Modify,
        (Some(_), None) => ChangeKind::Remove,
        (None, None) => return Ok(()),
    };
    let Some(item) = change.new.or(change.old) else { return Ok(()) };
    let keys = blob::encode(&definition.key_attributes(item));
    let old = change.old.filter(|_| matches!(stream.view, View::OldImage | View::NewAndOldImages)).map(blob::encode);
    let new = change.new.filter(|_| matches!(stream.view, View::NewImage | View::NewAndOldImages)).map(blob::encode);
    let call = tx.call();
    let cause = serde_json::to_string(&call.cause).expect("a cause is plain data");
    tx.execute(
        "INSERT INTO tables_stream (name, label, at, kind, keys, old, new, expired, trace, cause, depth) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        (
            &definition.name,
            &stream.label,
            tx.now().millis(),
            kind.label(),
            keys,
            old,
            new,
            change.expired,
            call.trace.as_str(),
            cause,
            call.depth,
        ),
    )?;
    tx.wake(&wake_key(&definition.name));
    tx.wake(TRIM_WAKE);
    Ok(())
}

/// The key to give to `Db::woken` to learn of new records of a table.
pub fn wake_key(table: &str) -> String {
    format!("tables/stream/{table}")
}

/// Writes down that a table has this stream, or that it ended.
pub(super) fn remember(tx: &Tx<'_>, definition: &Definition, stream: &Stream, ended: Option<Time>) -> Result<(), Error> {
    let mut own = definition.clone();
    own.stream = Some(Stream { enabled: ended.is_none(), ..stream.clone() });
    let json = serde_json::to_string(&own).expect("a definition is plain data");
    tx.execute(
        "INSERT OR REPLACE INTO tables_streams (name, label, definition, ended) VALUES (?1, ?2, ?3, ?4)",
        (&definition.name, &stream.label, json, ended.map(Time::millis)),
    )?;
    Ok(())
}

struct Row {
    sequence: i64,
    at: i64,
    kind: String,
    keys: Vec<u8>,
    old: Option<Vec<u8>>,
    new: Option<Vec<u8>>,
    expired: bool,
    trace: String,
    cause: String,
    depth: u16,
}

fn records(tx: &Tx<'_>, table: &str, stream: &Stream, after: i64, limit: usize) -> Result<Vec<StreamRecord>, Error> {
    let sql = "SELECT sequence, at, kind, keys, old, new, expired, trace, cause, depth FROM tables_stream
        WHERE name = ?1 AND label = ?2 AND sequence > ?3 ORDER BY sequence LIMIT ?4";
    let rows = tx.rows(sql, (table, &stream.label, after, limit.min(10_000) as i64), |row| {
        Ok(Row {
            sequence: row.get(0)?,
            at: row.get(1)?,
            kind: row.get(2)?,
            keys: row.get(3)?,
            old: row.get(4)?,
            new: row.get(5)?,
            expired: row.get(6)?,
            trace: row.get(7)?,
            cause: row.get(8)?,
            depth: row.get(9)?,
        })
    })?;
    let corrupt = || Error::Store(StoreError::Corrupt("a stream record"));
    let item = |bytes: &Vec<u8>| blob::decode(bytes).ok_or_else(corrupt);
    rows.into_iter()
        .map(|row| {
            let keys = item(&row.keys)?;
            let old = row.old.as_ref().map(item).transpose()?;
            let new = row.new.as_ref().map(item).transpose()?;
            let bytes = keys.bytes() + old.as_ref().map_or(0, Item::bytes) + new.as_ref().map_or(0, Item::bytes);
            Ok(StreamRecord {
                sequence: row.sequence,
                table: table.to_owned(),
                label: stream.label.clone(),
                kind: ChangeKind::named(&row.kind).ok_or_else(corrupt)?,
                keys,
                old,
                new,
                view: stream.view,
                bytes,
                at: Time(row.at),
                expired: row.expired,
                trace: TraceId(row.trace.into()),
                cause: serde_json::from_str(&row.cause).map_err(|_| corrupt())?,
                depth: row.depth,
            })
        })
        .collect()
}

fn info(tx: &Tx<'_>, table: &str, label: &str) -> Result<StreamInfo, Error> {
    let missing = || Error::NoSuchStream(format!("{table}/stream/{label}"));
    let json: String = tx
        .row("SELECT definition FROM tables_streams WHERE name = ?1 AND label = ?2", (table, label), |row| row.get(0))?
        .ok_or_else(missing)?;
    let definition: Definition = serde_json::from_str(&json).map_err(|_| Error::Store(StoreError::Corrupt("a stream's definition")))?;
    let stream = definition.stream.clone().ok_or_else(missing)?;
    let kinds = definition.keys.names().map(|name| (name.to_owned(), definition.kind_of(name))).collect();
    let sql = "SELECT min(sequence), max(sequence) FROM tables_stream WHERE name = ?1 AND label = ?2";
    let (first, last) = tx.row(sql, (table, label), |row| Ok((row.get(0)?, row.get(1)?)))?.unwrap_or_default();
    Ok(StreamInfo { table: table.to_owned(), stream, keys: definition.keys, kinds, first, last })
}

impl Tables {
    /// Up to `limit` records of a table's current stream after a sequence number (0: from the oldest), in order.
    ///
    /// Wait for more with `Db::woken(&stream::wake_key(table))`. Fails with [`Error::NoSuchStream`] where there is none.
    pub async fn stream_records(&self, call: &Call, table: &str, after: i64, limit: usize) -> Result<Vec<StreamRecord>, Error> {
        self.db
            .read(call, |tx| {
                let found = table_to_manage(&self.cache, tx, table)?;
                let stream = found.definition.stream.as_ref().ok_or_else(|| Error::NoSuchStream(table.to_owned()))?;
                records(tx, table, stream, after, limit)
            })
            .await
    }

    /// The key to give to `Db::woken` to learn of new records of a table.
    pub fn stream_wake_key(table: &str) -> String {
        wake_key(table)
    }

    /// The latest sequence number of a table's current stream: where one that begins at the newest record begins.
    pub async fn stream_end(&self, call: &Call, table: &str) -> Result<i64, Error> {
        self.db
            .read(call, |tx| {
                let sql = "SELECT max(sequence) FROM tables_stream WHERE name = ?1";
                Ok(tx.row(sql, [table], |row| row.get::<_, Option<i64>>(0))?.flatten().unwrap_or(0))
            })
            .await
    }

    /// When [`Tables::trim_streams`] next has something to do; on the full minute after that, so that it is not called for each record.
    pub async fn next_trim(&self, call: &Call) -> Result<Option<Time>, Error> {
        const MINUTE_MS: i64 = 60_000;
        self.db
            .read(call, |tx| {
                // Sequence numbers grow with time, so the first record is the oldest.
                let record: Option<i64> = tx.row("SELECT at FROM tables_stream ORDER BY sequence LIMIT 1", [], |row| row.get(0))?;
                let ended: Option<i64> = tx.row("SELECT min(ended) FROM tables_streams", [], |row| row.get(0))?.flatten();
                let oldest = record.into_iter().chain(ended).min();
                Ok(oldest.map(|at| Time((at.saturating_add(KEPT_MS).div_euclid(MINUTE_MS) + 1).saturating_mul(MINUTE_MS))))
            })
            .await
    }

    /// Forgets records, and streams that ended, of more than a day ago; answers how many records.
    pub async fn trim_streams(&self, call: &Call) -> Result<usize, Error> {
        self.db
            .write(call, |tx| {
                let before = tx.now().plus_ms(-KEPT_MS).millis();
                tx.execute("DELETE FROM tables_streams WHERE ended < ?1", [before])?;
                // Sequence numbers grow with time, so the oldest record that stays bounds those that go.
                let kept: Option<Option<i64>> =
                    tx.row("SELECT sequence FROM tables_stream WHERE at >= ?1 ORDER BY sequence LIMIT 1", [before], |row| row.get(0))?;
                match kept.flatten() {
                    Some(sequence) => Ok(tx.execute("DELETE FROM tables_stream WHERE sequence < ?1", [sequence])?),
                    None => Ok(tx.execute("DELETE FROM tables_stream", [])?),
                }
            })
            .await
    }

    /// The streams of a table, or of all, that can still be read, in order of table and label.
    pub async fn list_streams(&self, call: &Call, table: Option<&str>) -> Result<Vec<StreamInfo>, Error> {
        self.db
            .read(call, |tx| {
                let sql = "SELECT name, label FROM tables_streams WHERE ?1 IS NULL OR name = ?1 ORDER BY name, label";
                let names: Vec<(String, String)> = tx.rows(sql, [table], |row| Ok((row.get(0)?, row.get(1)?)))?;
                names.iter().map(|(name, label)| info(tx, name, label)).collect()
            })
            .await
    }

    /// One stream. Fails with [`Error::NoSuchStream`].
    pub async fn describe_stream(&self, call: &Call, table: &str, label: &str) -> Result<StreamInfo, Error> {
        self.db.read(call, |tx| info(tx, table, label)).await
    }

    /// The position to read from, as the sequence number after which to read. Fails with [`Error::Trimmed`], [`Error::NoSuchStream`].
    pub async fn stream_position(&self, call: &Call, table: &str, label: &str, from: ReadFrom) -> Result<i64, Error> {
        self.db
            .read(call, |tx| {
                let info = info(tx, table, label)?;
                let check = |sequence: i64| match info.first {
                    Some(first) if sequence < first => Err(Error::Trimmed),
                    _ => Ok(sequence),
                };
                match from {
                    ReadFrom::Oldest => Ok(0),
                    ReadFrom::Newest => Ok(info.last.unwrap_or(0)),
                    ReadFrom::At(sequence) => check(sequence).map(|sequence| sequence.saturating_sub(1)),
                    ReadFrom::After(sequence) => check(sequence),
                }
            })
            .await
    }

    /// Up to `limit` records after a position that was given out at `made`, and whether the stream goes on after them.
    /// Fails with [`Error::IteratorExpired`], [`Error::NoSuchStream`].
    pub async fn read_stream(
        &self,
        call: &Call,
        (table, label): (&str, &str),
        after: i64,
        made: Time,
        limit: usize,
    ) -> Result<(Vec<StreamRecord>, bool), Error> {
        self.db
            .read(call, |tx| {
                if tx.now().millis() - made.millis() > ITERATOR_MS {
                    return Err(Error::IteratorExpired);
                }
                tx.count(Unit::StreamReads, 1);
                let info = info(tx, table, label)?;
                let records = records(tx, table, &info.stream, after, limit)?;
                let last = records.last().map_or(after, |record| record.sequence);
                let goes_on = info.stream.enabled || info.last.is_some_and(|end| end > last);
                Ok((records, goes_on))
            })
            .await
    }
}
