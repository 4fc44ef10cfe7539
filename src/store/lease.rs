//! Rows that are handed out for a while and come back unless they are acknowledged: one idea for queues and deliveries.
//!
//! A leased table has the columns `id INTEGER PRIMARY KEY`, `due INTEGER` (not handed out before this time, in ms),
//! `attempts INTEGER` (how often it was handed out) and `receipt TEXT` (who has it; NULL before the first time).

use rusqlite::ToSql;

use super::{Error, Tx};
use crate::base::Time;

/// A row that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub id: i64,
    /// Proves who holds the row; a later claim of the same row makes it worthless.
    pub receipt: String,
    /// How often the row was handed out, this time included.
    pub attempts: u32,
}

/// Hands out up to `limit` due rows of `table` that meet `filter` (SQL over its columns, parameters from `?1`), oldest first,
/// until `until`. Fails only as the database does.
pub fn claim(tx: &mut Tx<'_>, table: &str, filter: (&str, &[&dyn ToSql]), limit: usize, until: Time) -> Result<Vec<Lease>, Error> {
    let (filter, parameters) = filter;
    let sql = format!("SELECT id, attempts FROM {table} WHERE due <= {} AND ({filter}) ORDER BY id LIMIT {limit}", tx.now().millis());
    let due: Vec<(i64, u32)> = tx.rows_uncached(&sql, parameters, |row| Ok((row.get(0)?, row.get(1)?)))?;
    due.into_iter().map(|(id, attempts)| take(tx, table, id, attempts, until)).collect()
}

/// Hands out one row that the caller has already found to be free.
pub fn take(tx: &mut Tx<'_>, table: &str, id: i64, attempts: u32, until: Time) -> Result<Lease, Error> {
    let receipt = tx.ids().hex(16);
    let attempts = attempts.saturating_add(1);
    tx.execute(
        &format!("UPDATE {table} SET due = ?1, attempts = ?2, receipt = ?3 WHERE id = ?4"),
        (until.millis(), attempts, &receipt, id),
    )?;
    Ok(Lease { id, receipt, attempts })
}

/// Removes a row that its holder has dealt with. False where the receipt is no longer the row's.
pub fn acknowledge(tx: &mut Tx<'_>, table: &str, id: i64, receipt: &str) -> Result<bool, Error> {
    Ok(tx.execute(&format!("DELETE FROM {table} WHERE id = ?1 AND receipt = ?2"), (id, receipt))? == 1)
}

/// Gives a row back, or extends its lease: it is handed out again from `due` on. False where the receipt is no longer the row's.
pub fn defer(tx: &mut Tx<'_>, table: &str, id: i64, receipt: &str, due: Time) -> Result<bool, Error> {
    Ok(tx.execute(&format!("UPDATE {table} SET due = ?1 WHERE id = ?2 AND receipt = ?3"), (due.millis(), id, receipt))? == 1)
}

/// Gives a row back without a holder: it is handed out again from `due` on. False where the receipt is no longer the row's.
pub fn release(tx: &mut Tx<'_>, table: &str, id: i64, receipt: &str, due: Time) -> Result<bool, Error> {
    let sql = format!("UPDATE {table} SET due = ?1, receipt = NULL WHERE id = ?2 AND receipt = ?3");
    Ok(tx.execute(&sql, (due.millis(), id, receipt))? == 1)
}

/// Takes back every row that somebody holds; answers how many. For tables whose rows are only handed out within this process, at
/// its start: whoever held them is gone.
pub fn void(tx: &mut Tx<'_>, table: &str) -> Result<usize, Error> {
    let now = tx.now().millis();
    tx.execute(&format!("UPDATE {table} SET due = ?1, receipt = NULL WHERE receipt IS NOT NULL"), [now])
}

/// When the next row of `table` that meets `filter` is due.
pub fn next_due(tx: &Tx<'_>, table: &str, filter: (&str, &[&dyn ToSql])) -> Result<Option<Time>, Error> {
    let (filter, parameters) = filter;
    let sql = format!("SELECT min(due) FROM {table} WHERE {filter}");
    let due: Vec<Option<i64>> = tx.rows_uncached(&sql, parameters, |row| row.get(0))?;
    Ok(due.into_iter().next().flatten().map(Time))
}
