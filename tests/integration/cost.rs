//! What it costs: `emu cost` over what was recorded, budgets under `emu exec`, and waste told while a project runs.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::emu::{EMU, Emu, copy};
use crate::records::sign_in;

fn emu(project: &Path, command: &str, arguments: &[&str]) -> Output {
    let project = project.display().to_string();
    let output = Command::new(EMU)
        .args([command, "--project", &project])
        .args(arguments)
        .env_remove("EMU_PROJECT")
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output();
    output.expect("emu runs")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The shop, stopped, after somebody registered, signed in and ordered.
async fn ordered() -> tempfile::TempDir {
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
    assert_eq!(answer.status, 201, "{}", answer.text());
    emu.idle().await;
    // The journal is written a moment later.
    emu.until("the worker's record", async || {
        let answer = emu.send("GET", &format!("{}/emu/v1/traces/{TRACE}", emu.admin), &[], "").await;
        let told = answer.text();
        (answer.status == 200 && told.contains(r#""function":"payOrders""#) && told.contains(r#""target":"payOrders""#)).then_some(())
    })
    .await;
    drop(emu);
    project
}

/// An amount in dollars, of the most, in millionths of a millionth.
fn pico(amount: &Value) -> u128 {
    let text = amount["high"].as_str().unwrap_or_else(|| panic!("{amount}"));
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    format!("{whole}{decimals:0<12}").parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkout_is_priced_by_route_function_and_service_at_every_provider() {
    let project = ordered().await;
    let cost = |arguments: &[&str]| out(&emu(project.path(), "cost", arguments));
    let cost_json = |arguments: &[&str]| -> Value {
        let text = cost(&[arguments, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    };
    let read_out = |quoted: &Value| quoted["providers"].as_array().expect("providers").clone();

    // One order is one bill, with what it set off by the queue.
    let one = cost_json(&["--trace", TRACE]);
    let [order] = one.as_array().expect("kinds").as_slice() else { panic!("{one}") };
    assert_eq!((&order["subject"], &order["calls"], &order["recorded"]), (&json!("POST /orders"), &json!(1), &json!(1)));
    let providers = read_out(order);
    let names: Vec<&str> = providers.iter().filter_map(|bill| bill["provider"].as_str()).collect();
    assert_eq!(names, ["aws", "aws-arm", "firebase", "gcp", "cloudflare", "azure"]);
    for bill in &providers {
        let lines: u128 = bill["lines"].as_array().expect("lines").iter().map(|line| pico(&line["amount"])).sum();
        let groups: u128 = bill["groups"].as_object().expect("groups").values().map(pico).sum();
        assert!(pico(&bill["total"]) > 0 && pico(&bill["total"]).abs_diff(lines) < 100 && lines.abs_diff(groups) < 100, "{bill}");
        assert!(bill["date"].as_str().is_some_and(|date| date.starts_with("20")), "{bill}");
    }
    let line = |bill: &Value, key: &str| -> Value {
        let found = bill["lines"].as_array().expect("lines").iter().find(|line| line["key"] == key);
        found.unwrap_or_else(|| panic!("{key}: {bill}")).clone()
    };
    // The function that took the order and the one that paid for it.
    assert_eq!(line(&providers[0], "lambda-requests")["quantity"], json!(["2", "2"]));

    // A million of them is a million times as much, where all is counted.
    let million = cost_json(&["--trace", TRACE, "--per", "1M"]);
    let each = |of: &Value| pico(&line(&read_out(&of[0])[0], "lambda-requests")["amount"]);
    assert_eq!((each(&million), &million[0]["calls"]), (each(&one) * 1_000_000, &json!(1_000_000)));
    let text = cost(&["--trace", TRACE, "--per", "1M"]);
    assert!(text.starts_with("POST /orders: 1M calls at list prices\n"), "{text}");
    for wanted in ["AWS", "Firebase", "Workers", "Azure", "Functions' time is estimated, all else counted:", "List prices of 20"] {
        assert!(text.contains(wanted), "{wanted}:\n{text}");
    }

    // A month has allowances, which only make it cheaper.
    let month = |free: &str| cost_json(&["--trace", TRACE, "--monthly", "3M", "--free-tier", free]);
    let (free, full) = (month("on"), month("off"));
    for (free, full) in read_out(&free[0]).iter().zip(read_out(&full[0])) {
        assert!(pico(&free["total"]) <= pico(&full["total"]), "{free}");
    }
    assert!(pico(&read_out(&free[0])[0]["total"]) < pico(&read_out(&full[0])[0]["total"]));
    assert!(cost(&["--trace", TRACE, "--monthly", "3M", "--free-tier", "on"]).contains("3M calls a month, with what is free"));

    // Whatever it is divided by, the whole is the same.
    for provider in names {
        for scale in [&[][..], &["--per", "1M"], &["--monthly", "1M", "--free-tier", "on"]] {
            let whole = ["trace", "function", "service"].map(|by| {
                let told = cost_json(&[&["--provider", provider, "--by", by], scale].concat());
                let parts: u128 = told["parts"].as_array().expect("parts").iter().map(|part| pico(&part["total"])).sum();
                assert!(parts.abs_diff(pico(&told["total"])) < 1_000, "{told}");
                pico(&told["total"])
            });
            // What is scaled is rounded up to whole units, part by part.
            let rounded = if scale.is_empty() { 0 } else { whole[0] / 1_000_000 };
            assert!(whole.iter().all(|total| total.abs_diff(whole[0]) < 1_000 + rounded), "{provider} {scale:?}: {whole:?}");
        }
    }
    let functions = cost(&["--provider", "aws", "--by", "function"]);
    for wanted in ["register", "verify", "login", "createOrder", "payOrders", "no function", "total", "share"] {
        assert!(functions.contains(wanted), "{wanted}:\n{functions}");
    }
    let services = cost(&["--provider", "aws", "--by", "service"]);
    for wanted in ["dynamodb", "sqs", "functions", "gateway", "triggers"] {
        assert!(services.contains(&format!("\n{wanted} ")), "{wanted}:\n{services}");
    }
    let routes = cost(&["--provider", "aws"]);
    for wanted in ["POST /register", "GET /verify", "POST /login", "POST /orders"] {
        assert!(routes.contains(wanted), "{wanted}:\n{routes}");
    }

    // A file of one's own prices holds.
    let ours = project.path().join("ours.yaml");
    std::fs::write(&ours, "provider: aws\nitems: {lambda-requests: {price: \"1\"}}\n").expect("a file");
    let dearer = cost_json(&["--trace", TRACE, "--file", &ours.display().to_string()]);
    assert!(each(&dearer) > each(&one), "{dearer}");
    let missing = emu(project.path(), "cost", &["--trace", "beef"]);
    assert!(!missing.status.success() && err(&missing).contains("has no trace `beef`"), "{}", err(&missing));
    let unknown = emu(project.path(), "cost", &["--provider", "ibm"]);
    assert!(!unknown.status.success() && err(&unknown).contains("there is no provider `ibm`"), "{}", err(&unknown));
}

const YAML: &str = "service: tiny
provider:
  name: aws
  runtime: nodejs22.x
  memorySize: 1024
  environment: { POSTS: !Ref Posts, ORDERS: !Ref Orders, LOOP: !Ref Loop }
functions:
  feed: { handler: functions/feed.handler, events: [httpApi: GET /feed] }
  order: { handler: functions/order.handler, events: [httpApi: POST /orders] }
  pay: { handler: functions/pay.handler, events: [sqs: !GetAtt Orders.Arn] }
  count: { handler: functions/count.handler, events: [httpApi: GET /count] }
  again: { handler: functions/again.handler, events: [stream: !GetAtt Loop.StreamArn] }
resources:
  Resources:
    Posts:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: posts
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{ AttributeName: author, AttributeType: S }, { AttributeName: at, AttributeType: N }]
        KeySchema: [{ AttributeName: author, KeyType: HASH }, { AttributeName: at, KeyType: RANGE }]
    Loop:
      Type: AWS::DynamoDB::Table
      Properties:
        TableName: loop
        BillingMode: PAY_PER_REQUEST
        AttributeDefinitions: [{ AttributeName: id, AttributeType: S }]
        KeySchema: [{ AttributeName: id, KeyType: HASH }]
        StreamSpecification: { StreamViewType: NEW_IMAGE }
    Orders: { Type: AWS::SQS::Queue, Properties: { QueueName: orders } }
";

const HEAD: &str = "import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
const db = DynamoDBDocumentClient.from(new DynamoDBClient({}));
const sqs = new SQSClient({});
const TableName = process.env.POSTS;
";

/// The feed with a limit on its seventh line and later.
fn feed(limit: &str) -> String {
    format!(
        "{HEAD}export const handler = async () => {{
  const asked = {{ TableName, KeyConditionExpression: 'author = :a', ExpressionAttributeValues: {{ ':a': 'ada' }}{limit} }};
  const {{ Items }} = await db.send(new QueryCommand(asked));
  return {{ statusCode: 200, body: String(Items.length) }};
}};
"
    )
}

/// A project with 201 posts by one author, 40 of them muted.
fn tiny(more: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    write("serverless.yaml", &format!("{YAML}emu:\n  seed: seed\n{more}"));
    write("functions/feed.mjs", &feed(", Limit: 21"));
    let order = "export const handler = async () => {
  await db.send(new PutCommand({ TableName, Item: { author: 'order', at: 1 } }));
  await sqs.send(new SendMessageCommand({ QueueUrl: process.env.ORDERS, MessageBody: '{}' }));
  return { statusCode: 201 };
};
";
    write("functions/order.mjs", &format!("{HEAD}{order}"));
    let pay = "export const handler = async () => {
  for (let at = 0; at < 12; at += 1) await db.send(new GetCommand({ TableName, Key: { author: 'ada', at } }));
};
";
    write("functions/pay.mjs", &format!("{HEAD}{pay}"));
    let count = "export const handler = async () => {
  const asked = { TableName, FilterExpression: 'muted = :m', ExpressionAttributeValues: { ':m': true } };
  return { statusCode: 200, body: String((await db.send(new ScanCommand(asked))).Count) };
};
";
    write("functions/count.mjs", &format!("{HEAD}{count}"));
    let again = "export const handler = async (event) => {
  const n = Number(event.Records[0].dynamodb.NewImage.n.N);
  await db.send(new PutCommand({ TableName: process.env.LOOP, Item: { id: 'x', n: n + 1 } }));
};
";
    write("functions/again.mjs", &format!("{HEAD}{again}"));
    let posts: Vec<Value> = (0..201).map(|at| json!({ "author": "ada", "at": at, "muted": at < 40 })).collect();
    write("seed/tables/posts.json", &Value::Array(posts).to_string());
    folder
}

fn exec(project: &Path, arguments: &[&str], script: &str) -> Output {
    emu(project, "exec", &[arguments, &["--", "sh", "-ec", script]].concat())
}

const FEED: &str = "curl -sf $EMU_URL/feed; curl -sf $EMU_URL/feed";
const ORDER: &str = "curl -sf -X POST $EMU_URL/orders";

#[test]
fn a_route_dearer_than_its_budget_fails_the_run_with_what_its_events_cost() {
    let project = tiny("  budget: { 'POST /orders': 0.000002, pay: 1, GET /count: 1 }\n");
    // Two writes, a message, two functions and twelve reads by the second: more than two dollars a million.
    let output = exec(project.path(), &[], ORDER);
    let said = err(&output);
    assert_eq!(output.status.code(), Some(123), "{said}");
    assert!(said.contains("error: POST /orders: $0.00") && said.contains(" a call is more than its budget of $0.000002\n"), "{said}");
    assert!(said.contains("GetItem of `posts` at functions/pay.mjs:8\n"), "the reads of the second function:\n{said}");
    assert!(said.contains("warning: the budget of `GET /count` was not tried: nothing of that name ran"), "{said}");
    assert!(!said.contains("pay:"), "{said}");

    // The command line goes before the file.
    let kept = exec(project.path(), &["--budget", "post /orders<=0.5"], ORDER);
    assert_eq!(kept.status.code(), Some(0), "{}", err(&kept));
    let function = exec(project.path(), &["--budget", "POST /orders<=0.5", "--budget", "pay <= $0"], ORDER);
    assert_eq!(function.status.code(), Some(123), "{}", err(&function));
    assert!(err(&function).contains("error: pay: $0.00"), "{}", err(&function));
    // The command's own code says more than ours.
    let failed = exec(project.path(), &[], &format!("{ORDER}; exit 7"));
    assert_eq!(failed.status.code(), Some(7), "{}", err(&failed));
    assert!(err(&failed).contains("is more than its budget"), "{}", err(&failed));
    let wrong = exec(project.path(), &["--budget", "POST /orders"], ORDER);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(err(&wrong).contains("write WHAT<=DOLLARS"), "{}", err(&wrong));
}

#[test]
fn what_grew_since_the_baseline_is_told_with_its_place() {
    let project = tiny("");
    let file = project.path().join("costs.json");
    let name = file.display().to_string();
    // Where documents are paid for by the piece.
    let compare = |more: &[&str], script: &str| {
        exec(project.path(), &[&["--budget-provider", "firebase", "--budget-baseline", &name], more].concat(), script)
    };
    let missing = exec(project.path(), &["--budget-baseline", &name], FEED);
    assert_eq!(missing.status.code(), Some(125), "{}", err(&missing));
    assert!(err(&missing).contains("there is no baseline") && err(&missing).contains("--budget-write"), "{}", err(&missing));

    let failed = exec(project.path(), &["--budget-write", &name], "false");
    assert!(!file.exists() && err(&failed).contains("was not written: the command failed"), "{}", err(&failed));
    out(&exec(project.path(), &["--budget-write", &name], FEED));
    let written = std::fs::read_to_string(&file).expect("a baseline");
    let baseline: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(baseline["calls"]["GET /feed"]["table-items-read"], "21", "{baseline}");
    assert!(baseline["calls"]["feed"].is_object() && !written.contains("micros"), "{baseline}");
    out(&compare(&["--budget-write", &name], FEED));
    assert_eq!(std::fs::read_to_string(&file).expect("a baseline"), written, "the same work is the same to the byte");

    std::fs::write(project.path().join("functions/feed.mjs"), feed("")).expect("a file");
    let grown = compare(&["--budget-write", &name], FEED);
    let said = err(&grown);
    assert_eq!(grown.status.code(), Some(123), "{said}");
    assert!(said.contains("\n  GET /feed: 21 → 201 document reads: Query of `posts` without a limit at functions/feed.mjs:9\n"), "{said}");
    assert!(said.contains("\n  feed: 21 → 201 document reads: "), "{said}");
    assert!(said.contains("was not written: something costs more than it may"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).expect("a baseline"), written);

    let tolerated = compare(&["--budget-tolerance", "100000%"], FEED);
    assert_eq!(tolerated.status.code(), Some(0), "{}", err(&tolerated));
    let other = compare(&[], ORDER);
    assert_eq!(other.status.code(), Some(0), "{}", err(&other));
    assert!(err(&other).contains("of the baseline, `GET /feed`, `feed` did not run this time"), "{}", err(&other));
    // Accepted: what it costs now is the baseline from now on.
    out(&exec(project.path(), &["--budget-write", &name], FEED));
    out(&compare(&[], FEED));
}

#[tokio::test(flavor = "multi_thread")]
async fn waste_is_a_problem_with_its_price_told_once() {
    let project = tiny("");
    let emu = Emu::start(project.path(), &[]);
    for _ in 0..11 {
        assert_eq!(emu.get("/count").await.text(), "40");
    }
    assert_eq!(emu.send("POST", &format!("{}/orders", emu.http), &[], "").await.status, 201);
    emu.dynamodb("PutItem", json!({ "TableName": "loop", "Item": { "id": { "S": "x" }, "n": { "N": "0" } } })).await;
    emu.idle().await;
    let problems = || -> Vec<Value> {
        let lines = emu.log();
        lines.lines().filter_map(|line| serde_json::from_str(line).ok()).filter(|line: &Value| line["type"] == "problem").collect()
    };
    let said = |problem: &Value| problem["message"].as_str().expect("a message").to_owned();
    let wanted = ["`count`: Scan of `posts` filters by `muted`", "`pay` sent GetItem to `posts` 12 times", "`count` used ", "is a loop: "];
    emu.until("every finding", async || {
        let told = problems();
        wanted.iter().all(|wanted| told.iter().any(|problem| said(problem).contains(wanted))).then_some(())
    })
    .await;
    let told = problems();
    let find = |wanted: &str| -> &Value {
        let found: Vec<&Value> = told.iter().filter(|problem| said(problem).contains(wanted)).collect();
        assert_eq!(found.len(), 1, "{wanted}: {found:?}");
        found[0]
    };
    let scan = find(wanted[0]);
    assert!(said(scan).contains("it read 201 items to give 40 ($") && said(scan).ends_with(" per 1M calls)"), "{scan}");
    assert_eq!(scan["place"], "functions/count.mjs:9");
    assert!(scan["help"].as_str().is_some_and(|help| help.starts_with("add an index whose key is `muted`")), "{scan}");
    assert_eq!((&find(wanted[1])["place"], &find(wanted[1])["level"]), (&json!("functions/pay.mjs:8"), &json!("WARN")));
    let memory = find(wanted[2]);
    assert!(said(memory).contains(" of 1024 MiB at most; `memorySize: ") && said(memory).contains(" would save ($"), "{memory}");
    assert_eq!(memory["level"], "INFO");
    let circle = find(wanted[3]);
    assert!(
        said(circle).starts_with("again → table loop → again is a loop: stopped after 1") && said(circle).ends_with(" an hour)"),
        "{circle}"
    );
    // Who looks has the journal written; what is killed here is not asked to end.
    assert_eq!(emu.send("GET", &format!("{}/emu/v1/records?follow=false", emu.admin), &[], "").await.status, 200);
    drop(emu);

    let logs = out(&self::emu(project.path(), "logs", &[]));
    for wanted in wanted {
        assert_eq!(logs.matches(wanted).count(), 1, "{wanted}:\n{logs}");
    }
}
