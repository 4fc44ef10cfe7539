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
        1_700_000_000_000.5
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
        modules: vec![Module { path: "index.mjs".into(), code: code.into(), map: None, stable: false }],
        entry: "index.mjs".into(),
        export: "handler".into(),
        environment: [("NAME".to_string(), "value".to_string())].into(),
        memory_mib: 256,
        isolation_warm: false,
    };
    sandbox().load(bundle, Arc::new(World::default())).await.unwrap_or_else(|e| panic!("{e:?}\n{code}"))
}

async fn run(code: &str) -> (Value, Vec<(Level, String)>) {
    let image = load(code).await;
    let world = Arc::new(World::default());
    let input = Input { event: "{}".into(), context: json!({ "awsRequestId": "1" }), timeout_ms: 20_000 };
    let outcome = image.invoke(world.clone(), input).await;
    let lines = world.0.lock().expect("whole").clone();
    let result = match outcome.result {
        Ok(json) => serde_json::from_slice(&json).expect("JSON"),
        Err(failure) => json!({ "failure": format!("{failure:?}") }),
    };
    (result, lines)
}

/// Runs statements inside a handler, with `assert` at hand; they must end.
async fn check(code: &str) {
    let (imports, body): (Vec<&str>, Vec<&str>) = code.lines().partition(|line| line.trim_start().starts_with("import "));
    let code = format!(
        "import assert from 'node:assert/strict';\n{}\nexport const handler = async () => {{\n{}\nreturn 'ended' }}",
        imports.join("\n"),
        body.join("\n")
    );
    let (result, lines) = run(&code).await;
    assert_eq!(result, json!("ended"), "{code}\n{lines:?}");
}

#[test]
fn names_are_distinct_and_the_door_is_closed_last() {
    let mut names: Vec<_> = sources().iter().map(|(name, _)| *name).collect();
    assert_eq!(names.last(), Some(&"end"));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), sources().len());
}

#[tokio::test]
async fn scratch_files() {
    let mut bad = 0;
    for file in std::env::var("EMU_JS").unwrap_or_default().split_whitespace() {
        let code = std::fs::read_to_string(file).expect("readable");
        let now = std::time::Instant::now();
        let (result, lines) = run(&code).await;
        eprintln!("{file}: {result} {:?}", now.elapsed());
        if result.get("ok").is_none() || std::env::var("EMU_LINES").is_ok() {
            bad += 1;
            for (_, line) in lines {
                eprintln!("    {line}");
            }
        }
    }
    assert_eq!(bad, 0);
}
