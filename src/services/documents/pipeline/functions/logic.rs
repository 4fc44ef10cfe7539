//! What is so, what is the same, and what is there. Three answers: yes, no, and null where it is not known.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::Fault;
use super::super::eval::{Outcome, Site, eval, truth};
use super::super::plan::Node;
use super::{Answer, array, needs, type_name, words};
use crate::services::documents::key;
use crate::services::documents::value::Value;

fn yes(truth: bool) -> Answer {
    Ok(Some(Value::Bool(truth)))
}

fn owned<'s>(value: Value) -> Outcome<'s> {
    Ok(Some(Cow::Owned(value)))
}

/// Whether one of several settles it; else null where one is not known, else the other.
fn settled<'s>(function: &str, args: &'s [Node], site: Site<'s>, by: bool, then: bool) -> Outcome<'s> {
    let (mut fault, mut unknown) = (None, false);
    for arg in args {
        match eval(arg, site).and_then(|value| truth(function, value.as_deref())) {
            Ok(Some(found)) if found == by => return owned(Value::Bool(then)),
            Ok(Some(_)) => {}
            Ok(None) => unknown = true,
            // Another one may still settle it.
            Err(Fault::Value(text)) => fault = fault.or(Some(text)),
            Err(fault) => return Err(fault),
        }
    }
    match fault {
        Some(text) => Err(Fault::Value(text)),
        None if unknown => owned(Value::Null),
        None => owned(Value::Bool(!then)),
    }
}

pub(super) fn and<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    settled("and", args, site, false, false)
}

pub(super) fn or<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    settled("or", args, site, true, true)
}

pub(super) fn nor<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    settled("nor", args, site, true, false)
}

fn boolean(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(truth) => Ok(*truth),
        other => Err(needs("a boolean", other)),
    }
}

pub(super) fn xor(args: &[&Value]) -> Answer {
    let mut odd = false;
    for arg in args {
        odd ^= boolean(arg)?;
    }
    yes(odd)
}

pub(super) fn not(args: &[&Value]) -> Answer {
    yes(!boolean(args[0])?)
}

pub(super) fn conditional<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    let holds = truth("conditional", eval(&args[0], site)?.as_deref())?;
    eval(&args[if holds == Some(true) { 1 } else { 2 }], site)
}

/// Conditions, each with what it leads to; one more is for when none holds.
pub(super) fn switch_on<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    let (pairs, default) = args.as_chunks::<2>();
    for [condition, leads_to] in pairs {
        if truth("switch_on", eval(condition, site)?.as_deref())? == Some(true) {
            return eval(leads_to, site);
        }
    }
    match default {
        [default] => eval(default, site),
        _ => Err(Fault::value("switch_on: all switch cases evaluate to false, and there is no default")),
    }
}

/// Whether two values are the same: numbers by value, and what is not there only as what is not there.
pub(in super::super) fn same(a: Option<&Value>, b: Option<&Value>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => key::of(a) == key::of(b),
        (a, b) => a.is_none() && b.is_none(),
    }
}

pub(super) fn equal(args: &[Option<&Value>]) -> Answer {
    yes(same(args[0], args[1]))
}

pub(super) fn not_equal(args: &[Option<&Value>]) -> Answer {
    yes(!same(args[0], args[1]))
}

/// How two values of one type are ordered; `None` of different types, and where one is no number.
fn order(a: Option<&Value>, b: Option<&Value>) -> Option<Ordering> {
    let (a, b) = (a?, b?);
    let is_nan = |value: &Value| matches!(value, Value::Double(n) if n.is_nan());
    (key::bracket(a) == key::bracket(b) && !is_nan(a) && !is_nan(b)).then(|| key::of(a).cmp(&key::of(b)))
}

pub(super) fn less_than(args: &[Option<&Value>]) -> Answer {
    yes(order(args[0], args[1]).is_some_and(Ordering::is_lt))
}

pub(super) fn less_than_or_equal(args: &[Option<&Value>]) -> Answer {
    yes(order(args[0], args[1]).is_some_and(Ordering::is_le))
}

pub(super) fn greater_than(args: &[Option<&Value>]) -> Answer {
    yes(order(args[0], args[1]).is_some_and(Ordering::is_gt))
}

pub(super) fn greater_than_or_equal(args: &[Option<&Value>]) -> Answer {
    yes(order(args[0], args[1]).is_some_and(Ordering::is_ge))
}

pub(super) fn between(args: &[Option<&Value>]) -> Answer {
    yes(order(args[0], args[1]).is_some_and(Ordering::is_ge) && order(args[0], args[2]).is_some_and(Ordering::is_le))
}

/// The order of all values, as sorting has it: what is not there is null.
pub(super) fn cmp(args: &[Option<&Value>]) -> Answer {
    let key = |value: Option<&Value>| value.map_or_else(key::null, key::of);
    Ok(Some(Value::Int(key(args[0]).cmp(&key(args[1])) as i64)))
}

/// Whether a value is among those of an array; `None` where there is no array.
fn among(args: &[Option<&Value>]) -> Result<Option<bool>, Fault> {
    match args[1] {
        None | Some(Value::Null) => Ok(None),
        Some(members) => Ok(Some(array(members)?.iter().any(|member| same(args[0], Some(member))))),
    }
}

pub(super) fn equal_any(args: &[Option<&Value>]) -> Answer {
    Ok(Some(among(args)?.map_or(Value::Null, Value::Bool)))
}

pub(super) fn not_equal_any(args: &[Option<&Value>]) -> Answer {
    Ok(Some(among(args)?.map_or(Value::Null, |is_among| Value::Bool(!is_among))))
}

pub(super) fn is_null(args: &[Option<&Value>]) -> Answer {
    yes(args[0] == Some(&Value::Null))
}

pub(super) fn is_not_null(args: &[Option<&Value>]) -> Answer {
    yes(args[0].is_some_and(|value| *value != Value::Null))
}

pub(super) fn is_nan(args: &[&Value]) -> Answer {
    yes(matches!(args[0], Value::Double(n) if n.is_nan()))
}

pub(super) fn is_not_nan(args: &[&Value]) -> Answer {
    yes(!matches!(args[0], Value::Double(n) if n.is_nan()))
}

pub(super) fn exists(args: &[Option<&Value>]) -> Answer {
    yes(args[0].is_some())
}

pub(super) fn is_absent(args: &[Option<&Value>]) -> Answer {
    yes(args[0].is_none())
}

pub(super) fn is_error<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    match eval(&args[0], site) {
        Err(Fault::Value(_)) => owned(Value::Bool(true)),
        Err(fault) => Err(fault),
        Ok(_) => owned(Value::Bool(false)),
    }
}

pub(super) fn if_error<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    match eval(&args[0], site) {
        Err(Fault::Value(_)) => eval(&args[1], site),
        other => other,
    }
}

pub(super) fn if_absent<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    match eval(&args[0], site)? {
        None => eval(&args[1], site),
        found => Ok(found),
    }
}

/// The first that is there and not null; the last as it is.
pub(super) fn coalesce<'s>(args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    let Some((last, others)) = args.split_last() else { return owned(Value::Null) };
    for arg in others {
        match eval(arg, site)?.filter(|value| **value != Value::Null) {
            None => {}
            found => return Ok(found),
        }
    }
    eval(last, site)
}

pub(super) fn error(args: &[&Value]) -> Answer {
    Err(Fault::value(words(args[0])?.to_owned()))
}

/// The largest or the smallest of several values, or of the members of one array; nulls do not count.
fn extreme(args: &[Option<&Value>], wanted: Ordering) -> Answer {
    let members: Vec<&Value> = match args {
        [None | Some(Value::Null)] => Vec::new(),
        [Some(one)] => array(one)?.iter().collect(),
        several => several.iter().copied().flatten().collect(),
    };
    let mut best: Option<(Vec<u8>, &Value)> = None;
    for member in members.into_iter().filter(|member| **member != Value::Null) {
        let place = key::of(member);
        if best.as_ref().is_none_or(|(best, _)| place.cmp(best) == wanted) {
            best = Some((place, member));
        }
    }
    Ok(Some(best.map_or(Value::Null, |(_, value)| value.clone())))
}

pub(super) fn maximum(args: &[Option<&Value>]) -> Answer {
    extreme(args, Ordering::Greater)
}

pub(super) fn minimum(args: &[Option<&Value>]) -> Answer {
    extreme(args, Ordering::Less)
}

pub(super) fn type_of(args: &[Option<&Value>]) -> Answer {
    Ok(Some(args[0].map_or(Value::Null, |value| Value::Text(type_name(value).to_owned()))))
}

/// The bytes that a value counts for where it is stored.
pub(super) fn storage_size(args: &[Option<&Value>]) -> Answer {
    match args[0] {
        Some(value) => super::length_of(value.bytes()),
        None => Ok(None),
    }
}

/// Types that `is_type` knows and that no value of this API has.
const OTHER_TYPES: [&str; 8] = ["int32", "decimal128", "max_key", "min_key", "object_id", "regex", "request_timestamp", "bson_timestamp"];
const TYPES: [&str; 12] =
    ["null", "boolean", "int64", "float64", "timestamp", "string", "bytes", "reference", "geo_point", "array", "vector", "map"];

pub(super) fn is_type(args: &[Option<&Value>]) -> Answer {
    let wanted = match args[1] {
        None | Some(Value::Null) => return Ok(Some(Value::Null)),
        Some(wanted) => words(wanted)?,
    };
    if wanted != "number" && !TYPES.contains(&wanted) && !OTHER_TYPES.contains(&wanted) {
        return Err(Fault::value(format!("there is no type '{wanted}'")));
    }
    let Some(found) = args[0] else { return Ok(Some(Value::Null)) };
    let found = type_name(found);
    yes(found == wanted || (wanted == "number" && ["int64", "float64"].contains(&found)))
}
