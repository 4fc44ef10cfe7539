//! Attribute values in JSON: `{"S": "text"}`, `{"N": "1"}`, …
//!
//! What is no JSON of that shape fails; what is, but is no value (`{"N": "x"}`), is remembered as a flaw, because requests
//! are checked for other things first.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::services::tables::{Item, Number, Value};

/// A value, and what is wrong with it.
pub struct Attribute {
    pub value: Value,
    pub flaw: Option<String>,
}

/// Attributes by name, and the first thing that is wrong with one of them.
#[derive(Default)]
pub struct Attributes {
    pub item: Item,
    pub flaw: Option<String>,
}

/// The members of an object, in the order given.
pub struct Pairs<T>(pub Vec<(String, T)>);

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(AttributeVisitor)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let Pairs(members) = Pairs::<Attribute>::deserialize(from)?;
        let mut flaw = None;
        let mut attributes = Vec::with_capacity(members.len());
        for (name, attribute) in members {
            flaw = flaw.or(attribute.flaw);
            attributes.push((name, attribute.value));
        }
        Ok(Attributes { item: Item::new(attributes), flaw })
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Pairs<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = Pairs<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<T>, A::Error> {
                let mut members = Vec::with_capacity(map.size_hint().unwrap_or(8).min(64));
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Pairs(members))
            }
        }
        from.deserialize_map(Members(std::marker::PhantomData))
    }
}

struct AttributeVisitor;

/// The type tags of values; read without making a text of each.
#[derive(serde::Deserialize)]
#[serde(field_identifier)]
enum Tag {
    S,
    N,
    B,
    #[serde(rename = "BOOL")]
    Bool,
    #[serde(rename = "NULL")]
    Null,
    #[serde(rename = "SS")]
    Ss,
    #[serde(rename = "NS")]
    Ns,
    #[serde(rename = "BS")]
    Bs,
    M,
    L,
    #[serde(other)]
    Unknown,
}

const INVALID: &str = "One or more parameter values were invalid: ";

fn binary<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    STANDARD.decode(text).map_err(|_| {
        if text.len().is_multiple_of(4) {
            E::custom(format!("'{text}' can not be converted to a Blob: Invalid Base64 character"))
        } else {
            E::custom(format!(
                "'{text}' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: {}",
                text.len()
            ))
        }
    })
}

fn number(text: &str, flaw: &mut Option<String>) -> Number {
    Number::parse(text).unwrap_or_else(|error| {
        flaw.get_or_insert_with(|| error.to_string());
        Number::ZERO
    })
}

impl<'de> Visitor<'de> for AttributeVisitor {
    type Value = Attribute;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attribute, A::Error> {
        let (mut found, mut flaw, mut count) = (None, None, 0);
        while let Some(kind) = map.next_key::<Tag>()? {
            let value = match kind {
                Tag::S => map.next_value::<Option<String>>()?.map(Value::S),
                Tag::N => map.next_value::<Option<String>>()?.map(|text| Value::N(number(&text, &mut flaw))),
                Tag::B => map.next_value::<Option<String>>()?.map(|text| binary(&text).map(Value::B)).transpose()?,
                Tag::Bool => map.next_value::<Option<bool>>()?.map(Value::Bool),
                Tag::Null => map.next_value::<Option<bool>>()?.map(|is_null| {
                    if !is_null {
                        flaw.get_or_insert_with(|| format!("{INVALID}Null attribute value types must have the value of true"));
                    }
                    Value::Null
                }),
                Tag::Ss => map.next_value::<Option<Vec<String>>>()?.map(|set| string_set(set, &mut flaw)),
                Tag::Ns => map.next_value::<Option<Vec<String>>>()?.map(|set| number_set(&set, &mut flaw)),
                Tag::Bs => match map.next_value::<Option<Vec<String>>>()? {
                    Some(set) => Some(binary_set(set.iter().map(|text| binary::<A::Error>(text)).collect::<Result<_, _>>()?, &mut flaw)),
                    None => None,
                },
                Tag::M => map.next_value::<Option<Attributes>>()?.map(|inner| {
                    flaw = flaw.take().or(inner.flaw);
                    Value::M(inner.item)
                }),
                Tag::L => map.next_value::<Option<Vec<Attribute>>>()?.map(|list| {
                    let values = list.into_iter().map(|one| {
                        flaw = flaw.take().or(one.flaw);
                        one.value
                    });
                    Value::L(values.collect())
                }),
                Tag::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                    None
                }
            };
            if let Some(value) = value {
                count += 1;
                found.get_or_insert(value);
            }
        }
        if count > 1 {
            let text = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes";
            flaw.get_or_insert_with(|| text.to_owned());
        }
        let value = found.unwrap_or_else(|| {
            let text = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
            flaw.get_or_insert_with(|| text.to_owned());
            Value::Null
        });
        Ok(Attribute { value, flaw })
    }
}

fn string_set(set: Vec<String>, flaw: &mut Option<String>) -> Value {
    let text = if set.is_empty() {
        format!("{INVALID}An string set  may not be empty")
    } else {
        format!("{INVALID}Input collection [{}] contains duplicates.", set.join(", "))
    };
    Value::string_set(set).unwrap_or_else(|| flawed(flaw, text))
}

fn number_set(set: &[String], flaw: &mut Option<String>) -> Value {
    let text = if set.is_empty() {
        format!("{INVALID}An number set  may not be empty")
    } else {
        "Input collection contains duplicates".to_owned()
    };
    let numbers = set.iter().map(|text| number(text, flaw)).collect();
    Value::number_set(numbers).unwrap_or_else(|| flawed(flaw, text))
}

fn binary_set(set: Vec<Vec<u8>>, flaw: &mut Option<String>) -> Value {
    let text = if set.is_empty() {
        format!("{INVALID}Binary sets should not be empty")
    } else {
        let members: Vec<String> = set.iter().map(|bytes| STANDARD.encode(bytes)).collect();
        format!("{INVALID}Input collection [{}]of type BS contains duplicates.", members.join(", "))
    };
    Value::binary_set(set).unwrap_or_else(|| flawed(flaw, text))
}

fn flawed(flaw: &mut Option<String>, text: String) -> Value {
    flaw.get_or_insert(text);
    Value::Null
}

/// A value, to be written as JSON.
pub struct Shown<'a>(pub &'a Value);

/// An item, to be written as JSON.
pub struct ShownItem<'a>(pub &'a Item);

impl Serialize for ShownItem<'_> {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        let mut map = into.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, &Shown(value))?;
        }
        map.end()
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
        struct List<'a>(&'a [Value]);
        impl Serialize for List<'_> {
            fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
                let mut list = into.serialize_seq(Some(self.0.len()))?;
                for value in self.0 {
                    list.serialize_element(&Shown(value))?;
                }
                list.end()
            }
        }
        struct Text<T>(T);
        impl<T: fmt::Display> Serialize for Text<T> {
            fn serialize<S: Serializer>(&self, into: S) -> Result<S::Ok, S::Error> {
                into.collect_str(&self.0)
            }
        }
        let mut map = into.serialize_map(Some(1))?;
        match self.0 {
            Value::S(text) => map.serialize_entry("S", text)?,
            Value::N(number) => map.serialize_entry("N", &Text(number))?,
            Value::B(bytes) => map.serialize_entry("B", &STANDARD.encode(bytes))?,
            Value::Ss(set) => map.serialize_entry("SS", set)?,
            Value::Ns(set) => map.serialize_entry("NS", &set.iter().map(Text).collect::<Vec<_>>())?,
            Value::Bs(set) => map.serialize_entry("BS", &set.iter().map(|bytes| STANDARD.encode(bytes)).collect::<Vec<_>>())?,
            Value::M(inner) => map.serialize_entry("M", &ShownItem(inner))?,
            Value::L(list) => map.serialize_entry("L", &List(list))?,
            Value::Bool(truth) => map.serialize_entry("BOOL", truth)?,
            Value::Null => map.serialize_entry("NULL", &true)?,
        }
        map.end()
    }
}

/// Refuses JSON that is not of the shape: in the words that the service uses for serde's.
pub fn serialization_text(error: &serde_json::Error) -> Option<String> {
    if !error.is_data() {
        return None;
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    let Some(rest) = text.strip_prefix("invalid type: ") else {
        return Some(text.to_owned());
    };
    let (found, expected) = rest.split_once(", expected ").unwrap_or((rest, ""));
    let token = match found.split(' ').next().unwrap_or_default() {
        "integer" | "floating" => "NUMBER_VALUE",
        "boolean" if found.contains("true") => "TRUE_VALUE",
        "boolean" => "FALSE_VALUE",
        "string" => "STRING_VALUE",
        "sequence" => return Some("Start of list found where not expected".to_owned()),
        "map" => return Some("Start of structure or map found where not expected.".to_owned()),
        _ => return Some("Unexpected token received from parser".to_owned()),
    };
    Some(match expected {
        "a string" | "a borrowed string" => format!("{token} cannot be converted to String"),
        "a boolean" => format!("{token} cannot be converted to Boolean"),
        "i64" | "u64" => format!("{token} cannot be converted to Long"),
        "i32" | "u32" => format!("{token} cannot be converted to Integer"),
        "a sequence" => "Unexpected field type".to_owned(),
        _ => "Unexpected token received from parser".to_owned(),
    })
}

/// Nothing in a value may be wrong.
pub fn check(attributes: Attributes) -> Result<Item, String> {
    attributes.flaw.map_or(Ok(attributes.item), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, wanted: &str) {
        let got = match serde_json::from_str::<Attribute>(json) {
            Ok(Attribute { flaw: Some(flaw), .. }) => flaw,
            Ok(attribute) => serde_json::to_string(&Shown(&attribute.value)).expect("plain data"),
            Err(error) => format!("! {}", serialization_text(&error).unwrap_or_default()),
        };
        assert_eq!(got, wanted, "{json}");
    }

    #[test]
    fn values_come_back_in_canonical_form_or_are_refused() {
        for (json, wanted) in [
            (r#"{"S":""}"#, r#"{"S":""}"#),
            (r#"{"N":"1e3"}"#, r#"{"N":"1000"}"#),
            (r#"{"N":"-0"}"#, r#"{"N":"0"}"#),
            (r#"{"B":"AAE="}"#, r#"{"B":"AAE="}"#),
            (r#"{"NS":["2","1.0"]}"#, r#"{"NS":["1","2"]}"#),
            (r#"{"M":{"b":{"L":[{"NULL":true}]},"a":{"BOOL":false}}}"#, r#"{"M":{"a":{"BOOL":false},"b":{"L":[{"NULL":true}]}}}"#),
            (r#"{"N":1}"#, "! NUMBER_VALUE cannot be converted to String"),
            (r#"{"S":true}"#, "! TRUE_VALUE cannot be converted to String"),
            (r#"{"S":[]}"#, "! Start of list found where not expected"),
            (r#"{"S":{}}"#, "! Start of structure or map found where not expected."),
            (r#"{"BOOL":"true"}"#, "! STRING_VALUE cannot be converted to Boolean"),
            (r#""a""#, "! Unexpected token received from parser"),
            (
                r#"{"B":"abc"}"#,
                "! 'abc' can not be converted to a Blob: Base64 encoded length is expected a multiple of 4 bytes but found: 3",
            ),
            (r#"{"N":""}"#, "The parameter cannot be converted to a numeric value"),
            (r#"{"N":"b"}"#, "The parameter cannot be converted to a numeric value: b"),
            (r#"{"NULL":false}"#, "One or more parameter values were invalid: Null attribute value types must have the value of true"),
            (r#"{"SS":[]}"#, "One or more parameter values were invalid: An string set  may not be empty"),
            (r#"{"SS":["a","b","a"]}"#, "One or more parameter values were invalid: Input collection [a, b, a] contains duplicates."),
            (r#"{"NS":["1","1.0"]}"#, "Input collection contains duplicates"),
            (
                r#"{"BS":["AA==","AA=="]}"#,
                "One or more parameter values were invalid: Input collection [AA==, AA==]of type BS contains duplicates.",
            ),
            (r#"{}"#, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
            (r#"{"S":null}"#, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
            (
                r#"{"S":"a","N":"1"}"#,
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
            ),
        ] {
            check(json, wanted);
        }
    }
}
