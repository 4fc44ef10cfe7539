//! The domain, one folder a service. Services know no protocol and never import each other.

pub mod auth;
pub mod documents;
pub mod mail;
pub mod objects;
pub mod pubsub;
pub mod push;
pub mod queues;
pub mod schedules;
pub mod tables;
pub mod topics;

use crate::store::blobs::Blobs;
use crate::store::{Db, Schema};

/// The services of one World. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Services {
    pub auth: auth::Auth,
    pub documents: documents::Documents,
    pub mail: mail::Mail,
    pub objects: objects::Objects,
    pub pubsub: pubsub::Pubsub,
    pub pushes: push::Pushes,
    pub queues: queues::Queues,
    pub tables: tables::Tables,
    pub topics: topics::Topics,
}

/// The tables of all services, to open a database with.
pub static SCHEMAS: [&Schema; 10] = [
    &auth::SCHEMA,
    &documents::SCHEMA,
    &mail::SCHEMA,
    &objects::SCHEMA,
    &pubsub::SCHEMA,
    &push::SCHEMA,
    &queues::SCHEMA,
    &schedules::SCHEMA,
    &tables::SCHEMA,
    &topics::SCHEMA,
];

impl Services {
    /// The services over a database opened with [`SCHEMAS`], and a folder for large objects.
    pub fn new(db: &Db, blobs: Blobs) -> Services {
        Services {
            auth: auth::Auth::new(db.clone()),
            documents: documents::Documents::new(db.clone()),
            mail: mail::Mail::new(db.clone()),
            objects: objects::Objects::new(db.clone(), blobs),
            pubsub: pubsub::Pubsub::new(db.clone()),
            pushes: push::Pushes::new(db.clone()),
            queues: queues::Queues::new(db.clone()),
            tables: tables::Tables::new(db.clone()),
            topics: topics::Topics::new(db.clone()),
        }
    }
}
