//! Topics and subscriptions after Google's model: what is published to a topic is kept for each subscription until it is acknowledged
//! there. Knows nothing of its protocols; see `wire/` for those.
//!
//! Kept but not acted upon: labels, expiry of subscriptions that nobody uses, keeping of acknowledged messages (a seek goes back to what
//! was not acknowledged), exactly-once delivery (within one process there is nothing that would deliver twice within the deadline).

mod deliver;
mod event;
mod filter;
mod message;
mod name;
pub mod portable;
mod publish;
mod settings;
mod store;
mod subscriber;
#[cfg(test)]
mod tests;

use crate::base::Call;
use crate::store::{Db, Tx};

pub use deliver::{AckId, Lease, Received};
pub use event::SOURCE;
pub use message::{Message, Publish};
pub use name::{SubscriptionName, TopicName};
pub use settings::{DeadLetter, Field, Identity, Push, Retry, Settings, TopicField, TopicSettings};
pub use store::SCHEMA;
pub use subscriber::{Flow, Subscriber};

/// The topics and subscriptions of a World. Cheap to clone.
#[derive(Clone)]
pub struct Pubsub {
    db: Db,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    pub name: TopicName,
    pub settings: TopicSettings,
}

/// One who gets what is published to a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub name: SubscriptionName,
    /// `None` once the topic was deleted.
    pub topic: Option<TopicName>,
    pub settings: Settings,
}

/// A page of a list, and the token of the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// What can be wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Resource not found (resource={}).", .0.id())]
    NoSuchTopic(TopicName),
    #[error("Resource not found (resource={}).", .0.id())]
    NoSuchSubscription(SubscriptionName),
    #[error("Resource already exists in the project (resource={0}).")]
    Exists(String),
    /// The whole text.
    #[error("{0}")]
    Invalid(String),
    #[error("You have passed an invalid ack ID to the service (ack_id={0}).")]
    AckId(String),
    #[error("This method is not supported for this subscription type.")]
    Pushed,
    #[error("The subscription {0} is detached from its topic and gets nothing any more.")]
    Detached(SubscriptionName),
    #[error("The state was replaced meanwhile; try again.")]
    Superseded,
    #[error(transparent)]
    Store(crate::store::Error),
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Error {
        match error {
            crate::store::Error::Superseded => Error::Superseded,
            other => Error::Store(other),
        }
    }
}

impl Error {
    fn invalid(text: impl Into<String>) -> Error {
        Error::Invalid(text.into())
    }
}

/// Things of a page where nothing is said, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 1_000;

impl Pubsub {
    /// The topics kept in `db`, which must know [`SCHEMA`].
    pub fn new(db: Db) -> Pubsub {
        Pubsub { db }
    }

    /// The key for [`Db::woken`] that is woken whenever a subscription may have something to hand out.
    pub fn wake_key(subscription: &SubscriptionName) -> String {
        format!("pubsub:{}", subscription.as_str())
    }

    /// Makes a topic. Fails with `Exists`, `Invalid`.
    pub async fn create_topic(&self, call: &Call, topic: Topic) -> Result<Topic, Error> {
        topic.settings.check()?;
        self.db
            .write(call, move |tx| {
                if store::topic(tx, &topic.name)?.is_some() {
                    return Err(Error::Exists(topic.name.id().to_owned()));
                }
                store::insert_topic(tx, &topic)?;
                Ok(topic)
            })
            .await
    }

    /// A topic. One that a function waits for is there although nobody made it.
    pub async fn topic(&self, call: &Call, name: &TopicName) -> Result<Topic, Error> {
        self.db
            .read(call, |tx| match store::topic(tx, name)? {
                None if is_waited_for(tx, name) => Ok(Topic { name: name.clone(), settings: TopicSettings::default() }),
                found => found.ok_or_else(|| Error::NoSuchTopic(name.clone())),
            })
            .await
    }

    /// Changes what `fields` name of a topic to what it is in `wanted`.
    pub async fn update_topic(&self, call: &Call, wanted: Topic, fields: Vec<TopicField>) -> Result<Topic, Error> {
        self.db
            .write(call, move |tx| {
                let mut found = topic_in(tx, &wanted.name)?;
                for field in &fields {
                    field.copy(&wanted.settings, &mut found.settings);
                }
                found.settings.check()?;
                store::update_topic(tx, &found)?;
                Ok(found)
            })
            .await
    }

    /// Topics of a project in the order of their names.
    pub async fn topics(&self, call: &Call, project: &str, size: i32, after: &str) -> Result<Page<Topic>, Error> {
        let size = page(size)?;
        let found = self.db.read(call, |tx| store::topics(tx, project, after, size + 1)).await?;
        Ok(cut(found, size, |topic| topic.name.as_str()))
    }

    /// Removes a topic. Its subscriptions keep what they have, and get nothing more.
    pub async fn delete_topic(&self, call: &Call, name: &TopicName) -> Result<(), Error> {
        let name = name.clone();
        self.db.write(call, move |tx| if store::remove_topic(tx, &name)? { Ok(()) } else { Err(Error::NoSuchTopic(name)) }).await
    }

    /// Makes a subscription, which gets what is published from now on. Fails with `NoSuchTopic`, `Exists`, `Invalid`.
    pub async fn subscribe(
        &self,
        call: &Call,
        name: SubscriptionName,
        topic: TopicName,
        settings: Settings,
    ) -> Result<Subscription, Error> {
        settings.check()?;
        self.db
            .write(call, move |tx| {
                topic_in(tx, &topic)?;
                if store::subscription(tx, &name)?.is_some() {
                    return Err(Error::Exists(name.id().to_owned()));
                }
                let subscription = Subscription { name, topic: Some(topic), settings };
                store::insert_subscription(tx, &subscription)?;
                tx.wake(PUSHED);
                Ok(subscription)
            })
            .await
    }

    /// A subscription.
    pub async fn subscription(&self, call: &Call, name: &SubscriptionName) -> Result<Subscription, Error> {
        self.db.read(call, |tx| Ok(store::get(tx, name)?.subscription)).await
    }

    /// Changes what `fields` name of a subscription to what it is in `wanted`.
    pub async fn update(&self, call: &Call, name: &SubscriptionName, wanted: Settings, fields: Vec<Field>) -> Result<Subscription, Error> {
        self.change(call, name, move |_, found| {
            for field in &fields {
                field.copy(&wanted, &mut found.settings);
            }
            found.settings.check()
        })
        .await
    }

    /// Cuts a subscription off from its topic, for good. What it has is gone.
    pub async fn detach(&self, call: &Call, name: &SubscriptionName) -> Result<(), Error> {
        self.change(call, name, |tx, found| {
            found.settings.detached = true;
            store::clear(tx, &found.name)
        })
        .await
        .map(|_| ())
    }

    /// All subscriptions to which messages are sent; [`PUSHED`] tells of changes.
    pub async fn pushed(&self, call: &Call) -> Result<Vec<Subscription>, Error> {
        self.db.read(call, |tx| store::pushed(tx)).await
    }

    /// Subscriptions of a project in the order of their names.
    pub async fn subscriptions(&self, call: &Call, project: &str, size: i32, after: &str) -> Result<Page<Subscription>, Error> {
        let size = page(size)?;
        let found = self.db.read(call, |tx| store::subscriptions(tx, project, after, size + 1)).await?;
        Ok(cut(found, size, |subscription| subscription.name.as_str()))
    }

    /// Names of the subscriptions of a topic.
    pub async fn subscribers(&self, call: &Call, topic: &TopicName, size: i32, after: &str) -> Result<Page<String>, Error> {
        let size = page(size)?;
        self.topic(call, topic).await?;
        let found = self.db.read(call, |tx| store::names_of(tx, topic, after, size + 1)).await?;
        Ok(cut(found, size, String::as_str))
    }

    /// Removes a subscription with what it has.
    pub async fn unsubscribe(&self, call: &Call, name: &SubscriptionName) -> Result<(), Error> {
        let name = name.clone();
        self.db
            .write(call, move |tx| {
                let found = store::get(tx, &name)?;
                store::remove_subscription(tx, &found)?;
                tx.wake(&Pubsub::wake_key(&name));
                tx.wake(PUSHED);
                Ok(())
            })
            .await
    }

    async fn change(
        &self,
        call: &Call,
        name: &SubscriptionName,
        change: impl FnOnce(&mut Tx<'_>, &mut Subscription) -> Result<(), Error> + Send + 'static,
    ) -> Result<Subscription, Error> {
        let name = name.clone();
        self.db
            .write(call, move |tx| {
                let mut found = store::get(tx, &name)?;
                change(tx, &mut found.subscription)?;
                store::update_subscription(tx, &found)?;
                tx.wake(&Pubsub::wake_key(&name));
                tx.wake(PUSHED);
                Ok(found.subscription)
            })
            .await
    }
}

/// The key for [`Db::woken`] that is woken when a subscription begins, changes or ends.
pub const PUSHED: &str = "pubsub-subscriptions";

/// Whether a function waits for messages of a topic. Nothing follows where everything is listened to.
fn is_waited_for(tx: &Tx<'_>, name: &TopicName) -> bool {
    tx.listens(SOURCE, name.as_str()) && !tx.listens(SOURCE, "")
}

/// A topic; one that a function waits for is made.
fn topic_in(tx: &mut Tx<'_>, name: &TopicName) -> Result<Topic, Error> {
    if let Some(found) = store::topic(tx, name)? {
        return Ok(found);
    }
    if !is_waited_for(tx, name) {
        return Err(Error::NoSuchTopic(name.clone()));
    }
    let topic = Topic { name: name.clone(), settings: TopicSettings::default() };
    store::insert_topic(tx, &topic)?;
    Ok(topic)
}

fn page(size: i32) -> Result<usize, Error> {
    match usize::try_from(size) {
        Ok(0) => Ok(PAGE),
        Ok(size) => Ok(size.min(PAGE_MAX)),
        Err(_) => Err(Error::invalid("The page size is negative.")),
    }
}

fn cut<T>(mut items: Vec<T>, size: usize, name: impl Fn(&T) -> &str) -> Page<T> {
    let more = items.len() > size;
    items.truncate(size);
    let next = items.last().filter(|_| more).map(|last| name(last).to_owned());
    Page { items, next }
}
