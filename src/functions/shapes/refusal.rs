//! What API Gateway answers itself.

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Response, StatusCode};

use crate::functions::route::Kind;

/// Why a function's answer is not what the client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No route.
    NotFound,
    /// The function failed, has no version that works, or answered with something that is no answer.
    Broken,
    /// The integration took longer than the gateway waits.
    TimedOut,
    /// Too many invocations at once.
    Throttled,
    /// The request is larger than 10 MB, or larger than a function takes.
    TooLarge,
}

/// The answer to a refused request, with the texts of each kind of API.
pub fn refuse(kind: Kind, refusal: Refusal) -> Response<Bytes> {
    let rest = kind == Kind::Rest;
    let (status, body): (StatusCode, &'static str) = match refusal {
        Refusal::NotFound if rest => (StatusCode::FORBIDDEN, r#"{"message":"Missing Authentication Token"}"#),
        Refusal::NotFound => (StatusCode::NOT_FOUND, r#"{"message":"Not Found"}"#),
        Refusal::Broken if rest => (StatusCode::BAD_GATEWAY, r#"{"message": "Internal server error"}"#),
        Refusal::Broken => (StatusCode::INTERNAL_SERVER_ERROR, r#"{"message":"Internal Server Error"}"#),
        Refusal::TimedOut if rest => (StatusCode::GATEWAY_TIMEOUT, r#"{"message": "Endpoint request timed out"}"#),
        Refusal::TimedOut => (StatusCode::SERVICE_UNAVAILABLE, r#"{"message":"Service Unavailable"}"#),
        Refusal::Throttled if rest => (StatusCode::BAD_GATEWAY, r#"{"message": "Internal server error"}"#),
        Refusal::Throttled => (StatusCode::SERVICE_UNAVAILABLE, r#"{"message":"Service Unavailable"}"#),
        Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, r#"{"message":"Request Entity Too Large"}"#),
    };
    let mut response = Response::new(Bytes::from_static(body.as_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if rest && refusal == Refusal::NotFound {
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static("MissingAuthenticationTokenException"));
    }
    response
}
