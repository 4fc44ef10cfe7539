//! The hub of the Firebase emulators: where tools ask which services there are. On the port of the admin API.

use std::path::PathBuf;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::wire::http::{Request, Response, header, json as answer};

/// The version of the Firebase CLI whose hub this is like: its tools refuse one of another major version.
pub const VERSION: &str = "15.28.1";

/// What the hub can ask of the project that it is of.
pub trait Hub: Send + Sync + 'static {
    /// Addresses (`host:port`) of the services, by name; nothing where the project is not Firebase's.
    fn services(&self) -> Option<Vec<(&'static str, std::net::SocketAddr)>>;
    /// Lets events call functions, or not.
    fn set_background_triggers(&self, enabled: bool);
}

/// Answers a request if it is one of the hub's.
pub fn handle(hub: &dyn Hub, request: &Request) -> Option<Response> {
    let services = hub.services()?;
    let origins = || services.iter().filter(|(name, _)| *name == "hub").map(|(_, address)| format!("http://{address}")).collect::<Vec<_>>();
    let mut response = match (request.method(), request.uri().path()) {
        (&Method::GET, "/") => answer(StatusCode::OK, &json!({ "version": VERSION, "origins": origins(), "pid": std::process::id() })),
        (&Method::GET, "/emulators") => answer(StatusCode::OK, &emulators(&services)),
        (&Method::PUT, "/functions/disableBackgroundTriggers") => {
            hub.set_background_triggers(false);
            answer(StatusCode::OK, &json!({ "enabled": false }))
        }
        (&Method::PUT, "/functions/enableBackgroundTriggers") => {
            hub.set_background_triggers(true);
            answer(StatusCode::OK, &json!({ "enabled": true }))
        }
        (&Method::POST, "/dataconnect/clearData") => answer(StatusCode::OK, &json!({ "success": true })),
        _ => return None,
    };
    // The guard has let in pages of this machine only.
    if let Some(origin) = request.headers().get(http::header::ORIGIN) {
        response.headers_mut().insert(http::header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    }
    Some(response)
}

fn emulators(services: &[(&'static str, std::net::SocketAddr)]) -> Value {
    let one = |(name, address): &(&'static str, std::net::SocketAddr)| {
        let (host, port) = (address.ip().to_string(), address.port());
        let family = if address.is_ipv4() { "IPv4" } else { "IPv6" };
        let listen = json!([{ "address": host, "family": family, "port": port }]);
        ((*name).to_owned(), json!({ "name": name, "host": host, "port": port, "listen": listen }))
    };
    Value::Object(services.iter().map(one).collect::<Map<_, _>>())
}

/// The folder that `firebase emulators:export` asks for; `None` where a request is none of its own. No page may write files.
pub fn export(method: &Method, path: &str, headers: &http::HeaderMap, body: &[u8]) -> Option<Result<PathBuf, Box<Response>>> {
    if (method, path) != (&Method::POST, "/_admin/export") {
        return None;
    }
    let refused = |status, message: &str| Some(Err(Box::new(answer(status, &json!({ "message": message })))));
    if header(headers, "origin").is_some() {
        return refused(StatusCode::FORBIDDEN, "Export cannot be triggered by external callers.");
    }
    let asked: Value = serde_json::from_slice(body).unwrap_or_default();
    match asked["path"].as_str().map(PathBuf::from).filter(|path| path.is_absolute()) {
        Some(path) => Some(Ok(path)),
        None => refused(StatusCode::BAD_REQUEST, "Export request body must include 'path', which begins at the root."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http::Body;

    struct Fake(std::sync::Mutex<Option<bool>>);

    impl Hub for Fake {
        fn services(&self) -> Option<Vec<(&'static str, std::net::SocketAddr)>> {
            Some(vec![("hub", "127.0.0.1:4400".parse().ok()?), ("auth", "127.0.0.1:9099".parse().ok()?)])
        }

        fn set_background_triggers(&self, enabled: bool) {
            *self.0.lock().expect("no panics") = Some(enabled);
        }
    }

    #[tokio::test]
    async fn tools_learn_of_the_services() {
        let hub = Fake(std::sync::Mutex::default());
        let ask = async |method: &str, path: &str, origin: Option<&str>| {
            let mut request = http::Request::builder().method(method).uri(path);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let response = handle(&hub, &request.body(Body::empty()).expect("a request"))?;
            let status = response.status().as_u16();
            let body = response.into_body().collect(1 << 16).await.expect("a body");
            Some(format!("{status} {}", String::from_utf8_lossy(&body)))
        };
        let emulators = ask("GET", "/emulators", None).await.expect("the hub's");
        let auth =
            r#""auth":{"name":"auth","host":"127.0.0.1","port":9099,"listen":[{"address":"127.0.0.1","family":"IPv4","port":9099}]}"#;
        assert!(emulators.starts_with("200 ") && emulators.contains(auth), "{emulators}");
        assert!(ask("GET", "/", None).await.expect("the hub's").contains(r#""origins":["http://127.0.0.1:4400"]"#));
        assert_eq!(ask("PUT", "/functions/disableBackgroundTriggers", None).await.as_deref(), Some(r#"200 {"enabled":false}"#));
        assert_eq!(*hub.0.lock().expect("no panics"), Some(false));
        let asked = |origin: Option<&'static str>, body: &str| {
            let mut headers = http::HeaderMap::new();
            headers.extend(origin.map(|origin| (http::header::ORIGIN, http::HeaderValue::from_static(origin))));
            let export = export(&Method::POST, "/_admin/export", &headers, body.as_bytes()).expect("the hub's");
            export.map_err(|refused| refused.status().as_u16())
        };
        assert_eq!(asked(Some("http://localhost"), r#"{"path":"/tmp/a"}"#), Err(403));
        assert_eq!(asked(None, r#"{"path":"a"}"#), Err(400));
        assert_eq!(asked(None, r#"{"path":"/tmp/a","initiatedBy":"x"}"#), Ok(PathBuf::from("/tmp/a")));
        assert_eq!(ask("GET", "/emu/v1/health", None).await, None);
    }
}
