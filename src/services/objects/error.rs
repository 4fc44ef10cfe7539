//! Why the objects service says no.

use super::{Algorithm, Object};
use crate::store;

/// What can go wrong, in the words of the service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("bucket `{0}` does not exist")]
    NoSuchBucket(String),
    #[error("bucket `{0}` exists already")]
    BucketExists(String),
    #[error("bucket `{0}` still holds objects")]
    BucketNotEmpty(String),
    #[error("`{0}` cannot name a bucket")]
    BadBucketName(String),
    #[error("object `{key}` does not exist")]
    NoSuchKey { key: String },
    #[error("object `{key}` has no version `{version}`")]
    NoSuchVersion { key: String, version: String },
    /// The version asked for says that the object was deleted; `latest` where no version was asked for.
    #[error("object `{key}` was deleted")]
    Deleted { key: String, version: String, latest: bool },
    #[error("multipart upload `{0}` does not exist; it may have been aborted or completed")]
    NoSuchUpload(String),
    #[error("upload session `{0}` does not exist; it may have been forgotten after a week")]
    NoSuchSession(String),
    #[error("the upload was given up")]
    SessionCancelled,
    /// Bytes were sent of a later place than what has arrived.
    #[error("{received} bytes of the upload are here; the next must begin there")]
    BadOffset { received: u64 },
    #[error("an object is made of 1 to {COMPONENTS_MAX} others at a time")]
    BadComponents,
    #[error("part numbers go from 1 to {PARTS_MAX}")]
    BadPartNumber,
    #[error("part {0} was not uploaded, or its tag or checksum differs")]
    BadPart(u32),
    #[error("a list of parts must rise and must not be empty")]
    BadPartOrder,
    #[error("part {number} has {size} bytes; all but the last need {PART_BYTES_MIN}")]
    PartTooSmall { number: u32, size: u64, etag: String },
    #[error("the object has {parts} parts; there is no part {number}")]
    NoSuchPart { number: u32, parts: u32 },
    #[error("the range does not overlap the {size} bytes of the object")]
    BadRange { size: u64 },
    #[error("the precondition {0:?} does not hold")]
    Precondition(Precondition),
    /// A reader has the object as it is.
    #[error("the object has not changed")]
    NotModified(Box<Object>),
    #[error("the bytes are not those that the sender's {0:?} tells of")]
    Mismatch(Proof),
    #[error("the upload's parts carry {wanted:?} checksums")]
    WrongAlgorithm { wanted: Algorithm },
    #[error("{wanted} bytes were announced and {found} arrived")]
    Incomplete { wanted: u64, found: u64 },
    #[error("the bytes broke off: {0}")]
    Broken(store::blobs::BoxError),
    #[error("more than {bytes_max} bytes")]
    TooLarge { bytes_max: u64, bytes: u64 },
    #[error("a key has 1 to {KEY_BYTES_MAX} bytes; this has {0}")]
    BadKey(usize),
    #[error("metadata has up to {METADATA_BYTES_MAX} bytes; this has {0}")]
    MetadataTooLarge(usize),
    #[error("{0}")]
    BadTags(&'static str),
    #[error("an object cannot be copied to itself without a change")]
    CopyOntoItself,
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// A condition of the one who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    Matches,
    Differs,
    UnmodifiedSince,
    ModifiedSince,
    /// Generation and metageneration.
    Numbers,
}

/// What a sender says of the bytes, to have them checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Md5,
    /// SHA-256 of what was sent, out of the signature.
    Payload,
    Checksum(Algorithm),
    /// The size of the whole that was given when an upload was completed.
    Size,
}

/// Parts of one upload ("Amazon S3 multipart upload limits").
pub const PARTS_MAX: u32 = 10_000;
/// The least size of every part but the last ("Amazon S3 multipart upload limits").
pub const PART_BYTES_MIN: u64 = 5 << 20;
/// The most bytes sent at once ("Uploading objects").
pub const PUT_BYTES_MAX: u64 = 5 << 30;
/// Bytes of a key in UTF-8 ("Naming Amazon S3 objects").
pub const KEY_BYTES_MAX: usize = 1_024;
/// Bytes of all user metadata names and values: the most of any provider ("Quotas & limits" of Cloud Storage).
pub const METADATA_BYTES_MAX: usize = 8 << 10;
/// Objects that one can be made of at once ("Compose objects" of Cloud Storage).
pub const COMPONENTS_MAX: usize = 32;
/// Uploads that are remembered at once, those that are done included.
pub const SESSIONS_MAX: i64 = 10_000;
/// Tags of one object ("Categorizing your objects using tags").
pub const TAGS_MAX: usize = 10;
