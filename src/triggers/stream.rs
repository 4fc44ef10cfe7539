//! Reads a table's stream for a function (a DynamoDB event source mapping): in order, one batch at a time.
//!
//! How far the function has come, and how it fares with what comes next, is stored: a batch that fails is tried again until it
//! succeeds or is given up, also after a restart, and nothing after it is touched before.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::Mapping;
use super::deliver::send_in;
use super::engine::DATABASE_RETRY;
use super::partial::{self, Batch};
use super::policy::{self, Step, StreamOutcome};
use super::ports::{Asked, PortError, Record};
use super::queue::{EVENT_BYTES_MAX, origin};
use super::rules::too_deep;
use super::store::{self, Cursor, Envelope, Letter, Origin, Target};
use super::table::StreamRule;
use super::tell::{self, Ended};
use super::world::{Busy, World};
use crate::base::{Call, Time};
use crate::project::Destination;
use crate::store::Error;
use crate::telemetry::Outcome;
use crate::wire::aws::lambda::event::{GivenUp, given_up};

/// Why a turn of the reader did not work.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Store(#[from] Error),
    #[error(transparent)]
    Port(#[from] PortError),
}

/// Runs until `stop`, then lets what is under way end.
pub(super) async fn run(world: Arc<World>, rule: Arc<StreamRule>, stop: CancellationToken) {
    let mut reader = Reader { call: Call::operator(), world, rule, stop };
    while !reader.stop.is_cancelled() {
        // What is read leads to what is stored, so both must be of the same state.
        let era = reader.world.db.era();
        reader.call = Call { era: Some(era.clone()), ..Call::operator() };
        let arrivals = reader.world.db.woken(&reader.world.ports.streams.wake_key(&reader.rule.table));
        let mut arrivals = std::pin::pin!(arrivals.notified());
        arrivals.as_mut().enable();
        let mut reloads = reader.world.reloads.subscribe();
        let turn = AssertUnwindSafe(reader.turn()).catch_unwind().await;
        reader.world.touched();
        let wait = match turn {
            Ok(Ok(Turn::Again)) => continue,
            Ok(Ok(Turn::Wait(until))) => until,
            Ok(Err(_)) if era.is_over() => continue,
            Ok(Err(error)) => {
                tracing::error!(table = reader.rule.table, %error, "the stream could not be read; trying again");
                tokio::select! { () = tokio::time::sleep(DATABASE_RETRY) => continue, () = reader.stop.cancelled() => return }
            }
            Err(_) => {
                tracing::error!(table = reader.rule.table, "a batch failed inside emu; this is a bug in emu, please report it");
                tokio::select! { () = tokio::time::sleep(DATABASE_RETRY) => continue, () = reader.stop.cancelled() => return }
            }
        };
        let due = async {
            match wait {
                Some(time) => reader.world.db.clock().sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // While a failed batch waits, what arrives behind it changes nothing.
            () = arrivals, if wait.is_none() => {}
            () = due => {}
            () = era.over() => {}
            _ = reloads.changed(), if wait.is_some() => reader.make_due().await,
            () = reader.stop.cancelled() => {}
        }
    }
}

enum Turn {
    Again,
    /// Until this time, or else until something arrives.
    Wait(Option<Time>),
}

struct Reader {
    /// What its reads and writes are made with.
    call: Call,
    world: Arc<World>,
    rule: Arc<StreamRule>,
    stop: CancellationToken,
}

/// Where the cursors of a table's stream are kept.
pub(super) fn source(table: &str) -> String {
    format!("tables:{table}")
}

impl Reader {
    async fn turn(&self) -> Result<Turn, Failure> {
        let (world, rule) = (&self.world, &self.rule);
        let busy = world.begin(Mapping::Stream { table: rule.table.clone(), function: rule.function.clone() });
        let cursor = self.cursor().await?;
        if cursor.due > world.db.now() {
            return Ok(Turn::Wait(Some(cursor.due)));
        }
        // Asked for first: what comes after it will wake us.
        let newest = world.ports.streams.newest(&rule.table).await?;
        let mut records = world.ports.streams.records(&rule.table, cursor.position, rule.batch_size).await?;
        let Some(first) = records.first() else {
            if newest <= cursor.position {
                return Ok(Turn::Wait(None));
            }
            // They were there and have expired.
            self.store(Cursor { position: newest, ..Cursor::default() }).await?;
            return Ok(Turn::Again);
        };
        match cursor.ends.iter().copied().find(|end| *end >= first.number) {
            Some(end) => records.retain(|record| record.number <= end),
            None => self.fill(&mut records, &busy).await?,
        }
        fit(&mut records);
        let Some(last) = records.last() else { return Ok(Turn::Again) };
        self.process(cursor, last.number, &records).await?;
        Ok(Turn::Again)
    }

    async fn cursor(&self) -> Result<Cursor, Failure> {
        let (source, function) = (source(&self.rule.table), self.rule.function.clone());
        let known = self.world.db.read(&self.call, |tx| store::cursor(tx, &source, &function)).await?;
        if let Some(cursor) = known {
            return Ok(cursor);
        }
        let position = if self.rule.from_latest { self.world.ports.streams.newest(&self.rule.table).await? } else { 0 };
        let cursor = Cursor { position, ..Cursor::default() };
        self.store(cursor.clone()).await?;
        Ok(cursor)
    }

    async fn store(&self, cursor: Cursor) -> Result<(), Error> {
        let (source, function) = (source(&self.rule.table), self.rule.function.clone());
        self.world.db.write(&self.call, move |tx| store::set_cursor_in(tx, &source, &function, &cursor)).await
    }

    async fn make_due(&self) {
        let (source, function) = (source(&self.rule.table), self.rule.function.clone());
        let made: Result<(), Error> = self
            .world
            .db
            .write(&self.call, move |tx| {
                let Some(cursor) = store::cursor(tx, &source, &function)? else { return Ok(()) };
                store::set_cursor_in(tx, &source, &function, &Cursor { due: Time(0), ..cursor })
            })
            .await;
        if let Err(error) = made {
            tracing::error!(%error, "a stream could not be made due");
        }
    }

    /// Waits for more records, as long as the window says.
    async fn fill(&self, records: &mut Vec<Record>, _busy: &Busy) -> Result<(), Failure> {
        let (world, rule) = (&self.world, &self.rule);
        let (end, napper) = (world.db.now().plus_ms(rule.window_ms), world.db.clock().napper());
        while rule.window_ms > 0 && records.len() < rule.batch_size && world.db.now() < end && !self.stop.is_cancelled() {
            let arrivals = world.db.woken(&world.ports.streams.wake_key(&rule.table));
            let mut arrivals = std::pin::pin!(arrivals.notified());
            arrivals.as_mut().enable();
            let after = records.last().map_or(0, |last| last.number);
            let more = world.ports.streams.records(&rule.table, after, rule.batch_size - records.len()).await?;
            if more.is_empty() {
                tokio::select! {
                    () = arrivals => {}
                    () = napper.until(end) => {}
                    () = self.stop.cancelled() => {}
                }
            }
            records.extend(more);
        }
        Ok(())
    }

    async fn process(&self, cursor: Cursor, end: i64, records: &[Record]) -> Result<(), Failure> {
        let rule = &self.rule;
        let wanted: Vec<&Record> =
            records.iter().filter(|r| rule.filters.is_empty() || rule.filters.iter().any(|filter| filter.matches(&r.record))).collect();
        let Some(origin) = origin(wanted.iter().map(|record| &record.origin)) else {
            let ends = cursor.ends.into_iter().filter(|e| *e > end).collect();
            return Ok(self.store(Cursor { position: end, ends, ..Cursor::default() }).await?);
        };
        if let Some(reason) = too_deep(origin.depth) {
            let attempt = self.world.attempt(&origin, None, format!("tables/{}", rule.table), rule.function.to_string(), 0);
            self.world.tell(attempt, Ended::dead(&reason, tell::DEAD_LETTERS.to_owned()));
            let step = Step { cursor: Cursor { position: end, ..Cursor::default() }, given_up: Some((0..wanted.len(), "")) };
            return self.settle(step, &wanted, &origin, reason, String::new(), cursor.failures).await;
        }
        let number = self.world.batch_number();
        let attempt = self.world.attempt(
            &origin,
            Some(number),
            format!("tables/{}", rule.table),
            rule.function.to_string(),
            cursor.failures.saturating_add(1),
        );
        let (outcome, detail, request_id) = self.call_function(&wanted, &origin, number).await;
        let numbers: Vec<i64> = wanted.iter().map(|record| record.number).collect();
        let oldest = wanted.first().map_or(Time(0), |record| record.at);
        let step = policy::judge_batch(rule, &cursor, &numbers, end, oldest, &outcome, self.world.db.now());
        if outcome != StreamOutcome::Succeeded {
            let wait_ms = step.cursor.due.0.saturating_sub(self.world.db.now().0).max(0);
            let dead = step.given_up.as_ref().map(|(_, condition)| self.grave(condition));
            let again = (dead.is_none()).then_some(step.cursor.due);
            let told = match &outcome {
                StreamOutcome::FailedFrom(_) => Outcome::Failed { kind: "BatchItemFailures".to_owned(), message: detail.clone() },
                _ => tell::failed(&detail),
            };
            self.world.tell(attempt, Ended { again, dead, ..Ended::of(told) });
            tracing::warn!(function = %rule.function, table = rule.table, wait_ms, "a batch of {} failed: {detail}", wanted.len());
        } else {
            self.world.tell(attempt, Ended::well());
        }
        self.settle(step, &wanted, &origin, detail, request_id, cursor.failures).await
    }

    /// Where records go that are given up for this reason.
    fn grave(&self, condition: &str) -> String {
        let destination = self.rule.on_failure.as_ref().filter(|_| !condition.is_empty());
        destination.map_or_else(|| tell::DEAD_LETTERS.to_owned(), tell::shown)
    }

    async fn call_function(&self, batch: &[&Record], origin: &Origin, number: i64) -> (StreamOutcome, String, String) {
        let records: Vec<&Value> = batch.iter().map(|record| &record.record).collect();
        let event = Bytes::from(json!({ "Records": records }).to_string());
        let trigger = crate::telemetry::trigger(&format!("tables/{}", self.rule.table));
        let asked = Asked { event, trigger, with_log: false };
        let call = Call { era: self.call.era.clone(), ..origin.call_for(number) };
        match self.world.ports.invoker.invoke(&call, &self.rule.function, asked).await {
            Ok(answer) => match answer.failed {
                Some(what) => (StreamOutcome::Failed, what, answer.request_id),
                None if self.rule.partial_failures => {
                    let ids: Vec<&str> = batch.iter().map(|record| record.id.as_str()).collect();
                    let (outcome, detail) = match partial::read(&answer.payload, &ids) {
                        Batch::Done => (StreamOutcome::Succeeded, String::new()),
                        Batch::Failed(indices) => match indices.first() {
                            Some(index) => {
                                (StreamOutcome::FailedFrom(*index), format!("the function reported record {} as failed", ids[*index]))
                            }
                            None => (StreamOutcome::Succeeded, String::new()),
                        },
                        Batch::Unclear(why) => (StreamOutcome::Failed, why),
                    };
                    (outcome, detail, answer.request_id)
                }
                None => (StreamOutcome::Succeeded, String::new(), answer.request_id),
            },
            Err(refusal) => (StreamOutcome::Failed, refusal.to_string(), String::new()),
        }
    }

    /// Stores where the stream stands and, where records are given up, sends word of them: in one transaction.
    async fn settle(
        &self,
        step: Step,
        batch: &[&Record],
        origin: &Origin,
        detail: String,
        request_id: String,
        failures: u32,
    ) -> Result<(), Failure> {
        let (source, rule, cursor) = (source(&self.rule.table), self.rule.clone(), step.cursor);
        let given_up = match step.given_up {
            Some((range, why)) => self.given_up(&batch[range], why, detail, request_id, failures).await,
            None => None,
        };
        let (table, origin) = (self.world.table.load_full(), origin.clone());
        let stored: Result<(), Error> = self
            .world
            .db
            .write(&self.call, move |tx| {
                store::set_cursor_in(tx, &source, &rule.function, &cursor)?;
                match given_up {
                    Some(Lost::Record(destination, record)) => {
                        send_in(tx, &table, &destination, record.into(), Envelope::default(), &origin)
                    }
                    Some(Lost::Letter(letter)) => store::bury_in(tx, &letter),
                    None => Ok(()),
                }
            })
            .await;
        Ok(stored?)
    }

    async fn given_up(&self, lost: &[&Record], condition: &'static str, detail: String, request_id: String, failures: u32) -> Option<Lost> {
        let rule = &self.rule;
        let attempts = failures.saturating_add(1);
        let (first, last) = (lost.first()?, lost.last()?);
        if let (Some(destination), false) = (&rule.on_failure, condition.is_empty()) {
            let names = self.world.ports.streams.names(&rule.table).await;
            let record = given_up(&GivenUp {
                at: self.world.db.now(),
                request_id: &request_id,
                function_arn: &self.world.table.load().function_arn(&rule.function),
                condition,
                invoke_count: attempts,
                stream_arn: &names.arn,
                shard_id: &names.shard,
                first: (&first.id, first.at),
                last: (&last.id, last.at),
                batch_size: lost.len(),
            });
            return Some(Lost::Record(destination.clone(), record.to_string()));
        }
        let records: Vec<&Value> = lost.iter().map(|record| &record.record).collect();
        let reason = match condition {
            "RecordAgeExceeded" => "the records grew older than a stream keeps them".to_owned(),
            "RetryAttemptsExhausted" => {
                format!("function `{}` failed {attempts} times, as often as `maximumRetryAttempts` allows", rule.function)
            }
            _ => detail.clone(),
        };
        Some(Lost::Letter(Box::new(Letter {
            target: Target::Function(rule.function.clone()).to_string(),
            payload: json!({ "Records": records }).to_string().into(),
            envelope: None,
            source: format!("tables/{}", rule.table),
            origin: first.origin.clone(),
            reason,
            detail,
            attempts,
            request_id,
        })))
    }
}

/// Cuts the batch where it would not fit into an event; one record is always left.
fn fit(records: &mut Vec<Record>) {
    let mut bytes = 64;
    let fitting = records.iter().take_while(|record| {
        bytes += record.record.to_string().len() + 1;
        bytes <= EVENT_BYTES_MAX
    });
    let fitting = fitting.count().max(1);
    records.truncate(fitting);
}

/// What becomes of records that are given up.
enum Lost {
    Record(Destination, String),
    Letter(Box<Letter>),
}
