//! What a pipeline is run by: its stages with their names looked up, their arguments checked and their variables bound.

use super::functions::Function;
use super::group::Accumulator;
use crate::services::documents::name::{FieldPath, Name, Parent};
use crate::services::documents::nearest::Measure;
use crate::services::documents::value::Value;

/// When a document was made, and when it was changed last: fields that documents have of themselves.
pub(super) const CREATED_FIELD: &str = "__create_time__";
pub(super) const UPDATED_FIELD: &str = "__update_time__";

/// Stages, ready to run.
#[derive(Debug)]
pub(super) struct Plan {
    pub source: Source,
    pub steps: Vec<Step>,
}

impl Plan {
    /// Whether it changes documents.
    pub fn changes(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Update(_) | Step::Delete))
    }
}

/// Where documents come from.
#[derive(Debug)]
pub(super) enum Source {
    /// The documents of a collection, by its path.
    Collection(String),
    /// Those of all collections of an identifier beneath a parent.
    Group(Parent, String),
    /// All of the database.
    Database,
    Documents(Vec<Name>),
    /// Those of a collection beneath the document that the pipeline around this one is at.
    Subcollection(String),
    /// Maps that are worked out.
    Literals(Vec<Node>),
}

/// What becomes of documents.
#[derive(Debug)]
pub(super) enum Step {
    Where(Node),
    Sort(Vec<Ordering>),
    Limit(u64),
    Offset(u64),
    Select(Aliased),
    Add(Aliased),
    Remove(Vec<FieldPath>),
    Replace(Node, Merge),
    /// Names and what they stand for from here on.
    Define(Vec<(String, Node)>),
    Aggregate {
        groups: Aliased,
        accumulators: Vec<(FieldPath, Accumulator)>,
    },
    Nearest(Nearest),
    Sample(Sample),
    Union(Box<Plan>),
    Unnest {
        array: Node,
        alias: FieldPath,
        index: Option<FieldPath>,
    },
    Update(Aliased),
    Delete,
}

/// Expressions, and the fields that their values go to.
pub(super) type Aliased = Vec<(FieldPath, Node)>;

#[derive(Debug)]
pub(super) struct Ordering {
    pub by: Node,
    pub descending: bool,
}

/// What becomes of a document's own fields where a map takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Merge {
    Replace,
    /// The map's go first.
    Overwrite,
    /// The document's go first.
    Keep,
}

#[derive(Debug)]
pub(super) struct Nearest {
    pub field: Node,
    pub vector: Vec<f64>,
    pub measure: Measure,
    pub limit: Option<u64>,
    pub distance: Option<FieldPath>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sample {
    Documents(u64),
    /// The chance of each document.
    Rate(f64),
}

/// An expression, ready to be worked out.
#[derive(Debug)]
pub(super) enum Node {
    Constant(Value),
    Field(FieldPath),
    Variable(String),
    Array(Vec<Node>),
    Map(Vec<(String, Node)>),
    Call(&'static Function, Vec<Node>),
    /// The members of an array that meet a condition, in which they have a name.
    Filter {
        array: Box<Node>,
        alias: String,
        keep: Box<Node>,
    },
    /// What is made of each member of an array.
    Transform {
        array: Box<Node>,
        alias: String,
        index: Option<String>,
        make: Box<Node>,
    },
    /// What another pipeline gives: an array of it.
    Gather(Box<Plan>),
    /// What another pipeline gives, once or not at all.
    Single(Box<Plan>),
}
