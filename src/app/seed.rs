//! Sample data, loaded into a state that is new.
//!
//! A seed is a folder with `tables/NAME.json` (a list of items, as plain JSON or in DynamoDB's typed form) and
//! `objects/BUCKET/…` (files, each an object), or one such JSON file. A name is a resource's physical name or its logical one.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};

use crate::base::Call;
use crate::project::Project;
use crate::wire::aws::Aws;
use crate::wire::http::Body;

/// Items of one request, as BatchWriteItem takes them.
const BATCH: usize = 25;
/// Bytes of a file of items.
const ITEMS_BYTES_MAX: u64 = 256 << 20;
/// Types by the end of a name; what is not here is bytes.
const TYPES: [(&str, &str); 12] = [
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("gif", "image/gif"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("txt", "text/plain"),
];

/// Loads everything under `emu.seed`.
pub(super) async fn load(aws: &Aws, project: &Project) -> anyhow::Result<()> {
    for seed in &project.settings.seed {
        let seed = project.root.join(seed);
        for (file, purpose) in files(&seed)? {
            let loaded = match &purpose {
                Purpose::Items(table) => items(aws, project, table, &file).await,
                Purpose::Object { bucket, key } => object(aws, project, bucket, key, &file).await,
            };
            loaded.with_context(|| format!("the sample data in {} cannot be loaded", file.display()))?;
        }
    }
    Ok(())
}

/// Every file under `emu.seed`, in order.
pub(super) fn all_files(project: &Project) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for seed in &project.settings.seed {
        found.extend(files(&project.root.join(seed))?.into_iter().map(|(file, _)| file));
    }
    Ok(found)
}

/// What a file of a seed is for.
#[derive(Debug, PartialEq, Eq)]
enum Purpose {
    Items(String),
    Object { bucket: String, key: String },
}

/// The files of a seed, in the order of their names.
fn files(seed: &Path) -> anyhow::Result<Vec<(PathBuf, Purpose)>> {
    if seed.is_file() {
        let table = seed.file_stem().and_then(|stem| stem.to_str()).context("its name is no text")?.to_owned();
        return Ok(vec![(seed.to_owned(), Purpose::Items(table))]);
    }
    if !seed.is_dir() {
        bail!("there is no {}, which `emu.seed` or `--seed` names", seed.display());
    }
    let mut found = Vec::new();
    for file in below(&seed.join("tables"))? {
        if file.extension().is_some_and(|extension| extension == "json") {
            let table = file.file_stem().and_then(|stem| stem.to_str()).context("its name is no text")?.to_owned();
            found.push((file, Purpose::Items(table)));
        }
    }
    let objects = seed.join("objects");
    for file in below(&objects)? {
        let name = file.strip_prefix(&objects).expect("it was found there").to_str().context("its name is no text")?.to_owned();
        let (bucket, key) = name.split_once('/').with_context(|| format!("{} is in no bucket's folder", file.display()))?;
        found.push((file.clone(), Purpose::Object { bucket: bucket.to_owned(), key: key.to_owned() }));
    }
    Ok(found)
}

fn below(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut pending) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_dir() { pending.push(entry.path()) } else { found.push(entry.path()) }
        }
    }
    found.sort();
    Ok(found)
}

async fn items(aws: &Aws, project: &Project, table: &str, file: &Path) -> anyhow::Result<()> {
    if file.metadata()?.len() > ITEMS_BYTES_MAX {
        bail!("it is larger than {} MiB", ITEMS_BYTES_MAX >> 20);
    }
    let rows: Vec<Map<String, Value>> = serde_json::from_slice(&std::fs::read(file)?).context("it is not a list of JSON objects")?;
    let known = project.resources.tables.iter().find(|known| known.name == table || known.logical_id == table);
    let name = known.map_or(table, |known| known.name.as_str());
    for batch in rows.chunks(BATCH) {
        let puts: Vec<Value> = batch.iter().map(|row| json!({ "PutRequest": { "Item": item(row) } })).collect();
        let request = http::Request::post("/")
            .header("x-amz-target", "DynamoDB_20120810.BatchWriteItem")
            .header("content-type", "application/x-amz-json-1.0")
            .body(Body::from(json!({ "RequestItems": { name: puts } }).to_string()))?;
        send(aws, request).await?;
    }
    Ok(())
}

async fn object(aws: &Aws, project: &Project, bucket: &str, key: &str, file: &Path) -> anyhow::Result<()> {
    let known = project.resources.buckets.iter().find(|known| known.name == bucket || known.logical_id == bucket);
    let bucket = known.map_or(bucket, |known| known.name.as_str());
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_ascii_lowercase();
    let kind = TYPES.iter().find(|(name, _)| *name == extension).map_or("binary/octet-stream", |(_, kind)| *kind);
    let path: Vec<String> = format!("{bucket}/{key}")
        .split('/')
        .map(|part| percent_encoding::utf8_percent_encode(part, percent_encoding::NON_ALPHANUMERIC).to_string())
        .collect();
    let bytes = std::fs::read(file)?;
    let request = http::Request::put(format!("/{}", path.join("/")))
        .header("host", "localhost")
        .header("content-type", kind)
        .header("content-length", bytes.len())
        .body(Body::from(bytes))?;
    send(aws, request).await
}

async fn send(aws: &Aws, request: http::Request<Body>) -> anyhow::Result<()> {
    let response = aws.handle(&Call::operator(), request).await;
    if response.status().is_success() {
        return Ok(());
    }
    let body = response.into_body().collect(64 << 10).await?;
    bail!("{}", String::from_utf8_lossy(&body));
}

/// An item in the typed form; one that has it already is left as it is.
fn item(row: &Map<String, Value>) -> Value {
    if !row.is_empty() && row.values().all(is_typed) {
        return Value::Object(row.clone());
    }
    Value::Object(row.iter().map(|(name, value)| (name.clone(), typed(value))).collect())
}

fn is_typed(value: &Value) -> bool {
    let Some((name, _)) = value.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next()) else { return false };
    ["S", "N", "B", "SS", "NS", "BS", "M", "L", "BOOL", "NULL"].contains(&name.as_str())
}

fn typed(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "NULL": true }),
        Value::Bool(yes) => json!({ "BOOL": yes }),
        Value::Number(number) => json!({ "N": number.to_string() }),
        Value::String(text) => json!({ "S": text }),
        Value::Array(values) => json!({ "L": values.iter().map(typed).collect::<Vec<_>>() }),
        Value::Object(map) => json!({ "M": map.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_items_become_typed_and_typed_ones_stay() {
        for (row, wanted) in [
            (
                json!({ "id": "a", "n": 1.5, "deep": { "list": [true, null] } }),
                json!({ "id": { "S": "a" }, "n": { "N": "1.5" }, "deep": { "M": { "list": { "L": [{ "BOOL": true }, { "NULL": true }] } } } }),
            ),
            (json!({ "id": { "S": "a" } }), json!({ "id": { "S": "a" } })),
            (json!({ "id": "a", "looks": { "S": "typed" } }), json!({ "id": { "S": "a" }, "looks": { "M": { "S": { "S": "typed" } } } })),
        ] {
            assert_eq!(item(row.as_object().expect("an object")), wanted);
        }
    }

    #[test]
    fn files_of_a_seed_are_found_and_their_purpose_is_in_their_path() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["tables/users.json", "objects/images/a/b.png", "README.md"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, "[]").expect("written");
        }
        let purposes: Vec<Purpose> = files(folder.path()).expect("found").into_iter().map(|(_, purpose)| purpose).collect();
        let object = Purpose::Object { bucket: "images".into(), key: "a/b.png".into() };
        assert_eq!(purposes, [Purpose::Items("users".into()), object]);
        assert!(files(&folder.path().join("none")).is_err());
    }
}
