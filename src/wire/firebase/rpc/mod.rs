//! What Google's interfaces have in common: calls over gRPC and as JSON, their codes, and how some types are written.

pub mod grpc;
pub mod json;
mod status;
pub mod text;
mod timestamp;

use std::pin::Pin;

use futures_util::Stream;

pub use self::status::{Code, Failure};
pub use self::timestamp::Timestamp;
use crate::wire::http::{Response, with_error_code};

/// Messages that come in.
pub type Requests<T> = Pin<Box<dyn Stream<Item = Result<T, Failure>> + Send>>;

/// Whether a field has the value that is left out.
pub fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Says with an answer which code it failed with.
pub fn coded(response: Response, code: Option<&'static str>) -> Response {
    match code {
        Some(code) => with_error_code(response, code),
        None => response,
    }
}
