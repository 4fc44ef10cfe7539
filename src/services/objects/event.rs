//! What the service tells the outbox.

use super::notices::{self, Occasion};
use super::{Object, Properties};
use crate::base::Time;
use crate::store;

/// The name of this service as the source of its events.
pub const SOURCE: &str = "objects";

/// Something that happened to an object; the bucket is the event's resource.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// An object, or a new version of one, is there.
    Created(Created),
    /// An object, or one version of it, is gone.
    Deleted(Deleted),
    /// What is said of an object was changed, not its bytes.
    Updated(Snapshot),
    /// An object gave way to a new one of its name; `kept` as an older version.
    Replaced { object: Snapshot, kept: bool },
}

impl Event {
    /// The key of the object that it is about.
    pub fn key(&self) -> &str {
        match self {
            Event::Created(created) => &created.key,
            Event::Deleted(deleted) => &deleted.key,
            Event::Updated(object) | Event::Replaced { object, .. } => &object.key,
        }
    }

    /// What subscriptions to a bucket call it; nothing where they do not speak of it.
    pub fn occasion(&self) -> Option<Occasion> {
        match self {
            Event::Updated(_) | Event::Replaced { .. } => None,
            Event::Created(created) => Some(match created.how {
                How::Put => Occasion::Put,
                How::Copy => Occasion::Copied,
                How::Post => Occasion::Posted,
                How::Multipart => Occasion::Completed,
            }),
            Event::Deleted(deleted) => Some(match (deleted.expired, deleted.marker) {
                (false, false) => Occasion::Deleted,
                (false, true) => Occasion::Marked,
                (true, false) => Occasion::Expired,
                (true, true) => Occasion::Outdated,
            }),
        }
    }
}

/// An object as it was when something happened to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Snapshot {
    pub key: String,
    pub generation: i64,
    pub metageneration: i64,
    /// Bytes.
    pub size: u64,
    /// Hexadecimal; none for an object of parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    pub crc32c: u32,
    pub created: Time,
    pub updated: Time,
    /// How many parts it was made of; 0 where it was stored at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: usize,
    pub properties: Properties,
}

fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Snapshot {
    /// What an event tells of an object.
    pub fn of(object: &Object) -> Snapshot {
        Snapshot {
            key: object.key.clone(),
            generation: object.generation,
            metageneration: object.metageneration,
            size: object.size,
            md5: object.md5.as_ref().map(hex::encode),
            crc32c: object.crc32c,
            created: object.created,
            updated: object.updated,
            parts: object.parts.len(),
            properties: object.properties.clone(),
        }
    }
}

/// See [`Event::Created`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Created {
    pub how: How,
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Rises with every change of the service.
    pub generation: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// All of it; nothing in events of an older emu.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<Snapshot>>,
}

/// See [`Event::Deleted`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deleted {
    pub key: String,
    /// The version that is gone, or that says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// A new version says that the object is gone; the older ones are still there.
    pub marker: bool,
    /// Nobody asked for it but a rule of the bucket.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expired: bool,
    /// Rises with every change of the service.
    pub generation: i64,
    /// What is gone, or is now an older version; nothing where there was none, and in events of an older emu.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Box<Snapshot>>,
}

/// How an object came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Put,
    Copy,
    /// Out of a browser's form.
    Post,
    Multipart,
}

pub(super) fn emit(tx: &mut store::Tx<'_>, bucket: &str, event: impl FnOnce() -> Event) -> Result<(), store::Error> {
    let subscriptions = notices::of(tx, bucket)?;
    let listens = tx.listens(SOURCE, bucket);
    if !listens && subscriptions.is_empty() {
        return Ok(());
    }
    let event = event();
    if listens {
        let body = serde_json::to_string(&event).expect("events are plain data");
        tx.emit(&store::Event { source: SOURCE, resource: bucket.to_owned(), body })?;
    }
    notices::tell(tx, bucket, &subscriptions, &event)
}
