//! `firebase-admin` in functions, the sandbox's own and the genuine package: what is done with it answers as it does outside.

use std::io::Write;
use std::path::Path;

use tempfile::TempDir;

use crate::emu::copy;
use crate::sdk::exec;

/// The project, with the genuine packages where `place` says.
fn project(place: &str) -> TempDir {
    let packages = Path::new("tests/firebase/node_modules");
    let packages = packages.canonicalize().expect("run `make fixtures` first: tests/firebase has no node_modules");
    let folder = copy("../tests/firebase/admin");
    std::os::unix::fs::symlink(packages, folder.path().join(place)).expect("a link");
    folder
}

#[test]
fn functions_find_an_admin_sdk_that_answers_as_the_genuine_one() {
    // Only the test has the genuine packages: functions must do without.
    let folder = project("test/node_modules");
    exec(folder.path(), &["node", "--test", "test/compare.test.mjs"]);
}

#[test]
fn the_genuine_admin_sdk_runs_inside_where_the_project_asks_for_it() {
    let folder = project("node_modules");
    let mut file = std::fs::File::options().append(true).open(folder.path().join("serverless.yaml")).expect("the project file");
    writeln!(file, "\nemu:\n  firebase:\n    modules: installed").expect("written");
    // Inside, its Firestore client speaks HTTP; outside it has to as well, since some values differ by the way they take.
    exec(folder.path(), &["env", "FIRESTORE_PREFER_REST=true", "node", "--test", "test/compare.test.mjs"]);
}
