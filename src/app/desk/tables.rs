//! Tables: items by their keys. They are shown as plain JSON and edited in DynamoDB's typed form, which loses nothing.

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use super::{Desk, Found, LOOKED_AT_MAX, ROWS_MAX, Row, Shelf, TABLE, Uses, fits, shelf};
use crate::base::Call;
use crate::wire::aws::dynamodb::Dynamodb;
use crate::wire::http::Body;

/// Tables that are listed.
const TABLES_MAX: usize = 1_000;
/// Bytes of an answer: a page of items, with room for the typed form.
const ANSWER_BYTES_MAX: usize = 16 << 20;

impl Desk {
    /// An operation of the DynamoDB API, without a socket.
    async fn dynamodb(&self, call: &Call, operation: &str, body: Value) -> anyhow::Result<Value> {
        let request = http::Request::post("/")
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .body(Body::from(body.to_string()))?;
        let shared = &self.shared;
        let response = Dynamodb::new(shared.world.services.tables.clone(), shared.account.clone()).handle(call, request).await;
        let good = response.status().is_success();
        let answer = response.into_body().collect(ANSWER_BYTES_MAX).await?;
        let answer: Value = serde_json::from_slice(&answer)?;
        if !good {
            let message = answer["message"].as_str().or(answer["Message"].as_str());
            bail!("{}", message.unwrap_or("the table refused it"));
        }
        Ok(answer)
    }

    pub(super) async fn table_shelves(&self) -> anyhow::Result<Vec<Shelf>> {
        let (tables, call) = (&self.shared.world.services.tables, Call::operator());
        let (names, _) = tables.list_tables(&call, None, TABLES_MAX).await?;
        let mut shelves = Vec::with_capacity(names.len());
        for name in names {
            // A table that has just been deleted is not there.
            if let Ok(described) = tables.describe_table(&call, &name).await {
                let uses = Uses { edit: true, delete: true, purge: true, ..Uses::default() };
                shelves.push(shelf(TABLE, &name, described.items.to_string(), uses));
            }
        }
        Ok(shelves)
    }

    async fn keys(&self, table: &str) -> anyhow::Result<Vec<String>> {
        let described = self.shared.world.services.tables.describe_table(&Call::operator(), table).await?;
        Ok(described.definition.keys.names().map(str::to_owned).collect())
    }

    pub(super) async fn item_rows(&self, table: &str, search: &str) -> anyhow::Result<(Vec<String>, Found)> {
        let (keys, call) = (self.keys(table).await?, Call::operator());
        let (mut found, mut start, mut scanned) = (Found::default(), Value::Null, 0);
        loop {
            let mut request = json!({ "TableName": table, "Limit": ROWS_MAX + 1 });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page = self.dynamodb(&call, "Scan", request).await?;
            let items = page["Items"].as_array().map(Vec::as_slice).unwrap_or_default();
            scanned += items.len();
            for item in items.iter().filter_map(Value::as_object) {
                let row = row(item, &keys);
                let texts: Vec<&str> = row.cells.iter().map(String::as_str).collect();
                if fits(search, &texts) {
                    found.rows.push(row);
                }
            }
            start = page["LastEvaluatedKey"].take();
            if start.is_null() || found.rows.len() > ROWS_MAX {
                break;
            }
            if scanned >= LOOKED_AT_MAX {
                found.note = Some(format!("the search ended after {scanned} items"));
                break;
            }
        }
        let columns = keys.into_iter().chain(["…".to_owned()]).collect();
        Ok((columns, found))
    }

    pub(super) async fn view_item(&self, table: &str, key: &str) -> anyhow::Result<(String, String, Option<String>)> {
        let key_json: Value = serde_json::from_str(key)?;
        let answer =
            self.dynamodb(&Call::operator(), "GetItem", json!({ "TableName": table, "Key": key_json, "ConsistentRead": true })).await?;
        let item = answer["Item"].as_object().context("this item is gone")?;
        let title = row(item, &self.keys(table).await?).cells;
        let shown = serde_json::to_string_pretty(&plain_item(item))?;
        let edit = serde_json::to_string_pretty(item)?;
        Ok((title[..title.len() - 1].join(" "), shown, Some(edit)))
    }

    /// Stores an item; where its key was edited it takes the place of the old one, which goes.
    pub(super) async fn put_item(&self, call: &Call, table: &str, key: &str, text: &str) -> anyhow::Result<()> {
        let item: Value = serde_json::from_str(text).context("this is not JSON, so nothing was stored")?;
        let keys = self.keys(table).await?;
        let new_key: Map<String, Value> = keys.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect();
        let old_key: Value = serde_json::from_str(key)?;
        self.dynamodb(call, "PutItem", json!({ "TableName": table, "Item": item })).await?;
        if Value::Object(new_key) != old_key {
            self.dynamodb(call, "DeleteItem", json!({ "TableName": table, "Key": old_key })).await?;
        }
        Ok(())
    }

    pub(super) async fn delete_item(&self, call: &Call, table: &str, key: &str) -> anyhow::Result<()> {
        let key: Value = serde_json::from_str(key)?;
        self.dynamodb(call, "DeleteItem", json!({ "TableName": table, "Key": key })).await?;
        Ok(())
    }

    /// Deletes every item, each as an SDK would; answers how many there were.
    pub(super) async fn empty_table(&self, call: &Call, table: &str) -> anyhow::Result<Option<usize>> {
        const BATCH: usize = 25;
        let (keys, mut removed) = (self.keys(table).await?, 0);
        loop {
            let page = self.dynamodb(call, "Scan", json!({ "TableName": table, "Limit": BATCH })).await?;
            let items = page["Items"].as_array().map(Vec::as_slice).unwrap_or_default();
            if items.is_empty() {
                return Ok(Some(removed));
            }
            let deletes: Vec<Value> =
                items.iter().filter_map(Value::as_object).map(|item| json!({ "DeleteRequest": { "Key": key_of(item, &keys) } })).collect();
            removed += deletes.len();
            self.dynamodb(call, "BatchWriteItem", json!({ "RequestItems": { table: deletes } })).await?;
        }
    }
}

fn key_of(item: &Map<String, Value>, keys: &[String]) -> Map<String, Value> {
    keys.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone()))).collect()
}

/// The key's attributes, each in a cell, then all others.
fn row(item: &Map<String, Value>, keys: &[String]) -> Row {
    let cell = |name: &String| match item.get(name).map(plain) {
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
        None => String::new(),
    };
    let rest: Map<String, Value> =
        item.iter().filter(|(name, _)| !keys.contains(name)).map(|(name, value)| (name.clone(), plain(value))).collect();
    let cells = keys.iter().map(cell).chain([Value::Object(rest).to_string()]).collect();
    Row { key: Value::Object(key_of(item, keys)).to_string(), cells }
}

fn plain_item(item: &Map<String, Value>) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), plain(value))).collect())
}

/// A typed value as plain JSON: sets become lists, bytes stay Base64.
fn plain(typed: &Value) -> Value {
    let Some((kind, value)) = typed.as_object().and_then(|map| map.iter().next()) else { return typed.clone() };
    // More digits than JSON readers keep stay as text.
    let number = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        serde_json::from_str::<Value>(text).ok().filter(|number| format!("{number}") == text).unwrap_or_else(|| value.clone())
    };
    let list = |each: &dyn Fn(&Value) -> Value| Value::Array(value.as_array().into_iter().flatten().map(each).collect());
    match kind.as_str() {
        "N" => number(value),
        "NS" => list(&number),
        "L" => list(&plain),
        "M" => value.as_object().map_or(Value::Null, plain_item),
        "NULL" => Value::Null,
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_shown_plain_with_their_key_first() {
        let item = json!({
            "n": { "N": "1.5" }, "id": { "S": "a" }, "big": { "N": "12345678901234567890123456789012345678" },
            "deep": { "M": { "list": { "L": [{ "BOOL": true }, { "NULL": true }] }, "set": { "NS": ["1", "2"] } } },
        });
        let item = item.as_object().unwrap();
        let row = row(item, &["id".to_owned(), "n".to_owned()]);
        assert_eq!(row.key, r#"{"id":{"S":"a"},"n":{"N":"1.5"}}"#);
        assert_eq!(row.cells, ["a", "1.5", r#"{"big":12345678901234567890123456789012345678,"deep":{"list":[true,null],"set":[1,2]}}"#]);
    }
}
