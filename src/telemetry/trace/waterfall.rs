//! The waterfall: a trace as text, a line for each record with its bar and its times.

use std::collections::HashMap;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::{Row, began};
use crate::telemetry::{Outcome, Record, duration, redact};

/// How a waterfall looks.
pub struct Look<'a> {
    /// Columns of the terminal.
    pub width: usize,
    /// What each row costs, and all of them together; nothing where that is not to be shown.
    pub costs: &'a [String],
    pub whole_cost: &'a str,
}

const WIDTH_MIN: usize = 40;
const WIDTH_MAX: usize = 400;
const BAR_MIN: usize = 10;
/// Deeper rows are not moved further to the right.
const INDENT_MAX: usize = 12;
/// Columns of `3600.00 s`.
const TIME: usize = 9;

/// The trace as lines of text, the last with a line feed too; empty where there is nothing.
pub fn waterfall(rows: &[Row], look: &Look<'_>) -> String {
    let Some(first) = rows.first() else { return String::new() };
    let width = look.width.clamp(WIDTH_MIN, WIDTH_MAX);
    let (from, to) = rows.iter().fold((u64::MAX, 0), |(from, to), row| (from.min(began(&row.record)), to.max(ended(&row.record))));
    let labels: Vec<String> = guides(rows).into_iter().zip(rows).map(|(guide, row)| format!("{guide}{}", label(&row.record))).collect();
    let cost_of = |at: usize| look.costs.get(at).map_or("", String::as_str);
    let widest = look.costs.iter().map(|cost| cost.width()).max().unwrap_or(0).max(look.whole_cost.width());
    let cost_width = if widest == 0 { 0 } else { widest.max("cost".len()) };
    let cost_space = if cost_width == 0 { 0 } else { cost_width + 2 };
    let room = width.saturating_sub(2 * TIME + 6 + cost_space);
    let longest = labels.iter().map(|label| label.width()).max().unwrap_or(0);
    let label_width = longest.min(room.saturating_sub(BAR_MIN).max(room * 3 / 5)).max(10);
    let bar_width = room.saturating_sub(label_width).max(1);
    let line = |label: &str, bar: &str, at: &str, took: &str, cost: &str| {
        let cost = if cost_width == 0 { String::new() } else { format!("  {}", right(cost, cost_width)) };
        let text = format!("{}  {}  {}  {}{cost}", left(label, label_width), left(bar, bar_width), right(at, TIME), right(took, TIME));
        format!("{}\n", text.trim_end())
    };
    let mut text = format!("trace {}  {}\n", first.record.trace().map_or("", |trace| trace.as_str()), first.record.at().iso());
    text.push_str(&line("", "", "at", "took", if cost_width == 0 { "" } else { "cost" }));
    for (at, (row, label)) in rows.iter().zip(&labels).enumerate() {
        if let Record::Log(_) = &*row.record {
            // The whole line is its own.
            text.push_str(left(label, width).trim_end());
            text.push('\n');
            continue;
        }
        let (start, end) = (began(&row.record), ended(&row.record));
        let took = if start == end { String::new() } else { duration(end - start) };
        text.push_str(&line(label, &bar(start - from, end - from, to - from, bar_width), &duration(start - from), &took, cost_of(at)));
    }
    text.push_str(&line(&format!("{} records", rows.len()), "", "", &duration(to - from), look.whole_cost));
    text
}

fn ended(record: &Record) -> u64 {
    began(record).saturating_add(record.span().map_or(0, |span| span.wall_micros))
}

/// From where to where a bar goes: at least one column, for everything took some time.
fn bar(start: u64, end: u64, whole: u64, width: usize) -> String {
    let scale = |at: u64, round_up: u64| {
        let product = u128::from(at) * width as u128 + u128::from(round_up);
        usize::try_from(product / u128::from(whole.max(1))).unwrap_or(width)
    };
    let from = scale(start, 0).min(width.saturating_sub(1));
    let to = scale(end, whole.saturating_sub(1)).clamp(from + 1, width.max(from + 1));
    format!("{}{}", " ".repeat(from), "█".repeat(to - from))
}

/// The lines of the tree before each label.
fn guides(rows: &[Row]) -> Vec<String> {
    let last: HashMap<Option<usize>, usize> = rows.iter().enumerate().map(|(at, row)| (row.parent, at)).collect();
    let is_last = |at: usize| last.get(&rows[at].parent) == Some(&at);
    let guide = |(at, row): (usize, &Row)| {
        if row.depth == 0 {
            return String::new();
        }
        let mut parts = vec![if is_last(at) { "└─ " } else { "├─ " }];
        let mut above = row.parent;
        while let Some(parent) = above.filter(|parent| rows[*parent].depth > 0) {
            if parts.len() == INDENT_MAX {
                parts.push("… ");
                break;
            }
            parts.push(if is_last(parent) { "   " } else { "│  " });
            above = rows[parent].parent;
        }
        parts.reverse();
        parts.concat()
    };
    rows.iter().enumerate().map(guide).collect()
}

/// What a record is, in one line without control characters and without secrets.
pub fn label(record: &Record) -> String {
    let text = match record {
        Record::Request(r) => {
            let face = if &*r.face == "http" { String::new() } else { format!("{}: ", r.face) };
            format!("{face}{} {} {}", r.method, redact::pairs(&r.target), r.status)
        }
        Record::Invocation(r) => format!("{} {}{}", r.function, if r.cold { "cold" } else { "warm" }, failure(&r.outcome)),
        Record::Operation(r) => {
            let resource = r.resource.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            let error = r.error.as_deref().map(|code| format!(" ✗ {code}")).unwrap_or_default();
            let vain = r.search.as_ref().filter(|search| search.looked_at > search.gave);
            let scanned = vain.map(|search| format!(" (looked at {}, gave {})", search.looked_at, search.gave)).unwrap_or_default();
            format!("{} {}{resource}{error}{scanned}", r.service, r.action)
        }
        Record::Delivery(r) => {
            let attempt = if r.attempt > 1 { format!(" attempt {}", r.attempt) } else { String::new() };
            let again = r.again.map(|time| format!(", again at {}", time.iso())).unwrap_or_default();
            let dead = r.dead.as_deref().map(|place| format!(", dead in {place}")).unwrap_or_default();
            format!("{} → {}{attempt}{}{again}{dead}", r.source, r.target, failure(&r.outcome))
        }
        Record::Mail(r) => format!("mail to {}: {}", r.to.join(", "), r.subject),
        Record::Push(r) => format!("push to {}: {}", r.to, r.title),
        Record::Log(r) => format!("{} {}", r.level.label(), redact::text(&r.text)),
        Record::Reload(_) => "reload".to_owned(),
        Record::Problem(r) => r.message.clone(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn failure(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Succeeded => String::new(),
        Outcome::Failed { kind, message } => format!(" ✗ {kind}: {}", redact::text(message)),
        Outcome::Refused { message } => format!(" ✗ {}", redact::text(message)),
    }
}

/// The text in so many columns: cut with a mark, or filled up.
fn left(text: &str, width: usize) -> String {
    let own = text.width();
    if own <= width {
        return format!("{text}{}", " ".repeat(width - own));
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let columns = c.width().unwrap_or(0);
        if used + columns + 1 > width {
            break;
        }
        used += columns;
        out.push(c);
    }
    out.push('…');
    out.push_str(&" ".repeat(width.saturating_sub(used + 1)));
    out
}

fn right(text: &str, width: usize) -> String {
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}
