//! `emu schema`: the JSON Schema of the project file.

use std::process::ExitCode;

use super::output;
use crate::project::schema;

/// The schema as it is written to a file.
pub fn text() -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&schema::schema())?))
}

pub fn run() -> anyhow::Result<ExitCode> {
    output::print(&text()?);
    Ok(ExitCode::SUCCESS)
}
