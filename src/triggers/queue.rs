//! Consumes a queue for a function (an SQS event source mapping).
//!
//! What the function did is deleted; what it failed on stays hidden until the queue's visibility timeout ends and then comes
//! back, or moves to the dead-letter queue, as the queue's redrive policy says.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Mapping;
use super::engine::DATABASE_RETRY;
use super::partial::{self, Batch};
use super::pattern::Pattern;
use super::ports::{Answer, Asked, Message, PortError, Refusal};
use super::rules::too_deep;
use super::store::{self, Letter, Origin, Target};
use super::table::QueueRule;
use super::tell::{self, Ended};
use super::world::{Busy, World};
use crate::base::{Call, Era, Time};
use crate::store::Error;
use crate::telemetry::Outcome;

/// Bytes of an event that a function takes at most.
pub(super) const EVENT_BYTES_MAX: usize = 6_291_556;

/// Runs until `stop`, then lets what is under way end.
pub(super) async fn run(world: Arc<World>, rule: Arc<QueueRule>, stop: CancellationToken) {
    let mut running: JoinSet<()> = JoinSet::new();
    while !stop.is_cancelled() {
        let arrivals = world.db.woken(&world.ports.queues.wake_key(&rule.queue));
        let mut arrivals = std::pin::pin!(arrivals.notified());
        arrivals.as_mut().enable();
        let mut next = None;
        // Everything that becomes of the messages belongs to the state that they were taken from.
        let call = Call { era: Some(world.db.era()), ..Call::operator() };
        if running.len() < rule.concurrency_max {
            match collect(&world, &rule, &stop, &call).await {
                Ok(Collected::Batch(messages, busy)) => {
                    // What receiving them took is the first part's.
                    let mut bill = call.meter.clone();
                    for batch in cut(messages) {
                        let (world, rule, busy) = (world.clone(), rule.clone(), busy.clone());
                        let call = Call { meter: std::mem::take(&mut bill), ..call.clone() };
                        running.spawn(async move {
                            let done = AssertUnwindSafe(process(&world, &rule, batch, &call)).catch_unwind().await;
                            if done.is_err() {
                                tracing::error!(queue = rule.queue, "a batch failed inside emu; this is a bug in emu, please report it");
                            }
                            drop(busy);
                        });
                    }
                    while running.try_join_next().is_some() {}
                    continue;
                }
                Ok(Collected::Nothing(until)) => next = until,
                Err(_) if call.era.as_ref().is_some_and(Era::is_over) => continue,
                Err(error) => {
                    tracing::error!(queue = rule.queue, %error, "the queue could not be read; trying again");
                    tokio::select! { () = tokio::time::sleep(DATABASE_RETRY) => continue, () = stop.cancelled() => break }
                }
            }
        }
        world.touched();
        let due = async {
            match next {
                Some(time) => world.db.clock().sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = arrivals => {}
            () = due => {}
            Some(_) = running.join_next(), if !running.is_empty() => {}
            () = stop.cancelled() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

enum Collected {
    Batch(Vec<Message>, Arc<Busy>),
    /// Nothing before this time, unless something arrives.
    Nothing(Option<Time>),
}

/// Receives a batch: as many as there are, or as come within the window.
async fn collect(world: &Arc<World>, rule: &QueueRule, stop: &CancellationToken, call: &Call) -> Result<Collected, PortError> {
    // Counted from before the messages are hidden, so that nobody sees neither the messages nor the work.
    let mapping = Mapping::Queue { queue: rule.queue.clone(), function: rule.function.clone() };
    let busy = Arc::new(world.begin(mapping));
    let queues = &world.ports.queues;
    // Before the look: the clock may be moved between it and the next, and what becomes visible then has not been looked for. What was
    // visible before and did not come is held back by other messages, and comes with the end of those.
    let asked = world.db.now();
    let mut batch = queues.receive(call, &rule.queue, rule.batch_size).await?;
    if batch.is_empty() {
        let next = queues.next_visible(&rule.queue).await?;
        return Ok(Collected::Nothing(next.filter(|next| *next > asked)));
    }
    let (end, napper) = (world.db.now().plus_ms(rule.window_ms), world.db.clock().napper());
    while rule.window_ms > 0 && batch.len() < rule.batch_size && world.db.now() < end && !stop.is_cancelled() {
        let arrivals = world.db.woken(&queues.wake_key(&rule.queue));
        let mut arrivals = std::pin::pin!(arrivals.notified());
        arrivals.as_mut().enable();
        let asked = world.db.now();
        let more = queues.receive(call, &rule.queue, rule.batch_size - batch.len()).await?;
        if more.is_empty() {
            let next = queues.next_visible(&rule.queue).await?.filter(|next| *next > asked);
            let until = next.map_or(end, |next| next.min(end));
            tokio::select! {
                () = arrivals => {}
                () = napper.until(until) => {}
                () = stop.cancelled() => {}
            }
        }
        batch.extend(more);
    }
    Ok(Collected::Batch(batch, busy))
}

/// Cuts a batch so that each part fits into an event.
fn cut(messages: Vec<Message>) -> Vec<Vec<Message>> {
    const FRAME: usize = 64;
    let mut parts: Vec<Vec<Message>> = Vec::new();
    let mut bytes = usize::MAX;
    for message in messages {
        let size = message.record.to_string().len() + 1;
        if bytes.saturating_add(size) > EVENT_BYTES_MAX {
            parts.push(Vec::new());
            bytes = FRAME;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(message);
        }
    }
    parts
}

/// Whether a message is one that the mapping asks for. Its body counts as JSON where the pattern looks into it.
fn wanted(filters: &[Pattern], record: &Value) -> bool {
    if filters.is_empty() {
        return true;
    }
    let parsed = record.get("body").and_then(Value::as_str).and_then(|body| serde_json::from_str::<Value>(body).ok());
    filters.iter().any(|filter| match &parsed {
        Some(body) if filter.nests("body") => {
            let mut record = record.clone();
            record["body"] = body.clone();
            filter.matches(&record)
        }
        _ => filter.matches(record),
    })
}

/// What a batch goes on with: the trace of its first record, and the depth of the deepest.
pub(super) fn origin<'a>(mut origins: impl Iterator<Item = &'a Origin>) -> Option<Origin> {
    let mut joint = origins.next()?.clone();
    joint.depth = origins.map(|origin| origin.depth).fold(joint.depth, u16::max);
    Some(joint)
}

async fn process(world: &Arc<World>, rule: &QueueRule, batch: Vec<Message>, own: &Call) {
    let (batch, mut finished): (Vec<Message>, Vec<Message>) = batch.into_iter().partition(|message| wanted(&rule.filters, &message.record));
    let (batch, deep): (Vec<Message>, Vec<Message>) = batch.into_iter().partition(|message| too_deep(message.origin.depth).is_none());
    if !deep.is_empty() && bury(world, rule, &deep, own).await {
        finished.extend(deep);
    }
    let Some(origin) = origin(batch.iter().map(|message| &message.origin)) else { return delete(world, rule, finished, own).await };
    let (number, source) = (world.batch_number(), format!("queues/{}", rule.queue));
    let attempt = world.attempt(&origin, Some(number), source, rule.function.to_string(), receives(&batch));
    let (failed, outcome) = call_function(world, rule, &batch, &Call { era: own.era.clone(), ..origin.call_for(number) }).await;
    finished.extend(batch.into_iter().enumerate().filter(|(index, _)| failed.binary_search(index).is_err()).map(|(_, message)| message));
    delete(world, rule, finished, own).await;
    world.tell(attempt, Ended { own: own.meter.total(), ..Ended::of(outcome) });
}

async fn delete(world: &Arc<World>, rule: &QueueRule, finished: Vec<Message>, own: &Call) {
    // Those of a state that is gone are gone with it.
    if finished.is_empty() || own.era.as_ref().is_some_and(Era::is_over) {
        return;
    }
    let receipts = finished.into_iter().map(|message| message.receipt).collect();
    if let Err(error) = world.ports.queues.delete(own, &rule.queue, receipts).await {
        tracing::error!(queue = rule.queue, %error, "messages that were dealt with could not be deleted; they will be delivered again");
    }
}

/// Calls the function; answers the indices of the messages that are to come back, rising, and how it went.
async fn call_function(world: &Arc<World>, rule: &QueueRule, batch: &[Message], call: &Call) -> (Vec<usize>, Outcome) {
    let records: Vec<&Value> = batch.iter().map(|message| &message.record).collect();
    let event = Bytes::from(serde_json::json!({ "Records": records }).to_string());
    let (function, queue) = (&rule.function, &rule.queue);
    let asked = Asked { event, trigger: crate::telemetry::trigger(&format!("queues/{queue}")), with_log: false };
    let result = world.ports.invoker.invoke(call, function, asked).await;
    let ids: Vec<&str> = batch.iter().map(|message| message.id.as_str()).collect();
    let (indices, outcome) = judge(rule, &result, &ids);
    if let Outcome::Failed { message, .. } | Outcome::Refused { message } = &outcome {
        let (back, all) = (indices.len(), batch.len());
        tracing::warn!(%function, queue, "{back} of {all} messages come back after the visibility timeout: {message}");
    }
    (indices, outcome)
}

/// How often the first message of a batch was received, this time included.
fn receives(batch: &[Message]) -> u32 {
    let count = batch.first().and_then(|message| message.record.pointer("/attributes/ApproximateReceiveCount"));
    count.and_then(Value::as_str).and_then(|count| count.parse().ok()).unwrap_or(1)
}

/// The indices of the messages that are to come back, and how the batch went.
fn judge(rule: &QueueRule, result: &Result<Answer, Refusal>, ids: &[&str]) -> (Vec<usize>, Outcome) {
    let all = || (0..ids.len()).collect();
    let failed = |message| Outcome::Failed { kind: "BatchItemFailures".to_owned(), message };
    match result {
        Err(refusal) => (all(), tell::refused(refusal)),
        Ok(Answer { failed: Some(what), .. }) => (all(), tell::failed(what)),
        Ok(_) if !rule.partial_failures => (Vec::new(), Outcome::Succeeded),
        Ok(answer) => match partial::read(&answer.payload, ids) {
            Batch::Done => (Vec::new(), Outcome::Succeeded),
            Batch::Failed(indices) => {
                let message = format!("{} of {} messages failed", indices.len(), ids.len());
                (indices, failed(message))
            }
            Batch::Unclear(why) => (all(), failed(format!("the whole batch counts as failed: {why}"))),
        },
    }
}

/// Keeps messages that came round in a circle as dead letters. False where they could not be kept.
async fn bury(world: &Arc<World>, rule: &QueueRule, messages: &[Message], own: &Call) -> bool {
    let letters: Vec<Letter> = messages
        .iter()
        .map(|message| Letter {
            target: Target::Function(rule.function.clone()).to_string(),
            payload: serde_json::json!({ "Records": [message.record] }).to_string().into(),
            envelope: None,
            source: format!("queues/{}", rule.queue),
            origin: message.origin.clone(),
            reason: too_deep(message.origin.depth).unwrap_or_default(),
            detail: String::new(),
            attempts: 0,
            request_id: String::new(),
        })
        .collect();
    letters.iter().for_each(|letter| world.tell_buried(letter));
    let kept: Result<(), Error> = world.db.write(own, move |tx| letters.iter().try_for_each(|letter| store::bury_in(tx, letter))).await;
    kept.is_ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::{Cause, TraceId};

    #[test]
    fn a_pattern_looks_into_a_body_of_json_and_at_a_body_of_text() {
        let rows = [
            (json!({"body": {"kind": ["paid"]}}), r#"{"kind":"paid"}"#, true),
            (json!({"body": {"kind": ["paid"]}}), r#"{"kind":"open"}"#, false),
            (json!({"body": {"kind": ["paid"]}}), "kind paid", false),
            (json!({"body": ["hello"]}), "hello", true),
            (json!({"body": [{"prefix": "{"}]}), "{}", true),
            (json!({"messageAttributes": {"a": {"stringValue": ["x"]}}}), "anything", true),
        ];
        for (pattern, body, expected) in rows {
            let record = json!({"body": body, "messageAttributes": {"a": {"stringValue": "x"}}});
            assert_eq!(wanted(&[Pattern::parse(&pattern).expect("a pattern")], &record), expected, "{pattern} on {body}");
        }
    }

    #[test]
    fn a_batch_is_cut_where_it_would_not_fit_into_an_event() {
        let message = |bytes: usize| Message {
            id: "m".into(),
            receipt: "r".into(),
            record: json!({ "body": "x".repeat(bytes) }),
            origin: Origin { trace: TraceId("t".into()), cause: Cause::Operator, depth: 1 },
        };
        let sizes: Vec<usize> = cut((0..13).map(|_| message(1_000_000)).collect()).iter().map(Vec::len).collect();
        assert_eq!(sizes, [6, 6, 1]);
        assert_eq!(cut(vec![message(7_000_000)]).len(), 1, "what never fits is left for the function's own refusal");
    }
}
