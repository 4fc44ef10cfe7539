//! One invocation, from the event to the answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;

use super::Host;
use super::engine::{Answer, Budget, Guest};
use super::image::{Kept, Version};
use super::outcome::{Failure, Input, Outcome};
use super::trace::Traces;

pub async fn invoke(version: Arc<Version>, host: Arc<dyn Host>, input: Input) -> Outcome {
    let machine = version.machine.clone();
    machine.heavy.relay(run(version, host, input)).await
}

async fn run(version: Arc<Version>, host: Arc<dyn Host>, input: Input) -> Outcome {
    let began = Instant::now();
    let outcome = |result, cold, guest: Option<&mut Guest>| {
        let (cpu, memory) = guest.map_or((Duration::ZERO, 0), |guest| (guest.take_spent(), guest.memory_bytes()));
        Outcome {
            result,
            cold,
            cpu_micros: cpu.as_micros() as u64,
            wall_micros: began.elapsed().as_micros() as u64,
            memory_peak_bytes: memory as u64,
        }
    };
    let reused = version.reuse();
    let cold = reused.is_none();
    let made = match reused {
        Some(mut kept) => {
            let state = kept.guest.state();
            state.host = host;
            state.budget = Budget::new();
            state.refused = false;
            Ok(kept)
        }
        None => version.create(host).await,
    };
    let mut kept = match made {
        Ok(kept) => kept,
        Err(e) => return outcome(Err(Failure::Exited { message: format!("no sandbox could be made: {e:#}") }), cold, None),
    };
    kept.guest.state().outside = true;
    let limit = Duration::from_millis(input.timeout_ms);
    let ended = tokio::time::timeout(limit, drive(&version, &mut kept.guest, &input, cold)).await;
    let (result, sound) = match ended {
        Err(_) => (Err(Failure::TimedOut { after_ms: input.timeout_ms }), false),
        Ok(Err(trap)) => (Err(trapped(&version, &mut kept.guest, &trap)), false),
        Ok(Ok(answer)) => conclude(&version, &mut kept.guest, answer),
    };
    let outcome = outcome(result, cold, Some(&mut kept.guest));
    if sound {
        version.keep(kept);
    } else {
        discard(kept);
    }
    outcome
}

/// Runs the handler until it has answered or nothing can make it answer any more.
async fn drive(version: &Version, guest: &mut Guest, input: &Input, cold: bool) -> wasmtime::Result<Option<Answer>> {
    let begin = if cold { begin(guest) } else { String::new() };
    if let (true, Some(path)) = (cold, &version.evaluate) {
        guest.begin(&begin).await?;
        if let Some(answer) = evaluate(guest, path).await? {
            return Ok(Some(answer));
        }
        guest.invoke("", &input.event, &input.context).await?;
    } else {
        guest.invoke(&begin, &input.event, &input.context).await?;
    }
    loop {
        if let Some(answer) = guest.state().answer.take() {
            return Ok(Some(answer));
        }
        if !wait(guest).await? {
            return Ok(None);
        }
    }
}

/// What a new sandbox's runtime is told first.
fn begin(guest: &mut Guest) -> String {
    let now = guest.state().host.now();
    format!("{{\"now\":{now}}}")
}

/// Waits for the next host operation to end and tells the guest. False where there is none.
pub async fn wait(guest: &mut Guest) -> wasmtime::Result<bool> {
    loop {
        match guest.state().operations.next().await {
            None => return Ok(false),
            // It was cancelled.
            Some(Err(_)) => {}
            Some(Ok(ended)) => {
                guest.state().ended(ended.id);
                guest.complete(&ended).await?;
                return Ok(true);
            }
        }
    }
}

/// Evaluates a module that an image holds compiled. The answer where it failed.
async fn evaluate(guest: &mut Guest, path: &str) -> wasmtime::Result<Option<Answer>> {
    guest.compile(path).await?;
    guest.evaluate().await?;
    loop {
        let settled = guest.settled().await?;
        if let Some(answer) = guest.state().answer.take() {
            return Ok(Some(answer));
        }
        if settled == 1 {
            break;
        }
        if !wait(guest).await? {
            let text = r#"{"errorType":"Error","errorMessage":"the top level waits for a promise that nothing can settle"}"#;
            return Ok(Some(Answer { ok: false, text: text.into() }));
        }
    }
    guest.adopt().await?;
    // The names of the exports were looked at when the version was loaded.
    guest.state().answer = None;
    Ok(None)
}

/// The outcome of an invocation whose guest is sound, and whether the sandbox may be used again.
fn conclude(version: &Version, guest: &mut Guest, answer: Option<Answer>) -> (Result<Bytes, Failure>, bool) {
    let Some(answer) = answer else {
        // Nothing is left to happen and the handler's promise is open: Node's event loop would be empty, and Lambda answers null then.
        return (Ok(Bytes::from_static(b"null")), true);
    };
    if answer.ok {
        return (Ok(Bytes::from(answer.text)), true);
    }
    let state = guest.state();
    if state.refused || state.limit.refused {
        return (Err(Failure::OutOfMemory { memory_mib: version.memory_mib }), false);
    }
    let thrown = Thrown::read(&answer.text, &version.traces);
    if thrown.kind == "Runtime.ExitError" {
        return (Err(Failure::Exited { message: thrown.message }), false);
    }
    (Err(Failure::Thrown { kind: thrown.kind, message: thrown.message, stack: thrown.stack }), true)
}

fn trapped(version: &Version, guest: &mut Guest, trap: &wasmtime::Error) -> Failure {
    let state = guest.state();
    if state.refused || state.limit.refused {
        return Failure::OutOfMemory { memory_mib: version.memory_mib };
    }
    Failure::Exited { message: describe(trap) }
}

/// What to say of a guest that stopped without an answer.
pub fn describe(trap: &wasmtime::Error) -> String {
    match trap.downcast_ref::<wasmtime::Trap>() {
        Some(wasmtime::Trap::StackOverflow) => "the sandbox ended: the call stack is exhausted".into(),
        _ => format!("the sandbox ended: {trap:#}"),
    }
}

/// Gives a sandbox back before its permit, so that who gets the permit finds room.
fn discard(kept: Kept) {
    let Kept { guest, permit } = kept;
    drop(guest);
    drop(permit);
}

/// An error as the guest reports it.
pub struct Thrown {
    pub kind: String,
    pub message: String,
    pub stack: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    #[serde(default)]
    error_type: Option<String>,
    #[serde(default)]
    error_message: Option<String>,
    /// From the runtime.
    #[serde(default)]
    trace: Option<Vec<String>>,
    /// From the engine.
    #[serde(default)]
    stack: Option<String>,
    /// How the error came about where not by the handler, e.g. `Runtime.UnhandledPromiseRejection`.
    #[serde(default)]
    kind: Option<String>,
}

impl Thrown {
    pub fn read(text: &str, traces: &Traces) -> Thrown {
        let Ok(report) = serde_json::from_str::<Report>(text) else {
            return Thrown { kind: "Error".into(), message: text.to_owned(), stack: Vec::new() };
        };
        let mut kind = report.error_type.unwrap_or_else(|| "Error".into());
        let mut message = report.error_message.unwrap_or_default();
        if let Some(how) = report.kind.filter(|how| how.starts_with("Runtime.")) {
            message = format!("{kind}: {message}");
            kind = how;
        }
        let stack = match (report.trace, report.stack) {
            (Some(lines), _) => traces.map(lines),
            (None, Some(stack)) => traces.map(stack.lines()),
            (None, None) => Vec::new(),
        };
        Thrown { kind, message, stack }
    }
}
