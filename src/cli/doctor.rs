//! `emu doctor`: what is wrong with this machine or project, and how to mend it.

mod checks;
mod facts;
mod gather;
mod machine;
mod project;
mod sockets;

use std::process::ExitCode;

use clap::{Args, ValueHint};
use serde_json::json;

use self::checks::{CHECKS, Finding, Severity};
use super::start::{self, Lines};
use super::{ProjectArgs, output};

#[derive(Args, Debug)]
pub struct DoctorArgs {
    #[command(flatten)]
    project: ProjectArgs,
    /// The folder that keeps the state [default: `.emu` in the project's folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    state: Option<std::path::PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
    let facts = start::runtime(Lines::Err)?.block_on(gather::facts(&args.project, args.state.as_deref()));
    let findings = checks::findings(&facts);
    let broken = findings.iter().any(|finding| finding.severity == Severity::Broken);
    if args.json {
        let names: Vec<&str> = CHECKS.iter().map(|(name, _)| *name).collect();
        output::print(&format!("{:#}\n", json!({ "version": facts.version, "checks": names, "findings": findings })));
    } else {
        output::print(&shown(&findings, output::colours_out()));
    }
    Ok(if broken { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn shown(findings: &[Finding], colour: bool) -> String {
    let paint = |code: &str, text: &str| if colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() };
    let mut text = String::new();
    for Finding { check, severity, what, why, mend } in findings {
        let word = match severity {
            Severity::Broken => paint("1;31", "broken"),
            Severity::Doubtful => paint("1;33", "doubtful"),
        };
        text.push_str(&format!("{word} {}: {what}\n  why   {why}\n  mend  {}\n\n", paint("2", check), paint("1", mend)));
    }
    let count = |wanted| findings.iter().filter(|finding| finding.severity == wanted).count();
    let checks = CHECKS.len();
    match (count(Severity::Broken), count(Severity::Doubtful)) {
        (0, 0) => text.push_str(&format!("{}: {checks} checks found nothing wrong\n", paint("1;32", "all is well"))),
        (broken, doubtful) => text.push_str(&format!("{checks} checks: {broken} broken, {doubtful} doubtful\n")),
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_says_what_why_and_how_to_mend_it() {
        let found = Finding {
            check: "files",
            severity: Severity::Broken,
            what: "a process may have 200 files open".into(),
            why: "emu needs about that many".into(),
            mend: "ulimit -n 4096".into(),
        };
        let text = "broken files: a process may have 200 files open\n  why   emu needs about that many\n  mend  ulimit -n 4096\n\n13 checks: 1 broken, 0 doubtful\n";
        assert_eq!(shown(std::slice::from_ref(&found), false), text);
        assert_eq!(shown(&[], false), "all is well: 13 checks found nothing wrong\n");
        assert!(shown(&[found], true).contains("\x1b[1;31mbroken\x1b[0m"));
    }
}
