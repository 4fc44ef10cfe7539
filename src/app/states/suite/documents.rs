//! Documents: the files `output-0`, `output-1`, … below the folder of an export, each a log of entities.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::World;
use super::entity::entity;
use super::log::Log;
use crate::base::Call;
use crate::services::documents::{Change, Database, Name, Write};

/// Documents that are stored in one transaction.
const AT_ONCE: usize = 500;
/// Folders within each other, and files.
const DEPTH_MAX: usize = 6;
const FILES_MAX: usize = 100_000;

pub async fn read(world: &World, folder: &Path, project_id: &str) -> anyhow::Result<()> {
    let database = Database::parse(&format!("projects/{project_id}/databases/(default)"))?;
    let mut files = Vec::new();
    find(folder, 0, &mut files)?;
    files.sort();
    for file in files {
        read_file(world, &database, &file, project_id).await.with_context(|| format!("{}", file.display()))?;
    }
    Ok(())
}

fn find(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            find(&entry.path(), depth + 1, into)?;
        } else if kind.is_file() && entry.file_name().to_str().is_some_and(|name| name.starts_with("output-")) {
            into.push(entry.path());
            if into.len() > FILES_MAX {
                bail!("there are more than {FILES_MAX} files");
            }
        }
    }
    Ok(())
}

async fn read_file(world: &World, database: &Database, file: &Path, project_id: &str) -> anyhow::Result<()> {
    let mut log = Log::new(BufReader::new(std::fs::File::open(file)?));
    let mut writes = Vec::with_capacity(AT_ONCE);
    while let Some(record) = log.next()? {
        let found = entity(&record, project_id)?;
        let name = Name::new(database.clone(), &found.path).with_context(|| found.path.clone())?;
        writes.push(Write { name, change: Change::Put { fields: found.fields, mask: None }, precondition: None, transforms: Vec::new() });
        if writes.len() == AT_ONCE {
            store(world, database, std::mem::take(&mut writes)).await?;
        }
    }
    store(world, database, writes).await
}

async fn store(world: &World, database: &Database, writes: Vec<Write>) -> anyhow::Result<()> {
    if writes.is_empty() {
        return Ok(());
    }
    world.services.documents.commit(&Call::operator(), database, writes, None).await?;
    Ok(())
}
