//! Events of objects as functions get them: `StorageObjectData` of `google.storage.object.v1`, which is the JSON API's object.

use serde_json::Value;

use super::encode::object_json;
use crate::services::objects::{Event, Snapshot};

/// What happened, in Google's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An object is there, with all its bytes.
    Finalized,
    /// An object is gone: deleted, or overwritten.
    Deleted,
    /// An object has become an older version.
    Archived,
    MetadataUpdated,
}

impl Kind {
    /// The type of a CloudEvent.
    pub fn cloud_event(self) -> &'static str {
        match self {
            Kind::Finalized => "google.cloud.storage.object.v1.finalized",
            Kind::Deleted => "google.cloud.storage.object.v1.deleted",
            Kind::Archived => "google.cloud.storage.object.v1.archived",
            Kind::MetadataUpdated => "google.cloud.storage.object.v1.metadataUpdated",
        }
    }

    /// The type of a legacy event.
    pub fn legacy(self) -> &'static str {
        match self {
            Kind::Finalized => "google.storage.object.finalize",
            Kind::Deleted => "google.storage.object.delete",
            Kind::Archived => "google.storage.object.archive",
            Kind::MetadataUpdated => "google.storage.object.metadataUpdate",
        }
    }
}

/// What a row of the outbox tells Google's functions of, and the object; `None` where it is nothing to them.
pub fn of(event: &Event) -> Option<(Kind, &Snapshot)> {
    match event {
        Event::Created(created) => Some((Kind::Finalized, created.object.as_deref()?)),
        Event::Deleted(deleted) => {
            let kind = if deleted.marker { Kind::Archived } else { Kind::Deleted };
            Some((kind, deleted.object.as_deref()?))
        }
        Event::Updated(object) => Some((Kind::MetadataUpdated, object)),
        Event::Replaced { object, kept: true } => Some((Kind::Archived, object)),
        Event::Replaced { object, kept: false } => Some((Kind::Deleted, object)),
    }
}

/// The event's data; links lead to `origin`.
pub fn data(object: &Snapshot, bucket: &str, origin: &str) -> Value {
    object_json(object, bucket, origin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::services::objects::{Created, Deleted, How, Properties};

    fn snapshot() -> Snapshot {
        Snapshot {
            key: "a/b.txt".into(),
            generation: 1_700_000_000_000_001,
            metageneration: 1,
            size: 3,
            md5: Some("900150983cd24fb0d6963f7d28e17f72".into()),
            crc32c: 0x364b_3fb7,
            created: Time(1_000),
            updated: Time(1_000),
            parts: 0,
            properties: Properties { metadata: [("owner".to_owned(), "ada".to_owned())].into(), ..Properties::default() },
        }
    }

    #[test]
    fn each_row_is_one_event_or_none() {
        let object = Some(Box::new(snapshot()));
        let created = |object| {
            Event::Created(Created {
                how: How::Put,
                key: "k".into(),
                size: 3,
                etag: "e".into(),
                version: None,
                generation: 1,
                content_type: None,
                object,
            })
        };
        let deleted =
            |marker, object| Event::Deleted(Deleted { key: "k".into(), version: None, marker, expired: false, generation: 1, object });
        for (event, wanted) in [
            (created(object.clone()), Some(Kind::Finalized)),
            (created(None), None),
            (deleted(false, object.clone()), Some(Kind::Deleted)),
            (deleted(true, object.clone()), Some(Kind::Archived)),
            (deleted(true, None), None),
            (Event::Updated(snapshot()), Some(Kind::MetadataUpdated)),
            (Event::Replaced { object: snapshot(), kept: false }, Some(Kind::Deleted)),
            (Event::Replaced { object: snapshot(), kept: true }, Some(Kind::Archived)),
        ] {
            assert_eq!(of(&event).map(|(kind, _)| kind), wanted, "{event:?}");
        }
    }

    #[test]
    fn functions_get_the_object_as_the_api_shows_it() {
        let data = data(&snapshot(), "p.appspot.com", "http://localhost:9199");
        for (name, wanted) in [
            ("kind", "storage#object"),
            ("id", "p.appspot.com/a/b.txt/1700000000000001"),
            ("bucket", "p.appspot.com"),
            ("name", "a/b.txt"),
            ("size", "3"),
            ("metageneration", "1"),
            ("md5Hash", "kAFQmDzST7DWlj99KOF/cg=="),
            ("crc32c", "Nks/tw=="),
            ("timeCreated", "1970-01-01T00:00:01.000Z"),
            ("storageClass", "STANDARD"),
        ] {
            assert_eq!(data[name], wanted, "{name}");
        }
        assert_eq!(data["metadata"]["owner"], "ada");
    }
}
