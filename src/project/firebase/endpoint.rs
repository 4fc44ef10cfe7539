//! A function that a codebase exports, as the manifest of its SDK describes it. Source: the `endpoints` of `functions.yaml`
//! (firebase-functions, `src/runtime/manifest.ts`).

use std::collections::BTreeMap;

/// A function of a codebase.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The codebase's name.
    pub codebase: String,
    /// The export; one inside a group has dots: `orders.notify`.
    pub entry_point: String,
    pub generation: Generation,
    /// Where it is deployed; at least one.
    pub regions: Vec<String>,
    pub trigger: Trigger,
    /// Names of the secrets that it may read.
    pub secrets: Vec<String>,
}

impl Endpoint {
    /// The region that its names are made of: the first.
    pub fn region(&self) -> &str {
        self.regions.first().map_or(DEFAULT_REGION, String::as_str)
    }

    /// Whether requests from outside reach it.
    pub fn takes_requests(&self) -> bool {
        match self.trigger {
            Trigger::Https | Trigger::Callable | Trigger::TaskQueue(_) | Trigger::Blocking(_) => true,
            Trigger::Schedule(_) => self.generation == Generation::Second,
            Trigger::Event(_) => false,
        }
    }
}

/// Where functions are deployed that say nothing of it.
pub const DEFAULT_REGION: &str = "us-central1";

/// Which Cloud Functions a function is written for: their events differ.
#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generation {
    First,
    Second,
}

/// What calls a function of a codebase.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub enum Trigger {
    Https,
    Callable,
    Event(EventTrigger),
    Schedule(ScheduleTrigger),
    TaskQueue(TaskQueue),
    Blocking(BlockingTrigger),
}

/// Events of a service.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct EventTrigger {
    /// `google.cloud.firestore.document.v1.created`, `providers/cloud.firestore/eventTypes/document.create`, …
    pub kind: String,
    /// Attributes that an event must have: `bucket`, `topic`, `database`, and `resource` of the first generation.
    pub filters: BTreeMap<String, String>,
    /// The same with wildcards: `document` → `users/{id}`.
    pub patterns: BTreeMap<String, String>,
    /// Whether an event that the function failed on is delivered again.
    pub retry: bool,
}

/// Times at which a function runs.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct ScheduleTrigger {
    /// Unix-cron or App Engine's words (`every 5 minutes`).
    pub expression: String,
    /// A name of the time zone database.
    pub time_zone: Option<String>,
    pub retry: Retry,
}

/// A queue of tasks that a function works off.
#[derive(serde::Serialize, Clone, Debug, PartialEq)]
pub struct TaskQueue {
    pub retry: Retry,
    pub dispatches_at_once_max: Option<u32>,
    pub dispatches_per_second_max: Option<f64>,
}

/// How failed runs are repeated. What is not set is as the service has it.
#[derive(serde::Serialize, Clone, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all of a task; retries of a schedule.
    pub attempts_max: Option<u32>,
    pub backoff_min_ms: Option<i64>,
    pub backoff_max_ms: Option<i64>,
    pub doublings_max: Option<u32>,
    /// How long after the first attempt there are further ones, in milliseconds.
    pub time_max_ms: Option<i64>,
}

/// A function that is asked before something happens to a user.
#[derive(serde::Serialize, Clone, Debug, PartialEq, Eq)]
pub struct BlockingTrigger {
    /// `providers/cloud.auth/eventTypes/user.beforeCreate`, …
    pub kind: String,
    /// Which of a provider's tokens it is told.
    pub access_token: bool,
    pub id_token: bool,
    pub refresh_token: bool,
}
