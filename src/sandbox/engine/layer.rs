//! A memory's content, compiled so that a sandbox maps it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use wasmtime::{Module, ModuleExport};

/// An image: maps as the memory of any number of sandboxes.
pub struct Layer {
    module: Module,
    memory: ModuleExport,
    bytes: usize,
}

impl Layer {
    /// Nothing where the module exports no memory.
    pub fn new(module: Module) -> Option<Layer> {
        let memory = module.get_export_index("memory")?;
        let wasmtime::ExternType::Memory(kind) = module.get_export("memory")? else { return None };
        let bytes = usize::try_from(kind.minimum()).ok()?.checked_mul(super::module::PAGE_BYTES)?;
        Some(Layer { module, memory, bytes })
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

/// The layers of evaluated dependencies, shared by the functions that have the same ones. The least recently used goes first.
#[derive(Default)]
pub struct Dependencies {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    uses: u64,
    layers: HashMap<[u8; 32], (Arc<Layer>, u64)>,
}

/// More than a project has functions with dependencies of their own.
const LAYERS_MAX: usize = 64;

impl Dependencies {
    pub fn get(&self, key: &[u8; 32]) -> Option<Arc<Layer>> {
        let mut kept = self.kept.lock().expect("no code panics while it holds the layers");
        kept.uses += 1;
        let now = kept.uses;
        let (layer, used) = kept.layers.get_mut(key)?;
        *used = now;
        Some(layer.clone())
    }

    pub fn keep(&self, key: [u8; 32], layer: Arc<Layer>) {
        let mut kept = self.kept.lock().expect("no code panics while it holds the layers");
        kept.uses += 1;
        let now = kept.uses;
        kept.layers.insert(key, (layer, now));
        if kept.layers.len() > LAYERS_MAX
            && let Some(oldest) = kept.layers.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| *key)
        {
            kept.layers.remove(&oldest);
        }
    }
}
