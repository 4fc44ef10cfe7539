//! Groups of documents, and what is summed up over them.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::Fault;
use super::eval::{Site, eval, truth};
use super::plan::{Aliased, Node};
use crate::services::documents::aggregate::Sum;
use crate::services::documents::key;
use crate::services::documents::name::FieldPath;
use crate::services::documents::value::Value;

/// Bytes that a group counts for beside its values.
const GROUP_BYTES: usize = 256;

/// What is summed up, of which expression.
#[derive(Debug)]
pub(super) struct Accumulator {
    pub kind: Accumulate,
    pub of: Option<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Accumulate {
    Count,
    CountIf,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    First,
    Last,
    Gather,
    GatherDistinct,
}

const ACCUMULATES: [(&str, Accumulate); 11] = [
    ("count", Accumulate::Count),
    ("count_if", Accumulate::CountIf),
    ("count_distinct", Accumulate::CountDistinct),
    ("sum", Accumulate::Sum),
    ("average", Accumulate::Average),
    ("minimum", Accumulate::Minimum),
    ("maximum", Accumulate::Maximum),
    ("first", Accumulate::First),
    ("last", Accumulate::Last),
    ("array_agg", Accumulate::Gather),
    ("array_agg_distinct", Accumulate::GatherDistinct),
];

impl Accumulate {
    /// The one of a name.
    pub fn of(name: &str) -> Option<Accumulate> {
        ACCUMULATES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
    }

    pub fn names() -> impl Iterator<Item = &'static str> {
        ACCUMULATES.iter().map(|(name, _)| *name)
    }
}

/// What one accumulator has come to.
enum State {
    Count(i64),
    Distinct(HashSet<Vec<u8>>),
    Sum(Sum),
    /// With its place in the order of values.
    Best(Option<(Vec<u8>, Value)>),
    One(Option<Value>),
    All(Vec<Value>),
    AllDistinct(HashSet<Vec<u8>>, Vec<Value>),
}

impl State {
    fn new(kind: Accumulate) -> State {
        match kind {
            Accumulate::Count | Accumulate::CountIf => State::Count(0),
            Accumulate::CountDistinct => State::Distinct(HashSet::new()),
            Accumulate::Sum | Accumulate::Average => State::Sum(Sum::default()),
            Accumulate::Minimum | Accumulate::Maximum => State::Best(None),
            Accumulate::First | Accumulate::Last => State::One(None),
            Accumulate::Gather => State::All(Vec::new()),
            Accumulate::GatherDistinct => State::AllDistinct(HashSet::new(), Vec::new()),
        }
    }

    /// Adds a document's value; answers how many bytes are kept more.
    fn add(&mut self, kind: Accumulate, value: Option<Cow<'_, Value>>) -> Result<usize, Fault> {
        let present = value.as_deref().filter(|value| **value != Value::Null);
        match self {
            State::Count(n) if kind == Accumulate::CountIf => *n += i64::from(truth("count_if", value.as_deref())? == Some(true)),
            State::Count(n) => *n += i64::from(present.is_some()),
            State::Distinct(seen) => {
                if let Some(place) = present.map(key::of) {
                    let bytes = place.len();
                    return Ok(if seen.insert(place) { bytes } else { 0 });
                }
            }
            State::Sum(sum) => present.into_iter().for_each(|value| sum.add(value)),
            State::Best(best) => {
                if let Some(value) = present {
                    let place = key::of(value);
                    let is_better =
                        best.as_ref().is_none_or(|(other, _)| if kind == Accumulate::Minimum { place < *other } else { place > *other });
                    if is_better {
                        let before = best.replace((place, value.clone())).map_or(0, |(_, value)| value.bytes());
                        return Ok(value.bytes().saturating_sub(before));
                    }
                }
            }
            State::One(one) => {
                if kind == Accumulate::Last || one.is_none() {
                    let before = one.as_ref().map_or(0, Value::bytes);
                    let value = value.map_or(Value::Null, Cow::into_owned);
                    let bytes = value.bytes().saturating_sub(before);
                    *one = Some(value);
                    return Ok(bytes);
                }
            }
            State::All(all) => {
                let value = value.map_or(Value::Null, Cow::into_owned);
                let bytes = value.bytes();
                all.push(value);
                return Ok(bytes);
            }
            State::AllDistinct(seen, all) => {
                let value = value.map_or(Value::Null, Cow::into_owned);
                let (place, bytes) = (key::of(&value), value.bytes());
                if seen.insert(place) {
                    all.push(value);
                    return Ok(2 * bytes);
                }
            }
        }
        Ok(0)
    }

    fn end(self, kind: Accumulate) -> Value {
        match self {
            State::Count(n) => Value::Int(n),
            State::Distinct(seen) => Value::Int(seen.len() as i64),
            State::Sum(sum) if kind == Accumulate::Sum => sum.total(),
            State::Sum(sum) => sum.average(),
            State::Best(best) => best.map_or(Value::Null, |(_, value)| value),
            State::One(one) => one.unwrap_or(Value::Null),
            State::All(all) | State::AllDistinct(_, all) => Value::Array(all),
        }
    }
}

struct Group {
    values: Vec<Value>,
    states: Vec<State>,
}

/// The groups of a stage, by what is equal within each.
pub(super) struct Groups<'s> {
    by: &'s Aliased,
    accumulators: &'s [(FieldPath, Accumulator)],
    groups: BTreeMap<Vec<u8>, Group>,
}

impl<'s> Groups<'s> {
    pub fn new(by: &'s Aliased, accumulators: &'s [(FieldPath, Accumulator)]) -> Groups<'s> {
        let mut groups = BTreeMap::new();
        if by.is_empty() {
            // All documents are one group, also where there are none.
            groups.insert(Vec::new(), Group { values: Vec::new(), states: states(accumulators) });
        }
        Groups { by, accumulators, groups }
    }

    /// Adds a document to its group; answers how many bytes are kept more.
    pub fn add(&mut self, site: Site<'_>) -> Result<usize, Fault> {
        let mut place = Vec::new();
        let mut values = Vec::with_capacity(self.by.len());
        for (_, node) in self.by {
            // What is not there is grouped with null.
            let value = eval(node, site)?.map_or(Value::Null, Cow::into_owned);
            key::push(&value, &mut place);
            values.push(value);
        }
        let bytes = GROUP_BYTES + place.len() + values.iter().map(Value::bytes).sum::<usize>();
        let mut grew = 0;
        let group = self.groups.entry(place).or_insert_with(|| {
            grew = bytes;
            Group { values, states: states(self.accumulators) }
        });
        for (state, (_, accumulator)) in group.states.iter_mut().zip(self.accumulators) {
            let value = match &accumulator.of {
                Some(node) => eval(node, site)?,
                // Documents themselves are counted.
                None => Some(Cow::Owned(Value::Bool(true))),
            };
            grew += state.add(accumulator.kind, value)?;
        }
        Ok(grew)
    }

    /// The fields of each group, in the order of what they are grouped by.
    pub fn end(&mut self) -> Vec<Vec<(&'s FieldPath, Value)>> {
        let ended = std::mem::take(&mut self.groups).into_values().map(|group| {
            let keys = self.by.iter().map(|(path, _)| path).zip(group.values);
            let sums = group.states.into_iter().zip(self.accumulators).map(|(state, (path, of))| (path, state.end(of.kind)));
            keys.chain(sums).collect()
        });
        ended.collect()
    }
}

fn states(accumulators: &[(FieldPath, Accumulator)]) -> Vec<State> {
    accumulators.iter().map(|(_, accumulator)| State::new(accumulator.kind)).collect()
}
