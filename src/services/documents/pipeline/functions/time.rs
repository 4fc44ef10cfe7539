//! Times, in UTC unless a time zone is said.

use chrono::{
    DateTime, Datelike, Days, FixedOffset, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Utc,
    Weekday,
};
use chrono_tz::Tz;

use super::super::Fault;
use super::{Answer, integer, needs, words};
use crate::services::documents::value::{Timestamp, Value};

const MICROS_A_SECOND: i64 = 1_000_000;

fn timestamp(value: &Value) -> Result<Timestamp, Fault> {
    match value {
        Value::Timestamp(at) => Ok(*at),
        other => Err(needs("a time", other)),
    }
}

fn beyond() -> Fault {
    Fault::value("the time is outside the years 1 to 9999")
}

/// The time of so many microseconds since 1970.
fn at_micros(micros: Option<i64>) -> Answer {
    let at = micros.map(Timestamp::of_micros).and_then(|at| Timestamp::new(at.seconds, at.nanos as i32));
    at.map(|at| Some(Value::Timestamp(at))).ok_or_else(beyond)
}

pub(super) fn of_micros(args: &[&Value]) -> Answer {
    at_micros(Some(integer(args[0])?))
}

pub(super) fn of_millis(args: &[&Value]) -> Answer {
    at_micros(integer(args[0])?.checked_mul(1_000))
}

pub(super) fn of_seconds(args: &[&Value]) -> Answer {
    at_micros(integer(args[0])?.checked_mul(MICROS_A_SECOND))
}

pub(super) fn to_micros(args: &[&Value]) -> Answer {
    Ok(Some(Value::Int(timestamp(args[0])?.micros())))
}

pub(super) fn to_millis(args: &[&Value]) -> Answer {
    Ok(Some(Value::Int(timestamp(args[0])?.micros().div_euclid(1_000))))
}

pub(super) fn to_seconds(args: &[&Value]) -> Answer {
    Ok(Some(Value::Int(timestamp(args[0])?.seconds)))
}

/// Microseconds of a unit whose length is always the same.
fn unit(value: &Value) -> Result<i64, Fault> {
    Ok(match words(value)? {
        "microsecond" => 1,
        "millisecond" => 1_000,
        "second" => MICROS_A_SECOND,
        "minute" => 60 * MICROS_A_SECOND,
        "hour" => 3_600 * MICROS_A_SECOND,
        "day" => 86_400 * MICROS_A_SECOND,
        other => return Err(Fault::value(format!("'{other}' is no unit: microsecond, millisecond, second, minute, hour or day"))),
    })
}

pub(super) fn add(args: &[&Value]) -> Answer {
    let (at, unit, amount) = (timestamp(args[0])?, unit(args[1])?, integer(args[2])?);
    at_micros(amount.checked_mul(unit).and_then(|micros| at.micros().checked_add(micros)))
}

pub(super) fn subtract(args: &[&Value]) -> Answer {
    let (at, unit, amount) = (timestamp(args[0])?, unit(args[1])?, integer(args[2])?);
    at_micros(amount.checked_mul(unit).and_then(|micros| at.micros().checked_sub(micros)))
}

/// Whole units from the second time to the first.
pub(super) fn difference(args: &[&Value]) -> Answer {
    let (end, start, unit) = (timestamp(args[0])?, timestamp(args[1])?, unit(args[2])?);
    Ok(Some(Value::Int((end.micros() - start.micros()) / unit)))
}

/// A time zone: by a name of the tz database, or hours from Greenwich.
enum Zone {
    Named(Tz),
    Fixed(FixedOffset),
}

impl Zone {
    fn of(arg: Option<&&Value>) -> Result<Zone, Fault> {
        let Some(name) = arg else { return Ok(Zone::Named(Tz::UTC)) };
        let name = words(name)?;
        if let Ok(zone) = name.parse() {
            return Ok(Zone::Named(zone));
        }
        let offset = name.strip_prefix("GMT").or_else(|| name.strip_prefix("UTC")).unwrap_or(name);
        let unknown = || Fault::value(format!("there is no time zone '{name}': name one as Europe/Vienna, or as +02:00"));
        let (sign, rest) = match offset.split_at_checked(1) {
            Some(("+", rest)) => (1, rest),
            Some(("-", rest)) => (-1, rest),
            _ => return Err(unknown()),
        };
        let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
        let part = |text: &str, most: i32| text.parse::<u8>().ok().map(i32::from).filter(|n| *n <= most).ok_or_else(unknown);
        let seconds = part(hours, 23)? * 3_600 + part(minutes, 59)? * 60;
        FixedOffset::east_opt(sign * seconds).map(Zone::Fixed).ok_or_else(unknown)
    }

    /// What clocks show there.
    fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let offset = match self {
            Zone::Named(zone) => zone.offset_from_utc_datetime(&at.naive_utc()).fix(),
            Zone::Fixed(offset) => *offset,
        };
        at.naive_utc() + offset
    }

    /// When clocks there begin to show this day: its first hour may be left out.
    fn begins(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let midnight = day.and_time(NaiveTime::MIN);
        (0..=12).map(|quarters| midnight + TimeDelta::minutes(15 * quarters)).find_map(|local| match self {
            Zone::Named(zone) => earliest(zone.from_local_datetime(&local)),
            Zone::Fixed(offset) => earliest(offset.from_local_datetime(&local)),
        })
    }
}

fn earliest<Z: TimeZone>(local: LocalResult<DateTime<Z>>) -> Option<DateTime<Utc>> {
    local.earliest().map(|at| at.to_utc())
}

fn utc(at: Timestamp) -> Result<DateTime<Utc>, Fault> {
    DateTime::from_timestamp(at.seconds, at.nanos).ok_or_else(beyond)
}

/// `week`, or `week(monday)`: the day that it begins with.
fn week(text: &str) -> Option<Weekday> {
    match text {
        "week" => Some(Weekday::Sun),
        "isoweek" => Some(Weekday::Mon),
        other => other.strip_prefix("week(")?.strip_suffix(')')?.parse().ok(),
    }
}

/// The last such day that is not after another.
fn back_to(day: NaiveDate, weekday: Weekday) -> Option<NaiveDate> {
    day.checked_sub_days(Days::new(u64::from(day.weekday().days_since(weekday))))
}

pub(super) fn truncate(args: &[&Value]) -> Answer {
    let (at, granularity, zone) = (timestamp(args[0])?, words(args[1])?, Zone::of(args.get(2))?);
    let local = zone.local(utc(at)?);
    // Parts of an hour end where they end on the clocks there; the time that has passed since is taken away.
    let past_hour = i64::from(local.minute()) * 60 + i64::from(local.second());
    let micros = i64::from(at.nanos / 1_000);
    let passed = match granularity {
        "microsecond" => Some(0),
        "millisecond" => Some(micros % 1_000),
        "second" => Some(micros),
        "minute" => Some(i64::from(local.second()) * MICROS_A_SECOND + micros),
        "hour" => Some(past_hour * MICROS_A_SECOND + micros),
        _ => None,
    };
    if let Some(passed) = passed {
        return at_micros(at.micros().checked_sub(passed));
    }
    let today = local.date();
    let day = match granularity {
        "day" => Some(today),
        "month" => today.with_day(1),
        "quarter" => today.with_day(1).and_then(|day| day.with_month0(day.month0() / 3 * 3)),
        "year" => NaiveDate::from_yo_opt(today.year(), 1),
        "isoyear" => NaiveDate::from_isoywd_opt(today.iso_week().year(), 1, Weekday::Mon),
        other => match week(other) {
            Some(weekday) => back_to(today, weekday),
            None => {
                return Err(Fault::value(format!(
                    "'{other}' is no granularity: microsecond, millisecond, second, minute, hour, day, week, week(monday), isoweek, month, quarter, year or isoyear"
                )));
            }
        },
    };
    let begins = day.and_then(|day| zone.begins(day)).ok_or_else(beyond)?;
    at_micros(Some(begins.timestamp_micros()))
}

pub(super) fn extract(args: &[&Value]) -> Answer {
    let (at, part, zone) = (timestamp(args[0])?, words(args[1])?, Zone::of(args.get(2))?);
    let local = zone.local(utc(at)?);
    let n = match part {
        "microsecond" => i64::from(at.nanos / 1_000),
        "millisecond" => i64::from(at.nanos / 1_000_000),
        "second" => i64::from(local.second()),
        "minute" => i64::from(local.minute()),
        "hour" => i64::from(local.hour()),
        // From 1, Sunday.
        "dayofweek" => i64::from(local.weekday().number_from_sunday()),
        "day" => i64::from(local.day()),
        "dayofyear" => i64::from(local.ordinal()),
        "isoweek" => i64::from(local.iso_week().week()),
        "month" => i64::from(local.month()),
        "quarter" => i64::from(local.month0() / 3 + 1),
        "year" => i64::from(local.year()),
        "isoyear" => i64::from(local.iso_week().year()),
        other => match week(other) {
            // Days before the first such day of the year are in week 0.
            Some(weekday) => i64::from((local.ordinal0() + 7 - local.weekday().days_since(weekday)) / 7),
            None => {
                return Err(Fault::value(format!(
                    "'{other}' is no part of a time: microsecond, millisecond, second, minute, hour, day, dayofweek, dayofyear, week, week(monday), isoweek, month, quarter, year or isoyear"
                )));
            }
        },
    };
    Ok(Some(Value::Int(n)))
}
