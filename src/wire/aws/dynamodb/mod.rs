//! Amazon DynamoDB and DynamoDB Streams (API version 2012-08-10), AWS JSON 1.0. Source: the DynamoDB API reference.

mod constraint;
mod decode;
mod encode;
mod event;
mod fail;
mod legacy;
mod streams;
mod table;
mod value;

#[cfg(test)]
mod tests;

use std::io::Read;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};

pub use event::{event, stream_arn};
pub use table::table_arn;

use self::fail::Failure;
use super::arn::{self, Account};
use super::json::{answer, target};
use crate::base::Call;
use crate::services::tables::{Error, Page, Tables};
use crate::wire::http::{BodyError, Description, Request, Response, Search, header};

/// Bytes of a request at most, compressed or not: batches carry 16 MB of items.
const BODY_BYTES_MAX: usize = 24 << 20;
/// Tables that `ListTables` names at most.
const NAMES_MAX: i64 = 100;

/// The DynamoDB endpoint. Cheap to clone.
#[derive(Clone)]
pub struct Dynamodb {
    tables: Tables,
    account: Account,
}

impl Dynamodb {
    /// An endpoint for these tables, in this account.
    pub fn new(tables: Tables, account: Account) -> Dynamodb {
        Dynamodb { tables, account }
    }

    /// Makes a table of CloudFormation properties where it is missing, or brings it to them; true where anything was done.
    /// The error is a sentence for the project's problems.
    pub async fn ensure(&self, call: &Call, name: &str, properties: &Json) -> Result<bool, String> {
        let mut properties = table::untyped(properties);
        properties["TableName"] = json!(name);
        let request: table::Request = serde_json::from_value(properties).map_err(|error| error.to_string())?;
        self.tables.ensure(call, request.create()?).await.map_err(|error| error.to_string())
    }

    /// Answers a request; errors are answers too.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        let request_id = self.tables.db().ids().upper(52);
        let named = target(&request).map(|(api, operation)| (api.to_owned(), operation.to_owned()));
        let gzip = header(request.headers(), "content-encoding") == Some("gzip");
        let body = match request.into_body().collect(BODY_BYTES_MAX).await {
            Ok(body) if gzip => unzip(&body),
            Ok(body) => Ok(body),
            Err(BodyError::TooLarge { .. }) => Err(Failure::TooLarge),
            Err(BodyError::Broken(_)) => Err(Failure::Serialization(None)),
        };
        let mut said = Description::new("dynamodb", "");
        let result = match (body, named) {
            (Err(failure), _) => Err(failure),
            (Ok(_), None) => Err(Failure::UnknownOperation),
            (Ok(body), Some((api, operation))) => {
                said.action = operation;
                self.operate(call, &api, &body, &mut said).await
            }
        };
        let (status, body) = match result {
            Ok(body) => (StatusCode::OK, body),
            Err(failure) => {
                let (status, body) = fail::fail(&failure);
                said.error = body["__type"].as_str().and_then(|kind| kind.rsplit('#').next()).map(str::to_owned);
                (status, serde_json::to_vec(&body).expect("errors are plain data"))
            }
        };
        let checksum = crc_fast::checksum(crc_fast::CrcAlgorithm::Crc32IsoHdlc, &body);
        let mut response = answer(status, "1.0", &request_id, body);
        response.headers_mut().insert("x-amz-crc32", HeaderValue::from(checksum));
        said.attach(response)
    }

    async fn operate(&self, call: &Call, api: &str, body: &[u8], said: &mut Description) -> Result<Vec<u8>, Failure> {
        match api {
            "DynamoDBStreams_20120810" => {
                let request: streams::Request = parse(body)?;
                said.resource = request.table();
                let answer = streams::handle(&self.tables, &self.account, call, &said.action, request).await?;
                Ok(answer.to_string().into_bytes())
            }
            "DynamoDB_20120810" => match self.operate_items(call, body, said).await? {
                Some(answer) => Ok(answer),
                None => {
                    let request: table::Request = parse(body)?;
                    said.resource = request.table_name.clone();
                    Ok(self.operate_table(call, &said.action, request).await?.to_string().into_bytes())
                }
            },
            _ => Err(Failure::UnknownOperation),
        }
    }

    /// `None`: the operation is not about items.
    async fn operate_items(&self, call: &Call, body: &[u8], said: &mut Description) -> Result<Option<Vec<u8>>, Failure> {
        let tables = &self.tables;
        Ok(Some(match said.action.as_str() {
            "PutItem" => {
                let (put, telling) = item(body, &mut said.resource)?.put()?;
                encode::written(&tables.put_item(call, put).await?, telling)
            }
            "GetItem" => {
                let (get, telling) = item(body, &mut said.resource)?.get()?;
                encode::got(&tables.get_item(call, get).await?, telling)
            }
            "DeleteItem" => {
                let (remove, telling) = item(body, &mut said.resource)?.delete()?;
                encode::written(&tables.delete_item(call, remove).await?, telling)
            }
            "UpdateItem" => {
                let (update, telling) = item(body, &mut said.resource)?.update()?;
                encode::written(&tables.update_item(call, update).await?, telling)
            }
            "Query" => {
                let (query, telling) = item(body, &mut said.resource)?.query()?;
                let limited = query.scan.limit.is_some();
                let page = tables.query(call, query).await?;
                said.search = Some(search(&page, limited));
                encode::page(&page, telling)
            }
            "Scan" => {
                let (scan, telling) = item(body, &mut said.resource)?.scan()?;
                let limited = scan.limit.is_some();
                let page = tables.scan(call, scan).await?;
                said.search = Some(search(&page, limited));
                encode::page(&page, telling)
            }
            "BatchGetItem" => {
                let (batch, telling) = parse::<decode::BatchGetRequest>(body)?.decode()?;
                said.resource = names(batch.tables.iter().map(|many| many.table.as_str()));
                encode::batch_got(&batch, &tables.batch_get(call, batch.clone()).await?, telling)
            }
            "BatchWriteItem" => {
                let (batch, telling) = parse::<decode::BatchWriteRequest>(body)?.decode()?;
                said.resource = names(batch.tables.iter().map(|(name, _)| name.as_str()));
                encode::batch_written(&tables.batch_write(call, batch).await?, telling)
            }
            "TransactGetItems" => {
                let (transaction, telling) = item(body, &mut said.resource)?.transact_get()?;
                let (items, used) = tables.transact_get(call, transaction).await?;
                encode::transact_got(&items, &used, telling)
            }
            "TransactWriteItems" => {
                let (transaction, telling) = item(body, &mut said.resource)?.transact_write()?;
                encode::transact_written(&tables.transact_write(call, transaction).await?, telling)
            }
            _ => return Ok(None),
        }))
    }

    async fn operate_table(&self, call: &Call, operation: &str, mut request: table::Request) -> Result<Json, Failure> {
        let (tables, account) = (&self.tables, &self.account);
        Ok(match operation {
            "CreateTable" => {
                json!({"TableDescription": table::description(account, &tables.create_table(call, request.create()?).await?, "CREATING")})
            }
            "UpdateTable" => {
                json!({"TableDescription": table::description(account, &tables.update_table(call, request.change()?).await?, "UPDATING")})
            }
            "DeleteTable" => {
                json!({"TableDescription": table::description(account, &tables.delete_table(call, &request.name()?).await?, "DELETING")})
            }
            "DescribeTable" => {
                json!({"Table": table::description(account, &tables.describe_table(call, &request.name()?).await?, "ACTIVE")})
            }
            "ListTables" => self.list_tables(call, request).await?,
            "DescribeTimeToLive" => {
                let described = tables.describe_table(call, &request.name()?).await?;
                json!({"TimeToLiveDescription": match described.definition.expiry {
                    Some(attribute) => json!({"TimeToLiveStatus": "ENABLED", "AttributeName": attribute}),
                    None => json!({"TimeToLiveStatus": "DISABLED"}),
                }})
            }
            "UpdateTimeToLive" => {
                let name = request.name()?;
                let mut c = constraint::Constraints::default();
                let specification = c.required("timeToLiveSpecification", request.time_to_live_specification);
                let (attribute, enabled) = specification.map_or((None, None), |ttl| (ttl.attribute_name, ttl.enabled));
                let attribute = c.required("timeToLiveSpecification.attributeName", attribute).unwrap_or_default();
                let enabled = c.required("timeToLiveSpecification.enabled", enabled).unwrap_or_default();
                c.end()?;
                tables.set_expiry(call, &name, &attribute, enabled).await?;
                json!({"TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": enabled}})
            }
            "TagResource" => {
                let tags = request.tags();
                tables.tag(call, &resource(request.resource_arn)?, tags).await?;
                json!({})
            }
            "UntagResource" => {
                let keys = request.tag_keys.take().unwrap_or_default();
                tables.untag(call, &resource(request.resource_arn)?, keys).await?;
                json!({})
            }
            "ListTagsOfResource" => {
                let described = tables.describe_table(call, &resource(request.resource_arn)?).await?;
                let tags: Vec<Json> = described.definition.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
                json!({"Tags": tags})
            }
            "DescribeLimits" => json!({
                "AccountMaxReadCapacityUnits": 80_000, "AccountMaxWriteCapacityUnits": 80_000,
                "TableMaxReadCapacityUnits": 40_000, "TableMaxWriteCapacityUnits": 40_000,
            }),
            "DescribeEndpoints" => {
                json!({"Endpoints": [{"Address": format!("dynamodb.{}.amazonaws.com", account.region), "CachePeriodInMinutes": 1440}]})
            }
            "DescribeContinuousBackups" => {
                tables.describe_table(call, &request.name()?).await?;
                json!({"ContinuousBackupsDescription": {
                    "ContinuousBackupsStatus": "ENABLED",
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "DISABLED"},
                }})
            }
            _ => return Err(Failure::UnknownOperation),
        })
    }

    async fn list_tables(&self, call: &Call, request: table::Request) -> Result<Json, Failure> {
        let mut c = constraint::Constraints::default();
        if let Some(start) = &request.exclusive_start_table_name {
            c.name("exclusiveStartTableName", start);
        }
        c.within("limit", request.limit, 1, NAMES_MAX);
        c.end()?;
        let limit = usize::try_from(request.limit.unwrap_or(NAMES_MAX)).unwrap_or(0);
        let (names, more) = self.tables.list_tables(call, request.exclusive_start_table_name.as_deref(), limit).await?;
        let mut answer = json!({"TableNames": names});
        if let Some(last) = names.last().filter(|_| more) {
            answer["LastEvaluatedTableName"] = json!(last);
        }
        Ok(answer)
    }
}

/// The table that a `ResourceArn` names.
fn resource(arn: Option<String>) -> Result<String, Failure> {
    let mut c = constraint::Constraints::default();
    let arn = c.required("resourceArn", arn).unwrap_or_default();
    c.end()?;
    match arn::resource(&arn).strip_prefix("table/") {
        Some(name) if arn.starts_with("arn:") => Ok(name.to_owned()),
        _ => Err(Failure::Service(Error::Invalid(format!("Invalid TableArn: Invalid ResourceArn provided as input {arn}")))),
    }
}

/// The parameters of an operation on items, and the names of its tables.
fn item(body: &[u8], resource: &mut Option<String>) -> Result<decode::Request, Failure> {
    let request = parse::<decode::Request>(body)?;
    *resource = names(request.tables());
    Ok(request)
}

/// Tables of one operation that are named; an operation on more names the first ones.
const TABLES_NAMED: usize = 4;

fn search(page: &Page, limited: bool) -> Search {
    Search { looked_at: page.scanned as u64, gave: page.count as u64, limited, filtered_by: page.filtered_by.clone() }
}

/// The names of an operation's tables, each once, as one text.
fn names<'a>(tables: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut named: Vec<&str> = Vec::new();
    for table in tables {
        if named.len() < TABLES_NAMED && !named.contains(&table) {
            named.push(table);
        }
    }
    (!named.is_empty()).then(|| named.join(", "))
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| Failure::Serialization(value::serialization_text(&error)))
}

fn unzip(body: &Bytes) -> Result<Bytes, Failure> {
    let mut whole = Vec::new();
    let read = flate2::read::GzDecoder::new(&body[..]).take(BODY_BYTES_MAX as u64 + 1).read_to_end(&mut whole);
    match read {
        Ok(n) if n > BODY_BYTES_MAX => Err(Failure::TooLarge),
        Ok(_) => Ok(whole.into()),
        Err(_) => Err(Failure::Serialization(None)),
    }
}
