use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use proptest::prelude::*;

use super::*;
use crate::base::{Clock, Ids};
use crate::store::Options;

struct World {
    queues: Queues,
    clock: Clock,
    call: Call,
    _folder: tempfile::TempDir,
}

fn world() -> World {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_700_000_000_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a new database opens");
    World { queues: Queues::new(db), clock, call: Call::operator(), _folder: folder }
}

fn attributes(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

impl World {
    async fn queue(&self, name: &str, pairs: &[(&str, &str)]) {
        self.queues.create(&self.call, name, &attributes(pairs), &BTreeMap::new()).await.expect("a queue");
    }

    async fn send(&self, queue: &str, body: &str) -> Sent {
        self.queues.send(&self.call, queue, Send::body(body)).await.expect("sent")
    }

    async fn send_to(&self, queue: &str, group: &str, body: &str) -> Sent {
        let send = Send { group: Some(group.into()), deduplication: Some(body.into()), ..Send::body(body) };
        self.queues.send(&self.call, queue, send).await.expect("sent")
    }

    async fn receive(&self, queue: &str, count: i64) -> Vec<Message> {
        let receive = Receive { messages_max: Some(count), wait_s: Some(0), ..Receive::default() };
        self.queues.receive(&self.call, queue, receive).await.expect("received")
    }

    async fn bodies(&self, queue: &str, count: i64) -> Vec<String> {
        self.receive(queue, count).await.into_iter().map(|message| message.body).collect()
    }

    async fn counts(&self, queue: &str) -> (u64, u64, u64) {
        let found = self.queues.describe(&self.call, queue).await.expect("a queue");
        (found.visible, found.in_flight, found.delayed)
    }
}

#[tokio::test]
async fn a_received_message_is_hidden_until_its_time_is_over_and_then_counts_another_receive() {
    let w = world();
    w.queue("q", &[("VisibilityTimeout", "10")]).await;
    w.send("q", "a").await;
    let first = w.receive("q", 10).await;
    assert_eq!((first.len(), first[0].receives), (1, 1));
    assert_eq!((w.bodies("q", 10).await.len(), w.counts("q").await), (0, (0, 1, 0)));
    w.clock.advance_ms(9_999);
    assert!(w.bodies("q", 10).await.is_empty());
    w.clock.advance_ms(1);
    let second = w.receive("q", 10).await;
    assert_eq!((second[0].receives, second[0].first_received), (2, first[0].first_received));
    w.queues.delete_message(&w.call, "q", &first[0].receipt).await.expect("an old receipt is no error");
    assert_eq!(w.counts("q").await, (0, 1, 0), "an old receipt deletes nothing");
    w.queues.delete_message(&w.call, "q", &second[0].receipt).await.expect("deleted");
    w.queues.delete_message(&w.call, "q", &second[0].receipt).await.expect("twice is no error");
    assert_eq!(w.counts("q").await, (0, 0, 0));
}

#[tokio::test]
async fn a_delayed_message_comes_to_light_when_its_delay_is_over() {
    let w = world();
    w.queue("q", &[("DelaySeconds", "5")]).await;
    w.send("q", "a").await;
    w.queues.send(&w.call, "q", Send { delay_s: Some(0), ..Send::body("b") }).await.expect("sent");
    assert_eq!((w.counts("q").await, w.bodies("q", 10).await), ((1, 0, 1), vec!["b".to_owned()]));
    assert_eq!(w.queues.next_due(&w.call, "q").await.expect("a time"), Some(w.clock.now().plus_ms(5_000)));
    w.clock.advance_ms(5_000);
    assert_eq!(w.bodies("q", 10).await, ["a"]);
}

#[tokio::test]
async fn a_long_poll_is_woken_by_a_send() {
    let w = world();
    w.queue("q", &[]).await;
    let queues = w.queues.clone();
    let poll = tokio::spawn(async move {
        let receive = Receive { wait_s: Some(20), ..Receive::default() };
        queues.receive(&Call::operator(), "q", receive).await.expect("received")
    });
    tokio::task::yield_now().await;
    assert!(!poll.is_finished());
    w.send("q", "a").await;
    assert_eq!(poll.await.expect("ends").len(), 1);
}

#[tokio::test]
async fn a_long_poll_is_woken_by_the_clock_and_ends_empty_when_its_own_time_is_over() {
    let w = world();
    w.queue("q", &[]).await;
    w.queues.send(&w.call, "q", Send { delay_s: Some(3), ..Send::body("late") }).await.expect("sent");
    for (advance_ms, wanted) in [(3_000, 1), (20_000, 0)] {
        let queues = w.queues.clone();
        let poll = tokio::spawn(async move {
            let receive = Receive { wait_s: Some(20), visibility_s: Some(100), ..Receive::default() };
            queues.receive(&Call::operator(), "q", receive).await.expect("received")
        });
        tokio::task::yield_now().await;
        assert!(!poll.is_finished());
        w.clock.advance_ms(advance_ms);
        assert_eq!(poll.await.expect("ends").len(), wanted);
    }
}

#[tokio::test]
async fn a_message_received_too_often_goes_to_the_dead_letters_and_can_be_moved_back() {
    let w = world();
    w.queue("dead", &[]).await;
    let policy = r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":"2"}"#;
    w.queue("q", &[("RedrivePolicy", policy), ("VisibilityTimeout", "1")]).await;
    let told = Arc::new(std::sync::Mutex::new(Vec::new()));
    let teller = told.clone();
    w.queues.listen(Box::new(move |buried| {
        let Buried { queue, dead_letters, receives, .. } = buried.clone();
        teller.lock().expect("nobody panics").push((queue, dead_letters, receives));
    }));
    let sent = w.send("q", "a").await;
    for _ in 0..2 {
        assert_eq!(w.bodies("q", 1).await, ["a"]);
        w.clock.advance_ms(1_000);
    }
    assert_eq!(*told.lock().expect("nobody panics"), []);
    assert!(w.bodies("q", 1).await.is_empty());
    assert_eq!(*told.lock().expect("nobody panics"), [("q".to_owned(), "dead".to_owned(), 2)]);
    let dead = w.receive("dead", 1).await;
    assert_eq!((dead[0].message_id.as_str(), dead[0].receives), (sent.message_id.as_str(), 1));
    assert_eq!((dead[0].dead_letter_source.as_deref(), dead[0].sent), (Some("q"), Time(1_700_000_000_000)));
    assert_eq!(w.queues.sources(&w.call, "dead", "", 10).await.expect("sources").names, ["q"]);
    w.clock.advance_ms(30_000);
    assert_eq!(w.queues.move_messages(&w.call, "dead", None, None).await.expect("moved").moved, 1);
    assert_eq!((w.counts("dead").await, w.bodies("q", 1).await), ((0, 0, 0), vec!["a".to_owned()]));
    assert!(matches!(w.queues.move_messages(&w.call, "q", None, None).await, Err(Error::NotDeadLetters(_))));
}

#[tokio::test]
async fn messages_are_forgotten_when_their_retention_is_over() {
    let w = world();
    w.queue("q", &[("MessageRetentionPeriod", "60")]).await;
    w.send("q", "old").await;
    w.clock.advance_ms(59_999);
    w.send("q", "new").await;
    assert_eq!(w.counts("q").await.0, 2);
    w.clock.advance_ms(1);
    assert_eq!((w.counts("q").await.0, w.bodies("q", 10).await), (1, vec!["new".to_owned()]));
}

#[tokio::test]
async fn a_group_waits_while_one_of_its_messages_is_in_flight_and_others_do_not() {
    let w = world();
    w.queue("q.fifo", &[("FifoQueue", "true")]).await;
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1")] {
        w.send_to("q.fifo", group, body).await;
    }
    let first = w.receive("q.fifo", 1).await;
    assert_eq!(first[0].body, "a1");
    assert_eq!(w.bodies("q.fifo", 10).await, ["b1"]);
    w.queues.delete_message(&w.call, "q.fifo", &first[0].receipt).await.expect("deleted");
    assert_eq!(w.bodies("q.fifo", 10).await, ["a2"]);
    w.clock.advance_ms(30_000);
    let expired = w.queues.delete_message(&w.call, "q.fifo", &first[0].receipt).await;
    assert!(expired.is_ok(), "a message that is gone is no error");
    assert_eq!(w.bodies("q.fifo", 10).await, ["a2", "b1"]);
}

#[tokio::test]
async fn a_repeated_deduplication_identifier_is_one_message_for_five_minutes() {
    let w = world();
    w.queue("q.fifo", &[("FifoQueue", "true"), ("ContentBasedDeduplication", "true")]).await;
    let send = || Send { group: Some("g".into()), ..Send::body("same") };
    let first = w.queues.send(&w.call, "q.fifo", send()).await.expect("sent");
    w.clock.advance_ms(299_999);
    assert_eq!(w.queues.send(&w.call, "q.fifo", send()).await.expect("sent"), first);
    w.clock.advance_ms(1);
    let later = w.queues.send(&w.call, "q.fifo", send()).await.expect("sent");
    assert!(later.sequence > first.sequence && later.message_id != first.message_id);
    assert_eq!(w.counts("q.fifo").await.0, 2);
}

#[tokio::test]
async fn the_same_receive_attempt_gets_the_same_messages() {
    let w = world();
    w.queue("q.fifo", &[("FifoQueue", "true")]).await;
    w.send_to("q.fifo", "g", "a").await;
    let receive = || Receive { attempt: Some("try".into()), ..Receive::default() };
    let first = w.queues.receive(&w.call, "q.fifo", receive()).await.expect("received");
    let again = w.queues.receive(&w.call, "q.fifo", receive()).await.expect("received");
    assert_eq!((again.len(), &again[0].receipt), (1, &first[0].receipt));
}

#[tokio::test]
async fn visibility_can_be_changed_only_while_it_lasts_and_for_twelve_hours() {
    let w = world();
    w.queue("q", &[]).await;
    w.send("q", "a").await;
    let receipt = w.receive("q", 1).await.remove(0).receipt;
    w.clock.advance_ms(10_000);
    let change = |seconds| w.queues.change_visibility(&w.call, "q", &receipt, seconds);
    assert!(matches!(change(43_200).await, Err(Error::HiddenTooLong { value: 43_200 })));
    change(60).await.expect("longer");
    w.clock.advance_ms(59_999);
    assert!(w.bodies("q", 1).await.is_empty());
    change(0).await.expect("now");
    assert!(matches!(change(5).await, Err(Error::NotInFlight)));
    assert_eq!(w.bodies("q", 1).await, ["a"]);
    assert!(matches!(change(5).await, Err(Error::NotAvailable(_))));
    assert!(matches!(w.queues.change_visibility(&w.call, "q", "rubbish", 5).await, Err(Error::Receipt(_))));
}

#[tokio::test]
async fn a_project_file_changes_a_queue_and_keeps_its_messages() {
    let w = world();
    let properties = |timeout: u32| {
        serde_json::json!({
            "QueueName": "q", "VisibilityTimeout": timeout, "Tags": [{ "Key": "team", "Value": "a" }],
            "RedrivePolicy": { "deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:dead", "maxReceiveCount": 3 },
        })
    };
    let ensure = async |timeout| w.queues.ensure(&w.call, "q", &properties(timeout)).await.expect("a queue");
    assert_eq!(ensure(5).await.settings.visibility_s, 5);
    w.send("q", "kept").await;
    let queue = ensure(7).await;
    assert_eq!((queue.settings.visibility_s, queue.tags["team"].as_str()), (7, "a"));
    assert_eq!(queue.settings.redrive, Some(Redrive { target: "dead".into(), receives_max: 3 }));
    assert_eq!(w.counts("q").await.0, 1);
}

#[tokio::test]
async fn a_message_carries_the_trace_of_its_sender() {
    let w = world();
    w.queue("q", &[]).await;
    let call = Call { caller: crate::base::Caller::Function("pay".into()), depth: 3, ..Call::operator() };
    w.queues.send(&call, "q", Send::body("a")).await.expect("sent");
    let message = w.receive("q", 1).await.remove(0);
    assert_eq!((message.sender.as_deref(), message.origin.depth, message.origin.trace), (Some("pay"), 4, call.trace));
}

#[tokio::test]
async fn requests_are_billed_by_64_kb() {
    let w = world();
    w.queue("q", &[]).await;
    let call = Call { meter: crate::base::Meter::default(), ..Call::operator() };
    w.queues.send(&call, "q", Send::body("x".repeat(65_537))).await.expect("sent");
    assert_eq!(call.meter.total().get(Unit::QueueRequests), 2);
    w.queues.receive(&call, "q", Receive::default()).await.expect("received");
    w.queues.receive(&call, "q", Receive::default()).await.expect("nothing");
    assert_eq!(call.meter.total().get(Unit::QueueRequests), 5);
    assert_eq!(call.meter.total().get(Unit::QueueFifoRequests), 0);
}

#[tokio::test]
async fn who_looks_at_a_queue_sees_what_is_hidden_and_can_remove_it() {
    let w = world();
    w.queue("q", &[("VisibilityTimeout", "30")]).await;
    w.send("q", "a").await;
    let delayed = Send { delay_s: Some(5), ..Send::body("b") };
    w.queues.send(&Call::operator(), "q", delayed).await.expect("sent");
    w.send("q", "c").await;
    w.receive("q", 1).await;
    let peek = async || w.queues.peek(&Call::operator(), "q", 10).await.expect("looked");
    let seen: Vec<_> = peek().await.iter().map(|m| (m.body.clone(), m.receives, m.hidden_until.map(|at| at.0 - w.clock.now().0))).collect();
    assert_eq!(seen, [("a".into(), 1, Some(30_000)), ("b".into(), 0, Some(5_000)), ("c".into(), 0, None)]);
    let id = peek().await.remove(0).message_id;
    for there in [true, false] {
        assert_eq!(w.queues.forget(&Call::operator(), "q", &id).await.expect("forgotten"), there);
    }
    assert_eq!(peek().await.len(), 2);
}

#[tokio::test]
async fn a_request_that_waits_is_one_request_however_often_it_looks() {
    let w = world();
    w.queue("q", &[]).await;
    let call = Call { meter: crate::base::Meter::default(), ..Call::operator() };
    let waiting = w.queues.receive(&call, "q", Receive { wait_s: Some(20), ..Receive::default() });
    let elsewhere = async {
        // Each change of the queue makes who waits look again.
        for n in 0..5 {
            w.queues.tag(&Call::operator(), "q", &BTreeMap::from([("n".to_owned(), n.to_string())])).await.expect("tagged");
            tokio::task::yield_now().await;
        }
        w.send("q", "a").await;
    };
    let (messages, ()) = tokio::join!(waiting, elsewhere);
    assert_eq!(messages.expect("received").len(), 1);
    assert_eq!(call.meter.total().get(Unit::QueueRequests), 1);
}

/// Source: "Amazon SQS pricing": a batch is one request, by the bytes of all its messages.
#[tokio::test]
async fn a_batch_is_billed_as_one_request_by_its_bytes() {
    let w = world();
    w.queue("q", &[]).await;
    let call = Call { meter: crate::base::Meter::default(), ..Call::operator() };
    let entries = |bytes: usize| (0..3).map(|n| Entry { id: n.to_string(), value: Send::body("x".repeat(bytes)) }).collect();
    w.queues.send_batch(&call, "q", entries(10)).await.expect("sent");
    assert_eq!(call.meter.total().get(Unit::QueueRequests), 1);
    w.queues.send_batch(&call, "q", entries(30_000)).await.expect("sent");
    assert_eq!(call.meter.total().get(Unit::QueueRequests), 1 + 2);
}

#[tokio::test]
async fn requests_about_messages_of_a_fifo_queue_are_billed_as_such() {
    let w = world();
    w.queue("q.fifo", &[("FifoQueue", "true"), ("ContentBasedDeduplication", "true")]).await;
    let call = Call { meter: crate::base::Meter::default(), ..Call::operator() };
    w.queues.send(&call, "q.fifo", Send { group: Some("g".into()), ..Send::body("a") }).await.expect("sent");
    let message = w.queues.receive(&call, "q.fifo", Receive::default()).await.expect("received").remove(0);
    w.queues.delete_message(&call, "q.fifo", &message.receipt).await.expect("deleted");
    w.queues.describe(&call, "q.fifo").await.expect("described");
    let total = call.meter.total();
    assert_eq!((total.get(Unit::QueueFifoRequests), total.get(Unit::QueueRequests)), (3, 1));
}

#[derive(Clone, Debug)]
enum Step {
    Send(u8),
    Receive(i64),
    Delete(usize),
    Show(usize),
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u8..3).prop_map(Step::Send),
        3 => (1i64..=4).prop_map(Step::Receive),
        2 => (0usize..8).prop_map(Step::Delete),
        1 => (0usize..8).prop_map(Step::Show),
        1 => (1i64..40_000).prop_map(Step::Pass),
    ];
    proptest::collection::vec(step, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens in between, a group's messages are first handed out in the order they were sent, never two holders of
    /// one group at a time, and every message is handed out until it is deleted.
    #[test]
    fn fifo_order_survives_every_interleaving(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            let w = world();
            w.queue("q.fifo", &[("FifoQueue", "true")]).await;
            let mut waiting: HashMap<String, VecDeque<String>> = HashMap::new();
            let mut held: Vec<(Message, Time)> = Vec::new();
            let mut n = 0;
            for step in steps {
                held.retain(|(_, until)| *until > w.clock.now());
                match step {
                    Step::Send(group) => {
                        n += 1;
                        let (group, body) = (format!("g{group}"), format!("m{n}"));
                        w.send_to("q.fifo", &group, &body).await;
                        waiting.entry(group).or_default().push_back(body);
                    }
                    Step::Receive(count) => {
                        let busy: BTreeSet<String> = held.iter().filter_map(|(m, _)| m.group.clone()).collect();
                        let got = w.receive("q.fifo", count).await;
                        let mut seen: HashMap<String, usize> = HashMap::new();
                        for message in &got {
                            let group = message.group.clone().expect("a group");
                            assert!(!busy.contains(&group), "group {group} is in flight");
                            let at = seen.entry(group.clone()).or_default();
                            assert_eq!(waiting[&group].get(*at), Some(&message.body), "out of order");
                            *at += 1;
                        }
                        if got.len() < count as usize {
                            for (group, queue) in &waiting {
                                let taken = seen.get(group).copied().unwrap_or_default();
                                assert!(busy.contains(group) || taken == queue.len(), "group {group} was held back");
                            }
                        }
                        held.extend(got.into_iter().map(|m| (m, w.clock.now().plus_ms(30_000))));
                    }
                    Step::Delete(i) if i < held.len() => {
                        let (message, _) = held.remove(i);
                        w.queues.delete_message(&w.call, "q.fifo", &message.receipt).await.expect("deleted");
                        let queue = waiting.get_mut(&message.group.expect("a group")).expect("known");
                        queue.retain(|body| *body != message.body);
                    }
                    Step::Show(i) if i < held.len() => {
                        let (message, _) = held.remove(i);
                        w.queues.change_visibility(&w.call, "q.fifo", &message.receipt, 0).await.expect("shown");
                    }
                    Step::Delete(_) | Step::Show(_) => {}
                    Step::Pass(ms) => w.clock.advance_ms(ms),
                }
            }
            w.clock.advance_ms(43_200_000);
            let left: BTreeSet<String> = waiting.values().flatten().cloned().collect();
            let mut got = BTreeSet::new();
            loop {
                let messages = w.receive("q.fifo", 10).await;
                if messages.is_empty() {
                    break;
                }
                for message in messages {
                    w.queues.delete_message(&w.call, "q.fifo", &message.receipt).await.expect("deleted");
                    got.insert(message.body);
                }
            }
            assert_eq!(got, left, "a message was lost, or came back after it was deleted");
        });
    }
}
