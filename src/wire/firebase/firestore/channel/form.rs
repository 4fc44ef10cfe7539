//! What a client says in the address and in the form of a request.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Messages of a form at most: the client sends no more (`webchannelbase.js`, `MAX_MAPS_PER_REQUEST_`).
pub const MESSAGES_MAX: usize = 1_000;
/// Headers that a form may bring, and the bytes of them.
const HEADERS_MAX: usize = 64;
const HEADERS_BYTES_MAX: usize = 64 << 10;

/// The parameters of an address.
#[derive(Debug, Default, PartialEq)]
pub struct Address {
    /// The session; none in a handshake.
    pub session: Option<String>,
    /// It ends the session.
    pub terminates: bool,
    /// The number of the last array that has arrived.
    pub seen: Option<u64>,
    /// The answer is to end after what there is: something between holds answers back until they are whole.
    pub buffered: bool,
    /// How long such an answer may take.
    pub wait: Option<Duration>,
    /// What a handshake carries in its address: headers, and the first messages.
    pub headers: HeaderMap,
    pub first: Option<Form>,
}

impl Address {
    pub fn read(query: &str) -> Result<Address, FormError> {
        let mut address = Address::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            match &*name {
                // A handshake whose answer may bring messages names a session that is none.
                "SID" if value != "null" => address.session = Some(value.into_owned()),
                "TYPE" => address.terminates = value == "terminate",
                "AID" => address.seen = value.parse().ok(),
                "CI" => address.buffered = value == "1",
                "TO" => address.wait = value.parse().ok().map(Duration::from_millis),
                "$httpHeaders" => address.headers = headers(&value),
                "$req" => address.first = Some(Form::read(value.as_bytes())?),
                _ => {}
            }
        }
        Ok(address)
    }
}

/// What a form brings.
#[derive(Debug, Default, PartialEq)]
pub struct Form {
    /// Messages in their order, each with its number.
    pub messages: Vec<(u64, String)>,
    /// Headers that are in the form, so that the browser need not ask whether it may send them.
    pub headers: HeaderMap,
}

/// Why a form cannot be read.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum FormError {
    #[error("Error: a request may bring {MESSAGES_MAX} messages, not {0}.")]
    TooMany(u64),
    #[error("Error: the request says that it brings {count} messages; the one at {at} is missing.")]
    Missing { count: u64, at: u64 },
    #[error("Error: `{name}={value}` is no number.")]
    NoNumber { name: &'static str, value: String },
}

impl Form {
    pub fn read(text: &[u8]) -> Result<Form, FormError> {
        let mut form = Form::default();
        let (mut count, mut first) = (0, 0);
        let mut sent = BTreeMap::new();
        for (name, value) in url::form_urlencoded::parse(text) {
            match &*name {
                "count" => count = number("count", &value)?,
                "ofs" => first = number("ofs", &value)?,
                "headers" => form.headers = headers(&value),
                name => {
                    let at = name.strip_prefix("req").and_then(|rest| rest.strip_suffix("___data__")).and_then(|at| at.parse::<u64>().ok());
                    if let Some(at) = at.filter(|at| *at < MESSAGES_MAX as u64) {
                        sent.insert(at, value.into_owned());
                    }
                }
            }
        }
        if count > MESSAGES_MAX as u64 {
            return Err(FormError::TooMany(count));
        }
        for at in 0..count {
            let message = sent.remove(&at).ok_or(FormError::Missing { count, at })?;
            form.messages.push((first + at, message));
        }
        Ok(form)
    }
}

fn number(name: &'static str, value: &str) -> Result<u64, FormError> {
    // Numbers are counted on from this one.
    let parsed = value.parse().ok().filter(|number| *number < u64::MAX / 2);
    parsed.ok_or_else(|| FormError::NoNumber { name, value: value.chars().take(100).collect() })
}

/// Lines of `Name:Value`; those that cannot be headers are left out.
fn headers(text: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if text.len() > HEADERS_BYTES_MAX {
        return headers;
    }
    for line in text.lines().take(HEADERS_MAX) {
        let Some((name, value)) = line.split_once(':') else { continue };
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.trim()), HeaderValue::from_str(value.trim())) {
            headers.insert(name, value);
        }
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_bring_numbered_messages_and_headers() {
        let check = |text: &str, wanted: Result<&[(u64, &str)], FormError>| {
            let read = Form::read(text.as_bytes()).map(|form| form.messages);
            let wanted = wanted.map(|all| all.iter().map(|(number, text)| (*number, (*text).to_owned())).collect::<Vec<_>>());
            assert_eq!(read, wanted, "{text}");
        };
        check("", Ok(&[]));
        check("count=0", Ok(&[]));
        check("count=1&ofs=0&req0___data__=%7B%22a%22%3A1%7D", Ok(&[(0, r#"{"a":1}"#)]));
        check("count=2&ofs=7&req0___data__=a&req1___data__=b", Ok(&[(7, "a"), (8, "b")]));
        check("req1___data__=b&ofs=7&req0___data__=a&count=2", Ok(&[(7, "a"), (8, "b")]));
        check("count=1&ofs=0&req0___data__=1%2B1+is+%E2%82%AC", Ok(&[(0, "1+1 is €")]));
        check("count=1&ofs=0&req0___data__=a&req5___data__=not+counted", Ok(&[(0, "a")]));
        check("count=2&ofs=0&req0___data__=a", Err(FormError::Missing { count: 2, at: 1 }));
        check("count=99999999999", Err(FormError::TooMany(99_999_999_999)));
        check("count=x", Err(FormError::NoNumber { name: "count", value: "x".into() }));
        check("ofs=18446744073709551615", Err(FormError::NoNumber { name: "ofs", value: "18446744073709551615".into() }));
        let form =
            Form::read(b"headers=Authorization%3ABearer%20a%3Ab%0D%0AX-A%3A%201%0D%0Anone%0D%0Ab%20d%3A1%0D%0A&count=0").expect("a form");
        let said: Vec<(&str, &str)> = form.headers.iter().map(|(name, value)| (name.as_str(), value.to_str().expect("text"))).collect();
        assert_eq!(said, [("authorization", "Bearer a:b"), ("x-a", "1")]);
    }

    #[test]
    fn addresses_say_which_session_and_what_of_it() {
        let check = |query: &str, wanted: Address| assert_eq!(Address::read(query), Ok(wanted), "{query}");
        let session = Some("s".to_owned());
        check("VER=8&database=projects%2Fp&RID=5&CVER=22&zx=a&t=1", Address::default());
        check("RID=rpc&SID=s&AID=3&CI=0&TYPE=xmlhttp", Address { session: session.clone(), seen: Some(3), ..Address::default() });
        let wait = Some(Duration::from_secs(20));
        check("SID=s&AID=0&CI=1&TO=20000", Address { session: session.clone(), seen: Some(0), buffered: true, wait, ..Address::default() });
        check("SID=s&RID=6&TYPE=terminate", Address { session, terminates: true, ..Address::default() });
        let first = Some(Form { messages: vec![(0, "{}".to_owned())], ..Form::default() });
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::from_static("Bearer t"))]);
        let query = "SID=null&$httpHeaders=Authorization%3ABearer%20t%0D%0A&$req=count%3D1%26ofs%3D0%26req0___data__%3D%7B%7D";
        check(query, Address { headers, first, ..Address::default() });
        assert!(Address::read("$req=count%3D5").is_err());
    }
}
