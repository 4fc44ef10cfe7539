//! Objects that arrive in parts.

use rusqlite::Row;

use super::digest::{combine, compose, tag_of_parts};
use super::list::{common, successor};
use super::read::{existing, span};
use super::store::{self, bucket, next_generation};
use super::write::{Taken, blank, check_key, check_properties, check_source, keep, known_fingerprint, place_in, slices_of};
use super::{
    Algorithm, Checksum, Condition, Content, Error, How, Name, Object, Objects, PART_BYTES_MIN, PARTS_MAX, PartSpan, Proof, Properties,
    Range, Stored, Wanted,
};
use crate::base::{Call, Time, Unit};
use crate::store::Tx;

/// An upload to begin.
#[derive(Clone, Debug)]
pub struct NewUpload {
    pub bucket: String,
    pub key: String,
    pub properties: Properties,
    /// The checksum to keep; CRC64NVME of the whole where none is named.
    pub algorithm: Option<Algorithm>,
    /// Keep the checksum of the parts' checksums rather than that of the whole; by the algorithm's custom where unsaid.
    pub composite: Option<bool>,
}

/// An upload under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub started: Time,
    pub algorithm: Algorithm,
    pub composite: bool,
    /// The algorithm was named when it began.
    pub asked: bool,
    pub properties: Properties,
}

/// Which upload is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadName {
    pub bucket: String,
    pub key: String,
    pub id: String,
}

/// Which part is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartName {
    pub upload: UploadName,
    /// From 1 to [`PARTS_MAX`].
    pub number: u32,
}

/// A part to store, in place of one of the same number.
pub struct PutPart {
    pub part: PartName,
    pub content: Content,
}

/// A part to make out of an object.
#[derive(Clone, Debug)]
pub struct CopyPart {
    pub part: PartName,
    pub from: Name,
    pub wanted: Wanted,
    /// Must lie within the source.
    pub range: Range,
}

/// A part that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    pub number: u32,
    pub size: u64,
    pub md5: Vec<u8>,
    /// By the upload's algorithm.
    pub checksum: Checksum,
    pub modified: Time,
    crc32c: u32,
    crc64nvme: u64,
    owner: i64,
}

impl Part {
    /// Its tag, without quotes.
    pub fn etag(&self) -> String {
        hex::encode(&self.md5)
    }
}

/// Some of the parts of an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartPage {
    pub upload: Upload,
    pub parts: Vec<Part>,
    /// There are more, after the last of these.
    pub more: bool,
}

/// Which uploads to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadList {
    pub bucket: String,
    pub prefix: String,
    pub delimiter: Option<String>,
    /// Only uploads of later keys than this, and those of the same key with a greater identifier than `after_id`.
    pub after_key: Option<String>,
    pub after_id: Option<String>,
    pub max: usize,
}

/// Some of the uploads of a bucket, by key and identifier.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UploadPage {
    pub uploads: Vec<Upload>,
    pub prefixes: Vec<String>,
    /// There are more: after this key or prefix, and this identifier.
    pub next: Option<(String, String)>,
}

/// An upload to make an object of.
#[derive(Clone, Debug)]
pub struct Complete {
    pub upload: UploadName,
    /// In rising order; others are dropped.
    pub parts: Vec<Listed>,
    pub condition: Condition,
    /// The checksum of the object as its sender has it.
    pub checksum: Option<(Algorithm, Vec<u8>)>,
    /// Its size in bytes as its sender has it.
    pub size: Option<u64>,
}

/// A part as its sender knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: u32,
    /// Without quotes.
    pub etag: String,
    pub checksum: Option<(Algorithm, Vec<u8>)>,
}

const UPLOAD: &str = "id, bucket, key, started, algorithm, composite, asked, properties";
const PART: &str = "number, size, md5, checksum, modified, crc32c, crc64nvme, owner";

impl Objects {
    /// Begins an upload. Fails with [`Error::NoSuchBucket`].
    pub async fn start_upload(&self, call: &Call, new: NewUpload) -> Result<Upload, Error> {
        check_key(&new.key)?;
        check_properties(&new.properties)?;
        self.db
            .write(call, move |tx| {
                bucket(tx, &new.bucket)?;
                tx.count(Unit::ObjectWrites, 1);
                let algorithm = new.algorithm.unwrap_or(Algorithm::Crc64Nvme);
                let upload = Upload {
                    id: tx.ids().hex(32),
                    bucket: new.bucket,
                    key: new.key,
                    started: tx.now(),
                    algorithm,
                    composite: new.composite.unwrap_or(algorithm != Algorithm::Crc64Nvme),
                    asked: new.algorithm.is_some(),
                    properties: new.properties,
                };
                tx.execute(
                    &format!("INSERT INTO objects_uploads ({UPLOAD}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
                    (
                        &upload.id,
                        &upload.bucket,
                        &upload.key,
                        upload.started.millis(),
                        serde_json::to_string(&algorithm).expect("plain data"),
                        upload.composite,
                        upload.asked,
                        serde_json::to_string(&upload.properties).expect("plain data"),
                    ),
                )?;
                Ok(upload)
            })
            .await
    }

    /// An upload under way. Fails with [`Error::NoSuchUpload`].
    pub async fn upload(&self, call: &Call, name: &UploadName) -> Result<Upload, Error> {
        self.db.read(call, |tx| upload(tx, name)).await
    }

    /// Stores a part, in place of one of the same number.
    pub async fn put_part(&self, call: &Call, put: PutPart) -> Result<Part, Error> {
        let PutPart { part: name, mut content } = put;
        check_number(name.number)?;
        let upload = self.upload(call, &name.upload).await?;
        match content.claims.algorithm {
            Some(algorithm) if upload.asked && algorithm != upload.algorithm => {
                return Err(Error::WrongAlgorithm { wanted: upload.algorithm });
            }
            Some(_) => {}
            None => content.claims.algorithm = Some(upload.algorithm),
        }
        let taken = self.take_in(content).await?;
        let (part, free) = self
            .db
            .write(call, move |tx| {
                let upload = self::upload(tx, &name.upload)?;
                let Taken { written, fingerprint, .. } = taken;
                let value = fingerprint.checksum(upload.algorithm).ok_or(Error::WrongAlgorithm { wanted: upload.algorithm })?;
                let part = Part {
                    number: name.number,
                    size: fingerprint.size,
                    md5: fingerprint.md5.to_vec(),
                    checksum: Checksum { algorithm: upload.algorithm, value, of_parts: None },
                    modified: tx.now(),
                    crc32c: fingerprint.crc32c,
                    crc64nvme: fingerprint.crc64nvme,
                    owner: next_generation(tx)?,
                };
                store::add_pieces(tx, part.owner, &slices_of(&written, part.size))?;
                let free = insert_part(tx, &upload.id, &part)?;
                keep(written);
                Ok::<_, Error>((part, free))
            })
            .await?;
        self.blobs.remove(&free);
        Ok(part)
    }

    /// Makes a part out of an object, without moving its bytes. Answers it and the source.
    pub async fn copy_part(&self, call: &Call, copy: CopyPart) -> Result<(Part, Object), Error> {
        check_number(copy.part.number)?;
        let upload = self.upload(call, &copy.part.upload).await?;
        loop {
            let (source, _) = self.db.read(call, |tx| existing(tx, &copy.from)).await?;
            check_source(&copy.wanted, &source)?;
            let (start, length) = span(&copy.range, &source)?;
            if matches!(copy.range, Range::From { last: Some(last), .. } if last >= source.size) {
                return Err(Error::BadRange { size: source.size });
            }
            let known = if length == source.size { known_fingerprint(&source, upload.algorithm) } else { None };
            let print = match known {
                Some(print) => print,
                None => self.fingerprint(call, &source, copy.range, upload.algorithm).await?,
            };
            let (name, from, algorithm) = (copy.part.clone(), copy.from.clone(), upload.algorithm);
            let done = self
                .db
                .write(call, move |tx| {
                    let upload = self::upload(tx, &name.upload)?;
                    match store::version(tx, &source.bucket, &source.key, &from.which)? {
                        Some(now) if now.generation == source.generation => {}
                        _ => return Ok(None),
                    }
                    let value = print.checksum(algorithm).ok_or(Error::WrongAlgorithm { wanted: algorithm })?;
                    let part = Part {
                        number: name.number,
                        size: length,
                        md5: print.md5.to_vec(),
                        checksum: Checksum { algorithm, value, of_parts: None },
                        modified: tx.now(),
                        crc32c: print.crc32c,
                        crc64nvme: print.crc64nvme,
                        owner: next_generation(tx)?,
                    };
                    let slices = store::slices(tx, source.generation, start, length)?;
                    store::add_pieces(tx, part.owner, &slices)?;
                    let free = insert_part(tx, &upload.id, &part)?;
                    Ok::<_, Error>(Some((part, source, free)))
                })
                .await?;
            if let Some((part, source, free)) = done {
                self.blobs.remove(&free);
                return Ok((part, source));
            }
        }
    }

    /// Up to `max` parts of an upload with numbers greater than `after`.
    pub async fn parts(&self, call: &Call, name: &UploadName, after: u32, max: usize) -> Result<PartPage, Error> {
        self.db
            .read(call, |tx| {
                let upload = upload(tx, name)?;
                tx.count(Unit::ObjectWrites, 1);
                let sql = format!("SELECT {PART} FROM objects_parts WHERE upload = ?1 AND number > ?2 ORDER BY number LIMIT ?3");
                let mut parts = tx.rows(&sql, (&upload.id, after, max as i64 + 1), |row| part(row, upload.algorithm))?;
                let more = parts.len() > max;
                parts.truncate(max);
                Ok(PartPage { upload, parts, more })
            })
            .await
    }

    /// The uploads under way in a bucket.
    pub async fn uploads(&self, call: &Call, list: &UploadList) -> Result<UploadPage, Error> {
        self.db
            .read(call, |tx| {
                bucket(tx, &list.bucket)?;
                tx.count(Unit::ObjectWrites, 1);
                list_uploads(tx, list)
            })
            .await
    }

    /// Makes an object of an upload's parts, without moving their bytes, and emits [`super::Event::Created`].
    ///
    /// Fails with [`Error::BadPart`], [`Error::BadPartOrder`], [`Error::PartTooSmall`], [`Error::Mismatch`], …; then the upload
    /// is still there.
    pub async fn complete(&self, call: &Call, complete: Complete) -> Result<Stored, Error> {
        let (stored, free) = self.db.write(call, move |tx| complete_in(tx, complete)).await?;
        self.blobs.remove(&free);
        Ok(stored)
    }

    /// Gives up an upload and its parts.
    pub async fn abort(&self, call: &Call, name: UploadName) -> Result<(), Error> {
        let free = self
            .db
            .write(call, move |tx| {
                let upload = upload(tx, &name)?;
                abort_in(tx, &upload.id)
            })
            .await?;
        self.blobs.remove(&free);
        Ok(())
    }
}

fn check_number(number: u32) -> Result<(), Error> {
    if (1..=PARTS_MAX).contains(&number) { Ok(()) } else { Err(Error::BadPartNumber) }
}

fn upload(tx: &Tx<'_>, name: &UploadName) -> Result<Upload, Error> {
    bucket(tx, &name.bucket)?;
    let sql = format!("SELECT {UPLOAD} FROM objects_uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3");
    tx.row(&sql, (&name.id, &name.bucket, &name.key), read_upload)?.ok_or_else(|| Error::NoSuchUpload(name.id.clone()))
}

fn read_upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let json = |index: usize, error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into())
    };
    Ok(Upload {
        id: row.get(0)?,
        bucket: row.get(1)?,
        key: row.get(2)?,
        started: Time(row.get(3)?),
        algorithm: serde_json::from_str(&row.get::<_, String>(4)?).map_err(|error| json(4, error))?,
        composite: row.get(5)?,
        asked: row.get(6)?,
        properties: serde_json::from_str(&row.get::<_, String>(7)?).map_err(|error| json(7, error))?,
    })
}

fn part(row: &Row<'_>, algorithm: Algorithm) -> rusqlite::Result<Part> {
    Ok(Part {
        number: row.get(0)?,
        size: row.get::<_, i64>(1)? as u64,
        md5: row.get(2)?,
        checksum: Checksum { algorithm, value: row.get(3)?, of_parts: None },
        modified: Time(row.get(4)?),
        crc32c: row.get(5)?,
        crc64nvme: row.get::<_, i64>(6)? as u64,
        owner: row.get(7)?,
    })
}

/// Adds a part, forgetting one of the same number; answers the files that nothing names any more.
fn insert_part(tx: &mut Tx<'_>, upload: &str, part: &Part) -> Result<Vec<String>, Error> {
    let replaced: Option<(i64, i64)> =
        tx.row("SELECT owner, size FROM objects_parts WHERE upload = ?1 AND number = ?2", (upload, part.number), |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let free = replaced.map(|(owner, _)| store::forget_pieces(tx, owner)).transpose()?.unwrap_or_default();
    tx.keep(Unit::ObjectBytesStored, part.size as i64 - replaced.map_or(0, |(_, size)| size));
    tx.execute(
        &format!("INSERT OR REPLACE INTO objects_parts (upload, {PART}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"),
        (
            upload,
            part.number,
            part.size as i64,
            &part.md5,
            &part.checksum.value,
            part.modified.millis(),
            part.crc32c,
            part.crc64nvme as i64,
            part.owner,
        ),
    )?;
    tx.count(Unit::ObjectWrites, 1);
    Ok(free)
}

/// Forgets an upload and its parts; answers the files that nothing names any more.
pub(super) fn abort_in(tx: &mut Tx<'_>, upload: &str) -> Result<Vec<String>, Error> {
    let parts: Vec<(i64, i64)> =
        tx.rows("SELECT owner, size FROM objects_parts WHERE upload = ?1", [upload], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut free = Vec::new();
    for (owner, size) in parts {
        free.extend(store::forget_pieces(tx, owner)?);
        tx.keep(Unit::ObjectBytesStored, -size);
    }
    tx.execute("DELETE FROM objects_parts WHERE upload = ?1", [upload])?;
    tx.execute("DELETE FROM objects_uploads WHERE id = ?1", [upload])?;
    Ok(free)
}

fn complete_in(tx: &mut Tx<'_>, complete: Complete) -> Result<(Stored, Vec<String>), Error> {
    let upload = upload(tx, &complete.upload)?;
    let bucket = bucket(tx, &upload.bucket)?;
    let parts = chosen(tx, &upload, &complete.parts)?;
    let size = parts.iter().map(|part| part.size).sum();
    if complete.size.is_some_and(|wanted| wanted != size) {
        return Err(Error::Mismatch(Proof::Size));
    }
    let checksum = checksum_of(&upload, &parts);
    if let Some((algorithm, value)) = &complete.checksum {
        if *algorithm != upload.algorithm {
            return Err(Error::WrongAlgorithm { wanted: upload.algorithm });
        }
        if *value != checksum.value {
            return Err(Error::Mismatch(Proof::Checksum(*algorithm)));
        }
    }
    let generation = next_generation(tx)?;
    let mut pieces = 0;
    for part in &parts {
        pieces = store::move_pieces(tx, part.owner, generation, pieces)?;
    }
    let whole = |algorithm: Algorithm, value: fn(&Part) -> u64| {
        let values: Vec<(Vec<u8>, u64)> = parts.iter().map(|part| (value(part).to_be_bytes().to_vec(), part.size)).collect();
        let combined = combine(algorithm, values.iter().map(|(value, size)| (value.as_slice(), *size))).unwrap_or_default();
        combined.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte))
    };
    let object = Object {
        etag: tag_of_parts(parts.iter().map(|part| part.md5.as_slice())),
        crc32c: whole(Algorithm::Crc32c, |part| u64::from(part.crc32c)) as u32,
        crc64nvme: whole(Algorithm::Crc64Nvme, |part| part.crc64nvme),
        checksum: Some(checksum),
        size,
        parts: parts
            .iter()
            .map(|part| PartSpan { number: part.number, size: part.size, checksum: upload.composite.then(|| part.checksum.clone()) })
            .collect(),
        properties: upload.properties,
        ..blank(&upload.bucket, &upload.key, generation)
    };
    let (stored, mut free) = place_in(tx, &bucket, &complete.condition, How::Multipart, object)?;
    free.extend(abort_in(tx, &upload.id)?);
    Ok((stored, free))
}

/// The parts that are listed, each as its sender knows it.
fn chosen(tx: &Tx<'_>, upload: &Upload, listed: &[Listed]) -> Result<Vec<Part>, Error> {
    if listed.is_empty() || listed.windows(2).any(|pair| pair[0].number >= pair[1].number) {
        return Err(Error::BadPartOrder);
    }
    let sql = format!("SELECT {PART} FROM objects_parts WHERE upload = ?1 AND number = ?2");
    let mut parts = Vec::with_capacity(listed.len().min(PARTS_MAX as usize));
    for (index, listed) in listed.iter().enumerate() {
        let found = tx.row(&sql, (&upload.id, listed.number), |row| part(row, upload.algorithm))?;
        let part = found.filter(|part| part.etag() == listed.etag).ok_or(Error::BadPart(listed.number))?;
        if listed.checksum.as_ref().is_some_and(|(algorithm, value)| *algorithm == upload.algorithm && *value != part.checksum.value) {
            return Err(Error::BadPart(listed.number));
        }
        parts.push(part);
        if index > 0
            && let Some(before) = parts.get(index - 1)
            && before.size < PART_BYTES_MIN
        {
            return Err(Error::PartTooSmall { number: before.number, size: before.size, etag: before.etag() });
        }
    }
    Ok(parts)
}

fn checksum_of(upload: &Upload, parts: &[Part]) -> Checksum {
    let combined = if upload.composite {
        None
    } else {
        combine(upload.algorithm, parts.iter().map(|part| (part.checksum.value.as_slice(), part.size)))
    };
    match combined {
        Some(value) => Checksum { algorithm: upload.algorithm, value, of_parts: None },
        None => Checksum {
            algorithm: upload.algorithm,
            value: compose(upload.algorithm, parts.iter().map(|part| part.checksum.value.as_slice())),
            of_parts: Some(parts.len() as u32),
        },
    }
}

fn list_uploads(tx: &Tx<'_>, list: &UploadList) -> Result<UploadPage, Error> {
    let sql = format!("SELECT {UPLOAD} FROM objects_uploads WHERE bucket = ?1 AND (key, id) >= (?2, ?3) ORDER BY key, id");
    let mut statement = tx.statement(&sql)?;
    let mut page = UploadPage::default();
    let after = list.after_key.clone().map(|key| (key, list.after_id.clone()));
    let mut from = after.as_ref().map_or(list.prefix.as_str(), |(key, _)| key).max(&list.prefix).to_owned();
    let mut last = None;
    'search: loop {
        let mut rows = statement.query((&list.bucket, &from, "")).map_err(crate::store::Error::from)?;
        while let Some(row) = rows.next().map_err(crate::store::Error::from)? {
            let upload = read_upload(row).map_err(crate::store::Error::from)?;
            if !upload.key.starts_with(&list.prefix) {
                return Ok(page);
            }
            let full = page.uploads.len() + page.prefixes.len() >= list.max;
            if let Some(prefix) = common(&upload.key, &list.prefix, list.delimiter.as_deref()) {
                if !after.as_ref().is_some_and(|(key, _)| key.starts_with(prefix)) {
                    if full {
                        page.next = last;
                        return Ok(page);
                    }
                    last = Some((prefix.to_owned(), String::new()));
                    page.prefixes.push(prefix.to_owned());
                }
                let Some(next) = successor(prefix) else { return Ok(page) };
                from = next;
                continue 'search;
            }
            let seen = after.as_ref().is_some_and(|(key, id)| upload.key == *key && id.as_ref().is_none_or(|id| upload.id <= *id));
            if seen {
                continue;
            }
            if full {
                page.next = last;
                return Ok(page);
            }
            last = Some((upload.key.clone(), upload.id.clone()));
            page.uploads.push(upload);
        }
        return Ok(page);
    }
}
