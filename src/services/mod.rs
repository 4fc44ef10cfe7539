//! The domain, one folder a service. Services know no protocol and never import each other.

pub mod mail;
pub mod objects;
pub mod queues;
pub mod schedules;
pub mod tables;
pub mod topics;
