//! Event patterns, as event source mappings filter with: which records reach a function.
//! Source of the rules: the page "Comparison operators for use in event patterns" of the EventBridge user guide.

use std::net::IpAddr;

use serde_json::{Map, Value};

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq)]
pub struct Pattern(Object);

/// Why a pattern cannot be used: where in it, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event pattern is wrong at `{at}`: {what}")]
pub struct Wrong {
    pub at: String,
    pub what: String,
}

/// All of `fields` and, where there are alternatives, one of each group.
#[derive(Clone, Debug, Default, PartialEq)]
struct Object {
    fields: Vec<(String, Field)>,
    alternatives: Vec<Vec<Object>>,
}

#[derive(Clone, Debug, PartialEq)]
enum Field {
    Nested(Object),
    /// Any of these.
    Leaf(Vec<Test>),
}

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Equals(Value),
    Text(Text),
    AnythingBut(Vec<Test>),
    Numeric(Vec<(Order, f64)>),
    Exists(bool),
    Cidr(IpAddr, u8),
}

#[derive(Clone, Debug, PartialEq)]
enum Text {
    Prefix(String),
    PrefixIgnoreCase(String),
    Suffix(String),
    SuffixIgnoreCase(String),
    EqualsIgnoreCase(String),
    Wildcard(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
}

/// Nesting of a pattern: deeper ones are refused.
const DEPTH_MAX: usize = 32;

impl Pattern {
    /// Compiles a pattern from its JSON form.
    pub fn parse(json: &Value) -> Result<Pattern, Wrong> {
        match json {
            Value::Object(map) => object(map, "", 0).map(Pattern),
            _ => Err(wrong("", "a pattern is an object")),
        }
    }

    /// Whether an event is one that the pattern asks for.
    pub fn matches(&self, event: &Value) -> bool {
        object_matches(&self.0, event)
    }

    /// Whether the pattern asks for anything inside the field `name` (rather than for the field as a plain value).
    pub fn nests(&self, name: &str) -> bool {
        self.0.fields.iter().any(|(field, inner)| field == name && matches!(inner, Field::Nested(_)))
    }
}

fn wrong(at: &str, what: impl Into<String>) -> Wrong {
    Wrong { at: if at.is_empty() { ".".to_owned() } else { at.to_owned() }, what: what.into() }
}

fn object(map: &Map<String, Value>, at: &str, depth: usize) -> Result<Object, Wrong> {
    if depth > DEPTH_MAX {
        return Err(wrong(at, format!("it is nested deeper than {DEPTH_MAX} levels")));
    }
    if map.is_empty() {
        return Err(wrong(at, "an empty object matches nothing; name at least one field"));
    }
    let mut made = Object::default();
    for (name, value) in map {
        let here = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
        match (name.as_str(), value) {
            ("$or", Value::Array(parts)) if parts.len() >= 2 && parts.iter().all(Value::is_object) => {
                let parts = parts.iter().filter_map(Value::as_object).map(|part| object(part, &here, depth + 1));
                made.alternatives.push(parts.collect::<Result<_, _>>()?);
            }
            (_, Value::Object(inner)) => made.fields.push((name.clone(), Field::Nested(object(inner, &here, depth + 1)?))),
            (_, Value::Array(tests)) if tests.is_empty() => return Err(wrong(&here, "an empty list matches nothing")),
            (_, Value::Array(tests)) => {
                let tests = tests.iter().map(|t| test(t, &here)).collect::<Result<_, _>>()?;
                made.fields.push((name.clone(), Field::Leaf(tests)));
            }
            _ => return Err(wrong(&here, format!("`{value}` must be in a list: [{value}]"))),
        }
    }
    Ok(made)
}

fn test(json: &Value, at: &str) -> Result<Test, Wrong> {
    let Value::Object(map) = json else {
        return match json {
            Value::Array(_) => Err(wrong(at, "a list inside a list")),
            plain => Ok(Test::Equals(plain.clone())),
        };
    };
    let (Some((operator, operand)), 1) = (map.iter().next(), map.len()) else {
        return Err(wrong(at, "one comparison is one key, e.g. {\"prefix\": \"a\"}"));
    };
    match operator.as_str() {
        "anything-but" => Ok(Test::AnythingBut(anything_but(operand, at)?)),
        "numeric" => Ok(Test::Numeric(numeric(operand, at)?)),
        "exists" => operand.as_bool().map(Test::Exists).ok_or_else(|| wrong(at, "`exists` takes true or false")),
        "cidr" => cidr(operand, at),
        _ => text(operator, operand, at).map(Test::Text),
    }
}

fn text(operator: &str, operand: &Value, at: &str) -> Result<Text, Wrong> {
    let ignoring_case = operand.as_object().filter(|o| o.len() == 1).and_then(|o| o.get("equals-ignore-case")).and_then(Value::as_str);
    match (operator, operand.as_str(), ignoring_case) {
        ("prefix", Some(part), _) => Ok(Text::Prefix(part.to_owned())),
        ("prefix", _, Some(part)) => Ok(Text::PrefixIgnoreCase(part.to_lowercase())),
        ("suffix", Some(part), _) => Ok(Text::Suffix(part.to_owned())),
        ("suffix", _, Some(part)) => Ok(Text::SuffixIgnoreCase(part.to_lowercase())),
        ("equals-ignore-case", Some(whole), _) => Ok(Text::EqualsIgnoreCase(whole.to_lowercase())),
        ("wildcard", Some(glob), _) => wildcard(glob, at),
        ("prefix" | "suffix" | "equals-ignore-case" | "wildcard", ..) => Err(wrong(at, format!("`{operator}` takes a text"))),
        _ => Err(wrong(at, format!("unknown comparison `{operator}`"))),
    }
}

/// Cuts a wildcard pattern at its stars; `\*` and `\\` stand for themselves.
fn wildcard(glob: &str, at: &str) -> Result<Text, Wrong> {
    let mut parts = vec![String::new()];
    let mut chars = glob.chars();
    let mut starred = false;
    while let Some(c) = chars.next() {
        match c {
            '*' if starred => return Err(wrong(at, "two stars side by side in a wildcard")),
            '*' => parts.push(String::new()),
            '\\' => match chars.next() {
                Some(escaped @ ('*' | '\\')) => push(&mut parts, escaped),
                _ => return Err(wrong(at, "a backslash in a wildcard is followed by `*` or `\\`")),
            },
            plain => push(&mut parts, plain),
        }
        starred = c == '*';
    }
    Ok(Text::Wildcard(parts))
}

fn push(parts: &mut [String], c: char) {
    if let Some(last) = parts.last_mut() {
        last.push(c);
    }
}

fn anything_but(operand: &Value, at: &str) -> Result<Vec<Test>, Wrong> {
    let plain = |value: &Value| match value {
        Value::String(_) | Value::Number(_) => Ok(Test::Equals(value.clone())),
        _ => Err(wrong(at, "`anything-but` takes texts, numbers, or one comparison of texts")),
    };
    match operand {
        Value::Array(values) if !values.is_empty() => values.iter().map(plain).collect(),
        Value::Object(map) if map.len() == 1 => {
            let (operator, operand) = map.iter().next().ok_or_else(|| wrong(at, "an empty `anything-but`"))?;
            let operands = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
            operands.iter().map(|one| text(operator, one, at).map(Test::Text)).collect()
        }
        other => plain(other).map(|test| vec![test]),
    }
}

fn numeric(operand: &Value, at: &str) -> Result<Vec<(Order, f64)>, Wrong> {
    let usage = || wrong(at, "`numeric` takes one or two pairs of an operator (= < <= > >=) and a number, e.g. [\">\", 0, \"<=\", 5]");
    let parts = operand.as_array().filter(|parts| parts.len() == 2 || parts.len() == 4).ok_or_else(usage)?;
    parts
        .chunks(2)
        .map(|pair| {
            let [operator, number] = pair else { return Err(usage()) };
            let order = match operator.as_str() {
                Some("<") => Order::Less,
                Some("<=") => Order::LessOrEqual,
                Some("=") => Order::Equal,
                Some(">=") => Order::GreaterOrEqual,
                Some(">") => Order::Greater,
                _ => return Err(usage()),
            };
            Ok((order, number.as_f64().ok_or_else(usage)?))
        })
        .collect()
}

fn cidr(operand: &Value, at: &str) -> Result<Test, Wrong> {
    let parsed = operand.as_str().and_then(|text| text.split_once('/')).and_then(|(address, bits)| {
        let (address, bits): (IpAddr, u8) = (address.parse().ok()?, bits.parse().ok()?);
        (bits <= if address.is_ipv4() { 32 } else { 128 }).then_some((address, bits))
    });
    parsed.map(|(address, bits)| Test::Cidr(address, bits)).ok_or_else(|| wrong(at, "`cidr` takes a network, e.g. \"10.0.0.0/24\""))
}

fn object_matches(pattern: &Object, event: &Value) -> bool {
    match event {
        Value::Object(map) => {
            pattern.fields.iter().all(|(name, field)| field_matches(field, map.get(name)))
                && pattern.alternatives.iter().all(|group| group.iter().any(|part| object_matches(part, event)))
        }
        Value::Array(elements) => elements.iter().any(|element| object_matches(pattern, element)),
        _ => false,
    }
}

fn field_matches(field: &Field, value: Option<&Value>) -> bool {
    match (field, value) {
        (Field::Nested(inner), Some(value)) => object_matches(inner, value),
        // Absence inside what is absent: only `exists: false` can be met there.
        (Field::Nested(inner), None) => object_matches(inner, &Value::Object(Map::new())),
        (Field::Leaf(tests), value) => tests.iter().any(|test| test_matches(test, value)),
    }
}

fn test_matches(test: &Test, value: Option<&Value>) -> bool {
    match (test, value) {
        (Test::Exists(wanted), value) => *wanted == value.is_some_and(|v| !v.is_object()),
        (_, None) => false,
        (Test::AnythingBut(tests), Some(Value::Array(elements))) => elements.iter().any(|e| anything_but_matches(tests, e)),
        (Test::AnythingBut(tests), Some(value)) => anything_but_matches(tests, value),
        (test, Some(Value::Array(elements))) => elements.iter().any(|element| scalar_matches(test, element)),
        (test, Some(value)) => scalar_matches(test, value),
    }
}

fn anything_but_matches(tests: &[Test], value: &Value) -> bool {
    !value.is_object() && !tests.iter().any(|test| scalar_matches(test, value))
}

fn scalar_matches(test: &Test, value: &Value) -> bool {
    match (test, value) {
        (Test::Equals(Value::Number(wanted)), Value::Number(got)) => wanted == got || wanted.as_f64() == got.as_f64(),
        (Test::Equals(wanted), got) => wanted == got,
        (Test::Text(test), Value::String(got)) => text_matches(test, got),
        (Test::Numeric(pairs), Value::Number(got)) => got.as_f64().is_some_and(|got| pairs.iter().all(|pair| in_order(*pair, got))),
        (Test::Cidr(network, bits), Value::String(got)) => got.parse().is_ok_and(|got| in_network(*network, *bits, got)),
        _ => false,
    }
}

fn text_matches(test: &Text, got: &str) -> bool {
    match test {
        Text::Prefix(part) => got.starts_with(part.as_str()),
        Text::PrefixIgnoreCase(part) => got.to_lowercase().starts_with(part.as_str()),
        Text::Suffix(part) => got.ends_with(part.as_str()),
        Text::SuffixIgnoreCase(part) => got.to_lowercase().ends_with(part.as_str()),
        Text::EqualsIgnoreCase(whole) => got.to_lowercase() == *whole,
        Text::Wildcard(parts) => wildcard_matches(parts, got),
    }
}

/// The first part at the start, the last at the end, the others between them in order, each as early as it can be.
fn wildcard_matches(parts: &[String], got: &str) -> bool {
    let (Some((first, rest)), Some(mut left)) = (parts.split_first(), parts.first().and_then(|first| got.strip_prefix(first.as_str())))
    else {
        return false;
    };
    let Some((last, middle)) = rest.split_last() else { return got == first };
    for part in middle {
        match left.find(part.as_str()) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last.as_str())
}

fn in_order((order, wanted): (Order, f64), got: f64) -> bool {
    match order {
        Order::Less => got < wanted,
        Order::LessOrEqual => got <= wanted,
        Order::Equal => got == wanted,
        Order::GreaterOrEqual => got >= wanted,
        Order::Greater => got > wanted,
    }
}

fn in_network(network: IpAddr, bits: u8, got: IpAddr) -> bool {
    match (network, got) {
        (IpAddr::V4(a), IpAddr::V4(b)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0);
            a.to_bits() & mask == b.to_bits() & mask
        }
        (IpAddr::V6(a), IpAddr::V6(b)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0);
            a.to_bits() & mask == b.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(pattern: &Value, rows: &[(Value, bool)]) {
        let compiled = Pattern::parse(pattern).expect("the pattern is right");
        for (event, wanted) in rows {
            assert_eq!(compiled.matches(event), *wanted, "{pattern} on {event}");
        }
    }

    #[test]
    fn plain_values_are_compared_by_type_and_value() {
        check(
            &json!({"a": ["x", 5, true, null]}),
            &[
                (json!({"a": "x"}), true),
                (json!({"a": "X"}), false),
                (json!({"a": 5.0}), true),
                (json!({"a": "5"}), false),
                (json!({"a": true}), true),
                (json!({"a": null}), true),
                (json!({}), false),
                (json!({"a": ["q", "x"]}), true),
                (json!({"a": []}), false),
            ],
        );
    }

    #[test]
    fn every_field_must_match_and_lists_of_objects_match_by_one_element() {
        check(
            &json!({"d": {"a": [1], "b": [2]}}),
            &[
                (json!({"d": {"a": 1, "b": 2, "c": 3}}), true),
                (json!({"d": {"a": 1}}), false),
                (json!({"d": [{"a": 1, "b": 3}, {"a": 1, "b": 2}]}), true),
                (json!({"d": [{"a": 1}, {"b": 2}]}), false),
                (json!({"d": "text"}), false),
            ],
        );
    }

    #[test]
    fn texts() {
        check(&json!({"a": [{"prefix": "im"}]}), &[(json!({"a": "img"}), true), (json!({"a": "Img"}), false), (json!({"a": 1}), false)]);
        check(&json!({"a": [{"prefix": {"equals-ignore-case": "IM"}}]}), &[(json!({"a": "imG"}), true), (json!({"a": "mi"}), false)]);
        check(&json!({"a": [{"suffix": ".png"}]}), &[(json!({"a": "x.png"}), true), (json!({"a": "x.PNG"}), false)]);
        check(&json!({"a": [{"suffix": {"equals-ignore-case": ".Png"}}]}), &[(json!({"a": "x.PNG"}), true)]);
        check(&json!({"a": [{"equals-ignore-case": "aBc"}]}), &[(json!({"a": "AbC"}), true), (json!({"a": "ab"}), false)]);
    }

    #[test]
    fn wildcards() {
        let rows = [
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("a*c", "abcd", false),
            ("aba*aba", "aba", false),
            ("*/x/*.png", "a/x/y/x/z.png", true),
            ("*/x/*.png", "a/y/z.png", false),
            (r"a\*b", "a*b", true),
            (r"a\*b", "axb", false),
            ("plain", "plain", true),
            ("plain", "plainer", false),
        ];
        for (glob, text, wanted) in rows {
            check(&json!({"a": [{"wildcard": glob}]}), &[(json!({"a": text}), wanted)]);
        }
    }

    #[test]
    fn anything_but_needs_the_field_to_be_there() {
        check(
            &json!({"a": [{"anything-but": ["x", 5]}]}),
            &[
                (json!({"a": "y"}), true),
                (json!({"a": "x"}), false),
                (json!({"a": 5}), false),
                (json!({}), false),
                (json!({"a": ["x", "y"]}), true),
            ],
        );
        check(&json!({"a": [{"anything-but": "x"}]}), &[(json!({"a": "x"}), false), (json!({"a": true}), true)]);
        check(&json!({"a": [{"anything-but": {"prefix": "x"}}]}), &[(json!({"a": "xy"}), false), (json!({"a": "yx"}), true)]);
        check(&json!({"a": [{"anything-but": {"suffix": ["x", "z"]}}]}), &[(json!({"a": "yz"}), false), (json!({"a": "xy"}), true)]);
        check(&json!({"a": [{"anything-but": {"wildcard": "*/lib/*"}}]}), &[(json!({"a": "a/lib/b"}), false), (json!({"a": "a/b"}), true)]);
        check(&json!({"a": [{"anything-but": {"equals-ignore-case": "x"}}]}), &[(json!({"a": "X"}), false), (json!({"a": "Y"}), true)]);
    }

    #[test]
    fn numbers() {
        let rows = [
            (json!([">", 0, "<=", 5]), 5.0, true),
            (json!([">", 0, "<=", 5]), 0.0, false),
            (json!(["=", 3.0]), 3.0, true),
            (json!(["<", 0]), -0.5, true),
            (json!([">=", 1]), 0.99, false),
        ];
        for (operand, number, wanted) in rows {
            check(&json!({"n": [{"numeric": operand}]}), &[(json!({"n": number}), wanted), (json!({"n": number.to_string()}), false)]);
        }
    }

    #[test]
    fn existence_networks_and_alternatives() {
        check(&json!({"a": [{"exists": true}]}), &[(json!({"a": null}), true), (json!({}), false), (json!({"a": {"b": 1}}), false)]);
        check(&json!({"a": [{"exists": false}]}), &[(json!({"a": 1}), false), (json!({"b": 1}), true)]);
        check(
            &json!({"a": {"b": [{"exists": false}]}}),
            &[(json!({"a": {"c": 1}}), true), (json!({}), true), (json!({"a": {"b": 1}}), false)],
        );
        check(&json!({"ip": [{"cidr": "10.0.0.0/24"}]}), &[(json!({"ip": "10.0.0.255"}), true), (json!({"ip": "10.0.1.1"}), false)]);
        check(&json!({"ip": [{"cidr": "0.0.0.0/0"}]}), &[(json!({"ip": "9.9.9.9"}), true), (json!({"ip": "::1"}), false)]);
        check(
            &json!({"s": ["x"], "$or": [{"a": [1]}, {"b": [{"numeric": [">", 3]}]}]}),
            &[
                (json!({"s": "x", "b": 4}), true),
                (json!({"s": "x", "a": 1}), true),
                (json!({"s": "x"}), false),
                (json!({"s": "y", "a": 1}), false),
            ],
        );
    }

    #[test]
    fn wrong_patterns_say_where() {
        for (pattern, wanted) in [
            (json!([]), "the event pattern is wrong at `.`: a pattern is an object"),
            (json!({"a": {"b": "x"}}), "the event pattern is wrong at `a.b`: `\"x\"` must be in a list: [\"x\"]"),
            (json!({"a": [{"prefx": "x"}]}), "the event pattern is wrong at `a`: unknown comparison `prefx`"),
            (json!({"a": []}), "the event pattern is wrong at `a`: an empty list matches nothing"),
            (json!({"a": [{"numeric": [">", "0"]}]}), "the event pattern is wrong at `a`: `numeric` takes one or two pairs"),
            (json!({"a": [{"wildcard": "a**b"}]}), "the event pattern is wrong at `a`: two stars side by side in a wildcard"),
            (json!({"a": [{"exists": 1}]}), "the event pattern is wrong at `a`: `exists` takes true or false"),
        ] {
            let error = Pattern::parse(&pattern).expect_err("the pattern is wrong").to_string();
            assert!(error.starts_with(wanted), "{pattern}: {error}");
        }
    }

    proptest! {
        #[test]
        fn a_wildcard_finds_what_was_put_between_its_parts(parts in proptest::collection::vec("[a-c]{0,3}", 2..5), fill in "[a-d]{0,4}") {
            let text = parts.join(&fill);
            prop_assert!(wildcard_matches(&parts, &text));
        }

        #[test]
        fn no_pattern_or_event_breaks_the_matcher(text in "\\PC{0,40}", glob in "[a*\\\\]{0,12}") {
            if let Ok(pattern) = Pattern::parse(&json!({"a": [{"wildcard": glob}]})) {
                pattern.matches(&json!({"a": text}));
            }
        }
    }
}
