//! Work of the host's that takes long: pictures. Done on threads for it, a few at a time, so that those who only wait are answered meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::super::ops;
use super::door::Completion;

/// As many places as the machine has cores; clones are the same places.
#[derive(Clone)]
pub struct Places(Arc<Semaphore>);

impl Default for Places {
    fn default() -> Places {
        Places(Arc::new(Semaphore::new(std::thread::available_parallelism().map_or(2, usize::from))))
    }
}

/// One sandbox's share: one piece of work at a time, in the order in which they were begun.
pub struct Desk {
    places: Places,
    turn: Arc<Semaphore>,
    /// Bytes that wait to be worked on.
    waiting_bytes: Arc<AtomicUsize>,
}

impl Desk {
    pub fn new(places: Places) -> Desk {
        Desk { places, turn: Arc::new(Semaphore::new(1)), waiting_bytes: Arc::default() }
    }

    /// As good as a new one, while what the old one began goes on.
    pub fn renewed(&self) -> Desk {
        Desk::new(self.places.clone())
    }

    /// Begins work on a picture, which may hold `bytes_max` bytes; the inputs that wait may be as many. Stops soon after the future is dropped.
    pub fn picture(&self, id: i32, meta: &str, data: &[u8], bytes_max: usize) -> BoxFuture<'static, Completion> {
        let held = Held::new(&self.waiting_bytes, data.len());
        if held.sum > bytes_max {
            return futures_util::future::ready(failed(id, "Error", "sharp: too many pictures wait at once for so little memory")).boxed();
        }
        let (meta, data) = (meta.to_owned(), data.to_vec());
        let (places, turn) = (self.places.0.clone(), self.turn.clone());
        async move {
            let stop = Stop::default();
            let (Ok(turn), Ok(place)) = (turn.acquire_owned().await, places.acquire_owned().await) else {
                return failed(id, "Error", "the sandbox is ending");
            };
            let stopped = stop.0.clone();
            let work = tokio::task::spawn_blocking(move || {
                // Theirs until the work is done, whether somebody waits for it or not.
                let _kept = (turn, place, held);
                let began = Instant::now();
                let answer = ops::picture(&meta, &data, stopped, bytes_max as u64);
                (answer, began.elapsed())
            });
            match work.await {
                Ok((Ok((meta, data)), spent)) => Completion { id, ok: true, meta, data: Some(Bytes::from(data)), spent },
                Ok((Err(error), spent)) => Completion { spent, ..failed(id, error.name, &error.message) },
                // A decoder panicked: what it was given was no picture.
                Err(_) => failed(id, "Error", "Input buffer has corrupt header: its decoder gave up"),
            }
        }
        .boxed()
    }
}

fn failed(id: i32, name: &str, message: &str) -> Completion {
    let meta = serde_json::json!({ "name": name, "message": message }).to_string();
    Completion { id, ok: false, meta, data: None, spent: Duration::ZERO }
}

/// Tells the work to stop when nobody waits for it any more.
#[derive(Default)]
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Bytes that are counted until this is dropped.
struct Held {
    count: Arc<AtomicUsize>,
    bytes: usize,
    /// With all others.
    sum: usize,
}

impl Held {
    fn new(count: &Arc<AtomicUsize>, bytes: usize) -> Held {
        let sum = count.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        Held { count: count.clone(), bytes, sum }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.count.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}
