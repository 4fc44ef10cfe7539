//! What a change of files means: which functions to build again, and what else changed between two projects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::model::{EventSource, Function, Project};

/// Folders whose content never matters, wherever they are.
const IGNORED: &[&str] = &[".git", ".emu", ".serverless", ".esbuild", ".webpack", ".build", ".hg", ".svn", ".idea", ".vscode"];
/// Files whose change means that other packages may be installed.
const LOCKS: &[&str] = &[
    "package-lock.json",
    ".package-lock.json",
    "yarn.lock",
    ".yarn-state.yml",
    "pnpm-lock.yaml",
    "bun.lock",
    "bun.lockb",
    ".modules.yaml",
];
/// Files that change how every function is resolved or compiled.
const SHARED: &[&str] = &["package.json", "tsconfig.json", "jsconfig.json"];

/// What is to be done after a change. Nothing, where it is the default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Affected {
    /// Functions to build again, or for the first time, by name.
    pub functions: BTreeSet<String>,
    /// Functions that are gone.
    pub removed: BTreeSet<String>,
    /// A file changed that the project was read from (or may be read from): load it again, then ask once more with the result.
    pub reload: bool,
    /// Tables, buckets, queues or topics changed.
    pub resources: bool,
    /// Routes, or their CORS settings, changed.
    pub routes: bool,
    /// Schedules, or what queues, buckets, streams and topics call, changed.
    pub triggers: bool,
    /// The `emu:` block changed.
    pub settings: bool,
}

impl Affected {
    /// Whether there is nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Affected::default()
    }
}

/// Compares. `changed` are paths of files or folders that were written, made or deleted, absolute or relative to the root;
/// `new` is the project as loaded after the change, where it was; `dependencies` are the files that each function was bundled from.
/// A function whose files are not known is affected by every change in the project.
pub fn affected(old: &Project, new: Option<&Project>, changed: &[PathBuf], dependencies: &BTreeMap<String, BTreeSet<PathBuf>>) -> Affected {
    let mut out = Affected::default();
    let current = new.unwrap_or(old);
    let sources: BTreeSet<PathBuf> = old.sources.iter().chain(&current.sources).map(|s| absolute(&old.root, s)).collect();
    let known: BTreeMap<&str, BTreeSet<PathBuf>> =
        dependencies.iter().map(|(name, files)| (name.as_str(), files.iter().map(|f| absolute(&old.root, f)).collect())).collect();
    for path in changed {
        let path = absolute(&old.root, path);
        if !is_watched(old, &path) {
            continue;
        }
        if sources.contains(&path) || sources.iter().any(|s| s.starts_with(&path)) || is_environment(&old.root, &path) {
            out.reload |= new.is_none();
            if is_source_only(&path, &old.root) {
                continue;
            }
        }
        let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
        let everyone = LOCKS.contains(&name) || SHARED.contains(&name) || (name.starts_with("tsconfig.") && name.ends_with(".json"));
        for function in &current.functions {
            let hit = match known.get(function.name.as_str()) {
                _ if everyone => true,
                None => true,
                // A folder that was renamed or deleted, or a file; and a file that would now be found in place of another.
                Some(files) => files.iter().any(|f| f.starts_with(&path) || shadows(&path, f)),
            };
            if hit {
                out.functions.insert(function.name.clone());
            }
        }
    }
    if let Some(new) = new {
        compare(old, new, &mut out);
    }
    out
}

/// Whether a change of this path can matter at all: not in `.git`, `.emu`, installed packages (but their lock files) or build output.
pub fn is_watched(project: &Project, path: &Path) -> bool {
    let path = absolute(&project.root, path);
    let state = project.settings.state.as_ref().map(|s| absolute(&project.root, s));
    if state.is_some_and(|state| path.starts_with(state)) {
        return false;
    }
    let inner = path.strip_prefix(&project.root).unwrap_or(&path);
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    // What editors write for themselves.
    if name.ends_with('~') || name.ends_with(".swp") || name.ends_with(".swx") || name == "4913" || name.starts_with(".#") {
        return false;
    }
    let parts: Vec<&str> = inner.components().filter_map(|c| if let Component::Normal(n) = c { n.to_str() } else { None }).collect();
    if parts.iter().any(|p| IGNORED.contains(p)) {
        return false;
    }
    if let Some(position) = parts.iter().position(|p| *p == "node_modules") {
        // The folder itself (installed or deleted as a whole), or a lock file right in it.
        return position + 1 == parts.len() || (position + 2 == parts.len() && LOCKS.contains(&name));
    }
    let shown = parts.join("/");
    !project.settings.watch_ignore.iter().any(|glob| matches_glob(glob, &shown))
}

/// Whether `path` fits `glob`: `*` is any part of a name, `**` any folders, `?` one character. A glob without `/` fits any name on
/// the way, and one that names a folder fits all that is in it.
pub fn matches_glob(glob: &str, path: &str) -> bool {
    let glob = glob.trim_start_matches("./").trim_end_matches('/');
    let wanted: Vec<&str> = glob.split('/').filter(|s| !s.is_empty()).collect();
    let names: Vec<&str> = path.split('/').collect();
    match wanted[..] {
        [] => false,
        [one] if one != "**" => names.iter().any(|n| name_fits(one, n)),
        _ => (1..=names.len()).any(|end| path_fits(&wanted, &names[..end])),
    }
}

/// One row per wanted segment, as for the edit distance: no backtracking, so no glob is slow.
fn path_fits(wanted: &[&str], names: &[&str]) -> bool {
    let mut row = vec![false; names.len() + 1];
    row[0] = true;
    for segment in wanted {
        let mut next = vec![false; names.len() + 1];
        for end in 0..=names.len() {
            next[end] = match *segment {
                "**" => row[end] || (end > 0 && next[end - 1]),
                one => end > 0 && row[end - 1] && name_fits(one, names[end - 1]),
            };
        }
        row = next;
    }
    row[names.len()]
}

fn name_fits(glob: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut row = vec![false; name.len() + 1];
    row[0] = true;
    for c in glob.chars() {
        let mut next = vec![false; name.len() + 1];
        for end in 0..=name.len() {
            next[end] = match c {
                '*' => row[end] || (end > 0 && next[end - 1]),
                '?' => end > 0 && row[end - 1],
                c => end > 0 && row[end - 1] && name[end - 1] == c,
            };
        }
        row = next;
    }
    row[name.len()]
}

fn absolute(root: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() || path.starts_with(root) { path.to_path_buf() } else { root.join(path) }
}

/// `.env` files that do not exist yet may still come.
fn is_environment(root: &Path, path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
    path.parent() == Some(root) && (name == ".env" || name.starts_with(".env."))
}

/// Files that no function is bundled from: the project file and `.env`. Others, such as JSON, may be read both ways.
fn is_source_only(path: &Path, root: &Path) -> bool {
    is_environment(root, path) || matches!(path.extension().and_then(|e| e.to_str()), Some("yml" | "yaml"))
}

/// Whether a new file would be found where `file` is now: the same name with another ending.
fn shadows(path: &Path, file: &Path) -> bool {
    let code = |p: &Path| {
        matches!(p.extension().and_then(|e| e.to_str()), Some("ts" | "mts" | "cts" | "js" | "mjs" | "cjs" | "tsx" | "jsx" | "json"))
    };
    path != file && path.parent() == file.parent() && path.file_stem() == file.file_stem() && code(path) && code(file)
}

fn compare(old: &Project, new: &Project, out: &mut Affected) {
    let before: BTreeMap<&str, &Function> = old.functions.iter().map(|f| (f.name.as_str(), f)).collect();
    for function in &new.functions {
        if before.get(function.name.as_str()).is_none_or(|b| !same_build(b, function)) {
            out.functions.insert(function.name.clone());
        }
    }
    let now: BTreeSet<&str> = new.functions.iter().map(|f| f.name.as_str()).collect();
    out.removed = before.keys().filter(|n| !now.contains(*n)).map(|n| n.to_string()).collect();
    out.functions.retain(|f| now.contains(f.as_str()));
    let names = |p: &Project| p.resources.clone().without_places();
    out.resources = names(old) != names(new);
    out.routes = events(old, is_route) != events(new, is_route) || old.http_api_cors != new.http_api_cors;
    out.triggers = events(old, |e| !is_route(e)) != events(new, |e| !is_route(e));
    out.settings = old.settings != new.settings;
    if old.settings.isolation != new.settings.isolation {
        out.functions.extend(new.functions.iter().map(|f| f.name.clone()));
    }
}

/// Whether two states of a function make the same bundle and image: what calls it, and where it stands, does not matter.
fn same_build(a: &Function, b: &Function) -> bool {
    let bare = |f: &Function| Function {
        events: Vec::new(),
        at: Default::default(),
        on_failure: None,
        on_success: None,
        retries_max: 0,
        event_age_max_s: 0,
        ..f.clone()
    };
    bare(a) == bare(b)
}

fn is_route(event: &EventSource) -> bool {
    matches!(event, EventSource::HttpApi { .. } | EventSource::Http { .. })
}

/// Which function each of these events calls, and how it is retried.
fn events(project: &Project, which: impl Fn(&EventSource) -> bool) -> Vec<(&str, Vec<&EventSource>)> {
    let list = project.functions.iter().map(|f| (f.name.as_str(), f.events.iter().filter(|e| which(e)).collect::<Vec<_>>()));
    list.filter(|(_, events)| !events.is_empty()).collect()
}

impl super::model::Resources {
    /// The same without where it is written: moving a line is no change.
    fn without_places(mut self) -> Self {
        self.tables.iter_mut().for_each(|t| t.at = Default::default());
        self.buckets.iter_mut().for_each(|t| t.at = Default::default());
        self.queues.iter_mut().for_each(|t| t.at = Default::default());
        self.topics.iter_mut().for_each(|t| t.at = Default::default());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::{Load, load};

    /// A project of two functions in a folder that stays as long as the value.
    fn project(yaml: &str) -> (tempfile::TempDir, Project) {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["a.ts", "b.ts"] {
            std::fs::write(folder.path().join(name), "").expect("a file");
        }
        std::fs::write(folder.path().join("serverless.yaml"), yaml).expect("a file");
        let project = load(&Load::new(folder.path())).expect("a valid project").project;
        (folder, project)
    }

    const YAML: &str =
        "service: s\nprovider: { name: aws }\nfunctions:\n  a: { handler: a.h }\n  b: { handler: b.h, events: [{ httpApi: GET /b }] }\n";

    fn check(changed: &str, expected: &str) {
        let (_folder, project) = project(YAML);
        let files = |names: &[&str]| names.iter().map(|n| project.root.join(n)).collect::<BTreeSet<_>>();
        let dependencies = BTreeMap::from([
            ("a".to_string(), files(&["a.ts", "lib/x.ts", "lib/both.js"])),
            ("b".to_string(), files(&["b.ts", "lib/both.js"])),
        ]);
        let changed: Vec<PathBuf> = changed.split(' ').map(PathBuf::from).collect();
        let found = affected(&project, None, &changed, &dependencies);
        let mut shown: Vec<String> = found.functions.into_iter().collect();
        if found.reload {
            shown.push("reload".into());
        }
        assert_eq!(shown.join(" "), expected, "{changed:?}");
    }

    #[test]
    fn only_what_depends_on_a_file_is_built_again() {
        check("lib/x.ts", "a");
        check("lib/both.js", "a b");
        check("lib", "a b");
        check("lib/both.ts", "a b");
        check("README.md", "");
        check(".git/HEAD node_modules/zod/index.js .emu/db b.ts~", "");
        check("package-lock.json", "a b");
        check("node_modules/.package-lock.json", "a b");
        check("tsconfig.json", "a b");
        check("serverless.yaml", "reload");
        check(".env.prod", "reload");
        check("b.ts .env", "b reload");
    }

    #[test]
    fn a_new_project_file_says_what_changed() {
        let (_keep, old) = project(YAML);
        let compare = |yaml: &str| {
            let (_folder, mut new) = project(yaml);
            new.root = old.root.clone();
            new.sources = old.sources.clone();
            affected(&old, Some(&new), &[], &BTreeMap::new())
        };
        assert!(compare(&YAML.replace("functions:", "\n\nfunctions:")).is_nothing());
        let found = compare(&YAML.replace("GET /b", "GET /c"));
        assert_eq!(found, Affected { routes: true, ..Affected::default() });
        let found = compare(&YAML.replace("handler: a.h", "handler: a.h, timeout: 9"));
        assert_eq!(found, Affected { functions: BTreeSet::from(["a".into()]), ..Affected::default() });
        let found = compare(&YAML.replace("  a: { handler: a.h }\n", ""));
        assert_eq!(found, Affected { removed: BTreeSet::from(["a".into()]), ..Affected::default() });
        let found = compare(&format!("{YAML}resources: {{ Resources: {{ Q: {{ Type: AWS::SQS::Queue }} }} }}\n"));
        assert_eq!(found, Affected { resources: true, ..Affected::default() });
        let found = compare(&YAML.replace("handler: a.h", "handler: a.h, events: [{ schedule: rate(1 minute) }]"));
        assert_eq!(found, Affected { triggers: true, ..Affected::default() });
    }

    #[test]
    fn globs_fit_names_and_folders() {
        let fits = |glob: &str, path: &str| assert!(matches_glob(glob, path), "{glob} {path}");
        let not = |glob: &str, path: &str| assert!(!matches_glob(glob, path), "{glob} {path}");
        fits("dist", "packages/a/dist/x.js");
        fits("*.log", "a/b.log");
        fits("docs/**", "docs/a/b.md");
        fits("a/**/*.md", "a/b/c/d.md");
        fits("./coverage/", "coverage/index.html");
        not("docs/*.md", "src/docs/a.md");
        not("?.ts", "ab.ts");
        not("", "a");
    }
}
