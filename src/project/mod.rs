//! The project: what `serverless.yaml` says, resolved and checked. Knows nothing of how any of it is run.

pub mod model;

pub use model::*;
