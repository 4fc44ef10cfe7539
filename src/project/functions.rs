//! `functions`, with what `provider` sets for all of them.

mod events;
mod handler;

use std::collections::BTreeMap;
use std::path::Path;

use super::intrinsics::Template;
use super::model::{Cors, Destination, EventSource, Function, Method, Position, Problem, Resources, Runtime};
use super::problem::did_you_mean;
use super::settings::texts;
use super::yaml::{Entry, Node, Value};

/// Longest name of a deployed function (Lambda API, `CreateFunction`).
const NAME_CHARS_MAX: usize = 64;
/// Headers that Serverless allows where CORS is only switched on.
const CORS_HEADERS: &[&str] =
    &["Content-Type", "X-Amz-Date", "Authorization", "X-Api-Key", "X-Amz-Security-Token", "X-Amz-User-Agent", "X-Amzn-Trace-Id"];

/// The whole file with the references resolved that functions depend on.
pub(super) fn evaluate(root: &Node, template: &Template) -> Node {
    const KEYS: &[&str] = &["handler", "name", "environment", "events", "onError", "destinations"];
    let function =
        |node: &Node| within(node, |e| if KEYS.contains(&e.key.as_str()) { template.value(&e.value) } else { Some(e.value.clone()) });
    within(root, |section| match section.key.as_str() {
        "functions" => Some(within(&section.value, |f| Some(function(&f.value)))),
        "provider" => {
            Some(within(&section.value, |e| if e.key == "environment" { template.value(&e.value) } else { Some(e.value.clone()) }))
        }
        _ => Some(section.value.clone()),
    })
}

/// The same map with every value changed; entries without a value are left out.
fn within(node: &Node, change: impl Fn(&Entry) -> Option<Node>) -> Node {
    let Value::Map(entries) = &node.value else { return node.clone() };
    let entries = entries.iter().filter_map(|e| Some(Entry { key: e.key.clone(), at: e.at.clone(), value: change(e)? }));
    Node::new(node.at.clone(), Value::Map(entries.collect()))
}

/// What functions are built from and add to.
pub(super) struct Scene<'a> {
    pub root: &'a Path,
    /// What `.env` files say.
    pub file_env: &'a BTreeMap<String, String>,
    pub template: &'a Template,
    pub resources: Resources,
    pub ignored: Vec<(String, Position)>,
    pub problems: &'a mut Vec<Problem>,
}

impl Scene<'_> {
    /// Every function that can run here.
    pub fn functions(&mut self, root: &Node) -> Vec<Function> {
        let empty = Node::new(root.at.clone(), Value::Null);
        let provider = root.get("provider").unwrap_or(&empty);
        self.check_provider(root, provider);
        let all = root.get("functions").map(Node::entries).unwrap_or_default();
        let names: Vec<&str> = all.iter().map(|e| e.key.as_str()).collect();
        let mut functions: Vec<Function> = all.iter().filter_map(|e| self.function(e, provider, &names)).collect();
        self.check_routes(&functions);
        join_cors_methods(&mut functions);
        functions
    }

    /// CORS of the `httpApi`, where it is switched on.
    pub fn http_api_cors(&self, root: &Node) -> Option<Cors> {
        let cors = root.get("provider")?.get("httpApi")?.get("cors")?;
        if cors.as_bool() == Some(false) {
            return None;
        }
        let list = |key: &str| cors.get(key).map(|n| texts(Some(n)).into_iter().map(|(t, _)| t).collect::<Vec<_>>());
        let routes = root.get("functions").map(Node::entries).unwrap_or_default();
        let events = routes.iter().filter_map(|f| f.value.get("events")).flat_map(|e| e.items());
        let mut methods: Vec<String> =
            events.filter_map(|e| events::http_api_method(e.get("httpApi")?)).flat_map(|m| method_names(&m)).collect();
        methods.push("OPTIONS".into());
        methods.sort();
        methods.dedup();
        Some(Cors {
            origins: list("allowedOrigins").unwrap_or_else(|| vec!["*".into()]),
            headers: list("allowedHeaders").unwrap_or_else(|| CORS_HEADERS.iter().map(|h| h.to_string()).collect()),
            methods: list("allowedMethods").unwrap_or(methods),
            exposed_headers: list("exposedResponseHeaders").unwrap_or_default(),
            credentials: cors.get("allowCredentials").and_then(Node::as_bool).unwrap_or(false),
            max_age_s: cors.get("maxAge").and_then(Node::as_int).and_then(|n| u32::try_from(n).ok()),
        })
    }

    fn error(&mut self, at: &Position, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::error(at, message).with_help(help));
    }

    fn warn(&mut self, at: &Position, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(Problem::warning(at, message).with_help(help));
    }

    fn check_provider(&mut self, root: &Node, provider: &Node) {
        if provider.value == Value::Unknown {
            return;
        }
        let name = provider.as_text().or_else(|| provider.get("name").and_then(Node::as_text));
        match name {
            Some("aws") => {}
            Some(other) => {
                let at = provider.get("name").map_or(&provider.at, |n| &n.at);
                self.error(at, format!("the provider `{other}` is not emulated"), "emu runs projects of the provider `aws`");
            }
            None if provider.is_null() => {
                self.error(&root.at, "the project has no provider", "add `provider: { name: aws, runtime: nodejs22.x }`")
            }
            None if provider.entry("name").is_none_or(|n| n.value.is_null()) => {
                self.error(&provider.at, "`provider` has no `name`", "add `name: aws` under `provider`");
            }
            None => {}
        }
    }

    fn function(&mut self, entry: &Entry, provider: &Node, names: &[&str]) -> Option<Function> {
        let (name, node, at) = (&entry.key, &entry.value, &entry.at);
        let path = format!("functions.{name}");
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            self.error(at, format!("`{name}` cannot be the name of a function"), "letters, digits, `-` and `_`");
            return None;
        }
        if node.is_null() {
            self.error(at, format!("the function `{name}` is empty"), "add `handler: path/to/file.export`");
            return None;
        }
        if !matches!(node.value, Value::Map(_)) {
            return None;
        }
        let deployed_name = node.get("name").and_then(Node::scalar);
        let deployed_name = deployed_name.unwrap_or_else(|| format!("{}-{}-{name}", self.template.service, self.template.stage));
        if deployed_name.chars().count() > NAME_CHARS_MAX {
            let message = format!("the deployed name `{deployed_name}` is longer than the {NAME_CHARS_MAX} characters that Lambda allows");
            self.warn(at, message, "shorten it, or set `name:`");
        }
        let either = |key: &str| node.get(key).or_else(|| provider.get(key));
        let runtime = self.runtime(name, at, either("runtime"))?;
        let handler = self.handler(name, at, node, runtime)?;
        let number = |found: Option<&Node>| found.and_then(Node::as_int).and_then(|n| u32::try_from(n).ok());
        let usual = Function::new(name, deployed_name, &handler);
        let timeout_s = number(either("timeout")).unwrap_or((usual.timeout_ms / 1_000) as u32);
        let mut function = Function {
            runtime,
            build: node.get("build").and_then(Node::scalar),
            memory_mib: number(either("memorySize")).unwrap_or(usual.memory_mib),
            timeout_ms: u64::from(timeout_s) * 1_000,
            environment: self.environment(provider, node),
            retries_max: number(node.get("maximumRetryAttempts")).unwrap_or(usual.retries_max),
            event_age_max_s: number(node.get("maximumEventAge")).unwrap_or(usual.event_age_max_s),
            concurrency_max: number(node.get("reservedConcurrency")),
            at: at.clone(),
            ..usual
        };
        if function.build.is_some() && runtime == Runtime::JavaScript {
            self.error(at, format!("`{path}.build` is for `runtime: wasm`"), "JavaScript and TypeScript are bundled by emu itself");
        }
        let destinations = node.get("destinations");
        function.on_failure = destinations.and_then(|d| d.get("onFailure")).and_then(|n| self.destination(n, names));
        function.dead_letters = node.get("onError").and_then(|n| self.destination(n, names));
        function.on_success = destinations.and_then(|d| d.get("onSuccess")).and_then(|n| self.destination(n, names));
        let events = node.get("events").map(Node::items).unwrap_or_default();
        let payload = provider.get("httpApi").and_then(|a| a.get("payload"));
        for (index, event) in events.iter().enumerate() {
            let place = events::Place { function: name, path: format!("{path}.events[{index}]"), timeout_s, payload, names };
            let made = self.event(event, &place, function.events.len());
            function.events.extend(made);
        }
        Some(function)
    }

    fn runtime(&mut self, name: &str, at: &Position, node: Option<&Node>) -> Option<Runtime> {
        let Some(text) = node.and_then(Node::scalar) else { return Some(Runtime::JavaScript) };
        if text.starts_with("nodejs") {
            Some(Runtime::JavaScript)
        } else if text == "wasm" {
            Some(Runtime::Wasm)
        } else {
            const KNOWN: &[&str] = &["python", "java", "ruby", "go", "dotnet", "provided"];
            let near = did_you_mean(&text, ["wasm", "nodejs20.x", "nodejs22.x", "nodejs24.x"]);
            let place = node.map_or(at, |n| &n.at).clone();
            if KNOWN.iter().any(|k| text.starts_with(k)) {
                self.warn(
                    &place,
                    format!("`{name}` is left out: emu does not run `{text}`"),
                    "it runs `nodejs22.x` and the like, and `wasm`",
                );
            } else {
                let help = near.map_or_else(|| "such as `nodejs22.x`, or `wasm`".to_string(), |near| format!("did you mean `{near}`?"));
                self.error(&place, format!("there is no runtime `{text}`"), help);
            }
            None
        }
    }

    /// Precedence: function, provider, `.env`.
    fn environment(&mut self, provider: &Node, node: &Node) -> BTreeMap<String, String> {
        let mut all = self.file_env.clone();
        for entry in [provider, node].iter().filter_map(|n| n.get("environment")).flat_map(|e| e.entries()) {
            let name = &entry.key;
            let valid = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !valid {
                let message = format!("`{name}` cannot be the name of an environment variable");
                self.error(&entry.at, message, "letters, digits and `_`, beginning with a letter");
            } else if entry.value.is_null() {
                all.remove(name);
            } else if let Some(value) = entry.value.scalar() {
                all.insert(name.clone(), value);
            }
        }
        all
    }

    /// A function's key, or the ARN of a queue, topic or function.
    fn destination(&mut self, node: &Node, names: &[&str]) -> Option<Destination> {
        let target = node.get("arn").unwrap_or(node);
        let text = target.scalar()?;
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        if let ["arn", _, service, _, _, rest] = parts[..] {
            let last = rest.rsplit(':').next().unwrap_or(rest).to_string();
            return match service {
                "sqs" => {
                    self.known_queue(&last, &target.at);
                    Some(Destination::Queue(last))
                }
                "sns" => Some(Destination::Topic(last)),
                "lambda" => {
                    let name = rest.strip_prefix("function:").unwrap_or(rest).split(':').next().unwrap_or_default().to_string();
                    let prefix = format!("{}-{}-", self.template.service, self.template.stage);
                    let key = name.strip_prefix(&prefix).filter(|k| names.contains(k)).map(str::to_string);
                    Some(Destination::Function(key.unwrap_or(name)))
                }
                other => {
                    self.warn(&target.at, format!("`{other}` is not emulated as a destination"), "a queue, a topic or a function");
                    None
                }
            };
        }
        if names.contains(&text.as_str()) {
            return Some(Destination::Function(text));
        }
        let near = did_you_mean(&text, names.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let help = near.unwrap_or_else(|| "the name of a function, or the ARN of a queue, topic or function".into());
        self.error(&target.at, format!("there is no function `{text}`"), help);
        None
    }

    /// Warns where no such queue is declared.
    fn known_queue(&mut self, name: &str, at: &Position) {
        if self.resources.queues.iter().any(|q| q.name == name) {
            return;
        }
        let near = did_you_mean(name, self.resources.queues.iter().map(|q| q.name.as_str()));
        let help = near.map_or_else(
            || "declare it under `resources.Resources`, or create it with an SDK".into(),
            |near| format!("did you mean `{near}`?"),
        );
        self.warn(at, format!("no queue `{name}` is declared in this project"), help);
    }

    fn check_routes(&mut self, functions: &[Function]) {
        let mut seen: BTreeMap<(bool, String, String), &Function> = BTreeMap::new();
        for function in functions {
            for event in &function.events {
                let (api, method, path) = match event {
                    EventSource::HttpApi { method, path, .. } => (true, method, path),
                    EventSource::Http { method, path, .. } => (false, method, path),
                    _ => continue,
                };
                let shape = path.split('/').map(|s| if s.starts_with('{') { if s.ends_with("+}") { "{+}" } else { "{}" } } else { s });
                let key = (api, format!("{method:?}"), shape.collect::<Vec<_>>().join("/"));
                if let Some(first) = seen.insert(key, function) {
                    let shown = match method {
                        Method::Any => format!("ANY {path}"),
                        Method::Only(method) => format!("{method} {path}"),
                    };
                    let message = format!("the route `{shown}` is there twice: in `{}` and in `{}`", first.name, function.name);
                    self.error(&function.at, message, "a route has one function");
                }
            }
        }
    }
}

/// The methods that a route answers to.
fn method_names(method: &Method) -> Vec<String> {
    match method {
        Method::Only(method) => vec![method.clone()],
        Method::Any => ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"].map(str::to_string).to_vec(),
    }
}

/// The preflight of a path allows the methods of all its routes.
fn join_cors_methods(functions: &mut [Function]) {
    let mut by_path: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in functions.iter().flat_map(|f| &f.events) {
        if let EventSource::Http { path, cors: Some(cors), .. } = event {
            by_path.entry(path.clone()).or_default().extend(cors.methods.iter().cloned());
        }
    }
    for event in functions.iter_mut().flat_map(|f| &mut f.events) {
        if let EventSource::Http { path, cors: Some(cors), .. } = event
            && let Some(methods) = by_path.get(path)
        {
            cors.methods = methods.clone();
            cors.methods.sort();
            cors.methods.dedup();
        }
    }
}
