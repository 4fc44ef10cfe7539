//! Compiled code on disk. Whatever is wrong with it, it is compiled again.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use wasmtime::{Engine, Module};

pub struct Cache {
    dir: PathBuf,
}

impl Cache {
    pub fn new(dir: &Path) -> Cache {
        Cache { dir: dir.to_owned() }
    }

    /// What `store` kept under this name, where it is whole and made for this engine.
    pub fn load(&self, engine: &Engine, name: &str) -> Option<Module> {
        let path = self.path(name);
        let sum = fs::read_to_string(self.sum_path(name)).ok()?;
        let content = fs::read(&path).ok()?;
        if sum != checksum(&content) {
            tracing::warn!(path = %path.display(), "compiled code in the cache is damaged and is made anew");
            return None;
        }
        // SAFETY: the file holds what `Module::serialize` gave: its checksum, written after it, matches. Only the user who runs this
        // process can write to the directory; wasmtime itself refuses files of other versions or settings.
        match unsafe { Module::deserialize_file(engine, &path) } {
            Ok(module) => Some(module),
            Err(e) => {
                tracing::warn!(path = %path.display(), "compiled code in the cache does not fit and is made anew: {e:#}");
                None
            }
        }
    }

    /// Keeps a module. Failing costs the next process some time, so it is only logged.
    pub fn store(&self, name: &str, module: &Module) {
        let kept =
            module.serialize().map_err(|e| format!("{e:#}")).and_then(|content| self.write(name, &content).map_err(|e| e.to_string()));
        if let Err(e) = kept {
            tracing::warn!(dir = %self.dir.display(), "cannot keep compiled code: {e}");
        }
    }

    fn write(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        make_private_dir(&self.dir)?;
        self.replace(&self.path(name), content)?;
        self.replace(&self.sum_path(name), checksum(content).as_bytes())
    }

    /// Writes beside and renames, so that no other process sees half a file.
    fn replace(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let beside = path.with_extension(format!("{}-{}.tmp", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
        fs::write(&beside, content)?;
        fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.cwasm"))
    }

    fn sum_path(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.sum"))
    }
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
