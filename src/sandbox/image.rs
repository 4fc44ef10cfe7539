//! A version of a function, ready to be invoked.

use std::sync::{Arc, Mutex};

use super::Host;
use super::engine::{Guest, Layer, Machine, Sources, State};
use super::invoke;
use super::outcome::{Bundle, Input, Outcome};
use super::trace::Traces;

/// A version of a function: the memory after its top level was evaluated. Cheap to clone.
#[derive(Clone)]
pub struct Image(pub(super) Arc<Version>);

impl Image {
    /// Runs the handler once, in a new sandbox or (warm isolation) in one that an earlier invocation has left.
    pub async fn invoke(&self, host: Arc<dyn Host>, input: Input) -> Outcome {
        invoke::invoke(self.0.clone(), host, input).await
    }

    /// The size of the memory that each of its sandboxes begins with, shared between them until they write to it.
    pub fn bytes(&self) -> usize {
        self.0.layer.bytes()
    }

    /// Whether the top level is part of the image. It is not where it drew random numbers, went outside or left timers: then every new
    /// sandbox evaluates it.
    pub fn is_evaluated(&self) -> bool {
        self.0.evaluate.is_none()
    }
}

pub(super) struct Version {
    pub machine: Arc<Machine>,
    pub layer: Arc<Layer>,
    /// The module that every new sandbox evaluates first, where its evaluation is not part of the image.
    pub evaluate: Option<String>,
    pub memory_mib: u32,
    /// The most that the memory may grow to, the engine's own included.
    pub bytes_max: usize,
    pub sources: Arc<Sources>,
    pub traces: Traces,
    /// Sandboxes to be used again, the last used last.
    pub idle: Option<Mutex<Vec<Kept>>>,
}

/// A sandbox with its permit to exist.
pub(super) struct Kept {
    pub guest: Guest,
    pub permit: tokio::sync::OwnedSemaphorePermit,
}

/// Sandboxes kept for a version; as many as usual bursts need.
const IDLE_MAX: usize = 16;

impl Version {
    pub fn idle(bundle: &Bundle) -> Option<Mutex<Vec<Kept>>> {
        bundle.isolation_warm.then(Mutex::default)
    }

    /// A sandbox that has run before.
    pub fn reuse(&self) -> Option<Kept> {
        self.idle.as_ref()?.lock().expect("no code panics while it holds the sandboxes").pop()
    }

    /// Keeps a sandbox whose invocation went well.
    pub fn keep(&self, kept: Kept) {
        if let Some(idle) = &self.idle {
            let mut idle = idle.lock().expect("no code panics while it holds the sandboxes");
            if idle.len() < IDLE_MAX {
                idle.push(kept);
            }
        }
    }

    /// A new sandbox; waits while as many exist as may.
    pub async fn create(&self, host: Arc<dyn Host>) -> wasmtime::Result<Kept> {
        let permit = self.machine.permits.clone().acquire_owned().await?;
        let state = State::new(host, self.sources.clone(), self.bytes_max);
        let guest = Guest::new(&self.machine, &self.layer, state).await?;
        Ok(Kept { guest, permit })
    }
}
