//! Queues of tasks that functions work off: a task is a delivery that is due when it says, and repeated as its function says.

use async_trait::async_trait;
use serde_json::{Value, json};

use crate::base::{Call, Time};
use crate::store::{Error as StoreError, Tx};
use crate::triggers::Triggers;
use crate::triggers::rules::too_deep;
use crate::triggers::store::{self, Delivery, Draft, Origin, Target};
use crate::triggers::table::Callee;
use crate::wire::firebase::tasks::{Error, Queues, Task};

/// What the sources of tasks' deliveries begin with.
const SOURCE: &str = "tasks/";
/// Letters of an answer that are told of.
const TEXT_CHARS_MAX: usize = 500;

/// What a task's function gets on its first attempt.
fn input(task: &Task, id: &str, due: Time) -> Value {
    let mut headers: Vec<(String, String)> = task.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if !task.headers.contains_key("content-type") {
        headers.push(("content-type".into(), "application/json".into()));
    }
    let seconds = due.millis() as f64 / 1_000.0;
    let own = [
        ("host", "localhost".to_owned()),
        ("user-agent", "Google-Cloud-Tasks".to_owned()),
        ("x-cloudtasks-queuename", task.queue.clone()),
        ("x-cloudtasks-taskname", id.to_owned()),
        ("x-cloudtasks-tasketa", format!("{seconds}")),
    ];
    headers.extend(own.map(|(name, value)| (name.to_owned(), value)));
    json!({
        "$emu": "http",
        "method": "POST",
        "url": "/",
        "ip": "127.0.0.1",
        "headers": headers,
        "body": String::from_utf8_lossy(&task.body),
    })
}

/// What a function gets on this attempt: a task is told how often it was tried.
pub fn attempt(delivery: &Delivery) -> bytes::Bytes {
    if !delivery.source.starts_with(SOURCE) {
        return delivery.payload.clone();
    }
    let Ok(mut input) = serde_json::from_slice::<Value>(&delivery.payload) else { return delivery.payload.clone() };
    if let Some(headers) = input["headers"].as_array_mut() {
        headers.push(json!(["x-cloudtasks-taskretrycount", delivery.attempts.saturating_sub(1).to_string()]));
        // Attempts that got an answer.
        headers.push(json!(["x-cloudtasks-taskexecutioncount", delivery.failures.to_string()]));
        if delivery.failures > 0 {
            headers.push(json!(["x-cloudtasks-taskpreviousresponse", "500"]));
        }
    }
    input.to_string().into()
}

/// Why a function that takes requests has failed although it answered: what its status says.
pub fn refused(callee: &Callee, payload: &[u8]) -> Option<String> {
    callee.repetition?;
    let answer: Value = serde_json::from_slice(payload).ok()?;
    let status = answer.get("status")?.as_u64().filter(|status| !(200..300).contains(status))?;
    let text = answer["body"].as_str().unwrap_or_default();
    Some(format!("HTTP {status}: {}", text.chars().take(TEXT_CHARS_MAX).collect::<String>()))
}

#[async_trait]
impl Queues for Triggers {
    async fn enqueue(&self, call: &Call, task: Task) -> Result<String, Error> {
        let world = self.world();
        let table = world.table.load_full();
        let callee = table.functions.get(task.queue.as_str()).filter(|callee| callee.is_task_queue).cloned().ok_or(Error::NoQueue)?;
        let origin = Origin::after(call);
        let stored = world.db.write(call, move |tx| put_in(tx, &task, &callee.key, callee.event_age_max_ms, callee.gap_ms, origin));
        stored.await.map_err(|error: StoreError| Error::Internal(error.to_string()))?.ok_or(Error::Exists)
    }

    async fn delete(&self, call: &Call, queue: &str, id: &str) -> Result<(), Error> {
        let source = format!("{SOURCE}{queue}/{id}");
        let gone = self.world().db.write(call, move |tx| store::forget_in(tx, &source));
        match gone.await {
            Ok(0) => Err(Error::NoTask),
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Internal(error.to_string())),
        }
    }
}

/// Stores a task; nothing where one of its id waits already.
fn put_in(
    tx: &mut Tx<'_>,
    task: &Task,
    function: &std::sync::Arc<str>,
    age_max_ms: i64,
    gap_ms: i64,
    origin: Origin,
) -> Result<Option<String>, StoreError> {
    let id = task.id.clone().unwrap_or_else(|| tx.ids().hex(10));
    let source = format!("{SOURCE}{}/{id}", task.queue);
    if store::is_there(tx, &source)? {
        return Ok(None);
    }
    let now = tx.now();
    let asked = task.due.filter(|due| *due > now).unwrap_or(now);
    let target = Target::Function(function.clone());
    // A queue with a rate hands its tasks out one after the other.
    let due = match gap_ms {
        0 => asked,
        gap_ms => store::free_slot(tx, &target.to_string(), asked, gap_ms)?,
    };
    let draft = Draft { target, payload: input(task, &id, asked).to_string().into(), envelope: None, source, age_max_ms, origin };
    match too_deep(draft.origin.depth) {
        Some(reason) => store::bury_in(tx, &draft.letter(reason))?,
        None => store::insert_at(tx, &draft, due).map(|_| ())?,
    }
    Ok(Some(id))
}
