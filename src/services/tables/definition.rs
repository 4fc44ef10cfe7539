//! What a table is: its keys, indexes, stream and settings. Source: API reference, `CreateTable` and `TableDescription`.

use serde::{Deserialize, Serialize};

use super::Error;
use super::key::{self, KeyKind};
use super::value::{Item, Value};
use crate::base::Time;

/// The attributes of a primary key or of an index key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The partition key.
    pub hash: String,
    /// The sort key.
    pub range: Option<String>,
}

impl Keys {
    /// The names, the partition key first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.hash.as_str()).chain(self.range.as_deref())
    }

    /// Whether an attribute is one of them.
    pub fn has(&self, name: &str) -> bool {
        self.names().any(|key| key == name)
    }
}

/// Which attributes an index holds besides its keys and the table's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Projection {
    All,
    KeysOnly,
    Include(Vec<String>),
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Under which its rows are kept; below 64.
    pub(super) slot: u8,
    pub name: String,
    pub keys: Keys,
    pub projection: Projection,
    /// Provisioned read and write units; zeros when on demand.
    pub throughput: (u64, u64),
}

/// Which images a stream's records carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum View {
    KeysOnly,
    NewImage,
    OldImage,
    NewAndOldImages,
}

impl View {
    /// As the API writes it.
    pub fn label(self) -> &'static str {
        match self {
            View::KeysOnly => "KEYS_ONLY",
            View::NewImage => "NEW_IMAGE",
            View::OldImage => "OLD_IMAGE",
            View::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// A table's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stream {
    pub view: View,
    /// When it was enabled; names it among the table's streams, one after another.
    pub label: String,
    /// Whether it still takes records; one that was disabled stays readable for a day.
    pub enabled: bool,
    pub created: Time,
}

/// Everything about a table but its items.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    pub name: String,
    /// A UUID: a table that is deleted and created again is another table.
    pub id: String,
    pub created: Time,
    pub attributes: Vec<(String, KeyKind)>,
    pub keys: Keys,
    pub local: Vec<Index>,
    pub global: Vec<Index>,
    /// Provisioned read and write units; `None`: on demand.
    pub throughput: Option<(u64, u64)>,
    pub stream: Option<Stream>,
    /// The attribute that says when an item expires.
    pub expiry: Option<String>,
    pub tags: Vec<(String, String)>,
    pub deletion_protection: bool,
    /// `STANDARD` or `STANDARD_INFREQUENT_ACCESS`, where one was asked for.
    pub class: Option<String>,
}

/// A table and where its rows are.
#[derive(Clone, Debug)]
pub struct Table {
    /// Under which its items are kept.
    pub(super) number: i64,
    pub definition: Definition,
}

/// What an index is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewIndex {
    pub name: String,
    /// Attribute and `HASH` (true) or `RANGE` (false), as given.
    pub keys: Vec<(String, bool)>,
    /// `None`: no projection type was given.
    pub projection: Option<Projection>,
    /// Attributes were named although the projection takes none.
    pub stray_attributes: bool,
    pub throughput: Option<(u64, u64)>,
}

/// What a table is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Create {
    pub name: String,
    pub attributes: Vec<(String, KeyKind)>,
    /// Attribute and `HASH` (true) or `RANGE` (false), as given.
    pub keys: Vec<(String, bool)>,
    pub local: Option<Vec<NewIndex>>,
    pub global: Option<Vec<NewIndex>>,
    /// `BillingMode: PAY_PER_REQUEST`.
    pub on_demand: bool,
    pub throughput: Option<(u64, u64)>,
    pub stream: Option<View>,
    pub tags: Vec<(String, String)>,
    pub deletion_protection: bool,
    pub class: Option<String>,
    /// The attribute that says when an item expires (CloudFormation sets it with the table).
    pub expiry: Option<String>,
}

const LOCAL_MAX: usize = 5;
const GLOBAL_MAX: usize = 20;
const INVALID: &str = "One or more parameter values were invalid: ";

pub(super) fn invalid(text: impl std::fmt::Display) -> Error {
    Error::Invalid(format!("{INVALID}{text}"))
}

fn list<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ")
}

/// The keys that a key schema says.
fn keys(schema: &[(String, bool)], attributes: &[(String, KeyKind)]) -> Result<Keys, Error> {
    let names: Vec<&str> = schema.iter().map(|(name, _)| name.as_str()).collect();
    let defined: Vec<&str> = attributes.iter().map(|(name, _)| name.as_str()).collect();
    match schema {
        [] => return Err(Error::Invalid("Invalid KeySchema: Some index key attribute have no definition".into())),
        [(_, false), ..] => return Err(Error::Invalid("Invalid KeySchema: The first KeySchemaElement is not a HASH key type".into())),
        [(hash, _), (range, _)] if hash == range => {
            return Err(Error::Invalid("Both the Hash Key and the Range Key element in the KeySchema have the same name".into()));
        }
        [_, (_, true), ..] => return Err(Error::Invalid("Invalid KeySchema: The second KeySchemaElement is not a RANGE key type".into())),
        _ => {}
    }
    if names.iter().any(|name| !defined.contains(name)) {
        return Err(invalid(format!(
            "Some index key attributes are not defined in AttributeDefinitions. Keys: [{}], AttributeDefinitions: [{}]",
            list(&names),
            list(&defined)
        )));
    }
    Ok(Keys { hash: schema[0].0.clone(), range: schema.get(1).map(|(name, _)| name.clone()) })
}

impl NewIndex {
    fn build(&self, slot: u8, attributes: &[(String, KeyKind)]) -> Result<Index, Error> {
        let keys = keys(&self.keys, attributes)?;
        let projection = self.projection.clone().ok_or_else(|| invalid("Unknown ProjectionType: null"))?;
        match &projection {
            Projection::All if self.stray_attributes => return Err(invalid("ProjectionType is ALL, but NonKeyAttributes is specified")),
            Projection::KeysOnly if self.stray_attributes => {
                return Err(invalid("ProjectionType is KEYS_ONLY, but NonKeyAttributes is specified"));
            }
            Projection::Include(names) if names.is_empty() => {
                return Err(invalid("ProjectionType is INCLUDE, but NonKeyAttributes is not specified"));
            }
            Projection::All | Projection::KeysOnly | Projection::Include(_) => {}
        }
        Ok(Index { slot, name: self.name.clone(), keys, projection, throughput: self.throughput.unwrap_or_default() })
    }
}

impl Create {
    /// The definition that this asks for, or the service's own complaint.
    pub(super) fn define(&self, id: String, now: Time) -> Result<Definition, Error> {
        let on_demand = self.on_demand;
        match self.throughput {
            Some(_) if on_demand => {
                return Err(invalid(
                    "Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST",
                ));
            }
            None if !on_demand => {
                return Err(invalid("ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"));
            }
            _ => {}
        }
        for (at, (name, _)) in self.attributes.iter().enumerate() {
            if self.attributes[..at].iter().any(|(other, _)| other == name) {
                return Err(invalid(format!("Cannot have two attributes with the same name: {name}")));
            }
        }
        let table_keys = keys(&self.keys, &self.attributes)?;
        let mut indexes: Vec<Index> = Vec::new();
        let mut locals = 0;
        if let Some(local) = &self.local {
            if local.is_empty() {
                return Err(invalid("List of LocalSecondaryIndexes is empty"));
            }
            for index in local {
                if table_keys.range.is_none() {
                    return Err(invalid(
                        "Table KeySchema does not have a range key, which is required when specifying a LocalSecondaryIndex",
                    ));
                }
                let index = next_index(&indexes, index, &self.attributes)?;
                if index.keys.hash != table_keys.hash {
                    return Err(invalid(format!(
                        "Index KeySchema does not have the same leading hash key as table KeySchema for index: {}. index hash key: {}, table hash key: {}",
                        index.name, index.keys.hash, table_keys.hash
                    )));
                }
                if index.keys.range.is_none() {
                    return Err(invalid(format!("Index KeySchema does not have a range key for index: {}", index.name)));
                }
                indexes.push(index);
            }
            locals = indexes.len();
            if locals > LOCAL_MAX {
                return Err(invalid(format!("Number of LocalSecondaryIndexes exceeds per-table limit of {LOCAL_MAX}")));
            }
        }
        if let Some(global) = &self.global {
            if global.is_empty() {
                return Err(invalid("List of GlobalSecondaryIndexes is empty"));
            }
            for index in global {
                if on_demand && index.throughput.is_some() {
                    return Err(invalid(format!(
                        "ProvisionedThroughput should not be specified for index: {} when BillingMode is PAY_PER_REQUEST",
                        index.name
                    )));
                }
                indexes.push(next_index(&indexes, index, &self.attributes)?);
            }
            if indexes.len() - locals > GLOBAL_MAX {
                return Err(invalid(format!("GlobalSecondaryIndex count exceeds the per-table limit of {GLOBAL_MAX}")));
            }
        }
        let global = indexes.split_off(locals);
        let definition = Definition {
            name: self.name.clone(),
            id,
            created: now,
            attributes: self.attributes.clone(),
            keys: table_keys,
            local: indexes,
            global,
            throughput: self.throughput,
            stream: self.stream.map(|view| Stream::new(view, now)),
            expiry: self.expiry.clone(),
            tags: self.tags.clone(),
            deletion_protection: self.deletion_protection,
            class: self.class.clone(),
        };
        definition.check_attributes_used()?;
        Ok(definition)
    }
}

/// An index after `before`, in a slot that none of them has.
pub(super) fn next_index(before: &[Index], index: &NewIndex, attributes: &[(String, KeyKind)]) -> Result<Index, Error> {
    if before.iter().any(|other| other.name == index.name) {
        return Err(invalid(format!("Duplicate index name: {}", index.name)));
    }
    let slot = (0u8..64).find(|slot| before.iter().all(|other| other.slot != *slot)).ok_or_else(|| invalid("Too many indexes"))?;
    index.build(slot, attributes)
}

impl Stream {
    pub(super) fn new(view: View, now: Time) -> Stream {
        Stream { view, label: now.utc().format("%Y-%m-%dT%H:%M:%S%.3f").to_string(), enabled: true, created: now }
    }
}

impl Definition {
    pub(super) fn check_attributes_used(&self) -> Result<(), Error> {
        let mut used: Vec<&str> = self.keys.names().collect();
        for name in self.indexes().flat_map(|index| index.keys.names()) {
            if !used.contains(&name) {
                used.push(name);
            }
        }
        let defined: Vec<&str> = self.attributes.iter().map(|(name, _)| name.as_str()).collect();
        if defined.iter().all(|name| used.contains(name)) {
            return Ok(());
        }
        if self.local.is_empty() && self.global.is_empty() {
            return Err(invalid(
                "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
            ));
        }
        Err(invalid(format!(
            "Some AttributeDefinitions are not used. AttributeDefinitions: [{}], keys used: [{}]",
            list(&defined),
            list(&used)
        )))
    }

    /// All indexes, local ones first.
    pub fn indexes(&self) -> impl Iterator<Item = &Index> {
        self.local.iter().chain(&self.global)
    }

    /// The type of a key attribute.
    pub fn kind_of(&self, name: &str) -> KeyKind {
        self.attributes.iter().find(|(attribute, _)| attribute == name).map_or(KeyKind::S, |(_, kind)| *kind)
    }

    /// The attributes of `item` that an index shows.
    pub fn project(&self, index: &Index, item: &Item) -> Item {
        match &index.projection {
            Projection::All => item.clone(),
            Projection::KeysOnly => item.only(|name| self.keys.has(name) || index.keys.has(name)),
            Projection::Include(names) => item.only(|name| self.keys.has(name) || index.keys.has(name) || names.iter().any(|n| n == name)),
        }
    }

    /// Whether an index shows an attribute.
    pub fn projects(&self, index: &Index, name: &str) -> bool {
        self.keys.has(name)
            || index.keys.has(name)
            || match &index.projection {
                Projection::All => true,
                Projection::KeysOnly => false,
                Projection::Include(names) => names.iter().any(|n| n == name),
            }
    }

    /// The key of a whole item that is to be stored.
    pub(super) fn key_of_item(&self, item: &Item) -> Result<Vec<u8>, Error> {
        for name in self.keys.names() {
            let value = item.get(name).ok_or_else(|| invalid(format!("Missing the key {name} in the item")))?;
            let kind = self.kind_of(name).kind();
            if value.kind() != kind {
                return Err(invalid(format!("Type mismatch for key {name} expected: {} actual: {}", kind.label(), value.kind().label())));
            }
        }
        self.key_checked(item)
    }

    /// The key that a request names.
    pub(super) fn key_of(&self, key: &Item) -> Result<Vec<u8>, Error> {
        if key.len() != self.keys.names().count() {
            return Err(Error::Invalid("The number of conditions on the keys is invalid".into()));
        }
        for name in self.keys.names() {
            if key.get(name).is_none_or(|value| value.kind() != self.kind_of(name).kind()) {
                return Err(Error::Invalid("The provided key element does not match the schema".into()));
            }
        }
        self.key_checked(key)
    }

    fn key_checked(&self, item: &Item) -> Result<Vec<u8>, Error> {
        let mut values = [None, None];
        for (at, name) in self.keys.names().enumerate() {
            let value = item.get(name);
            if let Some(what) = value.and_then(empty) {
                return Err(Error::Invalid(format!(
                    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {what} value. Key: {name}"
                )));
            }
            let bytes = value.map_or(0, Value::bytes);
            if at == 0 && bytes > 2048 {
                return Err(invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
            }
            if at == 1 && bytes > 1024 {
                return Err(invalid("Aggregated size of all range keys has exceeded the size limit of 1024 bytes"));
            }
            values[at] = value;
        }
        let hash = values[0].ok_or_else(|| Error::Invalid("The provided key element does not match the schema".into()))?;
        Ok(key::encode(hash, values[1]))
    }

    /// The key of an item's row in an index; `None` where it is not in it.
    pub(super) fn index_key(&self, index: &Index, item: &Item) -> Option<Vec<u8>> {
        let fits = |name: &str| item.get(name).filter(|value| value.kind() == self.kind_of(name).kind() && value.bytes() <= 2048);
        let hash = fits(&index.keys.hash)?;
        match &index.keys.range {
            None => Some(key::encode(hash, None)),
            Some(range) => Some(key::encode(hash, Some(fits(range)?))),
        }
    }

    /// Refuses an item whose values cannot be keys of the indexes. `update` says what is told: the texts differ.
    pub(super) fn check_index_keys(&self, item: &Item, update: bool) -> Result<(), Error> {
        for index in self.indexes() {
            for name in index.keys.names().filter(|name| !self.keys.has(name)) {
                let Some(value) = item.get(name) else { continue };
                let kind = self.kind_of(name).kind();
                if value.kind() != kind {
                    return Err(if update {
                        Error::Invalid("The update expression attempted to update the secondary index key to unsupported type".into())
                    } else {
                        let actual = value.kind().label();
                        invalid(format!(
                            "Type mismatch for Index Key {name} Expected: {} Actual: {actual} IndexName: {}",
                            kind.label(),
                            index.name
                        ))
                    });
                }
                if let Some(what) = empty(value) {
                    return Err(Error::Invalid(if update {
                        format!(
                            "The update expression attempted to update a secondary index key to a value that is not supported. \
                             The AttributeValue for a key attribute cannot contain an empty {what} value."
                        )
                    } else {
                        format!(
                            "One or more parameter values are not valid. A value specified for a secondary index key is not supported. \
                             The AttributeValue for a key attribute cannot contain an empty {what} value. IndexName: {}, IndexKey: {name}",
                            index.name
                        )
                    }));
                }
                let bytes = value.bytes();
                if name == index.keys.hash && bytes > 2048 {
                    return Err(invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
                }
                if name != index.keys.hash && bytes > 1024 {
                    return Err(invalid("Aggregated size of all range keys has exceeded the size limit of 1024 bytes"));
                }
            }
        }
        Ok(())
    }

    /// The primary key out of an item.
    pub fn key_attributes(&self, item: &Item) -> Item {
        item.only(|name| self.keys.has(name))
    }
}

fn empty(value: &Value) -> Option<&'static str> {
    match value {
        Value::S(text) if text.is_empty() => Some("string"),
        Value::B(bytes) if bytes.is_empty() => Some("binary"),
        _ => None,
    }
}
