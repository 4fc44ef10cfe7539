//! The program's own services behind the ports: a write through a wire ends in a call of a function.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::stand_in::{Does, Outside, function, project};
use crate::base::message;
use crate::base::{Call, Clock, Ids, Time};
use crate::project::{BucketSource, Destination, EventSource, Project, QueueSource, StreamSource, TopicSource};
use crate::services::objects::notices::Recipient;
use crate::services::objects::{self, Objects};
use crate::services::queues::{self, Queues};
use crate::services::schedules;
use crate::services::tables::{self, Tables};
use crate::services::topics::{self, Publish, Topics};
use crate::store::blobs::Blobs;
use crate::store::{Db, Options};
use crate::triggers::Triggers;
use crate::triggers::aws::Services;
use crate::wire::aws::arn::Account;
use crate::wire::aws::dynamodb::Dynamodb;
use crate::wire::aws::s3::{Destinations, S3};
use crate::wire::http::Body;

/// Whatever notifications name is there.
struct Anywhere;

#[async_trait::async_trait]
impl Destinations for Anywhere {
    async fn has(&self, _call: &Call, _recipient: &Recipient) -> bool {
        true
    }
}

struct Cloud {
    outside: Arc<Outside>,
    clock: Clock,
    triggers: Triggers,
    queues: Queues,
    topics: Topics,
    dynamodb: Dynamodb,
    s3: S3,
    _folder: tempfile::TempDir,
}

async fn cloud(project: &Project) -> Cloud {
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, ids) = (Clock::frozen(Time(1_795_226_430_000)), Ids::seeded(1));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: ids.clone(), ephemeral: true };
    let schemas = [&crate::triggers::SCHEMA, &schedules::SCHEMA, &queues::SCHEMA, &topics::SCHEMA, &tables::SCHEMA, &objects::SCHEMA];
    let db = Db::open(options, &schemas).expect("the database opens");
    let account = Account::local("us-east-1");
    let (queues, topics, tables) = (Queues::new(db.clone()), Topics::new(db.clone()), Tables::new(db.clone()));
    let blobs = Blobs::open(folder.path().join("blobs"), ids.clone()).expect("a folder for blobs");
    let s3 = S3::new(Objects::new(db.clone(), blobs), Arc::new(Anywhere), account.clone(), ids.clone());
    let dynamodb = Dynamodb::new(tables.clone(), account.clone());
    let outside = Arc::new(Outside::default());
    let services = Services::new(queues.clone(), topics.clone(), tables, account.clone(), ids);
    let triggers =
        Triggers::start(db, services.ports(outside.clone(), crate::telemetry::Sink::new(1)), account).await.expect("the triggers start");
    let cloud = Cloud { outside, clock, triggers, queues, topics, dynamodb, s3, _folder: folder };
    assert_eq!(cloud.triggers.apply(project).await.expect("applied"), Vec::<String>::new());
    cloud
}

impl Cloud {
    async fn queue(&self, name: &str, properties: Value) {
        self.queues.ensure(&Call::operator(), name, &properties).await.expect("a queue");
    }

    async fn send(&self, queue: &str, body: &str, group: Option<&str>) {
        let send = queues::Send { group: group.map(Into::into), ..queues::Send::body(body) };
        self.queues.send(&Call::operator(), queue, send).await.expect("sent");
    }

    /// The bodies in a queue.
    async fn bodies(&self, queue: &str) -> Vec<String> {
        let messages = self.queues.peek(&Call::operator(), queue, 100).await.expect("the messages");
        messages.into_iter().map(|message| message.body).collect()
    }

    async fn idle(&self) {
        self.triggers.idle().await.expect("idle");
    }

    fn calls(&self) -> Vec<String> {
        std::mem::take(&mut *self.outside.calls.lock().expect("unpoisoned"))
    }

    async fn dynamodb(&self, operation: &str, body: Value) {
        let request = http::Request::post("/").header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
        let response = self.dynamodb.handle(&Call::operator(), request.body(Body::from(body.to_string())).expect("a request")).await;
        assert_eq!(response.status(), 200, "{operation}");
    }

    async fn s3(&self, line: &str, body: &'static str) {
        let (method, path) = line.split_once(' ').expect("a method and a path");
        let request = http::Request::builder().method(method).uri(path).header("host", "localhost").header("content-length", body.len());
        let response = self.s3.handle(&Call::operator(), request.body(Body::from(body)).expect("a request")).await;
        assert!(response.status().is_success(), "{line}: {}", response.status());
    }
}

fn consumer(queue: &str, partial_failures: bool) -> EventSource {
    EventSource::Queue(QueueSource {
        queue: queue.into(),
        batch_size: 10,
        window_s: 0,
        partial_failures,
        enabled: true,
        concurrency_max: None,
        filters: Vec::new(),
    })
}

#[tokio::test]
async fn a_message_that_fails_too_often_ends_in_the_dead_letter_queue() {
    let cloud = cloud(&project(vec![function("f", vec![consumer("orders", false)])])).await;
    cloud.queue("dead", json!({})).await;
    let redrive = json!({ "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 2 });
    cloud.queue("orders", json!({ "VisibilityTimeout": 5, "RedrivePolicy": redrive })).await;
    cloud.outside.set("f", &[Does::Fail]);
    cloud.send("orders", "hello", None).await;
    for _ in 0..4 {
        cloud.idle().await;
        cloud.clock.advance_ms(5_000);
    }
    cloud.idle().await;
    assert_eq!(cloud.calls(), ["f [hello]", "f [hello]"]);
    assert_eq!((cloud.bodies("orders").await, cloud.bodies("dead").await), (Vec::new(), vec!["hello".to_owned()]));
}

#[tokio::test]
async fn a_fifo_queue_keeps_the_order_of_a_group_through_a_failure() {
    let cloud = cloud(&project(vec![function("f", vec![consumer("q.fifo", false)])])).await;
    cloud.queue("q.fifo", json!({ "FifoQueue": true, "ContentBasedDeduplication": true, "VisibilityTimeout": 5 })).await;
    cloud.outside.set("f", &[Does::Fail, Does::Answer("null")]);
    cloud.send("q.fifo", "a1", Some("a")).await;
    cloud.idle().await;
    cloud.send("q.fifo", "a2", Some("a")).await;
    cloud.send("q.fifo", "b1", Some("b")).await;
    cloud.idle().await;
    assert_eq!(cloud.calls(), ["f [a1]", "f [b1]"], "a group waits for its own failure only");
    cloud.clock.advance_ms(5_000);
    cloud.idle().await;
    let calls = cloud.calls().join(" ");
    assert!(calls.find("a1") < calls.find("a2") && calls.contains("a2"), "{calls}");
    assert_eq!(cloud.bodies("q.fifo").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_written_item_reaches_the_reader_of_the_stream() {
    let source = StreamSource {
        table: "orders".into(),
        batch_size: 10,
        window_s: 0,
        from_latest: true,
        retries_max: None,
        bisect: false,
        partial_failures: true,
        on_failure: None,
        enabled: true,
        filters: vec![json!({ "eventName": ["INSERT"], "dynamodb": { "NewImage": { "paid": { "BOOL": [true] } } } })],
    };
    let cloud = cloud(&project(vec![function("f", vec![EventSource::Stream(source)])])).await;
    let definition = json!({
        "TableName": "orders", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" },
    });
    cloud.dynamodb("CreateTable", definition).await;
    cloud.idle().await;
    for (id, paid) in [("1", false), ("2", true)] {
        cloud.dynamodb("PutItem", json!({ "TableName": "orders", "Item": { "id": { "S": id }, "paid": { "BOOL": paid } } })).await;
    }
    cloud.idle().await;
    let calls = cloud.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].contains(r#""NewImage":{"id":{"S":"2"},"paid":{"BOOL":true}}"#), "{calls:?}");
    assert_eq!(cloud.outside.depths.lock().expect("unpoisoned").clone(), [1]);
}

#[tokio::test]
async fn an_uploaded_object_calls_the_function_of_its_prefix() {
    let source = BucketSource { bucket: "photos".into(), event: "s3:ObjectCreated:*".into(), prefix: Some("images/".into()), suffix: None };
    let cloud = cloud(&project(vec![function("f", vec![EventSource::Bucket(source)])])).await;
    cloud.s3("PUT /photos", "").await;
    cloud.s3("PUT /photos/images/a%20b.png", "abc").await;
    cloud.s3("PUT /photos/docs/a", "abc").await;
    cloud.idle().await;
    let calls = cloud.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    assert!(calls[0].contains(r#""eventName":"ObjectCreated:Put""#) && calls[0].contains(r#""key":"images/a+b.png""#), "{calls:?}");
}

#[tokio::test]
async fn notifications_that_were_set_at_run_time_reach_functions_queues_and_topics() {
    let cloud = cloud(&project(vec![function("f", Vec::new())])).await;
    for queue in ["told", "subscribed"] {
        cloud.queue(queue, json!({})).await;
    }
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:us-east-1:000000000000:{name}");
    let subscription = ("sqs".to_owned(), arn("sqs", "subscribed"), json!({ "RawMessageDelivery": true }));
    cloud.topics.ensure(&Call::operator(), "news", &json!({}), &[subscription]).await.expect("a topic");
    cloud.s3("PUT /photos", "").await;
    cloud.s3("PUT /photos/before.png", "abc").await;
    cloud
        .s3(
            "PUT /photos?notification",
            "<NotificationConfiguration>\
             <CloudFunctionConfiguration><CloudFunction>arn:aws:lambda:us-east-1:000000000000:function:f</CloudFunction>\
             <Event>s3:ObjectCreated:Put</Event></CloudFunctionConfiguration>\
             <QueueConfiguration><Id>gone</Id><Queue>arn:aws:sqs:us-east-1:000000000000:told</Queue><Event>s3:ObjectRemoved:*</Event>\
             <Filter><S3Key><FilterRule><Name>prefix</Name><Value>a</Value></FilterRule></S3Key></Filter></QueueConfiguration>\
             <TopicConfiguration><Topic>arn:aws:sns:us-east-1:000000000000:news</Topic><Event>s3:ObjectCreated:Copy</Event></TopicConfiguration>\
             </NotificationConfiguration>",
        )
        .await;
    cloud.idle().await;
    assert_eq!(cloud.calls(), Vec::<String>::new(), "functions are not tested, and what happened before is not told");
    for queue in ["told", "subscribed"] {
        let shown = cloud.bodies(queue).await;
        assert!(shown.len() == 1 && shown[0].contains(r#""Event":"s3:TestEvent""#), "{queue}: {shown:?}");
    }
    cloud.s3("PUT /photos/a.png", "abc").await;
    cloud.s3("DELETE /photos/a.png", "").await;
    cloud.s3("DELETE /photos/before.png", "").await;
    cloud.idle().await;
    let calls = cloud.calls();
    assert!(calls.len() == 1 && calls[0].contains(r#""key":"a.png""#), "{calls:?}");
    let told = cloud.bodies("told").await;
    assert!(told.len() == 2 && told[1].contains(r#""configurationId":"gone""#) && told[1].contains("ObjectRemoved:Delete"), "{told:?}");
    cloud.s3("PUT /photos?notification", "<NotificationConfiguration/>").await;
    cloud.s3("PUT /photos/b.png", "abc").await;
    cloud.idle().await;
    assert_eq!(cloud.calls(), Vec::<String>::new());
}

#[tokio::test]
async fn a_published_message_reaches_functions_and_queues_and_what_cannot_be_delivered_its_dead_letter_queue() {
    let topic = EventSource::Topic(TopicSource { topic: "news".into(), filter: Some(json!({ "kind": ["sport"] })) });
    let cloud = cloud(&project(vec![function("f", vec![topic]), function("g", Vec::new())])).await;
    cloud.queue("inbox", json!({})).await;
    cloud.queue("dead", json!({})).await;
    let arn = |service: &str, name: &str| format!("arn:aws:{service}:us-east-1:000000000000:{name}");
    let subscriptions = [
        ("sqs".to_owned(), arn("sqs", "inbox"), json!({ "RawMessageDelivery": true })),
        ("sqs".to_owned(), arn("sqs", "gone"), json!({ "RedrivePolicy": { "deadLetterTargetArn": arn("sqs", "dead") } })),
        ("lambda".to_owned(), arn("lambda", "function:shop-dev-g"), json!({})),
    ];
    let call = Call::operator();
    cloud.topics.ensure(&call, "news", &json!({}), &subscriptions).await.expect("a topic");
    for kind in ["sport", "weather"] {
        let attribute = message::Attribute { kind: "String".into(), value: message::Value::Text(kind.into()) };
        let publish = Publish { message: kind.into(), attributes: BTreeMap::from([("kind".to_owned(), attribute)]), ..Publish::default() };
        cloud.topics.publish(&call, "news", publish).await.expect("published");
    }
    cloud.idle().await;
    let calls = cloud.calls();
    let of = |name: &str| calls.iter().filter(|call| call.starts_with(name)).count();
    assert_eq!((of("f "), of("g ")), (1, 2), "{calls:?}");
    assert_eq!(cloud.bodies("inbox").await, ["sport", "weather"]);
    let dead = cloud.bodies("dead").await;
    assert!(dead.len() == 2 && dead[0].contains(r#""Message":"sport""#), "{dead:?}");
    let inbox = cloud.queues.peek(&call, "inbox", 1).await.expect("the messages");
    assert!(inbox[0].attributes.contains_key("kind"), "a raw message keeps its attributes");
}

#[tokio::test]
async fn the_dead_letter_queue_of_a_function_gets_the_event_itself_and_the_reason() {
    let mut f = function("f", vec![EventSource::Topic(TopicSource { topic: "news".into(), filter: None })]);
    (f.retries_max, f.dead_letters) = (0, Some(Destination::Queue("dead".into())));
    let cloud = cloud(&project(vec![f])).await;
    cloud.queue("dead", json!({})).await;
    cloud.outside.set("f", &[Does::Fail]);
    let call = Call::operator();
    cloud.topics.ensure(&call, "news", &json!({}), &[]).await.expect("a topic");
    cloud.topics.publish(&call, "news", Publish { message: "hello".into(), ..Publish::default() }).await.expect("published");
    cloud.idle().await;
    let dead = cloud.queues.peek(&call, "dead", 1).await.expect("the messages");
    let event: Value = serde_json::from_str(&dead[0].body).expect("JSON");
    assert_eq!(event["Records"][0]["Sns"]["Message"], "hello");
    let attributes = &dead[0].attributes;
    assert_eq!(attributes["ErrorCode"], message::Attribute { kind: "Number".into(), value: message::Value::Text("200".into()) });
    assert_eq!(attributes["ErrorMessage"].value, message::Value::Text("Error: no".into()));
    assert!(attributes.contains_key("RequestID"));
}
