//! Records as lines of text: for people, or one JSON object a line.

mod json;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use super::{Level, Outcome, Record, redact};
use crate::base::Cause;

/// How lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people; with ANSI colours if set.
    Pretty { colour: bool },
    /// One JSON object a line.
    Json,
}

/// Whether whoever reads along wants the line: not the requests to AWS, which are told of as operations, and of those not the ones of
/// functions, which have too many, unless they failed.
pub fn reads_along(record: &Record) -> bool {
    match record {
        Record::Request(r) => &*r.face != "aws",
        Record::Operation(o) => o.error.is_some() || matches!(o.parent, Cause::Request(_)),
        _ => true,
    }
}

/// The record as text without the last line feed. Several lines where a person reads it so (code frames, logs with line feeds).
pub fn line(record: &Record, format: Format) -> String {
    match format {
        Format::Json => json::line(record),
        Format::Pretty { colour } => pretty(record, Paint(colour)),
    }
}

struct Paint(bool);

impl Paint {
    fn text(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    fn dim(&self, text: &str) -> String {
        self.text("2", text)
    }

    fn bold(&self, text: &str) -> String {
        self.text("1", text)
    }

    fn level(&self, level: Level, text: &str) -> String {
        match level {
            Level::Error => self.text("31", text),
            Level::Warn => self.text("33", text),
            Level::Info => text.to_string(),
            Level::Debug | Level::Trace => self.dim(text),
        }
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::Succeeded => self.text("32", "ok"),
            Outcome::Failed { kind, message } => self.text("31", &plain(&format!("{kind}: {}", redact::text(message)))),
            Outcome::Refused { message } => self.text("33", &plain(&redact::text(message))),
        }
    }
}

/// Without control characters, which would do something to the terminal: others than developers may have written it.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Microseconds as a person reads them: `340 µs`, `12.3 ms`, `1.50 s`.
pub fn duration(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

fn pretty(record: &Record, paint: Paint) -> String {
    match record {
        Record::Request(r) => {
            let status = r.status.to_string();
            let status = match r.status {
                500.. => paint.text("31", &status),
                400..500 => paint.text("33", &status),
                _ => paint.text("32", &status),
            };
            let function = r.function.as_deref().map(|name| format!(" → {name}")).unwrap_or_default();
            format!(
                "{} {} {status}{function} {}",
                paint.bold(&r.method),
                redact::pairs(&r.target),
                paint.dim(&duration(r.span.wall_micros))
            )
        }
        Record::Invocation(i) => {
            let cold = if i.cold { "cold" } else { "warm" };
            let detail = format!(
                "{} wall, {} cpu, {cold}, {:.1} MiB",
                duration(i.span.wall_micros),
                duration(i.cpu_micros),
                i.memory_peak_bytes as f64 / 1_048_576.0
            );
            format!("{} {} {}", paint.bold(&i.function), paint.outcome(&i.outcome), paint.dim(&detail))
        }
        Record::Log(l) => {
            let head = paint.dim(&format!("{} │ ", l.function));
            let mut text = String::with_capacity(l.text.len() + head.len());
            for (n, row) in redact::text(&l.text).lines().enumerate() {
                if n > 0 {
                    text.push('\n');
                }
                text.push_str(&head);
                text.push_str(&paint.level(l.level, row));
            }
            if text.is_empty() { head } else { text }
        }
        Record::Delivery(d) => {
            let again = d.again.map(|time| format!(", again at {}", time.iso())).unwrap_or_default();
            let detail = format!("attempt {}{again}", d.attempt);
            let dead = d.dead.as_deref().map(|place| format!(" {}", paint.text("31", &format!("given up: {place}")))).unwrap_or_default();
            format!("{} → {} {} {}{dead}", d.source, paint.bold(&d.target), paint.outcome(&d.outcome), paint.dim(&detail))
        }
        Record::Operation(o) => {
            let resource = o.resource.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
            let error = o.error.as_deref().map(|code| format!(" {}", paint.text("31", code))).unwrap_or_default();
            let (action, resource) = (paint.bold(&plain(&o.action)), plain(&resource));
            format!("{} {action}{resource} {}{error} {}", o.service, o.status, paint.dim(&duration(o.span.wall_micros)))
        }
        Record::Mail(m) => {
            let from = paint.dim(&format!("from {}", plain(&m.from)));
            format!("mail to {}: {} {from}", plain(&m.to.join(", ")), paint.bold(&plain(&m.subject)))
        }
        Record::Push(p) => format!("push to {}: {}", plain(&p.to), paint.bold(&plain(&p.title))),
        Record::Reload(r) => {
            let mut text = String::from("reloaded");
            for (word, names) in [("ready", &r.ready), ("failed", &r.failed), ("removed", &r.removed)] {
                if !names.is_empty() {
                    let _ = write!(text, " {word}: {}", names.join(", "));
                }
            }
            format!("{text} {}", paint.dim(&duration(r.micros)))
        }
        Record::Problem(p) => {
            let place = p.place.as_deref().map(|place| format!(" {}", paint.dim(place))).unwrap_or_default();
            let mut text = format!("{} {}{place}", paint.level(p.level, &p.level.label().to_lowercase()), paint.bold(&p.message));
            for more in [&p.frame, &p.help].into_iter().flatten() {
                text.push('\n');
                text.push_str(more.trim_end());
            }
            text
        }
    }
}
