//! What packages and functions find inside a sandbox: each row is JavaScript with its own assertions, run in a real one.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::sources;
use crate::sandbox::{Bundle, FetchError, Host, Image, Input, Level, Module, Options, Sandbox};

/// A host whose outside echoes what it is sent.
#[derive(Default)]
struct World(Mutex<Vec<(Level, String)>>);

impl Host for World {
    fn now(&self) -> f64 {
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs_f64() * 1000.0
    }

    fn random(&self, into: &mut [u8]) {
        crate::base::Ids::random().fill(into);
    }

    fn log(&self, level: Level, text: &str) {
        self.0.lock().expect("whole").push((level, text.to_owned()));
    }

    fn sleep(&self, ms: f64) -> BoxFuture<'static, ()> {
        tokio::time::sleep(Duration::from_micros((ms * 1000.0) as u64)).boxed()
    }

    fn fetch(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        async move {
            if request.uri().path() == "/missing" {
                return Err(FetchError::Failed("nobody answers".into()));
            }
            let (status, location) = if request.uri().path() == "/moved" { (302, "/landed") } else { (201, "") };
            let body = format!("{} {} {}", request.method(), request.uri(), String::from_utf8_lossy(request.body()));
            let mut answer = http::Response::builder()
                .status(status)
                .header("x-echo", request.headers().get("x-a").cloned().unwrap_or(http::HeaderValue::from_static("")));
            if status == 302 {
                answer = answer.header("location", location);
            }
            Ok(answer.body(Bytes::from(body)).expect("a whole response"))
        }
        .boxed()
    }
}

fn sandbox() -> Sandbox {
    static ONE: OnceLock<Sandbox> = OnceLock::new();
    let dir = std::env::temp_dir().join("emu-sandbox-tests");
    ONE.get_or_init(|| Sandbox::new(Options { sandboxes_max: 16, ..Options::new(dir) }).expect("the sandbox starts")).clone()
}

async fn load(code: &str) -> Image {
    let bundle = Bundle {
        name: "f".into(),
        modules: vec![Module::own("index.mjs", code, None)],
        entry: "index.mjs".into(),
        export: "handler".into(),
        environment: [
            ("NAME".to_string(), "value".to_string()),
            ("URL".to_string(), "http://outside.test".to_string()),
            ("AWS_ENDPOINT_URL".to_string(), "http://outside.test".to_string()),
            ("AWS_REGION".to_string(), "us-east-1".to_string()),
            ("AWS_ACCESS_KEY_ID".to_string(), "a".to_string()),
            ("AWS_SECRET_ACCESS_KEY".to_string(), "b".to_string()),
        ]
        .into(),
        memory_mib: 256,
        isolation_warm: false,
        keep: None,
    };
    sandbox().load(bundle, Arc::new(World::default())).await.unwrap_or_else(|e| panic!("{e:?}\n{code}"))
}

async fn run(code: &str) -> (Value, Vec<(Level, String)>) {
    let image = load(code).await;
    let world = Arc::new(World::default());
    let input = Input { event: "{}".into(), context: r#"{"context":{"awsRequestId":"1"}}"#.into(), timeout_ms: 20_000 };
    let outcome = image.invoke(world.clone(), input).await;
    let lines = world.0.lock().expect("whole").clone();
    let result = match outcome.result {
        Ok(json) => serde_json::from_slice(&json).expect("JSON"),
        Err(failure) => json!({ "failure": format!("{failure:?}") }),
    };
    (result, lines)
}

#[test]
fn names_are_distinct_and_the_door_is_closed_last() {
    let mut names: Vec<_> = sources().iter().map(|(name, _)| *name).collect();
    assert_eq!(names.last(), Some(&"end"));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), sources().len());
}

/// Runs a module whose handler asserts all by itself.
async fn check(code: &str) {
    let (result, lines) = run(code).await;
    assert_eq!(result["ok"], json!(true), "{result}\n{lines:?}");
}

#[tokio::test]
async fn the_quick_ways_of_the_engine_give_what_its_general_ones_do() {
    check(include_str!("tests/language.mjs")).await;
}

#[tokio::test]
async fn the_interfaces_of_the_web_are_there() {
    check(include_str!("tests/web.mjs")).await;
}

#[tokio::test]
async fn the_modules_of_node_are_there() {
    check(include_str!("tests/node.mjs")).await;
}

#[tokio::test]
async fn cryptography_and_asynchronous_scopes_are_there() {
    check(include_str!("tests/crypto.mjs")).await;
}

#[tokio::test]
async fn pictures_are_scaled_as_by_sharp() {
    check(include_str!("tests/sharp.mjs")).await;
}

/// Pictures are large and their work is long: it neither holds up others nor outlives who waits for it.
#[tokio::test]
async fn long_work_on_pictures_ends_with_the_function() {
    let image = load(
        "import sharp from 'sharp';
        export const handler = async () => {
          const big = { create: { width: 4000, height: 4000, channels: 3, background: 'red' } };
          await Promise.all(Array.from({ length: 500 }, () => sharp(big).blur(900).png().toBuffer()));
        };",
    )
    .await;
    let input = Input { event: "{}".into(), context: "{}".into(), timeout_ms: 300 };
    let began = std::time::Instant::now();
    let (outcome, ticks) = tokio::join!(image.invoke(Arc::new(World::default()), input), async {
        let mut ticks = 0;
        while began.elapsed() < Duration::from_millis(250) {
            tokio::time::sleep(Duration::from_millis(1)).await;
            ticks += 1;
        }
        ticks
    });
    assert!(matches!(outcome.result, Err(crate::sandbox::Failure::TimedOut { after_ms: 300 })), "{:?}", outcome.result);
    assert!(ticks > 5, "others waited: {ticks}");
    // The place that the work had is free again.
    let (result, lines) = run("import sharp from 'sharp';
        export const handler = async () => (await sharp({ create: { width: 2, height: 2, channels: 3, background: 'red' } }).png().toBuffer()).length > 0;")
    .await;
    assert_eq!(result, json!(true), "{lines:?}");
}

#[tokio::test]
async fn what_is_logged_looks_as_in_node() {
    let (_, lines) =
        run("export const handler = () => { console.log('a %s', 'b', { c: [1, 'd'] }); console.error(new Map([[1, 2]])); return null }")
            .await;
    assert_eq!(lines, [(Level::Info, "a b { c: [ 1, 'd' ] }".to_owned()), (Level::Error, "Map(1) { 1 => 2 }".to_owned())]);
}

#[tokio::test]
async fn a_callback_and_the_context_end_an_invocation_too() {
    for (handler, expected) in [
        ("(event, context, done) => { setTimeout(() => done(null, { a: 1 }), 1) }", json!({ "a": 1 })),
        ("(event, context) => context.succeed(2)", json!(2)),
        (
            "(event, context, done) => { context.callbackWaitsForEmptyEventLoop = false; setTimeout(() => {}, 60000); done(null, 3) }",
            json!(3),
        ),
        ("async () => undefined", json!(null)),
    ] {
        assert_eq!(run(&format!("export const handler = {handler};")).await.0, expected, "{handler}");
    }
    for (handler, part) in [
        ("(event, context, done) => done(new TypeError('no'))", "TypeError"),
        ("async () => { setTimeout(() => { throw new RangeError('late') }, 1); await new Promise(() => {}) }", "RangeError"),
        ("async () => { Promise.reject(new Error('lost')); await new Promise((r) => setTimeout(r, 50)) }", "UnhandledPromiseRejection"),
        ("async () => process.exit(1)", "process.exit(1)"),
    ] {
        let (result, _) = run(&format!("export const handler = {handler};")).await;
        assert!(result["failure"].as_str().is_some_and(|text| text.contains(part)), "{handler}: {result}");
    }
}
