//! Requests about tables, into the service's words, and tables as the answers describe them.

use serde::Deserialize;
use serde_json::{Map, Value as Json, json};

use super::super::arn::Account;
use super::constraint::Constraints;
use super::event::stream_arn;
use crate::services::tables::{Create, Definition, Described, Index, IndexChange, KeyKind, Keys, NewIndex, Projection, TableChange, View};

/// All parameters of the operations on tables; each operation reads its own.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub struct Request {
    pub table_name: Option<String>,
    attribute_definitions: Option<Vec<AttributeDefinition>>,
    key_schema: Option<Vec<KeyElement>>,
    local_secondary_indexes: Option<Vec<IndexShape>>,
    global_secondary_indexes: Option<Vec<IndexShape>>,
    global_secondary_index_updates: Option<Vec<IndexUpdate>>,
    billing_mode: Option<String>,
    provisioned_throughput: Option<Throughput>,
    stream_specification: Option<StreamShape>,
    table_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
    tags: Option<Vec<Tag>>,
    pub time_to_live_specification: Option<TimeToLive>,
    pub exclusive_start_table_name: Option<String>,
    pub limit: Option<i64>,
    pub resource_arn: Option<String>,
    pub tag_keys: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AttributeDefinition {
    attribute_name: Option<String>,
    attribute_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct KeyElement {
    attribute_name: Option<String>,
    key_type: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct IndexShape {
    index_name: Option<String>,
    key_schema: Option<Vec<KeyElement>>,
    projection: Option<ProjectionShape>,
    provisioned_throughput: Option<Throughput>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IndexUpdate {
    create: Option<IndexShape>,
    update: Option<IndexShape>,
    delete: Option<IndexShape>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ProjectionShape {
    projection_type: Option<String>,
    non_key_attributes: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Throughput {
    read_capacity_units: Option<i64>,
    write_capacity_units: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StreamShape {
    stream_enabled: Option<bool>,
    stream_view_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: Option<String>,
    value: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct TimeToLive {
    pub attribute_name: Option<String>,
    pub enabled: Option<bool>,
}

fn key_schema(c: &mut Constraints, member: &str, schema: Option<Vec<KeyElement>>) -> Vec<(String, bool)> {
    let schema = c.required(member, schema).unwrap_or_default();
    if schema.is_empty() {
        c.fail("'[]'", member, "Member must have length greater than or equal to 1");
    }
    let mut keys = Vec::new();
    for (at, element) in schema.into_iter().enumerate() {
        let name = c.required(&format!("{member}.{}.member.attributeName", at + 1), element.attribute_name);
        let kind = c.required(&format!("{member}.{}.member.keyType", at + 1), element.key_type);
        c.one_of(&format!("{member}.{}.member.keyType", at + 1), kind.as_deref(), &["HASH", "RANGE"]);
        keys.push((name.unwrap_or_default(), kind.as_deref() == Some("HASH")));
    }
    if keys.len() > 2 {
        c.fail("'[...]'", member, "Member must have length less than or equal to 2");
    }
    keys
}

fn throughput(c: &mut Constraints, throughput: Option<Throughput>) -> Option<(u64, u64)> {
    let given = throughput?;
    let mut units = |member: &str, value: Option<i64>| {
        let member = format!("provisionedThroughput.{member}");
        let value = c.required(&member, value);
        c.within(&member, value, 1, i64::MAX);
        value.unwrap_or(1).unsigned_abs()
    };
    Some((units("readCapacityUnits", given.read_capacity_units), units("writeCapacityUnits", given.write_capacity_units)))
}

fn attributes(c: &mut Constraints, definitions: Vec<AttributeDefinition>) -> Vec<(String, KeyKind)> {
    let mut attributes = Vec::new();
    for (at, definition) in definitions.into_iter().enumerate() {
        let member = |name: &str| format!("attributeDefinitions.{}.member.{name}", at + 1);
        let name = c.required(&member("attributeName"), definition.attribute_name);
        let kind = c.required(&member("attributeType"), definition.attribute_type);
        c.one_of(&member("attributeType"), kind.as_deref(), &["B", "N", "S"]);
        let kind = match kind.as_deref() {
            Some("N") => KeyKind::N,
            Some("B") => KeyKind::B,
            _ => KeyKind::S,
        };
        attributes.push((name.unwrap_or_default(), kind));
    }
    attributes
}

fn index(c: &mut Constraints, member: &str, shape: IndexShape) -> NewIndex {
    let name = c.required(&format!("{member}.indexName"), shape.index_name).unwrap_or_default();
    if !name.is_empty() {
        c.name(&format!("{member}.indexName"), &name);
    }
    let keys = key_schema(c, &format!("{member}.keySchema"), shape.key_schema);
    let given = c.required(&format!("{member}.projection"), shape.projection);
    let (kind, names) = given.map_or((None, None), |projection| (projection.projection_type, projection.non_key_attributes));
    c.one_of(&format!("{member}.projection.projectionType"), kind.as_deref(), &["ALL", "INCLUDE", "KEYS_ONLY"]);
    let projection = match kind.as_deref() {
        Some("ALL") => Some(Projection::All),
        Some("KEYS_ONLY") => Some(Projection::KeysOnly),
        Some("INCLUDE") => Some(Projection::Include(names.clone().unwrap_or_default())),
        _ => None,
    };
    let stray_attributes = names.is_some() && !matches!(projection, Some(Projection::Include(_)));
    NewIndex { name, keys, projection, stray_attributes, throughput: throughput(c, shape.provisioned_throughput) }
}

fn stream(c: &mut Constraints, shape: Option<StreamShape>) -> Option<Option<View>> {
    let shape = shape?;
    c.one_of(
        "streamSpecification.streamViewType",
        shape.stream_view_type.as_deref(),
        &["NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES", "KEYS_ONLY"],
    );
    if shape.stream_enabled == Some(false) {
        return Some(None);
    }
    Some(Some(match shape.stream_view_type.as_deref() {
        Some("NEW_IMAGE") => View::NewImage,
        Some("OLD_IMAGE") => View::OldImage,
        Some("KEYS_ONLY") => View::KeysOnly,
        _ => View::NewAndOldImages,
    }))
}

impl Request {
    pub fn create(self) -> Result<Create, String> {
        let mut c = Constraints::default();
        let attributes = c.required("attributeDefinitions", self.attribute_definitions).unwrap_or_default();
        let attributes = self::attributes(&mut c, attributes);
        let name = c.table(self.table_name);
        let keys = key_schema(&mut c, "keySchema", self.key_schema);
        c.one_of("billingMode", self.billing_mode.as_deref(), &["PROVISIONED", "PAY_PER_REQUEST"]);
        let mut indexes = |member: &str, shapes: Option<Vec<IndexShape>>| {
            shapes.map(|shapes| {
                shapes.into_iter().enumerate().map(|(at, shape)| index(&mut c, &format!("{member}.{}.member", at + 1), shape)).collect()
            })
        };
        let local = indexes("localSecondaryIndexes", self.local_secondary_indexes);
        let global = indexes("globalSecondaryIndexes", self.global_secondary_indexes);
        let throughput = throughput(&mut c, self.provisioned_throughput);
        let stream = stream(&mut c, self.stream_specification).flatten();
        c.end()?;
        let tags = self.tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default())));
        Ok(Create {
            name,
            attributes,
            keys,
            local,
            global,
            on_demand: self.billing_mode.as_deref() == Some("PAY_PER_REQUEST"),
            throughput,
            stream,
            tags: tags.collect(),
            deletion_protection: self.deletion_protection_enabled.unwrap_or(false),
            class: self.table_class,
            expiry: self.time_to_live_specification.filter(|ttl| ttl.enabled != Some(false)).and_then(|ttl| ttl.attribute_name),
        })
    }

    pub fn change(self) -> Result<TableChange, String> {
        let mut c = Constraints::default();
        let attributes = attributes(&mut c, self.attribute_definitions.unwrap_or_default());
        let table = c.table(self.table_name);
        c.one_of("billingMode", self.billing_mode.as_deref(), &["PROVISIONED", "PAY_PER_REQUEST"]);
        let mut indexes = Vec::new();
        for (at, update) in self.global_secondary_index_updates.unwrap_or_default().into_iter().enumerate() {
            let member = format!("globalSecondaryIndexUpdates.{}.member", at + 1);
            if let Some(shape) = update.create {
                indexes.push(IndexChange::Create(index(&mut c, &format!("{member}.create"), shape)));
            }
            if let Some(shape) = update.update {
                let name = c.required(&format!("{member}.update.indexName"), shape.index_name).unwrap_or_default();
                indexes.push(IndexChange::Update(name, throughput(&mut c, shape.provisioned_throughput).unwrap_or_default()));
            }
            if let Some(shape) = update.delete {
                indexes.push(IndexChange::Delete(c.required(&format!("{member}.delete.indexName"), shape.index_name).unwrap_or_default()));
            }
        }
        let throughput = throughput(&mut c, self.provisioned_throughput);
        let stream = stream(&mut c, self.stream_specification);
        c.end()?;
        Ok(TableChange {
            table,
            attributes,
            indexes,
            stream,
            on_demand: self.billing_mode.as_deref().map(|mode| mode == "PAY_PER_REQUEST"),
            throughput,
            deletion_protection: self.deletion_protection_enabled,
            class: self.table_class,
        })
    }

    /// The table that is spoken of.
    pub fn name(&mut self) -> Result<String, String> {
        let mut c = Constraints::default();
        let name = c.table(self.table_name.take());
        c.end()?;
        Ok(name)
    }

    pub fn tags(&mut self) -> Vec<(String, String)> {
        self.tags.take().unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
    }
}

pub fn table_arn(account: &Account, name: &str) -> String {
    account.arn("dynamodb", &format!("table/{name}"))
}

/// A time as the API writes it: seconds, with a fraction.
pub fn seconds(time: crate::base::Time) -> f64 {
    time.millis() as f64 / 1000.0
}

fn key_schema_json(keys: &Keys) -> Json {
    let range = keys.range.iter().map(|name| json!({"AttributeName": name, "KeyType": "RANGE"}));
    std::iter::once(json!({"AttributeName": keys.hash, "KeyType": "HASH"})).chain(range).collect()
}

fn throughput_json(throughput: (u64, u64)) -> Json {
    json!({"NumberOfDecreasesToday": 0, "ReadCapacityUnits": throughput.0, "WriteCapacityUnits": throughput.1})
}

fn index_json(account: &Account, definition: &Definition, index: &Index, items: u64, global: Option<&str>) -> Json {
    let mut projection = Map::new();
    let (kind, names) = match &index.projection {
        Projection::All => ("ALL", None),
        Projection::KeysOnly => ("KEYS_ONLY", None),
        Projection::Include(names) => ("INCLUDE", Some(names)),
    };
    projection.insert("ProjectionType".into(), json!(kind));
    if let Some(names) = names {
        projection.insert("NonKeyAttributes".into(), json!(names));
    }
    let mut json = json!({
        "IndexName": index.name,
        "KeySchema": key_schema_json(&index.keys),
        "Projection": projection,
        "IndexSizeBytes": 0,
        "ItemCount": items,
        "IndexArn": format!("{}/index/{}", table_arn(account, &definition.name), index.name),
    });
    if let Some(status) = global {
        json["IndexStatus"] = json!(status);
        json["ProvisionedThroughput"] = throughput_json(index.throughput);
        if status == "CREATING" {
            json["Backfilling"] = json!(false);
        }
    }
    json
}

/// A `TableDescription`. `status` is told of the table, and of its global indexes while it is created.
pub fn description(account: &Account, described: &Described, status: &str) -> Json {
    let definition = &described.definition;
    let attributes: Vec<Json> =
        definition.attributes.iter().map(|(name, kind)| json!({"AttributeName": name, "AttributeType": kind.kind().label()})).collect();
    let mut json = json!({
        "AttributeDefinitions": attributes,
        "TableName": definition.name,
        "KeySchema": key_schema_json(&definition.keys),
        "TableStatus": status,
        "CreationDateTime": seconds(definition.created),
        "ProvisionedThroughput": throughput_json(definition.throughput.unwrap_or_default()),
        "TableSizeBytes": described.bytes,
        "ItemCount": described.items,
        "TableArn": table_arn(account, &definition.name),
        "TableId": definition.id,
        "DeletionProtectionEnabled": definition.deletion_protection,
    });
    if definition.throughput.is_none() {
        json["BillingModeSummary"] =
            json!({"BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": seconds(definition.created)});
    }
    if let Some(class) = &definition.class {
        json["TableClassSummary"] = json!({"TableClass": class});
    }
    let items = |index: &Index| described.index_items.iter().find(|(name, _)| *name == index.name).map_or(0, |(_, items)| *items);
    if !definition.local.is_empty() {
        json["LocalSecondaryIndexes"] =
            definition.local.iter().map(|index| index_json(account, definition, index, items(index), None)).collect();
    }
    if !definition.global.is_empty() {
        let status = if status == "CREATING" { "CREATING" } else { "ACTIVE" };
        json["GlobalSecondaryIndexes"] =
            definition.global.iter().map(|index| index_json(account, definition, index, items(index), Some(status))).collect();
    }
    if let Some(stream) = &definition.stream {
        if stream.enabled {
            json["StreamSpecification"] = json!({"StreamEnabled": true, "StreamViewType": stream.view.label()});
        }
        json["LatestStreamLabel"] = json!(stream.label);
        json["LatestStreamArn"] = json!(stream_arn(account, &definition.name, &stream.label));
    }
    json
}

/// Numbers and truths that a template has as text, as numbers and truths.
pub fn untyped(properties: &Json) -> Json {
    match properties {
        Json::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let value = match (name.as_str(), value) {
                    ("ReadCapacityUnits" | "WriteCapacityUnits", Json::String(text)) => {
                        text.parse::<i64>().map_or(value.clone(), |n| json!(n))
                    }
                    ("Enabled" | "StreamEnabled" | "DeletionProtectionEnabled", Json::String(text)) => {
                        text.parse::<bool>().map_or(value.clone(), |b| json!(b))
                    }
                    _ => untyped(value),
                };
                (name.clone(), value)
            })
            .collect::<Map<_, _>>()
            .into(),
        Json::Array(list) => list.iter().map(untyped).collect(),
        other => other.clone(),
    }
}
