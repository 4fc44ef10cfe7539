//! Filters of queries.

use std::collections::HashSet;

use super::document::Document;
use super::name::{FieldPath, Name};
use super::value::Value;
use super::{Error, key};

/// Alternatives that a filter comes to at most, once each is a list of conditions. Source: "Query limitations".
const ALTERNATIVES_MAX: usize = 30;
/// Values of `in` and `array-contains-any`, of `not-in`. Source: "Query limitations".
const IN_VALUES_MAX: usize = 30;
const NOT_IN_VALUES_MAX: usize = 10;
/// Conditions of a query. Source: "Query limitations".
const CONDITIONS_MAX: usize = 100;
/// Filters within each other; the documents' own depth of nesting.
const DEPTH_MAX: usize = 20;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    ArrayContains,
    In,
    ArrayContainsAny,
    NotIn,
    /// These four have no value to compare with.
    IsNan,
    IsNotNan,
    IsNull,
    IsNotNull,
}

impl Op {
    /// Whether what it lets through has an order of its own.
    pub fn is_inequality(self) -> bool {
        matches!(
            self,
            Op::Less | Op::LessOrEqual | Op::Greater | Op::GreaterOrEqual | Op::NotEqual | Op::NotIn | Op::IsNotNan | Op::IsNotNull
        )
    }

    /// As the API names it.
    fn label(self) -> &'static str {
        match self {
            Op::Less => "LESS_THAN",
            Op::LessOrEqual => "LESS_THAN_OR_EQUAL",
            Op::Greater => "GREATER_THAN",
            Op::GreaterOrEqual => "GREATER_THAN_OR_EQUAL",
            Op::Equal => "EQUAL",
            Op::NotEqual => "NOT_EQUAL",
            Op::ArrayContains => "ARRAY_CONTAINS",
            Op::In => "IN",
            Op::ArrayContainsAny => "ARRAY_CONTAINS_ANY",
            Op::NotIn => "NOT_IN",
            Op::IsNan => "IS_NAN",
            Op::IsNotNan => "IS_NOT_NAN",
            Op::IsNull => "IS_NULL",
            Op::IsNotNull => "IS_NOT_NULL",
        }
    }
}

/// A comparison of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    pub field: FieldPath,
    pub op: Op,
    /// [`Value::Null`] where the operation has none.
    pub value: Value,
}

impl Condition {
    fn check(&self) -> Result<(), Error> {
        let max = match self.op {
            Op::In | Op::ArrayContainsAny => IN_VALUES_MAX,
            Op::NotIn => NOT_IN_VALUES_MAX,
            _ => return if self.field.is_name() { self.check_name(&self.value) } else { Ok(()) },
        };
        let label = self.op.label();
        let Value::Array(values) = &self.value else {
            return Err(Error::Invalid(format!("'{label}' requires an ArrayValue.")));
        };
        if values.is_empty() {
            return Err(Error::Invalid(format!("'{label}' requires an non-empty ArrayValue.")));
        }
        if values.len() > max {
            return Err(Error::Invalid(format!("'{label}' supports up to {max} comparison values.")));
        }
        if self.field.is_name() { values.iter().try_for_each(|value| self.check_name(value)) } else { Ok(()) }
    }

    fn check_name(&self, value: &Value) -> Result<(), Error> {
        match value {
            Value::Reference(name) => Name::parse(name).map(|_| ()),
            _ => Err(Error::Invalid("__key__ filter value must be a Key".into())),
        }
    }

    /// Whether a document meets it.
    pub fn matches(&self, document: &Document) -> bool {
        let Some(found) = document.get(&self.field) else { return false };
        let found = found.as_ref();
        let equal = |wanted: &Value| key::of(found) == key::of(wanted);
        let same_type = || key::bracket(found) == key::bracket(&self.value);
        let order = || key::of(found).cmp(&key::of(&self.value));
        let among = |value: &Value| match &self.value {
            Value::Array(values) => values.iter().any(|wanted| key::of(wanted) == key::of(value)),
            _ => false,
        };
        let is_nan = matches!(found, Value::Double(n) if n.is_nan());
        match self.op {
            Op::Less => same_type() && order().is_lt(),
            Op::LessOrEqual => same_type() && order().is_le(),
            Op::Greater => same_type() && order().is_gt(),
            Op::GreaterOrEqual => same_type() && order().is_ge(),
            Op::Equal => equal(&self.value),
            Op::NotEqual => *found != Value::Null && !equal(&self.value),
            Op::ArrayContains => matches!(found, Value::Array(values) if values.iter().any(|value| key::of(value) == key::of(&self.value))),
            Op::In => among(found),
            Op::ArrayContainsAny => matches!(found, Value::Array(values) if values.iter().any(among)),
            Op::NotIn => *found != Value::Null && !among(&Value::Null) && !among(found),
            Op::IsNan => is_nan,
            Op::IsNotNan => !is_nan && *found != Value::Null,
            Op::IsNull => *found == Value::Null,
            Op::IsNotNull => *found != Value::Null,
        }
    }
}

/// What documents must meet.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    All(Vec<Filter>),
    Any(Vec<Filter>),
    One(Condition),
}

impl Filter {
    /// Whether a document meets it.
    pub fn matches(&self, document: &Document) -> bool {
        match self {
            Filter::All(filters) => filters.iter().all(|filter| filter.matches(document)),
            Filter::Any(filters) => filters.iter().any(|filter| filter.matches(document)),
            Filter::One(condition) => condition.matches(document),
        }
    }

    /// Calls `see` with every condition.
    pub fn each(&self, see: &mut impl FnMut(&Condition)) {
        match self {
            Filter::All(filters) | Filter::Any(filters) => filters.iter().for_each(|filter| filter.each(see)),
            Filter::One(condition) => see(condition),
        }
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        let mut conditions = 0;
        self.check_within(0, &mut conditions)?;
        for alternative in self.alternatives()? {
            let containing = alternative.iter().filter(|condition| condition.op == Op::ArrayContains).count();
            if containing > 1 {
                return Err(Error::Invalid("A maximum of 1 'ARRAY_CONTAINS' filter is allowed per disjunction.".into()));
            }
        }
        Ok(())
    }

    fn check_within(&self, depth: usize, conditions: &mut usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(Error::Invalid(format!("Filters may lie {DEPTH_MAX} deep within each other.")));
        }
        match self {
            Filter::All(filters) | Filter::Any(filters) => {
                if filters.is_empty() {
                    return Err(Error::Invalid("A composite filter needs at least one filter.".into()));
                }
                filters.iter().try_for_each(|filter| filter.check_within(depth + 1, conditions))
            }
            Filter::One(condition) => {
                *conditions += 1;
                if *conditions > CONDITIONS_MAX {
                    return Err(Error::Invalid(format!("A query may have at most {CONDITIONS_MAX} filters.")));
                }
                condition.check()
            }
        }
    }

    /// The alternatives that together are this filter: each a list of conditions, all of which must be met.
    pub(super) fn alternatives(&self) -> Result<Vec<Vec<Condition>>, Error> {
        let bounded = |alternatives: Vec<Vec<Condition>>| {
            if alternatives.len() <= ALTERNATIVES_MAX {
                return Ok(alternatives);
            }
            Err(Error::Invalid(format!(
                "The query has too many disjunctions: 'IN', 'OR' and 'ARRAY_CONTAINS_ANY' together may come to at most {ALTERNATIVES_MAX} in disjunctive normal form."
            )))
        };
        match self {
            Filter::Any(filters) => {
                let mut all = Vec::new();
                for filter in filters {
                    all.extend(filter.alternatives()?);
                    all = bounded(all)?;
                }
                Ok(all)
            }
            Filter::All(filters) => {
                let mut all = vec![Vec::new()];
                for filter in filters {
                    let more = filter.alternatives()?;
                    let combine = |before: &Vec<Condition>| {
                        let before = before.clone();
                        more.iter().map(move |after| before.iter().chain(after).cloned().collect())
                    };
                    all = bounded(all.iter().flat_map(combine).collect())?;
                }
                Ok(all)
            }
            Filter::One(Condition { field, op: op @ (Op::In | Op::ArrayContainsAny), value: Value::Array(values) }) => {
                let op = if *op == Op::In { Op::Equal } else { Op::ArrayContains };
                let mut seen = HashSet::new();
                let distinct = values.iter().filter(|value| seen.insert(key::of(value)));
                bounded(distinct.map(|value| vec![Condition { field: field.clone(), op, value: value.clone() }]).collect())
            }
            Filter::One(condition) => Ok(vec![vec![condition.clone()]]),
        }
    }
}
