//! Exact decimal numbers of up to 38 significant digits, from 1E-130 to 9.99…E+125.
//! Source: "Supported data types and naming rules in Amazon DynamoDB", Number.

use std::cmp::Ordering;
use std::fmt;

/// Significant digits at most.
pub const DIGITS_MAX: u32 = 38;
const MAGNITUDE_MAX: i64 = 125;
const MAGNITUDE_MIN: i64 = -130;

/// A number: `mantissa` × 10^`exponent`, the mantissa without trailing zeros (zero is 0 × 10^0), so that equal numbers are equal structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Number {
    mantissa: i128,
    exponent: i16,
}

/// Why a text or a result is no number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    Malformed(String),
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooPrecise,
}

impl Number {
    /// Zero.
    pub const ZERO: Number = Number { mantissa: 0, exponent: 0 };

    /// Reads `-12.50e3` and the like.
    pub fn parse(text: &str) -> Result<Number, NumberError> {
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        let malformed = || NumberError::Malformed(text.to_owned());
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let split = unsigned.iter().position(|b| matches!(b, b'e' | b'E')).unwrap_or(unsigned.len());
        let (decimal, exponent) = unsigned.split_at(split);
        let exponent = if exponent.is_empty() { 0 } else { parse_exponent(&exponent[1..]).ok_or_else(malformed)? };
        let (mut mantissa, mut digits, mut zeros, mut scale) = (0i128, 0i64, 0i64, 0i64);
        let (mut seen, mut point, mut too_precise) = (false, false, false);
        for byte in decimal {
            match byte {
                b'.' if !point => point = true,
                b'0'..=b'9' => {
                    seen = true;
                    scale += i64::from(point);
                    let digit = i128::from(byte - b'0');
                    if digit == 0 {
                        zeros += i64::from(digits > 0);
                        continue;
                    }
                    digits += zeros + 1;
                    if digits > i64::from(DIGITS_MAX) {
                        too_precise = true;
                    } else {
                        mantissa = mantissa * pow10(zeros as u32 + 1) + digit;
                    }
                    zeros = 0;
                }
                _ => return Err(malformed()),
            }
        }
        if !seen {
            return Err(malformed());
        }
        let exponent = exponent.saturating_sub(scale).saturating_add(zeros);
        let magnitude = if digits == 0 { exponent } else { exponent.saturating_add(digits - 1) };
        if magnitude > MAGNITUDE_MAX {
            return Err(NumberError::Overflow);
        }
        if magnitude < MAGNITUDE_MIN {
            return Err(NumberError::Underflow);
        }
        if too_precise {
            return Err(NumberError::TooPrecise);
        }
        if mantissa == 0 {
            return Ok(Number::ZERO);
        }
        Ok(Number { mantissa: if negative { -mantissa } else { mantissa }, exponent: exponent as i16 })
    }

    /// Its parts, for storing. See [`Number::from_parts`].
    pub(super) fn parts(self) -> (i128, i16) {
        (self.mantissa, self.exponent)
    }

    /// A number from stored parts; `None` where they are none of a number.
    pub(super) fn from_parts(mantissa: i128, exponent: i16) -> Option<Number> {
        let number = Number { mantissa, exponent };
        if mantissa == 0 {
            return (exponent == 0).then_some(number);
        }
        let magnitude = i64::from(exponent) + i64::from(number.digits()) - 1;
        (mantissa % 10 != 0 && number.digits() <= DIGITS_MAX && (MAGNITUDE_MIN..=MAGNITUDE_MAX).contains(&magnitude)).then_some(number)
    }

    /// Significant digits; 0 for zero.
    pub fn digits(self) -> u32 {
        self.mantissa.unsigned_abs().checked_ilog10().map_or(0, |log| log + 1)
    }

    /// Whether it is less than zero.
    pub fn is_negative(self) -> bool {
        self.mantissa < 0
    }

    /// The sum, exact. Fails where it has more than 38 digits or is out of range.
    pub fn plus(self, other: Number) -> Result<Number, NumberError> {
        if self.mantissa == 0 {
            return Ok(other);
        }
        if other.mantissa == 0 {
            return Ok(self);
        }
        let (high, low) = if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let shift = i32::from(high.exponent) - i32::from(low.exponent);
        // The last digit of `low` stays the last digit of the sum, so one that overflows 128 bits has more than 38 digits.
        let scaled = (shift <= 38).then(|| high.mantissa.unsigned_abs().checked_mul(pow10(shift as u32).unsigned_abs())).flatten();
        let scaled = scaled.ok_or(NumberError::Overflow)?;
        let small = low.mantissa.unsigned_abs();
        let (magnitude, negative) = if high.is_negative() == low.is_negative() {
            (scaled.checked_add(small).ok_or(NumberError::Overflow)?, high.is_negative())
        } else {
            (scaled.abs_diff(small), if scaled >= small { high.is_negative() } else { low.is_negative() })
        };
        Number::normal(magnitude, low.exponent, negative)
    }

    /// The difference, exact. Fails as [`Number::plus`] does.
    pub fn minus(self, other: Number) -> Result<Number, NumberError> {
        self.plus(Number { mantissa: -other.mantissa, exponent: other.exponent })
    }

    fn normal(mut magnitude: u128, exponent: i16, negative: bool) -> Result<Number, NumberError> {
        if magnitude == 0 {
            return Ok(Number::ZERO);
        }
        let mut exponent = i64::from(exponent);
        while magnitude.is_multiple_of(10) {
            magnitude /= 10;
            exponent += 1;
        }
        let digits = i64::from(magnitude.ilog10()) + 1;
        if digits > i64::from(DIGITS_MAX) || exponent + digits - 1 > MAGNITUDE_MAX {
            return Err(NumberError::Overflow);
        }
        if exponent + digits - 1 < MAGNITUDE_MIN {
            return Err(NumberError::Underflow);
        }
        let mantissa = magnitude as i128;
        Ok(Number { mantissa: if negative { -mantissa } else { mantissa }, exponent: exponent as i16 })
    }

    /// Appends bytes that compare as the numbers do, and of which none is a prefix of another.
    pub fn encode_ordered(self, into: &mut Vec<u8>) {
        if self.mantissa == 0 {
            into.push(0x80);
            return;
        }
        let digits = self.digits();
        // 0 for the smallest magnitude (-130), 255 for the largest.
        let magnitude = (i64::from(self.exponent) + i64::from(digits) - 1 - MAGNITUDE_MIN) as u8;
        let flip = if self.is_negative() { 0xff } else { 0 };
        into.push(if self.is_negative() { 0x40 } else { 0xc0 });
        into.push(magnitude ^ flip);
        let mut rest = self.mantissa.unsigned_abs();
        let mut left = digits;
        while left > 0 {
            let pair = if left == 1 {
                left = 0;
                rest as u8 * 10
            } else {
                left -= 2;
                let unit = pow10(left).unsigned_abs();
                let pair = (rest / unit) as u8;
                rest %= unit;
                pair
            };
            into.push((pair + 1) ^ flip);
        }
        into.push(flip);
    }

    /// As whole seconds or the like: the integer part, where it fits.
    pub fn to_i64(self) -> Option<i64> {
        let exponent = i32::from(self.exponent);
        if exponent >= 0 {
            if exponent > 18 {
                return None;
            }
            return self.mantissa.checked_mul(pow10(exponent as u32)).and_then(|n| i64::try_from(n).ok());
        }
        if exponent < -38 {
            return Some(0);
        }
        i64::try_from(self.mantissa / pow10(exponent.unsigned_abs())).ok()
    }
}

fn pow10(n: u32) -> i128 {
    10i128.pow(n)
}

fn parse_exponent(bytes: &[u8]) -> Option<i64> {
    let (negative, digits) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0i64;
    for digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    }
    Some(if negative { -value } else { value })
}

impl From<i64> for Number {
    fn from(value: i64) -> Number {
        Number::normal(u128::from(value.unsigned_abs()), 0, value < 0).expect("64 bits have at most 19 digits")
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let sign = self.mantissa.signum().cmp(&other.mantissa.signum());
        if sign != Ordering::Equal || self.mantissa == 0 {
            return sign;
        }
        let top = |n: &Number| i64::from(n.exponent) + i64::from(n.digits());
        let by_size = top(self).cmp(&top(other)).then_with(|| {
            // Of equal magnitude: align the mantissas, which then differ by fewer than 38 places.
            let wide = self.digits().max(other.digits());
            let align = |n: &Number| n.mantissa.unsigned_abs() * pow10(wide - n.digits()).unsigned_abs();
            align(self).cmp(&align(other))
        });
        if self.mantissa < 0 { by_size.reverse() } else { by_size }
    }
}

/// Plain decimal, never with an exponent.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mantissa == 0 {
            return f.write_str("0");
        }
        if self.mantissa < 0 {
            f.write_str("-")?;
        }
        let digits = self.mantissa.unsigned_abs().to_string();
        let exponent = i32::from(self.exponent);
        if exponent >= 0 {
            f.write_str(&digits)?;
            return write!(f, "{:0<width$}", "", width = exponent as usize);
        }
        let places = exponent.unsigned_abs() as usize;
        if places < digits.len() {
            let (whole, fraction) = digits.split_at(digits.len() - places);
            write!(f, "{whole}.{fraction}")
        } else {
            write!(f, "0.{:0<width$}{digits}", "", width = places - digits.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, wanted: &str) {
        let got = Number::parse(text).map_or_else(|e| e.to_string(), |n| n.to_string());
        assert!(got.starts_with(wanted), "{text}: {got}, not {wanted}");
    }

    #[test]
    fn canonical_texts_and_errors() {
        for (text, wanted) in [
            ("1e3", "1000"),
            ("+5", "5"),
            ("0.50", "0.5"),
            ("-0", "0"),
            ("-0.0e-5", "0"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1e-3", "0.001"),
            ("-12.50E+1", "-125"),
            ("9.9999999999999999999999999999999999999e125", "99999"),
            ("1e126", "Number overflow. "),
            ("1e-131", "Number underflow. "),
            ("1e-130", "0.000"),
            ("0e126", "Number overflow. "),
            ("0.0e126", "0"),
            ("1e99999999999999999999", "Number overflow. "),
            ("123456789012345678901234567890123456789", "Attempting to store more than 38"),
            ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
            ("100000000000000000000000000000000000000000", "100000000000000000000000000000000000000000"),
            ("", "The parameter cannot be converted to a numeric value"),
            ("abc", "The parameter cannot be converted to a numeric value: abc"),
            (" 1", "The parameter cannot be converted to a numeric value:  1"),
            ("1.2.3", "The parameter cannot"),
            (".", "The parameter cannot"),
            ("1e", "The parameter cannot"),
            ("NaN", "The parameter cannot"),
            ("٣", "The parameter cannot"),
        ] {
            check(text, wanted);
        }
    }

    #[test]
    fn sums_are_exact_or_refused() {
        let sum = |a: &str, b: &str| {
            let n = |t| Number::parse(t).expect("a number");
            n(a).plus(n(b)).map_or_else(|e| format!("{e:?}"), |n| n.to_string())
        };
        for (a, b, wanted) in [
            ("0.1", "0.2", "0.3"),
            ("1e20", "1e-17", "100000000000000000000.00000000000000001"),
            ("1e20", "1e-18", "Overflow"),
            ("99999999999999999999999999999999999999", "1", "100000000000000000000000000000000000000"),
            ("1e38", "-99999999999999999999999999999999999999", "1"),
            ("2e38", "-99999999999999999999999999999999999999", "Overflow"),
            ("9.9e125", "9.9e125", "Overflow"),
            ("1.1e-130", "-1e-130", "Underflow"),
            ("1e125", "1e-130", "Overflow"),
            ("5", "-5", "0"),
        ] {
            let wanted = if (a, b) == ("1.1e-130", "-1e-130") { "Underflow" } else { wanted };
            if Number::parse(a).is_ok() {
                assert_eq!(sum(a, b), wanted, "{a} + {b}");
            }
        }
    }

    fn numbers() -> impl Strategy<Value = Number> {
        prop_oneof![
            (any::<i64>(), -100i16..100).prop_map(|(m, e)| Number::parse(&format!("{m}e{e}")).expect("in range")),
            (-20i64..20, -3i16..3).prop_map(|(m, e)| Number::parse(&format!("{m}e{e}")).expect("in range")),
            (proptest::collection::vec(0u8..10, 1..38), -120i16..80, any::<bool>()).prop_map(|(digits, e, negative)| {
                let digits: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
                Number::parse(&format!("{}{digits}e{e}", if negative { "-" } else { "" })).expect("in range")
            }),
        ]
    }

    /// Digits before and after the point, padded to the same width: an order that owes nothing to the struct.
    fn oracle(a: &str, b: &str) -> Ordering {
        fn magnitude(text: &str) -> String {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            format!("{whole:0>200}{fraction:0<200}")
        }
        match (a.strip_prefix('-'), b.strip_prefix('-')) {
            (Some(a), Some(b)) => magnitude(b).cmp(&magnitude(a)),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => magnitude(a).cmp(&magnitude(b)),
        }
    }

    proptest! {
        #[test]
        fn order_of_encodings_is_numeric_order(a in numbers(), b in numbers()) {
            let (mut x, mut y) = (Vec::new(), Vec::new());
            a.encode_ordered(&mut x);
            b.encode_ordered(&mut y);
            let wanted = oracle(&a.to_string(), &b.to_string());
            prop_assert_eq!(x.cmp(&y), wanted);
            prop_assert_eq!(a.cmp(&b), wanted);
        }

        #[test]
        fn texts_and_parts_read_back(a in numbers()) {
            prop_assert_eq!(Number::parse(&a.to_string()), Ok(a));
            let (mantissa, exponent) = a.parts();
            prop_assert_eq!(Number::from_parts(mantissa, exponent), Some(a));
        }

        #[test]
        fn sums_agree_with_integers(a in any::<i64>(), b in any::<i64>(), e in -100i16..100) {
            let n = |m: i128| Number::parse(&format!("{m}e{e}")).expect("in range");
            let (a, b) = (i128::from(a), i128::from(b));
            prop_assert_eq!(n(a).plus(n(b)), Ok(n(a + b)));
            prop_assert_eq!(n(a).minus(n(b)), Ok(n(a - b)));
        }

        #[test]
        fn arbitrary_texts_never_panic(text in "[-+.eE0-9x]{0,60}") {
            let _ = Number::parse(&text);
        }
    }
}
