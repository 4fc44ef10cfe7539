//! Invocations: admission, the door, the bill, the answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use arc_swap::{ArcSwap, ArcSwapOption};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::answer::{
    ANSWER_BYTES_MAX, Answer, EVENT_BYTES_MAX, FunctionError, InvokeError, LogLine, Throttle, failure, failure_line, too_large,
};
use super::catalog::{Catalog, Entry, Place, Version};
use super::door::{Door, Network, World};
use super::firebase::Outlet;
use super::make::{Maker, Surroundings};
use super::program::{Engine, Served};
use crate::base::{Call, Caller, Cause, Clock, Ids, Meter, Time, Unit, Usage};
use crate::project::Project;
use crate::sandbox::{Failure, Host, Input, Level, Outcome};
use crate::telemetry::{self, Record, Sink};

/// Bounds on what runs at once.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Invocations from outside and from triggers; more wait in the order they came.
    pub running_max: usize,
    /// Invocations that functions wait for. They never wait themselves, or the outermost could wait for the innermost for ever.
    pub nested_max: usize,
    /// Invocations that wait; more are throttled.
    pub waiting_max: usize,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { running_max: 256, nested_max: 512, waiting_max: 10_000 }
    }
}

/// What functions are made of and run in.
pub struct Parts {
    pub engine: Arc<dyn Engine>,
    pub network: Arc<dyn Network>,
    pub clock: Clock,
    pub ids: Ids,
    pub sink: Sink,
    pub surroundings: Surroundings,
    pub bounds: Bounds,
}

/// The project's functions. Cheap to clone; clones are the same functions.
#[derive(Clone)]
pub struct Functions(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub catalog: ArcSwap<Catalog>,
    pub maker: Maker,
    pub world: World,
    pub surroundings: Surroundings,
    running: Arc<Semaphore>,
    nested: Arc<Semaphore>,
    waiting: AtomicUsize,
    bounds: Bounds,
    /// What is built of.
    pub project: ArcSwapOption<Project>,
    /// Reloads go one after the other.
    pub reload: tokio::sync::Mutex<()>,
    /// How many reloads have begun: what was built of older files does not count.
    pub reloads: AtomicU64,
    /// Held while one catalog takes the place of another.
    pub swap: Mutex<()>,
}

/// What a function is asked to do.
pub(super) struct Asked {
    /// For people: `POST /orders`, `queue orders`, `invoke`.
    pub trigger: Arc<str>,
    /// The event, or a request's body.
    pub event: Bytes,
    /// Takes the answer to a request while the function goes on.
    pub outlet: Option<Outlet>,
}

/// Lines of an error's stack that a record keeps, and bytes of each.
const STACK_LINES_MAX: usize = 100;
const STACK_LINE_BYTES_MAX: usize = 1_024;

/// An invocation that was let in: everything it needs to run, and to be told of.
pub(super) struct Admitted {
    pub entry: Arc<Entry>,
    pub version: Arc<Version>,
    pub id: Arc<str>,
    call: Call,
    door: Arc<Door>,
    parent: Cause,
    asked: Asked,
    bill: Meter,
    began: Instant,
    queued_micros: u64,
    _places: (Place, OwnedSemaphorePermit),
}

/// Why an invocation was ended whose state another took the place of.
fn superseded() -> Failure {
    Failure::Exited { message: "the state was reset, restored or imported, and what was under way ended with the state before".to_owned() }
}

impl Admitted {
    /// Does `work`, unless the state that it belongs to is over, or until it is.
    async fn unless_over<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let Some(era) = &self.call.era else { return Some(work.await) };
        tokio::select! {
            biased;
            () = era.over() => None,
            done = work => Some(done),
        }
    }
}

impl Functions {
    /// No functions yet: `reload` brings them. Fails where the system gives no threads.
    pub fn new(parts: Parts) -> std::io::Result<Functions> {
        let Parts { engine, network, clock, ids, sink, surroundings, bounds } = parts;
        Ok(Functions(Arc::new(Inner {
            catalog: ArcSwap::from_pointee(Catalog::default()),
            maker: Maker::new(engine, &surroundings)?,
            world: World { clock, ids, network, sink },
            surroundings,
            running: Arc::new(Semaphore::new(bounds.running_max)),
            nested: Arc::new(Semaphore::new(bounds.nested_max)),
            waiting: AtomicUsize::new(0),
            bounds,
            project: ArcSwapOption::empty(),
            reload: tokio::sync::Mutex::default(),
            reloads: AtomicU64::new(0),
            swap: Mutex::default(),
        })))
    }

    /// The functions as they are now. What is taken from it stays valid after a reload.
    pub fn catalog(&self) -> Arc<Catalog> {
        self.0.catalog.load_full()
    }

    /// How many invocations are under way.
    pub fn under_way(&self) -> usize {
        let Bounds { running_max, nested_max, .. } = self.0.bounds;
        (running_max + nested_max).saturating_sub(self.0.running.available_permits() + self.0.nested.available_permits())
    }

    /// Forgets what invocations have left in sandboxes that are used again: it is of a state that is gone.
    pub fn forget(&self) {
        self.catalog().iter().filter_map(|entry| entry.version.as_ref()).for_each(|version| version.program.forget());
    }

    pub(super) fn world(&self) -> &World {
        &self.0.world
    }

    pub(super) fn account(&self) -> &str {
        &self.0.surroundings.account
    }

    /// Runs a function once, by its key or deployed name. `event` is JSON; none at all is `{}`. What the function does wrong is part of
    /// the answer; an error here says that it was not run. An invocation that has begun ends even if nobody waits for it any more.
    pub async fn invoke(&self, call: &Call, name: &str, event: Bytes) -> Result<Answer, InvokeError> {
        self.invoke_for(call, name, event, "invoke".into()).await
    }

    /// The same for a `trigger`, as its record names it: `queue orders`, `schedule nightly`.
    pub async fn invoke_for(&self, call: &Call, name: &str, event: Bytes, trigger: Arc<str>) -> Result<Answer, InvokeError> {
        let entry = self.catalog().get(name).cloned().ok_or_else(|| InvokeError::NotFound { name: name.to_string() })?;
        if event.len() > EVENT_BYTES_MAX {
            return Err(InvokeError::TooLarge { bytes: event.len(), bytes_max: EVENT_BYTES_MAX });
        }
        let event = if event.is_empty() { Bytes::from_static(b"{}") } else { event };
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&event) {
            return Err(InvokeError::NotJson(error.to_string()));
        }
        self.invoke_entry(call, entry, Asked { trigger, event, outlet: None }).await
    }

    /// The same for an event that is known to be JSON of a fitting size.
    pub(super) async fn invoke_entry(&self, call: &Call, entry: Arc<Entry>, asked: Asked) -> Result<Answer, InvokeError> {
        let admitted = self.admit(call, entry, asked).await?;
        let functions = self.clone();
        let parent = call.meter.clone();
        Ok(Detached::new(async move { functions.run(admitted, &parent).await }).await)
    }

    /// Lets an invocation in, or says why not. Waits for a place where it may.
    pub(super) async fn admit(&self, call: &Call, entry: Arc<Entry>, asked: Asked) -> Result<Admitted, InvokeError> {
        let entry = self.built(&entry).await;
        let Some(version) = entry.version.clone() else {
            let error = InvokeError::NotBuilt { name: entry.name.to_string(), problems: entry.problems.clone() };
            self.refuse(call, &entry, &asked, &error);
            return Err(error);
        };
        let began = Instant::now();
        let result = match entry.gate.enter() {
            None => Err(Throttle::Function),
            Some(place) => self.sandbox(call).await.map(|permit| (place, permit)),
        };
        let places = match result {
            Ok(places) => places,
            Err(reason) => {
                let error = InvokeError::Throttled { reason };
                self.refuse(call, &entry, &asked, &error);
                return Err(error);
            }
        };
        let id: Arc<str> = self.0.world.ids.uuid().into();
        let bill = Meter::default();
        let own = Call {
            caller: Caller::Function(Arc::clone(&entry.name)),
            cause: Cause::Invocation(Arc::clone(&id)),
            depth: call.depth,
            trace: call.trace.clone(),
            meter: bill.clone(),
            era: call.era.clone(),
        };
        let mut asked = asked;
        let door = Door::new(&self.0.world, own.clone(), Arc::clone(&id), Arc::clone(&entry.name));
        let door = Arc::new(door.answering(asked.outlet.take()));
        let queued_micros = began.elapsed().as_micros() as u64;
        let (parent, began) = (call.cause.clone(), Instant::now());
        Ok(Admitted { entry, version, id, call: own, door, parent, asked, bill, began, queued_micros, _places: places })
    }

    async fn sandbox(&self, call: &Call) -> Result<OwnedSemaphorePermit, Throttle> {
        if matches!(call.caller, Caller::Function(_)) {
            return Arc::clone(&self.0.nested).try_acquire_owned().map_err(|_| Throttle::Nesting);
        }
        if let Ok(permit) = Arc::clone(&self.0.running).try_acquire_owned() {
            return Ok(permit);
        }
        let _waiting = Waiting::enter(&self.0).ok_or(Throttle::Queue)?;
        Ok(Arc::clone(&self.0.running).acquire_owned().await.expect("the semaphore is never closed"))
    }

    fn refuse(&self, call: &Call, entry: &Entry, asked: &Asked, error: &InvokeError) {
        let world = &self.0.world;
        world.sink.put(|| {
            Record::Invocation(telemetry::Invocation {
                id: world.ids.uuid().into(),
                trace: call.trace.clone(),
                parent: call.cause.clone(),
                depth: call.depth,
                function: Arc::clone(&entry.name),
                at: world.clock.now(),
                outcome: telemetry::Outcome::Refused { message: error.to_string() },
                trigger: Arc::clone(&asked.trigger),
                span: world.sink.span(Instant::now()),
                stack: Vec::new(),
                cold: false,
                build: 0,
                bundle_bytes: 0,
                event: telemetry::Payload::new(&asked.event),
                answer: telemetry::Payload::default(),
                cpu_micros: 0,
                queued_micros: 0,
                memory_peak_bytes: 0,
                memory_mib: entry.function.memory_mib,
                own: Usage::default(),
                usage: Usage::default(),
            })
        });
    }

    /// What the runtime is given beside the event, JSON: Lambda's context, or which of a codebase's functions is meant.
    fn context(&self, admitted: &Admitted, at: Time) -> Bytes {
        let function = &admitted.version.function;
        let deadline_ms = at.millis().saturating_add(admitted.timeout_ms() as i64);
        let given = if let Some(endpoint) = &admitted.entry.function.firebase {
            let (target, streams) = (&endpoint.entry_point, admitted.door.outlet.is_some());
            let firebase = FirebaseContext { target, environment: &admitted.entry.function.environment, streams };
            Given { deadline_ms, trace_header: None, context: Context::Firebase { firebase } }
        } else {
            let (region, account, name) = (&self.catalog().region, &self.0.surroundings.account, &function.deployed_name);
            let context = Context::Lambda {
                aws_request_id: &admitted.id,
                callback_waits_for_empty_event_loop: true,
                function_name: name,
                function_version: "$LATEST",
                invoked_function_arn: format!("arn:aws:lambda:{region}:{account}:function:{name}"),
                log_group_name: format!("/aws/lambda/{name}"),
                log_stream_name: "emu",
                memory_limit_in_mb: function.memory_mib.to_string(),
            };
            Given { deadline_ms, trace_header: trace_header(&admitted.call), context }
        };
        let mut text = Vec::with_capacity(CONTEXT_BYTES);
        serde_json::to_writer(&mut text, &given).expect("a context is plain data");
        Bytes::from(text)
    }

    pub(super) async fn run(&self, admitted: Admitted, parent: &Meter) -> Answer {
        let context = self.context(&admitted, self.0.world.clock.now());
        let input = Input { event: admitted.asked.event.clone(), context, timeout_ms: admitted.timeout_ms() };
        let ended = admitted.unless_over(admitted.version.program.invoke(admitted.host(), input)).await;
        let Outcome { result, cold, cpu_micros, wall_micros, memory_peak_bytes } = ended.unwrap_or_else(|| Outcome {
            result: Err(superseded()),
            cold: false,
            cpu_micros: 0,
            wall_micros: admitted.began.elapsed().as_micros() as u64,
            memory_peak_bytes: 0,
        });
        let mut served = Ended { cold, cpu_micros, wall_micros, memory_peak_bytes, stack: Vec::new() };
        match result {
            Ok(payload) if payload.len() > ANSWER_BYTES_MAX => {
                let (payload, error) = too_large();
                self.end(admitted, served, payload, Some(error), parent)
            }
            Ok(payload) => self.end(admitted, served, payload, None, parent),
            Err(why) => {
                let (payload, error) = failure(&why, &admitted.id);
                admitted.door.log(Level::Error, &failure_line(&why, &payload));
                served.stack = stack(why);
                self.end(admitted, served, payload, Some(error), parent)
            }
        }
    }

    /// Has a program that takes requests serve one as it came.
    pub(super) async fn serve(&self, admitted: Admitted, request: http::Request<Bytes>, parent: &Meter) -> Served {
        let served = admitted.unless_over(admitted.version.program.serve(admitted.host(), request, admitted.timeout_ms())).await;
        let served = served.unwrap_or_else(|| Served {
            response: Err(superseded()),
            cold: false,
            cpu_micros: 0,
            wall_micros: admitted.began.elapsed().as_micros() as u64,
            memory_peak_bytes: 0,
        });
        let ended = Ended {
            cold: served.cold,
            cpu_micros: served.cpu_micros,
            wall_micros: served.wall_micros,
            memory_peak_bytes: served.memory_peak_bytes,
            stack: served.response.as_ref().err().map_or_else(Vec::new, |why| stack(why.clone())),
        };
        let answer = served.response.as_ref().map_or_else(|_| Bytes::new(), |response| response.body().clone());
        let error = served.response.as_ref().err().map(|why| {
            let (payload, error) = failure(why, &admitted.id);
            admitted.door.log(Level::Error, &failure_line(why, &payload));
            error
        });
        self.end(admitted, ended, answer, error, parent);
        served
    }

    /// Writes the bill and the record, and gives the answer.
    fn end(&self, admitted: Admitted, ended: Ended, payload: Bytes, error: Option<FunctionError>, parent: &Meter) -> Answer {
        let function = &admitted.version.function;
        let mut own = Usage::default();
        own.add(Unit::Invocations, 1);
        own.add(Unit::InvocationMicros, ended.wall_micros);
        own.add(Unit::InvocationCpuMicros, ended.cpu_micros);
        own.add(Unit::InvocationMibMicros, ended.wall_micros.saturating_mul(u64::from(function.memory_mib)));
        let mut usage = admitted.bill.total();
        usage.add_all(&own);
        parent.add(&usage);
        let world = &self.0.world;
        let at = world.clock.now();
        world.sink.put(|| {
            Record::Invocation(telemetry::Invocation {
                id: Arc::clone(&admitted.id),
                trace: admitted.call.trace.clone(),
                parent: admitted.parent.clone(),
                depth: admitted.call.depth,
                function: Arc::clone(&admitted.entry.name),
                at: at.plus_ms(-((ended.wall_micros / 1000) as i64)),
                outcome: match &error {
                    None => telemetry::Outcome::Succeeded,
                    Some(error) => telemetry::Outcome::Failed { kind: error.kind.clone(), message: error.message.clone() },
                },
                trigger: Arc::clone(&admitted.asked.trigger),
                span: telemetry::Span { wall_micros: ended.wall_micros, ..world.sink.span(admitted.began) },
                stack: ended.stack,
                cold: ended.cold,
                build: admitted.version.number,
                bundle_bytes: admitted.version.bytes as u64,
                event: telemetry::Payload::new(&admitted.asked.event),
                answer: telemetry::Payload::new(&payload),
                cpu_micros: ended.cpu_micros,
                queued_micros: admitted.queued_micros,
                memory_peak_bytes: ended.memory_peak_bytes,
                memory_mib: function.memory_mib,
                own,
                usage,
            })
        });
        let (logs, logs_dropped): (Vec<LogLine>, u64) = admitted.door.take_log();
        Answer {
            payload,
            error,
            logs,
            logs_dropped,
            request_id: Arc::clone(&admitted.id),
            function: Arc::clone(&admitted.entry.name),
            cold: ended.cold,
            cpu_micros: ended.cpu_micros,
            wall_micros: ended.wall_micros,
            memory_peak_bytes: ended.memory_peak_bytes,
            memory_mib: function.memory_mib,
            at,
        }
    }
}

/// The numbers of an invocation that ended.
struct Ended {
    cold: bool,
    cpu_micros: u64,
    wall_micros: u64,
    memory_peak_bytes: u64,
    stack: Vec<String>,
}

/// The stack of what was thrown, as far as a record keeps it.
fn stack(why: Failure) -> Vec<String> {
    let Failure::Thrown { stack, .. } = why else { return Vec::new() };
    let cut = |line: String| match line.char_indices().find(|(at, _)| *at >= STACK_LINE_BYTES_MAX) {
        Some((at, _)) => line[..at].to_owned(),
        None => line,
    };
    stack.into_iter().take(STACK_LINES_MAX).map(cut).collect()
}

/// Most contexts of Lambda's are shorter.
const CONTEXT_BYTES: usize = 640;

/// See [`Input::context`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Given<'a> {
    deadline_ms: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_header: Option<String>,
    context: Context<'a>,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Context<'a> {
    Lambda {
        aws_request_id: &'a str,
        callback_waits_for_empty_event_loop: bool,
        function_name: &'a str,
        function_version: &'static str,
        invoked_function_arn: String,
        log_group_name: String,
        log_stream_name: &'static str,
        #[serde(rename = "memoryLimitInMB")]
        memory_limit_in_mb: String,
    },
    Firebase {
        firebase: FirebaseContext<'a>,
    },
}

/// What of a codebase is meant, and what it sees of the environment.
#[derive(Serialize)]
struct FirebaseContext<'a> {
    target: &'a str,
    environment: &'a BTreeMap<String, String>,
    /// Whether its answer may leave in pieces.
    streams: bool,
}

/// `_X_AMZN_TRACE_ID`: the trace, and what runs as its parent. Source: AWS X-Ray Developer Guide, "Tracing header"; there also how a
/// trace of W3C Trace Context is written in X-Ray's form.
fn trace_header(call: &Call) -> Option<String> {
    let Cause::Invocation(id) = &call.cause else { return None };
    let (epoch, unique) = call.trace.as_str().split_at_checked(8)?;
    let parent: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    Some(format!("Root=1-{epoch}-{unique};Parent={parent};Sampled=1"))
}

impl Admitted {
    /// As the project file has it now: a new timeout needs no new version.
    fn timeout_ms(&self) -> u64 {
        self.entry.function.timeout_ms
    }

    fn host(&self) -> Arc<dyn Host> {
        let door: Arc<Door> = Arc::clone(&self.door);
        door
    }
}

/// One of those that wait for a place; counted while it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl Waiting<'_> {
    fn enter(inner: &Inner) -> Option<Waiting<'_>> {
        let waiting = Waiting(&inner.waiting);
        // Where there is no room, dropping `waiting` takes it off the count again.
        (inner.waiting.fetch_add(1, Ordering::AcqRel) < inner.bounds.waiting_max).then_some(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Runs to its end even when it is dropped before: a client that hangs up does not stop the function it called.
pub(super) struct Detached<T: Send + 'static>(Option<BoxFuture<'static, T>>);

impl<T: Send + 'static> Detached<T> {
    pub fn new(work: impl Future<Output = T> + Send + 'static) -> Detached<T> {
        Detached(Some(Box::pin(work)))
    }
}

impl<T: Send + 'static> Future for Detached<T> {
    type Output = T;

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<T> {
        let work = self.0.as_mut().expect("a future is not polled after it is ready");
        let result = work.as_mut().poll(context);
        if result.is_ready() {
            self.0 = None;
        }
        result
    }
}

impl<T: Send + 'static> Drop for Detached<T> {
    fn drop(&mut self) {
        if let (Some(work), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            // At shutdown there is no runtime left, and nothing to run to its end.
            runtime.spawn(async move {
                work.await;
            });
        }
    }
}
