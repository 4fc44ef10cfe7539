//! The tables of users.

use super::codes::{Code, PhoneCode};
use super::event::Event;
use super::{Error, Realm, User};
use crate::base::Time;
use crate::store::{self, Schema, Tx};

/// The tables of this service.
pub static SCHEMA: Schema = Schema {
    part: "auth",
    steps: &["
    CREATE TABLE auth_users (
        realm TEXT NOT NULL,
        uid TEXT NOT NULL,
        email TEXT,
        phone TEXT,
        body TEXT NOT NULL,
        PRIMARY KEY (realm, uid)
    ) WITHOUT ROWID;
    CREATE INDEX auth_users_email ON auth_users (realm, email) WHERE email IS NOT NULL;
    CREATE INDEX auth_users_phone ON auth_users (realm, phone) WHERE phone IS NOT NULL;
    CREATE TABLE auth_identities (
        realm TEXT NOT NULL,
        provider TEXT NOT NULL,
        raw_id TEXT NOT NULL,
        uid TEXT NOT NULL,
        email TEXT,
        PRIMARY KEY (realm, provider, raw_id)
    ) WITHOUT ROWID;
    CREATE INDEX auth_identities_uid ON auth_identities (realm, uid);
    CREATE INDEX auth_identities_email ON auth_identities (realm, email) WHERE email IS NOT NULL;
    CREATE TABLE auth_codes (
        code TEXT PRIMARY KEY,
        realm TEXT NOT NULL,
        at INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX auth_codes_at ON auth_codes (realm, at);
    CREATE TABLE auth_phone_codes (
        session TEXT PRIMARY KEY,
        realm TEXT NOT NULL,
        at INTEGER NOT NULL,
        body TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX auth_phone_codes_at ON auth_phone_codes (realm, at);
    CREATE TABLE auth_settings (
        project TEXT NOT NULL,
        tenant TEXT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (project, tenant)
    ) WITHOUT ROWID"],
};

const USER: &str = "a user";

pub(super) fn user(tx: &Tx<'_>, realm: &Realm, uid: &str) -> Result<Option<User>, Error> {
    one(tx, "SELECT body FROM auth_users WHERE realm = ?1 AND uid = ?2", (realm.key(), uid))
}

// Without statistics SQLite takes the order for a reason to look through all users of a realm: so searches name their index.

/// The user of an address; the oldest identifier where several may have it.
pub(super) fn by_email(tx: &Tx<'_>, realm: &Realm, email: &str) -> Result<Option<User>, Error> {
    one(
        tx,
        "SELECT body FROM auth_users INDEXED BY auth_users_email WHERE realm = ?1 AND email = ?2 ORDER BY uid LIMIT 1",
        (realm.key(), email),
    )
}

pub(super) fn by_phone(tx: &Tx<'_>, realm: &Realm, phone: &str) -> Result<Option<User>, Error> {
    one(
        tx,
        "SELECT body FROM auth_users INDEXED BY auth_users_phone WHERE realm = ?1 AND phone = ?2 ORDER BY uid LIMIT 1",
        (realm.key(), phone),
    )
}

pub(super) fn by_identity(tx: &Tx<'_>, realm: &Realm, provider: &str, raw_id: &str) -> Result<Option<User>, Error> {
    let sql = "SELECT u.body FROM auth_identities i JOIN auth_users u ON u.realm = i.realm AND u.uid = i.uid \
               WHERE i.realm = ?1 AND i.provider = ?2 AND i.raw_id = ?3";
    one(tx, sql, (realm.key(), provider, raw_id))
}

/// The user who has an address, or else one of whom a provider says so.
pub(super) fn by_any_email(tx: &Tx<'_>, realm: &Realm, email: &str) -> Result<Option<User>, Error> {
    if let Some(user) = by_email(tx, realm, email)? {
        return Ok(Some(user));
    }
    let sql = "SELECT u.body FROM auth_identities i INDEXED BY auth_identities_email JOIN auth_users u ON u.realm = i.realm AND u.uid = i.uid \
               WHERE i.realm = ?1 AND i.email = ?2 ORDER BY i.uid LIMIT 1";
    one(tx, sql, (realm.key(), email))
}

/// The user whose address was this before they changed it.
pub(super) fn by_initial_email(tx: &Tx<'_>, realm: &Realm, email: &str) -> Result<Option<User>, Error> {
    let sql = "SELECT body FROM auth_users WHERE realm = ?1 AND json_extract(body, '$.initial_email') = ?2 ORDER BY uid LIMIT 1";
    one(tx, sql, (realm.key(), email))
}

fn one(tx: &Tx<'_>, sql: &str, parameters: impl rusqlite::Params) -> Result<Option<User>, Error> {
    let body: Option<String> = tx.row(sql, parameters, |row| row.get(0))?;
    body.map(|body| read(&body, USER)).transpose()
}

/// Users after `after`, in the order of their identifiers; backward where asked for.
pub(super) fn users(tx: &Tx<'_>, realm: &Realm, after: &str, limit: usize) -> Result<Vec<User>, Error> {
    let sql = "SELECT body FROM auth_users WHERE realm = ?1 AND uid > ?2 ORDER BY uid LIMIT ?3";
    let bodies: Vec<String> = tx.rows(sql, (realm.key(), after, limit as i64), |row| row.get(0))?;
    bodies.iter().map(|body| read(body, USER)).collect()
}

pub(super) fn count(tx: &Tx<'_>, realm: &Realm) -> Result<u64, Error> {
    let count = tx.row("SELECT count(*) FROM auth_users WHERE realm = ?1", [realm.key()], |row| row.get::<_, i64>(0))?;
    Ok(count.unwrap_or_default().max(0) as u64)
}

/// Stores a user, new or not, with all that they are found by.
pub(super) fn put_user(tx: &mut Tx<'_>, realm: &Realm, user: &mut User) -> Result<(), Error> {
    user.settle();
    user.tenant = realm.tenant.clone();
    let key = realm.key();
    let sql = "INSERT OR REPLACE INTO auth_users (realm, uid, email, phone, body) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.execute(sql, (&key, &user.uid, &user.email, &user.phone, text(user)))?;
    put_identities(tx, realm, user)
}

fn put_identities(tx: &Tx<'_>, realm: &Realm, user: &User) -> Result<(), Error> {
    let key = realm.key();
    let sql = "SELECT provider, raw_id, email FROM auth_identities INDEXED BY auth_identities_uid WHERE realm = ?1 AND uid = ?2";
    let mut known: Vec<(String, String, Option<String>)> =
        tx.rows(sql, (&key, &user.uid), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    for provider in &user.providers {
        let found = known.iter().position(|(id, raw, email)| *id == provider.id && *raw == provider.raw_id && *email == provider.email);
        match found {
            Some(at) => {
                known.swap_remove(at);
            }
            None => {
                let sql = "INSERT OR REPLACE INTO auth_identities (realm, provider, raw_id, uid, email) VALUES (?1, ?2, ?3, ?4, ?5)";
                tx.execute(sql, (&key, &provider.id, &provider.raw_id, &user.uid, &provider.email))?;
                known.retain(|(id, raw, _)| !(*id == provider.id && *raw == provider.raw_id));
            }
        }
    }
    for (provider, raw_id, _) in known {
        tx.execute("DELETE FROM auth_identities WHERE realm = ?1 AND provider = ?2 AND raw_id = ?3", (&key, provider, raw_id))?;
    }
    Ok(())
}

/// Stores a new user and tells of them.
pub(super) fn create(tx: &mut Tx<'_>, realm: &Realm, user: &mut User) -> Result<(), Error> {
    put_user(tx, realm, user)?;
    Event::created(user).emit(tx, realm)
}

/// Removes a user and tells of it.
pub(super) fn remove(tx: &mut Tx<'_>, realm: &Realm, user: &User) -> Result<(), Error> {
    let key = realm.key();
    tx.execute("DELETE FROM auth_identities WHERE realm = ?1 AND uid = ?2", (&key, &user.uid))?;
    tx.execute("DELETE FROM auth_users WHERE realm = ?1 AND uid = ?2", (&key, &user.uid))?;
    Event::deleted(user).emit(tx, realm)
}

/// Removes everybody, and their codes, without a word: this is no user who leaves.
pub(super) fn clear(tx: &mut Tx<'_>, realm: &Realm) -> Result<(), Error> {
    for table in ["auth_users", "auth_identities", "auth_codes", "auth_phone_codes"] {
        tx.execute(&format!("DELETE FROM {table} WHERE realm = ?1"), [realm.key()])?;
    }
    Ok(())
}

pub(super) fn put_code(tx: &Tx<'_>, realm: &Realm, code: &Code) -> Result<(), Error> {
    let sql = "INSERT INTO auth_codes (code, realm, at, body) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, (&code.code, realm.key(), code.at.millis(), text(code)))?;
    Ok(())
}

pub(super) fn code(tx: &Tx<'_>, realm: &Realm, code: &str) -> Result<Option<Code>, Error> {
    let sql = "SELECT body FROM auth_codes WHERE code = ?1 AND realm = ?2";
    let body: Option<String> = tx.row(sql, (code, realm.key()), |row| row.get(0))?;
    body.map(|body| read(&body, "a code")).transpose()
}

pub(super) fn remove_code(tx: &Tx<'_>, code: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM auth_codes WHERE code = ?1", [code])?;
    Ok(())
}

/// Codes that were not used, oldest first.
pub(super) fn codes(tx: &Tx<'_>, realm: &Realm) -> Result<Vec<Code>, Error> {
    let bodies: Vec<String> = tx.rows("SELECT body FROM auth_codes WHERE realm = ?1 ORDER BY at, code", [realm.key()], |row| row.get(0))?;
    bodies.iter().map(|body| read(body, "a code")).collect()
}

/// Forgets codes that were made before `before`, and of the others all but the latest `kept`.
pub(super) fn forget_codes(tx: &Tx<'_>, realm: &Realm, before: Time, kept: usize) -> Result<(), Error> {
    for (table, key) in [("auth_codes", "code"), ("auth_phone_codes", "session")] {
        tx.execute(&format!("DELETE FROM {table} WHERE realm = ?1 AND at < ?2"), (realm.key(), before.millis()))?;
        let sql = format!(
            "DELETE FROM {table} WHERE realm = ?1 AND {key} IN (SELECT {key} FROM {table} WHERE realm = ?1 ORDER BY at DESC LIMIT -1 OFFSET ?2)"
        );
        tx.execute(&sql, (realm.key(), kept as i64))?;
    }
    Ok(())
}

pub(super) fn put_phone_code(tx: &Tx<'_>, realm: &Realm, code: &PhoneCode) -> Result<(), Error> {
    let sql = "INSERT INTO auth_phone_codes (session, realm, at, body) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, (&code.session, realm.key(), code.at.millis(), text(code)))?;
    Ok(())
}

pub(super) fn phone_code(tx: &Tx<'_>, realm: &Realm, session: &str) -> Result<Option<PhoneCode>, Error> {
    let sql = "SELECT body FROM auth_phone_codes WHERE session = ?1 AND realm = ?2";
    let body: Option<String> = tx.row(sql, (session, realm.key()), |row| row.get(0))?;
    body.map(|body| read(&body, "a code")).transpose()
}

pub(super) fn remove_phone_code(tx: &Tx<'_>, session: &str) -> Result<(), Error> {
    tx.execute("DELETE FROM auth_phone_codes WHERE session = ?1", [session])?;
    Ok(())
}

pub(super) fn phone_codes(tx: &Tx<'_>, realm: &Realm) -> Result<Vec<PhoneCode>, Error> {
    let sql = "SELECT body FROM auth_phone_codes WHERE realm = ?1 ORDER BY at, session";
    let bodies: Vec<String> = tx.rows(sql, [realm.key()], |row| row.get(0))?;
    bodies.iter().map(|body| read(body, "a code")).collect()
}

/// What a project or a tenant has set; the project's own where `tenant` is empty.
pub(super) fn settings(tx: &Tx<'_>, project: &str, tenant: &str) -> Result<Option<serde_json::Value>, Error> {
    let sql = "SELECT body FROM auth_settings WHERE project = ?1 AND tenant = ?2";
    let body: Option<String> = tx.row(sql, (project, tenant), |row| row.get(0))?;
    body.map(|body| read(&body, "settings")).transpose()
}

pub(super) fn put_settings(tx: &Tx<'_>, project: &str, tenant: &str, body: &serde_json::Value) -> Result<(), Error> {
    let sql = "INSERT OR REPLACE INTO auth_settings (project, tenant, body) VALUES (?1, ?2, ?3)";
    tx.execute(sql, (project, tenant, body.to_string()))?;
    Ok(())
}

pub(super) fn remove_tenant(tx: &Tx<'_>, project: &str, tenant: &str) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM auth_settings WHERE project = ?1 AND tenant = ?2", (project, tenant))? > 0)
}

/// Tenants after `after`, in the order of their names.
pub(super) fn tenants(tx: &Tx<'_>, project: &str, after: &str, limit: usize) -> Result<Vec<(String, serde_json::Value)>, Error> {
    let sql = "SELECT tenant, body FROM auth_settings WHERE project = ?1 AND tenant > ?2 ORDER BY tenant LIMIT ?3";
    let rows: Vec<(String, String)> = tx.rows(sql, (project, after, limit as i64), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.into_iter().map(|(tenant, body)| Ok((tenant, read(&body, "settings")?))).collect()
}

fn read<T: serde::de::DeserializeOwned>(body: &str, what: &'static str) -> Result<T, Error> {
    serde_json::from_str(body).map_err(|_| store::Error::Corrupt(what).into())
}

fn text(value: &impl serde::Serialize) -> String {
    serde_json::to_string(value).expect("what is stored is plain data")
}
