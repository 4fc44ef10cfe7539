//! What a path asks for.

/// The thing that a request is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    Root,
    /// What only emulators have: `setRules`, `reset`, …
    Internal(String),
    /// Firebase's endpoint: a bucket's objects, or one of them.
    Firebase {
        bucket: String,
        key: Option<String>,
    },
    Buckets,
    Bucket(String),
    /// What hangs on a bucket: `acl`, `iam`, …
    OfBucket(String, Vec<String>),
    Objects(String),
    Object(String, String),
    /// What hangs on an object: `acl`, `rewriteTo`, …
    OfObject(String, String, Vec<String>),
    /// Bytes to store in a bucket.
    Upload(String),
    Download(String, String),
    /// Of a project, not of a bucket.
    Project(Vec<String>),
    /// As a URL names an object: path only.
    Plain {
        bucket: String,
        key: String,
    },
}

/// `None` where it is no text.
pub fn place(path: &str) -> Option<Place> {
    if path == "/" {
        return Some(Place::Root);
    }
    if let Some(rest) = path.strip_prefix("/internal/") {
        return Some(Place::Internal(rest.to_owned()));
    }
    if let Some(rest) = path.strip_prefix("/v0/b/") {
        let (bucket, rest) = rest.split_once('/').unwrap_or((rest, "o"));
        let key = match rest.strip_prefix("o/") {
            Some(key) => Some(decoded(key)?).filter(|key| !key.is_empty()),
            None if rest == "o" => None,
            None => return Some(Place::Project(vec![decoded(rest)?])),
        };
        return Some(Place::Firebase { bucket: decoded(bucket)?, key });
    }
    let upload = ["/upload/storage/v1/", "/resumable/upload/storage/v1/", "/upload/"].iter().find_map(|prefix| path.strip_prefix(prefix));
    let download = ["/download/storage/v1/", "/download/"].iter().find_map(|prefix| path.strip_prefix(prefix));
    let api = upload.or(download).or_else(|| path.strip_prefix("/storage/v1/")).unwrap_or_else(|| path.trim_start_matches('/'));
    let segments: Vec<String> = api.trim_end_matches('/').split('/').map(decoded).collect::<Option<_>>()?;
    let bare = path.trim_start_matches('/') == api;
    let texts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let found = match texts.as_slice() {
        ["b"] => Place::Buckets,
        ["b", bucket] => Place::Bucket((*bucket).to_owned()),
        ["b", bucket, "o"] if upload.is_some() => Place::Upload((*bucket).to_owned()),
        ["b", bucket, "o"] => Place::Objects((*bucket).to_owned()),
        ["b", bucket, "o", key] if download.is_some() => Place::Download((*bucket).to_owned(), (*key).to_owned()),
        ["b", bucket, "o", key] => Place::Object((*bucket).to_owned(), (*key).to_owned()),
        ["b", bucket, "o", key, rest @ ..] => Place::OfObject((*bucket).to_owned(), (*key).to_owned(), owned(rest)),
        ["b", bucket, rest @ ..] => Place::OfBucket((*bucket).to_owned(), owned(rest)),
        ["projects", rest @ ..] => Place::Project(owned(rest)),
        _ if bare => {
            let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
            Place::Plain { bucket: decoded(bucket)?, key: decoded(key)? }
        }
        _ => return None,
    };
    Some(found)
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_they_ask_for() {
        let text = |text: &str| text.to_owned();
        for (path, wanted) in [
            ("/", Some(Place::Root)),
            ("/v0/b/p.appspot.com/o", Some(Place::Firebase { bucket: text("p.appspot.com"), key: None })),
            ("/v0/b/p.appspot.com/o/a%2Fb%20c.png", Some(Place::Firebase { bucket: text("p.appspot.com"), key: Some(text("a/b c.png")) })),
            ("/v0/b/p.appspot.com/o/a/b.png", Some(Place::Firebase { bucket: text("p.appspot.com"), key: Some(text("a/b.png")) })),
            ("/b", Some(Place::Buckets)),
            ("/storage/v1/b/photos", Some(Place::Bucket(text("photos")))),
            ("/b/photos/o", Some(Place::Objects(text("photos")))),
            ("/storage/v1/b/photos/o/a%2Fb", Some(Place::Object(text("photos"), text("a/b")))),
            ("/download/storage/v1/b/photos/o/a%2Fb", Some(Place::Download(text("photos"), text("a/b")))),
            ("/upload/storage/v1/b/photos/o", Some(Place::Upload(text("photos")))),
            (
                "/b/photos/o/a%2Fb/rewriteTo/b/other/o/c%2Fd",
                Some(Place::OfObject(text("photos"), text("a/b"), ["rewriteTo", "b", "other", "o", "c/d"].map(text).into())),
            ),
            ("/b/photos/iam/testPermissions", Some(Place::OfBucket(text("photos"), vec![text("iam"), text("testPermissions")]))),
            ("/projects/p/serviceAccount", Some(Place::Project(vec![text("p"), text("serviceAccount")]))),
            ("/photos/a/b%20c.png", Some(Place::Plain { bucket: text("photos"), key: text("a/b c.png") })),
            ("/photos", Some(Place::Plain { bucket: text("photos"), key: String::new() })),
            ("/photos/%ff", None),
            ("/storage/v1/what", None),
        ] {
            assert_eq!(place(path), wanted, "{path}");
        }
    }
}
