//! The values of attributes, and items made of them.

use std::cmp::Ordering;

use super::number::Number;

/// The value of an attribute. Sets are kept sorted, so that equal sets are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    S(String),
    N(Number),
    B(Vec<u8>),
    Ss(Vec<String>),
    Ns(Vec<Number>),
    Bs(Vec<Vec<u8>>),
    M(Item),
    L(Vec<Value>),
    Bool(bool),
    Null,
}

/// The type of a value, by the letters that the API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Kind {
    S,
    N,
    B,
    Ss,
    Ns,
    Bs,
    M,
    L,
    Bool,
    Null,
}

impl Kind {
    /// `S`, `NS`, `BOOL`, …
    pub fn label(self) -> &'static str {
        match self {
            Kind::S => "S",
            Kind::N => "N",
            Kind::B => "B",
            Kind::Ss => "SS",
            Kind::Ns => "NS",
            Kind::Bs => "BS",
            Kind::M => "M",
            Kind::L => "L",
            Kind::Bool => "BOOL",
            Kind::Null => "NULL",
        }
    }

    /// The kind that `label` names.
    pub fn named(label: &str) -> Option<Kind> {
        [Kind::S, Kind::N, Kind::B, Kind::Ss, Kind::Ns, Kind::Bs, Kind::M, Kind::L, Kind::Bool, Kind::Null]
            .into_iter()
            .find(|kind| kind.label() == label)
    }

    /// The word that update expressions' errors use: `STRING`, `NUMBER_SET`, …
    pub fn word(self) -> &'static str {
        match self {
            Kind::S => "STRING",
            Kind::N => "NUMBER",
            Kind::B => "BINARY",
            Kind::Ss => "STRING_SET",
            Kind::Ns => "NUMBER_SET",
            Kind::Bs => "BINARY_SET",
            Kind::M => "MAP",
            Kind::L => "LIST",
            Kind::Bool => "BOOLEAN",
            Kind::Null => "NULL",
        }
    }
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Kind {
        match self {
            Value::S(_) => Kind::S,
            Value::N(_) => Kind::N,
            Value::B(_) => Kind::B,
            Value::Ss(_) => Kind::Ss,
            Value::Ns(_) => Kind::Ns,
            Value::Bs(_) => Kind::Bs,
            Value::M(_) => Kind::M,
            Value::L(_) => Kind::L,
            Value::Bool(_) => Kind::Bool,
            Value::Null => Kind::Null,
        }
    }

    /// Bytes that it counts for, without its name. Source: "DynamoDB item sizes and formats".
    pub fn bytes(&self) -> usize {
        match self {
            Value::S(text) => text.len(),
            Value::N(number) => number_bytes(*number),
            Value::B(bytes) => bytes.len(),
            Value::Ss(set) => set.iter().map(String::len).sum(),
            Value::Ns(set) => set.iter().map(|n| number_bytes(*n)).sum(),
            Value::Bs(set) => set.iter().map(Vec::len).sum(),
            Value::M(map) => 3 + map.iter().map(|(name, value)| 1 + name.len() + value.bytes()).sum::<usize>(),
            Value::L(list) => 3 + list.iter().map(|value| 1 + value.bytes()).sum::<usize>(),
            Value::Bool(_) | Value::Null => 1,
        }
    }

    /// How two values of the same ordered type (S, N, B) compare; `None` for others.
    pub fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::S(a), Value::S(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Value::N(a), Value::N(b)) => Some(a.cmp(b)),
            (Value::B(a), Value::B(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }

    /// A set of strings; `None` where it is empty or has duplicates.
    pub fn string_set(mut members: Vec<String>) -> Option<Value> {
        sorted_set(&mut members, String::cmp).then_some(Value::Ss(members))
    }

    /// A set of numbers; `None` where it is empty or has duplicates.
    pub fn number_set(mut members: Vec<Number>) -> Option<Value> {
        sorted_set(&mut members, Number::cmp).then_some(Value::Ns(members))
    }

    /// A set of binaries; `None` where it is empty or has duplicates.
    pub fn binary_set(mut members: Vec<Vec<u8>>) -> Option<Value> {
        sorted_set(&mut members, Vec::cmp).then_some(Value::Bs(members))
    }
}

fn sorted_set<T: PartialEq>(members: &mut [T], order: impl Fn(&T, &T) -> Ordering) -> bool {
    members.sort_unstable_by(order);
    !members.is_empty() && members.windows(2).all(|pair| pair[0] != pair[1])
}

/// As the service's errors print values: `{S:abc}`.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        fn join<T: std::fmt::Display>(values: &[T]) -> String {
            values.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        }
        match self {
            Value::S(text) => write!(f, "{{S:{text}}}"),
            Value::N(number) => write!(f, "{{N:{number}}}"),
            Value::B(bytes) => write!(f, "{{B:java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]}}", bytes.len()),
            Value::Ss(set) => write!(f, "{{SS:[{}]}}", join(set)),
            Value::Ns(set) => write!(f, "{{NS:[{}]}}", join(set)),
            Value::Bs(set) => write!(f, "{{BS:[{} binaries]}}", set.len()),
            Value::M(map) => {
                let members: Vec<String> = map.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "{{M:{{{}}}}}", members.join(", "))
            }
            Value::L(list) => write!(f, "{{L:[{}]}}", join(list)),
            Value::Bool(truth) => write!(f, "{{BOOL:{truth}}}"),
            Value::Null => f.write_str("{NULL:true}"),
        }
    }
}

fn number_bytes(number: Number) -> usize {
    1 + number.digits().div_ceil(2) as usize + usize::from(number.is_negative())
}

/// Attributes by name, kept sorted by name so that equal items are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Item(Vec<(String, Value)>);

impl Item {
    /// An item of attributes in any order; of several with one name the last counts.
    pub fn new(mut attributes: Vec<(String, Value)>) -> Item {
        if !attributes.is_sorted_by(|a, b| a.0 < b.0) {
            // Stable, so the last of equals stays last; reversed, it is the one that `dedup` keeps.
            attributes.sort_by(|a, b| a.0.cmp(&b.0));
            attributes.reverse();
            attributes.dedup_by(|a, b| a.0 == b.0);
            attributes.reverse();
        }
        Item(attributes)
    }

    /// The attributes, by name.
    pub fn iter(&self) -> std::slice::Iter<'_, (String, Value)> {
        self.0.iter()
    }

    /// The value of an attribute.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.find(name).ok().map(|at| &self.0[at].1)
    }

    /// The value of an attribute, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        self.find(name).ok().map(|at| &mut self.0[at].1)
    }

    /// Sets an attribute; gives back what it was.
    pub fn insert(&mut self, name: &str, value: Value) -> Option<Value> {
        match self.find(name) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (name.to_owned(), value));
                None
            }
        }
    }

    /// Removes an attribute; gives back what it was.
    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.find(name).ok().map(|at| self.0.remove(at).1)
    }

    /// How many attributes there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Bytes it counts for: names and values. Source: "DynamoDB item sizes and formats".
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.bytes()).sum()
    }

    /// Only the attributes that `keep` says.
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Item {
        Item(self.0.iter().filter(|(name, _)| keep(name)).cloned().collect())
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(n, _)| n.as_str().cmp(name))
    }
}

impl IntoIterator for Item {
    type Item = (String, Value);
    type IntoIter = std::vec::IntoIter<(String, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, Value)> for Item {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(attributes: I) -> Item {
        Item::new(attributes.into_iter().collect())
    }
}
