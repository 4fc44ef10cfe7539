//! Writes: masks, transforms, preconditions, limits.

use serde_json::json;

use super::super::document;
use super::*;

fn transforms(path: &str, kinds: Vec<(&str, TransformKind)>) -> Write {
    let transforms = kinds.into_iter().map(|(path, kind)| Transform { field: field(path), kind }).collect();
    let change = Change::Put { fields: Fields::new(), mask: Some(Vec::new()) };
    Write { name: name(path), change, precondition: None, transforms }
}

#[tokio::test]
async fn a_mask_changes_only_what_it_names() {
    let world = world();
    world.commit(vec![put("c/d", json!({"a": 1, "b": {"c": 2, "d": 3}, "e": 4}))]).await.expect("a write");
    let change = Change::Put { fields: fields(json!({"b": {"c": 5}, "x": 6})), mask: Some(vec![field("b.c"), field("e"), field("y.z")]) };
    let merge = Write { name: name("c/d"), change, precondition: None, transforms: Vec::new() };
    world.commit(vec![merge]).await.expect("a write");
    assert_eq!(world.fields("c/d").await, Some(fields(json!({"a": 1, "b": {"c": 5, "d": 3}}))));
}

#[tokio::test]
async fn numbers_and_arrays_are_transformed_as_documented() {
    let int = Value::Int;
    let double = Value::Double;
    let inc = TransformKind::Increment;
    let max = TransformKind::Maximum;
    let min = TransformKind::Minimum;
    let union = |json: serde_json::Value| match value(&json) {
        Value::Array(values) => TransformKind::AppendMissing(values),
        _ => panic!("an array"),
    };
    let without = |json: serde_json::Value| match value(&json) {
        Value::Array(values) => TransformKind::RemoveAll(values),
        _ => panic!("an array"),
    };
    let rows: Vec<(serde_json::Value, TransformKind, Value)> = vec![
        (json!({}), inc(int(2)), int(2)),
        (json!({"f": 1}), inc(int(2)), int(3)),
        (json!({"f": 1}), inc(double(0.5)), double(1.5)),
        (json!({"f": 1.5}), inc(int(1)), double(2.5)),
        (json!({"f": i64::MAX}), inc(int(1)), int(i64::MAX)),
        (json!({"f": i64::MIN}), inc(int(-1)), int(i64::MIN)),
        (json!({"f": "text"}), inc(int(7)), int(7)),
        (json!({"f": 3}), max(double(3.0)), int(3)),
        (json!({"f": 3}), max(double(3.5)), double(3.5)),
        (json!({"f": 3}), min(int(5)), int(3)),
        (json!({"f": "text"}), min(int(5)), int(5)),
        (json!({"f": 0}), max(double(-0.0)), int(0)),
        (json!({"f": [1, 2]}), union(json!([2.0, 3, 3, null, null])), value(&json!([1, 2, 3, null]))),
        (json!({"f": "text"}), union(json!([1, 1])), value(&json!([1]))),
        (json!({"f": [1, 2, 1.0, null]}), without(json!([1, null])), value(&json!([2]))),
        (json!({}), without(json!([1])), value(&json!([]))),
    ];
    let world = world();
    for (before, kind, wanted) in rows {
        world.commit(vec![put("c/d", before.clone())]).await.expect("a write");
        let committed = world.commit(vec![transforms("c/d", vec![("f", kind.clone())])]).await.expect("a transform");
        let found = world.fields("c/d").await.expect("a document");
        assert_eq!(found.get("f"), Some(&wanted), "{before} {kind:?}");
        // One result for each transform: the new value of a number, and null for arrays.
        let told = if matches!(wanted, Value::Array(_)) { Value::Null } else { wanted };
        assert_eq!(committed.written[0].transformed, [told]);
    }
    let nan = Value::Double(f64::NAN);
    for kind in [max(nan.clone()), min(nan)] {
        world.commit(vec![put("c/d", json!({"f": 3})), transforms("c/d", vec![("f", kind)])]).await.expect("a transform");
        assert!(matches!(world.fields("c/d").await.expect("a document")["f"], Value::Double(n) if n.is_nan()));
    }
}

#[tokio::test]
async fn the_time_of_the_request_is_the_same_throughout_a_commit() {
    let world = world();
    let time = || vec![("a", TransformKind::RequestTime), ("b.c", TransformKind::RequestTime)];
    let committed = world.commit(vec![transforms("c/d", time()), transforms("c/e", time())]).await.expect("a commit");
    let now = Value::Timestamp(Timestamp::of_micros(world.clock.now().millis() * 1_000));
    for written in &committed.written {
        assert_eq!(written.transformed, [now.clone(), now.clone()]);
    }
    assert_eq!(document::get(&world.fields("c/e").await.expect("a document"), &field("b.c")), Some(&now));
}

#[tokio::test]
async fn preconditions_hold_or_nothing_is_written() {
    let world = world();
    let with = |write: Write, precondition| Write { precondition: Some(precondition), ..write };
    let delete = |path| Write { name: name(path), change: Change::Delete, precondition: None, transforms: Vec::new() };
    let verify = |path| Write { name: name(path), change: Change::Verify, precondition: None, transforms: Vec::new() };
    let first = world.commit(vec![put("c/d", json!({"n": 1}))]).await.expect("a write").at;
    let refused = async |write: Write| {
        let other = put("c/other", json!({}));
        let error = world.commit(vec![other, write]).await.expect_err("refused").to_string();
        assert_eq!(world.fields("c/other").await, None, "nothing of the commit is there");
        error
    };
    let root = "projects/p/databases/(default)/documents";
    assert_eq!(refused(with(put("c/d", json!({})), Precondition::Exists(false))).await, format!("Document already exists: {root}/c/d"));
    assert_eq!(refused(with(put("c/x", json!({})), Precondition::Exists(true))).await, format!("No document to update: {root}/c/x"));
    assert_eq!(refused(with(delete("c/x"), Precondition::Exists(true))).await, format!("No document to update: {root}/c/x"));
    let stale = Precondition::Updated(Timestamp::of_micros(first.micros() - 1));
    assert!(refused(with(put("c/d", json!({})), stale)).await.contains("does not match the required base version"));
    assert!(refused(with(verify("c/d"), stale)).await.contains("does not match the required base version"));
    world
        .commit(vec![with(verify("c/d"), Precondition::Updated(first)), with(delete("c/d"), Precondition::Updated(first))])
        .await
        .expect("it is so");
    assert_eq!(world.fields("c/d").await, None);
    world.commit(vec![delete("c/d")]).await.expect("what is not there may be deleted");
}

#[tokio::test]
async fn times_of_change_never_stand_still() {
    let world = world();
    let mut last = None;
    for n in 0..5 {
        let at = world.commit(vec![put("c/d", json!({"n": n}))]).await.expect("a write").written[0].updated;
        assert!(at > last, "the clock stands, the times do not");
        last = at;
    }
    // What changes nothing is no change.
    let again = world.commit(vec![put("c/d", json!({"n": 4}))]).await.expect("a write");
    assert_eq!(again.written[0].updated, last);
    let other = world.commit(vec![put("c/d", json!({"n": 4.0}))]).await.expect("a write");
    assert!(other.written[0].updated > last, "4.0 is another value than 4");
}

#[tokio::test]
async fn what_no_document_can_be_is_refused_with_the_reason() {
    let world = world();
    let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({ "m": inner }));
    let check = async |write: Write, wanted: &str| {
        let error = world.commit(vec![write]).await.expect_err(wanted).to_string();
        assert!(error.contains(wanted), "{error}");
    };
    world.commit(vec![put("c/d", deep(21))]).await.expect("20 maps within each other");
    check(put("c/d", deep(22)), "nested too deeply").await;
    check(put("c/d", json!({"a": [[1]]})), "Cannot convert an array value in an array value.").await;
    check(put("c/d", json!({"a": "x".repeat(1_048_576)})), "bytes) exceeds the maximum allowed size of 1,048,576 bytes.").await;
    check(put("c/d", json!({"__x__": 1})), "Property name \"__x__\" is invalid because it is reserved.").await;
    check(put("c/d", json!({"": 1})), "name is empty").await;
    check(put("c/d", json!({ "a": (0..40_001).collect::<Vec<_>>() })), "Too many indexed properties").await;
    let many = (0..501).map(|n| (format!("f{n}"), TransformKind::RequestTime)).collect::<Vec<_>>();
    check(transforms("c/d", many.iter().map(|(path, kind)| (path.as_str(), kind.clone())).collect()), "500").await;
    world.commit(vec![put("c/d", json!({"v": {"vector": [1.0, 2.0]}}))]).await.expect("a vector");
}

#[test]
fn names_that_cannot_be_are_refused() {
    let root = "projects/p/databases/(default)/documents";
    for bad in [
        "",
        "a",
        "projects/p/databases/d",
        "projects/p/databases/d/documents",
        "projects/p/databases/d/documents/a",
        "projects/p/databases/d/documents/a/b/c",
        "projects/p/databases/d/documents/a//b/c",
        "projects/p/databases/d/documents/a/..",
        "projects/p/databases/d/documents/a/__b__",
        "project/p/databases/d/documents/a/b",
    ] {
        assert!(Name::parse(bad).is_err(), "{bad}");
    }
    let long = format!("{root}/a/{}", "x".repeat(1_501));
    assert!(Name::parse(&long).is_err());
    for good in ["a/b", "a/__id7__", "a/ü", "a/b/c/d"] {
        assert_eq!(Name::parse(&format!("{root}/{good}")).expect("a name").path(), good);
    }
    for (text, names) in [("a.b", vec!["a", "b"]), ("`a.b`.c", vec!["a.b", "c"]), (r"`a\`b\\`", vec![r"a`b\"])] {
        let path = FieldPath::parse(text).expect("a path");
        assert_eq!(path.names(), names);
        assert_eq!(path.to_string(), text);
    }
    for bad in ["", ".", "a.", "a..b", "`a", "a`b`"] {
        assert!(FieldPath::parse(bad).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn writes_of_a_batch_fail_one_by_one() {
    let world = world();
    let create = Write { precondition: Some(Precondition::Exists(false)), ..put("c/a", json!({})) };
    world.commit(vec![create.clone()]).await.expect("a write");
    let done = world.documents.write_each(&world.call, &database(), vec![create, put("c/b", json!({}))]).await.expect("outcomes");
    assert!(matches!(done.as_slice(), [Err(Error::Exists(_)), Ok(_)]));
    let twice = vec![put("c/b", json!({})), put("c/b", json!({}))];
    assert!(world.documents.write_each(&world.call, &database(), twice).await.is_err());
}
