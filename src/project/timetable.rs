//! Schedules as Cloud Scheduler takes them: unix-cron (`*/5 9-17 * * 1-5`) and App Engine's words (`every 5 minutes`, `every monday 09:00`,
//! `2nd,third mon,wed of march 17:00`), in any time zone. Sources: "Cron job format and time zone" (Cloud Scheduler) and "Schedule format"
//! (App Engine `cron.yaml`).

use chrono::{DateTime, Datelike, Days, LocalResult, NaiveDate, NaiveTime, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::base::Time;

/// When something is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timetable {
    zone: Tz,
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// Every so many milliseconds from its beginning on.
    Every {
        ms: i64,
    },
    Calendar(Calendar),
}

/// Times of day on some days. Bit sets have bit N set where the value N matches.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Calendar {
    months: u64,
    days: DayRule,
    /// Minutes of the day, in order.
    times: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum DayRule {
    /// Both fields of cron: where both are restricted, either is enough. Weekdays from 0, Sunday.
    Cron { dates: u64, weekdays: u64, is_either: bool },
    /// The first, second … of these weekdays in a month; from 1.
    Nth { which: u64, weekdays: u64 },
    /// Days of the month.
    Dates(u64),
}

/// What is wrong with a schedule, in words for the one who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

/// Longest schedule that is looked at, in bytes.
const BYTES_MAX: usize = 500;
/// Days that are looked through for the next time: February 29th comes every eight years at the latest.
const DAYS_MAX: u32 = 366 * 9;
const MINUTES_A_DAY: u32 = 24 * 60;
const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const ORDINALS: [&str; 5] = ["first", "second", "third", "fourth", "fifth"];

fn fail<T>(message: impl Into<String>) -> Result<T, Error> {
    Err(Error(message.into()))
}

impl Timetable {
    /// Reads a schedule. The zone is a name of the time zone database, UTC where there is none (Firebase's default is that of Los Angeles:
    /// the caller says so).
    pub fn parse(text: &str, zone: &str) -> Result<Timetable, Error> {
        if text.len() > BYTES_MAX {
            return fail(format!("a schedule has at most {BYTES_MAX} characters"));
        }
        let found = chrono_tz::TZ_VARIANTS.iter().find(|known| known.name().eq_ignore_ascii_case(zone));
        let Some(zone) = found.copied() else { return fail(format!("`{zone}` is no time zone; one is `Europe/Berlin`")) };
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let is_cron = words.first().is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit() || c == '*'))
            && words.len() == 5
            && !words.contains(&"of");
        let rule = if is_cron { Rule::Calendar(cron(&words)?) } else { app_engine(&words, text)? };
        Ok(Timetable { zone, rule })
    }

    /// The first time after `time`, for a schedule that began at `begun`; `None` where there is none.
    pub fn next_after(&self, time: Time, begun: Time) -> Option<Time> {
        match &self.rule {
            Rule::Every { ms } => {
                let periods = time.0.checked_sub(begun.0)?.div_euclid(*ms).checked_add(1)?;
                begun.0.checked_add(periods.max(1).checked_mul(*ms)?).map(Time)
            }
            Rule::Calendar(calendar) => calendar.next_after(DateTime::from_timestamp_millis(time.0)?.with_timezone(&self.zone)),
        }
    }
}

impl Calendar {
    fn next_after(&self, after: DateTime<Tz>) -> Option<Time> {
        let zone = after.timezone();
        let mut date = after.date_naive();
        for _ in 0..DAYS_MAX {
            if has(self.months, date.month()) && self.days.matches(date) {
                for minutes in &self.times {
                    let at = date.and_time(NaiveTime::from_hms_opt(minutes / 60, minutes % 60, 0)?);
                    let due = match zone.from_local_datetime(&at) {
                        LocalResult::Single(due) | LocalResult::Ambiguous(due, _) => due,
                        // The clocks are put forward over it: that day it is left out.
                        LocalResult::None => continue,
                    };
                    if due > after {
                        return Some(Time(due.timestamp_millis()));
                    }
                }
            }
            date = date.checked_add_days(Days::new(1))?;
        }
        None
    }
}

impl DayRule {
    fn matches(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday();
        match self {
            DayRule::Cron { dates, weekdays, is_either: true } => has(*dates, date.day()) || has(*weekdays, weekday),
            DayRule::Cron { dates, weekdays, is_either: false } => has(*dates, date.day()) && has(*weekdays, weekday),
            DayRule::Nth { which, weekdays } => has(*weekdays, weekday) && has(*which, (date.day() - 1) / 7 + 1),
            DayRule::Dates(dates) => has(*dates, date.day()),
        }
    }
}

fn has(set: u64, value: u32) -> bool {
    value < 64 && set & (1 << value) != 0
}

fn cron(fields: &[&str]) -> Result<Calendar, Error> {
    let [minutes, hours, dates, months, weekdays] = fields else { return fail("a cron schedule has five fields") };
    let minutes = set(minutes, "minute", 0, 59, &[])?;
    let hours = set(hours, "hour", 0, 23, &[])?;
    let is_either = !dates.starts_with('*') && !weekdays.starts_with('*');
    let mut weekdays = set(weekdays, "day of the week", 0, 7, &WEEKDAYS)?;
    if has(weekdays, 7) {
        weekdays |= 1;
    }
    let days = DayRule::Cron { dates: set(dates, "day of the month", 1, 31, &[])?, weekdays, is_either };
    let times = (0..MINUTES_A_DAY).filter(|at| has(hours, at / 60) && has(minutes, at % 60)).collect();
    Ok(Calendar { months: set(months, "month", 1, 12, &MONTHS)?, days, times })
}

/// The values of a field: `*`, `5`, `1-5`, `*/15`, `1-30/5`, `mon,fri`.
fn set(text: &str, name: &str, low: u32, high: u32, names: &[&str]) -> Result<u64, Error> {
    let value = |text: &str| -> Result<u32, Error> {
        let named = names.iter().position(|name| text.len() >= 3 && name.starts_with(text));
        match (named, text.parse()) {
            (Some(index), _) => Ok(index as u32 + low),
            (None, Ok(value)) if (low..=high).contains(&value) && text.bytes().all(|b| b.is_ascii_digit()) => Ok(value),
            _ => fail(format!("`{text}` is no {name}: {low} to {high}")),
        }
    };
    let mut bits = 0;
    for item in text.split(',') {
        let (span, step) = match item.split_once('/') {
            None => (item, None),
            Some((span, step)) => match step.parse::<usize>() {
                Ok(step) if step >= 1 => (span, Some(step)),
                _ => return fail(format!("`{item}`: after `/` stands a number above 0")),
            },
        };
        let (from, to) = match span.split_once('-') {
            _ if span == "*" => (low, high),
            Some((from, to)) => (value(from)?, value(to)?),
            None => (value(span)?, if step.is_some() { high } else { value(span)? }),
        };
        if from > to {
            return fail(format!("`{item}`: the range runs backwards"));
        }
        (from..=to).step_by(step.unwrap_or(1)).for_each(|value| bits |= 1u64 << value);
    }
    Ok(bits)
}

/// What stands between `every` and the end.
fn app_engine(words: &[&str], text: &str) -> Result<Rule, Error> {
    let unknown = || fail(format!("`{text}` is no schedule; one is `every 5 minutes`, `every monday 09:00` or `*/5 * * * *`"));
    match words {
        ["every", unit @ ("minute" | "hour" | "min")] => interval(1, unit, &[], text),
        ["every", count, unit @ ("minutes" | "mins" | "hours" | "minute" | "hour" | "min"), rest @ ..] => match count.parse::<u32>() {
            Ok(count) if (1..=24 * 60 * 7).contains(&count) => interval(count, unit, rest, text),
            _ => fail(format!("`{count}` in `{text}` must be a whole number above 0")),
        },
        [which, days, "of", months, time] => {
            let (weekdays, months) = (weekdays(days, text)?, months_of(months, text)?);
            let which = if *which == "every" { u64::MAX } else { ordinals(which, text)? };
            calendar(DayRule::Nth { which, weekdays }, months, time, text)
        }
        [dates, "of", months, time] if dates.starts_with(|c: char| c.is_ascii_digit()) => {
            calendar(DayRule::Dates(set(dates, "day of the month", 1, 31, &[])?), months_of(months, text)?, time, text)
        }
        ["every", days, time] => calendar(DayRule::Nth { which: u64::MAX, weekdays: weekdays(days, text)? }, u64::MAX, time, text),
        ["every", days] => calendar(DayRule::Nth { which: u64::MAX, weekdays: weekdays(days, text)? }, u64::MAX, "00:00", text),
        _ => unknown(),
    }
}

fn calendar(days: DayRule, months: u64, time: &str, text: &str) -> Result<Rule, Error> {
    Ok(Rule::Calendar(Calendar { months, days, times: vec![minutes_of(time, text)?] }))
}

/// `every 5 minutes`, with `from 09:00 to 17:00` or `synchronized` behind it.
fn interval(count: u32, unit: &str, rest: &[&str], text: &str) -> Result<Rule, Error> {
    let minutes = count * if unit.starts_with('h') { 60 } else { 1 };
    let (from, to) = match rest {
        [] => return Ok(Rule::Every { ms: i64::from(minutes) * 60_000 }),
        ["synchronized"] => (0, MINUTES_A_DAY - 1),
        ["from", from, "to", to] => (minutes_of(from, text)?, minutes_of(to, text)?),
        _ => return fail(format!("`{}` in `{text}` is not understood; after an interval stands `from 09:00 to 17:00`", rest.join(" "))),
    };
    // A range may go on past midnight.
    let length = if to >= from { to - from } else { to + MINUTES_A_DAY - from };
    let mut times: Vec<u32> = (0..=length).step_by(minutes as usize).map(|at| (from + at) % MINUTES_A_DAY).collect();
    times.sort_unstable();
    Ok(Rule::Calendar(Calendar { months: u64::MAX, days: DayRule::Dates(u64::MAX), times }))
}

fn minutes_of(time: &str, text: &str) -> Result<u32, Error> {
    let parsed = NaiveTime::parse_from_str(time, "%H:%M").ok();
    parsed.map(|at| at.hour() * 60 + at.minute()).ok_or_else(|| Error(format!("`{time}` in `{text}` is no time of day; one is `09:00`")))
}

fn names(list: &str, all: &[&str], what: &str, text: &str) -> Result<u64, Error> {
    let mut bits = 0;
    for item in list.split(',').filter(|item| !item.is_empty()) {
        match all.iter().position(|name| item.len() >= 3 && name.starts_with(item)) {
            Some(index) => bits |= 1 << index,
            None => return fail(format!("`{item}` in `{text}` is no {what}")),
        }
    }
    Ok(bits)
}

fn weekdays(list: &str, text: &str) -> Result<u64, Error> {
    match list {
        "day" => Ok(0b111_1111),
        "weekday" => Ok(0b011_1110),
        list => names(list, &WEEKDAYS, "day of the week", text),
    }
}

fn months_of(list: &str, text: &str) -> Result<u64, Error> {
    if list == "month" { Ok(u64::MAX) } else { names(list, &MONTHS, "month", text).map(|bits| bits << 1) }
}

fn ordinals(list: &str, text: &str) -> Result<u64, Error> {
    let mut bits = 0;
    for item in list.split(',').filter(|item| !item.is_empty()) {
        let digits: String = item.chars().take_while(char::is_ascii_digit).collect();
        let named = ORDINALS.iter().position(|name| *name == item).map(|index| index as u32 + 1);
        match named.or_else(|| digits.parse().ok()) {
            Some(which @ 1..=5) => bits |= 1 << which,
            _ => return fail(format!("`{item}` in `{text}` is none of the first five weeks of a month")),
        }
    }
    Ok(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, zone: &str, after: &str) -> String {
        let after = DateTime::parse_from_rfc3339(after).expect("a time of the test").timestamp_millis();
        match Timetable::parse(schedule, zone) {
            Err(error) => error.to_string(),
            Ok(timetable) => match timetable.next_after(Time(after), Time(after)) {
                Some(next) => next.utc().format("%Y-%m-%d %H:%M").to_string(),
                None => "never".to_owned(),
            },
        }
    }

    #[test]
    fn the_next_time_is_what_cloud_scheduler_says() {
        let now = "2026-11-21T10:07:30Z"; // A Saturday.
        for (schedule, zone, wanted) in [
            ("* * * * *", "UTC", "2026-11-21 10:08"),
            ("*/15 * * * *", "UTC", "2026-11-21 10:15"),
            ("5/20 * * * *", "UTC", "2026-11-21 10:25"),
            ("0 9 * * 1-5", "UTC", "2026-11-23 09:00"),
            ("0 9 * * MON,wed", "UTC", "2026-11-23 09:00"),
            ("0 9 * * 7", "UTC", "2026-11-22 09:00"),
            ("0 0 1 * *", "UTC", "2026-12-01 00:00"),
            ("0 0 1 jan *", "UTC", "2027-01-01 00:00"),
            // Where both fields of days are restricted, either is enough.
            ("0 0 1 * 1", "UTC", "2026-11-23 00:00"),
            ("0 0 29 2 *", "UTC", "2028-02-29 00:00"),
            ("0 0 31 2 *", "UTC", "never"),
            ("0 9 * * *", "America/New_York", "2026-11-21 14:00"),
            ("0 9 * * *", "europe/berlin", "2026-11-22 08:00"),
            ("every 5 minutes", "UTC", "2026-11-21 10:12"),
            ("every 5 mins", "UTC", "2026-11-21 10:12"),
            ("every 2 hours", "UTC", "2026-11-21 12:07"),
            ("every 1 hours", "UTC", "2026-11-21 11:07"),
            ("every 5 minutes synchronized", "UTC", "2026-11-21 10:10"),
            ("every 30 minutes from 09:00 to 10:00", "UTC", "2026-11-22 09:00"),
            ("every 1 hours from 22:30 to 01:30", "UTC", "2026-11-21 22:30"),
            ("every day 09:00", "UTC", "2026-11-22 09:00"),
            ("every day 11:30", "UTC", "2026-11-21 11:30"),
            ("every monday 09:00", "UTC", "2026-11-23 09:00"),
            ("every mon,thursday 09:00", "UTC", "2026-11-23 09:00"),
            ("every weekday 09:00", "UTC", "2026-11-23 09:00"),
            ("2nd,third mon,wed of march 17:00", "UTC", "2027-03-08 17:00"),
            ("1st monday of month 10:00", "UTC", "2026-12-07 10:00"),
            ("every monday of jan,feb 10:00", "UTC", "2027-01-04 10:00"),
            ("1,15 of month 00:00", "UTC", "2026-12-01 00:00"),
            ("1 of jan,april,july,oct 00:00", "UTC", "2027-01-01 00:00"),
        ] {
            assert_eq!(next(schedule, zone, now), wanted, "{schedule} {zone}");
        }
    }

    #[test]
    fn clocks_that_are_changed_leave_times_out_and_never_double_them() {
        // In Berlin the hour from 2 to 3 is left out on 2026-03-29 and comes twice on 2026-10-25.
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-29T00:00:00Z"), "2026-03-30 00:30");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z"), "2026-10-25 00:30");
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z"), "2026-10-26 01:30");
    }

    #[test]
    fn a_wrong_schedule_says_what_is_wrong() {
        let now = "2026-11-21T10:07:30Z";
        for (schedule, zone, wanted) in [
            ("61 * * * *", "UTC", "`61` is no minute: 0 to 59"),
            ("0 0 * * 8", "UTC", "`8` is no day of the week: 0 to 7"),
            ("0 5-3 * * *", "UTC", "`5-3`: the range runs backwards"),
            ("*/0 * * * *", "UTC", "`*/0`: after `/` stands a number above 0"),
            ("* * * *", "UTC", "`* * * *` is no schedule; one is `every 5 minutes`, `every monday 09:00` or `*/5 * * * *`"),
            ("every 0 minutes", "UTC", "`0` in `every 0 minutes` must be a whole number above 0"),
            ("every day 25:00", "UTC", "`25:00` in `every day 25:00` is no time of day; one is `09:00`"),
            ("every moonday 09:00", "UTC", "`moonday` in `every moonday 09:00` is no day of the week"),
            ("6th monday of month 09:00", "UTC", "`6th` in `6th monday of month 09:00` is none of the first five weeks of a month"),
            ("* * * * *", "Mars/Base", "`Mars/Base` is no time zone; one is `Europe/Berlin`"),
        ] {
            assert_eq!(next(schedule, zone, now), wanted);
        }
    }

    #[test]
    fn an_interval_stays_on_its_grid() {
        let timetable = Timetable::parse("every 5 minutes", "UTC").expect("a schedule");
        for (after, wanted) in [(0, 300_000), (299_999, 300_000), (300_000, 600_000), (1_000_000, 1_200_000)] {
            assert_eq!(timetable.next_after(Time(after), Time(0)), Some(Time(wanted)));
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z0-9*/,: -]{0,40}", zone in "(UTC|Europe/Berlin|x)") {
            if let Ok(timetable) = Timetable::parse(&text, &zone) {
                let next = timetable.next_after(Time(1_800_000_000_000), Time(1_800_000_000_000));
                proptest::prop_assert!(next.is_none_or(|next| next > Time(1_800_000_000_000)));
            }
        }
    }
}
