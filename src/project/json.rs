//! JSON with positions, as `firebase.json` is written: comments (`// …` and `/* … */`) may stand wherever a space may.

use std::collections::{HashMap, hash_map};
use std::path::Path;

use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseErrorKind;
use jsonc_parser::{CollectOptions, ParseOptions, ast, parse_to_ast};

use super::model::{Position, Problem};
use super::yaml::{DEPTH_MAX, Entry, NODES_MAX, Node, Value};

/// JSON and comments, and nothing else of what its relatives allow.
const OPTIONS: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Reads a file's text. Fails with the first thing that is wrong with it, or with all keys that are there twice.
pub fn parse(file: &Path, text: &str) -> Result<Node, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { file, text, read: 0, line: 1, line_begins: 0, nodes: 0, twice: Vec::new() };
    let root = reader.whole().map_err(|problem| vec![problem])?;
    if reader.twice.is_empty() { Ok(root) } else { Err(reader.twice) }
}

/// Makes nodes of what was parsed, in the order of the text.
struct Reader<'a> {
    file: &'a Path,
    text: &'a str,
    /// How far lines are counted, in bytes.
    read: usize,
    line: u32,
    /// Where that line begins, in bytes.
    line_begins: usize,
    nodes: usize,
    twice: Vec<Problem>,
}

impl Reader<'_> {
    /// Where a byte of the text stands; asked for in the order of the text.
    fn at(&mut self, byte: usize) -> Position {
        let passed = self.text.get(self.read..byte).unwrap_or_default();
        if let Some(last) = passed.rfind('\n') {
            self.line += passed.matches('\n').count() as u32;
            self.line_begins = self.read + last + 1;
        }
        self.read = self.read.max(byte);
        let column = self.text.get(self.line_begins..byte).map_or(0, |before| before.chars().count());
        Position { file: self.file.to_path_buf(), line: self.line, column: column as u32 + 1 }
    }

    fn whole(&mut self) -> Result<Node, Problem> {
        match parse_to_ast(self.text, &CollectOptions::default(), &OPTIONS) {
            Ok(parsed) => match parsed.value {
                Some(value) => self.node(&value, 0),
                None => Err(Problem::error(&self.at(self.text.len()), "the file ends where a value should be")),
            },
            Err(error) => {
                let at = self.at(error.range().start);
                let (message, help) = said(error.kind());
                let problem = Problem::error(&at, message);
                Err(match help {
                    Some(help) => problem.with_help(help),
                    None => problem,
                })
            }
        }
    }

    fn node(&mut self, value: &ast::Value<'_>, depth: usize) -> Result<Node, Problem> {
        let at = self.at(value.start());
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err(Problem::error(&at, too_much()));
        }
        let value = match value {
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::StringLit(literal) => Value::Text(literal.value.to_string()),
            // JSON's own reader says which numbers there are.
            ast::Value::NumberLit(literal) => match serde_json::from_str::<serde_json::Number>(literal.value) {
                Ok(number) => number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::MAX)), Value::Int),
                Err(_) => return Err(Problem::error(&at, "this is no number")),
            },
            ast::Value::Array(array) => {
                Value::List(array.elements.iter().map(|element| self.node(element, depth + 1)).collect::<Result<_, _>>()?)
            }
            ast::Value::Object(object) => Value::Map(self.entries(object, depth)?),
        };
        Ok(Node::new(at, value))
    }

    fn entries(&mut self, object: &ast::Object<'_>, depth: usize) -> Result<Vec<Entry>, Problem> {
        let mut entries: Vec<Entry> = Vec::with_capacity(object.properties.len());
        let mut seen: HashMap<&str, u32> = HashMap::with_capacity(object.properties.len());
        for property in &object.properties {
            let at = self.at(property.start());
            let key = property.name.as_str();
            let value = self.node(&property.value, depth + 1)?;
            match seen.entry(key) {
                hash_map::Entry::Occupied(first) => {
                    let message = format!("the key `{key}` is there twice: first on line {}", first.get());
                    self.twice.push(Problem::error(&at, message));
                }
                hash_map::Entry::Vacant(free) => {
                    free.insert(at.line);
                    entries.push(Entry { key: key.to_owned(), at, value });
                }
            }
        }
        Ok(entries)
    }
}

fn too_much() -> String {
    format!("this is too much: {DEPTH_MAX} levels and {NODES_MAX} values are read at most")
}

/// What to say of a mistake, and what to do about it.
fn said(kind: &ParseErrorKind) -> (String, Option<&'static str>) {
    use ParseErrorKind as Kind;
    let (message, help) = match kind {
        Kind::UnterminatedObject => ("this `{` is never closed", None),
        Kind::UnterminatedArray => ("this `[` is never closed", None),
        Kind::UnterminatedCommentBlock => ("this comment is never closed", Some("end it with `*/`")),
        Kind::TrailingCommasNotAllowed => ("nothing follows this comma", Some("remove it")),
        Kind::SingleQuotedStringsNotAllowed | Kind::ExpectedStringObjectProperty => ("keys and texts stand in double quotes", None),
        Kind::ExpectedColonAfterObjectKey => ("a `:` should follow the key", None),
        Kind::ExpectedComma | Kind::UnexpectedTokenInObject => ("a comma or the end should be here", None),
        Kind::ExpectedObjectValue => ("a value should follow the `:`", None),
        Kind::UnexpectedWord | Kind::UnexpectedToken => ("this is no value; texts stand in double quotes", None),
        Kind::UnexpectedCloseBrace | Kind::UnexpectedCloseBracket | Kind::UnexpectedComma => ("a value should be here", None),
        Kind::MultipleRootJsonValues => ("nothing may follow the value", None),
        Kind::NestingDepthExceeded => return (too_much(), None),
        Kind::String(why) => return (format!("this text cannot be read: {}", why.to_string().to_lowercase()), None),
        other => return (format!("this is no JSON: {}", other.to_string().to_lowercase()), None),
    };
    (message.to_owned(), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(node: &Node) -> String {
        let at = format!("@{}:{}", node.at.line, node.at.column);
        match &node.value {
            Value::Map(entries) => {
                let entries: Vec<String> = entries.iter().map(|e| format!("{}={}", e.key, shown(&e.value))).collect();
                format!("{{{}}}{at}", entries.join(","))
            }
            Value::List(items) => format!("[{}]{at}", items.iter().map(shown).collect::<Vec<_>>().join(",")),
            other => format!("{other:?}{at}"),
        }
    }

    fn check(text: &str, expected: &str) {
        let found = match parse(Path::new("f"), text) {
            Ok(node) => shown(&node),
            Err(problems) => {
                let one = |p: &Problem| p.at.as_ref().map(|at| format!("{}:{} {}", at.line, at.column, p.message)).unwrap_or_default();
                problems.iter().map(one).collect::<Vec<_>>().join("; ")
            }
        };
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn values_know_where_they_stand() {
        check("{\n  \"a\": [1, -2.5, true, null] }", "{a=[Int(1)@2:9,Float(-2.5)@2:12,Bool(true)@2:18,Null@2:24]@2:8}@1:1");
        check("\u{feff}// c\n/* d\n */ \"x // y\" // e", "Text(\"x // y\")@3:5");
        check(r#""\u00e9\ud83d\ude00 \"\\\/\n""#, "Text(\"é😀 \\\"\\\\/\\n\")@1:1");
        check("{}", "{}@1:1");
    }

    #[test]
    fn the_first_mistake_is_told_where_it_is() {
        check("{\n \"a\": 1,\n}", "2:8 nothing follows this comma");
        check("[1,]", "1:3 nothing follows this comma");
        check("[1 2]", "1:3 a comma or the end should be here");
        check("{'a': 1}", "1:2 keys and texts stand in double quotes");
        check("{a: 1}", "1:2 keys and texts stand in double quotes");
        check("{\"a\" 1}", "1:6 a `:` should follow the key");
        check("{\"a\": }", "1:7 a value should be here");
        check("{\"a\": 1 \"b\": 2}", "1:8 a comma or the end should be here");
        check("{\"a\": 1", "1:1 this `{` is never closed");
        check("\"abc", "1:1 this text cannot be read: unterminated string literal");
        check("/* x", "1:1 this comment is never closed");
        check("[yes]", "1:2 this is no value; texts stand in double quotes");
        check("01", "1:2 nothing may follow the value");
        check("{} x", "1:4 nothing may follow the value");
        check("", "1:1 the file ends where a value should be");
        check("{\"a\":1,\n\"a\":2}", "2:1 the key `a` is there twice: first on line 1");
        check(&("[".repeat(100) + &"]".repeat(100)), "1:66 this is too much: 64 levels and 200000 values are read at most");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[\[\]{}",:/*\\u0-9a-d \n-]{0,60}"#) {
            let _ = parse(Path::new("f"), &text);
        }
    }
}
