//! What is known of a machine and a project. Plain data: [`super::gather`] fills it in, the checks only read it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::app::Age;
use crate::project::Problem;

/// Everything that the checks look at.
#[derive(Clone, Debug)]
pub struct Facts {
    pub version: &'static str,
    /// The project's folder as it was given, for commands to be typed.
    pub given: PathBuf,
    pub machine: Machine,
    pub cache: Folder,
    pub temp: Folder,
    pub project: Project,
    pub state: Option<State>,
    pub ports: Vec<Port>,
    /// Those that SDKs look at.
    pub variables: BTreeMap<String, String>,
}

/// The machine, as far as it can be asked; what cannot be known is `None`.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// `linux`, `macos`.
    pub system: &'static str,
    /// Files that a process may have open.
    pub files_max: Option<u64>,
    /// Folders that may be watched, by all programs of this user together.
    pub watches_max: Option<u64>,
    /// Watchers that this user may have, and how many there are.
    pub watchers_max: Option<u64>,
    pub watchers: Option<u64>,
    /// Mappings that a process may have.
    pub maps_max: Option<u64>,
    /// `vm.overcommit_memory`: 2 counts every promise.
    pub overcommit: Option<u64>,
    /// Why the address space of the sandboxes cannot be reserved, if it cannot.
    pub address_space: Option<String>,
    pub memory_free_bytes: Option<u64>,
    /// Seconds by which the machine's clock is behind the newest of the project's files; 0 where it is not.
    pub clock_behind_s: u64,
}

/// A folder that emu writes to.
#[derive(Clone, Debug, Default)]
pub struct Folder {
    pub path: PathBuf,
    /// Why nothing can be written there, if so.
    pub refused: Option<String>,
    pub bytes: u64,
    pub free_bytes: Option<u64>,
}

/// The project, if there is one.
#[derive(Clone, Debug, Default)]
pub struct Project {
    pub file: Option<PathBuf>,
    /// What `emu check` says, where there is a project file.
    pub problems: Vec<Problem>,
    /// Folders that are watched for changes.
    pub folders: u64,
    /// Packages of `package.json` that are not installed.
    pub missing: Vec<String>,
    /// What installs them: `npm ci`.
    pub install: String,
}

/// The state of the project.
#[derive(Clone, Debug)]
pub struct State {
    pub folder: Folder,
    pub age: Age,
    pub holder: Option<Holder>,
    /// The journal is of another version.
    pub journal_is_other: bool,
}

/// Who has the state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    pub pid: u32,
    pub lives: bool,
    pub admin: Option<String>,
    /// What it answers as its version.
    pub version: Option<String>,
}

/// A port that emu would listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// `http`, `aws`, `admin`.
    pub face: &'static str,
    pub number: u16,
    pub taken: Option<Taken>,
}

/// Who listens on a port, as far as can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    pub pid: Option<u32>,
    pub program: Option<String>,
}
