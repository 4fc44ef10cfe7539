//! `emu cost`: what the recorded work would cost.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use super::{By, CostArgs, FreeTier, output, prices, pricing, records};
use crate::app::kept;
use crate::base::{Cause, TraceId, Unit, Usage};
use crate::cost::report::{self, Question};
use crate::cost::{Add, Assumptions, Terms, Work};
use crate::telemetry::Record;
use crate::telemetry::journal::{Query, Reader};

/// Records that are read at once.
const PAGE: usize = 1_000;
/// Kinds of traces that are compared one by one; the rest are in the breakdown.
const COMPARED_MAX: usize = 20;

/// The work of one kind, and how often it was done.
#[derive(Default)]
struct Kind {
    work: Work,
    times: u64,
}

/// The work by kind.
struct Kinds {
    kinds: BTreeMap<String, Kind>,
    /// Traces that did any work.
    traces: u64,
}

pub fn run(args: &CostArgs) -> anyhow::Result<ExitCode> {
    let books = match prices::effective(&args.file) {
        Ok(books) => books,
        Err(error) => {
            output::error(&error);
            return Ok(ExitCode::FAILURE);
        }
    };
    let Some(folder) = records::folder(&args.journal) else { return Ok(ExitCode::FAILURE) };
    let recorded = read(&records::open(&folder)?, args)?;
    let assumptions = Assumptions::default();
    let Kinds { mut kinds, traces } = kinds(&recorded, args.by, &assumptions);
    if kinds.is_empty() {
        bail!("the journal has no work to price; send a request first");
    }
    if args.monthly.is_some() {
        keep(&mut kinds, args.by, &kept(&folder)?);
    }
    let (calls, terms) = match args.monthly {
        Some(calls) => (Some(calls), Terms::Month { free_tier: args.free_tier == FreeTier::On }),
        None => (args.per, Terms::List),
    };
    let said = assumptions.text();
    let ask = |subject, kind| question(subject, kind, calls, terms, &said);
    if let Some(provider) = args.provider {
        let Some(book) = books.iter().find(|book| book.provider == provider) else { bail!("there are no prices of {provider}") };
        // However it is divided, a call is what came from outside, with all that it set off.
        let mut all = Kind { times: traces, ..Kind::default() };
        kinds.values().for_each(|kind| all.work.add(&kind.work));
        let asked = ask("all that was recorded", &all);
        let parts: Vec<(String, Work)> = kinds.into_iter().map(|(name, kind)| (name, kind.work)).collect();
        output::print(&match args.json {
            true => format!("{:#}\n", report::breakdown_json(&asked, &parts, book)),
            false => report::breakdown(&asked, &parts, book),
        });
        return Ok(ExitCode::SUCCESS);
    }
    if args.json {
        let all: Vec<_> = kinds.iter().map(|(name, kind)| report::comparison_json(&ask(name, kind), &books)).collect();
        output::print(&format!("{:#}\n", serde_json::Value::Array(all)));
        return Ok(ExitCode::SUCCESS);
    }
    for (name, kind) in kinds.iter().take(COMPARED_MAX) {
        output::print(&format!("{}\n", report::comparison(&ask(name, kind), &books)));
    }
    if kinds.len() > COMPARED_MAX {
        output::print(&format!("{} more; `--provider aws` shows all of them at one provider\n", kinds.len() - COMPARED_MAX));
    }
    Ok(ExitCode::SUCCESS)
}

fn question<'a>(subject: &'a str, kind: &'a Kind, calls: Option<u64>, terms: Terms, assumptions: &'a str) -> Question<'a> {
    // What was done, but not so and so often, is not multiplied.
    let calls = if kind.times == 0 { 1 } else { calls.unwrap_or(kind.times) };
    Question { subject, work: &kind.work, recorded: kind.times.max(1), calls, terms, assumptions }
}

/// What the journal has, oldest first.
fn read(reader: &Reader, args: &CostArgs) -> anyhow::Result<Vec<Arc<Record>>> {
    let mut query = Query::default();
    if let Some(trace) = &args.trace {
        query.trace = Some(reader.find_trace(trace)?.as_str().to_owned());
    }
    if let Some(ago) = args.since {
        query = query.since(ago);
    }
    let mut all = Vec::new();
    loop {
        let page = reader.records(&query, PAGE)?;
        let Some(last) = page.last() else { return Ok(all) };
        query.after = last.id;
        all.extend(page.iter().filter_map(|journaled| journaled.record()).map(Arc::new));
    }
}

/// The work by function, by service, or by the kind of trace that it is part of. The parts add up to all that was recorded.
fn kinds(recorded: &[Arc<Record>], by: By, assumptions: &Assumptions) -> Kinds {
    let work = pricing::work(recorded, assumptions);
    let traces = beginnings(recorded);
    let functions = functions(recorded);
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    let mut worked: HashSet<&TraceId> = HashSet::new();
    for (record, work) in recorded.iter().zip(&work) {
        let (name, once) = match by {
            By::Trace => {
                let name = record.trace().and_then(|trace| traces.get(trace)).map_or_else(|| "(under way)".to_owned(), ToString::to_string);
                (name, record.beginning().is_some())
            }
            By::Function => {
                let name = record.payer().or_else(|| functions.get(&record.parent()?).copied());
                let once = matches!(**record, Record::Invocation(_)) || (name.is_none() && !work.is_empty());
                (name.unwrap_or("(no function)").to_owned(), once)
            }
            By::Service => (record.service().unwrap_or("(other)").to_owned(), true),
        };
        if work.is_empty() && !once {
            continue;
        }
        worked.extend(record.trace().filter(|_| !work.is_empty()));
        let kind = kinds.entry(name).or_default();
        kind.work.add(work);
        kind.times += u64::from(once);
    }
    kinds.retain(|_, kind| !kind.work.is_empty());
    Kinds { kinds, traces: worked.len() as u64 }
}

/// What began each trace: of several beginnings, as where a client gives all its requests one trace, the first.
fn beginnings(recorded: &[Arc<Record>]) -> HashMap<&TraceId, Arc<str>> {
    let mut traces = HashMap::new();
    for record in recorded {
        if let (Some(trace), Some(name)) = (record.trace(), record.beginning()) {
            traces.entry(trace).or_insert(name);
        }
    }
    traces
}

/// The functions of the invocations, for operations of a journal that does not name the function.
fn functions(recorded: &[Arc<Record>]) -> HashMap<Cause, &str> {
    let named = recorded.iter().filter_map(|record| match &**record {
        Record::Invocation(invocation) => Some((Cause::Invocation(Arc::clone(&invocation.id)), &*invocation.function)),
        _ => None,
    });
    named.collect()
}

/// Puts what is kept with the services that keep it, or beside what was done.
fn keep(kinds: &mut BTreeMap<String, Kind>, by: By, kept: &Usage) {
    for (unit, service) in [(Unit::TableBytesStored, "dynamodb"), (Unit::ObjectBytesStored, "s3"), (Unit::Schedules, "triggers")] {
        let mut own = Usage::default();
        own.add(unit, kept.get(unit));
        if own.is_empty() {
            continue;
        }
        let name = if by == By::Service { service } else { "what is kept" };
        kinds.entry(name.to_owned()).or_default().work.add(&Work::counted(&own));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::sum;
    use crate::tui::{Billing, Tally, sample};

    /// Records as two ways of adding up have them: the dashboard's as they come, and `emu cost` afterwards.
    fn compare(recorded: &[Arc<Record>]) {
        let (mut tally, mut billing) = (Tally::default(), Billing::default());
        recorded.iter().for_each(|record| tally.add(record, &billing.take(record)));
        let whole = &tally.total.work;
        let assumptions = Assumptions::default();
        let named = |sums: &BTreeMap<Arc<str>, crate::tui::Sum>| -> BTreeMap<String, (Work, u64)> {
            let sums = sums.iter().filter(|(_, sum)| !sum.work.is_empty());
            sums.map(|(name, sum)| (name.to_string(), (sum.work.clone(), sum.count))).collect()
        };
        for by in [By::Function, By::Service, By::Trace] {
            let kinds = kinds(recorded, by, &assumptions).kinds;
            assert_eq!(sum(kinds.values().map(|kind| &kind.work)), *whole, "the parts by {by:?} are not the whole");
            let mut kinds: BTreeMap<String, (Work, u64)> = kinds.into_iter().map(|(name, kind)| (name, (kind.work, kind.times))).collect();
            let shown = match by {
                By::Function => named(&tally.functions),
                By::Service => named(&tally.services),
                By::Trace => named(&tally.kinds),
            };
            let rest = kinds.remove("(no function)").or_else(|| kinds.remove("(under way)")).unwrap_or_default();
            assert_eq!(kinds, shown, "the dashboard adds up otherwise by {by:?}");
            let rest_shown = match by {
                By::Function => tally.nobody.work.clone(),
                By::Service => Work::default(),
                By::Trace => tally.under_way(),
            };
            assert_eq!(rest.0, rest_shown, "the rest by {by:?}");
        }
    }

    #[test]
    fn the_dashboard_and_emu_cost_add_up_the_same_parts_to_the_same_whole() {
        compare(&sample::shop());
        // A client that does all within one trace, and a trace of which nothing but the middle was seen.
        let mut records = sample::shop();
        let one = records[0].trace().expect("a trace").clone();
        let moved = sample::checkout(9).into_iter().map(|record| match record {
            Record::Invocation(i) => Record::Invocation(crate::telemetry::Invocation { trace: one.clone(), ..i }),
            Record::Operation(o) => Record::Operation(crate::telemetry::Operation { trace: one.clone(), ..o }),
            other => other,
        });
        records.extend(moved.map(Arc::new));
        records.extend(sample::checkout(11).into_iter().take(2).map(Arc::new));
        compare(&records);
    }
}
