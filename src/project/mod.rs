//! The project: what `serverless.yaml` says, resolved and checked. Knows nothing of how any of it is run.

mod affected;
mod budget;
mod check;
pub mod dotenv;
mod functions;
mod intrinsics;
pub mod keys;
mod load;
pub mod model;
pub mod problem;
mod resources;
pub mod schedule;
pub mod schema;
mod settings;
mod variables;
pub mod yaml;

pub use affected::{Affected, affected, is_watched, matches_glob};
pub use load::{FILE_NAMES, Load, Loaded, find, load};
pub use model::*;
pub use problem::Renderer;

#[cfg(test)]
mod tests;
