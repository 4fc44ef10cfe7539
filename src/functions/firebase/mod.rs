//! Functions of Firebase: folders with a `package.json`, whose exports say themselves what triggers them.

mod codebase;
mod manifest;
mod outlet;
mod request;
mod serve;

pub use codebase::{Codebases, Good, Outcome, discover, environment};
pub use manifest::About;
pub use outlet::{HOST as OUTLET_HOST, Outlet, Part};
pub use serve::{Content, Served};

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::invoke::Functions;
use crate::project::{Function, Problem, Project};

/// What was found in the codebases of a project.
#[derive(Debug, Default)]
pub struct Discovery {
    pub functions: Vec<Function>,
    pub problems: Vec<Problem>,
}

impl Functions {
    /// Builds the codebases of a project that are new or that one of these files is part of, and answers the functions of all. A codebase
    /// that cannot be built keeps its last good version.
    pub async fn discover(&self, project: &Project, changed: &BTreeSet<PathBuf>) -> Discovery {
        let inner = &self.0;
        let codebases = inner.maker.codebases();
        let building = codebases.outdated(project, changed).into_iter().map(|codebase| async move {
            let outcome = inner.maker.make_codebase(project, codebase, &inner.surroundings, &inner.world).await;
            (codebase, outcome)
        });
        let mut built = BTreeSet::new();
        for (codebase, outcome) in futures_util::future::join_all(building).await {
            codebases.put(codebase, outcome);
            built.insert(codebase.name.clone());
        }
        let (functions, problems) = codebases.functions(project, &built);
        Discovery { functions, problems }
    }
}
