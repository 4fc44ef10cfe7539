//! Objects of the JSON API: looking, listing, changing, copying, composing, deleting.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::ask::Ask;
use super::encode::{object_grants, object_json};
use super::fail::Failure;
use super::{Answered, Storage, decode, unbilled};
use crate::base::Call;
use crate::services::objects::{
    Algorithm, Compose, Condition, Copy, Deletion, Edit, Get, List, Name, Numbers, Object, Properties, Range, Snapshot, VersionList,
    Wanted, Which,
};
use crate::wire::http::{Body, Response, json as answer};

/// Entries of a page of a list at most ("Objects: list").
const PAGE_MAX: usize = 1_000;
/// Bytes of a pattern: no name that it could describe is longer.
const GLOB_BYTES_MAX: usize = 1_024;

impl Storage {
    fn object_shown(object: &Object, ask: &Ask<'_>) -> Value {
        let mut all = object_json(&Snapshot::of(object), &object.bucket, &ask.origin());
        if ask.get("projection") == Some("full") {
            all["acl"] = json!(object_grants(object, &ask.origin()));
        }
        all
    }

    pub async fn object(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        let name = Name { bucket: bucket.to_owned(), key: key.to_owned(), which: ask.which("generation")? };
        let get = Get { name, range: Range::All, wanted: Wanted { numbers: ask.numbers(false)?, ..Wanted::default() } };
        let found = self.objects.head(call, &get).await.map_err(|error| Failure::of(&error, bucket))?;
        Ok(answer(StatusCode::OK, &Storage::object_shown(&found.object, ask)))
    }

    pub async fn list(&self, call: &Call, ask: &Ask<'_>, bucket: &str) -> Result<Response, Failure> {
        let max = ask.number("maxResults")?.filter(|max| *max > 0).map_or(PAGE_MAX, |max| PAGE_MAX.min(max as usize));
        let given = |name: &str| ask.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let list = List {
            bucket: bucket.to_owned(),
            prefix: ask.get("prefix").unwrap_or_default().to_owned(),
            delimiter: given("delimiter"),
            after: after(ask)?,
            from: given("startOffset"),
            until: given("endOffset"),
            glob: glob(ask)?,
            max,
        };
        let fail = |error| Failure::of(&error, bucket);
        let (items, prefixes, next) = if ask.truth("versions") {
            let (key, version) = match list.after.as_deref().and_then(|after| after.split_once('\0')) {
                Some((key, version)) => (Some(key.to_owned()), Some(version.to_owned()).filter(|version| !version.is_empty())),
                None => (list.after.clone(), None),
            };
            let list = VersionList { list: List { after: key, ..list }, after_version: version };
            let page = self.objects.list_versions(call, &list).await.map_err(fail)?;
            let next = page.next.map(|(key, version)| format!("{key}\0{}", version.unwrap_or_default()));
            (versions(&page.versions, ask), page.prefixes, next)
        } else {
            let page = self.objects.list(call, &list).await.map_err(fail)?;
            (page.objects.iter().map(|object| Storage::object_shown(object, ask)).collect(), page.prefixes, page.next)
        };
        let mut all = json!({ "kind": "storage#objects" });
        if let Some(next) = next {
            all["nextPageToken"] = json!(token(&next));
        }
        if !prefixes.is_empty() {
            all["prefixes"] = json!(prefixes);
        }
        if !items.is_empty() {
            all["items"] = json!(items);
        }
        Ok(answer(StatusCode::OK, &all))
    }

    pub async fn change(
        &self,
        call: &Call,
        ask: &Ask<'_>,
        bucket: &str,
        key: &str,
        body: Body,
        replace: bool,
    ) -> Result<Response, Failure> {
        let document = self.document(body).await?;
        // Read once before, so that what cannot be understood is told.
        let whole = decode::properties(&document)?;
        let predefined = ask.get("predefinedAcl").and_then(decode::predefined);
        let change = move |properties: &mut Properties| {
            if replace {
                *properties =
                    Properties { grants: std::mem::take(&mut properties.grants), tags: std::mem::take(&mut properties.tags), ..whole };
            } else if decode::change(properties, &document).is_err() {
                return false;
            }
            if let Some(predefined) = predefined {
                properties.grants = predefined;
            }
            true
        };
        let name = Name { bucket: bucket.to_owned(), key: key.to_owned(), which: ask.which("generation")? };
        let object = self.edited(call, name, Condition::Numbers(ask.numbers(false)?), Box::new(change)).await?;
        Ok(answer(StatusCode::OK, &Storage::object_shown(&object, ask)))
    }

    pub async fn edited(
        &self,
        call: &Call,
        name: Name,
        condition: Condition,
        change: Box<dyn FnOnce(&mut Properties) -> bool + Send>,
    ) -> Result<Object, Failure> {
        let bucket = name.bucket.clone();
        let edit = Edit { name, condition, change, silent: false };
        self.objects.edit(call, edit).await.map(|stored| stored.object).map_err(|error| Failure::of(&error, &bucket))
    }

    pub async fn delete(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        self.remove(call, Name { bucket: bucket.to_owned(), key: key.to_owned(), which: ask.which("generation")? }, ask.numbers(false)?)
            .await?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    /// Deletes what must be there.
    pub async fn remove(&self, call: &Call, name: Name, numbers: Numbers) -> Result<(), Failure> {
        let bucket = name.bucket.clone();
        let fail = |error| Failure::of(&error, &bucket);
        let get = Get { name: name.clone(), range: Range::All, wanted: Wanted::default() };
        let found = self.objects.head(&unbilled(call), &get).await.map_err(fail)?;
        let condition = match name.which {
            // Such a condition is about the newest version.
            Which::Latest => Condition::Numbers(numbers),
            _ if numbers.generation.is_some_and(|wanted| wanted != found.object.generation) => {
                return Err(fail(crate::services::objects::Error::Precondition(crate::services::objects::Precondition::Numbers)));
            }
            _ => Condition::Always,
        };
        let deletion = Deletion { key: name.key, which: name.which, condition };
        let removed = self.objects.delete(call, &bucket, vec![deletion]).await.map_err(fail)?;
        removed.into_iter().try_for_each(|one| one.map(|_| ()).map_err(fail))
    }

    pub async fn of_object(&self, call: &Call, ask: &Ask<'_>, of: (&str, &str), rest: &[String], body: Body) -> Answered {
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        let (action, result) = match (&ask.parts.method, rest.as_slice()) {
            (&Method::POST | &Method::PUT, ["rewriteTo", "b", bucket, "o", key]) => {
                ("objects.rewrite", self.rewrite(call, ask, of, (bucket, key), body).await)
            }
            (&Method::POST, ["copyTo", "b", bucket, "o", key]) => {
                let copied = self.copied(call, ask, of, (bucket, key), body).await;
                ("objects.copy", copied.map(|object| answer(StatusCode::OK, &Storage::object_shown(&object, ask))))
            }
            (&Method::POST, ["moveTo", "o", key]) => ("objects.move", self.moved(call, ask, of, key, body).await),
            (&Method::POST, ["compose"]) => ("objects.compose", self.composed(call, ask, of, body).await),
            (_, ["acl", entity @ ..]) => ("objectAccessControls", self.object_acl(call, ask, of, entity.first().copied(), body).await),
            (method, _) => ("?", Err(Failure::unsupported(format!("{method} {}", super::ask::clip(ask.parts.uri.path()))))),
        };
        (action, result.unwrap_or_else(|failure| failure.json()))
    }

    async fn copied(&self, call: &Call, ask: &Ask<'_>, from: (&str, &str), to: (&str, &str), body: Body) -> Result<Object, Failure> {
        self.settle(to.0, false).await?;
        let document = self.document(body).await?;
        // A document takes the place of all that is said of the source; none at all leaves it as it is.
        let said = document.keys().any(|name| name != "bucket" && name != "name");
        let mut properties = said.then(|| decode::properties(&document)).transpose()?;
        if let (Some(predefined), Some(properties)) =
            (ask.get("destinationPredefinedAcl").and_then(decode::predefined), properties.as_mut())
        {
            properties.grants = predefined;
        }
        let copy = Copy {
            from: Name { bucket: from.0.to_owned(), key: from.1.to_owned(), which: ask.which("sourceGeneration")? },
            wanted: Wanted { numbers: ask.numbers(true)?, ..Wanted::default() },
            bucket: to.0.to_owned(),
            key: to.1.to_owned(),
            headers_and_metadata: properties,
            tags: None,
            // Always one, so that an object can be copied onto itself.
            algorithm: Some(Algorithm::Crc64Nvme),
            condition: Condition::Numbers(ask.numbers(false)?),
        };
        let bucket = from.0;
        self.objects.copy(call, copy).await.map(|(stored, _)| stored.object).map_err(|error| Failure::of(&error, bucket))
    }

    async fn rewrite(&self, call: &Call, ask: &Ask<'_>, from: (&str, &str), to: (&str, &str), body: Body) -> Result<Response, Failure> {
        let object = self.copied(call, ask, from, to, body).await?;
        let size = object.size.to_string();
        let all = json!({
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": true,
            "resource": Storage::object_shown(&object, ask),
        });
        Ok(answer(StatusCode::OK, &all))
    }

    async fn moved(&self, call: &Call, ask: &Ask<'_>, from: (&str, &str), key: &str, body: Body) -> Result<Response, Failure> {
        let get = Get { name: Name::latest(from.0, from.1), range: Range::All, wanted: Wanted::default() };
        let source = self.objects.head(&unbilled(call), &get).await.map_err(|error| Failure::of(&error, from.0))?.object;
        let object = self.copied(call, ask, from, (from.0, key), body).await?;
        let numbers = Numbers { generation: Some(source.generation), ..Numbers::default() };
        self.remove(call, Name::latest(from.0, from.1), numbers).await?;
        Ok(answer(StatusCode::OK, &Storage::object_shown(&object, ask)))
    }

    async fn composed(&self, call: &Call, ask: &Ask<'_>, of: (&str, &str), body: Body) -> Result<Response, Failure> {
        let document = self.document(body).await?;
        let destination = document.get("destination").and_then(Value::as_object).cloned().unwrap_or_default();
        let sources = document.get("sourceObjects").and_then(Value::as_array).ok_or_else(|| Failure::required("sourceObjects"))?;
        let number = |value: Option<&Value>| value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let sources = sources
            .iter()
            .map(|source| {
                let name = source.get("name").and_then(Value::as_str).ok_or_else(|| Failure::required("sourceObjects.name"))?;
                let which = number(source.get("generation")).map_or(Which::Latest, Which::Generation);
                let generation = number(source.pointer("/objectPreconditions/ifGenerationMatch"));
                Ok((name.to_owned(), which, Numbers { generation, ..Numbers::default() }))
            })
            .collect::<Result<Vec<_>, Failure>>()?;
        let compose = Compose {
            bucket: of.0.to_owned(),
            key: of.1.to_owned(),
            sources,
            properties: decode::properties(&destination)?,
            condition: Condition::Numbers(ask.numbers(false)?),
        };
        let stored = self.objects.compose(call, compose).await.map_err(|error| Failure::of(&error, of.0))?;
        Ok(answer(StatusCode::OK, &Storage::object_shown(&stored.object, ask)))
    }
}

/// The versions of a page, each key's oldest first, as this API lists them; markers are none of its own.
fn versions(page: &[(Object, bool)], ask: &Ask<'_>) -> Vec<Value> {
    let mut all = Vec::new();
    for of_key in page.chunk_by(|a, b| a.0.key == b.0.key) {
        let gone = of_key.iter().map(|(newer, _)| Some(newer.created));
        let each = of_key.iter().zip(std::iter::once(None).chain(gone));
        let shown = each.filter(|((object, _), _)| !object.marker).map(|((object, is_newest), replaced)| {
            let mut shown = Storage::object_shown(object, ask);
            if let (false, Some(at)) = (*is_newest, replaced) {
                shown["timeDeleted"] = json!(at.iso());
            }
            shown
        });
        let mut shown: Vec<Value> = shown.collect();
        shown.reverse();
        all.extend(shown);
    }
    all
}

/// Where the next page of a list begins, for the next question.
pub fn token(after: &str) -> String {
    URL_SAFE_NO_PAD.encode(after)
}

/// Where a page begins.
pub fn after(ask: &Ask<'_>) -> Result<Option<String>, Failure> {
    let Some(token) = ask.get("pageToken").filter(|token| !token.is_empty()) else { return Ok(None) };
    let text = URL_SAFE_NO_PAD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(Some).ok_or_else(|| Failure::invalid("Invalid argument: pageToken"))
}

/// The pattern of `matchGlob`. Source: "Objects: list" of the JSON API.
fn glob(ask: &Ask<'_>) -> Result<Option<String>, Failure> {
    let Some(glob) = ask.get("matchGlob").filter(|glob| !glob.is_empty()) else { return Ok(None) };
    if glob.len() > GLOB_BYTES_MAX {
        return Err(Failure::invalid(format!("matchGlob is longer than {GLOB_BYTES_MAX} bytes")));
    }
    // At the beginning it would stand for all that the rest does not describe.
    Ok(Some(if glob.starts_with('!') { format!("\\{glob}") } else { glob.to_owned() }))
}
