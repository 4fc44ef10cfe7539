//! Pages for people: where links of mails lead, and where somebody chooses who they are for another company.
//!
//! Programs that follow a link get JSON, as from Firebase's own emulator; browsers, which ask for HTML, get a page.

use http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Auth;
use super::ask::Ask;
use super::encode::object;
use super::fail::Refusal;
use crate::base::Call;
use crate::services::auth::{Code, Error, Provider, Purpose, Realm, Update};
use crate::wire::http::{Body, Response, header, json as answer};

/// Users of a provider that the page of the widget shows.
const SHOWN_MAX: usize = 100;

/// What a followed link leads to.
enum Told {
    Done {
        success: &'static str,
        field: &'static str,
        email: String,
    },
    Wrong {
        error: String,
        instructions: String,
    },
    /// The password is missing.
    Password {
        code: Code,
    },
    Away(String),
}

impl Auth {
    /// Does what a link is for.
    pub(super) async fn action(&self, call: &Call, realm: &Realm, ask: &Ask, headers: &HeaderMap) -> Response {
        let told = self.followed(call, realm, ask).await.unwrap_or_else(|refusal| wrong(&refusal.message, ""));
        let html = header(headers, "accept").is_some_and(|accept| accept.contains("text/html"));
        match told {
            Told::Away(url) => away(&url),
            told if html => shown(&told, ask),
            told => said(&told),
        }
    }

    async fn followed(&self, call: &Call, realm: &Realm, ask: &Ask) -> Result<Told, Refusal> {
        let field = |name: &str| ask.query(name).map(str::to_owned).or_else(|| ask.some(name)).filter(|text| !text.is_empty());
        if field("apiKey").is_none() {
            return Ok(wrong(
                "missing apiKey query parameter",
                "Please modify the URL to specify an apiKey, such as ...&apiKey=YOUR_API_KEY",
            ));
        }
        let Some(code) = field("oobCode") else {
            return Ok(wrong(
                "missing oobCode query parameter",
                "Please modify the URL to specify an oobCode, such as ...&oobCode=YOUR_OOB_CODE",
            ));
        };
        let onward = field("continueUrl");
        let done = |success, field, email: Option<String>| match &onward {
            Some(url) => Told::Away(url.clone()),
            None => Told::Done { success, field, email: email.unwrap_or_default() },
        };
        let mode = field("mode").unwrap_or_default();
        match mode.as_str() {
            "signIn" => Ok(match onward.as_deref().map(url::Url::parse) {
                Some(Ok(mut url)) => {
                    let names = ask.query.iter().filter(|(name, _)| name != "continueUrl");
                    url.query_pairs_mut().extend_pairs(names);
                    Told::Away(url.into())
                }
                _ => wrong("Missing continueUrl query parameter", "To sign in, append &continueUrl=YOUR_APP_URL to the link."),
            }),
            "resetPassword" => match self.reset(call, realm, &code, field("newPassword")).await {
                Ok(Ok(email)) => Ok(done("The password has been successfully updated.", "email", Some(email))),
                Ok(Err(told)) => Ok(told),
                Err(Error::InvalidOob | Error::ExpiredOob) => {
                    let why = "Your request to reset your password has expired or the link has already been used.";
                    Ok(wrong(why, "Try resetting your password again."))
                }
                Err(error) => Err(error.into()),
            },
            "recoverEmail" | "verifyEmail" | "verifyAndChangeEmail" => {
                let (purpose, success, name, what) = match mode.as_str() {
                    "recoverEmail" => (Purpose::RecoverEmail, "The email has been successfully reset.", "email", "revert your email"),
                    "verifyEmail" => (Purpose::VerifyEmail, "The email has been successfully verified.", "email", "verify your email"),
                    _ => (Purpose::ChangeEmail, "The email has been successfully changed.", "newEmail", "change your email"),
                };
                let again = match purpose {
                    Purpose::RecoverEmail => {
                        "If you're trying to test the reverting email flow, try changing the email again to generate a new link."
                    }
                    Purpose::VerifyEmail => "Try verifying your email again.",
                    _ => "Try changing your email again.",
                };
                let used = || wrong(&format!("Your request to {what} has expired or the link has already been used."), again);
                match self.auth.code(call, realm, &code).await {
                    Ok(sent) if sent.purpose == purpose => {}
                    Ok(_) => return Ok(wrong("Requested mode does not match the OOB code provided.", again)),
                    Err(Error::InvalidOob | Error::ExpiredOob) => return Ok(used()),
                    Err(error) => return Err(error.into()),
                }
                match self.auth.update(call, realm, Update::Code(code), Default::default()).await {
                    Ok(updated) if purpose == Purpose::RecoverEmail => {
                        Ok(Told::Done { success, field: name, email: updated.user.email.unwrap_or_default() })
                    }
                    Ok(updated) => Ok(done(success, name, updated.new_email.or(updated.user.email))),
                    Err(Error::InvalidOob | Error::ExpiredOob) => Ok(used()),
                    Err(error) => Err(error.into()),
                }
            }
            _ => Ok(wrong("Invalid mode", "")),
        }
    }

    async fn reset(&self, call: &Call, realm: &Realm, code: &str, password: Option<String>) -> Result<Result<String, Told>, Error> {
        let sent = self.auth.code(call, realm, code).await?;
        if sent.purpose != Purpose::ResetPassword {
            return Err(Error::InvalidOob);
        }
        match password {
            None => Ok(Err(Told::Password { code: sent })),
            Some(password) if password == PLACEHOLDER => {
                let why = format!("newPassword must be something other than '{PLACEHOLDER}'");
                Ok(Err(wrong(&why, &format!("The string '{PLACEHOLDER}' is just a placeholder."))))
            }
            Some(password) => Ok(Ok(self.auth.reset_password(call, realm, code, Some(&password)).await?.email)),
        }
    }

    /// The page on which somebody chooses who they are for a provider.
    pub(super) async fn widget(&self, call: &Call, realm: &Realm, ask: &Ask) -> Result<Response, Refusal> {
        let provider = ask.query("providerId").filter(|provider| !provider.is_empty());
        let (Some(provider), Some(_)) = (provider, ask.query("apiKey")) else {
            let error = json!({ "authEmulator": { "error": "missing apiKey or providerId query parameters" } });
            return Ok(answer(StatusCode::BAD_REQUEST, &error));
        };
        let users = self.auth.list(call, realm, "", 10_000).await?.users;
        let known = users.iter().flat_map(|user| user.providers.iter().filter(|known| known.id == provider));
        let known: String = known.take(SHOWN_MAX).map(account).collect();
        let page = include_str!("widget.html").replace("{{provider}}", &escape(provider)).replace("{{accounts}}", &known);
        Ok(html(StatusCode::OK, page))
    }
}

/// What stands in a link in the place of a password.
const PLACEHOLDER: &str = "NEW_PASSWORD_HERE";

/// The page that tells the app what was chosen.
pub(super) fn iframe() -> Response {
    html(StatusCode::OK, include_str!("iframe.html").to_owned())
}

/// An account, as a button that holds what its provider would say.
fn account(provider: &Provider) -> String {
    let claims = Value::Object(object([
        ("sub", Some(json!(provider.raw_id))),
        ("iss", Some(json!(""))),
        ("aud", Some(json!(""))),
        ("exp", Some(json!(0))),
        ("iat", Some(json!(0))),
        ("name", provider.display_name.as_ref().map(|name| json!(name))),
        ("screen_name", provider.screen_name.as_ref().map(|name| json!(name))),
        ("email", provider.email.as_ref().map(|email| json!(email))),
        ("email_verified", Some(json!(true))),
        ("picture", provider.photo_url.as_ref().map(|url| json!(url))),
    ]));
    format!(
        "<li><button type=\"button\" class=\"account\" data-claims=\"{}\"><strong>{}</strong> <span>{}</span></button></li>\n",
        escape(&claims.to_string()),
        escape(provider.display_name.as_deref().unwrap_or("(no name)")),
        escape(provider.email.as_deref().unwrap_or_default()),
    )
}

fn wrong(error: &str, instructions: &str) -> Told {
    Told::Wrong { error: error.to_owned(), instructions: instructions.to_owned() }
}

/// Only to where a browser may be sent: not to `javascript:` and the like.
fn away(url: &str) -> Response {
    let allowed = url::Url::parse(url).is_ok_and(|url| !matches!(url.scheme(), "javascript" | "data" | "vbscript" | "file" | "blob"));
    match HeaderValue::from_str(url).ok().filter(|_| allowed) {
        Some(location) => {
            let mut response = http::Response::new(Body::empty());
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(http::header::LOCATION, location);
            response
        }
        None => said(&wrong("continueUrl is no URL that a browser can be sent to", "")),
    }
}

/// As JSON.
fn said(told: &Told) -> Response {
    let (status, body) = match told {
        Told::Done { success, field, email } => (StatusCode::OK, json!({ "success": success, *field: email })),
        Told::Wrong { error, instructions } if instructions.is_empty() => (StatusCode::BAD_REQUEST, json!({ "error": error })),
        Told::Wrong { error, instructions } => (StatusCode::BAD_REQUEST, json!({ "error": error, "instructions": instructions })),
        Told::Password { code } => (
            StatusCode::BAD_REQUEST,
            json!({
                "error": "missing newPassword query parameter",
                "instructions": format!("To reset the password for {}, send an HTTP GET request to the following URL.", code.email),
                "instructions2": "You may use a web browser or any HTTP client, such as curl.",
                "urlTemplate": format!("{}&newPassword={PLACEHOLDER}", code.link),
            }),
        ),
        Told::Away(url) => (StatusCode::OK, json!({ "continueUrl": url })),
    };
    answer(status, &json!({ "authEmulator": body }))
}

/// As a page.
fn shown(told: &Told, ask: &Ask) -> Response {
    let (status, title, content) = match told {
        Told::Done { success, email, .. } => {
            (StatusCode::OK, "Done", format!("<p role=\"status\">{}</p><p><strong>{}</strong></p>", escape(success), escape(email)))
        }
        Told::Wrong { error, instructions } => {
            let content = format!("<p role=\"alert\">{}</p><p>{}</p>", escape(error), escape(instructions));
            (StatusCode::BAD_REQUEST, "This did not work", content)
        }
        Told::Password { code } => {
            let hidden: String = ask
                .query
                .iter()
                .filter(|(name, _)| name != "newPassword")
                .map(|(name, value)| format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", escape(name), escape(value)))
                .collect();
            let content = format!(
                "<p>For <strong>{}</strong></p><form method=\"post\" action=\"/emulator/action\">{hidden}\
                 <p><label for=\"password\">New password</label><br>\
                 <input id=\"password\" name=\"newPassword\" type=\"password\" autocomplete=\"new-password\" minlength=\"6\" required autofocus></p>\
                 <p><button>Save</button></p></form>",
                escape(&code.email)
            );
            (StatusCode::OK, "Choose a new password", content)
        }
        Told::Away(url) => (StatusCode::OK, "Done", format!("<p><a href=\"{0}\">{0}</a></p>", escape(url))),
    };
    html(status, include_str!("action.html").replace("{{title}}", title).replace("{{content}}", &content))
}

fn html(status: StatusCode, page: String) -> Response {
    let mut response = http::Response::new(Body::from(page));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(http::header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Text as it may stand in a page, between tags and in quotes.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_user_becomes_part_of_a_page() {
        let provider = Provider {
            raw_id: "\"><script>alert(1)</script>".into(),
            display_name: Some("<img src=x onerror='x'>".into()),
            email: Some("a&b@c".into()),
            ..Provider::default()
        };
        let shown = account(&provider);
        assert!(!shown.contains("<script") && !shown.contains("<img") && shown.contains("a&amp;b@c"), "{shown}");
    }

    #[test]
    fn a_link_leads_to_no_script() {
        for (url, wanted) in [
            ("http://localhost:3000/a?b=c", 303),
            ("myapp://back", 303),
            ("javascript:alert(1)", 400),
            (" JavaScript:alert(1)", 400),
            ("data:text/html,x", 400),
            ("not a url", 400),
        ] {
            assert_eq!(away(url).status().as_u16(), wanted, "{url}");
        }
    }
}
