//! What Storage says when it says no, in its three dialects. Sources: "HTTP status and error codes" for the JSON and XML APIs, and answers
//! of Firebase's endpoint.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::services::objects::{self, Algorithm, COMPONENTS_MAX, KEY_BYTES_MAX, METADATA_BYTES_MAX, Proof};
use crate::wire::http::{Body, BodyError, Response, json as answer, with_error_code};

/// What the XML API calls it where there is no such bucket.
const NO_BUCKET: &str = "NoSuchBucket";

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: StatusCode,
    /// As the JSON API calls it: `notFound`.
    pub reason: &'static str,
    /// As the XML API calls it: `NoSuchKey`.
    pub code: &'static str,
    pub message: String,
    /// The bytes of the object that there are, where a range of them was asked for.
    size: Option<u64>,
}

impl Failure {
    fn new(status: u16, reason: &'static str, code: &'static str, message: impl Into<String>) -> Failure {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Failure { status, reason, code, message: message.into(), size: None }
    }

    /// Whether the bucket is missing, and not only what was to be in it.
    pub fn lacks_bucket(&self) -> bool {
        self.code == NO_BUCKET
    }

    pub fn invalid(message: impl Into<String>) -> Failure {
        Failure::new(400, "invalid", "InvalidArgument", message)
    }

    pub fn required(name: &str) -> Failure {
        Failure::new(400, "required", "InvalidArgument", format!("Required parameter: {name}"))
    }

    pub fn not_found(message: impl Into<String>) -> Failure {
        Failure::new(404, "notFound", "NoSuchKey", message)
    }

    pub fn forbidden(message: impl Into<String>) -> Failure {
        Failure::new(403, "forbidden", "AccessDenied", message)
    }

    pub fn expired(message: impl Into<String>) -> Failure {
        Failure::new(400, "expiredToken", "ExpiredToken", message)
    }

    pub fn unsupported(what: impl std::fmt::Display) -> Failure {
        Failure::new(501, "notImplemented", "NotImplemented", format!("emu does not know {what} of Cloud Storage"))
    }

    pub fn of_body(error: BodyError) -> Failure {
        match error {
            BodyError::TooLarge { bytes_max } => {
                Failure::new(413, "uploadTooLarge", "EntityTooLarge", format!("The request is larger than {bytes_max} bytes."))
            }
            BodyError::Broken(error) => Failure::invalid(format!("The request broke off: {error}")),
        }
    }

    /// An error of the service, about something in this bucket.
    pub fn of(error: &objects::Error, bucket: &str) -> Failure {
        use objects::Error;
        let no_object = |key: &str| Failure::not_found(format!("No such object: {bucket}/{key}"));
        match error {
            Error::NoSuchBucket(_) => Failure::new(404, "notFound", NO_BUCKET, "The specified bucket does not exist."),
            Error::NoSuchKey { key } | Error::NoSuchVersion { key, .. } | Error::Deleted { key, .. } => no_object(key),
            Error::NoSuchSession(_) => {
                Failure::new(404, "notFound", "NoSuchUpload", "Upload session not found; it may be finished, or older than a week.")
            }
            Error::SessionCancelled => Failure::new(410, "gone", "NoSuchUpload", "The upload was cancelled."),
            Error::BadOffset { received } => {
                Failure::invalid(format!("Invalid request. The upload has {received} bytes; the next must begin there."))
            }
            Error::BucketExists(_) => Failure::new(
                409,
                "conflict",
                "BucketAlreadyOwnedByYou",
                "Your previous request to create the named bucket succeeded and you already own it.",
            ),
            Error::BucketNotEmpty(_) => Failure::new(409, "conflict", "BucketNotEmpty", "The bucket you tried to delete is not empty."),
            Error::BadBucketName(name) => Failure::new(400, "invalid", "InvalidBucketName", format!("Invalid bucket name: '{name}'")),
            Error::BadKey(0) => Failure::new(400, "required", "InvalidArgument", "Required"),
            Error::BadKey(bytes) => Failure::invalid(format!(
                "The maximum object length is {KEY_BYTES_MAX} characters, but got a name with {bytes} characters."
            )),
            Error::BadRange { size } => Failure {
                size: Some(*size),
                ..Failure::new(416, "requestedRangeNotSatisfiable", "InvalidRange", "The requested range cannot be satisfied.")
            },
            Error::Precondition(_) => {
                Failure::new(412, "conditionNotMet", "PreconditionFailed", "At least one of the pre-conditions you specified did not hold.")
            }
            Error::NotModified(_) => Failure::new(304, "notModified", "NotModified", ""),
            Error::Mismatch(Proof::Md5) => {
                Failure::new(400, "invalid", "BadDigest", "Provided MD5 hash doesn't match the MD5 hash of what was received.")
            }
            Error::Mismatch(Proof::Checksum(Algorithm::Crc32c)) => {
                Failure::new(400, "invalid", "BadDigest", "Provided CRC32C doesn't match the CRC32C of what was received.")
            }
            Error::TooLarge { bytes_max, .. } => {
                Failure::new(413, "uploadTooLarge", "EntityTooLarge", format!("An object sent at once has up to {bytes_max} bytes here."))
            }
            Error::MetadataTooLarge(bytes) => Failure::new(
                400,
                "invalid",
                "MetadataTooLarge",
                format!("The total size of custom metadata is {bytes} bytes; it must not exceed {METADATA_BYTES_MAX}."),
            ),
            Error::BadComponents => Failure::invalid(format!("The number of source components must be between 1 and {COMPONENTS_MAX}.")),
            Error::Incomplete { .. } | Error::Broken(_) => Failure::new(400, "badRequest", "IncompleteBody", error.to_string()),
            Error::Store(error) => {
                tracing::error!(%error, "a request to Storage failed inside emu");
                Failure::new(500, "backendError", "InternalError", format!("Internal error ({error})"))
            }
            other => Failure::invalid(other.to_string()),
        }
    }

    fn headers(&self, into: &mut HeaderMap) {
        let mut set = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                into.insert(HeaderName::from_static(name), value);
            }
        };
        if let Some(size) = self.size {
            set("content-range", &format!("bytes */{size}"));
        }
    }

    fn finish(&self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        self.headers(response.headers_mut());
        if self.status == StatusCode::NOT_MODIFIED {
            *response.body_mut() = Body::empty();
            response.headers_mut().remove("content-type");
            return response;
        }
        with_error_code(response, self.reason)
    }

    /// As the JSON API says it.
    pub fn json(&self) -> Response {
        let one = json!({ "message": self.message, "domain": "global", "reason": self.reason });
        self.finish(answer(self.status, &json!({ "error": { "code": self.status.as_u16(), "message": self.message, "errors": [one] } })))
    }

    /// As it stands in place of bytes that were asked for.
    pub fn text(&self) -> Response {
        let mut response = http::Response::new(Body::from(self.message.clone()));
        response.headers_mut().insert("content-type", HeaderValue::from_static("text/html; charset=UTF-8"));
        self.finish(response)
    }

    /// As Firebase's endpoint says it, of what was to be done: `get object`.
    pub fn firebase(&self, what: &str) -> Response {
        let (message, status) = match self.status.as_u16() {
            404 => (format!("Not Found.  Could not {what}"), what.to_uppercase().replace(' ', "_")),
            _ => (self.message.clone(), self.reason.to_owned()),
        };
        self.finish(answer(self.status, &json!({ "error": { "code": self.status.as_u16(), "message": message, "status": status } })))
    }

    /// As the XML API says it.
    pub fn xml(&self) -> Response {
        let message = match self.code {
            "NoSuchKey" => "The specified key does not exist.",
            _ => &self.message,
        };
        let escape = |text: &str| quick_xml::escape::escape(text).into_owned();
        let text = format!(
            "<?xml version='1.0' encoding='UTF-8'?><Error><Code>{}</Code><Message>{}</Message><Details>{}</Details></Error>",
            self.code,
            escape(message),
            escape(&self.message)
        );
        let mut response = http::Response::new(Body::from(text));
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/xml; charset=UTF-8"));
        self.finish(response)
    }
}
