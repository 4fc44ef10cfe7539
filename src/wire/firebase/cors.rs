//! Answers to browsers that ask whether a page of another origin may call: every page that the gateway lets in may, with credentials.

use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode, header};

use crate::wire::http::{Body, Response};

/// What a browser asks on a page's behalf.
pub struct Asked {
    origin: Option<HeaderValue>,
    /// Method and headers that the page wants to send.
    wanted: Option<(HeaderValue, Option<HeaderValue>)>,
    private: bool,
}

const PRIVATE_ASKED: HeaderName = HeaderName::from_static("access-control-request-private-network");
const PRIVATE_ALLOWED: HeaderName = HeaderName::from_static("access-control-allow-private-network");

impl Asked {
    pub fn of(method: &Method, headers: &HeaderMap) -> Asked {
        let preflight = method == Method::OPTIONS;
        let wanted = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).filter(|_| preflight);
        Asked {
            origin: headers.get(header::ORIGIN).cloned(),
            wanted: wanted.map(|method| (method.clone(), headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned())),
            private: headers.get(PRIVATE_ASKED).is_some_and(|value| value == "true"),
        }
    }

    /// The answer, where this was nothing but a question.
    pub fn preflight(&self) -> Option<Response> {
        let (method, headers) = self.wanted.as_ref()?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let into = response.headers_mut();
        into.insert(header::ACCESS_CONTROL_ALLOW_METHODS, method.clone());
        if let Some(headers) = headers {
            into.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, headers.clone());
        }
        into.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
        if self.private {
            into.insert(PRIVATE_ALLOWED, HeaderValue::from_static("true"));
        }
        Some(response)
    }

    /// Lets the page read an answer, and of its headers those `exposed`.
    pub fn allow(&self, response: &mut Response, exposed: &'static str) {
        let Some(origin) = &self.origin else { return };
        let into = response.headers_mut();
        into.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        into.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        into.append(header::VARY, HeaderValue::from_static("Origin"));
        if !exposed.is_empty() {
            into.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(exposed));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_named_and_never_a_star_so_that_credentials_may_be_sent() {
        let mut headers = HeaderMap::new();
        headers.insert("origin", HeaderValue::from_static("http://localhost:5173"));
        headers.insert("access-control-request-method", HeaderValue::from_static("POST"));
        headers.insert("access-control-request-headers", HeaderValue::from_static("x-goog-api-client"));
        headers.insert("access-control-request-private-network", HeaderValue::from_static("true"));
        assert!(Asked::of(&Method::POST, &headers).preflight().is_none());
        let asked = Asked::of(&Method::OPTIONS, &headers);
        let mut answer = asked.preflight().expect("a preflight");
        asked.allow(&mut answer, "x-a");
        let said = |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("-").to_owned();
        assert_eq!(answer.status(), 204);
        for (name, wanted) in [
            ("access-control-allow-origin", "http://localhost:5173"),
            ("access-control-allow-credentials", "true"),
            ("access-control-allow-methods", "POST"),
            ("access-control-allow-headers", "x-goog-api-client"),
            ("access-control-allow-private-network", "true"),
            ("access-control-expose-headers", "x-a"),
            ("vary", "Origin"),
        ] {
            assert_eq!(said(name), wanted, "{name}");
        }
    }
}
