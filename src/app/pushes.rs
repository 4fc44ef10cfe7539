//! Pushes, as the admin API shows them.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::Shared;
use crate::base::Call;
use crate::gateway::asked::{AskError, PushesAsk, TokenAsk};
use crate::services::push::{self, Device, DeviceState, Platform, Push, Target};

/// Pushes and tokens that one answer has: the latest.
const SHOWN_MAX: usize = 1_000;

impl Shared {
    /// The pushes that are asked for, oldest first; waits for one where there is none and the question says for how long.
    pub(super) async fn pushes_asked<'a>(&'a self, ask: &'a PushesAsk) -> Result<Vec<Value>, push::Error> {
        let look = || {
            Box::pin(async { Ok(matching(&self.world.services.pushes.inbox(&Call::operator(), None, SHOWN_MAX).await?, ask)) })
                as BoxFuture<'_, _>
        };
        self.found(push::WAKE, ask.wait, look).await
    }

    /// The tokens of devices that are known.
    pub(super) async fn tokens(&self) -> Result<Vec<Value>, push::Error> {
        let devices = self.world.services.pushes.devices(&Call::operator(), "", SHOWN_MAX).await?;
        Ok(devices.iter().map(device).collect())
    }

    /// Says what becomes of pushes to a token.
    pub(super) async fn set_token(&self, token: String, ask: TokenAsk) -> Result<Value, AskError> {
        let state: DeviceState = ask.state.map_or(Ok(DeviceState::default()), |text| text.parse()).map_err(AskError::Wrong)?;
        let platform: Option<Platform> = ask.platform.map(|text| text.parse()).transpose().map_err(AskError::Wrong)?;
        let (pushes, call) = (&self.world.services.pushes, Call::operator());
        let failed = |error: push::Error| match error {
            push::Error::Store(error) => AskError::Failed(error.to_string()),
            error => AskError::Wrong(error.to_string()),
        };
        pushes.set_device(&call, &token, state, platform).await.map_err(failed)?;
        Ok(pushes.device(&call, &token).await.map_err(failed)?.as_ref().map_or(Value::Null, device))
    }
}

fn device(device: &Device) -> Value {
    json!({ "token": device.token, "state": device.state.name(), "platform": device.platform.map(Platform::name), "topics": device.topics })
}

fn matching(pushes: &[Push], ask: &PushesAsk) -> Vec<Value> {
    let seen = ask.after.as_deref().and_then(|after| pushes.iter().position(|push| push.id == after));
    pushes.iter().skip(seen.map_or(0, |seen| seen + 1)).filter(|push| wanted(push, ask)).map(shown).collect()
}

fn wanted(push: &Push, ask: &PushesAsk) -> bool {
    let token = ask.token.as_ref().is_none_or(|token| push.tokens.contains(token));
    let topic = ask
        .topic
        .as_ref()
        .is_none_or(|topic| matches!(&push.target, Target::Topic(other) if other.trim_start_matches("/topics/") == topic));
    let part = ask.title.as_ref().map(|title| title.to_lowercase());
    let has = |part: &str| push.rendered.iter().any(|one| one.title.as_ref().is_some_and(|title| title.to_lowercase().contains(part)));
    token && topic && part.is_none_or(|part| has(&part))
}

/// A push as the admin API shows it.
pub(super) fn shown(push: &Push) -> Value {
    let first = push.rendered.first();
    json!({
        "id": push.id,
        "at": push.at.iso(),
        "target": { push.target.kind(): push.target.text() },
        "tokens": push.tokens,
        "count": push.count,
        "title": push.shown().0,
        "body": push.shown().1,
        "data": first.map(|one| one.data.clone()).unwrap_or_default(),
        "message": push.message,
        "rendered": push.rendered,
        "function": push.sender,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pushes_are_found_by_token_topic_title_and_the_last_one_seen() {
        let push = |id: &str, target: Target, title: &str, tokens: &[&str]| {
            let message = json!({ "notification": { "title": title } }).as_object().cloned().expect("a map");
            Push {
                id: id.into(),
                at: crate::base::Time(0),
                target,
                rendered: push::render(&message),
                message,
                tokens: tokens.iter().map(|token| (*token).to_owned()).collect(),
                count: tokens.len(),
                sender: None,
            }
        };
        let all = [
            push("1", Target::Token("a".into()), "New follower", &["a"]),
            push("2", Target::Topic("/topics/news".into()), "News", &["a", "b"]),
            push("3", Target::Token("b".into()), "Low stock", &["b"]),
        ];
        let text = |text: &str| Some(text.to_owned());
        let found = |ask: PushesAsk| -> Vec<String> {
            matching(&all, &ask).iter().map(|push| push["id"].as_str().expect("an id").to_owned()).collect()
        };
        assert_eq!(found(PushesAsk::default()), ["1", "2", "3"]);
        assert_eq!(found(PushesAsk { token: text("a"), ..PushesAsk::default() }), ["1", "2"]);
        assert_eq!(found(PushesAsk { topic: text("news"), ..PushesAsk::default() }), ["2"]);
        assert_eq!(found(PushesAsk { title: text("NEW"), ..PushesAsk::default() }), ["1", "2"]);
        assert_eq!(found(PushesAsk { after: text("1"), token: text("b"), ..PushesAsk::default() }), ["2", "3"]);
    }
}
