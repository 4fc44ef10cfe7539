//! The domain, one folder a service. Services know no protocol and never import each other.

pub mod schedules;
pub mod queues;
pub mod topics;
pub mod tables;
pub mod objects;
