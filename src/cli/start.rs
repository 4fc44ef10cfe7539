//! `emu start`: a project that runs until it is told to stop.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::dashboard::{self, Notes};
use super::findings::Watcher;
use super::pricing::ListPrices;
use super::{EXIT_NOT_STARTED, LogFormat, ProjectArgs, RunArgs, StartArgs, output};
use crate::app::{App, NotStarted, Options, url};
use crate::project::firebase::{Endpoint, Trigger};
use crate::project::{Load, Port};
use crate::telemetry::{self, Record, Subscriber};

/// Who starts a project: this decides what is usual where nothing was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A developer at work: the usual ports, a state that is kept.
    Start,
    /// A test run: free ports, a state that is thrown away.
    Exec,
}

pub fn run(args: &StartArgs) -> anyhow::Result<ExitCode> {
    let format = args.run.log_format;
    let (notes, kept) = Notes::new();
    let shown = dashboard::is_wanted(args);
    runtime(if shown { Lines::Notes(notes.clone()) } else { Lines::Err })?.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let app = match App::start(options(&args.run, Purpose::Start)).await {
            Ok(app) => app,
            Err(error) => return not_started(error),
        };
        if shown {
            return dashboard::show(app, notes, kept, [&mut interrupt, &mut terminate]).await;
        }
        // Before it says that it is ready: whoever waits for that may send a request before this thread goes on.
        let (records, watcher) = (app.subscribe(), Watcher::start(&app));
        ready(&app, format);
        let printer = Printer::start(records, format, Stream::Out)?;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        // A second Ctrl-C does not wait.
        let stopped = tokio::select! {
            _ = app.stop() => true,
            _ = interrupt.recv() => false,
        };
        if stopped {
            watcher.finish().await;
            printer.finish();
        }
        Ok(if stopped { ExitCode::SUCCESS } else { ExitCode::from(128 + 2) })
    })
}

/// Where emu's own log lines go.
pub enum Lines {
    Err,
    /// To the dashboard while it is shown.
    Notes(Notes),
    File(Arc<File>),
}

/// The runtime that everything runs on, and a place for emu's own log lines.
pub fn runtime(to: Lines) -> anyhow::Result<tokio::runtime::Runtime> {
    let filter =
        tracing_subscriber::EnvFilter::try_from_env("EMU_LOG").unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("emu=info,warn"));
    let colour = matches!(to, Lines::Err) && output::colours();
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_target(false);
    // An error says that a test has set one up already.
    let _ = match to {
        // The dashboard has its own column for the time.
        Lines::Notes(notes) => lines.without_time().with_writer(move || notes.clone()).try_init(),
        Lines::File(file) => lines.with_writer(file).try_init(),
        Lines::Err => lines.with_writer(std::io::stderr).try_init(),
    };
    tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("emu").build().context("the system gives no threads")
}

/// How a project is read.
pub fn load(args: &ProjectArgs) -> Load {
    Load {
        stage: args.stage.clone(),
        project_id: args.project_id.clone(),
        params: args.param.iter().cloned().collect(),
        env: std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect(),
        ..Load::new(&args.project)
    }
}

/// What the arguments ask for.
pub fn options(args: &RunArgs, purpose: Purpose) -> Options {
    let exec = purpose == Purpose::Exec;
    Options {
        load: Load { seeds: args.seed.iter().map(|seed| absolute(seed)).collect(), ..load(&args.project) },
        state: args.state.clone(),
        // What is imported is looked at; the state of one's own work stays as it is.
        ephemeral: args.ephemeral || (args.state.is_none() && (exec || args.import.is_some())),
        import: args.import.as_deref().map(absolute),
        host: args.host,
        ports: args.ports.iter().map(|port| (port.face, port.port)).collect(),
        any_ports: exec,
        strict_ports: args.strict_ports,
        strict: args.strict,
        watch: !exec,
        prices: Arc::new(ListPrices),
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Says why nothing was started.
pub fn not_started(error: NotStarted) -> anyhow::Result<ExitCode> {
    match error {
        NotStarted::Project(problems) => {
            output::problems(&problems);
            Ok(ExitCode::from(EXIT_NOT_STARTED))
        }
        NotStarted::Failed(error) => Err(error),
    }
}

/// How long lines wait for others after some were written. A thread that is woken for each costs those who wake it more than the line.
const GATHER: Duration = Duration::from_millis(10);
/// Bytes of lines that are written in one go.
const WRITTEN_AT_ONCE: usize = 64 << 10;

/// Where records are printed.
#[derive(Clone, Debug)]
pub enum Stream {
    Out,
    /// Standard output belongs to the command that `emu exec` runs.
    Err,
    /// With the time before each line.
    File(Arc<File>),
}

/// Prints what happens, as it happens, on a thread of its own: whoever reads the lines slowly must not hold up the work.
pub struct Printer {
    end: CancellationToken,
    thread: std::thread::JoinHandle<()>,
}

impl Printer {
    pub fn start(mut records: Subscriber, format: LogFormat, stream: Stream) -> anyhow::Result<Printer> {
        let (end, runtime) = (CancellationToken::new(), tokio::runtime::Handle::current());
        let told = end.clone();
        let work = move || {
            let mut text = String::new();
            let (mut going, mut missed) = (true, 0);
            while going {
                // What had happened by the end is printed too.
                let mut next = runtime.block_on(told.run_until_cancelled(records.next())).flatten();
                going = next.is_some();
                if !going {
                    next = records.next().now_or_never().flatten();
                }
                // What is there already is written at once.
                while let Some(record) = next {
                    if records.missed() > missed {
                        text.push_str(&missed_line(records.missed() - missed, format));
                        missed = records.missed();
                    }
                    if format == LogFormat::Json || telemetry::reads_along(&record) {
                        text.push_str(&line(&record, format, &stream));
                        text.push('\n');
                    }
                    if text.len() >= WRITTEN_AT_ONCE {
                        write(&text, &stream);
                        text.clear();
                    }
                    next = records.next().now_or_never().flatten();
                }
                write(&text, &stream);
                text.clear();
                // A timer is made inside of the runtime only.
                runtime.block_on(async { told.run_until_cancelled(tokio::time::sleep(GATHER)).await });
            }
        };
        let thread = std::thread::Builder::new().name("emu-print".into()).spawn(work)?;
        Ok(Printer { end, thread })
    }

    /// Prints what has happened until now, and ends.
    pub fn finish(self) {
        self.end.cancel();
        // It does not panic; if it did, there would only be fewer lines.
        let _ = self.thread.join();
    }
}

fn line(record: &Arc<Record>, format: LogFormat, stream: &Stream) -> String {
    let pretty = |colour| telemetry::line(record, telemetry::Format::Pretty { colour });
    match (format, stream) {
        (LogFormat::Json, _) => telemetry::line(record, telemetry::Format::Json),
        (LogFormat::Pretty, Stream::Out) => pretty(output::colours_out()),
        (LogFormat::Pretty, Stream::Err) => pretty(output::colours()),
        (LogFormat::Pretty, Stream::File(_)) => {
            format!("{} {}", record.at().utc().with_timezone(&chrono::Local).format("%H:%M:%S%.3f"), pretty(false))
        }
    }
}

/// Says that lines are missing: in the place where they would be.
fn missed_line(records: u64, format: LogFormat) -> String {
    match format {
        LogFormat::Json => format!("{}\n", json!({ "type": "missed", "records": records })),
        LogFormat::Pretty if records == 1 => "warn 1 record is missing here: it came faster than these lines are read\n".to_owned(),
        LogFormat::Pretty => format!("warn {records} records are missing here: they came faster than these lines are read\n"),
    }
}

/// Writes lines.
fn write(text: &str, stream: &Stream) {
    // Where nobody reads any more there is nobody to tell.
    let _ = match stream {
        Stream::Out => std::io::stdout().lock().write_all(text.as_bytes()),
        Stream::Err => std::io::stderr().lock().write_all(text.as_bytes()),
        Stream::File(file) => (&**file).write_all(text.as_bytes()),
    };
}

fn put(text: &str) {
    write(&format!("{text}\n"), &Stream::Out);
}

/// Says that everything answers, and where.
fn ready(app: &App, format: LogFormat) {
    output::problems(app.problems());
    let addresses = app.addresses();
    let (http, aws, admin) = (addresses.url(Port::Http), addresses.url(Port::Aws), addresses.url(Port::Admin));
    if format == LogFormat::Json {
        let notes = app.notes();
        let all: Map<String, Value> = addresses.iter().map(|(port, address)| (port.name().to_owned(), json!(url(address)))).collect();
        put(&json!({ "type": "ready", "addresses": all, "notes": notes }).to_string());
        return;
    }
    let project = app.project();
    let mut text = String::new();
    for note in app.notes() {
        text.push_str(&format!("note: {note}\n"));
    }
    let plural = |n: usize, one: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") };
    text.push_str(&format!("emu runs {} ({}), {}\n\n", project.service, project.stage, plural(project.functions.len(), "function")));
    text.push_str(&format!("  HTTP API   {http}\n  AWS        {aws}   AWS_ENDPOINT_URL={aws}\n  mail       {aws}/_aws/ses\n  admin      {admin}/emu/v1/health\n\n"));
    if let Some(firebase) = &project.firebase {
        text.push_str(&format!("  Firebase   {}\n", firebase.project_id));
        let faces = addresses.iter().filter(|(port, _)| !matches!(port, Port::Http | Port::Aws | Port::Admin));
        faces.for_each(|(port, address)| text.push_str(&format!("  {:<10} {}\n", port.name(), url(address))));
        text.push('\n');
    }
    for route in app.functions().catalog().routes.iter() {
        text.push_str(&format!("  {:<28} {}\n", route.key(), route.function));
    }
    if let (Some(firebase), Some(at)) = (&project.firebase, addresses.get(Port::Functions)) {
        let callable = |endpoint: &&Endpoint| matches!(endpoint.trigger, Trigger::Https | Trigger::Callable);
        for (function, endpoint) in project.functions.iter().filter_map(|f| Some((f, f.firebase.as_deref().filter(callable)?))) {
            text.push_str(&format!("  {}/{}/{}/{}\n", url(at), firebase.project_id, endpoint.region(), function.name));
        }
    }
    text.push_str("\nCtrl-C stops it.");
    put(&text);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::base::Time;
    use crate::telemetry::{Level, Problem, Sink};

    #[tokio::test]
    async fn lines_are_printed_as_records_come_and_what_is_left_at_the_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let sink = Sink::new(16);
        let stream = Stream::File(Arc::new(File::create(&path).expect("a file")));
        let printer = Printer::start(sink.subscribe(), LogFormat::Json, stream).expect("a thread");
        let tell = |message: &str| {
            let message = message.to_owned();
            sink.put(|| Record::Problem(Problem { at: Time(0), level: Level::Warn, message, help: None, place: None, frame: None }));
        };
        let printed = || std::fs::read_to_string(&path).expect("the log").lines().count();
        let deadline = Instant::now() + Duration::from_secs(10);
        for count in 1..4 {
            tell("one after the other");
            while printed() < count {
                assert!(Instant::now() < deadline, "{count} lines");
                tokio::task::yield_now().await;
            }
        }
        tell("together");
        tell("at the end");
        printer.finish();
        assert_eq!(printed(), 5);
    }

    #[test]
    fn what_is_missing_is_said_where_it_is_missing() {
        assert_eq!(missed_line(1, LogFormat::Pretty), "warn 1 record is missing here: it came faster than these lines are read\n");
        assert_eq!(
            missed_line(70_000, LogFormat::Pretty),
            "warn 70000 records are missing here: they came faster than these lines are read\n"
        );
        assert_eq!(missed_line(3, LogFormat::Json), "{\"type\":\"missed\",\"records\":3}\n");
    }
}
