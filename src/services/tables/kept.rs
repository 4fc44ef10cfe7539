//! The bytes that items and the entries of indexes are billed for while they are kept.

use super::definition::{Index, Table};
use super::store::{self, KEY_END, Stretch};
use super::value::Item;
use crate::base::Unit;
use crate::store::{Error, Tx};

/// What is billed beside the bytes of each item, and of each entry of an index. Source: developer guide, "DynamoDB item sizes and formats"
/// (storage overhead for indexing), and "Global secondary indexes" (storage considerations).
const OVERHEAD_BYTES: usize = 100;

/// Tells that an item of so many bytes, or an entry of an index, is now one of so many; `None` is none.
pub(super) fn change(tx: &mut Tx<'_>, old: Option<usize>, new: Option<usize>) {
    let stored = |bytes: Option<usize>| bytes.map_or(0, |bytes| bytes.saturating_add(OVERHEAD_BYTES) as i64);
    tx.keep(Unit::TableBytesStored, stored(new) - stored(old));
}

/// The bytes of all entries of an index.
pub(super) fn index_bytes(tx: &Tx<'_>, table: &Table, index: &Index) -> Result<i64, Error> {
    let mut bytes = 0;
    let stretch = Stretch { from: &[], to: KEY_END, backward: false, after: None };
    store::walk(tx, table, Some(index), &stretch, |item| {
        bytes += entry_bytes(table, index, &item);
        Ok(true)
    })?;
    Ok(bytes)
}

/// The bytes of an item's entry in an index.
pub(super) fn entry_bytes(table: &Table, index: &Index, item: &Item) -> i64 {
    (table.definition.project(index, item).bytes() + OVERHEAD_BYTES) as i64
}

/// Tells that everything of a table is gone.
pub(super) fn forget_table(tx: &mut Tx<'_>, table: &Table) -> Result<(), Error> {
    let (items, bytes) = store::totals(tx, table)?;
    let mut gone = (bytes + items * OVERHEAD_BYTES as u64) as i64;
    for index in table.definition.indexes() {
        gone += index_bytes(tx, table, index)?;
    }
    tx.keep(Unit::TableBytesStored, -gone);
    Ok(())
}

/// Tells that an index is gone.
pub(super) fn forget_index(tx: &mut Tx<'_>, table: &Table, index: &Index) -> Result<(), Error> {
    let gone = index_bytes(tx, table, index)?;
    tx.keep(Unit::TableBytesStored, -gone);
    Ok(())
}
