//! The quick way to build: the project's own files are bundled with every dependency left outside, and the dependencies, which a save does
//! not change, are bundled once for what the project imports of them.
//!
//! It is taken only where both parts together do what one bundle of everything would do; everything else goes the long way.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rolldown::plugin::{
    HookLoadArgs, HookLoadOutput, HookLoadReturn, HookResolveIdArgs, HookResolveIdOutput, HookResolveIdReturn, HookUsage, Plugin,
    PluginContext, PluginContextResolveOptions, SharedLoadPluginContext,
};
use rolldown_common::{ImportKind, ResolvedExternal};

use super::is_dependency;
use crate::sandbox::Module;

/// What the project's code calls a dependency between the two steps: this and a number.
const MARK: &str = "emu-dependency:";
/// The module of the dependencies.
pub(super) const VENDOR_FILE: &str = "vendor.mjs";
/// Layers that are kept; more projects and functions than this at once would be unusual.
const LAYERS_MAX: usize = 64;

/// What was seen while the project's own code was resolved.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Files of dependencies; their numbers are their positions.
    files: Vec<String>,
    /// Whether something other than an `import` statement reaches a dependency, or importers of both module formats do.
    is_mixed: bool,
    /// Whether the importers are what Node takes for ES modules, for which `module.exports` is the default export.
    is_node_esm: Option<bool>,
    formats: HashMap<PathBuf, bool>,
}

impl Seen {
    fn note(&mut self, file: &str, importer: &Path, kind: ImportKind) -> usize {
        let is_esm = self.is_esm(importer);
        self.is_mixed |= !matches!(kind, ImportKind::Import) || *self.is_node_esm.get_or_insert(is_esm) != is_esm;
        self.files.iter().position(|known| known == file).unwrap_or_else(|| {
            self.files.push(file.to_string());
            self.files.len() - 1
        })
    }

    /// Node's rule: by the extension, or by `type` in the nearest `package.json`.
    fn is_esm(&mut self, importer: &Path) -> bool {
        match importer.extension().and_then(|extension| extension.to_str()) {
            Some("mjs" | "mts") => return true,
            Some("cjs" | "cts") => return false,
            _ => {}
        }
        let folder = importer.parent().unwrap_or(importer);
        if let Some(known) = self.formats.get(folder) {
            return *known;
        }
        let manifest = folder.ancestors().find_map(|folder| std::fs::read(folder.join("package.json")).ok());
        let is_module = manifest
            .and_then(|bytes| serde_json::from_slice::<serde_json::Value>(&bytes).ok())
            .is_some_and(|manifest| manifest.get("type").and_then(|kind| kind.as_str()) == Some("module"));
        self.formats.insert(folder.to_path_buf(), is_module);
        is_module
    }
}

/// Leaves dependencies outside, by number.
#[derive(Debug)]
pub(super) struct Border(pub Arc<Mutex<Seen>>);

impl Plugin for Border {
    fn name(&self) -> Cow<'static, str> {
        "emu:border".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId
    }

    async fn resolve_id(&self, context: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        let (Some(importer), false) = (args.importer, args.is_entry || args.specifier.starts_with(['.', '/', '\0'])) else {
            return Ok(None);
        };
        let options = PluginContextResolveOptions { import_kind: args.kind, ..PluginContextResolveOptions::default() };
        let Ok(resolved) = context.resolve(args.specifier, args.importer, Some(options)).await? else { return Ok(None) };
        let file = resolved.id.as_str();
        if !matches!(resolved.external, ResolvedExternal::Bool(false)) || !is_dependency(Path::new(file)) {
            return Ok(None);
        }
        let number = self.0.lock().expect("nobody panics with it").note(file, Path::new(importer), args.kind);
        let external = Some(ResolvedExternal::Bool(true));
        Ok(Some(HookResolveIdOutput { external, ..HookResolveIdOutput::from_id(format!("{MARK}{number}")) }))
    }
}

/// What the project takes of its dependencies, in the order it takes it. Equal needs have equal layers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Needs {
    files: Vec<(String, BTreeSet<String>)>,
    is_node_esm: bool,
}

/// The name in [`Needs`] for all of a module.
const NAMESPACE: &str = "*";

impl Needs {
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    fn number(&mut self, file: &str) -> usize {
        self.files.iter().position(|(known, _)| known == file).unwrap_or_else(|| {
            self.files.push((file.to_string(), BTreeSet::new()));
            self.files.len() - 1
        })
    }

    /// The name under which the layer exports `name` of a file.
    fn take(&mut self, file: &str, name: &str) -> String {
        let number = self.number(file);
        self.files[number].1.insert(name.to_string());
        if name == NAMESPACE { format!("d{number}$all") } else { format!("d{number}_{name}") }
    }

    /// A module that exports everything that is needed.
    fn facade(&self) -> String {
        let mut code = String::new();
        for (number, (file, names)) in self.files.iter().enumerate() {
            let file = serde_json::to_string(file).expect("a string is JSON");
            if names.contains(NAMESPACE) {
                code.push_str(&format!("import * as d{number}$all from {file};\nexport {{ d{number}$all }};\n"));
            }
            let named: Vec<String> =
                names.iter().filter(|name| *name != NAMESPACE).map(|name| format!("{name} as d{number}_{name}")).collect();
            if !named.is_empty() {
                code.push_str(&format!("export {{ {} }} from {file};\n", named.join(", ")));
            } else if names.is_empty() {
                code.push_str(&format!("import {file};\n"));
            }
        }
        code
    }
}

/// Points the imports of dependencies in a bundle at the layer, and notes what they take. `None` where an import is of a form that cannot
/// be pointed elsewhere by changing its line.
pub(super) fn redirect(code: &str, seen: &Seen, needs: &mut Needs) -> Option<String> {
    if seen.is_mixed {
        return None;
    }
    needs.is_node_esm = seen.is_node_esm.unwrap_or_default();
    let mark = format!("\"{MARK}");
    let mut out = String::with_capacity(code.len());
    for row in code.split_inclusive('\n') {
        let Some((head, tail)) = row.split_once(&mark) else {
            out.push_str(row);
            continue;
        };
        let (number, end) = tail.split_once('"')?;
        let file = seen.files.get(number.parse::<usize>().ok()?)?;
        if end.trim_end() != ";" {
            return None;
        }
        let clause = head.strip_prefix("import ")?.trim_end();
        let Some(clause) = clause.strip_suffix("from") else {
            if !clause.is_empty() {
                return None;
            }
            needs.number(file);
            out.push_str(&format!("import \"./{VENDOR_FILE}\";\n"));
            continue;
        };
        out.push_str(&format!("import {{ {} }} from \"./{VENDOR_FILE}\";\n", bindings(clause.trim(), file, needs)?.join(", ")));
    }
    Some(out)
}

/// `a, { b as c }`, `* as d` as bindings to the layer's exports.
fn bindings(clause: &str, file: &str, needs: &mut Needs) -> Option<Vec<String>> {
    let (default, rest) = match clause.find(['{', '*']) {
        Some(at) => (clause[..at].trim().trim_end_matches(',').trim(), clause[at..].trim()),
        None => (clause, ""),
    };
    let mut found = Vec::new();
    let mut bind = |name: &str, local: &str| {
        let known = is_identifier(name) && is_identifier(local);
        known.then(|| found.push(format!("{} as {local}", needs.take(file, name))))
    };
    if !default.is_empty() {
        bind("default", default)?;
    }
    if let Some(local) = rest.strip_prefix("* as ") {
        let exported = needs.take(file, NAMESPACE);
        if !is_identifier(local) {
            return None;
        }
        found.push(format!("{exported} as {local}"));
    } else if !rest.is_empty() {
        let names = rest.strip_prefix('{')?.strip_suffix('}')?;
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let (name, local) = name.split_once(" as ").unwrap_or((name, name));
            bind(name, local)?;
        }
    }
    Some(found)
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'))
}

/// Gives the bundler the facade as its entry.
#[derive(Debug)]
pub(super) struct Facade {
    id: String,
    code: String,
}

impl Facade {
    pub fn new(root: &Path, needs: &Needs) -> Facade {
        let extension = if needs.is_node_esm { "mjs" } else { "js" };
        Facade { id: root.join(format!("emu-dependencies.{extension}")).to_string_lossy().into_owned(), code: needs.facade() }
    }

    pub fn id(&self) -> PathBuf {
        PathBuf::from(&self.id)
    }
}

impl Plugin for Facade {
    fn name(&self) -> Cow<'static, str> {
        "emu:facade".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId | HookUsage::Load
    }

    async fn resolve_id(&self, _context: &PluginContext, args: &HookResolveIdArgs<'_>) -> HookResolveIdReturn {
        Ok((args.specifier == self.id).then(|| HookResolveIdOutput::from_id(self.id.as_str())))
    }

    async fn load(&self, _context: SharedLoadPluginContext, args: &HookLoadArgs<'_>) -> HookLoadReturn {
        Ok((args.id == self.id).then(|| HookLoadOutput { code: self.code.as_str().into(), ..HookLoadOutput::default() }))
    }
}

/// Dependencies, bundled.
#[derive(Debug)]
pub(super) struct Layer {
    pub module: Module,
    /// Each file that it was made of, as it was then.
    stamps: Vec<(PathBuf, Stamp)>,
}

type Stamp = Option<(u64, SystemTime)>;

fn stamp(file: &Path) -> Stamp {
    let data = std::fs::metadata(file).ok()?;
    Some((data.len(), data.modified().ok()?))
}

impl Layer {
    pub fn new(code: String, inputs: &BTreeSet<PathBuf>) -> Layer {
        Layer { module: Module::dependencies(VENDOR_FILE, code), stamps: inputs.iter().map(|file| (file.clone(), stamp(file))).collect() }
    }

    pub fn inputs(&self) -> impl Iterator<Item = &PathBuf> {
        self.stamps.iter().map(|(file, _)| file)
    }

    fn is_fresh(&self) -> bool {
        self.stamps.iter().all(|(file, then)| stamp(file) == *then)
    }
}

/// Layers that were made, by what is needed of them.
#[derive(Clone, Default)]
pub(super) struct Layers(Arc<Mutex<HashMap<Needs, Arc<Layer>>>>);

impl Layers {
    /// A layer whose files are still as they were.
    pub fn get(&self, needs: &Needs) -> Option<Arc<Layer>> {
        let layer = self.0.lock().expect("nobody panics with it").get(needs).cloned()?;
        layer.is_fresh().then_some(layer)
    }

    pub fn put(&self, needs: Needs, layer: Arc<Layer>) {
        let mut layers = self.0.lock().expect("nobody panics with it");
        if layers.len() >= LAYERS_MAX {
            layers.clear();
        }
        layers.insert(needs, layer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: &str) -> Option<(String, String)> {
        let seen = Seen { files: vec!["/n/a.js".into(), "/n/b.js".into()], ..Seen::default() };
        let mut needs = Needs::default();
        redirect(code, &seen, &mut needs).map(|code| (code, needs.facade()))
    }

    #[test]
    fn imports_of_dependencies_are_pointed_at_their_layer() {
        for (code, redirected, facade) in [
            ("import { x } from \"node:fs\";\n", "import { x } from \"node:fs\";\n", ""),
            (
                "import { z } from \"emu-dependency:0\";\n",
                "import { d0_z as z } from \"./vendor.mjs\";\n",
                "export { z as d0_z } from \"/n/a.js\";\n",
            ),
            (
                "import a, { b as c } from \"emu-dependency:1\";\n",
                "import { d0_default as a, d0_b as c } from \"./vendor.mjs\";\n",
                "export { b as d0_b, default as d0_default } from \"/n/b.js\";\n",
            ),
            (
                "import * as all from \"emu-dependency:0\";\nimport \"emu-dependency:1\";\n",
                "import { d0$all as all } from \"./vendor.mjs\";\nimport \"./vendor.mjs\";\n",
                "import * as d0$all from \"/n/a.js\";\nexport { d0$all };\nimport \"/n/b.js\";\n",
            ),
        ] {
            assert_eq!(check(code), Some((redirected.to_string(), facade.to_string())), "{code}");
        }
    }

    #[test]
    fn what_cannot_be_pointed_elsewhere_goes_the_long_way() {
        for code in [
            "export * from \"emu-dependency:0\";\n",
            "const x = import(\"emu-dependency:0\");\n",
            "import { \"a-b\" as c } from \"emu-dependency:0\";\n",
            "import { a } from \"emu-dependency:7\";\n",
            "import { a } from \"emu-dependency:0\" with { type: \"json\" };\n",
        ] {
            assert_eq!(check(code), None, "{code}");
        }
    }
}
