//! The metadata server, where code in Google's cloud learns where it runs and gets the tokens of its service account. Facts: "About VM
//! metadata", "Container instance metadata server" of Cloud Run, and what `gcp-metadata` asks for.

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

use super::{TOKEN_SECONDS, access_token};
use crate::base::Time;
use crate::services::auth::token::unsigned;
use crate::wire::firebase::PROJECT_NUMBER;
use crate::wire::http::{Body, Response, json as answer};

/// What every path begins with.
pub const ROOT: &str = "/computeMetadata/v1";
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
const GOOGLE: HeaderValue = HeaderValue::from_static("Google");
const REGION: &str = "us-central1";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Answers a question about the project. `path` is what follows [`ROOT`].
pub fn serve(project_id: &str, now: Time, parts: &Parts, path: &str) -> Response {
    let mut response = if asks_rightly(&parts.headers) {
        look_up(project_id, now, path.trim_matches('/'), parts.uri.query().unwrap_or_default())
    } else {
        text(StatusCode::FORBIDDEN, "Missing Metadata-Flavor:Google header.".to_owned())
    };
    response.headers_mut().insert(FLAVOR, GOOGLE);
    response
}

/// A browser or a tricked program does not send this header.
fn asks_rightly(headers: &HeaderMap) -> bool {
    headers.get(FLAVOR).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(GOOGLE.as_bytes()))
}

fn look_up(project_id: &str, now: Time, path: &str, query: &str) -> Response {
    let email = format!("{project_id}@appspot.gserviceaccount.com");
    let accounts = "instance/service-accounts";
    let (account, attribute) = match path.strip_prefix(accounts).map(|rest| rest.trim_start_matches('/')) {
        Some("") => return text(StatusCode::OK, format!("default/\n{email}/\n")),
        Some(rest) => rest.split_once('/').unwrap_or((rest, "")),
        None => return value(project_id, path),
    };
    if account != "default" && account != email {
        return text(StatusCode::NOT_FOUND, format!("service account {account} not found"));
    }
    let parameter = |wanted: &str| url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == wanted).map(|(_, value)| value);
    match attribute {
        "" if parameter("recursive").is_some_and(|value| value.eq_ignore_ascii_case("true")) => {
            answer(StatusCode::OK, &json!({ "aliases": ["default"], "email": email, "scopes": [SCOPE] }))
        }
        "" => text(StatusCode::OK, "aliases\nemail\nidentity\nscopes\ntoken\n".to_owned()),
        "aliases" => text(StatusCode::OK, "default\n".to_owned()),
        "email" => text(StatusCode::OK, email),
        "scopes" => text(StatusCode::OK, format!("{SCOPE}\n")),
        "token" => answer(StatusCode::OK, &access_token()),
        "identity" => match parameter("audience").filter(|audience| !audience.is_empty()) {
            Some(audience) => text(StatusCode::OK, identity(&email, &audience, now)),
            None => text(StatusCode::BAD_REQUEST, "non-empty audience parameter required".to_owned()),
        },
        other => text(StatusCode::NOT_FOUND, format!("{other} is not an attribute of a service account")),
    }
}

fn value(project_id: &str, path: &str) -> Response {
    let found = match path {
        "" => "instance/\nproject/\nuniverse/\n".to_owned(),
        "instance" => "id\nregion\nservice-accounts/\nzone\n".to_owned(),
        "instance/id" => "0".repeat(16),
        "instance/region" => format!("projects/{PROJECT_NUMBER}/regions/{REGION}"),
        "instance/zone" => format!("projects/{PROJECT_NUMBER}/zones/{REGION}-1"),
        "project" => "numeric-project-id\nproject-id\n".to_owned(),
        "project/project-id" => project_id.to_owned(),
        "project/numeric-project-id" => PROJECT_NUMBER.to_owned(),
        "universe/universe-domain" | "universe/universe_domain" => "googleapis.com".to_owned(),
        other => {
            return text(StatusCode::NOT_FOUND, format!("emu's metadata server has no {}", other.chars().take(200).collect::<String>()));
        }
    };
    text(StatusCode::OK, found)
}

/// A token that says who asks, for another service; nobody has signed it.
fn identity(email: &str, audience: &str, now: Time) -> String {
    let seconds = now.0 / 1_000;
    let claims: [(&str, Value); 8] = [
        ("aud", json!(audience)),
        ("azp", json!(email)),
        ("email", json!(email)),
        ("email_verified", json!(true)),
        ("exp", json!(seconds + i64::from(TOKEN_SECONDS))),
        ("iat", json!(seconds)),
        ("iss", json!("https://accounts.google.com")),
        ("sub", json!(email)),
    ];
    unsigned(&claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

fn text(status: StatusCode, text: String) -> Response {
    let mut response = http::Response::new(Body::from(text));
    *response.status_mut() = status;
    response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/text"));
    response
}
