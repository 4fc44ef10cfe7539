//! A trace as a tree over time: request ▸ function ▸ each operation ▸ event ▸ next function. Made of nothing but records and their links.

use std::collections::HashMap;
use std::sync::Arc;

use super::billing::Billing;
use crate::cost::{Add, Work};
use crate::telemetry::{Outcome, Record, Span, redact, trace};

/// Bars of one trace; what is more is counted.
pub const BARS_MAX: usize = 2_000;

/// What a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    Request,
    Invocation,
    Operation,
    Event,
    Mail,
}

/// One thing that took time.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar {
    /// The number of its record.
    pub number: u64,
    pub what: What,
    /// The lines of the tree before the label.
    pub guide: String,
    pub label: String,
    /// How it ended, in a word.
    pub end: String,
    pub failed: bool,
    /// Microseconds after the trace began.
    pub start_micros: u64,
    pub wall_micros: u64,
    /// What it did itself.
    pub own: Work,
}

/// A whole trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waterfall {
    /// Each below what led to it, in order of time.
    pub bars: Vec<Bar>,
    /// From the beginning of the first to the end of the last.
    pub span_micros: u64,
    /// What all of it did.
    pub total: Work,
    /// Bars that there are beyond [`BARS_MAX`].
    pub more: usize,
}

/// The waterfall of a trace's records, each with its number.
pub fn of<'a>(records: impl Iterator<Item = (u64, &'a Arc<Record>)>) -> Waterfall {
    let records: Vec<(u64, &Arc<Record>)> = records.filter(|(_, record)| is_bar(record)).collect();
    let numbers: HashMap<*const Record, u64> = records.iter().map(|(number, record)| (Arc::as_ptr(record), *number)).collect();
    let rows = trace::rows(records.iter().map(|(_, record)| Arc::clone(record)));
    let spans = || rows.iter().filter_map(|row| row.record.span());
    let began = spans().map(|span| span.began_micros).min().unwrap_or(0);
    let ended = spans().map(|span| span.began_micros.saturating_add(span.wall_micros)).max().unwrap_or(began);
    let mut waterfall = Waterfall { span_micros: ended.saturating_sub(began), ..Waterfall::default() };
    let mut billing = Billing::default();
    let mut works: HashMap<u64, Work> = records.iter().map(|(number, record)| (*number, billing.take(record).own)).collect();
    works.values().for_each(|work| waterfall.total.add(work));
    waterfall.more = rows.len().saturating_sub(BARS_MAX);
    let guides = guides(&rows);
    for (row, guide) in rows.iter().zip(guides).take(BARS_MAX) {
        let number = numbers.get(&Arc::as_ptr(&row.record)).copied().unwrap_or_default();
        let own = works.remove(&number).unwrap_or_default();
        waterfall.bars.push(Bar { own, ..bar(number, &row.record, guide, began, waterfall.span_micros) });
    }
    waterfall
}

/// What takes time, or a place in it.
fn is_bar(record: &Record) -> bool {
    !matches!(record, Record::Log(_) | Record::Reload(_) | Record::Problem(_))
}

/// The lines of the tree before each row's label.
fn guides(rows: &[trace::Row]) -> Vec<String> {
    // Whether a row is the last below the one that led to it.
    let mut last_below: HashMap<usize, usize> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if let Some(parent) = row.parent {
            last_below.insert(parent, at);
        }
    }
    let mut belows: Vec<String> = Vec::with_capacity(rows.len());
    let mut guides = Vec::with_capacity(rows.len());
    for (at, row) in rows.iter().enumerate() {
        let (guide, below) = match row.parent {
            None => (String::new(), String::new()),
            Some(parent) => {
                let is_last = last_below.get(&parent) == Some(&at);
                let before = belows.get(parent).map_or("", String::as_str);
                (format!("{before}{}", if is_last { "└ " } else { "├ " }), format!("{before}{}", if is_last { "  " } else { "│ " }))
            }
        };
        guides.push(guide);
        belows.push(below);
    }
    guides
}

fn bar(number: u64, record: &Record, guide: String, began: u64, span_micros: u64) -> Bar {
    let (what, label, end, failed) = match record {
        Record::Request(r) => (What::Request, format!("{} {}", r.method, redact::pairs(&r.target)), r.status.to_string(), r.status >= 500),
        Record::Invocation(i) => {
            let end = match &i.outcome {
                Outcome::Succeeded if i.cold => "ok, cold".to_owned(),
                Outcome::Succeeded => "ok".to_owned(),
                Outcome::Failed { kind, .. } => kind.clone(),
                Outcome::Refused { .. } => "refused".to_owned(),
            };
            (What::Invocation, i.function.to_string(), end, i.outcome != Outcome::Succeeded)
        }
        Record::Operation(o) => {
            let resource = o.resource.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            let end = o.error.clone().unwrap_or_else(|| o.status.to_string());
            (What::Operation, format!("{} {}{resource}", o.service, o.action), end, o.status >= 400)
        }
        Record::Delivery(d) => {
            let end = match (&d.outcome, &d.dead) {
                (Outcome::Succeeded, _) => "delivered".to_owned(),
                (_, Some(dead)) => format!("given up: {dead}"),
                _ => format!("attempt {} failed", d.attempt),
            };
            (What::Event, format!("{} → {}", d.source, d.target), end, d.outcome != Outcome::Succeeded)
        }
        Record::Push(p) => (What::Mail, format!("push {}", p.to), p.title.clone(), false),
        Record::Mail(m) => (What::Mail, format!("mail {}", m.to.join(", ")), m.subject.clone(), false),
        Record::Log(_) | Record::Reload(_) | Record::Problem(_) => (What::Event, String::new(), String::new(), false),
    };
    let span = record.span().unwrap_or(Span { began_micros: began.saturating_add(span_micros), wall_micros: 0 });
    Bar {
        number,
        what,
        guide,
        label,
        end,
        failed,
        start_micros: span.began_micros.saturating_sub(began),
        wall_micros: span.wall_micros,
        own: Work::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Cause;
    use crate::tui::sample;

    fn outline(records: &[Record]) -> Vec<String> {
        let records: Vec<Arc<Record>> = records.iter().cloned().map(Arc::new).collect();
        of(records.iter().enumerate().map(|(at, record)| (at as u64, record)))
            .bars
            .iter()
            .map(|bar| format!("{}{}", bar.guide, bar.label))
            .collect()
    }

    #[test]
    fn everything_hangs_from_what_led_to_it_whatever_the_order_of_the_records() {
        let expected = [
            "POST /orders",
            "└ createOrder",
            "  ├ dynamodb GetItem products",
            "  ├ dynamodb PutItem orders",
            "  ├ sqs SendMessage orders",
            "  └ queues/orders → confirm",
            "    └ confirm",
            "      ├ ses SendEmail",
            "      └ mail ada@example.com",
        ];
        let mut records = sample::checkout(0);
        assert_eq!(outline(&records), expected);
        records.reverse();
        assert_eq!(outline(&records), expected);
    }

    #[test]
    fn links_in_a_circle_or_to_nowhere_lose_nothing() {
        let circle = [sample::invocation("a", Cause::Invocation("b".into())), sample::invocation("b", Cause::Invocation("a".into()))];
        assert_eq!(outline(&circle).len(), 2);
        let (own, lost) = (sample::invocation("a", Cause::Invocation("a".into())), sample::invocation("c", Cause::Event(9)));
        assert_eq!(outline(&[own, lost]).len(), 2);
    }

    #[test]
    fn a_trace_without_end_is_cut_and_says_so() {
        let records: Vec<Arc<Record>> =
            (0..BARS_MAX + 5).map(|n| Arc::new(sample::invocation(&format!("i{n}"), Cause::Operator))).collect();
        let waterfall = of(records.iter().enumerate().map(|(at, record)| (at as u64, record)));
        assert_eq!((waterfall.bars.len(), waterfall.more), (BARS_MAX, 5));
    }
}
