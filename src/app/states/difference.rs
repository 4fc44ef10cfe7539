//! How two states differ: both as exports, compared line by line.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::folder::Making;
use super::{Inner, States, blocking, bundle, export, shelf};
use crate::base::Clock;
use crate::services::{Services, auth, documents, mail, objects, pubsub, push, queues, schedules, tables, topics};
use crate::store::blobs::Blobs;
use crate::store::portable::{Collection, Reader, line_of};
use crate::store::{Db, Options, outbox};
use crate::triggers;

/// Lines of a part that are told of one by one; all are counted.
const TOLD_MAX: usize = 200;

/// A state to compare, as the folder of an export.
struct Side {
    folder: PathBuf,
    _made: Option<Making>,
}

/// Lines of one file, by what they are of.
struct Lines {
    by_key: HashMap<[u8; 16], [u8; 16]>,
}

/// What was found in one file.
#[derive(Default)]
struct Found {
    added: u64,
    removed: u64,
    changed: u64,
    told: Vec<Value>,
}

impl States {
    /// What was added, removed and changed from `a` to `b`: each a snapshot, an export's folder, or `now`.
    pub async fn diff(&self, a: &str, b: &str) -> anyhow::Result<Value> {
        let _busy = self.0.busy.lock().await;
        let (inner, a, b) = (self.0.clone(), a.to_owned(), b.to_owned());
        blocking(move || {
            let (a, b) = (inner.side(&a)?, inner.side(&b)?);
            let (from, to) = (Reader::new(a.folder.clone()), Reader::new(b.folder.clone()));
            export::check_head(&from)?;
            export::check_head(&to)?;
            compare(&from, &to)
        })
        .await
    }
}

impl Inner {
    fn side(&self, name: &str) -> anyhow::Result<Side> {
        if Path::new(name).is_absolute() {
            return Ok(Side { folder: bundle::export_in(name.as_ref()), _made: None });
        }
        let made = self.folder.aside()?;
        let folder = made.path().join("export");
        if name == "now" {
            self.export_into(&folder)?;
        } else {
            let (_, aside) = shelf::find(&self.folder, name)?;
            let aside = self.current(aside)?;
            // A copy, for to open a database is to write to it.
            let path = made.path().join("state.db");
            std::fs::copy(&aside.database, &path)?;
            let options = Options { path, clock: Clock::system(), ids: self.ids.clone(), ephemeral: true };
            let db = Db::open(options, &super::World::schemas())?;
            let services = Services::new(&db, Blobs::open(aside.blobs.clone(), self.ids.clone())?);
            export::export(&db, &services, &folder)?;
        }
        Ok(Side { folder, _made: Some(made) })
    }
}

fn compare(a: &Reader, b: &Reader) -> anyhow::Result<Value> {
    let mut parts = Vec::new();
    let mut put = |name: String, found: Found| {
        if found.added + found.removed + found.changed > 0 {
            let Found { added, removed, changed, told } = found;
            parts.push(json!({ "part": name, "added": added, "removed": removed, "changed": changed, "lines": told }));
        }
    };
    let mut names = a.names("tables")?;
    names.extend(b.names("tables")?);
    names.sort();
    names.dedup();
    for name in names {
        let file = format!("tables/{name}/table.json");
        let (before, after) = (a.whole(&file)?, b.whole(&file)?);
        let key = tables::portable::key_of(after.as_ref().or(before.as_ref()).unwrap_or(&Value::Null));
        put(format!("table {name}"), whole("definition", before.as_ref(), after.as_ref()));
        put(format!("items of {name}"), lines(a, b, &format!("tables/{name}/items.jsonl"), &key)?);
    }
    put("documents".to_owned(), lines(a, b, documents::portable::FILE, &[documents::portable::KEY.to_owned()])?);
    let clock = (a.whole("clock.json")?, b.whole("clock.json")?);
    put("clock".to_owned(), whole("clock", clock.0.as_ref(), clock.1.as_ref()));
    let collections: [&[Collection]; 8] = [
        &auth::portable::COLLECTIONS,
        &objects::portable::COLLECTIONS,
        &queues::portable::COLLECTIONS,
        &topics::portable::COLLECTIONS,
        &pubsub::portable::COLLECTIONS,
        &mail::portable::COLLECTIONS,
        &push::portable::COLLECTIONS,
        &schedules::portable::COLLECTIONS,
    ];
    let more = triggers::portable::COLLECTIONS.into_iter().chain([&outbox::COLLECTION]);
    for collection in collections.into_iter().flatten().chain(more) {
        let name = collection.file.trim_end_matches(".jsonl").rsplit('/').next().unwrap_or(collection.file);
        let key: Vec<String> = collection.key.iter().map(|name| (*name).to_owned()).collect();
        put(name.replace('-', " "), lines(a, b, collection.file, &key)?);
    }
    put("users".to_owned(), lines(a, b, auth::portable::USERS, &auth::portable::USERS_KEY.map(str::to_owned))?);
    let contents = lines(a, b, objects::portable::CONTENTS, &["owner".to_owned()])?;
    put("contents of objects".to_owned(), contents);
    Ok(json!({ "same": parts.is_empty(), "parts": parts }))
}

fn whole(name: &str, before: Option<&Value>, after: Option<&Value>) -> Found {
    let mut found = Found::default();
    match (before, after) {
        (None, Some(after)) => found.add(name.into(), after.clone()),
        (Some(before), None) => found.remove(name.into(), before.clone()),
        (Some(before), Some(after)) if before != after => found.change(name.into(), before, after),
        _ => {}
    }
    found
}

impl Found {
    fn tell(&mut self, line: Value) {
        if self.told.len() < TOLD_MAX {
            self.told.push(line);
        }
    }

    fn add(&mut self, id: Value, after: Value) {
        self.added += 1;
        self.tell(json!({ "added": id, "to": after }));
    }

    fn remove(&mut self, id: Value, before: Value) {
        self.removed += 1;
        self.tell(json!({ "removed": id, "from": before }));
    }

    /// Only the fields that differ.
    fn change(&mut self, id: Value, before: &Value, after: &Value) {
        self.changed += 1;
        let (before, after) = match (before.as_object(), after.as_object()) {
            (Some(a), Some(b)) => (differing(a, b), differing(b, a)),
            _ => (before.clone(), after.clone()),
        };
        self.tell(json!({ "changed": id, "from": before, "to": after }));
    }
}

fn differing(a: &Map<String, Value>, b: &Map<String, Value>) -> Value {
    Value::Object(a.iter().filter(|(name, value)| b.get(*name) != Some(value)).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Two passes over each file, so that of what they have in common only digests are kept.
fn lines(a: &Reader, b: &Reader, file: &str, key: &[String]) -> anyhow::Result<Found> {
    let (before, after) = (Lines::read(a, file, key)?, Lines::read(b, file, key)?);
    let mut found = Found::default();
    // The lines that changed, as they were, as far as they are told.
    let mut was: HashMap<[u8; 16], Value> = HashMap::new();
    a.lines(file, |line| {
        let (id, digest) = of(&line.value, key);
        match after.by_key.get(&id) {
            None => found.remove(identity(&line.value, key), line.value),
            Some(same) if *same == digest => {}
            Some(_) if was.len() < TOLD_MAX => {
                was.insert(id, line.value);
            }
            Some(_) => {}
        }
        Ok(())
    })?;
    b.lines(file, |line| {
        let (id, digest) = of(&line.value, key);
        match before.by_key.get(&id) {
            None => found.add(identity(&line.value, key), line.value),
            Some(same) if *same == digest => {}
            Some(_) => found.change(identity(&line.value, key), was.get(&id).unwrap_or(&Value::Null), &line.value),
        }
        Ok(())
    })?;
    Ok(found)
}

impl Lines {
    fn read(from: &Reader, file: &str, key: &[String]) -> anyhow::Result<Lines> {
        let mut by_key = HashMap::new();
        from.lines(file, |line| {
            let (id, digest) = of(&line.value, key);
            by_key.insert(id, digest);
            Ok(())
        })?;
        Ok(Lines { by_key })
    }
}

/// What a line is of, and what it says, as digests.
fn of(line: &Value, key: &[String]) -> ([u8; 16], [u8; 16]) {
    let short = |text: String| {
        let mut short = [0; 16];
        short.copy_from_slice(&Sha256::digest(text)[..16]);
        short
    };
    (short(line_of(identity(line, key))), short(line_of(line.clone())))
}

/// The fields that say which line it is; the line itself where there are none.
fn identity(line: &Value, key: &[String]) -> Value {
    if key.is_empty() {
        return line.clone();
    }
    Value::Object(key.iter().filter_map(|name| Some((name.clone(), line.get(name)?.clone()))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> (tempfile::TempDir, Reader) {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, text) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, text).expect("written");
        }
        let reader = Reader::new(folder.path().to_owned());
        (folder, reader)
    }

    #[test]
    fn what_was_added_removed_and_changed_is_told_with_its_key_and_the_fields_that_differ() {
        let table = r#"{"keys":{"hash":"id","range":null}}"#;
        let (_a, a) = folder(&[
            ("tables/t/table.json", table),
            ("tables/t/items.jsonl", "{\"id\":{\"S\":\"1\"},\"n\":{\"N\":\"1\"}}\n{\"id\":{\"S\":\"2\"}}\n{\"id\":{\"S\":\"3\"}}\n"),
        ]);
        let (_b, b) = folder(&[
            ("tables/t/table.json", table),
            ("tables/t/items.jsonl", "{\"id\":{\"S\":\"3\"}}\n{\"n\":{\"N\":\"2\"},\"id\":{\"S\":\"1\"}}\n{\"id\":{\"S\":\"4\"}}\n"),
            ("mail/identities.jsonl", "{\"identity\":\"a@b\",\"at\":1}\n"),
        ]);
        let difference = compare(&a, &b).expect("compared");
        assert_eq!(difference["same"], false);
        let items = &difference["parts"][0];
        assert_eq!(
            (&items["part"], &items["added"], &items["removed"], &items["changed"]),
            (&json!("items of t"), &json!(1), &json!(1), &json!(1))
        );
        assert_eq!(items["lines"][0], json!({ "removed": { "id": { "S": "2" } }, "from": { "id": { "S": "2" } } }));
        let changed = json!({ "changed": { "id": { "S": "1" } }, "from": { "n": { "N": "1" } }, "to": { "n": { "N": "2" } } });
        assert_eq!(items["lines"][1], changed);
        assert_eq!(difference["parts"][1]["part"], "identities");
        assert_eq!(compare(&a, &a).expect("compared")["same"], true, "the order of lines and fields says nothing");
    }
}
