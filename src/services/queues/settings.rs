//! What can be set on a queue, under the names that the SQS API and CloudFormation give it.
//! Source: the API reference pages "CreateQueue" and "SetQueueAttributes".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Error;

/// The settings of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub fifo: bool,
    /// Seconds that a received message stays hidden.
    pub visibility_s: i64,
    /// Seconds before a sent message may be received.
    pub delay_s: i64,
    /// Seconds that a message is kept.
    pub retention_s: i64,
    /// Bytes that a message may have, attributes included.
    pub bytes_max: i64,
    /// Seconds that a receive waits where it does not say so itself.
    pub wait_s: i64,
    pub redrive: Option<Redrive>,
    /// JSON as given.
    pub redrive_allow: Option<String>,
    /// FIFO: the hash of the body stands in for a missing deduplication identifier.
    pub content_deduplication: bool,
    /// FIFO: identifiers are compared within a group only.
    pub deduplication_by_group: bool,
    /// FIFO: `FifoThroughputLimit` is `perMessageGroupId`.
    pub throughput_by_group: bool,
    /// JSON as given; kept, not enforced.
    pub policy: Option<String>,
    pub kms_key: Option<String>,
    pub kms_reuse_s: Option<i64>,
    pub managed_encryption: bool,
}

/// Where a message goes that was received too often without being deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redrive {
    /// The dead-letter queue's name.
    pub target: String,
    /// Receives after which the next one moves the message instead.
    pub receives_max: u32,
}

/// The most bytes any queue takes in one message or batch.
pub const BYTES_MAX: i64 = 1_048_576;

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            fifo: false,
            visibility_s: 30,
            delay_s: 0,
            retention_s: 345_600,
            bytes_max: BYTES_MAX,
            wait_s: 0,
            redrive: None,
            redrive_allow: None,
            content_deduplication: false,
            deduplication_by_group: false,
            throughput_by_group: false,
            policy: None,
            kms_key: None,
            kms_reuse_s: None,
            managed_encryption: true,
        }
    }
}

impl Settings {
    /// Sets what `attributes` say, by their API names. Nothing is set where one of them is unknown or wrong.
    pub fn apply(&mut self, attributes: &BTreeMap<String, String>) -> Result<(), Error> {
        let mut changed = self.clone();
        for (name, value) in attributes {
            changed.set(name, value)?;
        }
        let fifo_only = [
            ("ContentBasedDeduplication", changed.content_deduplication),
            ("DeduplicationScope", attributes.contains_key("DeduplicationScope")),
            ("FifoThroughputLimit", attributes.contains_key("FifoThroughputLimit")),
        ];
        if let Some((name, _)) = fifo_only.into_iter().find(|(_, set)| *set && !changed.fifo) {
            return Err(Error::UnknownAttribute(name.to_owned()));
        }
        if changed.throughput_by_group && !changed.deduplication_by_group {
            return Err(Error::AttributeValue("FifoThroughputLimit"));
        }
        *self = changed;
        Ok(())
    }

    /// Whether all is within the bounds that [`Settings::apply`] keeps to.
    pub(super) fn check(&self) -> Result<(), Error> {
        let numbers = [
            ("VisibilityTimeout", self.visibility_s),
            ("DelaySeconds", self.delay_s),
            ("MessageRetentionPeriod", self.retention_s),
            ("MaximumMessageSize", self.bytes_max),
            ("ReceiveMessageWaitTimeSeconds", self.wait_s),
        ];
        let mut same = self.clone();
        numbers.into_iter().try_for_each(|(name, value)| same.set(name, &value.to_string()))
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let optional = |value: &str| (!value.is_empty()).then(|| value.to_owned());
        match name {
            "VisibilityTimeout" => self.visibility_s = number("VisibilityTimeout", value, 0, 43_200)?,
            "DelaySeconds" => self.delay_s = number("DelaySeconds", value, 0, 900)?,
            "MessageRetentionPeriod" => self.retention_s = number("MessageRetentionPeriod", value, 60, 1_209_600)?,
            "MaximumMessageSize" => self.bytes_max = number("MaximumMessageSize", value, 1_024, BYTES_MAX)?,
            "ReceiveMessageWaitTimeSeconds" => self.wait_s = number("ReceiveMessageWaitTimeSeconds", value, 0, 20)?,
            "KmsDataKeyReusePeriodSeconds" => self.kms_reuse_s = Some(number("KmsDataKeyReusePeriodSeconds", value, 60, 86_400)?),
            "FifoQueue" => self.fifo = flag("FifoQueue", value)?,
            "ContentBasedDeduplication" => self.content_deduplication = flag("ContentBasedDeduplication", value)?,
            "SqsManagedSseEnabled" => self.managed_encryption = flag("SqsManagedSseEnabled", value)?,
            "DeduplicationScope" => {
                self.deduplication_by_group = choice("DeduplicationScope", value, "messageGroup", "queue")?;
            }
            "FifoThroughputLimit" => {
                self.throughput_by_group = choice("FifoThroughputLimit", value, "perMessageGroupId", "perQueue")?;
            }
            "Policy" => self.policy = json("Policy", value)?,
            "RedriveAllowPolicy" => self.redrive_allow = json("RedriveAllowPolicy", value)?,
            "RedrivePolicy" => self.redrive = redrive(value)?,
            "KmsMasterKeyId" => {
                self.kms_key = optional(value);
                self.managed_encryption &= self.kms_key.is_none();
            }
            other => return Err(Error::UnknownAttribute(other.to_owned())),
        }
        Ok(())
    }

    /// Which of `attributes` a queue with these settings does not have already.
    pub(super) fn differs(&self, attributes: &BTreeMap<String, String>) -> Result<Option<String>, Error> {
        for (name, value) in attributes {
            let mut other = self.clone();
            other.set(name, value)?;
            if other != *self {
                return Ok(Some(name.clone()));
            }
        }
        Ok(None)
    }
}

fn number(name: &'static str, value: &str, min: i64, max: i64) -> Result<i64, Error> {
    value.parse().ok().filter(|n| (min..=max).contains(n)).ok_or(Error::AttributeValue(name))
}

fn flag(name: &'static str, value: &str) -> Result<bool, Error> {
    match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Error::AttributeValue(name)),
    }
}

fn choice(name: &'static str, value: &str, yes: &str, no: &str) -> Result<bool, Error> {
    match value {
        value if value == yes => Ok(true),
        value if value == no => Ok(false),
        _ => Err(Error::AttributeValue(name)),
    }
}

fn json(name: &'static str, value: &str) -> Result<Option<String>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    match serde_json::from_str::<serde_json::Value>(value) {
        Ok(serde_json::Value::Object(_)) => Ok(Some(value.to_owned())),
        _ => Err(Error::AttributeValue(name)),
    }
}

fn redrive(value: &str) -> Result<Option<Redrive>, Error> {
    if value.is_empty() {
        return Ok(None);
    }
    let bad = |reason: &str| Error::RedrivePolicy { value: value.to_owned(), reason: reason.to_owned() };
    let policy: serde_json::Value = serde_json::from_str(value).map_err(|_| bad("Redrive policy is not a valid JSON map."))?;
    let policy = policy.as_object().ok_or_else(|| bad("Redrive policy is not a valid JSON map."))?;
    let target = policy.get("deadLetterTargetArn").and_then(|v| v.as_str());
    let count = policy.get("maxReceiveCount");
    let (Some(target), Some(count)) = (target, count) else {
        let name = if target.is_none() { "deadLetterTargetArn" } else { "maxReceiveCount" };
        return Err(bad(&format!("Redrive policy does not contain mandatory attribute: {name}.")));
    };
    let count = count.as_i64().or_else(|| count.as_str().and_then(|text| text.parse().ok()));
    let Some(receives_max) = count.filter(|n| (1..=1_000).contains(n)) else {
        return Err(bad("Invalid value for maxReceiveCount: must be an integer between 1 and 1000."));
    };
    // A name by itself, or the last part of whatever longer name the caller's protocol gives queues.
    let target = target.rsplit(':').next().unwrap_or_default().to_owned();
    Ok(Some(Redrive { target, receives_max: receives_max as u32 }))
}

/// What a project file says of a queue: attributes in text form, and tags. Tells apart what CloudFormation adds to the API's names.
pub(super) fn of_properties(properties: &serde_json::Value) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut attributes, mut tags) = (BTreeMap::new(), BTreeMap::new());
    for (name, value) in properties.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("QueueName", _) | (_, serde_json::Value::Null) => {}
            ("Tags", serde_json::Value::Array(list)) => {
                let pair = |tag: &serde_json::Value| Some((tag.get("Key")?.as_str()?.to_owned(), text(tag.get("Value")?)));
                tags.extend(list.iter().filter_map(pair));
            }
            (_, value) => {
                attributes.insert(name.clone(), text(value));
            }
        }
    }
    (attributes, tags)
}

fn text(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
