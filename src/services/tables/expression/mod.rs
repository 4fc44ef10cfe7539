//! The four kinds of expressions: conditions (and filters), key conditions, updates, projections.
//!
//! Parsing resolves `#names` and `:values` at once and finds every semantic mistake in one pass; which one is told follows
//! the service's own precedence. Source: "Using expressions in DynamoDB" in the developer guide, and recorded answers.

mod check;
mod condition;
mod evaluate;
mod key;
mod lexer;
mod parser;
mod projection;
mod reserved;
mod update;

#[cfg(test)]
mod tests;

use std::cell::Cell;

pub use condition::Condition;
pub use key::{KeyCondition, Range};
pub use update::Update;

use super::path::Path;
use super::value::Value;

/// Bytes of an expression at most.
const BYTES_MAX: usize = 4096;
/// Operators and functions of an expression at most.
const OPERATORS_MAX: usize = 300;

/// What a request gives to use in its expressions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Substitutes {
    /// `ExpressionAttributeNames`, as given.
    pub names: Option<Vec<(String, String)>>,
    /// `ExpressionAttributeValues`, as given.
    pub values: Option<Vec<(String, Value)>>,
}

impl Substitutes {
    /// Checks that keys are well-formed; expressions can then be parsed.
    pub fn open(&self) -> Result<Scope<'_>, String> {
        fn check<T>(entries: Option<&Vec<(String, T)>>, parameter: &str, sigil: u8) -> Result<(), String> {
            let Some(entries) = entries else { return Ok(()) };
            if entries.is_empty() {
                return Err(format!("{parameter} must not be empty"));
            }
            for (key, _) in entries {
                let well_formed =
                    key.len() > 1 && key.as_bytes()[0] == sigil && key.bytes().skip(1).all(|b| b.is_ascii_alphanumeric() || b == b'_');
                if !well_formed {
                    return Err(format!("{parameter} contains invalid key: Syntax error; key: \"{key}\""));
                }
            }
            Ok(())
        }
        check(self.names.as_ref(), "ExpressionAttributeNames", b'#')?;
        check(self.values.as_ref(), "ExpressionAttributeValues", b':')?;
        let unused = |n: usize| (0..n).map(|_| Cell::new(false)).collect();
        Ok(Scope {
            names: self.names.as_deref().unwrap_or_default(),
            values: self.values.as_deref().unwrap_or_default(),
            names_used: unused(self.names.as_ref().map_or(0, Vec::len)),
            values_used: unused(self.values.as_ref().map_or(0, Vec::len)),
        })
    }
}

/// Names and values while expressions are parsed: it remembers which were used.
pub struct Scope<'a> {
    names: &'a [(String, String)],
    values: &'a [(String, Value)],
    names_used: Vec<Cell<bool>>,
    values_used: Vec<Cell<bool>>,
}

impl<'a> Scope<'a> {
    fn name(&self, key: &str) -> Option<&'a str> {
        let at = self.names.iter().position(|(k, _)| k == key)?;
        self.names_used[at].set(true);
        Some(&self.names[at].1)
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        let at = self.values.iter().position(|(k, _)| k == key)?;
        self.values_used[at].set(true);
        Some(&self.values[at].1)
    }

    /// A `ConditionExpression`.
    pub fn condition(&self, text: &str) -> Result<Condition, String> {
        condition::parse(text, self).map_err(|error| format!("Invalid ConditionExpression: {error}"))
    }

    /// A `FilterExpression`.
    pub fn filter(&self, text: &str) -> Result<Condition, String> {
        condition::parse(text, self).map_err(|error| format!("Invalid FilterExpression: {error}"))
    }

    /// A `KeyConditionExpression`.
    pub fn key_condition(&self, text: &str) -> Result<Vec<KeyCondition>, String> {
        let condition = condition::parse(text, self).map_err(|error| format!("Invalid KeyConditionExpression: {error}"))?;
        key::conditions(condition)
    }

    /// An `UpdateExpression`.
    pub fn update(&self, text: &str) -> Result<Update, String> {
        update::parse(text, self).map_err(|error| format!("Invalid UpdateExpression: {error}"))
    }

    /// A `ProjectionExpression`.
    pub fn projection(&self, text: &str) -> Result<Vec<Path>, String> {
        projection::parse(text, self).map_err(|error| format!("Invalid ProjectionExpression: {error}"))
    }

    /// Refuses names and values that no expression used.
    pub fn close(self) -> Result<(), String> {
        fn unused<T>(entries: &[(String, T)], used: &[Cell<bool>], parameter: &str) -> Result<(), String> {
            let keys: Vec<&str> = entries.iter().zip(used).filter(|(_, used)| !used.get()).map(|((key, _), _)| key.as_str()).collect();
            if keys.is_empty() {
                return Ok(());
            }
            Err(format!("Value provided in {parameter} unused in expressions: keys: {{{}}}", keys.join(", ")))
        }
        unused(self.names, &self.names_used, "ExpressionAttributeNames")?;
        unused(self.values, &self.values_used, "ExpressionAttributeValues")
    }
}
