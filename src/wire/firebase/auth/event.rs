//! Events of users as functions get them: `UserRecord` in a legacy event (firebase-functions v1).

use serde_json::{Map, Value, json};

use super::encode::{object, opt};
use crate::base::Time;
use crate::services::auth::User;
use crate::services::auth::event::{Event, Kind};

/// The event's type.
pub fn kind(event: &Event) -> &'static str {
    match event.kind {
        Kind::Created => "providers/firebase.auth/eventTypes/user.create",
        Kind::Deleted => "providers/firebase.auth/eventTypes/user.delete",
    }
}

/// The whole event.
pub fn legacy(event: &Event, project: &str, id: &str, at: Time) -> Value {
    json!({
        "eventId": id,
        "eventType": kind(event),
        "resource": { "name": format!("projects/{project}"), "service": "firebaseauth.googleapis.com" },
        "params": {},
        "timestamp": at.iso(),
        "data": record(&event.user),
    })
}

/// A user as functions see them.
pub fn record(user: &User) -> Value {
    let providers: Vec<Value> = user
        .providers
        .iter()
        .map(|provider| {
            Value::Object(object([
                ("providerId", Some(json!(provider.id))),
                ("uid", Some(json!(provider.raw_id))),
                ("email", opt(&provider.email)),
                ("displayName", opt(&provider.display_name)),
                ("photoURL", opt(&provider.photo_url)),
                ("phoneNumber", opt(&provider.phone)),
            ]))
        })
        .collect();
    let factors: Vec<Value> = user
        .factors
        .iter()
        .map(|factor| {
            Value::Object(object([
                ("uid", Some(json!(factor.id))),
                ("displayName", opt(&factor.display_name)),
                ("enrollmentTime", Some(json!(factor.enrolled))),
                ("phoneNumber", Some(json!(factor.phone))),
                ("factorId", Some(json!("phone"))),
            ]))
        })
        .collect();
    let metadata: Map<String, Value> =
        object([("creationTime", Some(json!(user.created.iso()))), ("lastSignInTime", user.last_login.map(|at| json!(at.iso())))]);
    Value::Object(object([
        ("uid", Some(json!(user.uid))),
        ("email", opt(&user.email)),
        ("emailVerified", Some(json!(user.email_verified.unwrap_or(false)))),
        ("displayName", opt(&user.display_name)),
        ("photoURL", opt(&user.photo_url)),
        ("phoneNumber", opt(&user.phone)),
        ("disabled", Some(json!(user.disabled))),
        ("metadata", Some(Value::Object(metadata))),
        ("customClaims", Some(Value::Object(user.own_claims()))),
        ("providerData", Some(json!(providers))),
        ("tenantId", opt(&user.tenant)),
        ("mfaInfo", (!factors.is_empty()).then(|| json!({ "enrolledFactors": factors }))),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_is_told_of_as_functions_know_it() {
        let claims = Some(r#"{"role":"admin"}"#.to_owned());
        let user = User { uid: "u".into(), email: Some("a@b.c".into()), claims, created: Time(0), ..User::default() };
        let told = legacy(&Event { kind: Kind::Created, user }, "p", "e1", Time(1_000));
        let wanted = json!({
            "eventId": "e1",
            "eventType": "providers/firebase.auth/eventTypes/user.create",
            "resource": { "name": "projects/p", "service": "firebaseauth.googleapis.com" },
            "params": {},
            "timestamp": "1970-01-01T00:00:01.000Z",
            "data": {
                "uid": "u",
                "email": "a@b.c",
                "emailVerified": false,
                "disabled": false,
                "metadata": { "creationTime": "1970-01-01T00:00:00.000Z" },
                "customClaims": { "role": "admin" },
                "providerData": [],
            },
        });
        assert_eq!(told, wanted);
    }
}
