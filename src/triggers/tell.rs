//! Records of deliveries: what was brought where, how that went, and what follows.

use std::time::Instant;

use super::store::{Letter, Origin, Target};
use super::world::World;
use crate::base::{Call, Cause, Time, Unit, Usage};
use crate::project::Destination;
use crate::telemetry::{self, Outcome, Record};

/// Where dead letters go that no destination takes: the list that the admin API shows.
pub(super) const DEAD_LETTERS: &str = "dead-letters";

/// An attempt to bring something somewhere, from its beginning.
pub(super) struct Attempt<'a> {
    pub(super) origin: &'a Origin,
    /// What the invocation that it leads to names as its cause.
    pub(super) event: Option<i64>,
    /// `objects/uploads`.
    pub(super) source: String,
    pub(super) target: String,
    /// From 1; 0 where it was not even tried.
    pub(super) number: u32,
    at: Time,
    began: Instant,
}

/// How an attempt ended.
pub(super) struct Ended {
    pub(super) outcome: Outcome,
    /// When it is tried again.
    pub(super) again: Option<Time>,
    /// It was given up: where its dead letter went.
    pub(super) dead: Option<String>,
    /// What it used itself, without what it led to.
    pub(super) own: Usage,
}

impl Ended {
    pub(super) fn well() -> Ended {
        Ended::of(Outcome::Succeeded)
    }

    pub(super) fn of(outcome: Outcome) -> Ended {
        Ended { outcome, again: None, dead: None, own: Usage::default() }
    }

    /// It was refused, and so given up.
    pub(super) fn dead(why: impl ToString, place: String) -> Ended {
        Ended { dead: Some(place), ..Ended::of(refused(why)) }
    }
}

/// What a function answered in one line, `KIND: MESSAGE`, as an outcome.
pub(super) fn failed(what: &str) -> Outcome {
    let (kind, message) = what.split_once(": ").unwrap_or(("Error", what));
    Outcome::Failed { kind: kind.to_owned(), message: message.to_owned() }
}

pub(super) fn refused(why: impl ToString) -> Outcome {
    Outcome::Refused { message: why.to_string() }
}

impl Target {
    /// As records name it: a function by its name alone.
    pub(super) fn shown(&self) -> String {
        match self {
            Target::Function(name) => name.to_string(),
            Target::Queue(name) => format!("queue/{name}"),
            Target::Topic(name) => format!("topic/{name}"),
        }
    }
}

/// As records name it.
pub(super) fn shown(destination: &Destination) -> String {
    match destination {
        Destination::Function(name) => name.clone(),
        Destination::Queue(name) => format!("queue/{name}"),
        Destination::Topic(name) => format!("topic/{name}"),
    }
}

/// What an attempt to call a function used: the run of a schedule, which further attempts do not repeat.
pub(super) fn run_of(source: &str, attempt: u32) -> Usage {
    let mut usage = Usage::default();
    if attempt == 1 && source.starts_with("schedule/") {
        usage.add(Unit::ScheduleRuns, 1);
    }
    usage
}

impl World {
    /// A new number for a batch that is no row of its own: below zero, so that it is nobody else's.
    pub(super) fn batch_number(&self) -> i64 {
        let mut bytes = [0; 8];
        self.db.ids().fill(&mut bytes);
        // As large as numbers of JSON may be everywhere.
        let number = i64::from_le_bytes(bytes) & ((1 << 53) - 1);
        -1 - number
    }

    pub(super) fn attempt<'a>(&self, origin: &'a Origin, event: Option<i64>, source: String, target: String, number: u32) -> Attempt<'a> {
        Attempt { origin, event, source, target, number, at: self.db.now(), began: Instant::now() }
    }

    /// Tells of an attempt that has ended.
    pub(super) fn tell(&self, attempt: Attempt<'_>, ended: Ended) {
        let sink = &self.ports.sink;
        sink.put(|| {
            Record::Delivery(telemetry::Delivery {
                trace: attempt.origin.trace.clone(),
                parent: attempt.origin.cause.clone(),
                event: attempt.event,
                at: attempt.at,
                span: sink.span(attempt.began),
                source: attempt.source,
                target: attempt.target,
                depth: attempt.origin.depth,
                attempt: attempt.number,
                outcome: ended.outcome,
                again: ended.again,
                dead: ended.dead,
                own: ended.own,
            })
        });
    }

    /// Tells of something that was buried without being tried.
    pub(super) fn tell_buried(&self, letter: &Letter) {
        let target = letter.target.split_once(':').map_or(letter.target.clone(), |(kind, name)| match kind {
            "function" => name.to_owned(),
            _ => format!("{kind}/{name}"),
        });
        let attempt = self.attempt(&letter.origin, None, letter.source.clone(), target, letter.attempts);
        self.tell(attempt, Ended::dead(&letter.reason, DEAD_LETTERS.to_owned()));
    }
}

impl Origin {
    /// The call that delivering `event` makes, on a bill of its own.
    pub(super) fn call_for(&self, event: i64) -> Call {
        Call { cause: Cause::Event(event), ..self.call() }
    }
}
