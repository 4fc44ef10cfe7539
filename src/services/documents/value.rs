//! Values of fields. Their order is that of their keys: see [`super::key`].

use std::collections::BTreeMap;

/// A point in time as documents hold it, to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Since 1970-01-01T00:00:00Z, below zero before.
    pub seconds: i64,
    /// 0 to 999,999,999; whole microseconds in what is stored.
    pub nanos: u32,
}

impl Timestamp {
    /// From year 1 to year 9999. Source: `google.protobuf.Timestamp`.
    const SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;

    /// From seconds and nanoseconds, cut to microseconds as stored values are; `None` outside the years 1 to 9999.
    pub fn new(seconds: i64, nanos: i32) -> Option<Timestamp> {
        let nanos = u32::try_from(nanos).ok().filter(|nanos| *nanos < 1_000_000_000)?;
        Timestamp::SECONDS.contains(&seconds).then_some(Timestamp { seconds, nanos: nanos / 1_000 * 1_000 })
    }

    /// From microseconds since the epoch.
    pub fn of_micros(micros: i64) -> Timestamp {
        Timestamp { seconds: micros.div_euclid(1_000_000), nanos: micros.rem_euclid(1_000_000) as u32 * 1_000 }
    }

    /// Microseconds since the epoch.
    pub fn micros(self) -> i64 {
        self.seconds.saturating_mul(1_000_000).saturating_add(i64::from(self.nanos / 1_000))
    }
}

/// The fields of a document or of a map, by name, in the order of the names' bytes.
pub type Fields = BTreeMap<String, Value>;

/// A value of a field.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Double(f64),
    Timestamp(Timestamp),
    Text(String),
    Bytes(Vec<u8>),
    /// The full name of a document.
    Reference(String),
    /// Degrees.
    Geo {
        latitude: f64,
        longitude: f64,
    },
    Array(Vec<Value>),
    Map(Fields),
}

/// The field of a map that says that it is something else, and what vectors say there.
const TYPE: &str = "__type__";
const VECTOR: &str = "__vector__";
const VECTOR_ELEMENTS: &str = "value";

impl Value {
    /// A vector of these elements, as it is stored: a map of a certain form.
    pub fn vector(elements: impl IntoIterator<Item = f64>) -> Value {
        let elements = Value::Array(elements.into_iter().map(Value::Double).collect());
        Value::Map([(TYPE.to_owned(), Value::Text(VECTOR.to_owned())), (VECTOR_ELEMENTS.to_owned(), elements)].into())
    }

    /// The elements, where it is a vector.
    pub fn as_vector(&self) -> Option<&[Value]> {
        match self {
            Value::Map(fields) => vector_of(fields),
            _ => None,
        }
    }

    /// As a number of floating point, where it is a number.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Double(n) => Some(*n),
            _ => None,
        }
    }

    /// Bytes that it counts for. Source: "Storage size calculations".
    pub fn bytes(&self) -> usize {
        match self {
            Value::Null | Value::Bool(_) => 1,
            Value::Int(_) | Value::Double(_) | Value::Timestamp(_) => 8,
            Value::Text(text) => text.len() + 1,
            Value::Bytes(bytes) => bytes.len(),
            Value::Reference(name) => name_bytes(name.split('/').skip(5)),
            Value::Geo { .. } => 16,
            Value::Array(values) => values.iter().map(Value::bytes).sum(),
            Value::Map(fields) => fields_bytes(fields),
        }
    }
}

/// The elements, where a map is a vector.
pub(super) fn vector_of(fields: &Fields) -> Option<&[Value]> {
    match (fields.len(), fields.get(TYPE), fields.get(VECTOR_ELEMENTS)) {
        (2, Some(Value::Text(kind)), Some(Value::Array(elements))) if kind == VECTOR => Some(elements),
        _ => None,
    }
}

/// Bytes that fields count for, with their names.
pub(super) fn fields_bytes(fields: &Fields) -> usize {
    fields.iter().map(|(name, value)| name.len() + 1 + value.bytes()).sum()
}

/// Bytes that a document's name counts for, of its segments.
pub(super) fn name_bytes<'a>(segments: impl Iterator<Item = &'a str>) -> usize {
    segments.map(|segment| segment.len() + 1).sum::<usize>() + 16
}
