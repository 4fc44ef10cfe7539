//! Single items: put, get, update, delete.

use super::capacity::{Consumed, Units};
use super::definition::{Table, invalid};
use super::expression::{Condition, Substitutes};
use super::path::{self, Path};
use super::store::Cache;
use super::stream::{self, Change};
use super::value::{Item, Value};
use super::{Error, ITEM_BYTES_MAX, NESTING_MAX, Tables, kept, store, table};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// What must hold for a write to happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guard {
    /// `ConditionExpression`.
    pub condition: Option<String>,
    pub substitutes: Substitutes,
    /// Whether a failure is to carry the item as it is.
    pub tell_item: bool,
}

/// Which attributes an update tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Returns {
    #[default]
    None,
    AllOld,
    UpdatedOld,
    AllNew,
    UpdatedNew,
}

/// To store an item, replacing what has its key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Put {
    pub table: String,
    pub item: Item,
    pub guard: Guard,
    /// `ReturnValues: ALL_OLD`.
    pub return_old: bool,
}

/// To delete the item of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Remove {
    pub table: String,
    pub key: Item,
    pub guard: Guard,
    /// `ReturnValues: ALL_OLD`.
    pub return_old: bool,
}

/// To change the item of a key, or make it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    pub table: String,
    pub key: Item,
    /// `UpdateExpression`.
    pub update: Option<String>,
    pub guard: Guard,
    pub returns: Returns,
}

/// To read the item of a key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Get {
    pub table: String,
    pub key: Item,
    /// `ProjectionExpression`.
    pub projection: Option<String>,
    pub substitutes: Substitutes,
    pub consistent: bool,
}

/// What a write tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The attributes that were asked for, if there are any.
    pub attributes: Option<Item>,
    pub consumed: Consumed,
}

/// What a delete tells.
pub type Deleted = Written;

/// What a read tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Got {
    pub item: Option<Item>,
    pub consumed: Consumed,
}

impl Tables {
    /// Stores an item. Fails with [`Error::ConditionFailed`], [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn put_item(&self, call: &Call, put: Put) -> Result<Written, Error> {
        check_item(&put.item)?;
        let condition = put.guard.parse()?;
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let table = table(&cache, tx, &put.table)?;
                let write = Write { condition: condition.as_ref(), tell_item: put.guard.tell_item, need_old: put.return_old };
                let key = check_put(&table, &put.item)?;
                let (old, consumed) = put_in(tx, &table, &key, put.item, &write)?;
                consumed.bill(tx);
                Ok(Written { attributes: old.filter(|_| put.return_old), consumed })
            })
            .await
    }

    /// Reads an item. Fails with [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn get_item(&self, call: &Call, get: Get) -> Result<Got, Error> {
        let projection = get.parse()?;
        let cache: &Cache = &self.cache;
        if let Some(known) = cache.load_full() {
            let got = self.db.read_once(call, |tx| {
                let got = get_known(tx, &known, &get, projection.as_deref())?;
                got.iter().for_each(|got| got.consumed.bill(tx));
                Ok::<_, Error>(got)
            });
            if let Some(got) = got.await? {
                return Ok(got);
            }
        }
        self.db
            .read(call, |tx| {
                let got = get_in(tx, cache, &get, projection.as_deref())?;
                got.consumed.bill(tx);
                Ok(got)
            })
            .await
    }

    /// Deletes an item; there need be none. Fails with [`Error::ConditionFailed`], [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn delete_item(&self, call: &Call, remove: Remove) -> Result<Deleted, Error> {
        let condition = remove.guard.parse()?;
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let table = table(&cache, tx, &remove.table)?;
                let key = table.definition.key_of(&remove.key)?;
                let write = Write { condition: condition.as_ref(), tell_item: remove.guard.tell_item, need_old: remove.return_old };
                let (old, consumed) = delete_in(tx, &table, &key, &write)?;
                consumed.bill(tx);
                Ok(Written { attributes: old.filter(|_| remove.return_old), consumed })
            })
            .await
    }

    /// Changes an item, or makes it. Fails with [`Error::ConditionFailed`], [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn update_item(&self, call: &Call, update: Update) -> Result<Written, Error> {
        let (changes, condition) = update.parse()?;
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let table = table(&cache, tx, &update.table)?;
                let key = table.definition.key_of(&update.key)?;
                let write = Write { condition: condition.as_ref(), tell_item: update.guard.tell_item, need_old: true };
                let updated = update_in(tx, &table, &key, &update.key, changes.as_ref(), &write)?;
                updated.consumed.bill(tx);
                let touched = |item: &Item| match &changes {
                    Some(changes) => path::project(item, &changes.paths().cloned().collect::<Vec<Path>>()),
                    None => Item::default(),
                };
                let attributes = match update.returns {
                    Returns::None => None,
                    Returns::AllOld => updated.old,
                    Returns::UpdatedOld => updated.old.as_ref().map(touched),
                    Returns::AllNew => Some(updated.new),
                    Returns::UpdatedNew => Some(touched(&updated.new)),
                };
                Ok(Written { attributes: attributes.filter(|item| !item.is_empty()), consumed: updated.consumed })
            })
            .await
    }
}

impl Guard {
    fn parse(&self) -> Result<Option<Condition>, Error> {
        let scope = self.substitutes.open()?;
        let condition = self.condition.as_deref().map(|text| scope.condition(text)).transpose()?;
        scope.close()?;
        Ok(condition)
    }

    /// The condition of one action of a transaction.
    pub(super) fn parsed(&self) -> Result<Option<Condition>, Error> {
        self.parse()
    }
}

impl Get {
    pub(super) fn parse(&self) -> Result<Option<Vec<Path>>, Error> {
        let scope = self.substitutes.open()?;
        let projection = self.projection.as_deref().map(|text| scope.projection(text)).transpose()?;
        scope.close()?;
        Ok(projection)
    }
}

impl Update {
    pub(super) fn parse(&self) -> Result<(Option<super::expression::Update>, Option<Condition>), Error> {
        let scope = self.guard.substitutes.open()?;
        let changes = self.update.as_deref().map(|text| scope.update(text)).transpose()?;
        let condition = self.guard.condition.as_deref().map(|text| scope.condition(text)).transpose()?;
        scope.close()?;
        Ok((changes, condition))
    }
}

/// How a write within a transaction is to be done.
#[derive(Default)]
pub(super) struct Write<'a> {
    pub condition: Option<&'a Condition>,
    pub tell_item: bool,
    /// Whether the item as it was is to be given back.
    pub need_old: bool,
}

impl Write<'_> {
    /// Whether the condition holds of the item as it is.
    pub(super) fn test(&self, old: Option<&Item>) -> Result<(), Error> {
        let Some(condition) = self.condition else { return Ok(()) };
        let nothing = Item::default();
        if condition.holds(old.unwrap_or(&nothing)) {
            return Ok(());
        }
        Err(Error::ConditionFailed(old.filter(|_| self.tell_item).cloned()))
    }

    /// The same; where it does not hold, that is billed.
    fn check(&self, tx: &mut Tx<'_>, old: Option<&Item>) -> Result<(), Error> {
        self.test(old).inspect_err(|_| bill_failure(tx, old.map_or(0, Item::bytes)))
    }
}

/// A write whose condition does not hold is billed by the bytes of the item that is there. Source: developer guide, "Condition expressions".
pub(super) fn bill_failure(tx: &mut Tx<'_>, bytes: usize) {
    tx.count_anyway(Unit::TableWrites, Units::write(bytes, 0).writes);
    tx.count_anyway(Unit::TableItemsRead, 1);
}

/// Refuses items that are too large or too deep.
pub(super) fn check_item(item: &Item) -> Result<(), Error> {
    if item.bytes() > ITEM_BYTES_MAX {
        return Err(Error::Invalid("Item size has exceeded the maximum allowed size".into()));
    }
    check_nesting(item)
}

pub(super) fn check_nesting(item: &Item) -> Result<(), Error> {
    fn depth(value: &Value) -> usize {
        match value {
            Value::M(map) => 1 + map.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
            Value::L(list) => 1 + list.iter().map(depth).max().unwrap_or(0),
            _ => 0,
        }
    }
    if item.iter().any(|(_, value)| depth(value) > NESTING_MAX) {
        return Err(Error::Invalid("Nesting Levels have exceeded supported limits".into()));
    }
    Ok(())
}

/// The key of an item that is to be put into a table, if it can be.
pub(super) fn check_put(table: &Table, item: &Item) -> Result<Vec<u8>, Error> {
    if let Some((name, _)) = item.iter().find(|(name, _)| name.is_empty() || name.len() > 65_535) {
        return Err(if name.is_empty() {
            invalid("Empty attribute name")
        } else {
            invalid("Attribute name is too large, must be less than 65536 bytes")
        });
    }
    let key = table.definition.key_of_item(item)?;
    table.definition.check_index_keys(item, false)?;
    Ok(key)
}

/// Whether a write has to know the whole item as it was.
fn needs_old(table: &Table, write: &Write<'_>) -> bool {
    let definition = &table.definition;
    write.condition.is_some()
        || write.need_old
        || definition.stream.as_ref().is_some_and(|stream| stream.enabled)
        || definition.expiry.is_some()
        || !definition.local.is_empty()
        || !definition.global.is_empty()
}

pub(super) fn get_in(tx: &Tx<'_>, cache: &Cache, get: &Get, projection: Option<&[Path]>) -> Result<Got, Error> {
    let table = table(cache, tx, &get.table)?;
    let key = table.definition.key_of(&get.key)?;
    Ok(got(get, store::item(tx, &table, &key)?, projection))
}

/// The same by what was known of the tables before; `None` where that is out of date, or does not know the table or the key.
fn get_known(tx: &Tx<'_>, known: &store::Catalog, get: &Get, projection: Option<&[Path]>) -> Result<Option<Got>, Error> {
    let Some(table) = known.tables.get(&get.table) else { return Ok(None) };
    let Ok(key) = table.definition.key_of(&get.key) else { return Ok(None) };
    Ok(store::item_of(tx, known, table, &key)?.map(|item| got(get, item, projection)))
}

fn got(get: &Get, item: Option<Item>, projection: Option<&[Path]>) -> Got {
    let mut consumed = Consumed::new(&get.table);
    consumed.add_table(Units::read(item.as_ref().map_or(0, Item::bytes), get.consistent));
    consumed.items.read += 1;
    let item = match projection {
        Some(paths) => item.map(|item| path::project(&item, paths)),
        None => item,
    };
    Got { item, consumed }
}

pub(super) fn put_in(tx: &mut Tx<'_>, table: &Table, key: &[u8], item: Item, write: &Write<'_>) -> Result<(Option<Item>, Consumed), Error> {
    let mut consumed = Consumed::new(&table.definition.name);
    if !needs_old(table, write) {
        let (old, new) = (store::item_bytes(tx, table, key)?, item.bytes());
        consumed.add_table(Units::write(old.unwrap_or(0), new));
        consumed.items.put += 1;
        kept::change(tx, old, Some(new));
        store::put_item(tx, table, key, &item)?;
        return Ok((None, consumed));
    }
    let old = store::item(tx, table, key)?;
    write.check(tx, old.as_ref())?;
    replace(tx, table, key, Change { old: old.as_ref(), new: Some(&item), expired: false }, &mut consumed)?;
    Ok((old, consumed))
}

pub(super) fn delete_in(tx: &mut Tx<'_>, table: &Table, key: &[u8], write: &Write<'_>) -> Result<(Option<Item>, Consumed), Error> {
    let mut consumed = Consumed::new(&table.definition.name);
    if !needs_old(table, write) {
        let old = store::item_bytes(tx, table, key)?;
        consumed.add_table(Units::write(old.unwrap_or(0), 0));
        consumed.items.deleted += 1;
        if old.is_some() {
            kept::change(tx, old, None);
            store::delete_item(tx, table, key)?;
        }
        return Ok((None, consumed));
    }
    let old = store::item(tx, table, key)?;
    write.check(tx, old.as_ref())?;
    replace(tx, table, key, Change { old: old.as_ref(), new: None, expired: false }, &mut consumed)?;
    Ok((old, consumed))
}

/// What an update made.
pub(super) struct Updated {
    pub old: Option<Item>,
    pub new: Item,
    pub consumed: Consumed,
}

pub(super) fn update_in(
    tx: &mut Tx<'_>,
    table: &Table,
    key: &[u8],
    key_attributes: &Item,
    changes: Option<&super::expression::Update>,
    write: &Write<'_>,
) -> Result<Updated, Error> {
    check_update(table, changes)?;
    let old = store::item(tx, table, key)?;
    write.check(tx, old.as_ref())?;
    let mut new = old.clone().unwrap_or_else(|| key_attributes.clone());
    if let Some(changes) = changes {
        changes.apply(&mut new)?;
        table.definition.check_index_keys(&new, true)?;
        if new.bytes() > ITEM_BYTES_MAX {
            return Err(Error::Invalid("Item size to update has exceeded the maximum allowed size".into()));
        }
        check_nesting(&new)?;
    }
    let mut consumed = Consumed::new(&table.definition.name);
    replace(tx, table, key, Change { old: old.as_ref(), new: Some(&new), expired: false }, &mut consumed)?;
    Ok(Updated { old, new, consumed })
}

/// Refuses to change key attributes.
pub(super) fn check_update(table: &Table, changes: Option<&super::expression::Update>) -> Result<(), Error> {
    let mut paths = changes.into_iter().flat_map(|changes| changes.paths());
    match paths.find(|path| table.definition.keys.has(&path.attribute)) {
        Some(path) => Err(invalid(format!("Cannot update attribute {}. This attribute is part of the key", path.attribute))),
        None => Ok(()),
    }
}

/// Puts one version of an item in the place of another: the item, its index rows, its expiry, its stream record.
pub(super) fn replace(tx: &mut Tx<'_>, table: &Table, key: &[u8], change: Change<'_>, consumed: &mut Consumed) -> Result<(), Error> {
    let definition = &table.definition;
    let bytes = |item: Option<&Item>| item.map_or(0, Item::bytes);
    consumed.add_table(Units::write(bytes(change.old), bytes(change.new)));
    match change.new {
        Some(_) => consumed.items.put += 1,
        None => consumed.items.deleted += 1,
    }
    if change.old == change.new {
        return Ok(());
    }
    kept::change(tx, change.old.map(Item::bytes), change.new.map(Item::bytes));
    match change.new {
        Some(item) => store::put_item(tx, table, key, item)?,
        None => {
            store::delete_item(tx, table, key)?;
        }
    }
    for (at, index) in definition.indexes().enumerate() {
        let old = change.old.and_then(|item| definition.index_key(index, item));
        let new = change.new.and_then(|item| definition.index_key(index, item));
        let shown = |item: Option<&Item>| item.map_or(0, |item| definition.project(index, item).bytes());
        let local = at < definition.local.len();
        match (&old, &new) {
            (None, None) => {}
            (Some(a), Some(b)) if a == b => {
                let (before, after) =
                    (change.old.map(|item| definition.project(index, item)), change.new.map(|item| definition.project(index, item)));
                if before != after {
                    kept::change(tx, before.as_ref().map(Item::bytes), after.as_ref().map(Item::bytes));
                    consumed.add_index(local, &index.name, Units::write(bytes(before.as_ref()), bytes(after.as_ref())));
                }
            }
            _ => {
                if let Some(old) = &old {
                    let bytes = shown(change.old);
                    store::delete_index(tx, table, index, old, key)?;
                    kept::change(tx, Some(bytes), None);
                    consumed.add_index(local, &index.name, Units::write(bytes, 0));
                }
                if let Some(new) = &new {
                    let bytes = shown(change.new);
                    store::put_index(tx, table, index, new, key)?;
                    kept::change(tx, None, Some(bytes));
                    consumed.add_index(local, &index.name, Units::write(0, bytes));
                }
            }
        }
    }
    if let Some(attribute) = &definition.expiry {
        let old = change.old.and_then(|item| super::expiry::moment(item, attribute));
        let new = change.new.and_then(|item| super::expiry::moment(item, attribute));
        if old != new {
            if let Some(at) = old {
                store::delete_expiry(tx, table, at, key)?;
            }
            if let Some(at) = new {
                store::put_expiry(tx, table, at, key)?;
                tx.wake(super::EXPIRY_WAKE);
            }
        }
    }
    stream::record(tx, table, &change)
}
