//! Exports of Firebase's own emulators (`firebase emulators:export`): users, files and documents. Facts: what the Firebase CLI writes
//! (`src/emulator/hubExport.ts`, `auth`, `storage`), and the format of Datastore's exports, which Firestore's have.
//!
//! They are read into a state that nobody else has yet, by what the services themselves offer: so nothing is told to triggers, and a
//! mistake leaves the state that there was.

mod documents;
mod entity;
mod files;
mod log;
mod users;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::Value;

use super::World;

/// The file that says that a folder is such an export.
const HEAD: &str = "firebase-export-metadata.json";
/// Bytes of a document that describes an export, or some of its parts.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// Whether a folder has an export of Firebase's own emulators.
pub fn is_one(dir: &Path) -> bool {
    dir.join(HEAD).is_file()
}

/// Reads an export into a World that is new and that nobody else has. Names of projects in it become that of this one.
pub async fn read_into(world: &World, dir: &Path, project_id: Option<&str>) -> anyhow::Result<()> {
    let project_id = project_id.with_context(|| {
        format!("{} is an export of Firebase's emulators, and this project has no firebase.json; make one, `{{}}` is enough", dir.display())
    })?;
    let head = json(&dir.join(HEAD))?;
    let part = |name: &str| -> anyhow::Result<Option<PathBuf>> {
        match head[name]["path"].as_str() {
            Some(path) => Ok(Some(below(dir, path)?)),
            None => Ok(None),
        }
    };
    if let Some(folder) = part("auth")? {
        users::read(world, &folder, project_id).await.with_context(|| format!("{}", folder.display()))?;
    }
    if let Some(folder) = part("storage")? {
        files::read(world, &folder).await.with_context(|| format!("{}", folder.display()))?;
    }
    if let Some(folder) = part("firestore")? {
        documents::read(world, &folder, project_id).await.with_context(|| format!("{}", folder.display()))?;
    }
    for name in ["database", "dataconnect"] {
        if head.get(name).is_some() {
            tracing::warn!("{}: its part `{name}` is left out, for emu has no such service", dir.display());
        }
    }
    Ok(())
}

/// A path within a folder; what leads out of it is refused.
fn below(dir: &Path, path: &str) -> anyhow::Result<PathBuf> {
    let leads_out =
        Path::new(path).components().any(|part| !matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
    if leads_out || path.is_empty() {
        bail!("`{path}` in {HEAD} leads out of the folder");
    }
    Ok(dir.join(path))
}

fn json(file: &Path) -> anyhow::Result<Value> {
    let shown = file.display();
    let length = std::fs::metadata(file).with_context(|| format!("{shown} cannot be read"))?.len();
    if length > DOCUMENT_BYTES_MAX {
        bail!("{shown} has more than {DOCUMENT_BYTES_MAX} bytes");
    }
    let text = std::fs::read(file).with_context(|| format!("{shown} cannot be read"))?;
    serde_json::from_slice(&text).with_context(|| format!("{shown} is no JSON"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_cannot_lead_out_of_its_folder() {
        let dir = Path::new("/exports/one");
        assert_eq!(below(dir, "auth_export").expect("within"), dir.join("auth_export"));
        for path in ["", "..", "../other", "/etc", "a/../../b"] {
            assert!(below(dir, path).is_err(), "{path}");
        }
    }
}
