//! `emu trace`: what one request led to.

use std::process::ExitCode;
use std::sync::Arc;

use super::pricing::{self, Books};
use super::{TraceArgs, output, records};
use crate::cost::{Assumptions, Work, sum};
use crate::telemetry::trace::{self, Look, Row};
use crate::telemetry::{Outcome, Record};
use crate::tui::Prices;

/// Columns where there is no terminal.
const WIDTH: usize = 100;

pub fn run(args: &TraceArgs) -> anyhow::Result<ExitCode> {
    let Some(folder) = records::folder(&args.journal) else { return Ok(ExitCode::FAILURE) };
    let reader = records::open(&folder)?;
    let trace = reader.find_trace(&args.id)?;
    let rows = trace::rows(reader.trace(&trace)?.into_iter().map(Arc::new));
    if args.json {
        output::print(&format!("{}\n", trace::json(&rows)));
    } else {
        let (costs, whole) = costs(&rows);
        output::print(&trace::waterfall(&rows, &Look { width: output::width().unwrap_or(WIDTH), costs: &costs, whole_cost: &whole }));
        output::print(&stacks(&rows));
    }
    Ok(ExitCode::SUCCESS)
}

/// What each row costs on AWS beyond what is free, and all of them; the time of functions is estimated, so it may be a range.
fn costs(rows: &[Row]) -> (Vec<String>, String) {
    let books = Books::new();
    let records: Vec<Arc<Record>> = rows.iter().map(|row| Arc::clone(&row.record)).collect();
    let works = pricing::work(&records, &Assumptions::default());
    let text = |work: &Work| if work.is_empty() { String::new() } else { books.cost(0, work).to_string() };
    (works.iter().map(text).collect(), text(&sum(&works)))
}

/// The stacks of what failed.
pub fn stacks(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let Record::Invocation(invocation) = &*row.record else { continue };
        if let Outcome::Failed { kind, message } = &invocation.outcome {
            text.push_str(&format!("\n{} failed: {kind}: {message}\n", invocation.function));
            // The first line repeats the error.
            for line in invocation.stack.iter().filter(|line| line.trim_start().starts_with("at ")) {
                text.push_str(&format!("    {}\n", line.trim()));
            }
        }
    }
    text
}
