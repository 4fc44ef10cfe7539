//! Files: `buckets.json`, a document for each file in `metadata`, and its bytes under the same name in `blobs`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use bytes::Bytes;
use futures_util::stream;
use serde_json::Value;

use super::World;
use crate::base::Call;
use crate::services::objects::{Claims, Condition, Content, Headers, How, NewBucket, Properties, Put};
use crate::store::blobs::BoxError;

/// Where Firebase keeps a file's download tokens.
const TOKENS: &str = "firebaseStorageDownloadTokens";
/// Bytes that are read at once.
const CHUNK_BYTES: usize = 256 << 10;
/// Folders within each other, and files.
const DEPTH_MAX: usize = 32;
const FILES_MAX: usize = 1_000_000;

pub async fn read(world: &World, folder: &Path) -> anyhow::Result<()> {
    let buckets = folder.join("buckets.json");
    if buckets.is_file() {
        let document = super::json(&buckets)?;
        for bucket in document["buckets"].as_array().into_iter().flatten() {
            make_bucket(world, bucket["id"].as_str().context("buckets.json: a bucket has no `id`")?).await?;
        }
    }
    let metadata = folder.join("metadata");
    if !metadata.is_dir() {
        return Ok(());
    }
    let mut files = Vec::new();
    find(&metadata, 0, &mut files)?;
    files.sort();
    for file in files {
        put(world, folder, &metadata, &file).await.with_context(|| format!("{}", file.display()))?;
    }
    Ok(())
}

async fn make_bucket(world: &World, name: &str) -> anyhow::Result<()> {
    let new = NewBucket { name: name.to_owned(), region: "US".to_owned() };
    world.services.objects.ensure_bucket(&Call::operator(), new).await?;
    Ok(())
}

fn find(folder: &Path, depth: usize, into: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    if depth > DEPTH_MAX {
        bail!("{} is too deep", folder.display());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            find(&entry.path(), depth + 1, into)?;
        } else if kind.is_file() && entry.path().extension().is_some_and(|extension| extension == "json") {
            into.push(entry.path());
            if into.len() > FILES_MAX {
                bail!("there are more than {FILES_MAX} files");
            }
        }
    }
    Ok(())
}

async fn put(world: &World, folder: &Path, metadata: &Path, file: &Path) -> anyhow::Result<()> {
    let document = super::json(file)?;
    let (bucket, key) = (member(&document, "bucket"), member(&document, "name"));
    let (bucket, key) = (bucket.context("it has no `bucket`")?, key.context("it has no `name`")?);
    make_bucket(world, &bucket).await?;
    let name = file.strip_prefix(metadata)?.with_extension("");
    // Written by some versions with its name escaped, by some without.
    let text = name.to_str().context("the name is no text")?;
    let unescaped = percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let places = [folder.join("blobs").join(&name), super::below(&folder.join("blobs"), &unescaped)?];
    let bytes = places.iter().find(|place| place.is_file()).context("its bytes are not in `blobs`")?;
    let put = Put {
        bucket,
        key,
        how: How::Put,
        properties: properties(&document),
        condition: Condition::Always,
        content: Content { stream: Box::pin(chunks(std::fs::File::open(bytes)?)), claims: Claims::default() },
    };
    world.services.objects.put(&Call::operator(), put).await?;
    Ok(())
}

fn member(document: &Value, name: &str) -> Option<String> {
    document.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn properties(document: &Value) -> Properties {
    let custom = document.get("customMetadata").and_then(Value::as_object).into_iter().flatten();
    let mut metadata: BTreeMap<String, String> =
        custom.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
    let tokens: Vec<&str> =
        document.get("downloadTokens").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    if !tokens.is_empty() {
        metadata.insert(TOKENS.to_owned(), tokens.join(","));
    }
    Properties {
        headers: Headers {
            content_type: member(document, "contentType"),
            cache_control: member(document, "cacheControl"),
            content_disposition: member(document, "contentDisposition").filter(|text| text != "inline"),
            content_encoding: member(document, "contentEncoding").filter(|text| text != "identity"),
            content_language: member(document, "contentLanguage"),
            storage_class: member(document, "storageClass").filter(|text| text != "STANDARD"),
            ..Headers::default()
        },
        metadata,
        ..Properties::default()
    }
}

fn chunks(file: std::fs::File) -> impl futures_util::Stream<Item = Result<Bytes, BoxError>> + Send {
    stream::try_unfold(file, |mut file| async move {
        let mut chunk = vec![0; CHUNK_BYTES];
        let length = std::io::Read::read(&mut file, &mut chunk)?;
        chunk.truncate(length);
        Ok(Some(Bytes::from(chunk)).filter(|chunk| !chunk.is_empty()).map(|chunk| (chunk, file)))
    })
}
