//! Components, run.

use std::sync::Mutex;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::super::FetchError;
use super::program::{Prints, program};
use super::sample::{Does, component};
use super::*;

#[derive(Default)]
struct World(Mutex<Vec<String>>);

impl Host for World {
    fn now(&self) -> f64 {
        1_700_000_000_000.0
    }

    fn random(&self, into: &mut [u8]) {
        into.fill(7);
    }

    fn log(&self, _level: Level, text: &str) {
        self.0.lock().expect("whole").push(text.to_owned());
    }

    fn sleep(&self, _ms: f64) -> BoxFuture<'static, ()> {
        futures_util::future::ready(()).boxed()
    }

    fn fetch(&self, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        futures_util::future::ready(Ok(http::Response::new(request.into_body()))).boxed()
    }
}

fn components(dir: &std::path::Path) -> Components {
    Components::new(&Options { sandboxes_max: 4, ..Options::new(dir) }).expect("the machine is set up")
}

fn settings(memory_mib: u32) -> Settings {
    Settings { environment: BTreeMap::new(), memory_mib }
}

async fn answer(component: &Component, timeout_ms: u64) -> Answer {
    let request = http::Request::get("http://a.test/").body(Bytes::new()).expect("a request");
    component.invoke(Arc::new(World::default()), request, timeout_ms).await
}

#[tokio::test]
async fn a_component_answers_a_request_also_from_the_cache() {
    let dir = tempfile::tempdir().expect("a directory");
    for attempt in ["compiled", "from the cache"] {
        let component = components(dir.path()).load(&component(&Does::Responds(207)), settings(16)).expect("it loads");
        let answer = answer(&component, 5_000).await;
        assert_eq!(answer.result.expect(attempt).status(), 207);
        assert_eq!(answer.memory_peak_bytes, 65_536, "{attempt}");
        assert!(component.bytes() > 0);
        let kept = std::fs::read_dir(dir.path())
            .expect("the cache")
            .flatten()
            .filter(|file| file.path().extension().is_some_and(|e| e == "cwasm"));
        assert_eq!(kept.count(), 1, "{attempt}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_component_that_never_ends_is_stopped_at_its_timeout() {
    let dir = tempfile::tempdir().expect("a directory");
    let component = components(dir.path()).load(&component(&Does::LoopsForEver), settings(16)).expect("it loads");
    let answer = answer(&component, 200).await;
    assert_eq!(answer.result.expect_err("it is stopped"), Failure::TimedOut { after_ms: 200 });
    assert!(answer.cpu_micros > 20_000, "{} µs", answer.cpu_micros);
}

#[tokio::test]
async fn a_component_has_no_more_memory_than_it_may() {
    let dir = tempfile::tempdir().expect("a directory");
    let components = components(dir.path());
    // 255 pages and the one that it has are 16 MiB.
    let fits = components.load(&component(&Does::Grows(255)), settings(16)).expect("it loads");
    let fits = answer(&fits, 5_000).await;
    assert_eq!(fits.memory_peak_bytes, 16 << 20);
    assert_eq!(fits.result.expect_err("no response"), Failure::Exited { message: "the component ended without a response".into() });
    let exceeds = components.load(&component(&Does::Grows(256)), settings(16)).expect("it loads");
    assert_eq!(answer(&exceeds, 5_000).await.result.expect_err("too much"), Failure::OutOfMemory { memory_mib: 16 });
}

#[tokio::test]
async fn a_component_without_a_response_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let component = components(dir.path()).load(&component(&Does::ReturnsNothing), settings(16)).expect("it loads");
    let failed = answer(&component, 5_000).await.result.expect_err("no response");
    assert_eq!(failed, Failure::Exited { message: "the component ended without a response".into() });
}

#[test]
fn what_is_no_component_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().expect("a directory");
    let components = components(dir.path());
    let library = program(Prints { start: "add", ..Prints::default() });
    for (bytes, reason) in [
        (&b"not wasm"[..], "wasi:http/incoming-handler"),
        (b"\0asm\x0d\0\x01\0", "wasi:http/incoming-handler"),
        (b"\0asm\x01\0\0\0", "it exports no function `_start`"),
        (&library, "it exports no function `_start`"),
        (b"\0asm\x01\0\0\0\xff", "not a program that answers HTTP"),
    ] {
        let refused = components.load(bytes, settings(16)).map(|_| ()).expect_err("it is no HTTP component");
        assert!(refused.to_string().contains(reason), "{refused}");
    }
}

#[tokio::test]
async fn a_program_answers_by_what_it_prints_also_from_the_cache() {
    let dir = tempfile::tempdir().expect("a directory");
    let bytes = program(Prints { head: "Status: 202\r\nContent-Type: text/plain\r\n\r\n", error: "seen\n", ..Prints::default() });
    for attempt in ["compiled", "from the cache"] {
        let program = components(dir.path()).load(&bytes, settings(16)).expect("it loads");
        let request = http::Request::post("http://a.test/").body(Bytes::from_static(b"hello")).expect("a request");
        let world = Arc::new(World::default());
        let answer = program.invoke(world.clone(), request, 5_000).await;
        let response = answer.result.expect(attempt);
        assert_eq!((response.status().as_u16(), &response.body()[..]), (202, &b"hello"[..]), "{attempt}");
        assert_eq!(*world.0.lock().expect("whole"), ["seen"], "{attempt}");
        assert_eq!(answer.memory_peak_bytes, 65_536);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_answer_says_so() {
    let dir = tempfile::tempdir().expect("a directory");
    let components = components(dir.path());
    let exited = |message: &str| Failure::Exited { message: message.into() };
    let typed = "Content-Type: a/b\n\n";
    for (does, expected) in [
        (Prints { head: typed, exits: 3, ..Prints::default() }, exited("the program ended with exit code 3")),
        (
            Prints { head: "x: y\n\n", ..Prints::default() },
            exited("the program's output is no answer: its head has neither `Content-Type` nor `Location`"),
        ),
        (Prints { head: typed, for_ever: true, ..Prints::default() }, Failure::TimedOut { after_ms: 300 }),
    ] {
        let program = components.load(&program(does), settings(16)).expect("it loads");
        assert_eq!(answer(&program, 300).await.result.expect_err("no answer"), expected);
    }
    let small = components.load(&program(Prints { head: typed, ..Prints::default() }), settings(0)).expect("it loads");
    assert_eq!(answer(&small, 5_000).await.result.expect_err("too much"), Failure::OutOfMemory { memory_mib: 0 });
}

#[tokio::test]
async fn what_a_component_prints_without_end_is_cut() {
    use tokio::io::AsyncWriteExt;
    let world = Arc::new(World::default());
    let budget = Arc::new(Mutex::new(Budget::new()));
    let stream = Log { host: world.clone(), level: Level::Info, rest: Vec::new(), budget };
    let mut out = Box::into_pin(stream.async_stream());
    for _ in 0..1_000 {
        out.write_all(&[b"x".repeat(999), b"\n".to_vec()].concat()).await.expect("it is taken");
    }
    let lines = world.0.lock().expect("whole");
    let total: usize = lines.iter().map(String::len).sum();
    assert!((255 << 10..260 << 10).contains(&total), "{total}");
    assert!(lines.last().expect("a line").contains("truncated"));
}
