//! The Common Gateway Interface (RFC 3875): a request as a program's environment and input, its output as a response. Pure; both sides are
//! hostile.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{Request, Response, StatusCode};

/// Lines of a response's head that are looked at.
const HEADERS_MAX: usize = 256;

/// The variables of a request. What a client sends stands under `HTTP_`, and so can take the place of no other variable.
pub fn environment(request: &Request<Bytes>) -> BTreeMap<String, String> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let host = request.uri().authority().map_or_else(|| header("host"), |authority| authority.as_str());
    let (server, port) = match host.rsplit_once(':') {
        Some((server, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => (server, port),
        _ => (host, if request.uri().scheme() == Some(&http::uri::Scheme::HTTPS) { "443" } else { "80" }),
    };
    let client = header("x-forwarded-for").split(',').next().unwrap_or_default().trim();
    let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8_lossy();
    let length = request.body().len();
    let mut variables: BTreeMap<String, String> = [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "emu"),
        ("SERVER_NAME", server),
        ("SERVER_PORT", port),
        ("REQUEST_METHOD", request.method().as_str()),
        ("SCRIPT_NAME", ""),
        ("PATH_INFO", &path),
        ("QUERY_STRING", request.uri().query().unwrap_or_default()),
        ("REMOTE_ADDR", if client.is_empty() { "127.0.0.1" } else { client }),
        ("CONTENT_TYPE", header("content-type")),
        ("CONTENT_LENGTH", &if length > 0 { length.to_string() } else { String::new() }),
    ]
    .into_iter()
    // A zero would end the variable.
    .map(|(name, value)| (name.to_owned(), value.replace('\0', "")))
    .collect();
    for name in request.headers().keys() {
        // The first two have variables of their own; the last would be taken for the address of a proxy to go through.
        if ["content-type", "content-length", "proxy"].contains(&name.as_str()) {
            continue;
        }
        let values = request.headers().get_all(name).iter();
        let joined = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(", ");
        variables.insert(format!("HTTP_{}", name.as_str().to_ascii_uppercase().replace('-', "_")), joined);
    }
    variables
}

/// Reads what a program wrote: lines of a head, an empty line, the body. An error says what is wrong with it.
pub fn response(output: &Bytes) -> Result<Response<Bytes>, String> {
    let (head, body) = split(output).ok_or("it wrote no head: lines such as `Content-Type: text/plain`, then an empty line")?;
    let mut response = Response::new(output.slice(body..));
    let mut status = None;
    let lines = output[..head].split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for (number, line) in lines.filter(|line| !line.is_empty()).enumerate() {
        let shown = String::from_utf8_lossy(&line[..line.len().min(100)]);
        let colon = line.iter().position(|byte| *byte == b':').ok_or_else(|| format!("`{shown}` is no line of a head"))?;
        let (name, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
        if name.eq_ignore_ascii_case(b"status") {
            let code = value.get(..3).filter(|_| value.get(3).is_none_or(|byte| *byte == b' '));
            status = Some(
                code.and_then(|code| StatusCode::from_bytes(code).ok())
                    .ok_or_else(|| format!("`{shown}` has no status of three digits"))?,
            );
            continue;
        }
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) else {
            return Err(format!("`{shown}` is no header"));
        };
        if number >= HEADERS_MAX {
            return Err(format!("it wrote more than {HEADERS_MAX} headers"));
        }
        response.headers_mut().append(name, value);
    }
    let moved = response.headers().contains_key(LOCATION);
    if !moved && !response.headers().contains_key(CONTENT_TYPE) {
        return Err("its head has neither `Content-Type` nor `Location`".into());
    }
    *response.status_mut() = status.unwrap_or(if moved { StatusCode::FOUND } else { StatusCode::OK });
    Ok(response)
}

/// Where the head ends and where the body begins.
fn split(output: &[u8]) -> Option<(usize, usize)> {
    let mut at = 0;
    while let Some(length) = output.get(at..)?.iter().position(|byte| *byte == b'\n') {
        let line = &output[at..at + length];
        if line.is_empty() || line == b"\r" {
            return Some((at, at + length + 1));
        }
        at += length + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_request_becomes_variables() {
        let request = Request::post("http://api.test:8080/a%20b/c?x=1&y=2")
            .header("content-type", "application/json")
            .header("x-forwarded-for", "203.0.113.7, 10.0.0.1")
            .header("x-two", "a")
            .header("x-two", "b")
            .header("proxy", "http://evil.test")
            .body(Bytes::from_static(b"{}"))
            .expect("a request");
        let variables = environment(&request);
        for (name, value) in [
            ("REQUEST_METHOD", "POST"),
            ("PATH_INFO", "/a b/c"),
            ("QUERY_STRING", "x=1&y=2"),
            ("CONTENT_TYPE", "application/json"),
            ("CONTENT_LENGTH", "2"),
            ("SERVER_NAME", "api.test"),
            ("SERVER_PORT", "8080"),
            ("REMOTE_ADDR", "203.0.113.7"),
            ("HTTP_X_TWO", "a, b"),
            ("GATEWAY_INTERFACE", "CGI/1.1"),
        ] {
            assert_eq!(variables.get(name).map(String::as_str), Some(value), "{name}");
        }
        for name in ["HTTP_PROXY", "HTTP_CONTENT_TYPE"] {
            assert_eq!(variables.get(name), None);
        }
    }

    #[test]
    fn what_is_written_becomes_a_response() {
        for (output, status, header, body) in [
            ("Content-Type: text/plain\n\nhello", 200, ("content-type", "text/plain"), "hello"),
            ("Status: 404 Not Found\r\nContent-type:text/html\r\n\r\n<p>\n\n", 404, ("content-type", "text/html"), "<p>\n\n"),
            ("Location: /there\n\n", 302, ("location", "/there"), ""),
            ("status: 301\nLocation: /there\n\n", 301, ("location", "/there"), ""),
            ("X-A: 1\nContent-Type: a/b\n\n", 200, ("x-a", "1"), ""),
        ] {
            let response = response(&Bytes::from_static(output.as_bytes())).expect(output);
            assert_eq!(response.status(), status, "{output}");
            assert_eq!(response.headers()[header.0], header.1, "{output}");
            assert_eq!(response.body(), body, "{output}");
        }
        for (output, part) in [
            ("", "no head"),
            ("hello", "no head"),
            ("Content-Type: text/plain\n", "no head"),
            ("\nhello", "neither"),
            ("hello\n\n", "`hello` is no line"),
            ("Status: ok\nContent-Type: a/b\n\n", "no status"),
            ("Status: 2000\nContent-Type: a/b\n\n", "no status"),
            ("A B: c\nContent-Type: a/b\n\n", "is no header"),
        ] {
            let error = response(&Bytes::from_static(output.as_bytes())).expect_err(output);
            assert!(error.contains(part), "{output}: {error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_a_response_or_an_error(output in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b':'), any::<u8>()], 0..200)) {
            let _ = response(&Bytes::from(output));
        }
    }
}
