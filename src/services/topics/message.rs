//! What is published, and what becomes of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Error;
use crate::base::Time;
use crate::base::message::{Attributes, Value, attributes_bytes};

/// A message to publish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    pub message: String,
    pub subject: Option<String>,
    /// The message is a JSON object with a text for each protocol, and one under `default`.
    pub per_protocol: bool,
    pub attributes: Attributes,
    /// FIFO topics: messages of one group keep their order.
    pub group: Option<String>,
    /// FIFO topics: publishes with the same identifier within five minutes are one.
    pub deduplication: Option<String>,
}

/// Bytes of a message. Source: "Publish".
pub(super) const MESSAGE_BYTES_MAX: usize = 262_144;

impl Publish {
    /// Length in bytes of what counts.
    pub fn bytes(&self) -> usize {
        self.message.len() + attributes_bytes(&self.attributes)
    }

    /// The text for each protocol; just `default` where there is one for all.
    pub(super) fn texts(&self) -> Result<BTreeMap<String, String>, Error> {
        if !self.per_protocol {
            return Ok(BTreeMap::from([("default".to_owned(), self.message.clone())]));
        }
        let fail = |reason: &str| Error::invalid("Message Structure", reason);
        let read: serde_json::Value = serde_json::from_str(&self.message).map_err(|_| fail("JSON message body failed to parse"))?;
        let texts = read.as_object().ok_or_else(|| fail("JSON message body failed to parse"))?;
        if !texts.get("default").is_some_and(serde_json::Value::is_string) {
            return Err(fail("No default entry in JSON message body"));
        }
        Ok(texts.iter().filter_map(|(name, text)| Some((name.clone(), text.as_str()?.to_owned()))).collect())
    }

    /// Whether the message is well formed, whatever the topic. Source: "Publish", "Amazon SNS message attributes".
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.message.is_empty() {
            return Err(Error::Empty);
        }
        if self.bytes() > MESSAGE_BYTES_MAX {
            return Err(Error::TooLong(MESSAGE_BYTES_MAX));
        }
        let subject = self.subject.as_deref().unwrap_or("x");
        if subject.is_empty() || subject.chars().count() > 100 || subject.chars().any(|c| c.is_control()) || subject.starts_with(' ') {
            return Err(Error::invalid("Subject", ""));
        }
        for (name, attribute) in &self.attributes {
            let fail = |reason: String| Err(Error::Invalid { parameter: "MessageAttributes".to_owned(), reason });
            let dots = name.starts_with('.') || name.ends_with('.') || name.contains("..");
            if name.is_empty() || name.len() > 256 || dots || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b)) {
                return fail(format!("Invalid attribute name: {name}"));
            }
            let base = attribute.kind.split('.').next().unwrap_or_default();
            match &attribute.value {
                _ if !["String", "Number", "Binary"].contains(&base) => {
                    return fail(format!(
                        "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String."
                    ));
                }
                Value::Text(text) if base == "Binary" || text.is_empty() => {
                    return fail(format!(
                        "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{base}'."
                    ));
                }
                Value::Binary(bytes) if base != "Binary" || bytes.is_empty() => {
                    return fail(format!(
                        "The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{base}'."
                    ));
                }
                Value::Text(text) if base == "Number" && text.trim().parse::<f64>().is_err() => {
                    return fail(format!("Could not cast message attribute '{name}' value to number."));
                }
                Value::Text(_) | Value::Binary(_) => {}
            }
        }
        Ok(())
    }
}

/// What became of a message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    pub message_id: String,
    /// FIFO topics only.
    pub sequence: Option<u64>,
}

/// A message was published: whose turn it is to get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub topic: String,
    pub message_id: String,
    pub subject: Option<String>,
    /// By protocol; `default` for all others.
    pub texts: BTreeMap<String, String>,
    pub attributes: Attributes,
    pub group: Option<String>,
    pub deduplication: Option<String>,
    pub sequence: Option<u64>,
    pub at: Time,
    /// Confirmed subscriptions whose filter the message passed.
    pub deliveries: Vec<Delivery>,
}

impl Event {
    /// The text for subscribers of a protocol.
    pub fn text(&self, protocol: &str) -> &str {
        self.texts.get(protocol).or_else(|| self.texts.get("default")).map_or("", String::as_str)
    }
}

/// One subscription that is to get a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub subscription: String,
    pub protocol: String,
    pub endpoint: String,
    /// The text alone goes out, without an envelope around it.
    pub raw: bool,
    /// The long name of the queue that takes what cannot be delivered.
    pub dead_letters: Option<String>,
}
