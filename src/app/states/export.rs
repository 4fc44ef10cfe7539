//! States as folders of text files: `docs/state.md` says what is in them.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::folder::Making;
use super::{Aside, Inner, States, World, blocking, bundle, suite};
use crate::base::{Call, Standing};
use crate::project::Project;
use crate::services::{Services, auth, documents, mail, pubsub, push, queues, schedules, tables, topics};
use crate::store::portable::{Error, Reader, Writer};
use crate::store::{Db, Tx, outbox};
use crate::triggers;

/// The file that says that a folder is an export, and of which version.
pub(super) const HEAD: &str = "export.json";
const FORMAT: &str = "emu state";
/// The version that is written; newer ones are refused.
const VERSION: u64 = 1;
const CLOCK: &str = "clock.json";

impl States {
    /// Writes the state into a folder, which must be new or empty, or an export where `replace` says so. Answers how many files it has.
    pub async fn export(&self, dir: &Path, replace: bool) -> anyhow::Result<u64> {
        let _busy = self.0.busy.lock().await;
        let (inner, dir) = (self.0.clone(), dir.to_owned());
        blocking(move || {
            let taken = fs::read_dir(&dir).is_ok_and(|mut entries| entries.next().is_some());
            if taken && !dir.join(HEAD).is_file() {
                bail!("{} is not empty and no export; give another folder", dir.display());
            }
            if taken && !replace {
                bail!("{} has an export already; `--force` replaces it", dir.display());
            }
            // Beside it, so that a rename puts it in place.
            let name = dir.file_name().and_then(|name| name.to_str()).context("the folder has no name")?;
            let parent = dir.parent().context("the folder is in no other")?;
            fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display()))?;
            let new = Making::at(parent.join(format!(".{name}.{}.new", std::process::id())))?;
            let files = inner.export_into(new.path())?;
            new.take_place_of(&dir).with_context(|| format!("{} cannot be put in place", dir.display()))?;
            Ok(files)
        })
        .await
    }

    /// Puts the state of an export in the place of this one. `pending`: what was not delivered then is delivered now.
    pub async fn import(&self, project: &Arc<Project>, dir: &Path, pending: bool) -> anyhow::Result<()> {
        let _busy = self.0.busy.lock().await;
        let (inner, dir) = (self.0.clone(), bundle::export_in(dir));
        let project_id = project_id(project);
        let runtime = tokio::runtime::Handle::current();
        blocking(move || {
            let (staged, made) = (inner.folder.aside()?, inner.folder.aside()?);
            let world = runtime.block_on(World::open(staged.path(), crate::base::Clock::system(), inner.ids.clone(), true))?;
            runtime.block_on(read_any(&world, dir, pending, project_id.as_deref()))?;
            // Saved rather than taken as it is: that is one file, and nobody has it open.
            world.db.copy_to(&made.path().join("state.db"), false)?;
            world.services.objects.share(&made.path().join("state.db"), &made.path().join("blobs"))?;
            inner.put_in_place(&Aside::of(made.path()), None).context("the export cannot be put in place")
        })
        .await?;
        self.0.ensure(project).await
    }
}

/// Reads an export into a World that is new and that nobody else has; its clock stands as the export's from then on.
pub(in crate::app) async fn begin_with(world: &World, project: &Project, dir: &Path) -> anyhow::Result<()> {
    let (runtime, reading, dir) = (tokio::runtime::Handle::current(), world.clone(), dir.to_owned());
    let project_id = project_id(project);
    blocking(move || runtime.block_on(read_any(&reading, dir, true, project_id.as_deref()))).await?;
    let standing = world.db.read(&Call::operator(), |tx| tx.standing()).await?;
    world.db.clock().stand(standing);
    Ok(())
}

fn project_id(project: &Project) -> Option<String> {
    project.firebase.as_ref().map(|firebase| firebase.project_id.clone())
}

/// Reads an export, of emu or of Firebase's emulators, into a World that is new and that nobody else has.
pub(super) async fn read_any(world: &World, dir: PathBuf, pending: bool, project_id: Option<&str>) -> anyhow::Result<()> {
    if suite::is_one(&dir) {
        return suite::read_into(world, &dir, project_id).await;
    }
    Ok(read_into(world, dir, pending).await?)
}

/// Reads an export into a World without tables, in one transaction. Its clock is not moved, only what is stored of it.
pub(super) async fn read_into(world: &World, dir: PathBuf, pending: bool) -> Result<(), Error> {
    let (reader, services) = (Reader::new(dir), world.services.clone());
    world.db.write(&Call::operator(), move |tx| import_in(tx, &services, &reader, pending)).await
}

impl Inner {
    /// Writes this state as it is at one moment.
    pub(super) fn export_into(&self, folder: &Path) -> anyhow::Result<u64> {
        export(&self.world.db, &self.world.services, folder)
    }
}

/// Writes a state into an empty folder.
pub(super) fn export(db: &Db, services: &Services, folder: &Path) -> anyhow::Result<u64> {
    let _hold = services.objects.hold();
    let mut writer = Writer::new(folder.to_owned());
    let call = Call::operator();
    tokio::runtime::Handle::current().block_on(db.read(&call, |tx| export_in(tx, services, &mut writer)))?;
    Ok(writer.finish()?)
}

fn export_in(tx: &Tx<'_>, services: &Services, to: &mut Writer) -> Result<(), Error> {
    to.whole(HEAD, json!({ "format": FORMAT, "version": VERSION }))?;
    let standing = tx.standing()?;
    if standing != Standing::default() {
        to.whole(CLOCK, json!(standing))?;
    }
    tables::portable::export_in(tx, to)?;
    documents::portable::export_in(tx, to)?;
    services.objects.export_in(tx, to)?;
    queues::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))?;
    topics::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))?;
    pubsub::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))?;
    mail::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))?;
    push::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))?;
    auth::portable::export_in(tx, to)?;
    schedules::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))?;
    outbox::COLLECTION.export(tx, to)?;
    triggers::portable::COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))
}

fn import_in(tx: &mut Tx<'_>, services: &Services, from: &Reader, pending: bool) -> Result<(), Error> {
    check_head(from)?;
    if let Some(clock) = from.whole(CLOCK)? {
        let standing: Standing =
            serde_json::from_value(clock).map_err(|error| Error::File { file: from.path(CLOCK), why: error.to_string() })?;
        tx.put_standing(standing)?;
    }
    tables::portable::import_in(tx, from, pending)?;
    documents::portable::import_in(tx, from)?;
    services.objects.import_in(tx, from)?;
    queues::portable::COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))?;
    topics::portable::COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))?;
    pubsub::portable::COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))?;
    mail::portable::COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))?;
    push::portable::COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))?;
    auth::portable::import_in(tx, from)?;
    schedules::portable::import_in(tx, from)?;
    if pending {
        outbox::COLLECTION.import(tx, from)?;
    } else {
        from.open(outbox::COLLECTION.file)?;
    }
    triggers::portable::import_in(tx, from, pending)?;
    from.check_all_read()
}

/// Whether a folder is an export that this emu can read.
pub(super) fn check_head(from: &Reader) -> Result<(), Error> {
    let wrong = |why: String| Err(Error::File { file: from.path(HEAD), why });
    match from.whole(HEAD)? {
        None => wrong("it is missing: the folder is no export of emu's".to_owned()),
        Some(head) if head["format"] != FORMAT => wrong(format!("its `format` is not `{FORMAT}`")),
        Some(head) => match head.get("version").and_then(Value::as_u64) {
            Some(1..=VERSION) => Ok(()),
            Some(version) if version > VERSION => wrong(format!(
                "the export was written by a newer emu (version {version}, this emu knows {VERSION}); use that emu to read it"
            )),
            _ => wrong("its `version` is no number from 1".to_owned()),
        },
    }
}
