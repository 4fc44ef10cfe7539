//! Tables as such: create, change, describe, delete.

use std::sync::Arc;

use super::definition::{Create, Definition, Index, NewIndex, Stream, Table, View, invalid, next_index};
use super::key::KeyKind;
use super::store::{self, KEY_END, Stretch};
use super::{Error, Tables, expiry, kept, stream, table_to_manage};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// A change of one global index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexChange {
    Create(NewIndex),
    /// Provisioned read and write units.
    Update(String, (u64, u64)),
    Delete(String),
}

/// A change of a table; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableChange {
    pub table: String,
    /// Definitions for the keys of a new index.
    pub attributes: Vec<(String, KeyKind)>,
    pub indexes: Vec<IndexChange>,
    /// `Some(None)`: disable the stream.
    pub stream: Option<Option<View>>,
    /// `Some(true)`: on demand.
    pub on_demand: Option<bool>,
    pub throughput: Option<(u64, u64)>,
    pub deletion_protection: Option<bool>,
    pub class: Option<String>,
}

/// A table and how much is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    pub definition: Definition,
    pub items: u64,
    pub bytes: u64,
    /// Items of each index, by its name.
    pub index_items: Vec<(String, u64)>,
}

impl Tables {
    /// Makes a table. Fails with [`Error::TableExists`], [`Error::Invalid`].
    pub async fn create_table(&self, call: &Call, create: Create) -> Result<Described, Error> {
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let definition = create.define(tx.ids().uuid(), tx.now())?;
                if store::catalog(&cache, tx)?.tables.contains_key(&create.name) {
                    return Err(Error::TableExists(create.name.clone()));
                }
                let table = create_in(tx, definition)?;
                describe_in(tx, &table)
            })
            .await
    }

    /// Makes a table where it is missing; else brings its indexes, stream and settings to what is asked, keeping its items.
    /// True where anything had to be done. Fails with [`Error::InUse`] where its key is another: that takes another table.
    pub async fn ensure(&self, call: &Call, create: Create) -> Result<bool, Error> {
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let wanted = create.define(tx.ids().uuid(), tx.now())?;
                match store::catalog(&cache, tx)?.tables.get(&create.name) {
                    None => create_in(tx, wanted).map(|_| true),
                    Some(table) => reshape(tx, table, wanted),
                }
            })
            .await
    }

    /// Describes a table. Fails with [`Error::NoSuchTableToManage`].
    pub async fn describe_table(&self, call: &Call, name: &str) -> Result<Described, Error> {
        self.db
            .read(call, |tx| {
                let table = table_to_manage(&self.cache, tx, name)?;
                describe_in(tx, &table)
            })
            .await
    }

    /// Names of tables in order, after `after`, at most `limit`; and whether there are more.
    pub async fn list_tables(&self, call: &Call, after: Option<&str>, limit: usize) -> Result<(Vec<String>, bool), Error> {
        self.db
            .read(call, |tx| {
                let catalog = store::catalog(&self.cache, tx)?;
                let mut names: Vec<&String> =
                    catalog.tables.keys().filter(|name| after.is_none_or(|after| name.as_str() > after)).collect();
                names.sort_unstable();
                let more = names.len() > limit;
                Ok((names.into_iter().take(limit).cloned().collect(), more))
            })
            .await
    }

    /// Deletes a table and all that is in it. Fails with [`Error::NoSuchTableToManage`], and where it is protected.
    pub async fn delete_table(&self, call: &Call, name: &str) -> Result<Described, Error> {
        let (cache, name) = (self.cache.clone(), name.to_owned());
        self.db
            .write(call, move |tx| {
                let table = table_to_manage(&cache, tx, &name)?;
                if table.definition.deletion_protection {
                    let text =
                        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.";
                    return Err(Error::Invalid(text.into()));
                }
                let described = describe_in(tx, &table)?;
                if let Some(stream) = table.definition.stream.as_ref().filter(|stream| stream.enabled) {
                    stream::remember(tx, &table.definition, stream, Some(tx.now()))?;
                }
                kept::forget_table(tx, &table)?;
                store::delete_table(tx, &table)?;
                tx.wake(&stream::wake_key(&name));
                Ok(described)
            })
            .await
    }

    /// Changes a table. Fails with [`Error::NoSuchTableToManage`], [`Error::NoSuchIndex`], [`Error::Invalid`].
    pub async fn update_table(&self, call: &Call, change: TableChange) -> Result<Described, Error> {
        let cache = self.cache.clone();
        self.db
            .write(call, move |tx| {
                let mut table = Table::clone(&*table_to_manage(&cache, tx, &change.table)?);
                change_in(tx, &mut table, &change)?;
                store::update_table(tx, &table)?;
                describe_in(tx, &table)
            })
            .await
    }

    /// Sets (or takes away) the attribute by which items expire. Fails with [`Error::NoSuchTableToManage`], [`Error::Invalid`].
    pub async fn set_expiry(&self, call: &Call, name: &str, attribute: &str, enabled: bool) -> Result<(), Error> {
        let (cache, name, attribute) = (self.cache.clone(), name.to_owned(), attribute.to_owned());
        self.db
            .write(call, move |tx| {
                let mut table = Table::clone(&*table_to_manage(&cache, tx, &name)?);
                match &table.definition.expiry {
                    Some(_) if enabled => return Err(Error::Invalid("TimeToLive is already enabled".into())),
                    None if !enabled => return Err(Error::Invalid("TimeToLive is already disabled".into())),
                    Some(current) if *current != attribute => {
                        return Err(Error::Invalid(
                            "TimeToLive is active on a different AttributeName: current AttributeName is ".to_owned() + current,
                        ));
                    }
                    _ => {}
                }
                set_expiry_in(tx, &mut table, enabled.then_some(attribute))?;
                tx.wake(super::EXPIRY_WAKE);
                store::update_table(tx, &table)?;
                Ok(())
            })
            .await
    }

    /// Sets tags, keeping others. Fails with [`Error::NoSuchTableToManage`].
    pub async fn tag(&self, call: &Call, name: &str, tags: Vec<(String, String)>) -> Result<(), Error> {
        self.retag(call, name, move |own| {
            for (key, value) in tags {
                own.retain(|(other, _)| *other != key);
                own.push((key, value));
            }
        })
        .await
    }

    /// Takes tags away. Fails with [`Error::NoSuchTableToManage`].
    pub async fn untag(&self, call: &Call, name: &str, keys: Vec<String>) -> Result<(), Error> {
        self.retag(call, name, move |own| own.retain(|(key, _)| !keys.contains(key))).await
    }

    async fn retag(&self, call: &Call, name: &str, change: impl FnOnce(&mut Vec<(String, String)>) + Send + 'static) -> Result<(), Error> {
        let (cache, name) = (self.cache.clone(), name.to_owned());
        self.db
            .write(call, move |tx| {
                let mut table = Table::clone(&*table_to_manage(&cache, tx, &name)?);
                change(&mut table.definition.tags);
                store::update_table(tx, &table)?;
                Ok(())
            })
            .await
    }
}

fn create_in(tx: &Tx<'_>, definition: Definition) -> Result<Table, Error> {
    if let Some(stream) = &definition.stream {
        stream::remember(tx, &definition, stream, None)?;
    }
    Ok(store::insert_table(tx, definition)?)
}

fn describe_in(tx: &Tx<'_>, table: &Table) -> Result<Described, Error> {
    let (items, bytes) = store::totals(tx, table)?;
    let indexes = table.definition.indexes();
    let index_items = indexes.map(|index| Ok((index.name.clone(), store::index_total(tx, table, index)?))).collect::<Result<_, Error>>()?;
    Ok(Described { definition: table.definition.clone(), items, bytes, index_items })
}

/// Calls `visit` with every item and its key.
fn every_item(tx: &Tx<'_>, table: &Table, mut visit: impl FnMut(&super::Item, &[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let stretch = Stretch { from: &[], to: KEY_END, backward: false, after: None };
    let mut failed = Ok(());
    store::walk(tx, table, None, &stretch, |item| {
        let key = table.definition.key_of(&table.definition.key_attributes(&item));
        failed = key.and_then(|key| visit(&item, &key));
        Ok(failed.is_ok())
    })?;
    failed
}

fn fill_index(tx: &mut Tx<'_>, table: &Table, index: &Index) -> Result<(), Error> {
    let mut bytes = 0;
    every_item(tx, table, |item, key| {
        // Items whose values cannot be keys of the index are left out, as in production.
        let Some(index_key) = table.definition.index_key(index, item) else { return Ok(()) };
        bytes += kept::entry_bytes(table, index, item);
        Ok(store::put_index(tx, table, index, &index_key, key)?)
    })?;
    tx.keep(Unit::TableBytesStored, bytes);
    Ok(())
}

fn clear_index(tx: &mut Tx<'_>, table: &Table, index: &Index) -> Result<(), Error> {
    kept::forget_index(tx, table, index)?;
    Ok(store::clear_index(tx, table, index)?)
}

fn set_expiry_in(tx: &Tx<'_>, table: &mut Table, attribute: Option<String>) -> Result<(), Error> {
    store::clear_expiry(tx, table)?;
    table.definition.expiry = attribute;
    let Some(attribute) = table.definition.expiry.clone() else { return Ok(()) };
    every_item(tx, table, |item, key| match expiry::moment(item, &attribute) {
        Some(at) => Ok(store::put_expiry(tx, table, at, key)?),
        None => Ok(()),
    })
}

fn end_stream(tx: &mut Tx<'_>, table: &mut Table) -> Result<(), Error> {
    let now = tx.now();
    if let Some(stream) = table.definition.stream.clone().filter(|stream| stream.enabled) {
        stream::remember(tx, &table.definition, &stream, Some(now))?;
        table.definition.stream = Some(Stream { enabled: false, ..stream });
        tx.wake(&stream::wake_key(&table.definition.name));
    }
    Ok(())
}

fn begin_stream(tx: &Tx<'_>, table: &mut Table, view: View) -> Result<(), Error> {
    let stream = Stream::new(view, tx.now());
    stream::remember(tx, &table.definition, &stream, None)?;
    table.definition.stream = Some(stream);
    Ok(())
}

fn change_in(tx: &mut Tx<'_>, table: &mut Table, change: &TableChange) -> Result<(), Error> {
    if change.indexes.is_empty()
        && change.stream.is_none()
        && change.on_demand.is_none()
        && change.throughput.is_none()
        && change.deletion_protection.is_none()
        && change.class.is_none()
    {
        return Err(Error::Invalid(
            "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required"
                .into(),
        ));
    }
    match (change.on_demand, change.throughput) {
        (Some(true), Some(_)) => {
            return Err(invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"));
        }
        (Some(true), None) => {
            table.definition.throughput = None;
            table.definition.global.iter_mut().for_each(|index| index.throughput = (0, 0));
        }
        (Some(false), None) if table.definition.throughput.is_none() => {
            return Err(invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"));
        }
        (None, Some(_)) if table.definition.throughput.is_none() => {
            return Err(invalid("Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST"));
        }
        (_, Some(asked)) => {
            if change.on_demand.is_none() && table.definition.throughput == Some(asked) && change.indexes.is_empty() {
                return Err(Error::Invalid(format!(
                    "The provisioned throughput for the table will not change. The requested value equals the current value. \
                     Current ReadCapacityUnits provisioned for the table: {0}. Requested ReadCapacityUnits: {0}. \
                     Current WriteCapacityUnits provisioned for the table: {1}. Requested WriteCapacityUnits: {1}. \
                     Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.",
                    asked.0, asked.1
                )));
            }
            table.definition.throughput = Some(asked);
        }
        (Some(false) | None, None) => {}
    }
    match (change.stream, table.definition.stream.as_ref().is_some_and(|stream| stream.enabled)) {
        (Some(Some(_)), true) => return Err(Error::Invalid(format!("Table already has an enabled stream: TableName: {}", change.table))),
        (Some(None), false) => {
            return Err(Error::Invalid(format!("Table is already not streaming, or stream is disabled: TableName: {}", change.table)));
        }
        (Some(Some(view)), false) => begin_stream(tx, table, view)?,
        (Some(None), true) => end_stream(tx, table)?,
        (None, _) => {}
    }
    if let Some(protection) = change.deletion_protection {
        table.definition.deletion_protection = protection;
    }
    if change.class.is_some() {
        table.definition.class.clone_from(&change.class);
    }
    for (name, kind) in &change.attributes {
        match table.definition.attributes.iter_mut().find(|(other, _)| other == name) {
            Some((_, known)) => *known = *kind,
            None => table.definition.attributes.push((name.clone(), *kind)),
        }
    }
    for index in &change.indexes {
        change_index(tx, table, index)?;
    }
    forget_unused_attributes(&mut table.definition);
    Ok(())
}

/// Definitions that no key uses any more go with the index that used them.
fn forget_unused_attributes(definition: &mut Definition) {
    let used: Vec<String> =
        definition.keys.names().chain(definition.indexes().flat_map(|index| index.keys.names())).map(str::to_owned).collect();
    definition.attributes.retain(|(name, _)| used.contains(name));
}

fn change_index(tx: &mut Tx<'_>, table: &mut Table, change: &IndexChange) -> Result<(), Error> {
    match change {
        IndexChange::Create(wanted) => {
            let all: Vec<Index> = table.definition.indexes().cloned().collect();
            if all.iter().any(|index| index.name == wanted.name) {
                return Err(Error::Invalid("Attempting to create an index which already exists".into()));
            }
            let index = next_index(&all, wanted, &table.definition.attributes)?;
            fill_index(tx, table, &index)?;
            table.definition.global.push(index);
        }
        IndexChange::Update(name, throughput) => {
            let index = table.definition.global.iter_mut().find(|index| index.name == *name);
            index.ok_or_else(|| Error::NoSuchIndex(name.clone()))?.throughput = *throughput;
        }
        IndexChange::Delete(name) => {
            let at =
                table.definition.global.iter().position(|index| index.name == *name).ok_or_else(|| Error::NoSuchIndex(name.clone()))?;
            let index = table.definition.global.remove(at);
            clear_index(tx, table, &index)?;
        }
    }
    Ok(())
}

/// Brings a table to what is wanted of it without touching its items.
fn reshape(tx: &mut Tx<'_>, table: &Arc<Table>, wanted: Definition) -> Result<bool, Error> {
    let mut own = Table::clone(table);
    let is = &table.definition;
    let same_kinds = wanted.keys.names().all(|name| wanted.kind_of(name) == is.kind_of(name));
    if is.keys != wanted.keys || !same_kinds {
        return Err(Error::InUse(format!(
            "table `{}` has items under another primary key; give the new table another name, or delete the old one first",
            wanted.name
        )));
    }
    own.definition.attributes.clone_from(&wanted.attributes);
    own.definition.throughput = wanted.throughput;
    own.definition.deletion_protection = wanted.deletion_protection;
    own.definition.tags.clone_from(&wanted.tags);
    own.definition.class.clone_from(&wanted.class);
    let kinds_kept = |index: &Index| index.keys.names().all(|name| wanted.kind_of(name) == is.kind_of(name));
    let same = |a: &Index, b: &Index| a.name == b.name && a.keys == b.keys && kinds_kept(a);
    for index in is.indexes().filter(|index| !wanted.indexes().any(|other| same(index, other))) {
        clear_index(tx, table, index)?;
    }
    let mut kept: Vec<Index> = is.indexes().filter(|index| wanted.indexes().any(|other| same(index, other))).cloned().collect();
    let (mut local, mut global) = (Vec::new(), Vec::new());
    for (at, index) in wanted.indexes().enumerate() {
        let slot = match kept.iter().find(|other| same(index, other)) {
            Some(other) => {
                if other.projection != index.projection {
                    let (before, after) = (other.clone(), Index { slot: other.slot, ..index.clone() });
                    let change = kept::index_bytes(tx, table, &after)? - kept::index_bytes(tx, table, &before)?;
                    tx.keep(Unit::TableBytesStored, change);
                }
                other.slot
            }
            None => {
                let slot =
                    (0u8..64).find(|slot| kept.iter().all(|other| other.slot != *slot)).ok_or_else(|| invalid("Too many indexes"))?;
                let new = Index { slot, ..index.clone() };
                fill_index(tx, &own, &new)?;
                kept.push(new);
                slot
            }
        };
        let into = if at < wanted.local.len() { &mut local } else { &mut global };
        into.push(Index { slot, ..index.clone() });
    }
    own.definition.local = local;
    own.definition.global = global;
    if is.expiry != wanted.expiry {
        set_expiry_in(tx, &mut own, wanted.expiry.clone())?;
        tx.wake(super::EXPIRY_WAKE);
    }
    let view = |definition: &Definition| definition.stream.as_ref().filter(|stream| stream.enabled).map(|stream| stream.view);
    if view(is) != view(&wanted) {
        end_stream(tx, &mut own)?;
        if let Some(view) = view(&wanted) {
            begin_stream(tx, &mut own, view)?;
        }
    }
    let changed = own.definition != *is;
    if changed {
        store::update_table(tx, &own)?;
    }
    Ok(changed)
}
