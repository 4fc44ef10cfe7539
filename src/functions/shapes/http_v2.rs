//! Payload format 2.0, of HTTP APIs.

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{Arrival, Malformed, append, build, decode_body, scalar, status, strings};

/// The event: header names in lower case, repeated values joined by commas, cookies apart. What is empty is left out.
pub(super) fn event(arrival: &Arrival<'_>) -> Value {
    let route_key = arrival.found.route.key();
    let mut headers = Map::new();
    let mut cookies = Vec::new();
    for (name, value) in arrival.all_headers() {
        if name == header::COOKIE.as_str() {
            cookies.extend(value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()).map(Value::from));
        } else {
            join(&mut headers, name, value);
        }
    }
    let mut query = Map::new();
    for (name, value) in arrival.query_pairs() {
        join(&mut query, &name, value);
    }
    let mut event = Map::new();
    event.insert("version".into(), "2.0".into());
    event.insert("routeKey".into(), route_key.as_str().into());
    event.insert("rawPath".into(), arrival.found.path.into());
    event.insert("rawQueryString".into(), arrival.query.unwrap_or_default().into());
    if !cookies.is_empty() {
        event.insert("cookies".into(), Value::Array(cookies));
    }
    event.insert("headers".into(), Value::Object(headers));
    if !query.is_empty() {
        event.insert("queryStringParameters".into(), Value::Object(query));
    }
    let context = json!({
        "accountId": arrival.gateway.account,
        "apiId": arrival.gateway.api_id,
        "domainName": arrival.host(),
        "domainPrefix": arrival.domain_prefix(),
        "http": {
            "method": arrival.method,
            "path": arrival.found.path,
            "protocol": arrival.protocol(),
            "sourceIp": arrival.source.to_string(),
            "userAgent": arrival.user_agent(),
        },
        "requestId": arrival.request_id,
        "routeKey": route_key,
        "stage": "$default",
        "time": arrival.common_log_time(),
        "timeEpoch": arrival.at.millis(),
    });
    event.insert("requestContext".into(), context);
    if !arrival.found.parameters.is_empty() {
        let parameters = arrival.found.parameters.iter().map(|(name, value)| (name.to_string(), value.clone()));
        event.insert("pathParameters".into(), Value::Object(strings(parameters)));
    }
    let body = arrival.body(is_text);
    let is_base64 = body.as_ref().is_some_and(|(_, is_base64)| *is_base64);
    if let Some((body, _)) = body {
        event.insert("body".into(), Value::String(body));
    }
    event.insert("isBase64Encoded".into(), Value::Bool(is_base64));
    Value::Object(event)
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

/// The answer. An object with `statusCode` says everything itself; anything else is the body of a 200 of JSON.
pub(super) fn answer(payload: &[u8]) -> Result<Response<Bytes>, Malformed> {
    let value: Value = serde_json::from_slice(payload).map_err(|_| Malformed("it is not JSON".to_string()))?;
    let mut object = match value {
        Value::Object(object) if object.contains_key("statusCode") => object,
        Value::String(text) => return Ok(build(StatusCode::OK, HeaderMap::new(), Bytes::from(text), "application/json")),
        _ => return Ok(build(StatusCode::OK, HeaderMap::new(), Bytes::copy_from_slice(payload), "application/json")),
    };
    let status = status(&object["statusCode"])?;
    let mut headers = HeaderMap::new();
    match object.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                append(&mut headers, name, &scalar(name, value)?)?;
            }
        }
        Some(_) => return Err(Malformed("`headers` is not an object".to_string())),
    }
    match object.get("cookies") {
        None | Some(Value::Null) => {}
        Some(Value::Array(cookies)) => {
            for cookie in cookies {
                append(&mut headers, "set-cookie", &scalar("cookies", cookie)?)?;
            }
        }
        Some(_) => return Err(Malformed("`cookies` is not an array".to_string())),
    }
    let is_base64 = match object.get("isBase64Encoded") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(truth)) => *truth,
        Some(_) => return Err(Malformed("`isBase64Encoded` is not a boolean".to_string())),
    };
    let body = match object.remove("body") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(body)) => body,
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Array(_) | Value::Object(_)) => return Err(Malformed("`body` is not a string; use JSON.stringify".to_string())),
    };
    Ok(build(status, headers, decode_body(body, is_base64)?, "text/plain;charset=UTF-8"))
}
