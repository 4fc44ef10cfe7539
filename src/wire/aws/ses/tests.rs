use super::*;
use crate::base::{Clock, Time};
use crate::services::mail::SCHEMA;
use crate::store::{Db, Options};
use crate::wire::http::Body;

fn ses(folder: &tempfile::TempDir) -> Ses {
    let ids = Ids::seeded(1);
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock, ids: ids.clone(), ephemeral: true };
    Ses::new(Mail::new(Db::open(options, &[&SCHEMA]).expect("a new database opens")), Account::local("us-east-1"), ids)
}

fn request(method: &str, path: &str, body: &str) -> Request {
    http::Request::builder().method(method).uri(path).body(Body::from(body.to_owned().into_bytes())).expect("a request")
}

async fn check(ses: &Ses, method: &str, path: &str, body: &str, wanted: &str) {
    let response = ses.handle(&Call::operator(), request(method, path, body)).await;
    let status = response.status().as_u16();
    let bytes = response.into_body().collect(1 << 20).await.expect("a body");
    let text = format!("{status} {}", String::from_utf8_lossy(&bytes));
    let (code, part) = wanted.split_once(' ').expect("a status and a part");
    assert!(text.starts_with(code) && text.contains(part), "{method} {path} {body}: {text}");
}

const MAIL: &str = "Action=SendEmail&Source=a@b.c&Message.Subject.Data=Hi&Message.Body.Text.Data=text";

#[tokio::test]
async fn answers_of_v1() {
    let folder = tempfile::tempdir().expect("a folder");
    let ses = ses(&folder);
    for (body, wanted) in [
        (format!("{MAIL}&Destination.ToAddresses.member.1=x@y.z"), "200 <SendEmailResult><MessageId>"),
        (
            format!("{MAIL}&Destination.ToAddresses.member.1=nobody"),
            "400 <Code>InvalidParameterValue</Code><Message>Missing final &apos;@domain&apos;</Message>",
        ),
        (MAIL.to_owned(), "400 <Code>ValidationError</Code>"),
        ("Action=VerifyEmailIdentity&EmailAddress=a@b.c".to_owned(), "200 <VerifyEmailIdentityResult>"),
        ("Action=ListIdentities".to_owned(), "200 <Identities><member>a@b.c</member></Identities>"),
        ("Action=GetSendQuota".to_owned(), "200 <SentLast24Hours>1.0</SentLast24Hours>"),
        (
            "Action=GetTemplate&TemplateName=none".to_owned(),
            "400 <Code>TemplateDoesNotExist</Code><Message>Template none does not exist</Message>",
        ),
        ("Action=Dance".to_owned(), "400 <Code>InvalidAction</Code>"),
    ] {
        check(&ses, "POST", "/", &body, wanted).await;
    }
}

#[tokio::test]
async fn answers_of_v2_and_the_inbox() {
    let folder = tempfile::tempdir().expect("a folder");
    let ses = ses(&folder);
    let mail = r#"{"FromEmailAddress":"a@b.c","Destination":{"ToAddresses":["x@y.z"]},"Content":{"Simple":{"Subject":{"Data":"Hi"},"Body":{"Html":{"Data":"<b>"}}}}}"#;
    for (method, path, body, wanted) in [
        ("POST", "/v2/email/outbound-emails", mail, r#"200 {"MessageId":""#),
        ("POST", "/v2/email/outbound-emails", &mail.replace("x@y.z", "nobody"), r#"400 {"message":"Missing final '@domain'"}"#),
        ("POST", "/v2/email/identities", r#"{"EmailIdentity":"b.c"}"#, r#"200 "IdentityType":"DOMAIN""#),
        ("POST", "/v2/email/identities", r#"{"EmailIdentity":"b.c"}"#, "400 already exist"),
        ("GET", "/v2/email/identities/none%40x.y", "", "404 Email identity none@x.y does not exist."),
        ("POST", "/v2/email/templates", r#"{"TemplateName":"t","TemplateContent":{"Subject":"S {{n}}"}}"#, "200 {}"),
        ("GET", "/v2/email/templates/none", "", "404 Template none does not exist"),
        ("POST", "/v2/email/templates/t/render", r#"{"TemplateData":"{\"n\":1}"}"#, "200 S 1"),
        ("GET", "/v2/email/account", "", r#"200 "SentLast24Hours":1.0"#),
        ("GET", "/v2/email/nonsense", "", "404 emu has no operation"),
        ("POST", "/v2/email/outbound-emails", "{", "400 message"),
    ] {
        check(&ses, method, path, body, wanted).await;
    }
    let response = ses.inbox(&Call::operator(), request("GET", "/_aws/ses?email=x@y.z", "")).await;
    let shown: serde_json::Value = serde_json::from_slice(&response.into_body().collect(1 << 20).await.expect("a body")).expect("JSON");
    let first = &shown["messages"][0];
    for (pointer, wanted) in [
        ("/Source", "a@b.c"),
        ("/Subject", "Hi"),
        ("/Destination/ToAddresses/0", "x@y.z"),
        ("/Body/html_part", "<b>"),
        ("/Timestamp", "2023-11-14T22:13:20"),
        ("/Region", "us-east-1"),
    ] {
        assert_eq!(first.pointer(pointer).and_then(|v| v.as_str()), Some(wanted), "{pointer} of {first}");
    }
    assert_eq!(ses.inbox(&Call::operator(), request("DELETE", "/_aws/ses", "")).await.status(), 204);
}
