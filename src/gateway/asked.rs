//! Reads what the admin API is asked: queries and bodies, all of it bounded, with an answer that says how it is written right.

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::admin::ClockChange;
use crate::base::Time;
use crate::telemetry::journal::{Query, ago};

/// The World that a process has without being asked for one.
pub const DEFAULT_WORLD: &str = "default";

/// The longest that an answer waits for something to happen.
pub const WAIT_MAX: Duration = Duration::from_secs(600);
/// Mails and invocations that one answer has, unless it is asked for fewer.
const SHOWN_MAX: usize = 1_000;

/// Why there is no answer. The text is for people and says what to do. What was to be changed is as it was, unless the text says otherwise.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// What is asked for is not there.
    #[error("{0}")]
    NotFound(String),
    /// The request cannot be read.
    #[error("{0}")]
    Wrong(String),
    /// It is emu's fault, or the machine's.
    #[error("{0}")]
    Failed(String),
}

/// Which mails are wanted: all that meet everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MailsAsk {
    /// To this address, copies included; without regard to case.
    pub to: Option<String>,
    /// From this address.
    pub from: Option<String>,
    /// With this in the subject, without regard to case.
    pub subject: Option<String>,
    /// After the mail of this identifier; where there is none of it (any more), all.
    pub after: Option<String>,
    /// Where there is none yet, how long to wait for one.
    pub wait: Duration,
}

/// Which pushes are wanted: all that meet everything that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PushesAsk {
    /// Those that the device with this token got, also by a topic.
    pub token: Option<String>,
    pub topic: Option<String>,
    /// With this in the title, without regard to case.
    pub title: Option<String>,
    /// After the push of this identifier; where there is none of it (any more), all.
    pub after: Option<String>,
    /// Where there is none yet, how long to wait for one.
    pub wait: Duration,
}

/// What becomes of pushes to a device's token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenAsk {
    /// `registered`, `unregistered`, `sender-mismatch`.
    #[serde(default)]
    pub state: Option<String>,
    /// `android`, `apns`, `webpush`.
    #[serde(default)]
    pub platform: Option<String>,
}

/// Which invocations are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvocationsAsk {
    pub function: Option<String>,
    /// Of the trace of this identifier.
    pub trace: Option<String>,
    /// At most so many, the latest.
    pub limit: usize,
    /// Those too that began before the state was last replaced.
    pub all: bool,
    /// Whose prices their costs are reckoned with.
    pub provider: String,
}

/// The World that a query names. Fails where there is none of that name.
pub fn world(query: &str) -> Result<(), AskError> {
    for (name, value) in pairs(query) {
        if name == "world" && value != DEFAULT_WORLD {
            let value: String = value.chars().take(40).collect();
            return Err(AskError::NotFound(format!(
                "there is no World `{value}`; this emu has one, `{DEFAULT_WORLD}`: ask for that, or for none"
            )));
        }
    }
    Ok(())
}

/// `{"timeoutMs": 5000}`: how long to wait for idleness; without end where that is not said.
pub fn idle(body: &[u8]) -> Result<Option<Duration>, AskError> {
    #[derive(Default, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Idle {
        timeout_ms: Option<u64>,
    }
    if body.is_empty() {
        return Ok(None);
    }
    let idle: Idle = json(body, r#"nothing or {"timeoutMs": 5000}"#)?;
    Ok(idle.timeout_ms.map(|ms| Duration::from_millis(ms).min(WAIT_MAX)))
}

/// What is to be done to the clock.
pub fn clock_change(change: &str, body: &[u8]) -> Result<ClockChange, AskError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Advance {
        ms: i64,
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Set {
        time: String,
    }
    match change {
        "advance" => Ok(ClockChange::Advance { ms: json::<Advance>(body, r#"{"ms": 60000}"#)?.ms }),
        "set" => {
            let set: Set = json(body, r#"{"time": "2026-01-31T12:00:00Z"}"#)?;
            if set.time == "now" {
                return Ok(ClockChange::Set { time: None });
            }
            let time = chrono::DateTime::parse_from_rfc3339(&set.time)
                .map_err(|error| AskError::Wrong(format!("`{}` is no time: {error}; write 2026-01-31T12:00:00Z or now", set.time)))?;
            Ok(ClockChange::Set { time: Some(Time(time.timestamp_millis())) })
        }
        "freeze" => Ok(ClockChange::Freeze),
        "resume" => Ok(ClockChange::Resume),
        other => Err(AskError::NotFound(format!("a clock cannot `{other}`; it can advance, set, freeze, resume"))),
    }
}

/// `?to=…&from=…&subject=…&after=ID&waitMs=5000`.
pub fn mails(query: &str) -> Result<MailsAsk, AskError> {
    let mut asked = MailsAsk::default();
    for (name, value) in pairs(query) {
        match name.as_str() {
            "to" => asked.to = Some(value),
            "from" => asked.from = Some(value),
            "subject" => asked.subject = Some(value),
            "after" => asked.after = Some(value),
            "waitMs" => asked.wait = Duration::from_millis(number(&name, &value, "milliseconds")?).min(WAIT_MAX),
            "world" => {}
            _ => return Err(unknown(&name, &value, "mails are asked for by to, from, subject, after, waitMs, world")),
        }
    }
    Ok(asked)
}

/// `?token=…&topic=…&title=…&after=ID&waitMs=5000`.
pub fn pushes(query: &str) -> Result<PushesAsk, AskError> {
    let mut asked = PushesAsk::default();
    for (name, value) in pairs(query) {
        match name.as_str() {
            "token" => asked.token = Some(value),
            "topic" => asked.topic = Some(value),
            "title" => asked.title = Some(value),
            "after" => asked.after = Some(value),
            "waitMs" => asked.wait = Duration::from_millis(number(&name, &value, "milliseconds")?).min(WAIT_MAX),
            "world" => {}
            _ => return Err(unknown(&name, &value, "pushes are asked for by token, topic, title, after, waitMs, world")),
        }
    }
    Ok(asked)
}

/// `{"state": "unregistered", "platform": "android"}`.
pub fn token(body: &[u8]) -> Result<TokenAsk, AskError> {
    if body.is_empty() {
        return Ok(TokenAsk::default());
    }
    json(body, r#"{"state": "unregistered"}"#)
}

/// `?function=…&trace=…&limit=100&all=true&provider=aws`.
pub fn invocations(query: &str) -> Result<InvocationsAsk, AskError> {
    let mut asked = InvocationsAsk { function: None, trace: None, limit: SHOWN_MAX, all: false, provider: "aws".to_owned() };
    for (name, value) in pairs(query) {
        match name.as_str() {
            "function" => asked.function = Some(value),
            "trace" => asked.trace = Some(value.to_ascii_lowercase()),
            "limit" => asked.limit = usize::try_from(number(&name, &value, "how many")?).unwrap_or(SHOWN_MAX).min(SHOWN_MAX),
            "all" => asked.all = truth(&name, &value)?,
            "provider" => asked.provider = value,
            "world" => {}
            _ => return Err(unknown(&name, &value, "invocations are asked for by function, trace, limit, all, provider, world")),
        }
    }
    Ok(asked)
}

/// `?function=…&trace=…&since=10m&after=NUMBER&follow=true`.
pub fn records(query: &str) -> Result<(Query, bool), AskError> {
    let (mut asked, mut follow) = (Query::default(), false);
    for (name, value) in pairs(query) {
        match name.as_str() {
            "function" => asked.function = Some(value),
            "trace" => asked.trace = Some(value.to_ascii_lowercase()),
            "since" => asked = asked.since(ago(&value).ok_or_else(|| unknown(&name, &value, "write 90s, 10m, 2h or 1d"))?),
            "after" => asked.after = value.parse().map_err(|_| unknown(&name, &value, "write the number of a record"))?,
            "follow" => follow = truth(&name, &value)?,
            "world" => {}
            _ => return Err(unknown(&name, &value, "records are asked for by function, trace, since, after, follow, world")),
        }
    }
    Ok((asked, follow))
}

fn pairs(query: &str) -> impl Iterator<Item = (String, String)> + '_ {
    url::form_urlencoded::parse(query.as_bytes()).into_owned()
}

fn unknown(name: &str, value: &str, help: &str) -> AskError {
    let short = |text: &str| text.chars().take(100).collect::<String>();
    AskError::Wrong(format!("`{}={}` cannot be read; {help}", short(name), short(value)))
}

fn number(name: &str, value: &str, what: &str) -> Result<u64, AskError> {
    value.parse().map_err(|_| unknown(name, value, &format!("write {what} as a whole number")))
}

fn truth(name: &str, value: &str) -> Result<bool, AskError> {
    value.parse().map_err(|_| unknown(name, value, "write true or false"))
}

fn json<T: DeserializeOwned>(body: &[u8], example: &str) -> Result<T, AskError> {
    serde_json::from_slice(body).map_err(|error| AskError::Wrong(format!("send {example}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_world_and_another_name_is_an_error_that_says_so() {
        for good in ["", "world=default", "function=a&world=default"] {
            assert!(world(good).is_ok(), "{good}");
        }
        let error = world("world=branch%201").expect_err("no such World");
        assert!(matches!(error, AskError::NotFound(_)), "{error:?}");
        assert_eq!(error.to_string(), "there is no World `branch 1`; this emu has one, `default`: ask for that, or for none");
    }

    #[test]
    fn what_is_asked_for_is_read_and_what_cannot_be_is_answered_with_what_can() {
        let asked = mails("to=ada%40example.com&subject=Hello+you&after=m1&waitMs=1500&world=default").expect("read");
        let (to, subject, after) = (Some("ada@example.com".into()), Some("Hello you".into()), Some("m1".into()));
        assert_eq!(asked, MailsAsk { to, from: None, subject, after, wait: Duration::from_millis(1_500) });
        assert_eq!(mails("waitMs=99999999999999").expect("read").wait, WAIT_MAX, "nobody waits for days");
        let asked = invocations("function=work&limit=5&all=true&provider=azure").expect("read");
        assert_eq!((asked.function.as_deref(), asked.limit, asked.all, asked.provider.as_str()), (Some("work"), 5, true, "azure"));
        assert_eq!(invocations("limit=1000000").expect("read").limit, SHOWN_MAX);
        assert_eq!(idle(b"").expect("read"), None);
        assert_eq!(idle(br#"{"timeoutMs":0}"#).expect("read"), Some(Duration::ZERO));
        assert!(records("follow=true&world=default").expect("read").1);
        let errors = [
            (mails("two=x").err(), "mails are asked for by to, from"),
            (mails("waitMs=soon").err(), "`waitMs=soon` cannot be read; write milliseconds"),
            (invocations("all=1").err(), "write true or false"),
            (records("since=x").err(), "write 90s"),
            (idle(b"{\"timeout\":1}").err(), r#"send nothing or {"timeoutMs": 5000}"#),
            (clock_change("advance", b"").err(), r#"send {"ms": 60000}"#),
            (clock_change("set", br#"{"time":"noon"}"#).err(), "`noon` is no time"),
            (clock_change("stop", b"").err(), "it can advance, set, freeze, resume"),
        ];
        for (error, wanted) in errors {
            let error = error.expect("refused").to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
