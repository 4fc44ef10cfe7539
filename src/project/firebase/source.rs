//! What a codebase is built of: the file that its `package.json` names, in TypeScript where that is built from it, and its variables.
//! Facts: "Configure your environment" (the order of `.env` files), "Use TypeScript for Cloud Functions".

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use super::Codebase;
use crate::project::load::read_text;
use crate::project::model::{Position, Problem};
use crate::project::yaml::Node;
use crate::project::{dotenv, json};

/// A codebase's own files, as they are now.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The file that exports the functions.
    pub file: PathBuf,
    /// Files that decide all this, whether they are there or not.
    pub inputs: BTreeSet<PathBuf>,
    /// Which major version of `firebase-functions` it is written for, where its `package.json` says.
    pub sdk_major: Option<u32>,
    /// What its `.env` files say.
    pub variables: BTreeMap<String, String>,
    /// What `.secret.local` says.
    pub secrets: BTreeMap<String, String>,
    /// What `.runtimeconfig.json` says, for `functions.config()`.
    pub runtime_config: Option<String>,
    pub warnings: Vec<Problem>,
}

/// A codebase that cannot be built.
#[derive(Clone, Debug, PartialEq)]
pub struct NoSource {
    pub problems: Vec<Problem>,
    /// Files that would change that.
    pub inputs: BTreeSet<PathBuf>,
}

/// Endings of sources, in the order in which they are looked for.
const TYPESCRIPT: [&str; 3] = ["ts", "mts", "cts"];
const JAVASCRIPT: [&str; 3] = ["js", "mjs", "cjs"];

impl Codebase {
    /// Reads what the codebase is built of.
    pub fn source(&self, root: &Path, project_id: &str, alias: Option<&str>) -> Result<Source, NoSource> {
        let mut reader = Reader { folder: root.join(&self.source), inputs: BTreeSet::new(), problems: Vec::new() };
        let read = reader.source(self, project_id, alias);
        let Reader { inputs, problems, .. } = reader;
        match read {
            Some(source) => Ok(Source { inputs, warnings: problems, ..source }),
            None => Err(NoSource { problems, inputs }),
        }
    }
}

struct Reader {
    folder: PathBuf,
    inputs: BTreeSet<PathBuf>,
    problems: Vec<Problem>,
}

impl Reader {
    fn source(&mut self, codebase: &Codebase, project_id: &str, alias: Option<&str>) -> Option<Source> {
        let manifest = self.folder.join("package.json");
        let Some(package) = self.json(&manifest) else {
            if self.problems.is_empty() {
                let message = format!("the codebase `{}` has no package.json in `{}`", codebase.name, codebase.source.display());
                let help = "`main` in it names the file that exports the functions";
                self.problems.push(Problem::error(&codebase.at, message).with_help(help));
            }
            return None;
        };
        let main = package.get("main").and_then(Node::as_text).unwrap_or("index.js").to_owned();
        let Some(file) = self.entry(&main) else {
            let at = package.get("main").map_or_else(|| package.at.clone(), |node| node.at.clone());
            let message = format!("there is no file `{main}`, and no TypeScript that it would be built from");
            self.problems.push(Problem::error(&at, message).with_help("`main` in package.json names the file that exports the functions"));
            return None;
        };
        let files = self.variable_files(project_id, alias);
        let variables = self.variables(&files);
        let secrets = self.variables(&[".secret.local".to_owned()]);
        let runtime_config = self.text(&self.folder.join(".runtimeconfig.json"));
        let sdk_major = ["dependencies", "devDependencies"]
            .iter()
            .find_map(|kind| package.get(kind)?.get("firebase-functions")?.as_text().and_then(major_version));
        Some(Source { file, inputs: BTreeSet::new(), sdk_major, variables, secrets, runtime_config, warnings: Vec::new() })
    }

    /// The files of variables. The project's own is called after it, or after its alias: as with the CLI, there cannot be both.
    fn variable_files(&mut self, project_id: &str, alias: Option<&str>) -> [String; 3] {
        let by_id = format!(".env.{project_id}");
        let mut own = by_id.clone();
        if let Some(alias) = alias.filter(|alias| *alias != project_id) {
            let by_alias = format!(".env.{alias}");
            let files = [&by_id, &by_alias].map(|name| self.folder.join(name));
            match files.each_ref().map(|file| file.is_file()) {
                [true, true] => {
                    let at = Position { file: files[1].clone(), ..Position::default() };
                    let message = format!("there are both `{by_id}` and `{by_alias}`, which are of the same project");
                    let help = format!("`{by_id}` is read; the Firebase CLI refuses both");
                    self.problems.push(Problem::warning(&at, message).with_help(help));
                }
                [false, true] => own = by_alias,
                _ => {}
            }
            self.inputs.extend(files);
        }
        [".env".to_owned(), own, ".env.local".to_owned()]
    }

    fn text(&mut self, file: &Path) -> Option<String> {
        self.inputs.insert(file.to_path_buf());
        read_text(file).map_err(|found| self.problems.extend(found)).ok()?
    }

    fn json(&mut self, file: &Path) -> Option<Node> {
        let text = self.text(file)?;
        json::parse(file, &text).map_err(|found| self.problems.extend(found)).ok()
    }

    /// Later files win.
    fn variables(&mut self, names: &[String]) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        for name in names {
            let file = self.folder.join(name);
            let Some(text) = self.text(&file) else { continue };
            let parsed = dotenv::parse(&file, &text, &BTreeMap::new(), &all);
            self.problems.extend(parsed.problems);
            all.extend(parsed.variables);
        }
        all
    }

    /// The TypeScript that `main` is built from, or `main` itself.
    fn entry(&mut self, main: &str) -> Option<PathBuf> {
        let main = clean(Path::new(main))?;
        let sources = self.typescript(&main);
        let own = [self.folder.join(&main)].into_iter();
        let own = own
            .chain(with_endings(&self.folder.join(&main), &JAVASCRIPT))
            .chain(with_endings(&self.folder.join(&main).join("index"), &JAVASCRIPT));
        let candidates: Vec<PathBuf> = sources.into_iter().chain(own).collect();
        self.inputs.extend(candidates.iter().cloned());
        let found = candidates.into_iter().find(|file| file.is_file())?;
        Some(std::fs::canonicalize(&found).unwrap_or(found))
    }

    /// Where the source of a built file would be: below `rootDir` what it is below `outDir`, or in `src` what it is in `lib`.
    fn typescript(&mut self, main: &Path) -> Vec<PathBuf> {
        let Some(stem) = main.with_extension("").to_str().map(PathBuf::from) else { return Vec::new() };
        let mut found = Vec::new();
        let config = self.json(&self.folder.join("tsconfig.json"));
        let is_built = config.is_some();
        let option = |name: &str| config.as_ref()?.get("compilerOptions")?.get(name)?.as_text().and_then(|path| clean(Path::new(path)));
        if let Some(inner) = option("outDir").and_then(|out| stem.strip_prefix(&out).map(Path::to_path_buf).ok()) {
            for base in option("rootDir").into_iter().chain([PathBuf::from("src"), PathBuf::new()]) {
                found.extend(with_endings(&self.folder.join(base).join(&inner), &TYPESCRIPT));
            }
        }
        let mut parts = stem.components();
        if is_built
            && matches!(parts.next(), Some(Component::Normal(first)) if ["lib", "dist", "build", "out"].iter().any(|name| first == *name))
        {
            let inner = parts.as_path();
            let inner = inner.strip_prefix("src").unwrap_or(inner);
            found.extend(with_endings(&self.folder.join("src").join(inner), &TYPESCRIPT));
        }
        if is_built {
            found.extend(with_endings(&self.folder.join(&stem), &TYPESCRIPT));
        }
        found
    }
}

fn with_endings<'a>(stem: &Path, endings: &'a [&'a str]) -> impl Iterator<Item = PathBuf> + use<'a> {
    let stem = stem.as_os_str().to_os_string();
    endings.iter().map(move |ending| {
        let mut file = stem.clone();
        file.push(".");
        file.push(ending);
        PathBuf::from(file)
    })
}

/// A path below the folder, without `.`; none where it leads out.
fn clean(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => clean.push(part),
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(clean)
}

/// The first number of a range: `^5.1.0` → 5.
fn major_version(range: &str) -> Option<u32> {
    let digits: String = range.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The place at which a file begins.
pub fn top(file: &Path) -> Position {
    Position { file: file.to_path_buf(), line: 1, column: 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)]) -> (tempfile::TempDir, Result<Source, NoSource>) {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let file = folder.path().join("functions").join(name);
            std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
            std::fs::write(file, text).expect("written");
        }
        let codebase = Codebase::usual();
        let source = codebase.source(folder.path(), "demo-p", Some("staging"));
        (folder, source)
    }

    #[test]
    fn the_source_is_typescript_where_main_is_built_from_it() {
        const TSCONFIG: &str = "{ \"compilerOptions\": { \"outDir\": \"lib\", \"rootDir\": \"src\" } // built\n }";
        const MAIN: &str = r#"{"main": "lib/index.js"}"#;
        for (files, wanted) in [
            (vec![("package.json", "{}"), ("index.js", "")], "index.js"),
            (vec![("package.json", r#"{"main": "src/main.mjs"}"#), ("src/main.mjs", "")], "src/main.mjs"),
            (vec![("package.json", r#"{"main": "./server"}"#), ("server.js", "")], "server.js"),
            (vec![("package.json", MAIN), ("tsconfig.json", TSCONFIG), ("src/index.ts", ""), ("lib/index.js", "")], "src/index.ts"),
            (vec![("package.json", MAIN), ("tsconfig.json", "{}"), ("src/index.ts", "")], "src/index.ts"),
            (vec![("package.json", r#"{"main": "lib/src/index.js"}"#), ("tsconfig.json", "{}"), ("src/index.ts", "")], "src/index.ts"),
            (vec![("package.json", MAIN), ("lib/index.js", ""), ("src/index.ts", "")], "lib/index.js"),
            (vec![("package.json", "{}"), ("tsconfig.json", "{}"), ("index.ts", "")], "index.ts"),
            (vec![("package.json", MAIN)], "error: there is no file `lib/index.js`, and no TypeScript that it would be built from"),
            (
                vec![("package.json", r#"{"main": "../x.js"}"#)],
                "error: there is no file `../x.js`, and no TypeScript that it would be built from",
            ),
            (vec![("index.js", "")], "error: the codebase `default` has no package.json in `functions`"),
        ] {
            let (folder, source) = read(&files);
            let root = std::fs::canonicalize(folder.path()).expect("a folder").join("functions");
            let found = match source {
                Ok(source) => source.file.strip_prefix(root).expect("inside").display().to_string(),
                Err(wrong) => format!("error: {}", wrong.problems[0].message),
            };
            assert_eq!(found, wanted, "{files:?}");
        }
    }

    #[test]
    fn variables_are_of_three_files_and_secrets_of_one() {
        let package = r#"{"dependencies": {"firebase-functions": "^5.1.0"}}"#;
        let (_folder, source) = read(&[
            ("package.json", package),
            ("index.js", ""),
            (".env", "A=1\nB=1\nC=1"),
            (".env.demo-p", "B=2\nC=2"),
            (".env.local", "C=3"),
            (".secret.local", "KEY=s3cret"),
        ]);
        let source = source.expect("a codebase");
        let shown = |source: &Source| source.variables.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ");
        assert_eq!(shown(&source), "A=1 B=2 C=3");
        for (files, wanted, warnings) in
            [(&[(".env.staging", "B=4")][..], "B=4", 0), (&[(".env.staging", "B=4"), (".env.demo-p", "B=2")], "B=2", 1)]
        {
            let files: Vec<_> = [("package.json", package), ("index.js", "")].iter().chain(files).copied().collect();
            let (_folder, by_alias) = read(&files);
            let by_alias = by_alias.expect("a codebase");
            assert_eq!((shown(&by_alias).as_str(), by_alias.warnings.len()), (wanted, warnings), "{files:?}");
        }
        assert_eq!((source.secrets["KEY"].as_str(), source.sdk_major), ("s3cret", Some(5)));
        for (range, wanted) in [("^7.0.0", Some(7)), (">=4", Some(4)), ("latest", None)] {
            assert_eq!(major_version(range), wanted, "{range}");
        }
    }
}
