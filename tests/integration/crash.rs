//! What survives SIGKILL: everything that was acknowledged, and every trigger of it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;

use crate::emu::{Emu, copy};

const KILLS: usize = 50;
const WRITERS: usize = 6;

/// Writes until the connection breaks; answers what was acknowledged, as the rows that its triggers leave in `seen`.
async fn write(emu: Arc<Emu>, writer: usize, round: usize, stop: Arc<AtomicBool>, acknowledged: Arc<Mutex<BTreeSet<String>>>) {
    for n in 0usize.. {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let id = format!("{round}-{writer}-{n}");
        let (answer, seen) = match n % 4 {
            0 => (
                emu.try_aws("DynamoDB_20120810.PutItem", json!({ "TableName": "items", "Item": { "id": { "S": id } } })).await,
                format!("item/{id}"),
            ),
            1 => {
                let url = format!("{}/000000000000/messages", emu.aws);
                (emu.try_aws("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": id })).await, format!("message/{id}"))
            }
            2 => (emu.try_send("PUT", &format!("{}/crash-objects/{id}", emu.aws), &[], vec![b'x'; 70_000]).await, format!("object/{id}")),
            _ => {
                let url = format!("{}/2015-03-31/functions/onInvoke/invocations", emu.aws);
                (
                    emu.try_send("POST", &url, &[("x-amz-invocation-type", "Event")], json!({ "id": id }).to_string()).await,
                    format!("invoke/{id}"),
                )
            }
        };
        match answer {
            Ok(answer) if answer.status < 300 => {
                acknowledged.lock().expect("no writer panics").insert(seen);
            }
            Ok(answer) => panic!("{id}: {} {}", answer.status, answer.text()),
            Err(_) => return,
        }
    }
}

async fn seen(emu: &Emu) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut start = json!(null);
    loop {
        let mut request = json!({ "TableName": "seen" });
        if !start.is_null() {
            request["ExclusiveStartKey"] = start;
        }
        let page = emu.dynamodb("Scan", request).await;
        found.extend(page["Items"].as_array().expect("items").iter().map(|item| item["id"]["S"].as_str().expect("an id").to_owned()));
        start = page["LastEvaluatedKey"].clone();
        if start.is_null() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_kills_under_load_lose_nothing_and_every_trigger_runs() {
    let project = copy("crash");
    let acknowledged = Arc::new(Mutex::new(BTreeSet::new()));
    for round in 0..KILLS {
        let emu = Arc::new(Emu::start(project.path(), &[]));
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write(emu.clone(), writer, round, stop.clone(), acknowledged.clone()))).collect();
        // A different moment each time: in the middle of accepting, committing, delivering.
        tokio::time::sleep(Duration::from_millis(40 + (round as u64 * 37) % 160)).await;
        emu.kill_now();
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.await.expect("every answer that came was a success");
        }
    }
    let emu = Emu::start(project.path(), &[]);
    let wanted = acknowledged.lock().expect("no writer panics").clone();
    assert!(wanted.len() > KILLS * 4, "only {} writes were acknowledged: too few to show anything", wanted.len());
    // A message in flight at a kill comes back after its visibility timeout.
    let missing = || async {
        emu.idle().await;
        let seen = seen(&emu).await;
        let missing: Vec<String> = wanted.difference(&seen).cloned().collect();
        if missing.is_empty() {
            return Some(());
        }
        emu.advance_ms(6_000).await;
        None
    };
    emu.until("every acknowledged write reached its function", missing).await;
    for id in wanted.iter().filter_map(|id| id.strip_prefix("item/")) {
        let found = emu.dynamodb("GetItem", json!({ "TableName": "items", "Key": { "id": { "S": id } } })).await;
        assert_eq!(found["Item"]["id"]["S"], *id);
    }
    for id in wanted.iter().filter_map(|id| id.strip_prefix("object/")) {
        let answer = emu.send("GET", &format!("{}/crash-objects/{id}", emu.aws), &[], "").await;
        assert_eq!((answer.status, answer.body.len()), (200, 70_000), "{id}");
    }
    let state = project.path().join(".emu");
    drop(emu);
    let database = rusqlite::Connection::open(state.join("state.db")).expect("it opens");
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it is checked");
    assert_eq!(check, "ok");
}
