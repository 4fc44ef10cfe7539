//! What people are asked and told, and that every template is a project.

use std::io::Cursor;

use super::plan::Standing;
use super::*;
use crate::project::{Load, load};

fn asker(answers: &str) -> Asker<Cursor<Vec<u8>>, Vec<u8>> {
    Asker { input: Cursor::new(answers.as_bytes().to_vec()), output: Vec::new() }
}

fn arguments(dir: Option<&Path>) -> InitArgs {
    InitArgs { dir: dir.map(Path::to_owned), template: None, list: false, yes: false, force: false }
}

fn projects() -> Vec<(&'static Template, Vec<(String, String)>)> {
    TEMPLATES.iter().map(|template| (template, wanted(template, "zebra").expect("its files"))).collect()
}

#[test]
fn every_template_is_a_project_without_warnings() {
    for (template, files) in projects() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(dir.path());
        files.iter().for_each(|(path, text)| folder.create(path, text).expect("written"));
        let loaded = load(&Load::new(dir.path())).unwrap_or_else(|problems| panic!("{}: {problems:#?}", template.name));
        assert_eq!(loaded.warnings, [], "{}", template.name);
        let is_firebase = files.iter().any(|(path, _)| path == ".firebaserc");
        assert_eq!(loaded.project.service, if is_firebase { "demo-zebra" } else { "zebra" });
        for (path, text) in files {
            assert_eq!(folder.standing(&path).expect("it is there"), Standing::File(Some(text)), "{path}");
        }
    }
}

#[test]
fn every_template_names_the_schema_that_it_gets_and_comes_with_what_all_have() {
    for (template, files) in projects() {
        let text = |path: &str| files.iter().find(|(known, _)| known == path).map(|(_, text)| text.as_str()).unwrap_or_default();
        let schema = (SCHEMA_FILE, "$schema");
        let of_all = [(WORKFLOW, "emu exec -- "), (".gitignore", ".emu/"), ("README.md", "emu exec -- ")];
        let is_serverless = !text("serverless.yaml").is_empty();
        if is_serverless {
            let first = text("serverless.yaml").lines().next().unwrap_or_default();
            assert_eq!(first, format!("# yaml-language-server: $schema={SCHEMA_FILE}"), "{}", template.name);
        }
        for (path, word) in of_all.into_iter().chain(is_serverless.then_some(schema)) {
            assert!(text(path).contains(word), "{}: {path} has no `{word}`", template.name);
        }
        let screen = text("README.md").lines().count();
        assert!(screen <= 45, "{}: a README of {screen} lines is more than a screen", template.name);
    }
}

#[test]
fn a_conversation_makes_a_project() {
    let dir = tempfile::tempdir().expect("a folder");
    let inner = dir.path().join("My Jobs");
    for (answers, template, name) in [
        ("", "api-ts", "my-jobs"),
        ("\n\n\n", "api-ts", "my-jobs"),
        ("3\njobs\nn\n", "queue-worker", "jobs"),
        ("99\nquue-worker\nqueue-worker\nJobs!\njobs\nmaybe\nyes\n", "queue-worker", "jobs"),
    ] {
        let mut asker = asker(answers);
        let asked = asker.project(&arguments(Some(&inner))).expect("answers");
        assert_eq!((asked.template.name, asked.name.as_str()), (template, name), "{answers:?}");
        assert_eq!(asked.git, folder::has_git() && !answers.ends_with("n\n"), "{answers:?}");
        let said = String::from_utf8(asker.output).expect("text");
        assert!(said.contains("  4  cron "), "{said}");
        assert_eq!(said.contains("did you mean `queue-worker`?"), answers.contains("quue"), "{said}");
    }
    assert_eq!(asker("\n\n\n\n").project(&arguments(None)).expect("answers").dir, Path::new("."));
}

#[test]
fn each_file_in_the_way_is_decided_about_after_its_difference_is_shown() {
    let replace = |path: &str| Step { path: path.into(), action: Action::Replace { before: Some("old\n".into()), text: "new\n".into() } };
    let steps = || vec![replace("a"), Step { path: "b".into(), action: Action::Create { text: "b".into() } }, replace("c"), replace("d")];
    for (answers, replaced) in
        [("y\nn\ny\n", Some("ad")), ("n\na\n", Some("cd")), ("a\n", Some("acd")), ("", Some("")), ("y\nhm\nq\n", None)]
    {
        let mut asker = asker(answers);
        let decided = asker.replacements(steps()).expect("answers");
        let names = decided.map(|steps| {
            assert_eq!(steps.len(), 4);
            steps.iter().filter(|step| matches!(step.action, Action::Replace { .. })).map(|step| step.path.clone()).collect::<String>()
        });
        assert_eq!(names.as_deref(), replaced, "{answers:?}");
        let said = String::from_utf8(asker.output).expect("text");
        assert!(said.starts_with("\n--- a (there)\n+++ a (template)\n@@ -1 +1 @@\n-old\n+new\nReplace a?"), "{said}");
    }
}

#[test]
fn the_summary_says_what_was_done_and_what_to_do_next() {
    let step = |path: &str, action: Action| Step { path: path.into(), action };
    let steps = [
        step(".gitignore", Action::Add { text: String::new() }),
        step("README.md", Action::Keep),
        step("package.json", Action::Replace { before: None, text: String::new() }),
        step("serverless.yaml", Action::Create { text: String::new() }),
    ];
    let text = summary(&TEMPLATES[0], Path::new("my apps/one"), &steps, true, "");
    let expected = "Made a project of `api-ts` in my apps/one:
  .gitignore (lines added)
  README.md (as it was)
  package.json (replaced)
  serverless.yaml
It is a Git repository; nothing is committed yet.

Next:
  cd 'my apps/one'
  npm install
  emu start                     # runs it, reloads on save
  emu exec -- npm test          # tests it against a fresh copy
";
    assert_eq!(text, expected);
    let text = summary(&TEMPLATES[0], Path::new("."), &steps, false, "apps/one");
    assert!(text.contains("let it work in apps/one") && !text.contains("cd "), "{text}");
}
