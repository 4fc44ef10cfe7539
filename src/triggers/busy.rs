//! What keeps the triggers from being idle: what is due, and what is under way.

use std::fmt;
use std::sync::Arc;

use super::stream;
use super::{Mapping, Triggers, store};
use crate::base::{Call, Time};
use crate::services::schedules;
use crate::store::{Error, outbox};

/// One reason why the triggers are not idle. Its text is for people, in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Busy {
    /// Committed events whose deliveries are not arranged yet; the source as `objects/uploads`.
    Events { source: String, count: u64 },
    /// Deliveries to a target (`function:NAME`, `queue:NAME`, `topic:NAME`) that are due or under way.
    Deliveries { target: String, due: u64, under_way: u64 },
    /// Batches of a queue or a stream that a function has.
    Batches { mapping: Mapping, count: u64 },
    /// A queue whose function has not taken what it can take.
    Queue { queue: String, function: Arc<str> },
    /// A table with changes that its function has not read.
    Stream { table: String, function: Arc<str>, count: u64 },
    /// A schedule whose time has come.
    Schedule,
}

impl Busy {
    /// Its kind, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Busy::Events { .. } => "events",
            Busy::Deliveries { .. } => "deliveries",
            Busy::Batches { .. } => "batches",
            Busy::Queue { .. } => "queue",
            Busy::Stream { .. } => "stream",
            Busy::Schedule => "schedule",
        }
    }
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let some = |count: u64, one: &str, more: &str| format!("{count} {}", if count == 1 { one } else { more });
        match self {
            Busy::Events { source, count } => write!(f, "{} of `{source}` not looked at yet", some(*count, "event", "events")),
            Busy::Deliveries { target, due, under_way } => {
                let (kind, name) = target.split_once(':').unwrap_or(("target", target));
                let all = some(due + under_way, "delivery", "deliveries");
                let how = match (due, under_way) {
                    (0, _) => "under way".to_owned(),
                    (_, 0) => "due".to_owned(),
                    (due, under_way) => format!("{under_way} under way, {due} due"),
                };
                write!(f, "{all} to {kind} `{name}` ({how})")
            }
            Busy::Batches { mapping, count } => {
                let (source, function) = match mapping {
                    Mapping::Queue { queue, function } => (format!("queue `{queue}`"), function),
                    Mapping::Stream { table, function } => (format!("the stream of table `{table}`"), function),
                };
                write!(f, "{} of {source} under way in function `{function}`", some(*count, "batch", "batches"))
            }
            Busy::Queue { queue, function } => write!(f, "messages of queue `{queue}` not yet taken by function `{function}`"),
            Busy::Stream { table, function, count } => {
                write!(f, "{} of table `{table}` not yet read by function `{function}`", some(*count, "change", "changes"))
            }
            Busy::Schedule => f.write_str("a run of a schedule that is due"),
        }
    }
}

impl Triggers {
    /// Up to `limit` reasons why the triggers are not idle (see [`Triggers::idle`]); none where they are.
    pub async fn busy(&self, limit: usize) -> Result<Vec<Busy>, Error> {
        let (world, call) = (&self.0.world, Call::operator());
        let mut busy = self.batches();
        let now = world.db.now();
        let is_due = |time: Option<Time>| time.is_some_and(|time| time <= now);
        let table = world.table.load_full();
        for rule in &table.queues {
            if busy.len() < limit && is_due(world.ports.queues.next_visible(&rule.queue).await.unwrap_or(None)) {
                busy.push(Busy::Queue { queue: rule.queue.clone(), function: rule.function.clone() });
            }
        }
        for rule in &table.streams {
            if busy.len() >= limit {
                break;
            }
            let newest = world.ports.streams.newest(&rule.table).await.unwrap_or(0);
            let source = stream::source(&rule.table);
            let cursor = world.db.read(&call, |tx| store::cursor(tx, &source, &rule.function)).await?;
            let position = cursor.as_ref().map_or(newest, |cursor| cursor.position);
            if cursor.is_none_or(|cursor| cursor.position < newest && cursor.due <= now) {
                let count = newest.saturating_sub(position).unsigned_abs();
                busy.push(Busy::Stream { table: rule.table.clone(), function: rule.function.clone(), count });
            }
        }
        if busy.len() < limit {
            match self.0.schedules.next_due(&call).await {
                Ok(next) if is_due(next) => busy.push(Busy::Schedule),
                Ok(_) => {}
                Err(schedules::Error::Store(error)) => return Err(error),
            }
        }
        // Looked at last: everything above ends in rows, or was counted before it began.
        if busy.len() < limit {
            busy.extend(world.db.read(&call, |tx| rows(tx, limit)).await?);
        }
        if busy.is_empty() {
            busy = self.batches();
        }
        busy.truncate(limit);
        Ok(busy)
    }

    /// The earliest time to come for which something that is stored waits: a delivery, a message of a consumed queue, a batch of a stream
    /// that is tried again, a schedule. `None` where nothing does.
    pub async fn next_due(&self) -> Result<Option<Time>, Error> {
        let (world, call) = (&self.0.world, Call::operator());
        let table = world.table.load_full();
        let mut times = vec![world.db.read(&call, |tx| store::next_due(tx)).await?];
        for rule in &table.queues {
            times.push(world.ports.queues.next_visible(&rule.queue).await.unwrap_or(None));
        }
        for rule in &table.streams {
            let source = stream::source(&rule.table);
            let cursor = world.db.read(&call, |tx| store::cursor(tx, &source, &rule.function)).await?;
            times.push(cursor.map(|cursor| cursor.due));
        }
        match self.0.schedules.next_due(&call).await {
            Ok(next) => times.push(next),
            Err(schedules::Error::Store(error)) => return Err(error),
        }
        let now = world.db.now();
        Ok(times.into_iter().flatten().filter(|time| *time > now).min())
    }

    fn batches(&self) -> Vec<Busy> {
        let batches = self.0.world.batches_by_mapping().into_iter();
        batches.map(|(mapping, count)| Busy::Batches { mapping, count: count as u64 }).collect()
    }
}

/// The events and deliveries among the reasons.
fn rows(tx: &crate::store::Tx<'_>, limit: usize) -> Result<Vec<Busy>, Error> {
    let events = outbox::sources(tx, limit)?.into_iter().map(|(source, count)| Busy::Events { source, count });
    let deliveries = store::pressing(tx, limit)?;
    let deliveries = deliveries.into_iter().map(|(target, due, under_way)| Busy::Deliveries { target, due, under_way });
    Ok(events.chain(deliveries).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_said_in_a_line() {
        let mapping = |function: &str| Mapping::Queue { queue: "jobs".into(), function: function.into() };
        let rows = [
            (Busy::Events { source: "objects/uploads".into(), count: 1 }, "1 event of `objects/uploads` not looked at yet"),
            (Busy::Deliveries { target: "function:mail".into(), due: 0, under_way: 2 }, "2 deliveries to function `mail` (under way)"),
            (Busy::Deliveries { target: "queue:dead".into(), due: 1, under_way: 0 }, "1 delivery to queue `dead` (due)"),
            (
                Busy::Deliveries { target: "function:mail".into(), due: 3, under_way: 1 },
                "4 deliveries to function `mail` (1 under way, 3 due)",
            ),
            (Busy::Batches { mapping: mapping("work"), count: 2 }, "2 batches of queue `jobs` under way in function `work`"),
            (Busy::Queue { queue: "jobs".into(), function: "work".into() }, "messages of queue `jobs` not yet taken by function `work`"),
            (Busy::Stream { table: "t".into(), function: "f".into(), count: 7 }, "7 changes of table `t` not yet read by function `f`"),
        ];
        for (busy, text) in rows {
            assert_eq!(busy.to_string(), text);
        }
    }
}
