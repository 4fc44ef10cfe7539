//! A request as the runtime of a codebase takes it, and the address of a function.

use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use serde_json::{Value, json};

/// What a path of the functions' port means: `/PROJECT/REGION/NAME/rest`.
#[derive(Debug, PartialEq, Eq)]
pub struct Address<'a> {
    pub project: &'a str,
    pub region: &'a str,
    pub name: &'a str,
    /// What the function sees as the path.
    pub rest: &'a str,
}

impl Address<'_> {
    /// The address in a path; none where it has too few parts.
    pub fn of(path: &str) -> Option<Address<'_>> {
        let mut parts = path.strip_prefix('/')?.splitn(4, '/');
        let (project, region, name) = (parts.next()?, parts.next()?, parts.next().filter(|name| !name.is_empty())?);
        let rest = match parts.next() {
            Some(rest) => &path[path.len() - rest.len() - 1..],
            None => "/",
        };
        Some(Address { project, region, name, rest })
    }
}

/// The event of a request. `url` is the path and query that the function sees.
pub fn event(parts: &Parts, url: &str, body: &Bytes, source: IpAddr) -> Value {
    let headers: Vec<(&str, String)> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes().iter().map(|byte| *byte as char).collect())).collect();
    let mut event = json!({
        "$emu": "http",
        "method": parts.method.as_str(),
        "url": url,
        "headers": headers,
        "ip": source.to_string(),
    });
    match std::str::from_utf8(body) {
        Ok("") => {}
        Ok(text) => event["body"] = json!(text),
        Err(_) => {
            event["body"] = json!(STANDARD.encode(body));
            event["base64"] = json!(true);
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_function_and_what_it_sees() {
        for (path, wanted) in [
            ("/p/us-central1/api", Some("p us-central1 api /")),
            ("/p/us-central1/api/", Some("p us-central1 api /")),
            ("/p/us-central1/api/a/b%20c", Some("p us-central1 api /a/b%20c")),
            ("/p/us-central1/group-api//x", Some("p us-central1 group-api //x")),
            ("/p/us-central1/", None),
            ("/p/us-central1", None),
            ("/", None),
        ] {
            let found = Address::of(path).map(|at| format!("{} {} {} {}", at.project, at.region, at.name, at.rest));
            assert_eq!(found.as_deref(), wanted, "{path}");
        }
    }

    #[test]
    fn bodies_are_text_or_base64() {
        let (parts, ()) = http::Request::post("/p/r/f?a=1").header("x-a", "\u{e9}").body(()).expect("a request").into_parts();
        let shown = |body: &'static [u8]| event(&parts, "/?a=1", &Bytes::from_static(body), IpAddr::from([127, 0, 0, 1]));
        assert_eq!(shown(b"{}")["body"], json!("{}"));
        assert_eq!(
            (shown(b"").get("body"), shown(b"\xff")["body"].clone(), shown(b"\xff")["base64"].clone()),
            (None, json!("/w=="), json!(true))
        );
        assert_eq!(shown(b"")["headers"], json!([["x-a", "\u{c3}\u{a9}"]]));
    }
}
