//! Time zones: what a clock on the wall shows.

use super::{Answer, OpError, read};
use chrono::{DateTime, Offset, TimeZone, Utc};
use chrono_tz::{OffsetName, Tz};
use serde_json::json;

/// `[zone, milliseconds since the epoch]` → `{zone, offset, name}`: the zone's proper name, the seconds east of UTC and the abbreviation at
/// that moment. Fails with a `RangeError` where there is no such zone or moment.
pub(super) fn zone(meta: &str) -> Answer {
    let (name, ms): (String, f64) = read(meta)?;
    let unknown = || OpError::range(format!("Invalid time zone specified: {name}"));
    let found = chrono_tz::TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(&name));
    let zone: Tz = *found.ok_or_else(unknown)?;
    let moment: DateTime<Utc> = DateTime::from_timestamp_millis(ms as i64).ok_or_else(|| OpError::range("Invalid time value"))?;
    let offset = zone.offset_from_utc_datetime(&moment.naive_utc());
    let answer = json!({"zone": zone.name(), "offset": offset.fix().local_minus_utc(), "name": offset.abbreviation()});
    Ok((answer.to_string(), Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_knows_its_summer() {
        for (meta, expected) in [
            (r#"["europe/berlin", 1704067200000]"#, r#"{"zone":"Europe/Berlin","offset":3600,"name":"CET"}"#),
            (r#"["Europe/Berlin", 1719792000000]"#, r#"{"zone":"Europe/Berlin","offset":7200,"name":"CEST"}"#),
            (r#"["Asia/Kolkata", 0]"#, r#"{"zone":"Asia/Kolkata","offset":19800,"name":"IST"}"#),
            (r#"["UTC", 0]"#, r#"{"zone":"UTC","offset":0,"name":"UTC"}"#),
        ] {
            assert_eq!(zone(meta).unwrap().0, expected);
        }
        assert_eq!(zone(r#"["Mars/Base", 0]"#).unwrap_err().name, "RangeError");
    }
}
