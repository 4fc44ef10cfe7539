//! What a function's author, and everybody beside, may rely on.

mod copies;
mod layers;
mod limits;
mod versions;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::*;
use layers::{layer_files, with_dependencies};

/// A host with the machine's time and sleep, counted randomness, and an outside that answers with the path it was asked for.
#[derive(Default)]
struct World {
    lines: std::sync::Mutex<Vec<(Level, String)>>,
    drawn: AtomicU64,
}

impl Host for World {
    fn now(&self) -> f64 {
        1_700_000_000_000.5
    }

    fn random(&self, into: &mut [u8]) {
        crate::base::Ids::random().fill(into);
        self.drawn.fetch_add(into.len() as u64, Ordering::Relaxed);
    }

    fn log(&self, level: Level, text: &str) {
        self.lines.lock().expect("whole").push((level, text.to_owned()));
    }

    fn sleep(&self, ms: f64) -> BoxFuture<'static, ()> {
        tokio::time::sleep(Duration::from_micros((ms * 1000.0) as u64)).boxed()
    }

    fn fetch(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        async move {
            if request.uri().host() == Some("denied.test") {
                return Err(FetchError::Denied { host: "denied.test".into() });
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
            Ok(http::Response::new(Bytes::from(format!("{} {}", request.method(), request.uri().path()))))
        }
        .boxed()
    }
}

fn sandbox() -> Sandbox {
    static ONE: OnceLock<Sandbox> = OnceLock::new();
    let dir = std::env::temp_dir().join("emu-sandbox-tests");
    ONE.get_or_init(|| Sandbox::new(Options { sandboxes_max: 64, ..Options::new(dir) }).expect("the sandbox starts")).clone()
}

fn bundle(code: &str) -> Bundle {
    Bundle {
        name: "f".into(),
        modules: vec![Module::own("index.mjs", code, None)],
        entry: "index.mjs".into(),
        export: "handler".into(),
        environment: [("NAME".to_string(), "value".to_string())].into(),
        memory_mib: 128,
        isolation_warm: false,
        keep: None,
    }
}

fn input(event: Value) -> Input {
    Input { event: event.to_string().into(), context: r#"{"context":{"awsRequestId":"1"}}"#.into(), timeout_ms: 60_000 }
}

async fn load(code: &str) -> Image {
    sandbox().load(bundle(code), Arc::new(World::default())).await.expect("the bundle loads")
}

async fn call(image: &Image, event: Value) -> Result<Value, Failure> {
    let outcome = image.invoke(Arc::new(World::default()), input(event)).await;
    outcome.result.map(|json| serde_json::from_slice(&json).expect("JSON"))
}

#[tokio::test]
async fn a_handler_gets_the_event_and_gives_the_result() {
    let image = load(
        "export const handler = async (event, context) => ({ sum: event.a + event.b, id: context.awsRequestId, env: process.env.NAME })",
    )
    .await;
    assert!(image.is_evaluated());
    assert_eq!(call(&image, json!({ "a": 1, "b": 2 })).await, Ok(json!({ "sum": 3, "id": "1", "env": "value" })));
}

async fn fails(code: &str, timeout_ms: u64) -> Failure {
    let image = load(code).await;
    let outcome = image.invoke(Arc::new(World::default()), Input { timeout_ms, ..input(json!({})) }).await;
    outcome.result.expect_err("the invocation fails")
}

fn thrown(failure: Failure) -> (String, String) {
    match failure {
        Failure::Thrown { kind, message, .. } => (kind, message),
        other => panic!("expected something thrown, got {other:?}"),
    }
}

async fn refused(code: &str) -> LoadError {
    sandbox().load(bundle(code), Arc::new(World::default())).await.map(|_| ()).expect_err("the bundle does not load")
}

#[tokio::test]
async fn what_is_awaited_together_happens_at_once() {
    let sleeps = load("export const handler = async () => { await Promise.all(Array.from({ length: 10 }, () => new Promise((r) => setTimeout(r, 60)))); return 1 }").await;
    let fetches = load("export const handler = async () => (await Promise.all(Array.from({ length: 10 }, async (_, i) => (await fetch('http://a.test/' + i)).text()))).length").await;
    for (image, expected) in [(sleeps, 1), (fetches, 10)] {
        let began = Instant::now();
        assert_eq!(call(&image, json!({})).await, Ok(json!(expected)));
        assert!(began.elapsed() < Duration::from_millis(250), "{:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_request_that_is_not_allowed_says_what_to_add() {
    let failure = fails("export const handler = async () => { await fetch('http://denied.test/') }", 1_000).await;
    let (_, message) = thrown(failure);
    assert!(message.contains("denied.test") || message.contains("fetch failed"), "{message}");
}

#[tokio::test]
async fn a_handler_that_nothing_can_settle_answers_null() {
    let image = load("export const handler = () => new Promise(() => {})").await;
    assert_eq!(call(&image, json!({})).await, Ok(Value::Null));
}

#[tokio::test]
async fn rejections_that_nobody_handles_end_the_invocation() {
    let failure = fails("export const handler = async () => { Promise.reject(new TypeError('lost')); await new Promise((r) => setTimeout(r, 50)); return 1 }", 1_000).await;
    assert_eq!(thrown(failure), ("Runtime.UnhandledPromiseRejection".into(), "TypeError: lost".into()));
}

#[tokio::test]
async fn the_asynchronous_scope_follows_await() {
    let image = load(
        "import { AsyncLocalStorage } from 'node:async_hooks';
         const storage = new AsyncLocalStorage();
         const work = async (n) => { await null; await new Promise((r) => setTimeout(r, 5 * n)); return storage.getStore(); };
         export const handler = async () => [await Promise.all([1, 2, 3].map((n) => storage.run(n, () => work(n)))), storage.getStore() ?? null];",
    )
    .await;
    assert_eq!(call(&image, json!({})).await, Ok(json!([[1, 2, 3], null])));
}

#[tokio::test]
async fn errors_show_the_line_of_the_source() {
    // Generated line 2, column 1 and on ↔ src/shop.ts:7:3.
    let map = r#"{"version":3,"sources":["../src/shop.ts"],"names":[],"mappings":";AAME"}"#;
    let code = "const fail = () => {\nthrow new RangeError('too many');\n};\nexport const handler = async () => fail();";
    let mut shop = bundle(code);
    shop.modules[0].map = Some(map.into());
    let image = sandbox().load(shop.clone(), Arc::new(World::default())).await.expect("the bundle loads");
    let outcome = image.invoke(Arc::new(World::default()), input(json!({}))).await;
    let Err(Failure::Thrown { kind, message, stack }) = outcome.result else { panic!("it throws") };
    assert_eq!((kind.as_str(), message.as_str()), ("RangeError", "too many"));
    assert!(stack.iter().any(|line| line.contains("fail") && line.contains("src/shop.ts:7:3")), "{stack:?}");
    shop.modules[0].code = "const a = 1;\nthrow new Error('at load');".into();
    let Err(LoadError::Thrown { message, stack, .. }) = sandbox().load(shop, Arc::new(World::default())).await.map(|_| ()) else {
        panic!("it throws")
    };
    assert_eq!(message, "at load");
    assert!(stack.iter().any(|line| line.contains("src/shop.ts:7:3")), "{stack:?}");
}

#[tokio::test]
async fn a_bundle_that_cannot_be_a_version_says_why() {
    let LoadError::Thrown { kind, stack, .. } = refused("export const handler = () => {\n  let = ;\n}").await else {
        panic!("a syntax error")
    };
    assert_eq!(kind, "SyntaxError");
    assert!(stack.iter().any(|line| line.contains("index.mjs:2:")), "{stack:?}");
    let LoadError::Thrown { message, .. } = refused("import 'left-pad'; export const handler = () => 1").await else {
        panic!("a missing module")
    };
    assert!(message.contains("left-pad"), "{message}");
    let missing = refused("export const hander = () => 1; export const other = 2").await;
    assert_eq!(missing, LoadError::MissingExport { export: "handler".into(), found: vec!["hander".into(), "other".into()] });
    let LoadError::Thrown { message, .. } = refused("import { nothing } from 'node:timers'; export const handler = () => nothing").await
    else {
        panic!("a missing name")
    };
    assert!(message.contains("nothing"), "{message}");
    assert_eq!(refused("await new Promise(() => {}); export const handler = 1").await, LoadError::NeverEnds);
    let failed = refused("const a = []; for (;;) a.push(new Uint8Array(1 << 20)); export const handler = 1").await;
    assert_eq!(failed, LoadError::OutOfMemory { memory_mib: 128 });
    let other = Bundle { entry: "other.mjs".into(), ..bundle("") };
    let missing = sandbox().load(other, Arc::new(World::default())).await.map(|_| ());
    assert_eq!(missing, Err(LoadError::MissingEntry { entry: "other.mjs".into() }));
}

#[tokio::test]
async fn the_host_environment_is_not_there() {
    let image = load("export const handler = async () => [Object.keys(process.env), typeof __emu]").await;
    assert_eq!(call(&image, json!({})).await, Ok(json!([["NAME"], "undefined"])));
}

/// Prints what an invocation costs: `cargo nextest run --lib --release sandbox::tests::print_costs --run-ignored all --no-capture`.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "prints measurements"]
#[allow(clippy::print_stdout, reason = "printing is its purpose")]
async fn print_costs() {
    let dir = std::env::temp_dir().join("emu-sandbox-tests");
    drop(sandbox());
    let began = Instant::now();
    let sandbox = Sandbox::new(Options { sandboxes_max: 64, ..Options::new(dir) }).expect("the sandbox starts");
    println!("new sandbox, warm cache: {:?}", began.elapsed());
    let code = "const table = []; for (let i = 0; i < 20000; i++) table.push({ i }); export const handler = async (event) => ({ ...event, n: table.length })";
    let began = Instant::now();
    let image = sandbox.load(bundle(code), Arc::new(World::default())).await.expect("it loads");
    println!("load (20,000 objects): {:?}, image {} KiB", began.elapsed(), image.bytes() >> 10);
    let began = Instant::now();
    let warm = sandbox.load(Bundle { isolation_warm: true, ..bundle(code) }, Arc::new(World::default())).await.expect("it loads");
    println!("load again: {:?}", began.elapsed());
    let vendor: String = (0..1_000)
        .map(|n| {
            format!("export const f{n} = (a) => {{ const b = a + {n}; {} return b * {n}; }};\n", "if (a > b) a -= Math.sqrt(b);".repeat(20))
        })
        .collect();
    let kept = tempfile::tempdir().expect("a directory");
    for (process, names) in [("first", ["a", "b", "c"]), ("second", ["a", "b", "c"])] {
        let sandbox = Sandbox::new(Options { sandboxes_max: 64, ..Options::new(kept.path()) }).expect("the sandbox starts");
        for name in names {
            let bundle = with_dependencies(name, &[("NAME", name)], &vendor, "deps.f7(1)");
            let began = Instant::now();
            let image = sandbox.load(bundle, Arc::new(World::default())).await.expect("it loads");
            println!(
                "load with {} KiB of dependencies, {process} process, {name}: {:?}, image {} KiB",
                vendor.len() >> 10,
                began.elapsed(),
                image.bytes() >> 10
            );
        }
        while layer_files(kept.path()).is_empty() {
            tokio::task::yield_now().await;
        }
    }
    for (name, image) in [("cold", image), ("warm", warm)] {
        let mut times: Vec<(u64, u64)> = Vec::new();
        for _ in 0..3_000 {
            let began = Instant::now();
            let outcome = image.invoke(Arc::new(World::default()), input(json!({ "a": 1 }))).await;
            assert!(outcome.result.is_ok());
            times.push((began.elapsed().as_nanos() as u64 / 1000, outcome.cpu_micros));
        }
        let mut wall: Vec<u64> = times.iter().map(|t| t.0).collect();
        let mut cpu: Vec<u64> = times.iter().map(|t| t.1).collect();
        wall.sort_unstable();
        cpu.sort_unstable();
        println!("{name}: wall p50 {} µs, p99 {} µs; guest p50 {} µs", wall[1500], wall[2970], cpu[1500]);
    }
}
