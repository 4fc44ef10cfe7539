//! What the parts cost in the process: invocations, writes and reads. Repeat with `cargo bench`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use emu::base::{Call, Clock, Ids};
use emu::sandbox::{Bundle, FetchError, Host, Image, Input, Level, Module, Options, Sandbox};
use emu::services::tables::Tables;
use emu::store::{self, Db};
use emu::wire::aws::arn::Account;
use emu::wire::aws::dynamodb::Dynamodb;
use emu::wire::http::Body;
use futures_util::future::BoxFuture;
use serde_json::json;

struct Door;

impl Host for Door {
    fn now(&self) -> f64 {
        0.0
    }
    fn random(&self, into: &mut [u8]) {
        Ids::random().fill(into);
    }
    fn log(&self, _: Level, _: &str) {}
    fn sleep(&self, _: f64) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
    fn fetch(&self, _: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        Box::pin(async { Err(FetchError::Failed("nothing is there".into())) })
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("the system gives threads")
}

const HELLO: &str = "export const handler = async (event) => ({ statusCode: 200, body: JSON.stringify({ hello: event.name }) });";

async fn image(sandbox: &Sandbox, code: &str, warm: bool) -> Image {
    let module = Module::own("index.mjs", code, None);
    let bundle = Bundle {
        name: "hello".into(),
        modules: vec![module],
        entry: "index.mjs".into(),
        export: "handler".into(),
        environment: BTreeMap::new(),
        memory_mib: 128,
        isolation_warm: warm,
        keep: None,
    };
    sandbox.load(bundle, Arc::new(Door)).await.expect("the function loads")
}

fn invocations(criterion: &mut Criterion) {
    let runtime = runtime();
    let cache = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::new(Options::new(cache.path())).expect("the engine compiles");
    for (name, warm) in [("cold", false), ("warm", true)] {
        let image = runtime.block_on(image(&sandbox, HELLO, warm));
        criterion.bench_function(&format!("invocation/{name}"), |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                let context = Bytes::from_static(br#"{"deadlineMs":3000,"context":{"awsRequestId":"r","functionName":"hello"}}"#);
                let input = Input { event: Bytes::from_static(b"{\"name\":\"world\"}"), context, timeout_ms: 3_000 };
                image.invoke(Arc::new(Door), input).await.result.expect("it answers")
            });
        });
    }
    criterion.bench_function("start/engine from a warm cache", |bencher| {
        bencher.iter(|| Sandbox::new(Options::new(cache.path())).expect("the engine is read"));
    });
}

fn language(criterion: &mut Criterion) {
    let runtime = runtime();
    let cache = tempfile::tempdir().expect("a folder");
    let sandbox = Sandbox::new(Options::new(cache.path())).expect("the engine compiles");
    let image = runtime.block_on(image(&sandbox, include_str!("language.mjs"), true));
    for kind in ["calls", "properties", "classes", "lists", "texts", "json", "expressions", "errors", "promises"] {
        let event = Bytes::from(json!({ "kind": kind }).to_string());
        criterion.bench_function(&format!("language/{kind}"), |bencher| {
            bencher.to_async(&runtime).iter(|| async {
                let input = Input { event: event.clone(), context: Bytes::from_static(b"{}"), timeout_ms: 10_000 };
                image.invoke(Arc::new(Door), input).await.result.expect("it answers")
            });
        });
    }
}

fn tables(criterion: &mut Criterion) {
    let runtime = runtime();
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("state.db");
    let options = store::Options { path, clock: Clock::system(), ids: Ids::random(), ephemeral: false };
    let db = Db::open(options, &[&emu::services::tables::SCHEMA]).expect("a new database opens");
    db.set_interest(Box::new(|_, _| false));
    let dynamodb = Dynamodb::new(Tables::new(db), Account::local("us-east-1"));
    let key = |n: usize| json!({ "pk": { "S": format!("k{}", n % 1000) }, "sk": { "S": "s" } });
    let send = |operation: &'static str, body: String| {
        let dynamodb = dynamodb.clone();
        async move {
            let request = http::Request::post("/").header("x-amz-target", format!("DynamoDB_20120810.{operation}")).body(Body::from(body));
            let response = dynamodb.handle(&Call::operator(), request.expect("a request")).await;
            assert!(response.status().is_success(), "{operation}");
            black_box(response);
        }
    };
    let create = json!({
        "TableName": "items", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }, { "AttributeName": "sk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }, { "AttributeName": "sk", "KeyType": "RANGE" }],
    });
    runtime.block_on(send("CreateTable", create.to_string()));
    let mut n = 0;
    criterion.bench_function("tables/put 100 bytes, durable", |bencher| {
        bencher.to_async(&runtime).iter(|| {
            n += 1;
            let mut item = key(n);
            item["v"] = json!({ "S": "x".repeat(100) });
            send("PutItem", json!({ "TableName": "items", "Item": item }).to_string())
        });
    });
    criterion.bench_function("tables/get 100 bytes", |bencher| {
        bencher.to_async(&runtime).iter(|| {
            n += 1;
            send("GetItem", json!({ "TableName": "items", "Key": key(n) }).to_string())
        });
    });
}

criterion_group!(benches, invocations, language, tables);
criterion_main!(benches);
