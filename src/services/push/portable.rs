//! Pushes as text files.

use super::model::{DeviceState, Platform, Push};
use crate::store::portable::{Collection, Column, json_of};

/// What this service has.
pub static COLLECTIONS: [Collection; 3] = [
    Collection {
        file: "push/messages.jsonl",
        table: "push_messages",
        order: "number",
        key: &["id"],
        columns: &[Column::text("id"), Column::int("at"), Column::json("push", json_of::<Push>).read("body").write("body", "?")],
    },
    Collection {
        file: "push/devices.jsonl",
        table: "push_devices",
        order: "token",
        key: &["token"],
        columns: &[Column::text("token"), Column::word("state", state), Column::word("platform", platform).or_null(), Column::int("at")],
    },
    Collection {
        file: "push/subscriptions.jsonl",
        table: "push_subscriptions",
        order: "topic, token",
        key: &["topic", "token"],
        columns: &[Column::text("topic"), Column::text("token"), Column::int("at")],
    },
];

fn state(name: &str) -> Result<(), String> {
    name.parse::<DeviceState>().map(|_| ())
}

fn platform(name: &str) -> Result<(), String> {
    name.parse::<Platform>().map(|_| ())
}
