//! Errors of the service → codes of gRPC.

use crate::services::pubsub::Error;
use crate::wire::firebase::rpc::{Code, Failure};

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure { code: code(&error), message: error.to_string() }
    }
}

fn code(error: &Error) -> Code {
    match error {
        Error::NoSuchTopic(_) | Error::NoSuchSubscription(_) => Code::NotFound,
        Error::Exists(_) => Code::AlreadyExists,
        Error::Invalid(_) | Error::AckId(_) => Code::InvalidArgument,
        Error::Pushed | Error::Detached(_) => Code::FailedPrecondition,
        // Who asks again is answered by the state that there is now.
        Error::Superseded => Code::Unavailable,
        Error::Store(_) => Code::Internal,
    }
}
