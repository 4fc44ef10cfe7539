//! `DynamoDBStreams_20120810`: the streams of tables, each with one shard.

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::super::arn::Account;
use super::constraint::Constraints;
use super::event::{record_json, sequence_number, stream_arn};
use super::fail::Failure;
use super::table::seconds;
use crate::base::{Call, Time};
use crate::services::tables::{Error, ReadFrom, StreamInfo, Tables};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Request {
    table_name: Option<String>,
    stream_arn: Option<String>,
    shard_id: Option<String>,
    shard_iterator_type: Option<String>,
    sequence_number: Option<String>,
    shard_iterator: Option<String>,
    limit: Option<i64>,
    exclusive_start_stream_arn: Option<String>,
}

impl Request {
    /// The table whose stream it is about.
    pub fn table(&self) -> Option<String> {
        let of_arn = || self.stream_arn.as_deref().and_then(|arn| parts(arn).ok()).map(|(table, _)| table.to_owned());
        self.table_name.clone().or_else(of_arn)
    }
}

/// Records of one `GetRecords` at most.
const RECORDS_MAX: i64 = 1000;

/// Table and label of a stream's ARN.
fn parts(arn: &str) -> Result<(&str, &str), Failure> {
    let found = arn.split_once(":table/").and_then(|(_, rest)| rest.split_once("/stream/"));
    found.ok_or_else(|| Failure::Invalid(format!("Invalid StreamArn: {arn}")))
}

fn shard_id(info: &StreamInfo) -> String {
    format!("shardId-{:020}-emu00001", info.stream.created.millis())
}

/// Answers an operation on streams.
pub async fn handle(tables: &Tables, account: &Account, call: &Call, operation: &str, request: Request) -> Result<Json, Failure> {
    match operation {
        "ListStreams" => list(tables, account, call, request).await,
        "DescribeStream" => describe(tables, account, call, request).await,
        "GetShardIterator" => iterator(tables, call, request).await,
        "GetRecords" => records(tables, account, call, request).await,
        _ => Err(Failure::UnknownOperation),
    }
}

async fn list(tables: &Tables, account: &Account, call: &Call, request: Request) -> Result<Json, Failure> {
    let mut c = Constraints::default();
    c.within("limit", request.limit, 1, 100);
    c.end()?;
    let limit = usize::try_from(request.limit.unwrap_or(100)).unwrap_or(100);
    let all = tables.list_streams(call, request.table_name.as_deref()).await?;
    let arn = |info: &StreamInfo| stream_arn(account, &info.table, &info.stream.label);
    let from = match &request.exclusive_start_stream_arn {
        Some(start) => all.iter().position(|info| arn(info) == *start).map_or(all.len(), |at| at + 1),
        None => 0,
    };
    let shown = &all[from..all.len().min(from.saturating_add(limit)).max(from)];
    let streams: Vec<Json> =
        shown.iter().map(|info| json!({"StreamArn": arn(info), "TableName": info.table, "StreamLabel": info.stream.label})).collect();
    let mut answer = json!({"Streams": streams});
    if let Some(last) = shown.last().filter(|_| from + shown.len() < all.len()) {
        answer["LastEvaluatedStreamArn"] = json!(arn(last));
    }
    Ok(answer)
}

async fn describe(tables: &Tables, account: &Account, call: &Call, request: Request) -> Result<Json, Failure> {
    let mut c = Constraints::default();
    let arn = c.required("streamArn", request.stream_arn).unwrap_or_default();
    c.within("limit", request.limit, 1, 100);
    c.end()?;
    let (table, label) = parts(&arn)?;
    let info = tables.describe_stream(call, table, label).await?;
    let mut range = json!({"StartingSequenceNumber": sequence_number(info.first.unwrap_or(0))});
    if !info.stream.enabled {
        range["EndingSequenceNumber"] = json!(sequence_number(info.last.unwrap_or(0)));
    }
    let mut keys = vec![json!({"AttributeName": info.keys.hash, "KeyType": "HASH"})];
    keys.extend(info.keys.range.iter().map(|name| json!({"AttributeName": name, "KeyType": "RANGE"})));
    Ok(json!({"StreamDescription": {
        "StreamArn": stream_arn(account, &info.table, &info.stream.label),
        "StreamLabel": info.stream.label,
        "StreamStatus": if info.stream.enabled { "ENABLED" } else { "DISABLED" },
        "StreamViewType": info.stream.view.label(),
        "CreationRequestDateTime": seconds(info.stream.created),
        "TableName": info.table,
        "KeySchema": keys,
        "Shards": [{"ShardId": shard_id(&info), "SequenceNumberRange": range}],
    }}))
}

async fn iterator(tables: &Tables, call: &Call, request: Request) -> Result<Json, Failure> {
    let mut c = Constraints::default();
    let arn = c.required("streamArn", request.stream_arn).unwrap_or_default();
    let shard = c.required("shardId", request.shard_id).unwrap_or_default();
    let kind = c.required("shardIteratorType", request.shard_iterator_type).unwrap_or_default();
    if !kind.is_empty() {
        c.one_of("shardIteratorType", Some(&kind), &["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "TRIM_HORIZON", "LATEST"]);
    }
    c.end()?;
    let (table, label) = parts(&arn)?;
    let info = tables.describe_stream(call, table, label).await?;
    if shard != shard_id(&info) {
        return Err(Failure::Service(Error::NoSuchStream(format!("{table}, shard {shard}"))));
    }
    let number = || {
        let text = request.sequence_number.as_deref().unwrap_or_default();
        let parsed = text.parse::<i64>();
        parsed.map_err(|_| Failure::Invalid(format!("Invalid SequenceNumber: {text}; it is required for {kind}")))
    };
    let from = match kind.as_str() {
        "TRIM_HORIZON" => ReadFrom::Oldest,
        "LATEST" => ReadFrom::Newest,
        "AT_SEQUENCE_NUMBER" => ReadFrom::At(number()?),
        _ => ReadFrom::After(number()?),
    };
    let after = tables.stream_position(call, table, label, from).await?;
    Ok(json!({"ShardIterator": write_iterator(&arn, after, tables.db().now())}))
}

fn write_iterator(arn: &str, after: i64, made: Time) -> String {
    format!("{arn}|{after}|{}", made.millis())
}

async fn records(tables: &Tables, account: &Account, call: &Call, request: Request) -> Result<Json, Failure> {
    let mut c = Constraints::default();
    let iterator = c.required("shardIterator", request.shard_iterator).unwrap_or_default();
    c.within("limit", request.limit, 1, RECORDS_MAX);
    c.end()?;
    let mut fields = iterator.rsplitn(3, '|');
    let made = fields.next().and_then(|text| text.parse().ok());
    let after = fields.next().and_then(|text| text.parse().ok());
    let (Some(made), Some(after), Some(arn)) = (made, after, fields.next()) else {
        return Err(Failure::Invalid("Invalid ShardIterator".into()));
    };
    let (table, label) = parts(arn)?;
    let limit = usize::try_from(request.limit.unwrap_or(RECORDS_MAX)).unwrap_or(0);
    let (found, goes_on) = tables.read_stream(call, (table, label), after, Time(made), limit).await?;
    let mut answer = json!({"Records": found.iter().map(|record| record_json(account, record)).collect::<Vec<_>>()});
    if goes_on {
        let after = found.last().map_or(after, |record| record.sequence);
        answer["NextShardIterator"] = json!(write_iterator(arn, after, tables.db().now()));
    }
    Ok(answer)
}
