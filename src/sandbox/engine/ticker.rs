//! The beat by which running guests notice that others wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use wasmtime::{Engine, EngineWeak};

/// How long a guest runs at most before it lets others run.
const BEAT: Duration = Duration::from_millis(2);
/// Beats without a guest after which the thread sleeps until there is one.
const IDLE_BEATS: u32 = 50;

/// A thread that raises the engine's epoch while guests run, and sleeps otherwise.
pub struct Ticker {
    shared: Arc<Shared>,
    thread: Thread,
}

#[derive(Default)]
struct Shared {
    entries: AtomicU64,
    running: AtomicU64,
    asleep: AtomicBool,
    over: AtomicBool,
}

impl Ticker {
    pub fn start(engine: &Engine) -> Ticker {
        let shared = Arc::new(Shared::default());
        let weak = engine.weak();
        let handle = thread::Builder::new()
            .name("emu-ticker".into())
            .spawn({
                let shared = shared.clone();
                move || beat(&shared, &weak)
            })
            .expect("the machine can start a thread");
        Ticker { shared, thread: handle.thread().clone() }
    }

    /// Says that a guest runs, until the guard is dropped.
    pub fn run(&self) -> Running<'_> {
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        self.shared.entries.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.swap(false, Ordering::SeqCst) {
            self.thread.unpark();
        }
        Running(&self.shared)
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        self.thread.unpark();
    }
}

pub struct Running<'a>(&'a Shared);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

fn beat(shared: &Shared, engine: &EngineWeak) {
    let mut idle = 0;
    let mut seen = 0;
    while !shared.over.load(Ordering::SeqCst) {
        let entries = shared.entries.load(Ordering::SeqCst);
        if entries != seen || shared.running.load(Ordering::SeqCst) > 0 {
            seen = entries;
            idle = 0;
        } else {
            idle += 1;
        }
        if idle > IDLE_BEATS {
            shared.asleep.store(true, Ordering::SeqCst);
            // A guest that began before the line above did not see `asleep`.
            if shared.entries.load(Ordering::SeqCst) == seen {
                thread::park();
            }
            shared.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
        thread::sleep(BEAT);
        match engine.upgrade() {
            Some(engine) => engine.increment_epoch(),
            None => return,
        }
    }
}
