//! Errors of the Lambda API: codes and texts.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use super::{ASYNC_BYTES_MAX, SYNC_BYTES_MAX};
use crate::wire::http::{Response, json as json_answer, with_error_code};

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no such function; its ARN.
    NoFunction(String),
    /// The event is not JSON; why.
    Content(String),
    TooLarge,
    EventTooLarge {
        bytes: usize,
    },
    /// The function runs as often as it may already.
    Throttled,
    /// A parameter has a value that it cannot have.
    Invalid {
        value: String,
        at: &'static str,
        constraint: String,
    },
    /// The name says one version, the query another.
    Qualifiers,
    UnknownOperation {
        method: String,
        path: String,
    },
    /// The function cannot run at all just now; why.
    Unavailable(String),
    /// emu itself could not do it; why.
    Internal(String),
}

/// The answer that says so.
pub(super) fn fail(error: &Error) -> Response {
    // The name of the text's field differs from error to error, as in the service itself.
    let (status, code, kind, field, message) = match error {
        Error::NoFunction(arn) => (404, "ResourceNotFoundException", "User", "Message", format!("Function not found: {arn}")),
        Error::Content(why) => {
            let text = format!("Could not parse request body into json: Could not parse payload into json: {why}");
            (400, "InvalidRequestContentException", "User", "message", text)
        }
        Error::TooLarge => {
            let text = format!("Request must be smaller than {SYNC_BYTES_MAX} bytes for the InvokeFunction operation");
            (413, "RequestEntityTooLargeException", "User", "message", text)
        }
        Error::EventTooLarge { bytes } => {
            let text = format!("{bytes} byte payload is too large for the Event invocation type (limit {ASYNC_BYTES_MAX} bytes)");
            (413, "RequestEntityTooLargeException", "User", "message", text)
        }
        Error::Throttled => (429, "TooManyRequestsException", "User", "message", "Rate Exceeded.".to_owned()),
        Error::Invalid { value, at, constraint } => {
            let text = format!("1 validation error detected: Value '{value}' at '{at}' failed to satisfy constraint: {constraint}");
            (400, "ValidationException", "User", "message", text)
        }
        Error::Qualifiers => {
            let text = "The derived qualifier from the function name does not match the specified qualifier.".to_owned();
            (400, "InvalidParameterValueException", "User", "message", text)
        }
        Error::UnknownOperation { method, path } => {
            let text = format!("emu does not know the Lambda operation {method} {path}; functions are changed in serverless.yaml");
            (404, "UnknownOperationException", "User", "message", text)
        }
        Error::Unavailable(why) => (502, "ServiceException", "Service", "message", why.clone()),
        Error::Internal(why) => (500, "ServiceException", "Service", "message", why.clone()),
    };
    let mut body = json!({ "Type": kind, field: message });
    if *error == Error::Throttled {
        body["Reason"] = "ReservedFunctionConcurrentInvocationLimitExceeded".into();
    }
    let mut answer = json_answer(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &body);
    answer.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(code));
    with_error_code(answer, code)
}
