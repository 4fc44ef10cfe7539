//! The arguments of a stage, as they are asked for.

use std::collections::BTreeMap;

use super::{Expr, Stage};
use crate::services::documents::Error;
use crate::services::documents::name::FieldPath;
use crate::services::documents::value::Value;

pub(super) fn invalid(text: impl Into<String>) -> Error {
    Error::Invalid(text.into())
}

impl Expr {
    /// What kind of value it is, as the API names it.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Expr::Constant(value) => match value {
                Value::Null => "NULL_VALUE",
                Value::Bool(_) => "BOOLEAN_VALUE",
                Value::Int(_) => "INTEGER_VALUE",
                Value::Double(_) => "DOUBLE_VALUE",
                Value::Timestamp(_) => "TIMESTAMP_VALUE",
                Value::Text(_) => "STRING_VALUE",
                Value::Bytes(_) => "BYTES_VALUE",
                Value::Reference(_) => "REFERENCE_VALUE",
                Value::Geo { .. } => "GEO_POINT_VALUE",
                Value::Array(_) => "ARRAY_VALUE",
                Value::Map(_) => "MAP_VALUE",
            },
            Expr::Field(_) => "FIELD_REFERENCE_VALUE",
            Expr::Variable(_) => "VARIABLE_REFERENCE_VALUE",
            Expr::Call { .. } => "FUNCTION_VALUE",
            Expr::Pipeline(_) => "PIPELINE_VALUE",
            Expr::Array(_) => "ARRAY_VALUE",
            Expr::Map(_) => "MAP_VALUE",
        }
    }
}

/// The arguments of a stage, taken one by one.
pub(super) struct Args<'a> {
    stage: &'a Stage,
    next: usize,
}

impl<'a> Args<'a> {
    pub fn of(stage: &'a Stage) -> Args<'a> {
        Args { stage, next: 0 }
    }

    pub fn wrong(&self, what: &str, wanted: &str, found: &Expr) -> Error {
        invalid(format!("Invalid argument of stage '{}': Expected {what} to be {wanted}, but was {}.", self.stage.name, found.label()))
    }

    pub fn take(&mut self, what: &str) -> Result<&'a Expr, Error> {
        let found = self.stage.args.get(self.next);
        self.next += 1;
        found.ok_or_else(|| invalid(format!("Stage '{}' lacks an argument: {what}.", self.stage.name)))
    }

    pub fn rest(&mut self) -> &'a [Expr] {
        let rest = self.stage.args.get(self.next..).unwrap_or_default();
        self.next = self.stage.args.len();
        rest
    }

    pub fn map(&mut self, what: &str) -> Result<BTreeMap<String, Expr>, Error> {
        match self.take(what)? {
            Expr::Map(map) => Ok(map.clone()),
            Expr::Constant(Value::Map(fields)) => Ok(constants(fields)),
            other => Err(self.wrong(what, "MAP_VALUE", other)),
        }
    }

    pub fn text(&mut self, what: &str) -> Result<&'a str, Error> {
        match self.take(what)? {
            Expr::Constant(Value::Text(text)) => Ok(text),
            other => Err(self.wrong(what, "STRING_VALUE", other)),
        }
    }

    pub fn reference(&mut self, what: &str) -> Result<&'a str, Error> {
        match self.take(what)? {
            Expr::Constant(Value::Reference(name)) => Ok(name),
            other => Err(self.wrong(what, "REFERENCE_VALUE", other)),
        }
    }

    pub fn field(&mut self, what: &str) -> Result<FieldPath, Error> {
        let found = self.take(what)?;
        field(found).ok_or_else(|| self.wrong(what, "FIELD_REFERENCE_VALUE", found))
    }

    pub fn count(&self, what: &str, found: &Expr) -> Result<u64, Error> {
        match found {
            Expr::Constant(Value::Int(n)) => u64::try_from(*n)
                .map_err(|_| invalid(format!("Invalid argument of stage '{}': {what} must not be negative.", self.stage.name))),
            other => Err(self.wrong(what, "INTEGER_VALUE", other)),
        }
    }

    /// The field that an option names, where it is given.
    pub fn field_option(&self, name: &str) -> Result<Option<FieldPath>, Error> {
        let Some(found) = self.option(name) else { return Ok(None) };
        field(found).map(Some).ok_or_else(|| self.wrong(name, "FIELD_REFERENCE_VALUE", found))
    }

    pub fn option(&self, name: &str) -> Option<&'a Expr> {
        self.stage.options.get(name).filter(|expr| **expr != Expr::Constant(Value::Null))
    }

    /// Fails where there are more arguments than were taken.
    pub fn end(&self) -> Result<(), Error> {
        if self.next >= self.stage.args.len() {
            return Ok(());
        }
        Err(invalid(format!("Stage '{}' takes {} arguments, and got {}.", self.stage.name, self.next, self.stage.args.len())))
    }
}

fn constants(fields: &BTreeMap<String, Value>) -> BTreeMap<String, Expr> {
    fields.iter().map(|(name, value)| (name.clone(), Expr::Constant(value.clone()))).collect()
}

/// The field that an expression is, or that a text names.
pub(super) fn field(expr: &Expr) -> Option<FieldPath> {
    match expr {
        Expr::Field(path) => Some(path.clone()),
        Expr::Constant(Value::Text(text)) => FieldPath::parse(text).ok(),
        _ => None,
    }
}
