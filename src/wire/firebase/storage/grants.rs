//! Who may do what (`acl`, `defaultObjectAcl`, `iam`): kept and told again. What is granted restricts nobody here.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::ask::Ask;
use super::encode::{escaped, etag, object_grant, object_grants};
use super::fail::Failure;
use super::{Storage, decode};
use crate::base::Call;
use crate::services::objects::{Condition, Get, Name, Properties, Range, Wanted};
use crate::wire::firebase::PROJECT_NUMBER;
use crate::wire::http::{Body, Response, json as answer};

/// Grants of one list at most ("Access control lists").
const GRANTS_MAX: usize = 100;

/// A change of a list of grants.
enum Change {
    Set(String, String),
    Remove(String),
}

impl Change {
    /// What a request asks to change; `entity` stands in its path.
    fn of(method: &Method, entity: Option<&str>, document: &Map<String, Value>) -> Result<Change, Failure> {
        let said = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
        let entity = entity.map(str::to_owned);
        Ok(match *method {
            Method::DELETE => Change::Remove(entity.ok_or_else(|| Failure::required("entity"))?),
            _ => {
                let entity = entity.or_else(|| said("entity")).ok_or_else(|| Failure::required("entity"))?;
                let role = said("role").ok_or_else(|| Failure::required("role"))?;
                if !matches!(role.as_str(), "READER" | "WRITER" | "OWNER") {
                    return Err(Failure::invalid(format!("Invalid value for role: '{}'", super::ask::clip(&role))));
                }
                Change::Set(entity, role)
            }
        })
    }

    fn apply(&self, grants: &mut BTreeMap<String, String>) -> Result<(), Failure> {
        match self {
            Change::Set(entity, role) => {
                grants.insert(entity.clone(), role.clone());
                if grants.len() > GRANTS_MAX {
                    return Err(Failure::invalid(format!("A list of grants has up to {GRANTS_MAX} entries.")));
                }
            }
            Change::Remove(entity) => {
                grants.remove(entity).ok_or_else(|| unknown(entity))?;
            }
        }
        Ok(())
    }
}

fn unknown(entity: &str) -> Failure {
    Failure::not_found(format!("No such access control entry: {}", super::ask::clip(entity)))
}

fn no_content() -> Response {
    let mut response = http::Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

impl Storage {
    pub async fn object_acl(
        &self,
        call: &Call,
        ask: &Ask<'_>,
        of: (&str, &str),
        entity: Option<&str>,
        body: Body,
    ) -> Result<Response, Failure> {
        let name = Name { bucket: of.0.to_owned(), key: of.1.to_owned(), which: ask.which("generation")? };
        let origin = ask.origin();
        if ask.parts.method == Method::GET {
            let get = Get { name, range: Range::All, wanted: Wanted::default() };
            let object = self.objects.head(call, &get).await.map_err(|error| Failure::of(&error, of.0))?.object;
            let all = object_grants(&object, &origin);
            return match entity {
                None => Ok(answer(StatusCode::OK, &json!({ "kind": "storage#objectAccessControls", "items": all }))),
                Some(entity) => {
                    let found = all.into_iter().find(|grant| grant["entity"] == entity).ok_or_else(|| unknown(entity))?;
                    Ok(answer(StatusCode::OK, &found))
                }
            };
        }
        let document = self.document(body).await?;
        let change = Change::of(&ask.parts.method, entity, &document)?;
        let (told, tell) = std::sync::mpsc::channel();
        let edit = move |properties: &mut Properties| {
            let result = change.apply(&mut properties.grants);
            let is_changed = result.is_ok();
            // Nobody waits any more where the state was replaced meanwhile.
            let _ = told.send(result.map(|()| change));
            is_changed
        };
        let object = self.edited(call, name, Condition::Always, Box::new(edit)).await?;
        match tell.try_recv().map_err(|_| Failure::invalid("The grant was not changed."))?? {
            Change::Remove(_) => Ok(no_content()),
            Change::Set(entity, role) => Ok(answer(StatusCode::OK, &object_grant(&object, &entity, &role, &origin))),
        }
    }

    /// The lists of a bucket: its own, and that of new objects (`kind`).
    pub async fn bucket_acl(
        &self,
        call: &Call,
        ask: &Ask<'_>,
        bucket: &str,
        kind: &'static str,
        entity: Option<&str>,
        body: Body,
    ) -> Result<Response, Failure> {
        let fail = |error| Failure::of(&error, bucket);
        let kept = self.objects.document(call, bucket, kind).await.map_err(fail)?;
        let mut grants: BTreeMap<String, String> = kept.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        let is_default = kind == DEFAULT_GRANTS;
        let one = |entity: &str, role: &str| {
            let (name, part) =
                if is_default { ("storage#objectAccessControl", "defaultObjectAcl") } else { ("storage#bucketAccessControl", "acl") };
            let link = format!("{}/storage/v1/b/{}/{part}/{}", ask.origin(), escaped(bucket), escaped(entity));
            let id = format!("{bucket}/{entity}");
            json!({ "kind": name, "id": id, "selfLink": link, "bucket": bucket, "entity": entity, "role": role, "etag": etag(0, 1) })
        };
        if ask.parts.method == Method::GET {
            let owner = format!("project-owners-{PROJECT_NUMBER}");
            let all: Vec<Value> =
                std::iter::once(one(&owner, "OWNER")).chain(grants.iter().map(|(entity, role)| one(entity, role))).collect();
            return match entity {
                None => {
                    let name = if is_default { "storage#objectAccessControls" } else { "storage#bucketAccessControls" };
                    Ok(answer(StatusCode::OK, &json!({ "kind": name, "items": all })))
                }
                Some(entity) => {
                    let found = all.into_iter().find(|grant| grant["entity"] == entity).ok_or_else(|| unknown(entity))?;
                    Ok(answer(StatusCode::OK, &found))
                }
            };
        }
        let document = self.document(body).await?;
        let change = Change::of(&ask.parts.method, entity, &document)?;
        change.apply(&mut grants)?;
        let text = serde_json::to_string(&grants).expect("plain data");
        self.objects.set_document(call, bucket, kind, Some(text)).await.map_err(fail)?;
        match change {
            Change::Remove(_) => Ok(no_content()),
            Change::Set(entity, role) => Ok(answer(StatusCode::OK, &one(&entity, &role))),
        }
    }

    /// The policy of a bucket, and what whoever asks may do: everything.
    pub async fn policy(&self, call: &Call, ask: &Ask<'_>, bucket: &str, rest: &[&str], body: Body) -> Result<Response, Failure> {
        let fail = |error| Failure::of(&error, bucket);
        match (&ask.parts.method, rest) {
            (&Method::GET, ["testPermissions"]) => {
                self.objects.bucket(call, bucket).await.map_err(fail)?;
                let query = ask.parts.uri.query().unwrap_or_default();
                let asked = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "permissions");
                let all: Vec<_> = asked.map(|(_, value)| value).collect();
                Ok(answer(StatusCode::OK, &json!({ "kind": "storage#testIamPermissionsResponse", "permissions": all })))
            }
            (&Method::GET, []) => {
                let kept = self.objects.document(call, bucket, POLICY).await.map_err(fail)?;
                let kept = kept.and_then(|text| serde_json::from_str(&text).ok());
                let owners = json!({ "role": "roles/storage.legacyBucketOwner", "members": [format!("projectOwner:{PROJECT_NUMBER}")] });
                let usual = || json!({ "version": 1, "bindings": [owners] });
                Ok(answer(StatusCode::OK, &whole(kept.unwrap_or_else(usual), bucket)))
            }
            (&Method::PUT, []) => {
                let policy = Value::Object(self.document(body).await?);
                self.objects.set_document(call, bucket, POLICY, Some(policy.to_string())).await.map_err(fail)?;
                Ok(answer(StatusCode::OK, &whole(policy, bucket)))
            }
            (method, _) => Err(Failure::unsupported(format!("{method} {}", super::ask::clip(ask.parts.uri.path())))),
        }
    }
}

/// Where a bucket's own grants are kept, those of its new objects, and its policy.
pub const GRANTS: &str = "google-acl";
pub const DEFAULT_GRANTS: &str = "google-default-acl";
const POLICY: &str = "google-iam";

fn whole(mut policy: Value, bucket: &str) -> Value {
    policy["kind"] = json!("storage#policy");
    policy["resourceId"] = json!(format!("projects/_/buckets/{bucket}"));
    policy["etag"] = json!("CAE=");
    policy
}

/// What a document of a bucket grants.
pub fn of_document(document: &Map<String, Value>, name: &str) -> Option<BTreeMap<String, String>> {
    Some(document.get(name)?.as_array()?.iter().filter_map(decode::grant).collect())
}
