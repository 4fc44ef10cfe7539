//! The parts of a bill are the whole, whatever they are added up by, on the dashboard and in `emu cost`: over a real run of the shop.

use std::path::Path;
use std::sync::Arc;

use emu::cost::{Book, Money, Provider, Range, Terms, Work, price, sum};
use emu::telemetry::Record;
use emu::telemetry::journal::{FILE_NAME, Query, Reader};
use emu::tui::{Billing, Tally};
use serde_json::{Value, json};

use crate::emu::{Emu, copy};
use crate::records::{run, sign_in};

fn list(work: &Work) -> Range {
    price(work, &Book::of(Provider::Aws), Terms::List).total()
}

/// An amount of 10⁻¹² dollars, as `emu cost --json` writes them.
fn pico(amount: &Value) -> i128 {
    let (whole, decimals) = amount.as_str().and_then(|text| text.split_once('.')).unwrap_or_else(|| panic!("no amount: {amount}"));
    format!("{whole}{decimals:0<12}").parse().unwrap_or_else(|_| panic!("no amount: {amount}"))
}

/// What `emu cost` says of AWS, all rows together, and how many rows there are.
fn told(project: &Path, by: &str) -> (i128, i128, i128) {
    let rows: Vec<Value> = serde_json::from_str(&run(project, &["cost", "--json", "--by", by])).expect("JSON");
    let totals: Vec<&Value> = rows.iter().map(|row| &row["providers"][0]["total"]).collect();
    let of = |end: &str| totals.iter().map(|total| pico(&total[end])).sum();
    (of("low"), of("high"), rows.len() as i128)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_are_the_whole_on_the_dashboard_and_in_emu_cost() {
    assert!(Path::new("fixtures/shop/node_modules").exists(), "run `make fixtures` first: fixtures/shop has no node_modules");
    let project = copy("shop");
    let emu = Emu::start(project.path(), &[]);
    let token = sign_in(&emu).await;
    let products = emu.dynamodb("Scan", json!({ "TableName": "shop-dev-products" })).await;
    let product = products["Items"].as_array().expect("items").iter().find(|item| item["stock"]["N"] != "0").expect("one in stock");
    let order = json!({ "items": [{ "productId": product["id"]["S"], "quantity": 1 }], "payment": "card" });
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    for _ in 0..3 {
        let answer = emu.send("POST", &format!("{}/orders", emu.http), &headers, order.to_string()).await;
        assert!(answer.status < 500, "{}", answer.text());
    }
    emu.idle().await;
    emu.get("/nothing").await;
    // The journal writes a little later, in order.
    emu.until("the last request in the journal", async || {
        let answer = emu.send("GET", &format!("{}/emu/v1/records", emu.admin), &[], "").await;
        answer.text().contains("/nothing").then_some(())
    })
    .await;
    drop(emu);

    let reader = Reader::open(&project.path().join(".emu").join(FILE_NAME)).expect("a journal");
    let records: Vec<Arc<Record>> =
        reader.records(&Query::default(), 100_000).expect("records").iter().filter_map(|row| row.record()).map(Arc::new).collect();
    let (mut tally, mut billing) = (Tally::default(), Billing::default());
    records.iter().for_each(|record| tally.add(record, &billing.take(record)));
    let whole = &tally.total.work;
    assert_eq!(sum(tally.functions.values().chain([&tally.nobody]).map(|sum| &sum.work)), *whole, "by function");
    assert_eq!(sum(tally.services.values().map(|sum| &sum.work)), *whole, "by service");
    assert_eq!(sum(tally.kinds.values().map(|sum| &sum.work).chain([&tally.under_way()])), *whole, "by kind of trace");
    assert!(tally.kinds.contains_key("POST /orders") && tally.kinds.contains_key("no route") && tally.functions.contains_key("payOrders"));

    let Range { low, high } = list(whole);
    assert!(high > Money::ZERO);
    let expected = [low, high].map(|money| pico(&json!(money)));
    for by in ["function", "service", "trace"] {
        let (low, high, rows) = told(project.path(), by);
        // Each row is rounded to 10⁻¹² dollars.
        assert!((low - expected[0]).abs() <= rows && (high - expected[1]).abs() <= rows, "by {by}: {low} {high}, not {expected:?}");
    }

    // What is kept is beside that, whatever the number of calls.
    let kept = |calls: &str| -> Value {
        let rows: Vec<Value> =
            serde_json::from_str(&run(project.path(), &["cost", "--json", "--monthly", calls, "--free-tier", "off"])).expect("JSON");
        rows.iter().find(|row| row["subject"] == "what is kept").expect("the shop keeps products and orders")["providers"][0]["lines"]
            .clone()
    };
    let lines = kept("1K");
    assert!(lines.to_string().contains("dynamodb-storage"), "{lines}");
    assert_eq!(lines, kept("1M"));
}
