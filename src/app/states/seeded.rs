//! The state that a start of the project begins with, kept aside so that a reset is quick.
//!
//! A start that makes a new state keeps what it has just seeded. Where the state was there already, and where the project's resources
//! have changed, it is made anew in a folder of its own, as such a start would make it.

use std::sync::Arc;

use anyhow::anyhow;
use async_trait::async_trait;
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::super::{resources, seed};
use super::export::read_any;
use super::{Inner, World, blocking};
use crate::base::Call;
use crate::project::Project;
use crate::wire::aws::Aws;
use crate::wire::aws::lambda::{Error, Function, Functions, Invoked, Mapping};

impl Inner {
    /// Sees to it that the seeded state aside is the project's. `known` is the project that it was last made for.
    pub(super) async fn ensure_seeded(&self, known: &mut Option<Arc<Project>>, project: &Arc<Project>) -> anyhow::Result<()> {
        if known.as_ref().is_some_and(|known| begin_alike(known, project)) {
            return Ok(());
        }
        let of = {
            let project = project.clone();
            blocking(move || fingerprint(&project)).await?
        };
        if !self.folder.is_seeded(&of) {
            self.make(project, &of).await?;
        }
        *known = Some(project.clone());
        Ok(())
    }

    async fn make(&self, project: &Project, of: &str) -> anyhow::Result<()> {
        let (begun, made) = (self.folder.aside()?, self.folder.aside()?);
        let world = World::open(begun.path(), self.world.db.clock().clone(), self.ids.clone(), true).await?;
        if let Some(dir) = &project.settings.import {
            let project_id = project.firebase.as_ref().map(|firebase| firebase.project_id.as_str());
            read_any(&world, dir.clone(), true, project_id).await?;
        }
        if let Some(problem) = resources::ensure(&world.services, project, &self.account).await.into_iter().next() {
            return Err(anyhow!("the project's resources cannot be made: {}", problem.message));
        }
        let aws = Aws::new(&world.services, Arc::new(Nobody), &self.account, self.world.db.clock(), &self.ids);
        seed::load(&aws, project).await?;
        // Saved rather than taken as it is: that is one file, and nobody has it open.
        let hold = world.services.objects.hold();
        world.db.copy_to(&made.path().join("state.db"), false)?;
        world.services.objects.share(&made.path().join("state.db"), &made.path().join("blobs"))?;
        drop(hold);
        self.folder.keep_seeded(made, of)
    }
}

/// Whether two projects begin with the same state.
fn begin_alike(a: &Project, b: &Project) -> bool {
    a.resources == b.resources
        && a.settings.seed == b.settings.seed
        && a.settings.import == b.settings.import
        && a.region == b.region
        && a.root == b.root
}

/// What a project's first state is made of: what it defines, and the files of its seed.
fn fingerprint(project: &Project) -> anyhow::Result<String> {
    let mut digest = Sha256::new();
    digest.update(format!("{} {:?} {:?}", env!("CARGO_PKG_VERSION"), project.resources, project.region));
    digest.update(format!("{:?}", project.settings.import));
    for file in seed::all_files(project)? {
        digest.update(file.display().to_string());
        digest.update([0]);
        let mut reader = std::fs::File::open(&file)?;
        std::io::copy(&mut reader, &mut Into(&mut digest))?;
        digest.update([0]);
    }
    Ok(hex::encode(digest.finalize()))
}

/// Bytes on their way into a digest.
struct Into<'a>(&'a mut Sha256);

impl std::io::Write for Into<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A seed calls no functions.
pub(super) struct Nobody;

#[async_trait]
impl Functions for Nobody {
    fn list(&self) -> Vec<Function> {
        Vec::new()
    }

    fn find(&self, _name: &str) -> Option<Function> {
        None
    }

    fn mappings(&self) -> Vec<Mapping> {
        Vec::new()
    }

    async fn invoke(&self, _call: &Call, name: &str, _event: Bytes, _with_log: bool) -> Result<Invoked, Error> {
        Err(Error::NoFunction(name.to_owned()))
    }

    async fn enqueue(&self, _call: &Call, name: &str, _event: Bytes) -> Result<String, Error> {
        Err(Error::NoFunction(name.to_owned()))
    }
}
