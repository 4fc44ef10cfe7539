//! `emu exec` with budgets: what one call of each route and function cost, and whether that is too much.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::{Args, ValueHint};
use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::calls::{Calls, Done, Happened};
use super::output;
use super::places::Places;
use crate::app::App;
use crate::base::Unit;
use crate::cost::budget::{BASELINE_BYTES_MAX, Baseline, Budget, PerCall, Verdict};
use crate::cost::{Assumptions, Book, Provider, Range, Terms, Work, price};
use crate::project::Project;
use crate::telemetry::Subscriber;

/// How long events may take to be delivered once the command has ended.
const DELIVERED_WITHIN: Duration = Duration::from_secs(60);
/// Operations that are named where something costs too much.
const NAMED_MAX: usize = 3;
/// Names that one warning lists.
const LISTED_MAX: usize = 10;

/// What may be spent.
#[derive(Args, Debug)]
pub struct BudgetArgs {
    /// Dollars that one call of a route or function may cost: `POST /orders<=0.00004`; may be repeated, and goes before the
    /// project file's
    #[arg(long, value_name = "WHAT<=DOLLARS")]
    pub budget: Vec<Budget>,
    /// A file of `--budget-write`: what costs more than it did then is told, with the operations that grew
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub budget_baseline: Option<PathBuf>,
    /// Write down what one call of each route and function does, if the command succeeds
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub budget_write: Option<PathBuf>,
    /// By how much something may cost more than in the baseline
    #[arg(long, value_name = "PERCENT", default_value = "10%", value_parser = permille)]
    pub budget_tolerance: u64,
    /// Whose prices hold: aws, aws-arm, firebase, gcp, cloudflare, azure
    #[arg(long, value_name = "NAME", default_value = "aws")]
    pub budget_provider: Provider,
}

/// What is watched for, and what has happened so far.
pub struct Watch {
    rules: Rules,
    end: CancellationToken,
    seen: tokio::task::JoinHandle<(Happened, u64)>,
}

/// What may be spent, by whose prices.
struct Rules {
    budgets: Vec<Budget>,
    baseline: Option<Baseline>,
    tolerance_permille: u64,
    book: Book,
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Judged {
    /// What costs too much, each with what it did.
    pub exceeded: Vec<String>,
    pub warnings: Vec<String>,
    /// Each budget, and each line of the baseline.
    pub tried: Vec<Tried>,
}

/// A budget that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    Kept(String),
    /// Nothing of that name ran.
    Idle(String),
    Over {
        name: String,
        /// As [`Judged::exceeded`] tells it.
        text: String,
    },
}

impl Watch {
    /// Begins to watch what `app` does; `None` where nobody set a budget. Fails where the baseline cannot be read.
    pub fn start(app: &App, args: &BudgetArgs) -> anyhow::Result<Option<Watch>> {
        let budgets = budgets(args, &app.project())?;
        let baseline = args.budget_baseline.as_deref().map(read).transpose()?;
        if budgets.is_empty() && baseline.is_none() && args.budget_write.is_none() {
            return Ok(None);
        }
        let rules = Rules { budgets, baseline, tolerance_permille: args.budget_tolerance, book: Book::of(args.budget_provider) };
        let end = CancellationToken::new();
        let seen = tokio::spawn(see(app.subscribe(), end.clone()));
        Ok(Some(Watch { rules, end, seen }))
    }

    /// Waits until what the command set off has been delivered; a signal, or a minute, ends the wait, and that is said.
    pub async fn delivered(app: &App) -> anyhow::Result<()> {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            idle = app.idle() => idle?,
            _ = interrupt.recv() => output::warning("the wait for events was broken off; what they cost is not in the budgets"),
            _ = terminate.recv() => output::warning("the wait for events was broken off; what they cost is not in the budgets"),
            () = tokio::time::sleep(DELIVERED_WITHIN) => {
                let seconds = DELIVERED_WITHIN.as_secs();
                output::warning(&format!("events were still on their way {seconds} s after the command; what they cost is not in the budgets"));
            }
        }
        Ok(())
    }

    /// Judges what has happened, says what is too much, and writes a baseline where that was asked for and nothing is.
    pub async fn finish(self, places: &Places, args: &BudgetArgs, succeeded: bool) -> anyhow::Result<Judged> {
        self.end.cancel();
        let (happened, missed) = self.seen.await?;
        let lost = missed.saturating_add(happened.left_out);
        if lost > 0 {
            output::warning(&format!("{lost} records were missed: the command did more than was counted"));
        }
        let calls = happened.calls(&Assumptions::default());
        let judged = judge(&calls, &self.rules, &|done| places.of(done.function.as_deref()?, &done.action));
        judged.warnings.iter().for_each(|warning| output::warning(warning));
        judged.exceeded.iter().for_each(|text| output::complaint(text));
        if let Some(file) = &args.budget_write {
            let why = match () {
                () if !succeeded => Some("the command failed"),
                () if !judged.exceeded.is_empty() => Some("something costs more than it may; `--budget-write` alone accepts that"),
                () if lost > 0 => Some("records were missed"),
                () => None,
            };
            match why {
                Some(why) => output::warning(&format!("{} was not written: {why}", file.display())),
                None => std::fs::write(file, baseline(&calls).text()).with_context(|| format!("{} cannot be written", file.display()))?,
            }
        }
        Ok(judged)
    }
}

/// Keeps what happens until the end, with what has happened by then.
async fn see(mut records: Subscriber, end: CancellationToken) -> (Happened, u64) {
    let mut happened = Happened::default();
    while let Some(Some(record)) = end.run_until_cancelled(records.next()).await {
        happened.add(&record);
    }
    while let Some(Some(record)) = records.next().now_or_never() {
        happened.add(&record);
    }
    (happened, records.missed())
}

/// Those of the command line, then those of the project file that it does not name.
fn budgets(args: &BudgetArgs, project: &Project) -> anyhow::Result<Vec<Budget>> {
    let mut budgets = args.budget.clone();
    for written in &project.settings.budgets {
        if !args.budget.iter().any(|budget| budget.subject == written.subject) {
            budgets.push(Budget { subject: written.subject.clone(), most: written.dollars.parse()? });
        }
    }
    Ok(budgets)
}

fn read(file: &Path) -> anyhow::Result<Baseline> {
    use std::io::Read;
    let name = file.display().to_string();
    let open = match std::fs::File::open(file) {
        Ok(open) => open,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("there is no baseline {name} yet; `emu exec --budget-write {name} -- CMD` writes one")
        }
        Err(error) => return Err(error).with_context(|| format!("the baseline {name} cannot be read")),
    };
    let mut text = String::new();
    let cannot = || format!("the baseline {name} cannot be read");
    open.take(BASELINE_BYTES_MAX as u64 + 1).read_to_string(&mut text).with_context(cannot)?;
    Ok(Baseline::read(&text, &name)?)
}

/// `10%`, `2.5` in thousandths.
fn permille(text: &str) -> Result<u64, String> {
    let wrong = || "write percent, such as 10% or 2.5%".to_owned();
    let number = text.trim().trim_end_matches('%');
    let (whole, tenths) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole, 6) || !digits(tenths, 1) {
        return Err(wrong());
    }
    let (whole, tenths) = (whole.parse::<u64>().map_err(|_| wrong())?, tenths.parse::<u64>().map_err(|_| wrong())?);
    Ok(whole * 10 + tenths)
}

/// What one call of each did.
fn baseline(calls: &BTreeMap<String, Calls>) -> Baseline {
    Baseline::new(calls.iter().map(|(subject, calls)| (subject.clone(), PerCall::of(&calls.work, calls.times))).collect())
}

fn judge(calls: &BTreeMap<String, Calls>, rules: &Rules, place: &dyn Fn(&Done) -> Option<String>) -> Judged {
    let mut judged = Judged::default();
    for budget in &rules.budgets {
        let Some(calls) = calls.get(&budget.subject) else {
            judged.warnings.push(format!("the budget of `{}` was not tried: nothing of that name ran", budget.subject));
            judged.tried.push(Tried::Idle(budget.subject.clone()));
            continue;
        };
        let cost = each(&calls.work, calls.times, &rules.book);
        let Some(complaint) = budget.complaint(cost) else {
            judged.tried.push(Tried::Kept(budget.subject.clone()));
            continue;
        };
        let mean = if calls.times == 1 { String::new() } else { format!(" (the mean of {} calls)", calls.times) };
        match budget.verdict(cost) {
            Verdict::Over => {
                let text = format!("{complaint}{mean}{}", dearest(calls, &rules.book, place));
                judged.exceeded.push(text.clone());
                judged.tried.push(Tried::Over { name: budget.subject.clone(), text });
            }
            Verdict::Perhaps | Verdict::Within => {
                judged.warnings.push(format!("{complaint}{mean}"));
                judged.tried.push(Tried::Kept(budget.subject.clone()));
            }
        }
    }
    let Some(before) = &rules.baseline else { return judged };
    let mut grown = BTreeMap::new();
    for growth in before.growth(&baseline(calls), &rules.book, rules.tolerance_permille) {
        let operations = calls.get(&growth.subject).map(|calls| &calls.operations);
        let most = |unit: Unit| {
            let used = operations?.iter().max_by_key(|(_, usage)| usage.get(unit)).filter(|(_, usage)| usage.get(unit) > 0)?;
            Some(told(used.0, place))
        };
        let text = growth.text(most);
        judged.exceeded.push(text.clone());
        grown.insert(growth.subject.clone(), text);
    }
    for subject in before.calls.keys() {
        let name = format!("{subject} against the baseline");
        judged.tried.push(match grown.remove(subject) {
            _ if !calls.contains_key(subject) => Tried::Idle(name),
            Some(text) => Tried::Over { name, text },
            None => Tried::Kept(name),
        });
    }
    let idle: Vec<&str> = before.calls.keys().filter(|subject| !calls.contains_key(*subject)).map(String::as_str).collect();
    if !idle.is_empty() {
        let more = if idle.len() > LISTED_MAX { format!(" and {} more", idle.len() - LISTED_MAX) } else { String::new() };
        let named = idle.iter().take(LISTED_MAX).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        judged.warnings.push(format!("of the baseline, {named}{more} did not run this time"));
    }
    judged
}

/// What one of so many calls cost.
fn each(work: &Work, times: u64, book: &Book) -> Range {
    let Range { low, high } = price(work, book, Terms::List).total();
    let times = u128::from(times.max(1));
    Range { low: low.over(times), high: high.over(times) }
}

/// The operations that cost most, a line each.
fn dearest(calls: &Calls, book: &Book, place: &dyn Fn(&Done) -> Option<String>) -> String {
    let priced = calls.operations.iter().map(|(done, usage)| (each(&Work::counted(usage), calls.times, book), done));
    let mut priced: Vec<(Range, &Done)> = priced.filter(|(cost, _)| *cost != Range::default()).collect();
    priced.sort_by(|a, b| b.0.high.cmp(&a.0.high).then_with(|| a.1.cmp(b.1)));
    priced.iter().take(NAMED_MAX).map(|(cost, done)| format!("\n  {cost}: {}", told(done, place))).collect()
}

fn told(done: &Done, place: &dyn Fn(&Done) -> Option<String>) -> String {
    let place = place(done).map(|place| format!(" at {place}")).unwrap_or_default();
    format!("{}{place}", done.text())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Usage;

    fn calls(times: u64, units: &[(Unit, u64)]) -> Calls {
        let mut usage = Usage::default();
        units.iter().for_each(|(unit, amount)| usage.add(*unit, *amount));
        let done = |action: &str, unlimited| Done {
            function: Some(Arc::from("feed")),
            action: action.into(),
            resource: Some("posts".into()),
            unlimited,
        };
        let operations = [(done("GetItem", false), Usage::default()), (done("Query", true), usage)].into();
        Calls { times, work: Work::counted(&usage), operations }
    }

    fn rules(budgets: &[&str], baseline: Option<Baseline>) -> Rules {
        let budgets = budgets.iter().map(|text| text.parse().expect(text)).collect();
        Rules { budgets, baseline, tolerance_permille: 100, book: Book::of(Provider::Firebase) }
    }

    fn judged(calls: Calls, rules: &Rules) -> (Vec<String>, Vec<String>) {
        let place = |done: &Done| (&*done.action == "Query").then(|| "functions/feed.ts:14".to_owned());
        let Judged { exceeded, warnings, tried } = judge(&[("GET /feed".to_owned(), calls)].into(), rules, &place);
        assert_eq!(tried.iter().filter(|tried| matches!(tried, Tried::Over { .. })).count(), exceeded.len());
        (exceeded, warnings)
    }

    #[test]
    fn a_tolerance_is_percent() {
        for (text, wanted) in
            [("10%", Some(100)), ("2.5", Some(25)), ("0", Some(0)), ("", None), ("-1", None), ("1.25%", None), ("%", None)]
        {
            assert_eq!(permille(text).ok(), wanted, "{text}");
        }
    }

    #[test]
    fn a_call_dearer_than_its_budget_is_told_with_what_it_spent_on() {
        let calls = || calls(2, &[(Unit::TableItemsRead, 42)]);
        let (exceeded, warnings) = judged(calls(), &rules(&["GET /feed<=0.000001"], None));
        assert_eq!(
            exceeded,
            [
                "GET /feed: $0.0000063 a call is more than its budget of $0.000001 (the mean of 2 calls)\n  $0.0000063: Query of `posts` without a limit at functions/feed.ts:14"
            ]
        );
        assert_eq!(warnings, Vec::<String>::new());
        assert_eq!(judged(calls(), &rules(&["GET /feed<=0.0000063"], None)), (vec![], vec![]));
        let (exceeded, warnings) = judged(calls(), &rules(&["GET /fed<=1"], None));
        assert_eq!((exceeded, warnings), (vec![], vec!["the budget of `GET /fed` was not tried: nothing of that name ran".to_owned()]));
    }

    #[test]
    fn growth_beyond_the_baseline_names_what_grew_and_where() {
        let one = |reads: u64| baseline(&[("GET /feed".to_owned(), calls(1, &[(Unit::TableItemsRead, reads)]))].into());
        let (exceeded, warnings) = judged(calls(1, &[(Unit::TableItemsRead, 201)]), &rules(&[], Some(one(21))));
        assert_eq!(exceeded.len(), 1);
        assert!(
            exceeded[0].ends_with("\n  GET /feed: 21 → 201 document reads: Query of `posts` without a limit at functions/feed.ts:14"),
            "{exceeded:?}"
        );
        assert!(warnings.is_empty());
        assert_eq!(judged(calls(1, &[(Unit::TableItemsRead, 23)]), &rules(&[], Some(one(21)))), (vec![], vec![]));
        let other = Baseline::new([("resize".to_owned(), PerCall::default())].into());
        let (exceeded, warnings) = judged(calls(1, &[]), &rules(&[], Some(other)));
        assert_eq!((exceeded, warnings), (vec![], vec!["of the baseline, `resize` did not run this time".to_owned()]));
    }
}
