//! JSON, also where it was cut: every string that a colon follows is a name, whose value is hidden where the name says so.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{HIDDEN, hides_numbers, is_secret, value};

/// Texts inside of texts that are looked into: a body in an event, a message in a body, what a message holds.
pub(super) const DEPTH_MAX: usize = 5;

/// Longest escape at the end of a text that was cut: `\u12ab`, less its last character.
const ESCAPE_BYTES_MAX: usize = 6;

struct Scan<'a> {
    text: &'a str,
    depth: usize,
    /// The text so far, as it is to be; empty until something was hidden.
    out: String,
    /// Up to where `out` has the text.
    copied: usize,
}

/// The text without secrets; `None` where it has none.
pub(super) fn hide(text: &str, depth: usize) -> Option<String> {
    let mut scan = Scan { text, depth, out: String::new(), copied: 0 };
    let mut at = 0;
    while let Some(start) = find(text, at, b'"') {
        at = scan.string(start, None);
    }
    if scan.copied == 0 {
        return None;
    }
    scan.out.push_str(&text[scan.copied..]);
    Some(scan.out)
}

fn find(text: &str, from: usize, byte: u8) -> Option<usize> {
    memchr::memchr(byte, text.as_bytes().get(from..)?).map(|at| from + at)
}

/// Where the string ends that begins at `start`: behind its last quote, or at the end of a text that was cut; and whether it was whole.
fn end_of_string(text: &str, start: usize) -> (usize, bool) {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes[at] == b'"' {
            return (at + 1, true);
        }
        at += 2;
    }
    (text.len(), false)
}

fn skip_space(text: &str, from: usize) -> usize {
    let rest = text.as_bytes().get(from..).unwrap_or_default();
    from + rest.iter().take_while(|b| b.is_ascii_whitespace()).count()
}

/// Where a value ends that is no string: an object or a list behind its last bracket, a literal before what follows it.
fn end_of_value(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut open) = (start, 0usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => {
                at = end_of_string(text, at).0;
                continue;
            }
            b'{' | b'[' => open += 1,
            b'}' | b']' if open <= 1 => return if open == 1 { at + 1 } else { at },
            b'}' | b']' => open -= 1,
            b',' if open == 0 => return at,
            b if open == 0 && b.is_ascii_whitespace() => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

impl Scan<'_> {
    /// Puts `with` in the place of a piece of the text.
    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.out.push_str(&self.text[self.copied..from]);
        self.out.push_str(with);
        self.copied = to;
    }

    /// Deals with the string at `start`, the value of `name` if it is known to be one, and with its own value if it is a name. Answers
    /// where to go on.
    fn string(&mut self, start: usize, name: Option<&str>) -> usize {
        let (end, whole) = end_of_string(self.text, start);
        let colon = skip_space(self.text, end);
        if name.is_none() && whole && self.text.as_bytes().get(colon) == Some(&b':') {
            let raw = &self.text[start..end];
            let plain = &raw[1..raw.len() - 1];
            let escaped = raw.contains('\\').then(|| serde_json::from_str::<String>(raw).ok()).flatten();
            return self.value_of(escaped.as_deref().unwrap_or(plain), skip_space(self.text, colon + 1));
        }
        if let Some(hidden) = self.look_into(start, end, whole, name) {
            self.replace(start, end, &hidden);
        }
        end
    }

    fn value_of(&mut self, name: &str, start: usize) -> usize {
        let first = self.text.as_bytes().get(start).copied();
        if !is_secret(name) {
            return if first == Some(b'"') { self.string(start, Some(name)) } else { start };
        }
        let end = match first {
            None => return start,
            Some(b'"') => end_of_string(self.text, start).0,
            Some(b'{' | b'[') => end_of_value(self.text, start),
            Some(byte) => {
                let end = end_of_value(self.text, start);
                let number = byte == b'-' || byte.is_ascii_digit();
                // What is true, false or null tells nothing.
                if !number || !hides_numbers(name) || end == start {
                    return end;
                }
                end
            }
        };
        self.replace(start, end, &format!("\"{HIDDEN}\""));
        end
    }

    /// The string with what it holds hidden, escaped again; `None` where there is nothing to hide.
    fn look_into(&self, start: usize, end: usize, whole: bool, name: Option<&str>) -> Option<String> {
        let raw = &self.text[start..end];
        let encoded = name == Some("body") && whole;
        if !encoded && memchr::memchr2(b'=', b'\\', raw.as_bytes()).is_none() {
            return None;
        }
        if self.depth == 0 || !(raw.contains('=') || raw.contains("\\\"") || encoded) {
            return None;
        }
        let content = if whole { serde_json::from_str::<String>(raw).ok()? } else { unescape_cut(raw)? };
        let hidden = match value(&content, self.depth) {
            Some(hidden) => hidden,
            // Bodies of forms are handed to functions in base64.
            None if encoded => {
                let inner = String::from_utf8(STANDARD.decode(&content).ok()?).ok()?;
                STANDARD.encode(value(&inner, self.depth)?)
            }
            None => return None,
        };
        let mut escaped = serde_json::to_string(&hidden).ok()?;
        if !whole {
            escaped.pop();
        }
        Some(escaped)
    }
}

/// The content of a string whose end was cut off, perhaps inside of an escape.
fn unescape_cut(raw: &str) -> Option<String> {
    let mut end = raw.len();
    for _ in 0..=ESCAPE_BYTES_MAX {
        if let Some(text) = raw.get(..end).and_then(|part| serde_json::from_str(&format!("{part}\"")).ok()) {
            return Some(text);
        }
        end = end.checked_sub(1)?;
    }
    None
}
