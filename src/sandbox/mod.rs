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
pub use outcome::{Bundle, Error, Failure, Input, LoadError, Module, Options, Outcome};

use std::sync::Arc;

/// The JavaScript engine, compiled, with this project's runtime loaded. One a process; clones are the same engine.
#[derive(Clone)]
pub struct Sandbox(Arc<engine::Machine>);

impl Sandbox {
    /// Compiles the engine, or reads what an earlier process compiled from `options.cache_dir`: milliseconds with a warm cache, about a
    /// second without. A cache that cannot be read or written costs time, never an error.
    pub fn new(options: Options) -> Result<Sandbox, Error> {
        Ok(Sandbox(Arc::new(engine::Machine::new(options)?)))
    }

    /// Evaluates the top level of a bundle and keeps the memory that results: a version that can be invoked. `host` serves the top
    /// level; requests to the outside are not sent here but at each invocation's start.
    pub async fn load(&self, bundle: Bundle, host: Arc<dyn Host>) -> Result<Image, LoadError> {
        load::load(&self.0, bundle, host).await
    }
}
