use std::time::Duration;

use futures_util::StreamExt;

use super::*;
use crate::base::{Cause, Time, TraceId, Usage};
use crate::telemetry::{self, Invocation, Level, Log, Operation, Outcome, Payload, Problem, Request, Sink, Span};

fn trace(name: char) -> TraceId {
    TraceId(name.to_string().repeat(32).into())
}

fn log(name: char, function: &str, text: &str, began_micros: u64) -> Record {
    Record::Log(Log {
        invocation: "i".into(),
        trace: trace(name),
        function: function.into(),
        at: Time(0),
        began_micros,
        level: Level::Info,
        text: text.into(),
    })
}

fn request(name: char, function: Option<&str>) -> Record {
    Record::Request(Request {
        id: "r".into(),
        trace: trace(name),
        at: Time(0),
        span: Span::default(),
        face: "http".into(),
        method: "GET".into(),
        target: "/a?token=x".into(),
        host: String::new(),
        headers: [("authorization", "Bearer x")].into_iter().collect(),
        body: Payload::default(),
        status: 200,
        bytes_in: 0,
        bytes_out: 0,
        function: function.map(Into::into),
        own: Usage::default(),
    })
}

/// A journal that has these records, and its folder.
fn written(bounds: Bounds, batches: &[Vec<Record>]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    write(&path, bounds, batches);
    (folder, path)
}

fn write(path: &Path, bounds: Bounds, batches: &[Vec<Record>]) {
    let mut file = File::open(path, bounds).expect("a journal");
    for batch in batches {
        file.write(&batch.iter().cloned().map(Arc::new).collect::<Vec<_>>(), 0).expect("written");
    }
}

const WIDE: Bounds = Bounds { records_max: 1_000, bytes_max: 1 << 20 };

fn texts(path: &Path, query: &Query) -> Vec<String> {
    let records = Reader::open(path).expect("a reader").records(query, 100).expect("records");
    let text = |journaled: &Journaled| match journaled.record() {
        Some(Record::Log(log)) => log.text.to_string(),
        other => panic!("{other:?}"),
    };
    records.iter().map(text).collect()
}

#[test]
fn records_are_found_by_function_trace_and_time_in_their_order() {
    let records = vec![log('a', "f", "1", 10), log('b', "g", "2", 20), log('a', "g", "3", 30), log('b', "f", "4", 40)];
    // The last began when the calendar said another year.
    let (_folder, path) = written(WIDE, &[records, vec![log('d', "h", "5", u64::MAX / 4)]]);
    for (query, wanted) in [
        (Query::default(), "1 2 3 4 5"),
        (Query { function: Some("f".into()), ..Query::default() }, "1 4"),
        (Query { trace: Some("aa".into()), ..Query::default() }, "1 3"),
        (Query { trace: Some("b".repeat(32)), function: Some("g".into()), ..Query::default() }, "2"),
        (Query { since_micros: Some(30), ..Query::default() }, "3 4 5"),
        (Query { since_micros: Some(u64::MAX / 4), ..Query::default() }, "5"),
        (Query { after: 3, ..Query::default() }, "4 5"),
        (Query { trace: Some("c".into()), ..Query::default() }, ""),
        (Query { function: Some("' OR 1=1".into()), ..Query::default() }, ""),
    ] {
        assert_eq!(texts(&path, &query).join(" "), wanted, "{query:?}");
    }
}

#[test]
fn the_oldest_records_go_first_by_number_and_by_bytes() {
    let many = |from: u32, to: u32| (from..to).map(|n| log('a', "f", &n.to_string(), 0)).collect::<Vec<_>>();
    let (_folder, path) = written(Bounds { records_max: 3, ..WIDE }, &[many(0, 2), many(2, 5), many(5, 6)]);
    assert_eq!(texts(&path, &Query::default()), ["3", "4", "5"]);
    let line = serde_json::to_string(&log('a', "f", "0", 0)).expect("JSON");
    let one = line.len() as u64 + 1;
    let (_folder, path) = written(Bounds { bytes_max: one * 2 + 1, ..WIDE }, &[many(0, 5)]);
    assert_eq!(texts(&path, &Query::default()), ["3", "4"]);
    // Opened again with less room, and with more.
    write(&path, Bounds { records_max: 1, ..WIDE }, &[]);
    assert_eq!(texts(&path, &Query::default()), ["4"]);
    write(&path, WIDE, &[many(5, 7)]);
    assert_eq!(texts(&path, &Query::default()), ["4", "5", "6"]);
    let (_folder, path) = written(Bounds { records_max: 0, ..WIDE }, &[many(0, 5)]);
    assert_eq!(texts(&path, &Query::default()), Vec::<String>::new());
}

#[test]
fn times_ago_are_written_with_their_unit() {
    for (text, seconds) in [
        ("90s", Some(90)),
        ("10m", Some(600)),
        ("2h", Some(7_200)),
        ("1d", Some(86_400)),
        ("10", None),
        ("m", None),
        ("-1m", None),
        ("1.5h", None),
        ("99999999999999999999d", None),
    ] {
        assert_eq!(ago(text).map(|ago| ago.as_secs()), seconds, "{text}");
    }
}

#[test]
fn what_is_stored_has_no_secrets() {
    let (_folder, path) = written(WIDE, &[vec![request('a', None)]]);
    let stored = Reader::open(&path).expect("a reader").newest(1).expect("a record").remove(0).text;
    assert!(!stored.contains("Bearer") && stored.contains("/a?token=***"), "{stored}");
}

#[test]
fn a_trace_is_found_by_the_beginning_of_its_name_and_as_the_latest() {
    let other = Record::Operation(Operation {
        id: "o".into(),
        trace: trace('d'),
        parent: Cause::Operator,
        function: None,
        at: Time(0),
        span: Span::default(),
        service: "s3".into(),
        action: "GetObject".into(),
        resource: None,
        status: 200,
        error: None,
        own: Usage::default(),
        search: None,
    });
    let mut near = trace('a').0.to_string();
    near.replace_range(31.., "b");
    let Record::Log(log_of_near) = log('a', "f", "x", 0) else { panic!("a log") };
    let near = Record::Log(Log { trace: TraceId(near.into()), ..log_of_near });
    let records = vec![request('a', Some("f")), near, request('b', Some("f")), log('c', "f", "x", 0), other];
    let (_folder, path) = written(WIDE, &[records]);
    let find = |wanted: &str| Reader::open(&path).expect("a reader").find_trace(wanted);
    assert_eq!(find("latest").expect("one"), trace('b'));
    assert_eq!(find("C").expect("one"), trace('c'));
    assert_eq!(find(trace('a').as_str()).expect("one"), trace('a'));
    assert!(matches!(find("aa"), Err(TraceError::Several(_, names)) if names.len() == 2));
    assert!(find("e").expect_err("none").to_string().contains("no trace `e`"));
    let (_folder, empty) = written(WIDE, &[]);
    assert!(matches!(Reader::open(&empty).expect("a reader").find_trace("latest"), Err(TraceError::Empty)));
}

#[test]
fn a_journal_that_cannot_be_read_or_is_of_another_emu_is_begun_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    assert!(Reader::open(&path).is_err(), "there is none");
    std::fs::write(&path, b"this is no database at all, though it is long enough to be one; more and more of it").expect("a file");
    write(&path, WIDE, &[vec![log('a', "f", "1", 0)]]);
    assert_eq!(texts(&path, &Query::default()), ["1"]);
    rusqlite::Connection::open(&path).expect("opened").pragma_update(None, "user_version", 99).expect("set");
    assert!(matches!(Reader::open(&path), Err(Error::Other { .. })));
    write(&path, WIDE, &[vec![log('a', "f", "2", 0)]]);
    assert_eq!(texts(&path, &Query::default()), ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_happened_is_there_when_the_journal_is_closed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let sink = Sink::new(4_096);
    let journal = Journal::start(&path, Bounds { records_max: 100_000, ..WIDE }, sink.subscribe()).expect("a journal");
    for n in 0..2_000 {
        sink.put(|| log('a', "f", &n.to_string(), n));
    }
    drop(journal);
    let reader = Reader::open(&path).expect("a reader");
    let newest = reader.newest(1).expect("a record").remove(0);
    assert_eq!((newest.id, reader.missed().expect("a number")), (2_000, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_journal_missed_is_counted_over_all_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    for wanted in [3, 6] {
        let sink = Sink::new(2);
        let records = sink.subscribe();
        for n in 0..5 {
            sink.put(|| log('a', "f", "x", n));
        }
        drop(Journal::start(&path, WIDE, records).expect("a journal"));
        assert_eq!(Reader::open(&path).expect("a reader").missed().expect("a number"), wanted);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_cannot_write_holds_nobody_up_and_counts_what_it_misses() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let sink = Sink::new(16);
    let journal = Journal::start(&path, WIDE, sink.subscribe()).expect("a journal");
    let other = rusqlite::Connection::open(&path).expect("opened");
    other.execute_batch("BEGIN IMMEDIATE").expect("it is ours");
    for n in 0..1_000 {
        sink.put(|| log('a', "f", "x", n));
    }
    other.execute_batch("ROLLBACK").expect("given back");
    drop(journal);
    let reader = Reader::open(&path).expect("a reader");
    let there = reader.records(&Query::default(), 2_000).expect("records").len() as u64;
    assert!(there >= 16 && there + reader.missed().expect("a number") == 1_000, "{there} are there");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_sees_what_is_there_and_what_comes_until_the_journal_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(FILE_NAME);
    let sink = Sink::new(64);
    write(&path, WIDE, &[vec![log('a', "f", "1", 0), log('a', "g", "2", 0)]]);
    let journal = Journal::start(&path, WIDE, sink.subscribe()).expect("a journal");
    let query = Query { function: Some("f".into()), ..Query::default() };
    let feed = journal.feed();
    let mut stream = Box::pin(feed.records(query.clone(), true));
    let ids = |page: Option<Result<Vec<Journaled>, Error>>| match page {
        Some(Ok(page)) => page.iter().map(|journaled| journaled.id).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(ids(stream.next().await), [1]);
    sink.put(|| log('a', "g", "3", 0));
    sink.put(|| log('a', "f", "4", 0));
    let next = tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("in time");
    assert_eq!(ids(next), [4]);
    drop(journal);
    assert!(stream.next().await.is_none());
    let all: Vec<_> = feed.records(query, false).collect().await;
    assert_eq!(all.len(), 1, "one page, then the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_sees_all_that_happened_before() {
    let folder = tempfile::tempdir().expect("a folder");
    let sink = Sink::new(4_096);
    let journal = Journal::start(&folder.path().join(FILE_NAME), WIDE, sink.subscribe()).expect("a journal");
    for n in 1..=100 {
        sink.put(|| log('a', "f", "x", n));
        assert_eq!(journal.feed().reader().await.expect("a reader").newest(1).expect("a record")[0].id, n as i64);
        let pages: Vec<_> = journal.feed().records(Query { after: n as i64 - 1, ..Query::default() }, false).collect().await;
        assert_eq!(pages.len(), 1, "record {n}");
    }
}

#[test]
fn every_kind_of_record_is_stored_and_read_back() {
    let invocation = Record::Invocation(Invocation {
        id: "i".into(),
        trace: trace('a'),
        parent: Cause::Operation("o".into()),
        depth: 1,
        function: "f".into(),
        trigger: "queue q".into(),
        at: Time(5),
        span: Span { began_micros: 7, wall_micros: 8 },
        outcome: Outcome::Failed { kind: "E".into(), message: "m".into() },
        stack: vec!["at a.ts:1:2".into()],
        cold: true,
        build: 3,
        bundle_bytes: 4,
        event: Payload::new(&bytes::Bytes::from_static(b"{}")),
        answer: Payload::new(&bytes::Bytes::from_static(b"\xff")),
        cpu_micros: 1,
        queued_micros: 2,
        memory_peak_bytes: 3,
        memory_mib: 128,
        own: Usage::default(),
        usage: Usage::default(),
    });
    let problem = Record::Problem(Problem { at: Time(1), level: Level::Warn, message: "m".into(), help: None, place: None, frame: None });
    let mail = Record::Mail(telemetry::Mail {
        id: "m".into(),
        trace: trace('a'),
        parent: Cause::Event(-4),
        at: Time(2),
        began_micros: 9,
        from: "a@b".into(),
        to: vec!["c@d".into()],
        subject: "s".into(),
    });
    let records = vec![invocation, problem, mail, log('a', "f", "x", 1)];
    let (_folder, path) = written(WIDE, std::slice::from_ref(&records));
    let read: Vec<Record> =
        Reader::open(&path).expect("a reader").newest(10).expect("records").iter().filter_map(Journaled::record).collect();
    assert_eq!(read, records);
}
