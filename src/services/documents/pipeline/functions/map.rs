//! Maps. A value that is not there takes its name with it.

use std::borrow::Cow;

use super::super::Fault;
use super::super::eval::{Outcome, Site};
use super::super::plan::Node;
use super::{Answer, needs, words};
use crate::services::documents::name::NAME_FIELD;
use crate::services::documents::value::{Fields, Value, vector_of};

fn fields(value: &Value) -> Result<&Fields, Fault> {
    match value {
        Value::Map(fields) if vector_of(fields).is_none() => Ok(fields),
        other => Err(needs("a map", other)),
    }
}

fn name_of(value: Option<&Value>) -> Result<&str, Fault> {
    value.map_or_else(|| Err(Fault::value("a name in a map must be a text, and there is none")), words)
}

/// A map of names and values.
pub(super) fn map(args: &[Option<&Value>]) -> Answer {
    let (pairs, odd) = args.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Fault::value("each name needs a value"));
    }
    let mut made = Fields::new();
    for [name, value] in pairs {
        let name = name_of(*name)?;
        let Some(value) = value else { continue };
        if made.insert(name.to_owned(), (*value).clone()).is_some() {
            return Err(Fault::value(format!("the name '{name}' comes twice")));
        }
    }
    Ok(Some(Value::Map(made)))
}

/// What a map holds by a name: nothing, where it is no map either.
pub(super) fn get(args: &[Option<&Value>]) -> Answer {
    let name = name_of(args[1])?;
    Ok(args[0].and_then(|value| fields(value).ok()).and_then(|fields| fields.get(name)).cloned())
}

pub(super) fn set(args: &[Option<&Value>]) -> Answer {
    let Some(Ok(found)) = args[0].map(fields) else { return Ok(None) };
    let mut made = found.clone();
    let (pairs, odd) = args[1..].as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Fault::value("each name needs a value"));
    }
    for [name, value] in pairs {
        let name = name_of(*name)?;
        match value {
            Some(value) => made.insert(name.to_owned(), (*value).clone()),
            None => made.remove(name),
        };
    }
    Ok(Some(Value::Map(made)))
}

pub(super) fn remove(args: &[&Value]) -> Answer {
    let mut made = fields(args[0])?.clone();
    for name in &args[1..] {
        made.remove(words(name)?);
    }
    Ok(Some(Value::Map(made)))
}

/// The later ones go first.
pub(super) fn merge(args: &[&Value]) -> Answer {
    let mut made = Fields::new();
    for arg in args {
        made.extend(fields(arg)?.clone());
    }
    Ok(Some(Value::Map(made)))
}

pub(super) fn keys(args: &[&Value]) -> Answer {
    Ok(Some(Value::Array(fields(args[0])?.keys().cloned().map(Value::Text).collect())))
}

pub(super) fn values(args: &[&Value]) -> Answer {
    Ok(Some(Value::Array(fields(args[0])?.values().cloned().collect())))
}

pub(super) fn entries(args: &[&Value]) -> Answer {
    let entry = |(name, value): (&String, &Value)| {
        Value::Map([("k".to_owned(), Value::Text(name.clone())), ("v".to_owned(), value.clone())].into())
    };
    Ok(Some(Value::Array(fields(args[0])?.iter().map(entry).collect())))
}

/// All fields of the document, and its name.
pub(super) fn current<'s>(_: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    let mut made = site.row.fields.clone();
    if let Some(name) = &site.row.name {
        made.insert(NAME_FIELD.to_owned(), Value::Reference(name.clone()));
    }
    Ok(Some(Cow::Owned(Value::Map(made))))
}
