//! Bills: work at a book's prices. Bills at list prices add up exactly: the sum of the parts' bills is the bill of the whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::book::{Book, Item};
use super::measure::Measure;
use super::money::{Money, Range};
use super::provider::Provider;
use super::sheet::Group;
use super::work::{Add, Amount, Work};

/// On what terms work is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terms {
    /// Each piece at the first tier's price, without fees and allowances: what one more call costs. Parts add up to the whole.
    List,
    /// An account's month: fees, tiers, begun lots, and, if wanted, what is free.
    Month { free_tier: bool },
}

/// One price's part of a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub item: Arc<Item>,
    /// In the item's parts; `item.size` of them are one of the provider's units.
    pub parts: Amount,
    pub amount: Range,
}

/// What work costs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    lines: BTreeMap<(Provider, Group, String), Line>,
    /// What has no price there, and why.
    missing: BTreeMap<(Provider, Measure), Missing>,
}

/// Work that a provider has no price for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    pub amount: Amount,
    pub why: String,
}

/// Prices work: exact where it was counted, a range where it was estimated.
pub fn price(work: &Work, book: &Book, terms: Terms) -> Bill {
    let mut bill = Bill::default();
    for item in &book.items {
        let parts = parts(work, item);
        let amount = match terms {
            Terms::List if item.fee || parts.high == 0 => continue,
            Terms::List => Range { low: list(item, parts.low), high: list(item, parts.high) },
            Terms::Month { .. } if item.fee => Range::exactly(item.tiers.first().map_or(Money::ZERO, |tier| tier.price)),
            Terms::Month { .. } if parts.high == 0 => continue,
            Terms::Month { free_tier } => Range { low: month(item, parts.low, free_tier), high: month(item, parts.high, free_tier) },
        };
        let parts = if item.fee { Amount::exactly(item.lot()) } else { parts };
        bill.lines.insert((book.provider, item.group, item.key.clone()), Line { item: Arc::clone(item), parts, amount });
    }
    for (measure, amount) in work.iter() {
        if book.items.iter().any(|item| item.counts.contains_key(&measure)) || book.covered.contains(&measure) {
            continue;
        }
        // Time is billed by one of several rules; the others' are no loss.
        if matches!(measure, Measure::Time(_)) && !book.none.contains_key(&measure) {
            continue;
        }
        let why = book.none.get(&measure).cloned().unwrap_or_else(|| "the price book does not mention it".to_owned());
        bill.missing.insert((book.provider, measure), Missing { amount, why });
    }
    bill
}

fn parts(work: &Work, item: &Item) -> Amount {
    item.counts.iter().fold(Amount::default(), |sum, (measure, weight)| {
        let amount = work.get(*measure);
        let weigh = |amount: u128| amount.saturating_mul(u128::from(*weight));
        Amount { low: sum.low.saturating_add(weigh(amount.low)), high: sum.high.saturating_add(weigh(amount.high)) }
    })
}

fn list(item: &Item, parts: u128) -> Money {
    item.tiers.first().map_or(Money::ZERO, |tier| tier.each.times(parts))
}

/// Allowances come off first; tiers are filled by what is left.
fn month(item: &Item, parts: u128, free_tier: bool) -> Money {
    let parts = if free_tier { parts.saturating_sub(item.free_parts()) } else { parts };
    if item.whole {
        return item.tiers.first().map_or(Money::ZERO, |tier| tier.price.times(parts.div_ceil(item.lot())));
    }
    let above = |at: usize| item.tiers.get(at).map_or(u128::MAX, |tier| u128::from(tier.above) * u128::from(item.size));
    item.tiers.iter().enumerate().map(|(at, tier)| tier.each.times(parts.min(above(at + 1)).saturating_sub(above(at)))).sum()
}

impl Bill {
    /// By provider, group and key.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// What has no price there: the measure, and why.
    pub fn missing(&self) -> impl Iterator<Item = (Measure, &Missing)> {
        self.missing.iter().map(|((_, measure), missing)| (*measure, missing))
    }

    /// All lines together.
    pub fn total(&self) -> Range {
        self.lines().map(|line| line.amount).sum()
    }

    /// The lines together, by group; groups without a line are left out.
    pub fn groups(&self) -> BTreeMap<Group, Range> {
        let mut groups = BTreeMap::new();
        for line in self.lines() {
            let slot: &mut Range = groups.entry(line.item.group).or_default();
            *slot = *slot + line.amount;
        }
        groups
    }

    /// Whether a price in it, other than of nothing, is uncertain.
    pub fn is_uncertain(&self) -> bool {
        self.lines().any(|line| line.item.uncertain && line.amount.high > Money::ZERO)
    }

    /// Divides a bill between those who did the work, in proportion to what each did of what each line counts; what cannot be divided goes
    /// to who did most. The shares add up to the bill exactly, also where tiers and allowances bend the prices. Fees are shared equally.
    pub fn shares(&self, parts: &[&Work]) -> Vec<Bill> {
        let mut shares = vec![Bill::default(); parts.len()];
        for (key, line) in &self.lines {
            let weights: Vec<Amount> = parts.iter().map(|work| self::parts(work, &line.item)).collect();
            // The least and what the most is more, so that no share's least is more than its most.
            let most: Vec<u128> = weights.iter().map(|weight| weight.high).collect();
            let lows = divided(line.amount.low, most.clone());
            let above = divided(line.amount.high.less(line.amount.low), most);
            for (at, (share, (low, more))) in shares.iter_mut().zip(lows.into_iter().zip(above)).enumerate() {
                let amount = Range { low, high: low + more };
                let parts = weights.get(at).copied().unwrap_or_default();
                if parts.high > 0 || amount != Range::default() {
                    share.lines.insert(key.clone(), Line { item: Arc::clone(&line.item), parts, amount });
                }
            }
        }
        shares
    }
}

/// Divides an amount by weights, or equally where all are zero.
fn divided(amount: Money, mut weights: Vec<u128>) -> Vec<Money> {
    if weights.iter().all(|weight| *weight == 0) {
        weights.iter_mut().for_each(|weight| *weight = 1);
    }
    let total = weights.iter().fold(0u128, |sum, weight| sum.saturating_add(*weight)).max(1);
    let each = amount.atoms() / total;
    let mut shares: Vec<Money> = weights.iter().map(|weight| Money::from_atoms(each.saturating_mul(*weight))).collect();
    let left = amount.less(shares.iter().copied().sum());
    let largest = weights.iter().enumerate().max_by_key(|(at, weight)| (**weight, std::cmp::Reverse(*at))).map(|(at, _)| at);
    if let Some(share) = largest.and_then(|at| shares.get_mut(at)) {
        *share += left;
    }
    shares
}

impl Add for Bill {
    fn add(&mut self, other: &Bill) {
        for (key, line) in &other.lines {
            match self.lines.get_mut(key) {
                None => {
                    self.lines.insert(key.clone(), line.clone());
                }
                Some(own) => {
                    own.parts.low = own.parts.low.saturating_add(line.parts.low);
                    own.parts.high = own.parts.high.saturating_add(line.parts.high);
                    own.amount = own.amount + line.amount;
                }
            }
        }
        for (key, missing) in &other.missing {
            let slot = self.missing.entry(*key).or_insert_with(|| Missing { amount: Amount::default(), why: missing.why.clone() });
            slot.amount.low = slot.amount.low.saturating_add(missing.amount.low);
            slot.amount.high = slot.amount.high.saturating_add(missing.amount.high);
        }
    }
}
