//! The sandbox's own `firebase-admin`: what functions do with it answers as the genuine package does.

use std::path::Path;

use crate::emu::copy;
use crate::sdk::exec;

#[test]
fn functions_find_an_admin_sdk_that_answers_as_the_genuine_one() {
    let packages = Path::new("tests/firebase/node_modules");
    let packages = packages.canonicalize().expect("run `make fixtures` first: tests/firebase has no node_modules");
    let folder = copy("../tests/firebase/admin");
    // Only the test has the genuine packages: functions must do without.
    std::os::unix::fs::symlink(packages, folder.path().join("test/node_modules")).expect("a link");
    exec(folder.path(), &["node", "--test", "test/compare.test.mjs"]);
}
