//! Users as text files. What they are found by is made anew from them.

use serde_json::json;

use super::codes::{Code, PhoneCode};
use super::{Realm, User};
use crate::store::Tx;
use crate::store::portable::{Collection, Column, Error, Line, Reader, Writer, json_of};

/// What this service has besides its users.
pub static COLLECTIONS: [Collection; 3] = [
    Collection {
        file: "auth/codes.jsonl",
        table: "auth_codes",
        order: "realm, at, code",
        key: &["code"],
        columns: &[
            Column::text("code"),
            Column::text("realm"),
            Column::int("at"),
            Column::json("mailed", json_of::<Code>).read("body").write("body", "?"),
        ],
    },
    Collection {
        file: "auth/phone-codes.jsonl",
        table: "auth_phone_codes",
        order: "realm, at, session",
        key: &["session"],
        columns: &[
            Column::text("session"),
            Column::text("realm"),
            Column::int("at"),
            Column::json("sent", json_of::<PhoneCode>).read("body").write("body", "?"),
        ],
    },
    Collection {
        file: "auth/sign-in-settings.jsonl",
        table: "auth_settings",
        order: "project, tenant",
        key: &["project", "tenant"],
        columns: &[
            Column::text("project"),
            Column::text("tenant"),
            Column::json("settings", json_of::<serde_json::Map<String, serde_json::Value>>).read("body").write("body", "?"),
        ],
    },
];

/// A user a line, known by realm and identifier.
pub const USERS: &str = "auth/users.jsonl";
pub const USERS_KEY: [&str; 2] = ["realm", "uid"];

/// Writes all users, and what there is besides.
pub fn export_in(tx: &Tx<'_>, to: &mut Writer) -> Result<(), Error> {
    let mut statement = tx.statement("SELECT realm, uid, body FROM auth_users ORDER BY realm, uid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let user: serde_json::Value =
            serde_json::from_str(&row.get::<_, String>(2)?).map_err(|_| Error::Store(crate::store::Error::Corrupt("a user")))?;
        to.line(USERS, json!({ "realm": row.get::<_, String>(0)?, "uid": row.get::<_, String>(1)?, "user": user }))?;
    }
    COLLECTIONS.iter().try_for_each(|collection| collection.export(tx, to))
}

/// Reads all users into a state that has none.
pub fn import_in(tx: &mut Tx<'_>, from: &Reader) -> Result<(), Error> {
    from.lines(USERS, |line| {
        let (realm, mut user) = read(&line)?;
        if super::store::user(tx, &realm, &user.uid).map_err(|error| line.wrong(error.to_string()))?.is_some() {
            return Err(line.wrong("it repeats a user"));
        }
        super::store::put_user(tx, &realm, &mut user).map_err(|error| line.wrong(error.to_string()))
    })?;
    COLLECTIONS.iter().try_for_each(|collection| collection.import(tx, from))
}

fn read(line: &Line) -> Result<(Realm, User), Error> {
    let object = line.object()?;
    let realm = object.get("realm").and_then(serde_json::Value::as_str).ok_or_else(|| line.wrong("it has no `realm`"))?;
    let (project, tenant) = match realm.split_once('/') {
        Some((project, tenant)) => (project, Some(tenant.to_owned())),
        None => (realm, None),
    };
    let user = object.get("user").cloned().ok_or_else(|| line.wrong("it has no `user`"))?;
    let user: User = serde_json::from_value(user).map_err(|error| line.wrong(format!("`user`: {error}")))?;
    if object.get("uid") != Some(&json!(user.uid)) {
        return Err(line.wrong("`uid` is not the user's"));
    }
    super::account::check_uid(&user.uid).map_err(|error| line.wrong(error.to_string()))?;
    Ok((Realm { project: project.to_owned(), tenant }, user))
}
