//! `emu start` on a terminal: the dashboard in the place of log lines.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use tokio::signal::unix::Signal;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::findings::Watcher;
use super::{LogFormat, StartArgs, output};
use crate::app::App;
use crate::base::Time;
use crate::tui::{self, Ended, Prices, Sources, State};

/// Commands and answers that may wait.
const WAITING_MAX: usize = 64;
/// Lines that may wait to be shown as problems.
const NOTES_MAX: usize = 256;

/// Whether there is somebody to look: a terminal at both ends, and nobody asked for lines.
pub fn is_wanted(args: &StartArgs) -> bool {
    let dumb = std::env::var_os("TERM").is_none_or(|term| term.is_empty() || term == "dumb");
    !args.no_tui && args.run.log_format == LogFormat::Pretty && !dumb && io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Where emu's own log lines go: to standard error, or to the dashboard while it is shown.
#[derive(Clone)]
pub struct Notes {
    tell: mpsc::Sender<String>,
    shown: Arc<AtomicBool>,
}

impl Notes {
    /// A way for lines, and its other end.
    pub fn new() -> (Notes, mpsc::Receiver<String>) {
        let (tell, notes) = mpsc::channel(NOTES_MAX);
        (Notes { tell, shown: Arc::default() }, notes)
    }
}

impl Write for Notes {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.shown.load(Ordering::Relaxed) {
            // Where too many wait already, one more tells nothing new.
            let _ = self.tell.try_send(String::from_utf8_lossy(line).into_owned());
            return Ok(line.len());
        }
        io::stderr().write(line)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows the dashboard until the person quits it or a signal comes, then stops emu. A further signal does not wait for that.
pub async fn show(app: App, notes: Notes, kept: mpsc::Receiver<String>, signals: [&mut Signal; 2]) -> anyhow::Result<ExitCode> {
    let [interrupt, terminate] = signals;
    let (commands, asked) = mpsc::channel(WAITING_MAX);
    let (answers, messages) = mpsc::channel(WAITING_MAX);
    let (stop, prices) = (CancellationToken::new(), prices());
    let mut about = app.about();
    about.providers = prices.providers().len();
    let mut state = State::new(about, now());
    app.earlier().await?.into_iter().for_each(|record| state.apply(Arc::new(record)));
    app.told().into_iter().for_each(|record| state.apply(Arc::new(record)));
    let sources = Sources {
        records: app.subscribe(),
        messages,
        commands,
        notes: kept,
        tell: notes.tell.clone(),
        dropped: Box::new(app.dropped_counter()),
        prices,
        colours: output::colours_out(),
        stop: stop.clone(),
    };
    let watcher = Watcher::start(&app);
    let desk = tokio::spawn(app.desk().run(asked, answers));
    let (ending, ended) = oneshot::channel::<()>();
    let runtime = tokio::runtime::Handle::current();
    notes.shown.store(true, Ordering::Relaxed);
    let work = move || {
        // Dropped when this thread ends, by a panic too.
        let _ending = ending;
        runtime.block_on(tui::run(state, sources))
    };
    let thread = std::thread::Builder::new().name("emu-tui".into()).spawn(work)?;
    tokio::select! {
        _ = ended => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    stop.cancel();
    let shown = tokio::task::spawn_blocking(move || thread.join()).await?;
    notes.shown.store(false, Ordering::Relaxed);
    desk.abort();
    watcher.finish().await;
    let stopped = tokio::select! {
        _ = app.stop() => true,
        _ = interrupt.recv() => false,
        _ = terminate.recv() => false,
    };
    match shown {
        Ok(Ok(Ended::Asked | Ended::Stopped | Ended::Gone)) if stopped => Ok(ExitCode::SUCCESS),
        Ok(Ok(_)) => Ok(ExitCode::from(128 + 2)),
        Ok(Err(error)) => Err(error).context("the dashboard cannot use this terminal; `emu start --no-tui` prints lines"),
        Err(_) => Err(anyhow::anyhow!("the dashboard broke off, please report the message above; `emu start --no-tui` does without it")),
    }
}

/// What the dashboard takes prices from.
fn prices() -> Box<dyn Prices> {
    Box::new(super::pricing::Books::new())
}

fn now() -> Time {
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
    Time(i64::try_from(millis).unwrap_or(i64::MAX))
}
