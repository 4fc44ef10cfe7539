//! The kinds of records. Each names its trace and what led to it, so that the chain from a request to the last function it set off can be
//! drawn; each carries what it used itself, so that the parts of a bill add up to the whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::redact::stored;
use super::{Headers, Payload};
use crate::base::{Cause, Time, TraceId, Usage};

/// Bytes of a line that are kept where there is no room for all of it.
const SHED_LINE_BYTES: usize = 256;

/// One thing that happened. As JSON it is what may be stored and shown: secrets are hidden.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(clippy::large_enum_variant, reason = "a record is made once, and from then on shared behind an `Arc`")]
pub enum Record {
    Request(Request),
    Invocation(Invocation),
    Operation(Operation),
    Log(Log),
    Delivery(Delivery),
    Mail(Mail),
    Push(Push),
    Reload(Reload),
    Problem(Problem),
}

/// When something ran, by the machine's clock: the World's may jump or stand still.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Microseconds since the Unix epoch.
    pub began_micros: u64,
    pub wall_micros: u64,
}

/// A request from outside that was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub id: Arc<str>,
    pub trace: TraceId,
    /// When it arrived.
    pub at: Time,
    pub span: Span,
    /// Which listener took it: `http`, `aws`, `admin`.
    pub face: Arc<str>,
    pub method: String,
    /// The path and query as sent.
    #[serde(serialize_with = "stored::pairs")]
    pub target: String,
    /// Where it was sent to, e.g. `http://127.0.0.1:3000`.
    #[serde(default)]
    pub host: String,
    #[serde(default, serialize_with = "stored::headers")]
    pub headers: Headers,
    #[serde(default, serialize_with = "stored::payload")]
    pub body: Payload,
    pub status: u16,
    pub bytes_in: u64,
    pub bytes_out: u64,
    /// The function that answered, if one did.
    pub function: Option<Arc<str>>,
    /// What it used itself, without the function or the operation that answered it.
    #[serde(default)]
    pub own: Usage,
}

/// An invocation that ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Invocation {
    pub id: Arc<str>,
    pub trace: TraceId,
    /// What asked for it.
    pub parent: Cause,
    pub depth: u16,
    pub function: Arc<str>,
    /// What it was invoked for, for people: `POST /orders`, `queue orders`, `schedule`, `invoke`.
    #[serde(default)]
    pub trigger: Arc<str>,
    /// When it began.
    pub at: Time,
    pub span: Span,
    #[serde(serialize_with = "stored::outcome")]
    pub outcome: Outcome,
    /// The stack of the error, mapped to the project's own files.
    #[serde(default, serialize_with = "stored::lines")]
    pub stack: Vec<String>,
    /// Whether it ran in a new sandbox.
    pub cold: bool,
    /// The number of the function's build, from 1.
    #[serde(default)]
    pub build: u64,
    /// The bundle's length in bytes, by which a production's cold start is estimated.
    #[serde(default)]
    pub bundle_bytes: u64,
    #[serde(default, serialize_with = "stored::payload")]
    pub event: Payload,
    #[serde(default, serialize_with = "stored::payload")]
    pub answer: Payload,
    pub cpu_micros: u64,
    /// How long it waited for a place to run.
    pub queued_micros: u64,
    pub memory_peak_bytes: u64,
    /// What the project file gives it.
    #[serde(default)]
    pub memory_mib: u32,
    /// What it used itself: the invocation and its time, without its operations.
    #[serde(default)]
    pub own: Usage,
    /// What it and everything it called in the process used.
    pub usage: Usage,
}

/// A request to one of the emulated services that was answered, whoever sent it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    pub id: Arc<str>,
    pub trace: TraceId,
    /// Who asked: an invocation, or a request from outside.
    pub parent: Cause,
    /// The function that asked, if one did.
    #[serde(default)]
    pub function: Option<Arc<str>>,
    pub at: Time,
    pub span: Span,
    /// As the provider calls it: `dynamodb`, `s3`; for a request to a host outside, `http`.
    pub service: Arc<str>,
    /// The operation's name in the provider's API: `PutItem`; for a request to a host outside, its method.
    pub action: Arc<str>,
    /// The table, bucket, queue, … or host.
    #[serde(default)]
    pub resource: Option<Arc<str>>,
    pub status: u16,
    /// The error's code, if it failed.
    #[serde(default)]
    pub error: Option<String>,
    #[serde(default)]
    pub own: Usage,
    /// What it looked at, where it searched.
    #[serde(default)]
    pub search: Option<Search>,
}

/// What a search looked at, and what it gave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Search {
    /// Items that it looked at.
    pub looked_at: u64,
    /// Items that it gave.
    pub gave: u64,
    /// It said how many items it wants at most.
    #[serde(default)]
    pub limited: bool,
    /// The attributes that its filter asks for, after reading.
    #[serde(default)]
    pub filtered_by: Vec<String>,
}

/// How an invocation or a delivery ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Log {
    pub invocation: Arc<str>,
    pub trace: TraceId,
    pub function: Arc<str>,
    pub at: Time,
    /// Microseconds since the Unix epoch, by the machine's clock.
    #[serde(default)]
    pub began_micros: u64,
    pub level: Level,
    #[serde(serialize_with = "stored::text")]
    pub text: Arc<str>,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    pub trace: TraceId,
    /// What caused the event.
    pub parent: Cause,
    /// The event's number; what the delivery led to names it as [`Cause::Event`].
    #[serde(default)]
    pub event: Option<i64>,
    pub at: Time,
    pub span: Span,
    /// Where the event came from, e.g. `objects/uploads`.
    pub source: String,
    /// The function, queue or topic.
    pub target: String,
    /// How many events lie between the request from outside and what this leads to.
    #[serde(default)]
    pub depth: u16,
    /// From 1.
    pub attempt: u32,
    #[serde(serialize_with = "stored::outcome")]
    pub outcome: Outcome,
    /// When it is tried again, if it is.
    pub again: Option<Time>,
    /// It was given up: where its dead letter went, or `dropped`.
    #[serde(default)]
    pub dead: Option<String>,
    #[serde(default)]
    pub own: Usage,
}

/// A mail that was put into the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    pub id: Arc<str>,
    pub trace: TraceId,
    pub parent: Cause,
    pub at: Time,
    /// Microseconds since the Unix epoch, by the machine's clock.
    #[serde(default)]
    pub began_micros: u64,
    pub from: String,
    pub to: Vec<String>,
    pub subject: String,
}

/// A push that was put into the inbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    pub id: Arc<str>,
    pub trace: TraceId,
    pub parent: Cause,
    pub at: Time,
    /// Microseconds since the Unix epoch, by the machine's clock.
    #[serde(default)]
    pub began_micros: u64,
    /// A token, a topic or a condition.
    pub to: String,
    /// How many devices get it.
    pub count: usize,
    /// What it shows first; empty where it shows nothing.
    pub title: String,
}

/// A build of some functions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

impl Record {
    /// The trace that it is part of; builds and problems are part of none.
    pub fn trace(&self) -> Option<&TraceId> {
        match self {
            Record::Request(r) => Some(&r.trace),
            Record::Invocation(r) => Some(&r.trace),
            Record::Operation(r) => Some(&r.trace),
            Record::Log(r) => Some(&r.trace),
            Record::Delivery(r) => Some(&r.trace),
            Record::Mail(r) => Some(&r.trace),
            Record::Push(r) => Some(&r.trace),
            Record::Reload(_) | Record::Problem(_) => None,
        }
    }

    /// Bytes of its bodies, or of its line.
    pub(super) fn body_bytes(&self) -> u64 {
        let length = match self {
            Record::Request(r) => r.body.kept().len(),
            Record::Invocation(r) => r.event.kept().len() + r.answer.kept().len(),
            Record::Log(r) => r.text.len(),
            Record::Operation(_) | Record::Delivery(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => 0,
        };
        length as u64
    }

    /// Leaves its bodies out, and of a line all but its beginning; it can be seen that there were more.
    pub(super) fn shed_bodies(&mut self) {
        match self {
            Record::Request(r) => r.body.shed(),
            Record::Invocation(r) => {
                r.event.shed();
                r.answer.shed();
            }
            Record::Log(r) => {
                if let Some((end, _)) = r.text.char_indices().find(|(at, _)| *at >= SHED_LINE_BYTES) {
                    r.text = format!("{}…", &r.text[..end]).into();
                }
            }
            Record::Operation(_) | Record::Delivery(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => {}
        }
    }

    /// The name of its kind, as its JSON has it under `type`.
    pub fn kind(&self) -> &'static str {
        match self {
            Record::Request(_) => "request",
            Record::Invocation(_) => "invocation",
            Record::Operation(_) => "operation",
            Record::Log(_) => "log",
            Record::Delivery(_) => "delivery",
            Record::Mail(_) => "mail",
            Record::Push(_) => "push",
            Record::Reload(_) => "reload",
            Record::Problem(_) => "problem",
        }
    }

    /// The function that it is about, if it is about one.
    pub fn function(&self) -> Option<&str> {
        match self {
            Record::Request(r) => r.function.as_deref(),
            Record::Invocation(r) => Some(&r.function),
            Record::Log(r) => Some(&r.function),
            // Queues and topics are named with their kind.
            Record::Delivery(r) => Some(r.target.as_str()).filter(|target| !target.contains('/')),
            Record::Operation(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => None,
        }
    }

    /// What it is a part of, if anything set it off.
    pub fn parent(&self) -> Option<Cause> {
        match self {
            Record::Invocation(r) => Some(r.parent.clone()),
            Record::Operation(r) => Some(r.parent.clone()),
            Record::Log(r) => Some(Cause::Invocation(r.invocation.clone())),
            Record::Delivery(r) => Some(r.parent.clone()),
            Record::Mail(r) => Some(r.parent.clone()),
            Record::Push(r) => Some(r.parent.clone()),
            Record::Request(_) | Record::Reload(_) | Record::Problem(_) => None,
        }
    }

    /// When it ran, by the machine's clock; a moment has no length. Builds and problems do not say.
    pub fn span(&self) -> Option<Span> {
        let moment = |began_micros| Some(Span { began_micros, wall_micros: 0 });
        match self {
            Record::Request(r) => Some(r.span),
            Record::Invocation(r) => Some(r.span),
            Record::Operation(r) => Some(r.span),
            Record::Delivery(r) => Some(r.span),
            Record::Log(r) => moment(r.began_micros),
            Record::Mail(r) => moment(r.began_micros),
            Record::Push(r) => moment(r.began_micros),
            Record::Reload(_) | Record::Problem(_) => None,
        }
    }

    /// When it began, by the machine's clock, where that is known.
    pub fn began_micros(&self) -> Option<u64> {
        self.span().map(|span| span.began_micros)
    }

    /// What it used itself.
    pub fn own(&self) -> Usage {
        match self {
            Record::Request(r) => r.own,
            Record::Invocation(r) => r.own,
            Record::Operation(r) => r.own,
            Record::Delivery(r) => r.own,
            Record::Log(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => Usage::default(),
        }
    }

    /// When it happened, by the World's clock.
    pub fn at(&self) -> Time {
        match self {
            Record::Request(r) => r.at,
            Record::Invocation(r) => r.at,
            Record::Operation(r) => r.at,
            Record::Log(r) => r.at,
            Record::Delivery(r) => r.at,
            Record::Mail(r) => r.at,
            Record::Push(r) => r.at,
            Record::Reload(r) => r.at,
            Record::Problem(r) => r.at,
        }
    }
}
