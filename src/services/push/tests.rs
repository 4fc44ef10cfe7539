use serde_json::json;

use super::*;
use crate::base::{Clock, Ids, Time};
use crate::store::Options;

struct World {
    pushes: Pushes,
    call: Call,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let options = Options { path: folder.path().join("state.db"), clock: Clock::frozen(Time(1_000)), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a database");
    World { pushes: Pushes::new(db), call: Call::operator(), _folder: folder }
}

fn draft(target: Target) -> Draft {
    let message = json!({ "notification": { "title": "T", "body": "B" } });
    Draft { target, message: message.as_object().cloned().expect("a map"), dry_run: false }
}

impl World {
    async fn send(&self, target: Target) -> Result<Vec<String>, Error> {
        Ok(self.pushes.send(&self.call, draft(target)).await?.expect("sent").tokens)
    }

    async fn subscribe(&self, topic: &str, tokens: &[&str]) {
        let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
        let results = self.pushes.subscribe(&self.call, topic, tokens, true).await.expect("subscribed");
        assert!(results.into_iter().all(|result| result.is_ok()));
    }
}

#[tokio::test]
async fn a_push_reaches_its_token_its_topic_or_those_of_a_condition() {
    let world = world();
    world.subscribe("news", &["a", "b"]).await;
    world.subscribe("/topics/sport", &["b", "c"]).await;
    let text = |text: &str| text.to_owned();
    assert_eq!(world.send(Target::Token(text("anything"))).await.expect("sent"), ["anything"]);
    assert_eq!(world.send(Target::Topic(text("news"))).await.expect("sent"), ["a", "b"]);
    assert_eq!(world.send(Target::Topic(text("nobody"))).await.expect("sent"), [] as [&str; 0]);
    assert_eq!(world.send(Target::Condition(text("'news' in topics && 'sport' in topics"))).await.expect("sent"), ["b"]);
    world.pushes.set_device(&world.call, "b", DeviceState::Unregistered, None).await.expect("set");
    assert_eq!(world.send(Target::Topic(text("news"))).await.expect("sent"), ["a"], "who is gone gets none");
    assert_eq!(world.pushes.inbox(&world.call, None, 3).await.expect("read").len(), 3);
    world.pushes.clear(&world.call, None).await.expect("cleared");
    assert_eq!(world.pushes.inbox(&world.call, None, 3).await.expect("read"), []);
}

#[tokio::test]
async fn tokens_that_are_no_longer_good_and_messages_that_are_too_large_are_refused() {
    let world = world();
    let to = |token: &str| Target::Token(token.to_owned());
    for (token, state) in [("gone", DeviceState::Unregistered), ("other", DeviceState::SenderMismatch), ("good", DeviceState::Registered)] {
        world.pushes.set_device(&world.call, token, state, Some(Platform::Android)).await.expect("set");
    }
    assert!(matches!(world.send(to("gone")).await, Err(Error::Unregistered)));
    assert!(matches!(world.send(to("other")).await, Err(Error::SenderMismatch)));
    assert!(matches!(world.send(to("a b")).await, Err(Error::BadToken(_))));
    assert!(matches!(world.send(Target::Topic("a b".into())).await, Err(Error::BadTopic(_))));
    let of = |bytes: usize| Draft {
        message: json!({ "data": { "k": "x".repeat(bytes) } }).as_object().cloned().expect("a map"),
        ..draft(to("good"))
    };
    assert!(world.pushes.send(&world.call, of(MESSAGE_BYTES_MAX - 1)).await.is_ok());
    assert!(matches!(world.pushes.send(&world.call, of(MESSAGE_BYTES_MAX)).await, Err(Error::TooLarge { .. })));
    let tried = world.pushes.send(&world.call, Draft { dry_run: true, ..draft(to("good")) }).await.expect("tried");
    assert_eq!((tried, world.pushes.inbox(&world.call, None, 9).await.expect("read").len()), (None, 1));
    let results = world.pushes.subscribe(&world.call, "news", vec!["good".into(), "gone".into()], true).await.expect("done");
    assert!(matches!(results.as_slice(), [Ok(true), Err(Error::Unregistered)]));
    let device = world.pushes.device(&world.call, "good").await.expect("read").expect("known");
    assert_eq!((device.topics, device.platform), (vec!["news".to_owned()], Some(Platform::Android)));
}
