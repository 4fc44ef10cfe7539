//! From records to money: what each record's work is, and the prices that the dashboard asks for.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

use crate::base::{Cause, Unit, Usage};
use crate::cost::{Add, Assumptions, Book, Compute, Money, Provider, Range, Terms, Work, price, rounds};
use crate::telemetry::{Invocation, Record};
use crate::tui;

/// 10⁻²⁷ dollars in a picodollar.
const ATOMS_PER_PICO: u128 = 1_000_000_000_000_000;

/// The work of each record: what it used itself, and, where it is an invocation, its time as providers bill it.
pub fn work(records: &[Arc<Record>], assumptions: &Assumptions) -> Vec<Work> {
    let mut waits: HashMap<&str, Vec<(u64, u64)>> = HashMap::new();
    for record in records {
        if let Record::Operation(operation) = &**record
            && let Cause::Invocation(invocation) = &operation.parent
        {
            waits.entry(invocation).or_default().push((operation.span.began_micros, operation.span.wall_micros));
        }
    }
    let of = |record: &Arc<Record>| {
        let mut work = Work::counted(&record.own());
        if let Record::Invocation(invocation) = &**record {
            let waits = waits.get(&*invocation.id).map_or(&[][..], Vec::as_slice);
            work.add(&Work::invoked(&compute(invocation, waits), assumptions));
        }
        work
    };
    records.iter().map(of).collect()
}

fn compute(invocation: &Invocation, waits: &[(u64, u64)]) -> Compute {
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

/// The prices of all providers, for the dashboard.
pub struct Books(Vec<Book>);

impl Books {
    pub fn new() -> Books {
        Books(Provider::ALL.iter().map(|provider| Book::of(*provider)).collect())
    }

    fn total(&self, provider: usize, work: &Work, terms: Terms) -> tui::Money {
        let Some(book) = self.0.get(provider) else { return tui::Money::default() };
        let Range { low, high } = price(work, book, terms).total();
        let pico = |money: Money| u64::try_from(money.atoms() / ATOMS_PER_PICO).unwrap_or(u64::MAX);
        tui::Money { low: pico(low), high: pico(high) }
    }
}

/// The work behind a sum of usages. Providers round each invocation's time, and of a sum only the mean is known: so the mean is billed as
/// often as there were invocations.
fn summed(usage: &Usage) -> Work {
    let mut work = Work::counted(usage);
    if let Some(invocations) = NonZeroU64::new(usage.get(Unit::Invocations)) {
        let wall_micros = usage.get(Unit::InvocationMicros);
        let mean = Compute {
            wall_micros: wall_micros / invocations,
            cpu_micros: usage.get(Unit::InvocationCpuMicros) / invocations,
            memory_mib: u32::try_from(usage.get(Unit::InvocationMibMicros).checked_div(wall_micros).unwrap_or(0)).unwrap_or(u32::MAX),
            ..Compute::default()
        };
        work.add(&Work::invoked(&mean, &Assumptions::default()).scaled(invocations.get(), 1));
    }
    work
}

impl tui::Prices for Books {
    fn providers(&self) -> Vec<tui::Provider> {
        self.0.iter().map(|book| tui::Provider { name: book.name.clone(), date: book.date.to_string() }).collect()
    }

    fn cost(&self, provider: usize, usage: &Usage) -> tui::Money {
        self.total(provider, &summed(usage), Terms::List)
    }

    fn month(&self, provider: usize, usage: &Usage, free_tier: bool) -> tui::Money {
        self.total(provider, &summed(usage), Terms::Month { free_tier })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::Prices;

    #[test]
    fn a_call_costs_its_operations_exactly_and_its_time_as_a_range() {
        let books = Books::new();
        let mut usage = Usage::default();
        usage.add(Unit::TableWrites, 2);
        // AWS: $0.625 a million write units.
        assert_eq!(books.cost(0, &usage), tui::Money::exact(1_250_000));
        usage.add(Unit::Invocations, 1);
        usage.add(Unit::InvocationMicros, 20_000);
        usage.add(Unit::InvocationMibMicros, 20_000 * 128);
        usage.add(Unit::InvocationCpuMicros, 10_000);
        let whole = books.cost(0, &usage);
        // $0.20 a million requests, and at least a millisecond of 128 MiB.
        assert!(whole.low > 1_450_000 && whole.low < whole.high, "{whole:?}");
        assert_eq!(books.cost(99, &usage), tui::Money::default());
    }
}
