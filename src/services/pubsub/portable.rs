//! Topics, subscriptions and what they have as text files. A message that somebody holds comes back when its time is over, for receipts
//! are left out.

use std::collections::BTreeMap;

use super::{Settings, SubscriptionName, TopicName, TopicSettings};
use crate::store::portable::{Collection, Column, json_of};

/// What this service has.
pub static COLLECTIONS: [Collection; 3] = [
    Collection {
        file: "pubsub/topics.jsonl",
        table: "pubsub_topics",
        order: "name",
        key: &["name"],
        columns: &[Column::word("name", topic), Column::json("settings", topic_settings), Column::int("created")],
    },
    Collection {
        file: "pubsub/subscriptions.jsonl",
        table: "pubsub_subscriptions",
        order: "name",
        key: &["name"],
        columns: &[
            Column::word("name", subscription),
            Column::word("topic", topic).or_null(),
            Column::json("settings", settings),
            Column::int("created"),
        ],
    },
    Collection {
        file: "pubsub/messages.jsonl",
        table: "pubsub_messages",
        order: "(SELECT name FROM pubsub_subscriptions WHERE pubsub_subscriptions.id = subscription), id",
        key: &["subscription", "id"],
        columns: &[
            Column::text("subscription")
                .read("(SELECT name FROM pubsub_subscriptions WHERE pubsub_subscriptions.id = subscription)")
                .write("subscription", "(SELECT id FROM pubsub_subscriptions WHERE name = ?)"),
            Column::text("id").read("message_id").write("message_id", "?"),
            Column::bytes("data"),
            Column::json("attributes", json_of::<BTreeMap<String, String>>),
            Column::text("orderingKey").read("ordering").write("ordering", "?").or_null(),
            Column::int("sent"),
            Column::int("due"),
            Column::count("attempts", 4_294_967_295),
            Column::text("trace"),
        ],
    },
];

fn topic(text: &str) -> Result<(), String> {
    TopicName::parse(text).map(|_| ()).map_err(|error| error.to_string())
}

fn subscription(text: &str) -> Result<(), String> {
    SubscriptionName::parse(text).map(|_| ()).map_err(|error| error.to_string())
}

fn topic_settings(text: &str) -> Result<(), String> {
    let settings: TopicSettings = serde_json::from_str(text).map_err(|error| error.to_string())?;
    settings.check().map_err(|error| error.to_string())
}

fn settings(text: &str) -> Result<(), String> {
    let settings: Settings = serde_json::from_str(text).map_err(|error| error.to_string())?;
    settings.check().map_err(|error| error.to_string())
}
