//! `emu init`: a new project from a template. What to write is decided by [`plan`]; here people are asked, and it is done.

mod folder;
mod name;
mod plan;
mod templates;

use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::PossibleValue;

use super::{InitArgs, output, schema};
use folder::Folder;
use plan::{Action, Step};
use templates::{TEMPLATES, Template, Tools};

/// Where the schema of the project file is written to; the first line of each template's project file names it.
const SCHEMA_FILE: &str = ".vscode/serverless.schema.json";
/// Where GitHub looks for workflows, but only at the top of a repository.
const WORKFLOW: &str = ".github/workflows/test.yml";

/// Names of the templates, for the command line.
pub fn names() -> Vec<PossibleValue> {
    TEMPLATES.iter().map(|template| PossibleValue::new(template.name).help(template.about)).collect()
}

pub fn run(args: &InitArgs) -> anyhow::Result<ExitCode> {
    if args.list {
        output::print(&list());
        return Ok(ExitCode::SUCCESS);
    }
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let mut asker = Asker { input: std::io::stdin().lock(), output: std::io::stdout() };
    let asked = if terminal && !args.yes { asker.project(args)? } else { Asked::usual(args) };
    let folder = Folder::new(&asked.dir);
    let template = asked.template;
    if let Some(other) = folder.other_project_file() {
        return Ok(refuse(&format!("{} is a project already: it has a {other}", asked.dir.display())));
    }
    let standing = template.files.iter().map(|file| file.path).chain([SCHEMA_FILE]);
    let standing = standing.map(|path| Ok((path, folder.standing(path)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let steps = plan::plan(wanted(template, &asked.name)?, |path| {
        standing.iter().find(|(known, _)| *known == path).map_or(plan::Standing::Nothing, |(_, standing)| standing.clone())
    });
    let in_the_way = in_the_way(&steps, args.force);
    if !in_the_way.is_empty() {
        let help = match args.force {
            true => "move them away",
            false => "move them away, choose another folder, or decide about each with --force",
        };
        return Ok(refuse(&format!("these are in the way, and nothing was written:\n  {}\n{help}", in_the_way.join("\n  "))));
    }
    let replaces = steps.iter().any(|step| matches!(step.action, Action::Replace { .. }));
    let steps = match (replaces, args.yes, terminal) {
        (false, ..) | (_, true, _) => steps,
        (true, false, true) => match asker.replacements(steps)? {
            Some(steps) => steps,
            None => {
                output::print("Nothing was written.\n");
                return Ok(ExitCode::FAILURE);
            }
        },
        (true, false, false) => {
            return Ok(refuse("--force asks about each file, and there is no terminal to ask on; --yes replaces all that differ"));
        }
    };
    folder.make()?;
    for step in &steps {
        match &step.action {
            Action::Create { text } => folder.create(&step.path, text)?,
            Action::Add { text, .. } | Action::Replace { text, .. } => folder.replace(&step.path, text)?,
            Action::Keep | Action::Blocked { .. } => {}
        }
    }
    let work_tree = folder.work_tree();
    let made_repository = asked.git && work_tree.is_none() && folder.git_init();
    let within = work_tree.map(|work_tree| folder.within(&work_tree)).unwrap_or_default();
    output::print(&summary(template, &asked.dir, &steps, made_repository, &within));
    Ok(ExitCode::SUCCESS)
}

/// Says why nothing is written.
fn refuse(why: &str) -> ExitCode {
    output::error(&anyhow::anyhow!("{why}"));
    ExitCode::FAILURE
}

/// What a project is made of.
struct Asked {
    dir: PathBuf,
    template: &'static Template,
    name: String,
    /// Whether it becomes a Git repository where it is in none.
    git: bool,
}

impl Asked {
    /// What nobody is asked about.
    fn usual(args: &InitArgs) -> Asked {
        let dir = args.dir.clone().unwrap_or_else(|| ".".into());
        let template = args.template.as_deref().and_then(templates::find).unwrap_or(&TEMPLATES[0]);
        let name = name::from_folder(&Folder::new(&dir).name(), template.name);
        Asked { dir, template, name, git: true }
    }
}

/// Every file with its text.
fn wanted(template: &Template, name: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut wanted: Vec<_> = template.files.iter().map(|file| (file.path.to_owned(), template.text(file, name))).collect();
    if template.files.iter().any(|file| file.path == "serverless.yaml") {
        wanted.push((SCHEMA_FILE.to_owned(), schema::text()?));
    }
    Ok(wanted)
}

/// What keeps the project from being written; files only where they are not to be replaced.
fn in_the_way(steps: &[Step], force: bool) -> Vec<String> {
    let line = |step: &Step| match &step.action {
        Action::Blocked { by } => Some(format!("{} ({by})", step.path)),
        Action::Replace { .. } if !force => Some(step.path.clone()),
        _ => None,
    };
    steps.iter().filter_map(line).collect()
}

fn list() -> String {
    let width = TEMPLATES.iter().map(|template| template.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (index, Template { name, about, .. }) in TEMPLATES.iter().enumerate() {
        let usual = if index == 0 { " (unless another is chosen)" } else { "" };
        let _ = writeln!(text, "{name:width$}  {about}{usual}");
    }
    text
}

/// What was done, and what to do next. `within` is the project's path in a repository that it is part of, empty at its top.
fn summary(template: &Template, dir: &Path, steps: &[Step], made_repository: bool, within: &str) -> String {
    let mut text = format!("Made a project of `{}` in {}:\n", template.name, dir.display());
    for step in steps {
        let note = match &step.action {
            Action::Create { .. } => "",
            Action::Keep | Action::Blocked { .. } => " (as it was)",
            Action::Add { .. } => " (lines added)",
            Action::Replace { .. } => " (replaced)",
        };
        let _ = writeln!(text, "  {}{note}", step.path);
    }
    if made_repository {
        text.push_str("It is a Git repository; nothing is committed yet.\n");
    }
    if !within.is_empty() {
        let _ = writeln!(
            text,
            "GitHub runs workflows only at the top of a repository: move {WORKFLOW} there, and let it work in {within} (`defaults.run.working-directory`)."
        );
    }
    text.push_str("\nNext:\n");
    if dir != Path::new(".") {
        let _ = writeln!(text, "  cd {}", quoted(&dir.display().to_string()));
    }
    text.push_str(match template.tools {
        Tools::Npm => {
            "  npm install\n  emu start                     # runs it, reloads on save\n  emu exec -- npm test          # tests it against a fresh copy\n"
        }
        Tools::Make => {
            "  emu start                     # builds and runs it, again at each save; the README says what with\n  emu exec -- make test         # tests it against a fresh copy\n"
        }
        Tools::Cargo => {
            "  rustup target add wasm32-wasip2\n  emu start                     # builds and runs it, again at each save\n  emu exec -- cargo test        # tests it against a fresh copy\n"
        }
    });
    text
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-~".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Asks whoever sits at the terminal. An answer that is only a return, or none any more, is the usual one.
struct Asker<R, W> {
    input: R,
    output: W,
}

impl<R: BufRead, W: Write> Asker<R, W> {
    /// Asks until there is an answer that `read` takes.
    fn ask<T>(&mut self, question: &str, usual: &str, read: impl Fn(&str) -> Result<T, String>) -> anyhow::Result<T> {
        loop {
            write!(self.output, "{question} [{usual}]: ")?;
            self.output.flush()?;
            let mut line = String::new();
            let ended = self.input.read_line(&mut line)? == 0;
            let answer = line.trim();
            match read(if answer.is_empty() { usual } else { answer }) {
                Ok(answer) => return Ok(answer),
                Err(problem) if ended => anyhow::bail!("{problem}"),
                Err(problem) => writeln!(self.output, "{problem}")?,
            }
        }
    }

    fn yes(&mut self, question: &str) -> anyhow::Result<bool> {
        self.ask(question, "y", |answer| match answer.to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(true),
            "n" | "no" => Ok(false),
            _ => Err("y or n".to_owned()),
        })
    }

    /// Asks for what the command line does not say.
    fn project(&mut self, args: &InitArgs) -> anyhow::Result<Asked> {
        let template = match args.template.as_deref().and_then(templates::find) {
            Some(template) => template,
            None => {
                for (index, Template { name, about, .. }) in TEMPLATES.iter().enumerate() {
                    writeln!(self.output, "{:>3}  {name:18} {about}", index + 1)?;
                }
                self.ask("Template", TEMPLATES[0].name, chosen)?
            }
        };
        let dir = match &args.dir {
            Some(dir) => dir.clone(),
            None => self.ask("Folder", ".", |answer| Ok(answer.into()))?,
        };
        let folder = Folder::new(&dir);
        let usual = name::from_folder(&folder.name(), template.name);
        let name = self.ask("Name of the project", &usual, |answer| match name::problem(answer) {
            None => Ok(answer.to_owned()),
            Some(problem) => Err(problem),
        })?;
        let git = folder.work_tree().is_none() && folder::has_git() && self.yes("Make it a Git repository")?;
        Ok(Asked { dir, template, name, git })
    }

    /// Asks about each file that would be replaced; `None` where nothing is to be done at all.
    fn replacements(&mut self, steps: Vec<Step>) -> anyhow::Result<Option<Vec<Step>>> {
        let (mut decided, mut all) = (Vec::new(), false);
        for mut step in steps {
            if let Action::Replace { before, text } = &step.action
                && !all
            {
                write!(self.output, "\n{}", plan::difference(&step.path, before.as_deref(), text))?;
                let question = format!("Replace {}? y, n, a for this and all others, q to write nothing", step.path);
                let answer = self.ask(&question, "n", |answer| match answer.to_ascii_lowercase().as_str() {
                    "y" | "yes" => Ok('y'),
                    "n" | "no" => Ok('n'),
                    "a" | "all" => Ok('a'),
                    "q" | "quit" => Ok('q'),
                    _ => Err("y, n, a or q".to_owned()),
                })?;
                match answer {
                    'q' => return Ok(None),
                    'n' => step.action = Action::Keep,
                    _ => all = answer == 'a',
                }
            }
            decided.push(step);
        }
        Ok(Some(decided))
    }
}

/// The template of a number in the list, or of a name.
fn chosen(answer: &str) -> Result<&'static Template, String> {
    let by_number = answer.parse::<usize>().ok().and_then(|number| TEMPLATES.get(number.checked_sub(1)?));
    by_number.or_else(|| templates::find(answer)).ok_or_else(|| {
        let near = crate::project::problem::did_you_mean(answer, TEMPLATES.iter().map(|template| template.name));
        match near {
            Some(near) => format!("there is no template `{answer}`: did you mean `{near}`?"),
            None => format!("there is no template `{answer}`: a number from 1 to {}, or a name", TEMPLATES.len()),
        }
    })
}

#[cfg(test)]
mod tests;
