use proptest::prelude::*;

use super::*;
use crate::base::{Time, TraceId, Unit, Usage};
use crate::telemetry::{Delivery, Invocation, Level, Log, Mail, Operation, Outcome, Payload, Request, Span};

fn trace() -> TraceId {
    TraceId("ab".repeat(16).into())
}

fn span(began_micros: u64, wall_micros: u64) -> Span {
    Span { began_micros, wall_micros }
}

fn request(id: &str, span: Span) -> Record {
    Record::Request(Request {
        id: id.into(),
        trace: trace(),
        at: Time(1_000),
        span,
        face: "http".into(),
        method: "POST".into(),
        target: "/orders?token=x".into(),
        host: String::new(),
        headers: Default::default(),
        body: Payload::default(),
        status: 201,
        bytes_in: 0,
        bytes_out: 0,
        function: None,
        own: usage(Unit::RouteRequests),
    })
}

fn usage(unit: Unit) -> Usage {
    let mut usage = Usage::default();
    usage.add(unit, 1);
    usage
}

fn invocation(id: &str, function: &str, parent: Cause, span: Span) -> Record {
    Record::Invocation(Invocation {
        id: id.into(),
        trace: trace(),
        parent,
        depth: 0,
        function: function.into(),
        trigger: "invoke".into(),
        at: Time(1_000),
        span,
        outcome: Outcome::Succeeded,
        stack: Vec::new(),
        cold: true,
        build: 1,
        bundle_bytes: 0,
        event: Payload::default(),
        answer: Payload::default(),
        cpu_micros: 0,
        queued_micros: 0,
        memory_peak_bytes: 0,
        memory_mib: 128,
        own: usage(Unit::Invocations),
        usage: Usage::default(),
    })
}

fn operation(id: &str, action: &str, parent: Cause, span: Span) -> Record {
    Record::Operation(Operation {
        id: id.into(),
        trace: trace(),
        parent,
        function: None,
        at: Time(1_000),
        span,
        service: "sqs".into(),
        action: action.into(),
        resource: Some("orders".into()),
        status: 200,
        error: None,
        own: usage(Unit::QueueRequests),
        search: None,
    })
}

fn delivery(event: i64, attempt: u32, parent: Cause, outcome: Outcome, span: Span) -> Record {
    Record::Delivery(Delivery {
        trace: trace(),
        parent,
        event: Some(event),
        at: Time(1_000),
        span,
        source: "queues/orders".into(),
        target: "pay".into(),
        depth: 1,
        attempt,
        outcome,
        again: None,
        dead: None,
        own: Usage::default(),
    })
}

fn log(invocation: &str, text: &str, began_micros: u64) -> Record {
    let (trace, function, text) = (trace(), "f".into(), text.into());
    Record::Log(Log { invocation: invocation.into(), trace, function, at: Time(1_000), began_micros, level: Level::Info, text })
}

/// A shop's checkout, out of order.
fn checkout() -> Vec<Record> {
    let failed = Outcome::Failed { kind: "Error".into(), message: "no".into() };
    vec![
        invocation("i3", "pay", Cause::Event(-7), span(80_000, 5_000)),
        delivery(-7, 2, Cause::Operation("o2".into()), Outcome::Succeeded, span(79_000, 7_000)),
        log("i1", "token=x\nsecond\x1b[31m", 9_000),
        operation("o2", "SendMessage", Cause::Invocation("i1".into()), span(12_000, 1_000)),
        request("r1", span(1_000, 20_000)),
        delivery(-7, 1, Cause::Operation("o2".into()), failed, span(14_000, 10_000)),
        operation("o1", "GetQueueUrl", Cause::Invocation("i1".into()), span(10_000, 500)),
        invocation("i2", "pay", Cause::Event(-7), span(15_000, 8_000)),
        invocation("i1", "createOrder", Cause::Request("r1".into()), span(2_000, 18_000)),
        operation("o3", "DeleteMessage", Cause::Invocation("gone".into()), span(90_000, 0)),
    ]
}

fn tree(records: Vec<Record>) -> Vec<Row> {
    rows(records.into_iter().map(Arc::new))
}

#[test]
fn a_checkout_is_one_tree_down_to_the_second_attempt() {
    let told: Vec<String> = tree(checkout()).iter().map(|row| format!("{}{}", "  ".repeat(row.depth), label(&row.record))).collect();
    assert_eq!(
        told,
        [
            "POST /orders?token=*** 201",
            "  createOrder cold",
            "    INFO token=*** second [31m",
            "    sqs GetQueueUrl orders",
            "    sqs SendMessage orders",
            "      queues/orders → pay ✗ Error: no",
            "        pay cold",
            "      queues/orders → pay attempt 2",
            "        pay cold",
            "sqs DeleteMessage orders",
        ]
    );
}

#[test]
fn the_waterfall_has_bars_times_and_costs_and_fits_the_width() {
    let rows = tree(checkout());
    let cost = |usage: &Usage| if usage.is_empty() { String::new() } else { format!("${}", usage.iter().map(|(_, n)| n).sum::<u64>()) };
    let costs: Vec<String> = rows.iter().map(|row| cost(&row.record.own())).collect();
    let mut whole = Usage::default();
    rows.iter().for_each(|row| whole.add_all(&row.record.own()));
    let text = waterfall(&rows, &Look { width: 100, costs: &costs, whole_cost: &cost(&whole) });
    let expected = "\
trace abababababababababababababababab  1970-01-01T00:00:01.000Z
                                                                                 at       took  cost
POST /orders?token=*** 201                ███████                              0 µs    20.0 ms    $1
└─ createOrder cold                       ███████                            1.0 ms    18.0 ms    $1
   ├─ INFO token=*** second [31m
   ├─ sqs GetQueueUrl orders                 █                               9.0 ms     500 µs    $1
   └─ sqs SendMessage orders                 ██                             11.0 ms     1.0 ms    $1
      ├─ queues/orders → pay ✗ Error: no      ████                          13.0 ms    10.0 ms
      │  └─ pay cold                          ████                          14.0 ms     8.0 ms    $1
      └─ queues/orders → pay attempt 2                              ███     78.0 ms     7.0 ms
         └─ pay cold                                                ███     79.0 ms     5.0 ms    $1
sqs DeleteMessage orders                                               █    89.0 ms               $1
10 records                                                                             89.0 ms    $7
";
    assert_eq!(text, expected, "\n{text}");
    for width in [0, 40, 80, 200, 10_000] {
        let text = waterfall(&rows, &Look { width, costs: &[], whole_cost: "" });
        let widest = text.lines().skip(1).map(unicode_width::UnicodeWidthStr::width).max().unwrap_or(0);
        assert!(widest <= width.clamp(40, 400), "{width}: {widest}\n{text}");
        assert!(!text.contains("cost") && text.lines().count() == 13);
    }
    assert_eq!(waterfall(&[], &Look { width: 80, costs: &[], whole_cost: "" }), "");
}

#[test]
fn a_circle_of_causes_is_drawn_once() {
    let records = vec![
        invocation("a", "f", Cause::Operation("b".into()), span(1, 1)),
        operation("b", "Invoke", Cause::Invocation("a".into()), span(2, 1)),
        operation("c", "Invoke", Cause::Operation("c".into()), span(3, 1)),
    ];
    let depths: Vec<usize> = tree(records).iter().map(|row| row.depth).collect();
    assert_eq!(depths, [0, 0, 1], "what names itself is at the root, and comes first");
}

fn any_cause() -> impl Strategy<Value = Cause> {
    let id = || (0u8..6).prop_map(|n| Arc::<str>::from(n.to_string()));
    prop_oneof![
        id().prop_map(Cause::Request),
        id().prop_map(Cause::Invocation),
        id().prop_map(Cause::Operation),
        (-3i64..3).prop_map(Cause::Event),
        Just(Cause::Operator),
    ]
}

fn any_record() -> impl Strategy<Value = Record> {
    let parts = (0u8..6, any_cause(), prop_oneof![0u64..8, Just(u64::MAX)], prop_oneof![0u64..8, Just(u64::MAX)]);
    (parts, 0u8..6).prop_map(|((id, cause, began, wall), kind)| {
        let (id, span) = (id.to_string(), span(began, wall));
        match kind {
            0 => request(&id, span),
            1 => invocation(&id, "f", cause, span),
            2 => operation(&id, "A", cause, span),
            3 => delivery(i64::from(kind) - 3, 1, cause, Outcome::Succeeded, span),
            4 => log(&id, "x", began),
            _ => Record::Mail(Mail {
                id: id.as_str().into(),
                trace: trace(),
                parent: cause,
                at: Time(0),
                began_micros: began,
                from: "a".into(),
                to: vec!["b".into()],
                subject: "s".into(),
            }),
        }
    })
}

proptest! {
    #[test]
    fn every_record_is_drawn_once_whatever_their_order(records in prop::collection::vec(any_record(), 0..24).prop_shuffle(), seed in any::<u64>()) {
        let drawn = tree(records.clone());
        prop_assert_eq!(drawn.len(), records.len());
        let sorted = |records: Vec<Record>| {
            let mut texts: Vec<String> = records.iter().map(|r| serde_json::to_string(r).expect("JSON")).collect();
            texts.sort();
            texts
        };
        prop_assert_eq!(sorted(drawn.iter().map(|row| (*row.record).clone()).collect()), sorted(records.clone()));
        for (at, row) in drawn.iter().enumerate() {
            match row.parent {
                Some(parent) => prop_assert!(parent < at && drawn[parent].depth + 1 == row.depth),
                None => prop_assert_eq!(row.depth, 0),
            }
        }
        let mut other = records;
        let length = other.len().max(1);
        other.rotate_left((seed as usize) % length);
        other.reverse();
        prop_assert_eq!(tree(other), drawn.clone());
        let text = waterfall(&drawn, &Look { width: 60, costs: &[], whole_cost: "" });
        prop_assert_eq!(text.lines().count(), if drawn.is_empty() { 0 } else { drawn.len() + 3 });
    }
}
