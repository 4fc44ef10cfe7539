//! The project: what `serverless.yaml` says, resolved and checked. Knows nothing of how any of it is run.

mod affected;
mod budget;
mod check;
pub mod dotenv;
pub mod firebase;
mod functions;
mod intrinsics;
mod json;
pub mod keys;
mod load;
pub mod model;
mod port;
pub mod problem;
mod resources;
pub mod schedule;
pub mod schema;
mod settings;
pub mod timetable;
mod variables;
pub mod yaml;

pub use affected::{Affected, affected, is_watched, matches_glob};
pub use firebase::Firebase;
pub use load::{FILE_NAMES, Load, Loaded, find, load};
pub use model::*;
pub use port::{Port, Ports};
pub use problem::Renderer;

#[cfg(test)]
mod tests;
