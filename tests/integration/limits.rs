//! Functions that misbehave fail alone, with a clear error, while others go on.

use serde_json::json;

use crate::emu::{Emu, copy};

async fn invoke(emu: &Emu, function: &str) -> (Option<String>, serde_json::Value) {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", emu.aws);
    let answer = emu.send("POST", &url, &[], "{}").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let error = answer.headers.get("x-amz-function-error").map(|value| value.to_str().expect("text").to_owned());
    (error, answer.json())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn misbehaving_functions_fail_alone() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    // Error type and a part of the message, as Lambda's callers see them.
    for (function, kind, message) in [
        ("loop", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("promises", "Sandbox.Timedout", "Task timed out after 1.00 seconds"),
        ("recursion", "RangeError", "Maximum call stack size exceeded"),
        ("memory", "Runtime.OutOfMemory", "signal: killed"),
        ("response", "Function.ResponseSizeTooLarge", "Response payload size"),
        ("outside", "TypeError", "add `- example.com` under `emu.sandbox.allow`"),
        ("thrown", "Broken", "on purpose"),
    ] {
        let busy = invoke(&emu, function);
        let good = async {
            for _ in 0..20 {
                assert_eq!(emu.get("/good").await.text(), r#"{"ok":true}"#, "beside {function}");
            }
        };
        let ((error, payload), ()) = tokio::join!(busy, good);
        assert_eq!(error.as_deref(), Some("Unhandled"), "{function}: {payload}");
        let (got_kind, got_message) =
            (payload["errorType"].as_str().unwrap_or_default(), payload["errorMessage"].as_str().unwrap_or_default());
        assert!(got_kind.contains(kind) && got_message.contains(message), "{function}: {payload}");
    }
    assert_eq!(invoke(&emu, "good").await, (None, json!({ "ok": true })));
}

#[tokio::test]
async fn an_error_names_the_line_of_the_source() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    let (_, payload) = invoke(&emu, "thrown").await;
    let trace = payload["trace"].to_string();
    assert!(trace.contains("limits.ts:40:"), "{trace}");
}

#[tokio::test]
async fn a_function_sees_only_the_environment_that_it_was_given() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    let seen = emu.get("/environment").await.json();
    assert_eq!((&seen["own"], &seen["home"], &seen["secret"]), (&json!("mine"), &json!(null), &json!(null)), "{seen}");
}

#[tokio::test]
async fn a_giant_log_is_cut_and_says_so() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    assert_eq!(emu.get("/logs").await.text(), r#"{"ok":true}"#);
    emu.until("the log says that it was cut", || async { emu.log().contains("truncated").then_some(()) }).await;
    assert!(emu.log().len() < 4_000_000);
}

#[tokio::test]
async fn bodies_over_the_limits_are_refused_as_in_production() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    let answer = emu.send("POST", &format!("{}/echo", emu.http), &[], vec![b'x'; 10 * 1024 * 1024 + 1]).await;
    assert_eq!((answer.status, answer.text().as_str()), (413, r#"{"message":"Request Entity Too Large"}"#));
    let url = format!("{}/2015-03-31/functions/echo/invocations", emu.aws);
    let answer = emu.send("POST", &url, &[], format!("\"{}\"", "x".repeat(6 * 1024 * 1024))).await;
    assert_eq!(answer.status, 413);
    assert!(answer.text().contains("RequestTooLargeException") || answer.headers.get("x-amzn-errortype").is_some(), "{}", answer.text());
    assert_eq!(emu.get("/good").await.status, 200);
}

#[tokio::test]
async fn requests_that_make_no_sense_get_a_clear_answer() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    let aws = format!("{}/", emu.aws);
    let missing = emu.send("POST", &format!("{}/2015-03-31/functions/nobody/invocations", emu.aws), &[], "{}").await;
    assert_eq!(missing.status, 404);
    assert!(missing.text().contains("Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"), "{}", missing.text());
    let not_json = emu.send("POST", &format!("{}/2015-03-31/functions/good/invocations", emu.aws), &[], "{\"a\":").await;
    assert_eq!(not_json.status, 400);
    assert!(not_json.text().contains("Could not parse request body into json"), "{}", not_json.text());
    let target = [("x-amz-target", "DynamoDB_20120810.PutItem")];
    let not_json = emu.send("POST", &aws, &target, "{").await;
    assert_eq!(not_json.status, 400);
    assert!(not_json.text().contains("SerializationException"), "{}", not_json.text());
    let signature = [("x-amz-target", "DynamoDB_20120810.ListTables"), ("authorization", "AWS4-HMAC-SHA256 Credential=broken")];
    let broken = emu.send("POST", &aws, &signature, "{}").await;
    assert_eq!(broken.status, 400);
    assert!(broken.text().contains("IncompleteSignatureException"), "{}", broken.text());
    assert_eq!(emu.get("/nowhere").await.text(), r#"{"message":"Not Found"}"#);
}

#[tokio::test]
async fn a_page_of_another_site_cannot_drive_emu() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    let aws = format!("{}/", emu.aws);
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.example")];
    let answer = emu.send("POST", &aws, &form, "Action=ListQueues&Version=2012-11-05").await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("evil.example"), "{}", answer.text());
    let rebound = emu.send("GET", &format!("{}/good", emu.http), &[("host", "evil.example")], "").await;
    assert_eq!(rebound.status, 421);
    assert!(rebound.text().contains("does not answer to the host name `evil.example`"), "{}", rebound.text());
}
