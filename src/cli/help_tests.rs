//! What `--help` shows, compared with what is understood.

use clap::{Command, CommandFactory};

use super::Cli;

/// Every command with its path: `emu state reset`.
fn all(command: &Command, path: &str, into: &mut Vec<(String, Command)>) {
    into.push((path.to_owned(), command.clone()));
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        all(inner, &format!("{path} {}", inner.get_name()), into);
    }
}

/// The words of a line as a shell takes them, up to a pipe, a redirection, a comment or what is said about it (two spaces).
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote, mut spaces) = (Vec::new(), None::<String>, None, 0);
    for c in line.trim().chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => {
                words.extend(word.take());
                spaces += 1;
                if spaces > 1 {
                    break;
                }
                continue;
            }
            (None, '|' | '>' | '#') if word.is_none() => break,
            (None, c) => word.get_or_insert_default().push(c),
        }
        spaces = 0;
    }
    words.extend(word);
    words
}

#[test]
fn every_command_has_examples_of_itself_and_each_is_understood() {
    let mut commands = Vec::new();
    all(&Cli::command(), "emu", &mut commands);
    assert!(commands.len() > 20, "{}", commands.len());
    for (path, command) in commands {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let (_, examples) = help.split_once("Examples:\n").unwrap_or_else(|| panic!("`{path} --help` has no examples"));
        let lines: Vec<&str> = examples.lines().filter_map(|line| line.find("emu ").map(|at| &line[at..])).collect();
        assert!(lines.iter().any(|line| line.starts_with(&path)), "`{path} --help` has no example of itself:\n{examples}");
        for line in lines {
            let parsed = Cli::command().try_get_matches_from(words(line));
            assert!(parsed.is_ok(), "`{path} --help` shows `{line}`, which is not understood: {}", parsed.expect_err("it is wrong"));
        }
    }
}
