//! Templates: the part of Handlebars that SES takes. `{{name}}`, `{{a.b}}`, `{{#each list}}…{{/each}}`, `{{#if x}}…{{else}}…{{/if}}`,
//! `{{#unless x}}…{{/unless}}`, `{{this}}`, `{{@index}}`, comments; `{{…}}` escapes HTML, `{{{…}}}` does not.
//! Source: "Using templates to send personalized email with the Amazon SES API", "Advanced email personalization".

use serde_json::Value as Json;

use super::Error;

/// Blocks within blocks.
const DEPTH_MAX: usize = 20;
/// Bytes that a template may become.
const OUTPUT_MAX: usize = 10 << 20;

/// Fills a template in. Fails with `MissingAttribute` where the data lacks what it names, with `BadTemplate` where it is none.
pub fn render(template: &str, data: &Json) -> Result<String, Error> {
    let parts = parse(template)?;
    let mut out = String::new();
    write(&parts, &mut Scope { stack: vec![(data, None)] }, &mut out)?;
    Ok(out)
}

/// Says whether a text is a template.
pub(super) fn check(template: &str) -> Result<(), Error> {
    parse(template).map(|_| ())
}

enum Part<'a> {
    Text(&'a str),
    Value { path: &'a str, escaped: bool },
    Block { kind: Kind, path: &'a str, inside: Vec<Part<'a>>, otherwise: Vec<Part<'a>> },
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Each,
    If,
    Unless,
    With,
}

/// A block that is not closed yet.
struct Open<'a> {
    kind: Kind,
    path: &'a str,
    inside: Vec<Part<'a>>,
    /// What came before `{{else}}`, once that has come.
    first: Option<Vec<Part<'a>>>,
}

fn parse(template: &str) -> Result<Vec<Part<'_>>, Error> {
    let bad = |text: String| Error::BadTemplate(text);
    let mut root = Vec::new();
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find("{{") {
        let (text, after) = rest.split_at(at);
        let triple = after.starts_with("{{{");
        let (begin, end) = if triple { (3, "}}}") } else { (2, "}}") };
        let length = after[begin..].find(end).ok_or_else(|| bad("a tag is not closed".into()))?;
        let tag = after[begin..begin + length].trim();
        rest = &after[begin + length + end.len()..];
        let into = open.last_mut().map_or(&mut root, |block| &mut block.inside);
        if !text.is_empty() {
            into.push(Part::Text(text));
        }
        if triple {
            into.push(Part::Value { path: tag, escaped: false });
        } else if let Some(tag) = tag.strip_prefix('#') {
            let (name, path) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            let kind = match name {
                "each" => Kind::Each,
                "if" => Kind::If,
                "unless" => Kind::Unless,
                "with" => Kind::With,
                other => return Err(bad(format!("there is no block helper `{other}`"))),
            };
            if open.len() >= DEPTH_MAX {
                return Err(bad("blocks are nested too deeply".into()));
            }
            open.push(Open { kind, path: path.trim(), inside: Vec::new(), first: None });
        } else if tag == "else" {
            let block = open.last_mut().ok_or_else(|| bad("`else` is outside of a block".into()))?;
            block.first = Some(std::mem::take(&mut block.inside));
        } else if let Some(name) = tag.strip_prefix('/') {
            let block = open.pop().ok_or_else(|| bad(format!("`{name}` is closed but was not opened")))?;
            let (inside, otherwise) = match block.first {
                Some(first) => (first, block.inside),
                None => (block.inside, Vec::new()),
            };
            let into = open.last_mut().map_or(&mut root, |block| &mut block.inside);
            into.push(Part::Block { kind: block.kind, path: block.path, inside, otherwise });
        } else if !tag.starts_with('!') {
            let (path, escaped) = tag.strip_prefix('&').map_or((tag, true), |path| (path.trim(), false));
            into.push(Part::Value { path, escaped });
        }
    }
    if !open.is_empty() {
        return Err(bad("a block is not closed".into()));
    }
    if !rest.is_empty() {
        root.push(Part::Text(rest));
    }
    Ok(root)
}

/// The data, and what blocks have narrowed it to, with the index within a list.
struct Scope<'a> {
    stack: Vec<(&'a Json, Option<usize>)>,
}

impl<'a> Scope<'a> {
    fn find(&self, path: &str) -> Option<&'a Json> {
        let mut path = path;
        let mut up = 0;
        while let Some(rest) = path.strip_prefix("../") {
            (path, up) = (rest, up + 1);
        }
        let (here, _) = self.stack.get(self.stack.len().checked_sub(1 + up)?)?;
        let path = path.strip_prefix("this.").or_else(|| path.strip_prefix("this/")).unwrap_or(path);
        if path == "this" || path == "." || path.is_empty() {
            return Some(here);
        }
        path.split(['.', '/']).try_fold(*here, |value, name| match value {
            Json::Array(items) => items.get(name.trim_matches(['[', ']']).parse::<usize>().ok()?),
            other => other.get(name),
        })
    }
}

fn truthy(value: Option<&Json>) -> bool {
    match value {
        None | Some(Json::Null) => false,
        Some(Json::Bool(value)) => *value,
        Some(Json::Number(n)) => n.as_f64() != Some(0.0),
        Some(Json::String(text)) => !text.is_empty(),
        Some(Json::Array(items)) => !items.is_empty(),
        Some(Json::Object(_)) => true,
    }
}

fn write<'a>(parts: &[Part<'_>], scope: &mut Scope<'a>, out: &mut String) -> Result<(), Error> {
    for part in parts {
        if out.len() > OUTPUT_MAX {
            return Err(Error::BadTemplate("the mail becomes too large".into()));
        }
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Value { path: "@index", .. } => {
                let index = scope.stack.last().and_then(|(_, index)| *index).ok_or_else(|| Error::MissingAttribute("@index".into()))?;
                out.push_str(&index.to_string());
            }
            Part::Value { path, escaped } => {
                let value = scope.find(path).ok_or_else(|| Error::MissingAttribute((*path).to_owned()))?;
                let text = match value {
                    Json::String(text) => text.clone(),
                    Json::Null => String::new(),
                    other => other.to_string(),
                };
                if *escaped { escape(&text, out) } else { out.push_str(&text) }
            }
            Part::Block { kind, path, inside, otherwise } => {
                let value = scope.find(path);
                match (kind, value) {
                    (Kind::If, value) => write(if truthy(value) { inside } else { otherwise }, scope, out)?,
                    (Kind::Unless, value) => write(if truthy(value) { otherwise } else { inside }, scope, out)?,
                    (Kind::With, Some(value)) if truthy(Some(value)) => narrowed(inside, value, None, scope, out)?,
                    (Kind::Each, Some(Json::Array(items))) if !items.is_empty() => {
                        for (index, item) in items.iter().enumerate() {
                            narrowed(inside, item, Some(index), scope, out)?;
                        }
                    }
                    (Kind::Each, None) if otherwise.is_empty() => return Err(Error::MissingAttribute((*path).to_owned())),
                    (Kind::Each | Kind::With, _) => write(otherwise, scope, out)?,
                }
            }
        }
    }
    Ok(())
}

fn narrowed<'a>(parts: &[Part<'_>], to: &'a Json, index: Option<usize>, scope: &mut Scope<'a>, out: &mut String) -> Result<(), Error> {
    scope.stack.push((to, index));
    let written = write(parts, scope, out);
    scope.stack.pop();
    written
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            c => out.push(c),
        }
    }
}
