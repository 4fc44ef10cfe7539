//! The parameters that expressions replaced, rewritten as expressions. Source: "Legacy conditional parameters".

use serde::Deserialize;

use super::value::{Attribute, Pairs};
use crate::services::tables::{Kind, Value};

/// The legacy parameters of all operations.
#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub struct Legacy {
    pub expected: Option<Pairs<Test>>,
    pub attribute_updates: Option<Pairs<AttributeUpdate>>,
    pub key_conditions: Option<Pairs<Test>>,
    pub query_filter: Option<Pairs<Test>>,
    pub scan_filter: Option<Pairs<Test>>,
    pub attributes_to_get: Option<Vec<String>>,
    pub conditional_operator: Option<String>,
}

/// What is asked of one attribute.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Test {
    value: Option<Attribute>,
    exists: Option<bool>,
    comparison_operator: Option<String>,
    attribute_value_list: Option<Vec<Attribute>>,
}

/// What is done to one attribute.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AttributeUpdate {
    action: Option<String>,
    value: Option<Attribute>,
}

impl Legacy {
    /// Whether a parameter was given.
    pub fn has(&self, name: &str) -> bool {
        match name {
            "Expected" => self.expected.is_some(),
            "AttributeUpdates" => self.attribute_updates.is_some(),
            "KeyConditions" => self.key_conditions.is_some(),
            "QueryFilter" => self.query_filter.is_some(),
            "ScanFilter" => self.scan_filter.is_some(),
            "AttributesToGet" => self.attributes_to_get.is_some(),
            "ConditionalOperator" => self.conditional_operator.is_some(),
            _ => false,
        }
    }
}

/// Names and values of the expressions being written.
#[derive(Default)]
pub struct Writing {
    pub names: Vec<(String, String)>,
    pub values: Vec<(String, Attribute)>,
}

impl Writing {
    fn name(&mut self, name: &str) -> String {
        if let Some((key, _)) = self.names.iter().find(|(_, known)| known == name) {
            return key.clone();
        }
        let key = format!("#legacy{}", self.names.len());
        self.names.push((key.clone(), name.to_owned()));
        key
    }

    fn value(&mut self, attribute: Attribute) -> Result<String, String> {
        if let Some(flaw) = attribute.flaw {
            return Err(flaw);
        }
        let key = format!(":legacy{}", self.values.len());
        self.values.push((key.clone(), attribute));
        Ok(key)
    }
}

const INVALID: &str = "One or more parameter values were invalid: ";

/// `AttributesToGet`.
pub fn attributes(names: &[String], writing: &mut Writing) -> Result<String, String> {
    for (at, name) in names.iter().enumerate() {
        if names[..at].contains(name) {
            return Err(format!("{INVALID}Duplicate value in attribute name: {name}"));
        }
    }
    Ok(names.iter().map(|name| writing.name(name)).collect::<Vec<_>>().join(", "))
}

/// `KeyConditions`.
pub fn key_conditions(Pairs(conditions): Pairs<Test>, writing: &mut Writing) -> Result<String, String> {
    if conditions.is_empty() || conditions.len() > 2 {
        return Err("Conditions can be of length 1 or 2 only".into());
    }
    let tests = conditions.into_iter().map(|(name, test)| {
        if matches!(test.comparison_operator.as_deref(), Some("NE" | "NULL" | "NOT_NULL" | "CONTAINS" | "NOT_CONTAINS" | "IN")) {
            return Err("Attempted conditional constraint is not an indexable operation".to_owned());
        }
        test.write(&name, writing)
    });
    Ok(tests.collect::<Result<Vec<_>, _>>()?.join(" AND "))
}

/// `QueryFilter` or `ScanFilter`.
pub fn filter(Pairs(tests): Pairs<Test>, operator: Option<&str>, writing: &mut Writing) -> Result<Option<String>, String> {
    let tests = tests.into_iter().map(|(name, test)| test.write(&name, writing)).collect::<Result<Vec<_>, _>>()?;
    join(&tests, operator)
}

/// `Expected`.
pub fn expected(Pairs(tests): Pairs<Test>, operator: Option<&str>, writing: &mut Writing) -> Result<Option<String>, String> {
    let tests = tests.into_iter().map(|(name, test)| test.write_expected(&name, writing)).collect::<Result<Vec<_>, _>>()?;
    join(&tests, operator)
}

fn join(tests: &[String], operator: Option<&str>) -> Result<Option<String>, String> {
    let word = match operator {
        None | Some("AND") => " AND ",
        Some("OR") => " OR ",
        Some(other) => {
            return Err(format!(
                "1 validation error detected: Value '{other}' at 'conditionalOperator' failed to satisfy constraint: Member must satisfy enum value set: [OR, AND]"
            ));
        }
    };
    Ok((!tests.is_empty()).then(|| tests.join(word)))
}

impl Test {
    fn write_expected(self, name: &str, writing: &mut Writing) -> Result<String, String> {
        if self.comparison_operator.is_some() {
            return self.write(name, writing);
        }
        match (self.value, self.exists) {
            (Some(_), Some(false)) => Err(format!("{INVALID}Value cannot be used when Exists is false for Attribute: {name}")),
            (None, Some(false)) => Ok(format!("attribute_not_exists({})", writing.name(name))),
            (None, _) => Err(format!("{INVALID}Value must be provided when Exists is true for Attribute: {name}")),
            (Some(value), _) => {
                let key = writing.name(name);
                Ok(format!("{key} = {}", writing.value(value)?))
            }
        }
    }

    fn write(self, name: &str, writing: &mut Writing) -> Result<String, String> {
        let operator = self
            .comparison_operator
            .ok_or_else(|| format!("{INVALID}AttributeValueList can only be used with a ComparisonOperator for Attribute: {name}"))?;
        let mut values = self.attribute_value_list.unwrap_or_default();
        values.extend(self.value);
        let right = match operator.as_str() {
            "NULL" | "NOT_NULL" => values.is_empty(),
            "BETWEEN" => values.len() == 2,
            "IN" => !values.is_empty(),
            "EQ" | "NE" | "LE" | "LT" | "GE" | "GT" | "CONTAINS" | "NOT_CONTAINS" | "BEGINS_WITH" => values.len() == 1,
            other => {
                return Err(format!(
                    "1 validation error detected: Value '{other}' at 'comparisonOperator' failed to satisfy constraint: \
                     Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"
                ));
            }
        };
        if !right {
            return Err(format!("{INVALID}Invalid number of argument(s) for the {operator} ComparisonOperator"));
        }
        let key = writing.name(name);
        let values = values.into_iter().map(|value| writing.value(value)).collect::<Result<Vec<_>, _>>()?;
        let list = values.join(", ");
        Ok(match operator.as_str() {
            "NULL" => format!("attribute_not_exists({key})"),
            "NOT_NULL" => format!("attribute_exists({key})"),
            "EQ" => format!("{key} = {list}"),
            "NE" => format!("{key} <> {list}"),
            "LE" => format!("{key} <= {list}"),
            "LT" => format!("{key} < {list}"),
            "GE" => format!("{key} >= {list}"),
            "GT" => format!("{key} > {list}"),
            "CONTAINS" => format!("contains({key}, {list})"),
            "NOT_CONTAINS" => format!("(attribute_exists({key}) AND NOT contains({key}, {list}))"),
            "BEGINS_WITH" => format!("begins_with({key}, {list})"),
            "IN" => format!("{key} IN ({list})"),
            _ => format!("{key} BETWEEN {}", values.join(" AND ")),
        })
    }
}

/// `AttributeUpdates`.
pub fn updates(Pairs(updates): Pairs<AttributeUpdate>, writing: &mut Writing) -> Result<Option<String>, String> {
    let mut sections: [(&str, Vec<String>); 4] = [("SET", Vec::new()), ("REMOVE", Vec::new()), ("ADD", Vec::new()), ("DELETE", Vec::new())];
    for (name, update) in updates {
        let action = update.action.as_deref().unwrap_or("PUT");
        let key = writing.name(&name);
        let kind = update.value.as_ref().filter(|value| value.flaw.is_none()).map(|value| value.value.kind());
        let (section, text) = match (action, update.value) {
            ("PUT", Some(value)) => (0, format!("{key} = {}", writing.value(value)?)),
            ("DELETE", None) => (1, key),
            ("DELETE", Some(value)) => {
                if !matches!(kind, None | Some(Kind::Ss | Kind::Ns | Kind::Bs)) {
                    let label = kind.map_or("", Kind::label);
                    return Err(format!("{INVALID}DELETE action with value is not supported for the type {label}"));
                }
                (3, format!("{key} {}", writing.value(value)?))
            }
            ("ADD", Some(value)) => match kind {
                None | Some(Kind::N | Kind::Ss | Kind::Ns | Kind::Bs) => (2, format!("{key} {}", writing.value(value)?)),
                // Only this old form appends to lists.
                Some(Kind::L) => {
                    let (value, nothing) = (writing.value(value)?, writing.value(Attribute { value: Value::L(Vec::new()), flaw: None })?);
                    (0, format!("{key} = list_append(if_not_exists({key}, {nothing}), {value})"))
                }
                Some(other) => return Err(format!("{INVALID}ADD action is not supported for the type {}", other.label())),
            },
            ("PUT" | "ADD", None) => return Err(format!("{INVALID}Only DELETE action is allowed when no attribute value is specified")),
            (other, _) => {
                return Err(format!(
                    "1 validation error detected: Value '{other}' at 'attributeUpdates.{name}.member.action' failed to satisfy constraint: \
                     Member must satisfy enum value set: [ADD, PUT, DELETE]"
                ));
            }
        };
        sections[section].1.push(text);
    }
    let written: Vec<String> =
        sections.iter().filter(|(_, parts)| !parts.is_empty()).map(|(word, parts)| format!("{word} {}", parts.join(", "))).collect();
    Ok((!written.is_empty()).then(|| written.join(" ")))
}
