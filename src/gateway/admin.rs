//! The admin API: what tests and tools ask of a running emu. JSON over HTTP under `/emu/v1/`.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::guard::Pages;
use super::hub::{self, Hub};
use super::listener::Face;
use super::origin::{Answered, Origin};
use super::state::{StateAsk, StateError};
use crate::base::{Call, Caller, Clock, Standing, Time};
use crate::telemetry::journal::{Journaled, Query, ago};
use crate::wire::http::{Body, BoxError, Request, Response, json};

/// Bytes of a request at most: an event for a function, and room for what is around it.
const BODY_BYTES_MAX: usize = 7 << 20;

/// What the admin API can ask of the World that it administers.
pub trait World: Send + Sync + 'static {
    /// This World's clock.
    fn clock(&self) -> &Clock;
    /// Changes the clock and answers once all that was due by then is done; an error says why it is not kept.
    fn change_clock(self: Arc<Self>, change: ClockChange) -> BoxFuture<'static, Result<(), String>>;
    /// Does something with the state as a whole, to its end even where nobody waits for the answer any more.
    fn state(self: Arc<Self>, ask: StateAsk) -> BoxFuture<'static, Result<Value, StateError>>;
    /// What there is and how it is: addresses, functions, what is pending.
    fn health(&self) -> BoxFuture<'_, Value>;
    /// Waits until everything that was committed has been delivered; an error says why it cannot know.
    fn idle(&self) -> BoxFuture<'_, Result<(), String>>;
    /// Calls a function and answers `{payload, error, logs}`; an error says why it could not be called.
    fn invoke(&self, call: Call, name: String, event: Bytes) -> BoxFuture<'_, Result<Value, String>>;
    /// What could not be delivered, newest first.
    fn dead_letters(&self) -> BoxFuture<'_, Result<Value, String>>;
    /// The records of the journal, each as JSON; those to come too where they are followed, until the end.
    fn records(&self, query: Query, follow: bool) -> BoxStream<'static, Result<Vec<Journaled>, String>>;
    /// The tree of a trace, by its identifier, the beginning of that, or `latest`; an error says why there is none.
    fn trace(&self, wanted: String) -> BoxFuture<'_, Result<Value, String>>;
}

/// What can be done to a clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChange {
    /// Forward, or backward where negative.
    Advance {
        ms: i64,
    },
    /// To a time; to the machine's, and running with it, where that is `None`.
    Set {
        time: Option<Time>,
    },
    Freeze,
    Resume,
}

pub struct Admin {
    pub world: Arc<dyn World>,
    pub hub: Arc<dyn Hub>,
    pub origin: Origin,
}

impl Face for Admin {
    fn handle(&self, request: Request) -> BoxFuture<'_, Response> {
        Box::pin(async move {
            match self.origin.enter("admin", request, Caller::Admin, Pages::Local) {
                Ok((entered, request)) => {
                    if let Some(response) = hub::handle(&*self.hub, &request) {
                        return self.origin.leave(entered, response, Answered::default());
                    }
                    let response = self.answer(&entered.call, request).await.unwrap_or_else(|refused| refused);
                    self.origin.leave(entered, response, Answered::default())
                }
                Err(refused) => refused,
            }
        })
    }
}

impl Admin {
    async fn answer(&self, call: &Call, request: Request) -> Result<Response, Response> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path().strip_prefix("/emu/v1/").unwrap_or_default().to_owned();
        let segments: Vec<&str> = path.split('/').collect();
        let clock = self.world.clock();
        match (&parts.method, segments.as_slice()) {
            (&Method::GET, ["health"]) => Ok(json(StatusCode::OK, &self.world.health().await)),
            (&Method::POST, ["idle"]) => {
                self.world.idle().await.map_err(|why| failed(StatusCode::INTERNAL_SERVER_ERROR, why))?;
                Ok(json(StatusCode::OK, &json!({ "idle": true })))
            }
            (&Method::GET, ["clock"]) => Ok(time(clock)),
            (&Method::POST, ["clock", change]) => {
                let change = clock_change(change, body).await?;
                let changed = self.world.clone().change_clock(change).await;
                changed.map_err(|why| failed(StatusCode::INTERNAL_SERVER_ERROR, why))?;
                Ok(time(clock))
            }
            (method, ["state", rest @ ..]) => {
                let ask = StateAsk::read(method, rest, &collect(body).await?).map_err(|error| failed(error.status(), error.to_string()))?;
                match self.world.clone().state(ask).await {
                    Ok(answer) => Ok(json(StatusCode::OK, &answer)),
                    Err(error) => Err(failed(error.status(), error.to_string())),
                }
            }
            (&Method::POST, ["functions", name, "invocations"]) => {
                let event = collect(body).await?;
                let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
                let answer = self.world.invoke(call.clone(), name, event).await.map_err(|why| failed(StatusCode::NOT_FOUND, why))?;
                Ok(json(StatusCode::OK, &answer))
            }
            (&Method::GET, ["dead-letters"]) => {
                let letters = self.world.dead_letters().await.map_err(|why| failed(StatusCode::INTERNAL_SERVER_ERROR, why))?;
                Ok(json(StatusCode::OK, &letters))
            }
            (&Method::GET, ["records"]) => {
                let (query, follow) = asked(parts.uri.query().unwrap_or_default())?;
                Ok(lines(self.world.records(query, follow)))
            }
            (&Method::GET, ["traces", wanted]) => {
                let trace = self.world.trace((*wanted).to_owned()).await.map_err(|why| failed(StatusCode::NOT_FOUND, why))?;
                Ok(json(StatusCode::OK, &trace))
            }
            _ => Err(failed(
                StatusCode::NOT_FOUND,
                format!(
                    "the admin API has no {} {}; it has GET /emu/v1/health, POST /emu/v1/idle, GET /emu/v1/clock, POST /emu/v1/clock/{{advance,set,freeze,resume}}, GET /emu/v1/state, POST /emu/v1/state/{{reset,snapshot,restore,export,import,diff}}, POST /emu/v1/functions/NAME/invocations, GET /emu/v1/dead-letters, GET /emu/v1/records, GET /emu/v1/traces/ID",
                    parts.method,
                    parts.uri.path()
                ),
            )),
        }
    }
}

/// What `?function=…&trace=…&since=10m&after=NUMBER&follow=true` asks for.
fn asked(query: &str) -> Result<(Query, bool), Response> {
    let (mut asked, mut follow) = (Query::default(), false);
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let wrong = |help: &str| failed(StatusCode::BAD_REQUEST, format!("`{name}={value}` cannot be read; {help}"));
        match &*name {
            "function" => asked.function = Some(value.into_owned()),
            "trace" => asked.trace = Some(value.to_ascii_lowercase()),
            "since" => asked = asked.since(ago(&value).ok_or_else(|| wrong("write 90s, 10m, 2h or 1d"))?),
            "after" => asked.after = value.parse().map_err(|_| wrong("write the number of a record"))?,
            "follow" => follow = value.parse().map_err(|_| wrong("write true or false"))?,
            _ => return Err(wrong("records are asked for by function, trace, since, after, follow")),
        }
    }
    Ok((asked, follow))
}

/// An answer of one JSON object a line, sent as they come.
fn lines(records: BoxStream<'static, Result<Vec<Journaled>, String>>) -> Response {
    let pages = records.map(|page| {
        let mut text = String::new();
        for record in page.map_err(BoxError::from)? {
            text.push_str(&record.text);
            text.push('\n');
        }
        Ok(Bytes::from(text))
    });
    let mut response = http::Response::new(Body::stream(pages, None));
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/x-ndjson"));
    response
}

async fn clock_change(change: &str, body: Body) -> Result<ClockChange, Response> {
    #[derive(serde::Deserialize)]
    struct Advance {
        ms: i64,
    }
    #[derive(serde::Deserialize)]
    struct Set {
        time: String,
    }
    let body = collect(body).await?;
    let wrong = |error: String| failed(StatusCode::BAD_REQUEST, error);
    match change {
        "advance" => {
            let advance: Advance = serde_json::from_slice(&body).map_err(|e| wrong(format!("send {{\"ms\": 60000}}: {e}")))?;
            Ok(ClockChange::Advance { ms: advance.ms })
        }
        "set" => {
            let set: Set = serde_json::from_slice(&body).map_err(|e| wrong(format!("send {{\"time\": \"2026-01-31T12:00:00Z\"}}: {e}")))?;
            if set.time == "now" {
                return Ok(ClockChange::Set { time: None });
            }
            let time = chrono::DateTime::parse_from_rfc3339(&set.time).map_err(|e| wrong(format!("`{}` is no time: {e}", set.time)))?;
            Ok(ClockChange::Set { time: Some(Time(time.timestamp_millis())) })
        }
        "freeze" => Ok(ClockChange::Freeze),
        "resume" => Ok(ClockChange::Resume),
        other => Err(failed(StatusCode::NOT_FOUND, format!("a clock cannot `{other}`; it can advance, set, freeze, resume"))),
    }
}

fn time(clock: &Clock) -> Response {
    json(StatusCode::OK, &shown(clock))
}

/// A clock as the admin API shows it.
pub fn shown(clock: &Clock) -> Value {
    let ahead_ms = match clock.standing() {
        Standing::Ahead(ms) => Some(ms),
        Standing::Frozen(_) => None,
    };
    json!({ "time": clock.now().iso(), "frozen": clock.is_frozen(), "aheadMs": ahead_ms })
}

async fn collect(body: Body) -> Result<Bytes, Response> {
    body.collect(BODY_BYTES_MAX).await.map_err(|error| failed(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))
}

fn failed(status: StatusCode, message: String) -> Response {
    json(status, &json!({ "message": message }))
}
