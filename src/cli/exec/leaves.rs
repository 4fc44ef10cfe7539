//! What a failed run leaves for people, beside its state and its journal.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::report::Report;
use super::summary;
use crate::app::{Leaf, Stopped};
use crate::telemetry::journal::Reader;
use crate::telemetry::trace::{self, Look};

/// Columns of a drawn trace.
const WIDTH: usize = 120;

/// Writes the bundle of a failed run.
pub async fn bundle(stopped: &Stopped, dir: &Path, report: &Report) -> anyhow::Result<()> {
    let reader = stopped.journal().await?;
    let mut leaves = vec![leaf("README.md", readme(dir, report)), leaf("summary.txt", summary::text(report, false))];
    leaves.push(leaf("summary.json", format!("{:#}\n", report.json())));
    for trace in &report.seen.traces {
        let id = trace.as_str();
        // What a client calls its trace is no name of a file.
        let is_plain = !id.is_empty() && id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric());
        if let (true, Some(text)) = (is_plain, drawn(&reader, trace)?) {
            leaves.push(leaf(&format!("traces/{id}.txt"), text));
        }
    }
    drop(reader);
    stopped.bundle(dir, leaves).await
}

fn leaf(path: &str, text: String) -> Leaf {
    Leaf { path: PathBuf::from(path), text }
}

/// A trace as `emu trace` draws it; `None` where the journal has nothing of it.
fn drawn(reader: &Reader, trace: &crate::base::TraceId) -> anyhow::Result<Option<String>> {
    let rows = trace::rows(reader.trace(trace)?.into_iter().map(Arc::new));
    if rows.is_empty() {
        return Ok(None);
    }
    let text = trace::waterfall(&rows, &Look { width: WIDTH, costs: &[], whole_cost: "" });
    Ok(Some(format!("{text}{}", crate::cli::trace::stacks(&rows))))
}

fn readme(dir: &Path, report: &Report) -> String {
    let name = dir.file_name().map_or_else(|| dir.display().to_string(), |name| name.to_string_lossy().into_owned());
    format!(
        "# What a failed run left\n\n`emu exec -- {}` failed: {}.\n\nIn the folder of the project, with this folder as `{name}`:\n\n\
         - `emu start --import {name}` runs the project on this state, with the journal; the clock stands still at the end of the run,\n  \
         `emu clock resume` lets it go on. The state of your own work is left alone.\n\
         - `emu trace latest --state {name}` and `emu logs --state {name}` show what happened, without starting anything.\n\
         - `emu exec --import {name} -- CMD` runs a command on this state.\n\n\
         `state/` is an export as `emu state export` writes it, `journal.db` the journal, `traces/` what went wrong, drawn.\n",
        report.command,
        report.verdict.reasons.join(", "),
    )
}
