//! What the sandboxes of one image share, and what each has anew.

use super::*;

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
