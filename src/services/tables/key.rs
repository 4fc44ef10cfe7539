//! Keys as bytes: in the order that queries promise, spread by a hash of the partition key for scans.

use sha2::{Digest, Sha256};

use super::value::{Kind, Value};

/// Bytes of hash in front of every key: the order of a scan, and what its segments divide.
pub const HASH_BYTES: usize = 4;

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum KeyKind {
    S,
    N,
    B,
}

impl KeyKind {
    /// The same among the types of values.
    pub fn kind(self) -> Kind {
        match self {
            KeyKind::S => Kind::S,
            KeyKind::N => Kind::N,
            KeyKind::B => Kind::B,
        }
    }
}

/// Appends a value's bytes in its order. Values that cannot be keys add nothing.
pub fn encode_ordered(value: &Value, into: &mut Vec<u8>) {
    match value {
        Value::S(text) => into.extend_from_slice(text.as_bytes()),
        Value::N(number) => number.encode_ordered(into),
        Value::B(bytes) => into.extend_from_slice(bytes),
        Value::Ss(_) | Value::Ns(_) | Value::Bs(_) | Value::M(_) | Value::L(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// What all keys of one partition begin with: its hash, the length of its key, its key.
pub fn partition(hash: &Value) -> Vec<u8> {
    let mut own = Vec::with_capacity(64);
    encode_ordered(hash, &mut own);
    let digest = Sha256::digest(&own);
    let mut key = Vec::with_capacity(HASH_BYTES + 2 + own.len() + 32);
    key.extend_from_slice(&digest[..HASH_BYTES]);
    // Keys are at most 2048 bytes long.
    key.extend_from_slice(&(own.len() as u16).to_be_bytes());
    key.extend_from_slice(&own);
    key
}

/// The key of an item: its partition, then its sort key in order.
pub fn encode(hash: &Value, range: Option<&Value>) -> Vec<u8> {
    let mut key = partition(hash);
    if let Some(range) = range {
        encode_ordered(range, &mut key);
    }
    key
}

/// The smallest key greater than all that begin with `prefix`; `None` where there is none.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// Which hashes a segment of a scan has: the first, and the first of the next segment (`None`: no next).
pub fn segment(segment: u32, total: u32) -> (Vec<u8>, Option<Vec<u8>>) {
    let start = |n: u32| (u64::from(n) << 32) / u64::from(total.max(1));
    let bytes = |start: u64| (start as u32).to_be_bytes().to_vec();
    let from = if segment == 0 { Vec::new() } else { bytes(start(segment)) };
    (from, (segment + 1 < total).then(|| bytes(start(segment + 1))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sort_keys_of_a_partition_keep_their_order(a in ".{0,8}", b in ".{0,8}") {
            let hash = Value::S("p".into());
            let key = |text: &str| encode(&hash, Some(&Value::S(text.into())));
            prop_assert_eq!(key(&a).cmp(&key(&b)), a.as_bytes().cmp(b.as_bytes()));
        }

        #[test]
        fn every_key_is_in_exactly_one_segment(text in ".{1,8}", total in 1u32..50) {
            let key = encode(&Value::S(text), None);
            let within = (0..total).filter(|n| {
                let (from, to) = segment(*n, total);
                key >= from && to.is_none_or(|to| key < to)
            });
            prop_assert_eq!(within.count(), 1);
        }
    }

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(&[1, 0xff]), Some(vec![2]));
        assert_eq!(after_prefix(&[0xff, 0xff]), None);
    }
}
