//! `events` of a function: what calls it.

use serde_json::Value as Json;

use super::{CORS_HEADERS, Scene, method_names};
use crate::project::check::choice;
use crate::project::keys::S3_EVENTS;
use crate::project::model::{
    Bucket, BucketSource, Cors, EventSource, Method, Payload, Position, QueueSource, Schedule, StreamSource, Topic, TopicSource,
};
use crate::project::problem::did_you_mean;
use crate::project::schedule;
use crate::project::settings::texts;
use crate::project::yaml::{Node, Value};

const METHODS: &[&str] = &["ANY", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
/// The route that takes what no other takes: `httpApi: '*'`.
const DEFAULT_ROUTE: &str = "*";

/// Which event of which function is read.
pub(super) struct Place<'a> {
    pub function: &'a str,
    /// For messages.
    pub path: String,
    pub timeout_s: u32,
    /// `provider.httpApi.payload`.
    pub payload: Option<&'a Node>,
    /// Keys of all functions.
    pub names: &'a [&'a str],
}

/// The method of an `httpApi` event.
pub(super) fn http_api_method(node: &Node) -> Option<Method> {
    let written = match node.as_text() {
        Some(text) => text.split_whitespace().next()?.to_string(),
        None => node.get("method").and_then(Node::scalar).unwrap_or_else(|| "*".into()),
    };
    method(&written)
}

fn method(text: &str) -> Option<Method> {
    let upper = text.to_ascii_uppercase();
    match upper.as_str() {
        "*" | "ANY" => Some(Method::Any),
        _ if METHODS.contains(&upper.as_str()) => Some(Method::Only(upper)),
        _ => None,
    }
}

fn number(node: &Node, key: &str) -> Option<u32> {
    node.get(key).and_then(Node::as_int).and_then(|n| u32::try_from(n).ok())
}

fn flag(node: &Node, key: &str, default: bool) -> bool {
    node.get(key).and_then(Node::as_bool).unwrap_or(default)
}

/// What the Serverless Framework calls the resource of the bucket that it makes for an event ("S3" of its guide to events).
fn bucket_logical_id(name: &str) -> String {
    let mut letters = name.chars().filter(char::is_ascii_alphanumeric);
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    "S3Bucket".chars().chain(first).chain(letters).collect()
}

fn filters(node: &Node) -> Vec<Json> {
    node.get("filterPatterns").map(Node::items).unwrap_or_default().iter().map(Node::json).collect()
}

/// The service and the last part of an ARN.
fn arn(text: &str) -> Option<(&str, &str)> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, service, _, _, rest] if !rest.is_empty() => Some((service, rest)),
        _ => None,
    }
}

impl Scene<'_> {
    /// The sources that one event stands for; `made` is how many the function has already.
    pub(super) fn event(&mut self, node: &Node, place: &Place<'_>, made: usize) -> Vec<EventSource> {
        let [entry] = node.entries() else { return Vec::new() };
        let value = &entry.value;
        if value.value == Value::Unknown {
            return Vec::new();
        }
        if value.is_null() {
            let known = matches!(entry.key.as_str(), "httpApi" | "http" | "schedule" | "sqs" | "s3" | "stream" | "sns");
            if known {
                let help = format!("indent its settings by two more spaces than `{}`", entry.key);
                self.error(&entry.at, format!("`{}.{}` is empty", place.path, entry.key), help);
            }
            return Vec::new();
        }
        let one = match entry.key.as_str() {
            "httpApi" => self.http_api(value, place),
            "http" => self.http(value, place),
            "schedule" => return self.schedule(value, place, made),
            "sqs" => self.queue(value, place),
            "s3" => self.bucket(value),
            "stream" => self.stream(value, place),
            "sns" => self.topic(value, place),
            _ => None,
        };
        one.into_iter().collect()
    }

    fn http_api(&mut self, node: &Node, place: &Place<'_>) -> Option<EventSource> {
        let payload = match place.payload.and_then(|p| choice(p, &["1.0", "2.0"])) {
            Some("1.0") => Payload::V1,
            _ => Payload::V2,
        };
        let (written, path, at) = match node.as_text().map(str::trim) {
            Some("*") => ("*".to_string(), None, &node.at),
            Some(text) => match text.split_once(char::is_whitespace) {
                Some((method, path)) => (method.to_string(), Some(path.trim().to_string()), &node.at),
                None => {
                    self.error(&node.at, format!("`{text}` is not a route"), "a method and a path: `GET /users/{id}`, or `*`");
                    return None;
                }
            },
            None => {
                let at = node.get("path").map_or(&node.at, |p| &p.at);
                let path = node.get("path").and_then(Node::scalar).filter(|p| p != "*");
                (node.get("method").and_then(Node::scalar).unwrap_or_else(|| "*".into()), path, at)
            }
        };
        let method = self.method(&written, &node.at)?;
        let path = match path {
            None => DEFAULT_ROUTE.to_string(),
            Some(path) if path.starts_with('/') => path,
            Some(path) => {
                self.error(at, format!("the path `{path}` of an `httpApi` route must begin with `/`"), format!("`{written} /{path}`"));
                return None;
            }
        };
        if path != DEFAULT_ROUTE {
            self.check_path(&path, at)?;
        }
        Some(EventSource::HttpApi { method, path, payload })
    }

    fn http(&mut self, node: &Node, place: &Place<'_>) -> Option<EventSource> {
        let (written, path, at) = match node.as_text().map(str::trim) {
            Some(text) => match text.split_once(char::is_whitespace) {
                Some((method, path)) => (method.to_string(), path.trim().to_string(), &node.at),
                None => {
                    self.error(&node.at, format!("`{text}` is not a route"), "a method and a path: `get users/{id}`");
                    return None;
                }
            },
            None => match (node.get("method").and_then(Node::scalar), node.get("path")) {
                (Some(method), Some(path)) => (method, path.scalar()?, &path.at),
                (method, _) => {
                    let missing = if method.is_none() { "method" } else { "path" };
                    let unknown = node.entry(missing).is_some_and(|e| e.value.value == Value::Unknown);
                    if !unknown {
                        self.error(
                            &node.at,
                            format!("`{}.http` has no `{missing}`", place.path),
                            "such as `http: { method: get, path: users/{id} }`",
                        );
                    }
                    return None;
                }
            },
        };
        let method = self.method(&written, &node.at)?;
        let path = format!("/{}", path.trim_start_matches('/'));
        self.check_path(&path, at)?;
        if let Some(kind) = node.get("integration")
            && kind.as_text().is_some_and(|k| !k.to_ascii_lowercase().ends_with("-proxy") && k != "AWS_PROXY")
        {
            self.ignored.push((format!("{}.http.integration", place.path), kind.at.clone()));
        }
        let cors = node.get("cors").and_then(|c| self.http_cors(c, &method));
        Some(EventSource::Http { method, path, cors })
    }

    fn http_cors(&mut self, node: &Node, method: &Method) -> Option<Cors> {
        if node.as_bool() == Some(false) {
            return None;
        }
        let list = |key: &str| node.get(key).map(|n| texts(Some(n)).into_iter().map(|(t, _)| t).collect::<Vec<_>>());
        let mut methods = method_names(method);
        methods.push("OPTIONS".into());
        Some(Cors {
            origins: list("origins").or_else(|| list("origin")).unwrap_or_else(|| vec!["*".into()]),
            headers: list("headers").unwrap_or_else(|| CORS_HEADERS.iter().map(|h| h.to_string()).collect()),
            methods: list("methods").unwrap_or(methods),
            exposed_headers: list("exposedHeaders").unwrap_or_default(),
            credentials: flag(node, "allowCredentials", false),
            max_age_s: number(node, "maxAge"),
        })
    }

    fn method(&mut self, written: &str, at: &Position) -> Option<Method> {
        let found = method(written);
        if found.is_none() {
            let near = did_you_mean(written, METHODS.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            self.error(at, format!("`{written}` is not a method"), near.unwrap_or_else(|| METHODS.join(", ")));
        }
        found
    }

    /// Parameters are whole segments, and a greedy one is the last.
    fn check_path(&mut self, path: &str, at: &Position) -> Option<()> {
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let mut seen = Vec::new();
        for (index, segment) in segments.iter().enumerate() {
            let name = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            let problem = match name {
                None if segment.contains(['{', '}']) => Some("a parameter is a whole segment, as in `/users/{id}`".to_string()),
                None if segment.starts_with(':') => Some(format!("parameters are written `{{{}}}`", &segment[1..])),
                None if segment.chars().any(char::is_whitespace) => Some("there is a space in it".to_string()),
                None => None,
                Some(name) if name.ends_with('+') && index + 1 < segments.len() => {
                    Some(format!("`{segment}` takes all the rest, so it must be last"))
                }
                Some(name) if seen.contains(&name) => Some(format!("`{segment}` is there twice")),
                Some(name) => {
                    seen.push(name);
                    let plain = name.strip_suffix('+').unwrap_or(name);
                    let valid = !plain.is_empty() && plain.chars().all(|c| c.is_ascii_alphanumeric() || "_-.$:".contains(c));
                    (!valid).then(|| "a parameter's name has letters, digits, `_` and `-`".to_string())
                }
            };
            if let Some(help) = problem {
                self.error(at, format!("`{path}` is not a path of a route"), help);
                return None;
            }
        }
        Some(())
    }

    fn schedule(&mut self, node: &Node, place: &Place<'_>, made: usize) -> Vec<EventSource> {
        let rates = match node.as_text() {
            Some(text) => vec![(text.to_string(), node.at.clone())],
            None => texts(node.get("rate")),
        };
        if rates.is_empty() && !node.entry("rate").is_some_and(|e| e.value.value == Value::Unknown) && matches!(node.value, Value::Map(_)) {
            self.error(
                &node.at,
                format!("`{}.schedule` has no `rate`", place.path),
                "such as `rate: rate(5 minutes)` or `rate: cron(0 10 * * ? *)`",
            );
        }
        let input = node.get("input").map(|input| match input.as_text() {
            Some(text) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            None => input.json(),
        });
        let name = node.get("name").and_then(Node::scalar);
        let several = rates.len() > 1;
        let mut schedules = Vec::new();
        for (index, (expression, at)) in rates.into_iter().enumerate() {
            if let Err(error) = schedule::parse(&expression) {
                self.error(&at, format!("`{expression}` is not a schedule"), error.to_string());
                continue;
            }
            let name = match &name {
                Some(name) if several => format!("{name}-{}", index + 1),
                Some(name) => name.clone(),
                None => format!("{}-schedule-{}", place.function, made + schedules.len() + 1),
            };
            schedules.push(EventSource::Schedule(Schedule {
                name,
                expression,
                enabled: flag(node, "enabled", true),
                input: input.clone(),
            }));
        }
        schedules
    }

    /// The text under `arn:`, or the text that the event is.
    fn event_arn(&mut self, node: &Node, kind: &str, place: &Place<'_>) -> Option<(String, Position)> {
        let found = if matches!(node.value, Value::Map(_)) { node.entry("arn").map(|e| &e.value) } else { Some(node) };
        match found {
            Some(node) if node.value == Value::Unknown => None,
            Some(node) if !node.is_null() => Some((node.scalar()?, node.at.clone())),
            _ => {
                self.error(&node.at, format!("`{}.{kind}` has no `arn`", place.path), "such as `arn: !GetAtt LogicalId.Arn`");
                None
            }
        }
    }

    fn queue(&mut self, node: &Node, place: &Place<'_>) -> Option<EventSource> {
        let (text, at) = self.event_arn(node, "sqs", place)?;
        let Some(("sqs", queue)) = arn(&text) else {
            let ids = self.template.resources.iter().filter(|(_, d)| d.kind == "AWS::SQS::Queue").map(|(id, _)| id.as_str());
            let id = did_you_mean(&text, ids).unwrap_or("LogicalId").to_string();
            self.error(&at, format!("`{text}` is not the ARN of a queue"), format!("such as `arn: !GetAtt {id}.Arn`"));
            return None;
        };
        self.known_queue(queue, &at);
        let (batch_size, window_s) = (number(node, "batchSize").unwrap_or(10), number(node, "maximumBatchingWindow").unwrap_or(0));
        if queue.ends_with(".fifo") && (batch_size > 10 || window_s > 0) {
            self.error(
                &at,
                "a FIFO queue gives batches of at most 10, without a batching window",
                "set `batchSize: 10` and leave out `maximumBatchingWindow`",
            );
        } else if batch_size > 10 && window_s == 0 {
            self.error(
                &at,
                format!("batches of {batch_size} need a batching window"),
                "add `maximumBatchingWindow: 1`, or set `batchSize` to 10 or less",
            );
        }
        let visibility = self.resources.queues.iter().find(|q| q.name == queue).map(|q| {
            let value = q.properties.get("VisibilityTimeout");
            value.and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok())).unwrap_or(30)
        });
        if let Some(visibility) = visibility.filter(|v| *v < i64::from(place.timeout_s)) {
            let message = format!(
                "the queue `{queue}` hides a message for {visibility} s, but `{}` may run for {} s",
                place.function, place.timeout_s
            );
            self.warn(&at, message, "AWS refuses that: raise `VisibilityTimeout` or lower `timeout`");
        }
        Some(EventSource::Queue(QueueSource {
            queue: queue.to_string(),
            batch_size,
            window_s,
            partial_failures: node.get("functionResponseType").is_some(),
            enabled: flag(node, "enabled", true),
            concurrency_max: number(node, "maximumConcurrency"),
            filters: filters(node),
        }))
    }

    fn bucket(&mut self, node: &Node) -> Option<EventSource> {
        let named = if matches!(node.value, Value::Map(_)) { node.entry("bucket").map(|e| &e.value) } else { Some(node) };
        let Some(named) = named.filter(|n| !n.is_null()) else {
            self.error(&node.at, "the `s3` event has no `bucket`", "such as `bucket: photos`, or `bucket: !Ref LogicalId`");
            return None;
        };
        let bucket = named.scalar()?;
        if let Some(declared) = self.template.resources.get(&bucket).filter(|d| d.kind == "AWS::S3::Bucket") {
            let name = self.template.name(&bucket).unwrap_or_default();
            let help = format!("`bucket: !Ref {bucket}` names the one on line {}", declared.at.line);
            self.error(&named.at, format!("`{bucket}` is a resource; its bucket is called `{name}`"), help);
            return None;
        }
        let logical_id = bucket_logical_id(&bucket);
        if let Some(declared) = self.resources.buckets.iter().find(|b| b.name == bucket) {
            if declared.logical_id != logical_id && !flag(node, "existing", false) {
                let message = format!("a deployment makes the bucket `{bucket}` twice: for this event, and as `{}`", declared.logical_id);
                let help = format!("call the resource `{logical_id}`, or leave it out");
                self.warn(&named.at, message, help);
            }
        } else {
            if let Some(near) = did_you_mean(&bucket, self.resources.buckets.iter().map(|b| b.name.as_str())).map(str::to_string) {
                self.warn(&named.at, format!("the bucket `{bucket}` is made for this event"), format!("did you mean `{near}`?"));
            }
            let valid = (3..=63).contains(&bucket.len())
                && bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.');
            if !valid {
                self.error(
                    &named.at,
                    format!("`{bucket}` cannot be the name of a bucket"),
                    "3 to 63 lower-case letters, digits, `-` and `.`",
                );
                return None;
            }
            let at = named.at.clone();
            self.resources.buckets.push(Bucket {
                name: bucket.clone(),
                logical_id,
                properties: serde_json::json!({}),
                notifications: Vec::new(),
                at,
            });
        }
        let event = node.get("event").and_then(|e| choice(e, S3_EVENTS)).unwrap_or("s3:ObjectCreated:*").to_string();
        let (mut prefix, mut suffix) = (None, None);
        for rule in node.get("rules").map(Node::items).unwrap_or_default() {
            for entry in rule.entries() {
                let slot = if entry.key == "prefix" { &mut prefix } else { &mut suffix };
                if slot.is_some() {
                    self.error(&entry.at, format!("a second `{}`: S3 takes one of each", entry.key), "write a second `s3` event for it");
                    break;
                }
                *slot = entry.value.scalar();
            }
        }
        Some(EventSource::Bucket(BucketSource { bucket, event, prefix, suffix }))
    }

    fn stream(&mut self, node: &Node, place: &Place<'_>) -> Option<EventSource> {
        let (text, at) = self.event_arn(node, "stream", place)?;
        let kind = node.get("type").and_then(Node::as_text);
        if kind == Some("kinesis") || matches!(arn(&text), Some(("kinesis", _))) {
            self.ignored.push((format!("{}.stream (kinesis)", place.path), node.at.clone()));
            return None;
        }
        let Some(("dynamodb", resource)) = arn(&text) else {
            self.error(&at, format!("`{text}` is not the ARN of a table's stream"), "such as `arn: !GetAtt LogicalId.StreamArn`");
            return None;
        };
        let mut parts = resource.split('/');
        let (Some("table"), Some(table), stream) = (parts.next(), parts.next(), parts.next()) else {
            self.error(&at, format!("`{text}` is not the ARN of a table's stream"), "such as `arn: !GetAtt LogicalId.StreamArn`");
            return None;
        };
        match self.resources.tables.iter().find(|t| t.name == table) {
            Some(found) if stream.is_none() => {
                let help = format!("use `!GetAtt {}.StreamArn`", found.logical_id);
                self.error(&at, format!("this is the ARN of the table `{table}`, not of its stream"), help);
                return None;
            }
            Some(found) if found.properties.get("StreamSpecification").is_none_or(Json::is_null) => {
                let message = format!("the table `{table}` has no stream");
                let help = format!("add `StreamSpecification: {{ StreamViewType: NEW_AND_OLD_IMAGES }}` to `{}`", found.logical_id);
                self.error(&at, message, help);
                return None;
            }
            Some(_) => {}
            None => {
                let near = did_you_mean(table, self.resources.tables.iter().map(|t| t.name.as_str()));
                let help =
                    near.map_or_else(|| "declare it under `resources.Resources`".to_string(), |near| format!("did you mean `{near}`?"));
                self.warn(&at, format!("no table `{table}` is declared in this project"), help);
            }
        }
        let destination = node.get("destinations").and_then(|d| d.get("onFailure"));
        let on_failure = destination.and_then(|d| self.destination(d, place.names));
        let position = node.get("startingPosition").and_then(Node::as_text);
        Some(EventSource::Stream(StreamSource {
            table: table.to_string(),
            batch_size: number(node, "batchSize").unwrap_or(10),
            window_s: number(node, "batchWindow").unwrap_or(0),
            from_latest: position == Some("LATEST"),
            retries_max: number(node, "maximumRetryAttempts"),
            bisect: flag(node, "bisectBatchOnFunctionError", false),
            partial_failures: node.get("functionResponseType").is_some(),
            on_failure,
            enabled: flag(node, "enabled", true),
            filters: filters(node),
        }))
    }

    fn topic(&mut self, node: &Node, place: &Place<'_>) -> Option<EventSource> {
        let written = match &node.value {
            Value::Map(_) => ["arn", "topicName"].iter().filter_map(|k| node.entry(k)).map(|e| &e.value).find(|n| !n.is_null()),
            _ => Some(node),
        };
        let Some(written) = written else {
            self.error(&node.at, format!("`{}.sns` has neither `topicName` nor `arn`", place.path), "such as `topicName: orders`");
            return None;
        };
        let text = written.scalar()?;
        let topic = match arn(&text) {
            Some(("sns", name)) => name.to_string(),
            Some(_) => {
                self.error(&written.at, format!("`{text}` is not the ARN of a topic"), "such as `arn: !Ref LogicalId`");
                return None;
            }
            None => text,
        };
        let base = topic.strip_suffix(".fifo").unwrap_or(&topic);
        if base.is_empty() || topic.len() > 256 || !base.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            self.error(&written.at, format!("`{topic}` cannot be the name of a topic"), "1 to 256 letters, digits, `-` and `_`");
            return None;
        }
        if !self.resources.topics.iter().any(|t| t.name == topic) {
            let logical_id = format!("SNSTopic{}", topic.chars().filter(char::is_ascii_alphanumeric).collect::<String>());
            let properties = serde_json::json!({ "TopicName": topic });
            self.resources.topics.push(Topic {
                name: topic.clone(),
                logical_id,
                properties,
                subscriptions: Vec::new(),
                at: written.at.clone(),
            });
        }
        Some(EventSource::Topic(TopicSource { topic, filter: node.get("filterPolicy").map(Node::json) }))
    }
}
