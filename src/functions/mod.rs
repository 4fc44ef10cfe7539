//! Functions: from the project's source to invocations. Knows how functions are built, found, admitted and run; knows no service and no wire.

pub mod answer;
mod build;
pub mod bundle;
mod cache;
pub mod catalog;
mod door;
pub mod firebase;
pub mod http;
mod invoke;
mod make;
pub mod program;
pub mod route;
pub mod shapes;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use answer::{Answer, FunctionError, InvokeError, LogLine, Throttle};
pub use build::{Changed, Report};
pub use catalog::{Catalog, Entry, Version};
pub use door::Network;
pub use http::Reply;
pub use invoke::{Bounds, Functions, Parts};
pub use make::{Surroundings, Versions};
