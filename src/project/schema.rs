//! The JSON Schema of the project file, for editors: made of the table that checks the file, so that the two cannot differ.
//!
//! The file is checked after its variables are resolved, and the schema sees it before: it takes a `${…}` wherever something else than
//! text must stand. It cannot see what several keys mean together; `emu check` does.

use serde_json::{Map, Value as Json, json};

use super::keys::{FILE, Key, Shape, Support};

/// The version of JSON Schema that editors know best.
const DIALECT: &str = "http://json-schema.org/draft-07/schema#";
/// Where shapes are kept that stand in several places.
const DEFINITIONS: &str = "#/definitions/";

/// The schema of the whole file.
pub fn schema() -> Json {
    let mut schema = Schema::default();
    let Shape::Map(keys) = FILE else { unreachable!("a project file is a map") };
    let mut file = schema.map(keys, "");
    // Keys of one's own, which everybody leaves alone.
    file.insert("patternProperties".into(), json!({ "^x-": {} }));
    let mut root = Map::new();
    root.insert("$schema".into(), DIALECT.into());
    root.insert("title".into(), "serverless.yaml, as emu reads it".into());
    root.insert("description".into(), "A project of the Serverless Framework, version 3, with emu's own settings under `emu`.".into());
    root.append(&mut file);
    let mut definitions = Map::new();
    definitions.insert(
        "variable".into(),
        json!({ "description": "A variable, such as `${self:custom.name}`.", "type": "string", "pattern": "\\$\\{" }),
    );
    definitions.insert(
        "reference".into(),
        json!({
            "description": "A reference or function of CloudFormation, such as `Fn::GetAtt`.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "patternProperties": { "^(Ref$|Fn::)": {} },
            "additionalProperties": false,
        }),
    );
    definitions.extend(schema.maps);
    root.insert("definitions".into(), Json::Object(definitions));
    Json::Object(root)
}

/// What has been written so far.
#[derive(Default)]
struct Schema {
    /// Maps with known keys, by name; each is there once, however often it is used.
    maps: Vec<(String, Json)>,
}

impl Schema {
    /// A map with these keys and no others.
    fn map(&mut self, keys: &[Key], path: &str) -> Map<String, Json> {
        let properties: Map<String, Json> = keys.iter().map(|key| (key.name.to_owned(), self.key(key, path))).collect();
        let Json::Object(map) = json!({ "type": "object", "properties": properties, "additionalProperties": false }) else {
            unreachable!("it is written as an object")
        };
        map
    }

    fn key(&mut self, key: &Key, path: &str) -> Json {
        let note = match key.support {
            Support::Full => "",
            Support::Deployment => " Only matters for a deployment; emu leaves it alone.",
            Support::None => " Not emulated: emu gives a warning.",
        };
        let mut out = Map::new();
        out.insert("description".into(), format!("{}{note}", key.about).into());
        let path = if path.is_empty() { key.name.to_owned() } else { format!("{path}.{}", key.name) };
        // What emu does not act on, it does not look at.
        let shape = if key.support == Support::Full { key.shape } else { &Shape::Any };
        out.extend(self.value(shape, &path));
        Json::Object(out)
    }

    /// Whatever may stand where a value of this shape is wanted: it, nothing, a reference, a variable.
    fn value(&mut self, shape: &Shape, path: &str) -> Map<String, Json> {
        let mut forms = Vec::new();
        self.forms(shape, path, &mut forms);
        if forms.is_empty() {
            return Map::new();
        }
        forms.extend([json!({ "$ref": format!("{DEFINITIONS}reference") }), json!({ "$ref": format!("{DEFINITIONS}variable") })]);
        forms.push(json!({ "type": "null" }));
        Map::from_iter([("anyOf".to_owned(), Json::Array(forms))])
    }

    /// The forms of a value of this shape; none where it may be anything.
    fn forms(&mut self, shape: &Shape, path: &str, forms: &mut Vec<Json>) {
        match shape {
            Shape::Any => {}
            Shape::Text => forms.push(json!({ "type": ["string", "number", "boolean"] })),
            Shape::Bool => forms.extend([json!({ "type": "boolean" }), json!({ "enum": ["true", "false"] })]),
            Shape::Int(least, most) => {
                forms.extend([
                    json!({ "type": "integer", "minimum": least, "maximum": most }),
                    json!({ "type": "string", "pattern": "^[+-]?[0-9]+$" }),
                ]);
            }
            Shape::Choice(allowed) => {
                forms.push(json!({ "enum": allowed }));
                forms.push(json!({ "type": "string", "pattern": any_case(allowed) }));
                // What YAML reads as a number, such as `2.0`.
                let numbers: Vec<f64> = allowed.iter().filter_map(|text| text.parse().ok()).collect();
                if !numbers.is_empty() {
                    forms.push(json!({ "enum": numbers }));
                }
            }
            Shape::Map(keys) => {
                let map = Json::Object(self.map(keys, path));
                forms.push(self.defined(path, map));
            }
            Shape::OneKey(keys) => {
                let mut map = self.map(keys, path);
                map.extend([("minProperties".to_owned(), json!(1)), ("maxProperties".to_owned(), json!(1))]);
                forms.push(self.defined(path, Json::Object(map)));
                // Kinds that may stand without settings.
                let bare: Vec<&str> = keys.iter().filter(|key| key.support == Support::None).map(|key| key.name).collect();
                forms.push(json!({ "enum": bare }));
            }
            Shape::MapOf(inner) => forms.push(json!({ "type": "object", "additionalProperties": self.value(inner, path) })),
            Shape::ListOf(inner) => forms.push(json!({ "type": "array", "items": self.value(inner, path) })),
            Shape::OneOrMore(inner) => {
                forms.push(json!({ "type": "array", "items": self.value(inner, path) }));
                self.forms(inner, path, forms);
            }
            Shape::Either(shapes) => shapes.iter().for_each(|shape| self.forms(shape, path, forms)),
        }
    }

    /// Refers to a map, which is kept under the name of the first place that it stands in.
    fn defined(&mut self, path: &str, map: Json) -> Json {
        let name = match self.maps.iter().find(|(_, known)| *known == map) {
            Some((name, _)) => name.clone(),
            None => {
                // Another map in the same place is an alternative to the first.
                let taken = self.maps.iter().filter(|(name, _)| name == path || name.starts_with(&format!("{path}-"))).count();
                let name = if taken == 0 { path.to_owned() } else { format!("{path}-{}", taken + 1) };
                self.maps.push((name.clone(), map));
                name
            }
        };
        json!({ "$ref": format!("{DEFINITIONS}{name}") })
    }
}

/// A pattern for these texts in whichever case.
fn any_case(allowed: &[&str]) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_alphabetic() => format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase()),
        c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':') => c.to_string(),
        c => format!("\\{c}"),
    };
    let texts: Vec<String> = allowed.iter().map(|text| text.chars().map(letter).collect()).collect();
    format!("^({})$", texts.join("|"))
}

#[cfg(test)]
mod tests;
