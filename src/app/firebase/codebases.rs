//! The functions that a project's codebases export, beside those that its file names.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::functions::Functions;
use crate::project::{Problem, Project};

/// The project with the functions that its codebases export by now, after these files were changed; and what is wrong with them.
pub async fn with_functions(functions: &Functions, project: Arc<Project>, changed: &BTreeSet<PathBuf>) -> (Arc<Project>, Vec<Problem>) {
    if project.firebase.as_ref().is_none_or(|firebase| firebase.codebases.is_empty()) {
        return (project, Vec::new());
    }
    let mut own = Arc::unwrap_or_clone(project);
    own.functions.retain(|function| function.firebase.is_none());
    let found = functions.discover(&own, changed).await;
    own.functions.extend(found.functions);
    (Arc::new(own), found.problems)
}
