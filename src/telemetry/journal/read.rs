//! The journal, as those see it who look into it: beside a running emu, or when none runs.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use super::Error;
use super::file::{VERSION, amount};
use crate::base::TraceId;
use crate::telemetry::Record;

/// A journal that is looked into; nothing in it can be changed.
pub struct Reader {
    path: PathBuf,
    connection: Connection,
}

/// Which records are wanted; everything unless said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Those of this function.
    pub function: Option<String>,
    /// Those of the trace of this identifier, or of those that begin with it.
    pub trace: Option<String>,
    /// Those that began at this time or later, in microseconds since the Unix epoch.
    pub since_micros: Option<u64>,
    /// Those after the record of this number.
    pub after: i64,
}

impl Query {
    /// Only those that began within this time.
    pub fn since(self, ago: Duration) -> Query {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Query { since_micros: Some(now.saturating_sub(ago).as_micros() as u64), ..self }
    }
}

/// `90s`, `10m`, `2h`, `1d` as a length of time.
pub fn ago(text: &str) -> Option<Duration> {
    let (amount, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit_s: u64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    // A sign is no part of an amount.
    let amount: u64 = amount.parse().ok().filter(|_| amount.starts_with(|c: char| c.is_ascii_digit()))?;
    Some(Duration::from_secs(amount.checked_mul(unit_s)?))
}

/// A record of the journal, with its number: it rises from record to record.
#[derive(Clone, Debug, PartialEq)]
pub struct Journaled {
    pub id: i64,
    /// The record as JSON.
    pub text: String,
}

impl Journaled {
    /// The record; `None` where it is of a kind that this emu does not know.
    pub fn record(&self) -> Option<Record> {
        serde_json::from_str(&self.text).ok()
    }
}

/// Why there is no one trace.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    #[error(transparent)]
    Journal(#[from] Error),
    #[error("the journal has no trace yet; send a request first")]
    Empty,
    #[error("the journal has no trace `{0}` (any more); `emu logs --json` shows the traces there are, `latest` is the last one")]
    None(String),
    #[error("several traces begin with `{0}`: {list}; write more of the one you mean", list = .1.join(", "))]
    Several(String, Vec<String>),
}

/// Records of one trace that are looked at; a trace with more is shown as far.
const TRACE_RECORDS_MAX: i64 = 10_000;
/// Traces that are named where several begin alike.
const TRACES_NAMED: i64 = 5;

impl Reader {
    /// Opens a journal. Fails where there is none.
    pub fn open(path: &Path) -> Result<Reader, Error> {
        let reader = Reader { path: path.to_owned(), connection: connect(path)? };
        let version: i64 = reader.wrap(reader.connection.pragma_query_value(None, "user_version", |row| row.get(0)))?;
        if version == VERSION { Ok(reader) } else { Err(Error::Other { path: path.to_owned() }) }
    }

    /// Up to `limit` records in the order they were written.
    pub fn records(&self, query: &Query, limit: usize) -> Result<Vec<Journaled>, Error> {
        // GLOB would give meaning to some characters; a prefix is a range.
        let (from, to) = query.trace.as_deref().map_or((None, None), |prefix| (Some(prefix), Some(format!("{prefix}\u{10ffff}"))));
        let sql = "SELECT id, record FROM records CROSS JOIN texts USING (id) WHERE id > ?1 AND (?2 IS NULL OR function = ?2)
            AND (?3 IS NULL OR (trace >= ?3 AND trace < ?4)) AND began >= ?5 ORDER BY id LIMIT ?6";
        let since = query.since_micros.unwrap_or(0).min(i64::MAX as u64) as i64;
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map((query.after, &query.function, from, to, since, limit as i64), journaled)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        self.wrap(found)
    }

    /// Up to `limit` of the newest records, oldest first.
    pub fn newest(&self, limit: usize) -> Result<Vec<Journaled>, Error> {
        let sql = "SELECT id, record FROM (SELECT id, record FROM texts ORDER BY id DESC LIMIT ?1) ORDER BY id";
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map([limit as i64], journaled)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        self.wrap(found)
    }

    /// The whole identifier of a trace: of `latest`, of one that is given whole, or of the only one that begins so.
    pub fn find_trace(&self, wanted: &str) -> Result<TraceId, TraceError> {
        if wanted == "latest" {
            return self.latest()?.ok_or(TraceError::Empty);
        }
        let wanted = wanted.trim().to_ascii_lowercase();
        let sql = "SELECT DISTINCT trace FROM records WHERE trace >= ?1 AND trace < ?2 ORDER BY trace LIMIT ?3";
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let rows = statement.query_map((&wanted, format!("{wanted}\u{10ffff}"), TRACES_NAMED), |row| row.get::<_, String>(0))?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let found = self.wrap(found)?;
        match found.as_slice() {
            [] => Err(TraceError::None(wanted)),
            [one] => Ok(TraceId(one.as_str().into())),
            _ => Err(TraceError::Several(wanted, found)),
        }
    }

    /// The trace of the last request that a function answered; else of the last invocation; else the last there is.
    fn latest(&self) -> Result<Option<TraceId>, Error> {
        for which in ["kind = 'request' AND function IS NOT NULL", "kind = 'invocation'", "trace IS NOT NULL"] {
            let sql = format!("SELECT trace FROM records WHERE {which} ORDER BY id DESC LIMIT 1");
            let found = self.wrap(self.connection.query_row(&sql, [], |row| row.get::<_, String>(0)).optional())?;
            if let Some(trace) = found {
                return Ok(Some(TraceId(trace.into())));
            }
        }
        Ok(None)
    }

    /// The records of one trace, in the order they were written.
    pub fn trace(&self, trace: &TraceId) -> Result<Vec<Record>, Error> {
        let found = self
            .connection
            .prepare_cached("SELECT id, record FROM records CROSS JOIN texts USING (id) WHERE trace = ?1 ORDER BY id LIMIT ?2");
        let found = found.and_then(|mut statement| {
            let rows = statement.query_map((trace.as_str(), TRACE_RECORDS_MAX), journaled)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        Ok(self.wrap(found)?.iter().filter_map(Journaled::record).collect())
    }

    /// Writes the journal as it is now into a new file.
    pub fn copy_to(&self, path: &Path) -> Result<(), Error> {
        let name = path.to_str().ok_or_else(|| Error::Io { path: path.to_owned(), source: std::io::ErrorKind::InvalidInput.into() })?;
        self.wrap(self.connection.execute("VACUUM INTO ?1", [name]).map(|_| ()))
    }

    /// How many records there were that the journal could not keep up with.
    pub fn missed(&self) -> Result<u64, Error> {
        let sql = "SELECT coalesce(max(amount), 0) FROM tallies WHERE name = 'missed'";
        self.wrap(self.connection.query_row(sql, [], |row| amount(row, 0)))
    }

    fn wrap<T>(&self, result: rusqlite::Result<T>) -> Result<T, Error> {
        result.map_err(|source| Error::Sqlite { path: self.path.clone(), source })
    }
}

fn journaled(row: &Row<'_>) -> rusqlite::Result<Journaled> {
    Ok(Journaled { id: row.get(0)?, text: row.get(1)? })
}

/// Opens without a right to write. Where the folder itself cannot be written to, the file is taken as it lies: nobody writes it then.
fn connect(path: &Path) -> Result<Connection, Error> {
    let wrap = |source| Error::Sqlite { path: path.to_owned(), source };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let usual = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    });
    match usual {
        Ok(connection) => Ok(connection),
        Err(error) if path.exists() && error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen) => {
            let name = percent_encoding::utf8_percent_encode(&path.to_string_lossy(), percent_encoding::CONTROLS).to_string();
            let name = format!("file:{}?immutable=1", name.replace('?', "%3f").replace('#', "%23"));
            Connection::open_with_flags(name, flags | OpenFlags::SQLITE_OPEN_URI).map_err(wrap)
        }
        Err(error) => Err(wrap(error)),
    }
}
