//! Popular packages work inside, from the registry as they are, and so do the clients that are part of the runtime.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::emu::{Emu, copy};

async fn invoke(emu: &Emu, function: &str, event: Value) -> Result<Value, String> {
    let url = format!("{}/2015-03-31/functions/{function}/invocations", emu.aws);
    let answer = emu.send("POST", &url, &[], event.to_string()).await;
    match answer.headers.contains_key("x-amz-function-error") || answer.status != 200 {
        true => Err(format!("{function}: {}", answer.text())),
        false => Ok(answer.json()),
    }
}

/// The `.mjs` files of a fixture, without the ending: each is a function of the same name.
fn functions(fixture: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(Path::new("fixtures").join(fixture)).expect("the fixture is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name in UTF-8"));
    names.filter_map(|name| name.strip_suffix(".mjs").map(str::to_owned)).collect()
}

/// Calls each function of a fixture; every one must answer `{"ok":true}`. All failures are told at once.
async fn all_answer_ok(emu: &Emu, fixture: &str, event: Value) {
    let calls = functions(fixture).into_iter().map(|function| {
        let event = event.clone();
        async move {
            match invoke(emu, &function, event).await {
                Ok(answer) if answer["ok"] == json!(true) => None,
                Ok(answer) => Some(format!("{function} answered {answer}")),
                Err(failure) => Some(failure),
            }
        }
    });
    let failures: Vec<String> = futures_util::future::join_all(calls).await.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn popular_packages_work_inside() {
    assert!(
        Path::new("fixtures/packages/node_modules").exists(),
        "run `make fixtures` first, or `npm ci` in fixtures/packages: it has no node_modules"
    );
    let project = copy("packages");
    let emu = Emu::start(project.path(), &[]);
    all_answer_ok(&emu, "packages", json!({ "invoke": "uuid" })).await;
    // These keep a pool of random bytes, which every sandbox must fill itself.
    for function in ["uuid", "nanoid"] {
        let mut seen = BTreeSet::new();
        for _ in 0..20 {
            let answer = invoke(&emu, function, json!({})).await.expect("an answer");
            assert!(seen.insert(answer["id"].to_string()), "{function} made {} twice", answer["id"]);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_runtime_has_aws_clients_where_none_are_installed() {
    let project = copy("builtin");
    let emu = Emu::start(project.path(), &[]);
    all_answer_ok(&emu, "builtin", json!({})).await;
}
