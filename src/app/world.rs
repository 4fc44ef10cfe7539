//! One World: a database, its blobs, its clock, its services.

use std::path::Path;

use anyhow::Context;

use crate::base::{Clock, Ids};
use crate::services::{SCHEMAS, Services};
use crate::store::blobs::Blobs;
use crate::store::{Db, Options, Schema};
use crate::triggers;

/// A state that is open. Cheap to clone.
#[derive(Clone)]
pub struct World {
    pub db: Db,
    pub services: Services,
}

impl World {
    /// All tables there are, but for the store's own.
    pub fn schemas() -> Vec<&'static Schema> {
        SCHEMAS.into_iter().chain([&triggers::SCHEMA]).collect()
    }

    /// Opens the state in `folder`, making it where it is new, and tidies up what a killed process left.
    pub async fn open(folder: &Path, clock: Clock, ids: Ids, ephemeral: bool) -> anyhow::Result<World> {
        let options = Options { path: folder.join(super::DATABASE), clock, ids: ids.clone(), ephemeral };
        let db = Db::open(options, &World::schemas()).with_context(|| format!("the state in {} cannot be opened", folder.display()))?;
        let blobs = Blobs::open(folder.join("blobs"), ids)?;
        let services = Services::new(&db, blobs);
        // Until the triggers of a project are known nobody listens; what is loaded before then calls nobody.
        db.set_interest(Box::new(|_, _| false));
        let swept = services.objects.sweep().await?;
        if swept > 0 {
            tracing::info!("{swept} unfinished uploads of an emu that was killed were removed");
        }
        Ok(World { db, services })
    }
}
