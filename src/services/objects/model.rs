//! Buckets, objects and what is asked of them.

use std::collections::BTreeMap;
use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

use super::{Algorithm, Checksum};
use crate::base::Time;
use crate::store::blobs::BoxError;

/// A name for objects to be under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub created: Time,
    /// As it was given when the bucket was made; not looked at.
    pub region: String,
    pub versioning: Versioning,
}

/// Whether older versions of objects are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Versioning {
    /// They never were.
    #[default]
    Off,
    On,
    /// Those from earlier are; new ones replace each other.
    Suspended,
}

/// One version of an object, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub bucket: String,
    pub key: String,
    /// Rises with every change in this World, so it orders the versions of a key.
    pub generation: i64,
    /// Counts the changes of this version's metadata, from 1.
    pub metageneration: i64,
    /// `None`: the one that is replaced where versions are not kept.
    pub version: Option<String>,
    /// Says that the object was deleted; has no bytes.
    pub marker: bool,
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// `None` for an object of parts.
    pub md5: Option<Vec<u8>>,
    pub crc32c: u32,
    pub crc64nvme: u64,
    /// What is shown to those who ask for a checksum.
    pub checksum: Option<Checksum>,
    pub created: Time,
    /// When its metadata last changed.
    pub updated: Time,
    pub properties: Properties,
    /// How an upload's parts lie in it; empty where it was stored at once.
    pub parts: Vec<PartSpan>,
}

/// A part within a finished object.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PartSpan {
    pub number: u32,
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
}

/// What a sender says about an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Properties {
    #[serde(default, skip_serializing_if = "is_default")]
    pub headers: Headers,
    /// Of the sender's own naming.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: Tags,
    /// Who else may do what with it, by name of whoever it is (`allUsers`): kept, and decided by elsewhere.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub grants: BTreeMap<String, String>,
}

pub type Tags = BTreeMap<String, String>;

/// The headers that are given back with the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Headers {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_control: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_disposition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_language: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// Where a website sends those who ask for the object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// The algorithm by which a provider would encrypt it; said, not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encryption_key: Option<String>,
    /// A time that the sender gives a meaning to (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub custom_time: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Bytes on their way in, with what their sender says of them.
pub struct Content {
    pub stream: Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>,
    pub claims: Claims,
}

/// What a sender says of the bytes, to have it checked.
#[derive(Default)]
pub struct Claims {
    pub length: Option<u64>,
    pub md5: Option<Vec<u8>>,
    pub payload_sha256: Option<Vec<u8>>,
    /// The checksum to keep; CRC64NVME where none is named.
    pub algorithm: Option<Algorithm>,
    pub checksum: Claim,
}

/// The checksum as its sender has it.
#[derive(Default)]
pub enum Claim {
    #[default]
    None,
    Given(Vec<u8>),
    /// Said after the bytes; asked for once they are all there.
    Later(Box<dyn FnOnce() -> Option<Vec<u8>> + Send>),
}

impl Content {
    /// Bytes at hand, about which nothing is claimed.
    pub fn of(bytes: impl Into<Bytes>) -> Content {
        let bytes: Bytes = bytes.into();
        Content { stream: Box::pin(futures_util::stream::iter([Ok(bytes)])), claims: Claims::default() }
    }
}

/// When a change may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Condition {
    #[default]
    Always,
    /// There is no such object.
    Absent,
    /// There is one.
    Present,
    /// There is one, with this tag.
    Tag(String),
    /// What there is has these numbers; nothing has the generation 0.
    Numbers(Numbers),
}

/// What must hold of an object's generation and metageneration.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Numbers {
    pub generation: Option<i64>,
    pub not_generation: Option<i64>,
    pub metageneration: Option<i64>,
    pub not_metageneration: Option<i64>,
}

/// When a reader wants the object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    pub matches: Option<Match>,
    pub differs: Option<Match>,
    pub modified_since: Option<Time>,
    pub unmodified_since: Option<Time>,
    pub numbers: Numbers,
}

/// Tags to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    Any,
    Tag(String),
}

/// Which version is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    #[default]
    Latest,
    /// The one that is replaced where versions are not kept.
    Unversioned,
    Version(String),
    /// By its generation.
    Generation(i64),
}

/// An object to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub bucket: String,
    pub key: String,
    pub which: Which,
}

impl Name {
    /// The latest version.
    pub fn latest(bucket: impl Into<String>, key: impl Into<String>) -> Name {
        Name { bucket: bucket.into(), key: key.into(), which: Which::Latest }
    }
}

/// Which bytes are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Range {
    #[default]
    All,
    /// From `first` up to and including `last`, or to the end.
    From { first: u64, last: Option<u64> },
    /// So many at the end.
    Last(u64),
    /// Those of a part, counted from 1.
    Part(u32),
}
