//! Compares values with the table of keys: what is unknown or of the wrong kind is an error, what is not emulated is collected.

use super::keys::{Key, Shape, Support};
use super::model::{Position, Problem, Severity};
use super::problem::did_you_mean;
use super::yaml::{Node, Value};

/// Most keys that are listed in a help text.
const LISTED_MAX: usize = 14;

/// What a check found.
#[derive(Debug, Default)]
pub struct Check {
    pub problems: Vec<Problem>,
    /// Paths of what is valid but not emulated.
    pub ignored: Vec<(String, Position)>,
    /// Whether unknown keys are only worth a word, as where others read the file as well.
    pub lenient: bool,
}

impl Check {
    /// Compares `node`, which stands at `path`, with `shape`.
    pub fn value(&mut self, node: &Node, shape: &Shape, path: &str) {
        if matches!(node.value, Value::Unknown | Value::Null) {
            return;
        }
        // A reference that is resolved elsewhere, or not at all because nothing here needs it.
        if is_reference(node) {
            return;
        }
        match shape {
            Shape::Any => {}
            Shape::Text if node.scalar().is_some() => {}
            Shape::Bool if node.as_bool().is_some() => {}
            Shape::Int(low, high) if node.as_int().is_some_and(|i| (*low..=*high).contains(&i)) => {}
            Shape::Choice(allowed) if choice(node, allowed).is_some() => {}
            Shape::Map(keys) if matches!(node.value, Value::Map(_)) => self.keys(node, keys, path),
            Shape::OneKey(keys) => self.one_key(node, keys, path),
            Shape::MapOf(inner) if matches!(node.value, Value::Map(_)) => {
                for entry in node.entries() {
                    self.value(&entry.value, inner, &join(path, &entry.key));
                }
            }
            Shape::ListOf(inner) | Shape::OneOrMore(inner) if matches!(node.value, Value::List(_)) => {
                for (index, item) in node.items().iter().enumerate() {
                    self.value(item, inner, &format!("{path}[{index}]"));
                }
            }
            Shape::OneOrMore(inner) => self.value(node, inner, path),
            Shape::Either(shapes) => match shapes.iter().find(|s| same_kind(node, s)) {
                Some(shape) => self.value(node, shape, path),
                None => self.wrong(node, shape, path),
            },
            _ => self.wrong(node, shape, path),
        }
    }

    fn wrong(&mut self, node: &Node, shape: &Shape, path: &str) {
        let written = match node.scalar() {
            Some(text) if text.chars().count() <= 60 && !text.contains('\n') => format!("`{text}`"),
            _ => node.kind().to_string(),
        };
        let mut problem = Problem::error(&node.at, format!("`{path}` must be {}, not {written}", describe(shape)));
        if let (Shape::Choice(allowed), Some(text)) = (shape, node.as_text()) {
            problem.help = did_you_mean(text, allowed.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        }
        self.problems.push(problem);
    }

    fn keys(&mut self, node: &Node, keys: &[Key], path: &str) {
        for entry in node.entries() {
            match keys.iter().find(|k| k.name == entry.key) {
                Some(key) => self.key(&entry.value, &entry.at, key, path),
                None if path.is_empty() && entry.key.starts_with("x-") => {}
                None => self.unknown(&entry.key, &entry.at, keys, path),
            }
        }
    }

    fn key(&mut self, value: &Node, at: &Position, key: &Key, path: &str) {
        let path = join(path, key.name);
        match key.support {
            Support::Full => self.value(value, key.shape, &path),
            Support::Deployment => {}
            Support::None => self.ignored.push((path, at.clone())),
        }
    }

    fn unknown(&mut self, name: &str, at: &Position, keys: &[Key], path: &str) {
        let place = if path.is_empty() { String::new() } else { format!(" in `{path}`") };
        let mut known: Vec<&str> = keys.iter().filter(|k| k.support == Support::Full).map(|k| k.name).collect();
        known.sort_unstable();
        let help = match did_you_mean(name, keys.iter().map(|k| k.name)) {
            Some(near) => format!("did you mean `{near}`?"),
            None if known.len() <= LISTED_MAX => format!("known here: {}", known.join(", ")),
            None if self.lenient => "it is of no effect".to_string(),
            None => "serverless.yaml.example shows every key".to_string(),
        };
        let (severity, message) = (if self.lenient { Severity::Warning } else { Severity::Error }, format!("unknown key `{name}`{place}"));
        self.problems.push(Problem { severity, message, help: Some(help), at: Some(at.clone()) });
    }

    fn one_key(&mut self, node: &Node, keys: &[Key], path: &str) {
        match (&node.value, node.entries()) {
            (Value::Map(_), [entry]) => match keys.iter().find(|k| k.name == entry.key) {
                Some(key) => self.key(&entry.value, &entry.at, key, path),
                None => self.unknown(&entry.key, &entry.at, keys, path),
            },
            (Value::Map(_), [_, second, ..]) => {
                let help = "begin each event with `- `, and indent its settings by two more spaces than its name";
                let message = format!("`{path}` must have one key, the kind of event; `{}` is a second one", second.key);
                self.problems.push(Problem::error(&second.at, message).with_help(help));
            }
            // `- alexaSkill`, a kind of event without settings.
            (Value::Text(name), _) if keys.iter().any(|k| k.name == name && k.support == Support::None) => {
                self.ignored.push((join(path, name), node.at.clone()));
            }
            _ => {
                let message = format!("`{path}` must be an event such as `httpApi: GET /path`, not {}", node.kind());
                self.problems.push(Problem::error(&node.at, message));
            }
        }
    }
}

/// Whether this is one of CloudFormation's references, as a whole.
pub fn is_reference(node: &Node) -> bool {
    matches!(node.entries(), [entry] if entry.key == "Ref" || entry.key.starts_with("Fn::"))
}

/// The allowed text that a value says: numbers as YAML may have read them (`2.0`), case as the table has it.
pub fn choice(node: &Node, allowed: &'static [&'static str]) -> Option<&'static str> {
    let text = match &node.value {
        Value::Float(f) => format!("{f:.1}"),
        _ => node.scalar()?,
    };
    allowed.iter().find(|a| **a == text).or_else(|| allowed.iter().find(|a| a.eq_ignore_ascii_case(&text))).copied()
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_string() } else { format!("{path}.{key}") }
}

fn same_kind(node: &Node, shape: &Shape) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Text | Shape::Int(..) | Shape::Choice(_) => !matches!(node.value, Value::List(_) | Value::Map(_)),
        Shape::Bool => node.as_bool().is_some(),
        Shape::Map(_) | Shape::MapOf(_) | Shape::OneKey(_) => matches!(node.value, Value::Map(_)),
        Shape::ListOf(_) | Shape::OneOrMore(_) => matches!(node.value, Value::List(_)),
        Shape::Either(shapes) => shapes.iter().any(|s| same_kind(node, s)),
    }
}

fn describe(shape: &Shape) -> String {
    match shape {
        Shape::Any => "anything".into(),
        Shape::Text => "text".into(),
        Shape::Bool => "true or false".into(),
        Shape::Int(low, high) => format!("a whole number from {low} to {high}"),
        Shape::Choice(allowed) if allowed.len() > 10 => "one of the known texts".into(),
        Shape::Choice([only]) => format!("`{only}`"),
        Shape::Choice(allowed) => format!("one of {}", allowed.iter().map(|a| format!("`{a}`")).collect::<Vec<_>>().join(", ")),
        Shape::Map(_) | Shape::MapOf(_) | Shape::OneKey(_) => "a map".into(),
        Shape::ListOf(_) => "a list".into(),
        Shape::OneOrMore(inner) => format!("{} or a list", describe(inner)),
        Shape::Either(shapes) => shapes.iter().map(describe).collect::<Vec<_>>().join(" or "),
    }
}
