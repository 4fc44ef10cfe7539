//! Messages as JSON: how requests are read, and answers written.

use http::StatusCode;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::grpc::MESSAGE_BYTES_MAX;
use super::{Code, Failure, coded};
use crate::wire::http::{Body, BodyError, Response};

/// The message of a body; an empty body is an empty message.
pub async fn read<T: DeserializeOwned + Default>(body: Body) -> Result<T, Failure> {
    let bytes = body.collect(MESSAGE_BYTES_MAX).await.map_err(|error| match error {
        BodyError::TooLarge { .. } => Failure::invalid(format!("Request payload size exceeds the limit: {MESSAGE_BYTES_MAX} bytes.")),
        BodyError::Broken(error) => Failure::new(Code::Cancelled, format!("The request broke off: {error}")),
    })?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(T::default());
    }
    serde_json::from_slice(&bytes).map_err(|error| Failure::invalid(format!("Invalid JSON payload received. {error}")))
}

/// An answer, or why there is none.
pub fn unary<T: Serialize>(outcome: Result<T, Failure>) -> Response {
    match outcome {
        Ok(message) => crate::wire::http::json(StatusCode::OK, &message),
        Err(failure) => refused(&failure, false),
    }
}

/// What is a stream over gRPC is an array here.
pub fn several<T: Serialize>(outcome: Result<Vec<T>, Failure>) -> Response {
    match outcome {
        Ok(messages) => crate::wire::http::json(StatusCode::OK, &messages),
        Err(failure) => refused(&failure, true),
    }
}

/// Why there is no answer; in an array where the answer would be one.
pub fn refused(failure: &Failure, in_array: bool) -> Response {
    let status = failure.code.status();
    let error = json!({ "error": { "code": status.as_u16(), "message": failure.message, "status": failure.code.name() } });
    let body = if in_array { json!([error]) } else { error };
    coded(crate::wire::http::json(status, &body), Some(failure.code.name()))
}
