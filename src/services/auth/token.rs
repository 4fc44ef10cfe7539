//! Tokens: JSON Web Tokens without a signature, as Firebase's own emulator issues them, and what is handed out to come back with.
//!
//! Nothing of a token is stored: it says whose it is, and a user says since when tokens are valid. Times are of the World's clock.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::model::{ANONYMOUS, PASSWORD, Realm, User};
use super::{Error, store};
use crate::base::Time;
use crate::store::Tx;

/// Seconds that a token is good for.
pub const VALID_S: i64 = 3_600;
/// Bytes of a token at most.
const BYTES_MAX: usize = 256 << 10;

/// How somebody has signed in: what all their tokens say, until they sign in again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    pub provider: String,
    /// Claims of this session only: a custom token's, a blocking function's.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub claims: Map<String, Value>,
    /// The second factor: its identifier, and what kind it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<(String, String)>,
    /// What a SAML provider said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Value>,
}

impl Session {
    pub(super) fn by(provider: &str) -> Session {
        Session { provider: provider.to_owned(), ..Session::default() }
    }
}

/// What is issued to somebody who has signed in.
#[derive(Clone, Debug, PartialEq)]
pub struct Tokens {
    pub id_token: String,
    pub refresh_token: String,
    /// Seconds.
    pub expires_in: i64,
}

/// What a refresh token holds.
#[derive(Debug, Serialize, Deserialize)]
struct Refresh {
    project: String,
    tenant: Option<String>,
    uid: String,
    /// Seconds since the epoch.
    issued: i64,
    session: Session,
}

/// What stands for somebody who has yet to show their second factor.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    pub project: String,
    pub tenant: Option<String>,
    pub uid: String,
    pub session: Session,
    pub pending: bool,
}

/// A JSON Web Token that nobody has signed.
pub fn unsigned(claims: &Map<String, Value>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let body = serde_json::to_string(claims).expect("claims are plain data");
    format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), URL_SAFE_NO_PAD.encode(body))
}

/// The claims of a JSON Web Token, whose signature nobody looks at; `None` where it is none.
pub fn claims(token: &str) -> Option<Map<String, Value>> {
    if token.len() > BYTES_MAX {
        return None;
    }
    let mut parts = token.split('.');
    let (head, body, _) = (parts.next()?, parts.next()?, parts.next()?);
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok()?).ok();
    match (read(head)?, read(body)?) {
        (Value::Object(_), Value::Object(claims)) => Some(claims),
        _ => None,
    }
}

/// Issues tokens, and says so in the user.
pub(super) fn issue_in(tx: &mut Tx<'_>, realm: &Realm, user: &mut User, session: &Session) -> Result<Tokens, Error> {
    let now = tx.now();
    user.last_refresh = Some(now);
    store::put_user(tx, realm, user)?;
    let refresh = Refresh {
        project: realm.project.clone(),
        tenant: realm.tenant.clone(),
        uid: user.uid.clone(),
        issued: now.seconds(),
        session: session.clone(),
    };
    let refresh_token = URL_SAFE_NO_PAD.encode(serde_json::to_string(&refresh).expect("a session is plain data"));
    Ok(Tokens { id_token: unsigned(&id_claims(realm, user, session, now)), refresh_token, expires_in: VALID_S })
}

fn id_claims(realm: &Realm, user: &User, session: &Session, now: Time) -> Map<String, Value> {
    let mut identities = Map::new();
    if let Some(email) = &user.email {
        identities.insert("email".into(), json!([email]));
    }
    for provider in user.providers.iter().filter(|provider| provider.id != PASSWORD) {
        if let Some(list) = identities.entry(provider.id.clone()).or_insert_with(|| json!([])).as_array_mut() {
            list.push(json!(provider.raw_id));
        }
    }
    let mut firebase = Map::new();
    let mut claims = Map::new();
    let put = |into: &mut Map<String, Value>, name: &str, value: Option<Value>| {
        if let Some(value) = value {
            into.insert(name.to_owned(), value);
        }
    };
    put(&mut claims, "name", user.display_name.as_ref().map(|name| json!(name)));
    put(&mut claims, "picture", user.photo_url.as_ref().map(|url| json!(url)));
    claims.extend(user.own_claims());
    claims.extend(session.claims.clone());
    put(&mut claims, "email", user.email.as_ref().map(|email| json!(email)));
    put(&mut claims, "email_verified", user.email_verified.map(|verified| json!(verified)));
    put(&mut claims, "phone_number", user.phone.as_ref().map(|phone| json!(phone)));
    put(&mut claims, "provider_id", (session.provider == ANONYMOUS).then(|| json!(ANONYMOUS)));
    put(&mut claims, "auth_time", Some(json!(user.last_login.unwrap_or(now).seconds())));
    put(&mut claims, "user_id", Some(json!(user.uid)));
    put(&mut firebase, "identities", Some(Value::Object(identities)));
    put(&mut firebase, "sign_in_provider", Some(json!(session.provider)));
    put(&mut firebase, "second_factor_identifier", session.second.as_ref().map(|(id, _)| json!(id)));
    put(&mut firebase, "sign_in_second_factor", session.second.as_ref().map(|(_, kind)| json!(kind)));
    put(&mut firebase, "tenant", realm.tenant.as_ref().map(|tenant| json!(tenant)));
    put(&mut firebase, "sign_in_attributes", session.attributes.clone());
    put(&mut claims, "firebase", Some(Value::Object(firebase)));
    for (name, value) in [
        ("iat", json!(now.seconds())),
        ("exp", json!(now.seconds() + VALID_S)),
        ("aud", json!(realm.project)),
        ("iss", json!(format!("https://securetoken.google.com/{}", realm.project))),
        ("sub", json!(user.uid)),
    ] {
        claims.insert(name.to_owned(), value);
    }
    claims
}

/// Whose an ID token is.
pub(super) struct Known {
    pub user: User,
    pub session: Session,
    pub claims: Map<String, Value>,
}

/// Reads an ID token. Fails with `InvalidIdToken` (no token, or too old), `TenantMismatch`, `UserNotFound`, `TokenExpired` (revoked), `Disabled`.
pub(super) fn known_in(tx: &Tx<'_>, realm: &Realm, token: &str) -> Result<Known, Error> {
    let claims = claims(token).ok_or(Error::InvalidIdToken)?;
    let firebase = claims.get("firebase").and_then(Value::as_object).ok_or(Error::InvalidIdToken)?;
    let text = |map: &Map<String, Value>, name: &str| map.get(name).and_then(Value::as_str).map(str::to_owned);
    if text(firebase, "tenant") != realm.tenant {
        return Err(Error::TenantMismatch);
    }
    let uid = text(&claims, "user_id").or_else(|| text(&claims, "sub")).ok_or(Error::InvalidIdToken)?;
    if claims.get("exp").and_then(Value::as_i64).is_some_and(|expires| expires <= tx.now().seconds()) {
        return Err(Error::InvalidIdToken);
    }
    let user = store::user(tx, realm, &uid)?.ok_or(Error::UserNotFound)?;
    let issued = claims.get("iat").and_then(Value::as_i64).unwrap_or_default();
    if user.valid_since.is_some_and(|since| issued < since) {
        return Err(Error::TokenExpired);
    }
    if user.disabled {
        return Err(Error::Disabled);
    }
    let second = text(firebase, "second_factor_identifier").zip(text(firebase, "sign_in_second_factor"));
    let provider = text(firebase, "sign_in_provider").unwrap_or_default();
    Ok(Known { user, session: Session { provider, second, ..Session::default() }, claims })
}

/// Whose a refresh token is. Fails with `InvalidRefreshToken`, `UserNotFound`, `TokenExpired` (revoked), `Disabled`.
pub(super) fn refreshed_in(tx: &Tx<'_>, project: &str, token: &str) -> Result<(Realm, User, Session), Error> {
    let read = |token: &str| serde_json::from_slice::<Refresh>(&URL_SAFE_NO_PAD.decode(token).ok()?).ok();
    let refresh = Some(token).filter(|token| token.len() <= BYTES_MAX).and_then(read).ok_or(Error::InvalidRefreshToken)?;
    if refresh.project != project {
        return Err(Error::InvalidRefreshToken);
    }
    let realm = Realm { project: refresh.project, tenant: refresh.tenant };
    let user = store::user(tx, &realm, &refresh.uid)?.ok_or(Error::UserNotFound)?;
    if user.valid_since.is_some_and(|since| refresh.issued < since) {
        return Err(Error::TokenExpired);
    }
    if user.disabled {
        return Err(Error::Disabled);
    }
    Ok((realm, user, refresh.session))
}

pub(super) fn pending(realm: &Realm, user: &User, session: &Session) -> String {
    let (project, tenant, uid) = (realm.project.clone(), realm.tenant.clone(), user.uid.clone());
    let pending = Pending { project, tenant, uid, session: session.clone(), pending: true };
    URL_SAFE_NO_PAD.encode(serde_json::to_string(&pending).expect("a session is plain data"))
}

pub(super) fn pended_in(tx: &Tx<'_>, realm: &Realm, credential: &str) -> Result<(User, Session), Error> {
    let read = |text: &str| serde_json::from_slice::<Pending>(&URL_SAFE_NO_PAD.decode(text).ok()?).ok();
    let pending = Some(credential).filter(|text| text.len() <= BYTES_MAX).and_then(read).ok_or(Error::InvalidPending)?;
    if pending.project != realm.project || pending.tenant != realm.tenant {
        return Err(Error::PendingElsewhere);
    }
    let user = store::user(tx, realm, &pending.uid)?.ok_or(Error::InvalidPending)?;
    Ok((user, pending.session))
}
