//! The sandbox: runs a function's code, gives it nothing but one door. Knows nothing of clouds, events or projects.

pub mod door;
mod outcome;

pub use door::{FetchError, Host, Level};
pub use outcome::{Bundle, Error, Failure, Input, LoadError, Module, Options, Outcome};
