//! Time, memory and sizes.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_stopped_at_its_timeout_and_delays_nobody() {
    let endless = load("export const handler = () => { for (;;); }").await;
    let quick = load("export const handler = async () => 'quick'").await;
    let loops: Vec<_> = (0..4)
        .map(|_| {
            let endless = endless.clone();
            tokio::spawn(async move { endless.invoke(Arc::new(World::default()), Input { timeout_ms: 1_000, ..input(json!({})) }).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let mut answered = 0;
    while !loops.iter().any(|each| each.is_finished()) {
        assert_eq!(call(&quick, json!({})).await, Ok(json!("quick")));
        answered += usize::from(!loops.iter().any(|each| each.is_finished()));
    }
    assert!(answered > 0, "no call was answered beside the loops");
    for each in loops {
        let outcome = each.await.expect("the task ends");
        assert_eq!(outcome.result, Err(Failure::TimedOut { after_ms: 1_000 }));
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
async fn large_inputs_and_answers_pass_whole() {
    let image = load("export const handler = async (event) => event.text + '!'").await;
    let text = "ä€😀".repeat(400_000);
    let expected = format!("{text}!");
    assert_eq!(call(&image, json!({ "text": text })).await, Ok(json!(expected)));
}
