//! The sandbox: runs a function's code, gives it nothing but one door. Knows nothing of clouds, events or projects.

pub mod door;
pub mod ops;
pub mod runtime;

pub use door::{FetchError, Host, Level};
