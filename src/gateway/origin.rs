//! What is done to every request from outside, whatever the face: guard it, give it a trace, measure it, tell of it.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderMap, HeaderValue, StatusCode};

use super::guard::{self, Pages, Refused};
use super::seen::{self, Seen};
use crate::base::{Call, Caller, Cause, Clock, Eras, Ids, Meter, TraceId, Usage};
use crate::telemetry::{self, Headers, Record, Sink};
use crate::wire::http::{Request, Response, header, json};

/// The header of every answer that names its trace.
pub const TRACE_HEADER: &str = "x-emu-trace-id";

/// What every face needs. Cheap to clone.
#[derive(Clone)]
pub struct Origin {
    pub clock: Clock,
    /// A request belongs to the state that there is when it comes.
    pub eras: Eras,
    pub ids: Ids,
    pub sink: Sink,
}

/// A request that was let in, until its answer.
pub struct Entered {
    pub call: Call,
    id: Arc<str>,
    at: crate::base::Time,
    began: Instant,
    face: &'static str,
    method: String,
    target: String,
    host: String,
    /// None where nobody will see the record.
    headers: Headers,
    seen: Seen,
}

/// What answered a request, beside the answer.
#[derive(Default)]
pub struct Answered {
    /// The function that did, if one did.
    pub function: Option<Arc<str>>,
    /// What the request used itself.
    pub own: Usage,
}

impl Origin {
    /// Lets a request in, or answers why not. `pages` says whose pages may call this face.
    pub fn enter(&self, face: &'static str, request: Request, caller: Caller, pages: Pages) -> Result<(Entered, Request), Response> {
        let named = header(request.headers(), "host").or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
        let guarded = guard::host(named).and_then(|()| guard::origin(request.headers(), pages));
        let id: Arc<str> = self.ids.uuid().into();
        let (trace, era) = (self.trace(&request), Some(self.eras.current()));
        let call = Call { caller, cause: Cause::Request(id.clone()), depth: 0, trace, meter: Meter::default(), era };
        let (at, began, host) = (self.clock.now(), Instant::now(), named.unwrap_or_default().to_owned());
        let (parts, body) = request.into_parts();
        let (seen, body) = seen::watch(body);
        let entered = Entered {
            call,
            id,
            at,
            began,
            face,
            method: parts.method.to_string(),
            target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            host,
            headers: if self.sink.has_listeners() { kept(&parts.headers) } else { Headers::default() },
            seen,
        };
        match guarded {
            Ok(()) => Ok((entered, http::Request::from_parts(parts, body))),
            Err(refused) => Err(self.leave(entered, refusal(&refused), Answered::default())),
        }
    }

    /// Marks the answer with its trace and tells of the request.
    pub fn leave(&self, entered: Entered, mut response: Response, answered: Answered) -> Response {
        if let Ok(value) = HeaderValue::from_str(entered.call.trace.as_str()) {
            response.headers_mut().insert(TRACE_HEADER, value);
        }
        self.sink.put(|| {
            Record::Request(telemetry::Request {
                id: entered.id,
                trace: entered.call.trace.clone(),
                at: entered.at,
                span: self.sink.span(entered.began),
                face: entered.face.into(),
                method: entered.method,
                target: entered.target,
                host: entered.host,
                headers: entered.headers,
                body: entered.seen.payload(),
                status: response.status().as_u16(),
                bytes_in: entered.seen.bytes(),
                bytes_out: http_body::Body::size_hint(response.body()).exact().unwrap_or(0),
                function: answered.function,
                own: answered.own,
            })
        });
        response
    }

    /// The trace that the sender began (W3C Trace Context), or a new one.
    fn trace(&self, request: &Request) -> TraceId {
        let sent = header(request.headers(), "traceparent").and_then(|value| value.split('-').nth(1));
        let valid = |id: &&str| {
            id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) && id.bytes().any(|b| b != b'0')
        };
        TraceId(sent.filter(valid).map_or_else(|| self.ids.hex(16), str::to_owned).into())
    }
}

/// Headers as a record keeps them.
fn kept(headers: &HeaderMap) -> Headers {
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut kept = Headers::with_capacity(headers.len(), bytes);
    for (name, value) in headers {
        kept.push(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
    }
    kept
}

fn refusal(refused: &Refused) -> Response {
    let status = match refused {
        Refused::Host(_) => StatusCode::MISDIRECTED_REQUEST,
        Refused::Origin(_) => StatusCode::FORBIDDEN,
    };
    json(status, &serde_json::json!({ "message": refused.to_string() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::wire::http::Body;

    #[test]
    fn a_trace_that_the_sender_began_goes_on() {
        let origin = Origin { clock: Clock::frozen(Time(0)), eras: Eras::default(), ids: Ids::seeded(1), sink: Sink::new(4) };
        let trace = |value: &str| {
            let request = http::Request::get("/").header("traceparent", value).body(Body::empty()).expect("a request");
            origin.enter("http", request, Caller::Anonymous, Pages::Any).unwrap_or_else(|_| panic!("let in")).0.call.trace
        };
        assert_eq!(trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").as_str(), "0af7651916cd43dd8448eb211c80319c");
        for wrong in ["", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-zz-1-1"] {
            let made = trace(wrong);
            assert!(made.as_str().len() == 32 && !made.as_str().starts_with("0000000000000000"), "{wrong}");
        }
    }
    #[tokio::test]
    async fn a_refused_request_is_told_of_and_its_answer_names_the_trace() {
        let origin = Origin { clock: Clock::frozen(Time(0)), eras: Eras::default(), ids: Ids::seeded(1), sink: Sink::new(4) };
        let mut records = origin.sink.subscribe();
        let request = http::Request::post("/a?b=c").header("host", "evil.example").body(Body::from("x")).expect("a request");
        let response = origin.enter("aws", request, Caller::Admin, Pages::Local).err().expect("refused");
        let record = records.next().await.expect("a record");
        let Record::Request(told) = &*record else { panic!("{record:?}") };
        assert_eq!(header(response.headers(), TRACE_HEADER), Some(told.trace.as_str()));
        assert_eq!((told.status, told.target.as_str(), told.host.as_str()), (421, "/a?b=c", "evil.example"));
        assert_eq!((told.headers.iter().collect::<Vec<_>>(), told.body.kept().as_ref()), (vec![("host", "evil.example")], &b"x"[..]));
    }
}
