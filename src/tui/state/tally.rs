//! Counts that outlive the records they were made of: by second, function, service and kind of trace. All bounded.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use crate::base::{Cause, TraceId, Usage};
use crate::telemetry::{Invocation, Outcome, Record};

/// Seconds that are looked back.
pub const SECONDS: usize = 240;
/// Names that are counted each on its own; further ones together.
const NAMES_MAX: usize = 500;
/// Traces whose kind is remembered, or still to be learned.
const TRACES_MAX: usize = 20_000;
/// What is counted together.
const OTHER: &str = "(other)";

/// One second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    pub invocations: u64,
    pub errors: u64,
    pub usage: Usage,
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
    pub usage: Usage,
}

/// Of which kind a trace is, or what it has used until that is known.
enum Kind {
    Known(Arc<str>),
    Unknown(Box<Usage>),
}

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
    pub services: BTreeMap<Arc<str>, Sum>,
    pub kinds: BTreeMap<Arc<str>, Sum>,
    traces: HashMap<TraceId, Kind>,
    /// In the order they were first seen.
    seen: VecDeque<TraceId>,
}

impl Tally {
    /// Counts a record.
    pub fn add(&mut self, record: &Record) {
        match record {
            Record::Request(r) => {
                self.requests += 1;
                self.spend(ended(r.span), &r.own, "gateway", r.status >= 500, r.span.wall_micros);
                self.spend_trace(&r.trace, &r.own);
            }
            Record::Invocation(i) => self.add_invocation(i),
            Record::Operation(o) => {
                if matches!(o.parent, Cause::Request(_)) {
                    self.name_trace(&o.trace, || format!("{} {}", o.service, o.action).into());
                    self.count_kind(&o.trace, o.status >= 500, o.span.wall_micros);
                }
                self.spend(ended(o.span), &o.own, &o.service, o.status >= 400, o.span.wall_micros);
                self.spend_trace(&o.trace, &o.own);
            }
            Record::Delivery(d) => {
                self.deliveries += 1;
                if matches!(d.parent, Cause::Operator) {
                    self.name_trace(&d.trace, || format!("{} → {}", d.source, d.target).into());
                }
                self.spend(ended(d.span), &d.own, "triggers", d.outcome != Outcome::Succeeded, d.span.wall_micros);
                self.spend_trace(&d.trace, &d.own);
            }
            Record::Mail(_) => self.mails += 1,
            Record::Log(_) | Record::Reload(_) | Record::Problem(_) => {}
        }
    }

    fn add_invocation(&mut self, i: &Invocation) {
        let failed = i.outcome != Outcome::Succeeded;
        if let Some(second) = self.second(ended(i.span)) {
            second.invocations += 1;
            second.errors += u64::from(failed);
        }
        let function = entry(&mut self.functions, &i.function);
        for sum in [function, &mut self.total] {
            sum.count += 1;
            sum.errors += u64::from(failed);
            sum.cold += u64::from(i.cold);
            sum.memory_peak_bytes = sum.memory_peak_bytes.max(i.memory_peak_bytes);
            sum.memory_mib = i.memory_mib;
            sum.latencies.add(i.span.wall_micros);
        }
        entry(&mut self.functions, &i.function).usage.add_all(&i.usage);
        if matches!(i.parent, Cause::Request(_) | Cause::Operator) {
            let name = || if i.trigger.is_empty() { Arc::clone(&i.function) } else { Arc::clone(&i.trigger) };
            self.name_trace(&i.trace, name);
            self.count_kind(&i.trace, failed, i.span.wall_micros);
        }
        self.spend(ended(i.span), &i.own, "functions", failed, i.span.wall_micros);
        self.spend_trace(&i.trace, &i.own);
    }

    fn spend(&mut self, at_micros: u64, own: &Usage, service: &str, failed: bool, wall_micros: u64) {
        if let Some(second) = self.second(at_micros) {
            second.usage.add_all(own);
        }
        self.total.usage.add_all(own);
        let sum = entry(&mut self.services, service);
        sum.count += 1;
        sum.errors += u64::from(failed);
        sum.latencies.add(wall_micros);
        sum.usage.add_all(own);
    }

    /// Says of which kind a trace is, if that is not known yet.
    fn name_trace(&mut self, trace: &TraceId, name: impl FnOnce() -> Arc<str>) {
        let spent = match self.traces.get(trace) {
            Some(Kind::Known(_)) => return,
            Some(Kind::Unknown(spent)) => **spent,
            None => {
                self.see(trace);
                Usage::default()
            }
        };
        let name = name();
        entry(&mut self.kinds, &name).usage.add_all(&spent);
        self.traces.insert(trace.clone(), Kind::Known(name));
    }

    fn count_kind(&mut self, trace: &TraceId, failed: bool, wall_micros: u64) {
        if let Some(Kind::Known(name)) = self.traces.get(trace) {
            let sum = entry(&mut self.kinds, name);
            sum.count += 1;
            sum.errors += u64::from(failed);
            sum.latencies.add(wall_micros);
        }
    }

    fn spend_trace(&mut self, trace: &TraceId, own: &Usage) {
        match self.traces.get_mut(trace) {
            Some(Kind::Known(name)) => entry(&mut self.kinds, name).usage.add_all(own),
            Some(Kind::Unknown(spent)) => spent.add_all(own),
            None => {
                self.see(trace);
                self.traces.insert(trace.clone(), Kind::Unknown(Box::new(*own)));
            }
        }
    }

    fn see(&mut self, trace: &TraceId) {
        self.seen.push_back(trace.clone());
        if self.seen.len() > TRACES_MAX
            && let Some(old) = self.seen.pop_front()
            && let Some(Kind::Unknown(spent)) = self.traces.remove(&old)
        {
            entry(&mut self.kinds, OTHER).usage.add_all(&spent);
        }
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

fn ended(span: crate::telemetry::Span) -> u64 {
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
    use crate::tui::sample;

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
    fn the_parts_of_a_trace_are_the_whole_and_belong_to_what_began_it() {
        let mut tally = Tally::default();
        let records = sample::checkout(0);
        records.iter().for_each(|record| tally.add(record));
        let mut whole = Usage::default();
        tally.kinds.values().for_each(|sum| whole.add_all(&sum.usage));
        assert_eq!(whole, tally.total.usage);
        assert!(whole.get(Unit::TableWrites) > 0);
        assert_eq!(tally.kinds.keys().map(|name| &**name).collect::<Vec<_>>(), ["POST /orders"]);
        let mut by_service = Usage::default();
        tally.services.values().for_each(|sum| by_service.add_all(&sum.usage));
        assert_eq!(by_service, whole);
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
