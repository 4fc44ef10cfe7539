//! The summary at the end of a run: one screen.

use super::report::{Report, dead_line, error_line, problem_line, slow};
use super::verdict::counted;
use crate::telemetry::{Level, duration};

/// Functions whose slowest invocation is named.
const SLOWEST_MAX: usize = 3;
/// Lines of each kind of thing that went wrong.
const LINES_MAX: usize = 2;
/// Columns of a line.
const WIDTH: usize = 110;

/// Text with or without colours.
struct Paint(bool);

impl Paint {
    fn paint(&self, code: &str, text: &str) -> String {
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    fn good(&self, text: &str) -> String {
        self.paint("1;32", text)
    }

    fn bad(&self, text: &str) -> String {
        self.paint("1;31", text)
    }

    fn doubtful(&self, text: &str) -> String {
        self.paint("33", text)
    }

    fn faint(&self, text: &str) -> String {
        self.paint("2", text)
    }
}

/// The summary, with a line feed at its end.
pub fn text(report: &Report, colour: bool) -> String {
    let paint = Paint(colour);
    let (seen, verdict) = (&report.seen, &report.verdict);
    let mut rows: Vec<(&str, String)> = Vec::new();
    let took = duration(u64::try_from(report.took.as_micros()).unwrap_or(u64::MAX));
    rows.push(("command", format!("{}: {} after {took}", report.command, verdict.command)));
    let functions = seen.functions.len() as u64;
    let of = if functions > 0 { format!(" of {}", counted(functions, "function")) } else { String::new() };
    rows.push(("invocations", format!("{}{of}", seen.invocations)));
    if seen.failed + seen.refused > 0 {
        let refused = if seen.refused > 0 { format!(", {} not run", seen.refused) } else { String::new() };
        rows.push(("errors", paint.bad(&format!("{}{refused}", seen.failed))));
        listed(&mut rows, seen.errors.iter().map(error_line), seen.errors.len());
    } else {
        rows.push(("errors", "0".to_owned()));
    }
    let slowest: Vec<String> = seen.slowest(SLOWEST_MAX).into_iter().map(|(function, ran)| slow(function, ran)).collect();
    if !slowest.is_empty() {
        rows.push(("slowest", slowest.join(", ")));
    }
    let waiting = if report.waiting > 0 { format!(", {} waited for a later time", report.waiting) } else { String::new() };
    rows.push(("retries", format!("{}{waiting}", seen.retries)));
    if seen.dead_letters > 0 {
        rows.push(("dead letters", paint.bad(&seen.dead_letters.to_string())));
        listed(&mut rows, seen.dead.iter().map(dead_line), seen.dead.len());
    } else {
        rows.push(("dead letters", "0".to_owned()));
    }
    if seen.denied > 0 {
        rows.push(("denied hosts", paint.bad(&seen.denied.to_string())));
        listed(&mut rows, seen.hosts.iter().map(|denied| denied.line()), seen.hosts.len());
    }
    let (errors, warnings) = (seen.problems_of(Level::Error).count(), seen.problems_of(Level::Warn).count());
    if errors + warnings > 0 {
        let text = format!("{}, {}", counted(errors as u64, "error"), counted(warnings as u64, "warning"));
        rows.push(("problems", if errors > 0 { paint.bad(&text) } else { paint.doubtful(&text) }));
        listed(&mut rows, seen.problems_of(Level::Error).map(problem_line), errors);
    }
    if let Some(cost) = report.cost() {
        rows.push(("cost", cost));
    }
    if seen.missed > 0 {
        rows.push(("missed", paint.doubtful(&format!("{} came too fast to be counted", counted(seen.missed, "record")))));
    }
    if let Some(log) = &report.log {
        rows.push(("log", log.display().to_string()));
    }
    if let Some(bundle) = &report.bundle {
        rows.push(("post-mortem", format!("emu start --import {}", bundle.display())));
    }
    let head = match verdict.reasons.as_slice() {
        [] => paint.good("passed"),
        reasons => format!("{}: {} {}", paint.bad("failed"), reasons.join(", "), paint.faint(&format!("(exit code {})", verdict.code))),
    };
    let mut text = format!("\nemu exec {head}\n");
    for (name, row) in rows {
        text.push_str(&format!("  {} {}\n", paint.faint(&format!("{name:<12}")), row));
    }
    text
}

/// The first lines of a list, and how many more there are.
fn listed(rows: &mut Vec<(&str, String)>, lines: impl Iterator<Item = String>, all: usize) {
    rows.extend(lines.take(LINES_MAX).map(|line| ("", short(&line))));
    if all > LINES_MAX {
        rows.push(("", format!("and {} more kinds", all - LINES_MAX)));
    }
}

/// One line that fits.
fn short(line: &str) -> String {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::super::report::tests::report;
    use super::super::seen::Seen;
    use super::super::verdict::Verdict;
    use super::*;

    #[test]
    fn a_failed_run_says_why_and_fits_on_a_screen() {
        let text = text(&report(), false);
        assert!(text.starts_with("\nemu exec failed: 2 dead letters, 1 budget exceeded (exit code 122)\n"), "{text}");
        for wanted in [
            "  command      npm run 'a b': exit code 0 after 3.21 s\n",
            "  dead letters 2\n",
            "queues/orders → pay was given up 2 times: Error: no <money>",
            "(src/lib/payment.ts:41)",
            "  retries      1, 2 waited for a later time\n",
            "  denied hosts 1\n",
            "api.example.com, asked for by function pay\n",
            "  problems     1 error, 1 warning\n               cannot find module `zod` (src/functions/feed.ts:1)\n",
            " on AWS",
            "  log          emu.log\n",
            "  post-mortem  emu start --import post-mortem\n",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert!(text.lines().count() <= 24, "{text}");
        assert!(!text.contains('\x1b'));
    }

    #[test]
    fn a_run_in_which_nothing_happened_is_short_and_colours_are_only_added() {
        let verdict = Verdict { code: 0, reasons: Vec::new(), command: "exit code 0".into() };
        let quiet = Report { seen: Seen::default(), verdict, waiting: 0, bundle: None, log: None, ..report() };
        let plain = text(&quiet, false);
        assert!(plain.starts_with("\nemu exec passed\n") && plain.lines().count() == 7, "{plain}");
        for run in [&quiet, &report()] {
            let coloured = text(run, true);
            assert!(coloured.contains("\x1b["));
            let mut bare = String::new();
            let mut rest = coloured.as_str();
            while let Some((before, after)) = rest.split_once("\x1b[") {
                bare.push_str(before);
                rest = after.split_once('m').expect("a colour ends").1;
            }
            bare.push_str(rest);
            assert_eq!(bare, text(run, false));
        }
    }

    #[test]
    fn what_functions_throw_cannot_act_on_the_terminal() {
        assert_eq!(short("a\x1b[2Jb\nc"), "a [2Jb c");
        assert_eq!(short(&"é".repeat(WIDTH + 1)).chars().count(), WIDTH + 1);
    }
}
