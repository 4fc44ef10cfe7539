//! The inbox, as the admin API shows it.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::Shared;
use crate::base::Call;
use crate::gateway::asked::MailsAsk;
use crate::services::mail::{self, Message, bare};

/// Mails that one answer has: the latest.
const MAILS_MAX: usize = 1_000;

impl Shared {
    /// The mails that are asked for, oldest first; waits for one where there is none and the question says for how long.
    pub(super) async fn inbox<'a>(&'a self, ask: &'a MailsAsk) -> Result<Vec<Value>, mail::Error> {
        let look = || {
            Box::pin(async {
                let mails = self.world.services.mail.inbox(&Call::operator(), None, None, MAILS_MAX).await?;
                Ok(matching(mails.into_iter().map(|(mail, _)| mail), ask))
            }) as BoxFuture<'_, _>
        };
        self.found(mail::WAKE, ask.wait, look).await
    }
}

fn matching(mails: impl Iterator<Item = Message>, ask: &MailsAsk) -> Vec<Value> {
    let mails: Vec<Message> = mails.collect();
    let seen = ask.after.as_deref().and_then(|after| mails.iter().position(|mail| mail.id == after));
    mails.iter().skip(seen.map_or(0, |seen| seen + 1)).filter(|mail| wanted(mail, ask)).map(shown).collect()
}

fn wanted(mail: &Message, ask: &MailsAsk) -> bool {
    let is = |address: &str, wanted: &str| bare(address).eq_ignore_ascii_case(bare(wanted));
    let to = ask.to.as_deref().is_none_or(|to| mail.addresses().skip(1).any(|address| is(address, to)));
    let from = ask.from.as_deref().is_none_or(|from| is(&mail.source, from));
    let part = ask.subject.as_ref().map(|subject| subject.to_lowercase());
    to && from && part.is_none_or(|part| mail.subject.to_lowercase().contains(&part))
}

fn shown(mail: &Message) -> Value {
    let attachments = mail.attachments.iter();
    let attachments: Vec<Value> = attachments.map(|a| json!({ "name": a.name, "type": a.kind, "bytes": a.bytes })).collect();
    json!({
        "id": mail.id,
        "at": mail.at.iso(),
        "from": mail.source,
        "to": mail.to,
        "cc": mail.cc,
        "bcc": mail.bcc,
        "replyTo": mail.reply_to,
        "subject": mail.subject,
        "text": mail.text,
        "html": mail.html,
        "attachments": attachments,
        "template": mail.template.as_ref().map(|(name, _)| name),
        "function": mail.sender,
        "failure": mail.failure,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, to: &str, subject: &str) -> Message {
        let (source, to) = ("Shop <shop@example.com>".to_owned(), vec![to.to_owned()]);
        Message { id: id.into(), source, to, subject: subject.into(), ..Message::default() }
    }

    #[test]
    fn mails_are_found_by_address_subject_and_the_last_one_seen() {
        let mails = || {
            let copied = Message { cc: vec!["ada@example.com".into()], ..mail("3", "bob@example.com", "Your order") };
            [mail("1", "Ada <ADA@example.com>", "Welcome, Ada"), mail("2", "bob@example.com", "Welcome, Bob"), copied].into_iter()
        };
        let found = |ask: MailsAsk| -> Vec<String> {
            matching(mails(), &ask).iter().map(|mail| mail["id"].as_str().expect("an id").to_owned()).collect()
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(found(MailsAsk::default()), ["1", "2", "3"]);
        assert_eq!(found(MailsAsk { to: text("ada@Example.com"), ..MailsAsk::default() }), ["1", "3"], "copies too, whatever the case");
        assert_eq!(found(MailsAsk { subject: text("welcome"), ..MailsAsk::default() }), ["1", "2"]);
        assert_eq!(found(MailsAsk { to: text("ada@example.com"), after: text("1"), ..MailsAsk::default() }), ["3"]);
        assert_eq!(found(MailsAsk { after: text("gone"), ..MailsAsk::default() }), ["1", "2", "3"], "a reset begins again");
        assert_eq!(found(MailsAsk { from: text("shop@example.com"), ..MailsAsk::default() }).len(), 3);
        assert_eq!(found(MailsAsk { from: text("ada@example.com"), ..MailsAsk::default() }).len(), 0);
    }
}
