//! What the triggers need of the rest of the program, in their own words.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;

use super::store::{Envelope, Origin};
use super::table::Table;
use crate::base::{Call, Time};
use crate::store::outbox;

/// Runs functions.
#[async_trait]
pub trait Invoker: Send + Sync + 'static {
    /// Runs the function `name` (its key in the project) and waits for its answer.
    async fn invoke(&self, call: &Call, name: &str, asked: Asked) -> Result<Answer, Refusal>;
}

/// What a function is run on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub event: Bytes,
    /// What set it off, for people: `queue orders`.
    pub trigger: Arc<str>,
    /// The answer has the log.
    pub with_log: bool,
}

/// What a function answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// JSON: what it returned, or the error as the runtime describes it.
    pub payload: Bytes,
    /// It threw, ran out of time or memory: what happened, in one line.
    pub failed: Option<String>,
    pub request_id: String,
    /// What it logged, as text; empty where nobody asked.
    pub log: String,
}

/// Why a function did not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("there is no function `{0}`")]
    NoFunction(String),
    /// Too many of it run already.
    #[error("Rate Exceeded.")]
    Throttled,
    /// It cannot run at all just now; the text says why.
    #[error("{0}")]
    Unavailable(String),
}

/// Queues, as a consumer and a sender see them.
#[async_trait]
pub trait Queues: Send + Sync + 'static {
    /// The key to give to [`crate::store::Db::woken`] to learn of new messages in `queue`.
    fn wake_key(&self, queue: &str) -> String;
    /// Takes up to `limit` messages that are there now, for the queue's visibility timeout. Empty where the queue does not exist.
    async fn receive(&self, call: &Call, queue: &str, limit: usize) -> Result<Vec<Message>, PortError>;
    /// Removes received messages.
    async fn delete(&self, call: &Call, queue: &str, receipts: Vec<String>) -> Result<(), PortError>;
    /// When the next message can be received: now or earlier where one can be already, `None` where none will be by itself.
    async fn next_visible(&self, queue: &str) -> Result<Option<Time>, PortError>;
    /// Sends a message.
    async fn send(&self, call: &Call, queue: &str, body: &str, envelope: &Envelope) -> Result<(), PortError>;
}

/// A received message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// What `batchItemFailures` names it by.
    pub id: String,
    pub receipt: String,
    /// The message as the function sees it: an element of the event's `Records`.
    pub record: Value,
    pub origin: Origin,
}

/// Change records of tables, in the order of the changes.
#[async_trait]
pub trait Streams: Send + Sync + 'static {
    /// The key to give to [`crate::store::Db::woken`] to learn of new records of `table`.
    fn wake_key(&self, table: &str) -> String;
    /// Up to `limit` records after number `after` that are still kept.
    async fn records(&self, table: &str, after: i64, limit: usize) -> Result<Vec<Record>, PortError>;
    /// The number of the newest record there has been; 0 before the first.
    async fn newest(&self, table: &str) -> Result<i64, PortError>;
    /// What the stream is called in the record of a failure.
    async fn names(&self, table: &str) -> StreamNames;
}

/// What a stream and its only shard are called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamNames {
    pub arn: String,
    pub shard: String,
}

/// A change to an item.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Rises within a table.
    pub number: i64,
    /// What `batchItemFailures` names it by: its sequence number as the function sees it.
    pub id: String,
    pub at: Time,
    /// The record as the function sees it: an element of the event's `Records`.
    pub record: Value,
    pub origin: Origin,
}

/// Topics, as a sender sees them.
#[async_trait]
pub trait Topics: Send + Sync + 'static {
    /// Publishes a message.
    async fn publish(&self, call: &Call, topic: &str, message: &str, envelope: &Envelope) -> Result<(), PortError>;
}

/// Reads events of the outbox.
pub trait Dialect: Send + Sync + 'static {
    /// What a row tells of; an error where it cannot be read. The table says who in the project subscribes to a topic.
    fn read(&self, row: &outbox::Row, table: &Table) -> Result<Happening, PortError>;
}

/// What an event of the outbox tells of, shaped for functions.
#[derive(Clone, Debug, PartialEq)]
pub enum Happening {
    /// Something happened to an object.
    Object {
        bucket: String,
        key: String,
        /// Without `s3:`: `ObjectCreated:Put`.
        name: String,
        event: Value,
    },
    /// Who gets what was said when it happened: by the subscriptions to a topic, or to a bucket.
    Addressed(Vec<Recipient>),
    /// Nothing that a function could be called for.
    Nothing,
}

/// What one subscriber gets.
#[derive(Clone, Debug, PartialEq)]
pub enum Recipient {
    /// A function, by any of its names, gets this event.
    Function {
        name: String,
        event: Value,
        /// A queue that takes the event where the function does not exist.
        dead_letters: Option<String>,
    },
    /// A queue gets this message.
    Queue { name: String, body: String, envelope: Envelope },
    /// A topic is told this.
    Topic { name: String, body: String, envelope: Envelope },
}

/// Why a service could not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PortError {
    pub message: String,
    /// Whether it may work later (rather than never).
    pub passing: bool,
}

impl PortError {
    /// It will not work, however often it is tried.
    pub fn lasting(error: impl ToString) -> PortError {
        PortError { message: error.to_string(), passing: false }
    }

    /// It may work later.
    pub fn passing(error: impl ToString) -> PortError {
        PortError { message: error.to_string(), passing: true }
    }
}
