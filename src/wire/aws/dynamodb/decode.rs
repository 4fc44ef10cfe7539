//! Requests about items, into the service's words.

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::constraint::Constraints;
use super::legacy::{self, Legacy};
use super::value::{Attribute, Attributes, Pairs, check};
use crate::services::tables::{
    Action, BatchGet, BatchWrite, Get, GetMany, Guard, Item, Put, Query, Remove, Returns, Scan, Segment, Select, Substitutes, TransactGet,
    TransactWrite, Update,
};

/// How much the answer is to tell of what was consumed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Telling {
    #[default]
    None,
    Total,
    Indexes,
}

/// All parameters of the operations on items; each operation reads its own.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub struct Request {
    pub table_name: Option<String>,
    index_name: Option<String>,
    item: Option<Attributes>,
    key: Option<Attributes>,
    condition_expression: Option<String>,
    update_expression: Option<String>,
    projection_expression: Option<String>,
    filter_expression: Option<String>,
    key_condition_expression: Option<String>,
    expression_attribute_names: Option<Pairs<String>>,
    expression_attribute_values: Option<Pairs<Attribute>>,
    return_values: Option<String>,
    return_values_on_condition_check_failure: Option<String>,
    return_consumed_capacity: Option<String>,
    return_item_collection_metrics: Option<String>,
    consistent_read: Option<bool>,
    scan_index_forward: Option<bool>,
    select: Option<String>,
    limit: Option<i64>,
    exclusive_start_key: Option<Attributes>,
    segment: Option<i64>,
    total_segments: Option<i64>,
    client_request_token: Option<String>,
    transact_items: Option<Vec<Transacted>>,
    #[serde(flatten)]
    legacy: Legacy,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Transacted {
    put: Option<Request>,
    update: Option<Request>,
    delete: Option<Request>,
    condition_check: Option<Request>,
    get: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchGetRequest {
    pub request_items: Option<Pairs<Keys>>,
    pub return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Keys {
    keys: Option<Vec<Attributes>>,
    projection_expression: Option<String>,
    expression_attribute_names: Option<Pairs<String>>,
    consistent_read: Option<bool>,
    attributes_to_get: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct BatchWriteRequest {
    pub request_items: Option<Pairs<Vec<WriteRequest>>>,
    pub return_consumed_capacity: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct WriteRequest {
    put_request: Option<PutRequest>,
    delete_request: Option<DeleteRequest>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutRequest {
    item: Option<Attributes>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteRequest {
    key: Option<Attributes>,
}

/// `ReturnConsumedCapacity`.
pub fn telling(constraints: &mut Constraints, word: Option<&str>) -> Telling {
    constraints.one_of("returnConsumedCapacity", word, &["INDEXES", "TOTAL", "NONE"]);
    match word {
        Some("TOTAL") => Telling::Total,
        Some("INDEXES") => Telling::Indexes,
        _ => Telling::None,
    }
}

impl Request {
    /// The tables that the operation is about, as often as they are named.
    pub fn tables(&self) -> impl Iterator<Item = &str> {
        let parts = self.transact_items.iter().flatten().flat_map(Transacted::parts);
        self.table_name.as_deref().into_iter().chain(parts.filter_map(|part| part.table_name.as_deref()))
    }

    fn substitutes(&mut self) -> Result<Substitutes, String> {
        let mut values = None;
        if let Some(Pairs(given)) = self.expression_attribute_values.take() {
            let mut all = Vec::with_capacity(given.len());
            for (key, attribute) in given {
                if let Some(flaw) = attribute.flaw {
                    return Err(format!("ExpressionAttributeValues contains invalid value: {flaw} for key {key}"));
                }
                all.push((key, attribute.value));
            }
            values = Some(all);
        }
        Ok(Substitutes { names: self.expression_attribute_names.take().map(|Pairs(names)| names), values })
    }

    fn check_common(&mut self, c: &mut Constraints) -> (String, Telling) {
        let telling = telling(c, self.return_consumed_capacity.as_deref());
        c.one_of("returnItemCollectionMetrics", self.return_item_collection_metrics.as_deref(), &["SIZE", "NONE"]);
        c.one_of("returnValues", self.return_values.as_deref(), &["ALL_NEW", "UPDATED_OLD", "ALL_OLD", "NONE", "UPDATED_NEW"]);
        c.one_of("returnValuesOnConditionCheckFailure", self.return_values_on_condition_check_failure.as_deref(), &["ALL_OLD", "NONE"]);
        (c.table(self.table_name.take()), telling)
    }

    fn guard(&mut self) -> Result<Guard, String> {
        let substitutes = self.substitutes()?;
        let tell_item = self.return_values_on_condition_check_failure.as_deref() == Some("ALL_OLD");
        Ok(Guard { condition: self.condition_expression.take(), substitutes, tell_item })
    }

    /// Refuses expressions next to the parameters that they replaced, and substitutes without expressions.
    fn check_expressions(&self, allowed: &[&str], legacy: &[&str]) -> Result<(), String> {
        let given = |name: &str| match name {
            "UpdateExpression" => self.update_expression.is_some(),
            "ConditionExpression" => self.condition_expression.is_some(),
            "ProjectionExpression" => self.projection_expression.is_some(),
            "FilterExpression" => self.filter_expression.is_some(),
            "KeyConditionExpression" => self.key_condition_expression.is_some(),
            other => self.legacy.has(other),
        };
        let expressions: Vec<&str> = allowed.iter().copied().filter(|name| given(name)).collect();
        if expressions.is_empty() {
            if self.expression_attribute_names.is_some() {
                return Err("ExpressionAttributeNames can only be specified when using expressions".into());
            }
            if self.expression_attribute_values.is_some() {
                let named: Vec<&str> = allowed.iter().copied().filter(|name| *name != "ProjectionExpression").collect();
                let are = if named.len() == 1 { "is" } else { "are" };
                return Err(format!(
                    "ExpressionAttributeValues can only be specified when using expressions: {} {are} null",
                    named.join(" and ")
                ));
            }
            return Ok(());
        }
        let others: Vec<&str> = legacy.iter().copied().filter(|name| given(name)).collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(format!(
            "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {{{}}} Expression parameters: {{{}}}",
            others.join(", "),
            expressions.join(", ")
        ))
    }

    pub fn put(mut self) -> Result<(Put, Telling), String> {
        let mut c = Constraints::default();
        let (table, telling) = self.check_common(&mut c);
        let item = c.required("item", self.item.take()).unwrap_or_default();
        c.end()?;
        self.check_expressions(&["ConditionExpression"], &["Expected", "ConditionalOperator"])?;
        let item = check(item)?;
        if self.return_values.as_deref().is_some_and(|word| word != "ALL_OLD" && word != "NONE") {
            return Err("ReturnValues can only be ALL_OLD or NONE".into());
        }
        let return_old = self.return_values.as_deref() == Some("ALL_OLD");
        self.translate_expected()?;
        Ok((Put { table, item, guard: self.guard()?, return_old }, telling))
    }

    pub fn get(mut self) -> Result<(Get, Telling), String> {
        let mut c = Constraints::default();
        let (table, telling) = self.check_common(&mut c);
        let key = c.required("key", self.key.take()).unwrap_or_default();
        c.end()?;
        self.check_expressions(&["ProjectionExpression"], &["AttributesToGet"])?;
        let key = check(key)?;
        self.translate_attributes()?;
        let substitutes = self.substitutes()?;
        let consistent = self.consistent_read.unwrap_or(false);
        Ok((Get { table, key, projection: self.projection_expression, substitutes, consistent }, telling))
    }

    pub fn delete(mut self) -> Result<(Remove, Telling), String> {
        let mut c = Constraints::default();
        let (table, telling) = self.check_common(&mut c);
        let key = c.required("key", self.key.take()).unwrap_or_default();
        c.end()?;
        self.check_expressions(&["ConditionExpression"], &["Expected", "ConditionalOperator"])?;
        let key = check(key)?;
        if self.return_values.as_deref().is_some_and(|word| word != "ALL_OLD" && word != "NONE") {
            return Err("ReturnValues can only be ALL_OLD or NONE".into());
        }
        let return_old = self.return_values.as_deref() == Some("ALL_OLD");
        self.translate_expected()?;
        Ok((Remove { table, key, guard: self.guard()?, return_old }, telling))
    }

    pub fn update(mut self) -> Result<(Update, Telling), String> {
        let mut c = Constraints::default();
        let (table, telling) = self.check_common(&mut c);
        let key = c.required("key", self.key.take()).unwrap_or_default();
        c.end()?;
        self.check_expressions(&["UpdateExpression", "ConditionExpression"], &["AttributeUpdates", "Expected", "ConditionalOperator"])?;
        let key = check(key)?;
        let returns = match self.return_values.as_deref() {
            Some("ALL_OLD") => Returns::AllOld,
            Some("UPDATED_OLD") => Returns::UpdatedOld,
            Some("ALL_NEW") => Returns::AllNew,
            Some("UPDATED_NEW") => Returns::UpdatedNew,
            _ => Returns::None,
        };
        self.translate_expected()?;
        if let Some(updates) = self.legacy.attribute_updates.take() {
            let mut writing = self.legacy_writing();
            self.update_expression = legacy::updates(updates, &mut writing)?;
            self.take_writing(writing);
        }
        let update = self.update_expression.take();
        Ok((Update { table, key, update, guard: self.guard()?, returns }, telling))
    }

    pub fn query(mut self) -> Result<(Query, Telling), String> {
        let mut c = Constraints::default();
        let (table, telling) = self.check_common(&mut c);
        self.check_paging(&mut c);
        c.end()?;
        // `QueryFilter` may not stand beside a key condition expression, nor `KeyConditions` beside one.
        self.check_expressions(
            &["FilterExpression", "KeyConditionExpression", "ProjectionExpression"],
            &["KeyConditions", "QueryFilter", "AttributesToGet", "ConditionalOperator"],
        )?;
        let backward = self.scan_index_forward == Some(false);
        if let Some(conditions) = self.legacy.key_conditions.take() {
            let mut writing = self.legacy_writing();
            self.key_condition_expression = Some(legacy::key_conditions(conditions, &mut writing)?);
            self.take_writing(writing);
        }
        if let Some(filter) = self.legacy.query_filter.take() {
            self.translate_filter(filter)?;
        }
        let key_condition = self.key_condition_expression.take();
        Ok((Query { key_condition, backward, scan: self.into_scan(table)? }, telling))
    }

    pub fn scan(mut self) -> Result<(Scan, Telling), String> {
        let mut c = Constraints::default();
        let (table, telling) = self.check_common(&mut c);
        self.check_paging(&mut c);
        c.within("segment", self.segment, 0, 999_999);
        c.within("totalSegments", self.total_segments, 1, 1_000_000);
        c.end()?;
        self.check_expressions(&["FilterExpression", "ProjectionExpression"], &["ScanFilter", "AttributesToGet", "ConditionalOperator"])?;
        match (self.segment, self.total_segments) {
            (Some(_), None) => {
                return Err(
                    "The TotalSegments parameter is required but was not present in the request when Segment parameter is present".into()
                );
            }
            (None, Some(_)) => {
                return Err(
                    "The Segment parameter is required but was not present in the request when parameter TotalSegments is present".into()
                );
            }
            _ => {}
        }
        if let Some(filter) = self.legacy.scan_filter.take() {
            self.translate_filter(filter)?;
        }
        Ok((self.into_scan(table)?, telling))
    }

    fn check_paging(&self, c: &mut Constraints) {
        c.within("limit", self.limit, 1, i64::from(i32::MAX));
        c.one_of("select", self.select.as_deref(), &["SPECIFIC_ATTRIBUTES", "COUNT", "ALL_ATTRIBUTES", "ALL_PROJECTED_ATTRIBUTES"]);
        if let Some(index) = &self.index_name {
            c.name("indexName", index);
        }
    }

    fn into_scan(mut self, table: String) -> Result<Scan, String> {
        self.translate_attributes()?;
        let start = self.exclusive_start_key.take().map(check).transpose();
        let start = start.map_err(|flaw| format!("The provided starting key is invalid: {flaw}"))?;
        let substitutes = self.substitutes()?;
        Ok(Scan {
            table,
            index: self.index_name,
            filter: self.filter_expression,
            projection: self.projection_expression,
            substitutes,
            select: self.select.as_deref().and_then(|word| match word {
                "SPECIFIC_ATTRIBUTES" => Some(Select::Specific),
                "COUNT" => Some(Select::Count),
                "ALL_ATTRIBUTES" => Some(Select::AllAttributes),
                "ALL_PROJECTED_ATTRIBUTES" => Some(Select::AllProjected),
                _ => None,
            }),
            limit: self.limit.and_then(|limit| usize::try_from(limit).ok()),
            start,
            consistent: self.consistent_read.unwrap_or(false),
            segment: match (self.segment, self.total_segments) {
                (Some(number), Some(total)) => {
                    Some(Segment { number: u32::try_from(number).unwrap_or(0), total: u32::try_from(total).unwrap_or(1) })
                }
                _ => None,
            },
        })
    }

    fn legacy_writing(&mut self) -> legacy::Writing {
        legacy::Writing {
            names: self.expression_attribute_names.take().map(|Pairs(names)| names).unwrap_or_default(),
            values: self.expression_attribute_values.take().map(|Pairs(values)| values).unwrap_or_default(),
        }
    }

    fn take_writing(&mut self, writing: legacy::Writing) {
        self.expression_attribute_names = (!writing.names.is_empty()).then_some(Pairs(writing.names));
        self.expression_attribute_values = (!writing.values.is_empty()).then_some(Pairs(writing.values));
    }

    fn translate_expected(&mut self) -> Result<(), String> {
        let Some(expected) = self.legacy.expected.take() else { return Ok(()) };
        let mut writing = self.legacy_writing();
        self.condition_expression = legacy::expected(expected, self.legacy.conditional_operator.as_deref(), &mut writing)?;
        self.take_writing(writing);
        Ok(())
    }

    fn translate_filter(&mut self, filter: Pairs<legacy::Test>) -> Result<(), String> {
        let mut writing = self.legacy_writing();
        self.filter_expression = legacy::filter(filter, self.legacy.conditional_operator.as_deref(), &mut writing)?;
        self.take_writing(writing);
        Ok(())
    }

    fn translate_attributes(&mut self) -> Result<(), String> {
        let Some(attributes) = self.legacy.attributes_to_get.take() else { return Ok(()) };
        let mut writing = self.legacy_writing();
        self.projection_expression = Some(legacy::attributes(&attributes, &mut writing)?);
        self.take_writing(writing);
        Ok(())
    }

    pub fn transact_get(mut self) -> Result<(TransactGet, Telling), String> {
        let mut c = Constraints::default();
        let telling = telling(&mut c, self.return_consumed_capacity.as_deref());
        let items = transacted(&mut c, self.transact_items.take());
        c.end()?;
        let gets = items.into_iter().map(|item| item.get.ok_or_else(one_of_actions).and_then(|get| get.get().map(|(get, _)| get)));
        Ok((TransactGet { gets: gets.collect::<Result<_, _>>()? }, telling))
    }

    pub fn transact_write(mut self) -> Result<(TransactWrite, Telling), String> {
        let mut c = Constraints::default();
        let telling = telling(&mut c, self.return_consumed_capacity.as_deref());
        let token = self.client_request_token.take();
        if let Some(token) = token.as_ref().filter(|token| token.is_empty() || token.len() > 36) {
            let bound = if token.is_empty() { "greater than or equal to 1" } else { "less than or equal to 36" };
            c.fail(&format!("'{token}'"), "clientRequestToken", &format!("Member must have length {bound}"));
        }
        let items = transacted(&mut c, self.transact_items.take());
        c.end()?;
        let actions: Vec<Action> = items.into_iter().map(Transacted::action).collect::<Result<_, _>>()?;
        // Attributes are sorted in an item, so the same transaction has the same digest however it was written.
        let digest = |actions: &[Action]| Sha256::digest(format!("{actions:?}")).to_vec();
        let token = token.map(|token| (token, digest(&actions)));
        Ok((TransactWrite { actions, token }, telling))
    }
}

fn transacted(c: &mut Constraints, items: Option<Vec<Transacted>>) -> Vec<Transacted> {
    let items = c.required("transactItems", items).unwrap_or_default();
    if items.len() > 100 {
        c.fail("'[...]'", "transactItems", "Member must have length less than or equal to 100");
    }
    items
}

fn one_of_actions() -> String {
    "TransactItems can only contain one of Check, Put, Update or Delete".into()
}

impl Transacted {
    fn parts(&self) -> impl Iterator<Item = &Request> {
        [&self.put, &self.update, &self.delete, &self.condition_check, &self.get].into_iter().flatten()
    }

    fn action(self) -> Result<Action, String> {
        match (self.put, self.delete, self.update, self.condition_check) {
            (Some(put), None, None, None) => put.put().map(|(put, _)| Action::Put(put)),
            (None, Some(delete), None, None) => delete.delete().map(|(delete, _)| Action::Delete(delete)),
            (None, None, Some(update), None) => {
                let mut c = Constraints::default();
                c.required("transactItems.1.member.update.updateExpression", update.update_expression.as_ref());
                c.end()?;
                update.update().map(|(update, _)| Action::Update(update))
            }
            (None, None, None, Some(check)) => {
                let mut c = Constraints::default();
                c.required("transactItems.1.member.conditionCheck.conditionExpression", check.condition_expression.as_ref());
                c.end()?;
                let (remove, _) = check.delete()?;
                Ok(Action::Check(remove.table, remove.key, remove.guard))
            }
            _ => Err(one_of_actions()),
        }
    }
}

impl BatchGetRequest {
    pub fn decode(self) -> Result<(BatchGet, Telling), String> {
        let mut c = Constraints::default();
        let telling = telling(&mut c, self.return_consumed_capacity.as_deref());
        let Pairs(tables) = c.required("requestItems", self.request_items).unwrap_or(Pairs(Vec::new()));
        if tables.is_empty() {
            c.fail("'{}'", "requestItems", "Member must have length greater than or equal to 1");
        }
        for (name, many) in &tables {
            let keys = c.required(&format!("requestItems.{name}.member.keys"), many.keys.as_ref());
            if keys.is_some_and(|keys| keys.is_empty() || keys.len() > 100) {
                let bound = if keys.is_some_and(Vec::is_empty) { "greater than or equal to 1" } else { "less than or equal to 100" };
                c.fail("'[...]'", &format!("requestItems.{name}.member.keys"), &format!("Member must have length {bound}"));
            }
        }
        let tables: Vec<(String, Keys)> = tables.into_iter().map(|(name, many)| (c.table_named("requestItems", name), many)).collect();
        c.end()?;
        let tables = tables.into_iter().map(|(name, many)| many.decode(name)).collect::<Result<_, String>>()?;
        Ok((BatchGet { tables }, telling))
    }
}

impl Keys {
    fn decode(self, table: String) -> Result<GetMany, String> {
        let keys = self.keys.unwrap_or_default().into_iter().map(check).collect::<Result<_, _>>()?;
        let mut writing =
            legacy::Writing { names: self.expression_attribute_names.map(|Pairs(names)| names).unwrap_or_default(), values: Vec::new() };
        let projection = match (&self.attributes_to_get, self.projection_expression) {
            (Some(attributes), None) => Some(legacy::attributes(attributes, &mut writing)?),
            (_, projection) => projection,
        };
        let names = (!writing.names.is_empty()).then_some(writing.names);
        let substitutes = Substitutes { names, values: None };
        Ok(GetMany { table, keys, projection, substitutes, consistent: self.consistent_read.unwrap_or(false) })
    }
}

impl BatchWriteRequest {
    pub fn decode(self) -> Result<(BatchWrite, Telling), String> {
        let mut c = Constraints::default();
        let telling = telling(&mut c, self.return_consumed_capacity.as_deref());
        let Pairs(given) = c.required("requestItems", self.request_items).unwrap_or(Pairs(Vec::new()));
        if given.is_empty() {
            c.fail("'{}'", "requestItems", "Member must have length greater than or equal to 1");
        }
        if given.iter().any(|(_, writes)| writes.is_empty() || writes.len() > 25) {
            let constraint = "Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]";
            c.fail("'{...}'", "requestItems", constraint);
        }
        let given: Vec<(String, Vec<WriteRequest>)> =
            given.into_iter().map(|(name, writes)| (c.table_named("requestItems", name), writes)).collect();
        c.end()?;
        let mut tables = Vec::new();
        for (name, writes) in given {
            let writes = writes.into_iter().map(WriteRequest::decode).collect::<Result<Vec<_>, _>>()?;
            tables.push((name, writes));
        }
        Ok((BatchWrite { tables }, telling))
    }
}

impl WriteRequest {
    fn decode(self) -> Result<Result<Item, Item>, String> {
        let text =
            || "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes".to_owned();
        match (self.put_request, self.delete_request) {
            (Some(put), None) => check(put.item.unwrap_or_default()).map(Ok),
            (None, Some(delete)) => check(delete.key.unwrap_or_default()).map(Err),
            _ => Err(text()),
        }
    }
}
