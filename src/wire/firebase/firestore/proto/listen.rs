//! Messages of the streams.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Document, Int32Value, Status, StructuredQuery, Timestamp, Write, WriteResult, is_default, target_change_type, text};

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct WriteRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(string, tag = "2")]
    pub stream_id: String,
    #[prost(message, repeated, tag = "3")]
    pub writes: Vec<Write>,
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(with = "text::bytes")]
    pub stream_token: Bytes,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WriteResponse {
    #[prost(string, tag = "1")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub stream_id: String,
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub stream_token: Bytes,
    #[prost(message, repeated, tag = "3")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write_results: Vec<WriteResult>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListenRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(message, optional, tag = "2")]
    pub add_target: Option<Target>,
    #[prost(int32, optional, tag = "3")]
    pub remove_target: Option<i32>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Target {
    #[prost(message, optional, tag = "2")]
    pub query: Option<QueryTarget>,
    #[prost(message, optional, tag = "3")]
    pub documents: Option<DocumentsTarget>,
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(with = "text::bytes")]
    pub resume_token: Bytes,
    #[prost(message, optional, tag = "11")]
    pub read_time: Option<Timestamp>,
    #[prost(int32, tag = "5")]
    pub target_id: i32,
    #[prost(bool, tag = "6")]
    pub once: bool,
    #[prost(message, optional, tag = "12")]
    pub expected_count: Option<Int32Value>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct QueryTarget {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(message, optional, tag = "2")]
    pub structured_query: Option<StructuredQuery>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DocumentsTarget {
    #[prost(string, repeated, tag = "2")]
    pub documents: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListenResponse {
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_change: Option<TargetChange>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_change: Option<DocumentChange>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_delete: Option<DocumentDelete>,
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document_remove: Option<DocumentRemove>,
    #[prost(message, optional, tag = "5")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<ExistenceFilter>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetChange {
    #[prost(int32, tag = "1")]
    #[serde(with = "target_change_type", skip_serializing_if = "is_default")]
    pub target_change_type: i32,
    #[prost(int32, repeated, tag = "2")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_ids: Vec<i32>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Status>,
    #[prost(bytes = "bytes", tag = "4")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub resume_token: Bytes,
    #[prost(message, optional, tag = "6")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentChange {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    #[prost(int32, repeated, tag = "5")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub target_ids: Vec<i32>,
    #[prost(int32, repeated, tag = "6")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_target_ids: Vec<i32>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentDelete {
    #[prost(string, tag = "1")]
    pub document: String,
    #[prost(int32, repeated, tag = "6")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_target_ids: Vec<i32>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentRemove {
    #[prost(string, tag = "1")]
    pub document: String,
    #[prost(int32, repeated, tag = "2")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed_target_ids: Vec<i32>,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExistenceFilter {
    #[prost(int32, tag = "1")]
    pub target_id: i32,
    #[prost(int32, tag = "2")]
    pub count: i32,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unchanged_names: Option<BloomFilter>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BloomFilter {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bits: Option<BitSequence>,
    #[prost(int32, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub hash_count: i32,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub struct BitSequence {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub bitmap: Bytes,
    #[prost(int32, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub padding: i32,
}
