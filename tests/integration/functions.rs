//! Functions of Firebase, from outside: the codebases of `tests/firebase/functions` under `emu exec`, and what a save does.

use std::path::Path;
use std::process::Command;

use crate::emu::{EMU, Emu, copy};
use crate::sdk::exec;

/// Runs one file of tests against a fresh copy of `tests/firebase`.
fn passes(file: &str) {
    assert!(Path::new("tests/firebase/node_modules").exists(), "run `make fixtures` first: tests/firebase has no node_modules");
    let folder = copy("../tests/firebase");
    let project = folder.path().join("functions");
    let id = format!("demo-functions-{}", file.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    std::fs::write(project.join(".firebaserc"), serde_json::json!({ "projects": { "default": id } }).to_string()).expect("a file");
    exec(&project, &["node", "--test", file]);
}

#[test]
fn functions_answer_requests_as_in_production() {
    passes("requests.test.mjs");
}

#[test]
fn callables_work_with_the_web_sdk() {
    passes("callables.test.mjs");
}

#[test]
fn what_happens_calls_functions_of_both_generations() {
    passes("events.test.mjs");
}

#[test]
fn rewrites_of_hosting_lead_to_functions() {
    passes("hosting.test.mjs");
}

fn save(project: &Path, file: &str, text: &str) {
    let path = project.join(file);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, text).expect("saved");
}

fn project(index: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    save(folder.path(), "firebase.json", r#"{ "functions": { "source": "functions" } }"#);
    save(folder.path(), ".firebaserc", r#"{ "projects": { "default": "demo-hot" } }"#);
    save(folder.path(), "functions/package.json", r#"{ "main": "index.js" }"#);
    save(folder.path(), "functions/index.js", index);
    folder
}

fn exports(names: &[&str]) -> String {
    let mut text = "const { onRequest } = require('firebase-functions/v2/https');\n".to_owned();
    for name in names {
        text.push_str(&format!("exports.{name} = onRequest((req, res) => res.send('{name} ' + process.env.WORD));\n"));
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_save_brings_new_functions_and_takes_old_ones_away() {
    let project = project(&exports(&["one"]));
    save(project.path(), "functions/.env", "WORD=first");
    let emu = Emu::start(project.path(), &["--ports", "functions=0,auth=0"]);
    let base = format!("{}/demo-hot/us-central1", emu.url("functions"));
    let says = async |name: &str, status: u16, text: &str| {
        let url = format!("{base}/{name}");
        emu.until(&format!("{name} answers {status} {text}"), || async {
            let answer = emu.send("GET", &url, &[], "").await;
            (answer.status == status && answer.text().starts_with(text)).then_some(())
        })
        .await;
    };
    says("one", 200, "one first").await;
    says("two", 404, "Function us-central1/two does not exist, valid functions are: us-central1/one").await;
    save(project.path(), "functions/index.js", &exports(&["one", "two"]));
    says("two", 200, "two first").await;
    save(project.path(), "functions/index.js", "exports.one = ;\n");
    emu.until("the error is shown", || async { emu.log().contains("functions/index.js:1:15").then_some(()) }).await;
    says("two", 200, "two first").await;
    save(project.path(), "functions/index.js", &exports(&["two"]));
    says("one", 404, "Function us-central1/one does not exist, valid functions are: us-central1/two").await;
    save(project.path(), "functions/.env", "WORD=second");
    says("two", 200, "two second").await;
}

#[test]
fn a_function_is_invoked_by_name_with_what_it_would_get() {
    let project = project(
        "const { onCall } = require('firebase-functions/v2/https');\n\
         exports.group = { add: onCall((request) => request.data.a + 1) };\n",
    );
    let output = Command::new(EMU)
        .args(["invoke", "group-add", "--data", r#"{"a":1}"#, "--project"])
        .arg(project.path())
        .output()
        .expect("emu runs");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let answer: serde_json::Value = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}{err}"));
    assert_eq!((&answer["status"], &answer["body"]), (&200.into(), &r#"{"result":2}"#.into()), "{out}{err}");
}
