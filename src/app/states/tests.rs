//! Exports: the same state gives the same bytes, whatever is in it; and what is wrong with one is told with its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::seeded::Nobody;
use super::{Makings, States, World};
use crate::base::{Call, Clock, Ids, Standing, Time};
use crate::project::{Load, Project};
use crate::services::pubsub;
use crate::store::portable::Reader;
use crate::wire::aws::Aws;
use crate::wire::aws::arn::Account;
use crate::wire::http::Body;

/// A state that is open by itself, with its face for requests.
struct Bench {
    folder: tempfile::TempDir,
    states: States,
    world: World,
    aws: Aws,
    project: Arc<Project>,
}

async fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("serverless.yaml"), "service: none\nprovider: { name: aws, runtime: nodejs22.x }\n")
        .expect("written");
    let project = crate::project::load(&Load::new(folder.path())).expect("a project").project;
    let (ids, account, clock) = (Ids::seeded(7), Account::local("us-east-1"), Clock::frozen(Time(1_795_226_430_000)));
    let state = folder.path().join("state");
    let world = World::open(&state, clock.clone(), ids.clone(), true).await.expect("a world");
    // Events wait, for nobody delivers them.
    world.db.set_interest(Box::new(|_, _| true));
    let aws = Aws::new(&world.services, Arc::new(Nobody), &account, &clock, &ids);
    let makings = Makings { folder: state, world: world.clone(), ids, account, ephemeral: true, running: None };
    Bench { states: States::open(makings).expect("states"), world, aws, project: Arc::new(project), folder }
}

impl Bench {
    async fn json(&self, target: &str, body: Value) -> Value {
        let request = http::Request::post("/").header("x-amz-target", target).header("content-type", "application/x-amz-json-1.0");
        let response = self.aws.handle(&Call::operator(), request.body(Body::from(body.to_string())).expect("a request")).await;
        let status = response.status();
        let bytes = response.into_body().collect(64 << 20).await.expect("an answer");
        assert!(status.is_success(), "{target} {body}: {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    }

    async fn s3(&self, method: &str, path: &str, body: Vec<u8>) {
        let request = http::Request::builder().method(method).uri(path).header("host", "localhost").header("content-length", body.len());
        let response = self.aws.handle(&Call::operator(), request.body(Body::from(body)).expect("a request")).await;
        assert!(response.status().is_success(), "{method} {path}: {}", response.status());
    }

    async fn export(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let dir = self.folder.path().join(name);
        self.states.export(&dir, false).await.expect("exported");
        files(&dir)
    }

    async fn import(&self, name: &str) -> Result<(), String> {
        let dir = self.folder.path().join(name);
        self.states.import(&self.project, &dir, true).await.map_err(|error| format!("{error:#}"))
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut found, mut pending) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                pending.push(path);
            } else {
                let name = path.strip_prefix(dir).expect("found there").display().to_string();
                found.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![any::<i64>().prop_map(|n| n.to_string()), (-1.0e9..1.0e9).prop_map(|n: f64| format!("{n:.3}"))];
    let leaf = prop_oneof![
        "\\PC{0,12}".prop_map(|text| json!({ "S": text })),
        number.prop_map(|number| json!({ "N": number })),
        any::<bool>().prop_map(|truth| json!({ "BOOL": truth })),
        Just(json!({ "NULL": true })),
        Just(json!({ "B": "AP8=" })),
        prop::collection::btree_set("[a-z]{1,4}", 1..4).prop_map(|set| json!({ "SS": set })),
        prop::collection::btree_set(-50i32..50, 1..4)
            .prop_map(|set| json!({ "NS": set.iter().map(ToString::to_string).collect::<Vec<_>>() })),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|list| json!({ "L": list })),
            prop::collection::btree_map("[a-zA-Z]{1,5}", inner, 0..4).prop_map(|map| json!({ "M": map })),
        ]
    })
}

/// Something that changes a state.
#[derive(Clone, Debug)]
enum Step {
    Item { key: u8, value: Value },
    NoItem { key: u8 },
    Message { body: String, delay_s: u16 },
    Receive,
    Object { key: u8, bytes: Vec<u8>, times: u16 },
    NoObject { key: u8 },
    Mail { subject: String },
    Publish { message: String },
    Later { ms: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..12u8, value()).prop_map(|(key, value)| Step::Item { key, value }),
        1 => (0..12u8).prop_map(|key| Step::NoItem { key }),
        2 => ("[ -~]{1,20}", 0..900u16).prop_map(|(body, delay_s)| Step::Message { body, delay_s }),
        1 => Just(Step::Receive),
        // Short texts, bytes in rows, and files.
        3 => (0..6u8, prop::collection::vec(any::<u8>(), 0..40), prop_oneof![Just(1u16), Just(100), Just(4_000)])
            .prop_map(|(key, bytes, times)| Step::Object { key, bytes, times }),
        1 => (0..6u8).prop_map(|key| Step::NoObject { key }),
        1 => "[ -~]{1,20}".prop_map(|subject| Step::Mail { subject }),
        1 => "[ -~]{1,20}".prop_map(|message| Step::Publish { message }),
        1 => (1..5_000_000u32).prop_map(|ms| Step::Later { ms }),
    ]
}

async fn begin(bench: &Bench) {
    let table = json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }, { "AttributeName": "n", "AttributeType": "N" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }, { "AttributeName": "n", "KeyType": "RANGE" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
        "GlobalSecondaryIndexes": [{
            "IndexName": "byN", "KeySchema": [{ "AttributeName": "n", "KeyType": "HASH" }], "Projection": { "ProjectionType": "ALL" },
        }],
    });
    bench.json("DynamoDB_20120810.CreateTable", table).await;
    bench.json("AmazonSQS.CreateQueue", json!({ "QueueName": "q", "Attributes": { "VisibilityTimeout": "77" } })).await;
    bench.s3("PUT", "/bucket-of-things", Vec::new()).await;
    let topic = BTreeMap::new();
    bench.world.services.topics.create(&Call::operator(), "t", &topic, &topic).await.expect("a topic");
    let (pubsub, call) = (&bench.world.services.pubsub, Call::operator());
    let (topic, subscription) = pubsub_names();
    let named = pubsub::Topic { name: topic.clone(), settings: pubsub::TopicSettings::default() };
    pubsub.create_topic(&call, named).await.expect("a topic");
    let settings = pubsub::Settings { ordering: true, filter: "NOT attributes:none".into(), ..pubsub::Settings::default() };
    pubsub.subscribe(&call, subscription, topic, settings).await.expect("subscribed");
}

fn pubsub_names() -> (pubsub::TopicName, pubsub::SubscriptionName) {
    let topic = pubsub::TopicName::parse("projects/p/topics/topic").expect("a name");
    (topic, pubsub::SubscriptionName::parse("projects/p/subscriptions/sub").expect("a name"))
}

async fn take(bench: &Bench, step: Step) {
    let queue = "http://localhost/000000000000/q";
    match step {
        Step::Item { key, value } => {
            let item = json!({ "id": { "S": format!("k{key}") }, "n": { "N": (key % 3).to_string() }, "v": value });
            bench.json("DynamoDB_20120810.PutItem", json!({ "TableName": "things", "Item": item })).await;
        }
        Step::NoItem { key } => {
            let key = json!({ "id": { "S": format!("k{key}") }, "n": { "N": (key % 3).to_string() } });
            bench.json("DynamoDB_20120810.DeleteItem", json!({ "TableName": "things", "Key": key })).await;
        }
        Step::Message { body, delay_s } => {
            let attributes = json!({ "a": { "DataType": "String", "StringValue": "b" } });
            let message = json!({ "QueueUrl": queue, "MessageBody": body, "DelaySeconds": delay_s, "MessageAttributes": attributes });
            bench.json("AmazonSQS.SendMessage", message).await;
        }
        Step::Receive => {
            bench.json("AmazonSQS.ReceiveMessage", json!({ "QueueUrl": queue })).await;
            let received = bench.world.services.pubsub.pull(&Call::operator(), &pubsub_names().1, 1, true).await;
            received.expect("an answer");
        }
        Step::Object { key, bytes, times } => bench.s3("PUT", &format!("/bucket-of-things/k{key}"), bytes.repeat(times.into())).await,
        Step::NoObject { key } => bench.s3("DELETE", &format!("/bucket-of-things/k{key}"), Vec::new()).await,
        Step::Mail { subject } => {
            let draft = crate::services::mail::Draft {
                source: "a@example.com".into(),
                to: vec!["b@example.com".into()],
                subject: Some(subject),
                text: Some("text".into()),
                bytes_max: 10 << 20,
                ..Default::default()
            };
            bench.world.services.mail.verify(&Call::operator(), "a@example.com").await.expect("verified");
            bench.world.services.mail.send(&Call::operator(), draft).await.expect("sent");
        }
        Step::Publish { message } => {
            // Bytes that are no text as well.
            let data = [message.as_bytes(), &[0xff]].concat();
            let content = pubsub::Publish { data, ordering: Some("k".into()), ..Default::default() };
            bench.world.services.pubsub.publish(&Call::operator(), &pubsub_names().0, vec![content]).await.expect("published");
            let publish = crate::services::topics::Publish { message, ..Default::default() };
            bench.world.services.topics.publish(&Call::operator(), "t", publish).await.expect("published");
        }
        Step::Later { ms } => {
            bench.world.db.clock().advance_ms(ms.into());
            bench.world.db.keep_clock(&Call::operator()).await.expect("kept");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn an_export_that_is_imported_and_exported_again_is_the_same_to_the_byte(steps in prop::collection::vec(step(), 0..25)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let bench = bench().await;
            begin(&bench).await;
            for step in steps {
                take(&bench, step).await;
            }
            let first = bench.export("first").await;
            let again = bench.export("again").await;
            assert_eq!(first, again, "the same state gives the same bytes");
            take(&bench, Step::Item { key: 99, value: json!({ "S": "gone by the import" }) }).await;
            let standing = bench.world.db.clock().standing();
            bench.world.db.clock().stand(Standing::Ahead(5));
            bench.import("first").await.expect("imported");
            prop_assert!(bench.world.db.clock().standing() == standing || !first.contains_key("clock.json"));
            let second = bench.export("second").await;
            for (file, bytes) in &first {
                let text = |bytes: Option<&Vec<u8>>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                prop_assert_eq!(text(Some(bytes)), text(second.get(file)), "{}", file);
            }
            prop_assert_eq!(first.len(), second.len());
            Ok(())
        })?;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn an_import_says_which_line_is_wrong_and_changes_nothing() {
    let bench = bench().await;
    begin(&bench).await;
    for key in 0..3 {
        take(&bench, Step::Item { key, value: json!({ "S": "v" }) }).await;
    }
    take(&bench, Step::Message { body: "m".into(), delay_s: 5 }).await;
    take(&bench, Step::Object { key: 1, bytes: b"some text".to_vec(), times: 1 }).await;
    take(&bench, Step::Object { key: 2, bytes: vec![255; 30], times: 4_000 }).await;
    let good = bench.export("good").await;
    let items = String::from_utf8(good["tables/things/items.jsonl"].clone()).expect("text");
    let first = items.lines().next().expect("a line").to_owned();
    let messages = String::from_utf8(good["queues/messages.jsonl"].clone()).expect("text");
    let contents = String::from_utf8(good["objects/contents.jsonl"].clone()).expect("text");
    let blob = good.keys().find(|name| name.starts_with("objects/files/")).expect("a file").clone();
    type Case<'a> = (&'a str, String, &'a str);
    let cases: [Case<'_>; 15] = [
        (
            "export.json",
            r#"{"format":"emu state","version":2}"#.into(),
            "export.json: the export was written by a newer emu (version 2, this emu knows 1)",
        ),
        ("export.json", r#"{"format":"tar","version":1}"#.into(), "its `format` is not"),
        ("tables/things/items.jsonl", format!("{items}not JSON\n"), "items.jsonl:4: it is no JSON"),
        ("tables/things/items.jsonl", format!("{first}\n{first}\n"), "items.jsonl:2: there is an item of this key before"),
        (
            "tables/things/items.jsonl",
            "{\"id\":{\"S\":\"x\"}}\n".into(),
            "items.jsonl:1: One or more parameter values were invalid: Missing the key n",
        ),
        ("tables/things/items.jsonl", "{\"id\":{\"S\":5},\"n\":{\"N\":\"1\"}}\n".into(), "items.jsonl:1: `id`: write a value as"),
        ("tables/things/items.jsonl", format!("\n\n{}\n", "[".repeat(5_000)), "items.jsonl:3: it is no JSON"),
        ("tables/things/table.json", "{}".into(), "table.json: missing field"),
        ("tables/other/items.jsonl", first.clone(), "tables/other/table.json: it is missing"),
        (
            "queues/messages.jsonl",
            messages.replace("\"queue\":\"q\"", "\"queue\":\"none\""),
            "messages.jsonl:1: it repeats a line, or names something",
        ),
        (
            "queues/messages.jsonl",
            messages.replace("\"depth\":1", "\"depth\":70000"),
            "messages.jsonl:1: `depth`: it is no whole number from 0 to 65535",
        ),
        ("queues/messages.jsonl", messages.replace("\"body\"", "\"bodi\""), "messages.jsonl:1: there is no field `bodi` here"),
        ("queues/mesages.jsonl", messages.clone(), "mesages.jsonl: no part of a state is called that"),
        ("objects/contents.jsonl", contents.replace("some text", "sum textt"), "contents.jsonl:1: its bytes are not those that it names"),
        (&blob, "short".into(), "its bytes are not those that it names"),
    ];
    for (n, (file, text, wanted)) in cases.into_iter().enumerate() {
        let name = format!("bad{n}");
        bench.states.export(&bench.folder.path().join(&name), false).await.expect("exported");
        let path = bench.folder.path().join(&name).join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, &text).expect("written");
        let error = bench.import(&name).await.expect_err(file);
        assert!(error.contains(wanted), "{file}: {error}\nand not: {wanted}");
    }
    let outside = bench.folder.path().join("linked");
    bench.states.export(&outside, false).await.expect("exported");
    std::fs::remove_file(outside.join(&blob)).expect("removed");
    std::os::unix::fs::symlink("/etc/passwd", outside.join(&blob)).expect("linked");
    assert!(bench.import("linked").await.expect_err("a link").contains("it is no plain file"));
    assert_eq!(bench.export("after").await, good, "the state is what it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn what_was_not_delivered_can_be_left_out_and_an_export_is_replaced_only_where_that_is_said() {
    let bench = bench().await;
    begin(&bench).await;
    take(&bench, Step::Object { key: 1, bytes: b"x".to_vec(), times: 1 }).await;
    take(&bench, Step::Item { key: 1, value: json!({ "S": "v" }) }).await;
    let before = bench.export("export").await;
    assert!(before.contains_key("deliveries/events.jsonl") && before.contains_key("streams/records.jsonl"));
    let dir = bench.folder.path().join("export");
    assert!(bench.states.export(&dir, false).await.expect_err("taken").to_string().contains("--force"));
    bench.states.import(&bench.project, &dir, false).await.expect("imported");
    bench.states.export(&dir, true).await.expect("replaced");
    let mut wanted = before;
    wanted.retain(|name, _| name != "deliveries/events.jsonl" && name != "streams/records.jsonl");
    assert_eq!(files(&dir), wanted, "everything but what waited");
    std::fs::remove_file(dir.join("export.json")).expect("removed");
    assert!(bench.states.export(&dir, true).await.expect_err("taken").to_string().contains("not empty and no export"));
    assert!(super::export::check_head(&Reader::new(dir)).is_err());
}
