//! Amazon resource names: what the wires call the things that the services know by name.

use std::sync::Arc;

/// The account and region that this emu answers as. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: Arc<str>,
    /// E.g. `us-east-1`.
    pub region: Arc<str>,
}

/// The account number that local AWS tools have agreed on.
pub const ACCOUNT_ID: &str = "000000000000";

impl Account {
    /// The usual local account in `region`.
    pub fn local(region: &str) -> Account {
        Account { id: ACCOUNT_ID.into(), region: region.into() }
    }

    /// `arn:aws:SERVICE:REGION:ACCOUNT:RESOURCE`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }
}

/// The last part of an ARN (after its fifth colon), or the text itself where it is none.
pub fn resource(arn: &str) -> &str {
    if !arn.starts_with("arn:") {
        return arn;
    }
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resource_of_an_arn_keeps_its_own_colons() {
        for (arn, name) in [
            ("arn:aws:sqs:us-east-1:000000000000:orders", "orders"),
            ("arn:aws:lambda:us-east-1:000000000000:function:pay:$LATEST", "function:pay:$LATEST"),
            ("orders", "orders"),
        ] {
            assert_eq!(resource(arn), name);
        }
        assert_eq!(resource(&Account::local("eu-west-1").arn("sqs", "q")), "q");
    }
}
