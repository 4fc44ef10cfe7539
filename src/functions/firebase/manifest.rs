//! From the manifest of a codebase to the functions of a project. Source of the names: `functions.yaml` (firebase-functions,
//! `src/runtime/manifest.ts`); of the defaults: "Manage functions", "Function configuration".

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::project::firebase::{
    BlockingTrigger, Codebase, DEFAULT_REGION, Endpoint, EventTrigger, Generation, Retry, ScheduleTrigger, Source, TaskQueue, Trigger, top,
};
use crate::project::{Function, Problem, Severity};

/// Most functions of one codebase.
const FUNCTIONS_MAX: usize = 2_000;
/// Memory of functions that say nothing of it.
const MEMORY_MIB: u32 = 256;
const MEMORY_MIB_MAX: u32 = 32_768;
const TIMEOUT_S: u64 = 60;
/// The longest that any kind of function may run.
const TIMEOUT_S_MAX: u64 = 3_600;
/// How long a blocking function may take.
const BLOCKING_TIMEOUT_S: u64 = 7;
/// Requests that an instance of the second generation takes at a time.
const CONCURRENCY: u32 = 80;

/// What a codebase's manifest says.
#[derive(Debug, Default)]
pub struct Read {
    pub functions: Vec<Function>,
    /// Variables that its parameters make: their values or defaults.
    pub parameters: BTreeMap<String, String>,
    pub problems: Vec<Problem>,
}

/// Where a manifest comes from.
pub struct About<'a> {
    pub codebase: &'a Codebase,
    pub source: &'a Source,
    /// The file of the functions, below the project's folder, for people.
    pub handler: String,
}

/// Reads a manifest.
pub fn read(manifest: &Value, about: &About<'_>) -> Read {
    let mut read = Read::default();
    let problem = |severity, message: String, help: Option<String>| Problem { severity, message, help, at: Some(top(&about.source.file)) };
    for parameter in manifest["params"].as_array().into_iter().flatten() {
        let Some(name) = parameter["name"].as_str() else { continue };
        if parameter["type"].as_str() == Some("secret") {
            if !about.source.secrets.contains_key(name) && !about.source.variables.contains_key(name) {
                let help = format!("add `{name}=…` to {}", about.codebase.source.join(".secret.local").display());
                read.problems.push(problem(Severity::Warning, format!("the secret `{name}` has no value"), Some(help)));
            }
            continue;
        }
        match (about.source.variables.get(name), text(&parameter["default"])) {
            (Some(_), _) => {}
            (None, Some(default)) => {
                read.parameters.insert(name.to_owned(), default);
            }
            (None, None) => {
                let help = format!("add `{name}=…` to {}", about.codebase.source.join(".env.local").display());
                read.problems.push(problem(Severity::Warning, format!("the parameter `{name}` has no value and no default"), Some(help)));
            }
        }
    }
    let endpoints = manifest["endpoints"].as_object().into_iter().flatten();
    for (id, endpoint) in endpoints.take(FUNCTIONS_MAX) {
        if endpoint["omit"].as_bool() == Some(true) {
            continue;
        }
        let name = about.codebase.prefix.as_ref().map_or_else(|| id.clone(), |prefix| format!("{prefix}-{id}"));
        match function(&name, id, endpoint, about) {
            Ok(function) => read.functions.push(function),
            Err(why) => read.problems.push(problem(Severity::Error, format!("function `{name}`: {why}"), None)),
        }
    }
    for function in &mut read.functions {
        for (name, value) in &read.parameters {
            function.environment.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    read
}

fn function(name: &str, id: &str, endpoint: &Value, about: &About<'_>) -> Result<Function, String> {
    let generation = if endpoint["platform"].as_str() == Some("gcfv1") { Generation::First } else { Generation::Second };
    let trigger = trigger(endpoint)?;
    let regions: Vec<String> = match &endpoint["region"] {
        Value::Array(all) => all.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Value::String(one) => vec![one.clone()],
        _ => Vec::new(),
    };
    let regions = if regions.is_empty() { vec![DEFAULT_REGION.to_owned()] } else { regions };
    let secrets: Vec<String> = endpoint["secretEnvironmentVariables"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one["key"].as_str().map(str::to_owned))
        .collect();
    let entry_point = endpoint["entryPoint"].as_str().map_or_else(|| id.replace('-', "."), str::to_owned);
    let timeout_s = match (&trigger, endpoint["timeoutSeconds"].as_u64()) {
        (_, Some(seconds)) => seconds.clamp(1, TIMEOUT_S_MAX),
        (Trigger::Blocking(_), None) => BLOCKING_TIMEOUT_S,
        (_, None) => TIMEOUT_S,
    };
    let memory_mib = endpoint["availableMemoryMb"].as_u64().map_or(MEMORY_MIB, |mib| (mib as u32).clamp(128, MEMORY_MIB_MAX));
    let at_once = match generation {
        Generation::First => 1,
        Generation::Second => whole(&endpoint["concurrency"]).unwrap_or(CONCURRENCY).max(1),
    };
    let concurrency_max =
        whole(&endpoint["maxInstances"]).filter(|instances| *instances > 0).map(|instances| instances.saturating_mul(at_once));
    let endpoint = Endpoint { codebase: about.codebase.name.clone(), entry_point, generation, regions, trigger, secrets };
    Ok(Function {
        memory_mib,
        timeout_ms: timeout_s * 1_000,
        environment: environment(name, &endpoint, memory_mib, timeout_s, about.source),
        retries_max: 0,
        event_age_max_s: 86_400,
        concurrency_max,
        firebase: Some(Box::new(endpoint)),
        at: top(&about.source.file),
        ..Function::new(name, name.to_owned(), &about.handler)
    })
}

/// What a run of this function sees beside what the whole codebase sees. Source: "Configure your environment", "Automatically populated
/// environment variables".
fn environment(name: &str, endpoint: &Endpoint, memory_mib: u32, timeout_s: u64, source: &Source) -> BTreeMap<String, String> {
    let signature = match (&endpoint.trigger, endpoint.generation) {
        (Trigger::Event(_), Generation::Second) => "cloudevent",
        (Trigger::Event(_), Generation::First) | (Trigger::Schedule(_), Generation::First) => "event",
        _ => "http",
    };
    let mut all: BTreeMap<String, String> = [
        ("FUNCTION_TARGET", endpoint.entry_point.clone()),
        ("FUNCTION_NAME", name.to_owned()),
        ("FUNCTION_SIGNATURE_TYPE", signature.to_owned()),
        ("FUNCTION_REGION", endpoint.region().to_owned()),
        ("FUNCTION_MEMORY_MB", memory_mib.to_string()),
        ("FUNCTION_TIMEOUT_SEC", timeout_s.to_string()),
        // Names of services in the cloud have no capitals.
        ("K_SERVICE", if endpoint.generation == Generation::Second { name.to_ascii_lowercase() } else { name.to_owned() }),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect();
    for secret in &endpoint.secrets {
        if let Some(value) = source.secrets.get(secret) {
            all.insert(secret.clone(), value.clone());
        }
    }
    all
}

fn trigger(endpoint: &Value) -> Result<Trigger, String> {
    if endpoint.get("callableTrigger").is_some() {
        return Ok(Trigger::Callable);
    }
    if endpoint.get("httpsTrigger").is_some() {
        return Ok(Trigger::Https);
    }
    if let Some(event) = endpoint.get("eventTrigger") {
        let kind = event["eventType"].as_str().ok_or("its trigger names no type of event")?.to_owned();
        return Ok(Trigger::Event(EventTrigger {
            kind,
            filters: texts(&event["eventFilters"]),
            patterns: texts(&event["eventFilterPathPatterns"]),
            retry: event["retry"].as_bool().unwrap_or(false),
        }));
    }
    if let Some(schedule) = endpoint.get("scheduleTrigger") {
        return Ok(Trigger::Schedule(ScheduleTrigger {
            expression: schedule["schedule"].as_str().ok_or("it has no schedule")?.trim().to_owned(),
            time_zone: schedule["timeZone"].as_str().filter(|zone| !zone.is_empty()).map(str::to_owned),
            retry: retry(&schedule["retryConfig"], "retryCount"),
        }));
    }
    if let Some(queue) = endpoint.get("taskQueueTrigger") {
        let rates = &queue["rateLimits"];
        return Ok(Trigger::TaskQueue(TaskQueue {
            retry: retry(&queue["retryConfig"], "maxAttempts"),
            dispatches_at_once_max: whole(&rates["maxConcurrentDispatches"]),
            dispatches_per_second_max: rates["maxDispatchesPerSecond"].as_f64().filter(|rate| *rate > 0.0),
        }));
    }
    if let Some(blocking) = endpoint.get("blockingTrigger") {
        let flag = |name: &str| blocking["options"][name].as_bool().unwrap_or(false);
        return Ok(Trigger::Blocking(BlockingTrigger {
            kind: blocking["eventType"].as_str().ok_or("its trigger names no type of event")?.to_owned(),
            access_token: flag("accessToken"),
            id_token: flag("idToken"),
            refresh_token: flag("refreshToken"),
        }));
    }
    Err("emu does not know what triggers it".to_owned())
}

fn retry(config: &Value, attempts: &str) -> Retry {
    let seconds = |name: &str| config[name].as_f64().map(|seconds| (seconds * 1_000.0) as i64).filter(|ms| *ms >= 0);
    // The first generation writes durations as `3.5s`.
    let duration = |name: &str| {
        let text = config[name].as_str()?.trim().strip_suffix('s')?;
        text.parse::<f64>().ok().map(|seconds| (seconds * 1_000.0) as i64).filter(|ms| *ms >= 0)
    };
    Retry {
        attempts_max: whole(&config[attempts]),
        backoff_min_ms: seconds("minBackoffSeconds").or_else(|| duration("minBackoffDuration")),
        backoff_max_ms: seconds("maxBackoffSeconds").or_else(|| duration("maxBackoffDuration")),
        doublings_max: whole(&config["maxDoublings"]),
        time_max_ms: seconds("maxRetrySeconds").or_else(|| duration("maxRetryDuration")),
    }
}

fn whole(value: &Value) -> Option<u32> {
    value.as_f64().filter(|number| *number >= 0.0 && *number <= f64::from(u32::MAX)).map(|number| number as u32)
}

fn texts(value: &Value) -> BTreeMap<String, String> {
    let none = Map::new();
    value.as_object().unwrap_or(&none).iter().filter_map(|(name, value)| Some((name.clone(), text(value)?))).collect()
}

/// A parameter's value as a variable has it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(_) => Some(value.to_string()),
        Value::Null | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_all(manifest: Value) -> Read {
        let codebase = Codebase::usual();
        let source = Source {
            file: "/p/functions/index.js".into(),
            inputs: Default::default(),
            sdk_major: None,
            variables: BTreeMap::from([("SET".into(), "1".into())]),
            secrets: BTreeMap::from([("KEY".into(), "k".into())]),
            runtime_config: None,
            warnings: vec![],
        };
        read(&manifest, &About { codebase: &codebase, source: &source, handler: "functions/index.js".into() })
    }

    fn one(endpoint: Value) -> Function {
        let read = read_all(json!({ "endpoints": { "a-b": endpoint } }));
        assert_eq!(read.problems, vec![]);
        read.functions.into_iter().next().expect("a function")
    }

    #[test]
    fn endpoints_become_functions_with_the_defaults_of_production() {
        let f = one(json!({ "platform": "gcfv2", "httpsTrigger": {}, "availableMemoryMb": null }));
        let endpoint = f.firebase.as_deref().expect("an endpoint");
        assert_eq!((f.name.as_str(), endpoint.entry_point.as_str(), endpoint.region()), ("a-b", "a.b", "us-central1"));
        assert_eq!((f.memory_mib, f.timeout_ms, f.concurrency_max, endpoint.generation), (256, 60_000, None, Generation::Second));
        assert_eq!((f.environment["FUNCTION_TARGET"].as_str(), f.environment["K_SERVICE"].as_str()), ("a.b", "a-b"));
        let f = one(json!({
            "platform": "gcfv2", "callableTrigger": {}, "availableMemoryMb": 1024, "timeoutSeconds": 5, "maxInstances": 2, "concurrency": 3,
            "region": ["europe-west1", "asia-east1"], "secretEnvironmentVariables": [{ "key": "KEY" }, { "key": "OTHER" }],
        }));
        assert_eq!((f.memory_mib, f.timeout_ms, f.concurrency_max), (1_024, 5_000, Some(6)));
        assert_eq!(f.firebase.as_ref().map(|endpoint| endpoint.regions.len()), Some(2));
        assert_eq!((f.environment.get("KEY").map(String::as_str), f.environment.get("OTHER")), (Some("k"), None));
        let f = one(json!({ "platform": "gcfv1", "httpsTrigger": {}, "maxInstances": 2 }));
        assert_eq!(f.concurrency_max, Some(2));
    }

    #[test]
    fn each_kind_of_trigger_is_read() {
        for (endpoint, wanted) in [
            (json!({ "httpsTrigger": {} }), "Https"),
            (json!({ "callableTrigger": {} }), "Callable"),
            (
                json!({ "eventTrigger": {
                    "eventType": "google.cloud.firestore.document.v1.created", "eventFilters": { "database": "(default)" },
                    "eventFilterPathPatterns": { "document": "users/{id}" }, "retry": true } }),
                "Event(EventTrigger { kind: \"google.cloud.firestore.document.v1.created\", filters: {\"database\": \"(default)\"}, \
                 patterns: {\"document\": \"users/{id}\"}, retry: true })",
            ),
            (
                json!({ "scheduleTrigger": { "schedule": " every 5 minutes ", "timeZone": "Europe/Berlin",
                    "retryConfig": { "retryCount": 3, "minBackoffSeconds": 1, "maxRetryDuration": "1.5s" } } }),
                "Schedule(ScheduleTrigger { expression: \"every 5 minutes\", time_zone: Some(\"Europe/Berlin\"), retry: Retry { attempts_max: \
                 Some(3), backoff_min_ms: Some(1000), backoff_max_ms: None, doublings_max: None, time_max_ms: Some(1500) } })",
            ),
            (
                json!({ "taskQueueTrigger": { "rateLimits": { "maxConcurrentDispatches": 2, "maxDispatchesPerSecond": 0.5 } } }),
                "TaskQueue(TaskQueue { retry: Retry { attempts_max: None, backoff_min_ms: None, backoff_max_ms: None, doublings_max: None, \
                 time_max_ms: None }, dispatches_at_once_max: Some(2), dispatches_per_second_max: Some(0.5) })",
            ),
            (
                json!({ "blockingTrigger": { "eventType": "providers/cloud.auth/eventTypes/user.beforeCreate", "options": { "idToken": true } } }),
                "Blocking(BlockingTrigger { kind: \"providers/cloud.auth/eventTypes/user.beforeCreate\", access_token: false, id_token: true, \
                 refresh_token: false })",
            ),
        ] {
            let found = one(endpoint).firebase.map(|endpoint| format!("{:?}", endpoint.trigger));
            assert_eq!(found.as_deref(), Some(wanted));
        }
    }

    #[test]
    fn parameters_without_a_value_are_told_of() {
        let read = read_all(json!({
            "params": [
                { "name": "SET", "type": "string" },
                { "name": "WITH_DEFAULT", "type": "int", "default": 3 },
                { "name": "LIST", "type": "list", "default": ["a", "b"] },
                { "name": "MISSING", "type": "string" },
                { "name": "KEY", "type": "secret" },
                { "name": "TOKEN", "type": "secret" },
            ],
            "endpoints": { "f": { "httpsTrigger": {} }, "gone": { "httpsTrigger": {}, "omit": true }, "wrong": {} },
        }));
        let problems: Vec<_> = read.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert_eq!(
            problems,
            [
                "the parameter `MISSING` has no value and no default",
                "the secret `TOKEN` has no value",
                "function `wrong`: emu does not know what triggers it"
            ]
        );
        assert_eq!(read.functions.len(), 1);
        let environment = &read.functions[0].environment;
        assert_eq!(
            (environment["WITH_DEFAULT"].as_str(), environment["LIST"].as_str(), environment.get("SET")),
            ("3", r#"["a","b"]"#, None)
        );
    }
}
