//! Mail: an inbox for everything that is sent, so that nothing leaves the machine and tests can read it. The SES model: plain, raw and
//! templated mails, templates, identities. Whether an identity is verified is not enforced: every one is as soon as it is named.

mod address;
mod message;
mod mime;
pub mod portable;
mod render;
mod store;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use crate::base::{Call, Time, Unit};
use crate::store::{Db, Tx};

pub use address::bare;
pub use message::{Attachment, Draft, Message, Raw, Template, Templated};
pub use render::render;
pub use store::SCHEMA;

/// The mails of a World. Cheap to clone.
#[derive(Clone)]
pub struct Mail {
    db: Db,
    listener: Arc<OnceLock<Box<Listener>>>,
}

/// Told of every mail that has arrived, and of the call that sent it.
pub type Listener = dyn Fn(&Call, &Message) + Send + Sync;

/// What can be wrong with a mail, a template or an identity.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is wrong with an address.
    #[error("{0}")]
    Address(&'static str),
    #[error("the mail has no recipient")]
    NoRecipient,
    #[error("the mail has {0} recipients, more than 50")]
    Recipients(usize),
    #[error("the mail has no sender")]
    NoSender,
    #[error("the mail has {bytes} bytes, more than {bytes_max}")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("the mail has no content")]
    NoContent,
    #[error("the raw mail cannot be read")]
    Unreadable,
    #[error("template `{0}` does not exist")]
    NoSuchTemplate(String),
    #[error("template `{0}` already exists")]
    TemplateExists(String),
    #[error("the template is not valid: {0}")]
    BadTemplate(String),
    #[error("the template data is not a JSON object")]
    BadTemplateData,
    #[error("the template data has no `{0}`")]
    MissingAttribute(String),
    #[error("identity `{0}` does not exist")]
    NoSuchIdentity(String),
    #[error("identity `{0}` already exists")]
    IdentityExists(String),
    #[error("`{0}` is neither an address nor a domain")]
    BadIdentity(String),
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

/// The key to give to [`Db::woken`] to learn of new mails.
pub const WAKE: &str = "mail";

/// Recipients of one mail. Source: "Service quotas in Amazon SES".
const RECIPIENTS_MAX: usize = 50;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

impl Mail {
    /// The mails kept in `db`, which must know [`SCHEMA`].
    pub fn new(db: Db) -> Mail {
        Mail { db, listener: Arc::default() }
    }

    /// Tells `listener` of every mail from now on, once it is committed. There is one listener: a second is not heard.
    pub fn listen(&self, listener: Box<Listener>) {
        // A second call would be a mistake of the wiring; the first stands.
        let _ = self.listener.set(listener);
    }

    fn arrived(&self, call: &Call, message: Message) -> String {
        if let Some(listener) = self.listener.get() {
            listener(call, &message);
        }
        message.id
    }

    /// Sends a mail of parts; answers its identifier. Fails with `Address`, `NoRecipient`, `Recipients`, `TooLarge`, `NoContent`.
    pub async fn send(&self, call: &Call, draft: Draft) -> Result<String, Error> {
        draft.check()?;
        if draft.text.is_none() && draft.html.is_none() && draft.subject.is_none() {
            return Err(Error::NoContent);
        }
        let message = self.db.write(call, move |tx| put_in(tx, Message::of(draft), None)).await?;
        Ok(self.arrived(call, message))
    }

    /// Sends a mail that is written out already, as MIME. Fails as [`Mail::send`], with `NoSender`, and with `Unreadable`.
    pub async fn send_raw(&self, call: &Call, raw: Raw) -> Result<String, Error> {
        let message = mime::read(&raw)?;
        let message = self.db.write(call, move |tx| put_in(tx, message, Some(raw.bytes))).await?;
        Ok(self.arrived(call, message))
    }

    /// Sends a mail made from a template. Where the data lacks something that the template names, the mail is taken, as in production, but
    /// not delivered: the inbox shows it with the reason.
    pub async fn send_template(&self, call: &Call, templated: Templated) -> Result<String, Error> {
        templated.draft.check()?;
        let data = data(&templated.data)?;
        let message = self
            .db
            .write(call, move |tx| {
                let template = match (templated.content, &templated.template) {
                    (Some(content), _) => content,
                    (None, name) => store::get_template(tx, name)?,
                };
                put_in(tx, message::fill(templated.draft, &template, &data, &templated.data), None)
            })
            .await?;
        Ok(self.arrived(call, message))
    }

    /// The template filled in, as it would be sent. Fails with `NoSuchTemplate`, `BadTemplateData`, `MissingAttribute`, `BadTemplate`.
    pub async fn render_template(&self, call: &Call, name: &str, template_data: &str) -> Result<Template, Error> {
        let data = data(template_data)?;
        let template = self.template(call, name).await?;
        let fill = |text: &Option<String>| text.as_ref().map(|text| render(text, &data)).transpose();
        Ok(Template {
            name: template.name,
            subject: fill(&template.subject)?,
            text: fill(&template.text)?,
            html: fill(&template.html)?,
            ..template
        })
    }

    /// Makes a template. Fails with `TemplateExists`, `BadTemplate`.
    pub async fn create_template(&self, call: &Call, template: Template) -> Result<(), Error> {
        template.check()?;
        self.db
            .write(call, move |tx| {
                if store::find_template(tx, &template.name)?.is_some() {
                    return Err(Error::TemplateExists(template.name));
                }
                store::put_template(tx, &Template { created: tx.now(), ..template })
            })
            .await
    }

    /// Changes a template. Fails with `NoSuchTemplate`, `BadTemplate`.
    pub async fn update_template(&self, call: &Call, template: Template) -> Result<(), Error> {
        template.check()?;
        self.db
            .write(call, move |tx| {
                let created = store::get_template(tx, &template.name)?.created;
                store::put_template(tx, &Template { created, ..template })
            })
            .await
    }

    /// A template by name.
    pub async fn template(&self, call: &Call, name: &str) -> Result<Template, Error> {
        self.db.read(call, |tx| store::get_template(tx, name)).await
    }

    /// Templates in the order of their names, after `after`.
    pub async fn templates(&self, call: &Call, after: &str, limit: usize) -> Result<Vec<Template>, Error> {
        self.db.read(call, |tx| store::templates(tx, after, limit)).await
    }

    /// Removes a template; whether there was one.
    pub async fn delete_template(&self, call: &Call, name: &str) -> Result<bool, Error> {
        let name = name.to_owned();
        self.db.write(call, move |tx| store::remove_template(tx, &name)).await
    }

    /// Makes an address or a domain an identity, verified at once. Whether it was new.
    pub async fn verify(&self, call: &Call, identity: &str) -> Result<bool, Error> {
        if !identity.contains('@') && !address::is_domain(identity) {
            return Err(Error::BadIdentity(identity.to_owned()));
        }
        if identity.contains('@') {
            address::check(identity)?;
        }
        let identity = identity.to_owned();
        self.db.write(call, move |tx| store::put_identity(tx, &identity)).await
    }

    /// Identities in alphabetical order, after `after`.
    pub async fn identities(&self, call: &Call, after: &str, limit: usize) -> Result<Vec<String>, Error> {
        self.db.read(call, |tx| store::identities(tx, after, limit)).await
    }

    /// Whether there is such an identity.
    pub async fn is_identity(&self, call: &Call, identity: &str) -> Result<bool, Error> {
        self.db.read(call, |tx| store::is_identity(tx, identity)).await
    }

    /// Removes an identity; whether there was one.
    pub async fn delete_identity(&self, call: &Call, identity: &str) -> Result<bool, Error> {
        let identity = identity.to_owned();
        self.db.write(call, move |tx| store::remove_identity(tx, &identity)).await
    }

    /// The mails of the inbox, oldest first: the one of `id`, those from or to `address`, or all; at most `limit`, the latest.
    pub async fn inbox(
        &self,
        call: &Call,
        id: Option<&str>,
        address: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(Message, Option<Vec<u8>>)>, Error> {
        let wanted = address.map(|address| bare(address).to_lowercase());
        let mut found = self.db.read(call, |tx| store::messages(tx, id, limit)).await?;
        if let Some(wanted) = wanted {
            found.retain(|(message, _)| message.addresses().any(|address| bare(address).to_lowercase() == wanted));
        }
        Ok(found)
    }

    /// Removes one mail, or all.
    pub async fn clear(&self, call: &Call, id: Option<&str>) -> Result<(), Error> {
        let id = id.map(str::to_owned);
        self.db.write(call, move |tx| store::clear(tx, id.as_deref())).await
    }

    /// How many recipients were written to within the last 24 hours, by quarter of an hour; the time is where each begins.
    pub async fn statistics(&self, call: &Call) -> Result<Vec<(Time, u64)>, Error> {
        self.db.read(call, |tx| store::statistics(tx, tx.now().plus_ms(-DAY_MS))).await
    }
}

fn put_in(tx: &mut Tx<'_>, mut message: Message, raw: Option<Vec<u8>>) -> Result<Message, Error> {
    message.id = format!("{}-{}-000000", tx.ids().hex(8), tx.ids().uuid());
    message.at = tx.now();
    if let crate::base::Caller::Function(name) = &tx.call().caller {
        message.sender = Some(name.to_string());
    }
    store::insert(tx, &message, raw.as_deref())?;
    tx.count(Unit::Mails, message.recipients as u64);
    let attached: usize = message.attachments.iter().map(|attachment| attachment.bytes).sum();
    if attached > 0 {
        tx.count(Unit::MailAttachmentBytes, attached.saturating_mul(message.recipients) as u64);
    }
    tx.wake(WAKE);
    Ok(message)
}

fn data(text: &str) -> Result<serde_json::Value, Error> {
    let data: serde_json::Value = serde_json::from_str(text).map_err(|_| Error::BadTemplateData)?;
    if data.is_object() { Ok(data) } else { Err(Error::BadTemplateData) }
}
