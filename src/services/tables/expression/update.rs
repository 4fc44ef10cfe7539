//! Updates: `SET`, `REMOVE`, `ADD`, `DELETE`, and what they make of an item.

use super::super::path::Path;
use super::super::value::{Item, Kind as ValueKind, Value};
use super::Scope;
use super::lexer::Kind;
use super::parser::{Parser, note};

/// What to change. All values are worked out on the item as it was.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Update {
    pub sets: Vec<(Path, Amount)>,
    pub removes: Vec<Path>,
    pub adds: Vec<(Path, Value)>,
    pub deletes: Vec<(Path, Value)>,
}

/// The right-hand side of a `SET`.
#[derive(Clone, Debug, PartialEq)]
pub enum Amount {
    Just(Term),
    Sum(Term, Term),
    Difference(Term, Term),
}

/// A value of an update.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Path(Path),
    Value(Value),
    IfNotExists(Path, Box<Term>),
    ListAppend(Box<Term>, Box<Term>),
    /// A mistake was noted.
    Wrong,
}

pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Update, String> {
    let mut parser = Parser::new(text, scope)?;
    let mut update = Update::default();
    let mut paths = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    while parser.peek().kind != Kind::End {
        let Some(section) = ["SET", "REMOVE", "ADD", "DELETE"].into_iter().find(|section| parser.is_word(section)) else {
            return Err(parser.unexpected());
        };
        parser.next();
        if seen.contains(&section) {
            note(&mut parser.mistakes.section, || format!("The \"{section}\" section can only be used once in an update expression;"));
        }
        seen.push(section);
        loop {
            let path = parser.path()?;
            parser.note_clash(&paths, &path);
            paths.push(path.clone());
            match section {
                "SET" => {
                    parser.expect_mark("=")?;
                    parser.operator();
                    update.sets.push((path, amount(&mut parser)?));
                }
                "REMOVE" => update.removes.push(path),
                _ => {
                    let Some(value) = parser.take_value() else { return Err(parser.unexpected()) };
                    parser.operator();
                    note_member_type(&mut parser, section, &value);
                    if section == "ADD" { update.adds.push((path, value)) } else { update.deletes.push((path, value)) }
                }
            }
            if !parser.take_mark(",") {
                break;
            }
        }
    }
    parser.end()?;
    let m = std::mem::take(&mut parser.mistakes);
    let mistake = m
        .reserved
        .or(m.unknown_function)
        .or(m.section)
        .or(m.name)
        .or(m.value)
        .or(m.overlap)
        .or(m.conflict)
        .or(m.operand)
        .or(m.misused_function)
        .or(m.function);
    mistake.map_or(Ok(update), Err)
}

fn note_member_type(parser: &mut Parser<'_, '_>, section: &str, value: &Value) {
    let set = matches!(value.kind(), ValueKind::Ss | ValueKind::Ns | ValueKind::Bs);
    if set || (section == "ADD" && value.kind() == ValueKind::N) || parser.mistakes.value.is_some() {
        return;
    }
    note(&mut parser.mistakes.function, || {
        format!(
            "Incorrect operand type for operator or function; operator: {section}, operand type: {}, typeSet: ALLOWED_FOR_{section}_OPERAND",
            value.kind().word()
        )
    });
}

fn amount(parser: &mut Parser<'_, '_>) -> Result<Amount, String> {
    if parser.is_mark("(") {
        parser.next();
        parser.enter()?;
        let amount = amount(parser)?;
        parser.expect_mark(")")?;
        parser.leave();
        return Ok(amount);
    }
    let left = term(parser)?;
    let operator = parser.peek();
    if operator.kind != Kind::Mark || !matches!(operator.text, "+" | "-") {
        return Ok(Amount::Just(left));
    }
    parser.next();
    parser.operator();
    let right = term(parser)?;
    for side in [&left, &right] {
        if let Some(kind) = side.literal().filter(|kind| *kind != ValueKind::N) {
            note(&mut parser.mistakes.function, || incorrect(operator.text, kind));
        }
    }
    Ok(if operator.text == "+" { Amount::Sum(left, right) } else { Amount::Difference(left, right) })
}

fn incorrect(operator: &str, kind: ValueKind) -> String {
    format!("Incorrect operand type for operator or function; operator or function: {operator}, operand type: {}", kind.label())
}

impl Term {
    /// The type it will surely have.
    fn literal(&self) -> Option<ValueKind> {
        match self {
            Term::Value(value) => Some(value.kind()),
            Term::ListAppend(..) => Some(ValueKind::L),
            Term::Path(_) | Term::IfNotExists(..) | Term::Wrong => None,
        }
    }
}

fn term(parser: &mut Parser<'_, '_>) -> Result<Term, String> {
    if let Some(value) = parser.take_value() {
        return Ok(Term::Value(value));
    }
    let second = parser.peek_second();
    if parser.peek().kind == Kind::Word && second.kind == Kind::Mark && second.text == "(" {
        return call(parser);
    }
    Ok(Term::Path(parser.path()?))
}

fn call(parser: &mut Parser<'_, '_>) -> Result<Term, String> {
    let name = parser.next().text;
    parser.next();
    parser.operator();
    parser.enter()?;
    let mut arguments = Vec::new();
    if !parser.is_mark(")") {
        loop {
            arguments.push(term(parser)?);
            if !parser.take_mark(",") {
                break;
            }
        }
    }
    parser.expect_mark(")")?;
    parser.leave();
    let count = arguments.len();
    let mut arguments = arguments.into_iter();
    let (first, second) = (arguments.next(), arguments.next());
    match (name, first, second) {
        ("if_not_exists" | "list_append", first, second) if count != 2 || first.is_none() || second.is_none() => {
            note(&mut parser.mistakes.operand, || {
                format!("Incorrect number of operands for operator or function; operator or function: {name}, number of operands: {count}")
            });
            Ok(Term::Wrong)
        }
        ("if_not_exists", Some(Term::Path(path)), Some(second)) => Ok(Term::IfNotExists(path, Box::new(second))),
        ("if_not_exists", ..) => {
            note(&mut parser.mistakes.function, || format!("Operator or function requires a document path; operator or function: {name}"));
            Ok(Term::Wrong)
        }
        ("list_append", Some(first), Some(second)) => {
            for side in [&first, &second] {
                if let Some(kind) = side.literal().filter(|kind| *kind != ValueKind::L) {
                    note(&mut parser.mistakes.function, || incorrect(name, kind));
                }
            }
            Ok(Term::ListAppend(Box::new(first), Box::new(second)))
        }
        ("attribute_exists" | "attribute_not_exists" | "attribute_type" | "begins_with" | "contains" | "size", ..) => {
            note(&mut parser.mistakes.misused_function, || {
                format!("The function is not allowed in an update expression; function: {name}")
            });
            Ok(Term::Wrong)
        }
        _ => {
            note(&mut parser.mistakes.unknown_function, || format!("Invalid function name; function: {name}"));
            Ok(Term::Wrong)
        }
    }
}

const MISSING: &str = "The provided expression refers to an attribute that does not exist in the item";
const WRONG_TYPE: &str = "An operand in the update expression has an incorrect data type";
const NO_WAY: &str = "The document path provided in the update expression is invalid for update";

impl Term {
    fn resolve(&self, item: &Item) -> Result<Value, String> {
        match self {
            Term::Path(path) => path.find(item).cloned().ok_or_else(|| MISSING.to_owned()),
            Term::Value(value) => Ok(value.clone()),
            Term::IfNotExists(path, other) => match path.find(item) {
                Some(value) => Ok(value.clone()),
                None => other.resolve(item),
            },
            Term::ListAppend(a, b) => match (a.resolve(item)?, b.resolve(item)?) {
                (Value::L(mut a), Value::L(b)) => {
                    a.extend(b);
                    Ok(Value::L(a))
                }
                _ => Err(WRONG_TYPE.to_owned()),
            },
            Term::Wrong => Err(WRONG_TYPE.to_owned()),
        }
    }
}

impl Amount {
    fn resolve(&self, item: &Item) -> Result<Value, String> {
        let (left, right, minus) = match self {
            Amount::Just(term) => return term.resolve(item),
            Amount::Sum(left, right) => (left, right, false),
            Amount::Difference(left, right) => (left, right, true),
        };
        let (Value::N(a), Value::N(b)) = (left.resolve(item)?, right.resolve(item)?) else { return Err(WRONG_TYPE.to_owned()) };
        let result = if minus { a.minus(b) } else { a.plus(b) };
        result.map(Value::N).map_err(|error| error.to_string())
    }
}

impl Update {
    /// Every path that it may change.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.sets.iter().map(|(path, _)| path).chain(&self.removes).chain(self.adds.iter().chain(&self.deletes).map(|(path, _)| path))
    }

    /// Changes `item`. Fails with the service's text where the item is not such that this can be done; it is then half changed.
    pub fn apply(&self, item: &mut Item) -> Result<(), String> {
        let values =
            self.sets.iter().map(|(path, amount)| amount.resolve(item).map(|value| (path, value))).collect::<Result<Vec<_>, _>>()?;
        let added = self.adds.iter().map(|(path, value)| Ok((path, Some(add(path.find(item), value)?))));
        let deleted = self.deletes.iter().filter_map(|(path, value)| Some((path, path.find(item)?, value)));
        let deleted = deleted.map(|(path, old, value)| Ok((path, delete(old, value)?)));
        let members = added.chain(deleted).collect::<Result<Vec<_>, String>>()?;
        let done = |done: bool| if done { Ok(()) } else { Err(NO_WAY.to_owned()) };
        let mut ordered: Vec<(&Path, Value)> = values;
        // Elements beyond the end of a list are appended in the order of their indexes.
        ordered.sort_by(|a, b| a.0.cmp(b.0));
        for (path, value) in ordered {
            done(path.set(item, value))?;
        }
        for (path, value) in members {
            done(match value {
                Some(value) => path.set(item, value),
                None => path.remove(item),
            })?;
        }
        // Higher indexes first, so that the lower ones still mean the same elements.
        let mut removes: Vec<&Path> = self.removes.iter().collect();
        removes.sort_by(|a, b| b.cmp(a));
        for path in removes {
            done(path.remove(item))?;
        }
        Ok(())
    }
}

/// What `ADD` makes of what there is.
pub fn add(old: Option<&Value>, value: &Value) -> Result<Value, String> {
    fn union<T: Clone + Ord>(a: &[T], b: &[T]) -> Vec<T> {
        let mut all: Vec<T> = a.iter().chain(b).cloned().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
    match (old, value) {
        (None, value) => Ok(value.clone()),
        (Some(Value::N(a)), Value::N(b)) => a.plus(*b).map(Value::N).map_err(|error| error.to_string()),
        (Some(Value::Ss(a)), Value::Ss(b)) => Ok(Value::Ss(union(a, b))),
        (Some(Value::Ns(a)), Value::Ns(b)) => Ok(Value::Ns(union(a, b))),
        (Some(Value::Bs(a)), Value::Bs(b)) => Ok(Value::Bs(union(a, b))),
        _ => Err(WRONG_TYPE.to_owned()),
    }
}

/// What `DELETE` leaves of a set; `None` where that is nothing.
pub fn delete(old: &Value, value: &Value) -> Result<Option<Value>, String> {
    fn without<T: Clone + PartialEq>(a: &[T], b: &[T]) -> Option<Vec<T>> {
        let left: Vec<T> = a.iter().filter(|member| !b.contains(member)).cloned().collect();
        (!left.is_empty()).then_some(left)
    }
    match (old, value) {
        (Value::Ss(a), Value::Ss(b)) => Ok(without(a, b).map(Value::Ss)),
        (Value::Ns(a), Value::Ns(b)) => Ok(without(a, b).map(Value::Ns)),
        (Value::Bs(a), Value::Bs(b)) => Ok(without(a, b).map(Value::Bs)),
        _ => Err(WRONG_TYPE.to_owned()),
    }
}
