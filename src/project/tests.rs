//! A project file in, the model or the exact text of its problems out.

mod contents;
mod example;
mod syntax;
mod variables;

use super::*;

const HEAD: &str = "service: s\nprovider: { name: aws }\n";

/// A folder with files; the first is the project file.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn load_files(files: &[(&str, &str)]) -> Result<Loaded, String> {
    let folder = folder(files);
    let mut request = Load::new(folder.path());
    request.env.insert("FROM_HOST".into(), "host".into());
    load(&request).map_err(|problems| Renderer::new(folder.path(), false).render_all(&problems))
}

fn valid(yaml: &str) -> Project {
    loaded(yaml).project
}

fn loaded(yaml: &str) -> Loaded {
    match load_files(&[("serverless.yaml", &format!("{HEAD}{yaml}")), ("a.ts", ""), ("b.ts", "")]) {
        Ok(loaded) => loaded,
        Err(shown) => panic!("{shown}"),
    }
}

/// `message @line:column = help` of every problem, warnings with `?`.
fn problems(files: &[(&str, &str)]) -> String {
    let folder = folder(files);
    let found = match load(&Load::new(folder.path())) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    let one = |p: &Problem| {
        let at = p.at.as_ref().map(|at| format!("{}:{}", at.line, at.column)).unwrap_or_default();
        let mark = if p.severity == Severity::Warning { "? " } else { "" };
        format!("{mark}{} @{at} = {}", p.message, p.help.as_deref().unwrap_or("-"))
    };
    found.iter().map(one).collect::<Vec<_>>().join("\n").replace(&format!("{}/", folder.path().display()), "")
}

#[track_caller]
fn wrong(yaml: &str, expected: &str) {
    let text = format!("{HEAD}{yaml}");
    assert_eq!(problems(&[("serverless.yaml", &text), ("a.ts", ""), ("lib/thing.js", "")]), expected, "{yaml}");
}

#[test]
fn a_problem_shows_its_line() {
    let shown =
        load_files(&[("serverless.yaml", &format!("{HEAD}functions:\n  a:\n    handler: a.h\n    memroySize: 256\n")), ("a.ts", "")]);
    let expected = "\
error: unknown key `memroySize` in `functions.a`
 --> serverless.yaml:6:5
  |
6 |     memroySize: 256
  |     ^^^^^^^^^^
  = help: did you mean `memorySize`?
";
    assert_eq!(shown.err().as_deref(), Some(expected));
}

#[test]
fn wrong_keys_and_values_are_all_reported() {
    wrong("functons: {}", "unknown key `functons` @3:1 = did you mean `functions`?");
    wrong(
        "functions:\n  a:\n    handler: a.h\n    memorySize: 64\n    timeout: 5m\n    events: [{ htpApi: GET / }]",
        "`functions.a.memorySize` must be a whole number from 128 to 10240, not `64` @6:17 = -\n\
         `functions.a.timeout` must be a whole number from 1 to 900, not `5m` @7:14 = -\n\
         unknown key `htpApi` in `functions.a.events[0]` @8:16 = did you mean `httpApi`?",
    );
    wrong(
        "functions: { a: { handler: b.h } }",
        "the handler of `a` has no file: looked for b.{ts,mts,cts,js,mjs,cjs,tsx,jsx} @3:28 = did you mean `a.h`?",
    );
    wrong(
        "functions: { a: { handler: lib/think.h } }",
        "the handler of `a` has no file: looked for lib/think.{ts,mts,cts,js,mjs,cjs,tsx,jsx} @3:28 = did you mean `lib/thing.h`?",
    );
    wrong("functions: { a: {} }", "the function `a` has no `handler` @3:14 = such as `handler: src/hello.handler`");
    wrong(
        "functions: { a: { handler: a } }",
        "the handler `a` names no export @3:28 = `a.handler`: the file without its ending, a dot, the export",
    );
    wrong(
        "emu: { sandbox: { isolation: frsh } }",
        "`emu.sandbox.isolation` must be one of `fresh`, `warm`, not `frsh` @3:30 = did you mean `fresh`?",
    );
    wrong(
        "emu: { sandbox: { allow: ['https://a.b/c'] } }",
        "`https://a.b/c` in `emu.sandbox.allow` is not a host @3:27 = write the host alone: `a.b`",
    );
    wrong("a: 1\na: 2", "`a` is there twice: first on line 3 @4:1 = remove one of the two");
    wrong("custom: !Reff x", "unknown tag `!Reff` @3:9 = did you mean `!Ref`?");
    wrong(
        "functions:\n  a:\n    handler: a.h\n    events:\n      - httpApi:\n        path: /\n",
        "`functions.a.events[0]` must have one key, the kind of event; `path` is a second one @8:9 = begin each event with `- `, and indent its settings by two more spaces than its name",
    );
}

#[test]
fn a_file_that_is_no_project_says_so() {
    let check = |files: &[(&str, &str)], expected: &str| assert_eq!(problems(files), expected);
    check(&[("serverless.yaml", "")], "the file is empty @1:1 = begin with `service: NAME`; serverless.yaml.example shows every key");
    check(
        &[("serverless.yml", "a\n")],
        "a project file is a map, not text @1:1 = begin with `service: NAME`; serverless.yaml.example shows every key",
    );
    check(
        &[("serverless.yaml", "service: s\nprovider: { name: google }\n")],
        "the provider `google` is not emulated @2:19 = emu runs projects of the provider `aws`",
    );
    check(
        &[("serverless.yaml", "functions: {}\n")],
        "the project has no name @1:1 = add `service: NAME` at the top\nthe project has no provider @1:1 = add `provider: { name: aws, runtime: nodejs22.x }`",
    );
    let nowhere = problems(&[("serverless.ts", "")]);
    assert!(
        nowhere.starts_with("no serverless.yaml or serverless.yml and no firebase.json in ")
            && nowhere.ends_with("`serverless.ts` is not read: write the project as serverless.yaml"),
        "{nowhere}"
    );
}

#[test]
fn what_is_not_emulated_is_one_warning() {
    wrong(
        "functions:\n  a:\n    handler: a.h\n    vpc: { x: 1 }\n    layers: [!Ref XLambdaLayer]\n    events:\n      - websocket: $connect\n      - alexaSkill\n",
        "? valid, but not emulated: `functions.a.vpc` (line 6), `functions.a.layers` (line 7), `functions.a.events[0].websocket` (line 9), \
         `functions.a.events[1].alexaSkill` (line 10) @6:5 = emu goes on as if these were not there; a deployment still uses them",
    );
    wrong(
        "plugins: [serverless-offline, serverless-foo]\nresources:\n  Resources:\n    R: { Type: AWS::IAM::Role }\n    P: { Type: AWS::Cognito::UserPool }",
        "? plugins are not run: `serverless-foo` @3:31 = what they add to the project is missing here\n\
         ? resource types that are not emulated: `AWS::Cognito::UserPool` (line 7) @7:5 = references to them get names only",
    );
    wrong(
        "functions: { a: { handler: a.h, runtime: python3.12 } }",
        "? `a` is left out: emu does not run `python3.12` @3:42 = it runs `nodejs22.x` and the like, and `wasm`",
    );
}

/// Valid pieces that mutations start from.
const SEED: &str = "service: s\nprovider: { name: aws, environment: { Q: !Ref Q } }\ncustom: &c { a: '${self:service}', b: [1, 2.5, ~] }\nfunctions:\n  a:\n    handler: a.h\n    events:\n      \
    - httpApi: GET /x/{id}\n      - sqs: { arn: !GetAtt Q.Arn, batchSize: 5 }\n      - schedule: cron(0 10 * * ? *)\n      - s3: { bucket: abc, rules: [{ prefix: x }] }\nresources:\n  Resources:\n    \
    Q: { Type: AWS::SQS::Queue, Properties: { QueueName: !Sub 'q-${AWS::Region}' } }\n    T: { Type: AWS::DynamoDB::Table, Properties: { KeySchema: [{ AttributeName: id }] } }\nemu: { seed: x }\nx-y: *c\n";

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 400, ..Default::default() })]

    #[test]
    fn any_text_is_loaded_or_refused(text in "[a-c:{}\\[\\],&*!|>'\"#%@\n\t é$()-]{0,80}") {
        let folder = folder(&[("serverless.yaml", &text)]);
        let shown = load(&Load::new(folder.path())).expect_err("it has no service");
        proptest::prop_assert!(!Renderer::new(folder.path(), true).render_all(&shown).is_empty());
    }

    #[test]
    fn any_edit_of_a_project_is_loaded_or_refused(
        edits in proptest::collection::vec((0usize..SEED.len(), 0usize..12, "[a-z:{}\\[\\],&*!'\"\n $~0-9.-]{0,6}"), 1..6),
    ) {
        let mut text = SEED.to_string();
        for (at, length, new) in edits {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            if text.is_char_boundary(at) && text.is_char_boundary(end) {
                text.replace_range(at..end, &new);
            }
        }
        let folder = folder(&[("serverless.yaml", &text), ("a.ts", "")]);
        if let Err(problems) = load(&Load::new(folder.path())) {
            proptest::prop_assert!(problems.iter().any(|p| p.severity == Severity::Error));
            let _ = Renderer::new(folder.path(), false).render_all(&problems);
        }
    }
}
