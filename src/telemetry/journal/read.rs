//! The journal, as those see it who look into it: beside a running emu, or when none runs.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use memchr::memmem::Finder;
use rusqlite::{Connection, OpenFlags, Params};

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

    /// Whether a record is one of those, by all but its number. What does not say when it began did so when it was written.
    fn asks_for(&self, journaled: &Journaled, written_micros: u64) -> bool {
        if self.function.is_none() && self.trace.is_none() && self.since_micros.is_none() {
            return true;
        }
        let Some(record) = journaled.record() else { return false };
        let begins = |prefix: &String| record.trace().is_some_and(|trace| trace.as_str().starts_with(prefix.as_str()));
        self.function.as_deref().is_none_or(|function| record.function() == Some(function))
            && self.trace.as_ref().is_none_or(begins)
            && self.since_micros.is_none_or(|since| record.began_micros().unwrap_or(written_micros) >= since)
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
const TRACE_RECORDS_MAX: usize = 10_000;
/// Traces that are named where several begin alike.
const TRACES_NAMED: usize = 5;
const ALL: &str = "SELECT last, count, written, records FROM chunks ORDER BY last";

impl Reader {
    /// Opens a journal. Fails where there is none.
    pub fn open(path: &Path) -> Result<Reader, Error> {
        let reader = Reader { path: path.to_owned(), connection: connect(path)? };
        let version: i64 = reader.wrap(reader.connection.pragma_query_value(None, "user_version", |row| row.get(0)))?;
        if version == VERSION { Ok(reader) } else { Err(Error::Other { path: path.to_owned() }) }
    }

    /// Up to `limit` records in the order they were written.
    pub fn records(&self, query: &Query, limit: usize) -> Result<Vec<Journaled>, Error> {
        let since = query.since_micros.unwrap_or(0);
        // What stands in the text of each record that is wanted: where it does not, nothing has to be read.
        let marks: Vec<Finder<'_>> =
            query.trace.as_deref().map(trace_mark).into_iter().chain(query.function.as_deref().map(mark)).map(finder).collect();
        let mut found = Vec::new();
        self.chunks(
            "SELECT last, count, written, records FROM chunks WHERE last > ?1 AND written >= ?2 ORDER BY last",
            (query.after, since as i64),
            |chunk| {
                let wanted = marks.iter().all(|mark| mark.find(chunk.records.as_bytes()).is_some());
                for (id, line) in chunk
                    .lines()
                    .filter(|(id, line)| wanted && *id > query.after && marks.iter().all(|mark| mark.find(line.as_bytes()).is_some()))
                {
                    let journaled = Journaled { id, text: line.to_owned() };
                    if !query.asks_for(&journaled, chunk.written) {
                        continue;
                    }
                    found.push(journaled);
                    if found.len() >= limit {
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            },
        )?;
        Ok(found)
    }

    /// Up to `limit` of the newest records, oldest first.
    pub fn newest(&self, limit: usize) -> Result<Vec<Journaled>, Error> {
        let mut found = Vec::new();
        self.backwards(|id, line| {
            if found.len() < limit {
                found.push(Journaled { id, text: line.to_owned() });
            }
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        found.reverse();
        Ok(found)
    }

    /// The whole identifier of a trace: of `latest`, of one that is given whole, or of the only one that begins so.
    pub fn find_trace(&self, wanted: &str) -> Result<TraceId, TraceError> {
        if wanted == "latest" {
            return self.latest()?.ok_or(TraceError::Empty);
        }
        let wanted = wanted.trim().to_ascii_lowercase();
        let mark = finder(trace_mark(&wanted));
        let mut found = BTreeSet::new();
        self.chunks(ALL, (), |chunk| {
            for at in mark.find_iter(chunk.records.as_bytes()) {
                let begin = at + TRACE_MARK.len();
                let end = chunk.records[begin..].find('"').map_or(chunk.records.len(), |length| begin + length);
                found.insert(chunk.records[begin..end].to_owned());
                // Of a short beginning, all traces there are would be held.
                if found.len() > TRACES_NAMED {
                    found.pop_last();
                }
            }
            ControlFlow::Continue(())
        })?;
        match Vec::from_iter(found).as_slice() {
            [] => Err(TraceError::None(wanted)),
            [one] => Ok(TraceId(one.as_str().into())),
            several => Err(TraceError::Several(wanted, several.to_vec())),
        }
    }

    /// The trace of the last request that a function answered; else of the last invocation; else the last there is.
    fn latest(&self) -> Result<Option<TraceId>, Error> {
        let (mut invoked, mut any) = (None, None);
        let mut answered = None;
        self.backwards(|id, line| {
            let Some(record) = (Journaled { id, text: line.to_owned() }).record() else { return ControlFlow::Continue(()) };
            let Some(trace) = record.trace() else { return ControlFlow::Continue(()) };
            match &record {
                Record::Request(request) if request.function.is_some() => {
                    answered = Some(trace.clone());
                    return ControlFlow::Break(());
                }
                Record::Invocation(_) if invoked.is_none() => invoked = Some(trace.clone()),
                _ if any.is_none() => any = Some(trace.clone()),
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok(answered.or(invoked).or(any))
    }

    /// The records of one trace, in the order they were written.
    pub fn trace(&self, trace: &TraceId) -> Result<Vec<Record>, Error> {
        let query = Query { trace: Some(trace.as_str().to_owned()), ..Query::default() };
        let found = self.records(&query, TRACE_RECORDS_MAX)?;
        Ok(found.iter().filter_map(Journaled::record).filter(|record| record.trace() == Some(trace)).collect())
    }

    /// Calls `look` with every record, the newest first, until it has seen enough.
    fn backwards(&self, mut look: impl FnMut(i64, &str) -> ControlFlow<()>) -> Result<(), Error> {
        self.chunks("SELECT last, count, written, records FROM chunks ORDER BY last DESC", (), |chunk| {
            let lines: Vec<(i64, &str)> = chunk.lines().collect();
            lines.into_iter().rev().try_for_each(|(id, line)| look(id, line))
        })
    }

    /// Calls `look` with the chunks that a statement finds, until it has seen enough.
    fn chunks(&self, sql: &str, parameters: impl Params, mut look: impl FnMut(&Chunk<'_>) -> ControlFlow<()>) -> Result<(), Error> {
        let found = self.connection.prepare_cached(sql).and_then(|mut statement| {
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                let chunk = Chunk { last: row.get(0)?, count: row.get(1)?, written: amount(row, 2)?, records: row.get_ref(3)?.as_str()? };
                if look(&chunk).is_break() {
                    break;
                }
            }
            Ok(())
        });
        self.wrap(found)
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

/// Records that stand together; see the tables.
struct Chunk<'a> {
    last: i64,
    count: i64,
    /// When they were written, in microseconds since the Unix epoch; none of them began later.
    written: u64,
    records: &'a str,
}

impl Chunk<'_> {
    /// The records, with their numbers.
    fn lines(&self) -> impl Iterator<Item = (i64, &str)> {
        (self.last - self.count + 1..).zip(self.records.lines())
    }
}

/// What a trace's name follows in a record. Inside of texts, quotes have a backslash before them.
const TRACE_MARK: &str = "\"trace\":\"";

fn trace_mark(prefix: &str) -> String {
    format!("{TRACE_MARK}{}", mark(prefix))
}

/// A text as it stands in JSON, without its quotes.
fn mark(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

fn finder(text: String) -> Finder<'static> {
    Finder::new(&text).into_owned()
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
