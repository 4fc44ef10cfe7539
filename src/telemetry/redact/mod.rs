//! Hides the values of keys that look like secrets, in what is stored and shown: in headers, queries, forms, JSON and log lines.
//!
//! Everything here takes text as it comes, also text that was cut in the middle, and looks at each byte a bounded number of times.

mod json;
mod loose;
pub(super) mod stored;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use bytes::Bytes;

use super::{Payload, Record};

/// What stands in the place of a secret.
pub const HIDDEN: &str = "***";

/// Parts of names, without what separates their words, that only secrets have.
const PARTS: [&str; 11] =
    ["password", "passwd", "passphrase", "secret", "token", "authorization", "cookie", "apikey", "accesskey", "privatekey", "credential"];
/// Names of secrets that other names have as a part.
const WHOLE: [&str; 3] = ["pwd", "jwt", "xamzsignature"];
/// The longest name that is looked at, in bytes: names are short, and what is not is no name.
const NAME_BYTES_MAX: usize = 256;

/// Whether the value of a key of this name is hidden. Case and the characters between words do not matter: `X-Api-Key`, `apiKey`.
pub fn is_secret(name: &str) -> bool {
    let mut buffer = [0; NAME_BYTES_MAX];
    let plain = plain(name, &mut buffer);
    WHOLE.iter().any(|whole| whole.as_bytes() == plain) || has(plain, &PARTS)
}

/// Whether a number is hidden that such a key has: passwords are, counts of tokens are not.
fn hides_numbers(name: &str) -> bool {
    !has(plain(name, &mut [0; NAME_BYTES_MAX]), &["token"])
}

/// The bytes that parts of secrets' names begin with, by their value.
const BEGINS: [bool; 256] = {
    let mut begins = [false; 256];
    let mut at = 0;
    while at < PARTS.len() {
        begins[PARTS[at].as_bytes()[0] as usize] = true;
        at += 1;
    }
    begins
};

/// Whether one of these, of [`PARTS`], stands in a plain name. Each name of each record passes here: most letters begin none of them.
fn has(plain: &[u8], parts: &[&str]) -> bool {
    let mut begun = (1..plain.len()).filter(|at| BEGINS[plain[at - 1] as usize]);
    // Most that begin like one have another second letter.
    begun.any(|at| parts.iter().any(|part| part.as_bytes()[1] == plain[at] && plain[at - 1..].starts_with(part.as_bytes())))
}

/// Letters and digits as small ones, by their value; nothing for all else. Without a branch for each letter of each name.
const SMALL: [u8; 256] = {
    let mut small = [0; 256];
    let mut byte = 0u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            small[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    small
};

/// The letters and digits of a name, small; nothing where it is too long for a name.
fn plain<'a>(name: &str, buffer: &'a mut [u8; NAME_BYTES_MAX]) -> &'a [u8] {
    let mut length = 0;
    if name.len() <= NAME_BYTES_MAX {
        for byte in name.bytes() {
            let kept = SMALL[byte as usize];
            buffer[length] = kept;
            length += usize::from(kept != 0);
        }
    }
    &buffer[..length]
}

/// A record as it is stored, and so without secrets ([`stored`] says which of its fields may hold some).
pub fn record(record: &Record) -> Record {
    let kept = serde_json::to_vec(record).expect("records are plain data");
    serde_json::from_slice(&kept).expect("what is written of a record is a record")
}

/// A body, an event or an answer: JSON, a form, or what else it may be. Bytes that are no text stay as they are.
pub fn payload(payload: &Payload) -> Payload {
    let kept = payload.kept();
    let readable = match std::str::from_utf8(kept) {
        Ok(text) => text,
        // Where it was cut, it may have been cut inside of a character.
        Err(error) if payload.is_cut() && error.error_len().is_none() => {
            std::str::from_utf8(&kept[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return payload.clone(),
    };
    match value(readable, json::DEPTH_MAX) {
        None => payload.clone(),
        Some(hidden) => {
            // As much longer or shorter than the whole as the part is, so that it is still known whether it was cut.
            let whole = payload.len().saturating_sub(kept.len() as u64).saturating_add(hidden.len() as u64);
            Payload::part(&Bytes::from(hidden), whole)
        }
    }
}

/// A value that may hold others in it; `None` where there is nothing to hide.
fn value(text: &str, depth: usize) -> Option<String> {
    let depth = depth.checked_sub(1)?;
    if text.trim_start().starts_with(['{', '[']) {
        return json::hide(text, depth);
    }
    if text.contains("form-data") && text.contains("name=\"") {
        return loose::multipart(text);
    }
    match pairs(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(hidden) => Some(hidden),
    }
}

/// `name=value` pairs, wherever they stand: queries, forms, cookies, URLs.
pub fn pairs(text: &str) -> Cow<'_, str> {
    loose::pairs(text)
}

/// A line for people: `name=value`, `name: 'value'`, JSON, `Bearer …`.
pub fn text(text: &str) -> Cow<'_, str> {
    loose::text(text)
}
