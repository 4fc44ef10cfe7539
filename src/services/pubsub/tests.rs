use std::collections::BTreeMap;

use super::*;
use crate::base::{Clock, Ids, Time, Unit};
use crate::store::{Options, outbox};

struct World {
    pubsub: Pubsub,
    clock: Clock,
    call: Call,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a new database opens");
    db.set_interest(Box::new(|source, resource| source == SOURCE && resource.ends_with("/watched")));
    World { pubsub: Pubsub::new(db), clock, call: Call::operator(), _folder: folder }
}

fn topic(id: &str) -> TopicName {
    TopicName::parse(&format!("projects/p/topics/{id}")).expect("a name")
}

fn name(id: &str) -> SubscriptionName {
    SubscriptionName::parse(&format!("projects/p/subscriptions/{id}")).expect("a name")
}

fn text(text: &str) -> Publish {
    Publish { data: text.as_bytes().to_vec(), ..Publish::default() }
}

fn keyed(content: &str, key: &str) -> Publish {
    Publish { ordering: Some(key.to_owned()), ..text(content) }
}

impl World {
    /// A topic `t` and a subscription `s`.
    async fn subscribed(settings: Settings) -> World {
        let world = world();
        world.topic("topic").await;
        world.pubsub.subscribe(&world.call, name("sub"), topic("topic"), settings).await.expect("subscribed");
        world
    }

    async fn topic(&self, id: &str) {
        let new = Topic { name: topic(id), settings: TopicSettings::default() };
        self.pubsub.create_topic(&self.call, new).await.expect("a topic");
    }

    async fn publish(&self, messages: Vec<Publish>) {
        self.pubsub.publish(&self.call, &topic("topic"), messages).await.expect("published");
    }

    async fn lease(&self, lease: &Lease) -> Vec<Received> {
        self.pubsub.lease(&self.call, &name("sub"), lease).await.expect("leased")
    }

    /// What a pull of up to ten gets now.
    async fn pull(&self) -> Vec<Received> {
        self.lease(&Lease::of(10)).await
    }

    async fn texts(&self) -> String {
        said(&self.pull().await)
    }

    async fn nack(&self, received: &[Received]) {
        let deadlines = received.iter().map(|one| (one.ack_id.clone(), 0)).collect();
        self.pubsub.modify(&self.call, &name("sub"), deadlines).await.expect("given back");
    }

    async fn ack(&self, received: &[Received]) {
        let ids = received.iter().map(|one| one.ack_id.clone()).collect();
        self.pubsub.acknowledge(&self.call, &name("sub"), ids).await.expect("acknowledged");
    }
}

fn said(received: &[Received]) -> String {
    let texts: Vec<String> = received.iter().map(|one| String::from_utf8_lossy(&one.message.content.data).into_owned()).collect();
    texts.join(" ")
}

#[tokio::test]
async fn a_message_comes_again_until_it_is_acknowledged() {
    let world = World::subscribed(Settings::default()).await;
    world.publish(vec![text("a"), text("b")]).await;
    let first = world.pull().await;
    assert_eq!(said(&first), "a b");
    assert_eq!(world.texts().await, "", "somebody has them");
    world.ack(&first[..1]).await;
    world.clock.advance_ms(10_000);
    let again = world.pull().await;
    assert_eq!(said(&again), "b", "the deadline is over");
    // Who had it before has no say any more.
    world.ack(&first[1..]).await;
    world.nack(&first[1..]).await;
    assert_eq!(world.texts().await, "");
    world.nack(&again).await;
    assert_eq!(world.texts().await, "b", "given back, it is there at once");
}

#[tokio::test]
async fn a_deadline_can_be_put_off() {
    let world = World::subscribed(Settings { ack_deadline_s: 20, ..Settings::default() }).await;
    world.publish(vec![text("a")]).await;
    let held = world.pull().await;
    let extend = async |seconds| world.pubsub.modify(&world.call, &name("sub"), vec![(held[0].ack_id.clone(), seconds)]).await;
    world.clock.advance_ms(19_000);
    extend(600).await.expect("extended");
    world.clock.advance_ms(599_000);
    assert_eq!(world.texts().await, "");
    world.clock.advance_ms(1_000);
    assert_eq!(world.texts().await, "a");
    assert!(matches!(extend(601).await, Err(Error::Invalid(_))));
    assert!(matches!(AckId::parse("nonsense"), Err(Error::AckId(_))));
    assert_eq!(AckId::parse(&held[0].ack_id.to_string()).expect("an identifier"), held[0].ack_id);
}

#[tokio::test]
async fn messages_of_a_key_come_one_after_another() {
    let world = World::subscribed(Settings { ordering: true, ..Settings::default() }).await;
    world.publish(vec![keyed("a1", "a"), keyed("b1", "b"), keyed("a2", "a"), text("x")]).await;
    let first = world.lease(&Lease::of(2)).await;
    assert_eq!(said(&first), "a1 b1");
    assert_eq!(world.texts().await, "x", "a2 waits for a1");
    world.ack(&first).await;
    world.publish(vec![keyed("a3", "a")]).await;
    let both = world.pull().await;
    assert_eq!(said(&both), "a2 a3", "together is in order");
    world.nack(&both[..1]).await;
    assert_eq!(world.texts().await, "a2 a3", "what came after one that is given back is given back as well");
}

#[tokio::test]
async fn what_is_given_back_waits_longer_each_time() {
    let retry = Some(Retry { min_ms: 1_000, max_ms: 3_000 });
    let world = World::subscribed(Settings { retry, ..Settings::default() }).await;
    world.publish(vec![text("a")]).await;
    for wait in [1_000, 2_000, 3_000, 3_000] {
        let held = world.pull().await;
        assert_eq!(said(&held), "a", "after {wait}");
        world.nack(&held).await;
        world.clock.advance_ms(wait - 1);
        assert_eq!(world.texts().await, "", "{wait}");
        world.clock.advance_ms(1);
    }
}

#[tokio::test]
async fn what_is_handed_out_too_often_becomes_a_dead_letter() {
    let dead_letter = Some(DeadLetter { topic: topic("dead").to_string(), attempts_max: 5 });
    let world = World::subscribed(Settings { dead_letter, ..Settings::default() }).await;
    world.publish(vec![text("a")]).await;
    for attempt in 1..=5 {
        let held = world.pull().await;
        assert_eq!(held[0].attempt, Some(attempt));
        world.nack(&held).await;
    }
    assert_eq!(world.texts().await, "a", "it stays while there is no topic for it");
    world.topic("dead").await;
    world.pubsub.subscribe(&world.call, name("dead"), topic("dead"), Settings::default()).await.expect("subscribed");
    world.clock.advance_ms(10_000);
    assert_eq!(world.texts().await, "");
    let dead = world.pubsub.lease(&world.call, &name("dead"), &Lease::of(10)).await.expect("leased");
    assert_eq!(said(&dead), "a");
    let attribute = |key: &str| dead[0].message.content.attributes.get(key).map(String::as_str).unwrap_or_default();
    assert_eq!(attribute("CloudPubSubDeadLetterSourceSubscription"), "sub");
    assert_eq!(attribute("CloudPubSubDeadLetterSourceDeliveryCount"), "6");
}

#[tokio::test]
async fn filters_and_time_decide_what_is_kept() {
    let world = World::subscribed(Settings { filter: "attributes:kept".into(), retention_s: 600, ..Settings::default() }).await;
    let kept = |content: &str| Publish { attributes: [("kept".to_owned(), String::new())].into(), ..text(content) };
    world.publish(vec![text("a"), kept("b")]).await;
    world.clock.advance_ms(300_000);
    world.publish(vec![kept("c")]).await;
    assert_eq!(said(&world.lease(&Lease::of(1)).await), "b");
    world.clock.advance_ms(300_000);
    assert_eq!(world.texts().await, "c");
    world.pubsub.seek(&world.call, &name("sub"), world.clock.now()).await.expect("sought");
    assert_eq!(world.texts().await, "", "what was published before is dealt with");
    world.publish(vec![kept("d")]).await;
    world.pull().await;
    world.pubsub.seek(&world.call, &name("sub"), world.clock.now()).await.expect("sought");
    assert_eq!(world.texts().await, "d", "what was published since comes again, whoever has it");
}

#[tokio::test]
async fn a_subscriber_gets_no_more_than_it_can_take() {
    let world = World::subscribed(Settings::default()).await;
    world.publish((0..5).map(|n| text(&n.to_string())).collect()).await;
    let flow = Flow { messages_max: 2, bytes_max: 100, deadline_s: 30 };
    let subscriber = world.pubsub.subscriber(&world.call, &name("sub"), flow).await.expect("a subscriber");
    let first = subscriber.next().await.expect("messages");
    assert_eq!(said(&first), "0 1");
    let next = subscriber.next();
    tokio::pin!(next);
    assert!(tokio::time::timeout(std::time::Duration::from_millis(20), next.as_mut()).await.is_err(), "it holds two");
    world.ack(&first[..1]).await;
    assert_eq!(said(&next.await.expect("messages")), "2");
    // Another one gets the others.
    let other = world.pubsub.subscriber(&world.call, &name("sub"), flow).await.expect("a subscriber");
    assert_eq!(said(&other.next().await.expect("messages")), "3 4");
    assert_eq!(world.texts().await, "");
    world.clock.advance_ms(30_000);
    assert_eq!(world.texts().await, "1 2 3 4", "whoever goes leaves what it held to others");
}

#[tokio::test]
async fn who_waits_for_a_message_is_woken_by_it() {
    let world = World::subscribed(Settings::default()).await;
    let (call, sub) = (world.call.clone(), name("sub"));
    let waiting = world.pubsub.pull(&call, &sub, 1, false);
    let (got, ()) = tokio::join!(waiting, world.publish(vec![text("a")]));
    assert_eq!(said(&got.expect("a message")), "a");
    assert_eq!(world.pubsub.pull(&world.call, &name("sub"), 1, true).await.expect("an answer"), []);
    assert!(matches!(world.pubsub.pull(&world.call, &name("sub"), 0, true).await, Err(Error::Invalid(_))));
}

#[tokio::test]
async fn functions_are_told_of_messages_of_topics_that_nobody_made() {
    let world = world();
    let publish = Publish { attributes: [("k".to_owned(), "v".to_owned())].into(), ..keyed("hi", "key") };
    assert!(world.pubsub.topic(&world.call, &topic("watched")).await.is_ok());
    let ids = world.pubsub.publish(&world.call, &topic("watched"), vec![publish]).await.expect("published");
    let rows = world.pubsub.db.read(&world.call, |tx| outbox::oldest(tx, 10)).await.expect("rows");
    assert_eq!((rows.len(), rows[0].source.as_str(), rows[0].resource.as_str()), (1, SOURCE, "projects/p/topics/watched"));
    let body: serde_json::Value = serde_json::from_str(&rows[0].body).expect("JSON");
    let wanted = serde_json::json!({
        "messageId": ids[0], "publishTime": "2023-11-14T22:13:20.000Z", "data": "aGk=", "attributes": {"k": "v"}, "orderingKey": "key",
    });
    assert_eq!(body, wanted);
    let refused = world.pubsub.publish(&world.call, &topic("other"), vec![text("x")]).await;
    assert_eq!(refused.expect_err("none").to_string(), "Resource not found (resource=other).");
}

#[tokio::test]
async fn messages_are_billed_by_their_bytes_in_and_out() {
    let world = World::subscribed(Settings::default()).await;
    world.pubsub.subscribe(&world.call, name("other"), topic("topic"), Settings::default()).await.expect("subscribed");
    world.publish(vec![text("small"), text(&"x".repeat(5_000))]).await;
    assert_eq!(world.call.meter.total().get(Unit::TopicBytes), 18_000, "in once, and out to each");
}

#[tokio::test]
async fn settings_change_one_by_one_and_a_topic_can_go_first() {
    let world = World::subscribed(Settings { labels: BTreeMap::from([("a".into(), "b".into())]), ..Settings::default() }).await;
    let wanted = Settings { ack_deadline_s: 33, ..Settings::default() };
    let changed = world.pubsub.update(&world.call, &name("sub"), wanted, vec![Field::AckDeadline]).await.expect("changed");
    assert_eq!((changed.settings.ack_deadline_s, changed.settings.labels.len()), (33, 1));
    let wrong = Settings { ack_deadline_s: 1, ..Settings::default() };
    assert!(world.pubsub.update(&world.call, &name("sub"), wrong, vec![Field::AckDeadline]).await.is_err());
    world.publish(vec![text("a")]).await;
    world.pubsub.delete_topic(&world.call, &topic("topic")).await.expect("deleted");
    assert_eq!(world.pubsub.subscription(&world.call, &name("sub")).await.expect("there").topic, None);
    assert_eq!(world.texts().await, "a", "what it has it keeps");
    world.pubsub.detach(&world.call, &name("sub")).await.expect("detached");
    assert!(matches!(world.pubsub.lease(&world.call, &name("sub"), &Lease::of(1)).await, Err(Error::Detached(_))));
    world.pubsub.unsubscribe(&world.call, &name("sub")).await.expect("gone");
    assert!(matches!(world.pubsub.unsubscribe(&world.call, &name("sub")).await, Err(Error::NoSuchSubscription(_))));
}

#[tokio::test]
async fn lists_come_in_pages_of_one_project() {
    let world = world();
    for id in ["ccc", "aaa", "bbb"] {
        world.topic(id).await;
        world.pubsub.subscribe(&world.call, name(id), topic("aaa"), Settings::default()).await.err();
    }
    let other = Topic { name: TopicName::parse("projects/p2/topics/aaa").expect("a name"), settings: TopicSettings::default() };
    world.pubsub.create_topic(&world.call, other).await.expect("a topic");
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = world.pubsub.topics(&world.call, "p", 2, &after).await.expect("a page");
        seen.extend(page.items.iter().map(|topic| topic.name.id().to_owned()));
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(seen, ["aaa", "bbb", "ccc"]);
    let subscribers = world.pubsub.subscribers(&world.call, &topic("aaa"), 0, "").await.expect("a page");
    assert_eq!(subscribers.items, ["projects/p/subscriptions/aaa", "projects/p/subscriptions/bbb"]);
    assert_eq!(world.pubsub.subscriptions(&world.call, "p", 1, "").await.expect("a page").items.len(), 1);
}
