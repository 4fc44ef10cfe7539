//! What happened while the command ran, as far as a summary tells of it. Bounded, and no I/O.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use futures_util::FutureExt;
use tokio_util::sync::CancellationToken;

use super::place::Place;
use crate::base::TraceId;
use crate::cost::{Add, Work};
use crate::telemetry::{Delivery, Invocation, Level, Operation, Outcome, Problem, Record, Subscriber, redact};
use crate::tui::Billing;

/// Functions, kinds of errors, dead letters, hosts and problems that are told each on its own; of further ones only the number.
const FUNCTIONS_MAX: usize = 1_000;
const KINDS_MAX: usize = 200;
/// Traces of what went wrong that are remembered.
const TRACES_MAX: usize = 50;
/// Characters of a message.
const MESSAGE_MAX: usize = 2_000;

/// What was seen.
#[derive(Default)]
pub struct Seen {
    pub invocations: u64,
    /// Of these, those that failed.
    pub failed: u64,
    /// Those that were not run at all.
    pub refused: u64,
    pub requests: u64,
    /// Deliveries that were not the first attempt.
    pub retries: u64,
    pub dead_letters: u64,
    /// Requests to hosts that are not allowed.
    pub denied: u64,
    /// By function.
    pub functions: BTreeMap<Arc<str>, Ran>,
    pub errors: Vec<Failure>,
    pub dead: Vec<Dead>,
    pub hosts: Vec<Denied>,
    pub problems: Vec<Told>,
    /// Problems of which only the number is known.
    pub problems_more: u64,
    /// The traces in which something went wrong, oldest first.
    pub traces: Vec<TraceId>,
    /// What all of it cost.
    pub work: Work,
    /// Records that came too fast to be looked at.
    pub missed: u64,
    known: HashSet<TraceId>,
    billing: Billing,
}

/// What one function did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    pub times: u64,
    /// Its slowest invocation, in microseconds, and what that was for.
    pub slowest_micros: u64,
    pub slowest_trigger: Arc<str>,
}

/// A kind of error that a function failed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub function: Arc<str>,
    /// `TypeError: x is not a function`.
    pub message: String,
    pub place: Option<Place>,
    pub times: u64,
    /// Where to look for the first.
    pub trace: TraceId,
}

/// An event that was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dead {
    pub source: String,
    pub target: String,
    /// Where it is now.
    pub letter: String,
    pub why: String,
    pub times: u64,
    pub trace: TraceId,
}

/// A host that was asked for and is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    pub host: Arc<str>,
    pub function: Option<Arc<str>>,
    pub times: u64,
}

/// A problem that was told, once however often it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    pub level: Level,
    pub message: String,
    pub help: Option<String>,
    pub place: Option<Place>,
    /// The lines around the place.
    pub frame: Option<String>,
}

impl Seen {
    /// Takes a record in.
    pub fn add(&mut self, record: &Record) {
        let billed = self.billing.take(record);
        self.work.add(&billed.own);
        match record {
            Record::Request(_) => self.requests += 1,
            Record::Invocation(invocation) => self.add_invocation(invocation),
            Record::Operation(operation) => self.add_operation(operation),
            Record::Delivery(delivery) => self.add_delivery(delivery),
            Record::Problem(problem) => self.add_problem(problem),
            Record::Log(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) => {}
        }
    }

    fn add_invocation(&mut self, invocation: &Invocation) {
        self.invocations += 1;
        if self.functions.len() < FUNCTIONS_MAX || self.functions.contains_key(&invocation.function) {
            let ran = self.functions.entry(invocation.function.clone()).or_default();
            ran.times += 1;
            if invocation.span.wall_micros >= ran.slowest_micros {
                (ran.slowest_micros, ran.slowest_trigger) = (invocation.span.wall_micros, invocation.trigger.clone());
            }
        }
        let message = match &invocation.outcome {
            Outcome::Succeeded => return,
            Outcome::Failed { kind, message } => {
                self.failed += 1;
                format!("{kind}: {message}")
            }
            Outcome::Refused { .. } => {
                self.refused += 1;
                return;
            }
        };
        self.remember(&invocation.trace);
        let message = shown(&message);
        let same = |known: &&mut Failure| known.function == invocation.function && known.message == message;
        if let Some(known) = self.errors.iter_mut().find(same) {
            known.times += 1;
        } else if self.errors.len() < KINDS_MAX {
            let (function, trace) = (invocation.function.clone(), invocation.trace.clone());
            self.errors.push(Failure { function, message, place: Place::in_stack(&invocation.stack), times: 1, trace });
        }
    }

    fn add_operation(&mut self, operation: &Operation) {
        if &*operation.service != "http" || operation.error.as_deref() != Some("Denied") {
            return;
        }
        self.denied += 1;
        self.remember(&operation.trace);
        let Some(host) = operation.resource.clone() else { return };
        if let Some(known) = self.hosts.iter_mut().find(|known| known.host == host && known.function == operation.function) {
            known.times += 1;
        } else if self.hosts.len() < KINDS_MAX {
            self.hosts.push(Denied { host, function: operation.function.clone(), times: 1 });
        }
    }

    fn add_delivery(&mut self, delivery: &Delivery) {
        let Some(letter) = &delivery.dead else {
            self.retries += u64::from(delivery.attempt > 1);
            return;
        };
        self.dead_letters += 1;
        self.remember(&delivery.trace);
        let why = match &delivery.outcome {
            Outcome::Succeeded => String::new(),
            Outcome::Failed { kind, message } => shown(&format!("{kind}: {message}")),
            Outcome::Refused { message } => shown(message),
        };
        let same = |known: &&mut Dead| known.source == delivery.source && known.target == delivery.target && known.why == why;
        if let Some(known) = self.dead.iter_mut().find(same) {
            known.times += 1;
        } else if self.dead.len() < KINDS_MAX {
            let (source, target, trace) = (delivery.source.clone(), delivery.target.clone(), delivery.trace.clone());
            self.dead.push(Dead { source, target, letter: letter.clone(), why, times: 1, trace });
        }
    }

    /// Takes a problem in, those of the start too.
    pub fn add_problem(&mut self, problem: &Problem) {
        // What is only worth a word is no problem.
        if problem.level < Level::Warn {
            return;
        }
        let told = Told {
            level: problem.level,
            message: shown(&problem.message),
            help: problem.help.as_deref().map(shown),
            place: problem.place.as_deref().and_then(Place::read),
            frame: problem.frame.clone(),
        };
        if self.problems.iter().any(|known| (&known.message, &known.place) == (&told.message, &told.place)) {
            return;
        }
        if self.problems.len() < KINDS_MAX { self.problems.push(told) } else { self.problems_more += 1 }
    }

    fn remember(&mut self, trace: &TraceId) {
        if self.traces.len() < TRACES_MAX && self.known.insert(trace.clone()) {
            self.traces.push(trace.clone());
        }
    }

    /// Problems of a level.
    pub fn problems_of(&self, level: Level) -> impl Iterator<Item = &Told> {
        self.problems.iter().filter(move |told| told.level == level)
    }

    /// The functions with the slowest invocations, slowest first.
    pub fn slowest(&self, most: usize) -> Vec<(&str, &Ran)> {
        let mut functions: Vec<(&str, &Ran)> = self.functions.iter().map(|(name, ran)| (&**name, ran)).collect();
        functions.sort_by(|a, b| b.1.slowest_micros.cmp(&a.1.slowest_micros).then(a.0.cmp(b.0)));
        functions.truncate(most);
        functions
    }
}

/// A message as it may be shown: without secrets, and not without end.
fn shown(text: &str) -> String {
    let text = redact::text(text);
    match text.char_indices().nth(MESSAGE_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.into_owned(),
    }
}

/// Sees what happens until it is told to end.
pub struct Watching {
    end: CancellationToken,
    seen: tokio::task::JoinHandle<Seen>,
}

impl Watching {
    /// Begins with what happens from now on, and with what was told before.
    pub fn start(records: Subscriber, before: &[Record]) -> Watching {
        let mut seen = Seen::default();
        before.iter().for_each(|record| seen.add(record));
        let end = CancellationToken::new();
        Watching { seen: tokio::spawn(see(seen, records, end.clone())), end }
    }

    /// What has happened until now.
    pub async fn finish(self) -> anyhow::Result<Seen> {
        self.end.cancel();
        Ok(self.seen.await?)
    }
}

async fn see(mut seen: Seen, mut records: Subscriber, end: CancellationToken) -> Seen {
    while let Some(Some(record)) = end.run_until_cancelled(records.next()).await {
        seen.add(&record);
    }
    while let Some(Some(record)) = records.next().now_or_never() {
        seen.add(&record);
    }
    seen.missed = records.missed();
    seen
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::base::{Cause, Time, Usage};
    use crate::telemetry::Span;
    use crate::tui::sample;

    /// What the sample's shop did, and what went wrong beside.
    pub fn shop() -> Seen {
        let mut seen = Seen::default();
        sample::shop().iter().for_each(|record| seen.add(record));
        let delivery = Delivery {
            trace: TraceId("t".into()),
            parent: Cause::Operator,
            event: Some(1),
            at: Time(0),
            span: Span::default(),
            source: "queues/orders".into(),
            target: "pay".into(),
            depth: 1,
            attempt: 3,
            outcome: Outcome::Failed { kind: "Error".into(), message: "no <money> & \"more\"".into() },
            again: None,
            dead: Some("queue/lost".into()),
            own: Usage::default(),
        };
        for _ in 0..2 {
            seen.add(&Record::Delivery(delivery.clone()));
        }
        seen.add(&Record::Delivery(Delivery { attempt: 2, dead: None, outcome: Outcome::Succeeded, ..delivery }));
        seen.add(&Record::Operation(Operation {
            id: "o".into(),
            trace: TraceId("t".into()),
            parent: Cause::Invocation("i".into()),
            function: Some("pay".into()),
            at: Time(0),
            span: Span::default(),
            service: "http".into(),
            action: "GET".into(),
            resource: Some("api.example.com".into()),
            status: 0,
            error: Some("Denied".into()),
            own: Usage::default(),
            search: None,
        }));
        seen
    }

    #[test]
    fn what_happened_is_counted_and_what_went_wrong_is_told_once_with_its_place() {
        let seen = shop();
        let invoked = sample::shop().iter().filter(|record| matches!(***record, Record::Invocation(_))).count();
        assert_eq!(seen.invocations, invoked as u64);
        assert_eq!(seen.functions.values().map(|ran| ran.times).sum::<u64>(), seen.invocations);
        assert_eq!((seen.dead_letters, seen.dead.len(), seen.dead[0].times), (2, 1, 2));
        assert_eq!((seen.denied, &*seen.hosts[0].host), (1, "api.example.com"));
        assert_eq!(seen.failed, seen.errors.iter().map(|failure| failure.times).sum::<u64>());
        let failure = seen.errors.iter().find(|failure| failure.place.is_some()).expect("one has a stack");
        assert_eq!(failure.place.as_ref().map(Place::short).as_deref(), Some("src/lib/payment.ts:41"));
        assert!(!seen.work.is_empty() && seen.retries >= 1);
        let slowest = seen.slowest(3);
        assert!(slowest.windows(2).all(|pair| pair[0].1.slowest_micros >= pair[1].1.slowest_micros));
        assert!(seen.traces.iter().any(|trace| trace.as_str() == "t"));
    }

    #[test]
    fn a_problem_is_kept_once_and_without_end_they_are_only_counted() {
        let mut seen = Seen::default();
        let problem = |n: usize, level| Problem {
            at: Time(0),
            level,
            message: format!("problem {n}"),
            help: None,
            place: Some("serverless.yaml:3:1".into()),
            frame: None,
        };
        seen.add_problem(&problem(0, Level::Info));
        assert!(seen.problems.is_empty(), "a note is no problem");
        for n in 0..KINDS_MAX + 5 {
            seen.add_problem(&problem(n, Level::Warn));
            seen.add_problem(&problem(n.min(KINDS_MAX - 1), Level::Warn));
        }
        assert_eq!((seen.problems.len(), seen.problems_more), (KINDS_MAX, 5));
        assert_eq!(seen.problems_of(Level::Error).count(), 0);
    }
}
