//! Records as lines of text: for people, or one JSON object a line.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::{Level, Outcome, Record, redact};
use crate::base::{Cause, Time, TraceId, Usage};

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people; with ANSI colours if set.
    Pretty { colour: bool },
    /// One JSON object a line.
    Json,
}

/// Whether whoever reads along wants the line: not the requests to AWS, which are told of as operations, and of those not the ones of
/// functions, which have too many, unless they failed.
pub fn reads_along(record: &Record) -> bool {
    match record {
        Record::Request(r) => &*r.face != "aws",
        Record::Operation(o) => o.error.is_some() || matches!(o.parent, Cause::Request(_)),
        _ => true,
    }
}

/// The record as text without the last line feed. Several lines where a person reads it so (code frames, logs with line feeds).
pub fn line(record: &Record, format: Format) -> String {
    match format {
        Format::Json => json_line(record),
        Format::Pretty { colour } => pretty(record, Paint(colour)),
    }
}

struct Paint(bool);

impl Paint {
    fn text(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    fn dim(&self, text: &str) -> String {
        self.text("2", text)
    }

    fn bold(&self, text: &str) -> String {
        self.text("1", text)
    }

    fn level(&self, level: Level, text: &str) -> String {
        match level {
            Level::Error => self.text("31", text),
            Level::Warn => self.text("33", text),
            Level::Info => text.to_string(),
            Level::Debug | Level::Trace => self.dim(text),
        }
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Succeeded => self.text("32", "ok"),
            Outcome::Failed { kind, message } => self.text("31", &plain(&format!("{kind}: {}", redact::text(message)))),
            Outcome::Refused { message } => self.text("33", &plain(&redact::text(message))),
        }
    }
}

/// Without control characters, which would do something to the terminal: others than developers may have written it.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Microseconds as a person reads them: `340 µs`, `12.3 ms`, `1.50 s`.
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

fn pretty(record: &Record, paint: Paint) -> String {
    match record {
        Record::Request(r) => {
            let status = r.status.to_string();
            let status = match r.status {
                500.. => paint.text("31", &status),
                400..500 => paint.text("33", &status),
                _ => paint.text("32", &status),
            };
            let function = r.function.as_deref().map(|name| format!(" → {name}")).unwrap_or_default();
            format!(
                "{} {} {status}{function} {}",
                paint.bold(&r.method),
                redact::pairs(&r.target),
                paint.dim(&duration(r.span.wall_micros))
            )
        }
        Record::Invocation(i) => {
            let cold = if i.cold { "cold" } else { "warm" };
            let detail = format!(
                "{} wall, {} cpu, {cold}, {:.1} MiB",
                duration(i.span.wall_micros),
                duration(i.cpu_micros),
                i.memory_peak_bytes as f64 / 1_048_576.0
            );
            format!("{} {} {}", paint.bold(&i.function), paint.outcome(&i.outcome), paint.dim(&detail))
        }
        Record::Log(l) => {
            let head = paint.dim(&format!("{} │ ", l.function));
            let mut text = String::with_capacity(l.text.len() + head.len());
            for (n, row) in redact::text(&l.text).lines().enumerate() {
                if n > 0 {
                    text.push('\n');
                }
                text.push_str(&head);
                text.push_str(&paint.level(l.level, row));
            }
            if text.is_empty() { head } else { text }
        }
        Record::Delivery(d) => {
            let again = d.again.map(|time| format!(", again at {}", time.iso())).unwrap_or_default();
            let detail = format!("attempt {}{again}", d.attempt);
            let dead = d.dead.as_deref().map(|place| format!(" {}", paint.text("31", &format!("given up: {place}")))).unwrap_or_default();
            format!("{} → {} {} {}{dead}", d.source, paint.bold(&d.target), paint.outcome(&d.outcome), paint.dim(&detail))
        }
        Record::Operation(o) => {
            let resource = o.resource.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            let error = o.error.as_deref().map(|code| format!(" {}", paint.text("31", code))).unwrap_or_default();
            let (action, resource) = (paint.bold(&plain(&o.action)), plain(&resource));
            format!("{} {action}{resource} {}{error} {}", o.service, o.status, paint.dim(&duration(o.span.wall_micros)))
        }
        Record::Mail(m) => {
            let from = paint.dim(&format!("from {}", plain(&m.from)));
            format!("mail to {}: {} {from}", plain(&m.to.join(", ")), paint.bold(&plain(&m.subject)))
        }
        Record::Push(p) => format!("push to {}: {}", plain(&p.to), paint.bold(&plain(&p.title))),
        Record::Reload(r) => {
            let mut text = String::from("reloaded");
            for (word, names) in [("ready", &r.ready), ("failed", &r.failed), ("removed", &r.removed)] {
                if !names.is_empty() {
                    let _ = write!(text, " {word}: {}", names.join(", "));
                }
            }
            format!("{text} {}", paint.dim(&duration(r.micros)))
        }
        Record::Problem(p) => {
            let place = p.place.as_deref().map(|place| format!(" {}", paint.dim(place))).unwrap_or_default();
            let mut text = format!("{} {}{place}", paint.level(p.level, &p.level.label().to_lowercase()), paint.bold(&p.message));
            for more in [&p.frame, &p.help].into_iter().flatten() {
                text.push('\n');
                text.push_str(more.trim_end());
            }
            text
        }
    }
}

/// A record as it is printed in JSON, in this order.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum Printed<'a> {
    Request {
        time: String,
        id: &'a str,
        trace: &'a TraceId,
        face: &'a str,
        method: &'a str,
        target: Cow<'a, str>,
        status: u16,
        wall_micros: u64,
        bytes_in: u64,
        bytes_out: u64,
        function: Option<&'a str>,
        usage: Units<'a>,
    },
    Invocation {
        time: String,
        id: &'a str,
        trace: &'a TraceId,
        parent: Parent<'a>,
        depth: u16,
        function: &'a str,
        trigger: &'a str,
        build: u64,
        outcome: End<'a>,
        stack: &'a [String],
        cold: bool,
        cpu_micros: u64,
        wall_micros: u64,
        queued_micros: u64,
        memory_peak_bytes: u64,
        memory_mib: u32,
        own: Units<'a>,
        usage: Units<'a>,
    },
    Log {
        time: String,
        invocation: &'a str,
        trace: &'a TraceId,
        function: &'a str,
        level: &'static str,
        text: Cow<'a, str>,
    },
    Delivery {
        time: String,
        trace: &'a TraceId,
        parent: Parent<'a>,
        event: Option<i64>,
        source: &'a str,
        target: &'a str,
        attempt: u32,
        outcome: End<'a>,
        again: Option<String>,
        dead: Option<&'a str>,
        wall_micros: u64,
        usage: Units<'a>,
    },
    Operation {
        time: String,
        id: &'a str,
        trace: &'a TraceId,
        parent: Parent<'a>,
        function: Option<&'a str>,
        service: &'a str,
        action: &'a str,
        resource: Option<&'a str>,
        status: u16,
        error: Option<&'a str>,
        wall_micros: u64,
        usage: Units<'a>,
    },
    Mail {
        time: String,
        id: &'a str,
        trace: &'a TraceId,
        parent: Parent<'a>,
        from: &'a str,
        to: &'a [String],
        subject: &'a str,
    },
    Push {
        time: String,
        id: &'a str,
        trace: &'a TraceId,
        parent: Parent<'a>,
        to: &'a str,
        count: usize,
        title: &'a str,
    },
    Reload {
        time: String,
        ready: &'a [Arc<str>],
        failed: &'a [Arc<str>],
        removed: &'a [Arc<str>],
        micros: u64,
    },
    Problem {
        time: String,
        level: &'static str,
        message: &'a str,
        help: Option<&'a str>,
        place: Option<&'a str>,
        frame: Option<&'a str>,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Parent<'a> {
    Request(&'a str),
    Invocation(&'a str),
    Operation(&'a str),
    Event(i64),
    Operator,
}

#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum End<'a> {
    Succeeded,
    Failed { kind: &'a str, message: Cow<'a, str> },
    Refused(Cow<'a, str>),
}

/// What was used of each unit.
struct Units<'a>(&'a Usage);

impl Serialize for Units<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(unit, amount)| (unit.label(), amount)))
    }
}

fn json_line(record: &Record) -> String {
    let printed = match record {
        Record::Request(r) => Printed::Request {
            time: r.at.iso(),
            id: &r.id,
            trace: &r.trace,
            face: &r.face,
            method: &r.method,
            target: redact::pairs(&r.target),
            status: r.status,
            wall_micros: r.span.wall_micros,
            bytes_in: r.bytes_in,
            bytes_out: r.bytes_out,
            function: r.function.as_deref(),
            usage: Units(&r.own),
        },
        Record::Invocation(i) => Printed::Invocation {
            time: i.at.iso(),
            id: &i.id,
            trace: &i.trace,
            parent: parent(&i.parent),
            depth: i.depth,
            function: &i.function,
            trigger: &i.trigger,
            build: i.build,
            outcome: end(&i.outcome),
            stack: &i.stack,
            cold: i.cold,
            cpu_micros: i.cpu_micros,
            wall_micros: i.span.wall_micros,
            queued_micros: i.queued_micros,
            memory_peak_bytes: i.memory_peak_bytes,
            memory_mib: i.memory_mib,
            own: Units(&i.own),
            usage: Units(&i.usage),
        },
        Record::Log(l) => Printed::Log {
            time: l.at.iso(),
            invocation: &l.invocation,
            trace: &l.trace,
            function: &l.function,
            level: l.level.label(),
            text: redact::text(&l.text),
        },
        Record::Delivery(d) => Printed::Delivery {
            time: d.at.iso(),
            trace: &d.trace,
            parent: parent(&d.parent),
            event: d.event,
            source: &d.source,
            target: &d.target,
            attempt: d.attempt,
            outcome: end(&d.outcome),
            again: d.again.map(Time::iso),
            dead: d.dead.as_deref(),
            wall_micros: d.span.wall_micros,
            usage: Units(&d.own),
        },
        Record::Operation(o) => Printed::Operation {
            time: o.at.iso(),
            id: &o.id,
            trace: &o.trace,
            parent: parent(&o.parent),
            function: o.function.as_deref(),
            service: &o.service,
            action: &o.action,
            resource: o.resource.as_deref(),
            status: o.status,
            error: o.error.as_deref(),
            wall_micros: o.span.wall_micros,
            usage: Units(&o.own),
        },
        Record::Mail(m) => Printed::Mail {
            time: m.at.iso(),
            id: &m.id,
            trace: &m.trace,
            parent: parent(&m.parent),
            from: &m.from,
            to: &m.to,
            subject: &m.subject,
        },
        Record::Push(p) => Printed::Push {
            time: p.at.iso(),
            id: &p.id,
            trace: &p.trace,
            parent: parent(&p.parent),
            to: &p.to,
            count: p.count,
            title: &p.title,
        },
        Record::Reload(r) => {
            Printed::Reload { time: r.at.iso(), ready: &r.ready, failed: &r.failed, removed: &r.removed, micros: r.micros }
        }
        Record::Problem(p) => Printed::Problem {
            time: p.at.iso(),
            level: p.level.label(),
            message: &p.message,
            help: p.help.as_deref(),
            place: p.place.as_deref(),
            frame: p.frame.as_deref(),
        },
    };
    serde_json::to_string(&printed).expect("text and numbers are JSON")
}

fn parent(cause: &Cause) -> Parent<'_> {
    match cause {
        Cause::Request(id) => Parent::Request(id),
        Cause::Invocation(id) => Parent::Invocation(id),
        Cause::Operation(id) => Parent::Operation(id),
        Cause::Event(number) => Parent::Event(*number),
        Cause::Operator => Parent::Operator,
    }
}

fn end(outcome: &Outcome) -> End<'_> {
    match outcome {
        Outcome::Succeeded => End::Succeeded,
        Outcome::Failed { kind, message } => End::Failed { kind, message: redact::text(message) },
        Outcome::Refused { message } => End::Refused(redact::text(message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Unit;
    use crate::telemetry::{Delivery, Invocation, Log, Mail, Operation, Payload, Problem, Reload, Request, Span};

    fn trace() -> TraceId {
        TraceId("ab".repeat(16).into())
    }

    #[track_caller]
    fn check(record: Record, pretty: &str, json: &str) {
        assert_eq!(line(&record, Format::Pretty { colour: false }), pretty);
        assert_eq!(line(&record, Format::Json), json);
    }

    #[test]
    fn a_request_is_one_line() {
        check(
            Record::Request(Request {
                id: "r1".into(),
                trace: trace(),
                at: Time(0),
                face: "http".into(),
                method: "GET".into(),
                target: "/orders?a=1".into(),
                status: 200,
                span: Span { began_micros: 0, wall_micros: 1_540 },
                host: String::new(),
                headers: Vec::new(),
                body: Payload::default(),
                own: Usage::default(),
                bytes_in: 0,
                bytes_out: 12,
                function: Some("orders".into()),
            }),
            "GET /orders?a=1 200 → orders 1.5 ms",
            r#"{"type":"request","time":"1970-01-01T00:00:00.000Z","id":"r1","trace":"abababababababababababababababab","face":"http","method":"GET","target":"/orders?a=1","status":200,"wallMicros":1540,"bytesIn":0,"bytesOut":12,"function":"orders","usage":{}}"#,
        );
    }

    #[test]
    fn a_failed_invocation_says_why_and_what_it_used() {
        check(
            Record::Invocation(Invocation {
                id: "i1".into(),
                trace: trace(),
                parent: Cause::Event(7),
                depth: 2,
                function: "pay".into(),
                at: Time(0),
                outcome: Outcome::Failed { kind: "TypeError".into(), message: "x is undefined".into() },
                cold: true,
                cpu_micros: 110,
                span: Span { began_micros: 0, wall_micros: 2_000_000 },
                trigger: "invoke".into(),
                stack: Vec::new(),
                build: 1,
                bundle_bytes: 0,
                event: Payload::default(),
                answer: Payload::default(),
                memory_mib: 128,
                own: Usage::default(),
                queued_micros: 0,
                memory_peak_bytes: 3 << 20,
                usage: Usage::default(),
            }),
            "pay TypeError: x is undefined 2.00 s wall, 110 µs cpu, cold, 3.0 MiB",
            r#"{"type":"invocation","time":"1970-01-01T00:00:00.000Z","id":"i1","trace":"abababababababababababababababab","parent":{"event":7},"depth":2,"function":"pay","trigger":"invoke","build":1,"outcome":{"failed":{"kind":"TypeError","message":"x is undefined"}},"stack":[],"cold":true,"cpuMicros":110,"wallMicros":2000000,"queuedMicros":0,"memoryPeakBytes":3145728,"memoryMib":128,"own":{},"usage":{}}"#,
        );
    }

    #[test]
    fn a_delivery_says_what_follows_and_where_it_ended() {
        let mut usage = Usage::default();
        usage.add(Unit::QueueRequests, 2);
        let delivery = Delivery {
            trace: trace(),
            parent: Cause::Operation("o1".into()),
            event: Some(4),
            at: Time(0),
            span: Span { began_micros: 0, wall_micros: 700 },
            source: "queues/orders".into(),
            target: "pay".into(),
            depth: 1,
            attempt: 2,
            outcome: Outcome::Failed { kind: "Error".into(), message: "no\u{1b}[2J luck, token=abcdef".into() },
            again: None,
            dead: Some("queue/dead".into()),
            own: usage,
        };
        check(
            Record::Delivery(delivery),
            "queues/orders → pay Error: no [2J luck, token=*** attempt 2 given up: queue/dead",
            r#"{"type":"delivery","time":"1970-01-01T00:00:00.000Z","trace":"abababababababababababababababab","parent":{"operation":"o1"},"event":4,"source":"queues/orders","target":"pay","attempt":2,"outcome":{"failed":{"kind":"Error","message":"no\u001b[2J luck, token=***"}},"again":null,"dead":"queue/dead","wallMicros":700,"usage":{"queue-requests":2}}"#,
        );
    }

    #[test]
    fn an_operation_says_what_was_done_to_what() {
        let operation = Operation {
            id: "o1".into(),
            trace: trace(),
            parent: Cause::Invocation("i1".into()),
            function: Some("pay".into()),
            at: Time(0),
            span: Span { began_micros: 0, wall_micros: 700 },
            service: "dynamodb".into(),
            action: "PutItem".into(),
            resource: Some("orders".into()),
            status: 400,
            error: Some("ConditionalCheckFailedException".into()),
            own: Usage::default(),
            search: None,
        };
        check(
            Record::Operation(operation),
            "dynamodb PutItem orders 400 ConditionalCheckFailedException 700 µs",
            r#"{"type":"operation","time":"1970-01-01T00:00:00.000Z","id":"o1","trace":"abababababababababababababababab","parent":{"invocation":"i1"},"function":"pay","service":"dynamodb","action":"PutItem","resource":"orders","status":400,"error":"ConditionalCheckFailedException","wallMicros":700,"usage":{}}"#,
        );
    }

    #[test]
    fn a_mail_does_nothing_to_the_terminal() {
        let mail = Mail {
            id: "m1".into(),
            trace: trace(),
            parent: Cause::Invocation("i1".into()),
            at: Time(0),
            began_micros: 0,
            from: "shop@example.com".into(),
            to: vec!["ada@example.com".into(), "bob@example.com".into()],
            subject: "Hi\u{1b}]0;x\u{7}".into(),
        };
        check(
            Record::Mail(mail),
            "mail to ada@example.com, bob@example.com: Hi ]0;x  from shop@example.com",
            r#"{"type":"mail","time":"1970-01-01T00:00:00.000Z","id":"m1","trace":"abababababababababababababababab","parent":{"invocation":"i1"},"from":"shop@example.com","to":["ada@example.com","bob@example.com"],"subject":"Hi\u001b]0;x\u0007"}"#,
        );
    }

    #[test]
    fn every_row_of_a_log_shows_its_function() {
        check(
            Record::Log(Log {
                invocation: "i1".into(),
                trace: trace(),
                function: "pay".into(),
                at: Time(0),
                began_micros: 0,
                level: Level::Info,
                text: "a\nb".into(),
            }),
            "pay │ a\npay │ b",
            r#"{"type":"log","time":"1970-01-01T00:00:00.000Z","invocation":"i1","trace":"abababababababababababababababab","function":"pay","level":"INFO","text":"a\nb"}"#,
        );
    }

    #[test]
    fn a_reload_names_what_is_ready_and_what_failed() {
        check(
            Record::Reload(Reload {
                at: Time(0),
                ready: vec!["a".into(), "b".into()],
                failed: vec!["c".into()],
                removed: vec![],
                micros: 40,
            }),
            "reloaded ready: a, b failed: c 40 µs",
            r#"{"type":"reload","time":"1970-01-01T00:00:00.000Z","ready":["a","b"],"failed":["c"],"removed":[],"micros":40}"#,
        );
    }

    #[test]
    fn a_problem_shows_its_frame_and_help() {
        check(
            Record::Problem(Problem {
                at: Time(0),
                level: Level::Error,
                message: "cannot find `zod`".into(),
                help: Some("npm install zod".into()),
                place: Some("src/a.ts:1:19".into()),
                frame: Some("1 │ import { z } from 'zod'\n".into()),
            }),
            "error cannot find `zod` src/a.ts:1:19\n1 │ import { z } from 'zod'\nnpm install zod",
            r#"{"type":"problem","time":"1970-01-01T00:00:00.000Z","level":"ERROR","message":"cannot find `zod`","help":"npm install zod","place":"src/a.ts:1:19","frame":"1 │ import { z } from 'zod'\n"}"#,
        );
    }
}
