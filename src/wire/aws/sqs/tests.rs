use std::collections::BTreeMap;

use super::*;
use crate::base::message::{Attribute, Value};
use crate::base::{Clock, Time};
use crate::services::queues::SCHEMA;
use crate::store::{Db, Options};

fn sqs(folder: &tempfile::TempDir) -> Sqs {
    let ids = Ids::seeded(1);
    let options =
        Options { path: folder.path().join("state.db"), clock: Clock::frozen(Time(1_700_000_000_000)), ids: ids.clone(), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a new database opens");
    Sqs::new(Queues::new(db), Account::local("us-east-1"), ids)
}

async fn ask(sqs: &Sqs, request: http::request::Builder, body: &str) -> (u16, http::HeaderMap, String) {
    let request = request.method("POST").header("host", "localhost:4566").body(body.to_owned().into_bytes().into()).expect("a request");
    let (parts, body) = sqs.handle(&Call::operator(), request).await.into_parts();
    let bytes = body.collect(1 << 24).await.expect("a body");
    (parts.status.as_u16(), parts.headers, String::from_utf8(bytes.to_vec()).expect("text"))
}

async fn json(sqs: &Sqs, action: &str, body: &str) -> (u16, http::HeaderMap, String) {
    ask(sqs, http::Request::builder().uri("/").header("x-amz-target", format!("AmazonSQS.{action}")), body).await
}

async fn form(sqs: &Sqs, path: &str, body: &str) -> (u16, String) {
    let request = http::Request::builder().uri(path).header("content-type", "application/x-www-form-urlencoded");
    let (status, _, text) = ask(sqs, request, body).await;
    (status, text)
}

const URL: &str = r#""QueueUrl":"https://sqs.eu-west-1.amazonaws.com/000000000000/q""#;

#[tokio::test]
async fn answers_in_json() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqs = sqs(&folder);
    let rows: &[(&str, &str, &str)] = &[
        ("ListQueues", "{}", "200 {}"),
        ("CreateQueue", r#"{"QueueName":"q"}"#, r#"200 {"QueueUrl":"http://localhost:4566/000000000000/q"}"#),
        (
            "CreateQueue",
            r#"{"QueueName":"q","Attributes":{"VisibilityTimeout":"31"}}"#,
            "400 {\"__type\":\"com.amazonaws.sqs#QueueNameExists\",\"message\":\"A queue already exists with the same name and a different value for attribute VisibilityTimeout\"}",
        ),
        (
            "CreateQueue",
            r#"{"QueueName":"q.x"}"#,
            "400 {\"__type\":\"com.amazon.coral.service#InvalidParameterValueException\",\"message\":\"Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length\"}",
        ),
        (
            "GetQueueUrl",
            r#"{"QueueName":"none"}"#,
            r#"400 {"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#,
        ),
        ("ReceiveMessage", "{URL}", "200 {}"),
        (
            "ReceiveMessage",
            r#"{URL,"MaxNumberOfMessages":11}"#,
            "400 {\"__type\":\"com.amazon.coral.service#InvalidParameterValueException\",\"message\":\"Value 11 for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.\"}",
        ),
        ("SendMessage", r#"{URL,"MessageBody":7}"#, "400 {\"__type\":\"com.amazon.coral.service#SerializationException\""),
        (
            "SendMessage",
            "{URL}",
            r#"400 {"__type":"com.amazon.coral.service#MissingRequiredParameterException","message":"The request must contain the parameter MessageBody."}"#,
        ),
        ("SendMessage", r#"{URL,"MessageBody":"hello"}"#, r#"200 {"MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592","MessageId":""#),
        ("SendMessageBatch", r#"{URL,"Entries":[]}"#, "400 {\"__type\":\"com.amazonaws.sqs#EmptyBatchRequest\""),
        (
            "SendMessageBatch",
            r#"{URL,"Entries":[{"Id":"a","MessageBody":"x"},{"Id":"a","MessageBody":"y"}]}"#,
            "400 {\"__type\":\"com.amazonaws.sqs#BatchEntryIdsNotDistinct\",\"message\":\"Id a repeated.\"}",
        ),
        (
            "DeleteMessage",
            r#"{URL,"ReceiptHandle":"x"}"#,
            "400 {\"__type\":\"com.amazonaws.sqs#ReceiptHandleIsInvalid\",\"message\":\"The input receipt handle \\\"x\\\" is not a valid receipt handle.\"}",
        ),
        (
            "GetQueueAttributes",
            r#"{URL,"AttributeNames":["VisibilityTimeout","QueueArn"]}"#,
            r#"200 {"Attributes":{"QueueArn":"arn:aws:sqs:us-east-1:000000000000:q","VisibilityTimeout":"30"}}"#,
        ),
        (
            "GetQueueAttributes",
            r#"{URL,"AttributeNames":["Nope"]}"#,
            r#"400 {"__type":"com.amazonaws.sqs#InvalidAttributeName","message":"Unknown Attribute Nope."}"#,
        ),
        ("PurgeQueue", "{URL}", "200 {}"),
        (
            "PurgeQueue",
            "{URL}",
            "403 {\"__type\":\"com.amazonaws.sqs#PurgeQueueInProgress\",\"message\":\"Only one PurgeQueue operation on q is allowed every 60 seconds.\"}",
        ),
        ("Nonsense", "{}", "400 {\"__type\":\"com.amazon.coral.service#UnknownOperationException\""),
    ];
    for (action, body, wanted) in rows {
        let (status, _, text) = json(&sqs, action, &body.replace("URL", URL)).await;
        assert!(format!("{status} {text}").starts_with(wanted), "{action} {body}: {status} {text}");
    }
    let (_, headers, _) = json(&sqs, "GetQueueUrl", r#"{"QueueName":"none"}"#).await;
    assert_eq!(headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender");
    assert_eq!(headers["content-type"], "application/x-amz-json-1.0");
}

#[tokio::test]
async fn answers_in_xml() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqs = sqs(&folder);
    let rows: &[(&str, &str, &str)] = &[
        (
            "/",
            "Action=CreateQueue&QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=0",
            "<CreateQueueResult><QueueUrl>http://localhost:4566/000000000000/q</QueueUrl></CreateQueueResult>",
        ),
        (
            "/000000000000/none",
            "Action=ReceiveMessage",
            "<Error><Type>Sender</Type><Code>AWS.SimpleQueueService.NonExistentQueue</Code><Message>The specified queue does not exist for this wsdl version.</Message></Error>",
        ),
        (
            "/000000000000/q",
            "Action=SendMessage&MessageBody=a%3Cb&MessageAttribute.1.Name=n&MessageAttribute.1.Value.DataType=Number&MessageAttribute.1.Value.StringValue=1",
            "<MD5OfMessageAttributes>",
        ),
        ("/000000000000/q", "Action=ReceiveMessage&MessageAttributeName.1=All", "<Body>a&lt;b</Body><MD5OfMessageAttributes>"),
        (
            "/000000000000/q",
            "Action=SendMessageBatch&SendMessageBatchRequestEntry.1.Id=x&SendMessageBatchRequestEntry.1.MessageBody=1&SendMessageBatchRequestEntry.2.Id=y",
            "<BatchResultErrorEntry><Id>y</Id><SenderFault>true</SenderFault><Code>MissingParameter</Code>",
        ),
        (
            "/000000000000/q",
            "Action=GetQueueAttributes&AttributeName.1=DelaySeconds",
            "<GetQueueAttributesResult><Attribute><Name>DelaySeconds</Name><Value>0</Value></Attribute></GetQueueAttributesResult>",
        ),
        (
            "/",
            "Action=DeleteQueue&QueueUrl=http%3A%2F%2Fx%2F1%2Fq",
            "<DeleteQueueResponse xmlns=\"http://queue.amazonaws.com/doc/2012-11-05/\"><ResponseMetadata>",
        ),
        ("/", "Version=1", "<Code>MissingAction</Code>"),
    ];
    for (path, body, wanted) in rows {
        let (status, text) = form(&sqs, path, body).await;
        assert!(text.contains(wanted), "{path} {body}: {status} {text}");
    }
}

#[test]
fn digests_are_those_that_the_clients_compute() {
    assert_eq!(digest::body("This is a test message"), "fafb00f5732ab283681e124bf8747ed1");
    let text = |kind: &str, text: &str| Attribute { kind: kind.into(), value: Value::Text(text.into()) };
    let attributes = BTreeMap::from([
        ("test_attribute_name_1".to_owned(), text("String", "test_attribute_value_1")),
        ("test_attribute_name_2".to_owned(), Attribute { kind: "Binary".into(), value: Value::Binary(b"test_attribute_value_2".to_vec()) }),
    ]);
    // Computed from the documented layout by an independent program.
    assert_eq!(digest::attributes(&attributes).as_deref(), Some("2cbc6b289c1552d2b60cb05c64d07264"));
    assert_eq!(digest::attributes(&BTreeMap::new()), None);
}

#[tokio::test]
async fn a_message_becomes_the_event_of_a_function_and_can_be_peeked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    let sqs = sqs(&folder);
    json(&sqs, "CreateQueue", r#"{"QueueName":"q"}"#).await;
    let send = r#"{URL,"MessageBody":"hi","MessageAttributes":{"k":{"DataType":"String","StringValue":"v"}}}"#;
    json(&sqs, "SendMessage", &send.replace("URL", URL)).await;
    let request = http::Request::builder().uri("/_aws/sqs/messages?QueueUrl=http://x/0/q").header("accept", "application/json");
    let response = sqs.peek(&Call::operator(), request.body(crate::wire::http::Body::empty()).expect("a request")).await;
    let shown: serde_json::Value = serde_json::from_slice(&response.into_body().collect(1 << 20).await.expect("a body")).expect("JSON");
    assert_eq!(shown["ReceiveMessageResponse"]["ReceiveMessageResult"]["Message"][0]["Body"], "hi");
    let lease = crate::services::queues::Lease { messages_max: 10, bytes_max: 6 << 20, visibility_ms: None };
    let messages = sqs.queues.lease(&Call::operator(), "q", lease).await.expect("leased");
    let record = &event(&sqs, "q", &messages)["Records"][0];
    for (pointer, wanted) in [
        ("/body", "hi"),
        ("/attributes/ApproximateReceiveCount", "1"),
        ("/attributes/SentTimestamp", "1700000000000"),
        ("/messageAttributes/k/stringValue", "v"),
        ("/messageAttributes/k/dataType", "String"),
        ("/md5OfBody", "49f68a5c8493ec2c0bf489821c21fc3b"),
        ("/eventSource", "aws:sqs"),
        ("/eventSourceARN", "arn:aws:sqs:us-east-1:000000000000:q"),
        ("/awsRegion", "us-east-1"),
    ] {
        assert_eq!(record.pointer(pointer).and_then(|v| v.as_str()), Some(wanted), "{pointer} of {record}");
    }
}
