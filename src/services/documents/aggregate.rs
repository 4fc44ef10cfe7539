//! Sums over what a query finds. Source: "Summarize data with aggregation queries".

use std::collections::HashSet;

use super::document::Document;
use super::name::FieldPath;
use super::plan::{self, Path};
use super::query::Query;
use super::run::{collections, each};
use super::value::Value;
use super::{Documents, Error, store, transaction};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// Index entries that one read is billed for. Source: "Understand Cloud Firestore billing", aggregation queries.
const ENTRIES_OF_A_READ: u64 = 1_000;
/// Aggregations of a query. Source: the documentation of `StructuredAggregationQuery`.
const AGGREGATIONS_MAX: usize = 5;

/// What is summed up.
#[derive(Clone, Debug, PartialEq)]
pub enum Aggregation {
    /// How many documents there are, counted to this.
    Count { up_to: Option<u64> },
    /// The sum of a field's numbers: whole as long as all are and it fits, else of floating point.
    Sum(FieldPath),
    /// Their average, or null where there is none.
    Average(FieldPath),
}

impl Aggregation {
    fn field(&self) -> Option<&FieldPath> {
        match self {
            Aggregation::Count { .. } => None,
            Aggregation::Sum(field) | Aggregation::Average(field) => Some(field),
        }
    }
}

/// What came out, in the order of what was asked.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregated {
    pub values: Vec<Value>,
    /// When this was so, in microseconds.
    pub at_micros: i64,
    /// Entries of indexes that were gone through.
    pub entries: u64,
}

impl Aggregated {
    /// The reads that are billed.
    pub fn reads(&self) -> u64 {
        self.entries.div_ceil(ENTRIES_OF_A_READ).max(1)
    }
}

impl Documents {
    /// Sums up what a query finds. Fails with [`Error::Invalid`], [`Error::TransactionOver`].
    pub async fn aggregate(&self, call: &Call, query: &Query, of: &[Aggregation], view: &transaction::View) -> Result<Aggregated, Error> {
        if of.is_empty() || of.len() > AGGREGATIONS_MAX {
            return Err(Error::Invalid(format!("A query may have 1 to {AGGREGATIONS_MAX} aggregations, and this one has {}.", of.len())));
        }
        if of.iter().any(|aggregation| matches!(aggregation, Aggregation::Count { up_to: Some(0) })) {
            return Err(Error::Invalid("`up_to` must be greater than 0.".into()));
        }
        self.adviser.see(query)?;
        self.read(call, view, |tx| {
            let at_micros = store::read_at(tx)?;
            let (values, entries) = aggregate_in(tx, query, of)?;
            let aggregated = Aggregated { values, at_micros, entries };
            tx.count(Unit::TableItemsRead, aggregated.reads());
            if let transaction::View::Transaction(id) = view {
                self.transactions.saw_query(id, query, &super::run::run_in(tx, query)?)?;
            }
            Ok(aggregated)
        })
        .await
    }
}

fn aggregate_in(tx: &Tx<'_>, query: &Query, of: &[Aggregation]) -> Result<(Vec<Value>, u64), Error> {
    if let Some(count) = count_entries(tx, query, of)? {
        return Ok((of.iter().map(|aggregation| counted(aggregation, count)).collect(), count));
    }
    let fields: Vec<&FieldPath> = of.iter().filter_map(Aggregation::field).collect();
    let mut sums = Sums { of, sums: vec![Sum::default(); of.len()], count: 0 };
    let mut scanned = 0;
    if query.limit.is_some() || query.offset > 0 || query.nearest.is_some() {
        // It matters which documents are the first.
        let found = super::run::run_in(tx, &Query { select: None, ..query.clone() })?;
        scanned = found.scanned;
        found.documents.iter().for_each(|document| sums.add(&fields, document));
    } else {
        let mut seen = HashSet::new();
        let once = query.alternatives()?.len() == 1;
        each(tx, query, &mut scanned, &mut |position, document| {
            if once || seen.insert(position) {
                sums.add(&fields, &document);
            }
            Ok(())
        })?;
    }
    let Sums { sums, count, .. } = sums;
    let values = of.iter().zip(sums).map(|(aggregation, sum)| match aggregation {
        Aggregation::Count { .. } => counted(aggregation, count),
        Aggregation::Sum(_) => sum.total(),
        Aggregation::Average(_) => sum.average(),
    });
    Ok((values.collect(), scanned))
}

struct Sums<'a> {
    of: &'a [Aggregation],
    sums: Vec<Sum>,
    count: u64,
}

impl Sums<'_> {
    /// Adds a document; one that lacks a field of one aggregation is left out of all.
    fn add(&mut self, fields: &[&FieldPath], document: &Document) {
        if fields.iter().any(|field| document.get(field).is_none()) {
            return;
        }
        self.count += 1;
        for (sum, aggregation) in self.sums.iter_mut().zip(self.of) {
            if let Some(value) = aggregation.field().and_then(|field| document.get(field)) {
                sum.add(&value);
            }
        }
    }
}

fn counted(aggregation: &Aggregation, count: u64) -> Value {
    let count = match aggregation {
        Aggregation::Count { up_to: Some(up_to) } => count.min(*up_to),
        _ => count,
    };
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// How many documents there are, where the entries of an index tell without the documents.
fn count_entries(tx: &Tx<'_>, query: &Query, of: &[Aggregation]) -> Result<Option<u64>, Error> {
    let only_counts = of.iter().all(|aggregation| matches!(aggregation, Aggregation::Count { .. }));
    let plain = query.start.is_none() && query.end.is_none() && query.nearest.is_none() && query.offset == 0 && query.limit.is_none();
    let alternatives = query.alternatives()?;
    let [conditions] = alternatives.as_slice() else { return Ok(None) };
    let tells = match conditions.as_slice() {
        [] => query.order.iter().all(|order| order.field.is_name()),
        [one] => {
            use super::filter::Op;
            let simple = matches!(one.op, Op::Equal | Op::ArrayContains | Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual);
            let short = super::key::of(&one.value).len() < super::key::INDEXED_BYTES_MAX;
            simple && short && !one.field.is_name() && query.order.iter().all(|order| order.field.is_name() || order.field == one.field)
        }
        _ => false,
    };
    if !(only_counts && plain && tells) {
        return Ok(None);
    }
    let mut count = 0;
    for collection in collections(tx, query)? {
        let Path { stretch, .. } = plan::path(tx, query, &collection, conditions)?;
        count += store::count(tx, &collection, &stretch, u64::MAX)?;
    }
    Ok(Some(count))
}

/// A sum of numbers.
#[derive(Clone, Default)]
pub(super) struct Sum {
    /// Of whole numbers, exactly.
    whole: i128,
    /// Of the others.
    float: f64,
    any_float: bool,
    numbers: u64,
}

impl Sum {
    /// Adds a number; what is none does not count.
    pub(super) fn add(&mut self, value: &Value) {
        match value {
            Value::Int(n) => self.whole += i128::from(*n),
            Value::Double(n) => {
                self.float += n;
                self.any_float = true;
            }
            _ => return,
        }
        self.numbers += 1;
    }

    /// Whether there was no number.
    pub(super) fn is_empty(&self) -> bool {
        self.numbers == 0
    }

    /// The sum: whole as long as all numbers are and it fits.
    pub(super) fn total(&self) -> Value {
        match i64::try_from(self.whole) {
            Ok(whole) if !self.any_float => Value::Int(whole),
            _ => Value::Double(self.whole as f64 + self.float),
        }
    }

    /// The average; null of no numbers.
    pub(super) fn average(&self) -> Value {
        if self.numbers == 0 {
            return Value::Null;
        }
        Value::Double((self.whole as f64 + self.float) / self.numbers as f64)
    }
}
