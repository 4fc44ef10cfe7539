//! The `emu:` block, and `plugins:`.

use std::path::PathBuf;

use super::budget;
use super::keys;
use super::model::{Function, Isolation, Journal, MEGABYTE, Position, Problem, Settings};
use super::port::Port;
use super::yaml::{Node, Value};

/// Production's waits before the first and second retry of an asynchronous invocation (Lambda Developer Guide, "Error handling for
/// asynchronous invocation").
const RETRY_DELAYS_MS: [u64; 2] = [60_000, 120_000];

/// The settings; wrong kinds of values are reported by the check.
pub(super) fn build(root: &Node, functions: &[Function], problems: &mut Vec<Problem>) -> Settings {
    let at = |path: &[&str]| path.iter().try_fold(root.get("emu")?, |node, key| node.get(key));
    let port = |port: Port| at(&["ports", port.name()]).and_then(Node::as_int).and_then(|number| u16::try_from(number).ok());
    let delays = at(&["retry", "delaysMs"]).map(|list| list.items().iter().filter_map(Node::as_int).filter_map(|d| u64::try_from(d).ok()));
    let count = |path: &[&str]| at(path).and_then(Node::as_int).and_then(|count| u64::try_from(count).ok());
    let usual = Journal::default();
    let mut allow = Vec::new();
    for (host, place) in texts(at(&["sandbox", "allow"])) {
        match host_problem(&host) {
            None => allow.push(host.to_ascii_lowercase()),
            Some(help) => {
                problems.push(Problem::error(&place, format!("`{host}` in `emu.sandbox.allow` is not a host")).with_help(help));
            }
        }
    }
    let isolation = at(&["sandbox", "isolation"]).and_then(Node::as_text);
    Settings {
        ports: Port::ALL.into_iter().filter_map(|name| Some((name, port(name)?))).collect(),
        isolation: if isolation == Some("warm") { Isolation::Warm } else { Isolation::Fresh },
        allow,
        seed: texts(at(&["seed"])).into_iter().map(|(path, _)| PathBuf::from(path)).collect(),
        import: None,
        retry_delays_ms: delays.map_or_else(|| RETRY_DELAYS_MS.to_vec(), Iterator::collect),
        state: at(&["state"]).and_then(Node::scalar).map(PathBuf::from),
        watch_ignore: texts(at(&["watch", "ignore"])).into_iter().map(|(glob, _)| glob).collect(),
        journal: Journal {
            records_max: count(&["journal", "recordsMax"]).unwrap_or(usual.records_max),
            bytes_max: count(&["journal", "megabytesMax"]).map_or(usual.bytes_max, |megabytes| megabytes.saturating_mul(MEGABYTE)),
        },
        budgets: budget::build(root, functions, problems),
    }
}

/// Whose modules functions of Firebase use, where the file says.
pub(super) fn firebase_modules(root: &Node) -> Option<&str> {
    root.get("emu")?.get("firebase")?.get("modules")?.as_text()
}

/// Warns of plugins whose work nobody does here.
pub(super) fn plugins(root: &Node, problems: &mut Vec<Problem>) {
    let Some(plugins) = root.get("plugins") else { return };
    let list = plugins.get("modules").unwrap_or(plugins);
    let unknown: Vec<(String, Position)> = texts(Some(list)).into_iter().filter(|(name, _)| !quiet(name)).collect();
    let Some((_, at)) = unknown.first() else { return };
    let names = unknown.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    problems.push(Problem::warning(at, format!("plugins are not run: {names}")).with_help("what they add to the project is missing here"));
}

fn quiet(plugin: &str) -> bool {
    keys::QUIET_PLUGINS.contains(&plugin) || plugin.starts_with("serverless-offline")
}

/// A text, or a list of texts, each with its place.
pub(super) fn texts(node: Option<&Node>) -> Vec<(String, Position)> {
    let one = |n: &Node| n.scalar().filter(|t| !t.is_empty()).map(|t| (t, n.at.clone()));
    match node {
        Some(Node { value: Value::List(items), .. }) => items.iter().filter_map(one).collect(),
        Some(node) => one(node).into_iter().collect(),
        None => Vec::new(),
    }
}

/// What is wrong with a host of `allow`, if anything.
fn host_problem(host: &str) -> Option<String> {
    if let Some((_, rest)) = host.split_once("://") {
        let bare = rest.split('/').next().unwrap_or_default();
        return Some(format!("write the host alone: `{bare}`"));
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) => (name, Some(port)),
        None => (host, None),
    };
    if port.is_some_and(|p| p.parse::<u16>().is_err()) {
        return Some("after `:` stands a port, as in `example.com:8080`".into());
    }
    let name = name.strip_prefix("*.").unwrap_or(name);
    let valid = name == "*" || (!name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')));
    (!valid).then(|| "such as `example.com`, `*.example.com` or `localhost:8080`".into())
}
