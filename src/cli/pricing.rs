//! From records to money: what each record's work is, and the prices that the dashboard asks for.

use std::collections::HashMap;
use std::sync::Arc;

use crate::app;
use crate::base::Cause;
use crate::cost::{Add, Assumptions, Book, Money, Provider, Range, Terms, Work, price};
use crate::telemetry::Record;
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
            work.add(&Work::invoked(&tui::compute(invocation, waits), assumptions));
        }
        work
    };
    records.iter().map(of).collect()
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

impl tui::Prices for Books {
    fn providers(&self) -> Vec<tui::Provider> {
        self.0.iter().map(|book| tui::Provider { name: book.name.clone(), date: book.date.to_string() }).collect()
    }

    fn cost(&self, provider: usize, work: &Work) -> tui::Money {
        self.total(provider, work, Terms::List)
    }

    fn month(&self, provider: usize, work: &Work, free_tier: bool) -> tui::Money {
        self.total(provider, work, Terms::Month { free_tier })
    }
}

/// The list prices of all providers, for the admin API.
pub struct ListPrices;

impl app::Prices for ListPrices {
    fn biller(&self, provider: &str) -> Result<Box<dyn app::Biller>, String> {
        let provider: Provider = provider.parse().map_err(|error: crate::cost::NoProvider| error.to_string())?;
        Ok(Box::new(ListBiller { book: Book::of(provider), billing: tui::Billing::default() }))
    }
}

struct ListBiller {
    book: Book,
    billing: tui::Billing,
}

impl app::Biller for ListBiller {
    fn take(&mut self, record: &Record) -> Option<app::Cost> {
        let billed = self.billing.take(record);
        if !matches!(record, Record::Invocation(_)) {
            return None;
        }
        let Range { low, high } = price(&billed.total, &self.book, Terms::List).total();
        let dollars = |money: Money| money.decimal().parse().unwrap_or(0.0);
        Some(app::Cost { low: dollars(low), high: dollars(high) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Unit, Usage};
    use crate::cost::Compute;
    use crate::tui::Prices;

    #[test]
    fn a_call_costs_its_operations_exactly_and_its_time_as_a_range() {
        let books = Books::new();
        let mut usage = Usage::default();
        usage.add(Unit::TableWrites, 2);
        // AWS: $0.625 a million write units.
        assert_eq!(books.cost(0, &Work::counted(&usage)), tui::Money::exact(1_250_000));
        usage.add(Unit::Invocations, 1);
        let mut work = Work::counted(&usage);
        let compute = Compute { wall_micros: 20_000, cpu_micros: 10_000, memory_mib: 128, ..Compute::default() };
        work.add(&Work::invoked(&compute, &Assumptions::default()));
        let whole = books.cost(0, &work);
        // $0.20 a million requests, and at least a millisecond of 128 MiB.
        assert!(whole.low > 1_450_000 && whole.low < whole.high, "{whole:?}");
        assert_eq!(books.cost(99, &work), tui::Money::default());
    }

    #[test]
    fn the_admin_api_bills_an_invocation_with_what_it_called() {
        let [invocation, operation] = ["invocation", "operation"].map(|kind| {
            let records = tui::sample::checkout(0);
            records.into_iter().find(|record| record.kind() == kind).expect("the sample has one")
        });
        assert!(app::Prices::biller(&ListPrices, "nobody").err().expect("refused").contains("there are aws, aws-arm"));
        let bill = |records: &[&Record]| {
            let mut biller = app::Prices::biller(&ListPrices, "aws").expect("prices");
            records.iter().fold(None, |last, record| biller.take(record).or(last)).expect("an invocation")
        };
        let Record::Invocation(mut alone) = invocation else { unreachable!("an invocation") };
        let Record::Operation(mut write) = operation else { unreachable!("an operation") };
        alone.own = Usage::default();
        alone.own.add(Unit::Invocations, 1);
        write.own = Usage::default();
        write.own.add(Unit::TableWrites, 1);
        write.parent = Cause::Invocation(alone.id.clone());
        let (alone, write) = (Record::Invocation(alone), Record::Operation(write));
        let (without, with) = (bill(&[&alone]), bill(&[&write, &alone]));
        // $0.20 a million requests; $0.625 a million write units more.
        assert!(without.low >= 0.2e-6 && with.low >= without.low + 0.6e-6 && with.high >= with.low, "{without:?} {with:?}");
    }
}
