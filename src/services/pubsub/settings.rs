//! What can be said of topics and subscriptions. Source: comments of `google/pubsub/v1/pubsub.proto`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Error, TopicName, filter};

const DAY_S: i64 = 24 * 60 * 60;
/// How long messages are kept where nothing is said, at least, and at most.
const RETENTION_S: i64 = 7 * DAY_S;
const RETENTION_MIN_S: i64 = 10 * 60;
const RETENTION_MAX_S: i64 = 31 * DAY_S;
const ACK_DEADLINE_S: i64 = 10;
/// The longest that a message can be held at a time.
pub(super) const ACK_DEADLINE_MAX_S: i64 = 600;
const ATTEMPTS_MIN: u32 = 5;
const ATTEMPTS_MAX: u32 = 100;
const BACKOFF_MAX_MS: i64 = 600_000;
const LABELS_MAX: usize = 64;
const LABEL_CHARS_MAX: usize = 63;
const ENDPOINT_BYTES_MAX: usize = 2_048;

/// What can be said of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TopicSettings {
    pub labels: BTreeMap<String, String>,
    /// Seconds.
    pub retention_s: Option<i64>,
}

/// What an update of a topic can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TopicField {
    Labels,
    Retention,
}

impl TopicField {
    pub(super) fn copy(self, from: &TopicSettings, to: &mut TopicSettings) {
        match self {
            TopicField::Labels => to.labels.clone_from(&from.labels),
            TopicField::Retention => to.retention_s = from.retention_s,
        }
    }
}

impl TopicSettings {
    pub fn check(&self) -> Result<(), Error> {
        check_labels(&self.labels)?;
        self.retention_s.map_or(Ok(()), |seconds| within("message_retention_duration", seconds, RETENTION_MIN_S, RETENTION_MAX_S))
    }
}

/// What can be said of a subscription.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub labels: BTreeMap<String, String>,
    /// Seconds that whoever gets a message has to acknowledge it.
    pub ack_deadline_s: i64,
    /// Seconds that a message is kept.
    pub retention_s: i64,
    pub retain_acked: bool,
    /// Messages with the same ordering key are handed out one after another.
    pub ordering: bool,
    pub exactly_once: bool,
    /// Seconds without use after which it would be removed; `None`: never.
    pub expiration_s: Option<i64>,
    /// Which messages it gets, by their attributes; all where it is empty.
    pub filter: String,
    pub dead_letter: Option<DeadLetter>,
    pub retry: Option<Retry>,
    /// Messages are sent there; else they are asked for.
    pub push: Option<Push>,
    pub detached: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            labels: BTreeMap::new(),
            ack_deadline_s: ACK_DEADLINE_S,
            retention_s: RETENTION_S,
            retain_acked: false,
            ordering: false,
            exactly_once: false,
            expiration_s: Some(31 * DAY_S),
            filter: String::new(),
            dead_letter: None,
            retry: None,
            push: None,
            detached: false,
        }
    }
}

/// Where messages go that were handed out too often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    pub topic: String,
    /// How often a message is handed out at most.
    pub attempts_max: u32,
}

/// How long a message that was given back waits: from the one to the other, twice as long each time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    pub min_ms: i64,
    pub max_ms: i64,
}

/// Where messages are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    pub endpoint: String,
    pub attributes: BTreeMap<String, String>,
    pub identity: Option<Identity>,
    /// The data alone is the body; with this being true, the rest is in headers.
    pub unwrapped: Option<bool>,
}

/// Whom the sender of pushed messages says to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    pub email: String,
    pub audience: String,
}

/// What an update of a subscription can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    Labels,
    AckDeadline,
    Retention,
    RetainAcked,
    ExactlyOnce,
    Expiration,
    DeadLetter,
    Retry,
    Push,
}

impl Field {
    pub(super) fn copy(self, from: &Settings, to: &mut Settings) {
        match self {
            Field::Labels => to.labels.clone_from(&from.labels),
            Field::AckDeadline => to.ack_deadline_s = from.ack_deadline_s,
            Field::Retention => to.retention_s = from.retention_s,
            Field::RetainAcked => to.retain_acked = from.retain_acked,
            Field::ExactlyOnce => to.exactly_once = from.exactly_once,
            Field::Expiration => to.expiration_s = from.expiration_s,
            Field::DeadLetter => to.dead_letter.clone_from(&from.dead_letter),
            Field::Retry => to.retry.clone_from(&from.retry),
            Field::Push => to.push.clone_from(&from.push),
        }
    }
}

impl Settings {
    pub fn check(&self) -> Result<(), Error> {
        check_labels(&self.labels)?;
        within("ack_deadline_seconds", self.ack_deadline_s, ACK_DEADLINE_S, ACK_DEADLINE_MAX_S)?;
        within("message_retention_duration", self.retention_s, RETENTION_MIN_S, RETENTION_MAX_S)?;
        if let Some(seconds) = self.expiration_s {
            within("expiration_policy.ttl", seconds, DAY_S, i64::MAX)?;
        }
        if let Some(retry) = &self.retry {
            within("retry_policy.minimum_backoff", retry.min_ms, 0, BACKOFF_MAX_MS)?;
            within("retry_policy.maximum_backoff", retry.max_ms, retry.min_ms, BACKOFF_MAX_MS)?;
        }
        if let Some(dead) = &self.dead_letter {
            TopicName::parse(&dead.topic)?;
            within("max_delivery_attempts", i64::from(dead.attempts_max), i64::from(ATTEMPTS_MIN), i64::from(ATTEMPTS_MAX))?;
        }
        if let Some(push) = &self.push {
            let url = url::Url::parse(&push.endpoint).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
            if url.is_none() || push.endpoint.len() > ENDPOINT_BYTES_MAX {
                let shown: String = push.endpoint.chars().take(200).collect();
                return Err(Error::invalid(format!("Invalid push endpoint given (endpoint={shown}): it must be a URL of http or https.")));
            }
            check_labels(&push.attributes)?;
        }
        filter::Filter::parse(&self.filter).map(|_| ())
    }

    /// Milliseconds that a message waits which was handed out so often in vain.
    pub(super) fn backoff_ms(&self, attempts: u32) -> i64 {
        /// Where nothing is said a pushed message waits a little, so that an endpoint that is down is not hammered.
        const PUSHED: Retry = Retry { min_ms: 100, max_ms: 60_000 };
        let retry = match (&self.retry, &self.push) {
            (Some(retry), _) => retry,
            (None, Some(_)) => &PUSHED,
            (None, None) => return 0,
        };
        let doublings = attempts.saturating_sub(1).min(32);
        retry.min_ms.saturating_mul(1 << doublings).min(retry.max_ms)
    }
}

impl DeadLetter {
    /// Where nothing is said of how often.
    pub const ATTEMPTS: u32 = ATTEMPTS_MIN;
}

impl Retry {
    /// Where nothing is said of how long.
    pub const DEFAULT: Retry = Retry { min_ms: 10_000, max_ms: BACKOFF_MAX_MS };
}

fn within(what: &str, value: i64, min: i64, max: i64) -> Result<(), Error> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid(format!("Invalid {what} given ({value}): it must be between {min} and {max}.")))
}

fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), Error> {
    let long = |text: &String| text.chars().count() > LABEL_CHARS_MAX;
    if labels.len() > LABELS_MAX || labels.iter().any(|(key, value)| long(key) || long(value)) {
        return Err(Error::invalid(format!(
            "At most {LABELS_MAX} labels are possible, and {LABEL_CHARS_MAX} characters in each name and value."
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_name() {
        let check = |change: &dyn Fn(&mut Settings), wanted: &str| {
            let mut settings = Settings::default();
            change(&mut settings);
            match settings.check() {
                Ok(()) => assert_eq!(wanted, ""),
                Err(error) => assert!(!wanted.is_empty() && error.to_string().contains(wanted), "{error}"),
            }
        };
        let push = |endpoint: &str| Some(Push { endpoint: endpoint.into(), attributes: BTreeMap::new(), identity: None, unwrapped: None });
        let dead = |attempts_max| Some(DeadLetter { topic: "projects/p/topics/dead".into(), attempts_max });
        check(&|_| {}, "");
        check(&|s| s.ack_deadline_s = 9, "ack_deadline_seconds");
        check(&|s| s.ack_deadline_s = 601, "ack_deadline_seconds");
        check(&|s| s.retention_s = 599, "message_retention_duration");
        check(&|s| s.retry = Some(Retry { min_ms: 5, max_ms: 4 }), "maximum_backoff");
        check(&|s| s.dead_letter = dead(4), "max_delivery_attempts");
        check(&|s| s.dead_letter = dead(5), "");
        check(&|s| s.push = push("http://localhost:1/a"), "");
        check(&|s| s.push = push("file:///etc/passwd"), "push endpoint");
        check(&|s| s.filter = "attributes.a = ".into(), "filter");
        check(&|s| s.labels = (0..65).map(|n| (n.to_string(), String::new())).collect(), "labels");
    }

    #[test]
    fn who_fails_again_waits_longer() {
        let waits = |settings: &Settings| [1, 2, 3, 9, 99].map(|attempts| settings.backoff_ms(attempts));
        let retry = Settings { retry: Some(Retry { min_ms: 1_000, max_ms: 5_000 }), ..Settings::default() };
        assert_eq!(waits(&retry), [1_000, 2_000, 4_000, 5_000, 5_000]);
        assert_eq!(waits(&Settings::default()), [0; 5], "given back is there at once");
    }
}
