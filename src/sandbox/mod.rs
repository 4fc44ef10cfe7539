//! The sandbox: runs a function's code, gives it nothing but one door. Knows nothing of clouds, events or projects.

pub mod door;
mod stand_in;

pub use door::{FetchError, Host, Level};
pub use stand_in::{Bundle, Failure, Input, LoadError, Module, Outcome};
