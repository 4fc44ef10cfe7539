//! `emu indexes`: which indexes Firestore's queries wanted, and their place in the project.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Args;
use http::Method;
use serde_json::Value;

use super::{JournalArgs, output, records, remote, start};
use crate::app::{Holder, StateFolder};
use crate::project::{self, firebase};

#[derive(Args, Debug)]
pub struct IndexesArgs {
    #[command(flatten)]
    pub journal: JournalArgs,
    /// Add them to the project's file of indexes
    #[arg(long)]
    pub write: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The file of a project that names none.
const USUAL: &str = "firestore.indexes.json";

pub fn run(args: &IndexesArgs) -> anyhow::Result<ExitCode> {
    let Some(folder) = records::folder(&args.journal) else { return Ok(ExitCode::FAILURE) };
    let Some(Holder { admin: Some(admin), .. }) = StateFolder::holder(&folder) else {
        bail!("no emu runs this project: only one that runs knows which queries there were; `emu start` runs it");
    };
    let ask = remote::ask(&admin, Method::GET, "firestore/missing-indexes", &Value::Null);
    let missing = start::runtime(start::Lines::Err)?.block_on(ask)?;
    let list = |name: &str| missing[name].as_array().cloned().unwrap_or_default();
    let (indexes, overrides) = (list("indexes"), list("fieldOverrides"));
    if args.json {
        output::print(&format!("{missing:#}\n"));
    }
    if indexes.is_empty() && overrides.is_empty() {
        if !args.json {
            output::print("No query has wanted an index that the project does not declare.\n");
        }
        return Ok(ExitCode::SUCCESS);
    }
    let (file, named) = file(args)?;
    if !args.write {
        if !args.json {
            output::print(&told(&indexes, &overrides, &file));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let text = match std::fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", file.display())),
    };
    let added = firebase::indexes::add(&text, &indexes, &overrides);
    let (text, added) = added.map_err(|why| anyhow::anyhow!("{} was left as it is: {why}", file.display()))?;
    std::fs::write(&file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    if !args.json {
        output::print(&format!("{added} added to {}\n", file.display()));
    }
    if !named {
        output::warning(&format!("firebase.json does not name it yet: \"firestore\": {{ \"indexes\": \"{USUAL}\" }}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The project's file of indexes, and whether the project names it.
fn file(args: &IndexesArgs) -> anyhow::Result<(PathBuf, bool)> {
    let Ok(loaded) = project::load(&start::load(&args.journal.project)) else {
        bail!("the project cannot be read; `emu check` says why");
    };
    let project = loaded.project;
    let Some(firebase) = &project.firebase else { bail!("this is no Firebase project: it has no firebase.json") };
    let named = firebase.databases.iter().find_map(|database| database.indexes.as_ref());
    Ok((project.root.join(named.map_or_else(|| PathBuf::from(USUAL), Clone::clone)), named.is_some()))
}

fn told(indexes: &[Value], overrides: &[Value], file: &std::path::Path) -> String {
    let mut text = "Production would refuse queries that ran here, for want of these indexes.\n".to_owned();
    for (name, list) in [("indexes", indexes), ("fieldOverrides", overrides)] {
        if !list.is_empty() {
            text += &format!("\n{name}:\n");
            list.iter().for_each(|index| text += &format!("  {index}\n"));
        }
    }
    text + &format!("\n`emu indexes --write` adds them to {}\n", file.display())
}
