//! The machine: wasmtime with the JavaScript engine's compiled code, and the image from which every other image grows.

mod anonymous;
mod cache;
mod desk;
mod door;
mod guest;
mod layer;
mod module;
mod ticker;
mod version;

use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use tokio::sync::Semaphore;
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, Linker, Module, ModuleExport, PoolingAllocationConfig};

pub(super) use cache::Cache;
pub(super) use desk::{Desk, Places};
pub(super) use door::{Answer, Budget, Environment, Sources, State};
pub(super) use guest::Guest;
pub(super) use layer::{Key, Layer, Slot, VARIANTS_MAX, Variant};
pub(super) use version::Changes;

use guest::Import;
pub(super) use ticker::Ticker;

use super::heavy::Heavy;
use super::{Error, Options};

/// The engine's code and initial data, built by `build.rs`.
static ENGINE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/engine.wasm"));

/// Changes when what is made of the engine does.
const LAYOUT: u32 = 3;
/// Bytes of the C stack (2 MiB, see `build.rs`) that JavaScript may use; the rest is for what runs when it has used them.
const STACK_BYTES: u32 = 1 << 20;
/// The machine's stack that compiled code may use: deep JavaScript must end at `STACK_BYTES`, not here.
const NATIVE_STACK_BYTES: usize = 16 << 20;

/// One a process.
pub(in crate::sandbox) struct Machine {
    pub options: Options,
    pub engine: wasmtime::Engine,
    pub heavy: Heavy,
    /// One permit a sandbox that exists.
    pub permits: Arc<Semaphore>,
    /// Where pictures are worked on.
    pub places: Places,
    /// Evaluated dependencies, by what they were evaluated from.
    pub dependencies: layer::Dependencies,
    /// Compiled code that outlives the process.
    pub cache: Cache,
    base: Option<Arc<Layer>>,
    base_key: u64,
    code: Module,
    linker: Linker<State>,
    imports: Vec<Import>,
    common: Arc<Common>,
}

/// What every sandbox refers to.
struct Common {
    entries: Entries,
    input_area: u32,
    ticker: Ticker,
}

macro_rules! entries {
    ($($name:ident),*) => {
        struct Entries { $($name: ModuleExport),* }
        impl Entries {
            fn of(code: &Module) -> Result<Entries, Error> {
                Ok(Entries { $($name: code.get_export_index(stringify!($name)).ok_or_else(|| Error::Engine(format!("the engine has no entry `{}`", stringify!($name))))?),* })
            }
        }
    };
}
entries!(reserve, boot, script, seal, load, compile, evaluate, settled, adopt, tidy, bound, begin, invoke, complete);

impl Machine {
    pub fn new(options: Options) -> Result<Machine, Error> {
        Machine::with_runtime(options, super::runtime::sources())
    }

    /// A machine with these scripts as its runtime: name and source each.
    pub fn with_runtime(options: Options, scripts: &[(&str, &str)]) -> Result<Machine, Error> {
        let engine = wasmtime::Engine::new(&config(&options)).map_err(engine_error)?;
        let cache = Cache::new(&options.cache_dir);
        let key = key(&engine, ENGINE);
        let split = module::inspect(ENGINE).map_err(Error::Engine)?;
        let code = match cache.load(&engine, &format!("engine-{key:016x}")) {
            Some(loaded) => loaded.module,
            None => {
                let code = Module::new(&engine, split.code().map_err(Error::Engine)?).map_err(engine_error)?;
                cache.store(&format!("engine-{key:016x}"), code.serialize(), "");
                code
            }
        };
        let mut base_key = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
        base_key.update(&key.to_le_bytes());
        base_key.update(&STACK_BYTES.to_le_bytes());
        for (name, source) in scripts {
            for part in [name, source] {
                base_key.update(&(part.len() as u64).to_le_bytes());
                base_key.update(part.as_bytes());
            }
        }
        let base_key = base_key.finalize();
        let mut machine = Machine {
            heavy: Heavy::default(),
            permits: Arc::new(Semaphore::new(options.sandboxes_max as usize)),
            places: Places::default(),
            dependencies: layer::Dependencies::default(),
            base: None,
            base_key,
            cache,
            linker: door::linker(&engine).map_err(engine_error)?,
            imports: imports(&code),
            common: Arc::new(Common { entries: Entries::of(&code)?, input_area: split.input_area, ticker: Ticker::start(&engine) }),
            code,
            engine,
            options,
        };
        let name = format!("runtime-{base_key:016x}");
        let base = match machine.cache.load(&machine.engine, &name).and_then(Layer::kept) {
            Some(layer) => layer,
            None => {
                let first = machine.layer(split.initial().map_err(Error::Engine)?).map_err(engine_error)?;
                let booted = finish(machine.boot(&first, scripts))?;
                let layer = machine.image(&booted).map_err(engine_error)?;
                machine.cache.store(&name, layer.module().serialize(), "");
                layer
            }
        };
        machine.base = Some(Arc::new(base));
        Ok(machine)
    }

    /// The image with the runtime loaded and nothing else.
    pub fn base(&self) -> &Arc<Layer> {
        self.base.as_ref().expect("`with_runtime` sets it last")
    }

    /// Identifies the engine and the runtime.
    pub fn base_key(&self) -> u64 {
        self.base_key
    }

    /// Compiles a memory's content into an image. Slow: milliseconds.
    pub fn image(&self, content: &[u8]) -> wasmtime::Result<Layer> {
        self.layer(module::wrap(content))
    }

    /// The content of an image's memory. Slow: copies it.
    pub fn content(&self, layer: &Layer) -> wasmtime::Result<Vec<u8>> {
        Ok(finish(Guest::new(self, layer, State::boot(self.options.memory_mib_max)))?.content())
    }

    fn layer(&self, data_only: Vec<u8>) -> wasmtime::Result<Layer> {
        let module = anonymous::module(&self.engine, data_only)?;
        Layer::new(module).ok_or_else(|| wasmtime::format_err!("an image exports its memory"))
    }

    /// Whether [`Machine::kept_layer`] has something to read.
    pub fn is_kept(&self, key: &Key) -> bool {
        self.cache.has(&layer_name(key))
    }

    /// A layer that an earlier process kept under this key, where it can be read, and the names of the variables that its evaluation asked
    /// for: none of them was set.
    pub fn kept_layer(&self, key: &Key) -> Option<Variant> {
        let loaded = self.cache.load(&self.engine, &layer_name(key))?;
        let asked: Vec<String> = serde_json::from_str(&loaded.words).ok()?;
        let layer = Arc::new(Layer::kept(loaded)?);
        Some(Variant { asked: asked.into_iter().map(|name| (name, None)).collect(), whole: None, layer: Some(layer) })
    }

    /// Keeps a layer for later processes, unless its evaluation was told a variable: the environment is the project's and stays in
    /// memory. Gives it as it was kept. Slow: writes a file.
    pub fn keep_layer(&self, key: &Key, variant: &Variant) -> Option<Variant> {
        let layer = variant.layer.as_ref()?;
        if variant.whole.is_some() || variant.asked.values().any(Option::is_some) {
            return None;
        }
        let names = serde_json::to_string(&variant.asked.keys().collect::<Vec<_>>()).ok()?;
        self.cache.store(&layer_name(key), layer.module().serialize(), &names);
        self.kept_layer(key)
    }

    /// Boots the engine in the memory as linked, evaluates the runtime; gives the memory's content.
    async fn boot(&self, first: &Layer, scripts: &[(&str, &str)]) -> Result<Vec<u8>, Error> {
        let failed = |e: wasmtime::Error| Error::Runtime(format!("{e:#}"));
        let mut guest = Guest::new(self, first, State::boot(self.options.memory_mib_max)).await.map_err(failed)?;
        guest.boot(STACK_BYTES).await.map_err(failed)?;
        for (name, source) in scripts {
            guest.script(&format!("emu:{name}"), source).await.map_err(failed)?;
            if let Some(answer) = guest.state().answer.take()
                && !answer.ok
            {
                return Err(Error::Runtime(format!("{name}: {}", answer.text)));
            }
        }
        guest.seal().await.map_err(failed)?;
        Ok(guest.content())
    }
}

fn layer_name(key: &Key) -> String {
    format!("layer-{}", hex::encode(key))
}

fn imports(code: &Module) -> Vec<Import> {
    code.imports()
        .map(|import| if import.module() == door::MODULE { Import::Door(import.name().to_owned()) } else { Import::Memory })
        .collect()
}

/// Runs a future that only ever yields: it waits for nothing.
fn finish<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
    }
}

fn engine_error(e: wasmtime::Error) -> Error {
    Error::Engine(format!("{e:#}"))
}

fn key(engine: &wasmtime::Engine, code: &[u8]) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    env!("CARGO_PKG_VERSION").hash(&mut hasher);
    LAYOUT.hash(&mut hasher);
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, code).hash(&mut hasher);
    hasher.finish()
}

fn config(options: &Options) -> Config {
    let mut pool = PoolingAllocationConfig::new();
    // A sandbox is an image's instance (it has the memory) and the code's (it has the table).
    pool.total_memories(options.sandboxes_max)
        .total_stacks(options.sandboxes_max)
        .total_tables(options.sandboxes_max)
        .total_core_instances(options.sandboxes_max * 2)
        .linear_memory_keep_resident(1 << 20)
        .table_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto)
        .max_unused_warm_slots(64);
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool))
        .epoch_interruption(true)
        .concurrency_support(false)
        .memory_init_cow(true)
        // Images are dense, and always worth mapping.
        .memory_guaranteed_dense_image_size(1 << 30)
        .max_wasm_stack(NATIVE_STACK_BYTES)
        .async_stack_size(NATIVE_STACK_BYTES + (1 << 20))
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}
