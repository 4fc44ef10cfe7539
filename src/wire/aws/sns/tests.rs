use super::*;
use crate::base::{Clock, Time};
use crate::services::topics::{self, SCHEMA};
use crate::store::{Db, Options, outbox};
use crate::wire::http::Body;

fn sns(folder: &tempfile::TempDir) -> (Sns, Db) {
    let ids = Ids::seeded(1);
    let options = Options { path: folder.path().join("state.db"), clock: Clock::frozen(Time(0)), ids: ids.clone(), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a new database opens");
    (Sns::new(Topics::new(db.clone()), Account::local("us-east-1"), ids), db)
}

async fn check(sns: &Sns, form: &str, wanted: &str) {
    let request = http::Request::builder().method("POST").uri("/").header("content-type", "application/x-www-form-urlencoded");
    let response = sns.handle(&Call::operator(), request.body(Body::from(form.to_owned().into_bytes())).expect("a request")).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect(1 << 20).await.expect("a body");
    let text = format!("{status} {}", String::from_utf8_lossy(&bytes));
    let (code, part) = wanted.split_once(' ').expect("a status and a part");
    assert!(text.starts_with(code) && text.contains(part), "{form}: {text}");
}

const TOPIC: &str = "TopicArn=arn:aws:sns:us-east-1:000000000000:t";

#[tokio::test]
async fn answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let (sns, db) = sns(&folder);
    check(&sns, "Action=CreateTopic&Name=t", "200 <CreateTopicResult><TopicArn>arn:aws:sns:us-east-1:000000000000:t</TopicArn>").await;
    check(&sns, "Action=CreateTopic&Name=t!", "400 <Code>InvalidParameter</Code><Message>Invalid parameter: Topic Name</Message>").await;
    check(&sns, "Action=ListTopics", "200 <Topics><member><TopicArn>arn:aws:sns:us-east-1:000000000000:t</TopicArn></member></Topics>")
        .await;
    check(
        &sns,
        "Action=Publish&TopicArn=arn:aws:sns:us-east-1:0:none&Message=m",
        "404 <Code>NotFound</Code><Message>Topic does not exist</Message>",
    )
    .await;
    check(&sns, "Action=Publish&Message=m", "400 Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter").await;
    check(&sns, &format!("Action=Publish&{TOPIC}&Message="), "400 Invalid parameter: Empty message").await;
    check(
        &sns,
        &format!("Action=Publish&{TOPIC}&Message=%7B%7D&MessageStructure=json"),
        "400 Message Structure - No default entry in JSON message body",
    )
    .await;
    check(&sns, &format!("Action=Subscribe&{TOPIC}&Protocol=pigeon&Endpoint=x"), "400 does not support this protocol string: pigeon").await;
    check(
        &sns,
        &format!("Action=Subscribe&{TOPIC}&Protocol=sqs&Endpoint=arn:aws:sqs:us-east-1:000000000000:q&Attributes.entry.1.key=RawMessageDelivery&Attributes.entry.1.value=false"),
        "200 <SubscriptionArn>arn:aws:sns:us-east-1:000000000000:t:",
    )
    .await;
    check(&sns, &format!("Action=ListSubscriptionsByTopic&{TOPIC}"), "200 <Endpoint>arn:aws:sqs:us-east-1:000000000000:q</Endpoint>").await;
    check(&sns, &format!("Action=GetTopicAttributes&{TOPIC}"), "200 <entry><key>SubscriptionsConfirmed</key><value>1</value></entry>")
        .await;
    let batch =
        "&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=m&PublishBatchRequestEntries.member.2.Id=b";
    check(&sns, &format!("Action=PublishBatch&{TOPIC}{batch}"), "200 <Failed><member><Id>b</Id><Code>InvalidParameter</Code>").await;
    check(&sns, &format!("Action=Publish&{TOPIC}&Message=hi&Subject=S&MessageAttributes.entry.1.Name=k&MessageAttributes.entry.1.Value.DataType=String&MessageAttributes.entry.1.Value.StringValue=v"), "200 <MessageId>").await;
    check(&sns, "Action=Dance", "400 <Code>InvalidAction</Code>").await;

    let rows = db.read(&Call::operator(), |tx| outbox::oldest(tx, 10)).await.expect("rows");
    let published: topics::Event = serde_json::from_str(&rows.last().expect("an event").body).expect("an event");
    let envelope = envelope(&sns, &published, &published.deliveries[0]);
    let event = event(&sns, &published, &published.deliveries[0]);
    for (pointer, wanted) in [
        ("/Type", "Notification"),
        ("/TopicArn", "arn:aws:sns:us-east-1:000000000000:t"),
        ("/Subject", "S"),
        ("/Message", "hi"),
        ("/Timestamp", "1970-01-01T00:00:00.000Z"),
        ("/MessageAttributes/k/Value", "v"),
    ] {
        assert_eq!(envelope.pointer(pointer).and_then(|v| v.as_str()), Some(wanted), "{pointer}");
        assert_eq!(event["Records"][0]["Sns"].pointer(pointer).and_then(|v| v.as_str()), Some(wanted), "{pointer}");
    }
    assert_eq!((event["Records"][0]["EventSource"].as_str(), event["Records"][0]["EventVersion"].as_str()), (Some("aws:sns"), Some("1.0")));
}
