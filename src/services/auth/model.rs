//! Users and what belongs to them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::password::Secret;
use crate::base::Time;

/// Providers that are not other companies'.
pub const PASSWORD: &str = "password";
pub const PHONE: &str = "phone";
pub const ANONYMOUS: &str = "anonymous";
pub const CUSTOM: &str = "custom";

/// Whose users: a project's own, or those of one of its tenants.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Realm {
    pub project: String,
    pub tenant: Option<String>,
}

impl Realm {
    /// The realm as rows name it. Neither part has a slash.
    pub(super) fn key(&self) -> String {
        match &self.tenant {
            None => self.project.clone(),
            Some(tenant) => format!("{}/{tenant}", self.project),
        }
    }

    /// A project's own users.
    pub fn of(project: &str) -> Realm {
        Realm { project: project.to_owned(), tenant: None }
    }
}

/// A user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    pub uid: String,
    /// In lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `None` for those who never had an address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// The address before the first change, until it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initial_email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password_updated: Option<Time>,
    /// Signs in by links in mails.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub email_link: bool,
    /// Signed in by a token of the project's own once.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub custom_auth: bool,
    /// The user's own claims: JSON of an object, as it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claims: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<Provider>,
    /// Second factors.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub factors: Vec<Factor>,
    pub created: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_login: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refresh: Option<Time>,
    /// Seconds since the epoch: tokens that were issued before are void.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

/// How a user signs in, and who they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provider {
    /// `password`, `phone`, `google.com`, …
    pub id: String,
    /// Who the user is for the provider.
    pub raw_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub federated_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photo_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screen_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// A second factor: a phone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Factor {
    pub id: String,
    pub phone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// ISO 8601.
    pub enrolled: String,
}

impl User {
    /// Brings the list of providers in line with the rest: one for a password or mail links, one for a phone.
    pub(super) fn settle(&mut self) {
        let password = match &self.email {
            Some(email) if self.secret.is_some() || self.email_link => Some(Provider {
                id: PASSWORD.to_owned(),
                raw_id: email.clone(),
                federated_id: Some(email.clone()),
                email: Some(email.clone()),
                display_name: self.display_name.clone(),
                photo_url: self.photo_url.clone(),
                ..Provider::default()
            }),
            _ => None,
        };
        let phone = self.phone.as_ref().map(|phone| Provider {
            id: PHONE.to_owned(),
            raw_id: phone.clone(),
            phone: Some(phone.clone()),
            ..Provider::default()
        });
        for (id, provider) in [(PASSWORD, password), (PHONE, phone)] {
            match provider {
                Some(provider) => self.put_provider(provider),
                None => self.providers.retain(|provider| provider.id != id),
            }
        }
    }

    /// Adds a provider, or takes the place of the one of the same name.
    pub(super) fn put_provider(&mut self, provider: Provider) {
        match self.providers.iter_mut().find(|known| known.id == provider.id) {
            Some(known) => *known = provider,
            None => self.providers.push(provider),
        }
    }

    /// The user's own claims; none where they are no object.
    pub fn own_claims(&self) -> Map<String, Value> {
        match self.claims.as_deref().map(serde_json::from_str) {
            Some(Ok(Value::Object(claims))) => claims,
            _ => Map::new(),
        }
    }
}

/// An address as users are found by it.
pub fn canonical_email(email: &str) -> String {
    email.to_lowercase()
}

/// Whether a text may be an address: something, an `@`, and something without another one. No more is checked, as in Firebase's own emulator.
pub fn is_email(email: &str) -> bool {
    let mut parts = email.split('@');
    let (name, domain, more) = (parts.next(), parts.next(), parts.next());
    email.len() <= 320 && name.is_some_and(|name| !name.is_empty()) && domain.is_some_and(|domain| !domain.is_empty()) && more.is_none()
}

/// Whether a text is a number in E.164: a plus sign, then digits and what may stand between them.
pub fn is_phone(phone: &str) -> bool {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    phone.starts_with('+')
        && phone.len() <= 32
        && digits >= 1
        && phone.bytes().skip(1).all(|b| b.is_ascii_digit() || matches!(b, b' ' | b'-' | b'(' | b')' | b'.'))
}

/// A number with stars in the place of all but its last four digits.
pub fn hidden_phone(phone: &str) -> String {
    let digits = phone.bytes().filter(u8::is_ascii_digit).count();
    let mut seen = 0;
    let hide = |c: char| {
        if !c.is_ascii_digit() {
            return c;
        }
        seen += 1;
        if seen + 4 <= digits { '*' } else { c }
    };
    phone.chars().map(hide).collect()
}
