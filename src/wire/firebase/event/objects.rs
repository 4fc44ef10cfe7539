//! Objects of buckets: `google.cloud.storage.object.v1.*`, and the `object.*` of the first generation.

use serde_json::{Value, json};

use super::{About, Shaped, cloud_event, context};
use crate::services::objects::Snapshot;
use crate::wire::firebase::storage::event::{Kind, data};

const SERVICE: &str = "storage.googleapis.com";
/// Where the links in an event lead.
const ORIGIN: &str = "https://storage.googleapis.com";

/// The event for a function of the second generation.
pub fn cloud(kind: Kind, object: &Snapshot, about: &About<'_>, bucket: &str) -> Shaped {
    let source = format!("//{SERVICE}/projects/_/buckets/{bucket}");
    let mut event = cloud_event(about, kind.cloud_event(), source, shown(object, bucket));
    event["subject"] = json!(format!("objects/{}", object.key));
    event["bucket"] = json!(bucket);
    event["datacontenttype"] = json!("application/json");
    Shaped::Cloud(event)
}

/// The event for a function of the first generation.
pub fn legacy(kind: Kind, object: &Snapshot, about: &About<'_>, bucket: &str) -> Shaped {
    let mut context = context(about, kind.legacy(), SERVICE, format!("projects/_/buckets/{bucket}/objects/{}", object.key));
    context["resource"]["type"] = json!("storage#object");
    Shaped::Legacy { data: shown(object, bucket), context }
}

fn shown(object: &Snapshot, bucket: &str) -> Value {
    data(object, bucket, ORIGIN)
}
