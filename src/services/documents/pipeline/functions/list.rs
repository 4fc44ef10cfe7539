//! Arrays. Places are counted from 0, and from the end where they are below zero.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::super::Fault;
use super::logic::same;
use super::text::begin;
use super::{Answer, array, count, integer, length_of, words};
use crate::services::documents::key;
use crate::services::documents::value::Value;

fn list(members: impl Into<Vec<Value>>) -> Answer {
    Ok(Some(Value::Array(members.into())))
}

pub(super) fn concat(args: &[&Value]) -> Answer {
    let mut whole = Vec::new();
    for arg in args {
        whole.extend_from_slice(array(arg)?);
    }
    list(whole)
}

fn has(members: &[Value], sought: &Value) -> bool {
    members.iter().any(|member| same(Some(member), Some(sought)))
}

pub(super) fn contains(args: &[Option<&Value>]) -> Answer {
    let Some(members) = args[0].filter(|value| **value != Value::Null) else { return Ok(Some(Value::Null)) };
    let members = array(members)?;
    Ok(Some(Value::Bool(args[1].is_some_and(|sought| has(members, sought)))))
}

/// What is equal has the same key.
fn keys(members: &[Value]) -> HashSet<Vec<u8>> {
    members.iter().map(key::of).collect()
}

pub(super) fn contains_all(args: &[&Value]) -> Answer {
    let members = keys(array(args[0])?);
    Ok(Some(Value::Bool(array(args[1])?.iter().all(|sought| members.contains(&key::of(sought))))))
}

pub(super) fn contains_any(args: &[&Value]) -> Answer {
    let members = keys(array(args[0])?);
    Ok(Some(Value::Bool(array(args[1])?.iter().any(|sought| members.contains(&key::of(sought))))))
}

pub(super) fn get(args: &[&Value]) -> Answer {
    let (members, place) = (array(args[0])?, integer(args[1])?);
    let place = if place < 0 { place.checked_add_unsigned(members.len() as u64) } else { Some(place) };
    Ok(place.and_then(|place| usize::try_from(place).ok()).and_then(|place| members.get(place)).cloned())
}

/// As [`get`], and nothing of what is no array.
pub(super) fn offset(args: &[Option<&Value>]) -> Answer {
    match args {
        [Some(members @ Value::Array(_)), Some(place)] => get(&[members, place]),
        _ => Ok(None),
    }
}

pub(super) fn length(args: &[&Value]) -> Answer {
    length_of(array(args[0])?.len())
}

pub(super) fn reverse(args: &[&Value]) -> Answer {
    list(array(args[0])?.iter().rev().cloned().collect::<Vec<_>>())
}

pub(super) fn slice(args: &[&Value]) -> Answer {
    let members = array(args[0])?;
    let from = begin(integer(args[1])?, members.len());
    let most = args.get(2).map_or(Ok(usize::MAX), |length| count(length, "length"))?;
    list(&members[from..from.saturating_add(most).min(members.len())])
}

pub(super) fn first(args: &[&Value]) -> Answer {
    Ok(array(args[0])?.first().cloned())
}

pub(super) fn last(args: &[&Value]) -> Answer {
    Ok(array(args[0])?.last().cloned())
}

pub(super) fn first_n(args: &[&Value]) -> Answer {
    let members = array(args[0])?;
    list(&members[..count(args[1], "n")?.min(members.len())])
}

pub(super) fn last_n(args: &[&Value]) -> Answer {
    let members = array(args[0])?;
    list(&members[members.len().saturating_sub(count(args[1], "n")?)..])
}

pub(super) fn maximum_n(args: &[&Value]) -> Answer {
    best(args, |a, b| b.cmp(a))
}

pub(super) fn minimum_n(args: &[&Value]) -> Answer {
    best(args, |a, b| a.cmp(b))
}

/// So many members, the best first; nulls do not count.
fn best(args: &[&Value], order: fn(&[u8], &[u8]) -> Ordering) -> Answer {
    let mut members: Vec<(Vec<u8>, &Value)> =
        array(args[0])?.iter().filter(|member| **member != Value::Null).map(|member| (key::of(member), member)).collect();
    members.sort_by(|(a, _), (b, _)| order(a, b));
    members.truncate(count(args[1], "n")?);
    list(members.into_iter().map(|(_, member)| member.clone()).collect::<Vec<_>>())
}

/// Where a value is in an array: the first time, or the last one.
pub(super) fn index_of(args: &[Option<&Value>]) -> Answer {
    let Some(members) = args[0].filter(|value| **value != Value::Null) else { return Ok(Some(Value::Null)) };
    let (members, sought) = (array(members)?, args[1].unwrap_or(&Value::Null));
    let is = |member: &Value| same(Some(member), Some(sought));
    let at = match args.get(2).copied().flatten().map(words).transpose()? {
        None | Some("first") => members.iter().position(is),
        Some("last") => members.iter().rposition(is),
        Some(other) => return Err(Fault::value(format!("looks for the 'first' or the 'last', not the '{other}'"))),
    };
    at.map_or(Ok(Some(Value::Int(-1))), length_of)
}

pub(super) fn index_of_all(args: &[Option<&Value>]) -> Answer {
    let Some(members) = args[0].filter(|value| **value != Value::Null) else { return Ok(Some(Value::Null)) };
    let (members, sought) = (array(members)?, args[1].unwrap_or(&Value::Null));
    let places = members.iter().enumerate().filter(|(_, member)| same(Some(member), Some(sought)));
    list(places.map(|(at, _)| Value::Int(at as i64)).collect::<Vec<_>>())
}
