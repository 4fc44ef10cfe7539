//! The domain, one folder a service. Services know no protocol and never import each other.

pub mod tables;
pub mod objects;
pub mod queues;
pub mod topics;
pub mod schedules;
