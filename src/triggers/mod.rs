//! Triggers: from what was committed to the functions that it calls.
//!
//! - [`engine`](self): the outbox → [`rules`] (which functions?) → rows of `deliveries` → attempts, retries, destinations, dead letters.
//! - Queues and streams are consumed in batches by tasks of their own, one a mapping.
//! - Schedules write a delivery for each time that is due.
//!
//! At least once: an event leaves the outbox only in the transaction that writes its deliveries, a delivery leaves only in the one
//! that stores what became of it, and what a killed process was delivering is delivered again by the next one.

pub mod aws;
mod busy;
mod deliver;
mod engine;
pub mod firebase;
mod lambda;
pub mod partial;
pub mod pattern;
pub mod policy;
pub mod portable;
pub mod ports;
mod queue;
pub mod rules;
mod schedule;
pub mod store;
mod stream;
pub mod table;
mod tell;
#[cfg(test)]
mod tests;
mod world;

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::base::Call;
use crate::project::Project;
use crate::services::schedules::{self, Schedules};
use crate::store::{Db, Error, Tx};
use crate::wire::aws::arn::Account;
pub use busy::Busy;
pub use store::{Counts, DeadLetter, SCHEMA};
use table::Table;
pub use world::Ports;
use world::World;

/// The triggers of a World. Clones share them; they end with the last clone, or by [`Triggers::shutdown`].
#[derive(Clone)]
pub struct Triggers(Arc<Inner>);

struct Inner {
    world: Arc<World>,
    account: Account,
    schedules: Schedules,
    tasks: Mutex<JoinSet<()>>,
    mappings: Mutex<HashMap<Mapping, Running>>,
    /// Whether the loops run; held while a table takes the place of another.
    started: tokio::sync::Mutex<bool>,
}

/// A queue or stream that is consumed, with all its settings: a change of them makes it another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mapping {
    Queue { queue: String, function: Arc<str> },
    Stream { table: String, function: Arc<str> },
}

/// How the task of a mapping is told to end, and tells that it has.
struct Running {
    rule: Rule,
    stop: CancellationToken,
    ended: CancellationToken,
}

#[derive(Clone, PartialEq)]
enum Rule {
    Queue(table::QueueRule),
    Stream(table::StreamRule),
}

/// How much there is to do, and how much was given up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events and deliveries that wait, due or not.
    pub pending: u64,
    /// Deliveries, and batches of queues and streams, under way.
    pub in_flight: u64,
    pub dead_letters: u64,
}

impl Triggers {
    /// Begins with what the state holds: deliveries that were under way when the last process ended are due at once. Nothing is
    /// called before the first [`Triggers::apply`].
    pub async fn start(db: Db, ports: Ports, account: Account) -> Result<Triggers, Error> {
        let taken_back = db.write(&Call::operator(), store::void_in).await?;
        if taken_back > 0 {
            tracing::info!("{taken_back} deliveries that were under way when emu ended are made again");
        }
        let world = Arc::new(World::new(db.clone(), ports, Table::empty(account.clone())));
        Ok(Triggers(Arc::new(Inner {
            world,
            account,
            schedules: Schedules::new(db),
            tasks: Mutex::default(),
            mappings: Mutex::default(),
            started: tokio::sync::Mutex::default(),
        })))
    }

    /// Whether what happens from now on calls functions; where not, it is not made up for later. Queues and schedules go on.
    pub fn listen(&self, listens: bool) {
        self.0.world.silent.store(!listens, Ordering::Relaxed);
    }

    /// Puts the triggers of `project` in the place of those before: at the start, and at every reload. What is under way ends as it
    /// began; batches that wait to be tried again are tried at once. Answers what of the project cannot be used.
    pub async fn apply(&self, project: &Project) -> Result<Vec<String>, schedules::Error> {
        let mut started = self.0.started.lock().await;
        let world = &self.0.world;
        let (table, mut problems) = Table::of(project, self.0.account.clone());
        let (plans, wrong) = schedule::plans(&table);
        problems.extend(wrong);
        // Stored from now on, before anybody looks for them.
        let (interest, silent) = (table.interest(), world.silent.clone());
        world.db.set_interest(Box::new(move |source, resource| !silent.load(Ordering::Relaxed) && interest(source, resource)));
        world.planned.store(Arc::new(schedule::Planned { plans: plans.clone() }));
        let rules: Vec<(Mapping, Rule)> = mappings(&table).collect();
        world.table.store(Arc::new(table));
        if !*started {
            self.0.schedules.resume(&Call::operator(), &plans).await?;
        }
        self.0.schedules.reconcile(&Call::operator(), &plans).await?;
        if !*started {
            *started = true;
            let mut tasks = lock(&self.0.tasks);
            tasks.spawn(engine::run(world.clone()));
            tasks.spawn(schedule::run(world.clone()));
        }
        self.remap(rules);
        world.reloads.send_modify(|count| *count = count.wrapping_add(1));
        // The engine looks again: a new table may have functions that deliveries wait for.
        world
            .db
            .write(&Call::operator(), |tx| {
                tx.wake(store::WAKE);
                Ok::<_, Error>(())
            })
            .await?;
        Ok(problems)
    }

    fn world(&self) -> &World {
        &self.0.world
    }

    /// Ends the mappings that are gone or changed, begins the new ones.
    fn remap(&self, rules: Vec<(Mapping, Rule)>) {
        let world = &self.0.world;
        let (mut running, mut tasks) = (lock(&self.0.mappings), lock(&self.0.tasks));
        while tasks.try_join_next().is_some() {}
        running.retain(|mapping, task| {
            let wanted = rules.iter().any(|(known, _)| known == mapping);
            if !wanted {
                task.stop.cancel();
            }
            // Kept until it has ended, in case it comes back while it still works.
            wanted || !task.ended.is_cancelled()
        });
        for (mapping, rule) in rules {
            let before = running.get(&mapping);
            if before.is_some_and(|task| task.rule == rule && !task.stop.is_cancelled()) {
                continue;
            }
            let before = before.map(|task| {
                task.stop.cancel();
                task.ended.clone()
            });
            let (stop, ended) = (world.stop.child_token(), CancellationToken::new());
            let (world, task_rule, task_stop, end) = (world.clone(), rule.clone(), stop.clone(), ended.clone().drop_guard());
            tasks.spawn(async move {
                let _end = end;
                if let Some(before) = before {
                    before.cancelled().await;
                }
                match task_rule {
                    Rule::Queue(rule) => queue::run(world, Arc::new(rule), task_stop).await,
                    Rule::Stream(rule) => stream::run(world, Arc::new(rule), task_stop).await,
                }
            });
            running.insert(mapping, Running { rule, stop, ended });
        }
    }

    /// Waits until nothing is due or under way: no event, delivery, schedule, message of a consumed queue or record of a read
    /// stream. What waits for a later time (a retry, a hidden message, a schedule) does not count. The end may be over as soon
    /// as this answers, if somebody else goes on writing.
    pub async fn idle(&self) -> Result<(), Error> {
        let mut changes = self.0.world.changes();
        loop {
            changes.mark_unchanged();
            if self.busy(1).await?.is_empty() {
                return Ok(());
            }
            // The sender lives in the world, so this cannot fail; a failure would only mean to look again.
            let _ = changes.changed().await;
        }
    }

    /// Begins with a state that takes the place of the one there was, in the transaction that puts it there: as [`Triggers::start`] and
    /// the first [`Triggers::apply`] do at the start of the process.
    pub fn begin_in(&self, tx: &mut Tx<'_>) -> Result<(), schedules::Error> {
        begin_in(tx)?;
        Schedules::begin_in(tx, &self.0.world.planned.load().plans)
    }

    /// How many events, deliveries and batches are due or under way.
    pub async fn pressing(&self) -> Result<u64, Error> {
        let counts = self.0.world.db.read(&Call::operator(), |tx| store::counts(tx)).await?;
        Ok(counts.pressing + self.0.world.batches() as u64)
    }

    /// How much there is to do.
    pub async fn stats(&self) -> Result<Stats, Error> {
        let counts = self.0.world.db.read(&Call::operator(), |tx| store::counts(tx)).await?;
        let in_flight = counts.held + self.0.world.batches() as u64;
        Ok(Stats { pending: counts.events + counts.waiting, in_flight, dead_letters: counts.dead_letters })
    }

    /// The newest `limit` things that could not be delivered, newest first.
    pub async fn dead_letters(&self, call: &Call, limit: usize) -> Result<Vec<DeadLetter>, Error> {
        self.0.world.db.read(call, |tx| store::dead_letters(tx, limit)).await
    }

    /// Delivers a dead letter again, with all its retries. False where there is none of that number.
    pub async fn redrive(&self, call: &Call, id: i64) -> Result<bool, Error> {
        self.0.world.db.write(call, move |tx| store::redrive_in(tx, id, rules::MESSAGE_AGE_MAX_MS)).await
    }

    /// Forgets all dead letters; answers how many there were.
    pub async fn clear_dead_letters(&self, call: &Call) -> Result<usize, Error> {
        self.0.world.db.write(call, store::clear_dead_letters_in).await
    }

    /// The schedules, with when they ran and will run.
    pub fn schedules(&self) -> &Schedules {
        &self.0.schedules
    }

    /// Calls a schedule's function now, with the schedule's event. False where there is none of that name.
    pub async fn fire(&self, call: &Call, schedule: &str) -> Result<bool, Error> {
        schedule::fire_now(&self.0.world, call, schedule).await
    }

    /// Begins nothing new and gives what is under way `grace` to end. What does not is made again by the next process.
    pub async fn shutdown(&self, grace: Duration) {
        self.0.world.stop.cancel();
        let mut tasks = std::mem::take(&mut *lock(&self.0.tasks));
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::info!("deliveries that did not end in time are made again at the next start");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.world.stop.cancel();
    }
}

/// Takes back what was under way in the state that is put in place, for those who were at it are gone.
pub fn begin_in(tx: &mut Tx<'_>) -> Result<(), Error> {
    store::void_in(tx).map(|_| ())
}

fn mappings(table: &Table) -> impl Iterator<Item = (Mapping, Rule)> + '_ {
    let queues = table
        .queues
        .iter()
        .map(|rule| (Mapping::Queue { queue: rule.queue.clone(), function: rule.function.clone() }, Rule::Queue(rule.clone())));
    let streams = table
        .streams
        .iter()
        .map(|rule| (Mapping::Stream { table: rule.table.clone(), function: rule.function.clone() }, Rule::Stream(rule.clone())));
    queues.chain(streams)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
