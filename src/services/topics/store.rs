//! The topics' tables.

use std::collections::BTreeMap;

use rusqlite::Row;

use super::{Error, Published, Subscription, Topic};
use crate::base::Time;
use crate::store::{self, Schema, Tx};

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    part: "topics",
    steps: &["
    CREATE TABLE topics (
        name TEXT PRIMARY KEY,
        attributes TEXT NOT NULL,
        tags TEXT NOT NULL,
        created INTEGER NOT NULL,
        sequence INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE topic_subscriptions (
        id TEXT PRIMARY KEY,
        topic TEXT NOT NULL,
        protocol TEXT NOT NULL,
        endpoint TEXT NOT NULL,
        attributes TEXT NOT NULL,
        token TEXT
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX topic_subscriptions_endpoint ON topic_subscriptions (topic, protocol, endpoint);
    CREATE TABLE topic_deduplications (
        topic TEXT NOT NULL,
        key TEXT NOT NULL,
        at INTEGER NOT NULL,
        message_id TEXT NOT NULL,
        sequence INTEGER NOT NULL,
        PRIMARY KEY (topic, key)
    ) WITHOUT ROWID"],
};

pub(super) fn find(tx: &Tx<'_>, name: &str) -> Result<Option<Topic>, Error> {
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?));
    let Some((attributes, tags, created)) = tx.row("SELECT attributes, tags, created FROM topics WHERE name = ?1", [name], read)? else {
        return Ok(None);
    };
    Ok(Some(Topic { name: name.to_owned(), attributes: map(&attributes)?, tags: map(&tags)?, created: Time(created) }))
}

pub(super) fn get(tx: &Tx<'_>, name: &str) -> Result<Topic, Error> {
    find(tx, name)?.ok_or_else(|| Error::NoSuchTopic(name.to_owned()))
}

pub(super) fn insert(tx: &Tx<'_>, topic: &Topic) -> Result<(), Error> {
    let sql = "INSERT INTO topics (name, attributes, tags, created) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, (&topic.name, text(&topic.attributes), text(&topic.tags), topic.created.millis()))?;
    Ok(())
}

pub(super) fn update(tx: &Tx<'_>, topic: &Topic) -> Result<(), Error> {
    let sql = "UPDATE topics SET attributes = ?2, tags = ?3 WHERE name = ?1";
    tx.execute(sql, (&topic.name, text(&topic.attributes), text(&topic.tags)))?;
    Ok(())
}

pub(super) fn remove(tx: &Tx<'_>, name: &str) -> Result<(), Error> {
    for sql in [
        "DELETE FROM topics WHERE name = ?1",
        "DELETE FROM topic_subscriptions WHERE topic = ?1",
        "DELETE FROM topic_deduplications WHERE topic = ?1",
    ] {
        tx.execute(sql, [name])?;
    }
    Ok(())
}

pub(super) fn names(tx: &Tx<'_>, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    Ok(tx.rows("SELECT name FROM topics WHERE name > ?1 ORDER BY name LIMIT ?2", (after, limit as i64), |row| row.get(0))?)
}

/// How many subscriptions are confirmed, and how many wait.
pub(super) fn counts(tx: &Tx<'_>, topic: &str) -> Result<(u64, u64), Error> {
    let sql = "SELECT count(*) FILTER (WHERE token IS NULL), count(token) FROM topic_subscriptions WHERE topic = ?1";
    Ok(tx.row(sql, [topic], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))?.unwrap_or_default())
}

const COLUMNS: &str = "id, topic, protocol, endpoint, attributes, token";

type Columns = (String, String, String, String, String, Option<String>);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
}

fn subscription((id, topic, protocol, endpoint, attributes, token): Columns) -> Result<Subscription, Error> {
    Ok(Subscription { id, topic, protocol, endpoint, attributes: map(&attributes)?, token })
}

pub(super) fn get_subscription(tx: &Tx<'_>, id: &str) -> Result<Subscription, Error> {
    let sql = format!("SELECT {COLUMNS} FROM topic_subscriptions WHERE id = ?1");
    tx.row(&sql, [id], columns)?.map(subscription).transpose()?.ok_or_else(|| Error::NoSuchSubscription(id.to_owned()))
}

/// The subscription of an endpoint, if it has one.
pub(super) fn same(tx: &Tx<'_>, topic: &str, protocol: &str, endpoint: &str) -> Result<Option<Subscription>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM topic_subscriptions WHERE topic = ?1 AND protocol = ?2 AND endpoint = ?3");
    tx.row(&sql, (topic, protocol, endpoint), columns)?.map(subscription).transpose()
}

/// The subscription that waits for a token.
pub(super) fn waiting(tx: &Tx<'_>, topic: &str, token: &str) -> Result<Option<Subscription>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM topic_subscriptions WHERE topic = ?1 AND token = ?2");
    tx.row(&sql, (topic, token), columns)?.map(subscription).transpose()
}

pub(super) fn insert_subscription(tx: &Tx<'_>, s: &Subscription) -> Result<(), Error> {
    let sql = "INSERT INTO topic_subscriptions (id, topic, protocol, endpoint, attributes, token) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    tx.execute(sql, (&s.id, &s.topic, &s.protocol, &s.endpoint, text(&s.attributes), &s.token))?;
    Ok(())
}

pub(super) fn update_subscription(tx: &Tx<'_>, s: &Subscription) -> Result<(), Error> {
    tx.execute("UPDATE topic_subscriptions SET attributes = ?2, token = ?3 WHERE id = ?1", (&s.id, text(&s.attributes), &s.token))?;
    Ok(())
}

pub(super) fn remove_subscription(tx: &Tx<'_>, id: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM topic_subscriptions WHERE id = ?1", [id])?;
    Ok(())
}

pub(super) fn subscriptions(tx: &Tx<'_>, topic: Option<&str>, after: &str, limit: usize) -> Result<Vec<Subscription>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM topic_subscriptions WHERE id > ?1 AND (?2 IS NULL OR topic = ?2) ORDER BY id LIMIT ?3");
    tx.rows(&sql, (after, topic, limit as i64), columns)?.into_iter().map(subscription).collect()
}

/// The publish within the last five minutes that has this key.
pub(super) fn duplicate(tx: &Tx<'_>, topic: &str, key: &str, since: Time) -> Result<Option<Published>, Error> {
    tx.execute("DELETE FROM topic_deduplications WHERE topic = ?1 AND at <= ?2", (topic, since.millis()))?;
    let sql = "SELECT message_id, sequence FROM topic_deduplications WHERE topic = ?1 AND key = ?2";
    let read = |row: &Row<'_>| Ok(Published { message_id: row.get(0)?, sequence: Some(numbered(row.get(1)?)) });
    Ok(tx.row(sql, (topic, key), read)?)
}

pub(super) fn remember(tx: &Tx<'_>, topic: &str, key: &str, published: &Published) -> Result<(), Error> {
    let sql = "INSERT INTO topic_deduplications (topic, key, at, message_id, sequence)
        SELECT ?1, ?2, ?3, ?4, sequence FROM topics WHERE name = ?1";
    tx.execute(sql, (topic, key, tx.now().millis(), &published.message_id))?;
    Ok(())
}

/// The next number of a FIFO topic.
pub(super) fn next_sequence(tx: &Tx<'_>, topic: &str) -> Result<u64, Error> {
    let sql = "UPDATE topics SET sequence = sequence + 1 WHERE name = ?1 RETURNING sequence";
    let n: Option<i64> = tx.row(sql, [topic], |row| row.get(0))?;
    n.map(numbered).ok_or_else(|| Error::NoSuchTopic(topic.to_owned()))
}

/// Twenty digits, rising.
fn numbered(n: i64) -> u64 {
    10_000_000_000_000_000_000 + n as u64 % 8_000_000_000_000_000_000
}

fn map(text: &str) -> Result<BTreeMap<String, String>, Error> {
    serde_json::from_str(text).map_err(|_| store::Error::Corrupt("a topic").into())
}

fn text(value: &BTreeMap<String, String>) -> String {
    serde_json::to_string(value).expect("what is stored is plain data")
}
