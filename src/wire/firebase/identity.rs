//! Who a request says that it comes from. As with Firebase's own emulators, a token is read and its signature is not: whoever can reach
//! the port may be anybody.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::Value;

use crate::base::Caller;
use crate::services::auth::token::claims;
use crate::wire::http::header;

/// The token of `Authorization: Bearer …` or `Authorization: Firebase …`.
pub fn token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = header(headers, "authorization")?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("firebase"))
        .then(|| token.trim())
        .filter(|token| !token.is_empty())
}

/// Who asks: `owner`, or a token that is no user's (a service account's, an access token) is an administrator.
pub fn caller(headers: &HeaderMap) -> Caller {
    match token(headers) {
        None => Caller::Anonymous,
        Some(token) => of_token(token),
    }
}

/// Who a token is of.
pub fn of_token(token: &str) -> Caller {
    let Some(claims) = claims(token) else { return Caller::Admin };
    let is_account = claims.get("iss").and_then(Value::as_str).is_some_and(|iss| iss.ends_with(".gserviceaccount.com"));
    let uid = ["sub", "user_id"].into_iter().find_map(|name| claims.get(name)?.as_str()).map(str::to_owned);
    match uid {
        Some(uid) if !is_account => Caller::User { uid, token: Arc::new(claims) },
        _ => Caller::Admin,
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn jwt(claims: &str) -> String {
        format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#), URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn tokens_say_who_asks() {
        let user = jwt(r#"{"sub":"u1","email":"a@b.c"}"#);
        let account = jwt(r#"{"sub":"x@p.iam.gserviceaccount.com","iss":"x@p.iam.gserviceaccount.com"}"#);
        for (sent, wanted) in [
            (None, "anonymous"),
            (Some("Bearer owner".to_owned()), "admin"),
            (Some("bearer ya29.x".to_owned()), "admin"),
            (Some("Basic abc".to_owned()), "anonymous"),
            (Some(format!("Bearer {user}")), "u1 a@b.c"),
            (Some(format!("Firebase {user}")), "u1 a@b.c"),
            (Some(format!("Bearer {account}")), "admin"),
            (Some("Bearer a.b.c".to_owned()), "admin"),
            (Some("Bearer ".to_owned()), "anonymous"),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(sent) = &sent {
                headers.insert("authorization", http::HeaderValue::from_str(sent).expect("a value"));
            }
            let said = match caller(&headers) {
                Caller::Anonymous => "anonymous".to_owned(),
                Caller::Admin => "admin".to_owned(),
                Caller::User { uid, token } => format!("{uid} {}", token["email"].as_str().unwrap_or_default()),
                other => format!("{other:?}"),
            };
            assert_eq!(said, wanted, "{sent:?}");
        }
    }
}
