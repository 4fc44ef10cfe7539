//! Names of documents.

use super::super::Fault;
use super::{Answer, needs};
use crate::services::documents::name::Name;
use crate::services::documents::value::Value;

fn name(value: &Value) -> Result<Name, Fault> {
    match value {
        Value::Reference(name) => Name::parse(name).map_err(|error| Fault::value(error.to_string())),
        other => Err(needs("a reference to a document", other)),
    }
}

pub(super) fn document_id(args: &[&Value]) -> Answer {
    Ok(Some(Value::Text(name(args[0])?.id().to_owned())))
}

pub(super) fn collection_id(args: &[&Value]) -> Answer {
    let name = name(args[0])?;
    let collection = name.collection();
    Ok(Some(Value::Text(collection.rsplit_once('/').map_or(collection, |(_, id)| id).to_owned())))
}

/// The document that a document's collection is beneath; null where that is the root.
pub(super) fn parent(args: &[&Value]) -> Answer {
    let name = name(args[0])?;
    let parent = name.collection().rsplit_once('/').map(|(parent, _)| name.database.full(parent));
    Ok(Some(parent.map_or(Value::Null, Value::Reference)))
}
