//! Reads mails that are written out already.

use mail_parser::{Address, MessageParser, MimeHeaders};

use super::message::{Attachment, Message, Raw};
use super::{Error, RECIPIENTS_MAX, address};

/// What a raw mail shows. Its own recipients count where none are given besides it.
pub(super) fn read(raw: &Raw) -> Result<Message, Error> {
    if raw.bytes.len() > raw.bytes_max {
        return Err(Error::TooLarge { bytes: raw.bytes.len(), bytes_max: raw.bytes_max });
    }
    let parsed = MessageParser::default().parse(raw.bytes.as_slice()).ok_or(Error::Unreadable)?;
    let (to, cc, bcc) = (all(parsed.to()), all(parsed.cc()), all(parsed.bcc()));
    let source = raw.source.clone().filter(|source| !source.trim().is_empty()).or_else(|| all(parsed.from()).into_iter().next());
    let source = source.ok_or(Error::NoSender)?;
    let recipients: Vec<&String> = match raw.destinations.is_empty() {
        true => to.iter().chain(&cc).chain(&bcc).collect(),
        false => raw.destinations.iter().collect(),
    };
    match recipients.len() {
        0 => return Err(Error::NoRecipient),
        count if count > RECIPIENTS_MAX => return Err(Error::Recipients(count)),
        _ => {}
    }
    recipients.iter().copied().chain([&source]).try_for_each(|address| address::check(address))?;
    let recipients = recipients.len();
    let named = |address: &String| to.iter().chain(&cc).any(|other| address::bare(other).eq_ignore_ascii_case(address::bare(address)));
    // Whoever gets it without being named in it is a blind copy.
    let blind = raw.destinations.iter().filter(|address| !named(address)).cloned().collect();
    let attachments = parsed
        .attachments()
        .map(|part| {
            let kind = part.content_type().map(|kind| match kind.subtype() {
                Some(subtype) => format!("{}/{subtype}", kind.ctype()),
                None => kind.ctype().to_owned(),
            });
            Attachment {
                name: part.attachment_name().map(str::to_owned),
                kind: kind.unwrap_or_else(|| "application/octet-stream".to_owned()),
                bytes: part.contents().len(),
            }
        })
        .collect();
    // A body is also made of the other kind where only one is there; only what was sent is shown.
    let text = parsed.text_bodies().find(|part| part.is_text() && !part.is_text_html()).and_then(|part| part.text_contents());
    let html = parsed.html_bodies().find(|part| part.is_text_html()).and_then(|part| part.text_contents());
    Ok(Message {
        source,
        subject: parsed.subject().unwrap_or_default().to_owned(),
        text: text.map(str::to_owned),
        html: html.map(str::to_owned),
        reply_to: all(parsed.reply_to()),
        attachments,
        bcc: if raw.destinations.is_empty() { bcc } else { blind },
        to,
        cc,
        tags: raw.tags.clone(),
        configuration: raw.configuration.clone(),
        recipients,
        ..Message::default()
    })
}

fn all(address: Option<&Address<'_>>) -> Vec<String> {
    let one = |addr: &mail_parser::Addr<'_>| {
        let bare = addr.address()?;
        Some(addr.name().map_or_else(|| bare.to_owned(), |name| format!("{name} <{bare}>")))
    };
    address.map(|address| address.iter().filter_map(one).collect()).unwrap_or_default()
}
