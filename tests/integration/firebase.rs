//! The genuine Firebase SDKs, from outside: what `make test` has installed runs under `emu exec`, and finds emu by its variables alone.

use std::path::Path;

use serde_json::{Value, json};

use crate::emu::{Emu, copy};
use crate::sdk::{exec, exec_with};

/// Runs one file of tests against a fresh copy of `tests/firebase`. Tests of one file share the project, so that files do not.
fn passes(file: &str) {
    passes_with(file, &[]);
}

/// The same, with options of `emu exec`.
fn passes_with(file: &str, options: &[&str]) {
    passes_by(file, &[], options);
}

/// The same, with variables for the test.
fn passes_by(file: &str, variables: &[&str], options: &[&str]) {
    assert!(Path::new("tests/firebase/node_modules").exists(), "run `make fixtures` first: tests/firebase has no node_modules");
    let folder = copy("../tests/firebase");
    // A project of its own: tools find the latest emu of a project.
    let id = format!("demo-{}", file.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    std::fs::write(folder.path().join(".firebaserc"), json!({ "projects": { "default": id } }).to_string()).expect("a file");
    // What else a test may import.
    let others = format!("S3_PACKAGES={}/", std::fs::canonicalize("fixtures/shop").expect("the shop").display());
    let command = [&["env", &others], variables, &["node", "--test", file]].concat();
    exec_with(folder.path(), options, &command);
}

#[test]
fn an_export_of_firebases_own_emulators_is_imported() {
    passes_with("import.test.mjs", &["--import", "export"]);
}

#[test]
fn the_admin_sdk_sends_pushes_without_any_configuration() {
    passes("messaging.test.mjs");
    passes_by("messaging.test.mjs", &["ADMIN_SDK=firebase-admin-14"], &[]);
}

#[test]
fn the_web_sdk_stores_files() {
    passes("storage/web.test.mjs");
}

#[test]
fn the_server_sdks_and_s3_share_files() {
    passes("storage/server.test.mjs");
    passes_by("storage/server.test.mjs", &["ADMIN_SDK=firebase-admin-14"], &[]);
}

#[test]
fn the_web_sdk_signs_users_in() {
    passes("auth/web.test.mjs");
}

#[test]
fn the_browsers_build_signs_phones_in_and_asks_for_second_factors() {
    passes("auth/phone.test.mjs");
}

#[test]
fn the_admin_sdk_administers_users() {
    passes("auth/admin.test.mjs");
    passes_by("auth/admin.test.mjs", &["ADMIN_SDK=firebase-admin-14"], &[]);
}

#[test]
fn tools_find_emu_by_the_hub() {
    passes("hub.test.mjs");
}

#[test]
fn the_environment_of_rules_tests_works() {
    passes("rules.test.mjs");
}

#[test]
fn the_pubsub_sdks_work() {
    passes("pubsub/node.test.mjs");
    // Not the file that it links to, which knows none of the packages.
    let python = std::path::absolute("fixtures/python/.venv/bin/python").expect("a path");
    assert!(python.exists(), "run `make fixtures` first: fixtures/python/.venv is missing");
    let script = std::fs::canonicalize("tests/firebase/pubsub/flow.py").expect("the script");
    exec(project(&[("firebase.json", "{}")]).path(), &[&python.display().to_string(), &script.display().to_string()]);
}

#[test]
fn what_is_published_calls_functions() {
    let folder = copy("../tests/firebase");
    let project = folder.path().join("pubsub");
    std::fs::write(project.join(".firebaserc"), json!({ "projects": { "default": "demo-published" } }).to_string()).expect("a file");
    exec(&project, &["node", "--test", "trigger.test.mjs"]);
}

/// A Firebase project in a folder of its own.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

const PORTS: [&str; 2] = ["--ports", "auth=0,firestore=0,pubsub=0,hosting=0"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_outlive_a_restart_and_a_reset_removes_them() {
    let project = project(&[("firebase.json", "{}")]);
    let sign_up = r#"{"email":"a@b.c","password":"secret"}"#;
    let at = |emu: &Emu, operation: &str| format!("{}/identitytoolkit.googleapis.com/v1/accounts:{operation}?key=k", emu.url("auth"));
    let emu = Emu::start(project.path(), &PORTS);
    let answer = emu.send("POST", &at(&emu, "signUp"), &[], sign_up).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    emu.kill_now();
    drop(emu);
    let emu = Emu::start(project.path(), &PORTS);
    let signed = emu.send("POST", &at(&emu, "signInWithPassword"), &[], sign_up).await;
    assert_eq!(signed.json()["email"], "a@b.c", "{}", signed.text());
    let reset = emu.send("POST", &format!("{}/emu/v1/state/reset", emu.admin), &[], r#"{"service":"auth"}"#).await;
    assert_eq!(reset.status, 200, "{}", reset.text());
    let gone = emu.send("POST", &at(&emu, "signInWithPassword"), &[], sign_up).await;
    assert_eq!(gone.json()["error"]["message"], "EMAIL_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_of_this_machine_may_call_with_credentials_and_others_may_not() {
    let project = project(&[("firebase.json", "{}")]);
    let emu = Emu::start(project.path(), &PORTS);
    let url = format!("{}/identitytoolkit.googleapis.com/v1/accounts:signUp?key=k", emu.url("auth"));
    let page = [
        ("origin", "http://localhost:5173"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "x-client-version"),
    ];
    let asked = emu.send("OPTIONS", &url, &page, "").await;
    let said = |name: &str| asked.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    assert_eq!((said("access-control-allow-origin"), said("access-control-allow-credentials")), (page[0].1.to_owned(), "true".to_owned()));
    assert_eq!(said("access-control-allow-headers"), "x-client-version");
    let refused = emu.send("POST", &url, &[("origin", "https://evil.example")], "{}").await;
    assert_eq!(refused.status, 403, "{}", refused.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_of_firebase_are_told_of_like_all_others() {
    let project = project(&[("firebase.json", "{}")]);
    let emu = Emu::start(project.path(), &PORTS);
    let url = format!("{}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=k", emu.url("auth"));
    emu.send("POST", &url, &[], r#"{"email":"nobody@b.c","password":"secret"}"#).await;
    let record = emu
        .until("a record of the operation", || async {
            let lines = emu.log();
            lines.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find(|record| record["service"] == "auth")
        })
        .await;
    assert_eq!((&record["action"], &record["error"]), (&json!("SignInWithPassword"), &json!("EMAIL_NOT_FOUND")), "{record}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hosting_serves_a_site_and_takes_its_new_rules_on_save() {
    let rules = |rewrites: &str| format!(r#"{{ "hosting": {{ "public": "public", "rewrites": [{rewrites}] }} }} // the site"#);
    let project = project(&[("firebase.json", &rules("")), ("public/index.html", "<html><head></head><p>hello")]);
    let emu = Emu::start(project.path(), &PORTS);
    let get = async |path: &str| emu.send("GET", &format!("{}{path}", emu.url("hosting")), &[], "").await;
    let page = get("/").await.text();
    let auth = emu.url("auth").replace("http://", "");
    assert!(page.contains("__FIREBASE_DEFAULTS__") && page.contains(&format!(r#""auth":"{auth}""#)), "{page}");
    assert!(get("/__/firebase/init.json").await.json()["projectId"].as_str().is_some_and(|id| id.starts_with("demo-")));
    assert_eq!(get("/deep/link").await.status, 404);
    std::fs::write(project.path().join("firebase.json"), rules(r#"{ "source": "**", "destination": "/index.html" }"#)).expect("written");
    emu.until("the rewrite", || async { (get("/deep/link").await.status == 200).then_some(()) }).await;
}
