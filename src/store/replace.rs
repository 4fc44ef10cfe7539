//! Another state in the place of this one, in one transaction: a process that is killed leaves the old or the new one.
//!
//! The rows of another database take the place of those here. The era ends with the commit: what was under way before it finds that
//! it belongs to the past (see [`crate::base::era`]).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::Connection;

use super::db::lock;
use super::writer::{Tx, finish};
use super::{Db, Error, Schema, clock, outbox, stock};
use crate::base::Unit;

/// What a file name must not contain as it stands in SQLite's `file:` names.
const QUOTED: &AsciiSet = &CONTROLS.add(b'%').add(b'?').add(b'#').add(b' ');

/// A change of the state as a whole, under way: everything that a transaction can do, and taking rows over.
pub struct Replacing<'t, 'a> {
    /// The transaction. After [`Replacing::take_over`] of all parts its time is that of the new state's clock.
    pub tx: &'t mut Tx<'a>,
}

impl Replacing<'_, '_> {
    /// Puts the other database's rows of these parts in the place of those here. Where the clock is among them, it stands as the other
    /// state says from now on.
    pub fn take_over(&mut self, parts: &[&Schema]) -> Result<(), Error> {
        for table in parts.iter().flat_map(|schema| tables_of(schema)) {
            self.tx.execute(&format!("DELETE FROM main.{table}"), [])?;
            self.tx.execute(&format!("INSERT INTO main.{table} SELECT * FROM other.{table}"), [])?;
        }
        if parts.iter().any(|schema| schema.part == clock::SCHEMA.part) {
            let standing = self.tx.standing()?;
            self.tx.stand(standing);
        }
        Ok(())
    }
}

impl Replacing<'_, '_> {
    /// Takes over how much is kept of one stock; with all parts that comes along.
    pub fn take_over_stock(&mut self, unit: Unit) -> Result<(), Error> {
        self.tx.execute("DELETE FROM main.stocks WHERE unit = ?1", [unit.label()])?;
        self.tx.execute("INSERT INTO main.stocks SELECT * FROM other.stocks WHERE unit = ?1", [unit.label()])?;
        Ok(())
    }
}

/// The tables that a part has, in the order in which they were made.
pub fn tables_of(schema: &Schema) -> impl Iterator<Item = &'static str> + use<> {
    let statements = schema.steps.iter().flat_map(|step| step.split(';'));
    statements.filter_map(|statement| {
        let rest = statement.trim_start().strip_prefix("CREATE TABLE ")?;
        rest.split(|c: char| c.is_whitespace() || c == '(').next()
    })
}

impl Db {
    /// The parts that belong to the store itself: with those of the services and the triggers they are all there is.
    pub fn own_schemas() -> [&'static Schema; 3] {
        [&outbox::SCHEMA, &clock::SCHEMA, &stock::SCHEMA]
    }

    /// Runs `change` with the database in the file `other` at hand and, once that is committed, ends the era. `other` must have the same
    /// tables as this one ([`Error::Newer`] and [`Error::Older`] where it has not) and must not be written to meanwhile. Blocks.
    pub fn replace<T, E: From<Error>>(&self, other: &Path, change: impl FnOnce(&mut Replacing<'_, '_>) -> Result<T, E>) -> Result<T, E> {
        let result = self.replace_locked(other, change);
        // Writes that came meanwhile have left it to us to begin with them.
        finish(self);
        result
    }

    fn replace_locked<T, E: From<Error>>(&self, other: &Path, change: impl FnOnce(&mut Replacing<'_, '_>) -> Result<T, E>) -> Result<T, E> {
        let connection = lock(self.inner().writer.connection());
        attach(&connection, other)?;
        let standing = self.clock().standing();
        let result = compare(&connection).map_err(E::from).and_then(|()| {
            run(&connection, "BEGIN IMMEDIATE")?;
            let mut tx = Tx::writing(&connection, self.inner());
            let changed = catch_unwind(AssertUnwindSafe(|| change(&mut Replacing { tx: &mut tx })));
            let changed = changed.unwrap_or_else(|_| Err(Error::Panicked.into()))?;
            tx.store_stocks()?;
            run(&connection, "COMMIT")?;
            Ok(changed)
        });
        if result.is_err() {
            if !connection.is_autocommit() {
                let _ = run(&connection, "ROLLBACK");
            }
            self.clock().stand(standing);
        } else {
            self.eras().begin_next();
        }
        if let Err(error) = run(&connection, "DETACH other") {
            tracing::warn!(%error, "a database could not be let go of");
        }
        drop(connection);
        if result.is_ok() {
            self.wake_all();
            self.checkpoint_soon();
        }
        result
    }
}

fn attach(connection: &Connection, other: &Path) -> Result<(), Error> {
    let name = other.to_str().ok_or_else(|| std::io::Error::new(std::io::ErrorKind::InvalidFilename, "the path is not text"))?;
    connection.execute("ATTACH ?1 AS other", [format!("file:{}?mode=ro&immutable=1", utf8_percent_encode(name, QUOTED))])?;
    Ok(())
}

/// Fails where the two databases do not have the same tables.
fn compare(connection: &Connection) -> Result<(), Error> {
    let mut statement = connection.prepare(
        "SELECT part, max(here), max(there) FROM (
            SELECT part, version AS here, 0 AS there FROM main.schema_versions UNION ALL SELECT part, 0, version FROM other.schema_versions)
         GROUP BY part HAVING max(here) <> max(there)",
    )?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(()) };
    let (part, known, found): (String, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Err(if found > known { Error::Newer { part, found, known } } else { Error::Older { part } })
}

fn run(connection: &Connection, sql: &str) -> Result<(), Error> {
    Ok(connection.prepare_cached(sql)?.execute([]).map(|_| ())?)
}
