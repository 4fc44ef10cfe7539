//! `emu exec` in CI: what it begins with, what it tells, with which code it ends, and what a failed run leaves to be looked at.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::emu::{EMU, Emu, copy};

fn emu(project: &Path, command: &str, arguments: &[&str]) -> Command {
    let mut emu = Command::new(EMU);
    emu.arg(command).arg("--project").arg(project).args(arguments).stdin(Stdio::null());
    for variable in ["EMU_PROJECT", "CI", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"] {
        emu.env_remove(variable);
    }
    emu
}

/// Runs steps of the fixture's `call.mjs`.
fn exec(project: &Path, options: &[&str], steps: &[&str]) -> Output {
    let script = project.join("call.mjs").display().to_string();
    let arguments = [options, &["--", "node", &script], steps].concat();
    emu(project, "exec", &arguments).output().expect("emu runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn check(output: &Output, code: i32, wanted: &[&str]) {
    let (out, err) = (out(output), err(output));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    for wanted in wanted {
        assert!(err.contains(wanted), "{wanted}\n{err}");
    }
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

#[test]
fn what_is_to_fail_a_run_has_a_code_of_its_own_and_the_commands_own_comes_first() {
    let project = copy("exec");
    let run = |fail_on: &str, steps: &[&str]| exec(project.path(), &["--fail-on", fail_on], steps);
    check(&run("dead-letter,error,denied-host", &["get:/hello"]), 0, &["emu exec passed", "invocations  1 of 1 function"]);
    let steps = ["invoke:givesUp", "get:/fails", "get:/outside"];
    let all = ["2 failed invocations", "1 request to a host that is not allowed", "denied.example, asked for by function outside"];
    check(&run("dead-letter,error,denied-host", &steps), 122, &[&all[..], &["failed: 1 dead letter,", "(exit code 122)"]].concat());
    check(&run("error", &["get:/fails"]), 121, &["1 failed invocation", "fails failed: TypeError: no <card> & \"cash\" (functions.mjs:7)"]);
    check(&run("denied-host", &["get:/outside"]), 120, &["denied hosts 1"]);
    check(&run("dead-letter,error", &["get:/fails", "exit:7"]), 7, &["the command ended with exit code 7, 1 failed invocation"]);
    // Nobody asked for a failure.
    check(&exec(project.path(), &[], &steps), 0, &["emu exec passed", "errors       "]);
    let unknown = run("everything", &[]);
    check(&unknown, 2, &["dead-letter, error, denied-host"]);
}

#[test]
fn a_message_that_moves_to_a_dead_letter_queue_is_a_dead_letter() {
    let project = copy("exec");
    let steps = ["send:job", "admin:idle", "admin:clock/advance", "admin:idle"];
    check(
        &exec(project.path(), &["--fail-on", "dead-letter"], &steps),
        122,
        &["queues/jobs → queue/lost was given up: it was received once and not deleted"],
    );
    // It waits to be tried again: that is no dead letter yet.
    check(&exec(project.path(), &["--fail-on", "dead-letter"], &["send:job", "admin:idle"]), 0, &["emu exec passed"]);
}

#[test]
fn a_command_that_takes_too_long_is_ended_and_told() {
    let project = copy("exec");
    let output = emu(project.path(), "exec", &["--timeout", "300ms", "--", "sleep", "1000"]).output().expect("emu runs");
    check(&output, 124, &["the command took longer than 0.3 s and was ended (exit code 124)"]);
}

#[test]
fn more_sample_data_is_laid_over_the_projects_and_is_there_after_a_reset() {
    let project = copy("exec");
    let more = project.path().join("more").display().to_string();
    let steps = ["items", "object:note.txt", "put:mine", "admin:state/reset", "items"];
    let output = exec(project.path(), &["--seed", &more], &steps);
    check(&output, 0, &[]);
    assert_eq!(out(&output), "items a=project b=more c=more\nobject more\nitems a=project b=more c=more\n");
    let missing = exec(project.path(), &["--seed", "/no/such"], &["items"]);
    check(&missing, 125, &["there is no /no/such"]);
}

#[test]
fn variables_of_the_shell_do_not_take_the_sdks_elsewhere() {
    let project = copy("exec");
    let script = project.path().join("call.mjs").display().to_string();
    let output = emu(project.path(), "exec", &["--", "node", &script, "shell:AWS_PROFILE", "shell:AWS_ENDPOINT_URL_S3"])
        .env("AWS_PROFILE", "work")
        .env("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com")
        .output()
        .expect("emu runs");
    assert_eq!(out(&output), "AWS_PROFILE unset\nAWS_ENDPOINT_URL_S3 unset\n", "{}", err(&output));
}

#[test]
fn log_lines_go_to_their_file_and_the_summary_stays() {
    let project = copy("exec");
    let log = project.path().join("logs/emu.log");
    let file = log.display().to_string();
    let output = exec(project.path(), &["--log-file", &file], &["get:/hello", "get:/fails"]);
    check(&output, 0, &[]);
    assert_eq!(out(&output), "/hello 200\n/fails 500\n", "the command's own");
    assert!(err(&output).starts_with("\nemu exec passed\n") && !err(&output).contains("hello is asked"), "{}", err(&output));
    assert!(!err(&output).contains('\x1b'), "no terminal, no colours");
    let log = read(&log);
    assert!(log.contains("hello is asked") && log.contains("TypeError") && !log.contains('\x1b'), "{log}");
    let json = exec(project.path(), &["--log-file", &file, "--log-format", "json"], &["get:/hello"]);
    let summary: Value = serde_json::from_str(err(&json).trim()).unwrap_or_else(|error| panic!("{error}: {}", err(&json)));
    assert_eq!((&summary["type"], &summary["invocations"], &summary["exitCode"]), (&"summary".into(), &1.into(), &0.into()));
    assert!(read(Path::new(&file)).lines().any(|line| serde_json::from_str::<Value>(line).is_ok_and(|record| record["type"] == "log")));
}

#[test]
fn junit_tells_of_the_command_the_conditions_and_the_budgets_and_of_a_project_that_did_not_start() {
    let project = copy("exec");
    let file = project.path().join("reports/emu.xml");
    let junit = file.display().to_string();
    let options = ["--junit", &junit, "--fail-on", "error,dead-letter", "--budget", "GET /hello<=0.0000000001", "--budget", "hello<=1"];
    let output = exec(project.path(), &options, &["get:/hello", "get:/fails"]);
    check(&output, 121, &["1 failed invocation, 1 budget exceeded"]);
    let xml = read(&file);
    for wanted in [
        "name=\"emu.fail-on\" timestamp=",
        "<testcase name=\"dead-letter\" classname=\"emu.fail-on\" time=\"0.000\"/>",
        "<failure message=\"1 failed invocation\" type=\"error\">fails failed: TypeError: no &lt;card&gt; &amp; \"cash\" (functions.mjs:7)</failure>",
        "<testcase name=\"GET /hello\" classname=\"emu.budgets\"",
        "<testcase name=\"hello\" classname=\"emu.budgets\" time=\"0.000\"/>",
    ] {
        assert!(xml.contains(wanted), "{wanted}\n{xml}");
    }
    // Read by a parser that is not ours.
    let parse = "import sys, xml.etree.ElementTree as e; print(sum(int(s.get('failures')) for s in e.parse(sys.argv[1]).getroot()))";
    let parsed = Command::new("python3").args(["-c", parse]).arg(&file).output().expect("python runs");
    assert_eq!(out(&parsed).trim(), "2", "{}", err(&parsed));
    std::fs::write(project.path().join("serverless.yaml"), "service: x\nprovider: { name: aws, memorySize: lots }\n").expect("written");
    let output = exec(project.path(), &["--junit", &junit], &[]);
    check(&output, 125, &["memorySize"]);
    assert!(read(&file).contains("<failure") && read(&file).contains("memorySize"), "{}", read(&file));
}

#[test]
fn github_is_shown_problems_at_their_places() {
    let project = copy("exec");
    let script = project.path().join("call.mjs").display().to_string();
    let run = |variables: &[(&str, &str)]| {
        let mut command = emu(project.path(), "exec", &["--fail-on", "error", "--", "node", &script, "get:/fails", "get:/outside"]);
        command.envs(variables.iter().copied()).env("GITHUB_WORKSPACE", project.path());
        let output = command.output().expect("emu runs");
        assert!(!out(&output).contains("::"), "standard output is the command's");
        err(&output).lines().filter(|line| line.starts_with("::")).map(str::to_owned).collect::<Vec<_>>()
    };
    let lines = run(&[("GITHUB_ACTIONS", "true")]);
    let error = "::error file=functions.mjs,line=7,col=13,title=function fails failed::fails failed: TypeError: no <card> & \"cash\" (functions.mjs:7)";
    assert!(lines.iter().any(|line| line == error), "{lines:#?}");
    assert!(lines.iter().any(|line| line.starts_with("::warning ") && line.contains("denied.example")), "{lines:#?}");
    assert_eq!(run(&[("CI", "true")]), lines);
    assert!(run(&[]).is_empty() && run(&[("CI", "true"), ("GITHUB_ACTIONS", "false")]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_run_leaves_a_bundle_that_can_be_started_traced_and_run_again() {
    let (project, folder) = (copy("exec"), tempfile::tempdir().expect("a folder"));
    let dir = folder.path().join("post-mortem");
    let bundle = dir.display().to_string();
    let options = ["--export-on-fail", &bundle, "--fail-on", "error"];
    check(&exec(project.path(), &options, &["get:/hello"]), 0, &["passed"]);
    assert!(!dir.exists(), "nothing failed");
    check(&exec(project.path(), &options, &["put:mine", "get:/fails"]), 121, &[&format!("emu start --import {bundle}")]);
    check(&exec(project.path(), &options, &["put:again", "get:/fails", "exit:3"]), 3, &[]);
    for file in
        ["bundle.json", "README.md", "summary.txt", "summary.json", "journal.db", "state/export.json", "state/tables/things/items.jsonl"]
    {
        assert!(dir.join(file).is_file(), "{file}");
    }
    let drawn: Vec<_> = std::fs::read_dir(dir.join("traces")).expect("a folder").flatten().collect();
    assert_eq!(drawn.len(), 1);
    assert!(read(&drawn[0].path()).contains("fails failed: TypeError") && read(&dir.join("summary.txt")).contains("emu exec failed"));
    let left: Vec<_> = std::fs::read_dir(folder.path()).expect("a folder").flatten().collect();
    assert_eq!(left.len(), 1, "nothing beside it: {left:?}");
    // Without starting anything.
    let ask = |arguments: &[&str]| {
        let output = emu(project.path(), arguments[0], &arguments[1..]).env("NO_COLOR", "1").output().expect("emu runs");
        assert!(output.status.success(), "{arguments:?}: {}", err(&output));
        out(&output)
    };
    assert!(ask(&["trace", "latest", "--state", &bundle]).contains("GET /fails"));
    assert!(ask(&["logs", "--state", &bundle]).contains("TypeError"));
    // Running on it; the clock stands still, and the journal goes on.
    let emu = Emu::start(project.path(), &["--import", &bundle]);
    let items = emu.dynamodb("Scan", serde_json::json!({ "TableName": "things" })).await;
    let ids: Vec<&str> = items["Items"].as_array().expect("items").iter().filter_map(|item| item["id"]["S"].as_str()).collect();
    assert!(ids.contains(&"again") && ids.contains(&"a") && !ids.contains(&"mine"), "{items}");
    let clock = emu.send("GET", &format!("{}/emu/v1/clock", emu.admin), &[], "").await.text();
    assert!(clock.contains("\"frozen\":true"), "{clock}");
    let trace = emu.send("GET", &format!("{}/emu/v1/traces/latest", emu.admin), &[], "").await.text();
    assert!(trace.contains("/fails"), "{trace}");
    assert_eq!(emu.get("/hello").await.status, 200);
    assert!(emu.send("POST", &format!("{}/emu/v1/state/reset", emu.admin), &[], "{}").await.status == 200);
    let items = emu.dynamodb("Scan", serde_json::json!({ "TableName": "things" })).await.to_string();
    assert!(items.contains("again"), "a reset goes back to what it began with: {items}");
    drop(emu);
    assert!(!project.path().join(".emu").exists(), "the state of one's own work is left alone");
    let output = exec(project.path(), &["--import", &bundle], &["items"]);
    check(&output, 0, &[]);
    assert_eq!(out(&output), "items a=project again=command b=project\n");
    // Into a state that is kept, but only a new one.
    let kept = project.path().join(".kept").display().to_string();
    check(&exec(project.path(), &["--import", &bundle, "--state", &kept], &["put:more"]), 0, &[]);
    check(&exec(project.path(), &["--import", &bundle, "--state", &kept], &[]), 125, &["there is a state in", "emu state import"]);
    assert!(ask(&["state", "import", &bundle, "--state", &kept]).contains("imported"));
    let output = exec(project.path(), &["--state", &kept], &["items"]);
    assert_eq!(out(&output), "items a=project again=command b=project\n");
    let more = project.path().join("more").display().to_string();
    check(&exec(project.path(), &["--seed", &more, "--state", &kept], &[]), 0, &["note: `--seed` was not laid over"]);
    // What is no bundle is not replaced.
    let taken = project.path().display().to_string();
    check(&exec(project.path(), &["--export-on-fail", &taken], &["exit:1"]), 125, &["is no bundle of emu's"]);
    assert!(project.path().join("serverless.yaml").exists());
}

#[test]
fn an_import_that_fails_leaves_nothing_behind() {
    let project = copy("exec");
    let kept = project.path().join(".kept").display().to_string();
    let empty = tempfile::tempdir().expect("a folder");
    let empty = empty.path().display().to_string();
    check(&exec(project.path(), &["--import", &empty, "--state", &kept], &[]), 125, &["no export of emu's"]);
    let output = exec(project.path(), &["--state", &kept], &["items"]);
    assert_eq!(out(&output), "items a=project b=project\n", "the next start begins as if nothing had been: {}", err(&output));
}

/// So many runs of one project at the same time: each has its own state, ports and answers.
fn at_once(many: usize, cache: Option<&str>) {
    let project = copy("exec");
    let script = project.path().join("call.mjs").display().to_string();
    let runs: Vec<_> = (0..many)
        .map(|n| {
            let id = format!("put:run-{n}");
            let steps = ["items", "get:/hello", id.as_str(), "get:/hello", "items", "admin:idle"];
            let arguments = [&["--fail-on", "error,dead-letter", "--", "node", script.as_str()], &steps[..]].concat();
            let mut command = emu(project.path(), "exec", &arguments);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.envs(cache.map(|cache| ("EMU_CACHE", project.path().join(cache))));
            (n, command.spawn().expect("emu runs"))
        })
        .collect();
    for (n, run) in runs {
        let output = run.wait_with_output().expect("it ends");
        check(&output, 0, &["emu exec passed", "invocations  2 of 1 function"]);
        let wanted = format!("items a=project b=project\n/hello 200\n/hello 200\nitems a=project b=project run-{n}=command\n");
        assert_eq!(out(&output), wanted, "{}", err(&output));
    }
    assert!(!project.path().join(".emu").exists());
}

#[test]
fn twenty_at_once_do_not_disturb_each_other() {
    at_once(20, None);
}

#[test]
fn those_who_fill_the_cache_together_do_not_disturb_each_other() {
    at_once(3, Some("cache"));
}
