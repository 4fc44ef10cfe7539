//! Signing in, second factors, and new tokens for old ones.

use serde_json::{Map, Value, json};

use super::Auth;
use super::ask::{Ask, text};
use super::encode::{self, object, opt};
use super::fail::Refusal;
use crate::base::Call;
use crate::services::auth::{Assertion, Identity, Outcome, PhoneSigned, Realm, Signed, canonical_email, token};

type Answer = Result<Map<String, Value>, Refusal>;

/// What a custom token is for.
const CUSTOM_AUDIENCE: &str = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit";

impl Auth {
    pub(super) async fn sign_in_with_password(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let email = ask.text("email");
        let signed = self.auth.sign_in_with_password(call, realm, email.as_deref(), ask.some("password")).await?;
        let mut answer = object([
            ("kind", Some(json!("identitytoolkit#VerifyPasswordResponse"))),
            ("registered", Some(json!(true))),
            ("localId", Some(json!(signed.user.uid))),
            ("email", email.map(|email| json!(canonical_email(&email)))),
            ("displayName", opt(&signed.user.display_name)),
        ]);
        answer.extend(encode::signed(&signed));
        Ok(answer)
    }

    pub(super) async fn sign_in_with_custom_token(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let token = ask.need("token", "MISSING_CUSTOM_TOKEN")?;
        let claims = if token.starts_with('{') {
            let why = "INVALID_CUSTOM_TOKEN : ((Auth Emulator only accepts strict JSON or JWTs as fake custom tokens.))";
            serde_json::from_str::<Map<String, Value>>(&token).map_err(|_| Refusal::bad(why))?
        } else {
            let claims = token::claims(&token).ok_or_else(|| Refusal::bad("INVALID_CUSTOM_TOKEN : Invalid assertion format"))?;
            if realm.tenant.is_some() && claims.get("tenant_id").and_then(Value::as_str) != realm.tenant.as_deref() {
                return Err(Refusal::bad("TENANT_ID_MISMATCH"));
            }
            if claims.get("aud").and_then(Value::as_str) != Some(CUSTOM_AUDIENCE) {
                let found = claims.get("aud").and_then(text).unwrap_or_else(|| "undefined".into());
                return Err(Refusal::bad(format!(
                    "INVALID_CUSTOM_TOKEN : ((Invalid aud (audience): {found} Note: Firebase ID Tokens / third-party tokens cannot be used with signInWithCustomToken.))"
                )));
            }
            claims
        };
        let uid = ["uid", "user_id"].into_iter().find_map(|name| claims.get(name).and_then(text)).filter(|uid| !uid.is_empty());
        let uid = uid.ok_or_else(|| Refusal::bad("MISSING_IDENTIFIER"))?;
        let own = match claims.get("claims") {
            None => Map::new(),
            Some(Value::Object(own)) => own.clone(),
            Some(_) => return Err(Refusal::bad("INVALID_CLAIMS")),
        };
        let signed = self.auth.sign_in_with_custom(call, realm, &uid, own).await?;
        let kind = ("kind", Some(json!("identitytoolkit#VerifyCustomTokenResponse")));
        let mut answer = object([kind, ("isNewUser", Some(json!(signed.is_new)))]);
        answer.extend(encode::signed(&signed));
        Ok(answer)
    }

    pub(super) async fn sign_in_with_email_link(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let (email, code) = (ask.some("email"), ask.some("oobCode"));
        let signed = self.auth.sign_in_with_link(call, realm, (email.as_deref(), code.as_deref()), ask.some("idToken")).await?;
        let mut answer = object([
            ("kind", Some(json!("identitytoolkit#EmailLinkSigninResponse"))),
            ("email", opt(&signed.user.email)),
            ("localId", Some(json!(signed.user.uid))),
            ("isNewUser", Some(json!(signed.is_new))),
        ]);
        answer.extend(encode::signed(&signed));
        Ok(answer)
    }

    pub(super) async fn send_verification_code(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let session = self.auth.send_phone_code(call, realm, &ask.text("phoneNumber").unwrap_or_default()).await?;
        Ok(object([("sessionInfo", Some(json!(session)))]))
    }

    pub(super) async fn sign_in_with_phone_number(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let id_token = ask.some("idToken");
        let signed = if let Some(proof) = ask.some("temporaryProof") {
            let phone = ask.need("phoneNumber", "MISSING_PHONE_NUMBER")?;
            self.auth.sign_in_with_proof(call, realm, (&proof, &phone), id_token).await?
        } else {
            let session = ask.need("sessionInfo", "MISSING_SESSION_INFO")?;
            let code = ask.need("code", "MISSING_CODE")?;
            match self.auth.sign_in_with_phone(call, realm, (&session, &code), id_token).await? {
                PhoneSigned::In(signed) => *signed,
                PhoneSigned::Elsewhere { proof, phone } => {
                    return Ok(object([
                        ("phoneNumber", Some(json!(phone))),
                        ("temporaryProof", Some(json!(proof))),
                        ("temporaryProofExpiresIn", Some(json!("3600"))),
                    ]));
                }
            }
        };
        let mut answer = object([
            ("isNewUser", Some(json!(signed.is_new))),
            ("phoneNumber", opt(&signed.user.phone)),
            ("localId", Some(json!(signed.user.uid))),
        ]);
        answer.extend(encode::signed(&signed));
        Ok(answer)
    }

    pub(super) async fn sign_in_with_idp(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        for field in ["returnRefreshToken", "pendingIdToken"] {
            if ask.body.get(field).is_some_and(|value| value != &json!(false) && !value.is_null()) {
                return Err(Refusal::not_built(format!("{field} is not implemented yet.")));
            }
        }
        let identity = Identity::of(assertion(ask)?);
        let mut answer = described(&identity);
        let outcome = match self.auth.sign_in_with_identity(call, realm, &identity, ask.some("idToken")).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let refusal = Refusal::from(error);
                if ask.is("returnIdpCredential") && refusal.status == http::StatusCode::BAD_REQUEST {
                    answer.insert("errorMessage".into(), json!(refusal.message));
                    return Ok(answer);
                }
                return Err(refusal);
            }
        };
        match outcome {
            Outcome::Confirm { uid, providers } => {
                answer.insert("needConfirmation".into(), json!(true));
                answer.insert("localId".into(), json!(uid));
                answer.insert("verifiedProvider".into(), json!(providers));
            }
            Outcome::In { signed, recycled } => {
                let Signed { user, is_new, .. } = &*signed;
                answer.insert("localId".into(), json!(user.uid));
                if *is_new {
                    answer.insert("isNewUser".into(), json!(true));
                }
                if recycled {
                    answer.insert("emailRecycled".into(), json!(true));
                }
                if user.email == identity.email {
                    answer.extend(opt(&user.email_verified).map(|verified| ("emailVerified".to_owned(), verified)));
                }
                answer.extend(opt(&realm.tenant).map(|tenant| ("tenantId".to_owned(), tenant)));
                answer.extend(encode::signed(&signed));
            }
        }
        Ok(answer)
    }

    pub(super) async fn start_enrollment(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let id_token = ask.need("idToken", "MISSING_ID_TOKEN")?;
        let info = ask.body.get("phoneEnrollmentInfo").and_then(Value::as_object);
        let info = info.ok_or_else(|| Refusal::bad("INVALID_ARGUMENT : ((Missing phoneEnrollmentInfo.))"))?;
        let phone = info.get("phoneNumber").and_then(text).unwrap_or_default();
        let session = self.auth.start_enrollment(call, realm, &id_token, &phone).await?;
        Ok(object([("phoneSessionInfo", Some(json!({ "sessionInfo": session })))]))
    }

    pub(super) async fn finish_enrollment(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let id_token = ask.need("idToken", "MISSING_ID_TOKEN")?;
        let (session, code) = verification(ask, "INVALID_ARGUMENT : ((Missing phoneVerificationInfo.))")?;
        let tokens = self.auth.finish_enrollment(call, realm, &id_token, (&session, &code), ask.some("displayName")).await?;
        Ok(object([("idToken", Some(json!(tokens.id_token))), ("refreshToken", Some(json!(tokens.refresh_token)))]))
    }

    pub(super) async fn withdraw(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let id_token = ask.need("idToken", "MISSING_ID_TOKEN")?;
        let tokens = self.auth.withdraw(call, realm, &id_token, &ask.text("mfaEnrollmentId").unwrap_or_default()).await?;
        Ok(encode::tokens(&tokens))
    }

    pub(super) async fn start_second(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let missing = "MISSING_MFA_PENDING_CREDENTIAL : Request does not have MFA pending credential.";
        let pending = ask.need("mfaPendingCredential", missing)?;
        let factor = ask.need("mfaEnrollmentId", "MISSING_MFA_ENROLLMENT_ID : No second factor identifier is provided.")?;
        let session = self.auth.start_second(call, realm, &pending, &factor).await?;
        Ok(object([("phoneResponseInfo", Some(json!({ "sessionInfo": session })))]))
    }

    pub(super) async fn finish_second(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let pending = ask.need("mfaPendingCredential", "MISSING_CREDENTIAL : Please set MFA Pending Credential.")?;
        let (session, code) = verification(ask, "INVALID_ARGUMENT : MFA provider not supported!")?;
        let tokens = self.auth.finish_second(call, realm, &pending, (&session, &code)).await?;
        Ok(object([("idToken", Some(json!(tokens.id_token))), ("refreshToken", Some(json!(tokens.refresh_token)))]))
    }

    pub(super) async fn grant(&self, call: &Call, ask: &Ask) -> Answer {
        let field = |snake: &str, camel: &str| ask.some(snake).or_else(|| ask.some(camel));
        match field("grant_type", "grantType").as_deref() {
            None => return Err(Refusal::bad("MISSING_GRANT_TYPE")),
            Some("refresh_token") => {}
            Some(_) => return Err(Refusal::bad("INVALID_GRANT_TYPE")),
        }
        let refresh = field("refresh_token", "refreshToken").ok_or_else(|| Refusal::bad("MISSING_REFRESH_TOKEN"))?;
        let (user, tokens) = self.auth.refresh(call, &self.project_id, &refresh).await?;
        Ok(object([
            ("id_token", Some(json!(tokens.id_token))),
            ("access_token", Some(json!(tokens.id_token))),
            ("expires_in", Some(json!(tokens.expires_in.to_string()))),
            ("refresh_token", Some(json!(tokens.refresh_token))),
            ("token_type", Some(json!("Bearer"))),
            ("user_id", Some(json!(user.uid))),
            ("project_id", Some(json!(crate::wire::firebase::PROJECT_NUMBER))),
        ]))
    }

    pub(super) async fn session_cookie(&self, call: &Call, realm: &Realm, ask: &Ask) -> Answer {
        let id_token = ask.need("idToken", "MISSING_ID_TOKEN")?;
        let valid_s = ask.int("validDuration").filter(|seconds| *seconds != 0);
        let cookie = self.auth.session_cookie(call, realm, &id_token, valid_s).await?;
        Ok(object([("sessionCookie", Some(json!(cookie)))]))
    }
}

/// The session and the code of a message.
fn verification(ask: &Ask, missing: &str) -> Result<(String, String), Refusal> {
    let info = ask.body.get("phoneVerificationInfo").and_then(Value::as_object).ok_or_else(|| Refusal::bad(missing))?;
    if info.get("androidVerificationProof").is_some_and(|proof| !proof.is_null()) {
        return Err(Refusal::not_built("androidVerificationProof is unsupported!"));
    }
    let need = |name: &str, error: &str| super::ask::member(info, name).ok_or_else(|| Refusal::bad(error));
    let code = need("code", "MISSING_CODE")?;
    Ok((need("sessionInfo", "MISSING_SESSION_INFO")?, code))
}

/// What a provider says, from where the SDKs put it: the request's URI with its fragment, and the form in `postBody`.
fn assertion(ask: &Ask) -> Result<Assertion, Refusal> {
    let uri = ask.need("requestUri", "MISSING_REQUEST_URI")?;
    let mut uri = url::Url::parse(&uri).map_err(|_| Refusal::bad("INVALID_REQUEST_URI"))?;
    let mut fields: Vec<(String, String)> = uri.query_pairs().into_owned().collect();
    let mut lay = |text: &str| {
        for (name, value) in url::form_urlencoded::parse(text.as_bytes()).into_owned() {
            fields.retain(|(known, _)| *known != name);
            fields.push((name, value));
        }
    };
    lay(&ask.some("postBody").unwrap_or_default());
    lay(uri.fragment().unwrap_or_default());
    let field =
        |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()).filter(|value| !value.is_empty());
    let Some(provider) = field("providerId").map(|provider| provider.to_lowercase()) else {
        uri.set_fragment(None);
        return Err(Refusal::bad(format!("INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: {uri}")));
    };
    let (id_token, access_token) = (field("id_token"), field("access_token"));
    let said = match id_token.as_deref().map(claims).transpose()?.flatten() {
        Some(claims) => Some(claims),
        None => access_token.as_deref().map(claims).transpose()?.flatten(),
    };
    let claims = said.ok_or_else(|| no_claims(&provider, id_token.as_deref(), access_token.is_some()))?;
    let saml = field("SAMLResponse").map(|text| saml(&text)).transpose()?;
    Ok(Assertion { provider, claims, saml, id_token, access_token })
}

fn no_claims(provider: &str, id_token: Option<&str>, has_access_token: bool) -> Refusal {
    match id_token {
        Some(token) => Refusal::bad(format!(
            "INVALID_IDP_RESPONSE : Unable to parse id_token: {token} ((Auth Emulator only accepts strict JSON or JWTs as fake id_tokens.))"
        )),
        None if has_access_token && matches!(provider, "google.com" | "apple.com") => Refusal::not_built(format!(
            "The Auth Emulator only support sign-in with {provider} using id_token, not access_token. Please update your code to use id_token."
        )),
        None if has_access_token => Refusal::not_built(format!("The Auth Emulator does not support {provider} sign-in with credentials.")),
        None => Refusal::not_built("The Auth Emulator only supports sign-in with credentials (id_token required)."),
    }
}

/// The claims of a provider's token: a JSON Web Token, or the claims themselves.
fn claims(token: &str) -> Result<Option<Map<String, Value>>, Refusal> {
    let claims = if token.starts_with('{') {
        let why = || {
            format!(
                "INVALID_IDP_RESPONSE : Unable to parse id_token: {token} ((Auth Emulator failed to parse fake id_token as strict JSON.))"
            )
        };
        Some(serde_json::from_str::<Map<String, Value>>(token).map_err(|_| Refusal::bad(why()))?)
    } else {
        token::claims(token)
    };
    let Some(claims) = claims else { return Ok(None) };
    match claims.get("sub") {
        Some(Value::String(sub)) if !sub.is_empty() => Ok(Some(claims)),
        None | Some(Value::Null | Value::String(_)) => Err(Refusal::bad(
            "INVALID_IDP_RESPONSE : Invalid Idp Response: id_token missing required fields. ((Missing \"sub\" field. This field is required and must be a unique identifier.))",
        )),
        Some(_) => Err(Refusal::bad("INVALID_IDP_RESPONSE : ((The \"sub\" field must be a string.))")),
    }
}

fn saml(text: &str) -> Result<Value, Refusal> {
    let saml: Value =
        serde_json::from_str(text).map_err(|_| Refusal::bad("INVALID_IDP_RESPONSE ((Missing assertion in SAMLResponse.))"))?;
    for (path, name) in [
        ("/assertion", "assertion"),
        ("/assertion/subject", "assertion.subject"),
        ("/assertion/subject/nameId", "assertion.subject.nameId"),
    ] {
        if saml.pointer(path).is_none_or(Value::is_null) {
            return Err(Refusal::bad(format!("INVALID_IDP_RESPONSE ((Missing {name} in SAMLResponse.))")));
        }
    }
    Ok(saml)
}

fn described(identity: &Identity) -> Map<String, Value> {
    object([
        ("kind", Some(json!("identitytoolkit#VerifyAssertionResponse"))),
        ("context", Some(json!(""))),
        ("providerId", Some(json!(identity.provider))),
        ("federatedId", Some(json!(identity.federated_id))),
        ("displayName", opt(&identity.display_name)),
        ("fullName", opt(&identity.display_name)),
        ("firstName", opt(&identity.first_name)),
        ("lastName", opt(&identity.last_name)),
        ("screenName", opt(&identity.screen_name)),
        ("email", opt(&identity.email)),
        ("emailVerified", Some(json!(identity.email_verified))),
        ("photoUrl", opt(&identity.photo_url)),
        ("rawUserInfo", opt(&identity.raw_user)),
        ("oauthIdToken", opt(&identity.id_token)),
        ("oauthAccessToken", Some(json!(identity.access_token))),
    ])
}
