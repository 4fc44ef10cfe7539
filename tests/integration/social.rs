//! `fixtures/social`: a whole app on Firebase, by the genuine SDKs, and by its page in two browsers.

use std::path::Path;

use crate::emu::copy;
use crate::sdk::exec;

/// Runs one of its tests, with the page built, against a fresh copy.
fn passes(test: &str) {
    let packages = "run `make fixtures` first: fixtures/social has no node_modules";
    assert!(Path::new("fixtures/social/node_modules").exists(), "{packages}");
    let folder = copy("social");
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("social");
    let command =
        format!("npm run --silent build && SOCIAL_PICTURES='{}' node --import tsx --test test/{test}.test.ts", pictures.display());
    exec(folder.path(), &["sh", "-c", &command]);
}

#[test]
fn the_app_works_with_the_genuine_sdks() {
    passes("social");
}

#[test]
fn what_one_browser_posts_another_sees_appear() {
    if !Path::new("/usr/bin/chromium").exists() && std::env::var_os("CHROMIUM").is_none() {
        eprintln!("skipped: `make tools` installs Chromium, in which pages are tested");
        return;
    }
    passes("page");
}
