//! Firebase Hosting: the folders of a project's sites, with their rules, and `/__/firebase/`, which tells a page where everything is.
//!
//! Several sites share the port: the first label of the host name says which is meant, else it is the first.

mod decide;
mod pattern;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::stream;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;
use tokio::io::AsyncReadExt;

use crate::base::Call;
use crate::functions::Functions;
use crate::gateway::functions::pass_on;
use crate::gateway::guard::without_port;
use crate::project::firebase::Site;
use crate::wire::firebase::Wire;
use crate::wire::http::{Body, BoxError, Request, Response, header, json};
use decide::{Decision, Rules};

/// Files up to this size are sent in one piece, in bytes.
const WHOLE_BYTES_MAX: u64 = 1 << 20;
const PIECE_BYTES: usize = 64 << 10;

/// The sites of a project.
pub struct Hosting {
    root: PathBuf,
    sites: ArcSwap<Vec<Arc<Rules>>>,
    start: Start,
    /// Who answers what is rewritten to functions.
    functions: Option<Functions>,
}

/// What a page is told: an app's configuration, and what the web SDK reads as `__FIREBASE_DEFAULTS__`.
pub struct Start {
    pub config: Value,
    pub defaults: Value,
}

impl Hosting {
    /// The sites of the project in the folder `root`.
    pub fn new(root: PathBuf, sites: &[Site], start: Start) -> Hosting {
        let hosting = Hosting { root, sites: ArcSwap::default(), start, functions: None };
        hosting.set(sites);
        hosting
    }

    /// The same with the functions that rewrites may name.
    pub fn with_functions(self, functions: Functions) -> Hosting {
        Hosting { functions: Some(functions), ..self }
    }

    /// Puts other sites in the place of these.
    pub fn set(&self, sites: &[Site]) {
        self.sites.store(Arc::new(sites.iter().map(|site| Arc::new(Rules::of(site))).collect()));
    }

    fn site(&self, host: Option<&str>) -> Option<Arc<Rules>> {
        let sites = self.sites.load();
        let label = host.map(without_port).and_then(|host| host.split('.').next()).unwrap_or_default();
        let meant = sites.iter().find(|rules| rules.site.names.iter().any(|name| name == label));
        meant.or(sites.first()).cloned()
    }

    async fn answer(&self, call: &Call, request: Request) -> Response {
        let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
        let path = percent_encoding::percent_decode_str(uri.path()).decode_utf8_lossy().into_owned();
        if let Some(reserved) = path.strip_prefix("/__/") {
            return self.reserved(reserved);
        }
        let Some(rules) = self.site(header(&headers, "host")) else { return plain(StatusCode::NOT_FOUND, "There is no site.") };
        // No path leads out of the folder.
        let strange = path.split('/').any(|part| part == "..") || path.contains(['\0', '\\']);
        if strange {
            return plain(StatusCode::BAD_REQUEST, "This is no path of a site.");
        }
        let folder = self.root.join(&rules.site.public);
        let (looking, query, of) = (rules.clone(), uri.query().unwrap_or_default().to_owned(), folder.clone());
        let shown = path.clone();
        let decided = tokio::task::spawn_blocking(move || looking.decide(&path, &query, &|file| of.join(file).is_file())).await;
        let mut response = match decided.unwrap_or(Decision::Missing) {
            Decision::Redirect(to, status) => redirect(&to, status),
            Decision::File(file) if method == Method::GET || method == Method::HEAD => {
                self.file(&folder, &file, &headers).await.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "The file is gone."))
            }
            Decision::Function { name, region } => {
                let entry =
                    self.functions.as_ref().and_then(|functions| Some((functions, functions.function_in(&name, region.as_deref())?)));
                match entry {
                    Some((functions, entry)) => pass_on(functions, call, entry, for_function(request)).await,
                    None => plain(
                        StatusCode::NOT_FOUND,
                        &format!("{shown} is answered by the function `{name}`, which is not there or takes no requests."),
                    ),
                }
            }
            Decision::Other(what) => {
                plain(StatusCode::NOT_IMPLEMENTED, &format!("{shown} is answered by `{what}`, which emu does not have."))
            }
            Decision::File(_) | Decision::Missing => self.missing(&folder, &rules, &headers, &shown).await,
        };
        for (name, value) in rules.headers(&shown) {
            if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
                response.headers_mut().insert(name, value);
            }
        }
        if method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }

    /// What Hosting serves of itself.
    fn reserved(&self, path: &str) -> Response {
        let version =
            |path: &str| path.strip_prefix("firebase/").and_then(|rest| rest.split_once('/')).map(|(v, f)| (v.to_owned(), f.to_owned()));
        match path {
            "firebase/init.json" => json(StatusCode::OK, &self.start.config),
            "firebase/init.js" => {
                let script = include_str!("init.js")
                    .replace("/*config*/{}", &script(&self.start.config))
                    .replace("/*defaults*/{}", &script(&self.start.defaults));
                typed(Body::from(script), "text/javascript; charset=utf-8")
            }
            path => match version(path) {
                // The SDK itself, as pages name it relative to their site.
                Some((version, file)) if is_plain(&version) && is_plain(&file) => {
                    redirect(&format!("https://www.gstatic.com/firebasejs/{version}/{file}"), StatusCode::FOUND)
                }
                _ => plain(StatusCode::NOT_FOUND, "Hosting has no such page."),
            },
        }
    }

    async fn missing(&self, folder: &Path, rules: &Rules, headers: &HeaderMap, path: &str) -> Response {
        let own = if rules.serves("404.html") { self.file(folder, "404.html", &without_condition(headers)).await } else { None };
        let mut response =
            own.unwrap_or_else(|| plain(StatusCode::NOT_FOUND, &format!("There is no {path} in {}.", rules.site.public.display())));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    }

    async fn file(&self, folder: &Path, file: &str, headers: &HeaderMap) -> Option<Response> {
        let path = folder.join(file);
        let open = tokio::fs::File::open(&path).await.ok()?;
        let about = open.metadata().await.ok().filter(std::fs::Metadata::is_file)?;
        let kind = content_type(file);
        let modified = about.modified().ok();
        let age = modified.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |age| age.as_nanos());
        let etag = format!("\"{:x}-{age:x}\"", about.len());
        let mut response = if header(headers, "if-none-match").is_some_and(|known| known.split(',').any(|one| one.trim() == etag)) {
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else if about.len() <= WHOLE_BYTES_MAX {
            let mut bytes = Vec::new();
            open.take(WHOLE_BYTES_MAX).read_to_end(&mut bytes).await.ok()?;
            let bytes = if kind.starts_with("text/html") { self.with_defaults(bytes) } else { bytes };
            typed(Body::from(bytes), kind)
        } else {
            let pieces = stream::try_unfold(open, |mut open| async move {
                let mut piece = vec![0; PIECE_BYTES];
                let length = open.read(&mut piece).await.map_err(BoxError::from)?;
                piece.truncate(length);
                Ok((length > 0).then(|| (Bytes::from(piece), open)))
            });
            typed(Body::stream(pieces, Some(about.len())), kind)
        };
        let into = response.headers_mut();
        into.insert(http::header::ETAG, HeaderValue::from_str(&etag).ok()?);
        into.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Some(date) = modified.and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok()) {
            into.insert(http::header::LAST_MODIFIED, date);
        }
        Some(response)
    }

    /// A page that knows where the services are before any of its scripts run. A page without a head stays as it is.
    fn with_defaults(&self, page: Vec<u8>) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(&page) else { return page };
        let lower = text.to_ascii_lowercase();
        let head = lower.match_indices("<head").find(|(at, found)| lower[at + found.len()..].starts_with(['>', ' ', '\n', '\r', '\t']));
        let Some(end) = head.and_then(|(at, _)| lower[at..].find('>').map(|length| at + length + 1)) else { return page };
        let tag = format!("<script>globalThis.__FIREBASE_DEFAULTS__ ??= {}</script>", script(&self.start.defaults));
        [&text[..end], &tag, &text[end..]].concat().into_bytes()
    }
}

impl Wire for Hosting {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(self.answer(call, request))
    }
}

/// The only cookie that Hosting hands on to functions ("Manage cache behavior", "Using cookies").
const COOKIE: &str = "__session";

/// A request as Hosting hands it to a function: with one cookie at most, and with the host that was asked.
fn for_function(mut request: Request) -> Request {
    let cookies: Vec<String> = request
        .headers()
        .get_all(http::header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|all| all.split(';').map(str::trim))
        .filter(|cookie| cookie.split('=').next() == Some(COOKIE))
        .map(str::to_owned)
        .collect();
    let headers = request.headers_mut();
    headers.remove(http::header::COOKIE);
    if let Some(cookie) = cookies.first().and_then(|cookie| HeaderValue::from_str(cookie).ok()) {
        headers.insert(http::header::COOKIE, cookie);
    }
    if let Some(host) = headers.get(http::header::HOST).cloned() {
        headers.insert("x-forwarded-host", host);
    }
    request
}

/// JSON as it may stand in a script of a page.
fn script(value: &Value) -> String {
    value.to_string().replace('<', "\\u003c")
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')) && !name.contains("..")
}

fn without_condition(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(http::header::IF_NONE_MATCH);
    headers
}

fn typed(body: Body, kind: &'static str) -> Response {
    let mut response = http::Response::new(body);
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = typed(Body::from(format!("{text}\n")), "text/plain; charset=utf-8");
    *response.status_mut() = status;
    response
}

fn redirect(to: &str, status: StatusCode) -> Response {
    // A path may hold what a header may not.
    let to: String = to.chars().map(|c| if c.is_ascii_graphic() { c.to_string() } else { encoded(c) }).collect();
    let mut response = plain(status, &format!("Moved to {to}"));
    if let Ok(location) = HeaderValue::from_str(&to) {
        response.headers_mut().insert(http::header::LOCATION, location);
    }
    response
}

fn encoded(c: char) -> String {
    percent_encoding::utf8_percent_encode(c.encode_utf8(&mut [0; 4]), percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The media type of a file by its name.
fn content_type(file: &str) -> &'static str {
    let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "html" | "htm" => "text/html; charset=utf-8",
        "js" | "mjs" | "cjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" => "text/plain; charset=utf-8",
        "xml" => "application/xml; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        "ttf" => "font/ttf",
        "otf" => "font/otf",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "webm" => "video/webm",
        "pdf" => "application/pdf",
        "wasm" => "application/wasm",
        "zip" => "application/zip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests;
