//! What a project is, once every variable and reference is resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::firebase::{Endpoint, Firebase};
use super::port::Ports;

/// What the Serverless Framework gives functions that do not say (its "serverless.yml reference").
const MEMORY_MIB: u32 = 1_024;
const TIMEOUT_S: u64 = 6;

/// A whole project. Immutable; an edit makes a new one.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Project {
    /// The folder that holds the project file; handlers and `file(…)` are relative to it.
    pub root: PathBuf,
    /// The project file itself: `firebase.json` where there is no other.
    pub file: PathBuf,
    /// Every file that was read to make this (project file, `file(…)`, `.env` files): a change of one means to load again.
    pub sources: Vec<PathBuf>,
    pub service: String,
    pub stage: String,
    pub region: String,
    pub functions: Vec<Function>,
    pub resources: Resources,
    /// CORS of the `httpApi`, if set (`provider.httpApi.cors`).
    pub http_api_cors: Option<Cors>,
    pub settings: Settings,
    /// Set where the folder is a Firebase project too, or nothing else.
    pub firebase: Option<Firebase>,
}

/// One function and what calls it.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Function {
    /// The key under `functions`.
    pub name: String,
    /// The name it is deployed under: `SERVICE-STAGE-KEY` unless `name:` says otherwise. `Invoke` takes either.
    pub deployed_name: String,
    pub runtime: Runtime,
    /// JavaScript: `path/to/file.export` as written. Wasm: path of the component or program.
    pub handler: String,
    /// A command that makes the component, run in the project's folder (`build:`; Wasm only).
    pub build: Option<String>,
    pub memory_mib: u32,
    pub timeout_ms: u64,
    /// Everything the function sees in `process.env` of its own: provider's, function's and `.env`, in that order of precedence.
    pub environment: BTreeMap<String, String>,
    pub events: Vec<EventSource>,
    /// Retries after a failed asynchronous invocation, 0–2 (`maximumRetryAttempts`; 2 unless set).
    pub retries_max: u32,
    /// Seconds an asynchronous event may wait (`maximumEventAge`; 21,600 unless set).
    pub event_age_max_s: u32,
    /// Where the record of a failed asynchronous invocation goes (`destinations.onFailure`).
    pub on_failure: Option<Destination>,
    /// Queue or topic that events go to, as they are, when all attempts at them failed (`onError`).
    pub dead_letters: Option<Destination>,
    pub on_success: Option<Destination>,
    /// `reservedConcurrency`.
    pub concurrency_max: Option<u32>,
    /// Set where a codebase of Firebase exports it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub firebase: Option<Box<Endpoint>>,
    /// Where it is defined.
    pub at: Position,
}

impl Function {
    /// A function of JavaScript with the settings that it has unless something else is said, and nothing that triggers it.
    pub fn new(name: &str, deployed_name: String, handler: &str) -> Function {
        Function {
            name: name.to_owned(),
            deployed_name,
            runtime: Runtime::JavaScript,
            handler: handler.to_owned(),
            build: None,
            memory_mib: MEMORY_MIB,
            timeout_ms: TIMEOUT_S * 1_000,
            environment: BTreeMap::new(),
            events: Vec::new(),
            retries_max: 2,
            event_age_max_s: 21_600,
            on_failure: None,
            dead_letters: None,
            on_success: None,
            concurrency_max: None,
            firebase: None,
            at: Position::default(),
        }
    }
}

#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// `nodejs*`.
    JavaScript,
    /// `wasm`: a WASI 0.2 component that exports `wasi:http/incoming-handler`, or a WASI 0.1 program that speaks CGI.
    Wasm,
}

/// Where a record of an asynchronous invocation goes.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    Queue(String),
    Topic(String),
    Function(String),
}

/// What calls a function.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub enum EventSource {
    /// `httpApi`, payload 2.0 (or as `payload` says). The path `*` is the `$default` route: what no other route takes.
    HttpApi {
        method: Method,
        path: String,
        payload: Payload,
    },
    /// `http`, payload 1.0.
    Http {
        method: Method,
        path: String,
        cors: Option<Cors>,
    },
    Schedule(Schedule),
    Queue(QueueSource),
    Bucket(BucketSource),
    /// A DynamoDB stream.
    Stream(StreamSource),
    Topic(TopicSource),
}

/// An HTTP method, or any.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Any,
    /// In upper case.
    Only(String),
}

#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    V1,
    V2,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    pub origins: Vec<String>,
    pub headers: Vec<String>,
    pub methods: Vec<String>,
    pub exposed_headers: Vec<String>,
    pub credentials: bool,
    pub max_age_s: Option<u32>,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Stable within the project: `FUNCTION-schedule-N`, or its `name:`.
    pub name: String,
    /// `rate(…)` or `cron(…)`, syntactically checked.
    pub expression: String,
    pub enabled: bool,
    /// What the function gets instead of the usual event (`input:`), as JSON.
    pub input: Option<serde_json::Value>,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct QueueSource {
    /// The queue's name (from its ARN).
    pub queue: String,
    pub batch_size: u32,
    pub window_s: u32,
    /// `functionResponseType: ReportBatchItemFailures`.
    pub partial_failures: bool,
    pub enabled: bool,
    pub concurrency_max: Option<u32>,
    pub filters: Vec<serde_json::Value>,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct BucketSource {
    pub bucket: String,
    /// E.g. `s3:ObjectCreated:*`.
    pub event: String,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct StreamSource {
    pub table: String,
    pub batch_size: u32,
    pub window_s: u32,
    /// False: start at the oldest record (`TRIM_HORIZON`), true: at the newest.
    pub from_latest: bool,
    /// `None`: until the record expires.
    pub retries_max: Option<u32>,
    pub bisect: bool,
    pub partial_failures: bool,
    pub on_failure: Option<Destination>,
    pub enabled: bool,
    pub filters: Vec<serde_json::Value>,
}

#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct TopicSource {
    pub topic: String,
    pub filter: Option<serde_json::Value>,
}

/// What `resources.Resources` defines (and what events imply), by physical name.
#[derive(serde::Serialize, Clone, Debug, Default, PartialEq)]
pub struct Resources {
    pub tables: Vec<Table>,
    pub buckets: Vec<Bucket>,
    pub queues: Vec<Queue>,
    pub topics: Vec<Topic>,
}

/// `AWS::DynamoDB::Table`.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Table {
    pub name: String,
    pub logical_id: String,
    /// The CloudFormation properties, resolved, in the form that `CreateTable` takes.
    pub properties: serde_json::Value,
    pub at: Position,
}

/// `AWS::S3::Bucket`.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Bucket {
    pub name: String,
    pub logical_id: String,
    pub properties: serde_json::Value,
    /// What its `NotificationConfiguration` asks for.
    pub notifications: Vec<Notification>,
    pub at: Position,
}

/// Who is told of a bucket's objects.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// E.g. `s3:ObjectCreated:*`.
    pub event: String,
    pub prefix: Option<String>,
    pub suffix: Option<String>,
    pub to: Destination,
}

/// `AWS::SQS::Queue`.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Queue {
    pub name: String,
    pub logical_id: String,
    /// In the names and forms of the SQS attributes (`VisibilityTimeout`, `RedrivePolicy` as an object, …).
    pub properties: serde_json::Value,
    pub at: Position,
}

/// `AWS::SNS::Topic`, with its subscriptions (`AWS::SNS::Subscription` too).
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Topic {
    pub name: String,
    pub logical_id: String,
    pub properties: serde_json::Value,
    /// `(protocol, endpoint ARN, attributes)`.
    pub subscriptions: Vec<(String, String, serde_json::Value)>,
    pub at: Position,
}

/// The `emu:` block.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Settings {
    pub ports: Ports,
    pub isolation: Isolation,
    /// Hosts that functions may reach: `example.com`, `*.example.com`, with an optional `:port`.
    pub allow: Vec<String>,
    /// Files or folders with data to load into an empty state.
    pub seed: Vec<PathBuf>,
    /// An export that a new state begins with; no key of the file, but asked for on the command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub import: Option<PathBuf>,
    /// Milliseconds before the first and second retry of a failed asynchronous invocation (production: 60,000 and 120,000).
    pub retry_delays_ms: Vec<u64>,
    /// Folder of the state, relative to the root; `.emu` unless set.
    pub state: Option<PathBuf>,
    /// Extra globs that are not watched.
    pub watch_ignore: Vec<String>,
    /// What the journal of records keeps.
    pub journal: Journal,
    /// What routes and functions may cost, in the order of the file.
    pub budgets: Vec<Budget>,
}

/// What one call of a route or function may cost.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct Budget {
    /// `POST /orders`, or a function's key.
    pub subject: String,
    /// Digits with a decimal point.
    pub dollars: String,
    /// Where it is written.
    pub at: Position,
}

/// Bounds on the journal of records; the oldest go first.
#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journal {
    pub records_max: u64,
    pub bytes_max: u64,
}

impl Default for Journal {
    fn default() -> Journal {
        Journal { records_max: 50_000, bytes_max: 200 * MEGABYTE }
    }
}

/// `megabytesMax` counts these.
pub(super) const MEGABYTE: u64 = 1_000_000;

#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Isolation {
    /// A new sandbox for every invocation.
    #[default]
    Fresh,
    /// Sandboxes are kept and used again, one invocation at a time, as the clouds do.
    Warm,
}

/// A place in a file, counted from 1; columns in characters.
#[derive(serde::Serialize, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Position {
    pub file: PathBuf,
    pub line: u32,
    pub column: u32,
}

/// Something wrong with the project, or worth a word.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Problem {
    pub severity: Severity,
    /// What is wrong, in one line.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    pub at: Option<Position>,
}

#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}
