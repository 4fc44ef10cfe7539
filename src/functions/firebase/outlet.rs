//! The way on which a function answers a request while it goes on: the head of the answer, then its body, piece by piece.

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Request, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::sandbox::FetchError;

/// The host to which the runtime sends the parts of an answer.
pub const HOST: &str = "response.emu.internal";
/// The head, JSON in ASCII, of the first part.
const HEAD: &str = "emu-head";
/// Says that the part is the last.
const END: &str = "emu-end";
/// Parts that may wait for a slow client; the function waits while there are more.
const PARTS_MAX: usize = 16;
/// Headers of an answer.
const HEADERS_MAX: usize = 1_000;

/// A part of an answer.
#[derive(Debug)]
pub enum Part {
    Head { status: StatusCode, headers: HeaderMap, is_whole: bool },
    Data(Bytes),
    End,
}

/// Takes the parts of one answer. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outlet(mpsc::Sender<Part>);

#[derive(Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl Outlet {
    pub fn new() -> (Outlet, mpsc::Receiver<Part>) {
        let (sender, receiver) = mpsc::channel(PARTS_MAX);
        (Outlet(sender), receiver)
    }

    /// Takes a part. Answers 204 once there is room for it, 410 where the client is gone, 400 where it is malformed.
    pub fn take(&self, request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, FetchError>> {
        let sender = self.0.clone();
        Box::pin(async move {
            let status = match parts(request) {
                None => StatusCode::BAD_REQUEST,
                Some(parts) => {
                    let mut status = StatusCode::NO_CONTENT;
                    for part in parts {
                        // Who has all that there is need not wait for its end.
                        let is_needed = !matches!(part, Part::End);
                        if sender.send(part).await.is_err() && is_needed {
                            status = StatusCode::GONE;
                            break;
                        }
                    }
                    status
                }
            };
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = status;
            Ok(response)
        })
    }
}

fn parts(request: Request<Bytes>) -> Option<Vec<Part>> {
    let (head, body) = request.into_parts();
    let is_end = head.headers.contains_key(END);
    let mut parts = Vec::with_capacity(3);
    if let Some(text) = head.headers.get(HEAD) {
        let Head { status, headers } = serde_json::from_slice(text.as_bytes()).ok()?;
        let (status, headers) = head_of(status, headers)?;
        parts.push(Part::Head { status, headers, is_whole: is_end });
    }
    if !body.is_empty() {
        parts.push(Part::Data(body));
    }
    if is_end {
        parts.push(Part::End);
    }
    Some(parts)
}

/// The status of an answer, 200 to 599, and its headers, without those that the listener writes itself, and those that no answer can have.
pub fn head_of(status: u16, given: Vec<(String, String)>) -> Option<(StatusCode, HeaderMap)> {
    let status = StatusCode::from_u16(status).ok().filter(|_| (200..600).contains(&status))?;
    let mut headers = HeaderMap::new();
    for (name, value) in given.into_iter().take(HEADERS_MAX) {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        let is_own =
            matches!(name.as_str(), "connection" | "content-length" | "transfer-encoding" | "upgrade" | "trailer" | "te" | "keep-alive");
        // Node sends characters up to U+00FF as Latin-1.
        let bytes: Vec<u8> =
            if value.chars().all(|c| (c as u32) < 0x100) { value.chars().map(|c| c as u8).collect() } else { value.into_bytes() };
        if let (false, Ok(value)) = (is_own, HeaderValue::from_bytes(&bytes)) {
            headers.append(name, value);
        }
    }
    Some((status, headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(head: Option<&str>, body: &'static str, is_end: bool) -> String {
        let mut request = Request::post("http://response.emu.internal/");
        if let Some(head) = head {
            request = request.header(HEAD, head);
        }
        if is_end {
            request = request.header(END, "1");
        }
        match parts(request.body(Bytes::from_static(body.as_bytes())).expect("a request")) {
            None => "malformed".to_owned(),
            Some(parts) => {
                let shown = parts.iter().map(|part| match part {
                    Part::Head { status, headers, is_whole } => format!("{status} {} {is_whole}", headers.len()),
                    Part::Data(data) => format!("{} bytes", data.len()),
                    Part::End => "end".to_owned(),
                });
                shown.collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn an_answer_comes_whole_or_in_parts() {
        let head = r#"{"status":201,"headers":[["content-type","a/b"],["content-length","9"],["set-cookie","a=1"],["set-cookie","b=2"],["bad name","x"]]}"#;
        assert_eq!(shown(Some(head), "ab", true), "201 Created 3 true, 2 bytes, end");
        assert_eq!(shown(Some(head), "", false), "201 Created 3 false");
        assert_eq!(shown(None, "abc", false), "3 bytes");
        assert_eq!(shown(None, "", true), "end");
        assert_eq!(shown(Some(r#"{"status":99,"headers":[]}"#), "", true), "malformed");
        assert_eq!(shown(Some("{"), "", true), "malformed");
    }

    #[tokio::test]
    async fn a_function_learns_that_its_client_is_gone() {
        let (outlet, receiver) = Outlet::new();
        let part = || Request::post("http://response.emu.internal/").body(Bytes::from_static(b"x")).expect("a request");
        assert_eq!(outlet.take(part()).await.expect("an answer").status(), 204);
        drop(receiver);
        assert_eq!(outlet.take(part()).await.expect("an answer").status(), 410);
        let end = Request::post("http://response.emu.internal/").header(END, "1").body(Bytes::new()).expect("a request");
        assert_eq!(outlet.take(end).await.expect("an answer").status(), 204, "it had all of it");
    }
}
