//! Where documents come from. What follows a collection right away is looked at first: conditions that an index can answer narrow down what
//! is read. They are looked at again afterwards, so that it is enough if the index leaves none out.

use super::Fault;
use super::eval::{Scope, Site, eval};
use super::flow::Row;
use super::functions::Function;
use super::plan::{CREATED_FIELD, Node, Plan, Source, Step, UPDATED_FIELD};
use super::run::Run;
use crate::services::documents::Error;
use crate::services::documents::document::Document;
use crate::services::documents::filter::{Condition, Filter, Op};
use crate::services::documents::name::{FieldPath, Name, Parent};
use crate::services::documents::plan;
use crate::services::documents::query::{Order, Query, Scope as Within};
use crate::services::documents::run::{collections, run_in};
use crate::services::documents::store;
use crate::services::documents::value::Value;

/// Calls `see` with each document of a plan's source, until it wants no more. `outer`: the row of the pipeline around this one.
pub(super) fn each(
    run: &Run<'_>,
    plan: &Plan,
    outer: Option<&Row>,
    scope: &Scope,
    see: &mut dyn FnMut(Row) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    let root = || Parent { database: run.database.clone(), path: "".into() };
    let within = match &plan.source {
        Source::Literals(maps) => return literals(run, maps, scope, see),
        Source::Documents(names) => return named(run, names, scope, see),
        Source::Collection(path) => beneath(run, path)?,
        Source::Group(parent, id) => Within { parent: parent.clone(), collection: Some(id.clone()), descendants: true },
        Source::Database => Within { parent: root(), collection: None, descendants: true },
        Source::Subcollection(path) => {
            let name = outer.and_then(|row| row.name.as_deref()).ok_or_else(|| {
                Fault::value(
                    "subcollection: the document around it has no name any more; use it before `select` or `replace_with` drop `__name__`",
                )
            })?;
            beneath(run, &format!("{}/{path}", Name::parse(name)?.path()))?
        }
    };
    let filter = narrowing(run, &plan.steps, scope);
    let query = match filter.and_then(|filter| narrowed(filter, &within)) {
        Some(query) => query,
        None => Query::new(Query::all(within))?,
    };
    let mut take = |document: Document| {
        run.read(&document)?;
        see(Row::of(document, scope))
    };
    let alternatives = query.alternatives()?;
    let [conditions] = alternatives.as_slice() else {
        // Of what meets several of them, each comes once.
        let mut found = run_in(run.tx, &query)?.documents;
        found.sort_by(|a, b| a.name.cmp(&b.name));
        for document in found {
            if !take(document)? {
                break;
            }
        }
        return Ok(());
    };
    let mut goes_on = true;
    for collection in collections(run.tx, &query)? {
        let path = plan::path(run.tx, &query, &collection, conditions)?;
        store::walk::<Fault>(run.tx, run.database, &collection, &path.stretch, path.backward, |document| {
            goes_on = take(document)?;
            Ok(goes_on)
        })?;
        if !goes_on {
            break;
        }
    }
    Ok(())
}

/// The documents of a collection, by its path.
fn beneath(run: &Run<'_>, path: &str) -> Result<Within, Error> {
    let (parent, id) = path.rsplit_once('/').unwrap_or(("", path));
    let parent = Parent::parse(&run.database.full(parent))?;
    Ok(Within { parent, collection: Some(id.to_owned()), descendants: false })
}

fn named(run: &Run<'_>, names: &[Name], scope: &Scope, see: &mut dyn FnMut(Row) -> Result<bool, Fault>) -> Result<(), Fault> {
    for name in names {
        let Some(document) = store::document(run.tx, name)? else { continue };
        run.read(&document)?;
        if !see(Row::of(document, scope))? {
            break;
        }
    }
    Ok(())
}

fn literals(run: &Run<'_>, maps: &[Node], scope: &Scope, see: &mut dyn FnMut(Row) -> Result<bool, Fault>) -> Result<(), Fault> {
    let nothing = Row { scope: scope.clone(), ..Row::default() };
    for map in maps {
        let row = match eval(map, Site::of(run, &nothing))?.map(std::borrow::Cow::into_owned) {
            Some(Value::Map(fields)) => Row { fields, ..nothing.clone() },
            Some(other) => return Err(super::eval::wrong_type("literals", "maps", &other)),
            None => continue,
        };
        if !see(row)? {
            break;
        }
    }
    Ok(())
}

/// What an index can say of the conditions at the beginning.
fn narrowing(run: &Run<'_>, steps: &[Step], scope: &Scope) -> Option<Filter> {
    let nothing = Row { scope: scope.clone(), ..Row::default() };
    let site = Site::of(run, &nothing);
    let conditions = steps.iter().map_while(|step| match step {
        Step::Where(node) => Some(node),
        _ => None,
    });
    let filters: Vec<Filter> = conditions.filter_map(|node| filter(node, site)).collect();
    (!filters.is_empty()).then_some(Filter::All(filters))
}

/// The query of a filter; `None` where it would read more than all documents once.
fn narrowed(filter: Filter, within: &Within) -> Option<Query> {
    let alternatives = filter.alternatives().ok()?;
    let mut order = Vec::new();
    if alternatives.len() > 1 {
        let is_point = |condition: &Condition| matches!(condition.op, Op::Equal | Op::ArrayContains);
        if !alternatives.iter().all(|conditions| conditions.iter().any(is_point)) {
            return None;
        }
        // By name: an order by a field leaves out what has no such field, which may be found by another alternative.
        order.push(Order { field: FieldPath::name(), descending: false });
    }
    Query::new(Query { filter: Some(filter), order, ..Query::all(within.clone()) }).ok()
}

/// A filter that lets through whatever meets a condition; `None` where there is none.
fn filter(node: &Node, site: Site<'_>) -> Option<Filter> {
    let Node::Call(Function { name, .. }, args) = node else { return None };
    match (*name, args.as_slice()) {
        ("and", parts) => {
            let filters: Vec<Filter> = parts.iter().filter_map(|part| filter(part, site)).collect();
            (!filters.is_empty()).then_some(Filter::All(filters))
        }
        ("or", parts) => Some(Filter::Any(parts.iter().map(|part| filter(part, site)).collect::<Option<_>>()?)),
        (name, [Node::Field(field), other]) => condition(field, name, value(other, site)?),
        (name, [other, Node::Field(field)]) => {
            let turned = match name {
                "equal" => "equal",
                "less_than" => "greater_than",
                "less_than_or_equal" => "greater_than_or_equal",
                "greater_than" => "less_than",
                "greater_than_or_equal" => "less_than_or_equal",
                _ => return None,
            };
            condition(field, turned, value(other, site)?)
        }
        _ => None,
    }
}

fn condition(field: &FieldPath, function: &str, value: Value) -> Option<Filter> {
    if matches!(field.names(), [name] if name == CREATED_FIELD || name == UPDATED_FIELD) {
        return None;
    }
    let op = match function {
        "equal" => Op::Equal,
        "less_than" => Op::Less,
        "less_than_or_equal" => Op::LessOrEqual,
        "greater_than" => Op::Greater,
        "greater_than_or_equal" => Op::GreaterOrEqual,
        "equal_any" => Op::In,
        "array_contains" => Op::ArrayContains,
        "array_contains_any" => Op::ArrayContainsAny,
        _ => return None,
    };
    Some(Filter::One(Condition { field: field.clone(), op, value }))
}

/// The value of an expression that is the same for every document; `None` where it has none.
fn value(node: &Node, site: Site<'_>) -> Option<Value> {
    if !is_fixed(node) {
        return None;
    }
    eval(node, site).ok().flatten().map(std::borrow::Cow::into_owned)
}

/// Whether an expression is the same for every document.
fn is_fixed(node: &Node) -> bool {
    match node {
        Node::Constant(_) | Node::Variable(_) => true,
        Node::Array(members) => members.iter().all(is_fixed),
        Node::Map(entries) => entries.iter().all(|(_, entry)| is_fixed(entry)),
        Node::Call(function, args) => {
            !["rand", "current_document", "current_context"].contains(&function.name) && args.iter().all(is_fixed)
        }
        Node::Field(_) | Node::Filter { .. } | Node::Transform { .. } | Node::Gather(_) | Node::Single(_) => false,
    }
}
