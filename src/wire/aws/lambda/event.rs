//! The records that Lambda sends to destinations and dead-letter queues.
//! Source: the pages "Capturing records of Lambda asynchronous invocations" and "Retain discarded batch records for a DynamoDB event source".

use serde_json::{Value, json};

use crate::base::Time;

/// An asynchronous invocation that ended.
pub struct Ended<'a> {
    pub at: Time,
    pub request_id: &'a str,
    /// Without a qualifier.
    pub function_arn: &'a str,
    /// `Success`, `RetriesExhausted` or `EventAgeExceeded`.
    pub condition: &'static str,
    pub invoke_count: u32,
    /// The event.
    pub request: &'a [u8],
    /// The last answer, and whether the function failed; `None` where it never ran.
    pub response: Option<(&'a [u8], bool)>,
}

/// The record of an asynchronous invocation, for a destination.
pub fn ended(ended: &Ended<'_>) -> Value {
    let mut record = json!({
        "version": "1.0",
        "timestamp": ended.at.iso(),
        "requestContext": {
            "requestId": ended.request_id,
            "functionArn": format!("{}:$LATEST", ended.function_arn),
            "condition": ended.condition,
            "approximateInvokeCount": ended.invoke_count,
        },
        "requestPayload": payload(ended.request),
    });
    if let Some((response, failed)) = ended.response {
        record["responseContext"] = response_context(failed);
        record["responsePayload"] = payload(response);
    }
    record
}

fn response_context(failed: bool) -> Value {
    let mut context = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
    if failed {
        context["functionError"] = "Unhandled".into();
    }
    context
}

/// As JSON where it is some, else as text.
fn payload(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

/// Records of a stream that were given up.
pub struct GivenUp<'a> {
    pub at: Time,
    pub request_id: &'a str,
    /// Without a qualifier.
    pub function_arn: &'a str,
    /// `RetryAttemptsExhausted` or `RecordAgeExceeded`.
    pub condition: &'static str,
    pub invoke_count: u32,
    pub stream_arn: &'a str,
    pub shard_id: &'a str,
    /// Sequence number and time of the first and the last record.
    pub first: (&'a str, Time),
    pub last: (&'a str, Time),
    pub batch_size: usize,
}

/// The record of a batch of a DynamoDB stream that was given up, for the mapping's failure destination.
pub fn given_up(batch: &GivenUp<'_>) -> Value {
    let arrival = |at: Time| at.utc().format("%Y-%m-%dT%H:%M:%SZ").to_string();
    json!({
        "requestContext": {
            "requestId": batch.request_id,
            "functionArn": batch.function_arn,
            "condition": batch.condition,
            "approximateInvokeCount": batch.invoke_count,
        },
        "responseContext": response_context(true),
        "version": "1.0",
        "timestamp": batch.at.iso(),
        "DDBStreamBatchInfo": {
            "shardId": batch.shard_id,
            "startSequenceNumber": batch.first.0,
            "endSequenceNumber": batch.last.0,
            "approximateArrivalOfFirstRecord": arrival(batch.first.1),
            "approximateArrivalOfLastRecord": arrival(batch.last.1),
            "batchSize": batch.batch_size,
            "streamArn": batch.stream_arn,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_invocation_is_recorded_with_its_event_and_last_answer() {
        let record = ended(&Ended {
            at: Time(0),
            request_id: "r",
            function_arn: "arn:aws:lambda:us-east-1:000000000000:function:f",
            condition: "RetriesExhausted",
            invoke_count: 3,
            request: br#"{"a":1}"#,
            response: Some((br#"{"errorType":"Error"}"#, true)),
        });
        assert_eq!(
            record.to_string(),
            r#"{"version":"1.0","timestamp":"1970-01-01T00:00:00.000Z","requestContext":{"requestId":"r","functionArn":"arn:aws:lambda:us-east-1:000000000000:function:f:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3},"requestPayload":{"a":1},"responseContext":{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"},"responsePayload":{"errorType":"Error"}}"#
        );
    }

    #[test]
    fn an_event_that_grew_too_old_has_no_answer() {
        let record = ended(&Ended {
            at: Time(0),
            request_id: "r",
            function_arn: "f",
            condition: "EventAgeExceeded",
            invoke_count: 0,
            request: b"not json",
            response: None,
        });
        assert_eq!((record.get("responseContext"), &record["requestPayload"]), (None, &json!("not json")));
    }
}
