//! What the service promises, in rows.

mod listening;
mod order;
mod pipelines;
mod queries;
mod transactions;
mod writes;

use super::*;
use crate::base::{Call, Clock, Ids, Time};
use crate::store::{Db, Options};

/// A World's documents in a folder of their own.
pub(super) struct World {
    pub documents: Documents,
    pub clock: Clock,
    pub call: Call,
    _folder: tempfile::TempDir,
}

pub(super) fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    db.set_interest(Box::new(|_, _| false));
    World { documents: Documents::new(db), clock, call: Call::operator(), _folder: folder }
}

pub(super) fn database() -> Database {
    Database::parse("projects/p/databases/(default)").expect("a database")
}

pub(super) fn name(path: &str) -> Name {
    Name::new(database(), path).expect("a name")
}

pub(super) fn field(path: &str) -> FieldPath {
    FieldPath::parse(path).expect("a path")
}

/// A value in short: JSON, where `{"@": …}` stands for what JSON has not.
pub(super) fn value(json: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(n) => n.as_i64().map_or_else(|| Value::Double(n.as_f64().expect("a number")), Value::Int),
        Json::String(text) if text == "NaN" => Value::Double(f64::NAN),
        Json::String(text) => Value::Text(text.clone()),
        Json::Array(values) => Value::Array(values.iter().map(value).collect()),
        Json::Object(map) if map.contains_key("vector") => {
            Value::vector(map["vector"].as_array().expect("elements").iter().filter_map(serde_json::Value::as_f64))
        }
        Json::Object(map) => Value::Map(map.iter().map(|(name, json)| (name.clone(), value(json))).collect()),
    }
}

pub(super) fn fields(json: serde_json::Value) -> Fields {
    match value(&json) {
        Value::Map(fields) => fields,
        _ => panic!("fields are an object"),
    }
}

pub(super) fn put(path: &str, json: serde_json::Value) -> Write {
    Write { name: name(path), change: Change::Put { fields: fields(json), mask: None }, precondition: None, transforms: Vec::new() }
}

impl World {
    pub async fn commit(&self, writes: Vec<Write>) -> Result<Committed, Error> {
        self.documents.commit(&self.call, &database(), writes, None).await
    }

    pub async fn fields(&self, path: &str) -> Option<Fields> {
        let got = self.documents.get(&self.call, &[name(path)], None, &View::Latest).await.expect("a read");
        got.documents.into_iter().next().and_then(|(_, document)| document).map(|document| document.fields)
    }

    pub async fn paths(&self, query: Query) -> Vec<String> {
        let query = Query::new(query).expect("a query");
        let found = self.documents.query(&self.call, &query, &View::Latest).await.expect("documents");
        found.documents.iter().map(|document| document.name.path().to_owned()).collect()
    }
}

/// All documents of a collection.
pub(super) fn all(collection: &str) -> Query {
    let (parent, id) = collection.rsplit_once('/').unwrap_or(("", collection));
    let parent = Parent::parse(&database().full(parent)).expect("a parent");
    Query::all(Scope { parent, collection: Some(id.to_owned()), descendants: false })
}
