//! The topics of a device: `projects.registrations.topicSubscriptions`.

use std::collections::HashMap;

use http::request::Parts;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::fail::Failure;
use super::{Messaging, authorized, decode};
use crate::base::Call;
use crate::services::push::Subscription;
use crate::wire::http::{Response, json as answer};

/// Subscriptions of a page where the request does not say how many. The reference names no number.
const PAGE: usize = 100;
/// At most.
const PAGE_MAX: usize = 1_000;

/// How an operation is recorded.
pub fn action(method: &Method) -> &'static str {
    match *method {
        Method::POST | Method::PATCH => "topics.subscribe",
        Method::DELETE => "topics.unsubscribe",
        _ => "topics.read",
    }
}

impl Messaging {
    pub(super) async fn subscriptions(
        &self,
        call: &Call,
        parts: &Parts,
        project: &str,
        token: &str,
        topic: Option<&str>,
    ) -> Result<Response, Failure> {
        authorized(call)?;
        let query = parts.uri.query().unwrap_or_default();
        // Both forms of a name are understood: the reference has one, the SDK for Node the other.
        let query: HashMap<String, String> =
            url::form_urlencoded::parse(query.as_bytes()).map(|(name, value)| (decode::snake(&name), value.into_owned())).collect();
        let text = |name: &str| query.get(name).map_or("", String::as_str);
        let allows_missing = text("allow_missing") == "true";
        let refused = |permission: &str| match project == self.project_id {
            true => Ok(()),
            false => Err(Failure::other_project(&format!("topicSubscriptions.{permission}"), project, &self.project_id)),
        };
        let one = |subscription: &Subscription| Ok(answer(StatusCode::OK, &resource(project, token, subscription)));
        // The body of POST and PATCH is not looked at: of a subscription nothing is the caller's to say but its name.
        match (&parts.method, topic) {
            (&Method::POST, None) => {
                refused("create")?;
                match self.pushes.subscribe_one(call, text("topic_name"), token).await.map_err(Failure::of_subscription)? {
                    (subscription, true) => one(&subscription),
                    (_, false) => Err(Failure::exists()),
                }
            }
            (&Method::PATCH, Some(topic)) => {
                refused("update")?;
                if allows_missing {
                    let (subscription, _) = self.pushes.subscribe_one(call, topic, token).await.map_err(Failure::of_subscription)?;
                    return one(&subscription);
                }
                let found = self.pushes.subscription(call, topic, token).await.map_err(Failure::of_subscription)?;
                one(&found.ok_or_else(Failure::not_found)?)
            }
            (&Method::DELETE, Some(topic)) => {
                refused("delete")?;
                let results = self.pushes.subscribe(call, topic, vec![token.to_owned()], false).await.map_err(Failure::of_subscription)?;
                let was_there = results.into_iter().next().expect("one token, one answer").map_err(Failure::of_subscription)?;
                if was_there || allows_missing { Ok(answer(StatusCode::OK, &json!({}))) } else { Err(Failure::not_found()) }
            }
            (&Method::GET, Some(topic)) => {
                refused("get")?;
                let found = self.pushes.subscription(call, topic, token).await.map_err(Failure::of_subscription)?;
                one(&found.ok_or_else(Failure::not_found)?)
            }
            (&Method::GET, None) => {
                refused("list")?;
                let size = match text("page_size") {
                    "" => 0,
                    size => size.parse::<usize>().map_err(|_| Failure::field("page_size", "Invalid value at 'page_size' (TYPE_INT32)"))?,
                };
                let size = if size == 0 { PAGE } else { size.min(PAGE_MAX) };
                // One more than asked for tells whether there is a next page.
                let found = self.pushes.subscriptions(call, token, text("page_token"), size + 1).await.map_err(Failure::of_subscription)?;
                let page: Vec<Value> = found.iter().take(size).map(|one| resource(project, token, one)).collect();
                let mut all = json!({ "topicSubscriptions": page });
                if found.len() > size {
                    all["nextPageToken"] = json!(found[size - 1].topic);
                }
                Ok(answer(StatusCode::OK, &all))
            }
            (method, _) => Err(Failure::unknown(&format!("{method} {}", parts.uri.path()))),
        }
    }
}

fn resource(project: &str, token: &str, subscription: &Subscription) -> Value {
    let Subscription { topic, since } = subscription;
    let name = format!("projects/{project}/registrations/{token}/topicSubscriptions/{topic}");
    json!({ "name": name, "topicName": topic, "createTime": since.iso() })
}
