//! What a blocking function is asked, and what it answers: a token with the user, and the fields that it changes. Source: the Identity
//! Toolkit's blocking functions, as the emulator of the suite builds them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use crate::base::Time;
use crate::services::auth::{Answer, Context, Moment, Provider, Realm, User};

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub id: &'a str,
    pub at: Time,
    pub realm: &'a Realm,
    pub moment: Moment,
    pub user: &'a User,
    pub context: &'a Context,
    /// Which of a provider's tokens the function is told.
    pub tells_id_token: bool,
    pub tells_access_token: bool,
}

/// How long the token would be good for, in seconds.
const SECONDS: i64 = 3_600;

/// The body of the request.
pub fn request(question: &Question<'_>) -> Value {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let jwt = format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims(question)));
    json!({ "data": { "jwt": jwt } })
}

fn claims(question: &Question<'_>) -> Value {
    let Question { realm, user, context, .. } = question;
    let seconds = question.at.millis() / 1_000;
    let mut claims = json!({
        "iss": format!("https://securetoken.google.com/{}", realm.project),
        "aud": format!("https://us-central1-{}.cloudfunctions.net/", realm.project),
        "iat": seconds,
        "exp": seconds + SECONDS,
        "event_id": question.id,
        "event_type": match question.moment {
            Moment::Create => "beforeCreate",
            Moment::SignIn => "beforeSignIn",
        },
        "user_agent": "NotYetSupportedInFirebaseAuthEmulator",
        "ip_address": "127.0.0.1",
        "locale": "en",
        "sub": user.uid,
        "sign_in_method": context.method,
        "user_record": record(user),
    });
    if let Some(tenant) = &realm.tenant {
        claims["tenant_id"] = json!(tenant);
    }
    if let Some(factor) = &context.second_factor {
        claims["sign_in_second_factor"] = json!(factor);
    }
    if let Some(raw) = &context.raw_user {
        claims["raw_user_info"] = json!(raw);
    }
    if let Some(attributes) = &context.attributes {
        claims["sign_in_attributes"] = attributes.clone();
    }
    for (name, token, tells) in [
        ("oauth_id_token", &context.oauth_id_token, question.tells_id_token),
        ("oauth_access_token", &context.oauth_access_token, question.tells_access_token),
    ] {
        if let (Some(token), true) = (token, tells) {
            claims[name] = json!(token);
        }
    }
    claims
}

fn record(user: &User) -> Value {
    let mut record = json!({
        "uid": user.uid,
        "email_verified": user.email_verified.unwrap_or(false),
        "disabled": user.disabled,
        "custom_claims": user.own_claims(),
        "provider_data": user.providers.iter().map(provider).collect::<Vec<_>>(),
        "metadata": {
            "creation_time": user.created.millis(),
            "last_sign_in_time": user.last_login.map(Time::millis),
        },
    });
    put(
        &mut record,
        &[
            ("email", &user.email),
            ("display_name", &user.display_name),
            ("photo_url", &user.photo_url),
            ("phone_number", &user.phone),
            ("tenant_id", &user.tenant),
        ],
    );
    if !user.factors.is_empty() {
        let factors: Vec<Value> = user
            .factors
            .iter()
            .map(|factor| {
                json!({
                    "uid": factor.id,
                    "display_name": factor.display_name,
                    "enrollment_time": factor.enrolled,
                    "phone_number": factor.phone,
                    "factor_id": "phone",
                })
            })
            .collect();
        record["multi_factor"] = json!({ "enrolled_factors": factors });
    }
    record
}

fn provider(provider: &Provider) -> Value {
    let mut shown = json!({ "provider_id": provider.id, "uid": provider.raw_id });
    put(
        &mut shown,
        &[
            ("email", &provider.email),
            ("display_name", &provider.display_name),
            ("photo_url", &provider.photo_url),
            ("phone_number", &provider.phone),
        ],
    );
    shown
}

fn put(into: &mut Value, fields: &[(&str, &Option<String>)]) {
    for (name, value) in fields {
        if let Some(value) = value {
            into[*name] = json!(value);
        }
    }
}

/// What a function's answer changes: the fields that its mask names.
pub fn answer(body: &[u8]) -> Result<Answer, String> {
    if body.is_empty() {
        return Ok(Answer::default());
    }
    let body: Value = serde_json::from_slice(body).map_err(|error| format!("the function's answer is no JSON: {error}"))?;
    let record = &body["userRecord"];
    let mask: Vec<&str> = record["updateMask"].as_str().unwrap_or_default().split(',').map(str::trim).collect();
    let field = |name: &str| mask.contains(&name).then(|| &record[name]);
    let text = |name: &str| field(name).map(|value| value.as_str().map(str::to_owned));
    Ok(Answer {
        display_name: text("displayName"),
        photo_url: text("photoURL").or_else(|| text("photoUrl")),
        disabled: field("disabled").and_then(Value::as_bool),
        email_verified: field("emailVerified").and_then(Value::as_bool),
        claims: field("customClaims").filter(|claims| claims.is_object()).map(Value::to_string),
        session_claims: field("sessionClaims").and_then(Value::as_object).cloned().unwrap_or_else(Map::new),
    })
}

/// Why a function refused, as the client is told: the error that it answered, or what became of it.
pub fn refusal(status: u16, body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(value) if value.is_object() => json!({ "error": value["error"], "httpErrorCode": status }).to_string(),
        _ => json!({ "error": { "message": String::from_utf8_lossy(body), "status": "INTERNAL" }, "httpErrorCode": status }).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_told_of_the_user_and_of_how_they_come() {
        let user = User { uid: "u1".into(), email: Some("a@b.c".into()), created: Time(1_000), ..User::default() };
        let context = Context { method: "google.com".into(), oauth_id_token: Some("secret".into()), ..Context::default() };
        let realm = Realm::of("p");
        let question = Question {
            id: "e1",
            at: Time(5_000),
            realm: &realm,
            moment: Moment::Create,
            user: &user,
            context: &context,
            tells_id_token: false,
            tells_access_token: false,
        };
        let body = request(&question);
        let jwt = body["data"]["jwt"].as_str().expect("a token");
        let parts: Vec<&str> = jwt.split('.').collect();
        assert_eq!((parts.len(), parts[2]), (3, ""));
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).expect("base64")).expect("JSON");
        assert_eq!(
            (&claims["event_type"], &claims["sign_in_method"], claims.get("oauth_id_token")),
            (&json!("beforeCreate"), &json!("google.com"), None)
        );
        assert_eq!(
            (&claims["user_record"]["email"], &claims["user_record"]["metadata"]["creation_time"]),
            (&json!("a@b.c"), &json!(1_000))
        );
    }

    #[test]
    fn only_what_the_mask_names_is_changed() {
        let body = br#"{"userRecord":{"displayName":"Ada","disabled":true,"customClaims":{"a":1},"sessionClaims":{"s":2},"updateMask":"displayName,customClaims,sessionClaims"}}"#;
        let answer = answer(body).expect("an answer");
        assert_eq!(answer.display_name, Some(Some("Ada".to_owned())));
        assert_eq!((answer.disabled, answer.claims.as_deref()), (None, Some(r#"{"a":1}"#)));
        assert_eq!(answer.session_claims.get("s"), Some(&json!(2)));
        assert_eq!(super::answer(b"{}"), Ok(Answer::default()));
        assert!(super::answer(b"<html>").is_err());
    }
}
