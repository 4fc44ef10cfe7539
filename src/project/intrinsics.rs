//! CloudFormation's references, resolved to what they are here: names, ARNs and queue addresses of local resources.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::model::{Position, Problem};
use super::problem::did_you_mean;
use super::variables::ACCOUNT;
use super::yaml::{Entry, Node, Value};

/// Longest text that `Fn::Sub` or `Fn::Join` may make, in bytes.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Longest name of a resource, in bytes; each type has a smaller limit of its own.
const NAME_BYTES_MAX: usize = 1024;
/// Deepest nesting of references that lead to references.
const DEPTH_MAX: usize = 100;

/// A resource of the template.
#[derive(Clone, Debug)]
pub struct Declared {
    pub kind: String,
    pub properties: Node,
    pub condition: Option<(String, Position)>,
    pub at: Position,
}

/// The template: what references may name.
pub struct Template {
    pub service: String,
    pub stage: String,
    pub region: String,
    /// Address of the AWS endpoint, e.g. `http://localhost:4566`.
    pub aws_url: String,
    /// Address of the functions' routes, e.g. `http://localhost:3000`.
    pub http_url: String,
    pub resources: BTreeMap<String, Declared>,
    /// Deployed names by the logical id that Serverless would give the function.
    pub functions: BTreeMap<String, String>,
    pub parameters: Node,
    pub mappings: Node,
    pub conditions: Node,
    /// `emu.variables`: values of `import:NAME`.
    pub variables: Node,
    pub problems: RefCell<Vec<Problem>>,
    /// Exports of other stacks that were asked for and have no value here.
    pub imports: RefCell<BTreeMap<String, Position>>,
    /// Names and conditions that are resolved.
    pub names: RefCell<BTreeMap<String, Option<String>>>,
    pub truths: RefCell<BTreeMap<String, bool>>,
    /// What is being resolved.
    pub active: RefCell<Vec<String>>,
}

/// How the message of a circle begins.
const CIRCLE: &str = "references go in a circle";

/// What a reference stands for.
enum Target<'a> {
    Resource(&'a Declared),
    Function(&'a str),
    /// Made by Serverless itself; nothing here depends on what it is called.
    Implied,
}

impl Template {
    /// The same value without references; `None` where it is `AWS::NoValue`. What cannot be resolved is reported and becomes `Unknown`.
    pub fn value(&self, node: &Node) -> Option<Node> {
        if self.active.borrow().len() > DEPTH_MAX {
            self.error(&node.at, "references are nested too deeply");
            return Some(unknown(node));
        }
        match &node.value {
            Value::List(items) => {
                let items = items.iter().filter_map(|i| self.value(i)).collect();
                Some(Node::new(node.at.clone(), Value::List(items)))
            }
            Value::Map(entries) => match &entries[..] {
                [entry] if entry.key == "Ref" => self.reference(&entry.value),
                [entry] if entry.key.starts_with("Fn::") => self.function(entry, node),
                _ => {
                    let keep = |e: &Entry| Some(Entry { key: e.key.clone(), at: e.at.clone(), value: self.value(&e.value)? });
                    Some(Node::new(node.at.clone(), Value::Map(entries.iter().filter_map(keep).collect())))
                }
            },
            _ => Some(node.clone()),
        }
    }

    /// The name that a resource has here: as it says, or `SERVICE-STAGE-ID` where it leaves that to CloudFormation. `None` where it
    /// cannot be resolved, which is reported.
    pub fn name(&self, id: &str) -> Option<String> {
        let declared = self.resources.get(id)?;
        if let Some(known) = self.names.borrow().get(id) {
            return known.clone();
        }
        let name = match declared.properties.get(name_key(&declared.kind)) {
            Some(written) => self.written_name(id, written),
            None => {
                let name = format!("{}-{}-{id}", self.service, self.stage);
                Some(match declared.kind.as_str() {
                    "AWS::S3::Bucket" => name.to_lowercase().chars().take(63).collect(),
                    "AWS::SQS::Queue" | "AWS::SNS::Topic" if fifo(&declared.properties, &declared.kind) => format!("{name}.fifo"),
                    _ => name,
                })
            }
        };
        self.names.borrow_mut().insert(id.to_string(), name.clone());
        name
    }

    fn written_name(&self, id: &str, written: &Node) -> Option<String> {
        if !self.enter(&format!("name of {id}"), &written.at) {
            return None;
        }
        let name = self.value(written).and_then(|n| n.scalar());
        self.leave();
        if name.as_ref().is_some_and(|n| n.len() > NAME_BYTES_MAX) {
            self.error(&written.at, format!("the name of `{id}` is too long"));
            return None;
        }
        name
    }

    /// Whether a condition of the template holds.
    pub fn holds(&self, name: &str, at: &Position) -> bool {
        let Some(condition) = self.conditions.get(name) else {
            let near = did_you_mean(name, self.conditions.entries().iter().map(|e| e.key.as_str()));
            self.report(Problem::error(at, format!("there is no condition `{name}`")).with_help_if(near.map(suggest)));
            return true;
        };
        if let Some(known) = self.truths.borrow().get(name) {
            return *known;
        }
        if !self.enter(&format!("condition {name}"), at) {
            return true;
        }
        let holds = self.truth(condition);
        self.leave();
        self.truths.borrow_mut().insert(name.to_string(), holds);
        holds
    }

    fn truth(&self, node: &Node) -> bool {
        let [entry] = node.entries() else { return node.as_bool().unwrap_or(true) };
        let items = entry.value.items();
        match (entry.key.as_str(), items) {
            ("Condition", _) => self.holds(&entry.value.scalar().unwrap_or_default(), &entry.at),
            ("Fn::Equals", [a, b]) => {
                let text = |n: &Node| self.value(n).map(|n| n.scalar().unwrap_or_else(|| n.json().to_string()));
                text(a) == text(b)
            }
            ("Fn::Not", [a]) => !self.truth(a),
            ("Fn::And", [_, ..]) => items.iter().all(|i| self.truth(i)),
            ("Fn::Or", [_, ..]) => items.iter().any(|i| self.truth(i)),
            (key, _) => {
                self.error(&entry.at, format!("`{key}` is not a condition"));
                true
            }
        }
    }

    fn reference(&self, node: &Node) -> Option<Node> {
        let Some(name) = node.as_text() else {
            if node.value != Value::Unknown {
                self.error(&node.at, format!("`Ref` takes the name of a resource, not {}", node.kind()));
            }
            return Some(unknown(node));
        };
        if name == "AWS::NoValue" {
            return None;
        }
        Some(self.named(name, None, &node.at).map_or_else(|| unknown(node), |text| Node::text(node.at.clone(), text)))
    }

    /// What `NAME` or `NAME.ATTRIBUTE` stands for.
    fn named(&self, name: &str, attribute: Option<&str>, at: &Position) -> Option<String> {
        match name {
            "AWS::Region" => return Some(self.region.clone()),
            "AWS::AccountId" => return Some(ACCOUNT.into()),
            "AWS::Partition" => return Some("aws".into()),
            "AWS::URLSuffix" => return Some("amazonaws.com".into()),
            "AWS::StackName" => return Some(format!("{}-{}", self.service, self.stage)),
            "AWS::StackId" => return Some(self.arn("cloudformation", &format!("stack/{}-{}/emu", self.service, self.stage))),
            "AWS::NotificationARNs" | "AWS::NoValue" => return Some(String::new()),
            _ => {}
        }
        if attribute.is_none()
            && let Some(parameter) = self.parameters.get(name)
        {
            let default = parameter.get("Default").and_then(Node::scalar);
            if default.is_none() {
                self.report(Problem::error(at, format!("the parameter `{name}` has no value")).with_help("give it a `Default`"));
            }
            return default;
        }
        match self.target(name) {
            Some(Target::Function(function)) => Some(match attribute {
                Some("Arn") => self.arn("lambda", &format!("function:{function}")),
                Some(_) | None => function.to_string(),
            }),
            Some(Target::Resource(declared)) => self.attribute(name, declared, attribute, at),
            Some(Target::Implied) => Some(match (name, attribute) {
                ("HttpApi" | "ApiGatewayRestApi", None) => "emu".into(),
                ("HttpApi", Some("ApiEndpoint")) => self.http_url.clone(),
                (_, Some("Arn")) => self.arn("iam", &format!("role/{}-{}-{name}", self.service, self.stage)),
                _ => format!("{}-{}-{name}", self.service, self.stage).to_lowercase(),
            }),
            None => {
                let known = self.resources.keys().chain(self.functions.keys()).map(String::as_str);
                let known = known.chain(self.parameters.entries().iter().map(|e| e.key.as_str()));
                let near = did_you_mean(name, known.chain(["AWS::Region", "AWS::AccountId", "AWS::Partition", "AWS::StackName"]));
                let help = near.map_or_else(|| "references name what stands under `resources.Resources`".to_string(), suggest);
                self.report(Problem::error(at, format!("there is no resource `{name}`")).with_help(help));
                None
            }
        }
    }

    fn target(&self, name: &str) -> Option<Target<'_>> {
        if let Some(declared) = self.resources.get(name) {
            return Some(Target::Resource(declared));
        }
        if let Some(function) = self.functions.get(name) {
            return Some(Target::Function(function));
        }
        let implied =
            ["HttpApi", "ApiGatewayRestApi", "WebsocketsApi", "ServerlessDeploymentBucket", "IamRoleLambdaExecution", "HttpApiStage"];
        let suffixes = ["LambdaLayer", "LambdaVersion", "LogGroup", "LambdaFunctionUrl", "IamRoleLambdaExecution"];
        (implied.contains(&name) || suffixes.iter().any(|s| name.ends_with(s))).then_some(Target::Implied)
    }

    fn attribute(&self, id: &str, declared: &Declared, attribute: Option<&str>, at: &Position) -> Option<String> {
        let name = self.name(id)?;
        let kind = declared.kind.as_str();
        let known: &[&str] = match kind {
            "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => &["Arn", "StreamArn", "TableId"],
            "AWS::S3::Bucket" => &["Arn", "DomainName", "DualStackDomainName", "RegionalDomainName", "WebsiteURL"],
            "AWS::SQS::Queue" => &["Arn", "QueueName", "QueueUrl"],
            "AWS::SNS::Topic" => &["TopicArn", "TopicName"],
            _ => &[],
        };
        if let Some(attribute) = attribute
            && !known.is_empty()
            && !known.contains(&attribute)
        {
            let near = did_you_mean(attribute, known.iter().copied()).map(suggest);
            let help = near.unwrap_or_else(|| format!("it has {}", known.join(", ")));
            self.report(Problem::error(at, format!("`{id}` ({kind}) has no attribute `{attribute}`")).with_help(help));
            return None;
        }
        Some(match (kind, attribute) {
            ("AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable", Some(attribute)) => {
                let stream = if attribute == "StreamArn" { "/stream/2026-01-01T00:00:00.000" } else { "" };
                self.arn("dynamodb", &format!("table/{name}{stream}"))
            }
            ("AWS::S3::Bucket", Some("Arn")) => format!("arn:aws:s3:::{name}"),
            ("AWS::S3::Bucket", Some("DomainName")) => format!("{name}.s3.amazonaws.com"),
            ("AWS::S3::Bucket", Some("DualStackDomainName")) => format!("{name}.s3.dualstack.{}.amazonaws.com", self.region),
            ("AWS::S3::Bucket", Some("RegionalDomainName")) => format!("{name}.s3.{}.amazonaws.com", self.region),
            ("AWS::S3::Bucket", Some(_)) => format!("http://{name}.s3-website-{}.amazonaws.com", self.region),
            ("AWS::SQS::Queue", Some("Arn")) => self.arn("sqs", &name),
            ("AWS::SQS::Queue", Some("QueueName")) => name,
            ("AWS::SQS::Queue", _) => format!("{}/{ACCOUNT}/{name}", self.aws_url.trim_end_matches('/')),
            ("AWS::SNS::Topic", Some("TopicName")) => name,
            ("AWS::SNS::Topic", _) => self.arn("sns", &name),
            ("AWS::Lambda::Function", Some("Arn")) => self.arn("lambda", &format!("function:{name}")),
            (kind, Some(attribute)) if attribute.ends_with("Arn") => {
                self.arn(&kind.split("::").nth(1).unwrap_or("unknown").to_lowercase(), &name)
            }
            (_, Some(attribute)) => format!("{name}-{attribute}"),
            (_, None) => name,
        })
    }

    fn arn(&self, service: &str, rest: &str) -> String {
        let region = if service == "iam" { "" } else { &self.region };
        format!("arn:aws:{service}:{region}:{ACCOUNT}:{rest}")
    }

    fn function(&self, entry: &Entry, node: &Node) -> Option<Node> {
        self.active.borrow_mut().push("fn".to_string());
        let result = self.call(entry, node);
        self.leave();
        result
    }

    fn call(&self, entry: &Entry, node: &Node) -> Option<Node> {
        let input = &entry.value;
        if input.value == Value::Unknown {
            return Some(unknown(node));
        }
        let text = |value: String| Some(Node::text(node.at.clone(), value));
        let wants = |form: &str| {
            self.error(&entry.at, format!("`{}` takes {form}", entry.key));
            Some(unknown(node))
        };
        match (entry.key.as_str(), input.items()) {
            ("Fn::GetAtt", items) => {
                let parts: Option<Vec<String>> = match input.as_text() {
                    Some(text) => text.split_once('.').map(|(a, b)| vec![a.to_string(), b.to_string()]),
                    None => items.iter().map(|i| self.value(i).and_then(|n| n.scalar())).collect(),
                };
                match parts.as_deref() {
                    Some([id, attribute]) => match self.named(id, Some(attribute), &input.at) {
                        Some(value) => text(value),
                        None => Some(unknown(node)),
                    },
                    _ => wants("a resource and an attribute: `[Queue, Arn]`"),
                }
            }
            ("Fn::Sub", []) if input.as_text().is_some() => self.substitute(input, None),
            ("Fn::Sub", [template, values]) => self.substitute(template, Some(values)),
            ("Fn::Sub", _) => wants("text, or a list of text and a map of values"),
            ("Fn::Join", [separator, list]) => {
                let list = self.value(list)?;
                if list.value == Value::Unknown {
                    return Some(list);
                }
                let parts: Option<Vec<String>> = list.items().iter().map(Node::scalar).collect();
                match (separator.scalar(), parts, &list.value) {
                    (Some(separator), Some(parts), Value::List(_)) => self.sized(node, parts.join(&separator)),
                    _ if contains_unknown(&list) => Some(unknown(node)),
                    _ => wants("a separator and a list of texts: `['-', [a, b]]`"),
                }
            }
            ("Fn::Split", [separator, source]) => {
                let source = self.value(source)?;
                match (separator.as_text(), source.scalar()) {
                    _ if source.value == Value::Unknown => Some(source),
                    (Some(separator), Some(source)) if !separator.is_empty() => {
                        let parts = source.split(separator).map(|p| Node::text(node.at.clone(), p)).collect();
                        Some(Node::new(node.at.clone(), Value::List(parts)))
                    }
                    _ => wants("a separator and text: `[',', 'a,b']`"),
                }
            }
            ("Fn::Select", [index, list]) => {
                let (index, list) = (self.value(index)?, self.value(list)?);
                match (index.as_int(), &list.value) {
                    (_, Value::Unknown) => Some(list),
                    (Some(i), Value::List(items)) => match usize::try_from(i).ok().and_then(|i| items.get(i)) {
                        Some(item) => Some(item.clone()),
                        None => wants(&format!("an index from 0: the list has {} items, not item {i}", items.len())),
                    },
                    _ => wants("an index and a list: `[0, [a, b]]`"),
                }
            }
            ("Fn::If", [condition, yes, no]) => match condition.as_text() {
                Some(name) => self.value(if self.holds(name, &condition.at) { yes } else { no }),
                None => wants("the name of a condition and two values"),
            },
            ("Fn::FindInMap", [map, first, second]) => {
                let keys: Option<Vec<String>> = [map, first, second].iter().map(|n| self.value(n).and_then(|n| n.scalar())).collect();
                let found = keys.as_ref().and_then(|k| self.mappings.get(&k[0])?.get(&k[1])?.get(&k[2]));
                match found {
                    Some(value) => Some(value.clone()),
                    None => {
                        let path = keys.unwrap_or_default().join(".");
                        self.error(&entry.at, format!("there is no `{path}` under `resources.Mappings`"));
                        Some(unknown(node))
                    }
                }
            }
            ("Fn::ImportValue", _) => {
                let Some(name) = self.value(input).and_then(|n| n.scalar()) else { return Some(unknown(node)) };
                match self.variables.get(&format!("import:{name}")) {
                    Some(value) => Some(value.clone()),
                    None => {
                        self.imports.borrow_mut().entry(name).or_insert_with(|| input.at.clone());
                        Some(unknown(node))
                    }
                }
            }
            ("Fn::Base64", _) => {
                let value = self.value(input)?;
                let encoded = value.scalar().map(|t| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, t));
                encoded.map_or_else(|| Some(unknown(node)), text)
            }
            ("Fn::Length", _) => self.value(input).map(|n| Node::new(node.at.clone(), Value::Int(n.items().len() as i64))),
            ("Fn::ToJsonString", _) => self.value(input).and_then(|n| text(n.json().to_string())),
            ("Fn::GetAZs", _) => {
                let zones = ["a", "b", "c"].iter().map(|z| Node::text(node.at.clone(), format!("{}{z}", self.region))).collect();
                Some(Node::new(node.at.clone(), Value::List(zones)))
            }
            ("Fn::Equals" | "Fn::And" | "Fn::Or" | "Fn::Not", _) => Some(Node::new(node.at.clone(), Value::Bool(self.truth(node)))),
            ("Fn::Cidr" | "Fn::Transform", _) => Some(unknown(node)),
            ("Fn::Join", _) => wants("a separator and a list of texts: `['-', [a, b]]`"),
            ("Fn::Split", _) => wants("a separator and text: `[',', 'a,b']`"),
            ("Fn::Select", _) => wants("an index and a list: `[0, [a, b]]`"),
            ("Fn::If", _) => wants("the name of a condition and two values"),
            (key, _) => {
                let known = [
                    "Fn::Base64",
                    "Fn::FindInMap",
                    "Fn::GetAtt",
                    "Fn::GetAZs",
                    "Fn::If",
                    "Fn::ImportValue",
                    "Fn::Join",
                    "Fn::Select",
                    "Fn::Split",
                    "Fn::Sub",
                ];
                self.report(
                    Problem::error(&entry.at, format!("there is no function `{key}`")).with_help_if(did_you_mean(key, known).map(suggest)),
                );
                Some(unknown(node))
            }
        }
    }

    /// `Fn::Sub`: `${Name}`, `${Name.Attribute}`, values of its own map first; `${!Name}` stays as `${Name}`.
    fn substitute(&self, template: &Node, values: Option<&Node>) -> Option<Node> {
        let Some(text) = template.as_text() else { return Some(unknown(template)) };
        let mut out = String::with_capacity(text.len());
        let (mut rest, mut known) = (text, true);
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                self.error(&template.at, "`${` is never closed: a `}` is missing");
                return Some(unknown(template));
            };
            rest = after;
            let name = name.trim();
            if let Some(literal) = name.strip_prefix('!') {
                out.push_str(&format!("${{{literal}}}"));
                continue;
            }
            let own = values.and_then(|v| v.get(name)).and_then(|v| self.value(v));
            let value = match (own, name.split_once('.')) {
                (Some(own), _) => own.scalar(),
                (None, Some((id, attribute))) => self.named(id, Some(attribute), &template.at),
                (None, None) => self.named(name, None, &template.at),
            };
            match value {
                Some(value) => out.push_str(&value),
                None => known = false,
            }
            if out.len() > TEXT_BYTES_MAX {
                break;
            }
        }
        out.push_str(rest);
        if known { self.sized(template, out) } else { Some(unknown(template)) }
    }

    fn sized(&self, node: &Node, text: String) -> Option<Node> {
        if text.len() > TEXT_BYTES_MAX {
            self.error(&node.at, "references make too long a text: 1 MiB is allowed");
            return Some(unknown(node));
        }
        Some(Node::text(node.at.clone(), text))
    }

    /// Notes that `marker` is being resolved; false, and reported, where it is already.
    fn enter(&self, marker: &str, at: &Position) -> bool {
        let begin = self.active.borrow().iter().position(|a| a == marker);
        match begin {
            None => {
                self.active.borrow_mut().push(marker.to_string());
                true
            }
            Some(begin) => {
                let chain: Vec<String> = self.active.borrow()[begin..].iter().filter(|a| *a != "fn").cloned().collect();
                let known = self.problems.borrow().iter().any(|p| p.message.starts_with(CIRCLE) && p.message.contains(marker));
                if !known {
                    self.error(at, format!("{CIRCLE}: {} → {marker}", chain.join(" → ")));
                }
                false
            }
        }
    }

    fn leave(&self) {
        self.active.borrow_mut().pop();
    }

    fn error(&self, at: &Position, message: impl Into<String>) {
        self.report(Problem::error(at, message));
    }

    fn report(&self, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }

    /// Types that are declared, each with where it first is.
    pub fn kinds(&self) -> BTreeMap<&str, &Position> {
        let mut kinds = BTreeMap::new();
        let mut declared: Vec<&Declared> = self.resources.values().collect();
        declared.sort_by_key(|d| (d.at.line, d.at.column));
        for resource in declared {
            kinds.entry(resource.kind.as_str()).or_insert(&resource.at);
        }
        kinds
    }

    /// Logical ids that hold, with their resources.
    pub fn present(&self) -> Vec<(&String, &Declared)> {
        let mut all: Vec<_> = self.resources.iter().collect();
        all.retain(|(_, d)| d.condition.as_ref().is_none_or(|(name, at)| self.holds(name, at)));
        all.sort_by_key(|(_, d)| (d.at.file.clone(), d.at.line, d.at.column));
        all
    }
}

/// The property that gives a resource its name.
fn name_key(kind: &str) -> &'static str {
    match kind {
        "AWS::DynamoDB::Table" | "AWS::DynamoDB::GlobalTable" => "TableName",
        "AWS::S3::Bucket" => "BucketName",
        "AWS::SQS::Queue" => "QueueName",
        "AWS::SNS::Topic" => "TopicName",
        "AWS::Lambda::Function" => "FunctionName",
        "AWS::IAM::Role" => "RoleName",
        "AWS::Cognito::UserPool" => "UserPoolName",
        _ => "Name",
    }
}

/// Whether a queue or topic says that it is first-in-first-out.
fn fifo(properties: &Node, kind: &str) -> bool {
    let key = if kind == "AWS::SQS::Queue" { "FifoQueue" } else { "FifoTopic" };
    properties.get(key).and_then(Node::as_bool) == Some(true)
}

fn suggest(near: &str) -> String {
    format!("did you mean `{near}`?")
}

fn unknown(node: &Node) -> Node {
    Node::new(node.at.clone(), Value::Unknown)
}

fn contains_unknown(node: &Node) -> bool {
    node.value == Value::Unknown || node.items().iter().any(contains_unknown)
}

/// The logical id that Serverless gives a function: `send-mail` is `SendDashmailLambdaFunction`.
pub fn function_id(name: &str) -> String {
    let mut chars = name.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}LambdaFunction", chars.as_str()).replace('-', "Dash").replace('_', "Underscore")
}
