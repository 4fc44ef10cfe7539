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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_stopped_at_its_timeout_and_delays_nobody() {
    let endless = load("export const handler = () => { for (;;); }").await;
    let quick = load("export const handler = async () => 'quick'").await;
    let loops: Vec<_> = (0..4)
        .map(|_| {
            let endless = endless.clone();
            tokio::spawn(async move { endless.invoke(Arc::new(World::default()), Input { timeout_ms: 600, ..input(json!({})) }).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut answered = 0;
    while !loops[0].is_finished() {
        let began = Instant::now();
        assert_eq!(call(&quick, json!({})).await, Ok(json!("quick")));
        assert!(began.elapsed() < Duration::from_millis(300), "a quick call took {:?}", began.elapsed());
        answered += 1;
    }
    assert!(answered > 10, "only {answered} calls were answered beside the loops");
    for each in loops {
        let outcome = each.await.expect("the task ends");
        assert_eq!(outcome.result, Err(Failure::TimedOut { after_ms: 600 }));
        assert!(outcome.cpu_micros > 50_000, "{outcome:?}");
    }
}

#[tokio::test]
async fn endless_waits_are_stopped_at_their_timeout() {
    for code in [
        "export const handler = async () => { for (;;) await null; }",
        "export const handler = async () => { const again = () => Promise.resolve().then(again); await again(); }",
        "export const handler = () => new Promise((resolve) => setTimeout(resolve, 60000))",
        "export const handler = async () => { for (;;) await new Promise((resolve) => setTimeout(resolve, 1)); }",
        "export const handler = async () => /^(a+)+$/.test('a'.repeat(40) + 'b')",
    ] {
        assert_eq!(fails(code, 200).await, Failure::TimedOut { after_ms: 200 }, "{code}");
    }
}

#[tokio::test]
async fn deep_recursion_is_an_error_in_the_function_and_no_more() {
    let caught = load(
        "export const handler = async ({ kind }) => {
            const cases = {
                call() { const f = (n) => 1 + f(n + 1); f(0); },
                getter() { const o = { get x() { return this.x; } }; o.x; },
                map() { const f = () => [1].map(f); f(); },
                sort() { const f = () => { [2, 1].sort(f); return 0; }; f(); },
                replace() { const f = () => 'a'.replace(/a/, f); f(); },
                proxy() { let p = {}; for (let i = 0; i < 200000; i++) p = new Proxy(p, {}); p.x; },
                parse() { JSON.parse('['.repeat(2000000)); },
                stringify() { let o = {}; for (let i = 0; i < 4000; i++) o = { o }; JSON.stringify(o); },
                source() { new Function('return ' + '('.repeat(500000) + '1' + ')'.repeat(500000)); },
                pattern() { new RegExp('('.repeat(500000) + 'a' + ')'.repeat(500000)); },
                string() { const o = { toString() { return '' + o; } }; '' + o; },
                construct() { class A { constructor() { new A(); } } new A(); },
                spread() { const f = (...a) => f(...a, 1); f(); },
                generator() { function* g() { yield* g(); } g().next(); },
                bound() { let f = () => 1; for (let i = 0; i < 200000; i++) f = f.bind(null); f(); },
                flat() { let a = []; for (let i = 0; i < 200000; i++) a = [a]; a.flat(Infinity); },
                json() { const o = { toJSON() { return JSON.stringify(o); } }; JSON.stringify(o); },
                reflect() { const f = () => Reflect.apply(f, null, []); f(); },
                tagged() { const f = () => { try { f(); } finally { f(); } }; f(); },
            };
            try { cases[kind](); } catch (error) { return error.message ? `${error.name}` : 'unknown'; }
            return 'no error';
        }",
    )
    .await;
    let kinds =
        "call getter map sort replace proxy parse stringify source pattern string construct spread generator bound flat json reflect";
    for kind in kinds.split(' ') {
        let answer = call(&caught, json!({ "kind": kind })).await;
        let name = answer.unwrap_or_else(|e| panic!("{kind}: {e:?}"));
        assert!(["RangeError", "InternalError", "SyntaxError", "no error"].contains(&name.as_str().unwrap_or_default()), "{kind}: {name}");
    }
    assert_eq!(call(&caught, json!({ "kind": "call" })).await, Ok(json!("RangeError")));
}

#[tokio::test]
async fn too_much_memory_fails_the_function_alone() {
    for code in [
        "export const handler = async () => { const a = []; for (;;) a.push(new Array(1000).fill(7)); }",
        "export const handler = async () => { let s = 'x'; for (;;) s += s; }",
        "export const handler = async () => { const a = []; for (;;) a.push(new Uint8Array(1 << 20)); }",
        "export const handler = async () => { const m = new Map(); for (let i = 0; ; i++) m.set(i, { i }); }",
    ] {
        let failure = fails(code, 20_000).await;
        // A string's own bound is met before the memory's.
        let bounded = matches!(&failure, Failure::Thrown { message, .. } if message.contains("string"));
        assert!(bounded || failure == Failure::OutOfMemory { memory_mib: 128 }, "{code}: {failure:?}");
    }
    let coping = load("export const handler = async () => { try { new Uint8Array(1 << 30); } catch (e) { return 'coped'; } }").await;
    assert_eq!(call(&coping, json!({})).await, Ok(json!("coped")));
}

#[tokio::test]
async fn a_log_without_end_is_cut_and_a_response_without_end_refused() {
    let world = Arc::new(World::default());
    let image = load("export const handler = async () => { for (let i = 0; i < 3000; i++) console.log('x'.repeat(1000)); return 1 }").await;
    let outcome = image.invoke(world.clone(), input(json!({}))).await;
    assert_eq!(outcome.result.as_deref(), Ok(&b"1"[..]));
    let lines = world.lines.lock().expect("whole").clone();
    let total: usize = lines.iter().map(|(_, text)| text.len()).sum();
    assert!((256 << 10..300 << 10).contains(&total), "{total}");
    assert!(lines.last().expect("a line").1.contains("truncated"));
    let failure = fails("export const handler = async () => 'x'.repeat(33 << 20)", 60_000).await;
    assert_eq!(thrown(failure).0, "Function.ResponseSizeTooLarge");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_cold_calls_draw_no_identifier_twice() {
    let image = load("export const handler = async () => [Math.random(), crypto.randomUUID()]").await;
    assert!(image.is_evaluated());
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10_000 {
        let drawn = call(&image, json!({})).await.expect("an answer");
        assert!(seen.insert(drawn[0].to_string()), "Math.random gave {} twice", drawn[0]);
        assert!(seen.insert(drawn[1].to_string()), "{} came twice", drawn[1]);
    }
}

#[tokio::test]
async fn what_the_top_level_drew_or_asked_is_drawn_and_asked_anew_in_each_sandbox() {
    for code in [
        "const id = Math.random(); export const handler = async () => id",
        "const id = crypto.randomUUID(); export const handler = async () => id",
    ] {
        let image = load(code).await;
        assert!(!image.is_evaluated(), "{code}");
        let (one, two) = (call(&image, json!({})).await, call(&image, json!({})).await);
        assert!(one.is_ok() && one != two, "{code}: {one:?} {two:?}");
    }
    let image = load("const answer = await (await fetch('http://a.test/config')).text(); export const handler = async () => answer").await;
    assert!(!image.is_evaluated());
    assert_eq!(call(&image, json!({})).await, Ok(json!("GET /config")));
    let image = load("let ticks = 0; setInterval(() => ticks++, 20); export const handler = async () => { await new Promise((r) => setTimeout(r, 110)); return ticks }").await;
    assert!(!image.is_evaluated());
    let ticks = call(&image, json!({})).await.expect("an answer").as_u64().expect("a number");
    assert!((2..=6).contains(&ticks), "{ticks}");
    let image = load(
        "let set = 0; setTimeout(() => { set = 1 }, 5); await new Promise((r) => setTimeout(r, 5)); export const handler = async () => set",
    )
    .await;
    assert!(image.is_evaluated());
    assert_eq!(call(&image, json!({})).await, Ok(json!(1)));
}

#[tokio::test]
async fn invocations_share_nothing_unless_they_are_to() {
    let code = "let count = 0; export const handler = async () => { globalThis.left = (globalThis.left ?? 0) + 1; return [++count, globalThis.left] }";
    let fresh = load(code).await;
    for _ in 0..3 {
        assert_eq!(call(&fresh, json!({})).await, Ok(json!([1, 1])));
    }
    let warm = Bundle { isolation_warm: true, ..bundle(code) };
    let warm = sandbox().load(warm, Arc::new(World::default())).await.expect("the bundle loads");
    let mut cold = Vec::new();
    for n in 1..=3 {
        let outcome = warm.invoke(Arc::new(World::default()), input(json!({}))).await;
        cold.push(outcome.cold);
        assert_eq!(outcome.result.as_deref(), Ok(format!("[{n},{n}]").as_bytes()));
    }
    assert_eq!(cold, [true, false, false]);
    warm.forget();
    let outcome = warm.invoke(Arc::new(World::default()), input(json!({}))).await;
    assert_eq!((outcome.cold, outcome.result.as_deref()), (true, Ok(&b"[1,1]"[..])), "it knows nothing of those before");
}

#[tokio::test]
async fn the_first_calls_come_before_the_image_is_compiled_and_see_what_every_other_sees() {
    let code = "let set = 0; setTimeout(() => { set = 1 }, 5); let count = 0; console.log('loaded');
        export const handler = async ({ n }, context) => {
          console.log('called', n);
          return [++count, set, process.env.NAME, context.awsRequestId, await (await fetch('http://a.test/x')).text()];
        }";
    for _ in 0..5 {
        let image = load(code).await;
        let calls = (0..4).map(|n| {
            let image = image.clone();
            async move {
                let world = Arc::new(World::default());
                let outcome = image.invoke(world.clone(), input(json!({ "n": n }))).await;
                let said: Vec<String> = world.lines.lock().expect("whole").iter().map(|(_, text)| text.clone()).collect();
                assert_eq!(said, [format!("called {n}")]);
                assert!(outcome.cold && outcome.cpu_micros > 0);
                assert_eq!(outcome.result.as_deref(), Ok(br#"[1,1,"value","1","GET /x"]"#.as_slice()));
            }
        });
        futures_util::future::join_all(calls).await;
    }
}

/// What the image holds is changed, grown, dropped and referred to by garbage, while the cycle collector runs many times.
const LIFE_OF_AN_IMAGE: &str = r#"
import { shared } from 'dependencies.mjs';
const list = [1, 2, 3], map = new Map([['a', { n: 0 }]]), set = new Set(), weak = new WeakMap(), ref = new WeakRef(list);
const tree = { left: { right: {} }, name: 'tree'.repeat(300) };
tree.left.right.root = tree;
let cache = { old: Array.from({ length: 200 }, (_, i) => ({ i, text: 'x' + i })) };
function* numbers() { let n = 0; for (;;) yield n++; }
const generator = numbers();
let open;
const opened = new Promise((resolve) => { open = resolve; });
const counter = (() => { let n = 0; return () => ++n; })();
class Point { #x = 1; get x() { return this.#x; } set x(v) { this.#x = v; } }
const point = new Point();
export const handler = async ({ round }) => {
  for (let i = 0; i < 30000; i++) {
    const a = { tree, list, shared, text: 'garbage' + i }, b = { a };
    a.b = b;
  }
  list.push(round); list.splice(1, 1); map.get('a').n++; map.set('k' + round, tree); set.add(round); weak.set(tree, round);
  tree['p' + round] = round; delete tree.name; tree.left = { right: { root: tree, before: tree.left } };
  shared.calls = (shared.calls ?? 0) + 1; shared.list.push(round); delete shared['gone'];
  cache = { old: cache.old.slice(0, 100).concat([round]), before: round };
  Array.prototype.ours = round; delete Array.prototype.ours;
  point.x += round;
  open(round);
  const sum = cache.old.reduce((sum, each) => sum + (each.i ?? each), 0);
  return { list, n: map.get('a').n, size: map.size + set.size, weak: weak.get(tree), alive: ref.deref() === list, own: Object.keys(tree).length,
    calls: shared.calls, kept: shared.list.length, sum, next: generator.next().value, count: counter(), x: point.x, opened: await opened };
};
"#;

#[tokio::test]
async fn what_an_image_holds_can_be_changed_and_outlives_the_collector() {
    for warm in [false, true] {
        let dependencies =
            "export const shared = { list: [], gone: 1, deep: Array.from({ length: 500 }, (_, i) => ({ i, own: () => i })) };";
        let mut bundle = Bundle { isolation_warm: warm, ..bundle(LIFE_OF_AN_IMAGE) };
        bundle.modules.push(Module::dependencies("dependencies.mjs", dependencies));
        let image = sandbox().load(bundle, Arc::new(World::default())).await.expect("the bundle loads");
        let mut list = vec![1, 2, 3];
        for round in 1..=4u64 {
            let times = if warm { round } else { 1 };
            if !warm {
                list = vec![1, 2, 3];
            }
            list.push(round);
            list.remove(1);
            let sum = (0..100).sum::<u64>() + round;
            let answer = call(&image, json!({ "round": round })).await.expect("an answer");
            assert_eq!(
                answer,
                json!({
                    "list": list, "n": times, "size": 1 + 2 * times, "weak": round, "alive": true, "own": 1 + times, "calls": times, "kept": times,
                    "sum": sum, "next": times - 1, "count": times, "x": 1 + if warm { round * (round + 1) / 2 } else { round },
                    "opened": if warm { 1 } else { round },
                }),
                "warm: {warm}, round {round}"
            );
        }
    }
}

#[tokio::test]
async fn a_warm_sandbox_is_not_used_again_after_it_was_stopped() {
    let code = "let count = 0; export const handler = async (e) => { count++; if (e.loop) for (;;); if (e.throw) throw new Error('no'); return count }";
    let warm = Bundle { isolation_warm: true, ..bundle(code) };
    let image = sandbox().load(warm, Arc::new(World::default())).await.expect("the bundle loads");
    assert_eq!(call(&image, json!({})).await, Ok(json!(1)));
    assert_eq!(thrown(call(&image, json!({ "throw": true })).await.expect_err("it throws")), ("Error".into(), "no".into()));
    assert_eq!(call(&image, json!({})).await, Ok(json!(3)));
    let stopped = image.invoke(Arc::new(World::default()), Input { timeout_ms: 100, ..input(json!({ "loop": true })) }).await;
    assert_eq!(stopped.result, Err(Failure::TimedOut { after_ms: 100 }));
    assert_eq!(call(&image, json!({})).await, Ok(json!(1)));
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
async fn stable_modules_are_evaluated_once_for_all_who_share_them() {
    let vendor = Module::dependencies("vendor/deps.mjs", "console.log('vendor evaluated'); export const table = { n: 41 };");
    let world = Arc::new(World::default());
    let made = |body: &str| {
        let mut bundle = bundle(&format!("import {{ table }} from './vendor/deps.mjs'; {body}"));
        bundle.modules.insert(0, vendor.clone());
        bundle
    };
    let one = sandbox().load(made("export const handler = async () => table.n + 1"), world.clone()).await.expect("it loads");
    let two = sandbox().load(made("export const handler = async () => table.n + 2"), world.clone()).await.expect("it loads");
    assert_eq!(call(&one, json!({})).await, Ok(json!(42)));
    assert_eq!(call(&two, json!({})).await, Ok(json!(43)));
    let evaluated = world.lines.lock().expect("whole").iter().filter(|(_, text)| text.contains("vendor evaluated")).count();
    assert_eq!(evaluated, 1);
}

/// A bundle with dependencies of this code, whose handler gives `body`.
fn with_dependencies(name: &str, environment: &[(&str, &str)], dependencies: &str, body: &str) -> Bundle {
    let vendor = Module::dependencies("vendor.mjs", dependencies);
    let mut bundle = bundle(&format!("import * as deps from './vendor.mjs'; export const {name} = async () => {body}"));
    bundle.modules.insert(0, vendor);
    bundle.name = name.into();
    bundle.export = name.into();
    bundle.environment = environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    bundle
}

#[tokio::test]
async fn dependencies_are_evaluated_anew_only_for_other_values_of_the_variables_they_read() {
    let world = Arc::new(World::default());
    let code = "console.log('evaluated'); export const mode = process.env.MODE ?? 'none'; export const env = process.env;";
    let body = "[deps.mode, deps.env === process.env, deps.env.MODE ?? null, deps.env.OTHER, Object.keys(process.env)]";
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], Value, usize);
    let cases: [Case<'_>; 5] = [
        ("one", &[("OTHER", "1")], json!(["none", true, null, "1", ["OTHER"]]), 1),
        ("two", &[("OTHER", "2")], json!(["none", true, null, "2", ["OTHER"]]), 1),
        ("three", &[("MODE", "a"), ("OTHER", "3")], json!(["a", true, "a", "3", ["MODE", "OTHER"]]), 2),
        ("four", &[("MODE", "a"), ("OTHER", "4")], json!(["a", true, "a", "4", ["MODE", "OTHER"]]), 2),
        ("five", &[("MODE", "b"), ("OTHER", "5")], json!(["b", true, "b", "5", ["MODE", "OTHER"]]), 3),
    ];
    for (name, environment, expected, evaluations) in cases {
        let image = sandbox().load(with_dependencies(name, environment, code, body), world.clone()).await.expect("it loads");
        assert_eq!(call(&image, json!({})).await, Ok(expected), "{name}");
        let evaluated = world.lines.lock().expect("whole").iter().filter(|(_, text)| text == "evaluated").count();
        assert_eq!(evaluated, evaluations, "{name}");
    }
}

#[tokio::test]
async fn dependencies_that_look_at_the_whole_environment_or_change_it_do_so_for_each_function() {
    let code = "export const all = JSON.stringify({ ...process.env }); process.env.SET = 'by a dependency'; delete process.env.GONE; export const has = ['A' in process.env, 'GONE' in process.env];";
    let body = "[JSON.parse(deps.all), deps.has, { ...process.env }]";
    for (name, environment) in
        [("one", [("A", "1"), ("GONE", "x")]), ("two", [("A", "2"), ("GONE", "x")]), ("three", [("B", "1"), ("SET", "y")])]
    {
        let bundle = with_dependencies(name, &environment, code, body);
        let image = sandbox().load(bundle, Arc::new(World::default())).await.expect("it loads");
        let [(first, value), (second, other)] = environment;
        let kept = if second == "GONE" {
            json!({ first: value, "SET": "by a dependency" })
        } else {
            json!({ "SET": "by a dependency", first: value })
        };
        let expected = json!([{ first: value, second: other }, [first == "A", false], kept]);
        assert_eq!(call(&image, json!({})).await, Ok(expected), "{name}");
    }
}

/// The sandbox's layers of dependencies on disk.
fn layers(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let files = std::fs::read_dir(dir).expect("the cache").flatten().map(|file| file.path());
    files.filter(|path| path.extension().is_some_and(|e| e == "cwasm") && path.to_string_lossy().contains("layer-")).collect()
}

#[tokio::test]
async fn evaluated_dependencies_outlive_the_process_without_what_is_the_projects() {
    let dir = tempfile::tempdir().expect("a directory");
    let start = || Sandbox::new(Options { sandboxes_max: 4, ..Options::new(dir.path()) }).expect("the sandbox starts");
    // Without a layer's own evaluation the counter would be drawn anew: the file alone can bring it back.
    let code = "export const debug = process.env.DEBUG ?? 'off'; export const made = ['a', 'layer'].join(' of ');";
    let body = "[deps.debug, deps.made, process.env.SECRET]";
    let load = |sandbox: Sandbox, environment: &'static [(&'static str, &'static str)]| async move {
        let bundle = with_dependencies("handler", environment, code, body);
        let image = sandbox.load(bundle, Arc::new(World::default())).await.expect("it loads");
        call(&image, json!({})).await
    };
    assert_eq!(load(start(), &[("DEBUG", "on"), ("SECRET", "s3cr3t-1")]).await, Ok(json!(["on", "a of layer", "s3cr3t-1"])));
    assert_eq!(layers(dir.path()), Vec::<std::path::PathBuf>::new(), "what was told a variable stays in memory");
    assert_eq!(load(start(), &[("SECRET", "s3cr3t-2")]).await, Ok(json!(["off", "a of layer", "s3cr3t-2"])));
    let deadline = Instant::now() + Duration::from_secs(10);
    while layers(dir.path()).is_empty() || !layers(dir.path())[0].with_extension("note").is_file() {
        assert!(Instant::now() < deadline, "no layer was kept");
        tokio::task::yield_now().await;
    }
    let file = layers(dir.path()).remove(0);
    let content = std::fs::read(&file).expect("the layer");
    let holds = |text: &str| content.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("a of layer") && !holds("s3cr3t") && !holds("deps.debug"), "the file holds the dependencies and no more");
    for (environment, expected) in [
        (&[("SECRET", "3")][..], json!(["off", "a of layer", "3"])),
        (&[("DEBUG", "on"), ("SECRET", "4")][..], json!(["on", "a of layer", "4"])),
    ] {
        assert_eq!(load(start(), environment).await, Ok(expected));
    }
    let length = std::fs::metadata(&file).expect("the layer").len();
    std::fs::File::options().write(true).open(&file).and_then(|file| file.set_len(length / 2)).expect("cut");
    assert_eq!(load(start(), &[("SECRET", "5")]).await, Ok(json!(["off", "a of layer", "5"])));
}

#[tokio::test]
async fn large_inputs_and_answers_pass_whole() {
    let image = load("export const handler = async (event) => event.text + '!'").await;
    let text = "ä€😀".repeat(400_000);
    let expected = format!("{text}!");
    assert_eq!(call(&image, json!({ "text": text })).await, Ok(json!(expected)));
}

#[tokio::test]
async fn a_damaged_cache_is_made_anew() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = || Options { sandboxes_max: 4, ..Options::new(dir.path()) };
    drop(Sandbox::new(options()).expect("the sandbox starts"));
    let mut damaged = 0;
    for file in std::fs::read_dir(dir.path()).expect("the cache").flatten() {
        if file.path().extension().is_some_and(|extension| extension == "cwasm") {
            let mut content = std::fs::read(file.path()).expect("the file");
            let middle = content.len() / 2;
            content[middle] ^= 0xff;
            std::fs::write(file.path(), content).expect("written");
            damaged += 1;
        }
    }
    assert_eq!(damaged, 2);
    let sandbox = Sandbox::new(options()).expect("the sandbox starts");
    let image = sandbox.load(bundle("export const handler = async () => 1"), Arc::new(World::default())).await.expect("it loads");
    assert_eq!(call(&image, json!({})).await, Ok(json!(1)));
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
        while layers(kept.path()).is_empty() {
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
