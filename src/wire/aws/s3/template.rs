//! The properties of a bucket in a CloudFormation template. Source: "AWS::S3::Bucket" of the template reference.

use serde_json::Value;

use super::encode::escape;
use super::lifecycle;
use crate::base::Call;
use crate::services::objects::lifecycle::DOCUMENT;
use crate::services::objects::{Objects, Versioning};

/// Makes a bucket that exists what its properties say, as far as they are emulated: versions, what browsers may do, and what becomes of
/// objects as they grow old. Answers why it cannot be.
pub async fn configure(objects: &Objects, call: &Call, name: &str, properties: &Value) -> Result<(), String> {
    let failed = |error: crate::services::objects::Error| error.to_string();
    let versioning = properties.pointer("/VersioningConfiguration/Status").and_then(Value::as_str);
    let wanted = match versioning {
        None => None,
        Some("Enabled") => Some(true),
        Some("Suspended") => Some(false),
        Some(other) => return Err(format!("`VersioningConfiguration.Status` is `Enabled` or `Suspended`, not `{other}`")),
    };
    if let Some(keep) = wanted {
        let now = objects.bucket(call, name).await.map_err(failed)?.versioning;
        // What never had versions is not suspended by saying so.
        let is_so = if keep { now == Versioning::On } else { now != Versioning::On };
        if !is_so {
            objects.set_versioning(call, name, keep).await.map_err(failed)?;
        }
    }
    if let Some(rules) = properties.pointer("/CorsConfiguration/CorsRules").and_then(Value::as_array) {
        let document = Some(cors(rules));
        if objects.document(call, name, "cors").await.map_err(failed)? != document {
            objects.set_document(call, name, "cors", document).await.map_err(failed)?;
        }
    }
    let rules = properties.pointer("/LifecycleConfiguration/Rules").and_then(Value::as_array);
    if let Some(document) = rules.map(|rules| lifecycle::document(rules))
        && objects.document(call, name, DOCUMENT).await.map_err(failed)?.as_ref() != Some(&document)
    {
        let read = lifecycle::read(&document).map_err(|failure| format!("`LifecycleConfiguration`: {}", failure.message))?;
        objects.set_lifecycle(call, name, Some((document, read))).await.map_err(failed)?;
    }
    Ok(())
}

/// The rules as `PutBucketCors` takes them.
fn cors(rules: &[Value]) -> String {
    let mut xml = String::from("<CORSConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for rule in rules {
        xml.push_str("<CORSRule>");
        for (property, element) in [
            ("Id", "ID"),
            ("AllowedOrigins", "AllowedOrigin"),
            ("AllowedMethods", "AllowedMethod"),
            ("AllowedHeaders", "AllowedHeader"),
            ("ExposedHeaders", "ExposeHeader"),
            ("MaxAge", "MaxAgeSeconds"),
        ] {
            let given = rule.get(property);
            let each = given.and_then(Value::as_array).map_or_else(|| given.into_iter().collect(), |list| list.iter().collect::<Vec<_>>());
            for value in each {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                xml.push_str(&format!("<{element}>{}</{element}>", escape(&text)));
            }
        }
        xml.push_str("</CORSRule>");
    }
    xml.push_str("</CORSConfiguration>");
    xml
}
