use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::project::{Load, Renderer, load as load_project};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn loaded(files: &[(&str, &str)], asked: Option<&str>) -> (Firebase, Vec<Problem>) {
    let folder = folder(files);
    let load = Load { project_id: asked.map(str::to_owned), ..Load::new(folder.path()) };
    let loaded = load_project(&load).unwrap_or_else(|problems| panic!("{problems:?}"));
    (loaded.project.firebase.expect("a Firebase project"), loaded.warnings)
}

/// What is wrong, as a user sees it.
fn wrong(text: &str) -> String {
    let folder = folder(&[("firebase.json", text)]);
    let problems = match load_project(&Load::new(folder.path())) {
        Ok(loaded) => loaded.warnings,
        Err(problems) => problems,
    };
    Renderer::new(folder.path(), false).render_all(&problems)
}

#[test]
fn a_folder_with_nothing_but_firebase_json_is_a_project() {
    let (firebase, warnings) = loaded(&[("firebase.json", "{} // empty")], None);
    assert!(firebase.project_id.starts_with("demo-") && firebase.project_id.len() > 5, "{}", firebase.project_id);
    assert_eq!((firebase.codebases.len(), warnings), (0, vec![]));
}

#[test]
fn such_a_project_begins_with_what_the_command_line_says() {
    let folder = folder(&[("firebase.json", "{}")]);
    let load = Load { import: Some("/exports/one".into()), seeds: vec!["seed.yaml".into()], ..Load::new(folder.path()) };
    let settings = load_project(&load).expect("a project").project.settings;
    assert_eq!((settings.import, settings.seed), (load.import, load.seeds));
}

#[test]
fn both_files_of_a_folder_apply() {
    let files = [("firebase.json", "{}"), ("serverless.yaml", "service: shop\nprovider: {name: aws}\n")];
    let folder = folder(&files);
    let project = load_project(&Load::new(folder.path())).expect("a project").project;
    assert_eq!(project.service, "shop");
    assert!(project.firebase.is_some());
    assert!(project.sources.iter().any(|source| source.ends_with("firebase.json")));
}

#[test]
fn the_project_id_is_as_asked_or_the_default_one() {
    let rc = (".firebaserc", r#"{"projects": {"default": "my-app", "staging": "my-app-staging"}}"#);
    for (asked, wanted) in [(None, "my-app"), (Some("staging"), "my-app-staging"), (Some("demo-x"), "demo-x")] {
        assert_eq!(loaded(&[("firebase.json", "{}"), rc], asked).0.project_id, wanted, "{asked:?}");
    }
}

#[test]
fn what_the_file_says_is_in_the_model() {
    let text = r#"{
      /* both functions folders */
      "functions": [{"source": "api", "codebase": "api", "runtime": "nodejs22"}, {"codebase": "jobs"}],
      "firestore": {"rules": "firestore.rules", "indexes": "firestore.indexes.json"},
      "storage": [{"target": "main", "rules": "storage.rules"}],
      "hosting": {
        "public": "dist", "cleanUrls": true, "target": "web",
        "redirects": [{"source": "/old/:id", "destination": "/new/:id", "type": 302}],
        "rewrites": [{"source": "/api/**", "function": {"functionId": "api", "region": "europe-west1"}}, {"source": "**", "destination": "/index.html"}],
        "headers": [{"source": "**/*.js", "headers": [{"key": "Cache-Control", "value": "no-store"}]}]
      },
      "emulators": {"auth": {"port": 9100}, "hub": {"port": 4401}, "ui": {"enabled": true}, "singleProjectMode": true}
    }"#;
    let rc = r#"{"projects": {"default": "p"}, "targets": {"p": {"storage": {"main": ["a", "b"]}, "hosting": {"web": ["web-p"]}}}}"#;
    let files = [
        ("firebase.json", text),
        (".firebaserc", rc),
        ("api/index.js", ""),
        ("functions/index.js", ""),
        ("dist/index.html", ""),
        ("firestore.rules", ""),
        ("firestore.indexes.json", "{}"),
        ("storage.rules", ""),
    ];
    let (firebase, warnings) = loaded(&files, None);
    assert_eq!(warnings, vec![]);
    let sources: Vec<_> = firebase.codebases.iter().map(|c| (c.name.as_str(), c.source.as_path(), c.runtime.as_deref())).collect();
    assert_eq!(sources, [("api", Path::new("api"), Some("nodejs22")), ("jobs", Path::new("functions"), None)]);
    assert_eq!(firebase.databases[0].name, "(default)");
    assert_eq!(firebase.databases[0].rules.as_deref(), Some(Path::new("firestore.rules")));
    assert_eq!(firebase.buckets.iter().map(|b| b.name.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
    assert_eq!(firebase.ports, BTreeMap::from([(Port::Auth, 9100), (Port::Admin, 4401)]));
    let site = &firebase.sites[0];
    assert_eq!((site.names.clone(), site.clean_urls), (vec!["web".to_owned(), "web-p".to_owned()], true));
    assert_eq!((site.redirects[0].status, site.redirects[0].to.as_str()), (302, "/new/:id"));
    assert_eq!(site.rewrites[0].answer, Answer::Function { name: "api".into(), region: Some("europe-west1".into()) });
    assert_eq!(site.headers[0].headers, [("Cache-Control".to_owned(), "no-store".to_owned())]);
}

#[test]
fn mistakes_are_shown_with_their_line() {
    for (text, wanted) in [
        ("{\n  \"hosting\": {\"public\": \"x\",}\n}", "error: nothing follows this comma\n --> firebase.json:2:28\n"),
        ("[]", "error: this file is a map, not a list"),
        ("{\n\"fuctions\": {}}", "warning: unknown key `fuctions`\n --> firebase.json:2:1\n"),
        ("{\"functions\": {\"source\": \"../x\"}}", "error: `../x` leads out of the project"),
        ("{\"functions\": {\"source\": \"/x\"}}", "error: `/x` leads out of the project"),
        ("{\"functions\": [{}, {}]}", "error: the codebase `default` is there twice"),
        ("{\"hosting\": {}}", "error: the site has no folder"),
        ("{\"hosting\": {\"public\": \"p\", \"rewrites\": [{\"source\": \"**\"}]}}", "error: the rewrite does not say what answers"),
        (
            "{\"hosting\": {\"public\": \"p\", \"rewrites\": [{\"regex\": \"(\", \"function\": \"f\"}]}}",
            "error: this is no regular expression",
        ),
        (
            "{\"emulators\": {\"auth\": {\"port\": 70000}}}",
            "error: `emulators.auth.port` must be a whole number from 0 to 65535, not `70000`",
        ),
        ("{\"database\": {\"rules\": \"d\"}}", "warning: valid, but not emulated: `database` (line 1)"),
        ("{\"firestore\": {\"rules\": \"none.rules\"}}", "warning: there is no file `none.rules`"),
    ] {
        let shown = wrong(text);
        assert!(shown.contains(wanted), "{text}:\n{shown}");
    }
}
