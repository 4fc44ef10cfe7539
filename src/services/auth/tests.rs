use std::collections::BTreeMap;

use serde_json::{Map, json};

use super::*;
use crate::base::{Call, Clock, Ids, Time};
use crate::store::{Db, Options};

struct World {
    auth: Auth,
    db: Db,
    clock: Clock,
    call: Call,
    realm: Realm,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    World { auth: Auth::new(db.clone()), db, clock, call: Call::operator(), realm: Realm::of("demo"), _folder: folder }
}

impl World {
    async fn sign_up(&self, email: &str) -> Signed {
        let signed = self.auth.sign_up(&self.call, &self.realm, Some(email.into()), Some("secret".into()), (None, None)).await;
        signed.expect("signed up")
    }

    async fn sign_in(&self, email: &str, password: &str) -> Result<Signed, Error> {
        self.auth.sign_in_with_password(&self.call, &self.realm, Some(email), Some(password.into())).await
    }

    async fn events(&self) -> Vec<String> {
        let sql = "SELECT body FROM outbox ORDER BY id";
        let bodies: Vec<String> = self.db.read(&self.call, |tx| tx.rows(sql, [], |row| row.get(0))).await.expect("events");
        let told = |body: &String| {
            let event: event::Event = serde_json::from_str(body).expect("an event");
            assert!(event.user.secret.is_none(), "a password is told to nobody");
            format!("{:?} {}", event.kind, event.user.email.unwrap_or_default())
        };
        bodies.iter().map(told).collect()
    }
}

fn token_of(signed: &Signed) -> Tokens {
    signed.tokens.clone().expect("tokens")
}

#[tokio::test]
async fn a_user_signs_up_and_in_and_is_told_of_once() {
    let w = world();
    let signed = w.sign_up("Ada@Example.com").await;
    assert_eq!((signed.is_new, signed.user.email.as_deref()), (true, Some("ada@example.com")));
    assert_eq!(w.sign_in("ADA@example.com", "secret").await.expect("signed in").user.uid, signed.user.uid);
    for (email, password, wanted) in [
        ("ada@example.com", "wrong!", Error::InvalidPassword),
        ("bob@example.com", "secret", Error::EmailNotFound),
        ("nobody", "secret", Error::InvalidEmail),
        ("ada@example.com", "", Error::MissingPassword),
    ] {
        assert_eq!(w.sign_in(email, password).await.expect_err("refused"), wanted, "{email} {password}");
    }
    assert_eq!(w.events().await, ["Created ada@example.com"]);
    w.auth.delete(&w.call, &w.realm, &signed.user.uid).await.expect("deleted");
    assert_eq!(w.events().await, ["Created ada@example.com", "Deleted ada@example.com"]);
    assert_eq!(w.auth.delete(&w.call, &w.realm, &signed.user.uid).await, Err(Error::UserNotFound));
}

#[tokio::test]
async fn tokens_say_what_production_says_and_end_with_the_clock() {
    let w = world();
    let tokens = token_of(&w.sign_up("a@b.c").await);
    let claims = token::claims(&tokens.id_token).expect("claims");
    let now = 1_700_000_000;
    let shown: BTreeMap<&str, &serde_json::Value> = claims.iter().map(|(name, value)| (name.as_str(), value)).collect();
    for (name, wanted) in [
        ("email", json!("a@b.c")),
        ("email_verified", json!(false)),
        ("aud", json!("demo")),
        ("iss", json!("https://securetoken.google.com/demo")),
        ("iat", json!(now)),
        ("auth_time", json!(now)),
        ("exp", json!(now + 3_600)),
        ("firebase", json!({ "identities": { "email": ["a@b.c"] }, "sign_in_provider": "password" })),
    ] {
        assert_eq!(shown.get(name), Some(&&wanted), "{name}");
    }
    assert_eq!(shown["sub"], shown["user_id"]);
    assert!(tokens.id_token.ends_with('.'));
    w.auth.whoami(&w.call, &w.realm, &tokens.id_token).await.expect("known");
    w.clock.advance_ms(3_600_000);
    assert_eq!(w.auth.whoami(&w.call, &w.realm, &tokens.id_token).await, Err(Error::InvalidIdToken));
    let (_, fresh) = w.auth.refresh(&w.call, "demo", &tokens.refresh_token).await.expect("new tokens");
    let claims = token::claims(&fresh.id_token).expect("claims");
    assert_eq!((&claims["iat"], &claims["auth_time"]), (&json!(now + 3_600), &json!(now)));
    assert_eq!(w.auth.refresh(&w.call, "other", &tokens.refresh_token).await.expect_err("elsewhere"), Error::InvalidRefreshToken);
}

#[tokio::test]
async fn another_password_voids_what_was_issued_before() {
    let w = world();
    let signed = w.sign_up("a@b.c").await;
    w.clock.advance_ms(2_000);
    let change = Change { password: Some("another".into()), ..Change::default() };
    let updated = w.auth.update(&w.call, &w.realm, Update::Uid(signed.user.uid, Box::new(change)), Default::default()).await;
    assert!(updated.expect("changed").tokens.is_some(), "whoever changes it goes on");
    let tokens = signed.tokens.expect("tokens");
    assert_eq!(w.auth.whoami(&w.call, &w.realm, &tokens.id_token).await, Err(Error::TokenExpired));
    assert_eq!(w.auth.refresh(&w.call, "demo", &tokens.refresh_token).await.expect_err("void"), Error::TokenExpired);
    assert_eq!(w.sign_in("a@b.c", "secret").await.expect_err("old"), Error::InvalidPassword);
    w.sign_in("a@b.c", "another").await.expect("the new one");
}

#[tokio::test]
async fn a_mailed_code_works_once_and_only_for_so_long() {
    let w = world();
    w.sign_up("a@b.c").await;
    let reset = async || {
        let ask = Ask { email: Some("a@b.c".into()), link: ("http://x/?c=".into(), "&k".into()), ..Ask::default() };
        w.auth.send_code(&w.call, &w.realm, Purpose::ResetPassword, ask).await.expect("sent").1.expect("a code")
    };
    let code = reset().await;
    assert_eq!(code.link, format!("http://x/?c={}&k", code.code));
    let short = w.auth.reset_password(&w.call, &w.realm, &code.code, Some("short")).await;
    assert_eq!(short, Err(Error::WeakPassword));
    w.auth.reset_password(&w.call, &w.realm, &code.code, Some("better one")).await.expect("reset");
    assert_eq!(w.auth.reset_password(&w.call, &w.realm, &code.code, Some("once more")).await, Err(Error::InvalidOob));
    assert_eq!(w.sign_in("a@b.c", "better one").await.expect("signed in").user.email_verified, Some(true));
    let late = reset().await;
    w.clock.advance_ms(Purpose::ResetPassword.valid_ms());
    assert_eq!(w.auth.code(&w.call, &w.realm, &late.code).await, Err(Error::ExpiredOob));
}

#[tokio::test]
async fn a_link_signs_in_and_makes_the_user_who_is_not_there() {
    let w = world();
    let ask = Ask { email: Some("New@b.c".into()), ..Ask::default() };
    let code = w.auth.send_code(&w.call, &w.realm, Purpose::SignIn, ask).await.expect("sent").1.expect("a code");
    let sign_in = async |email: &str| w.auth.sign_in_with_link(&w.call, &w.realm, (Some(email), Some(&code.code)), None).await;
    assert_eq!(sign_in("other@b.c").await.expect_err("not the address"), Error::WrongEmail);
    let signed = sign_in("new@b.c").await.expect("signed in");
    assert!(signed.is_new && signed.user.email_verified == Some(true) && signed.user.providers[0].id == PASSWORD);
    assert_eq!(sign_in("new@b.c").await.expect_err("used"), Error::InvalidOob);
}

#[tokio::test]
async fn a_phone_signs_in_by_its_code() {
    let w = world();
    let phone = "+15555550100";
    assert_eq!(w.auth.send_phone_code(&w.call, &w.realm, "0555").await, Err(Error::InvalidPhone));
    let session = w.auth.send_phone_code(&w.call, &w.realm, phone).await.expect("sent");
    let code = w.auth.phone_codes(&w.call, &w.realm).await.expect("codes")[0].code.clone();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let sign_in = async |code: &str, token: Option<String>| w.auth.sign_in_with_phone(&w.call, &w.realm, (&session, code), token).await;
    assert!(matches!(sign_in(wrong, None).await, Err(Error::InvalidCode)));
    let Ok(PhoneSigned::In(signed)) = sign_in(&code, None).await else { panic!("signed in") };
    assert_eq!((signed.is_new, signed.user.phone.as_deref()), (true, Some(phone)));
    assert!(matches!(sign_in(&code, None).await, Err(Error::InvalidSession)));
    let late = w.auth.send_phone_code(&w.call, &w.realm, "+15555550199").await.expect("sent");
    w.clock.advance_ms(5 * 60 * 1_000);
    let refused = w.auth.sign_in_with_phone(&w.call, &w.realm, (&late, "000000"), None).await;
    assert!(matches!(refused, Err(Error::ExpiredSession)), "{refused:?}");
    // Somebody else who shows the number as theirs gets a proof, and cannot have it.
    let other = token_of(&w.auth.sign_up_anonymous(&w.call, &w.realm).await.expect("signed up")).id_token;
    let session = w.auth.send_phone_code(&w.call, &w.realm, phone).await.expect("sent");
    let code = w.auth.phone_codes(&w.call, &w.realm).await.expect("codes").pop().expect("a code").code;
    let taken = w.auth.sign_in_with_phone(&w.call, &w.realm, (&session, &code), Some(other.clone())).await;
    let Ok(PhoneSigned::Elsewhere { proof, phone }) = taken else { panic!("{taken:?}") };
    let refused = w.auth.sign_in_with_proof(&w.call, &w.realm, (&proof, &phone), Some(other)).await;
    assert_eq!(refused.expect_err("taken"), Error::PhoneExists);
    let own = w.auth.sign_in_with_proof(&w.call, &w.realm, (&proof, &phone), None).await.expect("the number's owner");
    assert_eq!(own.user.uid, signed.user.uid);
}

#[tokio::test]
async fn a_second_factor_is_asked_for() {
    let w = world();
    let signed = w.sign_up("a@b.c").await;
    let token = token_of(&signed).id_token;
    let start = async || w.auth.start_enrollment(&w.call, &w.realm, &token, "+15555550101").await;
    assert_eq!(start().await, Err(Error::UnverifiedEmail));
    let verified = Change { email_verified: Some(true), ..Change::default() };
    w.auth.update(&w.call, &w.realm, Update::Uid(signed.user.uid, Box::new(verified)), Default::default()).await.expect("verified");
    let session = start().await.expect("sent");
    let code = async || w.auth.phone_codes(&w.call, &w.realm).await.expect("codes")[0].code.clone();
    let sent = code().await;
    w.auth.finish_enrollment(&w.call, &w.realm, &token, (&session, &sent), None).await.expect("enrolled");
    assert_eq!(start().await, Err(Error::FactorExists));
    let half = w.sign_in("a@b.c", "secret").await.expect("half way");
    let (pending, factors) = half.pending.expect("a second factor");
    assert!(half.tokens.is_none() && hidden_phone(&factors[0].phone) == "+*******0101");
    let session = w.auth.start_second(&w.call, &w.realm, &pending, &factors[0].id).await.expect("sent");
    let sent = code().await;
    let tokens = w.auth.finish_second(&w.call, &w.realm, &pending, (&session, &sent)).await.expect("signed in");
    let claims = token::claims(&tokens.id_token).expect("claims");
    assert_eq!(claims["firebase"]["sign_in_second_factor"], json!("phone"));
    let tokens = w.auth.withdraw(&w.call, &w.realm, &tokens.id_token, &factors[0].id).await.expect("withdrawn");
    assert!(token::claims(&tokens.id_token).expect("claims")["firebase"].get("sign_in_second_factor").is_none());
    assert!(w.sign_in("a@b.c", "secret").await.expect("signed in").tokens.is_some());
}

fn google(sub: &str, email: &str, verified: bool) -> Identity {
    let claims = json!({ "sub": sub, "email": email, "email_verified": verified, "name": "G" });
    let claims = claims.as_object().cloned().unwrap_or_default();
    Identity::of(Assertion { provider: "google.com".into(), claims, ..Assertion::default() })
}

#[tokio::test]
async fn another_companys_identity_meets_the_user_of_its_address() {
    let w = world();
    let sign_in = async |identity: &Identity, token: Option<String>| w.auth.sign_in_with_identity(&w.call, &w.realm, identity, token).await;
    let own = w.sign_up("a@b.c").await;
    // Whoever only says that the address is theirs has to show it.
    let Ok(Outcome::Confirm { uid, .. }) = sign_in(&google("1", "a@b.c", false), None).await else { panic!("to be confirmed") };
    assert_eq!(uid, own.user.uid);
    // A provider that knows the address takes an unverified user's over, password and all.
    let Ok(Outcome::In { signed, recycled }) = sign_in(&google("1", "a@b.c", true), None).await else { panic!("signed in") };
    assert_eq!((signed.user.uid.as_str(), recycled, signed.is_new), (own.user.uid.as_str(), false, false));
    assert_eq!(signed.user.providers.iter().map(|provider| provider.id.as_str()).collect::<Vec<_>>(), ["google.com"]);
    assert_eq!(w.sign_in("a@b.c", "secret").await.expect_err("no password any more"), Error::InvalidPassword);
    let Ok(Outcome::In { signed: other, .. }) = sign_in(&google("2", "new@b.c", true), None).await else { panic!("signed up") };
    assert!(other.is_new && other.user.display_name.as_deref() == Some("G"));
    let token = token_of(&other).id_token;
    assert_eq!(sign_in(&google("1", "x@b.c", true), Some(token)).await.expect_err("taken"), Error::AlreadyLinked);
}

#[tokio::test]
async fn claims_are_the_users_or_the_sessions_and_never_firebases() {
    let w = world();
    let mut claims = Map::new();
    claims.insert("role".into(), json!("admin"));
    let signed = w.auth.sign_in_with_custom(&w.call, &w.realm, "own-id", claims.clone()).await.expect("signed in");
    assert!(signed.is_new);
    let change = Change { claims: Some(r#"{"team":7}"#.into()), ..Change::default() };
    w.auth.update(&w.call, &w.realm, Update::Uid("own-id".into(), Box::new(change)), Default::default()).await.expect("changed");
    let (_, tokens) = w.auth.refresh(&w.call, "demo", &token_of(&signed).refresh_token).await.expect("new tokens");
    let said = token::claims(&tokens.id_token).expect("claims");
    assert_eq!((&said["role"], &said["team"]), (&json!("admin"), &json!(7)));
    claims.insert("firebase".into(), json!(1));
    let refused = w.auth.sign_in_with_custom(&w.call, &w.realm, "own-id", claims).await;
    assert_eq!(refused.expect_err("reserved"), Error::ReservedClaim("firebase".into()));
    for (text, wanted) in [
        ("[]".to_owned(), Error::InvalidClaims),
        ("{\"iss\":1}".to_owned(), Error::ReservedClaim("iss".into())),
        (format!("{{\"a\":\"{}\"}}", "x".repeat(1_000)), Error::ClaimsTooLarge),
    ] {
        let change = Change { claims: Some(text), ..Change::default() };
        let update = Update::Uid("own-id".into(), Box::new(change));
        let refused = w.auth.update(&w.call, &w.realm, update, Default::default()).await;
        assert_eq!(refused.expect_err("refused"), wanted);
    }
}

#[tokio::test]
async fn tenants_keep_their_users_apart() {
    let w = world();
    let (id, _) = w.auth.create_tenant(&w.call, "demo", json!({ "displayName": "acme", "allowPasswordSignup": true })).await.expect("made");
    let tenant = Realm { project: "demo".into(), tenant: Some(id.clone()) };
    w.sign_up("a@b.c").await;
    let there = w.auth.sign_up(&w.call, &tenant, Some("a@b.c".into()), Some("secret".into()), (None, None)).await.expect("signed up");
    let token = token_of(&there).id_token;
    assert_eq!(token::claims(&token).expect("claims")["firebase"]["tenant"], json!(id));
    assert_eq!(w.auth.whoami(&w.call, &w.realm, &token).await, Err(Error::TenantMismatch));
    assert_eq!(w.auth.sign_up_anonymous(&w.call, &tenant).await.expect_err("not allowed"), Error::AdminOnly);
    w.auth.delete_tenant(&w.call, "demo", &id).await.expect("deleted");
    assert_eq!(w.auth.count(&w.call, &tenant).await, Ok(0));
    assert_eq!(w.auth.count(&w.call, &w.realm).await, Ok(1));
}

#[tokio::test]
async fn users_come_along_in_an_export() {
    let (from, to) = (world(), world());
    let signed = from.sign_up("a@b.c").await;
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = crate::store::portable::Writer::new(folder.path().join("state"));
    from.db.read(&from.call, |tx| portable::export_in(tx, &mut writer)).await.expect("written");
    writer.finish().expect("written");
    let reader = crate::store::portable::Reader::new(folder.path().join("state"));
    to.db.write(&to.call, move |tx| portable::import_in(tx, &reader)).await.expect("read");
    assert_eq!(to.sign_in("a@b.c", "secret").await.expect("signed in").user.uid, signed.user.uid);
}

struct Hooks;

impl Blocking for Hooks {
    fn has(&self, _project: &str, _moment: Moment) -> bool {
        true
    }

    fn ask<'a>(
        &'a self,
        _call: &'a Call,
        _realm: &'a Realm,
        moment: Moment,
        user: &'a User,
        _context: &'a Context,
    ) -> futures_util::future::BoxFuture<'a, Result<Answer, String>> {
        let refused = user.email.as_deref().is_some_and(|email| email.ends_with("@evil.example"));
        let mut session_claims = Map::new();
        session_claims.insert("hook".into(), json!(true));
        let answer = match moment {
            Moment::Create => Answer { display_name: Some(Some("Hooked".into())), ..Answer::default() },
            Moment::SignIn => Answer { session_claims, ..Answer::default() },
        };
        Box::pin(async move { if refused { Err("no".to_owned()) } else { Ok(answer) } })
    }
}

#[tokio::test]
async fn functions_that_are_asked_before_may_change_and_refuse() {
    let w = world();
    w.auth.ask_before(Arc::new(Hooks));
    let signed = w.sign_up("a@b.c").await;
    assert_eq!(signed.user.display_name.as_deref(), Some("Hooked"));
    assert_eq!(token::claims(&token_of(&signed).id_token).expect("claims")["hook"], json!(true));
    let refused = w.auth.sign_up(&w.call, &w.realm, Some("x@evil.example".into()), Some("secret".into()), (None, None)).await;
    assert_eq!(refused.expect_err("refused"), Error::Blocked("no".into()));
    assert_eq!(w.auth.count(&w.call, &w.realm).await, Ok(1), "nobody was made");
}
