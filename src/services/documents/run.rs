//! Finds what a query asks for.

use super::document::Document;
use super::nearest;
use super::plan::{self, Path};
use super::query::Query;
use super::store::{self, Collection};
use super::{Documents, Error, transaction};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// What a query found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// In the query's order.
    pub documents: Vec<Document>,
    /// Left out at the start.
    pub skipped: u64,
    /// When this was so, in microseconds.
    pub at_micros: i64,
    /// Index entries, or documents where there is no index for it, that were gone through.
    pub scanned: u64,
}

impl Documents {
    /// Finds documents. Fails with [`Error::Invalid`], [`Error::TransactionOver`].
    pub async fn query(&self, call: &Call, query: &Query, view: &transaction::View) -> Result<Found, Error> {
        self.adviser.see(query)?;
        self.read(call, view, |tx| {
            let found = run_in(tx, query)?;
            bill(tx, found.documents.len() as u64 + found.skipped);
            if let transaction::View::Transaction(id) = view {
                self.transactions.saw_query(id, query, &found)?;
            }
            Ok(found)
        })
        .await
    }
}

/// One read for each document, and one at least. Source: "Understand Cloud Firestore billing".
pub(super) fn bill(tx: &mut Tx<'_>, documents: u64) {
    tx.count(Unit::TableItemsRead, documents.max(1));
}

/// Finds documents in somebody's transaction.
pub(super) fn run_in(tx: &Tx<'_>, query: &Query) -> Result<Found, Error> {
    let mut found = Found { at_micros: store::read_at(tx)?, ..Found::default() };
    let mut best = Best { placed: Vec::new(), wanted: if query.nearest.is_some() { None } else { query.wanted() } };
    each(tx, query, &mut found.scanned, &mut |position, document| {
        best.add(position, document);
        Ok(())
    })?;
    found.documents = best.end();
    if let Some(nearest) = &query.nearest {
        found.documents = nearest::order(nearest, found.documents);
    }
    let skipped = found.documents.len().min(usize::try_from(query.offset).unwrap_or(usize::MAX));
    found.documents.drain(..skipped);
    found.skipped = skipped as u64;
    if let Some(limit) = query.limit {
        found.documents.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    if let Some(select) = &query.select {
        found.documents.iter_mut().for_each(|document| document.project(Some(select)));
    }
    Ok(found)
}

/// The collections that a query looks at.
pub(super) fn collections(tx: &Tx<'_>, query: &Query) -> Result<Vec<Collection>, Error> {
    let scope = &query.scope;
    match &scope.collection {
        Some(id) if !scope.descendants => Ok(vec![Collection::at(&scope.parent.database, &scope.parent.collection(id)?)]),
        id => Ok(store::collections_beneath(tx, &scope.parent.database, &scope.parent.path, id.as_deref())?),
    }
}

/// Calls `see` with each document that a query asks for and its position; one that meets several alternatives may come several times,
/// and where the order and the limit allow it, not all that come after what is wanted come at all.
pub(super) fn each(
    tx: &Tx<'_>,
    query: &Query,
    scanned: &mut u64,
    see: &mut impl FnMut(Vec<u8>, Document) -> Result<(), Error>,
) -> Result<(), Error> {
    let alternatives = query.alternatives()?;
    for collection in collections(tx, query)? {
        for conditions in &alternatives {
            let Path { stretch, ordered, backward } = plan::path(tx, query, &collection, conditions)?;
            let mut left = if ordered && query.nearest.is_none() { query.wanted() } else { None };
            if left == Some(0) {
                continue;
            }
            store::walk::<Error>(tx, &query.scope.parent.database, &collection, &stretch, backward, |document| {
                *scanned += 1;
                if !conditions.iter().all(|condition| condition.matches(&document)) {
                    return Ok(true);
                }
                let Some(position) = query.position(&document) else { return Ok(true) };
                see(position, document)?;
                left = left.map(|left| left - 1);
                Ok(left != Some(0))
            })?;
        }
    }
    Ok(())
}

/// The first of those that are added, each once.
struct Best {
    placed: Vec<(Vec<u8>, Document)>,
    wanted: Option<u64>,
}

impl Best {
    fn add(&mut self, position: Vec<u8>, document: Document) {
        self.placed.push((position, document));
        let Some(wanted) = self.wanted else { return };
        if self.placed.len() as u64 >= wanted.saturating_mul(2).saturating_add(64) {
            self.settle(wanted);
        }
    }

    fn settle(&mut self, wanted: u64) {
        // Positions end in the name: who has the same is the same.
        self.placed.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.placed.dedup_by(|(a, _), (b, _)| a == b);
        self.placed.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
    }

    fn end(mut self) -> Vec<Document> {
        self.settle(self.wanted.unwrap_or(u64::MAX));
        self.placed.into_iter().map(|(_, document)| document).collect()
    }
}
