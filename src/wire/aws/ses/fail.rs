//! What went wrong, as SES says it in either version.

use http::StatusCode;

use crate::services::mail::Error;

/// An error of the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    /// The name of the exception in v2.
    pub(super) code_v2: &'static str,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(code: &'static str, code_v2: &'static str, message: impl Into<String>) -> Fault {
        Fault { status: StatusCode::BAD_REQUEST, code, code_v2, message: message.into() }
    }

    pub(super) fn value(message: impl Into<String>) -> Fault {
        Fault::new("InvalidParameterValue", "BadRequestException", message)
    }

    pub(super) fn status_v2(&self) -> StatusCode {
        match self.code_v2 {
            "NotFoundException" => StatusCode::NOT_FOUND,
            _ => self.status,
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        fail(&error)
    }
}

/// The code, status and text of every error.
pub(super) fn fail(error: &Error) -> Fault {
    match error {
        Error::Address(text) => Fault::value(*text),
        Error::NoRecipient => Fault::value("Missing required header 'To'."),
        Error::Recipients(_) => Fault::value("Recipient count exceeds 50."),
        Error::NoSender => Fault::value("Missing required header 'From'."),
        Error::TooLarge { bytes, bytes_max } => Fault::value(format!("Message length is more than {bytes_max} bytes long: '{bytes}'.")),
        Error::NoContent => Fault::new("ValidationError", "BadRequestException", "The message must have a subject or a body."),
        Error::Unreadable => Fault::value("The raw message cannot be read as a mail."),
        Error::NoSuchTemplate(name) => Fault::new("TemplateDoesNotExist", "NotFoundException", format!("Template {name} does not exist")),
        Error::TemplateExists(name) => Fault::new("AlreadyExists", "AlreadyExistsException", format!("Template {name} already exists")),
        Error::BadTemplate(text) => Fault::new("InvalidTemplate", "BadRequestException", text.clone()),
        Error::BadTemplateData => Fault::new(
            "InvalidRenderingParameter",
            "BadRequestException",
            "Template data must be a JSON object, with the names of its attributes in double quotes",
        ),
        Error::MissingAttribute(name) => Fault::new(
            "MissingRenderingAttribute",
            "BadRequestException",
            format!("Attribute '{name}' is not present in the rendering data."),
        ),
        Error::NoSuchIdentity(name) => {
            Fault::new("InvalidParameterValue", "NotFoundException", format!("Email identity {name} does not exist."))
        }
        Error::IdentityExists(name) => {
            Fault::new("AlreadyExists", "AlreadyExistsException", format!("Email identity {name} already exist."))
        }
        Error::BadIdentity(name) => Fault::value(format!("Invalid email address or domain: {name}")),
        Error::Store(error) => Fault {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Fault::new("InternalFailure", "InternalServiceErrorException", error.to_string())
        },
    }
}
