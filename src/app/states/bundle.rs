//! Bundles: what a test run that failed leaves behind to be looked at: the state as an export, the journal, and texts for people.
//!
//! `bundle.json` says that a folder is one. The export is in `state/`; the journal has its usual name, so that whatever reads the journal
//! of a state folder reads that of a bundle.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::json;

use super::folder::Making;
use super::{States, blocking};
use crate::base::Call;
use crate::telemetry::journal::{self, Reader};

/// The file that says that a folder is a bundle, and of which version.
const HEAD: &str = "bundle.json";
const FORMAT: &str = "emu bundle";
const VERSION: u64 = 1;
const STATE: &str = "state";

/// A file of a bundle beside the state and the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// In the bundle's folder.
    pub path: PathBuf,
    pub text: String,
}

/// The export that a folder has: it is one itself, or a bundle.
pub fn export_in(dir: &Path) -> PathBuf {
    if dir.join(HEAD).is_file() { dir.join(STATE) } else { dir.to_owned() }
}

/// The journal that a folder has, if it is a bundle.
pub(in crate::app) fn journal_in(dir: &Path) -> Option<PathBuf> {
    let journal = dir.join(journal::FILE_NAME);
    (dir.join(HEAD).is_file() && journal.is_file()).then_some(journal)
}

/// Whether a bundle can be put there: where nothing is, or an older one. Fails with what to do.
pub fn check_place(dir: &Path) -> anyhow::Result<()> {
    let taken = match fs::read_dir(dir) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(error).with_context(|| format!("{} cannot be looked into", dir.display())),
    };
    if taken && !dir.join(HEAD).is_file() {
        bail!("{} is not empty, and what is in it is no bundle of emu's; give another folder", dir.display());
    }
    Ok(())
}

impl States {
    /// Writes the state, the journal and `leaves` into a folder, in the place of an older bundle. Stops the clock, so that whoever opens
    /// the bundle days later finds what had not expired. For a World that nobody uses any more.
    pub async fn bundle(&self, dir: &Path, journal: Reader, leaves: Vec<Leaf>) -> anyhow::Result<()> {
        check_place(dir)?;
        let dir = std::path::absolute(dir)?;
        let name = dir.file_name().and_then(|name| name.to_str()).context("the folder has no name")?;
        let parent = dir.parent().context("the folder is in no other")?;
        fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
        let making = Making::at(parent.join(format!(".{name}.{}.new", std::process::id())))?;
        let db = &self.0.world.db;
        db.clock().freeze();
        db.keep_clock(&Call::operator()).await?;
        self.export(&making.path().join(STATE), false).await?;
        blocking(move || {
            journal.copy_to(&making.path().join(journal::FILE_NAME))?;
            for Leaf { path, text } in leaves {
                let file = making.path().join(path);
                if let Some(folder) = file.parent() {
                    fs::create_dir_all(folder)?;
                }
                fs::write(file, text)?;
            }
            let head = json!({ "format": FORMAT, "version": VERSION, "emu": env!("CARGO_PKG_VERSION") });
            fs::write(making.path().join(HEAD), format!("{head:#}\n"))?;
            making.take_place_of(&dir).with_context(|| format!("{} cannot be put in place", dir.display()))
        })
        .await
    }
}

/// Whether a folder, if it is a bundle, is one that this emu reads.
pub(in crate::app) fn check(dir: &Path) -> anyhow::Result<()> {
    let file = dir.join(HEAD);
    let Ok(text) = fs::read_to_string(&file) else { return Ok(()) };
    let head: serde_json::Value = serde_json::from_str(&text).with_context(|| format!("{} is no JSON", file.display()))?;
    match (head["format"].as_str(), head["version"].as_u64()) {
        (Some(FORMAT), Some(1..=VERSION)) => Ok(()),
        (Some(FORMAT), Some(version)) => bail!("{} was written by a newer emu (version {version}); open it with that one", dir.display()),
        _ => bail!("{} does not say `{FORMAT}`", file.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_takes_the_place_of_a_bundle_and_of_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().join("bundle");
        check_place(&dir).expect("nothing is there");
        fs::create_dir(&dir).expect("made");
        check_place(&dir).expect("it is empty");
        fs::write(dir.join("mine"), "").expect("written");
        assert!(check_place(&dir).expect_err("it is mine").to_string().contains("give another folder"));
        assert_eq!((export_in(&dir), journal_in(&dir)), (dir.clone(), None));
        fs::write(dir.join(HEAD), r#"{"format":"emu bundle","version":1}"#).expect("written");
        check_place(&dir).expect("it is a bundle");
        check(&dir).expect("of this version");
        assert_eq!(export_in(&dir), dir.join("state"));
        for (head, wanted) in
            [(r#"{"format":"emu bundle","version":2}"#, "newer emu"), (r#"{"format":"x"}"#, "does not say"), ("", "no JSON")]
        {
            fs::write(dir.join(HEAD), head).expect("written");
            let error = format!("{:#}", check(&dir).expect_err(head));
            assert!(error.contains(wanted), "{error}");
        }
    }
}
