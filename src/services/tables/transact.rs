//! All or nothing. Source: API reference, `TransactWriteItems` and `TransactGetItems`.

use std::collections::HashSet;

use super::capacity::{Consumed, Units};
use super::expression::{self, Condition};
use super::item::{
    Get, Guard, Put, Remove, Update, Write, bill_failure, check_item, check_put, check_update, delete_in, put_in, update_in,
};
use super::path::{self, Path};
use super::value::Item;
use super::{Error, Tables, store, table};
use crate::base::Call;
use crate::store::Tx;

/// How long a token stands for its transaction: 10 minutes.
const TOKEN_MS: i64 = 10 * 60 * 1000;

/// Bytes of all items that a transaction puts, and of its keys, at most: 4 MB.
const BYTES_MAX: usize = 4 << 20;

/// One action of a transaction.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    Put(Put),
    Delete(Remove),
    Update(Update),
    /// Only checks: table, key, condition.
    Check(String, Item, Guard),
}

/// Writes that all happen, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactWrite {
    pub actions: Vec<Action>,
    /// `ClientRequestToken`, and a digest of the request that it stands for.
    pub token: Option<(String, Vec<u8>)>,
}

/// Reads of one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactGet {
    pub gets: Vec<Get>,
}

/// Why an action did not happen, or that it was not to blame.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    None,
    /// Its condition does not hold; the item, where that was asked for.
    ConditionFailed(Option<Item>),
    /// It cannot be done to this table or item.
    Invalid(String),
}

impl Reason {
    /// As the API names it.
    pub fn code(&self) -> &'static str {
        match self {
            Reason::None => "None",
            Reason::ConditionFailed(_) => "ConditionalCheckFailed",
            Reason::Invalid(_) => "ValidationError",
        }
    }
}

struct Parsed {
    changes: Option<expression::Update>,
    condition: Option<Condition>,
}

impl Action {
    fn table(&self) -> &str {
        match self {
            Action::Put(put) => &put.table,
            Action::Delete(remove) => &remove.table,
            Action::Update(update) => &update.table,
            Action::Check(table, ..) => table,
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Action::Put(put) => put.item.bytes(),
            Action::Delete(remove) => remove.key.bytes(),
            Action::Update(update) => update.key.bytes(),
            Action::Check(_, key, _) => key.bytes(),
        }
    }

    fn guard(&self) -> &Guard {
        match self {
            Action::Put(put) => &put.guard,
            Action::Delete(remove) => &remove.guard,
            Action::Update(update) => &update.guard,
            Action::Check(_, _, guard) => guard,
        }
    }

    fn parse(&self) -> Result<Parsed, Error> {
        let (changes, condition) = match self {
            Action::Put(put) => (None, put.guard.parsed()?),
            Action::Delete(remove) => (None, remove.guard.parsed()?),
            Action::Update(update) => update.parse()?,
            Action::Check(_, _, guard) => (None, guard.parsed()?),
        };
        Ok(Parsed { changes, condition })
    }
}

impl Tables {
    /// Does all actions or none. Fails with [`Error::Cancelled`], [`Error::TokenMismatch`], [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn transact_write(&self, call: &Call, transaction: TransactWrite) -> Result<Vec<Consumed>, Error> {
        let parsed = transaction.actions.iter().map(Action::parse).collect::<Result<Vec<_>, _>>()?;
        if transaction.actions.iter().map(Action::bytes).sum::<usize>() > BYTES_MAX {
            return Err(Error::Invalid(format!("Transaction request cannot be larger than {BYTES_MAX} bytes")));
        }
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let now = tx.now().millis();
                if let Some((token, digest)) = &transaction.token {
                    match store::token(tx, token, now - TOKEN_MS)? {
                        // It has been done; telling so costs only reads.
                        Some(known) if known == *digest => return repeated(tx, &cache, &transaction.actions),
                        Some(_) => return Err(Error::TokenMismatch),
                        None => {}
                    }
                }
                let consumed = transact_in(tx, &cache, transaction.actions, &parsed)?;
                if let Some((token, digest)) = &transaction.token {
                    store::put_token(tx, token, digest, now, now - TOKEN_MS)?;
                }
                Ok(consumed)
            })
            .await
    }

    /// Reads items as they are at one moment. Fails with [`Error::Cancelled`], [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn transact_get(&self, call: &Call, transaction: TransactGet) -> Result<(Vec<Option<Item>>, Vec<Consumed>), Error> {
        let projections: Vec<Option<Vec<Path>>> = transaction.gets.iter().map(Get::parse).collect::<Result<_, _>>()?;
        self.db
            .read(call, |tx| {
                let mut seen = HashSet::new();
                let mut keys = Vec::new();
                let mut reasons = Reasons::new(transaction.gets.len());
                for (at, get) in transaction.gets.iter().enumerate() {
                    let table = table(&self.cache, tx, &get.table)?;
                    match table.definition.key_of(&get.key) {
                        Ok(key) if !seen.insert((table.number, key.clone())) => return Err(same_item()),
                        Ok(key) => keys.push((table, key)),
                        Err(error) => reasons.blame(at, error)?,
                    }
                }
                reasons.end()?;
                let mut items = Vec::new();
                let mut all: Vec<Consumed> = Vec::new();
                for ((get, projection), (table, key)) in transaction.gets.iter().zip(&projections).zip(&keys) {
                    let item = store::item(tx, table, key)?;
                    let mut consumed = Consumed::new(&get.table);
                    consumed.add_table(Units::read(item.as_ref().map_or(0, Item::bytes), true));
                    consumed.items.read += 1;
                    consumed.double();
                    merge(&mut all, consumed);
                    items.push(match projection {
                        Some(paths) => item.map(|item| path::project(&item, paths)),
                        None => item,
                    });
                }
                all.iter().for_each(|consumed| consumed.bill(tx));
                Ok((items, all))
            })
            .await
    }
}

fn same_item() -> Error {
    Error::Invalid("Transaction request cannot include multiple operations on one item".into())
}

fn merge(all: &mut Vec<Consumed>, consumed: Consumed) {
    match all.iter_mut().find(|other| other.table_name == consumed.table_name) {
        Some(other) => other.merge(&consumed),
        None => all.push(consumed),
    }
}

/// Whose fault it is, action by action.
struct Reasons(Vec<Reason>);

impl Reasons {
    fn new(actions: usize) -> Reasons {
        Reasons(vec![Reason::None; actions])
    }

    /// Blames an action for an error; one that is nobody's fault is given back.
    fn blame(&mut self, at: usize, error: Error) -> Result<(), Error> {
        self.0[at] = match error {
            Error::ConditionFailed(item) => Reason::ConditionFailed(item),
            Error::Invalid(text) => Reason::Invalid(text),
            other => return Err(other),
        };
        Ok(())
    }

    fn end(self) -> Result<(), Error> {
        if self.0.iter().all(|reason| *reason == Reason::None) { Ok(()) } else { Err(Error::Cancelled(self.0)) }
    }
}

fn repeated(tx: &mut Tx<'_>, cache: &store::Cache, actions: &[Action]) -> Result<Vec<Consumed>, Error> {
    let mut all = Vec::new();
    for action in actions {
        let table = table(cache, tx, action.table())?;
        let key = key_of(&table, action)?;
        let mut consumed = Consumed::new(action.table());
        consumed.add_table(Units::read(store::item_bytes(tx, &table, &key)?.unwrap_or(0), true));
        consumed.items.read += 1;
        consumed.double();
        merge(&mut all, consumed);
    }
    all.iter().for_each(|consumed: &Consumed| consumed.bill(tx));
    Ok(all)
}

fn key_of(table: &super::Table, action: &Action) -> Result<Vec<u8>, Error> {
    match action {
        Action::Put(put) => check_put(table, &put.item).and_then(|key| check_item(&put.item).map(|()| key)),
        Action::Delete(remove) => table.definition.key_of(&remove.key),
        Action::Update(update) => table.definition.key_of(&update.key),
        Action::Check(_, key, _) => table.definition.key_of(key),
    }
}

fn transact_in(tx: &mut Tx<'_>, cache: &store::Cache, actions: Vec<Action>, parsed: &[Parsed]) -> Result<Vec<Consumed>, Error> {
    let mut reasons = Reasons::new(actions.len());
    let mut seen = HashSet::new();
    let mut ready = Vec::new();
    // A key that cannot be is blamed alone, before any condition is looked at.
    for (at, (action, parsed)) in actions.iter().zip(parsed).enumerate() {
        let table = table(cache, tx, action.table())?;
        match key_of(&table, action).and_then(|key| check_update(&table, parsed.changes.as_ref()).map(|()| key)) {
            Ok(key) if !seen.insert((table.number, key.clone())) => return Err(same_item()),
            Ok(key) => ready.push((table, key)),
            Err(error) => {
                reasons.blame(at, error)?;
                return Err(Error::Cancelled(reasons.0));
            }
        }
    }
    // All conditions are looked at, so that all that fail are told.
    for (at, ((action, parsed), (table, key))) in actions.iter().zip(parsed).zip(&ready).enumerate() {
        if parsed.condition.is_none() {
            continue;
        }
        let old = store::item(tx, table, key)?;
        let write = Write { condition: parsed.condition.as_ref(), tell_item: action.guard().tell_item, need_old: false };
        if let Err(error) = write.test(old.as_ref()) {
            reasons.blame(at, error)?;
        }
    }
    if let Err(cancelled) = reasons.end() {
        // Every action was prepared, and none committed: half of what the transaction would have cost.
        for (table, key) in &ready {
            bill_failure(tx, store::item_bytes(tx, table, key)?.unwrap_or(0));
        }
        return Err(cancelled);
    }
    let mut reasons = Reasons::new(actions.len());
    let mut all = Vec::new();
    for (at, ((action, parsed), (table, key))) in actions.into_iter().zip(parsed).zip(&ready).enumerate() {
        let name = table.definition.name.clone();
        let write = Write::default();
        let done = match action {
            Action::Put(put) => put_in(tx, table, key, put.item, &write).map(|(_, consumed)| consumed),
            Action::Delete(_) => delete_in(tx, table, key, &write).map(|(_, consumed)| consumed),
            Action::Update(update) => {
                update_in(tx, table, key, &update.key, parsed.changes.as_ref(), &write).map(|updated| updated.consumed)
            }
            Action::Check(..) => {
                let mut consumed = Consumed::new(&name);
                consumed.add_table(Units::write(store::item_bytes(tx, table, key)?.unwrap_or(0), 0));
                consumed.items.read += 1;
                Ok(consumed)
            }
        };
        match done {
            Ok(mut consumed) => {
                consumed.double();
                merge(&mut all, consumed);
            }
            Err(error) => {
                reasons.blame(at, error)?;
                return Err(Error::Cancelled(reasons.0));
            }
        }
    }
    all.iter().for_each(|consumed: &Consumed| consumed.bill(tx));
    Ok(all)
}
