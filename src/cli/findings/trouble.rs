//! What does not work as its author believes, though nothing fails for good: requests to hosts that are not allowed, and functions that
//! hardly end in the time they have.

use std::collections::HashSet;
use std::sync::Arc;

use crate::base::Cause;
use crate::telemetry::{Outcome, Record, duration};

/// Findings that are remembered, so that each is told once.
const TOLD_MAX: usize = 1_000;
/// Who uses more than so many hundredths of its time is slow: production is not faster.
const SLOW_PERCENT: u64 = 80;

/// Something to tell, and what to do about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Tell {
    pub message: String,
    pub help: String,
}

#[derive(PartialEq, Eq, Hash)]
enum Told {
    Denied { function: Option<Arc<str>>, host: Arc<str> },
    Slow { function: Arc<str>, timeout_ms: u64 },
}

/// Gives the time that a function has, in milliseconds.
type Timeout = Box<dyn Fn(&str) -> Option<u64> + Send>;

pub struct Trouble {
    timeout_ms: Timeout,
    told: HashSet<Told>,
}

impl Trouble {
    pub fn new(timeout_ms: Timeout) -> Trouble {
        Trouble { timeout_ms, told: HashSet::new() }
    }

    /// Takes a record in; answers what it shows for the first time.
    pub fn see(&mut self, record: &Record) -> Option<Tell> {
        match record {
            Record::Operation(operation) if &*operation.service == "http" && operation.error.as_deref() == Some("Denied") => {
                let host = operation.resource.clone()?;
                self.first(Told::Denied { function: operation.function.clone(), host: host.clone() })?;
                let who = operation.function.as_deref().map_or("something".to_owned(), |function| format!("function `{function}`"));
                Some(Tell {
                    message: format!("{who} asked for `{host}`, which is not allowed"),
                    help: format!("to allow it, add `- {host}` under `emu.sandbox.allow` in serverless.yaml or firebase.json"),
                })
            }
            Record::Invocation(invocation) if invocation.outcome == Outcome::Succeeded => {
                let wall_micros = invocation.span.wall_micros;
                // Whoever is quick is not looked up.
                let timeout_ms = if wall_micros < 100_000 { None } else { (self.timeout_ms)(&invocation.function) }?;
                if wall_micros < timeout_ms.saturating_mul(1_000) / 100 * SLOW_PERCENT {
                    return None;
                }
                self.first(Told::Slow { function: invocation.function.clone(), timeout_ms })?;
                let waits = match invocation.parent {
                    Cause::Event(_) => format!("; where it does not end, `{}` is tried again", invocation.trigger),
                    _ => String::new(),
                };
                Some(Tell {
                    message: format!(
                        "function `{}` took {} of the {} that it has{waits}",
                        invocation.function,
                        duration(wall_micros),
                        duration(timeout_ms.saturating_mul(1_000))
                    ),
                    help: "give it a longer `timeout`, or less to do at once (`batchSize`)".to_owned(),
                })
            }
            _ => None,
        }
    }

    fn first(&mut self, what: Told) -> Option<()> {
        (self.told.len() < TOLD_MAX && self.told.insert(what)).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Time, TraceId, Usage};
    use crate::telemetry::{Operation, Span};
    use crate::tui::sample;

    fn trouble() -> Trouble {
        Trouble::new(Box::new(|function| (function == "confirm").then_some(3_000)))
    }

    fn asked(host: &str, error: Option<&str>) -> Record {
        Record::Operation(Operation {
            id: "o".into(),
            trace: TraceId("t".into()),
            parent: Cause::Invocation("i".into()),
            function: Some("pay".into()),
            at: Time(0),
            span: Span::default(),
            service: "http".into(),
            action: "GET".into(),
            resource: Some(host.into()),
            status: 0,
            error: error.map(str::to_owned),
            own: Usage::default(),
            search: None,
        })
    }

    #[test]
    fn a_host_that_is_not_allowed_is_told_once_with_the_line_to_add() {
        let mut trouble = trouble();
        assert_eq!(trouble.see(&asked("a.example", None)), None);
        let told = trouble.see(&asked("a.example", Some("Denied"))).expect("it is told");
        assert_eq!(told.message, "function `pay` asked for `a.example`, which is not allowed");
        assert!(told.help.contains("`- a.example` under `emu.sandbox.allow`"), "{}", told.help);
        assert_eq!(trouble.see(&asked("a.example", Some("Denied"))), None);
        assert!(trouble.see(&asked("b.example", Some("Denied"))).is_some());
    }

    #[test]
    fn a_function_that_hardly_ends_in_its_time_is_told_of_with_what_waits_for_it() {
        let took = |wall_micros: u64, parent: Cause| {
            let Some(Record::Invocation(mut invocation)) =
                sample::checkout(0).into_iter().find(|record| matches!(record, Record::Invocation(_)))
            else {
                panic!("an order invokes functions")
            };
            invocation.function = "confirm".into();
            invocation.trigger = "queue orders".into();
            invocation.outcome = Outcome::Succeeded;
            invocation.parent = parent;
            invocation.span.wall_micros = wall_micros;
            Record::Invocation(invocation)
        };
        let mut trouble = trouble();
        assert_eq!(trouble.see(&took(2_399_999, Cause::Event(1))), None);
        let told = trouble.see(&took(2_700_000, Cause::Event(1))).expect("it is told");
        let wanted = "function `confirm` took 2.70 s of the 3.00 s that it has; where it does not end, `queue orders` is tried again";
        assert_eq!(told.message, wanted);
        assert_eq!(trouble.see(&took(2_800_000, Cause::Operator)), None, "once");
    }
}
