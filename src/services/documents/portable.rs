//! Documents as a text file: a document a line, its fields in the typed form of the Firestore API.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::document::{self, Document};
use super::name::Name;
use super::value::{Fields, Timestamp, Value};
use super::{NESTING_MAX, Shared, blob, store, write};
use crate::store::Tx;
use crate::store::portable::{Error, Line, Reader, Writer};

/// Where they are written.
pub const FILE: &str = "documents/documents.jsonl";
/// What tells a line from another.
pub const KEY: &str = "name";

/// Writes every document, in the order of their collections and names.
pub fn export_in(tx: &Tx<'_>, to: &mut Writer) -> Result<(), Error> {
    let sql = "SELECT c.database, c.parent, c.id, d.id, d.created, d.updated, d.fields FROM documents_collections c
        JOIN documents_items d ON d.collection = c.number ORDER BY c.database, c.parent, c.id, d.key";
    let mut statement = tx.statement(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let text = |column: usize| row.get::<_, String>(column);
        let (database, parent, collection, id) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let path = if parent.is_empty() { format!("{collection}/{id}") } else { format!("{parent}/{collection}/{id}") };
        let corrupt = || Error::Store(crate::store::Error::Corrupt("a document"));
        let fields = row.get_ref(6)?.as_blob().ok().and_then(blob::decode).ok_or_else(corrupt)?;
        let line = json!({
            KEY: format!("{database}/documents/{path}"),
            "created": row.get::<_, i64>(4)?,
            "updated": row.get::<_, i64>(5)?,
            "fields": written(&fields),
        });
        to.line(FILE, line)?;
    }
    Ok(())
}

/// Reads every document into a state that has none.
pub fn import_in(tx: &mut Tx<'_>, from: &Reader) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Stored {
        name: String,
        created: i64,
        updated: i64,
        fields: Json,
    }
    let shared: Arc<Shared> = Arc::default();
    let mut latest = 0;
    from.lines(FILE, |line: Line| {
        let stored: Stored = serde_json::from_value(line.value.clone()).map_err(|error| line.wrong(error.to_string()))?;
        let name = Name::parse(&stored.name).map_err(|error| line.wrong(error.to_string()))?;
        let fields = fields_of(&stored.fields, 0).map_err(|why| line.wrong(why))?;
        document::check(&name, &fields).map_err(|error| line.wrong(error.to_string()))?;
        if store::updated(tx, &name)?.is_some() {
            return Err(line.wrong("there is a document of this name before"));
        }
        latest = latest.max(stored.updated);
        let (created, updated) = (Timestamp::of_micros(stored.created), Timestamp::of_micros(stored.updated));
        let document = Document { name, fields, created, updated };
        write::put(tx, &shared, None, &document).map(|_| ()).map_err(|error| line.wrong(error.to_string()))
    })?;
    // Whatever comes is later than what was read.
    store::tick_after(tx, latest)?;
    Ok(())
}

/// Fields in the typed form.
pub fn written(fields: &Fields) -> Json {
    Json::Object(fields.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>())
}

fn typed(value: &Value) -> Json {
    match value {
        Value::Null => json!({ "nullValue": null }),
        Value::Bool(truth) => json!({ "booleanValue": truth }),
        Value::Int(n) => json!({ "integerValue": n.to_string() }),
        Value::Double(n) => json!({ "doubleValue": double(*n) }),
        Value::Timestamp(at) => json!({ "timestampValue": rfc3339(*at) }),
        Value::Text(text) => json!({ "stringValue": text }),
        Value::Bytes(bytes) => json!({ "bytesValue": STANDARD.encode(bytes) }),
        Value::Reference(name) => json!({ "referenceValue": name }),
        Value::Geo { latitude, longitude } => json!({ "geoPointValue": { "latitude": latitude, "longitude": longitude } }),
        Value::Array(values) => json!({ "arrayValue": { "values": values.iter().map(typed).collect::<Vec<_>>() } }),
        Value::Map(fields) => json!({ "mapValue": { "fields": written(fields) } }),
    }
}

/// JSON has no number that is none, and none without end.
fn double(n: f64) -> Json {
    match n {
        n if n.is_nan() => json!("NaN"),
        f64::INFINITY => json!("Infinity"),
        f64::NEG_INFINITY => json!("-Infinity"),
        n => json!(n),
    }
}

/// A time as text, with as many digits as it needs: none, three or six.
pub fn rfc3339(at: Timestamp) -> String {
    let utc = chrono::DateTime::from_timestamp(at.seconds, at.nanos).unwrap_or_default();
    utc.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

fn fields_of(json: &Json, depth: usize) -> Result<Fields, String> {
    let map = json.as_object().ok_or("fields are an object of values")?;
    map.iter().map(|(name, json)| value_of(json, depth).map(|v| (name.clone(), v)).map_err(|why| format!("`{name}`: {why}"))).collect()
}

fn value_of(json: &Json, depth: usize) -> Result<Value, String> {
    const FORM: &str = "write a value as {\"stringValue\": \"text\"}, {\"integerValue\": \"1\"}, {\"doubleValue\": 1.5}, {\"booleanValue\": true}, {\"nullValue\": null}, {\"timestampValue\": \"2026-01-01T00:00:00Z\"}, {\"bytesValue\": \"base64\"}, {\"referenceValue\": \"projects/…\"}, {\"geoPointValue\": {…}}, {\"arrayValue\": {\"values\": […]}}, {\"mapValue\": {\"fields\": {…}}}";
    if depth > NESTING_MAX {
        return Err("it is nested too deeply".to_owned());
    }
    let (kind, json) = json.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()).ok_or(FORM)?;
    let text = || json.as_str().ok_or_else(|| FORM.to_owned());
    Ok(match kind.as_str() {
        "nullValue" => Value::Null,
        "booleanValue" => Value::Bool(json.as_bool().ok_or(FORM)?),
        "integerValue" => Value::Int(text()?.parse().map_err(|_| FORM.to_owned())?),
        "doubleValue" => Value::Double(match json {
            Json::String(text) => text.parse().map_err(|_| FORM.to_owned())?,
            other => other.as_f64().ok_or(FORM)?,
        }),
        "timestampValue" => {
            let at = chrono::DateTime::parse_from_rfc3339(text()?).map_err(|error| error.to_string())?;
            Value::Timestamp(Timestamp::new(at.timestamp(), at.timestamp_subsec_nanos() as i32).ok_or("the time is out of range")?)
        }
        "stringValue" => Value::Text(text()?.to_owned()),
        "bytesValue" => Value::Bytes(STANDARD.decode(text()?).map_err(|error| error.to_string())?),
        "referenceValue" => Value::Reference(text()?.to_owned()),
        "geoPointValue" => {
            Value::Geo { latitude: json["latitude"].as_f64().ok_or(FORM)?, longitude: json["longitude"].as_f64().ok_or(FORM)? }
        }
        "arrayValue" => {
            let values = json["values"].as_array().ok_or(FORM)?;
            Value::Array(values.iter().map(|value| value_of(value, depth + 1)).collect::<Result<_, _>>()?)
        }
        "mapValue" => Value::Map(fields_of(&json["fields"], depth + 1)?),
        _ => return Err(FORM.to_owned()),
    })
}
