//! Users, tokens and factors as the Identity Toolkit shows them. What is not known is left out.

use serde_json::{Map, Value, json};

use crate::services::auth::{Factor, Provider, Signed, Tokens, User, hidden_phone};

/// An object of what there is.
pub fn object<const N: usize>(fields: [(&str, Option<Value>); N]) -> Map<String, Value> {
    fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

pub fn opt<T: serde::Serialize>(value: &Option<T>) -> Option<Value> {
    value.as_ref().map(|value| json!(value))
}

/// A user. `whole`: with what is kept of the password, for an administrator.
pub fn user(user: &User, whole: bool) -> Value {
    let providers: Vec<Value> = user.providers.iter().map(provider).collect();
    let factors: Vec<Value> = user.factors.iter().map(|known| factor(known, true)).collect();
    let mut map = object([
        ("localId", Some(json!(user.uid))),
        ("email", opt(&user.email)),
        ("emailVerified", opt(&user.email_verified)),
        ("displayName", opt(&user.display_name)),
        ("photoUrl", opt(&user.photo_url)),
        ("screenName", opt(&user.screen_name)),
        ("phoneNumber", opt(&user.phone)),
        ("disabled", user.disabled.then(|| json!(true))),
        ("customAuth", user.custom_auth.then(|| json!(true))),
        ("emailLinkSignin", user.email_link.then(|| json!(true))),
        ("initialEmail", opt(&user.initial_email)),
        ("customAttributes", opt(&user.claims)),
        ("providerUserInfo", (!providers.is_empty()).then(|| json!(providers))),
        ("mfaInfo", (!factors.is_empty()).then(|| json!(factors))),
        ("tenantId", opt(&user.tenant)),
        ("validSince", user.valid_since.map(|since| json!(since.to_string()))),
        ("createdAt", Some(json!(user.created.millis().to_string()))),
        ("lastLoginAt", user.last_login.map(|at| json!(at.millis().to_string()))),
        ("lastRefreshAt", user.last_refresh.map(|at| json!(at.iso()))),
        ("passwordUpdatedAt", user.secret.as_ref().and(user.password_updated).map(|at| json!(at.millis()))),
    ]);
    if let Some((hash, salt)) = hash(user, whole) {
        map.insert("passwordHash".into(), json!(hash));
        map.extend(salt.map(|salt| ("salt".to_owned(), json!(salt))));
    }
    Value::Object(map)
}

/// What is shown of a user's password: `REDACTED`, as base64, to those who may not see more.
pub fn hash(user: &User, whole: bool) -> Option<(String, Option<String>)> {
    let secret = user.secret.as_ref()?;
    if whole {
        let (hash, salt) = secret.shown();
        return Some((hash, Some(salt)));
    }
    Some(("UkVEQUNURUQ=".to_owned(), None))
}

pub fn provider(provider: &Provider) -> Value {
    Value::Object(object([
        ("providerId", Some(json!(provider.id))),
        ("rawId", Some(json!(provider.raw_id))),
        ("federatedId", opt(&provider.federated_id)),
        ("email", opt(&provider.email)),
        ("displayName", opt(&provider.display_name)),
        ("photoUrl", opt(&provider.photo_url)),
        ("screenName", opt(&provider.screen_name)),
        ("phoneNumber", opt(&provider.phone)),
    ]))
}

/// A second factor; its number is hidden but for those who know the user.
pub fn factor(factor: &Factor, whole: bool) -> Value {
    let phone = if whole { factor.phone.clone() } else { hidden_phone(&factor.phone) };
    Value::Object(object([
        ("mfaEnrollmentId", Some(json!(factor.id))),
        ("displayName", opt(&factor.display_name)),
        ("enrolledAt", Some(json!(factor.enrolled))),
        ("phoneInfo", Some(json!(phone))),
        ("unobfuscatedPhoneInfo", whole.then(|| json!(factor.phone))),
    ]))
}

/// Tokens, as they are part of an answer.
pub fn tokens(tokens: &Tokens) -> Map<String, Value> {
    object([
        ("idToken", Some(json!(tokens.id_token))),
        ("refreshToken", Some(json!(tokens.refresh_token))),
        ("expiresIn", Some(json!(tokens.expires_in.to_string()))),
    ])
}

/// What somebody who has signed in gets: tokens, or what stands for them until the second factor is shown.
pub fn signed(signed: &Signed) -> Map<String, Value> {
    let mut map = signed.tokens.as_ref().map(tokens).unwrap_or_default();
    if let Some((credential, factors)) = &signed.pending {
        let factors: Vec<Value> = factors.iter().map(|known| factor(known, false)).collect();
        map.insert("mfaPendingCredential".into(), json!(credential));
        map.insert("mfaInfo".into(), json!(factors));
    }
    map
}
