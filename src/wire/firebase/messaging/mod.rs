//! Firebase Cloud Messaging: HTTP v1 (`fcm.googleapis.com`), topics (there, and as before on `iid.googleapis.com`), and a stand-in for where
//! servers' SDKs get their access tokens and learn where they run. Facts: the reference of `projects.messages` and of
//! `projects.registrations.topicSubscriptions`, "Error codes", "Manage topics", and the SDKs.

mod decode;
mod fail;
mod metadata;
#[cfg(test)]
mod tests;
mod topics;

use futures_util::future::BoxFuture;
use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use self::fail::Failure;
use super::Wire;
use crate::base::{Call, Caller, Clock};
use crate::services::push::{self, Pushes};
use crate::wire::http::{Body, Description, Request, Response, json as answer, with_error_code};

/// How its operations are recorded.
const SERVICE: &str = "fcm";
/// Bytes of a request: a message, or a thousand tokens.
const BODY_BYTES_MAX: usize = 8 << 20;
/// Tokens of one request ("Manage topics").
const TOKENS_MAX: usize = 1_000;
/// Seconds for which a token is good.
const TOKEN_SECONDS: u32 = 3_600;

/// The wire of one project.
pub struct Messaging {
    pushes: Pushes,
    project_id: String,
    clock: Clock,
}

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Send(&'a str),
    Topics {
        on: bool,
    },
    Topic {
        token: String,
        topic: String,
    },
    Info(String),
    /// The subscriptions of a device, or the one to a topic.
    Subscriptions {
        project: &'a str,
        token: String,
        topic: Option<String>,
    },
    /// What credentials are exchanged at, and what they are exchanged for.
    Token,
    Subject,
    /// What the metadata server knows.
    Metadata(&'a str),
    Root,
}

impl Messaging {
    pub fn new(pushes: Pushes, project_id: &str, clock: Clock) -> Messaging {
        Messaging { pushes, project_id: project_id.to_owned(), clock }
    }

    async fn operate(&self, call: &Call, parts: &Parts, place: &Place<'_>, body: Body) -> Result<Response, Failure> {
        let bytes = body.collect(BODY_BYTES_MAX).await.map_err(|error| Failure::invalid(error.to_string()))?;
        match (&parts.method, place) {
            (&Method::GET, Place::Root) => Ok(answer(StatusCode::OK, &json!({ "messaging": "ready" }))),
            (&Method::GET, Place::Subject) => Ok(http::Response::new(Body::from("emu"))),
            (&Method::POST, Place::Token) => Ok(answer(StatusCode::OK, &access_token())),
            (&Method::GET, Place::Metadata(path)) => Ok(metadata::serve(&self.project_id, self.clock.now(), parts, path)),
            (&Method::POST, Place::Send(project)) => self.send(call, project, &bytes).await,
            (&Method::POST, Place::Topics { on }) => self.subscribe(call, &bytes, *on).await,
            (&Method::POST, Place::Topic { token, topic }) => self.subscribe_one(call, token, topic).await,
            (&Method::GET, Place::Info(token)) => self.info(call, token).await,
            (_, Place::Subscriptions { project, token, topic }) => self.subscriptions(call, parts, project, token, topic.as_deref()).await,
            (method, _) => Err(Failure::unknown(&format!("{method} {}", parts.uri.path()))),
        }
    }

    async fn send(&self, call: &Call, project: &str, bytes: &[u8]) -> Result<Response, Failure> {
        authorized(call)?;
        if project != self.project_id {
            return Err(Failure::other_project("messages.create", project, &self.project_id));
        }
        let draft = decode::send(bytes)?;
        let id = match self.pushes.send(call, draft).await? {
            Some(push) => push.id,
            None => "fake_message_id".to_owned(),
        };
        Ok(answer(StatusCode::OK, &json!({ "name": format!("projects/{project}/messages/{id}") })))
    }

    async fn subscribe(&self, call: &Call, bytes: &[u8], on: bool) -> Result<Response, Failure> {
        authorized(call)?;
        let document: Map<String, Value> = serde_json::from_slice(bytes).map_err(|_| Failure::topics(400, "InvalidJson"))?;
        let topic = document.get("to").and_then(Value::as_str).ok_or_else(|| Failure::topics(400, "MissingTopicName"))?;
        let tokens = document.get("registration_tokens").and_then(Value::as_array).ok_or_else(|| Failure::topics(400, "MissingTokens"))?;
        if tokens.is_empty() || tokens.len() > TOKENS_MAX {
            return Err(Failure::topics(400, "InvalidTokenCount"));
        }
        let tokens: Option<Vec<String>> = tokens.iter().map(|token| token.as_str().map(str::to_owned)).collect();
        let tokens = tokens.ok_or_else(|| Failure::topics(400, "InvalidToken"))?;
        let results = match self.pushes.subscribe(call, topic, tokens, on).await {
            Err(push::Error::BadTopic(_)) => return Err(Failure::topics(400, "InvalidTopicName")),
            other => other?,
        };
        let results: Vec<Value> = results
            .into_iter()
            .map(|result| match result {
                Ok(_) => json!({}),
                Err(push::Error::Unregistered) => json!({ "error": "NOT_FOUND" }),
                Err(push::Error::SenderMismatch) => json!({ "error": "PERMISSION_DENIED" }),
                Err(push::Error::TooManyTopics) => json!({ "error": "TOO_MANY_TOPICS" }),
                Err(_) => json!({ "error": "INVALID_ARGUMENT" }),
            })
            .collect();
        Ok(answer(StatusCode::OK, &json!({ "results": results })))
    }

    async fn subscribe_one(&self, call: &Call, token: &str, topic: &str) -> Result<Response, Failure> {
        authorized(call)?;
        match self.pushes.subscribe_one(call, topic, token).await {
            Ok(_) => Ok(answer(StatusCode::OK, &json!({}))),
            Err(push::Error::BadTopic(_)) => Err(Failure::topics(400, "InvalidTopicName")),
            Err(push::Error::Unregistered) => Err(Failure::topics(404, "No information found about this instance id.")),
            Err(error @ push::Error::Store(_)) => Err(error.into()),
            Err(error) => Err(Failure::topics(400, &error.to_string())),
        }
    }

    async fn info(&self, call: &Call, token: &str) -> Result<Response, Failure> {
        authorized(call)?;
        let device = self.pushes.device(call, token).await?.filter(|device| device.state == push::DeviceState::Registered);
        let Some(device) = device else { return Err(Failure::topics(404, "No information found about this instance id.")) };
        let day = device.at.iso().chars().take(10).collect::<String>();
        let topics: Map<String, Value> = device.topics.iter().map(|topic| (topic.clone(), json!({ "addDate": day }))).collect();
        let platform = match device.platform {
            Some(push::Platform::Android) | None => "ANDROID",
            Some(push::Platform::Apns) => "IOS",
            Some(push::Platform::Webpush) => "WEBPUSH",
        };
        let all = json!({ "authorizedEntity": "000000000000", "platform": platform, "connectDate": day, "rel": { "topics": topics } });
        Ok(answer(StatusCode::OK, &all))
    }
}

/// What credentials are exchanged for: a token that every service here takes for a server's.
fn access_token() -> Value {
    json!({
        "access_token": "owner",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
    })
}

/// Only servers may send.
fn authorized(call: &Call) -> Result<(), Failure> {
    match call.caller {
        Caller::Admin | Caller::Function(_) | Caller::Operator => Ok(()),
        Caller::Anonymous | Caller::User { .. } => Err(Failure::unauthenticated()),
    }
}

fn place(path: &str) -> Option<Place<'_>> {
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    match path {
        "/" => return Some(Place::Root),
        "/token" => return Some(Place::Token),
        "/subject" => return Some(Place::Subject),
        "/iid/v1:batchAdd" => return Some(Place::Topics { on: true }),
        "/iid/v1:batchRemove" => return Some(Place::Topics { on: false }),
        _ => {}
    }
    if let Some(rest) = path.strip_prefix(metadata::ROOT)
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return Some(Place::Metadata(rest));
    }
    if let Some(token) = path.strip_prefix("/iid/info/") {
        return Some(Place::Info(decoded(token)?));
    }
    if let Some((token, topic)) = path.strip_prefix("/iid/v1/").and_then(|rest| rest.split_once("/rel/topics/")) {
        return Some(Place::Topic { token: decoded(token)?, topic: decoded(topic)? });
    }
    let (project, rest) = path.strip_prefix("/v1/projects/")?.split_once('/')?;
    if rest == "messages:send" {
        return Some(Place::Send(project));
    }
    let (token, topic) = rest.strip_prefix("registrations/")?.split_once("/topicSubscriptions")?;
    let topic = if topic.is_empty() { None } else { Some(decoded(topic.strip_prefix('/')?)?) };
    Some(Place::Subscriptions { project, token: decoded(token)?, topic })
}

impl Wire for Messaging {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Some(place) = place(parts.uri.path()) else { return Failure::unknown(parts.uri.path()).response() };
            let action = match &place {
                Place::Send(_) => "messages.send",
                Place::Topics { on: true } | Place::Topic { .. } => "topics.subscribe",
                Place::Topics { on: false } => "topics.unsubscribe",
                Place::Info(_) => "iid.info",
                Place::Subscriptions { .. } => topics::action(&parts.method),
                Place::Root | Place::Token | Place::Subject | Place::Metadata(_) => "",
            };
            let result = self.operate(call, &parts, &place, body).await;
            let response = result.unwrap_or_else(|failure| with_error_code(failure.response(), failure.code()));
            if action.is_empty() {
                return response;
            }
            Description { resource: Some(self.project_id.clone()), ..Description::new(SERVICE, action) }.attach(response)
        })
    }
}
