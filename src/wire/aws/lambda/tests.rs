use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;

use super::*;

#[derive(Default)]
struct Fake {
    seen: Mutex<Vec<String>>,
}

fn function(name: &str) -> Function {
    Function {
        key: name.into(),
        name: format!("shop-dev-{name}"),
        handler: format!("src/{name}.handler"),
        runtime: "nodejs22.x".into(),
        memory_mib: 128,
        timeout_ms: 3_000,
        environment: BTreeMap::new(),
        concurrency_max: None,
    }
}

#[async_trait]
impl Functions for Fake {
    fn list(&self) -> Vec<Function> {
        vec![function("cart"), function("pay")]
    }

    fn find(&self, name: &str) -> Option<Function> {
        self.list().into_iter().find(|function| function.key == name || function.name == name)
    }

    fn mappings(&self) -> Vec<Mapping> {
        vec![Mapping {
            function: "shop-dev-pay".into(),
            source_arn: "arn:aws:sqs:us-east-1:000000000000:orders".into(),
            batch_size: 10,
            window_s: 0,
            partial_failures: true,
            starting_position: None,
            retries_max: None,
            bisect: None,
        }]
    }

    async fn invoke(&self, _call: &Call, name: &str, event: Bytes, _with_log: bool) -> Result<Invoked, Error> {
        let failed = event.starts_with(b"[");
        self.seen.lock().expect("unpoisoned").push(format!("{name} {}", String::from_utf8_lossy(&event)));
        if event == "429" {
            return Err(Error::Throttled);
        }
        Ok(Invoked { payload: event, failed, log: format!("{}end", "x".repeat(5_000)), request_id: "an-id".into() })
    }

    async fn enqueue(&self, _call: &Call, name: &str, event: Bytes) -> Result<String, Error> {
        self.seen.lock().expect("unpoisoned").push(format!("later {name} {}", String::from_utf8_lossy(&event)));
        Ok("an-id".into())
    }
}

async fn ask(line: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> String {
    let lambda = Lambda::new(Arc::new(Fake::default()), Account::local("us-east-1"), Ids::seeded(1));
    let (method, uri) = line.split_once(' ').expect("a method and a path");
    let mut request = http::Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = lambda.handle(&Call::operator(), request.body(Body::from(body.into())).expect("a request")).await;
    let mut told = response.status().as_u16().to_string();
    for name in ["x-amz-executed-version", "x-amz-function-error", "x-amzn-errortype"] {
        if let Some(value) = response.headers().get(name) {
            told += &format!(" | {}", value.to_str().expect("text"));
        }
    }
    assert!(response.headers().contains_key("x-amzn-requestid"), "{line}");
    let body = response.into_body().collect(1 << 20).await.expect("a body");
    format!("{told} | {}", String::from_utf8_lossy(&body))
}

async fn check(line: &str, headers: &[(&str, &str)], body: &'static str, wanted: &str) {
    let got = ask(line, headers, body).await;
    assert!(got.starts_with(wanted), "{line} {headers:?} {body}\n   got {got}\nwanted {wanted}");
}

#[tokio::test]
async fn invocations() {
    let path = "POST /2015-03-31/functions/pay/invocations";
    check(path, &[], r#"{"a":1}"#, r#"200 | $LATEST | {"a":1}"#).await;
    check(path, &[], "", "200 | $LATEST | {}").await;
    check(path, &[], "[1]", "200 | $LATEST | Unhandled | [1]").await;
    check(path, &[("x-amz-invocation-type", "DryRun")], "{}", "204 | $LATEST | ").await;
    check(path, &[("x-amz-invocation-type", "Event")], "{}", "202 | ").await;
    check("POST /2014-11-13/functions/pay/invoke-async/", &[], "{}", r#"202 | {"Status":202}"#).await;
    check(path, &[], "429", r#"429 | TooManyRequestsException | {"Type":"User","message":"Rate Exceeded.","Reason":"#).await;
    check(
        path,
        &[],
        "{",
        "400 | InvalidRequestContentException | {\"Type\":\"User\",\"message\":\"Could not parse request body into json: ",
    )
    .await;
    let wrong =
        "400 | ValidationException | {\"Type\":\"User\",\"message\":\"1 validation error detected: Value 'event' at 'invocationType'";
    check(path, &[("x-amz-invocation-type", "event")], "{}", wrong).await;
}

#[tokio::test]
async fn a_function_is_found_by_all_its_names() {
    for name in [
        "pay",
        "shop-dev-pay",
        "pay:$LATEST",
        "pay:%24LATEST",
        "function:pay",
        "000000000000:function:pay",
        "arn:aws:lambda:us-east-1:000000000000:function:shop-dev-pay",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ashop-dev-pay%3A%24LATEST",
        "pay:$LATEST",
    ] {
        check(&format!("POST /2015-03-31/functions/{name}/invocations"), &[], "{}", "200 | $LATEST | {}").await;
    }
    check("POST /2015-03-31/functions/pay/invocations?Qualifier=%24LATEST", &[], "{}", "200 | $LATEST").await;
    let missing = |arn: &str| {
        format!(
            r#"404 | ResourceNotFoundException | {{"Type":"User","Message":"Function not found: arn:aws:lambda:us-east-1:000000000000:function:{arn}"}}"#
        )
    };
    check("POST /2015-03-31/functions/nope/invocations", &[], "{}", &missing("nope")).await;
    check("POST /2015-03-31/functions/pay/invocations?Qualifier=7", &[], "{}", &missing("pay:7")).await;
    check("POST /2015-03-31/functions/pay:live/invocations", &[], "{}", &missing("pay:live")).await;
    check("POST /2015-03-31/functions/pay:1/invocations?Qualifier=2", &[], "{}", "400 | InvalidParameterValueException").await;
    check("POST /2015-03-31/functions/a%20b/invocations", &[], "{}", "400 | ValidationException").await;
    check("POST /2015-03-31/functions/arn:aws:s3:::b/invocations", &[], "{}", "400 | ValidationException").await;
}

#[tokio::test]
async fn events_have_a_largest_size_each() {
    let event = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let path = "POST /2015-03-31/functions/pay/invocations";
    let later = [("x-amz-invocation-type", "Event")];
    assert!(ask(path, &later, event(ASYNC_BYTES_MAX)).await.starts_with("202"));
    let got = ask(path, &later, event(ASYNC_BYTES_MAX + 1)).await;
    let text = "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)";
    assert!(got.starts_with("413 | RequestEntityTooLargeException") && got.contains(text), "{got}");
    let got = ask(path, &[], event(SYNC_BYTES_MAX + 1)).await;
    assert!(got.contains("Request must be smaller than 6291456 bytes for the InvokeFunction operation"), "{got}");
}

#[tokio::test]
async fn the_tail_of_the_log_comes_along_when_asked_for() {
    use base64::Engine;
    let lambda = Lambda::new(Arc::new(Fake::default()), Account::local("us-east-1"), Ids::seeded(1));
    let request = http::Request::post("/2015-03-31/functions/pay/invocations").header("x-amz-log-type", "Tail");
    let response = lambda.handle(&Call::operator(), request.body(Body::from("{}")).expect("a request")).await;
    let log = response.headers()["x-amz-log-result"].to_str().expect("text");
    let log = base64::engine::general_purpose::STANDARD.decode(log).expect("base64");
    assert_eq!((log.len(), &log[4_093..]), (4_096, &b"end"[..]));
    assert_eq!(response.headers()["x-amzn-requestid"], "an-id");
}

#[tokio::test]
async fn functions_and_mappings_can_be_looked_at() {
    check("GET /2015-03-31/functions/", &[], "", r#"200 | {"Functions":[{"FunctionName":"shop-dev-cart""#).await;
    let first = ask("GET /2015-03-31/functions?MaxItems=1", &[], "").await;
    assert!(first.ends_with(r#""NextMarker":"shop-dev-cart"}"#) && !first.contains("shop-dev-pay"), "{first}");
    let second = ask("GET /2015-03-31/functions?MaxItems=1&Marker=shop-dev-cart", &[], "").await;
    assert!(second.contains("shop-dev-pay") && !second.contains("NextMarker"), "{second}");
    check("GET /2015-03-31/functions/pay", &[], "", r#"200 | {"Configuration":{"FunctionName":"shop-dev-pay","FunctionArn":"#).await;
    check("GET /2015-03-31/functions/pay/configuration", &[], "", r#"200 | {"FunctionName":"shop-dev-pay""#).await;
    check("GET /2015-03-31/event-source-mappings/?FunctionName=cart", &[], "", r#"200 | {"EventSourceMappings":[]}"#).await;
    let mappings = ask("GET /2015-03-31/event-source-mappings/?FunctionName=pay", &[], "").await;
    assert!(mappings.contains(r#""EventSourceArn":"arn:aws:sqs:us-east-1:000000000000:orders""#), "{mappings}");
    check("GET /2016-08-19/account-settings/", &[], "", r#"200 | {"AccountLimit":{"#).await;
    check("PUT /2015-03-31/functions/pay/code", &[], "", "404 | UnknownOperationException").await;
}
