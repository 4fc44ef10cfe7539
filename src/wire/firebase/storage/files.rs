//! Firebase's endpoint for apps: `/v0/b/BUCKET/o`.

use http::{Method, StatusCode};
use serde_json::json;

use super::ask::Ask;
use super::body::pieces;
use super::encode::{TOKENS, disposition, firebase_json};
use super::fail::Failure;
use super::sessions::Command;
use super::upload::{Sent, described, set};
use super::{Answered, Storage, decode, unbilled};
use crate::base::{Call, Caller};
use crate::services::objects::{Condition, Deletion, Edit, Get, List, Name, Object, Properties, Range, Wanted, Which};
use crate::wire::http::{Body, Response, json as answer};

/// Entries of a page of a list, unless fewer are asked for.
const PAGE_MAX: usize = 1_000;

impl Storage {
    /// Answers a request of an app.
    pub async fn file(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: Option<&str>, body: Body) -> Answered {
        let overridden = ask.header("x-http-method-override").and_then(|name| Method::from_bytes(name.as_bytes()).ok());
        let method = overridden.unwrap_or_else(|| ask.parts.method.clone());
        if let (&Method::GET | &Method::HEAD, Some(key), Some("media")) = (&method, key, ask.get("alt")) {
            return ("objects.get", self.download(call, ask, bucket, key).await.unwrap_or_else(|failure| failure.firebase("get object")));
        }
        // An app's first upload finds its bucket, whatever that is called.
        if let Err(failure) = self.settle(bucket, method == Method::POST).await {
            return ("?", failure.firebase("access bucket"));
        }
        let (action, what, result) = match (&method, key) {
            (&Method::GET, Some(key)) => {
                self.access.check(call);
                ("objects.get", "get object", self.file_metadata(call, bucket, key).await)
            }
            (&Method::GET, None) => {
                self.access.check(call);
                ("objects.list", "list objects", self.list_files(call, ask, bucket).await)
            }
            (&Method::PATCH | &Method::PUT, Some(key)) => {
                self.access.check(call);
                ("objects.patch", "update object", self.change_file(call, bucket, key, body).await)
            }
            (&Method::DELETE, Some(key)) => {
                self.access.check(call);
                ("objects.delete", "delete object", self.delete_file(call, bucket, key).await)
            }
            (&Method::POST, Some(key)) if ask.get("create_token").is_some() || ask.get("delete_token").is_some() => {
                ("objects.patch", "update object", self.change_tokens(call, ask, bucket, key).await)
            }
            (&Method::POST | &Method::PUT, key) => {
                ("objects.insert", "create object", self.upload_file(call, ask, bucket, key.or(ask.get("name")), body).await)
            }
            (other, _) => ("?", "access object", Err(Failure::unsupported(format!("{other} of a file")))),
        };
        (action, result.unwrap_or_else(|failure| failure.firebase(what)))
    }

    async fn upload_file(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: Option<&str>, body: Body) -> Result<Response, Failure> {
        let command = ask.header("x-goog-upload-command").map(Command::of).transpose()?;
        if let (Some(id), Some(command)) = (ask.get("upload_id"), command) {
            // Whoever knows the upload's name was let in when it began.
            return self.continue_file(call, ask, bucket, id, command, body).await;
        }
        self.access.check(call);
        let key = key.filter(|key| !key.is_empty()).ok_or_else(|| Failure::required("name"))?;
        if command.is_some_and(|command| command.start) {
            return self.start_file(call, ask, bucket, key, body).await;
        }
        let mut sent = match ask.header("x-goog-upload-protocol").unwrap_or("raw") {
            "multipart" => {
                let (document, content_type, content) = described(ask.header("content-type"), body).await?;
                let mut properties = decode::properties(&document)?;
                properties.headers.content_type = properties.headers.content_type.or(content_type);
                let expected = decode::expected(&document, ask.expected()?)?;
                Sent { key: key.to_owned(), properties, expected, condition: Condition::Always, content, length: None }
            }
            "raw" | "media" => {
                let mut properties = Properties::default();
                properties.headers.content_type = ask.header("content-type").map(str::to_owned);
                let (expected, length) = (ask.expected()?, ask.length());
                Sent { key: key.to_owned(), properties, expected, condition: Condition::Always, content: pieces(body), length }
            }
            other => return Err(Failure::invalid(format!("Invalid value for X-Goog-Upload-Protocol: '{}'", super::ask::clip(other)))),
        };
        self.give_token(&mut sent.properties);
        let object = self.store(call, bucket, sent).await?;
        Ok(answer(StatusCode::OK, &firebase_json(&object)))
    }

    /// Gives a new file the token by which its bytes can be had, unless it has one.
    pub fn give_token(&self, properties: &mut Properties) {
        if decode::tokens(properties).is_empty() {
            decode::set_tokens(properties, &[self.ids.uuid()]);
        }
    }

    async fn head(&self, call: &Call, bucket: &str, key: &str) -> Result<Object, Failure> {
        let get = Get { name: Name::latest(bucket, key), range: Range::All, wanted: Wanted::default() };
        self.objects.head(call, &get).await.map(|found| found.object).map_err(|error| Failure::of(&error, bucket))
    }

    async fn file_metadata(&self, call: &Call, bucket: &str, key: &str) -> Result<Response, Failure> {
        let mut object = self.head(call, bucket, key).await?;
        if decode::tokens(&object.properties).is_empty() {
            // Whoever asks for a file by this way may want its URL, which needs a token.
            let token = self.ids.uuid();
            let change = move |properties: &mut Properties| {
                let none = decode::tokens(properties).is_empty();
                if none {
                    decode::set_tokens(properties, &[token]);
                }
                none
            };
            object = self.edit(call, bucket, key, Box::new(change), true).await?;
        }
        Ok(answer(StatusCode::OK, &firebase_json(&object)))
    }

    async fn edit(
        &self,
        call: &Call,
        bucket: &str,
        key: &str,
        change: Box<dyn FnOnce(&mut Properties) -> bool + Send>,
        silent: bool,
    ) -> Result<Object, Failure> {
        let edit = Edit { name: Name::latest(bucket, key), condition: Condition::Always, change, silent };
        self.objects.edit(call, edit).await.map(|stored| stored.object).map_err(|error| Failure::of(&error, bucket))
    }

    async fn change_file(&self, call: &Call, bucket: &str, key: &str, body: Body) -> Result<Response, Failure> {
        let document = self.document(body).await?;
        // Read once before, so that what cannot be understood is told.
        decode::properties(&document)?;
        let change = move |properties: &mut Properties| {
            let tokens = decode::tokens(properties);
            let understood = decode::change(properties, &document).is_ok();
            // They are no metadata of the app's own, which it may take away.
            if !tokens.is_empty() && !properties.metadata.contains_key(TOKENS) {
                decode::set_tokens(properties, &tokens);
            }
            understood
        };
        let object = self.edit(call, bucket, key, Box::new(change), false).await?;
        Ok(answer(StatusCode::OK, &firebase_json(&object)))
    }

    async fn change_tokens(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        if matches!(call.caller, Caller::Anonymous | Caller::User { .. }) {
            return Err(Failure::forbidden("Permission denied. Could not perform this operation"));
        }
        let (fresh, gone) = (self.ids.uuid(), ask.get("delete_token").map(str::to_owned));
        if gone.is_none() && !ask.truth("create_token") {
            return Err(Failure::invalid("Invalid value for create_token: it is true, or not there"));
        }
        let change = move |properties: &mut Properties| {
            let mut tokens = decode::tokens(properties);
            match gone {
                Some(gone) => tokens.retain(|token| *token != gone),
                None => tokens.push(fresh.clone()),
            }
            if tokens.is_empty() {
                tokens.push(fresh);
            }
            decode::set_tokens(properties, &tokens);
            true
        };
        let object = self.edit(call, bucket, key, Box::new(change), false).await?;
        Ok(answer(StatusCode::OK, &firebase_json(&object)))
    }

    async fn delete_file(&self, call: &Call, bucket: &str, key: &str) -> Result<Response, Failure> {
        self.head(&unbilled(call), bucket, key).await?;
        let deletion = Deletion { key: key.to_owned(), which: Which::Latest, condition: Condition::Present };
        let fail = |error| Failure::of(&error, bucket);
        self.objects
            .delete(call, bucket, vec![deletion])
            .await
            .map_err(fail)?
            .into_iter()
            .try_for_each(|one| one.map(|_| ()).map_err(fail))?;
        let mut response = http::Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        Ok(response)
    }

    /// The bytes of a file. Whether its bucket is there is only asked where the file is not.
    async fn download(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        match self.file_bytes(call, ask, bucket, key).await {
            Err(failure) if failure.lacks_bucket() => {
                self.settle(bucket, false).await?;
                self.file_bytes(&unbilled(call), ask, bucket, key).await
            }
            answered => answered,
        }
    }

    async fn file_bytes(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        let token = ask.get("token").unwrap_or_default();
        let knows_token =
            !token.is_empty() && decode::tokens(&self.head(&unbilled(call), bucket, key).await?.properties).iter().any(|own| own == token);
        if !knows_token {
            self.access.check(call);
        }
        let mut response = self.bytes(call, ask, Name::latest(bucket, key)).await?;
        if !response.headers().contains_key("content-disposition")
            && let Some(object) = response.extensions_mut().remove::<super::download::Given>()
        {
            set(&mut response, "content-disposition", &disposition(&object.0));
        }
        if !response.headers().contains_key("cache-control") {
            set(&mut response, "cache-control", "private, max-age=0");
        }
        Ok(response)
    }

    async fn list_files(&self, call: &Call, ask: &Ask<'_>, bucket: &str) -> Result<Response, Failure> {
        let prefix = ask.get("prefix").unwrap_or_default();
        let delimiter = ask.get("delimiter").filter(|delimiter| !delimiter.is_empty());
        if delimiter.is_some_and(|delimiter| delimiter != "/") {
            return Err(Failure::invalid("The delimiter of a list of files is '/'."));
        }
        if !prefix.is_empty() && !prefix.ends_with('/') {
            return Err(Failure::invalid("The prefix parameter is required to be empty or ends with a single / character."));
        }
        let max = ask.number("maxResults")?.filter(|max| *max > 0).map_or(PAGE_MAX, |max| PAGE_MAX.min(max as usize));
        let list = List {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            delimiter: delimiter.map(str::to_owned),
            after: super::objects::after(ask)?,
            max,
            ..List::default()
        };
        let page = self.objects.list(call, &list).await.map_err(|error| Failure::of(&error, bucket))?;
        // What has an empty part in its name has no place in a tree of files.
        let shown = |name: &str| !name.contains("//") && !name.starts_with('/');
        let prefixes: Vec<_> = page.prefixes.iter().filter(|name| shown(name)).collect();
        let items = page.objects.iter().filter(|object| shown(&object.key) && !object.key.ends_with('/'));
        let items: Vec<_> = items.map(|object| json!({ "name": object.key, "bucket": bucket })).collect();
        let mut all = json!({ "prefixes": prefixes, "items": items });
        if let Some(next) = page.next {
            all["nextPageToken"] = json!(super::objects::token(&next));
        }
        Ok(answer(StatusCode::OK, &all))
    }

    /// Empties the project's own buckets, as tests ask for between each other.
    pub async fn reset(&self, call: &Call) -> Result<(), Failure> {
        let buckets = self.objects.buckets(call).await.map_err(|error| Failure::of(&error, ""))?;
        for bucket in buckets.into_iter().filter(|bucket| self.is_own(&bucket.name)) {
            loop {
                let list = List { bucket: bucket.name.clone(), max: PAGE_MAX, ..List::default() };
                let page = self.objects.list(call, &list).await.map_err(|error| Failure::of(&error, &bucket.name))?;
                if page.objects.is_empty() {
                    break;
                }
                let one = |object: Object| Deletion { key: object.key, which: Which::Latest, condition: Condition::Always };
                let all = page.objects.into_iter().map(one).collect();
                self.objects.delete(call, &bucket.name, all).await.map_err(|error| Failure::of(&error, &bucket.name))?;
            }
        }
        Ok(())
    }
}
