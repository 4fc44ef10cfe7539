//! A record as one JSON object.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::base::{Cause, Time, TraceId, Usage};
use crate::telemetry::{Outcome, Record, redact};

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

pub(super) fn line(record: &Record) -> String {
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
