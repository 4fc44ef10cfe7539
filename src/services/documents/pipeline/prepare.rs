//! Pipelines as they are asked for → as they are run: names are looked up, arguments are checked, variables are bound.

use std::collections::{BTreeMap, HashSet};

use super::args::{Args, field, invalid};
use super::functions;
use super::group::{Accumulate, Accumulator};
use super::plan::{Aliased, Merge, Nearest, Node, Ordering, Plan, Sample, Source, Step};
use super::{Expr, NESTING_MAX, Pipeline, STAGES_MAX, Stage};
use crate::services::documents::Error;
use crate::services::documents::name::{Database, FieldPath, Name, Parent, check_id};
use crate::services::documents::nearest::Measure;
use crate::services::documents::value::Value;

/// Readies a pipeline. Fails with [`Error::Invalid`], and [`Error::Unsupported`] where a stage is known but not here.
pub(super) fn prepare(database: &Database, pipeline: &Pipeline) -> Result<Plan, Error> {
    let mut preparing = Preparing { database, known: Vec::new(), own: 0, depth: 0, stages: 0 };
    preparing.plan(pipeline)
}

/// The path in a database that a reference names: a full name, or one that begins with a slash.
fn path(database: &Database, reference: &str) -> Result<String, Error> {
    if let Some(path) = reference.strip_prefix('/') {
        return Ok(path.trim_end_matches('/').to_owned());
    }
    if !reference.starts_with("projects/") {
        return Ok(reference.to_owned());
    }
    let within = reference.strip_prefix(&database.full("")).filter(|path| path.is_empty() || path.starts_with('/'));
    let wrong = || invalid(format!("\"{reference}\" is not in the database {database} of the request."));
    within.map(|path| path.trim_start_matches('/').to_owned()).ok_or_else(wrong)
}

/// A collection's path. Fails with [`Error::Invalid`].
fn collection(path: &str) -> Result<String, Error> {
    let segments: Vec<&str> = path.split('/').collect();
    segments.iter().try_for_each(|segment| check_id(segment))?;
    if segments.len().is_multiple_of(2) {
        return Err(invalid(format!("\"/{path}\" is the path of a document, not of a collection.")));
    }
    Ok(path.to_owned())
}

struct Preparing<'a> {
    database: &'a Database,
    /// Variables that are bound where it is: first those of the pipelines around this one.
    known: Vec<String>,
    /// Where its own begin.
    own: usize,
    depth: usize,
    stages: usize,
}

impl Preparing<'_> {
    fn plan(&mut self, pipeline: &Pipeline) -> Result<Plan, Error> {
        let Some((first, rest)) = pipeline.stages.split_first() else {
            return Err(invalid("A pipeline needs at least one stage."));
        };
        self.stages += pipeline.stages.len();
        if self.depth > NESTING_MAX || self.stages > STAGES_MAX {
            return Err(invalid(format!("Pipelines may lie {NESTING_MAX} deep within each other and have {STAGES_MAX} stages in all.")));
        }
        let around = std::mem::replace(&mut self.own, self.known.len());
        let source = self.source(first)?;
        let mut steps = Vec::with_capacity(rest.len());
        for (at, stage) in rest.iter().enumerate() {
            let step = self.step(stage)?;
            if matches!(step, Step::Update(_) | Step::Delete) {
                self.check_change(stage, at + 1 == rest.len(), &source, &steps)?;
            }
            steps.push(step);
        }
        self.forget();
        self.own = around;
        Ok(Plan { source, steps })
    }

    /// Stages that change documents come last, after those that leave each document the one that it was.
    fn check_change(&self, stage: &Stage, is_last: bool, source: &Source, steps: &[Step]) -> Result<(), Error> {
        let stays = |step: &Step| {
            use Step::{Add, Define, Limit, Offset, Remove, Select, Sort, Where};
            matches!(step, Where(_) | Sort(_) | Limit(_) | Offset(_) | Select(_) | Add(_) | Remove(_) | Define(_))
        };
        let reads = matches!(source, Source::Collection(_) | Source::Group(..) | Source::Database | Source::Documents(_));
        if self.depth == 0 && is_last && reads && steps.iter().all(stays) {
            return Ok(());
        }
        Err(invalid(format!(
            "The stage '{}' must be the last one, and only where, sort, limit, offset, select, add_fields, remove_fields and let may be before it.",
            stage.name
        )))
    }

    fn source(&mut self, stage: &Stage) -> Result<Source, Error> {
        let mut args = Args::of(stage);
        let source = match stage.name.as_str() {
            "collection" => Source::Collection(collection(&path(self.database, args.reference("the collection")?)?)?),
            "collection_group" => {
                let beneath = path(self.database, args.reference("the parent")?)?;
                let id = args.text("the collection's identifier")?;
                check_id(id)?;
                let parent = Parent::parse(&self.database.full(&beneath))?;
                Source::Group(parent, id.to_owned())
            }
            "database" => Source::Database,
            "documents" => {
                let (mut names, mut seen): (Vec<Name>, HashSet<Name>) = Default::default();
                for found in args.rest() {
                    let Expr::Constant(Value::Reference(reference)) = found else {
                        return Err(args.wrong("each document", "REFERENCE_VALUE", found));
                    };
                    let name = Name::new(self.database.clone(), &path(self.database, reference)?)?;
                    if !seen.insert(name.clone()) {
                        return Err(invalid(format!("Stage 'documents' names a document twice: {name}.")));
                    }
                    names.push(name);
                }
                if names.is_empty() {
                    return Err(invalid("Stage 'documents' needs at least one document."));
                }
                Source::Documents(names)
            }
            "subcollection" => {
                let path = args.text("the path")?.trim_matches('/');
                if self.depth == 0 {
                    return Err(invalid(
                        "The stage 'subcollection' may only begin a pipeline within another one: it needs a document to be beneath of.",
                    ));
                }
                Source::Subcollection(collection(path)?)
            }
            "literals" => Source::Literals(self.nodes(args.rest())?),
            "search" => {
                return Err(Error::Unsupported(
                    "emu has no text index: the stage 'search' cannot run here. Filter by `regex_contains`, `string_contains` or `like` in a `where` instead.".into(),
                ));
            }
            other => {
                let known = STAGES.contains(&other);
                let why = if known { "it cannot be the first one" } else { "there is no such stage" };
                return Err(invalid(format!(
                    "A pipeline cannot begin with the stage '{other}': {why}. It begins with collection, collection_group, database, documents, subcollection or literals."
                )));
            }
        };
        args.end()?;
        Ok(source)
    }

    fn step(&mut self, stage: &Stage) -> Result<Step, Error> {
        let mut args = Args::of(stage);
        let step = match stage.name.as_str() {
            "where" => Step::Where(self.node(args.take("condition")?)?),
            "sort" => {
                let orderings = args.rest().iter().map(|ordering| self.ordering(&args, ordering)).collect::<Result<Vec<_>, _>>()?;
                if orderings.is_empty() {
                    return Err(invalid("Stage 'sort' needs at least one ordering."));
                }
                Step::Sort(orderings)
            }
            "limit" => Step::Limit(args.take("limit").and_then(|found| args.count("limit", found))?),
            "offset" => Step::Offset(args.take("offset").and_then(|found| args.count("offset", found))?),
            "select" => Step::Select(self.aliased(args.map("fields")?)?),
            "add_fields" => Step::Add(self.aliased(args.map("fields")?)?),
            "remove_fields" => {
                let wrong = |found| args.wrong("each field", "FIELD_REFERENCE_VALUE", found);
                let fields = stage.args.iter().map(|found| field(found).ok_or_else(|| wrong(found))).collect::<Result<_, _>>()?;
                args.rest();
                Step::Remove(fields)
            }
            "replace_with" => {
                let map = self.node(args.take("map")?)?;
                let mode = if stage.args.len() > 1 { args.text("mode")? } else { "full_replace" };
                let merge = match mode {
                    "full_replace" => Merge::Replace,
                    "merge_overwrite_existing" => Merge::Overwrite,
                    "merge_keep_existing" => Merge::Keep,
                    other => return Err(invalid(format!("Stage 'replace_with' has no mode '{other}'."))),
                };
                Step::Replace(map, merge)
            }
            "let" => {
                let variables = args.map("variables")?;
                let mut bound = Vec::with_capacity(variables.len());
                for (name, expr) in &variables {
                    bound.push((name.clone(), self.node(expr)?));
                }
                self.known.extend(variables.into_keys());
                Step::Define(bound)
            }
            "aggregate" => {
                let accumulators = self.accumulators(args.map("accumulators")?)?;
                let groups = if stage.args.len() > 1 { self.aliased(args.map("groups")?)? } else { Vec::new() };
                if accumulators.is_empty() {
                    return Err(invalid("Stage 'aggregate' needs at least one accumulator; 'distinct' has groups alone."));
                }
                self.forget();
                Step::Aggregate { groups, accumulators }
            }
            "distinct" => {
                let groups = self.aliased(args.map("groups")?)?;
                if groups.is_empty() {
                    return Err(invalid("Stage 'distinct' needs at least one group."));
                }
                self.forget();
                Step::Aggregate { groups, accumulators: Vec::new() }
            }
            "find_nearest" => self.nearest(&mut args)?,
            "sample" => {
                let rate = args.take("rate")?;
                match (args.text("mode")?, rate) {
                    ("documents", rate) => Step::Sample(Sample::Documents(args.count("rate", rate)?)),
                    ("percent", Expr::Constant(rate)) if rate.as_f64().is_some_and(|rate| (0.0..=1.0).contains(&rate)) => {
                        Step::Sample(Sample::Rate(rate.as_f64().unwrap_or_default()))
                    }
                    ("percent", _) => return Err(invalid("Stage 'sample' by percent needs a rate from 0.0 to 1.0.")),
                    (other, _) => return Err(invalid(format!("Stage 'sample' has no mode '{other}'."))),
                }
            }
            "union" => match args.take("the other pipeline")? {
                Expr::Pipeline(pipeline) => Step::Union(Box::new(self.beside(pipeline)?)),
                other => return Err(args.wrong("the other pipeline", "PIPELINE_VALUE", other)),
            },
            "unnest" => {
                let array = self.node(args.take("array")?)?;
                let alias = args.field("alias")?;
                let index = args.field_option("index_field")?;
                Step::Unnest { array, alias, index }
            }
            "update" => Step::Update(if stage.args.is_empty() { Vec::new() } else { self.aliased(args.map("fields")?)? }),
            "delete" => Step::Delete,
            other if STAGES.contains(&other) => {
                return Err(invalid(format!("The stage '{other}' can only be the first one of a pipeline.")));
            }
            other => return Err(invalid(format!("There is no stage '{other}'.{}", nearest_name(other, STAGES.iter().copied())))),
        };
        args.end()?;
        Ok(step)
    }

    /// Where there are other documents than before, their variables are not known.
    fn forget(&mut self) {
        self.known.truncate(self.own);
    }

    fn nearest(&mut self, args: &mut Args<'_>) -> Result<Step, Error> {
        let field_node = self.node(args.take("field")?)?;
        let vector = args.take("vector")?;
        let elements = match vector {
            Expr::Constant(value) => value.as_vector().map(|elements| elements.iter().filter_map(Value::as_f64).collect::<Vec<f64>>()),
            _ => None,
        };
        let vector = elements.ok_or_else(|| args.wrong("vector", "a vector", vector))?;
        let measure = match args.text("distance measure")? {
            "euclidean" => Measure::Euclidean,
            "cosine" => Measure::Cosine,
            "dot_product" => Measure::DotProduct,
            other => return Err(invalid(format!("Stage 'find_nearest' has no distance measure '{other}'."))),
        };
        let limit = args.option("limit").map(|found| args.count("limit", found)).transpose()?;
        let distance = args.field_option("distance_field")?;
        Ok(Step::Nearest(Nearest { field: field_node, vector, measure, limit, distance }))
    }

    fn ordering(&mut self, args: &Args<'_>, expr: &Expr) -> Result<Ordering, Error> {
        let Expr::Map(map) = expr else { return Err(args.wrong("each ordering", "MAP_VALUE", expr)) };
        let by = map.get("expression").ok_or_else(|| invalid("An ordering of stage 'sort' lacks its expression."))?;
        let descending = match map.get("direction") {
            None => false,
            Some(Expr::Constant(Value::Text(text))) if text == "ascending" => false,
            Some(Expr::Constant(Value::Text(text))) if text == "descending" => true,
            Some(_) => return Err(invalid("The direction of an ordering is 'ascending' or 'descending'.")),
        };
        Ok(Ordering { by: self.node(by)?, descending })
    }

    fn aliased(&mut self, map: BTreeMap<String, Expr>) -> Result<Aliased, Error> {
        map.iter().map(|(alias, expr)| Ok((FieldPath::parse(alias)?, self.node(expr)?))).collect()
    }

    fn accumulators(&mut self, map: BTreeMap<String, Expr>) -> Result<Vec<(FieldPath, Accumulator)>, Error> {
        let mut accumulators = Vec::with_capacity(map.len());
        for (alias, expr) in &map {
            let Expr::Call { name, args } = expr else {
                return Err(invalid(format!("The accumulator '{alias}' of stage 'aggregate' is no function, but {}.", expr.label())));
            };
            let kind = Accumulate::of(name).ok_or_else(|| {
                let names = Accumulate::names();
                invalid(format!("There is no aggregate function '{name}'.{}", nearest_name(name, names)))
            })?;
            let of = match (kind, args.as_slice()) {
                (Accumulate::Count, []) => None,
                (_, [one]) => Some(self.node(one)?),
                (_, args) => return Err(invalid(format!("The aggregate function '{name}' takes one argument, and got {}.", args.len()))),
            };
            accumulators.push((FieldPath::parse(alias)?, Accumulator { kind, of }));
        }
        Ok(accumulators)
    }

    /// A pipeline within the one that is being prepared.
    fn within(&mut self, pipeline: &Pipeline) -> Result<Plan, Error> {
        self.depth += 1;
        let plan = self.plan(pipeline);
        self.depth -= 1;
        plan
    }

    /// A pipeline beside the one that is being prepared: no document of this one is known to it.
    fn beside(&mut self, pipeline: &Pipeline) -> Result<Plan, Error> {
        let own = self.known.split_off(self.own);
        let plan = self.within(pipeline);
        self.known.extend(own);
        plan
    }

    fn nodes(&mut self, exprs: &[Expr]) -> Result<Vec<Node>, Error> {
        exprs.iter().map(|expr| self.node(expr)).collect()
    }

    fn node(&mut self, expr: &Expr) -> Result<Node, Error> {
        Ok(match expr {
            Expr::Constant(value) => Node::Constant(value.clone()),
            Expr::Field(path) => Node::Field(path.clone()),
            Expr::Variable(name) if self.known.contains(name) => Node::Variable(name.clone()),
            Expr::Variable(name) => {
                return Err(invalid(format!("Unknown variable '{name}': a stage 'let' (`define`) before this one gives it a value.")));
            }
            Expr::Array(members) => Node::Array(self.nodes(members)?),
            Expr::Map(fields) => {
                Node::Map(fields.iter().map(|(name, expr)| Ok((name.clone(), self.node(expr)?))).collect::<Result<_, Error>>()?)
            }
            Expr::Pipeline(_) => {
                return Err(invalid("A pipeline within an expression is to be made a value: by `array` or by `scalar`."));
            }
            Expr::Call { name, args } => self.call(name, args)?,
        })
    }

    fn call(&mut self, name: &str, args: &[Expr]) -> Result<Node, Error> {
        match (name, args) {
            ("array", [Expr::Pipeline(pipeline)]) => return Ok(Node::Gather(Box::new(self.within(pipeline)?))),
            ("scalar", [Expr::Pipeline(pipeline)]) => return Ok(Node::Single(Box::new(self.within(pipeline)?))),
            ("array", members) => return Ok(Node::Array(self.nodes(members)?)),
            ("array_filter", [array, alias, keep]) => {
                let (array, alias) = (Box::new(self.node(array)?), alias_of(name, alias)?);
                let keep = Box::new(self.with(std::slice::from_ref(&alias), |preparing| preparing.node(keep))?);
                return Ok(Node::Filter { array, alias, keep });
            }
            ("array_transform", [array, alias, between @ .., make]) if between.len() < 2 => {
                let (array, alias) = (Box::new(self.node(array)?), alias_of(name, alias)?);
                let index = between.first().map(|index| alias_of(name, index)).transpose()?;
                let names: Vec<String> = index.iter().chain([&alias]).cloned().collect();
                let make = Box::new(self.with(&names, |preparing| preparing.node(make))?);
                return Ok(Node::Transform { array, alias, index, make });
            }
            _ => {}
        }
        let function = functions::find(name)
            .ok_or_else(|| invalid(format!("There is no function '{name}'.{}", nearest_name(name, functions::names()))))?;
        if !function.takes.contains(&args.len()) {
            let (least, most) = (function.takes.start(), function.takes.end());
            let wanted = match most {
                &usize::MAX => format!("at least {least}"),
                most if most == least => format!("{least}"),
                most => format!("{least} to {most}"),
            };
            return Err(invalid(format!("The function '{name}' takes {wanted} arguments, and got {}.", args.len())));
        }
        Ok(Node::Call(function, self.nodes(args)?))
    }

    /// With more variables than before.
    fn with<T>(&mut self, names: &[String], then: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        let known = self.known.len();
        self.known.extend_from_slice(names);
        let outcome = then(self);
        self.known.truncate(known);
        outcome
    }
}

fn alias_of(function: &str, expr: &Expr) -> Result<String, Error> {
    match expr {
        Expr::Constant(Value::Text(text)) => Ok(text.clone()),
        other => Err(invalid(format!("The function '{function}' needs a text that names each member, and got {}.", other.label()))),
    }
}

/// All stages by their names.
const STAGES: [&str; 24] = [
    "add_fields",
    "aggregate",
    "collection",
    "collection_group",
    "database",
    "delete",
    "distinct",
    "documents",
    "find_nearest",
    "let",
    "limit",
    "literals",
    "offset",
    "remove_fields",
    "replace_with",
    "sample",
    "search",
    "select",
    "sort",
    "subcollection",
    "union",
    "unnest",
    "update",
    "where",
];

/// ` Did you mean …?`, where something is near.
fn nearest_name(name: &str, known: impl IntoIterator<Item = &'static str>) -> String {
    let near = known.into_iter().map(|known| (strsim::damerau_levenshtein(name, known), known)).min();
    match near {
        Some((distance, known)) if distance <= 1 + known.len() / 4 => format!(" Did you mean '{known}'?"),
        _ => String::new(),
    }
}
