//! The shapes that a sandbox takes and gives.

use std::collections::BTreeMap;

use bytes::Bytes;

#[derive(Clone, Debug)]
pub struct Bundle {
    pub name: String,
    pub modules: Vec<Module>,
    pub entry: String,
    pub export: String,
    pub environment: BTreeMap<String, String>,
    pub memory_mib: u32,
    pub isolation_warm: bool,
}

#[derive(Clone, Debug)]
pub struct Module {
    pub path: String,
    pub code: String,
    pub map: Option<String>,
    pub stable: bool,
}

#[derive(Clone, Debug)]
pub struct Input {
    pub event: Bytes,
    pub context: serde_json::Value,
    pub timeout_ms: u64,
}

#[derive(Clone, Debug)]
pub struct Outcome {
    pub result: Result<Bytes, Failure>,
    pub cold: bool,
    pub cpu_micros: u64,
    pub wall_micros: u64,
    pub memory_peak_bytes: u64,
}

#[derive(Clone, Debug)]
pub enum Failure {
    Thrown { kind: String, message: String, stack: Vec<String> },
    TimedOut { after_ms: u64 },
    OutOfMemory { memory_mib: u32 },
    Exited { message: String },
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum LoadError {
    #[error("{kind}: {message}")]
    Thrown { kind: String, message: String, stack: Vec<String> },
    #[error("there is no export `{export}`")]
    MissingExport { export: String, found: Vec<String> },
    #[error("loading took more than {after_ms} ms")]
    TimedOut { after_ms: u64 },
    #[error("loading took more than {memory_mib} MiB")]
    OutOfMemory { memory_mib: u32 },
}
