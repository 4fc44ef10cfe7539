//! Signing up and signing in.
//!
//! Each way finds a [`Candidate`]: who signs in, and what changes of them. Where functions are to be asked first it is found twice: in a
//! read, to have something to ask about, and again in the write, for the world may have changed meanwhile.

use serde_json::{Map, Value};

use super::account::{free_email, new_uid, set_secret};
use super::blocking::{Answer, Context, Moment};
use super::codes::{Purpose, check_phone, new_phone_code, prove_phone, valid_code};
use super::model::{ANONYMOUS, CUSTOM, PASSWORD, PHONE};
use super::settings::enabled;
use super::token::{self, Session, Tokens};
use super::update::check_names;
use super::{Auth, Error, Factor, Realm, Secret, User, canonical_email, factor, is_email, store};
use crate::base::{Call, Time};
use crate::store::Tx;

/// Seconds that a session cookie is good for.
const COOKIE_S: std::ops::RangeInclusive<i64> = 300..=14 * 24 * 3_600;

/// Who is about to sign in.
pub(super) struct Candidate {
    pub user: User,
    pub is_new: bool,
    pub session: Session,
    pub context: Context,
    /// Whether functions are asked: not where the user only gains another way of signing in.
    pub asks: bool,
}

/// Somebody who has signed in, or has yet to show a second factor.
#[derive(Clone, Debug)]
pub struct Signed {
    pub user: User,
    pub is_new: bool,
    /// `None` where a second factor is missing: `pending` stands for them until then.
    pub tokens: Option<Tokens>,
    pub pending: Option<(String, Vec<Factor>)>,
}

/// How signing in by phone went.
#[derive(Clone, Debug)]
pub enum PhoneSigned {
    In(Box<Signed>),
    /// The number is another user's; this proves that it was shown to be one's own.
    Elsewhere {
        proof: String,
        phone: String,
    },
}

impl Auth {
    /// Signs somebody in. `find` finds them; it must change nothing but codes that are used up, and give the same in a read.
    pub(super) async fn sign_in<F>(&self, call: &Call, realm: &Realm, find: F) -> Result<Signed, Error>
    where
        F: Fn(&Tx<'_>, bool) -> Result<Candidate, Error> + Send + 'static,
    {
        let (mut before, mut at) = (None, None);
        if self.asks(realm, Moment::Create) || self.asks(realm, Moment::SignIn) {
            let (mut candidate, needed) = self
                .db
                .read(call, |tx| {
                    let candidate = find(tx, false)?;
                    let needed = factor::is_needed(tx, realm, &candidate.user)?;
                    Ok::<_, Error>((candidate, needed))
                })
                .await?;
            if candidate.asks && candidate.is_new {
                let answer = self.ask(call, realm, Moment::Create, &candidate.user, &candidate.context).await?;
                answer.apply(&mut candidate.user)?;
                before = Some(answer);
            }
            if candidate.asks && !candidate.user.disabled && !needed {
                at = Some(self.ask(call, realm, Moment::SignIn, &candidate.user, &candidate.context).await?);
            }
        }
        let realm = realm.clone();
        // A refusal is no reason to take back what was written: the answer is inside.
        let written = self.db.write(call, move |tx| {
            let candidate = find(tx, true)?;
            let is_new = candidate.is_new;
            let answers = [before.filter(|_| is_new), at];
            Ok::<_, Error>(signed_in(tx, &realm, candidate, answers)?.ok_or(Error::Disabled))
        });
        written.await?
    }

    /// Makes a user of an address and a password, and signs them in; with an ID token, gives them to that user. Fails with `MissingEmail`,
    /// `MissingPassword`, `NotAllowed`, `InvalidEmail`, `EmailExists`, `WeakPassword`.
    pub async fn sign_up(
        &self,
        call: &Call,
        realm: &Realm,
        email: Option<String>,
        password: Option<String>,
        (display_name, id_token): (Option<String>, Option<String>),
    ) -> Result<Signed, Error> {
        let email = email.ok_or(Error::MissingEmail)?;
        let password = password.filter(|password| !password.is_empty()).ok_or(Error::MissingPassword)?;
        let uid = new_uid(self.db.ids());
        let of = realm.clone();
        let of_whom = move |tx: &Tx<'_>| {
            if !enabled(tx, &of)?.password {
                return Err(Error::NotAllowed);
            }
            let known = id_token.as_deref().map(|token| token::known_in(tx, &of, token)).transpose()?.map(|known| known.user);
            // A user's own address gets a password.
            if let Some(user) = known.as_ref().filter(|user| user.email.as_deref() == Some(&canonical_email(&email))) {
                return Ok((user.email.clone(), known));
            }
            Ok((Some(free_email(tx, &of, &email)?), known))
        };
        // What is cheap to see is told before the password is hashed.
        self.db.read(call, |tx| of_whom(tx).map(|_| ())).await?;
        let secret = self.hashed(Some(&password)).await?.ok_or(Error::MissingPassword)?;
        self.sign_in(call, realm, move |tx, _| {
            let (email, known) = of_whom(tx)?;
            let is_new = known.is_none();
            let mut user = known.unwrap_or_else(|| User { uid: uid.clone(), created: tx.now(), ..User::default() });
            if user.email != email {
                (user.email, user.email_verified) = (email, Some(false));
            }
            user.display_name = display_name.clone().or(user.display_name);
            set_secret(&mut user, secret.clone(), tx.now());
            user.settle();
            Ok(candidate(user, is_new, PASSWORD, "password"))
        })
        .await
    }

    /// Makes a user of whom nothing is known. Fails with `AdminOnly`.
    pub async fn sign_up_anonymous(&self, call: &Call, realm: &Realm) -> Result<Signed, Error> {
        let (uid, of) = (new_uid(self.db.ids()), realm.clone());
        self.sign_in(call, realm, move |tx, _| {
            if !enabled(tx, &of)?.anonymous {
                return Err(Error::AdminOnly);
            }
            let user = User { uid: uid.clone(), created: tx.now(), ..User::default() };
            Ok(Candidate { asks: false, ..candidate(user, true, ANONYMOUS, "anonymous") })
        })
        .await
    }

    /// Fails with `PasswordDisabled`, `MissingEmail`, `InvalidEmail`, `MissingPassword`, `EmailNotFound`, `InvalidPassword` (`InvalidLogin`
    /// where nobody is to learn which it was), `Disabled`.
    pub async fn sign_in_with_password(
        &self,
        call: &Call,
        realm: &Realm,
        email: Option<&str>,
        password: Option<String>,
    ) -> Result<Signed, Error> {
        let email = email.ok_or(Error::MissingEmail)?;
        let (found, privacy) = self
            .db
            .read(call, |tx| {
                let rules = enabled(tx, realm)?;
                if !rules.password {
                    return Err(Error::PasswordDisabled);
                }
                if !is_email(email) {
                    return Err(Error::InvalidEmail);
                }
                Ok((store::by_email(tx, realm, &canonical_email(email))?, rules.email_privacy))
            })
            .await?;
        let password = password.filter(|password| !password.is_empty()).ok_or(Error::MissingPassword)?;
        let wrong = |error: Error| if privacy { Error::InvalidLogin } else { error };
        let user = found.ok_or_else(|| wrong(Error::EmailNotFound))?;
        if user.disabled {
            return Err(Error::Disabled);
        }
        let secret = user.secret.clone().ok_or_else(|| wrong(Error::InvalidPassword))?;
        let (right, secret) = compare(secret, password).await?;
        if !right {
            return Err(wrong(Error::InvalidPassword));
        }
        let of = realm.clone();
        self.sign_in(call, realm, move |tx, _| {
            // Another password may have been set meanwhile.
            let user = store::user(tx, &of, &user.uid)?.filter(|now| now.secret.as_ref() == Some(&secret));
            Ok(candidate(user.ok_or(Error::InvalidPassword)?, false, PASSWORD, "password"))
        })
        .await
    }

    /// By a token that the project's own server made: whose it is, and the claims of the session. Fails with `MissingUid`, `ReservedClaim`,
    /// `Disabled`.
    pub async fn sign_in_with_custom(&self, call: &Call, realm: &Realm, uid: &str, claims: Map<String, Value>) -> Result<Signed, Error> {
        super::account::check_uid(uid)?;
        check_names(claims.keys())?;
        let (of, uid) = (realm.clone(), uid.to_owned());
        self.sign_in(call, realm, move |tx, _| {
            enabled(tx, &of)?;
            let (mut user, is_new) = match store::user(tx, &of, &uid)? {
                Some(user) => (user, false),
                None => (User { uid: uid.clone(), created: tx.now(), ..User::default() }, true),
            };
            user.custom_auth = true;
            let session = Session { claims: claims.clone(), ..Session::by(CUSTOM) };
            Ok(Candidate { session, asks: false, ..candidate(user, is_new, CUSTOM, "custom") })
        })
        .await
    }

    /// By a link that was mailed; with an ID token, gives that user the address. Fails with `NotAllowed`, `MissingEmail`, `MissingOob`,
    /// `InvalidOob`, `WrongEmail`, `EmailExists`, `Disabled`.
    pub async fn sign_in_with_link(
        &self,
        call: &Call,
        realm: &Realm,
        (email, code): (Option<&str>, Option<&str>),
        id_token: Option<String>,
    ) -> Result<Signed, Error> {
        let email = canonical_email(email.filter(|email| !email.is_empty()).ok_or(Error::MissingEmail)?);
        let code = code.filter(|code| !code.is_empty()).ok_or(Error::MissingOob)?.to_owned();
        let (of, uid) = (realm.clone(), new_uid(self.db.ids()));
        self.sign_in(call, realm, move |tx, writes| {
            if !enabled(tx, &of)?.email_link {
                return Err(Error::NotAllowed);
            }
            let by_token = id_token.as_deref().map(|token| token::known_in(tx, &of, token)).transpose()?.map(|known| known.user);
            let sent = valid_code(tx, &of, &code)?;
            if sent.purpose != Purpose::SignIn {
                return Err(Error::InvalidOob);
            }
            if sent.email != email {
                return Err(Error::WrongEmail);
            }
            if writes {
                store::remove_code(tx, &code)?;
            }
            let by_email = store::by_email(tx, &of, &email)?;
            if let (Some(one), Some(other)) = (&by_token, &by_email)
                && one.uid != other.uid
            {
                return Err(Error::EmailExists);
            }
            let known = by_token.or(by_email);
            let is_new = known.is_none();
            let mut user = known.unwrap_or_else(|| User { uid: uid.clone(), created: tx.now(), ..User::default() });
            (user.email, user.email_verified, user.email_link) = (Some(email.clone()), Some(true), true);
            user.settle();
            Ok(candidate(user, is_new, PASSWORD, "emailLink"))
        })
        .await
    }

    /// By a code that was sent to a phone; with an ID token, gives that user the number. Fails with `TenantUnsupported`, `InvalidSession`,
    /// `InvalidCode`, `PhoneIsFactor`, `Disabled`.
    pub async fn sign_in_with_phone(
        &self,
        call: &Call,
        realm: &Realm,
        (session_info, code): (&str, &str),
        id_token: Option<String>,
    ) -> Result<PhoneSigned, Error> {
        let taken = self.taken_phone(call, realm, (session_info, code), id_token.clone()).await?;
        if let Some((proof, phone)) = taken {
            return Ok(PhoneSigned::Elsewhere { proof, phone });
        }
        let (of, session_info, code) = (realm.clone(), session_info.to_owned(), code.to_owned());
        let uid = new_uid(self.db.ids());
        let signed = self.sign_in(call, realm, move |tx, writes| {
            let phone = if writes { prove_phone(tx, &of, &session_info, &code)? } else { check_phone(tx, &of, &session_info, &code)? };
            with_phone(tx, &of, phone, id_token.as_deref(), &uid)
        });
        Ok(PhoneSigned::In(Box::new(signed.await?)))
    }

    /// By the proof of [`PhoneSigned::Elsewhere`]. Fails with `InvalidProof`, `PhoneExists`, and as a code does.
    pub async fn sign_in_with_proof(
        &self,
        call: &Call,
        realm: &Realm,
        (proof, phone): (&str, &str),
        id_token: Option<String>,
    ) -> Result<Signed, Error> {
        let (of, proof, phone) = (realm.clone(), proof.to_owned(), phone.to_owned());
        let uid = new_uid(self.db.ids());
        self.sign_in(call, realm, move |tx, _| {
            let kept = store::phone_code(tx, &of, &proof)?.filter(|kept| kept.proof && kept.phone == phone).ok_or(Error::InvalidProof)?;
            let other = store::by_phone(tx, &of, &kept.phone)?;
            let own = id_token.as_deref().map(|token| token::known_in(tx, &of, token)).transpose()?;
            if let (Some(other), Some(own)) = (other, own)
                && other.uid != own.user.uid
            {
                return Err(Error::PhoneExists);
            }
            with_phone(tx, &of, kept.phone, id_token.as_deref(), &uid)
        })
        .await
    }

    /// The proof and the number, where it belongs to another user than the one who shows it.
    async fn taken_phone(
        &self,
        call: &Call,
        realm: &Realm,
        (session_info, code): (&str, &str),
        id_token: Option<String>,
    ) -> Result<Option<(String, String)>, Error> {
        let Some(id_token) = id_token else { return Ok(None) };
        let (realm, session_info, code) = (realm.clone(), session_info.to_owned(), code.to_owned());
        self.db
            .write(call, move |tx| {
                let phone = check_phone(tx, &realm, &session_info, &code)?;
                let own = token::known_in(tx, &realm, &id_token)?.user;
                match store::by_phone(tx, &realm, &phone)? {
                    Some(other) if other.uid != own.uid => {
                        prove_phone(tx, &realm, &session_info, &code)?;
                        Ok(Some((new_phone_code(tx, &realm, &phone, true)?.session, phone)))
                    }
                    _ => Ok(None),
                }
            })
            .await
    }

    /// New tokens for old ones. Fails with `InvalidRefreshToken`, `UserNotFound`, `TokenExpired`, `Disabled`.
    pub async fn refresh(&self, call: &Call, project: &str, refresh_token: &str) -> Result<(User, Tokens), Error> {
        let (project, refresh_token) = (project.to_owned(), refresh_token.to_owned());
        self.db
            .write(call, move |tx| {
                let (realm, mut user, session) = token::refreshed_in(tx, &project, &refresh_token)?;
                let tokens = token::issue_in(tx, &realm, &mut user, &session)?;
                Ok((user, tokens))
            })
            .await
    }

    /// A cookie that is good for so many seconds, for an ID token. Fails with `InvalidDuration`, and as ID tokens do.
    pub async fn session_cookie(&self, call: &Call, realm: &Realm, id_token: &str, valid_s: Option<i64>) -> Result<String, Error> {
        let valid_s = valid_s.unwrap_or(*COOKIE_S.end());
        if !COOKIE_S.contains(&valid_s) {
            return Err(Error::InvalidDuration);
        }
        self.db
            .read(call, |tx| {
                enabled(tx, realm)?;
                let mut claims = token::known_in(tx, realm, id_token)?.claims;
                let now = tx.now().seconds();
                claims.insert("iat".into(), now.into());
                claims.insert("exp".into(), (now + valid_s).into());
                claims.insert("iss".into(), format!("https://session.firebase.google.com/{}", realm.project).into());
                Ok(token::unsigned(&claims))
            })
            .await
    }

    /// Whether an address is known, and the providers by which its user signs in.
    pub async fn providers_of(&self, call: &Call, realm: &Realm, email: &str) -> Result<Option<Option<User>>, Error> {
        self.db
            .read(call, |tx| {
                let rules = enabled(tx, realm)?;
                if rules.email_privacy {
                    return Ok(None);
                }
                let email = canonical_email(email);
                let found = if rules.one_per_email { store::by_any_email(tx, realm, &email)? } else { store::by_email(tx, realm, &email)? };
                Ok(Some(found))
            })
            .await
    }
}

pub(super) fn candidate(user: User, is_new: bool, provider: &str, method: &str) -> Candidate {
    let context = Context { method: method.to_owned(), ..Context::default() };
    Candidate { user, is_new, session: Session::by(provider), context, asks: true }
}

/// Stores who signs in. `None` where they are disabled: stored nevertheless where a function has just done that.
fn signed_in(tx: &mut Tx<'_>, realm: &Realm, candidate: Candidate, answers: [Option<Answer>; 2]) -> Result<Option<Signed>, Error> {
    let Candidate { mut user, is_new, mut session, .. } = candidate;
    if user.disabled {
        return Ok(None);
    }
    let now: Time = tx.now();
    for answer in answers.iter().flatten() {
        answer.apply(&mut user)?;
        session.claims.extend(answer.session_claims.clone());
    }
    let pending = factor::is_needed(tx, realm, &user)?;
    if !pending {
        user.last_login = Some(now);
    }
    if is_new {
        store::create(tx, realm, &mut user)?;
    }
    if user.disabled {
        store::put_user(tx, realm, &mut user)?;
        return Ok(None);
    }
    if pending {
        store::put_user(tx, realm, &mut user)?;
        let pending = Some((token::pending(realm, &user, &session), user.factors.clone()));
        return Ok(Some(Signed { user, is_new, tokens: None, pending }));
    }
    let tokens = Some(token::issue_in(tx, realm, &mut user, &session)?);
    Ok(Some(Signed { user, is_new, tokens, pending: None }))
}

fn with_phone(tx: &Tx<'_>, realm: &Realm, phone: String, id_token: Option<&str>, uid: &str) -> Result<Candidate, Error> {
    enabled(tx, realm)?;
    if realm.tenant.is_some() {
        return Err(Error::TenantUnsupported);
    }
    let own = id_token.map(|token| token::known_in(tx, realm, token)).transpose()?.map(|known| known.user);
    let known = match own {
        Some(own) => Some(own),
        None => store::by_phone(tx, realm, &phone)?,
    };
    let is_new = known.is_none();
    let mut user = known.unwrap_or_else(|| User { uid: uid.to_owned(), created: tx.now(), ..User::default() });
    if user.disabled {
        return Err(Error::Disabled);
    }
    if !user.factors.is_empty() {
        return Err(Error::PhoneIsFactor);
    }
    user.phone = Some(phone);
    user.settle();
    Ok(candidate(user, is_new, PHONE, "phone"))
}

/// Whether a password is the one of a secret, found out on a thread of its own.
async fn compare(secret: Secret, password: String) -> Result<(bool, Secret), Error> {
    let compared = tokio::task::spawn_blocking(move || (secret.is(&password), secret)).await;
    compared.map_err(|error| Error::Store(error.to_string()))
}
