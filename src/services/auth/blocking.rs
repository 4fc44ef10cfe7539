//! Functions that are asked before a user is created and before one signs in, and may refuse or change the user.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Auth, Error, Realm, User};
use crate::base::Call;

/// What is about to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Create,
    SignIn,
}

/// How the user signs in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context {
    /// `password`, `emailLink`, `phone`, or the provider.
    pub method: String,
    pub second_factor: Option<String>,
    /// What the provider said of the user, as JSON.
    pub raw_user: Option<String>,
    pub attributes: Option<Value>,
    pub oauth_id_token: Option<String>,
    pub oauth_access_token: Option<String>,
}

/// What a function changes; what it does not name stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    pub display_name: Option<Option<String>>,
    pub photo_url: Option<Option<String>>,
    pub disabled: Option<bool>,
    pub email_verified: Option<bool>,
    /// The user's own claims, as JSON.
    pub claims: Option<String>,
    /// Claims of this session.
    pub session_claims: Map<String, Value>,
}

impl Answer {
    pub(super) fn apply(&self, user: &mut User) -> Result<(), Error> {
        if let Some(name) = &self.display_name {
            user.display_name.clone_from(name);
        }
        if let Some(url) = &self.photo_url {
            user.photo_url.clone_from(url);
        }
        if let Some(disabled) = self.disabled {
            user.disabled = disabled;
        }
        if let Some(verified) = self.email_verified {
            user.email_verified = Some(verified);
        }
        if let Some(claims) = &self.claims {
            super::update::check_claims(claims)?;
            user.claims = Some(claims.clone());
        }
        Ok(())
    }
}

/// Who asks the functions.
pub trait Blocking: Send + Sync + 'static {
    /// Whether a project has a function for this moment; where not, nobody is asked.
    fn has(&self, project: &str, moment: Moment) -> bool;

    /// Asks. An error is what the answer says: that the user must not be created, or not sign in.
    fn ask<'a>(
        &'a self,
        call: &'a Call,
        realm: &'a Realm,
        moment: Moment,
        user: &'a User,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Answer, String>>;
}

impl Auth {
    /// Whom to ask at a moment, if anybody.
    pub(super) fn asks(&self, realm: &Realm, moment: Moment) -> bool {
        self.blocking.get().is_some_and(|blocking| blocking.has(&realm.project, moment))
    }

    pub(super) async fn ask(&self, call: &Call, realm: &Realm, moment: Moment, user: &User, context: &Context) -> Result<Answer, Error> {
        match self.blocking.get().filter(|blocking| blocking.has(&realm.project, moment)) {
            None => Ok(Answer::default()),
            Some(blocking) => blocking.ask(call, realm, moment, user, context).await.map_err(Error::Blocked),
        }
    }
}
