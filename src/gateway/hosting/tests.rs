use serde_json::json;

use super::*;
use crate::project::firebase::{HeaderRule, Pattern};

fn hosting(folder: &Path) -> Hosting {
    std::fs::create_dir_all(folder.join("public")).expect("a folder");
    for (name, text) in [
        ("index.html", "<!doctype html><html><HEAD lang=en><title>x</title></head><body>hi</body></html>"),
        ("bare.html", "<p>no head"),
        ("app.js", "1"),
        ("404.html", "<p>nothing here"),
        (".env", "SECRET=1"),
    ] {
        std::fs::write(folder.join("public").join(name), text).expect("a file");
    }
    std::fs::write(folder.join("big.bin"), vec![7; (WHOLE_BYTES_MAX + 5) as usize]).expect("a file");
    std::fs::rename(folder.join("big.bin"), folder.join("public/big.bin")).expect("a file");
    let site = Site {
        names: vec!["main".into()],
        public: "public".into(),
        ignore: Vec::new(),
        clean_urls: false,
        trailing_slash: None,
        redirects: Vec::new(),
        rewrites: Vec::new(),
        headers: vec![HeaderRule { from: Pattern::Glob("**/*.js".into()), headers: vec![("X-Js".into(), "yes".into())] }],
    };
    let other = Site { names: vec!["other".into()], public: "other".into(), ..site.clone() };
    let start = Start { config: json!({ "projectId": "p" }), defaults: json!({ "config": { "projectId": "</script>" } }) };
    Hosting::new(folder.to_owned(), &[site, other], start)
}

async fn get(hosting: &Hosting, path: &str, headers: &[(&str, &str)]) -> (u16, HeaderMap, String) {
    let mut request = http::Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = hosting.handle(&Call::operator(), request.body(Body::empty()).expect("a request")).await.into_parts();
    let bytes = body.collect(4 << 20).await.expect("a body");
    (parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn pages_are_told_where_the_services_are_before_their_scripts_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let hosting = hosting(folder.path());
    let (status, headers, page) = get(&hosting, "/", &[]).await;
    let tag = r#"<HEAD lang=en><script>globalThis.__FIREBASE_DEFAULTS__ ??= {"config":{"projectId":"\u003c/script>"}}</script><title>"#;
    assert!(status == 200 && page.contains(tag), "{page}");
    let etag = headers["etag"].to_str().expect("a tag").to_owned();
    assert_eq!(get(&hosting, "/", &[("if-none-match", &etag)]).await.0, 304);
    assert_eq!(get(&hosting, "/bare.html", &[]).await.2, "<p>no head");
    assert_eq!(get(&hosting, "/__/firebase/init.json", &[]).await.2, r#"{"projectId":"p"}"#);
    let script = get(&hosting, "/__/firebase/init.js", &[]).await.2;
    assert!(script.contains(r#"const config = {"projectId":"p"}"#) && !script.contains("</script>"), "{script}");
    let sdk = get(&hosting, "/__/firebase/12.0.0/firebase-app.js", &[]).await;
    assert_eq!((sdk.0, sdk.1["location"].to_str().ok()), (302, Some("https://www.gstatic.com/firebasejs/12.0.0/firebase-app.js")));
}

#[tokio::test]
async fn files_are_served_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let hosting = hosting(folder.path());
    std::fs::write(folder.path().join("outside.txt"), "out").expect("a file");
    let (status, headers, text) = get(&hosting, "/app.js", &[]).await;
    assert_eq!((status, text.as_str(), headers["x-js"].to_str().ok()), (200, "1", Some("yes")));
    assert!(headers["content-type"].to_str().is_ok_and(|kind| kind.starts_with("text/javascript")));
    assert_eq!(get(&hosting, "/big.bin", &[]).await.2.len() as u64, WHOLE_BYTES_MAX + 5);
    for (path, wanted) in [("/.env", 404), ("/../outside.txt", 400), ("/%2e%2e/outside.txt", 400), ("/a%5c..%5cb", 400), ("/none", 404)] {
        let (status, _, text) = get(&hosting, path, &[]).await;
        assert!(status == wanted && !text.contains("SECRET") && text != "out", "{path}: {status} {text}");
    }
    assert_eq!(get(&hosting, "/none", &[]).await.2, "<p>nothing here");
    assert!(get(&hosting, "/", &[("host", "other.localhost:5000")]).await.2.contains("There is no / in other."));
}
