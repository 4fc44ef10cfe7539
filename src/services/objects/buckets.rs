//! Buckets and what is set on them.

use super::store::{bucket, read_bucket, versioning_number};
use super::{Bucket, Error, Objects, Versioning};
use crate::base::{Call, Unit};
use crate::store::Tx;

/// A bucket to make.
#[derive(Clone, Debug)]
pub struct NewBucket {
    pub name: String,
    pub region: String,
}

impl Objects {
    /// Makes a bucket. Fails with [`Error::BucketExists`] and [`Error::BadBucketName`].
    pub async fn create_bucket(&self, call: &Call, new: NewBucket) -> Result<Bucket, Error> {
        self.db
            .write(call, move |tx| {
                tx.count(Unit::ObjectWrites, 1);
                if create_in(tx, &new)? { bucket(tx, &new.name) } else { Err(Error::BucketExists(new.name)) }
            })
            .await
    }

    /// Makes a bucket unless it is there; answers whether it was made.
    pub async fn ensure_bucket(&self, call: &Call, new: NewBucket) -> Result<bool, Error> {
        self.db.write(call, move |tx| create_in(tx, &new)).await
    }

    /// All buckets, by name.
    pub async fn buckets(&self, call: &Call) -> Result<Vec<Bucket>, Error> {
        self.db
            .read(call, |tx| {
                tx.count(Unit::ObjectWrites, 1);
                Ok(tx.rows("SELECT name, created, region, versioning FROM objects_buckets ORDER BY name", [], read_bucket)?)
            })
            .await
    }

    /// One bucket. Fails with [`Error::NoSuchBucket`].
    pub async fn bucket(&self, call: &Call, name: &str) -> Result<Bucket, Error> {
        self.db
            .read(call, |tx| {
                tx.count(Unit::ObjectReads, 1);
                bucket(tx, name)
            })
            .await
    }

    /// Removes an empty bucket with all that is set on it and its unfinished uploads. Fails with [`Error::BucketNotEmpty`].
    pub async fn delete_bucket(&self, call: &Call, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        let free = self
            .db
            .write(call, move |tx| {
                bucket(tx, &name)?;
                if tx.row("SELECT 1 FROM objects_versions WHERE bucket = ?1 LIMIT 1", [&name], |_| Ok(()))?.is_some() {
                    return Err(Error::BucketNotEmpty(name));
                }
                let uploads: Vec<String> = tx.rows("SELECT id FROM objects_uploads WHERE bucket = ?1", [&name], |row| row.get(0))?;
                let mut free = Vec::new();
                for upload in uploads {
                    free.extend(super::uploads::abort_in(tx, &upload)?);
                }
                free.extend(super::sessions::forget_of_bucket(tx, &name)?);
                tx.execute("DELETE FROM objects_documents WHERE bucket = ?1", [&name])?;
                tx.execute("DELETE FROM objects_buckets WHERE name = ?1", [&name])?;
                Ok(free)
            })
            .await?;
        self.blobs.remove(&free);
        Ok(())
    }

    /// Says whether older versions are kept from now on. Once they were, it can only be suspended.
    pub async fn set_versioning(&self, call: &Call, name: &str, keep: bool) -> Result<(), Error> {
        let name = name.to_owned();
        let versioning = if keep { Versioning::On } else { Versioning::Suspended };
        self.db
            .write(call, move |tx| {
                bucket(tx, &name)?;
                tx.count(Unit::ObjectWrites, 1);
                tx.execute("UPDATE objects_buckets SET versioning = ?2 WHERE name = ?1", (&name, versioning_number(versioning)))?;
                Ok(())
            })
            .await
    }

    /// A setting of a bucket that is only kept, in the words of the wire that set it.
    pub async fn document(&self, call: &Call, name: &str, kind: &str) -> Result<Option<String>, Error> {
        self.db
            .read(call, |tx| {
                bucket(tx, name)?;
                tx.count(Unit::ObjectReads, 1);
                Ok(tx.row("SELECT body FROM objects_documents WHERE bucket = ?1 AND kind = ?2", (name, kind), |row| row.get(0))?)
            })
            .await
    }

    /// Keeps a setting of a bucket, or forgets it where `body` is `None`.
    pub async fn set_document(&self, call: &Call, name: &str, kind: &'static str, body: Option<String>) -> Result<(), Error> {
        let name = name.to_owned();
        self.db
            .write(call, move |tx| {
                bucket(tx, &name)?;
                match body {
                    Some(body) => {
                        tx.count(Unit::ObjectWrites, 1);
                        tx.execute(
                            "INSERT OR REPLACE INTO objects_documents (bucket, kind, body) VALUES (?1, ?2, ?3)",
                            (&name, kind, body),
                        )?
                    }
                    None => tx.execute("DELETE FROM objects_documents WHERE bucket = ?1 AND kind = ?2", (&name, kind))?,
                };
                Ok(())
            })
            .await
    }
}

fn create_in(tx: &mut Tx<'_>, new: &NewBucket) -> Result<bool, Error> {
    if !is_name(&new.name) {
        return Err(Error::BadBucketName(new.name.clone()));
    }
    let made = tx.execute(
        "INSERT INTO objects_buckets (name, created, region, versioning) VALUES (?1, ?2, ?3, 0) ON CONFLICT (name) DO NOTHING",
        (&new.name, tx.now().millis(), &new.region),
    )?;
    Ok(made == 1)
}

/// What every provider allows at most: 3 to 222 lower-case letters, digits, dots, hyphens and underscores, with a letter or
/// digit at both ends. Each wire knows its own narrower rule.
pub(super) fn is_name(name: &str) -> bool {
    let ends = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    let bytes = name.as_bytes();
    (3..=222).contains(&bytes.len())
        && bytes.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(byte))
        && ends(bytes.first())
        && ends(bytes.last())
}
