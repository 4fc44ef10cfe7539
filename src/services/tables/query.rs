//! Query and scan: pages of items in order of an index, or of all. Source: API reference, `Query` and `Scan`.

use super::capacity::{Consumed, Units};
use super::definition::{Definition, Index, Table, invalid};
use super::expression::{Condition, KeyCondition, Range, Substitutes};
use super::path::{self, Path};
use super::store::{KEY_END, Stretch};
use super::value::{Item, Value};
use super::{Error, Tables, key, store, table};
use crate::base::Call;
use crate::store::Tx;

/// Bytes that a page reads at most, before any filter.
pub const PAGE_BYTES: usize = 1 << 20;

/// What a page is to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Select {
    AllAttributes,
    AllProjected,
    Specific,
    Count,
}

/// To read the items of one partition.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    pub key_condition: Option<String>,
    /// `ScanIndexForward: false`.
    pub backward: bool,
    pub scan: Scan,
}

/// To read all items.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scan {
    pub table: String,
    pub index: Option<String>,
    pub filter: Option<String>,
    pub projection: Option<String>,
    pub substitutes: Substitutes,
    pub select: Option<Select>,
    pub limit: Option<usize>,
    /// `ExclusiveStartKey`.
    pub start: Option<Item>,
    pub consistent: bool,
    pub segment: Option<Segment>,
}

/// One of several parts of a table that are scanned at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub number: u32,
    pub total: u32,
}

/// A page of items.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// `None` where only their count was asked for.
    pub items: Option<Vec<Item>>,
    pub count: usize,
    pub scanned: usize,
    /// Where the next page starts; `None` at the end.
    pub last: Option<Item>,
    /// The top-level attributes that the filter asks for, in its order, each once.
    pub filtered_by: Vec<String>,
    pub consumed: Consumed,
}

struct Plan<'a> {
    table: &'a Table,
    index: Option<&'a Index>,
    local: bool,
    from: Vec<u8>,
    to: Vec<u8>,
    backward: bool,
    filter: Option<Condition>,
    projection: Option<Vec<Path>>,
    count_only: bool,
}

struct Parsed {
    conditions: Vec<KeyCondition>,
    filter: Option<Condition>,
    projection: Option<Vec<Path>>,
}

fn parse(scan: &Scan, key_condition: Option<&str>) -> Result<Parsed, Error> {
    let scope = scan.substitutes.open()?;
    let filter = scan.filter.as_deref().map(|text| scope.filter(text)).transpose()?;
    let conditions = key_condition.map(|text| scope.key_condition(text)).transpose()?.unwrap_or_default();
    let projection = scan.projection.as_deref().map(|text| scope.projection(text)).transpose()?;
    scope.close()?;
    if let Some(paths) = &projection {
        let choosing = |select: &str| Err(Error::Invalid(format!("Cannot specify the ProjectionExpression when choosing to get {select}")));
        match scan.select {
            Some(Select::AllAttributes) => return choosing("ALL_ATTRIBUTES"),
            Some(Select::AllProjected) => return choosing("ALL_PROJECTED_ATTRIBUTES"),
            Some(Select::Count) if !paths.is_empty() => return choosing("only the Count"),
            _ => {}
        }
    } else if scan.select == Some(Select::Specific) {
        return Err(Error::Invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES".into(),
        ));
    }
    if scan.select == Some(Select::AllProjected) && scan.index.is_none() {
        return Err(Error::Invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName".into()));
    }
    Ok(Parsed { conditions, filter, projection })
}

impl Tables {
    /// A page of a partition's items. Fails with [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn query(&self, call: &Call, query: Query) -> Result<Page, Error> {
        let Some(key_condition) = &query.key_condition else {
            return Err(Error::Invalid(
                "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.".into(),
            ));
        };
        let parsed = parse(&query.scan, Some(key_condition))?;
        let scan = &query.scan;
        self.db
            .read(call, |tx| {
                let table = table(&self.cache, tx, &scan.table)?;
                let definition = &table.definition;
                let (index, local) = find_index(definition, scan)?;
                let keys = index.map_or(&definition.keys, |index| &index.keys);
                let (hash, range) = match_keys(definition, index, &parsed.conditions)?;
                check_filter(definition, index, parsed.filter.as_ref())?;
                let prefix = key::partition(hash);
                let (from, to) = bounds(&prefix, range);
                let mut plan = Plan {
                    table: &table,
                    index,
                    local,
                    from,
                    to,
                    backward: query.backward,
                    filter: parsed.filter,
                    projection: parsed.projection,
                    count_only: scan.select == Some(Select::Count),
                };
                let after = scan.start.as_ref().map(|start| start_of(definition, index, start)).transpose()?;
                if let Some((row, _)) = &after {
                    let start = scan.start.as_ref().and_then(|start| start.get(&keys.hash));
                    if start != Some(hash) {
                        return Err(Error::Invalid(
                            "The provided starting key is outside query boundaries based on provided conditions".into(),
                        ));
                    }
                    if *row < plan.from || *row >= plan.to {
                        return Err(Error::Invalid("The provided starting key does not match the range key predicate".into()));
                    }
                }
                page(tx, &mut plan, scan, after)
            })
            .await
    }

    /// A page of all items, or of a segment of them. Fails with [`Error::NoSuchTable`], [`Error::Invalid`].
    pub async fn scan(&self, call: &Call, scan: Scan) -> Result<Page, Error> {
        if let Some(Segment { number, total }) = scan.segment
            && number >= total
        {
            return Err(Error::Invalid(format!(
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: {number} is not less than TotalSegments: {total}"
            )));
        }
        let parsed = parse(&scan, None)?;
        self.db
            .read(call, |tx| {
                let table = table(&self.cache, tx, &scan.table)?;
                let definition = &table.definition;
                let (index, local) = find_index(definition, &scan)?;
                let (from, to) = scan.segment.map_or((Vec::new(), None), |segment| key::segment(segment.number, segment.total));
                let mut plan = Plan {
                    table: &table,
                    index,
                    local,
                    from,
                    to: to.unwrap_or_else(|| KEY_END.to_vec()),
                    backward: false,
                    filter: parsed.filter,
                    projection: parsed.projection,
                    count_only: scan.select == Some(Select::Count),
                };
                let after = scan.start.as_ref().map(|start| start_of(definition, index, start)).transpose()?;
                if let (Some((row, _)), Some(Segment { number, total })) = (&after, scan.segment)
                    && !(*row >= plan.from && *row < plan.to)
                {
                    return Err(Error::Invalid(format!(
                        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. \
                         TotalSegments: {total} Segment: {number}"
                    )));
                }
                page(tx, &mut plan, &scan, after)
            })
            .await
    }
}

fn find_index<'a>(definition: &'a Definition, scan: &Scan) -> Result<(Option<&'a Index>, bool), Error> {
    let Some(name) = &scan.index else { return Ok((None, false)) };
    if let Some(index) = definition.local.iter().find(|index| index.name == *name) {
        return Ok((Some(index), true));
    }
    let index = definition.global.iter().find(|index| index.name == *name);
    let index = index.ok_or_else(|| Error::Invalid(format!("The table does not have the specified index: {name}")))?;
    if scan.consistent {
        return Err(Error::Invalid("Consistent reads are not supported on global secondary indexes".into()));
    }
    if scan.select == Some(Select::AllAttributes) && index.projection != super::Projection::All {
        return Err(invalid(format!(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index {name} because its projection type is not ALL"
        )));
    }
    Ok((Some(index), false))
}

/// The value of the partition key, and what is asked of the sort key.
fn match_keys<'a>(
    definition: &Definition,
    index: Option<&Index>,
    conditions: &'a [KeyCondition],
) -> Result<(&'a Value, Option<&'a Range>), Error> {
    let keys = index.map_or(&definition.keys, |index| &index.keys);
    let find = |name: &str| conditions.iter().find(|condition| condition.attribute == name);
    let missed = |name: &str| Error::Invalid(format!("Query condition missed key schema element: {name}"));
    let hash = find(&keys.hash).ok_or_else(|| missed(&keys.hash))?;
    let range = match (&keys.range, conditions.len()) {
        (_, ..=1) => None,
        (Some(name), _) => Some(find(name).ok_or_else(|| missed(name))?),
        (None, _) => return Err(Error::Invalid("Query key condition not supported".into())),
    };
    let Range::Equal(value) = &hash.range else { return Err(Error::Invalid("Query key condition not supported".into())) };
    for condition in [Some(hash), range].into_iter().flatten() {
        let kind = definition.kind_of(&condition.attribute).kind();
        let fits = |value: &Value| value.kind() == kind;
        let right = match &condition.range {
            Range::Between(low, high) => fits(low) && fits(high),
            other => fits(other.value()),
        };
        if !right {
            return Err(invalid("Condition parameter type does not match schema type"));
        }
        if matches!(condition.range, Range::BeginsWith(_)) && kind == super::Kind::N {
            return Err(Error::Invalid(
                "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: begins_with, operand type: N".into(),
            ));
        }
        let empty = matches!(&condition.range, Range::Equal(Value::S(text)) if text.is_empty());
        if empty {
            return Err(Error::Invalid(format!(
                "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: {}",
                condition.attribute
            )));
        }
    }
    if value.bytes() > 2048 {
        return Err(invalid("Size of hashkey has exceeded the maximum size limit of2048 bytes"));
    }
    Ok((value, range.map(|condition| &condition.range)))
}

fn check_filter(definition: &Definition, index: Option<&Index>, filter: Option<&Condition>) -> Result<(), Error> {
    let keys = index.map_or(&definition.keys, |index| &index.keys);
    let mut offending = None;
    if let Some(filter) = filter {
        filter.paths(&mut |path| {
            if offending.is_none() && keys.has(&path.attribute) {
                offending = Some(path.attribute.clone());
            }
        });
    }
    match offending {
        Some(name) => {
            Err(Error::Invalid(format!("Filter Expression can only contain non-primary key attributes: Primary key attribute: {name}")))
        }
        None => Ok(()),
    }
}

/// The first key of a range within a partition, and the first after it.
fn bounds(prefix: &[u8], range: Option<&Range>) -> (Vec<u8>, Vec<u8>) {
    let at = |value: &Value| {
        let mut key = prefix.to_vec();
        key::encode_ordered(value, &mut key);
        key
    };
    let past = |value: &Value| {
        let mut key = at(value);
        key.push(0);
        key
    };
    let end = |prefix: &[u8]| key::after_prefix(prefix).unwrap_or_else(|| KEY_END.to_vec());
    match range {
        None => (prefix.to_vec(), end(prefix)),
        Some(Range::Equal(value)) => (at(value), past(value)),
        Some(Range::Less(value)) => (prefix.to_vec(), at(value)),
        Some(Range::LessOrEqual(value)) => (prefix.to_vec(), past(value)),
        Some(Range::Greater(value)) => (past(value), end(prefix)),
        Some(Range::GreaterOrEqual(value)) => (at(value), end(prefix)),
        Some(Range::Between(low, high)) => (at(low), past(high)),
        Some(Range::BeginsWith(value)) => (at(value), end(&at(value))),
    }
}

/// The row that an `ExclusiveStartKey` names: its key in what is read, and its item's key.
fn start_of(definition: &Definition, index: Option<&Index>, start: &Item) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let wrong = || Error::Invalid("The provided starting key is invalid".into());
    let mut names: Vec<&str> = definition.keys.names().collect();
    for name in index.into_iter().flat_map(|index| index.keys.names()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if start.len() != names.len() {
        return Err(if index.is_some() {
            wrong()
        } else {
            Error::Invalid("Exclusive Start Key must have same size as table's key schema".into())
        });
    }
    for name in &names {
        if start.get(name).is_none_or(|value| value.kind() != definition.kind_of(name).kind()) {
            return Err(if index.is_some() {
                wrong()
            } else {
                Error::Invalid("The provided starting key is invalid: The provided key element does not match the schema".into())
            });
        }
    }
    let item_key = definition.key_of(&definition.key_attributes(start))?;
    let row = match index {
        Some(index) => definition.index_key(index, start).ok_or_else(wrong)?,
        None => item_key.clone(),
    };
    Ok((row, item_key))
}

fn page(tx: &mut Tx<'_>, plan: &mut Plan<'_>, scan: &Scan, after: Option<(Vec<u8>, Vec<u8>)>) -> Result<Page, Error> {
    let definition = &plan.table.definition;
    // A local index gets from the table what it does not hold; a global one cannot.
    let mut fetches = false;
    if let Some(index) = plan.index {
        let missing: Vec<&str> = match &plan.projection {
            Some(paths) => paths.iter().map(|path| path.attribute.as_str()).filter(|name| !definition.projects(index, name)).collect(),
            None => Vec::new(),
        };
        if !missing.is_empty() && !plan.local {
            return Err(invalid(format!("Global secondary index {} does not project [{}]", index.name, missing.join(", "))));
        }
        fetches = plan.local
            && (!missing.is_empty() || (scan.select == Some(Select::AllAttributes) && index.projection != super::Projection::All));
    }
    let limit = scan.limit.unwrap_or(usize::MAX);
    let (mut items, mut count, mut scanned, mut bytes, mut fetched) = (Vec::new(), 0, 0, 0, Units::default());
    let mut last = None;
    let stretch = Stretch {
        from: &plan.from,
        to: &plan.to,
        backward: plan.backward,
        after: after.as_ref().map(|(row, item)| (row.as_slice(), item.as_slice())),
    };
    store::walk(tx, plan.table, plan.index, &stretch, |item| {
        let partial = plan.index.filter(|index| index.projection != super::Projection::All);
        let projected = partial.map(|index| definition.project(index, &item));
        bytes += projected.as_ref().unwrap_or(&item).bytes();
        scanned += 1;
        let full = scanned >= limit || bytes >= PAGE_BYTES;
        if full {
            last = Some(item.only(|name| definition.keys.has(name) || plan.index.is_some_and(|index| index.keys.has(name))));
        }
        let shown = match projected {
            Some(projected) if !fetches => projected,
            Some(_) => {
                fetched.read_halves += Units::read(item.bytes(), scan.consistent).read_halves;
                item
            }
            None => item,
        };
        if plan.filter.as_ref().is_none_or(|filter| filter.holds(&shown)) {
            count += 1;
            if !plan.count_only {
                items.push(match &plan.projection {
                    Some(paths) => path::project(&shown, paths),
                    None => shown,
                });
            }
        }
        Ok(!full)
    })?;
    let mut consumed = Consumed::new(&scan.table);
    let units = Units::read(bytes, scan.consistent);
    match plan.index {
        Some(index) => consumed.add_index(plan.local, &index.name, units),
        None => consumed.add_table(units),
    }
    consumed.add_table(fetched);
    // A query that finds nothing costs as much as one item.
    consumed.items.read = (scanned as u64).max(1);
    consumed.bill(tx);
    let filtered_by = plan.filter.as_ref().map(attributes).unwrap_or_default();
    Ok(Page { items: (!plan.count_only).then_some(items), count, scanned, last, filtered_by, consumed })
}

fn attributes(filter: &Condition) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    filter.paths(&mut |path| {
        if !names.contains(&path.attribute) {
            names.push(path.attribute.clone());
        }
    });
    names
}
