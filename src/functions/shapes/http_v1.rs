//! Payload format 1.0, of REST APIs and of HTTP APIs that ask for it.

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Response, StatusCode, header};
use serde_json::{Map, Value, json};

use super::{Arrival, Malformed, append, build, decode_body, scalar, status, strings};
use crate::functions::route::Kind;

/// The event: every key is there, `null` where there is nothing; of repeated headers and parameters the last one counts, and all are in
/// the `multiValue…` maps.
pub(super) fn event(arrival: &Arrival<'_>) -> Value {
    let route = arrival.found.route;
    let is_rest = route.kind == Kind::Rest;
    let (mut headers, mut multi_headers) = (Map::new(), Map::new());
    for (name, value) in arrival.all_headers() {
        put(&mut headers, &mut multi_headers, title(name), value.into_owned());
    }
    let (mut query, mut multi_query) = (Map::new(), Map::new());
    for (name, value) in arrival.query_pairs() {
        put(&mut query, &mut multi_query, name, value);
    }
    let parameters = strings(arrival.found.parameters.iter().map(|(name, value)| (name.to_string(), value.clone())));
    let stage = if is_rest { arrival.gateway.stage.as_str() } else { "$default" };
    let path = arrival.found.path;
    let full_path = if is_rest { format!("/{stage}{path}") } else { path.to_string() };
    let (body, is_base64) = arrival.body(is_text).map_or((Value::Null, false), |(body, is_base64)| (Value::String(body), is_base64));
    let mut event = Map::new();
    if !is_rest {
        event.insert("version".into(), "1.0".into());
    }
    event.insert("resource".into(), route.path.as_str().into());
    event.insert("path".into(), path.into());
    event.insert("httpMethod".into(), arrival.method.into());
    event.insert("headers".into(), Value::Object(headers));
    event.insert("multiValueHeaders".into(), Value::Object(multi_headers));
    event.insert("queryStringParameters".into(), or_null(query));
    event.insert("multiValueQueryStringParameters".into(), or_null(multi_query));
    event.insert("pathParameters".into(), or_null(parameters));
    event.insert("stageVariables".into(), Value::Null);
    let context = json!({
        "accountId": arrival.gateway.account,
        "apiId": arrival.gateway.api_id,
        "deploymentId": "emu",
        "domainName": arrival.host(),
        "domainPrefix": arrival.domain_prefix(),
        "extendedRequestId": arrival.request_id,
        "httpMethod": arrival.method,
        "identity": {
            "accessKey": null, "accountId": null, "apiKey": null, "apiKeyId": null, "caller": null, "cognitoAmr": null,
            "cognitoAuthenticationProvider": null, "cognitoAuthenticationType": null, "cognitoIdentityId": null,
            "cognitoIdentityPoolId": null, "principalOrgId": null, "sourceIp": arrival.source.to_string(), "user": null,
            "userAgent": arrival.user_agent(), "userArn": null,
        },
        "path": full_path,
        "protocol": arrival.protocol(),
        "requestId": arrival.request_id,
        "requestTime": arrival.common_log_time(),
        "requestTimeEpoch": arrival.at.millis(),
        "resourceId": route.key(),
        "resourcePath": route.path,
        "stage": stage,
    });
    event.insert("requestContext".into(), context);
    event.insert("body".into(), body);
    event.insert("isBase64Encoded".into(), Value::Bool(is_base64));
    Value::Object(event)
}

fn put(single: &mut Map<String, Value>, multi: &mut Map<String, Value>, name: String, value: String) {
    single.insert(name.clone(), Value::String(value.clone()));
    match multi.get_mut(&name) {
        Some(Value::Array(values)) => values.push(Value::String(value)),
        _ => {
            multi.insert(name, Value::Array(vec![Value::String(value)]));
        }
    }
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

/// `x-forwarded-for` as `X-Forwarded-For`: the way clients of a REST API write names, which the listener does not keep.
fn title(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| {
            let c = if start { c.to_ascii_uppercase() } else { c };
            start = c == '-';
            c
        })
        .collect()
}

/// A REST API hands over everything as text that is text; what is not comes in base64, as with `binaryMediaTypes: '*/*'`.
fn is_text(_media: &str) -> bool {
    true
}

const KEYS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

/// The answer: an object of known keys and types, or else it is malformed.
pub(super) fn answer(kind: Kind, payload: &[u8]) -> Result<Response<Bytes>, Malformed> {
    let value: Value = serde_json::from_slice(payload).map_err(|_| Malformed("it is not JSON".to_string()))?;
    let Value::Object(mut object) = value else {
        return Err(Malformed("it is not an object with `statusCode`, `headers` and `body`".to_string()));
    };
    if kind == Kind::Rest
        && let Some(unknown) = object.keys().find(|key| !KEYS.contains(&key.as_str()))
    {
        return Err(Malformed(format!("it has a key `{unknown}`; known are {}", KEYS.join(", "))));
    }
    let status = match object.get("statusCode") {
        None | Some(Value::Null) => StatusCode::OK,
        Some(value) => status(value)?,
    };
    let mut headers = HeaderMap::new();
    let many = match object.get("multiValueHeaders") {
        None | Some(Value::Null) => None,
        Some(Value::Object(many)) => Some(many),
        Some(_) => return Err(Malformed("`multiValueHeaders` is not an object".to_string())),
    };
    match object.get("headers") {
        None | Some(Value::Null) => {}
        Some(Value::Object(given)) => {
            for (name, value) in given {
                // Where both maps have a name, the values of the many include this one.
                if !many.is_some_and(|many| many.keys().any(|key| key.eq_ignore_ascii_case(name))) {
                    append(&mut headers, name, &scalar(name, value)?)?;
                }
            }
        }
        Some(_) => return Err(Malformed("`headers` is not an object".to_string())),
    }
    for (name, values) in many.into_iter().flatten() {
        let Value::Array(values) = values else {
            return Err(Malformed(format!("`{name}` in `multiValueHeaders` is not an array")));
        };
        for value in values {
            append(&mut headers, name, &scalar(name, value)?)?;
        }
    }
    let is_base64 = match object.get("isBase64Encoded") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(truth)) => *truth,
        Some(_) => return Err(Malformed("`isBase64Encoded` is not a boolean".to_string())),
    };
    let body = match object.remove("body") {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(body)) => body,
        Some(_) => return Err(Malformed("`body` is not a string; use JSON.stringify".to_string())),
    };
    if headers.contains_key(header::CONTENT_TYPE) || kind == Kind::Rest {
        return Ok(build(status, headers, decode_body(body, is_base64)?, "application/json"));
    }
    Ok(build(status, headers, decode_body(body, is_base64)?, "text/plain;charset=UTF-8"))
}
