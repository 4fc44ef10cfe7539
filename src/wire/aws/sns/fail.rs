//! What went wrong, as SNS says it.

use http::StatusCode;

use crate::services::topics::Error;

/// An error of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) message: String,
}

impl Fault {
    fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Fault {
        Fault { status, code: code.to_owned(), message: message.into() }
    }

    pub(super) fn parameter(message: impl Into<String>) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, "InvalidParameter", message)
    }

    pub(super) fn missing(name: &str) -> Fault {
        let message = format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null");
        Fault::new(StatusCode::BAD_REQUEST, "ValidationError", message)
    }

    pub(super) fn malformed(message: &str) -> Fault {
        Fault::new(StatusCode::BAD_REQUEST, "MalformedQueryString", message)
    }

    pub(super) fn unknown_action(name: &str) -> Fault {
        let message = format!("The action {name} is not valid for this endpoint.");
        Fault::new(StatusCode::BAD_REQUEST, "InvalidAction", message)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        fail(&error)
    }
}

/// The code, status and text of every error.
pub(super) fn fail(error: &Error) -> Fault {
    let bad = |code: &str, message: String| Fault::new(StatusCode::BAD_REQUEST, code, message);
    match error {
        Error::NoSuchTopic(_) => Fault::new(StatusCode::NOT_FOUND, "NotFound", "Topic does not exist"),
        Error::NoSuchSubscription(_) => Fault::new(StatusCode::NOT_FOUND, "NotFound", "Subscription does not exist"),
        Error::TopicExists(_) => Fault::parameter("Invalid parameter: Attributes Reason: Topic already exists with different attributes"),
        Error::TopicTags(_) => Fault::parameter("Invalid parameter: Tags Reason: Topic already exists with different tags"),
        Error::TopicName(_) => Fault::parameter("Invalid parameter: Topic Name"),
        Error::Invalid { parameter, reason } if parameter == "MessageAttributes" => bad("ParameterValueInvalid", reason.clone()),
        Error::Invalid { parameter, reason } if reason.is_empty() => Fault::parameter(format!("Invalid parameter: {parameter}")),
        Error::Invalid { parameter, reason } if parameter == "Message Structure" => {
            Fault::parameter(format!("Invalid parameter: Message Structure - {reason}"))
        }
        Error::Invalid { parameter, reason } if reason.starts_with("Reason") => {
            Fault::parameter(format!("Invalid parameter: {parameter} {reason}"))
        }
        Error::Invalid { parameter, reason } => Fault::parameter(format!("Invalid parameter: {parameter}: {reason}")),
        Error::Empty => Fault::parameter("Invalid parameter: Empty message"),
        Error::TooLong(_) => Fault::parameter("Invalid parameter: Message too long"),
        Error::BatchTooLong(_) => bad("BatchRequestTooLong", "The length of all the messages put together is more than the limit.".into()),
        Error::BatchEmpty => bad("EmptyBatchRequest", "The batch request doesn't contain any entries.".into()),
        Error::BatchTooMany(_) => bad("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.".into()),
        Error::EntryId(_) => {
            bad("InvalidBatchEntryId", "The Id of a batch entry in the batch request doesn't abide by the specification.".into())
        }
        Error::EntryRepeated => bad("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.".into()),
        Error::Store(error) => Fault::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", error.to_string()),
    }
}
