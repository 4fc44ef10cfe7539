//! Answers about items.

use serde::Serialize;
use serde_json::{Value as Json, json};

use super::decode::Telling;
use super::value::ShownItem;
use crate::services::tables::{BatchGet, BatchGot, Consumed, Got, Item, Page, Units, Written};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    item: Option<ShownItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attributes: Option<ShownItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<ShownItem<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scanned_count: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_evaluated_key: Option<ShownItem<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    consumed_capacity: Option<Json>,
}

const NOTHING: Answer<'_> = Answer {
    item: None,
    attributes: None,
    items: None,
    count: None,
    scanned_count: None,
    last_evaluated_key: None,
    consumed_capacity: None,
};

fn bytes(answer: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(answer).expect("answers are plain data")
}

pub fn got(got: &Got, telling: Telling) -> Vec<u8> {
    bytes(&Answer { item: got.item.as_ref().map(ShownItem), consumed_capacity: consumed(&got.consumed, telling), ..NOTHING })
}

pub fn written(written: &Written, telling: Telling) -> Vec<u8> {
    bytes(&Answer {
        attributes: written.attributes.as_ref().map(ShownItem),
        consumed_capacity: consumed(&written.consumed, telling),
        ..NOTHING
    })
}

pub fn page(page: &Page, telling: Telling) -> Vec<u8> {
    bytes(&Answer {
        items: page.items.as_ref().map(|items| items.iter().map(ShownItem).collect()),
        count: Some(page.count),
        scanned_count: Some(page.scanned),
        last_evaluated_key: page.last.as_ref().map(ShownItem),
        consumed_capacity: consumed(&page.consumed, telling),
        ..NOTHING
    })
}

pub fn batch_got(request: &BatchGet, got: &BatchGot, telling: Telling) -> Vec<u8> {
    let mut responses = serde_json::Map::new();
    for (table, items) in &got.found {
        responses.insert(table.clone(), items.iter().map(|item| json!(ShownItem(item))).collect());
    }
    let mut unprocessed = serde_json::Map::new();
    for (at, keys) in &got.unprocessed {
        let Some(many) = request.tables.get(*at) else { continue };
        let mut left = json!({"Keys": keys.iter().map(|key| json!(ShownItem(key))).collect::<Vec<_>>(), "ConsistentRead": many.consistent});
        if let Some(projection) = &many.projection {
            left["ProjectionExpression"] = json!(projection);
        }
        if let Some(names) = &many.substitutes.names {
            left["ExpressionAttributeNames"] =
                names.iter().map(|(key, name)| (key.clone(), json!(name))).collect::<serde_json::Map<_, _>>().into();
        }
        unprocessed.insert(many.table.clone(), left);
    }
    bytes(&with_capacity(json!({"Responses": responses, "UnprocessedKeys": unprocessed}), &got.consumed, telling))
}

pub fn batch_written(used: &[Consumed], telling: Telling) -> Vec<u8> {
    bytes(&with_capacity(json!({"UnprocessedItems": {}}), used, telling))
}

pub fn transact_written(used: &[Consumed], telling: Telling) -> Vec<u8> {
    bytes(&with_transaction_capacity(json!({}), used, telling))
}

pub fn transact_got(items: &[Option<Item>], used: &[Consumed], telling: Telling) -> Vec<u8> {
    let responses: Vec<Json> = items.iter().map(|item| item.as_ref().map_or(json!({}), |item| json!({"Item": ShownItem(item)}))).collect();
    bytes(&with_transaction_capacity(json!({"Responses": responses}), used, telling))
}

fn with_capacity(mut answer: Json, used: &[Consumed], telling: Telling) -> Json {
    if telling != Telling::None {
        answer["ConsumedCapacity"] = used.iter().filter_map(|one| consumed(one, telling)).collect();
    }
    answer
}

/// Transactions also say how much of it was reading and how much writing.
fn with_transaction_capacity(answer: Json, used: &[Consumed], telling: Telling) -> Json {
    let mut answer = with_capacity(answer, used, telling);
    if let Some(Json::Array(all)) = answer.get_mut("ConsumedCapacity") {
        for (json, one) in all.iter_mut().zip(used) {
            let total = one.total();
            for (name, units) in
                [("ReadCapacityUnits", Units { writes: 0, ..total }), ("WriteCapacityUnits", Units { read_halves: 0, ..total })]
            {
                if units != Units::default() {
                    json[name] = json!(units.total());
                }
            }
        }
    }
    answer
}

fn consumed(consumed: &Consumed, telling: Telling) -> Option<Json> {
    if telling == Telling::None {
        return None;
    }
    let mut json = json!({"TableName": consumed.table_name, "CapacityUnits": consumed.total().total()});
    if telling == Telling::Indexes {
        json["Table"] = json!({"CapacityUnits": consumed.table.total()});
        for (name, indexes) in [("LocalSecondaryIndexes", &consumed.local), ("GlobalSecondaryIndexes", &consumed.global)] {
            if !indexes.is_empty() {
                let indexes = indexes.iter().map(|(name, units)| (name.clone(), json!({"CapacityUnits": units.total()})));
                json[name] = indexes.collect::<serde_json::Map<_, _>>().into();
            }
        }
    }
    Some(json)
}
