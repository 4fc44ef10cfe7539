//! Users that come and go: `google.firebase.auth.user.v2.*`, and the `user.*` of the first generation.

use serde_json::json;

use super::{About, Shaped, cloud_event};
use crate::services::auth::event::Event;
use crate::wire::firebase::auth::event as auth;

/// The event for a function of the second generation that asked for `kind`.
pub fn cloud(event: &Event, about: &About<'_>, kind: &str) -> Shaped {
    let source = format!("//identitytoolkit.googleapis.com/projects/{}", about.project);
    let field = if kind.ends_with(".deleted") { "oldValue" } else { "value" };
    let mut shaped = cloud_event(about, kind, source, json!({ field: auth::record(&event.user) }));
    if let Some(tenant) = &event.user.tenant {
        shaped["tenantid"] = json!(tenant);
    }
    Shaped::Cloud(shaped)
}

/// The event for a function of the first generation.
pub fn legacy(event: &Event, about: &About<'_>) -> Shaped {
    let mut context = auth::legacy(event, about.project, about.id, about.at);
    let data = context.as_object_mut().and_then(|context| context.remove("data")).unwrap_or_default();
    Shaped::Legacy { data, context }
}
