//! The admin API: what tests and tools ask of a running emu. JSON over HTTP under `/emu/v1/`.
//!
//! Every request may name the World that it is about, as `?world=NAME`; so far a process has one. `docs/admin.md` describes all of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::asked::{self, AskError, DEFAULT_WORLD, InvocationsAsk, MailsAsk, PushesAsk, TokenAsk};
use super::guard::Pages;
use super::hub::{self, Hub};
use super::listener::Face;
use super::origin::{Answered, Origin};
use super::state::StateAsk;
use crate::base::{Call, Caller, Clock, Standing, Time};
use crate::telemetry::journal::{Journaled, Query};
use crate::wire::http::{Body, BoxError, Request, Response, json};

/// Bytes of a request at most: an event for a function, and room for what is around it.
const BODY_BYTES_MAX: usize = 7 << 20;
/// The header of every answer, by which clients know that it is this API that answers.
const WORLD_HEADER: &str = "x-emu-world";
/// Reasons that are named why emu is not idle.
const BUSY_NAMED_MAX: usize = 20;

/// What the admin API can ask of the World that it administers.
pub trait World: Send + Sync + 'static {
    /// This World's clock.
    fn clock(&self) -> &Clock;
    /// Changes the clock and answers once all that was due by then is done; an error says why it is not kept.
    fn change_clock(self: Arc<Self>, change: ClockChange) -> BoxFuture<'static, Result<(), String>>;
    /// Does something with the state as a whole, to its end even where nobody waits for the answer any more.
    fn state(self: Arc<Self>, ask: StateAsk) -> BoxFuture<'static, Result<Value, AskError>>;
    /// What there is and how it is: addresses, functions, what is pending.
    fn health(&self) -> BoxFuture<'_, Value>;
    /// Waits until everything that was committed has been delivered; an error says why it cannot know.
    fn idle(&self) -> BoxFuture<'_, Result<(), String>>;
    /// What it would wait for, at most `limit` things: each with its `kind` for programs and its `text` for people.
    fn busy(&self, limit: usize) -> BoxFuture<'_, Result<Vec<Value>, String>>;
    /// Mails of the inbox, oldest first; waits for one where there is none and the question says for how long.
    fn mails(&self, ask: MailsAsk) -> BoxFuture<'_, Result<Vec<Value>, String>>;
    /// Empties the inbox.
    fn clear_mails(&self) -> BoxFuture<'_, Result<(), String>>;
    /// Pushes of the inbox, oldest first; waits for one where there is none and the question says for how long.
    fn pushes(&self, ask: PushesAsk) -> BoxFuture<'_, Result<Vec<Value>, String>>;
    /// Forgets all pushes.
    fn clear_pushes(&self) -> BoxFuture<'_, Result<(), String>>;
    /// The tokens of devices that are known.
    fn push_tokens(&self) -> BoxFuture<'_, Result<Vec<Value>, String>>;
    /// Says what becomes of pushes to a token; an error says what is wrong with that.
    fn set_push_token(&self, token: String, ask: TokenAsk) -> BoxFuture<'_, Result<Value, AskError>>;
    /// Invocations that have ended, in the order in which they began; an error says what is asked for in vain.
    fn invocations(&self, ask: InvocationsAsk) -> BoxFuture<'_, Result<Value, AskError>>;
    /// Calls a function and answers `{payload, error, log, logs, requestId}`; an error says why it could not be called.
    fn invoke(&self, call: Call, name: String, event: Bytes) -> BoxFuture<'_, Result<Value, AskError>>;
    /// The indexes that Firestore's queries wanted and that are not declared, in the shape of `firestore.indexes.json`.
    fn missing_indexes(&self) -> Value;
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
            let mut response = match self.origin.enter("admin", request, Caller::Admin, Pages::Local) {
                Ok((entered, request)) => {
                    let request = match self.export(request).await {
                        Ok(response) => return self.origin.leave(entered, response, Answered::default()),
                        Err(request) => request,
                    };
                    if let Some(response) = hub::handle(&*self.hub, &request) {
                        return self.origin.leave(entered, response, Answered::default());
                    }
                    let response = self.answer(&entered.call, request).await.unwrap_or_else(|response| response);
                    self.origin.leave(entered, response, Answered::default())
                }
                Err(response) => response,
            };
            response.headers_mut().insert(WORLD_HEADER, HeaderValue::from_static(DEFAULT_WORLD));
            response
        })
    }
}

impl Admin {
    async fn answer(&self, call: &Call, request: Request) -> Result<Response, Response> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        asked::world(query).map_err(refused)?;
        let path = parts.uri.path().strip_prefix("/emu/v1/").unwrap_or_default().to_owned();
        let segments: Vec<&str> = path.split('/').collect();
        let (world, broken) = (&self.world, |why| failed(StatusCode::INTERNAL_SERVER_ERROR, why));
        match (&parts.method, segments.as_slice()) {
            (&Method::GET, ["health"]) => Ok(json(StatusCode::OK, &world.health().await)),
            (&Method::POST, ["idle"]) => self.idle(asked::idle(&collect(body).await?).map_err(refused)?).await,
            (&Method::GET, ["clock"]) => Ok(time(world.clock())),
            (&Method::POST, ["clock", change]) => {
                let change = asked::clock_change(change, &collect(body).await?).map_err(refused)?;
                world.clone().change_clock(change).await.map_err(broken)?;
                Ok(time(world.clock()))
            }
            (method, ["state", rest @ ..]) => {
                let ask = StateAsk::read(method, rest, &collect(body).await?).map_err(refused)?;
                match world.clone().state(ask).await {
                    Ok(answer) => Ok(json(StatusCode::OK, &answer)),
                    Err(error) => Err(refused(error)),
                }
            }
            (&Method::POST, ["functions", name, "invocations"]) => {
                let event = collect(body).await?;
                let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
                let answer = world.invoke(call.clone(), name, event).await.map_err(refused)?;
                Ok(json(StatusCode::OK, &answer))
            }
            (&Method::GET, ["invocations"]) => {
                let answer = world.invocations(asked::invocations(query).map_err(refused)?).await.map_err(refused)?;
                Ok(json(StatusCode::OK, &answer))
            }
            (&Method::GET, ["mails"]) => {
                let mails = world.mails(asked::mails(query).map_err(refused)?).await.map_err(broken)?;
                Ok(json(StatusCode::OK, &json!({ "mails": mails })))
            }
            (&Method::DELETE, ["mails"]) => {
                world.clear_mails().await.map_err(broken)?;
                Ok(json(StatusCode::OK, &json!({ "mails": [] })))
            }
            (&Method::GET, ["firestore", "missing-indexes"]) => Ok(json(StatusCode::OK, &world.missing_indexes())),
            (&Method::GET, ["pushes"]) => {
                let pushes = world.pushes(asked::pushes(query).map_err(refused)?).await.map_err(broken)?;
                Ok(json(StatusCode::OK, &json!({ "pushes": pushes })))
            }
            (&Method::DELETE, ["pushes"]) => {
                world.clear_pushes().await.map_err(broken)?;
                Ok(json(StatusCode::OK, &json!({ "pushes": [] })))
            }
            (&Method::GET, ["push-tokens"]) => Ok(json(StatusCode::OK, &json!({ "tokens": world.push_tokens().await.map_err(broken)? }))),
            (&Method::PUT, ["push-tokens", token]) => {
                let ask = asked::token(&collect(body).await?).map_err(refused)?;
                let token = percent_encoding::percent_decode_str(token).decode_utf8_lossy().into_owned();
                Ok(json(StatusCode::OK, &world.set_push_token(token, ask).await.map_err(refused)?))
            }
            (&Method::GET, ["dead-letters"]) => Ok(json(StatusCode::OK, &world.dead_letters().await.map_err(broken)?)),
            (&Method::GET, ["records"]) => {
                let (query, follow) = asked::records(query).map_err(refused)?;
                Ok(lines(world.records(query, follow)))
            }
            (&Method::GET, ["traces", wanted]) => {
                let trace = world.trace((*wanted).to_owned()).await.map_err(missing)?;
                Ok(json(StatusCode::OK, &trace))
            }
            _ => Err(missing(format!("the admin API has no {} {}; it has {ALL}", parts.method, parts.uri.path()))),
        }
    }

    /// Answers `firebase emulators:export`, with an export of emu's own; gives every other request back.
    async fn export(&self, request: Request) -> Result<Response, Request> {
        if request.uri().path() != "/_admin/export" || self.hub.services().is_none() {
            return Err(request);
        }
        let (parts, body) = request.into_parts();
        let body = match collect(body).await {
            Ok(body) => body,
            Err(refused) => return Ok(refused),
        };
        let dir = match hub::export(&parts.method, parts.uri.path(), &parts.headers, &body) {
            Some(Ok(dir)) => dir,
            Some(Err(refused)) => return Ok(*refused),
            None => return Err(http::Request::from_parts(parts, Body::from(body))),
        };
        let ask = StateAsk::Export(super::state::Export { dir, force: true });
        Ok(match self.world.clone().state(ask).await {
            Ok(_) => json(StatusCode::OK, &json!({ "message": "OK" })),
            Err(error) => refused(error),
        })
    }

    /// Waits until the World is idle, or says what it is not idle of.
    async fn idle(&self, wait: Option<Duration>) -> Result<Response, Response> {
        let (world, broken) = (&self.world, |why| failed(StatusCode::INTERNAL_SERVER_ERROR, why));
        let idle = match wait {
            None => Some(world.idle().await),
            Some(wait) => tokio::time::timeout(wait, world.idle()).await.ok(),
        };
        let busy = match idle {
            Some(idle) => {
                idle.map_err(broken)?;
                Vec::new()
            }
            None => world.busy(BUSY_NAMED_MAX).await.map_err(broken)?,
        };
        if busy.is_empty() {
            return Ok(json(StatusCode::OK, &json!({ "idle": true, "busy": [] })));
        }
        let texts: Vec<&str> = busy.iter().filter_map(|busy| busy["text"].as_str()).collect();
        let ms = wait.unwrap_or_default().as_millis();
        let mut message = format!("emu was not idle within {ms} ms; still busy: {}", texts.join("; "));
        if world.clock().is_frozen() {
            message.push_str("; the clock stands still, and what waits for it goes on when it is moved or resumed");
        }
        Ok(json(StatusCode::GATEWAY_TIMEOUT, &json!({ "message": message, "idle": false, "busy": busy })))
    }
}

/// All that there is, for whoever asks for something else.
const ALL: &str = "GET /emu/v1/health, POST /emu/v1/idle, GET /emu/v1/clock, POST /emu/v1/clock/{advance,set,freeze,resume}, \
    GET /emu/v1/state, POST /emu/v1/state/{reset,snapshot,restore,export,import,diff}, POST /emu/v1/functions/NAME/invocations, \
    GET /emu/v1/invocations, GET and DELETE /emu/v1/mails, GET and DELETE /emu/v1/pushes, GET /emu/v1/push-tokens, \
    PUT /emu/v1/push-tokens/TOKEN, GET /emu/v1/dead-letters, GET /emu/v1/firestore/missing-indexes, GET /emu/v1/records, \
    GET /emu/v1/traces/ID";

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
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
    response
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

fn refused(error: AskError) -> Response {
    let status = match error {
        AskError::NotFound(_) => StatusCode::NOT_FOUND,
        AskError::Wrong(_) => StatusCode::BAD_REQUEST,
        AskError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    failed(status, error.to_string())
}

fn missing(why: String) -> Response {
    failed(StatusCode::NOT_FOUND, why)
}

fn failed(status: StatusCode, message: String) -> Response {
    json(status, &json!({ "message": message }))
}
