//! What is told of deliveries: each attempt, how it went, what follows, and the cause that its invocation names.

use super::stand_in::{Bench, Does, function, open, project};
use crate::base::{Cause, Time, Unit};
use crate::project::{BucketSource, Destination, EventSource, Project, QueueSource, Schedule, StreamSource};
use crate::telemetry::{Delivery, Outcome};
use crate::triggers::ports::PortError;

async fn bench(project: &Project) -> (tempfile::TempDir, Bench) {
    let folder = tempfile::tempdir().expect("a folder");
    let bench = open(folder.path(), project, Time(1_000_000)).await;
    (folder, bench)
}

fn shown(delivery: &Delivery) -> String {
    let outcome = match &delivery.outcome {
        Outcome::Succeeded => "ok".to_owned(),
        Outcome::Failed { kind, message } => format!("{kind}: {message}"),
        Outcome::Refused { message } => message.clone(),
    };
    let again = delivery.again.map(|time| format!(", again at {}", time.0)).unwrap_or_default();
    let dead = delivery.dead.as_ref().map(|place| format!(", dead in {place}")).unwrap_or_default();
    format!("{} → {} #{} {outcome}{again}{dead}", delivery.source, delivery.target, delivery.attempt)
}

fn bucket() -> EventSource {
    EventSource::Bucket(BucketSource { bucket: "b".into(), event: "s3:ObjectCreated:*".into(), prefix: None, suffix: None })
}

/// What was told, one line an attempt; and each names an event that an invocation names as its cause.
fn told(bench: &Bench) -> Vec<String> {
    let deliveries = bench.told();
    let causes = std::mem::take(&mut *bench.outside.causes.lock().expect("unpoisoned"));
    for (trigger, cause) in causes {
        let Cause::Event(number) = cause else { panic!("{trigger} was caused by {cause:?}") };
        assert!(deliveries.iter().any(|delivery| delivery.event == Some(number)), "{trigger} names an event that was told of");
    }
    deliveries.iter().map(shown).collect()
}

#[tokio::test]
async fn every_attempt_is_told_of_until_the_event_is_given_up() {
    let (_folder, bench) = bench(&project(vec![function("f", vec![bucket()])])).await;
    bench.does("f", &[Does::Fail, Does::Throttle, Does::Fail]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    assert_eq!(bench.outside.causes.lock().expect("unpoisoned")[0].0, "bucket b");
    for _ in 0..3 {
        bench.after_ms(2_000).await;
    }
    assert_eq!(
        told(&bench),
        [
            "objects/b → f #1 Error: no, again at 1001000",
            "objects/b → f #2 Rate Exceeded., again at 1003000",
            "objects/b → f #3 Error: no, again at 1006000",
            "objects/b → f #4 Error: no, dead in dead-letters",
        ]
    );
}

#[tokio::test]
async fn a_destination_for_failures_is_named_and_gets_a_delivery_of_its_own() {
    let mut f = function("f", vec![bucket()]);
    (f.retries_max, f.on_failure) = (0, Some(Destination::Queue("lost".into())));
    let (_folder, bench) = bench(&project(vec![f])).await;
    bench.does("f", &[Does::Fail]);
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    assert_eq!(told(&bench), ["objects/b → f #1 Error: no, dead in queue/lost", "destination → queue/lost #1 ok"]);
}

#[tokio::test]
async fn what_is_too_deep_or_has_no_target_is_told_of_though_it_is_not_tried() {
    let (_folder, bench) = bench(&project(vec![function("f", vec![bucket()])])).await;
    bench.emit("objects", "b", r#"{"key":"k","name":"ObjectCreated:Put"}"#.into(), 16).await;
    *bench.outside.refuses.lock().expect("unpoisoned") = Some(PortError::lasting("no such queue"));
    bench.emit("topics", "t", r#"{"function":"f","queue":"q","message":"m"}"#.into(), 0).await;
    bench.idle().await;
    let mut told = told(&bench);
    told.sort();
    assert_eq!(told.len(), 3, "{told:#?}");
    assert!(told[0].starts_with("objects/b → f #0 17 events in a row") && told[0].ends_with(", dead in dead-letters"), "{told:#?}");
    assert_eq!(told[1..], ["topics/t → f #1 ok", "topics/t → queue/q #1 no such queue, dead in dead-letters"]);
}

#[tokio::test]
async fn batches_of_queues_and_streams_are_deliveries_with_numbers_of_their_own() {
    let queue = QueueSource {
        queue: "q".into(),
        batch_size: 10,
        window_s: 0,
        enabled: true,
        partial_failures: true,
        filters: Vec::new(),
        concurrency_max: None,
    };
    let stream = StreamSource {
        table: "t".into(),
        batch_size: 10,
        window_s: 0,
        enabled: true,
        from_latest: false,
        partial_failures: false,
        filters: Vec::new(),
        retries_max: Some(1),
        bisect: false,
        on_failure: None,
    };
    let functions = vec![function("f", vec![EventSource::Queue(queue)]), function("g", vec![EventSource::Stream(stream)])];
    let (_folder, bench) = bench(&project(functions)).await;
    bench.does("f", &[Does::Answer(r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#)]);
    bench.messages(&["a", "b"]).await;
    bench.idle().await;
    bench.does("g", &[Does::Fail]);
    bench.records(1..=2).await;
    bench.idle().await;
    bench.after_ms(500).await;
    let triggers: Vec<String> = bench.outside.causes.lock().expect("unpoisoned").iter().map(|(trigger, _)| trigger.clone()).collect();
    assert_eq!(triggers, ["queue q", "table t", "table t"]);
    assert_eq!(
        told(&bench),
        [
            "queues/q → f #1 BatchItemFailures: 1 of 2 messages failed",
            "tables/t → g #1 Error: no, again at 1000500",
            "tables/t → g #2 Error: no, dead in dead-letters",
        ]
    );
}

#[tokio::test]
async fn a_schedule_is_told_of_by_its_name() {
    let schedule = Schedule { name: "nightly".into(), expression: "rate(1 minute)".into(), enabled: true, input: None };
    let (_folder, bench) = bench(&project(vec![function("f", vec![EventSource::Schedule(schedule)])])).await;
    bench.after_ms(60_000).await;
    assert_eq!(told(&bench), ["schedule/nightly → f #1 ok"]);
}

#[tokio::test]
async fn a_run_of_a_schedule_is_billed_once_however_often_its_function_is_tried() {
    let schedule = Schedule { name: "nightly".into(), expression: "rate(1 hour)".into(), enabled: true, input: None };
    let events = vec![EventSource::Schedule(schedule), bucket()];
    let (_folder, bench) = bench(&project(vec![function("f", events)])).await;
    bench.does("f", &[Does::Fail]);
    bench.after_ms(3_600_000).await;
    bench.after_ms(2_000).await;
    bench.object("b", "k", "ObjectCreated:Put").await;
    bench.idle().await;
    let runs: Vec<u64> = bench.told().iter().map(|delivery| delivery.own.get(Unit::ScheduleRuns)).collect();
    assert_eq!(runs, [1, 0, 0], "the first attempt, the second, and another event");
}
