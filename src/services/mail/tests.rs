use serde_json::json;

use super::*;
use crate::base::{Clock, Ids};
use crate::store::Options;

fn mail(folder: &tempfile::TempDir) -> Mail {
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock, ids: Ids::seeded(1), ephemeral: true };
    Mail::new(Db::open(options, &[&SCHEMA]).expect("a new database opens"))
}

fn draft(to: &[&str]) -> Draft {
    let to = to.iter().map(|address| (*address).to_owned()).collect();
    Draft {
        source: "shop@example.com".into(),
        to,
        subject: Some("Hi".into()),
        text: Some("text".into()),
        bytes_max: 10 << 20,
        ..Draft::default()
    }
}

#[tokio::test]
async fn what_is_sent_lies_in_the_inbox_and_is_found_by_address() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mail, call) = (mail(&folder), Call::operator());
    let id = mail.send(&call, draft(&["Ann <ann@example.com>", "bob@example.com"])).await.expect("sent");
    mail.send(&call, draft(&["cid@example.com"])).await.expect("sent");
    for (wanted_id, address, count) in [
        (None, None, 2),
        (None, Some("ANN@example.com"), 1),
        (Some(id.as_str()), None, 1),
        (None, Some("shop@example.com"), 2),
        (None, Some("x@y.z"), 0),
    ] {
        assert_eq!(mail.inbox(&call, wanted_id, address, 100).await.expect("mails").len(), count, "{wanted_id:?} {address:?}");
    }
    assert_eq!(call.meter.total().get(Unit::Mails), 3);
    mail.clear(&call, None).await.expect("cleared");
    assert!(mail.inbox(&call, None, None, 100).await.expect("mails").is_empty());
}

#[tokio::test]
async fn wrong_mails_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mail, call) = (mail(&folder), Call::operator());
    let many: Vec<String> = (0..51).map(|n| format!("a{n}@b.c")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let large = Draft { text: Some("x".repeat(11 << 20)), ..draft(&["a@b.c"]) };
    for (draft, wanted) in [
        (draft(&[]), "the mail has no recipient"),
        (draft(&many), "the mail has 51 recipients, more than 50"),
        (draft(&["nobody"]), "Missing final '@domain'"),
        (draft(&["a@.b"]), "Domain starts with dot"),
        (draft(&["a b@c.d"]), "Local address contains control or whitespace"),
        (draft(&["a@b.c\r\nBcc: x@y.z"]), "Illegal address"),
        (Draft { source: String::new(), ..draft(&["a@b.c"]) }, "the mail has no sender"),
        (large, "the mail has 11534338 bytes, more than 10485760"),
    ] {
        assert_eq!(mail.send(&call, draft).await.expect_err("refused").to_string(), wanted);
    }
}

#[tokio::test]
async fn a_raw_mail_shows_its_parts() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mail, call) = (mail(&folder), Call::operator());
    let bytes = concat!(
        "From: =?UTF-8?B?QW5uw6k=?= <ann@example.com>\r\nTo: bob@example.com\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\n",
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/alternative; boundary=y\r\n\r\n",
        "--y\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve\r\n",
        "--y\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<b>hi</b>\r\n--y--\r\n",
        "--x\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=bill.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAECAw==\r\n--x--\r\n",
    );
    let raw = |destinations: &[&str]| Raw {
        destinations: destinations.iter().map(|address| (*address).to_owned()).collect(),
        bytes: bytes.as_bytes().to_vec(),
        bytes_max: 10 << 20,
        ..Raw::default()
    };
    mail.send_raw(&call, raw(&["bob@example.com", "blind@example.com"])).await.expect("sent");
    let (m, kept) = mail.inbox(&call, None, None, 1).await.expect("mails").remove(0);
    assert_eq!(kept.as_deref(), Some(bytes.as_bytes()));
    assert_eq!((m.source.as_str(), m.subject.as_str()), ("Anné <ann@example.com>", "Grüße"));
    assert_eq!((m.to, m.bcc), (vec!["bob@example.com".to_owned()], vec!["blind@example.com".to_owned()]));
    assert_eq!((m.text.as_deref().map(str::trim_end), m.html.as_deref().map(str::trim_end)), (Some("naïve"), Some("<b>hi</b>")));
    assert_eq!(m.attachments, [Attachment { name: Some("bill.pdf".into()), kind: "application/pdf".into(), bytes: 4 }]);
    assert_eq!(call.meter.total().get(Unit::MailAttachmentBytes), 8, "for each of two recipients");
    assert!(matches!(
        mail.send_raw(&call, Raw { bytes: b"Subject: x\r\n\r\ny".to_vec(), bytes_max: 100, ..Raw::default() }).await,
        Err(Error::NoSender)
    ));
}

#[tokio::test]
async fn a_template_that_lacks_data_is_taken_but_shown_as_failed() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mail, call) = (mail(&folder), Call::operator());
    let template = Template { name: "t".into(), subject: Some("Hi {{name}}".into()), text: Some("{{code}}".into()), ..Template::default() };
    mail.create_template(&call, template.clone()).await.expect("a template");
    assert!(matches!(mail.create_template(&call, template).await, Err(Error::TemplateExists(_))));
    for (data, subject, failure) in
        [(r#"{"name":"Ann","code":7}"#, "Hi Ann", None), (r#"{"name":"Ann"}"#, "Hi Ann", Some("the template data has no `code`"))]
    {
        let templated = Templated { draft: draft(&["a@b.c"]), template: "t".into(), content: None, data: data.into() };
        let id = mail.send_template(&call, templated).await.expect("taken");
        let (m, _) = mail.inbox(&call, Some(&id), None, 1).await.expect("mails").remove(0);
        assert_eq!((m.subject.as_str(), m.failure.as_deref()), (subject, failure));
    }
}

#[test]
fn templates() {
    let data = json!({ "name": "<Ann>", "user": { "age": 3 }, "items": [{ "n": "a" }, { "n": "b" }], "none": [], "yes": true });
    for (template, wanted) in [
        ("Hi {{name}} {{{name}}}", "Hi &lt;Ann&gt; <Ann>"),
        ("{{user.age}}{{! a comment }}", "3"),
        ("{{#each items}}{{@index}}{{n}}{{../yes}} {{/each}}", "0atrue 1btrue "),
        ("{{#each none}}x{{else}}empty{{/each}}", "empty"),
        ("{{#if yes}}a{{else}}b{{/if}}{{#unless yes}}c{{/unless}}{{#if missing}}d{{/if}}", "a"),
    ] {
        assert_eq!(render(template, &data).expect("rendered"), wanted);
    }
    for bad in ["{{name", "{{#each items}}", "{{/each}}", "{{else}}", "{{#nope x}}{{/nope}}", "{{missing}}"] {
        assert!(render(bad, &data).is_err(), "{bad}");
    }
    assert!(render(&"{{#if yes}}".repeat(1_000), &data).is_err());
}
