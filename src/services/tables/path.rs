//! Document paths: `a.b[0].c`, and what lies at them.

use std::fmt;

use super::value::{Item, Value};

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    Name(String),
    Index(usize),
}

/// A place in an item: a top-level attribute and the steps below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    pub attribute: String,
    pub steps: Vec<Step>,
}

impl Path {
    /// A top-level attribute.
    pub fn top(attribute: impl Into<String>) -> Path {
        Path { attribute: attribute.into(), steps: Vec::new() }
    }

    /// What lies there.
    pub fn find<'a>(&self, item: &'a Item) -> Option<&'a Value> {
        let mut value = item.get(&self.attribute)?;
        for step in &self.steps {
            value = match (step, value) {
                (Step::Name(name), Value::M(map)) => map.get(name)?,
                (Step::Index(index), Value::L(list)) => list.get(*index)?,
                _ => return None,
            };
        }
        Some(value)
    }

    /// Puts a value there: a new map entry, or at the end of a list that is shorter. False where the way there does not exist.
    pub fn set(&self, item: &mut Item, value: Value) -> bool {
        let Some((last, way)) = self.steps.split_last() else {
            item.insert(&self.attribute, value);
            return true;
        };
        let Some(parent) = descend(item, &self.attribute, way) else { return false };
        match (last, parent) {
            (Step::Name(name), Value::M(map)) => {
                map.insert(name, value);
            }
            (Step::Index(index), Value::L(list)) => match list.get_mut(*index) {
                Some(slot) => *slot = value,
                None => list.push(value),
            },
            _ => return false,
        }
        true
    }

    /// Takes away what lies there. False where the way there does not exist; nothing at the end of it is fine.
    pub fn remove(&self, item: &mut Item) -> bool {
        let Some((last, way)) = self.steps.split_last() else {
            item.remove(&self.attribute);
            return true;
        };
        let Some(parent) = descend(item, &self.attribute, way) else { return false };
        match (last, parent) {
            (Step::Name(name), Value::M(map)) => {
                map.remove(name);
            }
            (Step::Index(index), Value::L(list)) => {
                if *index < list.len() {
                    list.remove(*index);
                }
            }
            _ => return false,
        }
        true
    }
}

fn descend<'a>(item: &'a mut Item, attribute: &str, way: &[Step]) -> Option<&'a mut Value> {
    let mut value = item.get_mut(attribute)?;
    for step in way {
        value = match (step, value) {
            (Step::Name(name), Value::M(map)) => map.get_mut(name)?,
            (Step::Index(index), Value::L(list)) => list.get_mut(*index)?,
            _ => return None,
        };
    }
    Some(value)
}

/// As the service's errors print paths: `[a, b, [0]]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}", self.attribute)?;
        for step in &self.steps {
            match step {
                Step::Name(name) => write!(f, ", {name}")?,
                Step::Index(index) => write!(f, ", [{index}]")?,
            }
        }
        f.write_str("]")
    }
}

/// Why two paths cannot be in one expression together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clash {
    /// One is the other or lies within it.
    Overlap,
    /// One goes on with a name where the other goes on with an index.
    Conflict,
}

/// Whether two paths clash.
pub fn clash(a: &Path, b: &Path) -> Option<Clash> {
    if a.attribute != b.attribute {
        return None;
    }
    for (x, y) in a.steps.iter().zip(&b.steps) {
        match (x, y) {
            (Step::Name(_), Step::Index(_)) | (Step::Index(_), Step::Name(_)) => return Some(Clash::Conflict),
            _ if x != y => return None,
            _ => {}
        }
    }
    Some(Clash::Overlap)
}

/// The parts of `item` that lie at `paths`, which do not clash. List elements keep their order and close up.
pub fn project(item: &Item, paths: &[Path]) -> Item {
    if paths.iter().all(|path| path.steps.is_empty()) {
        return item.only(|name| paths.iter().any(|path| path.attribute == name));
    }
    let mut result = Vec::new();
    for (name, value) in item.iter() {
        let below: Vec<&[Step]> = paths.iter().filter(|path| path.attribute == *name).map(|path| path.steps.as_slice()).collect();
        if let Some(value) = narrow(value, &below) {
            result.push((name.clone(), value));
        }
    }
    Item::new(result)
}

fn narrow(value: &Value, paths: &[&[Step]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    match value {
        Value::M(map) => {
            let kept: Vec<(String, Value)> = map
                .iter()
                .filter_map(|(name, value)| {
                    let below = through(paths, |step| matches!(step, Step::Name(n) if n == name));
                    narrow(value, &below).map(|value| (name.clone(), value))
                })
                .collect();
            (!kept.is_empty()).then(|| Value::M(Item::new(kept)))
        }
        Value::L(list) => {
            let kept: Vec<Value> =
                list.iter().enumerate().filter_map(|(at, value)| narrow(value, &through(paths, |step| *step == Step::Index(at)))).collect();
            (!kept.is_empty()).then_some(Value::L(kept))
        }
        _ => None,
    }
}

fn through<'a>(paths: &[&'a [Step]], fits: impl Fn(&Step) -> bool) -> Vec<&'a [Step]> {
    paths.iter().filter_map(|path| path.split_first().filter(|(first, _)| fits(first)).map(|(_, rest)| rest)).collect()
}
