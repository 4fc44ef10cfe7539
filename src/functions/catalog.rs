//! The functions that there are at one moment. A reload makes a new catalog and swaps it in; what runs keeps the one it began with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use tokio::sync::OnceCell;

use super::program::Program;
use super::route::Routes;
use crate::base::Time;
use crate::project::{Function, Problem, Project};

/// Immutable. By the key under `functions`.
#[derive(Default)]
pub struct Catalog {
    entries: BTreeMap<Arc<str>, Arc<Entry>>,
    by_deployed_name: HashMap<Arc<str>, Arc<Entry>>,
    pub routes: Routes,
    pub region: String,
    pub stage: String,
    pub service: String,
}

/// A function of the project.
pub struct Entry {
    pub name: Arc<str>,
    /// As the project file has it now; a version keeps the one it was built with.
    pub function: Arc<Function>,
    /// The last version that could be built and loaded.
    pub version: Option<Arc<Version>>,
    /// What the last build complained about; empty where it went through.
    pub problems: Vec<Problem>,
    /// Files that the last build read.
    pub inputs: BTreeSet<PathBuf>,
    /// When the last build's own command ended, where it has one.
    pub commanded: Option<SystemTime>,
    pub gate: Arc<Gate>,
    /// Set until it was built for the first time, which may wait until it is called; those who call it meanwhile wait for one build.
    pub(super) unbuilt: Option<Arc<OnceCell<()>>>,
}

/// Code that can be invoked.
pub struct Version {
    /// Counts up with every version of every function of this process.
    pub number: u64,
    pub function: Arc<Function>,
    pub program: Arc<dyn Program>,
    pub built_at: Time,
    /// The length of the code.
    pub bytes: usize,
    /// What building it took, in microseconds: bundling, and evaluating the top level.
    pub bundle_micros: u64,
    pub load_micros: u64,
}

/// How far the time that a file is stamped with may lie behind the clock: a tick of the system.
const TICK: Duration = Duration::from_millis(10);

/// What became of one function in a build.
pub struct Attempt {
    pub inputs: BTreeSet<PathBuf>,
    /// When the project's own command for it ended, where it has one.
    pub commanded: Option<SystemTime>,
    /// The version, or none where the function was only looked through, and warnings; or what is wrong.
    pub result: Result<(Option<Version>, Vec<Problem>), Vec<Problem>>,
}

impl Attempt {
    /// Warnings, or what is wrong.
    pub fn problems(&self) -> &[Problem] {
        match &self.result {
            Ok((_, problems)) | Err(problems) => problems,
        }
    }
}

impl Catalog {
    /// The function of this key or deployed name.
    pub fn get(&self, name: &str) -> Option<&Arc<Entry>> {
        self.entries.get(name).or_else(|| self.by_deployed_name.get(name))
    }

    /// Every function, by key.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    /// The catalog after a build: what was built anew, what failed and so keeps its last good version, and what was left alone. Functions
    /// that the project no longer has are gone.
    pub fn after(&self, project: &Project, mut attempts: BTreeMap<String, Attempt>) -> Catalog {
        let mut catalog = Catalog {
            routes: Routes::new(project),
            region: project.region.clone(),
            stage: project.stage.clone(),
            service: project.service.clone(),
            ..Catalog::default()
        };
        for function in &project.functions {
            let before = self.entries.get(function.name.as_str());
            let entry = Arc::new(Entry::after(before, function, attempts.remove(&function.name)));
            catalog.by_deployed_name.insert(function.deployed_name.as_str().into(), Arc::clone(&entry));
            catalog.entries.insert(Arc::clone(&entry.name), entry);
        }
        catalog
    }

    /// Which functions have to be built again after these files were changed, made or removed.
    pub fn affected(&self, root: &Path, changed: &BTreeSet<PathBuf>) -> BTreeSet<String> {
        let all = changed.iter().any(|file| decides_resolution(file));
        let hit = |entry: &Entry| {
            if entry.function.build.is_some() {
                return changed.iter().any(|file| self.may_be_built_of(root, entry, file));
            }
            // A build that failed may have looked for any file; a build that went through may resolve to a new file beside an old one.
            all || (!entry.problems.is_empty() && entry.has_errors())
                || changed.iter().any(|file| entry.inputs.contains(file) || entry.inputs.iter().any(|input| is_sibling(input, file)))
                || changed.contains(&root.join(&entry.function.handler))
        };
        self.entries.values().filter(|entry| hit(entry)).map(|entry| entry.name.to_string()).collect()
    }

    /// Whether a function with a command of its own is to be built again because of a file. Only the command knows what it reads: so any
    /// file counts that no other function is made of. What the command wrote itself does not, or it would run for ever.
    fn may_be_built_of(&self, root: &Path, entry: &Entry, file: &Path) -> bool {
        let others = self.entries.values().any(|other| other.name != entry.name && other.inputs.contains(file));
        let written = std::fs::metadata(file).and_then(|file| file.modified()).ok();
        // What is saved right after the command ended may be stamped with a time just before that. Beside its result, the command wrote it.
        let is_beside = root.join(&entry.function.handler).parent().is_some_and(|folder| file.starts_with(folder));
        let tick = if is_beside { Duration::ZERO } else { TICK };
        !others && written.is_some_and(|written| entry.commanded.is_none_or(|ended| written + tick > ended))
    }

    /// Which functions of a project are new here, or differ in what a version is made of.
    pub fn outdated(&self, project: &Project) -> BTreeSet<String> {
        let same = |function: &Function| {
            self.entries.get(function.name.as_str()).is_some_and(|entry| {
                let old = &entry.function;
                (&old.deployed_name, old.runtime, &old.handler, &old.build, old.memory_mib, &old.environment, &old.firebase)
                    == (
                        &function.deployed_name,
                        function.runtime,
                        &function.handler,
                        &function.build,
                        function.memory_mib,
                        &function.environment,
                        &function.firebase,
                    )
            })
        };
        project.functions.iter().filter(|function| !same(function)).map(|function| function.name.clone()).collect()
    }
}

/// Files that say where imports lead, whoever imports.
fn decides_resolution(file: &Path) -> bool {
    let Some(name) = file.file_name().and_then(|name| name.to_str()) else { return false };
    matches!(name, "package.json" | "package-lock.json" | "yarn.lock" | "pnpm-lock.yaml" | "bun.lock" | "jsconfig.json")
        || (name.starts_with("tsconfig") && name.ends_with(".json"))
}

/// Whether both would be found under one name without an extension, so that one may take the other's place.
fn is_sibling(input: &Path, file: &Path) -> bool {
    input.parent() == file.parent() && input.file_stem() == file.file_stem()
}

impl Entry {
    fn after(before: Option<&Arc<Entry>>, function: &Function, attempt: Option<Attempt>) -> Entry {
        let gate = before.map_or_else(Arc::default, |entry| Arc::clone(&entry.gate));
        gate.set_max(function.concurrency_max);
        let name = before.map_or_else(|| function.name.as_str().into(), |entry| Arc::clone(&entry.name));
        let last = before.and_then(|entry| entry.version.clone());
        let function = Arc::new(function.clone());
        let unbuilt = match (&attempt, before) {
            (Some(Attempt { result: Err(_) | Ok((Some(_), _)), .. }), _) => None,
            (_, Some(before)) => before.unbuilt.clone(),
            (_, None) => Some(Arc::default()),
        };
        let (version, problems, inputs, commanded) = match attempt {
            Some(Attempt { inputs, commanded, result: Ok((version, warnings)) }) => {
                (version.map(Arc::new).or(last), warnings, inputs, commanded)
            }
            Some(Attempt { inputs, commanded, result: Err(problems) }) => (last, problems, inputs, commanded),
            None => (
                last,
                before.map(|entry| entry.problems.clone()).unwrap_or_default(),
                before.map(|entry| entry.inputs.clone()).unwrap_or_default(),
                before.and_then(|entry| entry.commanded),
            ),
        };
        Entry { name, function, version, problems, inputs, commanded, gate, unbuilt }
    }

    /// Whether the last build failed.
    pub fn has_errors(&self) -> bool {
        self.problems.iter().any(|problem| problem.severity == crate::project::Severity::Error)
    }
}

/// How many invocations of a function run, and how many may (`reservedConcurrency`). Outlives versions.
#[derive(Debug)]
pub struct Gate {
    running: AtomicU32,
    max: AtomicU64,
}

impl Default for Gate {
    fn default() -> Gate {
        Gate { running: AtomicU32::new(0), max: AtomicU64::new(u64::MAX) }
    }
}

impl Gate {
    fn set_max(&self, max: Option<u32>) {
        self.max.store(max.map_or(u64::MAX, u64::from), Ordering::Relaxed);
    }

    /// How many run now.
    pub fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// A place, if one is free.
    pub fn enter(self: &Arc<Gate>) -> Option<Place> {
        let max = self.max.load(Ordering::Relaxed);
        self.running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |running| (u64::from(running) < max).then_some(running.saturating_add(1)))
            .ok()
            .map(|_| Place(Arc::clone(self)))
    }
}

/// A place among the invocations of a function; free again when dropped.
#[derive(Debug)]
pub struct Place(Arc<Gate>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_lets_as_many_in_as_it_may() {
        let gate = Arc::new(Gate::default());
        gate.set_max(Some(1));
        let place = gate.enter().expect("a free place");
        assert!(gate.enter().is_none());
        drop(place);
        assert!(gate.enter().is_some());
        gate.set_max(Some(0));
        assert!(gate.enter().is_none());
        gate.set_max(None);
        assert!(gate.enter().is_some());
        assert_eq!(gate.running(), 0);
    }

    #[test]
    fn files_decide_resolution_by_their_names() {
        for (file, expected) in
            [("/p/package.json", true), ("/p/tsconfig.base.json", true), ("/p/src/a.ts", false), ("/p/data.json", false)]
        {
            assert_eq!(decides_resolution(Path::new(file)), expected, "{file}");
        }
        assert!(is_sibling(Path::new("/p/a.js"), Path::new("/p/a.ts")));
        assert!(!is_sibling(Path::new("/p/a.js"), Path::new("/q/a.ts")));
    }
}
