//! What the bundler complains about, as problems of the project: with the file, the place, and what to do.

use std::collections::BTreeSet;
use std::path::Path;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind};

use super::{BuildError, is_dependency, is_in_runtime};
use crate::project::{Function, Position, Problem, Severity};

/// More problems than this of one build are not shown: they have one cause.
const PROBLEMS_MAX: usize = 20;

/// A failed build.
pub(super) fn errors(root: &Path, diagnostics: Vec<BuildDiagnostic>, function: &Function) -> BuildError {
    let mut problems: Vec<Problem> =
        diagnostics.iter().take(PROBLEMS_MAX).map(|diagnostic| problem(root, diagnostic, Severity::Error)).collect();
    if problems.is_empty() {
        problems.push(Problem {
            severity: Severity::Error,
            message: format!("function `{}` could not be built, and the bundler does not say why", function.name),
            help: None,
            at: Some(function.at.clone()),
        });
    }
    for problem in &mut problems {
        problem.at.get_or_insert_with(|| function.at.clone());
    }
    BuildError { problems, inputs: BTreeSet::new() }
}

/// The warnings of a build that went through, parted into what is an error here, and what is worth a word.
pub(super) fn warnings(root: &Path, diagnostics: Vec<BuildDiagnostic>) -> (Vec<Problem>, Vec<Problem>) {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    for diagnostic in diagnostics {
        match diagnostic.kind() {
            EventKind::UnresolvedImport => {
                let specifier = diagnostic.exporter().unwrap_or_default();
                if specifier.starts_with("node:") || is_in_runtime(package(&specifier)) {
                    continue;
                }
                let mut missing = problem(root, &diagnostic, Severity::Error);
                let in_dependency = diagnostic.id().is_some_and(|id| is_dependency(Path::new(&id)));
                if in_dependency && missing.at.as_ref().is_some_and(is_lazy) {
                    missing.severity = Severity::Warning;
                    warnings.push(missing);
                } else if errors.len() < PROBLEMS_MAX {
                    errors.push(missing);
                }
            }
            // An import of a name that the module does not have is `undefined` at best; Node refuses it.
            EventKind::ImportIsUndefined => warnings.push(problem(root, &diagnostic, Severity::Warning)),
            // The rest is advice for bundles that browsers load.
            _ => {}
        }
    }
    warnings.retain(|warning| warning.at.as_ref().is_none_or(|at| !is_dependency(&at.file)));
    (errors, warnings)
}

fn problem(root: &Path, diagnostic: &BuildDiagnostic, severity: Severity) -> Problem {
    let options = DiagnosticOptions { cwd: root.to_path_buf() };
    let at = diagnostic.to_diagnostic_with(&options).get_primary_location().map(|(file, line, column, _)| Position {
        file: root.join(file),
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).map_or(u32::MAX, |column| column.saturating_add(1)),
    });
    let (message, help) = match diagnostic.kind() {
        EventKind::UnresolvedImport => missing(&diagnostic.exporter().unwrap_or_default()),
        EventKind::ResolveError => {
            let help = "the package is there, but its package.json (`exports`, `main`) has nothing for this path and kind of import";
            (diagnostic.to_message_with(&options), Some(help.to_string()))
        }
        _ => (diagnostic.to_message_with(&options), None),
    };
    Problem { severity, message, help, at }
}

/// What is wrong with an import that leads nowhere, and what to do.
fn missing(specifier: &str) -> (String, Option<String>) {
    if specifier.starts_with(['.', '/']) || specifier.is_empty() {
        return (format!("cannot find `{specifier}`"), Some("there is no such file; check the path and its letter case".to_string()));
    }
    let package = package(specifier);
    let help = if specifier.starts_with(['#', '~']) || specifier.starts_with("@/") {
        "if it is an alias, define it under `paths` of tsconfig.json or `imports` of package.json".to_string()
    } else {
        format!("npm install {package}")
    };
    (format!("cannot find package `{package}`"), Some(help))
}

/// `@scope/name/file` → `@scope/name`, `name/file` → `name`.
fn package(specifier: &str) -> &str {
    let parts = if specifier.starts_with('@') && !specifier.starts_with("@/") { 2 } else { 1 };
    specifier.match_indices('/').nth(parts - 1).map_or(specifier, |(at, _)| &specifier[..at])
}

/// Whether the specifier at a place stands in `require(…)` or `import(…)`, which need it only when they are reached.
fn is_lazy(at: &Position) -> bool {
    let Ok(source) = std::fs::read_to_string(&at.file) else { return false };
    let Some(line) = source.lines().nth(at.line.saturating_sub(1) as usize) else { return false };
    let before: String = line.chars().take(at.column.saturating_sub(1) as usize).collect();
    before.trim_end().ends_with('(')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_named_without_the_file_in_it() {
        for (specifier, expected) in [("a", "a"), ("a/b/c", "a"), ("@s/a", "@s/a"), ("@s/a/b", "@s/a"), ("@/x/y", "@"), ("", "")] {
            assert_eq!(package(specifier), expected, "{specifier}");
        }
    }
}
