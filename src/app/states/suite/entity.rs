//! A document as Datastore's exports have it: an `EntityProto` of the first Datastore API, in which maps are entities within values.
//! Source: `entity.proto` of the App Engine SDK.

use anyhow::{Context, bail};

use crate::services::documents::{Fields, Timestamp, Value};

/// A document.
#[derive(Debug, PartialEq)]
pub struct Entity {
    /// Collections and documents in turn, with slashes.
    pub path: String,
    pub fields: Fields,
}

/// What a value means, beyond what it is.
mod meaning {
    pub const GD_WHEN: u64 = 7;
    pub const BLOB: u64 = 14;
    pub const BYTESTRING: u64 = 16;
    pub const ENTITY_PROTO: u64 = 19;
    pub const EMPTY_LIST: u64 = 24;
}

/// Entities within each other, and groups of fields.
const DEPTH_MAX: usize = 32;

/// A field of a message.
enum Wire<'a> {
    Varint(u64),
    Fixed(u64),
    Bytes(&'a [u8]),
    Group(&'a [u8]),
}

/// Reads the document of a record; references to documents become those of `project_id`.
pub fn entity(bytes: &[u8], project_id: &str) -> anyhow::Result<Entity> {
    let mut path = None;
    for field in fields(bytes)? {
        if let (13, Wire::Bytes(reference)) = field {
            path = Some(key(reference)?.path);
        }
    }
    Ok(Entity { path: path.context("an entity has no key")?, fields: properties(bytes, project_id, 0)? })
}

/// The fields of an entity.
fn properties(bytes: &[u8], project_id: &str, depth: usize) -> anyhow::Result<Fields> {
    if depth > DEPTH_MAX {
        bail!("maps are nested too deeply");
    }
    let mut all = Fields::new();
    for field in fields(bytes)? {
        let (14 | 15, Wire::Bytes(property)) = field else { continue };
        let Property { name, value, is_one_of_many, is_empty_list } = property_of(property, project_id, depth)?;
        if is_empty_list {
            all.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            continue;
        }
        if !is_one_of_many {
            all.insert(name, value);
            continue;
        }
        match all.entry(name).or_insert_with(|| Value::Array(Vec::new())) {
            Value::Array(values) => values.push(value),
            other => *other = value,
        }
    }
    Ok(all)
}

struct Property {
    name: String,
    value: Value,
    is_one_of_many: bool,
    is_empty_list: bool,
}

fn property_of(bytes: &[u8], project_id: &str, depth: usize) -> anyhow::Result<Property> {
    let (mut name, mut meaning, mut multiple, mut value): (_, _, _, &[u8]) = (None, 0, false, &[]);
    for field in fields(bytes)? {
        match field {
            (1, Wire::Varint(number)) => meaning = number,
            (3, Wire::Bytes(text)) => name = Some(String::from_utf8(text.to_vec()).context("the name of a field is no text")?),
            (4, Wire::Varint(truth)) => multiple = truth != 0,
            (5, Wire::Bytes(bytes)) => value = bytes,
            _ => {}
        }
    }
    let name = name.context("a field has no name")?;
    let value = value_of(value, meaning, project_id, depth).with_context(|| format!("`{name}`"))?;
    Ok(Property { name, value, is_one_of_many: multiple, is_empty_list: meaning == meaning::EMPTY_LIST })
}

fn value_of(bytes: &[u8], meaning: u64, project_id: &str, depth: usize) -> anyhow::Result<Value> {
    let mut value = Value::Null;
    for field in fields(bytes)? {
        value = match field {
            (1, Wire::Varint(number)) if meaning == meaning::GD_WHEN => Value::Timestamp(Timestamp::of_micros(number as i64)),
            (1, Wire::Varint(number)) => Value::Int(number as i64),
            (2, Wire::Varint(truth)) => Value::Bool(truth != 0),
            (3, Wire::Bytes(bytes)) => match meaning {
                meaning::BLOB | meaning::BYTESTRING => Value::Bytes(bytes.to_vec()),
                meaning::ENTITY_PROTO => Value::Map(properties(bytes, project_id, depth + 1)?),
                _ => Value::Text(String::from_utf8(bytes.to_vec()).context("a text is none")?),
            },
            (4, Wire::Fixed(bits)) => Value::Double(f64::from_bits(bits)),
            (5, Wire::Group(point)) => geo(point)?,
            (12, Wire::Group(reference)) => {
                let Key { database, path } = key(reference)?;
                Value::Reference(format!("projects/{project_id}/databases/{database}/documents/{path}"))
            }
            _ => continue,
        };
    }
    Ok(value)
}

fn geo(bytes: &[u8]) -> anyhow::Result<Value> {
    let (mut latitude, mut longitude) = (0.0, 0.0);
    for field in fields(bytes)? {
        match field {
            (6, Wire::Fixed(bits)) => latitude = f64::from_bits(bits),
            (7, Wire::Fixed(bits)) => longitude = f64::from_bits(bits),
            _ => {}
        }
    }
    Ok(Value::Geo { latitude, longitude })
}

struct Key {
    database: String,
    path: String,
}

/// A key: on its own its path is a message, within a value its elements stand in it.
fn key(bytes: &[u8]) -> anyhow::Result<Key> {
    let (mut database, mut segments) = ("(default)".to_owned(), Vec::new());
    for field in fields(bytes)? {
        match field {
            (14, Wire::Bytes(path)) => {
                for element in fields(path)? {
                    if let (1, Wire::Group(element)) = element {
                        segments.extend(element_of(element, [2, 3, 4])?);
                    }
                }
            }
            (14, Wire::Group(element)) => segments.extend(element_of(element, [15, 16, 17])?),
            (23, Wire::Bytes(name)) if !name.is_empty() => database = String::from_utf8(name.to_vec()).context("a database's name")?,
            _ => {}
        }
    }
    if segments.is_empty() {
        bail!("a key has no path");
    }
    Ok(Key { database, path: segments.join("/") })
}

/// Collection and document; the fields have other numbers in a value.
fn element_of(bytes: &[u8], [kind_field, id_field, name_field]: [u32; 3]) -> anyhow::Result<[String; 2]> {
    let (mut kind, mut id) = (None, None);
    for field in fields(bytes)? {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).context("a part of a path is no text");
        match field {
            (number, Wire::Bytes(bytes)) if number == kind_field => kind = Some(text(bytes)?),
            (number, Wire::Bytes(bytes)) if number == name_field => id = Some(text(bytes)?),
            (number, Wire::Varint(own)) if number == id_field => id = Some(format!("__id{}__", own as i64)),
            _ => {}
        }
    }
    Ok([kind.context("a part of a path has no collection")?, id.context("a part of a path has no document")?])
}

/// The fields of a message. Source: "Encoding" of Protocol Buffers.
fn fields(bytes: &[u8]) -> anyhow::Result<Vec<(u32, Wire<'_>)>> {
    let mut rest = bytes;
    let mut all = Vec::new();
    while !rest.is_empty() {
        all.push(field(&mut rest, 0)?);
    }
    Ok(all)
}

fn field<'a>(rest: &mut &'a [u8], depth: usize) -> anyhow::Result<(u32, Wire<'a>)> {
    let tag = varint(rest)?;
    let number = u32::try_from(tag >> 3).context("the number of a field")?;
    let wire = match tag & 7 {
        0 => Wire::Varint(varint(rest)?),
        1 => Wire::Fixed(u64::from_le_bytes(take(rest, 8)?.try_into()?)),
        2 => {
            let length = usize::try_from(varint(rest)?)?;
            Wire::Bytes(take(rest, length)?)
        }
        3 => Wire::Group(group(rest, number, depth)?),
        5 => {
            take(rest, 4)?;
            Wire::Varint(0)
        }
        _ => bail!("a field cannot be read"),
    };
    Ok((number, wire))
}

/// What is in a group, up to its end.
fn group<'a>(rest: &mut &'a [u8], number: u32, depth: usize) -> anyhow::Result<&'a [u8]> {
    if depth > DEPTH_MAX {
        bail!("groups are nested too deeply");
    }
    let whole = *rest;
    loop {
        let within = whole.len() - rest.len();
        let mut ahead = *rest;
        let tag = varint(&mut ahead)?;
        if tag & 7 == 4 {
            if tag >> 3 != u64::from(number) {
                bail!("a group does not end");
            }
            *rest = ahead;
            return whole.get(..within).context("a group");
        }
        field(rest, depth + 1)?;
    }
}

fn varint(rest: &mut &[u8]) -> anyhow::Result<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let [byte] = take(rest, 1)? else { bail!("a number breaks off") };
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    bail!("a number is too long")
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> anyhow::Result<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length).context("it breaks off")?;
    *rest = left;
    Ok(taken)
}

/// Writes entities, for the tests.
#[cfg(test)]
pub mod writing {
    use super::meaning;

    pub fn varint(mut number: u64) -> Vec<u8> {
        let mut out = Vec::new();
        while number >= 0x80 {
            out.push(number as u8 | 0x80);
            number >>= 7;
        }
        out.push(number as u8);
        out
    }

    fn tag(number: u64, wire: u64) -> Vec<u8> {
        varint(number << 3 | wire)
    }

    pub fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
        [tag(number, 2), varint(content.len() as u64), content.to_vec()].concat()
    }

    pub fn int(number: u64, value: u64) -> Vec<u8> {
        [tag(number, 0), varint(value)].concat()
    }

    pub fn double(number: u64, value: f64) -> Vec<u8> {
        [tag(number, 1), value.to_bits().to_le_bytes().to_vec()].concat()
    }

    pub fn group(number: u64, content: &[u8]) -> Vec<u8> {
        [tag(number, 3), content.to_vec(), tag(number, 4)].concat()
    }

    /// A property, raw unless `indexed`.
    pub fn property(name: &str, meaning: u64, multiple: bool, value: &[u8], indexed: bool) -> Vec<u8> {
        let body = [int(1, meaning), bytes(3, name.as_bytes()), int(4, u64::from(multiple)), bytes(5, value)].concat();
        bytes(if indexed { 14 } else { 15 }, &body)
    }

    pub fn key(segments: &[(&str, &str)]) -> Vec<u8> {
        let elements = segments.iter().map(|(kind, name)| group(1, &[bytes(2, kind.as_bytes()), bytes(4, name.as_bytes())].concat()));
        [bytes(13, b"demo-other"), bytes(14, &elements.collect::<Vec<_>>().concat())].concat()
    }

    pub fn entity(segments: &[(&str, &str)], properties: &[Vec<u8>]) -> Vec<u8> {
        [bytes(13, &key(segments)), properties.concat()].concat()
    }

    pub fn map(properties: &[Vec<u8>]) -> Vec<u8> {
        bytes(3, &properties.concat())
    }

    /// A document with a field of every kind.
    pub fn of_every_kind() -> Vec<u8> {
        let reference = group(12, &[bytes(13, b"demo-other"), group(14, &[bytes(15, b"users"), bytes(17, b"ada")].concat())].concat());
        let inner = map(&[property("deep", 0, false, &int(1, 5), false)]);
        entity(
            &[("users", "bob"), ("posts", "p1")],
            &[
                property("text", 0, false, &bytes(3, "grüße".as_bytes()), true),
                property("int", 0, false, &int(1, -7i64 as u64), true),
                property("truth", 0, false, &int(2, 1), true),
                property("double", 0, false, &double(4, 1.5), true),
                property("none", 0, false, &[], true),
                property("when", meaning::GD_WHEN, false, &int(1, 1_700_000_000_000_001), true),
                property("blob", meaning::BLOB, false, &bytes(3, &[0, 255]), false),
                property("place", 9, false, &group(5, &[double(6, 52.5), double(7, 13.4)].concat()), true),
                property("friend", 0, false, &reference, true),
                property("list", 0, true, &int(1, 1), true),
                property("list", 0, true, &bytes(3, b"two"), true),
                property("maps", meaning::ENTITY_PROTO, true, &inner, false),
                property("empty", meaning::EMPTY_LIST, false, &[], true),
                property("map", meaning::ENTITY_PROTO, false, &inner, false),
            ],
        )
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_has_a_field_of_every_kind() {
        let found = entity(&writing::of_every_kind(), "demo").expect("read");
        let text = |text: &str| Value::Text(text.to_owned());
        let inner = || Value::Map(Fields::from([("deep".to_owned(), Value::Int(5))]));
        let wanted: Fields = [
            ("text", text("grüße")),
            ("int", Value::Int(-7)),
            ("truth", Value::Bool(true)),
            ("double", Value::Double(1.5)),
            ("none", Value::Null),
            ("when", Value::Timestamp(Timestamp::of_micros(1_700_000_000_000_001))),
            ("blob", Value::Bytes(vec![0, 255])),
            ("place", Value::Geo { latitude: 52.5, longitude: 13.4 }),
            ("friend", Value::Reference("projects/demo/databases/(default)/documents/users/ada".to_owned())),
            ("list", Value::Array(vec![Value::Int(1), text("two")])),
            ("maps", Value::Array(vec![inner()])),
            ("empty", Value::Array(Vec::new())),
            ("map", inner()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        assert_eq!(found, Entity { path: "users/bob/posts/p1".to_owned(), fields: wanted });
    }

    proptest! {
        #[test]
        fn nonsense_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = entity(&bytes, "demo");
        }

        #[test]
        fn what_is_cut_off_is_no_panic(at in any::<proptest::sample::Index>()) {
            let whole = writing::of_every_kind();
            let _ = entity(&whole[..at.index(whole.len())], "demo");
        }
    }
}
