//! Objects: buckets and the bytes in them, with versions, uploads in parts, checksums and conditions.
//! Knows nothing of S3 or Cloud Storage; see `wire/` for those.

mod buckets;
mod digest;
mod edit;
mod error;
mod event;
pub mod lifecycle;
mod list;
mod model;
pub mod notices;
pub mod portable;
mod read;
mod sessions;
mod store;
mod uploads;
mod whole;
mod write;

pub use buckets::NewBucket;
pub use digest::{Algorithm, Checksum, Fingerprint};
pub use edit::{Compose, Edit};
pub use error::{
    COMPONENTS_MAX, Error, KEY_BYTES_MAX, METADATA_BYTES_MAX, PART_BYTES_MIN, PARTS_MAX, PUT_BYTES_MAX, Precondition, Proof, TAGS_MAX,
};
pub use event::{Created, Deleted, Event, How, SOURCE, Snapshot};
pub use list::{List, Page, VersionList, VersionPage};
pub use model::*;
pub use read::{ByteStream, Found, Get};
pub use sessions::{Append, Appended, Expected, NewSession, SESSIONS_WAKE, Session, SessionState};
pub use store::SCHEMA;
pub use uploads::{Complete, CopyPart, Listed, NewUpload, Part, PartName, PartPage, PutPart, Upload, UploadList, UploadName, UploadPage};
pub use whole::TakenOver;
pub use write::{Copy, Deletion, Put, Removed, Stored};

use crate::base::Call;
use crate::store::Db;
use crate::store::blobs::Blobs;

/// Buckets and objects of a World. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Objects {
    db: Db,
    blobs: Blobs,
}

impl Objects {
    /// Over a database opened with [`SCHEMA`] and a folder of its own for large objects.
    pub fn new(db: Db, blobs: Blobs) -> Objects {
        Objects { db, blobs }
    }

    /// The time by this World's clock.
    pub fn now(&self) -> crate::base::Time {
        self.db.now()
    }

    /// Removes the files that a killed process has left behind; answers how many. Only before anything is written.
    pub async fn sweep(&self) -> Result<usize, Error> {
        let live = self.db.read(&Call::operator(), |tx| store::blobs(tx).map_err(Error::from)).await?;
        Ok(self.blobs.sweep(&live)?)
    }
}

#[cfg(test)]
mod tests;
