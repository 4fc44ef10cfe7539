//! Events, asynchronous invocations, retries, destinations, dead letters, crashes.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::stand_in::{Bench, Does, function, open, project};
use crate::base::{Call, Time};
use crate::project::{BucketSource, Destination, EventSource, Function, Project};
use crate::triggers::ports::PortError;
use crate::wire::aws::lambda::Functions;

fn bucket(prefix: &str) -> EventSource {
    EventSource::Bucket(BucketSource { bucket: "b".into(), event: "s3:ObjectCreated:*".into(), prefix: Some(prefix.into()), suffix: None })
}

fn with_bucket(change: impl FnOnce(&mut Function)) -> Project {
    let mut f = function("f", vec![bucket("")]);
    change(&mut f);
    project(vec![f])
}

async fn bench(project: &Project) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = open(folder.path(), project, Time(1_000_000)).await;
    (folder, bench)
}

#[tokio::test]
async fn an_object_calls_the_functions_whose_triggers_match_and_no_others() {
    let project = project(vec![function("images", vec![bucket("images/")]), function("all", vec![bucket("")])]);
    let (_folder, bench) = bench(&project).await;
    bench.object("b", "images/a", "ObjectCreated:Put").await;
    bench.object("b", "docs/a", "ObjectCreated:Put").await;
    bench.object("b", "docs/a", "ObjectRemoved:Delete").await;
    bench.object("other", "images/a", "ObjectCreated:Put").await;
    bench.idle().await;
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(calls, [r#"all {"key":"docs/a"}"#, r#"all {"key":"images/a"}"#, r#"images {"key":"images/a"}"#]);
    assert_eq!(bench.triggers.stats().await.expect("stats"), Default::default());
}

#[tokio::test]
async fn a_failed_event_is_tried_again_at_its_times_and_then_kept_as_a_dead_letter() {
    let (_folder, bench) = bench(&with_bucket(|_| {})).await;
    bench.does("f", &[Does::Fail]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    let mut told = vec![bench.calls().len()];
    for ms in [999, 1, 1_999, 1, 10_000_000] {
        bench.after_ms(ms).await;
        told.push(bench.calls().len());
    }
    assert_eq!(told, [1, 0, 1, 0, 1, 0]);
    assert_eq!(bench.dead_letters().await, ["function:f: function `f` failed 3 times, as often as `maximumRetryAttempts` allows"]);
    let letters = bench.triggers.dead_letters(&Call::operator(), 1).await.expect("the letter");
    assert_eq!((letters[0].detail.as_str(), letters[0].attempts), ("Error: no", 3));
    bench.does("f", &[Does::Answer("null")]);
    assert!(bench.triggers.redrive(&Call::operator(), letters[0].id).await.expect("redriven"));
    bench.idle().await;
    assert_eq!((bench.calls(), bench.dead_letters().await), (vec![r#"f {"key":"k"}"#.to_owned()], Vec::new()));
}

#[tokio::test]
async fn an_event_that_succeeds_at_the_second_try_is_done() {
    let (_folder, bench) = bench(&with_bucket(|_| {})).await;
    bench.does("f", &[Does::Fail, Does::Answer("null")]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    bench.after_ms(1_000).await;
    bench.after_ms(1_000_000).await;
    assert_eq!(bench.calls().len(), 2);
    assert_eq!(bench.triggers.stats().await.expect("stats"), Default::default());
}

#[tokio::test]
async fn a_throttled_event_does_not_use_up_its_retries_but_grows_too_old() {
    let (_folder, bench) = bench(&with_bucket(|f| f.event_age_max_s = 10)).await;
    bench.does("f", &[Does::Throttle]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    for _ in 0..12 {
        bench.after_ms(1_000).await;
    }
    // At 0, 1, 3 and 7 seconds; the next would be after 15.
    assert_eq!(bench.calls().len(), 4);
    assert_eq!(bench.dead_letters().await, ["function:f: the event for function `f` grew older than its `maximumEventAge`, 10 s"]);
}

#[tokio::test]
async fn the_record_of_an_invocation_goes_to_its_destination() {
    let (_folder, bench) = bench(&with_bucket(|f| {
        f.retries_max = 0;
        f.on_failure = Some(Destination::Queue("failed".into()));
        f.on_success = Some(Destination::Topic("done".into()));
    }))
    .await;
    bench.does("f", &[Does::Fail, Does::Answer(r#"{"ok":true}"#)]);
    bench.object("b", "k1", "ObjectCreated:Put").await;
    bench.idle().await;
    bench.object("b", "k2", "ObjectCreated:Put").await;
    bench.idle().await;
    let sent = bench.sent();
    let records: Vec<(&str, Value)> = sent
        .iter()
        .map(|sent| sent.split_once(' ').expect("a body"))
        .map(|(to, body)| (to, serde_json::from_str(body).expect("JSON")))
        .collect();
    assert_eq!((records[0].0, records[1].0), ("failed", "done"));
    let (failed, done) = (&records[0].1, &records[1].1);
    assert_eq!(failed["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(failed["requestContext"]["functionArn"], "arn:aws:lambda:us-east-1:000000000000:function:shop-dev-f:$LATEST");
    assert_eq!(failed["requestPayload"], json!({ "key": "k1" }));
    assert_eq!(failed["responseContext"]["functionError"], "Unhandled");
    assert_eq!(failed["responsePayload"]["errorMessage"], "no");
    assert_eq!((&done["requestContext"]["condition"], &done["responsePayload"]), (&json!("Success"), &json!({ "ok": true })));
    assert_eq!(bench.dead_letters().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_function_can_be_the_destination_of_another() {
    let mut f = function("f", vec![bucket("")]);
    f.on_success = Some(Destination::Function("shop-dev-g".into()));
    let (_folder, bench) = bench(&project(vec![f, function("g", Vec::new())])).await;
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    let calls = bench.calls();
    assert!(calls[1].starts_with(r#"g {"version":"1.0""#), "{calls:?}");
    assert_eq!(*bench.outside.depths.lock().expect("unpoisoned"), [1, 2]);
}

#[tokio::test]
async fn a_destination_that_does_not_exist_leaves_a_dead_letter_and_one_that_is_away_is_tried_again() {
    let (_folder, bench) = bench(&with_bucket(|f| f.on_success = Some(Destination::Queue("q".into())))).await;
    let refuse = |error| *bench.outside.refuses.lock().expect("unpoisoned") = error;
    refuse(Some(PortError::lasting("there is no queue `q`")));
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    assert_eq!(bench.dead_letters().await, ["queue:q: queue `q` could not take it"]);
    refuse(Some(PortError::passing("busy")));
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    refuse(None);
    bench.after_ms(1_000).await;
    assert_eq!((bench.sent().len(), bench.dead_letters().await.len()), (1, 1));
}

#[tokio::test]
async fn a_topic_reaches_its_functions_and_queues() {
    let (_folder, bench) = bench(&project(vec![function("f", Vec::new())])).await;
    let body = json!({ "function": "shop-dev-f", "queue": "orders", "message": "hello" });
    bench.emit("topics", "news", body.to_string(), 0).await;
    bench.idle().await;
    assert_eq!((bench.calls(), bench.sent()), (vec![r#"f {"sns":"hello"}"#.to_owned()], vec!["orders hello".to_owned()]));
}

#[tokio::test]
async fn what_cannot_be_delivered_at_all_is_kept_with_the_reason() {
    let (_folder, bench) = bench(&with_bucket(|_| {})).await;
    bench.emit("objects", "b", "{".into(), 0).await;
    bench.emit("topics", "news", json!({ "function": "gone", "queue": "q" }).to_string(), 0).await;
    bench.emit("objects", "b", json!({ "key": "k", "name": "ObjectCreated:Put" }).to_string(), 16).await;
    bench.idle().await;
    let letters = bench.dead_letters().await;
    let wanted = [
        "b: the event of `b` could not be read",
        "function:f: 17 events in a row led to each other",
        "function:gone: there is no function `gone`",
    ];
    for wanted in wanted {
        assert_eq!(letters.iter().filter(|letter| letter.starts_with(wanted)).count(), 1, "{wanted} in {letters:?}");
    }
    assert_eq!(bench.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn an_asynchronous_invocation_is_stored_before_it_is_accepted() {
    let (_folder, bench) = bench(&project(vec![function("f", Vec::new())])).await;
    let gate = Arc::new(Semaphore::new(0));
    bench.does("f", &[Does::Wait(gate.clone())]);
    let call = Call { depth: 3, ..Call::operator() };
    bench.triggers.enqueue(&call, "f", Bytes::from_static(b"1")).await.expect("accepted");
    let stats = bench.triggers.stats().await.expect("stats");
    assert_eq!(stats.pending + stats.in_flight, 1);
    gate.add_permits(1);
    bench.idle().await;
    assert_eq!((bench.calls(), bench.outside.depths.lock().expect("unpoisoned").clone()), (vec!["f 1".to_owned()], vec![4]));
}

#[tokio::test]
async fn a_function_that_hangs_does_not_hold_up_another() {
    let (_folder, bench) = bench(&project(vec![function("slow", vec![bucket("slow")]), function("quick", vec![bucket("quick")])])).await;
    let gate = Arc::new(Semaphore::new(0));
    bench.does("slow", &[Does::Wait(gate.clone())]);
    for n in 0..200 {
        bench.object("b", &format!("slow{n}"), "ObjectCreated:Put").await;
    }
    bench.called(10).await;
    for n in 0..50 {
        bench.object("b", &format!("quick{n}"), "ObjectCreated:Put").await;
    }
    bench.called(60).await;
    let calls = bench.calls();
    assert_eq!(calls.iter().filter(|call| call.starts_with("slow")).count(), 10, "no more of one function at a time than it may");
    assert_eq!(calls.iter().filter(|call| call.starts_with("quick")).count(), 50);
    gate.add_permits(200);
    bench.idle().await;
    assert_eq!(bench.calls().len(), 190);
}

#[tokio::test]
async fn a_panic_in_a_delivery_costs_a_second_and_nothing_else() {
    let (_folder, bench) = bench(&with_bucket(|_| {})).await;
    bench.does("f", &[Does::Panic, Does::Answer("null")]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    bench.after_ms(1_000).await;
    assert_eq!(bench.calls().len(), 2);
    assert_eq!(bench.triggers.stats().await.expect("stats"), Default::default());
}

#[tokio::test]
async fn after_a_crash_everything_committed_is_delivered() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = with_bucket(|f| f.concurrency_max = Some(3));
    let before = open(folder.path(), &project, Time(1_000_000)).await;
    before.does("f", &[Does::Answer("null"), Does::Wait(Arc::new(Semaphore::new(0)))]);
    for n in 0..8 {
        before.object("b", &format!("k{n}"), "ObjectCreated:Put").await;
    }
    // One is done, three hang, four wait.
    before.called(4).await;
    let done = before.calls()[0].clone();
    drop(before);
    let after = open(folder.path(), &project, Time(1_000_000)).await;
    after.idle().await;
    let mut calls = after.calls();
    calls.push(done);
    calls.sort();
    calls.dedup();
    let wanted: Vec<String> = (0..8).map(|n| format!(r#"f {{"key":"k{n}"}}"#)).collect();
    assert_eq!(calls, wanted);
    assert_eq!(after.triggers.stats().await.expect("stats"), Default::default());
}

#[tokio::test]
async fn a_retry_keeps_its_time_over_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = with_bucket(|_| {});
    let before = open(folder.path(), &project, Time(1_000_000)).await;
    before.does("f", &[Does::Fail]);
    before.object("b", "k", "ObjectCreated:Put").await;
    before.idle().await;
    drop(before);
    let after = open(folder.path(), &project, Time(1_000_500)).await;
    after.idle().await;
    assert_eq!(after.calls().len(), 0);
    after.after_ms(500).await;
    assert_eq!(after.calls().len(), 1);
}

#[tokio::test]
async fn a_shutdown_begins_nothing_new_and_lets_what_runs_end() {
    let (_folder, bench) = bench(&with_bucket(|_| {})).await;
    let gate = Arc::new(Semaphore::new(0));
    bench.does("f", &[Does::Wait(gate.clone())]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.called(1).await;
    let ending = tokio::spawn({
        let triggers = bench.triggers.clone();
        async move { triggers.shutdown(std::time::Duration::from_secs(60)).await }
    });
    tokio::task::yield_now().await;
    bench.object("b", "late", "ObjectCreated:Put").await;
    gate.add_permits(1);
    ending.await.expect("it ends");
    assert_eq!(bench.calls().len(), 1);
    let stats = bench.triggers.stats().await.expect("stats");
    assert_eq!((stats.pending, stats.in_flight), (1, 0), "what came late waits for the next start");
}

#[tokio::test]
async fn a_reload_puts_new_triggers_in_the_place_of_the_old() {
    let (_folder, bench) = bench(&project(vec![function("f", vec![bucket("a")])])).await;
    bench.object("b", "a1", "ObjectCreated:Put").await;
    bench.idle().await;
    bench.apply(&project(vec![function("g", vec![bucket("")])])).await;
    bench.object("b", "a2", "ObjectCreated:Put").await;
    bench.idle().await;
    assert_eq!(bench.calls(), [r#"f {"key":"a1"}"#, r#"g {"key":"a2"}"#]);
    bench.apply(&project(Vec::new())).await;
    bench.object("b", "a3", "ObjectCreated:Put").await;
    let stats = bench.triggers.stats().await.expect("stats");
    assert_eq!(stats.pending, 0, "nobody listens, so nothing is stored");
}

#[tokio::test]
async fn what_keeps_the_triggers_busy_and_when_they_go_on_is_known() {
    let (_folder, bench) = bench(&with_bucket(|_| {})).await;
    let busy = async || -> Vec<String> { bench.triggers.busy(10).await.expect("looked").iter().map(ToString::to_string).collect() };
    let next = async || bench.triggers.next_due().await.expect("looked");
    assert_eq!((busy().await, next().await), (Vec::new(), None));
    let gate = Arc::new(Semaphore::new(0));
    bench.does("f", &[Does::Wait(gate.clone()), Does::Fail]);
    bench.object("b", "slow", "ObjectCreated:Put").await;
    bench.called(1).await;
    assert_eq!(busy().await, ["1 delivery to function `f` (under way)"]);
    gate.add_permits(1);
    bench.idle().await;
    assert_eq!((busy().await, next().await), (Vec::new(), None));
    bench.object("b", "failing", "ObjectCreated:Put").await;
    bench.idle().await;
    assert_eq!((busy().await, next().await), (Vec::new(), Some(Time(1_001_000))), "it is tried again a second later");
}
