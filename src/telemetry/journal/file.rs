//! The journal's file, as its writer sees it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, Row};

use super::{Bounds, Error};
use crate::telemetry::{Record, redact};

/// The version of the tables: a file of another one is begun anew, for nothing in it is needed.
pub(super) const VERSION: i64 = 2;

/// What records are looked for by stands apart from what they say, in rows so small that all of them are looked through in milliseconds.
/// An index by trace would cost more than all else: identifiers are random, and each batch would write most of its pages anew.
const TABLES: &str = "
    CREATE TABLE records (
        id INTEGER PRIMARY KEY,
        trace TEXT,
        kind TEXT NOT NULL,
        function TEXT,
        began INTEGER NOT NULL,
        bytes INTEGER NOT NULL
    );
    CREATE TABLE texts (id INTEGER PRIMARY KEY, record TEXT NOT NULL);
    CREATE TABLE tallies (name TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;";

/// Old records that are looked at in one step while room is made.
const TRIMMED_AT_ONCE: i64 = 1_000;
/// Bytes of the write-ahead log that stay on the disk.
const LOG_BYTES_MAX: i64 = 4 << 20;

pub(super) struct File {
    path: PathBuf,
    connection: Connection,
    bounds: Bounds,
    last: i64,
    records: u64,
    bytes: u64,
    /// What earlier runs missed.
    missed_before: u64,
}

impl File {
    pub(super) fn open(path: &Path, bounds: Bounds) -> Result<File, Error> {
        match File::take(path, bounds) {
            Err(Error::Sqlite { source, .. }) if is_unreadable(&source) => {
                tracing::warn!("the journal {} cannot be read ({source}); a new one is begun", path.display());
                remove(path)?;
                File::take(path, bounds)
            }
            Err(Error::Other { .. }) => {
                remove(path)?;
                File::take(path, bounds)
            }
            other => other,
        }
    }

    fn take(path: &Path, bounds: Bounds) -> Result<File, Error> {
        let wrap = |source| Error::Sqlite { path: path.to_owned(), source };
        let mut connection = Connection::open(path).map_err(wrap)?;
        let (records, bytes, last, missed_before) =
            prepare(&mut connection).map_err(wrap)?.ok_or(Error::Other { path: path.to_owned() })?;
        let mut file = File { path: path.to_owned(), connection, bounds, last, records, bytes, missed_before };
        // The bounds may be tighter than they were.
        file.write(&[], 0)?;
        Ok(file)
    }

    /// The number of the newest record.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// Writes records, and how many this run has missed; makes room for them.
    pub(super) fn write(&mut self, batch: &[Arc<Record>], missed: u64) -> Result<(), Error> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        let written = Written { last: self.last, records: self.records, bytes: self.bytes };
        let missed = self.missed_before.saturating_add(missed);
        let result = write(&mut self.connection, written, self.bounds, batch, missed, now);
        let written = result.map_err(|source| Error::Sqlite { path: self.path.clone(), source })?;
        (self.last, self.records, self.bytes) = (written.last, written.records, written.bytes);
        Ok(())
    }
}

/// How much there is.
#[derive(Clone, Copy)]
struct Written {
    last: i64,
    records: u64,
    bytes: u64,
}

/// Makes the tables where they are missing. `None` where they are of another version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<Option<(u64, u64, i64, u64)>> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What a power cut takes from a journal is no loss; a killed process loses nothing either way.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        let tx = connection.transaction()?;
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.commit()?;
    } else if version != VERSION {
        return Ok(None);
    }
    let sums = "SELECT count(*), coalesce(sum(bytes), 0), coalesce(max(id), 0) FROM records";
    let (records, bytes, last) = connection.query_row(sums, [], |row| Ok((amount(row, 0)?, amount(row, 1)?, row.get(2)?)))?;
    let missed = "SELECT coalesce(max(amount), 0) FROM tallies WHERE name = 'missed'";
    let missed = connection.query_row(missed, [], |row| amount(row, 0))?;
    Ok(Some((records, bytes, last, missed)))
}

fn write(
    connection: &mut Connection,
    mut written: Written,
    bounds: Bounds,
    batch: &[Arc<Record>],
    missed: u64,
    now_micros: u64,
) -> rusqlite::Result<Written> {
    let tx = connection.transaction()?;
    {
        let mut insert =
            tx.prepare_cached("INSERT INTO records (id, trace, kind, function, began, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        let mut insert_text = tx.prepare_cached("INSERT INTO texts (id, record) VALUES (?1, ?2)")?;
        for record in batch {
            let text = serde_json::to_string(&redact::record(record)).expect("records are plain data");
            written.last += 1;
            written.records += 1;
            written.bytes += text.len() as u64;
            insert.execute((
                written.last,
                record.trace().map(|trace| trace.as_str()),
                record.kind(),
                record.function(),
                record.began_micros().unwrap_or(now_micros) as i64,
                text.len() as i64,
            ))?;
            insert_text.execute((written.last, text))?;
        }
    }
    tx.prepare_cached("INSERT OR REPLACE INTO tallies (name, amount) VALUES ('missed', ?1)")?.execute([missed as i64])?;
    while written.records > bounds.records_max || written.bytes > bounds.bytes_max {
        let oldest: Vec<(i64, u64)> = tx
            .prepare_cached("SELECT id, bytes FROM records ORDER BY id LIMIT ?1")?
            .query_map([TRIMMED_AT_ONCE], |row| Ok((row.get(0)?, amount(row, 1)?)))?
            .collect::<Result<_, _>>()?;
        let mut last_gone = None;
        for (id, bytes) in oldest {
            if written.records <= bounds.records_max && written.bytes <= bounds.bytes_max {
                break;
            }
            written.records = written.records.saturating_sub(1);
            written.bytes = written.bytes.saturating_sub(bytes);
            last_gone = Some(id);
        }
        let Some(id) = last_gone else { break };
        tx.prepare_cached("DELETE FROM records WHERE id <= ?1")?.execute([id])?;
        tx.prepare_cached("DELETE FROM texts WHERE id <= ?1")?.execute([id])?;
    }
    tx.commit()?;
    Ok(written)
}

/// A number that cannot be below zero.
pub(super) fn amount(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.max(0) as u64)
}

fn is_unreadable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
}

fn remove(path: &Path) -> Result<(), Error> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match std::fs::remove_file(&name) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => return Err(Error::Io { path: path.to_owned(), source }),
            _ => {}
        }
    }
    Ok(())
}
