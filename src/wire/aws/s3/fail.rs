//! What S3 says when it says no.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::services::objects::{self, Algorithm, PART_BYTES_MIN, Precondition, Proof};

/// An answer of failure. Source: the page "Error responses" of the API reference, and answers of the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: StatusCode,
    pub code: String,
    pub message: String,
    /// More elements of the answer, in order.
    pub details: Vec<(&'static str, String)>,
    pub headers: Vec<(&'static str, String)>,
}

impl Failure {
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Failure {
        Failure { status, code: code.to_owned(), message: message.into(), details: Vec::new(), headers: Vec::new() }
    }

    /// With one more element in the answer.
    pub fn detail(mut self, name: &'static str, value: impl ToString) -> Failure {
        self.details.push((name, value.to_string()));
        self
    }

    pub fn header(mut self, name: &'static str, value: impl ToString) -> Failure {
        self.headers.push((name, value.to_string()));
        self
    }

    pub fn invalid_request(message: impl Into<String>) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "InvalidRequest", message)
    }

    pub fn invalid_argument(message: impl Into<String>, name: &str, value: impl ToString) -> Failure {
        Failure::new(StatusCode::BAD_REQUEST, "InvalidArgument", message).detail("ArgumentName", name).detail("ArgumentValue", value)
    }

    pub fn malformed_xml() -> Failure {
        plain(StatusCode::BAD_REQUEST, "MalformedXML")
    }

    pub fn incomplete() -> Failure {
        plain(StatusCode::BAD_REQUEST, "IncompleteBody")
    }

    pub fn not_implemented(header: &str) -> Failure {
        plain(StatusCode::NOT_IMPLEMENTED, "NotImplemented").detail("Header", header)
    }

    /// As the crate that routes requests wants it; the answer itself is encoded from this failure.
    pub fn to_s3s(&self) -> S3Error {
        let code = S3ErrorCode::from_bytes(self.code.as_bytes()).unwrap_or(S3ErrorCode::InternalError);
        let mut error = S3Error::with_message(code, self.message.clone());
        error.set_status_code(self.status);
        error
    }
}

fn plain(status: StatusCode, code: &str) -> Failure {
    Failure::new(status, code, message(code))
}

/// The text that goes with a code where nothing more is known.
pub fn message(code: &str) -> &'static str {
    match code {
        "AccessDenied" => "Access Denied",
        "BadRequest" => "Bad Request",
        "EntityTooLarge" => "Your proposed upload exceeds the maximum allowed size",
        "IncompleteBody" => "You did not provide the number of bytes specified by the Content-Length HTTP header",
        "InternalError" => "We encountered an internal error. Please try again.",
        "InvalidArgument" => "Invalid Argument",
        "InvalidBucketName" => "The specified bucket is not valid.",
        "InvalidDigest" => "The Content-MD5 you specified was invalid.",
        "InvalidURI" => "Couldn't parse the specified URI.",
        "KeyTooLongError" => "Your key is too long",
        "MalformedPOSTRequest" => "The body of your POST request is not well-formed multipart/form-data.",
        "MalformedXML" => "The XML you provided was not well-formed or did not validate against our published schema",
        "MaxMessageLengthExceeded" => "Your request was too big.",
        "MethodNotAllowed" => "The specified method is not allowed against this resource.",
        "MissingContentLength" => "You must provide the Content-Length HTTP header.",
        "NotImplemented" => "A header you provided implies functionality that is not implemented",
        _ => "The request could not be carried out.",
    }
}

/// The name of an algorithm in messages and in the names of headers.
pub fn label(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::Crc32 => "CRC32",
        Algorithm::Crc32c => "CRC32C",
        Algorithm::Crc64Nvme => "CRC64NVME",
        Algorithm::Sha1 => "SHA1",
        Algorithm::Sha256 => "SHA256",
    }
}

/// The answer for what went wrong in the service.
pub fn fail(error: &objects::Error) -> Failure {
    use objects::Error;
    let (bad, missing) = (StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND);
    match error {
        Error::NoSuchBucket(name) => Failure::new(missing, "NoSuchBucket", "The specified bucket does not exist").detail("BucketName", name),
        Error::BucketExists(name) => Failure::new(
            StatusCode::CONFLICT,
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .detail("BucketName", name),
        Error::BucketNotEmpty(name) => {
            Failure::new(StatusCode::CONFLICT, "BucketNotEmpty", "The bucket you tried to delete is not empty").detail("BucketName", name)
        }
        Error::BadBucketName(name) => plain(bad, "InvalidBucketName").detail("BucketName", name),
        Error::NoSuchKey { key } => Failure::new(missing, "NoSuchKey", "The specified key does not exist.").detail("Key", key),
        Error::NoSuchVersion { key, version } => {
            Failure::new(missing, "NoSuchVersion", "The specified version does not exist.").detail("Key", key).detail("VersionId", version)
        }
        Error::Deleted { key, version, latest: true } => Failure::new(missing, "NoSuchKey", "The specified key does not exist.")
            .detail("Key", key)
            .header("x-amz-delete-marker", "true")
            .header("x-amz-version-id", version),
        Error::Deleted { version, latest: false, .. } => plain(StatusCode::METHOD_NOT_ALLOWED, "MethodNotAllowed")
            .detail("ResourceType", "DeleteMarker")
            .header("x-amz-delete-marker", "true")
            .header("x-amz-version-id", version)
            .header("allow", "DELETE"),
        Error::NoSuchUpload(id) | Error::NoSuchSession(id) => Failure::new(
            missing,
            "NoSuchUpload",
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
        )
        .detail("UploadId", id),
        Error::BadPartNumber => Failure::new(bad, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive").detail("ArgumentName", "partNumber"),
        Error::BadPart(number) => Failure::new(
            bad,
            "InvalidPart",
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        )
        .detail("PartNumber", number),
        Error::SessionCancelled | Error::BadOffset { .. } | Error::BadComponents => Failure::invalid_request(error.to_string()),
        Error::BadPartOrder => Failure::new(
            bad,
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ),
        Error::PartTooSmall { number, size, etag } => {
            Failure::new(bad, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
                .detail("ProposedSize", size)
                .detail("MinSizeAllowed", PART_BYTES_MIN)
                .detail("PartNumber", number)
                .detail("ETag", etag)
        }
        Error::NoSuchPart { number, parts } => {
            Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidPartNumber", "The requested partnumber is not satisfiable")
                .detail("PartNumberRequested", number)
                .detail("ActualPartCount", parts)
        }
        Error::BadRange { size } => Failure::new(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", "The requested range is not satisfiable")
            .detail("ActualObjectSize", size)
            .header("content-range", format!("bytes */{size}")),
        Error::Precondition(condition) => Failure::new(
            StatusCode::PRECONDITION_FAILED,
            "PreconditionFailed",
            "At least one of the pre-conditions you specified did not hold",
        )
        .detail("Condition", condition_name(*condition)),
        Error::NotModified(object) => Failure::new(StatusCode::NOT_MODIFIED, "NotModified", "Not Modified")
            .header("etag", format!("\"{}\"", object.etag))
            .header("last-modified", httpdate::fmt_http_date(super::encode::system_time(object.created))),
        Error::Mismatch(Proof::Md5) => Failure::new(bad, "BadDigest", "The Content-MD5 you specified did not match what we received."),
        Error::Mismatch(Proof::Payload) => {
            Failure::new(bad, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.")
        }
        Error::Mismatch(Proof::Checksum(algorithm)) => {
            Failure::new(bad, "BadDigest", format!("The {} you specified did not match the calculated checksum.", label(*algorithm)))
        }
        Error::Mismatch(Proof::Size) => Failure::invalid_request("The provided 'x-amz-mp-object-size' header does not match what was computed."),
        Error::WrongAlgorithm { wanted } => {
            Failure::invalid_request(format!("Checksum Type mismatch occurred, expected checksum Type: {}", label(*wanted).to_lowercase()))
        }
        Error::Incomplete { .. } | Error::Broken(_) => Failure::incomplete(),
        Error::TooLarge { bytes_max, bytes } => {
            plain(bad, "EntityTooLarge").detail("ProposedSize", bytes).detail("MaxSizeAllowed", bytes_max)
        }
        Error::BadKey(0) => Failure::invalid_argument("Object key must not be empty", "key", ""),
        Error::BadKey(bytes) => {
            plain(bad, "KeyTooLongError").detail("Size", bytes).detail("MaxSizeAllowed", objects::KEY_BYTES_MAX)
        }
        Error::MetadataTooLarge(bytes) => Failure::new(bad, "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
            .detail("Size", bytes)
            .detail("MaxSizeAllowed", super::object::METADATA_BYTES_MAX),
        Error::BadTags(why) if why.starts_with("Object tags") => Failure::new(bad, "BadRequest", *why),
        Error::BadTags(why) => Failure::new(bad, "InvalidTag", *why),
        Error::CopyOntoItself => Failure::invalid_request(
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
        ),
        Error::Store(error) => {
            tracing::error!(%error, "an S3 request failed inside emu");
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalError", format!("{} ({error})", message("InternalError")))
        }
    }
}

fn condition_name(condition: Precondition) -> &'static str {
    match condition {
        Precondition::Matches => "If-Match",
        Precondition::Differs => "If-None-Match",
        Precondition::UnmodifiedSince => "If-Unmodified-Since",
        Precondition::ModifiedSince => "If-Modified-Since",
        Precondition::Numbers => "x-amz-if-match-generation",
    }
}
