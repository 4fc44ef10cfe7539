//! Requests and answers as every wire sees them, whether they came over a socket or from a function inside.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;

use crate::base::Call;

pub type Request = http::Request<Body>;
pub type Response = http::Response<Body>;
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Bytes of a body over its limit that are let in for the sake of the answer.
const THROWN_AWAY_MAX: usize = 64 << 20;

/// The bytes of a request or an answer.
pub enum Body {
    /// All at hand.
    Bytes(Bytes),
    /// Arriving or made piece by piece; `size_hint` where the length is known.
    Stream { stream: Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>, length: Option<u64> },
    /// Anything that can be sent, such as what ends with trailers.
    Frames(UnsyncBoxBody<Bytes, BoxError>),
}

impl Body {
    /// What another library made, with its trailers.
    pub fn frames<B, E>(body: B) -> Body
    where
        B: http_body::Body<Data = Bytes, Error = E> + Send + 'static,
        E: Into<BoxError> + 'static,
    {
        Body::Frames(body.map_err(Into::into).boxed_unsync())
    }

    /// No bytes.
    pub fn empty() -> Body {
        Body::Bytes(Bytes::new())
    }

    /// Pieces of unknown or known total length in bytes.
    pub fn stream(stream: impl Stream<Item = Result<Bytes, BoxError>> + Send + 'static, length: Option<u64>) -> Body {
        Body::Stream { stream: Box::pin(stream), length }
    }

    /// All bytes, if they are at most `bytes_max`.
    pub async fn collect(self, bytes_max: usize) -> Result<Bytes, BodyError> {
        match self {
            Body::Bytes(bytes) if bytes.len() > bytes_max => Err(BodyError::TooLarge { bytes_max }),
            Body::Bytes(bytes) => Ok(bytes),
            Body::Frames(frames) => Box::pin(Body::stream(frames.into_data_stream(), None).collect(bytes_max)).await,
            Body::Stream { mut stream, length } => {
                let mut all = BytesMut::new();
                let mut is_too_large = length.is_some_and(|length| length > bytes_max as u64);
                let mut thrown_away = 0;
                while let Some(piece) = stream.next().await {
                    let piece = piece.map_err(BodyError::Broken)?;
                    is_too_large |= all.len() + piece.len() > bytes_max;
                    if !is_too_large {
                        all.extend_from_slice(&piece);
                        continue;
                    }
                    // A sender that is cut off while it sends does not see the answer that says why; so the rest is let in, within reason.
                    thrown_away += piece.len();
                    if thrown_away > THROWN_AWAY_MAX {
                        break;
                    }
                }
                if is_too_large { Err(BodyError::TooLarge { bytes_max }) } else { Ok(all.freeze()) }
            }
        }
    }
}

/// Why the bytes of a request could not be had.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    #[error("the body is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: usize },
    #[error("the body broke off: {0}")]
    Broken(BoxError),
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Body {
        Body::Bytes(bytes.into())
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Body::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Stream { stream, .. } => stream.as_mut().poll_next(context).map(|piece| piece.map(|p| p.map(Frame::data))),
            Body::Frames(frames) => Pin::new(frames).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Bytes(bytes) => bytes.is_empty(),
            Body::Stream { .. } => false,
            Body::Frames(frames) => frames.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Stream { length: Some(length), .. } => SizeHint::with_exact(*length),
            Body::Stream { length: None, .. } => SizeHint::default(),
            Body::Frames(frames) => frames.size_hint(),
        }
    }
}

/// What a wire says of the operation that it answered, for whoever keeps a record of it: an extension of the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description {
    /// As the provider calls the service: `dynamodb`.
    pub service: &'static str,
    /// The operation's name in the provider's API: `PutItem`.
    pub action: String,
    /// The table, bucket, queue, … it is about.
    pub resource: Option<String>,
    /// The error's code, if it failed.
    pub error: Option<String>,
    /// What a search looked at, where it was one.
    pub search: Option<Search>,
    /// A function was run for it, which keeps its own bill.
    pub ran: bool,
}

/// What a search looked at, and what it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Items that it looked at, and those that it gave.
    pub looked_at: u64,
    pub gave: u64,
    /// It said how many items it wants at most.
    pub limited: bool,
    /// The attributes that its filter asks for, after reading.
    pub filtered_by: Vec<String>,
}

impl Description {
    /// An operation that is about nothing known yet.
    pub fn new(service: &'static str, action: impl Into<String>) -> Description {
        Description { service, action: action.into(), ..Description::default() }
    }

    /// Says it with an answer. An error's code that the answer says already stays.
    pub fn attach(mut self, mut response: Response) -> Response {
        if let Some(said) = response.extensions_mut().remove::<Description>() {
            self.error = self.error.or(said.error);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Keeps records of operations that come one after another on a stream, each as if it were a request of its own.
pub trait Recorder: Send + Sync + 'static {
    /// Begins an operation that `asked` asks for.
    fn begin(&self, asked: &Call) -> Recording;
}

/// An operation of a stream that is under way. One that is dropped was none.
pub struct Recording {
    /// The call to make it with: on a bill of its own.
    pub call: Call,
    end: Box<dyn FnOnce(Description, http::StatusCode) + Send>,
}

impl Recording {
    /// `end` is told what it was.
    pub fn new(call: Call, end: impl FnOnce(Description, http::StatusCode) + Send + 'static) -> Recording {
        Recording { call, end: Box::new(end) }
    }

    /// It has ended.
    pub fn end(self, said: Description, status: http::StatusCode) {
        (self.end)(said, status);
    }
}

/// Says with an answer that it is an error of this code.
pub fn with_error_code(mut response: Response, code: &str) -> Response {
    let said = response.extensions_mut().get_or_insert_default::<Description>();
    // Codes are names; whatever else there may be is cut.
    said.error = Some(code.chars().take(128).collect());
    response
}

/// The value of a header as text; `None` where it is missing or not text.
pub fn header<'a>(headers: &'a http::HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// An answer of JSON.
pub fn json(status: http::StatusCode, body: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("answers are plain data");
    let mut response = http::Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, http::HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_that_says_a_small_length_and_sends_more_is_refused() {
        let pieces = futures_util::stream::iter([Ok(Bytes::from_static(b"abcd")), Ok(Bytes::from_static(b"efgh"))]);
        let error = Body::stream(pieces, Some(4)).collect(6).await.expect_err("too large");
        assert_eq!(error.to_string(), "the body is larger than 6 bytes");
    }
}
