//! `resources.Resources`: the tables, buckets, queues and topics that emu makes.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::intrinsics::{Declared, Template};
use super::keys;
use super::model::{Bucket, Destination, Notification, Position, Problem, Queue, Resources, Table, Topic};
use super::problem::did_you_mean;

/// Builds what is declared; what is not emulated is named in one warning.
pub(super) fn build(template: &Template, problems: &mut Vec<Problem>) -> Resources {
    warn_of_others(template, problems);
    let mut resources = Resources::default();
    let mut names: BTreeMap<(&str, String), Position> = BTreeMap::new();
    let mut subscriptions = Vec::new();
    for (id, declared) in template.present() {
        if !keys::EMULATED_RESOURCES.contains(&declared.kind.as_str()) {
            continue;
        }
        let Some(properties) = template.value(&declared.properties).map(|n| n.json()).filter(Json::is_object) else { continue };
        if declared.kind == "AWS::SNS::Subscription" {
            subscriptions.push((declared, properties));
            continue;
        }
        let Some(name) = template.name(id).filter(|n| !n.is_empty()) else { continue };
        let noun = declared.kind.rsplit("::").next().unwrap_or_default();
        let noun = if noun == "GlobalTable" { "Table" } else { noun };
        if let Some(first) = names.insert((noun, name.clone()), declared.at.clone()) {
            let message = format!("two resources are called `{name}`: the first is on line {}", first.line);
            problems.push(Problem::error(&declared.at, message).with_help("give one of them another name"));
            continue;
        }
        let place = Place { id, name: &name, declared };
        if let Some(problem) = place.name_problem(noun) {
            problems.push(problem);
        }
        let (logical_id, at) = (id.clone(), declared.at.clone());
        match noun {
            "Table" => {
                let properties = place.table(properties, problems);
                resources.tables.push(Table { name, logical_id, properties, at });
            }
            "Bucket" => {
                let notifications = place.notifications(&properties, problems);
                resources.buckets.push(Bucket { name, logical_id, properties, notifications, at });
            }
            "Queue" => resources.queues.push(Queue { properties: place.queue(properties, problems), name, logical_id, at }),
            _ => {
                let subscriptions = listed_subscriptions(&properties);
                resources.topics.push(Topic { name, logical_id, properties, subscriptions, at });
            }
        }
    }
    for (declared, properties) in subscriptions {
        subscribe(declared, properties, &mut resources, problems);
    }
    check_redrives(template, &resources, problems);
    check_notifications(&resources, problems);
    resources
}

fn warn_of_others(template: &Template, problems: &mut Vec<Problem>) {
    let mut others = Vec::new();
    for (kind, at) in template.kinds() {
        let quiet = keys::QUIET_RESOURCES.iter().any(|q| q.strip_suffix('*').map_or(*q == kind, |begin| kind.starts_with(begin)));
        if quiet || keys::EMULATED_RESOURCES.contains(&kind) {
            continue;
        }
        if let Some(near) = did_you_mean(kind, keys::EMULATED_RESOURCES.iter().copied()) {
            let message = format!("there is no resource type `{kind}`");
            problems.push(Problem::error(at, message).with_help(format!("did you mean `{near}`?")));
        } else if !kind.contains("::") {
            problems.push(Problem::error(at, format!("`{kind}` is not a resource type")).with_help("such as `AWS::DynamoDB::Table`"));
        } else {
            others.push((kind, at));
        }
    }
    others.sort_by_key(|(_, at)| (at.line, at.column));
    if let Some((_, at)) = others.first() {
        let names = others.iter().map(|(kind, at)| format!("`{kind}` (line {})", at.line)).collect::<Vec<_>>().join(", ");
        problems.push(
            Problem::warning(at, format!("resource types that are not emulated: {names}")).with_help("references to them get names only"),
        );
    }
}

/// Where a resource stands, for messages.
struct Place<'a> {
    id: &'a str,
    name: &'a str,
    declared: &'a Declared,
}

impl Place<'_> {
    fn error(&self, message: String) -> Problem {
        Problem::error(&self.declared.at, message)
    }

    /// Rules of the services' own API references for names.
    fn name_problem(&self, noun: &str) -> Option<Problem> {
        let name = self.name;
        let only = |extra: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c));
        let base = name.strip_suffix(".fifo").unwrap_or(name);
        let (ok, rule) = match noun {
            "Table" => ((3..=255).contains(&name.len()) && only("_.-"), "3 to 255 letters, digits, `_`, `-` and `.`"),
            "Bucket" => (
                (3..=63).contains(&name.len())
                    && only(".-")
                    && !name.chars().any(|c| c.is_ascii_uppercase())
                    && !name.starts_with(['.', '-'])
                    && !name.ends_with(['.', '-'])
                    && !name.contains(".."),
                "3 to 63 lower-case letters, digits, `-` and `.`",
            ),
            "Queue" => (!base.is_empty() && name.len() <= 80 && base.chars().all(word), "1 to 80 letters, digits, `_` and `-`"),
            _ => (!base.is_empty() && name.len() <= 256 && base.chars().all(word), "1 to 256 letters, digits, `_` and `-`"),
        };
        (!ok).then(|| self.error(format!("`{name}` cannot be the name of `{}`", self.id)).with_help(format!("{noun} names: {rule}")))
    }

    /// The properties as `CreateTable` takes them.
    fn table(&self, mut properties: Json, problems: &mut Vec<Problem>) -> Json {
        let Some(map) = properties.as_object_mut() else { return properties };
        map.insert("TableName".into(), self.name.into());
        if self.declared.kind == "AWS::DynamoDB::GlobalTable" {
            map.remove("Replicas");
            map.entry("BillingMode").or_insert("PAY_PER_REQUEST".into());
        }
        if let Some(stream) = map.get_mut("StreamSpecification").and_then(Json::as_object_mut) {
            stream.entry("StreamEnabled").or_insert(true.into());
        }
        let defined: Vec<&str> = names(map.get("AttributeDefinitions"), "AttributeName");
        let mut used = names(map.get("KeySchema"), "AttributeName");
        if used.is_empty() {
            problems.push(self.error(format!("the table `{}` has no `KeySchema`", self.id)).with_help(
                "such as `KeySchema: [{ AttributeName: id, KeyType: HASH }]`, with the attribute's type in `AttributeDefinitions`",
            ));
        }
        for indexes in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
            for index in map.get(indexes).and_then(Json::as_array).into_iter().flatten() {
                used.extend(names(index.get("KeySchema"), "AttributeName"));
            }
        }
        if let Some(missing) = used.iter().find(|u| !defined.contains(u)) {
            let message = format!("the table `{}` has the key `{missing}`, which `AttributeDefinitions` does not define", self.id);
            let help = format!("add `{{ AttributeName: {missing}, AttributeType: S }}`");
            problems.push(self.error(message).with_help(help));
        } else if let Some(extra) = defined.iter().find(|d| !used.contains(d)) {
            let message = format!("the table `{}` defines the attribute `{extra}`, which no key uses", self.id);
            problems.push(self.error(message).with_help("DynamoDB wants only attributes of keys in `AttributeDefinitions`"));
        }
        properties
    }

    /// What `NotificationConfiguration` asks for. Source: "AWS::S3::Bucket NotificationConfiguration" of the template reference.
    fn notifications(&self, properties: &Json, problems: &mut Vec<Problem>) -> Vec<Notification> {
        type Told = fn(String) -> Destination;
        const KINDS: [(&str, &str, Told); 3] = [
            ("LambdaConfigurations", "Function", Destination::Function),
            ("QueueConfigurations", "Queue", Destination::Queue),
            ("TopicConfigurations", "Topic", Destination::Topic),
        ];
        let Some(configuration) = properties.get("NotificationConfiguration") else { return Vec::new() };
        let mut found = Vec::new();
        for (list, key, told) in KINDS {
            for one in configuration.get(list).and_then(Json::as_array).into_iter().flatten() {
                let text = |key: &str| one.get(key).and_then(Json::as_str);
                let (Some(event), Some(arn)) = (text("Event"), text(key)) else {
                    problems.push(self.error(format!("each of `{list}` of the bucket `{}` needs `Event` and `{key}`", self.id)));
                    continue;
                };
                if !keys::S3_EVENTS.contains(&event) {
                    let near = did_you_mean(event, keys::S3_EVENTS.iter().copied());
                    let help = near.map_or("such as `s3:ObjectCreated:*`".to_owned(), |near| format!("did you mean `{near}`?"));
                    problems.push(self.error(format!("S3 has no event `{event}`")).with_help(help));
                    continue;
                }
                let (mut prefix, mut suffix) = (None, None);
                let rules = one.pointer("/Filter/S3Key/Rules").and_then(Json::as_array).into_iter().flatten();
                for rule in rules {
                    let part = |key: &str| rule.get(key).and_then(Json::as_str).unwrap_or_default();
                    // CloudFormation takes any case.
                    match part("Name").to_ascii_lowercase().as_str() {
                        "prefix" => prefix = Some(part("Value").to_owned()),
                        "suffix" => suffix = Some(part("Value").to_owned()),
                        other => {
                            let message = format!("a filter of the bucket `{}` has the name `{other}`", self.id);
                            problems.push(self.error(message).with_help("`prefix` or `suffix`"));
                        }
                    }
                }
                let name = arn.rsplit(':').next().unwrap_or_default().to_owned();
                found.push(Notification { event: event.to_owned(), prefix, suffix, to: told(name) });
            }
        }
        found
    }

    /// The properties in the forms of the queue's attributes.
    fn queue(&self, mut properties: Json, problems: &mut Vec<Problem>) -> Json {
        let Some(map) = properties.as_object_mut() else { return properties };
        map.insert("QueueName".into(), self.name.into());
        for policy in ["RedrivePolicy", "RedriveAllowPolicy"] {
            let parsed = map.get(policy).and_then(Json::as_str).and_then(|text| serde_json::from_str::<Json>(text).ok());
            if let Some(parsed) = parsed {
                map.insert(policy.into(), parsed);
            }
        }
        let fifo = map.get("FifoQueue").is_some_and(|f| *f == json!(true) || *f == json!("true"));
        if fifo != self.name.ends_with(".fifo") {
            let (message, help) = match fifo {
                true => (
                    format!("the FIFO queue `{}` must have a name that ends with `.fifo`", self.id),
                    format!("`QueueName: {}.fifo`", self.name),
                ),
                false => (format!("the queue `{}` has a name of a FIFO queue", self.id), "add `FifoQueue: true`".to_string()),
            };
            problems.push(self.error(message).with_help(help));
        }
        let ranges = [
            ("DelaySeconds", 0, 900),
            ("MaximumMessageSize", 1_024, 1_048_576),
            ("MessageRetentionPeriod", 60, 1_209_600),
            ("ReceiveMessageWaitTimeSeconds", 0, 20),
            ("VisibilityTimeout", 0, 43_200),
        ];
        for (key, low, high) in ranges {
            let Some(value) = map.get(key) else { continue };
            let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
            if !value.is_null() && !number.is_some_and(|n| (low..=high).contains(&n)) {
                problems.push(
                    self.error(format!("`{key}` of the queue `{}` must be a whole number from {low} to {high}, not {value}", self.id)),
                );
            }
        }
        properties
    }
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

fn names<'a>(list: Option<&'a Json>, key: &str) -> Vec<&'a str> {
    list.and_then(Json::as_array).into_iter().flatten().filter_map(|i| i.get(key)?.as_str()).collect()
}

/// `Subscription:` of a topic.
fn listed_subscriptions(properties: &Json) -> Vec<(String, String, Json)> {
    let list = properties.get("Subscription").and_then(Json::as_array).into_iter().flatten();
    let text = |i: &Json, key: &str| Some(i.get(key)?.as_str()?.to_string());
    list.filter_map(|i| Some((text(i, "Protocol")?, text(i, "Endpoint")?, json!({})))).collect()
}

/// `AWS::SNS::Subscription`.
fn subscribe(declared: &Declared, mut properties: Json, resources: &mut Resources, problems: &mut Vec<Problem>) {
    let mut take = |key: &str| properties.as_object_mut().and_then(|m| m.shift_remove(key)).and_then(|v| v.as_str().map(str::to_string));
    let (topic, protocol, endpoint) = (take("TopicArn"), take("Protocol"), take("Endpoint"));
    let (Some(topic), Some(protocol), Some(endpoint)) = (topic, protocol, endpoint) else {
        let missing = "a subscription needs `TopicArn`, `Protocol` and `Endpoint`";
        problems.push(Problem::error(&declared.at, missing));
        return;
    };
    let name = topic.rsplit(':').next().unwrap_or_default();
    match resources.topics.iter_mut().find(|t| t.name == name) {
        Some(found) => found.subscriptions.push((protocol, endpoint, properties)),
        None => {
            let near = did_you_mean(name, resources.topics.iter().map(|t| t.name.as_str()));
            let help = near.map(|near| format!("did you mean `{near}`?"));
            problems.push(Problem::error(&declared.at, format!("there is no topic `{name}`")).with_help_if(help));
        }
    }
}

/// Who is told of objects must exist. Functions are only known later.
fn check_notifications(resources: &Resources, problems: &mut Vec<Problem>) {
    for bucket in &resources.buckets {
        for notification in &bucket.notifications {
            let (kind, name, known): (_, _, Vec<&str>) = match &notification.to {
                Destination::Queue(name) => ("queue", name, resources.queues.iter().map(|queue| queue.name.as_str()).collect()),
                Destination::Topic(name) => ("topic", name, resources.topics.iter().map(|topic| topic.name.as_str()).collect()),
                Destination::Function(_) => continue,
            };
            if !known.contains(&name.as_str()) {
                let message = format!("the bucket `{}` tells a {kind} `{name}` that there is not", bucket.logical_id);
                let help = did_you_mean(name, known).map(|near| format!("did you mean `{near}`?"));
                problems.push(Problem::error(&bucket.at, message).with_help_if(help));
            }
        }
    }
}

/// Dead-letter queues must exist.
fn check_redrives(template: &Template, resources: &Resources, problems: &mut Vec<Problem>) {
    for queue in &resources.queues {
        let Some(policy) = queue.properties.get("RedrivePolicy").filter(|p| !p.is_null()) else { continue };
        let target = policy.get("deadLetterTargetArn").and_then(Json::as_str);
        let Some(name) = target.and_then(|arn| arn.rsplit(':').next()) else {
            // A reference that is reported already leaves null.
            if policy.get("deadLetterTargetArn").is_none() {
                problems
                    .push(Problem::error(&queue.at, format!("the `RedrivePolicy` of `{}` has no `deadLetterTargetArn`", queue.logical_id)));
            }
            continue;
        };
        if !resources.queues.iter().any(|q| q.name == name) {
            let near = did_you_mean(name, resources.queues.iter().map(|q| q.name.as_str())).map(|near| format!("did you mean `{near}`?"));
            let message = format!("the dead-letter queue `{name}` of `{}` is not among the queues of the project", queue.logical_id);
            let help = near.or_else(|| Some(format!("add it under `resources.Resources` of `{}`", template.service)));
            problems.push(Problem::error(&queue.at, message).with_help_if(help));
        }
    }
}
