//! `emu exec -- CMD`: a command against a project that is there for as long as the command runs.

mod github;
mod junit;
mod leaves;
mod place;
mod report;
mod seen;
mod summary;
mod verdict;

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, ValueHint};

use self::report::Report;
use self::seen::{Seen, Watching};
pub use self::verdict::{Condition, counted};
use super::budget::{BudgetArgs, Judged, Watch};
use super::child::{self, Ended};
use super::findings::Watcher;
use super::places::Places;
use super::start::{self, Lines, Printer, Purpose, Stream};
use super::{LogFormat, RunArgs, output};
use crate::app::firebase::{environment, outside};
use crate::app::{App, NotStarted, Stopped, check_bundle_place};
use crate::cost::Book;
use crate::project::{Port, Problem, Renderer};
use crate::telemetry::{self, Level};

#[derive(Args, Debug)]
pub struct ExecArgs {
    #[command(flatten)]
    run: RunArgs,
    /// End the command after this time: `90s`, `10m`, `2h`, `500ms`, or a number of seconds (exit code 124)
    #[arg(long, value_name = "DURATION", value_parser = timeout)]
    timeout: Option<Duration>,
    /// Fail where one of these happened although the command succeeded
    #[arg(long, value_name = "WHAT,…", value_delimiter = ',')]
    fail_on: Vec<Condition>,
    /// Where the run fails, leave the state, the journal and the traces in this folder, for `emu start --import DIR`
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    export_on_fail: Option<PathBuf>,
    /// Write the command, problems, conditions and budgets as JUnit XML
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    junit: Option<PathBuf>,
    /// Write log lines to this file; the terminal gets the command's own and the summary
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    log_file: Option<PathBuf>,
    #[command(flatten)]
    budget: BudgetArgs,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "CMD", value_hint = ValueHint::CommandWithArguments)]
    command: Vec<String>,
}

pub fn run(args: &ExecArgs) -> anyhow::Result<ExitCode> {
    if let Some(dir) = &args.export_on_fail {
        check_bundle_place(dir)?;
    }
    let log = args.log_file.as_deref().map(create).transpose()?.map(Arc::new);
    let lines = log.clone().map_or(Lines::Err, Lines::File);
    start::runtime(lines)?.block_on(async {
        let app = match App::start(start::options(&args.run, Purpose::Exec)).await {
            Ok(app) => app,
            Err(error) => return not_started(error, args),
        };
        begin(&app, args.run.log_format, log.as_deref())?;
        let budgets = match Watch::start(&app, &args.budget) {
            Ok(budgets) => budgets,
            Err(error) => {
                app.stop().await;
                return Err(error);
            }
        };
        let printer = Printer::start(app.subscribe(), args.run.log_format, log.map_or(Stream::Err, Stream::File))?;
        let (seeing, watcher, places) = (Watching::start(app.subscribe(), &app.told()), Watcher::start(&app), Places::new(&app));
        let (began, clock) = (Utc::now(), Instant::now());
        let ended = child::run(&args.command, &environment(&app), args.timeout).await;
        let took = clock.elapsed();
        // Whoever broke the command off does not want to wait.
        if (budgets.is_some() || !args.fail_on.is_empty()) && matches!(&ended, Ok(Ended::Exited(status)) if status.code().is_some()) {
            Watch::delivered(&app).await?;
        }
        let root = app.project().root.clone();
        let stopped = app.stop().await;
        watcher.finish().await;
        printer.finish();
        let (seen, ended) = (seeing.finish().await?, ended?);
        let judged = match budgets {
            Some(budgets) => Some(budgets.finish(&places, &args.budget, has_succeeded(&ended)).await?),
            None => None,
        };
        let ran = Ran { began, took, ended, seen, judged, root };
        Ok(ExitCode::from(tell(args, &stopped, ran).await?))
    })
}

/// What is known when everything has stopped.
struct Ran {
    began: DateTime<Utc>,
    took: Duration,
    ended: Ended,
    seen: Seen,
    judged: Option<Judged>,
    root: PathBuf,
}

fn has_succeeded(ended: &Ended) -> bool {
    matches!(ended, Ended::Exited(status) if status.success())
}

/// Tells what came of a run, everywhere where that was asked for; answers the exit code.
async fn tell(args: &ExecArgs, stopped: &Stopped, ran: Ran) -> anyhow::Result<u8> {
    let over = ran.judged.as_ref().map_or(0, |judged| judged.exceeded.len() as u64);
    let verdict = verdict::judge(&ran.ended, args.timeout, &args.fail_on, &ran.seen, over);
    let mut report = Report {
        command: report::typed(&args.command),
        began: ran.began,
        took: ran.took,
        seen: ran.seen,
        judged: ran.judged,
        asked: args.fail_on.clone(),
        verdict,
        waiting: stopped.waiting().await?,
        book: Book::of(args.budget.budget_provider),
        root: ran.root,
        bundle: None,
        log: args.log_file.clone(),
    };
    // Who breaks a run off wants it to end, and where nothing ran there is nothing to look at.
    let is_whole = matches!(ran.ended, Ended::Exited(_) | Ended::TimedOut);
    if let Some(dir) = args.export_on_fail.as_deref().filter(|_| report.verdict.code != 0 && is_whole) {
        match leaves::bundle(stopped, dir, &report).await {
            Ok(()) => report.bundle = Some(dir.to_owned()),
            Err(error) => output::warning(&format!("{} was not written: {error:#}", dir.display())),
        }
    }
    if let Some(file) = &args.junit {
        write(file, &junit::xml(&report.suites(), report.began))?;
    }
    annotate(&report.annotations(), &report.root);
    // Where standard error is closed there is nobody to tell.
    let _ = match args.run.log_format {
        LogFormat::Json => writeln!(std::io::stderr(), "{}", report.json()),
        LogFormat::Pretty => write!(std::io::stderr(), "{}", summary::text(&report, output::colours())),
    };
    Ok(report.verdict.code)
}

/// Says why nothing was started, in every way that was asked for.
fn not_started(error: NotStarted, args: &ExecArgs) -> anyhow::Result<ExitCode> {
    if let NotStarted::Project(problems) = &error {
        let mut seen = Seen::default();
        let mut renderer = Renderer::new(std::env::current_dir().unwrap_or_default(), false);
        problems.iter().for_each(|problem| seen.add_problem(&record(problem, &mut renderer)));
        if let Some(file) = &args.junit {
            write(file, &junit::xml(&[report::problems_suite(&seen)], Utc::now()))?;
        }
        let annotations: Vec<_> = seen.problems.iter().map(report::annotation).collect();
        annotate(&annotations, &std::env::current_dir().unwrap_or_default());
    }
    start::not_started(error)
}

/// A problem of a project as a record tells it.
fn record(problem: &Problem, renderer: &mut Renderer) -> telemetry::Problem {
    let level = if problem.severity == crate::project::Severity::Error { Level::Error } else { Level::Warn };
    telemetry::Problem {
        at: crate::base::Time(0),
        level,
        message: problem.message.clone(),
        help: problem.help.clone(),
        place: problem.at.as_ref().map(|at| format!("{}:{}:{}", at.file.display(), at.line, at.column)),
        frame: Some(renderer.render(problem)),
    }
}

fn annotate(annotations: &[github::Annotation], root: &Path) {
    if github::is_wanted(|name| std::env::var(name).ok()) {
        let folders = github::Folders { root, repository: &report::repository() };
        let _ = write!(std::io::stderr(), "{}", github::lines(annotations, &folders));
    }
}

/// Says what should be said at the start, and what is wrong with the project although it runs.
fn begin(app: &App, format: LogFormat, log: Option<&File>) -> anyhow::Result<()> {
    let notes: String = match format {
        LogFormat::Json => String::new(),
        LogFormat::Pretty => app.notes().iter().map(|note| format!("note: {note}\n")).collect(),
    };
    let Some(mut log) = log else {
        // Where standard error is closed there is nobody to tell.
        let _ = write!(std::io::stderr(), "{notes}");
        output::problems(app.problems());
        return Ok(());
    };
    let mut renderer = Renderer::new(std::env::current_dir().unwrap_or_default(), false);
    let text = notes + &renderer.render_all(app.problems());
    log.write_all(text.as_bytes()).context("the log file cannot be written")
}

fn create(file: &Path) -> anyhow::Result<File> {
    make_folder(file)?;
    // Appended to, for emu's own lines and those of records come from several threads.
    File::create(file)
        .and_then(|_| File::options().append(true).open(file))
        .with_context(|| format!("{} cannot be written", file.display()))
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    make_folder(file)?;
    std::fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
}

fn make_folder(file: &Path) -> anyhow::Result<()> {
    match file.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => std::fs::create_dir_all(parent).with_context(|| format!("{} cannot be made", parent.display())),
        None => Ok(()),
    }
}

/// `90s`, `10m`, `2h`, `1d`, `500ms`, or a number of seconds.
pub fn timeout(text: &str) -> Result<Duration, String> {
    let millis = text.strip_suffix("ms").and_then(|number| Some(Duration::from_millis(number.parse().ok()?)));
    let seconds = || Some(Duration::from_secs(text.parse().ok()?));
    let duration = millis.or_else(seconds).or_else(|| telemetry::journal::ago(text));
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "write 90s, 10m, 2h, 500ms or a number of seconds".to_owned())
}

/// What tells the command, and the SDKs in it, where everything is.
fn environment(app: &App) -> Vec<(String, String)> {
    let (addresses, project) = (app.addresses(), app.project());
    let region = project.region.clone();
    let all = [
        ("EMU_URL", addresses.url(Port::Http)),
        ("EMU_ADMIN_URL", addresses.url(Port::Admin)),
        ("AWS_ENDPOINT_URL", addresses.url(Port::Aws)),
        ("AWS_ACCESS_KEY_ID", "emu".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "emu".to_owned()),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
    ]
    .map(|(name, value)| (name.to_owned(), value));
    let firebase = project.firebase.iter().flat_map(|firebase| environment::variables(firebase, addresses));
    let look = |name: &str| std::env::var(name).ok();
    let outside = outside::prepare(app.state_folder(), addresses, look).unwrap_or_else(|error| {
        output::warning(&format!("the admin SDK will not reach Cloud Messaging: {error}"));
        Vec::new()
    });
    all.into_iter().chain(firebase).chain(outside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_a_length_of_time() {
        for (text, wanted) in [
            ("90", Some(90_000)),
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("2h", Some(7_200_000)),
            ("500ms", Some(500)),
            ("0", None),
            ("0s", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(timeout(text).ok(), wanted.map(Duration::from_millis), "{text}");
        }
    }
}
