//! `emu man`: manual pages, made of the same text as `--help`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Command;
use clap_mangen::Man;

use super::output;

/// Prints the page of the whole program, or writes one for each command.
pub fn run(command: &Command, dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let Some(dir) = dir else {
        output::print(&page(command.clone())?);
        return Ok(ExitCode::SUCCESS);
    };
    std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made", dir.display()))?;
    let mut written = 0u64;
    for (name, page) in pages(command)? {
        let file = dir.join(format!("{name}.1"));
        std::fs::write(&file, page).with_context(|| format!("{} cannot be written", file.display()))?;
        written += 1;
    }
    output::print(&format!("{} in {}\n", super::exec::counted(written, "page"), dir.display()));
    Ok(ExitCode::SUCCESS)
}

/// The page of each command by its name: `emu`, `emu-state`, `emu-state-reset`.
fn pages(command: &Command) -> anyhow::Result<Vec<(String, String)>> {
    let mut whole = command.clone().disable_help_subcommand(true);
    whole.build();
    let (mut made, mut pending) = (Vec::new(), vec![whole]);
    while let Some(command) = pending.pop() {
        pending.extend(command.get_subcommands().filter(|inner| !inner.is_hide_set()).cloned());
        let name = command.get_display_name().unwrap_or(command.get_name()).to_owned();
        made.push((name, page(command)?));
    }
    made.sort();
    Ok(made)
}

fn page(command: Command) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    Man::new(command).render(&mut bytes)?;
    Ok(String::from_utf8(bytes)?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_options_and_examples() {
        let pages = pages(&crate::cli::Cli::command()).expect("made");
        let page =
            |name: &str| pages.iter().find(|(known, _)| known == name).map(|(_, page)| page.as_str()).unwrap_or_else(|| panic!("{name}"));
        for (name, wanted) in [
            ("emu", "emu\\-exec(1)"),
            ("emu-exec", "export\\-on\\-fail"),
            ("emu-exec", "emu exec \\-\\-fail\\-on"),
            ("emu-state-reset", "emu state reset mail"),
            ("emu-doctor", ".SH SYNOPSIS"),
        ] {
            assert!(page(name).contains(wanted), "{wanted}\n{}", page(name));
        }
        assert!(pages.iter().all(|(name, page)| page.starts_with(".ie") && page.contains(".TH") && !name.ends_with("help")));
    }
}
