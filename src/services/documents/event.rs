//! What happened to a document, for those who listen: an event in the outbox, and a word to queries that are being listened to.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::document::Document;
use super::portable;
use super::value::Timestamp;
use super::{Error, Shared};
use crate::base::Caller;
use crate::store::{Event, Tx};

/// The source of the events of this service.
pub const SOURCE: &str = "documents";

/// A change of a document: created where there was none, deleted where there is none any more.
pub(super) struct Change<'a> {
    pub old: Option<&'a Document>,
    pub new: Option<&'a Document>,
    pub at: Timestamp,
}

/// Who changed a document, as Firestore's events with their author say it: the kind of principal, and its name.
fn principal(caller: &Caller) -> (&'static str, Option<&str>) {
    match caller {
        Caller::Anonymous => ("unauthenticated", None),
        Caller::User { uid, .. } => ("app_user", Some(uid)),
        Caller::Function(name) => ("service_account", Some(name)),
        Caller::Admin => ("service_account", None),
        Caller::Operator => ("system", None),
    }
}

/// What the body of an event says: `kind` is `created`, `updated` or `deleted`; `old` and `new` have the fields in the typed form of the
/// API and the times in microseconds; `auth` is who changed it.
pub(super) fn tell(tx: &mut Tx<'_>, shared: &Arc<Shared>, change: &Change<'_>) -> Result<(), Error> {
    shared.wake(tx);
    let Some(name) = change.new.or(change.old).map(|document| document.name.full()) else { return Ok(()) };
    if !tx.listens(SOURCE, &name) {
        return Ok(());
    }
    let kind = match (change.old, change.new) {
        (None, _) => "created",
        (_, None) => "deleted",
        _ => "updated",
    };
    let image = |document: Option<&Document>| {
        document.map_or(Json::Null, |document| {
            json!({
                "fields": portable::written(&document.fields),
                "created": document.created.micros(),
                "updated": document.updated.micros(),
            })
        })
    };
    let (old, new, auth) = (image(change.old), image(change.new), principal(&tx.call().caller));
    let body = json!({ "kind": kind, "name": name, "at": change.at.micros(), "old": old, "new": new, "auth": auth });
    tx.emit(&Event { source: SOURCE, resource: name, body: body.to_string() })?;
    Ok(())
}
