//! Published messages as subscribers get them: the envelope that queues and HTTP endpoints see, and the event of a Lambda function.
//! Source: "Amazon SNS message and JSON formats", "Using Lambda with Amazon SNS". The signature is a placeholder: nothing here has AWS's key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::Sns;
use crate::base::message::{Attributes, Value};
use crate::services::topics::{Delivery, Event};

/// The JSON that a subscriber gets as the text of its message, where it did not ask for raw delivery.
pub fn envelope(sns: &Sns, event: &Event, delivery: &Delivery) -> Json {
    let mut body = head(sns, event, &delivery.protocol);
    body.insert("SignatureVersion".into(), "1".into());
    body.insert("Signature".into(), SIGNATURE.into());
    body.insert("SigningCertURL".into(), certificate(sns).into());
    body.insert("UnsubscribeURL".into(), unsubscribe(sns, event, delivery).into());
    if !event.attributes.is_empty() {
        body.insert("MessageAttributes".into(), attributes(&event.attributes));
    }
    Json::Object(body)
}

/// The event that a function gets.
pub fn event(sns: &Sns, event: &Event, delivery: &Delivery) -> Json {
    let mut body = head(sns, event, &delivery.protocol);
    body.entry("Subject").or_insert(Json::Null);
    body.insert("SignatureVersion".into(), "1".into());
    body.insert("Signature".into(), SIGNATURE.into());
    body.insert("SigningCertUrl".into(), certificate(sns).into());
    body.insert("UnsubscribeUrl".into(), unsubscribe(sns, event, delivery).into());
    body.insert("MessageAttributes".into(), attributes(&event.attributes));
    json!({ "Records": [{
        "EventSource": "aws:sns",
        "EventVersion": "1.0",
        "EventSubscriptionArn": sns.subscription_arn(&event.topic, &delivery.subscription),
        "Sns": body,
    }] })
}

const SIGNATURE: &str = "RU1VLURPRVMtTk9ULVNJR04=";

fn head(sns: &Sns, event: &Event, protocol: &str) -> Map<String, Json> {
    let mut body = Map::new();
    body.insert("Type".into(), "Notification".into());
    body.insert("MessageId".into(), event.message_id.as_str().into());
    if let Some(sequence) = event.sequence {
        body.insert("SequenceNumber".into(), sequence.to_string().into());
    }
    body.insert("TopicArn".into(), sns.arn(&event.topic).into());
    if let Some(subject) = &event.subject {
        body.insert("Subject".into(), subject.as_str().into());
    }
    body.insert("Message".into(), event.text(protocol).into());
    body.insert("Timestamp".into(), event.at.iso().into());
    body
}

fn certificate(sns: &Sns) -> String {
    format!("https://sns.{}.amazonaws.com/SimpleNotificationService-0000000000000000000000.pem", sns.account.region)
}

fn unsubscribe(sns: &Sns, event: &Event, delivery: &Delivery) -> String {
    let arn = sns.subscription_arn(&event.topic, &delivery.subscription);
    format!("https://sns.{}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={arn}", sns.account.region)
}

fn attributes(attributes: &Attributes) -> Json {
    let one = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        Value::Binary(bytes) => STANDARD.encode(bytes),
    };
    let pairs = attributes.iter().map(|(name, a)| (name.clone(), json!({ "Type": a.kind, "Value": one(&a.value) })));
    Json::Object(pairs.collect())
}
