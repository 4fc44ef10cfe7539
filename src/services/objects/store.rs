//! The tables of buckets and objects.

use std::collections::HashSet;

use rusqlite::Row;

use super::{Bucket, Error, Object, Versioning, Which};
use crate::base::{Time, Unit};
use crate::store::blobs::Slice;
use crate::store::{self, Schema, Tx};

/// The tables of this service.
///
/// `objects_versions` holds the versions of each key, the newest first: the first row of a key is the object as it is. The
/// bytes are in `objects_pieces`, in order of `number` for one `owner` (a version's `generation`, or that of an upload's
/// part, or of a session): small ones in the row itself, so that they are as atomic and as quick as the row; others as runs of a file. A
/// file may be named by many pieces (copies share it) and goes with the last. `objects_lifecycle` has the midnight at which
/// the buckets' rules were last carried out.
pub static SCHEMA: Schema = Schema {
    part: "objects",
    steps: &[
        "
        CREATE TABLE objects_buckets (
            name TEXT PRIMARY KEY, created INTEGER NOT NULL, region TEXT NOT NULL, versioning INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE objects_documents (
            bucket TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (bucket, kind)
        ) WITHOUT ROWID;
        CREATE TABLE objects_generation (only INTEGER PRIMARY KEY CHECK (only = 1), last INTEGER NOT NULL);
        CREATE TABLE objects_versions (
            bucket TEXT NOT NULL, key TEXT NOT NULL, generation INTEGER NOT NULL,
            version TEXT NOT NULL, marker INTEGER NOT NULL, metageneration INTEGER NOT NULL,
            size INTEGER NOT NULL, etag TEXT NOT NULL, md5 BLOB, crc32c INTEGER NOT NULL, crc64nvme INTEGER NOT NULL,
            checksum TEXT, created INTEGER NOT NULL, updated INTEGER NOT NULL, properties TEXT NOT NULL, parts TEXT,
            PRIMARY KEY (bucket, key, generation DESC)
        ) WITHOUT ROWID;
        CREATE TABLE objects_pieces (
            owner INTEGER NOT NULL, number INTEGER NOT NULL, size INTEGER NOT NULL, blob TEXT, skip INTEGER NOT NULL, bytes BLOB
        );
        CREATE INDEX objects_pieces_owner ON objects_pieces (owner, number);
        CREATE INDEX objects_pieces_blob ON objects_pieces (blob) WHERE blob IS NOT NULL;
        CREATE TABLE objects_uploads (
            id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started INTEGER NOT NULL,
            algorithm TEXT NOT NULL, composite INTEGER NOT NULL, asked INTEGER NOT NULL, properties TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX objects_uploads_key ON objects_uploads (bucket, key, id);
        CREATE TABLE objects_parts (
            upload TEXT NOT NULL, number INTEGER NOT NULL, owner INTEGER NOT NULL, size INTEGER NOT NULL,
            md5 BLOB NOT NULL, crc32c INTEGER NOT NULL, crc64nvme INTEGER NOT NULL, checksum BLOB NOT NULL,
            modified INTEGER NOT NULL, PRIMARY KEY (upload, number)
        ) WITHOUT ROWID;
    ",
        "
        -- What a state has that was kept before stocks were.
        INSERT INTO stocks SELECT 'object-bytes-stored', coalesce(sum(size), 0) FROM (
            SELECT size FROM objects_versions UNION ALL SELECT size FROM objects_parts);
    ",
        "
        CREATE TABLE objects_lifecycle (only INTEGER PRIMARY KEY CHECK (only = 1), day INTEGER NOT NULL);
    ",
        "
        CREATE TABLE objects_sessions (
            id TEXT PRIMARY KEY, bucket TEXT NOT NULL, key TEXT NOT NULL, started INTEGER NOT NULL, state TEXT NOT NULL,
            owner INTEGER NOT NULL, pieces INTEGER NOT NULL, received INTEGER NOT NULL, total INTEGER,
            properties TEXT NOT NULL, condition TEXT NOT NULL, claims TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX objects_sessions_started ON objects_sessions (started);
    ",
    ],
};

pub(super) const COLUMNS: &str = "bucket, key, generation, version, marker, metageneration, size, etag, md5, crc32c, crc64nvme, checksum, created, updated, properties, parts";

pub(super) fn object(row: &Row<'_>) -> rusqlite::Result<Object> {
    let json = |index: usize, error: serde_json::Error| {
        rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into())
    };
    let version: String = row.get(3)?;
    let checksum: Option<String> = row.get(11)?;
    let properties: String = row.get(14)?;
    let parts: Option<String> = row.get(15)?;
    Ok(Object {
        bucket: row.get(0)?,
        key: row.get(1)?,
        generation: row.get(2)?,
        version: Some(version).filter(|version| !version.is_empty()),
        marker: row.get(4)?,
        metageneration: row.get(5)?,
        size: row.get::<_, i64>(6)? as u64,
        etag: row.get(7)?,
        md5: row.get(8)?,
        crc32c: row.get(9)?,
        crc64nvme: row.get::<_, i64>(10)? as u64,
        checksum: checksum.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| json(11, error))?,
        created: Time(row.get(12)?),
        updated: Time(row.get(13)?),
        properties: serde_json::from_str(&properties).map_err(|error| json(14, error))?,
        parts: parts.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| json(15, error))?.unwrap_or_default(),
    })
}

pub(super) fn bucket(tx: &Tx<'_>, name: &str) -> Result<Bucket, Error> {
    let found = tx.row("SELECT name, created, region, versioning FROM objects_buckets WHERE name = ?1", [name], read_bucket)?;
    found.ok_or_else(|| Error::NoSuchBucket(name.to_owned()))
}

pub(super) fn read_bucket(row: &Row<'_>) -> rusqlite::Result<Bucket> {
    let versioning = match row.get(3)? {
        0 => Versioning::Off,
        1 => Versioning::On,
        _ => Versioning::Suspended,
    };
    Ok(Bucket { name: row.get(0)?, created: Time(row.get(1)?), region: row.get(2)?, versioning })
}

pub(super) fn versioning_number(versioning: Versioning) -> i64 {
    match versioning {
        Versioning::Off => 0,
        Versioning::On => 1,
        Versioning::Suspended => 2,
    }
}

/// The next number of the World's changes: about the microseconds of its clock, and always more than the last.
pub(super) fn next_generation(tx: &Tx<'_>) -> Result<i64, store::Error> {
    let now = tx.now().millis().saturating_mul(1_000);
    tx.row(
        "INSERT INTO objects_generation (only, last) VALUES (1, ?1)
         ON CONFLICT (only) DO UPDATE SET last = max(last + 1, excluded.last) RETURNING last",
        [now],
        |row| row.get(0),
    )?
    .ok_or(store::Error::Corrupt("objects"))
}

/// The newest version of a key, be it one that says the object is gone.
pub(super) fn newest(tx: &Tx<'_>, bucket: &str, key: &str) -> Result<Option<Object>, store::Error> {
    tx.row(
        &format!("SELECT {COLUMNS} FROM objects_versions WHERE bucket = ?1 AND key = ?2 ORDER BY generation DESC LIMIT 1"),
        (bucket, key),
        object,
    )
}

/// The version that is meant, be it one that says the object is gone.
pub(super) fn version(tx: &Tx<'_>, bucket: &str, key: &str, which: &Which) -> Result<Option<Object>, store::Error> {
    let version = match which {
        Which::Latest => return newest(tx, bucket, key),
        Which::Unversioned => "",
        Which::Version(version) => version,
        Which::Generation(generation) => {
            let sql = format!("SELECT {COLUMNS} FROM objects_versions WHERE bucket = ?1 AND key = ?2 AND generation = ?3");
            return tx.row(&sql, (bucket, key, generation), object);
        }
    };
    tx.row(
        &format!("SELECT {COLUMNS} FROM objects_versions WHERE bucket = ?1 AND key = ?2 AND version = ?3"),
        (bucket, key, version),
        object,
    )
}

pub(super) fn insert(tx: &mut Tx<'_>, object: &Object) -> Result<(), store::Error> {
    tx.keep(Unit::ObjectBytesStored, object.size as i64);
    let checksum = object.checksum.as_ref().map(|checksum| serde_json::to_string(checksum).expect("plain data"));
    let parts = Some(&object.parts).filter(|parts| !parts.is_empty()).map(|parts| serde_json::to_string(parts).expect("plain data"));
    let properties = serde_json::to_string(&object.properties).expect("plain data");
    tx.execute(
        &format!("INSERT INTO objects_versions ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"),
        rusqlite::params![
            object.bucket,
            object.key,
            object.generation,
            object.version.as_deref().unwrap_or(""),
            object.marker,
            object.metageneration,
            object.size as i64,
            object.etag,
            object.md5,
            object.crc32c,
            object.crc64nvme as i64,
            checksum,
            object.created.millis(),
            object.updated.millis(),
            properties,
            parts,
        ],
    )?;
    Ok(())
}

/// Stores what is said of an object anew.
pub(super) fn update(tx: &Tx<'_>, object: &mut Object) -> Result<(), store::Error> {
    object.metageneration += 1;
    object.updated = tx.now();
    let properties = serde_json::to_string(&object.properties).expect("plain data");
    tx.execute(
        "UPDATE objects_versions SET properties = ?4, metageneration = ?5, updated = ?6 WHERE bucket = ?1 AND key = ?2 AND generation = ?3",
        (&object.bucket, &object.key, object.generation, properties, object.metageneration, object.updated.millis()),
    )?;
    Ok(())
}

/// Forgets a version and its bytes; answers the files that nothing names any more, to be removed after the commit.
pub(super) fn forget(tx: &mut Tx<'_>, object: &Object) -> Result<Vec<String>, store::Error> {
    tx.keep(Unit::ObjectBytesStored, -(object.size as i64));
    tx.execute(
        "DELETE FROM objects_versions WHERE bucket = ?1 AND key = ?2 AND generation = ?3",
        (&object.bucket, &object.key, object.generation),
    )?;
    if object.marker { Ok(Vec::new()) } else { forget_pieces(tx, object.generation) }
}

/// Forgets the bytes of an owner; answers the files that nothing names any more, to be removed after the commit.
pub(super) fn forget_pieces(tx: &Tx<'_>, owner: i64) -> Result<Vec<String>, store::Error> {
    let mut blobs: Vec<String> =
        tx.rows("SELECT blob FROM objects_pieces WHERE owner = ?1 AND blob IS NOT NULL ORDER BY number", [owner], |row| row.get(0))?;
    tx.execute("DELETE FROM objects_pieces WHERE owner = ?1", [owner])?;
    blobs.dedup();
    let mut free = Vec::new();
    for blob in blobs {
        if tx.row("SELECT 1 FROM objects_pieces WHERE blob = ?1", [&blob], |_| Ok(()))?.is_none() {
            free.push(blob);
        }
    }
    Ok(free)
}

/// Adds bytes to an owner that has none.
pub(super) fn add_pieces(tx: &Tx<'_>, owner: i64, slices: &[Slice]) -> Result<(), store::Error> {
    append_pieces(tx, owner, 0, slices).map(|_| ())
}

/// Adds bytes to an owner after its first `count` pieces; answers how many pieces it then has.
pub(super) fn append_pieces(tx: &Tx<'_>, owner: i64, count: i64, slices: &[Slice]) -> Result<i64, store::Error> {
    for (number, slice) in (count..).zip(slices) {
        match slice {
            Slice::Bytes(bytes) => tx.execute(
                "INSERT INTO objects_pieces (owner, number, size, blob, skip, bytes) VALUES (?1, ?2, ?3, NULL, 0, ?4)",
                (owner, number, bytes.len() as i64, &bytes[..]),
            )?,
            Slice::Blob { id, skip, length } => tx.execute(
                "INSERT INTO objects_pieces (owner, number, size, blob, skip, bytes) VALUES (?1, ?2, ?3, ?4, ?5, NULL)",
                (owner, number, *length as i64, id, *skip as i64),
            )?,
        };
    }
    Ok(count + slices.len() as i64)
}

/// Gives all bytes of `from` to `to`, after its first `count` pieces; answers how many pieces `to` then has.
pub(super) fn move_pieces(tx: &Tx<'_>, from: i64, to: i64, count: i64) -> Result<i64, store::Error> {
    let moved = tx.execute("UPDATE objects_pieces SET owner = ?1, number = number + ?2 WHERE owner = ?3", (to, count, from))?;
    Ok(count + moved as i64)
}

/// The `length` bytes of an owner from `start` on.
pub(super) fn slices(tx: &Tx<'_>, owner: i64, start: u64, length: u64) -> Result<Vec<Slice>, store::Error> {
    let mut statement = tx.statement("SELECT size, blob, skip, bytes FROM objects_pieces WHERE owner = ?1 ORDER BY number")?;
    let mut rows = statement.query([owner])?;
    let (mut slices, mut at, end) = (Vec::new(), 0u64, start.saturating_add(length));
    while let Some(row) = rows.next()? {
        let size = row.get::<_, i64>(0)? as u64;
        let (from, to) = (start.max(at) - at, end.min(at + size).saturating_sub(at));
        at += size;
        if from >= to {
            if at >= end {
                break;
            }
            continue;
        }
        slices.push(match row.get::<_, Option<String>>(1)? {
            Some(id) => Slice::Blob { id, skip: row.get::<_, i64>(2)? as u64 + from, length: to - from },
            None => {
                let bytes: Vec<u8> = row.get(3)?;
                let bytes = bytes::Bytes::from(bytes);
                let whole = from as usize..to as usize;
                if bytes.len() < whole.end {
                    return Err(store::Error::Corrupt("objects"));
                }
                Slice::Bytes(bytes.slice(whole))
            }
        });
    }
    Ok(slices)
}

/// The names of all files.
pub(super) const BLOBS: &str = "SELECT DISTINCT blob FROM objects_pieces WHERE blob IS NOT NULL";

/// All files that rows name.
pub(super) fn blobs(tx: &Tx<'_>) -> Result<HashSet<String>, store::Error> {
    Ok(tx.rows(BLOBS, [], |row| row.get(0))?.into_iter().collect())
}
