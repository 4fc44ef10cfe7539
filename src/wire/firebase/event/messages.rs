//! Published messages: `google.cloud.pubsub.topic.v1.messagePublished`, and `google.pubsub.topic.publish` of the first generation.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{About, Shaped, cloud_event};

/// The type of the second generation's event.
pub const KIND: &str = "google.cloud.pubsub.topic.v1.messagePublished";
/// The type of the first generation's.
pub const LEGACY: &str = "google.pubsub.topic.publish";
const SERVICE: &str = "pubsub.googleapis.com";
const MESSAGE: &str = "type.googleapis.com/google.pubsub.v1.PubsubMessage";

/// A message as the outbox has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Message {
    message_id: String,
    /// RFC 3339.
    publish_time: String,
    /// Base64.
    data: String,
    attributes: Map<String, Value>,
    ordering_key: String,
}

impl Message {
    /// Reads the body of a row. Fails where it is none.
    pub fn read(body: &str) -> Result<Message, serde_json::Error> {
        serde_json::from_str(body)
    }

    /// The event for a function of the second generation; `topic` is the full name, `function` makes the name of its subscription.
    pub fn cloud(&self, about: &About<'_>, topic: &str, function: &str) -> Shaped {
        let mut message = json!({
            "messageId": self.message_id,
            "message_id": self.message_id,
            "publishTime": self.publish_time,
            "publish_time": self.publish_time,
            "data": self.data,
            "attributes": self.attributes,
        });
        if !self.ordering_key.is_empty() {
            message["orderingKey"] = json!(self.ordering_key);
        }
        let subscription = format!("projects/{}/subscriptions/eventarc-{function}", about.project);
        let data = json!({ "message": message, "subscription": subscription });
        let mut event = cloud_event(about, KIND, format!("//{SERVICE}/{topic}"), data);
        event["datacontenttype"] = json!("application/json");
        Shaped::Cloud(event)
    }

    /// The event for a function of the first generation.
    pub fn legacy(&self, about: &About<'_>, topic: &str) -> Shaped {
        let at = if self.publish_time.is_empty() { about.at.iso() } else { self.publish_time.clone() };
        let id = if self.message_id.is_empty() { about.id } else { &self.message_id };
        let mut data = json!({ "@type": MESSAGE, "data": self.data, "attributes": self.attributes });
        if !self.ordering_key.is_empty() {
            data["orderingKey"] = json!(self.ordering_key);
        }
        let resource = json!({ "service": SERVICE, "name": topic, "type": MESSAGE });
        Shaped::Legacy { data, context: json!({ "eventId": id, "timestamp": at, "eventType": LEGACY, "resource": resource }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;

    #[test]
    fn a_message_is_told_of_in_both_forms() {
        let about = About { id: "e1", at: Time(1_000), project: "p" };
        let body = r#"{"messageId":"7","publishTime":"2026-01-01T00:00:00Z","data":"aGk=","attributes":{"a":"b"},"orderingKey":"k"}"#;
        let message = Message::read(body).expect("a message");
        let Shaped::Cloud(event) = message.cloud(&about, "projects/p/topics/t", "f") else { panic!("cloud") };
        assert_eq!(event["source"], "//pubsub.googleapis.com/projects/p/topics/t");
        assert_eq!(event["data"]["message"]["message_id"], "7");
        assert_eq!(event["data"]["message"]["orderingKey"], "k");
        assert_eq!(event["data"]["subscription"], "projects/p/subscriptions/eventarc-f");
        let Shaped::Legacy { data, context } = message.legacy(&about, "projects/p/topics/t") else { panic!("legacy") };
        assert_eq!((&data["data"], &data["attributes"]["a"]), (&json!("aGk="), &json!("b")));
        assert_eq!((&context["eventId"], &context["resource"]["name"]), (&json!("7"), &json!("projects/p/topics/t")));
    }
}
