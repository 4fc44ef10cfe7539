//! Whether a condition holds for an item.

use std::borrow::Cow;
use std::cmp::Ordering;

use super::super::value::{Item, Value};
use super::condition::{Comparison, Condition, Operand};

impl Operand {
    /// What it stands for in `item`; `None` where there is nothing.
    fn resolve<'a>(&'a self, item: &'a Item) -> Option<Cow<'a, Value>> {
        match self {
            Operand::Path(path) => path.find(item).map(Cow::Borrowed),
            Operand::Value(value) => Some(Cow::Borrowed(value)),
            Operand::Size(inner) => size(&*inner.resolve(item)?).map(|n| Cow::Owned(Value::N(n.into()))),
        }
    }
}

fn size(value: &Value) -> Option<i64> {
    let n = match value {
        // "String: the string length": characters as UTF-16 counts them.
        Value::S(text) => text.encode_utf16().count(),
        Value::B(bytes) => bytes.len(),
        Value::Ss(set) => set.len(),
        Value::Ns(set) => set.len(),
        Value::Bs(set) => set.len(),
        Value::M(map) => map.len(),
        Value::L(list) => list.len(),
        Value::N(_) | Value::Bool(_) | Value::Null => return None,
    };
    i64::try_from(n).ok()
}

/// Whether two values compare so. Values of different types are only ever unequal.
pub fn compare(comparison: Comparison, left: &Value, right: &Value) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left.order(right) == Some(Ordering::Less),
        Comparison::LessOrEqual => left.order(right).is_some_and(Ordering::is_le),
        Comparison::Greater => left.order(right) == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => left.order(right).is_some_and(Ordering::is_ge),
    }
}

/// Whether a string, set or list contains a value.
pub fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::S(text), Value::S(part)) => text.contains(part.as_str()),
        (Value::B(bytes), Value::B(part)) => part.is_empty() || bytes.windows(part.len()).any(|window| window == part),
        (Value::Ss(set), Value::S(member)) => set.contains(member),
        (Value::Ns(set), Value::N(member)) => set.contains(member),
        (Value::Bs(set), Value::B(member)) => set.contains(member),
        (Value::L(list), member) => list.contains(member),
        _ => false,
    }
}

/// Whether a string or binary begins with another.
pub fn begins_with(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::S(text), Value::S(part)) => text.starts_with(part.as_str()),
        (Value::B(bytes), Value::B(part)) => bytes.starts_with(part),
        _ => false,
    }
}

impl Condition {
    /// Whether it holds for `item`; an item that does not exist is an empty one.
    pub fn holds(&self, item: &Item) -> bool {
        let both = |a: &Operand, b: &Operand, test: &dyn Fn(&Value, &Value) -> bool| match (a.resolve(item), b.resolve(item)) {
            (Some(a), Some(b)) => test(&a, &b),
            _ => false,
        };
        match self {
            Condition::Or(a, b) => a.holds(item) || b.holds(item),
            Condition::And(a, b) => a.holds(item) && b.holds(item),
            Condition::Not(inner) => !inner.holds(item),
            // Something that is missing is unequal to everything that is there.
            Condition::Compare(Comparison::NotEqual, a, b) => a.resolve(item) != b.resolve(item),
            Condition::Compare(comparison, a, b) => both(a, b, &|a, b| compare(*comparison, a, b)),
            Condition::Between(value, low, high) => {
                both(value, low, &|v, low| compare(Comparison::GreaterOrEqual, v, low))
                    && both(value, high, &|v, high| compare(Comparison::LessOrEqual, v, high))
            }
            Condition::In(value, among) => among.iter().any(|one| both(value, one, &|a, b| a == b)),
            Condition::Exists(path) => path.find(item).is_some(),
            Condition::NotExists(path) => path.find(item).is_none(),
            Condition::IsType(path, kind) => path.find(item).is_some_and(|value| value.kind() == *kind),
            Condition::BeginsWith(a, b) => both(a, b, &begins_with),
            Condition::Contains(a, b) => both(a, b, &contains),
        }
    }
}
