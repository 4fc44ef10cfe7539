//! The `aws-chunked` encoding: chunks with a size (and perhaps a signature) before each, and headers after the last.
//! Source: the page "Signature calculations for trailing headers (chunked uploads) in Authentication Requests".
//!
//! Done here and not by `s3s`, which verifies the signatures of the chunks and so needs the secret key.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::BodyExt;

use crate::wire::http::{Body, BoxError};

/// Bytes of a line before a chunk, or of all headers after the last.
const LINE_BYTES_MAX: usize = 16 << 10;

/// The headers that come after the bytes, once they are there; names in lower case.
#[derive(Clone, Default)]
pub struct Trailers(Arc<Mutex<BTreeMap<String, String>>>);

impl Trailers {
    /// One of them.
    pub fn get(&self, name: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).get(name).cloned()
    }

    fn set(&self, lines: &str) {
        let mut trailers = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for (name, value) in lines.lines().filter_map(|line| line.split_once(':')) {
            trailers.insert(name.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
}

/// Why a body is not encoded so.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Malformed {
    #[error("the aws-chunked body ended within a chunk")]
    Ended,
    #[error("the aws-chunked body has a chunk without a size")]
    Size,
    #[error("the aws-chunked body has a line that is too long")]
    Line,
}

enum State {
    Size,
    Data {
        left: u64,
    },
    /// Between a chunk's bytes and the next size.
    Gap,
    Trailers,
    End,
}

struct Decoder<S> {
    body: S,
    waiting: BytesMut,
    ended: bool,
    state: State,
    trailers: Trailers,
}

/// The bytes that `body` encodes. `trailers` are filled when all bytes have been taken.
pub fn decode(body: Body, length: Option<u64>, trailers: Trailers) -> Body {
    let body: std::pin::Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>> = match body {
        Body::Bytes(bytes) => Box::pin(stream::iter([Ok(bytes)])),
        Body::Stream { stream, .. } => stream,
        Body::Frames(frames) => Box::pin(frames.into_data_stream()),
    };
    let decoder = Decoder { body, waiting: BytesMut::new(), ended: false, state: State::Size, trailers };
    let stream = stream::try_unfold(decoder, |mut decoder| async move { Ok(decoder.next().await?.map(|bytes| (bytes, decoder))) });
    Body::stream(stream, length)
}

impl<S: Stream<Item = Result<Bytes, BoxError>> + Unpin> Decoder<S> {
    async fn next(&mut self) -> Result<Option<Bytes>, BoxError> {
        loop {
            match self.state {
                State::Size => {
                    let Some(line) = self.line().await? else { continue };
                    let size = line.split(';').next().unwrap_or_default().trim();
                    let size = u64::from_str_radix(size, 16).map_err(|_| Malformed::Size)?;
                    self.state = if size == 0 { State::Trailers } else { State::Data { left: size } };
                }
                State::Data { left: 0 } => self.state = State::Gap,
                State::Data { left } => {
                    if self.waiting.is_empty() {
                        self.more().await?;
                        continue;
                    }
                    let take = left.min(self.waiting.len() as u64);
                    self.state = State::Data { left: left - take };
                    return Ok(Some(self.waiting.split_to(take as usize).freeze()));
                }
                State::Gap => {
                    if self.waiting.len() < 2 {
                        self.more().await?;
                        continue;
                    }
                    if !self.waiting.starts_with(b"\r\n") {
                        return Err(Malformed::Size.into());
                    }
                    self.waiting.advance(2);
                    self.state = State::Size;
                }
                State::Trailers => {
                    // Some clients leave out the empty line at the end.
                    while self.fill().await? {
                        if self.waiting.len() > LINE_BYTES_MAX {
                            return Err(Malformed::Line.into());
                        }
                    }
                    self.trailers.set(&String::from_utf8_lossy(&self.waiting));
                    self.state = State::End;
                }
                State::End => return Ok(None),
            }
        }
    }

    /// A whole line, if it is there; reads on where it is not.
    async fn line(&mut self) -> Result<Option<String>, BoxError> {
        if let Some(end) = self.waiting.windows(2).position(|pair| pair == b"\r\n") {
            let line = self.waiting.split_to(end + 2);
            return Ok(Some(String::from_utf8_lossy(&line[..end]).into_owned()));
        }
        if self.waiting.len() > LINE_BYTES_MAX {
            return Err(Malformed::Line.into());
        }
        self.more().await.map(|()| None)
    }

    async fn more(&mut self) -> Result<(), BoxError> {
        if self.fill().await? { Ok(()) } else { Err(Malformed::Ended.into()) }
    }

    /// Reads on; false at the end.
    async fn fill(&mut self) -> Result<bool, BoxError> {
        if self.ended {
            return Ok(false);
        }
        match self.body.next().await {
            Some(piece) => self.waiting.extend_from_slice(&piece?),
            None => self.ended = true,
        }
        Ok(!self.ended)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn run(encoded: &[u8], piece: usize) -> (Result<Bytes, String>, Trailers) {
        let pieces: Vec<Result<Bytes, BoxError>> = encoded.chunks(piece.max(1)).map(|part| Ok(Bytes::copy_from_slice(part))).collect();
        let trailers = Trailers::default();
        let body = decode(Body::stream(stream::iter(pieces), None), None, trailers.clone());
        (body.collect(1 << 20).await.map_err(|error| error.to_string()), trailers)
    }

    #[tokio::test]
    async fn bodies() {
        for (encoded, wanted, checksum) in [
            ("3\r\nabc\r\n0\r\n\r\n", Ok("abc"), None),
            ("3;chunk-signature=00\r\nabc\r\n2\r\nde\r\n0;chunk-signature=11\r\n\r\n", Ok("abcde"), None),
            ("3\r\nabc\r\n0\r\nx-amz-checksum-crc32:NSRBwg==\r\n\r\n", Ok("abc"), Some("NSRBwg==")),
            ("3\r\nabc\r\n0\r\nX-Amz-Checksum-Crc32: NSRBwg==\n\r\n\r\n", Ok("abc"), Some("NSRBwg==")),
            ("0\r\n\r\n", Ok(""), None),
            ("5\r\nabc", Err("ended within a chunk"), None),
            ("zz\r\nabc\r\n", Err("without a size"), None),
            ("3\r\nabcd\r\n0\r\n\r\n", Err("without a size"), None),
            ("", Err("ended within a chunk"), None),
        ] {
            for piece in [1, 2, 7, 1_000] {
                let (found, trailers) = run(encoded.as_bytes(), piece).await;
                match wanted {
                    Ok(text) => assert_eq!(found.as_deref().ok(), Some(text.as_bytes()), "{encoded:?}"),
                    Err(why) => assert!(found.as_ref().is_err_and(|error| error.contains(why)), "{encoded:?}: {found:?}"),
                }
                assert_eq!(trailers.get("x-amz-checksum-crc32").as_deref(), checksum, "{encoded:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_in_any_chunks_and_pieces_come_back(chunks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 0..6), piece in 1usize..400) {
            let mut encoded = Vec::new();
            for chunk in &chunks {
                encoded.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
                encoded.extend(chunk);
                encoded.extend(b"\r\n");
            }
            encoded.extend(b"0\r\n\r\n");
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            let (found, _) = runtime.block_on(run(&encoded, piece));
            prop_assert_eq!(found.expect("decoded").to_vec(), chunks.concat());
        }
    }
}
