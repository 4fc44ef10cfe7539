//! What must be known or put right before `s3s` reads a request: whose it is, which bucket, which bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};

use super::chunked::{self, Trailers};
use super::fail::{Failure, label};
use crate::base::Time;
use crate::services::objects::{Algorithm, Fingerprint};
use crate::wire::aws::sigv4;
use crate::wire::http::{Body, header};

/// The bucket and key that a request is about; the path of the request is put into the form that names both.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    pub bucket: Option<String>,
    pub key: Option<String>,
}

/// The bucket in front of a host name. Source: the page "Virtual hosting of general purpose buckets"; the local names are
/// those that local AWS tools have agreed on.
pub fn bucket_of_host(host: &str) -> Option<String> {
    let host = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit())).map_or(host, |(host, _)| host);
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let (rest, domain) = [".amazonaws.com.cn", ".amazonaws.com", ".localhost.localstack.cloud", ".localhost"]
        .into_iter()
        .find_map(|domain| host.strip_suffix(domain).map(|rest| (rest, domain)))?;
    let labels: Vec<&str> = rest.split('.').collect();
    let service = labels.iter().rposition(|label| *label == "s3" || label.starts_with("s3-"));
    let bucket = match service {
        Some(at) => labels.get(..at)?.join("."),
        None if domain.starts_with(".amazonaws") => return None,
        None => rest.to_owned(),
    };
    Some(bucket).filter(|bucket| !bucket.is_empty())
}

/// Finds out what a request is about, and puts the bucket of its host name into its path.
pub fn target(parts: &mut Parts) -> Result<Target, Failure> {
    let host = header(&parts.headers, "host").or_else(|| parts.uri.host()).and_then(bucket_of_host);
    let query = parts.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = match host {
        Some(bucket) => format!("/{bucket}{}", parts.uri.path()),
        None => parts.uri.path().to_owned(),
    };
    let uri = || Failure::new(StatusCode::BAD_REQUEST, "InvalidURI", super::fail::message("InvalidURI"));
    parts.uri = Uri::try_from(format!("{path}{query}")).map_err(|_| uri())?;
    // The name is in the path now, and must not be looked for in the host again.
    parts.headers.remove("host");
    let decoded = percent_encoding::percent_decode_str(&path).decode_utf8().map_err(|_| uri())?;
    let (bucket, key) = match decoded.trim_start_matches('/') {
        "" => (None, None),
        _ => match decoded.get(1..).unwrap_or_default().split_once('/') {
            Some((bucket, key)) => (Some(bucket), Some(key).filter(|key| !key.is_empty())),
            None => (decoded.get(1..), None),
        },
    };
    Ok(Target { bucket: bucket.map(str::to_owned), key: key.map(str::to_owned) })
}

/// The value of a parameter of the query.
pub fn parameter(uri: &Uri, name: &str) -> Option<String> {
    url::form_urlencoded::parse(uri.query()?.as_bytes()).find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
}

/// Checks the shape of a signature and, of a presigned URL, its time; then takes it off the request. Any signature is as
/// good as any other.
pub fn authorise(parts: &mut Parts, now: Time) -> Result<(), Failure> {
    let scope = sigv4::scope(&parts.headers, None);
    if let Err(error) = scope {
        let message = format!("The authorization header is malformed; {error}");
        return Err(Failure::new(StatusCode::BAD_REQUEST, "AuthorizationHeaderMalformed", message));
    }
    if let Some(value) = header(&parts.headers, "authorization")
        && !["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256", "AWS "].iter().any(|scheme| value.starts_with(scheme))
    {
        return Err(Failure::invalid_argument("Unsupported Authorization Type", "Authorization", value));
    }
    parts.headers.remove("authorization");
    let Some(query) = parts.uri.query() else { return Ok(()) };
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let get = |name: &str| pairs.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    let presigned = pairs
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Signature") || name == "X-Amz-Credential" || name == "X-Amz-Algorithm");
    let presigned_v2 = get("Signature").is_some() && get("AWSAccessKeyId").is_some();
    if presigned {
        check_presigned(&get, now)?;
    } else if presigned_v2 {
        let expires = get("Expires").and_then(|text| text.parse::<i64>().ok());
        let Some(expires) = expires else {
            return Err(Failure::new(StatusCode::FORBIDDEN, "AccessDenied", "Invalid date (should be seconds since epoch)"));
        };
        if now.seconds() > expires {
            return Err(expired(Time(expires.saturating_mul(1_000)), now, None));
        }
    } else {
        return Ok(());
    }
    take_off(parts, presigned_v2);
    Ok(())
}

/// Source: the page "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
fn check_presigned<'a>(get: &impl Fn(&str) -> Option<&'a str>, now: Time) -> Result<(), Failure> {
    let wrong = |message: &str| Failure::new(StatusCode::BAD_REQUEST, "AuthorizationQueryParametersError", message);
    let all = ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Expires"];
    let [Some(algorithm), Some(credential), Some(_), Some(date), Some(_), Some(expires)] = all.map(get) else {
        return Err(wrong(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ));
    };
    if !["AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"].contains(&algorithm) {
        return Err(wrong("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256\""));
    }
    if !(credential.ends_with("/aws4_request") && credential.split('/').count() >= 4) {
        return Err(wrong(
            "Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        ));
    }
    let Ok(date) = chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ") else {
        return Err(wrong("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""));
    };
    let seconds: i64 = expires.parse().map_err(|_| wrong("X-Amz-Expires should be a number"))?;
    if seconds < 0 {
        return Err(wrong("X-Amz-Expires must be non-negative"));
    }
    if seconds > 604_800 {
        return Err(wrong(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
        ));
    }
    let end = Time(date.and_utc().timestamp_millis()).plus_ms(seconds * 1_000);
    if now > end { Err(expired(end, now, Some(seconds))) } else { Ok(()) }
}

fn expired(end: Time, now: Time, seconds: Option<i64>) -> Failure {
    let stamp = |time: Time| time.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let mut failure = Failure::new(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired");
    if let Some(seconds) = seconds {
        failure = failure.detail("X-Amz-Expires", seconds);
    }
    failure.detail("Expires", stamp(end)).detail("ServerTime", stamp(now))
}

/// Removes the signature from the query. What a presigned URL carries there instead of in headers becomes headers, but for
/// checksums: signers put in that of the empty body they had, and the service does not look at it.
fn take_off(parts: &mut Parts, v2: bool) {
    let query = parts.uri.query().unwrap_or_default();
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let Some((name, value)) = url::form_urlencoded::parse(pair.as_bytes()).next() else { continue };
        let lower = name.to_ascii_lowercase();
        let signature = [
            "x-amz-algorithm",
            "x-amz-credential",
            "x-amz-date",
            "x-amz-expires",
            "x-amz-signedheaders",
            "x-amz-signature",
            "x-amz-security-token",
            "x-amz-content-sha256",
        ];
        if signature.contains(&lower.as_str())
            || lower.starts_with("x-amz-checksum-") && lower != "x-amz-checksum-mode"
            || lower == "x-amz-sdk-checksum-algorithm"
        {
            continue;
        }
        if v2 && ["Signature", "AWSAccessKeyId", "Expires"].contains(&name.as_ref()) {
            continue;
        }
        if lower.starts_with("x-amz-") {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(lower), HeaderValue::from_str(&value))
                && !parts.headers.contains_key(&name)
            {
                parts.headers.insert(name, value);
            }
            continue;
        }
        kept.push(pair);
    }
    let path = parts.uri.path();
    let uri = if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) };
    if let Ok(uri) = Uri::try_from(uri) {
        parts.uri = uri;
    }
}

/// Puts right the headers that `s3s` is stricter about than the service is.
pub fn tolerate(headers: &mut HeaderMap) {
    // A range that cannot be read is as if it were not there (RFC 9110, section 14.2).
    if header(headers, "range").is_some_and(|range| !is_range(range)) {
        headers.remove("range");
    }
    for name in ["if-match", "if-none-match", "x-amz-copy-source-if-match", "x-amz-copy-source-if-none-match"] {
        let Some(value) = header(headers, name) else { continue };
        let value = value.trim();
        if value != "*"
            && !value.starts_with('"')
            && !value.starts_with("W/")
            && let Ok(quoted) = HeaderValue::from_str(&format!("\"{value}\""))
        {
            headers.insert(HeaderName::from_static(name), quoted);
        }
    }
}

fn is_range(range: &str) -> bool {
    let Some((first, last)) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')) else { return false };
    let number = |text: &str| text.parse::<u64>().ok();
    match (first, last) {
        ("", last) => number(last).is_some(),
        (first, "") => number(first).is_some(),
        (first, last) => matches!((number(first), number(last)), (Some(first), Some(last)) if first <= last),
    }
}

/// What the sender says of the body, besides what `s3s` reads.
#[derive(Clone, Default)]
pub struct Payload {
    /// Bytes of the body as it is stored.
    pub length: Option<u64>,
    pub sha256: Option<Vec<u8>>,
    /// The algorithm of a checksum that follows the bytes.
    pub trailing: Option<Algorithm>,
    pub trailers: Trailers,
}

/// Undoes the encoding of the body, if it has one, and takes the headers of the encoding off.
pub fn payload(headers: &mut HeaderMap, body: Body) -> Result<(Payload, Body), Failure> {
    let number = |headers: &HeaderMap, name: &str| header(headers, name).and_then(|value| value.trim().parse::<u64>().ok());
    let mut payload = Payload { length: number(headers, "content-length"), ..Payload::default() };
    let content_sha256 = header(headers, "x-amz-content-sha256").map(str::to_owned);
    let encodings: Vec<String> = header(headers, "content-encoding")
        .unwrap_or_default()
        .split(',')
        .map(|coding| coding.trim().to_owned())
        .filter(|coding| !coding.is_empty())
        .collect();
    let chunked = encodings.iter().any(|coding| coding.eq_ignore_ascii_case("aws-chunked"))
        || content_sha256.as_deref().is_some_and(|value| value.starts_with("STREAMING-"));
    headers.remove("x-amz-content-sha256");
    headers.remove("transfer-encoding");
    if !chunked {
        payload.sha256 = content_sha256.and_then(|value| hex::decode(value).ok()).filter(|sha| sha.len() == 32);
        return Ok((payload, body));
    }
    let rest: Vec<&String> = encodings.iter().filter(|coding| !coding.eq_ignore_ascii_case("aws-chunked")).collect();
    headers.remove("content-encoding");
    let rest = rest.into_iter().map(String::as_str).collect::<Vec<_>>().join(",");
    if let Some(rest) = HeaderValue::from_str(&rest).ok().filter(|rest| !rest.is_empty()) {
        headers.insert("content-encoding", rest);
    }
    payload.length = number(headers, "x-amz-decoded-content-length");
    headers.remove("x-amz-decoded-content-length");
    headers.remove("content-length");
    if let Some(length) = payload.length {
        headers.insert("content-length", HeaderValue::from(length));
    }
    if let Some(trailer) = header(headers, "x-amz-trailer") {
        payload.trailing = algorithm_of_header(trailer.trim());
        if payload.trailing.is_none() {
            return Err(Failure::invalid_request("The value specified in the x-amz-trailer header is not supported"));
        }
        headers.remove("x-amz-trailer");
    }
    let body = chunked::decode(body, payload.length, payload.trailers.clone());
    Ok((payload, body))
}

const ALGORITHMS: [Algorithm; 5] = [Algorithm::Crc32, Algorithm::Crc32c, Algorithm::Crc64Nvme, Algorithm::Sha1, Algorithm::Sha256];

/// An algorithm by its name in headers and documents.
pub fn algorithm(name: &str) -> Option<Algorithm> {
    ALGORITHMS.into_iter().find(|algorithm| label(*algorithm).eq_ignore_ascii_case(name))
}

fn algorithm_of_header(name: &str) -> Option<Algorithm> {
    algorithm(name.to_ascii_lowercase().strip_prefix("x-amz-checksum-")?)
}

/// The name of the header of an algorithm's checksum.
pub fn header_of(algorithm: Algorithm) -> String {
    format!("x-amz-checksum-{}", label(algorithm).to_ascii_lowercase())
}

/// The checksum in a header, and the number of parts that it may name (`…-3`).
pub fn checksum(algorithm: Algorithm, text: &str) -> Result<Vec<u8>, Failure> {
    let value = text.split_once('-').map_or(text, |(value, _)| value);
    BASE64
        .decode(value.trim())
        .ok()
        .filter(|value| value.len() == algorithm.width())
        .ok_or_else(|| Failure::invalid_request(format!("Value for {} header is invalid.", header_of(algorithm))))
}

/// The one checksum among a request's headers.
pub fn checksum_in(headers: &HeaderMap) -> Result<Option<(Algorithm, Vec<u8>)>, Failure> {
    let mut found = None;
    for algorithm in ALGORITHMS {
        let Some(text) = header(headers, &header_of(algorithm)) else { continue };
        if found.is_some() {
            return Err(Failure::invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
        }
        found = Some((algorithm, checksum(algorithm, text)?));
    }
    Ok(found)
}

/// The MD5 in the `Content-MD5` header.
pub fn content_md5(text: &str) -> Result<Vec<u8>, Failure> {
    let invalid =
        || Failure::new(StatusCode::BAD_REQUEST, "InvalidDigest", super::fail::message("InvalidDigest")).detail("Content-MD5", text);
    BASE64.decode(text.trim()).ok().filter(|md5| md5.len() == 16).ok_or_else(invalid)
}

/// All of a small body, after what its sender claims of it was checked.
pub async fn small(headers: &HeaderMap, payload: &Payload, body: Body, bytes_max: usize) -> Result<Bytes, Failure> {
    use crate::services::objects::{Error, Proof};
    let bytes = body.collect(bytes_max).await.map_err(|error| match error {
        crate::wire::http::BodyError::TooLarge { .. } => {
            Failure::new(StatusCode::BAD_REQUEST, "MaxMessageLengthExceeded", super::fail::message("MaxMessageLengthExceeded"))
                .detail("MaxMessageLengthBytes", bytes_max)
        }
        crate::wire::http::BodyError::Broken(_) => Failure::incomplete(),
    })?;
    if payload.length.is_some_and(|length| length != bytes.len() as u64) {
        return Err(Failure::incomplete());
    }
    let mismatch = |proof| Err(super::fail::fail(&Error::Mismatch(proof)));
    let claimed = match payload.trailing {
        Some(algorithm) => {
            payload.trailers.get(&header_of(algorithm)).map(|text| checksum(algorithm, &text)).transpose()?.map(|value| (algorithm, value))
        }
        None => checksum_in(headers)?,
    };
    let md5 = header(headers, "content-md5").map(content_md5).transpose()?;
    if claimed.is_none() && md5.is_none() && payload.sha256.is_none() {
        return Ok(bytes);
    }
    let print = Fingerprint::of(&bytes, claimed.as_ref().map(|(algorithm, _)| *algorithm), payload.sha256.is_some());
    if md5.is_some_and(|md5| md5 != print.md5) {
        return mismatch(Proof::Md5);
    }
    if payload.sha256.as_ref().is_some_and(|sha| print.payload_sha256.is_none_or(|found| *sha != found)) {
        return mismatch(Proof::Payload);
    }
    match claimed {
        Some((algorithm, value)) if print.checksum(algorithm).as_ref() != Some(&value) => mismatch(Proof::Checksum(algorithm)),
        _ => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_of_a_host() {
        for (host, wanted) in [
            ("photos.localhost:4566", Some("photos")),
            ("my.photos.localhost:4566", Some("my.photos")),
            ("localhost:4566", None),
            ("127.0.0.1:4566", None),
            ("s3.localhost.localstack.cloud:4566", None),
            ("photos.s3.localhost.localstack.cloud:4566", Some("photos")),
            ("photos.s3.us-east-1.localhost.localstack.cloud", Some("photos")),
            ("s3.amazonaws.com", None),
            ("s3.eu-west-1.amazonaws.com", None),
            ("photos.s3.amazonaws.com", Some("photos")),
            ("my.s3.photos.s3.eu-west-1.amazonaws.com", Some("my.s3.photos")),
            ("photos.s3-eu-west-1.amazonaws.com", Some("photos")),
            ("photos.s3.dualstack.eu-west-1.amazonaws.com", Some("photos")),
            ("dynamodb.us-east-1.amazonaws.com", None),
            ("example.com", None),
        ] {
            assert_eq!(bucket_of_host(host).as_deref(), wanted, "{host}");
        }
    }

    #[test]
    fn ranges_that_count() {
        for (range, wanted) in [
            ("bytes=0-3", true),
            ("bytes=3-", true),
            ("bytes=-3", true),
            ("bytes=3-1", false),
            ("bytes=a-b", false),
            ("bytes=0-1,3-4", false),
            ("lines=0-3", false),
            ("bytes=-", false),
        ] {
            assert_eq!(is_range(range), wanted, "{range}");
        }
    }
}
