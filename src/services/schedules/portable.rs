//! Schedules as text files: when they ran and will run. What they are is the project's to say.

use crate::base::Unit;
use crate::store::Tx;
use crate::store::portable::{Collection, Column, Error, Reader, json_of};

/// What this service has.
pub static COLLECTIONS: [Collection; 1] = [Collection {
    file: "schedules/schedules.jsonl",
    table: "schedules",
    order: "name",
    key: &["name"],
    columns: &[
        Column::text("name"),
        Column::text("expression"),
        Column::text("function"),
        Column::count("enabled", 1),
        Column::json("input", json_of::<serde_json::Value>).or_null(),
        Column::int("begun"),
        Column::int("lastRun").read("last_run").write("last_run", "?").or_null(),
        Column::int("nextRun").read("next_run").write("next_run", "?").or_null(),
    ],
}];

/// Reads the schedules into a state that has none.
pub fn import_in(tx: &mut Tx<'_>, from: &Reader) -> Result<(), Error> {
    COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))?;
    let count: Option<i64> = tx.row("SELECT count(*) FROM schedules", [], |row| row.get(0))?;
    tx.keep(Unit::Schedules, count.unwrap_or(0));
    Ok(())
}
