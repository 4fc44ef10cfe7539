//! STS: says who the caller is and hands out credentials, which are never checked. Over the query protocol; there is no service behind it.
//! Source: the AWS Security Token Service API reference.

use http::StatusCode;

use crate::base::{Call, Clock, Ids};
use crate::wire::aws::arn::Account;
use crate::wire::aws::query::{self, Parameters, Xml};
use crate::wire::http::{Description, Request, Response};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// The STS wire. Cheap to clone.
#[derive(Clone)]
pub struct Sts {
    account: Account,
    clock: Clock,
    ids: Ids,
}

impl Sts {
    /// Answers for `account`; credentials end by `clock`.
    pub fn new(account: Account, clock: Clock, ids: Ids) -> Sts {
        Sts { account, clock, ids }
    }

    /// Answers one request.
    pub async fn handle(&self, _call: &Call, request: Request) -> Response {
        let request_id = self.ids.uuid();
        let (action, response) = match query::parameters(request, REQUEST_BYTES_MAX).await {
            Ok(parameters) => (parameters.text("Action").unwrap_or_default().to_owned(), self.answer(&parameters, &request_id)),
            Err(error) => {
                let error = query::error(NAMESPACE, StatusCode::BAD_REQUEST, "MalformedQueryString", &error.to_string(), &request_id);
                (String::new(), error)
            }
        };
        Description::new("sts", action).attach(response)
    }

    fn answer(&self, p: &Parameters, request_id: &str) -> Response {
        let fail = |code: &str, message: &str| query::error(NAMESPACE, StatusCode::BAD_REQUEST, code, message, request_id);
        let action = p.text("Action").unwrap_or_default();
        let answer = |result: &dyn Fn(&mut Xml)| query::answer(NAMESPACE, action, request_id, Some(result));
        match action {
            "GetCallerIdentity" => answer(&|xml| {
                xml.text("Arn", &format!("arn:aws:iam::{}:root", self.account.id));
                xml.text("UserId", &self.account.id);
                xml.text("Account", &self.account.id);
            }),
            "AssumeRole" | "AssumeRoleWithWebIdentity" => {
                let (Some(role), Some(session)) = (p.text("RoleArn"), p.text("RoleSessionName")) else {
                    return fail("ValidationError", "The request must contain the parameters RoleArn and RoleSessionName");
                };
                let id = format!("AROA{}", self.ids.upper(17));
                let name = role.rsplit('/').next().unwrap_or_default();
                answer(&|xml| {
                    self.credentials(xml, p);
                    xml.element("AssumedRoleUser", |xml| {
                        xml.text("AssumedRoleId", &format!("{id}:{session}"));
                        xml.text("Arn", &format!("arn:aws:sts::{}:assumed-role/{name}/{session}", self.account.id));
                    });
                    xml.text("PackedPolicySize", "6");
                })
            }
            "GetSessionToken" => answer(&|xml| self.credentials(xml, p)),
            other => fail("InvalidAction", &format!("Could not find operation {other} for version 2011-06-15")),
        }
    }

    fn credentials(&self, xml: &mut Xml, p: &Parameters) {
        let seconds = p.text("DurationSeconds").and_then(|text| text.parse::<i64>().ok()).unwrap_or(3_600).clamp(900, 129_600);
        xml.element("Credentials", |xml| {
            xml.text("AccessKeyId", &format!("ASIA{}", self.ids.upper(16)));
            xml.text("SecretAccessKey", &self.ids.hex(20));
            xml.text("SessionToken", &self.ids.hex(64));
            xml.text("Expiration", &self.clock.now().plus_ms(seconds * 1000).iso());
        });
    }
}
