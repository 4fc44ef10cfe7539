//! What the service tells the outbox.

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
    if !tx.listens(SOURCE, bucket) {
        return Ok(());
    }
    let body = serde_json::to_string(&event()).expect("events are plain data");
    tx.emit(&store::Event { source: SOURCE, resource: bucket.to_owned(), body })
}
