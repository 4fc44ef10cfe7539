//! Asks a machine and a project for what the checks look at. Nothing here judges.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use http::Method;
use serde_json::Value;

use super::facts::{Facts, Folder, Holder, Machine, Port, Project, State};
use super::sockets::Table;
use crate::app::{self, Age, StateFolder};
use crate::cli::{ProjectArgs, remote, start};
use crate::project::{self, Load};
use crate::telemetry::journal;

/// Files of a folder whose sizes are added up.
const FILES_MAX: usize = 200_000;
/// Bytes of a `package.json`.
const PACKAGE_BYTES_MAX: u64 = 4 << 20;
/// How long an emu that runs may take to answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(2);
/// Address space that a thousand sandboxes reserve: 4 GiB and their guards each.
const ADDRESSES: usize = 5 << 40;

/// Everything about this machine, and about the project that was named.
pub async fn facts(args: &ProjectArgs, state: Option<&Path>) -> Facts {
    let load = start::load(args);
    let sockets = Table::read();
    let (project, loaded) = project_of(&load);
    let mut machine = machine();
    machine.watchers = sockets.as_ref().map(|table| table.watchers);
    let ports = match &loaded {
        Some(loaded) => app::usual_ports(loaded),
        None => Vec::new(),
    };
    let taken = |number| match &sockets {
        Some(table) => table.taken(number),
        None => std::net::TcpListener::bind(("127.0.0.1", number)).is_err().then(Default::default),
    };
    let ports = ports.into_iter().map(|(port, number)| Port { face: port.name(), number, taken: taken(number) }).collect();
    let state = match &loaded {
        Some(loaded) => state_of(&app::state_folder(state, loaded)).await,
        None => None,
    };
    if let Some(loaded) = &loaded {
        machine.clock_behind_s = behind(&loaded.sources);
    }
    Facts {
        version: env!("CARGO_PKG_VERSION"),
        given: args.project.clone(),
        machine,
        cache: folder(&app::cache_folder()),
        temp: folder(&std::env::temp_dir()),
        project,
        state,
        ports,
        variables: load.env.into_iter().filter(|(name, _)| name.starts_with("AWS_")).collect(),
    }
}

fn project_of(load: &Load) -> (Project, Option<project::Project>) {
    let Ok(file) = project::find(&load.path) else { return (Project::default(), None) };
    let root = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let (missing, install) = packages(&root);
    let found = Project { file: Some(file), missing, install, ..Project::default() };
    match project::load(load) {
        Ok(loaded) => {
            let folders = app::watched_folders(&loaded.project) as u64;
            (Project { problems: loaded.warnings, folders, ..found }, Some(loaded.project))
        }
        Err(problems) => (Project { problems, ..found }, None),
    }
}

/// The packages of `package.json` that are not installed, and what installs them.
fn packages(root: &Path) -> (Vec<String>, String) {
    let lock = |name: &str| root.join(name).is_file();
    let install = match () {
        () if lock("pnpm-lock.yaml") => "pnpm install",
        () if lock("yarn.lock") => "yarn install",
        () if lock("bun.lock") || lock("bun.lockb") => "bun install",
        () if lock("package-lock.json") => "npm ci",
        () => "npm install",
    };
    let file = root.join("package.json");
    let fits = fs::metadata(&file).is_ok_and(|about| about.len() <= PACKAGE_BYTES_MAX);
    let text = fits.then(|| fs::read(&file).ok()).flatten().unwrap_or_default();
    let package: Value = serde_json::from_slice(&text).unwrap_or_default();
    let names = |key: &str| package[key].as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let asked: BTreeSet<String> = names("dependencies").into_iter().chain(names("devDependencies")).collect();
    let root = std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
    // As Node looks for them: here, and in every folder above.
    let installed = |name: &String| root.ancestors().any(|folder| folder.join("node_modules").join(name).join("package.json").is_file());
    (asked.into_iter().filter(|name| !installed(name)).collect(), install.to_owned())
}

async fn state_of(path: &Path) -> Option<State> {
    if !path.is_dir() {
        return None;
    }
    let holder = match StateFolder::holder(path) {
        Some(holder) => {
            let version = match &holder.admin {
                Some(admin) => version(admin).await,
                None => None,
            };
            Some(Holder { pid: holder.pid, lives: lives(holder.pid), admin: holder.admin, version })
        }
        None => None,
    };
    let journal = path.join(journal::FILE_NAME);
    let journal_is_other = journal.is_file() && matches!(journal::Reader::open(&journal), Err(journal::Error::Other { .. }));
    // A database that is in use is as it was when its emu opened it.
    let age = if holder.is_some() { Age::Current } else { app::age(path) };
    Some(State { folder: folder(path), age, holder, journal_is_other })
}

async fn version(admin: &str) -> Option<String> {
    let asked = remote::ask(admin, Method::GET, "health", &Value::Null);
    let answer = tokio::time::timeout(ANSWERS_WITHIN, asked).await.ok()?.ok()?;
    answer["version"].as_str().map(str::to_owned)
}

fn lives(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    // SAFETY: signal 0 is sent to nobody; it only says whether there is such a process.
    let answer = unsafe { libc::kill(pid, 0) };
    answer == 0 || std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM)
}

/// A folder, or the nearest one above it that there is: it will be made there.
fn folder(path: &Path) -> Folder {
    let there = path.ancestors().find(|above| above.is_dir()).unwrap_or(Path::new("/"));
    let refused = tempfile_in(there).err().map(|error| error.to_string());
    // What others keep in the folder for temporary files is none of emu's business.
    let bytes = if path == std::env::temp_dir() { 0 } else { bytes(path) };
    Folder { path: path.to_owned(), refused, bytes, free_bytes: free(there) }
}

/// Writes and removes a file.
fn tempfile_in(folder: &Path) -> std::io::Result<()> {
    let file = folder.join(format!(".emu-doctor-{}", std::process::id()));
    fs::File::options().write(true).create_new(true).open(&file)?;
    fs::remove_file(&file)
}

fn bytes(path: &Path) -> u64 {
    let (mut sum, mut files, mut pending) = (0, 0, vec![path.to_owned()]);
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            files += 1;
            if files > FILES_MAX {
                return sum;
            }
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => pending.push(entry.path()),
                Ok(_) => sum += entry.metadata().map_or(0, |about| about.len()),
                Err(_) => {}
            }
        }
    }
    sum
}

fn free(path: &Path) -> Option<u64> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::ffi::CString::new(path.as_os_str().as_bytes()).ok()?;
    // SAFETY: the structure is plain numbers, for which zero is a value.
    let mut about: libc::statvfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero, and the structure is the one that the call fills in.
    let answered = unsafe { libc::statvfs(path.as_ptr(), &raw mut about) } == 0;
    #[allow(clippy::unnecessary_cast, reason = "the fields are narrower on other systems")]
    answered.then(|| (about.f_bavail as u64).saturating_mul(about.f_frsize as u64))
}

fn machine() -> Machine {
    let number = |file: &str| fs::read_to_string(file).ok()?.trim().parse::<u64>().ok();
    let memory = fs::read_to_string("/proc/meminfo").ok();
    let free = memory.as_deref().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? << 10)
    });
    Machine {
        system: std::env::consts::OS,
        files_max: files_max(),
        watches_max: number("/proc/sys/fs/inotify/max_user_watches"),
        watchers_max: number("/proc/sys/fs/inotify/max_user_instances"),
        watchers: None,
        maps_max: number("/proc/sys/vm/max_map_count"),
        overcommit: number("/proc/sys/vm/overcommit_memory"),
        address_space: reserve().err().map(|error| error.to_string()),
        memory_free_bytes: free,
        clock_behind_s: 0,
    }
}

fn files_max() -> Option<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call fills in a structure of the size that it expects.
    let answered = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0;
    answered.then_some(limit.rlim_cur)
}

/// Reserves as much address space as the sandboxes do, and gives it back.
fn reserve() -> std::io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a new mapping that nobody may touch, wherever there is room.
    let at = unsafe { libc::mmap(std::ptr::null_mut(), ADDRESSES, libc::PROT_NONE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error());
    }
    // SAFETY: it is the mapping just made, and nobody knows of it.
    unsafe { libc::munmap(at, ADDRESSES) };
    Ok(())
}

/// By how much the clock is behind the newest of these files, in seconds.
fn behind(files: &[PathBuf]) -> u64 {
    let newest = files.iter().filter_map(|file| fs::metadata(file).ok()?.modified().ok()).max();
    newest.and_then(|newest| newest.duration_since(SystemTime::now()).ok()).map_or(0, |behind| behind.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_missing_until_they_are_installed_here_or_above() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("apps/api");
        fs::create_dir_all(&root).expect("made");
        assert_eq!(packages(&root), (Vec::new(), "npm install".to_owned()));
        let package = r#"{ "dependencies": { "zod": "3", "@aws-sdk/x": "3" }, "devDependencies": { "tsx": "4" } }"#;
        fs::write(root.join("package.json"), package).expect("written");
        fs::write(root.join("package-lock.json"), "{}").expect("written");
        assert_eq!(packages(&root), (vec!["@aws-sdk/x".to_owned(), "tsx".to_owned(), "zod".to_owned()], "npm ci".to_owned()));
        for place in ["apps/api/node_modules/zod", "node_modules/@aws-sdk/x"] {
            fs::create_dir_all(folder.path().join(place)).expect("made");
            fs::write(folder.path().join(place).join("package.json"), "{}").expect("written");
        }
        fs::write(root.join("pnpm-lock.yaml"), "").expect("written");
        assert_eq!(packages(&root), (vec!["tsx".to_owned()], "pnpm install".to_owned()));
    }

    #[test]
    fn a_folder_that_is_not_there_yet_is_looked_at_where_it_will_be_made() {
        let there = tempfile::tempdir().expect("a folder");
        fs::write(there.path().join("x"), [0; 1_000]).expect("written");
        assert_eq!(folder(there.path()).bytes, 1_000);
        let looked_at = folder(&there.path().join("a/b"));
        assert_eq!((looked_at.refused, looked_at.bytes), (None, 0));
        assert!(looked_at.free_bytes.is_some());
        assert_eq!(fs::read_dir(there.path()).expect("a folder").count(), 1, "nothing is left");
    }

    #[test]
    fn files_from_the_future_say_that_the_clock_is_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("serverless.yaml");
        fs::write(&file, "").expect("written");
        assert_eq!(behind(std::slice::from_ref(&file)), 0);
        let later = SystemTime::now() + Duration::from_secs(7_200);
        fs::File::options().write(true).open(&file).and_then(|open| open.set_modified(later)).expect("dated");
        assert!((7_100..=7_200).contains(&behind(&[file, folder.path().join("none")])));
    }
}
