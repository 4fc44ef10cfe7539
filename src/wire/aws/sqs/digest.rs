//! The MD5 digests by which clients check that their messages arrived whole.
//! Source: "Amazon SQS message metadata", calculating the MD5 message digest for message attributes.

use md5::{Digest, Md5};

use crate::base::message::{Attribute, Value};

/// The digest of a message's body.
pub fn body(body: &str) -> String {
    hex::encode(Md5::digest(body.as_bytes()))
}

/// The digest of attributes, which come in the order of their names; `None` where there are none.
pub fn attributes<'a>(attributes: impl IntoIterator<Item = (&'a String, &'a Attribute)>) -> Option<String> {
    let mut digest = Md5::new();
    let mut any = false;
    for (name, attribute) in attributes {
        any = true;
        let (tag, value) = match &attribute.value {
            Value::Text(text) => (1u8, text.as_bytes()),
            Value::Binary(bytes) => (2u8, bytes.as_slice()),
        };
        for part in [name.as_bytes(), attribute.kind.as_bytes()] {
            digest.update((part.len() as u32).to_be_bytes());
            digest.update(part);
        }
        digest.update([tag]);
        digest.update((value.len() as u32).to_be_bytes());
        digest.update(value);
    }
    any.then(|| hex::encode(digest.finalize()))
}
