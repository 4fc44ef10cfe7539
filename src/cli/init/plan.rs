//! What to write into a folder, decided from what stands there: pure.

use similar::TextDiff;

/// Files that are laid into what is there already, line by line.
const MERGED: &str = ".gitignore";
/// Lines of a difference around what changed.
const CONTEXT_LINES: usize = 3;

/// What stands at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    Nothing,
    /// A file; `None` where it is no text, or too long to be looked at.
    File(Option<String>),
    /// Something that is never replaced, and what it is.
    Other(&'static str),
}

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Relative to the folder, with `/`.
    pub path: String,
    pub action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// There is nothing: it is written.
    Create { text: String },
    /// It is there, and is what it should be.
    Keep,
    /// Lines are added to what is there.
    Add { text: String },
    /// Another file is there: in the way, unless it is to be replaced.
    Replace { before: Option<String>, text: String },
    /// Something is there that is never replaced.
    Blocked { by: &'static str },
}

/// Decides for each wanted file, in order.
pub fn plan(wanted: Vec<(String, String)>, standing: impl Fn(&str) -> Standing) -> Vec<Step> {
    let step = |(path, text): (String, String)| {
        let action = match standing(&path) {
            Standing::Nothing => Action::Create { text },
            Standing::File(Some(before)) if before == text => Action::Keep,
            Standing::File(Some(before)) if path == MERGED => match with_lines(&before, &text) {
                (_, 0) => Action::Keep,
                (text, _) => Action::Add { text },
            },
            Standing::File(before) => Action::Replace { before, text },
            Standing::Other(by) => Action::Blocked { by },
        };
        Step { path, action }
    };
    wanted.into_iter().map(step).collect()
}

/// A text with the lines of another that it lacks, and how many these are. `node_modules` and `/node_modules/` are the same to ignore.
fn with_lines(before: &str, more: &str) -> (String, usize) {
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    let known: Vec<String> = before.lines().map(bare).collect();
    let lacking: Vec<&str> = more.lines().filter(|line| !known.contains(&bare(line))).collect();
    let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let mut text = before.to_owned();
    if !text.is_empty() && !text.ends_with('\n') && !lacking.is_empty() {
        text.push_str(end);
    }
    for line in &lacking {
        text.push_str(line);
        text.push_str(end);
    }
    (text, lacking.len())
}

/// What replacing a file would change, as a unified difference.
pub fn difference(path: &str, before: Option<&str>, after: &str) -> String {
    match before {
        None => format!("{path} is not text, or too long to be shown; it would be replaced.\n"),
        Some(before) => {
            let diff = TextDiff::from_lines(before, after);
            let (there, new) = (format!("{path} (there)"), format!("{path} (template)"));
            diff.unified_diff().context_radius(CONTEXT_LINES).header(&there, &new).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn action(path: &str, there: Standing, text: &str) -> Action {
        let mut steps = plan(vec![(path.to_owned(), text.to_owned())], |_| there.clone());
        steps.remove(0).action
    }

    fn file(text: &str) -> Standing {
        Standing::File(Some(text.to_owned()))
    }

    #[test]
    fn nothing_that_is_there_is_lost() {
        for (path, there, expected) in [
            ("a", Standing::Nothing, Action::Create { text: "new".into() }),
            ("a", file("new"), Action::Keep),
            ("a", file("old"), Action::Replace { before: Some("old".into()), text: "new".into() }),
            ("a", Standing::File(None), Action::Replace { before: None, text: "new".into() }),
            ("a", Standing::Other("a folder"), Action::Blocked { by: "a folder" }),
            (".gitignore", file("old"), Action::Add { text: "old\nnew\n".into() }),
            ("b/.gitignore", file("old"), Action::Replace { before: Some("old".into()), text: "new".into() }),
        ] {
            assert_eq!(action(path, there.clone(), "new"), expected, "{path} {there:?}");
        }
    }

    #[test]
    fn lines_that_are_ignored_already_are_not_added_again() {
        for (before, more, expected) in [
            ("", "a/\n", Some("a/\n")),
            ("a\n/b/\n", "a/\nb\n", None),
            ("a\r\nb", "c\nd\n", Some("a\r\nb\r\nc\r\nd\r\n")),
            ("# mine\n*.log\n", "node_modules/\n.emu/\n", Some("# mine\n*.log\nnode_modules/\n.emu/\n")),
        ] {
            let expected = match expected {
                None => Action::Keep,
                Some(text) => Action::Add { text: text.into() },
            };
            assert_eq!(action(".gitignore", file(before), more), expected, "{before:?}");
        }
    }

    #[test]
    fn a_difference_shows_what_would_change() {
        let shown = difference("a.txt", Some("one\ntwo\n"), "one\n2\n");
        assert_eq!(shown, "--- a.txt (there)\n+++ a.txt (template)\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n");
        assert!(difference("a.png", None, "x").contains("not text"));
    }

    proptest! {
        #[test]
        fn adding_lines_twice_is_adding_them_once(before in "([a-c/ ]{0,3}\r?\n){0,4}[a-c]{0,2}", more in "([a-d/]{1,3}\n){0,4}") {
            let (once, _) = with_lines(&before, &more);
            prop_assert!(once.starts_with(&before));
            prop_assert_eq!(with_lines(&once, &more), (once, 0));
        }
    }
}
