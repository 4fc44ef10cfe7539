//! Documents and writes.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{ArrayValue, Timestamp, Value, is_default, server_value, text};

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Document {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub name: String,
    #[prost(btree_map = "string, message", tag = "2")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_time: Option<Timestamp>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DocumentMask {
    #[prost(string, repeated, tag = "1")]
    pub field_paths: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Precondition {
    #[prost(bool, optional, tag = "1")]
    pub exists: Option<bool>,
    #[prost(message, optional, tag = "2")]
    pub update_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ReadWrite {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(with = "text::bytes")]
    pub retry_transaction: Bytes,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ReadOnly {
    #[prost(message, optional, tag = "2")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TransactionOptions {
    #[prost(message, optional, tag = "2")]
    pub read_only: Option<ReadOnly>,
    #[prost(message, optional, tag = "3")]
    pub read_write: Option<ReadWrite>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Write {
    #[prost(message, optional, tag = "1")]
    pub update: Option<Document>,
    #[prost(string, optional, tag = "2")]
    pub delete: Option<String>,
    /// Only if the precondition holds: what the mobile and web SDKs send for documents that a transaction has read.
    #[prost(string, optional, tag = "5")]
    pub verify: Option<String>,
    #[prost(message, optional, tag = "6")]
    pub transform: Option<DocumentTransform>,
    #[prost(message, optional, tag = "3")]
    pub update_mask: Option<DocumentMask>,
    #[prost(message, repeated, tag = "7")]
    pub update_transforms: Vec<FieldTransform>,
    #[prost(message, optional, tag = "4")]
    pub current_document: Option<Precondition>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DocumentTransform {
    #[prost(string, tag = "1")]
    pub document: String,
    #[prost(message, repeated, tag = "2")]
    pub field_transforms: Vec<FieldTransform>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FieldTransform {
    #[prost(string, tag = "1")]
    pub field_path: String,
    /// 0, which stands for none, where it is another transform.
    #[prost(int32, tag = "2")]
    #[serde(with = "server_value")]
    pub set_to_server_value: i32,
    #[prost(message, optional, tag = "3")]
    pub increment: Option<Value>,
    #[prost(message, optional, tag = "4")]
    pub maximum: Option<Value>,
    #[prost(message, optional, tag = "5")]
    pub minimum: Option<Value>,
    #[prost(message, optional, tag = "6")]
    pub append_missing_elements: Option<ArrayValue>,
    #[prost(message, optional, tag = "7")]
    pub remove_all_from_array: Option<ArrayValue>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteResult {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_time: Option<Timestamp>,
    #[prost(message, repeated, tag = "2")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub transform_results: Vec<Value>,
}

/// `google.rpc.Status`, without details.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub struct Status {
    #[prost(int32, tag = "1")]
    #[serde(skip_serializing_if = "is_default")]
    pub code: i32,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub message: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message, Serialize)]
pub struct Empty {}
