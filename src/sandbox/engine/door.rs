//! The door from inside: the functions that the engine's module imports, and what they share with the host's side of a sandbox.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::{AbortHandle, Abortable, BoxFuture};
use futures_util::stream::FuturesUnordered;
use wasmtime::{Caller, Linker, Memory, ResourceLimiter};

use super::super::door::{FetchError, Host, Level};
use super::super::ops;
use super::desk::{Desk, Places};

/// Host operations that one sandbox may have under way.
const OPERATIONS_MAX: usize = 10_000;
/// The longest answer that a function may give, in bytes. Callers bound it further.
const ANSWER_BYTES_MAX: usize = 32 << 20;
/// The most random bytes that one draw may ask for.
const RANDOM_BYTES_MAX: u32 = 64 << 20;

/// How an invocation ended, as the guest says it.
pub struct Answer {
    pub ok: bool,
    /// The result or the error, JSON.
    pub text: String,
}

/// A host operation that has ended.
pub struct Completion {
    pub id: i32,
    pub ok: bool,
    pub meta: String,
    pub data: Option<Bytes>,
    /// For how long the host worked for it, beside waiting.
    pub spent: Duration,
}

/// The modules of a bundle, by path.
pub type Sources = HashMap<String, Arc<str>>;

/// What one invocation may log.
pub struct Budget {
    log_bytes_left: usize,
}

/// The variables that dependencies are evaluated with, and which of them that evaluation asked for.
#[derive(Default)]
pub struct Environment {
    pub values: Arc<BTreeMap<String, String>>,
    pub asked: BTreeSet<String>,
    /// All names were asked for: it depends on each variable.
    pub listed: bool,
}

impl Environment {
    /// The operations `env.get` and `env.names`, answered with JSON.
    fn call(&mut self, op: &str, name: &str) -> Option<String> {
        let answer = match op {
            "env.get" => {
                if !self.asked.contains(name) {
                    self.asked.insert(name.to_owned());
                }
                serde_json::to_string(&self.values.get(name))
            }
            "env.names" => {
                self.listed = true;
                serde_json::to_string(&self.values.keys().collect::<Vec<_>>())
            }
            _ => return None,
        };
        Some(answer.unwrap_or_default())
    }
}

impl Budget {
    const LOG_BYTES: usize = 256 << 10;

    pub fn new() -> Budget {
        Budget { log_bytes_left: Budget::LOG_BYTES }
    }

    /// Passes a line on as far as the budget goes; says so once where it ends.
    pub fn log(&mut self, host: &dyn Host, level: Level, text: &str) {
        if self.log_bytes_left == 0 {
            return;
        }
        // An empty line costs something too.
        let cost = text.len().max(1);
        if cost < self.log_bytes_left {
            self.log_bytes_left -= cost;
            host.log(level, text);
            return;
        }
        let end = text.floor_char_boundary(self.log_bytes_left);
        self.log_bytes_left = 0;
        host.log(level, text.get(..end).unwrap_or_default());
        host.log(Level::Warn, &format!("[log truncated: one invocation may log {} KiB]", Budget::LOG_BYTES >> 10));
    }
}

/// The host's side of one sandbox.
pub struct State {
    pub host: Arc<dyn Host>,
    pub sources: Arc<Sources>,
    pub memory: Option<Memory>,
    /// Set when the guest calls `done`.
    pub answer: Option<Answer>,
    pub operations: FuturesUnordered<Abortable<BoxFuture<'static, Completion>>>,
    pub budget: Budget,
    /// Random bytes were drawn since this was last cleared.
    pub drew_random: bool,
    /// The time was asked for since this was last cleared.
    pub read_time: bool,
    /// Something was logged since this was last cleared.
    pub logged: bool,
    /// A request to the outside was begun since this was last cleared.
    pub went_outside: bool,
    /// Whether requests to the outside are sent; otherwise they are only noted in `went_outside`.
    pub outside: bool,
    /// The function was refused memory since this was last cleared.
    pub refused: bool,
    pub limit: Limit,
    /// Answers for `process.env` until a function is loaded.
    pub environment: Environment,
    pub desk: Desk,
    held_meta: Vec<u8>,
    held_data: Option<Vec<u8>>,
    cancels: HashMap<i32, AbortHandle>,
    last_id: i32,
}

/// The bound on a sandbox's memory.
pub struct Limit {
    pub bytes_max: usize,
    /// Growth was refused.
    pub refused: bool,
}

impl ResourceLimiter for Limit {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let allowed = desired <= self.bytes_max;
        self.refused |= !allowed;
        Ok(allowed)
    }

    fn table_growing(&mut self, _current: usize, _desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(true)
    }
}

impl State {
    pub fn new(host: Arc<dyn Host>, sources: Arc<Sources>, bytes_max: usize, desk: Desk) -> State {
        State {
            host,
            sources,
            memory: None,
            answer: None,
            operations: FuturesUnordered::new(),
            budget: Budget::new(),
            drew_random: false,
            read_time: false,
            logged: false,
            went_outside: false,
            outside: false,
            refused: false,
            limit: Limit { bytes_max, refused: false },
            environment: Environment::default(),
            desk,
            held_meta: Vec::new(),
            held_data: None,
            cancels: HashMap::new(),
            last_id: 0,
        }
    }

    /// Whether what was evaluated would be the same in another process: what reads a clock, or says something, does so anew.
    pub fn is_lasting(&self) -> bool {
        !self.read_time && !self.logged
    }

    /// For evaluating this project's own runtime: no time, no randomness, no outside.
    pub fn boot(memory_mib_max: u32) -> State {
        State::new(Arc::new(Nowhere), Arc::default(), (memory_mib_max as usize) << 20, Desk::new(Places::default()))
    }

    /// Begins a host operation; its id, 0 where there are too many, -1 where there is no such operation.
    fn start(&mut self, op: &str, meta: &str, data: Option<&[u8]>) -> i32 {
        if self.operations.len() >= OPERATIONS_MAX {
            return 0;
        }
        let id = self.last_id.checked_add(1).unwrap_or(1);
        let work: BoxFuture<'static, Completion> = match op {
            "sleep" => {
                let ms: f64 = meta.trim().parse().unwrap_or(0.0);
                let slept = self.host.sleep(if ms.is_finite() { ms.max(0.0) } else { 0.0 });
                slept.map(move |()| Completion { id, ok: true, meta: String::new(), data: None, spent: Duration::ZERO }).boxed()
            }
            "fetch" => {
                self.went_outside = true;
                match request(meta, data) {
                    Ok((url, request)) if self.outside => self.host.fetch(request).map(move |answer| fetched(id, &url, answer)).boxed(),
                    Ok(_) => futures_util::future::pending().boxed(),
                    Err(problem) => futures_util::future::ready(failed(id, &problem)).boxed(),
                }
            }
            "picture" => self.desk.picture(id, meta, data.unwrap_or_default(), self.limit.bytes_max),
            _ => return -1,
        };
        self.last_id = id;
        let (handle, registration) = AbortHandle::new_pair();
        self.cancels.insert(id, handle);
        self.operations.push(Abortable::new(work, registration));
        id
    }

    fn cancel(&mut self, id: i32) {
        if let Some(handle) = self.cancels.remove(&id) {
            handle.abort();
        }
    }

    /// To be called when an operation has ended, before the guest hears of it.
    pub fn ended(&mut self, id: i32) {
        self.cancels.remove(&id);
    }

    /// Host operations that have neither ended nor been cancelled.
    pub fn operations_open(&self) -> usize {
        self.cancels.len()
    }

    fn log(&mut self, level: i32, text: &str) {
        let level = match level {
            0 => Level::Trace,
            1 => Level::Debug,
            3 => Level::Warn,
            4 => Level::Error,
            _ => Level::Info,
        };
        self.logged = true;
        self.budget.log(&*self.host, level, text);
    }

    fn call(&mut self, op: &str, meta: &str, data: &[u8]) -> (bool, [i32; 2]) {
        if let Some(answer) = self.environment.call(op, meta) {
            self.held_meta = answer.into_bytes();
            self.held_data = None;
            return (true, [self.held_meta.len() as i32, -1]);
        }
        let (ok, text, data) = match ops::call(op, meta, data) {
            Ok((text, data)) => (true, text, data),
            Err(error) => (false, error.message, error.name.as_bytes().to_vec()),
        };
        // No bytes at all are handed over as null.
        let data_len = if ok && data.is_empty() { -1 } else { data.len() as i32 };
        let sizes = [text.len() as i32, data_len];
        self.held_meta = text.into_bytes();
        self.held_data = (data_len >= 0).then_some(data);
        (ok, sizes)
    }

    fn finish(&mut self, ok: bool, text: &str) {
        let answer = if text.len() > ANSWER_BYTES_MAX {
            let message = format!("the response is {} bytes long; at most {ANSWER_BYTES_MAX} are possible", text.len());
            Answer {
                ok: false,
                text: serde_json::json!({ "errorType": "Function.ResponseSizeTooLarge", "errorMessage": message }).to_string(),
            }
        } else {
            Answer { ok, text: text.to_owned() }
        };
        self.answer.get_or_insert(answer);
    }
}

#[derive(serde::Deserialize)]
struct RequestMeta {
    method: String,
    url: String,
    #[serde(default)]
    headers: Vec<(String, String)>,
}

fn request(meta: &str, data: Option<&[u8]>) -> Result<(String, http::Request<Bytes>), String> {
    let meta: RequestMeta = serde_json::from_str(meta).map_err(|e| format!("not a request: {e}"))?;
    let mut request = http::Request::builder().method(meta.method.as_str()).uri(meta.url.as_str());
    for (name, value) in &meta.headers {
        // Header values are bytes: JavaScript gives each as one character.
        let value: Vec<u8> = match value.chars().map(|c| u8::try_from(u32::from(c))).collect() {
            Ok(bytes) => bytes,
            Err(_) => value.clone().into_bytes(),
        };
        request = request.header(name.as_str(), value);
    }
    let body = data.map(Bytes::copy_from_slice).unwrap_or_default();
    let request = request.body(body).map_err(|e| format!("not a request ({} {}): {e}", meta.method, meta.url))?;
    Ok((meta.url, request))
}

fn fetched(id: i32, url: &str, answer: Result<http::Response<Bytes>, FetchError>) -> Completion {
    let response = match answer {
        Ok(response) => response,
        Err(problem) => return failed(id, &problem.to_string()),
    };
    let (parts, body) = response.into_parts();
    let headers: Vec<(&str, String)> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes().iter().map(|b| char::from(*b)).collect())).collect();
    let meta = serde_json::json!({
        "status": parts.status.as_u16(),
        "statusText": parts.status.canonical_reason().unwrap_or_default(),
        "headers": headers,
        "url": url,
    });
    Completion { id, ok: true, meta: meta.to_string(), data: Some(body), spent: Duration::ZERO }
}

fn failed(id: i32, problem: &str) -> Completion {
    let meta = serde_json::json!({ "name": "TypeError", "message": problem }).to_string();
    Completion { id, ok: false, meta, data: None, spent: Duration::ZERO }
}

/// The host while this project's runtime is evaluated, which needs none.
struct Nowhere;

impl Host for Nowhere {
    fn now(&self) -> f64 {
        0.0
    }

    fn random(&self, into: &mut [u8]) {
        into.fill(0);
    }

    fn log(&self, _level: Level, text: &str) {
        tracing::debug!("the sandbox's runtime logged while it was loaded: {text}");
    }

    fn sleep(&self, _ms: f64) -> BoxFuture<'static, ()> {
        futures_util::future::pending().boxed()
    }

    fn fetch(&self, _request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        futures_util::future::ready(Err(FetchError::Failed("there is no outside yet".into()))).boxed()
    }
}

/// A guest's memory and its state, borrowed at once.
fn inside<'a>(caller: &'a mut Caller<'_, State>) -> wasmtime::Result<(&'a mut [u8], &'a mut State)> {
    let memory = caller.data().memory.ok_or_else(|| wasmtime::format_err!("the guest has no memory yet"))?;
    Ok(memory.data_and_store_mut(caller))
}

fn bytes(memory: &[u8], at: u32, len: u32) -> wasmtime::Result<&[u8]> {
    let end = (at as usize).checked_add(len as usize);
    end.and_then(|end| memory.get(at as usize..end)).ok_or_else(|| wasmtime::format_err!("the guest points outside of its memory"))
}

fn bytes_mut(memory: &mut [u8], at: u32, len: u32) -> wasmtime::Result<&mut [u8]> {
    let end = (at as usize).checked_add(len as usize);
    end.and_then(|end| memory.get_mut(at as usize..end)).ok_or_else(|| wasmtime::format_err!("the guest points outside of its memory"))
}

/// Lone surrogates have no UTF-8: the engine writes them as three bytes, which become replacement characters here.
fn text(memory: &[u8], at: u32, len: u32) -> wasmtime::Result<std::borrow::Cow<'_, str>> {
    Ok(String::from_utf8_lossy(bytes(memory, at, len)?))
}

/// The names under which the engine's module imports what `linker` defines.
pub const MODULE: &str = "door";

/// The functions that the engine's module imports (`glue.c` declares the same).
pub fn linker(engine: &wasmtime::Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    linker
        .func_wrap(
            MODULE,
            "call",
            |mut caller: Caller<'_, State>,
             op: u32,
             op_len: u32,
             meta: u32,
             meta_len: u32,
             data: u32,
             data_len: u32,
             sizes: u32|
             -> wasmtime::Result<i32> {
                let (memory, state) = inside(&mut caller)?;
                let (ok, lengths) = state.call(&text(memory, op, op_len)?, &text(memory, meta, meta_len)?, bytes(memory, data, data_len)?);
                let into = bytes_mut(memory, sizes, 8)?;
                into[..4].copy_from_slice(&lengths[0].to_le_bytes());
                into[4..].copy_from_slice(&lengths[1].to_le_bytes());
                Ok(i32::from(ok))
            },
        )?
        .func_wrap(MODULE, "take", |mut caller: Caller<'_, State>, meta: u32, data: u32| -> wasmtime::Result<()> {
            let (memory, state) = inside(&mut caller)?;
            let held = std::mem::take(&mut state.held_meta);
            bytes_mut(memory, meta, held.len() as u32)?.copy_from_slice(&held);
            if let Some(held) = state.held_data.take() {
                bytes_mut(memory, data, held.len() as u32)?.copy_from_slice(&held);
            }
            Ok(())
        })?
        .func_wrap(
            MODULE,
            "start",
            |mut caller: Caller<'_, State>,
             op: u32,
             op_len: u32,
             meta: u32,
             meta_len: u32,
             data: u32,
             data_len: u32|
             -> wasmtime::Result<i32> {
                let (memory, state) = inside(&mut caller)?;
                let data = if data == 0 { None } else { Some(bytes(memory, data, data_len)?) };
                Ok(state.start(&text(memory, op, op_len)?, &text(memory, meta, meta_len)?, data))
            },
        )?
        .func_wrap(MODULE, "cancel", |mut caller: Caller<'_, State>, id: i32| caller.data_mut().cancel(id))?
        .func_wrap(MODULE, "now", |mut caller: Caller<'_, State>| {
            let state = caller.data_mut();
            state.read_time = true;
            state.host.now()
        })?
        .func_wrap(MODULE, "random", |mut caller: Caller<'_, State>, into: u32, len: u32| -> wasmtime::Result<()> {
            let (memory, state) = inside(&mut caller)?;
            state.drew_random = true;
            if len > RANDOM_BYTES_MAX {
                return Err(wasmtime::format_err!("the guest asks for {len} random bytes at once"));
            }
            state.host.random(bytes_mut(memory, into, len)?);
            Ok(())
        })?
        .func_wrap(MODULE, "log", |mut caller: Caller<'_, State>, level: i32, at: u32, len: u32| -> wasmtime::Result<()> {
            let (memory, state) = inside(&mut caller)?;
            state.log(level, &text(memory, at, len)?);
            Ok(())
        })?
        .func_wrap(MODULE, "done", |mut caller: Caller<'_, State>, ok: i32, at: u32, len: u32| -> wasmtime::Result<()> {
            let (memory, state) = inside(&mut caller)?;
            state.finish(ok != 0, &text(memory, at, len)?);
            Ok(())
        })?
        .func_wrap(MODULE, "refused", |mut caller: Caller<'_, State>| caller.data_mut().refused = true)?
        .func_wrap(MODULE, "source", |mut caller: Caller<'_, State>, name: u32, len: u32| -> wasmtime::Result<i32> {
            let (memory, state) = inside(&mut caller)?;
            let name = text(memory, name, len)?;
            let Some(source) = state.sources.get(name.as_ref()) else { return Ok(-1) };
            state.held_meta = source.as_bytes().to_vec();
            state.held_data = None;
            Ok(state.held_meta.len() as i32)
        })?;
    Ok(linker)
}
