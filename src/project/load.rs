//! Loading a project: find the file, read it and `.env`, resolve variables and references, check everything, build the model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::check::Check;
use super::intrinsics::{self, Template};
use super::model::{Position, Problem, Project, Settings, Severity};
use super::variables::{Inputs, Resolver};
use super::yaml::{self, Entry, Node, Value};
use super::{dotenv, firebase, functions, keys, problem, resources, settings};

/// Names that a project file may have, in the order in which they are looked for.
pub const FILE_NAMES: &[&str] = &["serverless.yaml", "serverless.yml"];

/// What to load, and what the one who asks brings along.
#[derive(Clone, Debug)]
pub struct Load {
    /// The project's folder, or its file.
    pub path: PathBuf,
    /// `--stage`: wins over `provider.stage`.
    pub stage: Option<String>,
    /// `--region`: wins over `provider.region`.
    pub region: Option<String>,
    /// `--param`: wins over `params`.
    pub params: BTreeMap<String, String>,
    /// `--project-id`: the Firebase project's name or alias; wins over `.firebaserc`.
    pub project_id: Option<String>,
    /// The environment that `${env:…}` sees; it wins over `.env` files.
    pub env: BTreeMap<String, String>,
    /// Address of the AWS endpoint; queue URLs begin with it.
    pub aws_url: String,
    /// Address of the functions' routes.
    pub http_url: String,
    /// Sample data laid over the project's own: files or folders as `emu.seed` names them, from the root of the file system.
    pub seeds: Vec<PathBuf>,
    /// An export that the state begins with, in the place of the project's own sample data; from the root of the file system.
    pub import: Option<PathBuf>,
}

impl Load {
    /// A project in `path` with nothing brought along and the usual ports.
    pub fn new(path: impl Into<PathBuf>) -> Load {
        Load {
            path: path.into(),
            stage: None,
            region: None,
            params: BTreeMap::new(),
            project_id: None,
            env: BTreeMap::new(),
            aws_url: "http://localhost:4566".into(),
            http_url: "http://localhost:3000".into(),
            seeds: Vec::new(),
            import: None,
        }
    }
}

/// A project without errors.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub project: Project,
    /// Sorted by place.
    pub warnings: Vec<Problem>,
}

/// Loads a project. On failure: everything that is wrong with it, warnings too, sorted by place.
pub fn load(load: &Load) -> Result<Loaded, Vec<Problem>> {
    let mut problems = Vec::new();
    let project = build(load, &mut problems);
    problem::sort(&mut problems);
    match project {
        Some(project) if problems.iter().all(|p| p.severity == Severity::Warning) => Ok(Loaded { project, warnings: problems }),
        _ => Err(problems),
    }
}

/// The project file of a folder, `serverless.yaml` before `firebase.json` (or the file itself), or what to say where there is none.
pub fn find(path: &Path) -> Result<PathBuf, Problem> {
    if path.is_file() {
        return Ok(path.to_path_buf());
    }
    let names = FILE_NAMES.iter().chain([&firebase::FILE_NAME]);
    if let Some(found) = names.map(|name| path.join(name)).find(|file| file.is_file()) {
        return Ok(found);
    }
    let other = ["serverless.json", "serverless.ts", "serverless.js"].iter().find(|name| path.join(name).is_file());
    let help = match other {
        Some(other) => format!("`{other}` is not read: write the project as serverless.yaml"),
        None if path.exists() => "go to the folder of your project, or name it with `--project DIR`".to_string(),
        None => "the folder does not exist".to_string(),
    };
    let message = format!("no serverless.yaml or serverless.yml and no firebase.json in {}", path.display());
    Err(Problem { severity: Severity::Error, message, help: Some(help), at: None })
}

/// The text of a file; `None` where it does not exist.
pub(super) fn read_text(file: &Path) -> Result<Option<String>, Vec<Problem>> {
    let fail = |message: String| Err(vec![Problem { severity: Severity::Error, message, help: None, at: Some(top(file)) }]);
    match std::fs::metadata(file) {
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return fail(format!("cannot read {}: {error}", file.display())),
        Ok(meta) if !meta.is_file() => return fail(format!("{} is not a file", file.display())),
        Ok(meta) if meta.len() > yaml::FILE_BYTES_MAX as u64 => {
            return fail(format!("{} is too large: {} MiB are read at most", file.display(), yaml::FILE_BYTES_MAX >> 20));
        }
        Ok(_) => {}
    }
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return fail(format!("cannot read {}: {error}", file.display())),
    };
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(error) => {
            let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count() as u32 + 1;
            let at = Position { line, ..top(file) };
            Err(vec![Problem::error(&at, "this is not UTF-8 text").with_help("save the file as UTF-8")])
        }
    }
}

fn top(file: &Path) -> Position {
    Position { file: file.to_path_buf(), line: 1, column: 1 }
}

fn build(load: &Load, problems: &mut Vec<Problem>) -> Option<Project> {
    let file = find(&load.path).map_err(|p| problems.push(p)).ok()?;
    let root = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let mut sources = BTreeSet::new();
    let firebase = firebase::load(&root, load.project_id.as_deref(), &mut sources, problems);
    if file.file_name().is_some_and(|name| name == firebase::FILE_NAME) {
        let (firebase, node) = firebase?;
        return Some(plain(load, root, file, sources, (firebase, &node), problems));
    }
    let firebase = firebase.map(|(firebase, _)| firebase);
    let text = match read_text(&file) {
        Ok(text) => text.unwrap_or_default(),
        Err(found) => {
            problems.extend(found);
            return None;
        }
    };
    let raw = yaml::parse(&file, &text).map_err(|found| problems.extend(found)).ok()?;
    if !matches!(raw.value, Value::Map(_)) {
        let message = if raw.is_null() { "the file is empty".to_string() } else { format!("a project file is a map, not {}", raw.kind()) };
        problems.push(Problem::error(&raw.at, message).with_help("begin with `service: NAME`; serverless.yaml.example shows every key"));
        return None;
    }

    sources.insert(file.clone());
    let (env, own, stage, region) = surroundings(load, &root, &raw, &mut sources, problems);
    let inputs = Inputs {
        root: root.clone(),
        env,
        stage_option: load.stage.clone(),
        region_option: load.region.clone(),
        stage: Some(stage.clone()),
        region: Some(region.clone()),
        params: load.params.clone(),
    };
    let mut resolver = Resolver::new(&raw, inputs);
    let resolved = resolver.resolve(&raw);
    problems.append(&mut resolver.problems);
    sources.append(&mut resolver.sources);
    warn_remote(&resolver.remote, problems);

    let resolved = flatten(resolved, problems);
    let service = match resolved.get("service").and_then(Node::scalar) {
        Some(service) => service,
        None => {
            let unknown = resolved.entry("service").is_some_and(|e| e.value.value == Value::Unknown);
            if !unknown && resolved.entry("service").is_none_or(|e| e.value.is_null()) {
                problems.push(Problem::error(&resolved.at, "the project has no name").with_help("add `service: NAME` at the top"));
            }
            "service".into()
        }
    };
    let template = template(load, &resolved, &service, &stage, &region, problems);
    let evaluated = functions::evaluate(&resolved, &template);
    let mut check = Check::default();
    check.value(&evaluated, &keys::FILE, "");
    problems.append(&mut check.problems);

    let resources = resources::build(&template, problems);
    let mut scene = functions::Scene { root: &root, file_env: &own, template: &template, resources, ignored: check.ignored, problems };
    let functions = scene.functions(&evaluated);
    let http_api_cors = scene.http_api_cors(&evaluated);
    let functions::Scene { resources, ignored, .. } = scene;
    let mut settings = settings::build(&evaluated, &functions, problems);
    begin(load, &mut settings);
    let mut firebase = firebase;
    if let (Some(firebase), Some(modules)) = (&mut firebase, settings::firebase_modules(&evaluated)) {
        firebase.installed_modules = modules == "installed";
    }
    settings::plugins(&evaluated, problems);
    problems.append(&mut template.problems.borrow_mut());
    warn_imports(&template, problems);
    warn_ignored(ignored, problems);

    Some(Project {
        root,
        file,
        sources: sources.into_iter().collect(),
        service,
        stage,
        region,
        functions,
        resources,
        http_api_cors,
        settings,
        firebase,
    })
}

/// A project that is Firebase's alone.
fn plain(
    load: &Load,
    root: PathBuf,
    file: PathBuf,
    sources: BTreeSet<PathBuf>,
    (firebase, node): (firebase::Firebase, &Node),
    problems: &mut Vec<Problem>,
) -> Project {
    let mut settings = settings::build(node, &[], problems);
    begin(load, &mut settings);
    Project {
        root,
        file,
        sources: sources.into_iter().collect(),
        service: firebase.project_id.clone(),
        stage: load.stage.clone().unwrap_or_else(|| "dev".into()),
        region: load.region.clone().unwrap_or_else(|| "us-east-1".into()),
        functions: Vec::new(),
        resources: Default::default(),
        http_api_cors: None,
        settings,
        firebase: Some(firebase),
    }
}

/// What a new state begins with, where the command line says so.
fn begin(load: &Load, settings: &mut Settings) {
    if load.import.is_some() {
        settings.seed.clear();
        settings.import = load.import.clone();
    }
    settings.seed.extend(load.seeds.iter().cloned());
}

/// The environment for `${env:…}`, what `.env` files say, the stage and the region. `.env` is read first, then `.env.STAGE`, then
/// `.env.local`; later files win, and what the caller's environment sets wins over all of them in `${env:…}`.
fn surroundings(
    load: &Load,
    root: &Path,
    raw: &Node,
    sources: &mut BTreeSet<PathBuf>,
    problems: &mut Vec<Problem>,
) -> (BTreeMap<String, String>, BTreeMap<String, String>, String, String) {
    let mut own = BTreeMap::new();
    let mut take = |name: &str, own: &mut BTreeMap<String, String>| {
        let path = root.join(name);
        sources.insert(path.clone());
        match read_text(&path) {
            Ok(None) => {}
            Ok(Some(text)) => {
                let parsed = dotenv::parse(&path, &text, &load.env, own);
                problems.extend(parsed.problems);
                own.extend(parsed.variables);
            }
            Err(found) => problems.extend(found),
        }
    };
    let merged = |own: &BTreeMap<String, String>| {
        let mut env = own.clone();
        env.extend(load.env.iter().map(|(k, v)| (k.clone(), v.clone())));
        env
    };
    take(".env", &mut own);
    let mut inputs = Inputs {
        root: root.to_path_buf(),
        env: merged(&own),
        stage_option: load.stage.clone(),
        region_option: load.region.clone(),
        params: load.params.clone(),
        ..Inputs::default()
    };
    let stage = load.stage.clone().or_else(|| look_up(raw, &inputs, "provider.stage")).unwrap_or_else(|| "dev".into());
    // A stage becomes part of file names.
    if !stage.is_empty() && stage.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
        take(&format!(".env.{stage}"), &mut own);
    }
    take(".env.local", &mut own);
    inputs.env = merged(&own);
    inputs.stage = Some(stage.clone());
    let region = load.region.clone().or_else(|| look_up(raw, &inputs, "provider.region")).unwrap_or_else(|| "us-east-1".into());
    (inputs.env, own, stage, region)
}

/// A value that is needed before the rest can be resolved; what is wrong with it is reported when the rest is.
fn look_up(raw: &Node, inputs: &Inputs, path: &str) -> Option<String> {
    Resolver::new(raw, inputs.clone()).look_up(path).and_then(|n| n.scalar()).filter(|s| !s.is_empty())
}

/// `functions` and `resources` may be lists of maps: the same as one map, later ones over earlier ones.
fn flatten(node: Node, problems: &mut Vec<Problem>) -> Node {
    let Value::Map(entries) = node.value else { return node };
    let entries = entries.into_iter().map(|mut entry| {
        match (entry.key.as_str(), &entry.value.value) {
            ("functions", Value::List(items)) => {
                let mut all: Vec<Entry> = Vec::new();
                for function in items.iter().flat_map(|i| i.entries()) {
                    match all.iter().find(|e| e.key == function.key) {
                        Some(first) => {
                            let message = format!("the function `{}` is there twice: first on line {}", function.key, first.at.line);
                            problems.push(Problem::error(&function.at, message));
                        }
                        None => all.push(function.clone()),
                    }
                }
                if items.iter().all(|i| matches!(i.value, Value::Map(_) | Value::Unknown | Value::Null)) {
                    entry.value.value = Value::Map(all);
                }
            }
            ("resources", Value::List(items)) if items.iter().all(|i| matches!(i.value, Value::Map(_) | Value::Unknown | Value::Null)) => {
                let mut all = Vec::new();
                for item in items {
                    merge(&mut all, item.entries());
                }
                entry.value.value = Value::Map(all);
            }
            _ => {}
        }
        entry
    });
    Node { at: node.at, value: Value::Map(entries.collect()) }
}

/// Lays `more` over `base`; maps are merged key by key.
fn merge(base: &mut Vec<Entry>, more: &[Entry]) {
    let mut index: std::collections::HashMap<String, usize> = base.iter().enumerate().map(|(i, e)| (e.key.clone(), i)).collect();
    for entry in more {
        match index.get(&entry.key) {
            Some(at) => match (&mut base[*at].value.value, &entry.value.value) {
                (Value::Map(old), Value::Map(new)) => merge(old, new),
                _ => base[*at] = entry.clone(),
            },
            None => {
                index.insert(entry.key.clone(), base.len());
                base.push(entry.clone());
            }
        }
    }
}

fn template(load: &Load, resolved: &Node, service: &str, stage: &str, region: &str, problems: &mut Vec<Problem>) -> Template {
    let section = |name: &str| {
        let found = resolved.get("resources").and_then(|r| r.get(name));
        found.cloned().unwrap_or_else(|| Node::new(resolved.at.clone(), Value::Null))
    };
    let mut declared = BTreeMap::new();
    for entry in section("Resources").entries() {
        if !matches!(entry.value.value, Value::Map(_)) {
            continue;
        }
        let Some(kind) = entry.value.get("Type").and_then(Node::as_text) else {
            if entry.value.entry("Type").is_none_or(|t| t.value.is_null()) {
                let message = format!("the resource `{}` has no `Type`", entry.key);
                problems.push(Problem::error(&entry.at, message).with_help("such as `Type: AWS::DynamoDB::Table`"));
            }
            continue;
        };
        let properties = entry.value.get("Properties").cloned().unwrap_or_else(|| Node::new(entry.at.clone(), Value::Map(vec![])));
        let condition = entry.value.get("Condition").and_then(|c| Some((c.as_text()?.to_string(), c.at.clone())));
        declared.insert(entry.key.clone(), intrinsics::Declared { kind: kind.to_string(), properties, condition, at: entry.at.clone() });
    }
    let functions = resolved.get("functions").map(|f| f.entries()).unwrap_or_default().iter().map(|f| {
        let name = f.value.get("name").and_then(Node::as_text).map_or_else(|| format!("{service}-{stage}-{}", f.key), str::to_string);
        (intrinsics::function_id(&f.key), name)
    });
    let variables = resolved.get("emu").and_then(|e| e.get("variables")).cloned();
    Template {
        service: service.to_string(),
        stage: stage.to_string(),
        region: region.to_string(),
        aws_url: load.aws_url.clone(),
        http_url: load.http_url.clone(),
        resources: declared,
        functions: functions.collect(),
        parameters: section("Parameters"),
        mappings: section("Mappings"),
        conditions: section("Conditions"),
        variables: variables.unwrap_or_else(|| Node::new(resolved.at.clone(), Value::Null)),
        problems: Default::default(),
        imports: Default::default(),
        names: Default::default(),
        truths: Default::default(),
        active: Default::default(),
    }
}

fn warn_remote(remote: &[(String, Position)], problems: &mut Vec<Problem>) {
    let Some((first, at)) = remote.first() else { return };
    let names: BTreeSet<&str> = remote.iter().map(|(name, _)| name.as_str()).collect();
    let shown = names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let key = first.trim_start_matches("${").trim_end_matches('}').split(',').next().unwrap_or_default().trim();
    let message = format!("only a deployed stack knows {shown}: empty here");
    problems.push(Problem::warning(at, message).with_help(format!("set a value: `emu.variables: {{ '{key}': value }}`")));
}

fn warn_imports(template: &Template, problems: &mut Vec<Problem>) {
    let imports = template.imports.borrow();
    let Some((first, at)) = imports.iter().next() else { return };
    let shown = imports.keys().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let help = format!("set a value: `emu.variables: {{ 'import:{first}': value }}`");
    problems.push(Problem::warning(at, format!("imported from other stacks, and without a value here: {shown}")).with_help(help));
}

/// One warning for everything that is valid but not emulated.
pub(super) fn warn_ignored(mut ignored: Vec<(String, Position)>, problems: &mut Vec<Problem>) {
    ignored.sort_by(|(_, a), (_, b)| (&a.file, a.line, a.column).cmp(&(&b.file, b.line, b.column)));
    let Some((_, at)) = ignored.first().cloned() else { return };
    let place = |p: &Position| if p.file == at.file { format!("line {}", p.line) } else { format!("{}:{}", p.file.display(), p.line) };
    let shown: Vec<String> = ignored.iter().map(|(path, p)| format!("`{path}` ({})", place(p))).collect();
    let message = format!("valid, but not emulated: {}", shown.join(", "));
    problems.push(Problem::warning(&at, message).with_help("emu goes on as if these were not there; a deployment still uses them"));
}
