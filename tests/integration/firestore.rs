//! Firestore with the genuine SDKs, which `make test` has installed, under `emu exec`.

use std::path::{Path, PathBuf};

use crate::emu::copy;
use crate::sdk::exec;

/// A project that has nothing but Firestore.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("firebase.json"), r#"{"firestore": {}}"#).expect("a file");
    folder
}

fn script(name: &str) -> String {
    assert!(Path::new("tests/firebase/node_modules").exists(), "run `make fixtures` first: tests/firebase has no node_modules");
    let path: PathBuf = std::fs::canonicalize(Path::new("tests/firebase/firestore").join(name)).expect("the script");
    path.display().to_string()
}

#[test]
fn the_server_sdks_work_over_grpc_and_rest() {
    exec(project().path(), &["node", "--test", &script("server.test.mjs")]);
}

#[test]
fn the_sdks_of_apps_work() {
    exec(project().path(), &["node", "--test", &script("app.test.mjs")]);
}

#[test]
fn pipelines_work_with_every_sdk_that_has_them() {
    exec(project().path(), &["node", "--test", &script("pipeline.test.mjs")]);
}

#[test]
fn the_browsers_build_works_over_web_channel() {
    exec(project().path(), &["node", "--test", &script("browser.test.mjs")]);
}

#[test]
fn a_page_works_in_a_browser() {
    let chromium = std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    if !chromium.exists() {
        eprintln!("skipped: there is no Chromium; `make tools` installs it, or `CHROMIUM` says where it is");
        return;
    }
    exec(copy("../tests/firebase/browser").path(), &["node", "--test", &script("../browser/page.test.mjs")]);
}

#[test]
fn the_python_sdk_works() {
    // Not the file that it links to, which knows none of the packages.
    let python = std::path::absolute("fixtures/python/.venv/bin/python").expect("a path");
    assert!(python.exists(), "run `make fixtures` first: fixtures/python/.venv is missing");
    exec(project().path(), &[&python.display().to_string(), &script("flow.py")]);
}
