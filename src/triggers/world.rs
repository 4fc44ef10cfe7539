//! What the parts of the triggers share: the database, the current table, who does the work, and whether there is any.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard};

use arc_swap::ArcSwap;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Mapping;
use super::ports::{Dialect, Invoker, Queues, Streams, Topics};
use super::schedule::Planned;
use super::table::Table;
use crate::store::Db;
use crate::telemetry::Sink;

/// Who does what the triggers ask for.
#[derive(Clone)]
pub struct Ports {
    pub invoker: Arc<dyn Invoker>,
    pub queues: Arc<dyn Queues>,
    pub streams: Arc<dyn Streams>,
    pub topics: Arc<dyn Topics>,
    pub dialect: Arc<dyn Dialect>,
    /// Where deliveries are told of.
    pub sink: Sink,
}

pub(super) struct World {
    pub(super) db: Db,
    pub(super) ports: Ports,
    pub(super) table: ArcSwap<Table>,
    pub(super) planned: ArcSwap<Planned>,
    /// Told to end: nothing new is begun from then on.
    pub(super) stop: CancellationToken,
    /// Told of every new table: what waits to be tried again because a function failed is tried at once, for it may be mended.
    pub(super) reloads: watch::Sender<u64>,
    /// Told whenever something was looked at or ended.
    changes: watch::Sender<u64>,
    /// How many batches of each mapping are under way.
    batches: Mutex<BTreeMap<Mapping, usize>>,
    /// Whether what happens calls nobody.
    pub(super) silent: Arc<AtomicBool>,
}

impl World {
    pub(super) fn new(db: Db, ports: Ports, table: Table) -> World {
        World {
            db,
            ports,
            table: ArcSwap::from_pointee(table),
            planned: ArcSwap::from_pointee(Planned::default()),
            stop: CancellationToken::new(),
            reloads: watch::Sender::new(0),
            changes: watch::Sender::new(0),
            batches: Mutex::default(),
            silent: Arc::default(),
        }
    }

    pub(super) fn stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Says that the state of the work may have changed.
    pub(super) fn touched(&self) {
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// To learn of changes from now on.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Counts a batch of a mapping as under way until what this answers is dropped.
    pub(super) fn begin(self: &Arc<World>, mapping: Mapping) -> Busy {
        *self.lock().entry(mapping.clone()).or_default() += 1;
        Busy { world: self.clone(), mapping }
    }

    /// How many batches of queues and streams are under way.
    pub(super) fn batches(&self) -> usize {
        self.lock().values().sum()
    }

    /// How many batches of which queues and streams are under way.
    pub(super) fn batches_by_mapping(&self) -> Vec<(Mapping, usize)> {
        self.lock().iter().map(|(mapping, batches)| (mapping.clone(), *batches)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Mapping, usize>> {
        self.batches.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

/// A batch under way.
pub(super) struct Busy {
    world: Arc<World>,
    mapping: Mapping,
}

impl Drop for Busy {
    fn drop(&mut self) {
        {
            let mut batches = self.world.lock();
            if let Some(under_way) = batches.get_mut(&self.mapping) {
                *under_way -= 1;
                if *under_way == 0 {
                    batches.remove(&self.mapping);
                }
            }
        }
        self.world.touched();
    }
}
