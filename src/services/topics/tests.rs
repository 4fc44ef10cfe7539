use serde_json::json;

use super::*;
use crate::base::message::{Attribute, Attributes, Value};
use crate::base::{Call, Clock, Ids, Unit};
use crate::store::{Options, outbox};

fn topics(folder: &tempfile::TempDir) -> (Topics, Db, Clock) {
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a new database opens");
    (Topics::new(db.clone()), db, clock)
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn events(db: &Db) -> Vec<Event> {
    let rows = db.read(&Call::operator(), |tx| outbox::oldest(tx, 100)).await.expect("rows");
    rows.iter().map(|row| serde_json::from_str(&row.body).expect("an event")).collect()
}

fn text(kind: &str, value: &str) -> Attribute {
    Attribute { kind: kind.into(), value: Value::Text(value.into()) }
}

#[tokio::test]
async fn a_publish_tells_of_the_subscriptions_whose_filter_it_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let (topics, db, _) = topics(&folder);
    let call = Call::operator();
    topics.create(&call, "t", &map(&[]), &map(&[])).await.expect("a topic");
    let filter = map(&[("FilterPolicy", r#"{"size":["big"]}"#), ("RawMessageDelivery", "true")]);
    topics.subscribe(&call, "t", "sqs", "arn:aws:sqs:us-east-1:000000000000:all", &map(&[])).await.expect("subscribed");
    topics.subscribe(&call, "t", "sqs", "arn:aws:sqs:us-east-1:000000000000:big", &filter).await.expect("subscribed");
    let waiting = topics.subscribe(&call, "t", "email", "a@b.c", &map(&[])).await.expect("subscribed");
    let publish =
        |size: &str| Publish { message: "m".into(), attributes: [("size".to_owned(), text("String", size))].into(), ..Publish::default() };
    for size in ["small", "big"] {
        topics.publish(&call, "t", publish(size)).await.expect("published");
    }
    topics.confirm(&call, "t", waiting.token.as_deref().expect("a token")).await.expect("confirmed");
    topics.publish(&call, "t", publish("small")).await.expect("published");
    let seen: Vec<Vec<(String, bool)>> = events(&db)
        .await
        .into_iter()
        .map(|event| {
            let mut seen: Vec<_> =
                event.deliveries.into_iter().map(|d| (d.endpoint.rsplit(':').next().unwrap_or_default().to_owned(), d.raw)).collect();
            seen.sort();
            seen
        })
        .collect();
    let (all, big, mail) = (("all".to_owned(), false), ("big".to_owned(), true), ("a@b.c".to_owned(), false));
    assert_eq!(seen, [vec![all.clone()], vec![all.clone(), big], vec![mail, all]]);
    let total = call.meter.total();
    // Three messages in; one, two and two out, one of them a mail.
    assert_eq!((total.get(Unit::TopicPublishes), total.get(Unit::TopicBytes)), (3, 8_000));
    assert_eq!((total.get(Unit::TopicMailDeliveries), total.get(Unit::TopicHttpDeliveries)), (1, 0));
}

#[tokio::test]
async fn a_fifo_topic_publishes_a_repeated_message_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (topics, db, clock) = topics(&folder);
    let call = Call::operator();
    topics
        .create(&call, "t.fifo", &map(&[("FifoTopic", "true"), ("ContentBasedDeduplication", "true")]), &map(&[]))
        .await
        .expect("a topic");
    let publish = || Publish { message: "m".into(), group: Some("g".into()), ..Publish::default() };
    let first = topics.publish(&call, "t.fifo", publish()).await.expect("published");
    assert_eq!(topics.publish(&call, "t.fifo", publish()).await.expect("published"), first);
    clock.advance_ms(300_000);
    assert!(topics.publish(&call, "t.fifo", publish()).await.expect("published").sequence > first.sequence);
    assert_eq!(events(&db).await.len(), 2);
    assert!(matches!(
        topics.publish(&call, "t.fifo", Publish { message: "m".into(), ..Publish::default() }).await,
        Err(Error::Invalid { .. })
    ));
}

#[tokio::test]
async fn a_project_file_makes_topics_and_subscriptions_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (topics, _, _) = topics(&folder);
    let call = Call::operator();
    let subscriptions = [("sqs".to_owned(), "arn:aws:sqs:us-east-1:000000000000:q".to_owned(), json!({ "RawMessageDelivery": true }))];
    for _ in 0..2 {
        topics.ensure(&call, "t", &json!({ "TopicName": "t", "DisplayName": "T" }), &subscriptions).await.expect("a topic");
    }
    let found = topics.subscriptions(&call, Some("t"), "").await.expect("subscriptions").items;
    assert_eq!((found.len(), found[0].attributes["RawMessageDelivery"].as_str()), (1, "true"));
}

#[test]
fn filters() {
    let attributes: Attributes = [
        ("color".to_owned(), text("String", "red")),
        ("price".to_owned(), text("Number", "10.5")),
        ("tags".to_owned(), text("String.Array", r#"["a","b"]"#)),
        ("ip".to_owned(), text("String", "10.0.0.7")),
    ]
    .into();
    for (policy, wanted) in [
        (json!({ "color": ["red", "blue"] }), true),
        (json!({ "color": ["blue"] }), false),
        (json!({ "color": [{ "prefix": "re" }], "price": [{ "numeric": [">", 10, "<=", 10.5] }] }), true),
        (json!({ "color": [{ "suffix": "x" }] }), false),
        (json!({ "color": [{ "anything-but": ["red"] }] }), false),
        (json!({ "color": [{ "anything-but": { "prefix": "bl" } }] }), true),
        (json!({ "tags": [{ "anything-but": "a" }] }), false),
        (json!({ "none": [{ "anything-but": "a" }] }), false),
        (json!({ "tags": ["b"] }), true),
        (json!({ "none": [{ "exists": false }] }), true),
        (json!({ "color": [{ "exists": true }] }), true),
        (json!({ "color": [{ "equals-ignore-case": "RED" }] }), true),
        (json!({ "color": [{ "wildcard": "r*d" }] }), true),
        (json!({ "color": [{ "wildcard": "r*x*d" }] }), false),
        (json!({ "ip": [{ "cidr": "10.0.0.0/24" }] }), true),
        (json!({ "ip": [{ "cidr": "10.0.1.0/24" }] }), false),
        (json!({ "$or": [{ "color": ["blue"] }, { "price": [10.5] }] }), true),
        (json!({}), true),
    ] {
        assert_eq!(filter::matches_attributes(&policy, &attributes), wanted, "{policy}");
    }
    let body = r#"{"order":{"state":"paid","items":[{"sku":"a"},{"sku":"b"}]},"n":3}"#;
    for (policy, wanted) in [
        (json!({ "order": { "state": ["paid"] } }), true),
        (json!({ "order": { "items": { "sku": ["b"] } } }), true),
        (json!({ "order": { "items": { "sku": ["c"] } } }), false),
        (json!({ "n": [{ "numeric": ["=", 3] }], "m": [{ "exists": false }] }), true),
    ] {
        assert_eq!(filter::matches_body(&policy, body), wanted, "{policy}");
    }
    assert!(!filter::matches_body(&json!({}), "no JSON"));
    for bad in ["[]", "nonsense", r#"{"a":"b"}"#, r#"{"a":[{"nope":1}]}"#, r#"{"a":[]}"#, r#"{"a":[{"numeric":["~",1]}]}"#] {
        assert!(filter::check(bad).is_err(), "{bad}");
    }
}

/// Source: "Amazon SNS pricing": 64 KB are one request, a batch is billed by the bytes of all its messages.
#[tokio::test]
async fn publishes_are_billed_by_64_kb_and_a_batch_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let (topics, _, _) = topics(&folder);
    topics.create(&Call::operator(), "t", &map(&[]), &map(&[])).await.expect("a topic");
    let publish = |bytes: usize| Publish { message: "x".repeat(bytes), ..Publish::default() };
    for (sizes, wanted) in [(&[1][..], 1), (&[65_536], 1), (&[65_537], 2), (&[10; 10], 1), (&[30_000; 3], 2)] {
        let call = Call { meter: crate::base::Meter::default(), ..Call::operator() };
        if let [size] = sizes {
            topics.publish(&call, "t", publish(*size)).await.expect("published");
        } else {
            let entries = sizes.iter().enumerate().map(|(n, size)| Entry { id: n.to_string(), publish: publish(*size) }).collect();
            topics.publish_batch(&call, "t", entries).await.expect("published");
        }
        assert_eq!(call.meter.total().get(Unit::TopicPublishes), wanted, "{sizes:?}");
    }
}
