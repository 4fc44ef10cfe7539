//! Functions of Firebase: queues of tasks, retries of events, schedules.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stand_in::{Bench, Does, function, open, project};
use crate::base::{Call, Time};
use crate::project::Function;
use crate::project::firebase::{Endpoint, EventTrigger, Generation, Retry, ScheduleTrigger, TaskQueue, Trigger};
use crate::wire::firebase::tasks::{Error, Queues, Task};

fn endpoint(name: &str, trigger: Trigger) -> Function {
    let endpoint = Endpoint {
        codebase: "default".into(),
        entry_point: name.into(),
        generation: Generation::Second,
        regions: vec!["us-central1".into()],
        trigger,
        secrets: vec![],
    };
    Function { firebase: Some(Box::new(endpoint)), ..function(name, vec![]) }
}

async fn bench(trigger: Trigger) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = open(folder.path(), &project(vec![endpoint("f", trigger)]), Time(1_000_000)).await;
    (folder, bench)
}

fn queue(retry: Retry, dispatches_per_second_max: Option<f64>) -> Trigger {
    Trigger::TaskQueue(TaskQueue { retry, dispatches_at_once_max: None, dispatches_per_second_max })
}

fn task(id: &str, due: Option<Time>) -> Task {
    Task { queue: "f".into(), id: Some(id.into()), due, headers: BTreeMap::new(), body: r#"{"data":1}"#.into() }
}

async fn enqueue(bench: &Bench, task: Task) -> Result<String, Error> {
    Queues::enqueue(&bench.triggers, &Call::operator(), task).await
}

/// Of each call the task and how often it was tried before.
fn tried(bench: &Bench) -> Vec<String> {
    let calls = bench.calls();
    let header = |input: &Value, name: &str| {
        let headers = input["headers"].as_array().cloned().unwrap_or_default();
        headers.iter().find(|header| header[0] == name).and_then(|header| header[1].as_str().map(str::to_owned)).unwrap_or_default()
    };
    let shown = calls.iter().map(|call| {
        let input: Value = serde_json::from_str(call.split_once(' ').expect("a name and an event").1).expect("JSON");
        format!("{} {}", header(&input, "x-cloudtasks-taskname"), header(&input, "x-cloudtasks-taskretrycount"))
    });
    shown.collect()
}

#[tokio::test]
async fn a_task_runs_when_it_is_due_and_again_as_its_queue_says() {
    let retry = Retry { attempts_max: Some(3), backoff_min_ms: Some(1_000), ..Retry::default() };
    let (_folder, bench) = bench(queue(retry, None)).await;
    // An answer that is no success is a failure, too.
    bench.does("f", &[Does::Answer(r#"{"status":503,"body":"busy"}"#), Does::Fail, Does::Answer(r#"{"status":204}"#)]);
    enqueue(&bench, task("late", Some(Time(1_005_000)))).await.expect("taken");
    bench.idle().await;
    assert_eq!(tried(&bench), Vec::<String>::new());
    bench.after_ms(5_000).await;
    assert_eq!(tried(&bench), ["late 0"]);
    bench.after_ms(1_000).await;
    assert_eq!(tried(&bench), ["late 1"]);
    bench.after_ms(2_000).await;
    assert_eq!(tried(&bench), ["late 2"]);
    bench.does("f", &[Does::Answer(r#"{"status":500,"body":"broken"}"#)]);
    enqueue(&bench, task("hopeless", None)).await.expect("taken");
    for _ in 0..10 {
        bench.after_ms(10_000).await;
    }
    assert_eq!(tried(&bench), ["hopeless 0", "hopeless 1", "hopeless 2"]);
    assert_eq!(bench.dead_letters().await, ["function:f: function `f` failed 3 times, as often as it is tried"]);
}

#[tokio::test]
async fn a_task_is_there_once_and_can_be_taken_back() {
    let (_folder, bench) = bench(queue(Retry::default(), None)).await;
    let later = || task("a", Some(Time(2_000_000)));
    assert_eq!(enqueue(&bench, later()).await, Ok("a".to_owned()));
    assert_eq!(enqueue(&bench, later()).await, Err(Error::Exists));
    let delete = |id: &'static str| {
        let triggers = bench.triggers.clone();
        async move { Queues::delete(&triggers, &Call::operator(), "f", id).await }
    };
    assert_eq!((delete("a").await, delete("a").await), (Ok(()), Err(Error::NoTask)));
    bench.after_ms(10_000_000).await;
    assert_eq!(bench.calls(), Vec::<String>::new());
    let unknown = Task { queue: "nobody".into(), ..task("a", None) };
    assert_eq!(enqueue(&bench, unknown).await, Err(Error::NoQueue));
}

#[tokio::test]
async fn a_queue_with_a_rate_hands_its_tasks_out_one_after_the_other() {
    let (_folder, bench) = bench(queue(Retry::default(), Some(0.5))).await;
    for id in ["a", "b", "c"] {
        enqueue(&bench, task(id, Some(Time(1_001_000)))).await.expect("taken");
    }
    let mut told = Vec::new();
    for ms in [1_000, 1_999, 1, 2_000] {
        bench.after_ms(ms).await;
        told.push(bench.calls().len());
    }
    assert_eq!(told, [1, 0, 1, 1]);
}

#[tokio::test]
async fn an_event_is_repeated_only_for_those_who_ask_for_it() {
    for (retry, wanted) in [(true, vec![1, 0, 1, 1, 1]), (false, vec![1, 0, 0, 0, 0])] {
        let filters = BTreeMap::from([("topic".to_owned(), "t".to_owned())]);
        let kind = "google.cloud.pubsub.topic.v1.messagePublished".to_owned();
        let (_folder, bench) = bench(Trigger::Event(EventTrigger { kind, filters, patterns: BTreeMap::new(), retry })).await;
        bench.does("f", &[Does::Fail]);
        bench.emit("pubsub", "projects/p/topics/t", json!({ "messageId": "1" }).to_string(), 0).await;
        let mut told = Vec::new();
        for ms in [0, 9_999, 1, 20_000, 40_000] {
            bench.after_ms(ms).await;
            told.push(bench.calls().len());
        }
        assert_eq!(told, wanted, "retry: {retry}");
        let given_up = bench.dead_letters().await;
        assert_eq!(given_up.is_empty(), retry, "{given_up:?}");
    }
}

#[tokio::test]
async fn a_schedule_runs_each_time_it_is_due_though_the_clock_moves_on_meanwhile() {
    let retry = Retry::default();
    let trigger = Trigger::Schedule(ScheduleTrigger { expression: "every 5 minutes".into(), time_zone: None, retry });
    let (_folder, bench) = bench(trigger).await;
    for _ in 0..50 {
        bench.clock.advance_ms(300_000);
        tokio::task::yield_now().await;
    }
    bench.idle().await;
    assert_eq!(bench.calls().len(), 50);
}
