//! From records to calls: what each call of a route or a function did, with everything that it set off.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::pricing;
use crate::base::Usage;
use crate::cost::{Add, Assumptions, Work};
use crate::telemetry::trace::{self, Row};
use crate::telemetry::{Invocation, Operation, Outcome, Payload, Record, Request};

/// Records that are kept; what comes after them is counted, and said.
const RECORDS_MAX: usize = 500_000;

/// What happened, as far as bills need it: no bodies, no logs.
#[derive(Default)]
pub struct Happened {
    records: Vec<Arc<Record>>,
    /// Records that there was no room for.
    pub left_out: u64,
}

impl Happened {
    /// Takes a record in.
    pub fn add(&mut self, record: &Arc<Record>) {
        let Some(slim) = slim(record) else { return };
        if self.records.len() < RECORDS_MAX {
            self.records.push(slim);
        } else {
            self.left_out += 1;
        }
    }

    /// The calls by what was called.
    pub fn calls(self, assumptions: &Assumptions) -> BTreeMap<String, Calls> {
        let mut traces: HashMap<String, Vec<Arc<Record>>> = HashMap::new();
        for record in self.records {
            if let Some(trace) = record.trace() {
                traces.entry(trace.as_str().to_owned()).or_default().push(record);
            }
        }
        let mut tally: BTreeMap<String, Tally> = BTreeMap::new();
        for records in traces.into_values() {
            take(&trace::rows(records), assumptions, &mut tally);
        }
        tally.into_iter().map(|(subject, tally)| (subject, tally.settle())).collect()
    }
}

/// The record without what bills do not need; `None` where they need nothing of it.
fn slim(record: &Arc<Record>) -> Option<Arc<Record>> {
    Some(match &**record {
        Record::Request(request) => {
            let bare = Request { headers: Default::default(), body: Payload::default(), target: String::new(), ..request.clone() };
            Arc::new(Record::Request(bare))
        }
        Record::Invocation(invocation) => {
            let bare = Invocation { event: Payload::default(), answer: Payload::default(), stack: Vec::new(), ..invocation.clone() };
            Arc::new(Record::Invocation(bare))
        }
        Record::Operation(_) | Record::Delivery(_) => Arc::clone(record),
        Record::Log(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => return None,
    })
}

/// Calls of a route or function, together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Calls {
    pub times: u64,
    /// What they did and set off.
    pub work: Work,
    /// The operations among it.
    pub operations: BTreeMap<Done, Usage>,
}

/// A kind of operation, and who asked for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Done {
    /// The function; none where a client did.
    pub function: Option<Arc<str>>,
    pub action: Arc<str>,
    pub resource: Option<Arc<str>>,
    /// A search that did not say how much it wants.
    pub unlimited: bool,
}

impl Done {
    fn of(operation: &Operation, function: Option<Arc<str>>) -> Done {
        let unlimited = operation.search.as_ref().is_some_and(|search| !search.limited);
        Done { function, action: operation.action.clone(), resource: operation.resource.clone(), unlimited }
    }

    /// `Query of `posts` without a limit`.
    pub fn text(&self) -> String {
        let resource = self.resource.as_deref().map(|resource| format!(" of `{resource}`")).unwrap_or_default();
        format!("{}{resource}{}", self.action, if self.unlimited { " without a limit" } else { "" })
    }
}

/// Calls that succeeded and those that failed, which did less than what they are for.
#[derive(Default)]
struct Tally {
    succeeded: Calls,
    failed: Calls,
}

impl Tally {
    /// Those that succeeded, if any did.
    fn settle(self) -> Calls {
        if self.succeeded.times > 0 { self.succeeded } else { self.failed }
    }
}

/// Takes the calls of one trace in.
fn take(rows: &[Row], assumptions: &Assumptions, tally: &mut BTreeMap<String, Tally>) {
    let records: Vec<Arc<Record>> = rows.iter().map(|row| Arc::clone(&row.record)).collect();
    let work = pricing::work(&records, assumptions);
    for (at, row) in rows.iter().enumerate() {
        let Record::Invocation(invocation) = &*row.record else { continue };
        let request = row.parent.and_then(|parent| match &*rows.get(parent)?.record {
            Record::Request(request) => Some((parent, request)),
            _ => None,
        });
        let failed = invocation.outcome != Outcome::Succeeded || request.is_some_and(|(_, request)| request.status >= 400);
        let mut count = |subject: String, root: usize| {
            let slot = tally.entry(subject).or_default();
            add(if failed { &mut slot.failed } else { &mut slot.succeeded }, rows, &work, root);
        };
        // A function that calls itself is part of its own call.
        if !is_within_itself(rows, at, &invocation.function) {
            count(invocation.function.to_string(), at);
        }
        if let Some((root, request)) = request
            && is_route(&invocation.trigger)
        {
            count(invocation.trigger.to_string(), root);
            if let Some(path) = invocation.trigger.strip_prefix("ANY ") {
                count(format!("{} {path}", request.method), root);
            }
        }
    }
}

/// Whether an invocation is for a route, and not for whoever asks for the function by name.
fn is_route(trigger: &str) -> bool {
    trigger == "$default" || trigger.split_once(' ').is_some_and(|(_, path)| path.starts_with('/'))
}

fn is_within_itself(rows: &[Row], at: usize, function: &str) -> bool {
    let mut above = rows.get(at).and_then(|row| row.parent);
    while let Some(row) = above.and_then(|parent| rows.get(parent)) {
        if matches!(&*row.record, Record::Invocation(other) if &*other.function == function) {
            return true;
        }
        above = row.parent;
    }
    false
}

/// Adds a call that begins at a row: that row and all below it.
fn add(calls: &mut Calls, rows: &[Row], work: &[Work], root: usize) {
    let Some(top) = rows.get(root) else { return };
    calls.times += 1;
    let below = rows.iter().skip(root + 1).take_while(|row| row.depth > top.depth);
    for (at, row) in std::iter::once(top).chain(below).enumerate() {
        if let Some(own) = work.get(root + at) {
            calls.work.add(own);
        }
        if let Record::Operation(operation) = &*row.record {
            let asker = row.parent.and_then(|parent| match &*rows.get(parent)?.record {
                Record::Invocation(invocation) => Some(invocation.function.clone()),
                _ => None,
            });
            calls.operations.entry(Done::of(operation, asker)).or_default().add_all(&operation.own);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Cause, Time, TraceId, Unit};
    use crate::cost::Measure;
    use crate::telemetry::{Delivery, Search, Span};

    fn usage(unit: Unit, amount: u64) -> Usage {
        let mut usage = Usage::default();
        usage.add(unit, amount);
        usage
    }

    fn trace(name: &str) -> TraceId {
        TraceId(name.into())
    }

    fn request(id: &str, method: &str, status: u16) -> Record {
        Record::Request(Request {
            id: id.into(),
            trace: trace(id),
            at: Time(0),
            span: Span { began_micros: 1, wall_micros: 100 },
            face: "http".into(),
            method: method.into(),
            target: "/a?token=x".into(),
            host: String::new(),
            headers: Default::default(),
            body: Payload::default(),
            status,
            bytes_in: 0,
            bytes_out: 0,
            function: Some("f".into()),
            own: usage(Unit::RouteRequests, 1),
        })
    }

    fn invocation(id: &str, of: &str, function: &str, trigger: &str, parent: Cause) -> Record {
        Record::Invocation(Invocation {
            id: id.into(),
            trace: trace(of),
            parent,
            depth: 0,
            function: function.into(),
            trigger: trigger.into(),
            at: Time(0),
            span: Span { began_micros: 10, wall_micros: 50 },
            outcome: Outcome::Succeeded,
            stack: Vec::new(),
            cold: false,
            build: 1,
            bundle_bytes: 0,
            event: Payload::default(),
            answer: Payload::default(),
            cpu_micros: 10,
            queued_micros: 0,
            memory_peak_bytes: 0,
            memory_mib: 128,
            own: usage(Unit::Invocations, 1),
            usage: Usage::default(),
        })
    }

    fn operation(id: &str, of: &str, action: &str, parent: &str, own: Usage) -> Record {
        Record::Operation(Operation {
            id: id.into(),
            trace: trace(of),
            parent: Cause::Invocation(parent.into()),
            at: Time(0),
            span: Span { began_micros: 20, wall_micros: 5 },
            service: "dynamodb".into(),
            action: action.into(),
            resource: Some("posts".into()),
            status: 200,
            error: None,
            function: None,
            own,
            search: (action == "Query").then(Search::default),
        })
    }

    fn delivery(of: &str, event: i64, parent: &str) -> Record {
        Record::Delivery(Delivery {
            trace: trace(of),
            parent: Cause::Operation(parent.into()),
            event: Some(event),
            at: Time(0),
            span: Span { began_micros: 30, wall_micros: 5 },
            source: "queues/q".into(),
            target: "g".into(),
            depth: 1,
            attempt: 1,
            outcome: Outcome::Succeeded,
            again: None,
            dead: None,
            own: usage(Unit::QueueRequests, 2),
        })
    }

    fn calls(records: Vec<Record>) -> BTreeMap<String, Calls> {
        let mut happened = Happened::default();
        records.into_iter().for_each(|record| happened.add(&Arc::new(record)));
        happened.calls(&Assumptions::default())
    }

    fn counted(calls: &Calls, unit: Unit) -> u128 {
        calls.work.get(Measure::Unit(unit)).high
    }

    #[test]
    fn a_call_of_a_route_has_what_its_events_set_off_and_a_function_its_own_part() {
        let calls = calls(vec![
            invocation("i2", "r", "g", "queue q", Cause::Event(-1)),
            request("r", "POST", 201),
            operation("o1", "r", "SendMessage", "i1", usage(Unit::QueueRequests, 1)),
            operation("o2", "r", "Query", "i2", usage(Unit::TableItemsRead, 21)),
            invocation("i1", "r", "f", "POST /a", Cause::Request("r".into())),
            delivery("r", -1, "o1"),
        ]);
        let told: Vec<_> = calls
            .iter()
            .map(|(subject, calls)| {
                (
                    subject.as_str(),
                    calls.times,
                    [Unit::RouteRequests, Unit::Invocations, Unit::QueueRequests, Unit::TableItemsRead].map(|unit| counted(calls, unit)),
                )
            })
            .collect();
        assert_eq!(told, [("POST /a", 1, [1, 2, 3, 21]), ("f", 1, [0, 2, 3, 21]), ("g", 1, [0, 1, 0, 21])]);
        let done: Vec<String> = calls["POST /a"].operations.keys().map(|done| format!("{:?} {}", done.function, done.text())).collect();
        assert_eq!(done, [r#"Some("f") SendMessage of `posts`"#, r#"Some("g") Query of `posts` without a limit"#]);
    }

    #[test]
    fn calls_that_failed_do_not_make_those_that_succeeded_look_cheap() {
        let one = |id: &str, status: u16, reads: u64| {
            let invoked = format!("i{id}");
            let parent = Cause::Request(id.into());
            let read = operation(&format!("o{id}"), id, "Query", &invoked, usage(Unit::TableItemsRead, reads));
            [request(id, "GET", status), invocation(&invoked, id, "f", "GET /a", parent), read]
        };
        let mixed = calls([one("a", 200, 10), one("b", 400, 0), one("c", 200, 20)].into_iter().flatten().collect());
        assert_eq!((mixed["GET /a"].times, counted(&mixed["f"], Unit::TableItemsRead)), (2, 30));
        let failed = calls(one("a", 500, 10).into());
        assert_eq!((failed["GET /a"].times, counted(&failed["GET /a"], Unit::TableItemsRead)), (1, 10));
    }

    #[test]
    fn a_function_that_calls_itself_is_called_once_and_any_route_goes_by_its_method_too() {
        let calls = calls(vec![
            request("r", "PUT", 200),
            invocation("i1", "r", "f", "ANY /a", Cause::Request("r".into())),
            operation("o1", "r", "Invoke", "i1", Usage::default()),
            invocation("i2", "r", "f", "invoke", Cause::Operation("o1".into())),
        ]);
        let told: Vec<_> =
            calls.iter().map(|(subject, calls)| (subject.as_str(), calls.times, counted(calls, Unit::Invocations))).collect();
        assert_eq!(told, [("ANY /a", 1, 2), ("PUT /a", 1, 2), ("f", 1, 2)]);
    }
}
