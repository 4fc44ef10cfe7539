//! Queries: what is asked for, checked and completed. Source of the rules: "Order and limit data", "Perform simple and compound
//! queries", and the matching of the SDKs, which must come to the same answer as the server.

use super::document::Document;
use super::filter::{Condition, Filter};
use super::name::{FieldPath, Name, Parent, check_id};
use super::nearest::Nearest;
use super::value::Value;
use super::{Error, key};

/// Where the documents are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scope {
    pub parent: Parent,
    /// The collection's identifier; `None`: of whichever collection.
    pub collection: Option<String>,
    /// Collections at any depth beneath the parent, not only right beneath it.
    pub descendants: bool,
}

impl Scope {
    /// Whether a document is within.
    pub fn has(&self, name: &Name) -> bool {
        let collection = name.collection();
        let (parent, id) = collection.rsplit_once('/').unwrap_or(("", collection));
        let beneath = || self.parent.path.is_empty() || parent.strip_prefix(&*self.parent.path).is_some_and(|rest| rest.starts_with('/'));
        self.parent.database == name.database
            && self.collection.as_deref().is_none_or(|wanted| wanted == id)
            && (parent == &*self.parent.path || (self.descendants && beneath()))
    }
}

/// A field to order by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Order {
    pub field: FieldPath,
    pub descending: bool,
}

/// A place in an order: values of its first fields.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    pub values: Vec<Value>,
    /// Just before what is equal; else just after.
    pub before: bool,
}

/// What to find.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    pub scope: Scope,
    pub filter: Option<Filter>,
    /// Complete once it went through [`Query::new`]: the last one is by name.
    pub order: Vec<Order>,
    pub start: Option<Cursor>,
    pub end: Option<Cursor>,
    /// Documents left out at the start.
    pub offset: u64,
    pub limit: Option<u64>,
    /// The fields that are wanted; all where `None`.
    pub select: Option<Vec<FieldPath>>,
    pub nearest: Option<Nearest>,
}

impl Query {
    /// All documents of a scope.
    pub fn all(scope: Scope) -> Query {
        Query { scope, filter: None, order: Vec::new(), start: None, end: None, offset: 0, limit: None, select: None, nearest: None }
    }

    /// Checks a query and completes its order. Fails with [`Error::Invalid`].
    pub fn new(mut query: Query) -> Result<Query, Error> {
        if let Some(id) = &query.scope.collection {
            check_id(id)?;
        }
        if query.scope.collection.is_none() && !query.scope.descendants {
            return Err(Error::Invalid("A query needs a collection, or all descendants.".into()));
        }
        if let Some(filter) = &query.filter {
            filter.check()?;
        }
        for (at, order) in query.order.iter().enumerate() {
            if query.order[..at].iter().any(|other| other.field == order.field) {
                return Err(Error::Invalid(format!("order by clause cannot contain duplicate fields {}", order.field)));
            }
        }
        query.complete_order();
        for cursor in [&query.start, &query.end].into_iter().flatten() {
            if cursor.values.len() > query.order.len() {
                return Err(Error::Invalid("Cursor has too many values.".into()));
            }
            let name = query.order.iter().position(|order| order.field.is_name()).and_then(|at| cursor.values.get(at));
            if name.is_some_and(|name| !matches!(name, Value::Reference(name) if Name::parse(name).is_ok())) {
                return Err(Error::Invalid("Cursor position is outside the range of the query: __name__ needs a document.".into()));
            }
        }
        if let Some(nearest) = &query.nearest {
            nearest.check()?;
        }
        Ok(query)
    }

    /// What is compared for more than equality is ordered by, by name of field; then the documents' names.
    fn complete_order(&mut self) {
        let descending = self.order.last().is_some_and(|last| last.descending);
        if !self.order.iter().any(|order| order.field.is_name()) {
            let mut compared = Vec::new();
            if let Some(filter) = &self.filter {
                filter.each(&mut |condition| {
                    if condition.op.is_inequality() {
                        compared.push(condition.field.clone());
                    }
                });
            }
            compared.sort();
            compared.dedup();
            for field in compared {
                if !field.is_name() && !self.order.iter().any(|order| order.field == field) {
                    self.order.push(Order { field, descending });
                }
            }
            self.order.push(Order { field: FieldPath::name(), descending });
        }
    }

    /// Whether a document is one of those that are asked for, limits aside.
    pub fn matches(&self, document: &Document) -> bool {
        self.scope.has(&document.name)
            && self.filter.as_ref().is_none_or(|filter| filter.matches(document))
            && self.position(document).is_some()
    }

    /// Where a document stands in the order, as bytes; `None` where it lacks a field of the order or lies outside the cursors.
    pub fn position(&self, document: &Document) -> Option<Vec<u8>> {
        let mut position = Vec::with_capacity(48);
        for order in &self.order {
            let value = document.get(&order.field)?;
            push(order, &value, &mut position);
        }
        self.bounds().has(&position).then_some(position)
    }

    /// The stretch of positions between the cursors.
    pub(super) fn bounds(&self) -> Bounds {
        let prefix = |cursor: &Cursor| {
            let mut prefix = Vec::new();
            self.order.iter().zip(&cursor.values).for_each(|(order, value)| push(order, value, &mut prefix));
            (prefix, cursor.before)
        };
        Bounds { start: self.start.as_ref().map(prefix), end: self.end.as_ref().map(prefix) }
    }

    /// The alternatives that together are its filter.
    pub(super) fn alternatives(&self) -> Result<Vec<Vec<Condition>>, Error> {
        self.filter.as_ref().map_or_else(|| Ok(vec![Vec::new()]), Filter::alternatives)
    }

    /// Documents that must be found at most, with those that are left out at the start.
    pub(super) fn wanted(&self) -> Option<u64> {
        self.limit.map(|limit| limit.saturating_add(self.offset))
    }
}

fn push(order: &Order, value: &Value, into: &mut Vec<u8>) {
    let from = into.len();
    match value {
        // Within a database, names are told apart by their paths.
        Value::Reference(name) if order.field.is_name() => {
            let path = name.split_once("/documents/").map_or(name.as_str(), |(_, path)| path);
            key::push_path(path, into);
        }
        other => key::push(other, into),
    }
    if order.descending {
        into[from..].iter_mut().for_each(|byte| *byte = !*byte);
    }
}

/// A stretch of positions: from a prefix, to another; whether each stands before what begins with it, or after.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bounds {
    start: Option<(Vec<u8>, bool)>,
    end: Option<(Vec<u8>, bool)>,
}

impl Bounds {
    pub(super) fn has(&self, position: &[u8]) -> bool {
        use std::cmp::Ordering;
        let compare = |prefix: &[u8]| if position.starts_with(prefix) { Ordering::Equal } else { position.cmp(prefix) };
        let after_start = self.start.as_ref().is_none_or(|(prefix, before)| match compare(prefix) {
            Ordering::Less => false,
            Ordering::Equal => *before,
            Ordering::Greater => true,
        });
        let before_end = self.end.as_ref().is_none_or(|(prefix, before)| match compare(prefix) {
            Ordering::Less => true,
            Ordering::Equal => !*before,
            Ordering::Greater => false,
        });
        after_start && before_end
    }
}
