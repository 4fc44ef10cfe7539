//! The AWS protocols. One file or folder a service, each with `decode`, `encode`, `fail` and `event`.

pub mod arn;
pub mod dynamodb;
pub mod json;
pub mod sigv4;
