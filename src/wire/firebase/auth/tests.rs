//! The wire as SDKs see it: one request after another against one project, each answer compared in short.

use serde_json::{Value, json};

use super::super::Wire;
use super::Auth;
use crate::base::{Call, Clock, Ids, Time};
use crate::services;
use crate::store::{Db, Options};
use crate::wire::http::{Body, header};

struct Server {
    wire: Auth,
    _folder: tempfile::TempDir,
}

fn server() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let (clock, ids) = (Clock::frozen(Time(1_700_000_000_000)), Ids::seeded(1));
    let options = Options { path: folder.path().join("state.db"), clock, ids: ids.clone(), ephemeral: true };
    let db = Db::open(options, &[&services::auth::SCHEMA]).expect("a database");
    Server { wire: Auth::new(services::auth::Auth::new(db), ids, "demo"), _folder: folder }
}

impl Server {
    async fn send(&self, method: &str, target: &str, token: Option<&str>, body: &Value) -> (u16, Value, String) {
        let mut request = http::Request::builder().method(method).uri(target).header("host", "localhost:9099");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let response = self.wire.handle(&Call::operator(), request.body(Body::from(body)).expect("a request")).await;
        let location = header(response.headers(), "location").unwrap_or_default().to_owned();
        let status = response.status().as_u16();
        let bytes = response.into_body().collect(1 << 20).await.expect("a body");
        (status, serde_json::from_slice(&bytes).unwrap_or_else(|_| json!(String::from_utf8_lossy(&bytes))), location)
    }

    /// As a client with a key.
    async fn client(&self, operation: &str, body: Value) -> Value {
        let (status, answer, _) = self.send("POST", &format!("/identitytoolkit.googleapis.com/v1/{operation}?key=k"), None, &body).await;
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }

    /// As an administrator.
    async fn admin(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer, _) = self.send(method, &format!("/identitytoolkit.googleapis.com{path}"), Some("owner"), &body).await;
        assert_eq!(status, 200, "{path} {body}: {answer}");
        answer
    }
}

/// What SDKs compare.
fn message(answer: &Value) -> String {
    answer["error"]["message"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn errors_are_those_that_sdks_know() {
    let s = server();
    let user = s.client("accounts:signUp", json!({ "email": "a@b.c", "password": "secret" })).await;
    let (token, uid) = (user["idToken"].clone(), user["localId"].clone());
    let anonymous = s.client("accounts:signUp", json!({})).await["idToken"].clone();
    s.admin("POST", "/v1/projects/demo/accounts", json!({ "localId": "off", "email": "off@b.c", "password": "secret", "disabled": true }))
        .await;
    s.admin("POST", "/v1/projects/demo/accounts", json!({ "localId": "p", "phoneNumber": "+15555550100" })).await;
    for (operation, body, wanted) in [
        ("accounts:signUp", json!({ "email": "a@b.c", "password": "secret" }), "EMAIL_EXISTS"),
        ("accounts:signUp", json!({ "email": "a@b.d", "password": "short" }), "WEAK_PASSWORD : Password should be at least 6 characters"),
        ("accounts:signUp", json!({ "email": "nobody", "password": "secret" }), "INVALID_EMAIL"),
        ("accounts:signUp", json!({ "email": "", "password": "" }), "MISSING_PASSWORD"),
        ("accounts:signUp", json!({ "password": "secret" }), "MISSING_EMAIL"),
        ("accounts:signUp", json!({ "email": "x@b.c" }), "MISSING_PASSWORD"),
        ("accounts:signUp", json!({ "localId": "x" }), "UNEXPECTED_PARAMETER : User ID"),
        ("accounts:signInWithPassword", json!({ "email": "x@b.c", "password": "secret" }), "EMAIL_NOT_FOUND"),
        ("accounts:signInWithPassword", json!({ "email": "a@b.c", "password": "Secret" }), "INVALID_PASSWORD"),
        ("accounts:signInWithPassword", json!({ "email": "a@b.c" }), "MISSING_PASSWORD"),
        ("accounts:signInWithPassword", json!({ "password": "secret" }), "MISSING_EMAIL"),
        ("accounts:signInWithPassword", json!({ "email": "off@b.c", "password": "secret" }), "USER_DISABLED"),
        ("accounts:signInWithCustomToken", json!({}), "MISSING_CUSTOM_TOKEN"),
        ("accounts:signInWithCustomToken", json!({ "token": "x" }), "INVALID_CUSTOM_TOKEN : Invalid assertion format"),
        ("accounts:signInWithCustomToken", json!({ "token": "{}" }), "MISSING_IDENTIFIER"),
        ("accounts:signInWithCustomToken", json!({ "token": r#"{"uid":"a","claims":{"aud":1}}"# }), "FORBIDDEN_CLAIM : aud"),
        ("accounts:signInWithCustomToken", json!({ "token": r#"{"uid":"off"}"# }), "USER_DISABLED"),
        ("accounts:signInWithEmailLink", json!({ "email": "a@b.c", "oobCode": "x" }), "INVALID_OOB_CODE"),
        ("accounts:signInWithEmailLink", json!({ "email": "a@b.c" }), "MISSING_OOB_CODE"),
        ("accounts:signInWithEmailLink", json!({ "oobCode": "x" }), "MISSING_EMAIL"),
        ("accounts:signInWithIdp", json!({}), "MISSING_REQUEST_URI"),
        ("accounts:signInWithIdp", json!({ "requestUri": "nowhere" }), "INVALID_REQUEST_URI"),
        (
            "accounts:signInWithIdp",
            json!({ "requestUri": "http://localhost/" }),
            "INVALID_CREDENTIAL_OR_PROVIDER_ID : Invalid IdP response/credential: http://localhost/",
        ),
        (
            "accounts:signInWithIdp",
            json!({ "requestUri": "http://localhost/", "postBody": "providerId=google.com&id_token=%7B%7D" }),
            "INVALID_IDP_RESPONSE : Invalid Idp Response: id_token missing required fields. ((Missing \"sub\" field. This field is required and must be a unique identifier.))",
        ),
        ("accounts:sendVerificationCode", json!({ "phoneNumber": "12" }), "INVALID_PHONE_NUMBER : Invalid format."),
        ("accounts:signInWithPhoneNumber", json!({ "code": "1" }), "MISSING_SESSION_INFO"),
        ("accounts:signInWithPhoneNumber", json!({ "sessionInfo": "x" }), "MISSING_CODE"),
        ("accounts:signInWithPhoneNumber", json!({ "sessionInfo": "x", "code": "1" }), "INVALID_SESSION_INFO"),
        ("accounts:signInWithPhoneNumber", json!({ "temporaryProof": "x" }), "MISSING_PHONE_NUMBER"),
        ("accounts:signInWithPhoneNumber", json!({ "temporaryProof": "x", "phoneNumber": "+1" }), "INVALID_TEMPORARY_PROOF"),
        ("accounts:sendOobCode", json!({}), "MISSING_REQ_TYPE"),
        ("accounts:sendOobCode", json!({ "requestType": "PASSWORD_RESET" }), "MISSING_EMAIL"),
        ("accounts:sendOobCode", json!({ "requestType": "PASSWORD_RESET", "email": "x@b.c" }), "EMAIL_NOT_FOUND"),
        ("accounts:sendOobCode", json!({ "requestType": "VERIFY_EMAIL" }), "MISSING_ID_TOKEN"),
        ("accounts:sendOobCode", json!({ "requestType": "VERIFY_EMAIL", "idToken": anonymous }), "MISSING_EMAIL"),
        (
            "accounts:sendOobCode",
            json!({ "requestType": "EMAIL_SIGNIN", "email": "a@b.c", "returnOobLink": true }),
            "INSUFFICIENT_PERMISSION",
        ),
        (
            "accounts:sendOobCode",
            json!({ "requestType": "EMAIL_SIGNIN", "email": "a@b.c", "continueUrl": "x" }),
            "INVALID_CONTINUE_URI : ((expected an absolute URI with valid scheme and host))",
        ),
        ("accounts:resetPassword", json!({}), "MISSING_OOB_CODE"),
        ("accounts:resetPassword", json!({ "oobCode": "x" }), "INVALID_OOB_CODE"),
        ("accounts:lookup", json!({}), "MISSING_ID_TOKEN"),
        ("accounts:lookup", json!({ "idToken": "x" }), "INVALID_ID_TOKEN"),
        ("accounts:delete", json!({}), "MISSING_ID_TOKEN"),
        ("accounts:update", json!({}), "INVALID_REQ_TYPE : Unsupported request parameters."),
        ("accounts:update", json!({ "idToken": token, "customAttributes": "{}" }), "INSUFFICIENT_PERMISSION"),
        ("accounts:update", json!({ "idToken": token, "email": "off@b.c" }), "EMAIL_EXISTS"),
        ("accounts:update", json!({ "idToken": token, "disableUser": true }), "OPERATION_NOT_ALLOWED"),
        ("accounts:update", json!({ "oobCode": "x" }), "INVALID_OOB_CODE"),
        ("accounts:createAuthUri", json!({ "identifier": "a@b.c" }), "MISSING_CONTINUE_URI"),
        ("accounts:createAuthUri", json!({ "identifier": "x", "continueUri": "http://a/" }), "INVALID_IDENTIFIER"),
        ("projects/demo/accounts", json!({ "email": "a@b.c" }), "EMAIL_EXISTS"),
        ("projects/demo/accounts", json!({ "localId": "p" }), "DUPLICATE_LOCAL_ID"),
        ("projects/demo/accounts", json!({ "phoneNumber": "+15555550100" }), "PHONE_NUMBER_EXISTS"),
        ("projects/demo/accounts:update", json!({}), "MISSING_LOCAL_ID"),
        ("projects/demo/accounts:update", json!({ "localId": "nobody" }), "USER_NOT_FOUND"),
        ("projects/demo/accounts:update", json!({ "localId": uid, "customAttributes": "[]" }), "INVALID_CLAIMS"),
        ("projects/demo/accounts:delete", json!({}), "MISSING_LOCAL_ID"),
        ("projects/demo/accounts:delete", json!({ "localId": "nobody" }), "USER_NOT_FOUND"),
        ("projects/demo/accounts:batchDelete", json!({ "localIds": [] }), "LOCAL_ID_LIST_EXCEEDS_LIMIT"),
        ("projects/demo/accounts:batchCreate", json!({}), "MISSING_USER_ACCOUNT"),
        ("projects/demo/accounts:batchCreate", json!({ "users": [{ "localId": "x" }, { "localId": "x" }] }), "DUPLICATE_LOCAL_ID : x"),
        ("projects/demo:createSessionCookie", json!({ "idToken": token, "validDuration": "299" }), "INVALID_DURATION"),
        ("projects/demo:createSessionCookie", json!({}), "MISSING_ID_TOKEN"),
    ] {
        let owner = operation.starts_with("projects/").then_some("owner");
        let (status, answer, _) = s.send("POST", &format!("/v1/{operation}?key=k"), owner, &body).await;
        assert_eq!((status, message(&answer).as_str()), (400, wanted), "{operation} {body}");
        assert_eq!(answer["error"]["errors"][0]["reason"], "invalid", "{operation}");
        assert!(answer["error"].get("status").is_none(), "as production, without a status: {answer}");
    }
}

#[tokio::test]
async fn who_may_ask_is_said_in_the_clouds_words() {
    let s = server();
    for (method, target, token, wanted) in [
        ("POST", "/v1/accounts:signUp", None, (403, "PERMISSION_DENIED", "The request is missing a valid API key.")),
        ("POST", "/v1/projects/demo/accounts:lookup", None, (401, "UNAUTHENTICATED", "Request is missing required authentication")),
        ("POST", "/v1/projects/demo/accounts:lookup?key=k", None, (401, "UNAUTHENTICATED", "Request is missing required")),
        ("POST", "/v1/projects/demo/accounts:lookup", Some("e30.eyJzdWIiOiJ1In0."), (401, "UNAUTHENTICATED", "Request had invalid")),
        ("GET", "/v2/projects/demo/oauthIdpConfigs", Some("owner"), (501, "NOT_IMPLEMENTED", "emu does not know")),
        ("GET", "/v2/projects/demo/tenants/none", Some("owner"), (404, "NOT_FOUND", "TENANT_NOT_FOUND")),
        ("GET", "/nothing", None, (404, "NOT_FOUND", "Not Found")),
    ] {
        let (status, answer, _) = s.send(method, target, token, &Value::Null).await;
        let said = (status, answer["error"]["status"].as_str().unwrap_or_default(), message(&answer));
        assert!(said.0 == wanted.0 && said.1 == wanted.1 && said.2.starts_with(wanted.2), "{target}: {answer}");
    }
    let (status, answer, _) = s.send("POST", "/v1/accounts:signUp?key=k", None, &json!([])).await;
    assert_eq!((status, answer["error"]["status"].as_str()), (400, Some("INVALID_ARGUMENT")));
}

#[tokio::test]
async fn with_email_privacy_nobody_learns_who_has_an_account() {
    let s = server();
    s.client("accounts:signUp", json!({ "email": "a@b.c", "password": "secret" })).await;
    let config = json!({ "emailPrivacyConfig": { "enableImprovedEmailPrivacy": true } });
    let (_, answer, _) = s.send("PATCH", "/emulator/v1/projects/demo/config", None, &config).await;
    assert_eq!(answer["emailPrivacyConfig"], config["emailPrivacyConfig"]);
    for (email, password) in [("a@b.c", "Secret"), ("x@b.c", "secret")] {
        let body = json!({ "email": email, "password": password });
        let (_, answer, _) = s.send("POST", "/v1/accounts:signInWithPassword?key=k", None, &body).await;
        assert_eq!(message(&answer), "INVALID_LOGIN_CREDENTIALS");
    }
    let asked = s.client("accounts:createAuthUri", json!({ "identifier": "a@b.c", "continueUri": "http://a/" })).await;
    assert!(asked.get("registered").is_none());
    s.client("accounts:sendOobCode", json!({ "requestType": "PASSWORD_RESET", "email": "x@b.c" })).await;
    let (_, codes, _) = s.send("GET", "/emulator/v1/projects/demo/oobCodes", None, &Value::Null).await;
    assert_eq!(codes, json!({ "oobCodes": [] }));
}

#[tokio::test]
async fn who_looks_up_themselves_does_not_see_the_hash() {
    let s = server();
    let user = s.client("accounts:signUp", json!({ "email": "a@b.c", "password": "secret" })).await;
    let own = s.client("accounts:lookup", json!({ "idToken": user["idToken"] })).await;
    assert_eq!(own["users"][0]["passwordHash"], "UkVEQUNURUQ=");
    let admin = s.admin("POST", "/v1/projects/demo/accounts:lookup", json!({ "localId": [user["localId"]] })).await;
    let hash = admin["users"][0]["passwordHash"].as_str().expect("a hash");
    assert!(hash.starts_with("emu$pbkdf2-sha256$") && !hash.contains("secret"), "{hash}");
    let nobody = s.admin("POST", "/v1/projects/demo/accounts:lookup", json!({ "localId": ["x"] })).await;
    assert!(nobody.get("users").is_none(), "the Node.js admin SDK takes an empty list for a user");
}

#[tokio::test]
async fn a_refresh_token_comes_as_a_form_or_as_json() {
    let s = server();
    let user = s.client("accounts:signUp", json!({})).await;
    let refresh = user["refreshToken"].as_str().expect("a token");
    let json = json!({ "grantType": "refresh_token", "refreshToken": refresh });
    let (status, answer, _) = s.send("POST", "/securetoken.googleapis.com/v1/token?key=k", None, &json).await;
    assert_eq!((status, &answer["user_id"], &answer["token_type"]), (200, &user["localId"], &json!("Bearer")));
    let form = format!("grant_type=refresh_token&refresh_token={refresh}");
    let request =
        http::Request::post("/securetoken.googleapis.com/v1/token?key=k").header("content-type", "application/x-www-form-urlencoded");
    let response = s.wire.handle(&Call::operator(), request.body(Body::from(form)).expect("a request")).await;
    assert_eq!(response.status(), 200);
    for (body, wanted) in [
        (json!({}), "MISSING_GRANT_TYPE"),
        (json!({ "grantType": "x" }), "INVALID_GRANT_TYPE"),
        (json!({ "grantType": "refresh_token" }), "MISSING_REFRESH_TOKEN"),
        (json!({ "grantType": "refresh_token", "refreshToken": "x" }), "INVALID_REFRESH_TOKEN"),
    ] {
        let (_, answer, _) = s.send("POST", "/securetoken.googleapis.com/v1/token?key=k", None, &body).await;
        assert_eq!(message(&answer), wanted);
    }
}

#[tokio::test]
async fn many_users_come_and_go_at_once() {
    let s = server();
    let users: Vec<Value> = (0..3).map(|n| json!({ "localId": format!("u{n}"), "email": format!("u{n}@b.c") })).collect();
    let again = json!({ "users": [users[0], { "email": "x@b.c" }, { "localId": "u9", "email": "u1@b.c" }, { "localId": "u8", "phoneNumber": "1" }] });
    s.admin("POST", "/v1/projects/demo/accounts:batchCreate", json!({ "users": users })).await;
    let answer = s.admin("POST", "/v1/projects/demo/accounts:batchCreate", again).await;
    let wrong: Vec<&str> =
        answer["error"].as_array().expect("a list").iter().map(|one| one["message"].as_str().unwrap_or_default()).collect();
    assert_eq!(
        wrong,
        [
            "localId belongs to an existing account - can not overwrite.",
            "localId is missing",
            "email exists in other account in database",
            "phone number format is invalid"
        ]
    );
    let page = s.admin("GET", "/v1/projects/demo/accounts:batchGet?maxResults=2", Value::Null).await;
    assert_eq!((page["users"].as_array().map(Vec::len), &page["nextPageToken"]), (Some(2), &json!("u1")));
    let all = s.admin("GET", "/v1/projects/demo/accounts:batchGet?maxResults=-1", Value::Null).await;
    assert_eq!(all["users"].as_array().map(Vec::len), Some(3));
    let kept = s.admin("POST", "/v1/projects/demo/accounts:batchDelete", json!({ "localIds": ["u0", "none"] })).await;
    assert_eq!(kept["errors"][0]["message"], "NOT_DISABLED : Disable the account before batch deletion.");
    s.admin("POST", "/v1/projects/demo/accounts:batchDelete", json!({ "localIds": ["u0"], "force": true })).await;
    let counted = s.admin("POST", "/v1/projects/demo/accounts:query", json!({ "returnUserInfo": false })).await;
    assert_eq!(counted, json!({ "recordsCount": "2" }));
    let (status, ..) = s.send("DELETE", "/emulator/v1/projects/demo/accounts", None, &Value::Null).await;
    assert_eq!(status, 200);
    let none = s.admin("POST", "/v1/projects/demo:queryAccounts", json!({})).await;
    assert_eq!(none, json!({ "recordsCount": "0", "userInfo": [] }));
}

#[tokio::test]
async fn the_widget_shows_accounts_and_nothing_that_runs() {
    let s = server();
    let claims = json!({ "sub": "1", "email": "a@b.c", "name": "<script>alert(1)</script>" });
    let body = json!({ "requestUri": "http://localhost/", "postBody": format!("providerId=google.com&id_token={claims}") });
    s.client("accounts:signInWithIdp", body).await;
    let target = "/emulator/auth/handler?apiKey=k&appName=a&providerId=google.com&authType=signInViaPopup";
    let (status, page, _) = s.send("GET", target, None, &Value::Null).await;
    let page = page.as_str().expect("a page");
    assert!(status == 200 && page.contains("a@b.c") && page.contains("&lt;script&gt;") && !page.contains("<script>alert"), "{page}");
    let (status, ..) = s.send("GET", "/emulator/auth/handler?apiKey=k", None, &Value::Null).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn providers_that_do_not_say_that_an_address_is_verified_are_not_believed() {
    let s = server();
    s.client("accounts:signUp", json!({ "email": "a@b.c", "password": "secret" })).await;
    let claims = json!({ "sub": "1", "email": "a@b.c" });
    let body = json!({ "requestUri": "http://localhost/", "postBody": format!("providerId=facebook.com&id_token={claims}"), "returnIdpCredential": true });
    let answer = s.client("accounts:signInWithIdp", body.clone()).await;
    assert_eq!((&answer["needConfirmation"], answer.get("idToken")), (&json!(true), None));
    let token = s.client("accounts:signUp", json!({})).await["idToken"].clone();
    let mut linking = body;
    linking["idToken"] = token;
    let answer = s.client("accounts:signInWithIdp", linking).await;
    assert_eq!(
        (&answer["errorMessage"], &answer["oauthAccessToken"]),
        (&json!("EMAIL_EXISTS"), &json!("FirebaseAuthEmulatorFakeAccessToken_facebook.com"))
    );
}
