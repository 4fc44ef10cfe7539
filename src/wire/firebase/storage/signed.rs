//! Signed URLs. Their signature cannot be checked, for nobody here has the key; that they are still good can.
//! Sources: "Signatures" (V4) and "V2 signing process" of Cloud Storage.

use super::ask::Ask;
use super::fail::Failure;
use crate::base::Time;

/// Seconds that a URL may be good for at most.
const SECONDS_MAX: i64 = 7 * 24 * 60 * 60;

/// Refuses a URL that was signed and is no longer good.
pub fn check(ask: &Ask<'_>, now: Time) -> Result<(), Failure> {
    let expired = || Failure::expired("The provided token has expired. Request signature expired.");
    if ask.get("X-Goog-Signature").is_some() {
        let date = ask.get("X-Goog-Date").ok_or_else(|| Failure::invalid("X-Goog-Date is missing"))?;
        let begins = chrono::NaiveDateTime::parse_from_str(date, "%Y%m%dT%H%M%SZ")
            .map_err(|_| Failure::invalid("X-Goog-Date is not of the form YYYYMMDD'T'HHMMSS'Z'"))?
            .and_utc()
            .timestamp();
        let seconds = ask.number("X-Goog-Expires")?.ok_or_else(|| Failure::invalid("X-Goog-Expires is missing"))?;
        if !(1..=SECONDS_MAX).contains(&seconds) {
            return Err(Failure::invalid(format!("X-Goog-Expires must be between 1 and {SECONDS_MAX}")));
        }
        return if begins + seconds <= now.seconds() { Err(expired()) } else { Ok(()) };
    }
    if ask.get("Signature").is_some() {
        let until = ask.number("Expires")?.ok_or_else(|| Failure::invalid("Expires is missing"))?;
        return if until <= now.seconds() { Err(expired()) } else { Ok(()) };
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_good_until_they_say() {
        let now = Time(1_700_000_000_000);
        for (query, wanted) in [
            ("", true),
            ("X-Goog-Signature=ab&X-Goog-Date=20231114T221000Z&X-Goog-Expires=900", true),
            ("X-Goog-Signature=ab&X-Goog-Date=20231114T221000Z&X-Goog-Expires=100", false),
            ("X-Goog-Signature=ab&X-Goog-Date=20231114T221000Z&X-Goog-Expires=604801", false),
            ("X-Goog-Signature=ab&X-Goog-Date=yesterday&X-Goog-Expires=900", false),
            ("X-Goog-Signature=ab", false),
            ("Signature=ab&GoogleAccessId=a&Expires=1700000001", true),
            ("Signature=ab&GoogleAccessId=a&Expires=1700000000", false),
        ] {
            let (parts, ()) = http::Request::get(format!("/b/o?{query}")).body(()).expect("a request").into_parts();
            assert_eq!(check(&Ask::new(&parts), now).is_ok(), wanted, "{query}");
        }
    }
}
