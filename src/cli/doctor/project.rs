//! What is wrong with a project: its file, packages, state, ports, and the shell that it is worked on from.

use super::checks::{Finding, broken, doubtful, quoted};
use super::facts::{Facts, Holder, Port, Taken};
use crate::app::Age;
use crate::cli::exec::counted;
use crate::project::Severity;

/// Packages that are named.
const NAMED_MAX: usize = 5;

pub fn file(facts: &Facts) -> Vec<Finding> {
    let project = &facts.project;
    let check = format!("emu check --project {}", quoted(&facts.given));
    let errors = project.problems.iter().filter(|problem| problem.severity == Severity::Error).count() as u64;
    let warnings = project.problems.len() as u64 - errors;
    let Some(file) = &project.file else {
        let what = format!("there is no project in {}", facts.given.display());
        return vec![doubtful(what, "emu runs the project of a serverless.yaml", "emu init my-project    # or: cd PROJECT, --project DIR")];
    };
    let first = project.problems.first().map(|problem| problem.message.as_str()).unwrap_or_default();
    if errors > 0 {
        let what = format!("{} has {}: {first}", file.display(), counted(errors, "error"));
        return vec![broken(what, "emu does not start it", check)];
    }
    if warnings > 0 {
        let what = format!("{} has {}: {first}", file.display(), counted(warnings, "warning"));
        return vec![doubtful(what, "something of it does not do what it says", check)];
    }
    Vec::new()
}

pub fn packages(facts: &Facts) -> Vec<Finding> {
    let missing = &facts.project.missing;
    if missing.is_empty() {
        return Vec::new();
    }
    let named: Vec<String> = missing.iter().take(NAMED_MAX).map(|name| format!("`{name}`")).collect();
    let more = if missing.len() > NAMED_MAX { format!(" and {} more", missing.len() - NAMED_MAX) } else { String::new() };
    let root = facts.project.file.as_deref().and_then(|file| file.parent()).unwrap_or(&facts.given);
    vec![broken(
        format!("package.json asks for {}{more}, not installed in node_modules", named.join(", ")),
        "functions and tests that use them cannot be built",
        format!("cd {} && {}", quoted(root), facts.project.install),
    )]
}

pub fn state(facts: &Facts) -> Vec<Finding> {
    let Some(state) = &facts.state else { return Vec::new() };
    let path = &state.folder.path;
    let (folder, shown) = (quoted(path), path.display());
    let mut found = Vec::new();
    match &state.age {
        Age::None | Age::Current => {}
        Age::Newer(part) => found.push(broken(
            format!("the state in {shown} was written by a newer emu (its `{part}`)"),
            "this emu does not open it, so as not to damage it",
            format!("emu start --state {folder}.{}    # a state of this emu's own; or install the newer emu", facts.version),
        )),
        Age::Older => found.push(doubtful(
            format!("the state in {shown} is of an older emu"),
            "the next start brings it up to date, and the older emu cannot open it then",
            format!("cp -a {folder} {folder}.backup    # only if you want to go back"),
        )),
        Age::Unreadable(why) => found.push(broken(
            format!("the state in {shown} cannot be read: {why}"),
            "emu does not start on it",
            format!("mv {folder} {folder}.broken    # the next start begins a new one"),
        )),
    }
    found.extend(state.holder.as_ref().and_then(|holder| held(holder, path, facts)));
    found
}

fn held(holder: &Holder, path: &std::path::Path, facts: &Facts) -> Option<Finding> {
    let (folder, shown, pid) = (quoted(path), path.display(), holder.pid);
    if !holder.lives {
        let what =
            format!("the state in {shown} is locked for process {pid}, which is gone: something that it started still holds the lock");
        return Some(broken(what, "no other emu can open it", format!("fuser -k {folder}/lock    # ends whoever holds it")));
    }
    match &holder.version {
        // While it starts it has no admin API yet; it does not take long.
        None if holder.admin.is_none() => None,
        None => {
            let admin = holder.admin.as_deref().unwrap_or_default();
            let what = format!("the emu that has the state in {shown} (process {pid}) does not answer at {admin}");
            Some(broken(what, "`emu state`, `emu invoke` and tests wait for it", format!("kill {pid}    # nothing acknowledged is lost")))
        }
        Some(version) if version != facts.version => {
            let what = format!("emu {version} runs this project (process {pid}), and this is emu {}", facts.version);
            Some(doubtful(what, "the two may not understand each other", format!("kill -INT {pid}    # then start it with this emu")))
        }
        Some(_) => None,
    }
}

pub fn journal(facts: &Facts) -> Vec<Finding> {
    let Some(state) = facts.state.as_ref().filter(|state| state.journal_is_other) else { return Vec::new() };
    let path = &state.folder.path;
    let what = format!("the journal in {} is of another version of emu", path.display());
    let why = "`emu logs`, `emu trace` and `emu cost` cannot read it; the next start begins a new one";
    vec![doubtful(what, why, format!("rm -f {}*", quoted(&path.join("journal.db"))))]
}

pub fn ports(facts: &Facts) -> Vec<Finding> {
    let own = facts.state.as_ref().and_then(|state| state.holder.as_ref()).map(|holder| holder.pid);
    let elsewhere = |port: &&Port| port.taken.as_ref().is_some_and(|taken| taken.pid.is_none() || taken.pid != own);
    let finding = |port: &Port| {
        let Port { face, number, taken } = port;
        let Taken { pid, program } = taken.clone().unwrap_or_default();
        let who = match (pid, program) {
            (Some(pid), Some(program)) => format!("{program} (process {pid})"),
            (Some(pid), None) => format!("process {pid}"),
            (None, _) => "somebody else's program".to_owned(),
        };
        let other = format!("emu start --ports {face}=0    # any free port");
        let mend = pid.map_or(other, |pid| format!("kill {pid}    # or: emu start --ports {face}=0"));
        let why = "emu takes the next free port, so that clients with the usual address meet the other program";
        doubtful(format!("port {number} ({face}) is taken by {who}"), why, mend)
    };
    facts.ports.iter().filter(elsewhere).map(finding).collect()
}

pub fn variables(facts: &Facts) -> Vec<Finding> {
    let aws = facts.ports.iter().find(|port| port.face == "aws").map_or(4566, |port| port.number);
    let here =
        |url: &str| ["localhost", "127.0.0.1", "[::1]"].iter().any(|host| url.trim_end_matches('/') == format!("http://{host}:{aws}"));
    let finding = |(name, value): (&String, &String)| match name.as_str() {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" if value == "true" => Some(broken(
            format!("{name} is set in this shell"),
            "SDKs started from it ignore AWS_ENDPOINT_URL and go to the cloud (not under `emu exec`)",
            format!("unset {name}"),
        )),
        "AWS_ENDPOINT_URL" if !here(value) => Some(broken(
            format!("AWS_ENDPOINT_URL is {value} in this shell"),
            "SDKs started from it do not reach this project (they do under `emu exec`)",
            format!("export AWS_ENDPOINT_URL=http://localhost:{aws}"),
        )),
        _ if name.starts_with("AWS_ENDPOINT_URL_") && !here(value) => Some(broken(
            format!("{name} is {value} in this shell"),
            "it goes before AWS_ENDPOINT_URL, so that this service's SDK does not reach this project (it does under `emu exec`)",
            format!("unset {name}"),
        )),
        "AWS_PROFILE" | "AWS_DEFAULT_PROFILE" => Some(doubtful(
            format!("{name} is set to {value} in this shell"),
            "SDKs started from it take credentials and perhaps an endpoint from that profile rather than from variables (not under `emu exec`)",
            format!("unset {name}"),
        )),
        _ => None,
    };
    facts.variables.iter().filter_map(finding).collect()
}
