//! What becomes of a bucket's objects as they grow old: the document of `PutBucketLifecycleConfiguration`, and its form in templates.
//! Rules that move objects to other storage classes are kept and not carried out: there is one class here.

use http::StatusCode;
use s3s::dto::{BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration, LifecycleRule, Tag};
use s3s::xml::{Deserialize, Deserializer};
use serde_json::Value;

use super::conditions::time;
use super::encode::escape;
use super::fail::Failure;
use crate::services::objects::Tags;
use crate::services::objects::lifecycle::{Expire, Noncurrent, Rule};

/// Source: "PutBucketLifecycleConfiguration" of the API reference.
const RULES_MAX: usize = 1_000;
const ID_CHARS_MAX: usize = 255;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The rules of a document that are to be carried out: those that are not disabled.
pub fn read(document: &str) -> Result<Vec<Rule>, Failure> {
    let mut deserializer = Deserializer::new(document.as_bytes());
    let configuration = BucketLifecycleConfiguration::deserialize(&mut deserializer).map_err(|_| Failure::malformed_xml())?;
    let rules = configuration.rules;
    if rules.is_empty() || rules.len() > RULES_MAX {
        return Err(Failure::malformed_xml());
    }
    let mut ids: Vec<&str> = rules.iter().filter_map(|rule| rule.id.as_deref()).collect();
    if ids.iter().any(|id| id.chars().count() > ID_CHARS_MAX) {
        return Err(wrong("InvalidArgument", "ID length should not exceed allowed limit of 255"));
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(wrong("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule"));
    }
    let read = rules.iter().map(|rule| Ok((rule.status.as_str() == ExpirationStatus::ENABLED, self::rule(rule)?)));
    let read: Vec<(bool, Rule)> = read.collect::<Result<_, Failure>>()?;
    Ok(read.into_iter().filter(|(enabled, _)| *enabled).map(|(_, rule)| rule).collect())
}

fn wrong(code: &str, message: &str) -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, code, message)
}

fn rule(rule: &LifecycleRule) -> Result<Rule, Failure> {
    if ![ExpirationStatus::ENABLED, ExpirationStatus::DISABLED].contains(&rule.status.as_str()) {
        return Err(Failure::malformed_xml());
    }
    let mut read = filter(rule)?;
    read.expire = rule.expiration.as_ref().map(expire).transpose()?.flatten();
    read.noncurrent = match &rule.noncurrent_version_expiration {
        None => None,
        Some(noncurrent) => {
            let days = noncurrent.noncurrent_days.ok_or_else(Failure::malformed_xml)?;
            let keep = noncurrent.newer_noncurrent_versions.unwrap_or(0);
            let keep = u32::try_from(keep).ok().filter(|keep| *keep <= 100).ok_or_else(|| {
                wrong("InvalidArgument", "'NewerNoncurrentVersions' for NoncurrentVersionExpiration action must be between 1 and 100")
            })?;
            Some(Noncurrent {
                days: positive(days, "'NoncurrentDays' for NoncurrentVersionExpiration action must be a positive integer")?,
                keep,
            })
        }
    };
    read.abort_days = match &rule.abort_incomplete_multipart_upload {
        None => None,
        Some(abort) => {
            if !read.tags.is_empty() || read.larger_than.is_some() || read.smaller_than.is_some() {
                return Err(wrong("InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with Tags or object sizes."));
            }
            let days = abort.days_after_initiation.ok_or_else(Failure::malformed_xml)?;
            Some(positive(days, "'DaysAfterInitiation' for AbortIncompleteMultipartUpload action must be a positive integer")?)
        }
    };
    if read.expire == Some(Expire::Markers) && !read.tags.is_empty() {
        return Err(wrong("InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with Tags."));
    }
    let moves = rule.transitions.as_ref().is_some_and(|list| !list.is_empty())
        || rule.noncurrent_version_transitions.as_ref().is_some_and(|list| !list.is_empty());
    if rule.expiration.is_none() && read.noncurrent.is_none() && read.abort_days.is_none() && !moves {
        return Err(wrong("InvalidRequest", "At least one action needs to be specified in a rule"));
    }
    Ok(read)
}

/// What a rule is about. A filter asks for one thing, or for several within `And`.
fn filter(rule: &LifecycleRule) -> Result<Rule, Failure> {
    let bytes =
        |size: Option<i64>| size.map(u64::try_from).transpose().map_err(|_| wrong("InvalidArgument", "Object sizes cannot be negative"));
    let Some(filter) = &rule.filter else {
        let prefix = rule.prefix.clone().ok_or_else(Failure::malformed_xml)?;
        return Ok(Rule { prefix, ..Rule::default() });
    };
    if rule.prefix.is_some() {
        return Err(Failure::malformed_xml());
    }
    if let Some(and) = &filter.and {
        return Ok(Rule {
            prefix: and.prefix.clone().unwrap_or_default(),
            tags: tags(and.tags.iter().flatten())?,
            larger_than: bytes(and.object_size_greater_than)?,
            smaller_than: bytes(and.object_size_less_than)?,
            ..Rule::default()
        });
    }
    let one = Rule {
        prefix: filter.prefix.clone().unwrap_or_default(),
        tags: tags(filter.tag.iter())?,
        larger_than: bytes(filter.object_size_greater_than)?,
        smaller_than: bytes(filter.object_size_less_than)?,
        ..Rule::default()
    };
    let asked = [filter.prefix.is_some(), filter.tag.is_some(), one.larger_than.is_some(), one.smaller_than.is_some()];
    if asked.iter().filter(|asked| **asked).count() > 1 { Err(Failure::malformed_xml()) } else { Ok(one) }
}

fn tags<'a>(given: impl Iterator<Item = &'a Tag>) -> Result<Tags, Failure> {
    let mut tags = Tags::new();
    for tag in given {
        let name = tag.key.clone().ok_or_else(Failure::malformed_xml)?;
        if tags.insert(name, tag.value.clone().unwrap_or_default()).is_some() {
            return Err(wrong("InvalidRequest", "Duplicate Tag Keys are not allowed."));
        }
    }
    Ok(tags)
}

fn expire(expiration: &LifecycleExpiration) -> Result<Option<Expire>, Failure> {
    match (&expiration.date, expiration.days, expiration.expired_object_delete_marker) {
        (None, Some(days), None) => Ok(Some(Expire::Days(positive(days, "'Days' for Expiration action must be a positive integer")?))),
        (Some(date), None, None) => {
            let date = time(Some(date)).ok_or_else(Failure::malformed_xml)?;
            if date.millis().rem_euclid(DAY_MS) != 0 {
                return Err(wrong("InvalidArgument", "'Date' must be at midnight GMT"));
            }
            Ok(Some(Expire::Date(date)))
        }
        (None, None, Some(markers)) => Ok(markers.then_some(Expire::Markers)),
        _ => Err(Failure::malformed_xml()),
    }
}

fn positive(days: i32, otherwise: &str) -> Result<u32, Failure> {
    u32::try_from(days).ok().filter(|days| *days > 0).ok_or_else(|| wrong("InvalidArgument", otherwise))
}

/// The rules of a template as `PutBucketLifecycleConfiguration` takes them. Source: "AWS::S3::Bucket LifecycleConfiguration".
pub fn document(rules: &[Value]) -> String {
    let mut xml = String::from("<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for rule in rules {
        xml.push_str("<Rule>");
        element(&mut xml, "ID", &rule["Id"]);
        filter_document(&mut xml, rule);
        element(&mut xml, "Status", &rule["Status"]);
        let markers = ("ExpiredObjectDeleteMarker", &rule["ExpiredObjectDeleteMarker"]);
        within(&mut xml, "Expiration", &[("Days", &rule["ExpirationInDays"]), ("Date", &rule["ExpirationDate"]), markers]);
        let noncurrent = &rule["NoncurrentVersionExpiration"];
        let days = [&noncurrent["NoncurrentDays"], &rule["NoncurrentVersionExpirationInDays"]].into_iter().find(|days| !days.is_null());
        let kept = ("NewerNoncurrentVersions", &noncurrent["NewerNoncurrentVersions"]);
        within(&mut xml, "NoncurrentVersionExpiration", &[("NoncurrentDays", days.unwrap_or(&Value::Null)), kept]);
        let abort = &rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"];
        within(&mut xml, "AbortIncompleteMultipartUpload", &[("DaysAfterInitiation", abort)]);
        let transitions = rule["Transitions"].as_array().into_iter().flatten().chain(rule.get("Transition"));
        for to in transitions {
            let parts = [("Date", &to["TransitionDate"]), ("Days", &to["TransitionInDays"]), ("StorageClass", &to["StorageClass"])];
            within(&mut xml, "Transition", &parts);
        }
        let transitions =
            rule["NoncurrentVersionTransitions"].as_array().into_iter().flatten().chain(rule.get("NoncurrentVersionTransition"));
        for to in transitions {
            let parts = [("NoncurrentDays", &to["TransitionInDays"]), ("StorageClass", &to["StorageClass"])];
            within(&mut xml, "NoncurrentVersionTransition", &parts);
        }
        xml.push_str("</Rule>");
    }
    xml.push_str("</LifecycleConfiguration>");
    xml
}

fn filter_document(xml: &mut String, rule: &Value) {
    xml.push_str("<Filter><And>");
    element(xml, "Prefix", &rule["Prefix"]);
    for tag in rule["TagFilters"].as_array().into_iter().flatten() {
        within(xml, "Tag", &[("Key", &tag["Key"]), ("Value", &tag["Value"])]);
    }
    element(xml, "ObjectSizeGreaterThan", &rule["ObjectSizeGreaterThan"]);
    element(xml, "ObjectSizeLessThan", &rule["ObjectSizeLessThan"]);
    xml.push_str("</And></Filter>");
}

/// An element with these in it; nothing where all of them are missing.
fn within(xml: &mut String, name: &str, parts: &[(&str, &Value)]) {
    if parts.iter().any(|(_, value)| !value.is_null()) {
        xml.push_str(&format!("<{name}>"));
        parts.iter().for_each(|(name, value)| element(xml, name, value));
        xml.push_str(&format!("</{name}>"));
    }
}

fn element(xml: &mut String, name: &str, value: &Value) {
    let text = match value {
        Value::Null => return,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    xml.push_str(&format!("<{name}>{}</{name}>", escape(&text)));
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Time;

    fn rules(inner: &str) -> Result<Vec<Rule>, String> {
        let document =
            format!("<LifecycleConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</LifecycleConfiguration>");
        read(&document).map_err(|failure| format!("{} {}", failure.code, failure.message))
    }

    #[test]
    fn rules_are_read_as_far_as_they_are_carried_out() {
        let logs = Rule { prefix: "logs/".into(), ..Rule::default() };
        let expiring = |expire| vec![Rule { expire: Some(expire), ..logs.clone() }];
        let days = "<Expiration><Days>3</Days></Expiration>";
        for (inner, wanted) in [
            (format!("<Rule><ID>a</ID><Filter><Prefix>logs/</Prefix></Filter><Status>Enabled</Status>{days}</Rule>"), expiring(Expire::Days(3))),
            (format!("<Rule><Prefix>logs/</Prefix><Status>Enabled</Status>{days}</Rule>"), expiring(Expire::Days(3))),
            (format!("<Rule><Prefix>logs/</Prefix><Status>Disabled</Status>{days}</Rule>"), Vec::new()),
            (
                "<Rule><Prefix>logs/</Prefix><Status>Enabled</Status><Expiration><Date>1970-01-02T00:00:00Z</Date></Expiration></Rule>".into(),
                expiring(Expire::Date(Time(DAY_MS))),
            ),
            (
                "<Rule><Prefix>logs/</Prefix><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>".into(),
                expiring(Expire::Markers),
            ),
            (
                "<Rule><Filter><And><Prefix>logs/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan></And></Filter><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule>".into(),
                vec![Rule {
                    tags: Tags::from([("k".to_owned(), "v".to_owned())]),
                    larger_than: Some(5),
                    noncurrent: Some(Noncurrent { days: 2, keep: 1 }),
                    ..logs.clone()
                }],
            ),
            (
                "<Rule><Filter/><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>".into(),
                vec![Rule { abort_days: Some(7), ..Rule::default() }],
            ),
            (
                "<Rule><Prefix/><Status>Enabled</Status><Transition><Days>30</Days><StorageClass>GLACIER</StorageClass></Transition></Rule>".into(),
                vec![Rule::default()],
            ),
        ] {
            assert_eq!(rules(&inner).as_ref(), Ok(&wanted), "{inner}");
        }
    }

    #[test]
    fn rules_that_make_no_sense_are_refused() {
        let rule = |inner: &str| format!("<Rule><Prefix>a</Prefix><Status>Enabled</Status>{inner}</Rule>");
        let twice = format!("{0}{0}", "<Rule><ID>a</ID><Prefix/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>");
        for (inner, wanted) in [
            (String::new(), "MalformedXML"),
            (rule(""), "InvalidRequest At least one action"),
            (rule("<Expiration><Days>0</Days></Expiration>"), "InvalidArgument 'Days' for Expiration"),
            (rule("<Expiration><Days>many</Days></Expiration>"), "MalformedXML"),
            (rule("<Expiration><Days>1</Days><Date>1970-01-02T00:00:00Z</Date></Expiration>"), "MalformedXML"),
            (rule("<Expiration><Date>1970-01-02T03:00:00Z</Date></Expiration>"), "InvalidArgument 'Date' must be at midnight GMT"),
            ("<Rule><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>".into(), "MalformedXML"),
            (rule("<Expiration><Days>1</Days></Expiration>").replace("Enabled", "On"), "MalformedXML"),
            (twice, "InvalidArgument Rule ID must be unique"),
        ] {
            let error = rules(&inner).expect_err(&inner);
            assert!(error.starts_with(wanted), "{inner}: {error}");
        }
    }

    #[test]
    fn a_template_says_the_same() {
        let template = json!([
            { "Id": "a", "Status": "Enabled", "Prefix": "logs/", "ExpirationInDays": 3 },
            { "Status": "Enabled", "TagFilters": [{ "Key": "k", "Value": "<v>" }], "NoncurrentVersionExpiration": { "NoncurrentDays": 2 } },
            { "Status": "Enabled", "NoncurrentVersionExpirationInDays": 4, "ExpiredObjectDeleteMarker": true, "ObjectSizeLessThan": 9,
              "Transitions": [{ "StorageClass": "GLACIER", "TransitionInDays": 1 }] },
            { "Status": "Enabled", "AbortIncompleteMultipartUpload": { "DaysAfterInitiation": 7 } },
            { "Status": "Disabled", "ExpirationInDays": "1" },
        ]);
        let read = read(&document(template.as_array().expect("a list"))).expect("read");
        let noncurrent = |days| Some(Noncurrent { days, keep: 0 });
        assert_eq!(
            read,
            [
                Rule { prefix: "logs/".into(), expire: Some(Expire::Days(3)), ..Rule::default() },
                Rule { tags: Tags::from([("k".to_owned(), "<v>".to_owned())]), noncurrent: noncurrent(2), ..Rule::default() },
                Rule { smaller_than: Some(9), expire: Some(Expire::Markers), noncurrent: noncurrent(4), ..Rule::default() },
                Rule { abort_days: Some(7), ..Rule::default() },
            ]
        );
    }
}
