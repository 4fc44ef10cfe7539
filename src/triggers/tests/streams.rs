//! Streams that functions read.

use serde_json::{Value, json};

use super::stand_in::{Bench, Does, function, open, project};
use crate::base::Time;
use crate::project::{Destination, EventSource, Project, StreamSource};

fn reading(change: impl FnOnce(&mut StreamSource)) -> Project {
    let mut source = StreamSource {
        table: "t".into(),
        batch_size: 4,
        window_s: 0,
        from_latest: false,
        retries_max: None,
        bisect: false,
        partial_failures: false,
        on_failure: None,
        enabled: true,
        filters: Vec::new(),
    };
    change(&mut source);
    project(vec![function("f", vec![EventSource::Stream(source)])])
}

async fn bench(project: &Project) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = open(folder.path(), project, Time(1_000_000)).await;
    (folder, bench)
}

#[tokio::test]
async fn records_come_in_order_and_a_failed_batch_holds_up_what_follows() {
    let (_folder, bench) = bench(&reading(|_| {})).await;
    bench.does("f", &[Does::Answer("null"), Does::Fail, Does::Fail, Does::Answer("null")]);
    bench.records(1..=10).await;
    bench.idle().await;
    assert_eq!(bench.calls(), ["f [1 2 3 4]", "f [5 6 7 8]"]);
    bench.records(11..=11).await;
    bench.after_ms(499).await;
    assert_eq!(bench.calls(), Vec::<String>::new());
    bench.after_ms(1).await;
    assert_eq!(bench.calls(), ["f [5 6 7 8]"]);
    bench.after_ms(1_000).await;
    assert_eq!(bench.calls(), ["f [5 6 7 8]", "f [9 10 11]"]);
}

#[tokio::test]
async fn a_reload_tries_a_failed_batch_at_once() {
    let (_folder, bench) = bench(&reading(|_| {})).await;
    bench.does("f", &[Does::Fail, Does::Answer("null")]);
    bench.records(1..=2).await;
    bench.idle().await;
    bench.apply(&reading(|_| {})).await;
    bench.called(2).await;
    bench.idle().await;
    assert_eq!(bench.calls(), ["f [1 2]", "f [1 2]"]);
}

#[tokio::test]
async fn a_batch_is_halved_until_the_bad_record_is_alone_and_given_up() {
    let project = reading(|source| {
        (source.bisect, source.retries_max) = (true, Some(0));
        source.on_failure = Some(Destination::Queue("lost".into()));
    });
    let (_folder, bench) = bench(&project).await;
    // [1 2 3 4] [1 2] done [3 4] [3] given up [4] done [5]
    let (ok, bad) = (Does::Answer("null"), Does::Fail);
    bench.does("f", &[bad.clone(), ok.clone(), bad.clone(), bad, ok]);
    bench.records(1..=5).await;
    bench.idle().await;
    for _ in 0..10 {
        bench.after_ms(60_000).await;
    }
    assert_eq!(bench.calls(), ["f [1 2 3 4]", "f [1 2]", "f [3 4]", "f [3]", "f [4]", "f [5]"]);
    let sent = bench.sent();
    let (to, record) = sent[0].split_once(' ').expect("a body");
    let record: Value = serde_json::from_str(record).expect("JSON");
    assert_eq!((sent.len(), to), (1, "lost"));
    assert_eq!(record["requestContext"]["condition"], "RetryAttemptsExhausted");
    let info = &record["DDBStreamBatchInfo"];
    assert_eq!((&info["startSequenceNumber"], &info["endSequenceNumber"], &info["batchSize"]), (&json!("3"), &json!("3"), &json!(1)));
    assert_eq!((&info["streamArn"], &info["shardId"]), (&json!("arn of t"), &json!("shard")));
}

#[tokio::test]
async fn a_batch_without_a_destination_that_is_given_up_is_a_dead_letter() {
    let (_folder, bench) = bench(&reading(|source| source.retries_max = Some(1))).await;
    bench.does("f", &[Does::Fail, Does::Fail, Does::Answer("null")]);
    bench.records(1..=5).await;
    bench.idle().await;
    bench.after_ms(500).await;
    assert_eq!(bench.calls(), ["f [1 2 3 4]", "f [1 2 3 4]", "f [5]"]);
    assert_eq!(bench.dead_letters().await, ["function:f: function `f` failed 2 times, as often as `maximumRetryAttempts` allows"]);
}

#[tokio::test]
async fn a_partial_failure_goes_on_from_the_first_record_that_failed() {
    let (_folder, bench) = bench(&reading(|source| source.partial_failures = true)).await;
    let failures = r#"{"batchItemFailures":[{"itemIdentifier":"4"},{"itemIdentifier":"3"}]}"#;
    bench.does("f", &[Does::Answer(failures), Does::Answer("null")]);
    bench.records(1..=5).await;
    bench.idle().await;
    bench.after_ms(500).await;
    assert_eq!(bench.calls(), ["f [1 2 3 4]", "f [3 4]", "f [5]"]);
}

#[tokio::test]
async fn records_that_no_filter_asks_for_are_passed_over() {
    let (_folder, bench) = bench(&reading(|source| source.filters = vec![json!({ "even": [true] })])).await;
    bench.records(1..=9).await;
    bench.idle().await;
    assert_eq!(bench.calls(), ["f [2 4]", "f [6 8]"]);
}

#[tokio::test]
async fn a_mapping_begins_at_the_oldest_record_or_after_the_newest() {
    for (from_latest, wanted) in [(false, vec!["f [1 2]", "f [3]"]), (true, vec!["f [3]"])] {
        let (_folder, bench) = bench(&project(Vec::new())).await;
        bench.records(1..=2).await;
        bench.apply(&reading(|source| source.from_latest = from_latest)).await;
        bench.idle().await;
        bench.records(3..=3).await;
        bench.idle().await;
        assert_eq!(bench.calls(), wanted);
    }
}

#[tokio::test]
async fn after_a_restart_the_stream_goes_on_where_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = reading(|_| {});
    let before = open(folder.path(), &project, Time(1_000_000)).await;
    before.does("f", &[Does::Answer("null"), Does::Fail]);
    before.records(1..=6).await;
    before.idle().await;
    drop(before);
    let after = open(folder.path(), &project, Time(1_000_600)).await;
    after.records(1..=7).await;
    after.idle().await;
    assert_eq!(after.calls(), ["f [5 6]", "f [7]"]);
}

#[tokio::test]
async fn a_small_batch_waits_as_long_as_its_window() {
    let (_folder, bench) = bench(&reading(|source| source.window_s = 5)).await;
    for number in 1..=2 {
        bench.records(number..=number).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(bench.calls(), Vec::<String>::new());
    bench.after_ms(5_000).await;
    assert_eq!(bench.calls(), ["f [1 2]"]);
}
