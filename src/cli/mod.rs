//! The command line: what can be asked of emu, and the exit codes it answers with.

mod args;
mod budget;
mod calls;
mod check;
mod child;
mod clock;
mod cost;
mod dashboard;
mod difference;
mod doctor;
mod exec;
mod findings;
#[cfg(test)]
mod help_tests;
mod indexes;
mod init;
mod invoke;
mod logs;
mod man;
mod output;
mod places;
mod prices;
mod pricing;
mod records;
mod remote;
mod schema;
mod start;
mod state;
mod trace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use args::*;

/// A developer's whole serverless cloud on a laptop.
///
/// emu runs the functions of a `serverless.yaml` in WebAssembly sandboxes and emulates the services around them
/// (DynamoDB, S3, SQS, SNS, SES, Lambda, schedules) for the genuine AWS SDKs, and the functions and services of a
/// `firebase.json` (Authentication, Firestore, Storage, Cloud Messaging, Pub/Sub, Hosting) for the genuine Firebase SDKs.
#[derive(Parser, Debug)]
#[command(name = "emu", version, propagate_version = true, arg_required_else_help = true, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "Examples:
  emu init my-api                      begin a project
  emu start                            run the project in this folder, reload on save
  emu exec -- npm test                 run tests against a fresh copy of the project, then end
  emu invoke register --data '{}'      call one function once
  emu logs -f --function register      read along what a function logs and does
  emu trace latest                     see what the last request led to, and how long each part took
  emu state reset                      go back to the seeded state, without a restart
  emu clock advance 25h                have everything happen that is due by then
  emu check                            read the project file and say what is wrong with it
  emu doctor                           say what is wrong with this machine or project
  emu prices --provider aws            the prices that costs are reckoned with";

#[derive(Subcommand, Debug)]
enum Command {
    /// Begin a project: a small, complete one, with tests, ready to run and to deploy
    ///
    /// On a terminal it asks what it is not told; elsewhere, and with `--yes`, it takes what is usual. It never overwrites:
    /// where other files are in the way it lists them and writes nothing, and `--force` shows what would change in each
    /// and asks. Lines are added to a `.gitignore` that is there. A folder in no Git repository becomes one.
    ///
    /// Exit code 1 where something is in the way.
    #[command(after_help = "Examples:
  emu init                                    ask, and begin in this folder
  emu init my-api                             an API in TypeScript, in a new folder
  emu init jobs --template queue-worker --yes
  emu init --list")]
    Init(InitArgs),
    /// Run a project and reload it as its files change
    ///
    /// Listens on the loopback only, unless `--host` says otherwise. State is kept in `.emu/` between runs; a kill at
    /// any moment loses nothing that was acknowledged.
    #[command(after_help = "Examples:
  emu start
  emu start --project fixtures/shop --ports http=8080,aws=4567
  emu start --import post-mortem               look at what a failed `emu exec` left
  emu start --ephemeral --log-format json")]
    Start(StartArgs),
    /// Run a command against a project, then end everything and return the command's exit code
    ///
    /// Uses free ports and a state that is thrown away, unless told otherwise. The command is
    /// started when everything answers, with these variables set: EMU_URL (the HTTP API),
    /// EMU_ADMIN_URL, AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION,
    /// AWS_DEFAULT_REGION; for a Firebase project also GCLOUD_PROJECT, FIREBASE_CONFIG,
    /// FIREBASE_EMULATOR_HUB, the ..._EMULATOR_HOST of its services, and __FIREBASE_DEFAULTS__,
    /// which saves web code the calls that connect it.
    ///
    /// A summary follows on standard error: invocations, errors, the slowest, retries, dead
    /// letters, cost; a JSON object with `--log-format json`. Where GITHUB_ACTIONS or CI is set,
    /// problems are annotated at their places. `docs/exec.md` tells of all of it.
    ///
    /// With `--fail-on` and with budgets (here, or under `emu.budget` in the project file) it waits
    /// until what the command set off by events has been delivered too, and then reckons what one
    /// call of each route and function cost with all that it set off: the mean of those that
    /// succeeded. Functions' time is an estimate; where only its upper end is above a budget, that
    /// is a warning. A baseline holds only what was counted.
    ///
    /// Exit codes, the first that applies:
    ///
    ///   125      emu could not start
    ///   127      the command was not found
    ///   124      the command took longer than `--timeout`
    ///   128 + N  signal N ended the command
    ///   the command's own, if it is not 0
    ///   122      an event or message was given up (`--fail-on dead-letter`)
    ///   121      a function failed (`--fail-on error`)
    ///   120      a host that is not allowed was asked for (`--fail-on denied-host`)
    ///   123      a route or function costs more than its budget or than the baseline
    ///   0        all is well
    #[command(
        verbatim_doc_comment,
        after_help = "Examples:
  emu exec -- node --test test/
  emu exec --seed test/data --timeout 10m -- pytest -x
  emu exec --fail-on dead-letter,denied-host -- npm test
  emu exec --junit emu.xml --log-file emu.log --export-on-fail post-mortem -- npm test
  emu start --import post-mortem                       look at what the failed run left
  emu exec --budget 'POST /orders<=0.00004' --budget resize<=0.0001 -- npm test
  emu exec --budget-write costs.json -- npm test       keep what everything costs now,
  emu exec --budget-baseline costs.json -- npm test    and fail once something costs more"
    )]
    Exec(Box<exec::ExecArgs>),
    /// Call a function once and print its answer
    ///
    /// Asks the emu that runs this project, if one does; else starts one for the call, on the project's own state.
    #[command(after_help = "Examples:
  emu invoke register --event events/register.json
  emu invoke expireOrders
  echo '{\"id\": 7}' | emu invoke getOrder --event -")]
    Invoke(InvokeArgs),
    /// Show what happened: logs, requests, invocations, deliveries, mails, reloads, problems
    ///
    /// Reads the journal in the project's state folder, whether emu runs or not. Values of keys that look like secrets are
    /// hidden. Operations on services are shown where they failed or came from outside, and all of them with `--trace` or
    /// `--json`.
    #[command(after_help = "Examples:
  emu logs --since 10m
  emu logs -f --function createOrder
  emu logs --trace 4bf92f35 --json")]
    Logs(LogsArgs),
    /// Draw what one request led to: functions, operations, events and the next functions, with their times
    ///
    /// Reads the journal in the project's state folder, whether emu runs or not. Every answer names its trace in the header
    /// `x-emu-trace-id`.
    #[command(after_help = "Examples:
  emu trace latest
  emu trace 4bf92f35
  emu trace latest --json")]
    Trace(TraceArgs),
    /// Save, restore, reset, export, import and compare the state as a whole
    ///
    /// Asks the emu that runs this project, if one does; else opens the state itself. Every change takes place in one step:
    /// what is killed in the middle of it leaves the state before or the one after.
    #[command(after_help = "Examples:
  emu state reset                      the seeded state of a new start
  emu state reset mail                 an empty inbox, all else stays
  emu state snapshot before-migration
  emu state diff before-migration      from then to now
  emu state restore before-migration
  emu state export fixtures/state      text files, for the sources
  emu state import fixtures/state --no-triggers")]
    State {
        #[command(flatten)]
        whose: WholeArgs,
        #[command(subcommand)]
        command: state::Command,
    },
    /// Show and move the clock: of schedules, expiries, hidden messages, retries, `Date.now()` and timers
    ///
    /// How it stands to the machine's is part of the state: it is there after a restart, and in snapshots and exports.
    #[command(after_help = "Examples:
  emu clock show
  emu clock advance 25h                everything that is due by then happens, in order
  emu clock set '2026-12-24 18:00'
  emu clock freeze                     nothing with a deadline happens
  emu clock resume
  emu clock set now                    the machine's time again")]
    Clock {
        #[command(flatten)]
        whose: WholeArgs,
        #[command(subcommand)]
        command: clock::Command,
    },
    /// List the indexes that Firestore's queries wanted and the project does not declare, and add them to its file
    ///
    /// Production refuses such queries. Here they run, with one warning each, unless emu was started with `--strict`. What
    /// stands in the file stays, with its comments. Asks the emu that runs this project.
    #[command(after_help = "Examples:
  emu indexes
  emu indexes --write")]
    Indexes(indexes::IndexesArgs),
    /// Read the project file, resolve it, and say what is wrong with it
    ///
    /// Exit code 1 where there are errors.
    #[command(after_help = "Examples:
  emu check
  emu check --project fixtures/shop --stage prod
  emu check --print                    the project with every variable and reference resolved")]
    Check(CheckArgs),
    /// Print the JSON Schema of the project file, for editors
    ///
    /// It knows every key that emu knows. An editor with the YAML language server uses it where a line of the file says so:
    ///
    ///   # yaml-language-server: $schema=.vscode/serverless.schema.json
    #[command(
        verbatim_doc_comment,
        after_help = "Examples:
  emu schema > .vscode/serverless.schema.json"
    )]
    Schema,
    /// Print the prices that costs are reckoned with, each with its source and date
    ///
    /// Another price, another region, a discount? Lay a file of yours over emu's own: what it says of
    /// a price holds, what it leaves out stays. Prices go by the key that `--json` shows; an amount is
    /// dollars in quotes:
    ///
    ///   provider: aws
    ///   items:
    ///     lambda-duration: {price: "0.0000141667", note: our savings plan}
    ///
    /// Exit code 1 where a file is wrong.
    #[command(
        verbatim_doc_comment,
        after_help = "Examples:
  emu prices
  emu prices --provider aws,cloudflare
  emu prices --file our-prices.yaml --json"
    )]
    Prices(PricesArgs),
    /// Say what the recorded work would cost, at each provider
    ///
    /// Reads the journal of the project, whether it runs or not. Operations, requests and bytes are counted and priced
    /// exactly; the time of functions is estimated and shown as a range, with its assumptions below. What a request
    /// sets off by events is on its bill.
    #[command(after_help = "Examples:
  emu cost                                   each route, schedule and operation, side by side
  emu cost --per 1M                          of a million calls each
  emu cost --provider aws --by function      one provider, by function
  emu cost --monthly 3M --free-tier on       a month of three million calls, with what is free
  emu cost --trace latest                    only the last request")]
    Cost(CostArgs),
    /// Say what is wrong with this machine or project, why that matters, and the command that mends it
    ///
    /// Looks at the project file, packages, the state and who has it, ports, variables that would take SDKs elsewhere,
    /// folders, disks, limits on watched folders, files and memory, and the clock. Changes nothing.
    ///
    /// Exit code 1 where something is broken; what is only doubtful is told, too.
    #[command(after_help = "Examples:
  emu doctor
  emu doctor --project fixtures/shop --json")]
    Doctor(doctor::DoctorArgs),
    /// Print the manual page, or write one for each command
    #[command(after_help = "Examples:
  emu man | man -l -
  emu man --dir ~/.local/share/man/man1")]
    Man {
        /// Write `emu.1`, `emu-start.1` and so on into this folder
        #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
        dir: Option<PathBuf>,
    },
    /// Print a completion script for a shell
    #[command(after_help = "Examples:
  emu completions bash > ~/.local/share/bash-completion/completions/emu
  emu completions zsh > ~/.zfunc/_emu")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// emu itself could not start.
const EXIT_NOT_STARTED: u8 = 125;

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    crate::app::memory::limit();
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Start(args) => start::run(&args),
        Command::Exec(args) => exec::run(&args),
        Command::Invoke(args) => invoke::run(&args),
        Command::Logs(args) => logs::run(&args),
        Command::Trace(args) => trace::run(&args),
        Command::State { whose, command } => {
            let (json, journal) = whose.split();
            state::run(&command, &journal, json)
        }
        Command::Clock { whose, command } => {
            let (json, journal) = whose.split();
            clock::run(&command, &journal, json)
        }
        Command::Indexes(args) => indexes::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Man { dir } => man::run(&Cli::command(), dir.as_deref()),
        Command::Schema => schema::run(),
        Command::Prices(args) => prices::run(&args),
        Command::Cost(args) => cost::run(&args),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "emu", &mut std::io::stdout());
            Ok(ExitCode::SUCCESS)
        }
    };
    result.unwrap_or_else(|error| {
        output::error(&error);
        ExitCode::from(EXIT_NOT_STARTED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Port;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn ports_are_read_and_wrong_ones_say_what_is_right() {
        assert_eq!("aws=4566".parse(), Ok(PortArg { face: Port::Aws, port: 4566 }));
        for (text, wanted) in [("aws", "write NAME=PORT"), ("awz=1", "there is no face `awz`"), ("aws=70000", "`70000` is not a port")] {
            let error = text.parse::<PortArg>().expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
