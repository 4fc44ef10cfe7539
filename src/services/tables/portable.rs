//! Tables as text files: a folder a table, with what it is and its items, each a line in the typed form of the DynamoDB API.
//!
//! Tokens of transactions, which are remembered for ten minutes, are left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json, json};

use super::capacity::Consumed;
use super::definition::{Definition, Table};
use super::item::{check_nesting, check_put, replace};
use super::number::Number;
use super::stream::{Change, ChangeKind};
use super::value::{Item, Value};
use super::{ITEM_BYTES_MAX, blob, store};
use crate::base::Cause;
use crate::store::Tx;
use crate::store::portable::{Collection, Column, Error, Line, Reader, Writer, json_of};

const FOLDER: &str = "tables";
const STREAM: &str = "streams/records.jsonl";

/// The streams that can still be read, of tables that are there and of those that are gone.
static STREAMS: Collection = Collection {
    file: "streams/streams.jsonl",
    table: "tables_streams",
    order: "name, label",
    key: &["table", "label"],
    columns: &[
        Column::text("table").read("name").write("name", "?"),
        Column::text("label"),
        Column::json("definition", json_of::<Definition>),
        Column::int("ended").or_null(),
    ],
};

/// Writes every table.
pub fn export_in(tx: &Tx<'_>, to: &mut Writer) -> Result<(), Error> {
    let found: Vec<(i64, String)> =
        tx.rows("SELECT number, definition FROM tables_catalog ORDER BY name", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (number, text) in found {
        let definition: Definition = serde_json::from_str(&text).map_err(|_| corrupt())?;
        let file = items_file(&definition.name);
        to.whole(&definition_file(&definition.name), json!(definition))?;
        let mut statement = tx.statement("SELECT item FROM tables_items WHERE part = ?1 ORDER BY key")?;
        let mut rows = statement.query([number])?;
        while let Some(row) = rows.next()? {
            let item = row.get_ref(0)?.as_blob().ok().and_then(blob::decode).ok_or_else(corrupt)?;
            to.line(&file, written(&item))?;
        }
    }
    STREAMS.export(tx, to)?;
    let sql = "SELECT sequence, name, label, at, kind, keys, old, new, expired, trace, cause, depth FROM tables_stream ORDER BY sequence";
    let mut statement = tx.statement(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let item = |column: usize| -> Result<Json, Error> {
            let bytes: Option<Vec<u8>> = row.get(column)?;
            bytes.map_or(Ok(Json::Null), |bytes| blob::decode(&bytes).map(|item| written(&item)).ok_or_else(corrupt))
        };
        let cause: Json = serde_json::from_str(&row.get::<_, String>(10)?).map_err(|_| corrupt())?;
        let mut line = json!({
            "sequence": row.get::<_, i64>(0)?, "table": row.get::<_, String>(1)?, "label": row.get::<_, String>(2)?,
            "at": row.get::<_, i64>(3)?, "kind": row.get::<_, String>(4)?, "keys": item(5)?, "old": item(6)?, "new": item(7)?,
            "expired": row.get::<_, bool>(8)?, "trace": row.get::<_, String>(9)?, "cause": cause, "depth": row.get::<_, i64>(11)?,
        });
        if let Some(line) = line.as_object_mut() {
            line.retain(|_, value| !value.is_null());
        }
        to.line(STREAM, line)?;
    }
    Ok(())
}

/// Reads every table into a state that has none. `records`: whether what streams still have to tell is taken.
pub fn import_in(tx: &mut Tx<'_>, from: &Reader, records: bool) -> Result<(), Error> {
    for name in from.names(FOLDER)? {
        let file = definition_file(&name);
        let wrong = |why: String| Error::File { file: from.path(&file), why };
        let text = from.whole(&file)?.ok_or_else(|| wrong("it is missing".to_owned()))?;
        let definition: Definition = serde_json::from_value(text).map_err(|error| wrong(error.to_string()))?;
        check(&definition, &name).map_err(wrong)?;
        let table = store::insert_table(tx, definition)?;
        // Items that are read happened long ago: their stream tells nothing of them.
        let quiet = Table { number: table.number, definition: Definition { stream: None, ..table.definition } };
        from.lines(&items_file(&name), |line| {
            let item = read(&line)?;
            check_nesting(&item).map_err(|error| line.wrong(error.to_string()))?;
            if item.bytes() > ITEM_BYTES_MAX {
                return Err(line.wrong(format!("the item is larger than {ITEM_BYTES_MAX} bytes")));
            }
            let key = check_put(&quiet, &item).map_err(|error| line.wrong(error.to_string()))?;
            if store::item(tx, &quiet, &key)?.is_some() {
                return Err(line.wrong("there is an item of this key before"));
            }
            let change = Change { old: None, new: Some(&item), expired: false };
            replace(tx, &quiet, &key, change, &mut Consumed::default()).map_err(|error| line.wrong(error.to_string()))
        })?;
    }
    STREAMS.import(tx, from)?;
    from.lines(STREAM, |line| if records { import_record(tx, &line) } else { line.object().map(|_| ()) })
}

fn import_record(tx: &Tx<'_>, line: &Line) -> Result<(), Error> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Record {
        sequence: i64,
        table: String,
        label: String,
        at: i64,
        kind: ChangeKind,
        keys: Json,
        #[serde(default)]
        old: Option<Json>,
        #[serde(default)]
        new: Option<Json>,
        expired: bool,
        trace: String,
        cause: Cause,
        depth: u16,
    }
    let record: Record = serde_json::from_value(line.value.clone()).map_err(|error| line.wrong(error.to_string()))?;
    if record.sequence <= 0 {
        return Err(line.wrong("`sequence` is not above 0"));
    }
    let item = |value: &Json| item_of(value, 0).map(|item| blob::encode(&item)).map_err(|why| line.wrong(why));
    let cause = serde_json::to_string(&record.cause).expect("a cause is plain data");
    let stored = tx.execute(
        "INSERT OR IGNORE INTO tables_stream (sequence, name, label, at, kind, keys, old, new, expired, trace, cause, depth)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        rusqlite::params![
            record.sequence,
            record.table,
            record.label,
            record.at,
            record.kind.label(),
            item(&record.keys)?,
            record.old.as_ref().map(item).transpose()?,
            record.new.as_ref().map(item).transpose()?,
            record.expired,
            record.trace,
            cause,
            record.depth,
        ],
    )?;
    if stored == 1 { Ok(()) } else { Err(line.wrong("there is a record of this sequence number before")) }
}

/// The names of the attributes that say which item a line is.
pub fn key_of(definition: &Json) -> Vec<String> {
    let name = |name: &str| definition["keys"][name].as_str().map(str::to_owned);
    [name("hash"), name("range")].into_iter().flatten().collect()
}

fn definition_file(name: &str) -> String {
    format!("{FOLDER}/{name}/table.json")
}

fn items_file(name: &str) -> String {
    format!("{FOLDER}/{name}/items.jsonl")
}

fn corrupt() -> Error {
    Error::Store(crate::store::Error::Corrupt("a table"))
}

/// What a request could not have made is refused.
fn check(definition: &Definition, folder: &str) -> Result<(), String> {
    let good = |b: u8| b.is_ascii_alphanumeric() || b"_-.".contains(&b);
    if definition.name != folder {
        return Err(format!("it is of the table `{}`, and in the folder of another", definition.name));
    }
    if !(3..=255).contains(&folder.len()) || !folder.bytes().all(good) {
        return Err(format!("`{folder}` cannot be the name of a table"));
    }
    let known = |name: &str| definition.attributes.iter().any(|(attribute, _)| attribute == name);
    let (mut slots, mut names) = (0u64, std::collections::HashSet::new());
    for index in definition.indexes() {
        let bit = 1u64.checked_shl(u32::from(index.slot)).unwrap_or(0);
        if bit == 0 || slots & bit != 0 || !names.insert(&index.name) {
            return Err(format!("the index `{}` has the place or the name of another", index.name));
        }
        slots |= bit;
        if let Some(name) = index.keys.names().find(|name| !known(name)) {
            return Err(format!("the key `{name}` of the index `{}` is no attribute of the table", index.name));
        }
    }
    match definition.keys.names().find(|name| !known(name)) {
        Some(name) => Err(format!("the key `{name}` is no attribute of the table")),
        None => Ok(()),
    }
}

fn read(line: &Line) -> Result<Item, Error> {
    item_of(&line.value, 0).map_err(|why| line.wrong(why))
}

/// An item in the typed form.
pub(super) fn written(item: &Item) -> Json {
    Json::Object(item.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>())
}

fn typed(value: &Value) -> Json {
    let binary = |bytes: &Vec<u8>| STANDARD.encode(bytes);
    match value {
        Value::S(text) => json!({ "S": text }),
        Value::N(number) => json!({ "N": number.to_string() }),
        Value::B(bytes) => json!({ "B": binary(bytes) }),
        Value::Ss(set) => json!({ "SS": set }),
        Value::Ns(set) => json!({ "NS": set.iter().map(ToString::to_string).collect::<Vec<_>>() }),
        Value::Bs(set) => json!({ "BS": set.iter().map(binary).collect::<Vec<_>>() }),
        Value::M(map) => json!({ "M": written(map) }),
        Value::L(list) => json!({ "L": list.iter().map(typed).collect::<Vec<_>>() }),
        Value::Bool(truth) => json!({ "BOOL": truth }),
        Value::Null => json!({ "NULL": true }),
    }
}

/// Deeper than any item may be.
const DEPTH_MAX: usize = 40;

fn item_of(json: &Json, depth: usize) -> Result<Item, String> {
    let map = json.as_object().ok_or("an item is an object of attributes")?;
    let attributes = map
        .iter()
        .map(|(name, value)| value_of(value, depth + 1).map(|value| (name.clone(), value)).map_err(|why| format!("`{name}`: {why}")));
    Ok(Item::new(attributes.collect::<Result<_, _>>()?))
}

fn value_of(json: &Json, depth: usize) -> Result<Value, String> {
    const FORM: &str = "write a value as {\"S\": \"text\"}, {\"N\": \"1.5\"}, {\"B\": \"base64\"}, {\"BOOL\": true}, {\"NULL\": true}, {\"L\": […]}, {\"M\": {…}}, {\"SS\": […]}, {\"NS\": […]}, {\"BS\": […]}";
    if depth > DEPTH_MAX {
        return Err("it is nested too deeply".to_owned());
    }
    let (kind, json) = json.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()).ok_or(FORM)?;
    let text = |json: &Json| json.as_str().map(str::to_owned).ok_or_else(|| FORM.to_owned());
    let number = |json: &Json| Number::parse(&text(json)?).map_err(|error| error.to_string());
    let bytes = |json: &Json| STANDARD.decode(text(json)?).map_err(|error| error.to_string());
    fn all<T>(json: &Json, of: impl Fn(&Json) -> Result<T, String>) -> Result<Vec<T>, String> {
        json.as_array().ok_or("it is no list")?.iter().map(of).collect()
    }
    let set = |value: Option<Value>| value.ok_or_else(|| "a set has one member at least, and none twice".to_owned());
    match kind.as_str() {
        "S" => text(json).map(Value::S),
        "N" => number(json).map(Value::N),
        "B" => bytes(json).map(Value::B),
        "SS" => set(Value::string_set(all(json, text)?)),
        "NS" => set(Value::number_set(all(json, number)?)),
        "BS" => set(Value::binary_set(all(json, bytes)?)),
        "M" => item_of(json, depth).map(Value::M),
        "L" => all(json, |json| value_of(json, depth + 1)).map(Value::L),
        "BOOL" => json.as_bool().map(Value::Bool).ok_or_else(|| FORM.to_owned()),
        "NULL" if json.as_bool() == Some(true) => Ok(Value::Null),
        _ => Err(FORM.to_owned()),
    }
}
