//! Writes: several documents at once, all or none of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::document::{self, Document};
use super::event::{Change as Changed, tell};
use super::index::{Entry, entries};
use super::name::{Database, FieldPath, Name};
use super::transform::Transform;
use super::value::{Fields, Timestamp, Value};
use super::{Documents, Error, TRANSFORMS_MAX, index, store, transaction};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// What must be so for a write to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// The document is there, or is not.
    Exists(bool),
    /// It was changed last at this time.
    Updated(Timestamp),
}

/// A write of one document.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    pub name: Name,
    pub change: Change,
    pub precondition: Option<Precondition>,
    /// What is done to its fields after the change, in this order.
    pub transforms: Vec<Transform>,
}

/// What becomes of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// These are its fields. `mask`: only these are changed, and those of them that `fields` lacks are taken away.
    Put {
        fields: Fields,
        mask: Option<Vec<FieldPath>>,
    },
    Delete,
    /// It stays as it is, if the precondition holds.
    Verify,
}

/// What a write did.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// When the document was changed last; `None` after a delete.
    pub updated: Option<Timestamp>,
    /// A value for each transform, in order.
    pub transformed: Vec<Value>,
}

/// What a commit did.
#[derive(Clone, Debug, PartialEq)]
pub struct Committed {
    pub at: Timestamp,
    pub written: Vec<Written>,
    /// Index entries that were stored or forgotten.
    pub index_entries: u64,
}

impl Documents {
    /// Does all writes, in order, or none. With a transaction: only if what that has read is still so.
    ///
    /// Fails with [`Error::Missing`], [`Error::Exists`], [`Error::Changed`], [`Error::Contention`], [`Error::TransactionOver`],
    /// [`Error::Invalid`].
    pub async fn commit(
        &self,
        call: &Call,
        database: &Database,
        writes: Vec<Write>,
        transaction: Option<&[u8]>,
    ) -> Result<Committed, Error> {
        for write in &writes {
            write.check(database)?;
        }
        let mut taken = match transaction {
            Some(id) => Some(self.transactions.take(self.db(), database, id)?),
            None => None,
        };
        let transaction = taken.as_mut().and_then(transaction::Taken::transaction);
        let contended = transaction.as_ref().map(|transaction| transaction.written_again(&writes));
        let shared = self.shared.clone();
        let result = self
            .db()
            .write(call, move |tx| {
                match &transaction {
                    // It saw one moment, and nothing depends on it.
                    Some(transaction) if transaction.read_only && writes.is_empty() => {}
                    Some(transaction) if transaction.read_only => {
                        return Err(Error::Invalid("Cannot modify entities in a read-only transaction.".into()));
                    }
                    Some(transaction) => transaction::verify_in(tx, transaction)?,
                    None => {}
                }
                commit_in(tx, &shared, &writes)
            })
            .await;
        if let Some(contended) = contended {
            self.transactions.learn(contended);
        }
        result
    }

    /// Does each write by itself, in order: some may fail. No document may be written twice.
    pub async fn write_each(&self, call: &Call, database: &Database, writes: Vec<Write>) -> Result<Vec<Result<Written, Error>>, Error> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = writes.iter().find(|write| !seen.insert(write.name.clone())) {
            return Err(Error::Invalid(format!("A document cannot be written to more than once in a single request: {}", twice.name)));
        }
        // All at once, so that they can share a commit.
        let each = writes.into_iter().map(|write| async move {
            let committed = self.commit(call, database, vec![write], None).await?;
            Ok::<_, Error>(committed.written.into_iter().next().unwrap_or(Written { updated: None, transformed: Vec::new() }))
        });
        Ok(futures_util::future::join_all(each).await)
    }
}

impl Write {
    /// Fails with [`Error::Invalid`] where it cannot be done to any document of the database.
    fn check(&self, database: &Database) -> Result<(), Error> {
        if self.name.database != *database {
            return Err(Error::Invalid(format!("The document {} is not in the database {database} of the request.", self.name)));
        }
        if self.transforms.len() > TRANSFORMS_MAX {
            return Err(Error::Invalid(format!(
                "Cannot transform more than {TRANSFORMS_MAX} fields of a document at once: {} has {}.",
                self.name,
                self.transforms.len()
            )));
        }
        if let Change::Put { mask: Some(mask), .. } = &self.change
            && let Some(name) = mask.iter().find(|path| path.is_name())
        {
            return Err(Error::Invalid(format!("The field mask may not name {name}.")));
        }
        Ok(())
    }
}

/// Does writes in somebody's transaction.
pub(super) fn commit_in(tx: &mut Tx<'_>, shared: &Arc<super::Shared>, writes: &[Write]) -> Result<Committed, Error> {
    let at = store::tick(tx)?;
    let mut written = Vec::with_capacity(writes.len());
    let mut index_entries = 0;
    for write in writes {
        let old = store::document(tx, &write.name)?;
        check_precondition(write, old.as_ref())?;
        let (result, moved) = apply(tx, shared, write, old, at)?;
        written.push(result);
        index_entries += moved;
    }
    Ok(Committed { at, written, index_entries })
}

fn check_precondition(write: &Write, old: Option<&Document>) -> Result<(), Error> {
    match (write.precondition, old) {
        (None | Some(Precondition::Exists(true)), Some(_)) | (None | Some(Precondition::Exists(false)), None) => Ok(()),
        (Some(Precondition::Exists(true)), None) => Err(Error::Missing(write.name.clone())),
        (Some(Precondition::Exists(false)), Some(_)) => Err(Error::Exists(write.name.clone())),
        (Some(Precondition::Updated(_)), None) => Err(Error::Missing(write.name.clone())),
        (Some(Precondition::Updated(wanted)), Some(old)) if old.updated == wanted => Ok(()),
        (Some(Precondition::Updated(wanted)), Some(old)) => Err(Error::Changed { found: old.updated, wanted }),
    }
}

fn apply(
    tx: &mut Tx<'_>,
    shared: &Arc<super::Shared>,
    write: &Write,
    old: Option<Document>,
    at: Timestamp,
) -> Result<(Written, u64), Error> {
    let now = Timestamp::of_micros(store::now_micros(tx));
    let (mut fields, before) = match (&write.change, &old) {
        (Change::Verify, _) => {
            tx.count(Unit::TableItemsRead, 1);
            return Ok((Written { updated: old.map(|old| old.updated), transformed: Vec::new() }, 0));
        }
        (Change::Delete, _) => {
            tx.count(Unit::TableItemsDeleted, 1);
            let moved = delete(tx, shared, old, at)?;
            return Ok((Written { updated: None, transformed: Vec::new() }, moved));
        }
        (Change::Put { fields, mask: None }, old) => (fields.clone(), old),
        (Change::Put { fields, mask: Some(mask) }, old) => {
            let mut merged = old.as_ref().map_or_else(Fields::new, |old| old.fields.clone());
            for path in mask {
                match document::get(fields, path) {
                    Some(value) => document::set(&mut merged, path, value.clone()),
                    None => document::remove(&mut merged, path),
                }
            }
            (merged, old)
        }
    };
    tx.count(Unit::TableItemsPut, 1);
    let mut transformed = Vec::with_capacity(write.transforms.len());
    for transform in &write.transforms {
        let (value, told) = transform.apply(document::get(&fields, &transform.field), now)?;
        document::set(&mut fields, &transform.field, value);
        transformed.push(told);
    }
    document::check(&write.name, &fields)?;
    if let Some(before) = before.as_ref().filter(|before| same(&before.fields, &fields)) {
        // Nothing has changed: it was changed last when it was.
        return Ok((Written { updated: Some(before.updated), transformed }, 0));
    }
    let created = before.as_ref().map_or(at, |before| before.created);
    let document = Document { name: write.name.clone(), fields, created, updated: at };
    let moved = put(tx, shared, old.as_ref(), &document)?;
    tell(tx, shared, &Changed { old: old.as_ref(), new: Some(&document), at })?;
    Ok((Written { updated: Some(at), transformed }, moved))
}

/// Whether fields are the same to the bit: 1 is not 1.0, and NaN is NaN.
fn same(a: &Fields, b: &Fields) -> bool {
    super::blob::encode(a) == super::blob::encode(b)
}

/// Stores a document and what differs of its index entries; answers how many those are.
pub(super) fn put(tx: &mut Tx<'_>, shared: &Arc<super::Shared>, old: Option<&Document>, new: &Document) -> Result<u64, Error> {
    let collection = index::collection_number(new.name.database.as_str(), new.name.collection());
    let before = old.map_or_else(|| Ok(BTreeSet::new()), |old| entries(collection, &old.fields))?;
    let after = entries(collection, &new.fields)?;
    let gone: Vec<&Entry> = before.difference(&after).collect();
    let come: Vec<&Entry> = after.difference(&before).collect();
    store::put(tx, new, old.is_none(), &gone, &come)?;
    shared.changed(&new.name, new.updated);
    Ok((gone.len() + come.len()) as u64)
}

fn delete(tx: &mut Tx<'_>, shared: &Arc<super::Shared>, old: Option<Document>, at: Timestamp) -> Result<u64, Error> {
    let Some(old) = old else { return Ok(0) };
    let collection = index::collection_number(old.name.database.as_str(), old.name.collection());
    let before = entries(collection, &old.fields)?;
    store::delete(tx, &old.name, &before.iter().collect::<Vec<_>>())?;
    shared.changed(&old.name, at);
    tell(tx, shared, &Changed { old: Some(&old), new: None, at })?;
    Ok(before.len() as u64)
}
