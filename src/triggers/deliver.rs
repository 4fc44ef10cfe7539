//! Makes one delivery, and settles what follows from it in one transaction.

use std::sync::Arc;

use bytes::Bytes;

use super::engine::DATABASE_RETRY;
use super::firebase;
use super::policy::{self, Condition, Outcome, Verdict};
use super::ports::{Answer, Asked, PortError, Refusal};
use super::rules::{MESSAGE_AGE_MAX_MS, too_deep};
use super::store::{self, Delivery, Draft, Envelope, Origin, Target};
use super::table::{Callee, Table};
use super::tell::{self, Attempt, Ended};
use super::world::World;
use crate::base::{Call, Time, Usage};
use crate::project::Destination;
use crate::store::{Error, Tx};
use crate::telemetry;
use crate::wire::aws::lambda::event::{self, ended};

/// Tries a delivery once and settles it. A time is one until which what goes to the same queue or topic must wait for it.
pub(super) async fn attempt(world: &Arc<World>, delivery: &Delivery) -> Option<Time> {
    let (source, target) = (delivery.source.clone(), delivery.target.shown());
    let attempt = world.attempt(&delivery.origin, Some(delivery.id), source, target, delivery.attempts);
    let call = Call { era: delivery.era.clone(), ..delivery.origin.call_for(delivery.id) };
    let sent = match &delivery.target {
        Target::Function(name) => {
            call_function(world, delivery, name, &call, attempt).await;
            return None;
        }
        Target::Queue(name) | Target::Topic(name) => {
            let (body, envelope) = (String::from_utf8_lossy(&delivery.payload), delivery.envelope.clone().unwrap_or_default());
            match delivery.target {
                Target::Queue(_) => world.ports.queues.send(&call, name, &body, &envelope).await,
                _ => world.ports.topics.publish(&call, name, &body, &envelope).await,
            }
        }
    };
    settle_message(world, delivery, sent, (attempt, call.meter.total())).await
}

/// Gives a delivery back, untouched, until `due`.
pub(super) async fn put_back(world: &Arc<World>, delivery: &Delivery, due: Time) {
    settle(world, delivery, move |tx, delivery| store::again_in(tx, delivery, delivery.failures, due).map(|_| ())).await;
}

async fn call_function(world: &Arc<World>, delivery: &Delivery, name: &str, call: &Call, attempt: Attempt<'_>) {
    let table = world.table.load_full();
    let Some(callee) = table.functions.get(name).cloned() else {
        let reason = format!("there is no function `{name}` (any more)");
        world.tell(attempt, Ended::dead(&reason, grave(delivery)));
        return bury(world, delivery, reason, String::new()).await;
    };
    if world.db.now() > delivery.expires {
        let over = Over { table, callee, condition: Condition::EventAgeExceeded, answer: None, detail: String::new() };
        world.tell(attempt, Ended::dead(over.reason(delivery), over.grave()));
        return settle(world, delivery, move |tx, delivery| over.settle_in(tx, delivery)).await;
    }
    let asked = Asked { event: firebase::attempt(delivery), trigger: telemetry::trigger(&delivery.source), with_log: false };
    let result = world.ports.invoker.invoke(call, name, asked).await;
    let (outcome, told, answer, detail) = match result {
        Ok(Answer { failed: None, payload, .. }) if let Some(what) = firebase::refused(&callee, &payload) => {
            (Outcome::Failed, tell::failed(&what), Some(payload), what)
        }
        Ok(Answer { failed: None, payload, .. }) => (Outcome::Succeeded, telemetry::Outcome::Succeeded, Some(payload), String::new()),
        Ok(Answer { failed: Some(what), payload, .. }) => (Outcome::Failed, tell::failed(&what), Some(payload), what),
        Err(refusal @ Refusal::Throttled) => (Outcome::NotRun, tell::refused(&refusal), None, refusal.to_string()),
        Err(refusal @ (Refusal::Unavailable(_) | Refusal::NoFunction(_))) => {
            (Outcome::Failed, tell::refused(&refusal), None, refusal.to_string())
        }
    };
    let mut ended = Ended { own: tell::run_of(&delivery.source, delivery.attempts), ..Ended::of(told) };
    let verdict = policy::judge(&table, &callee, delivery, outcome, world.db.now());
    let over = |condition, detail| Over { table: table.clone(), callee: callee.clone(), condition, answer: answer.clone(), detail };
    match verdict {
        Verdict::Done => {
            world.tell(attempt, ended);
            let over = over(Condition::Success, String::new());
            settle(world, delivery, move |tx, delivery| over.settle_in(tx, delivery)).await;
        }
        Verdict::Again { failures, due } => {
            ended.again = Some(due);
            world.tell(attempt, ended);
            let wait_ms = due.0.saturating_sub(world.db.now().0);
            tracing::info!(function = %callee.key, wait_ms, "tried again later: {detail}");
            settle(world, delivery, move |tx, delivery| store::again_in(tx, delivery, failures, due).map(|_| ())).await;
        }
        Verdict::Over(condition) => {
            let over = over(condition, detail);
            ended.dead = Some(over.grave());
            world.tell(attempt, ended);
            settle(world, delivery, move |tx, delivery| over.settle_in(tx, delivery)).await;
        }
    }
}

async fn settle_message(
    world: &Arc<World>,
    delivery: &Delivery,
    sent: Result<(), PortError>,
    (attempt, own): (Attempt<'_>, Usage),
) -> Option<Time> {
    let Err(error) = sent else {
        world.tell(attempt, Ended { own, ..Ended::well() });
        settle(world, delivery, |tx, delivery| store::done_in(tx, delivery).map(|_| ())).await;
        return None;
    };
    let due = policy::resend_at(delivery, world.db.now()).filter(|_| error.passing);
    let dead = due.is_none().then(|| grave(delivery));
    world.tell(attempt, Ended { outcome: tell::refused(&error), again: due, dead, own });
    match due {
        Some(due) => settle(world, delivery, move |tx, delivery| store::again_in(tx, delivery, delivery.failures, due).map(|_| ())).await,
        None => bury(world, delivery, format!("{} could not take it", name_of(&delivery.target)), error.to_string()).await,
    }
    due
}

/// Where [`bury`] puts a delivery.
fn grave(delivery: &Delivery) -> String {
    let queue = delivery.envelope.as_ref().and_then(|envelope| envelope.dead_letters.as_ref());
    queue.map_or_else(|| tell::DEAD_LETTERS.to_owned(), |queue| format!("queue/{queue}"))
}

fn name_of(target: &Target) -> String {
    match target {
        Target::Function(name) => format!("function `{name}`"),
        Target::Queue(name) => format!("queue `{name}`"),
        Target::Topic(name) => format!("topic `{name}`"),
    }
}

async fn bury(world: &Arc<World>, delivery: &Delivery, reason: String, detail: String) {
    settle(world, delivery, move |tx, delivery| {
        if !store::done_in(tx, delivery)? {
            return Ok(());
        }
        let Some(queue) = delivery.envelope.as_ref().and_then(|envelope| envelope.dead_letters.clone()) else {
            return store::bury_in(tx, &delivery.letter(reason.clone(), detail.clone()));
        };
        let draft = Draft {
            target: Target::Queue(queue.into()),
            payload: delivery.payload.clone(),
            envelope: delivery.envelope.clone().map(|envelope| Envelope { dead_letters: None, ..envelope }),
            source: delivery.source.clone(),
            age_max_ms: MESSAGE_AGE_MAX_MS,
            origin: delivery.origin.clone(),
        };
        store::insert_in(tx, &draft).map(|_| ())
    })
    .await;
}

/// Stores what follows from an attempt: until it is stored, for otherwise the delivery would be held for ever.
async fn settle<F>(world: &Arc<World>, delivery: &Delivery, change: F)
where
    F: Fn(&mut Tx<'_>, &Delivery) -> Result<(), Error> + Send + Sync + 'static,
{
    let (change, delivery) = (Arc::new(change), Arc::new(delivery.clone()));
    loop {
        let (change, delivery) = (change.clone(), delivery.clone());
        match world.db.write(&Call::operator(), move |tx| change(tx, &delivery)).await {
            Ok(()) => return,
            Err(error) => tracing::error!(%error, "the outcome of a delivery could not be stored; trying again"),
        }
        tokio::time::sleep(DATABASE_RETRY).await;
    }
}

/// An asynchronous invocation that ended one way or the other.
struct Over {
    table: Arc<Table>,
    callee: Arc<Callee>,
    condition: Condition,
    /// The last answer, where there was one.
    answer: Option<Bytes>,
    detail: String,
}

impl Over {
    /// Where what is given up goes.
    fn grave(&self) -> String {
        let destination = self.callee.dead_letters.as_ref().or(self.callee.on_failure.as_ref());
        destination.map_or_else(|| tell::DEAD_LETTERS.to_owned(), tell::shown)
    }

    fn settle_in(&self, tx: &mut Tx<'_>, delivery: &Delivery) -> Result<(), Error> {
        if !store::done_in(tx, delivery)? {
            return Ok(());
        }
        let failed = self.condition != Condition::Success;
        let destination = if failed { &self.callee.on_failure } else { &self.callee.on_success };
        if let Some(destination) = destination {
            let record = self.record(tx.now(), delivery);
            send_in(tx, &self.table, destination, record.to_string().into(), Envelope::default(), &delivery.origin)?;
        }
        if let (true, Some(dead_letters)) = (failed, &self.callee.dead_letters) {
            send_in(tx, &self.table, dead_letters, delivery.payload.clone(), self.about_failure(delivery), &delivery.origin)?;
        } else if failed && destination.is_none() {
            store::bury_in(tx, &delivery.letter(self.reason(delivery), self.detail.clone()))?;
        }
        Ok(())
    }

    /// The attributes that an event has in a dead-letter queue. Source: "Adding a dead-letter queue" for asynchronous invocation.
    fn about_failure(&self, delivery: &Delivery) -> Envelope {
        const TEXT_CHARS_MAX: usize = 1_024;
        let text: String = self.detail.chars().take(TEXT_CHARS_MAX).collect();
        let text = if text.is_empty() { self.reason(delivery) } else { text };
        let attribute = |name: &str, kind: &str, text: String| (name.to_owned(), (kind.to_owned(), text));
        Envelope {
            attributes: [
                attribute("ErrorCode", "Number", "200".to_owned()),
                attribute("ErrorMessage", "String", text),
                attribute("RequestID", "String", delivery.request_id.clone()),
            ]
            .into(),
            ..Envelope::default()
        }
    }

    fn reason(&self, delivery: &Delivery) -> String {
        let key = &self.callee.key;
        match self.condition {
            Condition::Success => format!("function `{key}` succeeded"),
            Condition::RetriesExhausted => match self.callee.repetition {
                Some(_) if delivery.failures == 0 => format!("function `{key}` failed, and does not ask for retries"),
                Some(_) => format!("function `{key}` failed {} times, as often as it is tried", delivery.failures + 1),
                None => format!("function `{key}` failed {} times, as often as `maximumRetryAttempts` allows", delivery.failures + 1),
            },
            Condition::EventAgeExceeded => {
                let (seconds, age) = (
                    self.callee.event_age_max_ms / 1_000,
                    if self.callee.repetition.is_some() { "it may" } else { "its `maximumEventAge`" },
                );
                format!("the event for function `{key}` grew older than {age}, {seconds} s")
            }
        }
    }

    fn record(&self, at: Time, delivery: &Delivery) -> serde_json::Value {
        let failed = self.condition != Condition::Success;
        ended(&event::Ended {
            at,
            request_id: &delivery.request_id,
            function_arn: &self.table.function_arn(&self.callee.key),
            condition: match self.condition {
                Condition::Success => "Success",
                Condition::RetriesExhausted => "RetriesExhausted",
                Condition::EventAgeExceeded => "EventAgeExceeded",
            },
            invoke_count: delivery.attempts - u32::from(self.condition == Condition::EventAgeExceeded && self.answer.is_none()),
            request: &delivery.payload,
            response: self.answer.as_ref().map(|answer| (&answer[..], failed)),
        })
    }
}

/// Arranges that a record reaches a destination.
pub(super) fn send_in(
    tx: &mut Tx<'_>,
    table: &Table,
    destination: &Destination,
    record: Bytes,
    envelope: Envelope,
    origin: &Origin,
) -> Result<(), Error> {
    let origin = Origin { depth: origin.depth.saturating_add(1), ..origin.clone() };
    let (target, age_max_ms) = match destination {
        Destination::Queue(name) => (Target::Queue(name.as_str().into()), MESSAGE_AGE_MAX_MS),
        Destination::Topic(name) => (Target::Topic(name.as_str().into()), MESSAGE_AGE_MAX_MS),
        Destination::Function(name) => match table.function(name) {
            Some(callee) => (Target::Function(callee.key.clone()), callee.event_age_max_ms),
            None => (Target::Function(name.as_str().into()), MESSAGE_AGE_MAX_MS),
        },
    };
    let envelope = (!matches!(target, Target::Function(_))).then_some(envelope);
    let draft = Draft { target, payload: record, envelope, source: "destination".into(), age_max_ms, origin };
    match too_deep(draft.origin.depth) {
        Some(reason) => store::bury_in(tx, &draft.letter(reason)),
        None => store::insert_in(tx, &draft).map(|_| ()),
    }
}
