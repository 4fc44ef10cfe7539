//! What is told of users: that they are there, and that they are gone.

use serde::{Deserialize, Serialize};

use super::{Error, Realm, User};
use crate::store::{self, Tx};

/// The name of this service in events; the resource is the project.
pub const SOURCE: &str = "auth";

/// Something that happened to a user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub kind: Kind,
    /// The user, without their password.
    pub user: User,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Created,
    Deleted,
}

impl Event {
    pub(super) fn created(user: &User) -> Event {
        Event::of(Kind::Created, user)
    }

    pub(super) fn deleted(user: &User) -> Event {
        Event::of(Kind::Deleted, user)
    }

    fn of(kind: Kind, user: &User) -> Event {
        Event { kind, user: User { secret: None, ..user.clone() } }
    }

    pub(super) fn emit(&self, tx: &mut Tx<'_>, realm: &Realm) -> Result<(), Error> {
        if tx.listens(SOURCE, &realm.project) {
            let body = serde_json::to_string(self).expect("a user is plain data");
            tx.emit(&store::Event { source: SOURCE, resource: realm.project.clone(), body })?;
        }
        Ok(())
    }
}
