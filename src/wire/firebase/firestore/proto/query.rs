//! Queries.

use serde::{Deserialize, Serialize};

use super::{DoubleValue, Int32Value, Int64Value, Value, composite_op, direction, distance_measure, field_op, is_default, unary_op};

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StructuredQuery {
    #[prost(message, optional, tag = "1")]
    pub select: Option<Projection>,
    #[prost(message, repeated, tag = "2")]
    pub from: Vec<CollectionSelector>,
    #[prost(message, optional, tag = "3")]
    pub r#where: Option<Filter>,
    #[prost(message, repeated, tag = "4")]
    pub order_by: Vec<Order>,
    #[prost(message, optional, tag = "7")]
    pub start_at: Option<Cursor>,
    #[prost(message, optional, tag = "8")]
    pub end_at: Option<Cursor>,
    #[prost(int32, tag = "6")]
    pub offset: i32,
    #[prost(message, optional, tag = "5")]
    pub limit: Option<Int32Value>,
    #[prost(message, optional, tag = "9")]
    pub find_nearest: Option<FindNearest>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CollectionSelector {
    #[prost(string, tag = "2")]
    pub collection_id: String,
    #[prost(bool, tag = "3")]
    pub all_descendants: bool,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Filter {
    #[prost(message, optional, tag = "1")]
    pub composite_filter: Option<CompositeFilter>,
    #[prost(message, optional, tag = "2")]
    pub field_filter: Option<FieldFilter>,
    #[prost(message, optional, tag = "3")]
    pub unary_filter: Option<UnaryFilter>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct CompositeFilter {
    #[prost(int32, tag = "1")]
    #[serde(with = "composite_op")]
    pub op: i32,
    #[prost(message, repeated, tag = "2")]
    pub filters: Vec<Filter>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FieldFilter {
    #[prost(message, optional, tag = "1")]
    pub field: Option<FieldReference>,
    #[prost(int32, tag = "2")]
    #[serde(with = "field_op")]
    pub op: i32,
    #[prost(message, optional, tag = "3")]
    pub value: Option<Value>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UnaryFilter {
    #[prost(int32, tag = "1")]
    #[serde(with = "unary_op")]
    pub op: i32,
    #[prost(message, optional, tag = "2")]
    pub field: Option<FieldReference>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Order {
    #[prost(message, optional, tag = "1")]
    pub field: Option<FieldReference>,
    #[prost(int32, tag = "2")]
    #[serde(with = "direction")]
    pub direction: i32,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FieldReference {
    #[prost(string, tag = "2")]
    pub field_path: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Projection {
    #[prost(message, repeated, tag = "2")]
    pub fields: Vec<FieldReference>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct FindNearest {
    #[prost(message, optional, tag = "1")]
    pub vector_field: Option<FieldReference>,
    #[prost(message, optional, tag = "2")]
    pub query_vector: Option<Value>,
    #[prost(int32, tag = "3")]
    #[serde(with = "distance_measure")]
    pub distance_measure: i32,
    #[prost(message, optional, tag = "4")]
    pub limit: Option<Int32Value>,
    #[prost(string, tag = "5")]
    pub distance_result_field: String,
    #[prost(message, optional, tag = "6")]
    pub distance_threshold: Option<DoubleValue>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    #[prost(bool, tag = "2")]
    #[serde(skip_serializing_if = "is_default")]
    pub before: bool,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct StructuredAggregationQuery {
    #[prost(message, optional, tag = "1")]
    pub structured_query: Option<StructuredQuery>,
    #[prost(message, repeated, tag = "3")]
    pub aggregations: Vec<Aggregation>,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Aggregation {
    #[prost(message, optional, tag = "1")]
    pub count: Option<Count>,
    #[prost(message, optional, tag = "2")]
    pub sum: Option<OfField>,
    #[prost(message, optional, tag = "3")]
    pub avg: Option<OfField>,
    #[prost(string, tag = "7")]
    pub alias: String,
}

#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Count {
    #[prost(message, optional, tag = "1")]
    pub up_to: Option<Int64Value>,
}

/// A sum, or an average.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub struct OfField {
    #[prost(message, optional, tag = "1")]
    pub field: Option<FieldReference>,
}
