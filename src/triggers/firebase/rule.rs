//! Which events a function of a codebase asks for. Pure. Sources: the event types that the providers of firebase-functions write into
//! their endpoints, of both generations.

use std::sync::Arc;

use super::path::Pattern;
use crate::project::firebase::{EventTrigger, Generation};

/// What of the world a function asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub function: Arc<str>,
    pub generation: Generation,
    /// The type of event as the function names it.
    pub kind: String,
    pub wants: Wants,
}

/// Events by what they are about.
#[derive(Clone, Debug, PartialEq)]
pub enum Wants {
    Documents {
        database: String,
        path: Pattern,
        changes: Changes,
    },
    Objects {
        bucket: String,
        changes: ObjectChanges,
    },
    Users {
        is_deleted: bool,
        tenant: Option<String>,
    },
    /// The topic's own name.
    Messages {
        topic: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changes {
    Created,
    Updated,
    Deleted,
    Written,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectChanges {
    Finalized,
    Deleted,
    Archived,
    MetadataUpdated,
}

const DOCUMENTS: &str = "google.cloud.firestore.document.v1.";
const LEGACY_DOCUMENTS: &str = "providers/cloud.firestore/eventTypes/document.";
const OBJECTS: &str = "google.cloud.storage.object.v1.";
const LEGACY_OBJECTS: &str = "google.storage.object.";
const USERS: &str = "google.firebase.auth.user.v2.";
const LEGACY_USERS: &str = "providers/firebase.auth/eventTypes/user.";

impl Rule {
    /// What a trigger asks for. An error says why nothing will ever call the function.
    pub fn of(function: Arc<str>, generation: Generation, trigger: &EventTrigger) -> Result<Rule, String> {
        Ok(Rule { function, generation, kind: trigger.kind.clone(), wants: wants(trigger)? })
    }
}

fn wants(trigger: &EventTrigger) -> Result<Wants, String> {
    let kind = trigger.kind.as_str();
    let filter = |name: &str| trigger.filters.get(name).map(String::as_str);
    let missing = |what: &str| format!("its trigger names no {what}");
    if let Some(change) = kind.strip_prefix(DOCUMENTS) {
        let changes = match change.strip_suffix(".withAuthContext").unwrap_or(change) {
            "created" => Changes::Created,
            "updated" => Changes::Updated,
            "deleted" => Changes::Deleted,
            "written" => Changes::Written,
            _ => return Err(unknown(kind)),
        };
        let path =
            trigger.patterns.get("document").map(String::as_str).or_else(|| filter("document")).ok_or_else(|| missing("document"))?;
        let database = filter("database").or_else(|| trigger.patterns.get("database").map(String::as_str)).unwrap_or("(default)");
        return Ok(Wants::Documents { database: database.to_owned(), path: Pattern::new(path), changes });
    }
    if let Some(change) = kind.strip_prefix(LEGACY_DOCUMENTS) {
        let changes = match change {
            "create" => Changes::Created,
            "update" => Changes::Updated,
            "delete" => Changes::Deleted,
            "write" => Changes::Written,
            _ => return Err(unknown(kind)),
        };
        let resource = filter("resource").ok_or_else(|| missing("document"))?;
        let (database, path) = legacy_place(resource).ok_or_else(|| format!("`{resource}` names no document"))?;
        return Ok(Wants::Documents { database: database.to_owned(), path: Pattern::new(path), changes });
    }
    if let Some(change) = kind.strip_prefix(OBJECTS).or_else(|| kind.strip_prefix(LEGACY_OBJECTS)) {
        let changes = match change {
            "finalized" | "finalize" => ObjectChanges::Finalized,
            "deleted" | "delete" => ObjectChanges::Deleted,
            "archived" | "archive" => ObjectChanges::Archived,
            "metadataUpdated" | "metadataUpdate" => ObjectChanges::MetadataUpdated,
            _ => return Err(unknown(kind)),
        };
        let bucket = filter("bucket").or_else(|| filter("resource").map(last)).ok_or_else(|| missing("bucket"))?;
        return Ok(Wants::Objects { bucket: bucket.to_owned(), changes });
    }
    if let Some(change) = kind.strip_prefix(USERS).or_else(|| kind.strip_prefix(LEGACY_USERS)) {
        let is_deleted = match change {
            "created" | "create" => false,
            "deleted" | "delete" => true,
            _ => return Err(unknown(kind)),
        };
        return Ok(Wants::Users { is_deleted, tenant: filter("tenantid").map(str::to_owned) });
    }
    if kind == "google.cloud.pubsub.topic.v1.messagePublished" || kind == "google.pubsub.topic.publish" {
        let topic = filter("topic").or_else(|| filter("resource")).map(last).ok_or_else(|| missing("topic"))?;
        return Ok(Wants::Messages { topic: topic.to_owned() });
    }
    Err(unknown(kind))
}

fn unknown(kind: &str) -> String {
    format!("emu has no events of the type `{kind}`, so that nothing calls it but `emu invoke`")
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The database and path of `projects/P/databases/D/documents[@NAMESPACE]/PATH`.
fn legacy_place(resource: &str) -> Option<(&str, &str)> {
    let (_, rest) = resource.split_once("/databases/")?;
    let (database, rest) = rest.split_once("/documents")?;
    let path = rest.split_once('/')?.1;
    Some((database, path))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn shown(kind: &str, filters: &[(&str, &str)], patterns: &[(&str, &str)]) -> String {
        let map =
            |rows: &[(&str, &str)]| -> BTreeMap<String, String> { rows.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect() };
        let trigger = EventTrigger { kind: kind.to_owned(), filters: map(filters), patterns: map(patterns), retry: false };
        match wants(&trigger) {
            Ok(Wants::Documents { database, path, changes }) => format!("{changes:?} {database} {}", path.fits("users/ada")),
            Ok(Wants::Objects { bucket, changes }) => format!("{changes:?} {bucket}"),
            Ok(Wants::Users { is_deleted, tenant }) => format!("user {is_deleted} {tenant:?}"),
            Ok(Wants::Messages { topic }) => format!("topic {topic}"),
            Err(why) => why,
        }
    }

    #[test]
    fn triggers_of_both_generations_ask_for_the_same_things() {
        const DOCUMENT: &str = "projects/p/databases/(default)/documents/users/{id}";
        for (kind, filters, patterns, wanted) in [
            (
                "google.cloud.firestore.document.v1.created",
                &[("database", "(default)"), ("namespace", "(default)")][..],
                &[("document", "users/{id}")][..],
                "Created (default) true",
            ),
            (
                "google.cloud.firestore.document.v1.written.withAuthContext",
                &[("database", "other"), ("document", "users/bob")],
                &[],
                "Written other false",
            ),
            ("providers/cloud.firestore/eventTypes/document.update", &[("resource", DOCUMENT)], &[], "Updated (default) true"),
            ("google.cloud.storage.object.v1.finalized", &[("bucket", "b")], &[], "Finalized b"),
            ("google.storage.object.metadataUpdate", &[("resource", "projects/_/buckets/b")], &[], "MetadataUpdated b"),
            ("providers/firebase.auth/eventTypes/user.create", &[("resource", "projects/p")], &[], "user false None"),
            ("google.firebase.auth.user.v2.deleted", &[("tenantid", "t")], &[], "user true Some(\"t\")"),
            ("google.cloud.pubsub.topic.v1.messagePublished", &[("topic", "t")], &[], "topic t"),
            ("google.pubsub.topic.publish", &[("resource", "projects/p/topics/t")], &[], "topic t"),
            (
                "google.firebase.database.ref.v1.written",
                &[],
                &[],
                "emu has no events of the type `google.firebase.database.ref.v1.written`, so that nothing calls it but `emu invoke`",
            ),
            ("google.cloud.storage.object.v1.finalized", &[], &[], "its trigger names no bucket"),
        ] {
            assert_eq!(shown(kind, filters, patterns), wanted);
        }
    }
}
