//! Users: made, looked up, changed, removed.

use serde_json::{Map, Value, json};

use super::Auth;
use super::ask::{Ask, is_absolute, member};
use super::encode::{self, object, opt};
use super::fail::Refusal;
use crate::base::{Call, Time};
use crate::services::auth::{Ask as CodeAsk, Change, Factor, New, Pick, Provider, Purpose, Realm, Update, is_email};

type Answer = Result<Map<String, Value>, Refusal>;

impl Auth {
    pub(super) async fn sign_up(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        if ask.privileged {
            return self.create(call, realm, ask).await;
        }
        if ask.some("localId").is_some() {
            return Err(Refusal::bad("UNEXPECTED_PARAMETER : User ID"));
        }
        let (email, password, id_token) = (ask.text("email"), ask.text("password"), ask.some("idToken"));
        let signed = if email.is_some() || password.as_ref().is_some_and(|password| !password.is_empty()) || id_token.is_some() {
            self.auth.sign_up(call, realm, email, password, (ask.some("displayName"), id_token)).await?
        } else {
            self.auth.sign_up_anonymous(call, realm).await?
        };
        let mut answer = object([
            ("kind", Some(json!("identitytoolkit#SignupNewUserResponse"))),
            ("localId", Some(json!(signed.user.uid))),
            ("displayName", opt(&signed.user.display_name)),
            ("email", opt(&signed.user.email)),
        ]);
        answer.extend(encode::signed(&signed));
        Ok(answer)
    }

    async fn create(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let factors = ask.body.contains_key("mfaInfo").then(|| ask.objects("mfaInfo").map(factor).collect());
        let new = New {
            uid: ask.some("localId"),
            email: ask.some("email"),
            email_verified: ask.is("emailVerified"),
            password: ask.some("password"),
            display_name: ask.some("displayName"),
            photo_url: ask.some("photoUrl"),
            phone: ask.some("phoneNumber"),
            disabled: ask.is("disabled"),
            factors,
        };
        let user = self.auth.create(call, realm, new).await?;
        Ok(object([
            ("kind", Some(json!("identitytoolkit#SignupNewUserResponse"))),
            ("localId", Some(json!(user.uid))),
            ("displayName", opt(&user.display_name)),
            ("email", opt(&user.email)),
        ]))
    }

    pub(super) async fn lookup(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let users = if ask.privileged {
            if ask.some("initialEmail").is_some() {
                return Err(Refusal::not_built("Lookup by initialEmail is not implemented."));
            }
            let mut picks: Vec<Pick> = ask.texts("localId").into_iter().map(Pick::Uid).collect();
            picks.extend(ask.texts("email").into_iter().map(Pick::Email));
            picks.extend(ask.texts("phoneNumber").into_iter().map(Pick::Phone));
            picks.extend(
                ask.objects("federatedUserId")
                    .filter_map(|one| Some(Pick::Identity { provider: member(one, "providerId")?, raw_id: member(one, "rawId")? })),
            );
            self.auth.find(call, realm, &picks).await?
        } else {
            vec![self.auth.whoami(call, realm, &ask.need("idToken", "MISSING_ID_TOKEN")?).await?]
        };
        let users: Vec<Value> = users.iter().map(|user| encode::user(user, ask.privileged)).collect();
        Ok(object([
            ("kind", Some(json!("identitytoolkit#GetAccountInfoResponse"))),
            // The Node.js admin SDK takes an empty list for a user.
            ("users", (!users.is_empty()).then(|| json!(users))),
        ]))
    }

    pub(super) async fn delete(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        if ask.privileged {
            self.auth.delete(call, realm, &ask.need("localId", "MISSING_LOCAL_ID")?).await?;
        } else {
            self.auth.leave(call, realm, &ask.need("idToken", "MISSING_ID_TOKEN")?).await?;
        }
        Ok(object([("kind", Some(json!("identitytoolkit#DeleteAccountResponse")))]))
    }

    pub(super) async fn update(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        for field in ["provider", "upgradeToFederatedLogin"] {
            if ask.body.contains_key(field) {
                return Err(Refusal::not_built(format!("{field} is not implemented yet.")));
            }
        }
        let update = update(ask)?;
        let updated = self.auth.update(call, realm, update, self.link(realm, ask, Purpose::RecoverEmail, None)).await?;
        let user = &updated.user;
        let mut answer = object([
            ("kind", Some(json!("identitytoolkit#SetAccountInfoResponse"))),
            ("localId", Some(json!(user.uid))),
            ("emailVerified", opt(&user.email_verified)),
            ("providerUserInfo", Some(json!(user.providers.iter().map(encode::provider).collect::<Vec<_>>()))),
            ("email", opt(&user.email)),
            ("displayName", opt(&user.display_name)),
            ("photoUrl", opt(&user.photo_url)),
            ("newEmail", opt(&updated.new_email)),
            ("passwordHash", encode::hash(user, ask.privileged).map(|(hash, _)| json!(hash))),
        ]);
        answer.extend(updated.tokens.as_ref().map(encode::tokens).unwrap_or_default());
        Ok(answer)
    }

    pub(super) async fn reset_password(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let code = ask.need("oobCode", "MISSING_OOB_CODE")?;
        let code = self.auth.reset_password(call, realm, &code, ask.some("newPassword").as_deref()).await?;
        // Who follows a link has to say whose it is.
        let email = (code.purpose != Purpose::SignIn).then(|| json!(code.email));
        Ok(object([
            ("kind", Some(json!("identitytoolkit#ResetPasswordResponse"))),
            ("requestType", Some(json!(request_type(code.purpose)))),
            ("email", email),
            ("newEmail", opt(&code.new_email)),
        ]))
    }

    pub(super) async fn send_oob_code(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let purpose = match ask.some("requestType").as_deref() {
            None | Some("OOB_REQ_TYPE_UNSPECIFIED") => return Err(Refusal::bad("MISSING_REQ_TYPE")),
            Some("EMAIL_SIGNIN") => Purpose::SignIn,
            Some("PASSWORD_RESET") => Purpose::ResetPassword,
            Some("VERIFY_EMAIL") => Purpose::VerifyEmail,
            Some("VERIFY_AND_CHANGE_EMAIL") => Purpose::ChangeEmail,
            Some(other) => return Err(Refusal::not_built(other)),
        };
        let returned = ask.is("returnOobLink");
        if returned && !ask.privileged {
            return Err(Refusal::bad("INSUFFICIENT_PERMISSION"));
        }
        let continue_url = ask.some("continueUrl");
        if continue_url.as_deref().is_some_and(|url| !is_absolute(url)) {
            return Err(Refusal::bad("INVALID_CONTINUE_URI : ((expected an absolute URI with valid scheme and host))"));
        }
        let wanted = CodeAsk {
            email: ask.some("email"),
            new_email: ask.some("newEmail"),
            id_token: ask.some("idToken"),
            returned,
            link: self.link(realm, ask, purpose, continue_url.as_deref()),
        };
        let (email, code) = self.auth.send_code(call, realm, purpose, wanted).await?;
        let mut answer = object([("kind", Some(json!("identitytoolkit#GetOobConfirmationCodeResponse"))), ("email", Some(json!(email)))]);
        if let Some(code) = code.filter(|_| returned) {
            answer.insert("oobCode".into(), json!(code.code));
            answer.insert("oobLink".into(), json!(code.link));
        }
        Ok(answer)
    }

    /// What a link begins and ends with, around its code.
    fn link(&self, realm: &Realm, ask: &Ask, purpose: Purpose, continue_url: Option<&str>) -> (String, String) {
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        rest.append_pair("apiKey", "fake-api-key");
        if let Some(url) = continue_url {
            rest.append_pair("continueUrl", url);
        }
        if let Some(tenant) = &realm.tenant {
            rest.append_pair("tenantId", tenant);
        }
        (format!("{}/emulator/action?mode={}&lang=en&oobCode=", ask.url, mode(purpose)), format!("&{}", rest.finish()))
    }

    pub(super) async fn create_auth_uri(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        if ask.some("providerId").is_some() {
            return Err(Refusal::not_built("Sign-in with IDP is not yet supported."));
        }
        let email = ask.need("identifier", "MISSING_IDENTIFIER")?;
        let uri = ask.need("continueUri", "MISSING_CONTINUE_URI")?;
        if !is_email(&email) {
            return Err(Refusal::bad("INVALID_IDENTIFIER"));
        }
        if !is_absolute(&uri) {
            return Err(Refusal::bad("INVALID_CONTINUE_URI"));
        }
        let found = self.auth.providers_of(call, realm, &email).await?;
        let session = ask.some("sessionId").unwrap_or_else(|| self.ids.hex(14));
        let mut answer = object([("kind", Some(json!("identitytoolkit#CreateAuthUriResponse"))), ("sessionId", Some(json!(session)))]);
        // Where addresses are nobody's business, no more is said.
        let Some(user) = found else { return Ok(answer) };
        let (mut providers, mut methods) = (Vec::new(), Vec::new());
        for provider in user.iter().flat_map(|user| &user.providers) {
            match provider.id.as_str() {
                "phone" => {}
                "password" => {
                    providers.push("password");
                    methods.extend(user.iter().filter(|user| user.secret.is_some()).map(|_| "password"));
                    methods.extend(user.iter().filter(|user| user.email_link).map(|_| "emailLink"));
                }
                other => {
                    providers.push(other);
                    methods.push(other);
                }
            }
        }
        answer.insert("registered".into(), json!(user.is_some()));
        answer.insert("allProviders".into(), json!(providers));
        answer.insert("signinMethods".into(), json!(methods));
        Ok(answer)
    }
}

fn update(ask: &Ask) -> Result<Update, Refusal> {
    if let Some(code) = ask.some("oobCode") {
        return Ok(Update::Code(code));
    }
    let id_token = ask.some("idToken");
    if !ask.privileged {
        if id_token.is_none() {
            return Err(Refusal::bad("INVALID_REQ_TYPE : Unsupported request parameters."));
        }
        if ask.text("customAttributes").is_some() {
            return Err(Refusal::bad("INSUFFICIENT_PERMISSION"));
        }
    } else if ask.some("localId").is_none() && id_token.is_none() {
        return Err(Refusal::bad("MISSING_LOCAL_ID"));
    }
    if id_token.is_some() && ask.truth("disableUser").is_some() {
        return Err(Refusal::bad("OPERATION_NOT_ALLOWED"));
    }
    let gone = ask.texts("deleteAttribute");
    if let Some(other) = gone.iter().find(|name| matches!(name.as_str(), "PROVIDER" | "RAW_USER_INFO")) {
        return Err(Refusal::not_built(format!("deleteAttribute: {other}")));
    }
    let deleted = |name: &str| gone.iter().any(|gone| gone == name);
    // An object without enrollments takes all second factors away.
    let factors = ask.body.get("mfa").and_then(Value::as_object).map(|mfa| {
        let all = mfa.get("enrollments").and_then(Value::as_array);
        all.into_iter().flatten().filter_map(Value::as_object).map(factor).collect()
    });
    let link = match ask.body.get("linkProviderUserInfo").and_then(Value::as_object) {
        None => None,
        Some(link) => {
            member(link, "providerId").ok_or_else(|| Refusal::bad("MISSING_PROVIDER_ID"))?;
            member(link, "rawId").ok_or_else(|| Refusal::bad("MISSING_RAW_ID"))?;
            Some(provider(link))
        }
    };
    let change = Box::new(Change {
        email: ask.some("email"),
        password: ask.some("password"),
        display_name: ask.text("displayName"),
        photo_url: ask.text("photoUrl"),
        no_display_name: deleted("DISPLAY_NAME"),
        no_photo_url: deleted("PHOTO_URL"),
        no_password: deleted("PASSWORD"),
        no_email: deleted("EMAIL"),
        delete_providers: ask.texts("deleteProvider"),
        link,
        factors,
        email_verified: ask.truth("emailVerified"),
        phone: ask.some("phoneNumber"),
        disabled: ask.truth("disableUser"),
        claims: ask.text("customAttributes"),
        created: ask.int("createdAt").map(Time),
        last_login: ask.int("lastLoginAt").map(Time),
        valid_since: ask.int("validSince"),
    });
    Ok(match (id_token, ask.some("localId")) {
        (Some(id_token), _) => Update::Token { id_token, change, privileged: ask.privileged },
        (None, Some(uid)) => Update::Uid(uid, change),
        (None, None) => return Err(Refusal::bad("MISSING_LOCAL_ID")),
    })
}

/// A second factor, as it is sent.
pub(super) fn factor(map: &Map<String, Value>) -> Factor {
    Factor {
        id: member(map, "mfaEnrollmentId").unwrap_or_default(),
        phone: member(map, "phoneInfo").unwrap_or_default(),
        display_name: member(map, "displayName"),
        enrolled: member(map, "enrolledAt").unwrap_or_default(),
    }
}

/// A provider, as it is sent.
pub(super) fn provider(map: &Map<String, Value>) -> Provider {
    Provider {
        id: member(map, "providerId").unwrap_or_default(),
        raw_id: member(map, "rawId").unwrap_or_default(),
        federated_id: member(map, "federatedId"),
        email: member(map, "email"),
        display_name: member(map, "displayName"),
        photo_url: member(map, "photoUrl"),
        screen_name: member(map, "screenName"),
        phone: member(map, "phoneNumber"),
    }
}

pub(super) fn request_type(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignIn => "EMAIL_SIGNIN",
        Purpose::ResetPassword => "PASSWORD_RESET",
        Purpose::VerifyEmail => "VERIFY_EMAIL",
        Purpose::RecoverEmail => "RECOVER_EMAIL",
        Purpose::ChangeEmail => "VERIFY_AND_CHANGE_EMAIL",
    }
}

fn mode(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::SignIn => "signIn",
        Purpose::ResetPassword => "resetPassword",
        Purpose::VerifyEmail => "verifyEmail",
        Purpose::RecoverEmail => "recoverEmail",
        Purpose::ChangeEmail => "verifyAndChangeEmail",
    }
}
