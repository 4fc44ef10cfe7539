//! WebAssembly in any language, behind the same door as JavaScript: WASI 0.2 components that export `wasi:http/incoming-handler`, and
//! programs of WASI 0.1 (core modules with `_start`) that answer as CGI does.
//!
//! Neither has files, sockets or an environment but what it is given, and its clock shows the door's time. What a component prints is
//! logged, and its requests go through [`Host::fetch`]. A program's output is its answer: what it writes to its standard error is logged.

mod cgi;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWrite;
use tokio::sync::Semaphore;
use wasmparser::Parser;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Config, Engine, ExternType, InstancePre, Module, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{HostWallClock, I32Exit, WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use super::engine::{Budget, Cache, Ticker};
use super::heavy::Heavy;
use super::outcome::{Error, Failure, LoadError, Options};
use super::{Host, Level};

/// The longest body that a component may send or answer with, in bytes.
const BODY_BYTES_MAX: usize = 32 << 20;
/// The longest head that a program may write before its body, in bytes.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// The longest line that is logged in one piece, in bytes.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The machine for components. Cheap to clone.
#[derive(Clone)]
pub struct Components(Arc<Machine>);

struct Machine {
    engine: Engine,
    linker: Linker<State>,
    /// For programs.
    commands: wasmtime::Linker<State>,
    ticker: Ticker,
    heavy: Heavy,
    cache: Cache,
    /// One permit an instance that exists.
    permits: Semaphore,
}

/// A component ready to be invoked. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    machine: Arc<Machine>,
    code: Code,
    bytes: usize,
    settings: Arc<Settings>,
}

#[derive(Clone)]
enum Code {
    Handler(ProxyPre<State>),
    Command(InstancePre<State>),
}

/// What a component is run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its environment, all of it.
    pub environment: BTreeMap<String, String>,
    /// Memory that each invocation may use, in MiB.
    pub memory_mib: u32,
}

/// How an invocation of a component went.
#[derive(Debug)]
pub struct Answer {
    /// The response, or how it failed.
    pub result: Result<http::Response<Bytes>, Failure>,
    /// Time that the component's own code ran, in microseconds; waiting does not count.
    pub cpu_micros: u64,
    /// Time from call to end, in microseconds.
    pub wall_micros: u64,
    /// The most memory that it had, in bytes.
    pub memory_peak_bytes: u64,
}

impl Components {
    /// Sets the machine up; milliseconds.
    pub fn new(options: &Options) -> Result<Components, Error> {
        let failed = |e: wasmtime::Error| Error::Engine(format!("{e:#}"));
        let mut config = Config::new();
        config.epoch_interruption(true).concurrency_support(false).wasm_component_model(true);
        let engine = Engine::new(&config).map_err(failed)?;
        let mut linker = Linker::<State>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(failed)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(failed)?;
        let mut commands = wasmtime::Linker::<State>::new(&engine);
        p1::add_to_linker_async(&mut commands, |state: &mut State| &mut state.program).map_err(failed)?;
        let ticker = Ticker::start(&engine);
        let (cache, permits) = (Cache::new(&options.cache_dir), Semaphore::new(options.sandboxes_max as usize));
        Ok(Components(Arc::new(Machine { engine, linker, commands, ticker, heavy: Heavy::default(), cache, permits })))
    }

    /// Compiles a component or a program, or takes what an earlier process compiled of the same bytes. Slow: call it off the threads that
    /// answer requests.
    pub fn load(&self, component: &[u8], settings: Settings) -> Result<Component, LoadError> {
        let (code, bytes) = if Parser::is_core_wasm(component) { self.command(component)? } else { self.handler(component)? };
        Ok(Component { machine: self.0.clone(), code, bytes, settings: Arc::new(settings) })
    }

    fn handler(&self, component: &[u8]) -> Result<(Code, usize), LoadError> {
        let failed =
            |e: wasmtime::Error| LoadError::Engine(format!("not a component that answers HTTP (wasi:http/incoming-handler): {e:#}"));
        let name = self.name(component);
        let compiled = match self.0.cache.load_component(&self.0.engine, &name) {
            Some(compiled) => compiled,
            None => {
                let compiled = wasmtime::component::Component::from_binary(&self.0.engine, component).map_err(failed)?;
                self.0.cache.store(&name, compiled.serialize(), "");
                compiled
            }
        };
        let code = compiled.image_range();
        let bytes = (code.end as usize).saturating_sub(code.start as usize);
        let pre = self.0.linker.instantiate_pre(&compiled).and_then(ProxyPre::new).map_err(failed)?;
        Ok((Code::Handler(pre), bytes))
    }

    fn command(&self, module: &[u8]) -> Result<(Code, usize), LoadError> {
        let failed = |e: wasmtime::Error| LoadError::Engine(format!("not a program that answers HTTP (WASI 0.1, by CGI): {e:#}"));
        let name = self.name(module);
        let compiled = match self.0.cache.load(&self.0.engine, &name) {
            Some(loaded) => loaded.module,
            None => {
                let compiled = Module::new(&self.0.engine, module).map_err(failed)?;
                self.0.cache.store(&name, compiled.serialize(), "");
                compiled
            }
        };
        let is_command =
            matches!(compiled.get_export("_start"), Some(ExternType::Func(start)) if start.params().len() + start.results().len() == 0);
        if !is_command {
            return Err(failed(wasmtime::format_err!("it exports no function `_start`: build it as a program, with a `main`")));
        }
        let code = compiled.image_range();
        let bytes = (code.end as usize).saturating_sub(code.start as usize);
        let pre = self.0.commands.instantiate_pre(&compiled).map_err(failed)?;
        Ok((Code::Command(pre), bytes))
    }

    /// The cache's name for a component compiled by this engine.
    fn name(&self, component: &[u8]) -> String {
        let mut engine = std::hash::DefaultHasher::new();
        self.0.engine.precompile_compatibility_hash().hash(&mut engine);
        let mut hasher = Sha256::new();
        hasher.update(engine.finish().to_le_bytes());
        hasher.update(component);
        format!("component-{}", hex::encode(hasher.finalize()))
    }
}

impl Component {
    /// The size of its compiled code.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Answers one request in a new instance. The request's URI must be absolute or have a `host` header.
    pub async fn invoke(&self, host: Arc<dyn Host>, request: http::Request<Bytes>, timeout_ms: u64) -> Answer {
        let component = self.clone();
        self.machine.heavy.relay(async move { component.run(host, request, timeout_ms).await }).await
    }

    async fn run(&self, host: Arc<dyn Host>, request: http::Request<Bytes>, timeout_ms: u64) -> Answer {
        let began = Instant::now();
        let permit = self.machine.permits.acquire().await;
        let output = MemoryOutputPipe::new(HEAD_BYTES_MAX + BODY_BYTES_MAX);
        let state = match &self.code {
            Code::Handler(_) => State::new(host, &self.settings),
            Code::Command(_) => State::command(host, &self.settings, &request, output.clone()),
        };
        let mut store = Store::new(&self.machine.engine, state);
        store.limiter(|state| &mut state.bound);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let mut cpu = Duration::ZERO;
        let ended = {
            let mut work = pin!(async {
                match &self.code {
                    Code::Handler(pre) => handle(pre, &mut store, request).await,
                    Code::Command(pre) => run(pre, &mut store, &output).await,
                }
            });
            let counted = std::future::poll_fn(|cx| {
                let _running = self.machine.ticker.run();
                let began = Instant::now();
                let polled = work.as_mut().poll(cx);
                cpu += began.elapsed();
                polled
            });
            tokio::time::timeout(Duration::from_millis(timeout_ms), counted).await
        };
        let bound = &store.data().bound;
        let result = match ended {
            Err(_) => Err(Failure::TimedOut { after_ms: timeout_ms }),
            Ok(Err(_)) if bound.refused => Err(Failure::OutOfMemory { memory_mib: self.settings.memory_mib }),
            Ok(answered) => answered.map_err(|message| Failure::Exited { message }),
        };
        let memory_peak_bytes = bound.peak_bytes as u64;
        drop(store);
        drop(permit);
        Answer { result, cpu_micros: cpu.as_micros() as u64, wall_micros: began.elapsed().as_micros() as u64, memory_peak_bytes }
    }
}

/// Hands a request to a component.
async fn handle(pre: &ProxyPre<State>, store: &mut Store<State>, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, String> {
    let trapped = |e: wasmtime::Error| format!("the component ended: {e:#}");
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let scheme = if request.uri().scheme() == Some(&http::uri::Scheme::HTTPS) { Scheme::Https } else { Scheme::Http };
    let request = request.map(|body| Full::new(body).map_err(|never| -> wasmtime_wasi_http::Error { match never {} }));
    let request = store.data_mut().http().new_incoming_request::<_>(scheme, request).map_err(trapped)?;
    let out = store.data_mut().http().new_response_outparam(sender).map_err(trapped)?;
    let proxy = pre.instantiate_async(&mut *store).await.map_err(trapped)?;
    // The body is read while the component still writes it.
    let call = async {
        let called = proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, out).await.map_err(trapped);
        // Whatever it has left open is never going to be answered or written.
        store.data_mut().table = ResourceTable::new();
        called
    };
    let read = async {
        match receiver.await {
            Err(_) => Err("the component ended without a response".to_string()),
            Ok(Err(code)) => Err(format!("the component answered with an error: {code:?}")),
            Ok(Ok(response)) => {
                let (parts, body) = response.into_parts();
                let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|e| format!("the response's body failed: {e}"))?;
                Ok(http::Response::from_parts(parts, body.to_bytes()))
            }
        }
    };
    let (called, response) = futures_util::future::join(call, read).await;
    called.and(response)
}

/// Runs a program once and reads its answer.
async fn run(pre: &InstancePre<State>, store: &mut Store<State>, output: &MemoryOutputPipe) -> Result<http::Response<Bytes>, String> {
    let trapped = |e: wasmtime::Error| format!("the program ended: {e:#}");
    let instance = pre.instantiate_async(&mut *store).await.map_err(trapped)?;
    let start = instance.get_typed_func::<(), ()>(&mut *store, "_start").map_err(trapped)?;
    if let Err(ended) = start.call_async(&mut *store, ()).await {
        match ended.downcast_ref::<I32Exit>() {
            Some(I32Exit(0)) => {}
            Some(I32Exit(code)) => return Err(format!("the program ended with exit code {code}")),
            None => return Err(trapped(ended)),
        }
    }
    cgi::response(&output.contents()).map_err(|problem| format!("the program's output is no answer: {problem}"))
}

struct State {
    wasi: WasiCtx,
    /// What a program has instead.
    program: WasiP1Ctx,
    http: WasiHttpCtx,
    table: ResourceTable,
    door: Door,
    bound: Bound,
}

/// The bound on all memories of one instance together.
struct Bound {
    bytes_max: usize,
    bytes: usize,
    peak_bytes: usize,
    refused: bool,
}

/// Entries that the tables of one instance may have.
const TABLE_ENTRIES_MAX: usize = 1 << 20;

impl ResourceLimiter for Bound {
    fn memory_growing(&mut self, current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current));
        if bytes > self.bytes_max {
            self.refused = true;
            return Ok(false);
        }
        self.bytes = bytes;
        self.peak_bytes = self.peak_bytes.max(bytes);
        Ok(true)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ENTRIES_MAX)
    }
}

impl State {
    fn new(host: Arc<dyn Host>, settings: &Settings) -> State {
        let mut wasi = builder(&host, settings.environment.iter());
        let budget = Arc::new(Mutex::new(Budget::new()));
        wasi.stdout(Log { host: host.clone(), level: Level::Info, rest: Vec::new(), budget: budget.clone() });
        wasi.stderr(Log { host: host.clone(), level: Level::Error, rest: Vec::new(), budget });
        State::with(host, settings, wasi.build(), WasiCtx::builder().build_p1())
    }

    /// For a program, which is told the request by its environment and its input and answers by its output.
    fn command(host: Arc<dyn Host>, settings: &Settings, request: &http::Request<Bytes>, output: MemoryOutputPipe) -> State {
        let variables = cgi::environment(request);
        // What the project sets goes before what a client says.
        let told = variables.iter().filter(|(name, _)| !settings.environment.contains_key(*name));
        let mut wasi = builder(&host, settings.environment.iter().chain(told));
        let budget = Arc::new(Mutex::new(Budget::new()));
        wasi.arg("program").stdin(MemoryInputPipe::new(request.body().clone())).stdout(output);
        wasi.stderr(Log { host: host.clone(), level: Level::Info, rest: Vec::new(), budget });
        State::with(host, settings, WasiCtx::builder().build(), wasi.build_p1())
    }

    fn with(host: Arc<dyn Host>, settings: &Settings, wasi: WasiCtx, program: WasiP1Ctx) -> State {
        State {
            wasi,
            program,
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            door: Door(host),
            bound: Bound { bytes_max: (settings.memory_mib as usize) << 20, bytes: 0, peak_bytes: 0, refused: false },
        }
    }
}

/// WASI with these variables, the door's time, and no way out of its own.
fn builder<'a>(host: &Arc<dyn Host>, environment: impl Iterator<Item = (&'a String, &'a String)>) -> WasiCtxBuilder {
    let mut wasi = WasiCtx::builder();
    for (name, value) in environment {
        wasi.env(name, value);
    }
    wasi.wall_clock(Clock(host.clone()));
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    wasi
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.door }
    }
}

struct Clock(Arc<dyn Host>);

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        Duration::try_from_secs_f64(self.0.now() / 1000.0).unwrap_or_default()
    }
}

/// The way out.
struct Door(Arc<dyn Host>);

type Sent =
    Result<(http::Response<WasiBody>, Box<dyn Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send>), wasmtime_wasi_http::Error>;

impl WasiHttpHooks for Door {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _sent: Box<dyn Future<Output = Result<(), wasmtime_wasi_http::Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        let host = self.0.clone();
        Box::new(async move {
            use wasmtime_wasi_http::Error;
            let (parts, body) = request.into_parts();
            let body = Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|_| Error::HttpRequestBodySize(None))?.to_bytes();
            match host.fetch(http::Request::from_parts(parts, body)).await {
                Ok(response) => {
                    let response = response.map(|body| Full::new(body).map_err(|never| match never {}).boxed_unsync());
                    let done: Box<dyn Future<Output = Result<(), Error>> + Send> = Box::new(std::future::ready(Ok(())));
                    Ok((response, done))
                }
                Err(problem) => {
                    host.log(Level::Error, &problem.to_string());
                    Err(match problem {
                        super::FetchError::Denied { .. } => Error::HttpRequestDenied,
                        super::FetchError::Failed(text) => Error::InternalError(Some(text)),
                    })
                }
            }
        })
    }
}

/// A standard stream, logged line by line.
#[derive(Clone)]
struct Log {
    host: Arc<dyn Host>,
    level: Level,
    rest: Vec<u8>,
    /// Shared by both streams.
    budget: Arc<Mutex<Budget>>,
}

impl IsTerminal for Log {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Log {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl Log {
    fn line(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let mut budget = self.budget.lock().expect("no code panics while it holds the budget");
        budget.log(&*self.host, self.level, text.trim_end_matches('\r'));
    }
}

impl AsyncWrite for Log {
    fn poll_write(mut self: Pin<&mut Self>, _cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        for byte in bytes {
            if *byte == b'\n' || self.rest.len() >= LINE_BYTES_MAX {
                let line = std::mem::take(&mut self.rest);
                self.line(&line);
            }
            if *byte != b'\n' {
                self.rest.push(*byte);
            }
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if !self.rest.is_empty() {
            self.line(&self.rest);
        }
    }
}

#[cfg(test)]
mod program;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
