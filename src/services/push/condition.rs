//! Conditions on topics: `'news' in topics && ('de' in topics || 'at' in topics)`. Source: "Send messages to topics", which allows five
//! topics in one.

use std::collections::BTreeSet;

use super::Error;

/// Topics in a condition.
const TOPICS_MAX: usize = 5;
/// Parentheses and negations within each other.
const DEPTH_MAX: usize = 20;

/// Which topics a device must have subscribed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    In(String),
    Not(Box<Condition>),
    All(Box<Condition>, Box<Condition>),
    Any(Box<Condition>, Box<Condition>),
}

impl Condition {
    /// Fails with [`Error::BadCondition`].
    pub fn parse(text: &str) -> Result<Condition, Error> {
        let mut parser = Parser { rest: text, topics: 0 };
        let condition = parser.any(0)?;
        if parser.rest.trim().is_empty() { Ok(condition) } else { Err(Error::BadCondition) }
    }

    /// Whether it holds of somebody with these topics.
    pub fn holds(&self, topics: &BTreeSet<String>) -> bool {
        match self {
            Condition::In(topic) => topics.contains(topic),
            Condition::Not(condition) => !condition.holds(topics),
            Condition::All(a, b) => a.holds(topics) && b.holds(topics),
            Condition::Any(a, b) => a.holds(topics) || b.holds(topics),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    topics: usize,
}

impl Parser<'_> {
    fn take(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any(&mut self, depth: usize) -> Result<Condition, Error> {
        let mut condition = self.all(depth)?;
        while self.take("||") {
            condition = Condition::Any(Box::new(condition), Box::new(self.all(depth)?));
        }
        Ok(condition)
    }

    fn all(&mut self, depth: usize) -> Result<Condition, Error> {
        let mut condition = self.one(depth)?;
        while self.take("&&") {
            condition = Condition::All(Box::new(condition), Box::new(self.one(depth)?));
        }
        Ok(condition)
    }

    fn one(&mut self, depth: usize) -> Result<Condition, Error> {
        if depth > DEPTH_MAX {
            return Err(Error::BadCondition);
        }
        if self.take("!") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take("(") {
            let condition = self.any(depth + 1)?;
            return if self.take(")") { Ok(condition) } else { Err(Error::BadCondition) };
        }
        let quote = if self.take("'") { '\'' } else { '"' };
        if quote == '"' && !self.take("\"") {
            return Err(Error::BadCondition);
        }
        let (topic, rest) = self.rest.split_once(quote).ok_or(Error::BadCondition)?;
        let topic = super::topic_name(topic).map_err(|_| Error::BadCondition)?;
        self.rest = rest;
        self.topics += 1;
        if !self.take("in") || !self.take("topics") || self.topics > TOPICS_MAX {
            return Err(Error::BadCondition);
        }
        Ok(Condition::In(topic))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_hold_of_those_with_the_topics() {
        let topics: BTreeSet<String> = ["a", "b"].map(str::to_owned).into();
        for (text, wanted) in [
            ("'a' in topics", Some(true)),
            ("\"c\" in topics", Some(false)),
            ("'a' in topics && 'c' in topics", Some(false)),
            ("'a' in topics || 'c' in topics && 'd' in topics", Some(true)),
            ("('a' in topics || 'c' in topics) && 'd' in topics", Some(false)),
            ("!('c' in topics)&&'b' in topics", Some(true)),
            ("", None),
            ("'a'", None),
            ("'a' in topic", None),
            ("'a' in topics &&", None),
            ("('a' in topics", None),
            ("'a b' in topics", None),
            ("'a' in topics 'b' in topics", None),
        ] {
            assert_eq!(Condition::parse(text).ok().map(|condition| condition.holds(&topics)), wanted, "{text}");
        }
        assert!(Condition::parse(&["'a' in topics"; 5].join(" && ")).is_ok());
        assert!(Condition::parse(&["'a' in topics"; 6].join(" && ")).is_err(), "more than five");
        assert!(Condition::parse(&"(".repeat(100_000)).is_err());
    }
}
