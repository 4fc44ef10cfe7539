//! Numbers. Whole ones stay whole, and fail where the outcome has no room; with one of floating point all are.

use super::super::Fault;
use super::{Answer, array, integer, needs};
use crate::services::documents::aggregate::Sum;
use crate::services::documents::value::Value;

/// Decimal places that a double has at most.
const PLACES_MAX: i64 = 15;

fn double(value: &Value) -> Result<f64, Fault> {
    value.as_f64().ok_or_else(|| needs("a number", value))
}

fn overflow() -> Fault {
    Fault::value("the outcome has no room in 64 bits (overflow)")
}

/// Two numbers made one.
fn binary(a: &Value, b: &Value, whole: fn(i64, i64) -> Option<i64>, float: fn(f64, f64) -> f64) -> Result<Value, Fault> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => whole(*a, *b).map(Value::Int).ok_or_else(overflow),
        (a, b) => Ok(Value::Double(float(double(a)?, double(b)?))),
    }
}

fn all(args: &[&Value], whole: fn(i64, i64) -> Option<i64>, float: fn(f64, f64) -> f64) -> Answer {
    let Some((first, rest)) = args.split_first() else { return Ok(None) };
    rest.iter().try_fold((*first).clone(), |sum, next| binary(&sum, next, whole, float)).map(Some)
}

pub(super) fn add(args: &[&Value]) -> Answer {
    all(args, i64::checked_add, |a, b| a + b)
}

pub(super) fn subtract(args: &[&Value]) -> Answer {
    all(args, i64::checked_sub, |a, b| a - b)
}

pub(super) fn multiply(args: &[&Value]) -> Answer {
    all(args, i64::checked_mul, |a, b| a * b)
}

fn check_divisor(args: &[&Value]) -> Result<(), Fault> {
    match args {
        [Value::Int(_), Value::Int(0)] => Err(Fault::value("division by zero")),
        _ => Ok(()),
    }
}

pub(super) fn divide(args: &[&Value]) -> Answer {
    check_divisor(args)?;
    all(args, i64::checked_div, |a, b| a / b)
}

pub(super) fn modulo(args: &[&Value]) -> Answer {
    check_divisor(args)?;
    all(args, |a, b| Some(a.wrapping_rem(b)), |a, b| a % b)
}

/// A number made another, of the same type.
fn unary(value: &Value, whole: fn(i64) -> Option<i64>, float: fn(f64) -> f64) -> Answer {
    match value {
        Value::Int(n) => whole(*n).map(|n| Some(Value::Int(n))).ok_or_else(overflow),
        other => Ok(Some(Value::Double(float(double(other)?)))),
    }
}

pub(super) fn abs(args: &[&Value]) -> Answer {
    unary(args[0], i64::checked_abs, f64::abs)
}

pub(super) fn ceil(args: &[&Value]) -> Answer {
    unary(args[0], Some, f64::ceil)
}

pub(super) fn floor(args: &[&Value]) -> Answer {
    unary(args[0], Some, f64::floor)
}

pub(super) fn round(args: &[&Value]) -> Answer {
    // Halves go away from zero.
    let whole = |n: i128, unit: i128| (n + n.signum() * unit / 2) / unit * unit;
    to_places(args, whole, f64::round)
}

pub(super) fn trunc(args: &[&Value]) -> Answer {
    to_places(args, |n, unit| n / unit * unit, f64::trunc)
}

/// A number with so many decimal places; below zero, with zeros before the point.
fn to_places(args: &[&Value], whole: fn(i128, i128) -> i128, float: fn(f64) -> f64) -> Answer {
    let places = args.get(1).map_or(Ok(0), |places| integer(places))?;
    match args[0] {
        Value::Int(n) if places >= 0 => Ok(Some(Value::Int(*n))),
        // No number of 64 bits has 20 digits.
        Value::Int(_) if places <= -20 => Ok(Some(Value::Int(0))),
        Value::Int(n) => {
            let unit = 10i128.pow(places.unsigned_abs() as u32);
            i64::try_from(whole(i128::from(*n), unit)).map(|n| Some(Value::Int(n))).map_err(|_| overflow())
        }
        other => {
            let n = double(other)?;
            if !n.is_finite() || places > PLACES_MAX {
                return Ok(Some(Value::Double(n)));
            }
            let unit = 10f64.powi(i32::try_from(places.unsigned_abs()).unwrap_or(i32::MAX));
            let scaled = if places >= 0 { n * unit } else { n / unit };
            if !scaled.is_finite() {
                return Ok(Some(Value::Double(n)));
            }
            let cut = float(scaled);
            let cut = if cut == 0.0 {
                0.0
            } else if places >= 0 {
                cut / unit
            } else {
                cut * unit
            };
            if cut.is_finite() { Ok(Some(Value::Double(cut))) } else { Err(overflow()) }
        }
    }
}

pub(super) fn pow(args: &[&Value]) -> Answer {
    let (base, exponent) = (double(args[0])?, double(args[1])?);
    if base == 0.0 && exponent < 0.0 {
        return Err(Fault::value("zero has no power below zero"));
    }
    if base < 0.0 && base.is_finite() && exponent.is_finite() && exponent.fract() != 0.0 {
        return Err(Fault::value("a number below zero has no such root"));
    }
    Ok(Some(Value::Double(base.powf(exponent))))
}

pub(super) fn sqrt(args: &[&Value]) -> Answer {
    let n = double(args[0])?;
    if n < 0.0 {
        return Err(Fault::value("a number below zero has no square root"));
    }
    Ok(Some(Value::Double(n.sqrt())))
}

pub(super) fn exp(args: &[&Value]) -> Answer {
    Ok(Some(Value::Double(double(args[0])?.exp())))
}

/// A number that has a logarithm.
fn above_zero(value: &Value) -> Result<f64, Fault> {
    let n = double(value)?;
    if n <= 0.0 { Err(Fault::value("only numbers above zero have a logarithm")) } else { Ok(n) }
}

pub(super) fn ln(args: &[&Value]) -> Answer {
    Ok(Some(Value::Double(above_zero(args[0])?.ln())))
}

pub(super) fn log10(args: &[&Value]) -> Answer {
    Ok(Some(Value::Double(above_zero(args[0])?.log10())))
}

pub(super) fn log(args: &[&Value]) -> Answer {
    let (n, base) = (above_zero(args[0])?, above_zero(args[1])?);
    if base == 1.0 {
        return Err(Fault::value("there is no logarithm to the base of 1"));
    }
    Ok(Some(Value::Double(n.ln() / base.ln())))
}

/// The sum of the numbers of an array; null where it has none.
pub(super) fn sum(args: &[&Value]) -> Answer {
    let mut sum = Sum::default();
    array(args[0])?.iter().for_each(|member| sum.add(member));
    Ok(Some(if sum.is_empty() { Value::Null } else { sum.total() }))
}
