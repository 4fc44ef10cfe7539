//! The parts of a state that can be reset by themselves.

use std::str::FromStr;

use crate::base::Unit;
use crate::services::{auth, documents, mail, objects, pubsub, push, queues, schedules, tables, topics};
use crate::store::{Db, Schema};
use crate::triggers;

/// A part of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    Auth,
    Documents,
    Mail,
    Objects,
    Pubsub,
    Push,
    Queues,
    Schedules,
    Tables,
    Topics,
    /// Events and deliveries that wait, and dead letters.
    Deliveries,
}

impl Part {
    /// Every part with its name, and the provider's names for it.
    const NAMES: [(Part, &'static [&'static str]); 11] = [
        (Part::Tables, &["tables", "dynamodb"]),
        (Part::Documents, &["documents", "firestore"]),
        (Part::Objects, &["objects", "s3"]),
        (Part::Queues, &["queues", "sqs"]),
        (Part::Topics, &["topics", "sns"]),
        (Part::Pubsub, &["pubsub"]),
        (Part::Mail, &["mail", "ses"]),
        (Part::Push, &["push", "fcm"]),
        (Part::Auth, &["auth", "users"]),
        (Part::Schedules, &["schedules"]),
        (Part::Deliveries, &["deliveries"]),
    ];

    /// The tables of one part, or of all there is.
    pub(super) fn schemas(part: Option<Part>) -> Vec<&'static Schema> {
        let [outbox, clock, stocks] = Db::own_schemas();
        match part {
            Some(Part::Auth) => vec![&auth::SCHEMA],
            Some(Part::Documents) => vec![&documents::SCHEMA],
            Some(Part::Mail) => vec![&mail::SCHEMA],
            Some(Part::Objects) => vec![&objects::SCHEMA],
            Some(Part::Pubsub) => vec![&pubsub::SCHEMA],
            Some(Part::Push) => vec![&push::SCHEMA],
            Some(Part::Queues) => vec![&queues::SCHEMA],
            Some(Part::Schedules) => vec![&schedules::SCHEMA],
            Some(Part::Tables) => vec![&tables::SCHEMA],
            Some(Part::Topics) => vec![&topics::SCHEMA],
            Some(Part::Deliveries) => vec![outbox, &triggers::SCHEMA],
            None => crate::services::SCHEMAS.into_iter().chain([outbox, clock, stocks, &triggers::SCHEMA]).collect(),
        }
    }
}

impl Part {
    /// What of it is billed by the month.
    pub(super) fn stock(self) -> Option<Unit> {
        match self {
            Part::Tables => Some(Unit::TableBytesStored),
            Part::Objects => Some(Unit::ObjectBytesStored),
            Part::Schedules => Some(Unit::Schedules),
            Part::Auth | Part::Documents | Part::Mail | Part::Pubsub | Part::Push | Part::Queues | Part::Topics | Part::Deliveries => None,
        }
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Part, String> {
        let known = Part::NAMES.iter().find(|(_, names)| names.contains(&text));
        known.map(|(part, _)| *part).ok_or_else(|| {
            let names: Vec<&str> = Part::NAMES.iter().map(|(_, names)| names[0]).collect();
            format!("there is no service `{text}`; there are: {}", names.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_tables_of_all_parts_are_all_tables() {
        let folder = tempfile::tempdir().expect("a folder");
        let (clock, ids) = (crate::base::Clock::system(), crate::base::Ids::seeded(1));
        let world = crate::app::world::World::open(folder.path(), clock, ids, true).await.expect("a world");
        let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'schema_versions'";
        let call = crate::base::Call::operator();
        let look = world.db.read(&call, |tx| tx.rows(sql, [], |row| row.get::<_, String>(0)));
        let mut there: Vec<String> = look.await.expect("the tables");
        let mut known: Vec<String> = Part::schemas(None).into_iter().flat_map(crate::store::tables_of).map(str::to_owned).collect();
        there.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, there);
    }

    #[test]
    fn parts_have_names_and_together_they_are_all_but_clock_and_sums() {
        assert_eq!("s3".parse(), Ok(Part::Objects));
        assert!("s4".parse::<Part>().expect_err("none").contains("tables, documents, objects"));
        let mut one_by_one: Vec<&str> = Part::NAMES.iter().flat_map(|(part, _)| Part::schemas(Some(*part))).map(|s| s.part).collect();
        let mut all: Vec<&str> = Part::schemas(None).iter().map(|schema| schema.part).collect();
        one_by_one.extend(["clock", "stocks"]);
        one_by_one.sort_unstable();
        all.sort_unstable();
        assert_eq!(one_by_one, all);
    }
}
