//! Text that has no grammar, or a loose one: queries, forms, log lines.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{HIDDEN, hides_numbers, is_secret};

/// What stands between `name=value` pairs.
fn separates(byte: u8) -> bool {
    matches!(byte, b'?' | b'&' | b';' | b'#' | b'"' | b',') || byte.is_ascii_whitespace()
}

/// See [`super::pairs`].
pub(super) fn pairs(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    if memchr::memchr(b'=', bytes).is_none() {
        return Cow::Borrowed(text);
    }
    let (mut out, mut copied) = (String::new(), 0);
    let mut start = 0;
    while start < bytes.len() {
        let length = bytes[start..].iter().position(|b| separates(*b)).unwrap_or(bytes.len() - start);
        let piece = &text[start..start + length];
        if let Some((name, value)) = piece.split_once('=')
            && !value.is_empty()
            && is_secret(&percent_decode_str(name).decode_utf8_lossy())
        {
            out.push_str(&text[copied..start + name.len() + 1]);
            out.push_str(HIDDEN);
            copied = start + length;
        }
        start += length + 1;
    }
    finish(text, out, copied)
}

fn finish(text: &str, mut out: String, copied: usize) -> Cow<'_, str> {
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// The parts of `multipart/form-data` whose names are secrets.
pub(super) fn multipart(text: &str) -> Option<String> {
    const NAME: &str = "name=\"";
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = text[at..].find(NAME) {
        let name = at + found + NAME.len();
        let Some(length) = text[name..].find('"') else { break };
        at = name + length;
        // Else it is the end of `filename="`.
        let whole = text[..name - NAME.len()].ends_with([' ', ';']);
        if !whole || !is_secret(&text[name..at]) {
            continue;
        }
        let Some(head) = text[at..].find("\r\n\r\n") else { break };
        let start = at + head + 4;
        let end = text[start..].find("\r\n--").map_or(text.len(), |length| start + length);
        out.push_str(&text[copied..start]);
        out.push_str(HIDDEN);
        (copied, at) = (end, end);
    }
    match finish(text, out, copied) {
        Cow::Borrowed(_) => None,
        Cow::Owned(hidden) => Some(hidden),
    }
}

fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$')
}

fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

/// Schemes of `Authorization`, which come before the secret.
fn is_scheme(word: &str) -> bool {
    ["bearer", "basic", "digest", "negotiate"].iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Shortest word after `Bearer` that is taken for a token rather than for prose.
const BEARER_BYTES_MIN: usize = 12;

/// See [`super::text`].
pub(super) fn text(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let (mut out, mut copied, mut at) = (String::new(), 0, 0);
    while at < bytes.len() {
        if !in_name(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        at += bytes[at..].iter().take_while(|b| in_name(**b)).count();
        let name = &text[start..at];
        // Only what is hidden is looked at beyond its name, and is not looked at again.
        let span = if is_secret(name) {
            value(text, at).filter(|(from, to)| hides(name, &text[*from..*to]))
        } else if is_scheme(name) {
            bearer(text, at)
        } else {
            None
        };
        if let Some((from, to)) = span {
            out.push_str(&text[copied..from]);
            out.push_str(HIDDEN);
            (copied, at) = (to, to);
        }
    }
    finish(text, out, copied)
}

fn hides(name: &str, value: &str) -> bool {
    match value {
        "" | "true" | "false" | "null" | "undefined" | "None" | "True" | "False" | "nil" => false,
        _ => hides_numbers(name) || value.parse::<f64>().is_err(),
    }
}

fn skip(bytes: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> usize {
    from + bytes.get(from..).unwrap_or_default().iter().take_while(|b| wanted(**b)).count()
}

/// Spaces that may stand between a name, its colon and its value.
const SPACES_MAX: usize = 16;

fn skip_spaces(bytes: &[u8], from: usize) -> usize {
    skip(bytes, from, |b| b == b' ').min(from + SPACES_MAX)
}

/// The value of the name that ends at `at`, if one follows.
fn value(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    // The end of the name's quotes, which may themselves be escaped.
    let mut at = skip(bytes, at, |b| b == b'\\');
    if bytes.get(at).copied().is_some_and(is_quote) {
        at += 1;
    }
    at = skip_spaces(bytes, at);
    if !matches!(bytes.get(at)?, b':' | b'=') {
        return None;
    }
    at = skip_spaces(bytes, at + 1);
    let quote = skip(bytes, at, |b| b == b'\\');
    if bytes.get(quote).copied().is_some_and(is_quote) {
        let mark = &text[at..=quote];
        let from = quote + 1;
        return Some((from, end_of_quoted(text, from, mark)));
    }
    let from = at;
    match bytes.get(from)? {
        b'{' | b'[' => Some((from, end_of_brackets(bytes, from))),
        _ => {
            let to = end_of_word(bytes, from);
            let scheme = text.get(from..to).is_some_and(is_scheme);
            Some((from, if scheme { end_of_word(bytes, skip_spaces(bytes, to)) } else { to }))
        }
    }
}

/// The word after `Bearer`, where it looks like a token.
fn bearer(text: &str, at: usize) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    let from = skip_spaces(bytes, at);
    let to = end_of_word(bytes, from);
    (from > at && to - from >= BEARER_BYTES_MIN).then_some((from, to))
}

fn end_of_word(bytes: &[u8], from: usize) -> usize {
    skip(bytes, from, |b| !b.is_ascii_whitespace() && !matches!(b, b',' | b';' | b'&' | b')' | b'}' | b']' | b'"' | b'\'' | b'`' | b'\\'))
}

fn end_of_quoted(text: &str, from: usize, mark: &str) -> usize {
    let mut at = from;
    while let Some(found) = text[at..].find(mark) {
        let end = at + found;
        if !text[..end].ends_with('\\') {
            return end;
        }
        at = end + mark.len();
    }
    text.len()
}

fn end_of_brackets(bytes: &[u8], from: usize) -> usize {
    let (mut at, mut open) = (from, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' => open += 1,
            b'}' | b']' if open <= 1 => return at + 1,
            b'}' | b']' => open -= 1,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}
