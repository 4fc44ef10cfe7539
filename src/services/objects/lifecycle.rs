//! What becomes of objects by themselves as they grow old. Source: "Managing the lifecycle of objects" of the S3 user guide.
//!
//! Rules are carried out once a day, at midnight UTC by the World's clock, on everything whose time has come by then. So a bucket without
//! rules costs nothing, and one with rules is looked through once a day.

use serde::{Deserialize, Serialize};

use super::store::{COLUMNS, bucket, object};
use super::uploads::abort_in;
use super::write::delete_in;
use super::{Bucket, Condition, Deletion, Error, Object, Objects, Tags, Versioning, Which};
use crate::base::{Call, Time, Unit};
use crate::store::{self, Tx};

/// The key to give to [`crate::store::Db::woken`] to learn that the time of [`Objects::next_lifecycle`] may have changed.
pub const LIFECYCLE_WAKE: &str = "objects-lifecycle";
/// The same, to learn that the rules have been carried out.
pub const LIFECYCLE_DONE_WAKE: &str = "objects-lifecycle-done";

/// The setting of a bucket that has the document of its rules, in the words of the wire that set it.
pub const DOCUMENT: &str = "lifecycle";
/// The setting that has the rules themselves.
const RULES: &str = "lifecycle-rules";
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Versions that are looked at in one go.
const PAGE: usize = 1_000;
/// Keys or uploads that are dealt with in one transaction.
const AT_ONCE: usize = 100;

/// What is to become of the objects that a rule is about. All of its limits apply together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    pub prefix: String,
    pub tags: Tags,
    /// Only objects of more bytes than this.
    pub larger_than: Option<u64>,
    /// Only objects of fewer bytes than this.
    pub smaller_than: Option<u64>,
    pub expire: Option<Expire>,
    pub noncurrent: Option<Noncurrent>,
    /// Unfinished uploads are given up so many days after they were begun.
    pub abort_days: Option<u32>,
}

/// When the newest version of an object goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expire {
    /// So many days after it was stored.
    Days(u32),
    /// From this time on.
    Date(Time),
    /// Never; but what says that an object was deleted goes once nothing else is left of it.
    Markers,
}

/// When older versions go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noncurrent {
    /// So many days after a newer one took their place.
    pub days: u32,
    /// So many of the newest of them stay.
    pub keep: u32,
}

/// What is to be done to a version of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    /// It goes, with its bytes.
    Remove(Which),
    /// A marker in front of it says that the object is gone.
    Mark,
}

impl Rule {
    fn is_about(&self, key: &str) -> bool {
        key.starts_with(&self.prefix)
    }

    fn fits(&self, object: &Object) -> bool {
        let tags = &object.properties.tags;
        self.is_about(&object.key)
            && self.tags.iter().all(|(name, value)| tags.get(name) == Some(value))
            && self.larger_than.is_none_or(|bytes| object.size > bytes)
            && self.smaller_than.is_none_or(|bytes| object.size < bytes)
    }

    /// Whether the newest version of a key goes.
    fn expires(&self, newest: &Object, is_alone: bool, now: Time) -> bool {
        // A marker has neither tags nor bytes that could be asked for.
        let fits = if newest.marker { is_alone && self.is_about(&newest.key) && self.tags.is_empty() } else { self.fits(newest) };
        fits && match self.expire {
            None => false,
            Some(Expire::Days(days)) => due(newest.created, days) <= now,
            Some(Expire::Date(date)) => !newest.marker && date <= now,
            Some(Expire::Markers) => newest.marker,
        }
    }

    /// Whether an older version goes; `newer` are those between it and the newest, `since` is when it ceased to be that.
    fn removes(&self, older: &Object, newer: usize, since: Time, now: Time) -> bool {
        let Some(Noncurrent { days, keep }) = self.noncurrent else { return false };
        newer >= keep as usize && due(since, days) <= now && (if older.marker { self.is_about(&older.key) } else { self.fits(older) })
    }
}

/// So many days later, rounded up to midnight.
fn due(since: Time, days: u32) -> Time {
    let at = since.millis().saturating_add(i64::from(days).saturating_mul(DAY_MS));
    let over = at.rem_euclid(DAY_MS);
    Time(if over == 0 { at } else { at.saturating_add(DAY_MS - over) })
}

/// The midnight before, or now.
fn midnight(now: Time) -> Time {
    Time(now.millis() - now.millis().rem_euclid(DAY_MS))
}

/// What is to be done to the versions of one key, newest first.
fn acts(rules: &[Rule], versioning: Versioning, versions: &[Object], now: Time) -> Vec<Act> {
    let Some((newest, older)) = versions.split_first() else { return Vec::new() };
    let mut acts = Vec::new();
    if rules.iter().any(|rule| rule.expires(newest, older.is_empty(), now)) {
        let goes = versioning == Versioning::Off || newest.marker;
        acts.push(if goes { Act::Remove(which(newest)) } else { Act::Mark });
    }
    let since = versions.iter().map(|newer| newer.created);
    for (newer, (version, since)) in older.iter().zip(since).enumerate() {
        if rules.iter().any(|rule| rule.removes(version, newer, since, now)) {
            acts.push(Act::Remove(which(version)));
        }
    }
    acts
}

fn which(object: &Object) -> Which {
    object.version.clone().map_or(Which::Unversioned, Which::Version)
}

impl Objects {
    /// Sets or removes a bucket's rules, with the document that they were read from. They are carried out from the next midnight on.
    pub async fn set_lifecycle(&self, call: &Call, name: &str, set: Option<(String, Vec<Rule>)>) -> Result<(), Error> {
        let name = name.to_owned();
        self.db
            .write(call, move |tx| {
                bucket(tx, &name)?;
                tx.execute("DELETE FROM objects_documents WHERE bucket = ?1 AND kind IN (?2, ?3)", (&name, DOCUMENT, RULES))?;
                if let Some((document, rules)) = &set {
                    tx.count(Unit::ObjectWrites, 1);
                    let rules = serde_json::to_string(rules).expect("rules are plain data");
                    let sql = "INSERT INTO objects_documents (bucket, kind, body) VALUES (?1, ?2, ?3), (?1, ?4, ?5)";
                    tx.execute(sql, (&name, DOCUMENT, document, RULES, rules))?;
                    let today = midnight(tx.now()).millis();
                    tx.execute("INSERT INTO objects_lifecycle (only, day) VALUES (1, ?1) ON CONFLICT DO NOTHING", [today])?;
                }
                tx.wake(LIFECYCLE_WAKE);
                Ok(())
            })
            .await
    }

    /// When to call [`Objects::carry_out_lifecycle`]; `None` where no bucket has rules.
    pub async fn next_lifecycle(&self, call: &Call) -> Result<Option<Time>, Error> {
        self.db
            .read(call, |tx| {
                if tx.row("SELECT 1 FROM objects_documents WHERE kind = ?1 LIMIT 1", [RULES], |_| Ok(()))?.is_none() {
                    return Ok(None);
                }
                let done: Option<i64> = tx.row("SELECT day FROM objects_lifecycle WHERE only = 1", [], |row| row.get(0))?;
                let today = midnight(tx.now());
                Ok(Some(if done == Some(today.millis()) { today.plus_ms(DAY_MS) } else { today }))
            })
            .await
    }

    /// Does to objects and unfinished uploads what their buckets' rules ask for by now; answers to how many. Costs nothing, as in
    /// production, and emits [`super::Event::Deleted`] of objects.
    pub async fn carry_out_lifecycle(&self, call: &Call) -> Result<usize, Error> {
        let now = self.db.now();
        let mut count = 0;
        for (bucket, rules) in self.db.read(call, |tx| all_rules(tx)).await? {
            let mut after = String::new();
            loop {
                let (keys, last) = self.db.read(call, |tx| page(tx, &bucket, &rules, &after, now)).await?;
                for keys in keys.chunks(AT_ONCE) {
                    count += self.age(call, &bucket, &rules, keys.to_vec(), now).await?;
                }
                match last {
                    Some(last) => after = last,
                    None => break,
                }
            }
            let uploads = self.db.read(call, |tx| old_uploads(tx, &bucket.name, &rules, now)).await?;
            for uploads in uploads.chunks(AT_ONCE) {
                let uploads = uploads.to_vec();
                count += uploads.len();
                let abort = move |tx: &mut Tx<'_>| {
                    uploads.iter().try_fold(Vec::new(), |mut free, upload| {
                        free.extend(abort_in(tx, upload)?);
                        Ok::<_, Error>(free)
                    })
                };
                self.blobs.remove(&self.db.write(call, abort).await?);
            }
        }
        self.db
            .write(call, move |tx| {
                tx.execute("INSERT OR REPLACE INTO objects_lifecycle (only, day) VALUES (1, ?1)", [midnight(now).millis()])?;
                tx.wake(LIFECYCLE_DONE_WAKE);
                Ok::<_, Error>(())
            })
            .await?;
        Ok(count)
    }

    /// Does what is to be done to these keys, in one transaction.
    async fn age(&self, call: &Call, bucket: &Bucket, rules: &[Rule], keys: Vec<String>, now: Time) -> Result<usize, Error> {
        let (bucket, rules) = (bucket.clone(), rules.to_vec());
        let (count, free) = self
            .db
            .write(call, move |tx| {
                let (mut count, mut free) = (0, Vec::new());
                for key in keys {
                    let sql = format!("SELECT {COLUMNS} FROM objects_versions WHERE bucket = ?1 AND key = ?2 ORDER BY generation DESC");
                    // Looked at again, for somebody may have stored it anew.
                    let versions = tx.rows(&sql, (&bucket.name, &key), object)?;
                    for act in acts(&rules, bucket.versioning, &versions, now) {
                        let which = match act {
                            Act::Remove(which) => which,
                            Act::Mark => Which::Latest,
                        };
                        let deletion = Deletion { key: key.clone(), which, condition: Condition::Always };
                        delete_in(tx, &bucket, deletion, true, &mut free)?;
                        count += 1;
                    }
                }
                Ok::<_, Error>((count, free))
            })
            .await?;
        self.blobs.remove(&free);
        Ok(count)
    }
}

fn all_rules(tx: &Tx<'_>) -> Result<Vec<(Bucket, Vec<Rule>)>, Error> {
    let found: Vec<(String, String)> =
        tx.rows("SELECT bucket, body FROM objects_documents WHERE kind = ?1 ORDER BY bucket", [RULES], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let read = |body: &str| serde_json::from_str(body).map_err(|_| store::Error::Corrupt("lifecycle rules"));
    found.into_iter().map(|(name, body)| Ok((bucket(tx, &name)?, read(&body)?))).collect()
}

/// The keys after `after` that something is to be done to, of as many versions as are looked at in one go; and the last key that was
/// looked at, unless there are no more.
fn page(tx: &Tx<'_>, bucket: &Bucket, rules: &[Rule], after: &str, now: Time) -> Result<(Vec<String>, Option<String>), Error> {
    let sql = format!("SELECT {COLUMNS} FROM objects_versions WHERE bucket = ?1 AND key > ?2 ORDER BY key, generation DESC LIMIT ?3");
    let versions: Vec<Object> = tx.rows(&sql, (&bucket.name, after, PAGE as i64), object)?;
    let mut keys: Vec<&[Object]> = versions.chunk_by(|a, b| a.key == b.key).collect();
    let is_cut = versions.len() == PAGE;
    // The last key may have more versions than were read: it is looked at again, or, where it fills the page, in any case.
    let cut = if is_cut { keys.pop() } else { None };
    let mut found: Vec<String> = keys
        .iter()
        .filter(|versions| !acts(rules, bucket.versioning, versions, now).is_empty())
        .filter_map(|versions| versions.first().map(|version| version.key.clone()))
        .collect();
    let last = match (keys.last().and_then(|versions| versions.first()), cut.and_then(|versions| versions.first())) {
        (Some(last), Some(_)) => Some(last.key.clone()),
        (None, Some(only)) => {
            found.push(only.key.clone());
            Some(only.key.clone())
        }
        (_, None) => None,
    };
    Ok((found, last))
}

/// Unfinished uploads that are to be given up.
fn old_uploads(tx: &Tx<'_>, bucket: &str, rules: &[Rule], now: Time) -> Result<Vec<String>, Error> {
    let uploads: Vec<(String, String, i64)> =
        tx.rows("SELECT id, key, started FROM objects_uploads WHERE bucket = ?1 ORDER BY key, id", [bucket], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    let is_old = |key: &str, started: i64| {
        rules.iter().any(|rule| rule.is_about(key) && rule.abort_days.is_some_and(|days| due(Time(started), days) <= now))
    };
    Ok(uploads.into_iter().filter(|(_, key, started)| is_old(key, *started)).map(|(id, ..)| id).collect())
}

#[cfg(test)]
mod tests {
    use super::super::write::blank;
    use super::*;

    const DAY: i64 = DAY_MS;

    fn version(name: &str, at: i64, marker: bool) -> Object {
        let version = Some(name.to_owned()).filter(|name| !name.is_empty());
        Object { version, created: Time(at), marker, size: 100, ..blank("b", "logs/a", at) }
    }

    fn rule(expire: Option<Expire>) -> Rule {
        Rule { prefix: "logs/".into(), expire, ..Rule::default() }
    }

    #[test]
    fn days_end_at_the_midnight_after() {
        assert_eq!(due(Time(10), 1), Time(2 * DAY));
        assert_eq!(due(Time(0), 1), Time(DAY));
        assert_eq!(due(Time(DAY - 1), 3), Time(4 * DAY));
        assert_eq!(due(Time(i64::MAX - 5), u32::MAX), Time(i64::MAX), "no overflow");
        assert_eq!(midnight(Time(-1)), Time(-DAY));
    }

    #[test]
    fn the_newest_version_goes_or_is_marked_when_its_time_has_come() {
        let plain = version("", 10, false);
        let one =
            |rule: &Rule, versioning, object: &Object, now| acts(std::slice::from_ref(rule), versioning, std::slice::from_ref(object), now);
        let days = rule(Some(Expire::Days(1)));
        assert_eq!(one(&days, Versioning::Off, &plain, Time(2 * DAY - 1)), []);
        assert_eq!(one(&days, Versioning::Off, &plain, Time(2 * DAY)), [Act::Remove(Which::Unversioned)]);
        assert_eq!(one(&days, Versioning::On, &version("v1", 10, false), Time(2 * DAY)), [Act::Mark]);
        assert_eq!(one(&days, Versioning::Suspended, &plain, Time(2 * DAY)), [Act::Mark]);
        let date = rule(Some(Expire::Date(Time(5 * DAY))));
        assert_eq!(one(&date, Versioning::Off, &plain, Time(5 * DAY - 1)), []);
        assert_eq!(one(&date, Versioning::Off, &plain, Time(5 * DAY)).len(), 1);
        let out = |rule: Rule| one(&rule, Versioning::Off, &plain, Time(9 * DAY));
        let tagged = Tags::from([("keep".to_owned(), "no".to_owned())]);
        assert_eq!(out(Rule { prefix: "other/".into(), ..days.clone() }), []);
        assert_eq!(out(Rule { tags: tagged, ..days.clone() }), []);
        assert_eq!(out(Rule { larger_than: Some(100), ..days.clone() }), []);
        assert_eq!(out(Rule { smaller_than: Some(100), ..days.clone() }), []);
        assert_eq!(out(Rule { larger_than: Some(99), smaller_than: Some(101), ..days }).len(), 1);
    }

    #[test]
    fn markers_go_once_nothing_else_is_left() {
        let (marker, old) = (version("m", 10, true), version("v1", 5, false));
        let gone = [Act::Remove(Which::Version("m".into()))];
        for expire in [Expire::Markers, Expire::Days(1)] {
            let rules = [rule(Some(expire))];
            assert_eq!(acts(&rules, Versioning::On, std::slice::from_ref(&marker), Time(9 * DAY)), gone);
            assert_eq!(acts(&rules, Versioning::On, &[marker.clone(), old.clone()], Time(9 * DAY)), []);
        }
        let rules = [rule(Some(Expire::Markers))];
        assert_eq!(acts(&rules, Versioning::On, std::slice::from_ref(&old), Time(9 * DAY)), [], "a marker's rule is about markers");
    }

    #[test]
    fn older_versions_go_by_when_they_were_replaced_but_for_the_newest_of_them() {
        let versions =
            [version("v4", 4 * DAY, false), version("v3", 3 * DAY, false), version("v2", 2 * DAY, true), version("v1", DAY, false)];
        let rules = |days, keep| [Rule { noncurrent: Some(Noncurrent { days, keep }), ..rule(None) }];
        let gone = |days, keep, now| -> Vec<Act> { acts(&rules(days, keep), Versioning::On, &versions, Time(now)) };
        let remove = |name: &str| Act::Remove(Which::Version(name.into()));
        assert_eq!(gone(2, 0, 4 * DAY), [remove("v1")], "replaced on the second day");
        assert_eq!(gone(1, 0, 5 * DAY), [remove("v3"), remove("v2"), remove("v1")]);
        assert_eq!(gone(1, 1, 5 * DAY), [remove("v2"), remove("v1")]);
        assert_eq!(gone(1, 9, 5 * DAY), []);
    }
}
