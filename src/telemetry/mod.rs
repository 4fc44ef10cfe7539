//! Records of what happened, and the one channel they pass. Nothing here decides anything: whoever does the work says what it
//! did, and whoever looks (the log printer, the screen) subscribes.

mod account;
mod headers;
pub mod journal;
mod payload;
mod print;
mod record;
pub mod redact;
pub mod trace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tokio::sync::broadcast;

pub use account::trigger;
pub use headers::Headers;
pub use payload::{PAYLOAD_BYTES_MAX, Payload};
pub use print::{Format, duration, line, reads_along};
pub use record::{Delivery, Invocation, Level, Log, Mail, Operation, Outcome, Problem, Push, Record, Reload, Request, Search, Span};

/// Bytes of bodies and log lines that may wait for slow subscribers; records that come while there are more go without theirs.
const WAITING_BYTES_MAX: u64 = 64 << 20;

/// Where records go. Cheap to clone; never blocks and never fails: what a slow subscriber misses is counted.
#[derive(Clone)]
pub struct Sink {
    sender: broadcast::Sender<Arc<Waiting>>,
    dropped: Arc<AtomicU64>,
    /// Bytes that wait.
    bytes: Arc<AtomicU64>,
    waiting_bytes_max: u64,
    /// The same moment by both of the machine's clocks.
    epoch: (Instant, u64),
}

impl Sink {
    /// A channel that holds the last `records_max` records for each subscriber.
    pub fn new(records_max: usize) -> Sink {
        let micros = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as u64);
        Sink {
            sender: broadcast::Sender::new(records_max.max(1)),
            dropped: Arc::default(),
            bytes: Arc::default(),
            waiting_bytes_max: WAITING_BYTES_MAX,
            epoch: (Instant::now(), micros),
        }
    }

    /// What began then and ends now. Spans of one process are in order whatever happens to the machine's calendar.
    pub fn span(&self, began: Instant) -> Span {
        let (epoch, micros) = self.epoch;
        let since = began.saturating_duration_since(epoch).as_micros() as u64;
        Span { began_micros: micros.saturating_add(since), wall_micros: began.elapsed().as_micros() as u64 }
    }

    /// Whether anybody sees the records: what only records need is not kept for nobody.
    pub fn has_listeners(&self) -> bool {
        self.sender.receiver_count() > 0
    }

    /// Hands a record to all subscribers; it is made only if there is one.
    pub fn put(&self, record: impl FnOnce() -> Record) {
        if self.has_listeners() {
            // An error says that the last subscriber has just left: nobody misses the record.
            let _ = self.sender.send(Arc::new(self.wait(record())));
        }
    }

    /// Takes a record to those that wait, without its bodies where too many wait already.
    fn wait(&self, mut record: Record) -> Waiting {
        let mut bytes = record.body_bytes();
        if self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes) > self.waiting_bytes_max {
            self.bytes.fetch_sub(bytes, Ordering::Relaxed);
            record.shed_bodies();
            bytes = 0;
        }
        Waiting { record: Arc::new(record), bytes, all: Arc::clone(&self.bytes) }
    }

    /// Sees every record from now on.
    pub fn subscribe(&self) -> Subscriber {
        Subscriber { receiver: self.sender.subscribe(), dropped: Arc::clone(&self.dropped), missed: 0 }
    }

    /// How many records subscribers were too slow to see, all together.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// A record that some subscriber has not seen yet.
struct Waiting {
    record: Arc<Record>,
    bytes: u64,
    all: Arc<AtomicU64>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Sees records in the order they were put.
pub struct Subscriber {
    receiver: broadcast::Receiver<Arc<Waiting>>,
    dropped: Arc<AtomicU64>,
    missed: u64,
}

impl Subscriber {
    /// How many records this one was too slow to see.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// The next record; `None` once every [`Sink`] is gone.
    pub async fn next(&mut self) -> Option<Arc<Record>> {
        loop {
            match self.receiver.recv().await {
                Ok(waiting) => return Some(Arc::clone(&waiting.record)),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    self.missed = self.missed.saturating_add(missed);
                    self.dropped.fetch_add(missed, Ordering::Relaxed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;

    fn problem(message: &str) -> Record {
        Record::Problem(Problem { at: Time(0), level: Level::Warn, message: message.to_string(), help: None, place: None, frame: None })
    }

    #[tokio::test]
    async fn bodies_that_wait_for_a_slow_subscriber_are_bounded() {
        let sink = Sink { waiting_bytes_max: 1_000, ..Sink::new(8) };
        let mut subscriber = sink.subscribe();
        let log = |length: usize| {
            Record::Log(Log {
                invocation: "i".into(),
                trace: crate::base::TraceId("t".into()),
                function: "f".into(),
                at: Time(0),
                began_micros: 0,
                level: Level::Info,
                text: "é".repeat(length).into(),
            })
        };
        let lengths = async |subscriber: &mut Subscriber| match &*subscriber.next().await.expect("a record") {
            Record::Log(log) => log.text.chars().count(),
            other => panic!("{other:?}"),
        };
        sink.put(|| log(400));
        sink.put(|| log(400));
        assert_eq!((lengths(&mut subscriber).await, lengths(&mut subscriber).await), (400, 129), "the second is cut, with a mark");
        sink.put(|| log(400));
        assert_eq!(lengths(&mut subscriber).await, 400, "there is room again");
        assert_eq!(sink.bytes.load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_slow_subscriber_misses_the_oldest_records_and_they_are_counted() {
        let sink = Sink::new(2);
        sink.put(|| panic!("nobody looks, so nothing is made"));
        let mut subscriber = sink.subscribe();
        for message in ["a", "b", "c"] {
            sink.put(|| problem(message));
        }
        assert_eq!(*subscriber.next().await.expect("a record"), problem("b"));
        assert_eq!(*subscriber.next().await.expect("a record"), problem("c"));
        assert_eq!((sink.dropped(), subscriber.missed()), (1, 1));
        drop(sink);
        assert!(subscriber.next().await.is_none());
    }
}
