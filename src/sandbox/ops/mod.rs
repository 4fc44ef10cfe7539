//! Pure operations that a function's JavaScript hands to the host: synchronous, without effects, bounded. What they are given is hostile.
//!
//! An operation has a name, a text (mostly JSON) and bytes. Where it takes several byte strings, they are joined in `data` and the text
//! has their lengths under `parts`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

mod cipher;
mod der;
mod hash;
mod kdf;
mod key;
mod picture;
mod sign;
mod text;
mod url;
mod zlib;
mod zone;

/// The most bytes that an operation takes or answers.
pub const BYTES_MAX: usize = 256 << 20;

/// Why an operation failed: becomes a JavaScript error of this `name`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {message}")]
pub struct OpError {
    pub name: &'static str,
    pub message: String,
}

impl OpError {
    /// An ordinary `Error`.
    pub fn new(message: impl Into<String>) -> OpError {
        OpError { name: "Error", message: message.into() }
    }
    /// A `TypeError`: the arguments make no sense.
    pub fn usage(message: impl Into<String>) -> OpError {
        OpError { name: "TypeError", message: message.into() }
    }
    /// A `RangeError`: an argument is too large or too small.
    pub fn range(message: impl Into<String>) -> OpError {
        OpError { name: "RangeError", message: message.into() }
    }
}

/// What an operation answers: a text and bytes.
pub type Answer = Result<(String, Vec<u8>), OpError>;

/// Runs the operation `op`. Fails with a `TypeError` where there is none of that name.
pub fn call(op: &str, meta: &str, data: &[u8]) -> Answer {
    if data.len() > BYTES_MAX || meta.len() > BYTES_MAX {
        return Err(OpError::range(format!("an operation takes at most {} MiB", BYTES_MAX >> 20)));
    }
    match op {
        "utf8.encode" => Ok((String::new(), meta.as_bytes().to_vec())),
        "utf8.decode" => Ok((String::from_utf8_lossy(data).into_owned(), Vec::new())),
        "text.label" => text::label(meta),
        "text.decode" => text::decode(meta, data),
        "url.parse" => url::parse(meta),
        "url.set" => url::set(meta),
        "url.domain" => url::domain(meta),
        "hash" => hash::hash(meta, data),
        "hmac" => hash::hmac(meta, data),
        "names" => Ok((serde_json::json!({"hashes": hash::NAMES, "ciphers": cipher::NAMES}).to_string(), Vec::new())),
        "pbkdf2" => kdf::pbkdf2(meta, data),
        "hkdf" => kdf::hkdf(meta, data),
        "scrypt" => kdf::scrypt(meta, data),
        "bcrypt.hash" => kdf::bcrypt_hash(meta, data),
        "bcrypt.verify" => kdf::bcrypt_verify(meta, data),
        "cipher" => cipher::cipher(meta, data),
        "key.import" => key::import(meta, data),
        "key.generate" => key::generate(meta),
        "sign" => sign::sign(meta, data),
        "verify" => sign::verify(meta, data),
        "rsa" => sign::rsa(meta, data),
        "zone" => zone::zone(meta),
        "zlib" => zlib::zlib(meta, data),
        "crc32" => zlib::crc32(meta, data),
        _ => Err(OpError::usage(format!("there is no operation `{op}`"))),
    }
}

/// Runs the operation `picture`, which takes long: pixels of a picture are made, changed and encoded. It holds at most about `bytes_max`
/// bytes at once and ends soon after `stopped` is set.
pub fn picture(meta: &str, data: &[u8], stopped: Arc<AtomicBool>, bytes_max: u64) -> Answer {
    if data.len() > BYTES_MAX || meta.len() > BYTES_MAX {
        return Err(OpError::range(format!("an operation takes at most {} MiB", BYTES_MAX >> 20)));
    }
    picture::call(meta, data, &picture::Halt::new(stopped, bytes_max))
}

/// Reads the JSON text of an operation.
fn read<'a, T: serde::Deserialize<'a>>(meta: &'a str) -> Result<T, OpError> {
    serde_json::from_str(meta).map_err(|e| OpError::usage(format!("bad arguments: {e}")))
}

/// Takes `data` apart into `N` parts of the given lengths.
fn split<'a, const N: usize>(data: &'a [u8], lengths: &[usize]) -> Result<[&'a [u8]; N], OpError> {
    let mut parts = [&data[..0]; N];
    if lengths.len() != N {
        return Err(OpError::usage(format!("expected {N} byte strings, got {}", lengths.len())));
    }
    let mut rest = data;
    for (part, &length) in parts.iter_mut().zip(lengths) {
        (*part, rest) = rest.split_at_checked(length).ok_or_else(|| OpError::usage("the parts are longer than the data"))?;
    }
    Ok(parts)
}
