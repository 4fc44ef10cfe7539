//! What the services with an `X-Amz-Target` header share: AWS JSON 1.0 and 1.1.

use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

use crate::wire::http::{Body, Request, Response, header};

/// The operation in the `X-Amz-Target` header, with what stands before its dot: `DynamoDB_20120810`, `PutItem`.
pub fn target(request: &Request) -> Option<(&str, &str)> {
    header(request.headers(), "x-amz-target")?.rsplit_once('.')
}

/// An answer in AWS JSON `version` (`1.0` or `1.1`) with its request identifier.
pub fn answer(status: StatusCode, version: &str, request_id: &str, body: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let kind = match version {
        "1.1" => HeaderValue::from_static("application/x-amz-json-1.1"),
        _ => HeaderValue::from_static("application/x-amz-json-1.0"),
    };
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
