//! The order of values, and that their keys have it.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::{blob, key};
use super::*;

/// Values in their order; those of a row are equal.
fn rows() -> Vec<Vec<Value>> {
    let text = |text: &str| Value::Text(text.to_owned());
    let reference = |path: &str| Value::Reference(database().full(path));
    let at = |seconds, nanos| Value::Timestamp(Timestamp { seconds, nanos });
    let geo = |latitude, longitude| Value::Geo { latitude, longitude };
    let map = |json| value(&json);
    vec![
        vec![Value::Null],
        vec![Value::Bool(false)],
        vec![Value::Bool(true)],
        vec![Value::Double(f64::NAN), Value::Double(-f64::NAN)],
        vec![Value::Double(f64::NEG_INFINITY)],
        vec![Value::Double(-1e300)],
        vec![Value::Int(i64::MIN), Value::Double(-9_223_372_036_854_775_808.0)],
        vec![Value::Int(i64::MIN + 1)],
        vec![Value::Double(-1.5)],
        vec![Value::Int(-1), Value::Double(-1.0)],
        vec![Value::Double(-f64::MIN_POSITIVE)],
        vec![Value::Int(0), Value::Double(0.0), Value::Double(-0.0)],
        vec![Value::Double(f64::MIN_POSITIVE)],
        vec![Value::Int(1), Value::Double(1.0)],
        vec![Value::Double(1.5)],
        vec![Value::Int(9_007_199_254_740_992), Value::Double(9_007_199_254_740_992.0)],
        vec![Value::Int(9_007_199_254_740_993)],
        vec![Value::Int(i64::MAX)],
        vec![Value::Double(9_223_372_036_854_775_808.0)],
        vec![Value::Double(f64::INFINITY)],
        vec![at(-1, 999_999_000)],
        vec![at(0, 0)],
        vec![at(0, 1_000)],
        vec![text("")],
        vec![text("\0")],
        vec![text("\0\0")],
        vec![text("a")],
        vec![text("a\0")],
        vec![text("aa")],
        vec![text("b")],
        vec![text("ä")],
        // By the bytes of UTF-8: U+FFFD comes before what needs two units of UTF-16.
        vec![text("\u{fffd}")],
        vec![text("😀")],
        vec![Value::Bytes(vec![])],
        vec![Value::Bytes(vec![0])],
        vec![Value::Bytes(vec![0, 255])],
        vec![Value::Bytes(vec![1])],
        vec![Value::Bytes(vec![255])],
        vec![reference("a/__id-5__")],
        vec![reference("a/__id7__")],
        vec![reference("a/__id30__")],
        vec![reference("a/a")],
        vec![reference("a/a/a/a")],
        vec![reference("a/b")],
        vec![reference("aa/a")],
        vec![geo(-90.0, 0.0)],
        vec![geo(0.0, -1.0)],
        vec![geo(0.0, 0.0), geo(-0.0, 0.0)],
        vec![geo(1.0, -180.0)],
        vec![map(serde_json::json!([]))],
        vec![map(serde_json::json!([null]))],
        vec![map(serde_json::json!([1]))],
        vec![map(serde_json::json!([1, 2]))],
        vec![map(serde_json::json!([2]))],
        vec![map(serde_json::json!(["a"]))],
        vec![map(serde_json::json!({"vector": [100.0]}))],
        vec![map(serde_json::json!({"vector": [1.0, 2.0]}))],
        vec![map(serde_json::json!({"vector": [1.0, 3.0]}))],
        vec![map(serde_json::json!({}))],
        vec![map(serde_json::json!({"a": 1}))],
        vec![map(serde_json::json!({"a": 1, "b": null}))],
        vec![map(serde_json::json!({"a": 2}))],
        vec![map(serde_json::json!({"aa": 1}))],
        vec![map(serde_json::json!({"b": 0}))],
    ]
}

#[test]
fn every_pair_of_values_is_in_order() {
    let rows = rows();
    for (at, row) in rows.iter().enumerate() {
        for (other_at, other) in rows.iter().enumerate() {
            for (a, b) in row.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                assert_eq!(key::of(a).cmp(&key::of(b)), at.cmp(&other_at), "{a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn keys_end_by_themselves() {
    let keys: Vec<Vec<u8>> = rows().iter().flatten().map(key::of).collect();
    for (a, b) in keys.iter().flat_map(|a| keys.iter().map(move |b| (a, b))) {
        assert!(a == b || !b.starts_with(a), "{a:?} begins {b:?}");
        assert_ne!(a[0], key::AFTER);
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(Value::Int),
        (-5i64..5).prop_map(Value::Int),
        any::<f64>().prop_map(Value::Double),
        (-5i64..5).prop_map(|n| Value::Double(n as f64)),
        any::<i64>().prop_map(|n| Value::Double(n as f64)),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number,
        (-9_999i64..9_999, 0u32..3).prop_map(|(seconds, micros)| Value::Timestamp(Timestamp { seconds, nanos: micros * 1_000 })),
        "[\0ab😀]{0,3}".prop_map(Value::Text),
        proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(255)], 0..4).prop_map(Value::Bytes),
        "[ab]{1,2}/[ab]{1,2}".prop_map(|path| Value::Reference(database().full(&path))),
        (-2i8..2, -2i8..2).prop_map(|(a, b)| Value::Geo { latitude: f64::from(a), longitude: f64::from(b) }),
        proptest::collection::vec(-2i8..2, 0..3).prop_map(|elements| Value::vector(elements.into_iter().map(f64::from))),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            proptest::collection::btree_map("[ab]{1,2}", inner, 0..3).prop_map(Value::Map),
        ]
    })
}

/// The order as it is documented, spelt out.
fn typed(a: &Value, b: &Value) -> Ordering {
    fn rank(value: &Value) -> u8 {
        match value {
            Value::Null => 0,
            Value::Bool(_) => 1,
            Value::Int(_) | Value::Double(_) => 2,
            Value::Timestamp(_) => 3,
            Value::Text(_) => 4,
            Value::Bytes(_) => 5,
            Value::Reference(_) => 6,
            Value::Geo { .. } => 7,
            Value::Array(_) => 8,
            Value::Map(_) if value.as_vector().is_some() => 9,
            Value::Map(_) => 10,
        }
    }
    fn number(a: &Value, b: &Value) -> Ordering {
        match (a, b) {
            (Value::Int(a), Value::Int(b)) => a.cmp(b),
            (Value::Double(a), Value::Double(b)) => match (a.is_nan(), b.is_nan()) {
                (false, false) => a.partial_cmp(b).expect("numbers"),
                (a, b) => b.cmp(&a),
            },
            (Value::Int(a), Value::Double(b)) => {
                if b.is_nan() || *b < -9.3e18 {
                    Ordering::Greater
                } else if *b > 9.3e18 {
                    Ordering::Less
                } else {
                    // What is whole decides, then what is left of it.
                    i128::from(*a).cmp(&(b.floor() as i128)).then(0.0.partial_cmp(&(b - b.floor())).expect("a fraction"))
                }
            }
            _ => number(b, a).reverse(),
        }
    }
    fn all(a: &[Value], b: &[Value]) -> Ordering {
        a.iter().zip(b).map(|(a, b)| typed(a, b)).find(|order| order.is_ne()).unwrap_or_else(|| a.len().cmp(&b.len()))
    }
    match (a, b) {
        (a, b) if rank(a) != rank(b) => rank(a).cmp(&rank(b)),
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Int(_) | Value::Double(_), _) => number(a, b),
        (Value::Timestamp(a), Value::Timestamp(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Value::Bytes(a), Value::Bytes(b)) => a.cmp(b),
        (Value::Reference(a), Value::Reference(b)) => a.split('/').cmp(b.split('/')),
        (Value::Geo { latitude, longitude }, Value::Geo { latitude: other, longitude: far }) => {
            latitude.partial_cmp(other).expect("numbers").then(longitude.partial_cmp(far).expect("numbers"))
        }
        (Value::Array(a), Value::Array(b)) => all(a, b),
        (Value::Map(x), Value::Map(y)) => match (a.as_vector(), b.as_vector()) {
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then_with(|| all(a, b)),
            _ => {
                let pairs = x.iter().zip(y).map(|((a, v), (b, w))| a.as_bytes().cmp(b.as_bytes()).then_with(|| typed(v, w)));
                pairs.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| x.len().cmp(&y.len()))
            }
        },
        _ => Ordering::Equal,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_order_of_keys_is_the_order_of_values(a in any_value(), b in any_value()) {
        prop_assert_eq!(key::of(&a).cmp(&key::of(&b)), typed(&a, &b));
    }

    #[test]
    fn what_is_stored_comes_back(a in any_value(), b in any_value()) {
        let fields: Fields = [("a".to_owned(), a), ("b".to_owned(), b)].into();
        let bytes = blob::encode(&fields);
        let back = blob::decode(&bytes).expect("fields");
        // To the bit, NaN too.
        prop_assert_eq!(blob::encode(&back), bytes);
    }
}
