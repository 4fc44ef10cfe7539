//! A Firebase project: what `firebase.json` and `.firebaserc` say, in the words of the model. Facts: the Firebase CLI's reference of the
//! file ("Firebase CLI reference", "Configure hosting behavior").

mod endpoint;
mod hosting;
pub mod indexes;
mod keys;
mod source;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::check::Check;
use super::json;
use super::load::read_text;
use super::model::{Position, Problem};
use super::port::{Port, Ports};
use super::yaml::{Node, Value};
pub use endpoint::{BlockingTrigger, DEFAULT_REGION, Endpoint, EventTrigger, Generation, Retry, ScheduleTrigger, TaskQueue, Trigger};
pub use hosting::{Answer, HeaderRule, PATTERN_BYTES_MAX, Pattern, Redirect, Rewrite, Site};
pub use source::{NoSource, Source, top};

/// The file of a Firebase project.
pub const FILE_NAME: &str = "firebase.json";
/// The file that names its projects in the cloud.
pub const RC_NAME: &str = ".firebaserc";

/// A Firebase project.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Firebase {
    /// The project's name in the cloud.
    pub project_id: String,
    /// What `.firebaserc` calls it, where it was chosen by that.
    pub alias: Option<String>,
    /// The file.
    pub file: PathBuf,
    pub codebases: Vec<Codebase>,
    pub databases: Vec<Database>,
    pub buckets: Vec<Bucket>,
    pub sites: Vec<Site>,
    /// Ports that `emulators` says.
    pub ports: Ports,
    /// Functions use the `firebase-admin` and `firebase-functions` that are installed, not the sandbox's own.
    pub installed_modules: bool,
}

/// A folder of functions. Paths are below the project's folder.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Codebase {
    pub name: String,
    pub source: PathBuf,
    /// Such as `nodejs22`.
    pub runtime: Option<String>,
    /// What the names of its functions begin with.
    pub prefix: Option<String>,
    pub ignore: Vec<String>,
    pub at: Position,
}

#[cfg(test)]
impl Codebase {
    /// The codebase of a project that says nothing of it.
    pub(crate) fn usual() -> Codebase {
        let (name, source) = ("default".into(), "functions".into());
        Codebase { name, source, runtime: None, prefix: None, ignore: Vec::new(), at: Position::default() }
    }
}

/// A Firestore database.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Database {
    /// `(default)` unless set.
    pub name: String,
    pub rules: Option<PathBuf>,
    pub indexes: Option<PathBuf>,
    pub at: Position,
}

/// A bucket of Cloud Storage with rules.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Bucket {
    /// The project's own where `None`.
    pub name: Option<String>,
    pub rules: Option<PathBuf>,
    pub at: Position,
}

impl Firebase {
    /// The bucket that an app uses which names none.
    pub fn bucket(&self) -> String {
        format!("{}.appspot.com", self.project_id)
    }
}

/// The Firebase project of a folder, if it is one, and its file; what is wrong with it is put to `problems`. `asked` is `--project-id`.
pub(super) fn load(
    root: &Path,
    asked: Option<&str>,
    sources: &mut BTreeSet<PathBuf>,
    problems: &mut Vec<Problem>,
) -> Option<(Firebase, Node)> {
    let file = root.join(FILE_NAME);
    let node = read(&file, sources, problems)?;
    let rc = root.join(RC_NAME);
    sources.insert(rc.clone());
    let rc = if rc.exists() { read(&rc, sources, problems) } else { None };
    let mut check = Check { lenient: true, ..Check::default() };
    check.value(&node, &keys::FILE, "");
    problems.append(&mut check.problems);
    super::load::warn_ignored(check.ignored, problems);
    let mut scene = Scene { root, rc: rc.as_ref(), sources, problems };
    let (project_id, alias) = scene.project_id(asked);
    let targets = |kind: &str, name: &str| -> Vec<String> {
        let found = rc.as_ref().and_then(|rc| rc.get("targets")?.get(&project_id)?.get(kind)?.get(name).cloned());
        found.map(|list| list.items().iter().filter_map(Node::scalar).collect()).unwrap_or_default()
    };
    let firebase = Firebase {
        codebases: scene.codebases(&node),
        databases: many(node.get("firestore")).iter().map(|one| scene.database(one)).collect(),
        buckets: many(node.get("storage")).iter().flat_map(|one| scene.buckets(one, &targets)).collect(),
        sites: many(node.get("hosting")).iter().filter_map(|one| hosting::site(one, &mut scene, &targets)).collect(),
        ports: ports(&node),
        installed_modules: node.get("emu").and_then(|emu| emu.get("modules")).and_then(Node::as_text) == Some("installed"),
        project_id,
        alias,
        file,
    };
    Some((firebase, node))
}

fn read(file: &Path, sources: &mut BTreeSet<PathBuf>, problems: &mut Vec<Problem>) -> Option<Node> {
    sources.insert(file.to_path_buf());
    let text = read_text(file).map_err(|found| problems.extend(found)).ok()??;
    let node = json::parse(file, &text).map_err(|found| problems.extend(found)).ok()?;
    if matches!(node.value, Value::Map(_)) {
        return Some(node);
    }
    problems.push(Problem::error(&node.at, format!("this file is a map, not {}", node.kind())).with_help("`{}` is an empty one"));
    None
}

fn ports(node: &Node) -> Ports {
    let Some(emulators) = node.get("emulators") else { return Ports::new() };
    let number = |name: &str| emulators.get(name)?.get("port")?.as_int().and_then(|port| u16::try_from(port).ok());
    let of = |port: Port| match port {
        // emu's admin port is the hub.
        Port::Admin => Some("hub"),
        Port::Http | Port::Aws => None,
        port => Some(port.name()),
    };
    Port::ALL.into_iter().filter_map(|port| Some((port, number(of(port)?)?))).collect()
}

/// One map, or a list of them.
fn many(node: Option<&Node>) -> &[Node] {
    match node {
        Some(Node { value: Value::List(items), .. }) => items,
        Some(node @ Node { value: Value::Map(_), .. }) => std::slice::from_ref(node),
        _ => &[],
    }
}

/// Where the parts of a project are read.
struct Scene<'a> {
    root: &'a Path,
    rc: Option<&'a Node>,
    /// Files that are read again when they change.
    sources: &'a mut BTreeSet<PathBuf>,
    problems: &'a mut Vec<Problem>,
}

impl Scene<'_> {
    /// The project's name, and the alias by which it was found: as asked for (an alias of `.firebaserc` or a name), that file's default, or
    /// one that no cloud has.
    fn project_id(&mut self, asked: Option<&str>) -> (String, Option<String>) {
        let alias = |name: &str| self.rc.and_then(|rc| rc.get("projects")?.get(name)).cloned();
        if let Some(asked) = asked.filter(|asked| !asked.is_empty()) {
            return match alias(asked).and_then(|id| id.scalar()) {
                Some(id) => (id, Some(asked.to_owned())),
                None => (asked.to_owned(), None),
            };
        }
        match alias("default") {
            Some(node) => match node.scalar().filter(|id| is_project_id(id)) {
                Some(id) => return (id, Some("default".to_owned())),
                None => self.problems.push(
                    Problem::error(&node.at, "this is not the name of a project")
                        .with_help("letters, digits and hyphens, such as `my-project-1a2b`"),
                ),
            },
            None if self.rc.and_then(|rc| rc.get("projects")).is_some_and(|projects| !projects.entries().is_empty()) => {
                let rc = self.rc.map(|rc| rc.at.clone()).unwrap_or_default();
                let message = "none of the projects is the `default`";
                self.problems.push(Problem::warning(&rc, message).with_help("name one with `--project-id`, or add a `default`"));
            }
            None => {}
        }
        // As the CLI's own: a name that begins so is nobody's.
        (format!("demo-{}", folder_name(self.root)), None)
    }

    fn codebases(&mut self, node: &Node) -> Vec<Codebase> {
        let mut names = BTreeSet::new();
        let mut found = Vec::new();
        for one in many(node.get("functions")) {
            let name = one.get("codebase").and_then(Node::scalar).unwrap_or_else(|| "default".into());
            if !names.insert(name.clone()) {
                let help = "give each its own name with `codebase`";
                self.problems.push(Problem::error(&one.at, format!("the codebase `{name}` is there twice")).with_help(help));
                continue;
            }
            let source = one.get("source").and_then(Node::as_text).unwrap_or("functions");
            let at = one.get("source").map_or(&one.at, |node| &node.at);
            let Some(source) = self.inside(source, at) else { continue };
            if !self.root.join(&source).is_dir() {
                let message = format!("there is no folder `{}`", source.display());
                self.problems.push(Problem::warning(at, message).with_help("`source` names the folder of the functions"));
            }
            found.push(Codebase {
                name,
                source,
                runtime: one.get("runtime").and_then(Node::scalar),
                prefix: one.get("prefix").and_then(Node::scalar),
                ignore: texts(one.get("ignore")),
                at: one.at.clone(),
            });
        }
        found
    }

    fn database(&mut self, one: &Node) -> Database {
        let indexes = self.file(one.get("indexes"));
        self.sources.extend(indexes.as_ref().map(|indexes| self.root.join(indexes)));
        Database {
            name: one.get("database").and_then(Node::scalar).unwrap_or_else(|| "(default)".into()),
            rules: self.file(one.get("rules")),
            indexes,
            at: one.at.clone(),
        }
    }

    fn buckets(&mut self, one: &Node, targets: &dyn Fn(&str, &str) -> Vec<String>) -> Vec<Bucket> {
        let rules = self.file(one.get("rules"));
        let bucket = |name| Bucket { name, rules: rules.clone(), at: one.at.clone() };
        let named = one.get("bucket").and_then(Node::scalar);
        let target = one.get("target").and_then(Node::scalar).filter(|_| named.is_none());
        match target.map(|target| targets("storage", &target)) {
            Some(names) if !names.is_empty() => names.into_iter().map(Some).map(bucket).collect(),
            _ => vec![bucket(named)],
        }
    }

    /// A file that must be there.
    fn file(&mut self, node: Option<&Node>) -> Option<PathBuf> {
        let node = node?;
        let path = self.inside(node.as_text()?, &node.at)?;
        if !self.root.join(&path).is_file() {
            self.problems.push(Problem::warning(&node.at, format!("there is no file `{}`", path.display())));
        }
        Some(path)
    }

    /// A path below the project's folder.
    fn inside(&mut self, path: &str, at: &Position) -> Option<PathBuf> {
        let mut clean = PathBuf::new();
        for part in Path::new(path).components() {
            match part {
                std::path::Component::Normal(part) => clean.push(part),
                std::path::Component::CurDir => {}
                _ => {
                    let help = "paths of firebase.json are below its folder";
                    self.problems.push(Problem::error(at, format!("`{path}` leads out of the project")).with_help(help));
                    return None;
                }
            }
        }
        Some(clean)
    }
}

fn texts(node: Option<&Node>) -> Vec<String> {
    node.map(|list| list.items().iter().filter_map(Node::scalar).collect()).unwrap_or_default()
}

/// Letters, digits and hyphens; old projects have a domain before them (`example.com:name`).
fn is_project_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 100 && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':'))
}

fn folder_name(root: &Path) -> String {
    let full = std::fs::canonicalize(root).unwrap_or_else(|_| root.to_path_buf());
    let name = full.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).take(25).collect();
    let plain = plain.trim_matches('-');
    if plain.is_empty() { "project".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests;
