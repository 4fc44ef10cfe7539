//! Payload format 2.0, of HTTP APIs.

use std::borrow::Cow;

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Response, StatusCode, header};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{Arrival, Malformed, append, build, decode_body, scalar, status};

/// Most events without a body are shorter.
const EVENT_BYTES: usize = 1536;

/// Written as it is, for each request passes here: a tree of values would cost more than all else that the gateway does.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'static str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<&'a str>,
    #[serde(serialize_with = "object")]
    headers: Vec<(&'a str, Cow<'a, str>)>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    query_string_parameters: Map<String, Value>,
    request_context: Context<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "object")]
    path_parameters: Vec<(&'a str, &'a str)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
    is_base64_encoded: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'a str,
    api_id: &'a str,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'static str,
    time: String,
    time_epoch: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: &'static str,
    source_ip: String,
    user_agent: &'a str,
}

fn object<S: Serializer>(pairs: &[(&str, impl Serialize)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// The event: header names in lower case, repeated values joined by commas, cookies apart. What is empty is left out.
pub(super) fn event(arrival: &Arrival<'_>) -> Vec<u8> {
    let route_key = arrival.found.route.key();
    let all = arrival.all_headers();
    let mut headers: Vec<(&str, Cow<'_, str>)> = Vec::with_capacity(all.len());
    let mut cookies = Vec::new();
    for (name, value) in &all {
        if *name == header::COOKIE.as_str() {
            cookies.extend(value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()));
        } else if let Some((_, before)) = headers.last_mut().filter(|(last, _)| last == name) {
            let before = before.to_mut();
            before.push(',');
            before.push_str(value);
        } else {
            headers.push((name, Cow::Borrowed(value)));
        }
    }
    let mut query = Map::new();
    for (name, value) in arrival.query_pairs() {
        join(&mut query, &name, value);
    }
    let body = arrival.body(is_text);
    let event = Event {
        version: "2.0",
        route_key: &route_key,
        raw_path: arrival.found.path,
        raw_query_string: arrival.query.unwrap_or_default(),
        cookies,
        headers,
        query_string_parameters: query,
        request_context: Context {
            account_id: &arrival.gateway.account,
            api_id: &arrival.gateway.api_id,
            domain_name: arrival.host(),
            domain_prefix: arrival.domain_prefix(),
            http: Http {
                method: arrival.method,
                path: arrival.found.path,
                protocol: arrival.protocol(),
                source_ip: arrival.source.to_string(),
                user_agent: arrival.user_agent(),
            },
            request_id: arrival.request_id,
            route_key: &route_key,
            stage: "$default",
            time: arrival.common_log_time(),
            time_epoch: arrival.at.millis(),
        },
        path_parameters: arrival.found.parameters.iter().map(|(name, value)| (&**name, value.as_str())).collect(),
        is_base64_encoded: body.as_ref().is_some_and(|(_, is_base64)| *is_base64),
        body: body.map(|(body, _)| body),
    };
    let mut text = Vec::with_capacity(EVENT_BYTES + arrival.body.len());
    serde_json::to_writer(&mut text, &event).expect("an event is plain data");
    text
}

fn join(map: &mut Map<String, Value>, name: &str, value: String) {
    match map.get_mut(name) {
        Some(Value::String(before)) => {
            before.push(',');
            before.push_str(&value);
        }
        _ => {
            map.insert(name.to_string(), Value::String(value));
        }
    }
}

/// Media types that HTTP APIs hand over as text; everything else (forms, too) comes in base64.
fn is_text(media: &str) -> bool {
    media.starts_with("text/")
        || matches!(media, "application/json" | "application/javascript" | "application/xml")
        || media.ends_with("+json")
        || media.ends_with("+xml")
}

/// An answer that says everything itself. Read as it is, for each request passes here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    status_code: Value,
    headers: Option<Map<String, Value>>,
    cookies: Option<Vec<Value>>,
    is_base64_encoded: Option<bool>,
    #[serde(default)]
    body: Value,
}

/// The answer. An object with `statusCode` says everything itself; anything else is the body of a 200 of JSON.
pub(super) fn answer(payload: &[u8]) -> Result<Response<Bytes>, Malformed> {
    // A list would be read as the fields in their order.
    let usual = if payload.starts_with(b"{") { serde_json::from_slice(payload).ok() } else { None };
    let answer: Answer = match usual {
        Some(answer) => answer,
        None => match serde_json::from_slice(payload).map_err(|_| Malformed("it is not JSON".to_string()))? {
            Value::Object(object) if object.contains_key("statusCode") => checked(object)?,
            Value::String(text) => return Ok(build(StatusCode::OK, HeaderMap::new(), Bytes::from(text), "application/json")),
            _ => return Ok(build(StatusCode::OK, HeaderMap::new(), Bytes::copy_from_slice(payload), "application/json")),
        },
    };
    let status = status(&answer.status_code)?;
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers.iter().flatten() {
        append(&mut headers, name, &scalar(name, value)?)?;
    }
    for cookie in answer.cookies.iter().flatten() {
        append(&mut headers, "set-cookie", &scalar("cookies", cookie)?)?;
    }
    let body = match answer.body {
        Value::Null => String::new(),
        Value::String(body) => body,
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        Value::Array(_) | Value::Object(_) => return Err(Malformed("`body` is not a string; use JSON.stringify".to_string())),
    };
    Ok(build(status, headers, decode_body(body, answer.is_base64_encoded.unwrap_or_default())?, "text/plain;charset=UTF-8"))
}

/// The same of an object in which something is of a wrong kind, or there twice: then the last is meant.
fn checked(object: Map<String, Value>) -> Result<Answer, Malformed> {
    for (name, kind) in [("headers", "an object"), ("cookies", "an array"), ("isBase64Encoded", "a boolean")] {
        let fits = match (name, object.get(name)) {
            (_, None | Some(Value::Null)) => true,
            ("headers", Some(value)) => value.is_object(),
            ("cookies", Some(value)) => value.is_array(),
            (_, Some(value)) => value.is_boolean(),
        };
        if !fits {
            return Err(Malformed(format!("`{name}` is not {kind}")));
        }
    }
    serde_json::from_value(Value::Object(object)).map_err(|error| Malformed(error.to_string()))
}
