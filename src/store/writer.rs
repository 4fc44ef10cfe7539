//! Group commit: whoever finds the writer free does everybody's waiting writes in one commit, on its own thread.
//!
//! So a lone write costs no change of thread, and many writes at once cost one commit.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use rusqlite::{CachedStatement, Connection, Params, Row};
use tokio::sync::oneshot;

use super::db::{Inner, lock};
use super::stock::Stocks;
use super::{Db, Error, Event, outbox};
use crate::base::{Call, Era, Ids, Standing, Time, Unit, Usage};

/// Everything a service may do to stored data. Made only by [`Db::read`] and [`Db::write`].
pub struct Tx<'a> {
    connection: &'a Connection,
    inner: &'a Inner,
    call: Call,
    now: Time,
    writes: bool,
    effects: Effects,
}

/// What a transaction leads to once it is committed.
#[derive(Default)]
struct Effects {
    usage: Usage,
    /// What is billed even where it is rolled back.
    tried: Usage,
    stocks: Stocks,
    wakes: Vec<String>,
}

impl<'a> Tx<'a> {
    /// The time by this World's clock, the same throughout one transaction.
    pub fn now(&self) -> Time {
        self.now
    }

    /// A transaction of its own, outside of any group of writes.
    pub(super) fn writing(connection: &'a Connection, inner: &'a Inner) -> Tx<'a> {
        Tx { connection, inner, call: Call::operator(), now: inner.clock.now(), writes: true, effects: Effects::default() }
    }

    /// Stores how what is kept has changed: what a group of writes does together.
    pub(super) fn store_stocks(&mut self) -> Result<(), Error> {
        Ok(std::mem::take(&mut self.effects.stocks).store(self.connection)?)
    }

    /// Makes the World's clock stand so, and this transaction's time what it shows then.
    pub(super) fn stand(&mut self, standing: Standing) {
        self.inner.clock.stand(standing);
        self.now = self.inner.clock.now();
    }

    /// The era of the state that this sees.
    pub fn era(&self) -> Era {
        self.inner.eras.current()
    }

    /// This World's source of identifiers.
    pub fn ids(&self) -> &'a Ids {
        &self.inner.ids
    }

    /// Who asks, because of what, on whose bill.
    pub fn call(&self) -> &Call {
        &self.call
    }

    pub(super) fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// Runs a statement that changes rows; answers how many.
    pub fn execute<P: Params>(&self, sql: &str, parameters: P) -> Result<usize, Error> {
        Ok(self.connection.prepare_cached(sql)?.execute(parameters)?)
    }

    /// The first row that `sql` finds.
    pub fn row<T, P: Params>(
        &self,
        sql: &str,
        parameters: P,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query(parameters)?;
        Ok(rows.next()?.map(read).transpose()?)
    }

    /// All rows that `sql` finds: give it a `LIMIT`, or use [`Tx::statement`] to stop early.
    pub fn rows<T, P: Params>(&self, sql: &str, parameters: P, read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>) -> Result<Vec<T>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.query_map(parameters, read)?.collect::<Result<_, _>>()?)
    }

    /// As [`Tx::rows`], for SQL that is built afresh each time and not worth keeping prepared.
    pub fn rows_uncached<T, P: Params>(
        &self,
        sql: &str,
        parameters: P,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, Error> {
        let mut statement = self.connection.prepare(sql)?;
        Ok(statement.query_map(parameters, read)?.collect::<Result<_, _>>()?)
    }

    /// A prepared statement, to step through by hand.
    pub fn statement(&self, sql: &str) -> Result<CachedStatement<'a>, Error> {
        Ok(self.connection.prepare_cached(sql)?)
    }

    /// The row number of the latest insert.
    pub fn last_id(&self) -> i64 {
        self.connection.last_insert_rowid()
    }

    /// Emits an event with this change: stored with it, delivered after the commit, exactly as often as the commit.
    /// Nothing is stored where nobody listens.
    pub fn emit(&mut self, event: &Event) -> Result<(), Error> {
        if !self.writes {
            return Err(Error::ReadOnly);
        }
        if self.listens(event.source, &event.resource) {
            outbox::insert(self, event)?;
        }
        Ok(())
    }

    /// Whether anybody listens to events of a resource: to spare the work of making one.
    pub fn listens(&self, source: &str, resource: &str) -> bool {
        (self.inner.interest.load())(source, resource)
    }

    /// Counts work done, on the bill of the call, if this commits.
    pub fn count(&mut self, unit: Unit, amount: u64) {
        self.effects.usage.add(unit, amount);
    }

    /// Counts work that providers bill whether it succeeds or not: a write whose condition does not hold.
    pub fn count_anyway(&mut self, unit: Unit, amount: u64) {
        self.effects.tried.add(unit, amount);
    }

    /// Tells that what is kept of a stock (see [`Unit::is_stock`]) grows or shrinks by so much, if this commits. [`Db::stocks`] has the sums.
    pub fn keep(&mut self, unit: Unit, change: i64) {
        self.effects.stocks.change(unit, change);
    }

    /// Wakes those who wait on `key` (see [`Db::woken`]) once this is committed.
    pub fn wake(&mut self, key: &str) {
        if !self.effects.wakes.iter().any(|k| k == key) {
            self.effects.wakes.push(key.to_owned());
        }
    }
}

/// The one connection that writes, and those who wait for it.
pub(super) struct Writer {
    connection: Mutex<Connection>,
    waiting: Mutex<VecDeque<Box<dyn Job>>>,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Writer {
        Writer { connection: Mutex::new(connection), waiting: Mutex::default() }
    }

    /// For what is no write among others. Whoever has held it calls [`finish`] when it is free again.
    pub(super) fn connection(&self) -> &Mutex<Connection> {
        &self.connection
    }
}

/// Writes that share one commit at most: bounds how long one thread works for others.
const GROUP_MAX: usize = 128;

/// A write that waits: first run inside the transaction, then told how the commit went.
trait Job: Send {
    /// How it changes the stocks; `None` where its changes are to be rolled back.
    fn run(&mut self, db: &Db, connection: &Connection) -> Option<Stocks>;
    fn end(self: Box<Self>, db: &Db, committed: Result<(), &str>);
}

struct Write<T, E, F> {
    call: Call,
    change: Option<F>,
    result: Option<Result<T, E>>,
    effects: Effects,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Write<T, E, F>
where
    T: Send,
    E: From<Error> + Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, db: &Db, connection: &Connection) -> Option<Stocks> {
        let change = self.change.take()?;
        let inner = db.inner();
        if superseded(inner, &self.call) {
            self.result = Some(Err(Error::Superseded.into()));
            return None;
        }
        let mut tx = Tx { connection, inner, call: self.call.clone(), now: inner.clock.now(), writes: true, effects: Effects::default() };
        let result = catch_unwind(AssertUnwindSafe(|| change(&mut tx))).unwrap_or_else(|_| Err(Error::Panicked.into()));
        let kept = result.is_ok();
        self.effects = if kept { tx.effects } else { Effects { tried: tx.effects.tried, ..Effects::default() } };
        self.result = Some(result);
        kept.then_some(self.effects.stocks)
    }

    fn end(self: Box<Self>, db: &Db, committed: Result<(), &str>) {
        let result = match (self.result, committed) {
            (Some(Ok(value)), Ok(())) => {
                self.call.meter.add(&self.effects.usage);
                self.call.meter.add(&self.effects.tried);
                for key in &self.effects.wakes {
                    db.wake(key);
                }
                Ok(value)
            }
            (Some(Err(error)), _) => {
                self.call.meter.add(&self.effects.tried);
                Err(error)
            }
            (_, Err(why)) => Err(Error::Commit(why.to_owned()).into()),
            (None, Ok(())) => Err(Error::Panicked.into()),
        };
        // Whoever asked may have gone away; the change stands all the same.
        let _ = self.reply.send(result);
    }
}

pub(super) async fn write<T, E, F>(db: &Db, call: &Call, change: F) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    let (reply, answer) = oneshot::channel();
    let job = Write { call: call.clone(), change: Some(change), result: None, effects: Effects::default(), reply };
    lock(&db.inner().writer.waiting).push_back(Box::new(job));
    serve(db);
    match answer.await {
        Ok(result) => result,
        Err(_) => Err(Error::Panicked.into()),
    }
}

/// Does the writes that came while somebody held the connection for something else.
pub(super) fn finish(db: &Db) {
    serve(db);
}

/// Whether the call belongs to a state that is gone.
fn superseded(inner: &Inner, call: &Call) -> bool {
    call.era.as_ref().is_some_and(|era| !inner.eras.is_current(era))
}

/// Does the waiting writes, unless somebody is at it already: then they are seen to after the commit that is under way,
/// because that thread looks again once it has let go of the connection.
fn serve(db: &Db) {
    let writer = &db.inner().writer;
    loop {
        if lock(&writer.waiting).is_empty() {
            return;
        }
        let connection = match writer.connection.try_lock() {
            Ok(connection) => connection,
            Err(std::sync::TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(std::sync::TryLockError::WouldBlock) => return,
        };
        let group: Vec<Box<dyn Job>> = {
            let mut waiting = lock(&writer.waiting);
            let n = waiting.len().min(GROUP_MAX);
            waiting.drain(..n).collect()
        };
        let writes = group.len();
        let ended = commit(db, &connection, group);
        drop(connection);
        for (job, committed) in ended {
            job.end(db, committed.as_ref().copied().map_err(String::as_str));
        }
        db.committed(writes);
    }
}

type Ended = Vec<(Box<dyn Job>, Result<(), String>)>;

fn commit(db: &Db, connection: &Connection, mut group: Vec<Box<dyn Job>>) -> Ended {
    let outcome = if group.len() == 1 { commit_one(db, connection, &mut group[0]) } else { commit_many(db, connection, &mut group) };
    let outcome = outcome.map_err(|error| {
        let _ = run(connection, "ROLLBACK");
        error.to_string()
    });
    group.into_iter().map(|job| (job, outcome.clone())).collect()
}

fn commit_one(db: &Db, connection: &Connection, job: &mut Box<dyn Job>) -> rusqlite::Result<()> {
    run(connection, "BEGIN IMMEDIATE")?;
    let Some(stocks) = job.run(db, connection) else { return run(connection, "ROLLBACK") };
    stocks.store(connection)?;
    run(connection, "COMMIT")
}

fn commit_many(db: &Db, connection: &Connection, group: &mut [Box<dyn Job>]) -> rusqlite::Result<()> {
    run(connection, "BEGIN IMMEDIATE")?;
    let mut changed = Stocks::default();
    for job in group {
        run(connection, "SAVEPOINT one")?;
        match job.run(db, connection) {
            Some(stocks) => changed.add(stocks),
            None => run(connection, "ROLLBACK TO one")?,
        }
        run(connection, "RELEASE one")?;
    }
    changed.store(connection)?;
    run(connection, "COMMIT")
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

pub(super) fn look<T, E, F>(inner: &Inner, connection: &Connection, call: &Call, look: F) -> (Result<T, E>, Usage)
where
    E: From<Error>,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
{
    let mut usage = Usage::default();
    let result = run(connection, "BEGIN").map_err(|e| E::from(e.into())).and_then(|()| {
        let (result, used) = look_again(inner, connection, call, look);
        usage = used;
        let ended = run(connection, "COMMIT").map_err(|e| E::from(e.into()));
        result.and_then(|value| ended.map(|()| value))
    });
    if result.is_err() && !connection.is_autocommit() {
        let _ = run(connection, "ROLLBACK");
    }
    (result, usage)
}

/// As [`look`], in a transaction of SQLite's that is open, or for one statement.
pub(super) fn look_again<T, E, F>(inner: &Inner, connection: &Connection, call: &Call, look: F) -> (Result<T, E>, Usage)
where
    E: From<Error>,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E>,
{
    if superseded(inner, call) {
        return (Err(Error::Superseded.into()), Usage::default());
    }
    let mut tx = Tx { connection, inner, call: call.clone(), now: inner.clock.now(), writes: false, effects: Effects::default() };
    let result = look(&mut tx);
    let mut usage = tx.effects.usage;
    usage.add_all(&tx.effects.tried);
    (result, usage)
}
