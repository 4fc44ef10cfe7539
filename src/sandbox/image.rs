//! A version of a function, ready to be invoked.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, SetOnce};

use super::Host;
use super::engine::{Changes, Desk, Guest, Key, Layer, Machine, Sources, State};
use super::invoke;
use super::outcome::{Bundle, Input, Keep, Outcome};
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

    /// Whether new sandboxes are mapped copies already.
    #[cfg(test)]
    pub fn is_compiled(&self) -> bool {
        self.0.memory.compiled.get().is_some()
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
    /// Until it is compiled, where it was kept: what further sandboxes are made of.
    grown: Mutex<Option<Arc<Grown>>>,
    /// Somebody waits for the compiled memory.
    needed: Notify,
}

/// A memory as it was kept: what is changed of the layer below.
pub(super) struct Grown {
    pub below: Arc<Layer>,
    pub changes: Changes,
}

/// Where a version's memory is from.
pub(super) enum Origin {
    /// It was evaluated just now, and may be to be kept for later processes.
    Evaluated { content: Vec<u8>, keeping: Option<Keeping> },
    /// An earlier process kept it.
    Kept(Arc<Grown>),
}

/// Where a version is kept, and as what.
pub(super) struct Keeping {
    pub keep: Keep,
    pub key: Key,
    /// What it grew from.
    pub below: Arc<Layer>,
}

/// How long the compilation leaves the machine to the first invocation, unless a second one comes.
const FIRST_INVOCATION: Duration = Duration::from_millis(50);
/// Versions that are kept in a folder; the oldest make place for new ones.
const KEPT_MAX: usize = 64;

impl Memory {
    /// The memory of a sandbox that is as one that has evaluated a version; its compilation is begun.
    pub fn of(guest: Guest, machine: &Arc<Machine>, origin: Origin) -> Arc<Memory> {
        let grown = match &origin {
            Origin::Kept(grown) => Some(grown.clone()),
            Origin::Evaluated { .. } => None,
        };
        let memory = Arc::new(Memory {
            bytes: guest.memory_bytes(),
            compiled: SetOnce::new(),
            made_in: Mutex::new(Some(guest)),
            grown: Mutex::new(grown),
            needed: Notify::new(),
        });
        let (machine, compiled) = (machine.clone(), memory.clone());
        tokio::spawn(async move {
            // It makes no difference which of the two it was.
            let _ = tokio::time::timeout(FIRST_INVOCATION, compiled.needed.notified()).await;
            // Making one of what was kept takes a sandbox. Nobody who has a permit waits for that one's image.
            let permit = match &origin {
                Origin::Kept(_) => machine.permits.clone().acquire_owned().await.ok(),
                Origin::Evaluated { .. } => None,
            };
            let at_work = compiled.clone();
            let work = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let (content, keeping) = match origin.content(&machine) {
                    Ok(found) => found,
                    Err(error) => return at_work.set(Err(format!("{error:#}"))),
                };
                at_work.set(machine.image(&content).map(Arc::new).map_err(|error| format!("{error:#}")));
                if let Some(keeping) = keeping
                    && let Err(error) = keeping.write(&machine, &content)
                {
                    let file = keeping.keep.file.display();
                    tracing::debug!(%error, %file, "a version could not be kept; the next start evaluates it again");
                }
            });
            if let Err(lost) = work.await {
                compiled.set(Err(lost.to_string()));
            }
        });
        memory
    }

    fn set(&self, layer: Result<Arc<Layer>, String>) {
        // It stays what it was first.
        let _ = self.compiled.set(layer);
        // From now on a new one costs less than keeping these.
        drop(self.take());
        drop(self.grown.lock().expect("no code panics while it holds what was kept").take());
    }

    fn grown(&self) -> Option<Arc<Grown>> {
        self.grown.lock().expect("no code panics while it holds what was kept").clone()
    }

    fn take(&self) -> Option<Guest> {
        self.made_in.lock().expect("no code panics while it holds the sandbox").take()
    }
}

impl Origin {
    /// The memory's content, and where it is to be kept. Slow where it was kept: copies the layer below.
    fn content(self, machine: &Machine) -> wasmtime::Result<(Vec<u8>, Option<Keeping>)> {
        match self {
            Origin::Evaluated { content, keeping } => Ok((content, keeping)),
            Origin::Kept(grown) => {
                let mut content = machine.content(&grown.below)?;
                content.resize(grown.changes.bytes(), 0);
                grown.changes.apply(&mut content)?;
                Ok((content, None))
            }
        }
    }
}

impl Keeping {
    fn write(&self, machine: &Machine, content: &[u8]) -> wasmtime::Result<()> {
        if !(self.keep.may)() {
            return Ok(());
        }
        let before = machine.content(&self.below)?;
        if let Some(folder) = self.keep.file.parent() {
            std::fs::create_dir_all(folder)?;
            tidy(folder)?;
        }
        Ok(Changes::write(&self.keep.file, &self.key, &before, content)?)
    }
}

/// Removes what there is too much of, the oldest first.
fn tidy(folder: &Path) -> std::io::Result<()> {
    let files = std::fs::read_dir(folder)?.flatten();
    let mut files: Vec<_> = files.filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path()))).collect();
    files.sort_unstable();
    for (_, file) in files.iter().take(files.len().saturating_sub(KEPT_MAX - 1)) {
        std::fs::remove_file(file)?;
    }
    Ok(())
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
        let state = |host| State::new(host, self.sources.clone(), self.bytes_max, Desk::new(self.machine.places.clone()));
        let compiled = match self.memory.compiled.get() {
            Some(compiled) => compiled,
            None => {
                if let Some(mut guest) = self.memory.take() {
                    guest.renew(host);
                    return Ok(Kept { guest, permit });
                }
                self.memory.needed.notify_one();
                if let Some(grown) = self.memory.grown() {
                    let mut guest = Guest::new(&self.machine, &grown.below, state(host)).await?;
                    guest.resume(&grown.changes)?;
                    return Ok(Kept { guest, permit });
                }
                self.memory.compiled.wait().await
            }
        };
        let layer = compiled.as_ref().map_err(|error| wasmtime::format_err!("its image could not be compiled: {error}"))?;
        let guest = Guest::new(&self.machine, layer, state(host)).await?;
        Ok(Kept { guest, permit })
    }
}
