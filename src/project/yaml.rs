//! YAML with positions: every value knows the file, line and column it was written at. CloudFormation's short tags become their
//! long form (`!Ref X` → `{Ref: X}`), aliases and merge keys are expanded, scalars are typed by YAML 1.2's core schema.

use std::collections::HashMap;
use std::path::Path;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::model::{Position, Problem, Severity};

/// Largest file that is read, in bytes.
pub const FILE_BYTES_MAX: usize = 4 << 20;
/// Deepest nesting of lists and maps, after aliases are expanded.
pub const DEPTH_MAX: usize = 64;
/// Most values in one file, after aliases are expanded.
pub const NODES_MAX: usize = 200_000;

/// A value and where it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    pub at: Position,
    pub value: Value,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Node>),
    /// In order of appearance; keys are unique.
    Map(Vec<Entry>),
    /// Could not be resolved, and that is reported already: nothing more is to be said of it.
    Unknown,
}

/// A key of a map and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    pub at: Position,
    pub value: Node,
}

impl Node {
    /// A value that stands at `at`.
    pub fn new(at: Position, value: Value) -> Node {
        Node { at, value }
    }

    /// Text that stands at `at`.
    pub fn text(at: Position, text: impl Into<String>) -> Node {
        Node { at, value: Value::Text(text.into()) }
    }

    /// The value under `key`, where this is a map that has it and it is not null.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value).filter(|n| !n.is_null())
    }

    /// The entry of `key`, where this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key == key)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; none of anything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// Whether nothing was written, or `null`.
    pub fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The text of a text.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Any scalar as text; numbers as they would be printed, null as nothing.
    pub fn scalar(&self) -> Option<String> {
        match &self.value {
            Value::Null => Some(String::new()),
            Value::Bool(b) => Some(b.to_string()),
            Value::Int(i) => Some(i.to_string()),
            Value::Float(f) => Some(f.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::List(_) | Value::Map(_) | Value::Unknown => None,
        }
    }

    /// A whole number, also from text that holds one.
    pub fn as_int(&self) -> Option<i64> {
        match &self.value {
            Value::Int(i) => Some(*i),
            Value::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Some(*f as i64),
            Value::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// A truth value, also from the texts `true` and `false`.
    pub fn as_bool(&self) -> Option<bool> {
        match &self.value {
            Value::Bool(b) => Some(*b),
            Value::Text(text) if text == "true" => Some(true),
            Value::Text(text) if text == "false" => Some(false),
            _ => None,
        }
    }

    /// What kind of value this is, with its article, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Value::Null | Value::Unknown => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) | Value::Float(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }

    /// The same as JSON.
    pub fn json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null | Value::Unknown => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Int(i) => (*i).into(),
            Value::Float(f) => serde_json::Number::from_f64(*f).map_or(serde_json::Value::Null, serde_json::Value::Number),
            Value::Text(text) => text.as_str().into(),
            Value::List(items) => items.iter().map(Node::json).collect(),
            Value::Map(entries) => serde_json::Value::Object(entries.iter().map(|e| (e.key.clone(), e.value.json())).collect()),
        }
    }

    /// JSON as values that all stand at `at`. Deeper than `DEPTH_MAX` becomes null.
    pub fn from_json(at: &Position, json: &serde_json::Value, depth: usize) -> Node {
        use serde_json::Value as J;
        let value = match json {
            _ if depth > DEPTH_MAX => Value::Null,
            J::Null => Value::Null,
            J::Bool(b) => Value::Bool(*b),
            J::Number(n) => n.as_i64().map_or_else(|| Value::Float(n.as_f64().unwrap_or(f64::NAN)), Value::Int),
            J::String(text) => Value::Text(text.clone()),
            J::Array(items) => Value::List(items.iter().map(|i| Node::from_json(at, i, depth + 1)).collect()),
            J::Object(map) => Value::Map(
                map.iter().map(|(k, v)| Entry { key: k.clone(), at: at.clone(), value: Node::from_json(at, v, depth + 1) }).collect(),
            ),
        };
        Node { at: at.clone(), value }
    }

    /// How many values this is made of, itself included.
    pub fn count(&self) -> usize {
        1 + match &self.value {
            Value::List(items) => items.iter().map(Node::count).sum(),
            Value::Map(entries) => entries.iter().map(|e| e.value.count()).sum(),
            _ => 0,
        }
    }
}

/// Reads one YAML document. An empty one is null. All duplicate keys and unknown tags are reported, but only the first syntax error.
pub fn parse(file: &Path, text: &str) -> Result<Node, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut builder = Builder { file, stack: Vec::new(), anchors: HashMap::new(), nodes: 0, root: None, problems: Vec::new() };
    if text.len() > FILE_BYTES_MAX {
        return Err(vec![builder.problem(1, 1, format!("this file is too large: {} MiB are read at most", FILE_BYTES_MAX >> 20), None)]);
    }
    let mut parser = Parser::new_from_str(text);
    while let Some(next) = parser.next_event() {
        let done = match next {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                let (line, column) = (error.marker().line().max(1), error.marker().col() + 1);
                let indent = text.lines().nth(line - 1).unwrap_or_default();
                let tab = indent.chars().take_while(|c| c.is_whitespace()).any(|c| c == '\t');
                let help = tab.then(|| "indent with spaces: YAML does not allow tabs there".to_string());
                Err(builder.problem(line, column, format!("not valid YAML: {}", error.info()), help))
            }
        };
        if let Err(problem) = done {
            builder.problems.push(problem);
            return Err(builder.problems);
        }
    }
    if builder.problems.is_empty() {
        Ok(builder.root.unwrap_or(Node { at: Position { file: file.to_path_buf(), line: 1, column: 1 }, value: Value::Null }))
    } else {
        Err(builder.problems)
    }
}

struct Builder<'a> {
    file: &'a Path,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchor>,
    nodes: usize,
    root: Option<Node>,
    problems: Vec<Problem>,
}

struct Anchor {
    node: Node,
    depth: usize,
    count: usize,
}

/// A list or map that has begun and not yet ended.
struct Frame {
    at: Position,
    tag: Option<String>,
    anchor: usize,
    /// `None` for a list.
    keys: Option<Keys>,
    items: Vec<Node>,
    /// Depth of the deepest thing in it.
    depth: usize,
}

#[derive(Default)]
struct Keys {
    entries: Vec<Entry>,
    seen: HashMap<String, usize>,
    pending: Option<(String, Position)>,
    merges: Vec<Node>,
}

impl Builder<'_> {
    fn problem(&self, line: usize, column: usize, message: String, help: Option<String>) -> Problem {
        let at = Position { file: self.file.to_path_buf(), line: line as u32, column: column as u32 };
        Problem { severity: Severity::Error, message, help, at: Some(at) }
    }

    fn fail(&self, at: &Position, message: impl Into<String>) -> Problem {
        Problem { severity: Severity::Error, message: message.into(), help: None, at: Some(at.clone()) }
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Problem> {
        let at = Position { file: self.file.to_path_buf(), line: span.start.line().max(1) as u32, column: span.start.col() as u32 + 1 };
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) => match self.root {
                Some(_) => Err(self.fail(&at, "a second YAML document begins here: one file holds one document")),
                None => Ok(()),
            },
            Event::Alias(id) => {
                let Some(anchor) = self.anchors.get(&id) else {
                    return Err(self.fail(&at, "this alias stands inside what it stands for"));
                };
                let (node, depth, count) = (anchor.node.clone(), anchor.depth, anchor.count);
                self.add(node, 0, depth, count)
            }
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag_name(tag.as_deref());
                let plain = style == ScalarStyle::Plain;
                if let Some(Frame { keys: Some(keys), .. }) = self.stack.last_mut()
                    && keys.pending.is_none()
                {
                    keys.pending = Some((text.into_owned(), at.clone()));
                    if anchor != 0 {
                        let node = Node::text(at, keys.pending.as_ref().map(|(key, _)| key.clone()).unwrap_or_default());
                        self.anchors.insert(anchor, Anchor { node, depth: 0, count: 1 });
                    }
                    return Ok(());
                }
                let value = match tag.as_deref() {
                    None if plain => scalar(&text),
                    Some(tag) if plain && tag.starts_with("!!") && tag != "!!str" => scalar(&text),
                    _ => Value::Text(text.into_owned()),
                };
                let node = self.tagged(tag, Node { at, value });
                self.add(node, anchor, 0, 1)
            }
            Event::SequenceStart(anchor, tag) => self.open(at, anchor, tag.as_deref(), None),
            Event::MappingStart(anchor, tag) => self.open(at, anchor, tag.as_deref(), Some(Keys::default())),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
        }
    }

    fn open(&mut self, at: Position, anchor: usize, tag: Option<&Tag>, keys: Option<Keys>) -> Result<(), Problem> {
        if self.stack.len() >= DEPTH_MAX {
            return Err(self.fail(&at, format!("nested too deeply: {DEPTH_MAX} levels are allowed")));
        }
        if let Some(Frame { keys: Some(outer), .. }) = self.stack.last()
            && outer.pending.is_none()
        {
            return Err(self.fail(&at, "a key must be text, not a list or map").with_help("quote it if it begins with `{`, `[` or `*`"));
        }
        self.stack.push(Frame { at, tag: tag_name(tag), anchor, keys, items: Vec::new(), depth: 0 });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.keys {
            None => Value::List(frame.items),
            Some(keys) => Value::Map(self.merge(keys)?),
        };
        let node = self.tagged(frame.tag, Node { at: frame.at, value });
        let count = if frame.anchor == 0 { 1 } else { node.count() };
        self.add(node, frame.anchor, frame.depth + 1, count)
    }

    /// Adds what `<<` names: keys of the map itself win, then those of earlier merges.
    fn merge(&mut self, keys: Keys) -> Result<Vec<Entry>, Problem> {
        let Keys { mut entries, mut seen, merges, .. } = keys;
        for merge in merges {
            let sources = match merge.value {
                Value::List(items) => items,
                _ => vec![merge],
            };
            for source in sources {
                let Value::Map(more) = source.value else {
                    return Err(self.fail(&source.at, "`<<` takes a map, or a list of maps"));
                };
                for entry in more {
                    if !seen.contains_key(&entry.key) {
                        seen.insert(entry.key.clone(), entries.len());
                        entries.push(entry);
                    }
                }
            }
        }
        Ok(entries)
    }

    /// Puts a finished value where it belongs; `depth` and `count` are what it adds to the tree.
    fn add(&mut self, node: Node, anchor: usize, depth: usize, count: usize) -> Result<(), Problem> {
        self.nodes += if anchor == 0 { count } else { 1 };
        if self.nodes > NODES_MAX {
            return Err(self.fail(&node.at, format!("too large once its aliases are expanded: {NODES_MAX} values are allowed")));
        }
        if self.stack.len() + depth > DEPTH_MAX {
            return Err(self.fail(&node.at, format!("nested too deeply: {DEPTH_MAX} levels are allowed")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, Anchor { node: node.clone(), depth, count });
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.depth = frame.depth.max(depth);
        let Some(keys) = &mut frame.keys else {
            frame.items.push(node);
            return Ok(());
        };
        let Some((key, at)) = keys.pending.take() else {
            let Some(key) = node.scalar() else {
                return Err(self.fail(&node.at, "a key must be text, not a list or map"));
            };
            keys.pending = Some((key, node.at));
            return Ok(());
        };
        if key == "<<" {
            keys.merges.push(node);
        } else if let Some(first) = keys.seen.get(&key) {
            let line = keys.entries[*first].at.line;
            let problem = self.fail(&at, format!("`{key}` is there twice: first on line {line}"));
            self.problems.push(problem.with_help("remove one of the two"));
        } else {
            keys.seen.insert(key.clone(), keys.entries.len());
            keys.entries.push(Entry { key, at, value: node });
        }
        Ok(())
    }

    /// A short tag in its long form.
    fn tagged(&mut self, tag: Option<String>, node: Node) -> Node {
        let Some(tag) = tag.filter(|tag| !tag.starts_with("!!") && tag != "!") else { return node };
        let name = &tag[1..];
        let (key, inner) = match name {
            "Ref" | "Condition" => (name.to_string(), node),
            "GetAtt" => {
                let inner = match &node.value {
                    Value::Text(text) => match text.split_once('.') {
                        Some((id, attribute)) => Value::List(vec![Node::text(node.at.clone(), id), Node::text(node.at.clone(), attribute)]),
                        None => node.value,
                    },
                    _ => node.value,
                };
                ("Fn::GetAtt".to_string(), Node { at: node.at, value: inner })
            }
            name if SHORT.contains(&name) => (format!("Fn::{name}"), node),
            _ => {
                let near = super::problem::did_you_mean(name, SHORT.iter().copied().chain(["Ref", "GetAtt", "Condition"]));
                let mut problem = self.fail(&node.at, format!("unknown tag `{tag}`"));
                problem.help = near.map(|near| format!("did you mean `!{near}`?"));
                self.problems.push(problem);
                return node;
            }
        };
        let at = inner.at.clone();
        Node { at: at.clone(), value: Value::Map(vec![Entry { key, at, value: inner }]) }
    }
}

/// Short tags that stand for `Fn::` and their name.
const SHORT: &[&str] = &[
    "And",
    "Base64",
    "Cidr",
    "Equals",
    "FindInMap",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Length",
    "Not",
    "Or",
    "Select",
    "Split",
    "Sub",
    "ToJsonString",
    "Transform",
];

/// `!Name` of a local tag, `!!name` of one of YAML's own.
fn tag_name(tag: Option<&Tag>) -> Option<String> {
    let tag = tag?;
    if tag.is_yaml_core_schema() { Some(format!("!!{}", tag.suffix)) } else { Some(format!("!{}", tag.suffix)) }
}

/// A plain scalar, typed by the core schema of YAML 1.2 (section 10.3.2).
fn scalar(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Value::Float(f64::NAN),
        _ => {}
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return digits_of(digits, 16).map_or_else(|| Value::Text(text.into()), Value::Int);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return digits_of(digits, 8).map_or_else(|| Value::Text(text.into()), Value::Int);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Value::Float(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|b| b.is_ascii_digit()) {
        return match text.parse() {
            Ok(i) => Value::Int(i),
            Err(_) => text.parse().map_or_else(|_| Value::Text(text.into()), Value::Float),
        };
    }
    let numeric = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && unsigned.bytes().any(|b| b.is_ascii_digit())
        && unsigned.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    match text.parse() {
        Ok(f) if numeric => Value::Float(f),
        _ => Value::Text(text.into()),
    }
}

fn digits_of(digits: &str, radix: u32) -> Option<i64> {
    if digits.starts_with(['+', '-']) { None } else { i64::from_str_radix(digits, radix).ok() }
}
