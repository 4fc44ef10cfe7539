//! Pipelines: what is refused and bounded, what transactions see, and what indexes may narrow.

mod tables;

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::super::pipeline::{Explain, Expr, Format, Options, Output, Pipeline, Ran, Stage};
use super::*;

/// An expression in short: `"@a.b"` is a field, `"?x"` a variable, `["$name", …]` a call, `{"pipeline": […]}` a pipeline.
fn expr(json: &Json) -> Expr {
    match json {
        Json::String(text) if text.starts_with('@') => Expr::Field(field(&text[1..])),
        Json::String(text) if text.starts_with('?') => Expr::Variable(text[1..].to_owned()),
        Json::String(text) if text.starts_with('#') => Expr::Constant(Value::Reference(database().full(&text[1..]))),
        Json::Array(parts) => match parts.split_first() {
            Some((Json::String(name), args)) if name.starts_with('$') => {
                Expr::Call { name: name[1..].to_owned(), args: args.iter().map(expr).collect() }
            }
            _ => match value_of(json) {
                Some(value) => Expr::Constant(value),
                None => Expr::Array(parts.iter().map(expr).collect()),
            },
        },
        Json::Object(map) if map.contains_key("pipeline") => Expr::Pipeline(pipeline(&map["pipeline"])),
        Json::Object(map) => match value_of(json) {
            Some(value) => Expr::Constant(value),
            None => Expr::Map(map.iter().map(|(name, json)| (name.clone(), expr(json))).collect()),
        },
        other => Expr::Constant(value(other)),
    }
}

/// A value that has no expressions in it.
fn value_of(json: &Json) -> Option<Value> {
    fn is_plain(json: &Json) -> bool {
        match json {
            Json::String(text) => !text.starts_with(['@', '?', '$', '#']),
            Json::Array(members) => members.iter().all(is_plain),
            Json::Object(map) => !map.contains_key("pipeline") && map.values().all(is_plain),
            _ => true,
        }
    }
    is_plain(json).then(|| value(json))
}

/// Stages in short: `["where", …]`; a map after `"options"` at the end is the options.
fn pipeline(json: &Json) -> Pipeline {
    let stage = |json: &Json| {
        let parts = json.as_array().expect("a stage");
        let name = parts[0].as_str().expect("a name").to_owned();
        let (args, options) = match parts.iter().position(|part| part == "options") {
            Some(at) => (&parts[1..at], parts[at + 1].as_object().cloned().unwrap_or_default()),
            None => (&parts[1..], serde_json::Map::new()),
        };
        let options = options.iter().map(|(name, json)| (name.clone(), expr(json))).collect();
        Stage { name, args: args.iter().map(expr).collect(), options }
    };
    Pipeline { stages: json.as_array().expect("stages").iter().map(stage).collect() }
}

impl World {
    async fn ran(&self, stages: &Json, options: Options, view: &View) -> Result<Ran, Error> {
        self.documents.pipeline(&self.call, &database(), &pipeline(stages), options, view).await
    }

    async fn outputs(&self, stages: &Json) -> Result<Vec<Output>, String> {
        self.ran(stages, Options::default(), &View::Latest).await.map(|ran| ran.outputs).map_err(|error| error.to_string())
    }

    /// The identifiers of the documents that come out.
    async fn ids(&self, stages: Json) -> String {
        let outputs = self.outputs(&stages).await.unwrap_or_else(|error| panic!("{stages}: {error}"));
        let id = |output: Output| Name::parse(&output.name.expect("a name")).expect("a name").id().to_owned();
        outputs.into_iter().map(id).collect::<Vec<_>>().join(" ")
    }
}

/// Ends a pipeline that the rows begin with a collection.
fn of(collection: &str, stages: Json) -> Json {
    let mut all = vec![json!(["collection", format!("#{collection}")])];
    all.extend(stages.as_array().expect("stages").iter().cloned());
    Json::Array(all)
}

async fn plants() -> World {
    let world = world();
    let documents = [
        ("a", json!({"n": 1, "kind": "x", "list": [1, 2], "m": {"k": 1}})),
        ("b", json!({"n": 2.0, "kind": "y", "list": [2, 3], "m": {"k": 2}})),
        ("c", json!({"n": 2, "kind": "x", "list": []})),
        ("d", json!({"n": "two", "kind": "x"})),
        ("e", json!({"n": null, "kind": "z", "list": [null]})),
        ("f", json!({"n": "NaN", "kind": "z"})),
        ("g", json!({"kind": "x"})),
    ];
    world.commit(documents.into_iter().map(|(id, json)| put(&format!("c/{id}"), json)).collect()).await.expect("documents");
    world
}

#[tokio::test]
async fn what_cannot_be_is_refused_before_anything_is_read() {
    let world = world();
    let check = async |stages: Json, wanted: &str| {
        let error = world.outputs(&stages).await.expect_err("no such pipeline");
        assert!(error.contains(wanted), "{stages}: {error}");
    };
    check(json!([]), "at least one stage").await;
    check(json!([["where", true]]), "cannot begin with the stage 'where': it cannot be the first one").await;
    check(json!([["colection", "#c"]]), "there is no such stage").await;
    check(json!([["collection", "#c"], ["collection", "#c"]]), "can only be the first one").await;
    check(json!([["collection", "#c/d"]]), "is the path of a document").await;
    check(json!([["collection", "#c"], ["limit"]]), "lacks an argument: limit").await;
    check(json!([["collection", "#c"], ["limit", 1, 2]]), "takes 1 arguments, and got 2").await;
    check(json!([["collection", "#c"], ["limit", 1.5]]), "Expected limit to be INTEGER_VALUE, but was DOUBLE_VALUE").await;
    check(json!([["collection", "#c"], ["where", ["$equals", 1, 1]]]), "There is no function 'equals'. Did you mean 'equal'?").await;
    check(json!([["collection", "#c"], ["where", ["$equal", 1]]]), "takes 2 arguments, and got 1").await;
    check(json!([["collection", "#c"], ["where", "?x"]]), "Unknown variable 'x'").await;
    check(json!([["collection", "#c"], ["aggregate", {"x": ["$average", "@n"], "y": "@n"}]]), "'y' of stage 'aggregate' is no function")
        .await;
    check(json!([["collection", "#c"], ["aggregate", {"x": ["$avg", "@n"]}]]), "no aggregate function 'avg'").await;
    check(json!([["documents", "#c/a", "#c/a"]]), "names a document twice").await;
    check(json!([["search", "x"]]), "no text index").await;
    check(json!([["subcollection", "c"]]), "within another one").await;
    // Variables end where documents do, and those of one pipeline are not those of another beside it.
    check(json!([["collection", "#c"], ["let", {"x": 1}], ["distinct", {"n": "@n"}], ["where", "?x"]]), "Unknown variable 'x'").await;
    check(
        json!([["collection", "#c"], ["let", {"x": 1}], ["union", {"pipeline": [["collection", "#c"], ["where", "?x"]]}]]),
        "Unknown variable 'x'",
    )
    .await;
    check(json!([["collection", "#c"], ["let", {"x": 1, "y": "?x"}]]), "Unknown variable 'x'").await;
    check(json!([["collection", "#c"], ["where", ["$array_filter", "@l", "x", true]], ["where", "?x"]]), "Unknown variable 'x'").await;
    // What changes documents comes last, and documents must still be the ones that they were.
    check(json!([["collection", "#c"], ["delete"], ["limit", 1]]), "must be the last one").await;
    check(json!([["collection", "#c"], ["distinct", {"n": "@n"}], ["update", {}]]), "must be the last one").await;
    check(
        json!([["collection", "#c"], ["select", {"x": ["$array", {"pipeline": [["collection", "#c"], ["delete"]]}]}]]),
        "must be the last one",
    )
    .await;
    let mut nested = json!([["collection", "#c"]]);
    for _ in 0..30 {
        nested = json!([["collection", "#c"], ["select", {"x": ["$array", {"pipeline": nested}]}]]);
    }
    check(nested, "20 deep").await;
}

#[tokio::test]
async fn pipelines_lie_as_deep_within_each_other_as_they_may() {
    let world = plants().await;
    let mut nested = json!([["collection", "#c"], ["limit", 1], ["select", {"x": "@n"}]]);
    for _ in 0..20 {
        nested = json!([["collection", "#c"], ["limit", 1], ["select", {"x": ["$array", {"pipeline": nested}]}]]);
    }
    let mut value = world.outputs(&nested).await.expect("a value").remove(0).fields.remove("x").expect("a field");
    let mut depth = 0;
    while let Value::Array(mut members) = value {
        value = members.remove(0);
        depth += 1;
    }
    assert_eq!((depth, value), (20, Value::Int(1)));
}

#[tokio::test]
async fn an_index_narrows_down_what_is_read() {
    let world = world();
    let many = (0..100).map(|n| put(&format!("c/{n:03}"), json!({"n": n, "kind": n % 10, "list": [n % 7]})));
    world.commit(many.collect()).await.expect("documents");
    let read = async |stages: Json| {
        let options = Options { explain: Explain::Run, format: Format::Json, memory: None };
        let ran = world.ran(&of("c", stages), options, &View::Latest).await.expect("a pipeline");
        let explained: Json = serde_json::from_str(&ran.explained.expect("an explanation")).expect("JSON");
        explained["execution"]["documentsRead"].as_u64().expect("a number")
    };
    assert_eq!(read(json!([["where", ["$equal", "@kind", 3]]])).await, 10);
    assert_eq!(read(json!([["where", ["$and", ["$equal", "@kind", 3], ["$greater_than", ["$abs", "@n"], 50]]]])).await, 10);
    assert_eq!(read(json!([["where", ["$greater_than", "@n", 89]]])).await, 10);
    assert_eq!(read(json!([["where", ["$equal_any", "@kind", [1, 2]]]])).await, 20);
    assert_eq!(read(json!([["where", ["$equal", "@kind", ["$add", 1, 2]]]])).await, 10);
    assert_eq!(read(json!([["limit", 5]])).await, 5);
    assert_eq!(read(json!([["where", ["$equal", ["$mod", "@n", 2], 0]], ["limit", 5]])).await, 9);
    // A variable of the pipeline around it: for each of the ten, ten are read.
    let within = json!({"pipeline": [["collection", "#c"], ["where", ["$equal", "@kind", "?k"]], ["aggregate", {"n": ["$count"]}]]});
    assert_eq!(
        read(json!([["where", ["$less_than", "@n", 10]], ["let", {"k": "@kind"}], ["add_fields", {"peers": ["$scalar", within]}]])).await,
        110
    );
}

#[tokio::test]
async fn what_is_kept_has_a_bound() {
    let world = world();
    let text = "x".repeat(10_000);
    world.commit((0..20).map(|n| put(&format!("c/{n}"), json!({"t": text}))).collect()).await.expect("documents");
    let run = async |stages: Json, memory: u64| {
        let options = Options { memory: Some(memory), ..Options::default() };
        world.ran(&of("c", stages), options, &View::Latest).await.map(|ran| ran.outputs.len())
    };
    assert_eq!(run(json!([]), 1 << 20).await.expect("all of them"), 20);
    assert!(matches!(run(json!([]), 100_000).await, Err(Error::Exhausted(_))));
    // Of what is thrown away again, nothing counts.
    assert_eq!(run(json!([["aggregate", {"n": ["$count"]}]]), 100_000).await.expect("a count"), 1);
    assert_eq!(
        run(json!([["sort", {"expression": "@t"}], ["limit", 2], ["select", {"n": ["$length", "@t"]}]]), 1 << 20).await.expect("two"),
        2
    );
    assert!(matches!(
        run(json!([["sort", {"expression": "@t"}], ["aggregate", {"n": ["$count"]}]]), 100_000).await,
        Err(Error::Exhausted(_))
    ));
    // Nor does a value double for ever.
    let mut stages = vec![json!(["select", {"t": "@t"}])];
    stages.extend((0..20).map(|_| json!(["add_fields", {"t": ["$concat", "@t", "@t"]}])));
    assert!(matches!(run(Json::Array(stages), u64::MAX).await, Err(Error::Exhausted(_))));
    // Nor are many values made at once, each of which would do.
    let many = |n: usize| (0..n).map(|at| (format!("f{at}"), json!(["$concat", "@t", "@t"]))).collect::<serde_json::Map<_, _>>();
    assert_eq!(run(json!([["limit", 1], ["select", many(10)], ["select", {"n": 1}]]), 1 << 20).await.expect("a row"), 1);
    assert!(matches!(run(json!([["limit", 1], ["select", many(100)], ["select", {"n": 1}]]), 1 << 20).await, Err(Error::Exhausted(_))));
    let args = [vec![json!("$maximum")], vec![json!(["$concat", "@t", "@t"]); 100]].concat();
    assert!(matches!(run(json!([["limit", 1], ["select", {"n": args}]]), 1 << 20).await, Err(Error::Exhausted(_))));
}

#[tokio::test]
async fn samples_are_as_large_as_they_are_asked_for() {
    let world = world();
    world.commit((0..400).map(|n| put(&format!("c/{n}"), json!({"n": n}))).collect()).await.expect("documents");
    let drawn = async |n: i64| {
        let ids = world.ids(of("c", json!([["sample", n, "documents"]]))).await;
        ids.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect::<BTreeSet<_>>()
    };
    assert_eq!((drawn(0).await.len(), drawn(7).await.len(), drawn(1_000).await.len()), (0, 7, 400));
    // Not the same ones, and each document comes some day.
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        seen.extend(drawn(50).await);
    }
    assert!(seen.len() > 390, "{}", seen.len());
    let share = world.ids(of("c", json!([["sample", 0.5, "percent"]]))).await.split(' ').count();
    assert!((130..270).contains(&share), "{share}");
}

#[tokio::test]
async fn a_commit_fails_where_a_pipeline_would_read_something_else() {
    let world = plants().await;
    let begin = async || world.documents.begin(&world.call, &database(), Begin::default()).await.expect("a transaction");
    let commit = async |id: &[u8]| world.documents.commit(&world.call, &database(), vec![put("sum/s", json!({"n": 1}))], Some(id)).await;
    let stages = of("c", json!([["where", ["$equal", "@kind", "x"]], ["where", ["$less_than", ["$rand"], 2]], ["sample", 2, "documents"]]));
    // What it does not read may change.
    let id = begin().await;
    world.ran(&stages, Options::default(), &View::Transaction(id.clone())).await.expect("a pipeline");
    world.commit(vec![put("c/b", json!({"n": 9, "kind": "y"}))]).await.expect("a write");
    commit(&id).await.expect("a commit");
    for change in [put("c/a", json!({"n": 5, "kind": "x"})), put("c/new", json!({"kind": "x"})), put("c/d", json!({"kind": "q"}))] {
        let id = begin().await;
        world.ran(&stages, Options::default(), &View::Transaction(id.clone())).await.expect("a pipeline");
        world.commit(vec![change.clone()]).await.expect("a write");
        assert!(matches!(commit(&id).await, Err(Error::Contention)), "{change:?}");
    }
    let id = begin().await;
    let refused = world.ran(&of("c", json!([["delete"]])), Options::default(), &View::Transaction(id)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn documents_are_changed_all_at_once_and_no_update_is_lost() {
    let world = plants().await;
    let outputs = world
        .outputs(&of("c", json!([["where", ["$equal", "@kind", "x"]], ["remove_fields", "@list"], ["update", {"m.seen": true}]])))
        .await;
    assert_eq!(outputs.expect("a number")[0].fields, fields(json!({"documents_modified": 4})));
    assert_eq!(world.fields("c/a").await, Some(fields(json!({"n": 1, "kind": "x", "m": {"k": 1, "seen": true}}))));
    assert_eq!(world.fields("c/g").await, Some(fields(json!({"kind": "x", "m": {"seen": true}}))));
    // What no document may be undoes all.
    let error = world.outputs(&of("c", json!([["update", {"deep": ["$conditional", ["$equal", "@kind", "z"], [[1]], 1]}]]))).await;
    assert!(error.expect_err("arrays in arrays").contains("array value in an array value"));
    assert_eq!(world.fields("c/a").await.expect("a document").get("deep"), None);
    // Without its name a document cannot be written.
    let error = world.outputs(&of("c", json!([["select", {"n": "@n"}], ["update", {}]]))).await;
    assert!(error.expect_err("no name").contains("has no `__name__`"));
    let stages = of("c", json!([["where", ["$equal", "@__name__", "#c/a"]], ["update", {"n": ["$add", "@n", 1]}]]));
    let all = futures_util::future::join_all((0..8).map(|_| world.outputs(&stages))).await;
    let done = all.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(world.fields("c/a").await.expect("a document")["n"], Value::Int(1 + done as i64), "{all:?}");
    assert!(done > 0);
}

/// Conditions of every form that an index may answer, and others.
fn condition() -> impl Strategy<Value = Json> {
    let field = prop::sample::select(vec!["@a", "@b", "@m.a", "@__name__"]);
    let plain = prop_oneof![
        Just(json!(null)),
        Just(json!("NaN")),
        (-1i64..3).prop_map(|n| json!(n)),
        Just(json!(0.5)),
        Just(json!("x")),
        Just(json!([1])),
        Just(json!(true)),
        (0u8..4).prop_map(|n| json!(format!("#c/{n}"))),
        Just(json!("@none")),
    ];
    let compare = prop::sample::select(vec![
        "$equal",
        "$not_equal",
        "$less_than",
        "$less_than_or_equal",
        "$greater_than",
        "$greater_than_or_equal",
        "$array_contains",
    ]);
    let among = prop::sample::select(vec!["$equal_any", "$not_equal_any", "$array_contains_any", "$array_contains_all"]);
    let leaf = prop_oneof![
        4 => (compare, field.clone(), plain.clone(), any::<bool>()).prop_map(|(op, field, value, turned)| if turned { json!([op, value, field]) } else { json!([op, field, value]) }),
        1 => (among, field.clone(), prop::collection::vec(plain, 0..3)).prop_map(|(op, field, values)| json!([op, field, values])),
        1 => field.prop_map(|field| json!(["$exists", field])),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| Json::Array([vec![json!("$and")], parts].concat())),
            prop::collection::vec(inner.clone(), 1..4).prop_map(|parts| Json::Array([vec![json!("$or")], parts].concat())),
            inner.prop_map(|part| json!(["$not", part])),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the index says, the same documents come out as when all are looked at.
    #[test]
    fn narrowing_changes_nothing_but_what_is_read(conditions in prop::collection::vec(condition(), 1..3)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let world = world();
            let values = [json!(0), json!(1), json!(2.0), json!(0.5), json!("x"), json!("NaN"), json!(null), json!([1, "x"]), json!(true), json!([])];
            let documents = values.iter().enumerate().map(|(n, a)| {
                let b = &values[(n * 3 + 1) % values.len()];
                put(&format!("c/{n}"), if n % 4 == 3 { json!({"b": b}) } else { json!({"a": a, "b": b, "m": {"a": b}}) })
            });
            world.commit(documents.collect()).await.expect("documents");
            let stages: Vec<Json> = conditions.iter().map(|condition| json!(["where", condition])).collect();
            let narrowed = world.ids(of("c", Json::Array(stages.clone()))).await;
            // After a stage that is no condition, nothing is narrowed down.
            let looked_at = world.ids(of("c", Json::Array([vec![json!(["limit", 1000])], stages].concat()))).await;
            let sorted = |ids: &str| { let mut ids: Vec<String> = ids.split(' ').map(str::to_owned).collect(); ids.sort(); ids };
            assert_eq!(sorted(&narrowed), sorted(&looked_at), "{conditions:?}");
        });
    }
}
