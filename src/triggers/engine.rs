//! From the outbox to the functions: arranges the deliveries of committed events, and makes the deliveries.
//!
//! One loop, woken by commits and by the clock. It never waits for a function: each delivery runs in a task of its own.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use super::deliver;
use super::ports::Happening;
use super::rules::{self, too_deep};
use super::store::{self, Delivery, Draft, HELD, Letter, Origin, Target};
use super::table::Table;
use super::world::World;
use crate::base::{Call, Time};
use crate::store::{Error, outbox};

/// Events whose deliveries are arranged in one transaction.
const EVENTS_AT_ONCE: usize = 100;

/// Deliveries to one function at a time, unless its `reservedConcurrency` says otherwise.
const PER_FUNCTION: usize = 10;

/// Messages to one queue or topic that are taken at a time; they are sent one after another, in order.
const PER_OUTLET: usize = 20;

/// Deliveries at a time in all, beyond the one that every target may always have.
const SHARED: usize = 64;

/// How long to wait before the database is asked again after it failed.
pub(super) const DATABASE_RETRY: Duration = Duration::from_secs(1);

/// Runs until the World stops, then lets what is under way end.
pub(super) async fn run(world: Arc<World>) {
    let mut engine = Engine { world, running: JoinSet::new(), under_way: HashMap::new() };
    while !engine.world.stopping() {
        engine.turn().await;
    }
    while engine.running.join_next().await.is_some() {}
}

struct Engine {
    world: Arc<World>,
    running: JoinSet<Target>,
    /// Deliveries under way by target. Those to a queue or topic count as one.
    under_way: HashMap<String, usize>,
}

/// What a turn found to do.
struct Round {
    claimed: Vec<(String, Vec<Delivery>)>,
    next: Option<Time>,
    /// There were more events than one turn takes.
    more: bool,
}

impl Engine {
    /// Looks once at everything that is due, then waits for a reason to look again.
    async fn turn(&mut self) {
        let world = self.world.clone();
        // Listening begins before looking, so that nothing is missed in between.
        let (events, deliveries) = (world.db.woken(outbox::WAKE), world.db.woken(store::WAKE));
        let (mut events, mut deliveries) = (std::pin::pin!(events.notified()), std::pin::pin!(deliveries.notified()));
        events.as_mut().enable();
        deliveries.as_mut().enable();
        let round = match self.round().await {
            Ok(round) => round,
            // Another state: look at that.
            Err(Error::Superseded) => return,
            Err(error) => {
                tracing::error!(%error, "deliveries wait: the database could not be used");
                tokio::select! { () = tokio::time::sleep(DATABASE_RETRY) => {}, () = world.stop.cancelled() => {} }
                return;
            }
        };
        for (target, batch) in round.claimed {
            self.begin(target, batch);
        }
        world.touched();
        if round.more {
            return;
        }
        let due = async {
            match round.next {
                Some(time) => world.db.clock().sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = events => {}
            () = deliveries => {}
            () = due => {}
            Some(ended) = self.running.join_next(), if !self.running.is_empty() => self.ended(ended),
            () = world.stop.cancelled() => {}
        }
        while let Some(ended) = self.running.try_join_next() {
            self.ended(ended);
        }
    }

    /// Arranges what was committed and claims what is due, in one transaction.
    async fn round(&self) -> Result<Round, Error> {
        let world = &self.world;
        // What is read here leads to what is written below, so both must be of the same state.
        let call = Call { era: Some(world.db.era()), ..Call::operator() };
        let (rows, waiting) = world.db.read(&call, |tx| Ok::<_, Error>((outbox::oldest(tx, EVENTS_AT_ONCE)?, store::targets(tx)?))).await?;
        let table = world.table.load_full();
        let now = world.db.now();
        let nothing_due = waiting.iter().all(|(target, due)| *due > now || self.free(&table, target) == 0);
        if rows.is_empty() && nothing_due {
            return Ok(Round { claimed: Vec::new(), next: self.next(&table, &waiting), more: false });
        }
        let more = rows.len() == EVENTS_AT_ONCE;
        let arranged: Vec<Arranged> = rows.into_iter().map(|row| self.arrange(&table, row)).collect();
        let under_way = self.under_way.clone();
        let buried: Vec<Letter> = arranged.iter().flat_map(|arranged| arranged.buried.iter().cloned()).collect();
        let (claimed, waiting) = world
            .db
            .write(&call, move |tx| {
                for Arranged { id, drafts, buried } in &arranged {
                    for draft in drafts {
                        store::insert_in(tx, draft)?;
                    }
                    for letter in buried {
                        store::bury_in(tx, letter)?;
                    }
                    outbox::remove(tx, *id)?;
                }
                let waiting = store::targets(tx)?;
                let now = tx.now();
                let due: Vec<&String> = waiting.iter().filter(|(_, due)| *due <= now).map(|(target, _)| target).collect();
                let mut claimed = Vec::new();
                for (target, slots) in share(&table, &under_way, &due) {
                    let batch = store::claim_in(tx, &target, slots)?;
                    if !batch.is_empty() {
                        claimed.push((target, batch));
                    }
                }
                // Looked at again, because what was claimed is not due any more.
                Ok::<_, Error>((claimed, store::targets(tx)?))
            })
            .await?;
        buried.iter().for_each(|letter| world.tell_buried(letter));
        let table = world.table.load_full();
        let next =
            self.next(&table, &waiting.into_iter().filter(|(target, _)| !claimed.iter().any(|(t, _)| t == target)).collect::<Vec<_>>());
        Ok(Round { claimed, next, more })
    }

    /// When to look again of one's own accord: not for targets without a free place, whose ends will be noticed.
    fn next(&self, table: &Table, waiting: &[(String, Time)]) -> Option<Time> {
        waiting.iter().filter(|(target, due)| *due != HELD && self.free(table, target) > 0).map(|(_, due)| *due).min()
    }

    fn free(&self, table: &Table, target: &str) -> usize {
        let busy = self.under_way.get(target).copied().unwrap_or(0);
        let all: usize = self.under_way.values().sum();
        if busy == 0 { 1 } else { places(table, target).saturating_sub(busy).min(SHARED.saturating_sub(all)) }
    }

    fn arrange(&self, table: &Table, row: outbox::Row) -> Arranged {
        let origin = Origin { trace: row.trace.clone(), cause: row.cause.clone(), depth: row.depth };
        let source = format!("{}/{}", row.source, row.resource);
        let happening = self.world.ports.dialect.read(&row, table);
        let (happening, unreadable) = match happening {
            Ok(happening) => (happening, None),
            Err(error) => (Happening::Nothing, Some(error)),
        };
        let mut drafts = rules::targets(table, happening, &source, &origin);
        let unreadable = match table.firebase.drafts(table, &row, self.world.db.ids(), &origin) {
            Ok(found) => {
                drafts.extend(found);
                unreadable
            }
            Err(error) => Some(error),
        };
        let mut arranged = Arranged { id: row.id, drafts, buried: Vec::new() };
        if let Some(error) = unreadable {
            arranged.buried.push(Letter {
                target: row.resource.clone(),
                payload: row.body.into(),
                envelope: None,
                source,
                origin,
                reason: format!("the event of `{}` could not be read", row.resource),
                detail: error.to_string(),
                attempts: 0,
                request_id: String::new(),
            });
        } else if let Some(reason) = too_deep(row.depth) {
            let drafts = std::mem::take(&mut arranged.drafts);
            arranged.buried = drafts.into_iter().map(|draft| draft.letter(reason.clone())).collect();
        }
        arranged
    }

    fn begin(&mut self, target: String, batch: Vec<Delivery>) {
        let Some(first) = batch.first() else { return };
        match first.target {
            Target::Function(_) => {
                *self.under_way.entry(target).or_default() += batch.len();
                for delivery in batch {
                    self.spawn(vec![delivery]);
                }
            }
            Target::Queue(_) | Target::Topic(_) => {
                *self.under_way.entry(target).or_default() += 1;
                self.spawn(batch);
            }
        }
    }

    fn spawn(&mut self, batch: Vec<Delivery>) {
        let world = self.world.clone();
        self.running.spawn(async move {
            let target = batch.first().map_or_else(|| Target::Topic("".into()), |first| first.target.clone());
            let mut wait: Option<Time> = None;
            for delivery in batch {
                if let Some(due) = wait {
                    // What comes after a message that could not be sent yet must not overtake it.
                    deliver::put_back(&world, &delivery, due).await;
                    continue;
                }
                match AssertUnwindSafe(deliver::attempt(&world, &delivery)).catch_unwind().await {
                    Ok(next) => wait = next,
                    Err(_) => {
                        tracing::error!(target = %delivery.target, "a delivery failed inside emu; this is a bug in emu, please report it");
                        let due = world.db.now().plus_ms(1_000);
                        deliver::put_back(&world, &delivery, due).await;
                        wait = Some(due);
                    }
                }
            }
            target
        });
    }

    fn ended(&mut self, ended: Result<Target, tokio::task::JoinError>) {
        // Panics are caught inside, so what does not end was aborted with everything else.
        let Ok(target) = ended else { return };
        let target = target.to_string();
        if let Some(busy) = self.under_way.get_mut(&target) {
            *busy -= 1;
            if *busy == 0 {
                self.under_way.remove(&target);
            }
        }
        self.world.touched();
    }
}

/// An event with what it leads to.
struct Arranged {
    id: i64,
    drafts: Vec<Draft>,
    buried: Vec<Letter>,
}

/// How many deliveries a target may have under way.
fn places(table: &Table, target: &str) -> usize {
    match target.strip_prefix("function:") {
        Some(name) => table.functions.get(name).and_then(|callee| callee.concurrency_max).map_or(PER_FUNCTION, |max| max.max(1) as usize),
        None => 1,
    }
}

/// Deals out the free places: one to every due target that has none, then the shared ones in turn, to those with the fewest first.
/// For a queue or topic the answer is how many messages its one place takes.
fn share(table: &Table, under_way: &HashMap<String, usize>, due: &[&String]) -> Vec<(String, usize)> {
    let busy = |target: &str| under_way.get(target).copied().unwrap_or(0);
    let mut shared = SHARED.saturating_sub(under_way.values().sum());
    let mut order: Vec<(&String, usize)> = due.iter().map(|target| (*target, busy(target))).collect();
    order.sort_by_key(|(_, busy)| *busy);
    let mut dealt: Vec<(String, usize)> = Vec::new();
    let mut places_left = Vec::new();
    for (target, busy) in order {
        let first = usize::from(busy == 0);
        if target.starts_with("function:") {
            dealt.push((target.clone(), first));
            places_left.push(places(table, target).saturating_sub(busy + first));
        } else if first == 1 {
            dealt.push((target.clone(), PER_OUTLET));
            places_left.push(0);
        }
    }
    while shared > 0 && places_left.iter().any(|left| *left > 0) {
        for (slots, left) in dealt.iter_mut().map(|(_, slots)| slots).zip(&mut places_left) {
            if shared > 0 && *left > 0 {
                (*slots, *left, shared) = (*slots + 1, *left - 1, shared - 1);
            }
        }
    }
    dealt.retain(|(_, slots)| *slots > 0);
    dealt
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::aws::arn::Account;

    #[test]
    fn places_are_dealt_out_so_that_no_function_starves_another() {
        let table = Table::empty(Account::local("us-east-1"));
        type Share<'a> = (&'a [(&'a str, usize)], &'a [&'a str], &'a str);
        let rows: [Share<'_>; 5] = [
            (&[], &["function:a"], "function:a 10"),
            (&[("function:a", 10)], &["function:a", "function:b"], "function:b 10"),
            (&[("function:a", 9)], &["function:a"], "function:a 1"),
            (&[("function:a", 62)], &["function:b", "function:c"], "function:b 2, function:c 2"),
            (&[("function:x", 70), ("queue:q", 1)], &["function:b", "queue:q", "topic:t"], "function:b 1, topic:t 20"),
        ];
        for (under_way, due, wanted) in rows {
            let under_way = under_way.iter().map(|(target, n)| ((*target).to_owned(), *n)).collect();
            let due: Vec<String> = due.iter().map(|target| (*target).to_owned()).collect();
            let dealt = share(&table, &under_way, &due.iter().collect::<Vec<_>>());
            let told: Vec<String> = dealt.iter().map(|(target, slots)| format!("{target} {slots}")).collect();
            assert_eq!(told.join(", "), wanted);
        }
    }
}
