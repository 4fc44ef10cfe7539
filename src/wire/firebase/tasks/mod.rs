//! Cloud Tasks, as far as functions' queues need it: a task is put into the queue that a function works off, or taken out again. Source:
//! `google.cloud.tasks.v2` over REST, and what firebase-admin sends (with and without the emulator's shorter paths).

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::base::{Call, Clock, Time};
use crate::wire::firebase::Wire;
use crate::wire::http::{Body, Description, Request, Response, json as answer_json, with_error_code};

/// Largest task, in bytes ("Cloud Tasks quotas": 1 MB), with what its envelope needs.
const REQUEST_BYTES_MAX: usize = 2 << 20;
const TASK_BYTES_MAX: usize = 1 << 20;
/// How far ahead a task may be put off ("Cloud Tasks quotas": 30 days), in milliseconds.
const AHEAD_MAX_MS: i64 = 30 * 86_400_000;
/// Letters of a task's own name.
const ID_CHARS_MAX: usize = 500;

/// A task for a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// The queue: the function's name.
    pub queue: String,
    /// Chosen by who asks, else by whoever keeps it.
    pub id: Option<String>,
    /// When it is due; at once where it is not said.
    pub due: Option<Time>,
    pub headers: BTreeMap<String, String>,
    pub body: Bytes,
}

/// Why a task was not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("Queue does not exist.")]
    NoQueue,
    #[error("Requested entity already exists")]
    Exists,
    #[error("Requested entity was not found.")]
    NoTask,
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Internal(String),
}

/// Keeps tasks until their functions have worked them off.
#[async_trait]
pub trait Queues: Send + Sync + 'static {
    /// Puts a task into its queue; answers its id.
    async fn enqueue(&self, call: &Call, task: Task) -> Result<String, Error>;
    /// Takes a task that is not worked off yet out of its queue.
    async fn delete(&self, call: &Call, queue: &str, id: &str) -> Result<(), Error>;
}

/// The protocol over the queues of a World's functions.
pub struct Tasks {
    queues: Arc<dyn Queues>,
    clock: Clock,
}

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    project: &'a str,
    location: &'a str,
    queue: &'a str,
    task: Option<&'a str>,
}

impl Place<'_> {
    fn of(path: &str) -> Option<Place<'_>> {
        let path = path.trim_start_matches('/');
        let path = path.strip_prefix("v2/").or_else(|| path.strip_prefix("v2beta3/")).unwrap_or(path);
        let parts: Vec<&str> = path.split('/').collect();
        match parts[..] {
            ["projects", project, "locations", location, "queues", queue, "tasks"] => Some(Place { project, location, queue, task: None }),
            ["projects", project, "locations", location, "queues", queue, "tasks", task] => {
                Some(Place { project, location, queue, task: Some(task) })
            }
            _ => None,
        }
    }

    fn name(&self, id: &str) -> String {
        format!("projects/{}/locations/{}/queues/{}/tasks/{id}", self.project, self.location, self.queue)
    }
}

impl Tasks {
    pub fn new(queues: Arc<dyn Queues>, clock: Clock) -> Tasks {
        Tasks { queues, clock }
    }

    async fn respond(&self, call: &Call, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().to_owned();
        let Some(place) = Place::of(&path) else {
            return answer_json(StatusCode::NOT_FOUND, &failure(404, "NOT_FOUND", &format!("emu has no `{path}` of Cloud Tasks")));
        };
        let (action, outcome) = match (&parts.method, place.task) {
            (&Method::POST, None) => ("CreateTask", self.create(call, &place, body).await),
            (&Method::DELETE, Some(task)) => ("DeleteTask", self.queues.delete(call, place.queue, task).await.map(|()| json!({}))),
            _ => ("?", Err(Error::Invalid(format!("emu does not know {} of a queue of Cloud Tasks", parts.method)))),
        };
        let described = Description { resource: Some(place.queue.to_owned()), ..Description::new("tasks", action) };
        match outcome {
            Ok(value) => described.attach(answer_json(StatusCode::OK, &value)),
            Err(error) => {
                let (status, code) = fail(&error);
                let response = answer_json(status, &failure(status.as_u16(), code, &error.to_string()));
                described.attach(with_error_code(response, code))
            }
        }
    }

    async fn create(&self, call: &Call, place: &Place<'_>, body: Body) -> Result<Value, Error> {
        let bytes = body.collect(REQUEST_BYTES_MAX).await.map_err(|error| Error::Invalid(error.to_string()))?;
        let value: Value =
            serde_json::from_slice(&bytes).map_err(|error| Error::Invalid(format!("Invalid JSON payload received. {error}")))?;
        let task = decode(place, &value["task"], self.clock.now())?;
        let due = task.due;
        let id = self.queues.enqueue(call, task).await?;
        let now = self.clock.now();
        let at = due.unwrap_or(now);
        Ok(json!({
            "name": place.name(&id),
            "scheduleTime": at.iso(),
            "createTime": now.iso(),
            "dispatchDeadline": "600s",
            "httpRequest": { "url": value["task"]["httpRequest"]["url"], "httpMethod": "POST" },
            "view": "BASIC",
        }))
    }
}

fn decode(place: &Place<'_>, task: &Value, now: Time) -> Result<Task, Error> {
    let wrong = |what: &str| Error::Invalid(format!("Invalid value at 'task.{what}'"));
    let request = &task["httpRequest"];
    let body = match &request["body"] {
        Value::Null => Vec::new(),
        body => STANDARD.decode(body.as_str().ok_or_else(|| wrong("http_request.body"))?).map_err(|_| wrong("http_request.body"))?,
    };
    if body.len() > TASK_BYTES_MAX {
        return Err(Error::Invalid("Task size too large".to_owned()));
    }
    let due = match &task["scheduleTime"] {
        Value::Null => None,
        text => {
            let parsed =
                text.as_str().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok()).ok_or_else(|| wrong("schedule_time"))?;
            Some(Time(parsed.timestamp_millis()))
        }
    };
    if due.is_some_and(|due| due > now.plus_ms(AHEAD_MAX_MS)) {
        return Err(Error::Invalid(
            "The Task.scheduleTime is too far in the future. Schedule time must be no more than 720h in the future.".to_owned(),
        ));
    }
    let id = match &task["name"] {
        Value::Null => None,
        name => {
            let id = name.as_str().and_then(|name| name.rsplit('/').next()).filter(|id| is_id(id)).ok_or_else(|| wrong("name"))?;
            Some(id.to_owned())
        }
    };
    let none = Map::new();
    let headers = request["headers"].as_object().unwrap_or(&none).iter();
    let headers = headers.filter_map(|(name, value)| Some((name.to_ascii_lowercase(), value.as_str()?.to_owned()))).collect();
    Ok(Task { queue: place.queue.to_owned(), id, due, headers, body: body.into() })
}

fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= ID_CHARS_MAX && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

fn failure(status: u16, code: &str, message: &str) -> Value {
    json!({ "error": { "code": status, "message": message, "status": code } })
}

/// What the protocol says of an error.
fn fail(error: &Error) -> (StatusCode, &'static str) {
    match error {
        Error::NoQueue | Error::NoTask => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Error::Exists => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
        Error::Invalid(_) => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Error::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
    }
}

impl Wire for Tasks {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(self.respond(call, request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_the_cloud_and_of_the_suite_name_a_queue() {
        for (path, wanted) in [
            ("/v2/projects/p/locations/us-central1/queues/work/tasks", Some("p us-central1 work None")),
            ("/projects/p/locations/l/queues/work/tasks/t1", Some("p l work Some(\"t1\")")),
            ("/v2/projects/p/locations/l/queues/work", None),
            ("/", None),
        ] {
            let found = Place::of(path).map(|at| format!("{} {} {} {:?}", at.project, at.location, at.queue, at.task));
            assert_eq!(found.as_deref(), wanted, "{path}");
        }
    }

    #[test]
    fn tasks_are_read_and_strange_ones_refused() {
        let place = Place { project: "p", location: "l", queue: "work", task: None };
        let read = |task: Value| match decode(&place, &task, Time(0)) {
            Ok(task) => format!("{:?} {:?} {:?} {}", task.id, task.due.map(|due| due.0), task.headers, String::from_utf8_lossy(&task.body)),
            Err(error) => error.to_string(),
        };
        let body = STANDARD.encode("{}");
        for (task, wanted) in [
            (json!({ "httpRequest": { "body": body, "headers": { "X-A": "b" } } }), r#"None None {"x-a": "b"} {}"#),
            (
                json!({ "name": "projects/p/locations/l/queues/work/tasks/id-1", "scheduleTime": "1970-01-01T00:00:05Z" }),
                "Some(\"id-1\") Some(5000) {} ",
            ),
            (json!({ "name": "a/b c" }), "Invalid value at 'task.name'"),
            (json!({ "httpRequest": { "body": "%" } }), "Invalid value at 'task.http_request.body'"),
            (json!({ "scheduleTime": "soon" }), "Invalid value at 'task.schedule_time'"),
            (
                json!({ "scheduleTime": "1971-01-01T00:00:00Z" }),
                "The Task.scheduleTime is too far in the future. Schedule time must be no more than 720h in the future.",
            ),
        ] {
            assert_eq!(read(task), wanted);
        }
    }
}
