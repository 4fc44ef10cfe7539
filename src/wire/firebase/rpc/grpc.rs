//! gRPC over HTTP/2: messages in frames, the outcome in trailers. Source: "gRPC over HTTP2" of the gRPC project.

use std::fmt::Write as _;
use std::pin::Pin;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, HeaderValue};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use prost::Message;
use tokio::sync::mpsc;

use super::{Code, Failure};
use crate::wire::http::{Body, BoxError, Request, Response};

/// Bytes of a message at most. Source: the text that the service refuses longer ones with.
pub const MESSAGE_BYTES_MAX: usize = 11_534_336;
/// The flag and the length that a message begins with.
const HEAD_BYTES: usize = 5;

/// Whether a request is one of gRPC.
pub fn is_grpc(request: &Request) -> bool {
    let kind = crate::wire::http::header(request.headers(), "content-type");
    kind.is_some_and(|kind| kind.starts_with("application/grpc"))
}

/// The messages of a body.
pub fn messages<T: Message + Default>(body: Body) -> impl Stream<Item = Result<T, Failure>> + Send {
    let pieces: Pieces = match body {
        Body::Bytes(bytes) => Box::pin(stream::iter([Ok(bytes)])),
        Body::Stream { stream, .. } => stream,
        Body::Frames(frames) => Box::pin(frames.into_data_stream()),
    };
    let frames = Frames { pieces, waiting: BytesMut::new() };

    stream::unfold(Some(frames), |frames| async move {
        let mut frames = frames?;
        match frames.next().await {
            Ok(None) => None,
            Ok(Some(bytes)) => {
                Some((T::decode(bytes).map_err(|error| Failure::invalid(format!("The message cannot be read: {error}"))), Some(frames)))
            }
            Err(failure) => Some((Err(failure), None)),
        }
    })
}

/// The one message of a body.
pub async fn message<T: Message + Default>(body: Body) -> Result<T, Failure> {
    let mut messages = std::pin::pin!(messages(body));
    messages.next().await.unwrap_or_else(|| Err(Failure::invalid("The request has no message.")))
}

type Pieces = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

struct Frames {
    pieces: Pieces,
    waiting: BytesMut,
}

impl Frames {
    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let mut wanted = HEAD_BYTES;
        loop {
            if self.waiting.len() >= HEAD_BYTES {
                let head = &self.waiting[..HEAD_BYTES];
                if head[0] != 0 {
                    return Err(Failure::new(Code::Unimplemented, "Compressed messages are not understood; send them as they are."));
                }
                let length = (&head[1..]).get_u32() as usize;
                if length > MESSAGE_BYTES_MAX {
                    return Err(Failure::invalid(format!("Request payload size exceeds the limit: {MESSAGE_BYTES_MAX} bytes.")));
                }
                wanted = HEAD_BYTES + length;
            }
            if self.waiting.len() >= wanted {
                let mut frame = self.waiting.split_to(wanted).freeze();
                frame.advance(HEAD_BYTES);
                return Ok(Some(frame));
            }
            match self.pieces.next().await {
                Some(Ok(piece)) => self.waiting.extend_from_slice(&piece),
                Some(Err(error)) => return Err(Failure::new(Code::Cancelled, format!("The request broke off: {error}"))),
                None if self.waiting.is_empty() => return Ok(None),
                None => return Err(Failure::new(Code::Internal, "The request ended in the middle of a message.")),
            }
        }
    }
}

fn frame(message: &impl Message) -> Bytes {
    let length = message.encoded_len();
    let mut frame = BytesMut::with_capacity(HEAD_BYTES + length);
    frame.put_u8(0);
    frame.put_u32(length as u32);
    message.encode(&mut frame).expect("a buffer grows");
    frame.freeze()
}

/// Answers with one message, or with why there is none.
pub fn unary<T: Message>(outcome: Result<T, Failure>) -> Response {
    several(outcome.map(|message| vec![message]))
}

/// Answers with several messages.
pub fn several<T: Message>(outcome: Result<Vec<T>, Failure>) -> Response {
    let messages = match outcome {
        Ok(messages) => messages,
        Err(failure) => return refused(&failure),
    };
    let mut data = BytesMut::new();
    for message in &messages {
        data.extend_from_slice(&frame(message));
    }
    let frames: [Result<_, BoxError>; 2] = [Ok(Frame::data(data.freeze())), Ok(Frame::trailers(trailers(None)))];
    head(Body::frames(StreamBody::new(stream::iter(frames))))
}

/// Answers with messages as they come. After a failure nothing is sent.
pub fn streaming<T: Message + 'static>(messages: mpsc::Receiver<Result<T, Failure>>) -> Response {
    let frames = stream::unfold(Some(messages), |messages| async move {
        let mut messages = messages?;
        Some(match messages.recv().await {
            Some(Ok(message)) => (Ok::<_, BoxError>(Frame::data(frame(&message))), Some(messages)),
            Some(Err(failure)) => (Ok(Frame::trailers(trailers(Some(&failure)))), None),
            None => (Ok(Frame::trailers(trailers(None))), None),
        })
    });
    head(Body::frames(StreamBody::new(frames)))
}

/// An answer without messages.
pub fn refused(failure: &Failure) -> Response {
    let mut response = head(Body::empty());
    response.headers_mut().extend(trailers(Some(failure)));
    response
}

fn head(body: Body) -> Response {
    let mut response = http::Response::new(body);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}

fn trailers(failure: Option<&Failure>) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    let code = failure.map_or(0, |failure| failure.code as i32);
    trailers.insert("grpc-status", HeaderValue::from(code));
    if let Some(failure) = failure {
        let text = HeaderValue::from_str(&escaped(&failure.message)).expect("what is escaped is plain text");
        trailers.insert("grpc-message", text);
    }
    trailers
}

/// Text as `grpc-message` has it: what is not plain is percent-encoded.
fn escaped(text: &str) -> String {
    let mut into = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' => into.push_str("%25"),
            b' '..=b'~' => into.push(char::from(byte)),
            other => write!(into, "%{other:02X}").expect("text takes everything"),
        }
    }
    into
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn messages_are_read_however_they_are_cut() {
        let mut bytes = frame(&"one".to_owned()).to_vec();
        bytes.extend(frame(&String::new()));
        bytes.extend(frame(&"three".to_owned()));
        for size in [1, 2, 5, 7, 100] {
            let pieces: Vec<Result<Bytes, BoxError>> = bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let read: Vec<String> =
                messages(Body::stream(stream::iter(pieces), None)).map(|message| message.expect("a message")).collect().await;
            assert_eq!(read, ["one", "", "three"], "in pieces of {size}");
        }
    }

    #[tokio::test]
    async fn a_message_that_is_too_long_or_cut_off_is_refused() {
        let check = async |bytes: &[u8], wanted: Code| {
            let body = Body::from(Bytes::copy_from_slice(bytes));
            assert_eq!(message::<String>(body).await.expect_err("a failure").code, wanted);
        };
        check(&[0, 0xff, 0, 0, 0], Code::InvalidArgument).await;
        check(&[0, 0, 0, 0, 9, 1], Code::Internal).await;
        check(&[1, 0, 0, 0, 0], Code::Unimplemented).await;
        check(&[], Code::InvalidArgument).await;
    }

    #[test]
    fn texts_of_errors_are_escaped() {
        assert_eq!(escaped("100% of „a“\n"), "100%25 of %E2%80%9Ea%E2%80%9C%0A");
    }
}
