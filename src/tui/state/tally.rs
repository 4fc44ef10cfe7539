//! Counts that outlive the records they were made of: by second, function, service and kind of trace. All bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::base::TraceId;
use crate::cost::{Add, Work};
use crate::telemetry::{Invocation, Outcome, Record, Span};
use crate::tui::Billed;

/// Seconds that are looked back.
pub const SECONDS: usize = 240;
/// Names that are counted each on its own; further ones together.
const NAMES_MAX: usize = 500;
/// Traces whose kind is remembered, or still to be learned.
const TRACES_MAX: usize = 20_000;
/// What is counted together.
pub const OTHER: &str = "(other)";

/// One second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Second {
    pub invocations: u64,
    pub errors: u64,
    pub work: Work,
}

/// How long something took: how often by size, in steps of an eighth of a power of two.
#[derive(Clone)]
pub struct Latencies {
    counts: Box<[u32; 256]>,
    total: u64,
}

impl Default for Latencies {
    fn default() -> Latencies {
        Latencies { counts: Box::new([0; 256]), total: 0 }
    }
}

impl Latencies {
    fn slot(micros: u64) -> usize {
        if micros < 8 {
            return micros as usize;
        }
        let power = 63 - micros.leading_zeros() as usize;
        ((power - 2) * 8 + ((micros >> (power - 3)) & 7) as usize).min(255)
    }

    /// The largest number of microseconds of a slot.
    fn upper(slot: usize) -> u64 {
        if slot < 8 {
            return slot as u64;
        }
        let (power, eighth) = (slot / 8 + 2, (slot % 8) as u64);
        ((8 + eighth + 1) << (power - 3)) - 1
    }

    pub fn add(&mut self, micros: u64) {
        let count = &mut self.counts[Latencies::slot(micros)];
        *count = count.saturating_add(1);
        self.total += 1;
    }

    /// What so many of a hundred did not exceed, to an eighth; `None` where nothing was measured.
    pub fn percentile(&self, of_hundred: u64) -> Option<u64> {
        let wanted = (self.total * of_hundred).div_ceil(100).max(1);
        let mut seen = 0;
        self.counts.iter().enumerate().find_map(|(slot, count)| {
            seen += u64::from(*count);
            (seen >= wanted).then(|| Latencies::upper(slot))
        })
    }

    /// How many took up to each of these microseconds and more than the one before; the last holds the rest.
    pub fn buckets(&self, bounds: &[u64]) -> Vec<u64> {
        let mut buckets = vec![0; bounds.len() + 1];
        for (slot, count) in self.counts.iter().enumerate() {
            buckets[bounds.partition_point(|bound| *bound < Latencies::upper(slot))] += u64::from(*count);
        }
        buckets
    }
}

/// What one function, service or kind of trace did.
#[derive(Clone, Default)]
pub struct Sum {
    pub count: u64,
    pub errors: u64,
    pub cold: u64,
    pub memory_peak_bytes: u64,
    pub memory_mib: u32,
    pub latencies: Latencies,
    pub work: Work,
}

/// Of which kind a trace is, or what it has done until that is known.
enum Kind {
    Known(Arc<str>),
    Unknown(Work),
}

impl Sum {
    fn occurred(&mut self, failed: bool, span: Span) {
        self.count += 1;
        self.errors += u64::from(failed);
        self.latencies.add(span.wall_micros);
    }
}

/// All of them.
#[derive(Default)]
pub struct Tally {
    /// The last is the second `newest`.
    seconds: VecDeque<Second>,
    newest: u64,
    pub total: Sum,
    pub requests: u64,
    pub deliveries: u64,
    pub mails: u64,
    pub functions: BTreeMap<Arc<str>, Sum>,
    /// What no function is behind.
    pub nobody: Sum,
    pub services: BTreeMap<Arc<str>, Sum>,
    pub kinds: BTreeMap<Arc<str>, Sum>,
    traces: HashMap<TraceId, Kind>,
    /// In the order they were first seen.
    seen: VecDeque<TraceId>,
}

impl Tally {
    /// Counts a record, whose work is `billed`. It is put down to one function, one service and one kind of trace.
    pub fn add(&mut self, record: &Record, billed: &Billed) {
        let (failed, span) = match record {
            Record::Request(r) => {
                self.requests += 1;
                (r.status >= 500, r.span)
            }
            Record::Invocation(i) => {
                self.add_invocation(i);
                (i.outcome != Outcome::Succeeded, i.span)
            }
            Record::Operation(o) => (o.status >= 400, o.span),
            Record::Delivery(d) => {
                self.deliveries += 1;
                (d.outcome != Outcome::Succeeded, d.span)
            }
            Record::Mail(_) => {
                self.mails += 1;
                return;
            }
            Record::Push(_) | Record::Log(_) | Record::Reload(_) | Record::Problem(_) => return,
        };
        if let Some(second) = self.second(ended(span)) {
            second.work.add(&billed.own);
        }
        self.total.work.add(&billed.own);
        if let Some(service) = record.service() {
            let sum = entry(&mut self.services, service);
            sum.occurred(failed, span);
            sum.work.add(&billed.own);
        }
        match record.payer() {
            Some(function) => entry(&mut self.functions, function).work.add(&billed.own),
            None if billed.own.is_empty() => {}
            None => {
                self.nobody.occurred(failed, span);
                self.nobody.work.add(&billed.own);
            }
        }
        let Some(trace) = record.trace() else { return };
        if let Some(kind) = record.beginning() {
            let kind = self.name_trace(trace, kind);
            entry(&mut self.kinds, &kind).occurred(failed, span);
        }
        self.spend_trace(trace, &billed.own);
    }

    fn add_invocation(&mut self, i: &Invocation) {
        let failed = i.outcome != Outcome::Succeeded;
        if let Some(second) = self.second(ended(i.span)) {
            second.invocations += 1;
            second.errors += u64::from(failed);
        }
        let function = entry(&mut self.functions, &i.function);
        for sum in [function, &mut self.total] {
            sum.occurred(failed, i.span);
            sum.cold += u64::from(i.cold);
            sum.memory_peak_bytes = sum.memory_peak_bytes.max(i.memory_peak_bytes);
            sum.memory_mib = i.memory_mib;
        }
    }

    /// The kind of a trace: what it was said to be first, or else this.
    fn name_trace(&mut self, trace: &TraceId, name: Arc<str>) -> Arc<str> {
        let spent = match self.traces.get_mut(trace) {
            Some(Kind::Known(known)) => return Arc::clone(known),
            Some(Kind::Unknown(spent)) => std::mem::take(spent),
            None => {
                self.see(trace);
                Work::default()
            }
        };
        entry(&mut self.kinds, &name).work.add(&spent);
        self.traces.insert(trace.clone(), Kind::Known(Arc::clone(&name)));
        name
    }

    fn spend_trace(&mut self, trace: &TraceId, own: &Work) {
        match self.traces.get_mut(trace) {
            Some(Kind::Known(name)) => entry(&mut self.kinds, name).work.add(own),
            Some(Kind::Unknown(spent)) => spent.add(own),
            None => {
                self.see(trace);
                self.traces.insert(trace.clone(), Kind::Unknown(own.clone()));
            }
        }
    }

    fn see(&mut self, trace: &TraceId) {
        self.seen.push_back(trace.clone());
        if self.seen.len() > TRACES_MAX
            && let Some(old) = self.seen.pop_front()
            && let Some(Kind::Unknown(spent)) = self.traces.remove(&old)
        {
            entry(&mut self.kinds, OTHER).work.add(&spent);
        }
    }

    /// The work of traces that nobody has told the beginning of: they are under way, mostly.
    pub fn under_way(&self) -> Work {
        let mut work = Work::default();
        for kind in self.traces.values() {
            if let Kind::Unknown(spent) = kind {
                work.add(spent);
            }
        }
        work
    }

    /// The second of a moment, if it is not too long ago. Moves on where it is newer than all.
    fn second(&mut self, micros: u64) -> Option<&mut Second> {
        let second = micros / 1_000_000;
        self.move_on(second);
        let back = usize::try_from(self.newest.checked_sub(second)?).ok()?;
        let at = self.seconds.len().checked_sub(back + 1)?;
        self.seconds.get_mut(at)
    }

    /// Time passes.
    pub fn move_on(&mut self, second: u64) {
        if second <= self.newest {
            return;
        }
        let new = usize::try_from(second - self.newest).unwrap_or(SECONDS).min(SECONDS);
        self.newest = second;
        self.seconds.extend(std::iter::repeat_n(Second::default(), new));
        let excess = self.seconds.len().saturating_sub(SECONDS);
        self.seconds.drain(..excess);
    }

    /// The last `n` seconds, oldest first, the one under way last.
    pub fn last_seconds(&self, n: usize) -> impl Iterator<Item = &Second> {
        self.seconds.iter().skip(self.seconds.len().saturating_sub(n))
    }

    /// Whether anything happened in the seconds that are looked back.
    pub fn is_moving(&self) -> bool {
        self.seconds.iter().any(|second| *second != Second::default())
    }
}

fn ended(span: Span) -> u64 {
    span.began_micros.saturating_add(span.wall_micros)
}

fn entry<'a>(sums: &'a mut BTreeMap<Arc<str>, Sum>, name: &str) -> &'a mut Sum {
    let name = if sums.contains_key(name) || sums.len() < NAMES_MAX { name } else { OTHER };
    if !sums.contains_key(name) {
        sums.insert(name.into(), Sum::default());
    }
    sums.get_mut(name).expect("it was just put there")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Unit;
    use crate::cost::{Measure, sum};
    use crate::tui::{Billing, sample};

    #[test]
    fn percentiles_are_right_to_an_eighth() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.percentile(50), None);
        (1..=1_000).for_each(|n| latencies.add(n * 100));
        for (of_hundred, exact) in [(1u64, 1_000u64), (50, 50_000), (95, 95_000), (100, 100_000)] {
            let got = latencies.percentile(of_hundred).expect("measured");
            assert!(got >= exact && got <= exact + exact / 8 + 1, "p{of_hundred}: {got}");
        }
        assert_eq!(latencies.buckets(&[]).iter().sum::<u64>(), 1_000);
        for micros in [0, 7, 8, 9, 255, 256, 1 << 20, u64::MAX] {
            let slot = Latencies::slot(micros);
            assert!(slot == 255 || Latencies::upper(slot) >= micros, "{micros}");
        }
    }

    #[test]
    fn the_parts_are_the_whole_however_they_are_added_up() {
        let (mut tally, mut billing) = (Tally::default(), Billing::default());
        for record in sample::shop() {
            tally.add(&record, &billing.take(&record));
            let whole = &tally.total.work;
            assert_eq!(sum(tally.kinds.values().map(|sum| &sum.work).chain([&tally.under_way()])), *whole);
            assert_eq!(sum(tally.services.values().map(|sum| &sum.work)), *whole);
            assert_eq!(sum(tally.functions.values().chain([&tally.nobody]).map(|sum| &sum.work)), *whole);
        }
        assert!(tally.total.work.get(Measure::Unit(Unit::TableWrites)).high > 0);
        assert_eq!(tally.kinds.keys().map(|name| &**name).collect::<Vec<_>>(), ["POST /orders", "POST /pay/{id}"]);
    }

    #[test]
    fn seconds_pass_and_are_forgotten() {
        let mut tally = Tally::default();
        tally.move_on(1_000);
        tally.second(1_000_000_000).expect("now").invocations += 1;
        assert!(tally.is_moving());
        tally.move_on(1_002);
        assert_eq!(tally.last_seconds(3).map(|second| second.invocations).collect::<Vec<_>>(), [1, 0, 0]);
        assert!(tally.second(1).is_none(), "too long ago");
        tally.move_on(1_000 + SECONDS as u64);
        assert!(!tally.is_moving());
    }

    #[test]
    fn names_without_end_are_counted_together() {
        let mut sums = BTreeMap::new();
        (0..2_000).for_each(|n| entry(&mut sums, &format!("name {n}")).count += 1);
        assert_eq!((sums.len(), sums[OTHER].count), (NAMES_MAX + 1, 1_500));
    }
}
