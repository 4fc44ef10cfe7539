//! `emu clock`: the World's time, shown and moved.

use std::process::ExitCode;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};

use super::{JournalArgs, output, records, remote, start};
use crate::app::{Holder, Offline, StateFolder};
use crate::base::Time;
use crate::gateway::admin::ClockChange;

#[derive(Subcommand, Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Show the time, and how it stands to the machine's
    #[command(after_help = "Examples:
  emu clock show
  emu clock show --json")]
    Show,
    /// Set the time: `2026-12-24T18:00:00Z`, `2026-12-24 18:00`, `2026-12-24` (UTC), or `now` for the machine's
    ///
    /// To a later time the clock goes as `advance` does; to an earlier one it jumps.
    #[command(after_help = "Examples:
  emu clock set '2026-12-24 18:00'
  emu clock set now")]
    Set {
        /// The time
        #[arg(value_parser = time)]
        time: Wanted,
    },
    /// Move the time forward: `90s`, `25h`, `1d12h`; backward with `-5m`
    ///
    /// It goes through every time at which something is due, in order, and waits there until that is done: runs of
    /// schedules, expiries, hidden and delayed messages, retries, timers of functions.
    #[command(after_help = "Examples:
  emu clock advance 25h
  emu clock advance 1d12h
  emu clock advance -5m")]
    Advance {
        /// How far, in ms, s, m, h, d, w
        #[arg(value_parser = milliseconds, allow_hyphen_values = true)]
        time: i64,
    },
    /// Stop the clock: nothing that waits for a time happens until it is moved or runs again
    #[command(after_help = "Examples:
  emu clock freeze")]
    Freeze,
    /// Let a frozen clock run on from the time it shows
    #[command(after_help = "Examples:
  emu clock resume")]
    Resume,
}

/// A time to set; `None` is the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(Option<Time>);

pub fn run(command: &Command, args: &JournalArgs, as_json: bool) -> anyhow::Result<ExitCode> {
    let Some(folder) = records::folder(args) else { return Ok(ExitCode::FAILURE) };
    let clock = start::runtime(start::Lines::Err)?.block_on(async {
        match StateFolder::holder(&folder) {
            Some(Holder { admin: Some(admin), .. }) => {
                let (method, path, body) = request(command);
                remote::ask(&admin, method, path, &body).await.map(Ok)
            }
            _ => match Offline::open(&start::load(&args.project), args.state.as_deref()).await {
                Ok(state) => state.clock(change(command)).await.map(Ok),
                Err(error) => start::not_started(error).map(Err),
            },
        }
    })?;
    let clock = match clock {
        Ok(clock) => clock,
        Err(code) => return Ok(code),
    };
    output::print(&if as_json { format!("{clock}\n") } else { shown(&clock) });
    Ok(ExitCode::SUCCESS)
}

fn change(command: &Command) -> Option<ClockChange> {
    match command {
        Command::Show => None,
        Command::Set { time } => Some(ClockChange::Set { time: time.0 }),
        Command::Advance { time } => Some(ClockChange::Advance { ms: *time }),
        Command::Freeze => Some(ClockChange::Freeze),
        Command::Resume => Some(ClockChange::Resume),
    }
}

fn request(command: &Command) -> (Method, &'static str, Value) {
    match command {
        Command::Show => (Method::GET, "clock", Value::Null),
        Command::Set { time: Wanted(None) } => (Method::POST, "clock/set", json!({ "time": "now" })),
        Command::Set { time: Wanted(Some(time)) } => (Method::POST, "clock/set", json!({ "time": time.iso() })),
        Command::Advance { time } => (Method::POST, "clock/advance", json!({ "ms": time })),
        Command::Freeze => (Method::POST, "clock/freeze", Value::Null),
        Command::Resume => (Method::POST, "clock/resume", Value::Null),
    }
}

fn shown(clock: &Value) -> String {
    let time = clock["time"].as_str().unwrap_or_default();
    let stands = match clock["aheadMs"].as_i64() {
        None => "stands still".to_owned(),
        Some(0) => "the machine's time".to_owned(),
        Some(ms) => format!("{} {} the machine's", length(ms.unsigned_abs()), if ms > 0 { "ahead of" } else { "behind" }),
    };
    format!("{time}  {stands}\n")
}

/// `1d12h`: everything but zeros.
fn length(ms: u64) -> String {
    let mut left = ms;
    let parts = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)].map(|(unit, size)| {
        let amount = left / size;
        left %= size;
        if amount > 0 { format!("{amount}{unit}") } else { String::new() }
    });
    parts.concat()
}

/// `25h`, `1d12h`, `-90s` in milliseconds.
fn milliseconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no length of time; write 500ms, 90s, 10m, 25h, 2d, 1w or several of them, as 1d12h");
    let (sign, mut rest) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let mut sum: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (amount, after) = rest.split_at(digits);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit_ms: i64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(wrong()),
        };
        let amount: i64 = amount.parse().map_err(|_| wrong())?;
        sum = amount.checked_mul(unit_ms).and_then(|ms| sum.checked_add(ms)).ok_or_else(wrong)?;
        rest = after;
    }
    if text.trim_start_matches('-').is_empty() { Err(wrong()) } else { Ok(sign * sum) }
}

fn time(text: &str) -> Result<Wanted, String> {
    if text == "now" {
        return Ok(Wanted(None));
    }
    let zoned = chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
    let plain = || {
        let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];
        let time = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
        let day = || NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(|day| day.and_time(NaiveTime::MIN));
        time.or_else(day).map(|time| time.and_utc().timestamp_millis())
    };
    let ms = zoned.or_else(plain);
    ms.map(|ms| Wanted(Some(Time(ms))))
        .ok_or_else(|| format!("`{text}` is no time; write 2026-12-24T18:00:00Z, 2026-12-24 18:00, 2026-12-24 or now"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_shown() {
        for (text, wanted) in
            [("25h", 90_000_000), ("1d12h", 129_600_000), ("-90s", -90_000), ("500ms", 500), ("1w", 604_800_000), ("2min", 120_000)]
        {
            assert_eq!(milliseconds(text), Ok(wanted), "{text}");
        }
        for text in ["", "-", "25", "h", "1y", "9999999999999d", "1h-2m", "1.5h"] {
            assert!(milliseconds(text).expect_err(text).contains("write 500ms"), "{text}");
        }
        assert_eq!(length(129_600_001), "1d12h1ms");
    }

    #[test]
    fn times_are_read_as_utc_unless_they_say_otherwise() {
        let at = |iso: &str| Ok(Wanted(Some(Time(chrono::DateTime::parse_from_rfc3339(iso).expect("a time").timestamp_millis()))));
        assert_eq!(time("2026-12-24"), at("2026-12-24T00:00:00Z"));
        assert_eq!(time("2026-12-24 18:00"), at("2026-12-24T18:00:00Z"));
        assert_eq!(time("2026-12-24T18:00:00+02:00"), at("2026-12-24T16:00:00Z"));
        assert_eq!(time("now"), Ok(Wanted(None)));
        assert!(time("tomorrow").is_err());
    }

    #[test]
    fn a_clock_is_told_in_a_line() {
        let line = |ahead: Value| shown(&json!({ "time": "T", "aheadMs": ahead }));
        assert_eq!(line(json!(0)), "T  the machine's time\n");
        assert_eq!(line(json!(-1_000)), "T  1s behind the machine's\n");
        assert_eq!(line(Value::Null), "T  stands still\n");
    }
}
