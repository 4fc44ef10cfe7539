//! Where states lie aside, in the state folder: `snapshots/NAME.json` and `seeded.json` each name a folder in `aside/` that has the state.
//!
//! What is made is made in `aside/` too, and is nobody's until one of those files names it, which a rename puts in place. So a process
//! that is killed leaves the file before or the one after, and folders that nobody names, which the next start removes.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const ASIDE: &str = "aside";
const SNAPSHOTS: &str = "snapshots";
const SEEDED: &str = "seeded.json";
/// Bytes of a file that names a state.
const NOTE_BYTES_MAX: u64 = 64 << 10;

/// A state folder, for those who put states aside.
pub(super) struct Folder {
    root: PathBuf,
    made: AtomicU64,
}

/// What every file that names a state has.
#[derive(Serialize, Deserialize)]
pub(super) struct Note<T> {
    /// The folder in `aside/`.
    pub data: String,
    #[serde(flatten)]
    pub about: T,
}

/// The seeded state of a project.
#[derive(Serialize, Deserialize)]
struct Seeded {
    /// What it was made of; empty where only the process that made it knows.
    of: String,
}

/// A folder in `aside/` that nobody names yet. Dropping it removes it.
pub(super) struct Making {
    path: PathBuf,
    name: String,
    kept: bool,
}

impl Making {
    /// A new folder elsewhere.
    pub fn at(path: PathBuf) -> anyhow::Result<Making> {
        remove(&path);
        fs::create_dir(&path).with_context(|| format!("{} cannot be made", path.display()))?;
        Ok(Making { path, name: String::new(), kept: false })
    }

    /// Renames it to `place`, where nothing or an older one is. Killed in between, there is neither, but for their hidden names beside it.
    pub fn take_place_of(self, place: &Path) -> std::io::Result<()> {
        let old = self.path.with_extension("old");
        remove(&old);
        existing(fs::rename(place, &old))?;
        fs::rename(&self.path, place)?;
        remove(&old);
        self.keep();
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A file names it now.
    pub fn keep(mut self) {
        self.kept = true;
    }

    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.kept {
            remove(&self.path);
        }
    }
}

impl Folder {
    /// Removes what a killed process left.
    pub fn open(root: PathBuf) -> anyhow::Result<Folder> {
        let folder = Folder { root, made: AtomicU64::new(0) };
        let Some(entries) = existing(fs::read_dir(folder.root.join(ASIDE)))? else { return Ok(folder) };
        let named = folder.named();
        for entry in entries {
            let entry = entry?;
            if !entry.file_name().to_str().is_some_and(|name| named.contains(name)) {
                remove(&entry.path());
            }
        }
        Ok(folder)
    }

    fn named(&self) -> HashSet<String> {
        let names = self.notes::<serde_json::Map<String, serde_json::Value>>().into_iter().map(|(_, note)| note.data);
        names.chain(self.read::<Seeded>(&self.root.join(SEEDED)).map(|note| note.data)).collect()
    }

    /// A new folder to make a state in.
    pub fn aside(&self) -> anyhow::Result<Making> {
        let name = format!("{}-{}", std::process::id(), self.made.fetch_add(1, Ordering::Relaxed));
        let parent = self.root.join(ASIDE);
        fs::create_dir_all(&parent)?;
        for n in 0..10_000u32 {
            let name = if n == 0 { name.clone() } else { format!("{name}-{n}") };
            let path = parent.join(&name);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Making { path, name, kept: false }),
                // A process that had the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error).with_context(|| format!("{} cannot be made", path.display())),
            }
        }
        bail!("{} is full of folders of killed processes; remove it", parent.display())
    }

    /// The notes of all snapshots, by name.
    pub fn notes<T: DeserializeOwned>(&self) -> Vec<(String, Note<T>)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.root.join(SNAPSHOTS)).into_iter().flatten().flatten() {
            let file = entry.file_name();
            let Some(name) = file.to_str().and_then(|file| file.strip_suffix(".json")) else { continue };
            if let Some(note) = self.read(&entry.path()) {
                found.push((name.to_owned(), note));
            }
        }
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// The note of one snapshot.
    pub fn note<T: DeserializeOwned>(&self, name: &str) -> Option<Note<T>> {
        self.read(&self.note_path(name))
    }

    /// The folder that a note names.
    pub fn data<T>(&self, note: &Note<T>) -> PathBuf {
        self.root.join(ASIDE).join(&note.data)
    }

    /// Names a folder as a snapshot, in the place of what the name stood for before.
    pub fn keep_snapshot<T: Serialize>(&self, name: &str, making: Making, about: T, durable: bool) -> anyhow::Result<()> {
        fs::create_dir_all(self.root.join(SNAPSHOTS))?;
        self.keep(&self.note_path(name), making, about, durable)
    }

    /// Names a folder as the seeded state.
    pub fn keep_seeded(&self, making: Making, of: &str) -> anyhow::Result<()> {
        self.keep(&self.root.join(SEEDED), making, Seeded { of: of.to_owned() }, false)
    }

    /// The folder of the seeded state.
    pub fn seeded(&self) -> anyhow::Result<PathBuf> {
        let note = self.read::<Seeded>(&self.root.join(SEEDED)).context("there is no seeded state")?;
        Ok(self.data(&note))
    }

    /// Whether the seeded state is made of this.
    pub fn is_seeded(&self, of: &str) -> bool {
        self.read::<Seeded>(&self.root.join(SEEDED)).is_some_and(|note| note.about.of == of && self.data(&note).join("state.db").exists())
    }

    fn note_path(&self, name: &str) -> PathBuf {
        self.root.join(SNAPSHOTS).join(format!("{name}.json"))
    }

    fn keep<T: Serialize>(&self, note: &Path, making: Making, about: T, durable: bool) -> anyhow::Result<()> {
        let before = self.read::<serde_json::Map<String, serde_json::Value>>(note);
        let text = serde_json::to_vec_pretty(&Note { data: making.name().to_owned(), about })?;
        write_aside(note, &text, durable).with_context(|| format!("{} cannot be written", note.display()))?;
        making.keep();
        if let Some(before) = before {
            remove(&self.data(&before));
        }
        Ok(())
    }

    fn read<T: DeserializeOwned>(&self, path: &Path) -> Option<Note<T>> {
        let about = fs::metadata(path).ok()?;
        let note: Note<T> = serde_json::from_slice(&(about.len() <= NOTE_BYTES_MAX).then(|| fs::read(path).ok())??).ok()?;
        // A note that somebody has edited must not lead out of the folder.
        let plain = !note.data.is_empty() && note.data.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        plain.then_some(note)
    }
}

/// Puts a file in place by a rename.
fn write_aside(path: &Path, text: &[u8], durable: bool) -> std::io::Result<()> {
    let new = path.with_extension("json.new");
    let mut file = File::create(&new)?;
    file.write_all(text)?;
    if durable {
        file.sync_all()?;
    }
    fs::rename(&new, path)?;
    match path.parent() {
        Some(parent) if durable => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

fn existing<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove(folder: &Path) {
    if let Err(error) = fs::remove_dir_all(folder)
        && error.kind() != ErrorKind::NotFound
    {
        tracing::warn!(%error, folder = %folder.display(), "what nobody needs any more could not be removed; the next start tries again");
    }
}
