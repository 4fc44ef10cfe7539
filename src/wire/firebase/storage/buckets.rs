//! Buckets of the JSON API. What is set on one is kept and told again; of it, versions are obeyed.

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::encode::bucket_json;
use super::fail::Failure;
use super::grants::{DEFAULT_GRANTS, GRANTS, of_document};
use super::{Answered, DOCUMENT_BYTES_MAX, LOCATION, Storage};
use crate::base::{Call, Time};
use crate::services::objects::{Bucket, NewBucket};
use crate::wire::http::{Body, Response, json as answer};

/// Where what is set on a bucket is kept.
const ATTRIBUTES: &str = "google";

/// Fields that are the service's own, or are kept elsewhere.
const OWN: [&str; 14] = [
    "kind",
    "id",
    "selfLink",
    "projectNumber",
    "name",
    "timeCreated",
    "updated",
    "metageneration",
    "etag",
    "versioning",
    "acl",
    "defaultObjectAcl",
    "locationType",
    "owner",
];

/// What is set on a bucket.
#[derive(Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Attributes {
    metageneration: i64,
    updated: Option<Time>,
    set: Map<String, Value>,
}

impl Storage {
    async fn attributes(&self, call: &Call, bucket: &str) -> Result<Attributes, Failure> {
        let kept = self.objects.document(call, bucket, ATTRIBUTES).await.map_err(|error| Failure::of(&error, bucket))?;
        Ok(kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    async fn bucket_shown(&self, call: &Call, ask: &Ask<'_>, bucket: &Bucket) -> Result<Value, Failure> {
        let attributes = self.attributes(call, &bucket.name).await?;
        let updated = attributes.updated.unwrap_or(bucket.created);
        Ok(bucket_json(bucket, &attributes.set, updated, attributes.metageneration.max(1), &ask.origin()))
    }

    pub async fn list_buckets(&self, call: &Call, ask: &Ask<'_>) -> Result<Response, Failure> {
        for own in self.own.iter() {
            self.settle(own, true).await?;
        }
        let prefix = ask.get("prefix").unwrap_or_default();
        let buckets = self.objects.buckets(call).await.map_err(|error| Failure::of(&error, ""))?;
        let mut items = Vec::new();
        for bucket in buckets.iter().filter(|bucket| bucket.name.starts_with(prefix)) {
            items.push(self.bucket_shown(call, ask, bucket).await?);
        }
        Ok(answer(StatusCode::OK, &json!({ "kind": "storage#buckets", "items": items })))
    }

    pub async fn create_bucket(&self, call: &Call, ask: &Ask<'_>, body: Body) -> Result<Response, Failure> {
        let document = self.document(body).await?;
        let name = document.get("name").and_then(Value::as_str).ok_or_else(|| Failure::required("name"))?.to_owned();
        let region = document.get("location").and_then(Value::as_str).unwrap_or(LOCATION).to_owned();
        let new = NewBucket { name: name.clone(), region };
        let bucket = self.objects.create_bucket(call, new).await.map_err(|error| Failure::of(&error, &name))?;
        self.set_attributes(call, &bucket, document, false).await?;
        self.bucket_answer(call, ask, &name).await
    }

    pub async fn get_bucket(&self, call: &Call, ask: &Ask<'_>, name: &str) -> Result<Response, Failure> {
        self.bucket_answer(call, ask, name).await
    }

    async fn bucket_answer(&self, call: &Call, ask: &Ask<'_>, name: &str) -> Result<Response, Failure> {
        let bucket = self.objects.bucket(call, name).await.map_err(|error| Failure::of(&error, name))?;
        Ok(answer(StatusCode::OK, &self.bucket_shown(call, ask, &bucket).await?))
    }

    pub async fn change_bucket(&self, call: &Call, ask: &Ask<'_>, name: &str, body: Body, replace: bool) -> Result<Response, Failure> {
        let bucket = self.objects.bucket(call, name).await.map_err(|error| Failure::of(&error, name))?;
        let wanted = ask.numbers(false)?;
        let metageneration = self.attributes(call, name).await?.metageneration.max(1);
        let fits = wanted.metageneration.is_none_or(|wanted| wanted == metageneration);
        if !fits || wanted.not_metageneration == Some(metageneration) {
            let error = crate::services::objects::Error::Precondition(crate::services::objects::Precondition::Numbers);
            return Err(Failure::of(&error, name));
        }
        let document = self.document(body).await?;
        self.set_attributes(call, &bucket, document, replace).await?;
        self.bucket_answer(call, ask, name).await
    }

    async fn set_attributes(&self, call: &Call, bucket: &Bucket, document: Map<String, Value>, replace: bool) -> Result<(), Failure> {
        let fail = |error| Failure::of(&error, &bucket.name);
        if let Some(keep) = document.get("versioning").and_then(|versioning| versioning.get("enabled")).and_then(Value::as_bool)
            && (keep || bucket.versioning != crate::services::objects::Versioning::Off)
        {
            self.objects.set_versioning(call, &bucket.name, keep).await.map_err(fail)?;
        }
        for (kind, name) in [(GRANTS, "acl"), (DEFAULT_GRANTS, "defaultObjectAcl")] {
            let Some(grants) = of_document(&document, name) else { continue };
            let text = serde_json::to_string(&grants).expect("plain data");
            self.objects.set_document(call, &bucket.name, kind, Some(text)).await.map_err(fail)?;
        }
        let mut attributes = self.attributes(call, &bucket.name).await?;
        if replace {
            attributes.set.clear();
        }
        let given = document.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str())).collect();
        let mut set = Value::Object(std::mem::take(&mut attributes.set));
        merge(&mut set, Value::Object(given));
        if let Value::Object(set) = set {
            attributes.set = set;
        }
        attributes.metageneration = attributes.metageneration.max(0) + 1;
        attributes.updated = Some(self.objects.now());
        let text = serde_json::to_string(&attributes).expect("plain data");
        if text.len() > DOCUMENT_BYTES_MAX {
            return Err(Failure::invalid("There is too much set on this bucket."));
        }
        self.objects.set_document(call, &bucket.name, ATTRIBUTES, Some(text)).await.map_err(fail)
    }

    pub async fn delete_bucket(&self, call: &Call, ask: &Ask<'_>, name: &str) -> Result<Response, Failure> {
        ask.numbers(false)?;
        self.objects.delete_bucket(call, name).await.map_err(|error| Failure::of(&error, name))?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    pub async fn of_bucket(&self, call: &Call, ask: &Ask<'_>, bucket: &str, rest: &[String], body: Body) -> Answered {
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let (action, result) = match (&ask.parts.method, rest.as_slice()) {
            (_, ["acl", entity @ ..]) if entity.len() <= 1 => {
                ("bucketAccessControls", self.bucket_acl(call, ask, bucket, GRANTS, entity.first().copied(), body).await)
            }
            (_, ["defaultObjectAcl", entity @ ..]) if entity.len() <= 1 => {
                ("defaultObjectAccessControls", self.bucket_acl(call, ask, bucket, DEFAULT_GRANTS, entity.first().copied(), body).await)
            }
            (_, ["iam", rest @ ..]) => ("buckets.getIamPolicy", self.policy(call, ask, bucket, rest, body).await),
            (&Method::GET, ["notificationConfigs"]) => {
                ("notifications.list", Ok(answer(StatusCode::OK, &json!({ "kind": "storage#notifications", "items": [] }))))
            }
            (method, _) => ("?", Err(Failure::unsupported(format!("{method} {}", super::ask::clip(ask.parts.uri.path()))))),
        };
        (action, result.unwrap_or_else(|failure| failure.json()))
    }
}

/// Changes a document by another: `null` takes away, what it does not name stays (RFC 7396).
fn merge(into: &mut Value, change: Value) {
    let Value::Object(change) = change else {
        *into = change;
        return;
    };
    if !into.is_object() {
        *into = Value::Object(Map::new());
    }
    let Some(map) = into.as_object_mut() else { return };
    for (name, value) in change {
        if value.is_null() {
            map.remove(&name);
        } else {
            merge(map.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_a_document_leaves_what_it_does_not_name() {
        for (before, change, after) in [
            (json!({ "a": 1 }), json!({ "b": 2 }), json!({ "a": 1, "b": 2 })),
            (json!({ "a": { "b": 1, "c": 2 } }), json!({ "a": { "b": null } }), json!({ "a": { "c": 2 } })),
            (json!({ "a": [1] }), json!({ "a": { "b": 1 } }), json!({ "a": { "b": 1 } })),
            (json!({ "a": 1 }), json!({ "a": null }), json!({})),
        ] {
            let mut found = before.clone();
            merge(&mut found, change);
            assert_eq!(found, after, "{before}");
        }
    }
}
