//! The AWS protocols. One file or folder a service, each with `decode`, `encode`, `fail` and `event`.

pub mod arn;
pub mod s3;
pub mod sigv4;
