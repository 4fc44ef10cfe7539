//! The providers whose prices are known.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Who would send the bill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    Aws,
    AwsArm,
    Firebase,
    Gcp,
    Cloudflare,
    Azure,
}

/// There is no provider of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no provider `{0}`; there are aws, aws-arm, firebase, gcp, cloudflare, azure")]
pub struct NoProvider(String);

impl Provider {
    /// All of them, in the order in which they are shown.
    pub const ALL: &'static [Provider] =
        &[Provider::Aws, Provider::AwsArm, Provider::Firebase, Provider::Gcp, Provider::Cloudflare, Provider::Azure];

    /// The name on the command line and in files.
    pub fn label(self) -> &'static str {
        match self {
            Provider::Aws => "aws",
            Provider::AwsArm => "aws-arm",
            Provider::Firebase => "firebase",
            Provider::Gcp => "gcp",
            Provider::Cloudflare => "cloudflare",
            Provider::Azure => "azure",
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl FromStr for Provider {
    type Err = NoProvider;

    fn from_str(text: &str) -> Result<Provider, NoProvider> {
        let found = Provider::ALL.iter().copied().find(|provider| provider.label() == text);
        found.ok_or_else(|| NoProvider(text.chars().take(40).collect()))
    }
}

impl Serialize for Provider {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

impl<'de> Deserialize<'de> for Provider {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Provider, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
