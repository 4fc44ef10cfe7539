//! How the World's clock stands to the machine's: part of the state, so that it is there after a restart, and in snapshots and exports.

use rusqlite::Connection;

use super::{Db, Error, Schema, Tx};
use crate::base::{Call, Standing};

pub(super) static SCHEMA: Schema =
    Schema { part: "clock", steps: &["CREATE TABLE clock_standing (only INTEGER PRIMARY KEY CHECK (only = 1), body TEXT NOT NULL)"] };

const READ: &str = "SELECT body FROM clock_standing";

impl Db {
    /// Keeps how the clock stands now.
    pub async fn keep_clock(&self, call: &Call) -> Result<(), Error> {
        let standing = self.clock().standing();
        self.write(call, move |tx| tx.put_standing(standing)).await
    }
}

impl Tx<'_> {
    /// How the clock stands by what is stored; running with the machine's where nothing is.
    pub fn standing(&self) -> Result<Standing, Error> {
        let body: Option<String> = self.row(READ, [], |row| row.get(0))?;
        body.map_or(Ok(Standing::default()), |body| read(&body))
    }

    /// Stores how the clock is to stand from the next start on.
    pub fn put_standing(&self, standing: Standing) -> Result<(), Error> {
        self.execute("DELETE FROM clock_standing", [])?;
        if standing != Standing::default() {
            let body = serde_json::to_string(&standing).expect("a standing is plain data");
            self.execute("INSERT INTO clock_standing (only, body) VALUES (1, ?1)", [body])?;
        }
        Ok(())
    }
}

/// What is stored in a database that is being opened; `None` where nothing is.
pub(super) fn stored(connection: &Connection) -> Result<Option<Standing>, Error> {
    let mut statement = connection.prepare(READ)?;
    let mut rows = statement.query([])?;
    match rows.next()? {
        Some(row) => Ok(Some(read(&row.get::<_, String>(0)?)?)),
        None => Ok(None),
    }
}

fn read(body: &str) -> Result<Standing, Error> {
    serde_json::from_str(body).map_err(|_| Error::Corrupt("the clock"))
}
