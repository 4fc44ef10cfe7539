//! JSON with positions, as `firebase.json` is written: comments (`// …` and `/* … */`) may stand wherever a space may.

use std::path::Path;

use super::model::{Position, Problem};
use super::yaml::{DEPTH_MAX, Entry, NODES_MAX, Node, Value};

/// Reads a file's text. Fails with the first thing that is wrong with it, or with all keys that are there twice.
pub fn parse(file: &Path, text: &str) -> Result<Node, Vec<Problem>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut parser = Parser { file, chars: text.chars().collect(), next: 0, line: 1, column: 1, nodes: 0, twice: Vec::new() };
    let root = parser.whole().map_err(|problem| vec![problem])?;
    if parser.twice.is_empty() { Ok(root) } else { Err(parser.twice) }
}

struct Parser<'a> {
    file: &'a Path,
    chars: Vec<char>,
    next: usize,
    line: u32,
    column: u32,
    nodes: usize,
    twice: Vec<Problem>,
}

impl Parser<'_> {
    fn at(&self) -> Position {
        Position { file: self.file.to_path_buf(), line: self.line, column: self.column }
    }

    fn wrong(&self, message: impl Into<String>) -> Problem {
        Problem::error(&self.at(), message)
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.next).copied()
    }

    fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.next += 1;
        if c == '\n' {
            (self.line, self.column) = (self.line + 1, 1);
        } else {
            self.column += 1;
        }
        Some(c)
    }

    /// Goes past spaces and comments.
    fn space(&mut self) -> Result<(), Problem> {
        loop {
            match (self.peek(), self.chars.get(self.next + 1)) {
                (Some(' ' | '\t' | '\r' | '\n'), _) => {
                    self.take();
                }
                (Some('/'), Some('/')) => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.take();
                    }
                }
                (Some('/'), Some('*')) => {
                    let open = self.wrong("this comment is never closed").with_help("end it with `*/`");
                    self.take();
                    self.take();
                    while !(self.peek() == Some('*') && self.chars.get(self.next + 1) == Some(&'/')) {
                        self.take().ok_or_else(|| open.clone())?;
                    }
                    self.take();
                    self.take();
                }
                _ => return Ok(()),
            }
        }
    }

    fn whole(&mut self) -> Result<Node, Problem> {
        self.space()?;
        let root = self.value(0)?;
        self.space()?;
        match self.peek() {
            None => Ok(root),
            Some(c) => Err(self.wrong(format!("nothing may follow the value, but here is `{c}`"))),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        self.nodes += 1;
        if depth > DEPTH_MAX || self.nodes > NODES_MAX {
            return Err(self.wrong(format!("this is too much: {DEPTH_MAX} levels and {NODES_MAX} values are read at most")));
        }
        let at = self.at();
        let value = match self.peek() {
            None => return Err(self.wrong("the file ends where a value should be")),
            Some('{') => self.map(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Value::Text(self.text()?),
            Some('\'') => return Err(self.wrong("texts stand in double quotes")),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number()?,
            Some(_) => self.word()?,
        };
        Ok(Node::new(at, value))
    }

    fn map(&mut self, depth: usize) -> Result<Value, Problem> {
        let open = self.wrong("this `{` is never closed");
        self.take();
        let mut entries: Vec<Entry> = Vec::new();
        loop {
            self.space()?;
            match self.peek() {
                None => return Err(open),
                Some('}') if entries.is_empty() => break,
                Some('}') => return Err(self.wrong("a key should follow the comma").with_help("remove the comma before it")),
                Some('"') => {}
                Some(_) => return Err(self.wrong("a key should be here, in double quotes")),
            }
            let at = self.at();
            let key = self.text()?;
            self.space()?;
            match self.peek() {
                Some(':') => self.take(),
                None => return Err(open),
                Some(_) => return Err(self.wrong(format!("a `:` should follow the key `{key}`"))),
            };
            self.space()?;
            let value = self.value(depth + 1)?;
            match entries.iter().find(|entry| entry.key == key) {
                Some(first) => {
                    let message = format!("the key `{key}` is there twice: first on line {}", first.at.line);
                    self.twice.push(Problem::error(&at, message));
                }
                None => entries.push(Entry { key, at, value }),
            }
            self.space()?;
            match self.peek() {
                Some(',') => {
                    self.take();
                }
                Some('}') => break,
                None => return Err(open),
                Some(_) => return Err(self.wrong("a `,` or `}` should be here")),
            }
        }
        self.take();
        Ok(Value::Map(entries))
    }

    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        let open = self.wrong("this `[` is never closed");
        self.take();
        let mut items = Vec::new();
        loop {
            self.space()?;
            match self.peek() {
                None => return Err(open),
                Some(']') if items.is_empty() => break,
                Some(']') => return Err(self.wrong("a value should follow the comma").with_help("remove the comma before it")),
                Some(_) => items.push(self.value(depth + 1)?),
            }
            self.space()?;
            match self.peek() {
                Some(',') => {
                    self.take();
                }
                Some(']') => break,
                None => return Err(open),
                Some(_) => return Err(self.wrong("a `,` or `]` should be here")),
            }
        }
        self.take();
        Ok(Value::List(items))
    }

    fn text(&mut self) -> Result<String, Problem> {
        let open = self.wrong("this text is never closed").with_help("end it with `\"` on the same line");
        self.take();
        let mut text = String::new();
        loop {
            match self.take() {
                None | Some('\n') => return Err(open),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escaped()?),
                Some(c) => text.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Result<char, Problem> {
        let wrong = self.wrong("there is no such escape").with_help(r#"\" \\ \/ \b \f \n \r \t and \u with four digits are known"#);
        Ok(match self.take() {
            Some(c @ ('"' | '\\' | '/')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let first = self.unit().ok_or_else(|| wrong.clone())?;
                let second = if (0xD800..0xDC00).contains(&first) && self.peek() == Some('\\') {
                    self.take();
                    (self.take() == Some('u')).then(|| self.unit()).flatten()
                } else {
                    None
                };
                let units = std::iter::once(first).chain(second);
                char::decode_utf16(units).next().and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER)
            }
            _ => return Err(wrong),
        })
    }

    fn unit(&mut self) -> Option<u16> {
        (0..4).try_fold(0u16, |unit, _| Some(unit << 4 | self.take()?.to_digit(16)? as u16))
    }

    fn number(&mut self) -> Result<Value, Problem> {
        let wrong = self.wrong("this is no number");
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
            text.push(c);
            self.take();
        }
        // JSON's own reader says which numbers there are.
        match serde_json::from_str::<serde_json::Number>(&text).ok() {
            Some(number) => Ok(number.as_i64().map_or_else(|| Value::Float(number.as_f64().unwrap_or(f64::MAX)), Value::Int)),
            None => Err(wrong),
        }
    }

    fn word(&mut self) -> Result<Value, Problem> {
        let at = self.wrong("");
        let mut text = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || *c == '_').filter(|_| text.len() < 40) {
            text.push(c);
            self.take();
        }
        match text.as_str() {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            "" => Err(Problem { message: "a value should be here".into(), ..at }),
            _ => Err(Problem { message: format!("`{text}` is no value; texts stand in double quotes"), ..at }),
        }
    }
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
        check(r#""\u00e9\ud83d\ude00\ud83d \"\\\/\n""#, "Text(\"é😀\u{fffd} \\\"\\\\/\\n\")@1:1");
        check("{}", "{}@1:1");
    }

    #[test]
    fn the_first_mistake_is_told_where_it_is() {
        check("{\n \"a\": 1,\n}", "3:1 a key should follow the comma");
        check("[1,]", "1:4 a value should follow the comma");
        check("{'a': 1}", "1:2 a key should be here, in double quotes");
        check("{\"a\" 1}", "1:6 a `:` should follow the key `a`");
        check("{\"a\": 1 \"b\": 2}", "1:9 a `,` or `}` should be here");
        check("{\"a\": 1", "1:1 this `{` is never closed");
        check("\"a\n\"", "1:1 this text is never closed");
        check("/* x", "1:1 this comment is never closed");
        check("[yes]", "1:2 `yes` is no value; texts stand in double quotes");
        check("01", "1:1 this is no number");
        check("{} x", "1:4 nothing may follow the value, but here is `x`");
        check("", "1:1 the file ends where a value should be");
        check("{\"a\":1,\n\"a\":2}", "2:1 the key `a` is there twice: first on line 1");
        check(&"[".repeat(100), "1:66 this is too much: 64 levels and 200000 values are read at most");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[\[\]{}",:/*\\u0-9a-d \n-]{0,60}"#) {
            let _ = parse(Path::new("f"), &text);
        }
    }
}
