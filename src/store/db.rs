//! Opens the database, hands out reads and writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use arc_swap::ArcSwap;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use tokio::sync::Notify;

use super::writer::{self, Tx, Writer};
use super::{Error, clock, copy, stock};
use crate::base::{Call, Clock, Era, Eras, Ids, Time, Usage};

/// The tables of one part of the program, as steps that each bring them from one version to the next. Steps are only ever appended.
pub struct Schema {
    pub part: &'static str,
    pub steps: &'static [&'static str],
}

/// How to open a database.
pub struct Options {
    /// The database file; created, with its folder, where missing.
    pub path: PathBuf,
    pub clock: Clock,
    pub ids: Ids,
    /// For state that is thrown away: never waits for the disk.
    pub ephemeral: bool,
}

/// Says whether anybody listens to events of a resource; where nobody does, none are stored.
pub type Interest = dyn Fn(&str, &str) -> bool + Send + Sync;

/// A World's database. Clones share it.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

pub(super) struct Inner {
    pub(super) clock: Clock,
    pub(super) eras: Eras,
    pub(super) ids: Ids,
    pub(super) interest: ArcSwap<Box<Interest>>,
    pub(super) writer: Writer,
    readers: Mutex<Vec<Connection>>,
    path: PathBuf,
    wakes: Mutex<HashMap<String, Arc<Notify>>>,
    checkpoints: Arc<Checkpoints>,
}

/// Idle read connections that are kept; more are opened under load and closed after it.
const READERS_KEPT: usize = 8;

impl Db {
    /// Opens the database and brings its tables up to date.
    ///
    /// Fails where the file cannot be opened or was written by a newer emu ([`Error::Newer`]).
    pub fn open(options: Options, schemas: &[&Schema]) -> Result<Db, Error> {
        if let Some(folder) = options.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let mut connection = connect(&options.path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // NORMAL keeps every commit through a killed process; only a power cut can lose the last ones.
        let synchronous = if options.ephemeral { "OFF" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", synchronous)?;
        connection.pragma_update(None, "cache_size", -8000)?;
        // Checkpoints wait for the disk, so a thread of their own does them.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        for schema in Db::own_schemas() {
            migrate(&mut connection, schema)?;
        }
        for schema in schemas {
            migrate(&mut connection, schema)?;
        }
        if let Some(standing) = clock::stored(&connection)? {
            options.clock.stand(standing);
        }
        let checkpoints = Checkpoints::start(&options.path, synchronous)?;
        Ok(Db(Arc::new(Inner {
            clock: options.clock,
            eras: Eras::default(),
            ids: options.ids,
            interest: ArcSwap::from_pointee(Box::new(|_: &str, _: &str| true) as Box<Interest>),
            writer: Writer::new(connection),
            readers: Mutex::default(),
            path: options.path,
            wakes: Mutex::default(),
            checkpoints,
        })))
    }

    /// Runs `change` in a write transaction and answers once it is committed.
    ///
    /// An `Err` of `change` rolls back what it did. Writers run one after another, in the order they came; many small
    /// ones share one commit. `change` must not wait for anything: do slow work before.
    pub async fn write<T, E, F>(&self, call: &Call, change: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        writer::write(self, call, change).await
    }

    /// Runs `look` on a snapshot of the data; it cannot change anything.
    pub async fn read<T, E, F>(&self, call: &Call, look: F) -> Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
    {
        self.with_reader(call, |connection| writer::look(&self.0, connection, call, look))
    }

    /// The same for a `look` that makes one query and no more: a statement alone sees one state of the data, without a transaction.
    pub async fn read_once<T, E, F>(&self, call: &Call, look: F) -> Result<T, E>
    where
        E: From<Error>,
        F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
    {
        self.with_reader(call, |connection| writer::look_again(&self.0, connection, call, look))
    }

    fn with_reader<T, E: From<Error>>(&self, call: &Call, look: impl FnOnce(&Connection) -> (Result<T, E>, Usage)) -> Result<T, E> {
        let idle = lock(&self.0.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => reader(&self.0.path)?,
        };
        let (result, usage) = look(&connection);
        let mut readers = lock(&self.0.readers);
        if readers.len() < READERS_KEPT {
            readers.push(connection);
        }
        drop(readers);
        call.meter.add(&usage);
        result
    }

    /// The data as it is now, to be looked at later and more than once. Keeps a file open, and the log from being emptied: not for long.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        let connection = reader(&self.0.path)?;
        connection.execute_batch("BEGIN")?;
        // What is seen is settled by the first look.
        connection.query_row("SELECT count(*) FROM schema_versions", [], |_| Ok(()))?;
        Ok(Snapshot { db: self.clone(), connection })
    }

    /// What is kept for a month: the units that are stocks, as the transactions that changed them left them (see [`Tx::keep`]).
    pub async fn stocks(&self, call: &Call) -> Result<Usage, Error> {
        self.read(call, |tx| Ok(stock::all(tx.connection())?)).await
    }

    /// The time by this World's clock.
    pub fn now(&self) -> Time {
        self.0.clock.now()
    }

    /// This World's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The states that this World has had, one after another.
    pub fn eras(&self) -> &Eras {
        &self.0.eras
    }

    /// The era of the state that there is now.
    pub fn era(&self) -> Era {
        self.0.eras.current()
    }

    /// This World's source of identifiers.
    pub fn ids(&self) -> &Ids {
        &self.0.ids
    }

    /// Says for which resources events are stored from now on (all, until this is called).
    pub fn set_interest(&self, interest: Box<Interest>) {
        self.0.interest.store(Arc::new(interest));
    }

    /// Wakes those who wait on `key` after a write called [`Tx::wake`] with it and was committed.
    ///
    /// To miss nothing: get this, call `notified()` and `enable()` on it, look at the data, then wait.
    pub fn woken(&self, key: &str) -> Arc<Notify> {
        let mut wakes = lock(&self.0.wakes);
        if let Some(notify) = wakes.get(key) {
            return notify.clone();
        }
        // Keys nobody waits for any more are dropped before the map grows.
        wakes.retain(|_, notify| Arc::strong_count(notify) > 1);
        wakes.entry(key.to_owned()).or_default().clone()
    }

    pub(super) fn wake(&self, key: &str) {
        if let Some(notify) = lock(&self.0.wakes).get(key) {
            notify.notify_waiters();
        }
    }

    /// Wakes everybody who waits for anything: nothing is as it was.
    pub(super) fn wake_all(&self) {
        for notify in lock(&self.0.wakes).values() {
            notify.notify_waiters();
        }
    }

    /// Writes the database as it is now into the new file `to`, which nobody else knows yet, while others go on reading and writing.
    /// Where the file system can, the two files share their bytes. Blocks.
    pub fn copy_to(&self, to: &Path, durable: bool) -> Result<(), Error> {
        let copied = {
            // Nobody moves the log into the database file meanwhile, so that file stands still.
            let checkpoints = lock(&self.0.checkpoints.connection);
            let log = copy::log(&self.0.path, to, &checkpoints, &self.0.writer);
            // Writes that came meanwhile have left it to us to begin with them.
            writer::finish(self);
            log.and_then(|()| copy::database(&self.0.path, to))
        };
        copied?;
        copy::settle(to, durable)
    }

    pub(super) fn inner(&self) -> &Inner {
        &self.0
    }

    pub(super) fn committed(&self, writes: usize) {
        self.0.checkpoints.committed(writes);
    }

    /// The log has grown by what a whole state takes.
    pub(super) fn checkpoint_soon(&self) {
        self.0.checkpoints.committed(CHECKPOINT_AFTER);
    }
}

/// The data as it was at one moment.
pub struct Snapshot {
    db: Db,
    connection: Connection,
}

impl Snapshot {
    /// Runs `look` on it; it cannot change anything.
    pub fn read<T, E: From<Error>>(&self, call: &Call, look: impl FnOnce(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        let (result, usage) = writer::look_again(&self.db.0, &self.connection, call, look);
        call.meter.add(&usage);
        result
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    connection.set_prepared_statement_cache_capacity(256);
    // A query is planned once, not for the values that it happens to have: else it would be compiled anew when they change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "mmap_size", 256 << 20)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    Ok(connection)
}

fn reader(path: &Path) -> Result<Connection, Error> {
    let connection = connect(path)?;
    connection.pragma_update(None, "cache_size", -1000)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

/// Whether a database file lacks steps that this emu knows. Fails with [`Error::Newer`] where it is the other way round.
pub fn is_older(path: &Path, schemas: &[&Schema]) -> Result<bool, Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut older = false;
    for schema in Db::own_schemas().iter().chain(schemas) {
        let sql = "SELECT coalesce(max(version), 0) FROM schema_versions WHERE part = ?1";
        let (found, known): (i64, _) = (connection.query_row(sql, [schema.part], |row| row.get(0))?, schema.steps.len() as i64);
        if found > known {
            return Err(Error::Newer { part: schema.part.to_owned(), found, known });
        }
        older |= found < known;
    }
    Ok(older)
}

/// Brings the tables of a database file that nobody uses up to date.
pub fn bring_up_to_date(path: &Path, schemas: &[&Schema]) -> Result<(), Error> {
    let mut connection = Connection::open(path)?;
    connection.pragma_update(None, "foreign_keys", "OFF")?;
    Db::own_schemas().iter().chain(schemas).try_for_each(|schema| migrate(&mut connection, schema))
}

fn migrate(connection: &mut Connection, schema: &Schema) -> Result<(), Error> {
    let tx = connection.transaction()?;
    tx.execute_batch("CREATE TABLE IF NOT EXISTS schema_versions (part TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID")?;
    let found: i64 =
        tx.query_row("SELECT coalesce(max(version), 0) FROM schema_versions WHERE part = ?1", [schema.part], |row| row.get(0))?;
    let known = schema.steps.len() as i64;
    if found > known {
        return Err(Error::Newer { part: schema.part.to_owned(), found, known });
    }
    for step in &schema.steps[found as usize..] {
        tx.execute_batch(step)?;
    }
    if found < known {
        tx.execute("INSERT OR REPLACE INTO schema_versions (part, version) VALUES (?1, ?2)", (schema.part, known))?;
    }
    tx.commit()?;
    Ok(())
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Moves the write-ahead log into the database file, on a thread of its own, woken after enough writes.
struct Checkpoints {
    /// Held while the log is moved, and by those who need it to stay.
    connection: Mutex<Connection>,
    state: Mutex<CheckpointState>,
    wake: Condvar,
}

#[derive(Default)]
struct CheckpointState {
    writes: usize,
    ended: bool,
}

/// Writes after which the log is moved into the database file.
const CHECKPOINT_AFTER: usize = 2_000;

impl Checkpoints {
    fn start(path: &Path, synchronous: &str) -> Result<Arc<Checkpoints>, Error> {
        let connection = connect(path)?;
        connection.pragma_update(None, "synchronous", synchronous)?;
        let connection = Mutex::new(connection);
        let checkpoints = Arc::new(Checkpoints { connection, state: Mutex::default(), wake: Condvar::new() });
        let shared = checkpoints.clone();
        std::thread::Builder::new().name("emu-checkpoint".into()).spawn(move || shared.run())?;
        Ok(checkpoints)
    }

    fn run(&self) {
        loop {
            let mut state = lock(&self.state);
            while state.writes < CHECKPOINT_AFTER && !state.ended {
                state = self.wake.wait(state).unwrap_or_else(|poisoned| poisoned.into_inner());
            }
            state.writes = 0;
            let ended = state.ended;
            drop(state);
            // PASSIVE never makes a writer wait; what it leaves, the next one takes. At the end nobody writes any more.
            let mode = if ended { "TRUNCATE" } else { "PASSIVE" };
            let moved = lock(&self.connection).query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()));
            if let Err(error) = moved {
                tracing::warn!(%error, "the database log could not be moved into the database file; it stays in the log");
            }
            if ended {
                return;
            }
        }
    }

    fn committed(&self, writes: usize) {
        let mut state = lock(&self.state);
        state.writes += writes;
        if state.writes >= CHECKPOINT_AFTER {
            self.wake.notify_one();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        lock(&self.checkpoints.state).ended = true;
        self.checkpoints.wake.notify_one();
    }
}
