//! What is left when an emu has stopped: its state and its journal, to be looked at and taken along.

use std::path::Path;
use std::sync::Arc;

use super::{Leaf, Shared, StateFolder};
use crate::telemetry::journal::{Journal, Reader};

/// An emu that does nothing any more; its state is there until this is dropped.
pub struct Stopped {
    pub(super) shared: Arc<Shared>,
    pub(super) _journal: Journal,
    pub(super) _state: StateFolder,
}

impl Stopped {
    /// The journal, with what has happened until now.
    pub async fn journal(&self) -> anyhow::Result<Reader> {
        Ok(self.shared.journal.reader().await?)
    }

    /// Deliveries that wait for a later time, and will never be made.
    pub async fn waiting(&self) -> anyhow::Result<u64> {
        Ok(self.shared.triggers.stats().await?.pending)
    }

    /// Writes state, journal and `leaves` as a bundle, which a start can import.
    pub async fn bundle(&self, dir: &Path, leaves: Vec<Leaf>) -> anyhow::Result<()> {
        self.shared.states.bundle(dir, self.journal().await?, leaves).await
    }
}
