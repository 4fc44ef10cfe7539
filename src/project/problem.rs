//! Problems: collecting them, and showing them with the line they are about.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::model::{Position, Problem, Severity};

/// Longest piece of a source line that is shown, in characters.
const LINE_CHARS_MAX: usize = 140;

impl Problem {
    /// Something that must be put right.
    pub fn error(at: &Position, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Error, message: message.into(), help: None, at: Some(at.clone()) }
    }

    /// Something worth a word.
    pub fn warning(at: &Position, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Warning, message: message.into(), help: None, at: Some(at.clone()) }
    }

    /// The same, with what to do about it.
    pub fn with_help(mut self, help: impl Into<String>) -> Problem {
        self.help = Some(help.into());
        self
    }

    /// The same, with what to do about it where that is known.
    pub fn with_help_if(mut self, help: Option<String>) -> Problem {
        self.help = help.or(self.help);
        self
    }
}

/// Sorts by file, line and column and drops what is said twice.
pub fn sort(problems: &mut Vec<Problem>) {
    let key = |p: &Problem| {
        let at = p.at.clone().unwrap_or_default();
        (at.file, at.line, at.column, p.severity == Severity::Warning, p.message.clone())
    };
    problems.sort_by_cached_key(key);
    problems.dedup();
}

/// The candidate that is nearest to what was written, if any is near.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > 100 {
        return None;
    }
    let lower = written.to_lowercase();
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.chars().count().max(2) / 3).clamp(1, 3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Shows problems. Files are named relative to `root` and read once each.
pub struct Renderer {
    root: PathBuf,
    colour: bool,
    sources: BTreeMap<PathBuf, Option<String>>,
}

impl Renderer {
    /// For a project in `root`; `colour` adds terminal colours.
    pub fn new(root: impl Into<PathBuf>, colour: bool) -> Renderer {
        Renderer { root: root.into(), colour, sources: BTreeMap::new() }
    }

    /// Gives the text of a file that need not be on the disk as it is shown.
    pub fn with_source(mut self, file: impl Into<PathBuf>, text: impl Into<String>) -> Renderer {
        self.sources.insert(file.into(), Some(text.into()));
        self
    }

    /// All of them, one after the other, with an empty line between.
    pub fn render_all(&mut self, problems: &[Problem]) -> String {
        problems.iter().map(|p| self.render(p)).collect::<Vec<_>>().join("\n")
    }

    /// One problem: what, where, the line with a mark under it, and what to do. Ends with a line break.
    pub fn render(&mut self, problem: &Problem) -> String {
        let (word, colour) = match problem.severity {
            Severity::Error => ("error", "\x1b[1;31m"),
            Severity::Warning => ("warning", "\x1b[1;33m"),
        };
        let mut out = format!("{}: {}\n", self.paint(colour, word), self.paint("\x1b[1m", &printable(&problem.message)));
        let mut margin = 1;
        if let Some(at) = &problem.at {
            let shown = at.file.strip_prefix(&self.root).unwrap_or(&at.file).display().to_string();
            let place = if at.line == 0 { shown } else { format!("{shown}:{}:{}", at.line, at.column.max(1)) };
            margin = at.line.max(1).to_string().len();
            let _ = writeln!(out, "{:margin$}{} {place}", "", self.paint("\x1b[36m", "-->"));
            if let Some(line) = self.line(at) {
                let (text, before, length) = window(&line, at.column.max(1) as usize - 1);
                let bar = self.paint("\x1b[36m", "|");
                let number = self.paint("\x1b[36m", &at.line.to_string());
                let mark = self.paint(colour, &"^".repeat(length));
                let _ = writeln!(out, "{:margin$} {bar}\n{number} {bar} {text}\n{:margin$} {bar} {:before$}{mark}", "", "", "");
            }
        }
        if let Some(help) = &problem.help {
            let _ = writeln!(out, "{:margin$} {} {}", "", self.paint("\x1b[36m", "= help:"), printable(help));
        }
        out
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colour { format!("{colour}{text}\x1b[0m") } else { text.to_string() }
    }

    fn line(&mut self, at: &Position) -> Option<String> {
        if at.line == 0 {
            return None;
        }
        let text = self.sources.entry(at.file.clone()).or_insert_with(|| read(&at.file)).as_ref()?;
        text.lines().nth(at.line as usize - 1).map(str::to_string)
    }
}

fn read(file: &Path) -> Option<String> {
    let length = std::fs::metadata(file).ok()?.len();
    if length > super::yaml::FILE_BYTES_MAX as u64 {
        return None;
    }
    std::fs::read(file).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The part of a line around a column, how many characters stand before the mark, and how long the mark is.
fn window(line: &str, column: usize) -> (String, usize, usize) {
    let chars: Vec<char> = line.chars().collect();
    let column = column.min(chars.len());
    let word = chars[column..].iter().take_while(|c| !c.is_whitespace() && !matches!(c, ':' | ',' | ']' | '}')).count();
    let from = if column + word.min(40) > LINE_CHARS_MAX { column.saturating_sub(LINE_CHARS_MAX / 2) } else { 0 };
    let shown: String = chars[from..].iter().take(LINE_CHARS_MAX).collect();
    (printable(&shown).trim_end().to_string(), column - from, word.clamp(1, 40))
}

/// Without anything that a terminal would act on.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}
