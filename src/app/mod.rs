//! The program: a project, its state, and everything that runs on them, from start to stop.

mod administer;
mod deadlines;
mod desk;
mod inbox;
mod invocations;
pub mod memory;
mod offline;
mod reload;
mod resources;
mod seed;
mod state;
mod states;
mod time;
mod world;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::base::{Clock, Ids};
use crate::functions::{Bounds, Functions, Parts, Surroundings};
use crate::gateway::{self, Endpoints, Face, Network};
use crate::project::{self, Load, Loaded, Problem, Project};
use crate::sandbox::{self, Sandbox};
use crate::services::Services;
use crate::telemetry::journal::{self, Feed, Journal};
use crate::telemetry::{self, Record, Sink, Subscriber};
use crate::triggers::{self, Triggers};
use crate::wire::aws::Aws;
use crate::wire::aws::arn::Account;
pub use desk::Desk;
pub use invocations::{Biller, Cost, Prices};
pub use offline::Offline;
pub use state::{Holder, StateFolder, kept};
pub use states::{Part, Snapshot, States};
use world::World;

/// The file of a World's database in its state folder.
const DATABASE: &str = "state.db";

/// What to run, and how.
pub struct Options {
    /// The project, and what its variables see.
    pub load: Load,
    /// The folder of the state; `None` where the project says, or `.emu` in its folder.
    pub state: Option<PathBuf>,
    /// The state is thrown away at the end.
    pub ephemeral: bool,
    pub host: IpAddr,
    /// Ports that were asked for; those that were not are the project's, else the usual ones (or any free ones).
    pub ports: Ports,
    /// Ports that nobody asked for are any free ones rather than the usual ones.
    pub any_ports: bool,
    /// Fail where a port is taken.
    pub strict_ports: bool,
    /// Reload as files change.
    pub watch: bool,
    /// What invocations cost, for whoever asks the admin API.
    pub prices: Arc<dyn Prices>,
}

/// Ports of the faces.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    pub http: Option<u16>,
    pub aws: Option<u16>,
    pub admin: Option<u16>,
}

/// The usual ports.
const HTTP_PORT: u16 = 3000;
const AWS_PORT: u16 = 4566;
const ADMIN_PORT: u16 = 4400;

/// Records that a slow reader may be behind.
const RECORDS_MAX: usize = 16_384;
/// Characters of a mail's subject that its record keeps.
const SUBJECT_CHARS_MAX: usize = 1_000;
/// How long deliveries under way may take to end at a stop; what does not is delivered again at the next start.
const GRACE: Duration = Duration::from_secs(2);

/// Where the faces answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub http: SocketAddr,
    pub aws: SocketAddr,
    pub admin: SocketAddr,
}

/// Why nothing was started.
#[derive(Debug)]
pub enum NotStarted {
    /// The project is wrong: everything that is.
    Project(Vec<Problem>),
    Failed(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for NotStarted {
    fn from(error: E) -> NotStarted {
        NotStarted::Failed(error.into())
    }
}

/// A running emu.
pub struct App {
    shared: Arc<Shared>,
    addresses: Addresses,
    /// What should be said at the start: ports that were taken, warnings of the project.
    notes: Vec<String>,
    warnings: Vec<Problem>,
    shutdown: CancellationToken,
    tasks: JoinSet<()>,
    _watch: Option<reload::Watching>,
    /// Ends before the folder that it is in is let go of.
    _journal: Journal,
    _state: StateFolder,
}

/// What the parts of a running emu share.
pub(crate) struct Shared {
    pub(crate) load: Load,
    pub(crate) project: Mutex<Arc<Project>>,
    pub(crate) world: World,
    pub(crate) states: States,
    /// Held by whoever moves the clock through the times that somebody waits for.
    pub(crate) moving: tokio::sync::Mutex<()>,
    pub(crate) functions: Functions,
    pub(crate) triggers: Triggers,
    pub(crate) network: Network,
    pub(crate) account: Account,
    pub(crate) sink: Sink,
    pub(crate) addresses: Addresses,
    pub(crate) journal: Feed,
    pub(crate) prices: Arc<dyn Prices>,
    pub(crate) shutdown: CancellationToken,
}

impl Shared {
    /// The project as it was last loaded without errors.
    pub(crate) fn project(&self) -> Arc<Project> {
        self.project.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

struct Listeners {
    http: gateway::Bound,
    aws: gateway::Bound,
    admin: gateway::Bound,
}

impl App {
    /// Starts everything; answers once every face answers. A function is built when it is first called, or soon.
    pub async fn start(options: Options) -> Result<App, NotStarted> {
        let (sink, ids, clock) = (Sink::new(RECORDS_MAX), Ids::random(), Clock::system());
        let mut load = options.load.clone();
        let Loaded { project, warnings } = project::load(&load).map_err(NotStarted::Project)?;
        let listeners = listen(&options, &project).await?;
        let addresses = Addresses { http: listeners.http.address, aws: listeners.aws.address, admin: listeners.admin.address };
        // The project names its own addresses, in queue URLs for one; so it is read again where they are not those it was read with.
        let (aws_url, http_url) = (url(addresses.aws), url(addresses.http));
        let project = if (&load.aws_url, &load.http_url) == (&aws_url, &http_url) {
            project
        } else {
            (load.aws_url, load.http_url) = (aws_url.clone(), http_url);
            project::load(&load).map_err(NotStarted::Project)?.project
        };
        let project = Arc::new(project);
        let account = Account::local(&project.region);
        let mut state = take_state(&options, &project, &ids)?;
        let kept = project.settings.journal;
        let bounds = journal::Bounds { records_max: kept.records_max, bytes_max: kept.bytes_max };
        let journal = Journal::start(&state.path().join(journal::FILE_NAME), bounds, sink.subscribe())?;
        // Compiling or reading the engine takes a thread; meanwhile the state is opened on this one.
        let engine = tokio::task::spawn_blocking(|| Sandbox::new(sandbox::Options::new(cache_folder())));
        let new = !state.path().join(DATABASE).exists();
        let world = World::open(state.path(), clock.clone(), ids.clone(), options.ephemeral).await?;
        let mut problems = resources::ensure(&world.services, &project, &account).await;
        let sandbox = engine.await.context("the sandbox's engine could not be made ready")??;
        let network = Network::default();
        network.allow(&project.settings.allow);
        let functions = Functions::new(Parts {
            engine: Arc::new(sandbox),
            network: Arc::new(network.clone()),
            clock: clock.clone(),
            ids: ids.clone(),
            sink: sink.clone(),
            surroundings: Surroundings { account: account.id.to_string(), aws_url, cache: Some(cache_folder()) },
            bounds: Bounds::default(),
        })?;
        let Services { queues, tables, topics, .. } = world.services.clone();
        let joined = triggers::aws::Services::new(queues, topics, tables, account.clone(), ids.clone());
        let triggers = Triggers::start(world.db.clone(), joined.ports(Arc::new(functions.clone()), sink.clone()), account.clone()).await?;
        tell_of_mails(&world, &sink);
        let origin = gateway::Origin { clock: clock.clone(), eras: world.db.eras().clone(), ids: ids.clone(), sink: sink.clone() };
        let aws = Aws::new(&world.services, Arc::new(triggers.clone()), &account, &clock, &ids);
        let makings = states::Makings {
            folder: state.path().to_owned(),
            world: world.clone(),
            ids: ids.clone(),
            account: account.clone(),
            ephemeral: options.ephemeral,
            running: Some(states::Running { triggers: triggers.clone(), functions: functions.clone() }),
        };
        let states = States::open(makings)?;
        if new {
            seed::load(&aws, &project).await?;
            states.keep_seeded(&project).await.context("the seeded state could not be kept for `emu state reset`")?;
        }
        let aws = Arc::new(gateway::AwsFace { aws, origin: origin.clone() });
        let api = Arc::new(gateway::Api { functions: functions.clone(), origin: origin.clone() });
        network.connect(Endpoints {
            aws: aws.clone(),
            aws_port: addresses.aws.port(),
            api: api.clone(),
            api_port: addresses.http.port(),
            origin: origin.clone(),
        });
        let shutdown = CancellationToken::new();
        let shared = Arc::new(Shared {
            load,
            project: Mutex::new(project.clone()),
            world,
            states,
            moving: tokio::sync::Mutex::default(),
            functions,
            triggers,
            network,
            account,
            sink,
            addresses,
            journal: journal.feed(),
            prices: options.prices.clone(),
            shutdown: shutdown.clone(),
        });
        shared.functions.open(project.clone());
        problems.extend(apply_triggers(&shared, &project).await?);
        let mut tasks = JoinSet::new();
        let admin = Arc::new(gateway::Admin { world: shared.clone(), origin });
        let mut notes = taken_ports(&listeners);
        notes.extend(time::note(shared.world.db.clock()));
        let faces: [(gateway::Bound, Arc<dyn Face>); 3] = [(listeners.http, api), (listeners.aws, aws), (listeners.admin, admin)];
        for (bound, face) in faces {
            tasks.spawn(gateway::serve(bound.listener, face, shutdown.clone()));
        }
        tasks.spawn(check(shared.clone(), shutdown.clone()));
        tasks.spawn(deadlines::keep(shared.clone(), shutdown.clone()));
        if !new {
            prepare_reset(&shared);
        }
        state.announce(Some(url(addresses.admin)))?;
        let watch = if options.watch { Some(reload::watch(&shared)?) } else { None };
        let warnings = warnings.into_iter().chain(problems).collect();
        Ok(App { shared, addresses, notes, warnings, shutdown, tasks, _watch: watch, _journal: journal, _state: state })
    }

    /// Where the faces answer.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The project as it is now.
    pub fn project(&self) -> Arc<Project> {
        self.shared.project()
    }

    /// What should be said at the start, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What is wrong with the project although it runs.
    pub fn problems(&self) -> &[Problem] {
        &self.warnings
    }

    /// Everything that happens from now on.
    pub fn subscribe(&self) -> Subscriber {
        self.shared.sink.subscribe()
    }

    /// How many records readers were too slow to see.
    pub fn dropped(&self) -> u64 {
        self.shared.sink.dropped()
    }

    /// The functions, to call one without a port.
    pub fn functions(&self) -> &Functions {
        &self.shared.functions
    }

    /// The files that a function's last build read, by its key; none where it was not built yet.
    pub fn sources(&self) -> impl Fn(&str) -> BTreeSet<PathBuf> + Send + Sync + 'static {
        let functions = self.shared.functions.clone();
        move |name| functions.catalog().get(name).map_or_else(BTreeSet::new, |entry| entry.inputs.clone())
    }

    /// Gives the project as it is at the time, for whoever outlives a reload.
    pub fn projects(&self) -> impl Fn() -> Arc<Project> + Send + Sync + 'static {
        let shared = self.shared.clone();
        move || shared.project()
    }

    /// Where records go, for whoever has something to tell.
    pub fn sink(&self) -> Sink {
        self.shared.sink.clone()
    }

    /// Waits until nothing is on its way from a trigger to its target (see [`Triggers::idle`]).
    pub async fn idle(&self) -> anyhow::Result<()> {
        Ok(self.shared.triggers.idle().await?)
    }

    /// Stops: takes no more requests, lets what is under way end for a moment, lets go of the state.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        self._watch = None;
        self.shared.triggers.shutdown(GRACE).await;
        while self.tasks.join_next().await.is_some() {}
    }
}

/// An address as a URL; for an address that means all, the loopback's.
pub fn url(address: SocketAddr) -> String {
    let ip = match address.ip() {
        ip if ip.is_unspecified() => "127.0.0.1".to_owned(),
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => format!("[{ip}]"),
    };
    format!("http://{ip}:{}", address.port())
}

/// Where a project's state is kept.
pub fn state_folder(chosen: Option<&Path>, project: &Project) -> PathBuf {
    match (chosen, &project.settings.state) {
        (Some(folder), _) => folder.to_owned(),
        (None, Some(folder)) => project.root.join(folder),
        (None, None) => project.root.join(".emu"),
    }
}

fn take_state(options: &Options, project: &Project, ids: &Ids) -> anyhow::Result<StateFolder> {
    if options.ephemeral {
        StateFolder::ephemeral(&ids.hex(8))
    } else {
        StateFolder::keep(&state_folder(options.state.as_deref(), project))
    }
}

/// Where compiled engines and evaluated dependencies are kept between runs: a cache, lost without harm.
fn cache_folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("EMU_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("emu")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/emu")))
        .unwrap_or_else(|| std::env::temp_dir().join("emu-cache"))
}

async fn listen(options: &Options, project: &Project) -> anyhow::Result<Listeners> {
    let configured = &project.settings.ports;
    let bind = async |name: &str, asked: Option<u16>, configured: Option<u16>, usual: u16| {
        let port = asked.unwrap_or(if options.any_ports { 0 } else { configured.unwrap_or(usual) });
        gateway::bind(options.host, port, options.strict_ports).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => {
                anyhow!("port {port} for `{name}` is taken; end what listens there, or choose another with `--ports {name}=PORT`")
            }
            _ => anyhow!("`{name}` cannot listen on {}:{port}: {error}", options.host),
        })
    };
    Ok(Listeners {
        http: bind("http", options.ports.http, configured.http, HTTP_PORT).await?,
        aws: bind("aws", options.ports.aws, configured.aws, AWS_PORT).await?,
        admin: bind("admin", options.ports.admin, configured.admin, ADMIN_PORT).await?,
    })
}

fn taken_ports(listeners: &Listeners) -> Vec<String> {
    let all = [("http", &listeners.http), ("aws", &listeners.aws), ("admin", &listeners.admin)];
    let moved = all.iter().filter_map(|(name, bound)| bound.instead_of.map(|port| (name, port, bound.address.port())));
    moved.map(|(name, port, now)| format!("port {port} is taken, so `{name}` listens on {now}")).collect()
}

/// Has every mail that arrives told of.
fn tell_of_mails(world: &World, sink: &Sink) {
    let sink = sink.clone();
    world.services.mail.listen(Box::new(move |call, mail| {
        sink.put(|| {
            Record::Mail(telemetry::Mail {
                id: mail.id.as_str().into(),
                trace: call.trace.clone(),
                parent: call.cause.clone(),
                at: mail.at,
                began_micros: sink.span(std::time::Instant::now()).began_micros,
                from: mail.source.clone(),
                to: mail.addresses().skip(1).map(str::to_owned).collect(),
                subject: mail.subject.chars().take(SUBJECT_CHARS_MAX).collect(),
            })
        });
    }));
}

/// Puts a project's triggers in place; answers what of them cannot be used.
pub(crate) async fn apply_triggers(shared: &Shared, project: &Project) -> anyhow::Result<Vec<Problem>> {
    let wrong = shared.triggers.apply(project).await.context("the triggers could not be put in place")?;
    let problem = |message| Problem { severity: project::Severity::Error, message, help: None, at: None };
    Ok(wrong.into_iter().map(problem).collect())
}

/// Tells whoever reads the records of what is wrong with the project.
pub(crate) fn tell(shared: &Shared, problems: &[Problem]) {
    let mut renderer = project::Renderer::new(shared.project().root.clone(), false);
    for problem in problems {
        let frame = renderer.render(problem);
        shared.sink.put(|| Record::Problem(reload::record(problem, frame, shared.world.db.now())));
    }
}

/// How long those who call as soon as emu answers have the machine for themselves.
const FIRST_CALLERS: Duration = Duration::from_millis(100);

/// Has the state made that a reset goes back to, unless it is there, while others work.
pub(crate) fn prepare_reset(shared: &Arc<Shared>) {
    let shared = shared.clone();
    tokio::spawn(async move {
        let project = shared.project();
        if let Some(Err(error)) = shared.shutdown.run_until_cancelled(shared.states.prepare(&project)).await {
            tracing::warn!("`emu state reset` will not work until this is mended: {error:#}");
        }
    });
}

/// Looks the functions through that nobody calls meanwhile, and says what is wrong with any.
async fn check(shared: Arc<Shared>, shutdown: CancellationToken) {
    let work = async {
        tokio::time::sleep(FIRST_CALLERS).await;
        shared.functions.check_all().await
    };
    if let Some(problems) = shutdown.run_until_cancelled(work).await {
        tell(&shared, &problems);
    }
    memory::release();
}
