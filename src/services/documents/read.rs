//! Reads of documents by name, and lists of documents and collections.

use super::document::Document;
use super::name::{Database, FieldPath, Name, Parent};
use super::query::Query;
use super::run::{bill, each};
use super::store::{self, Collection, KEYS, Stretch};
use super::transaction::View;
use super::value::Timestamp;
use super::{Documents, Error, key};
use crate::base::Call;

/// Documents of a batch, in the order of the names.
#[derive(Clone, Debug, PartialEq)]
pub struct Got {
    pub documents: Vec<(Name, Option<Document>)>,
    /// When this was so.
    pub at: Timestamp,
}

/// Which documents of a collection to list.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub parent: Parent,
    pub collection: String,
    /// Documents of a page at most.
    pub size: usize,
    /// After the document of this identifier.
    pub after: Option<String>,
    /// Those too that are missing and have collections of their own.
    pub missing: bool,
    pub mask: Option<Vec<FieldPath>>,
}

/// A page of a list, by name. Those that are missing have no document.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    pub documents: Vec<(Name, Option<Document>)>,
    /// The identifier after which the next page begins.
    pub next: Option<String>,
}

/// Places at which the names of a group of collections are parted at most, and names that are gone through for each.
const PARTITIONS_MAX: usize = 10_000;

impl Documents {
    /// Reads documents as they are at one moment; `mask`: only these fields. Fails with [`Error::TransactionOver`], [`Error::TooOld`].
    pub async fn get(&self, call: &Call, names: &[Name], mask: Option<&[FieldPath]>, view: &View) -> Result<Got, Error> {
        if let View::Transaction(id) = view {
            self.transactions.queue(id, names).await?;
        }
        self.read(call, view, |tx| {
            let at = Timestamp::of_micros(store::read_at(tx)?);
            let mut documents = Vec::with_capacity(names.len());
            for name in names {
                documents.push((name.clone(), store::document(tx, name)?));
            }
            bill(tx, names.len() as u64);
            if let View::Transaction(id) = view {
                let updated = |document: &Option<Document>| document.as_ref().map(|document| document.updated.micros());
                self.transactions.saw_documents(id, documents.iter().map(|(name, document)| (name.clone(), updated(document))))?;
            }
            documents.iter_mut().filter_map(|(_, document)| document.as_mut()).for_each(|document| document.project(mask));
            Ok(Got { documents, at })
        })
        .await
    }

    /// A page of the documents of a collection. Fails with [`Error::Invalid`].
    pub async fn list(&self, call: &Call, list: &List, view: &View) -> Result<Listed, Error> {
        let database = &list.parent.database;
        let collection = Collection::at(database, &list.parent.collection(&list.collection)?);
        let from = list.after.as_deref().map_or(KEYS.0.to_vec(), |id| [key::of_id(id), vec![key::AFTER]].concat());
        self.read(call, view, |tx| {
            let mut found: Vec<(Name, Option<Document>)> = Vec::new();
            let stretch = Stretch::Names { from: from.clone(), to: KEYS.1.to_vec() };
            store::walk::<Error>(tx, database, &collection, &stretch, false, |mut document| {
                document.project(list.mask.as_deref());
                found.push((document.name.clone(), Some(document)));
                Ok(found.len() <= list.size)
            })?;
            bill(tx, found.len().min(list.size) as u64);
            if list.missing {
                for id in store::missing_parents(tx, database, &collection)? {
                    if key::of_id(&id) >= from {
                        found.push((Name::new(database.clone(), &format!("{}/{id}", collection.path))?, None));
                    }
                }
                found.sort_by_cached_key(|(name, _)| key::of_id(name.id()));
            }
            let more = found.len() > list.size;
            found.truncate(list.size);
            let next = found.last().filter(|_| more).map(|(name, _)| name.id().to_owned());
            Ok(Listed { documents: found, next })
        })
        .await
    }

    /// The identifiers of the collections right beneath a document or the root, after one, in order.
    pub async fn collections(&self, call: &Call, parent: &Parent, after: &str, limit: usize, view: &View) -> Result<Vec<String>, Error> {
        self.read(call, view, |tx| {
            let ids = store::collection_ids(tx, &parent.database, &parent.path, after, limit)?;
            bill(tx, 1);
            Ok(ids)
        })
        .await
    }

    /// Documents of all collections of an identifier, in the order of their names, at which to part that order into even parts.
    pub async fn partition(&self, call: &Call, query: &Query, parts: usize, view: &View) -> Result<Vec<Name>, Error> {
        let by_name = query.filter.is_none() && query.order.iter().all(|order| order.field.is_name() && !order.descending);
        if !by_name || !query.scope.descendants {
            return Err(Error::Invalid("Partition queries must be collection group queries ordered by __name__ ascending.".into()));
        }
        self.read(call, view, |tx| {
            let mut placed = Vec::new();
            each(tx, query, &mut 0, &mut |position, document| {
                placed.push((position, document.name));
                Ok(())
            })?;
            placed.sort();
            let parts = parts.min(PARTITIONS_MAX);
            let at = (1..=parts).map(|part| part * placed.len() / (parts + 1));
            let mut names: Vec<Name> = at.filter_map(|at| placed.get(at)).map(|(_, name)| name.clone()).collect();
            names.dedup();
            Ok(names)
        })
        .await
    }

    /// Forgets all documents of a database, without telling triggers.
    pub async fn clear(&self, call: &Call, database: &Database) -> Result<(), Error> {
        let (shared, database) = (self.shared.clone(), database.clone());
        self.db()
            .write(call, move |tx| {
                let at = store::tick(tx)?;
                store::clear(tx, &database)?;
                shared.recent.add_all(at.micros());
                shared.wake(tx);
                Ok(())
            })
            .await
    }
}
