//! What the service gives → messages of the protocol.

use super::proto;
use crate::base::Time;
use crate::services::pubsub::{Page, Push, Received, Subscription, Topic};
use crate::wire::firebase::rpc::Timestamp;

/// Of things that work: an enumeration of the protocol.
const ACTIVE: i32 = 1;
/// What stands in the place of a topic that was deleted.
const DELETED_TOPIC: &str = "_deleted-topic_";

pub fn topic(topic: Topic) -> proto::Topic {
    let message_retention_duration = topic.settings.retention_s.map(seconds);
    proto::Topic { name: topic.name.to_string(), labels: topic.settings.labels, message_retention_duration, state: ACTIVE }
}

pub fn topics(page: Page<Topic>) -> proto::ListTopicsResponse {
    let topics = page.items.into_iter().map(topic).collect();
    proto::ListTopicsResponse { topics, next_page_token: page.next.unwrap_or_default() }
}

pub fn subscription(subscription: Subscription) -> proto::Subscription {
    let settings = subscription.settings;
    proto::Subscription {
        name: subscription.name.to_string(),
        topic: subscription.topic.map_or_else(|| DELETED_TOPIC.to_owned(), |topic| topic.to_string()),
        // There even where messages are asked for.
        push_config: Some(settings.push.map(push).unwrap_or_default()),
        ack_deadline_seconds: i32::try_from(settings.ack_deadline_s).unwrap_or(i32::MAX),
        retain_acked_messages: settings.retain_acked,
        message_retention_duration: Some(seconds(settings.retention_s)),
        labels: settings.labels,
        enable_message_ordering: settings.ordering,
        expiration_policy: Some(proto::ExpirationPolicy { ttl: settings.expiration_s.map(seconds) }),
        filter: settings.filter,
        dead_letter_policy: settings.dead_letter.map(|dead| proto::DeadLetterPolicy {
            dead_letter_topic: dead.topic,
            max_delivery_attempts: i32::try_from(dead.attempts_max).unwrap_or(i32::MAX),
        }),
        retry_policy: settings.retry.map(|retry| proto::RetryPolicy {
            minimum_backoff: Some(proto::Duration::of_ms(retry.min_ms)),
            maximum_backoff: Some(proto::Duration::of_ms(retry.max_ms)),
        }),
        detached: settings.detached,
        enable_exactly_once_delivery: settings.exactly_once,
        state: ACTIVE,
    }
}

fn push(push: Push) -> proto::PushConfig {
    proto::PushConfig {
        push_endpoint: push.endpoint,
        attributes: push.attributes,
        oidc_token: push.identity.map(|identity| proto::OidcToken { service_account_email: identity.email, audience: identity.audience }),
        no_wrapper: push.unwrapped.map(|write_metadata| proto::NoWrapper { write_metadata }),
    }
}

pub fn subscriptions(page: Page<Subscription>) -> proto::ListSubscriptionsResponse {
    let subscriptions = page.items.into_iter().map(subscription).collect();
    proto::ListSubscriptionsResponse { subscriptions, next_page_token: page.next.unwrap_or_default() }
}

pub fn received(received: Vec<Received>) -> Vec<proto::ReceivedMessage> {
    received.into_iter().map(one).collect()
}

fn one(received: Received) -> proto::ReceivedMessage {
    let message = received.message;
    proto::ReceivedMessage {
        ack_id: received.ack_id.to_string(),
        message: Some(proto::PubsubMessage {
            data: message.content.data.into(),
            attributes: message.content.attributes,
            message_id: message.id,
            publish_time: Some(time(message.at)),
            ordering_key: message.content.ordering.unwrap_or_default(),
        }),
        delivery_attempt: received.attempt.map_or(0, |attempt| i32::try_from(attempt).unwrap_or(i32::MAX)),
    }
}

fn time(time: Time) -> Timestamp {
    let ms = time.millis();
    Timestamp { seconds: ms.div_euclid(1_000), nanos: (ms.rem_euclid(1_000) * 1_000_000) as i32 }
}

fn seconds(seconds: i64) -> proto::Duration {
    proto::Duration { seconds, nanos: 0 }
}
