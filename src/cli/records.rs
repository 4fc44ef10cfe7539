//! Where a project's journal is, for the commands that look into it.

use std::path::PathBuf;

use anyhow::bail;

use super::{JournalArgs, output, start};
use crate::app::state_folder;
use crate::project;
use crate::telemetry::journal::{FILE_NAME, Reader};

/// The state folder; `None` where the project cannot be read, which has been said then. A project that is wrong just now may well have
/// run before.
pub fn folder(args: &JournalArgs) -> Option<PathBuf> {
    if let Some(folder) = &args.state {
        return Some(folder.clone());
    }
    match project::load(&start::load(&args.project)) {
        Ok(loaded) => Some(state_folder(None, &loaded.project)),
        Err(problems) => {
            let given = &args.project.project;
            let root = if given.is_dir() { Some(given.as_path()) } else { given.parent() };
            let usual = root.map(|root| root.join(".emu")).filter(|folder| folder.join(FILE_NAME).exists());
            if usual.is_none() {
                output::problems(&problems);
            }
            usual
        }
    }
}

/// Opens the journal in a state folder.
pub fn open(folder: &std::path::Path) -> anyhow::Result<Reader> {
    let path = folder.join(FILE_NAME);
    if !path.exists() {
        bail!("there is no journal in {}: nothing has run there yet; `emu start` runs the project", folder.display());
    }
    Ok(Reader::open(&path)?)
}
