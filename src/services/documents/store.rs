//! The SQL of this service.
//!
//! A collection's number is made of its name, and an index's of the collection and the field, so that a write looks nothing up.

use super::document::Document;
use super::index::{Entry, collection_number};
use super::name::{Database, Name};
use super::value::{Fields, Timestamp};
use super::{blob, key};
use crate::store::{Error, Schema, Tx};

pub static SCHEMA: Schema = Schema {
    part: "documents",
    steps: &["
        CREATE TABLE documents_collections (number INTEGER PRIMARY KEY, database TEXT NOT NULL, parent TEXT NOT NULL, id TEXT NOT NULL);
        CREATE INDEX documents_collections_in ON documents_collections (database, parent, id);
        CREATE INDEX documents_collections_called ON documents_collections (database, id, parent);
        CREATE TABLE documents_items (collection INTEGER NOT NULL, key BLOB NOT NULL, id TEXT NOT NULL, created INTEGER NOT NULL,
            updated INTEGER NOT NULL, fields BLOB NOT NULL, PRIMARY KEY (collection, key)) WITHOUT ROWID;
        CREATE TABLE documents_index (field INTEGER NOT NULL, value BLOB NOT NULL, key BLOB NOT NULL, PRIMARY KEY (field, value, key)) WITHOUT ROWID;
        CREATE TABLE documents_clock (one INTEGER PRIMARY KEY, micros INTEGER NOT NULL);
        INSERT INTO documents_clock VALUES (1, 0);
    "],
};

/// A collection: its number, and the path of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    pub number: i64,
    pub path: String,
}

impl Collection {
    /// The collection at a path, whether it has documents or not.
    pub fn at(database: &Database, path: &str) -> Collection {
        Collection { number: collection_number(database.as_str(), path), path: path.to_owned() }
    }
}

/// Microseconds at which this state was changed last.
pub fn changed_at(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(tx.row("SELECT micros FROM documents_clock WHERE one = 1", [], |row| row.get(0))?.unwrap_or(0))
}

/// The time of what is read now: not before the last change.
pub fn read_at(tx: &Tx<'_>) -> Result<i64, Error> {
    Ok(changed_at(tx)?.max(now_micros(tx)))
}

/// The time by the clock, in microseconds.
pub fn now_micros(tx: &Tx<'_>) -> i64 {
    tx.now().millis().saturating_mul(1_000)
}

/// The time of a change: now, or right after the change before, so that no two are at one time and none goes back.
pub fn tick(tx: &Tx<'_>) -> Result<Timestamp, Error> {
    tick_after(tx, 0)
}

/// As [`tick`], and after another time in microseconds.
pub fn tick_after(tx: &Tx<'_>, after_micros: i64) -> Result<Timestamp, Error> {
    let micros = now_micros(tx).max(changed_at(tx)?.max(after_micros).saturating_add(1));
    tx.execute("UPDATE documents_clock SET micros = ?1 WHERE one = 1", [micros])?;
    Ok(Timestamp::of_micros(micros))
}

fn read(name: impl FnOnce() -> Option<Name>, created: i64, updated: i64, fields: &[u8]) -> Result<Document, Error> {
    let corrupt = || Error::Corrupt("a document");
    let fields = blob::decode(fields).ok_or_else(corrupt)?;
    let (created, updated) = (Timestamp::of_micros(created), Timestamp::of_micros(updated));
    Ok(Document { name: name().ok_or_else(corrupt)?, fields, created, updated })
}

/// A document.
pub fn document(tx: &Tx<'_>, name: &Name) -> Result<Option<Document>, Error> {
    let sql = "SELECT created, updated, fields FROM documents_items WHERE collection = ?1 AND key = ?2";
    let collection = collection_number(name.database.as_str(), name.collection());
    tx.row(sql, (collection, key::of_id(name.id())), |row| {
        Ok(read(|| Some(name.clone()), row.get(0)?, row.get(1)?, row.get_ref(2)?.as_blob()?))
    })?
    .transpose()
}

/// When a document was changed last, in microseconds; `None` where there is none.
pub fn updated(tx: &Tx<'_>, name: &Name) -> Result<Option<i64>, Error> {
    let sql = "SELECT updated FROM documents_items WHERE collection = ?1 AND key = ?2";
    let collection = collection_number(name.database.as_str(), name.collection());
    tx.row(sql, (collection, key::of_id(name.id())), |row| row.get(0))
}

/// Stores a document in the place of one before. `gone` and `come`: the index entries that differ.
pub fn put(tx: &Tx<'_>, document: &Document, is_new: bool, gone: &[&Entry], come: &[&Entry]) -> Result<(), Error> {
    let name = &document.name;
    let (collection, key) = (Collection::at(&name.database, name.collection()), key::of_id(name.id()));
    if is_new {
        let (parent, id) = collection.path.rsplit_once('/').unwrap_or(("", &collection.path));
        tx.execute(
            "INSERT OR IGNORE INTO documents_collections (number, database, parent, id) VALUES (?1, ?2, ?3, ?4)",
            (collection.number, name.database.as_str(), parent, id),
        )?;
    }
    tx.execute(
        "INSERT INTO documents_items (collection, key, id, created, updated, fields) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (collection, key) DO UPDATE SET created = excluded.created, updated = excluded.updated, fields = excluded.fields",
        (collection.number, &key, name.id(), document.created.micros(), document.updated.micros(), blob::encode(&document.fields)),
    )?;
    forget_entries(tx, &key, gone)?;
    for (field, value) in come {
        tx.execute("INSERT OR IGNORE INTO documents_index (field, value, key) VALUES (?1, ?2, ?3)", (field, value, &key))?;
    }
    Ok(())
}

/// Forgets a document with its index entries.
pub fn delete(tx: &Tx<'_>, name: &Name, gone: &[&Entry]) -> Result<(), Error> {
    let (collection, key) = (collection_number(name.database.as_str(), name.collection()), key::of_id(name.id()));
    tx.execute("DELETE FROM documents_items WHERE collection = ?1 AND key = ?2", (collection, &key))?;
    forget_entries(tx, &key, gone)?;
    tx.execute(
        "DELETE FROM documents_collections WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM documents_items WHERE collection = ?1)",
        [collection],
    )?;
    Ok(())
}

fn forget_entries(tx: &Tx<'_>, key: &[u8], gone: &[&Entry]) -> Result<(), Error> {
    for (field, value) in gone {
        tx.execute("DELETE FROM documents_index WHERE field = ?1 AND value = ?2 AND key = ?3", (field, value, key))?;
    }
    Ok(())
}

/// Which documents of a collection to go through.
#[derive(Clone, Debug, PartialEq)]
pub enum Stretch {
    /// By name: from a key, to before another.
    Names { from: Vec<u8>, to: Vec<u8> },
    /// By the values of an index, and those of one value by name.
    Values { index: i64, from: Vec<u8>, to: Vec<u8> },
}

/// Before and after every key.
pub const KEYS: (&[u8], &[u8]) = (&[], &[key::AFTER]);

/// Calls `visit` with the documents of a collection in order until it says to stop.
pub fn walk<E: From<Error>>(
    tx: &Tx<'_>,
    database: &Database,
    collection: &Collection,
    stretch: &Stretch,
    backward: bool,
    mut visit: impl FnMut(Document) -> Result<bool, E>,
) -> Result<(), E> {
    let order = if backward { "DESC" } else { "ASC" };
    let sql = match stretch {
        Stretch::Names { .. } => format!(
            "SELECT id, created, updated, fields FROM documents_items WHERE collection = ?1 AND key >= ?2 AND key < ?3 ORDER BY key {order}"
        ),
        Stretch::Values { .. } => format!(
            "SELECT d.id, d.created, d.updated, d.fields FROM documents_index i CROSS JOIN documents_items d
             WHERE d.collection = ?1 AND d.key = i.key AND i.field = ?4 AND i.value >= ?2 AND i.value < ?3
             ORDER BY i.value {order}, i.key {order}"
        ),
    };
    let mut statement = tx.statement(&sql)?;
    let mut rows = match stretch {
        Stretch::Names { from, to } => statement.query((collection.number, from, to)),
        Stretch::Values { index, from, to } => statement.query((collection.number, from, to, index)),
    }
    .map_err(Error::from)?;
    while let Some(row) = rows.next().map_err(Error::from)? {
        let found = (|| {
            let id = row.get_ref(0)?.as_str()?;
            let name = || Name::new(database.clone(), &format!("{}/{id}", collection.path)).ok();
            Ok::<_, rusqlite::Error>(read(name, row.get(1)?, row.get(2)?, row.get_ref(3)?.as_blob()?))
        })();
        if !visit(found.map_err(Error::from)??)? {
            break;
        }
    }
    Ok(())
}

/// How many entries a stretch has, counted to `max`.
pub fn count(tx: &Tx<'_>, collection: &Collection, stretch: &Stretch, max: u64) -> Result<u64, Error> {
    let max = i64::try_from(max).unwrap_or(i64::MAX);
    let counted: Option<i64> = match stretch {
        Stretch::Names { from, to } => tx.row(
            "SELECT count(*) FROM (SELECT 1 FROM documents_items WHERE collection = ?1 AND key >= ?2 AND key < ?3 LIMIT ?4)",
            (collection.number, from, to, max),
            |row| row.get(0),
        )?,
        Stretch::Values { index, from, to } => tx.row(
            "SELECT count(*) FROM (SELECT 1 FROM documents_index WHERE field = ?1 AND value >= ?2 AND value < ?3 LIMIT ?4)",
            (index, from, to, max),
            |row| row.get(0),
        )?,
    };
    Ok(counted.unwrap_or(0).unsigned_abs())
}

/// The first and the first not of what begins with a path and a slash.
fn beneath(path: &str) -> (String, String) {
    // A zero comes right after a slash.
    if path.is_empty() { (String::new(), String::from(char::MAX)) } else { (format!("{path}/"), format!("{path}0")) }
}

/// The collections beneath a document or the root, at any depth: of an identifier, or all.
pub fn collections_beneath(tx: &Tx<'_>, database: &Database, parent: &str, id: Option<&str>) -> Result<Vec<Collection>, Error> {
    let (from, to) = beneath(parent);
    let read = |row: &rusqlite::Row<'_>| {
        let (parent, id): (String, String) = (row.get(1)?, row.get(2)?);
        Ok(Collection { number: row.get(0)?, path: if parent.is_empty() { id } else { format!("{parent}/{id}") } })
    };
    let within = "(parent = ?2 OR (parent >= ?3 AND parent < ?4))";
    match id {
        Some(id) => {
            let sql = format!("SELECT number, parent, id FROM documents_collections WHERE database = ?1 AND id = ?5 AND {within}");
            tx.rows(&sql, (database.as_str(), parent, from, to, id), read)
        }
        None => {
            let sql = format!("SELECT number, parent, id FROM documents_collections WHERE database = ?1 AND {within}");
            tx.rows(&sql, (database.as_str(), parent, from, to), read)
        }
    }
}

/// The identifiers of the collections right beneath a document or the root, after one, in order.
pub fn collection_ids(tx: &Tx<'_>, database: &Database, parent: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    // A document that is missing may still have collections deeper down: they count for the path that leads there.
    let (from, to) = beneath(parent);
    let skip = if parent.is_empty() { 0 } else { parent.len() + 1 };
    let sql = "SELECT DISTINCT id FROM (
            SELECT id FROM documents_collections WHERE database = ?1 AND parent = ?2
            UNION ALL
            SELECT substr(substr(parent, ?5), 1, instr(substr(parent, ?5) || '/', '/') - 1) FROM documents_collections
             WHERE database = ?1 AND parent >= ?3 AND parent < ?4 AND parent <> ?2
        ) WHERE id > ?6 ORDER BY id LIMIT ?7";
    // `substr` counts characters.
    let start = parent.chars().count().min(skip) + usize::from(skip > 0) + 1;
    tx.rows(sql, rusqlite::params![database.as_str(), parent, from, to, start as i64, after, limit as i64], |row| row.get(0))
}

/// The identifiers of documents of a collection that are missing and have collections of their own.
pub fn missing_parents(tx: &Tx<'_>, database: &Database, collection: &Collection) -> Result<Vec<String>, Error> {
    let (from, to) = beneath(&collection.path);
    let start = collection.path.chars().count() + 2;
    let sql = "SELECT DISTINCT substr(substr(parent, ?4), 1, instr(substr(parent, ?4) || '/', '/') - 1) FROM documents_collections
         WHERE database = ?1 AND parent >= ?2 AND parent < ?3";
    let ids: Vec<String> = tx.rows(sql, (database.as_str(), from, to, start as i64), |row| row.get(0))?;
    let mut missing = Vec::new();
    for id in ids {
        let there: Option<i64> =
            tx.row("SELECT 1 FROM documents_items WHERE collection = ?1 AND key = ?2", (collection.number, key::of_id(&id)), |row| {
                row.get(0)
            })?;
        if there.is_none() {
            missing.push(id);
        }
    }
    Ok(missing)
}

/// Forgets all documents of a database.
pub fn clear(tx: &Tx<'_>, database: &Database) -> Result<(), Error> {
    let collections = collections_beneath(tx, database, "", None)?;
    for collection in &collections {
        let mut statement = tx.statement("SELECT key, fields FROM documents_items WHERE collection = ?1")?;
        let rows = statement.query_map([collection.number], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        for row in rows {
            let (key, fields): (Vec<u8>, Vec<u8>) = row?;
            let fields: Fields = blob::decode(&fields).ok_or(Error::Corrupt("a document"))?;
            let entries = super::index::entries(collection.number, &fields).unwrap_or_default();
            forget_entries(tx, &key, &entries.iter().collect::<Vec<_>>())?;
        }
        drop(statement);
        tx.execute("DELETE FROM documents_items WHERE collection = ?1", [collection.number])?;
        tx.execute("DELETE FROM documents_collections WHERE number = ?1", [collection.number])?;
    }
    Ok(())
}
