//! Answers of the Lambda API.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::decode::Page;
use super::{Function, Invoked, Mapping};
use crate::wire::aws::arn::Account;
use crate::wire::http::{Body, Response, json as json_answer};

/// Bytes of the log that an answer carries.
const LOG_TAIL_BYTES: usize = 4_096;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Adds the request's identifier, unless the answer has one.
pub(super) fn with_request_id(mut answer: Response, id: impl FnOnce() -> String) -> Response {
    if !answer.headers().contains_key(REQUEST_ID) {
        set(&mut answer, REQUEST_ID, &id());
    }
    answer
}

fn set(answer: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}

fn empty(status: StatusCode) -> Response {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = status;
    answer
}

/// What a function answered: 200 whether it failed or not.
pub(super) fn invoked(invoked: Invoked, log_tail: bool) -> Response {
    let mut answer = Response::new(Body::from(invoked.payload));
    answer.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    set(&mut answer, HeaderName::from_static("x-amz-executed-version"), "$LATEST");
    if invoked.failed {
        set(&mut answer, HeaderName::from_static("x-amz-function-error"), "Unhandled");
    }
    if log_tail {
        let log = invoked.log.as_bytes();
        let tail = &log[log.len().saturating_sub(LOG_TAIL_BYTES)..];
        set(&mut answer, HeaderName::from_static("x-amz-log-result"), &STANDARD.encode(tail));
    }
    set(&mut answer, REQUEST_ID, &invoked.request_id);
    answer
}

/// An event was accepted.
pub(super) fn accepted(request_id: &str) -> Response {
    let mut answer = empty(StatusCode::ACCEPTED);
    set(&mut answer, REQUEST_ID, request_id);
    answer
}

/// As [`accepted`], in the way of `InvokeAsync`.
pub(super) fn accepted_legacy(request_id: &str) -> Response {
    let mut answer = json_answer(StatusCode::ACCEPTED, &json!({ "Status": 202 }));
    set(&mut answer, REQUEST_ID, request_id);
    answer
}

/// The function could be called.
pub(super) fn dry_run() -> Response {
    let mut answer = empty(StatusCode::NO_CONTENT);
    set(&mut answer, HeaderName::from_static("x-amz-executed-version"), "$LATEST");
    answer
}

fn configuration(account: &Account, function: &Function) -> Value {
    let described = format!("{function:?}");
    let mut configuration = json!({
        "FunctionName": function.name,
        "FunctionArn": account.arn("lambda", &format!("function:{}", function.name)),
        "Runtime": function.runtime,
        "Role": format!("arn:aws:iam::{}:role/emu", account.id),
        "Handler": function.handler,
        "CodeSize": 0,
        "Description": "",
        "Timeout": function.timeout_ms.div_ceil(1_000),
        "MemorySize": function.memory_mib,
        "LastModified": "1970-01-01T00:00:00.000+0000",
        "CodeSha256": STANDARD.encode(Sha256::digest(described.as_bytes())),
        "Version": "$LATEST",
        "TracingConfig": { "Mode": "PassThrough" },
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "PackageType": "Zip",
        "Architectures": ["x86_64"],
        "EphemeralStorage": { "Size": 512 },
    });
    if !function.environment.is_empty() {
        configuration["Environment"] = json!({ "Variables": function.environment });
    }
    configuration
}

/// `GetFunctionConfiguration`.
pub(super) fn function_configuration(account: &Account, function: &Function) -> Response {
    json_answer(StatusCode::OK, &configuration(account, function))
}

/// `GetFunction`.
pub(super) fn function(account: &Account, function: &Function) -> Response {
    let mut body = json!({
        "Configuration": configuration(account, function),
        "Code": { "RepositoryType": "S3", "Location": "" },
        "Tags": {},
    });
    if let Some(max) = function.concurrency_max {
        body["Concurrency"] = json!({ "ReservedConcurrentExecutions": max });
    }
    json_answer(StatusCode::OK, &body)
}

/// `ListFunctions`: a page of `all`, which are in order of their names.
pub(super) fn functions(account: &Account, all: Vec<Function>, page: &Page) -> Response {
    let mut rest = all.into_iter().filter(|function| page.after.as_ref().is_none_or(|after| function.name > *after)).peekable();
    let shown: Vec<Function> = rest.by_ref().take(page.limit).collect();
    let mut body = json!({ "Functions": shown.iter().map(|function| configuration(account, function)).collect::<Vec<_>>() });
    if let (Some(_), Some(last)) = (rest.peek(), shown.last()) {
        body["NextMarker"] = last.name.clone().into();
    }
    json_answer(StatusCode::OK, &body)
}

/// `ListEventSourceMappings`.
pub(super) fn mappings(account: &Account, mappings: &[Mapping]) -> Response {
    let shown = mappings.iter().map(|mapping| {
        let id = hex::encode(&Sha256::digest(format!("{}\n{}", mapping.function, mapping.source_arn).as_bytes())[..16]);
        let mut shown = json!({
            "UUID": format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]),
            "BatchSize": mapping.batch_size,
            "MaximumBatchingWindowInSeconds": mapping.window_s,
            "EventSourceArn": mapping.source_arn,
            "FunctionArn": account.arn("lambda", &format!("function:{}", mapping.function)),
            "State": "Enabled",
            "StateTransitionReason": "USER_INITIATED",
            "FunctionResponseTypes": if mapping.partial_failures { json!(["ReportBatchItemFailures"]) } else { json!([]) },
        });
        if let Some(position) = mapping.starting_position {
            shown["StartingPosition"] = position.into();
            shown["MaximumRetryAttempts"] = mapping.retries_max.map_or(-1, i64::from).into();
            shown["BisectBatchOnFunctionError"] = mapping.bisect.unwrap_or(false).into();
        }
        shown
    });
    json_answer(StatusCode::OK, &json!({ "EventSourceMappings": shown.collect::<Vec<_>>() }))
}

/// `GetAccountSettings`.
pub(super) fn account_settings(functions: usize) -> Response {
    let body = json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": 1_000,
            "UnreservedConcurrentExecutions": 1_000,
        },
        "AccountUsage": { "TotalCodeSize": 0, "FunctionCount": functions },
    });
    json_answer(StatusCode::OK, &body)
}
