//! The SQL of this service.
//!
//! `part` says whose rows they are: a table's number for its items, number and slot together for those of an index.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;

use super::blob;
use super::definition::{Definition, Index, Table};
use super::value::Item;
use crate::store::{Error, Schema, Tx};

pub static SCHEMA: Schema = Schema {
    part: "tables",
    steps: &["
        CREATE TABLE tables_catalog (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, definition TEXT NOT NULL);
        CREATE TABLE tables_version (one INTEGER PRIMARY KEY, version INTEGER NOT NULL);
        INSERT INTO tables_version VALUES (1, 0);
        CREATE TABLE tables_items (part INTEGER NOT NULL, key BLOB NOT NULL, bytes INTEGER NOT NULL, item BLOB NOT NULL, PRIMARY KEY (part, key)) WITHOUT ROWID;
        CREATE TABLE tables_index (part INTEGER NOT NULL, key BLOB NOT NULL, item BLOB NOT NULL, PRIMARY KEY (part, key, item)) WITHOUT ROWID;
        CREATE TABLE tables_expiry (at INTEGER NOT NULL, part INTEGER NOT NULL, key BLOB NOT NULL, PRIMARY KEY (at, part, key)) WITHOUT ROWID;
        CREATE TABLE tables_stream (
            sequence INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, label TEXT NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, keys BLOB NOT NULL,
            old BLOB, new BLOB, expired INTEGER NOT NULL, trace TEXT NOT NULL, cause TEXT NOT NULL, depth INTEGER NOT NULL);
        CREATE INDEX tables_stream_of ON tables_stream (name, label, sequence);
        CREATE TABLE tables_streams (name TEXT NOT NULL, label TEXT NOT NULL, definition TEXT NOT NULL, ended INTEGER, PRIMARY KEY (name, label)) WITHOUT ROWID;
        CREATE TABLE tables_tokens (token TEXT PRIMARY KEY, digest BLOB NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;
    ", "
        -- What a state has that was kept before stocks were: of indexes as if they held all of each item.
        INSERT INTO stocks SELECT 'table-bytes-stored', coalesce(sum(bytes + 100), 0) FROM (
            SELECT bytes FROM tables_items UNION ALL
            SELECT i.bytes FROM tables_index x JOIN tables_items i ON i.part = x.part >> 6 AND i.key = x.item);
    "],
};

/// All tables, as one version of the catalog has them.
#[derive(Debug, Default)]
pub struct Catalog {
    version: i64,
    pub tables: HashMap<String, Arc<Table>>,
}

/// The catalog as it was last read; a transaction uses it only if it sees the same version.
pub type Cache = ArcSwapOption<Catalog>;

/// The catalog as this transaction sees it.
pub fn catalog(cache: &Cache, tx: &Tx<'_>) -> Result<Arc<Catalog>, Error> {
    let version = tx.row("SELECT version FROM tables_version WHERE one = 1", [], |row| row.get(0))?.unwrap_or(0);
    if let Some(known) = cache.load().as_ref().filter(|known| known.version == version) {
        return Ok(known.clone());
    }
    let rows: Vec<(i64, String)> = tx.rows("SELECT number, definition FROM tables_catalog", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut tables = HashMap::new();
    for (number, json) in rows {
        let definition: Definition = serde_json::from_str(&json).map_err(|_| Error::Corrupt("a table's definition"))?;
        tables.insert(definition.name.clone(), Arc::new(Table { number, definition }));
    }
    let catalog = Arc::new(Catalog { version, tables });
    cache.store(Some(catalog.clone()));
    Ok(catalog)
}

/// Gives the catalog a version that it never had, so that no cache of one that was rolled back can be taken for it.
fn touch(tx: &Tx<'_>) -> Result<(), Error> {
    let mut random = [0u8; 8];
    tx.ids().fill(&mut random);
    tx.execute("UPDATE tables_version SET version = ?1", [i64::from_le_bytes(random)])?;
    Ok(())
}

fn json(definition: &Definition) -> String {
    serde_json::to_string(definition).expect("a definition is plain data")
}

pub fn insert_table(tx: &Tx<'_>, definition: Definition) -> Result<Table, Error> {
    tx.execute("INSERT INTO tables_catalog (name, definition) VALUES (?1, ?2)", (&definition.name, json(&definition)))?;
    touch(tx)?;
    Ok(Table { number: tx.last_id(), definition })
}

pub fn update_table(tx: &Tx<'_>, table: &Table) -> Result<(), Error> {
    tx.execute("UPDATE tables_catalog SET definition = ?1 WHERE number = ?2", (json(&table.definition), table.number))?;
    touch(tx)
}

pub fn delete_table(tx: &Tx<'_>, table: &Table) -> Result<(), Error> {
    tx.execute("DELETE FROM tables_items WHERE part = ?1", [table.number])?;
    for index in table.definition.indexes() {
        clear_index(tx, table, index)?;
    }
    tx.execute("DELETE FROM tables_expiry WHERE part = ?1", [table.number])?;
    tx.execute("DELETE FROM tables_catalog WHERE number = ?1", [table.number])?;
    touch(tx)
}

/// How many items a table has, and their bytes.
pub fn totals(tx: &Tx<'_>, table: &Table) -> Result<(u64, u64), Error> {
    let sql = "SELECT count(*), coalesce(sum(bytes), 0) FROM tables_items WHERE part = ?1";
    let (items, bytes) = tx.row(sql, [table.number], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?.unwrap_or_default();
    Ok((items.unsigned_abs(), bytes.unsigned_abs()))
}

/// How many items an index has.
pub fn index_total(tx: &Tx<'_>, table: &Table, index: &Index) -> Result<u64, Error> {
    let items: Option<i64> = tx.row("SELECT count(*) FROM tables_index WHERE part = ?1", [part(table, index)], |row| row.get(0))?;
    Ok(items.unwrap_or_default().unsigned_abs())
}

pub fn part(table: &Table, index: &Index) -> i64 {
    (table.number << 6) | i64::from(index.slot)
}

fn read_item(bytes: &[u8]) -> Result<Item, Error> {
    blob::decode(bytes).ok_or(Error::Corrupt("an item"))
}

pub fn item(tx: &Tx<'_>, table: &Table, key: &[u8]) -> Result<Option<Item>, Error> {
    tx.row("SELECT item FROM tables_items WHERE part = ?1 AND key = ?2", (table.number, key), |row| {
        Ok(read_item(row.get_ref(0)?.as_blob()?))
    })?
    .transpose()
}

/// The same for a table of a catalog that was read before, in a single statement; `None` where there is another catalog by now.
pub fn item_of(tx: &Tx<'_>, catalog: &Catalog, table: &Table, key: &[u8]) -> Result<Option<Option<Item>>, Error> {
    let sql = "SELECT (SELECT version FROM tables_version WHERE one = 1), (SELECT item FROM tables_items WHERE part = ?1 AND key = ?2)";
    let found = tx.row(sql, (table.number, key), |row| {
        if row.get::<_, Option<i64>>(0)?.unwrap_or(0) != catalog.version {
            return Ok(None);
        }
        Ok(Some(row.get_ref(1)?.as_blob_or_null()?.map(read_item)))
    })?;
    found.flatten().map(Option::transpose).transpose()
}

/// The bytes that an item counts for, without reading it.
pub fn item_bytes(tx: &Tx<'_>, table: &Table, key: &[u8]) -> Result<Option<usize>, Error> {
    let bytes: Option<u32> =
        tx.row("SELECT bytes FROM tables_items WHERE part = ?1 AND key = ?2", (table.number, key), |row| row.get(0))?;
    Ok(bytes.map(|bytes| bytes as usize))
}

pub fn put_item(tx: &Tx<'_>, table: &Table, key: &[u8], item: &Item) -> Result<(), Error> {
    let sql = "INSERT INTO tables_items (part, key, bytes, item) VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT (part, key) DO UPDATE SET bytes = excluded.bytes, item = excluded.item";
    tx.execute(sql, (table.number, key, item.bytes() as i64, blob::encode(item)))?;
    Ok(())
}

pub fn delete_item(tx: &Tx<'_>, table: &Table, key: &[u8]) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM tables_items WHERE part = ?1 AND key = ?2", (table.number, key))? > 0)
}

pub fn put_index(tx: &Tx<'_>, table: &Table, index: &Index, key: &[u8], item_key: &[u8]) -> Result<(), Error> {
    tx.execute("INSERT OR REPLACE INTO tables_index (part, key, item) VALUES (?1, ?2, ?3)", (part(table, index), key, item_key))?;
    Ok(())
}

pub fn delete_index(tx: &Tx<'_>, table: &Table, index: &Index, key: &[u8], item_key: &[u8]) -> Result<(), Error> {
    tx.execute("DELETE FROM tables_index WHERE part = ?1 AND key = ?2 AND item = ?3", (part(table, index), key, item_key))?;
    Ok(())
}

pub fn clear_index(tx: &Tx<'_>, table: &Table, index: &Index) -> Result<(), Error> {
    tx.execute("DELETE FROM tables_index WHERE part = ?1", [part(table, index)])?;
    Ok(())
}

/// Greater than every key: no key of at most 2048 bytes has such a length.
pub const KEY_END: &[u8] = &[0xff; 5];

/// A stretch of keys to go through.
pub struct Stretch<'a> {
    /// The first key.
    pub from: &'a [u8],
    /// The first key that is not in it.
    pub to: &'a [u8],
    pub backward: bool,
    /// The row after which to start: the key in the index, and the item's key.
    pub after: Option<(&'a [u8], &'a [u8])>,
}

/// Calls `visit` with the items of a table, or those that an index has, in order, until it says to stop.
pub fn walk(
    tx: &Tx<'_>,
    table: &Table,
    index: Option<&Index>,
    stretch: &Stretch<'_>,
    visit: impl FnMut(Item) -> Result<bool, Error>,
) -> Result<(), Error> {
    let order = if stretch.backward { "DESC" } else { "ASC" };
    let Some(index) = index else {
        // The keys of a table are unique, so what comes after a row is a shorter stretch.
        let successor = stretch.after.map(|(key, _)| [key, &[0]].concat());
        let (from, to) = match (&successor, stretch.after) {
            (Some(successor), _) if !stretch.backward => (successor.as_slice().max(stretch.from), stretch.to),
            (_, Some((key, _))) => (stretch.from, key.min(stretch.to)),
            _ => (stretch.from, stretch.to),
        };
        let sql = format!("SELECT item FROM tables_items WHERE part = ?1 AND key >= ?2 AND key < ?3 ORDER BY key {order}");
        let mut statement = tx.statement(&sql)?;
        return visit_all(statement.query((table.number, from, to))?, visit);
    };
    let past = match (stretch.after.is_some(), stretch.backward) {
        (false, _) => "",
        (true, false) => "AND (x.key, x.item) > (?5, ?6)",
        (true, true) => "AND (x.key, x.item) < (?5, ?6)",
    };
    let sql = format!(
        "SELECT i.item FROM tables_index x CROSS JOIN tables_items i ON i.part = ?4 AND i.key = x.item
         WHERE x.part = ?1 AND x.key >= ?2 AND x.key < ?3 {past} ORDER BY x.key {order}, x.item {order}"
    );
    let mut statement = tx.statement(&sql)?;
    let part = part(table, index);
    let rows = match stretch.after {
        Some((key, item)) => statement.query((part, stretch.from, stretch.to, table.number, key, item))?,
        None => statement.query((part, stretch.from, stretch.to, table.number))?,
    };
    visit_all(rows, visit)
}

fn visit_all(mut rows: rusqlite::Rows<'_>, mut visit: impl FnMut(Item) -> Result<bool, Error>) -> Result<(), Error> {
    while let Some(row) = rows.next()? {
        let item = read_item(row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?)?;
        if !visit(item)? {
            break;
        }
    }
    Ok(())
}

pub fn put_expiry(tx: &Tx<'_>, table: &Table, at: i64, key: &[u8]) -> Result<(), Error> {
    tx.execute("INSERT OR REPLACE INTO tables_expiry (at, part, key) VALUES (?1, ?2, ?3)", (at, table.number, key))?;
    Ok(())
}

pub fn delete_expiry(tx: &Tx<'_>, table: &Table, at: i64, key: &[u8]) -> Result<(), Error> {
    tx.execute("DELETE FROM tables_expiry WHERE at = ?1 AND part = ?2 AND key = ?3", (at, table.number, key))?;
    Ok(())
}

pub fn clear_expiry(tx: &Tx<'_>, table: &Table) -> Result<(), Error> {
    tx.execute("DELETE FROM tables_expiry WHERE part = ?1", [table.number])?;
    Ok(())
}

/// Number of the table and key of the items that expired in the given seconds, oldest first.
pub fn expired(tx: &Tx<'_>, from: i64, to: i64, limit: usize) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    let sql = "SELECT part, key FROM tables_expiry WHERE at >= ?1 AND at <= ?2 ORDER BY at LIMIT ?3";
    tx.rows(sql, (from, to, limit as i64), |row| Ok((row.get(0)?, row.get(1)?)))
}

/// When the next item expires, in seconds.
pub fn next_expiry(tx: &Tx<'_>, from: i64) -> Result<Option<i64>, Error> {
    tx.row("SELECT at FROM tables_expiry WHERE at >= ?1 ORDER BY at LIMIT 1", [from], |row| row.get(0))
}

/// The digest that a token stands for, if it was used at `since` or later.
pub fn token(tx: &Tx<'_>, token: &str, since: i64) -> Result<Option<Vec<u8>>, Error> {
    tx.row("SELECT digest FROM tables_tokens WHERE token = ?1 AND at >= ?2", (token, since), |row| row.get(0))
}

/// Remembers a token, and forgets those from before `since`.
pub fn put_token(tx: &Tx<'_>, token: &str, digest: &[u8], at: i64, since: i64) -> Result<(), Error> {
    tx.execute("DELETE FROM tables_tokens WHERE at < ?1", [since])?;
    tx.execute("INSERT OR REPLACE INTO tables_tokens (token, digest, at) VALUES (?1, ?2, ?3)", (token, digest, at))?;
    Ok(())
}
