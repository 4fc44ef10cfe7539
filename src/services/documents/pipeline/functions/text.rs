//! Texts, counted in characters of Unicode, and bytes. Patterns are regular expressions without look-around, as RE2 has them.

use memchr::memmem;

use super::super::Fault;
use super::super::run::Run;
use super::{Answer, count, integer, length_of, needs, words};
use crate::services::documents::value::{Value, vector_of};

/// Bytes that a repeated text has at most. Source: the page of `STRING_REPEAT`, 1 MB.
const REPEATED_BYTES_MAX: usize = 1 << 20;

fn text(text: impl Into<String>) -> Answer {
    Ok(Some(Value::Text(text.into())))
}

fn bytes(bytes: impl Into<Vec<u8>>) -> Answer {
    Ok(Some(Value::Bytes(bytes.into())))
}

fn yes(truth: bool) -> Answer {
    Ok(Some(Value::Bool(truth)))
}

/// `needs texts or bytes`, of the first argument that is neither, or is not what the first one is.
fn needs_like(args: &[&Value]) -> Fault {
    let odd = args.iter().find(|arg| std::mem::discriminant(**arg) != std::mem::discriminant(args[0])).unwrap_or(&args[0]);
    match args[0] {
        Value::Text(_) => needs("texts alone", odd),
        Value::Bytes(_) => needs("bytes alone", odd),
        other => needs("a text or bytes", other),
    }
}

pub(super) fn byte_length(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Text(text) => length_of(text.len()),
        Value::Bytes(bytes) => length_of(bytes.len()),
        other => Err(needs("a text or bytes", other)),
    }
}

pub(super) fn char_length(args: &[&Value]) -> Answer {
    length_of(words(args[0])?.chars().count())
}

/// Of whatever has a length.
pub(super) fn length(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Text(text) => length_of(text.chars().count()),
        Value::Bytes(bytes) => length_of(bytes.len()),
        Value::Array(members) => length_of(members.len()),
        Value::Map(fields) => length_of(vector_of(fields).map_or(fields.len(), <[Value]>::len)),
        other => Err(needs("a text, bytes, an array, a map or a vector", other)),
    }
}

pub(super) fn concat(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Text(_) => string_concat(args),
        Value::Array(_) => super::list::concat(args),
        Value::Bytes(_) => {
            let parts: Option<Vec<&[u8]>> =
                args.iter().map(|arg| if let Value::Bytes(part) = arg { Some(part.as_slice()) } else { None }).collect();
            bytes(parts.ok_or_else(|| needs_like(args))?.concat())
        }
        other => Err(needs("texts, bytes or arrays", other)),
    }
}

pub(super) fn string_concat(args: &[&Value]) -> Answer {
    let mut whole = String::new();
    for arg in args {
        whole.push_str(words(arg)?);
    }
    text(whole)
}

pub(super) fn reverse(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Array(_) => super::list::reverse(args),
        _ => string_reverse(args),
    }
}

pub(super) fn string_reverse(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Text(found) => text(found.chars().rev().collect::<String>()),
        Value::Bytes(found) => bytes(found.iter().rev().copied().collect::<Vec<u8>>()),
        other => Err(needs("a text or bytes", other)),
    }
}

pub(super) fn string_contains(args: &[&Value]) -> Answer {
    yes(words(args[0])?.contains(words(args[1])?))
}

pub(super) fn starts_with(args: &[&Value]) -> Answer {
    yes(words(args[0])?.starts_with(words(args[1])?))
}

pub(super) fn ends_with(args: &[&Value]) -> Answer {
    yes(words(args[0])?.ends_with(words(args[1])?))
}

pub(super) fn to_lower(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Text(found) => text(found.to_lowercase()),
        Value::Bytes(found) => bytes(found.to_ascii_lowercase()),
        other => Err(needs("a text or bytes", other)),
    }
}

pub(super) fn to_upper(args: &[&Value]) -> Answer {
    match args[0] {
        Value::Text(found) => text(found.to_uppercase()),
        Value::Bytes(found) => bytes(found.to_ascii_uppercase()),
        other => Err(needs("a text or bytes", other)),
    }
}

pub(super) fn trim(args: &[&Value]) -> Answer {
    trimmed(args, true, true)
}

pub(super) fn ltrim(args: &[&Value]) -> Answer {
    trimmed(args, true, false)
}

pub(super) fn rtrim(args: &[&Value]) -> Answer {
    trimmed(args, false, true)
}

/// Without the characters of the second argument at an end; without white space where there is none.
fn trimmed(args: &[&Value], start: bool, end: bool) -> Answer {
    match (args[0], args.get(1)) {
        (Value::Text(found), set) => {
            let set = match set {
                None => None,
                Some(Value::Text(set)) => Some(set),
                Some(_) => return Err(needs_like(args)),
            };
            let goes = |c: char| set.map_or(c.is_whitespace(), |set| set.contains(c));
            let left = if start { found.trim_start_matches(goes) } else { found };
            text(if end { left.trim_end_matches(goes) } else { left })
        }
        (Value::Bytes(found), set) => {
            let set = match set {
                None => None,
                Some(Value::Bytes(set)) => Some(set),
                Some(_) => return Err(needs_like(args)),
            };
            let stays = |byte: &u8| !set.map_or(byte.is_ascii_whitespace(), |set| set.contains(byte));
            let from = if start { found.iter().position(stays).unwrap_or(found.len()) } else { 0 };
            let to = if end { found.iter().rposition(stays).map_or(from, |last| last + 1) } else { found.len() };
            bytes(&found[from..to.max(from)])
        }
        (other, _) => Err(needs("a text or bytes", other)),
    }
}

/// Where a part begins, of so many things; below zero from the end.
pub(super) fn begin(position: i64, length: usize) -> usize {
    match usize::try_from(position) {
        Ok(position) => position.min(length),
        Err(_) => length.saturating_sub(usize::try_from(position.unsigned_abs()).unwrap_or(usize::MAX)),
    }
}

pub(super) fn substring(args: &[&Value]) -> Answer {
    let position = integer(args[1])?;
    let most = args.get(2).map_or(Ok(usize::MAX), |length| count(length, "length"))?;
    match args[0] {
        Value::Text(found) => {
            let from = begin(position, found.chars().count());
            text(found.chars().skip(from).take(most).collect::<String>())
        }
        Value::Bytes(found) => {
            let from = begin(position, found.len());
            bytes(&found[from..from.saturating_add(most).min(found.len())])
        }
        other => Err(needs("a text or bytes", other)),
    }
}

pub(super) fn split(args: &[&Value]) -> Answer {
    let parts = match (args[0], args.get(1)) {
        (Value::Text(found), None) => found.split(',').map(|part| Value::Text(part.to_owned())).collect(),
        (Value::Text(found), Some(Value::Text(at))) if at.is_empty() && !found.is_empty() => {
            found.chars().map(|c| Value::Text(c.to_string())).collect()
        }
        (Value::Text(found), Some(Value::Text(at))) if at.is_empty() => vec![Value::Text(found.clone())],
        (Value::Text(found), Some(Value::Text(at))) => found.split(at.as_str()).map(|part| Value::Text(part.to_owned())).collect(),
        (Value::Bytes(found), Some(Value::Bytes(at))) if at.is_empty() && !found.is_empty() => {
            found.iter().map(|byte| Value::Bytes(vec![*byte])).collect()
        }
        (Value::Bytes(found), Some(Value::Bytes(at))) if at.is_empty() => vec![Value::Bytes(found.clone())],
        (Value::Bytes(found), Some(Value::Bytes(at))) => {
            let mut parts = Vec::new();
            let mut from = 0;
            for next in memmem::find_iter(found, at) {
                parts.push(Value::Bytes(found[from..next].to_vec()));
                from = next + at.len();
            }
            parts.push(Value::Bytes(found[from..].to_vec()));
            parts
        }
        (Value::Bytes(_), None) => return Err(Fault::value("bytes are split at bytes, which must be said")),
        _ => return Err(needs_like(args)),
    };
    Ok(Some(Value::Array(parts)))
}

/// The members of an array with something between them; nulls are left out, or are the third argument.
pub(super) fn join(args: &[&Value]) -> Answer {
    let members = super::array(args[0])?;
    let nulls = args.get(2).copied();
    let members = members.iter().filter_map(|member| if *member == Value::Null { nulls } else { Some(member) });
    match args[1] {
        Value::Text(between) => {
            let parts = members.map(words).collect::<Result<Vec<_>, _>>()?;
            text(parts.join(between))
        }
        Value::Bytes(between) => {
            let part = |member: &'_ Value| match member {
                Value::Bytes(part) => Ok(part.clone()),
                other => Err(needs("bytes alone", other)),
            };
            let parts = members.map(part).collect::<Result<Vec<_>, _>>()?;
            bytes(parts.join(between.as_slice()))
        }
        other => Err(needs("a text or bytes between the members", other)),
    }
}

pub(super) fn index_of(args: &[&Value]) -> Answer {
    let at = match (args[0], args[1]) {
        (Value::Text(found), Value::Text(sought)) => found.find(sought.as_str()).map(|at| found[..at].chars().count()),
        (Value::Bytes(found), Value::Bytes(sought)) => memmem::find(found, sought),
        _ => return Err(needs_like(args)),
    };
    at.map_or(Ok(Some(Value::Int(-1))), length_of)
}

pub(super) fn repeat(args: &[&Value]) -> Answer {
    let times = count(args[1], "repetitions")?;
    let length = match args[0] {
        Value::Text(found) => found.len(),
        Value::Bytes(found) => found.len(),
        other => return Err(needs("a text or bytes", other)),
    };
    if length.saturating_mul(times) > REPEATED_BYTES_MAX {
        return Err(Fault::value(format!("the outcome has more than {REPEATED_BYTES_MAX} bytes")));
    }
    match args[0] {
        // Nothing, however often: not to be gone through so many times.
        found if length == 0 => Ok(Some(found.clone())),
        Value::Text(found) => text(found.repeat(times)),
        Value::Bytes(found) => bytes(found.repeat(times)),
        other => Err(needs("a text or bytes", other)),
    }
}

pub(super) fn replace_all(args: &[&Value]) -> Answer {
    replaced(args, usize::MAX)
}

pub(super) fn replace_one(args: &[&Value]) -> Answer {
    replaced(args, 1)
}

fn replaced(args: &[&Value], most: usize) -> Answer {
    match (args[0], args[1], args[2]) {
        (Value::Text(found), Value::Text(sought), Value::Text(_)) if sought.is_empty() => text(found.as_str()),
        (Value::Text(found), Value::Text(sought), Value::Text(by)) => text(found.replacen(sought.as_str(), by, most)),
        (Value::Bytes(found), Value::Bytes(sought), Value::Bytes(_)) if sought.is_empty() => bytes(found.as_slice()),
        (Value::Bytes(found), Value::Bytes(sought), Value::Bytes(by)) => {
            let mut made = Vec::with_capacity(found.len());
            let mut from = 0;
            for next in memmem::find_iter(found, sought).take(most) {
                made.extend_from_slice(&found[from..next]);
                made.extend_from_slice(by);
                from = next + sought.len();
            }
            made.extend_from_slice(&found[from..]);
            bytes(made)
        }
        _ => Err(needs_like(args)),
    }
}

fn no_pattern(pattern: &str) -> Fault {
    Fault::value(format!("'{}' is no regular expression as RE2 has them", pattern.chars().take(200).collect::<String>()))
}

/// `%` is any text, `_` any character; a backslash takes the meaning from the next one.
pub(super) fn like(run: &Run<'_>, text: &str, pattern: &str) -> Answer {
    let mut regex = String::from(r"(?s)\A");
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        match c {
            '%' => regex.push_str(".*"),
            '_' => regex.push('.'),
            '\\' => {
                let next = rest.next().ok_or_else(|| Fault::value("the pattern ends in a backslash"))?;
                regex.push_str(&regex::escape(next.encode_utf8(&mut [0; 4])));
            }
            other => regex.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(r"\z");
    let regex = run.pattern(&regex).ok_or_else(|| Fault::value("the pattern is too long"))?;
    yes(regex.is_match(text))
}

pub(super) fn regex_contains(run: &Run<'_>, text: &str, pattern: &str) -> Answer {
    yes(run.pattern(pattern).ok_or_else(|| no_pattern(pattern))?.is_match(text))
}

/// The whole text, not a part of it.
pub(super) fn regex_match(run: &Run<'_>, text: &str, pattern: &str) -> Answer {
    // By itself first: what is no pattern must not become one by what is put around it.
    run.pattern(pattern).ok_or_else(|| no_pattern(pattern))?;
    let whole = run.pattern(&format!(r"\A(?:{pattern})\z")).ok_or_else(|| no_pattern(pattern))?;
    yes(whole.is_match(text))
}

pub(super) fn regex_find(run: &Run<'_>, text: &str, pattern: &str) -> Answer {
    let regex = run.pattern(pattern).ok_or_else(|| no_pattern(pattern))?;
    Ok(Some(regex.find(text).map_or(Value::Null, |found| Value::Text(found.as_str().to_owned()))))
}

pub(super) fn regex_find_all(run: &Run<'_>, text: &str, pattern: &str) -> Answer {
    let regex = run.pattern(pattern).ok_or_else(|| no_pattern(pattern))?;
    Ok(Some(Value::Array(regex.find_iter(text).map(|found| Value::Text(found.as_str().to_owned())).collect())))
}
