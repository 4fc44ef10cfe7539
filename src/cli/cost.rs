//! `emu cost`: what the recorded work would cost.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;

use super::{By, CostArgs, FreeTier, output, prices, pricing, records};
use crate::base::Cause;
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
    let kinds = kinds(&recorded, args.by, &assumptions);
    if kinds.is_empty() {
        bail!("the journal has no work to price; send a request first");
    }
    let (calls, terms) = match args.monthly {
        Some(calls) => (Some(calls), Terms::Month { free_tier: args.free_tier == FreeTier::On }),
        None => (args.per, Terms::List),
    };
    let said = assumptions.text();
    let ask = |subject, kind| question(subject, kind, calls, terms, &said);
    if let Some(provider) = args.provider {
        let Some(book) = books.iter().find(|book| book.provider == provider) else { bail!("there are no prices of {provider}") };
        let mut all = Kind::default();
        kinds.values().for_each(|kind| {
            all.work.add(&kind.work);
            all.times = all.times.saturating_add(kind.times);
        });
        let asked = ask("all that was recorded", &all);
        if args.json {
            output::print(&format!("{:#}\n", report::bill_json(&asked.bill(book), book)));
        } else {
            let parts: Vec<(String, Work)> = kinds.into_iter().map(|(name, kind)| (name, kind.work)).collect();
            output::print(&report::breakdown(&asked, &parts, book));
        }
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
    Question { subject, work: &kind.work, recorded: kind.times, calls: calls.unwrap_or(kind.times), terms, assumptions }
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

/// The work by function, by service, or by the kind of trace that it is part of.
fn kinds(recorded: &[Arc<Record>], by: By, assumptions: &Assumptions) -> BTreeMap<String, Kind> {
    let work = pricing::work(recorded, assumptions);
    let traces = match by {
        By::Trace => trace_kinds(recorded),
        By::Function | By::Service => BTreeMap::new(),
    };
    let functions: BTreeMap<&str, &str> = recorded
        .iter()
        .filter_map(|record| match &**record {
            Record::Invocation(invocation) => Some((&*invocation.id, &*invocation.function)),
            _ => None,
        })
        .collect();
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for (record, work) in recorded.iter().zip(&work) {
        if work.is_empty() {
            continue;
        }
        let name = match by {
            By::Trace => record.trace().and_then(|trace| traces.get(trace.as_str()).cloned()),
            By::Service => Some(service(record)),
            By::Function => function(record, &functions),
        };
        let kind = kinds.entry(name.unwrap_or_else(|| "no function".to_owned())).or_default();
        kind.work.add(work);
        let counts = match by {
            By::Trace => false,
            By::Function => matches!(&**record, Record::Invocation(_)),
            By::Service => true,
        };
        kind.times += u64::from(counts);
    }
    for name in traces.values() {
        if let Some(kind) = kinds.get_mut(name) {
            kind.times += 1;
        }
    }
    kinds
}

fn service(record: &Record) -> String {
    match record {
        Record::Operation(operation) => operation.service.to_string(),
        Record::Invocation(_) => "functions".to_owned(),
        Record::Request(_) => "http".to_owned(),
        Record::Delivery(_) => "events".to_owned(),
        Record::Mail(_) | Record::Log(_) | Record::Reload(_) | Record::Problem(_) => "other".to_owned(),
    }
}

/// The function that did it: itself, or the one that asked for it.
fn function(record: &Record, functions: &BTreeMap<&str, &str>) -> Option<String> {
    match record {
        Record::Invocation(invocation) => Some(invocation.function.to_string()),
        Record::Request(request) => request.function.as_deref().map(str::to_owned),
        _ => match record.parent()? {
            Cause::Invocation(id) => functions.get(&*id).map(|name| (*name).to_owned()),
            _ => None,
        },
    }
}

/// What began each trace, for people: the route, the schedule, or the operation that a client asked for.
fn trace_kinds(recorded: &[Arc<Record>]) -> BTreeMap<String, String> {
    let mut kinds: BTreeMap<String, (u8, u64, String)> = BTreeMap::new();
    for record in recorded {
        let Some(trace) = record.trace() else { continue };
        // A function tells most about what began it; an operation tells more than the request that carried it.
        let (rank, name) = match &**record {
            Record::Invocation(invocation) => (0, invocation.trigger.to_string()),
            Record::Operation(operation) => (1, format!("{} {}", operation.service, operation.action)),
            Record::Request(request) => (2, format!("{} requests without a function", request.face)),
            Record::Delivery(delivery) => (2, delivery.source.clone()),
            Record::Mail(_) | Record::Log(_) | Record::Reload(_) | Record::Problem(_) => continue,
        };
        let began = record.began_micros().unwrap_or(u64::MAX);
        let found = kinds.entry(trace.as_str().to_owned()).or_insert((u8::MAX, u64::MAX, String::new()));
        if (rank, began) < (found.0, found.1) {
            *found = (rank, began, name);
        }
    }
    kinds.into_iter().map(|(trace, (_, _, name))| (trace, name)).collect()
}
