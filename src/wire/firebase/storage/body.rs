//! Bodies in parts (`multipart/related`, `multipart/form-data`; RFC 2046), read as they arrive: what is kept of them in memory is bounded.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;

use super::fail::Failure;
use crate::wire::http::{Body, BoxError};

/// Bytes on their way in.
pub type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// Bytes of the heads of a part.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// Bytes of a part that describes the others.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;

/// The bytes of a body as they come.
pub fn pieces(body: Body) -> Pieces {
    match body {
        Body::Bytes(bytes) => Box::pin(stream::iter([Ok(bytes)])),
        Body::Stream { stream, .. } => stream,
        Body::Frames(frames) => Box::pin(frames.into_data_stream()),
    }
}

/// Bytes of a request that was refused before all of it was read, which are let in for the sake of the answer: a sender that is cut off
/// while it sends does not see it.
const THROWN_AWAY_MAX: usize = 64 << 20;
/// How long that may take.
const THROWN_AWAY_SECONDS: u64 = 10;

/// A body whose rest is let in where nobody reads it to its end.
pub fn guarded(body: Body) -> Body {
    if let Body::Bytes(bytes) = body {
        return Body::Bytes(bytes);
    }
    let length = if let Body::Stream { length, .. } = &body { *length } else { None };
    Body::stream(Guarded(Some(pieces(body))), length)
}

struct Guarded(Option<Pieces>);

impl Stream for Guarded {
    type Item = Result<Bytes, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(pieces) = &mut self.0 else { return Poll::Ready(None) };
        let polled = pieces.as_mut().poll_next(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.0 = None;
        }
        polled
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let (Some(mut pieces), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) else { return };
        runtime.spawn(tokio::time::timeout(Duration::from_secs(THROWN_AWAY_SECONDS), async move {
            let mut seen = 0;
            while let Some(Ok(piece)) = pieces.next().await {
                seen += piece.len();
                if seen > THROWN_AWAY_MAX {
                    break;
                }
            }
        }));
    }
}

/// A body in parts.
pub struct Multipart {
    pieces: Pieces,
    waiting: BytesMut,
    ended: bool,
    /// Within a part, or in what stands before the first.
    within: bool,
    /// What ends a part: a line's end, two hyphens and the boundary.
    end: Vec<u8>,
}

/// What stands above a part.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Head {
    pub content_type: Option<String>,
    pub disposition: Option<String>,
}

impl Head {
    /// A parameter of the disposition: `name`, `filename`.
    pub fn parameter(&self, name: &str) -> Option<String> {
        self.disposition.as_deref()?.split(';').skip(1).find_map(|one| {
            let (key, value) = one.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
        })
    }
}

/// The boundary of a content type, if it is one of parts.
pub fn boundary(content_type: Option<&str>) -> Result<String, Failure> {
    let content_type = content_type.unwrap_or_default();
    let found = content_type.split(';').skip(1).find_map(|one| {
        let (key, value) = one.split_once('=')?;
        key.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').trim_matches('\'').to_owned())
    });
    found
        .filter(|boundary| content_type.trim_start().to_ascii_lowercase().starts_with("multipart/") && (1..=200).contains(&boundary.len()))
        .ok_or_else(|| Failure::invalid("Failed to parse the content type of a body in parts: there is no boundary."))
}

impl Multipart {
    pub fn new(boundary: &str, body: Body) -> Multipart {
        // As if a line had ended before the first boundary.
        let waiting = BytesMut::from(&b"\r\n"[..]);
        Multipart { pieces: pieces(body), waiting, ended: false, within: true, end: format!("\r\n--{boundary}").into_bytes() }
    }

    /// Waits for more bytes; false where there are none.
    async fn more(&mut self) -> Result<bool, BoxError> {
        if self.ended {
            return Ok(false);
        }
        match self.pieces.next().await {
            Some(piece) => {
                self.waiting.extend_from_slice(&piece?);
                Ok(true)
            }
            None => {
                self.ended = true;
                Ok(false)
            }
        }
    }

    /// Goes to the next part, leaving out what is left of this one; `None` after the last.
    pub async fn next(&mut self) -> Result<Option<Head>, Failure> {
        while self.within {
            self.piece().await.map_err(broken)?;
        }
        let mut head = Vec::new();
        loop {
            // After the boundary: `--` ends all, a line's end begins a part.
            let found = memchr::memmem::find(&self.waiting, b"\r\n\r\n");
            if self.waiting.starts_with(b"--") {
                return Ok(None);
            }
            if let Some(at) = found {
                head.extend_from_slice(&self.waiting.split_to(at));
                let _ = self.waiting.split_to(4);
                break;
            }
            if self.waiting.len() > HEAD_BYTES_MAX || !self.more().await.map_err(broken)? {
                return Err(Failure::invalid("Malformed multipart body."));
            }
        }
        let head = String::from_utf8_lossy(&head);
        let mut read = Head::default();
        for line in head.lines() {
            let Some((name, value)) = line.split_once(':') else { continue };
            match name.trim().to_ascii_lowercase().as_str() {
                "content-type" => read.content_type = Some(value.trim().to_owned()),
                "content-disposition" => read.disposition = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        self.within = true;
        Ok(Some(read))
    }

    /// Some more bytes of this part; `None` at its end.
    async fn piece(&mut self) -> Result<Option<Bytes>, BoxError> {
        while self.within {
            if let Some(at) = memchr::memmem::find(&self.waiting, &self.end) {
                if at > 0 {
                    return Ok(Some(self.waiting.split_to(at).freeze()));
                }
                // The boundary is left only where what follows it can be told.
                if self.waiting.len() >= self.end.len() + 2 || self.ended {
                    let _ = self.waiting.split_to(self.end.len());
                    self.within = false;
                    return Ok(None);
                }
            } else if self.waiting.len() >= self.end.len() {
                // A boundary may have begun at the very end.
                return Ok(Some(self.waiting.split_to(self.waiting.len() - self.end.len() + 1).freeze()));
            }
            if !self.more().await? && !self.waiting.starts_with(&self.end) {
                return Err("the last part does not end".into());
            }
        }
        Ok(None)
    }

    /// All bytes of this part, if they are few enough.
    pub async fn collect(&mut self, bytes_max: usize) -> Result<Bytes, Failure> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.piece().await.map_err(broken)? {
            if all.len() + piece.len() > bytes_max {
                return Err(Failure::invalid(format!("A part that describes the others has up to {bytes_max} bytes.")));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }

    /// The bytes of this part as they come. What follows it is let in and left out, so that the sender sees the answer.
    pub fn rest(self) -> Pieces {
        Box::pin(stream::try_unfold(self, |mut parts| async move {
            match parts.piece().await? {
                Some(piece) => Ok(Some((piece, parts))),
                None => {
                    while parts.more().await? {
                        parts.waiting.clear();
                    }
                    Ok(None)
                }
            }
        }))
    }
}

fn broken(error: BoxError) -> Failure {
    Failure::invalid(format!("The request broke off: {error}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(bytes: &[u8], sizes: &[usize]) -> Body {
        let (mut at, mut pieces) = (0usize, Vec::new());
        for size in sizes.iter().copied().chain([usize::MAX]) {
            let end = at.max(bytes.len().min(at.saturating_add(size)));
            pieces.push(Ok(Bytes::copy_from_slice(&bytes[at..end])));
            at = end;
        }
        Body::stream(stream::iter(pieces), None)
    }

    async fn read(body: Body) -> Result<(Head, Bytes, Head, Vec<u8>), Failure> {
        let mut parts = Multipart::new("b1", body);
        let missing = || Failure::invalid("missing");
        let first = parts.next().await?.ok_or_else(missing)?;
        let document = parts.collect(100).await?;
        let second = parts.next().await?.ok_or_else(missing)?;
        let mut rest = parts.rest();
        let mut all = Vec::new();
        while let Some(piece) = rest.next().await {
            all.extend_from_slice(&piece.map_err(broken)?);
        }
        Ok((first, document, second, all))
    }

    #[test]
    fn boundaries() {
        for (text, wanted) in [
            ("multipart/related; boundary=abc", Some("abc")),
            ("multipart/related; type=x; boundary=\"a b\"", Some("a b")),
            ("Multipart/Form-Data;boundary='abc'", Some("abc")),
            ("multipart/related", None),
            ("text/plain; boundary=abc", None),
        ] {
            assert_eq!(boundary(Some(text)).ok().as_deref(), wanted, "{text}");
        }
    }

    #[tokio::test]
    async fn what_breaks_off_or_is_too_long_is_refused() {
        for text in ["", "--b1\r\n", "--b1\r\n\r\n{}", "--b1\r\n\r\n{}\r\n--b1--", "--b1\r\n\r\n{}\r\n--b1\r\n\r\nabc"] {
            assert!(read(cut(text.as_bytes(), &[])).await.is_err(), "{text:?}");
        }
        let long = format!("--b1\r\n\r\n{}\r\n--b1\r\n\r\nabc\r\n--b1--", "x".repeat(101));
        assert!(read(cut(long.as_bytes(), &[])).await.is_err());
        let head = format!("--b1\r\nx: {}\r\n\r\n", "x".repeat(HEAD_BYTES_MAX));
        assert!(read(cut(head.as_bytes(), &[])).await.is_err());
    }

    proptest! {
        #[test]
        fn parts_are_the_same_however_they_arrive(
            content in proptest::collection::vec(prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'-'), Just(b'b'), Just(b'1'), any::<u8>()], 0..200),
            sizes in proptest::collection::vec(0usize..20, 0..40),
        ) {
            prop_assume!(memchr::memmem::find(&content, b"\r\n--b1").is_none() && !content.ends_with(b"\r"));
            let mut bytes = b"--b1\r\nContent-Type: application/json; charset=utf-8\r\n\r\n{\"a\":1}\r\n--b1\r\nContent-Type: text/plain\r\n\r\n".to_vec();
            bytes.extend_from_slice(&content);
            bytes.extend_from_slice(b"\r\n--b1--\r\n");
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (first, document, second, rest) = runtime.block_on(read(cut(&bytes, &sizes))).expect("read");
            prop_assert_eq!(first.content_type.as_deref(), Some("application/json; charset=utf-8"));
            prop_assert_eq!(&document[..], b"{\"a\":1}");
            prop_assert_eq!(second.content_type.as_deref(), Some("text/plain"));
            prop_assert_eq!(rest, content);
        }
    }
}
