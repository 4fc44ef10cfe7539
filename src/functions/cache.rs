//! Bundles of earlier runs, kept on the disk: a start then costs reading them, as long as no file that they were made of has changed.
//!
//! What is kept is code, never an environment: that is the image's, which stays in memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::bundle::Built;
use crate::project::Function;
use crate::sandbox::{Digest, Module};

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

/// What is kept of a bundle before its code: so much can be looked at without reading that.
#[derive(Serialize, Deserialize)]
struct Head {
    program: String,
    /// All that was looked at.
    seen: Vec<Seen>,
    /// What the rest of the file is, in order: each module's source and its map.
    modules: Vec<KeptModule>,
    entry: String,
    export: String,
}

/// A file or a folder, and what it was then.
#[derive(Serialize, Deserialize)]
struct Seen {
    path: PathBuf,
    stamp: Option<Stamp>,
    /// Whether it was read.
    is_input: bool,
}

#[derive(Serialize, Deserialize)]
struct KeptModule {
    path: String,
    code_bytes: usize,
    map_bytes: Option<usize>,
    stable: Option<Digest>,
}

/// A kept bundle without its code.
pub(super) struct Outline {
    pub inputs: BTreeSet<PathBuf>,
    pub dependencies: Vec<Digest>,
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
    pub fn get(&self, root: &Path, function: &Function, has_firebase: bool) -> Option<Built> {
        let (head, mut file) = self.open(root, function, has_firebase)?;
        let mut text = |bytes: usize| {
            let mut text = vec![0; bytes];
            file.read_exact(&mut text).ok()?;
            String::from_utf8(text).ok()
        };
        let mut modules = Vec::with_capacity(head.modules.len());
        for KeptModule { path, code_bytes, map_bytes, stable } in head.modules {
            let code = text(code_bytes)?.into();
            let map = match map_bytes {
                Some(bytes) => Some(text(bytes)?),
                None => None,
            };
            modules.push(Module { path, code, map, stable });
        }
        let bytes = modules.iter().map(|module| module.code.len()).sum();
        Some(Built { modules, entry: head.entry, export: head.export, inputs: inputs(head.seen), bytes, warnings: Vec::new() })
    }

    /// The same without reading the code.
    pub fn look(&self, root: &Path, function: &Function, has_firebase: bool) -> Option<Outline> {
        let (head, _) = self.open(root, function, has_firebase)?;
        let dependencies = head.modules.iter().filter_map(|module| module.stable).collect();
        Some(Outline { inputs: inputs(head.seen), dependencies })
    }

    /// What is kept of a function, if it is whole and still right; the file is left where the code begins.
    fn open(&self, root: &Path, function: &Function, has_firebase: bool) -> Option<(Head, File)> {
        let mut file = File::open(self.file(root, function, has_firebase)).ok()?;
        let all = usize::try_from(file.metadata().ok()?.len()).ok()?;
        let mut length = [0; 8];
        file.read_exact(&mut length).ok()?;
        let length = usize::try_from(u64::from_le_bytes(length)).ok().filter(|length| *length <= all)?;
        let mut head = vec![0; length];
        file.read_exact(&mut head).ok()?;
        let head: Head = serde_json::from_slice(&head).ok()?;
        let parts = head.modules.iter().flat_map(|module| [module.code_bytes, module.map_bytes.unwrap_or(0)]);
        let whole = parts.fold(length + 8, usize::saturating_add) == all;
        (whole && head.program == self.program && head.seen.iter().all(|seen| stamp(&seen.path) == seen.stamp)).then_some((head, file))
    }

    /// Keeps a bundle that was begun at `began`, by the machine's time as files have it. One with warnings is not kept, so that they are
    /// said again; nor is one that was made of files written about then or later, for they may have been read before.
    pub fn put(&self, root: &Path, function: &Function, has_firebase: bool, built: &Built, began: SystemTime) {
        let began = began.duration_since(UNIX_EPOCH).unwrap_or_default().saturating_sub(COARSE).as_nanos();
        let looked_at = looked_at(root, &built.inputs).into_iter();
        let seen: Vec<Seen> = looked_at.map(|path| Seen { stamp: stamp(&path), is_input: built.inputs.contains(&path), path }).collect();
        let is_fresh = seen.iter().any(|seen| seen.stamp.is_some_and(|stamp| stamp.written >= began));
        if !built.warnings.is_empty() || is_fresh {
            return;
        }
        let module = |module: &Module| KeptModule {
            path: module.path.clone(),
            code_bytes: module.code.len(),
            map_bytes: module.map.as_ref().map(String::len),
            stable: module.stable,
        };
        let head = Head {
            program: self.program.clone(),
            seen,
            modules: built.modules.iter().map(module).collect(),
            entry: built.entry.clone(),
            export: built.export.clone(),
        };
        if let Err(error) = self.write(&self.file(root, function, has_firebase), &head, &built.modules) {
            tracing::debug!(%error, "a bundle could not be kept; the next start makes it again");
        }
    }

    fn write(&self, file: &Path, head: &Head, modules: &[Module]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        self.tidy()?;
        let head = serde_json::to_vec(head)?;
        // Written aside and moved, so that a killed process leaves no half of one.
        let aside = file.with_extension(format!("{}.tmp", std::process::id()));
        let mut out = BufWriter::new(File::create(&aside)?);
        out.write_all(&(head.len() as u64).to_le_bytes())?;
        out.write_all(&head)?;
        for module in modules {
            out.write_all(module.code.as_bytes())?;
            out.write_all(module.map.as_deref().unwrap_or_default().as_bytes())?;
        }
        out.flush()?;
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

    fn file(&self, root: &Path, function: &Function, has_firebase: bool) -> PathBuf {
        let mut hash = blake3::Hasher::new();
        hash.update(&[u8::from(has_firebase)]);
        // A project that is named `.` is another one in another folder.
        let root = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
        for part in [root.as_os_str().as_encoded_bytes(), function.name.as_bytes(), function.handler.as_bytes()] {
            hash.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        self.folder.join(format!("{}.bundle", hex::encode(&hash.finalize().as_bytes()[..16])))
    }
}

fn inputs(seen: Vec<Seen>) -> BTreeSet<PathBuf> {
    seen.into_iter().filter(|seen| seen.is_input).map(|seen| seen.path).collect()
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
        let modules = vec![Module::dependencies("vendor.mjs", "é"), Module::own("index.mjs", "1", Some("{}".into()))];
        let built = Built {
            modules,
            entry: "index.mjs".into(),
            export: "handler".into(),
            inputs: BTreeSet::from([source.clone()]),
            bytes: 3,
            warnings: Vec::new(),
        };
        let is_kept = || {
            let outline = cache.look(project.path(), &function, false);
            let kept = cache.get(project.path(), &function, false);
            assert_eq!(outline.is_some(), kept.is_some());
            let dependencies: Vec<Digest> = built.modules.iter().filter_map(|module| module.stable).collect();
            outline.is_some_and(|outline| outline.dependencies == dependencies && outline.inputs == built.inputs)
                && kept.is_some_and(|kept| format!("{kept:?}") == format!("{built:?}"))
        };
        let later = || SystemTime::now() + Duration::from_secs(60);
        let keep = || cache.put(project.path(), &function, false, &built, later());
        assert!(!is_kept());
        cache.put(project.path(), &function, false, &built, SystemTime::now());
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
        let whole = std::fs::read(cache.file(project.path(), &function, false)).expect("it is kept");
        for length in [0, 5, 9, whole.len() / 2, whole.len() - 1] {
            std::fs::write(cache.file(project.path(), &function, false), &whole[..length]).expect("written");
            assert!(!is_kept(), "{length} bytes are left of it");
        }
        keep();
        assert!(is_kept());
        assert!(cache.get(project.path(), &testing::function("b", "src/a.handler"), false).is_none(), "another function");
    }
}
