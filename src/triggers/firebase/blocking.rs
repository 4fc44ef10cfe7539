//! Functions of a codebase that are asked before a user is created and before one signs in.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;

use crate::base::{Call, Clock, Ids};
use crate::functions::firebase::Served;
use crate::functions::{Entry, Functions};
use crate::project::firebase::Trigger;
use crate::services::auth::{Answer, Blocking, Context, Moment, Realm, User};
use crate::wire::firebase::event::blocking::{Question, answer, refusal, request};

/// Asks the project's own functions.
pub struct Asker {
    pub functions: Functions,
    pub ids: Ids,
    pub clock: Clock,
}

impl Asker {
    /// The function of a moment: a project has one of each.
    fn function(&self, moment: Moment) -> Option<Arc<Entry>> {
        let wanted = match moment {
            Moment::Create => "user.beforeCreate",
            Moment::SignIn => "user.beforeSignIn",
        };
        let catalog = self.functions.catalog();
        let is_wanted = |entry: &&Arc<Entry>| match entry.function.firebase.as_deref().map(|endpoint| &endpoint.trigger) {
            Some(Trigger::Blocking(blocking)) => blocking.kind.rsplit('/').next() == Some(wanted),
            _ => false,
        };
        catalog.iter().find(is_wanted).cloned()
    }

    async fn put(&self, call: &Call, entry: Arc<Entry>, question: &Question<'_>) -> Result<Answer, String> {
        let body = Bytes::from(request(question).to_string());
        let request = http::Request::post("/").header(http::header::CONTENT_TYPE, "application/json").body(body);
        let request = request.map_err(|error| error.to_string())?;
        let source = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let Served { response, .. } = self.functions.serve_function(call, entry, request, "/".to_owned(), source).await;
        let (head, content) = response.into_parts();
        let body = content.collect().await;
        if head.status.is_success() { answer(&body) } else { Err(refusal(head.status.as_u16(), &body)) }
    }
}

impl Blocking for Asker {
    fn has(&self, _project: &str, moment: Moment) -> bool {
        self.function(moment).is_some()
    }

    fn ask<'a>(
        &'a self,
        call: &'a Call,
        realm: &'a Realm,
        moment: Moment,
        user: &'a User,
        context: &'a Context,
    ) -> BoxFuture<'a, Result<Answer, String>> {
        Box::pin(async move {
            let Some(entry) = self.function(moment) else { return Ok(Answer::default()) };
            let (tells_id_token, tells_access_token) = match entry.function.firebase.as_deref().map(|endpoint| &endpoint.trigger) {
                Some(Trigger::Blocking(blocking)) => (blocking.id_token, blocking.access_token),
                _ => (false, false),
            };
            let (id, at) = (self.ids.uuid(), self.clock.now());
            let question = Question { id: &id, at, realm, moment, user, context, tells_id_token, tells_access_token };
            self.put(call, entry, &question).await
        })
    }
}
