//! All AWS services behind one port, as AWS tools expect of a local cloud: finds out which service a request is for.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderValue, StatusCode};

use super::super::http::{Body, Description, Request, Response, header, json};
use super::arn::Account;
use super::{dynamodb, lambda, s3, ses, sigv4, sns, sqs, sts};
use crate::base::{Call, Clock, Ids};
use crate::services::Services;
use crate::services::objects::notices::Recipient;
use crate::services::queues::Queues;
use crate::services::topics::Topics;

/// All AWS services behind one endpoint. Cheap to clone.
#[derive(Clone)]
pub struct Aws {
    pub dynamodb: dynamodb::Dynamodb,
    pub lambda: lambda::Lambda,
    pub s3: s3::S3,
    pub ses: ses::Ses,
    pub sns: sns::Sns,
    pub sqs: sqs::Sqs,
    pub sts: sts::Sts,
    pub ids: Ids,
}

/// Where notifications of buckets may lead.
struct Destinations {
    functions: Arc<dyn lambda::Functions>,
    queues: Queues,
    topics: Topics,
}

#[async_trait]
impl s3::Destinations for Destinations {
    async fn has(&self, call: &Call, recipient: &Recipient) -> bool {
        match recipient {
            Recipient::Function(name) => self.functions.find(name).is_some(),
            Recipient::Queue(name) => self.queues.find(call, name).await.is_ok(),
            Recipient::Topic(name) => self.topics.describe(call, name).await.is_ok(),
        }
    }
}

/// Which service a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Dynamodb,
    Lambda,
    S3,
    Ses,
    Sns,
    Sqs,
    Sts,
    /// The mails that were sent, for tests.
    Inbox,
    /// The messages of a queue, for tests.
    Messages,
    /// A form without a signature: its `Version` tells.
    Form,
    /// An AWS service that is not emulated.
    Unknown,
}

/// Bytes of a form.
const FORM_BYTES_MAX: usize = 11 << 20;

impl Aws {
    /// The services of one World, answering as `account`; Lambda's functions are wherever `functions` runs them.
    pub fn new(services: &Services, functions: Arc<dyn lambda::Functions>, account: &Account, clock: &Clock, ids: &Ids) -> Aws {
        let (ids, services) = (ids.clone(), services.clone());
        let destinations = Destinations { functions: functions.clone(), queues: services.queues.clone(), topics: services.topics.clone() };
        Aws {
            dynamodb: dynamodb::Dynamodb::new(services.tables, account.clone()),
            lambda: lambda::Lambda::new(functions, account.clone(), ids.clone()),
            s3: s3::S3::new(services.objects, Arc::new(destinations), account.clone(), ids.clone()),
            ses: ses::Ses::new(services.mail, account.clone(), ids.clone()),
            sns: sns::Sns::new(services.topics, account.clone(), ids.clone()),
            sqs: sqs::Sqs::new(services.queues, account.clone(), ids.clone()),
            sts: sts::Sts::new(account.clone(), clock.clone(), ids.clone()),
            ids,
        }
    }

    /// Answers a request for any of the services.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        let scope = match sigv4::scope(request.headers(), request.uri().query()) {
            Ok(scope) => scope,
            Err(malformed) => return self.refused(&request, "IncompleteSignatureException", &malformed.to_string()),
        };
        let mut request = request;
        let mut target = target(&request, scope.as_ref().map(|scope| scope.service.as_str()));
        if target == Target::Form {
            let (parts, body) = request.into_parts();
            let bytes = match body.collect(FORM_BYTES_MAX).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    let request = http::Request::from_parts(parts, Body::empty());
                    return self.refused(&request, "RequestEntityTooLarge", &error.to_string());
                }
            };
            target = form(&bytes);
            request = http::Request::from_parts(parts, Body::from(bytes));
        }
        match target {
            Target::Dynamodb => self.dynamodb.handle(call, request).await,
            Target::Lambda => self.lambda.handle(call, request).await,
            Target::S3 => self.s3.handle(call, request).await,
            Target::Ses => self.ses.handle(call, request).await,
            Target::Sns => self.sns.handle(call, request).await,
            Target::Sqs => self.sqs.handle(call, request).await,
            Target::Sts => self.sts.handle(call, request).await,
            Target::Inbox => self.ses.inbox(call, request).await,
            Target::Messages => self.sqs.peek(call, request).await,
            Target::Form | Target::Unknown => {
                let what = scope.map(|scope| scope.service).or_else(|| header(request.headers(), "x-amz-target").map(str::to_owned));
                let text = format!("emu does not emulate the service of this request ({})", what.as_deref().unwrap_or("it names none"));
                self.refused(&request, "UnknownOperationException", &text)
            }
        }
    }

    /// An error of no service in particular, in JSON or XML as the request's protocol has it.
    fn refused(&self, request: &Request, code: &str, message: &str) -> Response {
        let id = self.ids.uuid();
        let mut response = if request.headers().contains_key("x-amz-target") {
            json(StatusCode::BAD_REQUEST, &serde_json::json!({ "__type": format!("com.amazon.coral.service#{code}"), "message": message }))
        } else {
            let text = quick_xml::escape::escape(message);
            let xml = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{text}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
            );
            let mut response = http::Response::new(Body::from(xml));
            *response.status_mut() = StatusCode::BAD_REQUEST;
            response.headers_mut().insert(http::header::CONTENT_TYPE, HeaderValue::from_static("text/xml"));
            response
        };
        let headers = response.headers_mut();
        headers.insert("x-amzn-requestid", HeaderValue::from_str(&id).expect("an identifier is plain text"));
        headers.insert("x-amzn-errortype", HeaderValue::from_str(code).expect("a code is plain text"));
        Description { error: Some(code.to_owned()), ..Description::new("aws", action(request)) }.attach(response)
    }
}

/// What a request for no known service asks for, as far as it says.
fn action(request: &Request) -> String {
    let target = header(request.headers(), "x-amz-target").and_then(|target| target.rsplit('.').next());
    target.unwrap_or(request.method().as_str()).to_owned()
}

/// By target header, then signature scope, then path, then host; what names no service is S3's, whose paths are anything.
fn target(request: &Request, scope: Option<&str>) -> Target {
    let path = request.uri().path();
    match path {
        "/_aws/ses" => return Target::Inbox,
        "/_aws/sqs/messages" => return Target::Messages,
        _ => {}
    }
    if let Some(operation) = header(request.headers(), "x-amz-target") {
        return match operation.split('.').next() {
            Some("DynamoDB_20120810" | "DynamoDBStreams_20120810") => Target::Dynamodb,
            Some("AmazonSQS") => Target::Sqs,
            _ => Target::Unknown,
        };
    }
    if let Some(service) = scope {
        return match service {
            "s3" | "s3express" => Target::S3,
            "sqs" => Target::Sqs,
            "sns" => Target::Sns,
            "ses" | "email" => Target::Ses,
            "sts" => Target::Sts,
            "lambda" => Target::Lambda,
            "dynamodb" => Target::Dynamodb,
            _ => Target::Unknown,
        };
    }
    if path.starts_with("/2015-03-31/") || path.starts_with("/2014-11-13/") || path.starts_with("/2016-08-19/") {
        return Target::Lambda;
    }
    if path.starts_with("/v2/email/") {
        return Target::Ses;
    }
    let form = header(request.headers(), "content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if request.method() == http::Method::POST && form {
        return Target::Form;
    }
    Target::S3
}

/// Which query protocol a form speaks: its `Version` is the date of the service's interface.
fn form(bytes: &[u8]) -> Target {
    let version = url::form_urlencoded::parse(bytes).find(|(name, _)| name == "Version").map(|(_, value)| value.into_owned());
    match version.as_deref() {
        Some("2012-11-05") => Target::Sqs,
        Some("2010-03-31") => Target::Sns,
        Some("2010-12-01") => Target::Ses,
        Some("2011-06-15") => Target::Sts,
        _ => Target::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_find_their_service() {
        let check = |method: &str, path: &str, headers: &[(&str, &str)], scope: Option<&str>, wanted: Target| {
            let mut request = http::Request::builder().method(method).uri(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            assert_eq!(target(&request.body(Body::empty()).expect("a request"), scope), wanted, "{method} {path}");
        };
        check("POST", "/", &[("x-amz-target", "DynamoDB_20120810.GetItem")], Some("dynamodb"), Target::Dynamodb);
        check("POST", "/", &[("x-amz-target", "AmazonSQS.SendMessage")], Some("sqs"), Target::Sqs);
        check("POST", "/", &[("x-amz-target", "AWSEvents.PutEvents")], Some("events"), Target::Unknown);
        check("PUT", "/bucket/2015-03-31/x", &[], Some("s3"), Target::S3);
        check("GET", "/bucket/key", &[], None, Target::S3);
        check("POST", "/2015-03-31/functions/f/invocations", &[], None, Target::Lambda);
        check("POST", "/", &[("content-type", "application/x-www-form-urlencoded; charset=utf-8")], None, Target::Form);
        check("POST", "/", &[("content-type", "application/x-www-form-urlencoded")], Some("sns"), Target::Sns);
        check("GET", "/_aws/ses", &[], None, Target::Inbox);
        assert_eq!(form(b"Action=Publish&Version=2010-03-31"), Target::Sns);
        assert_eq!(form(b"a=b"), Target::Unknown);
    }
}
