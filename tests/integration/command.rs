//! The command line as a user meets it: exit codes, messages, and what is left behind.

use std::path::Path;
use std::process::{Command, Output};

use crate::emu::{EMU, Emu, copy};

fn emu(arguments: &[&str]) -> Output {
    Command::new(EMU).args(arguments).env_remove("EMU_PROJECT").stdin(std::process::Stdio::null()).output().expect("emu runs")
}

fn exec(project: &Path, script: &str) -> Output {
    emu(&["exec", "--project", &project.display().to_string(), "--", "sh", "-c", script])
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn exec_passes_the_environment_in_and_the_exit_code_out() {
    let project = copy("limits");
    let script =
        "test -n \"$EMU_URL\" && test -n \"$EMU_ADMIN_URL\" && test -n \"$AWS_ENDPOINT_URL\" && test \"$AWS_REGION\" = us-east-1 && exit 7";
    let output = exec(project.path(), script);
    assert_eq!(output.status.code(), Some(7), "{}", text(&output));
    assert!(!project.path().join(".emu").exists(), "the state was thrown away");
    assert_eq!(exec(project.path(), "kill -9 $$").status.code(), Some(128 + 9));
    let missing = emu(&["exec", "--project", &project.path().display().to_string(), "--", "/no/such/command"]);
    assert_eq!(missing.status.code(), Some(127), "{}", text(&missing));
}

#[test]
fn exec_ends_a_command_that_hangs_when_emu_is_told_to_stop() {
    let project = copy("limits");
    let marker = project.path().join("started");
    let script = format!("trap '' INT; touch {}; sleep 1000 & wait; wait", marker.display());
    let mut child = Command::new(EMU)
        .args(["exec", "--project"])
        .arg(project.path())
        .args(["--timeout", "2", "--", "sh", "-c", &script])
        .stdin(std::process::Stdio::null())
        .spawn()
        .expect("emu runs");
    let status = child.wait().expect("it ends");
    assert!(marker.exists());
    assert_eq!(status.code(), Some(124));
}

#[test]
fn a_project_with_mistakes_is_not_started_and_every_mistake_is_shown_with_its_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let yaml = "service: shop
provider: { name: aws, runtime: nodejs22.x, memorySize: lots }
functions:
  hello:
    handlr: a.handler
    handler: missing.handler
    events: [httpApi: GET /hello, httpAp: GET /x]
";
    std::fs::write(folder.path().join("serverless.yaml"), yaml).expect("a file");
    for command in ["check", "start", "exec"] {
        let project = folder.path().display().to_string();
        let mut arguments = vec![command, "--project", &project];
        if command == "exec" {
            arguments.extend(["--", "true"]);
        }
        let output = emu(&arguments);
        let text = text(&output);
        assert_eq!(output.status.code(), Some(if command == "check" { 1 } else { 125 }), "{command}: {text}");
        for wanted in ["serverless.yaml:2:", "memorySize", "serverless.yaml:5:5", "handlr", "did you mean `handler`", "missing", "httpAp"] {
            assert!(text.contains(wanted), "{command} does not say {wanted}:\n{text}");
        }
    }
}

#[test]
fn malformed_yaml_and_a_missing_project_say_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let project = folder.path().display().to_string();
    let output = emu(&["check", "--project", &project]);
    assert!(!output.status.success());
    assert!(text(&output).contains("serverless.yaml"), "{}", text(&output));
    std::fs::write(folder.path().join("serverless.yml"), "service: [a\nprovider: {").expect("a file");
    let output = emu(&["check", "--project", &project]);
    assert!(!output.status.success());
    assert!(text(&output).contains("serverless.yml:2:"), "{}", text(&output));
}

#[test]
fn invoke_calls_a_function_of_a_stopped_and_of_a_running_project() {
    let project = copy("limits");
    let folder = project.path().display().to_string();
    let arguments = ["invoke", "echo", "--project", &folder, "--data", r#"{"body":"hi"}"#];
    let output = emu(&arguments);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), r#"{"statusCode":200,"body":"hi"}"#);
    let running = Emu::start(project.path(), &[]);
    let output = emu(&arguments);
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), r#"{"statusCode":200,"body":"hi"}"#, "{}", text(&output));
    drop(running);
    let failed = emu(&["invoke", "thrown", "--project", &folder]);
    assert_eq!(failed.status.code(), Some(1), "{}", text(&failed));
    assert!(text(&failed).contains("on purpose"), "{}", text(&failed));
    let unknown = emu(&["invoke", "ecko", "--project", &folder]);
    assert!(text(&unknown).contains("did you mean `echo`"), "{}", text(&unknown));
}

#[test]
fn a_second_emu_on_the_same_state_is_told_who_has_it() {
    let project = copy("limits");
    let first = Emu::start(project.path(), &[]);
    let second = emu(&["start", "--no-tui", "--ports", "http=0,aws=0,admin=0", "--project", &project.path().display().to_string()]);
    assert_eq!(second.status.code(), Some(125));
    assert!(text(&second).contains(&format!("({})", first.admin)), "{}", text(&second));
}

#[test]
fn a_taken_port_gives_the_next_one_or_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let project = copy("limits");
    let folder = project.path().display().to_string();
    let ports = format!("http={port},aws=0,admin=0");
    let strict = emu(&["start", "--no-tui", "--ephemeral", "--strict-ports", "--ports", &ports, "--project", &folder]);
    assert_eq!(strict.status.code(), Some(125));
    assert!(text(&strict).contains(&port.to_string()), "{}", text(&strict));
    let script = emu(&["exec", "--ports", &ports, "--project", &folder, "--", "sh", "-c", "echo $EMU_URL"]);
    assert!(script.status.success(), "{}", text(&script));
    assert!(!text(&script).contains(&format!("http://127.0.0.1:{port}\n")), "{}", text(&script));
}
