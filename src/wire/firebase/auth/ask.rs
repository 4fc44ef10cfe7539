//! A request, read: its fields, who asks, and whose users it is about.

use http::HeaderMap;
use serde_json::{Map, Value};

use super::fail::Refusal;
use super::route::Route;
use crate::base::Caller;
use crate::services::auth::{Realm, any_base64, token};
use crate::wire::firebase::identity;
use crate::wire::http::header;

/// What is asked.
pub struct Ask {
    pub route: Route,
    /// Of the query, the first of each name.
    pub query: Vec<(String, String)>,
    pub body: Map<String, Value>,
    /// Whether an administrator asks.
    pub privileged: bool,
    /// Where the one who asks finds us: `http://127.0.0.1:9099`.
    pub url: String,
}

impl Ask {
    pub fn new(route: Route, query: &str, headers: &HeaderMap, body: Map<String, Value>) -> Ask {
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let host = header(headers, "host").unwrap_or("127.0.0.1:9099");
        let privileged = identity::token(headers).is_some_and(|token| identity::of_token(token) == Caller::Admin);
        Ask { route, query, body, privileged, url: format!("http://{host}") }
    }

    /// Whether the one who asks may: an administrator about a project that is named, anybody with a key elsewhere.
    pub fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if self.route.op.is_open() || self.privileged {
            return Ok(());
        }
        if self.route.project.is_some() {
            return Err(Refusal::not_admin(headers.contains_key("authorization")));
        }
        let key = self.query("key").or_else(|| header(headers, "x-goog-api-key")).filter(|key| !key.is_empty());
        if key.is_some() { Ok(()) } else { Err(Refusal::no_key()) }
    }

    /// Whose users. Fails where the token is of other ones.
    pub fn realm(&self, own: &str) -> Result<Realm, Refusal> {
        let text = |name: &str| self.text(name);
        let named = self.route.tenant.clone().or_else(|| text("tenantId")).or_else(|| self.query("tenantId").map(str::to_owned));
        let of_token = text("idToken").and_then(|token| {
            let claims = token::claims(&token)?;
            claims.get("firebase")?.get("tenant")?.as_str().map(str::to_owned)
        });
        let of_pending = text("mfaPendingCredential").and_then(|credential| {
            let pending: Value = serde_json::from_slice(&any_base64(&credential)?).ok()?;
            pending.get("tenant")?.as_str().map(str::to_owned)
        });
        if let (Some(named), Some(of_token)) = (&named, &of_token)
            && named != of_token
        {
            return Err(Refusal::bad("TENANT_ID_MISMATCH"));
        }
        let tenant = named.or(of_token).or(of_pending).filter(|tenant| !tenant.is_empty() && !tenant.contains('/'));
        let named = self.route.project.clone().or_else(|| text("targetProjectId").filter(|_| self.privileged));
        Ok(Realm { project: named.unwrap_or_else(|| own.to_owned()), tenant })
    }

    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A field as text, also where a number or a truth value was sent; nothing where it is null.
    pub fn text(&self, name: &str) -> Option<String> {
        text(self.body.get(name)?)
    }

    /// A field that says something.
    pub fn some(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| !text.is_empty())
    }

    /// A field that must say something; without it the answer is `error`.
    pub fn need(&self, name: &str, error: &str) -> Result<String, Refusal> {
        self.some(name).ok_or_else(|| Refusal::bad(error))
    }

    pub fn is(&self, name: &str) -> bool {
        self.truth(name).unwrap_or(false)
    }

    pub fn truth(&self, name: &str) -> Option<bool> {
        truth(self.body.get(name)?)
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The texts of a list.
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(text).collect()
    }

    /// The objects of a list.
    pub fn objects(&self, name: &str) -> impl Iterator<Item = &Map<String, Value>> {
        self.body.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    }
}

/// A scalar as text.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

pub fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// The text of a member.
pub fn member(map: &Map<String, Value>, name: &str) -> Option<String> {
    map.get(name).and_then(text).filter(|text| !text.is_empty())
}

/// Whether a text is a URL that says its scheme and host.
pub fn is_absolute(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.has_host() || !url.cannot_be_a_base())
}
