//! One sandbox: an image mapped as memory, the engine's code on it, and the entries into it.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::{Extern, Instance, Memory, ModuleExport, Store, TypedFunc, UpdateDeadline, WasmParams, WasmResults};

use super::super::Host;
use super::door::{Completion, State};
use super::{Changes, Common, Entries, Layer, Machine, anonymous, door, module};

/// What the engine takes at its input area; longer inputs are given memory of their own (`glue.c` has the same number).
const INPUT_BYTES: usize = 32_768;

/// A sandbox. After an entry fails (a trap), it must be dropped.
pub struct Guest {
    store: Store<State>,
    instance: Instance,
    memory: Memory,
    common: Arc<Common>,
    spent: Duration,
    /// What begins an invocation, once one was begun: looking an entry up and checking its type is not done for each.
    invoke: Option<TypedFunc<Begins, i32>>,
}

/// Where what it is told lies, and how long the runtime's, the event and the context are.
type Begins = (u32, u32, u32, u32);

impl Guest {
    pub async fn new(machine: &Machine, layer: &Layer, state: State) -> wasmtime::Result<Guest> {
        let mut store = Store::new(&machine.engine, state);
        store.limiter(|state| &mut state.limit);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let image = Instance::new_async(&mut store, layer.module(), &[]).await?;
        let memory = image.get_module_export(&mut store, layer.memory()).and_then(Extern::into_memory);
        let memory = memory.ok_or_else(|| wasmtime::format_err!("an image exports its memory"))?;
        store.data_mut().memory = Some(memory);
        let mut imports = Vec::with_capacity(machine.imports.len());
        for import in &machine.imports {
            imports.push(match import {
                Import::Memory => Extern::Memory(memory),
                Import::Door(name) => machine.linker.get(&mut store, door::MODULE, name)?,
            });
        }
        let instance = Instance::new_async(&mut store, &machine.code, &imports).await?;
        Ok(Guest { store, instance, memory, common: machine.common.clone(), spent: Duration::ZERO, invoke: None })
    }

    pub fn state(&mut self) -> &mut State {
        self.store.data_mut()
    }

    /// Makes a sandbox that has only been loaded as good as a new one of its image.
    pub fn renew(&mut self, host: Arc<dyn Host>) {
        let state = self.store.data_mut();
        let mut new = State::new(host, state.sources.clone(), state.limit.bytes_max, state.desk.renewed());
        new.memory = state.memory;
        *state = new;
        self.spent = Duration::ZERO;
    }

    /// Time that the guest's code ran, and the host for it, since it was last asked.
    pub fn take_spent(&mut self) -> Duration {
        std::mem::take(&mut self.spent)
    }

    /// The size of its memory, which never shrinks.
    pub fn memory_bytes(&self) -> usize {
        self.memory.data_size(&self.store)
    }

    /// A copy of its memory.
    pub fn content(&self) -> Vec<u8> {
        let memory = self.memory.data(&self.store);
        let mut copy = Vec::with_capacity(memory.len());
        anonymous::advise(&mut copy);
        copy.extend_from_slice(memory);
        copy
    }

    /// Makes the memory of a new sandbox what it was when these changes were noted.
    pub fn resume(&mut self, changes: &Changes) -> wasmtime::Result<()> {
        let more = changes.bytes().saturating_sub(self.memory_bytes()).div_ceil(module::PAGE_BYTES);
        self.memory.grow(&mut self.store, more as u64)?;
        changes.apply(self.memory.data_mut(&mut self.store))
    }

    pub async fn boot(&mut self, stack_bytes: u32) -> wasmtime::Result<()> {
        self.enter(|e| &e.boot, (stack_bytes,)).await
    }

    pub async fn script(&mut self, name: &str, source: &str) -> wasmtime::Result<()> {
        let at = self.write(&[name.as_bytes(), &[0], source.as_bytes(), &[0]]).await?;
        self.enter(|e| &e.script, (at, name.len() as u32, source.len() as u32)).await
    }

    pub async fn seal(&mut self) -> wasmtime::Result<()> {
        self.enter(|e| &e.seal, ()).await
    }

    pub async fn load(&mut self, json: &str) -> wasmtime::Result<()> {
        let at = self.write(&[json.as_bytes()]).await?;
        self.enter(|e| &e.load, (at, json.len() as u32)).await
    }

    pub async fn compile(&mut self, path: &str) -> wasmtime::Result<()> {
        let at = self.write(&[path.as_bytes(), &[0]]).await?;
        self.enter(|e| &e.compile, (at,)).await
    }

    pub async fn evaluate(&mut self) -> wasmtime::Result<()> {
        self.enter(|e| &e.evaluate, ()).await
    }

    /// Whether the module evaluated last has ended: 0 not yet, 1 it has, 2 it threw (the answer says what).
    pub async fn settled(&mut self) -> wasmtime::Result<i32> {
        self.enter(|e| &e.settled, ()).await
    }

    pub async fn adopt(&mut self) -> wasmtime::Result<()> {
        self.enter(|e| &e.adopt, ()).await
    }

    pub async fn tidy(&mut self) -> wasmtime::Result<()> {
        self.enter(|e| &e.tidy, ()).await
    }

    /// Sets how many more bytes JavaScript may allocate.
    pub async fn bound(&mut self, more_bytes: u32) -> wasmtime::Result<()> {
        self.enter(|e| &e.bound, (more_bytes,)).await
    }

    pub async fn begin(&mut self, json: &str) -> wasmtime::Result<()> {
        let at = self.write(&[json.as_bytes()]).await?;
        self.enter::<_, i32>(|e| &e.begin, (at, json.len() as u32)).await.map(drop)
    }

    /// Begins an invocation; in a new sandbox with what its runtime is told first.
    pub async fn invoke(&mut self, begin: &str, event: &[u8], context: &[u8]) -> wasmtime::Result<()> {
        // The engine's parser wants a zero byte after each.
        let at = self.write(&[begin.as_bytes(), &[0], event, &[0], context, &[0]]).await?;
        let params = (at, begin.len() as u32, event.len() as u32, context.len() as u32);
        let function = match self.invoke.take() {
            Some(function) => function,
            None => self.entry(|e| &e.invoke)?,
        };
        let called = self.call(&function, params).await.map(drop);
        self.invoke = Some(function);
        called
    }

    /// Tells the guest that an operation has ended.
    pub async fn complete(&mut self, ended: &Completion) -> wasmtime::Result<()> {
        self.spent += ended.spent;
        let data = ended.data.as_deref().unwrap_or_default();
        let data_len = if ended.data.is_some() { data.len() as i32 } else { -1 };
        let at = self.write(&[ended.meta.as_bytes(), data, &[0]]).await?;
        let params = (ended.id, i32::from(ended.ok), at, ended.meta.len() as u32, data_len);
        self.enter::<_, i32>(|e| &e.complete, params).await.map(drop)
    }

    /// Puts bytes where the next entry takes them; the address.
    async fn write(&mut self, parts: &[&[u8]]) -> wasmtime::Result<u32> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let at = if len <= INPUT_BYTES {
            self.common.input_area
        } else {
            let len = u32::try_from(len).map_err(|_| wasmtime::format_err!("an input of {len} bytes is too long"))?;
            match self.enter::<_, u32>(|e| &e.reserve, (len,)).await? {
                0 => {
                    self.state().refused = true;
                    return Err(wasmtime::format_err!("the sandbox has no memory for an input of {len} bytes"));
                }
                at => at,
            }
        };
        let memory = self.memory.data_mut(&mut self.store);
        let mut to = at as usize;
        for part in parts {
            let into = memory
                .get_mut(to..to + part.len())
                .ok_or_else(|| wasmtime::format_err!("the engine's input area is outside of its memory"))?;
            into.copy_from_slice(part);
            to += part.len();
        }
        Ok(at)
    }

    fn entry<P: WasmParams, R: WasmResults>(&mut self, entry: fn(&Entries) -> &ModuleExport) -> wasmtime::Result<TypedFunc<P, R>> {
        let function = self.instance.get_module_export(&mut self.store, entry(&self.common.entries)).and_then(Extern::into_func);
        function.ok_or_else(|| wasmtime::format_err!("the engine lacks an entry"))?.typed(&self.store)
    }

    async fn enter<P: WasmParams + Sync, R: WasmResults + Sync>(
        &mut self,
        entry: fn(&Entries) -> &ModuleExport,
        params: P,
    ) -> wasmtime::Result<R> {
        let function = self.entry(entry)?;
        self.call(&function, params).await
    }

    async fn call<P: WasmParams + Sync, R: WasmResults + Sync>(&mut self, function: &TypedFunc<P, R>, params: P) -> wasmtime::Result<R> {
        let _running = self.common.ticker.run();
        self.store.set_epoch_deadline(1);
        let spent = &mut self.spent;
        let mut call = pin!(function.call_async(&mut self.store, params));
        std::future::poll_fn(move |cx| {
            let began = Instant::now();
            let polled = call.as_mut().poll(cx);
            *spent += began.elapsed();
            polled
        })
        .await
    }
}

/// What the engine's module imports, in its order.
pub enum Import {
    Memory,
    Door(String),
}
