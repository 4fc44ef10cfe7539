//! Values, and what they are made of.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Function, Pipeline, text};
pub use crate::wire::firebase::rpc::Timestamp;

/// A place on the Earth.
#[derive(Clone, Copy, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct LatLng {
    #[prost(double, tag = "1")]
    pub latitude: f64,
    #[prost(double, tag = "2")]
    pub longitude: f64,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct ArrayValue {
    #[prost(message, repeated, tag = "1")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

#[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(default)]
pub struct MapValue {
    #[prost(btree_map = "string, message", tag = "1")]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Value>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    #[prost(oneof = "Kind", tags = "11, 1, 2, 3, 10, 17, 18, 5, 8, 9, 6, 19, 20, 21, 22")]
    pub kind: Option<Kind>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
pub enum Kind {
    #[prost(int32, tag = "11")]
    Null(i32),
    #[prost(bool, tag = "1")]
    Boolean(bool),
    #[prost(int64, tag = "2")]
    Integer(i64),
    #[prost(double, tag = "3")]
    Double(f64),
    #[prost(message, tag = "10")]
    Timestamp(Timestamp),
    #[prost(string, tag = "17")]
    String(String),
    #[prost(bytes = "bytes", tag = "18")]
    Bytes(Bytes),
    #[prost(string, tag = "5")]
    Reference(String),
    #[prost(message, tag = "8")]
    GeoPoint(LatLng),
    #[prost(message, tag = "9")]
    Array(ArrayValue),
    #[prost(message, tag = "6")]
    Map(MapValue),
    /// These four are in pipelines only.
    #[prost(string, tag = "19")]
    Field(String),
    #[prost(message, tag = "20")]
    Function(Function),
    #[prost(message, tag = "21")]
    Pipeline(Pipeline),
    #[prost(string, tag = "22")]
    Variable(String),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Double(#[serde(with = "text::double")] f64);
        let mut map = serializer.serialize_map(Some(1))?;
        match &self.kind {
            None => {}
            Some(Kind::Null(_)) => map.serialize_entry("nullValue", &())?,
            Some(Kind::Boolean(truth)) => map.serialize_entry("booleanValue", truth)?,
            Some(Kind::Integer(n)) => map.serialize_entry("integerValue", &n.to_string())?,
            Some(Kind::Double(n)) => map.serialize_entry("doubleValue", &Double(*n))?,
            Some(Kind::Timestamp(at)) => map.serialize_entry("timestampValue", at)?,
            Some(Kind::String(text)) => map.serialize_entry("stringValue", text)?,
            Some(Kind::Bytes(bytes)) => map.serialize_entry("bytesValue", &text::encode(bytes))?,
            Some(Kind::Reference(name)) => map.serialize_entry("referenceValue", name)?,
            Some(Kind::GeoPoint(place)) => map.serialize_entry("geoPointValue", place)?,
            Some(Kind::Array(array)) => map.serialize_entry("arrayValue", array)?,
            Some(Kind::Map(fields)) => map.serialize_entry("mapValue", fields)?,
            Some(Kind::Field(path)) => map.serialize_entry("fieldReferenceValue", path)?,
            Some(Kind::Variable(name)) => map.serialize_entry("variableReferenceValue", name)?,
            Some(Kind::Function(function)) => map.serialize_entry("functionValue", function)?,
            Some(Kind::Pipeline(pipeline)) => map.serialize_entry("pipelineValue", pipeline)?,
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        struct Cases;
        impl<'de> Visitor<'de> for Cases {
            type Value = Value;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a value, as {\"stringValue\": \"text\"}")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                #[derive(Deserialize)]
                struct Integer(#[serde(with = "text::int64")] i64);
                #[derive(Deserialize)]
                struct Double(#[serde(with = "text::double")] f64);
                #[derive(Deserialize)]
                struct Blob(#[serde(with = "text::bytes")] Bytes);
                let mut kind = None;
                while let Some(name) = map.next_key::<String>()? {
                    let found = match name.as_str() {
                        "nullValue" => map.next_value::<serde::de::IgnoredAny>().map(|_| Kind::Null(0))?,
                        "booleanValue" => Kind::Boolean(map.next_value()?),
                        "integerValue" => Kind::Integer(map.next_value::<Integer>()?.0),
                        "doubleValue" => Kind::Double(map.next_value::<Double>()?.0),
                        "timestampValue" => Kind::Timestamp(map.next_value()?),
                        "stringValue" => Kind::String(map.next_value()?),
                        "bytesValue" => Kind::Bytes(map.next_value::<Blob>()?.0),
                        "referenceValue" => Kind::Reference(map.next_value()?),
                        "geoPointValue" => Kind::GeoPoint(map.next_value()?),
                        "arrayValue" => Kind::Array(map.next_value()?),
                        "mapValue" => Kind::Map(map.next_value()?),
                        "fieldReferenceValue" => Kind::Field(map.next_value()?),
                        "variableReferenceValue" => Kind::Variable(map.next_value()?),
                        "functionValue" => Kind::Function(map.next_value()?),
                        "pipelineValue" => Kind::Pipeline(map.next_value()?),
                        other => {
                            return Err(A::Error::custom(format!(
                                "Invalid JSON payload received. Unknown name \"{other}\": Cannot find field."
                            )));
                        }
                    };
                    if kind.replace(found).is_some() {
                        return Err(A::Error::custom("Invalid value: oneof field 'value_type' is already set."));
                    }
                }
                Ok(Value { kind })
            }
        }
        deserializer.deserialize_map(Cases)
    }
}

#[derive(Clone, Copy, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Int32Value {
    #[prost(int32, tag = "1")]
    pub value: i32,
}

#[derive(Clone, Copy, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Int64Value {
    #[prost(int64, tag = "1")]
    #[serde(with = "text::int64")]
    pub value: i64,
}

#[derive(Clone, Copy, PartialEq, prost::Message, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DoubleValue {
    #[prost(double, tag = "1")]
    #[serde(with = "text::double")]
    pub value: f64,
}
