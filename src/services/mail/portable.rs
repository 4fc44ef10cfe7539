//! Mails as text files.

use super::{Message, Template};
use crate::store::portable::{Collection, Column, json_of};

/// What this service has. Only the raw form of a mail that was sent raw is more than its line shows.
pub static COLLECTIONS: [Collection; 3] = [
    Collection {
        file: "mail/messages.jsonl",
        table: "mail_messages",
        order: "number",
        key: &["id"],
        columns: &[
            Column::text("id"),
            Column::int("at"),
            Column::count("recipients", 1_000_000),
            Column::json("mail", json_of::<Message>).read("body").write("body", "?"),
            Column::bytes("raw").or_null(),
        ],
    },
    Collection {
        file: "mail/templates.jsonl",
        table: "mail_templates",
        order: "name",
        key: &["name"],
        columns: &[Column::text("name"), Column::json("template", json_of::<Template>).read("body").write("body", "?")],
    },
    Collection {
        file: "mail/identities.jsonl",
        table: "mail_identities",
        order: "identity",
        key: &["identity"],
        columns: &[Column::text("identity"), Column::int("at")],
    },
];
