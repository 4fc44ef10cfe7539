//! Second factors: phones.

use super::blocking::{Context, Moment};
use super::codes::{new_phone_code, prove_phone};
use super::model::{ANONYMOUS, CUSTOM, PHONE};
use super::settings::enabled;
use super::token::{self, Session, Tokens};
use super::{Auth, Error, Factor, Realm, User, is_phone};
use crate::base::{Call, Ids, Time};
use crate::store::Tx;

/// Second factors of a user at most.
const FACTORS_MAX: usize = 10;
const ID_BYTES: usize = 21;

/// Checks factors that an administrator sets. Where `ids` are given, each gets an identifier. Fails with `InvalidFactorPhone`,
/// `MissingFactorId`, `DuplicateFactor`.
pub(super) fn checked(factors: Vec<Factor>, ids: Option<&Ids>, now: Time) -> Result<Vec<Factor>, Error> {
    let mut checked: Vec<Factor> = Vec::new();
    for mut factor in factors.into_iter().take(FACTORS_MAX) {
        if !is_phone(&factor.phone) {
            return Err(Error::InvalidFactorPhone);
        }
        if checked.iter().any(|known| known.phone == factor.phone) {
            continue;
        }
        if let Some(ids) = ids {
            factor.id = new_id(ids);
        }
        if factor.id.is_empty() {
            return Err(Error::MissingFactorId);
        }
        if checked.iter().any(|known| known.id == factor.id) {
            return Err(Error::DuplicateFactor);
        }
        if factor.enrolled.is_empty() {
            factor.enrolled = now.iso();
        }
        checked.push(factor);
    }
    Ok(checked)
}

pub(super) fn new_id(ids: &Ids) -> String {
    super::codes::random(ids, ID_BYTES)
}

impl Auth {
    /// Sends a code to a phone that is to be a second factor. Fails with `FactorsDisabled`, `FactorUnsupported`, `UnverifiedEmail`,
    /// `InvalidPhone`, `FactorExists`.
    pub async fn start_enrollment(&self, call: &Call, realm: &Realm, id_token: &str, phone: &str) -> Result<String, Error> {
        let (realm, id_token, phone) = (realm.clone(), id_token.to_owned(), phone.to_owned());
        let code = self
            .db
            .write(call, move |tx| {
                let (user, _) = enrolling(tx, &realm, &id_token)?;
                if user.email_verified != Some(true) {
                    return Err(Error::UnverifiedEmail);
                }
                if !is_phone(&phone) {
                    return Err(Error::InvalidPhone);
                }
                new_factor(&user, &phone)?;
                new_phone_code(tx, &realm, &phone, false)
            })
            .await?;
        Ok(self.sent(call, code))
    }

    /// Makes a phone a second factor, by the code that was sent to it.
    pub async fn finish_enrollment(
        &self,
        call: &Call,
        realm: &Realm,
        id_token: &str,
        (session_info, code): (&str, &str),
        display_name: Option<String>,
    ) -> Result<Tokens, Error> {
        let (realm, id_token) = (realm.clone(), id_token.to_owned());
        let (session_info, code) = (session_info.to_owned(), code.to_owned());
        self.db
            .write(call, move |tx| {
                let (mut user, session) = enrolling(tx, &realm, &id_token)?;
                let phone = prove_phone(tx, &realm, &session_info, &code)?;
                new_factor(&user, &phone)?;
                let factor = Factor { id: new_id(tx.ids()), phone, display_name, enrolled: tx.now().iso() };
                let session = Session { second: Some((factor.id.clone(), PHONE.to_owned())), ..session };
                user.factors.push(factor);
                token::issue_in(tx, &realm, &mut user, &session)
            })
            .await
    }

    /// Takes a second factor away. Fails with `FactorNotFound`.
    pub async fn withdraw(&self, call: &Call, realm: &Realm, id_token: &str, factor: &str) -> Result<Tokens, Error> {
        let (realm, id_token, factor) = (realm.clone(), id_token.to_owned(), factor.to_owned());
        self.db
            .write(call, move |tx| {
                enabled(tx, &realm)?;
                let known = token::known_in(tx, &realm, &id_token)?;
                let mut user = known.user;
                let before = user.factors.len();
                user.factors.retain(|known| known.id != factor);
                if user.factors.len() == before {
                    return Err(Error::FactorNotFound);
                }
                token::issue_in(tx, &realm, &mut user, &Session { second: None, ..known.session })
            })
            .await
    }

    /// Sends a code to the second factor of somebody who has shown the first.
    pub async fn start_second(&self, call: &Call, realm: &Realm, pending: &str, factor: &str) -> Result<String, Error> {
        let (realm, pending, factor) = (realm.clone(), pending.to_owned(), factor.to_owned());
        let code = self
            .db
            .write(call, move |tx| {
                allowed(tx, &realm)?;
                let (user, _) = token::pended_in(tx, &realm, &pending)?;
                let factor = user.factors.iter().find(|known| known.id == factor).ok_or(Error::FactorNotFound)?;
                new_phone_code(tx, &realm, &factor.phone, false)
            })
            .await?;
        Ok(self.sent(call, code))
    }

    /// Signs somebody in who has shown both factors. Fails with `InvalidSession`, `InvalidCode`, `FactorNotFound`, `Disabled`, `Blocked`.
    pub async fn finish_second(
        &self,
        call: &Call,
        realm: &Realm,
        pending: &str,
        (session_info, code): (&str, &str),
    ) -> Result<Tokens, Error> {
        let answer = if self.asks(realm, Moment::SignIn) {
            let (user, session) = self.db.read(call, |tx| token::pended_in(tx, realm, pending)).await?;
            let context = Context { method: session.provider, second_factor: Some(PHONE.to_owned()), ..Context::default() };
            self.ask(call, realm, Moment::SignIn, &user, &context).await?
        } else {
            Default::default()
        };
        let (realm, pending) = (realm.clone(), pending.to_owned());
        let (session_info, code) = (session_info.to_owned(), code.to_owned());
        self.db
            .write(call, move |tx| {
                allowed(tx, &realm)?;
                let phone = prove_phone(tx, &realm, &session_info, &code)?;
                let (mut user, mut session) = token::pended_in(tx, &realm, &pending)?;
                let factor = user.factors.iter().find(|known| known.phone == phone).ok_or(Error::FactorNotFound)?;
                session.second = Some((factor.id.clone(), PHONE.to_owned()));
                session.claims.extend(answer.session_claims.clone());
                answer.apply(&mut user)?;
                if user.disabled {
                    return Err(Error::Disabled);
                }
                user.last_login = Some(tx.now());
                token::issue_in(tx, &realm, &mut user, &session)
            })
            .await
    }
}

fn allowed(tx: &Tx<'_>, realm: &Realm) -> Result<(), Error> {
    if enabled(tx, realm)?.factors { Ok(()) } else { Err(Error::FactorsDisabled) }
}

fn enrolling(tx: &Tx<'_>, realm: &Realm, id_token: &str) -> Result<(User, Session), Error> {
    allowed(tx, realm)?;
    let known = token::known_in(tx, realm, id_token)?;
    if [ANONYMOUS, PHONE, CUSTOM, "gc.apple.com"].contains(&known.session.provider.as_str()) {
        return Err(Error::FactorUnsupported);
    }
    Ok((known.user, known.session))
}

fn new_factor(user: &User, phone: &str) -> Result<(), Error> {
    let exists = user.factors.len() >= FACTORS_MAX || user.factors.iter().any(|known| known.phone == phone);
    if exists { Err(Error::FactorExists) } else { Ok(()) }
}

/// Whether somebody has yet to show a second factor.
pub(super) fn is_needed(tx: &Tx<'_>, realm: &Realm, user: &User) -> Result<bool, Error> {
    Ok(!user.factors.is_empty() && super::settings::rules(tx, realm)?.factors)
}
