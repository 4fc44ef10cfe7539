//! What messages carry beside their text, in queues and topics alike: one goes into the other with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A message's own attributes, by name.
pub type Attributes = BTreeMap<String, Attribute>;

/// One attribute of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// `String`, `Number` or `Binary`, with an optional label after a dot (`Number.float`); topics know `String.Array`, too.
    pub kind: String,
    pub value: Value,
}

/// The value of an attribute; numbers and arrays are text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    Text(String),
    Binary(#[serde(with = "super::base64")] Vec<u8>),
}

impl Value {
    /// Length in bytes.
    pub fn bytes(&self) -> usize {
        match self {
            Value::Text(text) => text.len(),
            Value::Binary(bytes) => bytes.len(),
        }
    }
}

/// Length in bytes of what counts of attributes: names, types and values.
pub fn attributes_bytes(attributes: &Attributes) -> usize {
    attributes.iter().map(|(name, attribute)| name.len() + attribute.kind.len() + attribute.value.bytes()).sum()
}
