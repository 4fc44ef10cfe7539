//! What is done to every request from outside, whatever the face: guard it, give it a trace, measure it, tell of it.

use std::sync::Arc;
use std::time::Instant;

use http::{HeaderValue, StatusCode};

use super::guard::{self, Refused};
use crate::base::{Call, Caller, Cause, Clock, Ids, Meter, TraceId, Usage};
use crate::telemetry::{self, Record, Sink};
use crate::wire::http::{Request, Response, header, json};

/// The header of every answer that names its trace.
pub const TRACE_HEADER: &str = "x-emu-trace-id";

/// What every face needs. Cheap to clone.
#[derive(Clone)]
pub struct Origin {
    pub clock: Clock,
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
    bytes_in: u64,
}

impl Origin {
    /// Lets a request in, or answers why not. `pages` says whether pages of other sites may call this face.
    pub fn enter(&self, face: &'static str, request: &Request, caller: Caller, pages: bool) -> Result<Entered, Response> {
        let named = header(request.headers(), "host").or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
        guard::host(named)
            .and_then(|()| if pages { Ok(()) } else { guard::origin(request.headers()) })
            .map_err(|refused| refusal(&refused))?;
        let id: Arc<str> = self.ids.uuid().into();
        let call = Call { caller, cause: Cause::Request(id.clone()), depth: 0, trace: self.trace(request), meter: Meter::default() };
        Ok(Entered {
            call,
            id,
            at: self.clock.now(),
            began: Instant::now(),
            face,
            method: request.method().to_string(),
            target: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            host: named.unwrap_or_default().to_owned(),
            bytes_in: http_body::Body::size_hint(request.body()).exact().unwrap_or(0),
        })
    }

    /// Marks the answer with its trace and tells of the request.
    pub fn leave(&self, entered: Entered, mut response: Response, function: Option<Arc<str>>) -> Response {
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
                headers: Vec::new(),
                body: telemetry::Payload::default(),
                status: response.status().as_u16(),
                bytes_in: entered.bytes_in,
                bytes_out: http_body::Body::size_hint(response.body()).exact().unwrap_or(0),
                function,
                own: Usage::default(),
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
        let origin = Origin { clock: Clock::frozen(Time(0)), ids: Ids::seeded(1), sink: Sink::new(4) };
        let trace = |value: &str| {
            let request = http::Request::get("/").header("traceparent", value).body(Body::empty()).expect("a request");
            origin.enter("http", &request, Caller::Anonymous, true).unwrap_or_else(|_| panic!("let in")).call.trace
        };
        assert_eq!(trace("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").as_str(), "0af7651916cd43dd8448eb211c80319c");
        for wrong in ["", "00-00000000000000000000000000000000-b7ad6b7169203331-01", "00-zz-1-1"] {
            let made = trace(wrong);
            assert!(made.as_str().len() == 32 && !made.as_str().starts_with("0000000000000000"), "{wrong}");
        }
    }
}
