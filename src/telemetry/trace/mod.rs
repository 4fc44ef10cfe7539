//! Traces: from the records of one trace the tree of what led to what, request ▸ function ▸ operation ▸ event ▸ next function.

#[cfg(test)]
mod tests;
mod waterfall;

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Record;
use crate::base::Cause;
pub use waterfall::{Look, label, waterfall};

/// A record in its place in the tree.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub record: Arc<Record>,
    /// 0 at the root.
    pub depth: usize,
    /// The row that led to this one, which is before it.
    pub parent: Option<usize>,
}

/// The tree, row by row as it is drawn: each record before what it led to, siblings in the order of their times. Every record has one
/// row, in whatever order they are given; what was led to by something unknown is at the root.
pub fn rows(records: impl IntoIterator<Item = Arc<Record>>) -> Vec<Row> {
    let mut records: Vec<Arc<Record>> = records.into_iter().collect();
    records.sort_by(|a, b| order(a, b));
    let index = Index::of(&records);
    let parents: Vec<Option<usize>> = (0..records.len()).map(|at| index.parent(&records, at)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); records.len()];
    for (at, parent) in parents.iter().enumerate() {
        if let Some(parent) = parent {
            children[*parent].push(at);
        }
    }
    let mut rows: Vec<Row> = Vec::with_capacity(records.len());
    let mut seen = vec![false; records.len()];
    // What is in a circle, which only a damaged journal has, has no root: its first record is taken for one.
    let roots = (0..records.len()).filter(|at| parents[*at].is_none()).chain(0..records.len());
    let mut pending: Vec<(usize, usize, Option<usize>)> = Vec::new();
    for root in roots {
        pending.push((root, 0, None));
        while let Some((at, depth, parent)) = pending.pop() {
            if std::mem::replace(&mut seen[at], true) {
                continue;
            }
            let row = rows.len();
            rows.push(Row { record: Arc::clone(&records[at]), depth, parent });
            pending.extend(children[at].iter().rev().map(|child| (*child, depth + 1, Some(row))));
        }
    }
    rows
}

/// The tree as JSON: each record with its depth and the place of the one that led to it, as it may be shown.
pub fn json(rows: &[Row]) -> Value {
    let row = |row: &Row| json!({ "depth": row.depth, "parent": row.parent, "record": row.record });
    let trace = rows.first().and_then(|row| row.record.trace().cloned());
    json!({ "trace": trace, "rows": rows.iter().map(row).collect::<Vec<_>>() })
}

/// By time; where that is the same, what leads to others comes first. The rest only makes the order the same whatever it was before.
fn order(a: &Record, b: &Record) -> Ordering {
    let key = |record: &Record| (began(record), rank(record));
    let text = |record: &Record| serde_json::to_string(record).unwrap_or_default();
    key(a).cmp(&key(b)).then_with(|| text(a).cmp(&text(b)))
}

fn began(record: &Record) -> u64 {
    record.began_micros().unwrap_or_else(|| record.at().millis().max(0) as u64 * 1_000)
}

fn rank(record: &Record) -> u8 {
    match record {
        Record::Request(_) => 0,
        Record::Delivery(_) => 1,
        Record::Invocation(_) => 2,
        Record::Operation(_) => 3,
        Record::Mail(_) | Record::Push(_) => 4,
        Record::Log(_) => 5,
        Record::Problem(_) => 6,
        Record::Reload(_) => 7,
    }
}

/// Where the records are that others name.
#[derive(Default)]
struct Index<'a> {
    requests: HashMap<&'a str, usize>,
    invocations: HashMap<&'a str, usize>,
    operations: HashMap<&'a str, usize>,
    /// Each attempt at an event has a record.
    deliveries: HashMap<i64, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn of(records: &'a [Arc<Record>]) -> Index<'a> {
        let mut index = Index::default();
        for (at, record) in records.iter().enumerate() {
            match &**record {
                Record::Request(r) => _ = index.requests.entry(&r.id).or_insert(at),
                Record::Invocation(r) => _ = index.invocations.entry(&r.id).or_insert(at),
                Record::Operation(r) => _ = index.operations.entry(&r.id).or_insert(at),
                Record::Delivery(r) => index.deliveries.entry(r.event.unwrap_or(i64::MIN)).or_default().push(at),
                Record::Log(_) | Record::Mail(_) | Record::Push(_) | Record::Reload(_) | Record::Problem(_) => {}
            }
        }
        index
    }

    fn parent(&self, records: &[Arc<Record>], at: usize) -> Option<usize> {
        let found = match records[at].parent()? {
            Cause::Request(id) => self.requests.get(&*id).copied(),
            Cause::Invocation(id) => self.invocations.get(&*id).copied(),
            Cause::Operation(id) => self.operations.get(&*id).copied(),
            Cause::Event(i64::MIN) | Cause::Operator => None,
            // Of several attempts, the last that had begun by then.
            Cause::Event(number) => {
                let attempts = self.deliveries.get(&number)?;
                let begun = attempts.iter().rev().find(|attempt| began(&records[**attempt]) <= began(&records[at]));
                begun.or(attempts.first()).copied()
            }
        };
        found.filter(|parent| *parent != at)
    }
}
