//! Objects out of a browser's form. Source: the page "Browser-Based Uploads Using POST (AWS Signature Version 4)".

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;

use super::S3;
use super::encode;
use super::fail::{Failure, fail};
use super::object::tags_of_header;
use crate::base::{Call, Time};
use crate::services::objects::{Claims, Condition, Content, Headers, How, Object, Properties, Put};
use crate::wire::http::{Body, BoxError, Response, header};

/// Bytes of the form before its file ("POST Object").
const FIELDS_BYTES_MAX: usize = 20 << 10;

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// A form whose file is still to come.
struct Form {
    /// Names in lower case.
    fields: BTreeMap<String, String>,
    file_name: String,
    rest: Rest,
}

struct Rest {
    body: Pieces,
    waiting: BytesMut,
    /// What ends a part: a line break, two hyphens and the boundary.
    end: Vec<u8>,
    done: bool,
}

fn malformed() -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "MalformedPOSTRequest", super::fail::message("MalformedPOSTRequest"))
}

/// The boundary of a form, if the request has one.
pub fn boundary(headers: &HeaderMap) -> Option<String> {
    let kind = header(headers, "content-type")?;
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let value = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    Some(value.trim_matches('"').to_owned()).filter(|value| !value.is_empty() && value.len() <= 200)
}

/// Stores the file of a form; its bytes stream through.
pub async fn post(s3: &S3, call: &Call, bucket: &str, boundary: &str, body: Body) -> Result<Response, Failure> {
    let Form { mut fields, file_name, rest } = read(boundary, body).await?;
    let key = fields.get("key").map(|key| key.replace("${filename}", &file_name)).filter(|key| !key.is_empty());
    let Some(key) = key else {
        return Err(Failure::invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
            "key",
            "",
        ));
    };
    fields.insert("key".to_owned(), key.clone());
    fields.insert("bucket".to_owned(), bucket.to_owned());
    let (least, most) = match fields.get("policy") {
        Some(policy) => check_policy(policy, &fields, s3.objects.now())?,
        None => (0, u64::MAX),
    };
    let get = |name: &str| fields.get(name).cloned();
    let properties = super::object::bounded(Properties {
        headers: Headers {
            content_type: get("content-type"),
            cache_control: get("cache-control"),
            content_disposition: get("content-disposition"),
            content_encoding: get("content-encoding"),
            content_language: get("content-language"),
            expires: get("expires"),
            storage_class: get("x-amz-storage-class").filter(|class| class != "STANDARD"),
            redirect: get("x-amz-website-redirect-location"),
            ..Headers::default()
        },
        metadata: fields.iter().filter_map(|(name, value)| Some((name.strip_prefix("x-amz-meta-")?.to_owned(), value.clone()))).collect(),
        tags: tags_of_header(get("x-amz-tagging").as_deref())?,
        ..Properties::default()
    })?;
    let refused: Arc<Mutex<Option<Failure>>> = Arc::default();
    let stream = bounded(rest, least, most, refused.clone());
    let content = Content { stream: Box::pin(stream), claims: Claims::default() };
    let put = Put { bucket: bucket.to_owned(), key, how: How::Post, properties, condition: Condition::Always, content };
    let stored = s3.objects.put(call, put).await.map_err(|error| {
        let refused = refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        refused.unwrap_or_else(|| fail(&error))
    })?;
    Ok(answer(&stored.object, get("success_action_redirect").or(get("redirect")), get("success_action_status")))
}

fn answer(object: &Object, redirect: Option<String>, status: Option<String>) -> Response {
    let etag = format!("\"{}\"", object.etag);
    let location = format!("http://{}.s3.amazonaws.com/{}", object.bucket, object.key);
    let redirect = redirect.and_then(|target| url::Url::parse(&target).ok()).map(|mut target| {
        target.query_pairs_mut().append_pair("bucket", &object.bucket).append_pair("key", &object.key).append_pair("etag", &etag);
        target.to_string()
    });
    let mut response = match (&redirect, status.as_deref()) {
        (None, Some("201")) => encode::xml(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>{}</Location><Bucket>{}</Bucket><Key>{}</Key><ETag>{}</ETag></PostResponse>",
            encode::escape(&location),
            encode::escape(&object.bucket),
            encode::escape(&object.key),
            encode::escape(&etag),
        )),
        _ => http::Response::new(Body::empty()),
    };
    *response.status_mut() = match (&redirect, status.as_deref()) {
        (Some(_), _) => StatusCode::SEE_OTHER,
        (None, Some("200")) => StatusCode::OK,
        (None, Some("201")) => StatusCode::CREATED,
        _ => StatusCode::NO_CONTENT,
    };
    for (name, value) in [("etag", etag), ("location", redirect.unwrap_or(location))] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// The fields of a form, up to its file.
async fn read(boundary: &str, body: Body) -> Result<Form, Failure> {
    let body: Pieces = match body {
        Body::Bytes(bytes) => Box::pin(stream::iter([Ok(bytes)])),
        Body::Stream { stream, .. } => stream,
        Body::Frames(frames) => Box::pin(frames.into_data_stream()),
    };
    let end = format!("\r\n--{boundary}").into_bytes();
    // The first boundary has no line before it.
    let mut rest = Rest { body, waiting: BytesMut::from(&b"\r\n"[..]), end: end.clone(), done: false };
    let (mut fields, mut size) = (BTreeMap::new(), 0);
    rest.until(&end).await?;
    loop {
        if rest.until(b"\r\n").await?.starts_with(b"--") {
            return Err(Failure::invalid_argument("POST requires exactly one file upload per request.", "file", 0));
        }
        let head = String::from_utf8_lossy(&rest.until(b"\r\n\r\n").await?).into_owned();
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:")).ok_or_else(malformed)?;
        let name = quoted(disposition, "name").ok_or_else(malformed)?.to_ascii_lowercase();
        if name == "file" {
            let file_name = quoted(disposition, "filename").unwrap_or_default();
            return Ok(Form { fields, file_name, rest });
        }
        let value = rest.until(&end).await?;
        size += head.len() + value.len();
        if size > FIELDS_BYTES_MAX {
            let message = "Your POST request fields preceding the upload file were too large.";
            return Err(Failure::new(StatusCode::BAD_REQUEST, "MaxPostPreDataLengthExceeded", message));
        }
        fields.insert(name, String::from_utf8_lossy(&value).into_owned());
    }
}

fn quoted(line: &str, name: &str) -> Option<String> {
    let rest = line.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))?;
    Some(rest.trim_matches('"').to_owned())
}

fn position(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

impl Rest {
    /// Reads on; false at the end.
    async fn fill(&mut self) -> Result<bool, BoxError> {
        match self.body.next().await {
            Some(piece) => self.waiting.extend_from_slice(&piece?),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The bytes before `mark`, which is passed over.
    async fn until(&mut self, mark: &[u8]) -> Result<Bytes, Failure> {
        loop {
            if let Some(at) = position(&self.waiting, mark) {
                let found = self.waiting.split_to(at).freeze();
                let _ = self.waiting.split_to(mark.len());
                return Ok(found);
            }
            if self.waiting.len() > FIELDS_BYTES_MAX + (256 << 10) || !self.fill().await.map_err(|_| Failure::incomplete())? {
                return Err(malformed());
            }
        }
    }

    /// The next bytes of the file.
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        while !self.done {
            if let Some(at) = position(&self.waiting, &self.end) {
                self.done = true;
                return Ok(Some(self.waiting.split_to(at).freeze()));
            }
            // What may be the start of the end stays.
            let sure = self.waiting.len().saturating_sub(self.end.len());
            if sure > 0 {
                return Ok(Some(self.waiting.split_to(sure).freeze()));
            }
            if !self.fill().await? {
                return Err("the form has no end".into());
            }
        }
        Ok(None)
    }
}

/// The bytes of the file, as long as there are as many as the policy wants.
fn bounded(rest: Rest, least: u64, most: u64, refused: Arc<Mutex<Option<Failure>>>) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let refuse = move |code: &str, message: &str, size: u64| -> BoxError {
        let failure = Failure::new(StatusCode::BAD_REQUEST, code, message).detail("ProposedSize", size);
        *refused.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(failure);
        message.to_owned().into()
    };
    stream::try_unfold((rest, 0u64, refuse), move |(mut rest, size, refuse)| async move {
        match rest.next().await? {
            Some(bytes) => {
                let size = size + bytes.len() as u64;
                if size > most {
                    return Err(refuse("EntityTooLarge", super::fail::message("EntityTooLarge"), size));
                }
                Ok(Some((bytes, (rest, size, refuse))))
            }
            None if size < least => Err(refuse("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", size)),
            None => Ok(None),
        }
    })
}

/// Checks what a policy says of the form; answers the bounds of the file's size. Its signature may be anyone's.
fn check_policy(policy: &str, fields: &BTreeMap<String, String>, now: Time) -> Result<(u64, u64), Failure> {
    let invalid = |why: &str| Failure::new(StatusCode::BAD_REQUEST, "InvalidPolicyDocument", format!("Invalid Policy: {why}"));
    let denied = |why: String| Failure::new(StatusCode::FORBIDDEN, "AccessDenied", format!("Invalid according to Policy: {why}"));
    let policy = BASE64.decode(policy.trim()).map_err(|_| invalid("Invalid Base64 encoding."))?;
    let policy: Value = serde_json::from_slice(&policy).map_err(|_| invalid("Invalid JSON."))?;
    let expiration = policy.get("expiration").and_then(Value::as_str).ok_or_else(|| invalid("Policy missing expiration."))?;
    let expiration = chrono::DateTime::parse_from_rfc3339(expiration).map_err(|_| invalid("Invalid 'expiration' value."))?;
    if now.millis() > expiration.timestamp_millis() {
        return Err(denied("Policy expired.".to_owned()));
    }
    let conditions = policy.get("conditions").and_then(Value::as_array).ok_or_else(|| invalid("Policy missing conditions."))?;
    let field = |name: &str| fields.get(&name.trim_start_matches('$').to_ascii_lowercase()).map_or("", String::as_str);
    let mut bounds = (0, u64::MAX);
    for condition in conditions {
        let holds = match condition {
            Value::Object(pairs) => pairs.iter().all(|(name, value)| value.as_str() == Some(field(name))),
            Value::Array(parts) => match parts.as_slice() {
                [Value::String(kind), least, most] if kind.eq_ignore_ascii_case("content-length-range") => {
                    let number = |value: &Value| {
                        value.as_u64().or_else(|| value.as_str()?.parse().ok()).ok_or_else(|| invalid("Invalid content-length-range."))
                    };
                    bounds = (number(least)?, number(most)?);
                    true
                }
                [Value::String(kind), Value::String(name), Value::String(value)] if kind.eq_ignore_ascii_case("eq") => field(name) == value,
                [Value::String(kind), Value::String(name), Value::String(value)] if kind.eq_ignore_ascii_case("starts-with") => {
                    field(name).starts_with(value.as_str())
                }
                _ => return Err(invalid("Invalid condition.")),
            },
            _ => return Err(invalid("Invalid condition.")),
        };
        if !holds {
            return Err(denied(format!("Policy Condition failed: {condition}")));
        }
    }
    Ok(bounds)
}
