//! The genuine SDKs, from outside: what `make test` has installed runs under `emu exec`.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::emu::{EMU, copy};

/// Runs a command under `emu exec`; it must succeed.
pub fn exec(project: &Path, command: &[&str]) {
    exec_with(project, &[], command);
}

/// The same, with options of `emu exec`.
pub fn exec_with(project: &Path, options: &[&str], command: &[&str]) {
    let output = Command::new(EMU)
        .args(["exec", "--project"])
        .arg(project)
        .args(options)
        .arg("--")
        .args(command)
        .current_dir(project)
        .stdin(Stdio::null())
        .output()
        .expect("emu runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}:\n{text}");
}

/// Fails with what to do where the packages of a fixture are not installed.
fn installed(fixture: &str) {
    assert!(
        Path::new("fixtures").join(fixture).join("node_modules").exists(),
        "run `make fixtures` first: fixtures/{fixture} has no node_modules"
    );
}

#[test]
fn the_shop_works_with_the_javascript_sdk() {
    installed("shop");
    exec(copy("shop").path(), &["node", "--test", "test/"]);
}

#[test]
fn boto3_works_on_the_same_endpoints() {
    // Not the file that it links to, which knows none of the packages.
    let python = std::path::absolute("fixtures/python/.venv/bin/python").expect("a path");
    assert!(python.exists(), "run `make fixtures` first: fixtures/python/.venv is missing");
    let script = std::fs::canonicalize("fixtures/python/flow.py").expect("the script");
    installed("shop");
    exec(copy("shop").path(), &[&python.display().to_string(), &script.display().to_string()]);
}
