//! A run of a pipeline: what it reads from, and its bounds.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use regex::Regex;

use super::Fault;
use crate::base::re2;
use crate::services::documents::Error;
use crate::services::documents::document::Document;
use crate::services::documents::name::Database;
use crate::services::documents::value::Timestamp;
use crate::store::Tx;

/// How long a pipeline may take. Source: the limits of pipeline operations, 60 seconds.
pub(super) const TIME_MAX: Duration = Duration::from_secs(60);
/// Steps between looks at the time.
const STEPS: u32 = 256;
/// Patterns that are kept compiled, and the bytes of a compiled one.
const PATTERNS_MAX: usize = 64;
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// What a run goes by: with the same, and the same documents, it comes to the same.
#[derive(Clone)]
pub(super) struct Given {
    pub at: Timestamp,
    /// Of `rand` and `sample`.
    pub seed: [u8; 32],
    /// Bytes that may be held.
    pub memory: usize,
}

pub(super) struct Run<'a> {
    pub tx: &'a Tx<'a>,
    pub database: &'a Database,
    pub given: Given,
    random: RefCell<blake3::OutputReader>,
    /// Of the documents that were read.
    digest: RefCell<blake3::Hasher>,
    scanned: Cell<u64>,
    steps: Cell<u32>,
    patience: Duration,
    until: Instant,
    gone: Arc<AtomicBool>,
    held: Cell<usize>,
    peak: Cell<usize>,
    patterns: RefCell<HashMap<String, Option<Regex>>>,
}

impl<'a> Run<'a> {
    /// `patience`: how long it may take. `gone`: set once nobody waits for it any more.
    pub fn new(tx: &'a Tx<'a>, database: &'a Database, given: Given, patience: Duration, gone: Arc<AtomicBool>) -> Run<'a> {
        let random = blake3::Hasher::new_keyed(&given.seed).finalize_xof();
        Run {
            tx,
            database,
            given,
            random: RefCell::new(random),
            digest: RefCell::default(),
            scanned: Cell::default(),
            steps: Cell::default(),
            patience,
            until: Instant::now() + patience,
            gone,
            held: Cell::default(),
            peak: Cell::default(),
            patterns: RefCell::default(),
        }
    }

    /// A document was read.
    pub fn read(&self, document: &Document) -> Result<(), Fault> {
        self.scanned.set(self.scanned.get() + 1);
        let mut digest = self.digest.borrow_mut();
        digest.update(document.name.path().as_bytes()).update(&[0]).update(&document.updated.micros().to_le_bytes());
        drop(digest);
        self.step()
    }

    /// Fails with [`Error::TooSlow`] where it has gone on for too long.
    pub fn step(&self) -> Result<(), Fault> {
        self.steps.set(self.steps.get() + 1);
        if !self.steps.get().is_multiple_of(STEPS) || (Instant::now() < self.until && !self.gone.load(Ordering::Relaxed)) {
            return Ok(());
        }
        Err(Error::TooSlow(self.patience.as_secs()).into())
    }

    /// Bytes that are kept, until what is returned is dropped. Fails with [`Error::Exhausted`].
    pub fn hold(&self) -> Held<'_> {
        Held { held: &self.held, peak: &self.peak, max: self.given.memory, own: 0 }
    }

    /// From 0 to below 1.
    pub fn random(&self) -> f64 {
        let mut bytes = [0; 8];
        self.random.borrow_mut().fill(&mut bytes);
        // As many bits as a double has.
        (u64::from_le_bytes(bytes) >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A pattern, compiled; `None` where it is none.
    pub fn pattern(&self, text: &str) -> Option<Regex> {
        let mut patterns = self.patterns.borrow_mut();
        if let Some(known) = patterns.get(text) {
            return known.clone();
        }
        let compiled = re2::compile(text, PATTERN_BYTES_MAX).ok();
        if patterns.len() >= PATTERNS_MAX {
            patterns.clear();
        }
        patterns.insert(text.to_owned(), compiled.clone());
        compiled
    }

    /// Of all documents that were read, in order.
    pub fn digest(&self) -> blake3::Hash {
        self.digest.borrow().finalize()
    }

    /// How many documents were read.
    pub fn scanned(&self) -> u64 {
        self.scanned.get()
    }

    /// The most bytes that were held at once.
    pub fn peak(&self) -> usize {
        self.peak.get()
    }
}

/// Bytes that a stage keeps.
pub(super) struct Held<'a> {
    held: &'a Cell<usize>,
    peak: &'a Cell<usize>,
    max: usize,
    own: usize,
}

impl Held<'_> {
    /// Fails with [`Error::Exhausted`] where that is more than may be kept.
    pub fn more(&mut self, bytes: usize) -> Result<(), Fault> {
        self.own += bytes;
        self.held.set(self.held.get() + bytes);
        self.peak.set(self.peak.get().max(self.held.get()));
        if self.held.get() > self.max {
            return Err(Error::Exhausted(format!(
                "The pipeline keeps more than {} bytes at once. Let it keep less: filter, select fields or limit before it sorts, groups or answers.",
                self.max
            ))
            .into());
        }
        Ok(())
    }

    /// So many are kept no more.
    pub fn less(&mut self, bytes: usize) {
        let bytes = bytes.min(self.own);
        self.own -= bytes;
        self.held.set(self.held.get() - bytes);
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.held.set(self.held.get() - self.own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Call, Clock, Ids, Time};
    use crate::services::documents::SCHEMA;
    use crate::store::{Db, Options};

    #[tokio::test]
    async fn a_run_ends_after_its_time_and_when_nobody_waits_for_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let options =
            Options { path: folder.path().join("state.db"), clock: Clock::frozen(Time(1_000)), ids: Ids::seeded(1), ephemeral: true };
        let db = Db::open(options, &[&SCHEMA]).expect("a database");
        let database = Database::parse("projects/demo/databases/(default)").expect("a database");
        let call = Call::operator();
        for (patience, is_gone, ends) in [(TIME_MAX, false, false), (Duration::ZERO, false, true), (TIME_MAX, true, true)] {
            let steps = db.read(&call, |tx| {
                let given = Given { at: Timestamp::of_micros(0), seed: [0; 32], memory: 0 };
                let run = Run::new(tx, &database, given, patience, Arc::new(AtomicBool::new(is_gone)));
                Ok::<_, Error>((0..2 * STEPS).find(|_| matches!(run.step(), Err(Fault::Pipeline(Error::TooSlow(_))))))
            });
            assert_eq!(steps.await.expect("read").is_some(), ends, "{patience:?} {is_gone}");
        }
    }
}
