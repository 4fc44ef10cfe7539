//! A memory's content, compiled so that a sandbox maps it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use wasmtime::{Module, ModuleExport};

use super::cache::{Loaded, Mark};

/// An image: maps as the memory of any number of sandboxes.
pub struct Layer {
    module: Module,
    memory: ModuleExport,
    bytes: usize,
    /// Where it is one of the cache's.
    mark: Option<Mark>,
}

impl Layer {
    /// Nothing where the module exports no memory.
    pub fn new(module: Module) -> Option<Layer> {
        let memory = module.get_export_index("memory")?;
        let wasmtime::ExternType::Memory(kind) = module.get_export("memory")? else { return None };
        let bytes = usize::try_from(kind.minimum()).ok()?.checked_mul(super::module::PAGE_BYTES)?;
        Some(Layer { module, memory, bytes, mark: None })
    }

    /// One of the cache's.
    pub fn kept(loaded: Loaded) -> Option<Layer> {
        Some(Layer { mark: Some(loaded.mark), ..Layer::new(loaded.module)? })
    }

    /// What tells its content in every process. Nothing for one that was made in this process.
    pub fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }

    pub fn module(&self) -> &Module {
        &self.module
    }

    pub fn memory(&self) -> &ModuleExport {
        &self.memory
    }

    /// The size of the memory.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Identifies dependencies: the engine, the runtime and their modules' content.
pub type Key = [u8; 32];

/// The layers of evaluated dependencies, shared by the functions that have the same ones. The least recently used goes first.
#[derive(Default)]
pub struct Dependencies {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    uses: u64,
    slots: HashMap<Key, (Arc<Slot>, u64)>,
}

/// What the evaluation of the same modules came to, by the environment. Who holds the lock makes what is missing; others wait for it.
pub type Slot = tokio::sync::Mutex<Vec<Variant>>;

/// An evaluation of dependencies.
#[derive(Clone)]
pub struct Variant {
    /// The variables that it asked for, with what it was told.
    pub asked: BTreeMap<String, Option<String>>,
    /// The whole environment, where it looked at all of it.
    pub whole: Option<Arc<BTreeMap<String, String>>>,
    /// Nothing where it cannot be imaged.
    pub layer: Option<Arc<Layer>>,
}

impl Variant {
    /// Whether the evaluation would be the same with this environment.
    pub fn fits(&self, environment: &BTreeMap<String, String>) -> bool {
        self.whole.as_ref().is_none_or(|whole| **whole == *environment)
            && self.asked.iter().all(|(name, value)| environment.get(name) == value.as_ref())
    }
}

/// More than a project has functions with dependencies of their own.
const LAYERS_MAX: usize = 64;
/// Environments for which the same dependencies are kept.
pub const VARIANTS_MAX: usize = 16;

impl Dependencies {
    /// The place for the layers of these dependencies.
    pub fn slot(&self, key: &Key) -> Arc<Slot> {
        let mut kept = self.kept.lock().expect("no code panics while it holds the layers");
        kept.uses += 1;
        let now = kept.uses;
        let (slot, used) = kept.slots.entry(*key).or_default();
        *used = now;
        let slot = slot.clone();
        if kept.slots.len() > LAYERS_MAX
            && let Some(oldest) = kept.slots.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)
        {
            kept.slots.remove(&oldest);
        }
        slot
    }
}
