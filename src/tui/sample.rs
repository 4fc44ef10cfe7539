//! Made-up records for the tests: a shop whose checkout stores an order, queues it, and has a second function confirm it by mail.

use std::sync::Arc;

use bytes::Bytes;

use crate::base::{Cause, Time, TraceId, Unit, Usage};
use crate::telemetry::{Delivery, Invocation, Level, Log, Mail, Operation, Outcome, Payload, Problem, Record, Reload, Request, Span};

/// 2026-11-21T10:00:00Z.
pub const NOON: i64 = 1_795_255_200_000;

pub fn trace(name: &str) -> TraceId {
    TraceId(format!("{name:0>32}").into())
}

pub fn usage(units: &[(Unit, u64)]) -> Usage {
    let mut usage = Usage::default();
    units.iter().for_each(|(unit, n)| usage.add(*unit, *n));
    usage
}

/// Milliseconds after [`NOON`], by both clocks.
fn time(ms: u64) -> Time {
    Time(NOON).plus_ms(ms as i64)
}

fn span(ms: u64, wall_micros: u64) -> Span {
    Span { began_micros: (NOON as u64 + ms) * 1_000, wall_micros }
}

pub fn log(trace_name: &str, text: &str) -> Record {
    Record::Log(Log {
        invocation: "i".into(),
        trace: trace(trace_name),
        function: "createOrder".into(),
        at: time(0),
        began_micros: NOON as u64 * 1_000,
        level: Level::Info,
        text: text.into(),
    })
}

pub fn blank() -> Invocation {
    Invocation {
        id: "i".into(),
        trace: trace("1"),
        parent: Cause::Operator,
        depth: 0,
        function: "createOrder".into(),
        trigger: "POST /orders".into(),
        at: time(0),
        span: span(0, 1_000),
        outcome: Outcome::Succeeded,
        stack: Vec::new(),
        cold: false,
        build: 1,
        bundle_bytes: 48_213,
        event: Payload::default(),
        answer: Payload::default(),
        cpu_micros: 900,
        queued_micros: 0,
        memory_peak_bytes: 6 << 20,
        memory_mib: 256,
        own: Usage::default(),
        usage: Usage::default(),
    }
}

pub fn invocation(id: &str, parent: Cause) -> Record {
    Record::Invocation(Invocation { id: id.into(), parent, ..blank() })
}

struct Op<'a> {
    function: &'a str,
    ms: u64,
    micros: u64,
    service: &'a str,
    action: &'a str,
    resource: Option<&'a str>,
    own: Usage,
}

fn operation(parent: &str, trace: &TraceId, op: &Op<'_>) -> Record {
    Record::Operation(Operation {
        id: format!("{parent}-{}", op.action).into(),
        function: Some(op.function.into()),
        trace: trace.clone(),
        parent: Cause::Invocation(parent.into()),
        at: time(op.ms),
        span: span(op.ms, op.micros),
        service: op.service.into(),
        action: op.action.into(),
        resource: op.resource.map(Into::into),
        status: 200,
        error: None,
        own: op.own,
        search: None,
    })
}

fn payload(text: &str) -> Payload {
    Payload::new(&Bytes::copy_from_slice(text.as_bytes()))
}

/// The records of the n-th checkout, in the order in which they come.
pub fn checkout(n: u64) -> Vec<Record> {
    let (ms, trace) = (n * 1_500, trace(&format!("c{n}")));
    let (first, second) = (format!("create-{n}"), format!("confirm-{n}"));
    let compute = usage(&[(Unit::Invocations, 1), (Unit::InvocationMicros, 18_400), (Unit::InvocationMibMicros, 18_400 * 256)]);
    let (read, write) = (usage(&[(Unit::TableReadHalves, 1)]), usage(&[(Unit::TableWrites, 1)]));
    let (send, mail) = (usage(&[(Unit::QueueRequests, 1)]), usage(&[(Unit::Mails, 1)]));
    let all = |parts: &[Usage]| {
        let mut whole = Usage::default();
        parts.iter().for_each(|part| whole.add_all(part));
        whole
    };
    let event = r#"{"version":"2.0","routeKey":"POST /orders","headers":{"content-type":"application/json"},"body":"{\"product\":\"tea\",\"count\":2}"}"#;
    let answer = r#"{"statusCode":201,"headers":{"content-type":"application/json"},"body":"{\"id\":\"o-17\",\"total\":840}"}"#;
    vec![
        operation(
            &first,
            &trace,
            &Op {
                function: "createOrder",
                ms: ms + 3,
                micros: 640,
                service: "dynamodb",
                action: "GetItem",
                resource: Some("products"),
                own: read,
            },
        ),
        operation(
            &first,
            &trace,
            &Op {
                function: "createOrder",
                ms: ms + 5,
                micros: 1_210,
                service: "dynamodb",
                action: "PutItem",
                resource: Some("orders"),
                own: write,
            },
        ),
        Record::Log(Log {
            invocation: first.as_str().into(),
            trace: trace.clone(),
            function: "createOrder".into(),
            at: time(ms + 7),
            began_micros: span(ms + 7, 0).began_micros,
            level: Level::Info,
            text: "order o-17 stored, 2 × tea".into(),
        }),
        operation(
            &first,
            &trace,
            &Op {
                function: "createOrder",
                ms: ms + 9,
                micros: 870,
                service: "sqs",
                action: "SendMessage",
                resource: Some("orders"),
                own: send,
            },
        ),
        Record::Invocation(Invocation {
            id: first.as_str().into(),
            trace: trace.clone(),
            parent: Cause::Request(format!("r-{n}").into()),
            at: time(ms + 1),
            span: span(ms + 1, 18_400),
            cold: n == 0,
            event: payload(event),
            answer: payload(answer),
            own: compute,
            usage: all(&[compute, read, write, send]),
            ..blank()
        }),
        Record::Request(Request {
            id: format!("r-{n}").into(),
            trace: trace.clone(),
            at: time(ms),
            span: span(ms, 20_100),
            face: "http".into(),
            method: "POST".into(),
            target: "/orders".into(),
            host: "http://127.0.0.1:3000".into(),
            headers: [("content-type", "application/json"), ("authorization", "••••")].into_iter().collect(),
            body: payload(r#"{"product":"tea","count":2}"#),
            status: 201,
            bytes_in: 27,
            bytes_out: 25,
            function: Some("createOrder".into()),
            own: usage(&[(Unit::RouteRequests, 1)]),
        }),
        operation(
            &second,
            &trace,
            &Op { function: "confirm", ms: ms + 26, micros: 1_900, service: "ses", action: "SendEmail", resource: None, own: mail },
        ),
        Record::Mail(Mail {
            id: format!("m-{n}").into(),
            trace: trace.clone(),
            parent: Cause::Invocation(second.as_str().into()),
            at: time(ms + 27),
            began_micros: span(ms + 27, 0).began_micros,
            from: "shop@example.com".into(),
            to: vec!["ada@example.com".into()],
            subject: "Your order o-17".into(),
        }),
        Record::Invocation(Invocation {
            id: second.as_str().into(),
            trace: trace.clone(),
            parent: Cause::Event(n as i64),
            depth: 1,
            function: "confirm".into(),
            trigger: "queue orders".into(),
            at: time(ms + 24),
            span: span(ms + 24, 9_300),
            event: payload(r#"{"Records":[{"messageId":"5f","body":"{\"id\":\"o-17\"}"}]}"#),
            answer: payload(r#"{"batchItemFailures":[]}"#),
            memory_mib: 128,
            memory_peak_bytes: 4 << 20,
            own: usage(&[(Unit::Invocations, 1), (Unit::InvocationMicros, 9_300), (Unit::InvocationMibMicros, 9_300 * 128)]),
            usage: usage(&[
                (Unit::Invocations, 1),
                (Unit::InvocationMicros, 9_300),
                (Unit::InvocationMibMicros, 9_300 * 128),
                (Unit::Mails, 1),
            ]),
            ..blank()
        }),
        Record::Delivery(Delivery {
            trace,
            parent: Cause::Invocation(first.as_str().into()),
            event: Some(n as i64),
            at: time(ms + 23),
            span: span(ms + 23, 10_700),
            source: "queues/orders".into(),
            target: "confirm".into(),
            depth: 1,
            attempt: 1,
            outcome: Outcome::Succeeded,
            again: None,
            dead: None,
            own: usage(&[(Unit::QueueRequests, 2)]),
        }),
    ]
}

/// An invocation that failed, with what it logged.
pub fn failure(ms: u64) -> Vec<Record> {
    let trace = trace("f");
    let log = |level, text: &str| {
        Record::Log(Log {
            invocation: "fail".into(),
            trace: trace.clone(),
            function: "pay".into(),
            at: time(ms + 2),
            began_micros: span(ms + 2, 0).began_micros,
            level,
            text: text.into(),
        })
    };
    vec![
        log(Level::Debug, "charging card of customer 7"),
        log(Level::Error, "card was declined\n  code: insufficient_funds"),
        Record::Invocation(Invocation {
            id: "fail".into(),
            trace: trace.clone(),
            parent: Cause::Request("rf".into()),
            function: "pay".into(),
            trigger: "POST /pay/{id}".into(),
            at: time(ms),
            span: span(ms, 4_200),
            outcome: Outcome::Failed { kind: "TypeError".into(), message: "cannot read properties of undefined (reading 'total')".into() },
            stack: vec!["at charge (src/lib/payment.ts:41:17)".into(), "at handler (src/functions/pay.ts:12:9)".into()],
            event: payload(r#"{"routeKey":"POST /pay/{id}"}"#),
            ..blank()
        }),
        Record::Request(Request {
            id: "rf".into(),
            trace: trace.clone(),
            at: time(ms),
            span: span(ms, 5_000),
            face: "http".into(),
            method: "POST".into(),
            target: "/pay/17?dry=1".into(),
            host: "http://127.0.0.1:3000".into(),
            headers: Default::default(),
            body: Payload::default(),
            status: 500,
            bytes_in: 0,
            bytes_out: 35,
            function: Some("pay".into()),
            own: usage(&[(Unit::RouteRequests, 1)]),
        }),
    ]
}

/// A build error and a warning, after a reload.
pub fn problems(ms: u64) -> Vec<Record> {
    vec![
        Record::Reload(Reload {
            at: time(ms),
            ready: vec!["createOrder".into()],
            failed: vec!["feed".into()],
            removed: Vec::new(),
            micros: 38_000,
        }),
        Record::Problem(Problem {
            at: time(ms),
            level: Level::Error,
            message: "cannot find module `zod`".into(),
            help: Some("Install it: npm install zod".into()),
            place: Some("src/functions/feed.ts:1:19".into()),
            frame: Some("error: cannot find module `zod`\n  1 │ import { z } from 'zod'\n    │                   ^^^^^\n  2 │\n".into()),
        }),
        Record::Problem(Problem {
            at: time(ms + 1),
            level: Level::Warn,
            message: "GET /feed scans 4,000 items and returns 20".into(),
            help: Some("Query an index instead: resources › Feed › GlobalSecondaryIndexes".into()),
            place: None,
            frame: None,
        }),
    ]
}

/// A little of everything.
pub fn shop() -> Vec<Arc<Record>> {
    let mut records = Vec::new();
    (0..6).for_each(|n| records.extend(checkout(n)));
    records.extend(failure(9_200));
    records.extend(problems(9_800));
    records.into_iter().map(Arc::new).collect()
}
