//! Requests and answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{
    Cursor, Document, DocumentMask, Precondition, Status, StructuredAggregationQuery, StructuredQuery, Timestamp, TransactionOptions,
    Value, Write, WriteResult, is_default, text,
};

#[derive(Clone, PartialEq, prost::Message)]
pub struct GetDocumentRequest {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub mask: Option<DocumentMask>,
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub transaction: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ListDocumentsRequest {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(string, tag = "2")]
    pub collection_id: String,
    #[prost(int32, tag = "3")]
    pub page_size: i32,
    #[prost(string, tag = "4")]
    pub page_token: String,
    #[prost(string, tag = "6")]
    pub order_by: String,
    #[prost(message, optional, tag = "7")]
    pub mask: Option<DocumentMask>,
    #[prost(bytes = "bytes", optional, tag = "8")]
    pub transaction: Option<Bytes>,
    #[prost(message, optional, tag = "10")]
    pub read_time: Option<Timestamp>,
    #[prost(bool, tag = "12")]
    pub show_missing: bool,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListDocumentsResponse {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_page_token: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CreateDocumentRequest {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(string, tag = "2")]
    pub collection_id: String,
    #[prost(string, tag = "3")]
    pub document_id: String,
    #[prost(message, optional, tag = "4")]
    pub document: Option<Document>,
    #[prost(message, optional, tag = "5")]
    pub mask: Option<DocumentMask>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateDocumentRequest {
    #[prost(message, optional, tag = "1")]
    pub document: Option<Document>,
    #[prost(message, optional, tag = "2")]
    pub update_mask: Option<DocumentMask>,
    #[prost(message, optional, tag = "3")]
    pub mask: Option<DocumentMask>,
    #[prost(message, optional, tag = "4")]
    pub current_document: Option<Precondition>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct DeleteDocumentRequest {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub current_document: Option<Precondition>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BatchGetDocumentsRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(string, repeated, tag = "2")]
    pub documents: Vec<String>,
    #[prost(message, optional, tag = "3")]
    pub mask: Option<DocumentMask>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    #[serde(deserialize_with = "text::some_bytes::deserialize")]
    pub transaction: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    pub new_transaction: Option<TransactionOptions>,
    #[prost(message, optional, tag = "7")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchGetDocumentsResponse {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<Document>,
    #[prost(string, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub transaction: Bytes,
    #[prost(message, optional, tag = "4")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BeginTransactionRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(message, optional, tag = "2")]
    pub options: Option<TransactionOptions>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub struct BeginTransactionResponse {
    #[prost(bytes = "bytes", tag = "1")]
    #[serde(with = "text::bytes")]
    pub transaction: Bytes,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CommitRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(message, repeated, tag = "2")]
    pub writes: Vec<Write>,
    #[prost(bytes = "bytes", tag = "3")]
    #[serde(with = "text::bytes")]
    pub transaction: Bytes,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommitResponse {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub write_results: Vec<WriteResult>,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RollbackRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(with = "text::bytes")]
    pub transaction: Bytes,
}

/// What a client wants to know of how a query ran.
#[derive(Clone, Copy, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct ExplainOptions {
    /// Runs the query too; else only what would be done is told.
    #[prost(bool, tag = "1")]
    pub analyze: bool,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunQueryRequest {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(message, optional, tag = "2")]
    pub structured_query: Option<StructuredQuery>,
    #[prost(bytes = "bytes", optional, tag = "5")]
    #[serde(deserialize_with = "text::some_bytes::deserialize")]
    pub transaction: Option<Bytes>,
    #[prost(message, optional, tag = "6")]
    pub new_transaction: Option<TransactionOptions>,
    #[prost(message, optional, tag = "7")]
    pub read_time: Option<Timestamp>,
    #[prost(message, optional, tag = "10")]
    pub explain_options: Option<ExplainOptions>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunQueryResponse {
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub transaction: Bytes,
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<Document>,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Timestamp>,
    #[prost(int32, tag = "4")]
    #[serde(skip_serializing_if = "is_default")]
    pub skipped_results: i32,
    #[prost(message, optional, tag = "11")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain_metrics: Option<ExplainMetrics>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RunAggregationQueryRequest {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(message, optional, tag = "2")]
    pub structured_aggregation_query: Option<StructuredAggregationQuery>,
    #[prost(bytes = "bytes", optional, tag = "4")]
    #[serde(deserialize_with = "text::some_bytes::deserialize")]
    pub transaction: Option<Bytes>,
    #[prost(message, optional, tag = "5")]
    pub new_transaction: Option<TransactionOptions>,
    #[prost(message, optional, tag = "6")]
    pub read_time: Option<Timestamp>,
    #[prost(message, optional, tag = "8")]
    pub explain_options: Option<ExplainOptions>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AggregationResult {
    #[prost(btree_map = "string, message", tag = "2")]
    pub aggregate_fields: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunAggregationQueryResponse {
    #[prost(message, optional, tag = "1")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result: Option<AggregationResult>,
    #[prost(bytes = "bytes", tag = "2")]
    #[serde(with = "text::bytes", skip_serializing_if = "Bytes::is_empty")]
    pub transaction: Bytes,
    #[prost(message, optional, tag = "3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_time: Option<Timestamp>,
    #[prost(message, optional, tag = "10")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain_metrics: Option<ExplainMetrics>,
}

/// How a query ran.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExplainMetrics {
    #[prost(message, optional, tag = "1")]
    pub plan_summary: Option<PlanSummary>,
    #[prost(message, optional, tag = "2")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_stats: Option<ExecutionStats>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlanSummary {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub indexes_used: Vec<Struct>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExecutionStats {
    #[prost(int64, tag = "1")]
    #[serde(with = "text::int64")]
    pub results_returned: i64,
    /// `google.protobuf.Duration` has the form of a time.
    #[prost(message, optional, tag = "3")]
    #[serde(serialize_with = "duration")]
    pub execution_duration: Option<Timestamp>,
    #[prost(int64, tag = "4")]
    #[serde(with = "text::int64")]
    pub read_operations: i64,
    #[prost(message, optional, tag = "5")]
    pub debug_stats: Option<Struct>,
}

/// `google.protobuf.Struct` of texts: an object in JSON.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(transparent)]
pub struct Struct {
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, StructText>,
}

impl Struct {
    pub fn of<const N: usize>(texts: [(&str, String); N]) -> Struct {
        Struct { fields: texts.into_iter().map(|(name, text)| (name.to_owned(), StructText { text: Some(text) })).collect() }
    }
}

/// `google.protobuf.Value`, where it is a text.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(transparent)]
pub struct StructText {
    #[prost(string, optional, tag = "3")]
    pub text: Option<String>,
}

fn duration<S: serde::Serializer>(duration: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    let duration = duration.unwrap_or_default();
    serializer.collect_str(&format_args!("{}.{:09}s", duration.seconds, duration.nanos))
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PartitionQueryRequest {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(message, optional, tag = "2")]
    pub structured_query: Option<StructuredQuery>,
    #[prost(int64, tag = "3")]
    #[serde(with = "text::int64")]
    pub partition_count: i64,
    #[prost(string, tag = "4")]
    pub page_token: String,
    #[prost(int32, tag = "5")]
    pub page_size: i32,
    #[prost(message, optional, tag = "6")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartitionQueryResponse {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Cursor>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_page_token: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ListCollectionIdsRequest {
    #[prost(string, tag = "1")]
    pub parent: String,
    #[prost(int32, tag = "2")]
    pub page_size: i32,
    #[prost(string, tag = "3")]
    pub page_token: String,
    #[prost(message, optional, tag = "4")]
    pub read_time: Option<Timestamp>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListCollectionIdsResponse {
    #[prost(string, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collection_ids: Vec<String>,
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub next_page_token: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct BatchWriteRequest {
    #[prost(string, tag = "1")]
    pub database: String,
    #[prost(message, repeated, tag = "2")]
    pub writes: Vec<Write>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchWriteResponse {
    #[prost(message, repeated, tag = "1")]
    pub write_results: Vec<WriteResult>,
    #[prost(message, repeated, tag = "2")]
    pub status: Vec<Status>,
}
