//! Users made, found and removed by an administrator, or by themselves.

use super::model::{PASSWORD, PHONE};
use super::settings::enabled;
use super::{Auth, Error, Factor, Realm, Secret, User, canonical_email, factor, is_email, is_phone, store, token};
use crate::base::{Call, Ids, Time};
use crate::store::Tx;

/// Characters of a password at least.
const PASSWORD_CHARS_MIN: usize = 6;
/// Bytes of a password at most: more is no password, and all of it is hashed.
const PASSWORD_BYTES_MAX: usize = 4_096;
/// Bytes of an identifier at most.
const UID_BYTES_MAX: usize = 128;
/// Characters of an identifier that emu makes.
const UID_CHARS: usize = 28;

/// A user to make, as an administrator says it.
#[derive(Clone, Debug, Default)]
pub struct New {
    pub uid: Option<String>,
    pub email: Option<String>,
    pub email_verified: bool,
    pub password: Option<String>,
    pub display_name: Option<String>,
    pub photo_url: Option<String>,
    pub phone: Option<String>,
    pub disabled: bool,
    /// Second factors; they get identifiers.
    pub factors: Option<Vec<Factor>>,
}

/// Which user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pick {
    Uid(String),
    Email(String),
    Phone(String),
    Identity { provider: String, raw_id: String },
}

/// Users, and where the next page begins.
#[derive(Clone, Debug, Default)]
pub struct Found {
    pub users: Vec<User>,
    pub next: Option<String>,
}

/// Users that one page may have.
const PAGE_MAX: usize = 100_000;

impl Auth {
    /// Makes a user. Fails with `DuplicateUid`, `InvalidEmail`, `EmailExists`, `InvalidPhone`, `PhoneExists`, `WeakPassword`, and as second
    /// factors do.
    pub async fn create(&self, call: &Call, realm: &Realm, new: New) -> Result<User, Error> {
        let secret = self.hashed(new.password.as_deref()).await?;
        let realm = realm.clone();
        self.db
            .write(call, move |tx| {
                let now = tx.now();
                enabled(tx, &realm)?;
                let uid = new.uid.clone().unwrap_or_else(|| new_uid(tx.ids()));
                check_uid(&uid)?;
                if store::user(tx, &realm, &uid)?.is_some() {
                    return Err(Error::DuplicateUid);
                }
                let mut user = User {
                    uid,
                    display_name: new.display_name,
                    photo_url: new.photo_url,
                    email_verified: Some(new.email_verified),
                    disabled: new.disabled,
                    created: now,
                    ..User::default()
                };
                if let Some(email) = new.email.filter(|email| !email.is_empty()) {
                    user.email = Some(free_email(tx, &realm, &email)?);
                }
                if let Some(phone) = new.phone.filter(|phone| !phone.is_empty()) {
                    user.phone = Some(free_phone(tx, &realm, &phone)?);
                }
                if let Some(secret) = secret {
                    set_secret(&mut user, secret, now);
                }
                if let Some(factors) = new.factors {
                    user.factors = factor::checked(factors, Some(tx.ids()), now)?;
                }
                store::create(tx, &realm, &mut user)?;
                Ok(user)
            })
            .await
    }

    /// The users that are meant, each once, in the order in which they are named.
    pub async fn find(&self, call: &Call, realm: &Realm, picks: &[Pick]) -> Result<Vec<User>, Error> {
        self.db
            .read(call, |tx| {
                enabled(tx, realm)?;
                let mut found: Vec<User> = Vec::new();
                for pick in picks {
                    let user = match pick {
                        Pick::Uid(uid) => store::user(tx, realm, uid)?,
                        Pick::Email(email) => store::by_email(tx, realm, &canonical_email(email))?,
                        Pick::Phone(phone) => store::by_phone(tx, realm, phone)?,
                        Pick::Identity { provider, raw_id } => store::by_identity(tx, realm, provider, raw_id)?,
                    };
                    found.extend(user.filter(|user| !found.iter().any(|known| known.uid == user.uid)));
                }
                Ok(found)
            })
            .await
    }

    /// The user whose ID token this is. Fails as ID tokens do.
    pub async fn whoami(&self, call: &Call, realm: &Realm, id_token: &str) -> Result<User, Error> {
        self.db
            .read(call, |tx| {
                enabled(tx, realm)?;
                Ok(token::known_in(tx, realm, id_token)?.user)
            })
            .await
    }

    /// A page of users in the order of their identifiers.
    pub async fn list(&self, call: &Call, realm: &Realm, after: &str, limit: usize) -> Result<Found, Error> {
        let limit = limit.min(PAGE_MAX);
        self.db
            .read(call, |tx| {
                enabled(tx, realm)?;
                let users = store::users(tx, realm, after, limit)?;
                let next = users.last().filter(|_| users.len() >= limit).map(|user| user.uid.clone());
                Ok(Found { users, next })
            })
            .await
    }

    /// How many users there are.
    pub async fn count(&self, call: &Call, realm: &Realm) -> Result<u64, Error> {
        self.db.read(call, |tx| store::count(tx, realm)).await
    }

    /// Removes a user, who is told of. Fails with `UserNotFound`.
    pub async fn delete(&self, call: &Call, realm: &Realm, uid: &str) -> Result<(), Error> {
        let (realm, uid) = (realm.clone(), uid.to_owned());
        self.db
            .write(call, move |tx| {
                enabled(tx, &realm)?;
                let user = store::user(tx, &realm, &uid)?.ok_or(Error::UserNotFound)?;
                store::remove(tx, &realm, &user)
            })
            .await
    }

    /// Removes the user whose ID token this is. Fails as ID tokens do.
    pub async fn leave(&self, call: &Call, realm: &Realm, id_token: &str) -> Result<(), Error> {
        let (realm, id_token) = (realm.clone(), id_token.to_owned());
        self.db
            .write(call, move |tx| {
                enabled(tx, &realm)?;
                let user = token::known_in(tx, &realm, &id_token)?.user;
                store::remove(tx, &realm, &user)
            })
            .await
    }

    /// Removes users that are disabled, or all that are named where `force`d; answers the places of those that stay.
    pub async fn delete_many(&self, call: &Call, realm: &Realm, uids: Vec<String>, force: bool) -> Result<Vec<usize>, Error> {
        let realm = realm.clone();
        self.db
            .write(call, move |tx| {
                let mut kept = Vec::new();
                for (at, uid) in uids.iter().enumerate() {
                    match store::user(tx, &realm, uid)? {
                        Some(user) if user.disabled || force => store::remove(tx, &realm, &user)?,
                        Some(_) => kept.push(at),
                        None => {}
                    }
                }
                Ok(kept)
            })
            .await
    }

    /// Removes everybody without a word: a test begins anew.
    pub async fn clear(&self, call: &Call, realm: &Realm) -> Result<(), Error> {
        let realm = realm.clone();
        self.db.write(call, move |tx| store::clear(tx, &realm)).await
    }

    /// What is kept of a password, made on a thread of its own. Fails with `WeakPassword`.
    pub(super) async fn hashed(&self, password: Option<&str>) -> Result<Option<Secret>, Error> {
        let Some(password) = password.filter(|password| !password.is_empty()) else { return Ok(None) };
        check_password(password)?;
        let (password, ids) = (password.to_owned(), self.db.ids().clone());
        let made = tokio::task::spawn_blocking(move || Secret::of(&password, &ids)).await;
        made.map(Some).map_err(|error| Error::Store(error.to_string()))
    }
}

pub(super) fn check_password(password: &str) -> Result<(), Error> {
    let fits = password.chars().count() >= PASSWORD_CHARS_MIN && password.len() <= PASSWORD_BYTES_MAX;
    if fits { Ok(()) } else { Err(Error::WeakPassword) }
}

pub(super) fn set_secret(user: &mut User, secret: Secret, now: Time) {
    user.secret = Some(secret);
    user.password_updated = Some(now);
    user.valid_since = Some(now.seconds());
}

pub(super) fn check_uid(uid: &str) -> Result<(), Error> {
    if uid.is_empty() {
        return Err(Error::MissingUid);
    }
    if uid.len() > UID_BYTES_MAX { Err(Error::UnexpectedUid) } else { Ok(()) }
}

pub(super) fn new_uid(ids: &Ids) -> String {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut bytes = [0; UID_CHARS];
    ids.fill(&mut bytes);
    bytes.iter().map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()])).collect()
}

/// The address as it is kept, if nobody has it.
pub(super) fn free_email(tx: &Tx<'_>, realm: &Realm, email: &str) -> Result<String, Error> {
    if !is_email(email) {
        return Err(Error::InvalidEmail);
    }
    let email = canonical_email(email);
    if store::by_email(tx, realm, &email)?.is_some() { Err(Error::EmailExists) } else { Ok(email) }
}

pub(super) fn free_phone(tx: &Tx<'_>, realm: &Realm, phone: &str) -> Result<String, Error> {
    if !is_phone(phone) {
        return Err(Error::InvalidPhone);
    }
    if store::by_phone(tx, realm, phone)?.is_some() { Err(Error::PhoneExists) } else { Ok(phone.to_owned()) }
}

/// Whether a provider follows from the rest of the user.
pub(super) fn is_derived(provider: &str) -> bool {
    provider == PASSWORD || provider == PHONE
}
