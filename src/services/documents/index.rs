//! The entries of a document in the indexes of single fields: one for each field, those of maps within maps too, and one for each
//! member of an array. Source: "Index types", automatic indexing.

use std::collections::BTreeSet;

use super::value::{Fields, Value, vector_of};
use super::{Error, INDEX_ENTRIES_MAX, key};

/// What an index finds documents by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The value of a field.
    Whole,
    /// The members of an array.
    Member,
}

/// An entry: the number of the index, and the value's key.
pub type Entry = (i64, Vec<u8>);

/// The number of the index of a field: the same for the same collection, field and kind, so that nobody has to keep a list of them.
pub fn number<'a>(collection: i64, kind: Kind, names: impl IntoIterator<Item = &'a str>) -> i64 {
    Place::new(collection, kind, names).number()
}

/// The number of a collection.
pub fn collection_number(database: &str, path: &str) -> i64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(database.as_bytes()).update(&[0]).update(path.as_bytes());
    first_eight(&hasher)
}

struct Place(blake3::Hasher);

impl Place {
    fn new<'a>(collection: i64, kind: Kind, names: impl IntoIterator<Item = &'a str>) -> Place {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&collection.to_le_bytes()).update(&[kind as u8]);
        for name in names {
            hasher.update(&(name.len() as u64).to_le_bytes()).update(name.as_bytes());
        }
        Place(hasher)
    }

    fn number(self) -> i64 {
        first_eight(&self.0)
    }
}

fn first_eight(hasher: &blake3::Hasher) -> i64 {
    let mut bytes = [0; 8];
    hasher.finalize_xof().fill(&mut bytes);
    i64::from_le_bytes(bytes)
}

/// All entries of a document. Fails with [`Error::Invalid`] where there are too many.
pub fn entries(collection: i64, fields: &Fields) -> Result<BTreeSet<Entry>, Error> {
    let mut into = BTreeSet::new();
    let mut names = Vec::new();
    collect(collection, fields, &mut names, &mut into)?;
    Ok(into)
}

fn collect<'a>(collection: i64, fields: &'a Fields, names: &mut Vec<&'a str>, into: &mut BTreeSet<Entry>) -> Result<(), Error> {
    for (name, value) in fields {
        names.push(name);
        into.insert((number(collection, Kind::Whole, names.iter().copied()), key::indexed(key::of(value))));
        match value {
            Value::Array(values) => {
                let number = number(collection, Kind::Member, names.iter().copied());
                into.extend(values.iter().map(|value| (number, key::indexed(key::of(value)))));
            }
            Value::Map(inner) if vector_of(inner).is_none() => collect(collection, inner, names, into)?,
            _ => {}
        }
        names.pop();
        if into.len() > INDEX_ENTRIES_MAX {
            return Err(Error::Invalid(format!("Too many indexed properties: a document may have {INDEX_ENTRIES_MAX} index entries.")));
        }
    }
    Ok(())
}
