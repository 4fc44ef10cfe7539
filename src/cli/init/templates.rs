//! The templates: small projects under `templates/` and `fixtures/shop`, whose files are part of the program.

/// A project to begin with.
#[derive(Debug)]
pub struct Template {
    pub name: &'static str,
    /// What it is, in half a line.
    pub about: &'static str,
    pub tools: Tools,
    pub files: &'static [File],
}

/// One file of a template, as it is in the tree.
#[derive(Debug)]
pub struct File {
    /// Relative to the project's folder, with `/`.
    pub path: &'static str,
    pub text: &'static str,
}

/// What its language is installed and tested with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tools {
    Npm,
    Cargo,
    Make,
}

/// The files of a folder; a test compares the lists with the tree.
macro_rules! files {
    ($folder:literal: $($path:literal),+ $(,)?) => {
        &[$(File { path: $path, text: include_str!(concat!("../../../", $folder, "/", $path)) }),+]
    };
}

/// All of them, the usual one first.
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "api-ts",
        about: "a REST API with a table, validation and tests, in TypeScript",
        tools: Tools::Npm,
        files: files!("templates/api-ts":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "README.md", "package-lock.json", "package.json",
            "serverless.yaml", "src/functions/tasks.ts", "src/lib/http.ts", "src/lib/tasks.ts", "test/tasks.test.ts", "tsconfig.json",
        ),
    },
    Template {
        name: "api-js",
        about: "the same in JavaScript, without a build",
        tools: Tools::Npm,
        files: files!("templates/api-js":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "README.md", "package-lock.json", "package.json",
            "serverless.yaml", "src/functions/tasks.js", "src/lib/http.js", "src/lib/tasks.js", "test/tasks.test.js",
        ),
    },
    Template {
        name: "queue-worker",
        about: "an API that queues jobs, a worker, retries and dead letters, in TypeScript",
        tools: Tools::Npm,
        files: files!("templates/queue-worker":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "README.md", "package-lock.json", "package.json",
            "serverless.yaml", "src/functions/jobs.ts", "src/functions/worker.ts", "src/lib/http.ts", "src/lib/jobs.ts",
            "src/lib/render.ts", "test/jobs.test.ts", "tsconfig.json",
        ),
    },
    Template {
        name: "cron",
        about: "schedules that send mail and clean up, in TypeScript",
        tools: Tools::Npm,
        files: files!("templates/cron":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "README.md", "package-lock.json", "package.json",
            "serverless.yaml", "src/functions/add.ts", "src/functions/clean-up.ts", "src/functions/send.ts", "src/lib/http.ts",
            "src/lib/mail.ts", "src/lib/reminders.ts", "test/reminders.test.ts", "tsconfig.json",
        ),
    },
    Template {
        name: "thumbnails",
        about: "uploads to a bucket, a function that makes thumbnails with sharp, a table, in TypeScript",
        tools: Tools::Npm,
        files: files!("templates/thumbnails":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "README.md", "package-lock.json", "package.json",
            "serverless.yaml", "src/functions/pictures.ts", "src/functions/thumbnails.ts", "src/lib/http.ts", "src/lib/pictures.ts",
            "src/lib/scale.ts", "test/pictures.test.ts", "tsconfig.json",
        ),
    },
    Template {
        name: "firebase-web",
        about: "a web app on Firebase: sign-in, Firestore, Storage, functions and a page, in TypeScript",
        tools: Tools::Npm,
        files: files!("templates/firebase-web":
            ".firebaserc", ".github/workflows/test.yml", ".gitignore", "README.md", "firebase.json", "firestore.indexes.json",
            "firestore.rules", "functions/package.json", "functions/src/index.ts", "functions/src/notes.ts", "functions/tsconfig.json",
            "package-lock.json", "package.json", "public/index.html", "public/style.css", "storage.rules", "test/notes.test.ts",
            "tsconfig.json", "web/app.ts", "web/notes.ts",
        ),
    },
    Template {
        name: "webhook-wasm-rust",
        about: "a webhook that checks signatures, a WebAssembly component in Rust",
        tools: Tools::Cargo,
        files: files!("templates/webhook-wasm-rust":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "Cargo.lock", "Cargo.toml", "README.md",
            "serverless.yaml", "src/event.rs", "src/lib.rs", "src/main.rs", "src/signature.rs", "tests/webhook.rs",
        ),
    },
    Template {
        name: "webhook-wasm-c",
        about: "the same in C, a WebAssembly program that speaks CGI",
        tools: Tools::Make,
        files: files!("templates/webhook-wasm-c":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "Makefile", "README.md", "serverless.yaml",
            "src/event.c", "src/event.h", "src/json.c", "src/json.h", "src/main.c", "src/signature.c", "src/signature.h",
            "src/webhook.c", "src/webhook.h", "test/deliver.sh", "test/unit.c",
        ),
    },
    Template {
        name: "shop",
        about: "a whole shop: accounts, mail, orders, payments, images, statistics, in TypeScript",
        tools: Tools::Npm,
        files: files!("fixtures/shop":
            ".github/workflows/test.yml", ".gitignore", ".vscode/settings.json", "README.md", "package-lock.json", "package.json",
            "seed/tables/Products.json", "serverless.yaml", "src/functions/create-order.ts", "src/functions/expire-orders.ts",
            "src/functions/get-order.ts", "src/functions/login.ts", "src/functions/pay-orders.ts", "src/functions/record-image.ts",
            "src/functions/register.ts", "src/functions/stats.ts", "src/functions/verify.ts", "src/lib/db.ts", "src/lib/http.ts",
            "src/lib/mail.ts", "src/lib/orders.ts", "src/lib/session.ts", "src/lib/users.ts", "test/shop.test.mjs", "tsconfig.json",
        ),
    },
];

/// The template of a name.
pub fn find(name: &str) -> Option<&'static Template> {
    TEMPLATES.iter().find(|template| template.name == name)
}

impl Template {
    /// A file's text in a project of this name.
    pub fn text(&self, file: &File, project: &str) -> String {
        let (from, to, times) = match file.path {
            "serverless.yaml" => (format!("\nservice: {}\n", self.name), format!("\nservice: {project}\n"), 1),
            "package.json" => (format!("\"name\": \"{}\"", self.name), format!("\"name\": \"{project}\""), 1),
            // Once for the file, once for the package in it.
            "package-lock.json" => (format!("\"name\": \"{}\"", self.name), format!("\"name\": \"{project}\""), 2),
            "README.md" => (format!("# {}\n", self.name), format!("# {project}\n"), 1),
            ".firebaserc" => (format!("\"demo-{}\"", self.name), format!("\"demo-{project}\""), 1),
            _ => return file.text.to_owned(),
        };
        file.text.replacen(&from, &to, times)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::*;

    /// What installing, running and building leave in a folder.
    const MADE: &[&str] = &["node_modules", "target", ".emu", ".build", ".serverless"];

    fn folder(template: &Template) -> PathBuf {
        if template.name == "shop" { "fixtures/shop".into() } else { Path::new("templates").join(template.name) }
    }

    #[test]
    fn every_file_of_a_template_is_part_of_the_program() {
        let mut folders: BTreeSet<_> =
            std::fs::read_dir("templates").expect("they are there").map(|entry| entry.expect("an entry").path()).collect();
        for template in TEMPLATES {
            let root = folder(template);
            folders.remove(&root);
            let (mut there, mut pending) = (BTreeSet::new(), vec![root.clone()]);
            while let Some(dir) = pending.pop() {
                for entry in std::fs::read_dir(&dir).expect("a folder") {
                    let path = entry.expect("an entry").path();
                    let name = path.file_name().and_then(|name| name.to_str()).expect("a name in UTF-8");
                    if MADE.contains(&name) {
                        continue;
                    }
                    match path.is_dir() {
                        true => pending.push(path),
                        false => drop(there.insert(path.strip_prefix(&root).expect("it is inside").to_str().expect("UTF-8").to_owned())),
                    }
                }
            }
            let known: BTreeSet<_> = template.files.iter().map(|file| file.path.to_owned()).collect();
            assert_eq!(known, there, "{}", template.name);
        }
        assert!(folders.is_empty(), "nobody knows of {folders:?}");
    }

    #[test]
    fn a_project_has_its_own_name_wherever_the_template_has_its() {
        for template in TEMPLATES {
            for file in template.files {
                let text = template.text(file, "zebra-crossing");
                let times = text.matches("zebra-crossing").count();
                let expected = match file.path {
                    "serverless.yaml" | "package.json" | "README.md" | ".firebaserc" => 1,
                    "package-lock.json" => 2,
                    _ => 0,
                };
                assert_eq!(times, expected, "{}/{}", template.name, file.path);
            }
        }
    }

    #[test]
    fn locks_name_no_registry_but_the_public_one() {
        for template in TEMPLATES {
            for file in template.files.iter().filter(|file| file.path == "package-lock.json") {
                let text = file.text.replace("https://registry.npmjs.org/", "");
                let hosts: Vec<&str> = text.lines().filter(|line| line.contains("\"resolved\"") && line.contains("://")).collect();
                assert!(hosts.is_empty(), "{}: {hosts:?}", template.name);
            }
            for file in template.files.iter().filter(|file| file.path == "Cargo.lock") {
                let public = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";
                assert!(file.text.lines().filter(|line| line.starts_with("source")).all(|line| line == public), "{}", template.name);
            }
        }
    }

    #[test]
    fn the_code_of_a_template_knows_nothing_of_emu() {
        for template in TEMPLATES {
            for file in
                template.files.iter().filter(|file| ["src/", "functions/", "web/"].iter().any(|folder| file.path.starts_with(folder)))
            {
                let found = ["emu", "EMU_", "endpoint", "localhost"].iter().find(|word| file.text.contains(**word));
                assert_eq!(found, None, "{}/{}", template.name, file.path);
            }
        }
    }
}
