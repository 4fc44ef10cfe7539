//! Answers that go on until somebody leaves: when emu stops, they end soon after they have fallen silent.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::wire::http::{Body, BoxError};

/// How long an answer may be silent once emu stops, before it is broken off.
const SILENCE_MAX: Duration = Duration::from_millis(200);

/// An answer that ends with emu, where nobody knows how long it is.
pub fn ending(body: Body, shutdown: &CancellationToken) -> Body {
    if body.is_end_stream() || body.size_hint().exact().is_some() {
        return body;
    }
    Body::frames(Ending { body, shutdown: Box::pin(shutdown.clone().cancelled_owned()), silence: None })
}

struct Ending {
    body: Body,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Runs since emu stops.
    silence: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for Ending {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            if let Some(silence) = &mut self.silence {
                silence.as_mut().reset(Instant::now() + SILENCE_MAX);
            }
            return Poll::Ready(frame);
        }
        if self.silence.is_none() && self.shutdown.as_mut().poll(context).is_ready() {
            self.silence = Some(Box::pin(tokio::time::sleep(SILENCE_MAX)));
        }
        match &mut self.silence {
            // An error, so that nobody takes what there was for all.
            Some(silence) => silence.as_mut().poll(context).map(|()| Some(Err("emu stops".into()))),
            None => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn an_endless_answer_ends_with_emu_once_it_is_silent() {
        for (count, is_endless, wanted) in [(5, true, "aaaaa, broken off"), (0, true, ", broken off"), (3, false, "aaa")] {
            let shutdown = CancellationToken::new();
            let said = stream::iter(0..count).map(|_| Ok(Bytes::from("a")));
            let endless: stream::BoxStream<'_, _> = if is_endless { stream::pending().boxed() } else { stream::empty().boxed() };
            let mut body = ending(Body::stream(said.chain(endless), None), &shutdown);
            shutdown.cancel();
            let mut seen = String::new();
            while let Some(frame) = body.frame().await {
                match frame {
                    Ok(frame) => seen.push_str(&String::from_utf8_lossy(frame.data_ref().expect("data"))),
                    Err(_) => {
                        seen.push_str(", broken off");
                        break;
                    }
                }
            }
            assert_eq!(seen, wanted);
        }
    }

    #[tokio::test]
    async fn an_answer_whose_length_is_known_is_left_alone() {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        assert!(matches!(ending(Body::from("whole"), &shutdown), Body::Bytes(_)));
        assert!(matches!(ending(Body::stream(stream::pending(), Some(1)), &shutdown), Body::Stream { .. }));
    }
}
