//! Expressions, worked out for a document.

use std::borrow::Cow;
use std::rc::Rc;

use super::flow::{self, Row};
use super::functions::{Function, How};
use super::plan::{CREATED_FIELD, Node, Plan, UPDATED_FIELD};
use super::run::{Held, Run};
use super::{Fault, VALUE_BYTES_MAX};
use crate::services::documents::document;
use crate::services::documents::name::FieldPath;
use crate::services::documents::value::{Fields, Value};

/// A value; `None` where there is none, which is not null.
pub(super) type Outcome<'s> = Result<Option<Cow<'s, Value>>, Fault>;

/// Variables, the innermost first.
pub(super) type Scope = Option<Rc<Bound>>;

pub(super) struct Bound {
    name: String,
    value: Option<Value>,
    outer: Scope,
}

/// The same variables and one more.
pub(super) fn bind(name: &str, value: Option<Value>, outer: &Scope) -> Scope {
    Some(Rc::new(Bound { name: name.to_owned(), value, outer: outer.clone() }))
}

/// Where an expression is worked out.
#[derive(Clone, Copy)]
pub(super) struct Site<'s> {
    pub run: &'s Run<'s>,
    pub row: &'s Row,
    pub scope: &'s Scope,
}

impl<'s> Site<'s> {
    /// A row, with its own variables.
    pub fn of(run: &'s Run<'s>, row: &'s Row) -> Site<'s> {
        Site { run, row, scope: &row.scope }
    }

    fn variable(self, name: &str) -> Option<&'s Value> {
        let mut bound = self.scope.as_ref();
        while let Some(this) = bound {
            if this.name == name {
                return this.value.as_ref();
            }
            bound = this.outer.as_ref();
        }
        None
    }
}

/// The value of a field of a row, or of what it has of itself.
pub(super) fn field<'s>(row: &'s Row, path: &FieldPath) -> Option<Cow<'s, Value>> {
    if let [name] = path.names() {
        let own = match name.as_str() {
            _ if path.is_name() => Some(row.name.clone().map(Value::Reference)),
            CREATED_FIELD => Some(row.created.map(Value::Timestamp)),
            UPDATED_FIELD => Some(row.updated.map(Value::Timestamp)),
            _ => None,
        };
        if let Some(own) = own {
            return own.map(Cow::Owned);
        }
    }
    document::get(&row.fields, path).map(Cow::Borrowed)
}

/// The value of an expression.
pub(super) fn eval<'s>(node: &'s Node, site: Site<'s>) -> Outcome<'s> {
    Ok(match node {
        Node::Constant(value) => Some(Cow::Borrowed(value)),
        Node::Field(path) => field(site.row, path),
        Node::Variable(name) => site.variable(name).map(Cow::Borrowed),
        Node::Array(members) => {
            let mut held = site.run.hold();
            let mut values = Vec::with_capacity(members.len());
            for member in members {
                let value = eval(member, site)?.map_or(Value::Null, Cow::into_owned);
                held.more(value.bytes())?;
                values.push(value);
            }
            Some(Cow::Owned(checked(Value::Array(values))?))
        }
        Node::Map(entries) => {
            let mut held = site.run.hold();
            let mut fields = Fields::new();
            for (name, entry) in entries {
                if let Some(value) = eval(entry, site)? {
                    held.more(value.bytes())?;
                    fields.insert(name.clone(), value.into_owned());
                }
            }
            Some(Cow::Owned(checked(Value::Map(fields))?))
        }
        Node::Call(function, args) => call(function, args, site)?,
        Node::Filter { array, alias, keep } => {
            let Some(members) = members("array_filter", array, site)? else { return Ok(Some(Cow::Owned(Value::Null))) };
            let mut kept = Vec::new();
            for member in members {
                site.run.step()?;
                let scope = bind(alias, Some(member.clone()), site.scope);
                let keeps = truth("array_filter", eval(keep, Site { scope: &scope, ..site })?.as_deref())?;
                if keeps == Some(true) {
                    kept.push(member);
                }
            }
            Some(Cow::Owned(Value::Array(kept)))
        }
        Node::Transform { array, alias, index, make } => {
            let Some(members) = members("array_transform", array, site)? else { return Ok(Some(Cow::Owned(Value::Null))) };
            let mut held = site.run.hold();
            let mut made = Vec::with_capacity(members.len());
            for (at, member) in members.into_iter().enumerate() {
                site.run.step()?;
                let mut scope = bind(alias, Some(member), site.scope);
                if let Some(index) = index {
                    scope = bind(index, Some(Value::Int(at as i64)), &scope);
                }
                let value = eval(make, Site { scope: &scope, ..site })?.map_or(Value::Null, Cow::into_owned);
                held.more(value.bytes())?;
                made.push(value);
            }
            Some(Cow::Owned(checked(Value::Array(made))?))
        }
        Node::Gather(plan) => {
            let rows = gather(plan, site, usize::MAX)?;
            Some(Cow::Owned(checked(Value::Array(rows.into_iter().map(unwrapped).collect()))?))
        }
        Node::Single(plan) => {
            let mut rows = gather(plan, site, 2)?;
            if rows.len() > 1 {
                return Err(Fault::value(
                    "Subpipeline returned multiple results, and a scalar is one at most: aggregate, or limit it to 1.",
                ));
            }
            Some(Cow::Owned(rows.pop().map_or(Value::Null, unwrapped)))
        }
    })
}

/// What a pipeline gives for a row, up to a number of documents.
fn gather(plan: &Plan, site: Site<'_>, most: usize) -> Result<Vec<Row>, Fault> {
    flow::gather(site.run, plan, Some(site.row), site.scope, most)
}

/// A document of a pipeline as a value: one field is what it holds, several are a map.
fn unwrapped(row: Row) -> Value {
    let mut fields = row.fields;
    match fields.len() {
        1 => fields.pop_first().map_or(Value::Null, |(_, value)| value),
        _ => Value::Map(fields),
    }
}

/// The members of an array; `None` where there is null or nothing.
fn members(function: &str, node: &Node, site: Site<'_>) -> Result<Option<Vec<Value>>, Fault> {
    match eval(node, site)?.map(Cow::into_owned) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(members)) => Ok(Some(members)),
        Some(other) => Err(wrong_type(function, "an array", &other)),
    }
}

/// Whether something is so; `None` where that is not known.
pub(super) fn truth(function: &str, value: Option<&Value>) -> Result<Option<bool>, Fault> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(truth)) => Ok(Some(*truth)),
        Some(other) => Err(wrong_type(function, "a boolean", other)),
    }
}

/// `function` got a value of another type than it takes.
pub(super) fn wrong_type(function: &str, wanted: &str, found: &Value) -> Fault {
    Fault::value(format!("The function {function} needs {wanted}, and got a value of type {}.", super::functions::type_name(found)))
}

/// Fails where a value is larger than any may be.
fn checked(value: Value) -> Result<Value, Fault> {
    if value.bytes() <= VALUE_BYTES_MAX {
        return Ok(value);
    }
    Err(crate::services::documents::Error::Exhausted(format!("An expression makes a value of more than {VALUE_BYTES_MAX} bytes.")).into())
}

/// All arguments of a call. `held`: what is kept meanwhile.
fn all<'s>(args: &'s [Node], site: Site<'s>, held: &mut Held<'_>) -> Result<Vec<Option<Cow<'s, Value>>>, Fault> {
    let mut values = Vec::with_capacity(args.len());
    for arg in args {
        let value = eval(arg, site)?;
        if let Some(Cow::Owned(made)) = &value {
            held.more(made.bytes())?;
        }
        values.push(value);
    }
    Ok(values)
}

fn call<'s>(function: &'static Function, args: &'s [Node], site: Site<'s>) -> Outcome<'s> {
    let named = |fault| match fault {
        Fault::Value(text) => Fault::Value(format!("{}: {text}", function.name)),
        other => other,
    };
    match function.how {
        How::Lazy(work) => work(args, site),
        How::Given(work) => Ok(work(site.run).map(Cow::Owned)),
        How::Loose(work) => {
            let mut held = site.run.hold();
            let values = all(args, site, &mut held)?;
            let values: Vec<Option<&Value>> = values.iter().map(Option::as_deref).collect();
            work(&values).map_err(named)?.map(checked).transpose().map(|value| value.map(Cow::Owned))
        }
        How::Strict(work) => {
            let mut held = site.run.hold();
            let values = all(args, site, &mut held)?;
            // What is not there, and null, make null of all that is made of them.
            let values: Option<Vec<&Value>> = values.iter().map(|value| value.as_deref().filter(|value| **value != Value::Null)).collect();
            let Some(values) = values else { return Ok(Some(Cow::Owned(Value::Null))) };
            work(&values).map_err(named)?.map(checked).transpose().map(|value| value.map(Cow::Owned))
        }
        How::Pattern(work) => {
            let (text, pattern) = (eval(&args[0], site)?, eval(&args[1], site)?);
            match (text.as_deref(), pattern.as_deref()) {
                (None | Some(Value::Null), _) | (_, None | Some(Value::Null)) => Ok(Some(Cow::Owned(Value::Null))),
                (Some(Value::Text(text)), Some(Value::Text(pattern))) => Ok(work(site.run, text, pattern).map_err(named)?.map(Cow::Owned)),
                (Some(Value::Text(_)), Some(other)) | (Some(other), _) => Err(wrong_type(function.name, "texts", other)),
            }
        }
    }
}
