//! Fields as compact bytes, as they are stored. The first byte is the version of the format.

use super::value::{Fields, Timestamp, Value};

const VERSION: u8 = 1;
/// Deeper than any document can be made through the API.
const DEPTH_MAX: u32 = 64;

/// The bytes of fields.
pub fn encode(fields: &Fields) -> Vec<u8> {
    let mut into = Vec::with_capacity(64);
    into.push(VERSION);
    push_map(fields, &mut into);
    into
}

/// The fields that [`encode`] made these bytes of; `None` where it did not.
pub fn decode(bytes: &[u8]) -> Option<Fields> {
    let mut from = Reader(bytes);
    (from.byte()? == VERSION).then_some(())?;
    let fields = from.map(0)?;
    from.0.is_empty().then_some(fields)
}

fn push_length(mut n: usize, into: &mut Vec<u8>) {
    while n >= 0x80 {
        into.push(n as u8 | 0x80);
        n >>= 7;
    }
    into.push(n as u8);
}

fn push_bytes(bytes: &[u8], into: &mut Vec<u8>) {
    push_length(bytes.len(), into);
    into.extend_from_slice(bytes);
}

fn push_map(fields: &Fields, into: &mut Vec<u8>) {
    push_length(fields.len(), into);
    for (name, value) in fields {
        push_bytes(name.as_bytes(), into);
        push_value(value, into);
    }
}

fn push_value(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::Null => into.push(b'0'),
        Value::Bool(false) => into.push(b'f'),
        Value::Bool(true) => into.push(b't'),
        Value::Int(n) => {
            into.push(b'i');
            into.extend(n.to_le_bytes());
        }
        Value::Double(n) => {
            into.push(b'd');
            into.extend(n.to_le_bytes());
        }
        Value::Timestamp(Timestamp { seconds, nanos }) => {
            into.push(b'T');
            into.extend(seconds.to_le_bytes());
            into.extend(nanos.to_le_bytes());
        }
        Value::Text(text) => {
            into.push(b's');
            push_bytes(text.as_bytes(), into);
        }
        Value::Bytes(bytes) => {
            into.push(b'b');
            push_bytes(bytes, into);
        }
        Value::Reference(name) => {
            into.push(b'r');
            push_bytes(name.as_bytes(), into);
        }
        Value::Geo { latitude, longitude } => {
            into.push(b'g');
            into.extend(latitude.to_le_bytes());
            into.extend(longitude.to_le_bytes());
        }
        Value::Array(values) => {
            into.push(b'a');
            push_length(values.len(), into);
            values.iter().for_each(|value| push_value(value, into));
        }
        Value::Map(fields) => {
            into.push(b'm');
            push_map(fields, into);
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn fixed<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }

    fn length(&mut self) -> Option<usize> {
        let mut n = 0usize;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            n |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(n);
            }
        }
        None
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.length()?;
        let (first, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(first)
    }

    fn text(&mut self) -> Option<String> {
        std::str::from_utf8(self.bytes()?).ok().map(str::to_owned)
    }

    fn map(&mut self, depth: u32) -> Option<Fields> {
        let mut fields = Fields::new();
        for _ in 0..self.length()? {
            let name = self.text()?;
            fields.insert(name, self.value(depth)?);
        }
        Some(fields)
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match self.byte()? {
            b'0' => Value::Null,
            b'f' => Value::Bool(false),
            b't' => Value::Bool(true),
            b'i' => Value::Int(i64::from_le_bytes(self.fixed()?)),
            b'd' => Value::Double(f64::from_le_bytes(self.fixed()?)),
            b'T' => {
                let seconds = i64::from_le_bytes(self.fixed()?);
                Value::Timestamp(Timestamp { seconds, nanos: u32::from_le_bytes(self.fixed()?) })
            }
            b's' => Value::Text(self.text()?),
            b'b' => Value::Bytes(self.bytes()?.to_vec()),
            b'r' => Value::Reference(self.text()?),
            b'g' => {
                let latitude = f64::from_le_bytes(self.fixed()?);
                Value::Geo { latitude, longitude: f64::from_le_bytes(self.fixed()?) }
            }
            b'a' => {
                let length = self.length()?;
                let mut values = Vec::with_capacity(length.min(self.0.len()));
                for _ in 0..length {
                    values.push(self.value(depth + 1)?);
                }
                Value::Array(values)
            }
            b'm' => Value::Map(self.map(depth + 1)?),
            _ => return None,
        })
    }
}
