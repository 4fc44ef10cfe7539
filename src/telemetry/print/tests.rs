use super::*;
use crate::base::{Time, TraceId, Unit, Usage};
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
            headers: Default::default(),
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
        Record::Reload(Reload { at: Time(0), ready: vec!["a".into(), "b".into()], failed: vec!["c".into()], removed: vec![], micros: 40 }),
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
