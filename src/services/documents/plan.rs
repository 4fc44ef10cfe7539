//! Which stretch of which index leads to the documents that meet some conditions.

use super::filter::{Condition, Op};
use super::index::{self, Kind};
use super::key::{self, AFTER};
use super::name::Name;
use super::query::{Order, Query};
use super::store::{self, Collection, KEYS, Stretch};
use super::value::Value;
use crate::store::{Error, Tx};

/// A way to the documents of a collection.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    pub stretch: Stretch,
    /// They come in the query's order.
    pub ordered: bool,
    pub backward: bool,
}

/// Entries that are counted to see which of several stretches is the shortest.
const COUNTED_MAX: u64 = 1_000;

/// The way to the documents of a collection that meet all conditions, with the fewest detours.
pub fn path(tx: &Tx<'_>, query: &Query, collection: &Collection, conditions: &[Condition]) -> Result<Path, Error> {
    if let Some(stretch) = named(query, collection, conditions) {
        return Ok(Path { ordered: true, backward: false, stretch });
    }
    // Fields that are equal for all found have no part in the order.
    let rest: Vec<&Order> =
        query.order.iter().filter(|order| !conditions.iter().any(|c| is_equality(c.op) && c.field == order.field)).collect();
    let Some(first) = rest.first() else {
        return Ok(Path { stretch: names(query, collection, conditions), ordered: true, backward: false });
    };
    let mut points = conditions.iter().filter_map(|condition| point(collection, condition));
    if let Some(mut shortest) = points.next() {
        let mut length = None;
        for other in points {
            let best = match length {
                Some(length) => length,
                None => store::count(tx, collection, &shortest, COUNTED_MAX)?,
            };
            let entries = store::count(tx, collection, &other, best)?;
            length = Some(best.min(entries));
            if entries < best {
                shortest = other;
            }
        }
        return Ok(Path { stretch: shortest, ordered: first.field.is_name(), backward: first.descending });
    }
    if first.field.is_name() {
        return Ok(Path { stretch: names(query, collection, conditions), ordered: true, backward: first.descending });
    }
    let stretch = range(query, collection, conditions, first);
    let ordered = rest.get(1).is_some_and(|second| second.field.is_name() && second.descending == first.descending);
    Ok(Path { stretch, ordered, backward: first.descending })
}

fn is_equality(op: Op) -> bool {
    matches!(op, Op::Equal | Op::IsNull | Op::IsNan)
}

/// The one document that conditions name.
fn named(query: &Query, collection: &Collection, conditions: &[Condition]) -> Option<Stretch> {
    let condition = conditions.iter().find(|condition| condition.field.is_name() && condition.op == Op::Equal)?;
    Some(match id_in(query, collection, &condition.value) {
        Some(key) => Stretch::Names { to: after(&key), from: key },
        None => Stretch::Names { from: vec![AFTER], to: vec![AFTER] },
    })
}

/// The key of a document that a value names, where it is in the collection.
fn id_in(query: &Query, collection: &Collection, value: &Value) -> Option<Vec<u8>> {
    let Value::Reference(name) = value else { return None };
    let name = Name::parse(name).ok()?;
    (name.database == query.scope.parent.database && name.collection() == collection.path).then(|| key::of_id(name.id()))
}

fn after(key: &[u8]) -> Vec<u8> {
    [key, &[AFTER]].concat()
}

/// The entries of one value.
fn point(collection: &Collection, condition: &Condition) -> Option<Stretch> {
    let (kind, value) = match condition.op {
        _ if condition.field.is_name() => return None,
        Op::Equal => (Kind::Whole, key::of(&condition.value)),
        Op::ArrayContains => (Kind::Member, key::of(&condition.value)),
        Op::IsNull => (Kind::Whole, key::null()),
        Op::IsNan => (Kind::Whole, key::of(&Value::Double(f64::NAN))),
        _ => return None,
    };
    let from = key::indexed(value);
    let index = index::number(collection.number, kind, condition.field.names().iter().map(String::as_str));
    Some(Stretch::Values { index, to: after(&from), from })
}

/// The smaller of two ends, or the larger of two beginnings.
#[derive(Clone)]
struct Ends {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Ends {
    fn begin(&mut self, key: Vec<u8>) {
        if key > self.from {
            self.from = key;
        }
    }

    fn end(&mut self, key: Vec<u8>) {
        if key < self.to {
            self.to = key;
        }
    }

    fn narrow(&mut self, op: Op, key: Vec<u8>) {
        match op {
            // What was cut may be more than the cut: it is looked at.
            Op::Greater if key.len() < key::INDEXED_BYTES_MAX => self.begin(after(&key)),
            Op::Greater | Op::GreaterOrEqual => self.begin(key),
            Op::Less if key.len() < key::INDEXED_BYTES_MAX => self.end(key),
            Op::Less | Op::LessOrEqual => self.end(after(&key)),
            _ => {}
        }
    }
}

/// The entries of a field that conditions and cursors leave.
fn range(query: &Query, collection: &Collection, conditions: &[Condition], order: &Order) -> Stretch {
    let mut ends = Ends { from: Vec::new(), to: vec![AFTER] };
    for condition in conditions.iter().filter(|condition| condition.field == order.field) {
        if matches!(condition.op, Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual) {
            let (first, last) = key::bracket(&condition.value);
            ends.begin(vec![first]);
            ends.end(vec![last + 1]);
            ends.narrow(condition.op, key::indexed(key::of(&condition.value)));
        }
    }
    for (value, op) in cursors(query, order) {
        ends.narrow(op, key::indexed(key::of(value)));
    }
    let index = index::number(collection.number, Kind::Whole, order.field.names().iter().map(String::as_str));
    Stretch::Values { index, from: ends.from, to: ends.to }
}

/// The documents whose names conditions and cursors leave.
fn names(query: &Query, collection: &Collection, conditions: &[Condition]) -> Stretch {
    let (from, to) = KEYS;
    let mut ends = Ends { from: from.to_vec(), to: to.to_vec() };
    for condition in conditions.iter().filter(|condition| condition.field.is_name()) {
        if let Some(key) = id_in(query, collection, &condition.value) {
            ends.narrow(condition.op, key);
        }
    }
    if let Some(order) = query.order.first().filter(|order| order.field.is_name()) {
        for (value, op) in cursors(query, order) {
            if let Some(key) = id_in(query, collection, value) {
                ends.narrow(op, key);
            }
        }
    }
    Stretch::Names { from: ends.from, to: ends.to }
}

/// What the cursors say of the first field of the order, as comparisons that let a little too much through.
fn cursors<'a>(query: &'a Query, order: &'a Order) -> impl Iterator<Item = (&'a Value, Op)> {
    let is_first = query.order.first().is_some_and(|first| first.field == order.field);
    let (start, end) = if order.descending { (Op::LessOrEqual, Op::GreaterOrEqual) } else { (Op::GreaterOrEqual, Op::LessOrEqual) };
    let of = move |cursor: &'a Option<super::query::Cursor>, op| {
        let value = cursor.as_ref().and_then(|cursor| cursor.values.first());
        value.filter(|_| is_first).map(|value| (value, op))
    };
    of(&query.start, start).into_iter().chain(of(&query.end, end))
}
