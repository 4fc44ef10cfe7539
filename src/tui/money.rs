//! What things cost, as the dashboard asks for it and words it. Prices themselves are none of its business.

use crate::cost::Work;

/// An amount of picodollars (10⁻¹² US dollars): exact where both ends are the same, else a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money {
    pub low: u64,
    pub high: u64,
}

impl Money {
    /// An exact amount of picodollars.
    pub fn exact(pico: u64) -> Money {
        Money { low: pico, high: pico }
    }

    /// So many times as much; saturates.
    pub fn times(self, n: u64) -> Money {
        Money { low: self.low.saturating_mul(n), high: self.high.saturating_mul(n) }
    }

    /// Both together; saturates.
    pub fn plus(self, other: Money) -> Money {
        Money { low: self.low.saturating_add(other.low), high: self.high.saturating_add(other.high) }
    }

    /// This share of it.
    pub fn over(self, n: u64) -> Money {
        let n = n.max(1);
        Money { low: self.low / n, high: self.high / n }
    }

    /// For narrow places: a range by its upper end, marked `≤`.
    pub fn short(self) -> String {
        let high = dollars(self.high);
        if dollars(self.low) == high { high } else { format!("≤{high}") }
    }
}

/// With both ends of a range.
impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (low, high) = (dollars(self.low), dollars(self.high));
        if low == high { f.pad(&high) } else { f.pad(&format!("{low}–{}", high.trim_start_matches('$'))) }
    }
}

const DOLLAR: u64 = 1_000_000_000_000;

/// Two digits that count, more only for whole dollars and cents; nothing smaller than 10⁻⁸ dollars.
fn dollars(pico: u64) -> String {
    if pico == 0 {
        return "$0".into();
    }
    let whole = pico as f64 / DOLLAR as f64;
    if whole >= 1_000.0 {
        return format!("${}", super::text::count(whole.round() as u64));
    }
    if whole >= 0.1 {
        return format!("${whole:.2}");
    }
    if pico < 10_000 {
        return "<$0.00000001".into();
    }
    // The first digit that counts is the n-th after the point; one more is shown.
    let places = (-whole.log10()).floor() as usize + 2;
    let text = format!("{whole:.places$}");
    format!("${}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A provider whose prices can be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// For people: `AWS x86`.
    pub name: String,
    /// When its prices were taken down, e.g. `2026-11-01`.
    pub date: String,
}

/// What the dashboard asks of price books. `provider` is a place in [`Prices::providers`].
pub trait Prices: Send {
    /// The providers, the usual one first; none where there are no prices.
    fn providers(&self) -> Vec<Provider>;

    /// What some work costs at the prices of a provider, beyond any free tier; of what is kept, for a month.
    fn cost(&self, provider: usize, work: &Work) -> Money;

    /// The work of a month, with the free tier taken off or not.
    fn month(&self, provider: usize, work: &Work, free_tier: bool) -> Money;
}

/// No prices at all: amounts are not shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoPrices;

impl Prices for NoPrices {
    fn providers(&self) -> Vec<Provider> {
        Vec::new()
    }

    fn cost(&self, _: usize, _: &Work) -> Money {
        Money::default()
    }

    fn month(&self, _: usize, _: &Work, _: bool) -> Money {
        Money::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_show_two_digits_that_count() {
        for (pico, text) in [
            (0, "$0"),
            (1, "<$0.00000001"),
            (12_345, "$0.000000012"),
            (1_234_567, "$0.0000012"),
            (1_000_000, "$0.000001"),
            (12_345_678_900, "$0.012"),
            (420_000_000_000, "$0.42"),
            (1_234_500_000_000, "$1.23"),
            (98_765_400_000_000_000, "$98,765"),
        ] {
            assert_eq!(dollars(pico), text);
        }
    }

    #[test]
    fn a_range_shows_both_ends_only_where_they_differ() {
        let range = Money { low: 1_200_000, high: 3_400_000 };
        assert_eq!((range.to_string(), range.short()), ("$0.0000012–0.0000034".into(), "≤$0.0000034".into()));
        assert_eq!(Money { low: 1_201_000, high: 1_204_000 }.to_string(), "$0.0000012");
        assert_eq!(Money::exact(u64::MAX).times(2), Money::exact(u64::MAX));
    }
}
