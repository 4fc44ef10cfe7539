//! Queries, row by row.

use serde_json::{Value as Json, json};

use super::*;

/// A query in short: `where` as `[field, operator, value]`, `and`, `or`; `order` as `"a"` or `"a desc"`; `start`, `after`, `before`, `end`.
fn query(collection: &str, short: &Json) -> Query {
    let group = collection.strip_prefix("**/");
    let mut query = all(group.unwrap_or(collection));
    query.scope.descendants = group.is_some();
    query.filter = short.get("where").map(filter);
    let orders = short.get("order").and_then(Json::as_array).cloned().unwrap_or_default();
    query.order = orders
        .iter()
        .map(|order| {
            let text = order.as_str().expect("an order");
            let (path, descending) = text.strip_suffix(" desc").map_or((text, false), |path| (path, true));
            Order { field: field(path), descending }
        })
        .collect();
    let cursor = |name: &str, before: bool| {
        let values = short.get(name)?.as_array()?.iter().map(operand).collect();
        Some(Cursor { values, before })
    };
    query.start = cursor("start", true).or_else(|| cursor("after", false));
    query.end = cursor("before", true).or_else(|| cursor("end", false));
    query.limit = short.get("limit").and_then(Json::as_u64);
    query.offset = short.get("offset").and_then(Json::as_u64).unwrap_or(0);
    query
}

/// A value; text that begins with an at sign is a document.
fn operand(json: &Json) -> Value {
    match json {
        Json::String(text) if text.starts_with('@') => Value::Reference(database().full(&text[1..])),
        Json::Array(values) => Value::Array(values.iter().map(operand).collect()),
        other => value(other),
    }
}

fn filter(json: &Json) -> Filter {
    if let Some(filters) = json.get("or").and_then(Json::as_array) {
        return Filter::Any(filters.iter().map(filter).collect());
    }
    if let Some(filters) = json.get("and").and_then(Json::as_array) {
        return Filter::All(filters.iter().map(filter).collect());
    }
    let parts = json.as_array().expect("a condition");
    let op = match parts[1].as_str().expect("an operator") {
        "<" => Op::Less,
        "<=" => Op::LessOrEqual,
        ">" => Op::Greater,
        ">=" => Op::GreaterOrEqual,
        "==" => Op::Equal,
        "!=" => Op::NotEqual,
        "has" => Op::ArrayContains,
        "has-any" => Op::ArrayContainsAny,
        "in" => Op::In,
        "not-in" => Op::NotIn,
        "is-null" => Op::IsNull,
        "is-not-null" => Op::IsNotNull,
        "is-nan" => Op::IsNan,
        "is-not-nan" => Op::IsNotNan,
        other => panic!("no operator {other}"),
    };
    let value = parts.get(2).map_or(Value::Null, operand);
    Filter::One(Condition { field: field(parts[0].as_str().expect("a field")), op, value })
}

/// Documents of the collection `c`, by identifier.
fn sample() -> Vec<(&'static str, Json)> {
    vec![
        ("a", json!({"n": 1, "tag": "x", "list": [1, 2], "m": {"k": 1}})),
        ("b", json!({"n": 2.0, "tag": "y", "list": [2, 3], "m": {"k": 2}})),
        ("c", json!({"n": 2, "tag": "x", "list": []})),
        ("d", json!({"n": "two", "tag": "x"})),
        ("e", json!({"n": null, "tag": "z", "list": [null]})),
        ("f", json!({"n": "NaN", "tag": "z"})),
        ("g", json!({"tag": "x"})),
        ("h", json!({"n": true})),
        ("i", json!({"n": [1], "tag": "y"})),
    ]
}

#[tokio::test]
async fn queries_find_what_they_ask_for() {
    let world = world();
    world.commit(sample().into_iter().map(|(id, json)| put(&format!("c/{id}"), json)).collect()).await.expect("documents");
    let check = async |short: Json, wanted: &str| {
        let found = world.paths(query("c", &short)).await;
        let ids: Vec<&str> = found.iter().filter_map(|path| path.strip_prefix("c/")).collect();
        assert_eq!(ids.join(" "), wanted, "{short}");
    };
    check(json!({}), "a b c d e f g h i").await;
    check(json!({"limit": 3, "offset": 2}), "c d e").await;
    check(json!({"limit": 0}), "").await;
    check(json!({"order": ["__name__ desc"], "limit": 2}), "i h").await;
    // Equality: 1 and 1.0 are equal, null and NaN are only so by name.
    check(json!({"where": ["n", "==", 2]}), "b c").await;
    check(json!({"where": ["n", "==", 1.0]}), "a").await;
    check(json!({"where": ["n", "is-null"]}), "e").await;
    check(json!({"where": ["n", "is-nan"]}), "f").await;
    check(json!({"where": ["m.k", "==", 2]}), "b").await;
    check(json!({"where": ["m", "==", {"k": 1}]}), "a").await;
    check(json!({"where": ["n", "==", [1]]}), "i").await;
    check(json!({"where": {"and": [["tag", "==", "x"], ["n", "==", 2]]}}), "c").await;
    // Ranges stay within one type.
    check(json!({"where": ["n", ">", 1]}), "b c").await;
    check(json!({"where": ["n", ">=", 1]}), "a b c").await;
    check(json!({"where": ["n", "<", "z"]}), "d").await;
    check(json!({"where": ["n", ">", false]}), "h").await;
    check(json!({"where": {"and": [["n", ">", 0], ["n", "<", 2]]}}), "a").await;
    check(json!({"where": {"and": [["n", ">=", 1], ["tag", ">", "x"]]}}), "b").await;
    // What is not equal must be there, and be something.
    check(json!({"where": ["n", "!=", 2]}), "h f a d i").await;
    check(json!({"where": ["n", "is-not-null"]}), "h f a b c d i").await;
    check(json!({"where": ["n", "is-not-nan"]}), "h a b c d i").await;
    check(json!({"where": ["n", "not-in", [1, 2]]}), "h f d i").await;
    check(json!({"where": ["n", "not-in", [1, null]]}), "").await;
    // Alternatives.
    check(json!({"where": ["tag", "in", ["y", "z", "y"]]}), "b e f i").await;
    check(json!({"where": ["tag", "in", ["z", "y"]], "limit": 3}), "b e f").await;
    check(json!({"where": {"or": [["tag", "==", "z"], ["n", "==", 1], ["tag", "in", ["z"]]]}}), "a e f").await;
    check(json!({"where": {"and": [{"or": [["tag", "==", "x"], ["tag", "==", "y"]]}, {"or": [["n", "==", 1], ["n", "==", 2]]}]}}), "a b c")
        .await;
    // A field that is ordered by must be there, in either alternative.
    check(json!({"where": {"or": [["n", ">", 1], ["tag", "==", "x"]]}}), "a b c d").await;
    // Arrays.
    check(json!({"where": ["list", "has", 2]}), "a b").await;
    check(json!({"where": ["list", "has", 2.0]}), "a b").await;
    check(json!({"where": ["list", "has-any", [1, 3]]}), "a b").await;
    check(json!({"where": ["list", "==", []]}), "c").await;
    check(json!({"where": {"and": [["list", "has", 2], ["tag", "in", ["x", "q"]]]}}), "a").await;
    // Orders: null, booleans, numbers with NaN first, text, arrays; those without the field are left out.
    check(json!({"order": ["n"]}), "e h f a b c d i").await;
    check(json!({"order": ["n desc"]}), "i d c b a f h e").await;
    check(json!({"order": ["n desc", "__name__"]}), "i d b c a f h e").await;
    check(json!({"order": ["tag", "n desc"]}), "d c a i b f e").await;
    check(json!({"order": ["tag desc"], "limit": 3}), "f e i").await;
    check(json!({"where": ["tag", "==", "x"], "order": ["n desc"], "limit": 2}), "d c").await;
    // Cursors.
    check(json!({"order": ["n"], "start": [2]}), "b c d i").await;
    check(json!({"order": ["n"], "after": [2]}), "d i").await;
    check(json!({"order": ["n"], "after": [2, "@c/b"]}), "c d i").await;
    check(json!({"order": ["n"], "start": [1], "before": [2]}), "a").await;
    check(json!({"order": ["n"], "start": [1], "end": [2]}), "a b c").await;
    check(json!({"order": ["n desc"], "start": [2], "end": [1]}), "c b a").await;
    check(json!({"order": ["n desc"], "after": [2, "@c/c"], "limit": 1}), "b").await;
    check(json!({"order": ["__name__"], "after": ["@c/g"]}), "h i").await;
    check(json!({"order": ["tag", "n"], "start": ["x", 2], "before": ["y", [1]]}), "c d b").await;
    // Names.
    check(json!({"where": ["__name__", "==", "@c/d"]}), "d").await;
    check(json!({"where": ["__name__", "==", "@other/d"]}), "").await;
    check(json!({"where": ["__name__", "in", ["@c/h", "@c/b"]]}), "b h").await;
    check(json!({"where": {"and": [["__name__", ">", "@c/b"], ["__name__", "<=", "@c/d"]]}}), "c d").await;
    check(json!({"where": {"and": [["tag", "==", "x"], ["__name__", ">", "@c/c"]]}}), "d g").await;
}

#[tokio::test]
async fn groups_of_collections_are_one() {
    let world = world();
    let paths = ["p/1/c/a", "p/2/c/b", "c/x", "p/1/c/a/c/deep", "p/1/other/o", "q/1/c/z"];
    world.commit(paths.iter().enumerate().map(|(n, path)| put(path, json!({"n": n}))).collect()).await.expect("documents");
    let check = async |collection: &str, short: Json, wanted: &str| {
        assert_eq!(world.paths(query(collection, &short)).await.join(" "), wanted, "{collection} {short}");
    };
    check("**/c", json!({}), "c/x p/1/c/a p/1/c/a/c/deep p/2/c/b q/1/c/z").await;
    check("**/c", json!({"order": ["n desc"], "limit": 2}), "q/1/c/z p/1/c/a/c/deep").await;
    check("**/c", json!({"where": ["n", "<", 2]}), "p/1/c/a p/2/c/b").await;
    check("**/c", json!({"order": ["__name__"], "after": ["@p/1/c/a"], "limit": 2}), "p/1/c/a/c/deep p/2/c/b").await;
    check("**/p/1/c", json!({}), "p/1/c/a p/1/c/a/c/deep").await;
    check("p/1/c", json!({}), "p/1/c/a").await;
    // Whatever is beneath a document, as a recursive delete asks for it.
    let mut kindless = query("**/p/1/c", &json!({}));
    kindless.scope.collection = None;
    assert_eq!(world.paths(kindless).await, ["p/1/c/a", "p/1/c/a/c/deep", "p/1/other/o"]);
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_reason() {
    let check = |short: Json, wanted: &str| {
        let error = Query::new(query("c", &short)).expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{short}: {error}");
    };
    let many: Vec<i32> = (0..31).collect();
    check(json!({"where": ["n", "in", many]}), "'IN' supports up to 30 comparison values.");
    check(json!({"where": ["n", "in", []]}), "'IN' requires an non-empty ArrayValue.");
    check(json!({"where": ["n", "not-in", &many[..11]]}), "'NOT_IN' supports up to 10 comparison values.");
    check(json!({"where": {"and": [["n", "in", &many[..6]], ["tag", "in", &many[..6]]]}}), "30 in disjunctive normal form");
    check(json!({"where": {"and": [["a", "has", 1], ["b", "has", 1]]}}), "A maximum of 1 'ARRAY_CONTAINS'");
    check(json!({"where": ["__name__", "==", "text"]}), "__key__ filter value must be a Key");
    check(json!({"order": ["a", "a desc"]}), "order by clause cannot contain duplicate fields a");
    check(json!({"order": ["a"], "start": [1, "@c/d", 3]}), "Cursor has too many values.");
}

#[tokio::test]
async fn sums_are_whole_as_long_as_they_can_be() {
    let world = world();
    let write = |id: &str, json: Json| put(&format!("c/{id}"), json);
    world
        .commit(vec![
            write("a", json!({"i": 1, "d": 1.5, "big": i64::MAX})),
            write("b", json!({"i": 2, "d": 2, "big": 1})),
            write("c", json!({"i": "text", "t": 1})),
            write("d", json!({})),
        ])
        .await
        .expect("documents");
    let check = async |short: Json, of: Vec<Aggregation>, wanted: Vec<Value>| {
        let query = Query::new(query("c", &short)).expect("a query");
        let found = world.documents.aggregate(&world.call, &query, &of, &View::Latest).await.expect("sums");
        assert_eq!(found.values, wanted, "{short} {of:?}");
    };
    let (sum, average) = (|path: &str| Aggregation::Sum(field(path)), |path: &str| Aggregation::Average(field(path)));
    let count = || Aggregation::Count { up_to: None };
    let none = || json!({});
    check(none(), vec![count()], vec![Value::Int(4)]).await;
    check(none(), vec![Aggregation::Count { up_to: Some(2) }], vec![Value::Int(2)]).await;
    check(json!({"where": ["i", ">", 1]}), vec![count()], vec![Value::Int(1)]).await;
    check(json!({"where": ["i", "in", [1, 2, "text"]]}), vec![count()], vec![Value::Int(3)]).await;
    check(json!({"limit": 3}), vec![count()], vec![Value::Int(3)]).await;
    check(json!({"offset": 3}), vec![count()], vec![Value::Int(1)]).await;
    check(none(), vec![sum("i")], vec![Value::Int(3)]).await;
    check(none(), vec![average("i")], vec![Value::Double(1.5)]).await;
    check(none(), vec![sum("d")], vec![Value::Double(3.5)]).await;
    check(none(), vec![sum("big")], vec![Value::Double(9_223_372_036_854_775_808.0)]).await;
    check(none(), vec![sum("missing"), average("missing")], vec![Value::Int(0), Value::Null]).await;
    // Only documents that have all the fields are in any of the sums.
    check(none(), vec![count(), sum("i"), sum("d")], vec![Value::Int(2), Value::Int(3), Value::Double(3.5)]).await;
}

#[tokio::test]
async fn the_nearest_vectors_come_first() {
    let world = world();
    let write = |id: &str, json: Json| put(&format!("c/{id}"), json);
    world
        .commit(vec![
            write("near", json!({"v": {"vector": [1.0, 0.0]}})),
            write("far", json!({"v": {"vector": [10.0, 10.0]}})),
            write("turned", json!({"v": {"vector": [0.0, 1.0]}})),
            write("short", json!({"v": {"vector": [1.0]}})),
            write("none", json!({"v": [1.0, 0.0]})),
        ])
        .await
        .expect("documents");
    let check = async |measure: Measure, limit: u64, threshold: Option<f64>, wanted: &str| {
        let nearest =
            Nearest { field: field("v"), vector: vec![1.0, 0.0], measure, limit, distance_field: Some(field("how.far")), threshold };
        let query = Query::new(Query { nearest: Some(nearest), ..all("c") }).expect("a query");
        let found = world.documents.query(&world.call, &query, &View::Latest).await.expect("documents");
        let told: Vec<String> = found
            .documents
            .iter()
            .map(|document| match document.get(&field("how.far")).as_deref() {
                Some(Value::Double(distance)) => format!("{} {distance:.2}", document.name.id()),
                other => panic!("no distance but {other:?}"),
            })
            .collect();
        assert_eq!(told.join(", "), wanted, "{measure:?}");
    };
    check(Measure::Euclidean, 10, None, "near 0.00, turned 1.41, far 13.45").await;
    check(Measure::Euclidean, 10, Some(2.0), "near 0.00, turned 1.41").await;
    check(Measure::Cosine, 2, None, "near 0.00, far 0.29").await;
    check(Measure::DotProduct, 10, Some(1.0), "far 10.00, near 1.00").await;
}

#[tokio::test]
async fn lists_tell_of_documents_that_are_only_parents() {
    let world = world();
    world
        .commit(["c/a", "c/b", "c/gone/s/x", "c/deep/s/y/t/z"].iter().map(|path| put(path, json!({}))).collect())
        .await
        .expect("documents");
    let root = Parent::parse(&database().full("")).expect("the root");
    let list = |size, after: Option<&str>, missing| List {
        parent: root.clone(),
        collection: "c".into(),
        size,
        after: after.map(str::to_owned),
        missing,
        mask: None,
    };
    let check = async |list: List, wanted: &str| {
        let listed = world.documents.list(&world.call, &list, &View::Latest).await.expect("a list");
        let told: Vec<String> =
            listed.documents.iter().map(|(name, document)| format!("{}{}", name.id(), if document.is_some() { "" } else { "?" })).collect();
        assert_eq!(format!("{} > {}", told.join(" "), listed.next.unwrap_or_default()), wanted);
    };
    check(list(10, None, false), "a b > ").await;
    check(list(10, None, true), "a b deep? gone? > ").await;
    check(list(3, None, true), "a b deep? > deep").await;
    check(list(3, Some("deep"), true), "gone? > ").await;
    check(list(1, None, false), "a > a").await;
    let ids = async |path: &str| {
        let parent = Parent::parse(&database().full(path)).expect("a parent");
        world.documents.collections(&world.call, &parent, "", 10, &View::Latest).await.expect("identifiers").join(" ")
    };
    assert_eq!(
        (ids("").await, ids("c/gone").await, ids("c/deep").await, ids("c/a").await),
        ("c".into(), "s".into(), "s".into(), String::new())
    );
}

#[tokio::test]
async fn a_group_is_parted_evenly_and_a_database_is_cleared_alone() {
    let world = world();
    world.commit((0..100).map(|n| put(&format!("c/{n:02}"), json!({"n": n}))).collect()).await.expect("documents");
    let query = Query::new(query("**/c", &json!({}))).expect("a query");
    let parts = world.documents.partition(&world.call, &query, 3, &View::Latest).await.expect("parts");
    assert_eq!(parts.iter().map(Name::id).collect::<Vec<_>>(), ["25", "50", "75"]);
    let other = Database::parse("projects/p/databases/other").expect("a database");
    let kept = Write { name: Name::new(other.clone(), "c/d").expect("a name"), ..put("c/d", json!({"n": 1})) };
    world.documents.commit(&world.call, &other, vec![kept], None).await.expect("a write");
    world.documents.clear(&world.call, &database()).await.expect("cleared");
    assert_eq!(world.paths(all("c")).await.len(), 0);
    let rows = world.documents.db().read::<_, crate::store::Error, _>(&world.call, |tx| {
        tx.row("SELECT (SELECT count(*) FROM documents_index), (SELECT count(*) FROM documents_items)", [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
    });
    assert_eq!(rows.await.expect("counts"), Some((1, 1)), "only the other database's document is left");
}

#[test]
fn indexes_that_production_would_miss_are_told() {
    const FILE: &str = r#"{"indexes": [
        {"collectionGroup": "c", "queryScope": "COLLECTION", "fields": [
            {"fieldPath": "author", "order": "ASCENDING"}, {"fieldPath": "time", "order": "DESCENDING"}, {"fieldPath": "__name__", "order": "DESCENDING"}]},
        {"collectionGroup": "c", "queryScope": "COLLECTION", "fields": [
            {"fieldPath": "tags", "arrayConfig": "CONTAINS"}, {"fieldPath": "author", "order": "ASCENDING"}, {"fieldPath": "time", "order": "ASCENDING"}]}],
        "fieldOverrides": [{"collectionGroup": "c", "fieldPath": "n", "indexes": [{"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"}]}]}"#;
    let declared = Declared::parse(FILE, false).expect("indexes");
    let check = |collection: &str, short: Json, wanted: &[&str]| {
        let query = Query::new(query(collection, &short)).expect("a query");
        let missing =
            needed(&query).expect("indexes").into_iter().filter(|needed| !declared.indexes.iter().any(|index| index.serves(needed)));
        assert_eq!(missing.map(|needed| needed.index.to_string()).collect::<Vec<_>>(), wanted, "{short}");
    };
    check("c", json!({}), &[]);
    check("c", json!({"where": ["n", ">", 1], "order": ["n desc"]}), &[]);
    check("c", json!({"where": {"and": [["a", "==", 1], ["b", "in", [1, 2]], ["l", "has", 1]]}}), &[]);
    check("c", json!({"where": ["author", "==", "x"], "order": ["time desc"]}), &[]);
    check("c", json!({"where": ["author", "in", ["x", "y"]], "order": ["time"]}), &[]);
    check("c", json!({"where": {"and": [["author", "==", "x"], ["tags", "has", 1]]}, "order": ["time"]}), &[]);
    check(
        "c",
        json!({"where": ["author", "==", "x"], "order": ["n desc"]}),
        &[
            r#"{"collectionGroup": "c", "queryScope": "COLLECTION", "fields": [{"fieldPath": "author", "order": "ASCENDING"}, {"fieldPath": "n", "order": "DESCENDING"}]}"#,
        ],
    );
    check(
        "c",
        json!({"where": {"and": [["a", ">", 1], ["b", ">", 1]]}}),
        &[
            r#"{"collectionGroup": "c", "queryScope": "COLLECTION", "fields": [{"fieldPath": "a", "order": "ASCENDING"}, {"fieldPath": "b", "order": "ASCENDING"}]}"#,
        ],
    );
    check("**/c", json!({"where": ["n", "==", 1]}), &[]);
    check(
        "**/c",
        json!({"where": ["m", "==", 1]}),
        &[
            r#"{"collectionGroup": "c", "fieldPath": "m", "indexes": [{"order": "ASCENDING", "queryScope": "COLLECTION"}, {"order": "DESCENDING", "queryScope": "COLLECTION"}, {"arrayConfig": "CONTAINS", "queryScope": "COLLECTION"}, {"order": "ASCENDING", "queryScope": "COLLECTION_GROUP"}]}"#,
        ],
    );
    assert!(Declared::parse("{", false).is_err());
}

#[tokio::test]
async fn a_strict_project_is_refused_what_production_refuses() {
    let world = world();
    let query = Query::new(query("c", &json!({"where": ["a", "==", 1], "order": ["b"]}))).expect("a query");
    let ask = async || world.documents.query(&world.call, &query, &View::Latest).await;
    ask().await.expect("nobody has said which indexes there are");
    world.documents.declare(Declared { strict: true, ..Declared::default() });
    let error = ask().await.expect_err("no index").to_string();
    assert!(
        error.starts_with(
            "The query requires an index. You can create it here: https://console.firebase.google.com/project/p/firestore/indexes"
        ),
        "{error}"
    );
    world.documents.declare(Declared::default());
    ask().await.expect("it is told and goes on");
    let missing = world.documents.missing_indexes();
    assert_eq!(missing.len(), 1, "{missing:?}");
    world.documents.declare(Declared { indexes: missing, strict: true });
    ask().await.expect("the index is declared by now");
    assert_eq!(world.documents.missing_indexes(), []);
}
