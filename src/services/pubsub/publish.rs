//! Publishing.

use super::{Error, Message, Publish, Pubsub, TopicName, event, filter::Filter, message, store, topic_in};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// Bytes that a message is billed as at least. Source: "Pub/Sub pricing".
const BILLED_BYTES_MIN: usize = 1_000;
/// Identifiers of messages have up to so many digits.
const ID_MAX: u64 = 10_000_000_000_000_000;

impl Pubsub {
    /// Publishes messages, all or none; answers their identifiers. Fails with `NoSuchTopic`, `Invalid`.
    pub async fn publish(&self, call: &Call, topic: &TopicName, messages: Vec<Publish>) -> Result<Vec<String>, Error> {
        message::check(&messages)?;
        let topic = topic.clone();
        self.db
            .write(call, move |tx| {
                topic_in(tx, &topic)?;
                messages.into_iter().map(|content| publish_in(tx, &topic, content)).collect()
            })
            .await
    }
}

/// Publishes one message to a topic that is there.
pub(super) fn publish_in(tx: &mut Tx<'_>, topic: &TopicName, content: Publish) -> Result<String, Error> {
    let mut number = [0; 8];
    tx.ids().fill(&mut number);
    let id = (u64::from_le_bytes(number) % ID_MAX).to_string();
    let message = Message { id, at: tx.now(), content, trace: tx.call().trace.clone() };
    let billed = message.content.bytes().max(BILLED_BYTES_MIN) as u64;
    tx.count(Unit::TopicBytes, billed);
    for subscription in store::of_topic(tx, topic)? {
        let settings = &subscription.subscription.settings;
        // What is stored was read before.
        if settings.detached || !Filter::parse(&settings.filter)?.passes(&message.content.attributes) {
            continue;
        }
        store::insert_message(tx, &subscription, &message)?;
        // Its way out is billed with its way in: whoever takes it may do so on a stream that never ends.
        tx.count(Unit::TopicBytes, billed);
        tx.wake(&Pubsub::wake_key(&subscription.subscription.name));
    }
    event::tell(tx, topic, &message)?;
    Ok(message.id)
}
