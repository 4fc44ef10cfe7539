//! What is kept for a month: bytes of tables and objects, schedules. The sums are kept up by the transactions that change them, so that
//! nobody has to go through the data to know them, and one statement does for all writes that share a commit.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::Error;
use super::db::Schema;
use crate::base::{Unit, Usage};

pub(super) static SCHEMA: Schema =
    Schema { part: "stocks", steps: &["CREATE TABLE stocks (unit TEXT PRIMARY KEY, amount INTEGER NOT NULL) WITHOUT ROWID"] };

/// The units that are stocks.
const UNITS: [Unit; 3] = [Unit::TableBytesStored, Unit::ObjectBytesStored, Unit::Schedules];

/// Changes of what is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Stocks([i64; UNITS.len()]);

impl Stocks {
    /// Adds to one; units that are no stocks are left alone.
    pub(super) fn change(&mut self, unit: Unit, change: i64) {
        if let Some(at) = UNITS.iter().position(|stock| *stock == unit) {
            self.0[at] = self.0[at].saturating_add(change);
        }
    }

    /// Adds other changes.
    pub(super) fn add(&mut self, other: Stocks) {
        for (own, change) in self.0.iter_mut().zip(other.0) {
            *own = own.saturating_add(change);
        }
    }

    /// Stores the changes, if there are any, in the transaction that is open.
    pub(super) fn store(self, connection: &Connection) -> rusqlite::Result<()> {
        for (unit, change) in UNITS.iter().zip(self.0).filter(|(_, change)| *change != 0) {
            connection
                .prepare_cached(
                    "INSERT INTO stocks (unit, amount) VALUES (?1, ?2) ON CONFLICT (unit) DO UPDATE SET amount = amount + excluded.amount",
                )?
                .execute((unit.label(), change))?;
        }
        Ok(())
    }
}

/// What is kept, as a transaction sees it.
pub(super) fn all(connection: &Connection) -> rusqlite::Result<Usage> {
    let mut kept = Usage::default();
    let mut statement = connection.prepare_cached("SELECT unit, amount FROM stocks")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if let Some(unit) = Unit::of(&row.get::<_, String>(0)?) {
            kept.add(unit, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
        }
    }
    Ok(kept)
}

/// What is kept in a database file, whether a World has it open or not. Nothing where there is no file, or one of an emu that did not count.
pub fn kept_in(path: &Path) -> Result<Usage, Error> {
    if !path.exists() {
        return Ok(Usage::default());
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(std::time::Duration::from_secs(10))?;
    let counted = connection.query_row("SELECT count(*) FROM sqlite_master WHERE name = 'stocks'", [], |row| row.get::<_, i64>(0))? > 0;
    Ok(if counted { all(&connection)? } else { Usage::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_that_is_kept_for_a_month_is_a_stock() {
        let stocks: Vec<Unit> = Unit::ALL.iter().copied().filter(|unit| unit.is_stock()).collect();
        assert_eq!(stocks, UNITS);
    }
}
