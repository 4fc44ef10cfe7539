use std::collections::BTreeMap;

use super::*;
use crate::functions::testing;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

async fn build(handler: &str, files: &[(&str, &str)]) -> Result<Built, BuildError> {
    let folder = folder(files);
    let root = folder.path().canonicalize().expect("the folder is there");
    let result = Bundler::new().expect("threads").build(&root, &testing::function("f", handler), &Recipe::default()).await;
    // Paths relative to the folder, so that rows can name them.
    let strip = |path: &PathBuf| path.strip_prefix(&root).unwrap_or(path).to_path_buf();
    let strip_all = |problems: Vec<Problem>| -> Vec<Problem> {
        let at = |at: Position| Position { file: strip(&at.file), ..at };
        problems.into_iter().map(|problem| Problem { at: problem.at.map(at), ..problem }).collect()
    };
    match result {
        Ok(built) => Ok(Built { inputs: built.inputs.iter().map(strip).collect(), warnings: strip_all(built.warnings.clone()), ..built }),
        Err(error) => Err(BuildError { inputs: error.inputs.iter().map(strip).collect(), problems: strip_all(error.problems) }),
    }
}

/// `file:line:column message (help)` of each problem.
async fn complaints(handler: &str, files: &[(&str, &str)]) -> Vec<String> {
    let error = build(handler, files).await.expect_err("a build that fails");
    let show = |problem: &Problem| {
        let place = problem.at.as_ref().map(|at| format!("{}:{}:{} ", at.file.display(), at.line, at.column)).unwrap_or_default();
        let help = problem.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
        format!("{place}{}{help}", problem.message)
    };
    error.problems.iter().map(show).collect()
}

fn code(built: &Built) -> BTreeMap<&str, &str> {
    built.modules.iter().map(|module| (module.path.as_str(), &*module.code)).collect()
}

#[tokio::test]
async fn typescript_json_text_and_aliases_become_one_module_with_a_map() {
    let built = build(
        "src/a.handler",
        &[
            ("tsconfig.json", r#"{"compilerOptions":{"paths":{"@lib/*":["./lib/*"]}}}"#),
            (
                "src/a.ts",
                "import { twice } from '@lib/twice';\nimport data from './data.json';\nimport text from './note.txt';\n\
                 enum Kind { One = 'one' }\nexport const handler = async (event: { n: number }): Promise<unknown> => ({ kind: Kind.One, n: twice(event.n), data, text });\n",
            ),
            ("src/data.json", r#"{"answer":42}"#),
            ("src/note.txt", "a note"),
            ("lib/twice.ts", "export function twice(n: number): number { return n * 2; }\n"),
        ],
    )
    .await
    .expect("a build");
    assert_eq!((built.entry.as_str(), built.export.as_str()), ("index.mjs", "handler"));
    assert_eq!(code(&built).keys().copied().collect::<Vec<_>>(), ["index.mjs"]);
    let code = code(&built)["index.mjs"];
    for expected in ["42", "a note", "n * 2"] {
        assert!(code.contains(expected), "{expected} in {code}");
    }
    assert!(!code.contains("Promise<unknown>"), "types are gone: {code}");
    let map: serde_json::Value = serde_json::from_str(built.modules[0].map.as_deref().expect("a map")).expect("JSON");
    let sources: Vec<&str> = map["sources"].as_array().expect("sources").iter().filter_map(|source| source.as_str()).collect();
    assert!(sources.contains(&"src/a.ts") && sources.contains(&"lib/twice.ts"), "{sources:?}");
    for input in ["src/a.ts", "src/data.json", "src/note.txt", "lib/twice.ts"] {
        assert!(built.inputs.contains(Path::new(input)), "{input} in {:?}", built.inputs);
    }
}

const PACKAGES: &[(&str, &str)] = &[
    (
        "node_modules/esm/package.json",
        r#"{"name":"esm","version":"1.0.0","type":"module","exports":{"browser":"./browser.js","import":"./import.js"}}"#,
    ),
    ("node_modules/esm/browser.js", "export const from = 'browser';"),
    ("node_modules/esm/import.js", "import { helper } from './helper.js';\nexport const from = () => 'import' + helper();"),
    ("node_modules/esm/helper.js", "export const helper = () => globalThis.process;"),
    ("node_modules/cjs/package.json", r#"{"name":"cjs","version":"1.0.0","main":"main.js"}"#),
    ("node_modules/cjs/main.js", "const fs = require('fs');\nexports.from = () => 'cjs' + typeof fs.readFileSync;"),
];

#[tokio::test]
async fn dependencies_are_a_module_of_their_own_that_a_save_does_not_change() {
    let files = |text: &'static str| {
        let mut files = PACKAGES.to_vec();
        files.push(("a.ts", text));
        files
    };
    let first = build(
        "a.handler",
        &files("import { from } from 'esm';\nimport cjs from 'cjs';\nexport const handler = () => [from, cjs.from(), 1];"),
    )
    .await
    .expect("a build");
    assert_eq!(
        first.modules.iter().map(|module| (module.path.as_str(), module.stable.is_some())).collect::<Vec<_>>(),
        [("vendor.mjs", true), ("index.mjs", false)]
    );
    let second = build(
        "a.handler",
        &files("import { from } from 'esm';\nimport cjs from 'cjs';\nexport const handler = () => [from, cjs.from(), 'changed'];"),
    )
    .await
    .expect("a build");
    assert_eq!(code(&first)["vendor.mjs"], code(&second)["vendor.mjs"]);
    assert_ne!(code(&first)["index.mjs"], code(&second)["index.mjs"]);
    assert!(
        code(&first)["vendor.mjs"].contains("'import'") || code(&first)["vendor.mjs"].contains("\"import"),
        "{}",
        code(&first)["vendor.mjs"]
    );
    assert!(!code(&first)["vendor.mjs"].contains("browser"));

    // What is required, and not imported, goes the long way, with the same result.
    let long = build("a.handler", &files("const cjs = require('cjs');\nexports.handler = () => cjs.from();")).await.expect("a build");
    let own: Vec<&str> = long.modules.iter().filter(|module| module.stable.is_none()).map(|module| module.path.as_str()).collect();
    assert_eq!(own, ["index.mjs", "entry.mjs"]);
    assert!(code(&long)["vendor.mjs"].contains("readFileSync"));
}

#[tokio::test]
async fn code_that_changes_globals_is_kept_in_its_order() {
    let mut files = PACKAGES.to_vec();
    files.push(("setup.ts", "process.env.MODE = 'test';\nexport {};"));
    files.push(("a.ts", "import './setup';\nimport { from } from 'esm';\nexport const handler = () => from;"));
    let built = build("a.handler", &files).await.expect("a build");
    assert_eq!(code(&built).keys().copied().collect::<Vec<_>>(), ["index.mjs"]);
    let code = code(&built)["index.mjs"];
    assert!(code.find("MODE").expect("the setup") < code.find("helper").expect("the dependency"), "{code}");
}

#[test]
fn changes_of_globals_are_seen() {
    for (source, expected) in [
        ("globalThis.fetch = x", true),
        ("process.env.TZ ??= 'UTC'", true),
        ("process.env['A'] = '1'", true),
        ("Array.prototype.last = function () {}", true),
        ("const table = process.env.TABLE", false),
        ("if (process.env.A === 'b') {}", false),
        ("globalThis.x == 1", false),
        ("const globals = 1", false),
        ("const f = (x = global) => x", false),
    ] {
        assert_eq!(changes_globals(source), expected, "{source}");
    }
}

#[tokio::test]
async fn handlers_are_found_as_lambda_and_the_bundlers_find_them() {
    let esm = "export const get = () => 1; export const api = { get };";
    let rows: &[(&str, &str, &str, (&str, &str))] = &[
        ("src/a.get", "src/a.mts", esm, ("index.mjs", "get")),
        ("src/a.get", "src/a.jsx", esm, ("index.mjs", "get")),
        ("src/a.b.get", "src/a.b.ts", esm, ("index.mjs", "get")),
        ("src/a.api.get", "src/a.js", esm, ("entry.mjs", "handler")),
        ("a.get", "a.cjs", "exports.get = () => 1;", ("entry.mjs", "handler")),
        ("a.get", "a.js", "module.exports = { get() {} };", ("entry.mjs", "handler")),
        ("a.default", "a.ts", "export default () => 1;", ("index.mjs", "default")),
    ];
    for (handler, file, text, expected) in rows {
        let built = build(handler, &[(file, text)]).await.unwrap_or_else(|error| panic!("{handler} in {file}: {error}"));
        assert_eq!((built.entry.as_str(), built.export.as_str()), *expected, "{handler} in {file}");
    }
}

#[tokio::test]
async fn a_handler_that_is_not_there_is_explained() {
    assert_eq!(
        complaints("src/a.handler", &[]).await,
        [
            ":0:0 function `f`: there is no file for handler `src/a.handler` (looked for src/a with the extensions .ts, .mts, .cts, .tsx, .js, .mjs, .cjs, .jsx)"
        ]
    );
    assert_eq!(
        complaints("a", &[]).await,
        [":0:0 function `f`: handler `a` names no export (write it as `path/to/file.export`, without the file's extension)"]
    );
    assert_eq!(
        complaints("a.handler", &[("a.ts", "export const handlr = 1, other = 2;")]).await,
        [":0:0 function `f`: a.ts does not export `handler`; it exports handlr, other (did you mean `handlr`?)"]
    );
}

#[tokio::test]
async fn a_missing_package_is_named_with_its_place_and_what_to_do() {
    assert_eq!(
        complaints(
            "a.handler",
            &[("a.ts", "import './b';\nexport const handler = 1;"), ("b.ts", "\nimport { x } from '@scope/gone/deep';\nconsole.log(x);")]
        )
        .await,
        ["b.ts:2:19 cannot find package `@scope/gone` (npm install @scope/gone)"]
    );
    assert_eq!(
        complaints("a.handler", &[("a.ts", "import { x } from './gone';\nexport const handler = x;")]).await,
        ["a.ts:1:19 cannot find `./gone` (there is no such file; check the path and its letter case)"]
    );
}

#[tokio::test]
async fn a_syntax_error_is_shown_at_its_place() {
    let complaints = complaints("a.handler", &[("a.ts", "export const ok = 1;\nexport const handler = (  => 1;\n")]).await;
    assert!(complaints[0].starts_with("a.ts:2:27 "), "{complaints:?}");
}

#[tokio::test]
async fn what_the_runtime_brings_need_not_be_installed() {
    let source = "import { S3Client } from '@aws-sdk/client-s3';\nimport AWS from 'aws-sdk';\nimport bcrypt from 'bcryptjs';\nimport { readFile } from 'node:fs/promises';\nimport path from 'path';\n\
                  export const handler = () => [S3Client, AWS, bcrypt, readFile, path];";
    let built = build("a.handler", &[("a.ts", source)]).await.expect("a build");
    let code = code(&built)["index.mjs"];
    for specifier in ["@aws-sdk/client-s3", "aws-sdk", "bcryptjs", "node:fs/promises", "path"] {
        assert!(code.contains(&format!("from \"{specifier}\"")), "{specifier} in {code}");
    }
}

#[tokio::test]
async fn an_installed_sdk_is_bundled_and_a_replaced_package_is_not() {
    let built = build(
        "a.handler",
        &[
            ("a.ts", "import { S3Client } from '@aws-sdk/client-s3';\nimport bcrypt from 'bcrypt';\nexport const handler = () => [S3Client, bcrypt];"),
            ("node_modules/@aws-sdk/client-s3/package.json", r#"{"name":"@aws-sdk/client-s3","main":"index.js"}"#),
            ("node_modules/@aws-sdk/client-s3/index.js", "exports.S3Client = class Installed {};"),
            ("node_modules/bcrypt/package.json", r#"{"name":"bcrypt","main":"index.js"}"#),
            ("node_modules/bcrypt/index.js", "module.exports = require('./native.node');"),
        ],
    )
    .await
    .expect("a build");
    assert!(code(&built)["vendor.mjs"].contains("Installed"));
    assert!(code(&built)["index.mjs"].contains("from \"bcrypt\""));
}

#[tokio::test]
async fn what_a_dependency_needs_only_when_reached_may_be_missing() {
    let files = |needs: &'static str| {
        [
            ("a.ts", "import dep from 'dep';\nexport const handler = () => dep;"),
            ("node_modules/dep/package.json", r#"{"name":"dep","main":"index.js"}"#),
            ("node_modules/dep/index.js", needs),
        ]
    };
    build("a.handler", &files("exports.load = () => require('optional');")).await.expect("a lazy require is left for its call");
    build("a.handler", &files("try { exports.x = require('optional') } catch {}")).await.expect("a guarded require is left");
    let complaints = complaints("a.handler", &files("import x from 'needed';\nexport default x;")).await;
    assert_eq!(complaints, ["node_modules/dep/index.js:1:15 cannot find package `needed` (npm install needed)"]);
}

#[tokio::test]
async fn the_node_environment_is_left_for_the_sandbox() {
    let built = build("a.handler", &[("a.ts", "export const handler = () => process.env.NODE_ENV;")]).await.expect("a build");
    assert!(code(&built)["index.mjs"].contains("process.env.NODE_ENV"));
}

#[tokio::test]
async fn a_dynamic_import_is_a_module_that_comes_before_the_entry() {
    let built = build(
        "a.handler",
        &[("a.ts", "export const handler = async () => (await import('./later')).value;"), ("later.ts", "export const value = 'later';")],
    )
    .await
    .expect("a build");
    let paths: Vec<&str> = built.modules.iter().map(|module| module.path.as_str()).collect();
    assert!(paths.contains(&"index.mjs") && paths.iter().all(|path| path.ends_with(".mjs")), "{paths:?}");
    assert!(built.modules.iter().any(|module| module.code.contains("\"later\"") || module.code.contains("'later'")));
}

#[tokio::test]
async fn a_codebase_is_bundled_with_the_modules_that_the_project_chose() {
    let folder = folder(&[
        ("functions/index.ts", "import { onRequest } from 'firebase-functions/https';\nexport const api = onRequest(() => {});\n"),
        ("functions/node_modules/firebase-functions/package.json", r#"{"exports":{"./https":"./https.js"}}"#),
        ("functions/node_modules/firebase-functions/https.js", "exports.onRequest = (handler) => `installed ${handler}`;\n"),
    ]);
    let root = folder.path().canonicalize().expect("the folder is there");
    for (has_firebase, is_installed) in [(true, false), (false, true)] {
        let recipe = Recipe { codebase: Some(root.join("functions/index.ts")), has_firebase };
        let function = testing::function("codebase default", "functions/index.ts");
        let built = Bundler::new().expect("threads").build(&root, &function, &recipe).await.expect("a build");
        let all: String = built.modules.iter().map(|module| &*module.code).collect();
        assert_eq!((all.contains("installed"), all.contains("\"firebase-functions/https\"")), (is_installed, !is_installed), "{all}");
        assert!(all.contains("open(exported)") && built.export == "handler", "{all}");
    }
}

/// As bundlers write packages: one file that requires two of the same name.
#[tokio::test]
async fn a_package_may_name_what_it_requires_as_the_bundler_names_its_wrappers() {
    let built = build(
        "a.handler",
        &[
            ("a.js", "exports.handler = async () => require('bundled').both;"),
            ("node_modules/bundled/package.json", r#"{"main":"./index.cjs"}"#),
            (
                "node_modules/bundled/index.cjs",
                "const require_context = require('./two/context.cjs');\nconst require_utils = require('./utils.cjs');\n\
                 exports.both = require_utils.one + require_context.name;\n",
            ),
            (
                "node_modules/bundled/utils.cjs",
                "const require_context = require('./two/context.cjs');\nconst require_context$1 = require('./one/context.cjs');\n\
                 exports.one = require_context$1.name;\nexports.all = require_context$1.name + require_context.name;\n",
            ),
            ("node_modules/bundled/one/context.cjs", "exports.name = 'one';"),
            ("node_modules/bundled/two/context.cjs", "exports.name = 'two';"),
        ],
    )
    .await
    .expect("it builds");
    let modules = code(&built);
    for file in modules.values().flat_map(|code| code.split("//#region ")) {
        let declared: Vec<&str> = file.lines().filter_map(|row| row.trim_start().strip_prefix("const ")?.split(' ').next()).collect();
        assert_eq!(declared.iter().collect::<BTreeSet<_>>().len(), declared.len(), "{file}");
    }
}
