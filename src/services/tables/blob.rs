//! Items as compact bytes, as they are stored. The first byte is the version of the format.

use super::number::Number;
use super::value::{Item, Value};

const VERSION: u8 = 1;
/// Deeper than any item can be made through the API.
const DEPTH_MAX: u32 = 64;

/// An item's bytes.
pub fn encode(item: &Item) -> Vec<u8> {
    let mut into = Vec::with_capacity(16 + item.bytes());
    into.push(VERSION);
    encode_map(item, &mut into);
    into
}

/// The item that [`encode`] made these bytes of; `None` where it did not.
pub fn decode(bytes: &[u8]) -> Option<Item> {
    let mut from = Reader(bytes);
    (from.byte()? == VERSION).then_some(())?;
    let item = from.map(0)?;
    from.0.is_empty().then_some(item)
}

fn encode_map(item: &Item, into: &mut Vec<u8>) {
    length(item.len(), into);
    for (name, value) in item.iter() {
        bytes(name.as_bytes(), into);
        encode_value(value, into);
    }
}

fn encode_value(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::S(text) => {
            into.push(b'S');
            bytes(text.as_bytes(), into);
        }
        Value::N(n) => {
            into.push(b'N');
            number(*n, into);
        }
        Value::B(b) => {
            into.push(b'B');
            bytes(b, into);
        }
        Value::Ss(set) => {
            into.push(b's');
            length(set.len(), into);
            set.iter().for_each(|text| bytes(text.as_bytes(), into));
        }
        Value::Ns(set) => {
            into.push(b'n');
            length(set.len(), into);
            set.iter().for_each(|n| number(*n, into));
        }
        Value::Bs(set) => {
            into.push(b'b');
            length(set.len(), into);
            set.iter().for_each(|b| bytes(b, into));
        }
        Value::M(map) => {
            into.push(b'M');
            encode_map(map, into);
        }
        Value::L(list) => {
            into.push(b'L');
            length(list.len(), into);
            list.iter().for_each(|value| encode_value(value, into));
        }
        Value::Bool(true) => into.push(b'T'),
        Value::Bool(false) => into.push(b'F'),
        Value::Null => into.push(b'0'),
    }
}

fn number(n: Number, into: &mut Vec<u8>) {
    let (mantissa, exponent) = n.parts();
    varint(((mantissa << 1) ^ (mantissa >> 127)) as u128, into);
    into.extend_from_slice(&exponent.to_le_bytes());
}

fn bytes(b: &[u8], into: &mut Vec<u8>) {
    length(b.len(), into);
    into.extend_from_slice(b);
}

fn length(n: usize, into: &mut Vec<u8>) {
    varint(n as u128, into);
}

fn varint(mut n: u128, into: &mut Vec<u8>) {
    while n >= 0x80 {
        into.push(n as u8 | 0x80);
        n >>= 7;
    }
    into.push(n as u8);
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn varint(&mut self) -> Option<u128> {
        let (mut n, mut shift) = (0u128, 0);
        loop {
            let byte = self.byte()?;
            n |= u128::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(n);
            }
            shift += 7;
        }
    }

    fn length(&mut self) -> Option<usize> {
        let n = usize::try_from(self.varint()?).ok()?;
        // Whatever is counted takes a byte at least, so no damaged length makes us reserve much.
        (n <= self.0.len()).then_some(n)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let n = self.length()?;
        let (bytes, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(bytes.to_vec())
    }

    fn text(&mut self) -> Option<String> {
        String::from_utf8(self.bytes()?).ok()
    }

    fn number(&mut self) -> Option<Number> {
        let zigzag = self.varint()?;
        let mantissa = (zigzag >> 1) as i128 ^ -((zigzag & 1) as i128);
        let exponent = i16::from_le_bytes([self.byte()?, self.byte()?]);
        Number::from_parts(mantissa, exponent)
    }

    fn many<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let n = self.length()?;
        (0..n).map(|_| one(self)).collect()
    }

    fn map(&mut self, depth: u32) -> Option<Item> {
        let n = self.length()?;
        let mut attributes = Vec::with_capacity(n);
        for _ in 0..n {
            attributes.push((self.text()?, self.value(depth + 1)?));
        }
        Some(Item::new(attributes))
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        if depth > DEPTH_MAX {
            return None;
        }
        Some(match self.byte()? {
            b'S' => Value::S(self.text()?),
            b'N' => Value::N(self.number()?),
            b'B' => Value::B(self.bytes()?),
            b's' => Value::Ss(self.many(Self::text)?),
            b'n' => Value::Ns(self.many(Self::number)?),
            b'b' => Value::Bs(self.many(Self::bytes)?),
            b'M' => Value::M(self.map(depth)?),
            b'L' => Value::L(self.many(|from| from.value(depth + 1))?),
            b'T' => Value::Bool(true),
            b'F' => Value::Bool(false),
            b'0' => Value::Null,
            _ => return None,
        })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Arbitrary values, for the tests of this service.
    pub fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            "[a-zé]{0,6}".prop_map(Value::S),
            any::<i64>().prop_map(|n| Value::N(n.into())),
            proptest::collection::vec(any::<u8>(), 0..6).prop_map(Value::B),
            any::<bool>().prop_map(Value::Bool),
            Just(Value::Null),
            proptest::collection::btree_set("[a-c]{0,3}", 1..4).prop_map(|s| Value::Ss(s.into_iter().collect())),
            proptest::collection::btree_set(-9i64..9, 1..4).prop_map(|s| Value::Ns(s.into_iter().map(Number::from).collect())),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::L),
                proptest::collection::vec(("[a-d]{1,3}", inner), 0..4).prop_map(|m| Value::M(Item::new(m))),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_read_back(attributes in proptest::collection::vec(("[a-d]{1,3}", values()), 0..5)) {
            let item = Item::new(attributes);
            prop_assert_eq!(decode(&encode(&item)), Some(item));
        }

        #[test]
        fn damaged_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut damaged = vec![VERSION];
            damaged.extend(bytes);
            let _ = decode(&damaged);
        }
    }

    #[test]
    fn of_two_attributes_with_one_name_the_last_counts() {
        let item = Item::new(vec![("a".into(), Value::Null), ("b".into(), Value::Null), ("a".into(), Value::Bool(true))]);
        assert_eq!((item.len(), item.get("a")), (2, Some(&Value::Bool(true))));
    }
}
