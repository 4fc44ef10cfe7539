//! A request from outside, all the way: route, event, invocation, answer. API Gateway's bounds and texts.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Request, Response, StatusCode};

use super::answer::{ANSWER_BYTES_MAX, EVENT_BYTES_MAX, InvokeError};
use super::catalog::{Catalog, Entry};
use super::invoke::{Asked, Detached, Functions};
use super::route::{Decision, Kind, Match};
use super::shapes::{self, Arrival, Gateway, Refusal};
use crate::base::{Call, Cause, Unit, Usage};
use crate::telemetry::{Level, Problem, Record};

/// Largest body of a request, in bytes (API Gateway quotas: payload size).
pub const BODY_BYTES_MAX: usize = 10_485_760;
/// How long an HTTP API waits for a function, in milliseconds; the listener's clock.
const HTTP_API_WAIT_MS: u64 = 30_000;
/// How long a REST API waits.
const REST_WAIT_MS: u64 = 29_000;
/// A request of an HTTP API is billed per so many bytes, one of a REST API as one. Source: "Amazon API Gateway pricing".
const BILLED_BYTES: usize = 524_288;

/// An answer, and who gave it.
#[derive(Debug)]
pub struct Reply {
    pub response: Response<Bytes>,
    /// The function that the request was routed to.
    pub function: Option<Arc<str>>,
    /// What the request itself used, without the function.
    pub own: Usage,
}

impl Functions {
    /// Answers a request from `source` by the project's routes. Never fails: what goes wrong is answered as API Gateway answers it, and
    /// told to the log.
    pub async fn http(&self, call: &Call, request: Request<Bytes>, source: IpAddr) -> Reply {
        let catalog = self.catalog();
        let (parts, body) = request.into_parts();
        let decision = catalog.routes.decide(parts.method.as_str(), parts.uri.path(), &parts.headers);
        let mut own = Usage::default();
        if decision.is_rest() {
            own.add(Unit::RestRequests, 1);
        } else {
            own.add(Unit::RouteRequests, body.len().div_ceil(BILLED_BYTES).max(1) as u64);
        }
        let (response, function) = match decision {
            Decision::Invoke(found) => self.reply(call, &catalog, found, &parts, body, source).await,
            Decision::Preflight { headers, .. } => {
                let mut response = Response::new(Bytes::new());
                *response.status_mut() = StatusCode::NO_CONTENT;
                *response.headers_mut() = headers;
                (response, None)
            }
            Decision::NotFound => (shapes::refuse(Kind::HttpApi(crate::project::Payload::V2), Refusal::NotFound), None),
            Decision::MissingToken => (shapes::refuse(Kind::Rest, Refusal::NotFound), None),
        };
        // What another function asks for does not leave. Source: "Amazon API Gateway pricing", data transfer.
        if matches!(call.cause, Cause::Request(_)) {
            own.add(Unit::RouteBytesOut, bytes(&response));
        }
        call.meter.add(&own);
        Reply { response, function, own }
    }

    async fn reply(
        &self,
        call: &Call,
        catalog: &Catalog,
        mut found: Match<'_>,
        parts: &http::request::Parts,
        body: Bytes,
        source: IpAddr,
    ) -> (Response<Bytes>, Option<Arc<str>>) {
        let kind = found.route.kind;
        let Some(entry) = catalog.get(&found.route.function).cloned() else {
            return (shapes::refuse(kind, Refusal::Broken), None);
        };
        let entry = self.built(&entry).await;
        let name = Arc::clone(&entry.name);
        let outcome = if body.len() > BODY_BYTES_MAX {
            Err(Refusal::TooLarge)
        } else if entry.version.as_ref().is_some_and(|version| version.program.takes_requests()) {
            self.pass_on(call, entry, found.route.key().into(), Request::from_parts(parts.clone(), body)).await
        } else {
            self.invoke_route(call, catalog, entry, &mut found, parts, &body, source).await
        };
        let mut response = outcome.unwrap_or_else(|refusal| shapes::refuse(kind, refusal));
        catalog.routes.add_cors(kind, &parts.headers, response.headers_mut());
        let id = request_id(call).unwrap_or_else(|| self.world().ids.uuid().into());
        if let Ok(id) = HeaderValue::from_str(&id) {
            let name = if kind == Kind::Rest { "x-amzn-requestid" } else { "apigw-requestid" };
            response.headers_mut().insert(name, id);
        }
        (response, Some(name))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one request, in one private place")]
    async fn invoke_route(
        &self,
        call: &Call,
        catalog: &Catalog,
        entry: Arc<Entry>,
        found: &mut Match<'_>,
        parts: &http::request::Parts,
        body: &Bytes,
        source: IpAddr,
    ) -> Result<Response<Bytes>, Refusal> {
        let kind = found.route.kind;
        let request_id = request_id(call).unwrap_or_else(|| self.world().ids.uuid().into());
        let gateway = Gateway { account: self.account().to_string(), api_id: catalog.service.clone(), stage: catalog.stage.clone() };
        let event = shapes::event(&Arrival {
            found,
            method: parts.method.as_str(),
            query: parts.uri.query(),
            headers: &parts.headers,
            version: parts.version,
            body,
            source,
            at: self.world().clock.now(),
            request_id: &request_id,
            gateway: &gateway,
        });
        if event.len() > EVENT_BYTES_MAX {
            return Err(Refusal::TooLarge);
        }
        let wait_ms = wait_ms(kind);
        let timeout_ms = entry.function.timeout_ms;
        let name = Arc::clone(&entry.name);
        let invocation = self.invoke_entry(call, entry, Asked { trigger: found.route.key().into(), event, outlet: None });
        let answer = if timeout_ms <= wait_ms {
            invocation.await
        } else {
            let clock = &self.world().clock;
            tokio::select! {
                answer = invocation => answer,
                () = clock.sleep_until(clock.now().plus_ms(wait_ms as i64)) => return Err(Refusal::TimedOut),
            }
        };
        let answer = answer.map_err(|error| self.explain(&name, &error))?;
        if answer.error.is_some() {
            return Err(Refusal::Broken);
        }
        shapes::answer(kind, &answer.payload).map_err(|malformed| {
            self.tell(&name, malformed.to_string(), None);
            Refusal::Broken
        })
    }

    /// Hands a request to a program that takes requests as they come.
    async fn pass_on(
        &self,
        call: &Call,
        entry: Arc<Entry>,
        trigger: Arc<str>,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Refusal> {
        let name = Arc::clone(&entry.name);
        let asked = Asked { trigger, event: request.body().clone(), outlet: None };
        let admitted = self.admit(call, entry, asked).await.map_err(|error| self.explain(&name, &error))?;
        let (functions, meter) = (self.clone(), call.meter.clone());
        let served = Detached::new(async move { functions.serve(admitted, request, &meter).await }).await;
        match served.response {
            Ok(response) if response.body().len() > ANSWER_BYTES_MAX => {
                self.tell(&name, format!("the answer is larger than {ANSWER_BYTES_MAX} bytes"), None);
                Err(Refusal::Broken)
            }
            Ok(response) => Ok(response),
            Err(_) => Err(Refusal::Broken),
        }
    }

    fn explain(&self, name: &Arc<str>, error: &InvokeError) -> Refusal {
        match error {
            InvokeError::Throttled { .. } => Refusal::Throttled,
            InvokeError::TooLarge { .. } => Refusal::TooLarge,
            InvokeError::NotBuilt { problems, .. } => {
                self.tell(name, error.to_string(), problems.first());
                Refusal::Broken
            }
            InvokeError::NotFound { .. } | InvokeError::NotJson(_) => {
                self.tell(name, error.to_string(), None);
                Refusal::Broken
            }
        }
    }

    /// What the client does not get to see, at the place of the problem that is behind it.
    pub(super) fn tell(&self, name: &Arc<str>, message: String, behind: Option<&crate::project::Problem>) {
        let world = self.world();
        world.sink.put(|| {
            Record::Problem(Problem {
                at: world.clock.now(),
                level: Level::Error,
                message: format!("function `{name}`: {message}"),
                help: behind.and_then(|problem| problem.help.clone()),
                place: behind.and_then(|problem| problem.at.as_ref()).map(|at| format!("{}:{}:{}", at.file.display(), at.line, at.column)),
                frame: None,
            })
        });
    }
}

fn wait_ms(kind: Kind) -> u64 {
    match kind {
        Kind::HttpApi(_) => HTTP_API_WAIT_MS,
        Kind::Rest => REST_WAIT_MS,
    }
}

fn request_id(call: &Call) -> Option<Arc<str>> {
    match &call.cause {
        Cause::Request(id) => Some(Arc::clone(id)),
        Cause::Invocation(_) | Cause::Operation(_) | Cause::Event(_) | Cause::Operator => None,
    }
}

/// The bytes of an answer as HTTP/1.1 writes it: what goes out is billed with its head.
fn bytes(response: &Response<Bytes>) -> u64 {
    const STATUS_LINE_BYTES: usize = "HTTP/1.1 200 OK\r\n\r\n".len();
    const HEADER_BYTES: usize = ": \r\n".len();
    let head: usize = response.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + HEADER_BYTES).sum();
    (STATUS_LINE_BYTES + head + response.body().len()) as u64
}
