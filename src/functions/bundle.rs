//! From a handler in the project to modules that a sandbox evaluates: TypeScript and JSX stripped, ES modules and CommonJS resolved as
//! Node resolves them, everything from `node_modules` in a module of its own that a save does not change.

mod diagnose;
mod handler;
mod layer;
mod modern;
mod wrapped;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use rolldown::plugin::__inner::SharedPluginable;
use rolldown::{
    BundlerOptions, BundlerTransformOptions, ChunkFilenamesOutputOption, CodeSplittingMode, Either, InputItem, IsExternal, LogLevel,
    ManualCodeSplittingOptions, MatchGroup, MatchGroupName, MatchGroupTest, ModuleType, OutputFormat, Platform, SourceMapType,
};
use rolldown_common::{Output, OutputChunk};
use tokio::sync::Semaphore;

use crate::project::{Function, Position, Problem, Severity};
use crate::sandbox::Module;

/// Packages with native code or long loops: the sandbox has its own of the same surface, installed or not.
pub const REPLACED: [&str; 4] = ["argon2", "bcrypt", "bcryptjs", "sharp"];

/// Firebase's packages for servers, with all that is inside them, and the one that comes with them and whose gRPC cannot run inside.
fn is_firebase(specifier: &str) -> bool {
    let package = specifier.split('/').next().unwrap_or_default();
    matches!(package, "firebase-admin" | "firebase-functions") || specifier == "@google-cloud/firestore"
}

/// Packages that are part of the runtime, as in the cloud, where the project has not installed them.
fn is_in_runtime(package: &str) -> bool {
    matches!(package, "aws-sdk" | "firebase-admin" | "@google-cloud/firestore") || package.starts_with("@aws-sdk/")
}

const ENTRY: &str = "index.mjs";
const SHIM: &str = "entry.mjs";
const VENDOR: &str = "vendor";

/// Files that are taken as text where they are imported.
const TEXT: [&str; 20] = [
    ".txt",
    ".md",
    ".sql",
    ".html",
    ".htm",
    ".css",
    ".graphql",
    ".gql",
    ".pem",
    ".crt",
    ".key",
    ".csv",
    ".xml",
    ".svg",
    ".hbs",
    ".mustache",
    ".ejs",
    ".tpl",
    ".yml",
    ".yaml",
];

/// A function's code, ready to be loaded.
#[derive(Clone, Debug)]
pub struct Built {
    /// Dependencies before those that import them; paths like `index.mjs`.
    pub modules: Vec<Module>,
    /// The path of the module that has the handler.
    pub entry: String,
    /// The name that it exports the handler under.
    pub export: String,
    /// Every file that was read: a change of one means to build again.
    pub inputs: BTreeSet<PathBuf>,
    /// The length of all modules.
    pub bytes: usize,
    pub warnings: Vec<Problem>,
}

/// Why a function has no new version.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{}", .problems.iter().map(|problem| problem.message.as_str()).collect::<Vec<_>>().join("\n"))]
pub struct BuildError {
    /// In the order they were found; at least one.
    pub problems: Vec<Problem>,
    /// Every file that was read before it failed.
    pub inputs: BTreeSet<PathBuf>,
}

impl BuildError {
    fn new(message: impl Into<String>, help: Option<String>, at: &Position) -> BuildError {
        let problem = Problem { severity: Severity::Error, message: message.into(), help, at: Some(at.clone()) };
        BuildError { problems: vec![problem], inputs: BTreeSet::new() }
    }
}

/// What is bundled, and against what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    /// The file whose exports are functions of Firebase; none where the function's handler is all that is wanted.
    pub codebase: Option<PathBuf>,
    /// Whether the sandbox's own `firebase-admin` and `firebase-functions` are used, installed or not.
    pub has_firebase: bool,
}

/// Builds functions, on threads of its own, as many at a time as there are cores. Cheap to clone.
#[derive(Clone)]
pub struct Bundler {
    threads: Arc<Threads>,
    places: Arc<Semaphore>,
    layers: layer::Layers,
}

/// A runtime that can be let go of anywhere, also inside another one.
struct Threads(Option<tokio::runtime::Runtime>);

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Bundler {
    /// Starts the threads. Fails where the system gives none.
    pub fn new() -> std::io::Result<Bundler> {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(cores).thread_name("emu-bundle").build()?;
        Ok(Bundler { threads: Arc::new(Threads(Some(runtime))), places: Arc::new(Semaphore::new(cores)), layers: layer::Layers::default() })
    }

    /// Builds a function of the project in `root`.
    pub async fn build(&self, root: &Path, function: &Function, recipe: &Recipe) -> Result<Built, BuildError> {
        let _place = self.places.acquire().await.expect("the semaphore is never closed");
        let job = Job { root: root.to_path_buf(), function: function.clone(), recipe: recipe.clone(), layers: self.layers.clone() };
        let runtime = self.threads.0.as_ref().expect("the threads run until the bundler is dropped");
        match runtime.spawn(job.run()).await {
            Ok(result) => result,
            Err(died) => Err(BuildError::new(
                format!("the bundler broke down while it built `{}`: {died}", function.name),
                Some("this is a bug in emu; the source that causes it would help to find it".to_string()),
                &function.at,
            )),
        }
    }
}

struct Job {
    root: PathBuf,
    function: Function,
    recipe: Recipe,
    layers: layer::Layers,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// The project's own code only.
    Own,
    /// Dependencies in a module of their own.
    Layered,
    /// One module, in exactly the order that Node would evaluate the files.
    Whole,
}

impl Job {
    async fn run(self) -> Result<Built, BuildError> {
        let handler = match &self.recipe.codebase {
            Some(file) => handler::Handler { file: file.clone(), path: Vec::new() },
            None => handler::find(&self.root, &self.function)?,
        };
        if let Some((pieces, inputs)) = self.quick(&handler.file).await? {
            return self.assemble(&handler, pieces, inputs);
        }
        let (output, mut inputs) = self.bundle(&handler.file, Layout::Layered, vec![]).await?;
        let output = if needs_source_order(&output, &inputs) {
            let (whole, again) = self.bundle(&handler.file, Layout::Whole, vec![]).await?;
            inputs.extend(again);
            whole
        } else {
            output
        };
        self.assemble(&handler, output, inputs)
    }

    /// Builds the project's own code, and dependencies only where they are not at hand. `None`: it has to go the long way.
    async fn quick(&self, entry: &Path) -> Result<Option<(Pieces, BTreeSet<PathBuf>)>, BuildError> {
        let seen = Arc::new(Mutex::new(layer::Seen::default()));
        let (mut pieces, mut inputs) = self.bundle(entry, Layout::Own, vec![Arc::new(layer::Border(Arc::clone(&seen)))]).await?;
        if inputs.iter().filter_map(|file| std::fs::read_to_string(file).ok()).any(|source| changes_globals(&source)) {
            return Ok(None);
        }
        let mut needs = layer::Needs::default();
        for chunk in &mut pieces.chunks {
            let redirected = layer::redirect(&chunk.code, &seen.lock().expect("nobody panics with it"), &mut needs);
            let Some(code) = redirected else { return Ok(None) };
            Arc::make_mut(chunk).code = code;
        }
        if needs.is_empty() {
            return Ok(Some((pieces, inputs)));
        }
        let layer = match self.layers.get(&needs) {
            Some(layer) => layer,
            None => {
                let facade = layer::Facade::new(&self.root, &needs);
                let file = facade.id();
                // What is wrong with it is found and explained on the long way, which knows the imports' own places.
                let Ok((made, mut read)) = self.bundle(&file, Layout::Whole, vec![Arc::new(facade)]).await else { return Ok(None) };
                read.remove(&file);
                let [chunk] = &made.chunks[..] else { return Ok(None) };
                if read.iter().any(|file| !is_dependency(file)) {
                    return Ok(None);
                }
                let layer = Arc::new(layer::Layer::new(chunk.code.clone(), &read));
                self.layers.put(needs, Arc::clone(&layer));
                layer
            }
        };
        inputs.extend(layer.inputs().cloned());
        pieces.layer = Some(layer);
        Ok(Some((pieces, inputs)))
    }

    async fn bundle(
        &self,
        entry: &Path,
        layout: Layout,
        mut plugins: Vec<SharedPluginable>,
    ) -> Result<(Pieces, BTreeSet<PathBuf>), BuildError> {
        let options = options(&self.root, entry, layout, self.recipe.has_firebase);
        plugins.push(Arc::new(modern::Modern));
        plugins.push(Arc::new(wrapped::Wrapped));
        let mut bundler = rolldown::Bundler::with_plugins(options, plugins)
            .map_err(|errors| diagnose::errors(&self.root, errors.into_vec(), &self.function))?;
        let result = bundler.generate().await;
        let mut inputs: BTreeSet<PathBuf> =
            bundler.watch_files().iter().map(|file| PathBuf::from(file.as_str())).filter(|file| file.is_absolute()).collect();
        inputs.insert(entry.to_path_buf());
        let output = match result {
            Ok(output) => output,
            Err(errors) => {
                let error = diagnose::errors(&self.root, errors.into_vec(), &self.function);
                return Err(BuildError { inputs, ..error });
            }
        };
        let (errors, warnings) = diagnose::warnings(&self.root, output.warnings);
        if !errors.is_empty() {
            return Err(BuildError { problems: errors, inputs });
        }
        let chunks = output.assets.into_iter().filter_map(|asset| match asset {
            Output::Chunk(chunk) => Some(chunk),
            Output::Asset(_) => None,
        });
        Ok((Pieces { chunks: chunks.collect(), layer: None, warnings }, inputs))
    }

    fn assemble(&self, handler: &handler::Handler, pieces: Pieces, inputs: BTreeSet<PathBuf>) -> Result<Built, BuildError> {
        let exports: Vec<String> = pieces
            .chunks
            .iter()
            .filter(|chunk| chunk.is_entry)
            .flat_map(|chunk| chunk.exports.iter().map(|name| name.to_string()))
            .collect();
        let is_codebase = self.recipe.codebase.is_some();
        let direct = handler.path.len() == 1 && exports.contains(&handler.path[0]);
        let has_default = exports.iter().any(|name| name == "default");
        if !is_codebase && !direct && !has_default && !exports.contains(&handler.path[0]) {
            let file = handler.file.strip_prefix(&self.root).unwrap_or(&handler.file).display();
            let found = if exports.is_empty() { "nothing".to_string() } else { exports.join(", ") };
            let help = strsim_best(&handler.path[0], &exports).map(|near| format!("did you mean `{near}`?"));
            let problem = Problem {
                severity: Severity::Error,
                message: format!(
                    "function `{}`: {file} does not export `{}`; it exports {found}",
                    self.function.name,
                    handler.path.join(".")
                ),
                help,
                at: Some(self.function.at.clone()),
            };
            return Err(BuildError { problems: vec![problem], inputs });
        }
        let dependencies = pieces.layer.as_ref().map(|layer| layer.module.clone());
        let mut modules: Vec<Module> = dependencies
            .into_iter()
            .chain(pieces.in_order().into_iter().map(|chunk| {
                let (path, mut code) = (chunk.filename.to_string(), chunk.code.clone());
                if is_stable(&chunk) {
                    // Frames inside dependencies stay as they are: their maps would be most of the memory of a version.
                    code.push_str(&pieces.eager_calls(&chunk));
                    Module::dependencies(path, code)
                } else {
                    Module::own(path, code, chunk.map.as_ref().map(|map| map.to_json_string()))
                }
            }))
            .collect();
        let (entry, export) = if is_codebase {
            modules.push(Module::own(SHIM, handler::codebase_shim(ENTRY), None));
            (SHIM.to_string(), "handler".to_string())
        } else if direct {
            (ENTRY.to_string(), handler.path[0].clone())
        } else {
            modules.push(Module::own(SHIM, handler.shim(ENTRY, has_default), None));
            (SHIM.to_string(), "handler".to_string())
        };
        let bytes = modules.iter().map(|module| module.code.len()).sum();
        Ok(Built { modules, entry, export, inputs, bytes, warnings: pieces.warnings })
    }
}

/// What a build makes, before it is put in order.
struct Pieces {
    chunks: Vec<Arc<OutputChunk>>,
    /// Dependencies that are not among the chunks.
    layer: Option<Arc<layer::Layer>>,
    warnings: Vec<Problem>,
}

impl Pieces {
    /// CommonJS is evaluated when it is first required. What the project's own modules require while they are evaluated is required at the
    /// end of the dependencies already, so that it is part of their layer and not of every save's work.
    fn eager_calls(&self, dependencies: &OutputChunk) -> String {
        let own = self.chunks.iter().filter(|chunk| !is_stable(chunk) && !chunk.is_dynamic_entry);
        let mut calls = String::new();
        for row in own.flat_map(|chunk| chunk.code.lines()) {
            for name in dependencies.exports.iter().filter(|name| name.starts_with("require_")) {
                let call = format!("{name}()");
                let at_top = row.starts_with(&call) || row.starts_with("var ") || row.starts_with("const ");
                if at_top
                    && (row.ends_with(&format!("__toESM({call});"))
                        || row.ends_with(&format!("__toESM({call}, 1);"))
                        || row == format!("{call};"))
                {
                    calls.push_str(&call);
                    calls.push_str(";\n");
                }
            }
        }
        calls
    }

    /// Those that import nothing first.
    fn in_order(&self) -> Vec<Arc<OutputChunk>> {
        let mut left: Vec<&Arc<OutputChunk>> = self.chunks.iter().collect();
        let mut ordered: Vec<Arc<OutputChunk>> = Vec::with_capacity(left.len());
        while !left.is_empty() {
            let ready = left
                .iter()
                .position(|chunk| {
                    !left.iter().any(|other| other.filename != chunk.filename && chunk.imports.iter().any(|name| *name == other.filename))
                })
                // In a circle there is no first: any order is as good.
                .unwrap_or(0);
            ordered.push(Arc::clone(left.remove(ready)));
        }
        ordered
    }
}

/// Whether a module holds dependencies and the bundler's helpers, and nothing of the project's own.
fn is_stable(chunk: &OutputChunk) -> bool {
    !chunk.is_entry && chunk.module_ids.iter().all(|id| is_foreign(id.as_str()))
}

/// The bundler's own modules have names that begin with a zero.
fn is_foreign(id: &str) -> bool {
    id.starts_with('\0') || is_dependency(Path::new(id))
}

fn is_dependency(file: &Path) -> bool {
    file.components().any(|part| part == Component::Normal("node_modules".as_ref()))
}

/// Whether the project's own code could notice that dependencies are evaluated before it: where it changes what all modules share at its
/// top level (globals, the environment, prototypes), or where a dependency imports the project's code.
fn needs_source_order(pieces: &Pieces, inputs: &BTreeSet<PathBuf>) -> bool {
    if !pieces.chunks.iter().any(|chunk| chunk.name.as_str() == VENDOR) {
        return false;
    }
    let own: Vec<_> = pieces.chunks.iter().filter(|chunk| !is_stable(chunk)).map(|chunk| &chunk.filename).collect();
    if pieces.chunks.iter().any(|chunk| is_stable(chunk) && chunk.imports.iter().any(|name| own.contains(&name))) {
        return true;
    }
    inputs
        .iter()
        .filter(|file| !is_dependency(file))
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .any(|source| changes_globals(&source))
}

/// A cheap look for assignments to `globalThis.x`, `global.x`, `process.env.X` and `X.prototype.y`. Taking too much for one costs time,
/// not correctness.
fn changes_globals(source: &str) -> bool {
    ["globalThis", "global", "process.env", ".prototype"].iter().any(|name| {
        source.match_indices(name).any(|(at, _)| {
            let rest = &source[at + name.len()..];
            let target =
                rest.trim_start_matches(|c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '$' | '[' | ']' | '\'' | '"' | '?'));
            if !rest.starts_with(['.', '[']) {
                return false;
            }
            let after = target.trim_start();
            let assigns = after.starts_with('=') && !after.starts_with("==") && !after.starts_with("=>");
            assigns || ["??=", "||=", "&&="].iter().any(|operator| after.starts_with(operator))
        })
    })
}

fn strsim_best<'a>(written: &str, known: &'a [String]) -> Option<&'a String> {
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(written, name), name))
        .filter(|(distance, name)| *distance <= (name.chars().count() / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

fn options(root: &Path, entry: &Path, layout: Layout, has_firebase: bool) -> BundlerOptions {
    let external: Arc<ExternalTest> = Arc::new(move |specifier, _, is_resolved| {
        let replaced = !is_resolved && (REPLACED.contains(&specifier) || (has_firebase && is_firebase(specifier)));
        Box::pin(async move { Ok(replaced) })
    });
    let vendor = MatchGroup {
        name: MatchGroupName::Static(VENDOR.to_string()),
        test: Some(MatchGroupTest::Function(Arc::new(|id: &str| {
            let dependency = is_dependency(Path::new(id));
            Box::pin(async move { Ok(Some(dependency)) })
        }))),
        ..MatchGroup::default()
    };
    let code_splitting = match layout {
        Layout::Layered => {
            CodeSplittingMode::Advanced(ManualCodeSplittingOptions { groups: Some(vec![vendor]), ..ManualCodeSplittingOptions::default() })
        }
        Layout::Own => CodeSplittingMode::Bool(true),
        Layout::Whole => CodeSplittingMode::Bool(false),
    };
    let transform = BundlerTransformOptions { target: Some(Either::Left("es2023".to_string())), ..BundlerTransformOptions::default() };
    let define = [("__dirname", "\"/var/task\""), ("__filename", "\"/var/task/index.js\"")];
    BundlerOptions {
        input: Some(vec![InputItem { name: Some("index".to_string()), import: entry.to_string_lossy().into_owned() }]),
        cwd: Some(root.to_path_buf()),
        external: Some(IsExternal::Fn(Some(external))),
        platform: Some(Platform::Node),
        format: Some(OutputFormat::Esm),
        entry_filenames: Some(ChunkFilenamesOutputOption::String("[name].mjs".to_string())),
        chunk_filenames: Some(ChunkFilenamesOutputOption::String("[name].mjs".to_string())),
        // Sources in the map are relative to this folder, and so to the project's.
        dir: Some(".".to_string()),
        sourcemap: Some(SourceMapType::Hidden),
        sourcemap_exclude_sources: Some(true),
        module_types: Some(TEXT.iter().map(|extension| (extension.to_string(), ModuleType::Text)).collect()),
        define: Some(define.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()),
        code_splitting: Some(code_splitting),
        transform: Some(transform),
        // Names that depend on each other's order would change the dependencies' module with the project's own code.
        minify_internal_exports: Some(false),
        log_level: Some(LogLevel::Silent),
        ..BundlerOptions::default()
    }
}

type ExternalTest =
    dyn Fn(&str, Option<&str>, bool) -> std::pin::Pin<Box<dyn Future<Output = anyhow::Result<bool>> + Send + 'static>> + Send + Sync;
