//! Documents on their way through the stages: each stage passes on what it has made, and says whether it wants more.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::eval::{Scope, Site, bind, eval, truth};
use super::group::Groups;
use super::plan::{Aliased, CREATED_FIELD, Merge, Nearest, Node, Ordering, Plan, Sample, Step, UPDATED_FIELD};
use super::run::{Held, Run};
use super::{Fault, Output, source};
use crate::services::documents::document::{self, Document};
use crate::services::documents::key;
use crate::services::documents::name::{FieldPath, NAME_FIELD};
use crate::services::documents::nearest::{self, Measure};
use crate::services::documents::value::{Fields, Timestamp, Value, fields_bytes};

/// Bytes that a document counts for beside its fields.
const ROW_BYTES: usize = 128;

/// A document on its way.
#[derive(Clone, Default)]
pub(super) struct Row {
    pub fields: Fields,
    /// Its full name, when it was made and changed: as long as it is a document of the database.
    pub name: Option<String>,
    pub created: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    /// Variables that were given a value for it.
    pub scope: Scope,
}

impl Row {
    pub fn of(document: Document, scope: &Scope) -> Row {
        Row {
            name: Some(document.name.full()),
            fields: document.fields,
            created: Some(document.created),
            updated: Some(document.updated),
            scope: scope.clone(),
        }
    }

    fn bytes(&self) -> usize {
        fields_bytes(&self.fields) + ROW_BYTES
    }

    /// Sets a field, or takes it away where there is no value.
    pub(super) fn set(&mut self, path: &FieldPath, value: Option<Value>) {
        let own = if let [name] = path.names() { name.as_str() } else { "" };
        match (own, value) {
            (NAME_FIELD, Some(Value::Reference(name))) => self.name = Some(name),
            (NAME_FIELD, None) => self.name = None,
            (CREATED_FIELD, Some(Value::Timestamp(at))) => self.created = Some(at),
            (CREATED_FIELD, None) => self.created = None,
            (UPDATED_FIELD, Some(Value::Timestamp(at))) => self.updated = Some(at),
            (UPDATED_FIELD, None) => self.updated = None,
            // What is no name and no time is a field as any other.
            (_, Some(value)) => document::set(&mut self.fields, path, value),
            (_, None) => document::remove(&mut self.fields, path),
        }
    }

    pub fn output(self) -> Output {
        Output { name: self.name, fields: self.fields, created: self.created, updated: self.updated }
    }
}

/// Takes documents. `Ok(false)`: it wants no more.
pub(super) trait Sink {
    fn take(&mut self, row: Row) -> Result<bool, Fault>;

    /// There are no more.
    fn end(&mut self) -> Result<(), Fault>;
}

type Next<'s> = Box<dyn Sink + 's>;

/// All that a plan gives.
pub(super) fn run(run: &Run<'_>, plan: &Plan) -> Result<Vec<Output>, Fault> {
    let rows = gather(run, plan, None, &None, usize::MAX)?;
    Ok(rows.into_iter().map(Row::output).collect())
}

/// What a plan gives, up to a number of documents. `outer`: the row of the pipeline that this one is within, with its variables.
pub(super) fn gather(run: &Run<'_>, plan: &Plan, outer: Option<&Row>, scope: &Scope, most: usize) -> Result<Vec<Row>, Fault> {
    let mut rows = Vec::new();
    let last = Box::new(Collect { rows: &mut rows, most, held: run.hold() });
    drive(run, plan, outer, scope, last)?;
    Ok(rows)
}

/// Pushes what a plan's source has through its stages.
fn drive<'s>(run: &'s Run<'s>, plan: &'s Plan, outer: Option<&'s Row>, scope: &'s Scope, last: Next<'s>) -> Result<(), Fault> {
    let mut first = last;
    for (at, step) in plan.steps.iter().enumerate().rev() {
        first = stage(run, step, &plan.steps[at + 1..], outer, scope, first);
    }
    source::each(run, plan, outer, scope, &mut |row| first.take(row))?;
    first.end()
}

fn stage<'s>(run: &'s Run<'s>, step: &'s Step, after: &'s [Step], outer: Option<&'s Row>, scope: &'s Scope, next: Next<'s>) -> Next<'s> {
    match step {
        Step::Where(condition) => Box::new(Where { run, condition, next }),
        Step::Limit(left) => Box::new(Limit { left: *left, next }),
        Step::Offset(left) => Box::new(Offset { left: *left, next }),
        Step::Sort(orderings) => {
            // Of what is cut off right after it, nothing has to be kept.
            let wanted = match after {
                [Step::Limit(limit), ..] => Some(*limit),
                [Step::Offset(offset), Step::Limit(limit), ..] => Some(offset.saturating_add(*limit)),
                _ => None,
            };
            Box::new(Sort { run, orderings, rows: Vec::new(), wanted, held: run.hold(), next })
        }
        Step::Aggregate { groups, accumulators } => {
            Box::new(Aggregate { run, groups: Groups::new(groups, accumulators), scope, held: run.hold(), next })
        }
        Step::Nearest(nearest) => Box::new(Nearby { run, nearest, found: Smallest::new(nearest.limit, run), next }),
        Step::Sample(Sample::Rate(rate)) => Box::new(Rate { run, rate: *rate, next }),
        Step::Sample(Sample::Documents(wanted)) => Box::new(Draw { run, drawn: Smallest::new(Some(*wanted), run), next }),
        Step::Union(plan) => Box::new(Union { run, plan, outer, scope, wants: true, next }),
        Step::Unnest { array, alias, index } => Box::new(Unnest { run, array, alias, index: index.as_ref(), next }),
        // What changes documents goes through them as they are to become.
        Step::Select(_) | Step::Add(_) | Step::Remove(_) | Step::Replace(..) | Step::Define(_) | Step::Update(_) | Step::Delete => {
            Box::new(Each { run, step, next })
        }
    }
}

struct Collect<'s> {
    rows: &'s mut Vec<Row>,
    most: usize,
    held: Held<'s>,
}

impl Sink for Collect<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        self.held.more(row.bytes())?;
        self.rows.push(row);
        Ok(self.rows.len() < self.most)
    }

    fn end(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

struct Where<'s> {
    run: &'s Run<'s>,
    condition: &'s Node,
    next: Next<'s>,
}

impl Sink for Where<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let holds = match eval(self.condition, Site::of(self.run, &row)) {
            Ok(value) => truth("where", value.as_deref()).unwrap_or(None) == Some(true),
            // What cannot be worked out is not so.
            Err(Fault::Value(_)) => false,
            Err(fault) => return Err(fault),
        };
        if holds { self.next.take(row) } else { Ok(true) }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.next.end()
    }
}

struct Limit<'s> {
    left: u64,
    next: Next<'s>,
}

impl Sink for Limit<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(false) };
        self.left = left;
        Ok(self.next.take(row)? && left > 0)
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.next.end()
    }
}

struct Offset<'s> {
    left: u64,
    next: Next<'s>,
}

impl Sink for Offset<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                Ok(true)
            }
            None => self.next.take(row),
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.next.end()
    }
}

/// Stages that make one document of one.
struct Each<'s> {
    run: &'s Run<'s>,
    step: &'s Step,
    next: Next<'s>,
}

/// The fields that expressions make of a row.
fn made<'s>(run: &'s Run<'s>, row: &'s Row, aliased: &'s Aliased) -> Result<Vec<(&'s FieldPath, Option<Value>)>, Fault> {
    let mut held = run.hold();
    let mut made = Vec::with_capacity(aliased.len());
    for (path, node) in aliased {
        let value = eval(node, Site::of(run, row))?.map(Cow::into_owned);
        held.more(value.as_ref().map_or(0, Value::bytes))?;
        made.push((path, value));
    }
    Ok(made)
}

impl Each<'_> {
    fn make(&self, row: Row) -> Result<Row, Fault> {
        Ok(match self.step {
            Step::Select(aliased) => {
                let mut selected = Row { scope: row.scope.clone(), ..Row::default() };
                made(self.run, &row, aliased)?.into_iter().for_each(|(path, value)| selected.set(path, value));
                selected
            }
            Step::Add(aliased) | Step::Update(aliased) => {
                let made: Vec<_> = made(self.run, &row, aliased)?.into_iter().map(|(path, value)| (path.clone(), value)).collect();
                let mut row = row;
                made.into_iter().for_each(|(path, value)| row.set(&path, value));
                row
            }
            Step::Remove(paths) => {
                let mut row = row;
                paths.iter().for_each(|path| row.set(path, None));
                row
            }
            Step::Replace(node, merge) => {
                let map = match eval(node, Site::of(self.run, &row))?.map(Cow::into_owned) {
                    Some(Value::Map(map)) => map,
                    None => Fields::new(),
                    Some(other) => return Err(super::eval::wrong_type("replace_with", "a map", &other)),
                };
                match merge {
                    Merge::Replace => Row { fields: map, scope: row.scope, ..Row::default() },
                    Merge::Overwrite => {
                        let mut row = row;
                        row.fields.extend(map);
                        row
                    }
                    Merge::Keep => {
                        let mut row = row;
                        for (name, value) in map {
                            row.fields.entry(name).or_insert(value);
                        }
                        row
                    }
                }
            }
            Step::Define(variables) => {
                // None of them sees another one of the same stage.
                let mut scope = row.scope.clone();
                for (name, node) in variables {
                    let value = eval(node, Site::of(self.run, &row))?.map(Cow::into_owned);
                    scope = bind(name, value, &scope);
                }
                Row { scope, ..row }
            }
            _ => row,
        })
    }
}

impl Sink for Each<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let row = self.make(row)?;
        self.next.take(row)
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.next.end()
    }
}

struct Sort<'s> {
    run: &'s Run<'s>,
    orderings: &'s [Ordering],
    /// With their places in the order.
    rows: Vec<(Vec<u8>, Row)>,
    /// How many of the first are wanted.
    wanted: Option<u64>,
    held: Held<'s>,
    next: Next<'s>,
}

impl Sort<'_> {
    fn place(&self, row: &Row) -> Result<Vec<u8>, Fault> {
        let mut place = Vec::with_capacity(32);
        for Ordering { by, descending } in self.orderings {
            let from = place.len();
            match eval(by, Site::of(self.run, row))? {
                Some(value) => key::push(&value, &mut place),
                None => key::push(&Value::Null, &mut place),
            }
            if *descending {
                place[from..].iter_mut().for_each(|byte| *byte = !*byte);
            }
        }
        Ok(place)
    }

    fn settle(&mut self) {
        // What has the same place stays in the order in which it came.
        self.rows.sort_by(|(a, _), (b, _)| a.cmp(b));
        if let Some(wanted) = self.wanted.and_then(|wanted| usize::try_from(wanted).ok())
            && wanted < self.rows.len()
        {
            let bytes = self.rows.drain(wanted..).map(|(place, row)| place.len() + row.bytes()).sum();
            self.held.less(bytes);
        }
    }
}

impl Sink for Sort<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let place = self.place(&row)?;
        self.held.more(place.len() + row.bytes())?;
        self.rows.push((place, row));
        if self.wanted.is_some_and(|wanted| self.rows.len() as u64 >= wanted.saturating_mul(2).saturating_add(64)) {
            self.settle();
        }
        Ok(self.wanted != Some(0))
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.settle();
        pass(std::mem::take(&mut self.rows).into_iter().map(|(_, row)| row), &mut self.next)
    }
}

/// Passes on what was kept.
fn pass(rows: impl IntoIterator<Item = Row>, next: &mut Next<'_>) -> Result<(), Fault> {
    for row in rows {
        if !next.take(row)? {
            break;
        }
    }
    next.end()
}

struct Aggregate<'s> {
    run: &'s Run<'s>,
    groups: Groups<'s>,
    /// Of the pipelines around this one: what groups are made of has variables no more.
    scope: &'s Scope,
    held: Held<'s>,
    next: Next<'s>,
}

impl Sink for Aggregate<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let grew = self.groups.add(Site::of(self.run, &row))?;
        self.held.more(grew)?;
        Ok(true)
    }

    fn end(&mut self) -> Result<(), Fault> {
        let rows = self.groups.end();
        let of = |made: Vec<(&FieldPath, Value)>| {
            let mut row = Row { scope: self.scope.clone(), ..Row::default() };
            made.into_iter().for_each(|(path, value)| row.set(path, Some(value)));
            row
        };
        pass(rows.into_iter().map(of), &mut self.next)
    }
}

/// The rows with the smallest numbers, which are so many at most.
struct Smallest<'s> {
    rows: Vec<(f64, Row)>,
    wanted: usize,
    held: Held<'s>,
}

impl<'s> Smallest<'s> {
    fn new(wanted: Option<u64>, run: &'s Run<'s>) -> Smallest<'s> {
        let wanted = wanted.and_then(|wanted| usize::try_from(wanted).ok()).unwrap_or(usize::MAX);
        Smallest { rows: Vec::new(), wanted, held: run.hold() }
    }

    fn add(&mut self, number: f64, row: Row) -> Result<(), Fault> {
        self.held.more(row.bytes())?;
        self.rows.push((number, row));
        // Seldom enough that each row is looked at but a few times.
        if self.rows.len() >= self.wanted.saturating_mul(2).saturating_add(64) {
            self.settle();
        }
        Ok(())
    }

    fn settle(&mut self) {
        // What has the same number stays in the order in which it came.
        self.rows.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let over = self.rows.drain(self.wanted.min(self.rows.len())..);
        self.held.less(over.map(|(_, row)| row.bytes()).sum());
    }

    fn end(&mut self) -> Vec<(f64, Row)> {
        self.settle();
        std::mem::take(&mut self.rows)
    }
}

struct Nearby<'s> {
    run: &'s Run<'s>,
    nearest: &'s Nearest,
    found: Smallest<'s>,
    next: Next<'s>,
}

impl Nearby<'_> {
    /// Of products, the larger is the nearer.
    fn turned(&self, distance: f64) -> f64 {
        if self.nearest.measure == Measure::DotProduct { -distance } else { distance }
    }
}

impl Sink for Nearby<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let elements = match eval(&self.nearest.field, Site::of(self.run, &row))?.as_deref().and_then(Value::as_vector) {
            Some(elements) => elements.iter().map(Value::as_f64).collect::<Option<Vec<f64>>>(),
            None => None,
        };
        let elements = elements.filter(|elements| elements.len() == self.nearest.vector.len());
        let distance = elements.and_then(|elements| nearest::distance(self.nearest.measure, &self.nearest.vector, &elements));
        if let Some(distance) = distance {
            let number = self.turned(distance);
            self.found.add(number, row)?;
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), Fault> {
        let mut rows = self.found.end();
        if let Some(path) = &self.nearest.distance {
            for (number, row) in &mut rows {
                row.set(path, Some(Value::Double(self.turned(*number))));
            }
        }
        pass(rows.into_iter().map(|(_, row)| row), &mut self.next)
    }
}

/// Each document with a chance.
struct Rate<'s> {
    run: &'s Run<'s>,
    rate: f64,
    next: Next<'s>,
}

impl Sink for Rate<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        if self.run.random() < self.rate { self.next.take(row) } else { Ok(true) }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.next.end()
    }
}

/// So many documents by chance, in an order by chance.
struct Draw<'s> {
    run: &'s Run<'s>,
    drawn: Smallest<'s>,
    next: Next<'s>,
}

impl Sink for Draw<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        self.drawn.add(self.run.random(), row)?;
        Ok(self.drawn.wanted > 0)
    }

    fn end(&mut self) -> Result<(), Fault> {
        let rows = self.drawn.end();
        pass(rows.into_iter().map(|(_, row)| row), &mut self.next)
    }
}

struct Union<'s> {
    run: &'s Run<'s>,
    plan: &'s Plan,
    outer: Option<&'s Row>,
    scope: &'s Scope,
    /// Whether what comes after wants more.
    wants: bool,
    next: Next<'s>,
}

/// Passes documents on to where they were going before.
struct Through<'a, 's> {
    next: &'a mut Next<'s>,
}

impl Sink for Through<'_, '_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        self.next.take(row)
    }

    fn end(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Sink for Union<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        self.wants = self.next.take(row)?;
        Ok(self.wants)
    }

    fn end(&mut self) -> Result<(), Fault> {
        if self.wants {
            drive(self.run, self.plan, self.outer, self.scope, Box::new(Through { next: &mut self.next }))?;
        }
        self.next.end()
    }
}

struct Unnest<'s> {
    run: &'s Run<'s>,
    array: &'s Node,
    alias: &'s FieldPath,
    index: Option<&'s FieldPath>,
    next: Next<'s>,
}

impl Sink for Unnest<'_> {
    fn take(&mut self, row: Row) -> Result<bool, Fault> {
        let array = eval(self.array, Site::of(self.run, &row))?.map(Cow::into_owned);
        let mut members = match array {
            Some(Value::Array(members)) => {
                members.into_iter().enumerate().map(|(at, member)| (Some(member), Value::Int(at as i64))).collect()
            }
            // What is no array goes on as it is, with no place.
            other => VecDeque::from([(other, Value::Null)]),
        };
        let mut row = Some(row);
        while let Some((member, at)) = members.pop_front() {
            self.run.step()?;
            let last = members.is_empty();
            let Some(mut one) = (if last { row.take() } else { row.clone() }) else { break };
            one.set(self.alias, member);
            if let Some(index) = self.index {
                one.set(index, Some(at));
            }
            if !self.next.take(one)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.next.end()
    }
}
