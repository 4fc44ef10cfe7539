//! Bytes on their way in by the JSON API: at once, behind a document that describes them, or over several requests.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::ask::{Ask, span};
use super::body::{Multipart, boundary, pieces};
use super::encode::{escaped, object_json};
use super::fail::Failure;
use super::{DOCUMENT_BYTES_MAX, Storage, decode};
use crate::base::Call;
use crate::services::objects::{
    Algorithm, Append, Appended, Claim, Claims, Condition, Content, Expected, How, NewSession, Object, Properties, Put, Session,
    SessionState, Snapshot,
};
use crate::wire::http::{Body, Response, json as answer};

/// What is to be stored.
pub struct Sent {
    pub key: String,
    pub properties: Properties,
    pub expected: Expected,
    pub condition: Condition,
    pub content: super::body::Pieces,
    pub length: Option<u64>,
}

impl Storage {
    /// Stores bytes that come in one request.
    pub async fn store(&self, call: &Call, bucket: &str, sent: Sent) -> Result<Object, Failure> {
        let mut claims = Claims { length: sent.length, md5: sent.expected.md5, ..Claims::default() };
        if let Some(crc32c) = sent.expected.crc32c {
            claims.algorithm = Some(Algorithm::Crc32c);
            claims.checksum = Claim::Given(crc32c.to_be_bytes().to_vec());
        }
        let put = Put {
            bucket: bucket.to_owned(),
            key: sent.key,
            how: How::Put,
            properties: sent.properties,
            condition: sent.condition,
            content: Content { stream: sent.content, claims },
        };
        self.objects.put(call, put).await.map(|stored| stored.object).map_err(|error| Failure::of(&error, bucket))
    }

    /// An upload of the JSON API, of any kind.
    pub async fn upload(&self, call: &Call, ask: &Ask<'_>, bucket: &str, body: Body) -> Result<Response, Failure> {
        if let Some(id) = ask.get("upload_id") {
            let id = id.to_owned();
            return self.continue_upload(call, ask, bucket, &id, body).await;
        }
        let kind = ask.get("uploadType").unwrap_or("media");
        let name = ask.get("name").map(str::to_owned);
        let mut condition = Condition::Numbers(ask.numbers(false)?);
        if condition == Condition::Numbers(Default::default()) {
            condition = Condition::Always;
        }
        let sent = match kind {
            "resumable" => return self.start_upload(call, ask, bucket, name, condition, body).await,
            "multipart" => {
                let (document, content_type, content) = described(ask.header("content-type"), body).await?;
                let mut properties = decode::properties(&document)?;
                properties.headers.content_type = properties.headers.content_type.or(content_type);
                let key = name.or_else(|| own_name(&document)).ok_or_else(|| Failure::required("name"))?;
                Sent { key, properties, expected: decode::expected(&document, ask.expected()?)?, condition, content, length: None }
            }
            "media" => {
                let mut properties = Properties::default();
                properties.headers.content_type = ask.header("content-type").map(str::to_owned);
                properties.headers.content_encoding = ask.get("contentEncoding").map(str::to_owned);
                let key = name.ok_or_else(|| Failure::required("name"))?;
                Sent { key, properties, expected: ask.expected()?, condition, content: pieces(body), length: ask.length() }
            }
            other => return Err(Failure::invalid(format!("Invalid upload request: unknown uploadType '{}'", super::ask::clip(other)))),
        };
        let object = self.store(call, bucket, with_grants(sent, ask)?).await?;
        Ok(stored(&object, ask))
    }

    async fn start_upload(
        &self,
        call: &Call,
        ask: &Ask<'_>,
        bucket: &str,
        name: Option<String>,
        condition: Condition,
        body: Body,
    ) -> Result<Response, Failure> {
        let document = self.document(body).await?;
        let mut properties = decode::properties(&document)?;
        let content_type = ask.header("x-upload-content-type").map(str::to_owned);
        properties.headers.content_type = properties.headers.content_type.or(content_type);
        properties.headers.content_encoding = properties.headers.content_encoding.or(ask.get("contentEncoding").map(str::to_owned));
        grant(&mut properties, ask)?;
        let key = name.or_else(|| own_name(&document)).ok_or_else(|| Failure::required("name"))?;
        let new = NewSession {
            bucket: bucket.to_owned(),
            key: key.clone(),
            properties,
            condition,
            total: ask.header("x-upload-content-length").and_then(|text| text.parse().ok()),
            expected: decode::expected(&document, Expected::default())?,
        };
        let session = self.objects.start_session(call, new).await.map_err(|error| Failure::of(&error, bucket))?;
        let location = format!(
            "{}/upload/storage/v1/b/{}/o?uploadType=resumable&name={}&upload_id={}",
            ask.origin(),
            escaped(bucket),
            escaped(&key),
            session.id
        );
        let mut response = http::Response::new(Body::empty());
        set(&mut response, "location", &location);
        set(&mut response, "x-guploader-uploadid", &session.id);
        Ok(response)
    }

    /// More bytes of an upload over several requests, or the question how far it is.
    pub async fn continue_upload(&self, call: &Call, ask: &Ask<'_>, bucket: &str, id: &str, body: Body) -> Result<Response, Failure> {
        match self.extend(call, ask, bucket, id, body).await? {
            Appended::Done(stored) => Ok(self::stored(&stored.object, ask)),
            Appended::More(session) => Ok(incomplete(&session)),
        }
    }

    /// As [`Storage::continue_upload`], answering what became of it.
    pub async fn extend(&self, call: &Call, ask: &Ask<'_>, bucket: &str, id: &str, body: Body) -> Result<Appended, Failure> {
        let fail = |error| Failure::of(&error, bucket);
        let session = self.objects.session(call, id).await.map_err(fail)?;
        let of = ask.header("content-range").map(span).transpose()?;
        let (first, last, total) = match of {
            // All there is, in one request.
            None => (Some(0), true, None),
            Some(span) if span.first.is_none() => {
                // How far is it? Where that is all there is to come, it is done.
                let is_over = span.total.is_some_and(|total| total == session.received);
                match session.state {
                    SessionState::Active if is_over => (Some(session.received), true, span.total),
                    SessionState::Active => return Ok(Appended::More(Box::new(session))),
                    SessionState::Done(_) => {
                        let stored = self.objects.outcome(call, &session).await.map_err(fail)?;
                        return Ok(Appended::Done(Box::new(stored)));
                    }
                    SessionState::Cancelled => return Err(fail(crate::services::objects::Error::SessionCancelled)),
                }
            }
            Some(span) => {
                let end = span.last.map(|last| last.saturating_add(1));
                (span.first, end.is_none() || end == span.total, span.total)
            }
        };
        let claims = Claims { length: ask.length(), ..Claims::default() };
        let append = Append {
            id: id.to_owned(),
            offset: first,
            content: Content { stream: pieces(body), claims },
            last,
            total,
            expected: ask.expected()?,
        };
        self.objects.append(call, append).await.map_err(fail)
    }

    /// Gives up an upload. The number is what Cloud Storage answers.
    pub async fn cancel(&self, call: &Call, ask: &Ask<'_>, bucket: &str) -> Result<Response, Failure> {
        let id = ask.get("upload_id").ok_or_else(|| Failure::required("upload_id"))?;
        self.objects.cancel_session(call, id).await.map_err(|error| Failure::of(&error, bucket))?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::from_u16(499).unwrap_or(StatusCode::NO_CONTENT);
        Ok(response)
    }
}

/// What an upload over several requests has so far.
pub fn incomplete(session: &Session) -> Response {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Some(last) = session.received.checked_sub(1) {
        set(&mut response, "range", &format!("bytes=0-{last}"));
    }
    set(&mut response, "x-guploader-uploadid", &session.id);
    response
}

fn stored(object: &Object, ask: &Ask<'_>) -> Response {
    answer(StatusCode::OK, &object_json(&Snapshot::of(object), &object.bucket, &ask.origin()))
}

/// The document and the bytes of a body in two parts, with the content type of the second.
pub async fn described(
    content_type: Option<&str>,
    body: Body,
) -> Result<(Map<String, Value>, Option<String>, super::body::Pieces), Failure> {
    let mut parts = Multipart::new(&boundary(content_type)?, body);
    let missing = || Failure::invalid("A body in parts has two of them here: a document, and the bytes that it describes.");
    parts.next().await?.ok_or_else(missing)?;
    let document = decode::document(&parts.collect(DOCUMENT_BYTES_MAX).await?)?;
    let head = parts.next().await?.ok_or_else(missing)?;
    Ok((document, head.content_type, parts.rest()))
}

fn own_name(document: &Map<String, Value>) -> Option<String> {
    document.get("name").and_then(Value::as_str).map(str::to_owned)
}

fn with_grants(mut sent: Sent, ask: &Ask<'_>) -> Result<Sent, Failure> {
    grant(&mut sent.properties, ask)?;
    Ok(sent)
}

/// Grants what a parameter of the query names.
fn grant(properties: &mut Properties, ask: &Ask<'_>) -> Result<(), Failure> {
    let Some(name) = ask.get("predefinedAcl").or_else(|| ask.get("destinationPredefinedAcl")) else { return Ok(()) };
    properties.grants = decode::predefined(name).ok_or_else(|| Failure::invalid(format!("Invalid argument: predefinedAcl '{name}'")))?;
    Ok(())
}

/// Sets a header of an answer; a value that cannot be one is left out.
pub fn set(response: &mut Response, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(HeaderName::from_static(name), value);
    }
}
