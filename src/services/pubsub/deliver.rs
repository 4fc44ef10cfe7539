//! Handing messages out, and what becomes of them then.

use std::time::Duration;

use super::store::{self, Stored};
use super::{Error, Message, Publish, Pubsub, SubscriptionName, TopicName, publish, settings};
use crate::base::{Call, Time};
use crate::store::Tx;

/// Messages of one answer at most, and bytes of them but for the first.
const MESSAGES_MAX: usize = 1_000;
const BYTES_MAX: usize = 4 << 20;
/// How long a pull waits for a message.
const PULL_MAX: Duration = Duration::from_secs(20);

/// What proves that somebody holds a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckId {
    subscription: i64,
    row: i64,
    receipt: String,
}

impl AckId {
    /// Reads one. Fails with `AckId`.
    pub fn parse(text: &str) -> Result<AckId, Error> {
        let mut parts = text.splitn(3, '-');
        let mut number = || parts.next()?.parse().ok();
        let (subscription, row) = (number(), number());
        match (subscription, row, parts.next()) {
            (Some(subscription), Some(row), Some(receipt)) => Ok(AckId { subscription, row, receipt: receipt.to_owned() }),
            _ => Err(Error::AckId(text.chars().take(200).collect())),
        }
    }
}

impl std::fmt::Display for AckId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}-{}", self.subscription, self.row, self.receipt)
    }
}

/// A message that was handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    pub ack_id: AckId,
    pub message: Message,
    /// How often it was handed out, this time included; said where there is a limit.
    pub attempt: Option<u32>,
}

/// What somebody wants who asks for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub messages_max: usize,
    pub bytes_max: usize,
    /// Seconds to acknowledge them in; as the subscription says unless set.
    pub deadline_s: Option<i64>,
    /// Who holds them, to know how many that are. Whoever acknowledges them need not be the same.
    pub holder: Option<String>,
}

impl Lease {
    /// So many messages, for as long as the subscription says.
    pub fn of(messages_max: usize) -> Lease {
        Lease { messages_max: messages_max.min(MESSAGES_MAX), bytes_max: BYTES_MAX, deadline_s: None, holder: None }
    }
}

impl Pubsub {
    /// Hands out messages, waiting a while for the first unless it is to answer `at_once`. Fails with `NoSuchSubscription`, `Pushed`.
    pub async fn pull(&self, call: &Call, name: &SubscriptionName, messages_max: i32, at_once: bool) -> Result<Vec<Received>, Error> {
        let messages_max = usize::try_from(messages_max).ok().filter(|max| *max > 0);
        let lease = Lease::of(messages_max.ok_or_else(|| Error::invalid("The value of max_messages must be greater than 0."))?);
        if self.subscription(call, name).await?.settings.push.is_some() {
            return Err(Error::Pushed);
        }
        if at_once {
            return self.lease(call, name, &lease).await;
        }
        match tokio::time::timeout(PULL_MAX, self.wait(call, name, &lease)).await {
            Ok(received) => received,
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Hands out messages once there are some. Dropped in the midst of it, some may be held by nobody until their deadline.
    pub async fn wait(&self, call: &Call, name: &SubscriptionName, lease: &Lease) -> Result<Vec<Received>, Error> {
        loop {
            let woken = self.db.woken(&Pubsub::wake_key(name));
            let mut woken = std::pin::pin!(woken.notified());
            woken.as_mut().enable();
            let received = self.lease(call, name, lease).await?;
            if !received.is_empty() {
                return Ok(received);
            }
            match self.next_due(call, name).await? {
                Some(due) => tokio::select! {
                    () = woken => {}
                    () = self.db.clock().sleep_until(due) => {}
                },
                None => woken.await,
            }
        }
    }

    /// Hands out the messages that are due, at once. Fails with `NoSuchSubscription`, `Detached`.
    pub async fn lease(&self, call: &Call, name: &SubscriptionName, lease: &Lease) -> Result<Vec<Received>, Error> {
        // Most looks find nothing, and need no write.
        let due = self
            .db
            .read(call, |tx| {
                let found = store::get(tx, name)?;
                if found.subscription.settings.detached {
                    return Err(Error::Detached(found.subscription.name));
                }
                store::any_due(tx, &found)
            })
            .await?;
        if !due {
            return Ok(Vec::new());
        }
        let (name, lease) = (name.clone(), lease.clone());
        self.db.write(call, move |tx| lease_in(tx, &name, &lease)).await
    }

    /// When the next message comes back or is old enough to be handed out.
    async fn next_due(&self, call: &Call, name: &SubscriptionName) -> Result<Option<Time>, Error> {
        self.db.read(call, |tx| store::next_due(tx, &store::get(tx, name)?)).await
    }

    /// Takes messages for dealt with. Those whose holder is another by now are left to them. Fails with `AckId`, `NoSuchSubscription`.
    pub async fn acknowledge(&self, call: &Call, name: &SubscriptionName, ack_ids: Vec<AckId>) -> Result<(), Error> {
        let name = name.clone();
        self.db
            .write(call, move |tx| {
                let subscription = store::get(tx, &name)?;
                for id in ack_ids.iter().filter(|id| id.subscription == subscription.id) {
                    store::acknowledge(tx, id.row, &id.receipt)?;
                }
                tx.wake(&Pubsub::wake_key(&name));
                Ok(())
            })
            .await
    }

    /// Gives each of these messages so many seconds more from now; with 0 it is given back. Fails with `Invalid`, `NoSuchSubscription`.
    pub async fn modify(&self, call: &Call, name: &SubscriptionName, deadlines: Vec<(AckId, i64)>) -> Result<(), Error> {
        let range = 0..=settings::ACK_DEADLINE_MAX_S;
        if let Some((_, seconds)) = deadlines.iter().find(|(_, seconds)| !range.contains(seconds)) {
            return Err(Error::invalid(format!("Invalid ack deadline given ({seconds}): it must be between 0 and {}.", range.end())));
        }
        let name = name.clone();
        self.db
            .write(call, move |tx| {
                let subscription = store::get(tx, &name)?;
                for (id, seconds) in deadlines.iter().filter(|(id, _)| id.subscription == subscription.id) {
                    match store::held(tx, id.row, &id.receipt)? {
                        Some(attempts) if *seconds == 0 => give_back(tx, &subscription, id, attempts)?,
                        Some(attempts) => {
                            let due = deadline(tx.now(), &subscription, attempts, *seconds);
                            store::defer(tx, id.row, &id.receipt, due)?;
                        }
                        None => {}
                    }
                }
                tx.wake(&Pubsub::wake_key(&name));
                Ok(())
            })
            .await
    }

    /// Takes everything that was published before a time for dealt with, and gives back all the rest.
    pub async fn seek(&self, call: &Call, name: &SubscriptionName, time: Time) -> Result<(), Error> {
        let name = name.clone();
        self.db
            .write(call, move |tx| {
                let subscription = store::get(tx, &name)?;
                store::seek(tx, &subscription, time)?;
                tx.wake(&Pubsub::wake_key(&name));
                Ok(())
            })
            .await
    }
}

/// When a message comes back that is not acknowledged: after its deadline, and the wait that follows.
fn deadline(now: Time, subscription: &Stored, attempts: u32, seconds: i64) -> Time {
    let settings = &subscription.subscription.settings;
    now.plus_ms(seconds * 1_000 + settings.backoff_ms(attempts))
}

fn lease_in(tx: &mut Tx<'_>, name: &SubscriptionName, lease: &Lease) -> Result<Vec<Received>, Error> {
    let subscription = store::get(tx, name)?;
    store::expire(tx, &subscription)?;
    let room = match &lease.holder {
        Some(holder) => store::held_by(tx, &subscription, holder)?,
        None => (0, 0),
    };
    let messages_max = lease.messages_max.saturating_sub(room.0).min(MESSAGES_MAX);
    let bytes_max = lease.bytes_max.saturating_sub(room.1).min(BYTES_MAX);
    // Whoever holds nothing gets one, however large it is.
    if messages_max == 0 || (bytes_max == 0 && room.0 > 0) {
        return Ok(Vec::new());
    }
    let limit = subscription.subscription.settings.dead_letter.as_ref().map(|dead| dead.attempts_max);
    let free = loop {
        let free = store::free(tx, &subscription, messages_max, bytes_max)?;
        let mut buried = false;
        for found in free.iter().filter(|found| limit.is_some_and(|max| found.attempts >= max)) {
            buried |= bury(tx, &subscription, found)?;
        }
        // What is buried makes room for others.
        if !buried {
            break free;
        }
    };
    let seconds = lease.deadline_s.unwrap_or(subscription.subscription.settings.ack_deadline_s);
    let mut received = Vec::with_capacity(free.len());
    for found in free {
        let until = deadline(tx.now(), &subscription, found.attempts + 1, seconds);
        let taken = store::take(tx, &found, until, lease.holder.as_deref())?;
        received.push(Received {
            ack_id: AckId { subscription: subscription.id, row: taken.id, receipt: taken.receipt },
            message: found.message,
            attempt: limit.map(|_| taken.attempts),
        });
    }
    Ok(received)
}

/// Gives a message back, after the wait that the subscription says; those of its key that came after it are given back too.
fn give_back(tx: &mut Tx<'_>, subscription: &Stored, id: &AckId, attempts: u32) -> Result<(), Error> {
    let settings = &subscription.subscription.settings;
    if settings.dead_letter.as_ref().is_some_and(|dead| attempts >= dead.attempts_max)
        && let Some(found) = store::find(tx, id.row)?
        && bury(tx, subscription, &found)?
    {
        return Ok(());
    }
    let due = tx.now().plus_ms(settings.backoff_ms(attempts));
    store::release(tx, id.row, &id.receipt, due)?;
    if settings.ordering {
        store::release_after(tx, subscription, id.row, due)?;
    }
    Ok(())
}

/// Moves a message that was handed out too often to the topic for those. Stays where it is while there is no such topic.
fn bury(tx: &mut Tx<'_>, subscription: &Stored, found: &store::Found) -> Result<bool, Error> {
    let Some(dead) = &subscription.subscription.settings.dead_letter else { return Ok(false) };
    let topic = TopicName::parse(&dead.topic)?;
    if store::topic(tx, &topic)?.is_none() {
        return Ok(false);
    }
    let name = &subscription.subscription.name;
    // Source: "Handle message failures", attributes of forwarded messages.
    let source = [
        ("CloudPubSubDeadLetterSourceDeliveryCount", found.attempts.to_string()),
        ("CloudPubSubDeadLetterSourceSubscription", name.id().to_owned()),
        ("CloudPubSubDeadLetterSourceSubscriptionProject", name.project().to_owned()),
        ("CloudPubSubDeadLetterSourceTopicPublishTime", found.message.at.iso()),
    ];
    let mut content: Publish = found.message.content.clone();
    content.attributes.extend(source.map(|(key, value)| (key.to_owned(), value)));
    publish::publish_in(tx, &topic, content)?;
    store::remove(tx, found)?;
    Ok(true)
}
