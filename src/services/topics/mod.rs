//! Topics: what is published to one goes to everybody who subscribed and whose filter lets it through. The SNS model.
//! A publish emits one [`Event`] with the message and the subscriptions it matched; delivering it is not done here.
//!
//! Kept but not enforced: access policies, encryption, delivery policies. Mail and HTTP subscriptions wait for their confirmation.

pub mod filter;
mod message;
pub mod portable;
mod publish;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::base::{Call, Time};
use crate::store::{Db, Tx};

pub use message::{Delivery, Event, Publish, Published};
pub use store::SCHEMA;

/// The name under which this service's events are emitted.
pub const SOURCE: &str = "topics";

/// The topics of a World. Cheap to clone.
#[derive(Clone)]
pub struct Topics {
    db: Db,
}

/// A topic. Attributes have the names of the SNS API ("SetTopicAttributes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: String,
    pub attributes: BTreeMap<String, String>,
    pub tags: BTreeMap<String, String>,
    pub created: Time,
}

impl Topic {
    /// Whether messages keep their order within a group and are published once.
    pub fn fifo(&self) -> bool {
        self.name.ends_with(".fifo")
    }

    fn content_deduplication(&self) -> bool {
        self.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true")
    }
}

/// A topic and how many subscriptions it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    pub topic: Topic,
    pub confirmed: u64,
    pub pending: u64,
}

/// One who gets what is published. Attributes have the names of the SNS API ("SetSubscriptionAttributes").
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub topic: String,
    /// `sqs`, `lambda`, `email`, …
    pub protocol: String,
    /// A queue's or function's long name, an address …
    pub endpoint: String,
    pub attributes: BTreeMap<String, String>,
    /// What confirms it; `None` once confirmed.
    pub token: Option<String>,
}

/// A page of a list, and whether there are more after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub more: bool,
}

/// One of several messages published at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub id: String,
    pub publish: Publish,
}

/// What can be wrong with a request to a topic. Parameters have the names of the SNS API.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the topic `{0}` does not exist")]
    NoSuchTopic(String),
    #[error("the subscription `{0}` does not exist")]
    NoSuchSubscription(String),
    #[error("the topic `{0}` already exists with other attributes")]
    TopicExists(String),
    #[error("the topic `{0}` already exists with other tags")]
    TopicTags(String),
    #[error("`{0}` cannot be the name of a topic")]
    TopicName(String),
    /// Parameter or attribute, and what is wrong with it.
    #[error("{parameter} is not valid: {reason}")]
    Invalid { parameter: String, reason: String },
    #[error("the message is empty")]
    Empty,
    #[error("the message is longer than {0} bytes")]
    TooLong(usize),
    #[error("the batch has {0} bytes")]
    BatchTooLong(usize),
    #[error("the batch is empty")]
    BatchEmpty,
    #[error("the batch has {0} entries, more than 10")]
    BatchTooMany(usize),
    #[error("`{0}` cannot be the identifier of an entry")]
    EntryId(String),
    #[error("entries of the batch have the same identifier")]
    EntryRepeated,
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

impl Error {
    fn invalid(parameter: &str, reason: impl Into<String>) -> Error {
        Error::Invalid { parameter: parameter.to_owned(), reason: reason.into() }
    }
}

/// Things of one page. Source: "ListTopics".
const PAGE_ITEMS: usize = 100;

/// Attributes that can be set on a topic.
const TOPIC_ATTRIBUTES: [&str; 14] = [
    "DisplayName",
    "Policy",
    "DeliveryPolicy",
    "FifoTopic",
    "ContentBasedDeduplication",
    "FifoThroughputScope",
    "KmsMasterKeyId",
    "TracingConfig",
    "SignatureVersion",
    "ArchivePolicy",
    "DataProtectionPolicy",
    "SQSSuccessFeedbackSampleRate",
    "SQSFailureFeedbackRoleArn",
    "SQSSuccessFeedbackRoleArn",
];

const PROTOCOLS: [&str; 9] = ["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

impl Topics {
    /// The topics kept in `db`, which must know [`SCHEMA`].
    pub fn new(db: Db) -> Topics {
        Topics { db }
    }

    /// Makes a topic, or finds the one of that name. Fails with `TopicName`, `TopicExists`, `TopicTags`, `Invalid`.
    pub async fn create(
        &self,
        call: &Call,
        name: &str,
        attributes: &BTreeMap<String, String>,
        tags: &BTreeMap<String, String>,
    ) -> Result<Topic, Error> {
        check_topic(name, attributes)?;
        let (name, attributes, tags) = (name.to_owned(), attributes.clone(), tags.clone());
        self.db
            .write(call, move |tx| match store::find(tx, &name)? {
                None => insert_in(tx, Topic { name, attributes, tags, created: tx.now() }),
                Some(found) if !tags.is_empty() && found.tags != tags => Err(Error::TopicTags(name)),
                Some(found) if attributes.iter().any(|(key, value)| found.attributes.get(key) != Some(value)) => {
                    Err(Error::TopicExists(name))
                }
                Some(found) => Ok(found),
            })
            .await
    }

    /// Brings a topic and its subscriptions (protocol, endpoint, attributes) to what a project file says. `properties` are those of
    /// `AWS::SNS::Topic`. Other subscriptions of the topic stay.
    pub async fn ensure(
        &self,
        call: &Call,
        name: &str,
        properties: &serde_json::Value,
        subscriptions: &[(String, String, serde_json::Value)],
    ) -> Result<Topic, Error> {
        let (attributes, tags) = of_properties(properties);
        check_topic(name, &attributes)?;
        let wanted: Vec<(String, String, BTreeMap<String, String>)> = subscriptions
            .iter()
            .map(|(protocol, endpoint, attributes)| {
                let (mut attributes, _) = of_properties(attributes);
                attributes.retain(|key, _| SUBSCRIPTION_ATTRIBUTES.contains(&key.as_str()));
                check_subscription(name, protocol, endpoint, &attributes)?;
                Ok((protocol.clone(), endpoint.clone(), attributes))
            })
            .collect::<Result<_, Error>>()?;
        let name = name.to_owned();
        self.db
            .write(call, move |tx| {
                let topic = match store::find(tx, &name)? {
                    None => insert_in(tx, Topic { name: name.clone(), attributes, tags, created: tx.now() })?,
                    Some(mut found) => {
                        if found.attributes != attributes || found.tags != tags {
                            (found.attributes, found.tags) = (attributes, tags);
                            store::update(tx, &found)?;
                        }
                        found
                    }
                };
                for (protocol, endpoint, attributes) in wanted {
                    match store::same(tx, &name, &protocol, &endpoint)? {
                        None => {
                            let id = tx.ids().uuid();
                            store::insert_subscription(
                                tx,
                                &Subscription { id, topic: name.clone(), protocol, endpoint, attributes, token: None },
                            )?;
                        }
                        Some(found) if found.attributes == attributes => {}
                        Some(found) => store::update_subscription(tx, &Subscription { attributes, ..found })?,
                    }
                }
                Ok(topic)
            })
            .await
    }

    /// A topic and how many subscriptions it has.
    pub async fn describe(&self, call: &Call, name: &str) -> Result<Description, Error> {
        self.db
            .read(call, |tx| {
                let topic = store::get(tx, name)?;
                let (confirmed, pending) = store::counts(tx, name)?;
                Ok(Description { topic, confirmed, pending })
            })
            .await
    }

    /// Names after `after`, in alphabetical order; up to 100.
    pub async fn list(&self, call: &Call, after: &str) -> Result<Page<String>, Error> {
        let names = self.db.read(call, |tx| store::names(tx, after, PAGE_ITEMS + 1)).await?;
        Ok(cut(names))
    }

    /// Removes a topic and its subscriptions; a topic that is not there is as good as removed.
    pub async fn delete(&self, call: &Call, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.db.write(call, move |tx| store::remove(tx, &name)).await
    }

    /// Sets one attribute of a topic.
    pub async fn set(&self, call: &Call, name: &str, attribute: &str, value: &str) -> Result<(), Error> {
        let (attribute, value) = (attribute.to_owned(), value.to_owned());
        self.change(call, name, move |topic| {
            if attribute == "FifoTopic" {
                return Err(Error::invalid("AttributeName", ""));
            }
            topic.attributes.insert(attribute, value);
            check_topic(&topic.name, &topic.attributes)
        })
        .await
    }

    /// Adds or changes tags.
    pub async fn tag(&self, call: &Call, name: &str, tags: &BTreeMap<String, String>) -> Result<(), Error> {
        let tags = tags.clone();
        self.change(call, name, move |topic| {
            topic.tags.extend(tags);
            Ok(())
        })
        .await
    }

    /// Removes tags.
    pub async fn untag(&self, call: &Call, name: &str, keys: &[String]) -> Result<(), Error> {
        let keys = keys.to_vec();
        self.change(call, name, move |topic| {
            topic.tags.retain(|key, _| !keys.contains(key));
            Ok(())
        })
        .await
    }

    /// Subscribes an endpoint, or finds the subscription that it has. Queues and functions are confirmed at once.
    /// Fails with `NoSuchTopic`, `Invalid`.
    pub async fn subscribe(
        &self,
        call: &Call,
        topic: &str,
        protocol: &str,
        endpoint: &str,
        attributes: &BTreeMap<String, String>,
    ) -> Result<Subscription, Error> {
        check_subscription(topic, protocol, endpoint, attributes)?;
        let (topic, protocol, endpoint, attributes) = (topic.to_owned(), protocol.to_owned(), endpoint.to_owned(), attributes.clone());
        self.db
            .write(call, move |tx| {
                store::get(tx, &topic)?;
                if let Some(found) = store::same(tx, &topic, &protocol, &endpoint)? {
                    let differs = attributes.iter().any(|(key, value)| found.attributes.get(key) != Some(value));
                    let reason = "Subscription already exists with different attributes";
                    return if differs { Err(Error::invalid("Attributes", reason)) } else { Ok(found) };
                }
                let waits = ["http", "https", "email", "email-json"].contains(&protocol.as_str());
                let token = waits.then(|| tx.ids().hex(128));
                let subscription = Subscription { id: tx.ids().uuid(), topic, protocol, endpoint, attributes, token };
                store::insert_subscription(tx, &subscription)?;
                Ok(subscription)
            })
            .await
    }

    /// Confirms the subscription that waits for `token`.
    pub async fn confirm(&self, call: &Call, topic: &str, token: &str) -> Result<Subscription, Error> {
        let (topic, token) = (topic.to_owned(), token.to_owned());
        self.db
            .write(call, move |tx| {
                store::get(tx, &topic)?;
                let Some(found) = store::waiting(tx, &topic, &token)? else { return Err(Error::invalid("Token", "")) };
                let confirmed = Subscription { token: None, ..found };
                store::update_subscription(tx, &confirmed)?;
                Ok(confirmed)
            })
            .await
    }

    /// Ends a subscription; one that is not there has ended.
    pub async fn unsubscribe(&self, call: &Call, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        self.db.write(call, move |tx| store::remove_subscription(tx, &id)).await
    }

    /// A subscription.
    pub async fn subscription(&self, call: &Call, id: &str) -> Result<Subscription, Error> {
        self.db.read(call, |tx| store::get_subscription(tx, id)).await
    }

    /// Subscriptions of a topic, or of all, after the identifier `after`; up to 100.
    pub async fn subscriptions(&self, call: &Call, topic: Option<&str>, after: &str) -> Result<Page<Subscription>, Error> {
        let found = self
            .db
            .read(call, |tx| {
                if let Some(topic) = topic {
                    store::get(tx, topic)?;
                }
                store::subscriptions(tx, topic, after, PAGE_ITEMS + 1)
            })
            .await?;
        Ok(cut(found))
    }

    /// Sets one attribute of a subscription.
    pub async fn set_subscription(&self, call: &Call, id: &str, attribute: &str, value: &str) -> Result<(), Error> {
        let (id, attribute, value) = (id.to_owned(), attribute.to_owned(), value.to_owned());
        self.db
            .write(call, move |tx| {
                let mut found = store::get_subscription(tx, &id)?;
                if value.is_empty() {
                    found.attributes.remove(&attribute);
                } else {
                    found.attributes.insert(attribute, value);
                }
                check_subscription(&found.topic, &found.protocol, &found.endpoint, &found.attributes)?;
                store::update_subscription(tx, &found)
            })
            .await
    }

    async fn change(
        &self,
        call: &Call,
        name: &str,
        change: impl FnOnce(&mut Topic) -> Result<(), Error> + Send + 'static,
    ) -> Result<(), Error> {
        let name = name.to_owned();
        self.db
            .write(call, move |tx| {
                let mut topic = store::get(tx, &name)?;
                change(&mut topic)?;
                store::update(tx, &topic)
            })
            .await
    }
}

fn insert_in(tx: &mut Tx<'_>, topic: Topic) -> Result<Topic, Error> {
    store::insert(tx, &topic)?;
    Ok(topic)
}

fn cut<T>(mut items: Vec<T>) -> Page<T> {
    let more = items.len() > PAGE_ITEMS;
    items.truncate(PAGE_ITEMS);
    Page { items, more }
}

/// Source: "CreateTopic".
fn check_topic(name: &str, attributes: &BTreeMap<String, String>) -> Result<(), Error> {
    let fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
    let stem = if fifo { name.strip_suffix(".fifo").ok_or_else(|| Error::TopicName(name.to_owned()))? } else { name };
    let good = !stem.is_empty() && name.len() <= 256 && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !good {
        return Err(Error::TopicName(name.to_owned()));
    }
    for (key, value) in attributes {
        if !TOPIC_ATTRIBUTES.contains(&key.as_str()) && !key.contains("Feedback") {
            return Err(Error::invalid("AttributeName", ""));
        }
        if ["FifoTopic", "ContentBasedDeduplication"].contains(&key.as_str()) && !["true", "false"].contains(&value.as_str()) {
            return Err(Error::invalid("Attributes", format!("Reason: {key}: Invalid value [{value}]. Must be true or false.")));
        }
        if key == "ContentBasedDeduplication" && !fifo {
            return Err(Error::invalid("Attributes", "Reason: Content-based deduplication can only be set for FIFO topics"));
        }
    }
    Ok(())
}

/// Attributes that can be set on a subscription.
const SUBSCRIPTION_ATTRIBUTES: [&str; 7] =
    ["DeliveryPolicy", "FilterPolicy", "FilterPolicyScope", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn", "ReplayPolicy"];

/// Source: "Subscribe", "SetSubscriptionAttributes".
fn check_subscription(topic: &str, protocol: &str, endpoint: &str, attributes: &BTreeMap<String, String>) -> Result<(), Error> {
    if !PROTOCOLS.contains(&protocol) {
        return Err(Error::invalid("Protocol", format!("Amazon SNS does not support this protocol string: {protocol}")));
    }
    if endpoint.is_empty() {
        return Err(Error::invalid("Endpoint", "Reason: Endpoint must not be empty"));
    }
    if protocol == "sqs" && endpoint.ends_with(".fifo") && !topic.ends_with(".fifo") {
        return Err(Error::invalid("Endpoint", "Reason: FIFO SQS Queues can not be subscribed to standard SNS topics"));
    }
    for (key, value) in attributes {
        match key.as_str() {
            "RawMessageDelivery" if !["true", "false"].contains(&value.to_ascii_lowercase().as_str()) => {
                return Err(Error::invalid(
                    "Attributes",
                    format!("Reason: RawMessageDelivery: Invalid value [{value}]. Must be true or false."),
                ));
            }
            "FilterPolicyScope" if !["MessageAttributes", "MessageBody"].contains(&value.as_str()) => {
                return Err(Error::invalid(
                    "Attributes",
                    format!("Reason: FilterPolicyScope: Invalid value [{value}]. Please use either MessageBody or MessageAttributes"),
                ));
            }
            "FilterPolicy" => filter::check(value).map_err(|reason| Error::invalid("FilterPolicy", reason))?,
            "RedrivePolicy" if serde_json::from_str::<serde_json::Value>(value).is_ok_and(|v| v["deadLetterTargetArn"].is_string()) => {}
            "RedrivePolicy" => return Err(Error::invalid("RedrivePolicy", "must be a JSON object with deadLetterTargetArn")),
            other if SUBSCRIPTION_ATTRIBUTES.contains(&other) => {}
            _ => return Err(Error::invalid("AttributeName", "")),
        }
    }
    Ok(())
}

/// What a project file says, in text form: attributes and tags.
fn of_properties(properties: &serde_json::Value) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let (mut attributes, mut tags) = (BTreeMap::new(), BTreeMap::new());
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    for (name, value) in properties.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("TopicName" | "Subscription", _) | (_, serde_json::Value::Null) => {}
            ("Tags", serde_json::Value::Array(list)) => {
                let pair = |tag: &serde_json::Value| Some((tag.get("Key")?.as_str()?.to_owned(), text(tag.get("Value")?)));
                tags.extend(list.iter().filter_map(pair));
            }
            (_, value) => {
                attributes.insert(name.clone(), text(value));
            }
        }
    }
    (attributes, tags)
}
