//! `emu exec -- CMD`: a command against a project that is there for as long as the command runs.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::time::Duration;

use super::budget::Watch;
use super::child::{self, Ended};
use super::findings::Watcher;
use super::places::Places;
use super::start::{self, Printer, Purpose, Stream};
use super::{ExecArgs, output};
use crate::app::App;
use crate::app::firebase::environment;
use crate::project::Port;

/// The command succeeded, but something cost more than it may.
const EXIT_OVER_BUDGET: u8 = 123;
/// The command took longer than `--timeout`; as `timeout(1)` answers.
const EXIT_TIMED_OUT: u8 = 124;
/// The command was not found; as shells answer.
const EXIT_NOT_FOUND: u8 = 127;

pub fn run(args: &ExecArgs) -> anyhow::Result<ExitCode> {
    start::runtime(None)?.block_on(async {
        let app = match App::start(start::options(&args.run, Purpose::Exec)).await {
            Ok(app) => app,
            Err(error) => return start::not_started(error),
        };
        output::problems(app.problems());
        let watch = match Watch::start(&app, &args.budget) {
            Ok(watch) => watch,
            Err(error) => {
                app.stop().await;
                return Err(error);
            }
        };
        let printer = Printer::start(app.subscribe(), args.run.log_format, Stream::Err)?;
        let (watcher, places) = (Watcher::start(&app), Places::new(&app));
        let ended = child::run(&args.command, &environment(&app), args.timeout.map(Duration::from_secs)).await;
        // Whoever broke the command off does not want to wait.
        if watch.is_some() && matches!(&ended, Ok(Ended::Exited(status)) if status.code().is_some()) {
            Watch::delivered(&app).await?;
        }
        app.stop().await;
        watcher.finish().await;
        printer.finish();
        let code = code(ended?, args);
        let Some(watch) = watch else { return Ok(ExitCode::from(code)) };
        let kept = watch.finish(&places, &args.budget, code == 0).await?;
        Ok(ExitCode::from(if code == 0 && !kept { EXIT_OVER_BUDGET } else { code }))
    })
}

/// The exit code for how the command ended, which is said where the command cannot.
fn code(ended: Ended, args: &ExecArgs) -> u8 {
    match ended {
        Ended::Exited(status) => match (status.code(), status.signal()) {
            (Some(code), _) => code.clamp(0, 255) as u8,
            (None, Some(signal)) => (128 + signal).clamp(0, 255) as u8,
            (None, None) => 1,
        },
        Ended::NotFound(why) => {
            output::error(&anyhow::anyhow!(why));
            EXIT_NOT_FOUND
        }
        Ended::TimedOut => {
            output::error(&anyhow::anyhow!("the command took longer than {} s and was ended", args.timeout.unwrap_or_default()));
            EXIT_TIMED_OUT
        }
    }
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
    all.into_iter().chain(firebase).collect()
}
