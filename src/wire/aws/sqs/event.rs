//! Messages as the event of a Lambda function. Source: "Using Lambda with Amazon SQS", example standard queue message event.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::{Sqs, action, digest};
use crate::base::message::Value;
use crate::services::queues::Message;

/// The event that a function gets for messages of a queue.
pub fn event(sqs: &Sqs, queue: &str, messages: &[Message]) -> Json {
    let arn = sqs.arn(queue);
    json!({ "Records": messages.iter().map(|message| record(sqs, &arn, message)).collect::<Vec<_>>() })
}

fn record(sqs: &Sqs, arn: &str, message: &Message) -> Json {
    let system = action::system_attributes(sqs, message).into_iter().map(|(name, value)| (name.to_owned(), Json::from(value)));
    let own = message.attributes.iter().map(|(name, attribute)| {
        let mut json = json!({ "stringListValues": [], "binaryListValues": [], "dataType": attribute.kind });
        match &attribute.value {
            Value::Text(text) => json["stringValue"] = text.as_str().into(),
            Value::Binary(bytes) => json["binaryValue"] = STANDARD.encode(bytes).into(),
        }
        (name.clone(), json)
    });
    let mut record = json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": system.collect::<Map<_, _>>(),
        "messageAttributes": own.collect::<Map<_, _>>(),
    });
    if let Some(md5) = digest::attributes(&message.attributes) {
        record["md5OfMessageAttributes"] = md5.into();
    }
    record["md5OfBody"] = digest::body(&message.body).into();
    record["eventSource"] = "aws:sqs".into();
    record["eventSourceARN"] = arn.into();
    record["awsRegion"] = sqs.account.region.as_ref().into();
    record
}
