//! REST: the same calls with JSON. Source: the HTTP bindings of `google/pubsub/v1/pubsub.proto`.

use http::{Method, Uri};

use super::proto::*;
use super::{PubsubWire, SERVICE};
use crate::base::Call;
use crate::wire::firebase::rpc::{Code, Failure, json};
use crate::wire::http::{Body, Description, Request, Response};

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Root,
    /// The topics, subscriptions or snapshots of a project, or the subscriptions or snapshots of a topic.
    List {
        of: String,
        what: &'static str,
    },
    Topic(String),
    Subscription(String),
    /// A call that is named after a colon, of what is before it.
    Verb {
        of: String,
        verb: String,
    },
}

impl PubsubWire {
    pub(super) async fn rest(&self, call: &Call, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let (action, response) = match place(&parts.uri) {
            Some(place) => self.answer(call, &parts.method, place, &parts.uri, body).await,
            None => ("?", json::refused(&nothing_at(&parts.uri), false)),
        };
        Description::new(SERVICE, action).attach(response)
    }

    async fn answer(&self, call: &Call, method: &Method, place: Place, uri: &Uri, body: Body) -> (&'static str, Response) {
        /// Makes a call with a request, if that could be read.
        macro_rules! call {
            ($name:literal, $operation:ident, $request:expr) => {
                match $request {
                    Ok(request) => ($name, json::unary(self.$operation(call, request).await)),
                    Err(failure) => ($name, json::refused(&failure, false)),
                }
            };
        }
        let named = |name: String| Ok::<_, Failure>(Named { name });
        match (method.as_str(), place) {
            ("GET", Place::Root) => ("Root", http::Response::new(Body::from("Ok\n"))),
            ("GET", Place::List { of, what: "topics" }) => call!("ListTopics", list_topics, listed(of, uri)),
            ("GET", Place::List { of, what: "snapshots" }) if of.contains("/topics/") => {
                call!("ListTopicSnapshots", list_topic_snapshots, listed(of, uri))
            }
            ("GET", Place::List { of, what: "snapshots" }) => call!("ListSnapshots", list_snapshots, listed(of, uri)),
            ("GET", Place::List { of, .. }) if of.contains("/topics/") => {
                call!("ListTopicSubscriptions", list_topic_subscriptions, listed(of, uri))
            }
            ("GET", Place::List { of, .. }) => call!("ListSubscriptions", list_subscriptions, listed(of, uri)),
            ("PUT", Place::Topic(name)) => {
                call!("CreateTopic", create_topic, json::read::<Topic>(body).await.map(|topic| Topic { name, ..topic }))
            }
            ("GET", Place::Topic(name)) => call!("GetTopic", get_topic, named(name)),
            ("PATCH", Place::Topic(name)) => {
                let request = json::read::<UpdateTopicRequest>(body).await.map(|mut request| {
                    request.topic.get_or_insert_default().name = name;
                    request
                });
                call!("UpdateTopic", update_topic, request)
            }
            ("DELETE", Place::Topic(name)) => call!("DeleteTopic", delete_topic, named(name)),
            ("PUT", Place::Subscription(name)) => {
                let request = json::read::<Subscription>(body).await.map(|subscription| Subscription { name, ..subscription });
                call!("CreateSubscription", create_subscription, request)
            }
            ("GET", Place::Subscription(name)) => call!("GetSubscription", get_subscription, named(name)),
            ("PATCH", Place::Subscription(name)) => {
                let request = json::read::<UpdateSubscriptionRequest>(body).await.map(|mut request| {
                    request.subscription.get_or_insert_default().name = name;
                    request
                });
                call!("UpdateSubscription", update_subscription, request)
            }
            ("DELETE", Place::Subscription(name)) => call!("DeleteSubscription", delete_subscription, named(name)),
            ("POST", Place::Verb { of, verb }) => match verb.as_str() {
                "publish" => {
                    call!("Publish", publish, json::read(body).await.map(|request| PublishRequest { topic: of, ..request }))
                }
                "pull" => call!("Pull", pull, json::read(body).await.map(|request| PullRequest { subscription: of, ..request })),
                "acknowledge" => {
                    let request = json::read(body).await.map(|request| AcknowledgeRequest { subscription: of, ..request });
                    call!("Acknowledge", acknowledge, request)
                }
                "modifyAckDeadline" => {
                    let request = json::read(body).await.map(|request| ModifyAckDeadlineRequest { subscription: of, ..request });
                    call!("ModifyAckDeadline", modify_ack_deadline, request)
                }
                "modifyPushConfig" => {
                    let request = json::read(body).await.map(|request| ModifyPushConfigRequest { subscription: of, ..request });
                    call!("ModifyPushConfig", modify_push_config, request)
                }
                "seek" => call!("Seek", seek, json::read(body).await.map(|request| SeekRequest { subscription: of, ..request })),
                "detach" => call!("DetachSubscription", detach_subscription, named(of)),
                "testIamPermissions" => call!("TestIamPermissions", test_iam_permissions, json::read(body).await),
                _ => ("?", json::refused(&nothing_at(uri), false)),
            },
            _ => ("?", json::refused(&nothing_at(uri), false)),
        }
    }
}

fn nothing_at(uri: &Uri) -> Failure {
    let path: String = uri.path().chars().take(200).collect();
    Failure::new(Code::NotFound, format!("There is nothing of Pub/Sub at {path} for this method."))
}

fn listed(of: String, uri: &Uri) -> Result<Listed, Failure> {
    let mut listed = Listed { of, ..Listed::default() };
    for (name, value) in url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
        match &*name {
            "pageSize" => {
                let wrong = |_| {
                    Failure::invalid(format!(
                        "Invalid value at 'pageSize' (TYPE_INT32), \"{}\"",
                        value.chars().take(50).collect::<String>()
                    ))
                };
                listed.page_size = value.parse().map_err(wrong)?;
            }
            "pageToken" => listed.page_token = value.into_owned(),
            _ => {}
        }
    }
    Ok(listed)
}

/// What a path asks for.
fn place(uri: &Uri) -> Option<Place> {
    if uri.path() == "/" {
        return Some(Place::Root);
    }
    let path = percent_encoding::percent_decode_str(uri.path().strip_prefix("/v1/")?).decode_utf8().ok()?.into_owned();
    if let Some((of, verb)) = path.rsplit_once(':') {
        return Some(Place::Verb { of: of.to_owned(), verb: verb.to_owned() });
    }
    let list = |of: &str, what: &str| {
        let what = ["topics", "subscriptions", "snapshots"].into_iter().find(|known| *known == what)?;
        Some(Place::List { of: of.to_owned(), what })
    };
    match path.split('/').collect::<Vec<_>>()[..] {
        ["projects", project, what] => list(&format!("projects/{project}"), what),
        ["projects", _, "topics", _] => Some(Place::Topic(path)),
        ["projects", _, "subscriptions", _] => Some(Place::Subscription(path)),
        ["projects", project, "topics", topic, what] if what != "topics" => list(&format!("projects/{project}/topics/{topic}"), what),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_they_ask_for() {
        let check = |path: &str, wanted: Option<Place>| {
            assert_eq!(place(&path.parse().expect("a path")), wanted, "{path}");
        };
        check("/", Some(Place::Root));
        check("/v1/projects/p/topics", Some(Place::List { of: "projects/p".into(), what: "topics" }));
        check("/v1/projects/p/snapshots", Some(Place::List { of: "projects/p".into(), what: "snapshots" }));
        check("/v1/projects/p/topics/t", Some(Place::Topic("projects/p/topics/t".into())));
        check("/v1/projects/p/topics/t/subscriptions", Some(Place::List { of: "projects/p/topics/t".into(), what: "subscriptions" }));
        check("/v1/projects/p/topics/t:publish", Some(Place::Verb { of: "projects/p/topics/t".into(), verb: "publish".into() }));
        check("/v1/projects/p/subscriptions/a%2Bb", Some(Place::Subscription("projects/p/subscriptions/a+b".into())));
        check("/v1/projects/p/topics/t/topics", None);
        check("/v1/projects/p", None);
        check("/v2/projects/p/topics/t", None);
    }
}
