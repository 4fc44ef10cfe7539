//! A World to test in.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::sync::{Notify, Semaphore};

use crate::base::{Call, Cause, Clock, Ids, Time, TraceId};
use crate::project::{EventSource, Function, Isolation, Project, Settings};
use crate::services::schedules;
use crate::store::{Db, Error, Event, Options, Tx, outbox};
use crate::telemetry::{self, Sink, Subscriber};
use crate::triggers::ports::{
    Answer, Asked, Dialect, Happening, Invoker, Message, PortError, Queues, Recipient, Record, Refusal, StreamNames, Streams, Topics,
};
use crate::triggers::store::{Envelope, Origin};
use crate::triggers::table::Table;
use crate::triggers::{Ports, Triggers};
use crate::wire::aws::arn::Account;

/// What a function does when it is called.
#[derive(Clone)]
pub(super) enum Does {
    Answer(&'static str),
    Fail,
    Throttle,
    Panic,
    /// Waits for a permit, then answers `null`.
    Wait(Arc<Semaphore>),
}

/// Everything that happens outside the triggers.
#[derive(Default)]
pub(super) struct Outside {
    /// `NAME EVENT`, in the order of the calls.
    pub(super) calls: Mutex<Vec<String>>,
    pub(super) depths: Mutex<Vec<u16>>,
    /// What the calls were for, and what they named as their cause.
    pub(super) causes: Mutex<Vec<(String, Cause)>>,
    /// What a function does on its next calls; the last one stands for all further ones.
    does: Mutex<HashMap<String, Vec<Does>>>,
    called: Notify,
    pub(super) messages: Mutex<Vec<Waiting>>,
    /// `QUEUE BODY` or `TOPIC MESSAGE` that were sent.
    pub(super) sent: Mutex<Vec<String>>,
    pub(super) refuses: Mutex<Option<PortError>>,
    records: Mutex<Vec<Record>>,
    clock: Mutex<Option<Clock>>,
    /// Moves the clock by so many milliseconds just before somebody is told when the next message is visible, once.
    pub(super) jump_ms: AtomicI64,
}

/// A message of the stand-in's queue.
pub(super) struct Waiting {
    pub(super) body: String,
    pub(super) visible: Time,
    pub(super) receives: u32,
    depth: u16,
}

pub(super) const VISIBILITY_MS: i64 = 30_000;

#[async_trait]
impl Invoker for Outside {
    async fn invoke(&self, call: &Call, name: &str, asked: Asked) -> Result<Answer, Refusal> {
        self.causes.lock().expect("unpoisoned").push((asked.trigger.to_string(), call.cause.clone()));
        let shown = serde_json::from_slice::<Value>(&asked.event).map_or_else(|_| "?".to_owned(), |event| brief(&event));
        self.calls.lock().expect("unpoisoned").push(format!("{name} {shown}"));
        self.depths.lock().expect("unpoisoned").push(call.depth);
        self.called.notify_one();
        let does = {
            let mut all = self.does.lock().expect("unpoisoned");
            match all.get_mut(name) {
                Some(list) if list.len() > 1 => list.remove(0),
                Some(list) => list[0].clone(),
                None => Does::Answer("null"),
            }
        };
        let (payload, failed) = match does {
            Does::Answer(payload) => (payload, None),
            Does::Fail => (r#"{"errorType":"Error","errorMessage":"no"}"#, Some("Error: no".to_owned())),
            Does::Throttle => return Err(Refusal::Throttled),
            Does::Panic => panic!("on purpose"),
            Does::Wait(gate) => {
                gate.acquire().await.expect("the gate is open some day").forget();
                ("null", None)
            }
        };
        Ok(Answer { payload: payload.into(), failed, request_id: "r".into(), log: String::new() })
    }
}

/// The bodies or numbers of `Records`, or the event itself.
fn brief(event: &Value) -> String {
    let Some(records) = event.get("Records").and_then(Value::as_array) else { return event.to_string() };
    let short =
        |record: &Value| record.get("body").or(record.get("n")).map_or_else(|| record.to_string(), |v| v.to_string().replace('"', ""));
    format!("[{}]", records.iter().map(short).collect::<Vec<_>>().join(" "))
}

#[async_trait]
impl Queues for Outside {
    fn wake_key(&self, queue: &str) -> String {
        format!("queue {queue}")
    }

    async fn receive(&self, _call: &Call, _queue: &str, limit: usize) -> Result<Vec<Message>, PortError> {
        let now = self.now();
        let mut messages = self.messages.lock().expect("unpoisoned");
        let due = messages.iter_mut().filter(|message| message.visible <= now).take(limit);
        Ok(due
            .map(|message| {
                message.visible = now.plus_ms(VISIBILITY_MS);
                message.receives += 1;
                Message {
                    id: message.body.clone(),
                    receipt: message.body.clone(),
                    record: json!({ "messageId": message.body, "body": message.body }),
                    origin: Origin { depth: message.depth, ..origin() },
                }
            })
            .collect())
    }

    async fn delete(&self, _call: &Call, _queue: &str, receipts: Vec<String>) -> Result<(), PortError> {
        self.messages.lock().expect("unpoisoned").retain(|message| !receipts.contains(&message.body));
        Ok(())
    }

    async fn next_visible(&self, _queue: &str) -> Result<Option<Time>, PortError> {
        if let Some(clock) = &*self.clock.lock().expect("unpoisoned") {
            clock.advance_ms(self.jump_ms.swap(0, Ordering::Relaxed));
        }
        Ok(self.messages.lock().expect("unpoisoned").iter().map(|message| message.visible).min())
    }

    async fn send(&self, _call: &Call, queue: &str, body: &str, _envelope: &Envelope) -> Result<(), PortError> {
        self.take(queue, body)
    }
}

#[async_trait]
impl Topics for Outside {
    async fn publish(&self, _call: &Call, topic: &str, message: &str, _envelope: &Envelope) -> Result<(), PortError> {
        self.take(topic, message)
    }
}

#[async_trait]
impl Streams for Outside {
    fn wake_key(&self, table: &str) -> String {
        format!("stream {table}")
    }

    async fn records(&self, _table: &str, after: i64, limit: usize) -> Result<Vec<Record>, PortError> {
        let records = self.records.lock().expect("unpoisoned");
        Ok(records.iter().filter(|record| record.number > after).take(limit).cloned().collect())
    }

    async fn newest(&self, _table: &str) -> Result<i64, PortError> {
        Ok(self.records.lock().expect("unpoisoned").last().map_or(0, |record| record.number))
    }

    async fn names(&self, table: &str) -> StreamNames {
        StreamNames { arn: format!("arn of {table}"), shard: "shard".into() }
    }
}

impl Dialect for Outside {
    fn read(&self, row: &outbox::Row, _table: &Table) -> Result<Happening, PortError> {
        let body: Value = serde_json::from_str(&row.body).map_err(PortError::lasting)?;
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        Ok(match row.source.as_str() {
            "objects" => {
                let event = json!({ "key": text("key") });
                Happening::Object { bucket: row.resource.clone(), key: text("key"), name: text("name"), event }
            }
            "topics" => Happening::Addressed(vec![
                Recipient::Function { name: text("function"), event: json!({ "sns": text("message") }), dead_letters: None },
                Recipient::Queue {
                    name: text("queue"),
                    body: text("message"),
                    envelope: Envelope { dead_letters: body["dead_letters"].as_str().map(Into::into), ..Envelope::default() },
                },
            ]),
            _ => Happening::Nothing,
        })
    }
}

impl Outside {
    /// From the next call on, `function` does this, then that.
    pub(super) fn set(&self, function: &str, does: &[Does]) {
        self.does.lock().expect("unpoisoned").insert(function.into(), does.to_vec());
    }

    fn now(&self) -> Time {
        self.clock.lock().expect("unpoisoned").as_ref().map_or(Time(0), Clock::now)
    }

    fn take(&self, to: &str, body: &str) -> Result<(), PortError> {
        if let Some(refusal) = self.refuses.lock().expect("unpoisoned").clone() {
            return Err(refusal);
        }
        if to == "gone" {
            return Err(PortError::lasting("there is no queue `gone`"));
        }
        self.sent.lock().expect("unpoisoned").push(format!("{to} {body}"));
        Ok(())
    }
}

pub(super) fn origin() -> Origin {
    Origin { trace: TraceId("t".into()), cause: Cause::Operator, depth: 1 }
}

pub(super) struct Bench {
    pub(super) outside: Arc<Outside>,
    pub(super) clock: Clock,
    pub(super) db: Db,
    pub(super) triggers: Triggers,
    told: Mutex<Subscriber>,
}

/// A World in `folder` with the triggers of `project`; again in the same folder is a restart.
pub(super) async fn open(folder: &Path, project: &Project, time: Time) -> Bench {
    let clock = Clock::frozen(time);
    let options = Options { path: folder.join("state.db"), clock: clock.clone(), ids: Ids::random(), ephemeral: true };
    let db = Db::open(options, &[&crate::triggers::SCHEMA, &schedules::SCHEMA]).expect("the database opens");
    let outside = Arc::new(Outside::default());
    *outside.clock.lock().expect("unpoisoned") = Some(clock.clone());
    let sink = Sink::new(1_000);
    let ports = Ports {
        invoker: outside.clone(),
        queues: outside.clone(),
        streams: outside.clone(),
        topics: outside.clone(),
        dialect: outside.clone(),
        sink: sink.clone(),
    };
    let told = sink.subscribe();
    let triggers = Triggers::start(db.clone(), ports, Account::local("us-east-1")).await.expect("the triggers start");
    let bench = Bench { outside, clock, db, triggers, told: Mutex::new(told) };
    bench.apply(project).await;
    bench
}

impl Bench {
    pub(super) async fn apply(&self, project: &Project) {
        assert_eq!(self.triggers.apply(project).await.expect("applied"), Vec::<String>::new());
    }

    /// From the next call on, `function` does this, then that.
    pub(super) fn does(&self, function: &str, does: &[Does]) {
        self.outside.set(function, does);
    }

    /// Something happened to an object.
    pub(super) async fn object(&self, bucket: &str, key: &str, name: &str) {
        self.emit("objects", bucket, json!({ "key": key, "name": name }).to_string(), 0).await;
    }

    pub(super) async fn emit(&self, source: &'static str, resource: &str, body: String, depth: u16) {
        let event = Event { source, resource: resource.into(), body };
        let call = Call { depth, ..Call::operator() };
        self.db.write(&call, move |tx| tx.emit(&event)).await.expect("emitted");
    }

    /// Messages arrive in the queue.
    pub(super) async fn messages(&self, bodies: &[&str]) {
        self.messages_of_depth(bodies, 1).await;
    }

    pub(super) async fn messages_of_depth(&self, bodies: &[&str], depth: u16) {
        {
            let mut messages = self.outside.messages.lock().expect("unpoisoned");
            let visible = self.clock.now();
            messages.extend(bodies.iter().map(|body| Waiting { body: (*body).into(), visible, receives: 0, depth }));
        }
        self.wake("queue q").await;
    }

    /// Records arrive in the stream.
    pub(super) async fn records(&self, numbers: std::ops::RangeInclusive<i64>) {
        {
            let mut records = self.outside.records.lock().expect("unpoisoned");
            let at = self.clock.now();
            records.extend(numbers.map(|number| Record {
                number,
                id: number.to_string(),
                at,
                record: json!({ "n": number, "even": number % 2 == 0 }),
                origin: origin(),
            }));
        }
        self.wake("stream t").await;
    }

    pub(super) async fn wake(&self, key: &'static str) {
        let wake = move |tx: &mut Tx<'_>| {
            tx.wake(key);
            Ok::<_, Error>(())
        };
        self.db.write(&Call::operator(), wake).await.expect("woken");
    }

    pub(super) async fn idle(&self) {
        self.triggers.idle().await.expect("idle");
    }

    /// Moves the clock and waits until all that is due then is done.
    pub(super) async fn after_ms(&self, ms: i64) {
        self.clock.advance_ms(ms);
        self.idle().await;
    }

    /// The calls since this was last asked, in the order of their text where `sorted`.
    pub(super) fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.outside.calls.lock().expect("unpoisoned"))
    }

    /// Waits for `count` calls in all since the calls were last asked for.
    pub(super) async fn called(&self, count: usize) {
        while self.outside.calls.lock().expect("unpoisoned").len() < count {
            self.outside.called.notified().await;
        }
    }

    pub(super) fn sent(&self) -> Vec<String> {
        std::mem::take(&mut *self.outside.sent.lock().expect("unpoisoned"))
    }

    /// The records of deliveries since this was last asked.
    pub(super) fn told(&self) -> Vec<telemetry::Delivery> {
        let mut told = self.told.lock().expect("unpoisoned");
        let records = std::iter::from_fn(|| told.next().now_or_never().flatten());
        let delivery = |record: Arc<telemetry::Record>| match &*record {
            telemetry::Record::Delivery(delivery) => Some(delivery.clone()),
            _ => None,
        };
        records.filter_map(delivery).collect()
    }

    /// `TARGET: REASON`, oldest first.
    pub(super) async fn dead_letters(&self) -> Vec<String> {
        let letters = self.triggers.dead_letters(&Call::operator(), 100).await.expect("the dead letters");
        letters.iter().rev().map(|letter| format!("{}: {}", letter.target, letter.reason)).collect()
    }
}

pub(super) fn project(functions: Vec<Function>) -> Project {
    Project {
        root: PathBuf::new(),
        file: PathBuf::new(),
        sources: Vec::new(),
        service: "shop".into(),
        stage: "dev".into(),
        region: "us-east-1".into(),
        functions,
        resources: Default::default(),
        http_api_cors: None,
        firebase: None,
        settings: Settings {
            ports: Default::default(),
            isolation: Isolation::Fresh,
            allow: Vec::new(),
            import: None,
            seed: Vec::new(),
            retry_delays_ms: vec![1_000, 2_000],
            state: None,
            watch_ignore: Vec::new(),
            journal: Default::default(),
            budgets: Vec::new(),
        },
    }
}

pub(super) fn function(name: &str, events: Vec<EventSource>) -> Function {
    let handler = format!("{name}.handler");
    Function { memory_mib: 128, timeout_ms: 3_000, events, ..Function::new(name, format!("shop-dev-{name}"), &handler) }
}
