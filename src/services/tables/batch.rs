//! Many items at once, each on its own. Source: API reference, `BatchGetItem` and `BatchWriteItem`.

use std::collections::HashSet;

use super::capacity::{Consumed, Units};
use super::expression::Substitutes;
use super::item::{Write, check_item, check_put, delete_in, put_in};
use super::path;
use super::value::Item;
use super::{Error, Tables, store, table};
use crate::base::Call;

/// Keys that one request reads at most.
pub const GETS_MAX: usize = 100;
/// Writes of one request at most.
pub const WRITES_MAX: usize = 25;
/// Bytes that one request reads at most.
const BYTES_MAX: usize = 16 << 20;

/// Keys of one table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetMany {
    pub table: String,
    pub keys: Vec<Item>,
    pub projection: Option<String>,
    pub substitutes: Substitutes,
    pub consistent: bool,
}

/// Keys of several tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchGet {
    pub tables: Vec<GetMany>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchGot {
    /// By table, in the order asked.
    pub found: Vec<(String, Vec<Item>)>,
    /// What was left out because the answer is full: the table's position in the request, and its keys.
    pub unprocessed: Vec<(usize, Vec<Item>)>,
    pub consumed: Vec<Consumed>,
}

/// Writes to several tables: an item to put, or a key to delete.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchWrite {
    pub tables: Vec<(String, Vec<Result<Item, Item>>)>,
}

fn duplicates() -> Error {
    Error::Invalid("Provided list of item keys contains duplicates".into())
}

impl Tables {
    /// Reads many items. Fails with [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn batch_get(&self, call: &Call, batch: BatchGet) -> Result<BatchGot, Error> {
        if batch.tables.iter().map(|many| many.keys.len()).sum::<usize>() > GETS_MAX {
            return Err(Error::Invalid("Too many items requested for the BatchGetItem call".into()));
        }
        let mut projections = Vec::new();
        for many in &batch.tables {
            let scope = many.substitutes.open()?;
            projections.push(many.projection.as_deref().map(|text| scope.projection(text)).transpose()?);
            scope.close()?;
        }
        self.db
            .read(call, |tx| {
                let mut got = BatchGot { found: Vec::new(), unprocessed: Vec::new(), consumed: Vec::new() };
                let mut asked = Vec::new();
                for many in &batch.tables {
                    let table = table(&self.cache, tx, &many.table)?;
                    let keys = many.keys.iter().map(|key| table.definition.key_of(key)).collect::<Result<Vec<_>, _>>()?;
                    if keys.iter().collect::<HashSet<_>>().len() < keys.len() {
                        return Err(duplicates());
                    }
                    asked.push((table, keys));
                }
                let mut bytes = 0;
                for (at, (many, (table, keys))) in batch.tables.iter().zip(&asked).enumerate() {
                    let mut consumed = Consumed::new(&many.table);
                    let (mut items, mut left) = (Vec::new(), Vec::new());
                    for (key, attributes) in keys.iter().zip(&many.keys) {
                        if bytes >= BYTES_MAX {
                            left.push(attributes.clone());
                            continue;
                        }
                        let item = store::item(tx, table, key)?;
                        consumed.add_table(Units::read(item.as_ref().map_or(0, Item::bytes), many.consistent));
                        consumed.items.read += 1;
                        let Some(item) = item else { continue };
                        bytes += item.bytes();
                        items.push(match &projections[at] {
                            Some(paths) => path::project(&item, paths),
                            None => item,
                        });
                    }
                    consumed.bill(tx);
                    got.found.push((many.table.clone(), items));
                    got.consumed.push(consumed);
                    if !left.is_empty() {
                        got.unprocessed.push((at, left));
                    }
                }
                Ok(got)
            })
            .await
    }

    /// Writes many items. Fails with [`Error::NoSuchTable`], [`Error::Invalid`]; then nothing is written.
    pub async fn batch_write(&self, call: &Call, batch: BatchWrite) -> Result<Vec<Consumed>, Error> {
        if batch.tables.iter().map(|(_, writes)| writes.len()).sum::<usize>() > WRITES_MAX {
            return Err(Error::Invalid("Too many items requested for the BatchWriteItem call".into()));
        }
        for put in batch.tables.iter().flat_map(|(_, writes)| writes).filter_map(|write| write.as_ref().ok()) {
            check_item(put)?;
        }
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let mut all = Vec::new();
                for (name, writes) in batch.tables {
                    let table = table(&cache, tx, &name)?;
                    let mut seen = HashSet::new();
                    let mut consumed = Consumed::new(&name);
                    for write in writes {
                        let key = match &write {
                            Ok(item) => check_put(&table, item)?,
                            Err(key) => table.definition.key_of(key)?,
                        };
                        if !seen.insert(key.clone()) {
                            return Err(duplicates());
                        }
                        let (_, used) = match write {
                            Ok(item) => put_in(tx, &table, &key, item, &Write::default())?,
                            Err(_) => delete_in(tx, &table, &key, &Write::default())?,
                        };
                        consumed.merge(&used);
                    }
                    consumed.bill(tx);
                    all.push(consumed);
                }
                Ok(all)
            })
            .await
    }
}
