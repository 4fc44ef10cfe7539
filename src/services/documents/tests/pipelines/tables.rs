//! What stages and functions give, row by row.

use super::*;

#[tokio::test]
async fn stages_give_what_they_are_asked_for() {
    let world = plants().await;
    let check = async |stages: Json, wanted: &str| {
        assert_eq!(world.ids(of("c", stages.clone())).await, wanted, "{stages}");
    };
    check(json!([]), "a b c d e f g").await;
    check(json!([["where", ["$equal", "@n", 2]]]), "b c").await;
    // Null is what it is, and what is not there is not null.
    check(json!([["where", ["$equal", "@n", null]]]), "e").await;
    check(json!([["where", ["$not_equal", "@n", 2]]]), "a d e f g").await;
    check(json!([["where", ["$is_absent", "@n"]]]), "g").await;
    // Comparisons stay within one type, and nothing is less or more than NaN, which is equal to itself.
    check(json!([["where", ["$greater_than", "@n", 0]]]), "a b c").await;
    check(json!([["where", ["$less_than", "@n", 5]]]), "a b c").await;
    check(json!([["where", ["$less_than_or_equal", "@n", null]]]), "e").await;
    check(json!([["where", ["$equal", "@n", "NaN"]]]), "f").await;
    // Either, also of what has only one of the fields.
    check(json!([["where", ["$or", ["$greater_than", "@n", 1], ["$equal", "@kind", "x"]]]]), "a b c d g").await;
    check(json!([["where", ["$equal_any", "@kind", ["y", "z"]]]]), "b e f").await;
    check(json!([["where", ["$array_contains", "@list", 2]], ["where", ["$equal", "@kind", "y"]]]), "b").await;
    check(json!([["where", ["$equal", 2, "@n"]]]), "b c").await;
    check(json!([["where", ["$less_than", 1, "@n"]]]), "b c").await;
    check(json!([["where", ["$equal", "@__name__", "#c/d"]]]), "d").await;
    // What cannot be worked out, and what is no boolean, is not so.
    check(json!([["where", ["$equal", ["$add", "@n", 1], 3]]]), "b c").await;
    check(json!([["where", "@kind"]]), "").await;
    // The order of all values; what is missing stands with null.
    check(
        json!([["sort", {"expression": "@n", "direction": "ascending"}, {"expression": "@__name__", "direction": "ascending"}]]),
        "e g f a b c d",
    )
    .await;
    check(json!([["sort", {"expression": "@n", "direction": "descending"}], ["limit", 3]]), "d b c").await;
    check(json!([["sort", {"expression": ["$length", "@list"], "direction": "descending"}], ["offset", 1], ["limit", 2]]), "b e").await;
    check(json!([["limit", 3], ["where", ["$equal", "@kind", "x"]]]), "a c").await;
    check(json!([["limit", 0]]), "").await;
    check(json!([["union", {"pipeline": [["collection", "#c"], ["limit", 1]]}], ["offset", 6]]), "g a").await;
    check(json!([["union", {"pipeline": [["documents", "#c/b", "#c/none", "#c/a"]]}], ["offset", 7]]), "b a").await;
}

/// `[an expression, what it comes to]`: text after an exclamation mark is the reason why it comes to nothing.
const ROWS: &[(&str, &str)] = &[
    (
        "Whole numbers stay whole and have room for so much; one of floating point makes all so",
        r##"
        [["$add", "@n", 1, 0.5], 8.5]
        [["$multiply", "@n", 2], 14]
        [["$divide", "@n", 2], 3]
        [["$divide", -7, 2], -3]
        [["$mod", -7, 3], -1]
        [["$divide", 1.0, 0.0], "inf"]
        [["$add", 9223372036854775807, 1], "!add: the outcome has no room"]
        [["$divide", "@n", 0], "!division by zero"]
        [["$mod", "@n", 0], "!division by zero"]
        [["$abs", -9223372036854775808], "!abs: the outcome has no room"]
        [["$round", -2.5], -3.0]
        [["$round", 1250, -2], 1300]
        [["$round", -1250, -2], -1300]
        [["$round", 9223372036854775807, -1], "!no room"]
        [["$round", 12, -30], 0]
        [["$trunc", -2.57, 1], -2.5]
        [["$trunc", 1299, -2], 1200]
        [["$ceil", "@n"], 7]
        [["$floor", -0.5], -1.0]
        [["$pow", 2, -1], 0.5]
        [["$pow", 0, -1], "!zero has no power"]
        [["$pow", -8, 0.5], "!no such root"]
        [["$sqrt", -1], "!no square root"]
        [["$ln", 0], "!above zero"]
        [["$log", 8, 2], 3.0]
        [["$sum", [1, "x", 2]], 3]
        [["$sum", ["x"]], null]
        "##,
    ),
    (
        "Null and nothing make null; other types are refused",
        r##"
        [["$add", "@e", 1], null]
        [["$add", "@none", 1], null]
        [["$to_upper", "@none"], null]
        [["$to_upper", "@n"], "!to_upper: needs a text or bytes, and got a value of type int64"]
        [["$array_length", "@t"], "!needs an array"]
        "##,
    ),
    (
        "Texts are counted in characters",
        r##"
        [["$char_length", "@t"], 6]
        [["$byte_length", "@t"], 11]
        [["$reverse", "@t"], "😀eßürG"]
        [["$substring", "@t", 2, 2], "üß"]
        [["$substring", "@t", -1], "😀"]
        [["$substring", "@t", 9], ""]
        [["$substring", "@t", 0, -1], "!length must be non-negative"]
        [["$string_index_of", "@t", "e"], 4]
        [["$string_index_of", "@t", "x"], -1]
        [["$string_index_of", "@t", ""], 0]
        [["$split", "ab", ""], ["a", "b"]]
        [["$split", "", ","], [""]]
        [["$join", ["a", null, "b"], "-"], "a-b"]
        [["$join", ["a", null], "-", "*"], "a-*"]
        [["$string_repeat", "ab", 2000000], "!more than 1048576 bytes"]
        [["$string_repeat", "", 9000000000], ""]
        [["$string_replace_all", "aaa", "", "x"], "aaa"]
        [["$concat", "a", "@n"], "!needs a text"]
        [["$concat", [1], [2]], [1, 2]]
        [["$like", "a.c", "a.c"], true]
        [["$like", "abc", "a.c"], false]
        [["$like", "a%c", "a\\%c"], true]
        [["$like", "a\nb", "a_b"], true]
        [["$like", "x", "\\"], "!ends in a backslash"]
        [["$regex_match", "ab", "a|b"], false]
        [["$regex_contains", "ab", "("], "!no regular expression"]
        [["$regex_match", "x", "a)|(x"], "!no regular expression"]
        "##,
    ),
    (
        "Arrays",
        r##"
        [["$array_get", "@l", -1], 2]
        [["$array_get", "@l", 4], {"absent": true}]
        [["$array_get", "@l", -5], {"absent": true}]
        [["$array_get", "@l", 0.5], "!whole number"]
        [["$offset", "@l", 0], 3]
        [["$offset", "@t", 0], {"absent": true}]
        [["$array_slice", "@l", -3, 2], [1, null]]
        [["$array_slice", "@l", 9], []]
        [["$array_first", []], {"absent": true}]
        [["$array_first_n", "@l", -1], "!n must be non-negative"]
        [["$maximum", "@l"], 3]
        [["$minimum", "@l"], 1]
        [["$maximum", []], null]
        [["$maximum", "@t"], "!needs an array"]
        [["$maximum", "@e", "@n", "@none", 5], 7]
        [["$minimum_n", "@l", 2], [1, 2]]
        [["$maximum_n", "@l", 2], [3, 2]]
        [["$array_index_of", "@l", null], 2]
        [["$array_index_of", [1, 2, 1], 1, "last"], 2]
        [["$array_contains", "@l", null], true]
        [["$array_contains", "@e", 1], null]
        [["$array_contains_all", "@l", []], true]
        [["$equal_any", "@none", [1]], false]
        [["$not_equal_any", "@none", [1]], true]
        [["$equal_any", null, [null]], true]
        [["$equal_any", 1, "@none"], null]
        [["$array_filter", "@l", "x", ["$greater_than", "?x", 1]], [3, 2]]
        [["$array_transform", "@l", "x", ["$add", "?x", "@n"]], [10, 8, null, 9]]
        [["$array_transform", "@l", "x", "i", "?i"], [0, 1, 2, 3]]
        [["$array_filter", "@l", "x", "?x"], "!needs a boolean"]
        [["$array_filter", "@none", "x", true], null]
        [["$array", "@n", "@none"], [7, null]]
        "##,
    ),
    (
        "Maps",
        r##"
        [["$map", "a", "@n", "b", "@none"], {"a": 7}]
        [["$map", "a", 1, "a", 2], "!comes twice"]
        [["$map_get", "@m", "z"], {"absent": true}]
        [["$map_get", "@n", "a"], {"absent": true}]
        [["$map_set", "@m", "a", "@none", "z", null], {"b": {"c": 2}, "z": null}]
        [["$map_merge", "@m", {"a": 2}], {"a": 2, "b": {"c": 2}}]
        [["$map_remove", "@m", "b", "q"], {"a": 1}]
        [["$map_keys", "@v"], "!needs a map, and got a value of type vector"]
        [["$map_entries", {"k": 1}], [{"k": "k", "v": 1}]]
        "##,
    ),
    (
        "Three answers: what settles it does so whatever the others are",
        r##"
        [["$and", "@yes", "@e"], null]
        [["$and", "@no", "@e"], false]
        [["$and", ["$equal", ["$divide", 1, 0], 1], "@no"], false]
        [["$and", ["$equal", ["$divide", 1, 0], 1], "@yes"], "!division by zero"]
        [["$or", "@e", "@yes"], true]
        [["$or", "@e", "@no"], null]
        [["$nor", "@no", "@no"], true]
        [["$nor", "@no", "@e"], null]
        [["$xor", "@yes", "@yes", "@yes"], true]
        [["$xor", "@yes", "@none"], null]
        [["$not", "@e"], null]
        [["$not", "@n"], "!needs a boolean"]
        [["$conditional", "@e", 1, 2], 2]
        [["$switch_on", "@no", 1, "@yes", 2, 3], 2]
        [["$switch_on", "@no", 1, 3], 3]
        [["$switch_on", "@no", 1], "!all switch cases evaluate to false"]
        [["$equal", "@none", null], false]
        [["$equal", "@none", "@gone"], true]
        [["$equal", 1, 1.0], true]
        [["$equal", ["$sqrt", "NaN"], "NaN"], true]
        [["$less_than", "@t", 5], false]
        [["$greater_than_or_equal", "@e", null], true]
        [["$between", "@n", 7, 8], true]
        [["$cmp", "@none", null], 0]
        [["$cmp", 1, "a"], -1]
        [["$exists", "@e"], true]
        [["$exists", "@none"], false]
        [["$is_error", ["$divide", 1, 0]], true]
        [["$is_error", "@none"], false]
        [["$if_error", ["$error", "no"], "else"], "else"]
        [["$error", "because"], "!error: because"]
        [["$if_absent", "@e", 1], null]
        [["$if_null", "@none", 1], 1]
        [["$coalesce", "@none", "@e", "@n"], 7]
        [["$coalesce", "@e", "@none"], {"absent": true}]
        [["$type", "@e"], "null"]
        [["$storage_size", "@t"], 12]
        [["$type", "@none"], null]
        [["$type", "@v"], "vector"]
        [["$is_type", "@n", "number"], true]
        [["$is_type", "@n", "float64"], false]
        [["$is_type", "@n", "int32"], false]
        [["$is_type", "@n", "numbre"], "!no type 'numbre'"]
        "##,
    ),
    (
        "Names, vectors",
        r##"
        [["$document_id", "@__name__"], "a"]
        [["$collection_id", "#c/d/e/f"], "e"]
        [["$document_id", ["$parent", "#c/d/e/f"]], "d"]
        [["$parent", "#c/d"], null]
        [["$document_id", "@t"], "!needs a reference"]
        [["$vector_length", "@v"], 2]
        [["$euclidean_distance", "@v", {"vector": [0, 0]}], 5.0]
        [["$dot_product", "@v", {"vector": [1]}], "!the vectors have 2 and 1 elements"]
        [["$cosine_distance", "@v", {"vector": [0, 0]}], "!no such distance"]
        [["$manhattan_distance", "@v", {"vector": [1, 1]}], 5.0]
        "##,
    ),
    (
        "Times",
        r##"
        [["$timestamp_to_unix_millis", ["$unix_micros_to_timestamp", -1]], -1]
        [["$unix_seconds_to_timestamp", 999999999999], "!years 1 to 9999"]
        [["$timestamp_diff", ["$unix_seconds_to_timestamp", 0], ["$unix_seconds_to_timestamp", 119], "minute"], -1]
        [["$timestamp_add", ["$unix_seconds_to_timestamp", 0], "month", 1], "!'month' is no unit"]
        "##,
    ),
];

#[tokio::test]
async fn functions_of_what_is_there_and_what_is_not() {
    let world = world();
    let row = json!({"n": 7, "f": 2.5, "t": "Grüße😀", "e": null, "l": [3, 1, null, 2], "m": {"a": 1, "b": {"c": 2}}, "v": {"vector": [3, 4]}, "yes": true, "no": false});
    world.commit(vec![put("c/a", row)]).await.expect("a document");
    let given = |expression: &Json| of("c", json!([["select", {"it": expression}]]));
    let absent = json!({"absent": true});
    let rows = ROWS.iter().flat_map(|(what, rows)| rows.lines().map(str::trim).filter(|row| !row.is_empty()).map(move |row| (what, row)));
    let mut wrong = Vec::new();
    for (what, row) in rows {
        let line: Json = serde_json::from_str(row).unwrap_or_else(|error| panic!("{what}: {row}: {error}"));
        let (expression, wanted) = (&line[0], &line[1]);
        let outcome = world.outputs(&given(expression)).await.map(|outputs| outputs[0].fields.get("it").cloned());
        let is_right = match (&outcome, wanted) {
            (Err(error), Json::String(text)) if text.starts_with('!') => error.contains(&text[1..]),
            (Ok(found), wanted) if *wanted == absent => found.is_none(),
            (Ok(found), wanted) if wanted == "inf" => *found == Some(Value::Double(f64::INFINITY)),
            (Ok(found), wanted) => *found == Some(value(wanted)),
            (Err(_), _) => false,
        };
        if !is_right {
            wrong.push(format!("{what}: {row} came to {outcome:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn times_are_cut_and_taken_apart_where_clocks_show_them() {
    let world = world();
    world.commit(vec![put("c/a", json!({}))]).await.expect("a document");
    let at = |text: &str| {
        let at = chrono::DateTime::parse_from_rfc3339(text).expect("a time");
        json!(["$unix_micros_to_timestamp", at.timestamp_micros()])
    };
    let check = async |expression: Json, wanted: Json| {
        let outputs = world.outputs(&of("c", json!([["select", {"it": expression}]]))).await.expect("a value");
        assert_eq!(outputs[0].fields.get("it"), Some(&value(&wanted)), "{expression}");
    };
    let cut = async |from: &str, unit: &str, zone: &str, wanted: &str| {
        let micros = chrono::DateTime::parse_from_rfc3339(wanted).expect("a time").timestamp_micros();
        check(json!(["$timestamp_to_unix_micros", ["$timestamp_trunc", at(from), unit, zone]]), json!(micros)).await;
    };
    cut("2025-11-30T01:02:03.456789Z", "millisecond", "UTC", "2025-11-30T01:02:03.456Z").await;
    cut("2025-11-30T01:02:03.456789Z", "day", "MST", "2025-11-29T07:00:00Z").await;
    cut("2025-11-30T01:02:03.456789Z", "hour", "Asia/Kathmandu", "2025-11-30T00:15:00Z").await;
    cut("2025-11-30T01:02:03Z", "week", "UTC", "2025-11-30T00:00:00Z").await;
    cut("2025-11-30T01:02:03Z", "week(monday)", "UTC", "2025-11-24T00:00:00Z").await;
    cut("2025-11-30T01:02:03Z", "isoweek", "+02:00", "2025-11-23T22:00:00Z").await;
    cut("2025-11-30T01:02:03Z", "quarter", "UTC", "2025-10-01T00:00:00Z").await;
    cut("2025-12-30T01:02:03Z", "isoyear", "UTC", "2025-12-29T00:00:00Z").await;
    // A day that begins at one o'clock, because clocks were put forward at midnight.
    cut("2018-11-04T12:00:00Z", "day", "America/Sao_Paulo", "2018-11-04T03:00:00Z").await;
    // An hour that clocks show twice.
    cut("2025-11-02T09:30:00Z", "hour", "America/Los_Angeles", "2025-11-02T09:00:00Z").await;
    for (part, wanted) in [
        ("year", 2025),
        ("isoyear", 2026),
        ("month", 12),
        ("quarter", 4),
        ("dayofweek", 4),
        ("dayofyear", 365),
        ("isoweek", 1),
        ("week", 52),
        ("week(monday)", 52),
        ("day", 31),
        ("hour", 23),
        ("millisecond", 456),
        ("microsecond", 456_789),
    ] {
        check(json!(["$timestamp_extract", at("2025-12-31T23:02:03.456789Z"), part]), json!(wanted)).await;
    }
    let error = world
        .outputs(&of("c", json!([["select", {"it": ["$timestamp_extract", at("2025-01-01T00:00:00Z"), "hour", "Mars/Olympus"]}]])))
        .await
        .expect_err("no zone");
    assert!(error.contains("there is no time zone 'Mars/Olympus'"), "{error}");
}
