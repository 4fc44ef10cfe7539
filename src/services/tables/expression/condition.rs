//! Conditions and filters: `OR` < `AND` < `NOT` < comparison, `BETWEEN`, `IN`, functions.

use std::fmt;

use super::super::path::Path;
use super::super::value::{Kind as ValueKind, Value};
use super::Scope;
use super::check;
use super::lexer::Kind;
use super::parser::{Parser, note};

/// Operands of `IN` at most, the first not counted.
const IN_MAX: usize = 100;

/// Something to compare.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Path(Path),
    Value(Value),
    Size(Box<Operand>),
}

/// How to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::NotEqual => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }

    fn written(text: &str) -> Option<Comparison> {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        [Equal, NotEqual, Less, LessOrEqual, Greater, GreaterOrEqual].into_iter().find(|c| c.symbol() == text)
    }

    /// The same with its operands swapped.
    pub fn swapped(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same @ (Comparison::Equal | Comparison::NotEqual) => same,
        }
    }
}

/// A condition on an item.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    Or(Box<Condition>, Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Not(Box<Condition>),
    Compare(Comparison, Operand, Operand),
    Between(Operand, Operand, Operand),
    In(Operand, Vec<Operand>),
    Exists(Path),
    NotExists(Path),
    IsType(Path, ValueKind),
    BeginsWith(Operand, Operand),
    Contains(Operand, Operand),
}

/// What stands where a condition or an operand may stand, before it is known which of them it is.
enum Part {
    Condition(Condition),
    Operand(Operand),
    /// A mistake was noted; parse on to find those that are told first.
    Wrong,
}

pub fn parse(text: &str, scope: &Scope<'_>) -> Result<Condition, String> {
    let mut parser = Parser::new(text, scope)?;
    let condition = disjunction(&mut parser, 0)?;
    parser.end()?;
    let m = std::mem::take(&mut parser.mistakes);
    let mistake = m
        .parentheses
        .or(m.unknown_function)
        .or(m.misused_function)
        .or(m.reserved)
        .or(m.undefined)
        .or(m.operand)
        .or(m.distinct)
        .or(m.function);
    match (mistake, condition) {
        (Some(mistake), _) => Err(mistake),
        (None, Part::Condition(condition)) => Ok(condition),
        (None, Part::Operand(_) | Part::Wrong) => Err(parser.unexpected()),
    }
}

/// `OR` binds at level 0, `AND` at level 1.
fn disjunction(parser: &mut Parser<'_, '_>, level: u8) -> Result<Part, String> {
    let mut left = if level == 0 { disjunction(parser, 1)? } else { negation(parser)? };
    let word = if level == 0 { "OR" } else { "AND" };
    while parser.is_word(word) {
        if matches!(left, Part::Operand(_)) {
            return Err(parser.unexpected());
        }
        parser.next();
        parser.operator();
        let right = if level == 0 { disjunction(parser, 1)? } else { negation(parser)? };
        left = match (left, right) {
            (Part::Condition(a), Part::Condition(b)) if level == 0 => Part::Condition(Condition::Or(Box::new(a), Box::new(b))),
            (Part::Condition(a), Part::Condition(b)) => Part::Condition(Condition::And(Box::new(a), Box::new(b))),
            (_, Part::Operand(_)) => return Err(parser.unexpected()),
            _ => Part::Wrong,
        };
    }
    Ok(left)
}

fn negation(parser: &mut Parser<'_, '_>) -> Result<Part, String> {
    let mut nots = 0;
    while parser.is_word("NOT") && !is_call(parser, "NOT") {
        parser.next();
        parser.operator();
        nots += 1;
    }
    let mut part = comparison(parser)?;
    for _ in 0..nots {
        part = match part {
            Part::Condition(condition) => Part::Condition(Condition::Not(Box::new(condition))),
            Part::Operand(_) => return Err(parser.unexpected()),
            Part::Wrong => Part::Wrong,
        };
    }
    Ok(part)
}

/// `NOT (…)` is a negation, never a call.
fn is_call(parser: &Parser<'_, '_>, except: &str) -> bool {
    let (first, second) = (parser.peek(), parser.peek_second());
    first.kind == Kind::Word && second.text == "(" && second.kind == Kind::Mark && !first.text.eq_ignore_ascii_case(except)
}

fn comparison(parser: &mut Parser<'_, '_>) -> Result<Part, String> {
    let left = primary(parser)?;
    let token = parser.peek();
    if token.kind == Kind::Mark
        && let Some(comparison) = Comparison::written(token.text)
    {
        let left = operand(parser, left)?;
        parser.next();
        parser.operator();
        let right = primary(parser)?;
        let right = operand(parser, right)?;
        return Ok(check::compare(&mut parser.mistakes, comparison, left, right).map_or(Part::Wrong, Part::Condition));
    }
    if parser.is_word("BETWEEN") {
        let value = operand(parser, left)?;
        parser.next();
        parser.operator();
        let low = primary(parser)?;
        let low = operand(parser, low)?;
        if !parser.take_word("AND") {
            return Err(parser.unexpected());
        }
        let high = primary(parser)?;
        let high = operand(parser, high)?;
        return Ok(check::between(&mut parser.mistakes, value, low, high).map_or(Part::Wrong, Part::Condition));
    }
    if parser.is_word("IN") {
        let value = operand(parser, left)?;
        parser.next();
        parser.operator();
        parser.expect_mark("(")?;
        let mut among = Vec::new();
        let mut count = 0;
        loop {
            let part = primary(parser)?;
            among.extend(operand(parser, part)?);
            count += 1;
            if !parser.take_mark(",") {
                break;
            }
        }
        parser.expect_mark(")")?;
        if count > IN_MAX {
            let mistake = format!(
                "Incorrect number of operands for operator or function; operator or function: IN, number of operands: {}",
                count + 1
            );
            note(&mut parser.mistakes.operand, || mistake);
        }
        return Ok(value.filter(|_| among.len() == count).map_or(Part::Wrong, |value| Part::Condition(Condition::In(value, among))));
    }
    Ok(left)
}

/// An operand of something: conditions are none. `None` where a mistake was noted.
fn operand(parser: &mut Parser<'_, '_>, part: Part) -> Result<Option<Operand>, String> {
    match part {
        Part::Operand(operand) => Ok(Some(operand)),
        Part::Wrong => Ok(None),
        Part::Condition(condition) => match condition.function() {
            Some(name) => {
                note(&mut parser.mistakes.misused_function, || misused(name));
                Ok(None)
            }
            None => Err(parser.unexpected()),
        },
    }
}

fn misused(name: &str) -> String {
    format!("The function is not allowed to be used this way in an expression; function: {name}")
}

fn primary(parser: &mut Parser<'_, '_>) -> Result<Part, String> {
    if parser.take_mark("(") {
        parser.enter()?;
        let inner = parser.is_mark("(").then(|| parser.closing());
        let part = disjunction(parser, 0)?;
        if inner.is_some_and(|closing| parser.follows(closing)) {
            note(&mut parser.mistakes.parentheses, || "The expression has redundant parentheses;".to_owned());
        }
        parser.expect_mark(")")?;
        parser.leave();
        return Ok(part);
    }
    if is_call(parser, "") {
        return call(parser);
    }
    if let Some(value) = parser.take_value() {
        return Ok(Part::Operand(Operand::Value(value)));
    }
    Ok(Part::Operand(Operand::Path(parser.path()?)))
}

fn call(parser: &mut Parser<'_, '_>) -> Result<Part, String> {
    let name = parser.next().text.to_owned();
    parser.next();
    parser.operator();
    parser.enter()?;
    let mut arguments = Vec::new();
    let mut count = 0;
    if !parser.is_mark(")") {
        loop {
            let part = primary(parser)?;
            count += 1;
            // A nested function is told by its own mistake.
            if let Part::Operand(Operand::Size(_)) = part {
                note(&mut parser.mistakes.misused_function, || misused("size"));
            }
            arguments.extend(operand(parser, part)?);
            if !parser.take_mark(",") {
                break;
            }
        }
    }
    parser.expect_mark(")")?;
    parser.leave();
    let whole = arguments.len() == count;
    Ok(check::call(&mut parser.mistakes, &name, arguments, whole).map_or(Part::Wrong, |called| match called {
        check::Called::Condition(condition) => Part::Condition(condition),
        check::Called::Operand(operand) => Part::Operand(operand),
    }))
}

impl Condition {
    /// The function that this is a call of.
    fn function(&self) -> Option<&'static str> {
        match self {
            Condition::Exists(_) => Some("attribute_exists"),
            Condition::NotExists(_) => Some("attribute_not_exists"),
            Condition::IsType(..) => Some("attribute_type"),
            Condition::BeginsWith(..) => Some("begins_with"),
            Condition::Contains(..) => Some("contains"),
            Condition::Or(..)
            | Condition::And(..)
            | Condition::Not(_)
            | Condition::Compare(..)
            | Condition::Between(..)
            | Condition::In(..) => None,
        }
    }

    /// Calls `visit` with every path in it.
    pub fn paths<'a>(&'a self, visit: &mut dyn FnMut(&'a Path)) {
        match self {
            Condition::Or(a, b) | Condition::And(a, b) => {
                a.paths(visit);
                b.paths(visit);
            }
            Condition::Not(inner) => inner.paths(visit),
            Condition::Compare(_, a, b) | Condition::BeginsWith(a, b) | Condition::Contains(a, b) => {
                operand_paths(a, visit);
                operand_paths(b, visit);
            }
            Condition::Between(a, b, c) => [a, b, c].into_iter().for_each(|o| operand_paths(o, visit)),
            Condition::In(a, among) => std::iter::once(a).chain(among).for_each(|o| operand_paths(o, visit)),
            Condition::Exists(path) | Condition::NotExists(path) | Condition::IsType(path, _) => visit(path),
        }
    }
}

fn operand_paths<'a>(operand: &'a Operand, visit: &mut dyn FnMut(&'a Path)) {
    match operand {
        Operand::Path(path) => visit(path),
        Operand::Value(_) => {}
        Operand::Size(inner) => operand_paths(inner, visit),
    }
}

/// As it would be written, with values as the errors print them: for people who look at a plan.
impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operand::Path(path) => write!(f, "{path}"),
            Operand::Value(value) => write!(f, "AttributeValue: {value}"),
            Operand::Size(inner) => write!(f, "size({inner})"),
        }
    }
}
