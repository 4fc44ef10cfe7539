//! What came of a run, and how it is told: to people, to CI systems, and to whoever looks at it later.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::github::{Annotation, Kind};
use super::junit::{Case, Outcome, Suite};
use super::place::Place;
use super::seen::{Dead, Failure, Seen, Told};
use super::verdict::{Condition, Verdict};
use crate::cli::budget::{Judged, Tried};
use crate::cost::{Book, Terms, price};
use crate::telemetry::{Level, duration};

/// What came of a run.
pub struct Report {
    /// The command, as it was given.
    pub command: String,
    pub began: DateTime<Utc>,
    /// How long the command took.
    pub took: Duration,
    pub seen: Seen,
    /// What was found of the budgets, where there are any.
    pub judged: Option<Judged>,
    /// What was to make the run fail.
    pub asked: Vec<Condition>,
    pub verdict: Verdict,
    /// Deliveries that wait for a later time.
    pub waiting: u64,
    /// Whose prices hold.
    pub book: Book,
    /// The folder that files are relative to.
    pub root: PathBuf,
    /// Where the state, the journal and the traces were left.
    pub bundle: Option<PathBuf>,
    /// Where the log lines are.
    pub log: Option<PathBuf>,
}

impl Report {
    /// What all of it cost, by the list: `$0.0012–0.0034 on AWS x86`. `None` where nothing is billed.
    pub fn cost(&self) -> Option<String> {
        let total = price(&self.seen.work, &self.book, Terms::List).total();
        (!self.seen.work.is_empty()).then(|| format!("{total} on {}, list prices", self.book.name))
    }

    /// For JUnit: the command, the problems, what was to make the run fail, and the budgets.
    pub fn suites(&self) -> Vec<Suite> {
        let mut suites = vec![self.command_suite(), problems_suite(&self.seen)];
        if !self.asked.is_empty() {
            suites.push(self.conditions_suite());
        }
        if let Some(judged) = &self.judged {
            suites.push(budgets_suite(judged));
        }
        suites
    }

    fn command_suite(&self) -> Suite {
        let own = self.verdict.reasons.first().filter(|reason| reason.starts_with("the command"));
        let outcome = match own {
            Some(why) => failed("command", why, why.clone()),
            None => Outcome::Passed,
        };
        let case = Case { seconds: self.took.as_secs_f64(), ..Case::new(self.command.clone(), outcome) };
        Suite { name: "emu.command".into(), cases: vec![case], out: String::new() }
    }

    fn conditions_suite(&self) -> Suite {
        let case = |condition: &Condition| {
            let outcome = match condition.met(&self.seen) {
                Some(met) => failed(condition.name(), &met, self.details(*condition)),
                None => Outcome::Passed,
            };
            Case::new(condition.name(), outcome)
        };
        Suite { name: "emu.fail-on".into(), cases: self.asked.iter().map(case).collect(), out: String::new() }
    }

    /// What of a condition happened, a line each.
    fn details(&self, condition: Condition) -> String {
        let lines: Vec<String> = match condition {
            Condition::DeadLetter => self.seen.dead.iter().map(dead_line).collect(),
            Condition::Error => {
                let problems = self.seen.problems_of(Level::Error).map(|told| told.message.clone());
                self.seen.errors.iter().map(error_line).chain(problems).collect()
            }
            Condition::DeniedHost => self.seen.hosts.iter().map(|denied| denied.line()).collect(),
        };
        lines.join("\n")
    }

    /// For GitHub: problems at their places, what failed, and what costs too much.
    pub fn annotations(&self) -> Vec<Annotation> {
        let mut all: Vec<Annotation> = self.seen.problems.iter().map(annotation).collect();
        let grave = |condition| if self.asked.contains(&condition) { Kind::Error } else { Kind::Warning };
        all.extend(self.seen.dead.iter().map(|dead| Annotation {
            kind: grave(Condition::DeadLetter),
            title: "dead letter".into(),
            text: dead_line(dead),
            place: None,
        }));
        all.extend(self.seen.errors.iter().map(|failure| Annotation {
            kind: grave(Condition::Error),
            title: format!("function {} failed", failure.function),
            text: error_line(failure),
            place: failure.place.clone(),
        }));
        if self.asked.contains(&Condition::DeniedHost) {
            all.extend(self.seen.hosts.iter().map(|denied| Annotation {
                kind: Kind::Error,
                title: "host not allowed".into(),
                text: denied.line(),
                place: None,
            }));
        }
        if let Some(judged) = &self.judged {
            all.extend(judged.exceeded.iter().map(|text| Annotation {
                kind: Kind::Error,
                title: "over budget".into(),
                text: text.clone(),
                place: judged_place(text),
            }));
            all.extend(judged.warnings.iter().map(|text| Annotation {
                kind: Kind::Warning,
                title: "budget".into(),
                text: text.clone(),
                place: None,
            }));
        }
        all
    }

    /// The summary as one JSON object.
    pub fn json(&self) -> Value {
        let seen = &self.seen;
        let total = price(&seen.work, &self.book, Terms::List).total();
        let slowest = seen.slowest(5).into_iter().map(|(function, ran)| {
            json!({ "function": function, "wallMicros": ran.slowest_micros, "trigger": ran.slowest_trigger, "invocations": ran.times })
        });
        json!({
            "type": "summary",
            "exitCode": self.verdict.code,
            "failed": self.verdict.reasons,
            "command": { "line": self.command, "ended": self.verdict.command, "seconds": self.took.as_secs_f64() },
            "invocations": seen.invocations,
            "errors": seen.failed,
            "refused": seen.refused,
            "retries": seen.retries,
            "deadLetters": seen.dead_letters,
            "deniedHosts": seen.hosts.iter().map(|denied| &*denied.host).collect::<Vec<_>>(),
            "waiting": self.waiting,
            "problems": seen.problems.len() as u64 + seen.problems_more,
            "slowest": slowest.collect::<Vec<_>>(),
            "cost": { "provider": self.book.provider.label(), "low": total.low, "high": total.high },
            "recordsMissed": seen.missed,
            "bundle": self.bundle,
            "log": self.log,
        })
    }
}

fn failed(kind: &'static str, message: &str, text: String) -> Outcome {
    Outcome::Failed { message: message.to_owned(), kind, text }
}

/// The problems alone: for a project that could not even be started, too.
pub fn problems_suite(seen: &Seen) -> Suite {
    let mut cases: Vec<Case> = seen
        .problems_of(Level::Error)
        .map(|told| {
            let name = told.place.as_ref().map_or_else(|| told.message.clone(), |place| format!("{}: {}", place.short(), told.message));
            Case::new(name, failed("problem", &told.message, in_full(told)))
        })
        .collect();
    if cases.is_empty() {
        cases.push(Case::new("no problems", Outcome::Passed));
    }
    let out = seen.problems_of(Level::Warn).map(|told| format!("warning: {}\n", in_full(told))).collect();
    Suite { name: "emu.problems".into(), cases, out }
}

fn in_full(told: &Told) -> String {
    // The lines around the place say what and where already.
    if let Some(frame) = &told.frame {
        return frame.trim_end().to_owned();
    }
    let place = told.place.as_ref().map(|place| format!("\n  at {}", place.short())).unwrap_or_default();
    let help = told.help.as_ref().map(|help| format!("\n  {help}")).unwrap_or_default();
    format!("{}{place}{help}", told.message)
}

fn budgets_suite(judged: &Judged) -> Suite {
    let case = |tried: &Tried| match tried {
        Tried::Kept(name) => Case::new(name.clone(), Outcome::Passed),
        Tried::Idle(name) => Case::new(name.clone(), Outcome::Skipped),
        Tried::Over { name, text } => Case::new(name.clone(), failed("budget", text.lines().next().unwrap_or(text), text.clone())),
    };
    let out = judged.warnings.iter().map(|text| format!("warning: {text}\n")).collect();
    Suite { name: "emu.budgets".into(), cases: judged.tried.iter().map(case).collect(), out }
}

/// A problem at its place.
pub fn annotation(told: &Told) -> Annotation {
    let kind = if told.level == Level::Error { Kind::Error } else { Kind::Warning };
    let help = told.help.as_ref().map(|help| format!("\n{help}")).unwrap_or_default();
    Annotation { kind, title: "emu".into(), text: format!("{}{help}", told.message), place: told.place.clone() }
}

/// The place that a complaint of a budget names at its end.
fn judged_place(text: &str) -> Option<Place> {
    Place::read(text.rsplit_once(" at ")?.1.lines().next()?)
}

/// `createOrder failed 2 times: TypeError: x (src/a.ts:3)`.
pub fn error_line(failure: &Failure) -> String {
    let place = failure.place.as_ref().map(|place| format!(" ({})", place.short())).unwrap_or_default();
    format!("{} failed{}: {}{place}", failure.function, times(failure.times), failure.message)
}

/// `queues/orders → pay was given up 2 times: Error: x; it is in queue/lost`.
pub fn dead_line(dead: &Dead) -> String {
    let why = if dead.why.is_empty() { String::new() } else { format!(": {}", dead.why) };
    let place = if dead.letter == dead.target { String::new() } else { format!(" ({})", dead.letter) };
    format!("{} → {} was given up{}{why}{place}", dead.source, dead.target, times(dead.times))
}

/// `cannot find module x (src/a.ts:3)`.
pub fn problem_line(told: &Told) -> String {
    let place = told.place.as_ref().map(|place| format!(" ({})", place.short())).unwrap_or_default();
    format!("{}{place}", told.message)
}

fn times(times: u64) -> String {
    if times == 1 { String::new() } else { format!(" {times} times") }
}

impl super::seen::Denied {
    /// `api.example.com, asked for by function pay 2 times`.
    pub fn line(&self) -> String {
        let who = self.function.as_deref().map(|function| format!(", asked for by function {function}")).unwrap_or_default();
        format!("{}{who}{}", self.host, times(self.times))
    }
}

/// `resize 1.23 s (POST /images)`.
pub fn slow(function: &str, ran: &super::seen::Ran) -> String {
    let trigger = if ran.slowest_trigger.is_empty() { String::new() } else { format!(" ({})", ran.slowest_trigger) };
    format!("{function} {}{trigger}", duration(ran.slowest_micros))
}

/// A command as it would be typed.
pub fn typed(command: &[String]) -> String {
    let plain = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:,@%+".contains(&b));
    let words = command.iter().map(|word| if plain(word) { word.clone() } else { format!("'{}'", word.replace('\'', "'\\''")) });
    words.collect::<Vec<_>>().join(" ")
}

/// Where the repository is: as GitHub says, else the working folder.
pub fn repository() -> PathBuf {
    let workspace = std::env::var_os("GITHUB_WORKSPACE").filter(|value| !value.is_empty()).map(PathBuf::from);
    workspace.or_else(|| std::env::current_dir().ok()).unwrap_or_else(|| Path::new(".").to_owned())
}

#[cfg(test)]
pub mod tests {
    use super::super::seen::tests::shop;
    use super::*;
    use crate::cost::Provider;

    /// A run of the sample's shop that failed in every way.
    pub fn report() -> Report {
        let judged = Judged {
            exceeded: vec!["GET /feed: $0.0000063 a call is more than its budget\n  $1: Query of `posts` at functions/feed.ts:14".into()],
            warnings: vec!["the budget of `GET /x` was not tried".into()],
            tried: vec![
                Tried::Kept("POST /orders".into()),
                Tried::Idle("GET /x".into()),
                Tried::Over { name: "GET /feed".into(), text: "GET /feed: $0.0000063 a call is more than its budget\n  more".into() },
            ],
        };
        let verdict =
            Verdict { code: 122, reasons: vec!["2 dead letters".into(), "1 budget exceeded".into()], command: "exit code 0".into() };
        Report {
            command: typed(&["npm".into(), "run".into(), "a b".into()]),
            began: DateTime::from_timestamp(1_780_000_000, 0).expect("a time"),
            took: Duration::from_millis(3_210),
            seen: shop(),
            judged: Some(judged),
            asked: vec![Condition::DeadLetter, Condition::Error],
            verdict,
            waiting: 2,
            book: Book::of(Provider::Aws),
            root: "/repo/shop".into(),
            bundle: Some("post-mortem".into()),
            log: Some("emu.log".into()),
        }
    }

    fn outcomes(suites: &[Suite], name: &str) -> Vec<(String, &'static str)> {
        let suite = suites.iter().find(|suite| suite.name == name).unwrap_or_else(|| panic!("no suite {name}"));
        let word = |case: &Case| match &case.outcome {
            Outcome::Passed => "passed",
            Outcome::Skipped => "skipped",
            Outcome::Failed { .. } => "failed",
        };
        suite.cases.iter().map(|case| (case.name.clone(), word(case))).collect()
    }

    #[test]
    fn suites_tell_of_the_command_the_problems_the_conditions_and_the_budgets() {
        let suites = report().suites();
        assert_eq!(outcomes(&suites, "emu.command"), [("npm run 'a b'".to_owned(), "passed")]);
        assert_eq!(outcomes(&suites, "emu.problems"), [("src/functions/feed.ts:1: cannot find module `zod`".to_owned(), "failed")]);
        assert_eq!(outcomes(&suites, "emu.fail-on"), [("dead-letter".to_owned(), "failed"), ("error".to_owned(), "failed")]);
        let budgets = [("POST /orders", "passed"), ("GET /x", "skipped"), ("GET /feed", "failed")];
        assert_eq!(outcomes(&suites, "emu.budgets"), budgets.map(|(name, word)| (name.to_owned(), word)));
        let Outcome::Failed { text, .. } = &suites[2].cases[0].outcome else { panic!("it failed") };
        assert_eq!(text, "queues/orders → pay was given up 2 times: Error: no <money> & \"more\" (queue/lost)");
        let well = Report { seen: Seen::default(), judged: None, asked: Vec::new(), ..report() };
        let names: Vec<String> = well.suites().into_iter().map(|suite| suite.name).collect();
        assert_eq!(names, ["emu.command", "emu.problems"]);
        assert_eq!(outcomes(&well.suites(), "emu.problems"), [("no problems".to_owned(), "passed")]);
    }

    #[test]
    fn annotations_have_places_and_are_errors_where_they_make_the_run_fail() {
        let all = report().annotations();
        let find = |title: &str| all.iter().find(|annotation| annotation.title == title).unwrap_or_else(|| panic!("{title}: {all:?}"));
        assert_eq!(find("emu").place.as_ref().map(Place::short).as_deref(), Some("src/functions/feed.ts:1"));
        assert_eq!(find("dead letter").kind, Kind::Error);
        assert_eq!(find("over budget").place.as_ref().map(Place::short).as_deref(), Some("functions/feed.ts:14"));
        let failure = all.iter().find(|annotation| annotation.title.starts_with("function ")).expect("one failed");
        assert_eq!((failure.kind, failure.place.is_some()), (Kind::Error, true));
        let lenient = Report { asked: Vec::new(), ..report() }.annotations();
        assert!(lenient.iter().filter(|annotation| annotation.title == "dead letter").all(|annotation| annotation.kind == Kind::Warning));
    }

    #[test]
    fn json_has_the_counts_and_the_cost() {
        let json = report().json();
        assert_eq!((&json["exitCode"], &json["deadLetters"], &json["deniedHosts"]), (&json!(122), &json!(2), &json!(["api.example.com"])));
        assert!(json["cost"]["high"].is_string() && json["slowest"][0]["wallMicros"].as_u64() > Some(0), "{json}");
    }
}
