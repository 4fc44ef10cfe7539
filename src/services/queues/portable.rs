//! Queues as text files. A message that somebody holds comes back when its time is over, for receipts are left out; so are what FIFO
//! queues remember for five minutes to know repetitions by, and the moves out of dead-letter queues.

use std::collections::BTreeMap;

use super::settings::Settings;
use crate::base::Cause;
use crate::base::message::Attribute;
use crate::store::portable::{Collection, Column, json_of};

/// What this service has.
pub static COLLECTIONS: [Collection; 2] = [
    Collection {
        file: "queues/queues.jsonl",
        table: "queues",
        order: "name",
        key: &["name"],
        columns: &[
            Column::text("name"),
            Column::json("settings", settings),
            Column::json("tags", json_of::<BTreeMap<String, String>>),
            Column::int("created"),
            Column::int("changed"),
            Column::int("purged"),
        ],
    },
    Collection {
        file: "queues/messages.jsonl",
        table: "queue_messages",
        order: "(SELECT name FROM queues WHERE queues.id = queue), id",
        key: &["queue", "id"],
        columns: &[
            Column::text("queue")
                .read("(SELECT name FROM queues WHERE queues.id = queue)")
                .write("queue", "(SELECT id FROM queues WHERE name = ?)"),
            Column::text("id").read("message_id").write("message_id", "?"),
            Column::text("body"),
            Column::json("attributes", json_of::<BTreeMap<String, Attribute>>).or_null(),
            Column::int("sent"),
            Column::int("due"),
            Column::count("receives", 4_294_967_295).read("attempts").write("attempts", "?"),
            Column::int("received").or_null(),
            Column::int("firstReceived").read("first_received").write("first_received", "?").or_null(),
            Column::text("group").read("grouping").write("grouping", "?").or_null(),
            Column::text("deduplication").or_null(),
            Column::text("deadFrom").read("dead_from").write("dead_from", "?").or_null(),
            Column::text("sender").or_null(),
            Column::text("trace"),
            Column::json("cause", json_of::<Cause>),
            Column::count("depth", 65_535),
            Column::json("traceHeader", json_of::<Attribute>).read("trace_header").write("trace_header", "?").or_null(),
        ],
    },
];

fn settings(text: &str) -> Result<(), String> {
    let settings: Settings = serde_json::from_str(text).map_err(|error| error.to_string())?;
    settings.check().map_err(|error| error.to_string())
}
