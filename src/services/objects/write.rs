//! Storing, copying and deleting objects, and changing what is said about them.

use bytes::Bytes;

use super::digest::Hasher;
use super::event::{Snapshot, emit};
use super::read::{check, existing};
use super::store::{self, bucket, newest, next_generation};
use super::{
    Algorithm, Bucket, Checksum, Claim, Claims, Condition, Content, Created, Deleted, Error, Event, Fingerprint, How, KEY_BYTES_MAX,
    METADATA_BYTES_MAX, Name, Numbers, Object, Objects, PUT_BYTES_MAX, PartSpan, Precondition, Proof, Properties, Range, TAGS_MAX, Tags,
    Versioning, Wanted, Which,
};
use crate::base::{Call, Time, Unit};
use crate::store::Tx;
use crate::store::blobs::{Bounds, Slice, WriteError, Written};

/// Up to so many bytes an object is kept in the database's row. Below, one commit is quicker than making a file, and there
/// is no second thing to keep in step; above, the bytes would be written twice (the log and then the database).
pub(super) const ROW_BYTES_MAX: usize = 64 << 10;

/// An object to store.
pub struct Put {
    pub bucket: String,
    pub key: String,
    pub how: How,
    pub properties: Properties,
    pub condition: Condition,
    pub content: Content,
}

/// An object to make out of another.
#[derive(Clone, Debug)]
pub struct Copy {
    pub from: Name,
    /// Conditions on the source.
    pub wanted: Wanted,
    pub bucket: String,
    pub key: String,
    /// Instead of those of the source.
    pub headers_and_metadata: Option<Properties>,
    /// Instead of those of the source.
    pub tags: Option<Tags>,
    /// The checksum to keep, instead of that of the source.
    pub algorithm: Option<Algorithm>,
    pub condition: Condition,
}

/// An object to delete.
#[derive(Clone, Debug)]
pub struct Deletion {
    pub key: String,
    pub which: Which,
    pub condition: Condition,
}

/// What was stored, and whether its bucket keeps versions.
#[derive(Clone, Debug)]
pub struct Stored {
    pub object: Object,
    pub versioning: Versioning,
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    pub key: String,
    /// The version that is gone or, with `marker`, says that the object is; `None` outside versions.
    pub version: Option<String>,
    /// A version that says the object is gone was made, or removed.
    pub marker: bool,
    /// The bucket keeps versions, or did.
    pub versioning: Versioning,
}

/// Bytes that are in, and what they are.
pub(super) struct Taken {
    pub written: Written,
    pub fingerprint: Fingerprint,
    pub checksum: Checksum,
}

impl Objects {
    /// Stores an object, replacing the one of the same name or adding a version, and emits [`Event::Created`].
    ///
    /// Fails with [`Error::NoSuchBucket`], [`Error::Precondition`], [`Error::Mismatch`], [`Error::TooLarge`], …; then nothing
    /// was stored.
    pub async fn put(&self, call: &Call, put: Put) -> Result<Stored, Error> {
        check_key(&put.key)?;
        check_properties(&put.properties)?;
        // So that nobody sends gigabytes to a bucket that is not there.
        self.db.read(call, |tx| bucket(tx, &put.bucket).map(|_| ())).await?;
        let taken = self.take_in(put.content).await?;
        let (stored, free) = self
            .db
            .write(call, move |tx| {
                let bucket = bucket(tx, &put.bucket)?;
                let generation = next_generation(tx)?;
                let Taken { written, fingerprint, checksum } = taken;
                let slices = slices_of(&written, fingerprint.size);
                store::add_pieces(tx, generation, &slices)?;
                let object = Object {
                    etag: hex::encode(fingerprint.md5),
                    md5: Some(fingerprint.md5.to_vec()),
                    crc32c: fingerprint.crc32c,
                    crc64nvme: fingerprint.crc64nvme,
                    checksum: Some(checksum),
                    size: fingerprint.size,
                    properties: put.properties,
                    ..blank(&bucket.name, &put.key, generation)
                };
                let placed = place_in(tx, &bucket, &put.condition, put.how, object)?;
                keep(written);
                Ok::<_, Error>(placed)
            })
            .await?;
        self.blobs.remove(&free);
        Ok(stored)
    }

    /// Makes an object out of another, without moving its bytes, and emits [`Event::Created`]. Answers it and its source.
    pub async fn copy(&self, call: &Call, copy: Copy) -> Result<(Stored, Object), Error> {
        check_key(&copy.key)?;
        if let Some(properties) = &copy.headers_and_metadata {
            check_properties(properties)?;
        }
        check_tags(copy.tags.as_ref().unwrap_or(&Tags::new()))?;
        let unchanged = copy.headers_and_metadata.is_none() && copy.tags.is_none() && copy.algorithm.is_none();
        loop {
            let (source, _) = self.db.read(call, |tx| existing(tx, &copy.from)).await?;
            check_source(&copy.wanted, &source)?;
            let onto_itself = source.bucket == copy.bucket && source.key == copy.key && copy.from.which == Which::Latest;
            if onto_itself && unchanged {
                return Err(Error::CopyOntoItself);
            }
            let algorithm = copy.algorithm.or(source.checksum.as_ref().map(|checksum| checksum.algorithm)).unwrap_or(Algorithm::Crc64Nvme);
            let print = match known_fingerprint(&source, algorithm) {
                Some(print) => print,
                None => self.fingerprint(call, &source, Range::All, algorithm).await?,
            };
            let copy = copy.clone();
            let done = self
                .db
                .write(call, move |tx| {
                    let bucket = bucket(tx, &copy.bucket)?;
                    // The source may have been replaced since it was looked at.
                    match store::version(tx, &source.bucket, &source.key, &copy.from.which)? {
                        Some(now) if now.generation == source.generation => {}
                        _ => return Ok(None),
                    }
                    let generation = next_generation(tx)?;
                    let slices = store::slices(tx, source.generation, 0, source.size)?;
                    store::add_pieces(tx, generation, &slices)?;
                    let mut properties = copy.headers_and_metadata.unwrap_or_else(|| source.properties.clone());
                    properties.tags = copy.tags.unwrap_or_else(|| source.properties.tags.clone());
                    let object = Object {
                        etag: hex::encode(print.md5),
                        md5: Some(print.md5.to_vec()),
                        crc32c: print.crc32c,
                        crc64nvme: print.crc64nvme,
                        checksum: whole(&print, algorithm),
                        size: source.size,
                        properties,
                        ..blank(&bucket.name, &copy.key, generation)
                    };
                    let placed = place_in(tx, &bucket, &copy.condition, How::Copy, object)?;
                    Ok::<_, Error>(Some((placed, source)))
                })
                .await?;
            if let Some(((stored, free), source)) = done {
                self.blobs.remove(&free);
                return Ok((stored, source));
            }
        }
    }

    /// Deletes objects of one bucket, all in one transaction, and emits [`Event::Deleted`] for each that was there.
    /// What is not there is deleted already. The answers are in order; a condition that does not hold fails its own alone.
    pub async fn delete(&self, call: &Call, bucket_name: &str, deletions: Vec<Deletion>) -> Result<Vec<Result<Removed, Error>>, Error> {
        let bucket_name = bucket_name.to_owned();
        let (removed, free) = self
            .db
            .write(call, move |tx| {
                let bucket = bucket(tx, &bucket_name)?;
                let mut free = Vec::new();
                let mut removed = Vec::with_capacity(deletions.len());
                tx.count(Unit::ObjectDeletes, 1);
                for deletion in deletions {
                    match delete_in(tx, &bucket, deletion, false, &mut free) {
                        Err(Error::Store(error)) => return Err(error.into()),
                        result => removed.push(result),
                    }
                }
                Ok::<_, Error>((removed, free))
            })
            .await?;
        self.blobs.remove(&free);
        Ok(removed)
    }

    /// Replaces the tags of a version.
    pub async fn set_tags(&self, call: &Call, name: Name, tags: Tags) -> Result<Stored, Error> {
        check_tags(&tags)?;
        self.db
            .write(call, move |tx| {
                let (mut object, versioning) = existing(tx, &name)?;
                tx.count(Unit::ObjectWrites, 1);
                object.properties.tags = tags;
                store::update(tx, &mut object)?;
                Ok(Stored { object, versioning })
            })
            .await
    }

    /// Takes bytes in and checks what their sender claims of them.
    pub(super) async fn take_in(&self, content: Content) -> Result<Taken, Error> {
        let Content { stream, claims } = content;
        if let Some(bytes) = claims.length.filter(|length| *length > PUT_BYTES_MAX) {
            return Err(Error::TooLarge { bytes_max: PUT_BYTES_MAX, bytes });
        }
        let hasher = Hasher::new(claims.algorithm, claims.payload_sha256.is_some());
        let bounds = Bounds { small_max: ROW_BYTES_MAX, bytes_max: PUT_BYTES_MAX };
        let (written, hasher) = self.blobs.write(stream, bounds, hasher).await.map_err(|error| match error {
            WriteError::Source(error) => Error::Broken(error),
            WriteError::TooLarge { bytes_max } => Error::TooLarge { bytes_max, bytes: bytes_max.saturating_add(1) },
            WriteError::Store(error) => error.into(),
        })?;
        let fingerprint = hasher.finish();
        let algorithm = verify(claims, &fingerprint)?;
        let checksum = whole(&fingerprint, algorithm).expect("the hasher works out what it is asked for");
        Ok(Taken { written, fingerprint, checksum })
    }

    /// Works out the fingerprint of stored bytes by reading them.
    pub(super) async fn fingerprint(&self, call: &Call, object: &Object, range: Range, algorithm: Algorithm) -> Result<Fingerprint, Error> {
        let which = object.version.clone().map_or(Which::Unversioned, Which::Version);
        let name = Name { bucket: object.bucket.clone(), key: object.key.clone(), which };
        let (_, stream) = self.open(call, &name, &Wanted::default(), |_| range).await?;
        let mut stream = stream;
        let mut hasher = Hasher::new(Some(algorithm), false);
        while let Some(chunk) = futures_util::StreamExt::next(&mut stream).await {
            crate::store::blobs::Tap::update(&mut hasher, &chunk.map_err(Error::Broken)?);
        }
        Ok(hasher.finish())
    }
}

/// What is claimed of the bytes must be so. Answers the algorithm of the checksum to keep.
fn verify(claims: Claims, print: &Fingerprint) -> Result<Algorithm, Error> {
    if let Some(wanted) = claims.length.filter(|length| *length != print.size) {
        return Err(Error::Incomplete { wanted, found: print.size });
    }
    if claims.md5.is_some_and(|md5| md5 != print.md5) {
        return Err(Error::Mismatch(Proof::Md5));
    }
    if claims.payload_sha256.is_some_and(|sha| print.payload_sha256.is_none_or(|found| sha != found)) {
        return Err(Error::Mismatch(Proof::Payload));
    }
    let algorithm = claims.algorithm.unwrap_or(Algorithm::Crc64Nvme);
    let claimed = match claims.checksum {
        Claim::None => None,
        Claim::Given(value) => Some(value),
        Claim::Later(ask) => ask(),
    };
    if claimed.is_some() && claimed != print.checksum(algorithm) {
        return Err(Error::Mismatch(Proof::Checksum(algorithm)));
    }
    Ok(algorithm)
}

/// The checksum of the whole.
pub(super) fn whole(print: &Fingerprint, algorithm: Algorithm) -> Option<Checksum> {
    print.checksum(algorithm).map(|value| Checksum { algorithm, value, of_parts: None })
}

/// The fingerprint of an object as far as it was kept; `None` where its bytes must be read for it.
pub(super) fn known_fingerprint(object: &Object, algorithm: Algorithm) -> Option<Fingerprint> {
    let kept = object
        .checksum
        .as_ref()
        .filter(|checksum| checksum.of_parts.is_none())
        .map(|checksum| (checksum.algorithm, checksum.value.clone()));
    let md5 = object.md5.as_deref()?.try_into().ok()?;
    let print =
        Fingerprint { size: object.size, md5, crc32c: object.crc32c, crc64nvme: object.crc64nvme, asked: kept, payload_sha256: None };
    print.checksum(algorithm).is_some().then_some(print)
}

/// The conditions on the source of a copy: all failures are of the same kind.
pub(super) fn check_source(wanted: &Wanted, source: &Object) -> Result<(), Error> {
    check(wanted, source).map_err(|error| match error {
        Error::NotModified(_) if wanted.differs.is_some() => Error::Precondition(Precondition::Differs),
        Error::NotModified(_) => Error::Precondition(Precondition::ModifiedSince),
        other => other,
    })
}

pub(super) fn blank(bucket: &str, key: &str, generation: i64) -> Object {
    Object {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        generation,
        metageneration: 1,
        version: None,
        marker: false,
        size: 0,
        etag: String::new(),
        md5: None,
        crc32c: 0,
        crc64nvme: 0,
        checksum: None,
        created: Time::default(),
        updated: Time::default(),
        properties: Properties::default(),
        parts: Vec::<PartSpan>::new(),
    }
}

pub(super) fn slices_of(written: &Written, size: u64) -> Vec<Slice> {
    match written {
        Written::Small(bytes) if bytes.is_empty() => Vec::new(),
        Written::Small(bytes) => vec![Slice::Bytes(Bytes::clone(bytes))],
        Written::File(draft) => vec![Slice::Blob { id: draft.id().to_owned(), skip: 0, length: size }],
    }
}

pub(super) fn keep(written: Written) {
    if let Written::File(draft) = written {
        draft.keep();
    }
}

/// Makes `object`, whose bytes are stored under its generation already, the newest version of its key.
/// Answers it with the files that nothing names any more.
pub(super) fn place_in(
    tx: &mut Tx<'_>,
    bucket: &Bucket,
    condition: &Condition,
    how: How,
    mut object: Object,
) -> Result<(Stored, Vec<String>), Error> {
    // A request whose condition does not hold is billed too. Source: "Amazon S3 pricing", and "Error responses" of what is not.
    tx.count_anyway(Unit::ObjectWrites, 1);
    let before = newest(tx, &object.bucket, &object.key)?;
    meets(condition, before.as_ref(), &object.key)?;
    object.created = tx.now();
    object.updated = tx.now();
    let replaced = before.as_ref().filter(|before| !before.marker).map(Snapshot::of);
    let free = make_room(tx, bucket, before, &mut object)?;
    store::insert(tx, &object)?;
    if let Some(replaced) = replaced {
        emit(tx, &bucket.name, || Event::Replaced { object: replaced, kept: bucket.versioning == Versioning::On })?;
    }
    emit(tx, &bucket.name, || {
        Event::Created(Created {
            how,
            key: object.key.clone(),
            size: object.size,
            etag: object.etag.clone(),
            version: object.version.clone(),
            generation: object.generation,
            content_type: object.properties.headers.content_type.clone(),
            object: Some(Box::new(Snapshot::of(&object))),
        })
    })?;
    Ok((Stored { object, versioning: bucket.versioning }, free))
}

/// Names the new version and forgets the one that it replaces, if any.
fn make_room(tx: &mut Tx<'_>, bucket: &Bucket, before: Option<Object>, object: &mut Object) -> Result<Vec<String>, Error> {
    if bucket.versioning == Versioning::On {
        object.version = Some(tx.ids().hex(16));
        return Ok(Vec::new());
    }
    let replaced = match before {
        Some(before) if before.version.is_some() => store::version(tx, &object.bucket, &object.key, &Which::Unversioned)?,
        before => before,
    };
    Ok(replaced.map(|replaced| store::forget(tx, &replaced)).transpose()?.unwrap_or_default())
}

pub(super) fn meets(condition: &Condition, before: Option<&Object>, key: &str) -> Result<(), Error> {
    let there = before.filter(|object| !object.marker);
    match (condition, there) {
        (Condition::Always, _) | (Condition::Absent, None) | (Condition::Present, Some(_)) => Ok(()),
        (Condition::Absent, Some(_)) => Err(Error::Precondition(Precondition::Differs)),
        (Condition::Tag(tag), Some(object)) if *tag == object.etag => Ok(()),
        (Condition::Tag(_), Some(_)) => Err(Error::Precondition(Precondition::Matches)),
        (Condition::Tag(_) | Condition::Present, None) => Err(Error::NoSuchKey { key: key.to_owned() }),
        (Condition::Numbers(numbers), there) if numbers.hold(there) => Ok(()),
        (Condition::Numbers(_), _) => Err(Error::Precondition(Precondition::Numbers)),
    }
}

impl Numbers {
    /// Whether they are those of what is there.
    fn hold(&self, there: Option<&Object>) -> bool {
        let (generation, metageneration) = there.map_or((0, 0), |object| (object.generation, object.metageneration));
        self.generation.is_none_or(|wanted| wanted == generation)
            && self.not_generation.is_none_or(|other| other != generation)
            && self.metageneration.is_none_or(|wanted| wanted == metageneration)
            && self.not_metageneration.is_none_or(|other| other != metageneration)
    }
}

/// Deletes an object; `expired` says that nobody asked for it but a rule of the bucket.
pub(super) fn delete_in(
    tx: &mut Tx<'_>,
    bucket: &Bucket,
    deletion: Deletion,
    expired: bool,
    free: &mut Vec<String>,
) -> Result<Removed, Error> {
    let Deletion { key, which, condition } = deletion;
    let before = newest(tx, &bucket.name, &key)?;
    meets(&condition, before.as_ref(), &key)?;
    let versioning = bucket.versioning;
    if which == Which::Latest && versioning != Versioning::Off {
        let gone = before.as_ref().filter(|before| !before.marker).map(|before| Box::new(Snapshot::of(before)));
        let mut marker = Object { marker: true, created: tx.now(), updated: tx.now(), ..blank(&bucket.name, &key, next_generation(tx)?) };
        free.extend(make_room(tx, bucket, before, &mut marker)?);
        store::insert(tx, &marker)?;
        let (version, generation) = (marker.version, marker.generation);
        let deleted =
            || Event::Deleted(Deleted { key: key.clone(), version: version.clone(), marker: true, expired, generation, object: gone });
        emit(tx, &bucket.name, deleted)?;
        return Ok(Removed { key, version, marker: true, versioning });
    }
    let gone = match which {
        Which::Latest => before,
        which => store::version(tx, &bucket.name, &key, &which)?,
    };
    let Some(gone) = gone else { return Ok(Removed { key, version: None, marker: false, versioning }) };
    free.extend(store::forget(tx, &gone)?);
    let generation = next_generation(tx)?;
    let deleted = || {
        let object = Some(Box::new(Snapshot::of(&gone))).filter(|_| !gone.marker);
        Event::Deleted(Deleted { key: key.clone(), version: gone.version.clone(), marker: false, expired, generation, object })
    };
    emit(tx, &bucket.name, deleted)?;
    Ok(Removed { key, version: gone.version, marker: gone.marker, versioning })
}

pub(super) fn check_key(key: &str) -> Result<(), Error> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX { Err(Error::BadKey(key.len())) } else { Ok(()) }
}

pub(super) fn check_properties(properties: &Properties) -> Result<(), Error> {
    let bytes = properties.metadata.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > METADATA_BYTES_MAX {
        return Err(Error::MetadataTooLarge(bytes));
    }
    check_tags(&properties.tags)
}

pub(super) fn check_tags(tags: &Tags) -> Result<(), Error> {
    if tags.len() > TAGS_MAX {
        return Err(Error::BadTags("Object tags cannot be greater than 10"));
    }
    for (name, value) in tags {
        if name.is_empty() || name.chars().count() > 128 {
            return Err(Error::BadTags("The TagKey you have provided is invalid"));
        }
        if value.chars().count() > 256 {
            return Err(Error::BadTags("The TagValue you have provided is invalid"));
        }
    }
    Ok(())
}
