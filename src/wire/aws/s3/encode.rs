//! Answers as S3 gives them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::StreamExt;
use http::{HeaderName, HeaderValue, StatusCode};

use super::fail::{Failure, message};
use crate::base::Time;
use crate::services::objects::{Algorithm, Checksum, Versioning};
use crate::wire::http::{Body, Response};

/// A time as the standard library has it.
pub fn system_time(time: Time) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(time.millis().max(0) as u64)
}

/// A time as `s3s` has it.
pub fn timestamp(time: Time) -> s3s::dto::Timestamp {
    s3s::dto::Timestamp::from(system_time(time))
}

/// A checksum as text: base64 and, where it is one of checksums, the number of parts.
pub fn checksum_text(checksum: &Checksum) -> String {
    let value = BASE64.encode(&checksum.value);
    match checksum.of_parts {
        Some(parts) => format!("{value}-{parts}"),
        None => value,
    }
}

/// Answers that have a field for each kind of checksum.
pub trait Summed {
    /// Sets the field of this checksum, if there is one to show, and whether it is one of parts where the answer has a place for that.
    fn with_checksum(self, checksum: Option<&Checksum>) -> Self;
}

macro_rules! summed {
    ($($answer:ident $(. $kind:ident)?),+ $(,)?) => {$(
        impl Summed for s3s::dto::$answer {
            fn with_checksum(mut self, checksum: Option<&Checksum>) -> Self {
                let Some(checksum) = checksum else { return self };
                let field = match checksum.algorithm {
                    Algorithm::Crc32 => &mut self.checksum_crc32,
                    Algorithm::Crc32c => &mut self.checksum_crc32c,
                    Algorithm::Crc64Nvme => &mut self.checksum_crc64nvme,
                    Algorithm::Sha1 => &mut self.checksum_sha1,
                    Algorithm::Sha256 => &mut self.checksum_sha256,
                };
                *field = Some(checksum_text(checksum));
                $(self.$kind = Some(checksum_type(checksum.of_parts.is_some()));)?
                self
            }
        }
    )+};
}

summed!(
    Checksum.checksum_type,
    CompleteMultipartUploadOutput.checksum_type,
    CopyObjectResult.checksum_type,
    CopyPartResult,
    GetObjectOutput.checksum_type,
    HeadObjectOutput.checksum_type,
    ObjectPart,
    Part,
    PutObjectOutput.checksum_type,
    UploadPartOutput,
);

/// The name of a kind of checksum.
pub fn checksum_type(composite: bool) -> s3s::dto::ChecksumType {
    s3s::dto::ChecksumType::from_static(if composite { s3s::dto::ChecksumType::COMPOSITE } else { s3s::dto::ChecksumType::FULL_OBJECT })
}

/// The version to show: none in a bucket that never kept versions, `null` for one outside versions.
pub fn version(version: Option<&str>, versioning: Versioning) -> Option<String> {
    match (version, versioning) {
        (Some(version), _) => Some(version.to_owned()),
        (None, Versioning::Off) => None,
        (None, Versioning::On | Versioning::Suspended) => Some("null".to_owned()),
    }
}

/// An answer of failure, as XML unless the request was a `HEAD` or the answer has no body at all.
pub fn failure(failure: &Failure, resource: &str, request_id: &str, body: bool) -> Response {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
    let mut element = |name: &str, value: &str| {
        xml.push_str(&format!("<{name}>{}</{name}>", escape(value)));
    };
    element("Code", &failure.code);
    element("Message", &failure.message);
    for (name, value) in &failure.details {
        element(name, value);
    }
    element("Resource", resource);
    element("RequestId", request_id);
    element("HostId", request_id);
    xml.push_str("</Error>");
    let with_body = body && failure.status != StatusCode::NOT_MODIFIED;
    let mut response = http::Response::new(if with_body { Body::from(xml) } else { Body::empty() });
    *response.status_mut() = failure.status;
    if with_body {
        response.headers_mut().insert("content-type", HeaderValue::from_static("application/xml"));
    }
    for (name, value) in &failure.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// An answer of XML.
pub fn xml(body: String) -> Response {
    let mut response = http::Response::new(Body::from(body));
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/xml"));
    response
}

/// Text for between tags.
pub fn escape(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

/// The failure that `s3s` found by itself, with the text that it leaves out.
pub fn failure_of_s3s(status: StatusCode, body: &[u8]) -> Failure {
    let text = String::from_utf8_lossy(body);
    let element = |name: &str| {
        let (open, close) = (format!("<{name}>"), format!("</{name}>"));
        let rest = text.split_once(&open)?.1;
        let value = rest.split_once(&close)?.0;
        Some(quick_xml::escape::unescape(value).map(|value| value.into_owned()).unwrap_or_default())
    };
    let code = element("Code").unwrap_or_else(|| "InternalError".to_owned());
    let message = element("Message").filter(|text| !text.is_empty()).unwrap_or_else(|| message(&code).to_owned());
    Failure::new(status, &code, message)
}

/// The answer of `s3s` as every wire has it; its bytes still stream.
pub fn response(response: s3s::HttpResponse) -> Response {
    let (parts, mut body) = response.into_parts();
    let body = match body.bytes() {
        Some(_) => Body::from(body.take_bytes().unwrap_or_default()),
        None => {
            let length = http_body::Body::size_hint(&body).exact();
            Body::stream(body.map(|piece| piece), length)
        }
    };
    http::Response::from_parts(parts, body)
}
