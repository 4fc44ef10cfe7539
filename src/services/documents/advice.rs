//! Which indexes production would need for a query: it makes those of single fields by itself, and no others. Source: "Index types" and
//! the shape of `firestore.indexes.json`.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex};

use arc_swap::ArcSwapOption;

use super::Error;
use super::filter::Op;
use super::name::FieldPath;
use super::query::Query;

/// How a field is in an index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    Ascending,
    Descending,
    Contains,
}

/// An index over documents of collections of one identifier.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Index {
    pub collection: String,
    /// Over all collections of the identifier, wherever they are.
    pub group: bool,
    /// One field where it is about an index of a single field.
    pub fields: Vec<(FieldPath, Mode)>,
}

impl Index {
    /// Whether this index does what another is needed for: the fields that are compared for equality may stand in any order, and all
    /// directions may be turned round.
    pub fn serves(&self, needed: &Needed) -> bool {
        let Index { collection, group, fields } = &needed.index;
        if self.collection != *collection || self.group != *group || self.fields.len() != fields.len() {
            return false;
        }
        let (equal, ordered) = fields.split_at(needed.equal.min(fields.len()));
        let (own_equal, own_ordered) = self.fields.split_at(equal.len());
        let same_equal = equal.iter().all(|(field, mode)| {
            own_equal.iter().any(|(own, own_mode)| own == field && (*own_mode == Mode::Contains) == (*mode == Mode::Contains))
        });
        let turned = |mode: Mode| match mode {
            Mode::Ascending => Mode::Descending,
            Mode::Descending => Mode::Ascending,
            Mode::Contains => Mode::Contains,
        };
        let same = ordered == own_ordered;
        same_equal && (same || ordered.iter().zip(own_ordered).all(|((a, mode), (b, own))| a == b && turned(*mode) == *own))
    }
}

/// As an entry of `firestore.indexes.json`.
impl fmt::Display for Index {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scope = if self.group { "COLLECTION_GROUP" } else { "COLLECTION" };
        let mode = |mode: Mode| match mode {
            Mode::Ascending => ("order", "ASCENDING"),
            Mode::Descending => ("order", "DESCENDING"),
            Mode::Contains => ("arrayConfig", "CONTAINS"),
        };
        let text = |text: &str| serde_json::Value::from(text);
        if let [(field, how)] = self.fields.as_slice() {
            write!(f, "{{\"collectionGroup\": {}, \"fieldPath\": {}, \"indexes\": [", text(&self.collection), text(&field.to_string()))?;
            // Whoever names a field's indexes names all of them: those that production makes by itself, too.
            for usual in [Mode::Ascending, Mode::Descending, Mode::Contains] {
                let (name, value) = mode(usual);
                write!(f, "{{\"{name}\": \"{value}\", \"queryScope\": \"COLLECTION\"}}, ")?;
            }
            let (name, value) = mode(*how);
            return write!(f, "{{\"{name}\": \"{value}\", \"queryScope\": \"{scope}\"}}]}}");
        }
        write!(f, "{{\"collectionGroup\": {}, \"queryScope\": \"{scope}\", \"fields\": [", text(&self.collection))?;
        for (at, (field, how)) in self.fields.iter().enumerate() {
            let (name, value) = mode(*how);
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{{\"fieldPath\": {}, \"{name}\": \"{value}\"}}", text(&field.to_string()))?;
        }
        f.write_str("]}")
    }
}

/// An index that a query needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Needed {
    /// The documents' names come last in it, and are not among its fields.
    pub index: Index,
    /// How many of its fields, at the beginning, are compared for equality.
    equal: usize,
}

/// The indexes that a query needs and production does not make by itself, one for each alternative of its filter.
pub fn needed(query: &Query) -> Result<BTreeSet<Needed>, Error> {
    if query.nearest.is_some() {
        return Ok(BTreeSet::new());
    }
    Ok(used(query)?.into_iter().filter(|used| used.index.group || used.index.fields.len() > 1).collect())
}

/// The indexes that production uses for a query, those that it makes by itself too. One by name alone has no fields and is not among them.
pub fn used(query: &Query) -> Result<BTreeSet<Needed>, Error> {
    let mut used = BTreeSet::new();
    let Some(collection) = query.scope.collection.clone() else { return Ok(used) };
    let group = query.scope.descendants;
    for conditions in query.alternatives()? {
        let mut equal: Vec<(FieldPath, Mode)> = Vec::new();
        for condition in conditions.iter().filter(|condition| !condition.field.is_name()) {
            let mode = match condition.op {
                Op::Equal | Op::IsNull | Op::IsNan => Mode::Ascending,
                Op::ArrayContains => Mode::Contains,
                _ => continue,
            };
            if !equal.contains(&(condition.field.clone(), mode)) {
                equal.push((condition.field.clone(), mode));
            }
        }
        let is_equal = |field: &FieldPath| equal.iter().any(|(other, mode)| other == field && *mode == Mode::Ascending);
        let mode = |descending: bool| if descending { Mode::Descending } else { Mode::Ascending };
        let ordered: Vec<(FieldPath, Mode)> = query
            .order
            .iter()
            .filter(|order| !order.field.is_name() && !is_equal(&order.field))
            .map(|order| (order.field.clone(), mode(order.descending)))
            .collect();
        // Indexes of single fields are merged for equality alone.
        let merged = ordered.is_empty();
        if equal.len() + ordered.len() > 1 && !merged {
            let number = equal.len();
            let fields = equal.into_iter().chain(ordered).collect();
            used.insert(Needed { index: Index { collection: collection.clone(), group, fields }, equal: number });
        } else {
            // Of single fields there are indexes within collections only.
            for field in equal.into_iter().chain(ordered) {
                used.insert(Needed { index: Index { collection: collection.clone(), group, fields: vec![field] }, equal: 0 });
            }
        }
    }
    Ok(used)
}

/// The indexes that a project declares, beside those that production makes by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    pub indexes: Vec<Index>,
    /// A query that needs another is refused, as production does; else it is told once.
    pub strict: bool,
}

impl Declared {
    /// Reads the text of `firestore.indexes.json`. Fails with what is wrong with it.
    pub fn parse(text: &str, strict: bool) -> Result<Declared, String> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct File {
            #[serde(default)]
            indexes: Vec<Composite>,
            #[serde(default)]
            field_overrides: Vec<Override>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Composite {
            collection_group: String,
            #[serde(default)]
            query_scope: String,
            fields: Vec<Field>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Override {
            collection_group: String,
            field_path: String,
            #[serde(default)]
            indexes: Vec<Field>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Field {
            #[serde(default)]
            field_path: String,
            #[serde(default)]
            order: String,
            #[serde(default)]
            array_config: String,
            #[serde(default)]
            query_scope: String,
        }
        let mode = |field: &Field| match (field.order.as_str(), field.array_config.as_str()) {
            ("", "CONTAINS") => Some(Mode::Contains),
            ("DESCENDING", _) => Some(Mode::Descending),
            ("ASCENDING", _) => Some(Mode::Ascending),
            // Of vectors, which are all looked at here.
            _ => None,
        };
        let path = |text: &str| FieldPath::parse(text).map_err(|error| error.to_string());
        let file: File = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut indexes = Vec::new();
        for Composite { collection_group, query_scope, fields } in file.indexes {
            let mut named = Vec::new();
            for field in &fields {
                let field_path = path(&field.field_path)?;
                // The name comes last in every index, said or not.
                if let Some(mode) = mode(field).filter(|_| !field_path.is_name()) {
                    named.push((field_path, mode));
                }
            }
            indexes.push(Index { collection: collection_group, group: query_scope == "COLLECTION_GROUP", fields: named });
        }
        for Override { collection_group, field_path, indexes: of } in file.field_overrides {
            for field in &of {
                if let Some(mode) = mode(field) {
                    let group = field.query_scope == "COLLECTION_GROUP";
                    indexes.push(Index { collection: collection_group.clone(), group, fields: vec![(path(&field_path)?, mode)] });
                }
            }
        }
        Ok(Declared { indexes, strict })
    }
}

/// Indexes that are remembered to have been told of.
const SAID_MAX: usize = 1_000;

/// Tells of indexes that production would need.
#[derive(Default)]
pub(super) struct Adviser {
    declared: ArcSwapOption<Declared>,
    said: Mutex<BTreeSet<Index>>,
}

impl Adviser {
    /// The indexes that there are. Until this is called, nobody is told of any.
    pub(super) fn declare(&self, declared: Declared) {
        self.declared.store(Some(Arc::new(declared)));
    }

    /// The indexes that were told of and are not declared by now.
    pub(super) fn missing(&self) -> Vec<Index> {
        let declared = self.declared.load();
        let known = |index: &Index| declared.as_ref().is_some_and(|declared| declared.indexes.contains(index));
        let said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        said.iter().filter(|index| !known(index)).cloned().collect()
    }

    /// Fails with [`Error::NoIndex`] where the project wants what production does.
    pub(super) fn see(&self, query: &Query) -> Result<(), Error> {
        let declared = self.declared.load();
        let Some(declared) = declared.as_ref() else { return Ok(()) };
        for needed in needed(query)? {
            if declared.indexes.iter().any(|index| index.serves(&needed)) {
                continue;
            }
            let is_new = {
                let mut said = self.said.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                said.len() < SAID_MAX && said.insert(needed.index.clone())
            };
            if declared.strict {
                return Err(Error::NoIndex { database: query.scope.parent.database.clone(), index: Box::new(needed.index) });
            }
            if is_new {
                let list = if needed.index.fields.len() == 1 { "fieldOverrides" } else { "indexes" };
                tracing::warn!(
                    "Firestore: production refuses a query of `{}` that runs here, for want of an index; `emu indexes --write` adds it, or add to \
                     `{list}` of firestore.indexes.json: {}",
                    needed.index.collection,
                    needed.index
                );
            }
        }
        Ok(())
    }
}
