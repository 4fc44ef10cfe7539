//! Firebase's protocols, each on a port of its own.

mod access;
pub mod auth;
pub mod cors;
pub mod event;
pub mod firestore;
pub mod identity;
pub mod messaging;
pub mod pubsub;
pub mod rpc;
pub mod storage;
pub mod tasks;

use futures_util::future::BoxFuture;

use crate::base::Call;
use crate::wire::http::{Request, Response};

/// The number that every project has here.
const PROJECT_NUMBER: &str = "12345";

/// The protocol of one of Firebase's services.
///
/// Who asks is in the call: `Admin` for `Bearer owner` and service accounts, `User` with the token's claims, `Anonymous`, or the function
/// inside that asks. A wire says with a `Description` which operation a request was.
pub trait Wire: Send + Sync + 'static {
    fn handle<'a>(&'a self, call: &'a Call, request: Request) -> BoxFuture<'a, Response>;

    /// Headers of answers that pages of other origins may read, separated by commas.
    fn exposed(&self) -> &'static str {
        ""
    }
}
