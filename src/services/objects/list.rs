//! Listing what is in a bucket, a page at a time.

use super::store::{COLUMNS, bucket, object};
use super::{Error, Object, Objects};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// Which objects to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    pub bucket: String,
    /// Only keys that start so.
    pub prefix: String,
    /// Keys that hold this after the prefix are told of once for all that agree up to it. An empty one is none.
    pub delimiter: Option<String>,
    /// Only what comes after this key or common prefix, in the order of UTF-8 bytes.
    pub after: Option<String>,
    /// Only keys from this one on, and only keys before that one.
    pub from: Option<String>,
    pub until: Option<String>,
    /// Only keys that this describes: `*` and `?` stand for anything within a folder, `**` for anything, `[…]` for one of some characters
    /// and `{…,…}` for one of some texts.
    pub glob: Option<String>,
    /// Objects and common prefixes together.
    pub max: usize,
}

/// Some of the objects of a bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub objects: Vec<Object>,
    pub prefixes: Vec<String>,
    /// Where the next page starts ([`List::after`]); `None` on the last.
    pub next: Option<String>,
}

/// Which versions to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionList {
    pub list: List,
    /// Of the key `list.after`, only versions older than this; none of it where this is `None`. `null` is the unversioned.
    pub after_version: Option<String>,
}

/// Some of the versions of a bucket, by key and then the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// With whether it is the newest of its key.
    pub versions: Vec<(Object, bool)>,
    pub prefixes: Vec<String>,
    /// Where the next page starts: a key or common prefix, and a version of the key.
    pub next: Option<(String, Option<String>)>,
}

impl Objects {
    /// The objects of a bucket, in the order of their keys' UTF-8 bytes. Fails with [`Error::NoSuchBucket`].
    pub async fn list(&self, call: &Call, list: &List) -> Result<Page, Error> {
        self.db
            .read(call, |tx| {
                bucket(tx, &list.bucket)?;
                tx.count(Unit::ObjectWrites, 1);
                let mut page = Page::default();
                let mut last = None;
                let ended = walk(tx, list, None, false, |entry| {
                    if page.objects.len() + page.prefixes.len() >= list.max {
                        return false;
                    }
                    match entry {
                        Entry::Prefix(prefix) => {
                            last = Some(prefix.clone());
                            page.prefixes.push(prefix);
                        }
                        Entry::Object(object, _) => {
                            last = Some(object.key.clone());
                            page.objects.push(*object);
                        }
                    }
                    true
                })?;
                page.next = last.filter(|_| !ended);
                Ok(page)
            })
            .await
    }

    /// All versions in a bucket. Fails with [`Error::NoSuchBucket`].
    pub async fn list_versions(&self, call: &Call, list: &VersionList) -> Result<VersionPage, Error> {
        self.db
            .read(call, |tx| {
                bucket(tx, &list.list.bucket)?;
                tx.count(Unit::ObjectWrites, 1);
                let mut page = VersionPage::default();
                let mut last = None;
                let ended = walk(tx, &list.list, list.after_version.as_deref(), true, |entry| {
                    if page.versions.len() + page.prefixes.len() >= list.list.max {
                        return false;
                    }
                    match entry {
                        Entry::Prefix(prefix) => {
                            last = Some((prefix.clone(), None));
                            page.prefixes.push(prefix);
                        }
                        Entry::Object(object, newest) => {
                            last = Some((object.key.clone(), Some(object.version.clone().unwrap_or_else(|| "null".to_owned()))));
                            page.versions.push((*object, newest));
                        }
                    }
                    true
                })?;
                page.next = last.filter(|_| !ended);
                Ok(page)
            })
            .await
    }
}

enum Entry {
    Object(Box<Object>, bool),
    Prefix(String),
}

/// Gives the entries to `take`, in order, until it has enough; true where it had them all.
///
/// What lies under a common prefix is skipped by a new search from the prefix's end, so the work follows the answer's size.
fn walk(tx: &Tx<'_>, list: &List, after_version: Option<&str>, versions: bool, mut take: impl FnMut(Entry) -> bool) -> Result<bool, Error> {
    let sql = format!("SELECT {COLUMNS} FROM objects_versions WHERE bucket = ?1 AND key >= ?2 ORDER BY key, generation DESC");
    let mut statement = tx.statement(&sql)?;
    let after = list.after.as_deref();
    let passed = passed_generation(tx, list, after_version)?;
    let mut from = after.unwrap_or_default().max(&list.prefix).max(list.from.as_deref().unwrap_or_default()).to_owned();
    'search: loop {
        let mut rows = statement.query((&list.bucket, &from)).map_err(crate::store::Error::from)?;
        let mut last: Option<String> = None;
        while let Some(row) = rows.next().map_err(crate::store::Error::from)? {
            let object = object(row).map_err(crate::store::Error::from)?;
            if !object.key.starts_with(&list.prefix) || list.until.as_ref().is_some_and(|until| object.key >= *until) {
                return Ok(true);
            }
            let newest = last.as_ref() != Some(&object.key);
            if newest {
                last = Some(object.key.clone());
            }
            if !versions && (!newest || object.marker) {
                continue;
            }
            if list.glob.as_ref().is_some_and(|glob| !fast_glob::glob_match(glob, &object.key)) {
                continue;
            }
            if let Some(prefix) = common(&object.key, &list.prefix, list.delimiter.as_deref()) {
                // A page that ended with a prefix, or within it, has told of it.
                let told = after.is_some_and(|after| after.starts_with(prefix));
                if !told && !take(Entry::Prefix(prefix.to_owned())) {
                    return Ok(false);
                }
                match successor(prefix) {
                    Some(next) => from = next,
                    None => return Ok(true),
                }
                continue 'search;
            }
            let seen = after == Some(object.key.as_str()) && passed.is_none_or(|generation| object.generation >= generation);
            if !seen && !take(Entry::Object(Box::new(object), newest)) {
                return Ok(false);
            }
        }
        return Ok(true);
    }
}

/// The generation of the version after which to go on.
fn passed_generation(tx: &Tx<'_>, list: &List, after_version: Option<&str>) -> Result<Option<i64>, Error> {
    let (Some(key), Some(version)) = (&list.after, after_version) else { return Ok(None) };
    let version = if version == "null" { "" } else { version };
    let sql = "SELECT generation FROM objects_versions WHERE bucket = ?1 AND key = ?2 AND version = ?3";
    Ok(tx.row(sql, (&list.bucket, key, version), |row| row.get(0))?)
}

/// The key up to the first delimiter after the prefix, with it.
pub(super) fn common<'a>(key: &'a str, prefix: &str, delimiter: Option<&str>) -> Option<&'a str> {
    let delimiter = delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let at = key.get(prefix.len()..)?.find(delimiter)?;
    key.get(..prefix.len() + at + delimiter.len())
}

/// The least text that comes after all that start with `prefix`. The order of UTF-8 bytes is that of the characters.
pub(super) fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // Between these two lie the surrogates, which are no characters.
        let next = if last == '\u{D7FF}' { Some('\u{E000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}
