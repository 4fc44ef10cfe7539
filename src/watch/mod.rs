//! Watches a project's files and says which changed, a whole save (or branch switch) at a time.
//!
//! One watch a folder rather than one for the tree: folders that are not ours to watch (`node_modules`, `.git`, build
//! output) then cost nothing, and our own output cannot set off a build.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

/// Changes are told when nothing has changed for this long: editors write a file in several steps.
const QUIET: Duration = Duration::from_millis(8);
/// … but not later than this after the first: a long branch switch is told in parts.
const PATIENCE: Duration = Duration::from_millis(150);
/// Folders that are watched at most; a project with more is told so.
const FOLDERS_MAX: usize = 8_192;

/// Folder names that are never watched.
const IGNORED: [&str; 9] = ["node_modules", ".git", ".emu", ".serverless", ".hg", ".svn", "target", "coverage", ".cache"];

/// Why files cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("files cannot be watched: {0}")]
    Notify(#[from] notify::Error),
    #[error("the watching thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
}

/// Says whether a folder or file is left alone, beside [`IGNORED`] folders.
pub type Ignore = Box<dyn Fn(&Path) -> bool + Send>;

/// Folders that are counted; who has more has far too many.
const COUNTED_MAX: usize = 100_000;

/// How many folders there are to watch below `root`, itself included.
pub fn folders(root: &Path, ignore: &dyn Fn(&Path) -> bool) -> usize {
    let (mut count, mut pending) = (0, vec![root.to_owned()]);
    while let Some(folder) = pending.pop().filter(|_| count < COUNTED_MAX) {
        count += 1;
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_ignored(&path) && !ignore(&path) {
                pending.push(path);
            }
        }
    }
    count
}

/// Whether a folder is one that is never watched.
fn is_ignored(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| IGNORED.contains(&name))
}

/// Watches until it is dropped.
pub struct Watch {
    messages: mpsc::Sender<Message>,
}

enum Message {
    Notify(notify::Result<notify::Event>),
    Also(Vec<PathBuf>),
    End,
}

impl Watch {
    /// Watches `root`; `tell` is called on a thread of its own with the paths that were created, written, renamed or removed.
    pub fn start(root: &Path, ignore: Ignore, tell: impl Fn(BTreeSet<PathBuf>) + Send + 'static) -> Result<Watch, Error> {
        let (messages, inbox) = mpsc::channel();
        let sender = messages.clone();
        let watcher = notify::recommended_watcher(move |event| {
            // The receiving thread outlives the watcher; after it there is nobody to tell.
            let _ = sender.send(Message::Notify(event));
        })?;
        let mut folders = Folders { watcher, watched: HashSet::new(), ignore, full: false };
        folders.add(root)?;
        std::thread::Builder::new().name("emu-watch".into()).spawn(move || run(&mut folders, &inbox, &tell))?;
        Ok(Watch { messages })
    }

    /// Watches the folders of these files too: what a project reads from outside its own folder.
    pub fn also(&self, files: Vec<PathBuf>) {
        let _ = self.messages.send(Message::Also(files));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.messages.send(Message::End);
    }
}

struct Folders {
    watcher: RecommendedWatcher,
    watched: HashSet<PathBuf>,
    ignore: Ignore,
    full: bool,
}

impl Folders {
    /// Watches a folder and those in it.
    fn add(&mut self, folder: &Path) -> Result<(), Error> {
        let mut pending = vec![folder.to_owned()];
        while let Some(folder) = pending.pop() {
            if self.watched.contains(&folder) {
                continue;
            }
            if self.watched.len() >= FOLDERS_MAX {
                if !std::mem::replace(&mut self.full, true) {
                    tracing::warn!("only the first {FOLDERS_MAX} folders are watched; name large ones under `emu.watch.ignore`");
                }
                return Ok(());
            }
            self.watcher.watch(&folder, RecursiveMode::NonRecursive)?;
            let entries = std::fs::read_dir(&folder).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default();
            for entry in entries {
                // A linked folder is not followed: it may lead anywhere, also back here.
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) && !self.ignored(&entry.path()) {
                    pending.push(entry.path());
                }
            }
            self.watched.insert(folder);
        }
        Ok(())
    }

    fn ignored(&self, path: &Path) -> bool {
        is_ignored(path) || (self.ignore)(path)
    }

    fn only(&mut self, folder: &Path) {
        if self.watched.contains(folder) {
            return;
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_owned());
            }
            Err(error) => tracing::warn!(%error, folder = %folder.display(), "a folder outside the project cannot be watched"),
        }
    }

    /// Takes one event in; answers the paths that changed.
    fn take(&mut self, event: notify::Result<notify::Event>, into: &mut BTreeSet<PathBuf>) {
        let event = match event {
            Ok(event) => event,
            Err(error) => {
                tracing::warn!(%error, "a change of a file may have been missed");
                return;
            }
        };
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Create(_)
            | EventKind::Modify(_)
            | EventKind::Remove(_) => {}
            EventKind::Access(_) | EventKind::Any | EventKind::Other => return,
        }
        for path in event.paths {
            if self.ignored(&path) {
                continue;
            }
            if path.is_dir() {
                // A folder that appears may already hold files whose own events came too early to be seen.
                if !self.watched.contains(&path) {
                    if let Err(error) = self.add(&path) {
                        tracing::warn!(%error, folder = %path.display(), "a new folder cannot be watched");
                    }
                    into.extend(files(&path, &|p| self.ignored(p)));
                }
            } else {
                if self.watched.remove(&path) {
                    // The folder is gone; one of the same name is a new one.
                    self.watched.retain(|folder| !folder.starts_with(&path));
                }
                into.insert(path);
            }
        }
    }
}

fn files(folder: &Path, ignored: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![folder.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(&folder).map(|entries| entries.flatten().collect::<Vec<_>>()).unwrap_or_default() {
            let path = entry.path();
            if ignored(&path) {
                continue;
            }
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                pending.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found
}

fn run(folders: &mut Folders, inbox: &mpsc::Receiver<Message>, tell: &dyn Fn(BTreeSet<PathBuf>)) {
    let mut changed = BTreeSet::new();
    let mut tell_by: Option<Instant> = None;
    loop {
        let message = match tell_by {
            None => inbox.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(by) => inbox.recv_timeout(QUIET.min(by.saturating_duration_since(Instant::now()))),
        };
        match message {
            Ok(Message::Notify(event)) => {
                folders.take(event, &mut changed);
                if !changed.is_empty() && tell_by.is_none() {
                    tell_by = Some(Instant::now() + PATIENCE);
                }
                if tell_by.is_none_or(|by| Instant::now() < by) {
                    continue;
                }
            }
            Ok(Message::Also(files)) => {
                for folder in files.iter().filter_map(|file| file.parent()) {
                    folders.only(folder);
                }
                continue;
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Ok(Message::End) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
        }
        tell_by = None;
        tell(std::mem::take(&mut changed));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Watched {
        folder: tempfile::TempDir,
        told: mpsc::Receiver<BTreeSet<PathBuf>>,
        _watch: Watch,
    }

    fn watched(prepare: impl FnOnce(&Path)) -> Watched {
        let folder = tempfile::tempdir().expect("a folder");
        prepare(folder.path());
        let (tell, told) = mpsc::channel();
        let watch = Watch::start(folder.path(), Box::new(|path| path.ends_with("dist")), move |paths| {
            let _ = tell.send(paths);
        })
        .expect("files can be watched");
        Watched { folder, told, _watch: watch }
    }

    impl Watched {
        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        /// Waits until `name` is told of; answers all that was told until then.
        fn until(&self, name: &str) -> BTreeSet<PathBuf> {
            let mut all = BTreeSet::new();
            while !all.contains(&self.path(name)) {
                all.extend(self.told.recv_timeout(Duration::from_secs(20)).expect("the change is told"));
            }
            all
        }
    }

    #[test]
    fn files_in_new_folders_are_told_and_ignored_folders_are_not() {
        let w = watched(|root| {
            for folder in ["src", "node_modules/a", "dist"] {
                std::fs::create_dir_all(root.join(folder)).expect("a folder");
            }
        });
        for file in ["node_modules/a/x.js", "dist/x.js"] {
            std::fs::write(w.path(file), "1").expect("a file");
        }
        std::fs::create_dir_all(w.path("src/new/deep")).expect("a folder");
        std::fs::write(w.path("src/new/deep/a.ts"), "1").expect("a file");
        let told = w.until("src/new/deep/a.ts");
        assert!(!told.iter().any(|path| path.ends_with("x.js")), "{told:?}");
        std::fs::write(w.path("src/new/deep/a.ts"), "2").expect("a file");
        w.until("src/new/deep/a.ts");
    }

    #[test]
    fn a_save_by_rename_and_a_removal_are_told() {
        let w = watched(|root| std::fs::write(root.join("a.ts"), "1").expect("a file"));
        std::fs::write(w.path(".a.swp"), "2").expect("a file");
        std::fs::rename(w.path(".a.swp"), w.path("a.ts")).expect("a rename");
        w.until("a.ts");
        std::fs::remove_file(w.path("a.ts")).expect("a removal");
        w.until("a.ts");
    }
}
