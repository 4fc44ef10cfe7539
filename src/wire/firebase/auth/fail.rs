//! Errors in the words of the Identity Toolkit, which SDKs compare.

use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::services::auth::Error;
use crate::wire::http::{Response, json as answer, with_error_code};

/// What a request is refused with.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    pub status: StatusCode,
    pub message: String,
    /// Why, in a word.
    reason: &'static str,
    /// The status' name, where it is said.
    name: Option<&'static str>,
    location: bool,
}

impl Refusal {
    /// Something wrong with what was sent.
    pub fn bad(message: impl Into<String>) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, message: message.into(), reason: "invalid", name: None, location: false }
    }

    pub fn unreadable(message: impl Into<String>) -> Refusal {
        Refusal { reason: "badRequest", name: Some("INVALID_ARGUMENT"), ..Refusal::bad(message) }
    }

    pub fn not_found() -> Refusal {
        Refusal { status: StatusCode::NOT_FOUND, reason: "notFound", name: Some("NOT_FOUND"), ..Refusal::bad("Not Found") }
    }

    /// Something that the cloud has and emu does not.
    pub fn not_built(what: impl Into<String>) -> Refusal {
        let status = StatusCode::NOT_IMPLEMENTED;
        Refusal { status, reason: "unimplemented", name: Some("NOT_IMPLEMENTED"), ..Refusal::bad(what) }
    }

    pub fn no_key() -> Refusal {
        let message = "The request is missing a valid API key.";
        Refusal { status: StatusCode::FORBIDDEN, reason: "forbidden", name: Some("PERMISSION_DENIED"), ..Refusal::bad(message) }
    }

    /// An administrator should ask. `sent`: whether the request says who asks at all.
    pub fn not_admin(sent: bool) -> Refusal {
        let (message, reason) = if sent {
            (
                "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
                "authError",
            )
        } else {
            (
                "Request is missing required authentication credential. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.",
                "required",
            )
        };
        Refusal { status: StatusCode::UNAUTHORIZED, reason, name: Some("UNAUTHENTICATED"), location: true, ..Refusal::bad(message) }
    }

    /// The answer.
    pub fn response(&self) -> Response {
        let mut detail = Map::new();
        detail.insert("message".into(), json!(if self.location { "Invalid Credentials" } else { &self.message }));
        detail.insert("reason".into(), json!(self.reason));
        detail.insert("domain".into(), json!("global"));
        if self.location {
            detail.insert("location".into(), json!("Authorization"));
            detail.insert("locationType".into(), json!("header"));
        }
        let mut error = Map::new();
        error.insert("code".into(), json!(self.status.as_u16()));
        error.insert("message".into(), json!(self.message));
        error.insert("errors".into(), json!([Value::Object(detail)]));
        if let Some(name) = self.name {
            error.insert("status".into(), json!(name));
        }
        let code = self.message.split(" : ").next().unwrap_or_default();
        with_error_code(answer(self.status, &json!({ "error": error })), code)
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Refusal {
        let message: &str = match &error {
            Error::ProjectDisabled => "PROJECT_DISABLED",
            Error::TenantNotFound(_) => {
                return Refusal {
                    status: StatusCode::NOT_FOUND,
                    reason: "notFound",
                    name: Some("NOT_FOUND"),
                    ..Refusal::bad("TENANT_NOT_FOUND")
                };
            }
            Error::TenantUnsupported => "UNSUPPORTED_TENANT_OPERATION",
            Error::TenantMismatch => "TENANT_ID_MISMATCH",
            Error::NotAllowed => "OPERATION_NOT_ALLOWED",
            Error::PasswordDisabled => "PASSWORD_LOGIN_DISABLED",
            Error::AdminOnly => "ADMIN_ONLY_OPERATION",
            Error::MissingEmail => "MISSING_EMAIL",
            Error::MissingNewEmail => "MISSING_NEW_EMAIL",
            Error::InvalidEmail => "INVALID_EMAIL",
            Error::EmailExists => "EMAIL_EXISTS",
            Error::EmailNotFound => "EMAIL_NOT_FOUND",
            Error::WrongEmail => "INVALID_EMAIL : The email provided does not match the sign-in email address.",
            Error::MissingPassword => "MISSING_PASSWORD",
            Error::InvalidPassword => "INVALID_PASSWORD",
            Error::WeakPassword => "WEAK_PASSWORD : Password should be at least 6 characters",
            Error::InvalidLogin => "INVALID_LOGIN_CREDENTIALS",
            Error::DuplicateUid => "DUPLICATE_LOCAL_ID",
            Error::MissingUid => "MISSING_LOCAL_ID",
            Error::UnexpectedUid => "UNEXPECTED_PARAMETER : User ID",
            Error::UserNotFound => "USER_NOT_FOUND",
            Error::Disabled => "USER_DISABLED",
            Error::MissingIdToken => "MISSING_ID_TOKEN",
            Error::InvalidIdToken => "INVALID_ID_TOKEN",
            Error::TokenExpired => "TOKEN_EXPIRED",
            Error::InvalidRefreshToken => "INVALID_REFRESH_TOKEN",
            Error::MissingOob => "MISSING_OOB_CODE",
            Error::InvalidOob => "INVALID_OOB_CODE",
            Error::ExpiredOob => "EXPIRED_OOB_CODE",
            Error::InvalidPhone => "INVALID_PHONE_NUMBER : Invalid format.",
            Error::InvalidFactorPhone => "INVALID_MFA_PHONE_NUMBER : Invalid format.",
            Error::PhoneExists => "PHONE_NUMBER_EXISTS",
            Error::MissingPhone => "MISSING_PHONE_NUMBER",
            Error::InvalidSession => "INVALID_SESSION_INFO",
            Error::ExpiredSession => "SESSION_EXPIRED",
            Error::InvalidCode => "INVALID_CODE",
            Error::InvalidProof => "INVALID_TEMPORARY_PROOF",
            Error::PhoneIsFactor => "UNSUPPORTED_FIRST_FACTOR : A phone number cannot be set as a first factor on an SMS based MFA user.",
            Error::FactorUnsupported => "UNSUPPORTED_FIRST_FACTOR : MFA is not available for the given first factor.",
            Error::FactorsDisabled => "OPERATION_NOT_ALLOWED : SMS based MFA not enabled.",
            Error::UnverifiedEmail => "UNVERIFIED_EMAIL : Need to verify email first before enrolling second factors.",
            Error::FactorExists => "SECOND_FACTOR_EXISTS : Phone number already enrolled as second factor for this account.",
            Error::MissingFactorId => "INVALID_MFA_ENROLLMENT_ID : mfaEnrollmentId must be defined.",
            Error::DuplicateFactor => "DUPLICATE_MFA_ENROLLMENT_ID",
            Error::FactorNotFound => "MFA_ENROLLMENT_NOT_FOUND",
            Error::InvalidPending => "INVALID_MFA_PENDING_CREDENTIAL : Please set MFA Pending Credential.",
            Error::PendingElsewhere => "INVALID_PROJECT_ID : Project ID does not match MFA pending credential.",
            Error::ClaimsTooLarge => "CLAIMS_TOO_LARGE",
            Error::InvalidClaims => "INVALID_CLAIMS",
            Error::ReservedClaim(name) => return Refusal::bad(format!("FORBIDDEN_CLAIM : {name}")),
            Error::AlreadyLinked => "FEDERATED_USER_ID_ALREADY_LINKED",
            Error::MissingProvider => "MISSING_PROVIDER_ID",
            Error::MissingRawId => "MISSING_RAW_ID",
            Error::InvalidDuration => "INVALID_DURATION",
            Error::Blocked(why) => return Refusal::bad(format!("BLOCKING_FUNCTION_ERROR_RESPONSE : (({why}))")),
            Error::Import(why) => return Refusal::bad(why.clone()),
            Error::Store(why) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                return Refusal {
                    status,
                    reason: "backendError",
                    name: Some("INTERNAL"),
                    ..Refusal::bad(format!("INTERNAL_ERROR : {why}"))
                };
            }
        };
        Refusal::bad(message)
    }
}
