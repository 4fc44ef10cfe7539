//! Signing in with another company's identity. Who somebody is there is taken at its word: nobody is asked, and no signature is looked at.

use serde_json::{Map, Value, json};

use super::account::new_uid;
use super::blocking::Context;
use super::settings::enabled;
use super::sign_in::{Candidate, Signed, candidate};
use super::token::Session;
use super::{Auth, Error, Provider, Realm, User, canonical_email, is_email, store, token};
use crate::base::Call;
use crate::store::Tx;

/// What a provider's token or answer says.
#[derive(Clone, Debug, Default)]
pub struct Assertion {
    /// `google.com`, `saml.acme`, …, in lower case.
    pub provider: String,
    /// Claims of the provider's ID token; `sub` is there.
    pub claims: Map<String, Value>,
    /// What stands for a SAML answer: `{assertion: {subject: {nameId}, attributeStatements}}`.
    pub saml: Option<Value>,
    pub id_token: Option<String>,
    pub access_token: Option<String>,
}

/// Who somebody is for a provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Identity {
    pub provider: String,
    pub raw_id: String,
    pub federated_id: String,
    pub email: Option<String>,
    pub email_verified: bool,
    pub display_name: Option<String>,
    pub photo_url: Option<String>,
    pub screen_name: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    /// All that the provider said, as JSON.
    pub raw_user: Option<String>,
    pub attributes: Option<Value>,
    pub id_token: Option<String>,
    pub access_token: String,
}

/// How it went.
#[derive(Clone, Debug)]
pub enum Outcome {
    In {
        signed: Box<Signed>,
        /// Somebody else had the address at the same provider before.
        recycled: bool,
    },
    /// A user has the address, and the provider does not say that it was verified: they have to sign in as they used to first.
    Confirm { uid: String, providers: Vec<String> },
}

impl Identity {
    /// Reads what a provider says.
    pub fn of(assertion: Assertion) -> Identity {
        let Assertion { provider, claims, saml, id_token, access_token } = assertion;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let raw_id = text("sub").unwrap_or_default();
        let email = text("email").filter(|email| !email.is_empty()).map(|email| canonical_email(&email));
        // Some say it as text.
        let verified = claims.get("email_verified").is_some_and(|value| value == &json!(true) || value == &json!("true"));
        let mut identity = Identity {
            federated_id: raw_id.clone(),
            raw_id,
            email,
            email_verified: verified,
            display_name: text("name"),
            photo_url: text("picture"),
            screen_name: text("screen_name"),
            raw_user: Some(Value::Object(claims.clone()).to_string()),
            id_token,
            access_token: access_token.unwrap_or_else(|| format!("FirebaseAuthEmulatorFakeAccessToken_{provider}")),
            provider,
            ..Identity::default()
        };
        if identity.provider == "google.com" {
            identity.federated_id = format!("https://accounts.google.com/{}", identity.raw_id);
            (identity.first_name, identity.last_name) = (text("given_name"), text("family_name"));
            identity.raw_user = Some(google(&identity).to_string());
        } else if identity.provider.starts_with("saml.") {
            let assertion = saml.as_ref().and_then(|saml| saml.get("assertion"));
            let name = assertion.and_then(|assertion| assertion.pointer("/subject/nameId")).and_then(Value::as_str);
            identity.email = name.filter(|name| is_email(name)).map(canonical_email).or(identity.email);
            identity.email_verified = true;
            identity.attributes = assertion.and_then(|assertion| assertion.get("attributeStatements")).cloned();
            identity.raw_user = identity.attributes.as_ref().map(Value::to_string);
        }
        identity
    }

    fn provider(&self) -> Provider {
        Provider {
            id: self.provider.clone(),
            raw_id: self.raw_id.clone(),
            // As production has it.
            federated_id: Some(self.raw_id.clone()),
            email: self.email.clone(),
            display_name: self.display_name.clone(),
            photo_url: self.photo_url.clone(),
            screen_name: self.screen_name.clone(),
            phone: None,
        }
    }
}

/// What Google says of a user.
fn google(identity: &Identity) -> Value {
    let mut scopes = "openid https://www.googleapis.com/auth/userinfo.profile".to_owned();
    if identity.email.is_some() {
        scopes.push_str(" https://www.googleapis.com/auth/userinfo.email");
    }
    let all = [
        ("granted_scopes", Some(json!(scopes))),
        ("id", Some(json!(identity.raw_id))),
        ("name", identity.display_name.as_ref().map(|name| json!(name))),
        ("given_name", identity.first_name.as_ref().map(|name| json!(name))),
        ("family_name", identity.last_name.as_ref().map(|name| json!(name))),
        ("verified_email", Some(json!(identity.email_verified))),
        ("locale", Some(json!("en"))),
        ("email", identity.email.as_ref().map(|email| json!(email))),
        ("picture", identity.photo_url.as_ref().map(|url| json!(url))),
    ];
    Value::Object(all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
}

/// Who it is, and whether the address was somebody else's before; or who has to confirm it.
enum Whose {
    User { user: Box<User>, is_new: bool, recycled: bool },
    Confirm { uid: String, providers: Vec<String> },
}

impl Auth {
    /// Signs somebody in; with an ID token, gives that user the identity. Fails with `AlreadyLinked`, `EmailExists`, `Disabled`.
    pub async fn sign_in_with_identity(
        &self,
        call: &Call,
        realm: &Realm,
        identity: &Identity,
        id_token: Option<String>,
    ) -> Result<Outcome, Error> {
        let (uid, of) = (new_uid(self.db.ids()), realm.clone());
        let found = self.db.read(call, |tx| whose(tx, realm, identity, id_token.as_deref(), &uid)).await?;
        let recycled = match found {
            Whose::Confirm { uid, providers } => return Ok(Outcome::Confirm { uid, providers }),
            Whose::User { recycled, .. } => recycled,
        };
        let identity = identity.clone();
        let signed = self.sign_in(call, realm, move |tx, _| match whose(tx, &of, &identity, id_token.as_deref(), &uid)? {
            Whose::User { mut user, is_new, .. } => {
                user.put_provider(identity.provider());
                let context = Context {
                    method: identity.provider.clone(),
                    second_factor: None,
                    raw_user: identity.raw_user.clone(),
                    attributes: identity.attributes.clone(),
                    oauth_id_token: identity.id_token.clone(),
                    oauth_access_token: Some(identity.access_token.clone()),
                };
                let session = Session { attributes: identity.attributes.clone(), ..Session::by(&identity.provider) };
                Ok(Candidate { session, context, ..candidate(*user, is_new, &identity.provider, &identity.provider) })
            }
            Whose::Confirm { .. } => Err(Error::EmailExists),
        });
        Ok(Outcome::In { signed: Box::new(signed.await?), recycled })
    }
}

fn whose(tx: &Tx<'_>, realm: &Realm, identity: &Identity, id_token: Option<&str>, uid: &str) -> Result<Whose, Error> {
    let rules = enabled(tx, realm)?;
    let linked = store::by_identity(tx, realm, &identity.provider, &identity.raw_id)?;
    let by_email = match identity.email.as_deref().filter(|_| rules.one_per_email) {
        Some(email) => store::by_email(tx, realm, email)?,
        None => None,
    };
    if let Some(id_token) = id_token {
        let mut user = token::known_in(tx, realm, id_token)?.user;
        if linked.is_some() {
            return Err(Error::AlreadyLinked);
        }
        if by_email.is_some_and(|other| other.uid != user.uid) {
            return Err(Error::EmailExists);
        }
        if rules.one_per_email && user.email.is_none() && identity.email.is_some() {
            (user.email, user.email_verified) = (identity.email.clone(), Some(identity.email_verified));
        }
        if identity.email_verified && user.email.is_some() && user.email == identity.email {
            user.email_verified = Some(true);
        }
        return Ok(Whose::User { user: Box::new(user), is_new: false, recycled: false });
    }
    match (linked, by_email) {
        (Some(user), _) => Ok(Whose::User { user: Box::new(user), is_new: false, recycled: false }),
        (None, Some(user)) if !identity.email_verified => {
            let own = |provider: &&Provider| !super::account::is_derived(&provider.id);
            let providers = user.providers.iter().filter(own).map(|provider| provider.id.clone()).collect();
            Ok(Whose::Confirm { uid: user.uid, providers })
        }
        (None, Some(mut user)) => {
            let recycled = user.providers.iter().any(|known| known.id == identity.provider && known.raw_id != identity.raw_id);
            if user.email_verified != Some(true) {
                // Nobody has shown that the address is theirs: what there is may be somebody else's.
                (user.secret, user.phone) = (None, None);
                user.valid_since = Some(tx.now().seconds());
                user.providers.clear();
            }
            describe(&mut user, identity);
            user.email_verified = Some(true);
            Ok(Whose::User { user: Box::new(user), is_new: false, recycled })
        }
        (None, None) => {
            let mut user = User { uid: uid.to_owned(), created: tx.now(), ..User::default() };
            describe(&mut user, identity);
            if rules.one_per_email && identity.email.is_some() {
                (user.email, user.email_verified) = (identity.email.clone(), Some(identity.email_verified));
            }
            Ok(Whose::User { user: Box::new(user), is_new: true, recycled: false })
        }
    }
}

fn describe(user: &mut User, identity: &Identity) {
    user.display_name.clone_from(&identity.display_name);
    user.photo_url.clone_from(&identity.photo_url);
    user.screen_name.clone_from(&identity.screen_name);
}
