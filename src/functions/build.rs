//! Building: when a function is built, and what a reload does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures_util::StreamExt;

use super::catalog::Entry;
use super::invoke::Functions;
use crate::project::{Problem, Project, Runtime};
use crate::telemetry::{self, Record};

/// What has to be built again.
#[derive(Clone, Debug)]
pub enum Changed {
    /// Every function.
    All,
    /// The functions that these files are part of, and those that the project file defines otherwise than before.
    Files(BTreeSet<PathBuf>),
}

/// What a reload did.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Functions with a new version, with the microseconds that bundling and loading took.
    pub ready: Vec<(Arc<str>, u64, u64)>,
    /// Functions whose build failed.
    pub failed: Vec<Arc<str>>,
    /// Functions that are no more.
    pub removed: Vec<Arc<str>>,
    /// What the builds complained about, each thing once.
    pub problems: Vec<Problem>,
    pub micros: u64,
}

impl Functions {
    /// Takes a project's functions in without building them: each is built when it is first called.
    pub fn open(&self, project: Arc<Project>) {
        let _swap = lock(&self.0.swap);
        self.0.catalog.store(Arc::new(self.catalog().after(&project, BTreeMap::new())));
        self.0.project.store(Some(project));
    }

    /// Makes the function ready that was loaded last in the runs before: it is likely to be called next.
    pub async fn make_likely(&self) {
        let Some(versions) = &self.0.surroundings.versions else { return };
        let catalog = self.catalog();
        let kept = catalog.iter().filter(|entry| entry.unbuilt.is_some()).filter_map(|entry| Some((versions.used(&entry.name)?, entry)));
        if let Some((_, entry)) = kept.max_by_key(|(used, _)| *used) {
            self.built(entry).await;
        }
    }

    /// Looks through the functions that nobody has called yet, leaving a core to those who are called: bundles them, and evaluates what
    /// they depend on, so that the first call finds both. Answers what is wrong with any of them.
    pub async fn check_all(&self) -> Vec<Problem> {
        let names = self.catalog().iter().filter(|entry| entry.unbuilt.is_some()).map(|entry| entry.name.to_string()).collect();
        self.check(names).await
    }

    async fn check(&self, names: BTreeSet<String>) -> Vec<Problem> {
        let inner = &self.0;
        let Some(project) = inner.project.load_full() else { return Vec::new() };
        let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get().saturating_sub(1).max(1));
        let functions = project.functions.iter().filter(|function| names.contains(&function.name));
        let checks = futures_util::stream::iter(functions.cloned().collect::<Vec<_>>()).map(|function| {
            let (functions, project) = (self.clone(), Arc::clone(&project));
            async move {
                let inner = &functions.0;
                if function.runtime != Runtime::JavaScript {
                    // There is no look without making it, and a command of the project's must not run twice at once.
                    let Some(entry) = functions.catalog().get(&function.name).cloned() else { return Vec::new() };
                    return functions.built(&entry).await.problems.clone();
                }
                let began = inner.reloads.load(Ordering::Acquire);
                let attempt = inner.maker.check(&project, &function, &inner.surroundings, &inner.world).await;
                let problems = attempt.problems().to_vec();
                let _swap = lock(&inner.swap);
                let now = functions.catalog();
                // It may have been called meanwhile, or its files changed.
                if began == inner.reloads.load(Ordering::Acquire) && now.get(&function.name).is_some_and(|entry| entry.unbuilt.is_some()) {
                    inner.catalog.store(Arc::new(now.after(&project, BTreeMap::from([(function.name, attempt)]))));
                }
                problems
            }
        });
        once(checks.buffer_unordered(cores).collect::<Vec<_>>().await.into_iter().flatten())
    }

    /// The function as it is once it was built at all.
    pub(super) async fn built(&self, entry: &Arc<Entry>) -> Arc<Entry> {
        let Some(unbuilt) = &entry.unbuilt else { return Arc::clone(entry) };
        let functions = self.clone();
        let name = Arc::clone(&entry.name);
        unbuilt
            .get_or_init(|| async move {
                // A task of its own, so that it ends though nobody waits for it any more. One that panics leaves the function unbuilt.
                let _ = tokio::spawn(async move { functions.build_first(&name).await }).await;
            })
            .await;
        self.catalog().get(&entry.name).map_or_else(|| Arc::clone(entry), Arc::clone)
    }

    async fn build_first(&self, name: &str) {
        let inner = &self.0;
        loop {
            let began = inner.reloads.load(Ordering::Acquire);
            let Some(project) = inner.project.load_full() else { return };
            let Some(function) = project.functions.iter().find(|function| function.name == name) else { return };
            let attempt = inner.maker.make(&project, function, &inner.surroundings, &inner.world).await;
            let _swap = lock(&inner.swap);
            let now = self.catalog();
            if now.get(name).is_none_or(|entry| entry.unbuilt.is_none()) {
                return;
            }
            // A reload that began meanwhile left it to this: it is made again, of the newer files.
            if began == inner.reloads.load(Ordering::Acquire) {
                inner.catalog.store(Arc::new(now.after(&project, BTreeMap::from([(name.to_owned(), attempt)]))));
                return;
            }
        }
    }

    /// Builds what is affected and swaps the catalog. A function whose build fails keeps its last good version. Functions that nobody has
    /// called yet are only looked through, once the others are in place.
    pub async fn reload(&self, project: Arc<Project>, changed: Changed) -> Report {
        let inner = &self.0;
        let _one_at_a_time = inner.reload.lock().await;
        let began = Instant::now();
        let earlier = inner.project.swap(Some(Arc::clone(&project)));
        inner.reloads.fetch_add(1, Ordering::AcqRel);
        let before = self.catalog();
        let mut names = before.outdated(&project);
        match &changed {
            Changed::All => names.extend(project.functions.iter().map(|function| function.name.clone())),
            Changed::Files(files) => names.extend(before.affected(&project.root, files)),
        }
        let (uncalled, names): (BTreeSet<String>, BTreeSet<String>) =
            names.into_iter().partition(|name| before.get(name).is_some_and(|entry| entry.unbuilt.is_some()));
        let making = project.functions.iter().filter(|function| names.contains(&function.name)).map(|function| {
            let (functions, project, function) = (self.clone(), Arc::clone(&project), function.clone());
            tokio::spawn(async move {
                let inner = &functions.0;
                let attempt = inner.maker.make(&project, &function, &inner.surroundings, &inner.world).await;
                (function, attempt)
            })
        });
        let mut attempts = BTreeMap::new();
        let mut report = Report::default();
        for made in futures_util::future::join_all(making).await {
            let (function, attempt) = match made {
                Ok(made) => made,
                // A build that panicked is left out: the function keeps what it had, and is built again at the next change.
                Err(_) => continue,
            };
            let name: Arc<str> = function.name.as_str().into();
            match &attempt.result {
                Ok((Some(version), _)) => report.ready.push((name, version.bundle_micros, version.load_micros)),
                Ok((None, _)) => {}
                Err(_) => report.failed.push(name),
            }
            report.problems.extend(attempt.problems().iter().cloned());
            attempts.insert(function.name, attempt);
        }
        let (before, after) = {
            let _swap = lock(&inner.swap);
            // As it is now: functions may have been built for the first time meanwhile.
            let before = self.catalog();
            let after = Arc::new(before.after(&project, attempts));
            inner.catalog.store(Arc::clone(&after));
            (before, after)
        };
        report.removed = before.iter().filter(|entry| after.get(&entry.name).is_none()).map(|entry| Arc::clone(&entry.name)).collect();
        report.micros = began.elapsed().as_micros() as u64;
        if !uncalled.is_empty() {
            report.problems.extend(self.check(uncalled.clone()).await);
            let failed = |name: &String| self.catalog().get(name).is_some_and(|entry| entry.has_errors());
            report.failed.extend(uncalled.iter().filter(|name| failed(name)).map(|name| name.as_str().into()));
        }
        report.problems = once(std::mem::take(&mut report.problems));
        // Of files that nothing is made of nothing is told: whoever keeps what emu prints in the project would see it told of for ever.
        let same = report.ready.is_empty() && report.failed.is_empty() && report.removed.is_empty();
        if !same || earlier.is_none_or(|earlier| earlier != project) {
            inner.world.sink.put(|| {
                Record::Reload(telemetry::Reload {
                    at: inner.world.clock.now(),
                    ready: report.ready.iter().map(|(name, ..)| Arc::clone(name)).collect(),
                    failed: report.failed.clone(),
                    removed: report.removed.clone(),
                    micros: report.micros,
                })
            });
        }
        report
    }
}

/// Each problem once, in order: functions share files.
fn once(problems: impl IntoIterator<Item = Problem>) -> Vec<Problem> {
    let mut all: Vec<Problem> = Vec::new();
    for problem in problems {
        if !all.contains(&problem) {
            all.push(problem);
        }
    }
    all
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}
