//! SES, in both versions of its API (v1: query and XML, v2: REST and JSON), and the inbox that tests read.
//! Sources: the Amazon SES API Reference and API v2 Reference.

mod fail;
mod inbox;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

use crate::base::{Call, Ids};
use crate::services::mail::Mail;
use crate::wire::aws::arn::Account;
use crate::wire::http::{Request, Response};

/// Bytes of a mail. Source: "Service quotas in Amazon SES", message quotas.
const V1_BYTES_MAX: usize = 10 << 20;
const V2_BYTES_MAX: usize = 40 << 20;
/// What production access grants; nothing here enforces it.
const SENDS_A_DAY: u32 = 50_000;
const SENDS_A_SECOND: u32 = 14;

/// The SES wire. Cheap to clone.
#[derive(Clone)]
pub struct Ses {
    mail: Mail,
    account: Account,
    ids: Ids,
}

impl Ses {
    /// A wire to `mail`, which is `account`'s.
    pub fn new(mail: Mail, account: Account, ids: Ids) -> Ses {
        Ses { mail, account, ids }
    }

    /// Answers one request: paths under `/v2/email/` are of v2, all others of v1.
    pub async fn handle(&self, call: &Call, request: Request) -> Response {
        if request.uri().path().starts_with("/v2/email/") {
            v2::handle(self, call, request).await
        } else {
            v1::handle(self, call, request).await
        }
    }

    async fn sent_last_day(&self, call: &Call) -> Result<u64, crate::services::mail::Error> {
        Ok(self.mail.statistics(call).await?.iter().map(|(_, count)| count).sum())
    }
}
