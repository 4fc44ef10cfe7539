//! What of a request's body has passed, for its record: the first bytes are kept beside the stream, the rest is counted.

use std::sync::{Arc, Mutex, MutexGuard};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use http_body_util::BodyExt;

use crate::telemetry::{PAYLOAD_BYTES_MAX, Payload};
use crate::wire::http::Body;

/// What has passed so far. Clones see the same body.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Passed>>);

#[derive(Default)]
struct Passed {
    /// Pieces as they came: together no more than a record keeps, and the rest of a piece.
    pieces: Vec<Bytes>,
    kept: usize,
    bytes: u64,
}

/// A body that is seen as it passes.
pub fn watch(body: Body) -> (Seen, Body) {
    let seen = Seen::default();
    let body = match body {
        Body::Bytes(bytes) => {
            seen.lock().pass(&bytes);
            Body::Bytes(bytes)
        }
        Body::Stream { stream, length } => {
            let passing = seen.clone();
            let stream = stream.inspect(move |piece| {
                if let Ok(piece) = piece {
                    passing.lock().pass(piece);
                }
            });
            Body::stream(stream, length)
        }
        Body::Frames(frames) => {
            let passing = seen.clone();
            Body::frames(frames.map_frame(move |frame| {
                if let Some(piece) = frame.data_ref() {
                    passing.lock().pass(piece);
                }
                frame
            }))
        }
    };
    (seen, body)
}

impl Passed {
    fn pass(&mut self, piece: &Bytes) {
        self.bytes = self.bytes.saturating_add(piece.len() as u64);
        if self.kept < PAYLOAD_BYTES_MAX && !piece.is_empty() {
            self.kept += piece.len();
            // Of a long piece only the beginning: a slice would keep all of it in memory.
            let short = piece.len() <= PAYLOAD_BYTES_MAX;
            self.pieces.push(if short { piece.clone() } else { Bytes::copy_from_slice(&piece[..PAYLOAD_BYTES_MAX]) });
        }
    }
}

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many bytes have passed.
    pub fn bytes(&self) -> u64 {
        self.lock().bytes
    }

    /// The beginning, as records keep it.
    pub fn payload(&self) -> Payload {
        let passed = self.lock();
        // Copied: the pieces keep the listener's buffers, which are larger than they are, for as long as the record lives.
        let mut all = BytesMut::with_capacity(passed.kept);
        passed.pieces.iter().for_each(|piece| all.extend_from_slice(piece));
        Payload::part(&all.freeze(), passed.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_beginning_is_kept_and_everything_is_counted() {
        for (pieces, kept, bytes) in [
            (vec![], 0, 0),
            (vec![3], 3, 3),
            (vec![3, 0, 4], 7, 7),
            (vec![PAYLOAD_BYTES_MAX - 1, 9, 100], PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX as u64 + 108),
            (vec![PAYLOAD_BYTES_MAX * 2], PAYLOAD_BYTES_MAX, PAYLOAD_BYTES_MAX as u64 * 2),
        ] {
            let stream = futures_util::stream::iter(pieces.clone().into_iter().map(|length| Ok(Bytes::from(vec![b'x'; length]))));
            let (seen, body) = watch(Body::stream(stream, None));
            let whole = body.collect(1 << 20).await.expect("a body");
            assert_eq!(whole.len() as u64, bytes, "nothing is lost on the way: {pieces:?}");
            assert_eq!((seen.payload().kept().len(), seen.payload().len(), seen.bytes()), (kept, bytes, bytes), "{pieces:?}");
        }
    }
}
