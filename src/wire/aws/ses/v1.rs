//! SES v1.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::fail::{Fault, fail};
use super::{SENDS_A_DAY, SENDS_A_SECOND, Ses, V1_BYTES_MAX};
use crate::base::Call;
use crate::services::mail::{Draft, Raw, Template, Templated};
use crate::wire::aws::query::{self, Parameters, Xml};
use crate::wire::http::{Description, Request, Response};

const NAMESPACE: &str = "http://ses.amazonaws.com/doc/2010-12-01/";
/// A raw mail in base64, every third character of which a form may write as three.
const REQUEST_BYTES_MAX: usize = 32 << 20;
const PAGE: usize = 1_000;

pub(super) async fn handle(ses: &Ses, call: &Call, request: Request) -> Response {
    let request_id = ses.ids.uuid();
    let mut said = Description::new("ses", "");
    let answer = match query::parameters(request, REQUEST_BYTES_MAX).await {
        Ok(parameters) => {
            said.action = parameters.text("Action").unwrap_or_default().to_owned();
            said.resource = ["TemplateName", "Template", "Identity"].into_iter().find_map(|name| parameters.text(name)).map(str::to_owned);
            run(ses, call, &parameters, &request_id).await
        }
        Err(error) => Err(Fault::new("MalformedQueryString", "BadRequestException", error.to_string())),
    };
    said.attach(answer.unwrap_or_else(|fault| query::error(NAMESPACE, fault.status, fault.code, &fault.message, &request_id)))
}

async fn run(ses: &Ses, call: &Call, p: &Parameters, request_id: &str) -> Result<Response, Fault> {
    let mail = &ses.mail;
    let action = p.text("Action").unwrap_or_default();
    let answer = |result: &dyn Fn(&mut Xml)| Ok(query::answer(NAMESPACE, action, request_id, Some(result)));
    let nothing = || answer(&|_| {});
    match action {
        "SendEmail" => {
            let id = mail.send(call, whole(p)?).await?;
            answer(&|xml| xml.text("MessageId", &id))
        }
        "SendRawEmail" => {
            let data = p.member("RawMessage").and_then(|raw| raw.text("Data")).ok_or_else(|| missing("rawMessage"))?;
            let bytes = STANDARD.decode(data).map_err(|_| Fault::value("RawMessage.Data is not base64."))?;
            let raw = Raw {
                source: p.text("Source").map(str::to_owned),
                destinations: p.list_of_texts("Destinations"),
                bytes,
                tags: tags(p, "Tags"),
                configuration: p.text("ConfigurationSetName").map(str::to_owned),
                bytes_max: V1_BYTES_MAX,
            };
            let id = mail.send_raw(call, raw).await?;
            answer(&|xml| xml.text("MessageId", &id))
        }
        "SendTemplatedEmail" => {
            let destination = p.member("Destination").ok_or_else(|| missing("destination"))?;
            let draft = draft(p, destination)?;
            let templated = Templated {
                draft,
                template: need(p, "Template", "template")?.to_owned(),
                content: None,
                data: need(p, "TemplateData", "templateData")?.to_owned(),
            };
            let id = mail.send_template(call, templated).await?;
            answer(&|xml| xml.text("MessageId", &id))
        }
        "SendBulkTemplatedEmail" => bulk(ses, call, p, request_id).await,
        "CreateTemplate" => {
            mail.create_template(call, template(p)?).await?;
            nothing()
        }
        "UpdateTemplate" => {
            mail.update_template(call, template(p)?).await?;
            nothing()
        }
        "GetTemplate" => {
            let found = mail.template(call, need(p, "TemplateName", "templateName")?).await?;
            answer(&|xml| {
                xml.element("Template", |xml| {
                    xml.text("TemplateName", &found.name);
                    for (name, part) in [("SubjectPart", &found.subject), ("TextPart", &found.text), ("HtmlPart", &found.html)] {
                        part.iter().for_each(|part| xml.text(name, part));
                    }
                });
            })
        }
        "ListTemplates" => {
            let limit = p.text("MaxItems").and_then(|text| text.parse().ok()).unwrap_or(10usize).clamp(1, 100);
            let mut found = mail.templates(call, &after(p)?, limit + 1).await?;
            let more = found.len() > limit;
            found.truncate(limit);
            answer(&|xml| {
                xml.members("TemplatesMetadata", &found, |xml, template| {
                    xml.text("Name", &template.name);
                    xml.text("CreatedTimestamp", &template.created.iso());
                });
                next(xml, more, found.last().map(|template| template.name.as_str()));
            })
        }
        "DeleteTemplate" => {
            mail.delete_template(call, need(p, "TemplateName", "templateName")?).await?;
            nothing()
        }
        "TestRenderTemplate" => {
            let found =
                mail.render_template(call, need(p, "TemplateName", "templateName")?, need(p, "TemplateData", "templateData")?).await?;
            let (subject, text, html) = (found.subject.unwrap_or_default(), found.text.unwrap_or_default(), found.html.unwrap_or_default());
            answer(&|xml| {
                let rendered = format!(
                    "Subject: {subject}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"part\"\r\n\r\n--part\r\n\
                     Content-Type: text/plain; charset=UTF-8\r\n\r\n{text}\r\n--part\r\nContent-Type: text/html; charset=UTF-8\r\n\r\n{html}\r\n--part--\r\n"
                );
                xml.text("RenderedTemplate", &rendered);
            })
        }
        "VerifyEmailIdentity" | "VerifyEmailAddress" => {
            let address = need(p, "EmailAddress", "emailAddress")?;
            if !address.contains('@') {
                return Err(Fault::value(format!("Invalid email address<{address}>.")));
            }
            mail.verify(call, address).await?;
            nothing()
        }
        "VerifyDomainIdentity" => {
            mail.verify(call, need(p, "Domain", "domain")?).await?;
            answer(&|xml| xml.text("VerificationToken", &ses.ids.hex(22)))
        }
        "VerifyDomainDkim" => {
            mail.verify(call, need(p, "Domain", "domain")?).await?;
            answer(&|xml| xml.texts("DkimTokens", (0..3).map(|_| ses.ids.hex(16))))
        }
        "ListIdentities" | "ListVerifiedEmailAddresses" => {
            let mut found = mail.identities(call, &after(p)?, PAGE + 1).await?;
            let more = found.len() > PAGE;
            found.truncate(PAGE);
            let last = found.last().cloned();
            let kind = if action == "ListIdentities" { p.text("IdentityType") } else { Some("EmailAddress") };
            found.retain(|identity| kind.is_none_or(|kind| (kind == "EmailAddress") == identity.contains('@')));
            answer(&|xml| {
                xml.texts(if action == "ListIdentities" { "Identities" } else { "VerifiedEmailAddresses" }, &found);
                next(xml, more, last.as_deref());
            })
        }
        "GetIdentityVerificationAttributes" => {
            let found = known(ses, call, p).await?;
            answer(&|xml| {
                entries(xml, "VerificationAttributes", &found, |xml, identity| {
                    xml.text("VerificationStatus", "Success");
                    if !identity.contains('@') {
                        xml.text("VerificationToken", "verified-without-a-record");
                    }
                });
            })
        }
        "GetIdentityDkimAttributes" => {
            let found = known(ses, call, p).await?;
            answer(&|xml| {
                entries(xml, "DkimAttributes", &found, |xml, _| {
                    xml.text("DkimEnabled", "true");
                    xml.text("DkimVerificationStatus", "Success");
                });
            })
        }
        "GetIdentityNotificationAttributes" => {
            let found = known(ses, call, p).await?;
            answer(&|xml| entries(xml, "NotificationAttributes", &found, |xml, _| xml.text("ForwardingEnabled", "true")))
        }
        "GetIdentityMailFromDomainAttributes" => {
            let found = known(ses, call, p).await?;
            answer(&|xml| entries(xml, "MailFromDomainAttributes", &found, |xml, _| xml.text("BehaviorOnMXFailure", "UseDefaultValue")))
        }
        "DeleteIdentity" => {
            mail.delete_identity(call, need(p, "Identity", "identity")?).await?;
            nothing()
        }
        "DeleteVerifiedEmailAddress" => {
            mail.delete_identity(call, need(p, "EmailAddress", "emailAddress")?).await?;
            nothing()
        }
        "GetSendQuota" => {
            let sent = ses.sent_last_day(call).await?;
            answer(&|xml| {
                xml.text("Max24HourSend", &format!("{SENDS_A_DAY}.0"));
                xml.text("MaxSendRate", &format!("{SENDS_A_SECOND}.0"));
                xml.text("SentLast24Hours", &format!("{sent}.0"));
            })
        }
        "GetSendStatistics" => {
            let points = mail.statistics(call).await?;
            answer(&|xml| {
                xml.members("SendDataPoints", &points, |xml, (at, count)| {
                    xml.text("Timestamp", &at.iso());
                    xml.text("DeliveryAttempts", &count.to_string());
                    ["Bounces", "Complaints", "Rejects"].iter().for_each(|name| xml.text(name, "0"));
                });
            })
        }
        "GetAccountSendingEnabled" => answer(&|xml| xml.text("Enabled", "true")),
        other => {
            Err(Fault::new("InvalidAction", "BadRequestException", format!("Could not find operation {other} for version 2010-12-01")))
        }
    }
}

fn missing(name: &str) -> Fault {
    let text = format!("1 validation error detected: Value null at '{name}' failed to satisfy constraint: Member must not be null");
    Fault::new("ValidationError", "BadRequestException", text)
}

fn need<'a>(p: &'a Parameters, name: &str, said: &str) -> Result<&'a str, Fault> {
    p.text(name).ok_or_else(|| missing(said))
}

fn after(p: &Parameters) -> Result<String, Fault> {
    let Some(token) = p.text("NextToken") else { return Ok(String::new()) };
    let read = STANDARD.decode(token).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    read.ok_or_else(|| Fault::value("The next token is not valid."))
}

fn next(xml: &mut Xml, more: bool, last: Option<&str>) {
    if let Some(last) = last.filter(|_| more) {
        xml.text("NextToken", &STANDARD.encode(last));
    }
}

fn tags(p: &Parameters, name: &str) -> BTreeMap<String, String> {
    p.map_of_texts(name, "Name", "Value")
}

fn draft(p: &Parameters, destination: &Parameters) -> Result<Draft, Fault> {
    Ok(Draft {
        source: need(p, "Source", "source")?.to_owned(),
        to: destination.list_of_texts("ToAddresses"),
        cc: destination.list_of_texts("CcAddresses"),
        bcc: destination.list_of_texts("BccAddresses"),
        reply_to: p.list_of_texts("ReplyToAddresses"),
        return_path: p.text("ReturnPath").map(str::to_owned),
        tags: tags(p, "Tags"),
        configuration: p.text("ConfigurationSetName").map(str::to_owned),
        bytes_max: V1_BYTES_MAX,
        ..Draft::default()
    })
}

fn whole(p: &Parameters) -> Result<Draft, Fault> {
    let destination = p.member("Destination").ok_or_else(|| missing("destination"))?;
    let message = p.member("Message").ok_or_else(|| missing("message"))?;
    let body = message.member("Body").ok_or_else(|| missing("message.body"))?;
    let data = |part: Option<&Parameters>| part.and_then(|part| part.text("Data")).map(str::to_owned);
    let subject = data(message.member("Subject")).ok_or_else(|| missing("message.subject"))?;
    Ok(Draft { subject: Some(subject), text: data(body.member("Text")), html: data(body.member("Html")), ..draft(p, destination)? })
}

fn template(p: &Parameters) -> Result<Template, Fault> {
    let template = p.member("Template").ok_or_else(|| missing("template"))?;
    let part = |name: &str| template.text(name).map(str::to_owned);
    Ok(Template {
        name: need(template, "TemplateName", "template.templateName")?.to_owned(),
        subject: part("SubjectPart"),
        text: part("TextPart"),
        html: part("HtmlPart"),
        created: Default::default(),
    })
}

/// Those of the identities asked for that there are.
async fn known(ses: &Ses, call: &Call, p: &Parameters) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for identity in p.list_of_texts("Identities").into_iter().take(100) {
        if ses.mail.is_identity(call, &identity).await? {
            found.push(identity);
        }
    }
    Ok(found)
}

fn entries(xml: &mut Xml, name: &str, identities: &[String], value: impl Fn(&mut Xml, &str)) {
    xml.element(name, |xml| {
        for identity in identities {
            xml.element("entry", |xml| {
                xml.text("key", identity);
                xml.element("value", |xml| value(xml, identity));
            });
        }
    });
}

/// Each destination's data is laid over the default.
pub(super) fn overlay(default: &str, own: &str) -> String {
    let read = |text: &str| serde_json::from_str::<Json>(if text.trim().is_empty() { "{}" } else { text });
    match (read(default), read(own)) {
        (Ok(Json::Object(mut all)), Ok(Json::Object(own))) => {
            all.extend(own);
            Json::Object(all).to_string()
        }
        // What is no object is reported as it is.
        (Ok(Json::Object(_)), _) => own.to_owned(),
        _ => default.to_owned(),
    }
}

async fn bulk(ses: &Ses, call: &Call, p: &Parameters, request_id: &str) -> Result<Response, Fault> {
    let name = need(p, "Template", "template")?;
    let default = p.text("DefaultTemplateData").unwrap_or("{}");
    let destinations = p.list("Destinations");
    if destinations.len() > 50 {
        return Err(Fault::value("Recipient count exceeds 50."));
    }
    ses.mail.template(call, name).await?;
    let mut outcomes = Vec::new();
    for entry in destinations {
        let destination = entry.member("Destination").ok_or_else(|| missing("destination"))?;
        let mut draft = draft(p, destination)?;
        draft.tags = tags(p, "DefaultTags");
        draft.tags.extend(tags(entry, "ReplacementTags"));
        let data = overlay(default, entry.text("ReplacementTemplateData").unwrap_or("{}"));
        let templated = Templated { draft, template: name.to_owned(), content: None, data };
        outcomes.push(ses.mail.send_template(call, templated).await.map_err(|error| fail(&error)));
    }
    let result = |xml: &mut Xml| {
        xml.members("Status", &outcomes, |xml, outcome| match outcome {
            Ok(id) => {
                xml.text("Status", "Success");
                xml.text("MessageId", id);
            }
            Err(fault) => {
                xml.text("Status", if fault.code == "InvalidParameterValue" { "InvalidParameterValue" } else { "Failed" });
                xml.text("Error", &fault.message);
            }
        });
    };
    Ok(query::answer(NAMESPACE, "SendBulkTemplatedEmail", request_id, Some(&result)))
}
