//! What expressions can call. Source: the pages of functions of "Firestore Pipeline operations"; the names are those of the protocol.

mod list;
mod logic;
mod map;
mod number;
mod reference;
mod text;
mod time;
mod vector;

use std::ops::RangeInclusive;

use super::Fault;
use super::eval::{Outcome, Site};
use super::plan::Node;
use super::run::Run;
use crate::services::documents::value::{Value, vector_of};

/// What a function comes to: nothing, too.
type Answer = Result<Option<Value>, Fault>;

/// A function that expressions can call.
#[derive(Debug)]
pub(super) struct Function {
    pub name: &'static str,
    /// How many arguments it takes.
    pub takes: RangeInclusive<usize>,
    pub how: How,
}

/// How a function comes by its arguments.
#[derive(Clone, Copy)]
pub(super) enum How {
    /// All are there and none is null: else the answer is null.
    Strict(fn(&[&Value]) -> Answer),
    /// As they are.
    Loose(fn(&[Option<&Value>]) -> Answer),
    /// It works them out itself, those that it needs.
    Lazy(for<'s> fn(&'s [Node], Site<'s>) -> Outcome<'s>),
    /// It has none, and asks the run.
    Given(fn(&Run<'_>) -> Option<Value>),
    /// A text and a pattern.
    Pattern(fn(&Run<'_>, &str, &str) -> Answer),
}

impl std::fmt::Debug for How {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            How::Strict(_) => "Strict",
            How::Loose(_) => "Loose",
            How::Lazy(_) => "Lazy",
            How::Given(_) => "Given",
            How::Pattern(_) => "Pattern",
        })
    }
}

const fn strict(name: &'static str, takes: RangeInclusive<usize>, work: fn(&[&Value]) -> Answer) -> Function {
    Function { name, takes, how: How::Strict(work) }
}

const fn loose(name: &'static str, takes: RangeInclusive<usize>, work: fn(&[Option<&Value>]) -> Answer) -> Function {
    Function { name, takes, how: How::Loose(work) }
}

const fn lazy(name: &'static str, takes: RangeInclusive<usize>, work: for<'s> fn(&'s [Node], Site<'s>) -> Outcome<'s>) -> Function {
    Function { name, takes, how: How::Lazy(work) }
}

const fn given(name: &'static str, work: fn(&Run<'_>) -> Option<Value>) -> Function {
    Function { name, takes: 0..=0, how: How::Given(work) }
}

const fn pattern(name: &'static str, work: fn(&Run<'_>, &str, &str) -> Answer) -> Function {
    Function { name, takes: 2..=2, how: How::Pattern(work) }
}

const MANY: usize = usize::MAX;

static FUNCTIONS: &[Function] = &[
    // What is so.
    lazy("and", 1..=MANY, logic::and),
    lazy("or", 1..=MANY, logic::or),
    lazy("nor", 1..=MANY, logic::nor),
    strict("xor", 1..=MANY, logic::xor),
    strict("not", 1..=1, logic::not),
    lazy("conditional", 3..=3, logic::conditional),
    lazy("switch_on", 2..=MANY, logic::switch_on),
    loose("equal", 2..=2, logic::equal),
    loose("not_equal", 2..=2, logic::not_equal),
    loose("less_than", 2..=2, logic::less_than),
    loose("less_than_or_equal", 2..=2, logic::less_than_or_equal),
    loose("greater_than", 2..=2, logic::greater_than),
    loose("greater_than_or_equal", 2..=2, logic::greater_than_or_equal),
    loose("between", 3..=3, logic::between),
    loose("equal_any", 2..=2, logic::equal_any),
    loose("not_equal_any", 2..=2, logic::not_equal_any),
    loose("cmp", 2..=2, logic::cmp),
    loose("is_null", 1..=1, logic::is_null),
    loose("is_not_null", 1..=1, logic::is_not_null),
    strict("is_nan", 1..=1, logic::is_nan),
    strict("is_not_nan", 1..=1, logic::is_not_nan),
    loose("exists", 1..=1, logic::exists),
    loose("is_absent", 1..=1, logic::is_absent),
    lazy("is_error", 1..=1, logic::is_error),
    lazy("if_error", 2..=2, logic::if_error),
    lazy("if_absent", 2..=2, logic::if_absent),
    lazy("if_null", 2..=2, logic::coalesce),
    lazy("coalesce", 1..=MANY, logic::coalesce),
    strict("error", 1..=1, logic::error),
    loose("maximum", 1..=MANY, logic::maximum),
    loose("minimum", 1..=MANY, logic::minimum),
    loose("type", 1..=1, logic::type_of),
    loose("is_type", 2..=2, logic::is_type),
    loose("storage_size", 1..=1, logic::storage_size),
    // Numbers.
    strict("abs", 1..=1, number::abs),
    strict("add", 2..=MANY, number::add),
    strict("subtract", 2..=2, number::subtract),
    strict("multiply", 2..=MANY, number::multiply),
    strict("divide", 2..=2, number::divide),
    strict("mod", 2..=2, number::modulo),
    strict("ceil", 1..=1, number::ceil),
    strict("floor", 1..=1, number::floor),
    strict("round", 1..=2, number::round),
    strict("trunc", 1..=2, number::trunc),
    strict("pow", 2..=2, number::pow),
    strict("sqrt", 1..=1, number::sqrt),
    strict("exp", 1..=1, number::exp),
    strict("ln", 1..=1, number::ln),
    strict("log", 2..=2, number::log),
    strict("log10", 1..=1, number::log10),
    strict("sum", 1..=1, number::sum),
    given("rand", |run| Some(Value::Double(run.random()))),
    // Texts and bytes.
    strict("byte_length", 1..=1, text::byte_length),
    strict("char_length", 1..=1, text::char_length),
    strict("length", 1..=1, text::length),
    strict("concat", 2..=MANY, text::concat),
    strict("string_concat", 1..=MANY, text::string_concat),
    strict("reverse", 1..=1, text::reverse),
    strict("string_reverse", 1..=1, text::string_reverse),
    strict("string_contains", 2..=2, text::string_contains),
    strict("starts_with", 2..=2, text::starts_with),
    strict("ends_with", 2..=2, text::ends_with),
    strict("to_lower", 1..=1, text::to_lower),
    strict("to_upper", 1..=1, text::to_upper),
    strict("trim", 1..=2, text::trim),
    strict("ltrim", 1..=2, text::ltrim),
    strict("rtrim", 1..=2, text::rtrim),
    strict("substring", 2..=3, text::substring),
    strict("split", 1..=2, text::split),
    strict("join", 2..=3, text::join),
    strict("string_index_of", 2..=2, text::index_of),
    strict("string_repeat", 2..=2, text::repeat),
    strict("string_replace_all", 3..=3, text::replace_all),
    strict("string_replace_one", 3..=3, text::replace_one),
    pattern("like", text::like),
    pattern("regex_contains", text::regex_contains),
    pattern("regex_match", text::regex_match),
    pattern("regex_find", text::regex_find),
    pattern("regex_find_all", text::regex_find_all),
    // Arrays.
    strict("array_concat", 1..=MANY, list::concat),
    loose("array_contains", 2..=2, list::contains),
    strict("array_contains_all", 2..=2, list::contains_all),
    strict("array_contains_any", 2..=2, list::contains_any),
    strict("array_get", 2..=2, list::get),
    loose("offset", 2..=2, list::offset),
    strict("array_length", 1..=1, list::length),
    strict("array_reverse", 1..=1, list::reverse),
    strict("array_slice", 2..=3, list::slice),
    strict("array_first", 1..=1, list::first),
    strict("array_last", 1..=1, list::last),
    strict("array_first_n", 2..=2, list::first_n),
    strict("array_last_n", 2..=2, list::last_n),
    strict("maximum_n", 2..=2, list::maximum_n),
    strict("minimum_n", 2..=2, list::minimum_n),
    loose("array_index_of", 2..=3, list::index_of),
    loose("array_index_of_all", 2..=2, list::index_of_all),
    // Maps.
    loose("map", 0..=MANY, map::map),
    loose("map_get", 2..=2, map::get),
    loose("get_field", 2..=2, map::get),
    loose("map_set", 3..=MANY, map::set),
    strict("map_remove", 2..=MANY, map::remove),
    strict("map_merge", 2..=MANY, map::merge),
    strict("map_keys", 1..=1, map::keys),
    strict("map_values", 1..=1, map::values),
    strict("map_entries", 1..=1, map::entries),
    lazy("current_document", 0..=0, map::current),
    lazy("current_context", 0..=0, map::current),
    // Documents' names.
    strict("document_id", 1..=1, reference::document_id),
    strict("collection_id", 1..=1, reference::collection_id),
    strict("parent", 1..=1, reference::parent),
    // Times.
    given("current_timestamp", |run| Some(Value::Timestamp(run.given.at))),
    strict("unix_micros_to_timestamp", 1..=1, time::of_micros),
    strict("unix_millis_to_timestamp", 1..=1, time::of_millis),
    strict("unix_seconds_to_timestamp", 1..=1, time::of_seconds),
    strict("timestamp_to_unix_micros", 1..=1, time::to_micros),
    strict("timestamp_to_unix_millis", 1..=1, time::to_millis),
    strict("timestamp_to_unix_seconds", 1..=1, time::to_seconds),
    strict("timestamp_add", 3..=3, time::add),
    strict("timestamp_subtract", 3..=3, time::subtract),
    // As clients named it first.
    strict("timestamp_sub", 3..=3, time::subtract),
    strict("timestamp_diff", 3..=3, time::difference),
    strict("timestamp_trunc", 2..=3, time::truncate),
    strict("timestamp_extract", 2..=3, time::extract),
    // Vectors and places.
    strict("vector_length", 1..=1, vector::length),
    strict("cosine_distance", 2..=2, vector::cosine),
    strict("dot_product", 2..=2, vector::dot_product),
    strict("euclidean_distance", 2..=2, vector::euclidean),
    strict("manhattan_distance", 2..=2, vector::manhattan),
    strict("geo_distance", 2..=2, vector::geo),
];

/// The function of a name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

/// The names of all functions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|function| function.name)
}

/// The type of a value, as the function `type` names it.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "int64",
        Value::Double(_) => "float64",
        Value::Timestamp(_) => "timestamp",
        Value::Text(_) => "string",
        Value::Bytes(_) => "bytes",
        Value::Reference(_) => "reference",
        Value::Geo { .. } => "geo_point",
        Value::Array(_) => "array",
        Value::Map(fields) if vector_of(fields).is_some() => "vector",
        Value::Map(_) => "map",
    }
}

/// `needs …, and got …`.
fn needs(wanted: &str, found: &Value) -> Fault {
    Fault::value(format!("needs {wanted}, and got a value of type {}", type_name(found)))
}

fn array(value: &Value) -> Result<&[Value], Fault> {
    match value {
        Value::Array(members) => Ok(members),
        other => Err(needs("an array", other)),
    }
}

fn integer(value: &Value) -> Result<i64, Fault> {
    match value {
        Value::Int(n) => Ok(*n),
        other => Err(needs("a whole number", other)),
    }
}

fn words(value: &Value) -> Result<&str, Fault> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(needs("a text", other)),
    }
}

/// A number of things: `what` must not be negative.
fn count(value: &Value, what: &str) -> Result<usize, Fault> {
    let n = integer(value)?;
    if n < 0 {
        return Err(Fault::value(format!("{what} must be non-negative, and is {n}")));
    }
    Ok(usize::try_from(n).unwrap_or(usize::MAX))
}

/// A length as a value.
fn length_of(n: usize) -> Answer {
    Ok(Some(Value::Int(i64::try_from(n).unwrap_or(i64::MAX))))
}
