//! Bundles of earlier runs, kept on the disk: a start then costs reading them, as long as no file that they were made of has changed.
//!
//! What is kept is code, never an environment: that is the image's, which stays in memory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bundle::Built;
use crate::project::Function;
use crate::sandbox::Module;

/// Bundles that are kept; the oldest make place for new ones.
const BUNDLES_MAX: usize = 512;

/// How far the times of files may lag behind the clock: they are taken from a coarser one.
const COARSE: Duration = Duration::from_millis(20);

/// Where bundles are kept. A bundle that cannot be read, or does not fit any more, is simply made again.
pub(super) struct Cache {
    folder: PathBuf,
    /// Of this program: another one may bundle otherwise.
    program: String,
}

/// A bundle as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    program: String,
    /// All that was looked at, with what it was then.
    seen: Vec<(PathBuf, Option<Stamp>)>,
    inputs: BTreeSet<PathBuf>,
    modules: Vec<KeptModule>,
    entry: String,
    export: String,
}

#[derive(Serialize, Deserialize)]
struct KeptModule {
    path: String,
    code: String,
    map: Option<String>,
    stable: bool,
}

/// What tells that a file is still the same: its length, and when it was written in nanoseconds since the epoch.
#[derive(Serialize, Deserialize, PartialEq, Eq, Clone, Copy)]
struct Stamp {
    bytes: u64,
    written: u128,
}

impl Cache {
    pub fn new(folder: PathBuf) -> Cache {
        let program = std::env::current_exe().ok().and_then(|program| stamp(&program));
        let built = program.map_or(0, |stamp| stamp.written);
        Cache { folder: folder.join("bundles"), program: format!("{} {built}", env!("CARGO_PKG_VERSION")) }
    }

    /// The bundle of a function, if it is kept and still right.
    pub fn get(&self, root: &Path, function: &Function) -> Option<Built> {
        let bytes = std::fs::read(self.file(root, function)).ok()?;
        let kept: Kept = serde_json::from_slice(&bytes).ok()?;
        if kept.program != self.program || kept.seen.iter().any(|(path, then)| stamp(path) != *then) {
            return None;
        }
        let modules: Vec<Module> =
            kept.modules.into_iter().map(|KeptModule { path, code, map, stable }| Module { path, code, map, stable }).collect();
        let bytes = modules.iter().map(|module| module.code.len()).sum();
        Some(Built { modules, entry: kept.entry, export: kept.export, inputs: kept.inputs, bytes, warnings: Vec::new() })
    }

    /// Keeps a bundle that was begun at `began`, by the machine's time as files have it. One with warnings is not kept, so that they are
    /// said again; nor is one that was made of files written about then or later, for they may have been read before.
    pub fn put(&self, root: &Path, function: &Function, built: &Built, began: SystemTime) {
        let began = began.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(COARSE).as_nanos();
        let seen: Vec<_> = looked_at(root, &built.inputs).into_iter().map(|path| (path.clone(), stamp(&path))).collect();
        let is_fresh = seen.iter().any(|(_, stamp)| stamp.is_some_and(|stamp| stamp.written >= began));
        if !built.warnings.is_empty() || is_fresh {
            return;
        }
        let kept = Kept {
            program: self.program.clone(),
            seen,
            inputs: built.inputs.clone(),
            modules: built
                .modules
                .iter()
                .map(|m| KeptModule { path: m.path.clone(), code: m.code.clone(), map: m.map.clone(), stable: m.stable })
                .collect(),
            entry: built.entry.clone(),
            export: built.export.clone(),
        };
        if let Err(error) = self.write(&self.file(root, function), &kept) {
            tracing::debug!(%error, "a bundle could not be kept; the next start makes it again");
        }
    }

    fn write(&self, file: &Path, kept: &Kept) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        self.tidy()?;
        // Written aside and moved, so that a killed process leaves no half of one.
        let aside = file.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::write(&aside, serde_json::to_vec(kept)?)?;
        std::fs::rename(aside, file)
    }

    fn tidy(&self) -> std::io::Result<()> {
        let mut files: Vec<(SystemTime, PathBuf)> = std::fs::read_dir(&self.folder)?
            .flatten()
            .filter_map(|entry| Some((entry.metadata().ok()?.modified().ok()?, entry.path())))
            .collect();
        files.sort();
        for (_, file) in files.iter().take(files.len().saturating_sub(BUNDLES_MAX)) {
            std::fs::remove_file(file)?;
        }
        Ok(())
    }

    fn file(&self, root: &Path, function: &Function) -> PathBuf {
        let mut hash = Sha256::new();
        for part in [root.as_os_str().as_encoded_bytes(), function.name.as_bytes(), function.handler.as_bytes()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        self.folder.join(format!("{}.json", hex::encode(&hash.finalize()[..16])))
    }
}

/// What decides a build: the files that were read; the folders of the project's own, where a new file may take another's place; and what
/// says where imports lead, whether it is there or not.
fn looked_at(root: &Path, inputs: &BTreeSet<PathBuf>) -> BTreeSet<PathBuf> {
    let own = inputs.iter().filter(|file| !file.components().any(|part| part.as_os_str() == "node_modules"));
    let mut all: BTreeSet<PathBuf> = own.filter_map(|file| file.parent()).map(Path::to_path_buf).collect();
    for name in ["package.json", "package-lock.json", "tsconfig.json", "node_modules/.package-lock.json"] {
        all.insert(root.join(name));
    }
    all.extend(inputs.iter().cloned());
    all
}

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = std::fs::metadata(path).ok()?;
    let written = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    // The length of a folder says nothing, and its time says all.
    Some(Stamp { bytes: if metadata.is_dir() { 0 } else { metadata.len() }, written })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing;

    #[test]
    fn a_bundle_is_kept_until_a_file_changes_or_another_could_take_its_place() {
        let (folder, project) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let cache = Cache::new(folder.path().to_owned());
        let function = testing::function("a", "src/a.handler");
        let source = project.path().join("src/a.ts");
        std::fs::create_dir(project.path().join("src")).expect("made");
        std::fs::write(&source, "1").expect("written");
        let module = Module { path: "index.mjs".into(), code: "1".into(), map: None, stable: false };
        let built = Built {
            modules: vec![module],
            entry: "index.mjs".into(),
            export: "handler".into(),
            inputs: BTreeSet::from([source.clone()]),
            bytes: 1,
            warnings: Vec::new(),
        };
        let is_kept = || cache.get(project.path(), &function).is_some_and(|kept| kept.entry == "index.mjs" && kept.inputs == built.inputs);
        let later = || SystemTime::now() + Duration::from_secs(60);
        let keep = || cache.put(project.path(), &function, &built, later());
        assert!(!is_kept());
        cache.put(project.path(), &function, &built, SystemTime::now());
        assert!(!is_kept(), "the file may have been written after it was read");
        keep();
        assert!(is_kept());
        std::fs::write(&source, "22").expect("written");
        assert!(!is_kept(), "the file changed");
        keep();
        std::fs::write(project.path().join("src/a.tsx"), "").expect("written");
        assert!(!is_kept(), "another file is there");
        keep();
        std::fs::write(project.path().join("tsconfig.json"), "{}").expect("written");
        assert!(!is_kept(), "the settings changed");
        keep();
        std::fs::write(cache.file(project.path(), &function), "half of a fi").expect("written");
        assert!(!is_kept(), "it is damaged");
        keep();
        assert!(is_kept());
        assert!(cache.get(project.path(), &testing::function("b", "src/a.handler")).is_none(), "another function");
    }
}
