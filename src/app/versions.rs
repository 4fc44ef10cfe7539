//! Which evaluated versions of functions are kept in the state folder.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::functions::Versions;
use crate::project::{self, Function, Load};

/// Versions in a state folder. They hold the function's environment, which may hold secrets: kept is only what the files of the project's
/// folder say too, not what came from the environment of this process, the command line or a file elsewhere. None where the state folder is
/// not in the project's.
pub fn kept(state: &Path, root: &Path, load: Load) -> Option<Versions> {
    let (folder, root) = (std::fs::canonicalize(state).ok()?, std::fs::canonicalize(root).ok()?);
    if !folder.starts_with(root) {
        return None;
    }
    let alone = Load { env: BTreeMap::new(), params: BTreeMap::new(), ..load };
    Some(Versions { folder: state.join("versions"), is_own: Arc::new(move |function| is_own(&alone, function)) })
}

/// Whether a function's environment is the same where its project is read alone.
fn is_own(alone: &Load, function: &Function) -> bool {
    let Ok(read) = project::load(alone) else { return false };
    let project = read.project;
    let root = std::fs::canonicalize(&project.root).unwrap_or_else(|_| project.root.clone());
    let is_inside = |file: &Path| std::fs::canonicalize(file).map_or_else(|_| !file.exists(), |file| file.starts_with(&root));
    let same = |one: &Function| one.name == function.name && one.environment == function.environment;
    project.functions.iter().any(same) && project.sources.iter().all(|file| is_inside(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_projects_own_files_say_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("project");
        std::fs::create_dir(&root).expect("made");
        std::fs::write(root.join(".env"), "OWN=1\n").expect("written");
        std::fs::write(folder.path().join("elsewhere.json"), r#"{ "secret": "s" }"#).expect("written");
        for (value, env, wanted) in [
            ("plain", None, true),
            ("${env:OWN}", None, true),
            ("${env:GIVEN, 'default'}", None, true),
            ("${env:GIVEN, 'default'}", Some("GIVEN"), false),
            ("${env:GIVEN, 'default'}", Some("OTHER"), true),
            ("${env:OWN}", Some("OWN"), false),
            ("${file(../elsewhere.json):secret}", None, false),
        ] {
            let yaml = format!(
                "service: s\nprovider: {{ name: aws, runtime: nodejs22.x }}\nfunctions:\n  f:\n    handler: f.handler\n    environment:\n      VALUE: {value}\n"
            );
            std::fs::write(root.join("serverless.yaml"), yaml).expect("written");
            std::fs::write(root.join("f.js"), "exports.handler = async () => 1").expect("written");
            let load = Load { env: env.map(|name| (name.to_owned(), "given".to_owned())).into_iter().collect(), ..Load::new(&root) };
            let function = project::load(&load).expect("it loads").project.functions.remove(0);
            assert!(kept(folder.path(), &root, load.clone()).is_none(), "a state folder outside of the project's");
            let versions = kept(&root, &root, load).expect("a state folder in the project's");
            assert_eq!((versions.is_own)(&function), wanted, "{value} with {env:?}");
        }
    }
}
