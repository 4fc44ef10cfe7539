//! `${…}` of the Serverless Framework: parsing them and putting values in their place, with defaults, nesting and types kept.

mod resolve;
mod template;

pub use resolve::{ACCOUNT, Inputs, Resolver};
