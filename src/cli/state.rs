//! `emu state`: the state as a whole, saved, restored, reset, exported, imported, compared.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Subcommand, ValueHint};
use serde_json::Value;

use super::{JournalArgs, output, records, remote, start};
use crate::app::{Holder, Offline, StateFolder};
use crate::gateway::state::{self, StateAsk};

#[derive(Subcommand, Debug, Clone)]
pub enum Command {
    /// Show the snapshots there are
    #[command(after_help = "Examples:
  emu state list
  emu state list --json")]
    List,
    /// Save the state under a name
    ///
    /// Quick, whatever its size: large objects are shared, and so is the database where the file system can. It does
    /// not disturb those who are at work.
    #[command(after_help = "Examples:
  emu state snapshot before-migration
  emu state snapshot nightly --force")]
    Snapshot {
        /// What to call it
        name: String,
        /// Replace a snapshot of that name
        #[arg(long)]
        force: bool,
    },
    /// Put a snapshot's state, and its clock, in the place of the present one
    ///
    /// What is under way ends with the state before. A kill at any moment leaves one or the other.
    #[command(after_help = "Examples:
  emu state restore before-migration")]
    Restore {
        /// What it is called
        name: String,
    },
    /// Go back to what a new start begins with: the project's resources, its seed, the machine's time
    #[command(after_help = "Examples:
  emu state reset
  emu state reset mail")]
    Reset {
        /// Only this: tables, objects, queues, topics, mail, push, schedules, deliveries
        service: Option<String>,
    },
    /// Write the state as a folder of text files that can be read, compared and kept with the sources
    ///
    /// The same state gives the same bytes.
    #[command(after_help = "Examples:
  emu state export fixtures/state
  emu state export fixtures/state --force")]
    Export {
        /// The folder; made where missing
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// Replace an export that is there
        #[arg(long)]
        force: bool,
    },
    /// Put the state of an export, or of a bundle of `emu exec --export-on-fail`, in the place of the present one
    #[command(after_help = "Examples:
  emu state import fixtures/state
  emu state import post-mortem --no-triggers")]
    Import {
        /// The folder
        #[arg(value_hint = ValueHint::DirPath)]
        dir: PathBuf,
        /// Leave out events that were not delivered when it was exported
        #[arg(long)]
        no_triggers: bool,
    },
    /// Show what was added, removed and changed from one state to another
    #[command(after_help = "Examples:
  emu state diff before-migration
  emu state diff fixtures/state now --json")]
    Diff {
        /// A snapshot's name, an export's folder, or `now`
        a: String,
        /// The same
        #[arg(default_value = "now")]
        b: String,
    },
}

pub fn run(command: &Command, args: &JournalArgs, as_json: bool) -> anyhow::Result<ExitCode> {
    let Some(folder) = records::folder(args) else { return Ok(ExitCode::FAILURE) };
    let ask = asked(command)?;
    let answer = start::runtime(start::Lines::Err)?.block_on(async {
        match StateFolder::holder(&folder) {
            Some(Holder { admin: Some(admin), .. }) => {
                let (method, path, body) = ask.request();
                remote::ask(&admin, method, &format!("state{path}"), &body).await.map(Ok)
            }
            _ => match Offline::open(&start::load(&args.project), args.state.as_deref()).await {
                Ok(state) => Ok(Ok(state.answer(ask).await?)),
                Err(error) => start::not_started(error).map(Err),
            },
        }
    })?;
    let answer = match answer {
        Ok(answer) => answer,
        Err(code) => return Ok(code),
    };
    output::print(&if as_json { format!("{answer}\n") } else { shown(command, &answer) });
    Ok(ExitCode::SUCCESS)
}

fn asked(command: &Command) -> anyhow::Result<StateAsk> {
    Ok(match command {
        Command::List => StateAsk::List,
        Command::Snapshot { name, force } => StateAsk::Snapshot(state::Snapshot { name: name.clone(), force: *force }),
        Command::Restore { name } => StateAsk::Restore(state::Restore { name: name.clone() }),
        Command::Reset { service } => StateAsk::Reset(state::Reset { service: service.clone() }),
        Command::Export { dir, force } => StateAsk::Export(state::Export { dir: absolute(dir)?, force: *force }),
        Command::Import { dir, no_triggers } => StateAsk::Import(state::Import { dir: absolute(dir)?, triggers: !no_triggers }),
        Command::Diff { a, b } => StateAsk::Diff(state::Diff { a: side(a)?, b: side(b)? }),
    })
}

/// The running emu may have another working folder.
fn absolute(dir: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(dir).with_context(|| format!("`{}` is no path", dir.display()))
}

/// What has a separator is a folder, or a folder that is there.
fn side(text: &str) -> anyhow::Result<String> {
    let path = Path::new(text);
    if !text.contains(std::path::MAIN_SEPARATOR) && !path.is_dir() {
        return Ok(text.to_owned());
    }
    let path = absolute(path)?;
    path.into_os_string().into_string().ok().with_context(|| format!("`{text}` is not text"))
}

fn shown(command: &Command, answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    match command {
        Command::List => list(answer),
        Command::Snapshot { .. } => format!("saved `{}`, {}\n", text("name"), bytes(&answer["bytes"])),
        Command::Restore { .. } => format!("restored `{}`, taken {}\n", text("name"), text("taken")),
        Command::Reset { .. } => format!("reset {}\n", text("reset")),
        Command::Export { dir, .. } => format!("exported to {}: {} files\n", dir.display(), answer["files"]),
        Command::Import { dir, .. } => format!("imported {}\n", dir.display()),
        Command::Diff { .. } => super::difference::shown(answer),
    }
}

fn list(answer: &Value) -> String {
    let snapshots = answer["snapshots"].as_array().map(Vec::as_slice).unwrap_or_default();
    if snapshots.is_empty() {
        return "no snapshots; `emu state snapshot NAME` takes one\n".to_owned();
    }
    let cell = |snapshot: &Value, name: &str| snapshot[name].as_str().unwrap_or_default().to_owned();
    let wide = snapshots.iter().map(|snapshot| cell(snapshot, "name").len()).max().unwrap_or(0);
    let line = |s: &Value| format!("{:<wide$}  {}  {:>9}\n", cell(s, "name"), cell(s, "taken"), bytes(&s["bytes"]));
    snapshots.iter().map(line).collect()
}

fn bytes(value: &Value) -> String {
    let bytes = value.as_u64().unwrap_or(0);
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{:.1} KiB", bytes as f64 / 1_024.0),
        1_048_576..1_073_741_824 => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
        _ => format!("{:.2} GiB", bytes as f64 / 1_073_741_824.0),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn snapshots_are_listed_in_columns() {
        let answer = json!({ "snapshots": [
            { "name": "a", "taken": "2026-11-21T08:00:00.000Z", "bytes": 10 },
            { "name": "before", "taken": "2026-11-21T09:00:00.000Z", "bytes": 3_000_000 },
        ] });
        assert_eq!(
            shown(&Command::List, &answer),
            "a       2026-11-21T08:00:00.000Z       10 B\nbefore  2026-11-21T09:00:00.000Z    2.9 MiB\n"
        );
        assert!(shown(&Command::List, &json!({ "snapshots": [] })).contains("emu state snapshot NAME"));
    }

    #[test]
    fn a_side_of_a_diff_is_a_name_unless_it_is_a_path() {
        assert_eq!(side("now").expect("read"), "now");
        assert_eq!(side("/x/y").expect("read"), "/x/y");
        assert!(side("./y").expect("read").starts_with('/'));
    }
}
