//! Hot reload: from files that changed to functions, routes, resources and triggers that are new.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::{Shared, apply_triggers, firebase, memory, prepare_reset, resources, tell};
use crate::base::Time;
use crate::functions::Changed;
use crate::project::{self, Loaded, Problem, Project, Severity};
use crate::telemetry::{self, Level};
use crate::watch::Watch;

/// Watches until it is dropped.
pub(super) struct Watching {
    _watch: Arc<Watch>,
    task: JoinHandle<()>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Saves that may wait while one is dealt with; further ones are told together with a later one, so none is lost.
const SAVES_MAX: usize = 64;

/// Reloads what is affected, whenever files change.
pub(super) fn watch(shared: &Arc<Shared>) -> anyhow::Result<Watching> {
    let project = shared.project();
    let (sender, mut saves) = mpsc::channel::<BTreeSet<PathBuf>>(SAVES_MAX);
    let watched = project.clone();
    let printed = printed_to();
    let ignore = move |path: &Path| !project::is_watched(&watched, path) || printed.contains(&identity(std::fs::metadata(path).ok()));
    let watch = Arc::new(Watch::start(&project.root, Box::new(ignore), move |paths| {
        // The watching thread waits while as many saves are waiting: it gathers more paths meanwhile.
        let _ = sender.blocking_send(paths);
    })?);
    watch.also(project.sources.clone());
    let (shared, watching) = (shared.clone(), watch.clone());
    let task = tokio::spawn(async move {
        while let Some(mut paths) = saves.recv().await {
            while let Ok(more) = saves.try_recv() {
                paths.extend(more);
            }
            let shared = shared.clone();
            if let Err(error) = changed(&shared, paths, &watching).await {
                tracing::error!("a change of files could not be dealt with: {error:#}");
            }
        }
    });
    Ok(Watching { _watch: watch, task })
}

/// How many folders of a project are watched, or would be if there were no bound.
pub fn watched_folders(project: &Project) -> usize {
    crate::watch::folders(&project.root, &|path| !project::is_watched(project, path))
}

/// The files that this program's own lines go to: what it prints must not make it print more.
fn printed_to() -> Vec<Option<(u64, u64)>> {
    let (out, err) = (std::io::stdout(), std::io::stderr());
    let metadata = |stream: BorrowedFd<'_>| File::from(stream.try_clone_to_owned().ok()?).metadata().ok().filter(Metadata::is_file);
    [metadata(out.as_fd()), metadata(err.as_fd())].into_iter().flatten().map(|file| identity(Some(file))).collect()
}

/// What is the same for all names of a file: its device and its number there.
fn identity(metadata: Option<Metadata>) -> Option<(u64, u64)> {
    metadata.map(|metadata| (metadata.dev(), metadata.ino()))
}

async fn changed(shared: &Arc<Shared>, paths: BTreeSet<PathBuf>, watch: &Watch) -> anyhow::Result<()> {
    let before = shared.project();
    let mut problems = Vec::new();
    let mut project = before.clone();
    let read = paths.iter().any(|path| before.sources.contains(path) || is_source(path));
    if read {
        let load = shared.load.clone();
        match tokio::task::spawn_blocking(move || project::load(&load)).await? {
            Ok(Loaded { project: loaded, warnings }) => {
                problems.extend(warnings);
                project = Arc::new(loaded);
            }
            // The project stays as it was last right.
            Err(wrong) => {
                tell(shared, &wrong);
                return Ok(());
            }
        }
    }
    let (project, found) = firebase::with_functions(&shared.functions, project, &paths).await;
    // Said again only where something of it may be new.
    problems.extend(found);
    let new = project != before;
    if let Some(firebase) = project.firebase.as_ref().filter(|_| read) {
        firebase::declare_indexes(&shared.world.services.documents, firebase, &project.root, shared.strict);
    }
    if new {
        // Before its resources are made: who puts another state in place meanwhile looks afterwards whether there is another project.
        *shared.project.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = project.clone();
        problems.extend(resources::ensure(&shared.world.services, &project, &shared.account).await);
        shared.network.allow(&project.settings.allow);
        watch.also(project.sources.clone());
        if let (Some(hosting), Some(firebase)) = (&shared.hosting, &project.firebase) {
            hosting.set(&firebase.sites);
        }
    }
    let changed = if new && project.settings.isolation != before.settings.isolation { Changed::All } else { Changed::Files(paths) };
    let report = shared.functions.reload(project.clone(), changed).await;
    let known = std::mem::take(&mut problems);
    problems = report.problems.into_iter().filter(|problem| !known.contains(problem)).collect();
    problems.splice(0..0, known);
    if new {
        problems.extend(apply_triggers(shared, &project).await?);
        prepare_reset(shared);
    }
    tell(shared, &problems);
    memory::release();
    Ok(())
}

/// Whether a file that the project has not read yet would be read now: a new `.env`, or a project file under its other name.
fn is_source(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.starts_with(".env")
        || project::FILE_NAMES.contains(&name)
        || name == project::firebase::FILE_NAME
        || name == project::firebase::RC_NAME
}

/// A problem as a record.
pub(super) fn record(problem: &Problem, frame: String, at: Time) -> telemetry::Problem {
    telemetry::Problem {
        at,
        level: match problem.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warn,
        },
        message: problem.message.clone(),
        help: problem.help.clone(),
        place: problem.at.as_ref().map(|at| format!("{}:{}:{}", at.file.display(), at.line, at.column)),
        frame: Some(frame),
    }
}
