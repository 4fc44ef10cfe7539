//! Queues: messages that are handed out, hidden for a while, and come back unless they are deleted. The SQS model: standard and
//! FIFO queues, delay, long poll, dead letters. Knows nothing of its protocols; see `wire/` for those.
//!
//! Not enforced on purpose: the 60 seconds before a deleted queue's name may be used again (they serve nobody here), access
//! policies, encryption.

pub mod message;
pub mod portable;
mod receive;
mod send;
pub mod settings;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use crate::base::{Call, Time, Unit};
use crate::store::{Db, Tx};

pub use message::{Message, Origin, Send, Sent};
pub use receive::{Lease, Receive};
pub use send::put_in;
pub use settings::{Redrive, Settings};
pub use store::SCHEMA;

/// The queues of a World. Cheap to clone.
#[derive(Clone)]
pub struct Queues {
    db: Db,
    listener: Arc<OnceLock<Box<Listener>>>,
}

/// A message that was received too often and is in its queue's dead-letter queue now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buried {
    /// The queue that it was in.
    pub queue: String,
    /// Where it is.
    pub dead_letters: String,
    /// How often it was received.
    pub receives: u32,
    pub origin: Origin,
}

/// Told of every message that has moved to a dead-letter queue.
pub type Listener = dyn Fn(&Buried) + std::marker::Send + Sync;

/// A queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    pub name: String,
    pub settings: Settings,
    pub tags: BTreeMap<String, String>,
    pub created: Time,
    pub changed: Time,
}

/// A queue and how many messages it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub queue: Queue,
    pub visible: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

/// One of several things asked for at once; the identifier tells the answers apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    pub id: String,
    pub value: T,
}

/// What became of each entry, in their order.
pub type Outcomes<T> = Vec<(String, Result<T, Error>)>;

/// Some names, and whether there are more after the last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub names: Vec<String>,
    pub more: bool,
}

/// A move of dead letters back to where they came from, or to another queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    pub id: i64,
    pub source: String,
    /// `None`: each message's own queue.
    pub destination: Option<String>,
    /// Messages per second as asked for; the move is done at once all the same.
    pub rate_max: Option<i64>,
    pub moved: u64,
    pub at: Time,
}

/// What can be wrong with a request to a queue. Parameters and attributes have the names of the SQS API.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("queue `{0}` does not exist")]
    NoSuchQueue(String),
    #[error("queue `{name}` already exists with another value of {attribute}")]
    QueueExists { name: String, attribute: String },
    #[error("`{name}` cannot be the name of a queue")]
    QueueName { name: String, fifo: bool },
    #[error("there is no attribute {0}")]
    UnknownAttribute(String),
    #[error("the value of attribute {0} is not valid")]
    AttributeValue(&'static str),
    #[error("the redrive policy {value} is not valid: {reason}")]
    RedrivePolicy { value: String, reason: String },
    #[error("parameter {0} is missing")]
    Missing(&'static str),
    #[error("parameter {parameter} is {value}, which is not between {min} and {max}")]
    Range { parameter: &'static str, value: i64, min: i64, max: i64 },
    #[error("parameter {parameter} is {value}, which is no valid identifier")]
    Identifier { parameter: &'static str, value: String },
    #[error("parameter {parameter} is {value}, which this kind of queue does not take")]
    NotForThisKind { parameter: &'static str, value: String },
    #[error("a message of this FIFO queue needs a deduplication identifier, or the queue content-based deduplication")]
    NoDeduplication,
    #[error("the character #x{:X} cannot be in a message", *.0 as u32)]
    Characters(char),
    /// The whole text.
    #[error("{0}")]
    MessageAttribute(String),
    #[error("the message is larger than {bytes_max} bytes")]
    TooLarge { bytes_max: i64 },
    #[error("the batch has {bytes} bytes, more than {bytes_max}")]
    BatchTooLarge { bytes: usize, bytes_max: i64 },
    #[error("the batch is empty")]
    BatchEmpty,
    #[error("the batch has {0} entries, more than 10")]
    BatchTooLong(usize),
    #[error("`{0}` cannot be the identifier of an entry")]
    EntryId(String),
    #[error("two entries have the identifier `{0}`")]
    EntryRepeated(String),
    #[error("`{0}` is no receipt of this queue")]
    Receipt(String),
    #[error("receipt `{0}` has expired")]
    ReceiptExpired(String),
    #[error("the message of receipt `{0}` does not exist")]
    NotAvailable(String),
    #[error("the message is not in flight")]
    NotInFlight,
    #[error("{value} more seconds would make the message of this receipt hidden for longer than 12 hours")]
    HiddenTooLong { value: i64 },
    #[error("queue `{0}` was purged less than 60 seconds ago")]
    Purged(String),
    #[error("too many messages of queue `{0}` are in flight")]
    InFlight(String),
    #[error("queue `{0}` is no dead-letter queue")]
    NotDeadLetters(String),
    #[error("there is no such move of messages")]
    NoSuchMove,
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

/// Entries of one batch.
const ENTRIES_MAX: usize = 10;
/// Names of one page.
const PAGE_MAX: usize = 1_000;
/// Bytes of payload that are billed as one request.
const CHUNK_BYTES: usize = 64 * 1024;

impl Queues {
    /// The queues kept in `db`, which must know [`SCHEMA`].
    pub fn new(db: Db) -> Queues {
        Queues { db, listener: Arc::default() }
    }

    /// Tells `listener` of every message that moves to a dead-letter queue from now on, once that is committed. There is one listener: a
    /// second is not heard.
    pub fn listen(&self, listener: Box<Listener>) {
        // A second call would be a mistake of the wiring; the first stands.
        let _ = self.listener.set(listener);
    }

    fn buried(&self, messages: &[Buried]) {
        if let Some(listener) = self.listener.get() {
            messages.iter().for_each(listener);
        }
    }

    /// The key for [`Db::woken`] that is woken by every commit after which a message of the queue may be free.
    pub fn wake_key(queue: &str) -> String {
        format!("queue:{queue}")
    }

    /// Makes a queue, or finds the one that has the same name and every attribute given.
    /// Fails with `QueueName`, `QueueExists`, and what is wrong with the attributes.
    pub async fn create(
        &self,
        call: &Call,
        name: &str,
        attributes: &BTreeMap<String, String>,
        tags: &BTreeMap<String, String>,
    ) -> Result<Queue, Error> {
        let (name, attributes, tags) = (name.to_owned(), attributes.clone(), tags.clone());
        self.db
            .write(call, move |tx| {
                tx.count(Unit::QueueRequests, 1);
                if let Some(found) = store::find(tx, &name)? {
                    return match found.queue.settings.differs(&attributes)? {
                        Some(attribute) => Err(Error::QueueExists { name, attribute }),
                        None => Ok(found.queue),
                    };
                }
                let mut settings = Settings::default();
                settings.apply(&attributes)?;
                check_name(&name, settings.fifo)?;
                check_target(tx, &settings, &attributes)?;
                insert_in(tx, Queue { name, settings, tags, created: tx.now(), changed: tx.now() })
            })
            .await
    }

    /// Brings a queue to what a project file says: makes it, or changes its attributes and tags; never touches its messages.
    /// `properties` are those of `AWS::SQS::Queue`; the dead-letter queue need not exist yet.
    pub async fn ensure(&self, call: &Call, name: &str, properties: &serde_json::Value) -> Result<Queue, Error> {
        let (attributes, tags) = settings::of_properties(properties);
        let mut wanted = Settings::default();
        wanted.apply(&attributes)?;
        check_name(name, wanted.fifo)?;
        let name = name.to_owned();
        let found = self.db.read(call, |tx| store::find(tx, &name)).await?;
        if let Some(found) = found.filter(|found| found.queue.settings == wanted && found.queue.tags == tags) {
            return Ok(found.queue);
        }
        self.db
            .write(call, move |tx| {
                let Some(mut found) = store::find(tx, &name)? else {
                    return insert_in(tx, Queue { name, settings: wanted, tags, created: tx.now(), changed: tx.now() });
                };
                found.queue.settings = wanted;
                found.queue.tags = tags;
                update_in(tx, found.queue)
            })
            .await
    }

    /// A queue by name.
    pub async fn find(&self, call: &Call, name: &str) -> Result<Queue, Error> {
        self.look(call, |tx| Ok(store::get(tx, name)?.queue)).await
    }

    /// A queue and how many messages it holds.
    pub async fn describe(&self, call: &Call, name: &str) -> Result<Description, Error> {
        self.look(call, |tx| {
            let found = store::get(tx, name)?;
            let (visible, in_flight, delayed) = store::counts(tx, &found)?;
            Ok(Description { queue: found.queue, visible, in_flight, delayed })
        })
        .await
    }

    /// Names in alphabetical order, those that begin with `prefix`, after `after`; at most 1,000.
    pub async fn list(&self, call: &Call, prefix: &str, after: &str, limit: i64) -> Result<Page, Error> {
        let limit = page(limit)?;
        self.look(call, |tx| Ok(cut(store::names(tx, prefix, after, limit + 1)?, limit))).await
    }

    /// Names of the queues whose messages go to this one after too many receives.
    pub async fn sources(&self, call: &Call, name: &str, after: &str, limit: i64) -> Result<Page, Error> {
        let limit = page(limit)?;
        self.look(call, |tx| {
            store::get(tx, name)?;
            Ok(cut(store::sources(tx, name, after, limit + 1)?, limit))
        })
        .await
    }

    /// Changes attributes. Whether a queue is FIFO cannot be changed.
    pub async fn set(&self, call: &Call, name: &str, attributes: &BTreeMap<String, String>) -> Result<(), Error> {
        let attributes = attributes.clone();
        self.change(call, name, move |tx, found| {
            let fifo = found.queue.settings.fifo;
            found.queue.settings.apply(&attributes)?;
            if found.queue.settings.fifo != fifo {
                return Err(Error::AttributeValue("FifoQueue"));
            }
            check_target(tx, &found.queue.settings, &attributes)?;
            update_in(tx, found.queue.clone()).map(|_| ())
        })
        .await
    }

    /// Adds or changes tags.
    pub async fn tag(&self, call: &Call, name: &str, tags: &BTreeMap<String, String>) -> Result<(), Error> {
        let tags = tags.clone();
        self.change(call, name, move |tx, found| {
            found.queue.tags.extend(tags);
            store::update(tx, &found.queue)
        })
        .await
    }

    /// Removes tags.
    pub async fn untag(&self, call: &Call, name: &str, keys: &[String]) -> Result<(), Error> {
        let keys = keys.to_vec();
        self.change(call, name, move |tx, found| {
            found.queue.tags.retain(|key, _| !keys.contains(key));
            store::update(tx, &found.queue)
        })
        .await
    }

    /// Removes a queue with its messages.
    pub async fn delete(&self, call: &Call, name: &str) -> Result<(), Error> {
        self.change(call, name, |tx, found| store::remove(tx, found)).await
    }

    /// Removes all messages, hidden ones too. Fails with `Purged` within 60 seconds of the last time.
    pub async fn purge(&self, call: &Call, name: &str) -> Result<(), Error> {
        self.change(call, name, |tx, found| {
            if found.purged.millis() > 0 && tx.now() < found.purged.plus_ms(60_000) {
                return Err(Error::Purged(found.queue.name.clone()));
            }
            store::clear(tx, found)
        })
        .await
    }

    /// Up to `limit` messages in the order of their arrival, hidden ones too, without receiving them.
    pub async fn peek(&self, call: &Call, name: &str, limit: usize) -> Result<Vec<Message>, Error> {
        self.db.read(call, |tx| store::all(tx, &store::get(tx, name)?, limit)).await
    }

    /// Removes one message, whoever has it: for a person who looks at the queue, no operation of the API. False where it is gone already.
    pub async fn forget(&self, call: &Call, name: &str, message_id: &str) -> Result<bool, Error> {
        let (name, message_id) = (name.to_owned(), message_id.to_owned());
        self.db
            .write(call, move |tx| {
                let queue = store::get(tx, &name)?;
                // In FIFO order others may have waited for it.
                tx.wake(&Queues::wake_key(&name));
                store::forget(tx, &queue, &message_id)
            })
            .await
    }

    /// Moves the visible messages of a dead-letter queue to `destination`, or each back to the queue it came from.
    /// Fails with `NotDeadLetters` where no queue sends its dead letters here.
    pub async fn move_messages(&self, call: &Call, source: &str, destination: Option<&str>, rate_max: Option<i64>) -> Result<Move, Error> {
        if let Some(rate) = rate_max {
            in_range("MaxNumberOfMessagesPerSecond", rate, 1, 500)?;
        }
        let destination = destination.map(str::to_owned);
        self.change(call, source, move |tx, found| {
            if store::sources(tx, &found.queue.name, "", 1)?.is_empty() {
                return Err(Error::NotDeadLetters(found.queue.name.clone()));
            }
            let mut targets = BTreeMap::new();
            if let Some(name) = &destination {
                targets.insert(name.clone(), Some(store::get(tx, name)?));
            }
            let mut moved = 0;
            for (id, dead_from) in store::movable(tx, found)? {
                let Some(name) = destination.clone().or(dead_from) else { continue };
                if !targets.contains_key(&name) {
                    targets.insert(name.clone(), store::find(tx, &name)?);
                }
                if let Some(Some(target)) = targets.get(&name) {
                    store::transfer(tx, id, target, None)?;
                    tx.wake(&Queues::wake_key(&name));
                    moved += 1;
                }
            }
            let mut record = Move { id: 0, source: found.queue.name.clone(), destination, rate_max, moved, at: tx.now() };
            record.id = store::insert_move(tx, &record)?;
            Ok(record)
        })
        .await
    }

    /// The latest moves out of a dead-letter queue, newest first; at most 10.
    pub async fn moves(&self, call: &Call, source: &str, limit: i64) -> Result<Vec<Move>, Error> {
        in_range("MaxResults", limit, 1, 10)?;
        self.look(call, |tx| {
            store::get(tx, source)?;
            store::moves(tx, source, limit as usize)
        })
        .await
    }

    async fn look<T>(&self, call: &Call, look: impl FnOnce(&mut Tx<'_>) -> Result<T, Error>) -> Result<T, Error> {
        self.db
            .read(call, |tx| {
                tx.count(Unit::QueueRequests, 1);
                look(tx)
            })
            .await
    }

    /// Changes something of an existing queue, as one billed request, and wakes those who wait on it.
    async fn change<T: std::marker::Send + 'static>(
        &self,
        call: &Call,
        name: &str,
        change: impl FnOnce(&mut Tx<'_>, &mut store::Stored) -> Result<T, Error> + std::marker::Send + 'static,
    ) -> Result<T, Error> {
        self.change_as(Unit::QueueRequests, call, name, change).await
    }

    /// As `change`, for what is done to messages: that is dearer where the queue is FIFO.
    async fn change_messages<T: std::marker::Send + 'static>(
        &self,
        call: &Call,
        name: &str,
        change: impl FnOnce(&mut Tx<'_>, &mut store::Stored) -> Result<T, Error> + std::marker::Send + 'static,
    ) -> Result<T, Error> {
        self.change_as(requests(name), call, name, change).await
    }

    async fn change_as<T: std::marker::Send + 'static>(
        &self,
        unit: Unit,
        call: &Call,
        name: &str,
        change: impl FnOnce(&mut Tx<'_>, &mut store::Stored) -> Result<T, Error> + std::marker::Send + 'static,
    ) -> Result<T, Error> {
        let name = name.to_owned();
        self.db
            .write(call, move |tx| {
                let mut found = store::get(tx, &name)?;
                tx.count(unit, 1);
                let value = change(tx, &mut found)?;
                tx.wake(&Queues::wake_key(&name));
                Ok(value)
            })
            .await
    }
}

fn insert_in(tx: &mut Tx<'_>, queue: Queue) -> Result<Queue, Error> {
    store::insert(tx, &queue)?;
    tx.wake(&Queues::wake_key(&queue.name));
    Ok(queue)
}

fn update_in(tx: &mut Tx<'_>, queue: Queue) -> Result<Queue, Error> {
    store::update(tx, &queue)?;
    tx.wake(&Queues::wake_key(&queue.name));
    Ok(queue)
}

/// Source: "CreateQueue", parameter QueueName.
fn check_name(name: &str, fifo: bool) -> Result<(), Error> {
    let stem = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let good = |stem: &str| !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if name.len() <= 80 && stem.is_some_and(good) { Ok(()) } else { Err(Error::QueueName { name: name.to_owned(), fifo }) }
}

/// A dead-letter queue that is being set must exist and be of the same kind.
fn check_target(tx: &Tx<'_>, settings: &Settings, attributes: &BTreeMap<String, String>) -> Result<(), Error> {
    let (Some(redrive), Some(value)) = (&settings.redrive, attributes.get("RedrivePolicy")) else { return Ok(()) };
    let fail = |reason: &str| Err(Error::RedrivePolicy { value: value.clone(), reason: reason.to_owned() });
    match store::find(tx, &redrive.target)? {
        None => fail("Dead letter target does not exist."),
        Some(target) if target.queue.settings.fifo != settings.fifo => fail("Dead-letter queue must be same type of queue as the source."),
        Some(_) => Ok(()),
    }
}

fn page(limit: i64) -> Result<usize, Error> {
    in_range("MaxResults", limit, 1, PAGE_MAX as i64)?;
    Ok(limit as usize)
}

fn cut(mut names: Vec<String>, limit: usize) -> Page {
    let more = names.len() > limit;
    names.truncate(limit);
    Page { names, more }
}

fn in_range(parameter: &'static str, value: i64, min: i64, max: i64) -> Result<(), Error> {
    if (min..=max).contains(&value) { Ok(()) } else { Err(Error::Range { parameter, value, min, max }) }
}

/// What a request about messages of a queue is billed as; a FIFO queue is known by its name. Source: "Amazon SQS pricing".
fn requests(queue: &str) -> Unit {
    if queue.ends_with(".fifo") { Unit::QueueFifoRequests } else { Unit::QueueRequests }
}

fn chunks(bytes: usize) -> u64 {
    bytes.div_ceil(CHUNK_BYTES).max(1) as u64
}

/// Source: "SendMessageBatch" and its siblings, errors.
fn check_entries<T>(entries: &[Entry<T>]) -> Result<(), Error> {
    if entries.is_empty() {
        return Err(Error::BatchEmpty);
    }
    if entries.len() > ENTRIES_MAX {
        return Err(Error::BatchTooLong(entries.len()));
    }
    let good = |id: &str| (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if let Some(bad) = entries.iter().find(|entry| !good(&entry.id)) {
        return Err(Error::EntryId(bad.id.clone()));
    }
    match entries.iter().enumerate().find(|(i, entry)| entries[..*i].iter().any(|earlier| earlier.id == entry.id)) {
        Some((_, repeated)) => Err(Error::EntryRepeated(repeated.id.clone())),
        None => Ok(()),
    }
}
