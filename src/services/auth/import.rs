//! Many users at once, as an administrator brings them along from elsewhere.

use std::collections::BTreeSet;

use super::account::{check_uid, is_derived, set_secret};
use super::update::check_claims;
use super::{Auth, Error, How, Provider, Realm, Secret, User, canonical_email, factor, is_email, is_phone, store};
use crate::base::Call;
use crate::store::Tx;

/// A user to bring along: all that is known of them, but for the password.
#[derive(Clone, Debug, Default)]
pub struct Import {
    pub user: User,
    /// A hash and its salt, as they are sent.
    pub hash: Option<(String, String)>,
    /// The password itself.
    pub password: Option<String>,
}

/// What could not be imported: places in the list, each with the reason in the words of the Identity Toolkit.
pub type Imported = Vec<(usize, String)>;

impl Auth {
    /// Brings users along. One that exists is overwritten where that is allowed. Answers those that were not taken. Nothing is told of new
    /// users, as in production.
    pub async fn import(
        &self,
        call: &Call,
        realm: &Realm,
        users: Vec<Import>,
        how: Option<How>,
        overwrite: bool,
    ) -> Result<Imported, Error> {
        let ids = self.db.ids().clone();
        // Hashing takes a while; nobody else waits for it.
        let hashed = tokio::task::spawn_blocking(move || {
            let one = |import: Import| {
                let secret = match (&import.hash, &import.password) {
                    (Some((hash, salt)), _) => Some(Secret::import(hash, salt, how.clone(), &ids)),
                    (None, Some(password)) => Some(Secret::of(password, &ids)),
                    (None, None) => None,
                };
                (import.user, secret)
            };
            users.into_iter().map(one).collect::<Vec<_>>()
        });
        let hashed = hashed.await.map_err(|error| Error::Store(error.to_string()))?;
        let realm = realm.clone();
        self.db
            .write(call, move |tx| {
                let mut wrong = Vec::new();
                for (at, (user, secret)) in hashed.into_iter().enumerate() {
                    match take(tx, &realm, user, secret, overwrite) {
                        Ok(()) => {}
                        Err(Error::Import(why)) => wrong.push((at, why)),
                        Err(Error::InvalidClaims) => wrong.push((at, "Invalid custom claims provided.".to_owned())),
                        Err(Error::ClaimsTooLarge) => wrong.push((at, "Custom claims provided are too large.".to_owned())),
                        Err(Error::ReservedClaim(_)) => wrong.push((at, "Custom claims provided include a reserved claim.".to_owned())),
                        Err(error) => return Err(error),
                    }
                }
                Ok(wrong)
            })
            .await
    }
}

fn refuse<T>(why: &str) -> Result<T, Error> {
    Err(Error::Import(why.to_owned()))
}

fn take(tx: &mut Tx<'_>, realm: &Realm, mut user: User, secret: Option<Secret>, overwrite: bool) -> Result<(), Error> {
    let now = tx.now();
    if check_uid(&user.uid).is_err() {
        return refuse("localId is missing");
    }
    if user.tenant.is_some() && user.tenant != realm.tenant {
        return refuse("Tenant id in userInfo does not match the tenant id in request.");
    }
    let own = user.uid.clone();
    let others = |found: Option<User>| found.is_some_and(|other| other.uid != own);
    if let Some(secret) = secret {
        set_secret(&mut user, secret, now);
    }
    if let Some(claims) = &user.claims {
        check_claims(claims)?;
    }
    user.providers.retain(|provider| !is_derived(&provider.id));
    for Provider { id, raw_id, .. } in &user.providers {
        if id.is_empty() || raw_id.is_empty() {
            return refuse("federatedId or (providerId & rawId) is required");
        }
        if others(store::by_identity(tx, realm, id, raw_id)?) {
            return refuse("raw id exists in other account in database");
        }
    }
    if let Some(phone) = &user.phone {
        if !is_phone(phone) {
            return refuse("phone number format is invalid");
        }
        if others(store::by_phone(tx, realm, phone)?) {
            return refuse("phone number exists in other account in database");
        }
    }
    user.valid_since = Some(now.seconds());
    if let Some(email) = user.email.take() {
        if !is_email(&email) {
            return refuse("email is invalid");
        }
        let email = canonical_email(&email);
        if others(store::by_email(tx, realm, &email)?) {
            return refuse("email exists in other account in database");
        }
        user.email = Some(email);
    }
    factors(tx, &mut user)?;
    if store::user(tx, realm, &user.uid)?.is_some() && !overwrite {
        return refuse("localId belongs to an existing account - can not overwrite.");
    }
    store::put_user(tx, realm, &mut user)
}

fn factors(tx: &Tx<'_>, user: &mut User) -> Result<(), Error> {
    if user.factors.is_empty() {
        return Ok(());
    }
    if user.email.is_none() {
        return refuse("Second factor account requires email to be presented.");
    }
    if user.email_verified != Some(true) {
        return refuse("Second factor account requires email to be verified.");
    }
    let mut ids = BTreeSet::new();
    for one in &mut user.factors {
        if one.id.is_empty() {
            one.id = factor::new_id(tx.ids());
        }
        if !ids.insert(one.id.clone()) {
            return refuse("Enrollment id already exists.");
        }
        if one.enrolled.is_empty() {
            one.enrolled = tx.now().iso();
        }
        if one.phone.is_empty() {
            return refuse("Second factor not supported.");
        }
        if !is_phone(&one.phone) {
            return refuse("Phone number format is invalid");
        }
    }
    Ok(())
}
