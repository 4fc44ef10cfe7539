//! WebChannel: the two streams for browsers, which cannot send while they receive. What goes in comes in requests one after another, what
//! goes out is the body of one long answer. Source: the client's own sources (google-closure-library, `labs/net/webchannel`).
//!
//! A handshake makes a session; posts bring its messages, numbered, so that one sent twice counts once; the answer of a get takes what
//! goes out, in numbered arrays that are kept until the client says that it has them.

mod form;
mod frame;
mod inbox;
mod outbox;
mod session;
mod sessions;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::mpsc;

use self::form::{Address, Form};
use self::frame::framed;
use self::session::{Pace, Session};
pub use self::sessions::Sessions;
use super::fail::Failure;
use super::stream::{ANSWERS_MAX, Answers};
use super::{Firestore, SERVICE};
use crate::base::Call;
use crate::wire::firebase::identity;
use crate::wire::firebase::rpc::{Requests, grpc};
use crate::wire::http::{Body, BodyError, BoxError, Description, Request, Response};

/// Bytes of a form: a request of the largest kind with what escapes make of it.
const FORM_BYTES_MAX: usize = 3 * grpc::MESSAGE_BYTES_MAX;
/// The version of the protocol that we speak, and of the server that we claim to be.
const VERSION: u32 = 8;
const SERVER_VERSION: u32 = 14;
/// Milliseconds within which something is sent to say that we are there; the client waits half as long again.
const KEEPALIVE_MS: u64 = 30_000;
/// The client looks for these words, anywhere but at the beginning, and then begins another session.
const UNKNOWN_SESSION: &str = "Error: Unknown SID";

/// A stream that can be had by a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Listen,
    Write,
}

impl Kind {
    /// Which stream a path is of, if it is of one.
    pub fn of(path: &str) -> Option<Kind> {
        match path.strip_prefix(super::GRPC)? {
            "Listen/channel" => Some(Kind::Listen),
            "Write/channel" => Some(Kind::Write),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Listen => "Listen",
            Kind::Write => "Write",
        }
    }
}

impl Firestore {
    pub(super) async fn channel(&self, call: &Call, kind: Kind, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let address = match Address::read(parts.uri.query().unwrap_or_default()) {
            Ok(address) => address,
            Err(error) => return refused(StatusCode::BAD_REQUEST, error.to_string()),
        };
        let form = match body.collect(FORM_BYTES_MAX).await {
            Ok(bytes) => Form::read(&bytes),
            Err(error @ BodyError::TooLarge { .. }) => return refused(StatusCode::PAYLOAD_TOO_LARGE, format!("Error: {error}.")),
            Err(error @ BodyError::Broken(_)) => return refused(StatusCode::BAD_REQUEST, format!("Error: {error}.")),
        };
        let form = match form {
            Ok(form) => form,
            Err(error) => return refused(StatusCode::BAD_REQUEST, error.to_string()),
        };
        let Some(id) = &address.session else {
            return match parts.method {
                Method::POST => Description::new(SERVICE, kind.name()).attach(self.handshake(call, kind, address, form).await),
                _ => refused(StatusCode::BAD_REQUEST, "Error: a channel begins with a POST."),
            };
        };
        let session = self.sessions.get(id);
        if address.terminates {
            // Nobody looks at the answer.
            session.inspect(|session| session.close());
            return answer(StatusCode::OK, Body::empty());
        }
        let Some(session) = session else { return refused(StatusCode::BAD_REQUEST, UNKNOWN_SESSION) };
        if session.acknowledge(address.seen.unwrap_or(0)).is_err() {
            session.close();
            return refused(StatusCode::BAD_REQUEST, UNKNOWN_SESSION);
        }
        if parts.method == Method::GET {
            let pace = if address.buffered { Pace::once(address.wait) } else { Pace::Streaming };
            let turn = session.attach(pace);
            let pieces = stream::unfold(turn, |mut turn| async move { Some((Ok::<_, BoxError>(Bytes::from(turn.next().await?)), turn)) });
            return answer(StatusCode::OK, Body::stream(pieces, None));
        }
        match session.take(form.messages).await {
            Ok(()) => {
                let (taken, sent, bytes) = session.state();
                answer(StatusCode::OK, Body::from(framed(&json!([u8::from(taken), sent, bytes]).to_string())))
            }
            Err(session::Over) => refused(StatusCode::BAD_REQUEST, UNKNOWN_SESSION),
        }
    }

    /// Makes a session, with the messages that came along.
    async fn handshake(&self, call: &Call, kind: Kind, address: Address, form: Form) -> Response {
        let id = self.ids.hex(16);
        let Some(session) = self.sessions.begin(&id) else {
            tracing::warn!("Firestore: {} pages and tabs listen or write already; one more is refused", sessions::SESSIONS_MAX);
            return refused(StatusCode::SERVICE_UNAVAILABLE, "Error: too many channels are open.");
        };
        let call = asked_by(call, &[&address.headers, &form.headers]);
        self.access.check(&call);
        let first = address.first.into_iter().chain([form]).flat_map(|form| form.messages).collect();
        if session.take(first).await.is_err() {
            self.sessions.end(&id);
            return refused(StatusCode::BAD_REQUEST, "Error: the first messages of a channel are numbered from 0.");
        }
        let (firestore, key) = (self.clone(), id.clone());
        tokio::spawn(async move {
            let work = async {
                match kind {
                    Kind::Write => carry(&session, |requests, answers| firestore.write_stream(call, requests, answers)).await,
                    Kind::Listen => carry(&session, |requests, answers| firestore.listen_stream(call, requests, answers)).await,
                }
                session.finish();
            };
            // Whoever closes the page may have sent something before: that is taken up. What was said last is there to be fetched.
            let left = async {
                session.left().await;
                session.close();
            };
            tokio::join!(work, left);
            firestore.sessions.end(&key);
        });
        let hello = json!([[0, ["c", id, "", VERSION, SERVER_VERSION, KEEPALIVE_MS]]]).to_string();
        let mut response = answer(StatusCode::OK, Body::from(framed(&hello)));
        let value = HeaderValue::from_str(&id).expect("an identifier is plain text");
        response.headers_mut().insert("x-http-session-id", value);
        response
    }
}

/// The call, on behalf of whom the headers say that a client sends in other places than the usual. The last counts.
fn asked_by(call: &Call, headers: &[&HeaderMap]) -> Call {
    let said = headers.iter().rev().find(|headers| identity::token(headers).is_some());
    Call { caller: said.map_or_else(|| call.caller.clone(), |headers| identity::caller(headers)), ..call.clone() }
}

/// Carries messages between a session and a stream, until the stream ends.
async fn carry<I, O, F>(session: &Arc<Session>, run: impl FnOnce(Requests<I>, Answers<O>) -> F)
where
    I: DeserializeOwned + Send + 'static,
    O: Serialize,
    F: Future<Output = ()>,
{
    let read = |text: String| {
        serde_json::from_str::<I>(&text).map_err(|error| Failure::invalid(format!("Invalid JSON payload received. {error}")))
    };
    let requests = stream::unfold(session.clone(), move |session| async move { Some((read(session.next().await?), session)) });
    let (answers, mut told) = mpsc::channel::<Result<O, Failure>>(ANSWERS_MAX);
    let outward = async {
        while let Some(answer) = told.recv().await {
            let payload = match answer {
                Ok(message) => serde_json::to_string(&[message]).expect("messages are plain data"),
                Err(failure) => {
                    let code = failure.code.status().as_u16();
                    json!([{ "error": { "code": code, "message": failure.message, "status": failure.code.name() } }]).to_string()
                }
            };
            session.put(&payload).await;
        }
    };
    tokio::join!(run(requests.boxed(), answers), outward);
}

fn refused(status: StatusCode, text: impl Into<Bytes>) -> Response {
    answer(status, Body::from(text.into()))
}

fn answer(status: StatusCode, body: Body) -> Response {
    let mut response = http::Response::new(body);
    *response.status_mut() = status;
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache, no-store, max-age=0, must-revalidate"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
