//! Records in, what a developer is told out.

use super::waste::{Seen, Waste};
use crate::base::{Cause, DEPTH_MAX, Time, TraceId, Unit, Usage};
use crate::telemetry::{Delivery, Invocation, Level, Operation, Outcome, Payload, Record, Search, Span};

fn usage(unit: Unit, amount: u64) -> Usage {
    let mut usage = Usage::default();
    usage.add(unit, amount);
    usage
}

fn waste() -> Waste {
    Waste::new(Box::new(|table, attribute| (table == "orders" && attribute == "day").then(|| "byDay".to_owned())))
}

/// Takes records in; answers the lines that are told.
fn told(waste: &mut Waste, records: impl IntoIterator<Item = Record>) -> Vec<String> {
    let mut told = Vec::new();
    for record in records {
        told.extend(waste.see(&record).into_iter().map(|Seen { finding, .. }| finding.line()));
    }
    told
}

fn read(invocation: &str, action: &str, search: Option<Search>) -> Record {
    Record::Operation(Operation {
        id: "o".into(),
        trace: TraceId("t".into()),
        parent: Cause::Invocation(invocation.into()),
        at: Time(0),
        span: Span { began_micros: 10, wall_micros: 100 },
        service: "dynamodb".into(),
        action: action.into(),
        resource: Some("orders".into()),
        status: 200,
        error: None,
        function: None,
        own: usage(Unit::TableReadHalves, 2),
        search,
    })
}

fn searched(looked_at: u64, gave: u64, filter: &[&str]) -> Option<Search> {
    Some(Search { looked_at, gave, limited: false, filtered_by: filter.iter().map(|name| (*name).to_owned()).collect() })
}

fn ended(id: &str, function: &str, peak_mib: u64) -> Invocation {
    Invocation {
        id: id.into(),
        trace: TraceId("t".into()),
        parent: Cause::Request("r".into()),
        depth: 0,
        function: function.into(),
        trigger: "GET /a".into(),
        at: Time(0),
        span: Span { began_micros: 0, wall_micros: 200_000 },
        outcome: Outcome::Succeeded,
        stack: Vec::new(),
        cold: false,
        build: 1,
        bundle_bytes: 0,
        event: Payload::default(),
        answer: Payload::default(),
        cpu_micros: 1_000,
        queued_micros: 0,
        memory_peak_bytes: peak_mib << 20,
        memory_mib: 1024,
        own: usage(Unit::Invocations, 1),
        usage: usage(Unit::Invocations, 1),
    }
}

fn quiet(id: &str) -> Record {
    Record::Invocation(Invocation { memory_mib: 128, ..ended(id, "f", 1) })
}

#[test]
fn reading_in_vain_is_told_once_with_the_index_that_is_there_or_missing() {
    for (action, search, wanted) in [
        (
            "Scan",
            searched(4, 1, &["status"]),
            vec!["`f`: Scan of `orders` filters by `status`: it read 4 items to give 1 ($0.094 per 1M calls)"],
        ),
        ("Scan", searched(4, 4, &["status"]), vec![]),
        ("Scan", searched(200, 4, &[]), vec!["`f`: Scan of `orders` read 200 items to give 4 ($0.12 per 1M calls)"]),
        ("Query", searched(200, 4, &["status"]), vec!["`f`: Query of `orders` read 200 items to give 4 ($0.12 per 1M calls)"]),
        ("Query", searched(5, 4, &["status"]), vec![]),
        ("GetItem", None, vec![]),
    ] {
        let mut waste = waste();
        assert_eq!(told(&mut waste, [read("i", action, search.clone()), quiet("i")]), wanted, "{action} {search:?}");
        assert!(told(&mut waste, [read("j", action, search), quiet("j")]).is_empty(), "once");
    }
    let mut known = waste();
    known.see(&read("i", "Scan", searched(4, 1, &["day"])));
    let seen = known.see(&quiet("i"));
    assert!(matches!(&seen[..], [Seen { finding, .. }] if finding.help.starts_with("query the index `byDay`")), "{seen:?}");
}

#[test]
fn pages_of_one_search_are_one_search() {
    let pages = (0..9).map(|_| read("i", "Query", searched(10, 0, &["status"])));
    let told = told(&mut waste(), pages.chain([quiet("i")]));
    assert_eq!(told, ["`f`: Query of `orders` read 90 items to give 0 ($1.13 per 1M calls)"]);
}

#[test]
fn the_same_read_ten_times_in_one_invocation_is_told_and_in_two_is_not() {
    let reads = |id: &'static str, times: usize| std::iter::repeat_with(move || read(id, "GetItem", None)).take(times);
    let mut waste = waste();
    assert!(told(&mut waste, reads("i", 5).chain(reads("j", 5)).chain([quiet("i"), quiet("j")])).is_empty());
    let lines = told(&mut waste, reads("k", 12).chain([quiet("k")]));
    assert_eq!(lines, ["`f` sent GetItem to `orders` 12 times in one invocation ($1.50 per 1M calls)"]);
    assert!(told(&mut waste, reads("l", 12).chain([quiet("l")])).is_empty(), "once");
}

#[test]
fn memory_that_is_never_used_is_told_after_some_invocations_and_hardly_enough_at_once() {
    let mut waste = waste();
    let call = |peak: u64| Record::Invocation(ended("i", "f", peak));
    assert!(told(&mut waste, (0..9).map(|_| call(20))).is_empty());
    let seen = waste.see(&call(20));
    let [Seen { finding, level: Level::Info, .. }] = &seen[..] else { panic!("{seen:?}") };
    assert!(finding.line().starts_with("`f` used 20 of 1024 MiB at most; `memorySize: 192` would save ($"), "{}", finding.line());
    assert!(told(&mut waste, (0..30).map(|n| call(20 + n))).is_empty(), "once");
    let lines = told(&mut waste, [call(900)]);
    assert_eq!(lines, ["`f` used 900 MiB; with about 80 MiB of the runtime's own, memorySize 1024 is tight"]);
    let more = Record::Invocation(Invocation { memory_mib: 2048, ..ended("i", "f", 900) });
    assert!(told(&mut waste, [more]).is_empty(), "another setting is judged anew");
}

fn stopped(depth: u16, attempt: u32) -> Record {
    Record::Delivery(Delivery {
        trace: TraceId("t".into()),
        parent: Cause::Operator,
        event: None,
        at: Time(0),
        span: Span::default(),
        source: "tables/orders".into(),
        target: "f".into(),
        depth,
        attempt,
        outcome: Outcome::Refused { message: "too deep".into() },
        again: None,
        dead: Some("dead-letters".into()),
        own: Usage::default(),
    })
}

#[test]
fn a_loop_that_was_stopped_is_told_with_its_way_and_its_price_by_the_hour() {
    let step = |depth: u16, function: &str, trigger: &str| {
        let (trigger, parent) = (trigger.into(), Cause::Event(i64::from(depth)));
        let span = Span { began_micros: u64::from(depth) * 100_000, wall_micros: 1_000 };
        Record::Invocation(Invocation { depth, trigger, parent, memory_mib: 128, span, ..ended("i", function, 1) })
    };
    let alone: Vec<Record> = (1..=DEPTH_MAX).map(|depth| step(depth, "f", "table orders")).chain([stopped(DEPTH_MAX + 1, 0)]).collect();
    let mut waste = waste();
    let lines = told(&mut waste, alone.clone());
    assert!(lines.len() == 1 && lines[0].starts_with("f → table orders → f is a loop: stopped after 16 rounds ($0.0"), "{lines:?}");
    assert!(lines[0].ends_with(" an hour)"), "{lines:?}");
    assert!(told(&mut waste, alone).is_empty(), "once");
    let both = (1..=DEPTH_MAX).map(|depth| if depth % 2 == 0 { step(depth, "g", "queue q") } else { step(depth, "f", "table orders") });
    let lines = told(&mut waste, both.chain([stopped(DEPTH_MAX + 1, 0)]));
    assert!(lines.len() == 1 && lines[0].starts_with("g → table orders → f → queue q → g is a loop: stopped after 8 rounds"), "{lines:?}");
    // A delivery that was tried and failed, however deep, is none.
    assert!(
        told(&mut waste, [step(2, "h", "queue q"), step(3, "h", "queue q"), stopped(DEPTH_MAX, 0), stopped(DEPTH_MAX + 1, 1)]).is_empty()
    );
}

#[test]
fn invocations_that_never_end_are_forgotten() {
    let mut waste = waste();
    for n in 0..10_000 {
        waste.see(&read(&n.to_string(), "GetItem", None));
    }
    assert!(waste.remembered() <= 2_048, "{}", waste.remembered());
}
