//! With which code `emu exec` ends, and why.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use clap::ValueEnum;

use super::seen::Seen;
use crate::cli::child::Ended;
use crate::telemetry::Level;

/// The command succeeded, but a function asked for a host that is not allowed.
const EXIT_DENIED_HOST: u8 = 120;
/// The command succeeded, but a function failed.
const EXIT_ERROR: u8 = 121;
/// The command succeeded, but an event was given up.
const EXIT_DEAD_LETTER: u8 = 122;
/// The command succeeded, but something cost more than it may.
const EXIT_OVER_BUDGET: u8 = 123;
/// The command took longer than `--timeout`; as `timeout(1)` answers.
const EXIT_TIMED_OUT: u8 = 124;
/// The command was not found; as shells answer.
const EXIT_NOT_FOUND: u8 = 127;

/// What makes a run fail although its command succeeded.
#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// An event or message was given up after its last attempt (exit code 122)
    DeadLetter,
    /// A function failed, or something is wrong with the project (exit code 121)
    Error,
    /// A function asked for a host that is not allowed (exit code 120)
    DeniedHost,
}

impl Condition {
    /// In the order in which they decide the exit code.
    pub const ALL: [Condition; 3] = [Condition::DeadLetter, Condition::Error, Condition::DeniedHost];

    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Condition::DeadLetter => "dead-letter",
            Condition::Error => "error",
            Condition::DeniedHost => "denied-host",
        }
    }

    fn code(self) -> u8 {
        match self {
            Condition::DeadLetter => EXIT_DEAD_LETTER,
            Condition::Error => EXIT_ERROR,
            Condition::DeniedHost => EXIT_DENIED_HOST,
        }
    }

    /// What of it happened, in words; `None` where nothing did.
    pub fn met(self, seen: &Seen) -> Option<String> {
        let problems = seen.problems_of(Level::Error).count() as u64;
        match self {
            Condition::DeadLetter => some(seen.dead_letters, "dead letter"),
            Condition::Error => {
                let both = [some(seen.failed, "failed invocation"), some(problems, "problem")];
                let both: Vec<String> = both.into_iter().flatten().collect();
                (!both.is_empty()).then(|| both.join(" and "))
            }
            Condition::DeniedHost => some(seen.denied, "request to a host that is not allowed"),
        }
    }
}

/// `2 dead letters`; `None` of none.
fn some(count: u64, one: &str) -> Option<String> {
    (count > 0).then(|| counted(count, one))
}

/// `1 error`, `2 errors`.
pub fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        // What stands before `to` is what there is more of.
        _ => match one.split_once(" to ") {
            Some((what, rest)) => format!("{count} {what}s to {rest}"),
            None => format!("{count} {one}s"),
        },
    }
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub code: u8,
    /// Why it failed, the reason for the code first; empty where it did not.
    pub reasons: Vec<String>,
    /// How the command ended, in words.
    pub command: String,
}

/// What the command itself answers, if it did not succeed: the code, and how to say it.
fn of_command(ended: &Ended, timeout: Option<Duration>) -> (u8, String) {
    let status = |status: &ExitStatus| match (status.code(), status.signal()) {
        (Some(code), _) => (code.clamp(0, 255) as u8, format!("exit code {code}")),
        (None, Some(signal)) => ((128 + signal).clamp(0, 255) as u8, format!("ended by signal {signal}")),
        (None, None) => (1, "ended".to_owned()),
    };
    match ended {
        Ended::Exited(ended) => status(ended),
        Ended::Stopped(ended) => {
            let (code, text) = status(ended);
            (code, format!("was broken off, {text}"))
        }
        Ended::NotFound(why) => (EXIT_NOT_FOUND, why.clone()),
        Ended::TimedOut => {
            let seconds = timeout.unwrap_or_default().as_secs_f64();
            (EXIT_TIMED_OUT, format!("took longer than {seconds} s and was ended"))
        }
    }
}

/// Judges a run: how its command ended, what of the conditions that were asked for happened, whether the budgets were kept.
pub fn judge(ended: &Ended, timeout: Option<Duration>, asked: &[Condition], seen: &Seen, over_budget: u64) -> Verdict {
    let (own, command) = of_command(ended, timeout);
    let mut codes = Vec::new();
    let mut reasons = Vec::new();
    if own != 0 {
        codes.push(own);
        reasons
            .push(format!("the command {}", if command.starts_with("exit") { format!("ended with {command}") } else { command.clone() }));
    }
    for condition in Condition::ALL.into_iter().filter(|condition| asked.contains(condition)) {
        if let Some(met) = condition.met(seen) {
            codes.push(condition.code());
            reasons.push(met);
        }
    }
    if over_budget > 0 {
        codes.push(EXIT_OVER_BUDGET);
        reasons.push(format!("{} exceeded", counted(over_budget, "budget")));
    }
    Verdict { code: codes.first().copied().unwrap_or(0), reasons, command }
}

#[cfg(test)]
mod tests {
    use super::super::seen::tests::shop;
    use super::*;

    fn exited(raw: i32) -> Ended {
        Ended::Exited(ExitStatus::from_raw(raw))
    }

    #[test]
    fn the_commands_own_code_comes_first_then_the_conditions_then_the_budgets() {
        use Condition::*;
        /// How the command ended, what is asked for, what happened, budgets exceeded → the exit code, how many reasons.
        type Row<'a> = (Ended, &'a [Condition], &'a Seen, u64, u8, usize);
        let (good, bad) = (Seen::default(), shop());
        let rows: [Row<'_>; 12] = [
            (exited(0), &[], &good, 0, 0, 0),
            (exited(0), &[], &bad, 0, 0, 0),
            (exited(0), &[DeadLetter, Error, DeniedHost], &good, 0, 0, 0),
            (exited(7 << 8), &[DeadLetter], &bad, 1, 7, 3),
            (exited(9), &[], &good, 0, 128 + 9, 1),
            (exited(0), &[DeniedHost], &bad, 0, 120, 1),
            (exited(0), &[Error], &bad, 0, 121, 1),
            (exited(0), &[Error, DeniedHost, DeadLetter], &bad, 0, 122, 3),
            (exited(0), &[Error], &good, 2, 123, 1),
            (exited(0), &[DeniedHost], &bad, 2, 120, 2),
            (Ended::TimedOut, &[Error], &bad, 1, 124, 3),
            (Ended::NotFound("`x` cannot be run".into()), &[], &good, 0, 127, 1),
        ];
        for (ended, asked, seen, over, code, reasons) in rows {
            let verdict = judge(&ended, Some(Duration::from_millis(1_500)), asked, seen, over);
            assert_eq!((verdict.code, verdict.reasons.len()), (code, reasons), "{ended:?} {asked:?} {over}: {verdict:?}");
        }
    }

    #[test]
    fn reasons_are_sentences() {
        let seen = shop();
        let verdict = judge(&Ended::TimedOut, Some(Duration::from_millis(1_500)), &Condition::ALL, &seen, 1);
        assert_eq!(verdict.reasons[0], "the command took longer than 1.5 s and was ended");
        assert_eq!(verdict.reasons[1], "2 dead letters");
        assert_eq!(verdict.reasons[3], "1 request to a host that is not allowed");
        assert_eq!(verdict.reasons[4], "1 budget exceeded");
        assert_eq!(judge(&exited(256), None, &[], &seen, 0).reasons, ["the command ended with exit code 1"]);
        assert_eq!(counted(2, "request to a host"), "2 requests to a host");
    }
}
