//! Values as bytes whose order is the values' order, each ended by itself, so that keys can follow each other.
//!
//! Source of the order: "Supported data types", value type ordering. Numbers are compared by value, whichever their type: 1 and 1.0
//! have one key.

use super::value::{Timestamp, Value, vector_of};

/// Bytes of a value's key that an index keeps. Source: "Index entry limits": at most 1,500 bytes of a value are indexed.
pub const INDEXED_BYTES_MAX: usize = 1_500;

/// After everything that starts with the same bytes.
pub const AFTER: u8 = 0xff;

/// What comes first in keys: the type, with room between.
mod tag {
    pub const END: u8 = 0x01;
    pub const NUMBERED: u8 = 0x02;
    pub const NAMED: u8 = 0x03;
    pub const NULL: u8 = 0x08;
    pub const FALSE: u8 = 0x10;
    pub const TRUE: u8 = 0x11;
    pub const NUMBER: u8 = 0x18;
    pub const TIMESTAMP: u8 = 0x20;
    pub const TEXT: u8 = 0x28;
    pub const BYTES: u8 = 0x30;
    pub const REFERENCE: u8 = 0x38;
    pub const GEO: u8 = 0x40;
    pub const ARRAY: u8 = 0x48;
    pub const VECTOR: u8 = 0x50;
    pub const MAP: u8 = 0x58;
}

/// The key of a value.
pub fn of(value: &Value) -> Vec<u8> {
    let mut into = Vec::with_capacity(24);
    push(value, &mut into);
    into
}

/// The key of null.
pub fn null() -> Vec<u8> {
    vec![tag::NULL]
}

/// The first and the last byte that keys of this value's type begin with: ranges of values stay within one type.
pub fn bracket(value: &Value) -> (u8, u8) {
    match value {
        Value::Null => (tag::NULL, tag::NULL),
        Value::Bool(_) => (tag::FALSE, tag::TRUE),
        other => {
            let tag = of_type(other);
            (tag, tag)
        }
    }
}

fn of_type(value: &Value) -> u8 {
    match value {
        Value::Null => tag::NULL,
        Value::Bool(false) => tag::FALSE,
        Value::Bool(true) => tag::TRUE,
        Value::Int(_) | Value::Double(_) => tag::NUMBER,
        Value::Timestamp(_) => tag::TIMESTAMP,
        Value::Text(_) => tag::TEXT,
        Value::Bytes(_) => tag::BYTES,
        Value::Reference(_) => tag::REFERENCE,
        Value::Geo { .. } => tag::GEO,
        Value::Array(_) => tag::ARRAY,
        Value::Map(fields) => match vector_of(fields) {
            Some(_) => tag::VECTOR,
            None => tag::MAP,
        },
    }
}

/// Appends the key of a value.
pub fn push(value: &Value, into: &mut Vec<u8>) {
    into.push(of_type(value));
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Int(n) => push_int(*n, into),
        Value::Double(n) => push_double(*n, into),
        Value::Timestamp(Timestamp { seconds, nanos }) => {
            push_i64(*seconds, into);
            into.extend(nanos.to_be_bytes());
        }
        Value::Text(text) => push_bytes(text.as_bytes(), into),
        Value::Bytes(bytes) => push_bytes(bytes, into),
        Value::Reference(name) => push_path(name, into),
        Value::Geo { latitude, longitude } => {
            into.extend(ordered(*latitude).to_be_bytes());
            into.extend(ordered(*longitude).to_be_bytes());
        }
        Value::Array(values) => push_all(values, into),
        Value::Map(fields) => match vector_of(fields) {
            Some(elements) => {
                into.extend((elements.len() as u32).to_be_bytes());
                push_all(elements, into);
            }
            None => {
                for (name, value) in fields {
                    into.push(tag::NAMED);
                    push_bytes(name.as_bytes(), into);
                    push(value, into);
                }
                into.push(tag::END);
            }
        },
    }
}

fn push_all(values: &[Value], into: &mut Vec<u8>) {
    values.iter().for_each(|value| push(value, into));
    into.push(tag::END);
}

/// Appends the key of a name or a path: segment by segment.
pub fn push_path(path: &str, into: &mut Vec<u8>) {
    path.split('/').for_each(|segment| push_id(segment, into));
    into.push(tag::END);
}

/// The key of a document within its collection.
pub fn of_id(id: &str) -> Vec<u8> {
    let mut into = Vec::with_capacity(id.len() + 3);
    push_id(id, &mut into);
    into
}

fn push_id(id: &str, into: &mut Vec<u8>) {
    match number_of_id(id) {
        Some(number) => {
            into.push(tag::NUMBERED);
            push_i64(number, into);
        }
        None => {
            into.push(tag::NAMED);
            push_bytes(id.as_bytes(), into);
        }
    }
}

/// The number of an identifier of the form `__id7__`; these come before all others.
pub fn number_of_id(id: &str) -> Option<i64> {
    let digits = id.strip_prefix("__id")?.strip_suffix("__")?;
    let number: i64 = digits.parse().ok()?;
    // Only the usual way to write it is that number.
    (number.to_string() == digits).then_some(number)
}

fn push_i64(n: i64, into: &mut Vec<u8>) {
    into.extend(((n as u64) ^ (1 << 63)).to_be_bytes());
}

/// Zero bytes are escaped, so that the end, which is smaller than any escape, can be told.
fn push_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    for &byte in bytes {
        into.push(byte);
        if byte == 0 {
            into.push(AFTER);
        }
    }
    into.extend([0, tag::END]);
}

/// A number is the largest double that is not above it, and what is left to an integer: doubles that hold all integers have none
/// between, so that is exact.
fn push_int(n: i64, into: &mut Vec<u8>) {
    let mut below = n as f64;
    if below as i128 > i128::from(n) {
        below = below.next_down();
    }
    let left = i128::from(n) - below as i128;
    into.extend(ordered(below).to_be_bytes());
    into.extend((left as u16).to_be_bytes());
}

fn push_double(n: f64, into: &mut Vec<u8>) {
    into.extend(ordered(n).to_be_bytes());
    into.extend([0, 0]);
}

/// The bits of a double such that their order is the numbers' order: NaN first, and one zero.
fn ordered(n: f64) -> u64 {
    if n.is_nan() {
        return 0;
    }
    let bits = if n == 0.0 { 0 } else { n.to_bits() };
    if bits >> 63 == 1 { !bits } else { bits | (1 << 63) }
}

/// A key as an index keeps it, cut where it is long.
pub fn indexed(mut key: Vec<u8>) -> Vec<u8> {
    key.truncate(INDEXED_BYTES_MAX);
    key
}
