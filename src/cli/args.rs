//! The arguments of the commands: what clap reads, and what its texts say.

use super::init;
use crate::cost::Provider;
use crate::project::Port;
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum, ValueHint};
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// The project's folder; made where it does not exist [default: this one]
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) dir: Option<PathBuf>,
    /// What to begin with
    #[arg(long, short = 't', value_name = "NAME", value_parser = PossibleValuesParser::new(init::names()))]
    pub(super) template: Option<String>,
    /// Print the templates
    #[arg(long)]
    pub(super) list: bool,
    /// Ask nothing; with `--force`, replace every file that differs
    #[arg(long, short = 'y')]
    pub(super) yes: bool,
    /// Replace files that are in the way, after showing what would change in each and asking
    #[arg(long)]
    pub(super) force: bool,
}

/// Which project, and how it is read.
#[derive(Args, Debug, Clone)]
pub(super) struct ProjectArgs {
    /// The project's folder, or its project file
    #[arg(long, short = 'p', value_name = "DIR", default_value = ".", value_hint = ValueHint::AnyPath, env = "EMU_PROJECT")]
    pub(super) project: PathBuf,
    /// The stage: what `${sls:stage}` and `${opt:stage}` give
    #[arg(long, value_name = "NAME")]
    pub(super) stage: Option<String>,
    /// A parameter: what `${param:NAME}` gives; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub(super) param: Vec<(String, String)>,
    /// The Firebase project: its name, or an alias of `.firebaserc` [default: the one that is called `default` there]
    #[arg(long, value_name = "ID")]
    pub(super) project_id: Option<String>,
}

#[derive(Args, Debug, Clone)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    /// Ports, e.g. `http=3000,aws=4566,admin=4400,auth=9099`; 0 takes any free one
    #[arg(long, value_name = "NAME=PORT,…", value_delimiter = ',', value_parser = PortArg::from_str)]
    pub(super) ports: Vec<PortArg>,
    /// Fail where a port is taken, instead of taking the next free one
    #[arg(long)]
    pub(super) strict_ports: bool,
    /// Refuse what production refuses where emu would only warn: queries of Firestore without their index
    #[arg(long)]
    pub(super) strict: bool,
    /// The address to listen on; anything but a loopback address lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub(super) host: IpAddr,
    /// The folder that keeps the state [default: `.emu` in the project's folder]
    #[arg(long, value_name = "DIR", conflicts_with = "ephemeral", value_hint = ValueHint::DirPath)]
    pub(super) state: Option<PathBuf>,
    /// Throw the state away at the end
    #[arg(long)]
    pub(super) ephemeral: bool,
    /// Sample data laid over the project's own, in a state that is new: a folder with `tables/NAME.json` and `objects/BUCKET/…`, or one
    /// such JSON file; may be repeated
    #[arg(long, value_name = "DIR", value_hint = ValueHint::AnyPath)]
    pub(super) seed: Vec<PathBuf>,
    /// Begin with the state of an export (`emu state export`) or of a bundle (`emu exec --export-on-fail`) in the place of the project's
    /// sample data; thrown away at the end unless `--state` names a new folder
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) import: Option<PathBuf>,
    /// How log lines look
    #[arg(long, value_name = "FORMAT", default_value = "pretty")]
    pub(super) log_format: LogFormat,
}

#[derive(Args, Debug)]
pub(super) struct StartArgs {
    #[command(flatten)]
    pub(super) run: RunArgs,
    /// Log lines instead of the dashboard
    #[arg(long)]
    pub(super) no_tui: bool,
}

#[derive(Args, Debug)]
pub(super) struct InvokeArgs {
    /// The function's name in the project file, or its deployed name
    pub(super) name: String,
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    /// A file with the event as JSON; `-` reads standard input
    #[arg(long, short = 'e', value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "data")]
    pub(super) event: Option<PathBuf>,
    /// The event as JSON
    #[arg(long, short = 'd', value_name = "JSON")]
    pub(super) data: Option<String>,
}

#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    /// Print the resolved project as YAML
    #[arg(long)]
    pub(super) print: bool,
}

#[derive(Args, Debug)]
pub(super) struct CostArgs {
    /// What is added up together
    #[arg(long, value_name = "KEY", default_value = "trace")]
    pub(super) by: By,
    /// Scale to so many calls at list prices, e.g. `1M`
    #[arg(long, value_name = "CALLS", value_parser = crate::cost::parse_count, conflicts_with = "monthly")]
    pub(super) per: Option<u64>,
    /// Scale to a month of so many calls, with tiers and what is free
    #[arg(long, value_name = "CALLS", value_parser = crate::cost::parse_count)]
    pub(super) monthly: Option<u64>,
    /// Only at this one, part by part: aws, aws-arm, firebase, gcp, cloudflare, azure
    #[arg(long, value_name = "NAME")]
    pub(super) provider: Option<Provider>,
    /// Whether a month's allowances are taken off
    #[arg(long, value_name = "ON|OFF", default_value = "off")]
    pub(super) free_tier: FreeTier,
    /// Only this trace: its identifier, the beginning of that, or `latest`
    #[arg(long, value_name = "ID")]
    pub(super) trace: Option<String>,
    /// Only what happened within this time: `90s`, `10m`, `2h`, `1d`
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<std::time::Duration>,
    /// A file of prices to lay over emu's own (YAML or JSON); may be repeated
    #[arg(long, short = 'f', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) journal: JournalArgs,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// By what began it: a route, a schedule, a client's operation
    Trace,
    Function,
    Service,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FreeTier {
    On,
    Off,
}

#[derive(Args, Debug)]
pub(super) struct PricesArgs {
    /// Only of these: aws, aws-arm, firebase, gcp, cloudflare, azure
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub(super) provider: Vec<Provider>,
    /// A file of prices to lay over emu's own (YAML or JSON); may be repeated
    #[arg(long, short = 'f', value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) file: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(super) json: bool,
}

/// Whose journal is read.
#[derive(Args, Debug, Clone)]
pub(super) struct JournalArgs {
    #[command(flatten)]
    pub(super) project: ProjectArgs,
    /// The folder that keeps the state [default: `.emu` in the project's folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) state: Option<PathBuf>,
}

/// The same before and after the name of what is to be done.
#[derive(Args, Debug)]
pub(super) struct WholeArgs {
    /// The project's folder, or its project file
    #[arg(long, short = 'p', value_name = "DIR", default_value = ".", value_hint = ValueHint::AnyPath, env = "EMU_PROJECT", global = true)]
    pub(super) project: PathBuf,
    /// The stage: what `${sls:stage}` and `${opt:stage}` give
    #[arg(long, value_name = "NAME", global = true)]
    pub(super) stage: Option<String>,
    /// A parameter: what `${param:NAME}` gives; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair, global = true)]
    pub(super) param: Vec<(String, String)>,
    /// The Firebase project: its name, or an alias of `.firebaserc` [default: the one that is called `default` there]
    #[arg(long, value_name = "ID", global = true)]
    pub(super) project_id: Option<String>,
    /// The folder that keeps the state [default: `.emu` in the project's folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, global = true)]
    pub(super) state: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
}

impl WholeArgs {
    /// Whether JSON is to be printed, and where the state is.
    pub(super) fn split(self) -> (bool, JournalArgs) {
        let project = ProjectArgs { project: self.project, stage: self.stage, param: self.param, project_id: self.project_id };
        (self.json, JournalArgs { project, state: self.state })
    }
}

#[derive(Args, Debug)]
pub(super) struct LogsArgs {
    #[command(flatten)]
    pub(super) journal: JournalArgs,
    /// Go on with what happens, until emu stops
    #[arg(long, short = 'f')]
    pub(super) follow: bool,
    /// Only what is about this function
    #[arg(long, value_name = "NAME")]
    pub(super) function: Option<String>,
    /// Only what is part of this trace; the beginning of its identifier will do, and `latest`
    #[arg(long, value_name = "ID")]
    pub(super) trace: Option<String>,
    /// Only what happened within this time: `90s`, `10m`, `2h`, `1d`
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<std::time::Duration>,
    /// A JSON object a line, as `emu start --log-format json` prints them
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Args, Debug)]
pub(super) struct TraceArgs {
    /// The trace's identifier, or the beginning of it; `latest` is that of the last request that a function answered
    pub(super) id: String,
    #[command(flatten)]
    pub(super) journal: JournalArgs,
    /// The tree as JSON, with everything that is known of each part
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogFormat {
    /// For people
    Pretty,
    /// A JSON object a line
    Json,
}

/// `http=3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PortArg {
    pub(super) face: Port,
    pub(super) port: u16,
}

impl FromStr for PortArg {
    type Err = String;

    fn from_str(text: &str) -> Result<PortArg, String> {
        let (face, port) = text.split_once('=').ok_or("write NAME=PORT, e.g. http=3000")?;
        let face = Port::of(face).ok_or_else(|| {
            let names: Vec<&str> = Port::ALL.into_iter().map(Port::name).collect();
            format!("there is no face `{face}`; there are {}", names.join(", "))
        })?;
        let port = port.parse().map_err(|_| format!("`{port}` is not a port (0 to 65535)"))?;
        Ok(PortArg { face, port })
    }
}

pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).ok_or_else(|| "write NAME=VALUE".to_owned())
}

pub(super) fn since(text: &str) -> Result<std::time::Duration, String> {
    crate::telemetry::journal::ago(text).ok_or_else(|| "write 90s, 10m, 2h or 1d".to_owned())
}
