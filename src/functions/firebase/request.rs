//! A request as the runtime of a codebase takes it, and the address of a function.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::request::Parts;
use serde::Serialize;

use crate::functions::shapes::latin1;

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

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "$emu")]
    emu: &'static str,
    method: &'a str,
    url: &'a str,
    headers: Vec<(&'a str, Cow<'a, str>)>,
    ip: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    base64: bool,
}

/// The event of a request, JSON. `url` is the path and query that the function sees.
pub fn event(parts: &Parts, url: &str, body: &Bytes, source: IpAddr) -> Bytes {
    let (body, base64) = match std::str::from_utf8(body) {
        Ok("") => (None, false),
        Ok(text) => (Some(Cow::Borrowed(text)), false),
        Err(_) => (Some(Cow::Owned(STANDARD.encode(body))), true),
    };
    let event = Event {
        emu: "http",
        method: parts.method.as_str(),
        url,
        headers: parts.headers.iter().map(|(name, value)| (name.as_str(), latin1(value))).collect(),
        ip: source.to_string(),
        body,
        base64,
    };
    Bytes::from(serde_json::to_vec(&event).expect("an event is plain data"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

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
        let shown = |body: &'static [u8]| -> serde_json::Value {
            let event = event(&parts, "/?a=1", &Bytes::from_static(body), IpAddr::from([127, 0, 0, 1]));
            serde_json::from_slice(&event).expect("an event is JSON")
        };
        assert_eq!(shown(b"{}")["body"], json!("{}"));
        assert_eq!(
            (shown(b"").get("body"), shown(b"\xff")["body"].clone(), shown(b"\xff")["base64"].clone()),
            (None, json!("/w=="), json!(true))
        );
        assert_eq!(shown(b"")["headers"], json!([["x-a", "\u{c3}\u{a9}"]]));
    }
}
