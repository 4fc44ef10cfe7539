//! Errors of the service → codes of gRPC.

use super::proto;
use crate::services::documents::Error;
pub use crate::wire::firebase::rpc::{Code, Failure};

impl Failure {
    /// As a part of an answer.
    pub fn status(self) -> proto::Status {
        proto::Status { code: self.code as i32, message: self.message }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { code: code(&error), message: error.to_string() }
    }
}

fn code(error: &Error) -> Code {
    match error {
        Error::Invalid(_) | Error::TransactionOver | Error::TooOld => Code::InvalidArgument,
        Error::NotFound(_) | Error::Missing(_) => Code::NotFound,
        Error::Exists(_) => Code::AlreadyExists,
        Error::Changed { .. } | Error::NoIndex { .. } => Code::FailedPrecondition,
        Error::Contention => Code::Aborted,
        Error::TooManyTransactions | Error::Exhausted(_) => Code::ResourceExhausted,
        Error::TooSlow(_) => Code::DeadlineExceeded,
        Error::Unsupported(_) => Code::Unimplemented,
        // Who asks again is answered by the state that there is now.
        Error::Superseded => Code::Unavailable,
        Error::Store(_) => Code::Internal,
    }
}
