//! The door of one invocation: what the sandbox asks of the world passes here, with the function's identity, trace and bill.

use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::answer::LogLine;
use super::firebase::{OUTLET_HOST, Outlet};
use crate::base::{Call, Clock, Ids, Napper, Time};
use crate::sandbox::{FetchError, Host, Level};
use crate::telemetry::{self, Record, Sink};

/// The way out of functions: to the project's own endpoints in the process, or to hosts that are allowed.
pub trait Network: Send + Sync + 'static {
    /// Sends a request on behalf of `call`, a function.
    fn fetch(&self, call: Call, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>>;
}

/// Longest line that is kept, in bytes, as in CloudWatch.
const LINE_BYTES_MAX: usize = 262_144;
/// All lines of one invocation that are kept, in bytes and in number.
const LOG_BYTES_MAX: usize = 1_048_576;
const LOG_LINES_MAX: usize = 10_000;

/// One invocation's door.
pub(super) struct Door {
    call: Call,
    id: Arc<str>,
    function: Arc<str>,
    clock: Clock,
    napper: Napper,
    ids: Ids,
    network: Arc<dyn Network>,
    sink: Sink,
    began: (Time, Instant),
    log: Mutex<Log>,
    /// Takes the answer to a request while the function goes on.
    pub outlet: Option<Outlet>,
}

#[derive(Default)]
struct Log {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: u64,
}

/// What doors share.
#[derive(Clone)]
pub(super) struct World {
    pub clock: Clock,
    pub ids: Ids,
    pub network: Arc<dyn Network>,
    pub sink: Sink,
}

impl Door {
    pub fn new(world: &World, call: Call, id: Arc<str>, function: Arc<str>) -> Door {
        Door {
            call,
            id,
            function,
            clock: world.clock.clone(),
            napper: world.clock.napper(),
            ids: world.ids.clone(),
            network: Arc::clone(&world.network),
            sink: world.sink.clone(),
            began: (world.clock.now(), Instant::now()),
            log: Mutex::default(),
            outlet: None,
        }
    }

    /// The same with a way on which the function answers while it goes on.
    pub fn answering(self, outlet: Option<Outlet>) -> Door {
        Door { outlet, ..self }
    }

    /// The lines so far and how many were not kept; leaves none.
    pub fn take_log(&self) -> (Vec<LogLine>, u64) {
        let log = std::mem::take(&mut *self.lock());
        (log.lines, log.dropped)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Log> {
        self.log.lock().expect("no code panics while it holds the log")
    }
}

impl Host for Door {
    /// The clock's milliseconds, with the machine's fractions while the clock runs with the machine.
    fn now(&self) -> f64 {
        let now = self.clock.now().millis() as f64;
        let (at, since) = self.began;
        let fine = at.millis() as f64 + since.elapsed().as_secs_f64() * 1000.0;
        if (fine - now).abs() < 2.0 && !self.clock.is_frozen() { fine } else { now }
    }

    fn random(&self, into: &mut [u8]) {
        self.ids.fill(into);
    }

    fn log(&self, level: Level, text: &str) {
        let mut end = text.len().min(LINE_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let at = self.clock.now();
        let text: Arc<str> = text[..end].into();
        {
            let mut log = self.lock();
            if log.lines.len() >= LOG_LINES_MAX || log.bytes + text.len() > LOG_BYTES_MAX {
                log.dropped = log.dropped.saturating_add(1);
                return;
            }
            log.bytes += text.len();
            log.lines.push(LogLine { at, level, text: Arc::clone(&text) });
        }
        self.sink.put(|| {
            Record::Log(telemetry::Log {
                invocation: Arc::clone(&self.id),
                trace: self.call.trace.clone(),
                function: Arc::clone(&self.function),
                at,
                began_micros: self.sink.span(Instant::now()).began_micros,
                level: match level {
                    Level::Trace => telemetry::Level::Trace,
                    Level::Debug => telemetry::Level::Debug,
                    Level::Info => telemetry::Level::Info,
                    Level::Warn => telemetry::Level::Warn,
                    Level::Error => telemetry::Level::Error,
                },
                text,
            })
        });
    }

    fn sleep(&self, ms: f64) -> BoxFuture<'static, ()> {
        // A number that is no time, or a negative one, is no wait.
        let until = self.clock.now().plus_ms(if ms > 0.0 { ms.ceil().min(1e15) as i64 } else { 0 });
        Box::pin(self.napper.until(until))
    }

    fn fetch(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        match &self.outlet {
            Some(outlet) if request.uri().host() == Some(OUTLET_HOST) => outlet.take(request),
            _ => self.network.fetch(self.call.clone(), request),
        }
    }
}
