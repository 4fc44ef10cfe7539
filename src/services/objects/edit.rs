//! Changing what is said of an object, and making one out of several.

use super::digest::combine;
use super::event::{Event, Snapshot, emit};
use super::read::{check, existing};
use super::store::{self, bucket, next_generation};
use super::write::{blank, check_key, check_properties, meets, place_in};
use super::{
    Algorithm, COMPONENTS_MAX, Checksum, Condition, Error, How, Name, Numbers, Object, Objects, PartSpan, Properties, Stored, Wanted, Which,
};
use crate::base::{Call, Unit};

/// A change of what is said of an object.
pub struct Edit {
    pub name: Name,
    pub condition: Condition,
    /// Changes it, within the transaction; false where it leaves all as it is.
    pub change: Box<dyn FnOnce(&mut Properties) -> bool + Send>,
    /// Nobody is told of it.
    pub silent: bool,
}

/// An object to make out of others, one after another.
#[derive(Clone, Debug)]
pub struct Compose {
    pub bucket: String,
    pub key: String,
    /// Of the same bucket: key, version, and what must hold of it.
    pub sources: Vec<(String, Which, Numbers)>,
    pub properties: Properties,
    pub condition: Condition,
}

impl Objects {
    /// Changes headers, metadata and grants of a version, and emits [`Event::Updated`].
    ///
    /// Fails with [`Error::NoSuchKey`] and its like, [`Error::Precondition`], [`Error::MetadataTooLarge`].
    pub async fn edit(&self, call: &Call, edit: Edit) -> Result<Stored, Error> {
        self.db
            .write(call, move |tx| {
                let (mut object, versioning) = existing(tx, &edit.name)?;
                tx.count(Unit::ObjectWrites, 1);
                meets(&edit.condition, Some(&object), &object.key)?;
                if !(edit.change)(&mut object.properties) {
                    return Ok(Stored { object, versioning });
                }
                check_properties(&object.properties)?;
                store::update(tx, &mut object)?;
                if !edit.silent {
                    emit(tx, &object.bucket, || Event::Updated(Snapshot::of(&object)))?;
                }
                Ok(Stored { object, versioning })
            })
            .await
    }

    /// Makes an object out of others without moving their bytes, and emits [`Event::Created`].
    ///
    /// Fails with [`Error::BadComponents`], and with [`Error::NoSuchKey`] and its like of any of them.
    pub async fn compose(&self, call: &Call, compose: Compose) -> Result<Stored, Error> {
        check_key(&compose.key)?;
        check_properties(&compose.properties)?;
        if compose.sources.is_empty() || compose.sources.len() > COMPONENTS_MAX {
            return Err(Error::BadComponents);
        }
        let (stored, free) = self
            .db
            .write(call, move |tx| {
                let bucket = bucket(tx, &compose.bucket)?;
                let generation = next_generation(tx)?;
                let mut sources: Vec<Object> = Vec::with_capacity(compose.sources.len());
                let mut pieces = 0;
                for (key, which, numbers) in compose.sources {
                    let (source, _) = existing(tx, &Name { bucket: bucket.name.clone(), key, which })?;
                    check(&Wanted { numbers, ..Wanted::default() }, &source)?;
                    let slices = store::slices(tx, source.generation, 0, source.size)?;
                    pieces = store::append_pieces(tx, generation, pieces, &slices)?;
                    sources.push(source);
                }
                let object = Object { properties: compose.properties, ..of_sources(&bucket.name, &compose.key, generation, &sources) };
                place_in(tx, &bucket, &compose.condition, How::Put, object)
            })
            .await?;
        self.blobs.remove(&free);
        Ok(stored)
    }
}

/// What follows of a whole from its parts.
fn of_sources(bucket: &str, key: &str, generation: i64, sources: &[Object]) -> Object {
    let whole = |algorithm: Algorithm, value: fn(&Object) -> Vec<u8>| {
        let values: Vec<(Vec<u8>, u64)> = sources.iter().map(|source| (value(source), source.size)).collect();
        combine(algorithm, values.iter().map(|(value, size)| (value.as_slice(), *size))).unwrap_or_default()
    };
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let crc32c = whole(Algorithm::Crc32c, |source| source.crc32c.to_be_bytes().to_vec());
    let crc64nvme = whole(Algorithm::Crc64Nvme, |source| source.crc64nvme.to_be_bytes().to_vec());
    let parts: Vec<PartSpan> = (1..)
        .zip(sources.iter().flat_map(|source| match source.parts.as_slice() {
            [] => vec![source.size],
            parts => parts.iter().map(|part| part.size).collect(),
        }))
        .map(|(number, size)| PartSpan { number, size, checksum: None })
        .collect();
    Object {
        etag: format!("{}-{}", hex::encode(&crc64nvme).repeat(2), parts.len()),
        crc32c: number(&crc32c) as u32,
        crc64nvme: number(&crc64nvme),
        checksum: Some(Checksum { algorithm: Algorithm::Crc64Nvme, value: crc64nvme, of_parts: None }),
        size: sources.iter().map(|source| source.size).sum(),
        parts,
        ..blank(bucket, key, generation)
    }
}
