//! The command that `emu exec` runs: started in a process group of its own, so that all of it can be ended.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

/// How a command ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended {
    Exited(ExitStatus),
    /// emu was told to stop, and ended it.
    Stopped(ExitStatus),
    /// It was not found, or may not be run.
    NotFound(String),
    /// It took longer than it was given.
    TimedOut,
}

/// How long a command may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// Runs a command until it ends, `timeout` has passed, or emu is told to stop; then nothing of it runs any more.
pub async fn run(command: &[String], environment: &[(String, String)], timeout: Option<Duration>) -> anyhow::Result<Ended> {
    let (program, arguments) = command.split_first().context("no command was given")?;
    let mut builder = Command::new(program);
    std::env::vars_os().map(|(name, _)| name).filter(|name| leads_away(&name.to_string_lossy())).for_each(|name| {
        builder.env_remove(name);
    });
    builder.args(arguments).envs(environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::inherit()).kill_on_drop(true);
    // A command that reads from the terminal must stay in the terminal's own group.
    let own_group = !std::io::IsTerminal::is_terminal(&std::io::stdin());
    if own_group {
        builder.process_group(0);
    }
    let mut child = match builder.spawn() {
        Ok(child) => child,
        Err(error) if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied) => {
            return Ok(Ended::NotFound(format!("`{program}` cannot be run: {error}")));
        }
        Err(error) => return Err(error).with_context(|| format!("`{program}` cannot be started")),
    };
    let group = Group { id: child.id().filter(|_| own_group) };
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let limit = async {
        match timeout {
            Some(timeout) => tokio::time::sleep(timeout).await,
            None => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        status = child.wait() => Ended::Exited(status?),
        _ = interrupt.recv() => Ended::Stopped(end(&mut child, &group, libc::SIGINT).await?),
        _ = terminate.recv() => Ended::Stopped(end(&mut child, &group, libc::SIGTERM).await?),
        _ = hang_up.recv() => Ended::Stopped(end(&mut child, &group, libc::SIGHUP).await?),
        () = limit => {
            end(&mut child, &group, libc::SIGTERM).await?;
            Ended::TimedOut
        }
    };
    // Whatever the command left running ends with it.
    group.signal(libc::SIGKILL);
    Ok(ended)
}

/// Whether a variable of the developer's shell would take the SDKs elsewhere, to the cloud even, or have them look for credentials that
/// nobody needs here. Source: "AWS SDKs and Tools Reference Guide", service-specific endpoints and credential providers.
pub fn leads_away(variable: &str) -> bool {
    const NAMES: [&str; 5] =
        ["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"];
    NAMES.contains(&variable) || variable.starts_with("AWS_ENDPOINT_URL_")
}

/// Asks the command to end, and makes it.
async fn end(child: &mut Child, group: &Group, with: i32) -> std::io::Result<ExitStatus> {
    if !group.signal(with) {
        // In the terminal's group the terminal has told the command already; a kill from elsewhere has not.
        if let Some(id) = child.id() {
            signal_process(id, with);
        }
    }
    if let Ok(status) = tokio::time::timeout(GRACE, child.wait()).await {
        return status;
    }
    group.signal(libc::SIGKILL);
    child.start_kill()?;
    child.wait().await
}

struct Group {
    id: Option<u32>,
}

impl Group {
    /// Sends a signal to all of the group; false where the command has no group of its own.
    fn signal(&self, number: i32) -> bool {
        let Some(id) = self.id.and_then(|id| i32::try_from(id).ok()) else { return false };
        // SAFETY: `kill` has no preconditions; the worst it can do is to answer that there is no such group.
        unsafe { libc::kill(-id, number) };
        true
    }
}

fn signal_process(id: u32, number: i32) {
    if let Ok(id) = i32::try_from(id) {
        // SAFETY: as above; the process is our own child and has not been waited for, so the number is still its.
        unsafe { libc::kill(id, number) };
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    async fn sh(script: &str, timeout_ms: Option<u64>) -> Ended {
        let command = ["sh", "-c", script].map(str::to_owned);
        run(&command, &[("GREETING".into(), "hello".into())], timeout_ms.map(Duration::from_millis)).await.expect("it runs")
    }

    #[tokio::test]
    async fn the_exit_code_and_the_environment_pass_through() {
        assert_eq!(sh("test \"$GREETING\" = hello && exit 7", None).await, Ended::Exited(ExitStatus::from_raw(7 << 8)));
        assert!(matches!(run(&["/no/such/command".to_owned()], &[], None).await, Ok(Ended::NotFound(_))));
    }

    #[test]
    fn what_would_take_sdks_elsewhere_stays_outside() {
        for (variable, wanted) in
            [("AWS_PROFILE", true), ("AWS_ENDPOINT_URL_S3", true), ("AWS_ENDPOINT_URL", false), ("AWS_REGION", false), ("PATH", false)]
        {
            assert_eq!(leads_away(variable), wanted, "{variable}");
        }
    }

    #[tokio::test]
    async fn what_a_command_leaves_running_ends_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("pid");
        sh(&format!("sleep 1000 & echo $! > {}", file.display()), None).await;
        let left: i32 = std::fs::read_to_string(file).expect("the file").trim().parse().expect("a number");
        // The kernel may take a moment to end a killed process; while it is ending it is a zombie or gone.
        let state =
            || std::fs::read_to_string(format!("/proc/{left}/stat")).ok().and_then(|s| s.rsplit(") ").next().map(|r| r[..1].to_owned()));
        while state().is_some_and(|s| s != "Z") {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_command_that_takes_too_long_is_ended() {
        assert_eq!(sh("sleep 1000", Some(50)).await, Ended::TimedOut);
    }
}
