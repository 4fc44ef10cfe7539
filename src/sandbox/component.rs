//! WASI 0.2 components that export `wasi:http/incoming-handler`, in any language: they run behind the same door as JavaScript.
//!
//! A component has no files, no sockets and no environment but what it is given. What it prints is logged, its requests go through
//! [`Host::fetch`], its clock shows the door's time.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use tokio::io::AsyncWrite;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime::{Config, Engine, Store, UpdateDeadline};
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::p2::bindings::ProxyPre;
use wasmtime_wasi_http::p2::bindings::http::types::Scheme;
use wasmtime_wasi_http::{RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

use super::engine::{Limit, Ticker};
use super::heavy::Heavy;
use super::outcome::{Error, Failure, LoadError};
use super::{Host, Level};

/// The longest body that a component may send or answer with, in bytes.
const BODY_BYTES_MAX: usize = 32 << 20;
/// The longest line that is logged in one piece, in bytes.
const LINE_BYTES_MAX: usize = 64 << 10;

/// The machine for components. Cheap to clone.
#[derive(Clone)]
pub struct Components(Arc<Machine>);

struct Machine {
    engine: Engine,
    linker: Linker<State>,
    ticker: Ticker,
    heavy: Heavy,
}

/// A component ready to be invoked. Cheap to clone.
#[derive(Clone)]
pub struct Component {
    machine: Arc<Machine>,
    pre: ProxyPre<State>,
    settings: Arc<Settings>,
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
    /// Time from call to end, in microseconds.
    pub wall_micros: u64,
}

impl Components {
    /// Sets the machine up; milliseconds.
    pub fn new() -> Result<Components, Error> {
        let failed = |e: wasmtime::Error| Error::Engine(format!("{e:#}"));
        let mut config = Config::new();
        config.epoch_interruption(true).concurrency_support(false).wasm_component_model(true);
        let engine = Engine::new(&config).map_err(failed)?;
        let mut linker = Linker::<State>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(failed)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(failed)?;
        let ticker = Ticker::start(&engine);
        Ok(Components(Arc::new(Machine { engine, linker, ticker, heavy: Heavy::default() })))
    }

    /// Compiles a component (binary, or text for tests). Slow: call it off the threads that answer requests.
    pub fn load(&self, component: &[u8], settings: Settings) -> Result<Component, LoadError> {
        let failed =
            |e: wasmtime::Error| LoadError::Engine(format!("not a component that answers HTTP (wasi:http/incoming-handler): {e:#}"));
        let compiled = wasmtime::component::Component::new(&self.0.engine, component).map_err(failed)?;
        let pre = self.0.linker.instantiate_pre(&compiled).and_then(ProxyPre::new).map_err(failed)?;
        Ok(Component { machine: self.0.clone(), pre, settings: Arc::new(settings) })
    }
}

impl Component {
    /// Answers one request in a new instance. The request's URI must be absolute or have a `host` header.
    pub async fn invoke(&self, host: Arc<dyn Host>, request: http::Request<Bytes>, timeout_ms: u64) -> Answer {
        let began = Instant::now();
        let component = self.clone();
        let limit = Duration::from_millis(timeout_ms);
        let work = async move { tokio::time::timeout(limit, component.run(host, request)).await };
        let result = match self.machine.heavy.relay(work).await {
            Ok(result) => result,
            Err(_) => Err(Failure::TimedOut { after_ms: timeout_ms }),
        };
        Answer { result, wall_micros: began.elapsed().as_micros() as u64 }
    }

    async fn run(&self, host: Arc<dyn Host>, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, Failure> {
        let mut store = Store::new(&self.machine.engine, State::new(host, &self.settings));
        store.limiter(|state| &mut state.limit);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|_| Ok(UpdateDeadline::Yield(1)));
        let _running = self.machine.ticker.run();
        let answer = self.handle(&mut store, request).await;
        answer.map_err(|message| {
            if store.data().limit.refused {
                Failure::OutOfMemory { memory_mib: self.settings.memory_mib }
            } else {
                Failure::Exited { message }
            }
        })
    }

    async fn handle(&self, store: &mut Store<State>, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, String> {
        let trapped = |e: wasmtime::Error| format!("the component ended: {e:#}");
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let scheme = if request.uri().scheme() == Some(&http::uri::Scheme::HTTPS) { Scheme::Https } else { Scheme::Http };
        let request = request.map(|body| Full::new(body).map_err(|never| -> wasmtime_wasi_http::Error { match never {} }));
        let request = store.data_mut().http().new_incoming_request::<_>(scheme, request).map_err(trapped)?;
        let out = store.data_mut().http().new_response_outparam(sender).map_err(trapped)?;
        let proxy = self.pre.instantiate_async(&mut *store).await.map_err(trapped)?;
        // The body is read while the component still writes it.
        let call = async { proxy.wasi_http_incoming_handler().call_handle(&mut *store, request, out).await.map_err(trapped) };
        let read = async {
            match receiver.await {
                Err(_) => Err("the component ended without a response".to_string()),
                Ok(Err(code)) => Err(format!("the component answered with an error: {code:?}")),
                Ok(Ok(response)) => {
                    let (parts, body) = response.into_parts();
                    let body =
                        Limited::new(body, BODY_BYTES_MAX).collect().await.map_err(|e| format!("the response's body failed: {e}"))?;
                    Ok(http::Response::from_parts(parts, body.to_bytes()))
                }
            }
        };
        let (called, response) = futures_util::future::join(call, read).await;
        called.and(response)
    }
}

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    door: Door,
    limit: Limit,
}

impl State {
    fn new(host: Arc<dyn Host>, settings: &Settings) -> State {
        let mut wasi = WasiCtx::builder();
        for (name, value) in &settings.environment {
            wasi.env(name, value);
        }
        wasi.stdout(Log { host: host.clone(), level: Level::Info, rest: Vec::new() });
        wasi.stderr(Log { host: host.clone(), level: Level::Error, rest: Vec::new() });
        wasi.wall_clock(Clock(host.clone()));
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        State {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            door: Door(host),
            limit: Limit { bytes_max: (settings.memory_mib as usize) << 20, refused: false },
        }
    }
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
        self.host.log(self.level, String::from_utf8_lossy(line).trim_end_matches('\r'));
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
mod tests {
    use super::*;

    #[test]
    fn what_is_no_component_is_refused_with_the_reason() {
        let components = Components::new().expect("the machine is set up");
        let settings = || Settings { environment: BTreeMap::new(), memory_mib: 16 };
        for bytes in [&b"not wasm"[..], b"\0asm\x01\0\0\0", b"\0asm\x0d\0\x01\0"] {
            let refused = components.load(bytes, settings()).map(|_| ()).expect_err("it is no HTTP component");
            assert!(refused.to_string().contains("wasi:http/incoming-handler"), "{refused}");
        }
    }
}
