//! Work to be priced: amounts by measure. Adding work is commutative and associative, and no work is its zero, so that records may be
//! folded in any order, by any key.

use std::collections::BTreeMap;

use super::compute::{Assumptions, Compute};
use super::measure::Measure;
use crate::base::Usage;

/// From the least to the most; both the same where it was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    pub low: u128,
    pub high: u128,
}

impl Amount {
    /// Counted.
    pub fn exactly(amount: u128) -> Amount {
        Amount { low: amount, high: amount }
    }
}

/// What can be added up in any order. `Default` is its zero.
pub trait Add: Default {
    /// Adds another to this.
    fn add(&mut self, other: &Self);
}

impl Add for Usage {
    fn add(&mut self, other: &Usage) {
        self.add_all(other);
    }
}

/// The sum of all.
pub fn sum<'a, V: Add + 'a>(values: impl IntoIterator<Item = &'a V>) -> V {
    let mut sum = V::default();
    values.into_iter().for_each(|value| sum.add(value));
    sum
}

/// The sums by key: by function, by service, by kind of trace.
pub fn group<'a, K: Ord, V: Add + 'a>(values: impl IntoIterator<Item = (K, &'a V)>) -> BTreeMap<K, V> {
    let mut groups: BTreeMap<K, V> = BTreeMap::new();
    for (key, value) in values {
        groups.entry(key).or_default().add(value);
    }
    groups
}

/// Amounts of work by measure; what is not there is zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work(BTreeMap<Measure, Amount>);

impl Work {
    /// What was counted. The time of functions is not in it: that is billed by the invocation (see [`Work::invoked`]).
    pub fn counted(usage: &Usage) -> Work {
        let mut work = Work::default();
        for (unit, amount) in usage.iter() {
            work.put(Measure::Unit(unit), Amount::exactly(u128::from(amount)));
        }
        work
    }

    /// The time of one invocation, as each provider would bill it.
    pub fn invoked(compute: &Compute, assumptions: &Assumptions) -> Work {
        let mut work = Work::default();
        for (time, amount) in compute.billed(assumptions) {
            work.put(Measure::Time(time), amount);
        }
        work
    }

    /// The amount of one measure.
    pub fn get(&self, measure: Measure) -> Amount {
        self.0.get(&measure).copied().unwrap_or_default()
    }

    /// Adds to one measure; saturates.
    pub fn put(&mut self, measure: Measure, amount: Amount) {
        if amount.high == 0 {
            return;
        }
        let slot = self.0.entry(measure).or_default();
        slot.low = slot.low.saturating_add(amount.low);
        slot.high = slot.high.saturating_add(amount.high);
    }

    /// The measures that are not zero, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (Measure, Amount)> + '_ {
        self.0.iter().map(|(measure, amount)| (*measure, *amount))
    }

    /// What `calls` calls would do, after `recorded` calls did this; rounded up. What is kept for a month stays as it is.
    pub fn scaled(&self, calls: u64, recorded: u64) -> Work {
        let recorded = u128::from(recorded.max(1));
        let scale = |amount: u128| amount.saturating_mul(u128::from(calls)).div_ceil(recorded);
        let mut work = Work::default();
        for (measure, amount) in self.iter() {
            let scaled = if measure.is_stock() { amount } else { Amount { low: scale(amount.low), high: scale(amount.high) } };
            work.put(measure, scaled);
        }
        work
    }

    /// Whether nothing was done.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Add for Work {
    fn add(&mut self, other: &Work) {
        for (measure, amount) in other.iter() {
            self.put(measure, amount);
        }
    }
}
