//! Schedule expressions as EventBridge takes them (EventBridge User Guide, "Cron expressions reference", "Rate expressions reference"):
//! `rate(5 minutes)`, `cron(0 10 * * ? *)`, and the Scheduler's `at(2026-11-21T10:00:00)`. All times are UTC.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Weekday};

use crate::base::Time;

/// A schedule that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// Every so many milliseconds, counted from the last time.
    Rate {
        every_ms: i64,
    },
    Cron(Cron),
    /// Once.
    At(Time),
}

/// The six fields of `cron(…)`. Bit sets have bit N set where the value N matches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    months: u64,
    days: Day,
    /// Years from 1970, in order.
    years: Vec<i32>,
}

/// Which days of a month match: AWS lets an expression say this by date or by weekday, not both.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Day {
    Dates {
        set: u64,
        last: bool,
        near: Vec<u32>,
        last_weekday: bool,
    },
    /// Weekdays from 1 = Sunday; `(weekday, which)` for `#`; weekdays whose last one in the month counts.
    Weekdays {
        set: u64,
        nth: Vec<(u32, u32)>,
        last: Vec<u32>,
    },
}

/// What is wrong with an expression, in words for the one who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

const MONTHS: &[&str] = &["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const YEARS: (u32, u32) = (1970, 2199);
/// Longest expression that is looked at, in bytes (the API's own limit).
const BYTES_MAX: usize = 256;

/// Reads `rate(…)`, `cron(…)` or `at(…)`.
pub fn parse(text: &str) -> Result<Expression, Error> {
    let text = text.trim();
    if text.len() > BYTES_MAX {
        return fail(format!("a schedule has at most {BYTES_MAX} characters"));
    }
    let inside = |name: &str| text.strip_prefix(name)?.trim_start().strip_prefix('(')?.strip_suffix(')').map(str::trim);
    if let Some(body) = inside("rate") {
        rate(body)
    } else if let Some(body) = inside("cron") {
        cron(body).map(Expression::Cron)
    } else if let Some(body) = inside("at") {
        match NaiveDateTime::parse_from_str(body, "%Y-%m-%dT%H:%M:%S") {
            Ok(at) => Ok(Expression::At(Time(at.and_utc().timestamp_millis()))),
            Err(_) => fail("`at` takes a time like `at(2026-11-21T10:00:00)`"),
        }
    } else if text.split_whitespace().count() == 5 {
        fail(format!("put it in `cron(…)`, with `?` for one of the two day fields and a year: `cron({text} *)` has six fields"))
    } else {
        fail("a schedule is `rate(5 minutes)` or `cron(0 10 * * ? *)`")
    }
}

impl Expression {
    /// The first time after `time` at which this is due; `None` where there is none. A rate counts from `time` itself.
    pub fn next_after(&self, time: Time) -> Option<Time> {
        match self {
            Expression::Rate { every_ms } => time.0.checked_add(*every_ms).map(Time),
            Expression::At(at) => (*at > time).then_some(*at),
            Expression::Cron(cron) => {
                let from = chrono::DateTime::from_timestamp_millis(time.0)?.naive_utc();
                cron.next_after(from).map(|at| Time(at.and_utc().timestamp_millis()))
            }
        }
    }
}

impl Cron {
    fn next_after(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let first = *self.years.first()?;
        // The next whole minute, and never before the first year that can match.
        let start = from.date().and_hms_opt(from.hour(), from.minute(), 0)?.checked_add_signed(chrono::TimeDelta::minutes(1))?;
        let start = start.max(NaiveDate::from_ymd_opt(first, 1, 1)?.and_hms_opt(0, 0, 0)?);
        let (mut date, mut time) = (start.date(), start.time());
        let last = *self.years.last()?;
        while date.year() <= last {
            if self.years.binary_search(&date.year()).is_err() {
                date = NaiveDate::from_ymd_opt(date.year() + 1, 1, 1)?;
                time = NaiveTime::MIN;
                continue;
            }
            if !has(self.months, date.month()) {
                date = date.with_day(1)?.checked_add_months(chrono::Months::new(1))?;
                time = NaiveTime::MIN;
                continue;
            }
            if self.days.matches(date)
                && let Some(at) = self.time_from(time)
            {
                return Some(date.and_time(at));
            }
            date = date.checked_add_days(Days::new(1))?;
            time = NaiveTime::MIN;
        }
        None
    }

    /// The first time of day that matches, at or after `from`.
    fn time_from(&self, from: NaiveTime) -> Option<NaiveTime> {
        (from.hour()..24).filter(|h| has(self.hours, *h)).find_map(|hour| {
            let first = if hour == from.hour() { from.minute() } else { 0 };
            let minute = (first..60).find(|m| has(self.minutes, *m))?;
            NaiveTime::from_hms_opt(hour, minute, 0)
        })
    }

    /// Whether it is due in the minute of `at`: says the same as `next_after`, from the definition of the fields.
    #[cfg(test)]
    fn due(&self, at: NaiveDateTime) -> bool {
        at.second() == 0
            && has(self.minutes, at.minute())
            && has(self.hours, at.hour())
            && has(self.months, at.month())
            && self.years.contains(&at.year())
            && self.days.matches(at.date())
    }
}

impl Day {
    fn matches(&self, date: NaiveDate) -> bool {
        let (day, length) = (date.day(), month_length(date));
        match self {
            Day::Dates { set, last, near, last_weekday } => {
                has(*set, day)
                    || (*last && day == length)
                    || near.iter().any(|n| weekday_near(date, *n) == Some(day))
                    || (*last_weekday && weekday_near(date, length) == Some(day))
            }
            Day::Weekdays { set, nth, last } => {
                let weekday = date.weekday().num_days_from_sunday() + 1;
                has(*set, weekday)
                    || nth.iter().any(|(w, n)| *w == weekday && (day - 1) / 7 + 1 == *n)
                    || (last.contains(&weekday) && day + 7 > length)
            }
        }
    }
}

/// The weekday (Monday to Friday) nearest to a date of `month`'s month, in the same month; `None` where the month has no such date.
fn weekday_near(month: NaiveDate, day: u32) -> Option<u32> {
    let date = month.with_day(day)?;
    Some(match date.weekday() {
        Weekday::Sat if day == 1 => 3,
        Weekday::Sat => day - 1,
        Weekday::Sun if day == month_length(month) => day - 2,
        Weekday::Sun => day + 1,
        _ => day,
    })
}

fn month_length(date: NaiveDate) -> u32 {
    (28..=31).rev().find(|d| date.with_day(*d).is_some()).unwrap_or(28)
}

fn has(set: u64, value: u32) -> bool {
    value < 64 && set & (1 << value) != 0
}

fn fail<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error(message.into()))
}

fn rate(body: &str) -> Result<Expression, Error> {
    let mut words = body.split_whitespace();
    let (Some(value), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return fail("`rate` takes a number and a unit: `rate(5 minutes)`");
    };
    let count: i64 = match value.parse() {
        Ok(count) if (1..=1_000_000).contains(&count) && !value.starts_with('+') => count,
        _ => return fail(format!("`{value}` in `rate` must be a whole number above 0")),
    };
    let (unit_ms, plural) = match unit {
        "minute" | "minutes" => (60_000, unit == "minutes"),
        "hour" | "hours" => (3_600_000, unit == "hours"),
        "day" | "days" => (86_400_000, unit == "days"),
        _ => return fail(format!("`{unit}` in `rate` must be minutes, hours or days")),
    };
    if plural == (count == 1) {
        let right = if plural { unit.trim_end_matches('s').to_string() } else { format!("{unit}s") };
        return fail(format!("AWS wants `rate({count} {right})`: one is singular, more are plural"));
    }
    Ok(Expression::Rate { every_ms: count * unit_ms })
}

fn cron(body: &str) -> Result<Cron, Error> {
    let upper = body.to_ascii_uppercase();
    let fields: Vec<&str> = upper.split_whitespace().collect();
    let [minutes, hours, dates, months, weekdays, years] = fields[..] else {
        let order = "minutes, hours, day of month, month, day of week, year";
        return fail(format!("`cron` takes six fields ({order}), not {}", fields.len()));
    };
    let days = match (dates, weekdays) {
        ("?", "?") => return fail("only one of the two day fields of `cron` can be `?`"),
        (dates, "?") => dates_of(dates)?,
        ("?", weekdays) => weekdays_of(weekdays)?,
        _ => return fail("one of the two day fields of `cron` must be `?`: AWS matches by date or by weekday, not both"),
    };
    let mut all = vec![];
    for item in years.split(',') {
        all.extend(range(item, &Field { name: "year", low: YEARS.0, high: YEARS.1, names: &[], wraps: false })?.map(|y| y as i32));
    }
    all.sort_unstable();
    all.dedup();
    Ok(Cron {
        minutes: set(minutes, &Field { name: "minutes", low: 0, high: 59, names: &[], wraps: true })?,
        hours: set(hours, &Field { name: "hours", low: 0, high: 23, names: &[], wraps: true })?,
        months: set(months, &Field { name: "month", low: 1, high: 12, names: MONTHS, wraps: true })?,
        days,
        years: all,
    })
}

const DATE: Field = Field { name: "day of month", low: 1, high: 31, names: &[], wraps: true };
const WEEKDAY: Field = Field { name: "day of week", low: 1, high: 7, names: WEEKDAYS, wraps: true };

fn dates_of(text: &str) -> Result<Day, Error> {
    let (mut bits, mut last, mut near, mut last_weekday) = (0, false, vec![], false);
    for item in text.split(',') {
        match item {
            "L" => last = true,
            "LW" => last_weekday = true,
            _ => match item.strip_suffix('W') {
                Some(day) => near.push(DATE.value(day)?),
                None => bits |= set(item, &DATE)?,
            },
        }
    }
    Ok(Day::Dates { set: bits, last, near, last_weekday })
}

fn weekdays_of(text: &str) -> Result<Day, Error> {
    let (mut bits, mut nth, mut last) = (0, vec![], vec![]);
    for item in text.split(',') {
        if item == "L" {
            bits |= 1 << 7;
        } else if let Some((weekday, n)) = item.split_once('#') {
            match n.parse() {
                Ok(n @ 1..=5) => nth.push((WEEKDAY.value(weekday)?, n)),
                _ => return fail(format!("`{item}`: after `#` stands 1 to 5, which of the month's weekdays it is")),
            }
        } else if let Some(weekday) = item.strip_suffix('L') {
            last.push(WEEKDAY.value(weekday)?);
        } else {
            bits |= set(item, &WEEKDAY)?;
        }
    }
    Ok(Day::Weekdays { set: bits, nth, last })
}

struct Field {
    name: &'static str,
    low: u32,
    high: u32,
    /// Names of the values, from `low`.
    names: &'static [&'static str],
    /// Whether a range may run past the end, as in `FRI-MON`.
    wraps: bool,
}

impl Field {
    fn value(&self, text: &str) -> Result<u32, Error> {
        if let Some(index) = self.names.iter().position(|n| *n == text) {
            return Ok(self.low + index as u32);
        }
        match text.parse() {
            Ok(value) if (self.low..=self.high).contains(&value) && text.bytes().all(|b| b.is_ascii_digit()) => Ok(value),
            _ => {
                let names = match (self.names.first(), self.names.last()) {
                    (Some(first), Some(last)) => format!(" or {first} to {last}"),
                    _ => String::new(),
                };
                fail(format!("`{text}` is not a {} of `cron`: {} to {}{names}", self.name, self.low, self.high))
            }
        }
    }
}

fn set(text: &str, field: &Field) -> Result<u64, Error> {
    let mut bits = 0;
    for item in text.split(',') {
        for value in range(item, field)? {
            bits |= 1u64 << value;
        }
    }
    Ok(bits)
}

/// The values of `*`, `5`, `1-5`, `*/15`, `5/15` or `1-30/5`.
fn range(item: &str, field: &Field) -> Result<impl Iterator<Item = u32> + use<>, Error> {
    let (span, step) = match item.split_once('/') {
        None => (item, None),
        Some((span, step)) => match step.parse::<u32>() {
            Ok(step) if step >= 1 && step <= field.high => (span, Some(step)),
            _ => return fail(format!("`{item}`: the step after `/` must be 1 to {}", field.high)),
        },
    };
    let (from, to) = match (span, span.split_once('-')) {
        ("*", _) => (field.low, field.high),
        (_, Some((from, to))) => (field.value(from)?, field.value(to)?),
        (one, None) => {
            let from = field.value(one)?;
            (from, if step.is_some() { field.high } else { from })
        }
    };
    if from > to && !field.wraps {
        return fail(format!("`{item}`: the range runs backwards"));
    }
    let (low, size) = (field.low, field.high - field.low + 1);
    let length = if from <= to { to - from } else { to + size - from };
    Ok((0..=length).step_by(step.unwrap_or(1) as usize).map(move |i| low + (from - low + i) % size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").expect("a time of the test")
    }

    fn check(expression: &str, after: &str, expected: &str) {
        let shown = match parse(expression) {
            Err(error) => error.to_string(),
            Ok(parsed) => match parsed.next_after(Time(time(after).and_utc().timestamp_millis())) {
                Some(next) => next.utc().format("%Y-%m-%d %H:%M:%S").to_string(),
                None => "never".to_string(),
            },
        };
        assert_eq!(shown, expected, "{expression}");
    }

    #[test]
    fn the_next_time_is_what_aws_says() {
        let now = "2026-11-21 10:07:30"; // A Saturday.
        check("rate(1 minute)", now, "2026-11-21 10:08:30");
        check("rate(2 days)", now, "2026-11-23 10:07:30");
        check("cron(0 10 * * ? *)", now, "2026-11-22 10:00:00");
        check("cron(15 12 * * ? *)", now, "2026-11-21 12:15:00");
        check("cron(0 18 ? * MON-FRI *)", now, "2026-11-23 18:00:00");
        check("cron(0 8 1 * ? *)", now, "2026-12-01 08:00:00");
        check("cron(0/15 * * * ? *)", now, "2026-11-21 10:15:00");
        check("cron(*/10 8-17 ? * 2-6 *)", now, "2026-11-23 08:00:00");
        check("cron(0 9 ? * 2#1 *)", now, "2026-12-07 09:00:00");
        check("cron(0 0 L * ? *)", now, "2026-11-30 00:00:00");
        check("cron(0 0 1W * ? *)", now, "2026-12-01 00:00:00");
        check("cron(0 0 1W 8 ? 2026-2027)", now, "2027-08-02 00:00:00");
        check("cron(0 0 1W 5 ? 2027)", now, "2027-05-03 00:00:00");
        check("cron(0 0 LW 2 ? *)", now, "2027-02-26 00:00:00");
        check("cron(0 0 ? * 6L *)", now, "2026-11-27 00:00:00");
        check("cron(0 0 ? * L *)", now, "2026-11-28 00:00:00");
        check("cron(0 0 ? * fri-mon *)", now, "2026-11-22 00:00:00");
        check("cron(0 22-2/2 * * ? *)", now, "2026-11-21 22:00:00");
        check("cron(0 0 29 2 ? *)", now, "2028-02-29 00:00:00");
        check("cron(0 0 31 2 ? *)", now, "never");
        check("cron(0 0 1 1 ? 2020)", now, "never");
        check("at(2026-11-21T10:08:00)", now, "2026-11-21 10:08:00");
        check("at(2026-11-21T10:07:00)", now, "never");
    }

    #[test]
    fn a_wrong_schedule_says_what_is_wrong() {
        let now = "2026-11-21 10:07:30";
        check("rate(1 minutes)", now, "AWS wants `rate(1 minute)`: one is singular, more are plural");
        check("rate(5 minute)", now, "AWS wants `rate(5 minutes)`: one is singular, more are plural");
        check("rate(0 minutes)", now, "`0` in `rate` must be a whole number above 0");
        check("rate(5 seconds)", now, "`seconds` in `rate` must be minutes, hours or days");
        check("cron(0 10 * * *)", now, "`cron` takes six fields (minutes, hours, day of month, month, day of week, year), not 5");
        check("cron(0 10 * * * *)", now, "one of the two day fields of `cron` must be `?`: AWS matches by date or by weekday, not both");
        check("cron(60 10 * * ? *)", now, "`60` is not a minutes of `cron`: 0 to 59");
        check("cron(0 0 ? * MOON *)", now, "`MOON` is not a day of week of `cron`: 1 to 7 or SUN to SAT");
        check("cron(0 0 ? * 2#6 *)", now, "`2#6`: after `#` stands 1 to 5, which of the month's weekdays it is");
        check("every day", now, "a schedule is `rate(5 minutes)` or `cron(0 10 * * ? *)`");
    }

    fn field(high: u32, low: u32) -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;
        prop_oneof![
            Just("*".to_string()),
            (low..=high).prop_map(|v| v.to_string()),
            (low..=high, low..=high).prop_map(|(a, b)| format!("{a}-{b}")),
            (low..=high, 1u32..=high).prop_map(|(a, b)| format!("{a}/{b}")),
            (low..=high, low..=high).prop_map(|(a, b)| format!("{a},{b}")),
        ]
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(rate|cron|at)?[(]?[0-9A-Z*?/#,LW -]{0,30}[)]?") {
            if let Ok(expression) = parse(&text) {
                let _ = expression.next_after(Time(1_800_000_000_000));
            }
        }

        #[test]
        fn the_next_time_is_due_and_none_before_it_is(
            minutes in field(59, 0), hours in field(23, 0), date in field(28, 1), weekday in field(7, 1), month in field(12, 1),
            by_date: bool, from in 0i64..4_000_000_000,
        ) {
            let days = if by_date { format!("{date} {month} ?") } else { format!("? {month} {weekday}") };
            let Ok(Expression::Cron(cron)) = parse(&format!("cron({minutes} {hours} {days} *)")) else { panic!("a valid expression") };
            let start = chrono::DateTime::from_timestamp(from, 0).expect("in the calendar").naive_utc();
            let next = cron.next_after(start).expect("such an expression always comes again");
            proptest::prop_assert!(next > start && cron.due(next));
            // Every minute of the days before it (at most three, to stay quick) is not due.
            let mut at = next.max(start + chrono::TimeDelta::days(3)) - chrono::TimeDelta::days(3);
            at = at.max(start.with_second(0).expect("seconds can be zero") + chrono::TimeDelta::minutes(1));
            while at < next {
                proptest::prop_assert!(!cron.due(at), "{at} comes before {next}");
                at += chrono::TimeDelta::minutes(1);
            }
        }
    }
}
