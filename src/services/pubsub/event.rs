//! What is told of messages to those who wait for them: functions.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::{Error, Message, TopicName};
use crate::store::{Event, Tx};

/// The source of the events of this service; the resource is the topic's full name.
pub const SOURCE: &str = "pubsub";

/// Tells of a message, in the typed form of the API.
pub(super) fn tell(tx: &mut Tx<'_>, topic: &TopicName, message: &Message) -> Result<(), Error> {
    if !tx.listens(SOURCE, topic.as_str()) {
        return Ok(());
    }
    let content = &message.content;
    let body = json!({
        "messageId": message.id,
        "publishTime": message.at.iso(),
        "data": STANDARD.encode(&content.data),
        "attributes": content.attributes,
        "orderingKey": content.ordering.as_deref().unwrap_or_default(),
    });
    tx.emit(&Event { source: SOURCE, resource: topic.as_str().to_owned(), body: body.to_string() })?;
    Ok(())
}
