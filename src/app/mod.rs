//! The program: a project, its state, and everything that runs on them, from start to stop.

mod administer;
mod arrivals;
mod deadlines;
mod desk;
pub mod firebase;
mod inbox;
mod invocations;
pub mod memory;
mod offline;
mod ports;
mod pushes;
mod reload;
mod resources;
mod seed;
mod state;
mod states;
mod stopped;
mod teller;
mod time;
mod versions;
mod world;

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Context;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::base::{Clock, Ids};
use crate::functions::{Bounds, Functions, Parts, Surroundings};
use crate::gateway::{self, Endpoints, Face, Network};
use crate::project::{self, Load, Loaded, Port, Problem, Project};
use crate::sandbox::{self, Sandbox};
use crate::services::Services;
use crate::telemetry::journal::{self, Feed, Journal};
use crate::telemetry::{Record, Sink, Subscriber};
use crate::triggers::{self, Triggers};
use crate::wire::aws::Aws;
use crate::wire::aws::arn::Account;
pub use desk::Desk;
pub use invocations::{Biller, Cost, Prices};
pub use offline::Offline;
use ports::Listeners;
pub use ports::{Addresses, usual_ports};
pub use reload::watched_folders;
pub use state::{Age, Holder, StateFolder, age, kept};
pub use states::bundle::{Leaf, check_place as check_bundle_place};
pub use states::{Part, Snapshot, States};
pub use stopped::Stopped;
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
    /// An export, or a bundle of a test run that failed, whose state a new state begins with; from the root of the file system.
    pub import: Option<PathBuf>,
    pub host: IpAddr,
    /// Ports that were asked for; those that were not are the project's, else the usual ones (or any free ones).
    pub ports: project::Ports,
    /// Ports that nobody asked for are any free ones rather than the usual ones.
    pub any_ports: bool,
    /// Fail where a port is taken.
    pub strict_ports: bool,
    /// Refuse what production refuses where emu would only warn: queries of Firestore without their index.
    pub strict: bool,
    /// Reload as files change.
    pub watch: bool,
    /// What invocations cost, for whoever asks the admin API.
    pub prices: Arc<dyn Prices>,
}

/// Records that a slow reader may be behind.
const RECORDS_MAX: usize = 16_384;
/// How long deliveries under way may take to end at a stop; what does not is delivered again at the next start.
const GRACE: Duration = Duration::from_secs(2);

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
    /// Whether the journal has records from before this start that belong to what is looked at: those of a bundle.
    earlier: bool,
    watch: Option<reload::Watching>,
    _locator: Option<firebase::Locator>,
    /// Ends before the folder that it is in is let go of.
    _journal: Journal,
    state: StateFolder,
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
    /// The sites of a Firebase project.
    pub(crate) hosting: Option<Arc<gateway::Hosting>>,
    /// See [`Options::strict`].
    pub(crate) strict: bool,
    pub(crate) prices: Arc<dyn Prices>,
    pub(crate) shutdown: CancellationToken,
}

impl Shared {
    /// The project as it was last loaded without errors.
    pub(crate) fn project(&self) -> Arc<Project> {
        self.project.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }
}

impl App {
    /// Starts everything; answers once every face answers. A function is built when it is first called, or soon.
    pub async fn start(options: Options) -> Result<App, NotStarted> {
        // Compiling or reading the engine takes a thread; meanwhile the project is read and the state opened on this one.
        let engine = tokio::task::spawn_blocking(|| Sandbox::new(sandbox::Options::new(cache_folder())));
        let (sink, ids, clock) = (Sink::new(RECORDS_MAX), Ids::random(), Clock::system());
        let mut load = options.load.clone();
        if let Some(dir) = &options.import {
            states::bundle::check(dir)?;
            load.import = Some(states::bundle::export_in(dir));
        }
        let Loaded { project, warnings } = project::load(&load).map_err(NotStarted::Project)?;
        let mut listeners = Listeners::open(&options, &project).await?;
        let addresses = listeners.addresses();
        // The project names its own addresses, in queue URLs for one; so it is read again where they are not those it was read with.
        let (aws_url, http_url) = (addresses.url(Port::Aws), addresses.url(Port::Http));
        let project = if (&load.aws_url, &load.http_url) == (&aws_url, &http_url) {
            project
        } else {
            (load.aws_url, load.http_url) = (aws_url.clone(), http_url);
            project::load(&load).map_err(NotStarted::Project)?.project
        };
        let project = Arc::new(project);
        let account = Account::local(&project.region);
        let mut state = take_state(&options, &project, &ids)?;
        let new = !state.path().join(DATABASE).exists();
        let earlier = begin_journal(&options, state.path(), new)?;
        let kept = project.settings.journal;
        let bounds = journal::Bounds { records_max: kept.records_max, bytes_max: kept.bytes_max };
        let journal = Journal::start(&state.path().join(journal::FILE_NAME), bounds, sink.subscribe())?;
        let world = World::open(state.path(), clock.clone(), ids.clone(), options.ephemeral).await?;
        if let (true, Some(dir)) = (new, &project.settings.import) {
            let begun = states::begin_with(&world, &project, dir).await.with_context(|| format!("{} cannot be imported", dir.display()));
            begun.inspect_err(|_| forget(&options, state.path()))?;
        }
        let mut problems = resources::ensure(&world.services, &project, &account).await;
        let sandbox = engine.await.context("the sandbox's engine could not be made ready")??;
        let variables = project.firebase.iter().flat_map(|firebase| firebase::environment::inside(firebase, &addresses)).collect();
        let network = Network::default();
        network.allow(&project.settings.allow);
        let functions = Functions::new(Parts {
            engine: Arc::new(sandbox),
            network: Arc::new(network.clone()),
            clock: clock.clone(),
            ids: ids.clone(),
            sink: sink.clone(),
            surroundings: Surroundings {
                account: account.id.to_string(),
                aws_url,
                variables,
                cache: Some(cache_folder()),
                versions: if options.ephemeral { None } else { versions::kept(state.path(), &project.root, load.clone()) },
            },
            bounds: Bounds::default(),
        })?;
        let Services { queues, tables, topics, .. } = world.services.clone();
        let joined = triggers::aws::Services::new(queues, topics, tables, account.clone(), ids.clone());
        let triggers = Triggers::start(world.db.clone(), joined.ports(Arc::new(functions.clone()), sink.clone()), account.clone()).await?;
        teller::tell_of_mails(&world, &sink);
        teller::tell_of_pushes(&world, &sink);
        teller::tell_of_dead_letters(&world, &sink);
        firebase::tell_of_codes(&world.services);
        world.services.auth.ask_before(Arc::new(triggers::firebase::Asker {
            functions: functions.clone(),
            ids: ids.clone(),
            clock: clock.clone(),
        }));
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
            seed::load(&aws, &project).await.inspect_err(|_| forget(&options, state.path()))?;
            states.keep_seeded(&project).await.context("the seeded state could not be kept for `emu state reset`")?;
        }
        let aws = Arc::new(gateway::AwsFace { aws, origin: origin.clone() });
        let api = Arc::new(gateway::Api { functions: functions.clone(), origin: origin.clone() });
        let making = project.firebase.as_ref().map(|firebase| firebase::Making {
            project_id: &firebase.project_id,
            buckets: firebase::buckets(firebase),
            services: &world.services,
            ids: &ids,
            clock: &clock,
            addresses: &addresses,
            hosting: firebase::hosting(&project, firebase, &addresses, &functions),
            functions: &functions,
            triggers: &triggers,
            recorder: Arc::new(origin.clone()),
        });
        let hosting = making.as_ref().map(|making| making.hosting.clone());
        if let Some(firebase) = &project.firebase {
            firebase::declare_indexes(&world.services.documents, firebase, &project.root, options.strict);
        }
        let made = making.map(|making| firebase::make(&making, &origin)).unwrap_or_default();
        network.connect(Endpoints {
            aws: aws.clone(),
            aws_port: addresses.number(Port::Aws),
            api: api.clone(),
            api_port: addresses.number(Port::Http),
            others: made.iter().map(|made| made.inside(&addresses)).collect(),
            origin: origin.clone(),
        });
        let (project, found) = firebase::with_functions(&functions, project, &BTreeSet::new()).await;
        problems.extend(found);
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
            addresses: addresses.clone(),
            journal: journal.feed(),
            hosting,
            strict: options.strict,
            prices: options.prices.clone(),
            shutdown: shutdown.clone(),
        });
        shared.functions.open(project.clone());
        let functions = shared.functions.clone();
        tokio::spawn(async move { functions.make_likely().await });
        problems.extend(apply_triggers(&shared, &project).await?);
        let mut tasks = JoinSet::new();
        let admin = Arc::new(gateway::Admin { world: shared.clone(), hub: shared.clone(), origin });
        let mut notes = listeners.notes();
        notes.extend(time::note(shared.world.db.clock()));
        if let Some(dir) = &options.import {
            let told = if earlier {
                format!("; `emu trace latest --state {}` draws what led to it", state.path().display())
            } else {
                String::new()
            };
            notes.push(format!("the state is that of {}{told}", dir.display()));
        }
        if !new && !options.load.seeds.is_empty() {
            notes.push("`--seed` was not laid over, for the state is there already; `emu state reset` begins anew with it".to_owned());
        }
        let common: [(Port, Arc<dyn Face>); 3] = [(Port::Http, api), (Port::Aws, aws), (Port::Admin, admin)];
        let others = made.into_iter().map(|made| (made.port, made.face));
        for (port, face) in common.into_iter().chain(others) {
            let bound = listeners.take(port).context("a port was not opened")?;
            tasks.spawn(gateway::serve(bound.listener, face, shutdown.clone()));
        }
        tasks.spawn(check(shared.clone(), shutdown.clone()));
        tasks.spawn(deadlines::keep(shared.clone(), shutdown.clone()));
        let (db, pubsub) = (shared.world.db.clone(), shared.world.services.pubsub.clone());
        tasks.spawn(firebase::Pusher { db, pubsub, network: shared.network.clone() }.run(shutdown.clone()));
        if !new {
            prepare_reset(&shared);
        }
        state.announce(Some(addresses.url(Port::Admin)))?;
        let locator =
            project.firebase.as_ref().and_then(|firebase| firebase::Locator::write(&firebase.project_id, &addresses.url(Port::Admin)));
        let watch = if options.watch { Some(reload::watch(&shared)?) } else { None };
        let warnings = warnings.into_iter().chain(problems).collect();
        Ok(App { shared, addresses, notes, warnings, shutdown, tasks, earlier, watch, _locator: locator, _journal: journal, state })
    }

    /// Where the faces answer.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
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

    /// The folder of the state.
    pub fn state_folder(&self) -> &Path {
        self.state.path()
    }

    /// Stops: takes no more requests, lets what is under way end for a moment. The state is let go of with what this answers.
    pub async fn stop(self) -> Stopped {
        let App { shared, shutdown, mut tasks, watch, _journal, state, .. } = self;
        shutdown.cancel();
        drop(watch);
        shared.triggers.shutdown(GRACE).await;
        while tasks.join_next().await.is_some() {}
        Stopped { shared, _journal, _state: state }
    }
}

/// What is left of a state that could not be begun is removed: else the next start would take it for one that was.
fn forget(options: &Options, folder: &Path) {
    if options.ephemeral {
        return;
    }
    for end in ["", "-wal", "-shm"] {
        let file = folder.join(format!("{DATABASE}{end}"));
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, file = %file.display(), "the beginning of a state could not be removed; remove it before the next start");
        }
    }
}

/// Puts the journal of a bundle in place, before it is opened; answers whether there is one. Fails where there is a state already, which an
/// import would have to replace.
fn begin_journal(options: &Options, folder: &Path, new: bool) -> anyhow::Result<bool> {
    let Some(dir) = &options.import else { return Ok(false) };
    if !new {
        anyhow::bail!(
            "there is a state in {} already; leave `--state` out for one that is thrown away, or replace it by `emu state import {}`",
            folder.display(),
            dir.display()
        );
    }
    let Some(journal) = states::bundle::journal_in(dir) else { return Ok(false) };
    std::fs::copy(&journal, folder.join(journal::FILE_NAME)).with_context(|| format!("{} cannot be copied", journal.display()))?;
    Ok(true)
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
pub fn cache_folder() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    variable("EMU_CACHE")
        .or_else(|| variable("XDG_CACHE_HOME").map(|cache| cache.join("emu")))
        .or_else(|| variable("HOME").map(|home| home.join(".cache/emu")))
        .unwrap_or_else(|| std::env::temp_dir().join("emu-cache"))
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
