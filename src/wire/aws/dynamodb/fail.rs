//! What the service's errors are on this wire.

use http::StatusCode;
use serde_json::{Map, Value as Json, json};

use super::value::ShownItem;
use crate::services::tables::{Error, Reason};

/// Why a request has no answer.
pub enum Failure {
    /// The service refused it.
    Service(Error),
    /// Its JSON is not of the operation's shape; the text, where there is one.
    Serialization(Option<String>),
    UnknownOperation,
    /// It is larger than a request may be.
    TooLarge,
    /// An ARN, iterator or the like that this service did not give out.
    Invalid(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Service(error)
    }
}

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure::Invalid(text)
    }
}

const OWN: &str = "com.amazonaws.dynamodb.v20120810#";
const CORAL: &str = "com.amazon.coral.service#";
const VALIDATION: &str = "com.amazon.coral.validate#ValidationException";

/// Status and body.
pub fn fail(failure: &Failure) -> (StatusCode, Json) {
    let bad = |kind: &str, message: &str| (StatusCode::BAD_REQUEST, json!({"__type": kind, "message": message}));
    match failure {
        Failure::Service(error) => fail_service(error),
        Failure::Serialization(Some(text)) => {
            (StatusCode::BAD_REQUEST, json!({"__type": format!("{CORAL}SerializationException"), "Message": text}))
        }
        Failure::Serialization(None) => (StatusCode::BAD_REQUEST, json!({"__type": format!("{CORAL}SerializationException")})),
        Failure::UnknownOperation => (StatusCode::BAD_REQUEST, json!({"__type": format!("{CORAL}UnknownOperationException")})),
        Failure::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, json!({"__type": format!("{CORAL}RequestEntityTooLargeException")})),
        Failure::Invalid(text) => bad(VALIDATION, text),
    }
}

fn fail_service(error: &Error) -> (StatusCode, Json) {
    let mut more = Map::new();
    let (status, kind, message) = match error {
        Error::Invalid(text) => (StatusCode::BAD_REQUEST, VALIDATION.to_owned(), text.clone()),
        Error::NoSuchTable(_) | Error::NoSuchTableToManage(_) | Error::NoSuchIndex(_) | Error::NoSuchStream(_) => {
            (StatusCode::BAD_REQUEST, format!("{OWN}ResourceNotFoundException"), error.to_string())
        }
        Error::TableExists(_) | Error::InUse(_) => (StatusCode::BAD_REQUEST, format!("{OWN}ResourceInUseException"), error.to_string()),
        Error::ConditionFailed(item) => {
            if let Some(item) = item {
                more.insert("Item".into(), json!(ShownItem(item)));
            }
            (StatusCode::BAD_REQUEST, format!("{OWN}ConditionalCheckFailedException"), error.to_string())
        }
        Error::Cancelled(reasons) => {
            more.insert("CancellationReasons".into(), reasons.iter().map(reason).collect());
            let body = json!({"__type": format!("{OWN}TransactionCanceledException"), "Message": error.to_string()});
            return (StatusCode::BAD_REQUEST, with(body, more));
        }
        Error::TokenMismatch => (
            StatusCode::BAD_REQUEST,
            format!("{OWN}IdempotentParameterMismatchException"),
            "The client request token was used with different parameters".to_owned(),
        ),
        Error::IteratorExpired => (StatusCode::BAD_REQUEST, format!("{OWN}ExpiredIteratorException"), error.to_string()),
        Error::Trimmed => (StatusCode::BAD_REQUEST, format!("{OWN}TrimmedDataAccessException"), error.to_string()),
        Error::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{OWN}InternalServerError"), error.to_string()),
    };
    (status, with(json!({"__type": kind, "message": message}), more))
}

fn with(mut body: Json, more: Map<String, Json>) -> Json {
    if let Json::Object(members) = &mut body {
        members.extend(more);
    }
    body
}

fn reason(reason: &Reason) -> Json {
    match reason {
        Reason::None => json!({"Code": "None"}),
        Reason::ConditionFailed(None) => json!({"Code": reason.code(), "Message": "The conditional request failed"}),
        Reason::ConditionFailed(Some(item)) => {
            json!({"Code": reason.code(), "Message": "The conditional request failed", "Item": ShownItem(item)})
        }
        Reason::Invalid(text) => json!({"Code": reason.code(), "Message": text}),
    }
}
