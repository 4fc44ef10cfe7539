//! The state as a whole: reset, saved, restored; and killed in the middle of each.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock::seen;
use crate::emu::{Answer, EMU, Emu, copy};

async fn try_state(emu: &Emu, what: &str, body: Value) -> Result<Answer, String> {
    emu.try_send("POST", &format!("{}/emu/v1/state/{what}", emu.admin), &[], body.to_string()).await
}

async fn state(emu: &Emu, what: &str, body: Value) -> Value {
    let answer = try_state(emu, what, body).await.expect("an answer");
    assert_eq!(answer.status, 200, "{what}: {}", answer.text());
    answer.json()
}

async fn put_thing(emu: &Emu, id: &str) {
    emu.dynamodb("PutItem", json!({ "TableName": "things", "Item": { "id": { "S": id } } })).await;
}

async fn things(emu: &Emu) -> BTreeSet<String> {
    let page = emu.dynamodb("Scan", json!({ "TableName": "things" })).await;
    page["Items"].as_array().expect("items").iter().map(|item| item["id"]["S"].as_str().expect("an id").to_owned()).collect()
}

async fn object(emu: &Emu, key: &str) -> Option<Vec<u8>> {
    let answer = emu.send("GET", &format!("{}/time-files/{key}", emu.aws), &[], "").await;
    (answer.status == 200).then(|| answer.body.to_vec())
}

async fn put_object(emu: &Emu, key: &str, bytes: Vec<u8>) {
    assert_eq!(emu.send("PUT", &format!("{}/time-files/{key}", emu.aws), &[], bytes).await.status, 200);
}

fn set(ids: &[&str]) -> BTreeSet<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reset_goes_back_to_the_seeded_state_and_what_was_under_way_changes_nothing_in_it() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &["--ephemeral"]);
    let seeded = object(&emu, "large.txt").await.expect("seeded");
    for round in 0..3 {
        put_thing(&emu, "mine").await;
        put_object(&emu, "mine.bin", vec![b'x'; 200_000]).await;
        assert_eq!(emu.send("DELETE", &format!("{}/time-files/large.txt", emu.aws), &[], "").await.status, 204);
        let url = format!("{}/000000000000/messages", emu.aws);
        emu.aws("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": "later", "DelaySeconds": 900 })).await;
        emu.send("POST", &format!("{}/emu/v1/clock/advance", emu.admin), &[], r#"{"ms":60000}"#).await;
        emu.send("POST", &format!("{}/emu/v1/clock/freeze", emu.admin), &[], "").await;
        // One that sleeps, to write when it wakes; and one that an HTTP client waits for.
        let functions = format!("{}/2015-03-31/functions/onSleep/invocations", emu.aws);
        let event = json!({ "id": format!("r{round}"), "ms": 5_000 }).to_string();
        let later = emu.send("POST", &functions, &[("x-amz-invocation-type", "Event")], event).await;
        assert_eq!(later.status, 202);
        emu.until("it sleeps", || async { seen(&emu).await.iter().any(|line| line.contains("asleep")).then_some(()) }).await;
        state(&emu, "reset", json!({})).await;
        assert_eq!(things(&emu).await, set(&["seeded"]));
        assert_eq!(object(&emu, "large.txt").await.as_ref(), Some(&seeded));
        assert_eq!(object(&emu, "mine.bin").await, None);
        let clock = emu.send("GET", &format!("{}/emu/v1/clock", emu.admin), &[], "").await.json();
        assert_eq!((&clock["frozen"], &clock["aheadMs"]), (&json!(false), &json!(0)), "the clock is the machine's again");
        let queue = emu.aws("AmazonSQS.GetQueueAttributes", json!({ "QueueUrl": url, "AttributeNames": ["All"] })).await;
        assert_eq!(queue["Attributes"]["ApproximateNumberOfMessagesDelayed"], "0");
        emu.idle().await;
        // Past the time at which the sleeper would have written.
        emu.advance_ms(10_000).await;
        emu.idle().await;
        assert_eq!(seen(&emu).await, Vec::<String>::new(), "the new state knows nothing of the old one's work");
    }
    let blobs = || std::fs::read_dir(state_folder(&emu).join("blobs")).expect("a folder").count();
    assert_eq!(blobs(), 1, "the files of the states before are gone");
    put_thing(&emu, "after").await;
    put_object(&emu, "after.bin", vec![b'y'; 100_000]).await;
    emu.dynamodb("DeleteItem", json!({ "TableName": "things", "Key": { "id": { "S": "after" } } })).await;
    emu.idle().await;
    assert!(seen(&emu).await[0].ends_with("gone after"), "triggers go on");
}

/// The state folder of a running emu that throws it away.
fn state_folder(emu: &Emu) -> std::path::PathBuf {
    let wanted = emu.admin.clone();
    let folders = std::fs::read_dir(std::env::temp_dir()).expect("a folder").flatten().map(|entry| entry.path());
    folders
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("emu-")))
        .find(|path| std::fs::read_to_string(path.join("lock")).is_ok_and(|text| text.contains(&wanted)))
        .expect("it has a folder")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resets_under_load_leave_exactly_the_seed() {
    let project = copy("time");
    let emu = Arc::new(Emu::start(project.path(), &["--ephemeral"]));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let (emu, stop) = (emu.clone(), stop.clone());
            tokio::spawn(async move {
                for n in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let item = json!({ "TableName": "things", "Item": { "id": { "S": format!("{writer}-{n}") } } });
                    // One that a reset overtakes fails, which is right.
                    let _ = emu.try_aws("DynamoDB_20120810.PutItem", item).await;
                    let _ = emu.try_send("PUT", &format!("{}/time-files/{writer}-{n}", emu.aws), &[], vec![b'z'; 80_000]).await;
                    let url = format!("{}/000000000000/messages", emu.aws);
                    let _ = emu.try_aws("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": "m" })).await;
                }
            })
        })
        .collect();
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        state(&emu, "reset", json!({})).await;
    }
    stop.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    state(&emu, "reset", json!({})).await;
    emu.idle().await;
    assert_eq!(things(&emu).await, set(&["seeded"]));
    assert_eq!(seen(&emu).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_service_is_reset_and_the_others_stay() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &["--ephemeral"]);
    put_thing(&emu, "mine").await;
    put_object(&emu, "mine.bin", vec![b'x'; 200_000]).await;
    state(&emu, "reset", json!({ "service": "objects" })).await;
    assert_eq!((things(&emu).await, object(&emu, "mine.bin").await), (set(&["mine", "seeded"]), None));
    put_object(&emu, "mine.bin", b"small".to_vec()).await;
    state(&emu, "reset", json!({ "service": "dynamodb" })).await;
    assert_eq!((things(&emu).await, object(&emu, "mine.bin").await), (set(&["seeded"]), Some(b"small".to_vec())));
    let refused = try_state(&emu, "reset", json!({ "service": "dinamo" })).await.expect("an answer");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("there are: tables, documents, objects"), "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_state_is_reset_to_the_seed_and_not_to_where_this_start_began() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &[]);
    put_thing(&emu, "yesterday").await;
    emu.idle().await;
    emu.kill_now();
    drop(emu);
    let emu = Emu::start(project.path(), &[]);
    assert_eq!(things(&emu).await, set(&["seeded", "yesterday"]));
    state(&emu, "reset", json!({})).await;
    assert_eq!(things(&emu).await, set(&["seeded"]));
    // A resource that is new belongs to the seeded state from then on.
    let file = project.path().join("serverless.yaml");
    let text = std::fs::read_to_string(&file).expect("readable");
    let more = "    Added:\n      Type: AWS::SQS::Queue\n      Properties:\n        QueueName: added\n";
    std::fs::write(&file, format!("{text}{more}")).expect("writable");
    let exists = || async { emu.try_aws("AmazonSQS.GetQueueUrl", json!({ "QueueName": "added" })).await.ok().filter(|a| a.status == 200) };
    emu.until("the new queue is made", exists).await;
    state(&emu, "reset", json!({})).await;
    assert!(exists().await.is_some(), "it is there after a reset, too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_brings_back_data_objects_messages_and_the_clock() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &[]);
    put_thing(&emu, "then").await;
    put_object(&emu, "then.bin", vec![b't'; 300_000]).await;
    let url = format!("{}/000000000000/messages", emu.aws);
    emu.aws("AmazonSQS.SendMessage", json!({ "QueueUrl": url, "MessageBody": "waits", "DelaySeconds": 600 })).await;
    emu.send("POST", &format!("{}/emu/v1/clock/freeze", emu.admin), &[], "").await;
    let then = emu.send("GET", &format!("{}/emu/v1/clock", emu.admin), &[], "").await.json();
    state(&emu, "snapshot", json!({ "name": "then" })).await;
    put_thing(&emu, "now").await;
    emu.dynamodb("DeleteItem", json!({ "TableName": "things", "Key": { "id": { "S": "then" } } })).await;
    assert_eq!(emu.send("DELETE", &format!("{}/time-files/then.bin", emu.aws), &[], "").await.status, 204);
    emu.advance_ms(86_400_000).await;
    emu.idle().await;
    let taken = try_state(&emu, "snapshot", json!({ "name": "then" })).await.expect("an answer");
    assert!(taken.status == 400 && taken.text().contains("--force"), "{}", taken.text());
    for _ in 0..2 {
        state(&emu, "restore", json!({ "name": "then" })).await;
        assert_eq!(emu.send("GET", &format!("{}/emu/v1/clock", emu.admin), &[], "").await.json(), then);
        assert_eq!(things(&emu).await, set(&["seeded", "then"]));
        assert_eq!(object(&emu, "then.bin").await, Some(vec![b't'; 300_000]));
        emu.advance_ms(601_000).await;
        emu.idle().await;
        assert!(seen(&emu).await.iter().any(|line| line.ends_with("message waits")), "{:?}", seen(&emu).await);
        assert_eq!(emu.send("DELETE", &format!("{}/time-files/then.bin", emu.aws), &[], "").await.status, 204);
    }
    let missing = try_state(&emu, "restore", json!({ "name": "never" })).await.expect("an answer");
    assert!(missing.status == 400 && missing.text().contains("there are `then`"), "{}", missing.text());
    emu.kill_now();
    drop(emu);
    // And while emu does not run.
    let run = |arguments: &[&str]| {
        let output = Command::new(EMU).args(arguments).arg("--project").arg(project.path()).output().expect("emu runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["state", "list"]).starts_with("then  "));
    assert!(run(&["state", "restore", "then"]).contains("restored `then`"));
    assert!(run(&["state", "snapshot", "again"]).contains("saved `again`"));
    assert!(run(&["state", "reset"]).contains("reset everything"));
    let emu = Emu::start(project.path(), &[]);
    assert_eq!(things(&emu).await, set(&["seeded"]));
    state(&emu, "restore", json!({ "name": "again" })).await;
    assert_eq!(object(&emu, "then.bin").await, Some(vec![b't'; 300_000]));
}

/// How many kills each of the operations is given.
const KILLS: u64 = 24;

/// The old state has `OLD` things and objects, the new one has others, none in common.
const SIZE: usize = 60;

async fn fill(emu: &Emu, mark: &str) {
    let body = mark.repeat(70_000 / mark.len());
    for n in 0..SIZE {
        put_thing(emu, &format!("{mark}-{n}")).await;
        put_object(emu, &format!("{mark}-{n}"), body.clone().into_bytes()).await;
    }
}

/// Which of the states it is; panics where it is neither.
async fn which(emu: &Emu, states: &[(&str, bool)]) -> String {
    let things: BTreeSet<String> = things(emu).await.into_iter().filter(|id| id != "seeded").collect();
    for (mark, filled) in states {
        let wanted: BTreeSet<String> = if *filled { (0..SIZE).map(|n| format!("{mark}-{n}")).collect() } else { BTreeSet::new() };
        if things != wanted {
            continue;
        }
        for (other, filled) in states.iter().filter(|(_, filled)| *filled) {
            for n in [0, SIZE / 2, SIZE - 1] {
                let found = object(emu, &format!("{other}-{n}")).await;
                assert_eq!(found.is_some(), other == mark && *filled, "{other}-{n} in `{mark}`");
                assert!(found.is_none_or(|bytes| bytes.len() == 70_000 / other.len() * other.len()));
            }
        }
        return (*mark).to_owned();
    }
    panic!("a mixture: {things:?}");
}

fn check_integrity(project: &Path) {
    let database = rusqlite::Connection::open(project.join(".emu/state.db")).expect("it opens");
    let check: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("it is checked");
    assert_eq!(check, "ok");
}

/// Sends `what` and kills emu a while later, each time a little later than before; answers whether it was done.
async fn kill_during(emu: Emu, what: &str, body: Value, wait: Duration) -> bool {
    let emu = Arc::new(emu);
    let asked = tokio::spawn({
        let (emu, what) = (emu.clone(), what.to_owned());
        async move { try_state(&emu, &what, body).await.is_ok_and(|answer| answer.status == 200) }
    });
    tokio::time::sleep(wait).await;
    emu.kill_now();
    asked.await.expect("no panic")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_a_restore_an_import_or_a_reset_leaves_one_state_or_the_other() {
    let (project, export) = (copy("time"), tempfile::tempdir().expect("a folder"));
    let emu = Emu::start(project.path(), &[]);
    fill(&emu, "old").await;
    state(&emu, "snapshot", json!({ "name": "old" })).await;
    state(&emu, "export", json!({ "dir": export.path() })).await;
    state(&emu, "reset", json!({})).await;
    fill(&emu, "new").await;
    state(&emu, "snapshot", json!({ "name": "new" })).await;
    drop(emu);
    let (mut done, mut seen) = (0, BTreeSet::new());
    for round in 0..KILLS {
        let emu = Emu::start(project.path(), &[]);
        let before = which(&emu, &[("old", true), ("new", true), ("seed", false)]).await;
        let (what, body, after, spread) = match round % 4 {
            0 => ("restore", json!({ "name": "old" }), "old", 40_000),
            1 => ("restore", json!({ "name": "new" }), "new", 40_000),
            2 => ("import", json!({ "dir": export.path() }), "old", 300_000),
            _ => ("reset", json!({}), "seed", 20_000),
        };
        // The whole takes some milliseconds: most kills hit it, some come before, some after.
        let answered = kill_during(emu, what, body, Duration::from_micros(round * spread / KILLS)).await;
        let emu = Emu::start(project.path(), &[]);
        let now = which(&emu, &[("old", true), ("new", true), ("seed", false)]).await;
        assert!(now == before || now == after, "from {before} to {after} it became {now}");
        assert!(!answered || now == after, "what was answered was done");
        done += u32::from(now == after);
        seen.insert(now);
        drop(emu);
        check_integrity(project.path());
    }
    eprintln!("{done} of {KILLS} were done; states seen: {seen:?}");
    let blobs = std::fs::read_dir(project.path().join(".emu/blobs")).expect("a folder").count();
    assert!(blobs <= SIZE + 1, "{blobs} files: what nobody names is swept");
    let aside = std::fs::read_dir(project.path().join(".emu/aside")).expect("a folder").count();
    assert!(aside <= 4, "{aside} states aside: those of killed processes are swept");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_a_snapshot_leaves_the_snapshot_before_or_a_whole_new_one() {
    let project = copy("time");
    let emu = Emu::start(project.path(), &[]);
    fill(&emu, "a").await;
    state(&emu, "snapshot", json!({ "name": "s" })).await;
    drop(emu);
    let mut stands = "a".to_owned();
    for round in 0..KILLS {
        let mark = if round % 2 == 0 { "b" } else { "a" };
        let emu = Emu::start(project.path(), &[]);
        state(&emu, "reset", json!({})).await;
        fill(&emu, mark).await;
        let body = json!({ "name": "s", "force": true });
        let answered = kill_during(emu, "snapshot", body, Duration::from_micros(round * 1_700 % 30_000)).await;
        let emu = Emu::start(project.path(), &[]);
        assert_eq!(which(&emu, &[("a", true), ("b", true)]).await, mark, "a snapshot changes nothing in the state");
        state(&emu, "restore", json!({ "name": "s" })).await;
        let now = which(&emu, &[("a", true), ("b", true)]).await;
        assert!(now == stands || now == mark);
        assert!(!answered || now == mark);
        stands = now;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_is_read_by_another_project_and_differences_are_shown() {
    let (project, other, folder) = (copy("time"), copy("time"), tempfile::tempdir().expect("a folder"));
    let dir = folder.path().join("export");
    let export = dir.to_str().expect("text");
    let run = |project: &Path, arguments: &[&str]| {
        let output = Command::new(EMU).args(arguments).arg("--project").arg(project).env("NO_COLOR", "1").output().expect("emu runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let emu = Emu::start(project.path(), &[]);
    put_thing(&emu, "mine").await;
    put_object(&emu, "mine.bin", vec![b'x'; 200_000]).await;
    emu.idle().await;
    let (done, said) = run(project.path(), &["state", "snapshot", "first"]);
    assert!(done, "{said}");
    let (done, said) = run(project.path(), &["state", "export", export]);
    assert!(done && said.contains("exported to"), "{said}");
    let items = std::fs::read_to_string(dir.join("tables/things/items.jsonl")).expect("items");
    assert!(items.contains(r#"{"id":{"S":"mine"}}"#), "{items}");
    emu.dynamodb("PutItem", json!({ "TableName": "things", "Item": { "id": { "S": "mine" }, "n": { "N": "1" } } })).await;
    emu.dynamodb("DeleteItem", json!({ "TableName": "things", "Key": { "id": { "S": "seeded" } } })).await;
    emu.idle().await;
    for from in ["first", export] {
        let (done, said) = run(project.path(), &["state", "diff", from]);
        assert!(done && said.contains("items of things  -1 removed  ~1 changed"), "{said}");
        assert!(said.contains("  - id=\"seeded\"") && said.contains("      n: nothing -> 1"), "{said}");
    }
    let (done, said) = run(project.path(), &["state", "diff", "first", export]);
    assert!(done && said == "no difference\n", "{said}");
    // Into a project that never ran.
    let (done, said) = run(other.path(), &["state", "import", export]);
    assert!(done && said.contains("imported"), "{said}");
    let started = Emu::start(other.path(), &[]);
    assert_eq!(things(&started).await, set(&["mine", "seeded"]));
    assert_eq!(object(&started, "mine.bin").await, Some(vec![b'x'; 200_000]));
    put_object(&started, "later.bin", vec![b'y'; 90_000]).await;
    std::fs::write(dir.join("tables/things/items.jsonl"), format!("{items}oops\n")).expect("written");
    let (done, said) = run(other.path(), &["state", "import", export]);
    assert!(!done && said.contains("items.jsonl:3: it is no JSON"), "{said}");
    assert_eq!(object(&started, "later.bin").await, Some(vec![b'y'; 90_000]), "nothing changed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_under_load_is_of_one_moment() {
    let project = copy("time");
    let emu = Arc::new(Emu::start(project.path(), &[]));
    let stop = Arc::new(AtomicBool::new(false));
    // Two items that are always written together.
    let writer = tokio::spawn({
        let (emu, stop) = (emu.clone(), stop.clone());
        async move {
            for n in 0..u64::MAX {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let put =
                    |id: &str| json!({ "Put": { "TableName": "things", "Item": { "id": { "S": id }, "n": { "N": n.to_string() } } } });
                emu.dynamodb("TransactWriteItems", json!({ "TransactItems": [put("left"), put("right")] })).await;
                let body = format!("{n:0>10000}").repeat(10);
                put_object(&emu, "moving", body.into_bytes()).await;
            }
        }
    });
    for n in 0..8 {
        tokio::time::sleep(Duration::from_millis(30)).await;
        state(&emu, "snapshot", json!({ "name": format!("s{n}") })).await;
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.expect("the writer ends");
    for n in 0..8 {
        state(&emu, "restore", json!({ "name": format!("s{n}") })).await;
        let number = async |id: &str| {
            let found = emu.dynamodb("GetItem", json!({ "TableName": "things", "Key": { "id": { "S": id } } })).await;
            found["Item"]["n"]["N"].as_str().map(str::to_owned)
        };
        assert_eq!(number("left").await, number("right").await);
        assert!(object(&emu, "moving").await.is_none_or(|bytes| bytes.len() == 100_000), "s{n}");
    }
}
