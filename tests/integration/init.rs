//! `emu init`: what a newcomer does with every template, and what happens where a folder is not empty.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::emu::{EMU, Emu};

/// What every template has.
const ALL: &[&str] = &[".github/workflows/test.yml", ".gitignore", "README.md"];

/// What those have that are projects of the Serverless Framework.
const SERVERLESS: &[&str] = &[".vscode/serverless.schema.json", ".vscode/settings.json", "serverless.yaml"];

/// The rest of each template.
const TREES: &[(&str, &str)] = &[
    ("api-ts", "package-lock.json package.json src/functions/tasks.ts src/lib/http.ts src/lib/tasks.ts test/tasks.test.ts tsconfig.json"),
    ("api-js", "package-lock.json package.json src/functions/tasks.js src/lib/http.js src/lib/tasks.js test/tasks.test.js"),
    (
        "queue-worker",
        "package-lock.json package.json src/functions/jobs.ts src/functions/worker.ts src/lib/http.ts src/lib/jobs.ts src/lib/render.ts \
         test/jobs.test.ts tsconfig.json",
    ),
    (
        "cron",
        "package-lock.json package.json src/functions/add.ts src/functions/clean-up.ts src/functions/send.ts src/lib/http.ts \
         src/lib/mail.ts src/lib/reminders.ts test/reminders.test.ts tsconfig.json",
    ),
    (
        "thumbnails",
        "package-lock.json package.json src/functions/pictures.ts src/functions/thumbnails.ts src/lib/http.ts src/lib/pictures.ts \
         src/lib/scale.ts test/pictures.test.ts tsconfig.json",
    ),
    (
        "firebase-web",
        ".firebaserc firebase.json firestore.indexes.json firestore.rules functions/package.json functions/src/index.ts \
         functions/src/notes.ts functions/tsconfig.json package-lock.json package.json public/index.html public/style.css storage.rules \
         test/notes.test.ts tsconfig.json web/app.ts web/notes.ts",
    ),
    ("webhook-wasm-rust", "Cargo.lock Cargo.toml src/event.rs src/lib.rs src/main.rs src/signature.rs tests/webhook.rs"),
    (
        "webhook-wasm-c",
        "Makefile src/event.c src/event.h src/json.c src/json.h src/main.c src/signature.c src/signature.h src/webhook.c src/webhook.h \
         test/deliver.sh test/unit.c",
    ),
    (
        "shop",
        "package-lock.json package.json seed/tables/Products.json src/functions/create-order.ts src/functions/expire-orders.ts \
         src/functions/get-order.ts src/functions/login.ts src/functions/pay-orders.ts src/functions/record-image.ts \
         src/functions/register.ts src/functions/stats.ts src/functions/verify.ts src/lib/db.ts src/lib/http.ts src/lib/mail.ts \
         src/lib/orders.ts src/lib/session.ts src/lib/users.ts test/shop.test.mjs tsconfig.json",
    ),
];

fn emu(dir: &Path, arguments: &[&str]) -> Output {
    Command::new(EMU).args(arguments).current_dir(dir).stdin(Stdio::null()).output().expect("emu runs")
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Makes a project, and answers what was said.
fn init(dir: &Path, arguments: &[&str]) -> String {
    let output = emu(dir, &[&["init"], arguments].concat());
    assert!(output.status.success(), "{arguments:?}: {}", err(&output));
    out(&output)
}

/// Every file below a folder but Git's own.
fn tree(root: &Path) -> BTreeSet<String> {
    let (mut files, mut pending) = (BTreeSet::new(), vec![root.to_owned()]);
    while let Some(dir) = pending.pop() {
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            match path.is_dir() {
                true if path.file_name().is_some_and(|name| name == ".git") => {}
                true => pending.push(path),
                false => drop(files.insert(path.strip_prefix(root).expect("it is inside").display().to_string())),
            }
        }
    }
    files
}

fn golden(template: &str) -> BTreeSet<String> {
    let (_, rest) = TREES.iter().find(|(name, _)| *name == template).expect("a template");
    let serverless = SERVERLESS.iter().filter(|_| template != "firebase-web");
    ALL.iter().chain(serverless).copied().chain(rest.split_whitespace()).map(str::to_owned).collect()
}

fn read(dir: &Path, file: &str) -> String {
    std::fs::read_to_string(dir.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn edit(dir: &Path, file: &str, from: &str, to: &str) {
    let text = read(dir, file);
    assert!(text.contains(from), "{file} has no `{from}`");
    std::fs::write(dir.join(file), text.replace(from, to)).expect("saved");
}

#[test]
fn the_list_names_every_template_and_an_unknown_one_names_the_nearest() {
    let here = tempfile::tempdir().expect("a folder");
    let listed = init(here.path(), &["--list"]);
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, TREES.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    let output = emu(here.path(), &["init", "--template", "queue-wroker"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("queue-worker"), "{}", err(&output));
    assert!(tree(here.path()).is_empty());
}

#[test]
fn every_template_gives_its_files_under_the_name_of_the_folder() {
    let here = tempfile::tempdir().expect("a folder");
    for (template, _) in TREES {
        let dir = format!("My {template} 2");
        let said = init(here.path(), &[&dir, "--template", template]);
        let root = here.path().join(&dir);
        assert_eq!(tree(&root), golden(template), "{template}");
        let (file, name) = match *template {
            "firebase-web" => (".firebaserc", format!("\"demo-my-{template}-2\"")),
            _ => ("serverless.yaml", format!("\nservice: my-{template}-2\n")),
        };
        assert!(read(&root, file).contains(&name), "{template}");
        assert!(said.contains("Next:") && said.contains(&format!("cd '{dir}'")), "{said}");
        let checked = emu(&root, &["check"]);
        assert!(out(&checked).contains("0 warnings"), "{template}: {}{}", out(&checked), err(&checked));
        if file == "serverless.yaml" {
            assert_eq!(read(&root, ".vscode/serverless.schema.json"), out(&emu(here.path(), &["schema"])));
        }
        // Again: it is all there already.
        assert!(init(&root, &["--template", template, "--yes"]).contains(&format!("{file} (as it was)")));
    }
}

#[test]
fn what_is_in_the_way_is_listed_and_stays_until_it_is_given_up() {
    let here = tempfile::tempdir().expect("a folder");
    let root = here.path();
    let save = |file: &str, text: &str| std::fs::write(root.join(file), text).expect("saved");
    save("README.md", "mine\n");
    save("package.json", "{}\n");
    save(".gitignore", "*.log\n/node_modules\n");
    save("notes.txt", "kept\n");
    let before = tree(root);
    let refused = emu(root, &["init", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("  README.md\n  package.json\n") && err(&refused).contains("--force"), "{}", err(&refused));
    let refused = emu(root, &["init", "--force"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("no terminal") && err(&refused).contains("--yes"), "{}", err(&refused));
    assert_eq!(tree(root), before, "nothing was written");
    let said = init(root, &["--force", "--yes"]);
    assert!(said.contains("README.md (replaced)") && said.contains(".gitignore (lines added)"), "{said}");
    assert_eq!(read(root, ".gitignore"), "*.log\n/node_modules\n.build/\n.emu/\n.serverless/\n.env\n.env.*\n");
    assert_eq!(read(root, "notes.txt"), "kept\n");
    assert!(read(root, "README.md").starts_with("# "));
    // What no file may replace.
    std::fs::remove_dir_all(root.join("src")).expect("removed");
    std::os::unix::fs::symlink("/etc", root.join("src")).expect("linked");
    let refused = emu(root, &["init", "--force", "--yes"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(err(&refused).contains("src/lib/http.ts (a symbolic link)"), "{}", err(&refused));
    let other = tempfile::tempdir().expect("a folder");
    std::fs::write(other.path().join("serverless.yml"), "service: old\n").expect("saved");
    let refused = emu(other.path(), &["init", "--force", "--yes"]);
    assert!(refused.status.code() == Some(1) && err(&refused).contains("serverless.yml"), "{}", err(&refused));
}

#[test]
fn a_project_becomes_a_repository_unless_it_is_in_one() {
    if Command::new("git").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("skipped: there is no git");
        return;
    }
    let here = tempfile::tempdir().expect("a folder");
    let said = init(here.path(), &["alone"]);
    assert!(here.path().join("alone/.git").is_dir() && said.contains("Git repository"), "{said}");
    let status = Command::new("git").args(["status", "--porcelain", "--ignored"]).current_dir(here.path().join("alone")).output();
    assert!(out(&status.expect("git runs")).contains("?? serverless.yaml"));
    let said = init(&here.path().join("alone"), &["apps/inner"]);
    assert!(!here.path().join("alone/apps/inner/.git").exists());
    assert!(said.contains("let it work in apps/inner"), "{said}");
}

#[test]
fn on_a_terminal_it_asks() {
    let here = tempfile::tempdir().expect("a folder");
    let script = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    let ask = |arguments: &[&str], answers: &str| {
        let mut command = Command::new("python3");
        command.args(["-c", script, EMU, "init"]).args(arguments).current_dir(here.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("python runs");
        child.stdin.as_mut().expect("it is piped").write_all(answers.as_bytes()).expect("it listens");
        let output = child.wait_with_output().expect("it ends");
        (output.status.code(), out(&output))
    };
    let (code, said) = ask(&["new"], "2\n\n\n");
    assert_eq!(code, Some(0), "{said}");
    for question in ["Template [api-ts]:", "Name of the project [new]:", "npm install"] {
        assert!(said.contains(question), "{said}");
    }
    assert_eq!(tree(&here.path().join("new")), golden("api-js"));
    std::fs::write(here.path().join("new/README.md"), "mine\n").expect("saved");
    let (code, said) = ask(&["new", "--template", "api-js", "--force"], "\nn\n");
    assert_eq!((code, read(&here.path().join("new"), "README.md").as_str()), (Some(0), "mine\n"), "{said}");
    assert!(said.contains("-mine") && said.contains("Replace README.md?"), "{said}");
    let (code, said) = ask(&["new", "--template", "api-js", "--force"], "\ny\n");
    assert_eq!(code, Some(0), "{said}");
    assert!(read(&here.path().join("new"), "README.md").starts_with("# new\n"));
}

/// A project of a template, installed, typed, tested, and running.
fn newcomer(template: &str) -> (tempfile::TempDir, Emu) {
    let here = tempfile::tempdir().expect("a folder");
    init(here.path(), &["mine", "--template", template]);
    let root = here.path().join("mine");
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).current_dir(&root).stdin(Stdio::null()).output();
        let output = output.unwrap_or_else(|error| panic!("{program} is needed: {error}"));
        assert!(output.status.success(), "{template}: {program} {arguments:?}\n{}\n{}", out(&output), err(&output));
    };
    if template == "webhook-wasm-rust" {
        run(EMU, &["exec", "--", "cargo", "test", "--quiet", "--locked", "--target-dir", "target"]);
    } else if template == "webhook-wasm-c" {
        run(EMU, &["exec", "--", "make", "--silent", "test"]);
    } else {
        run("npm", &["ci", "--prefer-offline", "--no-audit", "--no-fund"]);
        let package: Value = serde_json::from_str(&read(&root, "package.json")).expect("JSON");
        assert_eq!(package["name"], "mine");
        for script in ["check", "build"] {
            if package["scripts"][script].is_string() {
                run("npm", &["run", script]);
            }
        }
        run(EMU, &["exec", "--", "npm", "test"]);
    }
    let emu = Emu::start(&root, &[]);
    (here, emu)
}

/// Asks, edits, and waits for the answer of the edited file.
async fn changes(template: &str, request: (&str, &str, &str), file: &str, from: &str, to: &str) {
    let (here, emu) = newcomer(template);
    let (method, path, body) = request;
    let url = format!("{}{path}", emu.http);
    let answer = || emu.send(method, &url, &[], body.to_owned());
    let first = answer().await.text();
    assert!(first.contains(from), "{template}: {first}");
    edit(&here.path().join("mine"), file, from, to);
    emu.until("the edit is served", || async { answer().await.text().contains(to).then_some(()) }).await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_api_ts() {
    let get = ("GET", "/lists/home/tasks/none", "");
    changes("api-ts", get, "src/functions/tasks.ts", "There is no such task", "Nobody has this to do").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_api_js() {
    let get = ("GET", "/lists/home/tasks/none", "");
    changes("api-js", get, "src/functions/tasks.js", "There is no such task", "Nobody has this to do").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_queue_worker() {
    changes("queue-worker", ("GET", "/jobs/none", ""), "src/functions/jobs.ts", "There is no such job", "Nobody asked for that").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_cron() {
    let post = ("POST", "/reminders", r#"{"to":"ada@example.com","text":"","at":"2030-01-31T09:00:00Z"}"#);
    changes("cron", post, "src/functions/add.ts", "must not be empty", "must say something").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_thumbnails() {
    let get = ("GET", "/pictures/none", "");
    changes("thumbnails", get, "src/functions/pictures.ts", "There is no such picture", "Nobody uploaded that").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_firebase_web() {
    let (here, emu) = newcomer("firebase-web");
    let root = here.path().join("mine");
    let page = emu.send("GET", &emu.url("hosting"), &[], "").await.text();
    assert!(page.contains("/app.js") && page.contains("__FIREBASE_DEFAULTS__"), "{page}");
    let url = format!("{}/demo-mine/us-central1/clearNotes", emu.url("functions"));
    let answer = || emu.send("POST", &url, &[("content-type", "application/json")], r#"{"data":null}"#);
    let first = answer().await.text();
    assert!(first.contains("Sign in to clear your notes."), "{first}");
    edit(&root, "functions/src/notes.ts", "Sign in to clear your notes.", "Whose notes?");
    emu.until("the edit is served", || async { answer().await.text().contains("Whose notes?").then_some(()) }).await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_the_shop() {
    changes("shop", ("GET", "/verify?token=none", ""), "src/functions/verify.ts", "not valid any more", "long gone").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_webhook_wasm_rust() {
    let sysroot = Command::new("rustc").args(["--print", "sysroot"]).current_dir(std::env::temp_dir()).output().expect("rustc runs");
    if !Path::new(out(&sysroot).trim()).join("lib/rustlib/wasm32-wasip2").is_dir() {
        eprintln!("skipped: `rustup target add wasm32-wasip2` installs what it is built with");
        return;
    }
    changes("webhook-wasm-rust", ("POST", "/webhook", "{}"), "src/lib.rs", "the request is not signed", "who are you?").await;
}

#[tokio::test]
async fn a_newcomer_gets_on_with_webhook_wasm_c() {
    // What the template's README installs.
    let compiles = Command::new("sh")
        .args(["-c", "echo '#include <stdio.h>\nint main(void) { return puts(\"\"); }' | clang --target=wasm32-wasi -x c -o /dev/null -"])
        .stderr(Stdio::null())
        .status();
    if !compiles.is_ok_and(|status| status.success()) {
        eprintln!("skipped: clang with wasi-libc (`apt-get install clang lld wasi-libc libclang-rt-dev-wasm32`) is what it is built with");
        return;
    }
    changes("webhook-wasm-c", ("POST", "/webhook", "{}"), "src/webhook.c", "the request is not signed", "who are you?").await;
}
