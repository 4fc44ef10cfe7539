//! What was seen so far of each invocation, function and chain of events, and what is wasteful about it. Bounded, and no I/O.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use crate::base::{Cause, DEPTH_MAX, TraceId, Usage};
use crate::cost::waste::{Finding, Loop, Memory, REPEATS_MIN, Repeats, Search, memory, missing_index, search, trigger_loop};
use crate::cost::{Add, Assumptions, Book, Compute, Provider, Work};
use crate::telemetry::{Delivery, Invocation, Level, Operation, Outcome, Record};
use crate::tui;

/// Invocations whose operations are remembered until they end.
const OPEN_MAX: usize = 2_048;
/// Chains of events that are remembered.
const CHAINS_MAX: usize = 256;
/// Functions whose memory is remembered, and findings that were told.
const FUNCTIONS_MAX: usize = 1_000;
const TOLD_MAX: usize = 2_000;
/// Kinds of operations, and waits, of one invocation.
const ASKED_MAX: usize = 64;
const WAITS_MAX: usize = 1_000;
/// So many invocations say how much memory a function needs.
const INVOCATIONS_MIN: u64 = 10;

/// Something that was found.
#[derive(Debug, PartialEq)]
pub struct Seen {
    pub finding: Finding,
    pub level: Level,
    /// The function and the action, where it is about one: its place may be known.
    pub asked: Option<(Arc<str>, Arc<str>)>,
}

/// What a finding is about; each is told once.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Told {
    Memory { function: Arc<str>, given_mib: u32, tight: bool },
    Search { function: Arc<str>, action: Arc<str>, resource: Arc<str> },
    Repeats { function: Arc<str>, action: Arc<str>, resource: Arc<str> },
    Loop { path: String },
}

/// Gives the index of a table that has an attribute as its key.
type Index = Box<dyn Fn(&str, &str) -> Option<String> + Send>;

pub struct Waste {
    book: Book,
    assumptions: Assumptions,
    index: Index,
    /// Invocations under way, by identifier.
    open: Recent<Arc<str>, Open>,
    functions: HashMap<Arc<str>, Used>,
    chains: Recent<TraceId, Chain>,
    told: HashSet<Told>,
}

/// What an invocation under way has asked for.
#[derive(Default)]
struct Open {
    asked: BTreeMap<(Arc<str>, Arc<str>), Asked>,
    /// (began, length), in microseconds.
    waits: Vec<(u64, u64)>,
}

/// The same operation on the same resource.
#[derive(Default)]
struct Asked {
    times: u64,
    looked_at: u64,
    gave: u64,
    filtered_by: Vec<String>,
    usage: Usage,
}

/// A function's invocations, together.
#[derive(Default)]
struct Used {
    given_mib: u32,
    peak_bytes: u64,
    invocations: u64,
    sum: Compute,
}

/// What events led to within one trace.
#[derive(Default)]
struct Chain {
    /// Function and trigger by depth.
    calls: BTreeMap<u16, (Arc<str>, Arc<str>)>,
    work: Work,
    /// In microseconds.
    began: Option<u64>,
    ended: u64,
}

impl Waste {
    /// `index` gives the index of a table that has an attribute as its key.
    pub fn new(index: Index) -> Waste {
        Waste {
            book: Book::of(Provider::Aws),
            assumptions: Assumptions::default(),
            index,
            open: Recent::new(OPEN_MAX),
            functions: HashMap::new(),
            chains: Recent::new(CHAINS_MAX),
            told: HashSet::new(),
        }
    }

    /// Takes a record in; answers what it shows for the first time.
    pub fn see(&mut self, record: &Record) -> Vec<Seen> {
        match record {
            Record::Operation(operation) => {
                self.operation(operation);
                Vec::new()
            }
            Record::Invocation(invocation) if !matches!(invocation.outcome, Outcome::Refused { .. }) => self.invocation(invocation),
            Record::Delivery(delivery) => self.delivery(delivery).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// How many invocations under way are remembered.
    #[cfg(test)]
    pub fn remembered(&self) -> usize {
        self.open.values.len()
    }

    fn operation(&mut self, operation: &Operation) {
        let Cause::Invocation(id) = &operation.parent else { return };
        let open = self.open.get(id);
        if open.waits.len() < WAITS_MAX {
            open.waits.push((operation.span.began_micros, operation.span.wall_micros));
        }
        let key = (operation.action.clone(), operation.resource.clone().unwrap_or_else(|| operation.service.clone()));
        if open.asked.len() >= ASKED_MAX && !open.asked.contains_key(&key) {
            return;
        }
        let asked = open.asked.entry(key).or_default();
        asked.times += 1;
        asked.usage.add_all(&operation.own);
        if let Some(search) = &operation.search {
            asked.looked_at = asked.looked_at.saturating_add(search.looked_at);
            asked.gave = asked.gave.saturating_add(search.gave);
            if asked.filtered_by.is_empty() {
                asked.filtered_by.clone_from(&search.filtered_by);
            }
        }
    }

    fn invocation(&mut self, invocation: &Invocation) -> Vec<Seen> {
        let open = self.open.take(&invocation.id).unwrap_or_default();
        let compute = tui::compute(invocation, &open.waits);
        if matches!(invocation.parent, Cause::Event(_)) {
            self.link(invocation, &compute);
        }
        let mut seen: Vec<Seen> = Vec::new();
        for ((action, resource), asked) in &open.asked {
            seen.extend(self.searched(&invocation.function, action, resource, asked));
            seen.extend(self.repeated(&invocation.function, action, resource, asked));
        }
        seen.extend(self.memory(invocation, compute));
        seen
    }

    fn searched(&mut self, function: &Arc<str>, action: &Arc<str>, resource: &Arc<str>, asked: &Asked) -> Option<Seen> {
        if asked.looked_at <= asked.gave {
            return None;
        }
        let told = Told::Search { function: function.clone(), action: action.clone(), resource: resource.clone() };
        if self.is_told(&told) {
            return None;
        }
        let Asked { looked_at: scanned, gave: returned, ref usage, ref filtered_by, .. } = *asked;
        let sought = Search { operation: action, resource, scanned, returned, usage };
        let index = filtered_by.first().filter(|_| &**action == "Scan").and_then(|attribute| (self.index)(resource, attribute));
        let found = missing_index(&sought, filtered_by, index.as_deref(), &self.book).or_else(|| search(&sought, &self.book))?;
        let finding = Finding { message: format!("`{function}`: {}", found.message), ..found };
        Some(self.tell(told, finding, Level::Warn, Some((function, action))))
    }

    fn repeated(&mut self, function: &Arc<str>, action: &Arc<str>, resource: &Arc<str>, asked: &Asked) -> Option<Seen> {
        let told = Told::Repeats { function: function.clone(), action: action.clone(), resource: resource.clone() };
        if asked.times < REPEATS_MIN || self.is_told(&told) {
            return None;
        }
        let (operation, resource) = (action.to_string(), resource.to_string());
        let finding = Repeats { operation, resource, times: asked.times, usage: asked.usage }.finding(function, &self.book);
        Some(self.tell(told, finding, Level::Warn, Some((function, action))))
    }

    fn memory(&mut self, invocation: &Invocation, compute: Compute) -> Option<Seen> {
        let function = &invocation.function;
        if self.functions.len() >= FUNCTIONS_MAX && !self.functions.contains_key(function) {
            return None;
        }
        let used = self.functions.entry(function.clone()).or_default();
        if used.given_mib != invocation.memory_mib {
            *used = Used { given_mib: invocation.memory_mib, ..Used::default() };
        }
        let grown = invocation.memory_peak_bytes.div_ceil(1 << 20) > used.peak_bytes.div_ceil(1 << 20);
        used.add(invocation, &compute);
        if !grown && used.invocations != INVOCATIONS_MIN {
            return None;
        }
        let (usual, enough) = (used.usual(), used.invocations >= INVOCATIONS_MIN);
        let finding = memory(&Memory { function, peak_bytes: used.peak_bytes, usual }, &self.assumptions, &self.book)?;
        let tight = finding.cost.is_none();
        let told = Told::Memory { function: function.clone(), given_mib: invocation.memory_mib, tight };
        if self.is_told(&told) || (!tight && !enough) {
            return None;
        }
        let level = if tight { Level::Warn } else { Level::Info };
        Some(self.tell(told, finding, level, None))
    }

    /// Takes an invocation that an event led to into its chain.
    fn link(&mut self, invocation: &Invocation, compute: &Compute) {
        let chain = self.chains.get(&invocation.trace);
        chain.calls.insert(invocation.depth, (invocation.function.clone(), invocation.trigger.clone()));
        chain.work.add(&Work::counted(&invocation.usage));
        chain.work.add(&Work::invoked(compute, &self.assumptions));
        let began = invocation.span.began_micros;
        chain.began = Some(chain.began.map_or(began, |earlier| earlier.min(began)));
        chain.ended = chain.ended.max(began.saturating_add(invocation.span.wall_micros));
    }

    fn delivery(&mut self, delivery: &Delivery) -> Option<Seen> {
        // Given up before it was tried, for its depth.
        if delivery.depth <= DEPTH_MAX || delivery.attempt > 0 || delivery.dead.is_none() {
            return None;
        }
        let chain = self.chains.take(&delivery.trace)?;
        let (path, period) = circle(&chain.calls)?;
        let told = Told::Loop { path: path.clone() };
        if self.is_told(&told) {
            return None;
        }
        let rounds = (chain.calls.len() as u64 / period).max(1);
        let micros = chain.ended.saturating_sub(chain.began.unwrap_or(chain.ended));
        let finding = trigger_loop(&Loop { path: &path, rounds, work: &chain.work, micros }, &self.book);
        Some(self.tell(told, finding, Level::Warn, None))
    }

    /// Where there is no room to remember that it was told, it is not told either.
    fn is_told(&self, told: &Told) -> bool {
        self.told.len() >= TOLD_MAX || self.told.contains(told)
    }

    fn tell(&mut self, told: Told, finding: Finding, level: Level, asked: Option<(&Arc<str>, &Arc<str>)>) -> Seen {
        self.told.insert(told);
        Seen { finding, level, asked: asked.map(|(function, action)| (function.clone(), action.clone())) }
    }
}

impl Used {
    fn add(&mut self, invocation: &Invocation, compute: &Compute) {
        self.invocations += 1;
        self.peak_bytes = self.peak_bytes.max(invocation.memory_peak_bytes);
        let sum = &mut self.sum;
        sum.wall_micros = sum.wall_micros.saturating_add(compute.wall_micros);
        sum.cpu_micros = sum.cpu_micros.saturating_add(compute.cpu_micros);
        sum.service_rounds = sum.service_rounds.saturating_add(compute.service_rounds);
        sum.service_micros = sum.service_micros.saturating_add(compute.service_micros);
        sum.bundle_bytes = compute.bundle_bytes;
    }

    /// The mean of the invocations.
    fn usual(&self) -> Compute {
        let count = self.invocations.max(1);
        Compute {
            wall_micros: self.sum.wall_micros / count,
            cpu_micros: self.sum.cpu_micros / count,
            memory_mib: self.given_mib,
            cold: false,
            bundle_bytes: self.sum.bundle_bytes,
            service_rounds: self.sum.service_rounds / count,
            service_micros: self.sum.service_micros / count,
        }
    }
}

/// The way from the last function back to itself, `onOrder → table orders → onOrder`, and how many events that is; `None` where it is no
/// circle.
fn circle(calls: &BTreeMap<u16, (Arc<str>, Arc<str>)>) -> Option<(String, u64)> {
    let calls: Vec<&(Arc<str>, Arc<str>)> = calls.values().collect();
    let (last, before) = calls.split_last()?;
    let from = before.iter().rposition(|(function, _)| *function == last.0)?;
    let way = calls.get(from..)?;
    let mut path = last.0.to_string();
    for (function, trigger) in way.iter().skip(1) {
        path.push_str(&format!(" → {trigger} → {function}"));
    }
    Some((path, way.len() as u64 - 1))
}

/// The newest of what comes and goes by key.
struct Recent<K, V> {
    values: HashMap<K, V>,
    /// Oldest first; those that are gone are among them for a while.
    order: VecDeque<K>,
    max: usize,
}

impl<K: Clone + Eq + Hash, V: Default> Recent<K, V> {
    fn new(max: usize) -> Recent<K, V> {
        Recent { values: HashMap::new(), order: VecDeque::new(), max }
    }

    /// The value of a key, a new one where it has none.
    fn get(&mut self, key: &K) -> &mut V {
        if !self.values.contains_key(key) {
            if self.order.len() >= self.max * 2 {
                self.order.retain(|known| self.values.contains_key(known));
            }
            while (self.values.len() >= self.max || self.order.len() >= self.max * 2)
                && let Some(oldest) = self.order.pop_front()
            {
                self.values.remove(&oldest);
            }
            self.order.push_back(key.clone());
        }
        self.values.entry(key.clone()).or_default()
    }

    fn take(&mut self, key: &K) -> Option<V> {
        self.values.remove(key)
    }
}
