//! Where security rules will decide of an app's requests. Until there are any, everybody may do everything, which is said once.
//!
//! In Storage, requests in Cloud Storage's own protocol are never asked about, as in production: there, other means than rules decide of
//! them. Nor is whoever has a file's download token.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::{Call, Caller};

pub struct Access {
    service: &'static str,
    said: AtomicBool,
}

impl Access {
    /// Access to a service, named as people know it.
    pub fn new(service: &'static str) -> Access {
        Access { service, said: AtomicBool::new(false) }
    }

    /// Lets a request through, whoever asks. Administrators and functions are never asked by rules; others will be.
    pub fn check(&self, call: &Call) {
        let ruled = match &call.caller {
            Caller::Anonymous | Caller::User { .. } => true,
            Caller::Admin | Caller::Function(_) | Caller::Operator => false,
        };
        if ruled && !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!("{}: security rules are not enforced yet; every request of an app is let through", self.service);
        }
    }
}
