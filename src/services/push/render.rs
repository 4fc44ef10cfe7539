//! What a device shows of a message: what is said for its kind takes the place of what is said for all. Source: "Customize a message
//! across platforms" and the reference of `projects.messages`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::model::Platform;

/// A message as a device of one kind gets it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rendered {
    pub platform: Platform,
    /// Nothing where the message only has data, which the app gets without anything being shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[serde(default)]
    pub data: Map<String, Value>,
    /// What else is said for this kind: `sound`, `badge`, `icon`, `priority`, `link`, …
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[serde(default)]
    pub options: Map<String, Value>,
}

/// The message for each kind of device.
pub fn render(message: &Map<String, Value>) -> Vec<Rendered> {
    vec![android(message), apns(message), webpush(message)]
}

fn map<'a>(message: &'a Map<String, Value>, path: &[&str]) -> Option<&'a Map<String, Value>> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(message.get(*first)?, |value, name| value.get(*name))?.as_object()
}

fn text(map: Option<&Map<String, Value>>, name: &str) -> Option<String> {
    map?.get(name)?.as_str().map(str::to_owned)
}

fn data(message: &Map<String, Value>, own: Option<&Map<String, Value>>) -> Map<String, Value> {
    // Data for a kind takes the place of all data for everybody.
    own.or_else(|| map(message, &["data"])).cloned().unwrap_or_default()
}

fn others(from: Option<&Map<String, Value>>, known: &[&str]) -> Map<String, Value> {
    let all = from.into_iter().flatten().filter(|(name, _)| !known.contains(&name.as_str()));
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn android(message: &Map<String, Value>) -> Rendered {
    let (common, own) = (map(message, &["notification"]), map(message, &["android", "notification"]));
    let mut options = others(own, &["title", "body", "image"]);
    options.extend(others(map(message, &["android"]), &["notification", "data"]));
    Rendered {
        platform: Platform::Android,
        title: text(own, "title").or_else(|| text(common, "title")),
        body: text(own, "body").or_else(|| text(common, "body")),
        image: text(own, "image").or_else(|| text(common, "image")),
        data: data(message, map(message, &["android", "data"])),
        options,
    }
}

fn apns(message: &Map<String, Value>) -> Rendered {
    let (common, aps) = (map(message, &["notification"]), map(message, &["apns", "payload", "aps"]));
    let alert = aps.and_then(|aps| aps.get("alert"));
    // An alert may be a text only.
    let plain = alert.and_then(Value::as_str).map(str::to_owned);
    let alert = alert.and_then(Value::as_object);
    let mut options = others(aps, &["alert"]);
    options.extend(others(alert, &["title", "body"]));
    if let Some(headers) = map(message, &["apns", "headers"]) {
        options.insert("headers".to_owned(), Value::Object(headers.clone()));
    }
    let mut data = data(message, None);
    // Beside `aps` stands the app's own.
    data.extend(others(map(message, &["apns", "payload"]), &["aps"]));
    Rendered {
        platform: Platform::Apns,
        title: text(alert, "title").or_else(|| text(common, "title").filter(|_| plain.is_none())),
        body: text(alert, "body").or(plain).or_else(|| text(common, "body")),
        image: text(map(message, &["apns", "fcm_options"]), "image").or_else(|| text(common, "image")),
        data,
        options,
    }
}

fn webpush(message: &Map<String, Value>) -> Rendered {
    let (common, own) = (map(message, &["notification"]), map(message, &["webpush", "notification"]));
    let mut options = others(own, &["title", "body", "image", "data"]);
    if let Some(link) = text(map(message, &["webpush", "fcm_options"]), "link") {
        options.insert("link".to_owned(), Value::String(link));
    }
    if let Some(headers) = map(message, &["webpush", "headers"]) {
        options.insert("headers".to_owned(), Value::Object(headers.clone()));
    }
    Rendered {
        platform: Platform::Webpush,
        title: text(own, "title").or_else(|| text(common, "title")),
        body: text(own, "body").or_else(|| text(common, "body")),
        image: text(own, "image").or_else(|| text(common, "image")),
        data: data(message, map(message, &["webpush", "data"])),
        options,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_said_for_a_kind_takes_the_place_of_what_is_said_for_all() {
        let message = json!({
            "notification": { "title": "T", "body": "B", "image": "i.png" },
            "data": { "a": "1" },
            "android": { "priority": "high", "notification": { "title": "Droid", "color": "#fff" }, "data": { "b": "2" } },
            "apns": { "payload": { "aps": { "alert": { "body": "Apple" }, "badge": 3 }, "own": "x" }, "headers": { "apns-priority": "5" } },
            "webpush": { "notification": { "icon": "w.png" }, "fcm_options": { "link": "https://example.com" } },
        });
        let message = message.as_object().expect("a map");
        let shown: Vec<Value> = render(message).iter().map(|one| serde_json::to_value(one).expect("plain data")).collect();
        let android = json!({ "platform": "android", "title": "Droid", "body": "B", "image": "i.png", "data": { "b": "2" }, "options": { "color": "#fff", "priority": "high" } });
        let apns = json!({ "platform": "apns", "title": "T", "body": "Apple", "image": "i.png", "data": { "a": "1", "own": "x" }, "options": { "badge": 3, "headers": { "apns-priority": "5" } } });
        let webpush = json!({ "platform": "webpush", "title": "T", "body": "B", "image": "i.png", "data": { "a": "1" }, "options": { "icon": "w.png", "link": "https://example.com" } });
        assert_eq!(shown, [android, apns, webpush]);
        let plain = json!({ "apns": { "payload": { "aps": { "alert": "only text" } } }, "notification": { "title": "T" } });
        let apple = &render(plain.as_object().expect("a map"))[1];
        assert_eq!((apple.title.as_deref(), apple.body.as_deref()), (None, Some("only text")));
        let silent = json!({ "data": { "a": "1" } });
        assert!(render(silent.as_object().expect("a map")).iter().all(|one| one.title.is_none() && one.data.len() == 1));
    }
}
