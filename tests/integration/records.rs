//! What is told afterwards: the journal, traces, logs, dead letters.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::emu::{EMU, Emu, copy};

pub fn run(project: &Path, arguments: &[&str]) -> String {
    let output = Command::new(EMU)
        .args(arguments)
        .args(["--project", &project.display().to_string()])
        .env_remove("EMU_PROJECT")
        .env("COLUMNS", "140")
        .stdin(Stdio::null())
        .output()
        .expect("emu runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
    text
}

/// A project of one file, `a.mjs`.
fn tiny(functions: &str, code: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = format!("service: tiny\nprovider: {{ name: aws, runtime: nodejs22.x }}\n{functions}");
    std::fs::write(folder.path().join("serverless.yaml"), yaml).expect("a file");
    std::fs::write(folder.path().join("a.mjs"), code).expect("a file");
    folder
}

/// The trace, once it has a record of which this is part of the JSON.
async fn trace_with(emu: &Emu, trace: &str, wanted: &str) -> Value {
    emu.until(wanted, async || {
        let answer = emu.send("GET", &format!("{}/emu/v1/traces/{trace}", emu.admin), &[], "").await;
        (answer.status == 200 && answer.text().contains(wanted)).then(|| answer.json())
    })
    .await
}

/// The rows of a trace as `kind name`, indented by their depth.
fn drawn(trace: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let record = &row["record"];
        let text = |name: &str| record[name].as_str().unwrap_or_default();
        let name = match text("type") {
            "request" => format!("{} {}", text("method"), text("target")),
            "invocation" => format!("{} for {}", text("function"), text("trigger")),
            "operation" => format!("{} {} {}", text("service"), text("action"), text("resource")),
            "delivery" => format!("{} → {}", text("source"), text("target")),
            other => other.to_owned(),
        };
        format!("{}{name}", "  ".repeat(row["depth"].as_u64().expect("a depth") as usize))
    };
    trace["rows"].as_array().expect("rows").iter().map(row).collect()
}

/// Signs a user of the shop in; answers the token.
pub async fn sign_in(emu: &Emu) -> String {
    let post = async |path: &str, body: Value| emu.send("POST", &format!("{}{path}", emu.http), &[], body.to_string()).await;
    let registered = post("/register", json!({ "email": "ada@example.com", "name": "Ada", "password": "correct horse" })).await;
    assert_eq!(registered.status, 201, "{}", registered.text());
    let mails = emu.send("GET", &format!("{}/_aws/ses", emu.aws), &[], "").await.json();
    let text = mails["messages"][0]["Body"]["text_part"].as_str().expect("a mail").to_owned();
    let link = text.split_whitespace().find_map(|word| word.find("/verify?token=").map(|at| word[at..].to_owned())).expect("a link");
    assert_eq!(emu.get(&link).await.status, 200);
    let signed_in = post("/login", json!({ "email": "ada@example.com", "password": "correct horse" })).await;
    signed_in.json()["token"].as_str().expect("a token").to_owned()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_one_trace_from_the_request_to_the_worker_and_has_no_secrets() {
    assert!(Path::new("fixtures/shop/node_modules").exists(), "run `make fixtures` first: fixtures/shop has no node_modules");
    let project = copy("shop");
    let emu = Emu::start(project.path(), &[]);
    let token = sign_in(&emu).await;
    let products = emu.dynamodb("Scan", json!({ "TableName": "shop-dev-products" })).await;
    let product = products["Items"].as_array().expect("items").iter().find(|item| item["stock"]["N"] != "0").expect("one in stock");
    let order = json!({ "items": [{ "productId": product["id"]["S"], "quantity": 1 }], "payment": "card" });
    let (bearer, parent) = (format!("Bearer {token}"), format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json"), ("traceparent", parent.as_str())];
    let answer = emu.send("POST", &format!("{}/orders", emu.http), &headers, order.to_string()).await;
    assert_eq!((answer.status, answer.headers["x-emu-trace-id"].to_str().expect("text")), (201, TRACE), "{}", answer.text());
    emu.idle().await;

    let trace = trace_with(&emu, TRACE, "payOrders").await;
    let drawn = drawn(&trace);
    let at = |wanted: &str| drawn.iter().position(|row| row.trim_start() == wanted).unwrap_or_else(|| panic!("{wanted}: {drawn:#?}"));
    let depth = |row: usize| drawn[row].len() - drawn[row].trim_start().len();
    assert_eq!((drawn[0].as_str(), drawn[1].as_str()), ("POST /orders", "  createOrder for POST /orders"), "{drawn:#?}");
    assert!(drawn[2..].iter().any(|row| row.starts_with("    dynamodb TransactWriteItems shop-dev-")), "{drawn:#?}");
    let send = at("sqs SendMessage shop-dev-orders");
    let delivery = at("queues/shop-dev-orders → payOrders");
    let worker = at("payOrders for queue shop-dev-orders");
    assert_eq!((depth(send), depth(delivery), depth(worker)), (4, 6, 8), "{drawn:#?}");
    assert!(
        send < delivery && delivery < worker && drawn[worker + 1..].iter().any(|row| row.starts_with("          dynamodb ")),
        "{drawn:#?}"
    );
    assert!(drawn.iter().filter(|row| !row.starts_with(' ')).count() == 1, "one root: {drawn:#?}");
    let text = trace.to_string();
    assert!(!text.contains(&token) && text.contains(r#"["authorization","***"]"#), "{text}");
    let row = |at: usize| &trace["rows"][at]["record"];
    assert!(row(0)["own"]["route-requests"] == 1 && row(0)["own"]["route-bytes-out"].as_u64() > Some(100), "{}", row(0)["own"]);
    assert_eq!(row(send)["own"], json!({ "queue-requests": 1 }));
    assert!(row(1)["bundleBytes"].as_u64() > Some(1_000) && row(1)["build"].as_u64() > Some(0) && row(1)["memoryMib"] == 256);
    assert!(row(1)["event"]["text"].as_str().is_some_and(|event| event.contains("POST /orders")), "{}", row(1));
    // What the parts used is what the whole used.
    let units = |from: &Value, name: &str| from[name].as_u64().unwrap_or(0);
    let created = trace["rows"].as_array().expect("rows").iter().filter(|row| row["depth"] == 2).map(|row| &row["record"]["own"]);
    assert_eq!(created.map(|own| units(own, "table-writes")).sum::<u64>(), units(&row(1)["usage"], "table-writes"));

    let missing = emu.get("/nothing").await;
    assert!(missing.status == 404 && missing.headers.contains_key("x-emu-trace-id"));
    let foreign = emu.send("GET", &format!("{}/stats", emu.http), &[("host", "evil.example")], "").await;
    assert!(foreign.status == 421 && foreign.headers.contains_key("x-emu-trace-id"));
    trace_with(&emu, foreign.headers["x-emu-trace-id"].to_str().expect("text"), "evil.example").await;
    drop(emu);

    // Killed, and looked into afterwards.
    let waterfall = run(project.path(), &["trace", &TRACE[..6]]);
    assert!(waterfall.starts_with(&format!("trace {TRACE}")), "{waterfall}");
    for wanted in
        ["POST /orders 201", "└─ createOrder", "sqs SendMessage shop-dev-orders", "queues/shop-dev-orders → payOrders", "█", " ms"]
    {
        assert!(waterfall.contains(wanted), "{wanted}:\n{waterfall}");
    }
    assert_eq!(serde_json::from_str::<Value>(&run(project.path(), &["trace", TRACE, "--json"])).expect("JSON"), trace);
    let logs = run(project.path(), &["logs", "--function", "createOrder"]);
    assert!(logs.contains("POST /orders 201 → createOrder") && logs.contains("createOrder ok") && !logs.contains("register"), "{logs}");
    assert!(run(project.path(), &["logs"]).contains("mail to ada@example.com: Welcome to the shop"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounded_journal_forgets_the_oldest() {
    let project = copy("limits");
    let file = project.path().join("serverless.yaml");
    let yaml = std::fs::read_to_string(&file).expect("the project");
    std::fs::write(&file, format!("{yaml}\nemu: {{ journal: {{ recordsMax: 6 }} }}\n")).expect("a file");
    let emu = Emu::start(project.path(), &[]);
    for n in 0..10 {
        assert_eq!(emu.get(&format!("/good?n={n}")).await.status, 200);
    }
    let lines = emu
        .until("no more than the last six", async || {
            let records = emu.send("GET", &format!("{}/emu/v1/records?follow=false", emu.admin), &[], "").await.text();
            // What is written while it is read comes on top.
            let few = records.lines().count() <= 6;
            (few && records.contains("/good?n=9")).then(|| records.lines().map(str::to_owned).collect::<Vec<_>>())
        })
        .await;
    assert!(!lines.iter().any(|line| line.contains("/good?n=0")), "{lines:#?}");
    let wrong = emu.send("GET", &format!("{}/emu/v1/records?since=soon", emu.admin), &[], "").await;
    assert!(wrong.status == 400 && wrong.text().contains("10m"), "{}", wrong.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_while_emu_runs_and_end_with_it() {
    let code = "export const f = async (event) => { console.log('said', event.queryStringParameters.word); return 'ok'; };\n\
                export const g = async () => 'ok';";
    let functions = "functions:\n  f: { handler: a.f, events: [httpApi: GET /f] }\n  g: { handler: a.g, events: [httpApi: GET /g] }\n";
    let project = tiny(functions, code);
    let emu = Emu::start(project.path(), &[]);
    emu.get("/f?word=before").await;
    let mut child = Command::new(EMU)
        .args(["logs", "-f", "--function", "f", "--project"])
        .arg(project.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("emu runs");
    let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines().map_while(Result::ok);
    let mut until = |wanted: &str| lines.find(|line| line.contains(wanted)).unwrap_or_else(|| panic!("it ended before `{wanted}`"));
    until("said before");
    emu.get("/g").await;
    emu.get("/f?word=after").await;
    assert!(until("said").contains("f │ said after"));
    drop(emu);
    assert_eq!(lines.filter(|line| line.contains("GET /g")).count(), 0, "only what is about the function");
    assert!(child.wait().expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_is_handed_to_the_function_and_a_failure_shows_its_stack() {
    let code = "export const f = async () => ({ statusCode: 200, body: process.env._X_AMZN_TRACE_ID });\n\
                export const g = async () => { throw new TypeError('on purpose'); };";
    let functions = "functions:\n  f: { handler: a.f, events: [httpApi: GET /f] }\n  g: { handler: a.g, events: [httpApi: GET /g] }\n";
    let project = tiny(functions, code);
    let emu = Emu::start(project.path(), &[]);
    let answer = emu.get("/f").await;
    let trace = answer.headers["x-emu-trace-id"].to_str().expect("text");
    let wanted = format!("Root=1-{}-{};Parent=", &trace[..8], &trace[8..]);
    assert!(answer.text().starts_with(&wanted) && answer.text().ends_with(";Sampled=1"), "{}", answer.text());
    let failed = emu.get("/g").await;
    assert_eq!(failed.status, 500);
    trace_with(&emu, failed.headers["x-emu-trace-id"].to_str().expect("text"), "GET /g").await;
    drop(emu);
    let waterfall = run(project.path(), &["trace", "latest"]);
    for wanted in ["g cold ✗ TypeError: on purpose", "g failed: TypeError: on purpose", "a.mjs:2:"] {
        assert!(waterfall.contains(wanted), "{wanted}:\n{waterfall}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_shown_with_what_led_to_them() {
    let project = copy("limits");
    let emu = Emu::start(project.path(), &[]);
    let url = format!("{}/2015-03-31/functions/thrown/invocations", emu.aws);
    let answer = emu.send("POST", &url, &[("x-amz-invocation-type", "Event")], r#"{"n":1}"#).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let trace = answer.headers["x-emu-trace-id"].to_str().expect("text").to_owned();
    for ms in [60_000, 120_000] {
        emu.idle().await;
        emu.advance_ms(ms).await;
    }
    emu.idle().await;
    let letters = emu.send("GET", &format!("{}/emu/v1/dead-letters", emu.admin), &[], "").await.json();
    let letter = &letters["deadLetters"][0];
    assert_eq!(letters["deadLetters"].as_array().map(Vec::len), Some(1), "{letters}");
    assert_eq!(
        (&letter["target"], &letter["source"], &letter["attempts"], &letter["event"], &letter["trace"]),
        (&json!("function:thrown"), &json!("invoke"), &json!(3), &json!({ "n": 1 }), &json!(trace))
    );
    assert!(letter["reason"].as_str().is_some_and(|reason| reason.contains("failed 3 times")), "{letter}");
    assert!(letter["detail"].as_str().is_some_and(|detail| detail.contains("on purpose")), "{letter}");
    let trace = trace_with(&emu, &trace, r#""dead":"dead-letters""#).await;
    let drawn = drawn(&trace);
    let attempts = drawn.iter().filter(|row| row.trim_start() == "invoke → thrown").count();
    assert_eq!(attempts, 3, "{drawn:#?}");
    for (at, row) in drawn.iter().enumerate().filter(|(_, row)| row.trim_start() == "invoke → thrown") {
        assert_eq!(drawn[at + 1].trim_start(), "thrown for invoke", "each attempt has its own invocation: {row}: {drawn:#?}");
    }
    assert_eq!(drawn[..2], ["POST /2015-03-31/functions/thrown/invocations", "  lambda Invoke thrown"], "{drawn:#?}");
}
