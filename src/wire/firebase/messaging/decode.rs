//! A message as HTTP v1 has it, looked through as the service does: unknown fields, wrong types, reserved names.

use serde_json::{Map, Value};

use super::fail::Failure;
use crate::services::push::{self, Draft, Target};

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Truth,
    Number,
    /// `3.5s`
    Duration,
    /// Names and texts.
    Texts,
    Choice(&'static [&'static str]),
    /// Anything.
    Any,
    Several(&'static Kind),
    Message(&'static [(&'static str, Kind)]),
}

const FCM_OPTIONS: &[(&str, Kind)] = &[("analytics_label", Kind::Text)];
const NOTIFICATION: &[(&str, Kind)] = &[("title", Kind::Text), ("body", Kind::Text), ("image", Kind::Text)];
const PRIORITIES: &[&str] = &["PRIORITY_UNSPECIFIED", "PRIORITY_MIN", "PRIORITY_LOW", "PRIORITY_DEFAULT", "PRIORITY_HIGH", "PRIORITY_MAX"];
const COLOR: &[(&str, Kind)] = &[("red", Kind::Number), ("green", Kind::Number), ("blue", Kind::Number), ("alpha", Kind::Number)];
const LIGHT: &[(&str, Kind)] =
    &[("color", Kind::Message(COLOR)), ("light_on_duration", Kind::Duration), ("light_off_duration", Kind::Duration)];
const ANDROID_NOTIFICATION: &[(&str, Kind)] = &[
    ("title", Kind::Text),
    ("body", Kind::Text),
    ("icon", Kind::Text),
    ("color", Kind::Text),
    ("sound", Kind::Text),
    ("tag", Kind::Text),
    ("click_action", Kind::Text),
    ("body_loc_key", Kind::Text),
    ("body_loc_args", Kind::Several(&Kind::Text)),
    ("title_loc_key", Kind::Text),
    ("title_loc_args", Kind::Several(&Kind::Text)),
    ("channel_id", Kind::Text),
    ("ticker", Kind::Text),
    ("sticky", Kind::Truth),
    ("event_time", Kind::Text),
    ("local_only", Kind::Truth),
    ("notification_priority", Kind::Choice(PRIORITIES)),
    ("default_sound", Kind::Truth),
    ("default_vibrate_timings", Kind::Truth),
    ("default_light_settings", Kind::Truth),
    ("vibrate_timings", Kind::Several(&Kind::Duration)),
    ("visibility", Kind::Choice(&["VISIBILITY_UNSPECIFIED", "PRIVATE", "PUBLIC", "SECRET"])),
    ("notification_count", Kind::Number),
    ("light_settings", Kind::Message(LIGHT)),
    ("image", Kind::Text),
    ("bypass_proxy_notification", Kind::Truth),
    ("proxy", Kind::Choice(&["PROXY_UNSPECIFIED", "ALLOW", "DENY", "IF_PRIORITY_LOWERED"])),
];
const ANDROID: &[(&str, Kind)] = &[
    ("collapse_key", Kind::Text),
    ("priority", Kind::Choice(&["NORMAL", "HIGH", "normal", "high"])),
    ("ttl", Kind::Duration),
    ("restricted_package_name", Kind::Text),
    ("data", Kind::Texts),
    ("notification", Kind::Message(ANDROID_NOTIFICATION)),
    ("fcm_options", Kind::Message(FCM_OPTIONS)),
    ("direct_boot_ok", Kind::Truth),
    ("bandwidth_constrained_ok", Kind::Truth),
    ("restricted_satellite_ok", Kind::Truth),
];
const WEBPUSH: &[(&str, Kind)] = &[
    ("headers", Kind::Texts),
    ("data", Kind::Texts),
    ("notification", Kind::Any),
    ("fcm_options", Kind::Message(&[("link", Kind::Text), ("analytics_label", Kind::Text)])),
];
const APNS: &[(&str, Kind)] = &[
    ("headers", Kind::Texts),
    ("payload", Kind::Any),
    ("fcm_options", Kind::Message(&[("analytics_label", Kind::Text), ("image", Kind::Text)])),
    ("live_activity_token", Kind::Text),
];
const MESSAGE: &[(&str, Kind)] = &[
    ("name", Kind::Text),
    ("data", Kind::Texts),
    ("notification", Kind::Message(NOTIFICATION)),
    ("android", Kind::Message(ANDROID)),
    ("webpush", Kind::Message(WEBPUSH)),
    ("apns", Kind::Message(APNS)),
    ("fcm_options", Kind::Message(FCM_OPTIONS)),
    ("token", Kind::Text),
    ("fid", Kind::Text),
    ("topic", Kind::Text),
    ("condition", Kind::Text),
];
const SEND: &[(&str, Kind)] = &[("validate_only", Kind::Truth), ("message", Kind::Message(MESSAGE))];

/// Names in a message's data that are the service's own.
const RESERVED: [&str; 2] = ["from", "message_type"];
const RESERVED_PREFIXES: [&str; 2] = ["google.", "gcm."];

/// What is to be sent.
pub fn send(bytes: &[u8]) -> Result<Draft, Failure> {
    let document: Value = serde_json::from_slice(bytes)
        .map_err(|error| Failure::field("", format!("Invalid JSON payload received. Unable to parse: {error}")))?;
    let mut document = document;
    look_through(&mut document, SEND, "")?;
    let dry_run = document.get("validate_only").and_then(Value::as_bool).unwrap_or_default();
    let Some(Value::Object(mut message)) = document.get_mut("message").map(Value::take) else {
        return Err(push::Error::NoTarget.into());
    };
    let mut take = |name: &str| match message.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    };
    // The ID of an app's installation names a device just as the token of its registration does.
    let targets = [
        take("token").map(Target::Token),
        take("fid").map(Target::Token),
        take("topic").map(Target::Topic),
        take("condition").map(Target::Condition),
    ];
    let mut targets = targets.into_iter().flatten();
    let target = match (targets.next(), targets.next()) {
        (Some(target), None) => target,
        (None, _) => return Err(push::Error::NoTarget.into()),
        (Some(_), Some(_)) => {
            return Err(Failure::field(
                "message",
                "Invalid value at 'message' (oneof), oneof field 'target' is already set. Cannot set it twice.",
            ));
        }
    };
    for path in ["/data", "/android/data", "/webpush/data"] {
        check_names(path, &Value::Object(message.clone()))?;
    }
    Ok(Draft { target, message, dry_run })
}

fn check_names(path: &str, message: &Value) -> Result<(), Failure> {
    let names = message.pointer(path).and_then(Value::as_object).into_iter().flat_map(Map::keys);
    for name in names {
        if RESERVED.contains(&name.as_str()) || RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
            let name: String = name.chars().take(100).collect();
            return Err(Failure::invalid(format!("Invalid data payload key: {name}")));
        }
    }
    Ok(())
}

/// Looks through a message, and gives its fields the names that they have in documents of Google's APIs (`fcm_options`, not `fcmOptions`).
fn look_through(value: &mut Value, fields: &[(&str, Kind)], path: &str) -> Result<(), Failure> {
    let Value::Object(map) = value else {
        return Err(Failure::field(path, format!("Invalid value at '{path}', it is no message")));
    };
    let given = std::mem::take(map);
    for (name, mut value) in given {
        let own = snake(&name);
        let Some((_, kind)) = fields.iter().find(|(known, _)| *known == own) else {
            let name: String = name.chars().take(100).collect();
            let at = if path.is_empty() { String::new() } else { format!(" at '{path}'") };
            return Err(Failure::field(path, format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.")));
        };
        let at = if path.is_empty() { own.clone() } else { format!("{path}.{own}") };
        if value.is_null() {
            continue;
        }
        check(&mut value, *kind, &at)?;
        map.insert(own, value);
    }
    Ok(())
}

fn check(value: &mut Value, kind: Kind, path: &str) -> Result<(), Failure> {
    let shown: String = value.to_string().chars().take(100).collect();
    let wrong = |kind: &str| Err(Failure::field(path, format!("Invalid value at '{path}' ({kind}), {shown}")));
    match kind {
        Kind::Text if !value.is_string() => wrong("TYPE_STRING"),
        Kind::Truth if !value.is_boolean() => wrong("TYPE_BOOL"),
        Kind::Number if !value.is_number() => wrong("TYPE_INT32"),
        Kind::Duration => match value.as_str().and_then(|text| text.strip_suffix('s')).map(str::parse::<f64>) {
            Some(Ok(seconds)) if seconds.is_finite() => Ok(()),
            _ => {
                let field = path.rsplit('.').next().unwrap_or(path);
                let why = format!("Field '{field}', Illegal duration format; duration must end with 's'");
                Err(Failure::field(path, format!("Invalid value at '{path}' (type.googleapis.com/google.protobuf.Duration), {why}")))
            }
        },
        Kind::Texts => {
            let Some(map) = value.as_object() else { return wrong("map") };
            match map.values().enumerate().find(|(_, value)| !value.is_string()) {
                Some((index, value)) => {
                    let shown: String = value.to_string().chars().take(100).collect();
                    let at = format!("{path}[{index}].value");
                    Err(Failure::field(&at, format!("Invalid value at '{at}' (TYPE_STRING), {shown}")))
                }
                None => Ok(()),
            }
        }
        Kind::Choice(all) if !value.as_str().is_some_and(|text| all.contains(&text)) => wrong("TYPE_ENUM"),
        Kind::Several(kind) => {
            let Some(list) = value.as_array_mut() else { return wrong("TYPE_STRING") };
            list.iter_mut().enumerate().try_for_each(|(index, one)| check(one, *kind, &format!("{path}[{index}]")))
        }
        Kind::Message(fields) => look_through(value, fields, path),
        Kind::Text | Kind::Truth | Kind::Number | Kind::Choice(_) | Kind::Any => Ok(()),
    }
}

/// `allowMissing` as `allow_missing`.
pub fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            text.push('_');
        }
        text.push(letter.to_ascii_lowercase());
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_of_either_form_are_understood() {
        let text = json!({ "validateOnly": true, "message": { "topic": "t", "fcmOptions": { "analyticsLabel": "a" }, "android": { "collapseKey": "k", "ttl": "3.5s" } } });
        let draft = send(text.to_string().as_bytes()).expect("understood");
        let wanted = json!({ "fcm_options": { "analytics_label": "a" }, "android": { "collapse_key": "k", "ttl": "3.5s" } });
        assert_eq!((draft.target, Value::Object(draft.message), draft.dry_run), (Target::Topic("t".into()), wanted, true));
    }
}
