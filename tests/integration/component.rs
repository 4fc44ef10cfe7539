//! Functions in any language: a WASI component serves requests as a function does.

use std::path::Path;

use crate::emu::Emu;

#[allow(dead_code, reason = "the sandbox's own tests use the rest")]
#[path = "../../src/sandbox/component/sample.rs"]
mod sample;

use sample::{Does, component};

const PROJECT: &str = "service: components
provider: { name: aws, runtime: nodejs22.x }
functions:
  ready:
    handler: ready.wasm
    runtime: wasm
    events: [httpApi: GET /ready]
  built:
    handler: out/built.wasm
    runtime: wasm
    build: mkdir -p out && cp source.wasm out/built.wasm
    events: [httpApi: 'ANY /built/{proxy+}']
  endless:
    handler: endless.wasm
    runtime: wasm
    timeout: 1
    events: [httpApi: GET /endless]
  broken:
    handler: broken.wasm
    runtime: wasm
    events: [httpApi: GET /broken]
";

fn save(project: &Path, file: &str, bytes: &[u8]) {
    std::fs::write(project.join(file), bytes).expect("saved");
}

#[tokio::test]
async fn components_serve_requests_are_built_bounded_and_reloaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path();
    save(project, "serverless.yaml", PROJECT.as_bytes());
    save(project, "ready.wasm", &component(&Does::Responds(207)));
    save(project, "source.wasm", &component(&Does::Responds(208)));
    save(project, "endless.wasm", &component(&Does::LoopsForEver));
    save(project, "broken.wasm", b"not a component");
    let emu = Emu::start(project, &[]);
    assert_eq!(emu.get("/ready").await.status, 207);
    assert_eq!(emu.get("/built/a/b?c=d").await.status, 208, "its `build:` command made it");
    let (endless, ready) = tokio::join!(emu.get("/endless"), emu.get("/ready"));
    assert_eq!((endless.status, ready.status), (500, 207), "one that never ends is stopped and delays nobody");
    emu.until("the timeout is told", || async { emu.log().contains("Task timed out after 1.00 seconds").then_some(()) }).await;
    assert_eq!(emu.get("/broken").await.status, 500);
    emu.until("what is wrong with the file is said", || async { emu.log().contains("not a component").then_some(()) }).await;
    save(project, "ready.wasm", &component(&Does::Responds(226)));
    emu.until("the new component is served", || async { (emu.get("/ready").await.status == 226).then_some(()) }).await;
    save(project, "source.wasm", &component(&Does::Responds(209)));
    emu.until("the command runs again", || async { (emu.get("/built/a").await.status == 209).then_some(()) }).await;
    save(project, "broken.wasm", &component(&Does::Responds(200)));
    emu.until("the mended component is served", || async { (emu.get("/broken").await.status == 200).then_some(()) }).await;
    // What the command writes is no reason to run it.
    let builds = |log: String| log.lines().filter(|line| line.contains("\"reload\"") && line.contains("built")).count();
    assert!(builds(emu.log()) <= 2, "{}", emu.log());
}
