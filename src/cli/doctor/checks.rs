//! What is wrong, why that matters, and the command that mends it: pure functions of the facts.

use serde::Serialize;

use super::facts::Facts;
use super::{machine, project};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Something does not work.
    Broken,
    /// Something works, but not as one would think.
    Doubtful,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub severity: Severity,
    pub what: String,
    pub why: String,
    /// A command for a shell.
    pub mend: String,
}

/// A finding without the name of its check.
pub(super) fn broken(what: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { check: "", severity: Severity::Broken, what: what.into(), why: why.into(), mend: mend.into() }
}

pub(super) fn doubtful(what: impl Into<String>, why: impl Into<String>, mend: impl Into<String>) -> Finding {
    Finding { severity: Severity::Doubtful, ..broken(what, why, mend) }
}

type Check = fn(&Facts) -> Vec<Finding>;

/// Every check by its name, in the order in which they are told.
pub const CHECKS: [(&str, Check); 13] = [
    ("project", project::file),
    ("packages", project::packages),
    ("state", project::state),
    ("journal", project::journal),
    ("ports", project::ports),
    ("variables", project::variables),
    ("folders", machine::folders),
    ("disk", machine::disk),
    ("watching", machine::watching),
    ("files", machine::files),
    ("memory", machine::memory),
    ("sandbox", machine::sandbox),
    ("clock", machine::clock),
];

/// All that is wrong, what is broken first.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let named = |(check, look): &(&'static str, Check)| look(facts).into_iter().map(|found| Finding { check, ..found }).collect::<Vec<_>>();
    let mut all: Vec<Finding> = CHECKS.iter().flat_map(named).collect();
    all.sort_by_key(|finding| finding.severity);
    all
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &std::path::Path) -> String {
    let word = word.display().to_string();
    if word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./=:,@%+~".contains(&b)) && !word.is_empty() {
        return word;
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
pub mod tests {
    use std::path::PathBuf;

    use super::super::facts::{Folder, Holder, Machine, Port, Project, State, Taken};
    use super::*;
    use crate::app::Age;
    use crate::project::{Problem, Severity as Grave};

    const GIB: u64 = 1 << 30;

    /// A machine and a project with which all is well.
    pub fn sound() -> Facts {
        let folder = |path: &str| Folder { path: path.into(), refused: None, bytes: 40 << 20, free_bytes: Some(50 * GIB) };
        Facts {
            version: "1.0.0",
            given: PathBuf::from("."),
            machine: Machine {
                system: "linux",
                files_max: Some(1_024),
                watches_max: Some(65_536),
                watchers_max: Some(128),
                watchers: Some(3),
                maps_max: Some(65_530),
                overcommit: Some(0),
                address_space: None,
                memory_free_bytes: Some(8 * GIB),
                clock_behind_s: 0,
            },
            cache: folder("/home/ada/.cache/emu"),
            temp: folder("/tmp"),
            project: Project {
                file: Some("/p/serverless.yaml".into()),
                problems: Vec::new(),
                folders: 12,
                missing: Vec::new(),
                install: "npm ci".into(),
            },
            state: Some(State { folder: folder("/p/.emu"), age: Age::Current, holder: None, journal_is_other: false }),
            ports: [("http", 3000), ("aws", 4566), ("admin", 4400)].map(|(face, number)| Port { face, number, taken: None }).to_vec(),
            variables: [("AWS_REGION".to_owned(), "eu-central-1".to_owned())].into(),
        }
    }

    fn problem(severity: Grave) -> Problem {
        Problem { severity, message: "`memorySize` is not a number".into(), help: None, at: None }
    }

    fn state(facts: &mut Facts) -> &mut State {
        facts.state.as_mut().expect("there is one")
    }

    fn holder(lives: bool, version: Option<&str>) -> Option<Holder> {
        Some(Holder { pid: 77, lives, admin: Some("http://127.0.0.1:4400".into()), version: version.map(str::to_owned) })
    }

    /// What is changed in a sound machine, which check says so, how bad it is, and a part of what is told and of the command.
    type Row = (fn(&mut Facts), &'static str, Severity, &'static str, &'static str);

    const ROWS: &[Row] = &[
        (|f| f.project = Project::default(), "project", Severity::Doubtful, "no project", "emu init"),
        (|f| f.project.problems = vec![problem(Grave::Error)], "project", Severity::Broken, "1 error", "emu check --project ."),
        (|f| f.project.problems = vec![problem(Grave::Warning)], "project", Severity::Doubtful, "1 warning", "emu check"),
        (|f| f.project.missing = vec!["zod".into()], "packages", Severity::Broken, "`zod`", "cd /p && npm ci"),
        (|f| state(f).age = Age::Newer("tables".into()), "state", Severity::Broken, "newer emu", "emu start --state"),
        (|f| state(f).age = Age::Unreadable("malformed".into()), "state", Severity::Broken, "malformed", "mv /p/.emu /p/.emu.broken"),
        (|f| state(f).age = Age::Older, "state", Severity::Doubtful, "older emu", "cp -a /p/.emu /p/.emu.backup"),
        (|f| state(f).holder = holder(false, None), "state", Severity::Broken, "process 77, which is gone", "fuser -k /p/.emu/lock"),
        (|f| state(f).holder = holder(true, None), "state", Severity::Broken, "does not answer", "kill 77"),
        (|f| state(f).holder = holder(true, Some("0.9.0")), "state", Severity::Doubtful, "emu 0.9.0 runs", "kill -INT 77"),
        (|f| state(f).folder.refused = Some("permission denied".into()), "folders", Severity::Broken, "/p/.emu", "chown"),
        (|f| state(f).journal_is_other = true, "journal", Severity::Doubtful, "another version", "rm -f /p/.emu/journal.db"),
        (
            |f| f.ports[1].taken = Some(Taken { pid: Some(9), program: Some("java".into()) }),
            "ports",
            Severity::Doubtful,
            "port 4566 (aws) is taken by java (process 9)",
            "kill 9",
        ),
        (|f| f.ports[0].taken = Some(Taken::default()), "ports", Severity::Doubtful, "taken by somebody else's program", "--ports http=0"),
        (
            |f| drop(f.variables.insert("AWS_PROFILE".into(), "work".into())),
            "variables",
            Severity::Doubtful,
            "AWS_PROFILE",
            "unset AWS_PROFILE",
        ),
        (
            |f| drop(f.variables.insert("AWS_ENDPOINT_URL_S3".into(), "https://s3.amazonaws.com".into())),
            "variables",
            Severity::Broken,
            "AWS_ENDPOINT_URL_S3",
            "unset AWS_ENDPOINT_URL_S3",
        ),
        (
            |f| drop(f.variables.insert("AWS_ENDPOINT_URL".into(), "http://localhost:9999".into())),
            "variables",
            Severity::Broken,
            "http://localhost:9999",
            "export AWS_ENDPOINT_URL=http://localhost:4566",
        ),
        (
            |f| drop(f.variables.insert("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS".into(), "true".into())),
            "variables",
            Severity::Broken,
            "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS is set",
            "unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        ),
        (|f| f.cache.refused = Some("read-only file system".into()), "folders", Severity::Doubtful, "cache", "export EMU_CACHE="),
        (|f| f.temp.refused = Some("permission denied".into()), "folders", Severity::Broken, "/tmp", "export TMPDIR="),
        (|f| f.cache.bytes = 6 * GIB, "disk", Severity::Doubtful, "6.0 GiB", "rm -rf /home/ada/.cache/emu"),
        (|f| f.temp.free_bytes = Some(10 << 20), "disk", Severity::Broken, "/tmp", "df -h /tmp"),
        (|f| f.cache.free_bytes = Some(500 << 20), "disk", Severity::Doubtful, "500 MiB", "df -h"),
        (|f| f.machine.watches_max = Some(10), "watching", Severity::Broken, "10 folders", "sudo sysctl fs.inotify.max_user_watches="),
        (|f| f.project.folders = 40_000, "watching", Severity::Doubtful, "8192", "emu.watch.ignore"),
        (|f| f.machine.watchers = Some(128), "watching", Severity::Broken, "128 watchers", "sudo sysctl fs.inotify.max_user_instances="),
        (|f| f.machine.files_max = Some(200), "files", Severity::Broken, "200 files", "ulimit -n 4096"),
        (|f| f.machine.files_max = Some(512), "files", Severity::Doubtful, "512 files", "ulimit -n 4096"),
        (|f| f.machine.memory_free_bytes = Some(100 << 20), "memory", Severity::Doubtful, "100 MiB", "ps"),
        (|f| f.machine.overcommit = Some(2), "memory", Severity::Doubtful, "vm.overcommit_memory", "sudo sysctl vm.overcommit_memory=0"),
        (|f| f.machine.maps_max = Some(4_096), "sandbox", Severity::Doubtful, "4096 mappings", "sudo sysctl vm.max_map_count="),
        (|f| f.machine.address_space = Some("out of memory".into()), "sandbox", Severity::Broken, "address space", "ulimit -v unlimited"),
        (|f| f.machine.clock_behind_s = 7_200, "clock", Severity::Doubtful, "2 h", "timedatectl set-ntp true"),
    ];

    #[test]
    fn of_a_sound_machine_there_is_nothing_to_say() {
        assert_eq!(findings(&sound()), []);
        let elsewhere = Facts { state: None, ports: Vec::new(), machine: Machine { system: "macos", ..Machine::default() }, ..sound() };
        assert_eq!(findings(&elsewhere), [], "what cannot be known is not complained of");
    }

    #[test]
    fn what_is_wrong_is_found_by_its_check_with_a_command_that_mends_it() {
        for (break_it, check, severity, what, mend) in ROWS {
            let mut facts = sound();
            break_it(&mut facts);
            let found = findings(&facts);
            let [finding] = found.as_slice() else { panic!("{check} {what}: {found:#?}") };
            assert_eq!((finding.check, finding.severity), (*check, *severity), "{finding:?}");
            assert!(finding.what.contains(what), "{what}: {finding:?}");
            assert!(finding.mend.contains(mend), "{mend}: {finding:?}");
            assert!(!finding.why.is_empty());
        }
    }

    #[test]
    fn every_check_finds_something_and_what_is_broken_comes_first() {
        for (name, _) in CHECKS {
            assert!(ROWS.iter().any(|(_, check, ..)| *check == name), "no row tries `{name}`");
        }
        let mut facts = sound();
        ROWS.iter().for_each(|(break_it, ..)| break_it(&mut facts));
        assert!(findings(&facts).is_sorted_by_key(|finding| finding.severity));
    }

    #[test]
    fn a_port_of_the_emu_that_has_the_state_is_where_it_belongs() {
        let mut facts = sound();
        state(&mut facts).holder = holder(true, Some("1.0.0"));
        facts.ports.iter_mut().for_each(|port| port.taken = Some(Taken { pid: Some(77), program: Some("emu".into()) }));
        assert_eq!(findings(&facts), []);
    }

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("/a/b c".as_ref()), "'/a/b c'");
        assert_eq!(quoted("it's".as_ref()), "'it'\\''s'");
    }
}
