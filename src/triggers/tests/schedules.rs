//! Schedules that call functions.

use serde_json::{Value, json};

use super::stand_in::{Bench, Does, function, open, project};
use crate::base::{Call, Time};
use crate::project::{EventSource, Project, Schedule};

/// 2026-11-21T02:00:30Z.
const START: Time = Time(1_795_226_430_000);

fn scheduled(expression: &str, input: Option<Value>) -> Project {
    let schedule = Schedule { name: "f-schedule-1".into(), expression: expression.into(), enabled: true, input };
    project(vec![function("f", vec![EventSource::Schedule(schedule)])])
}

async fn bench(project: &Project) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = open(folder.path(), project, START).await;
    (folder, bench)
}

/// The times of the scheduled events that were delivered.
fn times(bench: &Bench) -> Vec<String> {
    let mut times: Vec<String> = bench
        .calls()
        .iter()
        .map(|call| serde_json::from_str::<Value>(call.split_once(' ').expect("an event").1).expect("JSON"))
        .map(|event| event["time"].as_str().expect("a time").to_owned())
        .collect();
    times.sort();
    times
}

#[tokio::test]
async fn a_rate_fires_one_period_after_its_beginning_and_every_period_after() {
    let (_folder, bench) = bench(&scheduled("rate(1 minute)", None)).await;
    bench.after_ms(59_999).await;
    assert_eq!(times(&bench), Vec::<String>::new());
    bench.after_ms(1).await;
    assert_eq!(times(&bench), ["2026-11-21T02:01:30Z"]);
    bench.after_ms(60_000).await;
    assert_eq!(times(&bench), ["2026-11-21T02:02:30Z"]);
}

#[tokio::test]
async fn a_clock_that_is_moved_fires_every_time_that_it_passes() {
    let (_folder, bench) = bench(&scheduled("cron(0/10 * * * ? *)", None)).await;
    bench.after_ms(25 * 60_000).await;
    assert_eq!(times(&bench), ["2026-11-21T02:10:00Z", "2026-11-21T02:20:00Z"]);
}

#[tokio::test]
async fn an_input_takes_the_place_of_the_event() {
    let (_folder, bench) = bench(&scheduled("rate(1 minute)", Some(json!({ "task": "sweep" })))).await;
    bench.after_ms(60_000).await;
    assert_eq!(bench.calls(), [r#"f {"task":"sweep"}"#]);
}

#[tokio::test]
async fn a_run_that_was_due_before_a_crash_is_made_and_downtime_is_not_made_up_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = scheduled("rate(1 minute)", None);
    let before = open(folder.path(), &project, START).await;
    before.does("f", &[Does::Fail]);
    before.after_ms(60_000).await;
    assert_eq!(times(&before), ["2026-11-21T02:01:30Z"]);
    drop(before);
    let after = open(folder.path(), &project, START.plus_ms(10 * 60_000 + 1_000)).await;
    after.idle().await;
    assert_eq!(times(&after), ["2026-11-21T02:01:30Z"], "the run that failed is tried again, the nine that were missed are not");
    after.after_ms(59_000).await;
    assert_eq!(times(&after), ["2026-11-21T02:11:30Z"]);
}

#[tokio::test]
async fn a_reload_keeps_the_grid_and_a_removed_schedule_fires_no_more() {
    let (_folder, bench) = bench(&scheduled("rate(1 minute)", None)).await;
    bench.after_ms(30_000).await;
    bench.apply(&scheduled("rate(1 minute)", None)).await;
    bench.after_ms(30_000).await;
    assert_eq!(times(&bench), ["2026-11-21T02:01:30Z"]);
    bench.apply(&project(Vec::new())).await;
    bench.after_ms(600_000).await;
    assert_eq!(times(&bench), Vec::<String>::new());
    assert_eq!(bench.triggers.schedules().list(&Call::operator()).await.expect("the schedules"), Vec::new());
}

#[tokio::test]
async fn a_schedule_that_cannot_be_understood_is_named_and_the_others_run() {
    let (_folder, bench) = bench(&project(Vec::new())).await;
    let problems = bench.triggers.apply(&scheduled("rate(1 fortnight)", None)).await.expect("applied");
    assert!(problems[0].starts_with("schedule `f-schedule-1` of function `f`: "), "{problems:?}");
}
