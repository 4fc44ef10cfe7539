//! Mails, as they are asked for and as they lie in the inbox.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::render::render;
use super::{Error, RECIPIENTS_MAX, address};
use crate::base::Time;

/// A mail to send, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    pub source: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub return_path: Option<String>,
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    pub headers: Vec<(String, String)>,
    pub tags: BTreeMap<String, String>,
    /// The configuration set's name; kept, of no effect.
    pub configuration: Option<String>,
    /// How large the mail may be, which differs between the interfaces.
    pub bytes_max: usize,
}

impl Draft {
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.source.trim().is_empty() {
            return Err(Error::NoSender);
        }
        let recipients = || self.to.iter().chain(&self.cc).chain(&self.bcc);
        match recipients().count() {
            0 => return Err(Error::NoRecipient),
            count if count > RECIPIENTS_MAX => return Err(Error::Recipients(count)),
            _ => {}
        }
        let senders = std::iter::once(&self.source).chain(&self.reply_to).chain(&self.return_path);
        recipients().chain(senders).try_for_each(|address| address::check(address))?;
        let parts = [&self.subject, &self.text, &self.html].into_iter().flatten().map(String::len);
        let bytes = parts.chain(self.attachments.iter().map(|a| a.bytes)).chain(self.headers.iter().map(|(n, v)| n.len() + v.len())).sum();
        if bytes > self.bytes_max {
            return Err(Error::TooLarge { bytes, bytes_max: self.bytes_max });
        }
        Ok(())
    }
}

/// A mail to send that is written out already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw {
    /// As the mail itself says unless set.
    pub source: Option<String>,
    /// As the mail itself says where empty.
    pub destinations: Vec<String>,
    pub bytes: Vec<u8>,
    pub tags: BTreeMap<String, String>,
    pub configuration: Option<String>,
    pub bytes_max: usize,
}

/// A mail to send that a template makes: the draft's subject, text and html come from there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Templated {
    pub draft: Draft,
    /// The name of a stored template.
    pub template: String,
    /// A template given with the mail, instead.
    pub content: Option<Template>,
    /// A JSON object.
    pub data: String,
}

/// A template of mails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    pub name: String,
    pub subject: Option<String>,
    pub text: Option<String>,
    pub html: Option<String>,
    pub created: Time,
}

impl Template {
    pub(super) fn check(&self) -> Result<(), Error> {
        let good = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if self.name.is_empty() || self.name.len() > 64 || !self.name.bytes().all(good) {
            return Err(Error::BadTemplate("The template name must have 1 to 64 letters, digits, underscores or dashes.".into()));
        }
        if self.subject.as_deref().is_none_or(str::is_empty) {
            return Err(Error::BadTemplate("The subject must be specified.".into()));
        }
        let parts = || [&self.subject, &self.text, &self.html].into_iter().flatten();
        if parts().map(String::len).sum::<usize>() > TEMPLATE_BYTES_MAX {
            return Err(Error::BadTemplate(format!("The template is larger than {TEMPLATE_BYTES_MAX} bytes.")));
        }
        parts().try_for_each(|text| super::render::check(text))
    }
}

/// Source: "Service quotas in Amazon SES", templates.
const TEMPLATE_BYTES_MAX: usize = 500 * 1024;

/// A file that came with a mail: what it is, not what is in it (that is in the raw mail, if any).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub name: Option<String>,
    /// Media type.
    pub kind: String,
    /// Length in bytes.
    pub bytes: usize,
}

/// A mail in the inbox.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: String,
    pub at: Time,
    pub source: String,
    pub to: Vec<String>,
    pub cc: Vec<String>,
    pub bcc: Vec<String>,
    pub reply_to: Vec<String>,
    pub return_path: Option<String>,
    pub subject: String,
    pub text: Option<String>,
    pub html: Option<String>,
    pub attachments: Vec<Attachment>,
    pub headers: Vec<(String, String)>,
    pub tags: BTreeMap<String, String>,
    pub configuration: Option<String>,
    /// The template's name and its data, where one made the mail.
    pub template: Option<(String, String)>,
    /// Why it would not have been delivered.
    pub failure: Option<String>,
    /// How many it goes to.
    pub recipients: usize,
    /// The function that sent it, if one did.
    pub sender: Option<String>,
}

impl Message {
    pub(super) fn of(draft: Draft) -> Message {
        Message {
            recipients: draft.to.len() + draft.cc.len() + draft.bcc.len(),
            source: draft.source,
            to: draft.to,
            cc: draft.cc,
            bcc: draft.bcc,
            reply_to: draft.reply_to,
            return_path: draft.return_path,
            subject: draft.subject.unwrap_or_default(),
            text: draft.text,
            html: draft.html,
            attachments: draft.attachments,
            headers: draft.headers,
            tags: draft.tags,
            configuration: draft.configuration,
            ..Message::default()
        }
    }

    /// Everybody it is from or goes to.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.source).chain(&self.to).chain(&self.cc).chain(&self.bcc).map(String::as_str)
    }
}

/// The mail that a template makes of data; with the reason where it cannot.
pub(super) fn fill(draft: Draft, template: &Template, data: &serde_json::Value, text: &str) -> Message {
    let mut message = Message::of(draft);
    message.template = Some((template.name.clone(), text.to_owned()));
    let mut fill = |part: &Option<String>| match part.as_ref().map(|part| render(part, data)) {
        None => None,
        Some(Ok(text)) => Some(text),
        Some(Err(error)) => {
            message.failure.get_or_insert_with(|| error.to_string());
            None
        }
    };
    let (subject, text, html) = (fill(&template.subject), fill(&template.text), fill(&template.html));
    (message.subject, message.text, message.html) = (subject.unwrap_or_default(), text, html);
    message
}
