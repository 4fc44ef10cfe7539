//! Money: exact, never negative, never a float. And the one way it is shown to people.

use std::fmt;
use std::iter::Sum;
use std::str::FromStr;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::number;

/// Decimals that are kept of a dollar. A MiB·µs of a function costs about 1.6 × 10⁻¹⁴ dollars: thirteen digits are left for it.
pub const DECIMALS: usize = 27;
/// Decimals that are written for programs: a millionth of a millionth of a dollar.
const DECIMALS_WRITTEN: usize = 12;
/// Largest price that is read, in whole dollars.
const DOLLARS_MAX: u128 = 1_000_000_000;
/// Most decimals of a price that is read.
const DECIMALS_READ_MAX: usize = 18;

/// An amount in US dollars. Additions and multiplications saturate at some 340 billion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(u128);

impl Money {
    /// Nothing.
    pub const ZERO: Money = Money(0);

    /// From 10⁻²⁷ dollars.
    pub const fn from_atoms(atoms: u128) -> Money {
        Money(atoms)
    }

    /// In 10⁻²⁷ dollars.
    pub const fn atoms(self) -> u128 {
        self.0
    }

    /// So many times as much.
    pub fn times(self, count: u128) -> Money {
        Money(self.0.saturating_mul(count))
    }

    /// One of so many equal parts, rounded to the nearest 10⁻²⁷ dollar; dividing by nothing gives nothing.
    pub fn over(self, count: u128) -> Money {
        match self.0.checked_div(count) {
            None => Money::ZERO,
            Some(whole) => Money(whole + u128::from(self.0 % count >= count.div_ceil(2))),
        }
    }

    /// What is left without `other`; nothing where that is more.
    pub fn less(self, other: Money) -> Money {
        Money(self.0.saturating_sub(other.0))
    }

    /// As programs read it: `0.0000041`, rounded to twelve decimals, without zeros at the end.
    pub fn decimal(self) -> String {
        let text = rounded(self.0, DECIMALS_WRITTEN as i32);
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
    }
}

impl std::ops::Add for Money {
    type Output = Money;

    fn add(self, other: Money) -> Money {
        Money(self.0.saturating_add(other.0))
    }
}

impl std::ops::AddAssign for Money {
    fn add_assign(&mut self, other: Money) {
        *self = *self + other;
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Money>>(amounts: I) -> Money {
        amounts.fold(Money::ZERO, |sum, amount| sum + amount)
    }
}

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotMoney {
    #[error("`{0}` is not an amount in dollars; write digits with a point, e.g. \"0.0000166667\"")]
    Form(String),
    #[error("`{0}` has more than {DECIMALS_READ_MAX} decimals")]
    TooFine(String),
    #[error("`{0}` is more than {DOLLARS_MAX} dollars")]
    TooLarge(String),
}

impl FromStr for Money {
    type Err = NotMoney;

    fn from_str(text: &str) -> Result<Money, NotMoney> {
        let shown = || text.chars().take(40).collect::<String>();
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(decimals) {
            return Err(NotMoney::Form(shown()));
        }
        if decimals.len() > DECIMALS_READ_MAX {
            return Err(NotMoney::TooFine(shown()));
        }
        let dollars = whole.parse::<u128>().ok().filter(|dollars| *dollars <= DOLLARS_MAX).ok_or_else(|| NotMoney::TooLarge(shown()))?;
        let parts = decimals.bytes().fold(0u128, |sum, b| sum * 10 + u128::from(b - b'0'));
        Ok(Money(dollars * 10u128.pow(DECIMALS as u32) + parts * 10u128.pow((DECIMALS - decimals.len()) as u32)))
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.decimal())
    }
}

/// From text, with or without quotes where the format has bare words; never by way of a float.
impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Money, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Money;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount in dollars in quotes, e.g. \"0.20\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Money, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// From the least to the most that something may cost; both the same where it is known exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Range {
    pub low: Money,
    pub high: Money,
}

impl Range {
    /// Known exactly.
    pub fn exactly(amount: Money) -> Range {
        Range { low: amount, high: amount }
    }

    /// Whether it is known exactly.
    pub fn is_exact(&self) -> bool {
        self.low == self.high
    }

    /// One of so many equal parts.
    pub fn over(self, count: u128) -> Range {
        Range { low: self.low.over(count), high: self.high.over(count) }
    }
}

impl std::ops::Add for Range {
    type Output = Range;

    fn add(self, other: Range) -> Range {
        Range { low: self.low + other.low, high: self.high + other.high }
    }
}

impl Sum for Range {
    fn sum<I: Iterator<Item = Range>>(ranges: I) -> Range {
        ranges.fold(Range::default(), |sum, range| sum + range)
    }
}

/// For people: `$0.0000041`, `$12.30`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&money(*self, *self))
    }
}

/// For people: `$11–14`.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&money(self.low, self.high))
    }
}

/// An amount for people, with no more digits than it earns: what is exact has cents, or two figures where it is less than a cent
/// (`$12.30`, `$0.0000041`); what is estimated has two figures of its upper end (`$11–14`), more only where its ends are nearer to one
/// another (`$103.0–103.2`), and is one number where they look alike.
pub fn money(low: Money, high: Money) -> String {
    if low == high {
        return format!("${}", grouped(&exact(low.0)));
    }
    let (low, high) = (low.min(high), low.max(high));
    let finest = (2 - exponent(high.0)).max(2);
    let decimals = (1 - exponent(high.0)).max(-exponent(high.0 - low.0)).min(finest);
    let top = rounded(high.0, decimals);
    let mut bottom = rounded(low.0, decimals);
    if low > Money::ZERO && is_zero(&bottom) {
        bottom = rounded(low.0, -exponent(low.0));
    }
    if is_zero(&bottom) {
        "0".clone_into(&mut bottom);
    }
    if bottom == top { format!("${}", grouped(&top)) } else { format!("${}–{}", grouped(&bottom), grouped(&top)) }
}

fn exact(atoms: u128) -> String {
    if atoms == 0 {
        return "0".to_owned();
    }
    let decimals = (1 - exponent(atoms)).max(2);
    let text = rounded(atoms, decimals);
    // Rounding up may have carried into a new figure: 0.00996 has two, 0.010 would have three.
    if decimals > 2 && text.ends_with('0') && exponent(atoms_of(&text)) > exponent(atoms) { rounded(atoms, decimals - 1) } else { text }
}

fn atoms_of(text: &str) -> u128 {
    text.parse::<Money>().map_or(0, Money::atoms)
}

fn is_zero(text: &str) -> bool {
    !text.bytes().any(|b| (b'1'..=b'9').contains(&b))
}

/// The power of ten of the first figure: 0 for `1.5`, -3 for `0.0041`.
fn exponent(atoms: u128) -> i32 {
    atoms.checked_ilog10().map_or(0, |digits| digits as i32 - DECIMALS as i32)
}

/// Rounded half up to so many decimals; fewer than none rounds to tens, hundreds, ….
fn rounded(atoms: u128, decimals: i32) -> String {
    let decimals = decimals.clamp(-9, DECIMALS as i32);
    let unit = 10u128.pow((DECIMALS as i32 - decimals) as u32);
    let count = atoms / unit + u128::from(atoms % unit >= unit.div_ceil(2));
    if decimals <= 0 {
        return (count * 10u128.pow(decimals.unsigned_abs())).to_string();
    }
    let digits = format!("{count:0>width$}", width = decimals as usize + 1);
    let (whole, parts) = digits.split_at(digits.len() - decimals as usize);
    format!("{whole}.{parts}")
}

/// With a comma between thousands.
fn grouped(text: &str) -> String {
    match text.split_once('.') {
        Some((whole, parts)) => format!("{}.{parts}", number::grouped(whole)),
        None => number::grouped(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn dollars(text: &str) -> Money {
        text.parse().expect(text)
    }

    #[test]
    fn an_amount_shows_the_digits_it_earns() {
        for (low, high, wanted) in [
            ("0", "0", "$0"),
            ("12.3", "12.3", "$12.30"),
            ("0.4", "0.4", "$0.40"),
            ("0.125", "0.125", "$0.13"),
            ("0.015", "0.015", "$0.015"),
            ("0.0000041", "0.0000041", "$0.0000041"),
            ("0.00000406", "0.00000406", "$0.0000041"),
            ("0.00996", "0.00996", "$0.010"),
            ("0.000000996", "0.000000996", "$0.0000010"),
            ("1234567.891", "1234567.891", "$1,234,567.89"),
            ("11.4", "14.2", "$11–14"),
            ("0.0000041", "0.0000052", "$0.0000041–0.0000052"),
            ("0.3", "1.42", "$0.3–1.4"),
            ("4", "123", "$4–120"),
            ("0.02", "14", "$0.02–14"),
            ("0", "14", "$0–14"),
            ("1234", "1534", "$1,200–1,500"),
            ("40.01", "40.3", "$40.0–40.3"),
            ("102.96", "103.24", "$103.0–103.2"),
            ("100", "100.0001", "$100.00"),
            ("0.0001", "0.0001000001", "$0.000100"),
            ("0.0001", "0.0001008", "$0.000100–0.000101"),
            ("14.2", "11.4", "$11–14"),
        ] {
            assert_eq!(money(dollars(low), dollars(high)), wanted, "{low} to {high}");
        }
    }

    #[test]
    fn a_text_that_is_no_amount_says_what_is_wrong() {
        for (text, wanted) in [
            ("", "is not an amount"),
            ("-1", "is not an amount"),
            ("1e-6", "is not an amount"),
            ("1.", "is not an amount"),
            ("0,20", "is not an amount"),
            ("0.1234567890123456789", "more than 18 decimals"),
            ("1000000001", "more than 1000000000 dollars"),
            (&"9".repeat(60), "more than"),
        ] {
            let error = text.parse::<Money>().expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }

    #[test]
    fn programs_read_all_decimals() {
        assert_eq!(dollars("0.0000166667").decimal(), "0.0000166667");
        assert_eq!(dollars("5").decimal(), "5");
        assert_eq!(Money::ZERO.decimal(), "0");
    }

    proptest! {
        #[test]
        fn written_and_read_again_it_is_the_same(micros in 0u64..1 << 50) {
            let amount = Money::from_atoms(u128::from(micros) * 10u128.pow(15));
            prop_assert_eq!(amount.decimal().parse::<Money>(), Ok(amount));
        }

        #[test]
        fn what_is_shown_is_within_five_percent(atoms in 1u128..10u128.pow(32)) {
            let text = Money::from_atoms(atoms).to_string().replace(['$', ','], "");
            let shown = text.parse::<f64>().expect("a number");
            let real = atoms as f64 / 1e27;
            prop_assert!(real < 1e-25 || (shown - real).abs() <= real * 0.051, "{real} was shown as {text}");
        }
    }
}
