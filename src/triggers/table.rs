//! The trigger table: what of a project calls its functions, ready to be looked up. Immutable; an edit makes a new one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::firebase;
use super::pattern::Pattern;
use crate::project::firebase::{Endpoint, Trigger};
use crate::project::{Destination, EventSource, Function, Project, Runtime, Schedule};
use crate::wire::aws::arn::Account;

/// What calls which function.
#[derive(Clone, Debug)]
pub struct Table {
    /// Who this emu answers as, for names in events.
    pub account: Account,
    /// By key in the project.
    pub functions: BTreeMap<Arc<str>, Arc<Callee>>,
    /// Deployed name → key.
    deployed: HashMap<String, Arc<str>>,
    buckets: HashMap<String, Vec<BucketRule>>,
    topics: HashMap<String, Vec<TopicRule>>,
    pub queues: Vec<QueueRule>,
    pub streams: Vec<StreamRule>,
    pub schedules: Vec<(Arc<str>, Schedule)>,
    /// What functions of Firebase's codebases ask for, and their schedules.
    pub firebase: firebase::Rules,
    pub scheduled: Vec<firebase::Scheduled>,
    /// The name of the Firebase project.
    pub project_id: String,
    /// Milliseconds before the first, second … retry; the last one stands for all further ones.
    pub retry_delays_ms: Vec<u64>,
}

/// A function, as far as its triggers care.
#[derive(Clone, Debug, PartialEq)]
pub struct Callee {
    pub key: Arc<str>,
    pub deployed_name: String,
    pub retries_max: u32,
    pub event_age_max_ms: i64,
    pub concurrency_max: Option<u32>,
    pub on_failure: Option<Destination>,
    /// Gets the event itself.
    pub dead_letters: Option<Destination>,
    pub on_success: Option<Destination>,
    /// How its failures are repeated, where that is not Lambda's way.
    pub repetition: Option<firebase::Repetition>,
    /// Whether tasks may be put into a queue of its name.
    pub is_task_queue: bool,
    /// Milliseconds between two tasks of its queue.
    pub gap_ms: i64,
    pub about: About,
}

/// What is told about a function to those who ask.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    pub handler: String,
    /// As Lambda calls it.
    pub runtime: &'static str,
    pub memory_mib: u32,
    pub timeout_ms: u64,
    pub environment: BTreeMap<String, String>,
}

/// Objects of a bucket that somebody is told of.
#[derive(Clone, Debug, PartialEq)]
pub struct BucketRule {
    pub to: Destination,
    /// Without `s3:`; ends in `*` where it stands for several.
    pub event: String,
    pub prefix: String,
    pub suffix: String,
}

/// A topic that a function subscribes to.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicRule {
    pub function: Arc<str>,
    /// A filter policy over the message's attributes.
    pub filter: Option<serde_json::Value>,
}

/// A queue that a function consumes.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueRule {
    pub function: Arc<str>,
    pub queue: String,
    pub batch_size: usize,
    pub window_ms: i64,
    pub partial_failures: bool,
    /// Batches at a time.
    pub concurrency_max: usize,
    /// Messages that match none of these are dropped; empty: all are taken.
    pub filters: Vec<Pattern>,
}

/// A table's stream that a function reads.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamRule {
    pub function: Arc<str>,
    pub table: String,
    pub batch_size: usize,
    pub window_ms: i64,
    pub from_latest: bool,
    pub retries_max: Option<u32>,
    pub bisect: bool,
    pub partial_failures: bool,
    pub on_failure: Option<Destination>,
    pub filters: Vec<Pattern>,
}

/// Batches of one queue that Lambda starts with, and the most it takes.
const CONCURRENCY: usize = 5;
const CONCURRENCY_MAX: u32 = 1_000;
const QUEUE_BATCH_MAX: u32 = 10_000;
const STREAM_BATCH_MAX: u32 = 10_000;
const WINDOW_MAX_S: u32 = 300;

impl Table {
    /// Nothing calls anything.
    pub fn empty(account: Account) -> Table {
        Table {
            account,
            functions: BTreeMap::new(),
            deployed: HashMap::new(),
            buckets: HashMap::new(),
            topics: HashMap::new(),
            queues: Vec::new(),
            streams: Vec::new(),
            schedules: Vec::new(),
            firebase: firebase::Rules::default(),
            scheduled: Vec::new(),
            project_id: String::new(),
            retry_delays_ms: Vec::new(),
        }
    }

    /// The table of `project`, and what in it cannot be used (those triggers are left out).
    pub fn of(project: &Project, account: Account) -> (Table, Vec<String>) {
        let mut table = Table::empty(account);
        table.retry_delays_ms = project.settings.retry_delays_ms.clone();
        table.project_id = project.firebase.as_ref().map(|firebase| firebase.project_id.clone()).unwrap_or_default();
        let mut problems = Vec::new();
        for function in &project.functions {
            let key: Arc<str> = function.name.as_str().into();
            table.deployed.insert(function.deployed_name.clone(), key.clone());
            table.functions.insert(key.clone(), Arc::new(callee(function, key.clone())));
            if let Some(endpoint) = &function.firebase
                && let Err(problem) = table.add_endpoint(&key, endpoint)
            {
                problems.push(format!("function `{}`: {problem}", function.name));
            }
            for event in &function.events {
                if let Err(problem) = table.add(&key, event) {
                    problems.push(format!("function `{}`: {problem}; this trigger is off until that is mended", function.name));
                }
            }
        }
        for bucket in &project.resources.buckets {
            table.buckets.entry(bucket.name.clone()).or_default().extend(bucket.notifications.iter().map(|notification| BucketRule {
                to: notification.to.clone(),
                event: notification.event.strip_prefix("s3:").unwrap_or(&notification.event).to_owned(),
                prefix: notification.prefix.clone().unwrap_or_default(),
                suffix: notification.suffix.clone().unwrap_or_default(),
            }));
        }
        table.buckets.retain(|_, rules| !rules.is_empty());
        (table, problems)
    }

    fn add(&mut self, function: &Arc<str>, event: &EventSource) -> Result<(), super::pattern::Wrong> {
        let function = function.clone();
        match event {
            EventSource::HttpApi { .. } | EventSource::Http { .. } => {}
            EventSource::Topic(source) => {
                let rule = TopicRule { function, filter: source.filter.clone() };
                self.topics.entry(source.topic.clone()).or_default().push(rule);
            }
            EventSource::Schedule(schedule) => self.schedules.push((function, schedule.clone())),
            EventSource::Bucket(source) => self.buckets.entry(source.bucket.clone()).or_default().push(BucketRule {
                to: Destination::Function(function.to_string()),
                event: source.event.strip_prefix("s3:").unwrap_or(&source.event).to_owned(),
                prefix: source.prefix.clone().unwrap_or_default(),
                suffix: source.suffix.clone().unwrap_or_default(),
            }),
            EventSource::Queue(source) if source.enabled => self.queues.push(QueueRule {
                function,
                queue: source.queue.clone(),
                batch_size: source.batch_size.clamp(1, QUEUE_BATCH_MAX) as usize,
                window_ms: i64::from(source.window_s.min(WINDOW_MAX_S)) * 1_000,
                partial_failures: source.partial_failures,
                concurrency_max: source.concurrency_max.map_or(CONCURRENCY, |max| max.clamp(1, CONCURRENCY_MAX) as usize),
                filters: patterns(&source.filters)?,
            }),
            EventSource::Stream(source) if source.enabled => self.streams.push(StreamRule {
                function,
                table: source.table.clone(),
                batch_size: source.batch_size.clamp(1, STREAM_BATCH_MAX) as usize,
                window_ms: i64::from(source.window_s.min(WINDOW_MAX_S)) * 1_000,
                from_latest: source.from_latest,
                retries_max: source.retries_max,
                bisect: source.bisect,
                partial_failures: source.partial_failures,
                on_failure: source.on_failure.clone(),
                filters: patterns(&source.filters)?,
            }),
            EventSource::Queue(_) | EventSource::Stream(_) => {}
        }
        Ok(())
    }

    /// What triggers a function of a codebase.
    fn add_endpoint(&mut self, function: &Arc<str>, endpoint: &Endpoint) -> Result<(), String> {
        match &endpoint.trigger {
            Trigger::Event(trigger) => self.firebase.add(firebase::Rule::of(function.clone(), endpoint.generation, trigger)?),
            Trigger::Schedule(trigger) => self.scheduled.push(firebase::Scheduled::of(function.clone(), endpoint, trigger)),
            Trigger::Https | Trigger::Callable | Trigger::TaskQueue(_) | Trigger::Blocking(_) => {}
        }
        Ok(())
    }

    /// A function by its key or its deployed name.
    pub fn function(&self, name: &str) -> Option<&Arc<Callee>> {
        self.functions.get(name).or_else(|| self.functions.get(self.deployed.get(name)?))
    }

    /// The rules of a bucket.
    pub fn bucket(&self, name: &str) -> &[BucketRule] {
        self.buckets.get(name).map_or(&[], Vec::as_slice)
    }

    /// The project's own subscriptions to a topic.
    pub fn topic(&self, name: &str) -> &[TopicRule] {
        self.topics.get(name).map_or(&[], Vec::as_slice)
    }

    /// A function's name as events give it.
    pub fn function_arn(&self, key: &str) -> String {
        let name = self.functions.get(key).map_or(key, |callee| callee.deployed_name.as_str());
        self.account.arn("lambda", &format!("function:{name}"))
    }

    /// Milliseconds before retry number `retry` (from 1).
    pub fn retry_delay_ms(&self, retry: u32) -> i64 {
        const PRODUCTION: [u64; 2] = [60_000, 120_000];
        let delays = if self.retry_delays_ms.is_empty() { &PRODUCTION[..] } else { &self.retry_delays_ms };
        let index = (retry.saturating_sub(1) as usize).min(delays.len() - 1);
        i64::try_from(delays[index]).unwrap_or(i64::MAX)
    }

    /// Which events need to be stored at all. Topics store theirs only where somebody subscribed.
    pub fn interest(&self) -> impl Fn(&str, &str) -> bool + Send + Sync + 'static {
        let buckets: BTreeSet<String> = self.buckets.keys().cloned().collect();
        let tables: BTreeSet<String> = self.streams.iter().map(|rule| rule.table.clone()).collect();
        let firebase = self.firebase.clone();
        move |source, resource| match source {
            "objects" => buckets.contains(resource) || firebase.listens(source, resource) == Some(true),
            "tables" => tables.contains(resource),
            _ => firebase.listens(source, resource).unwrap_or(true),
        }
    }
}

fn callee(function: &Function, key: Arc<str>) -> Callee {
    let repetition = function.firebase.as_deref().map(firebase::Repetition::of);
    let queue = function.firebase.as_deref().and_then(|endpoint| match &endpoint.trigger {
        Trigger::TaskQueue(queue) => Some(queue),
        _ => None,
    });
    Callee {
        key,
        deployed_name: function.deployed_name.clone(),
        retries_max: function.retries_max,
        event_age_max_ms: repetition.map_or(i64::from(function.event_age_max_s) * 1_000, |repetition| repetition.age_max_ms),
        concurrency_max: queue.and_then(|queue| queue.dispatches_at_once_max).or(function.concurrency_max),
        repetition,
        is_task_queue: queue.is_some(),
        gap_ms: queue.and_then(|queue| queue.dispatches_per_second_max).map_or(0, |rate| (1_000.0 / rate) as i64),
        on_failure: function.on_failure.clone(),
        dead_letters: function.dead_letters.clone(),
        on_success: function.on_success.clone(),
        about: About {
            handler: function.handler.clone(),
            runtime: match function.runtime {
                Runtime::JavaScript => "nodejs22.x",
                Runtime::Wasm => "provided.al2023",
            },
            memory_mib: function.memory_mib,
            timeout_ms: function.timeout_ms,
            environment: function.environment.clone(),
        },
    }
}

fn patterns(json: &[serde_json::Value]) -> Result<Vec<Pattern>, super::pattern::Wrong> {
    json.iter().map(Pattern::parse).collect()
}
