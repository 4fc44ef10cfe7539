//! What went in or came out of something, as far as records keep it.

use std::borrow::Cow;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of one payload that are kept.
pub const PAYLOAD_BYTES_MAX: usize = 64 << 10;

/// The beginning of an event, an answer or a body, and how long the whole is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    kept: Bytes,
    whole: u64,
}

impl Payload {
    /// Keeps the first [`PAYLOAD_BYTES_MAX`]. A short one shares its memory with `data`.
    pub fn new(data: &Bytes) -> Payload {
        Payload::part(data, data.len() as u64)
    }

    /// The same for the beginning of something that is `whole` bytes long.
    pub fn part(data: &Bytes, whole: u64) -> Payload {
        let whole = whole.max(data.len() as u64);
        // A slice would keep all of a long one in memory.
        let kept = if data.len() <= PAYLOAD_BYTES_MAX { data.clone() } else { Bytes::copy_from_slice(&data[..PAYLOAD_BYTES_MAX]) };
        Payload { kept, whole }
    }

    /// Keeps nothing of it but its length.
    pub fn shed(&mut self) {
        self.kept = Bytes::new();
    }

    /// The bytes that were kept.
    pub fn kept(&self) -> &Bytes {
        &self.kept
    }

    /// The length of the whole, in bytes.
    pub fn len(&self) -> u64 {
        self.whole
    }

    /// Whether there was nothing.
    pub fn is_empty(&self) -> bool {
        self.whole == 0
    }

    /// Whether less was kept than there was.
    pub fn is_cut(&self) -> bool {
        self.whole > self.kept.len() as u64
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<Cow<'a, str>>,
    /// Where it is not UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
    bytes: u64,
}

impl Serialize for Payload {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use base64::Engine as _;
        let (text, base64) = match std::str::from_utf8(&self.kept) {
            Ok(text) => (Some(Cow::Borrowed(text)), None),
            // Where it was cut, it may have been cut inside of a character.
            Err(error) if self.is_cut() && error.error_len().is_none() => {
                (Some(String::from_utf8_lossy(&self.kept[..error.valid_up_to()])), None)
            }
            Err(_) => (None, Some(base64::engine::general_purpose::STANDARD.encode(&self.kept))),
        };
        Stored { text, base64, bytes: self.whole }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Payload, D::Error> {
        use base64::Engine as _;
        let stored = Stored::deserialize(deserializer)?;
        let kept = match (stored.text, stored.base64) {
            (Some(text), _) => text.into_owned().into_bytes(),
            (None, Some(encoded)) => base64::engine::general_purpose::STANDARD.decode(encoded).map_err(serde::de::Error::custom)?,
            (None, None) => Vec::new(),
        };
        Ok(Payload { whole: stored.bytes.max(kept.len() as u64), kept: kept.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(data: &[u8], json: &str) {
        let payload = Payload::new(&Bytes::copy_from_slice(data));
        assert_eq!(serde_json::to_string(&payload).expect("JSON"), json);
        assert_eq!(serde_json::from_str::<Payload>(json).expect("a payload"), payload);
    }

    #[test]
    fn text_is_kept_as_text_and_other_bytes_as_base64() {
        check(b"", r#"{"text":"","bytes":0}"#);
        check("{\"a\":\"\u{e9}\"}".as_bytes(), r#"{"text":"{\"a\":\"é\"}","bytes":10}"#);
        check(&[0xff, 0], r#"{"base64":"/wA=","bytes":2}"#);
    }

    #[test]
    fn a_long_one_is_cut_and_says_so() {
        let long = Payload::new(&Bytes::from("\u{e9}".repeat(PAYLOAD_BYTES_MAX)));
        assert!(long.is_cut() && long.kept().len() == PAYLOAD_BYTES_MAX && long.len() == 2 * PAYLOAD_BYTES_MAX as u64);
        let odd = Payload::new(&Bytes::from(format!("a{}", "\u{e9}".repeat(PAYLOAD_BYTES_MAX))));
        let read: Payload = serde_json::from_str(&serde_json::to_string(&odd).expect("JSON")).expect("a payload");
        assert!(read.is_cut() && read.len() == odd.len() && read.kept().len() == PAYLOAD_BYTES_MAX - 1);
    }
}
