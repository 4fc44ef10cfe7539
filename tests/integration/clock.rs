//! Virtual time: what waits for a time happens at that time, in order, however far the clock is moved.

use std::collections::BTreeMap;
use std::process::Command;

use chrono::{DateTime, Days, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::emu::{EMU, Emu, copy};

/// The next midnight, to begin at.
fn midnight() -> DateTime<Utc> {
    (Utc::now().date_naive() + Days::new(1)).and_time(chrono::NaiveTime::MIN).and_utc()
}

fn iso(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

async fn clock(emu: &Emu, change: &str, body: Value) -> Value {
    let answer = emu.send("POST", &format!("{}/emu/v1/clock/{change}", emu.admin), &[], body.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn invoke_later(emu: &Emu, function: &str, event: Value) {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", emu.aws);
    let answer = emu.send("POST", &url, &[("x-amz-invocation-type", "Event")], event.to_string()).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
}

async fn send_message(emu: &Emu, body: &str, delay_s: u32) {
    let url = format!("{}/000000000000/messages", emu.aws);
    emu.aws("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": body, "DelaySeconds": delay_s })).await;
}

/// What happened, in the order in which it did: `TIME WHAT`.
pub async fn seen(emu: &Emu) -> Vec<String> {
    let page = emu.dynamodb("Scan", json!({ "TableName": "seen" })).await;
    assert!(page["LastEvaluatedKey"].is_null(), "more than one page");
    let rows = page["Items"].as_array().expect("items").iter().filter(|item| item.get("what").is_some());
    let mut rows: Vec<(String, String)> = rows
        .map(|item| {
            let text = |name: &str| item[name]["S"].as_str().expect("text").to_owned();
            (text("id"), format!("{} {}", text("at"), text("what")))
        })
        .collect();
    rows.sort();
    rows.into_iter().map(|(_, what)| what).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_month_happens_in_seconds_and_in_order() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &["--ephemeral"]);
    let start = midnight();
    clock(&emu, "freeze", Value::Null).await;
    clock(&emu, "set", json!({ "time": iso(start) })).await;
    let before = seen(&emu).await.len();
    let began = start.timestamp();
    for (id, days) in [("ten", 10), ("twenty", 20), ("late", 40)] {
        let until = (began + days * 86_400).to_string();
        emu.dynamodb("PutItem", json!({ "TableName": "things", "Item": { "id": { "S": id }, "until": { "N": until } } })).await;
    }
    send_message(&emu, "once", 600).await;
    send_message(&emu, "twice", 0).await;
    for key in ["logs/a", "logs/a", "other/b"] {
        assert_eq!(emu.send("PUT", &format!("{}/time-aged/{key}", emu.aws), &[], "x").await.status, 200);
    }
    assert_eq!(emu.send("POST", &format!("{}/time-aged/unfinished?uploads", emu.aws), &[], "").await.status, 200);
    invoke_later(&emu, "onRetry", json!({ "id": "r" })).await;
    invoke_later(&emu, "onSleep", json!({ "id": "s", "ms": 3_600_000 })).await;
    let started = std::time::Instant::now();
    let now = clock(&emu, "advance", json!({ "ms": 30i64 * 86_400_000 })).await;
    assert_eq!(now["time"], iso(start + Days::new(30)));
    assert!(started.elapsed().as_secs() < 60, "it took {:?}", started.elapsed());
    emu.idle().await;
    let seen: Vec<String> = seen(&emu).await.split_off(before);
    let times: Vec<&str> = seen.iter().map(|line| &line[..24]).collect();
    assert!(times.is_sorted(), "each happened after those before it:\n{}", seen.join("\n"));
    let mut by_what: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in &seen {
        by_what.entry(&line[25..]).or_default().push(&line[..24]);
    }
    let after = |length: TimeDelta| iso(start + length);
    let days: Vec<String> = (0..30).map(|day| after(TimeDelta::hours(24 * day + 6))).collect();
    assert_eq!(by_what["day"], days, "each run of the schedule, at its time");
    assert_eq!(by_what["half day"].len(), 60);
    assert_eq!(by_what["gone ten"], [after(TimeDelta::days(10))]);
    assert_eq!(by_what["gone twenty"], [after(TimeDelta::days(20))]);
    assert_eq!(by_what.get("gone late"), None);
    assert_eq!(by_what["message once"], [after(TimeDelta::minutes(10))]);
    assert_eq!(by_what["message twice"], [iso(start), after(TimeDelta::seconds(30))], "visible again after 30 s");
    assert_eq!(by_what["try r"], [iso(start), after(TimeDelta::minutes(1)), after(TimeDelta::minutes(3))]);
    let aged = |days: &[i64]| days.iter().map(|days| after(TimeDelta::days(*days))).collect::<Vec<_>>();
    let gone = &by_what["LifecycleExpiration:Delete logs/a"];
    assert_eq!(*gone, aged(&[3, 13, 20]), "the version that was replaced, the one that expired, and what said that it was gone");
    assert_eq!(by_what["LifecycleExpiration:DeleteMarkerCreated logs/a"], aged(&[10]), "the newest version expires");
    let kept = emu.send("GET", &format!("{}/time-aged?versions", emu.aws), &[], "").await.text();
    assert!(kept.contains("other/b") && !kept.contains("logs/a"), "{kept}");
    let uploads = emu.send("GET", &format!("{}/time-aged?uploads", emu.aws), &[], "").await.text();
    assert!(!uploads.contains("unfinished"), "an upload that was never finished is given up: {uploads}");
    assert_eq!((by_what["asleep s"][0], by_what["awake s"][0]), (&*iso(start), &*after(TimeDelta::hours(1))), "a function's timer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_frozen_clock_nothing_with_a_deadline_happens_until_it_runs_again() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &["--ephemeral"]);
    clock(&emu, "freeze", Value::Null).await;
    send_message(&emu, "soon", 1).await;
    invoke_later(&emu, "onSleep", json!({ "id": "s", "ms": 500 })).await;
    emu.until("the function sleeps", || async { seen(&emu).await.iter().any(|line| line.ends_with("asleep s")).then_some(()) }).await;
    // Twice as long as both wait for, by the machine's clock.
    tokio::time::sleep(std::time::Duration::from_millis(2_000)).await;
    assert_eq!(seen(&emu).await.len(), 1, "{:?}", seen(&emu).await);
    let resumed = clock(&emu, "resume", Value::Null).await;
    assert_eq!(resumed["frozen"], false);
    emu.until("both happened", || async { (seen(&emu).await.len() == 3).then_some(()) }).await;
    let seen = seen(&emu).await;
    assert!(seen[1].ends_with("awake s") && seen[2].ends_with("message soon"), "{seen:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn urls_messages_and_stream_records_expire_by_the_worlds_clock() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &["--ephemeral"]);
    clock(&emu, "freeze", Value::Null).await;
    let start = midnight();
    let now = clock(&emu, "set", json!({ "time": iso(start) })).await["time"].clone();
    assert_eq!(now, iso(start));
    let day = start.format("%Y%m%d");
    let signed = format!(
        "{}/time-files/large.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=emu%2F{day}%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date={day}T000000Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature={}",
        emu.aws,
        "0".repeat(64)
    );
    assert_eq!(emu.send("GET", &signed, &[], "").await.status, 200);
    emu.dynamodb("PutItem", json!({ "TableName": "things", "Item": { "id": { "S": "x" } } })).await;
    let queue = emu.aws("AmazonSQS.CreateQueue", json!({ "QueueName": "kept", "Attributes": { "MessageRetentionPeriod": "3600" } })).await;
    emu.aws("AmazonSQS.SendMessage", json!({ "QueueUrl": queue["QueueUrl"], "MessageBody": "old" })).await;
    clock(&emu, "advance", json!({ "ms": 3_601_000 })).await;
    assert_eq!(emu.send("GET", &signed, &[], "").await.status, 403, "a signed URL");
    let received = emu.aws("AmazonSQS.ReceiveMessage", json!({ "QueueUrl": queue["QueueUrl"] })).await;
    assert_eq!(received["Messages"], Value::Null, "a message that was kept for too long");
    let streams = emu.aws("DynamoDBStreams_20120810.ListStreams", json!({ "TableName": "things" })).await;
    let arn = &streams["Streams"][0]["StreamArn"];
    let records = async || {
        let stream = emu.aws("DynamoDBStreams_20120810.DescribeStream", json!({ "StreamArn": arn })).await;
        let shard = &stream["StreamDescription"]["Shards"][0]["ShardId"];
        let asked = json!({ "StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON" });
        let iterator = emu.aws("DynamoDBStreams_20120810.GetShardIterator", asked).await;
        let page = emu.aws("DynamoDBStreams_20120810.GetRecords", json!({ "ShardIterator": iterator["ShardIterator"] })).await;
        page["Records"].as_array().expect("records").len()
    };
    assert!(records().await > 0);
    clock(&emu, "advance", json!({ "ms": 86_400_000 })).await;
    emu.until("the records of a day ago are gone", || async { (records().await == 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_users_expire_by_the_worlds_clock_each_at_its_time() {
    let project = copy("time");
    std::fs::write(project.path().join("firebase.json"), "{}").expect("a file");
    let emu = Emu::start(project.path(), &["--ephemeral", "--project-id", "demo-time", "--ports", "auth=0,firestore=0"]);
    clock(&emu, "freeze", Value::Null).await;
    let start = midnight();
    clock(&emu, "set", json!({ "time": iso(start) })).await;
    let ask = async |path: &str, headers: &[(&str, &str)], body: Value| {
        let url = format!("{}/{path}?key=k", emu.url("auth"));
        emu.send("POST", &url, headers, body.to_string()).await.json()
    };
    let auth = async |path: &str, body: Value| ask(path, &[], body).await;
    let user = auth("identitytoolkit.googleapis.com/v1/accounts:signUp", json!({ "email": "a@b.c", "password": "secret" })).await;
    let cookies = "identitytoolkit.googleapis.com/v1/projects/demo-time:createSessionCookie";
    let cookie = async |token: &Value, valid_s: u32| {
        ask(cookies, &[("authorization", "Bearer owner")], json!({ "idToken": token, "validDuration": valid_s.to_string() })).await
    };
    let known = async |token: &Value| {
        let answer = auth("identitytoolkit.googleapis.com/v1/accounts:lookup", json!({ "idToken": token })).await;
        answer["users"][0]["email"].as_str().or_else(|| answer["error"]["message"].as_str()).unwrap_or_default().to_owned()
    };
    let renewed = async || {
        let asked = json!({ "grantType": "refresh_token", "refreshToken": user["refreshToken"] });
        auth("securetoken.googleapis.com/v1/token", asked).await["id_token"].clone()
    };
    let first = &user["idToken"];
    assert!(cookie(first, 300).await["sessionCookie"].is_string(), "a cookie for a token that is good");
    clock(&emu, "advance", json!({ "ms": 3_599_000 })).await;
    assert_eq!(known(first).await, "a@b.c", "a second before its hour is over");
    let second = renewed().await;
    clock(&emu, "advance", json!({ "ms": 1_000 })).await;
    assert_eq!(known(first).await, "INVALID_ID_TOKEN", "its hour is over");
    assert_eq!(cookie(first, 300).await["error"]["message"], "INVALID_ID_TOKEN");
    assert_eq!(known(&second).await, "a@b.c", "one that was issued later is good for longer");
    clock(&emu, "advance", json!({ "ms": 30i64 * 86_400_000 })).await;
    assert_eq!(known(&second).await, "INVALID_ID_TOKEN", "a month later");
    assert_eq!(known(&renewed().await).await, "a@b.c", "what it is renewed with lasts");
}

fn emu(project: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new(EMU).args(arguments).arg("--project").arg(project).output().expect("emu runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_moves_a_clock_that_runs_and_one_that_does_not_and_a_restart_keeps_it() {
    let project = copy("time");
    let machine = |text: &str| text.contains("the machine's time");
    let shown = emu(project.path(), &["clock", "show"]);
    assert!(machine(&shown), "{shown}");
    assert!(emu(project.path(), &["clock", "advance", "25h"]).contains("1d1h ahead of the machine's"));
    let running = Emu::start(project.path(), &[]);
    assert!(emu(project.path(), &["clock", "show"]).contains("1d1h ahead of the machine's"), "the start took over the clock");
    let later = (Utc::now() + Days::new(3)).format("%Y-%m-%d").to_string();
    assert!(emu(project.path(), &["clock", "set", &later]).starts_with(&format!("{later}T00:00:0")));
    assert!(emu(project.path(), &["clock", "freeze"]).contains("stands still"));
    let (first, second) = (emu(project.path(), &["clock", "show", "--json"]), emu(project.path(), &["clock", "show", "--json"]));
    assert_eq!(first, second);
    running.kill_now();
    drop(running);
    assert_eq!(emu(project.path(), &["clock", "show", "--json"]), first, "a kill keeps it, too");
    assert!(machine(&emu(project.path(), &["clock", "set", "now"])));
}
