//! Objects whose bytes arrive in order over several requests, from wherever the last one broke off.
//!
//! A session is a row; its bytes are pieces of an owner of its own until they become an object's. It is remembered for a week, also when it
//! is done, so that a sender who missed the last answer can ask again. Source: "Resumable uploads" of Cloud Storage.

use futures_util::{Stream, StreamExt, TryStreamExt};
use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::digest::Hasher;
use super::error::SESSIONS_MAX;
use super::store::{self, bucket, next_generation};
use super::write::{Taken, blank, check_key, check_properties, keep, place_in, slices_of, whole};
use super::{
    Algorithm, Claims, Condition, Content, Error, Fingerprint, How, Name, Object, Objects, PUT_BYTES_MAX, Proof, Properties, Stored, Which,
};
use crate::base::{Call, Time, Unit};
use crate::store::Tx;
use crate::store::blobs::{BoxError, Tap};

/// The key to give to [`crate::store::Db::woken`] to learn that the time of [`Objects::next_forgotten`] may have changed.
pub const SESSIONS_WAKE: &str = "objects-sessions";
/// How long a session is remembered ("Resumable uploads": a week).
const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;

/// A session to begin.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub bucket: String,
    pub key: String,
    pub properties: Properties,
    /// Must hold when it is done.
    pub condition: Condition,
    /// Bytes there will be, if that is known.
    pub total: Option<u64>,
    pub expected: Expected,
}

/// What a sender says that the whole will be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub md5: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crc32c: Option<u32>,
}

/// An upload over several requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: String,
    pub bucket: String,
    pub key: String,
    pub started: Time,
    /// Bytes that are here.
    pub received: u64,
    pub total: Option<u64>,
    pub state: SessionState,
    properties: Properties,
    condition: Condition,
    expected: Expected,
    owner: i64,
    pieces: i64,
}

/// How far a session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    Active,
    /// It has become the version of this generation.
    Done(i64),
    Cancelled,
}

/// Bytes to add.
pub struct Append {
    pub id: String,
    /// Where they begin; those that are here already are skipped. `None`: after what is here.
    pub offset: Option<u64>,
    pub content: Content,
    /// They are the last.
    pub last: bool,
    /// How many bytes there are in all, where that becomes known with these.
    pub total: Option<u64>,
    pub expected: Expected,
}

/// What became of bytes that were added.
#[derive(Clone, Debug)]
pub enum Appended {
    /// So far.
    More(Box<Session>),
    Done(Box<Stored>),
}

const SESSION: &str = "id, bucket, key, started, state, owner, pieces, received, total, properties, condition, claims";

impl Objects {
    /// Begins an upload. Fails with [`Error::NoSuchBucket`].
    pub async fn start_session(&self, call: &Call, new: NewSession) -> Result<Session, Error> {
        check_key(&new.key)?;
        check_properties(&new.properties)?;
        if let Some(bytes) = new.total.filter(|total| *total > PUT_BYTES_MAX) {
            return Err(Error::TooLarge { bytes_max: PUT_BYTES_MAX, bytes });
        }
        let (session, free) = self
            .db
            .write(call, move |tx| {
                bucket(tx, &new.bucket)?;
                tx.count(Unit::ObjectWrites, 1);
                let free = make_room(tx)?;
                let session = Session {
                    id: tx.ids().hex(32),
                    bucket: new.bucket,
                    key: new.key,
                    started: tx.now(),
                    received: 0,
                    total: new.total,
                    state: SessionState::Active,
                    properties: new.properties,
                    condition: new.condition,
                    expected: new.expected,
                    owner: next_generation(tx)?,
                    pieces: 0,
                };
                let text = |value: Result<String, serde_json::Error>| value.expect("plain data");
                tx.execute(
                    &format!("INSERT INTO objects_sessions ({SESSION}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, ?8, ?9, ?10)"),
                    rusqlite::params![
                        session.id,
                        session.bucket,
                        session.key,
                        session.started.millis(),
                        text(serde_json::to_string(&session.state)),
                        session.owner,
                        session.total.map(|total| total as i64),
                        text(serde_json::to_string(&session.properties)),
                        text(serde_json::to_string(&session.condition)),
                        text(serde_json::to_string(&session.expected)),
                    ],
                )?;
                tx.wake(SESSIONS_WAKE);
                Ok::<_, Error>((session, free))
            })
            .await?;
        self.blobs.remove(&free);
        Ok(session)
    }

    /// A session. Fails with [`Error::NoSuchSession`].
    pub async fn session(&self, call: &Call, id: &str) -> Result<Session, Error> {
        self.db.read(call, |tx| session(tx, id)).await
    }

    /// The object that a session has become, if it is still there.
    pub async fn outcome(&self, call: &Call, session: &Session) -> Result<Stored, Error> {
        let SessionState::Done(generation) = session.state else { return Err(Error::NoSuchKey { key: session.key.clone() }) };
        let name = Name { bucket: session.bucket.clone(), key: session.key.clone(), which: Which::Generation(generation) };
        let (object, versioning) = self.db.read(call, |tx| super::read::existing(tx, &name)).await?;
        Ok(Stored { object, versioning })
    }

    /// Adds bytes to a session, and makes the object once they are the last.
    ///
    /// Fails with [`Error::NoSuchSession`], [`Error::SessionCancelled`], [`Error::BadOffset`], and as [`Objects::put`]; bytes that
    /// arrived whole are then kept.
    pub async fn append(&self, call: &Call, append: Append) -> Result<Appended, Error> {
        let before = self.session(call, &append.id).await?;
        match before.state {
            SessionState::Active => {}
            SessionState::Done(_) => return Ok(Appended::Done(Box::new(self.outcome(call, &before).await?))),
            SessionState::Cancelled => return Err(Error::SessionCancelled),
        }
        let offset = append.offset.unwrap_or(before.received);
        let Some(known) = before.received.checked_sub(offset) else { return Err(Error::BadOffset { received: before.received }) };
        let Content { stream, claims } = append.content;
        let taken = self.take_in(Content { stream: Box::pin(skip(stream, known)), claims: Claims::default() }).await?;
        let received = before.received + taken.fingerprint.size;
        if received > PUT_BYTES_MAX {
            return Err(Error::TooLarge { bytes_max: PUT_BYTES_MAX, bytes: received });
        }
        if let Some(length) = claims.length.filter(|length| *length != known + taken.fingerprint.size) {
            return Err(Error::Incomplete { wanted: length, found: known + taken.fingerprint.size });
        }
        let total = append.total.or(before.total);
        // Where all arrived at once it is known what it is; else the bytes are looked at once more when they are all here.
        let whole = (before.received == 0).then(|| taken.fingerprint.clone());
        let after = self.extend(call, &before, taken, total).await?;
        if !append.last {
            return Ok(Appended::More(Box::new(after)));
        }
        if let Some(wanted) = total.filter(|total| *total != after.received) {
            return Err(Error::Incomplete { wanted, found: after.received });
        }
        let print = match whole {
            Some(print) => print,
            None => self.fingerprint_of_session(call, &after).await?,
        };
        let expected = [&after.expected, &append.expected];
        if expected.iter().any(|said| said.md5.as_ref().is_some_and(|md5| *md5 != print.md5)) {
            return Err(Error::Mismatch(Proof::Md5));
        }
        if expected.iter().any(|said| said.crc32c.is_some_and(|crc32c| crc32c != print.crc32c)) {
            return Err(Error::Mismatch(Proof::Checksum(Algorithm::Crc32c)));
        }
        self.finish(call, after, print).await.map(|stored| Appended::Done(Box::new(stored)))
    }

    /// Gives up a session that is under way; answers it as it was before.
    pub async fn cancel_session(&self, call: &Call, id: &str) -> Result<Session, Error> {
        let id = id.to_owned();
        let (session, free) = self
            .db
            .write(call, move |tx| {
                let session = session(tx, &id)?;
                if session.state != SessionState::Active {
                    return Ok((session, Vec::new()));
                }
                set_state(tx, &session.id, SessionState::Cancelled)?;
                let free = store::forget_pieces(tx, session.owner)?;
                Ok::<_, Error>((session, free))
            })
            .await?;
        self.blobs.remove(&free);
        Ok(session)
    }

    /// When to call [`Objects::forget_sessions`]; `None` where there are none.
    pub async fn next_forgotten(&self, call: &Call) -> Result<Option<Time>, Error> {
        self.db
            .read(call, |tx| {
                let first: Option<Option<i64>> = tx.row("SELECT min(started) FROM objects_sessions", [], |row| row.get(0))?;
                Ok(first.flatten().map(|started| Time(started).plus_ms(KEPT_MS)))
            })
            .await
    }

    /// Forgets sessions that are a week old, with their bytes; answers how many.
    pub async fn forget_sessions(&self, call: &Call) -> Result<usize, Error> {
        let (count, free) = self
            .db
            .write(call, move |tx| {
                let until = tx.now().plus_ms(-KEPT_MS).millis();
                let sql = "SELECT id, owner FROM objects_sessions WHERE started <= ?1 ORDER BY started LIMIT 100";
                let old: Vec<(String, i64)> = tx.rows(sql, [until], |row| Ok((row.get(0)?, row.get(1)?)))?;
                let free = forget(tx, &old)?;
                Ok::<_, Error>((old.len(), free))
            })
            .await?;
        self.blobs.remove(&free);
        Ok(count)
    }

    /// Adds the bytes that were taken in, unless somebody was quicker.
    async fn extend(&self, call: &Call, before: &Session, taken: Taken, total: Option<u64>) -> Result<Session, Error> {
        let before = before.clone();
        self.db
            .write(call, move |tx| {
                let now = session(tx, &before.id)?;
                if now.state != SessionState::Active || now.received != before.received {
                    return Err(Error::BadOffset { received: now.received });
                }
                let Taken { written, fingerprint, .. } = taken;
                let pieces = store::append_pieces(tx, now.owner, now.pieces, &slices_of(&written, fingerprint.size))?;
                let after = Session { received: now.received + fingerprint.size, pieces, total, ..now };
                tx.execute(
                    "UPDATE objects_sessions SET pieces = ?2, received = ?3, total = ?4 WHERE id = ?1",
                    (&after.id, after.pieces, after.received as i64, after.total.map(|total| total as i64)),
                )?;
                keep(written);
                Ok(after)
            })
            .await
    }

    async fn fingerprint_of_session(&self, call: &Call, session: &Session) -> Result<Fingerprint, Error> {
        let slices = self.db.read(call, |tx| store::slices(tx, session.owner, 0, session.received).map_err(Error::from)).await?;
        let stream = self.blobs.read(slices)?.ok_or_else(|| Error::NoSuchSession(session.id.clone()))?;
        let mut stream = std::pin::pin!(stream);
        let mut hasher = Hasher::new(None, false);
        while let Some(chunk) = stream.try_next().await.map_err(Error::Broken)? {
            hasher.update(&chunk);
        }
        Ok(hasher.finish())
    }

    /// Makes the object.
    async fn finish(&self, call: &Call, session: Session, print: Fingerprint) -> Result<Stored, Error> {
        let (stored, free) = self
            .db
            .write(call, move |tx| {
                let now = self::session(tx, &session.id)?;
                if now.state != SessionState::Active || now.received != session.received {
                    return Err(Error::BadOffset { received: now.received });
                }
                let bucket = bucket(tx, &now.bucket)?;
                let generation = next_generation(tx)?;
                store::move_pieces(tx, now.owner, generation, 0)?;
                let object = Object {
                    etag: hex::encode(print.md5),
                    md5: Some(print.md5.to_vec()),
                    crc32c: print.crc32c,
                    crc64nvme: print.crc64nvme,
                    checksum: whole(&print, Algorithm::Crc64Nvme),
                    size: print.size,
                    properties: now.properties,
                    ..blank(&bucket.name, &now.key, generation)
                };
                let placed = place_in(tx, &bucket, &now.condition, How::Put, object)?;
                set_state(tx, &now.id, SessionState::Done(generation))?;
                Ok(placed)
            })
            .await?;
        self.blobs.remove(&free);
        Ok(stored)
    }
}

/// Leaves out the first bytes.
fn skip(
    stream: impl Stream<Item = Result<bytes::Bytes, BoxError>> + Send,
    bytes: u64,
) -> impl Stream<Item = Result<bytes::Bytes, BoxError>> + Send {
    let mut left = bytes;
    stream.map(move |piece| {
        piece.map(|mut piece| {
            let known = left.min(piece.len() as u64);
            left -= known;
            piece.split_off(known as usize)
        })
    })
}

fn session(tx: &Tx<'_>, id: &str) -> Result<Session, Error> {
    let sql = format!("SELECT {SESSION} FROM objects_sessions WHERE id = ?1");
    tx.row(&sql, [id], read)?.ok_or_else(|| Error::NoSuchSession(id.to_owned()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    fn json<T: serde::de::DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<T> {
        let text: String = row.get(index)?;
        serde_json::from_str(&text)
            .map_err(|error| rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into()))
    }
    Ok(Session {
        id: row.get(0)?,
        bucket: row.get(1)?,
        key: row.get(2)?,
        started: Time(row.get(3)?),
        state: json(row, 4)?,
        owner: row.get(5)?,
        pieces: row.get(6)?,
        received: row.get::<_, i64>(7)? as u64,
        total: row.get::<_, Option<i64>>(8)?.map(|total| total as u64),
        properties: json(row, 9)?,
        condition: json(row, 10)?,
        expected: json(row, 11)?,
    })
}

fn set_state(tx: &Tx<'_>, id: &str, state: SessionState) -> Result<(), Error> {
    let state = serde_json::to_string(&state).expect("plain data");
    tx.execute("UPDATE objects_sessions SET state = ?2 WHERE id = ?1", (id, state))?;
    Ok(())
}

/// Forgets the oldest sessions where there are as many as may be.
fn make_room(tx: &Tx<'_>) -> Result<Vec<String>, Error> {
    let count: i64 = tx.row("SELECT count(*) FROM objects_sessions", [], |row| row.get(0))?.unwrap_or_default();
    if count < SESSIONS_MAX {
        return Ok(Vec::new());
    }
    // What is done goes before what is under way.
    let sql = "SELECT id, owner FROM objects_sessions ORDER BY state = '\"active\"', started LIMIT 100";
    let old: Vec<(String, i64)> = tx.rows(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    forget(tx, &old)
}

fn forget(tx: &Tx<'_>, sessions: &[(String, i64)]) -> Result<Vec<String>, Error> {
    let mut free = Vec::new();
    for (id, owner) in sessions {
        free.extend(store::forget_pieces(tx, *owner)?);
        tx.execute("DELETE FROM objects_sessions WHERE id = ?1", [id])?;
    }
    Ok(free)
}

/// Gives up all sessions of a bucket; answers the files that nothing names any more.
pub(super) fn forget_of_bucket(tx: &Tx<'_>, bucket: &str) -> Result<Vec<String>, Error> {
    let old: Vec<(String, i64)> =
        tx.rows("SELECT id, owner FROM objects_sessions WHERE bucket = ?1", [bucket], |row| Ok((row.get(0)?, row.get(1)?)))?;
    forget(tx, &old)
}
