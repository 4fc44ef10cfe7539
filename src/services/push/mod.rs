//! Pushes to devices: an inbox for everything that is sent, so that nothing leaves the machine and tests can read it, with what a device of
//! each kind would show. Knows tokens that are no longer good, and topics. Knows nothing of Firebase; see `wire/`.

mod condition;
mod error;
mod model;
pub mod portable;
mod render;
mod store;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use crate::base::{Call, Caller};
use crate::store::{Db, Tx};

pub use condition::Condition;
pub use error::{Error, MESSAGE_BYTES_MAX, TOPICS_MAX};
pub use model::{Device, DeviceState, Draft, Platform, Push, Subscription, Target};
pub use render::{Rendered, render};
pub use store::SCHEMA;

/// The key to give to [`Db::woken`] to learn of new pushes.
pub const WAKE: &str = "push";
/// Bytes of a topic's name.
const TOPIC_BYTES_MAX: usize = 900;

/// Told of every push that has arrived, and of the call that sent it.
pub type Listener = dyn Fn(&Call, &Push) + Send + Sync;

/// The pushes of a World. Cheap to clone.
#[derive(Clone)]
pub struct Pushes {
    db: Db,
    listener: Arc<OnceLock<Box<Listener>>>,
}

impl Pushes {
    /// The pushes kept in `db`, which must know [`SCHEMA`].
    pub fn new(db: Db) -> Pushes {
        Pushes { db, listener: Arc::default() }
    }

    /// Tells `listener` of every push from now on, once it is committed. There is one listener: a second is not heard.
    pub fn listen(&self, listener: Box<Listener>) {
        // A second call would be a mistake of the wiring; the first stands.
        let _ = self.listener.set(listener);
    }

    /// Sends a push; answers it, and `None` for one that was only to be tried.
    ///
    /// Fails with [`Error::Unregistered`] and [`Error::SenderMismatch`] for tokens of which that was told, and with [`Error::BadToken`],
    /// [`Error::BadTopic`], [`Error::BadCondition`], [`Error::TooLarge`].
    pub async fn send(&self, call: &Call, draft: Draft) -> Result<Option<Push>, Error> {
        check(&draft)?;
        let push = self.db.write(call, move |tx| send_in(tx, draft)).await?;
        if let (Some(push), Some(listener)) = (&push, self.listener.get()) {
            listener(call, push);
        }
        Ok(push)
    }

    /// Subscribes tokens to a topic, or ends that. The answers are in order, and tell whether that changed anything.
    pub async fn subscribe(&self, call: &Call, topic: &str, tokens: Vec<String>, on: bool) -> Result<Vec<Result<bool, Error>>, Error> {
        let topic = topic_name(topic)?;
        self.db
            .write(call, move |tx| {
                let mut results = Vec::with_capacity(tokens.len());
                for token in tokens {
                    match subscribe_in(tx, &topic, &token, on) {
                        Err(Error::Store(error)) => return Err(Error::Store(error)),
                        result => results.push(result),
                    }
                }
                Ok(results)
            })
            .await
    }

    /// Subscribes one token to a topic; answers its subscription, and whether that is new.
    pub async fn subscribe_one(&self, call: &Call, topic: &str, token: &str) -> Result<(Subscription, bool), Error> {
        let (topic, token) = (topic_name(topic)?, token.to_owned());
        self.db
            .write(call, move |tx| {
                let is_new = subscribe_in(tx, &topic, &token, true)?;
                let subscription = store::subscription(tx, &topic, &token)?.expect("it was written, or was there");
                Ok((subscription, is_new))
            })
            .await
    }

    /// The subscriptions of a token by their topics, at most `limit` after `after`.
    ///
    /// Fails with [`Error::BadToken`], and with [`Error::Unregistered`] and [`Error::SenderMismatch`] where that was told of the token.
    pub async fn subscriptions(&self, call: &Call, token: &str, after: &str, limit: usize) -> Result<Vec<Subscription>, Error> {
        let token = token_of(token)?;
        self.db
            .read(call, |tx| {
                good(tx, &token)?;
                store::subscriptions(tx, &token, after, limit)
            })
            .await
    }

    /// The subscription of a token to one topic. Fails as [`Pushes::subscriptions`] does, and with [`Error::BadTopic`].
    pub async fn subscription(&self, call: &Call, topic: &str, token: &str) -> Result<Option<Subscription>, Error> {
        let (topic, token) = (topic_name(topic)?, token_of(token)?);
        self.db
            .read(call, |tx| {
                good(tx, &token)?;
                store::subscription(tx, &topic, &token)
            })
            .await
    }

    /// The pushes of the inbox, oldest first: the one of `id`, or at most `limit`, the latest.
    pub async fn inbox(&self, call: &Call, id: Option<&str>, limit: usize) -> Result<Vec<Push>, Error> {
        self.db.read(call, |tx| store::messages(tx, id, limit)).await
    }

    /// Removes one push, or all.
    pub async fn clear(&self, call: &Call, id: Option<&str>) -> Result<(), Error> {
        let id = id.map(str::to_owned);
        self.db.write(call, move |tx| store::clear(tx, id.as_deref())).await
    }

    /// Says what becomes of pushes to a token from now on.
    pub async fn set_device(&self, call: &Call, token: &str, state: DeviceState, platform: Option<Platform>) -> Result<(), Error> {
        let token = token_of(token)?;
        self.db.write(call, move |tx| store::put_device(tx, &token, state, platform)).await
    }

    /// What is known of a token; `None` where nobody has told of it.
    pub async fn device(&self, call: &Call, token: &str) -> Result<Option<Device>, Error> {
        self.db.read(call, |tx| store::device(tx, token)).await
    }

    /// Devices by their tokens, after `after`.
    pub async fn devices(&self, call: &Call, after: &str, limit: usize) -> Result<Vec<Device>, Error> {
        self.db
            .read(call, |tx| {
                let tokens = store::tokens(tx, after, limit)?;
                Ok(tokens.iter().map(|token| store::device(tx, token)).collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect())
            })
            .await
    }
}

/// What can be told of a push without asking anybody.
fn check(draft: &Draft) -> Result<(), Error> {
    match &draft.target {
        Target::Token(token) => drop(token_of(token)?),
        Target::Topic(topic) => drop(topic_name(topic)?),
        Target::Condition(condition) => drop(Condition::parse(condition)?),
    }
    for rendered in render(&draft.message) {
        let texts = [&rendered.title, &rendered.body, &rendered.image].into_iter().flatten().map(String::len).sum::<usize>();
        let data: usize = rendered.data.iter().map(|(name, value)| name.len() + value.as_str().map_or(0, str::len)).sum();
        let bytes = texts + data;
        if bytes > MESSAGE_BYTES_MAX {
            return Err(Error::TooLarge { platform: rendered.platform.name(), bytes, bytes_max: MESSAGE_BYTES_MAX });
        }
    }
    Ok(())
}

fn send_in(tx: &mut Tx<'_>, draft: Draft) -> Result<Option<Push>, Error> {
    if let Target::Token(token) = &draft.target {
        good(tx, token)?;
    }
    let (tokens, count) = store::audience(tx, &draft.target)?;
    if draft.dry_run {
        return Ok(None);
    }
    let push = Push {
        id: format!("0:{}%{}", tx.now().millis().saturating_mul(1_000), tx.ids().hex(8)),
        at: tx.now(),
        target: draft.target,
        rendered: render(&draft.message),
        message: draft.message,
        tokens,
        count,
        sender: if let Caller::Function(name) = &tx.call().caller { Some(name.to_string()) } else { None },
    };
    store::insert(tx, &push)?;
    tx.wake(WAKE);
    Ok(Some(push))
}

/// Whether that changed anything.
fn subscribe_in(tx: &Tx<'_>, topic: &str, token: &str, on: bool) -> Result<bool, Error> {
    let token = token_of(token)?;
    good(tx, &token)?;
    if on { store::subscribe(tx, topic, &token) } else { store::unsubscribe(tx, topic, &token) }
}

fn good(tx: &Tx<'_>, token: &str) -> Result<(), Error> {
    match store::state(tx, token)? {
        DeviceState::Registered => Ok(()),
        DeviceState::Unregistered => Err(Error::Unregistered),
        DeviceState::SenderMismatch => Err(Error::SenderMismatch),
    }
}

fn token_of(token: &str) -> Result<String, Error> {
    let is_good = !token.is_empty() && token.len() <= error::TOKEN_BYTES_MAX && !token.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_good { Ok(token.to_owned()) } else { Err(Error::BadToken(token.chars().take(100).collect())) }
}

/// The name of a topic without what stands before it.
fn topic_name(topic: &str) -> Result<String, Error> {
    let name = topic.strip_prefix("/topics/").unwrap_or(topic);
    let is_good =
        (1..=TOPIC_BYTES_MAX).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte));
    if is_good { Ok(name.to_owned()) } else { Err(Error::BadTopic(topic.chars().take(100).collect())) }
}
