//! The table of the schedules.

use rusqlite::Row;

use super::Schedule;
use crate::base::Time;
use crate::store::{Error, Schema, Tx};

/// The tables of the schedules.
pub static SCHEMA: Schema = Schema {
    part: "schedules",
    steps: &[
        "CREATE TABLE schedules (
            name TEXT PRIMARY KEY,
            expression TEXT NOT NULL,
            function TEXT NOT NULL,
            enabled INTEGER NOT NULL,
            input TEXT,
            begun INTEGER NOT NULL,
            last_run INTEGER,
            next_run INTEGER
        ) WITHOUT ROWID;
        CREATE INDEX schedules_by_next_run ON schedules (next_run);",
        "
        -- What a state has that was kept before stocks were.
        INSERT INTO stocks SELECT 'schedules', count(*) FROM schedules;",
    ],
};

fn read(row: &Row<'_>) -> rusqlite::Result<Schedule> {
    Ok(Schedule {
        name: row.get(0)?,
        expression: row.get(1)?,
        function: row.get(2)?,
        enabled: row.get(3)?,
        input: row.get(4)?,
        begun: Time(row.get(5)?),
        last_run: row.get::<_, Option<i64>>(6)?.map(Time),
        next_run: row.get::<_, Option<i64>>(7)?.map(Time),
    })
}

pub(super) fn all(tx: &Tx<'_>) -> Result<Vec<Schedule>, Error> {
    tx.rows("SELECT name, expression, function, enabled, input, begun, last_run, next_run FROM schedules ORDER BY name", [], read)
}

/// The schedules that are due by now, the earliest first.
pub(super) fn due(tx: &Tx<'_>) -> Result<Vec<Schedule>, Error> {
    tx.rows(
        "SELECT name, expression, function, enabled, input, begun, last_run, next_run FROM schedules
         WHERE next_run <= ?1 ORDER BY next_run, name",
        [tx.now().millis()],
        read,
    )
}

pub(super) fn next_due(tx: &Tx<'_>) -> Result<Option<Time>, Error> {
    Ok(tx.row("SELECT min(next_run) FROM schedules", [], |row| row.get::<_, Option<i64>>(0))?.flatten().map(Time))
}

pub(super) fn put_in(tx: &mut Tx<'_>, schedule: &Schedule) -> Result<(), Error> {
    tx.execute(
        "INSERT OR REPLACE INTO schedules (name, expression, function, enabled, input, begun, last_run, next_run)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (
            &schedule.name,
            &schedule.expression,
            &schedule.function,
            schedule.enabled,
            &schedule.input,
            schedule.begun.millis(),
            schedule.last_run.map(Time::millis),
            schedule.next_run.map(Time::millis),
        ),
    )
    .map(|_| ())
}

pub(super) fn remove_in(tx: &mut Tx<'_>, name: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM schedules WHERE name = ?1", [name]).map(|_| ())
}
