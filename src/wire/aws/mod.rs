//! The AWS protocols. One file or folder a service, each with `decode`, `encode`, `fail` and `event`.

pub mod arn;
pub mod query;
pub mod sigv4;
pub mod ses;
pub mod sns;
pub mod sqs;
pub mod sts;
