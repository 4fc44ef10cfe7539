//! A trace as a tree over time: request ▸ function ▸ each operation ▸ event ▸ next function. Made of nothing but records and their links.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::base::{Cause, Usage};
use crate::telemetry::{Outcome, Record, Span};

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
    /// What it used itself.
    pub own: Usage,
}

/// A whole trace.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waterfall {
    /// Each below what led to it, in order of time.
    pub bars: Vec<Bar>,
    /// From the beginning of the first to the end of the last.
    pub span_micros: u64,
    /// What all of it used.
    pub total: Usage,
    /// Bars that there are beyond [`BARS_MAX`].
    pub more: usize,
}

struct Node<'a> {
    number: u64,
    record: &'a Record,
    span: Option<Span>,
    parent: Option<usize>,
    children: Vec<usize>,
}

/// The waterfall of a trace's records, each with its number.
pub fn of<'a>(records: impl Iterator<Item = (u64, &'a Arc<Record>)>) -> Waterfall {
    let mut nodes: Vec<Node<'a>> = records
        .filter_map(|(number, record)| Some(Node { number, record, span: span(record)?, parent: None, children: Vec::new() }))
        .collect();
    link(&mut nodes);
    let began = nodes.iter().filter_map(|node| node.span).map(|span| span.began_micros).min().unwrap_or(0);
    let mut waterfall = Waterfall::default();
    for node in &nodes {
        if let Some(span) = node.span {
            waterfall.span_micros = waterfall.span_micros.max(span.began_micros.saturating_add(span.wall_micros).saturating_sub(began));
        }
        if let Some(own) = own(node.record) {
            waterfall.total.add_all(own);
        }
    }
    let mut seen = HashSet::new();
    let mut roots: Vec<usize> = (0..nodes.len()).filter(|at| nodes[*at].parent.is_none()).collect();
    roots.sort_by_key(|at| start(&nodes, *at));
    // Nodes that lead to each other in a circle hang from nothing; records of a strange sender may.
    roots.extend((0..nodes.len()).filter(|at| nodes[*at].parent.is_some()));
    for root in roots {
        let mut pending = vec![(root, String::new(), String::new())];
        while let Some((at, guide, below)) = pending.pop() {
            if !seen.insert(at) {
                continue;
            }
            if waterfall.bars.len() == BARS_MAX {
                waterfall.more += 1;
            } else {
                waterfall.bars.push(bar(&nodes[at], guide, began, waterfall.span_micros));
            }
            let children = &nodes[at].children;
            for (place, child) in children.iter().enumerate().rev() {
                let last = place + 1 == children.len();
                let guide = format!("{below}{}", if last { "└ " } else { "├ " });
                pending.push((*child, guide, format!("{below}{}", if last { "  " } else { "│ " })));
            }
        }
    }
    waterfall
}

/// `None` for what is no bar; a mail has a place, but took no time.
fn span(record: &Record) -> Option<Option<Span>> {
    match record {
        Record::Request(r) => Some(Some(r.span)),
        Record::Invocation(i) => Some(Some(i.span)),
        Record::Operation(o) => Some(Some(o.span)),
        Record::Delivery(d) => Some(Some(d.span)),
        Record::Mail(_) => Some(None),
        Record::Log(_) | Record::Reload(_) | Record::Problem(_) => None,
    }
}

fn own(record: &Record) -> Option<&Usage> {
    match record {
        Record::Request(r) => Some(&r.own),
        Record::Invocation(i) => Some(&i.own),
        Record::Operation(o) => Some(&o.own),
        Record::Delivery(d) => Some(&d.own),
        Record::Log(_) | Record::Mail(_) | Record::Reload(_) | Record::Problem(_) => None,
    }
}

fn start(nodes: &[Node<'_>], at: usize) -> (u64, u64) {
    let node = &nodes[at];
    let parent_end =
        || node.parent.and_then(|parent| nodes[parent].span).map_or(0, |span| span.began_micros.saturating_add(span.wall_micros));
    (node.span.map_or_else(parent_end, |span| span.began_micros), node.number)
}

fn link(nodes: &mut [Node<'_>]) {
    let (mut requests, mut invocations) = (HashMap::new(), HashMap::new());
    let mut events: HashMap<i64, Vec<usize>> = HashMap::new();
    for (at, node) in nodes.iter().enumerate() {
        match node.record {
            Record::Request(r) => _ = requests.insert(Arc::clone(&r.id), at),
            Record::Invocation(i) => _ = invocations.insert(Arc::clone(&i.id), at),
            Record::Delivery(d) => {
                if let Some(event) = d.event {
                    events.entry(event).or_default().push(at);
                }
            }
            _ => {}
        }
    }
    for at in 0..nodes.len() {
        let node = &nodes[at];
        let parent = match cause(node.record) {
            Some(Cause::Request(id)) => requests.get(id).copied(),
            Some(Cause::Invocation(id)) => invocations.get(id).copied(),
            Some(Cause::Event(number)) => events.get(number).and_then(|all| delivered_by(nodes, all, node)),
            Some(Cause::Operator) | None => None,
        };
        if let Some(parent) = parent.filter(|parent| *parent != at) {
            nodes[at].parent = Some(parent);
            nodes[parent].children.push(at);
        }
    }
    for at in 0..nodes.len() {
        let mut children = std::mem::take(&mut nodes[at].children);
        children.sort_by_key(|child| start(nodes, *child));
        nodes[at].children = children;
    }
}

/// Which of the attempts to deliver one event led to this: the last that had begun by then, to the same function if any is.
fn delivered_by(nodes: &[Node<'_>], attempts: &[usize], node: &Node<'_>) -> Option<usize> {
    let began = node.span.map_or(u64::MAX, |span| span.began_micros);
    let rank = |at: usize| {
        let Record::Delivery(delivery) = nodes[at].record else { return (false, false, 0) };
        let same = matches!(node.record, Record::Invocation(i) if *i.function == *delivery.target);
        (same, delivery.span.began_micros <= began, delivery.span.began_micros)
    };
    attempts.iter().copied().max_by_key(|at| rank(*at))
}

fn cause(record: &Record) -> Option<&Cause> {
    match record {
        Record::Invocation(i) => Some(&i.parent),
        Record::Operation(o) => Some(&o.parent),
        Record::Delivery(d) => Some(&d.parent),
        Record::Mail(m) => Some(&m.parent),
        Record::Request(_) | Record::Log(_) | Record::Reload(_) | Record::Problem(_) => None,
    }
}

fn bar(node: &Node<'_>, guide: String, began: u64, span_micros: u64) -> Bar {
    let (what, label, end, failed) = match node.record {
        Record::Request(r) => (What::Request, format!("{} {}", r.method, r.target), r.status.to_string(), r.status >= 500),
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
        Record::Mail(m) => (What::Mail, format!("mail {}", m.to.join(", ")), m.subject.clone(), false),
        Record::Log(_) | Record::Reload(_) | Record::Problem(_) => (What::Event, String::new(), String::new(), false),
    };
    let span = node.span.unwrap_or(Span { began_micros: began.saturating_add(span_micros), wall_micros: 0 });
    Bar {
        number: node.number,
        what,
        guide,
        label,
        end,
        failed,
        start_micros: span.began_micros.saturating_sub(began),
        wall_micros: span.wall_micros,
        own: own(node.record).copied().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
