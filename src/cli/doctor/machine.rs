//! What is wrong with a machine: folders, disks, limits, memory, clock.

use super::checks::{Finding, broken, doubtful, quoted};
use super::facts::Facts;

/// A cache larger than this is told of, in bytes: old engines and dependencies of old projects stay in it.
const CACHE_BYTES_MAX: u64 = 5 << 30;
/// With less than the first a state grows no more; less than the second is soon used up.
const FREE_BYTES_MIN: u64 = 64 << 20;
const FREE_BYTES_GOOD: u64 = 1 << 30;
/// Folders that emu watches at most.
const FOLDERS_MAX: u64 = 8_192;
/// Files that emu has open when little is asked of it, and when many clients and functions are at work.
const FILES_MIN: u64 = 256;
const FILES_GOOD: u64 = 1_024;
/// Mappings of a thousand sandboxes, each with its memory, its stack and its table.
const MAPS_GOOD: u64 = 16_384;
const MEMORY_GOOD: u64 = 512 << 20;
/// Seconds that file systems and time servers may disagree.
const CLOCK_BEHIND_MAX: u64 = 120;

pub fn folders(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(why) = &facts.cache.refused {
        found.push(doubtful(
            format!("the cache {} cannot be written to: {why}", facts.cache.path.display()),
            "every start compiles the sandbox's engine anew, which takes seconds",
            format!("export EMU_CACHE={}", quoted(&facts.temp.path.join("emu-cache"))),
        ));
    }
    if let Some(why) = &facts.temp.refused {
        found.push(broken(
            format!("nothing can be written to {}: {why}", facts.temp.path.display()),
            "`emu exec` and `--ephemeral` keep their state there",
            "export TMPDIR=$HOME/tmp && mkdir -p $TMPDIR",
        ));
    }
    if let Some(state) = &facts.state
        && let Some(why) = &state.folder.refused
    {
        let folder = quoted(&state.folder.path);
        found.push(broken(
            format!("the state folder {} cannot be written to: {why}", state.folder.path.display()),
            "emu cannot start on it; another user may have run emu here",
            format!("sudo chown -R $(id -u) {folder}"),
        ));
    }
    found
}

pub fn disk(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if facts.cache.bytes > CACHE_BYTES_MAX {
        found.push(doubtful(
            format!("the cache {} has {}", facts.cache.path.display(), size(facts.cache.bytes)),
            "what is in it is made anew when it is needed; most of it belongs to old projects",
            format!("rm -rf {}", quoted(&facts.cache.path)),
        ));
    }
    let state = facts.state.as_ref().map(|state| (&state.folder, "the state"));
    for (folder, what) in [(&facts.cache, "the cache"), (&facts.temp, "states that are thrown away")].into_iter().chain(state) {
        let Some(free) = folder.free_bytes.filter(|free| *free < FREE_BYTES_GOOD) else { continue };
        let text = format!("{} is left where {} is, for {what}", size(free), folder.path.display());
        let mend = format!("df -h {}    # then make room", quoted(&folder.path));
        found.push(match free < FREE_BYTES_MIN {
            true => broken(text, "writes will fail", mend),
            false => doubtful(text, "writes fail when it is used up", mend),
        });
    }
    found
}

pub fn watching(facts: &Facts) -> Vec<Finding> {
    let (machine, folders) = (&facts.machine, facts.project.folders);
    let mut found = Vec::new();
    if folders > FOLDERS_MAX {
        found.push(doubtful(
            format!("the project has {folders} folders, and only the first {FOLDERS_MAX} are watched"),
            "changes in the others are not seen, and do not reload",
            "emu check --print | grep -A3 watch_ignore    # name large folders under `emu.watch.ignore`",
        ));
    }
    let needed = folders.min(FOLDERS_MAX);
    if let Some(most) = machine.watches_max.filter(|most| *most < needed) {
        found.push(broken(
            format!("the system lets all programs together watch {most} folders, and the project has {needed}"),
            "emu cannot see changes, and does not start",
            "sudo sysctl fs.inotify.max_user_watches=524288",
        ));
    }
    if let (Some(most), Some(there)) = (machine.watchers_max, machine.watchers)
        && there >= most
    {
        found.push(broken(
            format!("there are {there} watchers of files, and the system allows {most}"),
            "emu cannot see changes, and does not start",
            "sudo sysctl fs.inotify.max_user_instances=1024",
        ));
    }
    found
}

pub fn files(facts: &Facts) -> Vec<Finding> {
    let Some(most) = facts.machine.files_max.filter(|most| *most < FILES_GOOD) else { return Vec::new() };
    let what = format!("a process may have {most} files open");
    let mend = "ulimit -n 4096";
    vec![match most < FILES_MIN {
        true => broken(what, "emu needs about that many for itself", mend),
        false => doubtful(what, "many clients at once are refused", mend),
    }]
}

pub fn memory(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(free) = facts.machine.memory_free_bytes.filter(|free| *free < MEMORY_GOOD) {
        found.push(doubtful(
            format!("{} of memory is left", size(free)),
            "the system may end emu, or a function that needs more",
            "ps aux --sort=-rss | head    # then end what is not needed",
        ));
    }
    if facts.machine.overcommit == Some(2) {
        found.push(doubtful(
            "vm.overcommit_memory is 2: the system counts memory that is promised and not used",
            "many functions at once fail although there is memory",
            "sudo sysctl vm.overcommit_memory=0",
        ));
    }
    found
}

pub fn sandbox(facts: &Facts) -> Vec<Finding> {
    let mut found = Vec::new();
    if let Some(why) = &facts.machine.address_space {
        found.push(broken(
            format!("the address space of the sandboxes cannot be reserved: {why}"),
            "emu cannot start; it is only addresses, not memory, but a limit counts them",
            "ulimit -v unlimited",
        ));
    }
    if let Some(most) = facts.machine.maps_max.filter(|most| *most < MAPS_GOOD) {
        found.push(doubtful(
            format!("a process may have {most} mappings of memory"),
            "hundreds of functions at once fail",
            "sudo sysctl vm.max_map_count=262144",
        ));
    }
    found
}

pub fn clock(facts: &Facts) -> Vec<Finding> {
    let behind = facts.machine.clock_behind_s;
    if behind <= CLOCK_BEHIND_MAX {
        return Vec::new();
    }
    let text = match behind {
        0..3_600 => format!("{} min", behind / 60),
        3_600..172_800 => format!("{} h", behind / 3_600),
        _ => format!("{} days", behind / 86_400),
    };
    let mend = if facts.machine.system == "macos" { "sudo sntp -sS time.apple.com" } else { "sudo timedatectl set-ntp true" };
    let what = format!("files of the project are from the future: this machine's clock is {text} behind");
    vec![doubtful(what, "schedules, signatures and certificates go by it", mend)]
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_073_741_824 => format!("{} MiB", bytes >> 20),
        _ => format!("{:.1} GiB", bytes as f64 / 1_073_741_824.0),
    }
}
