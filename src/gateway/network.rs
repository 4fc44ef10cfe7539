//! The functions' way out: our own endpoints are served in the process, other hosts only where the project allows them.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::guard;
use super::origin::Origin;
use crate::base::{Call, Cause, Usage};
use crate::functions;
use crate::sandbox::FetchError;
use crate::wire::http::{Body, Description, Request, Response};

/// Bytes of one answer that a function may take in.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long another host may take to answer.
const OUTSIDE_MAX: Duration = Duration::from_secs(60);

/// One of emu's own endpoints, served without a socket.
pub trait Endpoint: Send + Sync + 'static {
    fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response>;
}

/// Where emu's own endpoints are.
pub struct Endpoints {
    pub aws: Arc<dyn Endpoint>,
    pub aws_port: u16,
    pub api: Arc<dyn Endpoint>,
    pub api_port: u16,
    /// The others, which a project may have or not.
    pub others: Vec<Other>,
    /// Where requests to other hosts are told of.
    pub origin: Origin,
}

/// One of emu's own endpoints, by its port and by the names that it has in the cloud.
pub struct Other {
    pub port: u16,
    pub names: Names,
    pub endpoint: Arc<dyn Endpoint>,
}

/// The names of an endpoint in the cloud.
#[derive(Clone, Debug)]
pub enum Names {
    These(&'static [&'static str]),
    /// `REGION-PROJECT.cloudfunctions.net`: what is here at `/PROJECT/REGION`.
    Functions {
        project_id: String,
    },
}

impl Names {
    /// What comes before the path here, where a host is one of these names.
    fn prefix(&self, host: &str) -> Option<String> {
        match self {
            Names::These(hosts) => hosts.contains(&host).then(String::new),
            Names::Functions { project_id } => {
                let region = host.strip_suffix(".cloudfunctions.net")?.strip_suffix(project_id.as_str())?.strip_suffix('-')?;
                (!region.is_empty()).then(|| format!("/{project_id}/{region}"))
            }
        }
    }
}

/// Puts something before the path of a request.
fn lead(request: &mut http::Request<Bytes>, prefix: &str) -> Result<(), FetchError> {
    let uri = request.uri();
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("{prefix}{}{query}", uri.path());
    let mut parts = uri.clone().into_parts();
    let path = path.parse().map_err(|error| FetchError::Failed(format!("`{path}` is no path: {error}")))?;
    parts.path_and_query = Some(path);
    *request.uri_mut() = http::Uri::from_parts(parts).map_err(|error| FetchError::Failed(format!("`{prefix}` is no path: {error}")))?;
    Ok(())
}

/// The functions' way out. Cheap to clone.
#[derive(Clone)]
pub struct Network(Arc<Inner>);

struct Inner {
    endpoints: OnceLock<Endpoints>,
    allow: ArcSwap<Vec<Pattern>>,
    client: OnceLock<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>,
}

impl Default for Network {
    fn default() -> Network {
        Network(Arc::new(Inner { endpoints: OnceLock::new(), allow: ArcSwap::default(), client: OnceLock::new() }))
    }
}

impl Network {
    /// Says where emu's own endpoints are; once, when they are there.
    pub fn connect(&self, endpoints: Endpoints) {
        // A second call would be a mistake of the wiring; the first stands.
        let _ = self.0.endpoints.set(endpoints);
    }

    /// Says which other hosts may be reached from now on (`emu.sandbox.allow`).
    pub fn allow(&self, hosts: &[String]) {
        self.0.allow.store(Arc::new(hosts.iter().map(|host| Pattern::new(host)).collect()));
    }

    /// One of emu's own endpoints, and what comes before the path there.
    fn endpoint(&self, host: &str, port: u16) -> Option<(Arc<dyn Endpoint>, String)> {
        let endpoints = self.0.endpoints.get()?;
        // What an SDK without an endpoint would call in production is ours as well.
        if host.ends_with(".amazonaws.com") || host == "amazonaws.com" {
            return Some((endpoints.aws.clone(), String::new()));
        }
        let named = endpoints.others.iter().find_map(|other| Some((other.endpoint.clone(), other.names.prefix(host)?)));
        if named.is_some() {
            return named;
        }
        if guard::host(Some(host)).is_err() || is_elsewhere(host) {
            return None;
        }
        let endpoint = match port {
            port if port == endpoints.aws_port => Some(endpoints.aws.clone()),
            port if port == endpoints.api_port => Some(endpoints.api.clone()),
            port => endpoints.others.iter().find(|other| other.port == port).map(|other| other.endpoint.clone()),
        };
        endpoint.map(|endpoint| (endpoint, String::new()))
    }

    /// Sends what a developer has said is to be sent to an address: programs of this machine are reached whether they are allowed or not.
    pub async fn push(&self, call: Call, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, FetchError> {
        let here = request.uri().host().is_some_and(|host| guard::host(Some(host)).is_ok() && !is_elsewhere(host));
        self.clone().send(call, request, here).await
    }

    async fn send(self, call: Call, mut request: http::Request<Bytes>, here: bool) -> Result<http::Response<Bytes>, FetchError> {
        let failed = |text: String| FetchError::Failed(text);
        let uri = request.uri();
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(failed(format!("`{uri}` is not an absolute URL")));
        };
        if scheme != "http" && scheme != "https" {
            return Err(failed(format!("`{scheme}:` cannot be fetched; http and https can")));
        }
        // A name that ends in a dot is that name and no other's beginning: Google's libraries ask for `metadata.google.internal.`.
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
        if let Some((endpoint, prefix)) = self.endpoint(&host, port) {
            if !prefix.is_empty() {
                lead(&mut request, &prefix)?;
            }
            return inside(endpoint, call, request).await;
        }
        let allowed = here || self.0.allow.load().iter().any(|pattern| pattern.matches(&host, port));
        let shown = if uri.port().is_some() { format!("{host}:{port}") } else { host };
        let Some(Endpoints { origin, .. }) = self.0.endpoints.get() else {
            return Err(FetchError::Denied { host: shown });
        };
        let operation = origin.begin(&call);
        let mut described = Description { resource: Some(shown.clone()), ..Description::new("http", request.method().as_str()) };
        let result = if allowed { self.outside(&operation.call, request).await } else { Err(FetchError::Denied { host: shown }) };
        described.error = match &result {
            Ok(_) => None,
            Err(FetchError::Denied { .. }) => Some("Denied".to_owned()),
            Err(FetchError::Failed(_)) => Some("Failed".to_owned()),
        };
        let status = result.as_ref().map_or(0, |response| response.status().as_u16());
        origin.end(operation, &call, described, status, Usage::default());
        result
    }

    /// Sends a request to another host; what it starts there is part of the trace, if the host cares (W3C Trace Context).
    async fn outside(&self, call: &Call, mut request: http::Request<Bytes>) -> Result<http::Response<Bytes>, FetchError> {
        if !request.headers().contains_key("traceparent")
            && let Some(value) = traceparent(call)
        {
            request.headers_mut().insert("traceparent", value);
        }
        let host = request.uri().authority().map_or_else(String::new, ToString::to_string);
        let client = self.0.client.get_or_init(|| {
            let connector = hyper_rustls::HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().build();
            Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector)
        });
        let answer = tokio::time::timeout(OUTSIDE_MAX, async {
            let response = client.request(request.map(Full::new)).await.map_err(|error| FetchError::Failed(chain(&host, &error)))?;
            let (parts, body) = response.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX)
                .collect()
                .await
                .map_err(|error| FetchError::Failed(format!("{host} broke off: {error}")))?;
            Ok(http::Response::from_parts(parts, body.to_bytes()))
        });
        answer.await.map_err(|_| FetchError::Failed(format!("{host} did not answer within {} s", OUTSIDE_MAX.as_secs())))?
    }
}

impl functions::Network for Network {
    fn fetch(&self, call: Call, request: http::Request<Bytes>) -> BoxFuture<'static, Result<http::Response<Bytes>, FetchError>> {
        Box::pin(self.clone().send(call, request, false))
    }
}

/// Whether a host is the address of another machine.
fn is_elsewhere(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    address.parse::<IpAddr>().is_ok_and(|ip| !ip.is_loopback() && !ip.is_unspecified())
}

async fn inside(endpoint: Arc<dyn Endpoint>, call: Call, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, FetchError> {
    let mut request = request.map(Body::from);
    if !request.headers().contains_key(http::header::HOST)
        && let Some(authority) = request.uri().authority().and_then(|a| http::HeaderValue::from_str(a.as_str()).ok())
    {
        request.headers_mut().insert(http::header::HOST, authority);
    }
    let (parts, body) = endpoint.serve(call, request).await.into_parts();
    let body =
        body.collect(ANSWER_BYTES_MAX).await.map_err(|error| FetchError::Failed(format!("the answer cannot be taken in: {error}")))?;
    Ok(http::Response::from_parts(parts, body))
}

/// The header that hands a trace on: its version, the trace, what the request is part of, and that it is recorded.
fn traceparent(call: &Call) -> Option<http::HeaderValue> {
    let Cause::Operation(id) = &call.cause else { return None };
    let span: String = id.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    http::HeaderValue::from_str(&format!("00-{}-{span}-01", call.trace.as_str())).ok()
}

fn chain(host: &str, error: &dyn std::error::Error) -> String {
    let mut text = format!("{host} cannot be reached: {error}");
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

/// `example.com`, `*.example.com`, `*`, each with an optional `:port`.
struct Pattern {
    host: String,
    port: Option<u16>,
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        let host = guard::without_port(text).to_ascii_lowercase();
        let port = text.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        Pattern { host, port }
    }

    fn matches(&self, host: &str, port: u16) -> bool {
        let host_matches = match self.host.strip_prefix('*') {
            Some(suffix) => host.len() > suffix.len() && host.ends_with(suffix),
            None => host == self.host,
        };
        host_matches && self.port.is_none_or(|wanted| wanted == port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Clock, Eras, Ids, Time};
    use crate::functions::Network as _;
    use crate::telemetry::{Record, Sink};

    #[test]
    fn allowed_hosts() {
        for (pattern, host, port, wanted) in [
            ("example.com", "example.com", 443, true),
            ("example.com", "api.example.com", 443, false),
            ("*.example.com", "api.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com", "evilexample.com", 443, false),
            ("example.com:8443", "example.com", 443, false),
            ("127.0.0.1:9000", "127.0.0.1", 9000, true),
            ("*", "anything.example", 80, true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(host, port), wanted, "{pattern} {host}:{port}");
        }
    }

    struct Echo(&'static str);

    impl Endpoint for Echo {
        fn serve(&self, call: Call, request: Request) -> BoxFuture<'_, Response> {
            let text = format!("{} {} {:?}", self.0, request.uri().path(), call.caller);
            Box::pin(async { http::Response::new(Body::from(text)) })
        }
    }

    async fn fetch(network: &Network, url: &str) -> String {
        let request = http::Request::get(url).body(Bytes::new()).expect("a request");
        match network.fetch(Call::operator(), request).await {
            Ok(answer) => String::from_utf8_lossy(answer.body()).into_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn own_endpoints_are_inside_and_others_are_denied_with_the_line_to_add() {
        let network = Network::default();
        let origin = Origin { clock: Clock::frozen(Time(0)), eras: Eras::default(), ids: Ids::seeded(1), sink: Sink::new(4) };
        let others = vec![
            Other { port: 9099, names: Names::These(&["identitytoolkit.googleapis.com"]), endpoint: Arc::new(Echo("auth")) },
            Other { port: 5001, names: Names::Functions { project_id: "demo-x".into() }, endpoint: Arc::new(Echo("functions")) },
        ];
        network.connect(Endpoints {
            aws: Arc::new(Echo("aws")),
            aws_port: 4566,
            api: Arc::new(Echo("api")),
            api_port: 3000,
            others,
            origin,
        });
        for (url, wanted) in [
            ("http://127.0.0.1:4566/a", "aws /a Operator"),
            ("http://images.s3.localhost.localstack.cloud:4566/b", "aws /b Operator"),
            ("https://sqs.eu-west-1.amazonaws.com/", "aws / Operator"),
            ("http://localhost:3000/c", "api /c Operator"),
            ("http://127.0.0.1:9099/d", "auth /d Operator"),
            ("https://identitytoolkit.googleapis.com/v1/x", "auth /v1/x Operator"),
            ("https://identitytoolkit.googleapis.com./v1/x", "auth /v1/x Operator"),
            ("https://us-central1-demo-x.cloudfunctions.net/hello/a?b=c", "functions /demo-x/us-central1/hello/a Operator"),
            ("http://127.0.0.1:5001/demo-x/us-central1/hello", "functions /demo-x/us-central1/hello Operator"),
            (
                "https://us-central1-demo-y.cloudfunctions.net/hello",
                "host `us-central1-demo-y.cloudfunctions.net` is not allowed; to allow it, add `- us-central1-demo-y.cloudfunctions.net` under `emu.sandbox.allow` in serverless.yaml or firebase.json",
            ),
            (
                "http://localhost:22/",
                "host `localhost:22` is not allowed; to allow it, add `- localhost:22` under `emu.sandbox.allow` in serverless.yaml or firebase.json",
            ),
            (
                "https://example.com/",
                "host `example.com` is not allowed; to allow it, add `- example.com` under `emu.sandbox.allow` in serverless.yaml or firebase.json",
            ),
            (
                "http://169.254.169.254/latest",
                "host `169.254.169.254` is not allowed; to allow it, add `- 169.254.169.254` under `emu.sandbox.allow` in serverless.yaml or firebase.json",
            ),
            ("ftp://example.com/x", "`ftp:` cannot be fetched; http and https can"),
        ] {
            assert_eq!(fetch(&network, url).await, wanted, "{url}");
        }
    }
    /// Answers one request; says what its head was.
    async fn listen(listener: tokio::net::TcpListener) -> String {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let (mut head, mut piece) = (Vec::new(), [0; 1_024]);
        while !head.ends_with(b"\r\n\r\n") {
            let length = stream.read(&mut piece).await.expect("a request");
            head.extend_from_slice(&piece[..length]);
        }
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.expect("an answer");
        String::from_utf8_lossy(&head).into_owned()
    }

    #[tokio::test]
    async fn requests_to_other_hosts_are_told_of_and_carry_the_trace() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let sink = Sink::new(16);
        let mut records = sink.subscribe();
        let network = Network::default();
        network.allow(&[format!("127.0.0.1:{port}")]);
        let origin = Origin { clock: Clock::frozen(Time(0)), eras: Eras::default(), ids: Ids::seeded(1), sink };
        network.connect(Endpoints {
            aws: Arc::new(Echo("aws")),
            aws_port: 1,
            api: Arc::new(Echo("api")),
            api_port: 2,
            others: Vec::new(),
            origin,
        });
        let url = format!("http://127.0.0.1:{port}/a");
        let (head, answer) = tokio::join!(listen(listener), fetch(&network, &url));
        assert_eq!(answer, "");
        let mut next = async || match &*records.next().await.expect("a record") {
            Record::Operation(operation) => operation.clone(),
            other => panic!("{other:?}"),
        };
        let told = next().await;
        let (host, trace) = (format!("127.0.0.1:{port}"), Call::operator().trace);
        assert_eq!((&*told.service, &*told.action, told.resource.as_deref(), told.status), ("http", "GET", Some(host.as_str()), 204));
        let parent: String = told.id.replace('-', "").chars().take(16).collect();
        assert!(head.contains(&format!("traceparent: 00-{}-{parent}-01\r\n", trace.as_str())), "{head}");
        fetch(&network, "http://denied.example/").await;
        let told = next().await;
        assert_eq!((told.resource.as_deref(), told.status, told.error.as_deref()), (Some("denied.example"), 0, Some("Denied")));
    }
}
