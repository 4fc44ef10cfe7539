//! `serverless.yaml.example`.

use std::path::Path;

use super::super::keys::{self, Shape, Support};
use super::super::yaml::{self, Node, Value};
use super::*;

const EXAMPLE: &str = include_str!("../../../serverless.yaml.example");

#[test]
fn the_example_has_no_problems() {
    let files = [("serverless.yaml", EXAMPLE), ("src/orders.ts", ""), ("src/worker.ts", ""), ("settings.yml", "limits: { orders: 50 }\n")];
    let loaded = load_files(&files).unwrap_or_else(|shown| panic!("{shown}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.project.functions.len(), 3);
    assert!(!loaded.project.resources.queues.iter().any(|q| q.logical_id == "Audit"), "its condition does not hold");
}

#[test]
fn the_example_shows_every_key() {
    let node = yaml::parse(Path::new("serverless.yaml.example"), EXAMPLE).expect("valid YAML");
    let mut missing = Vec::new();
    shown(&[&node], &keys::FILE, "", &mut missing);
    assert_eq!(missing, Vec::<String>::new());
}

/// Notes which keys of `shape` none of `nodes` has.
fn shown(nodes: &[&Node], shape: &Shape, path: &str, missing: &mut Vec<String>) {
    let maps: Vec<&Node> = nodes.iter().copied().filter(|n| matches!(n.value, Value::Map(_))).collect();
    match shape {
        Shape::Map(keys) | Shape::OneKey(keys) => {
            for key in keys.iter().filter(|k| k.support == Support::Full) {
                let path = format!("{path}.{}", key.name);
                let found: Vec<&Node> = maps.iter().filter_map(|n| n.get(key.name)).collect();
                if found.is_empty() {
                    missing.push(path);
                } else {
                    shown(&found, key.shape, &path, missing);
                }
            }
        }
        Shape::MapOf(inner) => {
            let found: Vec<&Node> = maps.iter().flat_map(|n| n.entries()).map(|e| &e.value).collect();
            shown(&found, inner, path, missing);
        }
        Shape::ListOf(inner) | Shape::OneOrMore(inner) => {
            let found: Vec<&Node> = nodes.iter().flat_map(|n| n.items()).collect();
            // The functions and resources of the example are maps: the list form repeats the same keys.
            if !found.is_empty() {
                shown(&found, inner, path, missing);
            }
        }
        Shape::Either(shapes) => shapes.iter().for_each(|s| shown(nodes, s, path, missing)),
        Shape::Any | Shape::Text | Shape::Bool | Shape::Int(..) | Shape::Choice(_) => {}
    }
}
