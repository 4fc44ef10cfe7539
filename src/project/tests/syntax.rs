//! The file as YAML.

use std::path::Path;

use super::super::yaml;
use super::*;

#[test]
fn bombs_are_refused() {
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    let mut variables = "custom:\n  a0: [x, x, x, x, x, x, x, x, x, x]\n".to_string();
    let mut texts = format!("custom:\n  a0: {}\n", "x".repeat(100));
    for i in 1..10 {
        aliases += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 10].join(", "));
        variables += &format!("  a{i}: [{}]\n", vec![format!("\"${{self:custom.a{}}}\"", i - 1); 10].join(", "));
        texts += &format!("  a{i}: {}\n", format!("${{self:custom.a{}}}", i - 1).repeat(10));
    }
    let chain: String = (0..5_000).map(|i| format!("  a{i}: {{ x: \"${{self:custom.a{}}}\" }}\n", i + 1)).collect();
    for (yaml, expected) in [
        (aliases, "too large once its aliases are expanded"),
        (variables, "variables make too much"),
        (texts, "variables make too much"),
        (format!("custom:\n{chain}"), "variables make too much"),
        (format!("custom: {}{}", "[".repeat(200), "]".repeat(200)), "nested too deeply"),
        (format!("custom: {}{}", "[".repeat(5_000), "]".repeat(5_000)), "not valid YAML: "),
        (format!("custom: \"{}\"", "${self:".repeat(5_000)), "variables are nested too deeply"),
    ] {
        let shown = problems(&[("serverless.yaml", &format!("{HEAD}{yaml}"))]);
        assert!(shown.contains(expected), "{expected}: {}", shown.chars().take(500).collect::<String>());
    }
}

#[test]
fn scalars_are_typed_as_yaml_1_2_says() {
    let check = |text: &str, expected: &str| {
        let node = yaml::parse(Path::new("x.yml"), &format!("a: {text}\n")).expect("valid YAML");
        assert_eq!(node.get("a").map_or("null".to_string(), |n| format!("{:?}", n.value)), expected, "{text}");
    };
    check("1", "Int(1)");
    check("0x1F", "Int(31)");
    check("0o17", "Int(15)");
    check("1.50", "Float(1.5)");
    check("-1e3", "Float(-1000.0)");
    check("yes", "Text(\"yes\")");
    check("True", "Bool(true)");
    check("'true'", "Text(\"true\")");
    check("!!str 1", "Text(\"1\")");
    check("~", "null");
    check("2012-10-17", "Text(\"2012-10-17\")");
    check("1.2.3", "Text(\"1.2.3\")");
    check("nan", "Text(\"nan\")");
    check("infinity", "Text(\"infinity\")");
    check("e5", "Text(\"e5\")");
    check("99999999999999999999", "Float(1e20)");
}

#[test]
fn anchors_and_merges_are_expanded() {
    let node = yaml::parse(Path::new("x.yml"), "a: &a { x: 1, y: 2 }\nb: { <<: *a, y: 3 }\nc: { <<: [{ z: 1 }, *a] }\nd: *a\n")
        .expect("valid YAML");
    assert_eq!(node.json().to_string(), r#"{"a":{"x":1,"y":2},"b":{"y":3,"x":1},"c":{"z":1,"x":1,"y":2},"d":{"x":1,"y":2}}"#);
    for (text, expected) in [
        ("a: &a [*a]", "this alias stands inside what it stands for"),
        ("a: *b", "not valid YAML"),
        ("a: b: c", "not valid YAML"),
        ("a:\n\t- b", "not valid YAML"),
        ("? [a]\n: b", "a key must be text"),
        ("a: 1\n---\nb: 2", "a second YAML document"),
        ("a: {<<: 1}", "`<<` takes a map"),
    ] {
        let problems = yaml::parse(Path::new("x.yml"), text).expect_err(text);
        assert!(problems[0].message.contains(expected), "{text}: {}", problems[0].message);
    }
}
