//! A version of a function, ready to be invoked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, SetOnce};

use super::Host;
use super::engine::{Desk, Guest, Layer, Machine, Sources, State};
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

    /// Forgets what earlier invocations have left (warm isolation): the next one begins in a new sandbox.
    pub fn forget(&self) {
        if let Some(idle) = &self.0.idle {
            let forgotten = std::mem::take(&mut *idle.lock().expect("no code panics while it holds the sandboxes"));
            drop(forgotten);
        }
    }

    /// The size of the memory that each of its sandboxes begins with, shared between them until they write to it.
    pub fn bytes(&self) -> usize {
        self.0.memory.bytes
    }

    /// Whether the top level is part of the image. It is not where it drew random numbers, went outside or left timers: then every new
    /// sandbox evaluates it.
    pub fn is_evaluated(&self) -> bool {
        self.0.evaluate.is_none()
    }
}

pub(super) struct Version {
    pub machine: Arc<Machine>,
    pub memory: Arc<Memory>,
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

/// The memory that new sandboxes begin with. Compiling it takes longer than making it, and the sandbox that it was copied from is as good
/// as any made of it: that one serves the first invocation meanwhile.
pub(super) struct Memory {
    bytes: usize,
    compiled: SetOnce<Result<Arc<Layer>, String>>,
    made_in: Mutex<Option<Guest>>,
    /// Somebody waits for the compiled memory.
    needed: Notify,
}

/// How long the compilation leaves the machine to the first invocation, unless a second one comes.
const FIRST_INVOCATION: Duration = Duration::from_millis(50);

impl Memory {
    /// The memory of a sandbox that has evaluated a version; its compilation is begun. Slow: copies the memory.
    pub fn of(guest: Guest, machine: &Arc<Machine>) -> Arc<Memory> {
        let content = guest.snapshot();
        let memory = Arc::new(Memory {
            bytes: guest.memory_bytes(),
            compiled: SetOnce::new(),
            made_in: Mutex::new(Some(guest)),
            needed: Notify::new(),
        });
        let (machine, compiled) = (machine.clone(), memory.clone());
        tokio::spawn(async move {
            // It makes no difference which of the two it was.
            let _ = tokio::time::timeout(FIRST_INVOCATION, compiled.needed.notified()).await;
            let work = tokio::task::spawn_blocking(move || machine.layer(content)).await;
            let layer = match work {
                Ok(layer) => layer.map(Arc::new).map_err(|error| format!("{error:#}")),
                Err(lost) => Err(lost.to_string()),
            };
            // It is set once, here.
            let _ = compiled.compiled.set(layer);
            // From now on a new one costs less than keeping that one.
            drop(compiled.take());
        });
        memory
    }

    fn take(&self) -> Option<Guest> {
        self.made_in.lock().expect("no code panics while it holds the sandbox").take()
    }
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
        let compiled = match self.memory.compiled.get() {
            Some(compiled) => compiled,
            None => {
                if let Some(mut guest) = self.memory.take() {
                    guest.renew(host);
                    return Ok(Kept { guest, permit });
                }
                self.memory.needed.notify_one();
                self.memory.compiled.wait().await
            }
        };
        let layer = compiled.as_ref().map_err(|error| wasmtime::format_err!("its image could not be compiled: {error}"))?;
        let state = State::new(host, self.sources.clone(), self.bytes_max, Desk::new(self.machine.places.clone()));
        let guest = Guest::new(&self.machine, layer, state).await?;
        Ok(Kept { guest, permit })
    }
}
