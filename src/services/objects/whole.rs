//! All large objects at once: for snapshots, and for states that take the place of others.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::{Error, Objects, SCHEMA, store};
use crate::store::blobs::{Adopted, Hold};
use crate::store::{Replacing, Schema, Tx};

impl Objects {
    /// Keeps all files until what this answers is dropped.
    pub fn hold(&self) -> Hold {
        self.blobs.hold()
    }

    /// Gives the new folder `to` the files that the database in the file `copy` names, a copy of this one. Call it with [`Objects::hold`]
    /// since before the copy was made.
    pub fn share(&self, copy: &Path, to: &Path) -> Result<(), Error> {
        let connection = Connection::open_with_flags(copy, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(crate::store::Error::from)?;
        let mut names = connection.prepare(store::BLOBS).map_err(crate::store::Error::from)?;
        let names = names.query_map([], |row| row.get(0)).and_then(Iterator::collect::<Result<Vec<String>, _>>);
        Ok(self.blobs.share(&names.map_err(crate::store::Error::from)?, to)?)
    }

    /// As [`Replacing::take_over`], with the files: those of the folder `from` are taken in. Keep what this answers once it is committed.
    pub fn take_over(&self, replacing: &mut Replacing<'_, '_>, parts: &[&Schema], from: &Path) -> Result<Option<TakenOver>, Error> {
        if !parts.iter().any(|schema| schema.part == SCHEMA.part) {
            replacing.take_over(parts)?;
            return Ok(None);
        }
        let old = names(replacing.tx)?;
        replacing.take_over(parts)?;
        let adopted = self.blobs.adopt(from, names(replacing.tx)?)?;
        for (there, here) in adopted.names() {
            replacing.tx.execute("UPDATE objects_pieces SET blob = ?2 WHERE blob = ?1", (there, here))?;
        }
        Ok(Some(TakenOver { objects: self.clone(), old, adopted }))
    }
}

fn names(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
    Ok(store::blobs(tx)?.into_iter().collect())
}

/// The files of a state that took the place of another. Where this is dropped they go again.
pub struct TakenOver {
    objects: Objects,
    old: Vec<String>,
    adopted: Adopted,
}

impl TakenOver {
    /// It is committed: the files of the state before go.
    pub fn keep(self) {
        self.adopted.keep();
        self.objects.blobs.remove(&self.old);
    }
}
