//! Auth: users, how they sign in, and the tokens that say so. The Identity Toolkit model: users belong to a project or to one of its
//! tenants, sign in by password, link, phone, another company's identity or the project's own token, and may have second factors.
//!
//! Requests and answers are `wire/firebase/auth`'s; rules about users are here.

mod account;
mod blocking;
mod codes;
mod error;
pub mod event;
mod factor;
mod idp;
mod import;
mod model;
mod password;
pub mod portable;
mod settings;
mod sign_in;
mod store;
#[cfg(test)]
mod tests;
pub mod token;
mod update;

use std::sync::{Arc, OnceLock};

pub use account::{Found, New, Pick};
pub use blocking::{Answer, Blocking, Context, Moment};
pub use codes::{Ask, Code, Listener, PhoneCode, Purpose, Sent};
pub use error::Error;
pub use idp::{Assertion, Identity, Outcome};
pub use import::{Import, Imported};
pub use model::{ANONYMOUS, CUSTOM, Factor, PASSWORD, PHONE, Provider, Realm, User, canonical_email, hidden_phone, is_email, is_phone};
pub use password::{Hash, How, Secret, any_base64};
pub use settings::Rules;
pub use sign_in::{PhoneSigned, Signed};
pub use store::SCHEMA;
pub use token::{Session, Tokens};
pub use update::{Change, Update, Updated};

use crate::store::Db;

/// The users of a World. Cheap to clone.
#[derive(Clone)]
pub struct Auth {
    db: Db,
    listener: Arc<OnceLock<Box<Listener>>>,
    blocking: Arc<OnceLock<Arc<dyn Blocking>>>,
}

impl Auth {
    /// The users kept in `db`, which must know [`SCHEMA`].
    pub fn new(db: Db) -> Auth {
        Auth { db, listener: Arc::default(), blocking: Arc::default() }
    }

    /// Tells `listener` of every code that would be mailed or sent by message, once it is committed. There is one listener: a second is
    /// not heard.
    pub fn listen(&self, listener: Box<Listener>) {
        // A second call would be a mistake of the wiring; the first stands.
        let _ = self.listener.set(listener);
    }

    /// Asks `blocking` before users are created and before they sign in, from now on. There is one: a second is not asked.
    pub fn ask_before(&self, blocking: Arc<dyn Blocking>) {
        let _ = self.blocking.set(blocking);
    }
}
