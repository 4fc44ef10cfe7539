//! Codes that are mailed, and codes that are sent to phones. Nothing leaves the machine: who listens puts them where they can be read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::settings::enabled;
use super::{Auth, Error, Realm, User, canonical_email, is_email, is_phone, store, token};
use crate::base::{Call, Ids, Time};
use crate::store::Tx;

/// Told of every code, and of the call that asked for it.
pub type Listener = dyn Fn(&Call, Sent<'_>) + Send + Sync;

/// A code that would leave the machine.
#[derive(Clone, Copy, Debug)]
pub enum Sent<'a> {
    Mail(&'a Code),
    Message(&'a PhoneCode),
}

/// What a mailed code is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    SignIn,
    ResetPassword,
    VerifyEmail,
    RecoverEmail,
    ChangeEmail,
}

impl Purpose {
    /// Milliseconds that a code is good for. Source: Firebase's help on the mails that it sends.
    pub fn valid_ms(self) -> i64 {
        const HOUR: i64 = 3_600_000;
        match self {
            Purpose::ResetPassword => HOUR,
            Purpose::SignIn => 6 * HOUR,
            Purpose::VerifyEmail | Purpose::ChangeEmail | Purpose::RecoverEmail => 72 * HOUR,
        }
    }
}

/// A code that was mailed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub code: String,
    pub purpose: Purpose,
    pub email: String,
    pub new_email: Option<String>,
    /// The link that the mail holds.
    pub link: String,
    pub at: Time,
}

/// A code that was sent to a phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhoneCode {
    pub session: String,
    pub phone: String,
    /// Six digits.
    pub code: String,
    /// Not a code but a proof that the number is the user's.
    pub proof: bool,
    pub at: Time,
}

/// Milliseconds that a phone's code is good for.
const PHONE_VALID_MS: i64 = 5 * 60 * 1_000;
const OLDEST_MS: i64 = 72 * 3_600_000;
/// Codes of a realm that are kept.
const CODES_MAX: usize = 10_000;

/// Asks for a code to be mailed.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    pub email: Option<String>,
    pub new_email: Option<String>,
    pub id_token: Option<String>,
    /// The one who asks gets the code, and no mail is sent.
    pub returned: bool,
    /// What the link begins with, before the code: `http://…/emulator/action?…&oobCode=`, and what it ends with.
    pub link: (String, String),
}

impl Auth {
    /// Makes a code; `None` where nobody is to learn that there is no such user. Fails with `NotAllowed`, `MissingEmail`, `InvalidEmail`,
    /// `EmailNotFound`, `UserNotFound`, `EmailExists`, and as ID tokens do.
    pub async fn send_code(&self, call: &Call, realm: &Realm, purpose: Purpose, ask: Ask) -> Result<(String, Option<Code>), Error> {
        let (of, returned) = (realm.clone(), ask.returned);
        let (email, code) = self
            .db
            .write(call, move |tx| {
                let Some((email, new_email)) = addressee(tx, &of, purpose, &ask)? else {
                    return Ok::<_, Error>((canonical_email(ask.email.as_deref().unwrap_or_default()), None));
                };
                let code = new_code(tx, &of, purpose, &email, new_email, &ask.link)?;
                Ok((email, Some(code)))
            })
            .await?;
        if let Some(code) = code.as_ref().filter(|_| !returned) {
            self.told(call, Sent::Mail(code));
        }
        Ok((email, code))
    }

    pub(super) fn told(&self, call: &Call, sent: Sent<'_>) {
        if let Some(listener) = self.listener.get() {
            listener(call, sent);
        }
    }

    /// Tells of a code for a phone; answers what it comes back with.
    pub(super) fn sent(&self, call: &Call, code: PhoneCode) -> String {
        self.told(call, Sent::Message(&code));
        code.session
    }

    /// The codes of a realm that were not used, oldest first.
    pub async fn codes(&self, call: &Call, realm: &Realm) -> Result<Vec<Code>, Error> {
        self.db.read(call, |tx| store::codes(tx, realm)).await
    }

    /// What a code is for. Fails with `InvalidOob`, `ExpiredOob`.
    pub async fn code(&self, call: &Call, realm: &Realm, code: &str) -> Result<Code, Error> {
        self.db.read(call, |tx| valid_code(tx, realm, code)).await
    }

    /// Sends a code to a phone; answers what the code comes back with. Fails with `TenantUnsupported`, `InvalidPhone`, `PhoneIsFactor`.
    pub async fn send_phone_code(&self, call: &Call, realm: &Realm, phone: &str) -> Result<String, Error> {
        let (realm, phone) = (realm.clone(), phone.to_owned());
        let code = self
            .db
            .write(call, move |tx| {
                enabled(tx, &realm)?;
                if realm.tenant.is_some() {
                    return Err(Error::TenantUnsupported);
                }
                if !is_phone(&phone) {
                    return Err(Error::InvalidPhone);
                }
                if store::by_phone(tx, &realm, &phone)?.is_some_and(|user| !user.factors.is_empty()) {
                    return Err(Error::PhoneIsFactor);
                }
                new_phone_code(tx, &realm, &phone, false)
            })
            .await?;
        Ok(self.sent(call, code))
    }

    /// The codes of a realm's phones that were not used, oldest first.
    pub async fn phone_codes(&self, call: &Call, realm: &Realm) -> Result<Vec<PhoneCode>, Error> {
        let codes = self.db.read(call, |tx| store::phone_codes(tx, realm)).await?;
        Ok(codes.into_iter().filter(|code| !code.proof).collect())
    }
}

/// Whose address a code is for, and the address that takes its place.
type Addressee = Option<(String, Option<String>)>;

fn addressee(tx: &Tx<'_>, realm: &Realm, purpose: Purpose, ask: &Ask) -> Result<Addressee, Error> {
    let rules = enabled(tx, realm)?;
    let given = || {
        let email = ask.email.as_deref().filter(|email| !email.is_empty()).ok_or(Error::MissingEmail)?;
        if is_email(email) { Ok(canonical_email(email)) } else { Err(Error::InvalidEmail) }
    };
    // An administrator names an address, a user is known by their token.
    let users = || -> Result<User, Error> {
        match &ask.id_token {
            None if ask.returned => store::by_email(tx, realm, &given()?)?.ok_or(Error::UserNotFound),
            token => Ok(token::known_in(tx, realm, token.as_deref().ok_or(Error::MissingIdToken)?)?.user),
        }
    };
    match purpose {
        Purpose::SignIn if !rules.email_link => Err(Error::NotAllowed),
        Purpose::SignIn => Ok(Some((given()?, None))),
        Purpose::ResetPassword => {
            let email = given()?;
            match store::by_email(tx, realm, &email)? {
                Some(_) => Ok(Some((email, None))),
                None if rules.email_privacy => Ok(None),
                None => Err(Error::EmailNotFound),
            }
        }
        Purpose::VerifyEmail => Ok(Some((users()?.email.ok_or(Error::MissingEmail)?, None))),
        Purpose::ChangeEmail => {
            let new = ask.new_email.as_deref().filter(|email| !email.is_empty()).ok_or(Error::MissingNewEmail)?;
            if !is_email(new) {
                return Err(Error::InvalidEmail);
            }
            let (email, new) = (users()?.email.ok_or(Error::MissingEmail)?, canonical_email(new));
            if store::by_email(tx, realm, &new)?.is_some() {
                return Err(Error::EmailExists);
            }
            Ok(Some((email, Some(new))))
        }
        Purpose::RecoverEmail => Err(Error::NotAllowed),
    }
}

pub(super) fn new_code(
    tx: &Tx<'_>,
    realm: &Realm,
    purpose: Purpose,
    email: &str,
    new_email: Option<String>,
    link: &(String, String),
) -> Result<Code, Error> {
    let now = tx.now();
    let code = random(tx.ids(), 40);
    let link = format!("{}{code}{}", link.0, link.1);
    let code = Code { code, purpose, email: email.to_owned(), new_email, link, at: now };
    store::forget_codes(tx, realm, now.plus_ms(-OLDEST_MS), CODES_MAX)?;
    store::put_code(tx, realm, &code)?;
    Ok(code)
}

/// A code that is good.
pub(super) fn valid_code(tx: &Tx<'_>, realm: &Realm, code: &str) -> Result<Code, Error> {
    let code = store::code(tx, realm, code)?.ok_or(Error::InvalidOob)?;
    if code.at.plus_ms(code.purpose.valid_ms()) <= tx.now() { Err(Error::ExpiredOob) } else { Ok(code) }
}

pub(super) fn new_phone_code(tx: &Tx<'_>, realm: &Realm, phone: &str, proof: bool) -> Result<PhoneCode, Error> {
    let now = tx.now();
    let mut bytes = [0; 4];
    tx.ids().fill(&mut bytes);
    let digits = u32::from_le_bytes(bytes) % 1_000_000;
    let code = PhoneCode { session: random(tx.ids(), 60), phone: phone.to_owned(), code: format!("{digits:06}"), proof, at: now };
    store::forget_codes(tx, realm, now.plus_ms(-OLDEST_MS), CODES_MAX)?;
    store::put_phone_code(tx, realm, &code)?;
    Ok(code)
}

/// The number that a code was sent to; the code is used up. Fails as [`check_phone`].
pub(super) fn prove_phone(tx: &Tx<'_>, realm: &Realm, session: &str, code: &str) -> Result<String, Error> {
    let phone = check_phone(tx, realm, session, code)?;
    store::remove_phone_code(tx, session)?;
    Ok(phone)
}

/// The number that a code was sent to. Fails with `InvalidSession`, `ExpiredSession`, `InvalidCode`.
pub(super) fn check_phone(tx: &Tx<'_>, realm: &Realm, session: &str, code: &str) -> Result<String, Error> {
    let sent = store::phone_code(tx, realm, session)?.filter(|sent| !sent.proof).ok_or(Error::InvalidSession)?;
    if sent.at.plus_ms(PHONE_VALID_MS) <= tx.now() {
        return Err(Error::ExpiredSession);
    }
    if sent.code == code { Ok(sent.phone) } else { Err(Error::InvalidCode) }
}

pub(super) fn random(ids: &Ids, bytes: usize) -> String {
    let mut made = vec![0; bytes];
    ids.fill(&mut made);
    URL_SAFE_NO_PAD.encode(made)
}
