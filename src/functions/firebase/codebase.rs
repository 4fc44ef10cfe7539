//! The codebases of a Firebase project: each is bundled and evaluated once, and asked once what it exports; all of its functions are then
//! the same program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use bytes::Bytes;
use serde_json::Value;

use super::manifest::{self, About};
use crate::functions::catalog::{Attempt, Version};
use crate::functions::program::Program;
use crate::project::firebase::{Codebase, Source};
use crate::project::{Function, Problem, Project, Severity};
use crate::sandbox::{Failure, Host, Input};

/// How long a codebase may take to say what it exports, in milliseconds.
const DISCOVERY_MS: u64 = 10_000;

/// What there is of codebases, by name.
#[derive(Default)]
pub struct Codebases(Mutex<BTreeMap<String, Arc<Held>>>);

/// A codebase as it was last built.
pub struct Held {
    codebase: Codebase,
    /// Files that were read, or would have been.
    inputs: BTreeSet<PathBuf>,
    /// What the last build complained about.
    problems: Vec<Problem>,
    has_failed: bool,
    /// The last build that went through.
    good: Option<Good>,
}

/// A codebase that can be run.
#[derive(Clone)]
pub struct Good {
    pub program: Arc<dyn Program>,
    pub functions: Vec<Function>,
    pub bytes: usize,
    pub bundle_micros: u64,
    pub load_micros: u64,
}

/// What a build of a codebase gave.
pub struct Outcome {
    pub inputs: BTreeSet<PathBuf>,
    pub problems: Vec<Problem>,
    pub good: Option<Good>,
}

impl Codebases {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Held>>> {
        self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Which codebases of a project have to be built: those that are new or defined otherwise, and those that one of these files is part of.
    pub fn outdated<'a>(&self, project: &'a Project, changed: &BTreeSet<PathBuf>) -> Vec<&'a Codebase> {
        let held = self.lock();
        let all = project.firebase.iter().flat_map(|firebase| &firebase.codebases);
        let is_outdated = |codebase: &&Codebase| match held.get(&codebase.name) {
            None => true,
            Some(held) => {
                let folder = project.root.join(&codebase.source);
                bare(&held.codebase) != bare(codebase) || changed.iter().any(|file| held.is_made_of(&folder, file))
            }
        };
        all.filter(is_outdated).collect()
    }

    /// Keeps what became of a build; what cannot be built stays as it was last good.
    pub fn put(&self, codebase: &Codebase, outcome: Outcome) {
        let mut held = self.lock();
        let before = held.get(&codebase.name).and_then(|held| held.good.clone());
        let Outcome { inputs, problems, good } = outcome;
        let has_failed = good.is_none();
        let now = Held { codebase: codebase.clone(), inputs, problems, has_failed, good: good.or(before) };
        held.insert(codebase.name.clone(), Arc::new(now));
    }

    /// The functions of a project's codebases, each name once; and what is wrong with the codebases that were built just now.
    pub fn functions(&self, project: &Project, built: &BTreeSet<String>) -> (Vec<Function>, Vec<Problem>) {
        let held = self.lock();
        let mut functions: Vec<Function> = Vec::new();
        let mut problems = Vec::new();
        for codebase in project.firebase.iter().flat_map(|firebase| &firebase.codebases) {
            let Some(held) = held.get(&codebase.name) else { continue };
            if built.contains(&codebase.name) {
                problems.extend(held.problems.iter().cloned());
            }
            for function in held.good.iter().flat_map(|good| &good.functions) {
                let is_taken = functions.iter().chain(&project.functions).any(|other| other.name == function.name);
                if !is_taken {
                    functions.push(function.clone());
                } else if !built.is_empty() {
                    let message = format!("function `{}` of the codebase `{}` is there twice", function.name, codebase.name);
                    let help = "give it another name, or its codebase a `prefix` in firebase.json";
                    let at = Some(codebase.at.clone());
                    problems.push(Problem { severity: Severity::Error, message, help: Some(help.to_owned()), at });
                }
            }
        }
        (functions, problems)
    }

    /// A function of a codebase as a build of its own: the codebase's program.
    pub fn attempt(&self, function: &Function, codebase: &str, version: impl FnOnce(&Good) -> Version) -> Attempt {
        let held = self.lock().get(codebase).cloned();
        let Some(held) = held else {
            let message = format!("function `{}` is of the codebase `{codebase}`, which is not there", function.name);
            let problem = Problem { severity: Severity::Error, message, help: None, at: Some(function.at.clone()) };
            return Attempt { inputs: BTreeSet::new(), commanded: None, result: Err(vec![problem]) };
        };
        let result = match &held.good {
            Some(good) if !held.has_failed => Ok((Some(version(good)), Vec::new())),
            _ => Err(held.problems.clone()),
        };
        Attempt { inputs: held.inputs.clone(), commanded: None, result }
    }
}

/// Where it is written does not matter.
fn bare(codebase: &Codebase) -> Codebase {
    Codebase { at: Default::default(), ..codebase.clone() }
}

impl Held {
    fn is_made_of(&self, folder: &Path, file: &Path) -> bool {
        let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let decides = matches!(name, "package.json" | "package-lock.json" | "yarn.lock" | "pnpm-lock.yaml" | ".package-lock.json")
            || (name.starts_with("tsconfig") && name.ends_with(".json"));
        let is_sibling = |input: &PathBuf| input.parent() == file.parent() && input.file_stem() == file.file_stem();
        // A build that failed may have looked for any file.
        self.inputs.contains(file) || self.inputs.iter().any(is_sibling) || (file.starts_with(folder) && (decides || self.has_failed))
    }
}

/// The variables of a codebase, the same for all of its functions.
pub fn environment(source: &Source, common: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let given = [("FUNCTIONS_EMULATOR", "true"), ("K_REVISION", "1"), ("LANG", "en_US.UTF-8"), ("TZ", "UTC"), ("EMU", "1")];
    let mut all: BTreeMap<String, String> = given
        .into_iter()
        .chain(source.runtime_config.as_deref().map(|config| ("CLOUD_RUNTIME_CONFIG", config)))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if let Some(major) = source.sdk_major {
        all.insert(SDK_MAJOR.to_owned(), major.to_string());
    }
    all.extend(common.iter().map(|(name, value)| (name.clone(), value.clone())));
    all.extend(source.variables.iter().map(|(name, value)| (name.clone(), value.clone())));
    all
}

/// Says to the runtime which major version of `firebase-functions` the code is written for: the package's root means another generation
/// from the sixth on.
const SDK_MAJOR: &str = "EMU_FIREBASE_FUNCTIONS";

/// Asks a program what it exports.
pub async fn discover(program: &Arc<dyn Program>, host: Arc<dyn Host>, about: &About<'_>) -> Result<manifest::Read, Failure> {
    let input = Input {
        event: Bytes::from_static(br#"{"$emu":"discover"}"#),
        context: Bytes::from_static(br#"{"context":{"callbackWaitsForEmptyEventLoop":false}}"#),
        timeout_ms: DISCOVERY_MS,
    };
    let answer = program.invoke(host, input).await.result?;
    let manifest: Value = serde_json::from_slice(&answer).map_err(|error| Failure::Exited { message: error.to_string() })?;
    Ok(manifest::read(&manifest, about))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(variables: &[(&str, &str)]) -> Source {
        Source {
            file: "/p/functions/index.js".into(),
            inputs: BTreeSet::new(),
            sdk_major: Some(5),
            variables: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            secrets: BTreeMap::from([("KEY".into(), "s3cret".into())]),
            runtime_config: Some("{}".into()),
            warnings: vec![],
        }
    }

    #[test]
    fn a_codebase_sees_where_the_services_are_and_then_its_own_variables() {
        let common = BTreeMap::from([("GCLOUD_PROJECT".into(), "p".into()), ("WORD".into(), "emu".into())]);
        let seen = environment(&source(&[("WORD", "own"), ("TZ", "Europe/Berlin")]), &common);
        for (name, wanted) in [
            ("FUNCTIONS_EMULATOR", Some("true")),
            ("GCLOUD_PROJECT", Some("p")),
            ("WORD", Some("own")),
            ("TZ", Some("Europe/Berlin")),
            ("CLOUD_RUNTIME_CONFIG", Some("{}")),
            (SDK_MAJOR, Some("5")),
            // A secret is for the functions that name it.
            ("KEY", None),
        ] {
            assert_eq!(seen.get(name).map(String::as_str), wanted, "{name}");
        }
    }

    #[test]
    fn a_codebase_is_built_again_when_a_file_of_it_changes() {
        let held = |has_failed| Held {
            codebase: Codebase::usual(),
            inputs: BTreeSet::from(["/p/functions/index.js".into(), "/p/functions/.env".into(), "/p/shared/a.ts".into()]),
            problems: vec![],
            has_failed,
            good: None,
        };
        for (file, wanted, after_failure) in [
            ("/p/functions/index.js", true, true),
            ("/p/functions/index.ts", true, true),
            ("/p/functions/.env", true, true),
            ("/p/functions/package.json", true, true),
            ("/p/functions/tsconfig.json", true, true),
            ("/p/functions/other.js", false, true),
            ("/p/shared/a.ts", true, true),
            ("/p/public/index.html", false, false),
        ] {
            let is_made_of = |has_failed| held(has_failed).is_made_of(Path::new("/p/functions"), Path::new(file));
            assert_eq!((is_made_of(false), is_made_of(true)), (wanted, after_failure), "{file}");
        }
    }
}
