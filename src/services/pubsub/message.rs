//! Messages. Source: "Quotas and limits" of Pub/Sub, and `PubsubMessage`.

use std::collections::BTreeMap;

use super::Error;
use crate::base::{Time, TraceId};

/// Messages of a request at most, and bytes of them.
const MESSAGES_MAX: usize = 1_000;
const BYTES_MAX: usize = 10_000_000;
const ATTRIBUTES_MAX: usize = 100;
const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 1_024;
const ORDERING_BYTES_MAX: usize = 1_024;

/// What is published.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publish {
    pub data: Vec<u8>,
    pub attributes: BTreeMap<String, String>,
    /// Messages that have the same are handed out one after another, where a subscription says so.
    pub ordering: Option<String>,
}

impl Publish {
    /// What it is billed by.
    pub fn bytes(&self) -> usize {
        let attributes: usize = self.attributes.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.data.len() + attributes + self.ordering.as_ref().map_or(0, String::len)
    }

    fn check(&self) -> Result<(), Error> {
        if self.data.is_empty() && self.attributes.is_empty() {
            return Err(Error::invalid("Some messages had no data and no attributes: each must have one of them."));
        }
        if self.attributes.len() > ATTRIBUTES_MAX {
            return Err(Error::invalid(format!("A message may have {ATTRIBUTES_MAX} attributes, not {}.", self.attributes.len())));
        }
        let long = |(key, value): (&String, &String)| key.is_empty() || key.len() > KEY_BYTES_MAX || value.len() > VALUE_BYTES_MAX;
        if self.attributes.iter().any(long) {
            let text = format!("The key of an attribute has 1 to {KEY_BYTES_MAX} bytes, its value at most {VALUE_BYTES_MAX}.");
            return Err(Error::invalid(text));
        }
        if let Some(key) = self.attributes.keys().find(|key| key.starts_with("goog")) {
            return Err(Error::invalid(format!("The key of an attribute may not begin with `goog`, as `{key}` does.")));
        }
        if self.ordering.as_ref().is_some_and(|key| key.len() > ORDERING_BYTES_MAX) {
            return Err(Error::invalid(format!("The ordering key of a message has at most {ORDERING_BYTES_MAX} bytes.")));
        }
        Ok(())
    }
}

/// Whether these can be published together.
pub(super) fn check(messages: &[Publish]) -> Result<(), Error> {
    if messages.is_empty() || messages.len() > MESSAGES_MAX {
        return Err(Error::invalid(format!("A request must have 1 to {MESSAGES_MAX} messages, not {}.", messages.len())));
    }
    let bytes: usize = messages.iter().map(Publish::bytes).sum();
    if bytes > BYTES_MAX {
        return Err(Error::invalid(format!("The messages of a request may have {BYTES_MAX} bytes together, not {bytes}.")));
    }
    messages.iter().try_for_each(Publish::check)
}

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub id: String,
    pub at: Time,
    pub content: Publish,
    /// What led to it.
    pub trace: TraceId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_bounded() {
        let text = |bytes: usize| "x".repeat(bytes);
        let with = |key: &str, value: String| Publish { attributes: [(key.to_owned(), value)].into(), ..Publish::default() };
        let check = |messages: Vec<Publish>, wanted: &str| match check(&messages) {
            Ok(()) => assert_eq!(wanted, ""),
            Err(error) => assert!(!wanted.is_empty() && error.to_string().contains(wanted), "{error}"),
        };
        let data = |bytes: usize| Publish { data: vec![0; bytes], ..Publish::default() };
        check(vec![data(1)], "");
        check(vec![data(10_000_000)], "");
        check(vec![data(5_000_000), data(5_000_001)], "10000001");
        check(vec![], "1 to 1000 messages, not 0");
        check(vec![data(1); 1_001], "not 1001");
        check(vec![Publish::default()], "no data and no attributes");
        check(vec![with("a", text(1_024))], "");
        check(vec![with("a", text(1_025))], "at most 1024");
        check(vec![with(&text(257), text(1))], "1 to 256");
        check(vec![with("googclient", text(1))], "`goog`");
        check(vec![Publish { ordering: Some(text(1_025)), ..data(1) }], "ordering key");
        let many = (0..101).map(|n| (n.to_string(), text(1))).collect();
        check(vec![Publish { attributes: many, ..Publish::default() }], "100 attributes, not 101");
    }
}
