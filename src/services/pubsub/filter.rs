//! Which messages a subscription gets. Source: "Filter messages from a subscription" of Pub/Sub's documentation.
//!
//! ```text
//! filter := or        or := and ("OR" and)*   and := not ("AND" not)*   not := ("NOT" | "-") not | "(" or ")" | term
//! term := "attributes" ":" key | "attributes" "." key ("=" | "!=") text | "hasPrefix" "(" "attributes" "." key "," text ")"
//! ```
//!
//! As there, `AND` and `OR` do not mix without parentheses.

use std::collections::BTreeMap;

use super::Error;

/// Bytes of a filter at most.
const BYTES_MAX: usize = 256;

/// A filter that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    Everything,
    Has(String),
    Is(String, String),
    Begins(String, String),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

impl Filter {
    /// Reads a filter. Fails with `Invalid`, which says where.
    pub fn parse(text: &str) -> Result<Filter, Error> {
        if text.trim().is_empty() {
            return Ok(Filter::Everything);
        }
        if text.len() > BYTES_MAX {
            return Err(Error::invalid(format!("The filter is longer than {BYTES_MAX} bytes.")));
        }
        let mut parser = Parser { text, at: 0 };
        let filter = parser.either()?;
        match parser.peek() {
            "" => Ok(filter),
            _ => Err(parser.wrong("the end")),
        }
    }

    /// Whether a message with these attributes passes.
    pub fn passes(&self, attributes: &BTreeMap<String, String>) -> bool {
        match self {
            Filter::Everything => true,
            Filter::Has(key) => attributes.contains_key(key),
            Filter::Is(key, value) => attributes.get(key) == Some(value),
            Filter::Begins(key, prefix) => attributes.get(key).is_some_and(|value| value.starts_with(prefix.as_str())),
            Filter::Not(inner) => !inner.passes(attributes),
            Filter::All(all) => all.iter().all(|inner| inner.passes(attributes)),
            Filter::Any(any) => any.iter().any(|inner| inner.passes(attributes)),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    /// What comes next, without spaces before it.
    fn peek(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    fn wrong(&mut self, wanted: &str) -> Error {
        let rest: String = self.peek().chars().take(40).collect();
        Error::invalid(format!("Invalid filter given: {wanted} is expected at character {}, not `{rest}`.", self.at + 1))
    }

    /// Takes a sign, if it is next.
    fn sign(&mut self, sign: &str) -> bool {
        let is = self.peek().starts_with(sign);
        self.at += if is { sign.len() } else { 0 };
        is
    }

    /// Takes a word, if it is next and whole.
    fn word(&mut self, word: &str) -> bool {
        let is = self.peek().strip_prefix(word).is_some_and(|rest| !rest.starts_with(in_word));
        self.at += if is { word.len() } else { 0 };
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), Error> {
        if self.sign(sign) { Ok(()) } else { Err(self.wrong(&format!("`{sign}`"))) }
    }

    fn either(&mut self) -> Result<Filter, Error> {
        let first = self.negated()?;
        let (word, other, make): (_, _, fn(Vec<Filter>) -> Filter) = if self.word("AND") {
            ("AND", "OR", Filter::All)
        } else if self.word("OR") {
            ("OR", "AND", Filter::Any)
        } else {
            return Ok(first);
        };
        let mut all = vec![first, self.negated()?];
        while self.word(word) {
            all.push(self.negated()?);
        }
        if self.word(other) {
            return Err(Error::invalid("Invalid filter given: AND and OR need parentheses to be used together."));
        }
        Ok(make(all))
    }

    fn negated(&mut self) -> Result<Filter, Error> {
        if self.word("NOT") || self.sign("-") {
            return Ok(Filter::Not(Box::new(self.negated()?)));
        }
        if self.sign("(") {
            let inner = self.either()?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.term()
    }

    fn term(&mut self) -> Result<Filter, Error> {
        if self.word("hasPrefix") {
            self.expect("(")?;
            let key = self.attribute()?;
            self.expect(",")?;
            let prefix = self.string()?;
            self.expect(")")?;
            return Ok(Filter::Begins(key, prefix));
        }
        if !self.word("attributes") {
            return Err(self.wrong("`attributes`"));
        }
        if self.sign(":") {
            return Ok(Filter::Has(self.key()?));
        }
        self.expect(".")?;
        let key = self.key()?;
        if self.sign("!=") {
            return Ok(Filter::Not(Box::new(Filter::Is(key, self.string()?))));
        }
        self.expect("=")?;
        Ok(Filter::Is(key, self.string()?))
    }

    fn attribute(&mut self) -> Result<String, Error> {
        if !self.word("attributes") {
            return Err(self.wrong("`attributes`"));
        }
        self.expect(".")?;
        self.key()
    }

    fn key(&mut self) -> Result<String, Error> {
        let rest = self.peek();
        if rest.starts_with('"') {
            return self.string();
        }
        let length = rest.find(|c| !in_word(c)).unwrap_or(rest.len());
        if length == 0 {
            return Err(self.wrong("the name of an attribute"));
        }
        self.at += length;
        Ok(rest[..length].to_owned())
    }

    fn string(&mut self) -> Result<String, Error> {
        if !self.sign("\"") {
            return Err(self.wrong("a text in quotes"));
        }
        let rest = &self.text[self.at..];
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in rest.char_indices() {
            match c {
                _ if escaped => {
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        self.at = self.text.len();
        Err(self.wrong("`\"`"))
    }
}

fn in_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_let_through_what_they_say() {
        let attributes: BTreeMap<String, String> =
            [("name", "com"), ("lang", "en-us"), ("a b", "\"q\""), ("empty", "")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        for (text, wanted) in [
            ("", true),
            ("attributes:name", true),
            ("attributes:none", false),
            ("attributes.name = \"com\"", true),
            ("attributes.name=\"org\"", false),
            ("attributes.name != \"org\"", true),
            ("attributes.none != \"org\"", true),
            ("hasPrefix(attributes.lang, \"en\")", true),
            ("hasPrefix(attributes.none,\"\")", false),
            ("NOT attributes:name", false),
            ("-attributes:none", true),
            ("NOT NOT attributes:name", true),
            ("attributes:name AND attributes:lang AND attributes:empty", true),
            ("attributes:none OR attributes:lang", true),
            ("attributes:name AND (attributes:none OR attributes.lang = \"en-us\")", true),
            ("attributes:name AND NOT (attributes:lang)", false),
            ("attributes.\"a b\" = \"\\\"q\\\"\"", true),
            ("attributes:\"a b\"", true),
        ] {
            assert_eq!(Filter::parse(text).expect(text).passes(&attributes), wanted, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused_where_it_goes_wrong() {
        for (text, wanted) in [
            ("name", "`attributes` is expected at character 1"),
            ("attributes", "`.` is expected at character 11"),
            ("attributes.a", "`=` is expected"),
            ("attributes.a = b", "a text in quotes is expected at character 16"),
            ("attributes.a = \"b", "is expected at character 18"),
            ("attributes:a AND", "`attributes` is expected"),
            ("attributes:a attributes:b", "the end is expected at character 14"),
            ("attributes:a AND attributes:b OR attributes:c", "need parentheses"),
            ("(attributes:a", "`)` is expected"),
            ("hasPrefix(attributes.a \"b\")", "`,` is expected"),
            ("ANDattributes:a", "`attributes` is expected"),
            ("attributes:", "the name of an attribute"),
        ] {
            let error = Filter::parse(text).expect_err(text).to_string();
            assert!(error.contains(wanted), "{text}: {error}");
        }
        assert!(Filter::parse(&"(".repeat(257)).is_err());
        assert!(Filter::parse(&"(".repeat(256)).is_err());
    }
}
