//! Puts values in the place of variables.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::template::{self, Part, Source, Variable};
use crate::project::model::{Position, Problem, Severity};
use crate::project::problem::did_you_mean;
use crate::project::yaml::{self, Entry, Node, Value};

/// Deepest chain of values within values, variables included.
const DEPTH_MAX: usize = 128;
/// Most values that all variables together may make.
const NODES_MAX: usize = 500_000;
/// Longest text that a variable may make, in bytes, and all of them together.
const TEXT_BYTES_MAX: usize = 1 << 20;
const TEXT_BYTES_TOTAL_MAX: usize = 32 << 20;
/// The account that every local resource is in.
pub const ACCOUNT: &str = "000000000000";

const KINDS: &[&str] = &["self", "env", "opt", "file", "param", "sls", "aws", "cf", "ssm", "s3", "strToBool"];

/// What variables draw from, besides the project file.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// The folder that `file(…)` is relative to.
    pub root: PathBuf,
    /// The environment for `${env:…}`, `.env` files included.
    pub env: BTreeMap<String, String>,
    /// `--stage`, where given.
    pub stage_option: Option<String>,
    /// `--region`, where given.
    pub region_option: Option<String>,
    /// The stage, once known.
    pub stage: Option<String>,
    /// The region, once known.
    pub region: Option<String>,
    /// `--param`.
    pub params: BTreeMap<String, String>,
}

/// Resolves the variables of one project file.
pub struct Resolver<'a> {
    root: &'a Node,
    inputs: Inputs,
    files: HashMap<PathBuf, Option<Rc<Node>>>,
    /// Every file that was looked for.
    pub sources: BTreeSet<PathBuf>,
    /// What is being resolved, outermost first.
    active: Vec<String>,
    memo: HashMap<String, Memo>,
    depth: usize,
    nodes: usize,
    bytes: usize,
    pub problems: Vec<Problem>,
    /// Variables that only a deployed stack could answer.
    pub remote: Vec<(String, Position)>,
}

struct Memo {
    node: Node,
    depth: usize,
    count: usize,
}

/// What a source gave.
enum Found {
    Value(Node),
    /// Nothing; a default may follow. With the reason and what to do.
    Missing(String, Option<String>),
    /// Nothing, because only a deployed stack could know.
    Remote,
    /// Nothing, and that is reported already.
    Failed,
}

impl<'a> Resolver<'a> {
    /// For the document `root`.
    pub fn new(root: &'a Node, inputs: Inputs) -> Resolver<'a> {
        Resolver {
            root,
            inputs,
            files: HashMap::new(),
            sources: BTreeSet::new(),
            active: Vec::new(),
            memo: HashMap::new(),
            depth: 0,
            nodes: 0,
            bytes: 0,
            problems: Vec::new(),
            remote: Vec::new(),
        }
    }

    /// The same value with every variable in it replaced. What cannot be resolved is reported and becomes `Unknown`.
    pub fn resolve(&mut self, node: &Node) -> Node {
        self.depth += 1;
        self.nodes += 1;
        let value = if self.depth > DEPTH_MAX || self.nodes > NODES_MAX {
            self.too_much(&node.at)
        } else {
            match &node.value {
                Value::Text(text) if template::may_have(text) => {
                    let resolved = self.text(text, &node.at);
                    self.depth -= 1;
                    return resolved;
                }
                Value::List(items) => Value::List(items.iter().map(|i| self.resolve(i)).collect()),
                Value::Map(entries) => Value::Map(
                    entries
                        .iter()
                        .map(|e| Entry { key: self.key(&e.key, &e.at), at: e.at.clone(), value: self.resolve(&e.value) })
                        .collect(),
                ),
                other => other.clone(),
            }
        };
        self.depth -= 1;
        Node { at: node.at.clone(), value }
    }

    /// Resolves one value of the document by its path, e.g. `provider.stage`; `None` where it is not there.
    pub fn look_up(&mut self, path: &str) -> Option<Node> {
        let at = self.root.at.clone();
        match self.own(path, &at) {
            Found::Value(node) => Some(node),
            Found::Missing(..) | Found::Remote | Found::Failed => None,
        }
    }

    fn too_much(&mut self, at: &Position) -> Value {
        let message = format!("variables make too much: {DEPTH_MAX} levels and {NODES_MAX} values are allowed");
        if !self.problems.iter().any(|p| p.message == message) {
            self.problems.push(Problem::error(at, message));
        }
        Value::Unknown
    }

    /// Keys may hold variables too, but only such as give text.
    fn key(&mut self, key: &str, at: &Position) -> String {
        if !template::may_have(key) {
            return key.to_string();
        }
        self.text(key, at).scalar().unwrap_or_else(|| key.to_string())
    }

    fn text(&mut self, text: &str, at: &Position) -> Node {
        match template::parse(text) {
            Ok(parts) => self.parts(&parts, at),
            Err(message) => {
                self.problems.push(Problem::error(at, message));
                Node::new(at.clone(), Value::Unknown)
            }
        }
    }

    /// A lone variable keeps its type; anything else is text.
    fn parts(&mut self, parts: &[Part], at: &Position) -> Node {
        if let [Part::Variable(variable)] = parts {
            return self.variable(variable, at);
        }
        let mut out = String::new();
        let mut known = true;
        for part in parts {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Variable(variable) => {
                    let value = self.variable(variable, at);
                    match value.scalar() {
                        Some(text) => out.push_str(&text),
                        None => {
                            if value.value != Value::Unknown {
                                let message = format!("`{}` is {}: it cannot stand inside text", variable.written, value.kind());
                                self.problems.push(Problem::error(at, message));
                            }
                            known = false;
                        }
                    }
                }
            }
            if out.len() > TEXT_BYTES_MAX {
                break;
            }
        }
        self.bytes = self.bytes.saturating_add(out.len());
        if out.len() > TEXT_BYTES_MAX || self.bytes > TEXT_BYTES_TOTAL_MAX {
            let value = self.too_much(at);
            return Node::new(at.clone(), value);
        }
        Node::new(at.clone(), if known { Value::Text(out) } else { Value::Unknown })
    }

    fn variable(&mut self, variable: &Variable, at: &Position) -> Node {
        let (mut remote, mut missing) = (false, None);
        for source in &variable.sources {
            let found = match source {
                Source::Literal(value) => Found::Value(Node::new(at.clone(), value.clone())),
                Source::Nested(parts) => Found::Value(self.parts(parts, at)),
                Source::Named { kind, parameters, address } => self.named(kind, parameters.as_deref(), address, at, variable),
            };
            match found {
                Found::Value(node) if matches!(node.value, Value::List(_) | Value::Map(_)) => return node,
                Found::Value(node) => return Node::new(at.clone(), node.value),
                Found::Missing(why, help) => missing = missing.or(Some((why, help))),
                Found::Remote => remote = true,
                Found::Failed => return Node::new(at.clone(), Value::Unknown),
            }
        }
        if remote {
            self.remote.push((variable.written.clone(), at.clone()));
            return Node::text(at.clone(), "");
        }
        let (why, help) = missing.unwrap_or_default();
        self.problems.push(Problem::error(at, format!("cannot resolve `{}`: {why}", variable.written)).with_help_if(help));
        Node::new(at.clone(), Value::Unknown)
    }

    fn named(&mut self, kind: &str, parameters: Option<&[Part]>, address: &[Part], at: &Position, variable: &Variable) -> Found {
        let written = &variable.written;
        let mut scalar = |parts: &[Part]| self.parts(parts, at).scalar();
        let (Some(address), Some(parameters)) = (scalar(address), parameters.map_or(Some(None), |p| scalar(p).map(Some))) else {
            return Found::Failed;
        };
        let given = parameters.as_deref().map_or_else(|| format!("{kind}:{address}"), |p| format!("{kind}({p}):{address}"));
        if let Some(value) = self.root.get("emu").and_then(|e| e.get("variables")).and_then(|v| v.get(&given)).cloned() {
            return self.within(given, at, |own| own.resolve(&value));
        }
        let default = |name: &str| Some(format!("give a default: `${{{kind}:{name}, 'default'}}`"));
        let text = |value: &str| Found::Value(Node::text(at.clone(), value));
        let unknown = |known: &str| Found::Missing(format!("`{kind}:` knows only {known}"), None);
        match kind {
            "self" => self.own(&address, at),
            "env" => match self.inputs.env.get(&address) {
                Some(value) => text(value),
                None => {
                    let help = format!("set it in `.env`, or give a default: `${{env:{address}, 'default'}}`");
                    Found::Missing(format!("the environment variable `{address}` is not set"), Some(help))
                }
            },
            "opt" => {
                let last = variable.sources.len() == 1;
                let given = match address.as_str() {
                    "stage" => self.inputs.stage_option.clone().or_else(|| self.inputs.stage.clone().filter(|_| last)),
                    "region" => self.inputs.region_option.clone().or_else(|| self.inputs.region.clone().filter(|_| last)),
                    _ => None,
                };
                given.map_or_else(|| Found::Missing(format!("the option `--{address}` is not given"), default(&address)), |v| text(&v))
            }
            "param" => self.param(&address, at),
            "sls" => match (address.as_str(), self.inputs.stage.clone()) {
                ("stage", Some(stage)) => text(&stage),
                ("stage", None) => text(self.inputs.stage_option.as_deref().unwrap_or("dev")),
                ("instanceId", _) => text("emu"),
                _ => unknown("`sls:stage` and `sls:instanceId`"),
            },
            "aws" => match address.as_str() {
                "accountId" => text(ACCOUNT),
                "region" => text(self.inputs.region.as_deref().unwrap_or("us-east-1")),
                _ => unknown("`aws:accountId` and `aws:region`"),
            },
            "cf" | "ssm" | "s3" => Found::Remote,
            "file" => self.file(parameters.as_deref().unwrap_or_default(), &address, at),
            "strToBool" => match parameters.as_deref().unwrap_or_default().trim().trim_matches(['\'', '"']) {
                "true" | "1" => Found::Value(Node::new(at.clone(), Value::Bool(true))),
                "" | "false" | "0" | "null" | "undefined" | "NaN" => Found::Value(Node::new(at.clone(), Value::Bool(false))),
                other => {
                    let message = format!("`{written}`: `{other}` is neither true nor false");
                    self.problems.push(Problem::error(at, message).with_help("write `true`, `1`, `false` or `0`"));
                    Found::Failed
                }
            },
            _ => {
                let near = did_you_mean(kind, KINDS.iter().copied()).map(|near| format!("did you mean `{near}:`?"));
                let help = near.unwrap_or_else(|| format!("where a plugin gives it: set `emu.variables` to {{ '{given}': value }}"));
                self.problems.push(Problem::error(at, format!("`{written}`: there are no variables `{kind}:`")).with_help(help));
                Found::Failed
            }
        }
    }

    fn param(&mut self, name: &str, at: &Position) -> Found {
        if let Some(value) = self.inputs.params.get(name) {
            return Found::Value(Node::text(at.clone(), value.clone()));
        }
        let stage = self.inputs.stage.clone().unwrap_or_else(|| "dev".to_string());
        for group in [stage.as_str(), "default"] {
            match self.own(&format!("params.{group}.{name}"), at) {
                Found::Missing(..) => {}
                found => return found,
            }
        }
        let help = format!("set it under `params.default` or `params.{stage}`");
        Found::Missing(format!("the parameter `{name}` is not set for stage `{stage}`"), Some(help))
    }

    /// Does `make` unless it is being done already, and remembers what came out.
    fn within(&mut self, key: String, at: &Position, make: impl FnOnce(&mut Self) -> Node) -> Found {
        if let Some(begin) = self.active.iter().position(|a| *a == key) {
            let chain: Vec<&str> = self.active[begin..].iter().map(String::as_str).chain([key.as_str()]).collect();
            self.problems.push(Problem::error(at, format!("variables refer to each other in a circle: {}", chain.join(" → "))));
            return Found::Failed;
        }
        if let Some(memo) = self.memo.get(&key) {
            self.nodes += memo.count;
            if self.nodes > NODES_MAX || self.depth + memo.depth > DEPTH_MAX {
                let value = self.too_much(at);
                return Found::Value(Node::new(at.clone(), value));
            }
            return Found::Value(memo.node.clone());
        }
        self.active.push(key.clone());
        let node = make(self);
        self.active.pop();
        self.memo.insert(key, Memo { node: node.clone(), depth: depth(&node), count: node.count() });
        Found::Value(node)
    }

    fn own(&mut self, path: &str, at: &Position) -> Found {
        let fixed = match path {
            "provider.stage" => self.inputs.stage.clone(),
            "provider.region" => self.inputs.region.clone(),
            _ => None,
        };
        if let Some(value) = fixed {
            return Found::Value(Node::text(at.clone(), value));
        }
        let root = self.root;
        self.walk(format!("self:{path}"), root, path, at)
    }

    /// Follows `path` down from `from`, resolving on the way what hides the next step.
    fn walk(&mut self, key: String, from: &Node, path: &str, at: &Position) -> Found {
        let whole = key.clone();
        let found = self.within(key, at, |own| {
            let nothing = |value: Value| Node::new(at.clone(), value);
            let (mut here, mut resolved) = (from, None);
            for step in path.split('.').filter(|s| !s.is_empty()) {
                if resolved.is_none() && here.as_text().is_some_and(template::may_have) {
                    resolved = Some(own.resolve(here));
                }
                match resolved.take() {
                    Some(Node { value: Value::Unknown, .. }) => return nothing(Value::Unknown),
                    Some(node) => match child(&node, step) {
                        Some(next) => resolved = Some(next.clone()),
                        None => return nothing(Value::Null),
                    },
                    None => match child(here, step) {
                        Some(next) => here = next,
                        None => return nothing(Value::Null),
                    },
                }
            }
            resolved.unwrap_or_else(|| own.resolve(here))
        });
        match found {
            Found::Value(node) if node.is_null() => Found::Missing(self.missing(&whole, from, path), None),
            Found::Value(node) if node.value == Value::Unknown => Found::Failed,
            other => other,
        }
    }

    /// Says which step of a path is not there.
    fn missing(&self, whole: &str, from: &Node, path: &str) -> String {
        let mut here = from;
        for step in path.split('.') {
            match here.entry(step) {
                Some(entry) => here = &entry.value,
                None => {
                    let near = did_you_mean(step, here.entries().iter().map(|e| e.key.as_str()));
                    let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
                    return format!("`{whole}` has no value{near}");
                }
            }
        }
        format!("`{whole}` has no value")
    }

    fn file(&mut self, name: &str, address: &str, at: &Position) -> Found {
        let name = name.trim().trim_matches(['\'', '"']);
        if name.is_empty() || name.contains('\0') {
            self.problems.push(Problem::error(at, "`file(…)` takes the path of a file: `${file(./settings.yml):key}`"));
            return Found::Failed;
        }
        let path = tidy(&self.inputs.root.join(name));
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
        if matches!(extension.as_str(), "js" | "cjs" | "mjs" | "ts" | "mts" | "cts") {
            let help = "emu runs no code to read a project; write the values as YAML or JSON";
            self.problems.push(Problem::error(at, format!("`{name}` is code: only .yml, .yaml and .json files are read")).with_help(help));
            return Found::Failed;
        }
        let node = match self.files.get(&path) {
            Some(node) => node.clone(),
            None => {
                self.sources.insert(path.clone());
                let node = match read(&path, &extension) {
                    Ok(node) => node.map(Rc::new),
                    Err(problems) => {
                        self.problems.extend(problems.into_iter().map(|p| Problem { at: p.at.or_else(|| Some(at.clone())), ..p }));
                        Some(Rc::new(Node::new(at.clone(), Value::Unknown)))
                    }
                };
                self.files.insert(path.clone(), node.clone());
                node
            }
        };
        match node {
            None => Found::Missing(format!("the file `{name}` does not exist"), None),
            Some(node) if node.value == Value::Unknown => Found::Failed,
            Some(node) => self.walk(format!("file({name}):{address}"), &node, address, at),
        }
    }
}

/// One step down: an item by its number, an entry by its key.
fn child<'n>(node: &'n Node, step: &str) -> Option<&'n Node> {
    match &node.value {
        Value::List(items) => step.parse().ok().and_then(|i: usize| items.get(i)),
        _ => node.entry(step).map(|e| &e.value),
    }
}

fn depth(node: &Node) -> usize {
    1 + match &node.value {
        Value::List(items) => items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => entries.iter().map(|e| depth(&e.value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// A path without `.` and, where that is possible without looking, `..`.
fn tidy(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if matches!(out.components().next_back(), Some(std::path::Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Reads a file for `file(…)`: YAML and JSON as values, anything else as text. `None` where it does not exist.
fn read(path: &Path, extension: &str) -> Result<Option<Node>, Vec<Problem>> {
    let Some(text) = crate::project::load::read_text(path)? else { return Ok(None) };
    let at = Position { file: path.to_path_buf(), line: 1, column: 1 };
    match extension {
        "yml" | "yaml" => yaml::parse(path, &text).map(Some),
        "json" | "tfstate" => match (yaml::parse(path, &text), serde_json::from_str::<serde_json::Value>(&text)) {
            (Ok(node), Ok(_)) => Ok(Some(node)),
            // JSON that is not YAML, such as with tabs: without positions within it.
            (Err(_), Ok(json)) => Ok(Some(Node::from_json(&at, &json, 0))),
            (_, Err(error)) => {
                let at = Position { file: path.to_path_buf(), line: error.line() as u32, column: error.column().max(1) as u32 };
                let message = error.to_string();
                let message = message.split(" at line ").next().unwrap_or_default();
                Err(vec![Problem { severity: Severity::Error, message: format!("not valid JSON: {message}"), help: None, at: Some(at) }])
            }
        },
        _ => Ok(Some(Node::text(at, text))),
    }
}
