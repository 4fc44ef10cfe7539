//! Messages → what the service understands.

use std::collections::BTreeMap;

use super::fail::Failure;
use super::proto;
use crate::services::documents::listen::{Add, Target};
use crate::services::documents::pipeline::{self, Expr, Pipeline, Stage};
use crate::services::documents::{
    Aggregation, Begin, Change, Condition, Cursor, Database, FieldPath, Fields, Filter, Measure, Name, Nearest, Op, Order, Parent,
    Precondition, Query, Scope, Timestamp, Transform, TransformKind, Value, View, Write,
};

fn invalid(text: impl Into<String>) -> Failure {
    Failure::invalid(text)
}

/// Fields of a document.
pub fn fields(fields: BTreeMap<String, proto::Value>) -> Result<Fields, Failure> {
    fields.into_iter().map(|(name, value)| Ok((name, self::value(value)?))).collect()
}

/// A value.
pub fn value(value: proto::Value) -> Result<Value, Failure> {
    use proto::Kind;
    Ok(match value.kind.ok_or_else(|| invalid("A value has no type, or one that emu does not know."))? {
        Kind::Null(_) => Value::Null,
        Kind::Boolean(truth) => Value::Bool(truth),
        Kind::Integer(n) => Value::Int(n),
        Kind::Double(n) => Value::Double(n),
        Kind::Timestamp(at) => Value::Timestamp(time(at)?),
        Kind::String(text) => Value::Text(text),
        Kind::Bytes(bytes) => Value::Bytes(bytes.into()),
        Kind::Reference(name) => Value::Reference(name),
        Kind::GeoPoint(place) => Value::Geo { latitude: place.latitude, longitude: place.longitude },
        Kind::Array(array) => Value::Array(values(array.values)?),
        Kind::Map(map) => Value::Map(fields(map.fields)?),
        Kind::Field(_) | Kind::Variable(_) | Kind::Function(_) | Kind::Pipeline(_) => {
            return Err(invalid("An expression stands where a value is needed: expressions are for pipelines only."));
        }
    })
}

fn values(values: Vec<proto::Value>) -> Result<Vec<Value>, Failure> {
    values.into_iter().map(value).collect()
}

/// A time.
pub fn time(at: proto::Timestamp) -> Result<Timestamp, Failure> {
    Timestamp::new(at.seconds, at.nanos).ok_or_else(|| {
        invalid(format!("Invalid timestamp: {} seconds and {} nanoseconds are outside the years 1 to 9999.", at.seconds, at.nanos))
    })
}

/// The paths of a mask; `None` where there is no mask.
pub fn mask(mask: Option<proto::DocumentMask>) -> Result<Option<Vec<FieldPath>>, Failure> {
    mask.map(|mask| Ok(mask.field_paths.iter().map(|path| FieldPath::parse(path)).collect::<Result<_, _>>()?)).transpose()
}

/// What a write asks to be so.
pub fn precondition(precondition: Option<proto::Precondition>) -> Result<Option<Precondition>, Failure> {
    let Some(precondition) = precondition else { return Ok(None) };
    Ok(match (precondition.exists, precondition.update_time) {
        (Some(exists), _) => Some(Precondition::Exists(exists)),
        (None, Some(at)) => Some(Precondition::Updated(time(at)?)),
        (None, None) => None,
    })
}

/// A write.
pub fn write(write: proto::Write) -> Result<Write, Failure> {
    let precondition = precondition(write.current_document)?;
    let mut transforms = write.update_transforms;
    let (name, change) = if let Some(document) = write.update {
        let name = Name::parse(&document.name)?;
        (name, Change::Put { fields: fields(document.fields)?, mask: mask(write.update_mask)? })
    } else if let Some(name) = write.delete {
        (Name::parse(&name)?, Change::Delete)
    } else if let Some(name) = write.verify {
        (Name::parse(&name)?, Change::Verify)
    } else if let Some(transform) = write.transform {
        transforms = transform.field_transforms;
        // Nothing but the transforms changes it.
        (Name::parse(&transform.document)?, Change::Put { fields: Fields::new(), mask: Some(Vec::new()) })
    } else {
        return Err(invalid("A write has no operation."));
    };
    let transforms = transforms.into_iter().map(transform).collect::<Result<_, _>>()?;
    Ok(Write { name, change, precondition, transforms })
}

/// Writes, in order.
pub fn writes(writes: Vec<proto::Write>) -> Result<Vec<Write>, Failure> {
    writes.into_iter().map(write).collect()
}

fn transform(transform: proto::FieldTransform) -> Result<Transform, Failure> {
    let field = FieldPath::parse(&transform.field_path)?;
    let kind = if transform.set_to_server_value == proto::server_value::REQUEST_TIME {
        TransformKind::RequestTime
    } else if let Some(operand) = transform.increment {
        TransformKind::Increment(value(operand)?)
    } else if let Some(operand) = transform.maximum {
        TransformKind::Maximum(value(operand)?)
    } else if let Some(operand) = transform.minimum {
        TransformKind::Minimum(value(operand)?)
    } else if let Some(array) = transform.append_missing_elements {
        TransformKind::AppendMissing(values(array.values)?)
    } else if let Some(array) = transform.remove_all_from_array {
        TransformKind::RemoveAll(values(array.values)?)
    } else {
        return Err(invalid(format!("The transform of the field {field} says not what to do.")));
    };
    Ok(Transform { field, kind })
}

/// How a transaction is to begin.
pub fn begin(options: Option<proto::TransactionOptions>) -> Result<Begin, Failure> {
    let read_only = options.and_then(|options| options.read_only);
    let read_time = read_only.as_ref().and_then(|read_only| read_only.read_time).map(time).transpose()?;
    Ok(Begin { read_only: read_only.is_some(), read_time })
}

/// What a read is to see.
pub fn view(transaction: Option<bytes::Bytes>, read_time: Option<proto::Timestamp>) -> Result<View, Failure> {
    Ok(match (transaction, read_time) {
        (Some(id), _) if !id.is_empty() => View::Transaction(id.into()),
        (_, Some(at)) => View::At(time(at)?),
        _ => View::Latest,
    })
}

fn field(reference: Option<proto::FieldReference>) -> Result<FieldPath, Failure> {
    let path = reference.ok_or_else(|| invalid("A field is missing."))?.field_path;
    Ok(FieldPath::parse(&path)?)
}

/// A query beneath a parent.
pub fn query(parent: &str, query: Option<proto::StructuredQuery>) -> Result<Query, Failure> {
    let query = query.ok_or_else(|| invalid("The query is missing."))?;
    let parent = Parent::parse(parent)?;
    let [from] = <[proto::CollectionSelector; 1]>::try_from(query.from)
        .map_err(|from| invalid(format!("A query must have one collection selector (`from`), and this one has {}.", from.len())))?;
    let collection = Some(from.collection_id).filter(|id| !id.is_empty());
    let select = match query.select {
        Some(projection) => {
            let paths = projection.fields.into_iter().map(|reference| field(Some(reference))).collect::<Result<Vec<_>, _>>()?;
            // The name comes with every document.
            Some(paths.into_iter().filter(|path| !path.is_name()).collect())
        }
        None => None,
    };
    let count = |n: i32, what: &str| u64::try_from(n).map_err(|_| invalid(format!("{what} is negative")));
    Ok(Query::new(Query {
        scope: Scope { parent, collection, descendants: from.all_descendants },
        filter: query.r#where.map(|filter| self::filter(filter, 0)).transpose()?,
        order: query.order_by.into_iter().map(order).collect::<Result<_, _>>()?,
        start: query.start_at.map(cursor).transpose()?,
        end: query.end_at.map(cursor).transpose()?,
        offset: count(query.offset, "offset")?,
        limit: query.limit.map(|limit| count(limit.value, "limit")).transpose()?,
        select,
        nearest: query.find_nearest.map(nearest).transpose()?,
    })?)
}

fn order(order: proto::Order) -> Result<Order, Failure> {
    Ok(Order { field: field(order.field)?, descending: order.direction == proto::direction::DESCENDING })
}

fn cursor(cursor: proto::Cursor) -> Result<Cursor, Failure> {
    Ok(Cursor { values: values(cursor.values)?, before: cursor.before })
}

fn nearest(nearest: proto::FindNearest) -> Result<Nearest, Failure> {
    use proto::distance_measure as measure;
    let vector = value(nearest.query_vector.unwrap_or_default())?;
    let elements = vector.as_vector().ok_or_else(|| invalid("FindNearest query_vector must be a vector."))?;
    let vector: Option<Vec<f64>> = elements.iter().map(Value::as_f64).collect();
    Ok(Nearest {
        field: field(nearest.vector_field)?,
        vector: vector.ok_or_else(|| invalid("FindNearest query_vector must hold numbers."))?,
        measure: match nearest.distance_measure {
            measure::EUCLIDEAN => Measure::Euclidean,
            measure::COSINE => Measure::Cosine,
            measure::DOT_PRODUCT => Measure::DotProduct,
            other => return Err(invalid(format!("FindNearest distance_measure {other} is unknown."))),
        },
        limit: u64::try_from(nearest.limit.unwrap_or_default().value).unwrap_or(0),
        distance_field: Some(nearest.distance_result_field)
            .filter(|field| !field.is_empty())
            .map(|field| FieldPath::parse(&field))
            .transpose()?,
        threshold: nearest.distance_threshold.map(|threshold| threshold.value),
    })
}

/// Filters within each other that are decoded; the service says which it takes.
const FILTER_DEPTH_MAX: usize = 50;

fn filter(filter: proto::Filter, depth: usize) -> Result<Filter, Failure> {
    if depth > FILTER_DEPTH_MAX {
        return Err(invalid("The filter is nested too deeply."));
    }
    if let Some(composite) = filter.composite_filter {
        let filters = composite.filters.into_iter().map(|filter| self::filter(filter, depth + 1)).collect::<Result<_, _>>()?;
        return match composite.op {
            proto::composite_op::AND => Ok(Filter::All(filters)),
            proto::composite_op::OR => Ok(Filter::Any(filters)),
            other => Err(invalid(format!("The operator {other} of a composite filter is unknown."))),
        };
    }
    if let Some(unary) = filter.unary_filter {
        use proto::unary_op as op;
        let op = match unary.op {
            op::IS_NAN => Op::IsNan,
            op::IS_NULL => Op::IsNull,
            op::IS_NOT_NAN => Op::IsNotNan,
            op::IS_NOT_NULL => Op::IsNotNull,
            other => return Err(invalid(format!("The operator {other} of a unary filter is unknown."))),
        };
        return Ok(Filter::One(Condition { field: field(unary.field)?, op, value: Value::Null }));
    }
    let Some(compared) = filter.field_filter else { return Err(invalid("A filter says not what to filter by.")) };
    use proto::field_op as op;
    let op = match compared.op {
        op::LESS_THAN => Op::Less,
        op::LESS_THAN_OR_EQUAL => Op::LessOrEqual,
        op::GREATER_THAN => Op::Greater,
        op::GREATER_THAN_OR_EQUAL => Op::GreaterOrEqual,
        op::EQUAL => Op::Equal,
        op::NOT_EQUAL => Op::NotEqual,
        op::ARRAY_CONTAINS => Op::ArrayContains,
        op::IN => Op::In,
        op::ARRAY_CONTAINS_ANY => Op::ArrayContainsAny,
        op::NOT_IN => Op::NotIn,
        other => return Err(invalid(format!("The operator {other} of a filter is unknown."))),
    };
    Ok(Filter::One(Condition { field: field(compared.field)?, op, value: value(compared.value.unwrap_or_default())? }))
}

/// Aggregations, each with the name of its result.
pub fn aggregations(aggregations: Vec<proto::Aggregation>) -> Result<Vec<(String, Aggregation)>, Failure> {
    let mut named = Vec::with_capacity(aggregations.len());
    for (at, aggregation) in aggregations.into_iter().enumerate() {
        let kind = if let Some(count) = aggregation.count {
            let up_to = count.up_to.map(|up_to| u64::try_from(up_to.value)).transpose();
            Aggregation::Count { up_to: up_to.map_err(|_| invalid("`up_to` must be greater than 0."))? }
        } else if let Some(of) = aggregation.sum {
            Aggregation::Sum(field(of.field)?)
        } else if let Some(of) = aggregation.avg {
            Aggregation::Average(field(of.field)?)
        } else {
            return Err(invalid("An aggregation says not what to aggregate."));
        };
        let alias = if aggregation.alias.is_empty() { format!("field_{}", at + 1) } else { aggregation.alias };
        named.push((alias, kind));
    }
    Ok(named)
}

/// A pipeline, and how it is to be run.
pub fn structured_pipeline(asked: Option<proto::StructuredPipeline>) -> Result<(Pipeline, pipeline::Options), Failure> {
    let asked = asked.ok_or_else(|| invalid("The pipeline is missing."))?;
    let stages = pipeline(asked.pipeline.ok_or_else(|| invalid("The pipeline is missing."))?)?;
    let mut options = pipeline::Options::default();
    for (name, option) in asked.options {
        match (name.as_str(), value(option)?) {
            ("explain_options", Value::Map(explain)) => {
                let text = |name: &str| match explain.get(name) {
                    Some(Value::Text(text)) => text.as_str(),
                    _ => "",
                };
                options.explain = match text("mode") {
                    "analyze" => pipeline::Explain::Run,
                    "explain" => pipeline::Explain::Plan,
                    "" | "execute" => pipeline::Explain::Nothing,
                    other => return Err(invalid(format!("explain_options.mode '{other}' is none of execute, explain and analyze."))),
                };
                options.format = match text("output_format") {
                    "" | "text" => pipeline::Format::Text,
                    "json" => pipeline::Format::Json,
                    other => return Err(invalid(format!("explain_options.output_format '{other}' is none of text and json."))),
                };
            }
            ("memory_limit", Value::Int(bytes)) => options.memory = u64::try_from(bytes).ok(),
            // Which index to use, and the like: here all come to the same.
            _ => {}
        }
    }
    Ok((stages, options))
}

fn pipeline(asked: proto::Pipeline) -> Result<Pipeline, Failure> {
    let stage = |stage: proto::Stage| {
        let args = stage.args.into_iter().map(expression).collect::<Result<_, Failure>>()?;
        let options = stage.options.into_iter().map(|(name, option)| Ok((name, expression(option)?))).collect::<Result<_, Failure>>()?;
        Ok(Stage { name: stage.name, args, options })
    };
    Ok(Pipeline { stages: asked.stages.into_iter().map(stage).collect::<Result<_, Failure>>()? })
}

/// An expression of a pipeline; what has none in it is a value.
fn expression(asked: proto::Value) -> Result<Expr, Failure> {
    use proto::Kind;
    Ok(match asked.kind {
        Some(Kind::Field(path)) => Expr::Field(FieldPath::parse(&path)?),
        Some(Kind::Variable(name)) => Expr::Variable(name),
        Some(Kind::Function(function)) => {
            let args = function.args.into_iter().map(expression).collect::<Result<_, _>>()?;
            Expr::Call { name: function.name, args }
        }
        Some(Kind::Pipeline(asked)) => Expr::Pipeline(pipeline(asked)?),
        Some(Kind::Array(array)) => {
            let members = array.values.into_iter().map(expression).collect::<Result<Vec<_>, _>>()?;
            match members.iter().map(constant).collect::<Option<Vec<_>>>() {
                Some(values) => Expr::Constant(Value::Array(values)),
                None => Expr::Array(members),
            }
        }
        Some(Kind::Map(map)) => {
            let entries =
                map.fields.into_iter().map(|(name, entry)| Ok((name, expression(entry)?))).collect::<Result<BTreeMap<_, _>, Failure>>()?;
            match entries.iter().map(|(name, entry)| Some((name.clone(), constant(entry)?))).collect::<Option<Fields>>() {
                Some(fields) => Expr::Constant(Value::Map(fields)),
                None => Expr::Map(entries),
            }
        }
        kind => Expr::Constant(value(proto::Value { kind })?),
    })
}

fn constant(expr: &Expr) -> Option<Value> {
    match expr {
        Expr::Constant(value) => Some(value.clone()),
        _ => None,
    }
}

/// A target to listen to.
pub fn add(database: &Database, target: proto::Target) -> Result<Add, Failure> {
    let since = match resume(&target.resume_token) {
        Some(micros) => Some(Timestamp::of_micros(micros)),
        // A token that nobody here has given: what is known may be anything.
        None if !target.resume_token.is_empty() => Some(Timestamp::of_micros(i64::MAX)),
        None => target.read_time.map(time).transpose()?,
    };
    let what = if let Some(of) = target.query {
        let query = query(&of.parent, of.structured_query)?;
        if query.scope.parent.database != *database {
            return Err(invalid(format!("The query is not in the database {database} of the request.")));
        }
        Target::Query(Box::new(query))
    } else if let Some(of) = target.documents {
        Target::Documents(of.documents.iter().map(|name| Name::parse(name)).collect::<Result<_, _>>()?)
    } else {
        return Err(invalid("A target is neither a query nor documents."));
    };
    Ok(Add { id: target.target_id, target: what, since, once: target.once })
}

/// What tokens of streams begin with: the version of their form.
const TOKEN: u8 = 1;

/// A token that stands for a time.
pub fn token(at: Timestamp) -> bytes::Bytes {
    [&[TOKEN][..], &at.micros().to_be_bytes()].concat().into()
}

/// The microseconds that a token stands for.
fn resume(token: &[u8]) -> Option<i64> {
    let (version, micros) = token.split_first()?;
    Some(i64::from_be_bytes(micros.try_into().ok()?)).filter(|_| *version == TOKEN)
}
