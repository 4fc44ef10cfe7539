//! Stream records as functions get them. Source: "Using AWS Lambda with Amazon DynamoDB", example event.

use serde_json::{Map, Value as Json, json};

use super::super::arn::Account;
use super::value::ShownItem;
use crate::services::tables::StreamRecord;

/// The ARN of a table's stream.
pub fn stream_arn(account: &Account, table: &str, label: &str) -> String {
    account.arn("dynamodb", &format!("table/{table}/stream/{label}"))
}

/// The event that a function gets for these records.
pub fn event(account: &Account, records: &[StreamRecord]) -> Json {
    let records: Vec<Json> = records.iter().map(|record| for_function(record_json(account, record), account, record)).collect();
    json!({"Records": records})
}

/// Functions are told whose record it is, and who expired it in other capitals than `GetRecords` uses.
fn for_function(mut json: Json, account: &Account, record: &StreamRecord) -> Json {
    if record.expired {
        json["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    }
    json["eventSourceARN"] = Json::String(stream_arn(account, &record.table, &record.label));
    json
}

/// The sequence number as the API writes it: digits, in order also as text.
pub fn sequence_number(sequence: i64) -> String {
    format!("{sequence:021}")
}

/// One record, as `GetRecords` tells it.
pub fn record_json(account: &Account, record: &StreamRecord) -> Json {
    let mut change = Map::new();
    change.insert("ApproximateCreationDateTime".into(), json!(record.at.seconds()));
    change.insert("Keys".into(), json!(ShownItem(&record.keys)));
    if let Some(new) = &record.new {
        change.insert("NewImage".into(), json!(ShownItem(new)));
    }
    if let Some(old) = &record.old {
        change.insert("OldImage".into(), json!(ShownItem(old)));
    }
    change.insert("SequenceNumber".into(), json!(sequence_number(record.sequence)));
    change.insert("SizeBytes".into(), json!(record.bytes));
    change.insert("StreamViewType".into(), json!(record.view.label()));
    let mut json = json!({
        "eventID": format!("{:032x}", record.sequence),
        "eventName": record.kind.label(),
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": &*account.region,
        "dynamodb": change,
    });
    if record.expired {
        json["userIdentity"] = json!({"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"});
    }
    json
}
