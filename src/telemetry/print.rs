//! Records as lines of text: for people, or one JSON object a line.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Level, Outcome, Record, redact};
use crate::base::{Cause, Usage};

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
        Format::Json => json_line(record).to_string(),
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
            Outcome::Failed { kind, message } => self.text("31", &format!("{kind}: {message}")),
            Outcome::Refused { message } => self.text("33", message),
        }
    }
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
            format!("{} → {} {} {}", d.source, paint.bold(&d.target), paint.outcome(&d.outcome), paint.dim(&detail))
        }
        Record::Operation(o) => {
            let resource = o.resource.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            let error = o.error.as_deref().map(|code| format!(" {}", paint.text("31", code))).unwrap_or_default();
            format!("{} {}{resource} {}{error} {}", o.service, paint.bold(&o.action), o.status, paint.dim(&duration(o.span.wall_micros)))
        }
        Record::Mail(m) => format!("mail to {}: {} {}", m.to.join(", "), paint.bold(&m.subject), paint.dim(&format!("from {}", m.from))),
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

fn json_line(record: &Record) -> Value {
    match record {
        Record::Request(r) => json!({
            "type": "request", "time": r.at.iso(), "id": r.id, "trace": r.trace, "face": r.face, "method": r.method, "target": redact::pairs(&r.target),
            "status": r.status, "wallMicros": r.span.wall_micros, "bytesIn": r.bytes_in, "bytesOut": r.bytes_out, "function": r.function,
        }),
        Record::Invocation(i) => json!({
            "type": "invocation", "time": i.at.iso(), "id": i.id, "trace": i.trace, "parent": cause(&i.parent), "depth": i.depth,
            "function": i.function, "outcome": outcome(&i.outcome), "cold": i.cold, "cpuMicros": i.cpu_micros,
            "wallMicros": i.span.wall_micros, "queuedMicros": i.queued_micros, "memoryPeakBytes": i.memory_peak_bytes, "usage": usage(&i.usage),
        }),
        Record::Log(l) => json!({
            "type": "log", "time": l.at.iso(), "invocation": l.invocation, "trace": l.trace, "function": l.function,
            "level": l.level.label(), "text": redact::text(&l.text),
        }),
        Record::Delivery(d) => json!({
            "type": "delivery", "time": d.at.iso(), "trace": d.trace, "parent": cause(&d.parent), "source": d.source, "target": d.target,
            "attempt": d.attempt, "outcome": outcome(&d.outcome), "again": d.again.map(|time| time.iso()),
        }),
        Record::Operation(o) => json!({
            "type": "operation", "time": o.at.iso(), "id": o.id, "trace": o.trace, "parent": cause(&o.parent), "service": o.service,
            "action": o.action, "resource": o.resource, "status": o.status, "error": o.error, "wallMicros": o.span.wall_micros,
            "usage": usage(&o.own),
        }),
        Record::Mail(m) => json!({
            "type": "mail", "time": m.at.iso(), "id": m.id, "trace": m.trace, "parent": cause(&m.parent), "from": m.from, "to": m.to,
            "subject": m.subject,
        }),
        Record::Reload(r) => json!({
            "type": "reload", "time": r.at.iso(), "ready": r.ready, "failed": r.failed, "removed": r.removed, "micros": r.micros,
        }),
        Record::Problem(p) => json!({
            "type": "problem", "time": p.at.iso(), "level": p.level.label(), "message": p.message, "help": p.help, "place": p.place,
            "frame": p.frame,
        }),
    }
}

fn cause(cause: &Cause) -> Value {
    match cause {
        Cause::Request(id) => json!({ "request": id }),
        Cause::Invocation(id) => json!({ "invocation": id }),
        Cause::Operation(id) => json!({ "operation": id }),
        Cause::Event(number) => json!({ "event": number }),
        Cause::Operator => json!("operator"),
    }
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Succeeded => json!("succeeded"),
        Outcome::Failed { kind, message } => json!({ "failed": { "kind": kind, "message": message } }),
        Outcome::Refused { message } => json!({ "refused": message }),
    }
}

fn usage(usage: &Usage) -> Value {
    Value::Object(usage.iter().map(|(unit, amount)| (unit.label().to_string(), json!(amount))).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Time, TraceId};
    use crate::telemetry::{Invocation, Log, Payload, Problem, Reload, Request, Span};

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
            r#"{"type":"request","time":"1970-01-01T00:00:00.000Z","id":"r1","trace":"abababababababababababababababab","face":"http","method":"GET","target":"/orders?a=1","status":200,"wallMicros":1540,"bytesIn":0,"bytesOut":12,"function":"orders"}"#,
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
            r#"{"type":"invocation","time":"1970-01-01T00:00:00.000Z","id":"i1","trace":"abababababababababababababababab","parent":{"event":7},"depth":2,"function":"pay","outcome":{"failed":{"kind":"TypeError","message":"x is undefined"}},"cold":true,"cpuMicros":110,"wallMicros":2000000,"queuedMicros":0,"memoryPeakBytes":3145728,"usage":{}}"#,
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
