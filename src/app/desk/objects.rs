//! Buckets: objects by their keys, and their bytes where they are text.

use anyhow::bail;
use futures_util::StreamExt;

use super::{BUCKET, Desk, Found, LOOKED_AT_MAX, ROWS_MAX, Row, Shelf, Uses, fits, shelf};
use crate::base::Call;
use crate::services::objects::{Condition, Content, Deletion, Get, How, List, Name, Object, Put, Range, VersionList, Wanted, Which};

/// Keys of one look.
const PAGE: usize = 1_000;
/// Versions of an object that are named.
const VERSIONS_SHOWN_MAX: usize = 20;
/// Bytes of an object that are shown; a longer one cannot be edited.
const SHOWN_BYTES_MAX: usize = 1 << 20;

impl Desk {
    pub(super) async fn bucket_shelves(&self) -> anyhow::Result<Vec<Shelf>> {
        let objects = &self.shared.world.services.objects;
        let mut shelves = Vec::new();
        for bucket in objects.buckets(&Call::operator()).await? {
            let list = List { bucket: bucket.name.clone(), max: PAGE, ..List::default() };
            // A bucket that has just been deleted is not there.
            let Ok(page) = objects.list(&Call::operator(), &list).await else { continue };
            let more = if page.next.is_some() { "+" } else { "" };
            let uses = Uses { edit: true, delete: true, ..Uses::default() };
            shelves.push(shelf(BUCKET, &bucket.name, format!("{}{more}", page.objects.len()), uses));
        }
        Ok(shelves)
    }

    pub(super) async fn object_rows(&self, bucket: &str, search: &str) -> anyhow::Result<Found> {
        let (mut found, mut after, mut looked_at) = (Found::default(), None, 0);
        loop {
            let list = List { bucket: bucket.to_owned(), max: PAGE, after, ..List::default() };
            let page = self.shared.world.services.objects.list(&Call::operator(), &list).await?;
            looked_at += page.objects.len();
            for object in page.objects.iter().filter(|object| fits(search, &[&object.key])) {
                let kind = object.properties.headers.content_type.clone().unwrap_or_default();
                let cells = vec![object.key.clone(), object.size.to_string(), kind, object.updated.iso()];
                found.rows.push(Row { key: object.key.clone(), cells });
            }
            after = page.next;
            if after.is_none() || found.rows.len() > ROWS_MAX {
                return Ok(found);
            }
            if looked_at >= LOOKED_AT_MAX {
                found.note = Some(format!("the search ended after {looked_at} keys"));
                return Ok(found);
            }
        }
    }

    pub(super) async fn view_object(&self, bucket: &str, key: &str) -> anyhow::Result<(String, String, Option<String>)> {
        let get = Get { name: Name::latest(bucket, key), range: Range::All, wanted: Wanted::default() };
        let (found, mut stream) = self.shared.world.services.objects.get(&Call::operator(), &get).await?;
        let object = found.object;
        let mut bytes = Vec::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|error| anyhow::anyhow!("its bytes cannot be read: {error}"))?;
            let room = SHOWN_BYTES_MAX - bytes.len();
            bytes.extend_from_slice(&part[..part.len().min(room)]);
            if bytes.len() == SHOWN_BYTES_MAX {
                break;
            }
        }
        let whole = bytes.len() as u64 == object.size;
        let mut text = format!("{} bytes, changed {}, etag {}\n", object.size, object.updated.iso(), object.etag);
        text.push_str(&self.versions(bucket, key).await?);
        for (name, value) in object.properties.metadata.iter().chain(&object.properties.tags) {
            text.push_str(&format!("{name}: {value}\n"));
        }
        text.push('\n');
        let edit = match String::from_utf8(bytes) {
            Ok(content) => {
                text.push_str(&content);
                if !whole {
                    text.push_str("\n… (only the beginning is shown)");
                }
                whole.then_some(content)
            }
            Err(_) => {
                text.push_str("(these bytes are no text)");
                None
            }
        };
        Ok((key.to_owned(), text, edit))
    }

    /// A line for each version of an object, where it has any but itself.
    async fn versions(&self, bucket: &str, key: &str) -> anyhow::Result<String> {
        let list = List { bucket: bucket.to_owned(), prefix: key.to_owned(), max: VERSIONS_SHOWN_MAX, ..List::default() };
        let asked = VersionList { list, after_version: None };
        let page = self.shared.world.services.objects.list_versions(&Call::operator(), &asked).await?;
        let own: Vec<_> = page.versions.iter().filter(|(version, _)| version.key == key).collect();
        if own.iter().all(|(version, _)| version.version.is_none()) {
            return Ok(String::new());
        }
        let line = |(version, newest): &&(Object, bool)| {
            let id = version.version.as_deref().unwrap_or("null");
            let what = if version.marker { "deleted".to_owned() } else { format!("{} bytes", version.size) };
            let newest = if *newest { ", the newest" } else { "" };
            format!("version {id}: {what}, {}{newest}\n", version.updated.iso())
        };
        Ok(own.iter().map(line).collect())
    }

    /// Stores an object anew, with the headers, metadata and tags that it had.
    pub(super) async fn put_object(&self, call: &Call, bucket: &str, key: &str, text: String) -> anyhow::Result<()> {
        let objects = &self.shared.world.services.objects;
        let get = Get { name: Name::latest(bucket, key), range: Range::All, wanted: Wanted::default() };
        let before = objects.head(&Call::operator(), &get).await?.object;
        let put = Put {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            how: How::Put,
            properties: before.properties,
            // What somebody else stored meanwhile is not overwritten.
            condition: Condition::Tag(before.etag),
            content: Content::of(text),
        };
        objects.put(call, put).await?;
        Ok(())
    }

    pub(super) async fn delete_object(&self, call: &Call, bucket: &str, key: String) -> anyhow::Result<()> {
        let deletion = Deletion { key, which: Which::Latest, condition: Condition::Always };
        for outcome in self.shared.world.services.objects.delete(call, bucket, vec![deletion]).await? {
            if let Err(error) = outcome {
                bail!(error);
            }
        }
        Ok(())
    }
}
