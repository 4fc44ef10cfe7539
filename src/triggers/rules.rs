//! Which functions (and queues) an event leads to. Pure.

use std::sync::Arc;

use bytes::Bytes;

use super::ports::{Happening, Recipient};
use super::store::{Draft, Envelope, Origin, Target};
use super::table::{BucketRule, Table};
use crate::base::DEPTH_MAX;
use crate::project::Destination;

/// Milliseconds after which what goes to a queue or topic is given up (as long as events of functions live).
pub const MESSAGE_AGE_MAX_MS: i64 = 21_600_000;

/// The subject of what S3 publishes to topics, as production's messages have it.
pub(super) const TOPIC_SUBJECT: &str = "Amazon S3 Notification";

/// Who gets what of an event.
pub fn targets(table: &Table, happening: Happening, source: &str, origin: &Origin) -> Vec<Draft> {
    let to_function = |key: &Arc<str>, age_max_ms: i64, event: &serde_json::Value| Draft {
        target: Target::Function(key.clone()),
        payload: Bytes::from(event.to_string()),
        envelope: None,
        source: source.to_owned(),
        age_max_ms,
        origin: origin.clone(),
    };
    match happening {
        Happening::Object { bucket, key, name, event } => table
            .bucket(&bucket)
            .iter()
            .filter(|rule| wants(rule, &name, &key))
            .map(|rule| match &rule.to {
                Destination::Function(name) => match table.function(name) {
                    Some(callee) => to_function(&callee.key, callee.event_age_max_ms, &event),
                    // Delivering it will say that there is no such function.
                    None => to_function(&name.as_str().into(), MESSAGE_AGE_MAX_MS, &event),
                },
                Destination::Queue(name) => {
                    message(Target::Queue(name.as_str().into()), event.to_string(), Envelope::default(), source, origin)
                }
                Destination::Topic(name) => {
                    let envelope = Envelope { subject: Some(TOPIC_SUBJECT.to_owned()), ..Envelope::default() };
                    message(Target::Topic(name.as_str().into()), event.to_string(), envelope, source, origin)
                }
            })
            .collect(),
        Happening::Addressed(recipients) => recipients
            .into_iter()
            .map(|recipient| match recipient {
                Recipient::Function { name, event, dead_letters } => {
                    let draft = match table.function(&name) {
                        Some(callee) => to_function(&callee.key, callee.event_age_max_ms, &event),
                        // Delivering it will say that there is no such function.
                        None => to_function(&name.into(), MESSAGE_AGE_MAX_MS, &event),
                    };
                    let envelope = dead_letters.map(|queue| Envelope { dead_letters: Some(queue), ..Envelope::default() });
                    Draft { envelope, ..draft }
                }
                Recipient::Queue { name, body, envelope } => message(Target::Queue(name.into()), body, envelope, source, origin),
                Recipient::Topic { name, body, envelope } => message(Target::Topic(name.into()), body, envelope, source, origin),
            })
            .collect(),
        Happening::Nothing => Vec::new(),
    }
}

fn message(target: Target, body: String, envelope: Envelope, source: &str, origin: &Origin) -> Draft {
    Draft {
        target,
        payload: body.into(),
        envelope: Some(envelope),
        source: source.to_owned(),
        age_max_ms: MESSAGE_AGE_MAX_MS,
        origin: origin.clone(),
    }
}

/// Whether a rule asks for what happened to the object `key`. Source: the page "Supported event types for SQS, SNS, and Lambda".
fn wants(rule: &BucketRule, name: &str, key: &str) -> bool {
    let named = match rule.event.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == rule.event,
    };
    named && key.starts_with(&rule.prefix) && key.ends_with(&rule.suffix)
}

/// Why an event goes no further; `None` where it may.
pub fn too_deep(depth: u16) -> Option<String> {
    (depth > DEPTH_MAX).then(|| {
        format!(
            "{depth} events in a row led to each other, more than {DEPTH_MAX}: a function seems to cause the event that calls it; \
             write where its own trigger does not look (another prefix, table or queue)"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_matched_by_event_prefix_and_suffix() {
        let rows = [
            ("ObjectCreated:*", "", "", "ObjectCreated:Put", "a", true),
            ("ObjectCreated:*", "", "", "ObjectRemoved:Delete", "a", false),
            ("ObjectCreated:Put", "", "", "ObjectCreated:Copy", "a", false),
            ("ObjectCreated:Put", "images/", ".png", "ObjectCreated:Put", "images/a.png", true),
            ("ObjectCreated:Put", "images/", ".png", "ObjectCreated:Put", "images/a.jpg", false),
            ("ObjectCreated:Put", "images/", ".png", "ObjectCreated:Put", "docs/images/a.png", false),
            ("*", "", "", "ObjectRemoved:DeleteMarkerCreated", "a", true),
        ];
        for (event, prefix, suffix, name, key, wanted) in rows {
            let rule =
                BucketRule { to: Destination::Function("f".into()), event: event.into(), prefix: prefix.into(), suffix: suffix.into() };
            assert_eq!(wants(&rule, name, key), wanted, "{event} {prefix}…{suffix} on {name} {key}");
        }
    }

    #[test]
    fn a_chain_of_events_ends() {
        assert_eq!(too_deep(DEPTH_MAX), None);
        assert!(too_deep(DEPTH_MAX + 1).is_some_and(|why| why.starts_with("17 events in a row")));
    }
}
