//! Firebase Authentication: the Identity Toolkit and Secure Token APIs, as web, mobile and admin SDKs call them.

use futures_util::future::BoxFuture;
use http::StatusCode;
use serde_json::json;

use super::Wire;
use crate::base::Call;
use crate::wire::http::{Request, Response, json as answer};

/// The wire of one project.
pub struct Auth {
    project_id: String,
}

impl Auth {
    pub fn new(project_id: &str) -> Auth {
        Auth { project_id: project_id.to_owned() }
    }
}

impl Wire for Auth {
    fn handle<'a>(&'a self, _call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            match request.uri().path() {
                "/" => answer(StatusCode::OK, &json!({ "authEmulator": { "ready": true, "projectId": self.project_id } })),
                _ => answer(StatusCode::NOT_FOUND, &json!({ "error": { "code": 404, "message": "Not Found" } })),
            }
        })
    }
}
