//! Changes of documents: `google.cloud.firestore.document.v1.*` with `DocumentEventData` in JSON, and the `document.*` of the first
//! generation.

use chrono::SecondsFormat;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{About, Shaped, cloud_event, context};

const SERVICE: &str = "firestore.googleapis.com";
const SCHEMA: &str = "https://github.com/googleapis/google-cloudevents/blob/main/proto/google/events/cloud/firestore/v1/data.proto";

/// What happened to a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Created,
    Updated,
    Deleted,
}

/// A change as the outbox has it.
#[derive(Clone, Debug, Deserialize)]
pub struct Change {
    pub kind: Kind,
    /// `projects/P/databases/D/documents/…`.
    pub name: String,
    old: Option<Image>,
    new: Option<Image>,
    /// Who changed it: a kind of principal, and its name.
    #[serde(default)]
    auth: Option<(String, Option<String>)>,
}

#[derive(Clone, Debug, Deserialize)]
struct Image {
    fields: Map<String, Value>,
    /// Microseconds since the epoch.
    created: i64,
    updated: i64,
}

impl Change {
    /// Reads the body of a row. Fails where it is none.
    pub fn read(body: &str) -> Result<Change, serde_json::Error> {
        serde_json::from_str(body)
    }

    /// The database, and the path below `documents`.
    pub fn place(&self) -> Option<(&str, &str)> {
        place(&self.name)
    }

    /// Whether nothing changed: that calls nobody ("Firestore triggers", "Limitations").
    pub fn is_nothing(&self) -> bool {
        matches!((&self.old, &self.new), (Some(old), Some(new)) if old.fields == new.fields)
    }

    fn data(&self) -> Value {
        let document = |image: &Image| json!({ "name": self.name, "fields": image.fields, "createTime": time(image.created), "updateTime": time(image.updated) });
        let mut data = Map::new();
        if let Some(new) = &self.new {
            data.insert("value".into(), document(new));
        }
        if let Some(old) = &self.old {
            data.insert("oldValue".into(), document(old));
        }
        if let (Some(old), Some(new)) = (&self.old, &self.new) {
            let names = old.fields.keys().chain(new.fields.keys().filter(|name| !old.fields.contains_key(*name)));
            let paths: Vec<&String> = names.filter(|name| old.fields.get(*name) != new.fields.get(*name)).collect();
            data.insert("updateMask".into(), json!({ "fieldPaths": paths }));
        }
        Value::Object(data)
    }

    /// The event for a function of the second generation that asked for `kind`.
    pub fn cloud(&self, about: &About<'_>, kind: &str) -> Shaped {
        let (database, path) = self.place().unwrap_or_default();
        let source = format!("//{SERVICE}/projects/{}/databases/{database}", about.project);
        let mut event = cloud_event(about, kind, source, self.data());
        event["subject"] = json!(format!("documents/{path}"));
        event["datacontenttype"] = json!("application/json");
        event["dataschema"] = json!(SCHEMA);
        event["location"] = json!("us-central1");
        event["project"] = json!(about.project);
        event["database"] = json!(database);
        event["namespace"] = json!("(default)");
        event["document"] = json!(path);
        if kind.ends_with(".withAuthContext") {
            let (who, name) = self.auth.clone().unwrap_or_else(|| ("unknown".to_owned(), None));
            event["authtype"] = json!(who);
            if let Some(name) = name {
                event["authid"] = json!(name);
            }
        }
        Shaped::Cloud(event)
    }

    /// The event for a function of the first generation that asked for `kind`.
    pub fn legacy(&self, about: &About<'_>, kind: &str) -> Shaped {
        Shaped::Legacy { data: self.data(), context: context(about, kind, SERVICE, self.name.clone()) }
    }
}

/// The database of a document's full name, and the path below `documents`.
pub fn place(name: &str) -> Option<(&str, &str)> {
    let (_, rest) = name.strip_prefix("projects/")?.split_once("/databases/")?;
    rest.split_once("/documents/")
}

/// RFC 3339 with microseconds, as Firestore has them.
fn time(micros: i64) -> Option<String> {
    chrono::DateTime::from_timestamp_micros(micros).map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;

    const ABOUT: About<'_> = About { id: "e1", at: Time(1_000), project: "p" };

    fn change(body: Value) -> Change {
        Change::read(&body.to_string()).expect("a change")
    }

    #[test]
    fn an_update_has_both_documents_and_what_differs() {
        let image = |age: &str| json!({ "fields": { "name": { "stringValue": "Ada" }, "age": { "integerValue": age } }, "created": 1_000_001, "updated": 2_000_000 });
        let change = change(json!({
            "kind": "updated", "name": "projects/p/databases/(default)/documents/users/ada", "at": 1, "old": image("1"), "new": image("2"),
            "auth": ["app_user", "u1"],
        }));
        let Shaped::Cloud(event) = change.cloud(&ABOUT, "google.cloud.firestore.document.v1.updated.withAuthContext") else {
            panic!("cloud")
        };
        for (pointer, wanted) in [
            ("/specversion", json!("1.0")),
            ("/id", json!("e1")),
            ("/type", json!("google.cloud.firestore.document.v1.updated.withAuthContext")),
            ("/source", json!("//firestore.googleapis.com/projects/p/databases/(default)")),
            ("/subject", json!("documents/users/ada")),
            ("/time", json!("1970-01-01T00:00:01.000Z")),
            ("/document", json!("users/ada")),
            ("/authtype", json!("app_user")),
            ("/authid", json!("u1")),
            ("/data/updateMask/fieldPaths", json!(["age"])),
            ("/data/oldValue/fields/age/integerValue", json!("1")),
            ("/data/value/createTime", json!("1970-01-01T00:00:01.000001Z")),
        ] {
            assert_eq!(event.pointer(pointer), Some(&wanted), "{pointer}");
        }
    }

    #[test]
    fn a_new_document_has_no_old_one_and_a_deleted_one_no_new_one() {
        let image = json!({ "fields": {}, "created": 1, "updated": 2 });
        let name = "projects/p/databases/(default)/documents/users/ada";
        for (kind, old, new, keys) in
            [("created", Value::Null, image.clone(), vec!["value"]), ("deleted", image.clone(), Value::Null, vec!["oldValue"])]
        {
            let change = change(json!({ "kind": kind, "name": name, "at": 1, "old": old, "new": new }));
            let Shaped::Legacy { data, context } = change.legacy(&ABOUT, "providers/cloud.firestore/eventTypes/document.write") else {
                panic!("legacy")
            };
            assert_eq!(data.as_object().map(|data| data.keys().map(String::as_str).collect()), Some(keys));
            assert_eq!(context["resource"], json!({ "service": "firestore.googleapis.com", "name": name }));
            assert_eq!(context["eventType"], "providers/cloud.firestore/eventTypes/document.write");
        }
    }
}
