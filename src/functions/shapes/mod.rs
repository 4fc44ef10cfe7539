//! How API Gateway shows a request to a function, and how it reads the function's answer (developer guide, "Working with AWS Lambda
//! proxy integrations for HTTP APIs" and "Lambda proxy integrations in API Gateway"). Pure.

mod http_v1;
mod http_v2;
mod refusal;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{Datelike, Timelike};
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, Version, header};
use serde_json::{Map, Value};

pub use refusal::{Refusal, refuse};

use super::route::{Kind, Match};
use crate::base::Time;
use crate::project::Payload;

/// A request on its way to a function.
#[derive(Debug)]
pub struct Arrival<'a> {
    pub found: &'a Match<'a>,
    pub method: &'a str,
    /// The query as sent, without the question mark.
    pub query: Option<&'a str>,
    pub headers: &'a HeaderMap,
    pub version: Version,
    pub body: &'a Bytes,
    pub source: IpAddr,
    pub at: Time,
    pub request_id: &'a str,
    pub gateway: &'a Gateway,
}

/// What is the same for every request of an API.
#[derive(Clone, Debug)]
pub struct Gateway {
    pub account: String,
    pub api_id: String,
    /// The stage of the REST API; that of the HTTP API is `$default`.
    pub stage: String,
}

/// Why a function's answer cannot be sent: API Gateway calls it malformed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the function's answer is malformed: {0}")]
pub struct Malformed(pub String);

/// The event of a request, JSON.
pub fn event(arrival: &Arrival<'_>) -> Bytes {
    Bytes::from(match arrival.found.route.kind {
        Kind::HttpApi(Payload::V2) => http_v2::event(arrival),
        Kind::HttpApi(Payload::V1) | Kind::Rest => serde_json::to_vec(&http_v1::event(arrival)).expect("an event is plain data"),
    })
}

/// The HTTP answer that a function's JSON answer stands for.
pub fn answer(kind: Kind, payload: &[u8]) -> Result<Response<Bytes>, Malformed> {
    match kind {
        Kind::HttpApi(Payload::V2) => http_v2::answer(payload),
        Kind::HttpApi(Payload::V1) | Kind::Rest => http_v1::answer(kind, payload),
    }
}

impl Arrival<'_> {
    fn host(&self) -> &str {
        text(self.headers, header::HOST).unwrap_or("localhost")
    }

    /// The first label of the host, as `requestContext.domainPrefix` has it.
    fn domain_prefix(&self) -> &str {
        self.host().split(['.', ':']).next().unwrap_or_default()
    }

    fn user_agent(&self) -> &str {
        text(self.headers, header::USER_AGENT).unwrap_or_default()
    }

    fn protocol(&self) -> &'static str {
        // API Gateway speaks HTTP/1.1 to its integrations, whatever the client spoke.
        match self.version {
            Version::HTTP_10 => "HTTP/1.0",
            _ => "HTTP/1.1",
        }
    }

    /// `21/Nov/2026:02:41:00 +0000`.
    fn common_log_time(&self) -> String {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let at = self.at.utc();
        // Every request has one: a pattern would be read anew each time.
        let (month, hour, minute, second) = (MONTHS[at.month0() as usize], at.hour(), at.minute(), at.second());
        format!("{:02}/{month}/{}:{hour:02}:{minute:02}:{second:02} +0000", at.day(), at.year())
    }

    fn query_pairs(&self) -> impl Iterator<Item = (String, String)> + '_ {
        url::form_urlencoded::parse(self.query.unwrap_or_default().as_bytes()).map(|(name, value)| (name.into_owned(), value.into_owned()))
    }

    /// The request's headers and those that the gateway adds, in order of name. Values that are not text are shown as Latin-1.
    fn all_headers(&self) -> Vec<(&str, Cow<'_, str>)> {
        let port = self.host().rsplit_once(':').map_or("80", |(_, port)| port);
        let mut all: Vec<(&str, Cow<'_, str>)> = self.headers.iter().map(|(name, value)| (name.as_str(), latin1(value))).collect();
        let forwarded = match text(self.headers, HeaderName::from_static("x-forwarded-for")) {
            Some(before) => format!("{before}, {}", self.source),
            None => self.source.to_string(),
        };
        all.retain(|(name, _)| *name != "x-forwarded-for");
        all.push(("x-forwarded-for", Cow::Owned(forwarded)));
        for (name, value) in [("x-forwarded-port", port), ("x-forwarded-proto", "http")] {
            if !self.headers.contains_key(name) {
                all.push((name, Cow::Borrowed(value)));
            }
        }
        all.sort_by(|a, b| a.0.cmp(b.0));
        all
    }

    /// The body as a string for the event, and whether it is base64; `None` where there is none.
    fn body(&self, is_text: impl Fn(&str) -> bool) -> Option<(String, bool)> {
        if self.body.is_empty() {
            return None;
        }
        let encoded = self.headers.contains_key(header::CONTENT_ENCODING);
        let media =
            text(self.headers, header::CONTENT_TYPE).map(|value| value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        if !encoded
            && media.as_deref().is_none_or(is_text)
            && let Ok(text) = std::str::from_utf8(self.body)
        {
            return Some((text.to_string(), false));
        }
        Some((STANDARD.encode(self.body), true))
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// A header's value as Node shows it: characters beyond ASCII as Latin-1.
pub(super) fn latin1(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(value.as_bytes().iter().map(|byte| *byte as char).collect()),
    }
}

fn strings(pairs: impl IntoIterator<Item = (String, String)>) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect()
}

/// Three digits, 200 to 599: what an answer over HTTP/1.1 can end with. API Gateway takes digits in a string, too.
fn status(value: &Value) -> Result<StatusCode, Malformed> {
    let number = match value {
        Value::Number(number) => number.as_u64().or_else(|| number.as_f64().filter(|n| n.fract() == 0.0).map(|n| n as u64)),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number
        .filter(|number| (200..600).contains(number))
        .and_then(|number| StatusCode::from_u16(number as u16).ok())
        .ok_or_else(|| Malformed(format!("`statusCode` is {value}, which is no HTTP status from 200 to 599")))
}

fn scalar(name: &str, value: &Value) -> Result<String, Malformed> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Malformed(format!("header `{name}` is {value}, which is not a string"))),
    }
}

/// Headers that describe the connection or the length: the listener writes its own.
fn is_own(name: &HeaderName) -> bool {
    matches!(
        *name,
        header::CONNECTION | header::CONTENT_LENGTH | header::TRANSFER_ENCODING | header::UPGRADE | header::TRAILER | header::TE
    ) || name.as_str() == "keep-alive"
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Malformed> {
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
        return Err(Malformed(format!("`{name}` is no name of a header")));
    };
    if is_own(&parsed) {
        return Ok(());
    }
    // Characters up to U+00FF travel as Latin-1 and the rest as UTF-8, as Node and API Gateway send them.
    let value = if value.chars().all(|c| (c as u32) < 0x100) {
        HeaderValue::from_bytes(&value.chars().map(|c| c as u8).collect::<Vec<u8>>())
    } else {
        HeaderValue::from_bytes(value.as_bytes())
    };
    let value = value.map_err(|_| Malformed(format!("the value of header `{name}` has characters that a header cannot have")))?;
    headers.try_append(parsed, value).map(|_| ()).map_err(|_| Malformed("there are too many headers".to_string()))
}

/// Puts the parts of an answer together; the content type only where the function gave none.
fn build(status: StatusCode, mut headers: HeaderMap, body: Bytes, content_type: &'static str) -> Response<Bytes> {
    if !headers.contains_key(header::CONTENT_TYPE) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    }
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn decode_body(body: String, is_base64: bool) -> Result<Bytes, Malformed> {
    if !is_base64 {
        return Ok(Bytes::from(body));
    }
    STANDARD
        .decode(body.trim_end())
        .map(Bytes::from)
        .map_err(|_| Malformed("`isBase64Encoded` is true and `body` is not base64".to_string()))
}
