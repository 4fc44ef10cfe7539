//! Points in time.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text;

/// A point in time; RFC 3339 in JSON.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nanos = u32::try_from(self.nanos).unwrap_or(0);
        let utc = chrono::DateTime::from_timestamp(self.seconds, nanos).unwrap_or_default();
        serializer.collect_str(&utc.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        // The web SDKs may write one in parts.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Text(String),
            Parts {
                #[serde(default, with = "text::int64")]
                seconds: i64,
                #[serde(default, with = "text::int64")]
                nanos: i64,
            },
        }
        match Given::deserialize(deserializer)? {
            Given::Text(text) => {
                let time = chrono::DateTime::parse_from_rfc3339(&text).map_err(|error| {
                    D::Error::custom(format!("Invalid value (type.googleapis.com/google.protobuf.Timestamp), \"{text}\": {error}"))
                })?;
                Ok(Timestamp { seconds: time.timestamp(), nanos: time.timestamp_subsec_nanos() as i32 })
            }
            Given::Parts { seconds, nanos } => {
                let nanos = i32::try_from(nanos).map_err(|_| D::Error::custom(format!("Invalid value (TYPE_INT32), {nanos}")))?;
                Ok(Timestamp { seconds, nanos })
            }
        }
    }
}
