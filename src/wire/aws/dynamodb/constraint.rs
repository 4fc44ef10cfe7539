//! The constraints that every request is checked for first; all that fail are told together, ten at most.

use super::super::arn;

/// What failed so far.
#[derive(Default)]
pub struct Constraints(Vec<String>);

const SHOWN_MAX: usize = 10;

impl Constraints {
    /// Something failed: `value` is as the service would print it.
    pub fn fail(&mut self, value: &str, member: &str, constraint: &str) {
        self.0.push(format!("Value {value} at '{member}' failed to satisfy constraint: {constraint}"));
    }

    /// A member that must be there.
    pub fn required<T>(&mut self, member: &str, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.fail("null", member, "Member must not be null");
        }
        value
    }

    /// A member that must be one of a few words, if it is there.
    pub fn one_of(&mut self, member: &str, value: Option<&str>, words: &[&str]) {
        if let Some(value) = value.filter(|value| !words.contains(value)) {
            self.fail(&format!("'{value}'"), member, &format!("Member must satisfy enum value set: [{}]", words.join(", ")));
        }
    }

    /// A number within bounds, if it is there.
    pub fn within(&mut self, member: &str, value: Option<i64>, low: i64, high: i64) {
        match value {
            Some(n) if n < low => self.fail(&format!("'{n}'"), member, &format!("Member must have value greater than or equal to {low}")),
            Some(n) if n > high => self.fail(&format!("'{n}'"), member, &format!("Member must have value less than or equal to {high}")),
            _ => {}
        }
    }

    /// The name of a table or an index.
    pub fn name(&mut self, member: &str, value: &str) {
        let shown = format!("'{value}'");
        if !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-')) || value.is_empty() {
            self.fail(&shown, member, "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
        }
        if value.len() < 3 {
            self.fail(&shown, member, "Member must have length greater than or equal to 3");
        }
        if value.len() > 255 {
            self.fail(&shown, member, "Member must have length less than or equal to 255");
        }
    }

    /// The name of a table that must be there; its ARN will do.
    pub fn table(&mut self, value: Option<String>) -> String {
        let Some(value) = self.required("tableName", value) else { return String::new() };
        self.table_named("tableName", value)
    }

    /// The name of a table, or its ARN.
    pub fn table_named(&mut self, member: &str, value: String) -> String {
        if let Some(name) = arn::resource(&value).strip_prefix("table/").filter(|_| value.starts_with("arn:")) {
            return name.to_owned();
        }
        self.name(member, &value);
        value
    }

    /// Fails where anything did.
    pub fn end(self) -> Result<(), String> {
        if self.0.is_empty() {
            return Ok(());
        }
        let count = self.0.len().min(SHOWN_MAX);
        let plural = if count == 1 { "" } else { "s" };
        Err(format!("{count} validation error{plural} detected: {}", self.0[..count].join("; ")))
    }
}
