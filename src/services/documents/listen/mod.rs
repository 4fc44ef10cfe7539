//! Queries and documents that are being listened to. Source of the rules: the documentation of `Listen` and what the SDKs expect of it.
//!
//! One task, the hub, looks at what each commit has changed and works out once for each distinct target what that means for it; every
//! listener picks from that what concerns its own targets. Nothing polls: the commit wakes the hub, the hub wakes the listeners.

mod bloom;
mod hub;
mod listener;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

pub use bloom::Bloom;
pub use hub::Hub;
pub use listener::{Add, Event, Listener};

use super::document::Document;
use super::name::Name;
use super::query::Query;

/// The key that a commit which changes documents wakes.
pub const WAKE: &str = "documents";

/// What is listened to.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    Query(Box<Query>),
    Documents(BTreeSet<Name>),
}

impl Target {
    /// Whether a change of one document can bring in, or push out, another.
    fn is_window(&self) -> bool {
        match self {
            Target::Query(query) => query.limit.is_some() || query.offset > 0 || query.nearest.is_some(),
            Target::Documents(_) => false,
        }
    }

    fn matches(&self, document: &Document) -> bool {
        match self {
            Target::Query(query) => query.matches(document),
            Target::Documents(names) => names.contains(&document.name),
        }
    }
}

/// What a change of the data means for one target.
#[derive(Clone, Debug, Default)]
struct Delta {
    /// Came in, or is in and was changed.
    changed: Vec<Arc<Document>>,
    /// Is no longer in; whether it is gone altogether.
    removed: Vec<(Name, bool)>,
}

/// Changes that are remembered for those who look a little later.
const RECENT_MAX: usize = 4_096;

/// Documents that were changed lately, in transactions that may have been rolled back: where to look, not what is there.
#[derive(Default)]
pub(super) struct Recent(Mutex<Ring>);

#[derive(Default)]
struct Ring {
    /// When, and what; `None`: everything.
    changes: VecDeque<(i64, Option<Name>)>,
    /// The latest time of what was forgotten.
    forgotten_micros: i64,
}

impl Recent {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    pub(super) fn add(&self, at_micros: i64, name: Name) {
        self.push(at_micros, Some(name));
    }

    /// Everything may have changed.
    pub(super) fn add_all(&self, at_micros: i64) {
        self.push(at_micros, None);
    }

    fn push(&self, at_micros: i64, name: Option<Name>) {
        let mut ring = self.lock();
        if ring.changes.len() >= RECENT_MAX
            && let Some((at, _)) = ring.changes.pop_front()
        {
            ring.forgotten_micros = ring.forgotten_micros.max(at);
        }
        ring.changes.push_back((at_micros, name));
    }

    /// What was changed after one time and until another; `None` where that may be anything.
    fn between(&self, after_micros: i64, until_micros: i64) -> Option<BTreeSet<Name>> {
        let ring = self.lock();
        if ring.forgotten_micros > after_micros {
            return None;
        }
        ring.changes.iter().filter(|(at, _)| *at > after_micros && *at <= until_micros).map(|(_, name)| name.clone()).collect()
    }
}
