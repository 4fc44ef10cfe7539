//! Buckets and objects as text files. Bytes are files named by their SHA-256, each once however many objects have them; a short text
//! stands in its line.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::write::ROW_BYTES_MAX;
use super::{Algorithm, Checksum, Objects, PartSpan, Properties, store};
use crate::store::blobs::Slice;
use crate::store::portable::{Collection, Column, Error, Line, Reader, Writer, json_of};
use crate::store::{Error as StoreError, Tx};

/// Whose bytes are where.
pub const CONTENTS: &str = "objects/contents.jsonl";
const FILES: &str = "objects/files";
/// Bytes of a text that stands in its line.
const TEXT_BYTES_MAX: usize = 1_024;
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 1 << 20;

/// What this service has, but for the bytes.
pub static COLLECTIONS: [Collection; 5] = [
    Collection {
        file: "objects/buckets.jsonl",
        table: "objects_buckets",
        order: "name",
        key: &["name"],
        columns: &[Column::word("name", bucket_name), Column::int("created"), Column::text("region"), Column::count("versioning", 2)],
    },
    Collection {
        file: "objects/settings.jsonl",
        table: "objects_documents",
        order: "bucket, kind",
        key: &["bucket", "kind"],
        columns: &[BUCKET, Column::text("kind"), Column::text("body")],
    },
    Collection {
        file: "objects/objects.jsonl",
        table: "objects_versions",
        order: "bucket, key, generation DESC",
        key: &["bucket", "key", "generation"],
        columns: &[
            BUCKET,
            Column::text("key"),
            Column::count("generation", i64::MAX),
            Column::text("version"),
            Column::count("marker", 1),
            Column::count("metageneration", i64::MAX),
            Column::count("size", i64::MAX),
            Column::text("etag"),
            Column::word("md5", hexadecimal).read("CASE WHEN md5 IS NOT NULL THEN lower(hex(md5)) END").write("md5", "unhex(?)").or_null(),
            Column::count("crc32c", u32::MAX as i64),
            Column::int("crc64nvme"),
            Column::json("checksum", json_of::<Checksum>).or_null(),
            Column::int("created"),
            Column::int("updated"),
            Column::json("properties", json_of::<Properties>),
            Column::json("parts", json_of::<Vec<PartSpan>>).or_null(),
        ],
    },
    Collection {
        file: "objects/uploads.jsonl",
        table: "objects_uploads",
        order: "bucket, key, id",
        key: &["id"],
        columns: &[
            BUCKET,
            Column::text("key"),
            Column::text("id"),
            Column::int("started"),
            Column::word("algorithm", algorithm),
            Column::count("composite", 1),
            Column::count("asked", 1),
            Column::json("properties", json_of::<Properties>),
        ],
    },
    Collection {
        file: "objects/parts.jsonl",
        table: "objects_parts",
        order: "upload, number",
        key: &["upload", "number"],
        columns: &[
            Column::text("upload").write("upload", "(SELECT id FROM objects_uploads WHERE id = ?)"),
            Column::count("number", 10_000),
            Column::count("owner", i64::MAX),
            Column::count("size", i64::MAX),
            Column::word("md5", hexadecimal).read("lower(hex(md5))").write("md5", "unhex(?)"),
            Column::count("crc32c", u32::MAX as i64),
            Column::int("crc64nvme"),
            Column::word("checksum", hexadecimal).read("lower(hex(checksum))").write("checksum", "unhex(?)"),
            Column::int("modified"),
        ],
    },
];

/// The bucket must be there.
const BUCKET: Column = Column::text("bucket").write("bucket", "(SELECT name FROM objects_buckets WHERE name = ?)");

fn bucket_name(name: &str) -> Result<(), String> {
    if super::buckets::is_name(name) { Ok(()) } else { Err(format!("`{name}` cannot be the name of a bucket")) }
}

fn algorithm(name: &str) -> Result<(), String> {
    serde_json::from_value::<Algorithm>(json!(name)).map(|_| ()).map_err(|error| error.to_string())
}

fn hexadecimal(text: &str) -> Result<(), String> {
    hex::decode(text).map(|_| ()).map_err(|error| error.to_string())
}

impl Objects {
    /// Writes all buckets and objects. The caller holds the files ([`Objects::hold`]).
    pub fn export_in(&self, tx: &Tx<'_>, to: &mut Writer) -> Result<(), Error> {
        for collection in &COLLECTIONS {
            collection.export(tx, to)?;
        }
        // Whose bytes they are, and how many; those of nobody are not there.
        let sql =
            "SELECT generation, size FROM objects_versions WHERE marker = 0 UNION ALL SELECT owner, size FROM objects_parts ORDER BY 1";
        let owners: Vec<(i64, i64)> = tx.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        for (owner, size) in owners {
            let line = self.export_content(tx, owner, size, to)?;
            to.line(CONTENTS, line)?;
        }
        Ok(())
    }

    fn export_content(&self, tx: &Tx<'_>, owner: i64, size: i64, to: &mut Writer) -> Result<Value, Error> {
        let slices = store::slices(tx, owner, 0, size.unsigned_abs())?;
        let mut digest = Sha256::new();
        self.each_chunk(&slices, |chunk| {
            digest.update(chunk);
            Ok(())
        })?;
        let name = hex::encode(digest.finalize());
        let mut line = json!({ "owner": owner, "sha256": name, "size": size });
        if size.unsigned_abs() as usize <= TEXT_BYTES_MAX {
            let mut bytes = Vec::new();
            self.each_chunk(&slices, |chunk| {
                bytes.extend_from_slice(chunk);
                Ok(())
            })?;
            if let Ok(text) = String::from_utf8(bytes) {
                line["text"] = Value::String(text);
                return Ok(line);
            }
        }
        let file = format!("{FILES}/{name}");
        if let Some(made) = to.bytes(&file)? {
            match slices.as_slice() {
                // A whole file: the file system may share it.
                [Slice::Blob { id, skip: 0, length }] if self.blobs.length(id)? == *length => self.blobs.copy_into(id, &made)?,
                _ => self.each_chunk(&slices, |chunk| Ok((&made).write_all(chunk).map_err(StoreError::from)?))?,
            }
        }
        Ok(line)
    }

    fn each_chunk(&self, slices: &[Slice], mut take: impl FnMut(&[u8]) -> Result<(), Error>) -> Result<(), Error> {
        let mut buffer = Vec::new();
        for slice in slices {
            match slice {
                Slice::Bytes(bytes) => take(bytes)?,
                Slice::Blob { id, skip, length } => {
                    let file = self.blobs.open_file(id)?;
                    let (mut at, mut left) = (*skip, *length);
                    while left > 0 {
                        buffer.resize(left.min(CHUNK_BYTES as u64) as usize, 0);
                        file.read_exact_at(&mut buffer, at).map_err(StoreError::from)?;
                        take(&buffer)?;
                        (at, left) = (at + buffer.len() as u64, left - buffer.len() as u64);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads all buckets and objects into a state that has none. Files that were taken in belong to that state, whatever becomes of it.
    pub fn import_in(&self, tx: &mut Tx<'_>, from: &Reader) -> Result<(), Error> {
        for collection in &COLLECTIONS {
            collection.import(tx, from)?;
        }
        from.lines(CONTENTS, |line| self.import_content(tx, from, &line))?;
        self.check_contents(tx, from)?;
        let last: Option<i64> = tx
            .row(
                "SELECT max(n) FROM (SELECT max(generation) AS n FROM objects_versions UNION ALL SELECT max(owner) FROM objects_parts)",
                [],
                |row| row.get::<_, Option<i64>>(0),
            )?
            .flatten();
        if let Some(last) = last {
            tx.execute("INSERT OR REPLACE INTO objects_generation (only, last) VALUES (1, ?1)", [last])?;
        }
        Ok(())
    }

    fn import_content(&self, tx: &Tx<'_>, from: &Reader, line: &Line) -> Result<(), Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Content {
            owner: i64,
            sha256: String,
            size: u64,
            #[serde(default)]
            text: Option<String>,
        }
        let content: Content = serde_json::from_value(line.value.clone()).map_err(|error| line.wrong(error.to_string()))?;
        if content.sha256.len() != 64 || !content.sha256.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
            return Err(line.wrong("`sha256` is not 64 lower-case hexadecimal digits"));
        }
        if tx.row("SELECT 1 FROM objects_pieces WHERE owner = ?1", [content.owner], |_| Ok(()))?.is_some() {
            return Err(line.wrong("there are bytes of this owner before"));
        }
        let (slice, name) = match content.text {
            Some(text) => {
                let name = hex::encode(Sha256::digest(&text));
                (Slice::Bytes(text.into_bytes().into()), name)
            }
            None => {
                let file = format!("{FILES}/{}", content.sha256);
                let open = from.open(&file)?.ok_or_else(|| line.wrong(format!("its bytes are missing: there is no {file}")))?;
                self.take_file(open)?
            }
        };
        let size = match &slice {
            Slice::Bytes(bytes) => bytes.len() as u64,
            Slice::Blob { length, .. } => *length,
        };
        if name != content.sha256 || size != content.size {
            return Err(line.wrong("its bytes are not those that it names: size or sha256 differ"));
        }
        Ok(store::add_pieces(tx, content.owner, &[slice])?)
    }

    /// The bytes of a file of an export, and their name.
    fn take_file(&self, mut from: File) -> Result<(Slice, String), Error> {
        let io = |error: std::io::Error| Error::Store(error.into());
        let length = from.metadata().map_err(io)?.len();
        if length <= ROW_BYTES_MAX as u64 {
            let mut bytes = Vec::new();
            (&mut from).take(ROW_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(io)?;
            let name = hex::encode(Sha256::digest(&bytes));
            return Ok((Slice::Bytes(bytes.into()), name));
        }
        // A copy, for the one who owns the export may edit it.
        let id = self.blobs.take_file(&from)?;
        let mut digest = Sha256::new();
        let length = self.blobs.length(&id)?;
        let slice = Slice::Blob { id, skip: 0, length };
        self.each_chunk(std::slice::from_ref(&slice), |chunk| {
            digest.update(chunk);
            Ok(())
        })?;
        Ok((slice, hex::encode(digest.finalize())))
    }

    /// Every object has the bytes that it says, and all bytes are somebody's.
    fn check_contents(&self, tx: &Tx<'_>, from: &Reader) -> Result<(), Error> {
        let wrong = |file: &str, why: String| Err(Error::File { file: from.path(file), why });
        let sizes = "(SELECT coalesce(sum(size), 0) FROM objects_pieces WHERE owner = o.generation)";
        let object = tx.row(
            &format!("SELECT bucket || '/' || key FROM objects_versions o WHERE marker = 0 AND size <> {sizes} LIMIT 1"),
            [],
            |row| row.get::<_, String>(0),
        )?;
        if let Some(object) = object {
            return wrong(CONTENTS, format!("the object {object} has not as many bytes here as objects/objects.jsonl says"));
        }
        let part = tx.row(
            "SELECT upload FROM objects_parts o WHERE size <> (SELECT coalesce(sum(size), 0) FROM objects_pieces WHERE owner = o.owner) LIMIT 1",
            [],
            |row| row.get::<_, String>(0),
        )?;
        if let Some(part) = part {
            return wrong(CONTENTS, format!("a part of the upload {part} has not as many bytes here as objects/parts.jsonl says"));
        }
        let stray = tx.row(
            "SELECT owner FROM objects_pieces p WHERE NOT EXISTS (SELECT 1 FROM objects_versions WHERE generation = p.owner AND marker = 0)
             AND NOT EXISTS (SELECT 1 FROM objects_parts o WHERE o.owner = p.owner) LIMIT 1",
            [],
            |row| row.get::<_, i64>(0),
        )?;
        match stray {
            Some(owner) => wrong(CONTENTS, format!("nothing has the bytes of owner {owner}")),
            None => Ok(()),
        }
    }
}
