//! Queues that functions consume.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Semaphore;

use super::stand_in::{Bench, Does, VISIBILITY_MS, function, open, project};
use crate::base::Time;
use crate::project::{EventSource, Project, QueueSource};

fn consuming(change: impl FnOnce(&mut QueueSource)) -> Project {
    let mut source = QueueSource {
        queue: "q".into(),
        batch_size: 3,
        window_s: 0,
        partial_failures: false,
        enabled: true,
        concurrency_max: Some(2),
        filters: Vec::new(),
    };
    change(&mut source);
    project(vec![function("f", vec![EventSource::Queue(source)])])
}

async fn bench(project: &Project) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = open(folder.path(), project, Time(1_000_000)).await;
    (folder, bench)
}

impl Bench {
    /// Bodies in the queue, with how often each was received.
    fn left(&self) -> String {
        let messages = self.outside.messages.lock().expect("unpoisoned");
        messages.iter().map(|message| format!("{}:{}", message.body, message.receives)).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn messages_come_in_batches_and_are_deleted_once_done() {
    let (_folder, bench) = bench(&consuming(|_| {})).await;
    bench.messages(&["a", "b", "c", "d", "e", "g", "h"]).await;
    bench.idle().await;
    let mut calls = bench.calls();
    calls.sort();
    assert_eq!(calls, ["f [a b c]", "f [d e g]", "f [h]"]);
    assert_eq!(bench.left(), "");
}

#[tokio::test]
async fn a_failed_batch_comes_back_when_its_visibility_timeout_ends() {
    let (_folder, bench) = bench(&consuming(|_| {})).await;
    bench.does("f", &[Does::Fail, Does::Answer("null")]);
    bench.messages(&["a", "b"]).await;
    bench.idle().await;
    assert_eq!(bench.left(), "a:1 b:1");
    bench.after_ms(VISIBILITY_MS - 1).await;
    assert_eq!(bench.calls().len(), 1);
    bench.after_ms(1).await;
    assert_eq!((bench.calls(), bench.left()), (vec!["f [a b]".to_owned()], String::new()));
}

#[tokio::test]
async fn a_message_comes_back_though_the_clock_is_moved_while_it_is_looked_for() {
    let (_folder, bench) = bench(&consuming(|_| {})).await;
    bench.does("f", &[Does::Fail, Does::Answer("null")]);
    bench.messages(&["a"]).await;
    bench.idle().await;
    bench.outside.jump_ms.store(VISIBILITY_MS, Ordering::Relaxed);
    bench.wake("queue q").await;
    tokio::time::timeout(Duration::from_secs(30), bench.called(2)).await.expect("it is looked for again");
    bench.idle().await;
    assert_eq!(bench.left(), "");
}

#[tokio::test]
async fn only_what_the_function_reports_comes_back() {
    let rows = [
        (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, "b:1"),
        (r#"{"batchItemFailures":[]}"#, ""),
        ("null", ""),
        (r#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#, "a:1 b:1 c:1"),
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, "a:1 b:1 c:1"),
        ("not json", "a:1 b:1 c:1"),
    ];
    for (answer, left) in rows {
        let (_folder, bench) = bench(&consuming(|source| source.partial_failures = true)).await;
        bench.does("f", &[Does::Answer(answer)]);
        bench.messages(&["a", "b", "c"]).await;
        bench.idle().await;
        assert_eq!(bench.left(), left, "{answer}");
    }
}

#[tokio::test]
async fn without_the_setting_a_report_of_failures_is_a_success() {
    let (_folder, bench) = bench(&consuming(|_| {})).await;
    bench.does("f", &[Does::Answer(r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#)]);
    bench.messages(&["a"]).await;
    bench.idle().await;
    assert_eq!(bench.left(), "");
}

#[tokio::test]
async fn messages_that_no_filter_asks_for_are_dropped() {
    let (_folder, bench) = bench(&consuming(|source| source.filters = vec![json!({ "body": { "n": [{ "numeric": [">", 1] }] } })])).await;
    bench.messages(&[r#"{"n":1}"#, r#"{"n":2}"#, "text"]).await;
    bench.idle().await;
    assert_eq!((bench.calls().len(), bench.left()), (1, String::new()));
}

#[tokio::test]
async fn no_more_batches_run_at_a_time_than_the_mapping_allows() {
    let (_folder, bench) = bench(&consuming(|source| source.batch_size = 1)).await;
    let gate = Arc::new(Semaphore::new(0));
    bench.does("f", &[Does::Wait(gate.clone())]);
    bench.messages(&["a", "b", "c", "d"]).await;
    bench.called(2).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.calls().len(), 2);
    gate.add_permits(4);
    bench.idle().await;
    assert_eq!((bench.calls().len(), bench.left()), (2, String::new()));
}

#[tokio::test]
async fn a_batch_waits_for_more_as_long_as_its_window() {
    let (_folder, bench) = bench(&consuming(|source| source.window_s = 5)).await;
    bench.messages(&["a"]).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    bench.messages(&["b"]).await;
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    assert_eq!(bench.calls(), Vec::<String>::new());
    bench.after_ms(5_000).await;
    assert_eq!(bench.calls(), ["f [a b]"]);
    bench.messages(&["c", "d", "e"]).await;
    bench.idle().await;
    assert_eq!(bench.calls(), ["f [c d e]"], "a full batch does not wait");
}

#[tokio::test]
async fn a_message_that_went_round_in_a_circle_is_taken_out() {
    let (_folder, bench) = bench(&consuming(|_| {})).await;
    bench.messages_of_depth(&["a"], 17).await;
    bench.idle().await;
    assert_eq!((bench.calls().len(), bench.left()), (0, String::new()));
    assert!(bench.dead_letters().await[0].starts_with("function:f: 17 events in a row"));
}

#[tokio::test]
async fn a_reload_changes_and_ends_the_consumption() {
    let (_folder, bench) = bench(&consuming(|_| {})).await;
    bench.messages(&["a", "b"]).await;
    bench.idle().await;
    bench.apply(&consuming(|source| source.batch_size = 1)).await;
    bench.messages(&["c", "d"]).await;
    bench.idle().await;
    assert_eq!(bench.calls(), ["f [a b]", "f [c]", "f [d]"]);
    bench.apply(&consuming(|source| source.enabled = false)).await;
    bench.messages(&["e"]).await;
    bench.idle().await;
    assert_eq!((bench.calls().len(), bench.left()), (0, "e:0".to_owned()));
    bench.apply(&consuming(|_| {})).await;
    bench.idle().await;
    assert_eq!(bench.calls(), ["f [e]"]);
}
