//! The syntax of `${type(parameters):address, default}` within text.

use crate::project::yaml::Value;

/// Deepest nesting of variables in one text.
const DEPTH_MAX: usize = 16;

/// A piece of text.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Variable(Variable),
}

/// One `${…}`: the first source that has a value gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// As written, with `${` and `}`.
    pub written: String,
    pub sources: Vec<Source>,
}

/// Where a value may come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// `kind(parameters):address`.
    Named { kind: String, parameters: Option<Vec<Part>>, address: Vec<Part> },
    /// `'text'`, `12`, `true`, `null`.
    Literal(Value),
    /// A variable in place of a default, perhaps with text around it.
    Nested(Vec<Part>),
}

/// Whether there may be a variable in `text`.
pub fn may_have(text: &str) -> bool {
    text.contains("${")
}

/// Splits `text` into what stands there and what is to be resolved. `${Name}`, `${AWS::Region}` and `${!Name}`, which belong to
/// CloudFormation, stay as they are; `\${` is a plain `${`.
pub fn parse(text: &str) -> Result<Vec<Part>, String> {
    Scan { text, at: 0, depth: 0 }.template("")
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Scan<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Text and variables up to one of the characters in `stops` (which is left), or to the end.
    fn template(&mut self, stops: &str) -> Result<Vec<Part>, String> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        while let Some(c) = self.rest().chars().next() {
            if stops.contains(c) {
                break;
            }
            if self.rest().starts_with("\\${") {
                plain.push_str("${");
                self.at += 3;
            } else if self.rest().starts_with("${") && self.kind_at(self.at + 2).is_some() {
                if !plain.is_empty() {
                    parts.push(Part::Text(std::mem::take(&mut plain)));
                }
                parts.push(Part::Variable(self.variable()?));
            } else {
                plain.push(c);
                self.at += c.len_utf8();
            }
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(parts)
    }

    /// The `kind` of `kind:` or `kind(` at `at`, and where it ends.
    fn kind_at(&self, at: usize) -> Option<(&str, usize)> {
        let rest = &self.text[at..];
        let begin = at + rest.len() - rest.trim_start().len();
        let rest = &self.text[begin..];
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-')).unwrap_or(rest.len());
        let after = &rest[length..];
        let named = rest.starts_with(|c: char| c.is_ascii_alphabetic());
        (named && (after.starts_with('(') || (after.starts_with(':') && !after.starts_with("::"))))
            .then_some((&rest[..length], begin + length))
    }

    fn variable(&mut self) -> Result<Variable, String> {
        let begin = self.at;
        let unclosed = |text: &str| {
            let shown: String = text[begin..].chars().take(40).collect();
            format!("`{shown}` is never closed: a `}}` is missing")
        };
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("variables are nested too deeply: {DEPTH_MAX} levels are allowed"));
        }
        self.at += 2;
        let mut sources = Vec::new();
        loop {
            sources.push(self.source().map_err(|e| e.unwrap_or_else(|| unclosed(self.text)))?);
            self.skip_space();
            match self.rest().chars().next() {
                Some(',') => self.at += 1,
                Some('}') => break,
                Some(other) => return Err(format!("`{other}` is unexpected in `{}`", &self.text[begin..self.at])),
                None => return Err(unclosed(self.text)),
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(Variable { written: self.text[begin..self.at].to_string(), sources })
    }

    /// One source; the error is `None` where the text ends too early.
    fn source(&mut self) -> Result<Source, Option<String>> {
        self.skip_space();
        if let Some(quote @ ('\'' | '"')) = self.rest().chars().next() {
            let inner = &self.rest()[1..];
            let end = inner.find(quote).ok_or(None)?;
            let text = inner[..end].to_string();
            self.at += end + 2;
            return Ok(Source::Literal(Value::Text(text)));
        }
        if let Some((kind, end)) = self.kind_at(self.at) {
            let kind = kind.to_string();
            self.at = end;
            let mut parameters = None;
            if self.rest().starts_with('(') {
                self.at += 1;
                parameters = Some(self.template(")").map_err(Some)?);
                if !self.rest().starts_with(')') {
                    return Err(None);
                }
                self.at += 1;
            }
            let mut address = Vec::new();
            if self.rest().starts_with(':') {
                self.at += 1;
                self.skip_space();
                address = self.template(",}").map_err(Some)?;
                if let Some(Part::Text(text)) = address.last_mut() {
                    text.truncate(text.trim_end().len());
                }
            }
            return Ok(Source::Named { kind, parameters, address });
        }
        let mut parts = self.template(",}").map_err(Some)?;
        if let Some(Part::Text(text)) = parts.last_mut() {
            text.truncate(text.trim_end().len());
        }
        parts.retain(|p| !matches!(p, Part::Text(t) if t.is_empty()));
        match &parts[..] {
            [] => Err(Some("a default is missing: write `''` for empty text".to_string())),
            [Part::Text(text)] => match text.as_str() {
                "true" => Ok(Source::Literal(Value::Bool(true))),
                "false" => Ok(Source::Literal(Value::Bool(false))),
                "null" => Ok(Source::Literal(Value::Null)),
                text => match (text.parse(), text.parse::<f64>()) {
                    (Ok(i), _) => Ok(Source::Literal(Value::Int(i))),
                    (_, Ok(f)) if f.is_finite() => Ok(Source::Literal(Value::Float(f))),
                    _ => Err(Some(format!("put quotes around the default `{text}`"))),
                },
            },
            _ => Ok(Source::Nested(parts)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(parts: &[Part]) -> String {
        let source = |s: &Source| match s {
            Source::Literal(value) => format!("{value:?}"),
            Source::Nested(parts) => format!("<{}>", show(parts)),
            Source::Named { kind, parameters: None, address } => format!("{kind}:{}", show(address)),
            Source::Named { kind, parameters: Some(p), address } => format!("{kind}({}):{}", show(p), show(address)),
        };
        let part = |p: &Part| match p {
            Part::Text(text) => text.clone(),
            Part::Variable(v) => format!("[{}]", v.sources.iter().map(source).collect::<Vec<_>>().join(" | ")),
        };
        parts.iter().map(part).collect()
    }

    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text).map_or_else(|e| format!("! {e}"), |parts| show(&parts)), expected, "{text}");
    }

    #[test]
    fn variables_are_found_and_others_left() {
        check("a-${self:b.c}-d", "a-[self:b.c]-d");
        check("${opt:stage, 'dev'}", "[opt:stage | Text(\"dev\")]");
        check("${env:A, env:B, 5, true, null}", "[env:A | env:B | Int(5) | Bool(true) | Null]");
        check("${file(./${sls:stage}.yml):a.b, ${self:x}}", "[file(./[sls:stage].yml):a.b | <[self:x]>]");
        check("${self:custom.${opt:stage}.x}", "[self:custom.[opt:stage].x]");
        check("${strToBool(${env:X})}", "[strToBool([env:X]):]");
        check("${AWS::Region} ${Queue.Arn} ${!Lit} ${Name}", "${AWS::Region} ${Queue.Arn} ${!Lit} ${Name}");
        check("\\${self:x}", "${self:x}");
        check("${self:a", "! `${self:a` is never closed: a `}` is missing");
        check("${self:a, dev}", "! put quotes around the default `dev`");
        check("${self:a, 'x}", "! `${self:a, 'x}` is never closed: a `}` is missing");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[$\\\\{}():,'a-c é.]{0,50}") {
            let _ = parse(&text);
        }
    }
}
