//! Firebase Authentication: the Identity Toolkit and Secure Token APIs, as web, mobile and admin SDKs call them, and what Firebase's own
//! emulator adds for tests. Facts: the APIs' discovery documents, the SDKs, and the Firebase CLI's emulator (`src/emulator/auth`).

mod accounts;
mod admin;
mod ask;
mod encode;
pub mod event;
mod fail;
mod page;
mod route;
mod sign_in;
#[cfg(test)]
mod tests;

use futures_util::future::BoxFuture;
use http::StatusCode;
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::Wire;
use crate::base::{Call, Ids};
use crate::services;
use crate::wire::http::{Body, Description, Request, Response, header, json as answer};
use ask::Ask;
use fail::Refusal;
use route::{Op, Route, route};

/// Bytes of a request at most: a thousand users of an import.
const BODY_BYTES_MAX: usize = 8 << 20;

/// The wire of one project.
pub struct Auth {
    auth: services::auth::Auth,
    ids: Ids,
    project_id: String,
}

impl Auth {
    pub fn new(auth: services::auth::Auth, ids: Ids, project_id: &str) -> Auth {
        Auth { auth, ids, project_id: project_id.to_owned() }
    }

    async fn answer(&self, call: &Call, found: Route, parts: &Parts, body: Body) -> Result<Response, Refusal> {
        let bytes = body.collect(BODY_BYTES_MAX).await.map_err(|error| Refusal::unreadable(error.to_string()))?;
        let form = header(&parts.headers, "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body = read(&bytes, form && matches!(found.op, Op::Token | Op::Action))?;
        let mut ask = Ask::new(found, parts.uri.query().unwrap_or_default(), &parts.headers, body);
        if ask.route.op == Op::Action && !bytes.is_empty() {
            // A form's fields are those of the link that it is of, and the password.
            ask.query = ask.body.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        }
        ask.check(&parts.headers)?;
        let realm = ask.realm(&self.project_id)?;
        let map = match ask.route.op {
            Op::Action => return Ok(self.action(call, &realm, &ask, &parts.headers).await),
            Op::Widget => return self.widget(call, &realm, &ask).await,
            Op::Iframe => return Ok(page::iframe()),
            _ => self.operate(call, &realm, &ask).await?,
        };
        Ok(answer(StatusCode::OK, &Value::Object(map)))
    }

    async fn operate(&self, call: &Call, realm: &services::auth::Realm, ask: &Ask) -> Result<Map<String, Value>, Refusal> {
        match ask.route.op {
            Op::Ready => Ok(object(json!({
                "authEmulator": { "ready": true, "docs": "https://firebase.google.com/docs/emulator-suite", "apiSpec": "/emulator/openapi.json" },
            }))),
            Op::Projects => Ok(object(json!({ "projectId": super::PROJECT_NUMBER, "authorizedDomains": ["localhost"] }))),
            Op::RecaptchaParams => Ok(object(json!({
                "kind": "identitytoolkit#GetRecaptchaParamResponse",
                "recaptchaStoken": "This-is-no-token__emu-asks-no-one-whether-they-are-a-robot",
                "recaptchaSiteKey": "Fake-key__Do-not-send-this-to-Recaptcha_",
            }))),
            Op::RecaptchaConfig => Ok(object(json!({
                "recaptchaEnforcementState": [{ "provider": "EMAIL_PASSWORD_PROVIDER", "enforcementState": "OFF" }],
            }))),
            Op::PasswordPolicy => Ok(object(json!({
                "customStrengthOptions": { "minPasswordLength": 6, "maxPasswordLength": 4096 },
                "schemaVersion": 1,
                "enforcementState": "OFF",
                "allowedNonAlphanumericCharacters": ["^", "$", "*", ".", "[", "]", "{", "}", "(", ")", "?", "\"", "!", "@", "#", "%", "&", "/", "\\", ",", ">", "<", "'", ":", ";", "|", "_", "~"],
            }))),
            // Nobody signs anything.
            Op::PublicKeys | Op::RevokeToken | Op::EmulatorSpec => Ok(Map::new()),
            Op::Token => self.grant(call, ask).await,
            Op::CreateAuthUri => self.create_auth_uri(call, realm, ask).await,
            Op::Delete => self.delete(call, realm, ask).await,
            Op::Lookup => self.lookup(call, realm, ask).await,
            Op::ResetPassword => self.reset_password(call, realm, ask).await,
            Op::SendOobCode => self.send_oob_code(call, realm, ask).await,
            Op::SendVerificationCode => self.send_verification_code(call, realm, ask).await,
            Op::SignInWithCustomToken => self.sign_in_with_custom_token(call, realm, ask).await,
            Op::SignInWithEmailLink => self.sign_in_with_email_link(call, realm, ask).await,
            Op::SignInWithIdp => self.sign_in_with_idp(call, realm, ask).await,
            Op::SignInWithPassword => self.sign_in_with_password(call, realm, ask).await,
            Op::SignInWithPhoneNumber => self.sign_in_with_phone_number(call, realm, ask).await,
            Op::SignUp => self.sign_up(call, realm, ask).await,
            Op::Update => self.update(call, realm, ask).await,
            Op::EnrollmentStart => self.start_enrollment(call, realm, ask).await,
            Op::EnrollmentFinalize => self.finish_enrollment(call, realm, ask).await,
            Op::EnrollmentWithdraw => self.withdraw(call, realm, ask).await,
            Op::SecondStart => self.start_second(call, realm, ask).await,
            Op::SecondFinalize => self.finish_second(call, realm, ask).await,
            Op::BatchCreate => self.batch_create(call, realm, ask).await,
            Op::BatchDelete => self.batch_delete(call, realm, ask).await,
            Op::BatchGet => self.batch_get(call, realm, ask).await,
            Op::Query => self.query_accounts(call, realm, ask).await,
            Op::CreateSessionCookie => self.session_cookie(call, realm, ask).await,
            Op::GetConfig => self.config(call, realm).await,
            Op::SetConfig => self.set_config(call, realm, ask).await,
            Op::CreateTenant => self.create_tenant(call, realm, ask).await,
            Op::ListTenants => self.tenants(call, realm, ask).await,
            Op::GetTenant => self.tenant(call, realm).await,
            Op::SetTenant => self.set_tenant(call, realm, ask).await,
            Op::DeleteTenant => self.delete_tenant(call, realm).await,
            Op::EmulatorClear => {
                self.auth.clear(call, realm).await?;
                Ok(Map::new())
            }
            Op::EmulatorGetConfig => self.emulator_config(call, realm).await,
            Op::EmulatorSetConfig => self.set_emulator_config(call, realm, ask).await,
            Op::EmulatorOobCodes => self.emulator_codes(call, realm).await,
            Op::EmulatorVerificationCodes => self.emulator_phone_codes(call, realm).await,
            // Pages are answered before.
            Op::Action | Op::Widget | Op::Iframe => Err(Refusal::not_found()),
        }
    }
}

impl Wire for Auth {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response> {
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let Some(found) = route(&parts.method, parts.uri.path()) else { return unknown(parts.uri.path()).response() };
            let op = found.op;
            let resource = found.tenant.clone().or_else(|| found.project.clone()).unwrap_or_else(|| self.project_id.clone());
            let response = self.answer(call, found, &parts, body).await.unwrap_or_else(|refusal| refusal.response());
            if op.is_open() {
                return response;
            }
            Description { resource: Some(resource), ..Description::new("auth", op.name()) }.attach(response)
        })
    }
}

/// What is said of a path that is none of ours: of one of the cloud's, that it is not built.
fn unknown(path: &str) -> Refusal {
    let cloud = path.contains("identitytoolkit") || path.contains("securetoken") || path.starts_with("/v1/") || path.starts_with("/v2/");
    if cloud { Refusal::not_built(format!("emu does not know {path}")) } else { Refusal::not_found() }
}

/// The fields of a body: JSON, or a form's. Administrators' SDKs send JSON with any content type, and nothing as well.
fn read(bytes: &[u8], form: bool) -> Result<Map<String, Value>, Refusal> {
    if form {
        return Ok(url::form_urlencoded::parse(bytes)
            .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
            .collect());
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::unreadable("Invalid JSON payload received. Root element must be a message.")),
        Err(error) => Err(Refusal::unreadable(format!("Invalid JSON payload received. {error}"))),
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
