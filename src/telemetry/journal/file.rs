//! The journal's file, as its writer sees it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row};

use super::{BATCH_MAX, Bounds, Error};
use crate::telemetry::Record;

/// The version of the tables: a file of another one is begun anew, for nothing in it is needed.
pub(super) const VERSION: i64 = 3;

/// Records stand together in chunks, a line of JSON each: a row for every record would cost more than all that makes it. Who looks for
/// something reads through the text, which takes as long as copying it. The numbers of a chunk's records follow each other; none of them
/// began later than `written`.
const TABLES: &str = "
    CREATE TABLE chunks (
        last INTEGER PRIMARY KEY,
        count INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        written INTEGER NOT NULL,
        records TEXT NOT NULL
    );
    CREATE TABLE tallies (name TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID;";

/// Bytes of a page: chunks are long, and each page is a call of the system.
const PAGE_BYTES: i64 = 16 << 10;
/// Bytes of the write-ahead log that stay on the disk.
const LOG_BYTES_MAX: i64 = 4 << 20;
/// Bytes of a chunk, unless one record is longer.
const CHUNK_BYTES_MAX: u64 = 1 << 20;
/// Chunks go as a whole when there is no more room: none is a larger part of all that may be there than one in so many.
const CHUNKS_MIN: u64 = 16;

pub(super) struct File {
    path: PathBuf,
    connection: Connection,
    bounds: Bounds,
    last: i64,
    records: u64,
    bytes: u64,
    /// What earlier runs missed.
    missed_before: u64,
    /// Where the lines of a chunk are made.
    lines: Vec<u8>,
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
        let mut file = File { path: path.to_owned(), connection, bounds, last, records, bytes, missed_before, lines: Vec::new() };
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
        let result = write(&mut self.connection, &mut self.lines, written, self.bounds, batch, missed, now);
        // A record may have been very long.
        self.lines.shrink_to(2 * CHUNK_BYTES_MAX as usize);
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

/// How much is in a chunk.
#[derive(Clone, Copy, Default)]
struct Chunk {
    records: u64,
    bytes: u64,
}

/// Makes the tables where they are missing. `None` where they are of another version.
fn prepare(connection: &mut Connection) -> rusqlite::Result<Option<(u64, u64, i64, u64)>> {
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    // Taken by a file that is new.
    connection.pragma_update(None, "page_size", PAGE_BYTES)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // What a power cut takes from a journal is no loss; a killed process loses nothing either way.
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_MAX)?;
    connection.pragma_update(None, "wal_autocheckpoint", LOG_BYTES_MAX / PAGE_BYTES)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == 0 {
        let tx = connection.transaction()?;
        tx.execute_batch(TABLES)?;
        tx.pragma_update(None, "user_version", VERSION)?;
        tx.commit()?;
    } else if version != VERSION {
        return Ok(None);
    }
    let sums = "SELECT coalesce(sum(count), 0), coalesce(sum(bytes), 0), coalesce(max(last), 0) FROM chunks";
    let (records, bytes, last) = connection.query_row(sums, [], |row| Ok((amount(row, 0)?, amount(row, 1)?, row.get(2)?)))?;
    let missed = "SELECT coalesce(max(amount), 0) FROM tallies WHERE name = 'missed'";
    let missed = connection.query_row(missed, [], |row| amount(row, 0))?;
    Ok(Some((records, bytes, last, missed)))
}

fn write(
    connection: &mut Connection,
    lines: &mut Vec<u8>,
    mut written: Written,
    bounds: Bounds,
    batch: &[Arc<Record>],
    missed: u64,
    now_micros: u64,
) -> rusqlite::Result<Written> {
    let tx = connection.transaction()?;
    let most = Chunk {
        records: (bounds.records_max / CHUNKS_MIN).clamp(1, BATCH_MAX as u64),
        bytes: (bounds.bytes_max / CHUNKS_MIN).clamp(1, CHUNK_BYTES_MAX),
    };
    lines.clear();
    let mut chunk = Chunk::default();
    let mut latest_micros = now_micros;
    for (at, record) in batch.iter().enumerate() {
        serde_json::to_writer(&mut *lines, record).expect("records are plain data, and memory can be written to");
        lines.push(b'\n');
        // The calendar may have been put back since.
        latest_micros = latest_micros.max(record.began_micros().unwrap_or(0));
        chunk = Chunk { records: chunk.records + 1, bytes: lines.len() as u64 };
        if at + 1 == batch.len() || chunk.records >= most.records || chunk.bytes >= most.bytes {
            written.last += chunk.records as i64;
            written.records += chunk.records;
            written.bytes += chunk.bytes;
            let text = std::str::from_utf8(lines).expect("JSON is text");
            tx.prepare_cached("INSERT INTO chunks (last, count, bytes, written, records) VALUES (?1, ?2, ?3, ?4, ?5)")?.execute((
                written.last,
                chunk.records as i64,
                chunk.bytes as i64,
                latest_micros as i64,
                text,
            ))?;
            lines.clear();
            chunk = Chunk::default();
            latest_micros = now_micros;
        }
    }
    tx.prepare_cached("INSERT OR REPLACE INTO tallies (name, amount) VALUES ('missed', ?1)")?.execute([missed as i64])?;
    while written.records > bounds.records_max || written.bytes > bounds.bytes_max {
        let oldest = tx
            .prepare_cached("SELECT last, count, bytes FROM chunks ORDER BY last LIMIT 1")?
            .query_row([], |row| Ok((row.get::<_, i64>(0)?, Chunk { records: amount(row, 1)?, bytes: amount(row, 2)? })))
            .optional()?;
        let Some((last, gone)) = oldest else { break };
        written.records = written.records.saturating_sub(gone.records);
        written.bytes = written.bytes.saturating_sub(gone.bytes);
        tx.prepare_cached("DELETE FROM chunks WHERE last = ?1")?.execute([last])?;
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
