//! `firestore.indexes.json`, added to: what stands there, comments and spaces too, stays as it is.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstRootNode};
use serde_json::Value;

/// Adds indexes to the text of the file, which may be empty: members of `indexes` and of `fieldOverrides`, in the file's own shape. What
/// is there already is not added again. Answers the new text and how many were added; fails with what is wrong with the text.
pub fn add(text: &str, indexes: &[Value], overrides: &[Value]) -> Result<(String, usize), String> {
    let text = if text.trim().is_empty() { "{}\n" } else { text };
    let root = CstRootNode::parse(text, &ParseOptions::default()).map_err(|error| error.to_string())?;
    let file = root.object_value().ok_or("the file should be an object: `{ \"indexes\": [], \"fieldOverrides\": [] }`")?;
    let mut added = 0;
    if !indexes.is_empty() {
        let list = list(&file, "indexes")?;
        for index in indexes {
            added += usize::from(append_new(&list, index));
        }
    }
    if !overrides.is_empty() {
        let list = list(&file, "fieldOverrides")?;
        for one in overrides {
            added += usize::from(add_override(&list, one)?);
        }
    }
    Ok((root.to_string(), added))
}

fn list(file: &CstObject, name: &str) -> Result<CstArray, String> {
    let list = file.array_value_or_create(name).ok_or_else(|| format!("`{name}` should be a list"))?;
    list.ensure_multiline();
    Ok(list)
}

/// A field has one entry, which names all of its indexes.
fn add_override(list: &CstArray, one: &Value) -> Result<bool, String> {
    let is_same = |element: &CstObject| {
        ["collectionGroup", "fieldPath"]
            .into_iter()
            .all(|name| element.get(name).and_then(|it| it.value()).map(|it| read(&it)) == Some(one[name].clone()))
    };
    let known = list.elements().iter().filter_map(CstNode::as_object).find(is_same);
    let Some(known) = known else {
        list.append(input(one));
        return Ok(true);
    };
    let indexes = known.array_value_or_create("indexes").ok_or("`indexes` of a field should be a list")?;
    Ok(one["indexes"].as_array().into_iter().flatten().filter(|index| append_new(&indexes, index)).count() > 0)
}

fn append_new(list: &CstArray, value: &Value) -> bool {
    if list.elements().iter().any(|element| read(element) == *value) {
        return false;
    }
    list.append(input(value));
    true
}

/// What an element says; nothing where it is no JSON.
fn read(node: &CstNode) -> Value {
    let text = node.to_string();
    jsonc_parser::parse_to_ast(&text, &Default::default(), &ParseOptions::default())
        .ok()
        .and_then(|parsed| parsed.value)
        .map_or(Value::Null, |value| plain(&value))
}

fn plain(value: &jsonc_parser::ast::Value<'_>) -> Value {
    use jsonc_parser::ast::Value as Ast;
    match value {
        Ast::StringLit(text) => text.value.as_ref().into(),
        Ast::BooleanLit(value) => value.value.into(),
        Ast::NumberLit(number) => number.value.parse().map_or(Value::Null, Value::Number),
        Ast::NullKeyword(_) => Value::Null,
        Ast::Array(array) => array.elements.iter().map(plain).collect(),
        Ast::Object(object) => object.properties.iter().map(|it| (it.name.as_str().to_owned(), plain(&it.value))).collect(),
    }
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(members) => CstInputValue::Object(members.iter().map(|(name, value)| (name.clone(), input(value))).collect()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn index(field: &str) -> Value {
        json!({ "collectionGroup": "posts", "queryScope": "COLLECTION", "fields": [{ "fieldPath": field, "order": "ASCENDING" }, { "fieldPath": "at", "order": "DESCENDING" }] })
    }

    fn of_field(scope: &str) -> Value {
        json!({ "collectionGroup": "posts", "fieldPath": "tag", "indexes": [{ "order": "ASCENDING", "queryScope": scope }] })
    }

    fn parsed(text: &str) -> Value {
        read(&CstNode::from(jsonc_parser::cst::CstContainerNode::Root(CstRootNode::parse(text, &ParseOptions::default()).expect("JSON"))))
    }

    #[test]
    fn indexes_are_added_once_and_what_was_there_stays() {
        let (text, added) = add("", &[index("a")], &[]).expect("a text");
        assert_eq!((parsed(&text), added), (json!({ "indexes": [index("a")] }), 1), "{text}");
        let (same, added) = add(&text, &[index("a")], &[]).expect("a text");
        assert_eq!((same.as_str(), added), (text.as_str(), 0));
        let mine = "{\n  // the feed\n  \"indexes\": [],\n  \"other\": 1\n}\n";
        let (text, added) = add(mine, &[index("a"), index("b")], &[of_field("COLLECTION_GROUP")]).expect("a text");
        assert_eq!(added, 3);
        assert!(text.contains("// the feed") && text.ends_with("}\n"), "{text}");
        let wanted = json!({ "indexes": [index("a"), index("b")], "other": 1, "fieldOverrides": [of_field("COLLECTION_GROUP")] });
        assert_eq!(parsed(&text), wanted, "{text}");
    }

    #[test]
    fn a_field_keeps_one_entry() {
        let (text, _) = add("{}", &[], &[of_field("COLLECTION")]).expect("a text");
        let (text, added) = add(&text, &[], &[of_field("COLLECTION_GROUP")]).expect("a text");
        assert_eq!(added, 1);
        let scopes: Vec<Value> =
            parsed(&text)["fieldOverrides"][0]["indexes"].as_array().expect("a list").iter().map(|it| it["queryScope"].clone()).collect();
        assert_eq!(
            (scopes, parsed(&text)["fieldOverrides"].as_array().map(Vec::len)),
            (vec![json!("COLLECTION"), json!("COLLECTION_GROUP")], Some(1))
        );
        assert_eq!(add(&text, &[], &[of_field("COLLECTION_GROUP")]).map(|(_, added)| added), Ok(0));
    }

    #[test]
    fn a_file_that_is_something_else_is_left_alone() {
        for (text, wanted) in
            [("[", "Unterminated array"), ("[]", "should be an object"), ("{\"indexes\": 1}", "`indexes` should be a list")]
        {
            let error = add(text, &[index("a")], &[]).expect_err(text);
            assert!(error.contains(wanted), "{text}: {error}");
        }
    }
}
