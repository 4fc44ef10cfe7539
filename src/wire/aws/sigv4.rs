//! The shape of AWS Signature Version 4: which service and region a request was signed for. Any signature is accepted;
//! a malformed one is refused as the services refuse it.
//! Source: the page "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)".

use std::collections::HashMap;

/// Who signed a request, and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub access_key: String,
    pub region: String,
    /// The service's signing name: `dynamodb`, `s3`, `sqs`, `ses`, `sns`, `lambda`, …
    pub service: String,
}

/// Why a signature cannot be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error(
        "Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires 'Signature' parameter. (missing: {0})"
    )]
    Missing(&'static str),
    #[error("Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{0}'")]
    Credential(String),
}

/// The scope of a signed request: from its `Authorization` header, else from `X-Amz-Credential` of a presigned URL's query.
/// `None` where it is not signed at all (or with another scheme).
pub fn scope(headers: &http::HeaderMap, query: Option<&str>) -> Result<Option<Scope>, Malformed> {
    if let Some(value) = super::super::http::header(headers, "authorization") {
        let Some(parameters) = value.strip_prefix("AWS4-HMAC-SHA256") else { return Ok(None) };
        let parts: HashMap<&str, &str> = parameters.split(',').filter_map(|part| part.trim().split_once('=')).collect();
        for name in ["Credential", "SignedHeaders", "Signature"] {
            if parts.get(name).is_none_or(|value| value.is_empty()) {
                return Err(Malformed::Missing(name));
            }
        }
        return credential(parts["Credential"]).map(Some);
    }
    let Some(query) = query.filter(|q| q.contains("X-Amz-Credential=")) else { return Ok(None) };
    let value = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "X-Amz-Credential");
    value.map(|(_, value)| credential(&value)).transpose()
}

fn credential(text: &str) -> Result<Scope, Malformed> {
    // The access key may itself hold slashes, so the scope is counted from the end.
    let mut parts = text.rsplitn(5, '/');
    match (parts.next(), parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("aws4_request"), Some(service), Some(region), Some(_date), Some(key)) if !service.is_empty() && !key.is_empty() => {
            Ok(Scope { access_key: key.to_owned(), region: region.to_owned(), service: service.to_owned() })
        }
        _ => Err(Malformed::Credential(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(authorization: &str, wanted: &str) {
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", authorization.parse().expect("a header"));
        let got = match scope(&headers, None) {
            Ok(Some(s)) => format!("{} {} {}", s.access_key, s.region, s.service),
            Ok(None) => "unsigned".to_owned(),
            Err(error) => format!("error: {error}"),
        };
        assert!(got.starts_with(wanted), "{authorization}: {got}");
    }

    #[test]
    fn scopes() {
        check("AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=ab", "k us-east-1 s3");
        check("AWS4-HMAC-SHA256 Credential=k/e/y/20260101/r/sqs/aws4_request,SignedHeaders=host,Signature=ab", "k/e/y r sqs");
        check("Bearer owner", "unsigned");
        check("AWS4-HMAC-SHA256 Credential=k/s3, SignedHeaders=host, Signature=ab", "error: Credential must have");
        check("AWS4-HMAC-SHA256 SignedHeaders=host, Signature=ab", "error: Authorization header requires 'Credential'");
        check("AWS4-HMAC-SHA256", "error: Authorization header requires 'Credential'");
    }
}
