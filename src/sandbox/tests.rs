//! What a function's author, and everybody beside, may rely on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::*;

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
    static ONE: std::sync::OnceLock<Sandbox> = std::sync::OnceLock::new();
    let dir = std::env::temp_dir().join("emu-sandbox-tests");
    ONE.get_or_init(|| Sandbox::new(Options { sandboxes_max: 64, ..Options::new(dir) }).expect("the sandbox starts")).clone()
}

fn bundle(code: &str) -> Bundle {
    Bundle {
        name: "f".into(),
        modules: vec![Module { path: "index.mjs".into(), code: code.into(), map: None, stable: false }],
        entry: "index.mjs".into(),
        export: "handler".into(),
        environment: [("NAME".to_string(), "value".to_string())].into(),
        memory_mib: 128,
        isolation_warm: false,
    }
}

fn input(event: Value) -> Input {
    Input { event: event.to_string().into(), context: json!({ "awsRequestId": "1" }), timeout_ms: 5_000 }
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
