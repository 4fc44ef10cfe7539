//! Invocations that have ended, as the admin API shows them: with their logs and what they would cost.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use super::Shared;
use crate::gateway::asked::{AskError, InvocationsAsk};
use crate::project::problem::did_you_mean;
use crate::telemetry::journal::{Query, Reader};
use crate::telemetry::{Invocation, Log, Outcome, Payload, Record};

/// Records that are read at once.
const PAGE: usize = 1_000;
/// Lines of logs that one answer has: the latest.
const LINES_MAX: usize = 20_000;

/// What an invocation would cost with everything that it called and waited for, in US dollars: exact where it was counted, a range where
/// time is estimated.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    pub low: f64,
    pub high: f64,
}

/// Reckons what invocations cost, from all records in the order in which they were made.
pub trait Biller: Send {
    /// Takes a record in; the cost where it is an invocation's.
    fn take(&mut self, record: &Record) -> Option<Cost>;
}

/// Whoever knows prices.
pub trait Prices: Send + Sync {
    /// For the list prices of a provider; an error names those there are.
    fn biller(&self, provider: &str) -> Result<Box<dyn Biller>, String>;
}

impl Shared {
    /// The invocations that are asked for, in the order in which they began.
    pub(super) async fn ended_invocations(&self, ask: InvocationsAsk) -> Result<Value, AskError> {
        let biller = self.prices.biller(&ask.provider).map_err(AskError::Wrong)?;
        let broken = |error: &dyn std::fmt::Display| AskError::Failed(error.to_string());
        let reader = self.journal.reader().await.map_err(|error| broken(&error))?;
        let began = self.sink.span(self.world.db.era().began()).began_micros;
        let since_micros = (!ask.all).then_some(began);
        let query = Query { trace: ask.trace.clone(), since_micros, ..Query::default() };
        let known = ask.function.as_deref().map_or(Ok(()), |name| self.known(name));
        let look = move || Found::read(&reader, query, ask, biller);
        let found = tokio::task::spawn_blocking(look).await.map_err(|error| broken(&error))?.map_err(|error| broken(&error))?;
        match known {
            // One that the project no longer has may still be in the journal.
            Err(why) if found.invocations.is_empty() => Err(AskError::NotFound(why)),
            _ => Ok(found.shown()),
        }
    }

    /// Whether the project has a function of that name; else what it has.
    pub(super) fn known(&self, name: &str) -> Result<(), String> {
        let catalog = self.functions.catalog();
        let names: Vec<&str> = catalog.iter().map(|entry| &*entry.name).collect();
        if names.contains(&name) {
            return Ok(());
        }
        Err(match did_you_mean(name, names.iter().copied()) {
            Some(near) => format!("there is no function `{name}`; did you mean `{near}`?"),
            None => format!("there is no function `{name}`; there are: {}", names.join(", ")),
        })
    }
}

/// What the journal has of what was asked for.
struct Found {
    invocations: VecDeque<(Invocation, Option<Cost>)>,
    logs: VecDeque<Log>,
    provider: String,
    /// There are more than was asked for.
    cut: bool,
    /// Records that the journal could not keep up with.
    missed: u64,
}

impl Found {
    fn read(
        reader: &Reader,
        mut query: Query,
        ask: InvocationsAsk,
        mut biller: Box<dyn Biller>,
    ) -> Result<Found, crate::telemetry::journal::Error> {
        let mut found =
            Found { invocations: VecDeque::new(), logs: VecDeque::new(), provider: ask.provider, cut: false, missed: reader.missed()? };
        let wanted = |name: &Arc<str>| ask.function.as_deref().is_none_or(|function| function == &**name);
        loop {
            let page = reader.records(&query, PAGE)?;
            let Some(last) = page.last() else { return Ok(found) };
            query.after = last.id;
            for record in page.iter().filter_map(|journaled| journaled.record()) {
                // All of them, for what a function called is on its bill.
                let cost = biller.take(&record);
                match record {
                    Record::Invocation(invocation) if wanted(&invocation.function) => {
                        found.invocations.push_back((invocation, cost));
                        if found.invocations.len() > ask.limit {
                            found.invocations.pop_front();
                            found.cut = true;
                        }
                    }
                    Record::Log(log) if wanted(&log.function) => {
                        found.logs.push_back(log);
                        if found.logs.len() > LINES_MAX {
                            found.logs.pop_front();
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn shown(mut self) -> Value {
        let mut logs: HashMap<Arc<str>, Vec<Value>> = HashMap::new();
        for log in self.logs {
            let line = json!({ "at": log.at.iso(), "level": log.level, "text": log.text });
            logs.entry(log.invocation).or_default().push(line);
        }
        // The journal has them in the order in which they ended.
        self.invocations.make_contiguous().sort_by_key(|(invocation, _)| invocation.span.began_micros);
        let all = self.invocations.iter().map(|(invocation, cost)| {
            let mut shown = shown(invocation);
            shown["logs"] = logs.remove(&invocation.id).unwrap_or_default().into();
            shown["cost"] = json!(cost.map(|cost| json!({ "provider": self.provider, "low": cost.low, "high": cost.high })));
            shown
        });
        json!({ "invocations": all.collect::<Vec<_>>(), "cut": self.cut, "missed": self.missed })
    }
}

fn shown(invocation: &Invocation) -> Value {
    let ms = |micros: u64| micros as f64 / 1_000.0;
    let (status, error) = match &invocation.outcome {
        Outcome::Succeeded => ("succeeded", Value::Null),
        Outcome::Failed { kind, message } => ("failed", json!({ "kind": kind, "message": message, "stack": invocation.stack })),
        Outcome::Refused { message } => ("refused", json!({ "kind": "Refused", "message": message, "stack": [] })),
    };
    json!({
        "id": invocation.id,
        "trace": invocation.trace,
        "function": invocation.function,
        "trigger": invocation.trigger,
        "at": invocation.at.iso(),
        "status": status,
        "error": error,
        "durationMs": ms(invocation.span.wall_micros),
        "cpuMs": ms(invocation.cpu_micros),
        "queuedMs": ms(invocation.queued_micros),
        "memoryPeakBytes": invocation.memory_peak_bytes,
        "memoryMib": invocation.memory_mib,
        "cold": invocation.cold,
        "build": invocation.build,
        "event": content(&invocation.event),
        "answer": content(&invocation.answer),
    })
}

/// JSON as itself, the rest (and what was too long to keep whole) as text.
fn content(payload: &Payload) -> Value {
    if payload.kept().is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(payload.kept()).unwrap_or_else(|_| String::from_utf8_lossy(payload.kept()).into_owned().into())
}
