//! The messages of `google.pubsub.v1`, in the binary form of protocol buffers and in their JSON form.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::wire::firebase::rpc::{Timestamp, is_default, text};

/// A span of time; in JSON seconds with an `s`.
#[derive(Clone, Copy, PartialEq, prost::Message)]
pub struct Duration {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Duration {
    pub fn of_ms(ms: i64) -> Duration {
        Duration { seconds: ms / 1_000, nanos: (ms % 1_000 * 1_000_000) as i32 }
    }

    pub fn ms(self) -> i64 {
        self.seconds.saturating_mul(1_000).saturating_add(i64::from(self.nanos / 1_000_000))
    }
}

impl Serialize for Duration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.ms() % 1_000 {
            0 => serializer.collect_str(&format_args!("{}s", self.seconds)),
            ms => serializer.collect_str(&format_args!("{}.{:03}s", self.seconds, ms.unsigned_abs())),
        }
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(deserializer)?;
        let seconds = text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok()).filter(|seconds| seconds.abs() < 1e12);
        let seconds = seconds
            .ok_or_else(|| serde::de::Error::custom(format!("Invalid value (type.googleapis.com/google.protobuf.Duration), \"{text}\"")))?;
        Ok(Duration::of_ms((seconds * 1_000.0).round() as i64))
    }
}

/// Names of fields; in JSON one text with commas, in lower camel case.
#[derive(Clone, PartialEq, prost::Message)]
pub struct FieldMask {
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

impl<'de> Deserialize<'de> for FieldMask {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FieldMask, D::Error> {
        let text = String::deserialize(deserializer)?;
        Ok(FieldMask { paths: text.split(',').filter(|path| !path.is_empty()).map(snake).collect() })
    }
}

fn snake(path: &str) -> String {
    let mut into = String::with_capacity(path.len() + 4);
    for c in path.chars() {
        if c.is_ascii_uppercase() {
            into.push('_');
        }
        into.push(c.to_ascii_lowercase());
    }
    into
}

/// Messages, each with its fields: a type, its number, and what it is called.
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, prost::Message, Serialize, Deserialize)]
        #[serde(default, rename_all = "camelCase")]
        pub struct $name { $(#[serde(skip_serializing_if = "is_default")] $(#[$meta])* pub $field: $type,)* }
    )*};
}

messages! {
    Empty {}
    Topic {
        #[prost(string, tag = "1")] name: String,
        #[prost(btree_map = "string, string", tag = "2")] labels: BTreeMap<String, String>,
        #[prost(message, optional, tag = "8")] message_retention_duration: Option<Duration>,
        /// 1: active. Only said.
        #[prost(int32, tag = "9")] #[serde(skip)] state: i32,
    }
    PubsubMessage {
        #[prost(bytes = "bytes", tag = "1")] #[serde(with = "text::bytes")] data: Bytes,
        #[prost(btree_map = "string, string", tag = "2")] attributes: BTreeMap<String, String>,
        #[prost(string, tag = "3")] message_id: String,
        #[prost(message, optional, tag = "4")] publish_time: Option<Timestamp>,
        #[prost(string, tag = "5")] ordering_key: String,
    }
    PublishRequest {
        #[prost(string, tag = "1")] topic: String,
        #[prost(message, repeated, tag = "2")] messages: Vec<PubsubMessage>,
    }
    PublishResponse {
        #[prost(string, repeated, tag = "1")] message_ids: Vec<String>,
    }
    ListTopicsResponse {
        #[prost(message, repeated, tag = "1")] topics: Vec<Topic>,
        #[prost(string, tag = "2")] next_page_token: String,
    }
    ListTopicSubscriptionsResponse {
        #[prost(string, repeated, tag = "1")] subscriptions: Vec<String>,
        #[prost(string, tag = "2")] next_page_token: String,
    }
    ListTopicSnapshotsResponse {
        #[prost(string, repeated, tag = "1")] snapshots: Vec<String>,
    }
    ListSnapshotsResponse {}
    Subscription {
        #[prost(string, tag = "1")] name: String,
        #[prost(string, tag = "2")] topic: String,
        #[prost(message, optional, tag = "4")] push_config: Option<PushConfig>,
        #[prost(int32, tag = "5")] ack_deadline_seconds: i32,
        #[prost(bool, tag = "7")] retain_acked_messages: bool,
        #[prost(message, optional, tag = "8")] message_retention_duration: Option<Duration>,
        #[prost(btree_map = "string, string", tag = "9")] labels: BTreeMap<String, String>,
        #[prost(bool, tag = "10")] enable_message_ordering: bool,
        #[prost(message, optional, tag = "11")] expiration_policy: Option<ExpirationPolicy>,
        #[prost(string, tag = "12")] filter: String,
        #[prost(message, optional, tag = "13")] dead_letter_policy: Option<DeadLetterPolicy>,
        #[prost(message, optional, tag = "14")] retry_policy: Option<RetryPolicy>,
        #[prost(bool, tag = "15")] detached: bool,
        #[prost(bool, tag = "16")] enable_exactly_once_delivery: bool,
        /// 1: active. Only said.
        #[prost(int32, tag = "19")] #[serde(skip)] state: i32,
    }
    RetryPolicy {
        #[prost(message, optional, tag = "1")] minimum_backoff: Option<Duration>,
        #[prost(message, optional, tag = "2")] maximum_backoff: Option<Duration>,
    }
    DeadLetterPolicy {
        #[prost(string, tag = "1")] dead_letter_topic: String,
        #[prost(int32, tag = "2")] max_delivery_attempts: i32,
    }
    ExpirationPolicy {
        #[prost(message, optional, tag = "1")] ttl: Option<Duration>,
    }
    PushConfig {
        #[prost(string, tag = "1")] push_endpoint: String,
        #[prost(btree_map = "string, string", tag = "2")] attributes: BTreeMap<String, String>,
        #[prost(message, optional, tag = "3")] oidc_token: Option<OidcToken>,
        #[prost(message, optional, tag = "5")] no_wrapper: Option<NoWrapper>,
    }
    OidcToken {
        #[prost(string, tag = "1")] service_account_email: String,
        #[prost(string, tag = "2")] audience: String,
    }
    NoWrapper {
        #[prost(bool, tag = "1")] write_metadata: bool,
    }
    ReceivedMessage {
        #[prost(string, tag = "1")] ack_id: String,
        #[prost(message, optional, tag = "2")] message: Option<PubsubMessage>,
        #[prost(int32, tag = "3")] delivery_attempt: i32,
    }
    ListSubscriptionsResponse {
        #[prost(message, repeated, tag = "1")] subscriptions: Vec<Subscription>,
        #[prost(string, tag = "2")] next_page_token: String,
    }
    ModifyPushConfigRequest {
        #[prost(string, tag = "1")] subscription: String,
        #[prost(message, optional, tag = "2")] push_config: Option<PushConfig>,
    }
    PullRequest {
        #[prost(string, tag = "1")] subscription: String,
        #[prost(bool, tag = "2")] return_immediately: bool,
        #[prost(int32, tag = "3")] max_messages: i32,
    }
    PullResponse {
        #[prost(message, repeated, tag = "1")] received_messages: Vec<ReceivedMessage>,
    }
    ModifyAckDeadlineRequest {
        #[prost(string, tag = "1")] subscription: String,
        #[prost(string, repeated, tag = "4")] ack_ids: Vec<String>,
        #[prost(int32, tag = "3")] ack_deadline_seconds: i32,
    }
    AcknowledgeRequest {
        #[prost(string, tag = "1")] subscription: String,
        #[prost(string, repeated, tag = "2")] ack_ids: Vec<String>,
    }
    StreamingPullRequest {
        #[prost(string, tag = "1")] subscription: String,
        #[prost(string, repeated, tag = "2")] ack_ids: Vec<String>,
        #[prost(int32, repeated, tag = "3")] modify_deadline_seconds: Vec<i32>,
        #[prost(string, repeated, tag = "4")] modify_deadline_ack_ids: Vec<String>,
        #[prost(int32, tag = "5")] stream_ack_deadline_seconds: i32,
        #[prost(string, tag = "6")] client_id: String,
        #[prost(int64, tag = "7")] #[serde(with = "text::int64")] max_outstanding_messages: i64,
        #[prost(int64, tag = "8")] #[serde(with = "text::int64")] max_outstanding_bytes: i64,
        #[prost(int64, tag = "10")] #[serde(with = "text::int64")] protocol_version: i64,
    }
    StreamingPullResponse {
        #[prost(message, repeated, tag = "1")] received_messages: Vec<ReceivedMessage>,
        #[prost(message, optional, tag = "5")] acknowledge_confirmation: Option<Confirmation>,
        #[prost(message, optional, tag = "3")] modify_ack_deadline_confirmation: Option<Confirmation>,
        #[prost(message, optional, tag = "4")] subscription_properties: Option<SubscriptionProperties>,
    }
    /// What was acknowledged, or given more time: both messages have this at their beginning.
    Confirmation {
        #[prost(string, repeated, tag = "1")] ack_ids: Vec<String>,
    }
    SubscriptionProperties {
        #[prost(bool, tag = "1")] exactly_once_delivery_enabled: bool,
        #[prost(bool, tag = "2")] message_ordering_enabled: bool,
    }
    SeekRequest {
        #[prost(string, tag = "1")] subscription: String,
        #[prost(message, optional, tag = "2")] time: Option<Timestamp>,
        #[prost(string, tag = "3")] snapshot: String,
    }
    /// A request that names a thing and nothing else: all of them have the name first.
    Named {
        #[prost(string, tag = "1")] name: String,
    }
    /// A request for a page: all of them name what it is of first.
    Listed {
        #[prost(string, tag = "1")] of: String,
        #[prost(int32, tag = "2")] page_size: i32,
        #[prost(string, tag = "3")] page_token: String,
    }
    TestIamPermissionsRequest {
        #[prost(string, tag = "1")] resource: String,
        #[prost(string, repeated, tag = "2")] permissions: Vec<String>,
    }
    TestIamPermissionsResponse {
        #[prost(string, repeated, tag = "1")] permissions: Vec<String>,
    }
}

/// A topic, and which of its fields to change.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UpdateTopicRequest {
    #[prost(message, optional, tag = "1")]
    pub topic: Option<Topic>,
    #[prost(message, optional, tag = "2")]
    pub update_mask: Option<FieldMask>,
}

/// A subscription, and which of its fields to change.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UpdateSubscriptionRequest {
    #[prost(message, optional, tag = "1")]
    pub subscription: Option<Subscription>,
    #[prost(message, optional, tag = "2")]
    pub update_mask: Option<FieldMask>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_time_are_written_as_seconds() {
        for (text, ms) in [("600s", 600_000), ("0.100s", 100), ("1.5s", 1_500), ("0s", 0)] {
            let read: Duration = serde_json::from_value(serde_json::json!(text)).expect(text);
            assert_eq!(read.ms(), ms, "{text}");
        }
        let written = |ms| serde_json::to_string(&Duration::of_ms(ms)).expect("plain data");
        assert_eq!((written(10_000), written(100)), ("\"10s\"".to_owned(), "\"0.100s\"".to_owned()));
        assert!(serde_json::from_str::<Duration>("\"10\"").is_err());
    }

    #[test]
    fn masks_are_read_from_either_form() {
        let mask: FieldMask = serde_json::from_str("\"ackDeadlineSeconds,labels,push_config\"").expect("a mask");
        assert_eq!(mask.paths, ["ack_deadline_seconds", "labels", "push_config"]);
    }
}
