//! The documents whose vectors are nearest to one: every one is looked at, so that the answer is exact.

use super::document::{self, Document};
use super::name::FieldPath;
use super::value::Value;
use super::{Error, key};

/// Documents that are asked for at most, and the elements of a vector. Source: "Search with vector embeddings".
const LIMIT_MAX: u64 = 1_000;
const ELEMENTS_MAX: usize = 2_048;

/// How far vectors are apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    Euclidean,
    Cosine,
    /// The larger, the nearer.
    DotProduct,
}

/// What is near to what.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    pub field: FieldPath,
    pub vector: Vec<f64>,
    pub measure: Measure,
    pub limit: u64,
    /// A field to put the distance in.
    pub distance_field: Option<FieldPath>,
    /// No further than this; at least this much where larger is nearer.
    pub threshold: Option<f64>,
}

impl Nearest {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.limit == 0 || self.limit > LIMIT_MAX {
            return Err(Error::Invalid(format!("FindNearest limit must be a positive integer of no more than {LIMIT_MAX}.")));
        }
        if self.vector.is_empty() || self.vector.len() > ELEMENTS_MAX {
            return Err(Error::Invalid(format!("FindNearest query_vector must have between 1 and {ELEMENTS_MAX} dimensions.")));
        }
        Ok(())
    }

    /// How far a vector is from what is asked for; `None` where it has another number of elements, or no direction.
    fn distance(&self, elements: &[Value]) -> Option<f64> {
        if elements.len() != self.vector.len() {
            return None;
        }
        let elements = elements.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>()?;
        distance(self.measure, &self.vector, &elements)
    }
}

/// How far two vectors of the same number of elements are apart; `None` where one has no direction and that is what is measured.
pub(super) fn distance(measure: Measure, a: &[f64], b: &[f64]) -> Option<f64> {
    let (mut dot, mut squares, mut own, mut other) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        dot += a * b;
        squares += (a - b) * (a - b);
        own += a * a;
        other += b * b;
    }
    match measure {
        Measure::Euclidean => Some(squares.sqrt()),
        Measure::DotProduct => Some(dot),
        Measure::Cosine if own == 0.0 || other == 0.0 => None,
        Measure::Cosine => Some(1.0 - dot / (own * other).sqrt()),
    }
}

/// The nearest of some documents, nearest first; those equally near by name.
pub(super) fn order(nearest: &Nearest, documents: Vec<Document>) -> Vec<Document> {
    let larger_is_nearer = nearest.measure == Measure::DotProduct;
    let within = |distance: f64| {
        nearest.threshold.is_none_or(|threshold| if larger_is_nearer { distance >= threshold } else { distance <= threshold })
    };
    let mut measured: Vec<(Vec<u8>, f64, Document)> = documents
        .into_iter()
        .filter_map(|document| {
            let distance = nearest.distance(document::get(&document.fields, &nearest.field)?.as_vector()?)?;
            let place = key::of(&Value::Double(if larger_is_nearer { -distance } else { distance }));
            within(distance).then_some((place, distance, document))
        })
        .collect();
    measured.sort_by(|(a, _, one), (b, _, other)| a.cmp(b).then_with(|| one.name.cmp(&other.name)));
    measured.truncate(usize::try_from(nearest.limit).unwrap_or(usize::MAX));
    let tell = |(_, distance, mut document): (Vec<u8>, f64, Document)| {
        if let Some(field) = &nearest.distance_field {
            document::set(&mut document.fields, field, Value::Double(distance));
        }
        document
    };
    measured.into_iter().map(tell).collect()
}
