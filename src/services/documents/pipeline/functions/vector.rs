//! How far vectors and places are apart.

use super::super::Fault;
use super::{Answer, length_of, needs};
use crate::services::documents::nearest::{Measure, distance};
use crate::services::documents::value::Value;

/// Metres, of a sphere that has the Earth's mean radius.
const EARTH_RADIUS: f64 = 6_371_008.8;

fn elements(value: &Value) -> Result<Vec<f64>, Fault> {
    let elements = value.as_vector().and_then(|elements| elements.iter().map(Value::as_f64).collect());
    elements.ok_or_else(|| needs("a vector", value))
}

pub(super) fn length(args: &[&Value]) -> Answer {
    length_of(elements(args[0])?.len())
}

fn both(args: &[&Value]) -> Result<(Vec<f64>, Vec<f64>), Fault> {
    let (a, b) = (elements(args[0])?, elements(args[1])?);
    if a.len() != b.len() {
        return Err(Fault::value(format!("the vectors have {} and {} elements", a.len(), b.len())));
    }
    Ok((a, b))
}

fn by(args: &[&Value], measure: Measure) -> Answer {
    let (a, b) = both(args)?;
    let distance = distance(measure, &a, &b).filter(|distance| !distance.is_nan());
    distance.map(|distance| Some(Value::Double(distance))).ok_or_else(|| Fault::value("the vectors have no such distance"))
}

pub(super) fn cosine(args: &[&Value]) -> Answer {
    by(args, Measure::Cosine)
}

pub(super) fn dot_product(args: &[&Value]) -> Answer {
    by(args, Measure::DotProduct)
}

pub(super) fn euclidean(args: &[&Value]) -> Answer {
    by(args, Measure::Euclidean)
}

pub(super) fn manhattan(args: &[&Value]) -> Answer {
    let (a, b) = both(args)?;
    Ok(Some(Value::Double(a.iter().zip(&b).map(|(a, b)| (a - b).abs()).sum())))
}

fn place(value: &Value) -> Result<(f64, f64), Fault> {
    match value {
        Value::Geo { latitude, longitude } => Ok((latitude.to_radians(), longitude.to_radians())),
        other => Err(needs("a place (a geo point)", other)),
    }
}

/// Metres along the surface.
pub(super) fn geo(args: &[&Value]) -> Answer {
    let ((from, west), (to, east)) = (place(args[0])?, place(args[1])?);
    let half = |angle: f64| (angle / 2.0).sin().powi(2);
    let chord = half(to - from) + from.cos() * to.cos() * half(east - west);
    Ok(Some(Value::Double(2.0 * EARTH_RADIUS * chord.sqrt().min(1.0).asin())))
}
