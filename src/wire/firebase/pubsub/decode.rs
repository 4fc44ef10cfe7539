//! Messages of the protocol → what the service takes.

use super::proto;
use crate::base::Time;
use crate::services::pubsub::{
    AckId, DeadLetter, Error, Field, Identity, Publish, Push, Retry, Settings, TopicField, TopicName, TopicSettings,
};
use crate::wire::firebase::rpc::{Failure, Timestamp};

/// Acknowledgements of a request at most.
const ACK_IDS_MAX: usize = 10_000;

pub fn topic(topic: proto::Topic) -> Result<crate::services::pubsub::Topic, Failure> {
    let settings = topic_settings(topic.labels, topic.message_retention_duration);
    Ok(crate::services::pubsub::Topic { name: TopicName::parse(&topic.name)?, settings })
}

fn topic_settings(labels: std::collections::BTreeMap<String, String>, retention: Option<proto::Duration>) -> TopicSettings {
    TopicSettings { labels, retention_s: retention.map(|span| span.seconds) }
}

pub fn topic_fields(mask: Option<proto::FieldMask>) -> Result<Vec<TopicField>, Failure> {
    let field = |path: &str| match path.split('.').next().unwrap_or_default() {
        "labels" => Ok(TopicField::Labels),
        "message_retention_duration" => Ok(TopicField::Retention),
        _ => Err(no_update("topic", path)),
    };
    paths(mask)?.iter().map(|path| field(path)).collect()
}

pub fn settings(subscription: proto::Subscription) -> Settings {
    let defaults = Settings::default();
    Settings {
        labels: subscription.labels,
        ack_deadline_s: match subscription.ack_deadline_seconds {
            0 => defaults.ack_deadline_s,
            seconds => i64::from(seconds),
        },
        retention_s: subscription.message_retention_duration.map_or(defaults.retention_s, |span| span.seconds),
        retain_acked: subscription.retain_acked_messages,
        ordering: subscription.enable_message_ordering,
        exactly_once: subscription.enable_exactly_once_delivery,
        expiration_s: match subscription.expiration_policy {
            None => defaults.expiration_s,
            // A policy without a time: never.
            Some(policy) => policy.ttl.map(|span| span.seconds),
        },
        filter: subscription.filter,
        dead_letter: subscription.dead_letter_policy.and_then(dead_letter),
        retry: subscription.retry_policy.map(retry),
        push: subscription.push_config.and_then(push),
        detached: false,
    }
}

fn dead_letter(policy: proto::DeadLetterPolicy) -> Option<DeadLetter> {
    let attempts_max = match policy.max_delivery_attempts {
        0 => DeadLetter::ATTEMPTS,
        attempts => u32::try_from(attempts).unwrap_or(0),
    };
    (!policy.dead_letter_topic.is_empty()).then_some(DeadLetter { topic: policy.dead_letter_topic, attempts_max })
}

fn retry(policy: proto::RetryPolicy) -> Retry {
    let Retry { min_ms, max_ms } = Retry::DEFAULT;
    Retry {
        min_ms: policy.minimum_backoff.map_or(min_ms, proto::Duration::ms),
        max_ms: policy.maximum_backoff.map_or(max_ms, proto::Duration::ms),
    }
}

/// One without an endpoint means that messages are asked for.
pub fn push(config: proto::PushConfig) -> Option<Push> {
    let identity = config.oidc_token.map(|token| Identity { email: token.service_account_email, audience: token.audience });
    let unwrapped = config.no_wrapper.map(|no_wrapper| no_wrapper.write_metadata);
    (!config.push_endpoint.is_empty()).then_some(Push {
        endpoint: config.push_endpoint,
        attributes: config.attributes,
        identity,
        unwrapped,
    })
}

pub fn fields(mask: Option<proto::FieldMask>) -> Result<Vec<Field>, Failure> {
    let field = |path: &str| match path.split('.').next().unwrap_or_default() {
        "labels" => Ok(Field::Labels),
        "ack_deadline_seconds" => Ok(Field::AckDeadline),
        "message_retention_duration" => Ok(Field::Retention),
        "retain_acked_messages" => Ok(Field::RetainAcked),
        "enable_exactly_once_delivery" => Ok(Field::ExactlyOnce),
        "expiration_policy" => Ok(Field::Expiration),
        "dead_letter_policy" => Ok(Field::DeadLetter),
        "retry_policy" => Ok(Field::Retry),
        "push_config" => Ok(Field::Push),
        _ => Err(no_update("subscription", path)),
    };
    paths(mask)?.iter().map(|path| field(path)).collect()
}

fn paths(mask: Option<proto::FieldMask>) -> Result<Vec<String>, Failure> {
    let paths = mask.map(|mask| mask.paths).unwrap_or_default();
    if paths.is_empty() { Err(Failure::invalid("The update_mask must name the fields that are to be changed.")) } else { Ok(paths) }
}

fn no_update(what: &str, path: &str) -> Failure {
    let path: String = path.chars().take(100).collect();
    Failure::invalid(format!("Invalid update_mask given: the field `{path}` of a {what} cannot be changed."))
}

pub fn publish(message: proto::PubsubMessage) -> Publish {
    let ordering = Some(message.ordering_key).filter(|key| !key.is_empty());
    Publish { data: message.data.into(), attributes: message.attributes, ordering }
}

pub fn ack_ids(ids: &[String]) -> Result<Vec<AckId>, Failure> {
    if ids.len() > ACK_IDS_MAX {
        return Err(Failure::invalid(format!("A request may have {ACK_IDS_MAX} ack IDs, not {}.", ids.len())));
    }
    Ok(ids.iter().map(|id| AckId::parse(id)).collect::<Result<_, Error>>()?)
}

pub fn time(time: Timestamp) -> Time {
    Time(time.seconds.saturating_mul(1_000).saturating_add(i64::from(time.nanos / 1_000_000)))
}
