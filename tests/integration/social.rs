//! `fixtures/social`: a whole app on Firebase, by the genuine SDKs, and by its page in two browsers.

use std::path::Path;

use tempfile::TempDir;

use crate::emu::copy;
use crate::sdk::exec;

/// A fresh copy.
fn project() -> TempDir {
    let packages = "run `make fixtures` first: fixtures/social has no node_modules";
    assert!(Path::new("fixtures/social/node_modules").exists(), "{packages}");
    copy("social")
}

/// Runs one of its tests, with the page built.
fn passes(folder: &TempDir, test: &str) {
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("social");
    let command =
        format!("npm run --silent build && SOCIAL_PICTURES='{}' node --import tsx --test test/{test}.test.ts", pictures.display());
    exec(folder.path(), &["sh", "-c", &command]);
}

#[test]
fn the_app_works_with_the_genuine_sdks() {
    passes(&project(), "social");
}

#[test]
fn the_app_works_with_the_installed_packages_in_its_functions() {
    let folder = project();
    let file = folder.path().join("firebase.json");
    let mut settings: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).expect("it is there")).expect("JSON");
    settings["emu"] = serde_json::json!({ "modules": "installed" });
    std::fs::write(&file, settings.to_string()).expect("written");
    passes(&folder, "social");
}

#[test]
fn what_one_browser_posts_another_sees_appear() {
    if !Path::new("/usr/bin/chromium").exists() && std::env::var_os("CHROMIUM").is_none() {
        eprintln!("skipped: `make tools` installs Chromium, in which pages are tested");
        return;
    }
    passes(&project(), "page");
}
