use serde_json::{Value, json};

use super::*;
use crate::base::{Cause, Time, TraceId};
use crate::project::Project;
use crate::project::firebase::{Endpoint, EventTrigger, Trigger};
use crate::wire::aws::arn::Account;

fn asks(kind: &str, filters: &[(&str, &str)], patterns: &[(&str, &str)]) -> Trigger {
    let map = |rows: &[(&str, &str)]| rows.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Trigger::Event(EventTrigger { kind: kind.to_owned(), filters: map(filters), patterns: map(patterns), retry: false })
}

fn project(triggers: Vec<(&str, Generation, Trigger)>) -> Project {
    let mut project = crate::functions::testing::project();
    for (name, generation, trigger) in triggers {
        let endpoint = Endpoint {
            codebase: "default".into(),
            entry_point: name.into(),
            generation,
            regions: vec!["us-central1".into()],
            trigger,
            secrets: vec![],
        };
        let function = crate::functions::testing::function(name, "functions/index.js");
        project.functions.push(crate::project::Function { firebase: Some(Box::new(endpoint)), ..function });
    }
    project
}

fn row(source: &str, resource: &str, body: &Value) -> outbox::Row {
    outbox::Row {
        id: 1,
        source: source.into(),
        resource: resource.into(),
        body: body.to_string(),
        at: Time(1_000),
        trace: TraceId("t".into()),
        cause: Cause::Operator,
        depth: 1,
    }
}

/// `FUNCTION KIND` of each delivery.
fn called(project: &Project, row: &outbox::Row) -> Vec<String> {
    let (table, problems) = Table::of(project, Account::local("us-east-1"));
    assert_eq!(problems, Vec::<String>::new());
    let origin = Origin { trace: row.trace.clone(), cause: row.cause.clone(), depth: row.depth };
    let drafts = table.firebase.drafts(&table, row, &Ids::seeded(1), &origin).expect("readable");
    let listens = table.interest()(&row.source, &row.resource);
    assert!(listens || drafts.is_empty(), "what is delivered must be stored");
    let shown = drafts.iter().map(|draft| {
        let input: Value = serde_json::from_slice(&draft.payload).expect("JSON");
        let kind = input["event"]["type"].as_str().or(input["context"]["eventType"].as_str()).unwrap_or("?").to_owned();
        let kind = kind.rsplit(['.', '/']).next().unwrap_or_default().to_owned();
        format!("{} {} {kind}", draft.target, draft.source)
    });
    shown.collect()
}

#[test]
fn a_change_of_a_document_calls_those_who_asked_for_it() {
    const V2: &str = "google.cloud.firestore.document.v1.";
    let on = |kind: &str, path: &str| asks(&format!("{V2}{kind}"), &[("database", "(default)")], &[("document", path)]);
    let legacy = asks(
        "providers/cloud.firestore/eventTypes/document.write",
        &[("resource", "projects/p/databases/(default)/documents/users/{id}")],
        &[],
    );
    let project = project(vec![
        ("made", Generation::Second, on("created", "users/{id}")),
        ("gone", Generation::Second, on("deleted", "users/{id}")),
        ("any", Generation::Second, on("written", "{all=**}")),
        ("posts", Generation::Second, on("created", "users/{id}/posts/{post}")),
        ("old", Generation::First, legacy),
        ("other", Generation::Second, asks(&format!("{V2}created"), &[("database", "second")], &[("document", "users/{id}")])),
    ]);
    let image = json!({ "fields": {}, "created": 1, "updated": 1 });
    let change = |kind: &str, path: &str| {
        let name = format!("projects/p/databases/(default)/documents/{path}");
        let (old, new) = match kind {
            "created" => (Value::Null, image.clone()),
            "deleted" => (image.clone(), Value::Null),
            "nothing" => (image.clone(), image.clone()),
            _ => (image.clone(), json!({ "fields": { "a": { "nullValue": null } }, "created": 1, "updated": 2 })),
        };
        let kind = if kind == "nothing" { "updated" } else { kind };
        let body = json!({ "kind": kind, "name": name, "at": 1, "old": old, "new": new });
        called(&project, &row("documents", &name, &body))
    };
    assert_eq!(
        change("created", "users/ada"),
        ["function:made documents/users/ada created", "function:any documents/users/ada written", "function:old documents/users/ada write"]
    );
    assert_eq!(change("updated", "users/ada").len(), 2);
    assert_eq!(change("nothing", "users/ada"), Vec::<String>::new());
    assert_eq!(change("deleted", "users/ada")[0], "function:gone documents/users/ada deleted");
    assert_eq!(
        change("created", "users/ada/posts/1"),
        ["function:any documents/users/ada/posts/1 written", "function:posts documents/users/ada/posts/1 created"]
    );
}

#[test]
fn users_and_messages_call_functions_of_both_generations() {
    let project = project(vec![
        ("welcome", Generation::First, asks("providers/firebase.auth/eventTypes/user.create", &[("resource", "projects/p")], &[])),
        ("bye", Generation::Second, asks("google.firebase.auth.user.v2.deleted", &[], &[])),
        ("sold", Generation::Second, asks("google.cloud.pubsub.topic.v1.messagePublished", &[("topic", "sales")], &[])),
        ("legacySold", Generation::First, asks("google.pubsub.topic.publish", &[("resource", "projects/p/topics/sales")], &[])),
    ]);
    let user = |kind: &str| {
        let user = auth::User { uid: "u1".into(), ..auth::User::default() };
        json!({ "kind": kind, "user": user })
    };
    assert_eq!(called(&project, &row("auth", "p", &user("created"))), ["function:welcome users/u1 create"]);
    assert_eq!(called(&project, &row("auth", "p", &user("deleted"))), ["function:bye users/u1 deleted"]);
    let message = json!({ "messageId": "1", "data": "", "attributes": {} });
    assert_eq!(
        called(&project, &row("pubsub", "projects/p/topics/sales", &message)),
        ["function:sold topics/sales messagePublished", "function:legacySold topics/sales publish"]
    );
    assert_eq!(called(&project, &row("pubsub", "projects/p/topics/other", &message)), Vec::<String>::new());
}

#[test]
fn objects_call_those_who_asked_for_their_bucket() {
    let project = project(vec![
        ("put", Generation::Second, asks("google.cloud.storage.object.v1.finalized", &[("bucket", "b")], &[])),
        ("legacyPut", Generation::First, asks("google.storage.object.finalize", &[("resource", "projects/_/buckets/b")], &[])),
        ("gone", Generation::Second, asks("google.cloud.storage.object.v1.deleted", &[("bucket", "b")], &[])),
        ("other", Generation::Second, asks("google.cloud.storage.object.v1.finalized", &[("bucket", "c")], &[])),
    ]);
    let object = objects::Snapshot {
        key: "a.txt".into(),
        generation: 1,
        metageneration: 1,
        size: 3,
        md5: None,
        crc32c: 0,
        created: Time(1_000),
        updated: Time(1_000),
        parts: 0,
        properties: objects::Properties::default(),
    };
    let told = |event: &objects::Event| called(&project, &row("objects", "b", &serde_json::to_value(event).expect("plain data")));
    let replaced = objects::Event::Replaced { object: object.clone(), kept: false };
    assert_eq!(told(&replaced), ["function:gone objects/b deleted"]);
    let created = objects::Event::Created(objects::Created {
        how: objects::How::Put,
        key: "a.txt".into(),
        size: 3,
        etag: "e".into(),
        version: None,
        generation: 1,
        content_type: None,
        object: Some(Box::new(object)),
    });
    assert_eq!(told(&created), ["function:put objects/b finalized", "function:legacyPut objects/b finalize"]);
}

#[test]
fn a_trigger_that_nothing_sets_off_is_told_of() {
    let project = project(vec![("quiet", Generation::Second, asks("google.firebase.database.ref.v1.written", &[], &[]))]);
    let (_, problems) = Table::of(&project, Account::local("us-east-1"));
    assert_eq!(
        problems,
        [
            "function `quiet`: emu has no events of the type `google.firebase.database.ref.v1.written`, so that nothing calls it but `emu invoke`"
        ]
    );
}
