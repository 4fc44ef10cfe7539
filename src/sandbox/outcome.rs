//! What goes into a sandbox and what comes out of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

/// How the engine is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where compiled code is kept between processes; made where missing. Holds the engine's code and, by content, evaluated
    /// dependencies; never a project's own code or environment.
    pub cache_dir: PathBuf,
    /// The most memory that any function may be given, in MiB.
    pub memory_mib_max: u32,
    /// The most sandboxes that may exist at once; further invocations wait.
    pub sandboxes_max: u32,
}

impl Options {
    /// Production's bounds (10,240 MB of memory, though a 32-bit engine ends at 3,008), with the cache at `cache_dir`.
    pub fn new(cache_dir: impl Into<PathBuf>) -> Options {
        Options { cache_dir: cache_dir.into(), memory_mib_max: 3_008, sandboxes_max: 1_000 }
    }
}

/// A version of a function: its modules and what it is run with.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The function's name, as messages show it.
    pub name: String,
    /// All modules, each before those that import it.
    pub modules: Vec<Module>,
    /// Path of the module that exports the handler.
    pub entry: String,
    /// Name of the handler's export.
    pub export: String,
    /// `process.env`, all of it.
    pub environment: BTreeMap<String, String>,
    /// Memory that the function may use beside the engine's own, in MiB.
    pub memory_mib: u32,
    /// Whether sandboxes are kept and used again, one invocation at a time, as the clouds do; otherwise each invocation has a new one.
    pub isolation_warm: bool,
    /// Where the evaluated version is kept for later processes, if it may be.
    pub keep: Option<Keep>,
}

/// A file for a version's memory, with the environment and all else that its top level has made. Another version takes its place.
#[derive(Clone)]
pub struct Keep {
    pub file: PathBuf,
    /// Whether it may be written. Asked when it is about to be, by a thread that may wait.
    pub may: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl std::fmt::Debug for Keep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Keep").field(&self.file).finish()
    }
}

/// An ECMAScript module of a bundle.
#[derive(Clone, Debug)]
pub struct Module {
    /// Path by which others import it, e.g. `index.mjs`; relative imports count from it.
    pub path: String,
    /// Its source.
    pub code: Arc<str>,
    /// Its source map, JSON.
    pub map: Option<String>,
    /// Of dependencies, which do not change when the project is edited and are evaluated once for all functions that share them: what
    /// identifies them. Nothing for the project's own code.
    pub stable: Option<Digest>,
}

/// Identifies a module of dependencies by its path and its source.
pub type Digest = [u8; 32];

impl Module {
    /// A module of the project's own code.
    pub fn own(path: impl Into<String>, code: impl Into<Arc<str>>, map: Option<String>) -> Module {
        Module { path: path.into(), code: code.into(), map, stable: None }
    }

    /// A module of dependencies.
    pub fn dependencies(path: impl Into<String>, code: impl Into<Arc<str>>) -> Module {
        let (path, code): (String, Arc<str>) = (path.into(), code.into());
        let digest = Module::digest(&path, &code);
        Module { path, code, map: None, stable: Some(digest) }
    }

    /// What identifies a module of dependencies.
    pub fn digest(path: &str, code: &str) -> Digest {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&(path.len() as u64).to_le_bytes()).update(path.as_bytes()).update(code.as_bytes());
        hasher.finalize().into()
    }
}

/// One invocation's input.
#[derive(Clone, Debug)]
pub struct Input {
    /// The event, JSON.
    pub event: Bytes,
    /// JSON. `context`: the context object, as far as it is data; `deadlineMs`, milliseconds since 1970, and `traceHeader`, which the
    /// runtime makes the rest of it of.
    pub context: Bytes,
    /// How long the invocation may take, by the machine's clock.
    pub timeout_ms: u64,
}

/// How an invocation went.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What the handler gave, JSON (`null` where nothing), or how it failed.
    pub result: Result<Bytes, Failure>,
    /// Whether the sandbox was made for this invocation.
    pub cold: bool,
    /// Time that the function's own code ran, in microseconds; waiting does not count.
    pub cpu_micros: u64,
    /// Time from call to end, in microseconds.
    pub wall_micros: u64,
    /// The sandbox's memory at its largest, engine included, in bytes.
    pub memory_peak_bytes: u64,
}

/// Why an invocation has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The function threw, or its promise was rejected.
    #[error("{kind}: {message}")]
    Thrown {
        /// The error's name, e.g. `TypeError`.
        kind: String,
        /// The error's message.
        message: String,
        /// Lines of the stack, mapped to the sources.
        stack: Vec<String>,
    },
    /// It took too long and was stopped.
    #[error("Task timed out after {:.2} seconds", *after_ms as f64 / 1000.0)]
    TimedOut {
        /// The timeout that was exceeded.
        after_ms: u64,
    },
    /// It wanted more memory than it may have and did not cope with the refusal.
    #[error("the function used all of its {memory_mib} MiB of memory")]
    OutOfMemory {
        /// The limit.
        memory_mib: u32,
    },
    /// The sandbox ended without an answer, e.g. by `process.exit`.
    #[error("{message}")]
    Exited {
        /// What happened.
        message: String,
    },
}

/// Why a bundle is no version that can be invoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The top level threw, an import failed, or the source is not valid: the first line of `stack` says where.
    #[error("{kind}: {message}")]
    Thrown {
        /// The error's name, e.g. `SyntaxError`.
        kind: String,
        /// The error's message.
        message: String,
        /// Lines of the stack, mapped to the sources.
        stack: Vec<String>,
    },
    /// The entry module has no such export.
    #[error("the module exports no `{export}`; it exports {}", list(found))]
    MissingExport {
        /// The name looked for.
        export: String,
        /// The names that there are.
        found: Vec<String>,
    },
    /// The bundle holds no module of the entry's path.
    #[error("the bundle has no module `{entry}`")]
    MissingEntry {
        /// The path looked for.
        entry: String,
    },
    /// The top level did not end in time.
    #[error("the top level did not end within {:.2} seconds", *after_ms as f64 / 1000.0)]
    TimedOut {
        /// The time it had.
        after_ms: u64,
    },
    /// The top level waits for something that nothing will ever bring about.
    #[error("the top level waits for a promise that nothing can settle")]
    NeverEnds,
    /// The top level wanted more memory than the function may have.
    #[error("the top level used all of the function's {memory_mib} MiB of memory")]
    OutOfMemory {
        /// The limit.
        memory_mib: u32,
    },
    /// The engine failed; a defect of the sandbox or of the machine.
    #[error("the sandbox failed: {0}")]
    Engine(String),
}

fn list(names: &[String]) -> String {
    match names {
        [] => "nothing".into(),
        names => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// Why there is no sandbox at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Wasmtime refused its configuration or the engine's code, or the machine has too little address space.
    #[error("cannot set up the sandbox: {0}")]
    Engine(String),
    /// This project's own runtime failed while it was evaluated.
    #[error("the sandbox's runtime does not load: {0}")]
    Runtime(String),
}
