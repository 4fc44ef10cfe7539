//! What operators and functions of conditions accept.

use super::super::value::{Kind, Value};
use super::condition::{Comparison, Condition, Operand};
use super::parser::{Mistakes, note};

/// What a function call is.
pub enum Called {
    Condition(Condition),
    Operand(Operand),
}

fn literal(operand: &Operand) -> Option<Kind> {
    match operand {
        Operand::Value(value) => Some(value.kind()),
        Operand::Size(_) => Some(Kind::N),
        Operand::Path(_) => None,
    }
}

fn note_type(mistakes: &mut Mistakes, operator: &str, operand: &Operand, allowed: &[Kind]) {
    if let Some(kind) = literal(operand).filter(|kind| !allowed.contains(kind)) {
        note(&mut mistakes.function, || {
            format!("Incorrect operand type for operator or function; operator or function: {operator}, operand type: {}", kind.label())
        });
    }
}

fn note_distinct(mistakes: &mut Mistakes, operator: &str, first: &Operand, others: &[&Operand]) {
    if matches!(first, Operand::Path(_)) && others.contains(&first) {
        note(&mut mistakes.distinct, || {
            format!(
                "The first operand must be distinct from the remaining operands for this operator or function; operator: {operator}, first operand: {first}"
            )
        });
    }
}

const ORDERED: &[Kind] = &[Kind::S, Kind::N, Kind::B];

pub fn compare(mistakes: &mut Mistakes, comparison: Comparison, left: Option<Operand>, right: Option<Operand>) -> Option<Condition> {
    let (left, right) = (left?, right?);
    note_distinct(mistakes, comparison.symbol(), &left, &[&right]);
    if !matches!(comparison, Comparison::Equal | Comparison::NotEqual) {
        note_type(mistakes, comparison.symbol(), &left, ORDERED);
        note_type(mistakes, comparison.symbol(), &right, ORDERED);
    }
    Some(Condition::Compare(comparison, left, right))
}

pub fn between(mistakes: &mut Mistakes, value: Option<Operand>, low: Option<Operand>, high: Option<Operand>) -> Option<Condition> {
    let (value, low, high) = (value?, low?, high?);
    note_distinct(mistakes, "BETWEEN", &value, &[&low, &high]);
    for operand in [&value, &low, &high] {
        note_type(mistakes, "BETWEEN", operand, ORDERED);
    }
    if let (Operand::Value(a), Operand::Value(b)) = (&low, &high) {
        let bounds = format!("lower bound operand: {low}, upper bound operand: {high}");
        match a.order(b) {
            _ if a.kind() != b.kind() => {
                note(&mut mistakes.function, || {
                    format!("The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
                });
            }
            Some(std::cmp::Ordering::Greater) => {
                note(&mut mistakes.function, || {
                    format!("The BETWEEN operator requires upper bound to be greater than or equal to lower bound; {bounds}")
                });
            }
            _ => {}
        }
    }
    Some(Condition::Between(value, low, high))
}

const FUNCTIONS: &[(&str, usize)] =
    &[("attribute_exists", 1), ("attribute_not_exists", 1), ("attribute_type", 2), ("begins_with", 2), ("contains", 2), ("size", 1)];

/// Makes a call of its arguments; `None` where it is none. `whole` says that no argument was left out for a mistake of its own.
pub fn call(mistakes: &mut Mistakes, name: &str, arguments: Vec<Operand>, whole: bool) -> Option<Called> {
    let Some((_, count)) = FUNCTIONS.iter().find(|(known, _)| *known == name) else {
        note(&mut mistakes.unknown_function, || format!("Invalid function name; function: {name}"));
        return None;
    };
    if !whole {
        return None;
    }
    if arguments.len() != *count {
        note(&mut mistakes.operand, || {
            format!(
                "Incorrect number of operands for operator or function; operator or function: {name}, number of operands: {}",
                arguments.len()
            )
        });
        return None;
    }
    let mut arguments = arguments.into_iter();
    let (first, second) = (arguments.next()?, arguments.next());
    if let Some(second) = &second {
        note_distinct(mistakes, name, &first, &[second]);
    }
    Some(Called::Condition(match (name, second) {
        ("size", None) => {
            note_type(mistakes, name, &first, &[Kind::S, Kind::B, Kind::Ss, Kind::Ns, Kind::Bs, Kind::M, Kind::L]);
            return Some(Called::Operand(Operand::Size(Box::new(first))));
        }
        ("begins_with", Some(second)) => {
            note_type(mistakes, name, &first, &[Kind::S, Kind::B]);
            note_type(mistakes, name, &second, &[Kind::S, Kind::B]);
            Condition::BeginsWith(first, second)
        }
        ("contains", Some(second)) => {
            note_type(mistakes, name, &first, &[Kind::S, Kind::B, Kind::Ss, Kind::Ns, Kind::Bs, Kind::L]);
            Condition::Contains(first, second)
        }
        (_, second) => {
            let Operand::Path(path) = first else {
                note(&mut mistakes.function, || format!("Operator or function requires a document path; operator or function: {name}"));
                return None;
            };
            match (name, second) {
                ("attribute_exists", _) => Condition::Exists(path),
                ("attribute_type", Some(second)) => Condition::IsType(path, type_name(mistakes, &second)?),
                _ => Condition::NotExists(path),
            }
        }
    }))
}

fn type_name(mistakes: &mut Mistakes, operand: &Operand) -> Option<Kind> {
    note_type(mistakes, "attribute_type", operand, &[Kind::S]);
    let Operand::Value(Value::S(name)) = operand else {
        note(&mut mistakes.function, || {
            "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: PATH".to_owned()
        });
        return None;
    };
    let kind = Kind::named(name);
    if kind.is_none() {
        note(&mut mistakes.function, || {
            format!("Invalid attribute type name found; type: {name}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}")
        });
    }
    kind
}
