//! The mails' tables.

use rusqlite::Row;

use super::{Error, Message, Template};
use crate::base::Time;
use crate::store::{self, Schema, Tx};

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    part: "mail",
    steps: &["
    CREATE TABLE mail_messages (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        at INTEGER NOT NULL,
        recipients INTEGER NOT NULL,
        body TEXT NOT NULL,
        raw BLOB
    );
    CREATE INDEX mail_messages_at ON mail_messages (at);
    CREATE TABLE mail_templates (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE mail_identities (identity TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID"],
};

pub(super) fn insert(tx: &Tx<'_>, message: &Message, raw: Option<&[u8]>) -> Result<(), Error> {
    let sql = "INSERT INTO mail_messages (id, at, recipients, body, raw) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, (&message.id, message.at.millis(), message.recipients as i64, text(message), raw))?;
    Ok(())
}

/// A message, and its raw form where it was sent raw.
type Kept = (Message, Option<Vec<u8>>);

/// The latest `limit` messages, oldest first, or the one of `id`.
pub(super) fn messages(tx: &Tx<'_>, id: Option<&str>, limit: usize) -> Result<Vec<Kept>, Error> {
    let sql = "SELECT body, raw FROM mail_messages WHERE ?1 IS NULL OR id = ?1 ORDER BY number DESC LIMIT ?2";
    let rows = tx.rows(sql, (id, limit as i64), |row| Ok((row.get::<_, String>(0)?, row.get::<_, Option<Vec<u8>>>(1)?)))?;
    rows.into_iter().rev().map(|(body, raw)| Ok((read(&body, "a mail")?, raw))).collect()
}

pub(super) fn clear(tx: &Tx<'_>, id: Option<&str>) -> Result<(), Error> {
    tx.execute("DELETE FROM mail_messages WHERE ?1 IS NULL OR id = ?1", [id])?;
    Ok(())
}

pub(super) fn statistics(tx: &Tx<'_>, since: Time) -> Result<Vec<(Time, u64)>, Error> {
    let sql = "SELECT at / 900000 * 900000 AS quarter, sum(recipients) FROM mail_messages WHERE at > ?1 GROUP BY quarter ORDER BY quarter";
    Ok(tx.rows(sql, [since.millis()], |row: &Row<'_>| Ok((Time(row.get(0)?), row.get::<_, i64>(1)? as u64)))?)
}

pub(super) fn find_template(tx: &Tx<'_>, name: &str) -> Result<Option<Template>, Error> {
    let body: Option<String> = tx.row("SELECT body FROM mail_templates WHERE name = ?1", [name], |row| row.get(0))?;
    body.map(|body| read(&body, "a mail template")).transpose()
}

pub(super) fn get_template(tx: &Tx<'_>, name: &str) -> Result<Template, Error> {
    find_template(tx, name)?.ok_or_else(|| Error::NoSuchTemplate(name.to_owned()))
}

pub(super) fn put_template(tx: &Tx<'_>, template: &Template) -> Result<(), Error> {
    tx.execute("INSERT OR REPLACE INTO mail_templates (name, body) VALUES (?1, ?2)", (&template.name, text(template)))?;
    Ok(())
}

pub(super) fn templates(tx: &Tx<'_>, after: &str, limit: usize) -> Result<Vec<Template>, Error> {
    let sql = "SELECT body FROM mail_templates WHERE name > ?1 ORDER BY name LIMIT ?2";
    let rows: Vec<String> = tx.rows(sql, (after, limit as i64), |row| row.get(0))?;
    rows.iter().map(|body| read(body, "a mail template")).collect()
}

pub(super) fn remove_template(tx: &Tx<'_>, name: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM mail_templates WHERE name = ?1", [name])? > 0)
}

/// Whether the identity was new.
pub(super) fn put_identity(tx: &Tx<'_>, identity: &str) -> Result<bool, Error> {
    Ok(tx.execute("INSERT OR IGNORE INTO mail_identities (identity, at) VALUES (?1, ?2)", (identity, tx.now().millis()))? > 0)
}

pub(super) fn identities(tx: &Tx<'_>, after: &str, limit: usize) -> Result<Vec<String>, Error> {
    let sql = "SELECT identity FROM mail_identities WHERE identity > ?1 ORDER BY identity LIMIT ?2";
    Ok(tx.rows(sql, (after, limit as i64), |row| row.get(0))?)
}

pub(super) fn is_identity(tx: &Tx<'_>, identity: &str) -> Result<bool, Error> {
    Ok(tx.row("SELECT 1 FROM mail_identities WHERE identity = ?1", [identity], |_| Ok(()))?.is_some())
}

pub(super) fn remove_identity(tx: &Tx<'_>, identity: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM mail_identities WHERE identity = ?1", [identity])? > 0)
}

fn read<T: serde::de::DeserializeOwned>(body: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|_| store::Error::Corrupt(what).into())
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("what is stored is plain data")
}
