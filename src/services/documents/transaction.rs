//! Transactions: what was read is still so when what was written is committed.
//!
//! Nobody holds up anybody: a commit looks again at all that was read, and fails where it has changed, so that no update is lost. But
//! documents that transactions have read and then written (counters) are queued for: who reads one next waits, for a while, until the one
//! before has committed, and so need not try again.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::name::{Database, Name};
use super::pipeline::Seen;
use super::query::Query;
use super::run::{Found, run_in};
use super::value::Timestamp;
use super::write::Write;
use super::{Documents, Error, store};
use crate::base::{Call, Era, Time};
use crate::store::db::Snapshot;
use crate::store::{Db, Tx};

/// How long a transaction lives, and how long unused. Source: "Quotas and limits".
const AGE_MAX_MS: i64 = 270_000;
const IDLE_MAX_MS: i64 = 60_000;
/// Transactions that are open at once, and those of them that only read, each of which keeps a file open.
const OPEN_MAX: usize = 10_000;
const SNAPSHOTS_MAX: usize = 64;
/// Documents that are queued for.
const QUEUES_MAX: usize = 1_024;
/// How long to wait in a queue: whoever is before may have gone away.
const QUEUE_WAIT: Duration = Duration::from_secs(3);

/// What a read sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum View {
    /// What is there now.
    Latest,
    /// What was there then.
    At(Timestamp),
    /// What this transaction sees.
    Transaction(Vec<u8>),
}

/// How a transaction begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Begin {
    pub read_only: bool,
    /// Of one that only reads: what it sees. Now, where `None`.
    pub read_time: Option<Timestamp>,
}

/// The open transactions of a World.
#[derive(Default)]
pub(super) struct Transactions {
    open: Mutex<HashMap<Vec<u8>, Open>>,
    queues: Mutex<HashMap<Name, Arc<tokio::sync::Mutex<()>>>>,
}

struct Open {
    transaction: Transaction,
    era: Era,
    began: Time,
    used: Time,
    turns: Vec<Turn>,
    snapshot: Option<Arc<Mutex<Snapshot>>>,
}

impl Open {
    fn is_over(&self, db: &Db, now: Time) -> bool {
        let age = now.millis().saturating_sub(self.began.millis());
        let idle = now.millis().saturating_sub(self.used.millis());
        age > AGE_MAX_MS || idle > IDLE_MAX_MS || !db.eras().is_current(&self.era)
    }
}

/// One's turn at a document, until dropped.
type Turn = OwnedMutexGuard<()>;

/// What a transaction has read.
pub(super) struct Transaction {
    database: Database,
    pub(super) read_only: bool,
    /// When each document was changed last, in microseconds; `None` where there was none.
    documents: HashMap<Name, Option<i64>>,
    /// What each query found.
    queries: Vec<(Query, blake3::Hash)>,
    /// What each pipeline has read.
    pipelines: Vec<Seen>,
}

impl Transaction {
    /// The documents that were read and are now written.
    pub(super) fn written_again(&self, writes: &[Write]) -> Vec<Name> {
        let names: BTreeSet<&Name> = writes.iter().map(|write| &write.name).collect();
        names.into_iter().filter(|name| self.documents.contains_key(*name)).cloned().collect()
    }
}

/// A transaction that is about to end, and its turns, which last until the commit.
pub(super) struct Taken {
    transaction: Option<Transaction>,
    _turns: Vec<Turn>,
}

impl Taken {
    pub(super) fn transaction(&mut self) -> Option<Transaction> {
        self.transaction.take()
    }
}

/// Fails with [`Error::Contention`] where something that was read is no longer so.
pub(super) fn verify_in(tx: &Tx<'_>, transaction: &Transaction) -> Result<(), Error> {
    for (name, seen) in &transaction.documents {
        if store::updated(tx, name)? != *seen {
            return Err(Error::Contention);
        }
    }
    for (query, seen) in &transaction.queries {
        if digest(&run_in(tx, query)?) != *seen {
            return Err(Error::Contention);
        }
    }
    for seen in &transaction.pipelines {
        if !seen.still_is(tx, &transaction.database)? {
            return Err(Error::Contention);
        }
    }
    Ok(())
}

/// Which documents a query found, and when they were changed last.
fn digest(found: &Found) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for document in &found.documents {
        hasher.update(document.name.path().as_bytes()).update(&[0]).update(&document.updated.micros().to_le_bytes());
    }
    hasher.finalize()
}

impl Transactions {
    fn open(&self) -> MutexGuard<'_, HashMap<Vec<u8>, Open>> {
        self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn queues(&self) -> MutexGuard<'_, HashMap<Name, Arc<tokio::sync::Mutex<()>>>> {
        self.queues.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Ends a transaction: what it has read. Fails with [`Error::TransactionOver`].
    pub(super) fn take(&self, db: &Db, database: &Database, id: &[u8]) -> Result<Taken, Error> {
        let now = db.now();
        let open = self.open().remove(id).filter(|open| !open.is_over(db, now)).ok_or(Error::TransactionOver)?;
        if open.transaction.database != *database {
            return Err(Error::Invalid("The transaction belongs to another database.".into()));
        }
        Ok(Taken { transaction: Some(open.transaction), _turns: open.turns })
    }

    /// Remembers documents that were read and then written: who reads them next queues for them.
    pub(super) fn learn(&self, names: Vec<Name>) {
        let mut queues = self.queues();
        for name in names {
            if queues.len() >= QUEUES_MAX {
                queues.retain(|_, queue| Arc::strong_count(queue) > 1);
            }
            if queues.len() < QUEUES_MAX {
                queues.entry(name).or_default();
            }
        }
    }

    fn with<T>(&self, id: &[u8], then: impl FnOnce(&mut Open) -> T) -> Result<T, Error> {
        self.open().get_mut(id).map(then).ok_or(Error::TransactionOver)
    }

    /// Waits for one's turn at documents that are queued for.
    pub(super) async fn queue(&self, id: &[u8], names: &[Name]) -> Result<(), Error> {
        if self.with(id, |open| open.transaction.read_only)? {
            return Ok(());
        }
        // All in one order, so that two who want the same do not wait for each other.
        let wanted: BTreeSet<&Name> = names.iter().collect();
        for name in wanted {
            let Some(queue) = self.queues().get(name).cloned() else { continue };
            if self.with(id, |open| open.transaction.documents.contains_key(name))? {
                continue;
            }
            if let Ok(turn) = tokio::time::timeout(QUEUE_WAIT, queue.lock_owned()).await {
                self.with(id, |open| open.turns.push(turn))?;
            }
        }
        Ok(())
    }

    /// Remembers when documents that a transaction reads were changed last.
    pub(super) fn saw_documents(&self, id: &[u8], seen: impl Iterator<Item = (Name, Option<i64>)>) -> Result<(), Error> {
        self.with(id, |open| {
            for (name, updated) in seen {
                // What was seen first must still be so.
                open.transaction.documents.entry(name).or_insert(updated);
            }
        })
    }

    /// Remembers what a pipeline of a transaction has read.
    pub(super) fn saw_pipeline(&self, id: &[u8], seen: Seen) -> Result<(), Error> {
        self.with(id, |open| open.transaction.pipelines.push(seen))
    }

    /// Remembers what a query of a transaction found.
    pub(super) fn saw_query(&self, id: &[u8], query: &Query, found: &Found) -> Result<(), Error> {
        self.with(id, |open| open.transaction.queries.push((query.clone(), digest(found))))
    }
}

impl Documents {
    /// Begins a transaction: its identifier. Fails with [`Error::TooOld`], [`Error::TooManyTransactions`].
    pub async fn begin(&self, call: &Call, database: &Database, begin: Begin) -> Result<Vec<u8>, Error> {
        let now = self.db().now();
        let snapshot = if begin.read_only {
            let snapshot = self.db().snapshot()?;
            if let Some(read_time) = begin.read_time {
                snapshot.read(call, |tx| check_time(tx, read_time))?;
            }
            Some(Arc::new(Mutex::new(snapshot)))
        } else {
            None
        };
        let mut id = vec![0; 16];
        self.db().ids().fill(&mut id);
        let transaction = Transaction {
            database: database.clone(),
            read_only: begin.read_only,
            documents: HashMap::new(),
            queries: Vec::new(),
            pipelines: Vec::new(),
        };
        let mut open = self.transactions.open();
        let snapshots = open.values().filter(|open| open.snapshot.is_some()).count();
        if open.len() >= OPEN_MAX || (begin.read_only && snapshots >= SNAPSHOTS_MAX) {
            open.retain(|_, open| !open.is_over(self.db(), now));
            let snapshots = open.values().filter(|open| open.snapshot.is_some()).count();
            if open.len() >= OPEN_MAX || (begin.read_only && snapshots >= SNAPSHOTS_MAX) {
                return Err(Error::TooManyTransactions);
            }
        }
        let era = self.db().era();
        open.insert(id.clone(), Open { transaction, era, began: now, used: now, turns: Vec::new(), snapshot });
        Ok(id)
    }

    /// Ends a transaction without a commit. One that is over already is none.
    pub fn rollback(&self, id: &[u8]) {
        self.transactions.open().remove(id);
    }

    /// Reads what a view sees. Fails with [`Error::TransactionOver`], [`Error::TooOld`].
    pub(super) async fn read<T>(&self, call: &Call, view: &View, look: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        match view {
            View::Latest => self.db().read(call, look).await,
            View::At(time) => {
                self.db()
                    .read(call, |tx| {
                        check_time(tx, *time)?;
                        look(tx)
                    })
                    .await
            }
            View::Transaction(id) => {
                let now = self.db().now();
                let snapshot = {
                    let mut open = self.transactions.open();
                    if open.get(id).is_some_and(|open| open.is_over(self.db(), now)) {
                        open.remove(id);
                    }
                    let open = open.get_mut(id).ok_or(Error::TransactionOver)?;
                    open.used = now;
                    open.snapshot.clone()
                };
                match snapshot {
                    Some(snapshot) => snapshot.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).read(call, look),
                    None => self.db().read(call, look).await,
                }
            }
        }
    }
}

/// Nothing is kept of what was before the last change.
fn check_time(tx: &Tx<'_>, time: Timestamp) -> Result<(), Error> {
    if time.micros() >= store::changed_at(tx)? { Ok(()) } else { Err(Error::TooOld) }
}
