//! Looking at objects and reading their bytes.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::Stream;

use super::store::{bucket, slices, version};
use super::{Error, Match, Name, Object, Objects, Precondition, Range, Versioning, Wanted, Which};
use crate::base::{Call, Caller, Unit, Usage};
use crate::store::Tx;
use crate::store::blobs::{BoxError, Slice};

/// Bytes on their way out.
pub type ByteStream = Pin<Box<dyn Stream<Item = Result<Bytes, BoxError>> + Send>>;

/// What to read.
#[derive(Clone, Debug)]
pub struct Get {
    pub name: Name,
    pub range: Range,
    pub wanted: Wanted,
}

/// An object that was found, and the run of its bytes that was asked for.
#[derive(Clone, Debug)]
pub struct Found {
    pub object: Object,
    pub versioning: Versioning,
    pub start: u64,
    pub length: u64,
    /// A range was asked for.
    pub partial: bool,
}

/// How often to look again where an object is replaced while it is being opened.
const TRIES: usize = 8;

impl Objects {
    /// An object without its bytes, under the same conditions as [`Objects::get`].
    pub async fn head(&self, call: &Call, get: &Get) -> Result<Found, Error> {
        self.db
            .read(call, |tx| {
                tx.count(Unit::ObjectReads, 1);
                find(tx, &get.name, &get.wanted, |_| get.range)
            })
            .await
    }

    /// An object and the bytes asked for; they stay readable if it is replaced or deleted meanwhile.
    ///
    /// Fails with [`Error::NoSuchKey`] and its like, [`Error::BadRange`], [`Error::Precondition`], [`Error::NotModified`].
    pub async fn get(&self, call: &Call, get: &Get) -> Result<(Found, ByteStream), Error> {
        self.get_part(call, &get.name, &get.wanted, |_| get.range).await
    }

    /// As [`Objects::get`], with a run of bytes that depends on the object.
    pub async fn get_part(
        &self,
        call: &Call,
        name: &Name,
        wanted: &Wanted,
        range: impl Fn(&Object) -> Range,
    ) -> Result<(Found, ByteStream), Error> {
        let bill = |unit, amount| {
            let mut usage = Usage::default();
            usage.add(unit, amount);
            call.meter.add(&usage);
        };
        // Also where there is no such object, or it has not changed.
        bill(Unit::ObjectReads, 1);
        let (found, stream) = self.open(call, name, wanted, range).await?;
        // What a function reads stays in the region. Source: "Amazon S3 pricing", data transfer.
        if !matches!(call.caller, Caller::Function(_)) {
            bill(Unit::ObjectBytesOut, found.length);
        }
        Ok((found, stream))
    }

    /// As [`Objects::get`], on nobody's bill: the bytes do not leave the service.
    pub(super) async fn open(
        &self,
        call: &Call,
        name: &Name,
        wanted: &Wanted,
        range: impl Fn(&Object) -> Range,
    ) -> Result<(Found, ByteStream), Error> {
        for _ in 0..TRIES {
            let (found, slices) = self
                .db
                .read(call, |tx| {
                    let found = find(tx, name, wanted, &range)?;
                    let slices = slices(tx, found.object.generation, found.start, found.length)?;
                    Ok::<_, Error>((found, slices))
                })
                .await?;
            let there: u64 = slices.iter().map(slice_len).sum();
            if there != found.length {
                return Err(crate::store::Error::Corrupt("objects").into());
            }
            if let Some(stream) = self.blobs.read(slices)? {
                return Ok((found, Box::pin(stream)));
            }
        }
        Err(crate::store::Error::Corrupt("objects").into())
    }
}

fn slice_len(slice: &Slice) -> u64 {
    match slice {
        Slice::Bytes(bytes) => bytes.len() as u64,
        Slice::Blob { length, .. } => *length,
    }
}

/// The version that is meant, if it is one with bytes.
pub(super) fn existing(tx: &Tx<'_>, name: &Name) -> Result<(Object, Versioning), Error> {
    let bucket = bucket(tx, &name.bucket)?;
    let key = || name.key.clone();
    let Some(object) = version(tx, &name.bucket, &name.key, &name.which)? else {
        return Err(match &name.which {
            Which::Latest => Error::NoSuchKey { key: key() },
            Which::Unversioned => Error::NoSuchVersion { key: key(), version: "null".to_owned() },
            Which::Version(version) => Error::NoSuchVersion { key: key(), version: version.clone() },
            Which::Generation(generation) => Error::NoSuchVersion { key: key(), version: generation.to_string() },
        });
    };
    if object.marker {
        let version = object.version.unwrap_or_else(|| "null".to_owned());
        return Err(Error::Deleted { key: key(), version, latest: name.which == Which::Latest });
    }
    Ok((object, bucket.versioning))
}

fn find(tx: &Tx<'_>, name: &Name, wanted: &Wanted, range: impl Fn(&Object) -> Range) -> Result<Found, Error> {
    let (object, versioning) = existing(tx, name)?;
    check(wanted, &object)?;
    let range = range(&object);
    let (start, length) = span(&range, &object)?;
    Ok(Found { object, versioning, start, length, partial: range != Range::All })
}

/// Whether a reader wants the object ("Conditional requests", RFC 9110 section 13.2.2).
pub(super) fn check(wanted: &Wanted, object: &Object) -> Result<(), Error> {
    let numbers = &wanted.numbers;
    let differs = |wanted: Option<i64>, is: i64| wanted.is_some_and(|wanted| wanted != is);
    if differs(numbers.generation, object.generation) || differs(numbers.metageneration, object.metageneration) {
        return Err(Error::Precondition(Precondition::Numbers));
    }
    if numbers.not_generation == Some(object.generation) || numbers.not_metageneration == Some(object.metageneration) {
        return Err(Error::NotModified(Box::new(object.clone())));
    }
    let is = |tag: &Match| match tag {
        Match::Any => true,
        Match::Tag(tag) => *tag == object.etag,
    };
    match (&wanted.matches, wanted.unmodified_since) {
        (Some(tag), _) if !is(tag) => return Err(Error::Precondition(Precondition::Matches)),
        (None, Some(since)) if object.created.seconds() > since.seconds() => {
            return Err(Error::Precondition(Precondition::UnmodifiedSince));
        }
        _ => {}
    }
    match (&wanted.differs, wanted.modified_since) {
        (Some(tag), _) if is(tag) => Err(Error::NotModified(Box::new(object.clone()))),
        (None, Some(since)) if object.created.seconds() <= since.seconds() => Err(Error::NotModified(Box::new(object.clone()))),
        _ => Ok(()),
    }
}

/// Where the bytes asked for start, and how many there are.
pub(super) fn span(range: &Range, object: &Object) -> Result<(u64, u64), Error> {
    let size = object.size;
    match *range {
        Range::All => Ok((0, size)),
        Range::From { first, .. } if first >= size => Err(Error::BadRange { size }),
        Range::From { first, last } => {
            let end = last.map_or(size, |last| last.saturating_add(1).min(size));
            if end <= first { Err(Error::BadRange { size }) } else { Ok((first, end - first)) }
        }
        Range::Last(length) if length == 0 || size == 0 => Err(Error::BadRange { size }),
        Range::Last(length) => Ok((size.saturating_sub(length), length.min(size))),
        Range::Part(1) if object.parts.is_empty() => Ok((0, size)),
        Range::Part(number) => {
            let mut start = 0;
            for part in &object.parts {
                if part.number == number {
                    return Ok((start, part.size));
                }
                start += part.size;
            }
            Err(Error::NoSuchPart { number, parts: (object.parts.len() as u32).max(1) })
        }
    }
}
