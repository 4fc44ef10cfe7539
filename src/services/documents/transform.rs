//! Changes of a field that depend on what is there. Source: the documentation of `DocumentTransform.FieldTransform`.

use std::collections::HashSet;

use super::Error;
use super::key;
use super::name::FieldPath;
use super::value::{Timestamp, Value};

/// A change of one field.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    pub field: FieldPath,
    pub kind: TransformKind,
}

/// What becomes of the field.
#[derive(Clone, Debug, PartialEq)]
pub enum TransformKind {
    /// The time of the request, to the millisecond.
    RequestTime,
    /// Adds a number; whole numbers stay within 64 bits.
    Increment(Value),
    Maximum(Value),
    Minimum(Value),
    /// Appends those that an array does not have.
    AppendMissing(Vec<Value>),
    RemoveAll(Vec<Value>),
}

impl Transform {
    /// The field's new value, and what the write's result says of it. Fails with [`Error::Invalid`] where the operand is no number.
    pub(super) fn apply(&self, old: Option<&Value>, now: Timestamp) -> Result<(Value, Value), Error> {
        let number = |operand: &Value, what: &str| match operand {
            Value::Int(_) | Value::Double(_) => Ok(()),
            _ => Err(Error::Invalid(format!("{what} requires a number for the field {}.", self.field))),
        };
        let is_number = |value: &&Value| matches!(value, Value::Int(_) | Value::Double(_));
        let old_number = old.filter(is_number);
        Ok(match &self.kind {
            TransformKind::RequestTime => (Value::Timestamp(now), Value::Timestamp(now)),
            TransformKind::Increment(operand) => {
                number(operand, "increment")?;
                let new = old_number.map_or_else(|| operand.clone(), |old| sum(old, operand));
                (new.clone(), new)
            }
            TransformKind::Maximum(operand) => {
                number(operand, "maximum")?;
                let new = extreme(old_number, operand, true);
                (new.clone(), new)
            }
            TransformKind::Minimum(operand) => {
                number(operand, "minimum")?;
                let new = extreme(old_number, operand, false);
                (new.clone(), new)
            }
            TransformKind::AppendMissing(values) => {
                let mut array = elements(old);
                let mut seen: HashSet<Vec<u8>> = array.iter().map(key::of).collect();
                array.extend(values.iter().filter(|value| seen.insert(key::of(value))).cloned());
                (Value::Array(array), Value::Null)
            }
            TransformKind::RemoveAll(values) => {
                let gone: HashSet<Vec<u8>> = values.iter().map(key::of).collect();
                let mut array = elements(old);
                array.retain(|value| !gone.contains(&key::of(value)));
                (Value::Array(array), Value::Null)
            }
        })
    }
}

fn elements(old: Option<&Value>) -> Vec<Value> {
    match old {
        Some(Value::Array(values)) => values.clone(),
        _ => Vec::new(),
    }
}

fn sum(a: &Value, b: &Value) -> Value {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Value::Int(a.saturating_add(*b)),
        _ => Value::Double(a.as_f64().unwrap_or_default() + b.as_f64().unwrap_or_default()),
    }
}

/// The larger or the smaller: the old one where they are equal, and NaN where either is.
fn extreme(old: Option<&Value>, operand: &Value, larger: bool) -> Value {
    let Some(old) = old else { return operand.clone() };
    let is_nan = |value: &Value| matches!(value, Value::Double(n) if n.is_nan());
    if is_nan(old) || is_nan(operand) {
        return Value::Double(f64::NAN);
    }
    let order = key::of(operand).cmp(&key::of(old));
    let better = if larger { order.is_gt() } else { order.is_lt() };
    if better { operand.clone() } else { old.clone() }
}
