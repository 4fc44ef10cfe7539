use proptest::prelude::*;

use super::super::value::{Item, Value};
use super::*;

fn item() -> Item {
    let map = Item::new(vec![("x".into(), n(1)), ("items_".into(), Value::L(vec![s("p"), s("q"), s("r")]))]);
    Item::new(vec![
        ("a".into(), n(5)),
        ("b".into(), s("bee")),
        ("m".into(), Value::M(map)),
        ("l".into(), Value::L(vec![n(1), n(2)])),
        ("tags".into(), Value::Ss(vec!["t1".into(), "t2".into()])),
    ])
}

fn n(value: i64) -> Value {
    Value::N(value.into())
}

fn s(text: &str) -> Value {
    Value::S(text.into())
}

fn substitutes() -> Substitutes {
    let names = [("#a", "a"), ("#size", "size")];
    let values = [
        (":n1", n(1)),
        (":n5", n(5)),
        (":n9", n(9)),
        (":s", s("bee")),
        (":be", s("be")),
        (":l", Value::L(vec![n(3)])),
        (":t", Value::Ss(vec!["t2".into(), "t3".into()])),
        (":N", s("N")),
        (":bool", Value::Bool(true)),
    ];
    Substitutes {
        names: Some(names.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()),
        values: Some(values.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).collect()),
    }
}

fn condition(text: &str, wanted: &str) {
    let substitutes = substitutes();
    let scope = substitutes.open().expect("well-formed");
    let got = scope.condition(text).map_or_else(|e| e, |c| c.holds(&item()).to_string());
    assert_eq!(got.strip_prefix("Invalid ConditionExpression: ").unwrap_or(&got), wanted, "{text}");
}

#[test]
fn conditions_hold_or_not() {
    for (text, wanted) in [
        ("a = :n5", "true"),
        ("#a <> :n5", "false"),
        ("absent <> :n5", "true"),
        ("a < :s", "false"),
        ("NOT a < :s", "true"),
        ("a BETWEEN :n1 AND :n9 AND b = :s", "true"),
        ("a IN (:n1, :n5)", "true"),
        ("begins_with(b, :be)", "true"),
        ("contains(tags, :s) or contains(b, :be)", "true"),
        ("attribute_exists(m.x) AND attribute_not_exists(m.y)", "true"),
        ("attribute_type(a, :N)", "true"),
        ("size(b) > :n1", "true"),
        (":n1 < size(m.items_)", "true"),
        ("m.items_[1] = m.items_[1].x", "false"),
        ("a = :n1 OR a = :n5 AND b = :be", "false"),
        ("(a = :n1 OR a = :n5) AND b = :s", "true"),
        ("NOT (a = :n1) AND NOT NOT b = :s", "true"),
        ("(a) = (:n5)", "true"),
        ("((a = :n1) OR (a = :n5))", "true"),
    ] {
        condition(text, wanted);
    }
}

#[test]
fn mistakes_in_conditions_are_told_in_the_service_s_order() {
    for (text, wanted) in [
        ("", "The expression can not be empty;"),
        ("a", "Syntax error; token: \"<EOF>\", near: \"a\""),
        ("a =", "Syntax error; token: \"<EOF>\", near: \"=\""),
        ("a = = :n1", "Syntax error; token: \"=\", near: \"= = :n1\""),
        ("a = :n1 ! b", "Syntax error; token: \"!\", near: \":n1 ! b\""),
        ("((a = :n1))", "The expression has redundant parentheses;"),
        ("((nope(a)))", "The expression has redundant parentheses;"),
        ("nope(abort) = :undefined", "Invalid function name; function: nope"),
        ("size(a)", "Syntax error; token: \"<EOF>\", near: \")\""),
        ("attribute_exists(a) = :n1", "The function is not allowed to be used this way in an expression; function: attribute_exists"),
        ("contains(size(a), :n1)", "The function is not allowed to be used this way in an expression; function: size"),
        ("Abort = :undefined", "Attribute name is a reserved keyword; reserved keyword: Abort"),
        ("#z = :undefined", "An expression attribute name used in the document path is not defined; attribute name: #z"),
        (":undefined = #z", "An expression attribute value used in expression is not defined; attribute value: :undefined"),
        (
            "attribute_exists(a, b)",
            "Incorrect number of operands for operator or function; operator or function: attribute_exists, number of operands: 2",
        ),
        (
            "a = a",
            "The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]",
        ),
        ("a < :bool", "Incorrect operand type for operator or function; operator or function: <, operand type: BOOL"),
        ("begins_with(b, :n1)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"),
        ("attribute_exists(:n1)", "Operator or function requires a document path; operator or function: attribute_exists"),
        ("attribute_type(a, :s)", "Invalid attribute type name found; type: bee, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}"),
        (
            "a BETWEEN :n9 AND :n1",
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; \
             lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {N:1}",
        ),
        (
            "a BETWEEN :n9 AND :s",
            "The BETWEEN operator requires same data type for lower and upper bounds; \
             lower bound operand: AttributeValue: {N:9}, upper bound operand: AttributeValue: {S:bee}",
        ),
    ] {
        condition(text, wanted);
    }
    let many = vec!["a = :n1"; 152].join(" OR ");
    condition(&many, "The expression contains too many operators; operator count: 303");
    let deep = format!("{}a = :n1{}", "(".repeat(1500), ")".repeat(1500));
    condition(&deep, "The expression contains too many operators; operator count: 301");
    condition(&"a".repeat(4097), "Expression size has exceeded the maximum allowed size; expression size: 4097");
}

fn update(text: &str, look: &str, wanted: &str) {
    let substitutes = substitutes();
    let scope = substitutes.open().expect("well-formed");
    let mut item = item();
    let done = scope.update(text).and_then(|update| update.apply(&mut item));
    let got = done.map_or_else(
        |e| e,
        |()| scope.projection(look).map(|paths| Value::M(super::super::path::project(&item, &paths)).to_string()).unwrap_or_else(|e| e),
    );
    assert_eq!(got.strip_prefix("Invalid UpdateExpression: ").unwrap_or(&got), wanted, "{text}");
}

#[test]
fn updates_read_the_old_item_and_change_the_new() {
    for (text, look, wanted) in [
        ("SET a = b, b = a", "a, b", "{M:{a={S:bee}, b={N:5}}}"),
        ("set a = a + :n1 remove b", "a, b", "{M:{a={N:6}}}"),
        ("SET a = :n1 - a", "a", "{M:{a={N:-4}}}"),
        ("SET c = if_not_exists(c, :n1) + a", "c", "{M:{c={N:6}}}"),
        ("SET l = list_append(l, :l)", "l", "{M:{l={L:[{N:1}, {N:2}, {N:3}]}}}"),
        ("SET c = list_append(if_not_exists(c, :l), :l)", "c", "{M:{c={L:[{N:3}, {N:3}]}}}"),
        ("SET l[9] = :n9, l[7] = :n5, l[0] = :s", "l", "{M:{l={L:[{S:bee}, {N:2}, {N:5}, {N:9}]}}}"),
        ("REMOVE l[0], m.items_[0], m.items_[2]", "l, m.items_", "{M:{l={L:[{N:2}]}, m={M:{items_={L:[{S:q}]}}}}}"),
        ("ADD a :n9, tags :t, c :n1", "a, tags, c", "{M:{a={N:14}, c={N:1}, tags={SS:[t1, t2, t3]}}}"),
        ("DELETE tags :t, c :t", "tags, c", "{M:{tags={SS:[t1]}}}"),
        ("SET m.fresh = :s", "m.fresh", "{M:{m={M:{fresh={S:bee}}}}}"),
        ("SET a = c", "a", "The provided expression refers to an attribute that does not exist in the item"),
        ("SET a = b + :n1", "a", "An operand in the update expression has an incorrect data type"),
        ("SET c.d = :n1", "a", "The document path provided in the update expression is invalid for update"),
        ("REMOVE c.d", "a", "The document path provided in the update expression is invalid for update"),
        ("ADD b :n1", "a", "An operand in the update expression has an incorrect data type"),
    ] {
        update(text, look, wanted);
    }
}

#[test]
fn mistakes_in_updates_are_told_in_the_service_s_order() {
    for (text, wanted) in [
        ("", "The expression can not be empty;"),
        ("SET", "Syntax error; token: \"<EOF>\", near: \"SET\""),
        ("a = :n1", "Syntax error; token: \"a\", near: \"a =\""),
        ("SET a = :n1 + :n1 + :n1", "Syntax error; token: \"+\", near: \":n1 + :n1\""),
        ("SET abort = nope(a) SET b = :undefined", "Attribute name is a reserved keyword; reserved keyword: abort"),
        ("SET a = nope(a) SET b = :undefined", "Invalid function name; function: nope"),
        ("SET a = :undefined SET b = :n1", "The \"SET\" section can only be used once in an update expression;"),
        ("SET a = :undefined, #z = :n1", "An expression attribute name used in the document path is not defined; attribute name: #z"),
        ("SET a = :undefined, a.b = :n1", "An expression attribute value used in expression is not defined; attribute value: :undefined"),
        (
            "SET a = :n1, a.b = :n1",
            "Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]",
        ),
        (
            "SET a.b = :n1 REMOVE a[0]",
            "Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a, [0]]",
        ),
        (
            "SET a = list_append(l)",
            "Incorrect number of operands for operator or function; operator or function: list_append, number of operands: 1",
        ),
        ("SET a = :s + :n1", "Incorrect operand type for operator or function; operator or function: +, operand type: S"),
        (
            "ADD a :s",
            "Incorrect operand type for operator or function; operator: ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND",
        ),
        (
            "DELETE a :n1",
            "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND",
        ),
    ] {
        update(text, "a", wanted);
    }
}

#[test]
fn names_and_values_that_are_not_used_are_refused() {
    let substitutes = substitutes();
    let scope = substitutes.open().expect("well-formed");
    scope.condition("#a = :s").expect("a condition");
    let wanted = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#size}";
    assert_eq!(scope.close(), Err(wanted.to_owned()));
    let bad = Substitutes { names: Some(vec![("a".into(), "b".into())]), values: None };
    assert_eq!(bad.open().err(), Some("ExpressionAttributeNames contains invalid key: Syntax error; key: \"a\"".to_owned()));
}

proptest! {
    #[test]
    fn arbitrary_expressions_never_panic(
        text in proptest::collection::vec(
            prop_oneof![
                "[ -~é]{0,3}",
                proptest::sample::select(vec!["a", "b.c[0]", "#a", ":n1", ":s", "=", "<", "(", ")", ",", "AND", "OR", "NOT", "BETWEEN", "IN", "size",
                    "contains", "attribute_exists", "SET", "REMOVE", "ADD", "DELETE", "+", "-", "list_append", "if_not_exists"]).prop_map(str::to_owned),
            ],
            0..20,
        )
    ) {
        let text = text.join(" ");
        let substitutes = substitutes();
        let scope = substitutes.open().expect("well-formed");
        let _ = scope.condition(&text).map(|condition| condition.holds(&item()));
        let _ = scope.key_condition(&text);
        let _ = scope.projection(&text);
        let _ = scope.update(&text).map(|update| update.apply(&mut item()));
    }
}
