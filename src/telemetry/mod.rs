//! Records of what happened, and the one channel they pass. Nothing here decides anything: whoever does the work says what it
//! did, and whoever looks (the log printer, the screen) subscribes.

mod print;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::broadcast;

pub use print::{Format, line};

use crate::base::{Cause, Time, TraceId, Usage};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    Request(Request),
    Invocation(Invocation),
    Log(Log),
    Delivery(Delivery),
    Reload(Reload),
    Problem(Problem),
}

/// A request from outside that was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub id: Arc<str>,
    pub trace: TraceId,
    /// When it arrived.
    pub at: Time,
    /// Which listener took it: `http`, `aws`, `admin`.
    pub face: &'static str,
    pub method: String,
    /// The path and query as sent.
    pub target: String,
    pub status: u16,
    pub wall_micros: u64,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// The function that answered, if one did.
    pub function: Option<Arc<str>>,
}

/// An invocation that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Invocation {
    pub id: Arc<str>,
    pub trace: TraceId,
    /// What asked for it.
    pub parent: Cause,
    pub depth: u16,
    pub function: Arc<str>,
    /// When it began.
    pub at: Time,
    pub outcome: Outcome,
    /// Whether it ran in a new sandbox.
    pub cold: bool,
    pub cpu_micros: u64,
    pub wall_micros: u64,
    /// How long it waited for a place to run.
    pub queued_micros: u64,
    pub memory_peak_bytes: u64,
    /// What it and everything it called in the process used.
    pub usage: Usage,
}

/// How an invocation or a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Succeeded,
    /// The function failed: the kind (`TypeError`, `Sandbox.Timedout`, …) and the message.
    Failed {
        kind: String,
        message: String,
    },
    /// It was not run at all, and why.
    Refused {
        message: String,
    },
}

/// A line that a function logged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    pub invocation: Arc<str>,
    pub trace: TraceId,
    pub function: Arc<str>,
    pub at: Time,
    pub level: Level,
    pub text: Arc<str>,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

impl Level {
    /// The level as logs show it.
    pub fn label(self) -> &'static str {
        match self {
            Level::Trace => "TRACE",
            Level::Debug => "DEBUG",
            Level::Info => "INFO",
            Level::Warn => "WARN",
            Level::Error => "ERROR",
        }
    }
}

/// An event that was brought (or could not be brought) to its target.
#[derive(Clone, Debug, PartialEq)]
pub struct Delivery {
    pub trace: TraceId,
    /// What caused the event.
    pub parent: Cause,
    pub at: Time,
    /// Where the event came from, e.g. `objects/uploads`.
    pub source: String,
    /// The function, queue or topic.
    pub target: String,
    /// From 1.
    pub attempt: u32,
    pub outcome: Outcome,
    /// When it is tried again, if it is.
    pub again: Option<Time>,
}

/// A build of some functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    pub at: Time,
    /// The functions that have a new version.
    pub ready: Vec<Arc<str>>,
    /// The functions that keep their last good version, or have none.
    pub failed: Vec<Arc<str>>,
    /// The functions that are no more.
    pub removed: Vec<Arc<str>>,
    pub micros: u64,
}

/// Something that is wrong with the project, or worth a word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub at: Time,
    pub level: Level,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// `file:line:column`.
    pub place: Option<String>,
    /// The lines around it, with a caret.
    pub frame: Option<String>,
}

/// Where records go. Cheap to clone; never blocks and never fails: what a slow subscriber misses is counted.
#[derive(Clone)]
pub struct Sink {
    sender: broadcast::Sender<Arc<Record>>,
    dropped: Arc<AtomicU64>,
}

impl Sink {
    /// A channel that holds the last `records_max` records for each subscriber.
    pub fn new(records_max: usize) -> Sink {
        Sink { sender: broadcast::Sender::new(records_max.max(1)), dropped: Arc::default() }
    }

    /// Hands a record to all subscribers; it is made only if there is one.
    pub fn put(&self, record: impl FnOnce() -> Record) {
        if self.sender.receiver_count() > 0 {
            // An error says that the last subscriber has just left: nobody misses the record.
            let _ = self.sender.send(Arc::new(record()));
        }
    }

    /// Sees every record from now on.
    pub fn subscribe(&self) -> Subscriber {
        Subscriber { receiver: self.sender.subscribe(), dropped: Arc::clone(&self.dropped) }
    }

    /// How many records subscribers were too slow to see, all together.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// Sees records in the order they were put.
pub struct Subscriber {
    receiver: broadcast::Receiver<Arc<Record>>,
    dropped: Arc<AtomicU64>,
}

impl Subscriber {
    /// The next record; `None` once every [`Sink`] is gone.
    pub async fn next(&mut self) -> Option<Arc<Record>> {
        loop {
            match self.receiver.recv().await {
                Ok(record) => return Some(record),
                Err(broadcast::error::RecvError::Closed) => return None,
                Err(broadcast::error::RecvError::Lagged(missed)) => {
                    self.dropped.fetch_add(missed, Ordering::Relaxed);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(message: &str) -> Record {
        Record::Problem(Problem { at: Time(0), level: Level::Warn, message: message.to_string(), help: None, place: None, frame: None })
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
        assert_eq!(sink.dropped(), 1);
        drop(sink);
        assert!(subscriber.next().await.is_none());
    }
}
