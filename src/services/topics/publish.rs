//! Publishing.

use sha2::{Digest, Sha256};

use super::message::{MESSAGE_BYTES_MAX, Publish, Published};
use super::{Delivery, Entry, Error, Event, SOURCE, Subscription, Topic, Topics, filter, store};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// Within this time a repeated deduplication identifier is the same message. Source: "Message deduplication for FIFO topics".
const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;
/// Bytes that are billed as one publish.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of the smallest message that services which bill by the byte know. Source: "Pub/Sub pricing", minimum 1,000 bytes.
const BILLED_BYTES_MIN: usize = 1000;
const ENTRIES_MAX: usize = 10;
/// Subscriptions that one publish looks at. Source: "Amazon SNS endpoints and quotas" has 12.5 million; more than memory should hold here.
const SUBSCRIPTIONS_MAX: usize = 100_000;

impl Topics {
    /// Publishes one message. Fails with `NoSuchTopic`, `Empty`, `TooLong`, `Invalid`.
    pub async fn publish(&self, call: &Call, topic: &str, publish: Publish) -> Result<Published, Error> {
        let topic = topic.to_owned();
        self.db
            .write(call, move |tx| {
                let published = publish_in(tx, &topic, &publish)?;
                tx.count(Unit::TopicPublishes, chunks(publish.bytes()));
                Ok(published)
            })
            .await
    }

    /// Publishes up to ten messages; each fails or not by itself. Together they are billed as one publish, by their bytes.
    pub async fn publish_batch(
        &self,
        call: &Call,
        topic: &str,
        entries: Vec<Entry>,
    ) -> Result<Vec<(String, Result<Published, Error>)>, Error> {
        check_entries(&entries)?;
        let topic = topic.to_owned();
        self.db
            .write(call, move |tx| {
                store::get(tx, &topic)?;
                tx.count(Unit::TopicPublishes, chunks(entries.iter().map(|entry| entry.publish.bytes()).sum()));
                let mut outcomes = Vec::with_capacity(entries.len());
                for entry in entries {
                    match publish_in(tx, &topic, &entry.publish) {
                        Err(Error::Store(error)) => return Err(error.into()),
                        outcome => outcomes.push((entry.id, outcome)),
                    }
                }
                Ok(outcomes)
            })
            .await
    }
}

/// How many publishes a message of so many bytes is billed as.
fn chunks(bytes: usize) -> u64 {
    bytes.div_ceil(CHUNK_BYTES).max(1) as u64
}

/// Publishes a message in somebody's transaction; the request itself is billed by whoever makes it.
pub fn publish_in(tx: &mut Tx<'_>, topic: &str, publish: &Publish) -> Result<Published, Error> {
    let topic = store::get(tx, topic)?;
    publish.check()?;
    let texts = publish.texts()?;
    let deduplication = deduplication(&topic, publish)?;
    if let Some(key) = &deduplication
        && let Some(earlier) = store::duplicate(tx, &topic.name, key, tx.now().plus_ms(-DEDUPLICATION_MS))?
    {
        return Ok(earlier);
    }
    let mut published = Published { message_id: tx.ids().uuid(), sequence: None };
    if let Some(key) = &deduplication {
        published.sequence = Some(store::next_sequence(tx, &topic.name)?);
        store::remember(tx, &topic.name, key, &published)?;
    }
    let bytes = publish.bytes().max(BILLED_BYTES_MIN) as u64;
    tx.count(Unit::TopicBytes, bytes);
    if !tx.listens(SOURCE, &topic.name) {
        return Ok(published);
    }
    let deliveries: Vec<Delivery> = store::subscriptions(tx, Some(&topic.name), "", SUBSCRIPTIONS_MAX)?
        .into_iter()
        .filter(|subscription| subscription.token.is_none() && wants(subscription, publish))
        .map(delivery)
        .collect();
    for delivery in &deliveries {
        tx.count(Unit::TopicBytes, bytes);
        match delivery.protocol.as_str() {
            "http" | "https" => tx.count(Unit::TopicHttpDeliveries, chunks(publish.bytes())),
            "email" | "email-json" => tx.count(Unit::TopicMailDeliveries, 1),
            _ => {}
        }
    }
    let event = Event {
        topic: topic.name.clone(),
        message_id: published.message_id.clone(),
        subject: publish.subject.clone(),
        texts,
        attributes: publish.attributes.clone(),
        group: publish.group.clone(),
        deduplication,
        sequence: published.sequence,
        at: tx.now(),
        deliveries,
    };
    let body = serde_json::to_string(&event).expect("an event is plain data");
    tx.emit(&crate::store::Event { source: SOURCE, resource: topic.name, body })?;
    Ok(published)
}

/// FIFO topics: the identifier by which repeated publishes are told.
fn deduplication(topic: &Topic, publish: &Publish) -> Result<Option<String>, Error> {
    if !topic.fifo() {
        return match &publish.deduplication {
            None => Ok(None),
            Some(_) => Err(Error::invalid(
                "MessageDeduplicationId",
                "Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type",
            )),
        };
    }
    if publish.group.as_deref().is_none_or(str::is_empty) {
        return Err(Error::invalid("MessageGroupId", "Reason: The MessageGroupId parameter is required for FIFO topics"));
    }
    match &publish.deduplication {
        Some(given) => Ok(Some(given.clone())),
        None if topic.content_deduplication() => Ok(Some(hex::encode(Sha256::digest(publish.message.as_bytes())))),
        None => {
            let reason =
                "Reason: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
            Err(Error::invalid("MessageDeduplicationId", reason))
        }
    }
}

fn wants(subscription: &Subscription, publish: &Publish) -> bool {
    let Some(policy) = subscription.attributes.get("FilterPolicy") else { return true };
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(policy) else { return false };
    if subscription.attributes.get("FilterPolicyScope").is_some_and(|scope| scope == "MessageBody") {
        filter::matches_body(&policy, &publish.message)
    } else {
        filter::matches_attributes(&policy, &publish.attributes)
    }
}

fn delivery(subscription: Subscription) -> Delivery {
    let redrive = subscription.attributes.get("RedrivePolicy").and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    Delivery {
        raw: subscription.attributes.get("RawMessageDelivery").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        dead_letters: redrive.and_then(|policy| Some(policy.get("deadLetterTargetArn")?.as_str()?.to_owned())),
        subscription: subscription.id,
        protocol: subscription.protocol,
        endpoint: subscription.endpoint,
    }
}

/// Source: "PublishBatch", errors.
fn check_entries(entries: &[Entry]) -> Result<(), Error> {
    if entries.is_empty() {
        return Err(Error::BatchEmpty);
    }
    if entries.len() > ENTRIES_MAX {
        return Err(Error::BatchTooMany(entries.len()));
    }
    let good = |id: &str| (1..=80).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if let Some(bad) = entries.iter().find(|entry| !good(&entry.id)) {
        return Err(Error::EntryId(bad.id.clone()));
    }
    if entries.iter().enumerate().any(|(i, entry)| entries[..i].iter().any(|earlier| earlier.id == entry.id)) {
        return Err(Error::EntryRepeated);
    }
    let bytes = entries.iter().map(|entry| entry.publish.bytes()).sum();
    if bytes > MESSAGE_BYTES_MAX { Err(Error::BatchTooLong(bytes)) } else { Ok(()) }
}
