//! What Cloud Messaging says when it says no. Sources: "ErrorCode" of the reference, and answers of the service.

use http::StatusCode;
use serde_json::{Value, json};

use crate::services::push;
use crate::wire::http::{Response, json as answer};

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    status: u16,
    /// Of Google's APIs: `INVALID_ARGUMENT`.
    name: &'static str,
    /// Of messages: `UNREGISTERED`.
    code: Option<&'static str>,
    message: String,
    /// The field that is wrong.
    field: Option<String>,
    /// Topics have a form of their own.
    is_of_topics: bool,
}

impl Failure {
    fn new(status: u16, name: &'static str, code: Option<&'static str>, message: impl Into<String>) -> Failure {
        Failure { status, name, code, message: message.into(), field: None, is_of_topics: false }
    }

    /// A message that is not as it has to be.
    pub fn invalid(message: impl Into<String>) -> Failure {
        Failure::new(400, "INVALID_ARGUMENT", Some("INVALID_ARGUMENT"), message)
    }

    /// A field that cannot be what it is.
    pub fn field(field: &str, message: impl Into<String>) -> Failure {
        Failure { code: None, field: Some(field.to_owned()), ..Failure::invalid(message) }
    }

    pub fn unauthenticated() -> Failure {
        Failure::new(
            401,
            "UNAUTHENTICATED",
            None,
            "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential.",
        )
    }

    /// `permission`: what is denied, as `messages.create`.
    pub fn other_project(permission: &str, asked: &str, own: &str) -> Failure {
        let asked: String = asked.chars().take(100).collect();
        let text = format!(
            "Permission 'cloudmessaging.{permission}' denied on resource '//cloudresourcemanager.googleapis.com/projects/{asked}' (or it may not exist): this emu runs the project '{own}'."
        );
        Failure::new(403, "PERMISSION_DENIED", None, text)
    }

    pub fn unknown(what: &str) -> Failure {
        let what: String = what.chars().take(200).collect();
        Failure::new(501, "UNIMPLEMENTED", None, format!("emu does not know {what} of Cloud Messaging"))
    }

    pub fn not_found() -> Failure {
        Failure::new(404, "NOT_FOUND", None, "Requested entity was not found.")
    }

    pub fn exists() -> Failure {
        Failure::new(409, "ALREADY_EXISTS", None, "Requested entity already exists.")
    }

    /// About topics, as `iid.googleapis.com` says it.
    pub fn topics(status: u16, message: &str) -> Failure {
        Failure { is_of_topics: true, ..Failure::new(status, "INVALID_ARGUMENT", None, message) }
    }

    /// About topics, as `fcm.googleapis.com` says it: what is said of messages has codes that SDKs do not look for here.
    pub fn of_subscription(error: push::Error) -> Failure {
        match error {
            push::Error::SenderMismatch => Failure::new(403, "PERMISSION_DENIED", None, "SenderId mismatch"),
            push::Error::TooManyTopics => {
                Failure::new(429, "RESOURCE_EXHAUSTED", Some("TOO_MANY_TOPICS"), push::Error::TooManyTopics.to_string())
            }
            other => other.into(),
        }
    }

    /// What a record calls it.
    pub fn code(&self) -> &'static str {
        self.code.unwrap_or(self.name)
    }

    pub fn response(&self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if self.is_of_topics {
            return answer(status, &json!({ "error": self.message }));
        }
        let mut details: Vec<Value> = Vec::new();
        if let Some(code) = self.code {
            details.push(json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code }));
        }
        if let Some(field) = &self.field {
            let violation = json!({ "field": field, "description": self.message });
            details.push(json!({ "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation] }));
        }
        let mut error = json!({ "code": self.status, "message": self.message, "status": self.name });
        if !details.is_empty() {
            error["details"] = json!(details);
        }
        answer(status, &json!({ "error": error }))
    }
}

impl From<push::Error> for Failure {
    fn from(error: push::Error) -> Failure {
        use push::Error;
        match &error {
            Error::NoTarget => Failure::invalid("Recipient of the message is not set."),
            Error::BadToken(_) => Failure::invalid("The registration token is not a valid FCM registration token"),
            Error::BadTopic(_) => Failure::invalid("Invalid topic name"),
            Error::BadCondition => Failure::invalid("Invalid condition expression provided."),
            Error::Unregistered => Failure::new(404, "NOT_FOUND", Some("UNREGISTERED"), "Requested entity was not found."),
            Error::SenderMismatch => Failure::new(403, "PERMISSION_DENIED", Some("SENDER_ID_MISMATCH"), "SenderId mismatch"),
            Error::TooLarge { platform, .. } => Failure::invalid(match *platform {
                "apns" => "APNs message is too big",
                "webpush" => "Web message is too big",
                _ => "Android message is too big",
            }),
            Error::TooManyTopics => Failure::topics(400, "TOO_MANY_TOPICS"),
            Error::Store(store) => {
                tracing::error!(error = %store, "a request to Cloud Messaging failed inside emu");
                Failure::new(500, "INTERNAL", Some("INTERNAL"), format!("Internal error encountered. ({store})"))
            }
        }
    }
}
