//! What a browser may do with a bucket from a page of another origin.
//! Source: the page "Using cross-origin resource sharing (CORS)" of the user guide.

use http::{HeaderMap, HeaderValue, Method, StatusCode};
use s3s::dto::{CORSConfiguration, CORSRule};
use s3s::xml::{Deserialize, Deserializer};

use super::S3;
use super::fail::Failure;
use crate::base::Call;
use crate::wire::http::{Body, Response, header};

/// Answers a browser's question before its request.
pub async fn preflight(s3: &S3, call: &Call, bucket: Option<&str>, headers: &HeaderMap) -> Result<Response, Failure> {
    let Some(origin) = header(headers, "origin") else {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "BadRequest", "Insufficient information. Origin request header needed."));
    };
    let Some(method) = header(headers, "access-control-request-method") else {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "BadRequest", "Invalid Access-Control-Request-Method: null"));
    };
    let rules = match bucket {
        Some(bucket) => rules(s3, call, bucket).await,
        None => None,
    };
    let forbidden = |message: &str| {
        Failure::new(StatusCode::FORBIDDEN, "AccessForbidden", message).detail("Method", method).detail("ResourceType", "BUCKET")
    };
    let Some(rules) = rules else { return Err(forbidden("CORSResponse: CORS is not enabled for this bucket.")) };
    let asked: Vec<&str> = header(headers, "access-control-request-headers")
        .unwrap_or_default()
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect();
    let Some(rule) = rules.iter().find(|rule| allows(rule, origin, method, &asked)) else {
        return Err(forbidden(
            "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
        ));
    };
    let mut response = http::Response::new(Body::empty());
    grant(response.headers_mut(), rule, origin);
    let asked = asked.join(", ").to_ascii_lowercase();
    for (name, value) in [
        ("access-control-allow-headers", asked),
        ("access-control-max-age", rule.max_age_seconds.map(|age| age.to_string()).unwrap_or_default()),
    ] {
        if let Some(value) = HeaderValue::from_str(&value).ok().filter(|value| !value.is_empty()) {
            response.headers_mut().insert(name, value);
        }
    }
    Ok(response)
}

/// Adds to an answer what lets the page that asked read it.
pub async fn expose(s3: &S3, call: &Call, bucket: &str, request: (&Method, &str), response: &mut Response) {
    let (method, origin) = request;
    let Some(rules) = rules(s3, call, bucket).await else { return };
    if let Some(rule) = rules.iter().find(|rule| allows(rule, origin, method.as_str(), &[])) {
        grant(response.headers_mut(), rule, origin);
    }
}

async fn rules(s3: &S3, call: &Call, bucket: &str) -> Option<Vec<CORSRule>> {
    let text = s3.objects.document(call, bucket, "cors").await.ok().flatten()?;
    let mut deserializer = Deserializer::new(text.as_bytes());
    CORSConfiguration::deserialize(&mut deserializer).ok().map(|configuration| configuration.cors_rules)
}

fn allows(rule: &CORSRule, origin: &str, method: &str, headers: &[&str]) -> bool {
    let allowed = rule.allowed_headers.as_deref().unwrap_or_default();
    rule.allowed_origins.iter().any(|pattern| matches(pattern, origin))
        && rule.allowed_methods.iter().any(|allowed| allowed == method)
        && headers.iter().all(|name| allowed.iter().any(|pattern| matches(&pattern.to_ascii_lowercase(), &name.to_ascii_lowercase())))
}

/// A pattern may have one `*`.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        Some((start, end)) => text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end),
        None => pattern == text,
    }
}

fn grant(headers: &mut HeaderMap, rule: &CORSRule, origin: &str) {
    let anyone = rule.allowed_origins.iter().any(|pattern| pattern == "*");
    let mut set = |name: &'static str, value: &str| {
        if let Some(value) = HeaderValue::from_str(value).ok().filter(|value| !value.is_empty()) {
            headers.insert(name, value);
        }
    };
    set("access-control-allow-origin", if anyone { "*" } else { origin });
    set("access-control-allow-methods", &rule.allowed_methods.join(", "));
    set("access-control-expose-headers", &rule.expose_headers.as_deref().unwrap_or_default().join(", "));
    if !anyone {
        set("access-control-allow-credentials", "true");
    }
    set("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}
