//! Changes of users: by themselves, by an administrator, and by those who follow a link that was mailed.

use super::account::{free_email, free_phone, is_derived, set_secret};
use super::codes::{Code, Purpose, Sent, new_code, valid_code};
use super::model::{ANONYMOUS, PASSWORD, PHONE};
use super::settings::enabled;
use super::token::{Session, Tokens};
use super::{Auth, Error, Factor, Provider, Realm, Secret, User, factor, store, token};
use crate::base::{Call, Time};
use crate::store::Tx;

/// Characters of a user's own claims at most.
const CLAIMS_CHARS_MAX: usize = 1_000;
/// Claims that are Firebase's. Source: "Create custom tokens", reserved names.
const RESERVED: [&str; 16] =
    ["iss", "aud", "sub", "iat", "exp", "nbf", "jti", "nonce", "azp", "acr", "amr", "cnf", "auth_time", "firebase", "at_hash", "c_hash"];

/// What to change; what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct Change {
    pub email: Option<String>,
    pub password: Option<String>,
    pub display_name: Option<String>,
    pub photo_url: Option<String>,
    /// Fields to empty.
    pub no_display_name: bool,
    pub no_photo_url: bool,
    pub no_password: bool,
    pub no_email: bool,
    /// Providers to take away.
    pub delete_providers: Vec<String>,
    pub link: Option<Provider>,
    /// Second factors; with none, they are taken away.
    pub factors: Option<Vec<Factor>>,
    /// What only administrators may change.
    pub email_verified: Option<bool>,
    pub phone: Option<String>,
    pub disabled: Option<bool>,
    pub claims: Option<String>,
    pub created: Option<Time>,
    pub last_login: Option<Time>,
    pub valid_since: Option<i64>,
}

/// Whose user is to be changed, and who asks.
#[derive(Clone, Debug)]
pub enum Update {
    /// An administrator.
    Uid(String, Box<Change>),
    /// The user; `recover` is what a link begins and ends with by which a former address can be had back.
    Token { id_token: String, change: Box<Change>, privileged: bool },
    /// Whoever has a code that was mailed.
    Code(String),
}

/// A user who was changed.
#[derive(Clone, Debug)]
pub struct Updated {
    pub user: User,
    pub new_email: Option<String>,
    /// New tokens, where the old ones are void.
    pub tokens: Option<Tokens>,
}

impl Auth {
    /// Changes a user. `recover` is what a link begins and ends with by which a former address can be had back.
    pub async fn update(&self, call: &Call, realm: &Realm, update: Update, recover: (String, String)) -> Result<Updated, Error> {
        let password = match &update {
            Update::Uid(_, change) | Update::Token { change, .. } => change.password.as_deref(),
            Update::Code(_) => None,
        };
        let secret = self.hashed(password).await?;
        let realm = realm.clone();
        let (updated, code) = self
            .db
            .write(call, move |tx| {
                enabled(tx, &realm)?;
                match update {
                    Update::Code(code) => Ok::<_, Error>((by_code(tx, &realm, &code)?, None)),
                    Update::Uid(uid, change) => {
                        let user = store::user(tx, &realm, &uid)?.ok_or(Error::UserNotFound)?;
                        changed(tx, &realm, Changing { user, session: None, change: *change, secret, privileged: true }, &recover)
                    }
                    Update::Token { id_token, change, privileged } => {
                        let known = token::known_in(tx, &realm, &id_token)?;
                        let session = Some(known.session);
                        changed(tx, &realm, Changing { user: known.user, session, change: *change, secret, privileged }, &recover)
                    }
                }
            })
            .await?;
        if let Some(code) = &code {
            self.told(call, Sent::Mail(code));
        }
        Ok(updated)
    }

    /// Gives a user another password, by a code that was mailed; without one, only says what the code is for. Fails with `PasswordDisabled`,
    /// `InvalidOob`, `WeakPassword`.
    pub async fn reset_password(&self, call: &Call, realm: &Realm, code: &str, password: Option<&str>) -> Result<Code, Error> {
        let secret = self.hashed(password).await?;
        let (realm, code) = (realm.clone(), code.to_owned());
        self.db
            .write(call, move |tx| {
                if !enabled(tx, &realm)?.password {
                    return Err(Error::PasswordDisabled);
                }
                let code = valid_code(tx, &realm, &code)?;
                let Some(secret) = secret else { return Ok(code) };
                if code.purpose != Purpose::ResetPassword {
                    return Err(Error::InvalidOob);
                }
                let mut user = store::by_email(tx, &realm, &code.email)?.ok_or(Error::InvalidOob)?;
                store::remove_code(tx, &code.code)?;
                user.email_verified = Some(true);
                user.providers.clear();
                set_secret(&mut user, secret, tx.now());
                store::put_user(tx, &realm, &mut user)?;
                Ok(code)
            })
            .await
    }
}

struct Changing {
    user: User,
    session: Option<Session>,
    change: Change,
    secret: Option<Secret>,
    privileged: bool,
}

fn changed(tx: &mut Tx<'_>, realm: &Realm, changing: Changing, recover: &(String, String)) -> Result<(Updated, Option<Code>), Error> {
    let Changing { mut user, session, change, secret, privileged } = changing;
    let now = tx.now();
    let mut by = session;
    let (mut new_email, mut moved, mut void) = (None, false, false);
    if let Some(email) = change.email.filter(|email| !email.is_empty()) {
        let wanted = super::canonical_email(&email);
        if user.email.as_ref() != Some(&wanted) {
            let free = free_email(tx, realm, &email)?;
            let anonymous = by.as_ref().is_some_and(|session| session.provider == ANONYMOUS);
            if !anonymous && user.initial_email.is_none() {
                user.initial_email.clone_from(&user.email);
            }
            user.email = Some(free);
            user.email_verified = Some(false);
            (moved, void) = (!anonymous, true);
        } else if !super::is_email(&email) {
            return Err(Error::InvalidEmail);
        }
        new_email = Some(wanted);
    }
    if let Some(secret) = secret {
        set_secret(&mut user, secret, now);
        void = true;
        by = Some(Session { provider: PASSWORD.to_owned(), ..by.unwrap_or_default() });
    }
    if void {
        user.valid_since = Some(now.seconds());
    }
    if let Some(factors) = change.factors {
        user.factors = factor::checked(factors, None, now)?;
    }
    if let Some(name) = change.display_name {
        user.display_name = Some(name);
    }
    if let Some(url) = change.photo_url {
        user.photo_url = Some(url);
    }
    if privileged {
        if let Some(phone) = change.phone.filter(|phone| !phone.is_empty() && Some(phone) != user.phone.as_ref()) {
            user.phone = Some(free_phone(tx, realm, &phone)?);
        }
        if let Some(claims) = change.claims {
            check_claims(&claims)?;
            user.claims = Some(claims);
        }
        user.disabled = change.disabled.unwrap_or(user.disabled);
        user.email_verified = change.email_verified.or(user.email_verified);
        user.created = change.created.unwrap_or(user.created);
        user.last_login = change.last_login.or(user.last_login);
        if let Some(since) = change.valid_since {
            user.valid_since = Some(since);
        }
    }
    let no_password_provider = change.delete_providers.iter().any(|provider| provider == PASSWORD);
    if change.no_display_name {
        user.display_name = None;
    }
    if change.no_photo_url {
        user.photo_url = None;
    }
    if change.no_password || no_password_provider {
        user.secret = None;
    }
    if change.no_email || no_password_provider {
        (user.email, user.email_verified, user.email_link) = (None, None, false);
    }
    if change.delete_providers.iter().any(|provider| provider == PHONE) {
        user.phone = None;
    }
    user.providers.retain(|provider| !change.delete_providers.contains(&provider.id));
    if let Some(link) = change.link.filter(|link| !is_derived(&link.id)) {
        if link.id.is_empty() {
            return Err(Error::MissingProvider);
        }
        if link.raw_id.is_empty() {
            return Err(Error::MissingRawId);
        }
        if store::by_identity(tx, realm, &link.id, &link.raw_id)?.is_some_and(|other| other.uid != user.uid) {
            return Err(Error::AlreadyLinked);
        }
        user.put_provider(link);
    }
    store::put_user(tx, realm, &mut user)?;
    let code = match user.initial_email.clone().filter(|_| moved) {
        Some(email) => Some(new_code(tx, realm, Purpose::RecoverEmail, &email, None, recover)?),
        None => None,
    };
    let tokens = match by.filter(|_| void) {
        Some(session) => Some(token::issue_in(tx, realm, &mut user, &session)?),
        None => None,
    };
    Ok((Updated { user, new_email, tokens }, code))
}

fn by_code(tx: &mut Tx<'_>, realm: &Realm, code: &str) -> Result<Updated, Error> {
    let code = valid_code(tx, realm, code)?;
    let mut new_email = None;
    let mut user = match code.purpose {
        Purpose::VerifyEmail => {
            let mut user = store::by_email(tx, realm, &code.email)?.ok_or(Error::InvalidOob)?;
            user.email_verified = Some(true);
            user
        }
        Purpose::ChangeEmail => {
            let mut user = store::by_email(tx, realm, &code.email)?.ok_or(Error::InvalidOob)?;
            let email = code.new_email.clone().ok_or(Error::InvalidOob)?;
            let email = free_email(tx, realm, &email)?;
            user.initial_email = user.initial_email.take().or(user.email.take());
            (user.email, user.email_verified) = (Some(email.clone()), Some(true));
            user.valid_since = Some(tx.now().seconds());
            new_email = Some(email);
            user
        }
        Purpose::RecoverEmail => {
            let mut user = store::by_initial_email(tx, realm, &code.email)?.ok_or(Error::InvalidOob)?;
            user.email = Some(free_email(tx, realm, &code.email)?);
            user.email_verified = Some(true);
            user.initial_email = None;
            user
        }
        Purpose::SignIn | Purpose::ResetPassword => return Err(Error::InvalidOob),
    };
    store::remove_code(tx, &code.code)?;
    store::put_user(tx, realm, &mut user)?;
    Ok(Updated { user, new_email, tokens: None })
}

/// Whether a text may be a user's own claims. Fails with `ClaimsTooLarge`, `InvalidClaims`, `ReservedClaim`.
pub(super) fn check_claims(text: &str) -> Result<(), Error> {
    if text.chars().count() > CLAIMS_CHARS_MAX {
        return Err(Error::ClaimsTooLarge);
    }
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(claims)) => check_names(claims.keys()),
        _ => Err(Error::InvalidClaims),
    }
}

/// Whether claims may have these names. Fails with `ReservedClaim`.
pub(super) fn check_names<'a>(names: impl Iterator<Item = &'a String>) -> Result<(), Error> {
    let names: Vec<&String> = names.collect();
    // In the order of the reserved ones, as Firebase says the first.
    match RESERVED.iter().find(|reserved| names.iter().any(|name| name == *reserved)) {
        Some(reserved) => Err(Error::ReservedClaim((*reserved).to_owned())),
        None => Ok(()),
    }
}
