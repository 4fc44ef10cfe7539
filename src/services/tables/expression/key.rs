//! Key conditions: what a `KeyConditionExpression` may say, before the table's keys are known.

use super::super::value::Value;
use super::condition::{Comparison, Condition, Operand};

/// What is asked of one key attribute.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCondition {
    pub attribute: String,
    pub range: Range,
}

/// Which values of a key attribute.
#[derive(Clone, Debug, PartialEq)]
pub enum Range {
    Equal(Value),
    Less(Value),
    LessOrEqual(Value),
    Greater(Value),
    GreaterOrEqual(Value),
    Between(Value, Value),
    BeginsWith(Value),
}

impl Range {
    /// The value it starts with: all its values have the same type.
    pub fn value(&self) -> &Value {
        match self {
            Range::Equal(v) | Range::Less(v) | Range::LessOrEqual(v) | Range::Greater(v) | Range::GreaterOrEqual(v) => v,
            Range::Between(v, _) | Range::BeginsWith(v) => v,
        }
    }
}

/// The key conditions that a condition is made of: one or two, joined by `AND`.
pub fn conditions(condition: Condition) -> Result<Vec<KeyCondition>, String> {
    let mut found = Vec::new();
    collect(condition, &mut found)?;
    for (at, one) in found.iter().enumerate() {
        if found[..at].iter().any(|other| other.attribute == one.attribute) {
            return Err("KeyConditionExpressions must only contain one condition per key".to_owned());
        }
    }
    if found.len() > 2 {
        return Err("Conditions can be of length 1 or 2 only".to_owned());
    }
    Ok(found)
}

fn invalid(operator: &str) -> String {
    format!("Invalid operator used in KeyConditionExpression: {operator}")
}

fn collect(condition: Condition, into: &mut Vec<KeyCondition>) -> Result<(), String> {
    let (attribute, range) = match condition {
        Condition::And(a, b) => {
            collect(*a, into)?;
            return collect(*b, into);
        }
        Condition::Or(..) => return Err(invalid("OR")),
        Condition::Not(_) => return Err(invalid("NOT")),
        Condition::In(..) => return Err(invalid("IN")),
        Condition::Compare(Comparison::NotEqual, ..) => return Err(invalid("<>")),
        Condition::Exists(_) => return Err(invalid("attribute_exists")),
        Condition::NotExists(_) => return Err(invalid("attribute_not_exists")),
        Condition::IsType(..) => return Err(invalid("attribute_type")),
        Condition::Contains(..) => return Err(invalid("contains")),
        Condition::Compare(comparison, a, b) => {
            let (comparison, a, b) = if matches!(a, Operand::Value(_)) { (comparison.swapped(), b, a) } else { (comparison, a, b) };
            let (attribute, value) = (attribute(a)?, value(b)?);
            let range = match comparison {
                Comparison::Equal => Range::Equal(value),
                Comparison::Less => Range::Less(value),
                Comparison::LessOrEqual => Range::LessOrEqual(value),
                Comparison::Greater => Range::Greater(value),
                Comparison::GreaterOrEqual | Comparison::NotEqual => Range::GreaterOrEqual(value),
            };
            (attribute, range)
        }
        Condition::Between(a, low, high) => (attribute(a)?, Range::Between(value(low)?, value(high)?)),
        Condition::BeginsWith(a, prefix) => (attribute(a)?, Range::BeginsWith(value(prefix)?)),
    };
    into.push(KeyCondition { attribute, range });
    Ok(())
}

fn attribute(operand: Operand) -> Result<String, String> {
    match operand {
        Operand::Path(path) if path.steps.is_empty() => Ok(path.attribute),
        Operand::Path(_) => Err("KeyConditionExpressions cannot have conditions on nested attributes".to_owned()),
        Operand::Value(_) => Err("Invalid condition in KeyConditionExpression: No key attribute specified".to_owned()),
        Operand::Size(_) => Err(invalid("size")),
    }
}

fn value(operand: Operand) -> Result<Value, String> {
    match operand {
        Operand::Value(value) => Ok(value),
        Operand::Path(_) => Err("Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition".to_owned()),
        Operand::Size(_) => Err(invalid("size")),
    }
}
