//! The tables of topics, subscriptions and what they have.

use rusqlite::Row;

use super::{Error, Message, Publish, Settings, Subscription, SubscriptionName, Topic, TopicName, TopicSettings};
use crate::base::{Time, TraceId};
use crate::store::{self, Schema, Tx, lease};

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    part: "pubsub",
    steps: &["
    CREATE TABLE pubsub_topics (
        name TEXT PRIMARY KEY,
        settings TEXT NOT NULL,
        created INTEGER NOT NULL
    );
    CREATE TABLE pubsub_subscriptions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        topic TEXT,
        settings TEXT NOT NULL,
        created INTEGER NOT NULL
    );
    CREATE INDEX pubsub_subscriptions_topic ON pubsub_subscriptions (topic);
    CREATE TABLE pubsub_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        subscription INTEGER NOT NULL,
        due INTEGER NOT NULL,
        attempts INTEGER NOT NULL DEFAULT 0,
        receipt TEXT,
        holder TEXT,
        sent INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        ordering TEXT,
        attributes TEXT NOT NULL,
        data BLOB NOT NULL,
        trace TEXT NOT NULL
    );
    CREATE INDEX pubsub_messages_due ON pubsub_messages (subscription, due);
    CREATE INDEX pubsub_messages_sent ON pubsub_messages (subscription, sent);
    CREATE INDEX pubsub_messages_ordering ON pubsub_messages (subscription, ordering, due) WHERE ordering IS NOT NULL;
    CREATE INDEX pubsub_messages_holder ON pubsub_messages (subscription, holder) WHERE holder IS NOT NULL"],
};

const MESSAGES: &str = "pubsub_messages";

/// A subscription and its row.
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) subscription: Subscription,
}

/// A message of a subscription that is to be handed out.
pub(super) struct Found {
    row: i64,
    pub(super) attempts: u32,
    pub(super) message: Message,
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("what is stored is plain data")
}

fn corrupt(what: &'static str) -> Error {
    store::Error::Corrupt(what).into()
}

type TopicRow = (String, String);

fn read_topic(row: &Row<'_>) -> rusqlite::Result<TopicRow> {
    Ok((row.get(0)?, row.get(1)?))
}

fn topic_of((name, settings): TopicRow) -> Result<Topic, Error> {
    let settings: TopicSettings = serde_json::from_str(&settings).map_err(|_| corrupt("a topic"))?;
    Ok(Topic { name: TopicName::parse(&name)?, settings })
}

pub(super) fn topic(tx: &Tx<'_>, name: &TopicName) -> Result<Option<Topic>, Error> {
    tx.row("SELECT name, settings FROM pubsub_topics WHERE name = ?1", [name.as_str()], read_topic)?.map(topic_of).transpose()
}

pub(super) fn insert_topic(tx: &Tx<'_>, topic: &Topic) -> Result<(), Error> {
    let sql = "INSERT INTO pubsub_topics (name, settings, created) VALUES (?1, ?2, ?3)";
    tx.execute(sql, (topic.name.as_str(), text(&topic.settings), tx.now().millis()))?;
    Ok(())
}

pub(super) fn update_topic(tx: &Tx<'_>, topic: &Topic) -> Result<(), Error> {
    tx.execute("UPDATE pubsub_topics SET settings = ?2 WHERE name = ?1", (topic.name.as_str(), text(&topic.settings)))?;
    Ok(())
}

pub(super) fn remove_topic(tx: &Tx<'_>, name: &TopicName) -> Result<bool, Error> {
    tx.execute("UPDATE pubsub_subscriptions SET topic = NULL WHERE topic = ?1", [name.as_str()])?;
    Ok(tx.execute("DELETE FROM pubsub_topics WHERE name = ?1", [name.as_str()])? > 0)
}

/// The names that a list of a project's things is between.
fn between(project: &str, collection: &str, after: &str) -> (String, String) {
    let from = format!("projects/{project}/{collection}/");
    // What comes after a slash in the order of bytes.
    let to = format!("projects/{project}/{collection}0");
    (if after > from.as_str() { after.to_owned() } else { from }, to)
}

pub(super) fn topics(tx: &Tx<'_>, project: &str, after: &str, limit: usize) -> Result<Vec<Topic>, Error> {
    let (from, to) = between(project, "topics", after);
    let sql = "SELECT name, settings FROM pubsub_topics WHERE name > ?1 AND name < ?2 ORDER BY name LIMIT ?3";
    tx.rows(sql, (from, to, limit as i64), read_topic)?.into_iter().map(topic_of).collect()
}

const COLUMNS: &str = "id, name, topic, settings";

type SubscriptionRow = (i64, String, Option<String>, String);

fn read_subscription(row: &Row<'_>) -> rusqlite::Result<SubscriptionRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn subscription_of((id, name, topic, settings): SubscriptionRow) -> Result<Stored, Error> {
    let settings: Settings = serde_json::from_str(&settings).map_err(|_| corrupt("a subscription"))?;
    let topic = topic.as_deref().map(TopicName::parse).transpose()?;
    Ok(Stored { id, subscription: Subscription { name: SubscriptionName::parse(&name)?, topic, settings } })
}

pub(super) fn subscription(tx: &Tx<'_>, name: &SubscriptionName) -> Result<Option<Stored>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM pubsub_subscriptions WHERE name = ?1");
    tx.row(&sql, [name.as_str()], read_subscription)?.map(subscription_of).transpose()
}

pub(super) fn get(tx: &Tx<'_>, name: &SubscriptionName) -> Result<Stored, Error> {
    subscription(tx, name)?.ok_or_else(|| Error::NoSuchSubscription(name.clone()))
}

pub(super) fn insert_subscription(tx: &Tx<'_>, subscription: &Subscription) -> Result<(), Error> {
    let sql = "INSERT INTO pubsub_subscriptions (name, topic, settings, created) VALUES (?1, ?2, ?3, ?4)";
    let topic = subscription.topic.as_ref().map(TopicName::as_str);
    tx.execute(sql, (subscription.name.as_str(), topic, text(&subscription.settings), tx.now().millis()))?;
    Ok(())
}

pub(super) fn update_subscription(tx: &Tx<'_>, stored: &Stored) -> Result<(), Error> {
    tx.execute("UPDATE pubsub_subscriptions SET settings = ?2 WHERE id = ?1", (stored.id, text(&stored.subscription.settings)))?;
    Ok(())
}

pub(super) fn remove_subscription(tx: &Tx<'_>, stored: &Stored) -> Result<(), Error> {
    tx.execute("DELETE FROM pubsub_messages WHERE subscription = ?1", [stored.id])?;
    tx.execute("DELETE FROM pubsub_subscriptions WHERE id = ?1", [stored.id])?;
    Ok(())
}

pub(super) fn subscriptions(tx: &Tx<'_>, project: &str, after: &str, limit: usize) -> Result<Vec<Subscription>, Error> {
    let (from, to) = between(project, "subscriptions", after);
    let sql = format!("SELECT {COLUMNS} FROM pubsub_subscriptions WHERE name > ?1 AND name < ?2 ORDER BY name LIMIT ?3");
    let found = tx.rows(&sql, (from, to, limit as i64), read_subscription)?;
    found.into_iter().map(|row| Ok(subscription_of(row)?.subscription)).collect()
}

/// All subscriptions to which messages are sent.
pub(super) fn pushed(tx: &Tx<'_>) -> Result<Vec<Subscription>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM pubsub_subscriptions WHERE settings ->> '$.push' IS NOT NULL ORDER BY id");
    tx.rows(&sql, [], read_subscription)?.into_iter().map(|row| Ok(subscription_of(row)?.subscription)).collect()
}

pub(super) fn names_of(tx: &Tx<'_>, topic: &TopicName, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    let sql = "SELECT name FROM pubsub_subscriptions WHERE topic = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
    Ok(tx.rows(sql, (topic.as_str(), after, limit as i64), |row| row.get(0))?)
}

pub(super) fn of_topic(tx: &Tx<'_>, topic: &TopicName) -> Result<Vec<Stored>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM pubsub_subscriptions WHERE topic = ?1 ORDER BY id");
    tx.rows(&sql, [topic.as_str()], read_subscription)?.into_iter().map(subscription_of).collect()
}

pub(super) fn insert_message(tx: &Tx<'_>, to: &Stored, message: &Message) -> Result<(), Error> {
    let content = &message.content;
    // Where order does not matter, keys hold up nobody.
    let ordering = content.ordering.as_deref().filter(|key| !key.is_empty());
    let sql = "INSERT INTO pubsub_messages (subscription, due, sent, message_id, ordering, attributes, data, trace)
               VALUES (?1, ?2, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (at, attributes) = (message.at.millis(), text(&content.attributes));
    tx.execute(sql, rusqlite::params![to.id, at, message.id, ordering, attributes, content.data, message.trace.as_str()])?;
    Ok(())
}

/// Removes all messages of a subscription.
pub(super) fn clear(tx: &Tx<'_>, name: &SubscriptionName) -> Result<(), Error> {
    let sql = "DELETE FROM pubsub_messages WHERE subscription = (SELECT id FROM pubsub_subscriptions WHERE name = ?1)";
    tx.execute(sql, [name.as_str()])?;
    Ok(())
}

/// Removes messages that were kept for longer than the subscription says.
pub(super) fn expire(tx: &Tx<'_>, from: &Stored) -> Result<(), Error> {
    let before = tx.now().plus_ms(-from.subscription.settings.retention_s.saturating_mul(1_000));
    tx.execute("DELETE FROM pubsub_messages WHERE subscription = ?1 AND sent <= ?2", (from.id, before.millis()))?;
    Ok(())
}

const MESSAGE: &str = "id, attempts, message_id, sent, ordering, attributes, data, trace";

type MessageRow = (i64, u32, String, i64, Option<String>, String, Vec<u8>, String);

fn read_message(row: &Row<'_>) -> rusqlite::Result<MessageRow> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?, row.get(7)?))
}

fn message_of((row, attempts, id, sent, ordering, attributes, data, trace): MessageRow) -> Result<Found, Error> {
    let attributes = serde_json::from_str(&attributes).map_err(|_| corrupt("a message of a subscription"))?;
    let content = Publish { data, attributes, ordering };
    Ok(Found { row, attempts, message: Message { id, at: Time(sent), content, trace: TraceId(trace.into()) } })
}

/// A message may be handed out when none of its key is held, and none before it waits.
const FREE: &str = "NOT EXISTS (SELECT 1 FROM pubsub_messages b WHERE b.subscription = m.subscription AND b.ordering = m.ordering
    AND b.due > ?2 AND (b.attempts > 0 OR b.id < m.id))";

/// Messages that may be handed out now, in order; stops before `bytes_max` bytes, but not before the first.
pub(super) fn free(tx: &Tx<'_>, from: &Stored, limit: usize, bytes_max: usize) -> Result<Vec<Found>, Error> {
    let order = if from.subscription.settings.ordering { format!("AND {FREE} ORDER BY id") } else { "ORDER BY due, id".to_owned() };
    let sql = format!("SELECT {MESSAGE} FROM pubsub_messages m WHERE subscription = ?1 AND due <= ?2 {order} LIMIT ?3");
    let mut statement = tx.statement(&sql)?;
    let mut rows = statement.query((from.id, tx.now().millis(), limit as i64)).map_err(store::Error::from)?;
    let (mut all, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next().map_err(store::Error::from)? {
        let found = message_of(read_message(row).map_err(store::Error::from)?)?;
        bytes += found.message.content.bytes();
        if bytes > bytes_max && !all.is_empty() {
            break;
        }
        all.push(found);
    }
    Ok(all)
}

pub(super) fn find(tx: &Tx<'_>, row: i64) -> Result<Option<Found>, Error> {
    let sql = format!("SELECT {MESSAGE} FROM pubsub_messages WHERE id = ?1");
    tx.row(&sql, [row], read_message)?.map(message_of).transpose()
}

/// Whether a message is due, whatever holds it up.
pub(super) fn any_due(tx: &Tx<'_>, from: &Stored) -> Result<bool, Error> {
    let sql = "SELECT 1 FROM pubsub_messages WHERE subscription = ?1 AND due <= ?2 LIMIT 1";
    Ok(tx.row(sql, (from.id, tx.now().millis()), |_| Ok(()))?.is_some())
}

/// When the next message comes back that somebody holds.
pub(super) fn next_due(tx: &Tx<'_>, from: &Stored) -> Result<Option<Time>, Error> {
    let sql = "SELECT min(due) FROM pubsub_messages WHERE subscription = ?1 AND due > ?2";
    Ok(tx.row(sql, (from.id, tx.now().millis()), |row| row.get::<_, Option<i64>>(0))?.flatten().map(Time))
}

/// How many messages somebody holds, and the bytes of them.
pub(super) fn held_by(tx: &Tx<'_>, from: &Stored, holder: &str) -> Result<(usize, usize), Error> {
    let sql = "SELECT count(*), coalesce(sum(length(data) + length(attributes)), 0) FROM pubsub_messages
               WHERE subscription = ?1 AND holder = ?2 AND due > ?3";
    let found = tx.row(sql, (from.id, holder, tx.now().millis()), |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let (messages, bytes) = found.unwrap_or_default();
    Ok((messages.unsigned_abs() as usize, bytes.unsigned_abs() as usize))
}

/// Hands a message out until `until`.
pub(super) fn take(tx: &mut Tx<'_>, found: &Found, until: Time, holder: Option<&str>) -> Result<lease::Lease, Error> {
    let taken = lease::take(tx, MESSAGES, found.row, found.attempts, until)?;
    tx.execute("UPDATE pubsub_messages SET holder = ?1 WHERE id = ?2", (holder, found.row))?;
    Ok(taken)
}

/// How often a message was handed out that is held under a receipt.
pub(super) fn held(tx: &Tx<'_>, row: i64, receipt: &str) -> Result<Option<u32>, Error> {
    let sql = "SELECT attempts FROM pubsub_messages WHERE id = ?1 AND receipt = ?2";
    Ok(tx.row(sql, (row, receipt), |row| row.get(0))?)
}

pub(super) fn acknowledge(tx: &mut Tx<'_>, row: i64, receipt: &str) -> Result<bool, Error> {
    Ok(lease::acknowledge(tx, MESSAGES, row, receipt)?)
}

pub(super) fn defer(tx: &mut Tx<'_>, row: i64, receipt: &str, due: Time) -> Result<bool, Error> {
    Ok(lease::defer(tx, MESSAGES, row, receipt, due)?)
}

pub(super) fn release(tx: &mut Tx<'_>, row: i64, receipt: &str, due: Time) -> Result<bool, Error> {
    Ok(lease::release(tx, MESSAGES, row, receipt, due)?)
}

/// Gives back what has the same ordering key as a message and was handed out after it.
pub(super) fn release_after(tx: &Tx<'_>, from: &Stored, row: i64, due: Time) -> Result<(), Error> {
    let sql = "UPDATE pubsub_messages SET due = ?3, receipt = NULL WHERE subscription = ?1 AND id > ?2 AND receipt IS NOT NULL
               AND ordering = (SELECT ordering FROM pubsub_messages WHERE id = ?2)";
    tx.execute(sql, (from.id, row, due.millis()))?;
    Ok(())
}

pub(super) fn remove(tx: &Tx<'_>, found: &Found) -> Result<(), Error> {
    tx.execute("DELETE FROM pubsub_messages WHERE id = ?1", [found.row])?;
    Ok(())
}

/// Removes what was published before a time, and gives back the rest.
pub(super) fn seek(tx: &Tx<'_>, from: &Stored, time: Time) -> Result<(), Error> {
    tx.execute("DELETE FROM pubsub_messages WHERE subscription = ?1 AND sent < ?2", (from.id, time.millis()))?;
    let sql = "UPDATE pubsub_messages SET due = min(due, ?2), receipt = NULL WHERE subscription = ?1";
    tx.execute(sql, (from.id, tx.now().millis()))?;
    Ok(())
}
