//! Compiled code on disk. Whatever is wrong with it, it is compiled again.
//!
//! A file of code has a note beside it: the file's checksum, its length and the time of its last change, and words of whoever kept it.
//! A file that has not changed since its note was written is mapped and not read; any other is checked first.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use wasmtime::{Engine, Module};

/// Files of code that are kept; the least recently used go first.
const FILES_MAX: usize = 48;
/// What they may take together, in bytes.
const BYTES_MAX: u64 = 1 << 30;
/// Files that a process left half-written are removed once they are so old.
const STALE: Duration = Duration::from_secs(3_600);

/// A directory of compiled code.
pub struct Cache {
    dir: PathBuf,
}

/// Code as the cache has it: read by the caller with whatever reads its kind.
struct Found {
    path: PathBuf,
    words: String,
    mark: Mark,
}

/// A module as the cache has it.
pub struct Loaded {
    pub module: Module,
    /// What was kept with it.
    pub words: String,
    pub mark: Mark,
}

/// Tells the content of a file of code: two with the same mark are the same.
pub type Mark = Arc<str>;

impl Cache {
    pub fn new(dir: &Path) -> Cache {
        Cache { dir: dir.to_owned() }
    }

    /// The module that `store` kept under this name, where it is whole and made for this engine.
    pub fn load(&self, engine: &Engine, name: &str) -> Option<Loaded> {
        let found = self.find(name)?;
        // SAFETY: the file holds what `Module::serialize` gave, see `find`; wasmtime itself refuses files of other versions or settings.
        let module = unsafe { Module::deserialize_file(engine, &found.path) };
        Some(Loaded { module: fitting(&found.path, module)?, words: found.words, mark: found.mark })
    }

    /// Whether something is kept under this name; loading it may still find it damaged.
    pub fn has(&self, name: &str) -> bool {
        self.note_path(name).exists()
    }

    /// The same for a component.
    pub fn load_component(&self, engine: &Engine, name: &str) -> Option<wasmtime::component::Component> {
        let found = self.find(name)?;
        // SAFETY: as for modules.
        let component = unsafe { wasmtime::component::Component::deserialize_file(engine, &found.path) };
        fitting(&found.path, component)
    }

    /// Keeps what `serialize` gave. Failing costs the next process some time, so it is only logged.
    pub fn store(&self, name: &str, serialized: wasmtime::Result<Vec<u8>>, words: &str) {
        let kept =
            serialized.map_err(|e| format!("{e:#}")).and_then(|content| self.write(name, &content, words).map_err(|e| e.to_string()));
        match kept {
            Ok(()) => self.tidy(),
            Err(e) => tracing::warn!(dir = %self.dir.display(), "cannot keep compiled code: {e}"),
        }
    }

    /// Only the user who runs this process can write to the directory, so what matches its note is what was written.
    fn find(&self, name: &str) -> Option<Found> {
        let path = self.path(name);
        let note = fs::read_to_string(self.note_path(name)).ok()?;
        let (mark, words) = note.split_once('\n')?;
        let mut mark = mark.split(' ');
        let (sum, seen) = (mark.next()?, mark.next()?);
        let now_seen = seen_of(&path)?;
        if now_seen == seen {
            // Tells `tidy` that the code was used.
            let _ = fs::File::open(self.note_path(name)).and_then(|note| note.set_modified(SystemTime::now()));
        } else {
            let content = fs::read(&path).ok()?;
            if sum != checksum(&content) {
                tracing::warn!(path = %path.display(), "compiled code in the cache is damaged and is made anew");
                return None;
            }
            let _ = self.replace(&self.note_path(name), format!("{sum} {now_seen}\n{words}").as_bytes());
        }
        Some(Found { path, words: words.to_owned(), mark: sum.into() })
    }

    fn write(&self, name: &str, content: &[u8], words: &str) -> std::io::Result<()> {
        make_private_dir(&self.dir)?;
        let path = self.path(name);
        self.replace(&path, content)?;
        let seen = seen_of(&path).unwrap_or_default();
        self.replace(&self.note_path(name), format!("{} {seen}\n{words}", checksum(content)).as_bytes())
    }

    /// Writes beside and renames, so that no other process sees half a file.
    fn replace(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let beside = path.with_extension(format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::write(&beside, content)?;
        fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
    }

    /// Removes what exceeds the bounds, the least recently used first, and what is no longer of use.
    fn tidy(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        let mut kept = Vec::new();
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(about) = entry.metadata() else { continue };
            match path.extension().and_then(|extension| extension.to_str()) {
                Some("cwasm") => {
                    let used = fs::metadata(path.with_extension("note")).and_then(|note| note.modified()).or_else(|_| about.modified());
                    kept.push((used.unwrap_or(SystemTime::UNIX_EPOCH), about.len(), path));
                }
                Some("tmp") if about.modified().is_ok_and(|at| at.elapsed().is_ok_and(|age| age > STALE)) => drop(fs::remove_file(&path)),
                _ => {}
            }
        }
        kept.sort_unstable_by_key(|(used, _, _)| std::cmp::Reverse(*used));
        let mut bytes = 0;
        for (position, (_, length, path)) in kept.into_iter().enumerate() {
            bytes += length;
            if position >= FILES_MAX || (bytes > BYTES_MAX && position > 0) {
                let _ = fs::remove_file(path.with_extension("note"));
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.cwasm"))
    }

    fn note_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.note"))
    }
}

fn fitting<T>(path: &Path, read: wasmtime::Result<T>) -> Option<T> {
    read.inspect_err(|e| tracing::warn!(path = %path.display(), "compiled code in the cache does not fit and is made anew: {e:#}")).ok()
}

/// Length and time of the last change of a file; equal where nobody has touched it.
fn seen_of(path: &Path) -> Option<String> {
    let about = fs::metadata(path).ok()?;
    let changed = about.modified().ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(format!("{}@{}", about.len(), changed.as_nanos()))
}

fn make_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

fn checksum(content: &[u8]) -> String {
    format!("{:016x}-{}", crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, content), content.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_used_longest_ago_goes_when_there_is_too_much() {
        let dir = tempfile::tempdir().expect("a directory");
        let cache = Cache::new(dir.path());
        let kept = |name: &str| cache.find(name).is_some();
        for n in 0..FILES_MAX {
            cache.store(&format!("c{n}"), Ok(vec![1, 2, 3]), "");
            let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000 + n as u64);
            fs::File::open(cache.note_path(&format!("c{n}"))).and_then(|note| note.set_modified(old)).expect("a time");
        }
        assert!(kept("c0"), "used again: it stays");
        cache.store("new", Ok(vec![4]), "words");
        assert!(kept("c0") && kept("new") && kept("c2") && !kept("c1"));
        assert_eq!(cache.find("new").map(|found| found.words).as_deref(), Some("words"));
    }
}
