//! Uploads over several requests as Firebase's SDKs make them (`X-Goog-Upload-Command`).

use http::StatusCode;

use super::ask::Ask;
use super::body::pieces;
use super::encode::{escaped, firebase_json};
use super::fail::Failure;
use super::upload::set;
use super::{Storage, decode};
use crate::base::Call;
use crate::services::objects::{Append, Appended, Claims, Condition, Content, Expected, NewSession, Object, Session, SessionState};
use crate::wire::http::{Body, Response, json as answer};

/// Bytes that every part but the last is a multiple of.
const GRANULARITY: u64 = 256 << 10;

/// What is to be done with an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    pub start: bool,
    pub upload: bool,
    pub finalize: bool,
    pub query: bool,
    pub cancel: bool,
}

impl Command {
    /// `upload, finalize`
    pub fn of(text: &str) -> Result<Command, Failure> {
        let mut command = Command { start: false, upload: false, finalize: false, query: false, cancel: false };
        for one in text.split(',') {
            match one.trim().to_ascii_lowercase().as_str() {
                "start" => command.start = true,
                "upload" => command.upload = true,
                "finalize" => command.finalize = true,
                "query" => command.query = true,
                "cancel" => command.cancel = true,
                other => return Err(Failure::invalid(format!("Invalid value for X-Goog-Upload-Command: '{}'", super::ask::clip(other)))),
            }
        }
        Ok(command)
    }
}

impl Storage {
    /// Begins an upload of a file; its bytes come in later requests.
    pub async fn start_file(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str, body: Body) -> Result<Response, Failure> {
        let document = self.document(body).await?;
        let mut properties = decode::properties(&document)?;
        let content_type = ask.header("x-goog-upload-header-content-type").or(ask.header("x-goog-upload-content-type"));
        properties.headers.content_type = properties.headers.content_type.or(content_type.map(str::to_owned));
        self.give_token(&mut properties);
        let new = NewSession {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            properties,
            condition: Condition::Always,
            total: ask.header("x-goog-upload-header-content-length").and_then(|text| text.parse().ok()),
            expected: decode::expected(&document, Expected::default())?,
        };
        let session = self.objects.start_session(call, new).await.map_err(|error| Failure::of(&error, bucket))?;
        let id = &session.id;
        let url = format!("{}/v0/b/{}/o?name={}&upload_id={id}&upload_protocol=resumable", ask.origin(), escaped(bucket), escaped(key));
        let mut response = http::Response::new(Body::empty());
        set(&mut response, "x-goog-upload-chunk-granularity", &GRANULARITY.to_string());
        set(&mut response, "x-goog-upload-control-url", "");
        set(&mut response, "x-goog-upload-url", &url);
        said(&mut response, &session, "active");
        Ok(response)
    }

    /// Carries out a later command of an upload.
    pub async fn continue_file(
        &self,
        call: &Call,
        ask: &Ask<'_>,
        bucket: &str,
        id: &str,
        command: Command,
        body: Body,
    ) -> Result<Response, Failure> {
        let fail = |error| Failure::of(&error, bucket);
        if command.cancel {
            let session = self.objects.cancel_session(call, id).await.map_err(fail)?;
            if let SessionState::Done(_) = session.state {
                return Err(Failure::invalid("The upload is finished; it cannot be cancelled."));
            }
            let mut response = http::Response::new(Body::empty());
            said(&mut response, &session, "cancelled");
            return Ok(response);
        }
        if command.query {
            let session = self.objects.session(call, id).await.map_err(fail)?;
            let status = match session.state {
                SessionState::Active => "active",
                SessionState::Done(_) => "final",
                SessionState::Cancelled => "cancelled",
            };
            let mut response = http::Response::new(Body::empty());
            set(&mut response, "x-goog-upload-size-received", &session.received.to_string());
            said(&mut response, &session, status);
            return Ok(response);
        }
        if !command.upload && !command.finalize {
            return Err(Failure::invalid("X-Goog-Upload-Command is missing."));
        }
        let offset = match ask.header("x-goog-upload-offset") {
            Some(text) => Some(text.parse().map_err(|_| Failure::invalid("Invalid value for X-Goog-Upload-Offset."))?),
            None => None,
        };
        let claims = Claims { length: ask.length(), ..Claims::default() };
        let content = Content { stream: pieces(body), claims };
        let append = Append { id: id.to_owned(), offset, content, last: command.finalize, total: None, expected: ask.expected()? };
        match self.objects.append(call, append).await.map_err(fail)? {
            Appended::Done(stored) => Ok(done(&stored.object, id)),
            Appended::More(session) => {
                let mut response = http::Response::new(Body::empty());
                set(&mut response, "x-goog-upload-size-received", &session.received.to_string());
                said(&mut response, &session, "active");
                Ok(response)
            }
        }
    }
}

fn said(response: &mut Response, session: &Session, status: &str) {
    set(response, "x-goog-upload-status", status);
    set(response, "x-gupload-uploadid", &session.id);
}

fn done(object: &Object, id: &str) -> Response {
    let mut response = answer(StatusCode::OK, &firebase_json(object));
    set(&mut response, "x-goog-upload-status", "final");
    set(&mut response, "x-gupload-uploadid", id);
    response
}
