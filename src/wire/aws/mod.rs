//! The AWS protocols. One file or folder a service, each with `decode`, `encode`, `fail` and `event`.

pub mod arn;
pub mod dynamodb;
pub mod events;
pub mod json;
pub mod lambda;
pub mod query;
pub mod s3;
pub mod ses;
pub mod sigv4;
pub mod sns;
pub mod sqs;
pub mod sts;
