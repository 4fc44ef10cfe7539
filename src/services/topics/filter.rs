//! Filter policies: which messages a subscriber wants. Pure. Source: "Amazon SNS subscription filter policies".

use serde_json::Value as Json;

use crate::base::message::{Attributes, Value};

/// Nesting of a policy, and of a message that is matched against one.
const DEPTH_MAX: usize = 32;

/// Says what is wrong with a policy, if anything is.
pub fn check(policy: &str) -> Result<(), String> {
    let policy: Json = serde_json::from_str(policy).map_err(|_| "failed to parse JSON.".to_owned())?;
    check_object(&policy, 0)
}

fn check_object(policy: &Json, depth: usize) -> Result<(), String> {
    if depth > DEPTH_MAX {
        return Err("Filter policy is nested too deeply".to_owned());
    }
    let members = policy.as_object().ok_or("Filter policy must be an object")?;
    for (name, rule) in members {
        match rule {
            Json::Array(rules) if name == "$or" => rules.iter().try_for_each(|rule| check_object(rule, depth + 1))?,
            Json::Array(rules) if rules.is_empty() => return Err("Empty arrays are not allowed".to_owned()),
            Json::Array(rules) => rules.iter().try_for_each(check_rule)?,
            Json::Object(_) => check_object(rule, depth + 1)?,
            _ => return Err(format!("\"{name}\" must be an object or an array")),
        }
    }
    Ok(())
}

const RULES: [&str; 8] = ["prefix", "suffix", "anything-but", "numeric", "exists", "equals-ignore-case", "wildcard", "cidr"];

fn check_rule(rule: &Json) -> Result<(), String> {
    match rule {
        Json::Object(members) => match members.iter().next() {
            Some((name, _)) if !RULES.contains(&name.as_str()) => Err(format!("Unrecognized match type {name}")),
            Some((name, Json::Bool(_))) if name == "exists" && members.len() == 1 => Ok(()),
            Some((name, _)) if name == "exists" => Err("exists match pattern must be either true or false.".to_owned()),
            Some((name, Json::Array(parts))) if name == "numeric" && bounds(parts).is_none() => {
                Err("Value of numeric is not valid".to_owned())
            }
            Some(_) if members.len() == 1 => Ok(()),
            _ => Err("Only one key allowed in match expression".to_owned()),
        },
        Json::Array(_) => Err("Match value must be String, number, true, false, or null".to_owned()),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Ok(()),
    }
}

/// Whether a policy lets a message with these attributes through.
pub fn matches_attributes(policy: &Json, attributes: &Attributes) -> bool {
    let values = |name: &str| -> Option<Vec<Json>> {
        let attribute = attributes.get(name)?;
        Some(match (&attribute.value, attribute.kind.as_str()) {
            (Value::Text(text), "String.Array") => match serde_json::from_str(text) {
                Ok(Json::Array(items)) => items,
                _ => Vec::new(),
            },
            (Value::Text(text), kind) if kind.starts_with("Number") => {
                text.trim().parse::<f64>().ok().map(Json::from).into_iter().collect()
            }
            (Value::Text(text), _) => vec![Json::from(text.as_str())],
            // Binary attributes are never compared.
            (Value::Binary(_), _) => Vec::new(),
        })
    };
    all(policy, 0, &|name, rule, _| match rule {
        Json::Array(rules) => any(rules, values(name).as_deref()),
        _ => false,
    })
}

/// Whether a policy lets a message with this JSON body through; no other body passes.
pub fn matches_body(policy: &Json, body: &str) -> bool {
    serde_json::from_str(body).is_ok_and(|body: Json| body.is_object() && matches_object(policy, &[&body], 0))
}

fn matches_object(policy: &Json, bodies: &[&Json], depth: usize) -> bool {
    if depth > DEPTH_MAX {
        return false;
    }
    all(policy, depth, &|name, rule, depth| {
        // A list in the body stands for each of its items.
        let mut found: Vec<&Json> = Vec::new();
        bodies.iter().filter_map(|body| body.get(name)).for_each(|value| flatten(value, &mut found, 0));
        match rule {
            Json::Array(rules) => {
                let present = bodies.iter().any(|body| body.get(name).is_some());
                let values: Vec<Json> = found.into_iter().cloned().collect();
                any(rules, present.then_some(&values))
            }
            Json::Object(_) => !found.is_empty() && matches_object(rule, &found, depth + 1),
            _ => false,
        }
    })
}

fn flatten<'a>(value: &'a Json, into: &mut Vec<&'a Json>, depth: usize) {
    match value {
        Json::Array(items) if depth < DEPTH_MAX => items.iter().for_each(|item| flatten(item, into, depth + 1)),
        other => into.push(other),
    }
}

fn all(policy: &Json, depth: usize, one: &dyn Fn(&str, &Json, usize) -> bool) -> bool {
    let Some(members) = policy.as_object() else { return false };
    depth <= DEPTH_MAX
        && members.iter().all(|(name, rule)| match (name.as_str(), rule) {
            ("$or", Json::Array(choices)) => choices.iter().any(|choice| all(choice, depth + 1, one)),
            (name, rule) => one(name, rule, depth),
        })
}

/// Whether one of the values meets one of the rules; `None` is a member that is not there.
fn any(rules: &[Json], values: Option<&[Json]>) -> bool {
    rules.iter().any(|rule| match (rule.get("exists"), values) {
        (Some(Json::Bool(wanted)), values) => *wanted == values.is_some(),
        (_, None) => false,
        // Of several values, none may be among what is excluded.
        (None, Some(values)) if rule.get("anything-but").is_some() => !values.is_empty() && values.iter().all(|value| meets(rule, value)),
        (_, Some(values)) => values.iter().any(|value| meets(rule, value)),
    })
}

fn meets(rule: &Json, value: &Json) -> bool {
    let Json::Object(members) = rule else { return equal(rule, value) };
    let Some((name, wanted)) = members.iter().next() else { return false };
    let text = value.as_str();
    match (name.as_str(), wanted) {
        ("prefix", Json::String(prefix)) => text.is_some_and(|text| text.starts_with(prefix.as_str())),
        ("suffix", Json::String(suffix)) => text.is_some_and(|text| text.ends_with(suffix.as_str())),
        ("equals-ignore-case", Json::String(wanted)) => text.is_some_and(|text| text.to_lowercase() == wanted.to_lowercase()),
        ("wildcard", Json::String(pattern)) => text.is_some_and(|text| wildcard(pattern, text)),
        ("cidr", Json::String(block)) => text.is_some_and(|text| within(block, text).unwrap_or(false)),
        ("numeric", Json::Array(parts)) => match (bounds(parts), value.as_f64()) {
            (Some(bounds), Some(n)) => bounds.iter().all(|(operator, bound)| compare(operator, n, *bound)),
            _ => false,
        },
        ("anything-but", Json::Array(list)) => !list.iter().any(|item| equal(item, value)),
        ("anything-but", Json::Object(inner)) => inner.iter().all(|(name, wanted)| match wanted {
            Json::Array(list) => !list.iter().any(|one| meets(&serde_json::json!({ name: one }), value)),
            one => !meets(&serde_json::json!({ name: one }), value),
        }),
        ("anything-but", one) => !equal(one, value),
        _ => false,
    }
}

fn equal(a: &Json, b: &Json) -> bool {
    match (a.as_f64(), b.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => a == b,
    }
}

/// `["=", 1]`, `[">", 1, "<=", 5]`.
fn bounds(parts: &[Json]) -> Option<Vec<(&str, f64)>> {
    if parts.is_empty() || parts.len() > 4 { None } else { parts.chunks(2).map(bound).collect() }
}

fn bound(pair: &[Json]) -> Option<(&str, f64)> {
    let [operator, bound] = pair else { return None };
    let operator = operator.as_str().filter(|operator| ["=", "<", "<=", ">", ">="].contains(operator))?;
    Some((operator, bound.as_f64()?))
}

fn compare(operator: &str, n: f64, bound: f64) -> bool {
    match operator {
        "=" => n == bound,
        "<" => n < bound,
        "<=" => n <= bound,
        ">" => n > bound,
        _ => n >= bound,
    }
}

/// `*` stands for any text.
fn wildcard(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

fn within(block: &str, address: &str) -> Option<bool> {
    use std::net::IpAddr;
    let (network, bits) = block.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    match (network.parse::<IpAddr>().ok()?, address.parse::<IpAddr>().ok()?) {
        (IpAddr::V4(a), IpAddr::V4(b)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Some(u32::from(a) & mask == u32::from(b) & mask)
        }
        (IpAddr::V6(a), IpAddr::V6(b)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            Some(u128::from(a) & mask == u128::from(b) & mask)
        }
        _ => Some(false),
    }
}
