//! `emu doctor` and `emu man`, as a user asks them.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::emu::{EMU, Emu, copy};

fn doctor(project: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut emu = Command::new(EMU);
    emu.arg("doctor").arg("--project").arg(project).args(arguments).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_") || name == "EMU_PROJECT") {
        emu.env_remove(name);
    }
    emu.envs(variables.iter().copied()).output().expect("emu runs")
}

/// The findings of one check.
fn found(output: &Output, check: &str) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let told: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let all = told["findings"].as_array().expect("findings").iter();
    all.filter(|finding| finding["check"] == check).cloned().collect()
}

fn edit(project: &Path, from: &str, to: &str) {
    let file = project.join("serverless.yaml");
    let text = std::fs::read_to_string(&file).expect("a project");
    assert!(text.contains(from), "{text}");
    std::fs::write(file, text.replace(from, to)).expect("written");
}

#[test]
fn what_is_wrong_with_a_project_is_found_and_mended_by_the_command_that_is_told() {
    let project = copy("exec");
    let sound = doctor(project.path(), &["--json"], &[]);
    for check in ["project", "packages", "state", "journal", "variables", "folders", "sandbox", "clock"] {
        assert_eq!(found(&sound, check), [] as [Value; 0], "{check}");
    }
    let elsewhere = doctor(project.path(), &["--json"], &[("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com")]);
    assert_eq!(elsewhere.status.code(), Some(1));
    assert_eq!(found(&elsewhere, "variables")[0]["mend"], "unset AWS_ENDPOINT_URL_S3");
    std::fs::write(project.path().join("package.json"), r#"{"dependencies":{"left-pad":"1"}}"#).expect("written");
    let missing = doctor(project.path(), &["--json"], &[]);
    assert_eq!((missing.status.code(), &found(&missing, "packages")[0]["severity"]), (Some(1), &"broken".into()));
    let text = doctor(project.path(), &[], &[]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(
        text.contains("broken packages: package.json asks for `left-pad`") && text.contains("npm install") && !text.contains('\x1b'),
        "{text}"
    );
    edit(project.path(), "timeout: 5", "timeout: soon");
    let wrong = doctor(project.path(), &["--json"], &[]);
    let what = found(&wrong, "project")[0]["what"].as_str().expect("text").to_owned();
    assert!(what.contains("timeout"), "{what}");
    let nowhere = doctor(&project.path().join("more"), &["--json"], &[]);
    assert!(found(&nowhere, "project")[0]["what"].as_str().is_some_and(|what| what.contains("there is no project")));
}

#[test]
fn who_has_a_port_or_the_state_is_named() {
    let project = copy("exec");
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    edit(project.path(), "emu:\n", &format!("emu:\n  ports: {{ http: {port} }}\n"));
    let ports = found(&doctor(project.path(), &["--json"], &[]), "ports");
    let here = ports.iter().find(|finding| finding["what"].as_str().is_some_and(|what| what.contains(&format!("port {port} (http)"))));
    let here = here.unwrap_or_else(|| panic!("{ports:?}"));
    if cfg!(target_os = "linux") {
        assert!(here["what"].as_str().is_some_and(|what| what.contains(&format!("(process {})", std::process::id()))), "{here}");
    }
    drop(taken);
    let emu = Emu::start(project.path(), &[]);
    let running = doctor(project.path(), &["--json"], &[]);
    assert_eq!(found(&running, "state"), [] as [Value; 0], "it runs and answers");
    drop(emu);
    // As a newer emu leaves it.
    let database = rusqlite::Connection::open(project.path().join(".emu/state.db")).expect("a database");
    database.execute("UPDATE schema_versions SET version = 99 WHERE part = 'mail'", []).expect("changed");
    drop(database);
    let newer = doctor(project.path(), &["--json"], &[]);
    assert!(found(&newer, "state")[0]["what"].as_str().is_some_and(|what| what.contains("newer emu (its `mail`)")), "{newer:?}");
}

#[test]
fn manual_pages_are_printed_and_written_one_for_each_command() {
    let run = |arguments: &[&str]| {
        let output = Command::new(EMU).args(arguments).stdin(Stdio::null()).output().expect("emu runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["man"]).contains(".TH emu 1"));
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("man1");
    let said = run(&["man", "--dir", &dir.display().to_string()]);
    let pages: Vec<_> = std::fs::read_dir(&dir).expect("a folder").flatten().collect();
    assert!(said.starts_with(&format!("{} pages", pages.len())) && pages.len() > 20, "{said}");
    for page in ["emu.1", "emu-exec.1", "emu-state-reset.1"] {
        assert!(dir.join(page).is_file(), "{page}");
    }
}
