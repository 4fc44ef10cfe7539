//! Which function answers a request: the routes of `httpApi` and `http` events, by API Gateway's rules (developer guide, "Create routes
//! for HTTP APIs" and "Set up method requests in API Gateway"). Pure.

use std::cmp::Ordering;
use std::sync::Arc;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use crate::project::{Cors, EventSource, Function, Method, Payload, Project};

/// Longest path that is looked up, in bytes; longer ones have no route.
pub const PATH_BYTES_MAX: usize = 10_240;

/// Every route of a project, in no particular order: the most specific one that fits wins.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    http_api: Vec<Route>,
    rest: Vec<Route>,
    cors: Option<Cors>,
    stage: String,
}

/// A route and its function.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    pub function: Arc<str>,
    pub kind: Kind,
    pub method: Method,
    /// With a leading slash, as the project file has it; `$default` for the route of last resort.
    pub path: String,
    segments: Vec<Segment>,
    /// `cors` of an `http` event.
    pub cors: Option<Cors>,
}

/// Which kind of API a route belongs to, and so how requests look to the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `httpApi`.
    HttpApi(Payload),
    /// `http`, the REST API.
    Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// `{name+}`, only at the end.
    Greedy(String),
}

/// What is to be done with a request.
#[derive(Debug, PartialEq)]
pub enum Decision<'a> {
    Invoke(Match<'a>),
    /// An answer to a preflight request: 204 with these headers; and whether it was asked of a REST API.
    Preflight {
        rest: bool,
        headers: HeaderMap,
    },
    /// No route of an HTTP API fits: 404.
    NotFound,
    /// No resource and method of a REST API fits: 403.
    MissingToken,
}

impl Decision<'_> {
    /// Whether it is a REST API that was asked, which has its own price.
    pub fn is_rest(&self) -> bool {
        match self {
            Decision::Invoke(found) => found.route.kind == Kind::Rest,
            Decision::Preflight { rest, .. } => *rest,
            Decision::NotFound => false,
            Decision::MissingToken => true,
        }
    }
}

/// A route that fits.
#[derive(Debug, PartialEq)]
pub struct Match<'a> {
    pub route: &'a Route,
    /// Path parameters by name, percent-decoded, in the order of the path.
    pub parameters: Vec<(&'a str, String)>,
    /// The path without the stage, as sent.
    pub path: &'a str,
}

impl Route {
    fn new(function: &Function, kind: Kind, method: &Method, path: &str, cors: Option<Cors>) -> Route {
        let bare = path.trim_matches('/');
        let default = matches!(kind, Kind::HttpApi(_)) && matches!(bare, "*" | "$default");
        let segments = if default || bare.is_empty() { Vec::new() } else { bare.split('/').map(Segment::parse).collect() };
        Route {
            function: function.name.as_str().into(),
            kind,
            method: method.clone(),
            path: if default { "$default".to_string() } else { format!("/{bare}") },
            segments,
            cors,
        }
    }

    /// The route key of an HTTP API, e.g. `GET /orders/{id}` or `$default`.
    pub fn key(&self) -> String {
        match &self.method {
            _ if self.is_default() => self.path.clone(),
            Method::Any => format!("ANY {}", self.path),
            Method::Only(method) => format!("{method} {}", self.path),
        }
    }

    fn is_default(&self) -> bool {
        self.path == "$default"
    }

    fn takes(&self, method: &str) -> bool {
        match &self.method {
            Method::Any => true,
            Method::Only(only) => only == method,
        }
    }

    fn is_greedy(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Greedy(_)))
    }

    /// More specific routes first: whole paths before greedy ones, then literal segments before parameters from the left.
    fn by_path(&self, other: &Route) -> Ordering {
        let rank = |segment: &Segment| match segment {
            Segment::Literal(_) => 0u8,
            Segment::Parameter(_) => 1,
            Segment::Greedy(_) => 2,
        };
        self.is_default()
            .cmp(&other.is_default())
            .then(self.is_greedy().cmp(&other.is_greedy()))
            .then_with(|| self.segments.iter().map(rank).cmp(other.segments.iter().map(rank)))
    }

    fn fit<'a>(&'a self, path: &[&str]) -> Option<Vec<(&'a str, String)>> {
        if self.is_default() {
            return Some(Vec::new());
        }
        let mut parameters = Vec::new();
        for (n, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Greedy(name) => {
                    let rest = path.get(n..)?.join("/");
                    if rest.is_empty() {
                        return None;
                    }
                    parameters.push((name.as_str(), decode(&rest)));
                    return Some(parameters);
                }
                Segment::Parameter(name) => match *path.get(n)? {
                    "" => return None,
                    value => parameters.push((name.as_str(), decode(value))),
                },
                Segment::Literal(literal) => {
                    let value = *path.get(n)?;
                    if value != literal && decode(value) != *literal {
                        return None;
                    }
                }
            }
        }
        (path.len() == self.segments.len()).then_some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Segment {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Segment::Greedy(name.to_string()),
                None => Segment::Parameter(name.to_string()),
            },
            None => Segment::Literal(text.to_string()),
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn split(path: &str) -> Vec<&str> {
    match path.strip_prefix('/').unwrap_or(path) {
        "" => Vec::new(),
        rest => rest.split('/').collect(),
    }
}

impl Routes {
    /// The routes of a project.
    pub fn new(project: &Project) -> Routes {
        let mut routes = Routes { cors: project.http_api_cors.clone(), stage: project.stage.clone(), ..Routes::default() };
        for function in &project.functions {
            for event in &function.events {
                match event {
                    EventSource::HttpApi { method, path, payload } => {
                        routes.http_api.push(Route::new(function, Kind::HttpApi(*payload), method, path, None));
                    }
                    EventSource::Http { method, path, cors } => {
                        routes.rest.push(Route::new(function, Kind::Rest, method, path, cors.clone()));
                    }
                    EventSource::Schedule(_)
                    | EventSource::Queue(_)
                    | EventSource::Bucket(_)
                    | EventSource::Stream(_)
                    | EventSource::Topic(_) => {}
                }
            }
        }
        routes
    }

    /// Every route, most specific first, for lists that people read.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        let mut all: Vec<&Route> = self.http_api.iter().chain(&self.rest).collect();
        all.sort_by(|a, b| a.by_path(b).then_with(|| a.path.cmp(&b.path)));
        all.into_iter()
    }

    /// Decides what happens with a request. Routes of the HTTP API come first; those of the REST API are found with and without the
    /// stage in front of the path.
    pub fn decide<'a>(&'a self, method: &str, path: &'a str, headers: &HeaderMap) -> Decision<'a> {
        if path.len() > PATH_BYTES_MAX {
            return self.nothing();
        }
        if let Some(cors) = &self.cors
            && is_preflight(method, headers)
        {
            return Decision::Preflight { rest: false, headers: preflight(cors, headers) };
        }
        if let Some(found) = self.http_api_match(method, path) {
            return Decision::Invoke(found);
        }
        let staged = path.strip_prefix('/').and_then(|rest| rest.strip_prefix(self.stage.as_str()));
        let staged = match staged {
            Some("") => Some("/"),
            Some(rest) if rest.starts_with('/') => Some(rest),
            _ => None,
        };
        for path in [Some(path), staged].into_iter().flatten() {
            if let Some(decision) = self.rest_decision(method, path, headers) {
                return decision;
            }
        }
        self.nothing()
    }

    fn nothing(&self) -> Decision<'static> {
        if self.http_api.is_empty() && !self.rest.is_empty() { Decision::MissingToken } else { Decision::NotFound }
    }

    fn http_api_match<'a>(&'a self, method: &str, path: &'a str) -> Option<Match<'a>> {
        let segments = split(path);
        self.http_api
            .iter()
            .filter(|route| route.takes(method))
            .filter_map(|route| route.fit(&segments).map(|parameters| Match { route, parameters, path }))
            .min_by(|a, b| a.route.by_path(b.route).then_with(|| by_method(&a.route.method, &b.route.method)))
    }

    /// A REST API finds the resource first, and then its method: a resource without the method does not fall back to another.
    fn rest_decision<'a>(&'a self, method: &str, path: &'a str, headers: &HeaderMap) -> Option<Decision<'a>> {
        let bare = if path.len() > 1 { path.strip_suffix('/').unwrap_or(path) } else { path };
        let segments = split(bare);
        let fitting: Vec<Match<'a>> =
            self.rest.iter().filter_map(|route| route.fit(&segments).map(|parameters| Match { route, parameters, path })).collect();
        let best = fitting.iter().map(|found| found.route).min_by(|a, b| a.by_path(b))?;
        let resource: Vec<Match<'a>> = fitting.into_iter().filter(|found| found.route.by_path(best).is_eq()).collect();
        if method == "OPTIONS" && !resource.iter().any(|found| found.route.method == Method::Only("OPTIONS".to_string())) {
            let with_cors: Vec<&Route> = resource.iter().map(|found| found.route).filter(|route| route.cors.is_some()).collect();
            if let Some(cors) = with_cors.first().and_then(|route| route.cors.as_ref()) {
                return Some(Decision::Preflight { rest: true, headers: rest_preflight(cors, &with_cors, headers) });
            }
        }
        resource
            .into_iter()
            .filter(|found| found.route.takes(method))
            .min_by(|a, b| by_method(&a.route.method, &b.route.method))
            .map(Decision::Invoke)
            .or((!self.http_api.is_empty()).then_some(Decision::NotFound))
            .or(Some(Decision::MissingToken))
    }

    /// Adds the CORS headers of the HTTP API to an answer of a function, in place of any the function gave itself
    /// (developer guide, "Configure CORS for HTTP APIs").
    pub fn add_cors(&self, kind: Kind, request: &HeaderMap, answer: &mut HeaderMap) {
        let (Kind::HttpApi(_), Some(cors)) = (kind, &self.cors) else { return };
        for name in CORS_HEADERS {
            answer.remove(name);
        }
        let Some(origin) = request.get(header::ORIGIN) else { return };
        let Some(allowed) = allowed_origin(cors, origin) else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if cors.credentials {
            answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        insert_list(answer, header::ACCESS_CONTROL_EXPOSE_HEADERS, &cors.exposed_headers);
    }
}

const CORS_HEADERS: [HeaderName; 6] = [
    header::ACCESS_CONTROL_ALLOW_ORIGIN,
    header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
    header::ACCESS_CONTROL_ALLOW_HEADERS,
    header::ACCESS_CONTROL_ALLOW_METHODS,
    header::ACCESS_CONTROL_EXPOSE_HEADERS,
    header::ACCESS_CONTROL_MAX_AGE,
];

fn by_method(a: &Method, b: &Method) -> Ordering {
    (*a == Method::Any).cmp(&(*b == Method::Any))
}

fn is_preflight(method: &str, headers: &HeaderMap) -> bool {
    method == "OPTIONS" && headers.contains_key(header::ORIGIN) && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The value of `Access-Control-Allow-Origin` for an origin, if it is allowed. `https://*` allows every origin of that scheme.
fn allowed_origin(cors: &Cors, origin: &HeaderValue) -> Option<HeaderValue> {
    let text = origin.to_str().ok()?;
    let fits = |allowed: &String| match allowed.strip_suffix('*') {
        Some(prefix) => text.starts_with(prefix),
        None => allowed.eq_ignore_ascii_case(text),
    };
    if cors.origins.iter().any(|allowed| allowed == "*") && !cors.credentials {
        Some(HeaderValue::from_static("*"))
    } else {
        cors.origins.iter().any(fits).then(|| origin.clone())
    }
}

fn preflight(cors: &Cors, request: &HeaderMap) -> HeaderMap {
    let mut answer = HeaderMap::new();
    let Some(allowed) = request.get(header::ORIGIN).and_then(|origin| allowed_origin(cors, origin)) else { return answer };
    answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
    insert_list(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
    insert_list(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
    if cors.credentials {
        answer.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    if let Some(seconds) = cors.max_age_s {
        answer.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from(seconds));
    }
    answer
}

/// What the mock integration that `cors: true` makes answers to OPTIONS: the methods are those of the resource.
fn rest_preflight(cors: &Cors, routes: &[&Route], request: &HeaderMap) -> HeaderMap {
    let mut cors = cors.clone();
    if cors.methods.is_empty() {
        cors.methods.push("OPTIONS".to_string());
        for route in routes {
            match &route.method {
                Method::Only(method) => cors.methods.push(method.clone()),
                Method::Any => cors.methods.extend(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"].map(String::from)),
            }
        }
        cors.methods.sort();
        cors.methods.dedup();
    }
    let mut answer = preflight(&cors, request);
    if answer.is_empty() && !request.contains_key(header::ORIGIN) && cors.origins.iter().any(|origin| origin == "*") {
        // Without an origin the mock still answers with its fixed headers.
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        insert_list(&mut answer, header::ACCESS_CONTROL_ALLOW_METHODS, &cors.methods);
        insert_list(&mut answer, header::ACCESS_CONTROL_ALLOW_HEADERS, &cors.headers);
    }
    answer
}

fn insert_list(headers: &mut HeaderMap, name: HeaderName, values: &[String]) {
    if !values.is_empty()
        && let Ok(value) = HeaderValue::from_str(&values.join(","))
    {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::testing;

    fn routes(rows: &[&str]) -> Routes {
        let mut project = testing::project();
        for row in rows {
            let (kind, rest) = row.split_once(' ').expect("a kind");
            let (method, path) = rest.split_once(' ').unwrap_or(("ANY", rest));
            let method = if matches!(method, "ANY" | "*") { Method::Any } else { Method::Only(method.to_string()) };
            let event = match kind {
                "api" => EventSource::HttpApi { method, path: path.to_string(), payload: Payload::V2 },
                "rest" => EventSource::Http { method, path: path.to_string(), cors: None },
                "rest+cors" => EventSource::Http { method, path: path.to_string(), cors: Some(any_origin()) },
                _ => unreachable!("rows are of a known kind"),
            };
            project.functions.push(Function { events: vec![event], ..testing::function(row, "a.handler") });
        }
        Routes::new(&project)
    }

    fn any_origin() -> Cors {
        Cors {
            origins: vec!["*".into()],
            headers: vec!["Content-Type".into(), "Authorization".into()],
            methods: vec![],
            exposed_headers: vec![],
            credentials: false,
            max_age_s: None,
        }
    }

    fn show(routes: &Routes, request: &str) -> String {
        let (method, path) = request.split_once(' ').expect("a method");
        match routes.decide(method, path, &HeaderMap::new()) {
            Decision::Invoke(found) => {
                let parameters: Vec<String> = found.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} [{}]", found.route.function, parameters.join(" "))
            }
            Decision::Preflight { headers, .. } => {
                let mut rows: Vec<String> =
                    headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
                rows.sort();
                format!("preflight {}", rows.join("; "))
            }
            Decision::NotFound => "404".to_string(),
            Decision::MissingToken => "403".to_string(),
        }
    }

    #[track_caller]
    fn check(rows: &[&str], requests: &[(&str, &str)]) {
        let routes = routes(rows);
        for (request, expected) in requests {
            assert_eq!(show(&routes, request), *expected, "{request}");
        }
    }

    #[test]
    fn the_most_specific_route_of_an_http_api_wins() {
        check(
            &["api GET /pets/dog/1", "api GET /pets/dog/{id}", "api GET /pets/{proxy+}", "api ANY /{proxy+}", "api $default"],
            &[
                ("GET /pets/dog/1", "api GET /pets/dog/1 []"),
                ("GET /pets/dog/2", "api GET /pets/dog/{id} [id=2]"),
                ("GET /pets/cat/1", "api GET /pets/{proxy+} [proxy=cat/1]"),
                ("POST /test/5", "api ANY /{proxy+} [proxy=test/5]"),
                ("GET /", "api $default []"),
            ],
        );
    }

    #[test]
    fn a_method_of_its_own_beats_any() {
        check(
            &["api ANY /a", "api POST /a"],
            &[("POST /a", "api POST /a []"), ("GET /a", "api ANY /a []"), ("OPTIONS /a", "api ANY /a []")],
        );
    }

    #[test]
    fn what_no_route_fits_is_not_found() {
        check(
            &["api GET /orders/{id}", "api POST /orders", "api GET /files/{path+}"],
            &[
                ("GET /orders", "404"),
                ("GET /orders/", "404"),
                ("GET /orders/1/", "404"),
                ("GET /orders/1/2", "404"),
                ("DELETE /orders/1", "404"),
                ("POST /orders/", "404"),
                ("GET /files", "404"),
                ("GET /files/", "404"),
                ("GET /files/a/b/", "api GET /files/{path+} [path=a/b/]"),
            ],
        );
    }

    #[test]
    fn parameters_are_percent_decoded_once() {
        check(
            &["api GET /orders/{id}", "api GET /caf\u{e9}"],
            &[
                ("GET /orders/a%20b", "api GET /orders/{id} [id=a b]"),
                ("GET /orders/a%2Fb", "api GET /orders/{id} [id=a/b]"),
                ("GET /orders/a+b", "api GET /orders/{id} [id=a+b]"),
                ("GET /orders/%2525", "api GET /orders/{id} [id=%25]"),
                ("GET /orders/%zz", "api GET /orders/{id} [id=%zz]"),
                ("GET /caf%C3%A9", "api GET /caf\u{e9} []"),
            ],
        );
    }

    #[test]
    fn a_rest_api_takes_paths_with_and_without_the_stage() {
        check(
            &["rest GET /orders/{id}", "rest ANY /", "rest GET /dev/x"],
            &[
                ("GET /orders/1", "rest GET /orders/{id} [id=1]"),
                ("GET /dev/orders/1", "rest GET /orders/{id} [id=1]"),
                ("GET /dev/orders/1/", "rest GET /orders/{id} [id=1]"),
                ("GET /dev", "rest ANY / []"),
                ("GET /dev/x", "rest GET /dev/x []"),
                ("GET /devil", "403"),
                ("GET /nothing", "403"),
            ],
        );
    }

    #[test]
    fn a_rest_resource_without_the_method_does_not_fall_back() {
        check(
            &["rest GET /a", "rest ANY /{proxy+}"],
            &[("GET /a", "rest GET /a []"), ("POST /a", "403"), ("POST /b", "rest ANY /{proxy+} [proxy=b]")],
        );
    }

    #[test]
    fn a_rest_resource_with_cors_answers_options() {
        check(
            &["rest+cors GET /a", "rest+cors POST /a", "rest GET /b"],
            &[
                (
                    "OPTIONS /a",
                    "preflight access-control-allow-headers: Content-Type,Authorization; access-control-allow-methods: GET,OPTIONS,POST; \
                     access-control-allow-origin: *",
                ),
                ("OPTIONS /b", "403"),
            ],
        );
    }

    #[test]
    fn both_kinds_of_api_live_side_by_side() {
        check(&["api GET /a", "rest GET /b"], &[("GET /a", "api GET /a []"), ("GET /dev/b", "rest GET /b []"), ("POST /b", "404")]);
    }

    fn request_headers(rows: &[(&'static str, &'static str)]) -> HeaderMap {
        rows.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn cors_of_an_http_api_answers_preflights_of_allowed_origins_only() {
        let mut routes = routes(&["api GET /a"]);
        routes.cors =
            Some(Cors { origins: vec!["https://a.example".into()], methods: vec!["GET".into()], max_age_s: Some(60), ..any_origin() });
        for (origin, expected) in [("https://a.example", Some("https://a.example")), ("https://b.example", None)] {
            let headers = request_headers(&[("origin", origin), ("access-control-request-method", "GET")]);
            let Decision::Preflight { headers: answer, .. } = routes.decide("OPTIONS", "/anything", &headers) else {
                panic!("a preflight")
            };
            assert_eq!(answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|v| v.to_str().expect("text")), expected);
            assert_eq!(answer.get(header::ACCESS_CONTROL_MAX_AGE).is_some(), expected.is_some());
        }
    }

    #[test]
    fn cors_of_an_http_api_replaces_what_the_function_said() {
        let mut routes = routes(&["api GET /a"]);
        routes.cors = Some(Cors { credentials: true, ..any_origin() });
        let mut answer = request_headers(&[("access-control-allow-origin", "https://evil.example")]);
        routes.add_cors(Kind::HttpApi(Payload::V2), &request_headers(&[("origin", "https://a.example")]), &mut answer);
        assert_eq!(answer.get(header::ACCESS_CONTROL_ALLOW_ORIGIN), Some(&HeaderValue::from_static("https://a.example")));
        assert_eq!(answer.get(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), Some(&HeaderValue::from_static("true")));
        let mut answer = request_headers(&[("access-control-allow-origin", "*")]);
        routes.add_cors(Kind::HttpApi(Payload::V2), &HeaderMap::new(), &mut answer);
        assert!(answer.is_empty());
    }
}
