//! What went wrong, as SQS says it.

use http::StatusCode;

use super::Dialect;
use crate::services::queues::Error;

/// An error of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// The name in the JSON protocol, with its namespace.
    pub(super) kind: String,
    /// The code in the query protocol.
    pub(super) code: String,
    pub(super) message: String,
}

const SQS: &str = "com.amazonaws.sqs";
const CORAL: &str = "com.amazon.coral.service";

impl Fault {
    fn new(namespace: &str, kind: &str, code: &str, message: impl Into<String>) -> Fault {
        Fault { status: StatusCode::BAD_REQUEST, kind: format!("{namespace}#{kind}"), code: code.to_owned(), message: message.into() }
    }

    /// The same name in both protocols.
    fn plain(code: &str, message: impl Into<String>) -> Fault {
        Fault::new(SQS, code, code, message)
    }

    /// The query protocol has a long code.
    fn long(kind: &str, message: impl Into<String>) -> Fault {
        Fault::new(SQS, kind, &format!("AWS.SimpleQueueService.{kind}"), message)
    }

    fn value(message: impl Into<String>) -> Fault {
        Fault::new(CORAL, "InvalidParameterValueException", "InvalidParameterValue", message)
    }

    fn status(self, status: StatusCode) -> Fault {
        Fault { status, ..self }
    }

    pub(super) fn serialization(message: &str) -> Fault {
        Fault::new(CORAL, "SerializationException", "MalformedInput", message)
    }

    pub(super) fn unreadable(message: &str) -> Fault {
        Fault::new(CORAL, "InvalidRequestException", "InvalidRequest", format!("The request could not be read: {message}."))
    }

    pub(super) fn no_action() -> Fault {
        Fault::new(CORAL, "MissingActionException", "MissingAction", "The request must contain the parameter Action.")
    }

    pub(super) fn unknown_action(name: &str) -> Fault {
        let message = format!("The action {name} is not valid for this endpoint.");
        Fault::new(CORAL, "UnknownOperationException", "InvalidAction", message)
    }

    /// The query protocol words a missing queue differently.
    pub(super) fn said_in(mut self, dialect: Dialect) -> Fault {
        if dialect == Dialect::Query && self.code == "AWS.SimpleQueueService.NonExistentQueue" {
            self.message = "The specified queue does not exist for this wsdl version.".to_owned();
        }
        self
    }
}

/// What a reason "not between" looks like depends on the parameter.
fn range(parameter: &str, value: i64, min: i64, max: i64) -> String {
    let reason = match parameter {
        "DelaySeconds" => format!("DelaySeconds must be >= {min} and <= {max}."),
        "WaitTimeSeconds" => format!("Must be >= {min} and <= {max}, if provided."),
        _ => format!("Must be between {min} and {max}, if provided."),
    };
    format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}")
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        fail(&error)
    }
}

/// The code, status and text of every error.
pub(super) fn fail(error: &Error) -> Fault {
    let invalid = |value: &str, parameter: &str, reason: &str| {
        Fault::value(format!("Value {value} for parameter {parameter} is invalid. Reason: {reason}"))
    };
    match error {
        Error::NoSuchQueue(_) => {
            Fault::new(SQS, "QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
        }
        Error::QueueExists { attribute, .. } => Fault::new(
            SQS,
            "QueueNameExists",
            "QueueAlreadyExists",
            format!("A queue already exists with the same name and a different value for attribute {attribute}"),
        ),
        Error::QueueName { fifo: true, .. } => Fault::value(
            "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.",
        ),
        Error::QueueName { fifo: false, .. } => {
            Fault::value("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
        }
        Error::UnknownAttribute(name) => Fault::plain("InvalidAttributeName", format!("Unknown Attribute {name}.")),
        Error::AttributeValue(name) => Fault::plain("InvalidAttributeValue", format!("Invalid value for the parameter {name}.")),
        Error::RedrivePolicy { value, reason } => invalid(value, "RedrivePolicy", reason),
        Error::Missing(name) => Fault::new(
            CORAL,
            "MissingRequiredParameterException",
            "MissingParameter",
            format!("The request must contain the parameter {name}."),
        ),
        Error::Range { parameter, value, min, max } => Fault::value(range(parameter, *value, *min, *max)),
        Error::Identifier { parameter, value } => {
            invalid(value, parameter, &format!("{parameter} can only include alphanumeric and punctuation characters. 1 to 128 in length."))
        }
        Error::NotForThisKind { parameter, value } => {
            invalid(value, parameter, "The request include parameter that is not valid for this queue type")
        }
        Error::NoDeduplication => {
            Fault::value("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
        }
        Error::Characters(c) => Fault::plain(
            "InvalidMessageContents",
            format!(
                "Invalid binary character '#x{:X}' was found in the message body, the set of allowed characters is #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
                *c as u32
            ),
        ),
        Error::MessageAttribute(text) => Fault::value(text),
        Error::TooLarge { bytes_max } => {
            Fault::value(format!("One or more parameters are invalid. Reason: Message must be shorter than {bytes_max} bytes."))
        }
        Error::BatchTooLarge { bytes, bytes_max } => Fault::long(
            "BatchRequestTooLong",
            format!("Batch requests cannot be longer than {bytes_max} bytes. You have sent {bytes} bytes."),
        ),
        Error::BatchEmpty => Fault::long("EmptyBatchRequest", "There should be at least one SendMessageBatchRequestEntry in the request."),
        Error::BatchTooLong(count) => {
            Fault::long("TooManyEntriesInBatchRequest", format!("Maximum number of entries per request are 10. You have sent {count}."))
        }
        Error::EntryId(_) => Fault::long(
            "InvalidBatchEntryId",
            "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long.",
        ),
        Error::EntryRepeated(id) => Fault::long("BatchEntryIdsNotDistinct", format!("Id {id} repeated.")),
        Error::Receipt(handle) => {
            Fault::plain("ReceiptHandleIsInvalid", format!("The input receipt handle \"{handle}\" is not a valid receipt handle."))
        }
        Error::ReceiptExpired(handle) => invalid(handle, "ReceiptHandle", "The receipt handle has expired."),
        Error::NotAvailable(handle) => {
            invalid(handle, "ReceiptHandle", "Message does not exist or is not available for visibility timeout change.")
        }
        Error::NotInFlight => Fault::long("MessageNotInflight", "The message referred to is not in flight."),
        Error::HiddenTooLong { value } => {
            invalid(&value.to_string(), "VisibilityTimeout", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
        }
        Error::Purged(name) => {
            let text = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
            Fault::long("PurgeQueueInProgress", text).status(StatusCode::FORBIDDEN)
        }
        Error::InFlight(name) => {
            let text = format!("The maximum number of messages of {name} that can be in flight has been reached; delete some or wait.");
            Fault::plain("OverLimit", text).status(StatusCode::FORBIDDEN)
        }
        Error::NotDeadLetters(_) => Fault::value("Source queue must be configured as a Dead Letter Queue."),
        Error::NoSuchMove => {
            Fault::plain("ResourceNotFoundException", "Task does not exist, or is not running any more.").status(StatusCode::NOT_FOUND)
        }
        Error::Store(error) => {
            Fault::new(CORAL, "InternalFailure", "InternalFailure", error.to_string()).status(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}
