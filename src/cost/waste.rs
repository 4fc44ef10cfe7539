//! What is paid for and not needed. Each function takes what was seen and gives a finding, with its price, where there is something to find.

use std::collections::BTreeMap;

use super::bill::{Terms, price};
use super::book::Book;
use super::compute::{Assumptions, Compute};
use super::money::{Money, Range};
use super::work::Work;
use crate::base::Usage;

/// A search is wasteful where it reads so many times what it gives, …
const READ_PER_GIVEN: u64 = 10;
/// … and so many items in vain.
const READ_IN_VAIN_MIN: u64 = 20;
/// The same request so often in one invocation is worth a word.
pub const REPEATS_MIN: u64 = 10;
/// Memory that a provider's runtime takes for itself, in MiB: a bare Node on AWS Lambda reports 60 to 80.
const RUNTIME_MIB: u64 = 80;
/// Source: "Configure Lambda function memory".
const MEMORY_MIB_MIN: u64 = 128;
const MEMORY_STEP_MIB: u64 = 64;
/// A saving of less than so many thousandths is not worth a word.
const SAVING_PERMILLE_MIN: u128 = 100;
/// More use than so many thousandths of the memory is too near to its end.
const TIGHT_PERMILLE: u64 = 900;
/// A loop's round in production takes so long at least: triggers poll and batch.
const ROUND_MICROS_MIN: u64 = 100_000;
const HOUR_MICROS: u64 = 3_600_000_000;

/// Something that is paid for and not needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// What it costs, or what would be saved.
    pub cost: Option<Cost>,
}

/// An amount, and of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    pub amount: Range,
    pub per: Per,
}

/// What an amount is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    MillionCalls,
    Hour,
}

impl Finding {
    /// Message and price in one line.
    pub fn line(&self) -> String {
        match self.cost {
            None => self.message.clone(),
            Some(Cost { amount, per: Per::MillionCalls }) => format!("{} ({amount} per 1M calls)", self.message),
            Some(Cost { amount, per: Per::Hour }) => format!("{} ({amount} an hour)", self.message),
        }
    }
}

/// A function's memory, as it was used.
#[derive(Clone, Copy, Debug)]
pub struct Memory<'a> {
    pub function: &'a str,
    /// The most that an invocation used, in bytes.
    pub peak_bytes: u64,
    /// A usual invocation; its `memory_mib` is what the project file gives.
    pub usual: Compute,
}

/// Memory that is never used, or hardly enough. AWS Lambda bills what is configured; the saving is reckoned with the processor that goes
/// with the memory.
pub fn memory(seen: &Memory<'_>, assumptions: &Assumptions, book: &Book) -> Option<Finding> {
    let peak_mib = seen.peak_bytes.div_ceil(1 << 20);
    let needed = peak_mib.saturating_add(RUNTIME_MIB);
    let given = u64::from(seen.usual.memory_mib);
    let function = seen.function;
    if needed.saturating_mul(1000) > given.saturating_mul(TIGHT_PERMILLE) {
        let enough = rounded(needed.saturating_mul(1000).div_ceil(TIGHT_PERMILLE));
        return (peak_mib > 0 && enough > given).then(|| Finding {
            message: format!(
                "`{function}` used {peak_mib} MiB; with about {RUNTIME_MIB} MiB of the runtime's own, memorySize {given} is tight"
            ),
            help: format!("set `memorySize: {enough}`"),
            cost: None,
        });
    }
    // A third to spare.
    let enough = rounded(needed.saturating_mul(4).div_ceil(3));
    if enough >= given {
        return None;
    }
    let smaller = Compute { memory_mib: u32::try_from(enough).unwrap_or(u32::MAX), ..seen.usual };
    let cost = |compute: &Compute| price(&Work::invoked(compute, assumptions).scaled(1_000_000, 1), book, Terms::List).total();
    let (now, then) = (cost(&seen.usual), cost(&smaller));
    let (low, high) = (now.low.less(then.low), now.high.less(then.high));
    let saving = Range { low: low.min(high), high: low.max(high) };
    if saving.high.atoms() < now.high.atoms() / 1000 * SAVING_PERMILLE_MIN {
        return None;
    }
    Some(Finding {
        message: format!("`{function}` used {peak_mib} of {given} MiB at most; `memorySize: {enough}` would save"),
        help: format!(
            "set `memorySize: {enough}`, then compare durations in production: with less memory comes less processor (reckoned: {RUNTIME_MIB} MiB for the runtime, a third to spare)"
        ),
        cost: Some(Cost { amount: saving, per: Per::MillionCalls }),
    })
}

fn rounded(mib: u64) -> u64 {
    mib.div_ceil(MEMORY_STEP_MIB).saturating_mul(MEMORY_STEP_MIB).max(MEMORY_MIB_MIN)
}

/// A search in a table, or several alike.
#[derive(Clone, Copy, Debug)]
pub struct Search<'a> {
    /// `Scan`, `Query`.
    pub operation: &'a str,
    pub resource: &'a str,
    /// Items that were read.
    pub scanned: u64,
    /// Items that were given.
    pub returned: u64,
    /// What it used.
    pub usage: &'a Usage,
}

/// A search that reads much and gives little.
pub fn search(seen: &Search<'_>, book: &Book) -> Option<Finding> {
    let Search { operation, resource, scanned, returned, .. } = *seen;
    let in_vain = scanned.saturating_sub(returned);
    if in_vain < READ_IN_VAIN_MIN || scanned < returned.max(1).saturating_mul(READ_PER_GIVEN) {
        return None;
    }
    Some(Finding {
        message: format!("{operation} of `{resource}` read {scanned} items to give {returned}"),
        help: match operation {
            "Scan" => "query by a key, or add an index whose key is what the filter asks for: a filter is applied after reading".to_owned(),
            _ => "put what the filter asks for into the sort key, or into an index: a filter is applied after reading".to_owned(),
        },
        cost: Some(in_vain_cost(seen, book)),
    })
}

/// What was read in vain, of a million such searches.
fn in_vain_cost(seen: &Search<'_>, book: &Book) -> Cost {
    let whole = price(&Work::counted(seen.usage).scaled(1_000_000, 1), book, Terms::List).total();
    let in_vain = u128::from(seen.scanned.saturating_sub(seen.returned));
    let share = |amount: Money| Money::from_atoms(amount.atoms() / u128::from(seen.scanned.max(1))).times(in_vain);
    Cost { amount: Range { low: share(whole.low), high: share(whole.high) }, per: Per::MillionCalls }
}

/// A scan that filters by attributes instead of asking for them by a key; `index` is one that has the first of them as its key. However
/// little there is to read here, in production there is more.
pub fn missing_index(seen: &Search<'_>, filtered_by: &[String], index: Option<&str>, book: &Book) -> Option<Finding> {
    let Search { operation, resource, scanned, returned, .. } = *seen;
    let first = filtered_by.first().filter(|_| operation == "Scan" && scanned > returned)?;
    let names = filtered_by.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Some(Finding {
        message: format!("Scan of `{resource}` filters by {names}: it read {scanned} items to give {returned}"),
        help: match index {
            Some(index) => format!(
                "query the index `{index}`, whose key is `{first}`: a filter is applied after reading, and all that is read is paid for"
            ),
            None => format!(
                "add an index whose key is `{first}` and query it: a filter is applied after reading, and all that is read is paid for"
            ),
        },
        cost: Some(in_vain_cost(seen, book)),
    })
}

/// The same request, again and again in one invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    pub operation: String,
    pub resource: String,
    pub times: u64,
    /// All of them together.
    pub usage: Usage,
}

/// What one invocation asked for `least` times or more, the most often first. Takes each request's operation, resource and usage.
pub fn repeats<'a>(requests: impl IntoIterator<Item = (&'a str, &'a str, &'a Usage)>, least: u64) -> Vec<Repeats> {
    let mut found: BTreeMap<(&str, &str), (u64, Usage)> = BTreeMap::new();
    for (operation, resource, usage) in requests {
        let slot = found.entry((operation, resource)).or_default();
        slot.0 += 1;
        slot.1.add_all(usage);
    }
    let often = found.into_iter().filter(|(_, (times, _))| *times >= least);
    let mut repeats: Vec<Repeats> = often
        .map(|((operation, resource), (times, usage))| Repeats {
            operation: operation.to_owned(),
            resource: resource.to_owned(),
            times,
            usage,
        })
        .collect();
    repeats.sort_by_key(|repeat| std::cmp::Reverse(repeat.times));
    repeats
}

impl Repeats {
    /// The finding of it, in a function.
    pub fn finding(&self, function: &str, book: &Book) -> Finding {
        let Repeats { operation, resource, times, usage } = self;
        let help = match operation.as_str() {
            "GetItem" => "read them with one BatchGetItem (100 at once) or one Query: as dear, but one wait instead of many",
            "PutItem" | "DeleteItem" => "write them with BatchWriteItem (25 at once): as dear, but one wait instead of many",
            "SendMessage" => "send them with SendMessageBatch: ten messages of 64 KB together are one request",
            "DeleteMessage" => "delete them with DeleteMessageBatch: ten are one request",
            "Publish" => "publish them with PublishBatch: one wait for ten messages",
            "Query" | "Scan" => "ask once for all of them, by a common key or an index",
            _ => "ask once for all of them, or ask at the same time and wait once",
        };
        Finding {
            message: format!("`{function}` sent {operation} to `{resource}` {times} times in one invocation"),
            help: help.to_owned(),
            cost: Some(Cost {
                amount: price(&Work::counted(usage).scaled(1_000_000, 1), book, Terms::List).total(),
                per: Per::MillionCalls,
            }),
        }
    }
}

/// A chain of triggers that leads back to where it began, until it was stopped.
#[derive(Clone, Debug)]
pub struct Loop<'a> {
    /// `onOrder → table orders → onOrder`.
    pub path: &'a str,
    pub rounds: u64,
    /// What all the rounds did.
    pub work: &'a Work,
    /// How long they took.
    pub micros: u64,
}

/// What a loop would cost where nobody stops it.
pub fn trigger_loop(seen: &Loop<'_>, book: &Book) -> Finding {
    let rounds = seen.rounds.max(1);
    let round_micros = (seen.micros / rounds).max(ROUND_MICROS_MIN);
    let amount = price(&seen.work.scaled(HOUR_MICROS / round_micros, rounds), book, Terms::List).total();
    Finding {
        message: format!("{} is a loop: stopped after {} rounds", seen.path, seen.rounds),
        help: format!(
            "write elsewhere than the trigger watches, or filter the trigger's events; production would not stop it (reckoned: a round every {} ms)",
            round_micros / 1000
        ),
        cost: Some(Cost { amount, per: Per::Hour }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Unit;
    use crate::cost::{ColdStarts, Provider};

    fn usage(units: &[(Unit, u64)]) -> Usage {
        let mut usage = Usage::default();
        units.iter().for_each(|(unit, amount)| usage.add(*unit, *amount));
        usage
    }

    fn told(function_mib: u32, peak_mib: u64, wall_micros: u64, cpu_micros: u64) -> String {
        let usual = Compute { wall_micros, cpu_micros, memory_mib: function_mib, ..Compute::default() };
        let seen = Memory { function: "f", peak_bytes: peak_mib << 20, usual };
        memory(&seen, &Assumptions::default(), &Book::of(Provider::Aws)).map_or("fine".to_owned(), |found| found.line())
    }

    #[test]
    fn memory_that_is_never_used_is_found_with_its_price() {
        for (given, peak, wall, cpu, wanted) in [
            (1024, 40, 500_000, 0, "`f` used 40 of 1024 MiB at most; `memorySize: 192` would save ($6.77–6.79 per 1M calls)"),
            (128, 10, 500_000, 0, "fine"),
            (256, 100, 500_000, 0, "fine"),
            (256, 170, 500_000, 0, "`f` used 170 MiB; with about 80 MiB of the runtime's own, memorySize 256 is tight"),
            (128, 0, 0, 0, "fine"),
        ] {
            assert_eq!(told(given, peak, wall, cpu), wanted, "{given} MiB, {peak} used");
        }
    }

    #[test]
    fn a_function_that_computes_gains_nothing_by_less_memory() {
        let usual = Compute { wall_micros: 500_000, cpu_micros: 500_000, memory_mib: 1024, ..Compute::default() };
        let none = Assumptions { engine_speed_max: 1, cold_starts: ColdStarts::Permille(0, 0), ..Assumptions::default() };
        let seen = Memory { function: "f", peak_bytes: 40 << 20, usual };
        assert_eq!(memory(&seen, &none, &Book::of(Provider::Aws)), None, "it takes as much longer as it has less");
    }

    #[test]
    fn a_search_that_reads_in_vain_is_found_with_what_that_costs() {
        let usage = usage(&[(Unit::TableReadHalves, 200)]);
        let book = Book::of(Provider::Aws);
        let told = |scanned, returned| {
            search(&Search { operation: "Scan", resource: "orders", scanned, returned, usage: &usage }, &book).map(|found| found.line())
        };
        assert_eq!(told(1000, 4).as_deref(), Some("Scan of `orders` read 1000 items to give 4 ($12.45 per 1M calls)"));
        assert_eq!(told(1000, 0).as_deref(), Some("Scan of `orders` read 1000 items to give 0 ($12.50 per 1M calls)"));
        assert_eq!(told(1000, 101), None);
        assert_eq!(told(19, 0), None, "a few in vain are no matter");
        assert_eq!(told(0, 5), None);
    }

    #[test]
    fn a_scan_with_a_filter_lacks_an_index_or_does_not_use_it() {
        let usage = usage(&[(Unit::TableReadHalves, 2)]);
        let book = Book::of(Provider::Aws);
        let told = |operation, returned, index| {
            let seen = Search { operation, resource: "orders", scanned: 4, returned, usage: &usage };
            missing_index(&seen, &["status".to_owned(), "day".to_owned()], index, &book)
        };
        let found = told("Scan", 1, None).expect("a finding");
        assert_eq!(found.line(), "Scan of `orders` filters by `status`, `day`: it read 4 items to give 1 ($0.094 per 1M calls)");
        assert!(found.help.starts_with("add an index whose key is `status`"));
        assert!(told("Scan", 1, Some("byStatus")).is_some_and(|found| found.help.starts_with("query the index `byStatus`")));
        assert_eq!(told("Scan", 4, None), None, "nothing was left out");
        assert_eq!(told("Query", 1, None), None, "a query has its key");
    }

    #[test]
    fn the_same_request_many_times_in_an_invocation_is_found() {
        let one = usage(&[(Unit::TableReadHalves, 1)]);
        let requests = || std::iter::repeat_n(("GetItem", "users", &one), 12).chain(std::iter::repeat_n(("GetItem", "orders", &one), 9));
        let found = repeats(requests(), REPEATS_MIN);
        assert_eq!(found.len(), 1);
        let finding = found[0].finding("feed", &Book::of(Provider::Aws));
        assert_eq!(finding.line(), "`feed` sent GetItem to `users` 12 times in one invocation ($0.75 per 1M calls)");
        assert!(finding.help.contains("BatchGetItem"));
        assert_eq!(repeats(requests(), 1).iter().map(|repeat| repeat.times).collect::<Vec<_>>(), [12, 9]);
    }

    #[test]
    fn a_loop_has_a_price_by_the_hour() {
        let work = Work::counted(&usage(&[(Unit::Invocations, 16), (Unit::TableWrites, 16)]));
        let seen = Loop { path: "onOrder → table orders → onOrder", rounds: 16, work: &work, micros: 16_000 };
        let finding = trigger_loop(&seen, &Book::of(Provider::Aws));
        // 36,000 rounds an hour, each 0.2 + 0.625 millionths.
        assert_eq!(finding.line(), "onOrder → table orders → onOrder is a loop: stopped after 16 rounds ($0.030 an hour)");
        assert!(finding.help.contains("a round every 100 ms"));
        let slow = Loop { micros: 16 * 3_600_000_000, ..seen };
        assert_eq!(
            trigger_loop(&slow, &Book::of(Provider::Aws)).cost.map(|cost| cost.amount.high.decimal()).as_deref(),
            Some("0.000000825")
        );
    }
}
