//! Snapshots: states that were saved under a name.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{anyhow, bail};
use serde::{Deserialize, Serialize};

use super::folder::{Folder, Note};
use super::{Aside, Inner};
use crate::base::{Standing, Time};

/// The version of what is written here; a newer one is refused.
const VERSION: u32 = 1;
/// Characters of a name.
const NAME_MAX: usize = 64;

/// What a name may be.
const NAME_HELP: &str = "a name has 1 to 64 letters, digits, `-`, `_` and `.`, and begins with a letter or digit";

/// A saved state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    pub name: String,
    /// By the machine's clock.
    pub taken: String,
    /// The World's time then.
    pub time: String,
    /// Of the database and the large objects, shared or not.
    pub bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct About {
    version: u32,
    taken: Time,
    time: Time,
    standing: Standing,
    bytes: u64,
}

/// Whether a snapshot can be called that.
fn is_name(name: &str) -> bool {
    (1..=NAME_MAX).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && name.as_bytes()[0].is_ascii_alphanumeric()
}

pub(super) fn put(inner: &Inner, name: &str, replace: bool) -> anyhow::Result<Snapshot> {
    if !is_name(name) {
        bail!("`{name}` cannot be the name of a snapshot; {NAME_HELP}");
    }
    if !replace && inner.folder.note::<About>(name).is_some() {
        bail!("there is a snapshot `{name}` already; give another name, or `--force` to replace it");
    }
    let making = inner.folder.aside()?;
    let clock = inner.world.db.clock();
    let (time, standing) = (clock.now(), clock.standing());
    inner.save(making.path(), true)?;
    let taken = Time(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64));
    let about = About { version: VERSION, taken, time, standing, bytes: bytes(making.path())? };
    let snapshot = shown(name, &about);
    inner.folder.keep_snapshot(name, making, about, !inner.ephemeral)?;
    Ok(snapshot)
}

pub(super) fn list(folder: &Folder) -> anyhow::Result<Vec<Snapshot>> {
    Ok(folder.notes::<About>().into_iter().map(|(name, note)| shown(&name, &note.about)).collect())
}

pub(super) fn find(folder: &Folder, name: &str) -> anyhow::Result<(Snapshot, Aside)> {
    let note: Note<About> = folder.note(name).filter(|_| is_name(name)).ok_or_else(|| {
        let names: Vec<String> = folder.notes::<About>().into_iter().map(|(name, _)| format!("`{name}`")).collect();
        match names.len() {
            0 => anyhow!("there is no snapshot `{name}`; `emu state snapshot {name}` takes one"),
            _ => anyhow!("there is no snapshot `{name}`; there are {}", names.join(", ")),
        }
    })?;
    if note.about.version > VERSION {
        bail!("the snapshot `{name}` was taken by a newer emu (version {}, this emu knows {VERSION}); use that emu", note.about.version);
    }
    Ok((shown(name, &note.about), Aside::of(&folder.data(&note))))
}

fn shown(name: &str, about: &About) -> Snapshot {
    Snapshot { name: name.to_owned(), taken: about.taken.iso(), time: about.time.iso(), bytes: about.bytes }
}

fn bytes(folder: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        sum += if entry.file_type()?.is_dir() { bytes(&entry.path())? } else { entry.metadata()?.len() };
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_snapshots_cannot_lead_anywhere_else() {
        for good in ["a", "before-2.0", "A_1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "-x", "é", "a b", &"x".repeat(65)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
