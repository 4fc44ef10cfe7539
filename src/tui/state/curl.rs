//! What to type in a shell to do again what a record tells of.

use crate::telemetry::{Invocation, Request};

/// Headers that curl or the connection makes anew.
const LEFT_OUT: [&str; 9] =
    ["host", "content-length", "accept-encoding", "connection", "user-agent", "traceparent", "tracestate", "transfer-encoding", "accept"];

/// A curl that sends the request again. `base` is where it goes if the record does not say.
pub fn of_request(request: &Request, base: &str) -> String {
    let base = match request.host.as_str() {
        "" => base.to_owned(),
        host if host.contains("://") => host.trim_end_matches('/').to_owned(),
        host => format!("http://{host}"),
    };
    let mut text = String::from("curl");
    if request.method != "GET" || !request.body.is_empty() {
        text.push_str(&format!(" -X {}", quoted(&request.method)));
    }
    text.push_str(&format!(" {}", quoted(&format!("{base}{}", request.target))));
    for (name, value) in request.headers.iter().filter(|(name, _)| !LEFT_OUT.contains(&name.to_ascii_lowercase().as_str())) {
        text.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
    }
    if !request.body.is_empty() {
        text.push_str(&format!(" --data-binary {}", quoted(&String::from_utf8_lossy(request.body.kept()))));
    }
    text
}

/// An `emu invoke` that calls the function again.
pub fn of_invocation(invocation: &Invocation) -> String {
    format!("emu invoke {} --data {}", quoted(&invocation.function), quoted(&String::from_utf8_lossy(invocation.event.kept())))
}

/// As one word of a POSIX shell.
fn quoted(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
    if !text.is_empty() && text.bytes().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::Headers;
    use crate::telemetry::Record;
    use crate::tui::sample;

    #[test]
    fn a_request_is_sent_again_with_its_headers_and_body() {
        let records = sample::checkout(0);
        let request = records.iter().find_map(|record| if let Record::Request(r) = record { Some(r) } else { None }).expect("a request");
        assert_eq!(
            of_request(request, ""),
            r#"curl -X POST http://127.0.0.1:3000/orders -H 'content-type: application/json' -H 'authorization: ••••' --data-binary '{"product":"tea","count":2}'"#
        );
        let get = Request {
            method: "GET".into(),
            target: "/a?b=it's".into(),
            host: String::new(),
            body: Default::default(),
            headers: Headers::default(),
            ..request.clone()
        };
        assert_eq!(of_request(&get, "http://h:1"), r"curl 'http://h:1/a?b=it'\''s'");
    }

    #[test]
    fn what_no_request_led_to_is_invoked() {
        let invocation = Invocation { event: crate::telemetry::Payload::new(&"{}".into()), ..sample::blank() };
        assert_eq!(of_invocation(&invocation), "emu invoke createOrder --data '{}'");
    }
}
