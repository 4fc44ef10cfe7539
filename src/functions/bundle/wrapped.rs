//! Packages that a bundler wrote as CommonJS name what they require `require_NAME`, and where two files have one name, `require_NAME$1`.
//! The bundler here gives its own wrappers the same names, renames the package's `require_NAME` that is in the way to `require_NAME$1`,
//! and does not look whether the file has one: "redeclaration". Versions that do look need a newer compiler (rolldown's issue 10792), so
//! the package's second name is one that no renaming arrives at.

use std::borrow::Cow;
use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use rolldown::plugin::{
    HookTransformArgs, HookTransformOutput, HookTransformOutputMap, HookTransformReturn, HookUsage, Plugin, SharedTransformPluginContext,
};

use super::is_dependency;

#[derive(Debug)]
pub(super) struct Wrapped;

impl Plugin for Wrapped {
    fn name(&self) -> Cow<'static, str> {
        "emu:wrapped".into()
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::Transform
    }

    async fn transform(&self, _context: SharedTransformPluginContext, args: &HookTransformArgs<'_>) -> HookTransformReturn {
        if !is_dependency(Path::new(args.id)) {
            return Ok(None);
        }
        let code = renamed(args.code);
        Ok(code.map(|code| HookTransformOutput { code: Some(code), map: HookTransformOutputMap::Null, ..HookTransformOutput::default() }))
    }
}

/// The source with `require_NAME$1` called `require_NAME$$1`; `None` where it has no such variable.
fn renamed(source: &str) -> Option<String> {
    static DECLARED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\b(?:var|let|const) (?:require|init)_\w+\$[0-9]+ ?=").expect("a regular expression"));
    // Names of properties stay: other files may ask for them.
    static NAMED: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"(^|[^\w$.]|\.\.\.)((?:require|init)_\w+)(\$[0-9]+)\b").expect("a regular expression"));
    if !source.contains("$1") || !DECLARED.is_match(source) {
        return None;
    }
    match NAMED.replace_all(source, |found: &Captures<'_>| format!("{}{}${}", &found[1], &found[2], &found[3])) {
        Cow::Owned(code) => Some(code),
        Cow::Borrowed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_variables_that_a_renaming_could_arrive_at_get_another_name() {
        let rows = [
            ("const require_a = require('./a');", None),
            ("const a$1 = 1; use(a$1);", None),
            ("const require_a$1 = require('./a');\nrequire_a$1.b;", Some("const require_a$$1 = require('./a');\nrequire_a$$1.b;")),
            ("var require_a$1=1;f(...require_a$1,x.require_a$1)", Some("var require_a$$1=1;f(...require_a$$1,x.require_a$1)")),
            ("let init_a$2 = 1; my_init_a$2; init_a$2x", None),
            ("let init_a$1 = 1; my_init_a$1; init_a$1x", Some("let init_a$$1 = 1; my_init_a$1; init_a$1x")),
        ];
        for (source, expected) in rows {
            assert_eq!(super::renamed(source).as_deref(), expected, "{source}");
        }
    }
}
