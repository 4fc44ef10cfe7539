//! What administrators ask for many users, settings and tenants, and what only emulators have.

use serde_json::{Map, Value, json};

use super::Auth;
use super::accounts::{factor, provider, request_type};
use super::ask::{Ask, is_absolute, member, text, truth};
use super::encode::{self, object, opt};
use super::fail::Refusal;
use crate::base::{Call, Time};
use crate::services::auth::{Code, Hash, How, Import, Realm, User, any_base64};

type Answer = Result<Map<String, Value>, Refusal>;

/// Users of one request.
const USERS_MAX: usize = 1_000;
/// Users of a page where nobody says how many, and at most.
const PAGE: usize = 20;
const PAGE_MAX: usize = 1_000;
/// "All", as the Firebase CLI asks for with `maxResults=-1`.
const ALL: usize = 100_000;

impl Auth {
    pub(super) async fn batch_create(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let users: Vec<&Map<String, Value>> = ask.objects("users").collect();
        if users.is_empty() {
            return Err(Refusal::bad("MISSING_USER_ACCOUNT"));
        }
        if users.len() > USERS_MAX {
            return Err(Refusal::bad("USER_COUNT_EXCEEDS_LIMIT"));
        }
        let overwrite = ask.is("allowOverwrite");
        if ask.is("sanityCheck") {
            twice(users.iter().filter_map(|user| member(user, "email")))
                .map_or(Ok(()), |email| Err(Refusal::bad(format!("DUPLICATE_EMAIL : {email}"))))?;
            let all = users.iter().flat_map(|user| user.get("providerUserInfo").and_then(Value::as_array).into_iter().flatten());
            let named = all
                .filter_map(Value::as_object)
                .map(|one| (member(one, "providerId").unwrap_or_default(), member(one, "rawId").unwrap_or_default()));
            if let Some((provider, raw)) = twice(named) {
                return Err(Refusal::bad(format!("DUPLICATE_RAW_ID : Provider id({provider}), Raw id({raw})")));
            }
        }
        if !overwrite && let Some(uid) = twice(users.iter().map(|user| member(user, "localId").unwrap_or_default())) {
            return Err(Refusal::bad(format!("DUPLICATE_LOCAL_ID : {uid}")));
        }
        let how = how(ask);
        let users = users.into_iter().map(imported).collect();
        let wrong = self.auth.import(call, realm, users, how, overwrite).await?;
        let wrong: Vec<Value> = wrong.into_iter().map(|(index, message)| json!({ "index": index, "message": message })).collect();
        Ok(object([("kind", Some(json!("identitytoolkit#UploadAccountResponse"))), ("error", Some(json!(wrong)))]))
    }

    pub(super) async fn batch_delete(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let uids = ask.texts("localIds");
        if uids.is_empty() || uids.len() > USERS_MAX {
            return Err(Refusal::bad("LOCAL_ID_LIST_EXCEEDS_LIMIT"));
        }
        let kept = self.auth.delete_many(call, realm, uids.clone(), ask.is("force")).await?;
        let message = "NOT_DISABLED : Disable the account before batch deletion.";
        let errors: Vec<Value> =
            kept.into_iter().map(|index| json!({ "index": index, "localId": uids.get(index), "message": message })).collect();
        Ok(object([("errors", (!errors.is_empty()).then(|| json!(errors)))]))
    }

    pub(super) async fn batch_get(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let asked =
            ask.query("maxResults").map(str::to_owned).or_else(|| ask.text("maxResults")).and_then(|count| count.parse::<i64>().ok());
        let limit = match asked {
            Some(count) if count < 0 => ALL,
            Some(count) if count > 0 => usize::try_from(count).unwrap_or(PAGE_MAX).min(PAGE_MAX),
            _ => PAGE,
        };
        let after = ask.query("nextPageToken").map(str::to_owned).or_else(|| ask.text("nextPageToken")).unwrap_or_default();
        let found = self.auth.list(call, realm, &after, limit).await?;
        let users: Vec<Value> = found.users.iter().map(|user| encode::user(user, true)).collect();
        Ok(object([
            ("kind", Some(json!("identitytoolkit#DownloadAccountResponse"))),
            ("users", Some(json!(users))),
            ("nextPageToken", opt(&found.next)),
        ]))
    }

    /// All users, or those that an expression names; emu knows more than Firebase's own emulator here: limits, offsets, expressions.
    pub(super) async fn query_accounts(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        if ask.truth("returnUserInfo") == Some(false) && ask.objects("expression").next().is_none() {
            let count = self.auth.count(call, realm).await?;
            return Ok(object([("recordsCount", Some(json!(count.to_string())))]));
        }
        let mut users = self.auth.list(call, realm, "", ALL).await?.users;
        let expressions: Vec<&Map<String, Value>> = ask.objects("expression").collect();
        if !expressions.is_empty() {
            users.retain(|user| expressions.iter().any(|expression| meant(user, expression)));
        }
        match ask.some("sortBy").as_deref() {
            None | Some("SORT_BY_FIELD_UNSPECIFIED" | "USER_ID") => {}
            Some("NAME") => users.sort_by(|a, b| a.display_name.cmp(&b.display_name)),
            Some("CREATED_AT") => users.sort_by_key(|user| user.created),
            Some("LAST_LOGIN_AT") => users.sort_by_key(|user| user.last_login),
            Some("USER_EMAIL") => users.sort_by(|a, b| a.email.cmp(&b.email)),
            Some(_) => return Err(Refusal::bad("INVALID_SORT_BY")),
        }
        if ask.some("order").as_deref() == Some("DESC") {
            users.reverse();
        }
        let count = users.len();
        let number = |name: &str| ask.int(name).and_then(|number| usize::try_from(number).ok());
        let users = users.iter().skip(number("offset").unwrap_or(0)).take(number("limit").unwrap_or(ALL));
        let users: Vec<Value> = users.map(|user| encode::user(user, true)).collect();
        let shown = ask.truth("returnUserInfo") != Some(false);
        Ok(object([("recordsCount", Some(json!(count.to_string()))), ("userInfo", shown.then(|| json!(users)))]))
    }

    pub(super) async fn config(&self, call: &Call, realm: &Realm) -> Answer {
        let config = self.auth.config(call, &realm.project).await?;
        Ok(named(format!("projects/{}/config", realm.project), config))
    }

    pub(super) async fn set_config(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let triggers = ask.body.get("blockingFunctions").and_then(|functions| functions.get("triggers")).and_then(Value::as_object);
        for (event, trigger) in triggers.into_iter().flatten() {
            if !matches!(event.as_str(), "beforeCreate" | "beforeSignIn") {
                return Err(Refusal::bad("INVALID_BLOCKING_FUNCTION : ((Event type is invalid.))"));
            }
            if !trigger.get("functionUri").and_then(Value::as_str).is_some_and(is_absolute) {
                return Err(Refusal::bad("INVALID_BLOCKING_FUNCTION : ((Expected an absolute URI with valid scheme and host.))"));
            }
        }
        let config = self.auth.set_config(call, &realm.project, Value::Object(ask.body.clone()), mask(ask)).await?;
        Ok(named(format!("projects/{}/config", realm.project), config))
    }

    pub(super) async fn create_tenant(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let (id, settings) = self.auth.create_tenant(call, &realm.project, Value::Object(ask.body.clone())).await?;
        Ok(tenant(&realm.project, &id, settings))
    }

    pub(super) async fn tenant(&self, call: &Call, realm: &Realm) -> Answer {
        let id = realm.tenant.as_deref().unwrap_or_default();
        Ok(tenant(&realm.project, id, self.auth.tenant(call, &realm.project, id).await?))
    }

    pub(super) async fn set_tenant(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let id = realm.tenant.as_deref().unwrap_or_default();
        let settings = self.auth.set_tenant(call, &realm.project, id, Value::Object(ask.body.clone()), mask(ask)).await?;
        Ok(tenant(&realm.project, id, settings))
    }

    pub(super) async fn delete_tenant(&self, call: &Call, realm: &Realm) -> Answer {
        self.auth.delete_tenant(call, &realm.project, realm.tenant.as_deref().unwrap_or_default()).await?;
        Ok(Map::new())
    }

    pub(super) async fn tenants(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let size = ask.query("pageSize").and_then(|size| size.parse::<i64>().ok());
        let size = size.filter(|size| *size > 0).map_or(PAGE, |size| usize::try_from(size).unwrap_or(PAGE_MAX).min(PAGE_MAX));
        let found = self.auth.tenants(call, &realm.project, ask.query("pageToken").unwrap_or_default(), size).await?;
        let next = found.last().filter(|_| found.len() >= size).map(|(id, _)| json!(id));
        let tenants: Vec<Value> = found.into_iter().map(|(id, settings)| Value::Object(tenant(&realm.project, &id, settings))).collect();
        Ok(object([("tenants", Some(json!(tenants))), ("nextPageToken", next)]))
    }

    pub(super) async fn emulator_config(&self, call: &Call, realm: &Realm) -> Answer {
        let config = self.auth.config(call, &realm.project).await?;
        let is = |path: &str| config.pointer(path).and_then(Value::as_bool).unwrap_or(false);
        Ok(object([
            ("signIn", Some(json!({ "allowDuplicateEmails": is("/signIn/allowDuplicateEmails") }))),
            ("emailPrivacyConfig", Some(json!({ "enableImprovedEmailPrivacy": is("/emailPrivacyConfig/enableImprovedEmailPrivacy") }))),
        ]))
    }

    pub(super) async fn set_emulator_config(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let known = [("signIn", "allowDuplicateEmails"), ("emailPrivacyConfig", "enableImprovedEmailPrivacy")];
        let set =
            known.into_iter().filter(|(part, name)| ask.body.get(*part).and_then(|part| part.get(name)).is_some_and(Value::is_boolean));
        let mask: Vec<String> = set.map(|(part, name)| format!("{part}.{name}")).collect();
        if !mask.is_empty() {
            self.auth.set_config(call, &realm.project, Value::Object(ask.body.clone()), mask).await?;
        }
        self.emulator_config(call, realm).await
    }

    pub(super) async fn emulator_codes(&self, call: &Call, realm: &Realm) -> Answer {
        let codes = self.auth.codes(call, realm).await?;
        Ok(object([("oobCodes", Some(json!(codes.iter().map(mailed).collect::<Vec<_>>())))]))
    }

    pub(super) async fn emulator_phone_codes(&self, call: &Call, realm: &Realm) -> Answer {
        let codes = self.auth.phone_codes(call, realm).await?;
        let codes: Vec<Value> =
            codes.iter().map(|sent| json!({ "phoneNumber": sent.phone, "sessionInfo": sent.session, "code": sent.code })).collect();
        Ok(object([("verificationCodes", Some(json!(codes)))]))
    }
}

/// The first that comes a second time.
fn twice<T: Clone + Ord>(all: impl Iterator<Item = T>) -> Option<T> {
    let mut seen = std::collections::BTreeSet::new();
    all.into_iter().find(|one| !seen.insert(one.clone()))
}

fn mailed(code: &Code) -> Value {
    Value::Object(object([
        ("email", Some(json!(code.email))),
        ("newEmail", opt(&code.new_email)),
        ("requestType", Some(json!(request_type(code.purpose)))),
        ("oobCode", Some(json!(code.code))),
        ("oobLink", Some(json!(code.link))),
    ]))
}

fn named(name: String, settings: Value) -> Map<String, Value> {
    let mut map = object([("name", Some(json!(name)))]);
    if let Value::Object(settings) = settings {
        map.extend(settings);
    }
    map
}

fn tenant(project: &str, id: &str, settings: Value) -> Map<String, Value> {
    let mut map = named(format!("projects/{project}/tenants/{id}"), settings);
    map.insert("name".into(), json!(format!("projects/{project}/tenants/{id}")));
    map.insert("tenantId".into(), json!(id));
    map
}

fn mask(ask: &Ask) -> Vec<String> {
    let mask = ask.query("updateMask").unwrap_or_default();
    mask.split(',').filter(|path| !path.is_empty()).take(100).map(str::to_owned).collect()
}

/// Whether an expression names a user: by address (part of it will do), identifier or number.
fn meant(user: &User, expression: &Map<String, Value>) -> bool {
    let is = |name: &str, value: Option<&str>| match member(expression, name) {
        Some(wanted) => value == Some(wanted.as_str()),
        None => true,
    };
    let email = match member(expression, "email") {
        Some(wanted) => user.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(&wanted)),
        None => true,
    };
    email && is("userId", Some(&user.uid)) && is("phoneNumber", user.phone.as_deref())
}

fn imported(map: &Map<String, Value>) -> Import {
    let time = |name: &str| map.get(name).and_then(text).and_then(|ms| ms.parse().ok()).map(Time);
    let list = |name: &str| map.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    let user = User {
        uid: member(map, "localId").unwrap_or_default(),
        email: member(map, "email"),
        email_verified: Some(map.get("emailVerified").and_then(truth).unwrap_or(false)),
        display_name: member(map, "displayName"),
        photo_url: member(map, "photoUrl"),
        phone: member(map, "phoneNumber"),
        disabled: map.get("disabled").and_then(truth).unwrap_or(false),
        claims: member(map, "customAttributes"),
        providers: list("providerUserInfo").map(provider).collect(),
        factors: list("mfaInfo").map(factor).collect(),
        created: time("createdAt").unwrap_or_default(),
        last_login: time("lastLoginAt"),
        tenant: member(map, "tenantId"),
        ..User::default()
    };
    let hash = member(map, "passwordHash").map(|hash| (hash, member(map, "salt").unwrap_or_default()));
    Import { user, hash, password: member(map, "rawPassword") }
}

/// How the passwords of an import are hashed.
fn how(ask: &Ask) -> Option<How> {
    let name = ask.some("hashAlgorithm")?;
    let rounds = ask.int("rounds").and_then(|rounds| u32::try_from(rounds).ok()).unwrap_or(1);
    let salt_first = ask.some("passwordHashOrder").as_deref() == Some("SALT_AND_PASSWORD");
    let key = || ask.some("signerKey").and_then(|key| any_base64(&key)).unwrap_or_default();
    let hmac = |hash| How::Hmac { hash, key: key(), salt_first };
    // Zero rounds are one of those that are hashed at least once.
    let plain = |hash| How::Plain { hash, rounds: rounds.max(1), salt_first };
    Some(match name.as_str() {
        "BCRYPT" => How::Bcrypt,
        "HMAC_SHA512" => hmac(Hash::Sha512),
        "HMAC_SHA256" => hmac(Hash::Sha256),
        "HMAC_SHA1" => hmac(Hash::Sha1),
        "HMAC_MD5" => hmac(Hash::Md5),
        "SHA512" => plain(Hash::Sha512),
        "SHA256" => plain(Hash::Sha256),
        "SHA1" => plain(Hash::Sha1),
        "MD5" => plain(Hash::Md5),
        "PBKDF2_SHA256" => How::Pbkdf2 { hash: Hash::Sha256, rounds },
        "PBKDF_SHA1" => How::Pbkdf2 { hash: Hash::Sha1, rounds },
        _ => How::Other { name },
    })
}
