//! From a bundle to an image.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Host;
use super::engine::{Answer, Changes, Desk, Environment, Guest, Key, Layer, Machine, Slot, Sources, State, VARIANTS_MAX, Variant};
use super::image::{Grown, Image, Keeping, Memory, Origin, Version};
use super::invoke::{Thrown, wait};
use super::outcome::{Bundle, Digest, LoadError};
use super::trace::Traces;

/// How long the top level may take, as in production (the init phase).
const LOAD_MS: u64 = 10_000;
/// How long timers that the top level has left may take to end; where they take longer, the top level is not imaged.
const LEFTOVER_MS: u64 = 200;
/// Memory beyond JavaScript's own bound, for what the engine allocates besides.
const SLACK_BYTES: usize = 16 << 20;

/// How the evaluation of modules went.
enum Evaluated {
    /// All of its effects are in the memory, and they would be the same at any time.
    Pure,
    /// It drew random numbers, went outside or goes on: it must be evaluated anew in each sandbox.
    Impure,
}

pub async fn load(machine: &Arc<Machine>, bundle: Bundle, host: Arc<dyn Host>) -> Result<Image, LoadError> {
    if !bundle.modules.iter().any(|module| module.path == bundle.entry) {
        return Err(LoadError::MissingEntry { entry: bundle.entry });
    }
    let relay = machine.clone();
    let machine = machine.clone();
    relay
        .heavy
        .relay(async move {
            let limit = Duration::from_millis(LOAD_MS);
            tokio::time::timeout(limit, Loading::new(machine, bundle, host).run())
                .await
                .map_err(|_| LoadError::TimedOut { after_ms: LOAD_MS })?
        })
        .await
}

/// Evaluates what the bundle depends on, where that is not at hand yet, so that loading it later is quick. What is wrong with it is said
/// then.
pub async fn prepare(machine: &Arc<Machine>, bundle: Bundle, host: Arc<dyn Host>) {
    let (relay, machine) = (machine.clone(), machine.clone());
    let limit = Duration::from_millis(LOAD_MS);
    let work = async move { tokio::time::timeout(limit, Loading::new(machine, bundle, host).dependencies()).await };
    let _ = relay.heavy.relay(work).await;
}

/// Whether the layer of these dependencies is at hand.
pub fn is_prepared(machine: &Machine, dependencies: &[Digest]) -> bool {
    let key = dependencies_key(machine, dependencies);
    dependencies.is_empty()
        || machine.dependencies.slot(&key).try_lock().is_ok_and(|variants| !variants.is_empty())
        || machine.is_kept(&key)
}

/// What the evaluation of dependencies can depend on, beside the variables that it asks for.
fn dependencies_key<'a>(machine: &Machine, dependencies: impl IntoIterator<Item = &'a Digest>) -> Key {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&machine.base_key().to_le_bytes());
    for digest in dependencies {
        hasher.update(digest);
    }
    hasher.finalize().into()
}

struct Loading {
    machine: Arc<Machine>,
    bundle: Bundle,
    host: Arc<dyn Host>,
    sources: Arc<Sources>,
    traces: Traces,
    bytes_max: usize,
    environment: Arc<BTreeMap<String, String>>,
    /// What the runtime's hook `load` is told.
    about: String,
}

impl Loading {
    fn new(machine: Arc<Machine>, bundle: Bundle, host: Arc<dyn Host>) -> Loading {
        let sources = bundle.modules.iter().map(|module| (module.path.clone(), module.code.clone())).collect();
        let about = serde_json::json!({
            "name": bundle.name,
            "entry": bundle.entry,
            "export": bundle.export,
            "env": bundle.environment,
            "memoryMiB": bundle.memory_mib,
        });
        Loading {
            bytes_max: machine.base().bytes() + ((bundle.memory_mib as usize) << 20) + SLACK_BYTES,
            traces: Traces::new(&bundle.modules),
            sources: Arc::new(sources),
            about: about.to_string(),
            environment: Arc::new(bundle.environment.clone()),
            machine,
            bundle,
            host,
        }
    }

    async fn run(self) -> Result<Image, LoadError> {
        let dependencies = self.dependencies().await?;
        let key = self.version_key(&dependencies);
        let (guest, pure, origin) = match self.resumed(&dependencies, key).await {
            Some((guest, changes)) => (guest, true, Origin::Kept(Arc::new(Grown { below: dependencies.clone(), changes }))),
            None => match self.project(&dependencies).await? {
                Some((guest, lasting)) => {
                    let place = self.bundle.keep.clone().zip(key).filter(|_| lasting);
                    let keeping = place.map(|(keep, key)| Keeping { keep, key, below: dependencies.clone() });
                    let content = guest.content();
                    (guest, true, Origin::Evaluated { content, keeping })
                }
                None => {
                    let guest = self.compiled(&dependencies).await?;
                    let content = guest.content();
                    (guest, false, Origin::Evaluated { content, keeping: None })
                }
            },
        };
        // What the image holds evaluated is never read again.
        let is_imaged = |path: &str| self.bundle.modules.iter().any(|module| module.stable.is_some() && module.path == path);
        let sources = if Arc::ptr_eq(&dependencies, self.machine.base()) {
            self.sources.clone()
        } else {
            let left = self.sources.iter().filter(|(path, _)| !is_imaged(path));
            Arc::new(left.map(|(path, code)| (path.clone(), code.clone())).collect())
        };
        Ok(Image(Arc::new(Version {
            evaluate: (!pure).then(|| self.bundle.entry.clone()),
            idle: Version::idle(&self.bundle),
            memory: Memory::of(guest, &self.machine, origin),
            memory_mib: self.bundle.memory_mib,
            bytes_max: self.bytes_max,
            sources,
            traces: self.traces,
            machine: self.machine,
        })))
    }

    /// What a version's memory depends on. Nothing where that cannot be said in another process.
    fn version_key(&self, below: &Layer) -> Option<Key> {
        let mut hasher = blake3::Hasher::new();
        let mut part = |bytes: &[u8]| {
            hasher.update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        };
        part(&self.machine.base_key().to_le_bytes());
        part(below.mark()?.as_bytes());
        part(self.about.as_bytes());
        for module in &self.bundle.modules {
            part(module.path.as_bytes());
            part(module.stable.as_ref().map_or(module.code.as_bytes(), |digest| digest));
        }
        Some(hasher.finalize().into())
    }

    /// A sandbox with the memory that an earlier process kept of this version, and how that differs from the layer below.
    async fn resumed(&self, below: &Layer, key: Option<Key>) -> Option<(Guest, Changes)> {
        let (file, key) = (self.bundle.keep.as_ref()?.file.clone(), key?);
        let read = move || {
            let changes = Changes::read(&file, &key)?;
            // Tells when it was of use.
            let _ = std::fs::File::open(&file).and_then(|file| file.set_modified(std::time::SystemTime::now()));
            Some(changes)
        };
        let changes = tokio::task::spawn_blocking(read).await.ok()??;
        let mut guest = self.sandbox(below, self.sources.clone()).await.ok()?;
        guest.resume(&changes).ok()?;
        Some((guest, changes))
    }

    /// The layer of evaluated dependencies: kept from another load, made now, or (where there are none or they are not pure) the base.
    async fn dependencies(&self) -> Result<Arc<Layer>, LoadError> {
        if !self.bundle.modules.iter().any(|module| module.stable.is_some()) {
            return Ok(self.machine.base().clone());
        }
        let key = dependencies_key(&self.machine, self.bundle.modules.iter().filter_map(|module| module.stable.as_ref()));
        let slot = self.machine.dependencies.slot(&key);
        let mut variants = slot.lock().await;
        let layer = |variant: &Variant| variant.layer.clone().unwrap_or_else(|| self.machine.base().clone());
        if let Some(variant) = variants.iter().find(|variant| variant.fits(&self.environment)) {
            return Ok(layer(variant));
        }
        if variants.is_empty()
            && let Some(variant) = self.machine.kept_layer(&key)
        {
            let fits = variant.fits(&self.environment).then(|| layer(&variant));
            variants.push(variant);
            if let Some(layer) = fits {
                return Ok(layer);
            }
        }
        // What fails here fails again as part of the function, where it is reported.
        let Ok(evaluated) = self.evaluate_dependencies(&key, &slot).await else { return Ok(self.machine.base().clone()) };
        let layer = layer(&evaluated);
        if variants.len() >= VARIANTS_MAX {
            variants.remove(0);
        }
        variants.push(evaluated);
        Ok(layer)
    }

    /// Evaluates the dependencies in a sandbox that knows nothing of the function but the variables they ask for.
    async fn evaluate_dependencies(&self, key: &Key, slot: &Arc<Slot>) -> Result<Variant, LoadError> {
        let stable = || self.bundle.modules.iter().filter(|module| module.stable.is_some());
        let sources: Sources = stable().map(|module| (module.path.clone(), module.code.clone())).collect();
        let mut guest = self.guest(self.machine.base(), Arc::new(sources), "{}").await?;
        guest.state().environment = Environment { values: self.environment.clone(), ..Environment::default() };
        let mut pure = true;
        for module in stable() {
            self.compile(&mut guest, &module.path).await?;
            if let Evaluated::Impure = self.evaluate(&mut guest).await? {
                pure = false;
                break;
            }
        }
        let state = guest.state();
        let seen = std::mem::take(&mut state.environment);
        let lasting = state.is_lasting();
        let asked = seen
            .asked
            .into_iter()
            .map(|name| {
                let value = self.environment.get(&name).cloned();
                (name, value)
            })
            .collect();
        let whole = seen.listed.then(|| self.environment.clone());
        let layer = if pure { Some(self.image(guest).await?) } else { None };
        let variant = Variant { asked, whole, layer };
        tracing::debug!(
            function = self.bundle.name,
            pure, lasting, asked = ?variant.asked.iter().map(|(name, value)| (name, value.is_some())).collect::<Vec<_>>(),
            all_variables = variant.whole.is_some(),
            "dependencies were evaluated"
        );
        if lasting {
            let (machine, key, variant, slot) = (self.machine.clone(), *key, variant.clone(), slot.clone());
            tokio::task::spawn_blocking(move || {
                // What is kept is mapped from its file, and so costs no memory of its own.
                if let Some(kept) = machine.keep_layer(&key, &variant)
                    && let Some(same) = slot.blocking_lock().iter_mut().find(|other| other.asked == kept.asked && other.whole.is_none())
                {
                    *same = kept;
                }
            });
        }
        Ok(variant)
    }

    /// A sandbox with the project's own modules evaluated on top, and whether that would be the same at any time. Nothing where it is not
    /// pure.
    async fn project(&self, below: &Layer) -> Result<Option<(Guest, bool)>, LoadError> {
        let mut guest = self.guest(below, self.sources.clone(), &self.about).await?;
        self.compile(&mut guest, &self.bundle.entry).await?;
        let evaluated = self.evaluate(&mut guest).await?;
        if guest.state().went_outside {
            return Ok(None);
        }
        let lasting = guest.state().is_lasting();
        guest.adopt().await.map_err(|e| self.engine(e))?;
        let answer = guest.state().answer.take();
        self.check_export(answer)?;
        match evaluated {
            Evaluated::Pure => Ok(Some((self.tidied(guest).await?, lasting))),
            Evaluated::Impure => Ok(None),
        }
    }

    /// A sandbox with the project's own modules compiled, not evaluated.
    async fn compiled(&self, below: &Layer) -> Result<Guest, LoadError> {
        let mut guest = self.guest(below, self.sources.clone(), &self.about).await?;
        self.compile(&mut guest, &self.bundle.entry).await?;
        self.tidied(guest).await
    }

    /// A sandbox whose runtime knows what is being loaded.
    async fn guest(&self, layer: &Layer, sources: Arc<Sources>, about: &str) -> Result<Guest, LoadError> {
        let mut guest = self.sandbox(layer, sources).await?;
        let more = (u64::from(self.bundle.memory_mib) << 20).min(u64::from(u32::MAX)) as u32;
        guest.bound(more).await.map_err(|e| self.engine(e))?;
        let loaded = guest.load(about).await;
        self.checked(&mut guest, loaded)?;
        let state = guest.state();
        state.drew_random = false;
        state.went_outside = false;
        state.read_time = false;
        state.logged = false;
        Ok(guest)
    }

    async fn sandbox(&self, layer: &Layer, sources: Arc<Sources>) -> Result<Guest, LoadError> {
        let state = State::new(self.host.clone(), sources, self.bytes_max, Desk::new(self.machine.places.clone()));
        Guest::new(&self.machine, layer, state).await.map_err(|e| self.engine(e))
    }

    async fn compile(&self, guest: &mut Guest, path: &str) -> Result<(), LoadError> {
        let compiled = guest.compile(path).await;
        self.checked(guest, compiled)
    }

    async fn evaluate(&self, guest: &mut Guest) -> Result<Evaluated, LoadError> {
        let evaluated = guest.evaluate().await;
        self.checked(guest, evaluated)?;
        loop {
            // What the world answers is not the version's: it is asked anew in each sandbox.
            if guest.state().went_outside {
                return Ok(Evaluated::Impure);
            }
            let settled = guest.settled().await;
            let settled = settled.map_err(|e| self.failed(guest, e))?;
            self.checked(guest, Ok(()))?;
            if settled != 0 {
                break;
            }
            let waited = wait(guest).await;
            if !waited.map_err(|e| self.failed(guest, e))? {
                return Err(LoadError::NeverEnds);
            }
            self.checked(guest, Ok(()))?;
        }
        let leftovers = tokio::time::timeout(Duration::from_millis(LEFTOVER_MS), self.run_out(guest)).await;
        if let Ok(result) = leftovers {
            result?;
        }
        let state = guest.state();
        let pure = !state.drew_random && !state.went_outside && state.operations_open() == 0;
        Ok(if pure { Evaluated::Pure } else { Evaluated::Impure })
    }

    async fn run_out(&self, guest: &mut Guest) -> Result<(), LoadError> {
        loop {
            if guest.state().went_outside {
                return Ok(());
            }
            let waited = wait(guest).await;
            let more = waited.map_err(|e| self.failed(guest, e))?;
            self.checked(guest, Ok(()))?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Copies the memory out and compiles it, on a thread for that.
    async fn image(&self, guest: Guest) -> Result<Arc<Layer>, LoadError> {
        let guest = self.tidied(guest).await?;
        let machine = self.machine.clone();
        let layer = tokio::task::spawn_blocking(move || {
            let content = guest.content();
            drop(guest);
            machine.image(&content)
        });
        match layer.await {
            Ok(Ok(layer)) => Ok(Arc::new(layer)),
            Ok(Err(e)) => Err(self.engine(e)),
            Err(lost) => Err(LoadError::Engine(lost.to_string())),
        }
    }

    async fn tidied(&self, mut guest: Guest) -> Result<Guest, LoadError> {
        guest.tidy().await.map_err(|e| self.engine(e))?;
        Ok(guest)
    }

    fn check_export(&self, answer: Option<Answer>) -> Result<(), LoadError> {
        let found: Vec<String> = match answer {
            Some(answer) if answer.ok => serde_json::from_str(&answer.text).unwrap_or_default(),
            Some(answer) => return Err(self.thrown(&answer.text)),
            None => Vec::new(),
        };
        // `handler` may be a path into an exported object: `module.handler`.
        let first = self.bundle.export.split('.').next().unwrap_or_default();
        if found.iter().any(|name| name == first) {
            return Ok(());
        }
        Err(LoadError::MissingExport { export: self.bundle.export.clone(), found })
    }

    /// Turns a trap, or an answer that tells of a failure, into an error.
    fn checked(&self, guest: &mut Guest, entered: wasmtime::Result<()>) -> Result<(), LoadError> {
        if let Err(trap) = entered {
            return Err(self.failed(guest, trap));
        }
        match guest.state().answer.take() {
            None => Ok(()),
            Some(answer) => {
                let state = guest.state();
                if state.refused || state.limit.refused {
                    return Err(LoadError::OutOfMemory { memory_mib: self.bundle.memory_mib });
                }
                Err(self.thrown(&answer.text))
            }
        }
    }

    fn thrown(&self, text: &str) -> LoadError {
        let Thrown { kind, message, stack } = Thrown::read(text, &self.traces);
        LoadError::Thrown { kind, message, stack }
    }

    fn failed(&self, guest: &mut Guest, trap: wasmtime::Error) -> LoadError {
        let state = guest.state();
        if state.refused || state.limit.refused {
            return LoadError::OutOfMemory { memory_mib: self.bundle.memory_mib };
        }
        self.engine(trap)
    }

    fn engine(&self, e: wasmtime::Error) -> LoadError {
        LoadError::Engine(super::invoke::describe(&e))
    }
}
