//! The work of records as they come: what each did itself, and what an invocation did with everything that it called in the process.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use crate::base::Cause;
use crate::cost::{Add, Assumptions, Compute, Work, rounds};
use crate::telemetry::{Invocation, Record};

/// Invocations and operations under way whose parts are remembered.
const OPEN_MAX: usize = 20_000;
/// Waits of one invocation that are remembered; a function that makes more calls waits longer than all of them cost.
const WAITS_MAX: usize = 10_000;

/// Work of one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Billed {
    /// What it did itself.
    pub own: Work,
    /// The same with everything that it called and waited for, where it is an invocation.
    pub total: Work,
}

/// What is known of an invocation or operation that has not ended.
#[derive(Default)]
struct Open {
    /// When each of its operations began, and how long it took.
    waits: Vec<(u64, u64)>,
    spent: Work,
}

/// Takes records in the order in which they come: what is called ends before who called it.
#[derive(Default)]
pub struct Billing {
    assumptions: Assumptions,
    open: HashMap<Arc<str>, Open>,
    /// In the order in which they were first heard of; some have ended.
    heard: VecDeque<Arc<str>>,
}

impl Billing {
    /// The work of the next record.
    pub fn take(&mut self, record: &Record) -> Billed {
        let mut own = Work::counted(&record.own());
        match record {
            Record::Invocation(i) => {
                let open = self.open.remove(&i.id).unwrap_or_default();
                own.add(&Work::invoked(&compute(i, &open.waits), &self.assumptions));
                let mut total = open.spent;
                total.add(&own);
                if let Cause::Operation(id) = &i.parent {
                    self.open(id).spent.add(&total);
                }
                Billed { own, total }
            }
            Record::Operation(o) => {
                let mut total = self.open.remove(&o.id).map(|open| open.spent).unwrap_or_default();
                total.add(&own);
                if let Cause::Invocation(id) = &o.parent {
                    let open = self.open(id);
                    open.spent.add(&total);
                    if open.waits.len() < WAITS_MAX {
                        open.waits.push((o.span.began_micros, o.span.wall_micros));
                    }
                }
                Billed { own, total }
            }
            _ => Billed { total: own.clone(), own },
        }
    }

    fn open(&mut self, id: &Arc<str>) -> &mut Open {
        if !self.open.contains_key(id) {
            self.heard.push_back(Arc::clone(id));
            if self.heard.len() > OPEN_MAX
                && let Some(old) = self.heard.pop_front()
            {
                self.open.remove(&old);
            }
        }
        self.open.entry(Arc::clone(id)).or_default()
    }
}

/// An invocation as it was measured here, with its waits for services: when each began, and how long it took.
pub fn compute(invocation: &Invocation, waits: &[(u64, u64)]) -> Compute {
    Compute {
        wall_micros: invocation.span.wall_micros,
        cpu_micros: invocation.cpu_micros,
        memory_mib: invocation.memory_mib,
        cold: invocation.cold,
        bundle_bytes: invocation.bundle_bytes,
        service_rounds: rounds(waits.iter().copied()),
        service_micros: waits.iter().map(|(_, length)| length).sum(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Unit;
    use crate::cost::Measure;
    use crate::tui::sample;

    fn exactly(work: &Work, unit: Unit) -> u128 {
        work.get(Measure::Unit(unit)).high
    }

    #[test]
    fn an_invocation_is_billed_with_what_it_called_and_what_those_called() {
        let nested = |id: &str, parent: Cause| {
            let Record::Invocation(mut i) = sample::invocation(id, parent) else { unreachable!("an invocation") };
            i.own = sample::usage(&[(Unit::Invocations, 1)]);
            Record::Invocation(i)
        };
        let operation = |id: &str, parent: &str| {
            let mut records = sample::checkout(0);
            let Record::Operation(mut o) = records.swap_remove(1) else { unreachable!("an operation") };
            (o.id, o.parent) = (id.into(), Cause::Invocation(parent.into()));
            Record::Operation(o)
        };
        let mut billing = Billing::default();
        // The outer one writes, and invokes the inner one, which writes twice.
        billing.take(&operation("write", "outer"));
        billing.take(&operation("write 1", "inner"));
        billing.take(&operation("write 2", "inner"));
        let inner = billing.take(&nested("inner", Cause::Operation("invoke".into())));
        billing.take(&operation("invoke", "outer"));
        let outer = billing.take(&nested("outer", Cause::Request("r".into())));
        assert_eq!((exactly(&inner.total, Unit::TableWrites), exactly(&inner.total, Unit::Invocations)), (2, 1));
        assert_eq!((exactly(&outer.total, Unit::TableWrites), exactly(&outer.total, Unit::Invocations)), (4, 2));
        assert_eq!((exactly(&outer.own, Unit::TableWrites), exactly(&outer.own, Unit::Invocations)), (0, 1));
        assert!(billing.open.is_empty(), "what has ended is forgotten");
    }

    #[test]
    fn invocations_that_never_end_are_forgotten() {
        let mut billing = Billing::default();
        for n in 0..OPEN_MAX + 10 {
            billing.open(&format!("i{n}").into());
        }
        assert_eq!((billing.open.len(), billing.heard.len()), (OPEN_MAX, OPEN_MAX));
    }
}
