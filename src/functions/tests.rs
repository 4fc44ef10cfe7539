//! Functions as a whole, over an engine that does what the handler's text says.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use ::http::{Request, Response};
use bytes::Bytes;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::program::{Component, Engine, Program};
use super::*;
use crate::base::{Call, Caller, Cause, Clock, Ids, Time, Unit};
use crate::project::{EventSource, Function, Method, Payload, Project};
use crate::sandbox::{Bundle, Digest, Failure, FetchError, Host, Input, Level, LoadError, Outcome};
use crate::telemetry::{self, Record, Sink, Subscriber};

/// Knows no JavaScript: a handler says what to do in words like `behave:sleep`, and answers with its `text:…`.
struct Words {
    loads: AtomicU32,
}

struct Script {
    code: String,
    finished: Arc<AtomicU32>,
}

impl Engine for Words {
    fn load(&self, bundle: Bundle, _host: Arc<dyn Host>) -> BoxFuture<'static, Result<Arc<dyn Program>, LoadError>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        let code: String = bundle.modules.iter().map(|module| &*module.code).collect();
        Box::pin(async move {
            if code.contains("behave:break") {
                return Err(LoadError::Thrown {
                    kind: "Error".into(),
                    message: "no luck".into(),
                    stack: vec!["    at src/a.ts:1:8".into()],
                });
            }
            let program: Arc<dyn Program> = Arc::new(Script { code, finished: Arc::default() });
            Ok(program)
        })
    }

    fn is_prepared(&self, _dependencies: &[Digest]) -> bool {
        false
    }

    fn prepare(&self, _bundle: Bundle, _host: Arc<dyn Host>) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn component(&self, _component: Component) -> BoxFuture<'static, Result<Arc<dyn Program>, LoadError>> {
        Box::pin(async { Err(LoadError::Engine("not here".into())) })
    }
}

impl Program for Script {
    fn invoke(&self, host: Arc<dyn Host>, input: Input) -> BoxFuture<'static, Outcome> {
        let (code, finished) = (self.code.clone(), Arc::clone(&self.finished));
        let word = |name: &str| code.contains(name);
        let (sleep, fetch, throw, timeout, huge, echo) = (
            word("behave:sleep"),
            word("behave:fetch"),
            word("behave:throw"),
            word("behave:timeout"),
            word("behave:huge"),
            word("behave:echo"),
        );
        let text = code.split("text:").nth(1).and_then(|rest| rest.split(['"', '\'', ';']).next()).unwrap_or_default().to_string();
        Box::pin(async move {
            host.log(Level::Info, "hello");
            if sleep {
                host.sleep(60_000.0).await;
            }
            let mut result = Ok(Bytes::from(serde_json::json!(text).to_string()));
            if fetch {
                let request = Request::get("http://inside/").body(Bytes::new()).expect("a request");
                result = host
                    .fetch(request)
                    .await
                    .map(|response| response.into_body())
                    .map_err(|error| Failure::Exited { message: error.to_string() });
            }
            if throw {
                result = Err(Failure::Thrown { kind: "TypeError".into(), message: "x".into(), stack: vec![] });
            }
            if timeout {
                result = Err(Failure::TimedOut { after_ms: input.timeout_ms });
            }
            if huge {
                result = Ok(Bytes::from(vec![b'1'; answer::ANSWER_BYTES_MAX + 1]));
            }
            if echo {
                result = Ok(Bytes::from(serde_json::json!({ "event": serde_json::from_slice::<serde_json::Value>(&input.event).expect("JSON"), "context": serde_json::from_slice::<serde_json::Value>(&input.context).expect("JSON") }).to_string()));
            }
            finished.fetch_add(1, Ordering::Relaxed);
            Outcome { result, cold: true, cpu_micros: 10, wall_micros: 2_000, memory_peak_bytes: 1 << 20 }
        })
    }

    fn bytes(&self) -> usize {
        self.code.len()
    }
}

/// Keeps who asked for what.
#[derive(Default)]
struct Recorder(Mutex<Vec<Call>>);

impl Network for Recorder {
    fn fetch(&self, call: Call, _request: Request<Bytes>) -> BoxFuture<'static, Result<Response<Bytes>, FetchError>> {
        self.0.lock().expect("nobody panics").push(call);
        Box::pin(async { Ok(Response::new(Bytes::from_static(b"\"fetched\""))) })
    }
}

struct Shop {
    folder: tempfile::TempDir,
    project: Project,
    functions: Functions,
    engine: Arc<Words>,
    network: Arc<Recorder>,
    clock: Clock,
    records: Subscriber,
}

impl Shop {
    async fn new(files: &[(&str, &str)]) -> Shop {
        Shop::bounded(files, Bounds::default()).await
    }

    /// A function for each file `src/NAME.ts`, reached at `/NAME` of the HTTP API and `/rest/NAME` of the REST API.
    async fn bounded(files: &[(&str, &str)], bounds: Bounds) -> Shop {
        let folder = tempfile::tempdir().expect("a folder");
        let mut project = Project { root: folder.path().canonicalize().expect("the folder is there"), ..testing::project() };
        for (name, _) in files {
            let events = vec![
                EventSource::HttpApi { method: Method::Any, path: format!("/{name}"), payload: Payload::V2 },
                EventSource::Http { method: Method::Any, path: format!("/rest/{name}"), cors: None },
            ];
            project.functions.push(Function { events, timeout_ms: 60_000, ..testing::function(name, &format!("src/{name}.handler")) });
        }
        let (engine, network, clock, sink) =
            (Arc::new(Words { loads: AtomicU32::new(0) }), Arc::new(Recorder::default()), Clock::frozen(Time(1_000_000)), Sink::new(1_000));
        let records = sink.subscribe();
        let functions = Functions::new(Parts {
            engine: engine.clone(),
            network: network.clone(),
            clock: clock.clone(),
            ids: Ids::seeded(1),
            sink,
            surroundings: Surroundings {
                account: "000000000000".into(),
                aws_url: "http://127.0.0.1:4566".into(),
                variables: Default::default(),
                cache: None,
                versions: None,
            },
            bounds,
        })
        .expect("threads");
        let shop = Shop { folder, project, functions, engine, network, clock, records };
        for (name, words) in files {
            shop.write(&format!("src/{name}.ts"), words);
        }
        shop.reload(Changed::All).await;
        shop
    }

    /// `words` become the handler's answer; anything with `export` in it is the file as it is.
    fn write(&self, path: &str, words: &str) -> PathBuf {
        let file = self.project.root.join(path);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        let text = if words.contains("export") { words.to_string() } else { format!("export const handler = '{words}';") };
        std::fs::write(&file, text).expect("a file");
        file
    }

    async fn reload(&self, changed: Changed) -> Report {
        self.functions.reload(Arc::new(self.project.clone()), changed).await
    }

    async fn save(&self, path: &str, words: &str) -> Report {
        let file = self.write(path, words);
        self.reload(Changed::Files(BTreeSet::from([file]))).await
    }

    async fn invoke(&self, name: &str) -> Result<Answer, InvokeError> {
        self.functions.invoke(&call(), name, Bytes::new()).await
    }

    /// What an invocation answers with, or the first words of why not.
    async fn answer(&self, name: &str) -> String {
        match self.invoke(name).await {
            Ok(answer) => String::from_utf8_lossy(&answer.payload).into_owned(),
            Err(error) => error.to_string(),
        }
    }

    async fn http(&self, target: &str, body: Bytes) -> String {
        let request = Request::post(target).header("host", "localhost:3000").body(body).expect("a request");
        let response = self.functions.http(&call(), request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.response;
        format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.body()))
    }
}

fn call() -> Call {
    Call { caller: Caller::Anonymous, cause: Cause::Request("req-1".into()), ..Call::operator() }
}

/// Lets what was spawned run until it waits for something.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// Source: "Amazon API Gateway pricing".
#[tokio::test]
async fn each_api_is_billed_by_its_own_requests_and_what_leaves_by_its_bytes() {
    let shop = Shop::new(&[("a", "text:hi")]).await;
    let inside = Call { cause: Cause::Operation("op-1".into()), ..call() };
    for (call, target, bytes, wanted) in [
        (call(), "/a", 0, (1, 0)),
        (call(), "/a", 524_288, (1, 0)),
        (call(), "/a", 524_289, (2, 0)),
        (call(), "/nothing", 0, (1, 0)),
        (call(), "/rest/a", 0, (0, 1)),
        (call(), "/rest/a", 524_289, (0, 1)),
        (inside, "/a", 0, (1, 0)),
    ] {
        let request = Request::post(target).body(Bytes::from(vec![b'x'; bytes])).expect("a request");
        let outside = matches!(call.cause, Cause::Request(_));
        let reply = shop.functions.http(&call, request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await;
        let own = |unit| reply.own.get(unit);
        assert_eq!((own(Unit::RouteRequests), own(Unit::RestRequests)), wanted, "{target} {bytes}");
        let head: usize =
            reply.response.headers().iter().map(|(name, value)| format!("{name}: {}\r\n", value.to_str().expect("text")).len()).sum();
        let sent = "HTTP/1.1 200 OK\r\n\r\n".len() + head + reply.response.body().len();
        assert_eq!(own(Unit::RouteBytesOut), if outside { sent as u64 } else { 0 }, "{target}");
    }
}

#[tokio::test]
async fn a_broken_edit_keeps_the_last_good_version() {
    let shop = Shop::new(&[("a", "text:one")]).await;
    assert_eq!(shop.answer("a").await, "\"one\"");
    for broken in [
        "export const handler = (",
        "export const handler = 'behave:break'",
        "export const other = 1",
        "import 'gone'; export const handler = 1",
    ] {
        let report = shop.save("src/a.ts", broken).await;
        assert_eq!((report.ready.len(), report.failed.len(), report.problems.len()), (0, 1, 1), "{broken}");
        assert!(report.problems[0].at.is_some(), "{broken}");
        assert_eq!(shop.answer("a").await, "\"one\"", "{broken}");
    }
    let report = shop.save("src/a.ts", "text:two").await;
    assert_eq!((report.ready.len(), report.problems.len()), (1, 0));
    assert_eq!(shop.answer("shop-dev-a").await, "\"two\"");
}

#[tokio::test]
async fn code_that_does_not_load_is_explained_at_its_place() {
    let shop = Shop::new(&[("a", "behave:break")]).await;
    let problem = shop.functions.catalog().get("a").expect("the function").problems[0].clone();
    assert_eq!(problem.message, "function `a` does not load: Error: no luck");
    assert_eq!(problem.at.as_ref().map(|at| (at.file.clone(), at.line, at.column)), Some((shop.project.root.join("src/a.ts"), 1, 8)));
}

#[tokio::test]
async fn a_function_that_was_never_built_says_why_inside_and_not_outside() {
    let mut shop = Shop::new(&[("a", "export const handler = (")]).await;
    let InvokeError::NotBuilt { name, problems } = shop.invoke("a").await.expect_err("no version") else { panic!("not built") };
    assert_eq!((name.as_str(), problems.len()), ("a", 1));
    assert_eq!(shop.http("/a", Bytes::new()).await, r#"500 {"message":"Internal Server Error"}"#);
    assert_eq!(shop.http("/rest/a", Bytes::new()).await, r#"502 {"message": "Internal server error"}"#);
    let told = loop {
        if let Record::Problem(problem) = &*shop.records.next().await.expect("a record") {
            break problem.clone();
        }
    };
    assert!(told.message.starts_with("function `a`: function `a` has no version that works: "), "{told:?}");
    assert!(told.place.as_deref().is_some_and(|place| place.contains("src/a.ts:1:")), "{told:?}");
}

#[tokio::test]
async fn a_save_builds_only_what_reads_the_file_and_tells_of_nothing_else() {
    let mut shop = Shop::new(&[("a", "text:a"), ("b", "text:b")]).await;
    shop.write("lib/c.ts", "export const c = 'text:c';");
    shop.save("src/a.ts", "import { c } from '../lib/c'; export const handler = c;").await;
    let names = |report: &Report| report.ready.iter().map(|(name, ..)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(names(&shop.save("lib/c.ts", "export const c = 'text:changed';").await), ["a"]);
    assert_eq!(shop.answer("a").await, "\"changed\"");
    let mut reloads = 0;
    while let Some(Some(record)) = shop.records.next().now_or_never() {
        reloads += usize::from(matches!(*record, Record::Reload(_)));
    }
    assert_eq!(reloads, 3, "the start and two saves");
    assert!(names(&shop.save("lib/unused.ts", "export const c = 1;").await).is_empty());
    assert!(shop.records.next().now_or_never().is_none(), "nothing was built, so nothing is told");
    assert_eq!(names(&shop.save("package.json", "{\"note\":\"export\"}").await), ["a", "b"]);
}

#[tokio::test]
async fn an_edit_of_the_project_file_builds_what_it_changes() {
    let mut shop = Shop::new(&[("a", "text:a"), ("b", "text:b")]).await;
    shop.project.functions[1].environment.insert("KEY".into(), "value".into());
    shop.project.functions[0].timeout_ms = 5_000;
    let report = shop.reload(Changed::Files(BTreeSet::new())).await;
    assert_eq!(report.ready.iter().map(|(name, ..)| &**name).collect::<Vec<_>>(), ["b"]);
    assert_eq!(shop.functions.catalog().get("a").expect("a").function.timeout_ms, 5_000);
    shop.project.functions.remove(0);
    let report = shop.reload(Changed::Files(BTreeSet::new())).await;
    assert_eq!(report.removed.iter().map(|name| &**name).collect::<Vec<_>>(), ["a"]);
    assert_eq!(shop.answer("a").await, "Function not found: a");
    assert_eq!(shop.engine.loads.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn an_invocation_under_way_keeps_its_version() {
    let shop = Shop::new(&[("a", "behave:sleep text:old")]).await;
    let functions = shop.functions.clone();
    let under_way = tokio::spawn(async move { functions.invoke(&call(), "a", Bytes::new()).await });
    settle().await;
    shop.save("src/a.ts", "text:new").await;
    assert_eq!(shop.answer("a").await, "\"new\"");
    shop.clock.advance_ms(60_000);
    assert_eq!(under_way.await.expect("no panic").expect("an answer").payload, "\"old\"");
}

#[tokio::test]
async fn reserved_concurrency_throttles_the_function_and_no_other() {
    let mut shop = Shop::new(&[("a", "behave:sleep text:a"), ("b", "text:b")]).await;
    shop.project.functions[0].concurrency_max = Some(1);
    shop.reload(Changed::Files(BTreeSet::new())).await;
    let functions = shop.functions.clone();
    let first = tokio::spawn(async move { functions.invoke(&call(), "a", Bytes::new()).await });
    settle().await;
    assert_eq!(shop.invoke("a").await.expect_err("throttled"), InvokeError::Throttled { reason: Throttle::Function });
    assert_eq!(shop.http("/a", Bytes::new()).await, r#"503 {"message":"Service Unavailable"}"#);
    assert_eq!(shop.answer("b").await, "\"b\"");
    shop.clock.advance_ms(60_000);
    first.await.expect("no panic").expect("an answer");
    assert_eq!(shop.functions.catalog().get("a").expect("a").gate.running(), 0);
}

#[tokio::test]
async fn invocations_wait_for_a_place_up_to_a_bound_and_nested_ones_never_do() {
    let shop =
        Shop::bounded(&[("a", "behave:sleep text:a"), ("b", "text:b")], Bounds { running_max: 1, nested_max: 1, waiting_max: 1 }).await;
    let spawn = |name: &'static str| {
        let functions = shop.functions.clone();
        tokio::spawn(async move { functions.invoke(&call(), name, Bytes::new()).await })
    };
    let running = spawn("a");
    settle().await;
    let waiting = spawn("b");
    settle().await;
    assert!(!waiting.is_finished());
    assert_eq!(shop.invoke("b").await.expect_err("full"), InvokeError::Throttled { reason: Throttle::Queue });
    let nested = Call { caller: Caller::Function("a".into()), ..call() };
    assert_eq!(shop.functions.invoke(&nested, "b", Bytes::new()).await.expect("let in").payload, "\"b\"");
    shop.clock.advance_ms(60_000);
    running.await.expect("no panic").expect("an answer");
    assert_eq!(waiting.await.expect("no panic").expect("an answer").payload, "\"b\"");
}

#[tokio::test]
async fn failures_are_answers_with_their_log() {
    let shop = Shop::new(&[("throws", "behave:throw"), ("slow", "behave:timeout"), ("huge", "behave:huge")]).await;
    for (name, kind, line) in [
        ("throws", "TypeError", Some("Invoke Error \t{\"errorType\":\"TypeError\",\"errorMessage\":\"x\",\"trace\":[]}")),
        ("slow", "Sandbox.Timedout", Some("Task timed out after 60.00 seconds")),
        ("huge", "Function.ResponseSizeTooLarge", None),
    ] {
        let answer = shop.invoke(name).await.expect("an answer");
        assert_eq!(answer.error.as_ref().map(|error| error.kind.as_str()), Some(kind), "{name}");
        let lines: Vec<&str> = answer.logs.iter().map(|line| &*line.text).collect();
        assert_eq!(lines, [Some("hello"), line].into_iter().flatten().collect::<Vec<_>>(), "{name}");
        assert!(answer.log_text().contains(&format!("END RequestId: {}", answer.request_id)));
        assert_eq!(shop.http(&format!("/{name}"), Bytes::new()).await, r#"500 {"message":"Internal Server Error"}"#);
    }
}

#[tokio::test]
async fn events_that_cannot_be_taken_are_refused() {
    let shop = Shop::new(&[("a", "behave:echo")]).await;
    let invoke = async |event: &'static [u8]| shop.functions.invoke(&call(), "a", Bytes::from_static(event)).await;
    assert!(matches!(invoke(b"{").await, Err(InvokeError::NotJson(_))));
    assert!(matches!(invoke(b"{} {}").await, Err(InvokeError::NotJson(_))));
    let answer: serde_json::Value = serde_json::from_slice(&invoke(b"").await.expect("an answer").payload).expect("JSON");
    assert_eq!(answer["event"], serde_json::json!({}));
    assert_eq!(answer["context"]["context"]["invokedFunctionArn"], "arn:aws:lambda:eu-central-1:000000000000:function:shop-dev-a");
    assert_eq!(
        (&answer["context"]["context"]["memoryLimitInMB"], &answer["context"]["deadlineMs"]),
        (&serde_json::json!("128"), &serde_json::json!(1_060_000))
    );
    let large = Bytes::from(format!("\"{}\"", "a".repeat(answer::EVENT_BYTES_MAX)));
    let error = shop.functions.invoke(&call(), "a", large).await.expect_err("too large");
    assert_eq!(error.to_string(), "Request must be smaller than 6291456 bytes for the InvokeFunction operation");
}

#[tokio::test]
async fn what_a_function_does_is_on_the_callers_bill_and_in_its_trace() {
    let mut shop = Shop::new(&[("a", "behave:fetch")]).await;
    let outer = call();
    let answer = shop.functions.invoke(&outer, "a", Bytes::new()).await.expect("an answer");
    assert_eq!(answer.payload, "\"fetched\"");
    let inner = shop.network.0.lock().expect("nobody panics")[0].clone();
    assert_eq!(
        (inner.caller, inner.cause, inner.trace),
        (Caller::Function("a".into()), Cause::Invocation(answer.request_id.clone()), outer.trace)
    );
    let bill = outer.meter.total();
    assert_eq!(bill.get(Unit::InvocationCpuMicros), 10);
    assert_eq!((bill.get(Unit::Invocations), bill.get(Unit::InvocationMicros), bill.get(Unit::InvocationMibMicros)), (1, 2_000, 256_000));
    let record = loop {
        if let Record::Invocation(invocation) = &*shop.records.next().await.expect("a record") {
            break invocation.clone();
        }
    };
    assert_eq!(
        (&*record.trigger, record.event.kept().as_ref(), record.answer.kept().as_ref()),
        ("invoke", &b"{}"[..], &b"\"fetched\""[..])
    );
    assert_eq!((record.own, record.memory_mib, record.build > 0, record.span.wall_micros), (bill, 128, true, 2_000));
    assert_eq!(
        (record.id, record.parent, record.outcome),
        (answer.request_id, Cause::Request("req-1".into()), telemetry::Outcome::Succeeded)
    );
}

#[tokio::test]
async fn requests_are_routed_shaped_and_answered() {
    let shop = Shop::new(&[("a", "text:hi"), ("echo", "behave:echo")]).await;
    assert_eq!(shop.http("/a", Bytes::new()).await, "200 hi");
    assert_eq!(shop.http("/dev/rest/a", Bytes::new()).await, r#"502 {"message": "Internal server error"}"#);
    assert_eq!(shop.http("/nothing", Bytes::new()).await, r#"404 {"message":"Not Found"}"#);
    assert_eq!(shop.http("/a", Bytes::from(vec![b'a'; http::BODY_BYTES_MAX + 1])).await, r#"413 {"message":"Request Entity Too Large"}"#);
    assert_eq!(shop.http("/a", Bytes::from(vec![b'a'; answer::EVENT_BYTES_MAX])).await, r#"413 {"message":"Request Entity Too Large"}"#);
    let echoed = shop.http("/echo?x=1", Bytes::from_static(b"body")).await;
    let echoed: serde_json::Value = serde_json::from_str(echoed.strip_prefix("200 ").expect("a success")).expect("JSON");
    assert_eq!((&echoed["event"]["routeKey"], &echoed["event"]["body"]), (&serde_json::json!("ANY /echo"), &serde_json::json!("body")));
    assert_eq!(echoed["event"]["requestContext"]["requestId"], "req-1");
}

#[tokio::test]
async fn a_gateway_stops_waiting_and_the_function_goes_on() {
    let mut shop = Shop::new(&[("a", "behave:sleep text:a")]).await;
    for (target, wait_ms, expected) in [
        ("/a", 30_000, r#"503 {"message":"Service Unavailable"}"#),
        ("/dev/rest/a", 29_000, r#"504 {"message": "Endpoint request timed out"}"#),
    ] {
        let functions = shop.functions.clone();
        let request = Request::get(target).body(Bytes::new()).expect("a request");
        let waiting = tokio::spawn(async move { functions.http(&call(), request, IpAddr::V4(Ipv4Addr::LOCALHOST)).await.response });
        settle().await;
        shop.clock.advance_ms(wait_ms);
        let response = waiting.await.expect("no panic");
        assert_eq!(format!("{} {}", response.status().as_u16(), String::from_utf8_lossy(response.body())), expected);
        shop.clock.advance_ms(60_000);
        let outcome = loop {
            if let Record::Invocation(invocation) = &*shop.records.next().await.expect("a record") {
                break invocation.outcome.clone();
            }
        };
        assert_eq!(outcome, telemetry::Outcome::Succeeded, "{target}");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_stop_its_function() {
    let mut shop = Shop::new(&[("a", "behave:sleep text:a")]).await;
    let functions = shop.functions.clone();
    let client = tokio::spawn(async move { functions.invoke(&call(), "a", Bytes::new()).await });
    settle().await;
    client.abort();
    assert!(client.await.expect_err("aborted").is_cancelled());
    shop.clock.advance_ms(60_000);
    loop {
        if let Record::Invocation(invocation) = &*shop.records.next().await.expect("a record") {
            assert_eq!(invocation.outcome, telemetry::Outcome::Succeeded);
            break;
        }
    }
    assert!(shop.folder.path().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_typescript_handler_runs_in_the_real_sandbox() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("the folder is there");
    std::fs::write(root.join("a.ts"), "const greet = (name: string): string => `hello ${name}`;\nexport const handler = async (event: { name: string }) => greet(event.name);\n")
        .expect("a file");
    let mut project = Project { root, ..testing::project() };
    project.functions.push(testing::function("a", "a.handler"));
    let sandbox = crate::sandbox::Sandbox::new(crate::sandbox::Options::new(folder.path().join("cache"))).expect("an engine");
    let functions = Functions::new(Parts {
        engine: Arc::new(sandbox),
        network: Arc::new(Recorder::default()),
        clock: Clock::system(),
        ids: Ids::seeded(1),
        sink: Sink::new(1),
        surroundings: Surroundings {
            account: "000000000000".into(),
            aws_url: "http://127.0.0.1:4566".into(),
            variables: Default::default(),
            cache: None,
            versions: None,
        },
        bounds: Bounds::default(),
    })
    .expect("threads");
    let report = functions.reload(Arc::new(project), Changed::All).await;
    assert_eq!(report.problems, []);
    let answer = functions.invoke(&call(), "a", Bytes::from_static(b"{\"name\":\"world\"}")).await.expect("an answer");
    assert_eq!((answer.payload.as_ref(), answer.error), (&b"\"hello world\""[..], None));
}
