//! What can be done with the state of a World as a whole: save it, put another in its place, move its clock.
//!
//! Everything is made aside and takes its place in one step: a database by a commit, a file by a rename. A process that is killed at
//! any moment leaves the state before or the one after.

mod answer;
pub mod bundle;
mod difference;
mod export;
mod folder;
mod part;
mod seeded;
mod shelf;
mod suite;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use tokio::sync::Mutex;

use super::resources;
use super::world::World;
use crate::base::{Clock, Ids};
use crate::functions::Functions;
use crate::project::Project;
use crate::services::{objects, schedules};
use crate::triggers::{self, Triggers};
use crate::wire::aws::arn::Account;
pub(super) use export::begin_with;
use folder::Folder;
pub use part::Part;
pub use shelf::Snapshot;

/// Who keeps the states of one World. Clones are the same.
#[derive(Clone)]
pub struct States(Arc<Inner>);

struct Inner {
    folder: Folder,
    world: World,
    ids: Ids,
    account: Account,
    /// State that is thrown away need not reach the disk.
    ephemeral: bool,
    running: Option<Running>,
    /// One change of a state as a whole at a time. Inside: the project whose seeded state is kept aside.
    busy: Mutex<Option<Arc<Project>>>,
}

/// A state that lies aside: a database of the same tables, and the files that it names.
struct Aside {
    database: PathBuf,
    blobs: PathBuf,
}

impl Aside {
    fn of(folder: &Path) -> Aside {
        Aside { database: folder.join("state.db"), blobs: folder.join("blobs") }
    }
}

/// What [`States`] is made of.
pub(super) struct Makings {
    pub folder: PathBuf,
    pub world: World,
    pub ids: Ids,
    pub account: Account,
    pub ephemeral: bool,
    pub running: Option<Running>,
}

/// What of a running emu has to begin anew with another state.
pub(super) struct Running {
    pub triggers: Triggers,
    pub functions: Functions,
}

impl States {
    /// Tidies up what a killed process left in the folder.
    pub(super) fn open(makings: Makings) -> anyhow::Result<States> {
        let Makings { folder, world, ids, account, ephemeral, running } = makings;
        let folder = Folder::open(folder)?;
        Ok(States(Arc::new(Inner { folder, world, ids, account, ephemeral, running, busy: Mutex::default() })))
    }

    /// The World's clock.
    pub fn clock(&self) -> &Clock {
        self.0.world.db.clock()
    }

    /// Saves the state under a name, which `replace` allows to be taken.
    pub async fn snapshot(&self, name: &str, replace: bool) -> anyhow::Result<Snapshot> {
        let _busy = self.0.busy.lock().await;
        let (inner, name) = (self.0.clone(), name.to_owned());
        blocking(move || shelf::put(&inner, &name, replace)).await
    }

    /// The snapshots there are, by name.
    pub async fn snapshots(&self) -> anyhow::Result<Vec<Snapshot>> {
        let inner = self.0.clone();
        blocking(move || shelf::list(&inner.folder)).await
    }

    /// Puts a snapshot's state in the place of this one, with its clock. What the project defines and the snapshot lacks is made.
    pub async fn restore(&self, project: &Project, name: &str) -> anyhow::Result<Snapshot> {
        let _busy = self.0.busy.lock().await;
        let (inner, name) = (self.0.clone(), name.to_owned());
        let restored = blocking(move || {
            let (snapshot, aside) = shelf::find(&inner.folder, &name)?;
            let aside = inner.current(aside)?;
            inner.put_in_place(&aside, None).with_context(|| format!("the snapshot `{name}` cannot be restored"))?;
            Ok(snapshot)
        })
        .await?;
        self.0.ensure(project).await?;
        Ok(restored)
    }

    /// Goes back to the state that a new start of the project begins with: its resources, its seed, and the machine's time. Or does that
    /// for one part only, which leaves the clock as it is.
    pub async fn reset(&self, project: &Arc<Project>, part: Option<Part>) -> anyhow::Result<()> {
        let mut busy = self.0.busy.lock().await;
        self.0.ensure_seeded(&mut busy, project).await?;
        let inner = self.0.clone();
        blocking(move || inner.put_in_place(&Aside::of(&inner.folder.seeded()?), part).context("the state cannot be reset")).await
    }

    /// Keeps the state as it is now as the seeded one: for a start that has just seeded it, before anybody else can change it.
    pub async fn keep_seeded(&self, project: &Arc<Project>) -> anyhow::Result<()> {
        let mut busy = self.0.busy.lock().await;
        let inner = self.0.clone();
        blocking(move || {
            let made = inner.folder.aside()?;
            inner.save(made.path(), false)?;
            inner.folder.keep_seeded(made, "")
        })
        .await?;
        *busy = Some(project.clone());
        Ok(())
    }

    /// Makes what the project defines and the state lacks.
    pub async fn ensure(&self, project: &Project) -> anyhow::Result<()> {
        let _busy = self.0.busy.lock().await;
        self.0.ensure(project).await
    }

    /// Sees to it that the seeded state of a project is at hand: so that a reset need not make it.
    pub async fn prepare(&self, project: &Arc<Project>) -> anyhow::Result<()> {
        let mut busy = self.0.busy.lock().await;
        self.0.ensure_seeded(&mut busy, project).await
    }
}

impl Inner {
    /// Writes this state into an empty folder, while others go on using it.
    fn save(&self, to: &Path, durable: bool) -> anyhow::Result<()> {
        let (aside, objects) = (Aside::of(to), &self.world.services.objects);
        let _hold = objects.hold();
        self.world.db.copy_to(&aside.database, durable && !self.ephemeral)?;
        objects.share(&aside.database, &aside.blobs)?;
        Ok(())
    }

    /// Puts a state in the place of this one, in one transaction: everything, or only this part.
    fn put_in_place(&self, aside: &Aside, part: Option<Part>) -> anyhow::Result<()> {
        let (objects, parts) = (&self.world.services.objects, Part::schemas(part));
        let taken = self.world.db.replace(&aside.database, |replacing| {
            let taken = objects.take_over(replacing, &parts, &aside.blobs)?;
            if let Some(stock) = part.and_then(Part::stock) {
                replacing.take_over_stock(stock)?;
            }
            match &self.running {
                Some(Running { triggers, .. }) if parts.iter().any(|schema| schema.part == schedules::SCHEMA.part) => {
                    triggers.begin_in(replacing.tx)?
                }
                _ => triggers::begin_in(replacing.tx)?,
            }
            Ok::<_, Wrong>(taken)
        })?;
        if let Some(taken) = taken {
            taken.keep();
        }
        // What functions keep between invocations they know from the state before.
        if let Some(running) = &self.running {
            running.functions.forget();
        }
        Ok(())
    }

    /// A state of an older emu, brought up to date in a copy; others as they are.
    fn current(&self, aside: Aside) -> anyhow::Result<Current> {
        if !crate::store::is_older(&aside.database, &World::schemas())? {
            return Ok(Current { aside, _copy: None });
        }
        let copy = self.folder.aside()?;
        let database = copy.path().join("state.db");
        std::fs::copy(&aside.database, &database)?;
        crate::store::bring_up_to_date(&database, &World::schemas())?;
        Ok(Current { aside: Aside { database, blobs: aside.blobs }, _copy: Some(copy) })
    }

    /// Makes what the project defines and this state lacks. What cannot be made is what a start would have said, too.
    async fn ensure(&self, project: &Project) -> anyhow::Result<()> {
        let problems = resources::ensure(&self.world.services, project, &self.account).await;
        match problems.into_iter().next() {
            None => Ok(()),
            Some(problem) => Err(anyhow!("the state is in place, but not all that the project defines could be made: {}", problem.message)),
        }
    }
}

/// Why a state could not be put in place; the one there was stays.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Store(#[from] crate::store::Error),
    #[error(transparent)]
    Objects(#[from] objects::Error),
    #[error(transparent)]
    Schedules(#[from] schedules::Error),
}

/// A state aside that has this emu's tables.
struct Current {
    aside: Aside,
    _copy: Option<folder::Making>,
}

impl std::ops::Deref for Current {
    type Target = Aside;

    fn deref(&self) -> &Aside {
        &self.aside
    }
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|_| anyhow!("emu failed inside; this is a bug in emu, please report it"))?
}
