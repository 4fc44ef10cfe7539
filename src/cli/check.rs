//! `emu check`: what is wrong with a project file.

use std::process::ExitCode;

use super::{CheckArgs, output, start};
use crate::project;

pub fn run(args: &CheckArgs) -> anyhow::Result<ExitCode> {
    let loaded = match project::load(&start::load(&args.project)) {
        Ok(loaded) => loaded,
        Err(problems) => {
            output::problems(&problems);
            return Ok(ExitCode::FAILURE);
        }
    };
    output::problems(&loaded.warnings);
    let project = &loaded.project;
    if args.print {
        output::print(&serde_yaml::to_string(project)?);
    } else {
        output::print(&format!(
            "{} is right: {} functions, {} warnings\n",
            project.file.display(),
            project.functions.len(),
            loaded.warnings.len()
        ));
    }
    Ok(ExitCode::SUCCESS)
}
