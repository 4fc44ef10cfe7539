//! The sandbox: runs a function's code, gives it nothing but one door. Knows nothing of clouds, events or projects.
//!
//! The JavaScript engine is a WebAssembly module that is compiled once. A version of a function is a copy of that module's memory, taken
//! after the function's top level was evaluated; an invocation maps such a copy, runs, and is thrown away.

pub mod component;
pub mod door;
mod engine;
mod heavy;
mod image;
mod invoke;
mod load;
pub mod ops;
mod outcome;
pub mod runtime;
#[cfg(test)]
mod tests;
mod trace;

pub use door::{FetchError, Host, Level};
pub use image::Image;
pub use outcome::{Bundle, Digest, Error, Failure, Input, Keep, LoadError, Module, Options, Outcome};

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use component::{Component, Components, Settings};

/// The JavaScript engine, compiled, with this project's runtime loaded. One a process; clones are the same engine.
#[derive(Clone)]
pub struct Sandbox {
    machine: Arc<engine::Machine>,
    /// Set up when the first component is loaded.
    components: Arc<OnceLock<Components>>,
}

impl Sandbox {
    /// Compiles the engine, or reads what an earlier process compiled from `options.cache_dir`: milliseconds with a warm cache, about a
    /// second without. A cache that cannot be read or written costs time, never an error.
    pub fn new(options: Options) -> Result<Sandbox, Error> {
        Ok(Sandbox { machine: Arc::new(engine::Machine::new(options)?), components: Arc::default() })
    }

    /// Evaluates the top level of a bundle and keeps the memory that results: a version that can be invoked. Where an earlier process kept
    /// the same version, its memory is read instead. `host` serves the top
    /// level; requests to the outside are not sent here but at each invocation's start.
    pub async fn load(&self, bundle: Bundle, host: Arc<dyn Host>) -> Result<Image, LoadError> {
        load::load(&self.machine, bundle, host).await
    }

    /// Evaluates what a bundle depends on, unless that is at hand, so that loading it later is quick.
    pub async fn prepare(&self, bundle: Bundle, host: Arc<dyn Host>) {
        load::prepare(&self.machine, bundle, host).await;
    }

    /// Whether what a bundle depends on is at hand, so far as can be told without its environment: dependencies that these digests identify.
    pub fn is_prepared(&self, dependencies: &[Digest]) -> bool {
        load::is_prepared(&self.machine, dependencies)
    }

    /// Compiles a WASI 0.2 component that exports `wasi:http/incoming-handler`, or a WASI 0.1 program that speaks CGI.
    pub async fn component(&self, bytes: Bytes, settings: Settings) -> Result<Component, LoadError> {
        let sandbox = self.clone();
        let loaded = tokio::task::spawn_blocking(move || sandbox.components()?.load(&bytes, settings));
        loaded.await.unwrap_or_else(|lost| Err(LoadError::Engine(lost.to_string())))
    }

    fn components(&self) -> Result<&Components, LoadError> {
        if self.components.get().is_none() {
            let made = Components::new(&self.machine.options).map_err(|e| LoadError::Engine(e.to_string()))?;
            // Somebody else may have been quicker.
            let _ = self.components.set(made);
        }
        self.components.get().ok_or_else(|| LoadError::Engine("components cannot be run".into()))
    }
}
