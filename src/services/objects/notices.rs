//! Who is told of what happens to a bucket's objects, as a bucket's own settings say.
//!
//! A notice leaves in the transaction of the change, with the names of those who get it: a setting that changes later changes nothing for
//! what has happened.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::store::bucket;
use super::{Error, Objects};
use crate::base::{Call, Unit};
use crate::store::{self, Tx};

/// The source of notices in the outbox; the bucket is the event's resource, and the body is a [`Notice`].
pub const NOTICES: &str = "object-notices";
/// The setting of a bucket that has the document of its subscriptions, in the words of the wire that set it.
pub const DOCUMENT: &str = "notification";
/// The setting that has the subscriptions themselves.
const SUBSCRIPTIONS: &str = "notification-subscriptions";

/// Somebody who is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// Unique in its bucket.
    pub id: String,
    pub occasions: Vec<Occasion>,
    /// Only objects whose key begins and ends with these.
    pub prefix: String,
    pub suffix: String,
    pub recipient: Recipient,
}

/// Who is told, by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recipient {
    Function(String),
    Queue(String),
    Topic(String),
}

/// What somebody can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Occasion {
    Put,
    Copied,
    /// Out of a browser's form.
    Posted,
    /// An upload in parts was completed.
    Completed,
    Deleted,
    /// A new version says that the object is gone.
    Marked,
    /// A rule of the bucket's deleted it.
    Expired,
    /// A rule of the bucket's had a new version say that the object is gone.
    Outdated,
}

/// What is told, and to whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// With the identifier of the subscription.
    pub to: Vec<(String, Recipient)>,
    /// Nothing where it only shows that notices arrive.
    pub event: Option<Event>,
}

impl Objects {
    /// Sets or removes a bucket's subscriptions, with the document that they were read from. Queues and topics get a notice of nothing at once,
    /// as S3 has it ("PutBucketNotificationConfiguration" of the API reference).
    pub async fn subscribe(&self, call: &Call, name: &str, set: Option<(String, Vec<Subscription>)>) -> Result<(), Error> {
        let name = name.to_owned();
        self.db
            .write(call, move |tx| {
                bucket(tx, &name)?;
                tx.execute("DELETE FROM objects_documents WHERE bucket = ?1 AND kind IN (?2, ?3)", (&name, DOCUMENT, SUBSCRIPTIONS))?;
                tx.count(Unit::ObjectWrites, 1);
                let Some((document, subscriptions)) = &set else { return Ok(()) };
                let list = serde_json::to_string(subscriptions).expect("subscriptions are plain data");
                let sql = "INSERT INTO objects_documents (bucket, kind, body) VALUES (?1, ?2, ?3), (?1, ?4, ?5)";
                tx.execute(sql, (&name, DOCUMENT, document, SUBSCRIPTIONS, list))?;
                let is_shown = |one: &&Subscription| !matches!(one.recipient, Recipient::Function(_));
                let to = subscriptions.iter().filter(is_shown).map(address).collect();
                Ok(emit(tx, &name, Notice { to, event: None })?)
            })
            .await
    }
}

/// The subscriptions of a bucket; none where it is not there.
pub(super) fn of(tx: &Tx<'_>, bucket: &str) -> Result<Vec<Subscription>, store::Error> {
    let sql = "SELECT body FROM objects_documents WHERE bucket = ?1 AND kind = ?2";
    let Some(list) = tx.row(sql, (bucket, SUBSCRIPTIONS), |row| row.get::<_, String>(0))? else { return Ok(Vec::new()) };
    serde_json::from_str(&list).map_err(|_| store::Error::Corrupt("subscriptions to a bucket"))
}

/// Tells those who asked for it.
pub(super) fn tell(tx: &mut Tx<'_>, bucket: &str, subscriptions: &[Subscription], event: &Event) -> Result<(), store::Error> {
    let Some(occasion) = event.occasion() else { return Ok(()) };
    let key = event.key();
    let wants = |one: &&Subscription| one.occasions.contains(&occasion) && key.starts_with(&one.prefix) && key.ends_with(&one.suffix);
    let to = subscriptions.iter().filter(wants).map(address).collect();
    emit(tx, bucket, Notice { to, event: Some(event.clone()) })
}

fn address(subscription: &Subscription) -> (String, Recipient) {
    (subscription.id.clone(), subscription.recipient.clone())
}

fn emit(tx: &mut Tx<'_>, bucket: &str, notice: Notice) -> Result<(), store::Error> {
    if notice.to.is_empty() {
        return Ok(());
    }
    let body = serde_json::to_string(&notice).expect("notices are plain data");
    tx.emit(&store::Event { source: NOTICES, resource: bucket.to_owned(), body })
}
