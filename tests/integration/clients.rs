//! The clients for test runners (`clients/`), under each runner that they are for: what `make test` has installed runs under `emu exec`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::emu::{EMU, Emu, copy};

/// A file that `make fixtures` installs.
fn installed(path: &str) -> PathBuf {
    let found = std::path::absolute(path).expect("a path");
    assert!(found.exists(), "run `make fixtures` first: {path} is missing");
    found
}

/// Runs a command of a client's folder against the project that the clients are tried on; it must succeed.
fn exec(client: &str, command: &[&str]) -> String {
    let project = copy("clients");
    let output = Command::new(EMU)
        .args(["exec", "--project"])
        .arg(project.path())
        .arg("--")
        .args(command)
        .current_dir(Path::new("clients").join(client))
        .env_remove("CI")
        .stdin(Stdio::null())
        .output()
        .expect("emu runs");
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}:\n{text}");
    text
}

fn npm(script: &str) -> String {
    installed("clients/node/node_modules");
    exec("node", &["npm", "run", "--silent", script])
}

#[test]
fn the_node_client_works_under_node_test() {
    let text = npm("test:node");
    assert!(text.contains("# fail 0") || text.contains("fail 0"), "{text}");
}

#[test]
fn the_node_client_works_under_vitest() {
    assert!(npm("test:vitest").contains("passed"));
}

#[test]
fn the_node_client_works_under_jest() {
    assert!(npm("test:jest").contains("passed"));
}

#[test]
fn the_node_clients_types_say_what_it_does() {
    installed("clients/node/node_modules");
    let output = Command::new("npm").args(["run", "--silent", "check"]).current_dir("clients/node").output().expect("npm runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn the_python_client_works_under_pytest_and_its_types_hold() {
    let python = installed("clients/python/.venv/bin/python").display().to_string();
    let text = exec("python", &[&python, "-m", "pytest", "-q", "-p", "no:cacheprovider"]);
    assert!(text.contains("passed"), "{text}");
    let output =
        Command::new(&python).args(["-m", "mypy", "--no-error-summary"]).current_dir("clients/python").output().expect("mypy runs");
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_of_the_admin_api_takes_a_world_and_knows_only_the_one() {
    let project = copy("clients");
    let emu = Emu::start(project.path(), &["--ephemeral"]);
    let calls = [
        ("GET", "health", Value::Null),
        ("POST", "idle", json!({ "timeoutMs": 10_000 })),
        ("GET", "clock", Value::Null),
        ("POST", "clock/freeze", Value::Null),
        ("POST", "clock/advance", json!({ "ms": 1 })),
        ("POST", "clock/resume", Value::Null),
        ("POST", "clock/set", json!({ "time": "now" })),
        ("GET", "state", Value::Null),
        ("POST", "state/snapshot", json!({ "name": "a" })),
        ("POST", "state/restore", json!({ "name": "a" })),
        ("POST", "state/diff", json!({ "a": "a", "b": "now" })),
        ("POST", "state/export", json!({ "dir": project.path().join("out") })),
        ("POST", "state/import", json!({ "dir": project.path().join("out") })),
        ("POST", "state/reset", json!({})),
        ("POST", "functions/echo/invocations", json!({})),
        ("GET", "invocations", Value::Null),
        ("GET", "mails", Value::Null),
        ("DELETE", "mails", Value::Null),
        ("GET", "dead-letters", Value::Null),
        ("GET", "records", Value::Null),
        ("GET", "traces/latest", Value::Null),
    ];
    for (method, path, body) in calls {
        let ask = async |world: &str| {
            let body = if body.is_null() { String::new() } else { body.to_string() };
            emu.send(method, &format!("{}/emu/v1/{path}{world}", emu.admin), &[], body).await
        };
        let other = ask("?world=other").await;
        assert_eq!(other.status, 404, "{method} {path}: {}", other.text());
        assert!(other.text().contains("there is no World `other`; this emu has one, `default`"), "{}", other.text());
        for world in ["?world=default", ""] {
            // An export is there already the second time.
            if path == "state/export" && world.is_empty() || path == "state/snapshot" && world.is_empty() {
                continue;
            }
            let same = ask(world).await;
            assert_eq!(same.status, 200, "{method} {path}{world}: {}", same.text());
        }
    }
}
