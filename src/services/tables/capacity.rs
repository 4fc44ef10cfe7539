//! Read and write units. Source: "DynamoDB capacity units" in the developer guide.

use std::collections::BTreeMap;

use crate::base::Unit;
use crate::store::Tx;

/// Units of reads (in halves) and writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Units {
    /// Half a read unit each.
    pub read_halves: u64,
    pub writes: u64,
}

impl Units {
    /// Read units of `bytes`, read with or without strong consistency. Reading nothing costs as much as 4 KB.
    pub fn read(bytes: usize, consistent: bool) -> Units {
        let blocks = bytes.div_ceil(4096).max(1) as u64;
        Units { read_halves: if consistent { blocks * 2 } else { blocks }, writes: 0 }
    }

    /// Write units of a write that was `old` bytes before and is `new` after: the larger counts.
    pub fn write(old: usize, new: usize) -> Units {
        Units { read_halves: 0, writes: old.max(new).div_ceil(1024).max(1) as u64 }
    }

    fn add(&mut self, other: Units) {
        self.read_halves += other.read_halves;
        self.writes += other.writes;
    }

    /// As the API tells it: units, halves as `.5`.
    pub fn total(self) -> f64 {
        self.read_halves as f64 / 2.0 + self.writes as f64
    }
}

/// Items that were dealt with, whatever their size: what document databases bill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Items {
    pub read: u64,
    pub put: u64,
    pub deleted: u64,
}

/// What a request used of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Consumed {
    pub table_name: String,
    pub items: Items,
    pub table: Units,
    pub local: BTreeMap<String, Units>,
    pub global: BTreeMap<String, Units>,
}

impl Consumed {
    /// Nothing yet.
    pub fn new(table_name: &str) -> Consumed {
        Consumed { table_name: table_name.to_owned(), ..Consumed::default() }
    }

    /// Table and indexes together.
    pub fn total(&self) -> Units {
        let mut total = self.table;
        self.local.values().chain(self.global.values()).for_each(|units| total.add(*units));
        total
    }

    /// Adds to the table's own.
    pub fn add_table(&mut self, units: Units) {
        self.table.add(units);
    }

    /// Adds to an index's.
    pub fn add_index(&mut self, local: bool, name: &str, units: Units) {
        let indexes = if local { &mut self.local } else { &mut self.global };
        indexes.entry(name.to_owned()).or_default().add(units);
    }

    /// Adds what another request to the same table used.
    pub fn merge(&mut self, other: &Consumed) {
        self.table.add(other.table);
        self.items.read += other.items.read;
        self.items.put += other.items.put;
        self.items.deleted += other.items.deleted;
        for (name, units) in &other.local {
            self.add_index(true, name, *units);
        }
        for (name, units) in &other.global {
            self.add_index(false, name, *units);
        }
    }

    /// Transactions do everything twice; the items stay the same.
    pub fn double(&mut self) {
        for units in std::iter::once(&mut self.table).chain(self.local.values_mut()).chain(self.global.values_mut()) {
            units.read_halves *= 2;
            units.writes *= 2;
        }
    }

    /// Puts it on the bill.
    pub(super) fn bill(&self, tx: &mut Tx<'_>) {
        let total = self.total();
        if total.read_halves > 0 {
            tx.count(Unit::TableReadHalves, total.read_halves);
        }
        if total.writes > 0 {
            tx.count(Unit::TableWrites, total.writes);
        }
        let Items { read, put, deleted } = self.items;
        for (unit, amount) in [(Unit::TableItemsRead, read), (Unit::TableItemsPut, put), (Unit::TableItemsDeleted, deleted)] {
            if amount > 0 {
                tx.count(unit, amount);
            }
        }
    }
}
