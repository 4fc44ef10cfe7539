//! A document: its fields, when it was made and changed, and what of it can be.

use std::borrow::Cow;

use super::name::{FieldPath, ID_BYTES_MAX, Name};
use super::value::{Fields, Timestamp, Value, fields_bytes, name_bytes, vector_of};
use super::{DOCUMENT_BYTES_MAX, Error, NESTING_MAX};
use crate::base::number::grouped;

/// A document as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    pub name: Name,
    pub fields: Fields,
    pub created: Timestamp,
    pub updated: Timestamp,
}

impl Document {
    /// The value of a field; of the name too. `None` where there is none.
    pub fn get(&self, field: &FieldPath) -> Option<Cow<'_, Value>> {
        if field.is_name() {
            return Some(Cow::Owned(Value::Reference(self.name.full())));
        }
        get(&self.fields, field).map(Cow::Borrowed)
    }

    /// Only these fields of it; all where `None`.
    pub fn project(&mut self, mask: Option<&[FieldPath]>) {
        let Some(mask) = mask else { return };
        let mut fields = Fields::new();
        for path in mask {
            if let Some(value) = get(&self.fields, path) {
                set(&mut fields, path, value.clone());
            }
        }
        self.fields = fields;
    }
}

/// The value of a field.
pub(super) fn get<'a>(fields: &'a Fields, path: &FieldPath) -> Option<&'a Value> {
    let (first, rest) = path.names().split_first()?;
    let mut value = fields.get(first)?;
    for name in rest {
        let Value::Map(map) = value else { return None };
        value = map.get(name)?;
    }
    Some(value)
}

/// Sets a field; what lies between and is no map becomes one.
pub(super) fn set(fields: &mut Fields, path: &FieldPath, value: Value) {
    let Some((last, between)) = path.names().split_last() else { return };
    let mut map = fields;
    for name in between {
        let slot = map.entry(name.clone()).or_insert(Value::Null);
        if !matches!(slot, Value::Map(_)) {
            *slot = Value::Map(Fields::new());
        }
        let Value::Map(inner) = slot else { return };
        map = inner;
    }
    map.insert(last.clone(), value);
}

/// Takes a field away.
pub(super) fn remove(fields: &mut Fields, path: &FieldPath) {
    let Some((last, between)) = path.names().split_last() else { return };
    let mut map = fields;
    for name in between {
        let Some(Value::Map(inner)) = map.get_mut(name) else { return };
        map = inner;
    }
    map.remove(last);
}

/// Fails with [`Error::Invalid`] where no document can have these fields.
pub(super) fn check(name: &Name, fields: &Fields) -> Result<(), Error> {
    check_map(fields, 0)?;
    let bytes = name_bytes(name.path().split('/')) + fields_bytes(fields) + 32;
    if bytes <= DOCUMENT_BYTES_MAX {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "Document '{name}' cannot be written because its size ({} bytes) exceeds the maximum allowed size of {} bytes.",
        grouped(&bytes.to_string()),
        grouped(&DOCUMENT_BYTES_MAX.to_string()),
    )))
}

fn check_map(fields: &Fields, depth: usize) -> Result<(), Error> {
    let vector = vector_of(fields).is_some();
    for (name, value) in fields {
        if name.is_empty() {
            return Err(Error::Invalid("A field's name is empty.".into()));
        }
        if name.len() > ID_BYTES_MAX {
            return Err(Error::Invalid(format!(
                "The property name of {} bytes is invalid because it is longer than {ID_BYTES_MAX} bytes.",
                name.len()
            )));
        }
        let reserved = name.len() >= 4 && name.starts_with("__") && name.ends_with("__");
        if reserved && !vector {
            return Err(Error::Invalid(format!("Property name \"{name}\" is invalid because it is reserved.")));
        }
        check_value(value, depth)?;
    }
    Ok(())
}

fn check_value(value: &Value, depth: usize) -> Result<(), Error> {
    let deeper = || -> Result<usize, Error> {
        if depth < NESTING_MAX {
            return Ok(depth + 1);
        }
        Err(Error::Invalid(format!("Property is nested too deeply: maps and arrays may lie {NESTING_MAX} deep within each other.")))
    };
    match value {
        Value::Array(values) => {
            let depth = deeper()?;
            values.iter().try_for_each(|value| match value {
                Value::Array(_) => Err(Error::Invalid("Cannot convert an array value in an array value.".into())),
                other => check_value(other, depth),
            })
        }
        Value::Map(fields) => check_map(fields, deeper()?),
        Value::Reference(name) => Name::parse(name).map(|_| ()),
        Value::Geo { latitude, longitude } => {
            if (-90.0..=90.0).contains(latitude) && (-180.0..=180.0).contains(longitude) {
                Ok(())
            } else {
                Err(Error::Invalid(format!("Invalid geo point: latitude {latitude}, longitude {longitude}.")))
            }
        }
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Double(_) | Value::Timestamp(_) | Value::Text(_) | Value::Bytes(_) => Ok(()),
    }
}
