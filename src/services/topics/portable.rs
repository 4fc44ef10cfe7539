//! Topics as text files. What was published within the last minutes, to know repetitions by, is left out.

use std::collections::BTreeMap;

use crate::store::portable::{Collection, Column, json_of};

type Texts = BTreeMap<String, String>;

/// What this service has.
pub static COLLECTIONS: [Collection; 2] = [
    Collection {
        file: "topics/topics.jsonl",
        table: "topics",
        order: "name",
        key: &["name"],
        columns: &[
            Column::text("name"),
            Column::json("attributes", json_of::<Texts>),
            Column::json("tags", json_of::<Texts>),
            Column::int("created"),
            Column::int("sequence"),
        ],
    },
    Collection {
        file: "topics/subscriptions.jsonl",
        table: "topic_subscriptions",
        order: "topic, protocol, endpoint",
        key: &["topic", "protocol", "endpoint"],
        columns: &[
            // The topic must be there.
            Column::text("topic").write("topic", "(SELECT name FROM topics WHERE name = ?)"),
            Column::text("protocol"),
            Column::text("endpoint"),
            Column::text("id"),
            Column::json("attributes", json_of::<Texts>),
            Column::text("token").or_null(),
        ],
    },
];
