//! Pipelines.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::ser::SerializeMap;
use serde::{Deserialize, Serialize, Serializer};

use super::{Document, Timestamp, TransactionOptions, Value, text};

/// A call of a function, in an expression.
#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Function {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, repeated, tag = "2")]
    pub args: Vec<Value>,
    #[prost(btree_map = "string, message", tag = "3")]
    pub options: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Pipeline {
    #[prost(message, repeated, tag = "1")]
    pub stages: Vec<Stage>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Stage {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, repeated, tag = "2")]
    pub args: Vec<Value>,
    #[prost(btree_map = "string, message", tag = "3")]
    pub options: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct StructuredPipeline {
    #[prost(message, optional, tag = "1")]
    pub pipeline: Option<Pipeline>,
    #[prost(btree_map = "string, message", tag = "2")]
    pub options: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExecutePipelineRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(message, optional, tag = "2")]
    pub structured_pipeline: Option<StructuredPipeline>,
    #[prost(bytes = "bytes", optional, tag = "5")]
    #[serde(deserialize_with = "text::some_bytes::deserialize")]
    pub transaction: Option<Bytes>,
    #[prost(message, optional, tag = "6")]
    pub new_transaction: Option<TransactionOptions>,
    #[prost(message, optional, tag = "7")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutePipelineResponse {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub transaction: Bytes,
    #[prost(message, repeated, tag = "2")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub results: Vec<Document>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_time: Option<Timestamp>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain_stats: Option<ExplainStats>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub struct ExplainStats {
    #[prost(message, optional, tag = "1")]
    pub data: Option<AnyText>,
}

impl ExplainStats {
    pub fn new(text: String) -> ExplainStats {
        let value = prost::Message::encode_to_vec(&StringValue { value: text });
        ExplainStats { data: Some(AnyText { type_url: STRING_VALUE.to_owned(), value: value.into() }) }
    }
}

const STRING_VALUE: &str = "type.googleapis.com/google.protobuf.StringValue";

/// `google.protobuf.Any` with a [`StringValue`] in it.
#[derive(Clone, PartialEq, prost::Message)]
pub struct AnyText {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

impl Serialize for AnyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text: StringValue = prost::Message::decode(self.value.clone()).unwrap_or_default();
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("@type", &self.type_url)?;
        map.serialize_entry("value", &text.value)?;
        map.end()
    }
}

#[derive(Clone, PartialEq, prost::Message)]
struct StringValue {
    #[prost(string, tag = "1")]
    value: String,
}
