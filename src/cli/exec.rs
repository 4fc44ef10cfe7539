//! `emu exec -- CMD`: a command against a project that is there for as long as the command runs.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitCode;
use std::time::Duration;

use super::child::{self, Ended};
use super::start::{self, Printer, Purpose, Stream};
use super::{ExecArgs, output};
use crate::app::{App, url};

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
        let printer = Printer::start(app.subscribe(), args.run.log_format, Stream::Err)?;
        let ended = child::run(&args.command, &environment(&app), args.timeout.map(Duration::from_secs)).await;
        app.stop().await;
        printer.finish();
        Ok(match ended? {
            Ended::Exited(status) => match (status.code(), status.signal()) {
                (Some(code), _) => ExitCode::from(code.clamp(0, 255) as u8),
                (None, Some(signal)) => ExitCode::from((128 + signal).clamp(0, 255) as u8),
                (None, None) => ExitCode::FAILURE,
            },
            Ended::NotFound(why) => {
                output::error(&anyhow::anyhow!(why));
                ExitCode::from(EXIT_NOT_FOUND)
            }
            Ended::TimedOut => {
                output::error(&anyhow::anyhow!("the command took longer than {} s and was ended", args.timeout.unwrap_or_default()));
                ExitCode::from(EXIT_TIMED_OUT)
            }
        })
    })
}

/// What tells the command, and the SDKs in it, where everything is.
fn environment(app: &App) -> Vec<(String, String)> {
    let addresses = app.addresses();
    let region = app.project().region.clone();
    [
        ("EMU_URL", url(addresses.http)),
        ("EMU_ADMIN_URL", url(addresses.admin)),
        ("AWS_ENDPOINT_URL", url(addresses.aws)),
        ("AWS_ACCESS_KEY_ID", "emu".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "emu".to_owned()),
        ("AWS_REGION", region.clone()),
        ("AWS_DEFAULT_REGION", region),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec()
}
