//! Making versions: bundle or compile, evaluate, keep what went wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;

use super::answer::failure as failure_of;
use super::bundle::{BuildError, Built, Bundler, Recipe};
use super::cache::Cache;
use super::catalog::{Attempt, Version};
use super::door::{Door, World};
use super::firebase::{self, Codebases};
use super::program::{Component, Engine, Program};
use crate::base::Call;
use crate::project::firebase::{Codebase, NoSource};
use crate::project::{self, Function, Isolation, Position, Problem, Project, Runtime, Severity};
use crate::sandbox::{Bundle, Failure, Keep, LoadError};

/// How long a `build:` command may take.
const COMMAND_TIME_MAX: Duration = Duration::from_secs(600);
/// How much of what a failed command said is shown, in bytes.
const COMMAND_OUTPUT_MAX: usize = 16_384;
/// Memory that a codebase's functions may take.
const CODEBASE_MEMORY_MIB: u32 = 1_024;
/// Largest component that is read.
const COMPONENT_BYTES_MAX: u64 = 256 << 20;

/// Where functions run and what they see of it.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Twelve digits.
    pub account: String,
    /// Where the AWS services answer, e.g. `http://127.0.0.1:4566`.
    pub aws_url: String,
    /// What else tells functions where services are; the project's own variables win.
    pub variables: BTreeMap<String, String>,
    /// A folder for bundles that are kept between runs; none are where there is none.
    pub cache: Option<PathBuf>,
    /// Where evaluated versions are kept between runs; none are where there is none.
    pub versions: Option<Versions>,
}

/// Evaluated versions that are kept between runs: with the environment that they were evaluated in, and so only in the project's own folder,
/// and only where that environment is in there anyway.
#[derive(Clone)]
pub struct Versions {
    pub folder: PathBuf,
    /// Whether a function's environment says nothing but what the project's own files do.
    pub is_own: Arc<dyn Fn(&Function) -> bool + Send + Sync>,
}

impl std::fmt::Debug for Versions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Versions").field(&self.folder).finish()
    }
}

impl Versions {
    fn file(&self, name: &str) -> PathBuf {
        // Names may have any characters.
        self.folder.join(hex::encode(&blake3::hash(name.as_bytes()).as_bytes()[..16])).with_extension("version")
    }

    /// When a version of the function of this name was last kept or taken.
    pub(super) fn used(&self, name: &str) -> Option<SystemTime> {
        std::fs::metadata(self.file(name)).ok()?.modified().ok()
    }

    fn keep(&self, name: &str, may: impl Fn() -> bool + Send + Sync + 'static) -> Keep {
        Keep { file: self.file(name), may: Arc::new(may) }
    }

    fn keep_function(&self, function: &Function) -> Keep {
        let (is_own, function) = (Arc::clone(&self.is_own), function.clone());
        self.keep(&function.name.clone(), move || is_own(&function))
    }
}

pub(super) struct Maker {
    bundler: Bundler,
    engine: Arc<dyn Engine>,
    versions: AtomicU64,
    cache: Option<Arc<Cache>>,
    codebases: Codebases,
}

impl Maker {
    pub fn new(engine: Arc<dyn Engine>, surroundings: &Surroundings) -> std::io::Result<Maker> {
        let cache = surroundings.cache.clone().map(|folder| Arc::new(Cache::new(folder)));
        Ok(Maker { bundler: Bundler::new()?, engine, versions: AtomicU64::new(0), cache, codebases: Codebases::default() })
    }

    /// A bundle of an earlier run, or a new one.
    async fn bundle(&self, project: &Project, function: &Function, recipe: Recipe) -> Result<Built, BuildError> {
        let Some(cache) = self.cache.clone() else { return self.bundler.build(&project.root, function, &recipe).await };
        let (root, looked_for) = (project.root.clone(), function.clone());
        let (at_hand, has_firebase) = (cache.clone(), recipe.has_firebase);
        if let Ok(Some(kept)) = tokio::task::spawn_blocking(move || at_hand.get(&root, &looked_for, has_firebase)).await {
            return Ok(kept);
        }
        let began = SystemTime::now();
        let built = self.bundler.build(&project.root, function, &recipe).await?;
        let (root, function, keep) = (project.root.clone(), function.clone(), built.clone());
        // Nobody waits for it.
        tokio::task::spawn_blocking(move || cache.put(&root, &function, has_firebase, &keep, began));
        Ok(built)
    }

    /// Builds and loads one function.
    pub async fn make(&self, project: &Project, function: &Function, surroundings: &Surroundings, world: &World) -> Attempt {
        if let Some(endpoint) = &function.firebase {
            return self.codebases.attempt(function, &endpoint.codebase, |good| Version {
                number: self.versions.fetch_add(1, Ordering::Relaxed) + 1,
                function: Arc::new(function.clone()),
                program: Arc::clone(&good.program),
                built_at: world.clock.now(),
                bytes: good.bytes,
                bundle_micros: good.bundle_micros,
                load_micros: good.load_micros,
            });
        }
        let environment = environment(project, function, surroundings);
        let began = Instant::now();
        let (inputs, commanded, program, bundle_micros, bytes, warnings) = match function.runtime {
            Runtime::JavaScript => {
                let built = match self.bundle(project, function, recipe(project)).await {
                    Ok(built) => built,
                    Err(BuildError { problems, inputs }) => return Attempt { inputs, commanded: None, result: Err(problems) },
                };
                let bundle_micros = began.elapsed().as_micros() as u64;
                let (inputs, bytes, warnings) = (built.inputs.clone(), built.bytes, built.warnings.clone());
                let keep = surroundings.versions.as_ref().map(|versions| versions.keep_function(function));
                let bundle = Bundle { keep, ..bundle(project, function, built, environment) };
                let program = self.engine.load(bundle, door(world, function)).await;
                (inputs, None, program, bundle_micros, bytes, warnings)
            }
            Runtime::Wasm => {
                let file = project.root.join(&function.handler);
                let inputs = BTreeSet::from([file.clone()]);
                let made = component(project, function, &file, environment).await;
                let commanded = function.build.as_ref().map(|_| SystemTime::now());
                let component = match made {
                    Ok(component) => component,
                    Err(problem) => return Attempt { inputs, commanded, result: Err(vec![problem]) },
                };
                let bytes = component.bytes.len();
                let bundle_micros = began.elapsed().as_micros() as u64;
                (inputs, commanded, self.engine.component(component).await, bundle_micros, bytes, Vec::new())
            }
        };
        let load_micros = (began.elapsed().as_micros() as u64).saturating_sub(bundle_micros);
        let result = program.map_err(|error| vec![load_problem(project, function, &error)]);
        let version = |program: Arc<dyn Program>| Version {
            number: self.versions.fetch_add(1, Ordering::Relaxed) + 1,
            function: Arc::new(function.clone()),
            program,
            built_at: world.clock.now(),
            bytes,
            bundle_micros,
            load_micros,
        };
        Attempt { inputs, commanded, result: result.map(|program| (Some(version(program)), warnings)) }
    }

    pub fn codebases(&self) -> &Codebases {
        &self.codebases
    }

    /// Builds a codebase and asks it what it exports.
    pub async fn make_codebase(
        &self,
        project: &Project,
        codebase: &Codebase,
        surroundings: &Surroundings,
        world: &World,
    ) -> firebase::Outcome {
        let (project_id, alias) =
            project.firebase.as_ref().map_or(("", None), |firebase| (&*firebase.project_id, firebase.alias.as_deref()));
        let source = match codebase.source(&project.root, project_id, alias) {
            Ok(source) => source,
            Err(NoSource { problems, inputs }) => return firebase::Outcome { inputs, problems, good: None },
        };
        let began = Instant::now();
        let root = std::fs::canonicalize(&project.root).unwrap_or_else(|_| project.root.clone());
        let handler = source.file.strip_prefix(&root).unwrap_or(&source.file).display().to_string();
        let common = &surroundings.variables;
        let whole = Function {
            name: format!("codebase {}", codebase.name),
            environment: firebase::environment(&source, common),
            handler: handler.clone(),
            at: project::firebase::top(&source.file),
            ..codebase_function()
        };
        let recipe = Recipe { codebase: Some(source.file.clone()), ..recipe(project) };
        let built = match self.bundle(project, &whole, recipe).await {
            Ok(built) => built,
            Err(BuildError { problems, inputs }) => {
                let inputs = source.inputs.into_iter().chain(inputs).collect();
                return firebase::Outcome { inputs, problems, good: None };
            }
        };
        let bundle_micros = began.elapsed().as_micros() as u64;
        let inputs: BTreeSet<PathBuf> = source.inputs.iter().chain(&built.inputs).cloned().collect();
        let mut problems: Vec<Problem> = source.warnings.iter().chain(&built.warnings).cloned().collect();
        let (bytes, environment) = (built.bytes, whole.environment.clone());
        // Its environment is what its own files say.
        let is_inside = source.file.starts_with(&root);
        let keep = surroundings.versions.as_ref().map(|versions| versions.keep(&whole.name, move || is_inside));
        let bundle = Bundle { keep, ..bundle(project, &whole, built, environment) };
        let loaded = self.engine.load(bundle, door(world, &whole)).await;
        let program = match loaded {
            Ok(program) => program,
            Err(error) => {
                problems.push(load_problem(project, &whole, &error));
                return firebase::Outcome { inputs, problems, good: None };
            }
        };
        let about = firebase::About { codebase, source: &source, handler };
        let good = match firebase::discover(&program, door(world, &whole), &about).await {
            Ok(read) => {
                problems.extend(read.problems);
                let load_micros = (began.elapsed().as_micros() as u64).saturating_sub(bundle_micros);
                Some(firebase::Good { program, functions: read.functions, bytes, bundle_micros, load_micros })
            }
            Err(failure) => {
                problems.push(discovery_problem(project, &whole, &failure));
                None
            }
        };
        firebase::Outcome { inputs, problems, good }
    }

    /// Looks a function of JavaScript through without loading it: bundles it, and evaluates what it depends on, both kept for when it is
    /// loaded.
    pub async fn check(&self, project: &Project, function: &Function, surroundings: &Surroundings, world: &World) -> Attempt {
        if function.firebase.is_some() {
            // Its codebase was built to learn of it.
            let attempt = self.make(project, function, surroundings, world).await;
            return Attempt { result: attempt.result.map(|(_, warnings)| (None, warnings)), ..attempt };
        }
        if let Some(cache) = self.cache.clone() {
            let (root, function, has_firebase) = (project.root.clone(), function.clone(), recipe(project).has_firebase);
            if let Ok(Some(kept)) = tokio::task::spawn_blocking(move || cache.look(&root, &function, has_firebase)).await
                && self.engine.is_prepared(&kept.dependencies)
            {
                return Attempt { inputs: kept.inputs, commanded: None, result: Ok((None, Vec::new())) };
            }
        }
        match self.bundle(project, function, recipe(project)).await {
            Ok(built) => {
                let (inputs, warnings) = (built.inputs.clone(), built.warnings.clone());
                let environment = environment(project, function, surroundings);
                self.engine.prepare(bundle(project, function, built, environment), door(world, function)).await;
                Attempt { inputs, commanded: None, result: Ok((None, warnings)) }
            }
            Err(BuildError { problems, inputs }) => Attempt { inputs, commanded: None, result: Err(problems) },
        }
    }
}

/// What a codebase is while nobody knows its functions: code without a trigger. Its bound on memory is all its functions'.
fn codebase_function() -> Function {
    Function { memory_mib: CODEBASE_MEMORY_MIB, ..Function::new("", String::new(), "") }
}

/// How a function of the project is bundled.
fn recipe(project: &Project) -> Recipe {
    Recipe { codebase: None, has_firebase: project.firebase.as_ref().is_some_and(|firebase| !firebase.installed_modules) }
}

/// The door of a function's top level.
fn door(world: &World, function: &Function) -> Arc<Door> {
    Arc::new(Door::new(world, Call::operator(), "load".into(), function.name.as_str().into()))
}

fn bundle(project: &Project, function: &Function, built: Built, environment: BTreeMap<String, String>) -> Bundle {
    Bundle {
        name: function.name.clone(),
        modules: built.modules,
        entry: built.entry,
        export: built.export,
        environment,
        memory_mib: function.memory_mib,
        isolation_warm: project.settings.isolation == Isolation::Warm,
        keep: None,
    }
}

/// `process.env`, all of it: what Lambda sets, and then what the project sets (developer guide, "Using Lambda environment variables").
fn environment(project: &Project, function: &Function, surroundings: &Surroundings) -> BTreeMap<String, String> {
    let memory = function.memory_mib.to_string();
    let log_group = format!("/aws/lambda/{}", function.deployed_name);
    let given = [
        ("_HANDLER", function.handler.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_DEFAULT_REGION", &project.region),
        ("AWS_ENDPOINT_URL", &surroundings.aws_url),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_nodejs22.x"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", &memory),
        ("AWS_LAMBDA_FUNCTION_NAME", &function.deployed_name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", &log_group),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "emu"),
        ("AWS_REGION", &project.region),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("EMU", "1"),
        ("IS_OFFLINE", "true"),
        ("LAMBDA_TASK_ROOT", "/var/task"),
        ("LANG", "en_US.UTF-8"),
        ("TZ", "UTC"),
    ];
    let mut environment: BTreeMap<String, String> = given.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    environment.extend(surroundings.variables.iter().map(|(name, value)| (name.clone(), value.clone())));
    environment.extend(function.environment.iter().map(|(name, value)| (name.clone(), value.clone())));
    environment
}

async fn component(
    project: &Project,
    function: &Function,
    file: &Path,
    environment: BTreeMap<String, String>,
) -> Result<Component, Problem> {
    let problem =
        |message: String, help: Option<String>| Problem { severity: Severity::Error, message, help, at: Some(function.at.clone()) };
    if let Some(command) = &function.build {
        run(command, &project.root).await.map_err(|(message, output)| {
            problem(format!("function `{}`: `{command}` {message}", function.name), (!output.is_empty()).then_some(output))
        })?;
    }
    let missing = |error: std::io::Error| {
        let help = match function.build {
            Some(_) => "its `build:` command went through and did not make it".to_string(),
            None => "build it, or let emu build it with `build: COMMAND`".to_string(),
        };
        problem(format!("function `{}`: cannot read component {}: {error}", function.name, function.handler), Some(help))
    };
    let length = tokio::fs::metadata(file).await.map_err(missing)?.len();
    if length > COMPONENT_BYTES_MAX {
        return Err(problem(format!("function `{}`: component {} is larger than 256 MiB", function.name, function.handler), None));
    }
    let bytes = tokio::fs::read(file).await.map_err(missing)?;
    Ok(Component { name: function.name.clone(), bytes: Bytes::from(bytes), environment, memory_mib: function.memory_mib })
}

/// Runs a command in the project's folder. Gives what happened and the end of what it said, where it failed.
async fn run(command: &str, folder: &Path) -> Result<(), (String, String)> {
    let child = tokio::process::Command::new("sh")
        .arg("-c")
        .arg(command)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(COMMAND_TIME_MAX, child).await {
        Err(_) => Err((format!("took more than {} seconds", COMMAND_TIME_MAX.as_secs()), String::new())),
        Ok(Err(error)) => Err((format!("could not be started: {error}"), String::new())),
        Ok(Ok(output)) if output.status.success() => Ok(()),
        Ok(Ok(output)) => {
            let all = [output.stdout, output.stderr].concat();
            let end = &all[all.len().saturating_sub(COMMAND_OUTPUT_MAX)..];
            Err((format!("failed ({})", output.status), String::from_utf8_lossy(end).trim().to_string()))
        }
    }
}

/// What is wrong with code that does not load, at the place its stack names.
fn load_problem(project: &Project, function: &Function, error: &LoadError) -> Problem {
    let (message, help, at) = match error {
        LoadError::Thrown { stack, .. } => {
            let trace: Vec<&str> = stack.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect();
            (error.to_string(), (!trace.is_empty()).then(|| trace.join("\n")), stack.iter().find_map(|line| place(&project.root, line)))
        }
        other => (other.to_string(), None, None),
    };
    Problem {
        severity: Severity::Error,
        message: format!("function `{}` does not load: {message}", function.name),
        help,
        at: Some(at.unwrap_or_else(|| function.at.clone())),
    }
}

/// What is wrong with code that cannot say what it exports.
fn discovery_problem(project: &Project, function: &Function, failure: &Failure) -> Problem {
    let stack = match failure {
        Failure::Thrown { stack, .. } => stack.as_slice(),
        _ => &[],
    };
    let (_, error) = failure_of(failure, "discovery");
    Problem {
        severity: Severity::Error,
        message: format!("{} does not say what it exports: {}: {}", function.name, error.kind, error.message),
        help: None,
        at: Some(stack.iter().find_map(|line| place(&project.root, line)).unwrap_or_else(|| function.at.clone())),
    }
}

/// The place that a line of a stack names, if it is a file of the project: `    at f (src/a.ts:3:14)`.
fn place(root: &Path, line: &str) -> Option<Position> {
    let text = line.trim().trim_end_matches(')');
    let text = text.rsplit_once(['(', ' ']).map_or(text, |(_, text)| text);
    let (rest, column) = text.rsplit_once(':')?;
    let (file, row) = rest.rsplit_once(':')?;
    let (line, column) = (row.parse().ok()?, column.parse().ok()?);
    let file: PathBuf = root.join(file);
    file.is_file().then_some(Position { file, line, column })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing;

    #[test]
    fn the_environment_is_what_lambda_sets_and_then_what_the_project_sets() {
        let mut function = testing::function("a", "src/a.handler");
        function.environment.insert("TZ".into(), "Europe/Berlin".into());
        let surroundings = Surroundings {
            account: "000000000000".into(),
            aws_url: "http://127.0.0.1:4566".into(),
            variables: BTreeMap::new(),
            cache: None,
            versions: None,
        };
        let environment = environment(&testing::project(), &function, &surroundings);
        for (name, expected) in [
            ("AWS_LAMBDA_FUNCTION_NAME", Some("shop-dev-a")),
            ("AWS_ENDPOINT_URL", Some("http://127.0.0.1:4566")),
            ("AWS_REGION", Some("eu-central-1")),
            ("TZ", Some("Europe/Berlin")),
            ("NODE_ENV", None),
            ("PATH", None),
            ("HOME", None),
        ] {
            assert_eq!(environment.get(name).map(String::as_str), expected, "{name}");
        }
    }

    #[tokio::test]
    async fn a_command_that_fails_shows_what_it_said() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(run("echo made > out", folder.path()).await, Ok(()));
        assert!(folder.path().join("out").is_file());
        assert_eq!(run("echo broken >&2; exit 3", folder.path()).await, Err(("failed (exit status: 3)".into(), "broken".into())));
    }

    #[test]
    fn a_stack_names_a_place_of_the_project() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("a.ts"), "").expect("a file");
        let at = |line: &str| place(folder.path(), line).map(|at| (at.line, at.column));
        assert_eq!(at("    at f (a.ts:3:14)"), Some((3, 14)));
        assert_eq!(at("    at a.ts:3:14"), Some((3, 14)));
        assert_eq!(at("    at g (gone.ts:3:14)"), None);
        assert_eq!(at("TypeError: x"), None);
    }
}
