//! The tables of pushes.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{KEPT_MAX, TOPICS_MAX};
use super::model::{Device, DeviceState, Platform, Push, Subscription};
use super::{Condition, Error, Target};
use crate::base::Time;
use crate::store::{self, Schema, Tx};

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    part: "push",
    steps: &["
    CREATE TABLE push_messages (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE TABLE push_devices (token TEXT PRIMARY KEY, state TEXT NOT NULL, platform TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE push_subscriptions (topic TEXT NOT NULL, token TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (topic, token)) WITHOUT ROWID;
    CREATE INDEX push_subscriptions_token ON push_subscriptions (token, topic)"],
};

/// Tokens that a push remembers.
const TOKENS_TOLD_MAX: usize = 1_000;

pub(super) fn insert(tx: &Tx<'_>, push: &Push) -> Result<(), Error> {
    let body = serde_json::to_string(push).expect("plain data");
    tx.execute("INSERT INTO push_messages (id, at, body) VALUES (?1, ?2, ?3)", (&push.id, push.at.millis(), body))?;
    tx.execute("DELETE FROM push_messages WHERE number <= (SELECT max(number) FROM push_messages) - ?1", [KEPT_MAX])?;
    Ok(())
}

/// The latest `limit` pushes, oldest first, or the one of `id`.
pub(super) fn messages(tx: &Tx<'_>, id: Option<&str>, limit: usize) -> Result<Vec<Push>, Error> {
    let sql = "SELECT body FROM push_messages WHERE ?1 IS NULL OR id = ?1 ORDER BY number DESC LIMIT ?2";
    let rows: Vec<String> = tx.rows(sql, (id, limit as i64), |row| row.get(0))?;
    rows.iter().rev().map(|body| serde_json::from_str(body).map_err(|_| store::Error::Corrupt("a push").into())).collect()
}

pub(super) fn clear(tx: &Tx<'_>, id: Option<&str>) -> Result<(), Error> {
    tx.execute("DELETE FROM push_messages WHERE ?1 IS NULL OR id = ?1", [id])?;
    Ok(())
}

pub(super) fn put_device(tx: &Tx<'_>, token: &str, state: DeviceState, platform: Option<Platform>) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO push_devices (token, state, platform, at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (token) DO UPDATE SET state = excluded.state, platform = coalesce(excluded.platform, platform), at = excluded.at",
        (token, state.name(), platform.map(Platform::name), tx.now().millis()),
    )?;
    Ok(())
}

pub(super) fn state(tx: &Tx<'_>, token: &str) -> Result<DeviceState, Error> {
    let found: Option<String> = tx.row("SELECT state FROM push_devices WHERE token = ?1", [token], |row| row.get(0))?;
    found.map_or(Ok(DeviceState::Registered), |name| name.parse().map_err(|_| store::Error::Corrupt("a device").into()))
}

/// What is known of a token; nothing but that it is believed to be good where nobody told of it.
pub(super) fn device(tx: &Tx<'_>, token: &str) -> Result<Option<Device>, Error> {
    let topics: Vec<String> = tx.rows("SELECT topic FROM push_subscriptions WHERE token = ?1 ORDER BY topic", [token], |row| row.get(0))?;
    let found: Option<(String, Option<String>, i64)> =
        tx.row("SELECT state, platform, at FROM push_devices WHERE token = ?1", [token], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let token = token.to_owned();
    let corrupt = |_| Error::from(store::Error::Corrupt("a device"));
    match found {
        Some((state, platform, at)) => Ok(Some(Device {
            token,
            state: state.parse().map_err(corrupt)?,
            platform: platform.map(|name| name.parse().map_err(corrupt)).transpose()?,
            at: Time(at),
            topics,
        })),
        None if topics.is_empty() => Ok(None),
        None => Ok(Some(Device { token, state: DeviceState::Registered, platform: None, at: Time::default(), topics })),
    }
}

/// Tokens that somebody told of, or that have a topic, after `after`.
pub(super) fn tokens(tx: &Tx<'_>, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    let sql = "SELECT token FROM push_devices WHERE token > ?1 UNION SELECT token FROM push_subscriptions WHERE token > ?1 ORDER BY token LIMIT ?2";
    Ok(tx.rows(sql, (after, limit as i64), |row| row.get(0))?)
}

/// Whether the token was not subscribed before.
pub(super) fn subscribe(tx: &Tx<'_>, topic: &str, token: &str) -> Result<bool, Error> {
    let count: i64 = tx.row("SELECT count(*) FROM push_subscriptions WHERE token = ?1", [token], |row| row.get(0))?.unwrap_or_default();
    let sql = "INSERT INTO push_subscriptions (topic, token, at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    let is_new = tx.execute(sql, (topic, token, tx.now().millis()))? == 1;
    if is_new && count >= TOPICS_MAX as i64 {
        tx.execute("DELETE FROM push_subscriptions WHERE topic = ?1 AND token = ?2", (topic, token))?;
        return Err(Error::TooManyTopics);
    }
    Ok(is_new)
}

/// Whether the token was subscribed.
pub(super) fn unsubscribe(tx: &Tx<'_>, topic: &str, token: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM push_subscriptions WHERE topic = ?1 AND token = ?2", (topic, token))? == 1)
}

pub(super) fn subscription(tx: &Tx<'_>, topic: &str, token: &str) -> Result<Option<Subscription>, Error> {
    let sql = "SELECT topic, at FROM push_subscriptions WHERE topic = ?1 AND token = ?2";
    Ok(tx.row(sql, (topic, token), |row| Ok(Subscription { topic: row.get(0)?, since: Time(row.get(1)?) }))?)
}

/// Those of a token by their topics, after `after`.
pub(super) fn subscriptions(tx: &Tx<'_>, token: &str, after: &str, limit: usize) -> Result<Vec<Subscription>, Error> {
    let sql = "SELECT topic, at FROM push_subscriptions WHERE token = ?1 AND topic > ?2 ORDER BY topic LIMIT ?3";
    Ok(tx.rows(sql, (token, after, limit as i64), |row| Ok(Subscription { topic: row.get(0)?, since: Time(row.get(1)?) }))?)
}

/// Who gets a push: how many, and the first of them. Those who are gone get none.
pub(super) fn audience(tx: &Tx<'_>, target: &Target) -> Result<(Vec<String>, usize), Error> {
    let all: Vec<String> = match target {
        Target::Token(token) => vec![token.clone()],
        Target::Topic(topic) => tx.rows(
            "SELECT s.token FROM push_subscriptions s LEFT JOIN push_devices d ON d.token = s.token
             WHERE s.topic = ?1 AND coalesce(d.state, 'registered') = 'registered' ORDER BY s.token",
            [topic],
            |row| row.get(0),
        )?,
        Target::Condition(text) => {
            let condition = Condition::parse(text)?;
            let mut topics: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            let sql = "SELECT s.token, s.topic FROM push_subscriptions s LEFT JOIN push_devices d ON d.token = s.token
                 WHERE coalesce(d.state, 'registered') = 'registered'";
            for (token, topic) in tx.rows(sql, [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))? {
                topics.entry(token).or_default().insert(topic);
            }
            topics.into_iter().filter(|(_, topics)| condition.holds(topics)).map(|(token, _)| token).collect()
        }
    };
    let count = all.len();
    Ok((all.into_iter().take(TOKENS_TOLD_MAX).collect(), count))
}
