//! The schema against the table it is made of, against the check, and against real files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::super::check::Check;
use super::super::keys::{FILE, Key, Shape, Support};
use super::super::yaml;
use super::schema;

const HEAD: &str = "service: s\nprovider: { name: aws }\n";

/// Judges by the keywords that the schema uses; one that it does not know is a failure of the test.
struct Validator {
    schema: Json,
}

impl Validator {
    fn new() -> Validator {
        Validator { schema: schema() }
    }

    /// What is wrong with a file's text.
    fn problem(&self, text: &str) -> Option<String> {
        let node = yaml::parse(Path::new("serverless.yaml"), text).unwrap_or_else(|problems| panic!("{problems:?}"));
        self.judge(&self.schema, &node.json(), "").err()
    }

    fn judge(&self, schema: &Json, value: &Json, at: &str) -> Result<(), String> {
        for (keyword, wanted) in schema.as_object().expect("a schema is an object") {
            let fits = match keyword.as_str() {
                "$schema" | "title" | "description" | "definitions" | "patternProperties" | "properties" => true,
                "$ref" => {
                    let name = wanted.as_str().and_then(|target| target.strip_prefix("#/definitions/")).expect("a definition");
                    self.judge(self.schema["definitions"].get(name).expect("it is defined"), value, at)?;
                    true
                }
                "anyOf" => {
                    let forms = wanted.as_array().expect("a list");
                    let problems: Vec<String> = forms.iter().filter_map(|form| self.judge(form, value, at).err()).collect();
                    if problems.len() == forms.len() {
                        return Err(problems.join("; "));
                    }
                    true
                }
                "type" => wanted.as_str().into_iter().chain(wanted.as_array().into_iter().flatten().filter_map(Json::as_str)).any(|kind| {
                    match kind {
                        "object" => value.is_object(),
                        "array" => value.is_array(),
                        "string" => value.is_string(),
                        "boolean" => value.is_boolean(),
                        "null" => value.is_null(),
                        "number" => value.is_number(),
                        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
                        other => panic!("there is no type `{other}`"),
                    }
                }),
                "enum" => wanted
                    .as_array()
                    .expect("a list")
                    .iter()
                    .any(|one| one == value || one.as_f64().is_some_and(|one| Some(one) == value.as_f64())),
                "minimum" => value.as_f64() >= wanted.as_f64(),
                "maximum" => value.as_f64() <= wanted.as_f64(),
                "minProperties" => value.as_object().is_some_and(|map| map.len() as u64 >= wanted.as_u64().expect("a number")),
                "maxProperties" => value.as_object().is_some_and(|map| map.len() as u64 <= wanted.as_u64().expect("a number")),
                "pattern" => value.as_str().is_some_and(|text| fits(wanted, text)),
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.judge(wanted, item, &format!("{at}[{index}]"))?;
                    }
                    true
                }
                "additionalProperties" => {
                    for (name, inner) in value.as_object().into_iter().flatten() {
                        let at = format!("{at}.{name}");
                        let by_pattern =
                            schema["patternProperties"].as_object().into_iter().flatten().find(|(pattern, _)| fits(&json!(pattern), name));
                        match (schema["properties"].get(name), by_pattern, wanted) {
                            (Some(property), ..) => self.judge(property, inner, &at)?,
                            (None, Some((_, property)), _) => self.judge(property, inner, &at)?,
                            (None, None, Json::Bool(false)) => return Err(format!("{at} is unknown")),
                            (None, None, other) => self.judge(other, inner, &at)?,
                        }
                    }
                    true
                }
                other => panic!("the schema uses `{other}`, which nobody judges by"),
            };
            if !fits {
                return Err(format!("{at}: {value} is not of {keyword} {wanted}"));
            }
        }
        Ok(())
    }
}

/// Whether a text fits a pattern.
fn fits(pattern: &Json, text: &str) -> bool {
    regex::Regex::new(pattern.as_str().expect("a pattern")).expect("a regular expression").is_match(text)
}

/// What the file's own check says, of a text without variables.
fn check_says_wrong(text: &str) -> bool {
    let node = yaml::parse(Path::new("serverless.yaml"), text).expect("it is YAML");
    let mut check = Check::default();
    check.value(&node, &FILE, "");
    !check.problems.is_empty()
}

/// Every path that the table accepts, with what is told of it.
fn accepted(shape: &Shape, path: &str, into: &mut BTreeSet<(String, String)>) {
    let mut keys = |keys: &[Key]| {
        for key in keys {
            let path = format!("{path}.{}", key.name);
            into.insert((path.clone(), key.about.to_owned()));
            if key.support == Support::Full {
                accepted(key.shape, &path, into);
            }
        }
    };
    match shape {
        Shape::Map(known) | Shape::OneKey(known) => keys(known),
        Shape::MapOf(inner) => accepted(inner, &format!("{path}.*"), into),
        Shape::ListOf(inner) | Shape::OneOrMore(inner) => accepted(inner, &format!("{path}[]"), into),
        Shape::Either(shapes) => shapes.iter().for_each(|shape| accepted(shape, path, into)),
        Shape::Any | Shape::Text | Shape::Bool | Shape::Int(..) | Shape::Choice(_) => {}
    }
}

/// Every path that the schema has a property for, with its description.
fn described(root: &Json, at: &Json, path: &str, into: &mut BTreeSet<(String, String)>) {
    if let Some(name) = at["$ref"].as_str().and_then(|target| target.strip_prefix("#/definitions/")) {
        return described(root, &root["definitions"][name], path, into);
    }
    for (name, property) in at["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        into.insert((path.clone(), property["description"].as_str().unwrap_or_default().to_owned()));
        described(root, property, &path, into);
    }
    for form in at["anyOf"].as_array().into_iter().flatten() {
        described(root, form, path, into);
    }
    if at["additionalProperties"].is_object() {
        described(root, &at["additionalProperties"], &format!("{path}.*"), into);
    }
    if at["items"].is_object() {
        described(root, &at["items"], &format!("{path}[]"), into);
    }
}

#[test]
fn the_schema_has_every_key_that_is_accepted_and_no_other_each_described() {
    let (mut table, mut written) = (BTreeSet::new(), BTreeSet::new());
    accepted(&FILE, "", &mut table);
    let schema = schema();
    described(&schema, &schema, "", &mut written);
    let paths = |of: &BTreeSet<(String, String)>| of.iter().map(|(path, _)| path.clone()).collect::<BTreeSet<_>>();
    assert_eq!(paths(&written), paths(&table));
    assert!(table.len() > 200, "{}", table.len());
    for (path, about) in &table {
        assert!(about.ends_with('.') && about.len() > 8, "`{path}` is not described: {about:?}");
        assert!(written.iter().any(|(other, text)| other == path && text.starts_with(about)), "{path}");
    }
}

#[test]
fn every_project_file_here_fits_the_schema() {
    let validator = Validator::new();
    let mut files = vec![PathBuf::from("serverless.yaml.example")];
    for folder in ["fixtures", "templates"] {
        let projects = std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
        files.extend(projects.map(|project| project.join("serverless.yaml")).filter(|file| file.is_file()));
    }
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("it is text");
        assert_eq!(validator.problem(&text), None, "{}", file.display());
    }
}

#[test]
fn the_schema_and_the_check_are_of_one_mind() {
    let validator = Validator::new();
    let rows = [
        ("functions: { a: { handler: a.h } }", true),
        ("functions: [{ a: { handler: a.h } }, { b: { handler: b.h, memorySize: '512' } }]", true),
        ("functions: { a: { handler: a.h, memorySize: 64 } }", false),
        ("functions: { a: { handler: a.h, timeout: 5m } }", false),
        ("functions: { a: { handler: a.h, tiemout: 5 } }", false),
        ("functions: { a: { handler: a.h, events: [{ httpApi: GET / }, { httpApi: '*' }] } }", true),
        ("functions: { a: { handler: a.h, events: [{ http: { method: get, path: x, cors: true } }] } }", true),
        ("functions: { a: { handler: a.h, events: [{ http: { method: gets, path: x } }] } }", false),
        ("functions: { a: { handler: a.h, events: [{ htpApi: GET / }] } }", false),
        ("functions: { a: { handler: a.h, events: [{ httpApi: GET /, sqs: x }] } }", false),
        ("functions: { a: { handler: a.h, events: [{ sqs: !GetAtt Q.Arn }, alexaSkill, { kafka: { any: thing } }] } }", true),
        ("functions: { a: { handler: a.h, events: [sqs] } }", false),
        ("functions: { a: { handler: [a.h] } }", false),
        ("functions: { a: { handler: a.h, environment: { A: !Ref B, C: 1, D: true, E: null } } }", true),
        ("functions: { a: { handler: a.h, onError: !GetAtt Q.Arn, layers: [x], vpc: { y: z } } }", true),
        ("functions:", true),
        ("resources: { Resources: { T: { Type: AWS::DynamoDB::Table, Properties: { a: [1] }, DeletionPolicy: Retain } } }", true),
        ("resources: [{ Resources: {} }, { Outputs: { any: thing } }]", true),
        ("resources: { Resourcez: {} }", false),
        ("x-mine: { any: [thing] }", true),
        ("y-mine: {}", false),
        ("custom: [1, { a: b }]", true),
        ("useDotenv: 'true'", true),
        ("useDotenv: yes please", false),
        ("emu: { sandbox: { isolation: Warm, allow: example.com }, ports: { http: 0 } }", true),
        ("emu: { sandbox: { isolation: hot } }", false),
        ("emu: { ports: { http: 65536 } }", false),
        ("emu: { retry: { delaysMs: [1, '2'] } }", true),
        ("emu: { retry: { delaysMs: [-1] } }", false),
    ];
    for (yaml, right) in rows {
        let text = format!("{HEAD}{yaml}\n");
        assert_eq!(!check_says_wrong(&text), right, "the check: {yaml}");
        let problem = validator.problem(&text);
        assert_eq!(problem.is_none(), right, "the schema: {yaml}: {problem:?}");
    }
    for payload in ["2.0", "'2.0'", "1.0"] {
        let text = format!("service: s\nprovider: {{ name: aws, httpApi: {{ payload: {payload} }} }}\n");
        assert_eq!((validator.problem(&text), check_says_wrong(&text)), (None, false), "{payload}");
    }
}

#[test]
fn variables_may_stand_anywhere_before_they_are_resolved() {
    let text = "service: ${file(a.yml):name}
provider: ${file(provider.yml)}
functions:
  a: ${file(a.yml)}
  b: { handler: b.h, timeout: '${self:custom.timeout, 5}', events: ['${self:custom.event}', { httpApi: '${self:custom.route}' }] }
resources: ['${file(tables.yml)}']
emu: { ports: { http: '${env:PORT}' } }
";
    assert_eq!(Validator::new().problem(text), None);
}

#[test]
fn a_map_that_is_used_in_several_places_is_written_once() {
    let schema = schema();
    let handlers = schema.to_string().matches(r#""handler":{"#).count();
    assert_eq!(handlers, 1, "a function's keys");
    assert_eq!(
        schema["definitions"]["functions"]["properties"]["timeout"]["anyOf"][0],
        json!({ "type": "integer", "minimum": 1, "maximum": 900 })
    );
}
