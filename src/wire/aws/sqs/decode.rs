//! Requests of either protocol, as one set of members.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer};

use super::fail::Fault;
use crate::base::message::{Attribute, Attributes, Value};
use crate::services::queues::{Entry, Error, Send};
use crate::wire::aws::query::Parameters;

/// The members of all actions; each action reads its own.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Input {
    pub(super) queue_url: Option<String>,
    pub(super) queue_name: Option<String>,
    pub(super) queue_name_prefix: Option<String>,
    pub(super) attributes: Option<BTreeMap<String, String>>,
    /// `CreateQueue` spells it in lower case.
    #[serde(alias = "tags")]
    pub(super) tags: Option<BTreeMap<String, String>>,
    pub(super) tag_keys: Option<Vec<String>>,
    pub(super) attribute_names: Option<Vec<String>>,
    pub(super) message_system_attribute_names: Option<Vec<String>>,
    pub(super) message_attribute_names: Option<Vec<String>>,
    #[serde(deserialize_with = "integer")]
    pub(super) max_number_of_messages: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(super) visibility_timeout: Option<i64>,
    #[serde(deserialize_with = "integer")]
    pub(super) wait_time_seconds: Option<i64>,
    pub(super) receive_request_attempt_id: Option<String>,
    pub(super) receipt_handle: Option<String>,
    #[serde(flatten)]
    pub(super) message: MessageInput,
    pub(super) entries: Option<Vec<EntryInput>>,
    pub(super) next_token: Option<String>,
    #[serde(deserialize_with = "integer")]
    pub(super) max_results: Option<i64>,
    pub(super) source_arn: Option<String>,
    pub(super) destination_arn: Option<String>,
    #[serde(deserialize_with = "integer")]
    pub(super) max_number_of_messages_per_second: Option<i64>,
    pub(super) task_handle: Option<String>,
    pub(super) label: Option<String>,
    #[serde(rename = "AWSAccountIds")]
    pub(super) account_ids: Option<Vec<String>>,
    pub(super) actions: Option<Vec<String>>,
}

/// The members of a message to send.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct MessageInput {
    message_body: Option<String>,
    #[serde(deserialize_with = "integer")]
    delay_seconds: Option<i64>,
    message_attributes: Option<BTreeMap<String, AttributeInput>>,
    message_system_attributes: Option<BTreeMap<String, AttributeInput>>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

/// The members of an entry of a batch.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct EntryInput {
    id: Option<String>,
    receipt_handle: Option<String>,
    #[serde(deserialize_with = "integer")]
    visibility_timeout: Option<i64>,
    #[serde(flatten)]
    message: MessageInput,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AttributeInput {
    data_type: Option<String>,
    string_value: Option<String>,
    binary_value: Option<String>,
}

/// Numbers, also those that a client sends as text.
fn integer<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Number {
        Integer(i64),
        Text(String),
    }
    match Option::<Number>::deserialize(from)? {
        None => Ok(None),
        Some(Number::Integer(n)) => Ok(Some(n)),
        Some(Number::Text(text)) => text.parse().map(Some).map_err(|_| serde::de::Error::custom("NUMBER_VALUE expected")),
    }
}

/// The body of a JSON request.
pub(super) fn json(body: &[u8]) -> Result<Input, Fault> {
    if body.is_empty() {
        return Ok(Input::default());
    }
    serde_json::from_slice(body).map_err(|error| Fault::serialization(&error.to_string()))
}

/// The parameters of a query request; `path` stands in for a missing `QueueUrl`.
pub(super) fn query(p: &Parameters, path: &str) -> Input {
    let text = |name: &str| p.text(name).map(str::to_owned);
    let number = |name: &str| p.text(name).and_then(|value| value.parse().ok());
    let some = |list: Vec<String>| (!list.is_empty()).then_some(list);
    let map = |name: &str, key: &str| p.member(name).map(|_| p.map_of_texts(name, key, "Value"));
    let path = path.trim_matches('/');
    let entries: Vec<EntryInput> =
        ["SendMessageBatchRequestEntry", "DeleteMessageBatchRequestEntry", "ChangeMessageVisibilityBatchRequestEntry"]
            .into_iter()
            .flat_map(|name| p.list(name))
            .map(|entry| EntryInput {
                id: entry.text("Id").map(str::to_owned),
                receipt_handle: entry.text("ReceiptHandle").map(str::to_owned),
                visibility_timeout: entry.text("VisibilityTimeout").and_then(|value| value.parse().ok()),
                message: query_message(entry),
            })
            .collect();
    Input {
        queue_url: text("QueueUrl").or_else(|| path.contains('/').then(|| path.to_owned())),
        queue_name: text("QueueName"),
        queue_name_prefix: text("QueueNamePrefix"),
        attributes: map("Attribute", "Name"),
        tags: map("Tag", "Key").or_else(|| map("Tags", "Key")),
        tag_keys: some(p.list_of_texts("TagKey")),
        attribute_names: some(p.list_of_texts("AttributeName")),
        message_system_attribute_names: some(p.list_of_texts("MessageSystemAttributeName")),
        message_attribute_names: some(p.list_of_texts("MessageAttributeName")),
        max_number_of_messages: number("MaxNumberOfMessages"),
        visibility_timeout: number("VisibilityTimeout"),
        wait_time_seconds: number("WaitTimeSeconds"),
        receive_request_attempt_id: text("ReceiveRequestAttemptId"),
        receipt_handle: text("ReceiptHandle"),
        message: query_message(p),
        entries: Some(entries),
        next_token: text("NextToken"),
        max_results: number("MaxResults"),
        source_arn: text("SourceArn"),
        destination_arn: text("DestinationArn"),
        max_number_of_messages_per_second: number("MaxNumberOfMessagesPerSecond"),
        task_handle: text("TaskHandle"),
        label: text("Label"),
        account_ids: some(p.list_of_texts("AWSAccountId")),
        actions: some(p.list_of_texts("ActionName")),
    }
}

fn query_message(p: &Parameters) -> MessageInput {
    let attributes = |name: &str| {
        let pairs = p.map(name, "Name", "Value").into_iter();
        let read = |value: &Parameters| AttributeInput {
            data_type: value.text("DataType").map(str::to_owned),
            string_value: value.text("StringValue").map(str::to_owned),
            binary_value: value.text("BinaryValue").map(str::to_owned),
        };
        Some(pairs.map(|(name, value)| (name, read(value))).collect::<BTreeMap<_, _>>())
    };
    MessageInput {
        message_body: p.text("MessageBody").map(str::to_owned),
        delay_seconds: p.text("DelaySeconds").and_then(|value| value.parse().ok()),
        message_attributes: attributes("MessageAttribute"),
        message_system_attributes: attributes("MessageSystemAttribute"),
        message_deduplication_id: p.text("MessageDeduplicationId").map(str::to_owned),
        message_group_id: p.text("MessageGroupId").map(str::to_owned),
    }
}

/// The name at the end of a queue's URL, whatever its host.
pub(super) fn queue_of(url: Option<String>) -> Result<String, Error> {
    let url = url.ok_or(Error::Missing("QueueUrl"))?;
    let name = url.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { Err(Error::NoSuchQueue(url)) } else { Ok(name.to_owned()) }
}

impl MessageInput {
    pub(super) fn send(self) -> Result<Send, Error> {
        let mut system = self.message_system_attributes.unwrap_or_default();
        let trace_header = system.remove("AWSTraceHeader").map(|a| a.attribute("AWSTraceHeader")).transpose()?;
        if let Some(name) = system.keys().next() {
            return Err(Error::MessageAttribute(format!("Message system attribute name '{name}' is invalid.")));
        }
        let attributes = self.message_attributes.unwrap_or_default().into_iter();
        Ok(Send {
            body: self.message_body.ok_or(Error::Missing("MessageBody"))?,
            attributes: attributes.map(|(name, a)| Ok((name.clone(), a.attribute(&name)?))).collect::<Result<Attributes, Error>>()?,
            trace_header,
            delay_s: self.delay_seconds,
            group: self.message_group_id,
            deduplication: self.message_deduplication_id,
        })
    }
}

impl AttributeInput {
    fn attribute(self, name: &str) -> Result<Attribute, Error> {
        let kind = self.data_type.unwrap_or_default();
        let value = match (self.string_value, self.binary_value) {
            (None, Some(text)) => match STANDARD.decode(&text) {
                Ok(bytes) => Value::Binary(bytes),
                Err(_) => {
                    return Err(Error::MessageAttribute(format!(
                        "The message attribute '{name}' must contain base64-encoded binary data."
                    )));
                }
            },
            (text, _) => Value::Text(text.unwrap_or_default()),
        };
        Ok(Attribute { kind, value })
    }
}

/// An entry of a batch as one kind of request reads it; what is wrong with it is told apart from its siblings.
pub(super) type Decoded<T> = Vec<Entry<Result<T, Error>>>;

fn entries<T>(list: Option<Vec<EntryInput>>, read: impl Fn(EntryInput) -> Result<T, Error>) -> Decoded<T> {
    let list = list.unwrap_or_default().into_iter();
    list.map(|mut entry| Entry { id: entry.id.take().unwrap_or_default(), value: read(entry) }).collect()
}

pub(super) fn sends(list: Option<Vec<EntryInput>>) -> Decoded<Send> {
    entries(list, |entry| entry.message.send())
}

pub(super) fn deletions(list: Option<Vec<EntryInput>>) -> Decoded<String> {
    entries(list, |entry| entry.receipt_handle.ok_or(Error::Missing("ReceiptHandle")))
}

pub(super) fn visibilities(list: Option<Vec<EntryInput>>) -> Decoded<(String, i64)> {
    entries(list, |entry| {
        let handle = entry.receipt_handle.ok_or(Error::Missing("ReceiptHandle"))?;
        Ok((handle, entry.visibility_timeout.ok_or(Error::Missing("VisibilityTimeout"))?))
    })
}
