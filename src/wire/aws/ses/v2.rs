//! SES v2.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::fail::{Fault, fail};
use super::v1::overlay;
use super::{SENDS_A_DAY, SENDS_A_SECOND, Ses, V2_BYTES_MAX};
use crate::base::Call;
use crate::services::mail::{Attachment, Draft, Error, Raw, Template, Templated};
use crate::wire::aws::query::Parameters;
use crate::wire::http::{self as wire, Description, Request, Response};

/// A mail in base64, and what is around it.
const REQUEST_BYTES_MAX: usize = 60 << 20;
const PAGE: usize = 100;

pub(super) async fn handle(ses: &Ses, call: &Call, request: Request) -> Response {
    let request_id = ses.ids.uuid();
    let mut said = describe(request.method(), request.uri().path());
    let (status, body, code) = match run(ses, call, request).await {
        Ok(body) => (StatusCode::OK, body, None),
        Err(fault) => (fault.status_v2(), json!({ "message": fault.message }), Some(fault.code_v2)),
    };
    let mut response = wire::json(status, &body);
    let headers = response.headers_mut();
    if let Ok(id) = request_id.parse() {
        headers.insert("x-amzn-requestid", id);
    }
    if let Some(code) = code {
        headers.insert("x-amzn-errortype", http::HeaderValue::from_static(code));
        said.error = Some(code.to_owned());
    }
    said.attach(response)
}

/// The names of the operations. Source: the SES API v2 Reference.
fn describe(method: &Method, path: &str) -> Description {
    let path = path.strip_prefix("/v2/email/").unwrap_or_default().trim_end_matches('/');
    let (kind, rest) = path.split_once('/').map_or((path, None), |(kind, rest)| (kind, Some(rest)));
    let action = match (method.as_str(), kind, rest) {
        ("POST", "outbound-emails", None) => "SendEmail",
        ("POST", "outbound-bulk-emails", None) => "SendBulkEmail",
        ("GET", "account", None) => "GetAccount",
        ("POST", "identities", None) => "CreateEmailIdentity",
        ("GET", "identities", None) => "ListEmailIdentities",
        ("GET", "identities", Some(_)) => "GetEmailIdentity",
        ("DELETE", "identities", Some(_)) => "DeleteEmailIdentity",
        ("POST", "templates", None) => "CreateEmailTemplate",
        ("GET", "templates", None) => "ListEmailTemplates",
        ("GET", "templates", Some(_)) => "GetEmailTemplate",
        ("PUT", "templates", Some(_)) => "UpdateEmailTemplate",
        ("DELETE", "templates", Some(_)) => "DeleteEmailTemplate",
        ("POST", "templates", Some(_)) => "TestRenderEmailTemplate",
        _ => "",
    };
    let resource = rest.map(|rest| percent_decode_str(rest.split('/').next().unwrap_or_default()).decode_utf8_lossy().into_owned());
    Description { resource, ..Description::new("ses", action) }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Input {
    from_email_address: Option<String>,
    destination: Option<Destination>,
    reply_to_addresses: Vec<String>,
    feedback_forwarding_email_address: Option<String>,
    content: Option<Content>,
    email_tags: Vec<Tag>,
    configuration_set_name: Option<String>,
    default_email_tags: Vec<Tag>,
    default_content: Option<Content>,
    bulk_email_entries: Vec<BulkEntry>,
    email_identity: Option<String>,
    template_name: Option<String>,
    template_content: Option<TemplateContent>,
    template_data: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Content {
    simple: Option<Simple>,
    raw: Option<RawContent>,
    template: Option<TemplateUse>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Simple {
    subject: Option<Text>,
    body: Option<Body>,
    headers: Vec<Tag>,
    attachments: Vec<AttachmentInput>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Body {
    text: Option<Text>,
    html: Option<Text>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Text {
    data: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawContent {
    data: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TemplateUse {
    template_name: Option<String>,
    template_arn: Option<String>,
    template_content: Option<TemplateContent>,
    template_data: Option<String>,
    headers: Vec<Tag>,
    attachments: Vec<AttachmentInput>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TemplateContent {
    subject: Option<String>,
    text: Option<String>,
    html: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct AttachmentInput {
    raw_content: String,
    file_name: Option<String>,
    content_type: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct BulkEntry {
    destination: Option<Destination>,
    replacement_tags: Vec<Tag>,
    replacement_email_content: Option<ReplacementContent>,
    replacement_headers: Vec<Tag>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ReplacementContent {
    replacement_template: Option<ReplacementTemplate>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ReplacementTemplate {
    replacement_template_data: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Tag {
    name: String,
    value: String,
}

async fn run(ses: &Ses, call: &Call, request: Request) -> Result<Json, Fault> {
    let (parts, body) = request.into_parts();
    let bad = |text: String| Fault::new("InvalidParameterValue", "BadRequestException", text);
    let body = body.collect(REQUEST_BYTES_MAX).await.map_err(|error| bad(error.to_string()))?;
    let input: Input = match body.is_empty() {
        true => Input::default(),
        false => serde_json::from_slice(&body).map_err(|error| Fault::new("", "SerializationException", error.to_string()))?,
    };
    let query = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
    let path = parts.uri.path().strip_prefix("/v2/email/").unwrap_or_default().trim_end_matches('/');
    let segments: Vec<String> = path.split('/').map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned()).collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let mail = &ses.mail;
    match (&parts.method, segments.as_slice()) {
        (&Method::POST, ["outbound-emails"]) => Ok(json!({ "MessageId": send(ses, call, input).await? })),
        (&Method::POST, ["outbound-bulk-emails"]) => bulk(ses, call, input).await,
        (&Method::GET, ["account"]) => {
            let sent = ses.sent_last_day(call).await?;
            Ok(json!({
                "DedicatedIpAutoWarmupEnabled": false, "EnforcementStatus": "HEALTHY", "ProductionAccessEnabled": true, "SendingEnabled": true,
                "SendQuota": { "Max24HourSend": f64::from(SENDS_A_DAY), "MaxSendRate": f64::from(SENDS_A_SECOND), "SentLast24Hours": sent as f64 },
            }))
        }
        (&Method::POST, ["identities"]) => {
            let identity = input.email_identity.ok_or_else(|| missing("emailIdentity"))?;
            if !mail.verify(call, &identity).await? {
                return Err(Error::IdentityExists(identity).into());
            }
            Ok(json!({ "IdentityType": kind(&identity), "VerifiedForSendingStatus": true, "DkimAttributes": dkim() }))
        }
        (&Method::GET, ["identities"]) => {
            let mut found = mail.identities(call, &after(&query)?, PAGE + 1).await?;
            let more = found.len() > PAGE;
            found.truncate(PAGE);
            let list: Vec<Json> = found
                .iter()
                .map(|name| json!({ "IdentityType": kind(name), "IdentityName": name, "SendingEnabled": true, "VerificationStatus": "SUCCESS" }))
                .collect();
            Ok(paged("EmailIdentities", list, more, found.last().map(String::as_str)))
        }
        (&Method::GET, ["identities", identity]) => {
            if !mail.is_identity(call, identity).await? {
                return Err(Error::NoSuchIdentity((*identity).to_owned()).into());
            }
            Ok(json!({
                "IdentityType": kind(identity), "FeedbackForwardingStatus": true, "VerifiedForSendingStatus": true, "VerificationStatus": "SUCCESS",
                "DkimAttributes": dkim(), "MailFromAttributes": { "BehaviorOnMxFailure": "USE_DEFAULT_VALUE" }, "Policies": {}, "Tags": [],
            }))
        }
        (&Method::DELETE, ["identities", identity]) => {
            if !mail.delete_identity(call, identity).await? {
                return Err(Error::NoSuchIdentity((*identity).to_owned()).into());
            }
            Ok(json!({}))
        }
        (&Method::POST, ["templates"]) => {
            let name = input.template_name.ok_or_else(|| missing("templateName"))?;
            mail.create_template(call, template(name, input.template_content)).await?;
            Ok(json!({}))
        }
        (&Method::GET, ["templates"]) => {
            let mut found = mail.templates(call, &after(&query)?, PAGE + 1).await?;
            let more = found.len() > PAGE;
            found.truncate(PAGE);
            let seconds = |template: &Template| template.created.millis() as f64 / 1000.0;
            let list = found.iter().map(|t| json!({ "TemplateName": t.name, "CreatedTimestamp": seconds(t) })).collect();
            Ok(paged("TemplatesMetadata", list, more, found.last().map(|template| template.name.as_str())))
        }
        (&Method::GET, ["templates", name]) => {
            let found = mail.template(call, name).await?;
            Ok(
                json!({ "TemplateName": found.name, "TemplateContent": { "Subject": found.subject, "Text": found.text, "Html": found.html } }),
            )
        }
        (&Method::PUT, ["templates", name]) => {
            mail.update_template(call, template((*name).to_owned(), input.template_content)).await?;
            Ok(json!({}))
        }
        (&Method::DELETE, ["templates", name]) => {
            if !mail.delete_template(call, name).await? {
                return Err(Error::NoSuchTemplate((*name).to_owned()).into());
            }
            Ok(json!({}))
        }
        (&Method::POST, ["templates", name, "render"]) => {
            let found = mail.render_template(call, name, &input.template_data.unwrap_or_default()).await?;
            let (subject, text, html) = (found.subject.unwrap_or_default(), found.text.unwrap_or_default(), found.html.unwrap_or_default());
            Ok(json!({ "RenderedTemplate": format!("Subject: {subject}\r\n\r\n{text}\r\n{html}") }))
        }
        _ => Err(Fault::new("", "NotFoundException", format!("emu has no operation {} /v2/email/{path}", parts.method))),
    }
}

fn missing(name: &str) -> Fault {
    Fault::value(format!("1 validation error detected: Value at '{name}' failed to satisfy constraint: Member must not be null"))
}

fn kind(identity: &str) -> &'static str {
    if identity.contains('@') { "EMAIL_ADDRESS" } else { "DOMAIN" }
}

fn dkim() -> Json {
    json!({ "SigningEnabled": true, "Status": "SUCCESS", "Tokens": [], "SigningAttributesOrigin": "AWS_SES" })
}

fn after(query: &Parameters) -> Result<String, Fault> {
    let Some(token) = query.text("NextToken") else { return Ok(String::new()) };
    let read = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.ok_or_else(|| Fault::new("", "InvalidNextTokenException", "The next token is not valid."))
}

fn paged(member: &str, list: Vec<Json>, more: bool, last: Option<&str>) -> Json {
    let mut answer = json!({ member: list });
    if let Some(last) = last.filter(|_| more) {
        answer["NextToken"] = STANDARD.encode(last).into();
    }
    answer
}

fn template(name: String, content: Option<TemplateContent>) -> Template {
    let content = content.unwrap_or_default();
    Template { name, subject: content.subject, text: content.text, html: content.html, created: Default::default() }
}

fn tags(tags: Vec<Tag>) -> BTreeMap<String, String> {
    tags.into_iter().map(|tag| (tag.name, tag.value)).collect()
}

fn attachments(list: Vec<AttachmentInput>) -> Result<Vec<Attachment>, Fault> {
    list.into_iter()
        .map(|a| {
            let bytes = STANDARD.decode(&a.raw_content).map_err(|_| Fault::value("The content of an attachment is not base64."))?.len();
            Ok(Attachment { name: a.file_name, kind: a.content_type.unwrap_or_else(|| "application/octet-stream".to_owned()), bytes })
        })
        .collect()
}

async fn send(ses: &Ses, call: &Call, input: Input) -> Result<String, Fault> {
    let content = input.content.ok_or_else(|| missing("content"))?;
    let destination = input.destination.unwrap_or_default();
    let tags = tags(input.email_tags);
    if let Some(raw) = content.raw {
        let bytes = STANDARD.decode(&raw.data).map_err(|_| Fault::value("The raw message is not base64."))?;
        let destinations = [destination.to_addresses, destination.cc_addresses, destination.bcc_addresses].concat();
        let raw = Raw {
            source: input.from_email_address,
            destinations,
            bytes,
            tags,
            configuration: input.configuration_set_name,
            bytes_max: V2_BYTES_MAX,
        };
        return Ok(ses.mail.send_raw(call, raw).await?);
    }
    let mut draft = Draft {
        source: input.from_email_address.unwrap_or_default(),
        to: destination.to_addresses,
        cc: destination.cc_addresses,
        bcc: destination.bcc_addresses,
        reply_to: input.reply_to_addresses,
        return_path: input.feedback_forwarding_email_address,
        tags,
        configuration: input.configuration_set_name,
        bytes_max: V2_BYTES_MAX,
        ..Draft::default()
    };
    if let Some(simple) = content.simple {
        let body = simple.body.unwrap_or_default();
        draft.subject = Some(simple.subject.ok_or_else(|| missing("content.simple.subject"))?.data);
        draft.text = body.text.map(|text| text.data);
        draft.html = body.html.map(|text| text.data);
        draft.headers = simple.headers.into_iter().map(|h| (h.name, h.value)).collect();
        draft.attachments = attachments(simple.attachments)?;
        return Ok(ses.mail.send(call, draft).await?);
    }
    let template = content.template.ok_or_else(|| missing("content"))?;
    draft.headers = template.headers.iter().map(|h| (h.name.clone(), h.value.clone())).collect();
    draft.attachments = attachments(template.attachments)?;
    let name = template.template_name.or_else(|| template.template_arn.and_then(|arn| arn.rsplit('/').next().map(str::to_owned)));
    let content = template.template_content.map(|content| self::template("inline".to_owned(), Some(content)));
    let data = template.template_data.unwrap_or_else(|| "{}".to_owned());
    let templated = Templated { draft, template: name.unwrap_or_default(), content, data };
    Ok(ses.mail.send_template(call, templated).await?)
}

async fn bulk(ses: &Ses, call: &Call, input: Input) -> Result<Json, Fault> {
    let template = input.default_content.and_then(|content| content.template).ok_or_else(|| missing("defaultContent.template"))?;
    if input.bulk_email_entries.len() > 50 {
        return Err(Fault::value("Recipient count exceeds 50."));
    }
    let name = template.template_name.clone().unwrap_or_default();
    let content = template.template_content.map(|content| self::template("inline".to_owned(), Some(content)));
    let default = template.template_data.unwrap_or_else(|| "{}".to_owned());
    let mut results = Vec::new();
    for entry in input.bulk_email_entries {
        let destination = entry.destination.unwrap_or_default();
        let own = entry.replacement_email_content.and_then(|content| content.replacement_template?.replacement_template_data);
        let mut all = tags(input.default_email_tags.clone());
        all.extend(tags(entry.replacement_tags));
        let draft = Draft {
            source: input.from_email_address.clone().unwrap_or_default(),
            to: destination.to_addresses,
            cc: destination.cc_addresses,
            bcc: destination.bcc_addresses,
            reply_to: input.reply_to_addresses.clone(),
            headers: entry.replacement_headers.into_iter().map(|h| (h.name, h.value)).collect(),
            tags: all,
            configuration: input.configuration_set_name.clone(),
            bytes_max: V2_BYTES_MAX,
            ..Draft::default()
        };
        let data = overlay(&default, own.as_deref().unwrap_or("{}"));
        let templated = Templated { draft, template: name.clone(), content: content.clone(), data };
        results.push(match ses.mail.send_template(call, templated).await {
            Ok(id) => json!({ "Status": "SUCCESS", "MessageId": id }),
            Err(error @ Error::NoSuchTemplate(_)) => json!({ "Status": "TEMPLATE_NOT_FOUND", "Error": fail(&error).message }),
            Err(error) => json!({ "Status": "INVALID_PARAMETER", "Error": fail(&error).message }),
        });
    }
    Ok(json!({ "BulkEmailEntryResults": results }))
}
